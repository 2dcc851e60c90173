"""`jaxmetal demo`: a galaxy simulated and fitted."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from jaxmetal.cli.engine import add_engine, add_quiet, import_ahead, start
from jaxmetal.cli.output import add_output
from jaxmetal.io.folder import require_replaceable

if TYPE_CHECKING:
    from jaxmetal.posterior import Posterior
    from jaxmetal.result.views import View
    from jaxmetal.scene import Scene

DRAWS = 400
"""Few enough for two minutes with two cores, compilation included."""
SEED = 2
"""Of a draw whose noise is unremarkable."""


def add(commands: Any) -> None:
    """Registers the command."""
    command = commands.add_parser(
        "demo", help="simulate a galaxy as NIRISS sees it, fit it, write results and pictures"
    )
    add_output(command, "jaxmetal-demo")
    command.add_argument("--seed", type=int, default=SEED, help="of all random numbers (default: %(default)s)")
    add_quiet(command)
    add_engine(command)
    command.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> None:
    """Simulates, fits image and map jointly, writes, and compares with the truth."""
    start(arguments)
    require_replaceable(arguments.output, arguments.overwrite)
    from jaxmetal.fit import auto
    from jaxmetal.io.wcs import NOWHERE
    from jaxmetal.recipes import gradient
    from jaxmetal.result import view
    from jaxmetal.simulate import niriss_like

    import_ahead()
    galaxy = niriss_like(arguments.seed)
    disc, seen = galaxy.truth.sources["disc"], galaxy.observations["metallicity"]
    truth = disc.carries["metallicity"].profile
    print(
        f"Simulated galaxy: 12 + log(O/H) = {truth.central} at the centre, {truth.slope} dex/arcsec; "
        f"R_e {disc.lights['halpha'].r_eff} arcsec, PSF {seen.psf.fwhm} arcsec wide. The fit does not know the galaxy."
    )
    prior = gradient(seen, light=galaxy.observations["halpha"], free_geometry=True)
    posterior = auto(
        prior, galaxy.observations, seed=arguments.seed, start_count=1, draws=DRAWS, progress=not arguments.quiet
    )
    from jaxmetal.cli.results import write_results

    seen = view(posterior)
    write_results(
        seen,
        arguments.output,
        arguments.overwrite,
        truth=galaxy.truth,
        origin=NOWHERE,
        configuration={"command": "demo"},
    )
    print(f"\n{ending(seen, 'metallicity', galaxy.truth)}")


def ending(posterior: Posterior | View, name: str, truth: Scene) -> str:
    """The slope that was put in, that of a straight line through the pixels of a map, and that of the fit, as text."""
    from jaxmetal.plot.of_posterior import radial
    from jaxmetal.result import gradients, view
    from jaxmetal.result.text import interval

    seen = view(posterior)
    [(site, source, prop)] = gradients(seen)
    per, line = seen.meanings[site].unit, radial(seen, name, source).line
    slopes = {
        "truth": f"{truth.sources[source].carries[prop].profile.slope:.3f} {per}",
        "naive": f"{line.slope:.3f} +- {line.slope_error:.3f} {per}, a weighted straight line through the pixels",
        "intrinsic": f"{interval(seen.posterior.draws[site])} {per}, the fit, which undoes blur and pixels",
    }
    return f"Slope of {prop}:\n" + "\n".join(f"  {what:9}  {value}" for what, value in slopes.items())
