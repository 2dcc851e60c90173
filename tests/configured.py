"""A small galaxy in FITS files and the TOML that describes it, for tests of the front door."""

from functools import cache
from pathlib import Path
from shutil import copytree
from tempfile import TemporaryDirectory

import numpy as np
from astropy.coordinates import SkyCoord
from astropy.io import fits

from jaxmetal.io import write_maps
from jaxmetal.numerics.grid import Grid

SHAPE = (9, 13)
ORIGIN = SkyCoord(150.1, 2.2, unit="deg")
GRID = Grid.regular(SHAPE, 0.2)

CONFIG = """
[galaxy]
name = "test"
z = 0.5

[fit]
method = "laplace"
seed = 1

[observations.metallicity]
kind = "map"
data = "metallicity.fits"
sigma = "sigma.fits"
mixing = "Dex"
psf = {type = "Gaussian", fwhm = 0.5}
noise = {type = "Gaussian", jitter = 0.01}

[sources.disc.frame]
type = "Disc"
q = 0.6
pa = 40.0

[sources.disc.lights.halpha]
type = "Sersic"
flux = 1.0
r_eff = 0.5
n = 1.0

[sources.disc.carries.metallicity]
weight = "halpha"
profile = """ + (
    '{type = "Gradient", central = {dist = "Uniform", low = 7.0, high = 9.5}, '
    'slope = {dist = "Normal", loc = 0.0, scale = 0.3}}\n'
)


@cache
def written() -> TemporaryDirectory:
    """A folder with the files: written once, as each test wants its own."""
    made = TemporaryDirectory()
    folder = Path(made.name)
    x, y = (np.asarray(a) for a in GRID.centres())
    values = 8.6 - 0.2 * np.hypot(x, y) + np.random.default_rng(0).normal(0.0, 0.05, SHAPE)
    values[0, :4] = np.nan
    light = np.exp(-np.hypot(x, y) / 0.4)
    maps = {
        "metallicity": values,
        "sigma": np.full(SHAPE, 0.05),
        "zero": np.zeros(SHAPE),
        "halpha": light,
        "labels": np.where(x < 0, 0, 1),
        "stepped": np.where(x < 0, 8.0, 9.0),
        "nothing": np.full(SHAPE, np.nan),
    }
    for name, array in maps.items():
        write_maps(folder / f"{name}.fits", {"data": array}, GRID, ORIGIN)
    small = Grid.regular((7, 5), 0.2)
    write_maps(folder / "small.fits", {"data": np.ones((7, 5))}, small, ORIGIN)
    fits.writeto(folder / "plain.fits", values)
    fits.writeto(folder / "cube.fits", np.zeros((3, 9, 13)))
    fits.writeto(folder / "even.fits", np.ones((4, 4)))
    fits.writeto(folder / "shifted.fits", np.eye(5)[[1]].T @ np.eye(5)[[2]])
    (folder / "fit.toml").write_text(CONFIG)
    return made


def write_galaxy(folder: Path) -> Path:
    """Writes the files and returns the path of the configuration."""
    copytree(written().name, folder, dirs_exist_ok=True)
    return folder / "fit.toml"


def replace(path: Path, old: str, new: str) -> None:
    """Edits the configuration; the text must be there."""
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))
