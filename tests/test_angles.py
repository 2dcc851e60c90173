"""Angles whose prior is uniform all round have no edge, wherever their interval is cut."""

import dataclasses

import jax
import numpy as np
import numpyro.distributions as dist
import pytest
from compiled import predict
from scipy.stats import norm

import jaxmetal as jm
from jaxmetal.fit import angles
from jaxmetal.fit.problem import log_density, make, pick, stack
from jaxmetal.io.fit_files import save_draws
from jaxmetal.likelihood import Gaussian
from jaxmetal.meaning.circles import at_home, circles

SHAPE, PA = (9, 12), "scene.sources.disc.frame.pa"


def scene(pa):
    frame = jm.frame.Disc(x0=0.0, y0=0.0, q=0.5, pa=pa)
    lights = {"line": jm.light.Exponential(flux=1.0, r_eff=0.5)}
    return jm.Scene(sources={"disc": jm.Source(frame=frame, lights=lights, carries={})})


def image(truth, sigma=2e-3):
    empty = jm.Image(
        data=np.zeros(SHAPE),
        noise=Gaussian(sigma=sigma),
        grid=jm.Grid.regular(SHAPE, 0.2),
        psf=jm.instrument.Gaussian(fwhm=0.4),
        light="line",
        used=np.ones(SHAPE, bool),
    )
    model = scene(truth)
    exact = predict(empty, model, jm.prepare(model, {"image": empty})["image"]).value
    noise = sigma * np.random.default_rng(7).standard_normal(SHAPE)
    return {"image": dataclasses.replace(empty, data=np.asarray(exact) + noise)}


def by_grid(seen, low, high):
    """Angles of a fine grid over the prior, their posterior probabilities, and ln evidence."""
    problem = make(scene(dist.Normal(0.0, 1e3)), seen)
    nodes = np.linspace(low, high, 1800, endpoint=False)
    prior = dist.Normal(0.0, 1e3)
    logs = jax.jit(lambda z: jax.lax.map(lambda one: log_density(problem, one, 0.0), z))(nodes[:, None] / 1e3)
    logs = np.asarray(logs - prior.log_prob(nodes))
    top = logs.max()
    share = np.exp(logs - top)
    return nodes, share / share.sum(), top + np.log(share.mean())


@pytest.mark.parametrize(("low", "high"), [(-50.0, 130.0), (-90.0, 90.0), (0.0, 360.0)])
def test_a_mode_at_the_edge_of_a_full_circle_is_one_mode(low, high, tmp_path, recwarn):
    seen = image(130.0)
    nodes, share, evidence = by_grid(seen, low, high)
    centre = 0.5 * np.angle(np.sum(share * np.exp(2j * np.deg2rad(nodes))), deg=True)
    away = np.mod(nodes - centre + 90.0, 180.0) - 90.0
    sd = np.sqrt(np.sum(share * away**2) - np.sum(share * away) ** 2)
    found = jm.fit.auto(scene(dist.Uniform(low, high)), seen, seed=3, start_count=2, progress=False)
    assert low <= found.best[PA] < high
    drawn = np.mod(found.draws[PA] - centre + 90.0, 180.0) - 90.0
    assert drawn.mean() == pytest.approx(0.0, abs=0.1 * sd)
    assert drawn.std() == pytest.approx(sd, rel=0.06)
    assert np.ptp(found.draws[PA]) < 90.0
    assert (found.method, found.k_hat < 0.5) == ("laplace", True)
    assert found.log_evidence == pytest.approx(evidence, abs=0.02)
    assert not found.findings
    save_draws(found, tmp_path / "posterior.nc")
    import xarray

    with xarray.open_datatree(tmp_path / "posterior.nc", engine="h5netcdf") as stored:
        np.testing.assert_allclose(stored["log_prior"][PA], -np.log(high - low))
    assert not [one for one in recwarn if "support" in str(one.message)]


def test_an_angle_that_the_data_do_not_know_is_uniform():
    """A round disc: its evidence is the likelihood, its draws are the prior's."""
    seen = image(130.0)
    round_ = dataclasses.replace(scene(0.0).sources["disc"].frame, q=1.0, pa=dist.Uniform(-50.0, 130.0))
    prior = jm.Scene(sources={"disc": dataclasses.replace(scene(0.0).sources["disc"], frame=round_)})
    found = jm.fit.auto(prior, seen, seed=4, progress=False)
    logs = found.log_posterior + np.log(180.0)
    assert found.log_evidence == pytest.approx(logs, abs=1e-3)
    assert found.k_hat < 0.5
    np.testing.assert_allclose(np.quantile(np.mod(found.draws[PA], 180.0), [0.25, 0.5, 0.75]), [45, 90, 135], atol=8.0)
    assert not [one for one in found.findings if "bound" in one.text]


def test_part_of_a_circle_keeps_its_edges():
    seen = image(130.0)
    found = jm.fit.auto(scene(dist.Uniform(20.0, 129.0)), seen, seed=3, progress=False)
    nodes, share, _ = by_grid(seen, 20.0, 129.0)
    assert found.draws[PA].max() < 129.0
    assert found.draws[PA].mean() == pytest.approx(np.sum(share * nodes), abs=0.1)
    assert any("piles up at a bound" in one.text for one in found.findings) == (share[nodes > 126.82].sum() > 0.04)


def test_draws_are_the_samplers_where_one_turn_is_not_as_good_as_another():
    seen, prior = image(130.0, sigma=3e-2), dist.Normal(130.0, 60.0)
    found = jm.fit.auto(scene(prior), seen, seed=3, method="laplace", progress=False)
    problem, numbers = make(scene(prior), seen), (found.draws[PA] - 130.0) / 60.0
    again = jax.jit(lambda z: jax.lax.map(lambda one: log_density(problem, one), z))(numbers.reshape(-1, 1))
    np.testing.assert_allclose(np.asarray(again).reshape(numbers.shape), found.sampler["log_density"], atol=1e-9)
    # What is said of them knows that half a turn is none.
    nodes, share, _ = by_grid(seen, -230.0, 490.0)
    share = share * norm.pdf(nodes, 130.0, 60.0)
    away = np.mod(nodes - found.best[PA] + 90.0, 180.0) - 90.0
    mean = np.sum(share * away) / share.sum()
    (told,) = jm.result.view(found).parameters
    assert np.ptp(found.draws[PA]) > 180.0 > np.ptp(told.draws)
    assert told.mean - found.best[PA] == pytest.approx(mean, abs=1.5)
    assert told.sd == pytest.approx(np.sqrt(np.sum(share * (away - mean) ** 2) / share.sum()), rel=0.06)
    assert told.r_hat < 1.01


def test_an_array_of_angles_has_a_home_where_its_prior_is_uniform_all_round():
    prior = dist.Uniform(0.0, 120.0).expand([2]).to_event(1)
    assert list(circles(prior, (360.0, 120.0))) == [False, True]
    np.testing.assert_allclose(at_home(np.array([90.0, -30.0]), prior, (360.0, 120.0)), [90.0, 90.0])
    bounded = dist.TruncatedNormal(0.0, 100.0, low=0.0, high=360.0)
    assert at_home(np.array(200.0), bounded, 180.0) == 200.0


def test_problems_are_the_same_program_wherever_they_are_cut():
    problems = stack([make(scene(dist.Uniform(low, low + 180.0)), image(20.0)) for low in (-50.0, 0.0)])
    points = np.array([[2.0], [-1.0], [0.3]])
    cut = angles.recut(problems, points[:2], np.array([0, 1, 1]), points)
    before, after = (jax.tree.flatten(one) for one in (problems, cut.problems))
    assert before[1] == after[1]
    assert [(a.shape, a.dtype) for a in before[0]] == [(b.shape, b.dtype) for b in after[0]]
    np.testing.assert_allclose(cut.points[:2], 0.0, atol=1e-12)
    assert list(cut.moved) == [True, True, True]
    for one, low in enumerate((-50.0, 0.0)):
        whole = make(scene(dist.Uniform(low, low + 180.0)), image(20.0))
        there = log_density(whole, points[one]) + 0.5 * points[one, 0] ** 2
        moved = log_density(jax.tree.map(lambda leaf, i=one: leaf[i], cut.problems), cut.points[one])
        np.testing.assert_allclose(moved, there, atol=1e-6)


def test_each_angle_of_a_table_has_a_circle_of_its_own():
    waves = jm.tracer.AzimuthalHarmonics(
        m=(1, 3), amplitudes=np.ones(2), phases=dist.Uniform(0.0, 120.0).expand([2]).to_event(1), r_core=0.1
    )
    source = dataclasses.replace(scene(20.0).sources["disc"], carries={"z": jm.Carried(profile=waves, weight="line")})
    problems = stack([make(jm.Scene(sources={"disc": source}), image(20.0))])
    cut = angles.recut(problems, np.array([[1.0, 1.0]]), np.zeros(1, int), np.array([[1.0, -2.0]]))
    assert jax.tree.structure(cut.problems) == jax.tree.structure(problems)
    (prior,) = pick(cut.problems, 0).sites.values()
    # The first may take a third of its circle only; the second goes round all of it.
    middle = 120.0 * norm.cdf(1.0)
    np.testing.assert_allclose(prior.low, [0.0, middle - 60.0])
    np.testing.assert_allclose(prior.high, [120.0, middle + 60.0])
    across = 120.0 * norm.cdf(-2.0) + 120.0 - (middle - 60.0)
    np.testing.assert_allclose(cut.points, [[1.0, norm.ppf(across / 120.0)]], atol=1e-9)
