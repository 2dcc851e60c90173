"""The gradient by what one chooses: calibrations, lines and dust law, with the weight of each where data can tell."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from jaxmetal.classical import wls
from jaxmetal.edge.errors import InputError
from jaxmetal.fluxmaps.galaxy import measure
from jaxmetal.fluxmaps.spectra import Spectra
from jaxmetal.lines import emission
from jaxmetal.lines.names import look_up
from jaxmetal.lines.ratios import RATIOS
from jaxmetal.spaxel import fluxes
from jaxmetal.spaxel.contract import Likelihood

FEWEST = 3
"""Spectra with a radius that a straight line needs."""

Lines = tuple[str, ...]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Found:
    """What one choice gives.

    Attributes:
        lines: that were used: those of the choice that its calibrations know.
        calibrations: name of the set.
        law: of dust.
        slope: of a straight line through the spectra, dex per unit of the radius; NaN where too few say something on Z.
        own: error of the slope by the noise of the fluxes.
        error: with what all spectra share through the calibrations.
        central: 12 + log(O/H) of the line at radius 0.
        central_error: likewise of `error`.
        spectra: through how many it goes.
        log_evidence: of the summed fluxes of all spectra.
        weight: among choices of the same lines by their evidence; the weights of these sum to 1.
    """

    lines: Lines
    calibrations: str
    law: str
    slope: float = np.nan
    own: float = np.nan
    error: float = np.nan
    central: float = np.nan
    central_error: float = np.nan
    spectra: int = 0
    log_evidence: float = np.nan
    weight: float = np.nan


@dataclasses.dataclass(frozen=True, kw_only=True)
class MixedChoices:
    """The choices of the same lines together.

    Attributes:
        lines: that they use.
        slope: weighted mean.
        error: standard deviation of the mixture: of each choice, and between them.
        between: the part between them.
    """

    lines: Lines
    slope: float
    error: float
    between: float


def by_choice(
    spectra: Spectra,
    radius: Any,
    *,
    calibrations: Sequence[str],
    laws: Sequence[str] = ("CCM89",),
    lines: Sequence[Sequence[str]] | None = None,
    contents: Mapping[str, Any] | None = None,
    seed: int = 0,
    progress: Callable[[int, int], None] | None = None,
    **options: Any,
) -> list[Found]:
    """The straight line through the metallicities of spectra, choice by choice.

    Each choice is a likelihood of `spaxel.fluxes`; the fluxes of the galaxy as a whole tell the evidence, as its gas
    departs from a calibration once. Evidence is of the same data: it weighs calibrations and laws, and no lines.

    Args:
        spectra: maps of spaxels or bins.
        radius: of every spectrum in the source, any unit; spectra without are left out.
        calibrations: names of sets; of each are used the lines that it knows.
        laws: names of dust laws.
        lines: sets of features to use; all of them by default.
        contents: feature -> what it is, where its name does not say it (`lines.emission`).
        seed: of random numbers.
        progress: called with the numbers of choices done and in all.
        **options: of `spaxel.fluxes`: z_range, a_v_range, scatter, ...

    Raises:
        InputError: if a line is none of the spectra's, a set knows too few of the lines, or as `spaxel.fluxes`.
    """
    chosen = [tuple(one) for one in lines] if lines else [spectra.features]
    for name in (name for one in chosen for name in one):
        if name not in spectra.features:
            raise InputError(f"lines: expected some of {', '.join(spectra.features)}, found '{name}'; correct it.")
    what = {name: (contents or {}).get(name, name) for name in spectra.features}
    asked = [(one, name, law) for one in chosen for name in calibrations for law in laws]
    found = []
    for k, (one, name, law) in enumerate(asked):
        known = _known(one, what, name, options)
        contained = {line: what[line] for line in known}
        likelihood = fluxes(contained, name, law=law, **_of_set(contained, name, options))
        made = Found(lines=known, calibrations=name, law=law)
        found.append(_measured(made, likelihood, _only(spectra, known), np.asarray(radius), seed))
        if progress is not None:
            progress(k + 1, len(asked))
    return _weighed(found)


def mixtures(found: Iterable[Found]) -> list[MixedChoices]:
    """The choices of the same lines, stacked with their weights; those without a slope are left out."""
    by_lines: dict[Lines, list[Found]] = {}
    for one in found:
        if np.isfinite(one.slope):
            by_lines.setdefault(one.lines, []).append(one)
    return [_mixed(lines, group) for lines, group in by_lines.items()]


def _mixed(lines: Lines, group: Sequence[Found]) -> MixedChoices:
    weight = np.array([one.weight for one in group])
    slope, error = (np.array([getattr(one, name) for one in group]) for name in ("slope", "error"))
    weight = weight / weight.sum() if weight.sum() > 0.0 else np.full(len(group), 1.0 / len(group))
    mean = float(weight @ slope)
    between = float(weight @ (slope - mean) ** 2)
    return MixedChoices(
        lines=lines, slope=mean, error=float(np.sqrt(weight @ error**2 + between)), between=between**0.5
    )


def _known(lines: Lines, what: Mapping[str, Any], name: str, options: Mapping[str, Any]) -> Lines:
    """Those of the lines that a set of calibrations predicts."""
    scatter = {key: options[key] for key in ("scatter", "unverified") if key in options}
    for ratio in scatter["scatter"] if isinstance(scatter.get("scatter"), Mapping) else ():
        look_up("scatter", ratio, RATIOS)
    kept, why = [], ""
    for line in lines:
        try:
            emission({line: what[line]}, name, **_of_set({line: what[line]}, name, scatter))
        except InputError as error:
            why = why or str(error)
        else:
            kept.append(line)
    if not kept or not _used({line: what[line] for line in kept}, name, scatter):
        raise InputError(f"calibrations {name}: none is of {', '.join(lines)}; leave the set out. {why}".rstrip())
    return tuple(kept)


def _used(contents: Mapping[str, Any], name: str, options: Mapping[str, Any]) -> list[str]:
    """Ratios of a set from which lines follow, whether or not it has their scatter."""
    made = emission(contents, name, scatter=1.0, unverified=options.get("unverified", False))
    return [one.ratio.name for one in made.calibrations]


def _of_set(contents: Mapping[str, Any], name: str, options: Mapping[str, Any]) -> dict[str, Any]:
    """Options with the scatter of those ratios alone that a set uses for these lines: others are another set's."""
    given = options.get("scatter")
    if not isinstance(given, Mapping):
        return dict(options)
    return {**options, "scatter": {ratio: given[ratio] for ratio in _used(contents, name, options) if ratio in given}}


def _only(spectra: Spectra, lines: Lines) -> Spectra:
    index = [spectra.features.index(name) for name in lines]
    return dataclasses.replace(spectra, features=lines, flux=spectra.flux[..., index], sigma=spectra.sigma[..., index])


def _measured(made: Found, likelihood: Likelihood, spectra: Spectra, radius: np.ndarray, seed: int) -> Found:
    """A choice with what it gives."""
    whole = {} if spectra.grid is None else {"whole": spectra.painted(spectra.known) == 1.0}
    measured = measure(likelihood, spectra, whole, seed=seed)
    if whole:
        made = dataclasses.replace(made, log_evidence=float(measured.of_regions["log_evidence"][0]))
    counted = measured.informed & np.isfinite(radius)
    if counted.sum() < FEWEST or np.unique(radius[counted]).size < FEWEST:
        return made
    errors = measured.errors
    columns = radius, measured.found["z"], errors.sigma, *errors.shared.values()
    r, z, sigma, *shared = (one[counted] for one in columns)
    alone, line = wls(r, z, sigma), wls(r, z, sigma, shared=shared)
    return dataclasses.replace(
        made,
        slope=line.slope,
        own=alone.slope_error,
        error=line.slope_error,
        central=line.central,
        central_error=line.central_error,
        spectra=int(counted.sum()),
    )


def _weighed(found: Sequence[Found]) -> list[Found]:
    """With weights by evidence among choices of the same lines; equal ones where there is none."""
    weighed = []
    for one in found:
        evidence = np.array([other.log_evidence for other in found if other.lines == one.lines])
        if np.isfinite(evidence).all():
            share = float(np.exp(one.log_evidence - evidence.max()) / np.exp(evidence - evidence.max()).sum())
        else:
            share = 1.0 / len(evidence)
        weighed.append(dataclasses.replace(one, weight=share))
    return weighed
