"""Random fields of metallicity: how fast many weights are sampled, and whether scatter and length are found.

    python benchmarks/fields.py speed
    python benchmarks/fields.py lines
    python benchmarks/fields.py coverage [mocks of each kind, default 50]

A gradient and a field (Matern covariance, nu = 3/2) on one disc whose light and geometry are known, seen as a map that
light weighs (`mixing.Dex`) under a Gaussian PSF. The truth has 41 x 41 modes, so that what the fit leaves out of its
own fewer ones counts as an error. A beam is the FWHM. Processor seconds are those of one process on a shared machine,
compilation included.

- speed: 21 x 21 = 441 weights on 30 x 30 pixels, to be sampled in under 300 seconds on the clock of two free cores,
  with R-hat below 1.01 and 200 effective samples of scatter, length and slope. Writes results/fields_speed.json.
- lines: the same weights in maps of four lines, with A(V) free: reported. Writes results/fields_lines.json.
- coverage: 15 x 15 weights on 21 x 21 pixels; scatter from 0.06 to 0.16 dex, lengths of 1.5 to 3 beams (long) and of
  0.5 to 1.5 (short), slopes of -0.15 to 0.05 dex/arcsec; the prior is the same for all. Bar, of 50 long ones: scatter
  and length inside 68 % in 25 to 43 each. The rest is reported: of slopes, how many lie inside 68 % and how many have
  the wrong sign at 95 %. Seeds are fixed below; resumable. Writes results/fields_coverage.json.
"""

from __future__ import annotations

import dataclasses
import sys
import time
from typing import Any

import jax
import numpy as np
import numpyro.distributions as dist
from resumable import run, write

import jaxmetal as jm
from jaxmetal.machine import keep_memory
from jaxmetal.numerics.convergence import effective_samples, r_hat

FIRST = 20_261_129
PIXEL, R_EFF, CENTRAL, SIGMA = 0.1, 0.8, 8.6, 0.04
FINE = 41
QUANTILES = (0.025, 0.16, 0.5, 0.84, 0.975)
PROFILE = "scene.sources.disc.carries.metallicity.profile.parts."
ASKED = {
    "scatter": f"{PROFILE}field.amplitude",
    "length": f"{PROFILE}field.length",
    "slope": f"{PROFILE}gradient.slope",
}
LARGE = {"pixels": 30, "fwhm": 0.3, "extent": 2.0, "modes": 21, "lengths": (0.25, 1.35)}
SMALL = {"pixels": 21, "fwhm": 0.4, "extent": 1.4, "modes": 15, "lengths": (0.2, 1.4)}
LINES, SIGNAL = ("Hb", "OIII5007", "Ha", "NII6584"), 60.0
"""Lines of `lines`, and the highest flux of any over the noise of a pixel."""
KINDS = {"long": (1.5, 3.0), "short": (0.5, 1.5)}
BARS = {"seconds on the clock": 300.0, "R-hat": 1.01, "effective samples": 200, "inside 68 % of 50": (25, 43)}


def scene(field: Any, central: Any, slope: Any) -> jm.Scene:
    """A gradient and a field on one disc."""
    parts = {"field": field, "gradient": jm.tracer.Gradient(central=central, slope=slope)}
    source = jm.Source(
        frame=jm.frame.Disc(q=0.8, pa=30.0),
        lights={"line": jm.light.Exponential(flux=1.0, r_eff=R_EFF)},
        carries={"metallicity": jm.Carried(profile=jm.tracer.Sum(parts=parts), weight="line")},
    )
    return jm.Scene(sources={"disc": source})


def both(size: dict[str, Any], truth: dict[str, float], random: np.random.Generator) -> tuple[Any, Any]:
    """The field of the prior, and that of the truth."""
    made = jm.recipes.field(extent=size["extent"], lengths=size["lengths"], scatter=0.15, modes=size["modes"])
    weights = random.standard_normal((FINE, FINE))
    drawn = jm.tracer.Field(weights=weights, amplitude=truth["scatter"], length=truth["length"], extent=size["extent"])
    return made, drawn


def problem(size: dict[str, Any], truth: dict[str, float], seed: list[int]) -> tuple[jm.Scene, dict[str, Any]]:
    """Prior and observation; truth has the scatter, the length (arcsec) and the slope."""
    random, shape = np.random.default_rng(seed), (size["pixels"], size["pixels"])
    made, drawn = both(size, truth, random)
    prior = scene(made, dist.Uniform(7.0, 9.5), dist.Normal(0.0, 0.3))
    empty = jm.WeightedMap(
        grid=jm.Grid.regular(shape, PIXEL),
        data=np.zeros(shape),
        psf=jm.instrument.Gaussian(fwhm=size["fwhm"]),
        noise=jm.likelihood.Gaussian(sigma=SIGMA),
        used=np.ones(shape, bool),
        properties=("metallicity",),
        mixing=jm.mixing.Dex(),
    )
    true = scene(drawn, CENTRAL, truth["slope"])
    exact = np.asarray(jm.predict(empty, true, jm.prepare(true, {"map": empty})["map"]).value)
    return prior, {"map": dataclasses.replace(empty, data=exact + SIGMA * random.standard_normal(shape))}


def in_lines(size: dict[str, Any], truth: dict[str, float], seed: list[int]) -> tuple[jm.Scene, dict[str, Any]]:
    """The same as maps of four lines, each at a signal of up to `SIGNAL` times its noise; A(V) is free."""
    random, shape = np.random.default_rng(seed), (size["pixels"], size["pixels"])
    made, drawn = both(size, truth, random)

    def of(field: Any, central: Any, slope: Any, a_v: Any) -> jm.Scene:
        disc = scene(field, central, slope).sources["disc"]
        dust = jm.Carried(profile=jm.tracer.Constant(value=a_v), weight="line")
        carries = {**disc.carries, "extinction": dust}
        return jm.Scene(sources={"disc": dataclasses.replace(disc, carries=carries)})

    def maps(fluxes: Any, sigma: float) -> jm.LineMaps:
        known = {"psf": jm.instrument.Gaussian(fwhm=size["fwhm"]), "pixel_scale": PIXEL, "light": "line"}
        return jm.recipes.line_maps(
            dict(zip(LINES, fluxes, strict=True)), jm.lines.emission(LINES, "C20"), sigma=sigma, **known
        )

    true, blank = of(drawn, 8.4, truth["slope"], 0.6), maps(np.zeros((len(LINES), *shape)), 1.0)
    exact = np.asarray(jm.predict(blank, true, jm.prepare(true, {"lines": blank})["lines"]).value)
    sigma = exact.max() / SIGNAL
    seen = maps(exact + sigma * random.standard_normal(exact.shape), sigma)
    return of(made, dist.Uniform(7.6, 8.9), dist.Normal(0.0, 0.3), dist.Uniform(0.0, 3.0)), {"lines": seen}


def fitted(
    size: dict[str, Any], truth: dict[str, float], seed: list[int], posed: Any = problem, **options: Any
) -> dict[str, Any]:
    """What the chains say of scatter, length and slope, and what they cost."""
    prior, seen = posed(size, truth, seed)
    begun, clock = time.process_time(), time.perf_counter()
    found = jm.fit.auto(prior, seen, seed=seed[-1], start_count=1, progress=False, **options)
    seconds, clock = time.process_time() - begun, time.perf_counter() - clock
    drawn = {name: found.draws[site] for name, site in ASKED.items()}
    return {
        "truth": truth,
        "processor seconds": seconds,
        "seconds on the clock": clock,
        "gradients per draw": found.sampler["leapfrogs"].mean(),
        "divergent": int(found.sampler["diverging"].sum()),
        "draws": int(found.sampler["accept"].size),
        "R-hat": {name: r_hat(values) for name, values in drawn.items()},
        "effective samples": {name: effective_samples(values) for name, values in drawn.items()},
        "quantiles": {name: np.quantile(values, QUANTILES).tolist() for name, values in drawn.items()},
    }


def speed() -> None:
    """One large field."""
    truth = {"scatter": 0.1, "length": 0.65, "slope": -0.08}
    found = fitted(LARGE, truth, [FIRST, 0], draws=300, warmup=150)
    met = (
        found["seconds on the clock"] < BARS["seconds on the clock"]
        and max(found["R-hat"].values()) < BARS["R-hat"]
        and min(found["effective samples"].values()) >= BARS["effective samples"]
    )
    write("fields_speed", {"weights": LARGE["modes"] ** 2, "pixels": LARGE["pixels"] ** 2, **found, "bars met": met})


def lines() -> None:
    """The large field in line maps."""
    truth = {"scatter": 0.1, "length": 0.65, "slope": -0.08}
    found = fitted(LARGE, truth, [FIRST, 0], posed=in_lines, draws=300, warmup=150)
    write("fields_lines", {"weights": LARGE["modes"] ** 2, "pixels": LARGE["pixels"] ** 2, "lines": LINES, **found})


def one(key: list[Any]) -> dict[str, Any]:
    """A mock."""
    kind, number = key
    place = [FIRST, 1 + list(KINDS).index(kind), number]
    random = np.random.default_rng(place)
    beams = KINDS[kind]
    truth = {
        "scatter": random.uniform(0.06, 0.16),
        "length": SMALL["fwhm"] * random.uniform(*beams),
        "slope": random.uniform(-0.15, 0.05),
    }
    return fitted(SMALL, truth, place, chains=2, draws=250, warmup=150)


def coverage(count: int) -> None:
    """All mocks, and how many lie inside."""
    rows = run("fields_coverage", [[kind, number] for kind in KINDS for number in range(count)], one)
    content: dict[str, Any] = {"weights": SMALL["modes"] ** 2, "bar of 50 long ones": BARS["inside 68 % of 50"]}
    for kind in KINDS:
        some = [row for row in rows if row["key"][0] == kind]
        content[kind] = {"mocks": len(some), **{f"{name} inside 68 %": inside(some, name) for name in ASKED}}
        content[f"{kind}, slope"] = {
            "wrong sign at 95 %": sum(wrong(row) for row in some),
            "mean pull": float(np.mean([pull(row, "slope") for row in some])),
        }
        content[f"{kind}, chains"] = {
            "median processor seconds": float(np.median([row["processor seconds"] for row in some])),
            "largest R-hat": max(max(row["R-hat"].values()) for row in some),
        }
    write("fields_coverage", content)


def inside(rows: list[dict[str, Any]], name: str) -> int:
    """How many truths lie within the middle 68 %."""
    return sum(row["quantiles"][name][1] < row["truth"][name] < row["quantiles"][name][3] for row in rows)


def pull(row: dict[str, Any], name: str) -> float:
    """(median - truth) / half the width of the middle 68 %."""
    low, middle, high = row["quantiles"][name][1:4]
    return (middle - row["truth"][name]) / (0.5 * (high - low))


def wrong(row: dict[str, Any]) -> bool:
    """Whether zero lies on the other side of the middle 95 % than the truth says."""
    low, high = row["quantiles"]["slope"][0], row["quantiles"]["slope"][-1]
    return (low > 0.0 and row["truth"]["slope"] < 0.0) or (high < 0.0 and row["truth"]["slope"] > 0.0)


def main() -> None:
    """Runs one part."""
    jax.config.update("jax_enable_x64", True)
    keep_memory()
    part = sys.argv[1] if len(sys.argv) > 1 else ""
    if part == "speed":
        speed()
    elif part == "lines":
        lines()
    elif part == "coverage":
        coverage(int(sys.argv[2]) if len(sys.argv) > 2 else 50)
    else:
        sys.exit("Name a part: speed, lines or coverage.")


if __name__ == "__main__":
    main()
