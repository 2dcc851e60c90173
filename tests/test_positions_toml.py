"""Positions of multiple images in TOML: read, checked, fitted, drawn, alone and beside a map; what is refused."""

import numpy as np
import pytest
from configured import replace, write_galaxy
from fits_files import refused
from image_families import FAMILY, X, Y

import jaxmetal as jm
from jaxmetal.cli import main
from jaxmetal.io.config import read_config
from jaxmetal.io.deflection import COSMOLOGY, distance_ratio

Z = [3.0] * 4 + [1.2] * 4
LENS = """
[lens.halo]
type = "SIE"
theta_e = {dist = "Uniform", low = 7.0, high = 13.0}
q = 0.7
pa = 30.0
z_lens = 0.4

[lens.shear]
type = "Shear"
gamma1 = 0.05
gamma2 = {dist = "Normal", loc = 0.0, scale = 0.05}
"""
IMAGES = """
[observations.images]
kind = "positions"
data = "images.ecsv"
noise = {jitter = 0.01}
"""
ALONE = f"""
[galaxy]
z = 3.0
{IMAGES}
[fit]
method = "laplace"
chains = 2
draws = 50
{LENS}
"""


def write(path, **columns):
    known = {"family": FAMILY, "x": X, "y": Y, "sigma": np.full(8, 0.3), "z": Z, **columns}
    path.unlink(missing_ok=True)
    jm.io.write_table(path, {name: values for name, values in known.items() if values is not None})


@pytest.fixture
def path(tmp_path):
    write(tmp_path / "images.ecsv")
    (tmp_path / "fit.toml").write_text(ALONE)
    return tmp_path / "fit.toml"


def test_redshifts_become_distance_ratios(path):
    job = read_config(path)
    images = job.observations["images"]
    far = distance_ratio(COSMOLOGY, 0.4, 1.2) / distance_ratio(COSMOLOGY, 0.4, 3.0)
    assert images.distance_ratio == {"a": 1.0, "b": pytest.approx(far, rel=1e-9)}
    assert (job.scene.sources, images.steps) == ({}, 1)
    unknown = 'plane = "image"\ndistance_ratio.b = {dist = "Uniform", low = 0.5, high = 1.0}'
    replace(path, "noise = {jitter = 0.01}", unknown)
    free = read_config(path)
    assert free.observations["images"].steps == 3
    assert "images.distance_ratio.b" in jm.sites({"scene": free.scene, **free.observations})
    assert any("in the place of the redshift of family 'b', 1.2" in str(one) for one in free.findings)


def test_right_ascensions_increase_to_the_east(path):
    write(path.parent / "images.ecsv", x=None, y=None, ra=150.0 - X / 3600.0, dec=Y / 3600.0)
    refused(lambda: read_config(path), "observations.images.data", "found none; add [sky]")
    path.write_text("[sky]\nra = 150.0\ndec = 0.0\n" + path.read_text())
    np.testing.assert_allclose(read_config(path).observations["images"].data, [X, Y], atol=1e-6)


def test_checked_fitted_and_drawn_alone(path, capsys):
    assert main(["check", str(path)]) == 0
    told = capsys.readouterr().out
    assert "positions of 8 images in 2 families, chi2 in the source plane" in told
    assert "x: 8 of 8 data used" in told
    out = path.parent / "out"
    assert main(["fit", str(path), "-o", str(out), "--quiet"]) == 0
    assert {"summary.txt", "table_images.ecsv", "fit_images.png", "corner.png"} <= {one.name for one in out.iterdir()}
    table = jm.io.read_table(out / "table_images.ecsv")
    assert (np.abs(table["residual_x"]) < 4.0).all()
    assert jm.io.tables.column_units(out / "table_images.ecsv")["source_x"] == "arcsec"


def test_beside_a_map_over_one_scene(tmp_path):
    path = write_galaxy(tmp_path)
    write(tmp_path / "images.ecsv", z=[0.9] * 4 + [0.5] * 4)
    path.write_text(path.read_text() + IMAGES + LENS)
    job = read_config(path)
    plans = jm.prepare(job.scene, job.observations)
    assert set(plans["metallicity"].lens.modes) == {"halo", "shear"}
    assert list(jm.sites({"scene": job.scene, **job.observations})) == [
        "scene.lens.halo.theta_e", "scene.lens.shear.gamma2", "scene.sources.disc.carries.metallicity.profile.central",
        "scene.sources.disc.carries.metallicity.profile.slope",
    ]  # fmt: skip


BAD = {
    "one image only": ({"family": list("aaaabbbc")}, "", "", ["family 'c': expected at least two images, found one"]),
    "no redshift": ({"z": None}, "", "", ["family 'a': expected its redshift in column z, found none"]),
    "two redshifts": ({"z": [3.0, 2.0, *Z[2:]]}, "", "", ["family 'a': expected one redshift, found 2 and 3"]),
    "in front": ({"z": Z[:4] + [0.3] * 4}, "", "", ["z of family 'b': expected a source behind the lens", "found 0.3"]),
    "no lens redshift": ({}, "z_lens = 0.4\n", "", ["z of family 'b': expected one redshift of the lens"]),
    "no reference": ({}, "z = 3.0\n", "", ["z of family 'a'", "found none; state it as galaxy.z"]),
    "unknown column": ({"x_pix": X}, "", "", ["a column of images.ecsv: 'x_pix' is no known key; known are"]),
    "no families": ({"family": None}, "", "", ["must have a column family"]),
    "no places": ({"x": None}, "", "", ["expected columns ra and dec (degrees), or x and y (arcsec West and North)"]),
    "two places": (
        {"ra": 150.0 - X / 3600.0, "dec": Y / 3600.0},
        "",
        "",
        ["expected columns x and y (arcsec West and North), or ra and dec (degrees), found all four; leave two"],
    ),
    "not a number": ({"y": [np.nan, *Y[1:]]}, "", "", ["y: expected a position of every image, found 1 without"]),
    "twice": ({"x": [X[1], *X[1:]], "y": [Y[1], *Y[1:]]}, "", "", ["Rows 1 and 2 (families 'a' and 'a')"]),
    "no errors": ({"sigma": None}, "", "", ["expected the errors as a column sigma", "found neither"]),
    "two errors": ({}, "noise =", "sigma = 0.1\nnoise =", ["expected the errors as a column sigma", "found both"]),
    "no such plane": ({}, "noise =", 'plane = "sky"\nnoise =', ["observations.images.plane: 'sky' is none of source"]),
    "unknown key": ({}, "noise =", "psf = 1\nnoise =", ["observations.images: 'psf' is no known key"]),
    "ratio of none": ({}, "noise =", "distance_ratio.c = 1.0\nnoise =", ["families that have images", "found 'c'"]),
}  # fmt: skip


@pytest.mark.parametrize("case", BAD)
def test_what_cannot_be_used_is_refused_in_a_sentence(path, case):
    columns, old, new, words = BAD[case]
    write(path.parent / "images.ecsv", **columns)
    replace(path, old, new)
    refused(lambda: read_config(path), *words)


def test_images_need_a_lens(path, capsys):
    path.write_text(path.read_text().replace(LENS, ""))
    write(path.parent / "images.ecsv", z=[3.0] * 8)
    assert main(["check", str(path)]) == 2
    assert "need a lens" in capsys.readouterr().err
