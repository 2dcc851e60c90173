"""`jaxmetal simulate`: FITS files of simulated galaxies, one or a sample, and the TOML file that fits them."""

from __future__ import annotations

import argparse
import contextlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from jaxmetal.cli.engine import add_engine, start
from jaxmetal.cli.output import add_output
from jaxmetal.edge.errors import InputError
from jaxmetal.edge.writing import writing
from jaxmetal.io.folder import MARKER, output_folder, require_replaceable
from jaxmetal.io.record import provenance

CONFIG = Path(__file__).with_name("simulated.toml")
LINES = CONFIG.with_name("simulated_lines.toml")
SLOPE, SLOPE_OF_LINES, INSTRUMENT = -1.0, -0.3, "NIRISS"
STEEPEST = 100.0
"""Slope, dex/arcsec, beyond which no galaxy is simulated."""


def add(commands: Any) -> None:
    """Registers the command."""
    command = commands.add_parser(
        "simulate", help="write FITS maps of a simulated galaxy, or of a sample, and the TOML file to fit them"
    )
    add_output(command, "jaxmetal-simulated")
    command.add_argument("--seed", type=int, default=0, help="of the noise, and of the galaxies of a sample")
    default = f"{SLOPE}, or {SLOPE_OF_LINES} with --lines"
    command.add_argument("--slope", type=float, help=f"of one galaxy: true gradient, dex/arcsec (default {default})")
    command.add_argument(
        "--lines", action="store_const", const=True, help="of one galaxy: maps of its line fluxes, as KMOS sees them"
    )
    command.add_argument("--galaxies", type=int, metavar="N", help="a sample of N galaxies, for `batch`")
    command.add_argument("--instrument", metavar="NAME", help=f"of a sample (default {INSTRUMENT}); e.g. KMOS, MaNGA")
    add_engine(command)
    command.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> None:
    """Draws and writes."""
    start(arguments)
    require_replaceable(arguments.output, arguments.overwrite)
    if arguments.galaxies is None:
        _refuse("--instrument", arguments.instrument, "only samples have a choice; add --galaxies N, or leave it out")
        _galaxy(arguments)
    else:
        _refuse("--slope", arguments.slope, "the galaxies of a sample have slopes of their own; leave it out")
        _refuse("--lines", arguments.lines, "samples are of maps of metallicity; leave it out, or --galaxies")
        _sample(arguments)


def _galaxy(arguments: argparse.Namespace) -> None:
    from jaxmetal.io.simulated import write_galaxy
    from jaxmetal.simulate import kmos_like, niriss_like

    make, usual, config = (kmos_like, SLOPE_OF_LINES, LINES) if arguments.lines else (niriss_like, SLOPE, CONFIG)
    slope = usual if arguments.slope is None else arguments.slope
    if not abs(slope) <= STEEPEST:
        raise InputError(f"--slope: expected {-STEEPEST:g} to {STEEPEST:g} dex/arcsec, found {slope:g}; correct it.")
    galaxy = make(arguments.seed, slope=slope)
    with _recorded(arguments, slope=slope) as folder:
        write_galaxy(galaxy.observations, folder)
        (folder / "fit.toml").write_text(config.read_text(encoding="utf-8"), encoding="utf-8")
    print(f"Written to {arguments.output}; fit it with: jaxmetal fit {arguments.output}/fit.toml")


def _sample(arguments: argparse.Namespace) -> None:
    from jaxmetal.cli.sample import configuration, draw
    from jaxmetal.io.simulated import write_sample

    count, seed = arguments.galaxies, arguments.seed
    instrument = INSTRUMENT if arguments.instrument is None else arguments.instrument
    if count < 1:
        raise InputError(f"--galaxies: expected a whole number from 1 on, found {count}; correct it.")
    sample = draw(count, instrument, seed)
    with _recorded(arguments, galaxies=count, instrument=instrument) as folder:
        first = write_sample(sample, folder, seed)
        (folder / "shared.toml").write_text(configuration(instrument, first), encoding="utf-8")
    made = f"{arguments.output}/sample.ecsv --config {arguments.output}/shared.toml"
    asked = "--of disc.metallicity.slope_per_kpc --against log_mass=10"
    print(f"Written to {arguments.output}; fit the galaxies, and then the relation of their gradients, with:")
    print(f"  jaxmetal batch {made} --out run --posteriors")
    print(f"  jaxmetal population run/results.ecsv {asked} -o relation")


@contextlib.contextmanager
def _recorded(arguments: argparse.Namespace, **settings: Any) -> Iterator[Path]:
    """The output folder, complete with its provenance or absent."""
    with output_folder(arguments.output, overwrite=arguments.overwrite) as folder, writing(folder):
        yield folder
        record = provenance(seed=arguments.seed, configuration={"command": "simulate", **settings})
        (folder / MARKER).write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")


def _refuse(option: str, given: Any, why: str) -> None:
    if given is not None:
        raise InputError(f"{option}: found {given}, but {why}.")
