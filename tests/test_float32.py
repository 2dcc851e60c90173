"""Single precision against double, at the same settings."""

import dataclasses
from functools import cache

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from test_accuracy import BY_NAME, described

import jaxmetal as jm
from jaxmetal.observation import Plan, default_sampling

pytestmark = pytest.mark.usefixtures("compile_quickly")


@jax.jit
def value_and_gradient(scene, observation, plan):
    """Map and light, and the gradient of a sum of both with respect to every number of the scene."""

    def total(scene):
        seen = jm.predict(observation, scene, plan)
        return jnp.sum(jnp.sin(3.0 * seen.value)) + jnp.sum(seen.light), seen

    (_, seen), gradient = jax.value_and_grad(total, has_aux=True)(scene)
    return seen, gradient


look = jax.jit(jm.predict)


@cache
def seen(name, double, route):
    with jax.enable_x64(double):
        scene, observation = described(BY_NAME[name])
        sampling = dataclasses.replace(default_sampling(scene, observation), route=route)
        value, light = look(observation, scene, Plan(sampling=sampling))
        assert value.dtype == light.dtype == (np.float64 if double else np.float32)
        assert np.all(np.isfinite(value))
        return np.asarray(value, float), np.asarray(light, float)


@pytest.mark.parametrize("name", ["exponential_thin", "n4_compact_thin", "n4_moffat_thin"])
def test_the_separable_route_keeps_its_precision(name):
    (value, light), (single, faint) = seen(name, True, "separable"), seen(name, False, "separable")
    held = light > 1e-4 * light.max()
    assert np.max(np.abs(single - value)[held]) < 1e-5
    assert np.max(np.abs(faint / light - 1)[held]) < 1e-5


@pytest.mark.parametrize("name", ["exponential_thin", "n2.5_thin"])
def test_the_fft_route_is_precise_where_there_is_light(name):
    (value, light), (single, _) = seen(name, True, "fft"), seen(name, False, "fft")
    metals = light * 10 ** (value - value.max())
    held = (light > 1e-2 * light.max()) & (metals > 1e-3 * metals.max())
    assert np.max(np.abs(single - value)[held]) < 1e-3


@pytest.mark.parametrize("route", ["separable", "fft"])
@pytest.mark.parametrize("flux", [1e-18, 1.0, 1e6])
def test_a_constant_stays_constant_in_any_units(route, flux):
    with jax.enable_x64(False):
        scene, observation = described(BY_NAME["exponential_thin"])
        disc = scene.sources["disc"]
        carried = jm.Carried(
            profile=jm.tracer.Gradient(central=jnp.float32(8.5), slope=jnp.float32(0.0)), weight="line"
        )
        light = dataclasses.replace(disc.lights["line"], flux=jnp.float32(flux))
        disc = dataclasses.replace(disc, lights={"line": light}, carries={"metallicity": carried})
        sampling = jm.Sampling(oversampling=2, margin=6, core_size=2.5, route=route)
        scene = jm.Scene(sources={"disc": disc})
        (value, light), gradient = value_and_gradient(scene, observation, Plan(sampling=sampling))
        assert np.max(np.abs(value - 8.5)) < 1e-6
        assert all(np.all(np.isfinite(leaf)) for leaf in jax.tree.leaves(gradient))
