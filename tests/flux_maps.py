"""A small galaxy in flux maps and the TOML that describes it, for tests of `jaxmetal lines`."""

from functools import cache
from pathlib import Path
from shutil import copytree
from tempfile import TemporaryDirectory

import numpy as np
from astropy.coordinates import SkyCoord
from configured import replace
from spectra import expected_fluxes

from jaxmetal.io import write_maps, write_table
from jaxmetal.numerics.grid import Grid

SHAPE = (7, 9)
ORIGIN = SkyCoord(150.1, 2.2, unit="deg")
GRID = Grid(shape=SHAPE, origin=np.array([-0.9, 0.5]), matrix=0.2 * np.array([[0.8, 0.6], [-0.6, 0.8]]))
LINES = {"OII": {0: 1.0}, "HB": {2: 1.0}, "OIII5007": {3: 1.0}, "HA_NII": {4: 1.0, 5: 1.0 + 1.0 / 2.942}}
"""Extension -> column of `spectra.expected_fluxes` -> weight."""
UNIT = "1e-20 erg / (s cm2)"
BINS = 35
LABELS = np.arange(SHAPE[1])[None, :] // 2 + 5 * np.arange(SHAPE[0])[:, None]
"""Bins of two spaxels, or one at the end of a row; as many, about, as spaxels, for programs of the same size."""

CONFIG = """
[galaxy]
name = "test"
z = 0.6

[data]
file = "lines.fits"
psf = {type = "Gaussian", fwhm = 0.5}

[features.OII]
flux = "OII"
sigma = "OII_ERR"

[features.Hb]
flux = "HB"
sigma = "HB_ERR"

[features.OIII5007]
flux = "OIII5007"
sigma = "OIII5007_ERR"

[features."Ha+NII"]
flux = "HA_NII"
sigma = "HA_NII_ERR"

[likelihood]
type = "fluxes"
calibrations = "M08"

[regions.centre]
aperture = {x = 0.0, y = 0.0, radius = 0.4}
"""


def fluxes(noise: float = 3.0) -> tuple[np.ndarray, np.ndarray]:
    """Fluxes and errors, shape (ny, nx, 4): Z from 8.9 in the middle to 8.5, A(V) = 0.5, one corner without a line."""
    x, y = (np.asarray(a) for a in GRID.centres())
    z = 8.9 - 0.3 * np.hypot(x, y)
    lines = expected_fluxes(z.ravel(), np.full(z.size, 0.5)).reshape(*SHAPE, -1)
    expected = np.stack([sum(w * lines[..., i] for i, w in blend.items()) for blend in LINES.values()], axis=-1)
    flux = 300.0 * np.exp(-np.hypot(x, y))[..., None] * expected
    flux += np.random.default_rng(5).normal(0.0, noise, flux.shape)
    flux[:2, :2] = np.nan
    return flux, np.full(flux.shape, noise)


def binned(values: np.ndarray) -> np.ndarray:
    """Means over the bins, painted back; NaN counts as 0."""
    means = [np.nan_to_num(values)[label == LABELS].mean() for label in range(BINS)]
    return np.array(means)[LABELS]


@cache
def written() -> TemporaryDirectory:
    """A folder with the files: written once, as each test wants its own."""
    made = TemporaryDirectory()
    folder = Path(made.name)
    flux, sigma = fluxes()
    maps = {name: flux[..., i] for i, name in enumerate(LINES)}
    errors = {f"{name}_ERR": sigma[..., i] for i, name in enumerate(LINES)}
    write_maps(folder / "lines.fits", maps | errors, GRID, ORIGIN, dict.fromkeys(maps | errors, UNIT))
    in_bins = {name: binned(values) for name, values in maps.items()}
    write_maps(folder / "binned.fits", in_bins | errors, GRID, ORIGIN, dict.fromkeys(in_bins | errors, UNIT))
    first = np.unique(LABELS, return_index=True)[1]
    rows = {name: values.ravel()[first] for name, values in (in_bins | errors).items()}
    write_table(folder / "lines.ecsv", {"bin": np.arange(BINS), **rows}, units=dict.fromkeys(rows, UNIT))
    x, y = (np.asarray(a) for a in GRID.centres())
    write_maps(folder / "bins.fits", {"bins": LABELS.astype(np.int32)}, GRID, ORIGIN)
    write_maps(folder / "radius.fits", {"radius": np.hypot(x, y)}, GRID, ORIGIN, {"radius": "arcsec"})
    write_maps(folder / "clump.fits", {"mask": (x > 0.2).astype(np.uint8)}, GRID, ORIGIN)
    write_maps(folder / "amplification.fits", {"mu": 4.0 + 0.0 * x}, GRID, ORIGIN)
    (folder / "lines.toml").write_text(CONFIG)
    return made


def write_lines(folder: Path) -> Path:
    """Writes the files and returns the path of the configuration."""
    copytree(written().name, folder, dirs_exist_ok=True)
    return folder / "lines.toml"


KEPT = np.isfinite(fluxes()[0]).all(axis=-1)


def in_bins(folder: Path) -> Path:
    """The configuration for the maps of bins."""
    path = write_lines(folder)
    replace(path, 'file = "lines.fits"', 'file = "binned.fits"\nbins = "bins.fits"\nbin_values = "mean"')
    return path
