"""Observations of a configuration."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from astropy.coordinates import SkyCoord

from jaxmetal.edge.bins import per_bin
from jaxmetal.edge.errors import InputError
from jaxmetal.edge.findings import Finding
from jaxmetal.edge.noise import STYLES
from jaxmetal.instrument.psf import fwhm
from jaxmetal.io.bins import read_bins
from jaxmetal.io.config.context import Context
from jaxmetal.io.config.extensions import extensions
from jaxmetal.io.config.nodes import build
from jaxmetal.io.config.priors import value
from jaxmetal.io.config.table import choose, positive, require_known, take
from jaxmetal.io.fits import Map, read_map
from jaxmetal.io.noise import to_sigma
from jaxmetal.io.quality import read_used
from jaxmetal.numerics.grid import Grid
from jaxmetal.observation import Sky
from jaxmetal.recipes.observations import light_image, weighted_map

WIDEST = 2.0
"""Largest FWHM over the longer side of a map: anything wider is a wrong unit, and costs memory without end."""

COMMON = (
    "kind", "data", *STYLES, "noise", "psf", "pixel_scale", "mask", "mask_means", "bad_bits", "dx", "dy", "sampling",
)  # fmt: skip
SAME_SCALE = 0.01
"""Relative difference between a stated pixel scale and the file's that is still the same."""


def observation(table: dict[str, Any], where: str, context: Context) -> Any:
    """An observation of a kind that jaxmetal knows, or that a package makes known.

    Raises:
        InputError: if anything in the table or its files cannot be used.
    """
    return kind_of(table, where).read(table, where, context)


def _in_pixels(keys: tuple[str, ...], make: Callable[..., Any]) -> Callable[[dict[str, Any], str, Context], Any]:
    """A reader of an observation that is an array of pixels in a file."""

    def read(table: dict[str, Any], where: str, context: Context) -> Any:
        require_known(table, where, (*COMMON, *keys))
        data = context.map(table.get("data"), f"{where}.data")
        grid = pixels_of(data, table, where, context.origin)
        context = dataclasses.replace(context, pixel_scale=float(np.sqrt(grid.pixel_area)))
        used = used_of(table, where, data, context)
        common: dict[str, Any] = {
            "grid": grid,
            "used": used,
            "psf": build(table.get("psf"), "psf", f"{where}.psf", context),
            "sigma": _sigma(table, where, data, used, context),
            "dx": value(table.get("dx", 0.0), f"{where}.dx", context),
            "dy": value(table.get("dy", 0.0), f"{where}.dy", context),
        }
        made = make(table, where, data, common, context)
        return dataclasses.replace(made, noise=_noise(table, where, made, used, context))

    return read


def _image(table: dict[str, Any], where: str, data: Map, common: dict[str, Any], context: Context) -> Any:
    sky = take(table, "sky", where, dict, {})
    require_known(sky, f"{where}.sky", ("level", "x_slope", "y_slope"))
    made = Sky(**{key: value(v, f"{where}.sky.{key}", context) for key, v in sky.items()})
    return light_image(data.values, light=take(table, "light", where, str), sky=made, **common)


def _map(table: dict[str, Any], where: str, data: Map, common: dict[str, Any], context: Context) -> Any:
    names = table.get("property", "metallicity")
    bins = None
    if "bins" in table:
        path, hdu = context.path(table["bins"], f"{where}.bins")
        read = read_bins(path, shape=data.values.shape, hdu=hdu)
        context.findings.extend(read.findings)
        bins = read.bins
    mixing = build(table.get("mixing"), "mixing", f"{where}.mixing", context)
    names = tuple(names) if isinstance(names, list) else (names,)
    if len(names) != mixing.properties or not all(isinstance(name, str) for name in names):
        raise InputError(
            f"{where}.property: expected {mixing.properties} name(s) for {type(mixing).__name__}, "
            f"found {table.get('property')!r}; correct it."
        )
    made = weighted_map(data.values, properties=names, mixing=mixing, bins=bins, **common)
    if bins is not None and (out := int(np.sum(bins.labels != made.bins.labels))):
        text = f"{where}: {out} pixels that are not used were taken out of their bins, which are those of the others."
        context.findings.append(Finding("info", text))
    return made


NOWHERE = SkyCoord(0.0, 0.0, unit="deg")
"""The sky origin of data without world coordinates."""


def origin_of(data: Map, scaled: bool) -> SkyCoord:
    """The middle of a map; nowhere if only the scale of its pixels is stated.

    Raises:
        InputError: if neither is known.
    """
    if scaled and not has_sky(data):
        return NOWHERE
    try:
        return data.origin()
    except InputError as error:
        raise InputError(f"The map {data.path}: {error}") from None


def _origin_in_pixels(table: dict[str, Any], where: str, context: Context) -> SkyCoord:
    return origin_of(read_map(*context.path(table.get("data"), f"{where}.data")), "pixel_scale" in table)


class Kind(NamedTuple):
    """How a kind of observation is read.

    Attributes:
        read: from its table, where that is in the file, and the context.
        origin: of the same, the sky position of x = y = 0 where nothing states it; None if its data know of none.
    """

    read: Callable[[dict[str, Any], str, Context], Any]
    origin: Callable[[dict[str, Any], str, Context], SkyCoord] | None = None


KINDS = {
    "map": Kind(_in_pixels(("property", "mixing", "bins"), _map), _origin_in_pixels),
    "image": Kind(_in_pixels(("light", "sky"), _image), _origin_in_pixels),
}
"""Kind of an observation -> how it is read."""


def kind_of(table: dict[str, Any], where: str) -> Kind:
    """How an observation is read: of a kind above, or of one that a package makes known.

    Raises:
        InputError: if there is no such kind.
    """
    known = {**KINDS, **{name: Kind(read) for name, read in extensions("observation", KINDS).items()}}
    return known[choose(table.get("kind"), f"{where}.kind", known)]


def pixels_of(data: Map, table: dict[str, Any], where: str, origin: SkyCoord) -> Grid:
    """The pixels, from world coordinates, or from a pixel scale where the file has none."""
    scale = positive(table, "pixel_scale", where, float, None)
    if scale is None:
        return data.grid(origin)
    if not has_sky(data):
        return Grid.regular(data.values.shape, scale)  # type: ignore[arg-type]
    grid = data.grid(origin)
    found = float(np.sqrt(grid.pixel_area))
    if abs(found / scale - 1.0) > SAME_SCALE:
        raise InputError(
            f"{where}.pixel_scale: {scale} arcsec contradicts the {found:.4g} arcsec of {data.path}; "
            "remove it or correct the header."
        )
    return grid


def has_sky(data: Map) -> bool:
    """Whether a file has world coordinates."""
    try:
        data.origin()
    except InputError:
        return False
    return True


def used_of(table: dict[str, Any], where: str, data: Map, context: Context) -> np.ndarray | None:
    """Which pixels count by the mask of a table, None without one."""
    if "mask" not in table:
        return None
    path, hdu = context.path(table["mask"], f"{where}.mask")
    bits = take(table, "bad_bits", where, int, None)
    sense = choose(table.get("mask_means"), f"{where}.mask_means", ("use", "reject"))
    return read_used(path, sense, bits, shape=data.values.shape, hdu=hdu)  # type: ignore[arg-type]


def _sigma(table: dict[str, Any], where: str, data: Map, used: Any, context: Context) -> np.ndarray:
    """The errors; ones where the noise has parameters instead."""
    given = {name: table[name] for name in STYLES if name in table}
    if not given and "noise" in table:
        return np.ones(data.values.shape)
    read = {name: v if isinstance(v, (int, float)) else context.map(v, f"{where}.{name}") for name, v in given.items()}
    sigma, findings = to_sigma(data, used=used, **read)
    context.findings.extend(findings)
    return sigma


def _noise(table: dict[str, Any], where: str, made: Any, used: np.ndarray | None, context: Context) -> Any:
    """The noise model around the errors that were read."""
    if "noise" not in table:
        return made.noise
    extra = {"sigma": made.noise.sigma} if any(name in table for name in STYLES) else {}
    noise = build(table["noise"], "noise", f"{where}.noise", context, extra)
    arrays = {
        field.name: np.asarray(getattr(noise, field.name))
        for field in dataclasses.fields(noise)
        if isinstance(getattr(noise, field.name), np.ndarray) and field.name not in extra
    }
    bins = made.bins
    if bins is not None:
        counted = bins.labels if used is None else np.where(used, bins.labels, -1)
        arrays = {n: per_bin(f"{where}.noise.{n}", a, counted, bins.n) if a.ndim else a for n, a in arrays.items()}
    for name, array in arrays.items():
        if array.shape not in ((), made.data.shape) or not np.all(
            np.isfinite(array[made.used] if array.ndim else array)
        ):
            raise InputError(
                f"{where}.noise.{name}: expected finite numbers wherever there are data, in their shape; "
                "correct that map."
            )
    return dataclasses.replace(noise, **{n: a > 0 if n == "limits" else a for n, a in arrays.items()})


def judge_psf(where: str, now: Any) -> list[Finding]:
    """Whether the width of a PSF can be right; every leaf of the observation a number.

    Raises:
        InputError: if it is far wider than the map.
    """
    if now.psf is None:
        return []
    width, pixel = fwhm(now.psf), float(np.sqrt(now.pixels.pixel_area))
    across = max(now.shape) * pixel
    if width > WIDEST * across:
        raise InputError(
            f"{where}.psf: the FWHM ({width:.3g} arcsec) is {width / across:.1f} times as wide as the map "
            f"({across:.3g} arcsec); check its unit."
        )
    if width >= pixel or now.psf.form().route == "fft":  # kernels are judged where they are read
        return []
    text = f"{where}.psf: the FWHM ({width:.3g} arcsec) is below a pixel ({pixel:.3g} arcsec); check its unit."
    return [Finding("warning", text)]
