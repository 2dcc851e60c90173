"""Which image of a file is read: extensions that share a name, axes of length 1, channels of cubes."""

import tomllib

import numpy as np
import pytest
from astropy.cosmology import FlatLambdaCDM
from astropy.io import fits
from fits_files import ORIGIN, SHAPE, VALUES, refused

from jaxmetal.io import read_map
from jaxmetal.io.config.context import Context
from jaxmetal.io.config.lines.fluxes import located
from jaxmetal.io.extension import LISTED, Slice

LINES = {"OII": 3.0, "Hb": 1.0, "OIII": 2.0}


@pytest.fixture
def grizli(tmp_path):
    """Every line is an extension LINE, told apart by EXTVER."""
    images = [fits.ImageHDU(value * VALUES, name="LINE") for value in LINES.values()]
    for image, name in zip(images, LINES, strict=True):
        image.header["EXTVER"] = name
    path = tmp_path / "full.fits"
    fits.HDUList([fits.PrimaryHDU(), *images, fits.ImageHDU(VALUES, name="SEG")]).writeto(path)
    return path


def test_a_shared_name_is_refused_and_its_versions_are_named(grizli):
    refused(lambda: read_map(grizli, "LINE"), "3 extensions", '["LINE", "OII"]', '2 ["LINE", "Hb"]')
    assert "4 SEG (2-D, 7 x 11)" in refused(lambda: read_map(grizli), '1 ["LINE", "OII"] (2-D, 7 x 11)')
    refused(lambda: read_map(grizli, ("LINE", "Ha")), 'no extension ["LINE", "Ha"]', '["LINE", "Hb"]')
    for name, factor in LINES.items():
        np.testing.assert_array_equal(read_map(grizli, ("line", name)).values, factor * VALUES)


def test_numbers_of_versions(tmp_path):
    """SCI,1 and SCI,2 as HST has them; and two that nothing but their number tells apart."""
    path = tmp_path / "flc.fits"
    images = [fits.ImageHDU(k * VALUES, name="SCI", ver=k) for k in (1, 2)]
    fits.HDUList([fits.PrimaryHDU(), *images]).writeto(path)
    np.testing.assert_array_equal(read_map(path, ("SCI", 2)).values, 2 * VALUES)
    fits.HDUList([fits.PrimaryHDU(), images[0], fits.ImageHDU(VALUES, name="SCI")]).writeto(tmp_path / "same.fits")
    refused(lambda: read_map(tmp_path / "same.fits", "SCI"), "2 extensions", "by its number, 1 say")


def test_a_configuration_names_name_and_version(grizli):
    context = Context(folder=grizli.parent, origin=ORIGIN, cosmology=FlatLambdaCDM(70, 0.3))
    given = tomllib.loads('a = {file = "full.fits", hdu = ["LINE", "Hb"]}\nb = ["LINE", "Hb"]\nc = {channel = 2}')
    np.testing.assert_array_equal(context.map(given["a"], "data").values, VALUES)
    assert located({"flux": given["b"]}, "flux", {"file": "full.fits"}, "Hb") == given["a"]
    assert located({"flux": given["c"]}, "flux", {"file": "a.fits"}, "Hb") == {"file": "a.fits", "channel": 2}
    for wrong in (["LINE"], ["LINE", "Hb", "x"], True, 1.5, [1, 2]):
        refused(lambda wrong=wrong: context.path({"file": "full.fits", "hdu": wrong}, "data"), "data.hdu", "EXTVER")
    refused(lambda: context.path({"file": "full.fits", "channel": 1.5}, "data"), "data.channel", "1.5")


@pytest.mark.parametrize("shape", [(1, *SHAPE), (1, 1, *SHAPE), (*SHAPE, 1)])
def test_axes_of_length_1_are_dropped(tmp_path, shape):
    fits.PrimaryHDU(VALUES.reshape(shape)).writeto(tmp_path / "map.fits")
    for hdu in (None, 0):
        np.testing.assert_array_equal(read_map(tmp_path / "map.fits", hdu).values, VALUES)
    fits.PrimaryHDU(np.ones((1, 1, 5))).writeto(tmp_path / "row.fits")
    assert read_map(tmp_path / "row.fits").values.shape == (1, 5)


@pytest.mark.parametrize("shape", [(1, *SHAPE), (1, 1, *SHAPE)])
def test_the_channel_of_one_plane(tmp_path, shape):
    path = tmp_path / "one.fits"
    cube = fits.ImageHDU(VALUES.reshape(shape), name="GFLUX")
    cube.header["C01"] = "Ha-6564"
    fits.HDUList([fits.PrimaryHDU(), cube]).writeto(path)
    for hdu in (None, 1, "GFLUX"):
        for channel in (0, "Ha-6564"):
            np.testing.assert_array_equal(read_map(path, Slice(hdu, channel)).values, VALUES)
    refused(lambda: read_map(path, Slice(1, 1)), "no channel 1", "0 Ha-6564")


@pytest.fixture
def maps(tmp_path):
    """Channels as MaNGA's MAPS name them, from 1."""
    cube = fits.ImageHDU(np.stack([VALUES, 2 * VALUES, 3 * VALUES])[:, None], name="EMLINE_GFLUX")
    for k, name in enumerate(("OII-3727", "Hb-4862", "Ha-6564"), 1):
        cube.header[f"C{k:02d}"] = name
    path = tmp_path / "maps.fits"
    fits.HDUList([fits.PrimaryHDU(), cube, fits.ImageHDU(VALUES, name="SPX")]).writeto(path)
    return path


def test_channels_of_a_cube(maps):
    for channel in (2, "Ha-6564", "ha-6564"):
        np.testing.assert_array_equal(read_map(maps, Slice("EMLINE_GFLUX", channel)).values, 3 * VALUES)
    np.testing.assert_array_equal(read_map(maps, Slice(None, 0)).values, VALUES)
    refused(lambda: read_map(maps, Slice(1, "Hg")), 'no channel "Hg"', "0 OII-3727, 1 Hb-4862, 2 Ha-6564")
    refused(lambda: read_map(maps, Slice(1, 3)), "no channel 3", "2 Ha-6564")
    refused(lambda: read_map(maps, "EMLINE_GFLUX"), "(4-D, 3 x 1 x 7 x 11)", 'channel = "OII-3727"')
    refused(lambda: read_map(maps, Slice("SPX", 0)), '"SPX"', "must be 3-D, to have channels")


def test_channels_without_names(tmp_path):
    fits.PrimaryHDU(np.stack([VALUES, 2 * VALUES])).writeto(tmp_path / "cube.fits")
    np.testing.assert_array_equal(read_map(tmp_path / "cube.fits", Slice(None, 1)).values, 2 * VALUES)
    refused(lambda: read_map(tmp_path / "cube.fits", Slice(0, "Ha")), "choose one of: 0 to 1")


def test_long_lists_end(tmp_path):
    many = [fits.ImageHDU(np.ones((2, 2)), name=f"E{k}") for k in range(LISTED + 9)]
    fits.HDUList([fits.PrimaryHDU(), *many]).writeto(tmp_path / "many.fits")
    assert len(refused(lambda: read_map(tmp_path / "many.fits", "SCI"), "and 10 more")) < 1000
