"""AS1063 from the fluxes of its lines to the intrinsic gradient, beside the fit of its metallicities.

    python benchmarks/line_maps_as1063.py           # some minutes

Needs ../shared/data. Five lines in the bins of Patricio et al. 2019 (MNRAS 489, 224) behind the published deflection,
through their Moffat PSF, by the calibrations of Maiolino et al. 2008 with the scatter of 0.06 dex that the published
errors need, a departure of the galaxy from each, and Calzetti et al. 2000 for dust. The disc is that of the fit of
metallicities (`arcs_fits.py`). No picture of Hb is at hand and a smooth disc does not fit, so that the light is a
random field (17 x 17 weights over a smooth disc, `light.Clumpy`) and A(V) a gradient and patches (7 x 7 weights). What
the model cannot say is left to a factor on all errors. The posterior is the Gaussian about the maximum.

Writes results/line_maps_as1063.json and notebooks/figures/as1063_lines.png, the posterior prediction of each line.
"""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import jax
import numpy as np
import numpyro.distributions as dist
from arcs import DATA, FWHM, MOFFAT_BETA, Arc
from resumable import RESULTS, write

import jaxmetal as jm
from jaxmetal.io.fits import read_map
from jaxmetal.io.tables import read_table
from jaxmetal.machine import keep_memory

LINES = {"OII": "oii", "Hgamma": "hg", "Hbeta": "hb", "OIII4959": "oiii59", "OIII5007": "oiii07"}
"""Feature -> its columns in the table."""
PICTURE = Path(__file__).resolve().parent.parent / "notebooks" / "figures" / "as1063_lines.png"
SCATTER = 0.06
"""Of both calibrations, dex."""
SAMPLING = {"lines": jm.Sampling(oversampling=2, margin=10, core_size=0.0, route="fft")}
SOURCE = "scene.sources.disc."
SLOPE, CENTRAL = (f"{SOURCE}carries.metallicity.profile.{name}" for name in ("slope", "central"))
EXTENT = 1.6
"""Half the side of the square in the source's plane that the arc shows, arcsec."""


def observed(arc: Arc) -> jm.LineMaps:
    """The lines in their bins, in units of the median flux of Hb; the factor on the errors is free."""
    table = read_table(DATA / arc.name / "line_fluxes_by_bin.dat")
    labels = read_map(DATA / arc.name / "bins.fits").values.astype(int)
    names, pixels = np.unique(labels[labels >= 0], return_counts=True)
    rows = [list(table["bin"]).index(name) for name in names]
    flux, sigma = (
        {line: np.asarray(table[prefix + column], float)[rows] * pixels for line, column in LINES.items()}
        for prefix in ("f_", "unc_")
    )
    unit = np.nanmedian(flux["Hbeta"])
    good = {line: np.isfinite(flux[line]) & (sigma[line] > 0.0) for line in LINES}
    emission = jm.lines.emission(list(LINES), "M08", law="Calzetti00", scatter=SCATTER)
    maps = jm.recipes.line_maps(
        {line: np.where(good[line], flux[line] / unit, np.nan) for line in LINES},
        emission,
        psf=jm.instrument.Moffat(fwhm=FWHM[arc.name], beta=MOFFAT_BETA),
        sigma={line: np.where(good[line], sigma[line] / unit, np.nan) for line in LINES},
        grid=arc.grid,
        bins=arc.bins,
    )
    return dataclasses.replace(maps, noise=dataclasses.replace(maps.noise, scale=dist.LogNormal(0.0, 0.5)))


def prior(arc: Arc, two_steps: dict[str, Any], total: float, clumpy: bool) -> jm.Scene:
    """The disc of the fit of metallicities; light and dust are smooth, or fields as well."""
    best = two_steps["best"]
    ellipticity = jm.frame.EllipticityDisc(**{k: best[f"{SOURCE}frame.{k}"] for k in ("x0", "y0", "e1", "e2")})
    x0, y0 = float(ellipticity.x0), float(ellipticity.y0)
    disc = jm.frame.Disc(x0=x0, y0=y0, q=float(ellipticity.axis_ratio), pa=float(ellipticity.pa))
    light: Any = jm.light.Exponential(
        flux=dist.LogNormal(np.log(0.25 * total), 1.0), r_eff=dist.LogNormal(np.log(0.8), 0.4)
    )
    dust: Any = jm.tracer.Gradient(central=dist.Uniform(0.0, 3.0), slope=dist.Normal(0.0, 0.5))
    if clumpy:
        held = jm.light.Exponential(flux=0.25 * total, r_eff=0.5)
        light = jm.light.Clumpy(smooth=held, field=field(17, 1.0, 0.4))
        dust = jm.tracer.Sum(parts={"gradient": dust, "patches": field(7, 0.4, 0.5)})
    gradient = jm.tracer.Gradient(central=dist.Uniform(8.5, 9.5), slope=dist.Normal(0.0, 0.4))
    source = jm.Source(
        frame=jm.frame.Disc(x0=x0, y0=y0),
        lights={"Hbeta": light},
        carries={
            "metallicity": jm.Carried(profile=gradient, weight="Hbeta", frame=disc),
            "extinction": jm.Carried(profile=dust, weight="Hbeta"),
        },
        departures={"R2": dist.Normal(0.0, 1.0), "R3": dist.Normal(0.0, 1.0)},
    )
    return jm.Scene(sources={"disc": source}, lens=arc.lens())


def field(modes: int, amplitude: float, length: float) -> jm.tracer.Field:
    """A random field with free weights."""
    weights = dist.Normal(0.0, 1.0).expand([modes, modes])
    return jm.tracer.Field(weights=weights, amplitude=amplitude, length=length, extent=EXTENT)


def main() -> None:
    """The smooth scene, from where it ends the one with fields, and the picture."""
    jax.config.update("jax_enable_x64", True)
    keep_memory()
    arc = Arc("as1063")
    two_steps = json.loads((RESULTS / "arcs_as1063.json").read_text())["weighted"]["scatter_on"]
    lines, kpc = observed(arc), arc.kpc_per_arcsec()
    total = float(np.nansum(np.where(lines.used, lines.data, 0.0)[list(LINES).index("Hbeta")]))
    given = {CENTRAL: two_steps["best"][CENTRAL], SLOPE: two_steps["best"][SLOPE]}
    how: dict[str, Any] = {"sampling": SAMPLING, "start_count": 1, "seed": 1}
    smooth = jm.fit.auto(prior(arc, two_steps, total, False), {"lines": lines}, method="map", start=given, **how)
    dust = f"{SOURCE}carries.extinction.profile."
    start = {name.replace(dust, f"{dust}parts.gradient."): value for name, value in smooth.best.items()}
    start = {name: value for name, value in start.items() if ".lights." not in name}
    found = jm.fit.auto(prior(arc, two_steps, total, True), {"lines": lines}, method="quick", start=start, **how)
    few = {name: values for name, values in found.draws.items() if np.ndim(values) == 2}
    slope = np.percentile(few[SLOPE], [16.0, 50.0, 84.0]) / kpc
    write(
        "line_maps_as1063",
        {
            "numbers": int(sum(np.size(value) for value in found.best.values())),
            "data": int(np.sum(np.asarray(lines.used))),
            "slope from fluxes, dex/kpc": slope.tolist(),
            "slope from metallicities, dex/kpc": two_steps["quantiles_16_50_84"]["slope_dex_per_kpc"],
            "slope published, dex/kpc deprojected": arc.expected["published_slopes_deprojected"]["free"],
            "mean and standard deviation": {n: [float(np.mean(v)), float(np.std(v))] for n, v in few.items()},
            "chi2 per datum with the errors as given": float(
                jm.result.view(found).chi2["lines"] * np.mean(few["lines.noise.scale"]) ** 2 / np.sum(lines.used)
            ),
            "factor on the errors, smooth light and dust": float(smooth.best["lines.noise.scale"]),
            "findings": [str(one) for one in found.findings],
        },
    )
    jm.plot.of_posterior.predicted(found, "lines").savefig(PICTURE, dpi=80)


if __name__ == "__main__":
    main()
