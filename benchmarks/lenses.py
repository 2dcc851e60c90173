"""A cluster of 300 galaxies and two halos on 500 x 500 points: time, and agreement with lenstronomy in the same run.

    python benchmarks/lenses.py

The galaxies are `lens.Members`, elliptical, the halos `lens.DPIE`. lenstronomy has the same mass as the difference of
two "NIE" each. CPU time and time on the clock, the least of three; the first call includes the compilation. Writes
results/lenses.json.
"""

from __future__ import annotations

import json
import time
from pathlib import Path

import jax
import numpy as np
from lenstronomy.LensModel.lens_model import LensModel

import jaxmetal as jm

jax.config.update("jax_enable_x64", True)
RESULTS = Path(__file__).with_name("results") / "lenses.json"
GALAXIES, SIDE, FIELD = 300, 500, 100.0
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


def timed(function, times=3):
    """The least CPU time and time on the clock, seconds, and the value."""
    found = []
    for _ in range(times):
        clock, cpu = time.perf_counter(), time.process_time()
        value = jax.block_until_ready(function())
        found.append((time.process_time() - cpu, time.perf_counter() - clock))
    return {"cpu": min(f[0] for f in found), "clock": min(f[1] for f in found)}, value


def main():
    """Times and differences."""
    members, halos = cluster()
    x, y = (np.asarray(axis) for axis in jm.Grid.regular((SIDE, SIDE), FIELD / SIDE).centres())
    plane = jm.lens.Plane(parts={"members": members, **halos})
    trace = jax.jit(lambda lens, x, y: lens(x, y))
    first, _ = timed(lambda: trace(plane, x, y), 1)
    again, ours = timed(lambda: trace(plane, x, y))
    gradient = jax.jit(jax.grad(lambda lens, x, y: sum((a**2).sum() for a in lens(x, y)), allow_int=True))
    slope_first, _ = timed(lambda: gradient(plane, x, y), 1)
    slope, _ = timed(lambda: gradient(plane, x, y))
    theirs = lenstronomy(members, halos)
    reference, (east, north) = timed(lambda: theirs(-x.ravel(), y.ravel()), 1)
    off = max(np.abs(np.asarray(ours[0]).ravel() + east).max(), np.abs(np.asarray(ours[1]).ravel() - north).max())
    found = {
        "first call": first,
        "again": again,
        "gradient, first call": slope_first,
        "gradient": slope,
        "lenstronomy": reference,
        "lenstronomy over ours, CPU": reference["cpu"] / again["cpu"],
        "largest difference, arcsec": float(off),
    }
    RESULTS.write_text(json.dumps(found, indent=1) + "\n")
    print(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
