"""What is said of draws: angles, prior bounds, chains that disagree."""

import numpy as np
import numpyro.distributions as dist
import pytest

import jaxmetal as jm
from jaxmetal.chains import Chains, converged, measure
from jaxmetal.fit.angles import periods
from jaxmetal.fit.diagnose import at_bounds, diagnose, prior_warnings
from jaxmetal.fit.problem import make, stack
from jaxmetal.meaning.circles import unwrap
from jaxmetal.prior import spreads

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
    folded = unwrap({PA: straddling}, {PA: np.array(-2.0)}, {PA: 180.0})[PA]
    assert np.std(folded) == pytest.approx(3.0, rel=0.1)
    assert np.mean(folded) == pytest.approx(-1.0, abs=0.3)


def test_an_angle_far_from_its_bounds_does_not_hit_them_on_another_turn():
    values = unwrap({PA: draws(mean=133.5, sd=2.0)}, {PA: np.array(133.5)}, {PA: 180.0})
    assert not diagnose(values, measure(values), chains(), {PA: dist.Uniform(-136.5, 43.5)}, {PA: 180.0})


def test_a_prior_of_heavy_tails_has_a_width():
    found = spreads({"cauchy": dist.Cauchy(0.0, 0.3), "normal": dist.Normal(0.0, 0.3)})
    assert found["cauchy"] == pytest.approx(0.3 * np.tan(0.34 * np.pi), rel=0.05)
    assert found["normal"] == pytest.approx(0.3)


def test_draws_that_pile_up_at_a_bound_are_reported():
    values = {SLOPE: np.abs(draws(sd=0.01))}
    found = diagnose(values, measure(values), chains(), {SLOPE: dist.Uniform(0.0, 1.0)}, {})
    assert any("piles up at a bound" in finding.text for finding in found)


def test_divergences_disagreement_and_nan_are_trouble():
    good = {SLOPE: draws()}
    assert converged(measure(good), chains())
    assert not diagnose(good, measure(good), chains(), {SLOPE: dist.Normal(0.0, 1.0)}, {})
    assert not converged(measure(good), chains(divergent=1))
    apart = {SLOPE: draws() + np.arange(4)[:, None]}
    assert not converged(measure(apart), chains())
    assert any(
        "R-hat" in finding.text
        for finding in diagnose(apart, measure(apart), chains(), {SLOPE: dist.Normal(0.0, 1.0)}, {})
    )
    broken = {SLOPE: np.full((4, 500), np.nan)}
    assert diagnose(broken, measure(broken), chains(), {SLOPE: dist.Normal(0.0, 1.0)}, {})[0].severity == "error"


@pytest.mark.parametrize("field", ["inner", "outer"])
def test_a_slope_that_cannot_change_sign_is_warned_of(field):
    def warned(prior):
        broken = jm.tracer.BrokenGradient(**{"central": 8.0, "inner": 0.0, "outer": 0.0, "r_break": 1.0, field: prior})
        profile = jm.tracer.Sum(parts={"broken": broken})
        source = jm.Source(frame=jm.frame.Disc(), lights={}, carries={"z": jm.Carried(profile=profile, weight="light")})
        return prior_warnings({"scene": jm.Scene(sources={"disc": source})})

    assert len(warned(dist.Uniform(-0.1, 0.0))) == len(warned(jm.Tied("steep", dist.Uniform(-0.1, 0.0)))) == 1
    assert not warned(dist.Normal(0.0, 0.3))


def test_each_wave_is_unwrapped_with_its_own_period():
    straddling = np.stack([np.mod(draws(mean=359.0, sd=3.0), 360.0), np.mod(draws(mean=1.0, sd=3.0), 120.0)], axis=-1)
    folded = unwrap({"phases": straddling}, {"phases": np.array([0.0, 119.0])}, {"phases": (360.0, 120.0)})["phases"]
    np.testing.assert_allclose(np.std(folded, axis=(0, 1)), 3.0, rtol=0.1)
    np.testing.assert_allclose(np.mean(folded, axis=(0, 1)), [-1.0, 121.0], atol=0.3)


def test_the_angles_of_a_fit_keep_their_periods_when_problems_are_stacked():
    arms = jm.tracer.SpiralArms(m=3, pitch=20.0, phase=dist.Normal(0.0, 90.0), amplitude=0.1, width=10.0, r_core=0.1)
    light = jm.light.Exponential(flux=1.0, r_eff=1.0)
    frame = jm.frame.Disc(pa=dist.Normal(0.0, 90.0), x0=dist.Normal(0.0, 0.1))
    carried = jm.Carried(profile=arms, weight="light")
    scene = jm.Scene(sources={"disc": jm.Source(frame=frame, lights={"light": light}, carries={"z": carried})})
    observed = jm.WeightedMap(
        data=np.full((5, 7), 8.0),
        noise=jm.likelihood.Gaussian(sigma=0.1),
        grid=jm.Grid.regular((5, 7), 0.3),
        psf=jm.instrument.Gaussian(fwhm=0.5),
        properties=("z",),
        mixing=jm.mixing.Dex(),
        used=np.ones((5, 7), bool),
    )
    problem = make(scene, {"map": observed})
    phase = "scene.sources.disc.carries.z.profile.phase"
    assert periods(stack([problem] * 2).skeleton) == {phase: 120.0, PA: 360.0}


@pytest.mark.parametrize(
    ("prior", "said"),
    [
        (dist.Uniform(-2.0, 2.0), " % of the prior of 'scene.lens.main.theta_e' lie outside [0, inf)"),
        (dist.Normal(1.0, 0.1), None),
        (dist.Uniform(0.5, 2.0), None),
    ],
)
def test_a_prior_beyond_what_its_parameter_can_be_is_said(prior, said):
    found = prior_warnings({"scene": jm.Scene(sources={}, lens={"main": jm.lens.SIE(theta_e=prior)})})
    assert [said in one.text for one in found] == ([] if said is None else [True])


def test_the_worst_of_many_chains_that_disagree_is_named_once():
    apart = {f"p{k}": draws(k) + shift * np.arange(4)[:, None] for k, shift in enumerate((0.0, 0.5, 2.0))}
    found = [one.text for one in diagnose(apart, measure(apart), chains(), dict.fromkeys(apart, dist.Normal()), {})]
    assert len(found) == 2
    assert found[0].startswith("R-hat of 'p2', the worst of 2 parameters, is ")
    assert found[1].startswith("'p2', the worst of 2 parameters, has only ")


@pytest.mark.parametrize(("best", "said"), [(0.99, True), (0.5, False)])
def test_a_best_value_at_a_bound_is_said(best, said):
    found = at_bounds({"q": np.array([[best]])}, {"q": dist.Uniform(0.2, 1.0)}, {})
    assert [one.text for one in found] == said * [
        "'q' is best in the outer 2 % of its prior; widen the prior or say why not."
    ]
