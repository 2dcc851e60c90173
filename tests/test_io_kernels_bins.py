"""Kernels, bins and masks as users have them: what is read, and what is refused in one sentence."""

import bz2
import gzip
from pathlib import Path

import numpy as np
import pytest
from fits_files import LABELS, SHAPE, VALUES, refused, writer

from jaxmetal.io import bin_values, read_bins, read_kernel, read_map, read_used, to_sigma

AS1063 = Path(__file__).parents[2] / "shared/data/as1063"


@pytest.fixture
def save(tmp_path):
    return writer(tmp_path)


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


ALONG = {"CTYPE1": "RA---TAN", "CTYPE2": "DEC--TAN", "CRVAL1": 150.0, "CRVAL2": 2.0, "CRPIX1": 9, "CRPIX2": 8}
ALONG |= {"CDELT1": -0.2 / 3600, "CDELT2": 0.2 / 3600}
QUARTER = {"PC1_1": 0.0, "PC1_2": -1.0, "PC2_1": 1.0, "PC2_2": 0.0}


@pytest.mark.parametrize("turn", [QUARTER, {"CDELT1": 0.2 / 3600}, {**QUARTER, "PIXELSCL": 0.2}])
def test_a_kernel_turned_against_the_data_is_refused(save, turn):
    """Whatever part of the sky it is from; of world coordinates that say nothing, nothing follows."""
    data, bare = read_map(save(VALUES, name="data.fits", **ALONG)), read_map(save(VALUES, name="bare.fits"))
    values, elsewhere = gaussian() / gaussian().sum(), {"CRVAL1": 20.0, "CRVAL2": -60.0}
    turned = save(values, name="turned.fits", **{**ALONG, **turn, **elsewhere})

    def blurs(path, what):
        return read_kernel(path, pixel_scale=0.2, includes_pixel=False, data=what)

    refused(lambda: blurs(turned, data), "turned.fits", "along those of", "data.fits", "turned by")
    accepted = [(turned, bare), (save(values, name="a.fits"), data), (save(values, **{**ALONG, **elsewhere}), data)]
    assert [blurs(*pair)[1] for pair in accepted] == 3 * [()]


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
    flat = save(np.full((9, 9), 99.0), name="flat.fits")
    refused(lambda: kernel(flat), "has 100.0% of its peak at its rim, so that it blurs without end")


@pytest.mark.parametrize(("depth", "said"), [(0.1, ["The negative cells", "summed to"]), (0.02, ["summed to"])])
def test_negative_cells_of_a_kernel_are_noise_while_they_weigh_little(save, depth, said):
    values = gaussian()
    values[[1, 1, -2, -2], [1, -2, 1, -2]] = -depth
    found = kernel(save(values), oversampling=1)[1]
    assert all(words in finding.text for words, finding in zip(said, found, strict=True))


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


@pytest.mark.parametrize(("end", "module"), [("gz", gzip), ("bz2", bz2)])
def test_compressed_maps_of_bins(save, tmp_path, end, module):
    path = tmp_path / f"bins.fits.{end}"
    path.write_bytes(module.compress(save(LABELS).read_bytes()))
    np.testing.assert_array_equal(read_bins(path).bins.labels, read_bins(tmp_path / "map.fits").bins.labels)


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


def test_bins_whose_ids_are_too_large_to_be_told_apart_are_refused(save):
    ids = 2**60 + np.arange(np.prod(SHAPE)).reshape(SHAPE)
    refused(lambda: read_bins(save(ids)), "expected labels below 2^53, found 1.15292e+18")


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
    refused(lambda: read_used(path, "reject"), "none of 77", "check what its 1 means")
    refused(lambda: read_used(path, "use", 4), "bad_bits")
    refused(lambda: read_used(path, "reject", 0), "positive integer")
    refused(lambda: read_used(path, "use", shape=(11, 7)), "(11, 7)", "(7, 11)")
    refused(lambda: read_used(save(VALUES, name="v.fits"), "reject", 4), "flags")


# Real data


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
