"""Metallicity in annuli: from stacked fluxes, from averaged ratios, or by averaging metallicities."""

from __future__ import annotations

import dataclasses
from typing import Literal, NamedTuple

import numpy as np

from jaxmetal.classical import ols, wls
from jaxmetal.edge.errors import InputError
from jaxmetal.population import Covariate, Measured, regress
from jaxmetal.sourceplane.rings import Rings
from jaxmetal.sourceplane.stacks import Stacks
from jaxmetal.sourceplane.values import HOW, How
from jaxmetal.spaxel.contract import Likelihood

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
    z, by_pixels, by_scatter = HOW[how](likelihood, held, reference, seed)
    return RingProfile(
        inner=rings.edges[:-1],
        outer=rings.edges[1:],
        radius=rings.radius,
        z=z,
        error=np.fmax(by_pixels, by_scatter),
        error_pixels=by_pixels,
        error_scatter=by_scatter,
        pixels=held.shares.sum(axis=1),
        flux=flux,
        sigma=sigma,
        correlation=held.correlation,
    )


def ring_line(profile: RingProfile, method: Literal["wls", "ols", "regress"] = "wls") -> RingLine:
    """The straight line through the annuli that have a value.

    "wls" weighs by the errors; its standard errors know that neighbours share pixels: P C P^T with P of the least
    squares and C_kl = error_k error_l correlation_kl. "ols" does not weigh, and takes its errors from the scatter
    (`classical`), "regress" draws the line with intrinsic scatter (`population.regress`; Wang et al. 2017, ApJ 837, 89,
    sect. 4.2), which takes seconds; both take annuli as independent.

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
    radius, z, error = (one[known] for one in (profile.radius, profile.z, profile.error))
    if method == "regress":
        drawn = regress(Measured(values=z, sigma=error), Covariate(values=radius, pivot=0.0, unit="arcsec")).flat()
        central, slope = drawn["central"], drawn["slope.x"]
        return RingLine(float(central.mean()), float(slope.mean()), float(central.std()), float(slope.std()))
    if method == "ols":
        line = ols(radius, z)
        return RingLine(line.central, line.slope, line.central_error, line.slope_error)
    line = wls(radius, z, error)
    to_line = line.covariance @ (np.stack([np.ones_like(radius), radius]) / error**2)
    shared = profile.correlation[np.ix_(known, known)] * np.outer(error, error)
    central_error, slope_error = np.sqrt(np.diag(to_line @ shared @ to_line.T))
    return RingLine(line.central, line.slope, float(central_error), float(slope_error))
