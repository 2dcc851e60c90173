"""What can be read but hardly be right: blurs, angles and maps that data speak against."""

import dataclasses

import numpy as np
import numpyro.distributions as dist
import pytest
from configured import GRID, ORIGIN, replace, write_galaxy
from scipy.ndimage import gaussian_filter

import jaxmetal as jm
from jaxmetal.edge.plausible import TURNS, correlation, width_of
from jaxmetal.fit.diagnose import prior_warnings
from jaxmetal.io import write_maps
from jaxmetal.io.config import read_config
from jaxmetal.io.config.suspicious import suspicious
from jaxmetal.model import tree
from jaxmetal.prior import typical

SHAPE, PIXEL, FWHM, PA = (24, 28), 0.2, 0.7, 65.0
SKY = jm.Grid.regular(SHAPE, PIXEL)


def galaxy():
    """Light of a disc away from the middle, blurred by scipy, with noise of 1 % of its peak."""
    x, y = SKY.centres()
    angle = np.deg2rad(PA)
    u, v = -np.sin(angle) * (x - 0.4) + np.cos(angle) * (y + 0.3), np.cos(angle) * (x - 0.4) + np.sin(angle) * (y + 0.3)
    light = gaussian_filter(np.exp(-np.hypot(u, v / 0.45) / 0.45), FWHM / PIXEL / 2.3548)
    return light / light.max()


LIGHT = galaxy()
SEEN = LIGHT + 0.01 * np.random.default_rng(3).normal(size=SHAPE)
ERROR = 0.05 * np.maximum(LIGHT, 1e-3) ** -0.5
VALUES = np.where(LIGHT > 0.03, 8.5 + ERROR * np.random.default_rng(4).normal(size=SHAPE), np.nan)


def frame(**changes):
    return jm.frame.Disc(**{"x0": 0.4, "y0": -0.3, "q": 0.5, "pa": PA, **changes})


def scene(light=None, lens=None, **changes):
    """A disc with a gradient; `changes` of its frame."""
    profile = jm.tracer.Gradient(central=8.5, slope=dist.Normal(0.0, 0.3))
    lights = {"ha": light or jm.light.Sersic(flux=100.0, r_eff=0.75, n=1.0)}
    carries = {"metallicity": jm.Carried(profile=profile, weight="ha")}
    return jm.Scene(
        sources={"disc": jm.Source(frame=frame(**changes), lights=lights, carries=carries)}, lens=lens or {}
    )


def observed(values=VALUES, error=ERROR, fwhm=FWHM, **more):
    psf = jm.instrument.Gaussian(fwhm=fwhm)
    return jm.recipes.metallicity_map(values, sigma=error, psf=psf, **{"pixel_scale": PIXEL, **more})


def image(fwhm=FWHM):
    psf = jm.instrument.Gaussian(fwhm=fwhm)
    return jm.recipes.light_image(SEEN, light="ha", sigma=0.01, psf=psf, pixel_scale=PIXEL)


def said(made, **observations):
    whole = tree(made, observations)
    return [str(finding) for finding in suspicious(whole, typical(whole))]


def test_what_is_right_is_left_alone():
    free = {"pa": dist.Uniform(-25.0, 155.0), "q": dist.Uniform(0.2, 1.0)}
    for made in (scene(), scene(**free), scene(pa=dist.Normal(60.0, 20.0))):
        assert said(made, map=observed(), ha=image()) == []
    assert said(scene(), map=observed()) == []


def test_a_width_in_pixels_is_not_one_in_arcsec():
    """3.5 pixels of 0.2 arcsec, said to be 3.5 arcsec: wide for the map, for what is seen, for the galaxy."""
    in_image, in_map = said(scene(), map=observed(fwhm=3.5), ha=image(3.5))
    assert in_map.startswith("WARNING: observations.map.psf: the FWHM (3.5 arcsec) is 62% of the map's longer side")
    assert "4.67 times the half-light radius that the prior expects (0.75 arcsec)" in in_map
    assert "wider than what is seen through it" in in_image
    assert "arcsec, not in pixels" in in_image
    assert any("4.67 times" in text for text in said(scene(), map=observed(fwhm=3.5)))


def test_the_width_of_an_image_is_that_of_its_blur_at_least():
    point = np.zeros((31, 31))
    point[15, 15] = 1e4
    blurred = gaussian_filter(point, 2.5)
    assert width_of(blurred, np.full(point.shape, 0.1), 0.04) == pytest.approx(
        0.2 * 2.3548 * np.hypot(2.5, 0.5**0.5), rel=0.05
    )
    assert width_of(np.random.default_rng(0).normal(size=point.shape), np.ones(point.shape), 0.04) is None


@pytest.mark.parametrize("pa", [1.134, dist.Uniform(-0.87, 2.27)], ids=["number", "prior"])
def test_radians_are_not_degrees(pa):
    (text,) = said(scene(pa=pa), map=observed(), ha=image())
    assert text.startswith("WARNING: sources.disc.frame.pa: ")
    assert "leaves out the position angle of the light, about 6" in text
    assert "it would fit in radians" in text


def test_an_angle_from_another_axis_is_said():
    (text,) = said(scene(pa=PA - 90.0), map=observed(), ha=image())
    assert "degrees East of North are expected" in text


def test_without_an_image_small_angles_are_worth_a_word():
    """65 degrees are 1.134 radians; a prior that spans pi is one in radians whatever is seen."""
    (text,) = said(scene(pa=1.134), map=observed())
    assert text.endswith("were it in radians, that would be 65 degrees, as which it should be given.")
    assert said(scene(pa=2.0), map=observed()) == []
    assert said(scene(pa=0.0), map=observed()) == []
    (finding,) = prior_warnings({"scene": scene(pa=dist.Uniform(-0.87, 2.27))})
    assert "spans 3.14 degrees" in finding.text
    for right in (dist.Uniform(-50.0, 130.0), dist.Normal(1.0, 0.5), dist.Uniform(0.0, 3.0)):
        assert prior_warnings({"scene": scene(pa=right)}) == []


@pytest.mark.parametrize("how", TURNS)
def test_a_map_that_lies_otherwise_than_the_light_is_said(how):
    turned = [np.full((28, 28), np.nan), np.full((28, 28), 0.05)]
    for frame_, array in zip(turned, (VALUES, ERROR), strict=True):
        frame_[2:26] = array
    values, error = (TURNS[how](array) for array in turned)
    (text,) = said(scene(), map=observed(values, error), ha=image())
    assert "follow the light of observations.ha better" in text


def test_also_where_columns_and_rows_differ_and_behind_a_lens():
    """A map of 28 x 24 beside an image of 24 x 28, and beside a picture of the lensed light."""
    turned = observed(VALUES.T, ERROR.T)
    (text,) = said(scene(), map=turned, ha=image())
    assert "better with rows and columns exchanged (correlation 0.9" in text
    picture = jm.light.Picture(values=LIGHT, grid=SKY, plane="image")
    behind = scene(picture, {"cluster": jm.lens.Shear(gamma1=0.1, gamma2=0.0)})
    (text,) = said(behind, map=turned)
    assert "the light of sources.disc.lights.ha better with rows and columns exchanged" in text
    assert said(behind, map=observed()) == []


def test_a_map_elsewhere_is_said():
    """World coordinates that are 0.8 arcsec off, of a map without any turn that would help."""
    moved = dataclasses.replace(observed(), grid=jm.Grid.regular(SHAPE, PIXEL, (-0.8, 0.0)))
    assert any("its centre lies" in text or "better" in text for text in said(scene(), map=moved, ha=image()))


def test_maps_that_do_not_overlap_are_said():
    """10 arcsec apart, in fields of 6."""
    (text,) = said(
        scene(), map=dataclasses.replace(observed(), grid=jm.Grid.regular(SHAPE, PIXEL, (-10.0, 0.0))), ha=image()
    )
    assert "observations.ha has no light where it has data: the two do not overlap on the sky" in text


def test_errors_that_data_do_not_show_are_said():
    """Data given as their own errors, and errors of the data's size, which may be right."""
    (text,) = said(scene(), map=observed(error=np.nan_to_num(VALUES, nan=8.5)))
    assert "observations.map: the median error (8.51 dex) is 64 times the scatter of the data (0.13 dex)" in text
    assert said(scene(), map=observed(VALUES + np.random.default_rng(1).normal(0.0, 0.5, SHAPE), ERROR + 0.5)) == []


def test_half_a_map_is_no_reason_for_a_word():
    half = np.where(np.arange(28) < 17, VALUES, np.nan)
    assert said(scene(), map=observed(half), ha=image()) == []


def test_correlations_of_constant_maps_are_none():
    assert correlation(np.ones(SHAPE), LIGHT) == 0.0
    assert correlation(LIGHT, 2.0 * LIGHT + 1.0) == pytest.approx(1.0)


def test_a_configuration_says_it(tmp_path):
    """And refuses what is 100 times too large: 12 + log(O/H) of 837."""
    path = write_galaxy(tmp_path)
    replace(path, "fwhm = 0.5", "fwhm = 1.8")
    assert any("69% of the map's longer side" in str(one) for one in read_config(path).findings)
    write_maps(tmp_path / "hundred.fits", {"data": np.full(GRID.shape, 837.0)}, GRID, ORIGIN)
    replace(path, 'data = "metallicity.fits"', 'data = "hundred.fits"')
    with pytest.raises(jm.InputError, match="837"):
        read_config(path)
