"""`jaxmetal source CONFIG.toml`."""

from __future__ import annotations

import argparse
from typing import Any

from jaxmetal.cli.engine import add_machine, start
from jaxmetal.cli.output import add_output, folder_of, say
from jaxmetal.io.folder import output_folder, require_replaceable


def add(commands: Any) -> None:
    """Registers the command."""
    command = commands.add_parser(
        "source",
        help="reconstruct line maps on the source's plane, and measure annuli, PSF and relations there",
    )
    command.add_argument("config", metavar="CONFIG.toml")
    add_output(command, ending="-source")
    add_machine(command)
    command.set_defaults(run=run, float32=False)


def run(arguments: argparse.Namespace) -> None:
    """Reads, measures, writes."""
    start(arguments)
    from jaxmetal.io.config.source_plane import read_source
    from jaxmetal.io.source_files import CONTENTS, save_source, summary
    from jaxmetal.plot import of_resolved
    from jaxmetal.plot.labels import Quantity
    from jaxmetal.plot.of_source import write
    from jaxmetal.sourceplane.galaxy import measure_source
    from jaxmetal.sourceplane.inferred import infer

    folder = folder_of(arguments, arguments.config)
    require_replaceable(folder, arguments.overwrite)
    job = read_source(arguments.config)
    lines = job.lines
    measured = measure_source(
        lines.likelihood,
        lines.spectra,
        job.lens,
        job.psf,
        job.recipe,
        labels=job.labels,
        light=job.light,
        reference=lines.light,
        seed=lines.seed,
    )
    inferred = infer(
        measured,
        lines.likelihood,
        lines.spectra,
        job.recipe,
        light=job.light,
        luminosity=lines.luminosity,
        mass=job.mass,
        error=job.magnification_error,
        models=job.models,
        reference=lines.light,
        seed=lines.seed,
    )
    shown = Quantity(job.shown, job.light_unit or "flux per pixel")
    with output_folder(folder, overwrite=arguments.overwrite) as unfinished:
        save_source(job, measured, inferred, unfinished)
        say(write(unfinished, measured, job.grid, job.light, shown, job.kpc_per_arcsec))
        say(of_resolved.write(unfinished, inferred.relations))
    print(summary(job, measured, inferred), end="")
    width = max(map(len, CONTENTS))
    there = [f"  {name:{width}}  {what}" for name, what in CONTENTS.items() if any(folder.glob(name))]
    print(f"\nWritten to {folder}:\n" + "\n".join(there))
