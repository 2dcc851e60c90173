"""`jaxmetal check CONFIG.toml`: what was read and what looks suspicious, without fitting."""

from __future__ import annotations

import argparse
import time
from typing import Any

import numpy as np

from jaxmetal.cli.engine import add_engine, start
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
    from jaxmetal.edge.findings import worst_first
    from jaxmetal.fit.diagnose import prior_warnings
    from jaxmetal.io.config import read_config
    from jaxmetal.model import tree
    from jaxmetal.numerics.written import written
    from jaxmetal.prepared import findings, prepare
    from jaxmetal.prior import sites, typical

    job = read_config(arguments.config)
    if arguments.prior:
        require_replaceable(arguments.prior, overwrite=None)
    whole = tree(job.scene, job.observations)
    free = sites(whole)
    plans = prepare(job.scene, job.observations, job.settings["sampling"])
    found = worst_first([*job.findings, *findings(plans.values()), *prior_warnings(whole)])
    print("\n".join(f"- {finding}" for finding in found) or "- Nothing suspicious.")
    print(f"\nGalaxy: {job.name}" + (f", {job.kpc_per_arcsec:.4g} kpc/arcsec" if job.kpc_per_arcsec else ""))
    print(f"Sky origin (x = y = 0): {job.origin.spherical.lon.deg:.5f} {job.origin.spherical.lat.deg:+z.5f} deg")
    now = typical(tree(job.scene, job.observations))
    for name, plan in plans.items():
        print(f"\nObservation '{name}':\n" + "\n".join(f"  {line}" for line in describe(now[name], plan)))
    print("\nFiles:\n" + "\n".join(f"  {where}: {path}" for where, path in job.inputs.items()))
    print("\nFree parameters:\n" + "\n".join(f"  {name} ~ {written(prior)}" for name, prior in free.items()))
    if free:
        print(f"\nExpected: {expected(job)}")
    if arguments.prior:
        draw_prior(job, arguments.prior)


def expected(job: Any) -> str:
    """How long the fit will take, as a sentence; its densities are compiled and timed for that."""
    from jaxmetal.fit.cost import duration, measured
    from jaxmetal.fit.method import Options
    from jaxmetal.fit.problem import make

    began = time.perf_counter()
    cost = measured(make(job.scene, job.observations, job.settings["sampling"]))
    compiled, options = time.perf_counter() - began, Options.among(job.settings)
    needs = {name: duration(cost.seconds(options._replace(method=name))) for name in (options.method, "nuts")}
    more = f" ({needs['nuts']} should it need NUTS)" if options.method == "auto" else ""
    return f"about {needs[options.method]}{more}, and {duration(2.0 * compiled)} to compile, once."


def draw_prior(job: Any, where: str) -> None:
    """Noise-free draws of every observation from the prior, as pictures in a new folder."""
    from jaxmetal.plot.of_posterior import of_prior

    with output_folder(where, overwrite=None) as folder, writing(folder):
        for name in job.observations:
            of_prior(job.scene, job.observations, name).savefig(folder / f"prior_{name}.png", dpi=120)
    print(f"\nWhat the prior thinks possible: {where}")


def describe(observation: Any, plan: Any) -> list[str]:
    """Shape, scale, orientation, what is used, PSF and sampling of an observation of numbers, one line each."""
    from jaxmetal.instrument.psf import fwhm
    from jaxmetal.io.wcs import position_angle_of_y

    grid, used, data = observation.pixels, np.asarray(observation.used), np.asarray(observation.data)
    pixel, width, steps = float(np.sqrt(grid.pixel_area)), fwhm(observation.psf), np.asarray(grid.steps)
    sides = f"{pixel:.4g}" if np.allclose(steps, pixel, rtol=1e-3) else f"{steps[0]:.4g} x {steps[1]:.4g}"
    sigma = np.broadcast_to(np.asarray(observation.noise.standard_deviation(data, np.ones_like(data))), data.shape)
    parity = "East left" if np.linalg.det(np.asarray(grid.matrix)) > 0 else "East right: flipped"
    bins = observation.bins
    middle = f"median {np.median(data[used]):.4g}, range {data[used].min():.4g} to {data[used].max():.4g}"
    return [
        observation.describe(),
        f"{grid.shape[0]} x {grid.shape[1]} pixels (ny x nx) of {sides} arcsec; rows point to pa "
        f"{position_angle_of_y(grid):z.1f} deg ({parity} when they point North)",
        *([f"{bins.n} bins of at most {int(np.max(bins.total(np.ones(grid.shape))))} pixels"] if bins else []),
        f"{used.sum()} of {used.size} {'bins' if bins else 'pixels'} used, {np.mean(~used):.1%} masked; {middle}",
        f"errors: median {np.median(sigma[used]):.3g}, {sigma[used].min():.3g} to {sigma[used].max():.3g}",
        f"PSF: {type(observation.psf).__name__}, FWHM {width:.3g} arcsec = {width / pixel:.2f} pixels",
        f"sampled {plan.sampling.density:g} times per pixel and axis, margin {plan.sampling.margin} pixels, "
        f"{plan.sampling.route} convolution",
    ]
