"""Where the rows of a table lie on the sky."""

from __future__ import annotations

from typing import Any

import numpy as np
from astropy.coordinates import SkyCoord

from jaxmetal.edge.arrays import floats
from jaxmetal.edge.errors import InputError
from jaxmetal.io.config.context import NOWHERE, Context
from jaxmetal.io.wcs import tangent_offsets


def places(
    columns: dict[str, np.ndarray], names: tuple[str, str], where: str, context: Context
) -> tuple[np.ndarray, np.ndarray]:
    """Offsets from the sky origin, arcsec to the West and North, from columns of these or of ra and dec.

    Args:
        columns: of the table.
        names: of columns of offsets.
        where: place in the configuration.
        context: for the sky origin.

    Raises:
        InputError: if there are neither or both, or ra and dec without a sky origin.
    """
    found: dict[str, Any] = {
        name: floats(f"{where}: {name}", columns[name]) for name in (*names, "ra", "dec") if name in columns
    }
    if len(found) == 4:  # pixels are called x and y, too
        raise InputError(
            f"{where}: expected columns {names[0]} and {names[1]} (arcsec West and North), or ra and dec (degrees), "
            "found all four; leave two of them out."
        )
    if set(names) <= found.keys():
        return found[names[0]], found[names[1]]
    if not {"ra", "dec"} <= found.keys():
        raise InputError(
            f"{where}: expected columns ra and dec (degrees), or {names[0]} and {names[1]} (arcsec West and North), "
            f"found {', '.join(columns)}; add them."
        )
    if context.origin is NOWHERE:
        raise InputError(
            f"{where}: expected data with world coordinates or [sky], as it has ra and dec, found none; add [sky]."
        )
    return tangent_offsets(SkyCoord(found["ra"], found["dec"], unit="deg"), context.origin)
