"""Observations of `kind = "line_fluxes"`: lines of a spectrum, through a slit or a round aperture."""

from __future__ import annotations

from typing import Any

from jaxmetal.edge.errors import InputError
from jaxmetal.instrument.apertures import Aperture, circle, slit
from jaxmetal.io.config.context import Context
from jaxmetal.io.config.line_maps import EMISSION, emission_of, psfs_of, rows_of
from jaxmetal.io.config.priors import value
from jaxmetal.io.config.table import child, naming, positive, take
from jaxmetal.io.spelling import require_known
from jaxmetal.observation import LineMaps
from jaxmetal.recipes import line_fluxes

SHAPES = {"aperture": ("x", "y", "radius"), "slit": ("x", "y", "length", "width", "pa")}
COMMON = (
    "kind", "features", "models", *EMISSION, "light", "reddened", "psf", "psf_wavelength", "pixel_scale", *SHAPES,
    "scale", "dx", "dy", "sampling",
)  # fmt: skip
FEATURE = ("flux", "sigma", "upper_limit", "blend", "psf")


def read(table: dict[str, Any], where: str, context: Context) -> LineMaps:
    """The line fluxes of a table.

    Raises:
        InputError: if anything in it cannot be used.
    """
    rows = rows_of(table, where, COMMON, FEATURE)
    through = _aperture(table, where)
    with naming(where):
        made = emission_of(table, rows, where, context)
        limits = {n: take(row, "upper_limit", f"{where}.features.{n}", bool, False) for n, row in rows.items()}
        return line_fluxes(
            {name: take(row, "flux", f"{where}.features.{name}", float) for name, row in rows.items()},
            made,
            aperture=through,
            sigma={name: positive(row, "sigma", f"{where}.features.{name}", float) for name, row in rows.items()},
            limits=tuple(name for name, limit in limits.items() if limit),
            psf=psfs_of(table, rows, made, where, context),
            light=take(table, "light", where, str, "Hbeta"),
            reddened=take(table, "reddened", where, bool, False),
            **{key: value(table[key], f"{where}.{key}", context) for key in ("scale", "dx", "dy") if key in table},
        )


def _aperture(table: dict[str, Any], where: str) -> Aperture:
    given = [name for name in SHAPES if name in table]
    if len(given) != 1:
        raise InputError(
            f"{where}: expected either an aperture {{x, y, radius}} or a slit {{x, y, length, width, pa}}, found "
            f"{' and '.join(given) or 'neither'}; state one."
        )
    shape, place = child(table, given[0], where)
    require_known(shape, place, SHAPES[given[0]])
    pixel = positive(table, "pixel_scale", where, float)
    at = {key: take(shape, key, place, float) for key in SHAPES[given[0]]}
    with naming(where):
        return (circle if given[0] == "aperture" else slit)(**at, pixel=pixel)
