"""Fits of many free numbers, whose posterior is a Gaussian in closed form: maximum, curvature, evidence, draws."""

import dataclasses

import jax
import numpy as np
import numpyro.distributions as dist
import pytest

import jaxmetal as jm
from jaxmetal.fit import curvature, evaluate
from jaxmetal.fit.peaks import find_peaks
from jaxmetal.fit.problem import make, size, stack
from jaxmetal.fit.seeds import seed_of
from jaxmetal.likelihood import Gaussian

pytestmark = pytest.mark.usefixtures("optimised")
SHAPE, NODES, SIGMA = (10, 12), (6, 9), 0.003
TABLE = "scene.sources.disc.carries.metallicity.profile.parts.field.values"
LEVEL = "scene.sources.disc.carries.metallicity.profile.parts.level.value"


def scene(table, level):
    """A level and a table of excesses, which a linear mean hands on linearly."""
    field = jm.tracer.Tabulated(values=table, grid=jm.Grid.regular(NODES, 0.2))
    profile = jm.tracer.Sum(parts={"field": field, "level": jm.tracer.Constant(value=level)})
    return jm.Scene(
        sources={
            "disc": jm.Source(
                frame=jm.frame.Disc(x0=0.0, y0=0.0),
                lights={"line": jm.light.Exponential(flux=1.0, r_eff=0.5)},
                carries={"metallicity": jm.Carried(profile=profile, weight="line")},
            )
        }
    )


@pytest.fixture(scope="module")
def known():
    """Prior, data, and the posterior's mean and covariance, the level first."""
    empty = jm.WeightedMap(
        grid=jm.Grid.regular(SHAPE, 0.12),
        data=np.zeros(SHAPE),
        psf=jm.instrument.Gaussian(fwhm=0.3),
        noise=Gaussian(sigma=SIGMA),
        used=np.ones(SHAPE, bool),
        properties=("metallicity",),
        mixing=jm.mixing.Linear(),
    )
    prior = scene(dist.Normal(0.0, 0.1).expand(NODES), dist.Normal(8.5, 0.3))
    plan = jm.prepare(prior, {"map": empty})["map"]
    count = NODES[0] * NODES[1]

    @jax.jit
    def predicted(vector):
        return jm.predict(empty, scene(vector[1:].reshape(NODES), vector[0]), plan).value.ravel()

    start = np.concatenate([[8.5], np.zeros(count)])
    basis = np.eye(count + 1)
    matrix = np.stack([np.asarray(predicted(start + one) - predicted(start)) for one in basis], axis=1)
    random = np.random.default_rng(4)
    widths = np.concatenate([[0.3], np.full(count, 0.1)])
    truth = start + widths * random.standard_normal(count + 1)
    data = np.asarray(predicted(truth)) + SIGMA * random.standard_normal(SHAPE[0] * SHAPE[1])
    covariance = np.linalg.inv(matrix.T @ matrix / SIGMA**2 + np.diag(widths**-2.0))
    mean = start + covariance @ matrix.T @ (data - np.asarray(predicted(start))) / SIGMA**2
    return prior, {"map": dataclasses.replace(empty, data=data.reshape(SHAPE))}, mean, covariance


def test_the_maximum_of_many_numbers_is_reached_with_few_gradients(known, monkeypatch):
    prior, seen, mean, covariance = known
    spent = []
    monkeypatch.setattr(evaluate, "gradients", counting(evaluate.gradients, spent))
    problem = make(prior, seen)
    count = size(problem.sites)
    assert count > curvature.SMALL
    _, (peak,) = find_peaks(stack([problem]), [seed_of(1)])
    assert peak.status.name == "CONVERGED"
    away = np.concatenate([[float(peak.best[LEVEL])], peak.best[TABLE].ravel()]) - mean
    assert away @ np.linalg.solve(covariance, away) < 0.05**2
    # Three climbs that learn the curvature of the priors' coordinates, and twice that of all numbers.
    assert sum(spent) < 3 * 100 + 2 * 2 * count + 200
    place, widths = [count - 1, *range(count - 1)], np.concatenate([[0.3], np.full(count - 1, 0.1)])
    factor = widths[:, None] * peak.gaussian.factor[place]
    np.testing.assert_allclose(factor @ factor.T, covariance, atol=2e-3 * covariance.max())


def test_no_proposals_are_wasted_on_many_numbers(known, monkeypatch):
    prior, seen, mean, covariance = known
    weighed = []
    monkeypatch.setattr(evaluate, "values", counting(evaluate.values, weighed))
    found = jm.fit.auto(prior, seen, seed=2, chains=2, draws=200, start_count=1, progress=False)
    assert found.method == "nuts"
    assert "55 free numbers" in found.decisions[0]
    assert sum(weighed) < 100
    assert np.isnan(found.k_hat)
    drawn = found.draws[LEVEL]
    assert drawn.mean() == pytest.approx(mean[0], abs=0.3 * covariance[0, 0] ** 0.5)
    assert drawn.std() == pytest.approx(covariance[0, 0] ** 0.5, rel=0.2)
    assert not found.sampler["diverging"].any()


def test_the_scale_of_many_numbers_is_the_width_of_their_priors(known):
    """Of a normal prior in its own units; of one without quantiles, here of the level, in those of the parameter."""
    problem = make(scene(dist.Normal(0.0, 0.1).expand(NODES), dist.StudentT(50.0, 8.5, 0.3)), known[1])
    count = size(problem.sites)
    points = np.zeros((1, count))
    scales = curvature.first_scales(stack([problem]), np.zeros(1, int), points, 0.0)[0]
    np.testing.assert_allclose(np.diag(scales), [*np.ones(count - 1), 0.3], rtol=0.3)
    assert np.count_nonzero(scales) == count


def counting(function, spent):
    def counted(problems, which, *rest, **options):
        spent.append(len(which))
        return function(problems, which, *rest, **options)

    return counted
