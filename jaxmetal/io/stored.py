"""Where an earlier fit ended, for one that is to begin there."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpyro.distributions import Distribution

from jaxmetal.edge.errors import InputError
from jaxmetal.io.sealed import require_intact


def best_values(folder: str | Path, free: Mapping[str, Distribution]) -> dict[str, np.ndarray]:
    """Best values of an earlier fit, of the parameters that are free now.

    Args:
        folder: of results, as `io.save` writes them.
        free: parameter name -> its prior.

    Raises:
        InputError: if the folder holds no results, or none of these parameters in these shapes.
    """
    import h5netcdf

    path = Path(folder) / "posterior.nc"
    if path.exists():
        require_intact(path, "The start")
    try:
        with h5netcdf.File(path, "r") as file:
            stored = {name: variable.attrs.get("best") for name, variable in file["posterior"].variables.items()}
    except Exception as error:  # of a file without a checksum, damage shows as anything
        raise InputError(
            f"The start {folder} holds no results of a fit ({path.name}: {' '.join(str(error).split())}); "
            "name the folder that an earlier fit wrote."
        ) from None
    found = {
        name: np.reshape(np.asarray(stored[name], float), prior.shape())
        for name, prior in free.items()
        if stored.get(name) is not None and np.size(stored[name]) == int(np.prod(prior.shape()))
    }
    if not found:
        raise InputError(
            f"The start {folder} has best values of none of the free parameters {', '.join(free)}; "
            "name the results of a fit of the same model."
        )
    return found
