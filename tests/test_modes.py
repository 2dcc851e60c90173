"""Posteriors of several separated maxima, against a grid."""

import jax
import numpy as np
import numpyro.distributions as dist
import pytest
from folded import CENTRAL, S, posed

import jaxmetal as jm
from jaxmetal.fit import evaluate
from jaxmetal.fit.laplace import Laplace
from jaxmetal.fit.method import Solution
from jaxmetal.fit.optimum import Status
from jaxmetal.fit.others import left_out
from jaxmetal.fit.peaks import Peak
from jaxmetal.fit.problem import make, stack, unconstrain
from jaxmetal.numerics.convergence import effective_samples, r_hat

pytestmark = pytest.mark.usefixtures("optimised")
CASES = {
    "two alike": ((-0.8, 0.0, 1.0, 0.0), {"loc": 0.2, "scale": 1.0}, 3),
    "two, one rarer": ((-0.8, 0.0, 1.0, 0.0), {"loc": 0.6, "scale": 0.8}, 3),
    "two of other widths": ((0.1, -1.0, 0.0, 0.25), {"loc": 1.6, "scale": 0.8}, 16),
    "three": ((0.1, -1.5, 0.0, 1.0), {"loc": 0.1, "scale": 0.8}, 16),
}
"""Coefficients of the slope in s, prior of s, starts."""


def on_a_grid(posed):
    """Values of s, their posterior, and the log evidence, by sums over the plane of both numbers."""
    problem = make(*posed)
    s, central = np.linspace(-3.0, 4.0, 141), np.linspace(8.0, 8.7, 17)
    sites, plane = problem.sites, np.broadcast_arrays(central[:, None], s)
    at = jax.vmap(lambda c, s: unconstrain(sites, {CENTRAL: c, S: s}))(*(values.ravel() for values in plane))
    logs = evaluate.values(stack([problem]), np.zeros(len(at), int), np.asarray(at), 0.0).reshape(plane[0].shape)
    cell = (s[1] - s[0]) * (central[1] - central[0])
    evidence = np.logaddexp.reduce(logs, axis=None) + np.log(cell)
    return s, np.exp(logs - np.logaddexp.reduce(logs, axis=None)).sum(axis=0), evidence


def sides(s, weights):
    """Shares of the posterior between the minima of a density that is given at values of s."""
    inner = np.flatnonzero((weights[1:-1] < weights[:-2]) & (weights[1:-1] <= weights[2:])) + 1
    peaks = np.flatnonzero((weights[1:-1] > weights[:-2]) & (weights[1:-1] >= weights[2:])) + 1
    edges = s[[i for i in inner if peaks[0] < i < peaks[-1]]]
    return edges, np.array([part.sum() for part in np.split(weights, np.searchsorted(s, edges))])


@pytest.mark.parametrize("case", CASES)
def test_separated_maxima_have_their_shares(case):
    coefficients, prior, starts = CASES[case]
    question = posed(*coefficients, **prior)
    s, weights, evidence = on_a_grid(question)
    edges, shares = sides(s, weights)
    assert np.sum(shares > 0.01) == (3 if case == "three" else 2)
    found = jm.fit.auto(*question, seed=3, start_count=starts, progress=False)
    sided = np.searchsorted(edges, found.draws[S])
    assert found.method == "laplace"
    assert found.log_evidence == pytest.approx(evidence, abs=0.02)
    for k, share in enumerate(shares):
        on = (sided == k).astype(float)
        assert on.mean() == pytest.approx(share, abs=3.5 * np.sqrt(share * (1.0 - share) / effective_samples(on)))
    for values in found.draws.values():
        assert r_hat(values) < 1.01
        assert effective_samples(values) > 400.0
    assert not found.findings


@pytest.mark.parametrize(("turn", "reported"), [(180.0, False), (360.0, False), (90.0, True)])
def test_a_maximum_whole_turns_away_is_the_same(turn, reported):
    priors = {"pa": dist.Normal(0.0, 400.0), "x": dist.Normal(0.0, 1.0)}

    def peak(pa, x, others=()):
        values = {"pa": np.array(pa), "x": np.array(x)}
        mode = np.asarray(unconstrain(priors, values))
        return Peak(values, 0.0, Status.CONVERGED, Laplace(mode, np.diag([0.01, 0.1]), 0.0), others)

    solution = Solution(peak(40.0, 0.2, (peak(41.0 + turn, 0.25),)), "map", (), np.nan, 0.0, {}, None, [])
    found = left_out(solution, priors, {"pa": 180.0})
    assert bool(found) == reported
    assert left_out(solution, priors, {})
