"""A cluster of 300 galaxies and two halos: time, and agreement with lenstronomy in the same run.

    python benchmarks/lenses.py
    python benchmarks/lenses.py grid       # the points alone; the rest stays as it was stored

The galaxies are `lens.Members`, elliptical, the halos `lens.DPIE`. On 500 x 500 points lenstronomy has the same mass as
the difference of two "NIE" each; both are timed in turn, CPU time and time on the clock, the least of several rounds;
the first call includes the compilation. Of a fit to 61 x 61 pixels, value and gradient of the density with one free
halo are timed alone and on top of 300 fixed galaxies and a halo, in turn. Writes results/lenses.json.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import numpyro.distributions as dist
from lenstronomy.LensModel.lens_model import LensModel

import jaxmetal as jm
from jaxmetal.fit.problem import log_density, make, size

jax.config.update("jax_enable_x64", True)
RESULTS = Path(__file__).with_name("results") / "lenses.json"
GALAXIES, SIDE, FIELD = 300, 500, 100.0
ARC, ROUNDS, CALLS = (61, 61), 2, 5
B0, CORE, CUT = 1.2, 0.03, 8.0


def cluster():
    """Members and halos."""
    rng = np.random.default_rng(17)
    shape = {"q": rng.uniform(0.5, 1.0, GALAXIES), "pa": rng.uniform(0.0, 180.0, GALAXIES)}
    x0, y0 = rng.normal(0.0, 0.25 * FIELD, (2, GALAXIES))
    luminosity = rng.uniform(0.02, 3.0, GALAXIES)
    members = jm.lens.Members(luminosity=luminosity, x0=x0, y0=y0, b0=B0, core=CORE, cut=CUT, **shape)
    halos = {
        "one": jm.lens.DPIE(b0=25.0, core=8.0, cut=300.0, q=0.6, pa=30.0),
        "two": jm.lens.DPIE(b0=10.0, core=4.0, cut=200.0, x0=20.0, y0=-12.0, q=0.8, pa=110.0),
    }
    return members, halos


def lenstronomy(members, halos):
    """A function of East and North that returns the deflection, of two NIE for each lens."""
    of = members.stack().of
    rows = np.stack([np.broadcast_to(np.asarray(getattr(of, n), float), GALAXIES) for n in FIELDS], axis=-1)
    rows = np.concatenate([rows, [[float(getattr(halo, n)) for n in FIELDS] for halo in halos.values()]])
    kwargs = []
    for b0, core, cut, x0, y0, q, pa in rows:
        e, phi, circular = (1 - q) / (1 + q), np.radians(90 - pa), 2 * np.sqrt(q) / (1 + q)
        shape = {"e1": e * np.cos(2 * phi), "e2": e * np.sin(2 * phi), "center_x": -x0, "center_y": y0}
        strength = b0 * cut / (cut - core) * circular
        kwargs += [
            {"theta_E": sign * strength, "s_scale": radius * circular, **shape}
            for sign, radius in ((1.0, core), (-1.0, cut))
        ]
    model = LensModel(["NIE"] * len(kwargs))
    return lambda east, north: model.alpha(east, north, kwargs)


FIELDS = ("b0", "core", "cut", "x0", "y0", "q", "pa")


def timed(function):
    """CPU time and time on the clock, seconds, and the value."""
    clock, cpu = time.perf_counter(), time.process_time()
    value = jax.block_until_ready(function())
    return {"cpu": time.process_time() - cpu, "clock": time.perf_counter() - clock}, value


def in_turn(functions, rounds):
    """Each of some functions once in every round: the least times of each, and its value."""
    found, values = {name: [] for name in functions}, {}
    for _ in range(rounds):
        for name, function in functions.items():
            spent, values[name] = timed(function)
            found[name].append(spent)
    least = {name: {kind: min(one[kind] for one in each) for kind in each[0]} for name, each in found.items()}
    return least, values


def traced():
    """The cluster on the grid: first call, again, and lenstronomy in turn with it."""
    members, halos = cluster()
    x, y = (np.asarray(axis) for axis in jm.Grid.regular((SIDE, SIDE), FIELD / SIDE).centres())
    plane = jm.lens.Plane(parts={"members": members, **halos})
    trace = jax.jit(lambda lens, x, y: lens(x, y))
    first, _ = timed(lambda: trace(plane, x, y))
    theirs = lenstronomy(members, halos)
    both = {"ours": lambda: trace(plane, x, y), "lenstronomy": lambda: theirs(-x.ravel(), y.ravel())}
    least, values = in_turn(both, ROUNDS)
    (west, up), (east, north) = values["ours"], values["lenstronomy"]
    off = max(np.abs(np.ravel(west) + east).max(), np.abs(np.ravel(up) - north).max())
    faster = {kind: least["lenstronomy"][kind] / least["ours"][kind] for kind in ("cpu", "clock")}
    return {"first call": first, **least, "lenstronomy over ours": faster, "largest difference, arcsec": float(off)}


def problem(fixed):
    """A disc behind a halo with free numbers, and deflectors without."""
    halo = jm.lens.DPIE(
        b0=dist.Normal(10.0, 1.0), core=4.0, cut=200.0, x0=dist.Normal(20.0, 1.0), y0=-12.0, q=0.8, pa=110.0
    )
    disc = jm.Source(
        frame=jm.frame.Disc(x0=dist.Normal(0.0, 1.0), y0=dist.Normal(0.0, 1.0), q=0.7, pa=30.0),
        lights={"line": jm.light.Exponential(flux=dist.LogNormal(0.0, 1.0), r_eff=1.0)},
        carries={
            "metallicity": jm.Carried(
                profile=jm.tracer.Gradient(central=dist.Normal(8.6, 0.3), slope=dist.Normal(0.0, 0.3)), weight="line"
            )
        },
    )
    data = 8.5 + 0.05 * np.random.default_rng(0).standard_normal(ARC)
    observed = jm.recipes.metallicity_map(data, sigma=0.05, psf=jm.instrument.Gaussian(fwhm=0.6), pixel_scale=0.2)
    return make(jm.Scene(sources={"disc": disc}, lens={"halo": halo, **fixed}), {"map": observed})


def fitted():
    """Value and gradient of a density with one free halo, alone and on top of what is fixed."""
    members, halos = cluster()
    cases = {"alone": problem({}), "with 300 fixed galaxies": problem({"members": members, "one": halos["one"]})}
    gradient = jax.jit(jax.value_and_grad(lambda vector, one: log_density(one, vector)))
    point = 0.1 * jnp.ones(size(cases["alone"].sites))

    def several(one):
        return lambda: [jax.block_until_ready(gradient(point, one)) for _ in range(CALLS)]

    calls = {name: several(one) for name, one in cases.items()}
    in_turn(calls, 1)  # compiles
    least, _ = in_turn(calls, 5 * ROUNDS)
    names = tuple(cases)
    ratio = {kind: least[names[1]][kind] / least[names[0]][kind] for kind in ("cpu", "clock")}
    return {**{f"{CALLS} gradients, {name}": spent for name, spent in least.items()}, "ratio": ratio}


def summed(halo, grid):
    """The numbers that have a bar in front of all: lenstronomy by the clock and the CPU, others by the CPU."""
    return {
        "first call, s (bar: 20)": grid["first call"]["cpu"],
        "lenstronomy over ours on the clock (bar: 5)": grid["lenstronomy over ours"]["clock"],
        "lenstronomy over ours in CPU time": grid["lenstronomy over ours"]["cpu"],
        "largest difference, arcsec": grid["largest difference, arcsec"],
        "gradient over that of a free halo alone (bar: 1.5)": halo["ratio"]["cpu"],
        "free halo": halo,
        "500 x 500 points": grid,
    }


def main():
    """Times and differences."""
    stored = sys.argv[1:] == ["grid"]
    found = summed(json.loads(RESULTS.read_text())["free halo"] if stored else fitted(), traced())
    RESULTS.write_text(json.dumps(found, indent=1) + "\n")
    print(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
