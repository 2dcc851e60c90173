"""Use case 1 of Metha et al. 2024, by jaxmetal and by lenstronomy: a forward evaluation, a gradient, data to posterior.

    python benchmarks/speed_lenstronomy.py            (about half an hour on two cores, with nothing else running)
    python benchmarks/speed_lenstronomy.py --quick    (a smoke test: its times mean nothing)

Both codes get the same data, free parameters, bounds, mixing and cores; every time stands beside a number that shows
the result to be right. Fits run in processes of their own: "cold" is a fit in a fresh one (compilation included,
imports not), "warm" the fit of another galaxy of the same shape after it. Writes results/speed_lenstronomy.json.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from use_case_1 import GALAXIES, Galaxy, converged, load, observe, save

HERE = Path(__file__).resolve().parent
RESULT = HERE / "results" / "speed_lenstronomy.json"
PACKAGES = ("jaxmetal", "jax", "jaxlib", "numpyro", "numpy", "scipy", "lenstronomy", "emcee", "numba")
BARS = {
    "forward": 5.0,
    "value and gradient": 3.0,
    "auto cold": 15.0,
    "auto warm": 50.0,
    "nuts cold": 12.0,
    "nuts warm": 15.0,
}
"""How many times faster than lenstronomy jaxmetal is asked to be."""
DRAWS = {"map": {"auto": 300, "nuts": 300, "long": 2500}, "joint": {"auto": 300, "nuts": 150, "long": 2500}}
"""Per chain, of four: for about 1,000 effective samples of the slope, and for the long run that checks quantiles."""
LIT = 1e-4
"""Maps are compared where the blurred light exceeds this share of its peak."""


def main() -> None:
    """Runs everything, or one part in a process of its own."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--quick", action="store_true", help="a smoke test")
    parser.add_argument("--problems", nargs="+", default=list(GALAXIES), choices=list(GALAXIES))
    parser.add_argument("--mixings", nargs="+", default=["dex"], choices=["dex", "linear"], help="of the fits")
    parser.add_argument("--budget", type=float, default=240.0, help="seconds of emcee per lenstronomy fit")
    parser.add_argument("--output", type=Path, default=RESULT)
    parser.add_argument("--part", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.part:
        task = json.loads(arguments.part)
        print(json.dumps(PARTS[task.pop("name")](**task)), flush=True)
    else:
        compare(arguments)


def compare(arguments: argparse.Namespace) -> None:
    """Runs all parts, prints a table and writes the results."""
    budget, iterations = (5.0, 2) if arguments.quick else (arguments.budget, 100)
    processes = len(os.sched_getaffinity(0))
    found: dict[str, Any] = {
        "quick": arguments.quick,
        "environment": environment(),
        "bars": BARS,
        "forward": {},
        "fits": {},
    }
    for mixing in ("dex", "linear"):
        found["forward"][mixing] = _in_process("forward", mixing=mixing, repeats=5 if arguments.quick else 200)
        print_forward(mixing, found["forward"][mixing])
    with tempfile.TemporaryDirectory() as folder:
        for problem in arguments.problems:
            draws = dict.fromkeys(DRAWS[problem], 50) if arguments.quick else DRAWS[problem]
            for mixing in arguments.mixings:
                for number, galaxy in enumerate(GALAXIES[problem]):
                    save(Path(folder) / f"{number}.npz", observe(galaxy, mixing))
                common = {"problem": problem, "mixing": mixing, "folder": folder}
                result = {
                    "value and gradient": _in_process("gradient", repeats=5 if arguments.quick else 200, **common),
                    "lenstronomy": _in_process(
                        "lenstronomy", iterations=iterations, budget=budget, processes=processes, **common
                    ),
                    "auto": _in_process("jaxmetal", method="auto", draws=draws["auto"], **common),
                    "nuts": _in_process("jaxmetal", method="nuts", draws=draws["nuts"], long=draws["long"], **common),
                }
                result |= judge(result)
                found["fits"][f"{problem}, {mixing}"] = result
                print_fit(f"{problem}, {mixing}", result)
    arguments.output.parent.mkdir(exist_ok=True)
    arguments.output.write_text(json.dumps(found, indent=1) + "\n")
    print(f"\nWritten to {arguments.output}")


def environment() -> dict[str, Any]:
    """Versions, machine and load."""
    processor = next(
        (line.split(":")[1].strip() for line in Path("/proc/cpuinfo").read_text().splitlines() if "model name" in line),
        "",
    )
    return {
        "versions": {
            "python": platform.python_version(),
            **{name: importlib.metadata.version(name) for name in PACKAGES},
        },
        "processor": processor,
        "cores": len(os.sched_getaffinity(0)),
        "load_average_at_start": os.getloadavg()[0],
        "device": "cpu",
        "dtype": "float64",
        "date": time.strftime("%Y-%m-%d"),
    }


def forward(mixing: str, repeats: int) -> dict[str, Any]:
    """One noise-free map, the scene ending at the frame in both codes, and its error against a converged map.

    jaxmetal evaluates everything anew, as lenstronomy does ("all free"), or knows the light beforehand ("light fixed").
    """
    import jax
    import speed_jaxmetal_side as ours
    import speed_lenstronomy_side as theirs

    import jaxmetal as jm

    galaxy = GALAXIES["map"][0]
    reference, light = converged(galaxy, mixing)
    lit = light > LIT * light.max()
    error = lambda made: float(np.abs(np.asarray(made) - reference)[lit].max())  # noqa: E731
    observed, filled = ours.observations("map", ours.EMPTY, mixing), ours.scene(galaxy)
    rows: dict[str, Any] = {
        "error_of_reference": float(np.abs(converged(galaxy, mixing, samples=9)[0] - reference)[lit].max())
    }
    predict = jax.jit(lambda scene, plan: jm.predict(observed["map"], scene, plan).value)
    for label, prior in (("all free", ours.prior("joint", galaxy)), ("light fixed", ours.prior("map", galaxy))):
        plan = jm.prepare(prior, observed, ours.samplings(prior, observed, margin=0))["map"]
        run = lambda plan=plan: jax.block_until_ready(predict(filled, plan))  # noqa: E731
        rows[f"jaxmetal, {label}"] = {"seconds": theirs.median_seconds(run, repeats), "largest_error_dex": error(run())}
    for name in theirs.SETTINGS:
        run = theirs.tracer_map(galaxy, mixing, name)
        rows[f"lenstronomy, {name}"] = {
            "seconds": theirs.median_seconds(run, max(repeats // 4, 3)),
            "largest_error_dex": error(run()),
        }
    rows["times_faster"] = rows["lenstronomy, adaptive"]["seconds"] / rows["jaxmetal, all free"]["seconds"]
    return rows


def gradient(problem: str, mixing: str, folder: str, repeats: int) -> dict[str, Any]:
    """Log-likelihood, alone and with its gradient, beside lenstronomy's; the scene ends at the frame in both."""
    import jax
    import jax.numpy as jnp
    import speed_jaxmetal_side as ours
    import speed_lenstronomy_side as theirs

    from jaxmetal import model
    from jaxmetal.fit.problem import make
    from jaxmetal.prior import fill

    galaxy, data = GALAXIES[problem][0], load(Path(folder) / "0.npz")
    prior, observed = ours.prior(problem, galaxy), ours.observations(problem, data, mixing)
    fit = make(prior, observed, ours.samplings(prior, observed, margin=0))
    names = list(fit.sites)
    point = jnp.array([_truth(galaxy, name) for name in names])

    def log_likelihood(vector: jax.Array, fit: Any) -> jax.Array:
        return model.log_likelihood(fill(fit.skeleton, dict(zip(names, vector, strict=True))), fit.plans)

    value, both = jax.jit(log_likelihood), jax.jit(jax.value_and_grad(log_likelihood))
    made = theirs.likelihood(problem, galaxy, data, mixing)
    truth = theirs.vector(made, galaxy)
    shifted = theirs.vector(made, _moved(galaxy))
    moved = jnp.array([_truth(_moved(galaxy), name) for name in names])
    change = float(value(moved, fit) - value(point, fit)), float(made.logL(shifted) - made.logL(truth))
    steps = 1e-5 * jnp.eye(len(names))
    numeric = jnp.array([(value(point + step, fit) - value(point - step, fit)) / 2e-5 for step in steps])
    theirs_alone = theirs.median_seconds(lambda: made.logL(truth), max(repeats // 4, 3))
    seconds = theirs.median_seconds(lambda: jax.block_until_ready(both(point, fit)), repeats)
    return {
        "jaxmetal, value": theirs.median_seconds(lambda: jax.block_until_ready(value(point, fit)), repeats),
        "jaxmetal, value and gradient": seconds,
        "lenstronomy, value": theirs_alone,
        "lenstronomy, value and forward differences": theirs_alone * (len(names) + 1),
        "parameters": len(names),
        "times_faster_than_one_lenstronomy_value": theirs_alone / seconds,
        "times_faster_than_lenstronomy_differences": theirs_alone * (len(names) + 1) / seconds,
        "change_of_log_likelihood_for_a_small_move": {"jaxmetal": change[0], "lenstronomy": change[1]},
        "largest_relative_error_of_gradient": float(
            jnp.max(jnp.abs(both(point, fit)[1] - numeric)) / jnp.max(jnp.abs(numeric))
        ),
    }


def lenstronomy(
    problem: str, mixing: str, folder: str, iterations: int, budget: float, processes: int
) -> dict[str, Any]:
    """The tutorial's recipe."""
    import speed_lenstronomy_side as side

    data = load(Path(folder) / "0.npz")
    return side.time_fit(
        problem, GALAXIES[problem][0], data, mixing, iterations=iterations, budget=budget, processes=processes
    )


def jaxmetal(problem: str, mixing: str, folder: str, method: str, draws: int, long: int = 0) -> dict[str, Any]:
    """A cold fit, a warm one of another galaxy, and for the check of quantiles a long one of the first."""
    begin = time.perf_counter()
    import jax

    jax.config.update("jax_enable_x64", True)
    import speed_jaxmetal_side as side

    compilations = side.Compilations()
    found: dict[str, Any] = {"import_seconds": time.perf_counter() - begin}
    runs = [("cold", 0, draws), ("warm", 1, draws), *([("long", 0, long)] if long else [])]
    for label, number, kept in runs:
        galaxy, data = GALAXIES[problem][number], load(Path(folder) / f"{number}.npz")
        found[label] = side.time_fit(problem, galaxy, data, mixing, method, kept, compilations)
    return found


PARTS = {"forward": forward, "gradient": gradient, "lenstronomy": lenstronomy, "jaxmetal": jaxmetal}


def judge(result: dict[str, Any]) -> dict[str, Any]:
    """Ratios of times, and whether the posteriors agree."""
    theirs = result["lenstronomy"]
    ratios = {
        f"{method} {stage}": theirs["seconds_to_1000_effective_samples"]
        / result[method][stage]["seconds_to_1000_effective_samples"]
        for method in ("auto", "nuts")
        for stage in ("cold", "warm")
    }
    ours, long = result["auto"]["cold"], result["nuts"]["long"]
    distances = {
        name: [
            (a - b) / np.hypot(s, t)
            for a, b, s, t in zip(
                q["value"], long["quantiles"][name]["value"], q["error"], long["quantiles"][name]["error"], strict=True
            )
        ]
        for name, q in ours["quantiles"].items()
    }
    sd = 0.5 * (long["slope_16_50_84"][2] - long["slope_16_50_84"][0])
    return {
        "times_faster": ratios,
        "quantiles_16_50_84_against_long_nuts_in_monte_carlo_errors": distances,
        "largest_distance_of_quantiles_in_monte_carlo_errors": float(
            max(abs(d) for row in distances.values() for d in row)
        ),
        "slope_of_lenstronomy_minus_ours_in_posterior_sd": (theirs["slope_16_50_84"][1] - long["slope_16_50_84"][1])
        / sd,
        "slope_minus_truth_in_posterior_sd": (long["slope_16_50_84"][1] - long["slope_truth"]) / sd,
    }


def print_forward(mixing: str, rows: dict[str, Any]) -> None:
    """Table of one forward evaluation."""
    print(f"\nOne forward evaluation, {mixing} mixing{'largest error':>34}")
    for name, row in rows.items():
        if isinstance(row, dict):
            print(f"  {name:<44}{1e3 * row['seconds']:9.2f} ms {row['largest_error_dex']:10.1e} dex")
    print(
        f"  adaptive lenstronomy / jaxmetal with all free: {rows['times_faster']:.1f} (asked: {BARS['forward']:.0f})",
        flush=True,
    )


def print_fit(name: str, result: dict[str, Any]) -> None:
    """Table of one problem."""
    g, theirs = result["value and gradient"], result["lenstronomy"]
    print(f"\n{name}: {g['parameters']} free parameters")
    print(
        f"  value and gradient {1e3 * g['jaxmetal, value and gradient']:.2f} ms; one value of lenstronomy "
        f"{1e3 * g['lenstronomy, value']:.2f} ms: {g['times_faster_than_one_lenstronomy_value']:.1f} times (asked: "
        f"{BARS['value and gradient']:.0f}), its differences {g['times_faster_than_lenstronomy_differences']:.0f} times"
    )
    scaled = " (scaled up)" if theirs["scaled_up"] else ""
    print(f"  {'to 1,000 effective samples':<28}{'seconds':>9}{'ratio':>8}{'asked':>7}   slope and its median's error")
    row = f"  {'lenstronomy':<28}{theirs['seconds_to_1000_effective_samples']:9.1f}{'':15}   "
    print(row + f"{theirs['slope_16_50_84'][1]:.4f} +- {theirs['slope_error_of_median']:.4f}{scaled}")
    for key, ratio in result["times_faster"].items():
        method, stage = key.split()
        fit = result[method][stage]
        label = f"{method} {stage} ({fit['method']}, {fit['programs_compiled']} compiled)"
        row = f"  {label:<28}{fit['seconds_to_1000_effective_samples']:9.1f}{ratio:8.1f}{BARS[key]:7.0f}   "
        print(row + f"{fit['slope_16_50_84'][1]:.4f} +- {fit['slope_error_of_median']:.4f}, truth {fit['slope_truth']}")
    print(
        "  quantiles of auto and of long NUTS differ by at most "
        f"{result['largest_distance_of_quantiles_in_monte_carlo_errors']:.1f} "
        "Monte Carlo errors",
        flush=True,
    )


def _in_process(name: str, **task: Any) -> Any:
    """Runs one of `PARTS` in a fresh process, without any stored compilation."""
    variables = {k: v for k, v in os.environ.items() if not k.startswith("JAX_COMPILATION_CACHE")}
    command = [sys.executable, "-W", "ignore", __file__, "--part", json.dumps({"name": name, **task})]
    # JAX is set to double precision before any part imports it; parts without JAX ignore the variable.
    done = subprocess.run(
        command, env={**variables, "JAX_ENABLE_X64": "1"}, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise RuntimeError(f"Part '{name}' failed:\n{done.stderr}")
    return json.loads(done.stdout.strip().splitlines()[-1])


def _truth(galaxy: Galaxy, site: str) -> float:
    last = site.rsplit(".", 1)[-1]
    return galaxy.ellipticity[("e1", "e2").index(last)] if last in ("e1", "e2") else getattr(galaxy, last)


def _moved(galaxy: Galaxy) -> Galaxy:
    """A slightly different galaxy, for differences of log-likelihood."""
    return Galaxy(**{**vars(galaxy), "central": galaxy.central + 0.01, "slope": galaxy.slope - 0.01})


if __name__ == "__main__":
    main()
