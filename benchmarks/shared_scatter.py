"""Scatter of calibrations that a galaxy shares, in two steps: spaxels to Z, and the map of Z to its gradient.

    python benchmarks/shared_scatter.py [galaxies, default 80]

Face-on discs in Hb, [O III], Ha and [N II] without dust, whose gas departs from the calibrations (R3 and N2 of Curti et
al. 2020) by one draw of their scatter for the whole galaxy. The truth is NumPy alone, the calibrations by the digits of
the paper. Seeds are fixed below; one blur, narrow against the disc, for all lines: what remains of the bias of ratios
of blurred fluxes is small, so that errors are what is tested.

- apart: Z of every spaxel with its own error as noise, and what all share as departures (`shared` of the map).
- noise: the same Z with its whole error as noise of each spaxel, as if the scatter were independent.

- bright: above the turnover of R3, Hb at a peak signal-to-noise of 30 to 100, spaxels within 2 R_e.
- faint: down to the turnover, at 10 to 100, within 2.5 R_e. Z of faint spaxels is drawn to the middle of its prior and
  to where a calibration is steep, so that slopes are biased whatever is done with their errors (see line_maps.py).

Bar: of `apart` and bright galaxies, 58 to 78 % of the central values and slopes, together, inside 68 %; all else is
reported, and what errors of three quarters would cover. Writes results/shared_scatter.json; resumable.
"""

from __future__ import annotations

import sys
from typing import Any

import jax
import numpy as np
import numpyro.distributions as dist
from resumable import run, write
from scipy.ndimage import gaussian_filter

import jaxmetal as jm
from jaxmetal.machine import keep_memory

FIRST = 20_261_130
SHAPE, PIXEL, FWHM, FINER = (9, 11), 0.2, 0.3, 5
LINES = ("Hb", "OIII5007", "Ha", "NII6584")
R3, N2 = (-0.277, -3.549, -3.593, -0.981), (-0.489, 1.513, -2.554, -5.293, -2.867)
SCATTER = {"R3": 0.09, "N2": 0.16}
KINDS = {
    "bright": {"central": (8.45, 8.75), "slope": (-0.12, 0.08), "log S/N": (1.5, 2.0), "reach": 2.0},
    "faint": {"central": (8.35, 8.7), "slope": (-0.25, 0.1), "log S/N": (1.0, 2.0), "reach": 2.5},
}
BAR = (0.58, 0.78)
WAYS = ("apart", "noise")
PROFILE = "scene.sources.disc.carries.metallicity.profile"


def main() -> None:
    """Runs what is left and writes the table."""
    jax.config.update("jax_enable_x64", True)
    keep_memory()
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 80
    rows = run("shared_scatter", [[kind, seed] for kind in KINDS for seed in range(count)], one)
    of_kind = {kind: [row for row in rows if row["key"][0] == kind] for kind in KINDS}
    found = {f"{kind}, {way}": summed(of_kind[kind], way) for kind in KINDS for way in WAYS}
    write("shared_scatter", {"galaxies of each kind": count, "bar of apart, bright": BAR} | found)


def drawn(kind: str, seed: int) -> dict[str, float]:
    """A galaxy."""
    of = KINDS[kind]
    random = np.random.default_rng([FIRST, seed])
    return {
        "r_eff": random.uniform(0.5, 0.8),
        "central": random.uniform(*of["central"]),
        "slope": random.uniform(*of["slope"]),
        "snr": 10.0 ** random.uniform(*of["log S/N"]),
        "R3": random.normal(),
        "N2": random.normal(),
        "reach": of["reach"],
    }


def observed(galaxy: dict[str, float], seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Fluxes, shape (ny, nx, lines), their errors, and which spaxels are within reach."""
    ny, nx = SHAPE
    y, x = np.mgrid[: ny * FINER, : nx * FINER] + 0.5
    step = PIXEL / FINER
    radius = np.hypot(step * (x - 0.5 * nx * FINER), step * (y - 0.5 * ny * FINER))
    hb = np.exp(-1.678 * radius / galaxy["r_eff"])
    off = galaxy["central"] + galaxy["slope"] * radius - 8.69
    ratios = {
        "R3": np.polyval(R3[::-1], off) + SCATTER["R3"] * galaxy["R3"],
        "N2": np.polyval(N2[::-1], off) + SCATTER["N2"] * galaxy["N2"],
    }
    lines = np.stack([hb, hb * 10.0 ** ratios["R3"], 2.86 * hb, 2.86 * hb * 10.0 ** ratios["N2"]])
    blurred = gaussian_filter(lines, [0.0, *2 * (FWHM / 2.3548 / step,)])
    pixels = blurred.reshape(len(lines), ny, FINER, nx, FINER).sum(axis=(2, 4))
    sigma = np.full_like(pixels, pixels[0].max() / galaxy["snr"])
    noise = np.random.default_rng([FIRST, seed, 1]).standard_normal(pixels.shape)
    inside = radius.reshape(ny, FINER, nx, FINER).mean(axis=(1, 3)) < galaxy["reach"] * galaxy["r_eff"]
    return *(np.moveaxis(one, 0, -1) for one in (pixels + sigma * noise, sigma)), inside


def one(key: tuple[str, int]) -> dict[str, Any]:
    """One galaxy: how far 16, 50 and 84 % of the central value and of the slope are from the truth; chi2 per datum."""
    kind, seed = key
    galaxy = drawn(kind, seed)
    flux, sigma, inside = observed(galaxy, seed)
    likelihood = jm.spaxel.fluxes(
        LINES, "C20", z_range=(7.9, 8.95), a_v_range=(0.0, 0.0), hydrogen={"Ha": 2.86}, scatter=SCATTER
    )
    found = jm.spaxel.posterior(likelihood, flux, sigma)
    used = inside & (found["information"] > 0.5)
    common = {"psf": jm.instrument.Gaussian(fwhm=FWHM), "pixel_scale": PIXEL, "used": used}
    shown = {
        "apart": jm.recipes.metallicity_map(
            found["z"], **jm.spaxel.apart(found, flux[..., 2] / sigma[..., 2], used)._asdict(), **common
        ),
        "noise": jm.recipes.metallicity_map(found["z"], sigma=found["z_sigma"], **common),
    }
    return {"galaxy": galaxy, "used": int(used.sum())} | {way: fitted(galaxy, shown[way], seed) for way in WAYS}


def fitted(galaxy: dict[str, float], shown: jm.WeightedMap, seed: int) -> dict[str, Any]:
    """The gradient under the true light and geometry."""
    prior = jm.Scene(
        sources={
            "disc": jm.Source(
                frame=jm.frame.Disc(),
                lights={"light": jm.light.Sersic(flux=1.0, r_eff=galaxy["r_eff"], n=1.0)},
                carries={
                    "metallicity": jm.Carried(
                        profile=jm.tracer.Gradient(central=dist.Normal(8.5, 0.5), slope=dist.Normal(0.0, 0.8)),
                        weight="light",
                    )
                },
            )
        }
    )
    posterior = jm.fit.auto(prior, {"z": shown}, method="laplace", chains=2, draws=500, seed=seed, progress=False)
    ends = {
        name: [float(q) - galaxy[name] for q in np.percentile(posterior.draws[f"{PROFILE}.{name}"], [16.0, 50.0, 84.0])]
        for name in ("central", "slope")
    }
    return ends | {"chi2 per datum": float(np.nanmean(jm.result.residual(posterior, "z") ** 2))}


def summed(rows: list[dict[str, Any]], way: str) -> dict[str, Any]:
    """Coverage of 68 %, bias and typical width, of the central value, the slope, and both together."""
    parts = {name: np.array([row[way][name] for row in rows]) for name in ("central", "slope")}
    inside = {name: (ends[:, 0] < 0.0) & (ends[:, 2] > 0.0) for name, ends in parts.items()}
    said = {
        name: {
            "coverage of 68 %": float(inside[name].mean()),
            "mean": float(ends[:, 1].mean()),
            "median half width": float(np.median(0.5 * (ends[:, 2] - ends[:, 0]))),
            "rms": float(np.sqrt(np.mean(ends[:, 1] ** 2))),
        }
        for name, ends in parts.items()
    }
    both = float(np.mean(list(inside.values())))
    narrower = {name: ends[:, 1:2] + 0.75 * (ends - ends[:, 1:2]) for name, ends in parts.items()}
    planted = float(np.mean([(ends[:, 0] < 0.0) & (ends[:, 2] > 0.0) for ends in narrower.values()]))
    return said | {
        "coverage of both": both,
        "with errors times 0.75": planted,
        "chi2 per datum": float(np.median([r[way]["chi2 per datum"] for r in rows])),
    }


if __name__ == "__main__":
    main()
