"""What `jaxmetal lines` found, as files: maps, tables, and input that is ready for `jaxmetal fit`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from jaxmetal.edge.writing import writing
from jaxmetal.fluxmaps import FLAGS, MeasuredGalaxy
from jaxmetal.io.config.lines import LinesJob
from jaxmetal.io.fits import write_maps
from jaxmetal.io.folder import MARKER
from jaxmetal.io.lines.columns import descriptions, in_order, units
from jaxmetal.io.lines.fit_toml import fit_toml
from jaxmetal.io.lines.text import summary
from jaxmetal.io.record import provenance
from jaxmetal.io.tables import write_table

NUMBERS = "lines", "flags", "pixels"
"""Columns of whole numbers."""


def save_lines(job: LinesJob, measured: MeasuredGalaxy, folder: str | Path) -> None:
    """Writes everything into an existing folder (see `io.folder.output_folder`).

    spectra.ecsv (a row per bin, row of a table, or spaxel with a line), regions.ecsv, summary.txt and provenance.json;
    of maps also maps.fits (an extension per column), metallicity.fits (see `for_fit`), light.fits (data, sigma),
    bins.fits where there are bins and, if the point-spread function is stated, fit.toml, which `jaxmetal fit` takes.

    Args:
        job: what was asked.
        measured: what was found.
        folder: where.

    Raises:
        InputError: if the folder cannot be written or an input cannot be read.
    """
    folder = Path(folder)
    with writing(folder):
        (folder / "summary.txt").write_text(summary(job, measured), encoding="utf-8")
        _write_spectra(folder / "spectra.ecsv", job, measured)
        if measured.regions:
            _write(folder / "regions.ecsv", job, {"region": list(measured.regions), **measured.of_regions})
        if job.spectra.grid is not None:
            _write_maps(folder, job, measured)
        record = provenance(job.inputs, seed=job.seed, configuration=job.configuration)
        record["findings"] = [str(finding) for finding in (*job.findings, *measured.findings)]
        record["flux_unit"] = job.unit
        (folder / MARKER).write_text(json.dumps(record, indent=2, default=str) + "\n", encoding="utf-8")


def for_fit(measured: MeasuredGalaxy) -> dict[str, np.ndarray]:
    """Z, its own and its whole error, and how all of them move together; NaN but for the spectra that count."""
    errors = measured.errors
    columns = {"data": measured.found["z"], "sigma": errors.sigma, "sigma_total": measured.found["z_sigma"]}
    columns |= {f"shared_{ratio}": moved for ratio, moved in errors.shared.items()}
    return {name: np.where(measured.informed, one, np.nan) for name, one in columns.items()}


def _write_spectra(path: Path, job: LinesJob, measured: MeasuredGalaxy) -> None:
    spectra = measured.spectra
    if spectra.ids is not None:
        count = {} if spectra.grid is None else {"pixels": spectra.pixels}
        _write(path, job, {"id": spectra.ids, **count, **measured.found})
        return
    y, x = np.nonzero(spectra.known)
    _write(path, job, {"x": x, "y": y, **{name: values[spectra.known] for name, values in measured.found.items()}})


def _write(path: Path, job: LinesJob, columns: dict[str, Any]) -> None:
    names = in_order(columns)
    written = {name: _whole(columns[name]) if name in NUMBERS else columns[name] for name in names}
    meta = {"flags": {flag.bit: flag.meaning for flag in FLAGS.values()}, "likelihood": type(job.likelihood).__name__}
    write_table(path, written, units=units(names, job.unit), descriptions=descriptions(names), meta=meta)


def _whole(values: Any) -> np.ndarray:
    return np.nan_to_num(np.asarray(values, float)).astype(int)


def _write_maps(folder: Path, job: LinesJob, measured: MeasuredGalaxy) -> None:
    spectra, grid = measured.spectra, job.spectra.grid
    assert grid is not None
    names = in_order(measured.found)
    painted = {name: spectra.painted(measured.found[name]) for name in names}
    write_maps(folder / "maps.fits", painted, grid, job.origin, units(names, job.unit))
    metallicity = {name: spectra.painted(values) for name, values in for_fit(measured).items()}
    write_maps(folder / "metallicity.fits", metallicity, grid, job.origin, dict.fromkeys(metallicity, "dex"))
    observed = {"data": job.spectra.flux, "sigma": job.spectra.sigma}
    shining = {name: job.spectra.painted(values[..., job.light]) for name, values in observed.items()}
    write_maps(folder / "light.fits", shining, grid, job.origin, dict.fromkeys(shining, job.unit) if job.unit else {})
    if spectra.bins is not None:
        labels = np.asarray(spectra.bins.labels)
        named = np.where(labels >= 0, np.asarray(spectra.ids)[np.maximum(labels, 0)], -1)
        write_maps(folder / "bins.fits", {"bins": named.astype(np.int32)}, grid, job.origin)
    if job.psf is not None:
        (folder / "fit.toml").write_text(fit_toml(job, tuple(measured.errors.shared)), encoding="utf-8")
