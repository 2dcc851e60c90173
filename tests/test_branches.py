"""Maxima on one bent ridge: proposals along the ridges through all of them, against a quadrature."""

import dataclasses

import numpy as np
import numpyro.distributions as dist
import pytest
from scipy.stats import multivariate_normal
from test_ridge import BENDS, FREE, GROWS, LEVEL, SHAPE, SLOPE, TURNS, observed, scene, seen

import jaxmetal as jm
from jaxmetal.fit.branches import SEEN, Branches, shared
from jaxmetal.fit.seeds import seed_of
from jaxmetal.fit.student import StudentMixture

pytestmark = pytest.mark.usefixtures("optimised")
SIGMA, LEAST = 0.01, 0.3
WIDTHS = {"level": 0.2, "slope": 0.15}
PRIOR = {name: dist.Normal(0.0, width) for name, width in WIDTHS.items()} | {"t": dist.Normal(0.0, 1.0)}
DATA = seen(level=0.05, slope=0.0, t=1.4) + SIGMA * np.random.default_rng(4).standard_normal(SHAPE)
LEFT = StudentMixture.single(np.array([-2.0, 0.0]), np.array([[0.5, 0.0], [0.2, 0.4]]))
RIGHT = StudentMixture.single(np.array([2.0, 1.0]), 0.3 * np.eye(2))


def exact():
    """t and its probabilities: the rest is Gaussian and integrated in closed form."""
    radius = (seen(level=0.0, slope=1.0, t=0.0) - 8.0).ravel()
    t, widths = np.linspace(-5.0, 5.0, 2001), np.diag(list(WIDTHS.values())) ** 2
    log_p = []
    for one in t:
        design = np.stack([np.full(radius.size, np.exp(GROWS * one)), radius], axis=1)
        left = DATA.ravel() - 8.0 - BENDS * one**2 - TURNS * one**2 * radius
        covariance = SIGMA**2 * np.eye(radius.size) + design @ widths @ design.T
        log_p.append(-0.5 * one**2 + multivariate_normal(np.zeros(radius.size), covariance).logpdf(left))
    p = np.exp(np.array(log_p) - max(log_p))
    return t, p / p.sum()


def test_two_maxima_on_one_ridge_are_sampled_by_proposals_in_their_shares():
    t, p = exact()
    low, dip, high = p[t < -LEAST].max(), p[np.abs(t) < LEAST].max(), p[t > LEAST].max()
    assert dip < 0.3 * min(low, high)
    noisy = jm.likelihood.Gaussian(sigma=SIGMA)
    map_ = {"map": dataclasses.replace(observed(DATA), noise=noisy)}
    found = jm.fit.auto(scene(**PRIOR), map_, draws=1000, start_count=6, seed=1, progress=False)
    assert found.method == "laplace"
    assert "along their ridges" in found.decisions[0]
    drawn = found.draws[FREE].ravel()
    assert np.mean(drawn < 0.0) == pytest.approx(p[t < 0.0].sum(), abs=0.03)
    below = np.interp(drawn, t, np.cumsum(p))
    np.testing.assert_allclose(np.quantile(below, [0.1, 0.25, 0.5, 0.75, 0.9]), [0.1, 0.25, 0.5, 0.75, 0.9], atol=0.03)
    assert {LEVEL, SLOPE} < set(found.draws)


def test_their_density_is_the_sum_of_the_parts_and_draws_come_in_their_shares():
    both = Branches(np.array([0.3, 0.7]), (LEFT, RIGHT))
    points = np.random.default_rng(0).normal(size=(9, 2))
    expected = 0.3 * np.exp(LEFT.log_density(points)) + 0.7 * np.exp(RIGHT.log_density(points))
    np.testing.assert_allclose(np.exp(both.log_density(points)), expected, rtol=1e-12)
    drawn = both.draw(seed_of(3), 4000)
    assert np.mean(drawn[:, 0] < 0.0) == pytest.approx(0.3, abs=0.03)


def test_each_part_is_fitted_to_what_belongs_to_it():
    random = np.random.default_rng(1)
    truth = Branches(np.array([0.6, 0.4]), (LEFT, RIGHT))
    points = truth.draw(seed_of(5), 4000)
    begun = Branches(np.array([0.5, 0.5]), tuple(one._replace(factors=2.0 * one.factors) for one in truth.parts))
    found = begun.fitted(points, np.ones(len(points)), 2, random)
    np.testing.assert_allclose(found.shares, truth.shares, atol=0.05)
    for one, true in zip(found.parts, truth.parts, strict=True):
        assert np.max(np.abs(one.shares[0] * (one.centres[0] - true.centres[0]))) < 0.1
    assert np.mean(found.log_density(points)) > np.mean(begun.log_density(points)) + 0.2


def test_a_part_without_draws_stays_as_it_is():
    points = LEFT.draw(seed_of(5), 500)
    both = Branches(np.array([0.5, 0.5]), (LEFT, RIGHT._replace(centres=RIGHT.centres + 40.0)))
    found = both.fitted(points, np.ones(500), 2, np.random.default_rng(0))
    assert found.parts[1] is both.parts[1]
    assert found.shares[1] == pytest.approx(SEEN / (1.0 + SEEN))
    np.testing.assert_allclose(found.shares, shared([0.0, -1e3]))
