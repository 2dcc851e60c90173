"""A sample of simulated galaxies, in memory and as files: for the benchmarks of batches."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import numpyro.distributions as dist
from astropy.table import Table

import jaxmetal as jm
from jaxmetal.io.config.read import NOWHERE
from jaxmetal.io.fits import write_maps

PIXEL, SIGMA = 0.2, 0.1
SLOPE = "scene.sources.disc.carries.metallicity.profile.slope"
SHAPES = ((25, 25), (21, 27), (19, 19), (23, 20), (28, 24), (17, 22))

CONFIG = """
[fit]
seed = 3
draws = 300

[observations.metallicity]
kind = "map"
data = {file = "none.fits", hdu = "DATA"}
sigma = {file = "none.fits", hdu = "SIGMA"}
mixing = "Dex"
psf = {type = "Gaussian", fwhm = 0.6}

[sources.disc.frame]
type = "Disc"
x0 = {dist = "Normal", loc = 0.0, scale = 0.2}
y0 = {dist = "Normal", loc = 0.0, scale = 0.2}
q = 0.7
pa = {dist = "Normal", loc = 40.0, scale = 20.0}

[sources.disc.lights.line]
type = "Exponential"
flux = 1.0
r_eff = 0.8

[sources.disc.carries.metallicity]
weight = "line"
[sources.disc.carries.metallicity.profile]
type = "Gradient"
central = {dist = "Uniform", low = 7.0, high = 9.5}
slope = {dist = "Normal", loc = 0.0, scale = 0.3}
"""


def scene(r_eff: float, **free: Any) -> jm.Scene:
    """A disc; keywords are numbers or priors of x0, y0, pa, central and slope."""
    gradient = jm.tracer.Gradient(central=free["central"], slope=free["slope"])
    disc = jm.Source(
        frame=jm.frame.Disc(x0=free["x0"], y0=free["y0"], q=0.7, pa=free["pa"]),
        lights={"line": jm.light.Exponential(flux=1.0, r_eff=r_eff)},
        carries={"metallicity": jm.Carried(profile=gradient, weight="line")},
    )
    return jm.Scene(sources={"disc": disc})


def prior(r_eff: float) -> jm.Scene:
    """Five free parameters."""
    place = dist.Normal(0.0, 0.2)
    return scene(
        r_eff,
        x0=place,
        y0=place,
        pa=dist.Normal(40.0, 20.0),
        central=dist.Uniform(7.0, 9.5),
        slope=dist.Normal(0.0, 0.3),
    )


def galaxy(number: int, shape: tuple[int, int] = (25, 25)) -> jm.fit.Galaxy:
    """Galaxy `number` of the sample, with noise."""
    random = np.random.default_rng(number)
    r_eff, fwhm = random.uniform(0.6, 1.0), random.uniform(0.5, 0.7)
    truth = scene(
        r_eff,
        x0=random.normal(0.0, 0.1),
        y0=random.normal(0.0, 0.1),
        pa=random.normal(40.0, 15.0),
        central=random.uniform(8.2, 8.8),
        slope=random.normal(-0.15, 0.1),
    )
    empty = jm.WeightedMap(
        data=np.zeros(shape),
        noise=jm.likelihood.Gaussian(sigma=np.full(shape, SIGMA)),
        grid=jm.Grid.regular(shape, PIXEL),
        psf=jm.instrument.Gaussian(fwhm=fwhm),
        properties=("metallicity",),
        mixing=jm.mixing.Dex(),
        used=np.ones(shape, bool),
    )
    exact = np.asarray(jm.predict(empty, truth, jm.prepare(truth, {"map": empty})["map"]).value)
    noisy = dataclasses.replace(empty, data=exact + SIGMA * random.standard_normal(shape))
    return jm.fit.Galaxy(name=f"galaxy {number}", scene=prior(r_eff), observations={"metallicity": noisy})


def write_sample(folder: Path, count: int) -> list[str]:
    """FITS maps, a catalogue and a configuration; returns the arguments of `jaxmetal batch` but the output."""
    rows = []
    for number in range(count):
        made = galaxy(number, SHAPES[number % 2])
        seen = made.observations["metallicity"]
        maps = {"data": np.asarray(seen.data), "sigma": np.asarray(seen.noise.sigma)}
        write_maps(folder / f"{number}.fits", maps, seen.grid, NOWHERE, dict.fromkeys(maps, "dex"))
        r_eff = made.scene.sources["disc"].lights["line"].r_eff
        rows.append((made.name, f"{number}.fits", f"{number}.fits", float(seen.psf.fwhm), r_eff))
    parts = ("metallicity.data.file", "metallicity.sigma.file", "metallicity.psf.fwhm")
    names = ["name", *(f"observations.{part}" for part in parts), "sources.disc.lights.line.r_eff"]
    Table(rows=rows, names=names).write(folder / "sample.ecsv", overwrite=True)
    (folder / "fit.toml").write_text(CONFIG)
    return ["batch", str(folder / "sample.ecsv"), "--config", str(folder / "fit.toml"), "--quiet"]
