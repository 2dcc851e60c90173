"""What the operator must do whatever the scene: constants, ranges, scales, mixings, bins, sky, registration."""

import jax
import numpy as np
import pytest
from operator_scenes import (
    BINS,
    LENS,
    PSFS,
    SHAPE,
    STEP,
    alone,
    look,
    observation,
    pair,
    picture_of_light,
    source,
    value_and_gradient,
)
from scipy.special import erf

import jaxmetal as jm
from jaxmetal.instrument import Gaussian
from jaxmetal.instrument.psf import FWHM_PER_SIGMA
from jaxmetal.observation import Plan

SETTINGS = {
    **{name: (psf, {}, None, {}) for name, psf in PSFS.items()},
    "lensed": (PSFS["gaussian"], {}, LENS, {}),
    "binned": (PSFS["gaussian"], {"bins": BINS}, None, {}),
    "bare": (PSFS["gaussian"], {}, None, {"oversampling": 5, "margin": 0, "core_size": 0.0}),
}


@pytest.mark.parametrize("name", SETTINGS)
def test_a_blend_is_a_convex_mean_that_knows_no_units(name):
    psf, binning, lens, sampling = SETTINGS[name]
    seeing = observation(psf, **binning)
    constant = look(seeing, pair((8.37, 8.37), lens=lens), **sampling).value
    assert np.max(np.abs(constant - 8.37)) < 1e-6
    two = look(seeing, pair(lens=lens), **sampling).value
    assert np.min(two) >= 7.6
    assert np.max(two) <= 7.9
    assert np.ptp(two) > 0.15
    graded = look(seeing, pair(slope=-0.3, lens=lens), **sampling).value
    shifted = look(seeing, pair((8.6, 8.9), slope=-0.3, lens=lens), **sampling).value
    np.testing.assert_allclose(shifted, graded + 1.0, rtol=0, atol=1e-9)
    for flux in (1e6, 1e-6):
        scaled = look(seeing, pair(slope=-0.3, flux=flux, lens=lens), **sampling).value
        np.testing.assert_allclose(scaled, graded, rtol=0, atol=1e-9)


@pytest.mark.parametrize("precision", ["float32"], indirect=True)
@pytest.mark.parametrize("route", ["separable", "fft"])
def test_a_constant_stays_constant_in_any_units(route, precision):
    """And gradients stay finite; to the last digit but one in the first route."""
    for flux in (1e-18, 1.0, 1e6):
        scene = jm.Scene(sources={"disc": source(8.5, flux=flux)})
        sampling = jm.Sampling(oversampling=2, margin=6, core_size=2.5, route=route)
        found = value_and_gradient(observation(PSFS["gaussian"]), scene, Plan(sampling=sampling))
        assert np.max(np.abs(found[0].value - 8.5)) < 1e-6
        assert all(np.all(np.isfinite(leaf)) for leaf in jax.tree.leaves(found[1]))


FINE, MARGIN = 6, 10
"""Samples per pixel and pixels around the frame, of the sums that check the mixings."""


def fine_axes():
    """Sample positions in pixels, along rows and along columns."""
    return [(np.arange((n + 2 * MARGIN) * FINE) + 0.5) / FINE - 0.5 - MARGIN for n in SHAPE]


def fine_sky():
    """The same on the sky: x and y in arcsec."""
    row, column = ((axis - (n - 1) / 2) * STEP for axis, n in zip(fine_axes(), SHAPE, strict=True))
    return np.meshgrid(column, row)


def brute_force(values, fwhm):
    """O[f] by plain sums over samples of f and exact pixel integrals of the PSF."""
    sigma = fwhm / FWHM_PER_SIGMA / STEP
    along_y, along_x = (
        np.diff(erf((np.arange(n + 1)[:, None] - 0.5 - axis) / (np.sqrt(2) * sigma)), axis=0) / 2
        for n, axis in zip(SHAPE, fine_axes(), strict=True)
    )
    return along_y @ values @ along_x.T * (STEP / FINE) ** 2


def plane(u, v, *, centre, west, north):
    """A user's own function."""
    return centre + west * u + north * v


METALLICITY = {"centre": 8.4, "west": 0.3, "north": -0.2}
VELOCITY, WIDTH = {"centre": 30.0, "west": 80.0, "north": -25.0}, {"centre": 40.0, "west": 3.0, "north": 6.0}
MIXED = {
    "linear": (jm.mixing.Linear(), [METALLICITY], lambda mean, p: mean(p)),
    "dex": (jm.mixing.Dex(), [METALLICITY], lambda mean, p: np.log10(mean(10**p))),
    "magnitude": (jm.mixing.Magnitude(), [METALLICITY], lambda mean, p: -2.5 * np.log10(mean(10 ** (-0.4 * p)))),
    "second_moment": (
        jm.mixing.SecondMoment(),
        [VELOCITY, WIDTH],
        lambda mean, v, s: np.sqrt(mean(s**2 + v**2) - mean(v) ** 2),
    ),
}


@pytest.mark.parametrize("name", MIXED)
def test_mixings_equal_brute_force(name, precision):
    mixing, planes, formula = MIXED[name]
    profiles = {f"p{k}": jax.tree_util.Partial(plane, **numbers) for k, numbers in enumerate(planes)}
    scene = jm.Scene(
        sources={
            "disc": jm.Source(
                frame=jm.frame.Disc(x0=0.1),
                lights={"line": jm.light.Gaussian(flux=1.0, r_eff=0.6)},
                carries={
                    key: jm.Carried(profile=profile, weight="line", frame=jm.frame.OnSky())
                    for key, profile in profiles.items()
                },
            )
        }
    )
    found = look(observation(Gaussian(fwhm=0.5), mixing, tuple(profiles)), scene)
    x, y = fine_sky()
    light = np.log(2) / (np.pi * 0.6**2) * np.exp(-np.log(2) * ((x - 0.1) ** 2 + y**2) / 0.6**2)
    expected = formula(
        lambda values: brute_force(light * values, 0.5) / brute_force(light, 0.5),
        *(plane(x, y, **numbers) for numbers in planes),
    )
    assert found.value.dtype == precision
    np.testing.assert_allclose(found.value, expected, rtol={"float32": 4e-5, "float64": 2e-5}[precision])
    np.testing.assert_allclose(found.light, brute_force(light, 0.5), rtol=1e-4)


def test_bins_add_up_before_the_ratio(precision):
    close = {"float32": 1e-6, "float64": 1e-12}[precision]
    scene, mixing = pair(slope=-0.4), jm.mixing.Dex()
    pixels = look(observation(PSFS["gaussian"], mixing), scene)
    bins = look(observation(PSFS["gaussian"], mixing, bins=BINS), scene)
    total = lambda values: np.bincount(BINS.labels.ravel(), np.ravel(values), minlength=18)  # noqa: E731
    light, numerator = total(pixels.light), total(pixels.light * 10 ** np.asarray(pixels.value))
    np.testing.assert_allclose(bins.light, light, rtol=close)
    np.testing.assert_allclose(bins.value[:16], np.log10(numerator[:16] / light[:16]), rtol=close)
    assert np.all(np.isfinite(bins.value[16:]))


def test_the_sky_is_a_plane_under_the_light(precision):
    image = look(picture_of_light(PSFS["gaussian"], sky=jm.Sky(level=0.3, x_slope=0.02, y_slope=-0.05)), pair())
    row, column = np.indices(SHAPE)
    expected = 0.3 + 0.02 * STEP * (column - 8) - 0.05 * STEP * (row - 6)
    np.testing.assert_allclose(image.value - image.light, expected, atol={"float32": 1e-6, "float64": 1e-12}[precision])


def test_registration_moves_the_scene_the_other_way(precision):
    moved = look(observation(PSFS["gaussian"], dx=0.05, dy=-0.11), alone(x0=0.07, y0=-0.04))
    placed = look(observation(PSFS["gaussian"], dx=0.0, dy=0.0), alone(x0=0.02, y0=0.07))
    for found, expected in zip(moved, placed, strict=True):
        np.testing.assert_allclose(found, expected, rtol={"float32": 2e-5, "float64": 1e-9}[precision])
