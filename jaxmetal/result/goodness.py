"""Whether a model fits at all: one verdict for each observation, from all tests together."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from jaxmetal.edge.findings import Finding
from jaxmetal.result.judged import Judged
from jaxmetal.result.misfit import Layout, Score, limit, normal_score, patterns, totals

FALSE_ALARMS = 0.01
"""Share of the fits of right models that may be called poor, all tests and observations together."""

FAR = 2.0
"""Factor in chi2 up to which errors that are too large, or that the fit had to change, are left to the user."""

TOLD = 3
"""Most tests that a verdict names, the strongest."""


class Goodness(NamedTuple):
    """How well the best fit describes an observation.

    Attributes:
        chi2: sum of squared residuals.
        expected: its median where the noise alone parts data and model.
        spread: half the width of the middle 68 % of the same.
        misfit: the strongest of the tests over the limit that right models exceed in `FALSE_ALARMS` of the fits; the
            fit is poor above 1.
        verdict: a sentence; "" where the model fits.
    """

    chi2: float
    expected: float
    spread: float
    misfit: float
    verdict: str

    @property
    def fits(self) -> bool:
        """Whether the model describes the observation."""
        return self.misfit <= 1.0


class Seen(NamedTuple):
    """An observation as it is judged.

    Attributes:
        layout: where its data lie.
        fitted: with the noise of the best fit.
        stated: with the errors as they were stated, the same where none of the noise was free.
        absorbed: numbers that were integrated out of the prediction: each fits one datum away.
    """

    layout: Layout
    fitted: Judged
    stated: Judged
    absorbed: int = 0


def goodness(observations: Mapping[str, Seen], free: int) -> dict[str, Goodness]:
    """Observation -> verdict. The more observations and tests, the more each must say to be heard.

    Args:
        observations: of one fit.
        free: number of its free parameters.
    """
    tested = {name: _tests(seen, free) for name, seen in observations.items()}
    count = sum(map(len, tested.values()))
    return {name: _judged(name, seen, tested[name], count) for name, seen in observations.items()}


def findings(goodness: Mapping[str, Goodness]) -> list[Finding]:
    """One for every observation that the model does not describe."""
    return [Finding("warning", one.verdict) for one in goodness.values() if not one.fits]


LACKS = (
    "The model lacks something, a fixed number of it (PSF, centre) is wrong, errors are too small or shared by "
    "neighbours, or a better maximum was missed (raise start_count): see the map of residuals"
)
TOO_LARGE = (
    "The errors are too large for the scatter of the data, and so are those of the parameters; errors that all data "
    "share (a calibration) do not belong in it"
)
SWALLOWED = (
    "What the fit may change of the errors hides a misfit: they are wrong, or the model lacks something and the fit "
    "takes it for noise"
)


class _Test(NamedTuple):
    """A score and what it means.

    Attributes:
        score: see `Score`.
        advice: what to do about it.
        matters: where it is significant, it must be above 1 as well.
    """

    score: Score
    advice: str
    matters: float = np.inf


def _tests(seen: Seen, free: int) -> list[_Test]:
    free += seen.absorbed
    chi2, expected, _ = _chi2(seen.fitted, seen.absorbed)
    more, less = totals(seen.fitted, free)
    return [
        _Test(Score(more, f"ln L is {more:.0f} sd too low"), LACKS),
        *(_Test(score, LACKS) for score in patterns(seen.fitted, seen.layout)),
        _Test(Score(less, f"that is {less:.0f} sd too small"), TOO_LARGE, _factor(expected, chi2) / FAR),
        *_of_maps(seen, free),
        *([] if seen.stated is seen.fitted else [_changed(seen, free)]),
    ]


def _of_maps(seen: Seen, free: int) -> list[_Test]:
    """Whether errors of one map among several are too large, which the sum of all hides."""
    if len(seen.layout.planes) == 1:
        return []
    squares, drawn = (np.nan_to_num(np.square(one)) for one in (seen.fitted.residual, seen.fitted.redrawn_residual))
    found, used = [], max(int(np.sum(seen.layout.used)), 1)
    for name, index in seen.layout.planes:
        own = drawn[:, index].reshape(len(drawn), -1).sum(axis=1)
        fitted = float(squares[index].sum()) + free * np.sum(seen.layout.used[index]) / used
        size = max(0.0, -normal_score(np.append(fitted, own)))
        text = f"in '{name}' chi2 is {_factor(float(own.mean()), fitted):.2g} times too small ({size:.0f} sd)"
        found.append(_Test(Score(size, text), TOO_LARGE, _factor(float(own.mean()), fitted) / FAR))
    return found


def _changed(seen: Seen, free: int) -> _Test:
    """Of the errors as they were stated, where the fit was free to change them."""
    chi2, expected, _ = _chi2(seen.stated, seen.absorbed)
    used = seen.layout.used
    factor = np.median(np.asarray(seen.fitted.sigma)[used] / np.asarray(seen.stated.sigma)[used])
    text = f"its errors are {factor:.2g} times those that were stated, with which chi2 is {chi2:.0f}"
    matters = max(_factor(expected, chi2), _factor(chi2, expected)) / FAR
    return _Test(Score(max(totals(seen.stated, free)), text), SWALLOWED, matters)


def _factor(one: float, other: float) -> float:
    return one / max(other, float(np.finfo(float).tiny))


def _judged(name: str, seen: Seen, tests: list[_Test], count: int) -> Goodness:
    chi2, expected, spread = _chi2(seen.fitted, seen.absorbed)
    enough = limit(FALSE_ALARMS, count, len(seen.fitted.redrawn_residual))
    heard = sorted(((min(one.score.size / enough, one.matters), one) for one in tests), key=lambda each: -each[0])
    wrong = [one for size, one in heard if size > 1.0]
    text = ""
    if wrong:
        found = "; ".join(one.score.text for one in wrong[:TOLD])
        advice = ". ".join(dict.fromkeys(one.advice for one in wrong))
        text = (
            f"The best fit does not describe '{name}': chi2 is {chi2:.0f} for {int(np.sum(seen.layout.used))} data, "
            f"where the noise gives {expected:.0f} +- {spread:.0f}; {found}. {advice}."
        )
    return Goodness(chi2, expected, spread, heard[0][0], text)


def _chi2(seen: Judged, absorbed: int) -> tuple[float, float, float]:
    """Of the data, and median and half width of that of the drawn sets, from which nothing was fitted away."""
    drawn = np.nansum(np.square(seen.redrawn_residual).reshape(len(seen.redrawn_residual), -1), axis=1)
    low, middle, high = np.quantile(drawn, [0.16, 0.5, 0.84])
    return float(np.nansum(np.square(seen.residual))), float(middle) - absorbed, float(0.5 * (high - low))
