"""Proposals of several turns together: a density that sums to one, and weights that cover what one of them saw."""

import numpy as np
import pytest
from scipy.stats import multivariate_normal, multivariate_t

from jaxmetal.fit.pool import Pool
from jaxmetal.fit.proposals import Proposals, efficiency, log_ratios, pareto_shape, together
from jaxmetal.fit.seeds import seed_of
from jaxmetal.fit.student import FREEDOM, StudentMixture

NARROW = StudentMixture.single(np.zeros(2), 0.4 * np.eye(2))
BESIDE = StudentMixture.single(np.array([2.5, 0.0]), np.array([[0.7, 0.0], [0.3, 0.9]]))
TARGET = multivariate_normal([1.0, 0.0], [[2.0, 0.0], [0.0, 0.6]])


def made(mixture, count, seed):
    """Draws from a mixture, weighed by the target."""
    vectors = mixture.draw(seed_of(seed), count)
    density = TARGET.logpdf(vectors)
    ratio = log_ratios(density, mixture.log_density(vectors))
    return Proposals(mixture, vectors, density, ratio, pareto_shape(ratio))


@pytest.fixture(scope="module")
def turns():
    return [made(NARROW, 2000, 1), made(BESIDE, 4000, 2)]


def test_its_density_is_the_weighted_sum_of_its_parts():
    points = np.random.default_rng(0).normal(size=(7, 2))
    shape = np.array(BESIDE.factors[0]) @ BESIDE.factors[0].T
    expected = (
        multivariate_t([0.0, 0.0], 0.16 * np.eye(2), df=FREEDOM).pdf(points) * 1.0
        + multivariate_t([2.5, 0.0], shape, df=FREEDOM).pdf(points) * 3.0
    ) / 4.0
    np.testing.assert_allclose(np.exp(Pool((NARROW, BESIDE), (100, 300)).log_density(points)), expected, rtol=1e-12)


def test_its_draws_come_from_its_parts_as_often_as_it_says():
    drawn = Pool((NARROW, StudentMixture.single(np.array([50.0, 0.0]), np.eye(2))), (1, 3)).draw(seed_of(3), 4000)
    share = np.mean(drawn[:, 0] > 25.0)
    assert abs(share - 0.75) < 4.0 * np.sqrt(0.75 * 0.25 / 4000)


def test_together_they_cover_what_each_of_them_misses(turns):
    whole = together(turns, seed_of(4))
    assert whole.k_hat < min(0.5, *(one.k_hat for one in turns))
    assert efficiency(whole.weights) > 2.0 * max(efficiency(one.weights) for one in turns)
    # The weights average to the integral of the target, which is one, and weigh its draws.
    assert np.mean(np.exp(whole.log_ratio)) == pytest.approx(1.0, abs=0.03)
    shares = whole.weights / whole.weights.sum()
    assert shares @ whole.vectors == pytest.approx([1.0, 0.0], abs=0.06)
    assert np.cov(whole.vectors, rowvar=False, aweights=shares) == pytest.approx(TARGET.cov, abs=0.08)


def test_they_stand_in_no_order(turns):
    whole = together(turns, seed_of(4))
    first = whole.vectors[:2000]
    known = {tuple(vector) for vector in turns[0].vectors}
    assert np.mean([tuple(vector) in known for vector in first]) == pytest.approx(1.0 / 3.0, abs=0.05)
