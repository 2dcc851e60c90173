"""`jaxmetal source`: line maps and a lens in, maps, tables and a picture of the source's plane out."""

import fnmatch
import json
import tomllib

import numpy as np
import pytest
from configured import replace
from flux_maps import GRID, KEPT, ORIGIN, SHAPE, fluxes, write_lines

import jaxmetal as jm
from jaxmetal import sourceplane
from jaxmetal.cli import main
from jaxmetal.cli.example import EXAMPLES
from jaxmetal.io import read_config, read_map, read_table, write_maps
from jaxmetal.io.config.source_plane import KEYS, read_source
from jaxmetal.io.source_files import CONTENTS

SECTIONS = """
[lens.galaxy]
type = "SIE"
theta_e = 0.6
x0 = -1.2
y0 = 0.2
q = 0.8
z_lens = 0.3

[source]
pixel = 0.1
images = "images.fits"

[source.image_annuli]
frame = {type = "Disc", x0 = 0.6, q = 0.8, pa = 30.0}
width_kpc = 2.0
"""
LENS = jm.lens.Plane(parts={"galaxy": jm.lens.SIE(theta_e=0.6, x0=-1.2, y0=0.2, q=0.8)})


def require_refused(path, capsys, text):
    """The command says one sentence and leaves nothing."""
    out = path.parent / "out"
    assert main(["source", str(path), "-o", str(out)]) == 2
    said = capsys.readouterr().err.strip()
    assert text in said
    assert "\n" not in said
    assert not out.exists()


def write_source(folder):
    """The files and the configuration."""
    path = write_lines(folder)
    path.write_text(path.read_text() + SECTIONS)
    x, _ = GRID.centres()
    write_maps(folder / "images.fits", {"images": np.where(np.asarray(x) > -5.0, 1, 0).astype(np.int32)}, GRID, ORIGIN)
    write_maps(folder / "halves.fits", {"images": np.full(SHAPE, 0.5)}, GRID, ORIGIN)
    write_maps(folder / "none.fits", {"images": np.zeros(SHAPE)}, GRID, ORIGIN)
    elsewhere = jm.Grid(shape=SHAPE, origin=np.asarray(GRID.origin) + 0.4, matrix=GRID.matrix)
    write_maps(folder / "elsewhere.fits", {"images": np.ones(SHAPE)}, elsewhere, ORIGIN)
    return path


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    path = write_source(tmp_path_factory.mktemp("source"))
    assert main(["source", str(path), "-o", str(path.parent / "out")]) == 0
    return path.parent / "out"


def test_a_run_writes_everything_that_it_names(results):
    names = {path.name for path in results.iterdir()}
    assert {"source.png", "image.fits", "source_1.fits", "images.ecsv", "annuli.ecsv", "image_annuli.ecsv"} <= names
    assert all(any(fnmatch.fnmatch(name, pattern) for pattern in CONTENTS) for name in names)
    record = json.loads((results / "provenance.json").read_text())
    assert {"configuration", "source.images"} <= set(record["inputs"])


def test_maps_are_those_of_the_room(results):
    job, (flux, sigma) = read_source(results.parent / "lines.toml"), fluxes()
    made = sourceplane.of_images(LENS, job.grid, KEPT.astype(int), 0.1)[1]
    hb, error = (read_map(results / "source_1.fits", name) for name in ("HB", "HB_ERR"))
    np.testing.assert_allclose(hb.values, made.mean(flux)[..., 1], rtol=1e-6)
    np.testing.assert_allclose(error.values, made.error(sigma)[..., 1], rtol=1e-6)
    beta = read_map(results / "image.fits", "source_x")
    expected = sourceplane.source_positions(LENS, *job.grid.centres())[0]
    np.testing.assert_allclose(beta.values, expected, atol=1e-9)
    assert beta.unit == "arcsec"
    centres = (np.asarray(grid.centres()) for grid in (hb.grid(job.lines.origin), made.grid))
    np.testing.assert_allclose(*centres, atol=1e-4)


def test_tables_have_units_and_agree_with_each_other(results):
    images, annuli = (read_table(results / f"{name}.ecsv") for name in ("images", "annuli"))
    units = jm.io.tables.column_units(results / "annuli.ecsv")
    assert (units["radius_kpc"], units["z"], units["flux_Hb"]) == ("kpc", "dex", "1e-20 erg / (s cm2)")
    scale = annuli["radius_kpc"][0] / annuli["radius"][0]
    known = np.isfinite(annuli["z"])
    assert images["reach_kpc"][0] == pytest.approx(annuli["outer"][known].max() * scale)
    width = 0.5 * np.sqrt(images["psf_major"][0] * images["psf_minor"][0])
    assert annuli["outer"][0] == pytest.approx(width)
    assert str(images["verdict"][0]) == "resolved"
    assert np.all((annuli["z"][known] > 8.0) & (annuli["z"][known] < 9.3))


def test_the_summary_says_what_the_tables_say(results):
    text, images = (results / "summary.txt").read_text(), read_table(results / "images.ecsv")
    assert f"{images['slope'][0]:+.4f}" in text
    assert "The blur is still in these gradients" in text
    assert "centred on the peak of Ha+NII" in text


def test_the_light_is_ready_to_be_fitted(results):
    """The kernel has the moments of the PSF's ellipse; the configuration is read, and knows which pixels are empty."""
    job, images = read_config(results / "light_1.toml"), read_table(results / "images.ecsv")
    image = job.observations["light"]
    assert set(job.scene.sources) == {"disc", "bulge"}
    light = read_map(results / "source_1.fits", "light").values
    np.testing.assert_array_equal(np.asarray(image.used), np.isfinite(light))
    assert image.noise.jitter.scale == pytest.approx(0.05 * np.nanmax(light), rel=0.01)
    assert job.scene.sources["disc"].frame.x0.loc == pytest.approx(images["x"][0], abs=1e-3)
    centres = read_map(results / "source_1.fits", "light").grid(read_source(results.parent / "lines.toml").lines.origin)
    np.testing.assert_allclose(image.grid.origin, centres.origin, atol=1e-5)
    values, step = np.asarray(image.psf.values), float(image.psf.step)
    line = step * (np.arange(values.shape[0]) - values.shape[0] // 2)
    x, y = np.meshgrid(line, line)
    moments = [[(values * a * b).sum() / values.sum() for a in (x, y)] for b in (x, y)]
    widths = 2.3548 * np.sqrt(np.linalg.eigvalsh(moments))
    expected = (images["psf_minor"][0], images["psf_major"][0])
    assert tuple(widths) == pytest.approx(expected, rel=0.05)
    along = np.array([-1.0, 1.0]) * np.sin(np.deg2rad(2.0 * images["psf_pa"][0]))
    assert np.sign(moments[0][1]) == np.sign(along[0])


def test_the_example_is_read_but_for_its_files(tmp_path):
    example = tomllib.loads(EXAMPLES["source"].read_text())
    assert set(example["source"]) <= set(KEYS)
    (tmp_path / "example.toml").write_text(EXAMPLES["source"].read_text())
    with pytest.raises(jm.InputError, match="does not exist"):
        read_source(tmp_path / "example.toml")


@pytest.mark.parametrize(
    ("old", "new", "text"),
    [
        ("pixel = 0.1", "", "the key 'pixel' is missing"),
        ("pixel = 0.1", "pixel = -1.0", "expected a number above 0"),
        ("pixel = 0.1", "pixels = 0.1", "did you mean 'pixel'"),
        ('images = "images.fits"', 'images = "halves.fits"', "number the images"),
        ('images = "images.fits"', 'images = "none.fits"', "number the images"),
        ('images = "images.fits"', 'images = "elsewhere.fits"', "expected the pixels of"),
        ('images = "images.fits"', 'continuum = "absent.fits"', "does not exist"),
        ('images = "images.fits"', 'values = "means"', "is none of fluxes, ratios, metallicity"),
        ('images = "images.fits"', 'line = "best"', "is none of wls, ols, regress"),
        ('images = "images.fits"', "step = 0.0", "expected a number above 0"),
        ('images = "images.fits"', "centre = {x = 1.0}", "the key 'y' is missing"),
        ('psf = {type = "Gaussian", fwhm = 0.5}', "", "the key 'psf' is missing"),
        ("z = 0.6", "", "the key 'z' is missing"),
        ("z_lens = 0.3", "z_lens = 0.7", "expected a source behind the lens"),
        ("theta_e = 0.6", 'theta_e = {dist = "Uniform", low = 0.5, high = 0.7}', "found a prior"),
        ("pa = 30.0", 'pa = {dist = "Uniform", low = 0.0, high = 90.0}', "found a prior"),
        ("width_kpc = 2.0", "width = 2.0", "no known key"),
        ("theta_e = 0.6", "", "needs 'theta_e'"),
    ],
)
def test_bad_input_is_one_sentence(tmp_path, capsys, old, new, text):
    path = write_source(tmp_path)
    replace(path, old, new)
    require_refused(path, capsys, text)


def test_a_table_alone_is_refused(tmp_path):
    path = write_source(tmp_path)
    replace(path, 'file = "lines.fits"', 'table = "lines.ecsv"')
    replace(path, 'psf = {type = "Gaussian", fwhm = 0.5}', "")
    with pytest.raises(jm.InputError, match="found a table alone"):
        read_source(path)
