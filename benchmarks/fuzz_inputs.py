"""Working input of every command, small enough that one run of it takes a tenth of a second: what `fuzz.py` spoils."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from astropy.table import Table

from jaxmetal.io import write_maps
from jaxmetal.numerics.grid import Grid

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))
from configured import CONFIG, GRID, ORIGIN, SHAPE, replace, write_galaxy
from flux_maps import write_lines

SCENE = CONFIG[CONFIG.index("[sources") :]
FREE = 'q = {dist = "Uniform", low = 0.2, high = 1.0}\nx0 = {dist = "Normal", loc = 0.0, scale = 0.2, start = 0.05}'
IMAGE = """
[observations.halpha]
kind = "image"
data = "halpha.fits"
sigma = 0.01
light = "halpha"
psf = {type = "Kernel", file = "kernel.fits", includes_pixel = true}
sky = {level = {dist = "Normal", loc = 0.0, scale = 0.1}}
dx = 0.0
"""
SKY = "\n[sky]\nra = 150.1\ndec = 2.2\n\n[cosmology]\nH0 = 70.0\nOm0 = 0.3\n"
RECIPE = '[recipe]\nname = "gradient"\nlight = "halpha"\nfree_geometry = true\nsource = "disc"\n'
LENS = """
[lens.main]
type = "SIE"
theta_e = {dist = "Normal", loc = 0.3, scale = 0.02}
q = 0.8
pa = 30.0
z_lens = 0.2

[lens.field]
type = "Shear"
gamma1 = 0.02
gamma2 = 0.0
"""
MASKED = (
    'mask = "labels.fits"\nmask_means = "reject"\nbad_bits = 2\nbins = "labels.fits"\nsampling = {oversampling = 2}'
)
NOISE = '{type = "EffectiveSamples", correlated_pixels = 4.0, noise = {type = "StudentT", nu = 4.0, jitter = 0.01}}'
SUM = (
    'profile = {type = "Sum", parts = {a = {type = "RadialNodes", radii = [0.0, 1.0], values = '
    '{dist = "Normal", loc = [8.5, 8.2], scale = 0.2}}, b = {type = "SpiralArms", m = 2, pitch = 20.0, phase = 0.0, '
    "amplitude = 0.05, width = 15.0, r_core = 0.2}}}"
)
FIT = 'method = "map"\nchains = 4\ndraws = 200\nwarmup = 100\nstart_count = 1\ntarget_accept = 0.9'
COLUMN = "disc.metallicity.slope_per_kpc"
PRIOR = '{dist = "Normal", loc = -0.1, scale = 0.1}'


def write(folder: Path) -> dict[str, list[str]]:
    """Writes all files, a folder for each kind of input; name of the folder -> arguments of the command run in it."""
    made = {
        "scene": ["check", "fit.toml"],
        "recipe": ["check", "fit.toml"],
        "lens": ["check", "fit.toml"],
        "bins": ["check", "fit.toml"],
        "lines": ["lines", "lines.toml", "-o", "work/out", "--quiet"],
        "catalogue": ["batch", "sample.ecsv", "--config", "fit.toml", "-o", "work/run", "--plan", "--quiet"],
        "population": ["population", "results.ecsv", "--of", COLUMN, "--against", "log_mass=10", "-o", "work/out",
                       "--draws", "50", "--quiet"],
        "simulate": ["simulate", "-o", "work/out", "--seed", "1", "--slope", "-1.0"],
    }  # fmt: skip
    for name in made:
        (folder / name / "work").mkdir(parents=True)
        {"lines": write_lines, "population": _population, "simulate": lambda _: None}.get(name, _galaxy)(folder / name)
    for name, change in {"recipe": _recipe, "lens": _lens, "bins": _bins, "catalogue": _catalogue}.items():
        change(folder / name)
    for name in ("scene", "recipe", "lens", "catalogue"):
        for unused in ("labels", "stepped"):
            (folder / name / f"{unused}.fits").unlink()
    (folder / "bins" / "metallicity.fits").unlink()
    return made


def _galaxy(folder: Path) -> None:
    path = write_galaxy(folder)
    for unused in ("small", "zero", "nothing", "cube", "even", "shifted", "plain"):
        (folder / f"{unused}.fits").unlink()
    y, x = np.mgrid[-4:5, -4:5]
    kernel = np.exp(-0.5 * (x**2 + y**2) / 1.1**2)
    write_maps(folder / "kernel.fits", {"psf": kernel}, Grid.regular(kernel.shape, 0.2), ORIGIN)
    replace(path, 'method = "laplace"', FIT)
    replace(
        path,
        "[sources.disc.frame]",
        f"{IMAGE}\n[sky]\nra = 150.1\ndec = 2.2\n\n[cosmology]\nH0 = 70.0\nOm0 = 0.3\n\n[sources.disc.frame]",
    )
    replace(path, "q = 0.6", FREE)


def _recipe(folder: Path) -> None:
    path = folder / "fit.toml"
    path.write_text(path.read_text().split("[sources")[0] + RECIPE)


def _lens(folder: Path) -> None:
    path = folder / "fit.toml"
    replace(path, "[sources.disc.frame]", f"{LENS}\n[sources.disc]\nz = 0.7\nr_eff = 0.5\n[sources.disc.frame]")


def _bins(folder: Path) -> None:
    path = folder / "fit.toml"
    replace(path, 'data = "metallicity.fits"', f'data = "stepped.fits"\n{MASKED}\nproperty = "metallicity"')
    replace(path, '{type = "Gaussian", jitter = 0.01}', NOISE)
    lines = path.read_text().splitlines()
    path.write_text("\n".join(SUM if line.startswith("profile =") else line for line in lines) + "\n")


def _catalogue(folder: Path) -> None:
    x, y = (np.asarray(a) for a in GRID.centres())
    for i in range(3):
        values = 8.6 - 0.1 * i * np.hypot(x, y) + np.random.default_rng(i).normal(0.0, 0.05, SHAPE)
        write_maps(folder / f"g{i}.fits", {"data": values}, GRID, ORIGIN)
    columns = {
        "name": [f"galaxy {i}" for i in range(3)],
        "observations.metallicity.data": [f"g{i}.fits" for i in range(3)],
        "observations.metallicity.psf.fwhm": np.full(3, 0.5),
        "galaxy.z": np.linspace(0.4, 0.6, 3),
        "sources.disc.carries.metallicity.profile.slope": [PRIOR, "", ""],
        "log_mass": np.linspace(9.0, 11.0, 3),
    }
    Table(columns).write(folder / "sample.ecsv")


def _population(folder: Path) -> None:
    random = np.random.default_rng(0)
    mass = random.uniform(9.0, 11.0, 20)
    slope, error = -0.05 + 0.02 * (mass - 10.0) + random.normal(0.0, 0.02, 20), np.full(20, 0.02)
    columns = {"name": [f"g{i}" for i in range(20)], "status": ["ok"] * 20, "log_mass": mass, COLUMN: slope}
    Table(columns | {f"{COLUMN}_lo": slope - error, f"{COLUMN}_hi": slope + error}).write(folder / "results.ecsv")
