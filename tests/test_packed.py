"""A fit is the same program in every process, whatever Python's hash seed: what was compiled once is found again."""

import os
import subprocess
import sys

import jax
import numpy as np
import numpyro.distributions as dist
import pytest

from jaxmetal.numerics.packed import Packed

PRIORS = {
    "normal": dist.Normal(0.3, 2.0),
    "uniform": dist.Uniform(-1.0, 4.0),
    "truncated": dist.TruncatedNormal(0.2, 1.5, low=-1.0, high=3.0),
    "of several": dist.Normal(np.zeros(3), 1.0).to_event(1),
    "transformed": dist.LogNormal(0.1, 0.4),
    "log-uniform": dist.LogUniform(0.1, 10.0),
}

PROGRAM = """
import hashlib, jax, numpy as np, numpyro.distributions as dist, jaxmetal as jm
from jaxmetal.fit.problem import log_density, make, size
psf = jm.instrument.Gaussian(fwhm=0.5)
seen = jm.recipes.metallicity_map(np.full((5, 7), 8.5), sigma=0.1, psf=psf, pixel_scale=0.2)
profile = jm.tracer.Gradient(central=dist.Uniform(7.0, 9.5), slope=dist.TruncatedNormal(0.0, 1.0, low=-2.0, high=2.0))
carries = {"metallicity": jm.Carried(profile=profile, weight="line")}
light = jm.light.Sersic(flux=dist.LogNormal(0.0, 1.0), r_eff=dist.LogUniform(0.1, 2.0), n=1.0)
disc = jm.Source(frame=jm.frame.Disc(q=0.7), lights={"line": light}, carries=carries)
one = make(jm.Scene(sources={"disc": disc}), {"map": seen})
text = jax.jit(log_density).lower(one, np.zeros(size(one.sites))).as_text()
print(hashlib.sha256(text.encode()).hexdigest())
"""


@pytest.mark.parametrize("name", PRIORS)
def test_a_packed_distribution_is_the_distribution(name):
    prior = PRIORS[name]
    again = Packed.of(prior).unpack()
    values = prior.sample(jax.random.key(0), (5,))
    np.testing.assert_array_equal(again.sample(jax.random.key(0), (5,)), values)
    np.testing.assert_allclose(again.log_prob(values), prior.log_prob(values), rtol=1e-12)
    assert (again.shape(), type(again)) == (prior.shape(), type(prior))


def test_leaves_stand_in_the_order_of_their_names():
    leaves = jax.tree.leaves_with_path(Packed.of(dist.Uniform(-1.0, 4.0)))
    names = [path[1].key for path, _ in leaves]
    assert names == sorted(names)
    assert {"low", "high"} <= set(names)


def test_every_process_compiles_the_same_program():
    """With hash seeds by which sets of the names of parameters (low, high) have different orders."""
    found = {
        subprocess.run(
            [sys.executable, "-c", PROGRAM],
            capture_output=True,
            text=True,
            check=True,
            env={**os.environ, "PYTHONHASHSEED": seed, "JAX_PLATFORMS": "cpu"},
        ).stdout
        for seed in ("1", "2")
    }
    assert len(found) == 1
