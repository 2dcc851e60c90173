"""The accuracy check is able to fail: bugs that neighbouring codes have had, planted one by one, are caught by it."""

import dataclasses

import jax
import jax.numpy as jnp
import pytest
from test_accuracy import BY_NAME, described, errors, look

import jaxmetal as jm
from jaxmetal import render
from jaxmetal.instrument import pixels, separable
from jaxmetal.observation import default_sampling

CASE = BY_NAME["exponential_thin"]
MAP, LIGHT = 2e-4, 2e-3


@pytest.fixture(autouse=True)
def _leave_nothing_compiled():
    yield
    jax.clear_caches()


def worst(case=CASE, **changes):
    """Errors of the map and of the light, over their tolerances."""
    jax.clear_caches()  # what was compiled without the bug, or with another, must not be used again
    scene, observation = described(case)
    sampling = dataclasses.replace(default_sampling(scene, observation), **changes)
    plan = jm.prepare(scene, {"map": observation}, {"map": sampling})["map"]
    dex, light = errors(case, look(observation, scene, plan))
    return dex / MAP, light / LIGHT


def swapped_axes(patch):
    view = render.view
    patch.setattr(render, "view", lambda *args: view(*args)[::-1])


def pixel_applied_twice(patch):
    once = separable.pixel_integrals
    patch.setattr(separable, "pixel_integrals", lambda x, sigma, axis: once(x, jnp.sqrt(sigma**2 + 1 / 12), axis))


def blended_before_the_blur(patch):
    def blend(layers, imager, mixing, bins, *known):
        field = layers[0].field
        value = imager(jnp.stack([jnp.ones_like(field.flux), field.values[0]]), None)
        return value[1] / value[0], render.expose(layers, imager, render.light_alone)[0]

    patch.setattr(render, "blend", blend)


def kernel_shifted_by_half_a_pixel(patch):
    response = separable._response
    patch.setattr(separable, "_response", lambda n, position, *args: response(n, position + 0.5, *args))


def unpadded_fft(patch):
    def circular(field, kernel):
        ny, nx = field.shape[-2:]
        ky, kx = kernel.shape
        top, left = (ky - ny) // 2, (kx - nx) // 2
        centred = jnp.roll(kernel[top : top + ny, left : left + nx], (-(ny // 2), -(nx // 2)), (0, 1))
        return jnp.fft.irfft2(jnp.fft.rfft2(field) * jnp.fft.rfft2(centred), (ny, nx))

    patch.setattr(pixels, "convolve", circular)


@pytest.mark.parametrize(
    "plant", [swapped_axes, pixel_applied_twice, blended_before_the_blur, kernel_shifted_by_half_a_pixel]
)
def test_a_planted_bug_is_caught(plant, monkeypatch):
    plant(monkeypatch)
    assert max(worst()) > 3.0


def test_an_unpadded_fft_is_caught(monkeypatch):
    """It fails by what wraps around, far beyond what the missing margin alone costs."""
    case = BY_NAME["exponential_inverted"]
    cut = worst(case, route="fft", margin=0)
    unpadded_fft(monkeypatch)
    wrapped = worst(case, route="fft", margin=0)
    assert wrapped[0] > 3.0 * max(1.0, cut[0])
    assert wrapped[1] > 3.0 * max(1.0, cut[1])


@pytest.mark.parametrize("route", ["separable", "fft"])
def test_without_a_bug_the_same_check_passes(route):
    assert max(worst(route=route)) < 1.0
