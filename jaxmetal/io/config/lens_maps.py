"""Lenses whose arrays come from maps."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from jaxmetal.edge.errors import InputError
from jaxmetal.edge.findings import Finding
from jaxmetal.io.config.context import Context
from jaxmetal.io.config.priors import value
from jaxmetal.io.config.table import choose, naming, take
from jaxmetal.io.deflection import SCALARS, UNITS, DeflectionMap, check_deflection, read_deflection, read_scalar
from jaxmetal.io.ensemble import read_ensemble
from jaxmetal.io.spelling import require_known
from jaxmetal.lens import Ensemble, RegionShift, Tabulated
from jaxmetal.lens.ensemble import VARIANCE

Build = Callable[..., Any]
FRAMES = {"unit": tuple(UNITS), "axes": ("pixels", "found")}
"""How the components of a deflection may be told; see `read_deflection`."""
OF_KIND = {"x": FRAMES, "convergence": ("shear",)}
"""What maps come with -> the further keys that they take."""
KNOWN = ("amplification", "shear")
"""Maps that a deflection is checked against."""


def deflection(table: dict[str, Any], where: str, context: Context, build: Build) -> Tabulated:
    """A deflection map, or what follows from a map of the potential or the convergence; checked."""
    kind = tuple(key for of, keys in OF_KIND.items() if of in table for key in keys)
    require_known(table, where, ("x", "y", *SCALARS, "z_map", "interpolation", "ignore_unit", "amplification", *kind))
    with naming(where):
        read = _read(table, where, context)
    known = {
        key: (known_map.values, context.placed(known_map, f"{where}.{key}"))
        for key in KNOWN
        if key in table
        for known_map in [context.map(table[key], f"{where}.{key}")]
    }
    report = check_deflection(read.lens, **known)
    with naming(where):
        report.require()
    if table.get("axes") == "found":
        text = f"{where}: the deflection maps are read {read.record['axes']}, the reading that is free of curl."
        context.findings.append(Finding("info", text))
    context.findings.extend(report.findings)
    return read.lens


def _read(table: dict[str, Any], where: str, context: Context) -> DeflectionMap:
    given = [holds for holds in SCALARS if holds in table]
    if len(given) + ("x" in table or "y" in table) > 1:
        found = ", ".join(key for key in ("x", "y", *SCALARS) if key in table)
        raise InputError(
            f"{where}: expected the maps x and y, or one of {' and '.join(SCALARS)}, found {found}; keep one of them."
        )
    options = _options(table, where, context)
    if given:
        path, hdu = context.path(table[given[0]], f"{where}.{given[0]}")
        return read_scalar(path, given[0], hdu=hdu, **options)  # type: ignore[arg-type]
    (x, x_hdu), (y, y_hdu) = (context.path(table.get(axis), f"{where}.{axis}") for axis in "xy")
    options |= {key: choose(table[key], f"{where}.{key}", allowed) for key, allowed in FRAMES.items() if key in table}
    return read_deflection(x, y, x_hdu=x_hdu, y_hdu=y_hdu, **options)


def _options(table: dict[str, Any], where: str, context: Context) -> dict[str, Any]:
    z_lens, z_source = context.z_lens, context.redshifts.reference
    if z_lens is None:
        raise InputError(f"{where}: the key 'z_lens' is missing; state the redshift of the lens.")
    if z_source is None:
        raise InputError(f"{where}: expected a source whose redshift is known, found none; state it as galaxy.z.")
    if "z_map" not in table:
        raise InputError(
            f"{where}: the key 'z_map' is missing; "
            'state the redshift of the maps, "inf" (D_LS/D_S = 1) or "source" (already scaled).'
        )
    return {
        "origin": context.origin,
        "z_lens": z_lens,
        "z_source": z_source,
        "z_map": table["z_map"],
        "cosmology": context.cosmology,
        "interpolation": choose(table.get("interpolation", "cubic"), f"{where}.interpolation", ("bilinear", "cubic")),
        "ignore_unit": take(table, "ignore_unit", where, bool, False),
    }


def regions(table: dict[str, Any], where: str, context: Context, build: Build) -> RegionShift:
    """Source-plane shifts of labelled regions."""
    require_known(table, where, ("labels", "dx", "dy"))
    read = context.map(table.get("labels"), f"{where}.labels")
    shifts = {
        axis: {
            label: value(v, f"{where}.{axis}.{label}", context) for label, v in take(table, axis, where, dict).items()
        }
        for axis in ("dx", "dy")
    }
    grid, labels = context.placed(read, f"{where}.labels"), np.nan_to_num(read.values).astype(int)
    for label in {**shifts["dx"], **shifts["dy"]}:
        if not label.isdigit():
            raise InputError(
                f"{where}: expected whole numbers as labels of regions, found '{label}'; write e.g. 2 = 0.1."
            )
        if int(label) == 0 or not np.any(labels == int(label)):
            what = "is the region that stays where it is" if int(label) == 0 else "is the label of no pixel"
            raise InputError(f"{where}: {label} {what}, and cannot be shifted; correct or remove it.")
    return RegionShift(labels=labels, grid=grid, **shifts)  # type: ignore[arg-type]


def ensemble(table: dict[str, Any], where: str, context: Context, build: Build) -> Ensemble:
    """Deflection maps of several models, the weights of whose differences are free; checked."""
    require_known(table, where, ("x", "y", "z_map", "interpolation", "ignore_unit", "variance", "amplitude"))
    x, y = (_members(table.get(axis), f"{where}.{axis}", context) for axis in "xy")
    options = {
        "variance": take(table, "variance", where, float, VARIANCE),
        "amplitude": value(table.get("amplitude", 1.0), f"{where}.amplitude", context),
        **_options(table, where, context),
    }
    with naming(where):
        read = read_ensemble(x, y, **options)
        read.report.require()
    context.findings.extend(Finding(one.severity, f"{where}: {one.text}") for one in read.report.findings)
    return read.lens


def _members(given: Any, where: str, context: Context) -> Any:
    """A file with the maps of all members stacked, or a list of files."""
    if isinstance(given, list):
        return [context.path(one, f"{where}.{place}") for place, one in enumerate(given)]
    return context.path(given, where)
