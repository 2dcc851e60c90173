"""Ensembles of deflection maps from FITS files."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
from astropy.coordinates import SkyCoord
from astropy.cosmology import FLRW
from numpyro.distributions import Normal

from jaxmetal.edge.errors import InputError
from jaxmetal.edge.findings import Report
from jaxmetal.io.deflection import COSMOLOGY, common_grid, deflection_scale, to_sky
from jaxmetal.io.extension import MOST_PIXELS, Extension
from jaxmetal.io.fits import Map, read_map, read_stack
from jaxmetal.lens.ensemble import VARIANCE, Ensemble, check_ensemble, from_members

Where = tuple[str | Path, Extension]
"""A file and the extension that is meant."""


class EnsembleMap(NamedTuple):
    """An ensemble and where it comes from.

    Attributes:
        lens: scaled to the source's redshift, its weights free under Normal(0, 1).
        report: checks of axes, signs and units, and what the modes keep.
        record: files, redshifts, scale and cosmology.
    """

    lens: Ensemble
    report: Report
    record: dict[str, Any]


def read_ensemble(
    x: Where | Sequence[Where],
    y: Where | Sequence[Where],
    *,
    origin: SkyCoord,
    z_lens: float,
    z_source: float,
    z_map: float | Literal["inf", "source"],
    cosmology: FLRW | None = None,
    interpolation: Literal["bilinear", "cubic"] = "cubic",
    variance: float = VARIANCE,
    amplitude: Any = 1.0,
    ignore_unit: bool = False,
) -> EnsembleMap:
    """Reads the reduced deflections of a source at `z_source` that several models of one lens have.

    Args:
        x: (file, extension) with the deflections along x stacked in front, or one such pair for each member's map.
        y: likewise along y, as many and in the same order.
        origin: this and the next five as of `read_deflection`.
        z_lens: redshift of the lens.
        z_source: redshift of the source.
        z_map: the source redshift of all maps, "inf" or "source".
        cosmology: for D_LS/D_S.
        interpolation: "cubic" or "bilinear".
        variance: see `lens.from_members`.
        amplitude: of the mean, see `lens.Ensemble`; may be a distribution.
        ignore_unit: accept a BUNIT that contradicts arcsec.

    Raises:
        InputError: for files, shapes, world coordinates, units or redshifts that cannot be used; for one member alone,
            and pixels without a number.
    """
    cosmology = COSMOLOGY if cosmology is None else cosmology
    scale = deflection_scale(cosmology, z_lens, z_source, z_map)
    along_x, along_y = _stack(x), _stack(y)
    if len(along_x) != len(along_y):
        found = f"{len(along_x)} along x and {len(along_y)} along y"
        raise InputError(f"An ensemble needs as many maps along x as along y, but has {found}; add the others.")
    if 2 * along_x[0].values.size * len(along_x) > MOST_PIXELS:
        raise InputError(
            f"An ensemble may have {MOST_PIXELS:,} pixels in all its maps, but {len(along_x)} members have more; cut "
            "them to the source."
        )
    grid = common_grid([*along_x, *along_y], origin, ignore_unit)
    members = np.stack([to_sky(a.values, b.values, grid) for a, b in zip(along_x, along_y, strict=True)])
    lens = from_members(members, grid, variance=variance, scale=scale, interpolation=interpolation)
    report = check_ensemble(lens, members, lambda place: f"Member {place} ({along_x[place - 1].path})")
    free = dataclasses.replace(lens, weights=Normal().expand([len(lens.modes)]), amplitude=amplitude)
    files = {"x_files": [str(one.path) for one in along_x], "y_files": [str(one.path) for one in along_y]}
    redshifts = {"z_lens": z_lens, "z_source": z_source, "z_map": z_map, "scale": scale}
    return EnsembleMap(free, report, {**files, **redshifts, "cosmology": repr(cosmology)})


def _stack(given: Where | Sequence[Where]) -> list[Map]:
    """The maps of one component, member after member."""
    if isinstance(given, tuple):
        return read_stack(*given, what="stack of deflection maps")
    return [read_map(*one, what="deflection map") for one in given]
