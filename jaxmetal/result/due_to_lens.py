"""How much of the uncertainty of a gradient is that of the lens."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from jaxmetal.model import SCENE
from jaxmetal.posterior import Posterior
from jaxmetal.result.parameters import Parameter
from jaxmetal.result.views import View, view

LENS = (SCENE, "lens")
"""Where deflectors are in the tree."""


class LensShare(NamedTuple):
    """What the free numbers of the lens do to one other.

    Attributes:
        numbers: that are free in the lens.
        share: of the variance, that goes with them: Var(E[slope | lens]) / Var(slope) by the law of total variance, the
            expectation linear in the numbers of the lens, corrected for their count; NaN of too few draws.
        sd: standard deviation that would be left if the lens were known, in the unit of the slope.
    """

    numbers: int
    share: float
    sd: float


def lens_share(posterior: Posterior | View, site: str) -> LensShare | None:
    """How much of the variance of a free number is the lens; None where no lens is free, or no draws were made."""
    return view(posterior).once(_lens_share, site)


def sentence(found: LensShare | None, unit: str) -> str:
    """It in words; "" where there is nothing to say."""
    if found is None or np.isnan(found.share):
        return ""
    return (
        f"The uncertainty of the lens ({found.numbers} free numbers) is {found.share:.0%} of its variance: with the "
        f"lens known, its standard deviation would be {found.sd:.2g} {unit}."
    )


def _lens_share(seen: View, site: str) -> LensShare | None:
    of_lens = [one for one in seen.parameters if _bends(seen, one)]
    if not of_lens or not seen.posterior.sampled:
        return None
    (slope,) = (one for one in seen.parameters if one.site == site)
    share = explained(slope.draws, np.stack([one.draws for one in of_lens]), slope.ess)
    return LensShare(len(of_lens), share, slope.sd * float(np.sqrt(1.0 - share)))


def _bends(seen: View, one: Parameter) -> bool:
    return any(place.path[:2] == LENS for place in seen.meanings[one.site].places)


def explained(values: np.ndarray, others: np.ndarray, independent: float) -> float:
    """Share of the variance of draws that a linear function of other numbers explains, from 0 to 1.

    Args:
        values: any shape.
        others: the same shape, the numbers in front.
        independent: how many independent draws these are worth. The plain share is too large by about (numbers) over
            this, for which it is corrected; NaN where they are not more than the numbers.
    """
    spare = min(values.size, independent) - len(others) - 1
    if not spare > 0:
        return float("nan")
    columns = np.stack([np.ravel(one) - one.mean() for one in others], axis=-1)
    scale = columns.std(axis=0)
    columns, left = columns[:, scale > 0.0] / scale[scale > 0.0], np.ravel(values) - values.mean()
    rest = left - columns @ np.linalg.lstsq(columns, left, rcond=None)[0]
    unexplained = rest @ rest / (left @ left) * (spare + len(others)) / spare
    return float(np.clip(1.0 - unexplained, 0.0, 1.0))
