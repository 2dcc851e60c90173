"""Nodes whose arrays come from files: pictures, properties, deflection maps, regions, kernels, correlations."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np
from numpyro.distributions import Normal

from jaxmetal import tracer
from jaxmetal.edge.errors import InputError
from jaxmetal.edge.findings import Finding
from jaxmetal.instrument.psf import Kernel
from jaxmetal.io.config.context import Context
from jaxmetal.io.config.lens_maps import deflection, ensemble, regions
from jaxmetal.io.config.priors import value
from jaxmetal.io.config.table import choose, naming, take
from jaxmetal.io.psf import read_kernel
from jaxmetal.io.spelling import require_known
from jaxmetal.io.units import require_flux
from jaxmetal.io.wcs import judge_pixels
from jaxmetal.light import Picture, clip_negative
from jaxmetal.likelihood import KernelCorrelation
from jaxmetal.recipes.random_field import MOST

Build = Callable[..., Any]
"""`nodes.build`, handed over because these nodes hold others."""


def picture(table: dict[str, Any], where: str, context: Context, build: Build) -> Picture:
    """Light from an image, in flux per arcsec^2; NaN is dark, and so are negative pixels."""
    require_known(table, where, ("file", "plane", "psf", "dx", "dy", "ignore_unit"))
    plane = choose(table.get("plane"), f"{where}.plane", ("image", "source"))
    read = context.map(table.get("file"), f"{where}.file")
    powers = {} if take(table, "ignore_unit", where, bool, False) else require_flux(read, f"{where}.file")
    grid = context.placed(read, f"{where}.file")
    # Flux per pixel, as an image of the same file is, unless its unit is per solid angle.
    area = 1.0 if powers.get("rad") == -2 else float(np.prod(np.asarray(grid.steps)))
    if "psf" in table:
        context.findings.extend(judge_pixels(grid, f"{where}.file"))
    own = dataclasses.replace(context, data=read, grid=grid)
    made = Picture(
        values=np.nan_to_num(read.values) / area,
        grid=grid,
        plane=plane,  # type: ignore[arg-type]
        psf=build(table["psf"], "psf", f"{where}.psf", own) if "psf" in table else None,
        dx=value(table.get("dx", 0.0), f"{where}.dx", context),
        dy=value(table.get("dy", 0.0), f"{where}.dy", context),
    )
    clipped, share = clip_negative(made)
    if share > 0:
        text = f"{where}: negative pixels, {share:.1%} of the flux, were set to zero."
        context.findings.append(Finding("warning" if share > 0.05 else "info", text))
    return clipped


def kernel(table: dict[str, Any], where: str, context: Context, build: Build) -> Kernel:
    """A tabulated PSF."""
    require_known(table, where, ("file", "hdu", "includes_pixel", "oversampling", "step"))
    given = {key: table[key] for key in ("file", "hdu")} if {"file", "hdu"} <= set(table) else table.get("file")
    path, hdu = context.path(given, f"{where}.file")
    if context.grid is None:
        raise InputError(
            f"{where}: expected data in pixels, which the cells of a kernel divide, found none; give a PSF "
            "with a formula."
        )
    said: dict[str, Any] = {
        "includes_pixel": take(table, "includes_pixel", where, bool),
        "oversampling": take(table, "oversampling", where, int, None),
        "step": take(table, "step", where, float, None),
    }
    with naming(where):
        sides = tuple(np.asarray(context.grid.steps))
        made, findings = read_kernel(path, pixel_scale=sides, hdu=hdu, data=context.data, **said)
    context.findings.extend(Finding(one.severity, f"{where}: {one.text}") for one in findings)
    return made


def table_on_sky(table: dict[str, Any], where: str, context: Context, build: Build) -> tracer.Tabulated:
    """A property given as a map of the source plane."""
    require_known(table, where, ("file",))
    read = context.map(table.get("file"), f"{where}.file")
    unknown = int(np.sum(~np.isfinite(read.values)))
    if unknown:
        raise InputError(
            f"{where}: expected a number in every pixel of {read.path}, found {unknown} that are not; fill them."
        )
    return tracer.Tabulated(values=read.values, grid=context.placed(read, f"{where}.file"))


def field(table: dict[str, Any], where: str, context: Context, build: Build) -> tracer.Field:
    """A random field: its number of modes along an axis stands for the weights and their prior."""
    require_known(table, where, ("modes", "amplitude", "length", "extent", "nu"))
    modes, nu = take(table, "modes", where, int), take(table, "nu", where, float, 1.5)
    if modes % 2 == 0 or not 1 <= modes <= MOST:
        raise InputError(f"{where}.modes: expected an odd number from 1 to {MOST}, found {modes}; correct it.")
    if not nu > 0.0:
        raise InputError(f"{where}.nu: expected a number above 0, or inf, found {nu}; correct it.")
    numbers = {key: value(table.get(key), f"{where}.{key}", context) for key in ("amplitude", "length", "extent")}
    return tracer.Field(weights=Normal().expand([modes, modes]), nu=nu, **numbers)


def kernel_correlation(table: dict[str, Any], where: str, context: Context, build: Build) -> KernelCorrelation:
    """The correlation of noise: tabulated, or that of white noise smoothed by a kernel."""
    ways = {"covariance": KernelCorrelation.from_array, "smoothing": KernelCorrelation.of_smoothing}
    require_known(table, where, ways)
    if len(table) != 1:
        found = " and ".join(table) or "neither"
        raise InputError(f"{where}: expected one of {' and '.join(ways)}, the path of a file, found {found}; give one.")
    ((way, given),) = table.items()
    read = context.map(given, f"{where}.{way}")
    with naming(f"{where}.{way}"):
        return ways[way](read.values)


READERS = {
    ("light", "Picture"): picture,
    ("tracer", "Tabulated"): table_on_sky,
    ("tracer", "Field"): field,
    ("field", "Field"): field,
    ("correlation", "KernelCorrelation"): kernel_correlation,
    ("lens", "Tabulated"): deflection,
    ("lens", "Ensemble"): ensemble,
    ("lens", "RegionShift"): regions,
    ("psf", "Kernel"): kernel,
}
