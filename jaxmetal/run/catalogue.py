"""A catalogue: one configuration for all galaxies, and a table of what differs between them."""

from __future__ import annotations

import copy
import dataclasses
import tomllib
from pathlib import Path
from typing import Any

import numpy as np
from astropy.io.ascii import convert_numpy
from astropy.table import Table

from jaxmetal.edge.arrays import is_number
from jaxmetal.edge.errors import InputError
from jaxmetal.edge.galaxy_names import require_file_names, require_once
from jaxmetal.io.config.read import Job, read_job
from jaxmetal.io.config.table import read_toml
from jaxmetal.io.ending import require_end
from jaxmetal.io.file import LONGEST_TEXT, require_file
from jaxmetal.io.sample.columns import NAME

SHARED = {"fit": "all galaxies of a run are fitted alike", "galaxy.name": f"names stand in the column '{NAME}'"}
"""Places that no galaxy may have for itself, and why."""


COMMON = {"psf", "lens"}
"""Tables whose files galaxies may have in common."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Catalogue:
    """A sample.

    Attributes:
        path: of the table.
        configuration_path: of the TOML file that all galaxies share.
        configuration: that file, as read.
        names: of the galaxies, unique.
        places: columns that replace an entry of the configuration; their names are its dotted path.
        table: all columns.
    """

    path: Path
    configuration_path: Path
    configuration: dict[str, Any]
    names: list[str]
    places: list[str]
    table: Table

    def job(self, index: int) -> Job:
        """What is to be fitted of one galaxy; its files are read.

        Raises:
            InputError: if anything of it cannot be used.
        """
        settled = copy.deepcopy(self.configuration)
        _put(settled, "galaxy.name", self.names[index])
        for place in self.places:
            shared, where = _entry(self.configuration, place), f"{self.path.name}, column {place}"
            cell = _cell(self.table[place][index], where, text=isinstance(shared, str))
            if cell is not None:
                _put(settled, place, cell)
            elif self._is_of_one_galaxy(place, shared):
                raise InputError(
                    f"{where}: expected a value for '{self.names[index]}', found an empty cell, and {shared!r} of the "
                    "configuration is another galaxy's; fill it."
                )
        return read_job(settled, self.configuration_path)

    def _is_of_one_galaxy(self, place: str, shared: Any) -> bool:
        """Whether an entry of the configuration cannot serve a galaxy that states none: a redshift, and its files."""
        parts = place.split(".")
        if isinstance(shared, str):
            return not COMMON.intersection(parts) and (self.configuration_path.parent / shared).is_file()
        return shared is not None and parts[-1] == "z"


def read_catalogue(path: str | Path, configuration: str | Path) -> Catalogue:
    """Reads a catalogue: ECSV, FITS or CSV.

    A column whose name is a dotted path, such as `observations.metallicity.data` or `galaxy.z`, replaces that entry of
    the configuration, galaxy by galaxy; an empty (masked) cell leaves it as it is, but for redshifts and files other
    than of PSFs and lenses, which every galaxy must then state. Text in braces is TOML: a prior of its own,
    `{dist = "Normal", loc = 0, scale = 0.1}`. Paths are relative to the configuration. Other columns are handed on to
    the table of results.

    Raises:
        InputError: if the table cannot be read, has no unique names, or names a part that the configuration lacks.
    """
    path, configuration_path = Path(path), Path(configuration)
    table, shared = _read(path), read_toml(configuration_path)
    if NAME not in table.colnames:
        raise InputError(
            f"The catalogue {path} must have a column '{NAME}', but has {', '.join(table.colnames)}; add one."
        )
    names = ["" if name is np.ma.masked else str(name).strip() for name in table[NAME]]
    require_once(names, f"The catalogue {path}")
    require_file_names(names, f"The catalogue {path}")
    places = [column for column in table.colnames if "." in column]
    for place in places:
        _require_place(shared, place, path, table[place].shape[1:])
    _require_own_maps(shared, table, places, path)
    return Catalogue(
        path=path,
        configuration_path=configuration_path,
        configuration=shared,
        names=names,
        places=places,
        table=table,
    )


def _read(path: Path) -> Table:
    # Names are text, also those made of digits; some spreadsheets begin a text with a byte order mark.
    as_text: dict[str, Any] = {"converters": {NAME: [convert_numpy(str)]}, "encoding": "utf-8-sig"}
    formats: dict[str, dict[str, Any]] = {
        ".ecsv": {"format": "ascii.ecsv"},
        ".csv": {"format": "ascii.csv", **as_text},
        ".fits": {"format": "fits", "mask_invalid": False},  # NaN is no empty cell, but refused where it is used
        ".fit": {"format": "fits", "mask_invalid": False},
    }
    if path.suffix.lower() not in formats:
        raise InputError(f"The catalogue {path} must be an .ecsv, .fits or .csv file; convert or rename it.")
    in_fits = formats[path.suffix.lower()]["format"] == "fits"
    require_file(path, "The catalogue", most=None if in_fits else LONGEST_TEXT)
    if in_fits:
        require_end(path, "The catalogue")
    try:
        return Table.read(path, **formats[path.suffix.lower()])
    except Exception as error:  # astropy and yaml raise many kinds for what is no table
        reason = " ".join(str(error).split())[:200]
        raise InputError(f"The catalogue {path} cannot be read as a table ({reason}); check the file.") from None


def _require_place(configuration: dict[str, Any], place: str, path: Path, shape: tuple[int, ...]) -> None:
    """A column may change a galaxy's own entries, of tables that are there: misspelt ones would be lost unseen."""
    *parents, last = place.split(".")
    for taken in (place, parents[0]):
        if taken in SHARED:
            raise InputError(
                f"The catalogue {path} has a column '{place}', but {SHARED[taken]}; "
                "remove it, or rename it to have it carried along."
            )
    part: Any = configuration
    for depth, key in enumerate(parents):
        # The galaxy's own table may be missing: nothing in it is needed.
        part = part.get(key, {} if key == "galaxy" else None) if isinstance(part, dict) else None
        if not isinstance(part, dict):
            raise InputError(
                f"The catalogue {path} has a column '{place}', but the configuration has no table "
                f"'{'.'.join(parents[: depth + 1])}'; correct the column's name."
            )
    if shape and not isinstance(part.get(last), list):
        raise InputError(
            f"The catalogue {path} has a column '{place}' of arrays of shape {shape}, but one entry for each galaxy is "
            "expected there; give one."
        )


def _require_own_maps(configuration: dict[str, Any], table: Table, places: list[str], path: Path) -> None:
    """Deflection maps that several galaxies share cannot be at the redshift of each of them."""
    moved = [place for place in places if place.endswith(".z") and len(_settled(configuration, table, place)) > 1]
    lenses = configuration.get("lens", {})
    for name, lens in lenses.items() if moved and isinstance(lenses, dict) else ():
        own = any(place.startswith(f"lens.{name}.") for place in places)
        if isinstance(lens, dict) and lens.get("z_map") == "source" and not own:
            raise InputError(
                f"The catalogue {path} has a column '{moved[0]}' of several redshifts, but lens.{name}.z_map is "
                '"source", which puts maps that all share at each of them; state the redshift of the maps there.'
            )


def _settled(configuration: dict[str, Any], table: Table, place: str) -> set[float | str]:
    """What all galaxies together say at a place, with the configuration's entry for empty cells."""
    shared = _entry(configuration, place)
    given = (shared if _is_empty(cell) else cell for cell in table[place])
    said = {str(one).strip() for one in given if one is not None}
    return {float(one) if is_number(one) else one for one in said}


def _entry(configuration: dict[str, Any], place: str) -> Any:
    """What the configuration says at a place; None where it says nothing."""
    part: Any = configuration
    for key in place.split("."):
        part = part.get(key) if isinstance(part, dict) else None
    return part


def _cell(cell: Any, where: str, text: bool) -> Any:
    """A cell as TOML would have it; None for an empty one.

    Args:
        cell: of a table.
        where: it is.
        text: whether text is expected there; else a number may stand among priors, in a column of text.
    """
    if _is_empty(cell):
        return None
    if isinstance(cell, (str, np.str_, bytes)):
        said = (cell.decode() if isinstance(cell, bytes) else str(cell)).strip()
        if not said.startswith("{"):
            return said if text or not is_number(said) else float(said)
        try:
            return tomllib.loads(f"cell = {said}")["cell"]
        except tomllib.TOMLDecodeError as error:
            raise InputError(f"{where}: {said} is no valid TOML ({error}); correct it.") from None
    return cell.tolist() if hasattr(cell, "tolist") else cell


def _is_empty(cell: Any) -> bool:
    return cell is np.ma.masked or (isinstance(cell, (str, np.str_)) and not cell.strip())


def _put(configuration: dict[str, Any], place: str, cell: Any) -> None:
    *parents, last = place.split(".")
    for key in parents:
        configuration = configuration.setdefault(key, {})
    configuration[last] = cell
