"""The draws of one parameter from the posteriors that a run kept."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import h5py
import numpy as np

from jaxmetal.edge.errors import InputError
from jaxmetal.edge.galaxy_names import require_file_names
from jaxmetal.io.record import FORMAT
from jaxmetal.io.sample.columns import short
from jaxmetal.io.sealed import intact

KEPT = 4000
"""Draws of each galaxy that are reused at most, evenly spaced: a tail that all miss alike bends a population."""


class Stored(NamedTuple):
    """Draws of galaxies.

    Attributes:
        draws: shape (galaxies, draws); of those galaxies that have any.
        log_prior: log density of the prior of each fit there.
        absent: number of galaxies that have none.
        damaged: names of those among them whose file is there but damaged.
    """

    draws: np.ndarray
    log_prior: np.ndarray
    absent: int
    damaged: list[str]


def stored(folder: Path, names: Iterable[str], parameter: str) -> Stored:
    """Draws of a parameter.

    Args:
        folder: of netCDF files, see `io.fit_files.save_draws`.
        names: of the galaxies.
        parameter: as a column of the table of results is called.

    Raises:
        InputError: if a name leads elsewhere, or a file has a newer format than is known here.
    """
    names = [str(name) for name in names]
    require_file_names(names, f"The table beside {folder}")
    paths = [folder / f"{name}.nc" for name in names]
    whole = [intact(path) for path in paths]
    damaged = [name for name, path, well in zip(names, paths, whole, strict=True) if path.exists() and not well]
    read = [_read(path, parameter) if well else None for path, well in zip(paths, whole, strict=True)]
    found = [one for one in read if one is not None]
    count = min([KEPT, *(one.shape[1] for one in found)])
    thinned = [one[:, np.linspace(0, one.shape[1] - 1, count).astype(int)] for one in found]
    draws, log_prior = np.stack(thinned, axis=1) if found else np.empty((2, 0, 0))
    return Stored(draws, log_prior, len(read) - len(found), damaged)


def _read(path: Path, parameter: str) -> np.ndarray | None:
    """Draws, and the log density of the prior there, shape (2, draws); None where they are not."""
    try:
        with h5py.File(path) as file:
            _require_known(path, np.asarray(file.attrs.get("format", 0), int).max())
            (site,) = (name for name in file["posterior"] if short(name) == parameter)
            return np.stack([np.ravel(file[group][site]) for group in ("posterior", "log_prior")])
    except InputError:
        raise
    except Exception:  # of a file without a checksum, damage shows as anything
        return None


def _require_known(path: Path, found: int) -> None:
    """Refuses a format of the future; files without a number are older than the first."""
    if found > FORMAT:
        raise InputError(
            f"The posterior {path} must have a format up to {FORMAT}, found {found}; read it with a newer jaxmetal."
        )
