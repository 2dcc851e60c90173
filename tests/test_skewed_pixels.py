"""Columns and rows that are not perpendicular, and distorted images, against astropy's WCS and plain numpy."""

import jax.numpy as jnp
import numpy as np
import pytest
from astropy import units as u
from astropy.io import fits
from astropy.wcs import WCS

from jaxmetal.io.fits import read_map, write_maps
from jaxmetal.io.wcs import judge_pixels, sky_origin, wcs_to_grid
from jaxmetal.light import Picture

SHAPE = (40, 62)


def header(angle=90.0, **more):
    """Columns 0.2 arcsec to the West, rows 0.3 arcsec at an angle to them; `more` are SIP keywords."""
    made = fits.Header({"NAXIS": 2, "NAXIS1": SHAPE[1], "NAXIS2": SHAPE[0], "RADESYS": "ICRS"})
    end = "-SIP" if more else ""
    made.update({"CTYPE1": f"RA---TAN{end}", "CTYPE2": f"DEC--TAN{end}", "CUNIT1": "deg", "CUNIT2": "deg"})
    made.update({"CRVAL1": 342.2, "CRVAL2": -60.0, "CRPIX1": 25.5, "CRPIX2": 17.0})
    c, s = np.cos(np.deg2rad(angle)), np.sin(np.deg2rad(angle))
    made.update({"CD1_1": -0.2 / 3600, "CD1_2": -0.3 * c / 3600, "CD2_1": 0.0, "CD2_2": 0.3 * s / 3600})
    made.update(more)
    return made


SIP = {"A_ORDER": 2, "B_ORDER": 2, "A_2_0": 4e-4, "A_1_1": -2e-4, "B_0_2": 5e-4, "B_2_0": 1e-4}


def offsets(made, origin):
    row, column = np.indices(SHAPE)
    east, north = origin.spherical_offsets_to(WCS(made).pixel_to_world(column, row))
    return -east.to_value(u.arcsec), north.to_value(u.arcsec)


@pytest.mark.parametrize(("angle", "more"), [(90.1, {}), (84.0, {}), (90.0, SIP), (96.0, SIP)])
def test_pixels_lie_where_astropy_says(angle, more):
    made = header(angle, **more)
    origin = sky_origin(made)
    grid = wcs_to_grid(made, origin)
    expected = offsets(made, origin)
    for found, right in zip(grid.centres(), expected, strict=True):
        np.testing.assert_allclose(found, right, atol=1e-4 if more else 1e-6)
    row, column = np.indices(SHAPE)
    np.testing.assert_allclose(grid.to_pixel(*grid.centres()), (column, row), atol=1e-6)


def test_the_area_of_a_skewed_pixel_is_that_of_the_parallelogram():
    grid = wcs_to_grid(header(84.0), sky_origin(header()))
    assert float(grid.pixel_area) == pytest.approx(0.2 * 0.3 * np.sin(np.deg2rad(84.0)), rel=1e-6)


def test_a_slight_distortion_is_none():
    """0.03 pixel at the corners: one affine map."""
    made = header(A_ORDER=2, B_ORDER=2, A_2_0=5e-5)
    assert wcs_to_grid(made, sky_origin(made)).distortion is None
    assert wcs_to_grid(header(**SIP), sky_origin(header(**SIP))).distortion is not None


@pytest.mark.parametrize(("angle", "more"), [(84.0, {}), (90.0, SIP)])
def test_what_is_written_lies_where_it_was(tmp_path, angle, more):
    made = header(angle, **more)
    origin = sky_origin(made)
    write_maps(tmp_path / "maps.fits", {"model": np.zeros(SHAPE)}, wcs_to_grid(made, origin), origin)
    read = read_map(tmp_path / "maps.fits")
    row, column = np.indices(SHAPE)
    apart = WCS(made).pixel_to_world(column, row).separation(WCS(read.header).pixel_to_world(column, row))
    assert apart.arcsec.max() < 0.004
    assert [abs(read.header[f"CDELT{k}"]) * 3600 for k in (1, 2)] == pytest.approx([0.2, 0.3], rel=0.03)


def test_what_is_wrong_with_the_blur_is_said():
    """A round PSF that is applied along the sides has the variances 1 +- c."""
    grid = wcs_to_grid(header(84.0), sky_origin(header()))
    sides = np.asarray(grid.matrix) / np.asarray(grid.steps)
    widest = np.sqrt(np.linalg.eigvalsh(sides @ sides.T)[-1])
    (finding,) = judge_pixels(grid, "observations.z.data")
    assert f"{widest - 1:.1%}" in finding.text
    assert "84.00 degrees" in finding.text
    assert finding.severity == "warning"
    assert judge_pixels(wcs_to_grid(header(90.1), sky_origin(header())), "") == ()


def test_uneven_areas_are_told():
    made = header(**SIP)
    grid = wcs_to_grid(made, sky_origin(made))
    x, y = offsets(made, sky_origin(made))
    (xy, xx), (yy, yx) = np.gradient(x), np.gradient(y)
    area = np.abs(xx * yy - xy * yx)
    (finding,) = judge_pixels(grid, "z")
    told = float(finding.text.split("up to ")[1].split("%")[0]) / 100
    assert told == pytest.approx(np.abs(area / float(grid.pixel_area) - 1).max(), abs=0.003)


def test_a_distorted_picture_is_seen_where_it_lies():
    """A Gaussian star on a distorted picture; interpolated, and averaged as samples of 0.4 arcsec see it."""
    made = header(**SIP)
    origin = sky_origin(made)
    grid = wcs_to_grid(made, origin)
    x, y = offsets(made, origin)
    star = np.exp(-0.5 * ((x - 3.0) ** 2 + (y + 2.5) ** 2) / 1.2**2)
    picture = Picture(values=star, grid=grid, plane="image")
    at = jnp.array([3.0, 4.0]), jnp.array([-2.5, -1.8])
    right = [1.0, np.exp(-0.5 * (1.0 + 0.49) / 1.44)]
    np.testing.assert_allclose(picture(*at), right, atol=0.02)
    np.testing.assert_allclose(picture.averaged(0.4)(*at), right, atol=0.01)
