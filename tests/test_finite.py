"""Values and gradients are finite in every corner of parameter space, whatever unused pixels hold."""

import dataclasses

import jax
import numpy as np
import pytest
from operator_scenes import BINS, PSFS, SHAPE, observation, pair, source, value_and_gradient

import jaxmetal as jm
from jaxmetal.model import log_likelihood
from jaxmetal.observation import Plan

CORNERS = {
    "round": {"q": 1.0},
    "flat": {"slope": 0.0},
    "gaussian": {"n": 0.5},
    "cuspy": {"n": 8.0},
    "dark": {"flux": 0.0},
    "faint": {"flux": 1e-200},
    "all": {"q": 1.0, "slope": 0.0, "n": 8.0, "flux": 0.0},
}


@pytest.mark.parametrize("core_size", [0.0, 2.5])
def test_value_and_gradient_are_finite_in_every_corner(core_size, precision):
    """The centre lies on the middle of a pixel, and, three samples to a pixel, on a sample."""
    plan = Plan(sampling=jm.Sampling(oversampling=3, margin=2, core_size=core_size, core_nodes=(8, 8)))
    for corner in CORNERS.values():
        frame = {"x0": 0.0, "y0": 0.0, "q": corner.get("q", 0.6)}
        numbers = {"slope": -0.3, "n": 1.0, "flux": 1.0, **{k: v for k, v in corner.items() if k != "q"}}
        scene = jm.Scene(sources={"disc": source(8.5, **numbers, **frame)})
        for leaf in jax.tree.leaves(value_and_gradient(observation(PSFS["gaussian"], bins=BINS), scene, plan)):
            assert leaf.dtype == precision
            assert np.all(np.isfinite(leaf)), corner


def test_unused_pixels_may_hold_anything():
    """NaN in data and sigma under the mask changes neither the log-likelihood nor its gradient."""
    scene = pair(slope=-0.3)
    plan = Plan(sampling=jm.Sampling(margin=2))
    used = np.ones(SHAPE, bool)
    used[3:6, 10:] = False

    @jax.jit
    def density(scene, data, sigma):
        seeing = observation(PSFS["gaussian"], data=data, noise=jm.likelihood.Gaussian(sigma=sigma), used=used)
        return jax.value_and_grad(lambda scene: log_likelihood({"scene": scene, "map": seeing}, {"map": plan}))(scene)

    clean = density(scene, np.full(SHAPE, 7.7), np.full(SHAPE, 0.1))
    dirty = density(scene, np.where(used, 7.7, np.nan), np.where(used, 0.1, np.nan))
    for a, b in zip(jax.tree.leaves(clean), jax.tree.leaves(dirty), strict=True):
        assert np.all(np.isfinite(b))
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("route", ["separable", "fft"])
def test_where_a_property_is_the_same_everywhere_derivatives_are_whole(route):
    """Against finite differences: a clip between two equal bounds would halve them."""
    seeing = jm.recipes.metallicity_map(
        np.full((7, 9), 8.5), sigma=0.1, psf=jm.instrument.Gaussian(fwhm=0.5), pixel_scale=0.2
    )

    def scene(slope):
        carried = jm.Carried(profile=jm.tracer.Gradient(central=8.5, slope=slope), weight="line")
        light = jm.light.Sersic(flux=1.0, r_eff=0.5, n=1.0)
        frame = jm.frame.Disc(x0=0.1, y0=0.05, q=0.6, pa=30.0)
        return jm.Scene(
            sources={"disc": jm.Source(frame=frame, lights={"line": light}, carries={"metallicity": carried})}
        )

    usual = jm.observation.default_sampling(scene(0.0), seeing)
    plan = jm.prepare(scene(0.0), {"map": seeing}, {"map": dataclasses.replace(usual, route=route)})["map"]
    value = jax.jit(lambda slope: jm.predict(seeing, scene(slope), plan).value)
    found = jax.jvp(value, (0.0,), (1.0,))[1]
    expected = (value(1e-5) - value(-1e-5)) / 2e-5
    np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-6)
