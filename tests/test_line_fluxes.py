"""Lines of a spectrum beside maps, and upper limits among line fluxes."""

import jax.numpy as jnp
import numpy as np
import pytest
from astropy.io import fits
from scipy.stats import norm
from test_line_config import path, replace  # noqa: F401
from test_line_maps import FEATURES, GALAXY, emission, psfs, source

import jaxmetal as jm
from jaxmetal.cli import main
from jaxmetal.edge.errors import InputError
from jaxmetal.io.config import read_config
from jaxmetal.prepared import predictions

SLIT = {"x": 0.2, "y": -0.1, "length": 2.0, "width": 0.6, "pa": 30.0}


def test_a_slit_is_its_rectangle():
    """By its corners: the length points to the position angle, East of North, x growing to the West."""
    grid, bins = jm.instrument.slit(**SLIT, pixel=0.13)
    assert bins.n == 1
    assert float(grid.pixel_area) * np.size(bins.labels) == pytest.approx(2.0 * 0.6)
    ny, nx = grid.shape
    north_east = np.array(grid.to_sky(0.5 * (nx - 1), ny - 0.5)) - [0.2, -0.1]
    np.testing.assert_allclose(north_east, [-np.sin(np.pi / 6), np.cos(np.pi / 6)], atol=1e-12)
    aside = np.array(grid.to_sky(nx - 0.5, 0.5 * (ny - 1))) - [0.2, -0.1]
    assert np.hypot(*aside) == pytest.approx(0.3)
    assert aside @ north_east == pytest.approx(0.0, abs=1e-12)


def test_a_circle_is_its_disc():
    grid, bins = jm.instrument.circle(x=0.5, y=1.0, radius=0.7, pixel=0.05)
    inside = np.asarray(bins.labels) == 0
    x, y = (np.asarray(one) for one in grid.centres())
    np.testing.assert_array_equal(inside, np.hypot(x - 0.5, y - 1.0) < 0.7)


@pytest.mark.parametrize("across", range(1, 12))
def test_a_circle_of_few_pixels_has_the_area_of_its_disc(across):
    """And nearly its second moment, r^2 / 4 along each axis."""
    grid, bins = jm.instrument.circle(x=0.5, y=1.0, radius=0.7, pixel=1.4 / across)
    inside = np.asarray(bins.labels) == 0
    assert inside.sum() * float(grid.pixel_area) == pytest.approx(np.pi * 0.49, rel=1e-6)
    for one, middle in zip(grid.centres(), (0.5, 1.0), strict=True):
        spread = np.mean((np.asarray(one)[inside] - middle) ** 2) + float(grid.pixel_area) / 12.0
        assert spread == pytest.approx(0.49 / 4.0, rel=0.06)


def spectrum(aperture, **more):
    return jm.recipes.line_fluxes(
        dict.fromkeys(FEATURES, 1.0),
        emission(),
        aperture=aperture,
        sigma=dict.fromkeys(FEATURES, 0.1),
        psf=psfs(),
        **more,
    )


def test_a_spectrum_sums_the_maps_under_its_slit():
    """The same pixels as maps, summed; and a wide aperture has all of Hb."""
    aperture = jm.instrument.slit(**SLIT, pixel=0.2)
    blank = {name: np.zeros(aperture.grid.shape) for name in FEATURES}
    wide = jm.instrument.circle(x=0.0, y=0.0, radius=4.0, pixel=0.4)
    seen = {
        "slit": spectrum(aperture),
        "maps": jm.recipes.line_maps(blank, emission(), psf=psfs(), sigma=1.0, grid=aperture.grid),
        "all": spectrum(wide, reddened=True),
    }
    scene = jm.Scene(sources={"galaxy": source(GALAXY)})
    found = predictions(seen, scene, jm.prepare(scene, seen))
    np.testing.assert_allclose(found["slit"].value[:, 0], found["maps"].value.sum(axis=(1, 2)), rtol=2e-4)
    assert float(found["all"].value[0, 0]) == pytest.approx(GALAXY["flux"], rel=3e-3)


def test_upper_limits_have_the_probability_to_stay_below():
    made = spectrum(jm.instrument.slit(**SLIT, pixel=0.2), limits=("Ha+NII",))
    model = jnp.array([[0.9], [1.2], [0.85]])
    found = np.asarray(made.noise.pointwise(made.data, model, model, made.used))[:, 0]
    expected = [norm.logpdf(1.0, 0.9, 0.1), norm.logpdf(1.0, 1.2, 0.1), norm.logcdf((1.0 - 0.85) / 0.1)]
    np.testing.assert_allclose(found, expected, rtol=1e-6)


SPECTRUM = """
[observations.spectrum]
kind = "line_fluxes"
calibrations = "C20"
psf = {type = "Gaussian", fwhm = 0.8}
pixel_scale = 0.2
slit = {x = 0.0, y = 0.1, length = 3.0, width = 1.0, pa = 40.0}
[observations.spectrum.features.Hb]
flux = 10.0
sigma = 0.5
[observations.spectrum.features.OII]
flux = 3.0
sigma = 1.0
upper_limit = true

[sources.disc.frame]"""


@pytest.fixture
def both(path):  # noqa: F811
    replace(path, ("[sources.disc.frame]", SPECTRUM.strip()))
    return path


def test_a_spectrum_beside_maps_in_a_file(both):
    found = read_config(both).observations["spectrum"]
    assert found.emission.features == ("Hb", "OII")
    np.testing.assert_array_equal(found.data, [[10.0], [3.0]])
    np.testing.assert_array_equal(found.noise.limits, [[0], [1]])
    assert found.grid.shape == (15, 5)


def test_limits_of_maps_in_a_file(path):  # noqa: F811
    with fits.open(path.parent / "lines.fits", mode="update") as hdus:
        flags = np.zeros(hdus["HB"].shape, np.uint8)
        flags[2, 3] = 1
        hdus.append(fits.ImageHDU(flags, hdus["HB"].header, name="LIMITS"))
    replace(path, ('sigma = "HA_NII_ERR"', 'sigma = "HA_NII_ERR"\nlimits = "LIMITS"'))
    limits = read_config(path).observations["lines"].noise.limits
    assert limits.sum() == limits[2, 2, 3] == 1


BAD = {
    "neither": ("\nslit =", "\n# slit =", "expected either an aperture"),
    "both": ("\nslit =", "\naperture = {x = 0.0, y = 0.0, radius = 1.0}\nslit =", "found aperture and slit"),
    "no width": ("width = 1.0", "width = 0.0", "slit: expected a width above 0"),
    "no pixels": ("pixel_scale = 0.2\nslit", "pixel_scale = 1e-4\nslit", "at most 400 pixels long"),
    "no error": ("sigma = 0.5", "", "sigma"),
    "a file": ("flux = 10.0", 'flux = "HB"', "expected a number"),
    "a key of maps": ("flux = 10.0", "flux = 10.0\nmask = 1", "'mask' is no known key"),
    "a number for a switch": ("upper_limit = true", "upper_limit = 1", "expected true or false"),
}


@pytest.mark.parametrize("name", BAD)
def test_spectra_that_cannot_be_are_refused(both, name, capsys):
    old, new, said = BAD[name]
    replace(both, (old, new))
    assert main(["check", str(both)]) == 2
    error = capsys.readouterr().err
    assert said in error
    assert "Traceback" not in error


def test_limits_of_no_flux_are_refused():
    with pytest.raises(InputError, match="limits: 'SII' is none of the fluxes"):
        spectrum(jm.instrument.slit(**SLIT, pixel=0.2), limits=("SII",))
    with pytest.raises(InputError, match="limits: 'SII' is none of the lines"):
        jm.recipes.line_maps(
            {name: np.zeros((5, 7)) for name in FEATURES},
            emission(),
            psf=psfs(),
            sigma=1.0,
            pixel_scale=0.2,
            limits={"SII": np.zeros((5, 7))},
        )
