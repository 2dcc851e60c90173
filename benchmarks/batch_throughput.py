"""Effective samples per second of batches, against a warm loop of single NUTS fits; cost and memory against size.

    python benchmarks/batch_throughput.py compare [galaxies, default 64]
    python benchmarks/batch_throughput.py lockstep [galaxies, default 16]
    python benchmarks/batch_throughput.py scale [sizes, default 64 512 2048]
    python benchmarks/batch_throughput.py many [galaxies, default 10000] [--float32]

Maps of 25 x 25 pixels, five parameters. "many" is meant for an accelerator: full posteriors, until the slope of each
has 400 effective samples. Writes results/batch_throughput_<part>.json.
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any

import jax
import numpy as np
from resumable import RESULTS, write
from sample import SLOPE, galaxy

import jaxmetal as jm
from jaxmetal.numerics.convergence import effective_samples

LOOP = 4
"""Galaxies of the loops, whose fits all cost the same."""


def effective(posteriors: Any) -> float:
    """Effective samples of all slopes."""
    return sum(effective_samples(posterior.draws[SLOPE]) for posterior in posteriors)


def loop(method: str) -> dict[str, Any]:
    """Single fits one after the other, compiled beforehand."""
    galaxies = [galaxy(number) for number in range(LOOP)]
    one = galaxies[0]
    jm.fit.auto(one.scene, one.observations, method=method, progress=False)
    began = time.perf_counter()
    found = [jm.fit.auto(g.scene, g.observations, method=method, progress=False) for g in galaxies]
    return rate(found, time.perf_counter() - began)


def batched(method: str, count: int) -> dict[str, Any]:
    """All at once, compiled beforehand by a batch of the same length of other galaxies."""
    length = min(count, 64)
    list(jm.fit.batch([galaxy(10**6 + n) for n in range(length)], method="map", progress=False))
    warm = [galaxy(2 * 10**6 + n) for n in range(9)]
    list(jm.fit.batch([*warm, *(galaxy(10**6 + n) for n in range(length - 9))], method=method, progress=False))
    galaxies = [galaxy(number) for number in range(count)]
    began = time.perf_counter()
    done = dict(jm.fit.batch(galaxies, method=method, progress=False))
    found = [done[one.name] for one in galaxies]
    return rate(found, time.perf_counter() - began) | {
        "k_hat below 0.7": float(np.mean([posterior.k_hat < 0.7 for posterior in found])),
        "pull of the slopes, mean and sd": pulls(found),
    }


def rate(found: list[Any], seconds: float) -> dict[str, Any]:
    """Of some fits."""
    total = effective(found)
    return {"galaxies": len(found), "seconds": seconds, "effective samples per second": total / seconds}


def pulls(found: list[Any]) -> list[float]:
    """(median - truth) / sd: the answers are right."""
    drawn = [posterior.draws[SLOPE] for posterior in found]
    truths = [truth(number) for number in range(len(found))]
    values = [(np.median(d) - t) / np.std(d) for d, t in zip(drawn, truths, strict=True)]
    return [float(np.mean(values)), float(np.std(values))]


def truth(number: int) -> float:
    """The slope of galaxy `number`, drawn as `sample.galaxy` draws it."""
    random = np.random.default_rng(number)
    random.uniform(0.6, 1.0), random.uniform(0.5, 0.7)
    random.normal(0.0, 0.1), random.normal(0.0, 0.1), random.normal(40.0, 15.0), random.uniform(8.2, 8.8)
    return float(random.normal(-0.15, 0.1))


def compare(count: int) -> None:
    """Methods side by side; loops before and after, since machines are noisy."""
    found: dict[str, Any] = {}

    def keep(name: str, row: dict[str, Any]) -> None:
        found[name] = row
        loops = [found[n]["effective samples per second"] for n in ("loop nuts", "loop nuts again") if n in found]
        ratios = {n: r["effective samples per second"] / np.mean(loops) for n, r in found.items()}
        write("batch_throughput_compare", {"times a loop of single NUTS (bars: auto 5, laplace 20)": ratios, **found})

    keep("loop nuts", loop("nuts"))
    for method in ("laplace", "auto"):
        keep(f"batch {method}", batched(method, count))
    keep("loop nuts again", loop("nuts"))
    keep("loop auto", loop("auto"))
    for method in ("hmc", "nuts"):
        keep(f"batch {method}", batched(method, min(count, 16)))


def lockstep(count: int) -> None:
    """What waiting for the longest tree costs: the same batches in threads, and vectorised over two host devices."""
    found = {}
    for name, flags in (("threads", ""), ("lock-step", "--xla_force_host_platform_device_count=2")):
        for method in ("hmc", "nuts", "laplace"):
            done = subprocess.run(
                [sys.executable, __file__, f"only {method}", str(count)],
                env=os.environ | {"XLA_FLAGS": flags},
                capture_output=True,
                text=True,
                check=True,
            )
            found[f"{method}, {name}"] = float(done.stdout.split()[-1])
            write("batch_throughput_lockstep", {"galaxies": count, "effective samples per second": found})


def scale(sizes: list[int]) -> None:
    """Each size in a process of its own, so that its peak memory is its own."""
    rows = []
    for size in sizes:
        done = subprocess.run([sys.executable, __file__, "one", str(size)], capture_output=True, text=True, check=True)
        seconds, peak = done.stdout.split()[-2:]
        rows.append({"galaxies": size, "seconds each": float(seconds) / size, "peak memory, MiB": float(peak)})
        print(rows[-1], flush=True)
        spread = max(r["seconds each"] for r in rows) / min(r["seconds each"] for r in rows)
        write("batch_throughput_scale", {"rows": rows, "dearest over cheapest (bar: 1.2)": spread})


def one(size: int) -> None:
    """Fits `size` galaxies that are made as they are asked for; prints seconds, compilation aside, and peak memory."""
    list(jm.fit.batch((galaxy(10**6 + n) for n in range(64)), progress=False))
    began = time.perf_counter()
    for _ in jm.fit.batch((galaxy(n) for n in range(size)), memory=0.25, progress=False):
        pass
    print(time.perf_counter() - began, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)


def many(count: int) -> None:
    """Full posteriors of a large sample, made beforehand; compilation is timed apart."""

    def sample() -> Iterator[jm.fit.Galaxy]:
        return (galaxy(number) for number in range(count))

    galaxies = list(sample())
    began = time.perf_counter()
    list(jm.fit.batch([galaxy(10**7 + n) for n in range(256)], progress=False))
    compiled = time.perf_counter()
    fits = dict(jm.fit.batch(galaxies, memory=16.0, total=count))
    slopes = [fits[one.name] for one in galaxies]
    done = time.perf_counter()
    ess = [effective_samples(posterior.draws[SLOPE]) for posterior in slopes]
    kind = "x64" if jax.config.jax_enable_x64 else "float32"
    write(
        f"batch_throughput_many_{jax.devices()[0].platform}_{kind}",
        {
            "galaxies": count,
            "seconds of compilation and 256 galaxies": compiled - began,
            "seconds": done - compiled,
            "smallest effective sample size of a slope (bar: 400)": min(ess),
            "pull of the slopes, mean and sd": pulls(slopes),
        },
    )


def main(part: str, *numbers: str) -> None:
    """One part."""
    jax.config.update("jax_enable_x64", "--float32" not in numbers)
    given = [int(number) for number in numbers if number != "--float32"]
    RESULTS.mkdir(exist_ok=True)
    if part == "compare":
        compare(*(given or [64]))
    elif part == "scale":
        scale(given or [64, 512, 2048])
    elif part == "lockstep":
        lockstep(*(given or [16]))
    elif part.startswith("only"):
        print(batched(part.removeprefix("only "), *given)["effective samples per second"])
    elif part == "one":
        one(*given)
    else:
        many(*(given or [10000]))


if __name__ == "__main__":
    main(*sys.argv[1:])
