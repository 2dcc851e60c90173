"""Galaxies and their population in one model, against the reuse of single fits."""

import sys
from pathlib import Path

import numpy as np
import numpyro.distributions as dist
import pytest

from jaxmetal import population
from jaxmetal.edge.errors import InputError

BENCHMARKS = str(Path(__file__).resolve().parents[1] / "benchmarks")

pytestmark = pytest.mark.usefixtures("optimised")


@pytest.fixture
def benchmark_module(monkeypatch):
    monkeypatch.syspath_prepend(BENCHMARKS)
    import population_joint

    yield population_joint
    for name in ("population_joint", "resumable"):
        sys.modules.pop(name, None)


def test_joint_agrees_with_the_marginal_model_of_single_galaxies(benchmark_module):
    galaxies, mass = benchmark_module.simulated(6, (7, 9))
    stack = population.stack(galaxies, benchmark_module.SITE, benchmark_module.KPC, sampling=benchmark_module.COARSE)
    run = population.Run(chains=2, warmup=60, draws=150, target_accept=0.9)
    together = population.joint(stack, {"log_mass": mass}, run=run)
    single, sigma = together.quantity, together.quantity.sigma
    priors = population.default_priors(together.quantity, together.covariates)
    del priors["nu"]
    apart = population.fit(single, {"log_mass": mass}, priors=priors, run=run)
    for name, drawn in apart.draws.items():
        assert abs(together.draws[name].mean() - drawn.mean()) < 0.5 * drawn.std(), name
        assert 0.7 < together.draws[name].std() / drawn.std() < 1.4, name
    # Each galaxy's own value is drawn towards the relation.
    shrunk = together.draws["quantity"].mean(axis=(0, 1))
    assert shrunk.shape == (6,)
    line = np.median(together.line("log_mass", mass.values), axis=0)
    noisy = sigma > np.median(sigma)
    assert np.mean(np.abs(shrunk - line)[noisy]) < 0.8 * np.mean(np.abs(single.values - line)[noisy])


def test_the_prior_that_guides_a_maximum_is_divided_out(benchmark_module):
    """Where it is far away and as narrow as the data are, and where it is wide."""
    found = []
    for prior in (dist.Normal(0.0, 10.0), dist.Normal(0.2, 0.1)):
        scene, data = benchmark_module.galaxy(0.0, 0.1, (7, 9), 1)
        object.__setattr__(scene.sources["disc"].carries["metallicity"].profile, "slope", prior)
        stack = population.stack([(scene, data)], benchmark_module.SITE, sampling=benchmark_module.COARSE)
        found.append(stack.measured("slope", "dex/arcsec"))
    wide, narrow = found
    assert narrow.values == pytest.approx(wide.values, abs=0.1 * float(wide.sigma[0]))
    assert narrow.sigma == pytest.approx(wide.sigma, rel=0.05)


def test_galaxies_that_do_not_fit_together_are_refused(benchmark_module):
    (prior, data), other = benchmark_module.galaxy(0.0, 0.1, (9, 11), 1), benchmark_module.galaxy(0.0, 0.1, (9, 12), 2)
    with pytest.raises(InputError, match="Galaxy 1 differs"):
        population.stack([(prior, data), other], benchmark_module.SITE)
    with pytest.raises(InputError, match="is not free"):
        population.stack([(prior, data)], "slope")
    bounded = prior.sources["disc"].carries["metallicity"].profile
    object.__setattr__(bounded, "slope", dist.Uniform(-1.0, 1.0))
    with pytest.raises(InputError, match="open on both sides"):
        population.stack([(prior, data)], benchmark_module.SITE)
