"""What is padded of a noise, and which noises are left as they are."""

import dataclasses

import jax
import numpy as np
import pytest
from test_batch import galaxy

import jaxmetal as jm
from jaxmetal.fit.padding import padded

FLAT = jm.likelihood.GaussianCorrelation(fwhm=2.0)
TABLE = jm.likelihood.KernelCorrelation(values=np.exp(-0.5 * np.sum(np.indices((9, 11)) ** 2, axis=0)))
STRIPES = jm.Bins(labels=np.arange(9 * 11).reshape(9, 11) // 9, n=11)


@pytest.mark.parametrize(
    ("bins", "made"),
    [
        (None, lambda one: jm.likelihood.Correlated.over(one.used, noise=one.noise, correlation=FLAT)),
        (STRIPES, lambda one: jm.likelihood.Correlated.over(one.used, noise=one.noise, correlation=FLAT)),
        (None, lambda one: jm.likelihood.Correlated(noise=one.noise, correlation=TABLE)),
    ],
    ids=["pixels", "as many bins", "a table as large as the map"],
)
def test_noise_that_counts_pixels_is_not_padded(bins, made):
    one = galaxy("one", 1, (9, 11), bins=bins).observations["map"]
    kept = padded({"map": dataclasses.replace(one, noise=made(one))})["map"]
    assert kept.grid.shape == (9, 11)
    assert kept.data.shape == one.data.shape
    jax.tree.map(np.testing.assert_array_equal, kept.noise, made(one))


def test_all_that_noises_hold_for_each_datum_is_padded():
    one = galaxy("one", 1, (9, 11)).observations["map"]
    limited = jm.likelihood.Censored(noise=one.noise, limits=np.zeros((9, 11), int))
    scaled = jm.likelihood.LightScaled(c1=np.ones((9, 11)), c2=0.1, light=np.ones((9, 11)))
    smooth = jm.likelihood.Correlated(noise=one.noise, correlation=FLAT)
    for noise in (limited, scaled, smooth, jm.likelihood.EffectiveSamples(noise=limited, correlated_pixels=2.0)):
        wide = padded({"map": dataclasses.replace(one, noise=noise)})["map"]
        assert {np.shape(leaf) for leaf in jax.tree.leaves(wide.noise)} <= {(), (10, 12)}
        assert wide.grid.shape == (10, 12)
