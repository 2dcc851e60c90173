"""A posterior that bends: its ridge is followed, proposals are corrected, and draws are those of a closed form."""

import jax
import jax.numpy as jnp
import numpy as np
import numpyro.distributions as dist
import pytest
from compiled import predict
from scipy.stats import multivariate_normal

import jaxmetal as jm
from jaxmetal.fit import evaluate
from jaxmetal.fit.bent import Bent
from jaxmetal.fit.peaks import find_peaks
from jaxmetal.fit.problem import make, stack
from jaxmetal.fit.proposals import efficiency, propose
from jaxmetal.fit.ridge import ridges
from jaxmetal.fit.seeds import branch, seed_of

pytestmark = pytest.mark.usefixtures("optimised")
SHAPE, SIGMA = (5, 6), 0.1
GROWS, BENDS, TURNS = 0.5, 0.25, 0.2
LEVEL, SLOPE, FREE = (f"scene.sources.disc.carries.metallicity.profile.{name}" for name in ("level", "slope", "t"))


def bent(x, y, *, level, slope, t):
    """Linear in level and slope, which follow t along curves, the level the more exactly the larger t."""
    return 8.0 + level * jnp.exp(GROWS * t) + BENDS * t**2 + (slope + TURNS * t**2) * jnp.hypot(x, y)


def observed(data):
    return jm.WeightedMap(
        data=data,
        noise=jm.likelihood.Gaussian(sigma=SIGMA),
        grid=jm.Grid.regular(SHAPE, 0.2),
        psf=jm.instrument.Gaussian(fwhm=0.3),
        properties=("metallicity",),
        mixing=jm.mixing.Linear(),
        used=np.ones(SHAPE, bool),
    )


def scene(**numbers):
    source = jm.Source(
        frame=jm.frame.Disc(),
        lights={"line": jm.light.Exponential(flux=1.0, r_eff=0.4)},
        carries={"metallicity": jm.Carried(profile=jax.tree_util.Partial(bent, **numbers), weight="line")},
    )
    return jm.Scene(sources={"disc": source})


def seen(**numbers):
    made = scene(**numbers)
    empty = observed(np.zeros(SHAPE))
    return np.asarray(predict(empty, made, jm.prepare(made, {"map": empty})["map"]).value)


PRIOR = {"level": dist.Normal(0.0, 1.0), "slope": dist.Normal(0.0, 0.5), "t": dist.Normal(0.0, 1.0)}
DATA = seen(level=0.1, slope=0.1, t=0.2) + SIGMA * np.random.default_rng(2).standard_normal(SHAPE)


def exact():
    """t, its probabilities, and the means of the level at each: Gaussian in level and slope, by quadrature over t."""
    radius = (seen(level=0.0, slope=1.0, t=0.0) - 8.0).ravel()
    t = np.linspace(-5.0, 5.0, 801)
    log_p, means = [], []
    for one in t:
        design = np.stack([np.full(radius.size, np.exp(GROWS * one)), radius], axis=1)
        left = DATA.ravel() - 8.0 - BENDS * one**2 - TURNS * one**2 * radius
        widths = np.diag([1.0, 0.5]) ** 2
        covariance = SIGMA**2 * np.eye(radius.size) + design @ widths @ design.T
        log_p.append(-0.5 * one**2 + multivariate_normal(np.zeros(radius.size), covariance).logpdf(left))
        means.append((widths @ design.T @ np.linalg.solve(covariance, left))[0])
    p = np.exp(np.array(log_p) - max(log_p))
    return t, p / p.sum(), np.array(means)


@pytest.fixture(scope="module")
def found():
    """Problem, its peak, its ridge."""
    problems, (peak,) = find_peaks(stack([make(scene(**PRIOR), {"map": observed(DATA)})]), [seed_of(0)])
    return problems, peak, ridges(problems, [0], [peak.gaussian])[0]


def test_across_the_ridge_the_posterior_is_white(found):
    problems, _, ridge = found
    random = np.random.default_rng(0)
    t = random.choice(ridge.knots, 40)
    e = random.standard_normal((40, 2))
    vectors = ridge.bent(np.column_stack([t, e]))
    on_ridge = ridge.bent(np.column_stack([t, np.zeros((40, 2))]))
    density = evaluate.values(problems, np.zeros(80), np.concatenate([vectors, on_ridge]))
    # Numbers are not quite linear in t, of which the conditional density is Gaussian.
    np.testing.assert_allclose(density[:40] - density[40:], -0.5 * np.sum(e**2, axis=1), atol=0.6)
    assert np.mean(np.abs(density[:40] - density[40:] + 0.5 * np.sum(e**2, axis=1))) < 0.1


def test_straight_coordinates_are_undone_and_their_volume_is_that_of_the_jacobian(found):
    ridge = found[2]
    straight = np.array([[0.4, 0.5, -1.0], [2.0 * ridge.knots[-1], 0.3, 0.2], [ridge.knots[0], 1.0, 0.0]])
    vectors = ridge.bent(straight)
    back, log_volume = ridge.straight(vectors)
    np.testing.assert_allclose(back, straight, atol=1e-9)
    assert np.ptp(log_volume) > 0.5
    for vector, volume in zip(vectors, log_volume, strict=True):
        ends = np.concatenate([vector + 1e-6 * np.eye(3), vector - 1e-6 * np.eye(3)])
        up, down = np.split(ridge.straight(ends)[0], 2)
        assert np.linalg.slogdet((up - down) / 2e-6)[1] == pytest.approx(volume, abs=1e-5)


def test_proposals_along_the_ridge_cover_what_those_of_the_gaussian_miss(found):
    problems, peak, ridge = found
    mixtures, seeds = [peak.student, Bent(ridge, ridge.along())], [branch(seed_of(0), n) for n in (0, 1)]
    plain, along = propose(problems, [0, 0], mixtures, seeds, [2000, 2000])
    assert plain.k_hat > 0.7
    assert efficiency(plain.weights) < 0.2
    assert along.k_hat < 0.5
    assert efficiency(along.weights) > 0.5
    evidence = np.logaddexp.reduce(along.log_ratio) - np.log(len(along.log_ratio))
    assert ridge.log_mass == pytest.approx(evidence, abs=0.1)


def test_draws_of_a_bent_posterior_are_those_of_the_closed_form():
    found = jm.fit.auto(scene(**PRIOR), {"map": observed(DATA)}, draws=2000, seed=1, progress=False)
    assert found.method == "laplace"
    assert "proposals along its ridge" in found.decisions[0]
    t, p, means = exact()
    below = np.interp(found.draws[FREE].ravel(), t, np.cumsum(p))
    np.testing.assert_allclose(np.quantile(below, [0.1, 0.25, 0.5, 0.75, 0.9]), [0.1, 0.25, 0.5, 0.75, 0.9], atol=0.03)
    spread = float(np.std(found.draws[LEVEL]))
    assert float(np.mean(found.draws[LEVEL])) == pytest.approx(float(p @ means), abs=0.05 * spread)


def test_where_a_ridge_is_lost_there_is_none(found, monkeypatch):
    problems, peak, _ = found
    monkeypatch.setattr(
        evaluate, "gradients", lambda problems, which, points, jacobian=1.0: (points[:, 0] * np.nan, points * np.nan)
    )
    assert ridges(problems, [0], [peak.gaussian]) == [None]
