"""Observations of a configuration."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from astropy.coordinates import SkyCoord

from jaxmetal.edge.arrays import require_computable
from jaxmetal.edge.errors import InputError, shown
from jaxmetal.edge.findings import Finding
from jaxmetal.edge.names import require_name, require_names
from jaxmetal.edge.noise import STYLES, tiny
from jaxmetal.edge.physical import require_physical, standing_for_none, varied
from jaxmetal.io.config.context import Context
from jaxmetal.io.config.extensions import extensions
from jaxmetal.io.config.nodes import build
from jaxmetal.io.config.noises import errors, noise_of
from jaxmetal.io.config.pixels import bins_of, origin_of, pixels_of, used_of
from jaxmetal.io.config.priors import value
from jaxmetal.io.config.table import child, choose, naming, take
from jaxmetal.io.fits import Map, read_map
from jaxmetal.io.spelling import require_known
from jaxmetal.io.units import per_pixel, require_unit
from jaxmetal.io.wcs import judge_pixels
from jaxmetal.observation import Sky
from jaxmetal.observation.weighted_map import known
from jaxmetal.recipes.observations import light_image, weighted_map

COMMON = (
    "kind", "data", *STYLES, "noise", "psf", "pixel_scale", "ignore_unit", "mask", "mask_means", "bad_bits", "dx", "dy",
    "sampling",
)  # fmt: skip


def observation(table: dict[str, Any], where: str, context: Context) -> Any:
    """An observation of a kind that jaxmetal knows, or that a package makes known.

    Raises:
        InputError: if anything in the table or its files cannot be used.
    """
    return kind_of(table, where).read(table, where, context)


def _in_pixels(
    keys: tuple[str, ...], make: Callable[..., Any], scale: Callable[..., float]
) -> Callable[[dict[str, Any], str, Context], Any]:
    """A reader of an observation that is an array of pixels in a file.

    Args:
        keys: that its table may have beside the common ones.
        make: the observation.
        scale: what turns the numbers in its files into those that it needs.
    """

    def read(table: dict[str, Any], where: str, context: Context) -> Any:
        require_known(table, where, (*COMMON, *keys))
        data = context.map(table.get("data"), f"{where}.data")
        grid = pixels_of(data, table, where, context)
        context.findings.extend(judge_pixels(grid, f"{where}.data"))
        context = dataclasses.replace(context, data=data, grid=grid)
        used = used_of(table, where, data, context)
        factor = scale(table, where, data, context)
        sigma = factor * errors(table, where, data, used, context)
        data = dataclasses.replace(data, values=factor * data.values)
        common: dict[str, Any] = {
            "grid": grid,
            "used": used,
            "psf": build(table.get("psf"), "psf", f"{where}.psf", context),
            "sigma": sigma,
            "dx": value(table.get("dx", 0.0), f"{where}.dx", context),
            "dy": value(table.get("dy", 0.0), f"{where}.dy", context),
        }
        made = make(table, where, data, common, context)
        require_computable(f"{where}.data", made.data, made.used)
        require_computable(f"{where}: the errors", np.asarray(made.noise.sigma), made.used)
        context.findings.extend(varied(f"{where}.data", made.data, made.used))
        context.findings.extend(standing_for_none(f"{where}.data", made.data, made.noise.sigma, made.used))
        context.findings.extend(tiny(f"{where}.data", made.noise.sigma, made.used))
        return dataclasses.replace(made, noise=noise_of(table, where, made, used, factor, context))

    return read


def _image(table: dict[str, Any], where: str, data: Map, common: dict[str, Any], context: Context) -> Any:
    sky = take(table, "sky", where, dict, {})
    require_known(sky, f"{where}.sky", ("level", "x_slope", "y_slope"))
    made = Sky(**{key: value(v, f"{where}.sky.{key}", context) for key, v in sky.items()})
    light = take(table, "light", where, str)
    require_name(light, f"{where}.light")
    with naming(where):
        return light_image(data.values, light=light, sky=made, **common)


def _to_flux(table: dict[str, Any], where: str, data: Map, context: Context) -> float:
    if _ignores_unit(table, where):
        return 1.0
    grid: Any = context.grid
    factor, found = per_pixel(data, float(grid.pixel_area), f"{where}.data")
    context.findings.extend(found)
    return factor


def _as_it_is(*_: Any) -> float:
    return 1.0


def _ignores_unit(table: dict[str, Any], where: str) -> bool:
    return take(table, "ignore_unit", where, bool, False)


def _map(table: dict[str, Any], where: str, data: Map, common: dict[str, Any], context: Context) -> Any:
    names = table.get("property", "metallicity")
    bins = None
    if "bins" in table:
        bins = bins_of(table, where, data, context).bins
    mixing = build(table.get("mixing"), "mixing", f"{where}.mixing", context)
    names = tuple(names) if isinstance(names, list) else (names,)
    require_names(names, f"{where}.property")
    if len(names) != mixing.properties or not all(isinstance(name, str) for name in names):
        raise InputError(
            f"{where}.property: expected {mixing.properties} name(s) for {type(mixing).__name__}, "
            f"found {shown(table.get('property'))}; correct it."
        )
    shared = _shared(table, where, data, context)
    if not _ignores_unit(table, where):
        require_unit(data, mixing.unit or known(names).unit, f"{where}.data")
    with naming(where):
        made = weighted_map(data.values, properties=names, mixing=mixing, bins=bins, shared=shared, **common)
    if bins is not None and (out := int(np.sum(bins.labels != made.bins.labels))):
        text = f"{where}: {out} pixels that are not used were taken out of their bins, which are those of the others."
        context.findings.append(Finding("info", text))
    noise: Any = made.noise
    require_physical(f"{where}.data", made.quantity, made.data, made.used, lambda: noise.sigma)
    return made


def _shared(table: dict[str, Any], where: str, data: Map, context: Context) -> dict[str, np.ndarray]:
    """Line ratio -> how far the map moves where the galaxy's gas departs from a calibration by its scatter."""
    given, place = child(table, "shared", where, {})
    require_names(given, place)
    return {ratio: context.beside(data, one, f"{place}.{ratio}").values for ratio, one in given.items()}


def _origin_in_pixels(table: dict[str, Any], where: str, context: Context) -> SkyCoord:
    return origin_of(read_map(*context.path(table.get("data"), f"{where}.data")), "pixel_scale" in table)


def _lines(table: dict[str, Any], where: str, context: Context) -> Any:
    from jaxmetal.io.config.line_maps import read  # stands on what reads `jaxmetal lines`, which stands on this

    return read(table, where, context)


def _line_fluxes(table: dict[str, Any], where: str, context: Context) -> Any:
    from jaxmetal.io.config.line_fluxes import read

    return read(table, where, context)


def _positions(table: dict[str, Any], where: str, context: Context) -> Any:
    from jaxmetal.io.config.image_positions import read

    return read(table, where, context)


def _origin_of_lines(table: dict[str, Any], where: str, context: Context) -> SkyCoord:
    from jaxmetal.io.config.line_maps import origin

    return origin(table, where, context)


class Kind(NamedTuple):
    """How a kind of observation is read.

    Attributes:
        read: from its table, where that is in the file, and the context.
        origin: of the same, the sky position of x = y = 0 where nothing states it; None if its data know of none.
    """

    read: Callable[[dict[str, Any], str, Context], Any]
    origin: Callable[[dict[str, Any], str, Context], SkyCoord] | None = None


KINDS = {
    "map": Kind(_in_pixels(("property", "mixing", "bins", "shared"), _map, _as_it_is), _origin_in_pixels),
    "image": Kind(_in_pixels(("light", "sky"), _image, _to_flux), _origin_in_pixels),
    "lines": Kind(_lines, _origin_of_lines),
    "line_fluxes": Kind(_line_fluxes),
    "positions": Kind(_positions),
}
"""Kind of an observation -> how it is read."""


def kind_of(table: dict[str, Any], where: str) -> Kind:
    """How an observation is read: of a kind above, or of one that a package makes known.

    Raises:
        InputError: if there is no such kind.
    """
    known = {**KINDS, **{name: Kind(read) for name, read in extensions("observation", KINDS).items()}}
    return known[choose(table.get("kind"), f"{where}.kind", known)]
