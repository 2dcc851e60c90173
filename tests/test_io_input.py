"""Maps and their noise as users have them: what is read, and what is refused in one sentence."""

import gzip
import subprocess
import sys

import numpy as np
import pytest
from astropy.io import fits
from astropy.wcs import WCS
from fits_files import GRID, LABELS, ORIGIN, SHAPE, VALUES, refused, writer

from jaxmetal.edge.noise import standard_deviation
from jaxmetal.io import read_bins, read_map, to_sigma, write_maps


@pytest.fixture
def save(tmp_path):
    return writer(tmp_path)


# Maps


def test_reads_the_only_image(save):
    path = save(None, VALUES.astype(">f4"), BUNIT="dex")
    read = read_map(path)
    assert read.values.dtype == np.float64
    assert read.values.dtype.isnative
    np.testing.assert_allclose(read.values, VALUES, rtol=1e-6)
    assert (read.unit, read.extension, read.path) == ("dex", "E1", path)


@pytest.mark.parametrize("hdu", [2, "E2", "e2"])
def test_reads_the_named_image(save, hdu):
    np.testing.assert_array_equal(read_map(save(VALUES, 2 * VALUES, 3 * VALUES), hdu).values, 3 * VALUES)


def test_blank_integers_are_nan(save):
    blank = np.arange(77, dtype=np.int16).reshape(SHAPE)
    assert np.isnan(read_map(save(None, blank, BLANK=5)).values).sum() == 1


def test_maps_that_cannot_be_used(save, tmp_path):
    several = save(VALUES, VALUES)
    refused(lambda: read_map(tmp_path / "none.fits"), "none.fits", "does not exist")
    refused(lambda: read_map(tmp_path), "is a folder", "name a file in it")
    refused(lambda: read_map(tmp_path / ("x" * 300)), "does not exist")
    refused(lambda: read_map(several), "one 2-D image", "0 PRIMARY (2-D, 7 x 11), 1 E1 (2-D, 7 x 11)")
    refused(lambda: read_map(several, "SCI"), 'no extension "SCI"', "1 E1")
    refused(lambda: read_map(several, 2), "no extension 2", "1 E1")
    refused(lambda: read_map(save(np.zeros(5), name="line.fits")), "(1-D, 5)")
    refused(lambda: read_map(save(np.zeros((3, 4, 5)), name="cube.fits")), "(3-D, 3 x 4 x 5)", "channel = 0, of 0 to 2")
    refused(lambda: read_map(tmp_path / "cube.fits", 0), "(3-D, 3 x 4 x 5)")
    refused(lambda: read_map(save(None, name="empty.fits")), "(empty)")
    refused(lambda: read_map(save(np.full(SHAPE, np.nan), name="nan.fits")), "all 77 pixels are NaN")


def test_compressed_files(save, tmp_path):
    (tmp_path / "map.fits.gz").write_bytes(gzip.compress(save(LABELS).read_bytes()))
    np.testing.assert_array_equal(read_map(tmp_path / "map.fits.gz").values, LABELS)
    assert read_bins(tmp_path / "map.fits.gz").bins.n == 3


@pytest.mark.parametrize("content", [b"", b"not FITS at all", b"SIMPLE  =                    T", b"\x1f\x8bnot gzip"])
def test_files_that_are_not_fits(tmp_path, content):
    (tmp_path / "text.fits").write_bytes(content)
    refused(lambda: read_map(tmp_path / "text.fits"), "cannot be read as FITS")


def test_truncated_file(save):
    path = save(np.zeros((100, 90)), VALUES)
    whole = path.read_bytes()
    for end, hdu in ((20000, 0), (20000, "E1"), (len(whole) - 2780, "E1")):
        path.write_bytes(whole[:end])
        refused(lambda hdu=hdu: read_map(path, hdu), "is cut short", "copy or download it again")
    np.testing.assert_array_equal(read_map(path, 0).values, 0.0)


def test_files_without_the_filling_of_their_last_block(save):
    path = save(VALUES)
    path.write_bytes(path.read_bytes()[: 2880 + VALUES.nbytes])
    np.testing.assert_array_equal(read_map(path).values, VALUES)
    refused(lambda: read_map(path, "SCI"), 'no extension "SCI"')
    path.write_bytes(path.read_bytes()[:-8])
    refused(lambda: read_map(path), "is cut short")


def test_tables_are_no_maps(tmp_path):
    fits.BinTableHDU.from_columns([fits.Column("a", "D", array=np.zeros(3))]).writeto(tmp_path / "table.fits")
    refused(lambda: read_map(tmp_path / "table.fits"), "(table)")
    refused(lambda: read_map(tmp_path / "table.fits", 1), "must be a 2-D image", "(table)")


def test_written_maps_come_back(tmp_path):
    path = tmp_path / "out.fits"
    write_maps(path, {"metallicity": VALUES, "used": VALUES > 8.5}, GRID, ORIGIN, {"metallicity": "dex"})
    read = read_map(path, "metallicity")
    np.testing.assert_array_equal(read.values, VALUES)
    assert read.unit == "dex"
    np.testing.assert_allclose(read.grid(ORIGIN).matrix, GRID.matrix, atol=1e-9)
    np.testing.assert_allclose(read.grid(ORIGIN).origin, GRID.origin, atol=1e-8)
    np.testing.assert_allclose(read.origin().separation(WCS(read.header).pixel_to_world(5, 3)).arcsec, 0, atol=1e-9)
    np.testing.assert_array_equal(read_map(path, "used").values, VALUES > 8.5)
    assert [p.name for p in tmp_path.iterdir()] == ["out.fits"]


def test_maps_that_cannot_be_written(tmp_path):
    refused(lambda: write_maps(tmp_path / "o.fits", {"a": VALUES.T}, GRID, ORIGIN), "'a'", "(7, 11)", "(11, 7)")
    refused(lambda: write_maps(tmp_path / "o.fits", {"a": VALUES}, GRID, ORIGIN, {"b": "dex"}), "'b'", "['a']")
    assert not list(tmp_path.iterdir())


def test_a_map_without_world_coordinates_names_its_file(save):
    path = save(VALUES)
    refused(lambda: read_map(path).grid(ORIGIN), str(path), "no celestial world coordinates")


# Noise


@pytest.mark.parametrize(("name", "power"), [("sigma", 1), ("variance", 2), ("ivar", -2)])
def test_three_ways_to_give_noise(name, power):
    sigma = np.linspace(0.05, 0.2, 77).reshape(SHAPE)
    read, findings = to_sigma(VALUES, **{name: sigma**power})
    np.testing.assert_allclose(read, sigma)
    assert findings == ()


def test_noise_is_needed_only_where_data_are_used():
    data, sigma, used = VALUES.copy(), np.full(SHAPE, 0.1), np.ones(SHAPE, bool)
    data[0, :3], sigma[0, :3] = np.nan, [0, -1, np.nan]
    used[6, 2], sigma[6, 2] = False, 0
    read, _ = to_sigma(data, sigma=sigma, used=used)
    assert np.isnan(read).sum() == 4
    refused(lambda: to_sigma(data, sigma=sigma), "among 74", "1 zero")


def test_a_number_is_noise_everywhere():
    np.testing.assert_array_equal(to_sigma(VALUES, variance=0.01)[0], np.full(SHAPE, 0.1))


@pytest.mark.parametrize("name", ["sigma", "variance", "ivar"])
def test_noise_that_cannot_be_used(name):
    noise = np.full(SHAPE, 0.1)
    noise[0, :2], noise[1, :3], noise[2, :4] = 0, -1, np.nan
    # An inverse variance of zero says that there is no datum.
    zero = "" if name == "ivar" else "2 zero, "
    refused(lambda: to_sigma(VALUES, **{name: noise}), name, f"found 4 NaN, {zero}3 negative among 77")


@pytest.mark.parametrize(("name", "none"), [("sigma", np.inf), ("variance", np.inf), ("ivar", 0.0)])
def test_noise_says_where_there_is_no_datum(name, none):
    noise = np.full(SHAPE, 0.25)
    noise[2, 3] = none
    read, _ = to_sigma(VALUES, **{name: noise})
    assert np.isposinf(read[2, 3])
    assert np.sum(np.isfinite(read)) == VALUES.size - 1
    np.testing.assert_array_equal(read, standard_deviation(SHAPE, **{name: noise}))


def test_noise_must_be_given_once_and_fit():
    refused(lambda: to_sigma(VALUES), "found none")
    refused(lambda: to_sigma(VALUES, sigma=1.0, ivar=1.0), "found sigma and ivar")
    refused(lambda: to_sigma(VALUES, ivar=np.ones(SHAPE[::-1])), "ivar", "(7, 11)", "(11, 7)")


@pytest.mark.parametrize(("extension", "means"), [("VAR", "variance"), ("STAT", "variance"), ("WHT", "ivar")])
def test_extension_name_tells_what_the_noise_is(save, extension, means):
    noise = read_map(save(None, np.full(SHAPE, 0.1), EXTNAME=extension))
    refused(
        lambda: to_sigma(VALUES, sigma=noise),
        str(noise.path),
        f"was given as sigma, but the name of its extension says {means}",
    )
    assert np.all(to_sigma(VALUES, **{means: noise})[0] > 0)


@pytest.mark.parametrize(
    ("unit", "squared"),
    [
        ("erg/s/cm2", "erg2/s2/cm4"),
        ("erg s-1 cm-2", "(erg/s/cm2)**2"),
        ("10**(-20)*erg/s/cm**2", "(10**(-20)*erg/s/cm**2)**2"),
    ],
)
def test_unit_tells_what_the_noise_is(save, unit, squared):
    data = read_map(save(VALUES, name="data.fits", BUNIT=unit))
    noise = read_map(save(np.full(SHAPE, 0.01), name="noise.fits", BUNIT=squared))
    refused(lambda: to_sigma(data, sigma=noise), "its unit says variance")
    assert to_sigma(data, variance=noise)[1] == ()


def test_unreadable_units_tell_nothing(save):
    data = read_map(save(VALUES, name="data.fits", BUNIT="bananas"))
    noise = read_map(save(np.full(SHAPE, 0.1), name="noise.fits", BUNIT="(bananas)**2"))
    assert to_sigma(data, sigma=noise)[1] == ()


@pytest.mark.parametrize(
    ("given", "means", "power"), [("sigma", "variance", 2), ("sigma", "ivar", -2), ("ivar", "sigma", 1)]
)
def test_size_tells_what_the_noise_is(given, means, power):
    """Noise of 1 % or 0.01: its square and inverse are far from the scatter of the pixels."""
    data = 0.01 * np.random.default_rng(1).normal(size=(20, 31))
    _, (finding,) = to_sigma(data, **{given: np.full(data.shape, 0.01) ** power})
    assert f"given as {given}, but the scatter between neighbouring pixels says {means}" in finding.text


def test_importing_the_package_reads_no_files_code():
    code = "import sys, jaxmetal; sys.exit(any(m.startswith(('jaxmetal.io', 'astropy')) for m in sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
