"""The NumPyro model of a prior and its observations, against densities by scipy."""

import jax
import numpy as np
import numpyro.distributions as dist
import pytest
from numpyro.infer.initialization import init_to_value
from numpyro.infer.util import initialize_model, log_density
from scipy.stats import norm

import jaxmetal as jm

SHAPE, SIGMA, PRIOR = (5, 7), 0.1, dist.Normal(8.5, 0.3)
VALUE = "scene.sources.disc.carries.metallicity.profile.value"


@pytest.fixture(scope="module")
def observed():
    """A disc of one metallicity, which no blur changes, and its map with noise and one pixel that is not used."""
    scene = jm.Scene(
        sources={
            "disc": jm.Source(
                frame=jm.frame.Disc(q=0.7, pa=20.0),
                lights={"halpha": jm.light.Exponential(flux=1.0, r_eff=0.5)},
                carries={"metallicity": jm.Carried(profile=jm.tracer.Constant(value=PRIOR), weight="halpha")},
            )
        }
    )
    data = 8.6 + SIGMA * np.random.default_rng(5).normal(size=SHAPE)
    used = np.ones(SHAPE, bool)
    used[2, 3], data[2, 3] = False, np.nan
    metallicity = jm.recipes.metallicity_map(
        data, sigma=SIGMA, psf=jm.instrument.psf.Gaussian(fwhm=0.4), pixel_scale=0.2, used=used
    )
    return scene, metallicity, data[used]


def test_its_density_is_prior_times_likelihood(observed):
    scene, metallicity, data = observed
    model = jm.model.numpyro_model(scene, {"map": metallicity})
    names = set()

    def density(value):
        found, trace = log_density(model, (), {}, {VALUE: value})
        names.update(trace)
        return found

    found = jax.jit(density)(8.4)
    expected = norm(8.5, 0.3).logpdf(8.4) + norm(8.4, SIGMA).logpdf(data).sum()
    assert float(found) == pytest.approx(expected, abs=1e-6)
    assert names == {VALUE, "map.log_likelihood"}


def test_its_potential_has_the_gradient_that_samplers_follow(observed):
    scene, metallicity, data = observed
    model = jm.model.numpyro_model(scene, {"map": metallicity})

    @jax.jit
    def slope_at(key):
        made = initialize_model(key, model, init_strategy=init_to_value(values={VALUE: 8.7}))
        return jax.grad(made.potential_fn)(made.param_info.z)[VALUE]

    slope = slope_at(jax.random.key(0))
    expected = (8.7 - 8.5) / 0.3**2 + np.sum(8.7 - data) / SIGMA**2
    assert float(slope) == pytest.approx(expected, rel=1e-6)
