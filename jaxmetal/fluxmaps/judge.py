"""What is wrong with the metallicity of a spaxel, as flags, and with a map of them, in sentences."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import jax.numpy as jnp
import numpy as np

from jaxmetal.edge.findings import Finding, Severity
from jaxmetal.lines import line
from jaxmetal.lines.case_b import CLEAR, DECREMENT, HYDROGEN, below_case_b
from jaxmetal.spaxel.contract import Likelihood

SURE, LIKELY, UNINFORMED, RARE = 0.05, 0.5, 0.5, 0.01
"""Least weight of a second branch; probability that counts as likely; nats of information that are too few; share of
the spaxels that is not worth a warning."""
RULED, CENTRAL = 0.75, 0.68
"""Width of an interval over that of its prior above which the prior rules; share of the probability inside of both."""
BELOW = 2.0
"""Errors below zero at which a flux is negative by more than its noise."""
TAIL, EDGE = 0.16, 0.02
"""Probability at an edge of the prior of Z with which an interval of 68 % ends there; share of a prior that is edge."""
SINGLE = 50.0
"""Signal to noise up to which single precision is good to a few hundredths of an error."""


class Flag(NamedTuple):
    """One bit of `flags`.

    Attributes:
        bit: its value.
        meaning: for headers and tables.
        severity: of a map with many.
        text: what follows "12 of 80 spectra", and what to do.
    """

    bit: int
    meaning: str
    severity: Severity
    text: str


FLAGS: Mapping[str, Flag] = {
    "prior": Flag(
        1,
        f"less than {UNINFORMED} nats of information on Z",
        "warning",
        "say next to nothing on metallicity, so that their Z is the prior's; fit.toml leaves them out",
    ),
    "branches": Flag(
        2,
        f"two branches, each of weight {SURE} or more",
        "warning",
        "have two branches of metallicity that the lines do not tell apart; see the modes and their weights, not the "
        "median",
    ),
    "outside": Flag(
        4,
        "probably outside the range of a calibration",
        "warning",
        "probably lie outside the range of a calibration, which is extrapolated there; use one that reaches further",
    ),
    "edge": Flag(
        8,
        "probably at an edge of the prior",
        "warning",
        "probably lie at an edge of the prior of Z; widen z_range, or distrust them",
    ),
    "lines": Flag(16, "lacks a line", "info", "lack one line or more"),
}
"""Troubles by name, worst first."""


def flags(found: Mapping[str, Any], features: int) -> np.ndarray:
    """The sum of the bits of every trouble of each spectrum, in the shape of the columns; 0 without a line.

    Args:
        found: columns of `spaxel.posterior`.
        features: how many lines there could be.
    """
    two = np.isfinite(found["mode_lower"]) & np.isfinite(found["mode_upper"])
    troubles = {
        "prior": np.asarray(found["information"]) < UNINFORMED,
        "branches": two & (np.minimum(found["p_lower"], found["p_upper"]) >= SURE),
        "outside": np.asarray(found["outside"]) > LIKELY,
        "edge": np.asarray(found["at_edge"]) > LIKELY,
        "lines": np.asarray(found["lines"]) < features,
    }
    bits = sum(FLAGS[name].bit * where.astype(np.int32) for name, where in troubles.items())
    return np.where(np.isfinite(found["z"]), bits, 0).astype(np.int32)


def flagged(bits: np.ndarray, name: str) -> np.ndarray:
    """Which spectra have that trouble, bool."""
    return (np.asarray(bits) & FLAGS[name].bit) != 0


def judge(bits: np.ndarray, known: np.ndarray, kind: str = "spectra") -> tuple[Finding, ...]:
    """Findings on a map: which share of its spectra has which trouble, worst first.

    Args:
        bits: of `flags`.
        known: which spectra have a line at all, same shape.
        kind: what they are called: spaxels, bins, rows.
    """
    total, findings = int(known.sum()), []
    for name, flag in FLAGS.items():
        count = int(flagged(bits[known], name).sum())
        if count:
            severity = flag.severity if count > RARE * total else "info"
            findings.append(Finding(severity, f"{count} of {total} {kind} {flag.text}."))
    missing = int(known.size - total)
    if missing:
        findings.append(Finding("info", f"{missing} of {known.size} {kind} have no line at all and no result."))
    return tuple(sorted(findings, key=lambda finding: finding.severity == "info"))


def judge_precision(*pairs: tuple[np.ndarray, np.ndarray], kind: str = "spectra") -> tuple[Finding, ...]:
    """Whether spectra are too good for single precision, in which the log-density loses the digits that count.

    Args:
        *pairs: fluxes and errors, shape (..., features).
        kind: as of `judge`.
    """
    if jnp.result_type(float) == jnp.float64:
        return ()
    count = sum(int((flux > SINGLE * sigma).any(axis=-1).sum()) for flux, sigma in pairs)
    text = f"{count} {kind} or regions have a line above {SINGLE:g} sigma; single precision may be off by their errors"
    return (Finding("warning", f"{text}, compute them in double precision."),) if count else ()


def judge_signs(
    features: Sequence[str], flux: np.ndarray, sigma: np.ndarray, kind: str = "spectra"
) -> tuple[Finding, ...]:
    """Which lines are negative by more than their noise in most spectra that have them.

    Args:
        features: in the order of the last axis.
        flux: shape (..., features), NaN where missing.
        sigma: its errors, same shape.
        kind: as of `judge`.
    """
    findings = []
    for i, name in enumerate(features):
        ratio = flux[..., i] / sigma[..., i]
        there, negative = int(np.isfinite(ratio).sum()), int((ratio < -BELOW).sum())
        if negative > 0.5 * there:
            text = f"{name} lies more than {BELOW:g} errors below zero in {negative} of {there} {kind}"
            findings.append(Finding("warning", f"{text}; check its sign and the subtraction of its continuum."))
    return tuple(findings)


def judge_extinction(
    found: Mapping[str, Any], likelihood: Likelihood, known: np.ndarray, kind: str = "spectra"
) -> tuple[Finding, ...]:
    """Whether lines tell a free A(V): there are two of hydrogen, and most spectra narrow its flat prior.

    Args:
        found: columns of `spaxel.posterior`.
        likelihood: theirs.
        known: which spectra have a line at all.
        kind: as of `judge`.
    """
    low, high = (float(end) for end in likelihood.a_v_range)
    if low == high:
        return ()
    lines = likelihood.emission.lines if hasattr(likelihood, "emission") else likelihood.features
    hydrogen = [name for name in lines if line(name).name in {"Hbeta", *HYDROGEN}]
    width = (np.asarray(found["a_v_high"]) - np.asarray(found["a_v_low"]))[known]
    total, ruled = int(known.sum()), int((width > RULED * CENTRAL * (high - low)).sum())
    needed = "a second hydrogen line" if hydrogen else "two hydrogen lines"
    if len(hydrogen) < 2:
        only = f"{hydrogen[0]} is the only hydrogen line" if hydrogen else "There is no hydrogen line"
        text = f"{only}, so A(V) is constrained only by its prior and by the calibrations, and Z depends on it"
    elif ruled > 0.5 * total:
        text = f"A(V) of {ruled} of {total} {kind} is set by its prior, {low:g} to {high:g} mag, and Z depends on it"
    else:
        return ()
    return (Finding("warning", f"{text}; measure {needed} to constrain it."),)


def judge_sums(
    names: Sequence[str], features: Sequence[str], sums: tuple[np.ndarray, np.ndarray], likelihood: Likelihood
) -> tuple[Finding, ...]:
    """Regions with a line that is negative as a whole, or with Ha/Hb below case B.

    Args:
        names: of the regions.
        features: in the order of the last axis.
        sums: fluxes and their errors, shape (regions, features).
        likelihood: what is made of them.
    """
    emission: Any = likelihood.emission if hasattr(likelihood, "emission") else None
    alone, found = {} if emission is None else emission.alone, []
    places = [features.index(emission.features[alone[one]]) for one in DECREMENT if one in alone]
    for region, flux, sigma in zip(names, *sums, strict=True):
        for name, one, error in zip(features, flux, sigma, strict=True):
            if one < -CLEAR * error:
                found.append(f"Region '{region}': {name} is {one:.3g} +- {error:.2g}, below zero; check its sign.")
        text = below_case_b(*((flux[k], sigma[k]) for k in places)) if len(places) == len(DECREMENT) else None
        if text is not None:
            found.append(f"Region '{region}': {text}; check which map is whose, and their scales.")
    return tuple(Finding("warning", text) for text in found)


def judge_regions(names: Sequence[str], found: Mapping[str, Any], likelihood: Likelihood) -> tuple[Finding, ...]:
    """Which regions end at an edge of a prior, with more than one in six of their probability.

    Args:
        names: of the regions.
        found: columns of `spaxel.posterior`, a number per region.
        likelihood: theirs.
    """
    findings = []
    (z_low, z_high), (av_low, av_high) = (
        tuple(map(float, ends)) for ends in (likelihood.z_range, likelihood.a_v_range)
    )
    for k, name in enumerate(names):
        at_edge, highest = float(found["at_edge"][k]), float(found["a_v_high"][k])
        if at_edge > TAIL:
            text = (
                f"Region '{name}': {at_edge:.0%} of the probability of 12 + log(O/H) lies at an edge of its prior, "
                f"{z_low:g} to {z_high:g}; widen z_range, or take the value as a limit."
            )
            findings.append(Finding("warning", text))
        if av_high > av_low and highest > av_high - EDGE * (av_high - av_low):
            text = (
                f"Region '{name}': A(V) reaches {highest:.3g} mag, the upper edge of its prior, {av_low:g} to "
                f"{av_high:g}; widen a_v_range, or take the value as a limit."
            )
            findings.append(Finding("warning", text))
    return tuple(findings)
