"""Files laid out as surveys document them, read by one line of TOML for each map."""

import numpy as np
import pytest
from astropy.io import fits

from jaxmetal.edge.errors import InputError
from jaxmetal.io.config import read_config
from jaxmetal.io.flags import BITS, bits_of

SHAPE = (7, 9)
MAP = np.random.default_rng(0).uniform(1.0, 2.0, SHAPE)
PLACED = {"CTYPE1": "RA---TAN", "CTYPE2": "DEC--TAN", "CRVAL1": 150.0, "CRVAL2": 2.0, "CRPIX1": 5.0, "CRPIX2": 4.0,
          "CD1_1": -5e-5, "CD2_2": 5e-5, "CD1_2": 0.0, "CD2_1": 0.0}  # fmt: skip
SCENE = """
[sources.disc]
frame = {type = "Disc", q = 0.6, pa = 40.0}
lights.Hbeta = {type = "Exponential", flux = 50.0, r_eff = 0.5}
[sources.disc.carries.metallicity]
weight = "Hbeta"
profile = {type = "Gradient", central = {dist = "Uniform", low = 7.6, high = 9.0}, slope = 0.0}
[sources.disc.carries.extinction]
weight = "Hbeta"
profile = {type = "Constant", value = 0.5}
"""
LINES = """
[observations.lines]
kind = "lines"
file = "{file}"
calibrations = "C20"
psf = {{type = "Gaussian", fwhm = 0.3}}
{more}
[observations.lines.features.Hb]
{hb}
[observations.lines.features.OIII5007]
{oiii}
"""


def image(values, name, **cards):
    hdu = fits.ImageHDU(values, name=name)
    hdu.header.update({**PLACED, **cards})
    return hdu


def read(folder, hdus, hb, oiii, more=""):
    fits.HDUList([fits.PrimaryHDU(), *hdus]).writeto(folder / "survey.fits")
    text = LINES.format(file="survey.fits", hb="\n".join(hb), oiii="\n".join(oiii), more=more)
    (folder / "fit.toml").write_text(f"[galaxy]\nz = 0.5\n{text}{SCENE}")
    return read_config(folder / "fit.toml").observations["lines"]


def test_grizli(tmp_path):
    """LINE, CONTINUUM, CONTAM and LINEWHT (an inverse variance) once for each line, told apart by EXTVER."""
    weight = np.full(SHAPE, 25.0)
    weight[0] = 0.0
    hdus = [image(MAP, "DSCI", EXTVER="F140W")]
    for name, factor in (("Hb", 1.0), ("OIII", 3.0)):
        hdus += [image(factor * MAP, "LINE", EXTVER=name), image(0 * MAP, "CONTINUUM", EXTVER=name)]
        hdus += [image(0 * MAP, "CONTAM", EXTVER=name), image(weight, "LINEWHT", EXTVER=name)]
    lines = [(f'flux = ["LINE", "{name}"]', f'ivar = ["LINEWHT", "{name}"]') for name in ("Hb", "OIII")]
    found = read(tmp_path, hdus, *lines)
    np.testing.assert_allclose(found.data[1, 1:], 3.0 * MAP[1:])
    np.testing.assert_allclose(np.asarray(found.noise.sigma)[:, 1:], 0.2)
    assert not found.used[:, 0].any()
    assert found.used[:, 1:].all()


def test_manga(tmp_path):
    """MAPS: channels C01, C02, ... of EMLINE_GFLUX, with IVAR and MASK extensions of as many channels."""
    flags = np.zeros((2, *SHAPE), np.int32)
    flags[0, 2, 3], flags[0, 1, 1], flags[1, 4, 4] = 1 << 30, 1 << 10, (1 << 0) + (1 << 6)
    names = {"C01": "Hb-4862", "C02": "OIII-5008"}
    hdus = [
        image(np.stack([MAP, 3.0 * MAP]), "EMLINE_GFLUX", **names),
        image(np.full((2, *SHAPE), 4.0), "EMLINE_GFLUX_IVAR", **names),
        image(flags, "EMLINE_GFLUX_MASK", **names),
    ]
    lines = [
        [f'{key} = {{hdu = "EMLINE_GFLUX{end}", channel = "{channel}"}}' for key, end in
         (("flux", ""), ("ivar", "_IVAR"), ("mask", "_MASK"))]
        + ['mask_means = "reject"', 'bad_bits = ["NOCOV", "DONOTUSE"]']
        for channel in names.values()
    ]  # fmt: skip
    found = read(tmp_path, hdus, *lines)
    np.testing.assert_allclose(found.data[1][found.used[1]], 3.0 * MAP[found.used[1]])
    np.testing.assert_allclose(np.asarray(found.noise.sigma)[found.used], 0.5)
    assert [tuple(one) for one in np.argwhere(~found.used)] == [(0, 2, 3), (1, 4, 4)]


def test_muse(tmp_path):
    """DATA, STAT (a variance) and DQ (0 is good), an image of each line, as mpdaf writes them."""
    quality = np.zeros(SHAPE, np.int32)
    quality[3, 3] = 1
    for name, factor in (("hb", 1.0), ("oiii", 3.0)):
        hdus = [image(factor * MAP, "DATA"), image(np.full(SHAPE, 0.04), "STAT"), image(quality, "DQ")]
        fits.HDUList([fits.PrimaryHDU(), *hdus]).writeto(tmp_path / f"{name}.fits")
    lines = [
        [f'{key} = {{file = "{name}.fits", hdu = "{hdu}"}}' for key, hdu in
         (("flux", "DATA"), ("variance", "STAT"), ("mask", "DQ"))] + ['mask_means = "reject"']
        for name in ("hb", "oiii")
    ]  # fmt: skip
    found = read(tmp_path, [], *lines)
    np.testing.assert_allclose(found.data[1][found.used[1]], 3.0 * MAP[found.used[1]])
    np.testing.assert_allclose(np.asarray(found.noise.sigma)[found.used], 0.2)
    assert [tuple(one) for one in np.argwhere(~found.used)] == [(0, 3, 3), (1, 3, 3)]


def test_flags_have_names():
    assert len(BITS) == 11 + 32 + 1
    assert bits_of(["DO_NOT_USE", "NON_SCIENCE"], "here") == 1 + 512
    assert bits_of(["NOCOV", "DONOTUSE"], "here") == 1 + (1 << 30)
    assert bits_of(3, "here") == 3
    with pytest.raises(InputError, match="here: 'DONOTUSED' is no flag of"):
        bits_of(["DONOTUSED"], "here")
    for wrong in ([], [1], True, "NOCOV", 1.5):
        with pytest.raises(InputError, match="here: expected the sum of the bad flags, or their names"):
            bits_of(wrong, "here")
