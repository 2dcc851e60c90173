"""`jaxmetal source` with stellar mass, errors of the magnification and other models of the lens; bad input."""

import numpy as np
import pytest
from configured import replace
from flux_maps import GRID, ORIGIN, SHAPE
from test_source_command import LENS, require_refused, write_source

import jaxmetal as jm
from jaxmetal import sourceplane
from jaxmetal.cli import main
from jaxmetal.io import read_table, write_maps
from jaxmetal.io.config.source_plane import read_source
from jaxmetal.population import Relation, residuals

MASS = '[source.mass]\nmap = "mass.fits"\nsigma = 0.1\nunit = "log Msun/kpc2"\n\n'
MODELS = (
    '[source.models.cats]\nx = ["x1.fits", "x2.fits"]\ny = ["y1.fits", "y2.fits"]\nz_lens = 0.3\nz_map = "source"\n\n'
)
RINGS = "[source.image_annuli]"
IMAGES = 'images = "images.fits"'
PSF = 'psf = {type = "Gaussian", fwhm = 0.5}'
SLOPES = {"log star formation": 0.8, "12 + log(O/H)": 0.3}


def write_all(folder):
    """As `write_source`, with maps of mass, deflection and light that is no light."""
    path = write_source(folder)
    x, y = (np.asarray(axis) for axis in GRID.centres())
    maps = {"mass": 9.0 - np.hypot(x, y), "linear": 10.0 ** (9.0 - np.hypot(x, y)), "negative": -1.0 - np.hypot(x, y)}
    for name, values in maps.items():
        write_maps(folder / f"{name}.fits", {"data": values}, GRID, ORIGIN)
    wide = jm.Grid.regular((60, 62), 0.15)
    for number, theta_e in enumerate((0.55, 0.65), start=1):
        lens = jm.lens.SIE(theta_e=theta_e, x0=-1.2, y0=0.2, q=0.8)
        for name, alpha in zip("xy", lens(*wide.centres()), strict=True):
            write_maps(folder / f"{name}{number}.fits", {"a": np.asarray(alpha)}, wide, ORIGIN, {"a": "arcsec"})
    return path


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    """Of a run whose lines are planted in the place of regressions, which take a minute."""

    def regress(quantity, covariate, run):
        slope = np.full((2, 4), SLOPES[quantity.label]) + np.array([[-0.1, 0.0, 0.0, 0.1]])
        central = float(np.mean(quantity.values)) + 0.0 * slope
        draws = {"central": central, "slope.x": slope, "scatter": 0.1 + 0.0 * slope}
        return Relation(
            quantity=quantity,
            covariates={"x": covariate},
            draws=draws,
            method="regression",
            robust=False,
            selection="",
        )

    path = write_all(tmp_path_factory.mktemp("relations"))
    replace(path, RINGS, MASS + MODELS + RINGS)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(residuals, "regress", regress)
        assert main(["source", str(path), "-o", str(path.parent / "out")]) == 0
    return path.parent / "out"


def test_places_and_relations_are_tables_with_units(results):
    places, relations = (read_table(results / f"{name}.ecsv") for name in ("places", "relations"))
    assert len(places["z"]) >= 5
    assert jm.io.tables.column_units(results / "places.ecsv")["log_mass"] == "dex"
    # mass falls by 1 dex per arcsec from the middle of the image, which the lens moves
    assert np.all((places["log_mass"] > 7.0) & (places["log_mass"] < 9.0))
    assert [str(one) for one in relations["relation"]] == ["main sequence", "mass-metallicity", "residuals"]
    assert relations["slope"][:2] == pytest.approx(list(SLOPES.values()))
    assert relations["slope_low"][0] < 0.8 < relations["slope_high"][0]
    assert 0.0 <= relations["p_value"][2] <= 1.0
    assert (results / "relations.png").stat().st_size > 10_000


def test_errors_of_the_magnification_are_those_of_the_models(results):
    spread, images = read_table(results / "magnification.ecsv"), read_table(results / "images.ecsv")
    assert [str(one) for one in spread["model"]] == ["cats", "across"]
    job = read_source(results.parent / "lines.toml")
    found = [
        sourceplane.region_magnification(lens, job.grid, job.light, job.labels > 0, 0.1).light_weighted
        for lens in job.models["cats"]
    ]
    assert spread["median"][0] == pytest.approx(np.mean(found))
    low, middle, high = (images[f"magnification{end}"][0] for end in ("_low", "", "_high"))
    assert middle == pytest.approx(images["flux_ratio"][0], rel=0.01)
    assert 1.0 - low / middle == pytest.approx(1.0 - spread["low"][0] / spread["median"][0], rel=0.1)
    assert high / middle - 1.0 == pytest.approx(spread["high"][0] / spread["median"][0] - 1.0, rel=0.1)
    assert images["sfr_low"][0] < images["sfr"][0] / 1.01
    assert images["log_mass_low"][0] < images["log_mass"][0] < images["log_mass_high"][0]


def test_the_total_mass_is_what_is_seen_over_the_magnification(results):
    job, images = read_source(results.parent / "lines.toml"), read_table(results / "images.ecsv")
    x, y = (np.asarray(axis) for axis in GRID.centres())
    area = 0.04 * job.kpc_per_arcsec**2
    seen = np.sum(10.0 ** (9.0 - np.hypot(x, y))[job.labels > 0]) * area
    assert images["log_mass"][0] == pytest.approx(np.log10(seen / images["magnification"][0]), abs=0.02)


def test_the_summary_tells_them(results):
    text = (results / "summary.txt").read_text()
    assert "resolved main sequence" in text
    assert "Msun/yr, demagnified\n" in text
    assert "magnification, cats " in text
    assert "across" not in text  # of one model
    assert "test: 1 image, " in text


@pytest.mark.parametrize(("unit", "power"), [("Msun/kpc2", 0.0), ("Msun", 1.0)])
def test_mass_is_read_in_every_unit(tmp_path, unit, power):
    path = write_all(tmp_path)
    replace(
        path,
        RINGS,
        MASS.replace("log Msun/kpc2", unit).replace("0.1", "1e7").replace("mass.fits", "linear.fits") + RINGS,
    )
    job = read_source(path)
    area = 0.04 * job.kpc_per_arcsec**2
    x, y = (np.asarray(axis) for axis in GRID.centres())
    np.testing.assert_allclose(job.mass.density, 10.0 ** (9.0 - np.hypot(x, y)) / area**power, rtol=1e-5)
    np.testing.assert_allclose(job.mass.sigma, 1e7 / area**power, rtol=1e-5)


def test_logarithms_of_mass_are_taken_back(tmp_path):
    path = write_all(tmp_path)
    replace(path, RINGS, MASS + RINGS)
    job = read_source(path)
    np.testing.assert_allclose(job.mass.sigma / job.mass.density, 0.1 * np.log(10.0))
    np.testing.assert_allclose(job.lens(0.0, 0.0), LENS(0.0, 0.0))


@pytest.mark.parametrize(
    ("old", "new", "text"),
    [
        ("pixel = 0.1", "pixel = 500.0", "more than the image has across"),
        ("pixel = 0.1", 'pixel = "0.1 arcsec"', "expected a number, found '0.1 arcsec'"),
        (IMAGES, "centre = {x = 100.0, y = 0.0}", "a place on the map of the source's plane, x from"),
        (IMAGES, "centre = [0.1, 0.2]", "expected a table"),
        (IMAGES, 'images = "lines.fits"', "name the extension"),
        (IMAGES, 'continuum = "negative.fits"', "must be above 0 somewhere"),
        (IMAGES, "step = 11.0", "above 0 and up to 10"),
        (IMAGES, "magnification_error = 1.5", "below 1 towards smaller"),
        (IMAGES, "magnification_error = [0.1]", "write e.g. [0.1, 0.2]"),
        (IMAGES, 'magnification_error = "10 %"', "write e.g. [0.1, 0.2]"),
        ("[source]", "[magnification]\nvalue = 2.0\nsigma = 0.1\n\n[source]", "source.magnification_error"),
        (RINGS, MASS.replace('unit = "log Msun/kpc2"\n', "") + RINGS, "expected one of log Msun/kpc2"),
        (RINGS, MASS.replace("log Msun/kpc2", "solMass") + RINGS, "is none of log Msun/kpc2"),
        (RINGS, MASS.replace("mass.fits", "linear.fits") + RINGS, "is it a logarithm"),
        (RINGS, MASS.replace("log Msun/kpc2", "Msun/kpc2") + RINGS, "is it a logarithm"),
        (RINGS, MASS.replace("sigma = 0.1\n", "") + RINGS, "exactly one of sigma, variance and ivar"),
        (RINGS, MASS.replace("mass.fits", "elsewhere.fits") + RINGS, "expected the pixels of"),
        (RINGS, MASS.replace('map = "mass.fits"\n', "") + RINGS, "the key 'map' is missing"),
        (RINGS, MASS + "cell = 0.0\n" + RINGS, "expected a number above 0"),
        (RINGS, MODELS.replace("z_lens = 0.3\n", "") + RINGS, "the key 'z_lens' is missing"),
        (RINGS, MODELS.replace('"x1.fits", "x2.fits"', "") + RINGS, "found an empty list"),
        (RINGS, MODELS.replace('"x1.fits", ', "") + RINGS, "as many maps along x as along y"),
        (RINGS, MODELS.replace("cats", "across") + RINGS, "give it another name"),
        ("theta_e = 0.6", "theta_e = -0.6", "lens.galaxy.theta_e: expected a number within [0, inf)"),
        ("theta_e = 0.6", "theta_e = 0.6\npa = nan", "expected a finite number"),
        ("x0 = 0.6, q = 0.8", "x0 = 0.6, q = 1.8", "frame.q: expected a number within (0, 1]"),
        (PSF, 'psf = {type = "Gaussian", fwhm = 50.0}', "as wide as the map"),
    ],
)
def test_bad_input_is_one_sentence(tmp_path, capsys, old, new, text):
    path = write_all(tmp_path)
    replace(path, old, new)
    require_refused(path, capsys, text)


def test_maps_of_one_shape_alone_are_mass(tmp_path):
    path = write_all(tmp_path)
    replace(path, RINGS, MASS.replace("sigma = 0.1", 'sigma = "mass.fits"') + RINGS)
    assert read_source(path).mass.sigma.shape == SHAPE
