"""What is said of draws: angles, prior bounds, chains that disagree."""

import numpy as np
import numpyro.distributions as dist
import pytest

from jaxmetal.chains import Chains, converged
from jaxmetal.fit.diagnose import diagnose, prior_warnings, unwrap
from jaxmetal.result.resolution import _spread

PA, SLOPE = "scene.sources.disc.frame.pa", "scene.sources.disc.carries.metallicity.profile.slope"


def chains(shape=(4, 500), divergent=0):
    diverging = np.zeros(shape, bool)
    diverging.flat[:divergent] = True
    blank = np.zeros(shape)
    return Chains(vectors=blank[..., None], log_density=blank, diverging=diverging, leapfrogs=blank, accept=blank)


def draws(seed=0, mean=0.0, sd=1.0, shape=(4, 500)):
    return mean + sd * np.random.default_rng(seed).standard_normal(shape)


def test_angles_fold_around_their_best_value_whatever_turn_they_were_drawn_on():
    straddling = np.mod(draws(mean=179.0, sd=3.0), 180.0)
    folded = unwrap({PA: straddling}, {PA: np.array(-2.0)})[PA]
    assert np.std(folded) == pytest.approx(3.0, rel=0.1)
    assert np.mean(folded) == pytest.approx(-1.0, abs=0.3)


def test_an_angle_far_from_its_bounds_does_not_hit_them_on_another_turn():
    values = unwrap({PA: draws(mean=133.5, sd=2.0)}, {PA: np.array(133.5)})
    assert not diagnose(values, chains(), {PA: dist.Uniform(-136.5, 43.5)})


def test_a_prior_of_heavy_tails_has_a_width():
    assert _spread(dist.Cauchy(0.0, 0.3)) == pytest.approx(0.3 * np.tan(0.34 * np.pi), rel=0.05)
    assert _spread(dist.Normal(0.0, 0.3)) == pytest.approx(0.3)


def test_draws_that_pile_up_at_a_bound_are_reported():
    values = {SLOPE: np.abs(draws(sd=0.01))}
    found = diagnose(values, chains(), {SLOPE: dist.Uniform(0.0, 1.0)})
    assert any("piles up at a bound" in finding.text for finding in found)


def test_divergences_disagreement_and_nan_are_trouble():
    good = {SLOPE: draws()}
    assert converged(good, chains())
    assert not diagnose(good, chains(), {SLOPE: dist.Normal(0.0, 1.0)})
    assert not converged(good, chains(divergent=1))
    apart = {SLOPE: draws() + np.arange(4)[:, None]}
    assert not converged(apart, chains())
    assert any("R-hat" in finding.text for finding in diagnose(apart, chains(), {SLOPE: dist.Normal(0.0, 1.0)}))
    broken = {SLOPE: np.full((4, 500), np.nan)}
    assert diagnose(broken, chains(), {SLOPE: dist.Normal(0.0, 1.0)})[0].severity == "error"


def test_a_slope_that_cannot_change_sign_is_warned_of():
    assert prior_warnings({SLOPE: dist.Uniform(-0.1, 0.0)})
    assert not prior_warnings({SLOPE: dist.Normal(0.0, 0.3)})
