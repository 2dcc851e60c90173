"""Gradients of 50 lensed galaxies: image and metallicity map fitted jointly with a free lens, beside annuli.

    python benchmarks/lensed_gradients.py [galaxies, default 50]

Sersic discs (R_e 0.15 to 0.4 arcsec, n 0.7 to 1.5, q 0.5 to 0.95) with slopes of -0.1 to +0.1 dex/kpc at z = 2 behind
an SIE and a shear, FWHM 0.1 to 0.7 arcsec, rendered by `lensed_numpy`, which shares nothing with what is tested. The
image reaches S/N 40 in its brightest pixel; metallicities have an error of 0.05 dex there, growing as light^-1/2, in
the pixels above a tenth of the peak: S/N was settled on three pilot galaxies, which are none of these.

- fit: everything is free but the lens's centre: its numbers, and the place of the source, as an earlier model of the
  lens knows them (theta_E to 5 %, q and shear to 0.1 and 0.02, angle to 10 degrees, place to 0.1 arcsec: the prior,
  from which the truths are drawn), light and gradient under wide priors.
- annuli: the same map behind the true lens, on the plane of the source: light-weighted means of Z in circular annuli
  about the true centre, 0.5 FWHM of the PSF there wide, out to a tenth of the peak of the light, from the main image; a
  line through them, per kpc. Also in PSF-shaped ones, and in the image by the true deprojected radius (`image_rings`).

What annuli lose is told apart by the same annuli on maps without noise: `geometry` on the truth itself (no PSF; circles
on an inclined disc), `psf` on the truth blurred on the plane of the source by the ellipse that `source_psf` traces, and
`noise-free` on the blurred image.

Bars: the fit's 68 % hold 25 to 43 of 50; recovered on true slope within 2 standard errors of 1, standard error below
0.04; the median sd of a slope is below 0.02 dex/kpc. Of annuli all is reported. Seeds are fixed here. Writes
results/lensed_gradients.json; resumable.
"""

from __future__ import annotations

import resource
import sys
from typing import Any

import jax
import lensed_numpy as brute
import numpy as np
import numpyro.distributions as dist
from resumable import run, write
from scipy.signal import fftconvolve
from scipy.stats import truncnorm

import jaxmetal as jm
from jaxmetal import sourceplane
from jaxmetal.instrument.sampling import Sampling
from jaxmetal.machine import keep_memory
from jaxmetal.numerics.grid import subpixels

FIRST = 20_261_201
SHAPE, PIXEL, MARGIN = (35, 37), 0.12, 6
GRID = jm.Grid.regular(SHAPE, PIXEL)
KPC = 8.37
"""kpc per arcsec at z = 2 (70 km/s/Mpc, 0.3)."""
IMAGE_SNR, SIGMA_Z, FAINTEST = 40.0, 0.05, 0.1
CENTRAL = 8.7
"""Of `lensed_numpy.disc`."""
SAMPLING = Sampling(oversampling=2, margin=MARGIN, route="separable")
SLOPE = "scene.sources.disc.carries.metallicity.profile.slope"
WIDTHS = {"theta_e": 0.05, "q": 0.1, "pa": 10.0, "shear": 0.02, "place": 0.1}
"""Of the prior: relative for theta_e."""
Q_WITHIN = (0.4, 0.97)
HOW: dict[str, Any] = {"draws": 100, "start_count": 2, "progress": False}
STEP, SOURCE_PIXEL, FINE = 0.5, 0.05, 4
WAYS = ("circular", "elliptical", "in image")
STAGES = ("data", "noise-free", "psf", "geometry")
PLANTED = 0.75


def main() -> None:
    """Runs what is left and writes the table."""
    jax.config.update("jax_enable_x64", True)
    keep_memory()
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 50
    seeds = list(range(count))
    annuli = run("lensed_gradients_annuli", seeds, measured)
    write("lensed_gradients", summed(run("lensed_gradients", seeds, one), annuli))


def drawn(seed: int) -> dict[str, dict[str, float]]:
    """What an earlier model says of the lens and the place of the source, and the truth."""
    random = np.random.default_rng([FIRST, seed])
    angle, away = random.uniform(0.0, 2.0 * np.pi), random.uniform(0.1, 0.5)
    model = {"theta_e": random.uniform(0.7, 1.0), "q": random.uniform(0.6, 0.9), "pa": random.uniform(0.0, 180.0)}
    model |= {"gamma1": random.normal(0.0, 0.03), "gamma2": random.normal(0.0, 0.03)}
    model |= {"x0": away * np.cos(angle), "y0": away * np.sin(angle)}
    lens = {
        "theta_e": model["theta_e"] * np.exp(WIDTHS["theta_e"] * random.normal()),
        "q": truncnorm.rvs(
            *(np.array(Q_WITHIN) - model["q"]) / WIDTHS["q"], model["q"], WIDTHS["q"], random_state=random
        ),
        "pa": model["pa"] + WIDTHS["pa"] * random.normal(),
    }
    shear = {name: model[name] + WIDTHS["shear"] * random.normal() for name in ("gamma1", "gamma2")}
    disc = {name: model[name] + WIDTHS["place"] * random.normal() for name in ("x0", "y0")}
    disc |= {"q": random.uniform(0.5, 0.95), "pa": random.uniform(0.0, 180.0)}
    disc |= {"r_eff": random.uniform(0.15, 0.4), "n": random.uniform(0.7, 1.5)}
    disc |= {"slope": KPC * random.uniform(-0.1, 0.1)}
    return {"model": model, "lens": lens, "shear": shear, "disc": disc, "seen": {"fwhm": random.uniform(0.1, 0.7)}}


def rendered(given: dict[str, Any], seed: int) -> dict[str, np.ndarray]:
    """Light and metallicity without noise, their errors, and both with noise."""
    lens = [brute.sie(**given["lens"], x0=0.0, y0=0.0), brute.shear(**given["shear"])]
    sigma = given["seen"]["fwhm"] / 2.3548200450309493
    light, z = brute.maps(lens, brute.disc(**given["disc"]), SHAPE, PIXEL, sigma, MARGIN, tolerance=1e-5)
    light, z = 100.0 * light, np.asarray(z)
    error = SIGMA_Z * np.sqrt(light.max() / light)
    noise = np.random.default_rng([FIRST, seed, 1])
    sky = light.max() / IMAGE_SNR
    return {
        "light": light,
        "z": z,
        "sky": np.full(SHAPE, sky),
        "error": error,
        "used": light > FAINTEST * light.max(),
        "image": light + sky * noise.normal(size=SHAPE),
        "map": z + error * noise.normal(size=SHAPE),
    }


def prior(model: dict[str, float]) -> jm.Scene:
    """What is known before."""
    sie = jm.lens.SIE(
        theta_e=dist.LogNormal(np.log(model["theta_e"]), WIDTHS["theta_e"]),
        q=dist.TruncatedNormal(model["q"], WIDTHS["q"], low=Q_WITHIN[0], high=Q_WITHIN[1]),
        pa=dist.Normal(model["pa"], WIDTHS["pa"]),
    )
    shear = {name: dist.Normal(model[name], WIDTHS["shear"]) for name in ("gamma1", "gamma2")}
    place = {name: dist.Normal(model[name], WIDTHS["place"]) for name in ("x0", "y0")}
    frame = jm.frame.Disc(**place, q=dist.Uniform(0.3, 1.0), pa=dist.Uniform(0.0, 180.0))
    light = jm.light.Sersic(
        flux=dist.LogNormal(np.log(100.0), 1.0), r_eff=dist.LogNormal(np.log(0.25), 0.5), n=dist.Uniform(0.5, 3.0)
    )
    gradient = jm.tracer.Gradient(central=dist.Normal(8.5, 0.5), slope=dist.Normal(0.0, 0.1 * KPC))
    carried = jm.Carried(profile=gradient, weight="line")
    disc = jm.Source(frame=frame, lights={"line": light}, carries={"metallicity": carried})
    return jm.Scene(sources={"disc": disc}, lens={"galaxy": sie, "shear": jm.lens.Shear(**shear)})


def observed(data: dict[str, np.ndarray], fwhm: float) -> dict[str, Any]:
    """An image and a map of metallicity."""
    seen = {"grid": GRID, "psf": jm.instrument.Gaussian(fwhm=fwhm)}
    everywhere = np.ones(SHAPE, bool)
    z = np.where(data["used"], data["map"], CENTRAL)
    return {
        "image": jm.Image(
            data=data["image"], noise=jm.likelihood.Gaussian(sigma=data["sky"]), light="line", used=everywhere, **seen
        ),
        "map": jm.WeightedMap(
            data=z,
            noise=jm.likelihood.Gaussian(sigma=data["error"]),
            properties=("metallicity",),
            mixing=jm.mixing.Dex(),
            used=data["used"],
            **seen,
        ),
    }


def fitted(given: dict[str, Any], data: dict[str, np.ndarray], seed: int) -> dict[str, Any]:
    """Quantiles of the slope, dex/kpc, and how the fit went."""
    used = {name: SAMPLING for name in ("image", "map")}
    fit = jm.fit.auto(prior(given["model"]), observed(data, given["seen"]["fwhm"]), seed=seed, sampling=used, **HOW)
    quantiles = np.percentile(fit.draws[SLOPE], [16.0, 50.0, 84.0]) / KPC
    made = {"quantiles": quantiles.tolist(), "sd": float(np.std(fit.draws[SLOPE]) / KPC), "method": fit.method}
    return made | {"k_hat": float(fit.k_hat), "findings": [str(found) for found in fit.findings]}


def one(seed: int) -> dict[str, Any]:
    """The joint fit of a galaxy."""
    began = resource.getrusage(resource.RUSAGE_SELF).ru_utime
    given = drawn(seed)
    found = fitted(given, rendered(given, seed), seed)
    seconds = resource.getrusage(resource.RUSAGE_SELF).ru_utime - began
    return {"truth": given["disc"]["slope"] / KPC, "given": given, "fit": found, "seconds": seconds}


def measured(seed: int) -> dict[str, Any]:
    """Slopes of a galaxy in annuli, dex/kpc: of the data, without noise, without the image's PSF, without any."""
    given = drawn(seed)
    data, disc = rendered(given, seed), given["disc"]
    lens = jm.lens.Plane(parts={"galaxy": jm.lens.SIE(**given["lens"]), "shear": jm.lens.Shear(**given["shear"])})
    used, place = main_image(lens, disc, data["used"])
    found = sourceplane.source_psf(lens, jm.instrument.Gaussian(fwhm=given["seen"]["fwhm"]), GRID, *place, labels=used)
    ellipse = sourceplane.Ellipse(*(float(one) for one in found))
    made, centre = sourceplane.reconstruct(lens, GRID, SOURCE_PIXEL, used=used), (disc["x0"], disc["y0"])
    maps = {"data": (data["image"], data["map"]), "noise-free": (data["light"], data["z"])}
    maps["geometry"] = sharp(lens, disc)
    there = blurred(made.grid, disc, ellipse)
    row: dict[str, Any] = {"truth": disc["slope"] / KPC, "psf over diameter": ellipse.mean / (2.0 * disc["r_eff"])}
    for name, shape in {"circular": ellipse.round, "elliptical": ellipse}.items():
        rings = sourceplane.elliptical_rings(made.grid, shape, centre, STEP, used=made.coverage > 0.5)
        row[name] = of_annuli(made, rings, maps, data["error"], there)
    frame = jm.frame.Disc(**{key: disc[key] for key in ("x0", "y0", "q", "pa")})
    rings = sourceplane.image_rings(frame, GRID, lens, STEP * ellipse.mean, used=used)
    row["in image"] = of_annuli(sourceplane.in_image(GRID, used), rings, maps, data["error"], None)
    return row


def main_image(lens: Any, disc: dict[str, float], bright: np.ndarray) -> tuple[np.ndarray, tuple[float, float]]:
    """The bright pixels outside the critical curve on the source's side, and where the centre is seen in them."""
    x, y = (np.asarray(axis) for axis in GRID.centres())
    used = bright & (sourceplane.trace(lens, GRID).magnification > 0) & (x * disc["x0"] + y * disc["y0"] > 0)
    beta = sourceplane.source_positions(lens, x[used], y[used])
    nearest = int(np.argmin(np.hypot(beta[0] - disc["x0"], beta[1] - disc["y0"])))
    return used, (float(x[used][nearest]), float(y[used][nearest]))


def sharp(lens: Any, disc: dict[str, float]) -> tuple[np.ndarray, np.ndarray]:
    """Light and metallicity of the pixels without any PSF."""
    light, z = brute.disc(**disc)(*sourceplane.source_positions(lens, *subpixels(GRID, density=FINE, margin=0)))
    ny, nx = SHAPE
    mean, metals = (one.reshape(ny, FINE, nx, FINE).mean(axis=(1, 3)) for one in (light, light * 10.0 ** (z - CENTRAL)))
    return mean, CENTRAL + np.log10(metals / mean)


def blurred(grid: jm.Grid, disc: dict[str, float], ellipse: sourceplane.Ellipse) -> tuple[np.ndarray, np.ndarray]:
    """Light and metallicity on the source's plane behind a Gaussian of the ellipse that the traced PSF has there."""
    around = 40
    ny, nx = (n + 2 * around for n in grid.shape)
    wide = jm.Grid(shape=(ny, nx), origin=np.asarray(grid.origin) - around * SOURCE_PIXEL, matrix=grid.matrix)
    x, y = (np.asarray(axis) for axis in wide.centres())
    light, z = brute.disc(**disc)(x, y)
    line = SOURCE_PIXEL * np.arange(-around, around + 1)
    away = ellipse.radius(line[None, :], line[:, None]) / ellipse.mean
    kernel = np.exp(-4.0 * np.log(2.0) * away**2)
    both = [fftconvolve(one, kernel / kernel.sum(), mode="same") for one in (light, light * 10.0 ** (z - CENTRAL))]
    light, metals = (one[around:-around, around:-around] for one in both)
    return light, CENTRAL + np.log10(metals / light)


def of_annuli(made: Any, rings: Any, maps: dict[str, Any], error: np.ndarray, there: Any) -> dict[str, float]:
    """Slopes of lines through light-weighted means, all with the weights of the data."""
    light, _ = maps["data"]
    sums, sigma = _stacked(made, rings, light, light * error, light)
    known = np.isfinite(sums[:, 0]) & (sums[:, 0] > 0.0)
    errors = np.where(known, sigma[:, 1] / np.where(known, sums[:, 0], 1.0), np.nan)
    slopes, radius = {}, KPC * rings.radius
    for name, (bright, z) in maps.items():
        total, _ = _stacked(made, rings, bright, np.ones(SHAPE), bright * z)
        line = jm.classical.wls(radius, total[:, 1] / total[:, 0], errors, used=known)
        slopes[name] = line.slope
        if name == "data":
            slopes["error"] = line.slope_error
    if there is not None:
        shares = np.asarray(
            sourceplane.stacked_rings(made, rings, np.ones((*SHAPE, 1)), np.ones((*SHAPE, 1))).shares.todense()
        )
        bright, z = (one.ravel() for one in there)
        means = (shares @ (bright * z)) / (shares @ bright)
        slopes["psf"] = jm.classical.wls(radius, means, errors, used=known).slope
    return {**slopes, "annuli": int(known.sum())}


def _stacked(made: Any, rings: Any, light: np.ndarray, sigma: np.ndarray, second: np.ndarray) -> Any:
    """Sums over annuli of the light and of a second map, with the errors of the latter."""
    flux, errors = np.stack([light, second], axis=-1), np.stack([np.ones(SHAPE), np.abs(sigma)], axis=-1)
    return sourceplane.stacked_rings(made, rings, flux, errors).sums()


def summed(fits: list[dict[str, Any]], annuli: list[dict[str, Any]]) -> dict[str, Any]:
    """The numbers with bars, and those of annuli."""
    truth = np.array([row["truth"] for row in fits])
    low, middle, high = np.array([row["fit"]["quantiles"] for row in fits]).T
    line = regressed(truth, middle)
    inside = int(np.sum((low <= truth) & (truth <= high)))
    sd = float(np.median([row["fit"]["sd"] for row in fits]))
    scaled = middle + PLANTED * (np.array([low, high]) - middle)
    return {
        "galaxies": len(fits),
        "fit: 68 % hold (bar: 25 to 43 of 50)": inside,
        "fit: recovered on true slope, standard error, scatter (bars: 1 within 2 errors, error below 0.04)": line,
        "fit: median sd of a slope, dex/kpc (bar: below 0.02)": sd,
        "met": bool(
            0.5 * len(fits) <= inside <= 0.86 * len(fits)
            and abs(line[0] - 1.0) <= 2.0 * line[1]
            and line[1] < 0.04
            and sd < 0.02
        ),
        "fit: 68 % hold, scatter scaled by 0.75": int(np.sum((scaled[0] <= truth) & (truth <= scaled[1]))),
        "fit: rms pull": float(
            np.sqrt(np.mean(((middle - truth) / np.array([row["fit"]["sd"] for row in fits])) ** 2))
        ),
        "fit: methods": {name: sum(row["fit"]["method"] == name for row in fits) for name in ("laplace", "nuts")},
        "fit: with findings": sum(bool(row["fit"]["findings"]) for row in fits),
        **{f"annuli, {way}: recovered on true slope": of_way(annuli, way) for way in WAYS},
        "median FWHM of the PSF on the source's plane over 2 R_e": float(
            np.median([row["psf over diameter"] for row in annuli])
        ),
        "processor seconds": float(sum(row["seconds"] for row in fits)),
    }


def of_way(rows: list[dict[str, Any]], way: str) -> dict[str, list[float]]:
    """Regressions of one kind of annuli; the last, of slopes without noise on those that the traced PSF foresees."""
    truth = np.array([row["truth"] for row in rows])
    columns = {name: np.array([row[way].get(name, np.nan) for row in rows]) for name in STAGES}
    made = {name: regressed(truth, values) for name, values in columns.items() if np.isfinite(values).all()}
    if "psf" in made:
        made["noise-free on psf"] = regressed(columns["psf"], columns["noise-free"])
    return made


def regressed(x: np.ndarray, y: np.ndarray) -> list[float]:
    """Slope of the least-squares line, its standard error, and the scatter about it."""
    line = jm.classical.ols(x, y)
    return [line.slope, line.slope_error, float(np.std(y - line.central - line.slope * x))]


if __name__ == "__main__":
    main()
