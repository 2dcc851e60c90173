"""`jaxmetal check CONFIG.toml`: what was read and what looks suspicious, without fitting."""

from __future__ import annotations

import argparse
import dataclasses
import time
from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

import numpy as np

from jaxmetal.cli.engine import add_engine, start
from jaxmetal.cli.output import say
from jaxmetal.edge.writing import writing
from jaxmetal.io.folder import output_folder, require_replaceable


def add(commands: Any) -> None:
    """Registers the command."""
    command = commands.add_parser("check", help="say what a TOML file describes and what looks suspicious")
    command.add_argument("config", metavar="CONFIG.toml")
    command.add_argument(
        "--prior", metavar="FOLDER", help="also draw what the prior thinks possible: a picture per observation"
    )
    add_engine(command)
    command.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> None:
    """Reads everything, plans the fit, reports."""
    start(arguments)
    from jaxmetal.cli import lens
    from jaxmetal.edge.findings import worst_first
    from jaxmetal.fit.diagnose import prior_warnings
    from jaxmetal.fit.problem import make
    from jaxmetal.io.config import read_config
    from jaxmetal.io.wcs import NOWHERE
    from jaxmetal.meaning import meanings
    from jaxmetal.model import SCENE, tree
    from jaxmetal.numerics.written import written
    from jaxmetal.prepared import findings, prepare
    from jaxmetal.prior import sites, typical

    job = read_config(arguments.config)
    if arguments.prior:
        require_replaceable(arguments.prior, overwrite=None)
    whole = tree(job.scene, job.observations)
    free = sites(whole)
    asked = job.scene, job.observations, job.settings["sampling"]
    problem = make(*asked) if free else None
    plans = prepare(*asked) if problem is None else problem.plans
    now = typical(whole)
    seen = {name: now[name] for name in job.observations}
    bent, unusual = lens.effects(now[SCENE], seen) if job.scene.lens else ([], [])
    found = worst_first([*job.findings, *findings(plans.values()), *prior_warnings(whole), *unusual])
    print("\n".join(f"- {finding}" for finding in found) or "- Nothing suspicious.")
    print(f"\nGalaxy: {job.name}" + (f", {job.kpc_per_arcsec:.4g} kpc/arcsec" if job.kpc_per_arcsec else ""))
    at = job.origin.spherical
    where = f"{at.lon.deg:.5f} {at.lat.deg:+z.5f} deg" if job.origin is not NOWHERE else "unknown, as no file says it"
    print(f"Sky origin (x = y = 0): {where}")
    for name, plan in plans.items():
        described = describe(job.observations[name], now[name], plan)
        print(f"\nObservation '{name}':\n" + "\n".join(f"  {line}" for line in described))
    if job.scene.lens:
        print("\nLens:\n" + "\n".join(f"  {line}" for line in [*lens.deflectors(job.scene, job.reference), *bent]))
    print("\nFiles:\n" + "\n".join(f"  {where}: {path}" for where, path in job.inputs.items()))
    units = {site: meaning.unit for site, meaning in meanings(whole).items()}
    priors = (f"  {name} ~ {written(prior)}{_in(units[name])}" for name, prior in free.items())
    print("\nFree parameters:\n" + "\n".join(priors))
    if problem is not None:
        print(f"\nExpected: {expected(problem, job.settings)}")
    if arguments.prior:
        draw_prior(job, arguments.prior)


def expected(problem: Any, settings: Mapping[str, Any]) -> str:
    """How long the fit will take, as a sentence; a gradient is compiled and timed for that."""
    from jaxmetal.fit.cost import duration, measured
    from jaxmetal.fit.method import Options

    began = time.perf_counter()
    cost = measured(problem)
    compiled, options = time.perf_counter() - began, Options.among(settings)
    needs = {name: duration(cost.seconds(options._replace(method=name))) for name in (options.method, "nuts")}
    more = f" ({needs['nuts']} should it need NUTS)" if options.method == "auto" else ""
    return f"about {needs[options.method]}{more}, and {duration(3.0 * compiled)} to compile, once."


def draw_prior(job: Any, where: str) -> None:
    """Noise-free draws of every observation in pixels from the prior, as pictures in a new folder."""
    from jaxmetal.plot.of_posterior import of_prior
    from jaxmetal.plot.saved import save_each

    seen = [name for name, one in job.observations.items() if one.pixels is not None]
    with output_folder(where, overwrite=None) as folder, writing(folder):
        drawn = {f"prior_{name}": partial(of_prior, job.scene, job.observations, name) for name in seen}
        say(save_each(drawn, folder, dpi=120))
    print(f"\nWhat the prior thinks possible: {where}")


def describe(prior: Any, observation: Any, plan: Any) -> list[str]:
    """Shape, scale, orientation, what is used, errors, PSF and sampling of an observation, one line each.

    Args:
        prior: the observation with distributions.
        observation: the same with numbers.
        plan: of `prepare`.
    """
    from jaxmetal.observation import planes

    grid = observation.pixels
    pixel = None if grid is None else float(np.sqrt(grid.pixel_area))
    maps = [line for plane in planes(observation) for line in _described(prior, observation, plane, pixel)]
    if grid is None:
        return [observation.describe(), *maps]
    sampled = (
        f"sampled {plan.sampling.density:g} times per pixel and axis, margin {plan.sampling.margin} pixels, "
        f"{plan.sampling.route} convolution"
    )
    return [observation.describe(), *_pixels(observation), *maps, sampled]


def _pixels(observation: Any) -> list[str]:
    """Number, size and direction of pixels, and bins where there are any."""
    from jaxmetal.io.wcs import position_angle_of_y

    grid, bins = observation.pixels, observation.bins
    pixel, steps = float(np.sqrt(grid.pixel_area)), np.asarray(grid.steps)
    sides = f"{pixel:.4g}" if np.allclose(steps, pixel, rtol=1e-3) else f"{steps[0]:.4g} x {steps[1]:.4g}"
    parity = "East left" if np.linalg.det(np.asarray(grid.matrix)) > 0 else "East right: flipped"
    return [
        f"{grid.shape[0]} x {grid.shape[1]} pixels (ny x nx) of {sides} arcsec; up, along a "
        f"column, is pa {position_angle_of_y(grid):z.1f} deg ({parity} when up is North)",
        *([f"{bins.n} bins of at most {int(np.max(bins.total(np.ones(grid.shape))))} pixels"] if bins else []),
    ]


def _described(prior: Any, observation: Any, plane: Any, pixel: float | None) -> list[str]:
    """What is used, errors and PSF of one map of an observation, its name in front where there are several."""
    from jaxmetal.instrument.psf import fwhm

    used, of = plane.of(observation.used), f"{plane.name}: " if plane.name else ""
    data = plane.of(observation.data)[used]
    kind = "bins" if observation.bins else "data" if pixel is None else "pixels"
    lines = [
        f"{of}{used.sum()} of {used.size} {kind} used, {np.mean(~used):.1%} masked; "
        f"median {np.median(data):.4g}, range {data.min():.4g} to {data.max():.4g}{_in(plane.quantity.unit)}",
        *(f"{of}{line}" for line in errors(prior.noise, observation, plane)),
    ]
    if plane.psf is None or pixel is None:
        return lines
    width = fwhm(plane.psf)
    return [*lines, f"{of}PSF: {type(plane.psf).__name__}, FWHM {width:.3g} arcsec = {width / pixel:.2f} pixels"]


def errors(prior: Any, observation: Any, plane: Any) -> list[str]:
    """Errors of one map as they are stated, and in a line of its own with what the noise is free to add."""
    from jaxmetal.likelihood.stated import as_stated

    noise = observation.noise
    stated = as_stated(prior, noise)
    fixed, free = dict(_beyond(None, stated)), dict(_beyond(stated, noise))
    lines = [f"errors{_with(fixed)}: {_spread(stated, observation, plane)}"]
    if free:
        lines.append(f"errors{_with(fixed | free)} (medians of priors): {_spread(noise, observation, plane)}")
    return lines


def _with(numbers: Mapping[str, float]) -> str:
    return " with " + ", ".join(f"{name} = {number:.3g}" for name, number in numbers.items()) if numbers else ""


def _spread(noise: Any, observation: Any, plane: Any) -> str:
    every = np.asarray(observation.data)
    sigma = np.broadcast_to(noise.standard_deviation(every, np.ones_like(every)), every.shape)
    sigma = plane.of(sigma)[plane.of(observation.used)]
    return f"median {np.median(sigma):.3g}, {sigma.min():.3g} to {sigma.max():.3g}{_in(plane.quantity.unit)}"


def _in(unit: str) -> str:
    return f" {unit}" if unit else ""


def _beyond(base: Any, noise: Any) -> Iterator[tuple[str, float]]:
    """Single numbers of a noise that are others than in `base`, or without one than their fields' defaults."""
    for field in dataclasses.fields(noise):
        number = getattr(noise, field.name)
        before = field.default if base is None else getattr(base, field.name)
        if dataclasses.is_dataclass(number):
            yield from _beyond(None if base is None else before, number)
        elif before is not dataclasses.MISSING and np.ndim(number) == 0 and number != before:
            yield field.name, float(number)
