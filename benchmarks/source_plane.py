"""The source plane against brute force: PSF by photons, published PSFs, flux, multiple images, and seconds.

    python benchmarks/source_plane.py [photons, default 1000000]

- photons: `sourceplane.source_psf` beside photons that are thrown by the PSF about all images of a point and traced
  back, each worth the area that it stands for; a Gaussian is fitted to their histogram by scipy. Bars: axes within 2 %,
  angle within 2 degrees. Eight places behind an SIE and a shear, three of them beside the critical curve, and six
  pixels of AS1063's main image behind its Lenstool map, by a Moffat profile. Angles count where axes differ by a tenth.
- published: Patricio et al. 2019 (MNRAS 489, 224) have 2.3 x 5.7 kpc for AS1063's main image and 0.7 to 3.1 kpc for
  A370's images; bar 10 %, with the cosmology of the paper. Of A370's images medians over every tenth pixel.
- flux: of 12 lensed Gaussian sources, seen twice, each image's flux on the plane of the source over the true one (bar:
  1 %), and what is seen over the magnification that the map gives by light.
- images: rms of the differences between the maps of a source's images over their errors, with noise (1 but for what
  image pixels blur), 12 sources.
- seconds: magnification, PSF map, reconstruction and annuli of a 300 x 300 map of four lines (bar: 10 s), of the clock
  in this process, with and without what compiling costs.

Needs shared data for AS1063 and A370 (`JAXMETAL_DATA`, as `arcs.py`). Writes results/source_plane.json.
"""

from __future__ import annotations

import sys
from pathlib import Path
from time import perf_counter
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

import jax
import numpy as np
from arcs import DATA
from photons import fitted_axes
from resumable import write

import jaxmetal as jm
from jaxmetal import sourceplane
from jaxmetal.numerics.grid import subpixels
from jaxmetal.sourceplane import SourceRecipe, measure_source

WIDTH = 2.3548200450309493
"""Full width at half maximum over standard deviation."""
PAPER = {"as1063": 0.148333, "a370": 0.138028}
"""Arcsec per kpc at the source, 70 km/s/Mpc and 0.3."""
LINES = ("OII", "Hb", "OIII5007", "Ha+NII")


def main() -> None:
    """Everything."""
    jax.config.update("jax_enable_x64", True)
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    seconds = of_time()
    content = {"photons": count, "SIE and shear": of_sie(count)}
    if (DATA / "as1063").is_dir():
        content |= {"AS1063": of_as1063(count), "published, kpc": published()}
    write("source_plane", content | of_flux() | seconds)


def sie(theta_e: float = 1.5, q: float = 0.75, pa: float = 30.0, gamma1: float = 0.04, gamma2: float = 0.02) -> Any:
    """A galaxy and a shear."""
    galaxy = jm.lens.SIE(theta_e=theta_e, q=q, pa=pa)
    return jm.lens.Plane(parts={"galaxy": galaxy, "shear": jm.lens.Shear(gamma1=gamma1, gamma2=gamma2)})


def thrown(psf: Any, count: int, random: np.random.Generator) -> np.ndarray:
    """Offsets (2, count) of photons."""
    if isinstance(psf, jm.instrument.Gaussian):
        return random.normal(0.0, psf.fwhm / WIDTH, (2, count))
    alpha = 0.5 * psf.fwhm / np.sqrt(2.0 ** (1.0 / psf.beta) - 1.0)
    radius = alpha * np.sqrt(random.uniform(size=count) ** (-1.0 / (psf.beta - 1.0)) - 1.0)
    angle = random.uniform(0.0, 2.0 * np.pi, count)
    return radius * np.stack([np.cos(angle), np.sin(angle)])


def by_photons(lens: Any, psf: Any, place: np.ndarray, images: Any, count: int) -> tuple[float, float, float]:
    """What photons say, within the part of the sky that `source_psf` looks at."""
    random = np.random.default_rng(2)
    own = np.mean(fitted_axes(*thrown(psf, count, random), np.ones(count))[:2])
    share = np.abs(images.mu) / np.abs(images.mu).sum()
    theta = np.stack([images.x, images.y])[:, random.choice(len(share), count, p=share)] + thrown(psf, count, random)
    theta = theta[:, np.abs(theta - place[:, None]).max(axis=0) < 1.6 * psf.fwhm]
    beta = np.stack(sourceplane.source_positions(lens, *theta))
    moved = [theta + 1e-4 * np.eye(2)[k][:, None] for k in (0, 1)]
    by = [(np.stack(sourceplane.source_positions(lens, *one)) - beta) / 1e-4 for one in moved]
    area = np.abs(by[0][0] * by[1][1] - by[0][1] * by[1][0])
    known = np.isfinite(area)
    major, minor, pa = fitted_axes(*beta[:, known], area[known])
    return major / own * psf.fwhm, minor / own * psf.fwhm, pa


def compared(lens: Any, psf: Any, grid: Any, places: Any, count: int) -> dict[str, float]:
    """The largest differences over places."""
    axes, angles = [], []
    for place in np.asarray(places, float):
        found = sourceplane.source_psf(lens, psf, grid, *place)
        beta = sourceplane.source_positions(lens, *place)
        images = jm.result.image_positions(lens, float(beta[0]), float(beta[1]), grid)
        major, minor, pa = by_photons(lens, psf, place, images, count)
        axes += [abs(float(found.major) / major - 1.0), abs(float(found.minor) / minor - 1.0)]
        if major > 1.1 * minor:
            angles.append(abs((float(found.pa) - pa + 90.0) % 180.0 - 90.0))
    return {
        "places": len(axes) // 2,
        "largest difference of an axis, % (bar: 2)": 100.0 * max(axes),
        "median": 100.0 * float(np.median(axes)),
        "largest difference of the angle, deg (bar: 2)": max(angles),
    }


def of_sie(count: int) -> dict[str, float]:
    """Behind an SIE and a shear."""
    lens, grid = sie(), jm.Grid.regular((44, 52), 0.12)
    places = [(2.1, 1.07), (1.52, 0.48), (1.4, -1.4), (-1.9, 0.6), (0.3, 2.0), (-0.5, -1.75), (1.8, 0.2), (-2.3, -0.8)]
    return compared(lens, jm.instrument.Gaussian(fwhm=0.5, includes_pixel=True), grid, places, count)


def arc(name: str) -> tuple[Any, Any, np.ndarray]:
    """Lens, pixels and where there are data."""
    observed = jm.io.read_map(DATA / name / "metallicity.fits")
    origin, z = observed.origin(), {"as1063": (0.348, 0.611), "a370": (0.375, 0.725)}[name]
    maps = (DATA / name / file for file in ("dplx.fits", "dply.fits"))
    read = jm.io.read_deflection(*maps, origin=origin, z_lens=z[0], z_source=z[1], z_map="source", ignore_unit=True)
    return read.lens, observed.grid(origin), np.isfinite(observed.values)


def of_as1063(count: int) -> dict[str, float]:
    """Behind Lenstool's map."""
    lens, grid, used = arc("as1063")
    rows, columns = (one[40::80][:6] for one in np.nonzero(used))
    places = np.stack([np.asarray(one)[rows, columns] for one in grid.centres()], axis=-1)
    psf = jm.instrument.Moffat(fwhm=1.03, beta=2.8, includes_pixel=True)
    return compared(lens, psf, grid, places, count)


def published() -> dict[str, Any]:
    """Axes (minor, major) of the PSFs of the paper."""
    lens, grid, used = arc("as1063")
    psf = jm.instrument.Moffat(fwhm=1.03, beta=2.8, includes_pixel=True)
    found = sourceplane.source_psf(lens, psf, grid, *(float(one) for one in grid.to_sky(28, 23)))
    rows = {"AS1063 (2.3, 5.7)": [float(one) / PAPER["as1063"] for one in (found.minor, found.major)]}
    lens, grid, used = arc("a370")
    labels = np.nan_to_num(jm.io.read_map(DATA / "a370" / "images_mask.fits").values).astype(int)
    psf = jm.instrument.Moffat(fwhm=0.70, beta=2.8, includes_pixel=True)
    for label in (1, 2, 3, 4):
        rows_of, columns = (one[::10] for one in np.nonzero(used & (labels == label)))
        x, y = (np.asarray(one)[rows_of, columns] for one in grid.centres())
        found = sourceplane.source_psf(lens, psf, grid, x, y, labels=labels).scaled(1.0 / PAPER["a370"])
        rows[f"A370 image {label} (0.7 to 3.1)"] = [float(np.nanmedian(one)) for one in (found.minor, found.major)]
    return rows


def of_flux() -> dict[str, Any]:
    """Conservation of flux, and agreement of images."""
    ratios, weighted, chi = [], [], []
    for seed in range(12):
        random = np.random.default_rng([1812, seed])
        q, pa = random.uniform(0.8, 0.92), random.uniform(0.0, 180.0)
        lens = sie(random.uniform(1.3, 1.6), q, pa, *random.uniform(-0.02, 0.02, 2))
        # Outside the caustic within which there are four images, and inside the line where the inner one vanishes.
        angle, away = random.uniform(0.0, 2.0 * np.pi), random.uniform(0.6, 0.75)
        centre, sigma = (away * np.cos(angle), away * np.sin(angle)), random.uniform(0.08, 0.11)
        grid = jm.Grid.regular((112, 124), 0.05)
        flux, labels = seen(lens, grid, centre, sigma)
        images = sourceplane.of_images(lens, grid, labels, 0.05)
        noise = np.full(grid.shape, 0.02 * flux.max())
        for one in images.values():
            ratios.append(float(one.flux(flux)))
            weighted.append(
                flux[one.used].sum() / sourceplane.region_magnification(lens, grid, flux, one.used, 0.05).light_weighted
            )
        drawn = flux + noise * random.normal(size=grid.shape)
        chi += [float(np.sqrt(np.nanmean(one**2))) for one in sourceplane.disagreement(images, drawn, noise).values()]
    return {
        "flux: images": len(ratios),
        "flux: largest departure on the plane of the source, % (bar: 1)": _largest(ratios),
        "flux: largest departure of seen / magnification by light, %": _largest(weighted),
        "images: median, largest rms of differences over errors": [float(np.median(chi)), float(np.max(chi))],
    }


def _largest(ratios: list[float]) -> float:
    """Departure from 1, %."""
    return 100.0 * float(np.max(np.abs(np.array(ratios) - 1.0)))


def seen(lens: Any, grid: Any, centre: tuple[float, float], sigma: float) -> tuple[np.ndarray, np.ndarray]:
    """Flux per pixel of a Gaussian source of flux 1, by 5 x 5 samples, and its images within 5 sigma, by parity."""
    fine = 5
    beta = sourceplane.source_positions(lens, *subpixels(grid, density=fine, margin=0))
    light = np.exp(-0.5 * ((beta[0] - centre[0]) ** 2 + (beta[1] - centre[1]) ** 2) / sigma**2)
    ny, nx = grid.shape
    flux = light.reshape(ny, fine, nx, fine).mean(axis=(1, 3)) * float(grid.pixel_area) / (2.0 * np.pi * sigma**2)
    beta = sourceplane.source_positions(lens, *(np.asarray(one) for one in grid.centres()))
    near = np.hypot(beta[0] - centre[0], beta[1] - centre[1]) < 5.0 * sigma
    return flux, np.where(near, np.where(sourceplane.trace(lens, grid).magnification > 0.0, 1, 2), 0)


def of_time() -> dict[str, float]:
    """All of `jaxmetal source`'s measurements on 300 x 300 pixels, twice."""
    lens, grid = sie(theta_e=6.0), jm.Grid.regular((300, 300), 0.1)
    z = np.clip(8.8 - 0.1 * sourceplane.radius_map(jm.frame.Disc(x0=2.0, y0=1.0), grid, lens), 7.5, 9.2)
    light = np.exp(-sourceplane.radius_map(jm.frame.Disc(x0=2.0, y0=1.0), grid, lens) / 0.5)
    flux = 400.0 * light[..., None] * np.asarray(jm.lines.emission(LINES, "M08")(z, 0.5))
    sigma = np.full(flux.shape, 3.0)
    flux = flux + np.random.default_rng(0).normal(size=flux.shape) * sigma
    x, y = (np.asarray(one) for one in grid.centres())
    labels = np.where((sourceplane.trace(lens, grid).magnification > 0) & (2.0 * x + y > 0), 1, 2)
    spectra = jm.fluxmaps.Spectra(features=LINES, flux=flux, sigma=sigma, grid=grid)
    psf = jm.instrument.Moffat(fwhm=0.6, beta=2.8)
    likelihood = jm.spaxel.fluxes(list(LINES), "M08")
    found = {}
    for name in ("with compiling", "again"):
        begun = perf_counter()
        measure_source(
            likelihood, spectra, lens, psf, SourceRecipe(pixel=0.1), labels=labels, light=flux[..., 3], reference=1
        )
        found[f"seconds: 300 x 300, {name} (bar: 10)"] = perf_counter() - begun
    return found


if __name__ == "__main__":
    main()
