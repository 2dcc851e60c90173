"""The TOML file that fits the metallicity map which `jaxmetal lines` wrote."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jaxmetal.io.config.lines import LinesJob

SPAXELS = """
[observations.light]
kind = "image"
data = {{file = "light.fits", hdu = "data"}}         # observed {light}, which weights the metallicity
sigma = {{file = "light.fits", hdu = "sigma"}}
light = "light"
psf = {psf}

[recipe]
name = "gradient"
light = "light"
free_geometry = true
"""
BINS = """
[recipe]
name = "gradient"
light = {{type = "Picture", file = {{file = "light.fits", hdu = "data"}}, plane = "image"}}
# The light is observed {light}, even within each bin and blurred twice: a sharper picture is better, with its own psf.
free_geometry = true
"""
SCATTER = (
    "The error of each Z has two parts: its own, and one that all places share, as far as the gas of a galaxy departs "
    "as a whole from the calibrations. The fit has the first as noise, and for the second one departure per line "
    "ratio, so that it counts once: in full for the central value, and for the slope as far as it differs with Z. "
    "Where lines are near the noise the Z of a place is biased, which no error tells: `jaxmetal lines CONFIG.toml "
    "--fit` fits the fluxes themselves."
)
"""What to know of errors before they are fitted."""
SHARED = """
[observations.metallicity.shared]                    # how far Z moves if gas departs by the scatter of a calibration
{responses}
"""
HEAD = """# Fits the metallicity map beside this file; `jaxmetal check` says what it describes. A spaxel or bin with two
# branches of metallicity is a wide Gaussian here. Behind a lens: add [lens.NAME] and take the recipe lensed_gradient,
# as `jaxmetal example` shows.
{scatter}

[galaxy]
{galaxy}

[cosmology]
H0 = {H0}
Om0 = {Om0}

[observations.metallicity]
kind = "map"
data = {{file = "metallicity.fits", hdu = "data"}}
sigma = {{file = "metallicity.fits", hdu = "sigma"}}
{bins}mixing = "Dex"
psf = {psf}
noise = {{type = "Gaussian", jitter = {{dist = "HalfNormal", scale = 0.05}}}}   # intrinsic scatter, dex
"""


def fit_toml(job: LinesJob, ratios: tuple[str, ...]) -> str:
    """The text, with the files that `save_lines` writes.

    Args:
        job: of maps, with the point-spread function stated.
        ratios: whose calibrations' scatter moves the map (`MeasuredGalaxy.errors`).
    """
    binned = job.spectra.bins is not None
    galaxy = {"name": job.name, **({} if job.redshift is None else {"z": job.redshift})}
    folder = job.inputs["configuration"].absolute().parent
    responses = [f'{ratio} = {{file = "metallicity.fits", hdu = "shared_{ratio}"}}' for ratio in ratios]
    return (HEAD + (SHARED if ratios else "") + (BINS if binned else SPAXELS)).format(
        responses="\n".join(responses),
        scatter=textwrap.fill(SCATTER, 118, initial_indent="# ", subsequent_indent="# "),
        galaxy="\n".join(f"{key} = {inline(value)}" for key, value in galaxy.items()),
        H0=float(job.cosmology.H0.value),
        Om0=float(job.cosmology.Om0),
        bins='bins = "bins.fits"\n' if binned else "",
        psf=inline(_elsewhere(job.psf, folder)),
        light=job.spectra.features[job.light],
    )


def inline(value: Any) -> str:
    """A value as TOML writes it on one line."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{key} = {inline(one)}" for key, one in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(inline, value)) + "]"
    return json.dumps(value, ensure_ascii=False)


def _elsewhere(value: Any, folder: Path) -> Any:
    """The same table for a file in another folder: names of files become absolute."""
    if isinstance(value, Mapping):
        return {
            key: str(folder / one) if key == "file" and isinstance(one, str) else _elsewhere(one, folder)
            for key, one in value.items()
        }
    return [_elsewhere(one, folder) for one in value] if isinstance(value, list) else value
