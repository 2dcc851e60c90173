"""Fits whose answer is known: samplers, optimiser and importance weights against closed forms."""

import dataclasses

import jax
import numpy as np
import numpyro.distributions as dist
import pytest
from scipy.stats import multivariate_normal, multivariate_t

import jaxmetal as jm
from jaxmetal.fit import evaluate, metropolis, optimum, rows, start
from jaxmetal.fit.laplace import laplace
from jaxmetal.fit.problem import log_density, make, stack
from jaxmetal.fit.proposals import Proposals, efficiency, pareto_shape
from jaxmetal.fit.refine import followed
from jaxmetal.fit.seeds import seed_of
from jaxmetal.fit.student import FREEDOM, StudentMixture, fitted
from jaxmetal.likelihood import Gaussian
from jaxmetal.model import log_likelihood, tree
from jaxmetal.prior import fill

SHAPE, SIGMA = (7, 9), 0.1
VALUE = "scene.sources.disc.carries.metallicity.profile.value"


def scene(value, **light):
    """A disc of one metallicity."""
    return jm.Scene(
        sources={
            "disc": jm.Source(
                frame=jm.frame.Disc(x0=0.0, y0=0.0),
                lights={"line": jm.light.Exponential(**{"flux": 1.0, "r_eff": 0.4, **light})},
                carries={"metallicity": jm.Carried(profile=jm.tracer.Constant(value=value), weight="line")},
            )
        }
    )


def observations():
    """An image and a map of it, with the same pixels and blur."""
    random = np.random.default_rng(5)
    shared = {
        "grid": jm.Grid.regular(SHAPE, 0.1),
        "psf": jm.instrument.Gaussian(fwhm=0.3),
        "used": np.ones(SHAPE, bool),
    }
    return {
        "image": jm.Image(
            data=0.02 + 1e-3 * random.standard_normal(SHAPE), noise=Gaussian(sigma=1e-3), light="line", **shared
        ),
        "map": jm.WeightedMap(
            data=8.4 + SIGMA * random.standard_normal(SHAPE),
            noise=Gaussian(sigma=SIGMA),
            properties=("metallicity",),
            mixing=jm.mixing.Linear(),
            **shared,
        ),
    }


PRIOR = dist.Normal(8.0, 0.05)


def conjugate(data):
    """Mean, standard deviation and log evidence of one constant with a Gaussian prior, in closed form."""
    precision = data.size / SIGMA**2 + 1 / PRIOR.scale**2
    mean = (data.sum() / SIGMA**2 + PRIOR.loc / PRIOR.scale**2) / precision
    covariance = SIGMA**2 * np.eye(data.size) + float(PRIOR.scale) ** 2
    evidence = dist.MultivariateNormal(np.full(data.size, 8.0), covariance).log_prob(data.ravel())
    return float(mean), float(precision**-0.5), float(evidence)


@pytest.mark.parametrize("method", jm.fit.METHODS)
def test_every_method_finds_the_conjugate_posterior(method):
    seen = {"map": observations()["map"]}
    mean, sd, evidence = conjugate(seen["map"].data)
    found = jm.fit.auto(scene(PRIOR), seen, method=method, seed=2, draws=300, progress=False)
    assert float(found.best[VALUE]) == pytest.approx(mean, abs=1e-3 * sd)
    assert found.log_evidence == pytest.approx(evidence, abs=1e-4)
    draws = found.draws[VALUE]
    assert found.sampled == jm.fit.METHODS[method].draws
    if found.sampled:
        assert draws.shape == (4, 300)
        assert draws.mean() == pytest.approx(mean, abs=0.15 * sd)
        assert draws.std() == pytest.approx(sd, rel=0.1)
        assert found.k_hat < 0.5
    assert found.method == ("laplace" if method == "auto" else method)


def test_an_own_method_needs_a_line_of_the_table_alone(monkeypatch):
    def two(stage, found):
        return {
            i: one._replace(draws={name: np.stack([[value, value + 1]]) for name, value in one.peak.best.items()})
            for i, one in found.items()
        }

    monkeypatch.setitem(jm.fit.METHODS, "two", jm.fit.Method(two, "tests"))
    found = jm.fit.auto(scene(PRIOR), {"map": observations()["map"]}, method="two", start_count=1, progress=False)
    np.testing.assert_allclose(np.diff(found.draws[VALUE][0]), 1.0)
    assert found.method == "two"
    assert found.sampled


def test_the_best_value_alone_has_no_verdict():
    """One number has no width, by which the prior could have been narrowed."""
    gradient = jm.Carried(profile=jm.tracer.Gradient(central=PRIOR, slope=dist.Normal(-0.1, 0.3)), weight="line")
    source = dataclasses.replace(scene(8.0).sources["disc"], carries={"metallicity": gradient})
    prior = jm.Scene(sources={"disc": source})
    found = jm.fit.auto(prior, {"map": observations()["map"]}, method="map", start_count=1, progress=False)
    (site,) = [name for name in found.best if name.endswith("slope")]
    verdict = jm.result.resolution(found, site, "disc", "metallicity")
    assert np.isnan(verdict.narrowed)
    assert not verdict.resolved
    text = jm.result.summary(found)
    assert "no draws were made" in text
    assert "narrowed its prior" not in text
    assert "(+" not in text.replace("(+ -)", "")


@pytest.fixture(scope="module")
def skewed():
    """A problem of three parameters, far from Gaussian."""
    return make(
        scene(dist.Normal(8.4, 0.3), flux=dist.Gamma(1.2, 2.0), r_eff=dist.LogNormal(-3.0, 1.0)), observations()
    )


def test_the_end_of_a_climb_is_a_maximum(skewed):
    problems = stack([skewed])
    which, points, _ = start.starts(problems, [seed_of(1)], 3)
    ends = optimum.highest(which, optimum.maximise(problems, which, points, 0.0))
    assert all(end.status == optimum.Status.CONVERGED for end in ends[:1])
    slope = jax.jit(jax.grad(log_density, argnums=1))(skewed, ends[0].vector, 0.0)
    assert np.linalg.norm(ends[0].scaling.T @ slope) < 1e-2
    around = ends[0].vector + 1e-3 * np.random.default_rng(0).standard_normal((50, 3))
    assert evaluate.values(problems, [0] * len(around), around, 0.0).max() <= ends[0].log_density + 1e-9


def test_climbs_in_laps_end_where_climbs_step_by_step_do(skewed, monkeypatch):
    """Accelerators go several evaluations without a word to the host."""
    problems = stack([skewed, skewed])
    which, points, _ = start.starts(problems, [seed_of(1), seed_of(2)], 3)
    stepped = optimum.maximise(problems, which, points, 1.0)
    monkeypatch.setattr(optimum, "in_lock_step", lambda: True)
    for lapped, alone in zip(optimum.maximise(problems, which, points, 1.0), stepped, strict=True):
        assert lapped.status == alone.status
        np.testing.assert_allclose(lapped.vector, alone.vector, atol=1e-7)


def test_curvature_by_differences_is_that_of_automatic_differentiation(skewed):
    problems = stack([skewed])
    which, points, _ = start.starts(problems, [seed_of(1)], 3)
    peaks = optimum.highest(which, optimum.maximise(problems, which, points, 1.0))
    factor = laplace(problems, [0], peaks)[0].factor
    hessian = -jax.jit(jax.hessian(log_density, argnums=1))(skewed, peaks[0].vector, 1.0)
    np.testing.assert_allclose(factor.T @ hessian @ factor, np.eye(3), atol=1e-4)


def test_light_shared_by_an_image_and_a_map_changes_nothing():
    prior, seen = scene(8.4, flux=dist.LogNormal(0.0, 0.5)), observations()
    plans, likelihood = jm.prepare(prior, seen), jax.jit(log_likelihood)
    assert (plans["image"].shares, plans["map"].shares) == ("map", None)
    filled = fill(tree(prior, seen), {"scene.sources.disc.lights.line.flux": 1.3})
    apart = {name: dataclasses.replace(plan, shares=None) for name, plan in plans.items()}
    np.testing.assert_allclose(likelihood(filled, plans), likelihood(filled, apart), rtol=1e-13)
    alone = likelihood(filled, {"map": plans["map"]}) + likelihood(filled, {"image": plans["image"]})
    np.testing.assert_allclose(alone, likelihood(filled, plans), rtol=1e-13)
    elsewhere = {**seen, "image": dataclasses.replace(seen["image"], psf=jm.instrument.Gaussian(fwhm=0.31))}
    assert jm.prepare(prior, elsewhere)["image"].shares is None
    unsure = {**seen, "image": dataclasses.replace(seen["image"], dx=dist.Normal(0.0, 0.1))}
    assert jm.prepare(prior, unsure)["image"].shares is None


def test_light_that_an_image_and_a_map_share_is_sampled_once(monkeypatch):
    prior, seen = scene(8.4, flux=dist.LogNormal(0.0, 0.5)), observations()
    plans, filled = jm.prepare(prior, seen), fill(tree(prior, seen), {"scene.sources.disc.lights.line.flux": 1.3})
    sampled, brightness = [], jm.light.Exponential.__call__
    monkeypatch.setattr(
        jm.light.Exponential, "__call__", lambda light, *at: sampled.append(at) or brightness(light, *at)
    )
    jax.make_jaxpr(lambda some: log_likelihood(some, plans))(filled)
    assert len(sampled) == 2, "on the grid and in the polar core"


@pytest.mark.parametrize(("shape", "low", "high"), [(0.2, 0.0, 0.4), (0.9, 0.65, 1.2)])
def test_k_hat_is_thepareto_shape_of_the_weights(shape, low, high):
    weights = np.random.default_rng(3).pareto(1 / shape, 4000) + 1
    assert low < pareto_shape(np.log(weights)) < high
    assert pareto_shape(np.where(np.arange(4000) == 7, 0.0, -50.0)) == np.inf
    assert pareto_shape(np.full(400, -np.inf)) == np.inf
    assert pareto_shape(np.zeros(24)) == np.inf > pareto_shape(np.log(weights[:100]))


def test_where_the_library_finds_no_shape_the_weights_cannot_be_judged(monkeypatch):
    from arviz_stats.base import array_stats

    monkeypatch.setattr(array_stats, "psislw", lambda log_ratio: (log_ratio, np.nan))
    assert pareto_shape(np.zeros(100)) == np.inf

    def alike(log_ratio):
        raise ValueError("All tail values are the same.")

    monkeypatch.setattr(array_stats, "psislw", alike)
    assert pareto_shape(np.zeros(100)) == np.inf


def test_metropolis_corrects_a_proposal_of_the_wrong_place_and_width():
    random = np.random.default_rng(8)
    drawn = 0.5 + 1.5 * random.standard_normal((8000, 1))
    target = -0.5 * drawn[:, 0] ** 2
    ratio = target + 0.5 * ((drawn[:, 0] - 0.5) / 1.5) ** 2
    proposals = Proposals(None, drawn, target, ratio, 0.0)
    chains = metropolis.walk(proposals, seed_of(0), 4, 1000)
    assert chains.vectors.shape == (4, 1000, 1)
    assert chains.vectors.mean() == pytest.approx(0.0, abs=0.06)
    assert chains.vectors.std() == pytest.approx(1.0, abs=0.05)
    assert 0.4 < chains.accept.mean() < 0.9


def test_a_mixture_follows_a_posterior_that_is_no_gaussian():
    """A ridge that bends, z_2 ~ N(z_1^2 / 2, 0.5^2) with z_1 ~ N(0, 1), from proposals that know its middle alone."""

    def log_target(z):
        return -0.5 * z[:, 0] ** 2 - 0.5 * ((z[:, 1] - 0.5 * z[:, 0] ** 2) / 0.5) ** 2

    def weighed(mixture, seed):
        vectors = mixture.draw(seed_of(seed), 4000)
        ratio = log_target(vectors) - mixture.log_density(vectors)
        return Proposals(mixture, vectors, log_target(vectors), ratio, pareto_shape(ratio))

    pool = [weighed(StudentMixture.single(np.zeros(2), np.diag([1.0, 0.5])), 0)]
    for turn, parts in enumerate((2, 4, 6)):
        pool.append(weighed(followed(pool, parts, seed_of(turn)), turn + 1))
    assert efficiency(pool[0].weights) < 0.3
    assert efficiency(pool[-1].weights) > 0.8
    chains = metropolis.walk(pool[-1], seed_of(0), 4, 1000)
    np.testing.assert_allclose(np.quantile(chains.vectors[..., 0], [0.16, 0.5, 0.84]), [-1.0, 0.0, 1.0], atol=0.12)
    assert np.mean(chains.vectors[..., 1]) == pytest.approx(0.5, abs=0.06)


def test_where_nothing_of_a_posterior_was_expected_weights_stay_bounded():
    """A hundredth of a posterior is three times as wide as the rest, in six dimensions: volume is in the tails."""
    random = np.random.default_rng(3)

    def drawn(count):
        return random.standard_normal((count, 6)) * np.where(random.random(count) < 0.01, 3.0, 1.0)[:, None]

    mixture, points = fitted(drawn(4000), np.ones(4000), 2, np.random.default_rng(0)), drawn(40_000)
    exact = 0.99 * multivariate_normal(np.zeros(6)).pdf(points)
    exact += 0.01 * multivariate_normal(np.zeros(6), 9.0 * np.eye(6)).pdf(points)
    assert np.max(exact / np.exp(mixture.log_density(points))) < 3.0  # 6.7 without a wide component and heavy tails


@pytest.mark.parametrize("freedom", [FREEDOM, 4.0])
def test_the_density_of_a_mixture_is_that_of_its_draws(freedom):
    factors = np.array([[[1.0, 0.0], [0.5, 0.4]], [[0.3, 0.0], [0.0, 2.0]]])
    mixture = StudentMixture(np.array([0.3, 0.7]), np.array([[0.0, 1.0], [3.0, -1.0]]), factors, freedom)
    points = mixture.draw(seed_of(2), 4000)
    exact = sum(
        share * multivariate_t(centre, factor @ factor.T, df=freedom).pdf(points)
        for share, centre, factor in zip(*mixture[:3], strict=True)
    )
    constant = mixture.log_density(points) - np.log(exact)
    np.testing.assert_allclose(constant, constant[0], atol=1e-10)
    np.testing.assert_allclose(points.mean(axis=0), mixture.shares @ mixture.centres, atol=0.25)


def test_draws_from_a_prior_are_what_its_scenes_look_like():
    prior, seen = scene(dist.Normal(8.4, 0.3), flux=dist.LogNormal(0.0, 0.5)), observations()
    drawn = jm.simulate.from_prior(prior, seen, jax.random.key(4), 200)
    assert drawn["map"].shape == drawn["image"].shape == (200, *SHAPE)
    levels = drawn["map"][:, 3, 4]
    np.testing.assert_allclose(drawn["map"], np.broadcast_to(levels[:, None, None], drawn["map"].shape), atol=1e-9)
    assert np.mean(levels) == pytest.approx(8.4, abs=0.1)
    assert np.std(levels) == pytest.approx(0.3, abs=0.06)
    assert np.std(np.log(drawn["image"][:, 3, 4])) == pytest.approx(0.5, abs=0.1)


def test_a_fit_without_data_is_refused():
    seen = observations()["map"]
    with pytest.raises(jm.InputError, match="found no observation"):
        jm.fit.auto(scene(PRIOR), {})
    with pytest.raises(jm.InputError, match="found 'map' masked everywhere"):
        jm.fit.auto(scene(PRIOR), {"map": dataclasses.replace(seen, used=np.zeros(SHAPE, bool))})
    with pytest.raises(jm.InputError, match=r"used of 'map': expected the shape \(7, 9\)"):
        jm.fit.auto(scene(PRIOR), {"map": dataclasses.replace(seen, used=np.ones((9, 7), bool))})


@pytest.mark.parametrize("part", ["data", "noise"])
def test_what_is_not_finite_is_told_by_observation_and_number(part):
    seen = observations()["map"]
    holed = np.where(np.arange(63).reshape(SHAPE) < 2, np.nan, 0.1)
    spoilt = dataclasses.replace(seen, **{part: 8.0 + holed if part == "data" else Gaussian(sigma=holed)})
    with pytest.raises(jm.InputError, match=f"{part} of 'map': .* found 2 of 63 that are not; set `used` to False"):
        jm.fit.auto(scene(PRIOR), {"map": spoilt})
    kept = dataclasses.replace(spoilt, used=np.isfinite(holed))
    assert make(scene(PRIOR), {"map": kept}).sites


def test_long_rows_show_their_progress(monkeypatch, capsys):
    monkeypatch.setattr(rows, "PATIENCE", 0.0)
    rows.each(doubled, None, np.ones(()), np.arange(3.0), 1, "weighing 3 proposals")
    assert "weighing 3 proposals" in capsys.readouterr().err
    rows.each(doubled, None, np.ones(()), np.arange(3.0), 1)
    assert capsys.readouterr().err == ""


def doubled(_, shared, row):
    return shared * 2.0 * row
