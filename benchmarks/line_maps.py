"""Why fit fluxes: the gradient from spaxel metallicities by a straight line and by a light-weighted fit, or from lines.

    python benchmarks/line_maps.py [galaxies, default 100]

Discs with R_e of 1 to 3 half-widths of the PSF, slopes of -0.5 to +0.1 dex/R_e on either side of R23's turnover, dust
that thins outwards, [O II], Hg, Hb and [O III] each through its own PSF at a peak signal-to-noise of Hb of 3 to 30,
and gas that departs from the calibrations (Curti et al. 2020) by one draw of their scatter for the whole galaxy. Seeds
are fixed below; data are sampled twice as finely as the model of the fits.

- line: Z of each spaxel (`spaxel.posterior`) where Hb and [O III] exceed 3 sigma, weighted least squares in radius.
- map: the same Z, a `WeightedMap` under one PSF with the true light, central value and slope free.
- fluxes: `LineMaps` of all spaxels, with size and flux of Hb as it reaches us, dust, central value, slope and
  departures free.

The geometry is known to all three. Bar, for fluxes: |mean pull| below 0.3 and intervals of 68 % that hold 58 to 78 %,
of all and of each branch; line and map are reported. Writes results/line_maps.json; resumable.
"""

from __future__ import annotations

import dataclasses
import sys
from typing import Any

import jax
import numpy as np
import numpyro.distributions as dist
from resumable import run, write

import jaxmetal as jm
from jaxmetal.machine import keep_memory
from jaxmetal.prepared import predictions
from jaxmetal.simulate.drawn import noisy

FIRST = 20_261_129
SHAPE, PIXEL, FWHM = (17, 20), 0.2, 0.6
LINES = ("OII", "Hg", "Hb", "OIII5007")
WAYS = ("line", "map", "fluxes")
FAINT = 3.0
BARS = {"pull": 0.3, "coverage": (0.58, 0.78)}
EMITTED, SEEN = dist.LogNormal(np.log(100.0), 0.7), dist.LogNormal(np.log(50.0), 1.0)
SITE = "scene.sources.disc.carries.metallicity.profile.slope"


def main() -> None:
    """Runs what is left and writes the table."""
    jax.config.update("jax_enable_x64", True)
    keep_memory()
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 100
    rows = run("line_maps", list(range(count)), one)
    write("line_maps", {"galaxies": len(rows), "bars of fluxes": BARS} | {w: summed(rows, w) for w in WAYS})


def psf(wavelength: float) -> Any:
    """Seeing is better in the red."""
    return jm.instrument.Gaussian(fwhm=FWHM * (wavelength / 5000.0) ** -0.2)


def drawn(seed: int) -> dict[str, Any]:
    """A galaxy; lower metallicities for even seeds."""
    random = np.random.default_rng([FIRST, seed])
    r_eff, upper = 0.5 * FWHM * random.uniform(1.0, 3.0), bool(seed % 2)
    return {
        "upper": upper,
        "r_eff": r_eff,
        "central": random.uniform(8.45, 8.75) if upper else random.uniform(7.75, 8.0),
        "slope": random.uniform(-0.5, 0.1) / r_eff,
        "a_v": random.uniform(0.3, 2.0),
        "dust": random.uniform(-0.5, 0.0) / r_eff,
        "q": random.uniform(0.4, 1.0),
        "pa": random.uniform(0.0, 180.0),
        "snr": 10.0 ** random.uniform(np.log10(3.0), np.log10(30.0)),
        "departures": {"R2": random.normal(), "R3": random.normal()},
    }


def scene(galaxy: dict[str, Any], **free: Any) -> jm.Scene:
    """The galaxy, or what is not known of it in place of its numbers."""
    known = {**galaxy, "flux": 100.0, **free}
    gradient = jm.tracer.Gradient(central=known["central"], slope=known["slope"])
    dust = jm.tracer.Gradient(central=known["a_v"], slope=known["dust"])
    source = jm.Source(
        frame=jm.frame.Disc(q=galaxy["q"], pa=galaxy["pa"]),
        lights={"Hbeta": jm.light.Sersic(flux=known["flux"], r_eff=known["r_eff"], n=1.0)},
        carries={
            "metallicity": jm.Carried(profile=gradient, weight="Hbeta"),
            "extinction": jm.Carried(profile=dust, weight="Hbeta"),
        },
        departures=known["departures"],
    )
    return jm.Scene(sources={"disc": source})


def observed(galaxy: dict[str, Any], seed: int) -> jm.LineMaps:
    """Its line maps, with noise."""
    blank, grid = {name: np.zeros(SHAPE) for name in LINES}, jm.Grid.regular(SHAPE, PIXEL)
    model, truth = jm.lines.emission(LINES, "C20", law="CCM89"), scene(galaxy)
    plain = {"lines": jm.recipes.line_maps(blank, model, psf=psf, sigma=1.0, grid=grid)}
    finer = {name: plan.finer() for name, plan in jm.prepare(truth, plain).items()}
    seen = predictions(plain, truth, finer)
    sigma = float(seen["lines"].light[LINES.index("Hb")].max()) / galaxy["snr"]
    template = jm.recipes.line_maps(blank, model, psf=psf, sigma=sigma, grid=grid)
    return noisy({"lines": template}, seen, jax.random.key(FIRST + seed))["lines"]


def one(seed: int) -> dict[str, Any]:
    """One galaxy: distances of the intervals' ends and of the medians from the true slope, dex/R_e."""
    galaxy = drawn(seed)
    lines, true = observed(galaxy, seed), galaxy["slope"]
    # Dust that is linear in radius leaves an exponential an exponential: flux and size of what reaches us are told by
    # the data themselves, those of what was emitted by how much dust there is.
    seen = dataclasses.replace(lines, reddened=True)
    found = {**by_spaxels(galaxy, lines), "fluxes": fitted(prior_of_fluxes(galaxy, SEEN), {"lines": seen})}
    pulls = {way: [(end - true) * galaxy["r_eff"] for end in ends] for way, ends in found.items()}
    return {"galaxy": galaxy, "pulls": pulls}


def by_spaxels(galaxy: dict[str, Any], lines: jm.LineMaps) -> dict[str, list[float]]:
    """The two ways by a map of metallicity; none where fewer than 8 spaxels have one."""
    data, sigma = np.moveaxis(lines.data, 0, -1), np.moveaxis(np.asarray(lines.noise.sigma), 0, -1)
    bright = np.all((data / sigma)[..., [LINES.index("Hb"), LINES.index("OIII5007")]] > FAINT, axis=-1)
    if bright.sum() < 8:
        return {}
    likelihood = jm.spaxel.fluxes(LINES, "C20", law="CCM89", z_range=(7.6, 8.9))
    z = jm.spaxel.posterior(likelihood, np.where(bright[..., None], data, np.nan), sigma)
    errors = np.where(bright, 0.5 * (z["z_high"] - z["z_low"]), np.nan)
    grid = lines.pixels
    radius = np.hypot(*(np.asarray(a) for a in jm.frame.Disc(q=galaxy["q"], pa=galaxy["pa"]).to_plane(*grid.centres())))
    line = jm.classical.wls(radius[bright], z["z"][bright], errors[bright])
    values = np.where(bright, z["z"], np.nan)
    shown = jm.recipes.metallicity_map(values, sigma=errors, psf=psf(5000.0), grid=grid)
    prior = scene(galaxy, central=dist.Uniform(7.6, 8.9), slope=dist.Normal(0.0, 0.5 / galaxy["r_eff"]))
    return {
        "line": [line.slope - line.slope_error, line.slope, line.slope + line.slope_error],
        "map": fitted(prior, {"metallicity": shown}),
    }


def prior_of_fluxes(galaxy: dict[str, Any], flux: Any = EMITTED) -> jm.Scene:
    """What is not known of a galaxy, with the prior of the flux of Hb, as emitted or as it reaches us."""
    standard = dist.Normal(0.0, 1.0)
    return scene(
        galaxy,
        central=dist.Uniform(7.6, 8.9),
        slope=dist.Normal(0.0, 0.5 / galaxy["r_eff"]),
        flux=flux,
        r_eff=dist.LogNormal(np.log(0.5), 0.5),
        a_v=dist.Uniform(0.0, 3.0),
        dust=dist.Normal(0.0, 0.5 / galaxy["r_eff"]),
        departures={"R2": standard, "R3": standard},
    )


def fitted(prior: jm.Scene, observations: dict[str, Any]) -> list[float]:
    """16, 50 and 84 % of the slope."""
    posterior = jm.fit.auto(prior, observations, progress=False)
    return [float(q) for q in np.percentile(posterior.draws[SITE], [16.0, 50.0, 84.0])]


def summed(rows: list[dict[str, Any]], way: str) -> dict[str, Any]:
    """Of all galaxies that a way can be applied to, and of each branch."""
    parts = {"all": rows} | {
        name: [row for row in rows if row["galaxy"]["upper"] == upper] for name, upper in (("lower", 0), ("upper", 1))
    }
    return {
        name: _summed(np.array([row["pulls"][way] for row in part if way in row["pulls"]]))
        for name, part in parts.items()
    }


def _summed(ends: np.ndarray) -> dict[str, float]:
    if not len(ends):
        return {"galaxies": 0}
    low, middle, high = ends.T
    return {
        "galaxies": len(ends),
        "bias, dex/R_e": float(np.mean(middle)),
        "scatter, dex/R_e": float(np.std(middle)),
        "mean pull": float(np.mean(middle / np.where(middle > 0.0, middle - low, high - middle))),
        "coverage of 68 %": float(np.mean((low < 0.0) & (high > 0.0))),
    }


if __name__ == "__main__":
    main()
