"""What the tables of lenses may say in the place of a lens's own numbers."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection
from typing import Any, NamedTuple

import numpy as np
from astropy.cosmology import FLRW
from numpyro.distributions import Distribution, TransformedDistribution
from numpyro.distributions.constraints import positive as positive_real
from numpyro.distributions.transforms import AffineTransform, PowerTransform

from jaxmetal import lens
from jaxmetal.edge.errors import InputError, shown
from jaxmetal.edge.findings import Finding
from jaxmetal.io.config.context import NOWHERE, Context
from jaxmetal.io.config.places import places
from jaxmetal.io.config.priors import value
from jaxmetal.io.config.redshifts import several_planes
from jaxmetal.io.config.table import positive, take
from jaxmetal.io.deflection import distance_ratio
from jaxmetal.io.lenstool import from_lenstool
from jaxmetal.io.spelling import require_known
from jaxmetal.io.tables import read_table
from jaxmetal.lens import Plane
from jaxmetal.lens.derive import Lens
from jaxmetal.lens.normalisation import b0_from_velocity_dispersion
from jaxmetal.numerics.written import written
from jaxmetal.prior import bounds

PLACES = ("x0", "y0")
OPTIONAL = ("q", "pa")


class Deflector(NamedTuple):
    """A lens as a configuration states it.

    Attributes:
        lens: what bends.
        z_lens: its redshift, None where it is not stated.
        cosmology: of the file of a model that brings its own, None of others.
    """

    lens: Lens
    z_lens: float | None
    cosmology: FLRW | None = None


def behind(deflectors: Collection[Deflector], context: Context) -> Context:
    """The context of what is behind lenses: their redshifts, and the cosmology in which their deflections scale.

    A model that brings its own scales from source to source in that alone.
    """
    planes = tuple(one.z_lens for one in deflectors if one.z_lens is not None)
    context.findings.extend(several_planes(planes))
    own = [one.cosmology for one in deflectors if one.cosmology is not None]
    if any(one != own[0] for one in own):
        text = f"[lens]: models of several cosmologies; ratios of distances are of the first, {own[0]}."
        context.findings.append(Finding("warning", text))
    return dataclasses.replace(context, planes=planes, of_models=own[0] if own else None)


def in_own_numbers(table: dict[str, Any], where: str, context: Context) -> tuple[dict[str, Any], dict[str, Any]]:
    """The table with the columns of a `catalogue` of cluster galaxies, and apart `b0` for a `velocity_dispersion`.

    Raises:
        InputError: if redshifts are missing, the type takes no dispersion, or the catalogue cannot be used.
    """
    made, own = dict(table), {}
    if "velocity_dispersion" in made:
        kind = getattr(lens, str(made.get("type")), None)
        if dataclasses.is_dataclass(kind) and "b0" not in {one.name for one in dataclasses.fields(kind)}:
            raise InputError(
                f"{where}: {shown(made['type'])} takes no velocity_dispersion; use DPIE, whose strength it is, or give "
                "the numbers of this lens."
            )
        own["b0"] = _strength(made, where, context)
        del made["velocity_dispersion"]
    if "catalogue" in made:
        columns = _galaxies(made, where, context)
        both = sorted(set(columns) & set(made))
        if both:
            raise InputError(f"{where}.{both[0]}: expected it once, found it here and in the catalogue; remove one.")
        made |= {key: np.asarray(values, float).tolist() for key, values in columns.items()}
        for key in ("catalogue", "mag_star"):
            made.pop(key, None)
    return made, own


def lenstool(table: dict[str, Any], where: str, context: Context) -> Deflector:
    """The cluster of a Lenstool parameter file.

    Raises:
        InputError: if the file cannot be used, or no source's redshift is known.
    """
    require_known(table, where, ("lenstool",))
    path, _ = context.path(table["lenstool"], f"{where}.lenstool")
    z_source = context.redshifts.reference
    if z_source is None:
        raise InputError(f"{where}: expected a source whose redshift is known, found none; state it as galaxy.z.")
    if context.origin is NOWHERE:
        raise InputError(
            f"{where}: expected data with world coordinates or [sky], as the file has, found none; add [sky]."
        )
    model = from_lenstool(path, z_source, context.origin)
    context.redshifts.require_behind(model.z_lens, where)
    text = (
        f"{where}: {len(model.lens)} lenses at z = {model.z_lens:g}; they and ratios of distances have the file's own "
        f"cosmology, {model.cosmology}."
    )
    context.findings.append(Finding("info", text))
    return Deflector(Plane(parts=model.lens), model.z_lens, model.cosmology)


def _strength(table: dict[str, Any], where: str, context: Context) -> Any:
    """b0 = k sigma^2, or its prior where that of sigma is given."""
    if "b0" in table:
        raise InputError(f"{where}: expected b0 or a velocity_dispersion, found both; remove one.")
    z_source = context.redshifts.reference
    if context.z_lens is None:
        raise InputError(f"{where}: the key 'z_lens' is missing, which a velocity_dispersion needs; add a redshift.")
    if z_source is None:
        raise InputError(f"{where}: expected a source whose redshift is known, found none; state it as galaxy.z.")
    ratio = distance_ratio(context.cosmology, context.z_lens, z_source)
    if not isinstance(table["velocity_dispersion"], dict):
        return float(b0_from_velocity_dispersion(positive(table, "velocity_dispersion", where, float), ratio))
    place = f"{where}.velocity_dispersion"
    sigma = value(table["velocity_dispersion"], place, context)
    if not isinstance(sigma, Distribution) or np.any(bounds(sigma)[0] < 0.0):
        raise InputError(
            f"{place}: expected a number or a prior of numbers above 0, found {written(sigma)}; write e.g. Uniform or "
            "TruncatedNormal with low = 0, or tie and begin at b0 instead."
        )
    factor = float(b0_from_velocity_dispersion(1.0, ratio))
    text = f"{place}: fitted as {where}.b0 = {factor:.5g} arcsec (velocity_dispersion / (km/s))^2."
    context.findings.append(Finding("info", text))
    if place in context.starts:
        context.starts[f"{where}.b0"] = factor * context.starts.pop(place) ** 2
    return TransformedDistribution(sigma, [PowerTransform(2.0), AffineTransform(0.0, factor, positive_real)])


def _galaxies(table: dict[str, Any], where: str, context: Context) -> dict[str, Any]:
    """Positions, luminosities and, where they are there, shapes."""
    place = f"{where}.catalogue"
    path, _ = context.path(table["catalogue"], place)
    columns = read_table(path)
    x0, y0 = places(columns, PLACES, place, context)
    found = {"x0": x0, "y0": y0, "luminosity": _luminosity(columns, table, where)}
    found |= {key: columns[key] for key in OPTIONAL if key in columns}
    for key, values in found.items():
        bad = int(np.sum(~np.isfinite(np.asarray(values, float))))
        if bad:
            raise InputError(f"{place}: expected a number for every galaxy, found {bad} without '{key}'; remove them.")
    return found


def _luminosity(columns: dict[str, np.ndarray], table: dict[str, Any], where: str) -> np.ndarray:
    """L / L*, or from magnitudes."""
    if "luminosity" in columns:
        return columns["luminosity"]
    if "mag" not in columns:
        raise InputError(
            f"{where}.catalogue: expected a column luminosity (L / L*) or mag, found {', '.join(columns)}; add one."
        )
    mag_star = take(table, "mag_star", where, float)
    return np.asarray(10.0 ** (-0.4 * (np.asarray(columns["mag"], float) - mag_star)))
