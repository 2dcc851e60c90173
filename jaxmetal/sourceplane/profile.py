"""Metallicity in annuli: from stacked fluxes, from averaged ratios, or by averaging metallicities."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Literal, NamedTuple

import numpy as np

from jaxmetal.classical import ols, wls
from jaxmetal.edge.errors import InputError
from jaxmetal.population import Covariate, Measured, regress
from jaxmetal.sourceplane.rings import Rings
from jaxmetal.sourceplane.stacks import Stacks
from jaxmetal.sourceplane.values import HOW, How
from jaxmetal.spaxel import apart
from jaxmetal.spaxel.contract import Likelihood
from jaxmetal.spaxel.shared import PREFIX

LINES = ("wls", "ols", "regress")
"""Ways to draw a line."""


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class RingProfile:
    """A table of annuli, from the centre outwards, one entry each; NaN where an annulus holds nothing.

    z is NaN, too, where the fluxes say next to nothing on it (`fluxmaps.judge`): it would be the prior's.

    Attributes:
        inner: inner edge, arcsec.
        outer: outer edge.
        radius: mean radius.
        z: 12 + log(O/H).
        error: the larger of the next two, dex.
        error_pixels: from the errors of the pixels (and what a likelihood adds: the scatter of its calibrations).
        error_scatter: of the mean, from how much the pixels differ; it holds their noise, too.
        error_own: each annulus's own part of the error, for lines: the larger of `error_scatter` and of what the errors
            of the pixels alone do (`spaxel.apart`).
        shared: ratio -> by how much each Z moves if the gas of the galaxy departs from the calibration by its scatter:
            the other part, which all annuli have together.
        pixels: source pixels, by their shares.
        flux: of the source in the annulus, in the unit of a map per image pixel, shape (n, features).
        sigma: its errors.
        correlation: between the errors of annuli, shape (n, n): neighbours share the pixels that lie in both.
    """

    inner: np.ndarray
    outer: np.ndarray
    radius: np.ndarray
    z: np.ndarray
    error: np.ndarray
    error_pixels: np.ndarray
    error_scatter: np.ndarray
    error_own: np.ndarray
    shared: Mapping[str, np.ndarray]
    pixels: np.ndarray
    flux: np.ndarray
    sigma: np.ndarray
    correlation: np.ndarray

    @property
    def known(self) -> np.ndarray:
        """Which annuli have a value."""
        return np.isfinite(self.z) & np.isfinite(self.error) & np.isfinite(self.radius)

    @property
    def reach(self) -> float:
        """Outer edge of the outermost annulus with a value, arcsec; 0 without any."""
        return float(self.outer[self.known].max()) if self.known.any() else 0.0


class RingLine(NamedTuple):
    """z = central + slope radius through annuli.

    Attributes:
        central: dex.
        slope: dex per unit of the radius.
        central_error: standard error.
        slope_error: standard error.
    """

    central: float
    slope: float
    central_error: float
    slope_error: float


def ring_profile(
    likelihood: Likelihood,
    held: Stacks,
    rings: Rings,
    *,
    how: How = "fluxes",
    reference: int = 0,
    seed: int = 0,
) -> RingProfile:
    """Metallicity of every annulus.

    "fluxes" sums the fluxes of an annulus and asks the likelihood once: the light-weighted answer, and the only one
    that needs no signal in each pixel. "ratios" averages the ratios of each source pixel to one line, "metallicity" the
    metallicities of the source pixels (Curti et al. 2020 sum fluxes).

    Args:
        likelihood: of `jaxmetal.spaxel`, for the features.
        held: of `stacked_rings`.
        rings: the same annuli.
        how: see above.
        reference: feature that ratios are to; pixels where it is not above 0 take no part.
        seed: of the draws.

    Raises:
        InputError: if no annulus holds anything, or as `spaxel.posterior`.
    """
    if how not in HOW:
        raise InputError(f"how: expected one of {', '.join(HOW)}, found {how!r}; choose one.")
    flux, sigma = held.sums()
    if not np.isfinite(flux).any():
        raise InputError("rings: expected annuli with light, found none; check centre and width.")
    found = HOW[how](likelihood, held, reference, seed)
    by_pixels = np.sqrt(found.own**2 + sum(one**2 for one in found.shared.values()))
    columns = {"z_statistical": found.own} | {f"{PREFIX}{name}": one for name, one in found.shared.items()}
    own, shared = apart(columns, np.nan_to_num(flux / sigma).max(axis=1), np.isfinite(found.z))
    return RingProfile(
        inner=rings.edges[:-1],
        outer=rings.edges[1:],
        radius=rings.radius,
        z=found.z,
        error=np.fmax(by_pixels, found.scatter),
        error_pixels=by_pixels,
        error_scatter=found.scatter,
        error_own=np.fmax(own, found.scatter),
        shared=shared,
        pixels=held.shares.sum(axis=1),
        flux=flux,
        sigma=sigma,
        correlation=held.correlation,
    )


def ring_line(profile: RingProfile, method: Literal["wls", "ols", "regress"] = "wls") -> RingLine:
    """The straight line through the annuli that have a value.

    "wls" weighs by each annulus's own error e; its standard errors know that neighbours share pixels: P C P^T with P of
    the least squares and C_kl = e_k e_l correlation_kl. "regress" draws the line with intrinsic scatter
    (`population.regress`; Wang et al. 2017, ApJ 837, 89, sect. 4.2), which takes seconds, by the same errors, as of
    independent annuli. To the variances of both comes what a departure of the galaxy's gas from the calibrations does
    to all annuli together (`classical.wls`). "ols" does not weigh, and takes its errors from the scatter alone
    (`classical`).

    Args:
        profile: of `ring_profile`.
        method: which.

    Raises:
        InputError: if fewer than two annuli have a value, or there is no such method.
    """
    if method not in LINES:
        raise InputError(f"method: expected one of {', '.join(LINES)}, found {method!r}; choose one.")
    known = profile.known
    if known.sum() < 2:
        raise InputError(
            f"A line needs at least 2 annuli with a value, but has {int(known.sum())}; use narrower annuli."
        )
    radius, z, error = (one[known] for one in (profile.radius, profile.z, profile.error_own))
    if method == "ols":
        line = ols(radius, z)
        return RingLine(line.central, line.slope, line.central_error, line.slope_error)
    line = wls(radius, z, error)
    together = wls(radius, z, error, shared=[one[known] for one in profile.shared.values()]).covariance
    variances = np.diag(together - line.covariance)
    if method == "regress":
        drawn = regress(Measured(values=z, sigma=error), Covariate(values=radius, pivot=0.0, unit="arcsec")).flat()
        both = np.stack([drawn["central"], drawn["slope.x"]])
        (central, slope), errors = both.mean(axis=1), np.sqrt(both.var(axis=1) + variances)
        return RingLine(float(central), float(slope), float(errors[0]), float(errors[1]))
    to_line = line.covariance @ (np.stack([np.ones_like(radius), radius]) / error**2)
    noise = profile.correlation[np.ix_(known, known)] * np.outer(error, error)
    errors = np.sqrt(np.diag(to_line @ noise @ to_line.T) + variances)
    return RingLine(line.central, line.slope, float(errors[0]), float(errors[1]))
