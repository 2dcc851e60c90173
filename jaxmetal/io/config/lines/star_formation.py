"""Star formation of a configuration: rate, distances, magnification."""

from __future__ import annotations

from typing import Any

import numpy as np
from astropy import units

from jaxmetal.edge.errors import InputError
from jaxmetal.edge.findings import Finding
from jaxmetal.fluxmaps.luminosity import Luminosity, Magnification
from jaxmetal.fluxmaps.spectra import Spectra
from jaxmetal.io.config.context import Context
from jaxmetal.io.config.lines.units import in_cgs
from jaxmetal.io.config.table import child, choose, positive, take
from jaxmetal.io.cosmology import kpc_per_arcsec
from jaxmetal.io.fits import Map
from jaxmetal.io.spelling import require_known
from jaxmetal.spaxel import RATES


def luminosity(
    table: dict[str, Any],
    spectra: Spectra,
    unit: str,
    redshift: float | None,
    first: Map | None,
    context: Context,
) -> Luminosity | None:
    """What turns Hb into star formation; None, with the reason among the findings, without redshift or unit.

    Args:
        table: the configuration.
        spectra: line fluxes.
        unit: theirs, "" if unknown.
        redshift: of the galaxy, None if unknown.
        first: the map whose pixels the lines have; None for a table alone.
        context: see `Context`.

    Raises:
        InputError: if the rate is unknown, or the magnification cannot be used.
    """
    given, where = child(table, "star_formation", "", {})
    require_known(given, where, ("rate",))
    rate = choose(given.get("rate", "ke12_chabrier"), f"{where}.rate", RATES)
    lens = magnification(table, first, context)
    if redshift is None or not unit:
        missing = "galaxy.z" if redshift is None else "data.unit"
        context.findings.append(Finding("info", f"No star formation is derived without {missing}; state it if wanted."))
        return None
    lens.of_spectra(spectra)  # refused before anything is fitted
    area = None if spectra.grid is None else float(spectra.grid.pixel_area)
    return Luminosity(
        flux=in_cgs(unit),
        distance=float(context.cosmology.luminosity_distance(redshift).to_value(units.Mpc)),
        kpc2=None if area is None else area * float(kpc_per_arcsec(redshift, context.cosmology)) ** 2,
        rate=rate,
        magnification=lens,
    )


def magnification(table: dict[str, Any], first: Map | None, context: Context) -> Magnification:
    """That of the table [magnification]; 1 without it.

    Raises:
        InputError: if it is neither a positive number nor a map of the lines' pixels, or its error is negative.
    """
    given, where = child(table, "magnification", "", {})
    require_known(given, where, ("value", "sigma", "map", "relative_error"))
    if not given:
        return Magnification()
    if ("value" in given) == ("map" in given):
        found = "both" if "map" in given else "neither"
        raise InputError(
            f"{where}: expected either value and sigma, or map and relative_error, found {found}; give one."
        )
    error = "sigma" if "value" in given else "relative_error"
    require_known(given, where, ("value", "sigma") if "value" in given else ("map", "relative_error"))
    size = take(given, error, where, float)
    if not 0.0 <= size < np.inf:
        raise InputError(f"{where}.{error}: expected 0 or more, found {size}; correct it.")
    if "value" in given:
        value = positive(given, "value", where, float)
        return Magnification(factor=value, relative=size / value)
    if first is None:
        raise InputError(f"{where}.map: expected a map of lines beside it, found a table alone; give a value.")
    read = context.beside(first, given["map"], f"{where}.map")
    return Magnification(factor=read.values, relative=size)
