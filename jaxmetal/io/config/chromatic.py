"""PSFs of lines whose width depends on the wavelength at which they are observed."""

from __future__ import annotations

import dataclasses
from typing import Any

from jaxmetal.edge.errors import InputError
from jaxmetal.io.config.context import Context
from jaxmetal.io.config.table import child, positive, take
from jaxmetal.io.spelling import require_known
from jaxmetal.lines.contents import Contents


def chromatic(table: dict[str, Any], common: Any, made: Contents, where: str, context: Context) -> dict[str, Any]:
    """FWHM + slope (observed wavelength - reference), Angstrom, feature by feature.

    Args:
        table: of the observation, with `psf_wavelength`.
        common: the PSF at the reference wavelength.
        made: what the features emit.
        where: place of the table in the file.
        context: see `Context`.

    Raises:
        InputError: if the sources that show the lines have no redshift or several, or the PSF has no FWHM.
    """
    given, place = child(table, "psf_wavelength", where)
    require_known(given, place, ("reference", "slope"))
    reference, slope = positive(given, "reference", place, float), take(given, "slope", place, float)
    z = _redshift(take(table, "light", where, str, "Hbeta"), context)
    if not isinstance(getattr(common, "fwhm", None), float):
        raise InputError(
            "psf_wavelength: expected a PSF with a number for its fwhm; give each line its own psf instead."
        )
    widths = {name: common.fwhm + slope * ((1.0 + z) * made.wavelength(name) - reference) for name in made.features}
    return {name: dataclasses.replace(common, fwhm=width) for name, width in widths.items()}


def _redshift(light: str, context: Context) -> float:
    """That at which the lines are emitted.

    Raises:
        InputError: unless it is exactly one.
    """
    found = sorted(context.redshifts.showing(light))
    if not found:
        raise InputError(
            "psf_wavelength: expected the redshift that says where lines are observed; state galaxy.z, or z of the "
            "source."
        )
    if len(found) > 1:
        raise InputError(
            f"psf_wavelength: expected sources of the light '{light}' at one redshift, found "
            f"{' and '.join(f'{z:g}' for z in found)}; give each line its own psf instead."
        )
    return found[0]
