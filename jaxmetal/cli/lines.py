"""`jaxmetal lines CONFIG.toml`."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from jaxmetal.cli.engine import add_engine, add_quiet, start
from jaxmetal.cli.output import add_output, folder_of
from jaxmetal.io.folder import output_folder, require_replaceable

OF_FIT, OF_CHOICES = "-results", "-choices"
"""Endings of the folder of a fit, as of `jaxmetal fit`, and of a comparison."""


def add(commands: Any) -> None:
    """Registers the command."""
    command = commands.add_parser(
        "lines",
        help="metallicity, with its own and its shared error, extinction and star formation of every spaxel from line "
        "fluxes; or the gradient from the fluxes themselves",
    )
    command.add_argument("config", metavar="CONFIG.toml")
    add_output(command, ending="-lines")
    instead = command.add_mutually_exclusive_group()
    instead.add_argument(
        "--compare-calibrations",
        action="store_true",
        help="instead, the gradient by calibrations, lines and dust law, weighed by evidence, as a table and a picture",
    )
    instead.add_argument(
        "--fit",
        action="store_true",
        help="fit the fluxes themselves, each line through its PSF, for the intrinsic gradient, as `jaxmetal fit` does "
        'with kind = "lines", and write the results of that fit instead',
    )
    add_quiet(command)
    add_engine(command)
    command.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> None:
    """Reads, fits, writes."""
    start(arguments)
    from jaxmetal.cli.fit import fit_job
    from jaxmetal.cli.line_pictures import draw
    from jaxmetal.io.config.lines import read_lines
    from jaxmetal.io.config.lines.as_fit import read_fit_of_lines
    from jaxmetal.io.lines import save_lines
    from jaxmetal.io.lines.contents import contents
    from jaxmetal.io.lines.text import summary

    if arguments.fit:
        arguments.ending = OF_FIT
    if arguments.compare_calibrations:
        arguments.ending = OF_CHOICES
    folder = folder_of(arguments, arguments.config)
    require_replaceable(folder, arguments.overwrite)
    if arguments.fit:
        of_fluxes = read_fit_of_lines(arguments.config)
        return fit_job(of_fluxes, folder, overwrite=arguments.overwrite, resume=False, quiet=arguments.quiet, asked={})
    job = read_lines(arguments.config)
    if arguments.compare_calibrations:
        return compared(job, folder, overwrite=arguments.overwrite, show=not arguments.quiet)
    measured = measured_with_bar(job, show=not arguments.quiet)
    with output_folder(folder, overwrite=arguments.overwrite) as unfinished:
        save_lines(job, measured, unfinished)
        draw(job, measured, unfinished)
    print(summary(job, measured), end="")
    print(f"\nWritten to {folder}:\n{contents(folder)}")


def compared(job: Any, folder: Path, *, overwrite: bool, show: bool) -> None:
    """Compares the choices of a job, with a bar that counts them, and writes the folder."""
    from jaxmetal.cli.line_pictures import draw_choices
    from jaxmetal.edge.progress import bar as progress_bar
    from jaxmetal.io.config.lines.compare import compare
    from jaxmetal.io.lines.choices import choices_text, save_choices

    with progress_bar(total=None, unit="choice", desc="comparing", shown=show) as bar:

        def watch(done: int, total: int) -> None:
            bar.total = total
            bar.update(done - bar.n)

        found = compare(job, watch)
    with output_folder(folder, overwrite=overwrite) as unfinished:
        save_choices(job, found, unfinished)
        draw_choices(job, found, unfinished)
    print(choices_text(job, found), end="")
    print(f"\nWritten to {folder}: choices.ecsv, choices.png, summary.txt, provenance.json")


def measured_with_bar(job: Any, *, show: bool) -> Any:
    """All spectra and regions of a job, with a bar that counts spectra."""
    from jaxmetal.edge.progress import bar as progress_bar
    from jaxmetal.fluxmaps import measure

    most = int(job.spectra.known.sum()) + len(job.masks)
    with progress_bar(total=most, unit="spectrum", desc="fitting", shown=show) as bar:

        def watch(done: int, total: int) -> None:
            bar.total = total  # less than that where a selection leaves spectra out
            bar.update(done - bar.n)

        return measure(
            job.likelihood,
            job.spectra,
            job.masks,
            rule=job.rule,
            luminosity=job.luminosity,
            seed=job.seed,
            progress=watch,
        )
