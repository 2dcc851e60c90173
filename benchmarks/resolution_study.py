"""The resolution study of Metha et al. 2024 (RASTI, rzae010), Fig. 4: WLS and the forward model.

    python benchmarks/resolution_study.py [noise draws, default 100]

R_e is 1" and 1 to 8 pixels, a pixel half the FWHM, the field 4 R_e in every direction; Z = 8 - 0.2 R / arcsec with the
noise of section 4. All fits are one batch. Writes results/resolution_study.json and, with JAXMETAL_FIGURES, a picture.
"""

from __future__ import annotations

import dataclasses
import os
import sys
import time
from pathlib import Path
from typing import Any

import jax
import numpy as np
from matplotlib.figure import Figure
from metha2024 import C1, C2_AT_RE, PRIOR, SITE, SLOPE, TRUTH
from resumable import write

import jaxmetal as jm
from jaxmetal.classical import wls

PIXELS_PER_RE = (1.0, 1.4, 2.0, 3.0, 5.0, 8.0)


def observed(pixels: float) -> tuple[jm.WeightedMap, np.ndarray, np.ndarray]:
    """An empty map, its noise-free values and standard deviations."""
    step = 1.0 / pixels
    half = int(np.ceil(4.0 * pixels))
    shape = (2 * half + 1, 2 * half + 1)
    at_re = float(TRUTH.sources["disc"].lights["line"](1.0, 0.0)) * step**2
    empty = jm.WeightedMap(
        data=np.zeros(shape),
        noise=jm.likelihood.LightScaled(c1=C1, c2=C2_AT_RE * at_re),
        grid=jm.Grid.regular(shape, step),
        psf=jm.instrument.Gaussian(fwhm=2.0 * step),
        properties=("metallicity",),
        mixing=jm.mixing.Dex(),
        used=np.ones(shape, bool),
    )
    seen = jm.predict(empty, TRUTH, jm.prepare(TRUTH, {"map": empty})["map"])
    return empty, np.asarray(seen.value), np.asarray(empty.noise.standard_deviation(seen.value, seen.light))


def draws(count: int) -> list[tuple[float, jm.fit.Galaxy, float]]:
    """Pixels per R_e, galaxy, and the slope of WLS on its spaxels."""
    made = []
    for pixels in PIXELS_PER_RE:
        empty, value, sigma = observed(pixels)
        radius = np.hypot(*(np.asarray(a) for a in empty.grid.centres()))
        for seed in range(count):
            data = value + sigma * np.random.default_rng([seed, int(10 * pixels)]).standard_normal(value.shape)
            naive = wls(radius.ravel(), data.ravel(), sigma.ravel()).slope
            seen = {"map": dataclasses.replace(empty, data=data)}
            made.append((pixels, jm.fit.Galaxy(name=f"{pixels} {seed}", scene=PRIOR, observations=seen), float(naive)))
    return made


def main(count: int) -> None:
    """Fits, and says how far each estimator is off."""
    jax.config.update("jax_enable_x64", True)
    began = time.perf_counter()
    sample = draws(count)
    fits = dict(jm.fit.batch([one for _, one, _ in sample], draws=250, start_count=1, total=len(sample)))
    seconds = time.perf_counter() - began
    rows = [study([part for part in sample if part[0] == pixels], fits) for pixels in PIXELS_PER_RE]
    write("resolution_study", {"fits": len(sample), "seconds, both estimators (bar: 360)": seconds, "rows": rows})
    if os.environ.get("JAXMETAL_FIGURES"):
        picture(rows).savefig(Path(os.environ["JAXMETAL_FIGURES"]) / "resolution_study.png")


def study(part: list[Any], fits: dict[str, Any]) -> dict[str, Any]:
    """Medians over the noise draws, their bias in standard errors, and the width of the intervals."""
    drawn = [fits[one.name].flat()[SITE + "slope"] for _, one, _ in part]
    model, naive = np.array([np.median(values) for values in drawn]), np.array([slope for _, _, slope in part])
    inside = [np.quantile(values, 0.16) < SLOPE < np.quantile(values, 0.84) for values in drawn]
    found: dict[str, Any] = {"pixels per R_e": part[0][0], "in the 68 % interval": float(np.mean(inside))}
    for name, values in (("forward model", model), ("WLS", naive)):
        bias = (np.median(values) - SLOPE) / (np.std(values) / np.sqrt(len(values)))
        found[name] = {
            "median": float(np.median(values)),
            "16 and 84 %": np.quantile(values, [0.16, 0.84]).tolist(),
            "bias in sd / sqrt(draws) (bar for the forward model: 2.5)": float(bias),
        }
    found["forward model"]["median posterior sd"] = float(np.median([np.std(values) for values in drawn]))
    return found


def picture(rows: list[dict[str, Any]]) -> Figure:
    """Both estimators against the resolution."""
    figure = Figure(figsize=(6.0, 4.0), dpi=130, layout="constrained")
    ax = figure.subplots()
    for name, colour, shift in (("WLS", "#D55E00", 0.98), ("forward model", "#0072B2", 1.02)):
        middle = np.array([row[name]["median"] for row in rows])
        low, high = np.array([row[name]["16 and 84 %"] for row in rows]).T
        place = shift * np.array([row["pixels per R_e"] for row in rows])
        ax.errorbar(place, middle, [middle - low, high - middle], fmt="o", color=colour, label=name)
    ax.axhline(SLOPE, color="0.35", lw=1, label="truth")
    ax.set_xscale("log")
    ax.set_xticks([row["pixels per R_e"] for row in rows], [f"{row['pixels per R_e']:g}" for row in rows])
    ax.minorticks_off()
    ax.set_xlabel("R$_e$ [pixels; the FWHM is 2 pixels]")
    ax.set_ylabel("slope [dex/arcsec], 16 to 84 % of noise draws")
    ax.legend(frameon=False)
    return figure


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 100)
