"""Simulated galaxies as files: maps of one, and a sample as `jaxmetal batch` reads it, with its truth."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from jaxmetal.io.fits import write_maps
from jaxmetal.io.sample.columns import NAME
from jaxmetal.io.tables import write_table
from jaxmetal.io.wcs import NOWHERE
from jaxmetal.observation import planes
from jaxmetal.simulate import Survey

UNITS = {"metallicity": "dex", "halpha": "flux"}
"""Observation -> unit of its maps."""

MAPS = "maps"
"""Folder of a sample's maps, a folder in it for each galaxy."""

PA_ERROR = 10.0
"""Error of the position angles that the catalogue knows, degrees."""


class CatalogueColumn(NamedTuple):
    """What a column of a table is.

    Attributes:
        values: of each galaxy.
        unit: "" for a pure number.
        description: in words.
    """

    values: Any
    unit: str
    description: str


TRUTHS = {
    "log_mass": ("log_mass", "dex(Msun)", "log10 of the stellar mass"),
    "galaxy.z": ("redshift", "", "redshift"),
    "kpc_per_arcsec": ("kpc_per_arcsec", "kpc/arcsec", "proper scale at the redshift"),
    "disc.metallicity.slope_per_kpc": ("gradient", "dex/kpc", "gradient along the deprojected radius"),
    "disc.metallicity.slope": ("slope", "dex/arcsec", "the same per arcsec"),
    "disc.metallicity.central": ("central", "dex", "12 + log(O/H) in the centre"),
    "disc.halpha.r_eff": ("r_eff", "arcsec", "half-light radius along the major axis"),
    "r_eff_kpc": ("r_eff_kpc", "kpc", "the same in kpc"),
    "disc.frame.q": ("q", "", "axis ratio b/a"),
    "disc.frame.pa": ("pa", "deg", "position angle of the major axis, East of North"),
    "fwhm_per_r_eff": ("fwhm_per_r_eff", "", "FWHM of the point-spread function over the half-light radius"),
}
"""Column of the truth, by its name in a table of results -> which truth of `Survey` it is, unit, description."""


def write_galaxy(observations: Mapping[str, Any], folder: Path) -> None:
    """Writes a file for each observation: extensions data and sigma, or of line maps Hb and Hb_err; NaN for no datum.

    Args:
        observations: as `simulate.expose` or `simulate.kmos_like` makes them.
        folder: an existing folder.

    Raises:
        InputError: if nothing can be written there.
    """
    for name, observation in observations.items():
        errors = np.broadcast_to(np.asarray(observation.noise.sigma), np.shape(observation.used))
        maps: dict[str, np.ndarray] = {}
        for plane in planes(observation):
            labels = (plane.name, f"{plane.name}_err") if plane.name else ("data", "sigma")
            used, pair = plane.of(observation.used), (plane.of(observation.data), plane.of(errors))
            maps |= {label: np.where(used, values, np.nan) for label, values in zip(labels, pair, strict=True)}
        units = dict.fromkeys(maps, UNITS[name]) if name in UNITS else None
        write_maps(folder / f"{name}.fits", maps, observation.grid, NOWHERE, units)


def write_sample(sample: Survey, folder: Path, seed: int = 0) -> dict[str, Any]:
    """Writes the maps of all galaxies, `sample.ecsv` with what is known of them and `truth.ecsv` with what is true.

    The catalogue has a column for each entry of the configuration that differs between galaxies. A galaxy's position
    angle is known as from a picture of its stars: its prior is normal about a value that errs by 10 degrees.

    Args:
        sample: of `simulate.survey`.
        folder: an existing folder.
        seed: of the errors of the position angles.

    Returns:
        The first row of the catalogue.

    Raises:
        InputError: if nothing can be written there.
    """
    count = len(sample.galaxies)
    names = [f"galaxy_{number:0{len(str(count))}d}" for number in range(1, count + 1)]
    for name, galaxy in zip(names, sample.galaxies, strict=True):
        (folder / MAPS / name).mkdir(parents=True)
        write_galaxy(galaxy.observations, folder / MAPS / name)
    named = {NAME: CatalogueColumn(names, "", "of the galaxy")}
    truth = {name: CatalogueColumn(sample.truths[key], unit, text) for name, (key, unit, text) in TRUTHS.items()}
    catalogue = named | {name: truth[name] for name in ("galaxy.z", "log_mass")} | _places(sample, names, seed)
    _write(catalogue, folder / "sample.ecsv")
    _write(named | truth, folder / "truth.ecsv")
    return {name: column.values[0] for name, column in catalogue.items()}


def _places(sample: Survey, names: list[str], seed: int) -> dict[str, CatalogueColumn]:
    """The columns that replace entries of the configuration, named by their place in it."""
    columns = {}
    for observation in sample.galaxies[0].observations:
        place, paths = f"observations.{observation}", [f"{MAPS}/{name}/{observation}.fits" for name in names]
        columns[f"{place}.data.file"] = CatalogueColumn(paths, "", f"{observation}, relative to the configuration")
        columns[f"{place}.sigma.file"] = CatalogueColumn(paths, "", "its errors, in another extension of the same file")
        widths = [float(galaxy.observations[observation].psf.fwhm) for galaxy in sample.galaxies]
        columns[f"{place}.psf.fwhm"] = CatalogueColumn(widths, "arcsec", "FWHM of the point-spread function")
    # A stream of its own: the survey has drawn its galaxies with the seed itself.
    seen = sample.truths["pa"] + PA_ERROR * np.random.default_rng([seed, 1]).normal(size=len(names))
    priors = [f'{{dist = "Normal", loc = {pa:.1f}, scale = {PA_ERROR}}}' for pa in seen]
    columns["sources.disc.frame.pa"] = CatalogueColumn(priors, "", "prior of the position angle in degrees, as TOML")
    return columns


def _write(columns: dict[str, CatalogueColumn], path: Path) -> None:
    write_table(
        path,
        {name: column.values for name, column in columns.items()},
        units={name: column.unit for name, column in columns.items() if column.unit},
        descriptions={name: column.description for name, column in columns.items()},
    )
