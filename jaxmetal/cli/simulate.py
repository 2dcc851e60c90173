"""`jaxmetal simulate`: FITS files of a simulated galaxy, and the TOML file that fits them."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np

from jaxmetal.cli.engine import add_precision, start
from jaxmetal.cli.output import add_output
from jaxmetal.io.fits import write_maps
from jaxmetal.io.folder import MARKER, output_folder, require_replaceable, writing
from jaxmetal.io.provenance import provenance

UNITS = {"metallicity": "dex", "halpha": "flux"}
CONFIG = Path(__file__).with_name("simulated.toml")


def add(commands: Any) -> None:
    """Registers the command."""
    command = commands.add_parser(
        "simulate", help="write FITS maps of a NIRISS-like galaxy and the TOML file to fit them"
    )
    add_output(command, "jaxmetal-simulated")
    command.add_argument("--seed", type=int, default=0, help="of the noise")
    command.add_argument("--slope", type=float, default=-1.0, help="true gradient, dex/arcsec (default %(default)s)")
    add_precision(command)
    command.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> None:
    """Draws and writes."""
    start(arguments)
    require_replaceable(arguments.output, arguments.overwrite)
    from jaxmetal.io.config.read import NOWHERE
    from jaxmetal.simulate import niriss_like

    galaxy = niriss_like(arguments.seed, slope=arguments.slope)
    with output_folder(arguments.output, overwrite=arguments.overwrite) as folder, writing(folder):
        for name, observation in galaxy.observations.items():
            used = np.asarray(observation.used)
            errors = np.broadcast_to(np.asarray(observation.noise.sigma), used.shape)
            maps = {"data": np.where(used, observation.data, np.nan), "sigma": np.where(used, errors, np.nan)}
            write_maps(folder / f"{name}.fits", maps, observation.grid, NOWHERE, dict.fromkeys(maps, UNITS[name]))
        (folder / "fit.toml").write_text(CONFIG.read_text(encoding="utf-8"), encoding="utf-8")
        record = provenance(seed=arguments.seed, configuration={"command": "simulate", "slope": arguments.slope})
        (folder / MARKER).write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")
    print(f"Written to {arguments.output}; fit it with: jaxmetal fit {arguments.output}/fit.toml")
