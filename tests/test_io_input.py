"""Maps, noise, kernels, bins and masks as users have them: what is read, and what is refused in one sentence."""

import gzip
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from astropy.coordinates import SkyCoord
from astropy.io import fits
from astropy.wcs import WCS

from jaxmetal.edge.errors import InputError
from jaxmetal.edge.noise import standard_deviation
from jaxmetal.io import bin_values, read_bins, read_kernel, read_map, read_used, to_sigma, write_maps
from jaxmetal.numerics.grid import Grid

SHAPE = (7, 11)
ORIGIN = SkyCoord(342.2, -44.5, unit="deg")
GRID = Grid(shape=SHAPE, origin=np.array([-1.0, 0.4]), matrix=0.2 * np.array([[0.8, 0.6], [-0.6, 0.8]]))
VALUES = np.random.default_rng(3).normal(8.5, 0.1, SHAPE)
AS1063 = Path(__file__).parents[2] / "shared/data/as1063"


@pytest.fixture
def save(tmp_path):
    """Writes arrays as extensions of a file."""

    def write(*arrays, name="map.fits", **header):
        images = [fits.PrimaryHDU(arrays[0])] + [
            fits.ImageHDU(array, name=f"E{k}") for k, array in enumerate(arrays[1:], 1)
        ]
        for image in images[-1:]:
            image.header.update(header)
        fits.HDUList(images).writeto(tmp_path / name)
        return tmp_path / name

    return write


def refused(call, *words):
    """The call is refused in one sentence that holds the words and says what to do."""
    with pytest.raises(InputError) as refusal:
        call()
    text = str(refusal.value)
    assert re.fullmatch(r"[^\n]+; [^\n]+[.?]", text), text
    for word in words:
        assert word in text
    return text


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
    refused(lambda: read_map(several, "SCI"), "no extension 'SCI'", "1 E1")
    refused(lambda: read_map(several, 2), "no extension 2", "1 E1")
    refused(lambda: read_map(save(np.zeros(5), name="line.fits")), "(1-D, 5)")
    refused(lambda: read_map(save(np.zeros((3, 4, 5)), name="cube.fits")), "(3-D, 3 x 4 x 5)", "cut out one plane")
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
    refused(lambda: read_map(path, "SCI"), "no extension 'SCI'")
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
    refused(lambda: to_sigma(VALUES, sigma=noise), f"given as sigma, but the name of its extension says {means}")
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


# PSF kernels


def gaussian(shape=(15, 17), fwhm=4.0, centre=(0.0, 0.0)):
    y, x = (np.arange(n) - (n - 1) / 2 - c for n, c in zip(shape, centre, strict=True))
    return np.exp(-4 * np.log(2) * (x[None, :] ** 2 + y[:, None] ** 2) / fwhm**2)


def kernel(path, oversampling=1, includes_pixel=False, pixel_scale=0.2):
    return read_kernel(path, pixel_scale=pixel_scale, oversampling=oversampling, includes_pixel=includes_pixel)


def test_kernel_is_normalised(save):
    values = gaussian()
    read, findings = kernel(save(3 * values / values.sum()), oversampling=3, includes_pixel=True)
    np.testing.assert_allclose(read.values, values / values.sum())
    assert (read.step, read.includes_pixel) == (pytest.approx(0.2 / 3), True)
    assert [f.severity for f in findings] == ["info"]
    assert "summed to 3" in findings[0].text


def test_normalised_kernel_needs_no_word(save):
    assert kernel(save((gaussian() / gaussian().sum()).astype(np.float32)))[1] == ()


def test_kernels_that_cannot_be_used(save):
    holed = gaussian()
    holed[2, 3] = np.nan
    refused(lambda: kernel(save(gaussian((14, 17)), name="even.fits")), "odd sides", "(14, 17)")
    refused(lambda: kernel(save(holed, name="holed.fits")), "1 of its cells")
    refused(lambda: kernel(save(-gaussian(), name="negative.fits")), "positive sum")
    refused(lambda: kernel(save(gaussian(), name="good.fits"), pixel_scale=0), "pixel_scale")
    refused(lambda: kernel(save(gaussian(), name="fine.fits"), oversampling=1.5), "oversampling")
    refused(lambda: kernel(save(gaussian(), name="two.fits"), oversampling=2, includes_pixel=True), "odd oversampling")


def test_centroid_is_judged_in_data_pixels(save):
    """A tenth of a cell off: too much at native sampling, little at three cells per pixel."""
    path = save(gaussian(centre=(-0.1, 0.0)))
    refused(lambda: kernel(path), "+0.000 (column) and -0.100 (row)")
    kernel(path, oversampling=3)


def test_suspicious_kernels(save):
    narrow = kernel(save(gaussian(fwhm=2.0), name="narrow.fits"), oversampling=3)[1]
    assert narrow[0].severity == "warning"
    assert "narrower (FWHM 0.133 arcsec) than a pixel (0.2 arcsec)" in narrow[0].text
    wide = kernel(save(gaussian((7, 7), fwhm=6.0), name="wide.fits"))[1]
    assert "50.0% of its peak at its rim" in wide[0].text


@pytest.mark.parametrize(("depth", "said"), [(0.1, ["The negative cells", "summed to"]), (0.02, ["summed to"])])
def test_negative_cells_of_a_kernel_are_noise_while_they_weigh_little(save, depth, said):
    values = gaussian()
    values[[1, 1, -2, -2], [1, -2, 1, -2]] = -depth
    found = kernel(save(values), oversampling=1)[1]
    assert all(words in finding.text for words, finding in zip(said, found, strict=True))


# Bins

LABELS = np.full(SHAPE, -1)
LABELS[1:3, 2:5], LABELS[4, 4:9], LABELS[5, 0] = 7, 3, 40


def test_bins_are_renumbered_in_order(save):
    bins, ids, findings = read_bins(save(LABELS), shape=SHAPE)
    assert bins.n == 3
    np.testing.assert_array_equal(ids, [3, 7, 40])
    np.testing.assert_array_equal(np.where(bins.labels < 0, -1, ids[bins.labels]), LABELS)
    assert [f.severity for f in findings] == ["info"]
    assert "35 of which have no pixel" in findings[0].text


def test_a_table_of_bins_is_the_same_as_a_map(save, tmp_path):
    row, column = np.nonzero(LABELS >= 0)
    np.savetxt(tmp_path / "bins.txt", np.stack([column, row, LABELS[row, column]], axis=1), fmt="%d", header="x y bin")
    table, image = read_bins(tmp_path / "bins.txt", shape=SHAPE), read_bins(save(LABELS))
    np.testing.assert_array_equal(table.bins.labels, image.bins.labels)
    np.testing.assert_array_equal(table.ids, image.ids)


def test_another_id_may_mean_no_bin(save):
    bins, ids, _ = read_bins(save(np.where(LABELS < 0, 0.0, LABELS)), none=0)
    np.testing.assert_array_equal(bins.labels < 0, LABELS < 0)
    np.testing.assert_array_equal(ids, [3, 7, 40])


def test_nan_is_no_bin(save):
    np.testing.assert_array_equal(read_bins(save(np.where(LABELS < 0, np.nan, LABELS))).bins.labels < 0, LABELS < 0)


def test_bins_that_cannot_be_used(save, tmp_path):
    refused(lambda: read_bins(tmp_path / "none.fits"), "does not exist")
    refused(lambda: read_bins(save(LABELS, name="a.fits"), shape=(11, 7)), "(11, 7)", "(7, 11)")
    refused(lambda: read_bins(save(np.full(SHAPE, -1), name="b.fits")), "no pixel in a bin")
    refused(lambda: read_bins(save(VALUES, name="c.fits")), "whole numbers")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("0 0 1\n11 6 2\n", "1 rows do not, e.g. (11.0, 6.0)"),
        ("0 0 1\n1.5 6 2\n", "e.g. (1.5, 6.0)"),
        ("0 0 1\n0 0 2\n", "repeats 1"),
        ("0 0\n1 1\n", "rows of x, y and bin id"),
        ("# nothing\n", "rows of x, y and bin id"),
        ("x y bin\n1 1 2\n", "neither FITS nor a table"),
        ("0 0 1\n1 1\n", "neither FITS nor a table"),
        ("0 0 nan\n", "no pixel in a bin"),
        ("nan 0 1\n", "e.g. (nan, 0.0)"),
    ],
)
def test_bin_tables_that_cannot_be_used(tmp_path, text, said):
    (tmp_path / "bins.txt").write_text(text)
    refused(lambda: read_bins(tmp_path / "bins.txt", shape=SHAPE), said)
    refused(lambda: read_bins(tmp_path / "bins.txt"), "give the data's shape")


def test_values_of_bins(save):
    bins, ids, _ = read_bins(save(LABELS))
    values, findings = bin_values(np.where(LABELS < 0, np.nan, 8 + 0.01 * LABELS), bins)
    np.testing.assert_array_equal(values, 8 + 0.01 * ids)
    assert findings == ()


def test_uneven_and_missing_values_of_bins(save):
    bins, _, _ = read_bins(save(LABELS))
    pixels = 8 + 0.01 * LABELS
    pixels[4, 4:9] += [0.0, 0.1, 0.2, 0.3, 0.4]
    pixels[5, 0] = pixels[1, 2] = np.nan
    refused(lambda: bin_values(pixels, bins), "several in 1 of 3 bins", "a range of 0.4 in bin 0")
    pixels[4, 4:9] = 8.03 + 2e-4 * np.arange(5)  # what single precision leaves
    values, (missing,) = bin_values(pixels, bins)
    np.testing.assert_allclose(values, [8.03 + 4e-4, 8.07, np.nan])
    assert "2 binned pixels and 1 of 3 bins have no value" in missing.text
    refused(lambda: bin_values(pixels.T, bins), "(7, 11)", "(11, 7)")


# Masks


def test_masks_in_both_senses(save):
    mask = np.zeros(SHAPE)
    mask[2:4, 3:9], mask[0, 0] = 1, np.nan
    path = save(mask)
    np.testing.assert_array_equal(read_used(path, "use"), mask == 1)
    np.testing.assert_array_equal(read_used(path, "reject"), mask == 0)


def test_only_bad_bits_reject(save):
    flags = np.zeros(SHAPE, np.uint32)
    flags[0, :4] = [1, 4, 5, 2**31]
    used = read_used(save(flags), "reject", bad_bits=1 + 2**31)
    np.testing.assert_array_equal(used[0, :5], [False, True, False, False, True])
    assert used.sum() == 74


def test_masks_that_cannot_be_used(save):
    path = save(np.ones(SHAPE))
    refused(lambda: read_used(path, "mask"), "'mask'")
    refused(lambda: read_used(path, "reject"), "none of 77", "check the sense")
    refused(lambda: read_used(path, "use", 4), "bad_bits")
    refused(lambda: read_used(path, "reject", 0), "positive integer")
    refused(lambda: read_used(path, "use", shape=(11, 7)), "(11, 7)", "(7, 11)")
    refused(lambda: read_used(save(VALUES, name="v.fits"), "reject", 4), "flags")


# Real data, and what is imported


@pytest.mark.skipif(not AS1063.is_dir(), reason="needs the real data in ../shared/data")
def test_a_real_binned_map():
    """AS1063: 135 bins, 481 pixels, map and noise constant in each bin, and nothing to remark."""
    values, noise = read_map(AS1063 / "metallicity.fits"), read_map(AS1063 / "metallicity_sigma.fits")
    bins, ids, findings = read_bins(AS1063 / "bins.fits", shape=values.values.shape)
    assert (bins.n, ids[0], ids[-1], (bins.labels >= 0).sum()) == (135, 0, 134, 481)
    assert findings == ()
    sigma, suspicions = to_sigma(values, sigma=noise)
    assert suspicions == ()
    for pixels in (values.values, sigma):
        binned, uneven = bin_values(pixels, bins)
        assert np.isfinite(binned).all()
        assert uneven == ()


def test_importing_the_package_reads_no_files_code():
    code = "import sys, jaxmetal; sys.exit(any(m.startswith(('jaxmetal.io', 'astropy')) for m in sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
