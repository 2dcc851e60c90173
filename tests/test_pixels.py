"""Files belong together by where their headers say that they lie, and data are in the unit of their headers."""

from operator import attrgetter

import numpy as np
import pytest
from astropy import units
from astropy.coordinates import SkyCoord
from astropy.io import fits
from astropy.wcs import WCS
from configured import GRID, ORIGIN, SHAPE, replace, write_galaxy
from fits_files import refused

from jaxmetal.io import write_maps
from jaxmetal.io.config import read_config
from jaxmetal.io.config.lines import read_lines
from jaxmetal.io.wcs import position_angle_of_y
from jaxmetal.numerics.grid import Grid

DATA, SIGMA = 'data = "metallicity.fits"', 'sigma = "sigma.fits"'
IMAGE = """
[observations.halpha]
kind = "image"
data = "{}"
sigma = {}
light = "halpha"
psf = {{type = "Gaussian", fwhm = 0.5}}
{}
"""


@pytest.fixture
def path(tmp_path):
    write_maps(tmp_path / "flat.fits", {"data": np.full(SHAPE, 8.5)}, GRID, ORIGIN)
    return write_galaxy(tmp_path)


def shifted(columns=0.0, flip=False):
    """The pixels of the test galaxy moved along the columns, or mirrored about their middle."""
    matrix = np.asarray(GRID.matrix) * ([[-1.0], [1.0]] if flip else [[1.0], [1.0]])
    origin = np.asarray(GRID.origin) * ([-1.0, 1.0] if flip else [1.0, 1.0]) + [0.2 * columns, 0.0]
    return Grid(shape=SHAPE, origin=origin, matrix=matrix)


WRONG = {
    "flipped": (shifted(flip=True), ORIGIN, "up to 12 pixels away"),
    "half a pixel away": (shifted(0.5), ORIGIN, "up to 0.5 pixels away"),
    "elsewhere": (GRID, SkyCoord(150.2, 2.2, unit="deg"), "other world coordinates"),
    "behind": (GRID, SkyCoord(330.1, -2.2, unit="deg"), "up to inf pixels away"),
}
BESIDE = {
    "sigma": (SIGMA, 'sigma = "other.fits"'),
    "mask": (SIGMA, f'{SIGMA}\nmask = "other.fits"\nmask_means = "use"'),
    "bins": (DATA, 'data = "flat.fits"\nbins = "other.fits"'),
    "limits": (
        'noise = {type = "Gaussian", jitter = 0.01}',
        'noise = {type = "Censored", limits = "other.fits", noise = {type = "Gaussian"}}',
    ),
}


@pytest.mark.parametrize("how", WRONG)
@pytest.mark.parametrize("what", BESIDE)
def test_files_of_other_pixels_are_refused(path, what, how):
    grid, origin, words = WRONG[how]
    write_maps(path.parent / "other.fits", {"data": np.ones(SHAPE)}, grid, origin)
    replace(path, *BESIDE[what])
    refused(lambda: read_config(path), "expected the pixels of", words, "other.fits; resample one")


@pytest.mark.parametrize("what", BESIDE)
def test_files_that_say_nothing_are_taken_by_their_shape_and_that_is_said(path, what):
    fits.writeto(path.parent / "other.fits", np.ones(SHAPE))
    replace(path, *BESIDE[what])
    (said,) = [one.text for one in read_config(path).findings if "world coordinates" in one.text]
    assert said.endswith(
        "other.fits has no world coordinates, so that it is taken to have the pixels of the data by its shape alone."
    )


def test_rounded_headers_are_the_same_pixels(path):
    write_maps(path.parent / "other.fits", {"data": np.full(SHAPE, 0.05)}, shifted(0.05), ORIGIN)
    replace(path, *BESIDE["sigma"])
    assert not read_config(path).findings


@pytest.mark.parametrize("first", ["plain", "metallicity"])
def test_one_observation_without_a_place_beside_one_with_it(path, first):
    """The reason is the missing header, whichever of the two comes first, until [sky] says where it lies."""
    plain, second = 'data = "plain.fits"\npixel_scale = 0.2', "halpha.fits"
    if first == "metallicity":
        fits.writeto(path.parent / "bare.fits", np.ones(SHAPE))
        second, plain = "bare.fits", DATA
    replace(path, DATA, plain)
    scale = "" if first == "plain" else "pixel_scale = 0.2"
    path.write_text(path.read_text() + IMAGE.format(second, 0.1, scale))
    words = "has world coordinates, but the first" if first == "plain" else "has no world coordinates, but the first"
    refused(lambda: read_config(path), "observations.halpha.data", words, "state in [sky]")
    path.write_text("[sky]\nra = 150.1\ndec = 2.2\n" + path.read_text())
    for observed in read_config(path).observations.values():
        np.testing.assert_allclose(observed.grid.origin, GRID.origin, atol=1e-6)


def test_a_picture_beside_data_without_a_place(path):
    replace(path, DATA, 'data = "plain.fits"\npixel_scale = 0.2')
    replace(path, '"Sersic"\nflux = 1.0\nr_eff = 0.5\nn = 1.0', '"Picture"\nfile = "halpha.fits"\nplane = "image"')
    refused(lambda: read_config(path), "lights.halpha.file", "the first observation has none", "[sky]")


@pytest.mark.parametrize(("frame", "axes"), [("galactic", "G"), ("barycentricmeanecliptic", "E")])
def test_north_is_that_of_declination_whatever_the_frame_of_the_header(path, frame, axes):
    """Rows run along Galactic (ecliptic) North; their angle is East of the equatorial one, by astropy's own."""
    there = SkyCoord(150.1, 2.2, unit="deg").transform_to(frame)
    made = {"CTYPE1": f"{axes}LON-TAN", "CTYPE2": f"{axes}LAT-TAN", "CRPIX1": 7.0, "CRPIX2": 5.0, "CUNIT1": "deg"}
    made |= {"CRVAL1": there.spherical.lon.deg, "CRVAL2": there.spherical.lat.deg, "CUNIT2": "deg"}
    made |= {"CDELT1": -0.2 / 3600, "CDELT2": 0.2 / 3600}
    fits.writeto(path.parent / "turned.fits", np.full(SHAPE, 8.5), header=fits.Header(made))
    replace(path, DATA, 'data = "turned.fits"')
    replace(path, SIGMA, "sigma = 0.05")
    job = read_config(path)
    low, high = (WCS(fits.getheader(path.parent / "turned.fits")).pixel_to_world(6, row).icrs for row in (4, 5))
    expected = low.position_angle(high).deg
    found = position_angle_of_y(job.observations["metallicity"].grid)
    assert (found - expected + 180) % 360 - 180 == pytest.approx(0.0, abs=1e-3)
    assert job.origin.separation(low).arcsec < 1e-3


# Units


def with_unit(path, name, unit):
    with fits.open(path.parent / f"{name}.fits", mode="update") as file:
        file[1].header["BUNIT"] = unit


PER_AREA = (
    "MJy/sr", "MJY/SR", "MJY SR-1", "erg/s/cm2/arcsec2", "counts/s/arcsec^2", "electrons/s/arcsec2", "e-/s/arcsec2",
    "muJy/arcsec2", "muJy arcsec**-2", "nanomaggies/arcsec^2", "(erg/s/cm2)/(arcsec)**2", "erg/s/cm^2/(arcsec)^2",
)  # fmt: skip
PER_PIXEL = ("", "Jy", "JY", "counts/s", "e-/s", "ELECTRONS/S", "nanomaggies", "ADU", "ERG/S/CM2")


@pytest.mark.parametrize(("unit", "factor"), [*((u, 0.04) for u in PER_AREA), *((u, 1.0) for u in PER_PIXEL)])
def test_a_surface_brightness_becomes_flux_per_pixel(path, unit, factor):
    with_unit(path, "halpha", unit)
    path.write_text(path.read_text() + IMAGE.format("halpha.fits", 0.1, ""))
    job = read_config(path)
    image = job.observations["halpha"]
    np.testing.assert_allclose(image.data, factor * fits.getdata(path.parent / "halpha.fits", 1), rtol=1e-6)
    np.testing.assert_allclose(image.noise.sigma, 0.1 * factor)
    said = [one.text for one in job.findings if "surface brightness" in one.text]
    assert len(said) == (factor != 1.0)
    assert not any("taken as flux per pixel" in one.text for one in job.findings)
    replace(path, 'light = "halpha"', 'light = "halpha"\nignore_unit = true')
    assert read_config(path).observations["halpha"].noise.sigma[0, 0] == 0.1


MORE_REFUSED = ("JY/BEAM", "Jy/Beam", "muJy/beam", "MAG", "mag(AB)/arcsec2", "mag_AB", "log(erg/s/cm2)")


@pytest.mark.parametrize("unit", ["mag", "mag/arcsec2", "ABmag/arcsec2", "mag(AB)", "dex", "Jy/beam", *MORE_REFUSED])
def test_images_of_magnitudes_are_refused(path, unit):
    with_unit(path, "halpha", unit)
    path.write_text(path.read_text() + IMAGE.format("halpha.fits", 0.1, ""))
    refused(lambda: read_config(path), "observations.halpha.data: expected flux per pixel", f"BUNIT '{unit}'")


@pytest.mark.parametrize(
    ("unit", "why"), [("bananas", "not understood"), ("MJY", "not understood"), ("Lsun/pc2", "per area in the galaxy")]
)
def test_what_is_taken_as_flux_per_pixel_for_want_of_better_is_said(path, unit, why):
    with_unit(path, "halpha", unit)
    path.write_text(path.read_text() + IMAGE.format("halpha.fits", 0.1, ""))
    job = read_config(path)
    assert job.observations["halpha"].noise.sigma[0, 0] == 0.1
    (said,) = [one for one in job.findings if "taken as flux per pixel" in one.text]
    assert said.severity == "warning"
    assert f"BUNIT '{unit}'" in said.text
    assert why in said.text
    replace(path, 'light = "halpha"', 'light = "halpha"\nignore_unit = true')
    assert not any("taken as flux per pixel" in one.text for one in read_config(path).findings)


SPLIT = '{type = "SplitNormal", lower = "sigma.fits", upper = "sigma.fits", jitter = 0.3}'
NOISES = {
    "split": (SPLIT, {"lower": 0.05 * 0.04, "upper": 0.05 * 0.04, "jitter": 0.3}),
    "within": (f'{{type = "EffectiveSamples", correlated_pixels = 2, noise = {SPLIT}}}', {"noise.upper": 0.05 * 0.04}),
    "by light": ('{type = "LightScaled", c1 = 0.5, c2 = "sigma.fits", light = "sigma.fits"}',
                 {"c1": 0.5, "c2": 0.05 * 0.04**3, "light": 0.05 * 0.04}),
    "beside sigma": ('{type = "StudentT", nu = 4.0}\nsigma = 0.1', {"sigma": 0.004, "nu": 4.0}),
}  # fmt: skip


@pytest.mark.parametrize("case", NOISES)
def test_noise_of_a_surface_brightness_is_that_of_its_data(path, case):
    """Maps are in the unit of the file, numbers in that of the fluxes, as is said."""
    noise, expected = NOISES[case]
    with_unit(path, "halpha", "MJy/sr")
    path.write_text(
        path.read_text() + IMAGE.format("halpha.fits", 0.1, f"noise = {noise}").replace("sigma = 0.1\n", "", 1)
    )
    job = read_config(path)
    for name, size in expected.items():
        found = attrgetter(name)(job.observations["halpha"].noise)
        np.testing.assert_allclose(found, size, rtol=1e-6, err_msg=name)
    assert any(
        "numbers and priors of noise (jitter) and sky, are in MJy/sr arcsec2" in one.text for one in job.findings
    )


def test_a_picture_in_magnitudes_is_no_light(path):
    with_unit(path, "halpha", "mag")
    replace(path, '"Sersic"\nflux = 1.0\nr_eff = 0.5\nn = 1.0', '"Picture"\nfile = "halpha.fits"\nplane = "image"')
    refused(lambda: read_config(path), "lights.halpha.file: expected flux per pixel", "BUNIT 'mag'")


@pytest.mark.parametrize("unit", ["", "erg/s/cm2", "MJy/sr"])
def test_a_picture_has_the_flux_of_an_image_of_the_same_file(path, unit):
    """Per arcsec^2 of the sky, whether the file is that or per pixel."""
    with_unit(path, "halpha", unit)
    path.write_text(path.read_text() + IMAGE.format("halpha.fits", 0.1, ""))
    replace(path, '"Sersic"\nflux = 1.0\nr_eff = 0.5\nn = 1.0', '"Picture"\nfile = "halpha.fits"\nplane = "image"')
    job = read_config(path)
    light = job.scene.sources["disc"].lights["halpha"]
    assert np.sum(light.values) * 0.04 == pytest.approx(np.sum(job.observations["halpha"].data), rel=1e-6)


@pytest.mark.parametrize("mixing", ['"Dex"', '"Linear"'])
@pytest.mark.parametrize("unit", ["mag", "erg/s/cm2", "km/s", "1e-20 erg/s/cm2", "mag(AB)"])
def test_a_map_of_another_quantity_is_no_metallicity(path, unit, mixing):
    with_unit(path, "metallicity", unit)
    replace(path, '"Dex"', mixing)
    refused(lambda: read_config(path), "observations.metallicity.data: expected dex", f"BUNIT '{unit}'")
    replace(path, DATA, f"{DATA}\nignore_unit = true")
    assert read_config(path).observations["metallicity"].used.any()


@pytest.mark.parametrize(("unit", "words"), [("km/s", None), ("m/s", "expected km/s, found BUNIT 'm/s'")])
def test_velocities_are_in_the_unit_of_their_profiles(path, unit, words):
    with_unit(path, "metallicity", unit)
    replace(path, '"Dex"', '"Linear"\nproperty = "velocity"')
    replace(path, "carries.metallicity]", "carries.velocity]")
    replace(path, '"Gradient", central', '"Rotation", r_turn = 0.3, systemic')
    replace(path, "slope = {", "amplitude = {")
    if words is None:
        assert read_config(path).observations["metallicity"].used.any()
    else:
        refused(lambda: read_config(path), f"observations.metallicity.data: {words}")


@pytest.mark.parametrize("unit", ["dex", "", "12+log(O/H)", str(units.dimensionless_unscaled)])
def test_what_may_be_a_metallicity_is_taken(path, unit):
    with_unit(path, "metallicity", unit)
    assert read_config(path).observations["metallicity"].used.any()


def test_errors_are_in_the_unit_of_the_data(path):
    with_unit(path, "halpha", "erg/s/cm2")
    with_unit(path, "sigma", "1e-20 erg/s/cm2")
    path.write_text(path.read_text() + IMAGE.format("halpha.fits", '"sigma.fits"', ""))
    refused(lambda: read_config(path), "unit of the data, 'erg/s/cm2'", "1e-20 times that")


# Lines


LINES = """
[features.Hb]
flux = "halpha.fits"
sigma = {}
[features.OIII5007]
flux = "halpha.fits"
sigma = 0.1
[likelihood]
type = "fluxes"
calibrations = "M08"
{}
"""


@pytest.mark.parametrize(
    ("sigma", "more"),
    [
        ('"other.fits"', ""),
        ("0.1", '[data]\nmask = "other.fits"\nmask_means = "use"'),
        ("0.1", '[data]\nbins = "other.fits"\nbin_values = "mean"'),
        ("0.1", '[regions.a]\nmask = "other.fits"\nmask_means = "use"'),
    ],
    ids=["sigma", "mask", "bins", "region"],
)
def test_files_of_lines_have_the_pixels_of_the_lines(path, sigma, more):
    write_maps(path.parent / "other.fits", {"data": np.ones(SHAPE)}, shifted(flip=True), ORIGIN)
    (path.parent / "lines.toml").write_text(LINES.format(sigma, more))
    refused(lambda: read_lines(path.parent / "lines.toml"), "expected the pixels of", "up to 12 pixels away")
