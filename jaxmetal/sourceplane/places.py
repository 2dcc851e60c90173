"""Places on the source's plane, each as large as the PSF: metallicity, star formation and stellar mass of each."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
from scipy.sparse import csr_array

from jaxmetal.edge.arrays import as_mask
from jaxmetal.edge.errors import InputError
from jaxmetal.fluxmaps.luminosity import ENDS, Luminosity
from jaxmetal.numerics.grid import Grid, subpixels
from jaxmetal.sourceplane.ellipse import Ellipse
from jaxmetal.sourceplane.shares import parts_of, shares_of
from jaxmetal.sourceplane.stacks import Stacks
from jaxmetal.spaxel import joint, posterior, surface_density
from jaxmetal.spaxel.contract import Likelihood

FINE = 8
"""Parts along each side of a pixel."""
MOST = 5000
"""Places."""
DRAWS = 1024
"""Of Z and Hb of a place, for how their errors go together."""
LOOKED_AT = 8
"""Places, at most, where that is drawn: it changes slowly with the signal."""
CHUNK = 128
"""Spectra per call."""


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class SourceCells:
    """Cells that cover a map of the source's plane, in a lattice along the axes of an ellipse.

    Attributes:
        grid: pixels that they lie on.
        shares: fraction of each pixel in each cell, shape (n, pixels of the flattened grid).
        x: centre of each, arcsec to the West.
        y: the same to the North.
        area: of a whole one, arcsec^2.
    """

    grid: Grid
    shares: csr_array
    x: np.ndarray
    y: np.ndarray
    area: float


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class SourcePlaces:
    """A table of places, one entry each.

    Surface densities are of the source: a lens brightens and stretches alike, and its magnification is not in them.
    Errors are those of each place by itself: what the calibrations do to all places alike moves a relation, but is no
    scatter about it.

    Attributes:
        x: centre on the source's plane, arcsec to the West.
        y: the same to the North.
        area: that is covered, kpc^2.
        z: 12 + log(O/H).
        z_error: dex.
        log_sfr: log10 of the surface density of star formation, solar masses per year and kpc^2.
        log_sfr_error: dex.
        log_mass: log10 of the surface density of stellar mass, solar masses per kpc^2.
        log_mass_error: dex.
        correlation: of the errors of Z and of star formation, which are of the same lines.
    """

    x: np.ndarray
    y: np.ndarray
    area: np.ndarray
    z: np.ndarray
    z_error: np.ndarray
    log_sfr: np.ndarray
    log_sfr_error: np.ndarray
    log_mass: np.ndarray
    log_mass_error: np.ndarray
    correlation: np.ndarray


def psf_cells(
    grid: Grid, ellipse: Ellipse, centre: tuple[float, float], step: float = 1.0, *, used: Any = None
) -> SourceCells:
    """Rectangles of `step` full widths of an ellipse along its axes, one of them about the centre.

    Of one full width or more their measurements are nearly independent.

    Args:
        grid: pixels of the source's plane.
        ellipse: full widths at half maximum and position angle, numbers: the PSF there.
        centre: arcsec to the West and to the North.
        step: sides of a cell over the full widths.
        used: True for the pixels that hold anything, shape (ny, nx); all by default.

    Raises:
        InputError: if the step or an axis is not positive, nothing is used, or there are too many cells.
    """
    sides = step * float(ellipse.major), step * float(ellipse.minor)
    if not (np.isfinite(sides).all() and min(sides) > 0.0):
        raise InputError(
            f"cells: expected sides above 0 arcsec, found {sides[0]:g} and {sides[1]:g}; correct the step, or take the "
            "PSF where the lens is known."
        )
    mask = as_mask(used, tuple(grid.shape))
    inside = parts_of(mask, FINE)
    x, y = (np.broadcast_to(np.asarray(one), inside.shape)[inside] for one in subpixels(grid, density=FINE, margin=0))
    turned = np.stack(ellipse.turned(x - centre[0], y - centre[1]), axis=-1)
    pairs, number = np.unique(np.rint(turned / sides).astype(int), axis=0, return_inverse=True)
    if len(pairs) > MOST:
        raise InputError(
            f"cells: {sides[0]:.3g} x {sides[1]:.3g} arcsec make {len(pairs)} places, more than {MOST}; use larger."
        )
    u, v = (pairs * sides).T
    pa = np.deg2rad(ellipse.pa)
    return SourceCells(
        grid=grid,
        shares=shares_of(number.ravel(), inside, FINE, len(pairs)),
        x=centre[0] - np.sin(pa) * u + np.cos(pa) * v,
        y=centre[1] + np.cos(pa) * u + np.sin(pa) * v,
        area=sides[0] * sides[1],
    )


def measured_places(
    likelihood: Likelihood,
    held: Stacks,
    cells: SourceCells,
    luminosity: Luminosity,
    *,
    reference: int = 0,
    snr: float = 3.0,
    covered: float = 0.5,
    seed: int = 0,
) -> SourcePlaces:
    """What the cells say, where a line is strong enough and there is mass.

    Args:
        likelihood: of `jaxmetal.spaxel`, for all features but the last, which is the mass.
        held: of `stacked_rings` for the cells; features are line fluxes and, at the end, stellar mass per kpc^2.
        cells: the same.
        luminosity: what turns Hb into star formation.
        reference: the line that must be strong enough, and
        snr: its least signal to noise; that of the mass must be above 1.
        covered: least share of the area of a cell that is covered.
        seed: of the draws.

    Raises:
        InputError: if the likelihood knows no Hb or the area of a pixel is not known.
    """
    if luminosity.kpc2 is None:
        raise InputError("luminosity: expected the area of a pixel in kpc^2, found none; take maps.")
    flux, sigma = held.sums()
    pixels, there = held.spaxels, held.shares.sum(axis=1) * float(cells.grid.pixel_area)
    mass, mass_sigma = flux[:, -1], sigma[:, -1]
    kept = (flux[:, reference] > snr * sigma[:, reference]) & (mass > mass_sigma)
    kept &= (there > 0.0) & (there >= covered * cells.area)
    chosen = np.flatnonzero(kept)
    lines, errors, pixels = flux[chosen, :-1], sigma[chosen, :-1], pixels[chosen]
    if not chosen.size:
        return SourcePlaces(**{one.name: np.zeros(0) for one in dataclasses.fields(SourcePlaces)})
    found = posterior(likelihood, lines, errors, spaxels=pixels, seed=seed, chunk=CHUNK)
    area = pixels * luminosity.kpc2
    low, middle, high = (_log_density(found[f"hb{end}"], luminosity, area) for end in ENDS)
    if not np.isfinite(middle).all():
        raise InputError(
            'likelihood: expected one that knows intrinsic Hb, for star formation, found none; use type "fluxes".'
        )
    return SourcePlaces(
        x=cells.x[chosen],
        y=cells.y[chosen],
        area=area,
        z=found["z"],
        z_error=found["z_statistical"],
        log_sfr=middle,
        log_sfr_error=0.5 * (high - low),
        log_mass=np.log10(mass[chosen] / pixels),
        log_mass_error=mass_sigma[chosen] / mass[chosen] / np.log(10.0),
        correlation=_together(likelihood, lines, errors, pixels, seed),
    )


def _log_density(hb: np.ndarray, luminosity: Luminosity, area: np.ndarray) -> np.ndarray:
    density = surface_density(hb * luminosity.flux, luminosity.distance, area, rate=luminosity.rate)
    return np.log10(np.maximum(np.asarray(density, float), 1e-300))


def _together(likelihood: Likelihood, flux: np.ndarray, sigma: np.ndarray, pixels: np.ndarray, seed: int) -> np.ndarray:
    """Correlation of draws of Z and log Hb, of some places, and interpolated in the order of their signal."""
    order = np.argsort(np.nanmax(flux / sigma, axis=1))
    looked = np.unique(np.linspace(0, len(order) - 1, LOOKED_AT).round().astype(int))
    made = []
    for k in order[looked]:
        drawn = joint(likelihood.summed(float(pixels[k])), flux[k], sigma[k], count=DRAWS, seed=seed)
        good = drawn["hb"] > 0.0
        made.append(np.corrcoef(drawn["z"][good], np.log(drawn["hb"][good]))[0, 1] if good.sum() > 2 else 0.0)
    found = np.zeros(len(order))
    found[order] = np.interp(np.arange(len(order)), looked, np.nan_to_num(made))
    return found
