"""`jaxmetal demo`: a galaxy simulated and fitted."""

from __future__ import annotations

import argparse
from typing import Any

from jaxmetal.cli.engine import add_precision, start
from jaxmetal.cli.output import add_output, write_results
from jaxmetal.io.folder import require_replaceable

SHAPE = (33, 37)
DRAWS = 250
"""Small enough for two minutes with two cores, compilation included."""


def add(commands: Any) -> None:
    """Registers the command."""
    command = commands.add_parser(
        "demo", help="simulate a galaxy as NIRISS sees it, fit it, write results and pictures"
    )
    add_output(command, "jaxmetal-demo")
    command.add_argument("--seed", type=int, default=0, help="of all random numbers")
    command.add_argument("--quiet", action="store_true", help="no progress bars")
    add_precision(command)
    command.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> None:
    """Simulates, fits image and map jointly, writes."""
    start(arguments)
    require_replaceable(arguments.output, arguments.overwrite)
    from jaxmetal.fit import auto
    from jaxmetal.io.config.read import NOWHERE
    from jaxmetal.recipes import gradient
    from jaxmetal.simulate import niriss_like

    galaxy = niriss_like(arguments.seed, SHAPE)
    truth = galaxy.truth.sources["disc"].carries["metallicity"].profile
    print(
        f"Simulated galaxy: 12 + log(O/H) = {truth.central} at the centre, {truth.slope} dex/arcsec. "
        "The fit does not know."
    )
    prior = gradient(galaxy.observations["metallicity"], light=galaxy.observations["halpha"], free_geometry=True)
    posterior = auto(
        prior, galaxy.observations, seed=arguments.seed, start_count=1, draws=DRAWS, progress=not arguments.quiet
    )
    write_results(posterior, arguments.output, arguments.overwrite, origin=NOWHERE, configuration={"command": "demo"})
