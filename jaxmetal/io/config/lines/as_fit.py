"""The fit of the fluxes themselves that a configuration of `jaxmetal lines` describes."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jaxmetal.edge.errors import InputError
from jaxmetal.edge.findings import Finding, worst_first
from jaxmetal.io.config.line_maps import EMISSION, FEATURE
from jaxmetal.io.config.lines.features import features
from jaxmetal.io.config.lines.likelihood import KINDS, require_no_dust
from jaxmetal.io.config.priors import pair
from jaxmetal.io.config.read import Job, read_job
from jaxmetal.io.config.table import child, choose, described, take
from jaxmetal.io.spelling import require_known

AS_THEY_ARE = ("galaxy", "cosmology", "sky", "sources", "lens")
"""Sections that both have."""
OF_DATA = ("file", "psf", "pixel_scale", "ignore_unit", "mask", "mask_means", "bad_bits")
ELSEWHERE = {
    "table": "a table of spectra has no pixels; give maps",
    "bins": "fluxes are fitted in pixels; leave the bins out",
}
"""What `jaxmetal lines` takes and this fit does not -> why."""
RECIPE = "line_gradient"
"""The prior by default."""
RANGES = ("z_range", "a_v_range")
"""Options of the likelihood that the recipe takes as well."""
CALIBRATIONS = "M08"
"""The set by default, as of `spaxel.fluxes`."""


def read_fit_of_lines(path: str | Path) -> Job:
    """What `jaxmetal fit` would do with the same files, lines, calibrations and dust.

    Raises:
        InputError: if these are no maps, their PSF is not stated, they are fitted by the likelihood of a paper or
            selected first, or an option of the likelihood is not for this fit; or as `read_config`.
    """
    return described(path, _job)


def _job(table: dict[str, Any], path: Path) -> Job:
    job = read_job(as_fit(table), path)
    return dataclasses.replace(job, findings=worst_first([*job.findings, *_unused(table)]))


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
    _require_fluxes(given, where)
    observation = {
        "kind": "lines",
        "calibrations": CALIBRATIONS,
        **{key: data[key] for key in OF_DATA if key in data},
        **_mask(data),
        **{key: given[key] for key in EMISSION if key in given},
        "features": {name: _feature(row) for name, row in features(table).items()},
    }
    made = {key: table[key] for key in AS_THEY_ARE if key in table} | {"observations": {"lines": observation}}
    recipe, _ = child(table, "recipe", "", {} if "sources" in table else {"name": RECIPE})
    ranges = _ranges(given, recipe, dereddened=take(data, "dereddened", "data", bool, False))
    if recipe or "recipe" in table:
        made["recipe"] = {**ranges, **recipe} if recipe.get("name") == RECIPE else recipe
    return made | _settings(table)


def _require_fluxes(given: dict[str, Any], where: str) -> None:
    """Refuses what the fit has no likelihood for."""
    if choose(given.get("type", "fluxes"), f"{where}.type", ("fluxes", "patricio19", "wang17", "curti20")) != "fluxes":
        raise InputError(
            f'{where}.type: expected "fluxes" for --fit, found the likelihood of a paper, which is of single spaxels; '
            'state type = "fluxes" and its calibrations.'
        )
    require_known(given, where, ("type", *KINDS["fluxes"][1]))
    if "hb_mean" in given:
        raise InputError(
            f"{where}.hb_mean: expected none for --fit, found one: the light of the source has a prior of its own; "
            "leave it out."
        )


def _feature(row: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in row.items() if key in FEATURE}


def _mask(data: Mapping[str, Any]) -> dict[str, Any]:
    """A text is a file there, and an extension of the file of the lines here."""
    given = data.get("mask")
    return {"mask": {"file": given}} if isinstance(given, str) and "file" in data else {}


def _ranges(given: dict[str, Any], recipe: dict[str, Any], *, dereddened: bool) -> dict[str, Any]:
    """Of the recipe where it states none itself."""
    ranges = {key: given[key] for key in RANGES if key in given}
    if not dereddened:
        return ranges
    for one, where in ((given, "likelihood"), (recipe, "recipe")):
        if "a_v_range" in one:
            require_no_dust(pair(one, "a_v_range", where), f"{where}.a_v_range")
    return ranges | {"a_v_range": [0.0, 0.0]}


def _settings(table: dict[str, Any]) -> dict[str, Any]:
    """The table `fit`, with the seed of `run` where it states none."""
    run, where = child(table, "run", "", {})
    require_known(run, where, ("seed",))
    return {"fit": {**run, **child(table, "fit", "", {})[0]}} if "run" in table or "fit" in table else {}


def _unused(table: dict[str, Any]) -> list[Finding]:
    """What says something of a prior that [sources] state themselves."""
    if "sources" not in table:
        return []
    given, where = child(table, "likelihood", "", {})
    stated = [f"{where}.{key}" for key in RANGES if key in given]
    stated += ["data.dereddened"] if table["data"].get("dereddened") else []
    text = "not used by --fit beside [sources], whose own priors of metallicity and extinction count; state it there."
    return [Finding("warning", f"{place}: {text}") for place in stated]
