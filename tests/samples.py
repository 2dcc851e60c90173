"""A catalogue of small galaxies and the TOML that describes them."""

import numpy as np
from astropy.table import Table
from configured import GRID, ORIGIN, SHAPE, replace, write_galaxy

from jaxmetal.io import write_maps

DATA, SIGMA, FWHM = (f"observations.metallicity.{part}" for part in ("data", "sigma", "psf.fwhm"))
PRIOR = "sources.disc.carries.metallicity.profile.slope"
SLOPE = "disc.metallicity.slope"
COUNT = 5


def write_sample(folder, count=COUNT):
    """A configuration, maps and a catalogue of `count` galaxies; returns the arguments of `jaxmetal batch`."""
    configuration = write_galaxy(folder)
    replace(configuration, 'method = "laplace"', 'method = "auto"\ndraws = 200')
    random = np.random.default_rng(0)
    x, y = (np.asarray(a) for a in GRID.centres())
    slopes = np.linspace(-0.3, 0.1, count)
    for i, slope in enumerate(slopes):
        values = 8.6 + slope * np.hypot(x, y) + random.normal(0.0, 0.05, SHAPE)
        write_maps(folder / f"g{i}.fits", {"data": values}, GRID, ORIGIN)
    columns = {
        "name": [f"galaxy {i}" for i in range(count)],
        "field": ["Ω Cen"] * count,
        DATA: [f"g{i}.fits" for i in range(count)],
        FWHM: np.full(count, 0.5),
        "galaxy.z": np.linspace(0.4, 0.8, count),
        "log_mass": np.linspace(9.0, 11.0, count),
        "message": ["seen twice"] * count,
        "Method": ["slit"] * count,
    }
    Table(columns).write(folder / "sample.ecsv")
    return ["batch", str(folder / "sample.ecsv"), "--config", str(configuration), "--quiet", "--chunk-size", "2"]


def edit(folder, **columns):
    """Changes columns of the catalogue; names with a dot are given with two underscores."""
    table = Table.read(folder / "sample.ecsv")
    for name, values in columns.items():
        table[name.replace("__", ".")] = values
    table.write(folder / "sample.ecsv", overwrite=True)
