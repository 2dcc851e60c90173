"""`kind = "lines"` in TOML: maps of bins, as sums over their pixels."""

import numpy as np
import pytest
from astropy.io import fits
from fits_files import refused
from test_line_config import replace, write_lines
from test_line_maps import SHAPE

import jaxmetal as jm
from jaxmetal.cli.example import EXAMPLES
from jaxmetal.io.config import read_config

BLOCKS = np.add.outer(np.arange(SHAPE[0]) // 3, np.arange(SHAPE[1]) // 4 * 3).astype(np.int32)
BLOCKS[0, 0] = -1
COUNT = np.bincount(BLOCKS[BLOCKS >= 0])
MEAN = np.random.default_rng(2).normal(5.0, 1.0, COUNT.size)


@pytest.fixture
def path(tmp_path):
    write_lines(tmp_path)
    with fits.open(tmp_path / "lines.fits", mode="update") as hdus:
        hdus.append(fits.ImageHDU(BLOCKS, name="BINS", header=hdus[1].header))
        for hdu in hdus[1:-1]:
            hdu.data = np.where(BLOCKS >= 0, (MEAN if "ERR" not in hdu.name else 0.1 * MEAN)[BLOCKS], 7.0)
    (tmp_path / "fit.toml").write_text(EXAMPLES["lines-fit"].read_text())
    replace(tmp_path / "fit.toml", ("# bins = ", "bins = "), ("# bin_values", "bin_values"))
    return tmp_path / "fit.toml"


@pytest.mark.parametrize(("meaning", "times"), [("mean", COUNT), ("sum", 1.0)])
def test_bins_hold_sums_over_their_pixels(path, meaning, times):
    replace(path, ('bin_values = "mean"', f'bin_values = "{meaning}"'))
    job = read_config(path)
    seen = job.observations["lines"]
    np.testing.assert_array_equal(seen.bins.labels, BLOCKS)
    np.testing.assert_allclose(seen.data, np.broadcast_to(times * MEAN, seen.data.shape))
    np.testing.assert_allclose(seen.noise.sigma, 0.1 * seen.data)
    assert jm.prepare(job.scene, job.observations)


def test_a_bin_without_one_of_its_pixels_is_not_used(path):
    """Of that line alone."""
    with fits.open(path.parent / "lines.fits", mode="update") as hdus:
        hdus["HB"].data[4, 5] = np.nan
        hdus.append(fits.ImageHDU((BLOCKS == 2).astype(np.uint8) * (np.arange(SHAPE[1]) == 0), name="OIII_MASK"))
    replace(path, ('# mask = "OIII_MASK"', 'mask = "OIII_MASK"\nmask_means = "reject"\n#'))
    used = read_config(path).observations["lines"].used
    lost = [np.arange(COUNT.size) == BLOCKS[4, 5], np.isin(np.arange(COUNT.size), BLOCKS[:, 0][BLOCKS[:, 0] == 2])]
    np.testing.assert_array_equal(used, [~lost[0], ~lost[1], np.ones(COUNT.size, bool)])


def test_lines_in_bins_of_their_own_are_an_observation_of_their_own(path):
    strips = np.repeat(np.arange(SHAPE[0], dtype=np.int32), SHAPE[1]).reshape(SHAPE)
    with fits.open(path.parent / "lines.fits", mode="update") as hdus:
        for name, values in (("STRIPS", strips), ("HG", 1.0 + strips), ("HG_ERR", 0.1 + 0.0 * strips)):
            hdus.append(fits.ImageHDU(values, name=name, header=hdus[1].header))
    more = '[observations.strips]\nkind = "lines"\nfile = "lines.fits"\ncalibrations = "C20"\nbins = "STRIPS"\n'
    more += 'bin_values = "mean"\npsf = {type = "Gaussian", fwhm = 0.5}\n[observations.strips.features.Hg]\n'
    path.write_text(f'{path.read_text()}\n{more}flux = "HG"\nsigma = "HG_ERR"\n')
    job = read_config(path)
    data = {name: one.data.shape for name, one in job.observations.items()}
    assert data == {"lines": (3, COUNT.size), "strips": (1, SHAPE[0])}
    np.testing.assert_allclose(job.observations["strips"].data[0], SHAPE[1] * (1.0 + np.arange(SHAPE[0])))
    assert jm.prepare(job.scene, job.observations)


def test_an_upper_limit_is_of_the_whole_bin(path):
    with fits.open(path.parent / "lines.fits", mode="update") as hdus:
        hdus.append(fits.ImageHDU((BLOCKS == 1).astype(np.uint8), name="OIII_LIMIT"))
    replace(path, ("# limits", "limits"))
    limits = np.asarray(read_config(path).observations["lines"].noise.limits)
    np.testing.assert_array_equal(limits, [0 * COUNT, np.arange(COUNT.size) == 1, 0 * COUNT])


BAD = {
    "no meaning": (('bin_values = "mean"', "#"), "lines.bin_values: "),
    "another meaning": (('"mean"', '"median"'), "bin_values: 'median' is none of mean, sum"),
    "a meaning alone": (('bins = "BINS"', "#"), "lines.bin_values: expected bins beside it, found none; add them, or"),
    "no such bins": (('"BINS"', '"BIN"'), 'has no extension "BIN"'),
    "fluxes of pixels": (('"BINS"', '"STRIPS"'), "features.Hb.flux: expected one value per bin, found several"),
}


@pytest.mark.parametrize("name", BAD)
def test_bins_that_cannot_be_used_are_refused(path, name):
    change, said = BAD[name]
    with fits.open(path.parent / "lines.fits", mode="update") as hdus:
        strips = np.repeat(np.arange(SHAPE[0], dtype=np.int32), SHAPE[1]).reshape(SHAPE)
        hdus.append(fits.ImageHDU(strips, name="STRIPS", header=hdus[1].header))
    replace(path, change)
    refused(lambda: read_config(path), said)
