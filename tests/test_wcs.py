"""Pixels on the sky through FITS world coordinates, against astropy's spherical offsets."""

from pathlib import Path

import numpy as np
import pytest
from astropy import units as u
from astropy.coordinates import SkyCoord
from astropy.io import fits
from astropy.wcs import WCS

from jaxmetal.edge.errors import InputError
from jaxmetal.io.wcs import grid_to_wcs, position_angle_of_y, sky_origin, wcs_to_grid

SHAPE = (20, 31)
AS1063 = Path(__file__).parents[2] / "shared/data/as1063"


def header(*, dec=-60.0, steps=(-0.2, 0.2), turn=0.0, form="CD", shape=SHAPE, frame="TAN"):
    """A header whose North lies `turn` degrees from increasing rows; steps in arcsec along (column, row)."""
    made = fits.Header({"NAXIS": 2, "NAXIS1": shape[1], "NAXIS2": shape[0], "RADESYS": "ICRS"})
    made.update({"CTYPE1": f"RA---{frame}", "CTYPE2": f"DEC--{frame}", "CUNIT1": "deg", "CUNIT2": "deg"})
    made.update({"CRVAL1": 342.2, "CRVAL2": dec, "CRPIX1": 12.5, "CRPIX2": 7.0})
    c, s = np.cos(np.deg2rad(turn)), np.sin(np.deg2rad(turn))
    rotation, scale = np.array([[c, -s], [s, c]]), np.array(steps) / 3600
    matrix = rotation * scale if form == "CD" else rotation * scale[None, :] / scale[:, None]
    made.update({f"{form}{i + 1}_{j + 1}": matrix[i, j] for i in (0, 1) for j in (0, 1)})
    if form == "PC":
        made.update({"CDELT1": scale[0], "CDELT2": scale[1]})
    return made


CASES = {
    "north up": {},
    "flipped": {"steps": (0.2, 0.2)},
    "upside down": {"steps": (-0.2, -0.2)},
    "rotated": {"turn": 41.0},
    "rotated and flipped": {"steps": (0.2, 0.2), "turn": -117.0},
    "anisotropic": {"steps": (-0.1, 0.3), "turn": 28.0},
    "PC": {"form": "PC", "turn": 41.0},
    "anisotropic PC": {"form": "PC", "steps": (-0.1, 0.3), "turn": 28.0},
    "equator": {"dec": 0.0},
    "near the pole": {"dec": 88.0, "turn": 10.0},
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_matches_spherical_offsets(case):
    """x to the West, y to the North; a frame 6 arcsec wide is flat to 1e-8 of an arcsec."""
    made = header(**case)
    origin = sky_origin(made)
    grid = wcs_to_grid(made, origin)
    row, column = np.indices(SHAPE)
    east, north = origin.spherical_offsets_to(WCS(made).pixel_to_world(column, row))
    x, y = (np.asarray(a) for a in grid.centres())
    np.testing.assert_allclose(x, -east.to_value(u.arcsec), atol=1e-6)
    np.testing.assert_allclose(y, north.to_value(u.arcsec), atol=1e-6)


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_steps_are_the_header_s(case):
    grid = wcs_to_grid(header(**case), sky_origin(header(**case)))
    np.testing.assert_allclose(grid.steps, np.abs(case.get("steps", (0.2, 0.2))), rtol=1e-6)


def test_cd_and_pc_are_the_same():
    a, b = (wcs_to_grid(header(turn=33.0, form=form), sky_origin(header())) for form in ("CD", "PC"))
    np.testing.assert_allclose(a.matrix, b.matrix, atol=1e-12)
    np.testing.assert_allclose(a.origin, b.origin, atol=1e-9)


def test_rotation_sense():
    """CD rotated so that rows run towards -RA: they increase to the West, pa -90."""
    made = header(steps=(-0.2, 0.2), turn=90.0)
    grid = wcs_to_grid(made, sky_origin(made))
    one_up = WCS(made).pixel_to_world(10, 11)
    assert position_angle_of_y(grid) == pytest.approx(
        (WCS(made).pixel_to_world(10, 10).position_angle(one_up).deg + 180) % 360 - 180, abs=1e-3
    )
    assert abs(position_angle_of_y(grid)) == pytest.approx(90.0, abs=1e-3)


def test_origin_is_the_middle_of_the_frame():
    made = header(turn=41.0)
    column, row = wcs_to_grid(made, sky_origin(made)).to_pixel(0.0, 0.0)
    np.testing.assert_allclose([column, row], [15.0, 9.5], atol=1e-6)


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_roundtrip(case):
    made = header(**case)
    origin = sky_origin(made)
    wcs = grid_to_wcs(wcs_to_grid(made, origin), origin)
    row, column = np.indices(SHAPE)
    apart = WCS(made).pixel_to_world(column, row).separation(wcs.pixel_to_world(column, row))
    assert apart.to_value(u.arcsec).max() < 1e-6
    assert wcs.array_shape == SHAPE


@pytest.mark.parametrize("turn", [0.0, 41.0])
def test_the_size_of_a_pixel_is_in_cdelt(turn):
    """For tools that read no matrix."""
    made = header(turn=turn)
    origin = sky_origin(made)
    written = grid_to_wcs(wcs_to_grid(made, origin), origin).to_header()
    assert (written["CDELT1"] * 3600, written["CDELT2"] * 3600) == pytest.approx((-0.2, 0.2), rel=1e-6)


def test_the_same_star_in_two_images():
    """Two images with their own reference points agree on where a star is."""
    wide, narrow = header(turn=41.0), header(steps=(-0.05, 0.05), shape=(60, 81))
    narrow["CRPIX1"] = 40.0
    origin, star = sky_origin(wide), sky_origin(narrow)
    places = []
    for made in (wide, narrow):
        places.append(wcs_to_grid(made, origin).to_sky(*(float(p) for p in WCS(made).world_to_pixel(star))))
    np.testing.assert_allclose(*places, atol=1e-6)


def test_another_frame_turns_the_axes():
    """North is that of the origin's frame."""
    made = header()
    galactic = sky_origin(made).galactic
    grid = wcs_to_grid(made, galactic)
    lon, lat = galactic.spherical_offsets_to(WCS(made).pixel_to_world(3, 4).galactic)
    np.testing.assert_allclose(grid.to_sky(3, 4), [-lon.arcsec, lat.arcsec], atol=1e-6)


def test_degenerate_third_axis_is_ignored():
    made = header()
    made.update({"NAXIS": 3, "NAXIS3": 1, "CTYPE3": "WAVE", "CRPIX3": 1.0, "CRVAL3": 5e-7, "CD3_3": 1e-10})
    assert wcs_to_grid(made, sky_origin(made)).shape == SHAPE


def folded():
    """Distortion that changes a pixel by half of itself."""
    made = header(frame="TAN-SIP")
    made.update({"A_ORDER": 2, "B_ORDER": 2, "A_2_0": 2e-2, "B_0_2": 0.0})
    return made


def parallel():
    made = header()
    made["CD1_2"] = 5.0 * made["CD2_2"]
    return made


BAD = {
    "no world coordinates": (fits.Header({"NAXIS": 2, "NAXIS1": 5, "NAXIS2": 4}), "no celestial world coordinates"),
    "no scale": (fits.Header({k: v for k, v in header().items() if "CD" not in k}), "pixels must be far smaller"),
    "folded": (folded(), "smooth over the image"),
    "columns along rows": (parallel(), "along each other"),
    "singular": (header(steps=(-0.2, 0.0)), "far smaller"),
}


@pytest.mark.parametrize(("made", "said"), BAD.values(), ids=BAD.keys())
def test_refused_in_one_sentence(made, said):
    with pytest.raises(InputError) as refusal:
        wcs_to_grid(made, SkyCoord(342.2, -60.0, unit="deg"))
    assert said in str(refusal.value).lower()
    assert "\n" not in str(refusal.value)


def test_another_part_of_the_sky_is_refused():
    with pytest.raises(InputError, match="90 degrees of the sky origin"):
        wcs_to_grid(header(), SkyCoord(162.2, 60.0, unit="deg"))


def test_shape_must_be_known():
    made = header()
    del made["NAXIS1"], made["NAXIS2"]
    with pytest.raises(InputError, match=r"must be \(ny, nx\)"):
        sky_origin(made)
    assert wcs_to_grid(made, sky_origin(made, SHAPE), SHAPE).shape == SHAPE


@pytest.mark.skipif(not AS1063.is_dir(), reason="needs the real data in ../shared/data")
def test_a_real_rotated_map():
    """AS1063: 0.2 arcsec square pixels, 41 degrees from North."""
    made = fits.getheader(AS1063 / "metallicity.fits")
    origin = sky_origin(made, (45, 56))
    grid = wcs_to_grid(made, origin, (45, 56))
    np.testing.assert_allclose(grid.steps, 0.2, rtol=1e-3)
    assert 40 < abs(position_angle_of_y(grid)) % 90 < 50
    east, north = origin.spherical_offsets_to(WCS(made).celestial.pixel_to_world(50, 3))
    np.testing.assert_allclose(grid.to_sky(50, 3), [-east.to_value(u.arcsec), north.to_value(u.arcsec)], atol=1e-5)
