"""What the maps and pictures of a fit show: radii in the property's own frame, light per pixel, bins of used pixels."""

import dataclasses

import numpy as np
import pytest
from compiled import predict
from drawn import SHAPE, SLOPE, drawn, scene

import jaxmetal as jm
from jaxmetal.io.fit_files import observation_maps
from jaxmetal.plot import of_posterior

STEEP = {SLOPE: np.random.default_rng(0).normal(-0.1, 0.02, (2, 20))}
LABELS = np.array([[-1, -1, 0, 0, 1, 1, 1, 2]] * SHAPE[0])
X, Y = (np.asarray(a) for a in jm.Grid.regular(SHAPE, 0.2).centres())


def radius(x0, q, pa):
    """By the definitions of the conventions: pa from North to East, x to the West."""
    turn, x = np.deg2rad(pa), X - x0
    return np.hypot(-x * np.sin(turn) + Y * np.cos(turn), (-x * np.cos(turn) - Y * np.sin(turn)) / q)


@pytest.mark.parametrize("own", [True, False])
def test_radii_are_in_the_frame_in_which_the_property_is_told(own):
    frame = jm.frame.Disc(x0=0.3, q=0.4, pa=100.0) if own else None
    made = drawn(scene(own=frame), **STEEP)
    expected = radius(0.3, 0.4, 100.0) if own else radius(0.0, 0.6, 30.0)
    maps, units = observation_maps(made, "map", 8.0)
    np.testing.assert_allclose(maps["radius_disc"], expected, atol=1e-12)
    np.testing.assert_allclose(maps["radius_kpc_disc"], 8.0 * expected, atol=1e-12)
    np.testing.assert_allclose(maps["radius_re_disc"], expected / 0.5, atol=1e-12)
    assert (units["radius_disc"], units["radius_kpc_disc"]) == ("arcsec", "kpc")
    slope = made.best[SLOPE]
    np.testing.assert_allclose(maps["metallicity_disc"], 8.5 + slope * expected, atol=1e-12)
    points = of_posterior.radial(made, "map", "disc").points
    np.testing.assert_allclose(points.radius, expected.ravel(), atol=1e-12)


def binned(used=None, values=None):
    values = np.full(SHAPE, 8.4) if values is None else values
    return jm.recipes.metallicity_map(
        values, sigma=0.1, bins=LABELS, used=used, psf=jm.instrument.Gaussian(fwhm=0.5), pixel_scale=0.2
    )


def test_the_light_of_a_bin_is_shared_by_its_pixels():
    seen = binned()
    pixels = dataclasses.replace(seen, bins=None, **{name: np.full(SHAPE, 8.4) for name in ("data",)}, used=LABELS > -2)
    pixels = dataclasses.replace(pixels, noise=jm.likelihood.Gaussian(sigma=0.1))
    light = observation_maps(drawn(scene(), pixels, **STEEP), "map", None)[0]["light"]
    found = observation_maps(drawn(scene(), seen, **STEEP), "map", None)[0]["light"]
    for k in range(3):
        inside = k == LABELS
        np.testing.assert_allclose(found[inside].sum(), light[inside].sum(), rtol=1e-6)
        assert np.ptp(found[inside]) == 0.0
    assert np.isnan(found[LABELS < 0]).all()


@pytest.mark.parametrize("how", ["mask", "NaN"])
def test_a_bin_is_what_its_used_pixels_are(how):
    """10^Z of the blurred light, summed by hand over those pixels that count."""
    used = np.ones(SHAPE, bool)
    used[:4, 2] = used[2:, 4] = False
    used[:, 7] = False
    seen = binned(used) if how == "mask" else binned(values=np.where(used, 8.4, np.nan))
    assert list(seen.used) == [True, True, False]
    pixels = jm.recipes.metallicity_map(
        np.full(SHAPE, 8.4), sigma=0.1, psf=jm.instrument.Gaussian(fwhm=0.5), pixel_scale=0.2
    )
    made = {"map": seen, "pixels": pixels}
    truth = scene(slope=-0.5)
    plans = jm.prepare(truth, made)
    found, each = (predict(made[name], truth, plans[name]) for name in made)
    for k in range(2):
        inside = (k == LABELS) & used
        light = np.asarray(each.light)[inside]
        mean = np.log10(np.sum(light * 10.0 ** np.asarray(each.value)[inside]) / light.sum())
        np.testing.assert_allclose(found.value[k], mean, atol=1e-9)
        np.testing.assert_allclose(found.light[k], light.sum(), rtol=1e-9)
    assert np.isfinite(found.value).all()
