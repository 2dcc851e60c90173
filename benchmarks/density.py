"""What one evaluation of a posterior density costs, in units of one FFT there and back, beside its error.

    python benchmarks/density.py                        (about ten minutes on two cores)
    python benchmarks/density.py --only moffat_4        (some of the cases)

Each case is a map of N x N pixels of one inclined Sersic disc with a gradient, eight numbers free (centre, axis ratio,
angle, radius, index, central value, slope); data are on the device already. The unit is `rfft2` and `irfft2` of 242 x
242 doubles, timed in turn with the density, so that what else the machine does weighs on both; every time is the least
of many. The error is that against the FFT route at five cells per pixel, an independent blur, where the light exceeds
1e-4 of its peak. Writes results/density.json.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import numpyro.distributions as dist

import jaxmetal as jm
from jaxmetal.fit import problem as posterior
from jaxmetal.machine import keep_memory
from jaxmetal.observation import Plan, default_sampling

RESULT = Path(__file__).resolve().parent / "results" / "density.json"
UNIT = 242
"""Side of the array whose transform is the unit."""
SCALE = 0.1
"""Pixel, arcsec."""
LIT = 1e-4
"""Maps are compared where the blurred light exceeds this share of its peak."""
FINE = {"oversampling": 5, "subsamples": 1, "stride": 1, "route": "fft", "core_nodes": (48, 64)}
"""Of the map that others are compared with."""


@dataclasses.dataclass(frozen=True)
class Case:
    """A map to be timed."""

    psf: str
    pixels: int = 121
    sources: int = 1


def gaussian(fwhm: float) -> jm.instrument.Gaussian:
    """A Gaussian PSF of so many pixels."""
    return jm.instrument.Gaussian(fwhm=fwhm * SCALE)


def kernel(fwhm: float) -> jm.instrument.Kernel:
    """A Gaussian of so many pixels, sampled three times per pixel, as from a file."""
    cells, half = 3, int(np.ceil(3.0 * 3 * fwhm))
    radius = np.hypot(*np.indices((2 * half + 1,) * 2) - half) / cells
    values = np.exp(-4.0 * np.log(2.0) * (radius / fwhm) ** 2)
    return jm.instrument.Kernel(values=values / values.sum(), step=SCALE / cells, includes_pixel=False)


PSFS: dict[str, Any] = {
    "gaussian_1.5": gaussian(1.5),
    "gaussian_3": gaussian(3.0),
    "gaussian_8": gaussian(8.0),
    "gaussian_15": gaussian(15.0),
    "moffat_4": jm.instrument.Moffat(fwhm=4.0 * SCALE, beta=2.5),
    "kernel_1.5": kernel(1.5),
}
CASES = {
    **{name: Case(name) for name in PSFS},
    **{f"{psf}, {n} pixels": Case(psf, pixels=n) for psf in ("gaussian_1.5", "gaussian_3") for n in (61, 241)},
    **{f"gaussian_1.5, {n} sources": Case("gaussian_1.5", sources=n) for n in (2, 4, 8)},
}


def scene(sources: int, free: bool) -> jm.Scene:
    """Discs, the first at the middle with eight free numbers, or a model."""

    def disc(number: int) -> jm.Source:
        x, y = (0.0, 0.0) if number == 0 else (2.5 * np.cos(2.4 * number), 2.5 * np.sin(2.4 * number))
        truth = {"x0": 0.03 + x, "y0": -0.02 + y, "q": 0.7, "pa": 40.0, "r_eff": 1.2, "n": 1.2}
        truth |= {"central": 8.5 - 0.05 * number, "slope": -0.2}
        wide = {"x0": 0.1, "y0": 0.1, "pa": 10.0, "central": 0.3, "slope": 0.1}
        p: dict[str, Any] = dict(truth)
        if free:
            p |= {name: dist.Normal(truth[name], width) for name, width in wide.items()}
            p |= {"q": dist.Uniform(0.3, 1.0), "r_eff": dist.LogNormal(np.log(1.2), 0.2), "n": dist.Uniform(0.5, 4.0)}
        return jm.Source(
            frame=jm.frame.Disc(x0=p["x0"], y0=p["y0"], q=p["q"], pa=p["pa"]),
            lights={"line": jm.light.Sersic(flux=1.0, r_eff=p["r_eff"], n=p["n"])},
            carries={
                "metallicity": jm.Carried(
                    profile=jm.tracer.Gradient(central=p["central"], slope=p["slope"]), weight="line"
                )
            },
        )

    return jm.Scene(sources={f"s{number}": disc(number) for number in range(sources)})


def observation(case: Case) -> jm.WeightedMap:
    """A map with data that are noise alone: times do not depend on them."""
    shape = (case.pixels, case.pixels)
    return jm.WeightedMap(
        data=8.5 + 0.05 * np.random.default_rng(1).standard_normal(shape),
        noise=jm.likelihood.Gaussian(sigma=np.full(shape, 0.05)),
        grid=jm.Grid.regular(shape, SCALE),
        psf=PSFS[case.psf],
        properties=("metallicity",),
        mixing=jm.mixing.Dex(),
        used=np.ones(shape, bool),
    )


def least(runs: dict[str, Callable[[], Any]], seconds: float) -> dict[str, float]:
    """Least time of each of several calls, made in turn, seconds."""
    times: dict[str, list[float]] = {name: [] for name in runs}
    end = time.perf_counter() + seconds
    while time.perf_counter() < end or len(times[next(iter(runs))]) < 5:
        for name, run in runs.items():
            begin = time.perf_counter()
            jax.block_until_ready(run())
            times[name].append(time.perf_counter() - begin)
    return {name: min(found) for name, found in times.items()}


def compiled(function: Callable[..., Any], *arguments: Any) -> tuple[Any, float]:
    """A program, and the seconds of tracing and compiling it."""
    begin = time.perf_counter()
    program = jax.jit(function).lower(*arguments).compile()
    return program, time.perf_counter() - begin


def errors(case: Case) -> dict[str, float]:
    """Largest differences of the map and of its light from those of the fine FFT route."""
    model, seeing = scene(case.sources, free=False), observation(case)
    usual = default_sampling(model, seeing)
    fine = dataclasses.replace(
        usual, **FINE if usual.route == "separable" else {"subsamples": 3, "core_nodes": (48, 64)}
    )
    look = jax.jit(jm.predict)
    seen, reference = (look(seeing, model, Plan(sampling=sampling)) for sampling in (usual, fine))
    lit = reference.light > LIT * reference.light.max()
    return {
        "map_dex": float(np.max(np.abs(seen.value - reference.value)[lit])),
        "light": float(np.max(np.abs(seen.light / reference.light - 1.0)[lit])),
    }


def measure(case: Case, seconds: float) -> dict[str, Any]:
    """Times and errors of one case."""
    problem = jax.device_put(posterior.make(scene(case.sources, free=True), {"map": observation(case)}))
    middle = {name: prior.icdf(0.55) for name, prior in problem.sites.items()}
    vector = posterior.unconstrain(problem.sites, middle)
    value, value_compile = compiled(posterior.log_density, problem, vector)
    gradient, gradient_compile = compiled(jax.value_and_grad(posterior.log_density, argnums=1), problem, vector)
    square = jnp.asarray(np.random.default_rng(2).standard_normal((UNIT, UNIT)))
    unit, _ = compiled(lambda a: jnp.fft.irfft2(jnp.fft.rfft2(a), a.shape), square)
    times = least(
        {
            "unit": lambda: unit(square),
            "value": lambda: value(problem, vector),
            "gradient": lambda: gradient(problem, vector),
        },
        seconds,
    )
    return {
        "milliseconds": {name: round(1e3 * t, 3) for name, t in times.items()},
        "units": {name: round(times[name] / times["unit"], 2) for name in ("value", "gradient")},
        "compile_seconds": {"value": round(value_compile, 2), "gradient": round(gradient_compile, 2)},
        "temporaries_mb": round(gradient.memory_analysis().temp_size_in_bytes / 2**20, 1),
        "errors": errors(case) if case.sources == 1 and case.pixels <= 121 else None,
    }


def main() -> None:
    """Runs the cases, prints a line for each and writes the results."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--only", nargs="+", default=list(CASES), choices=list(CASES))
    parser.add_argument("--seconds", type=float, default=8.0, help="of timing per case")
    parser.add_argument("--output", type=Path, default=RESULT)
    arguments = parser.parse_args()
    jax.config.update("jax_enable_x64", True)
    keep_memory()
    found = json.loads(arguments.output.read_text()) if arguments.output.exists() else {}
    for name in arguments.only:
        found[name] = measure(CASES[name], arguments.seconds)
        print(f"{name:26}", json.dumps(found[name]), flush=True)
    arguments.output.write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()
