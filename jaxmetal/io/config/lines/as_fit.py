"""The fit of the fluxes themselves that a configuration of `jaxmetal lines` describes."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jaxmetal.edge.errors import InputError
from jaxmetal.io.config.line_maps import EMISSION, FEATURE
from jaxmetal.io.config.lines.features import features
from jaxmetal.io.config.read import Job, read_job
from jaxmetal.io.config.table import child, choose, described, take

AS_THEY_ARE = ("galaxy", "cosmology", "sky", "fit", "sources", "recipe", "lens")
"""Sections that both have."""
OF_DATA = ("file", "psf", "pixel_scale", "ignore_unit", "mask", "mask_means", "bad_bits")
ELSEWHERE = {
    "table": "a table of spectra has no pixels; give maps",
    "bins": "fluxes are fitted in pixels; leave the bins out",
}
"""What `jaxmetal lines` takes and this fit does not -> why."""
CALIBRATIONS = "M08"
"""The set by default, as of `spaxel.fluxes`."""


def read_fit_of_lines(path: str | Path) -> Job:
    """What `jaxmetal fit` would do with the same files, lines, calibrations and dust.

    Raises:
        InputError: if these are no maps, their PSF is not stated, they are fitted by the likelihood of a paper or
            selected first; or as `read_config`.
    """
    return described(path, lambda table, path: read_job(as_fit(table), path))


def as_fit(table: dict[str, Any]) -> dict[str, Any]:
    """The configuration of that fit; one of `sources` or `recipe` in it is taken, else the recipe `line_gradient`.

    Raises:
        InputError: as `read_fit_of_lines`, but for what is wrong in the files.
    """
    data, _ = child(table, "data", "", {})
    given, where = child(table, "likelihood", "", {})
    for key, why in ELSEWHERE.items():
        if key in data:
            raise InputError(f"data.{key}: expected maps in pixels for --fit, found '{key}': {why}.")
    if "psf" not in data:
        raise InputError(
            'data.psf: expected the point-spread function for --fit, found none; add e.g. {type = "Moffat", '
            "fwhm = 0.7, beta = 2.8}."
        )
    if "selection" in table:
        raise InputError("selection: --fit takes every flux, faint and negative ones too; leave the selection out.")
    if choose(given.get("type", "fluxes"), f"{where}.type", ("fluxes", "patricio19", "wang17", "curti20")) != "fluxes":
        raise InputError(
            f'{where}.type: expected "fluxes" for --fit, found the likelihood of a paper, which is of single spaxels; '
            'state type = "fluxes" and its calibrations.'
        )
    observation = {
        "kind": "lines",
        "calibrations": CALIBRATIONS,
        **{key: data[key] for key in OF_DATA if key in data},
        **_mask(data),
        **{key: given[key] for key in EMISSION if key in given},
        "features": {name: _feature(row) for name, row in features(table).items()},
    }
    made = {key: table[key] for key in AS_THEY_ARE if key in table} | {"observations": {"lines": observation}}
    if "sources" not in table and "recipe" not in table:
        made["recipe"] = {
            "name": "line_gradient",
            **_ranges(given, dereddened=take(data, "dereddened", "data", bool, False)),
        }
    if "run" in table and "fit" not in table:
        made["fit"] = table["run"]
    return made


def _feature(row: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in row.items() if key in FEATURE}


def _mask(data: Mapping[str, Any]) -> dict[str, Any]:
    """A text is a file there, and an extension of the file of the lines here."""
    given = data.get("mask")
    return {"mask": {"file": given}} if isinstance(given, str) and "file" in data else {}


def _ranges(given: Mapping[str, Any], *, dereddened: bool) -> dict[str, Any]:
    ranges = {key: given[key] for key in ("z_range", "a_v_range") if key in given}
    return ranges | {"a_v_range": [0.0, 0.0]} if dereddened else ranges
