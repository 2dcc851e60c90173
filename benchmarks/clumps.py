"""The three clumps of Metha et al. 2024 (RASTI, rzae010, section 5), a hundred times: coverage, bias, delta-BIC.

    python benchmarks/clumps.py [seeds, default 100]

Three exponential clumps of R_e = 0.25" and equal light at (0, 0), (0.25", 0) and (-0.25", -0.25"), 12 + log(O/H) = 7.6,
7.8 and 7.9, on 31 x 31 pixels of 0.066" through NIRISS in F150W; the variance is c1 + c2 / I with the constants of the
paper's public tutorial (github.com/astrobenji/lenstronomy-metals-notebooks). The light is known, as there. The PSF is
our own: the pupil of 18 hexagonal segments without struts, whose image at 1.5 micron is within a few percent as wide.
Seeds are 0 to 99. The model that knows no clumps is one gradient under the same light. Writes results/clumps.json.
"""

from __future__ import annotations

import dataclasses
import sys
from functools import cache
from pathlib import Path
from typing import Any

import jax
import numpy as np
import numpyro.distributions as dist
from astropy.io import fits
from resumable import run, write

import jaxmetal as jm

PIXELS, PIXEL, OVERSAMPLING = (31, 31), 0.066, 5
PLACES = ((0.0, 0.0), (0.25, 0.0), (-0.25, -0.25))
"""In lenstronomy's frame, whose first axis points to the East."""
VALUES = (7.6, 7.8, 7.9)
R_EFF = 0.25
FLUX = 16.0 * 11.948 * R_EFF**2
"""16 per arcsec^2 at R_e: 2 pi e^b / b^2 = 11.948 for n = 1."""
C1, C2 = 0.005, 0.0015
WAVELENGTH, SEGMENT, GAP = 1.5e-6, 1.32, 0.007
"""Of F150W; flat-to-flat width of a segment and the gap between two, metres."""
FIELD = 75
"""Side of the kernel, cells: 1" at five cells per pixel."""


def segments(points: int = 512) -> tuple[np.ndarray, np.ndarray]:
    """Positions along an axis, metres, and the pupil: 18 hexagons around an empty one."""
    axis = np.linspace(-3.4, 3.4, points)
    x, y = np.meshgrid(axis, axis)
    pupil = np.zeros(x.shape)
    for q in range(-2, 3):
        for r in range(max(-2, -q - 2), min(2, 2 - q) + 1):
            if (q, r) == (0, 0):
                continue
            dx, dy = x - SEGMENT * (q + 0.5 * r), y - SEGMENT * np.sqrt(0.75) * r
            across = [np.abs(dx * np.cos(a) + dy * np.sin(a)) for a in np.deg2rad([0.0, 60.0, 120.0])]
            pupil[np.maximum.reduce(across) < 0.5 * (SEGMENT - GAP)] = 1.0
    return axis, pupil


def write_psf(path: Path) -> None:
    """The image of a point through the pupil, |sum over the pupil of exp(-2 pi i x theta / lambda)|^2, as FITS."""
    axis, pupil = segments()
    theta = (np.arange(FIELD) - FIELD // 2) * np.deg2rad(PIXEL / OVERSAMPLING / 3600.0)
    wave = np.exp(-2j * np.pi * np.outer(theta, axis) / WAVELENGTH)
    image = np.abs(wave @ pupil @ wave.T) ** 2
    header = fits.Header([("PIXELSCL", PIXEL / OVERSAMPLING, "arcsec per cell")])
    fits.PrimaryHDU(image / image.sum(), header).writeto(path, overwrite=True)


def clumpy(values: Any) -> jm.Scene:
    """Three sources, each of one metallicity; x points to the West."""
    return jm.Scene(
        sources={
            f"clump{k}": jm.Source(
                frame=jm.frame.Disc(x0=-east, y0=north),
                lights={"line": jm.light.Exponential(flux=FLUX, r_eff=R_EFF)},
                carries={"metallicity": jm.Carried(profile=jm.tracer.Constant(value=value), weight="line")},
            )
            for k, ((east, north), value) in enumerate(zip(PLACES, values, strict=True), start=1)
        }
    )


def smooth(central: Any, slope: Any) -> jm.Scene:
    """The same light, and one gradient for all three, its radius measured from (0, 0) by a frame of the property's."""
    whole = jm.frame.Disc()
    gradients = [
        jm.tracer.Gradient(central=jm.Tied("central", *first), slope=jm.Tied("slope", *second))
        for first, second in (([central], [slope]), ([], []), ([], []))
    ]
    return jm.Scene(
        sources={
            name: dataclasses.replace(
                source, carries={"metallicity": jm.Carried(profile=gradient, weight="line", frame=whole)}
            )
            for (name, source), gradient in zip(clumpy(VALUES).sources.items(), gradients, strict=True)
        }
    )


SITE = "scene.sources.clump{}.carries.metallicity.profile.value"


@cache
def observed(psf: Path) -> tuple[jm.WeightedMap, np.ndarray, np.ndarray]:
    """The map without data, its values without noise, and their standard deviations."""
    kernel, _ = jm.io.read_kernel(psf, pixel_scale=PIXEL, includes_pixel=False, oversampling=OVERSAMPLING)
    blank = jm.WeightedMap(
        data=np.zeros(PIXELS),
        noise=jm.likelihood.LightScaled(c1=C1, c2=C2),
        grid=jm.Grid.regular(PIXELS, PIXEL),
        psf=kernel,
        properties=("metallicity",),
        mixing=jm.mixing.Linear(),
        used=np.ones(PIXELS, bool),
    )
    truth = clumpy(VALUES)
    seen = jm.predict(blank, truth, jm.prepare(truth, {"map": blank})["map"])
    sigma = np.asarray(blank.noise.standard_deviation(seen.value, seen.light))
    return dataclasses.replace(blank, noise=jm.likelihood.Gaussian(sigma=sigma)), np.asarray(seen.value), sigma


def noisy(psf: Path, seed: int) -> jm.WeightedMap:
    """The map with the noise of a seed."""
    blank, value, sigma = observed(psf)
    return dataclasses.replace(blank, data=value + sigma * np.random.default_rng(seed).standard_normal(PIXELS))


def fitted(psf: Path, seed: int, method: str = "laplace") -> dict[str, Any]:
    """Posterior of the three metallicities, and by how much a gradient is worse."""
    quick = {"method": method, "seed": seed, "start_count": 1, "draws": 250, "progress": False}
    one = {"map": noisy(psf, seed)}
    three = jm.fit.auto(clumpy([dist.Uniform(7.0, 9.0)] * 3), one, **quick)
    line = jm.fit.auto(smooth(dist.Uniform(7.0, 9.0), dist.Normal(0.0, 1.0)), one, **quick)
    drawn = [three.draws[SITE.format(k)].ravel() for k in (1, 2, 3)]
    return {
        "median": [float(np.median(values)) for values in drawn],
        "sd": [float(np.std(values)) for values in drawn],
        "rank": [float(np.mean(values < truth)) for values, truth in zip(drawn, VALUES, strict=True)],
        "delta_bic": jm.result.criteria(line).bic - jm.result.criteria(three).bic,
    }


def main(count: int) -> None:
    """All seeds, and what they say."""
    jax.config.update("jax_enable_x64", True)
    psf = Path(__file__).parent / "results" / "clumps_psf.fits"
    write_psf(psf)
    try:
        rows = run("clumps", list(range(count)), lambda seed: fitted(psf, seed))
    finally:
        psf.unlink()
    medians, sds, ranks = (np.array([row[name] for row in rows]) for name in ("median", "sd", "rank"))
    bias = (medians - VALUES).mean(axis=0)
    write(
        "clumps",
        {
            "seeds": count,
            "coverage_68 per clump (bar: 0.58 to 0.78)": np.mean(np.abs(ranks - 0.5) < 0.34, axis=0).tolist(),
            "mean bias, dex, and its bar 3 sd / 10": [bias.tolist(), (0.3 * sds.mean(axis=0)).tolist()],
            "sd of a posterior, dex": sds.mean(axis=0).tolist(),
            "delta-BIC of a gradient over three clumps: median (bar: above 30), least": [
                float(np.median([row["delta_bic"] for row in rows])),
                float(min(row["delta_bic"] for row in rows)),
            ],
        },
    )


if __name__ == "__main__":
    main(*map(int, sys.argv[1:] or ["100"]))
