"""A galaxy behind a lens, reconstructed and measured: what `jaxmetal source` runs."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Literal

import numpy as np

from jaxmetal.edge.errors import InputError
from jaxmetal.fluxmaps.spectra import Spectra
from jaxmetal.frame.contract import Frame
from jaxmetal.instrument.psf import PSF
from jaxmetal.lens.derive import Lens
from jaxmetal.numerics.grid import Grid
from jaxmetal.sourceplane.centre import peak, require_within, seen_at
from jaxmetal.sourceplane.ellipse import Ellipse
from jaxmetal.sourceplane.magnified import Magnified, magnified
from jaxmetal.sourceplane.profile import RingLine, RingProfile, ring_line, ring_profile
from jaxmetal.sourceplane.psf import source_psf
from jaxmetal.sourceplane.psf_lattice import psf_map
from jaxmetal.sourceplane.reconstruction import Reconstruction, disagreement, of_images
from jaxmetal.sourceplane.rings import Rings, elliptical_rings, image_rings, resolution
from jaxmetal.sourceplane.stacks import in_image, stacked_rings
from jaxmetal.sourceplane.traced import trace
from jaxmetal.sourceplane.values import How
from jaxmetal.spaxel.contract import Likelihood

COVERED = 0.5
"""Share of a source pixel that must be covered for it to count in annuli."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class SourceRecipe:
    """How a galaxy is reconstructed and measured.

    Attributes:
        pixel: side of a source pixel, arcsec.
        centre: on the source's plane, arcsec (West, North); None for the peak of the light of each image.
        shape: of the annuli: "psf" for the PSF's ellipse, "round" for circles as large; of places likewise.
        step: width of an annulus over sqrt(major minor) of the PSF.
        values: how an annulus gets its metallicity (see `ring_profile`).
        line: how the line is drawn (see `ring_line`).
        frame: of the galaxy on the source's plane, for annuli on the radius map in the image; None for none.
        width: of these, arcsec.
        by: as `image_rings`.
        cell: sides of a place for resolved relations, over the full widths of the PSF (see `psf_cells`).
        snr: least signal to noise of the reference line there.
    """

    pixel: float
    centre: tuple[float, float] | None = None
    shape: Literal["psf", "round"] = "psf"
    step: float = 0.5
    values: How = "fluxes"
    line: Literal["wls", "ols", "regress"] = "wls"
    frame: Frame | None = None
    width: float = 0.0
    by: Literal["area", "centre"] = "area"
    cell: float = 1.0
    snr: float = 3.0


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class ImageOfSource:
    """One image of the source, reconstructed.

    Attributes:
        made: how its pixels lie on the source's plane.
        flux: maps there, shape (ny, nx, features).
        sigma: their errors.
        light: the map that shows where the light is, there.
        centre: of the annuli, arcsec.
        psf: half-maximum ellipse at the centre, arcsec.
        shape: of the annuli, the PSF's or a circle as large.
        rings: the annuli.
        profile: metallicity in them.
        line: through them; None with fewer than two values.
        verdict: of KLEVER's rule.
        magnified: of its light.
    """

    made: Reconstruction
    flux: np.ndarray
    sigma: np.ndarray
    light: np.ndarray
    centre: tuple[float, float]
    psf: Ellipse
    shape: Ellipse
    rings: Rings
    profile: RingProfile
    line: RingLine | None
    verdict: str
    magnified: Magnified


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class MeasuredSource:
    """All images of a source, and what is seen in the image itself.

    Attributes:
        images: label -> that image of the source.
        labels: of the pixels, 0 where there is none.
        magnification: of each pixel of the image, signed.
        psf: half-maximum ellipse on the source's plane of each pixel of the image, arcsec.
        apart: pair of labels -> rms, over source pixels that both cover, of the difference of the reference line over
            its error: 1 where nothing but noise tells the images apart.
        in_image: annuli on the radius map of the image, and the line through them; None without a frame.
    """

    images: Mapping[int, ImageOfSource]
    labels: np.ndarray
    magnification: np.ndarray
    psf: Ellipse
    apart: Mapping[tuple[int, int], float]
    in_image: tuple[RingProfile, RingLine | None] | None


def measure_source(
    likelihood: Likelihood,
    spectra: Spectra,
    lens: Lens | None,
    psf: PSF,
    recipe: SourceRecipe,
    *,
    labels: np.ndarray,
    light: np.ndarray,
    reference: int = 0,
    seed: int = 0,
) -> MeasuredSource:
    """Reconstructs every image of a source and measures its gradient there.

    Args:
        likelihood: of `jaxmetal.spaxel`, for the features.
        spectra: line fluxes of a map.
        lens: a lens, or a `lens.Plane` of several behind which the source lies; None for none.
        psf: of the maps.
        recipe: how.
        labels: which image each pixel belongs to, whole numbers, shape (ny, nx); 0 for none.
        light: the continuum, or a bright line, on the same pixels: where its peak is, the galaxy's centre is.
        reference: feature that ratios are to, and that images are compared in.
        seed: of the draws.

    Raises:
        InputError: as the functions that it calls.
    """
    grid, labels, planes = _planes(spectra, lens, recipe, labels)
    flux, sigma = spectra.painted(spectra.flux), spectra.painted(spectra.sigma)
    every = psf_map(lens, psf, grid, used=labels > 0, labels=labels)
    mu = trace(lens, grid, 2).magnification

    def of_image(made: Reconstruction) -> ImageOfSource:
        shown, covered = made.mean(light), made.coverage >= COVERED
        centre = peak(shown, covered, made.grid) if recipe.centre is None else recipe.centre
        place = seen_at(lens, grid, made.used, centre)
        ellipse = Ellipse(*(float(one) for one in source_psf(lens, psf, grid, *place, labels=labels)))
        shape = ellipse if recipe.shape == "psf" else ellipse.round
        rings = elliptical_rings(made.grid, shape, centre, recipe.step, used=covered)
        held = stacked_rings(made, rings, flux, sigma, bins=spectra.bins)
        profile = ring_profile(likelihood, held, rings, how=recipe.values, reference=reference, seed=seed)
        there, error = made.measured(flux, sigma)
        return ImageOfSource(
            made=made,
            flux=there,
            sigma=error,
            light=shown,
            centre=centre,
            psf=ellipse,
            shape=shape,
            rings=rings,
            profile=profile,
            line=_line(profile, recipe),
            verdict=resolution(profile.reach, ellipse),
            magnified=magnified(made, mu, light),
        )

    return MeasuredSource(
        images={name: of_image(made) for name, made in planes.items()},
        labels=labels,
        magnification=mu,
        psf=every,
        apart=_apart(planes, flux[..., reference], sigma[..., reference]),
        in_image=_in_image(likelihood, spectra, lens, recipe, labels, reference, seed),
    )


def _planes(
    spectra: Spectra, lens: Lens | None, recipe: SourceRecipe, labels: np.ndarray
) -> tuple[Grid, np.ndarray, dict[int, Reconstruction]]:
    """Pixels, which image of the source each with a flux belongs to, and the source's plane of each image."""
    if spectra.grid is None:
        raise InputError("A reconstruction needs maps of fluxes, found a table alone; add maps or a map of bins.")
    labels = np.where(np.isfinite(spectra.painted(spectra.flux)).any(axis=-1), labels, 0)
    planes = of_images(lens, spectra.grid, labels, recipe.pixel)
    require_within(recipe.centre, next(iter(planes.values())).grid)
    return spectra.grid, labels, planes


def _apart(planes: Mapping[int, Reconstruction], flux: np.ndarray, sigma: np.ndarray) -> dict[tuple[int, int], float]:
    """Rms of the differences between images, where there are any."""
    both = {pair: chi[np.isfinite(chi)] for pair, chi in disagreement(planes, flux, sigma).items()}
    return {pair: float(np.sqrt(np.mean(chi**2))) for pair, chi in both.items() if chi.size}


def _line(profile: RingProfile, recipe: SourceRecipe) -> RingLine | None:
    return ring_line(profile, recipe.line) if profile.known.sum() >= 2 + (recipe.line == "ols") else None


def _in_image(
    likelihood: Likelihood,
    spectra: Spectra,
    lens: Lens | None,
    recipe: SourceRecipe,
    labels: np.ndarray,
    reference: int,
    seed: int,
) -> tuple[RingProfile, RingLine | None] | None:
    """Annuli of the deprojected radius, as it is seen."""
    grid = spectra.grid
    if recipe.frame is None or grid is None:
        return None
    rings = image_rings(recipe.frame, grid, lens, recipe.width, used=labels > 0, by=recipe.by)
    fluxes = spectra.painted(spectra.flux), spectra.painted(spectra.sigma)
    held = stacked_rings(in_image(grid, labels > 0), rings, *fluxes, bins=spectra.bins)
    profile = ring_profile(likelihood, held, rings, how=recipe.values, reference=reference, seed=seed)
    return profile, _line(profile, recipe)
