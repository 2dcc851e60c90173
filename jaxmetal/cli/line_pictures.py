"""The pictures of `jaxmetal lines`: what was measured, as `plot.of_lines` takes it."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from jaxmetal.cli.output import say
from jaxmetal.fluxmaps import MeasuredGalaxy
from jaxmetal.io.config.lines import LinesJob
from jaxmetal.io.config.lines.compare import Choices
from jaxmetal.io.cosmology import kpc_per_arcsec
from jaxmetal.plot.choices import choices
from jaxmetal.plot.of_lines import LineFit, Region, write
from jaxmetal.plot.saved import save_each
from jaxmetal.spaxel import star_formation_rate


def draw(job: LinesJob, measured: MeasuredGalaxy, folder: Path) -> None:
    """Writes all pictures into a folder, which must exist."""
    spectra = measured.spectra
    fit = LineFit(
        likelihood=job.likelihood,
        flux=spectra.flux,
        sigma=spectra.sigma,
        found=measured.found,
        grid=spectra.grid,
        bins=spectra.bins,
        used=measured.informed,
        radius=None if job.radius is None else spectra.means(job.radius),
        kpc_per_arcsec=None if job.redshift is None else float(kpc_per_arcsec(job.redshift, job.cosmology)),
        errors=measured.errors,
        flux_unit=job.unit or "unit of the fluxes",
        regions={name: _region(job, measured, k) for k, name in enumerate(measured.regions)},
    )
    say(write(folder, fit))


def draw_choices(job: LinesJob, compared: Choices, folder: Path) -> None:
    """Writes choices.png."""
    scale = None if job.redshift is None else float(kpc_per_arcsec(job.redshift, job.cosmology))
    say(save_each({"choices": lambda: choices(compared.found, scale)}, folder))


def _region(job: LinesJob, measured: MeasuredGalaxy, number: int) -> Region:
    columns = {name: values[number] for name, values in measured.of_regions.items()}
    sums = [np.array([columns[f"{kind}_{name}"] for name in measured.spectra.features]) for kind in ("flux", "sigma")]
    extent, per_hb = None, None
    if job.radius is not None:
        inside = job.radius[job.masks[measured.regions[number]] & np.isfinite(job.radius)]
        extent = (float(inside.min()), float(inside.max())) if inside.size else None
    if job.luminosity is not None:
        rate = star_formation_rate(job.luminosity.flux, job.luminosity.distance, rate=job.luminosity.rate)
        per_hb = float(rate) / float(columns["magnification"])
    spaxels = max(float(columns["pixels"]), 1.0)
    return Region(flux=sums[0], sigma=sums[1], found=columns, spaxels=spaxels, radius=extent, sfr_per_hb=per_hb)
