"""Noises of every kind, with data for them."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import stats

from jaxmetal.likelihood import (
    Censored,
    Correlated,
    EffectiveSamples,
    Gaussian,
    GaussianCorrelation,
    KernelCorrelation,
    LightScaled,
    SplitNormal,
    StudentT,
)
from jaxmetal.likelihood.integrated import Integrated

SHAPE = (5, 7)
RNG = np.random.default_rng(3)
MODEL = 8.0 + 0.2 * RNG.normal(size=SHAPE)
LIGHT = np.exp(RNG.normal(size=SHAPE))
DATA = MODEL + 0.15 * RNG.normal(size=SHAPE)
OTHER = MODEL + 0.1
"""What data are drawn around, where they are not drawn around the model."""
SIGMA = RNG.uniform(0.05, 0.2, size=SHAPE)
LIMITS = RNG.uniform(size=SHAPE) < 0.3
SIDES = np.where(LIMITS, np.where(np.arange(7) % 2, 1, -1), 0)
USED = RNG.uniform(size=SHAPE) < 0.7
ALL = np.ones(SHAPE, dtype=bool)
SMOOTHING = np.array([[0.1, 0.3, 0.1], [0.5, 1.0, 0.5], [0.1, 0.3, 0.1]])

NOISES = {
    "gaussian": Gaussian(sigma=SIGMA, jitter=0.07, scale=1.3),
    "light_scaled": LightScaled(c1=0.0077, c2=0.0123, jitter=0.02),
    "light_map": LightScaled(c1=0.0077, c2=0.0123, light=2.0 * LIGHT),
    "student": StudentT(sigma=SIGMA, nu=4.0, jitter=0.07, scale=1.1),
    "split_normal": SplitNormal(lower=SIGMA, upper=2.0 * SIGMA, jitter=0.03),
    "integrated": Integrated(sigma=SIGMA, jitter=0.07, scale=1.3),
    "censored": Censored(noise=Gaussian(sigma=SIGMA, jitter=0.02), limits=LIMITS),
    "censored both ways": Censored(noise=Gaussian(sigma=SIGMA, jitter=0.02), limits=SIDES),
    "correlated": Correlated(noise=Gaussian(sigma=SIGMA), correlation=GaussianCorrelation(fwhm=2.5), jitter=0.04),
    "correlated_kernel": Correlated(
        noise=Gaussian(sigma=SIGMA), correlation=KernelCorrelation.of_smoothing(SMOOTHING), independent=0.05
    ),
    "effective": EffectiveSamples(noise=Gaussian(sigma=SIGMA), correlated_pixels=3.0),
}
DISTINCT = {name: noise for name, noise in NOISES.items() if name not in ("correlated_kernel", "effective")}
every_noise = pytest.mark.parametrize("noise", DISTINCT.values(), ids=DISTINCT.keys())


@jax.jit
def total(noise, data, model, light, used):
    return jnp.sum(noise.pointwise(data, model, light, used))


# Compiled once per kind of noise, whatever the numbers.
pointwise = jax.jit(lambda noise, *inputs: noise.pointwise(*inputs))
expected = jax.jit(lambda noise, *inputs: noise.expected(*inputs))
value_and_gradients = jax.jit(jax.value_and_grad(total, argnums=(0, 2, 3), allow_int=True))


def split_normal_density(data, model, lower, upper):
    width = np.where(data < model, upper, lower)
    return 2.0 * width / (lower + upper) * stats.norm.pdf(data, model, width)


def draws(noise, number):
    keys = jax.random.split(jax.random.key(1), number)
    return np.asarray(jax.jit(jax.vmap(lambda key: noise.draw(key, MODEL, LIGHT)))(keys))
