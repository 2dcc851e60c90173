"""A finished fit is looked at once: what is counted here are predictions, fillings and R-hats of a whole folder."""

import dataclasses
import sys

import jax
import jax.numpy as jnp
import numpy as np
import numpyro.distributions as dist
import pytest
from arviz_stats.base import array_stats
from compiled import predict

import jaxmetal as jm
from jaxmetal import prior as prior_module
from jaxmetal.cli.results import write_results
from jaxmetal.io.wcs import NOWHERE
from jaxmetal.model import log_likelihood
from jaxmetal.numerics.tree import node
from jaxmetal.run.rows import row

SHAPE = (7, 9)
CARRIED = "scene.sources.disc.carries.metallicity.profile"
BEST = {
    f"{CARRIED}.central": 8.7,
    f"{CARRIED}.slope": -0.1,
    "image.sky.level": 0.01,
    "map.mixing.mark": 0.5,
    "map.noise.jitter": 0.02,
}
TRACED: list[str] = []
"""Observations, each time that a prediction of theirs is traced."""
PREDICTED: list[tuple[str, float]] = []
"""(observation, value of its own free number), each time that it is predicted, in compiled programs as well."""


def note(observation, number):
    TRACED.append(observation)
    jax.debug.callback(lambda value: PREDICTED.append((observation, float(value))), number)


@node
class NotedSky:
    level: object = 0.0

    def __call__(self, x, y):
        note("image", self.level)
        return self.level + 0.0 * x


@node
class NotedMixing:
    mark: object = 0.0
    properties = 1
    unit = ""

    def reference(self, low, high):
        return high[0]

    def moments(self, values, reference):
        return (values[0] - reference,)

    def combine(self, means, reference):
        note("map", self.mark)
        return reference + means[0]


def fitted(seed=0, shape=SHAPE):
    """What a fit of an image and a map of the same light would return."""
    rng, draws = np.random.default_rng(seed), 8
    scene = jm.Scene(
        sources={
            "disc": jm.Source(
                frame=jm.frame.Disc(q=0.7, pa=30.0),
                lights={"halpha": jm.light.Exponential(flux=1.0, r_eff=0.5)},
                carries={
                    "metallicity": jm.Carried(
                        profile=jm.tracer.Gradient(central=dist.Normal(8.5, 1.0), slope=dist.Normal(0.0, 0.3)),
                        weight="halpha",
                    )
                },
            )
        }
    )
    used = np.ones(shape, bool)
    used[0] = False
    known = {"grid": jm.Grid.regular(shape, 0.2), "psf": jm.instrument.Gaussian(fwhm=0.5), "used": used}
    sigma = np.full(shape, 0.1)
    observations = {
        "image": jm.Image(
            **known,
            data=0.02 + 0.01 * rng.standard_normal(shape),
            noise=jm.likelihood.Gaussian(sigma=0.1 * sigma),
            light="halpha",
            sky=NotedSky(level=dist.Normal(0.0, 1.0)),
        ),
        "map": jm.WeightedMap(
            **known,
            data=np.where(used, 8.6 + 0.1 * rng.standard_normal(shape), np.nan),
            noise=jm.likelihood.Gaussian(sigma=sigma, jitter=dist.HalfNormal(0.1)),
            properties=("metallicity",),
            mixing=NotedMixing(mark=dist.Normal(0.0, 1.0)),
        ),
    }
    statistics = np.zeros((2, draws))
    return jm.posterior.Posterior(
        tree={"scene": scene, **observations},
        plans=jm.prepare(scene, observations),
        draws={name: best + 0.01 * rng.random((2, draws)) for name, best in BEST.items()},
        best={name: np.asarray(best) for name, best in BEST.items()},
        log_posterior=0.0,
        log_evidence=0.0,
        k_hat=0.1,
        sampler={"diverging": statistics > 0, "leapfrogs": statistics, "accept": statistics, "log_density": statistics},
        method="hmc",
        decisions=(),
        findings=(),
        seconds={},
        seed=seed,
    )


@pytest.fixture(scope="module")
def posterior():
    return fitted()


def counted(monkeypatch, function, noted):
    """Puts what notes its last argument's values in the place of a function, wherever the package names it."""

    def watched(*arguments):
        noted.append([None if isinstance(leaf, jax.core.Tracer) else leaf for leaf in arguments[-1].values()])
        return function(*arguments)

    for name, module in list(sys.modules.items()):
        if name.startswith("jaxmetal") and getattr(module, function.__name__, None) is function:
            monkeypatch.setattr(module, function.__name__, watched)


def test_a_folder_with_pictures_needs_each_of_them_once(posterior, tmp_path, monkeypatch):
    fillings, r_hats, sizes = [], [], []
    counted(monkeypatch, prior_module.fill, fillings)
    for statistic, calls in (("rhat", r_hats), ("ess", sizes)):
        original = getattr(array_stats, statistic)
        watch = lambda values, original=original, calls=calls: calls.append(0) or original(values)  # noqa: E731
        monkeypatch.setattr(array_stats, statistic, watch)
    seen = jm.result.view(posterior)
    PREDICTED.clear()
    write_results(seen, tmp_path / "fit", False, origin=NOWHERE, kpc_per_arcsec=7.0)
    row("g", seen, 7.0)
    jax.effects_barrier()
    assert {path.suffix for path in (tmp_path / "fit").iterdir()} >= {".png", ".fits", ".nc", ".txt"}
    assert PREDICTED.count(("image", BEST["image.sky.level"])) == 1
    assert PREDICTED.count(("map", BEST["map.mixing.mark"])) == 1
    assert [name for name, _ in PREDICTED].count("map") > 8, "no predictive map was seen, so nothing is counted"
    best = list(BEST.values())
    assert sum(len(one) == len(best) and all(map(np.array_equal, one, best)) for one in fillings) == 1
    assert len(r_hats) == len(sizes) == len(BEST)


def test_all_observations_are_one_program_for_every_galaxy_of_a_shape():
    TRACED.clear()
    first = jm.result.view(fitted(shape=(5, 8))).predictions
    assert sorted(TRACED) == ["image", "map"]
    other = jm.result.view(fitted(seed=1, shape=(5, 8))).predictions
    assert len(TRACED) == 2
    assert first.keys() == other.keys() == {"image", "map"}


def test_predictions_are_those_of_each_observation_alone(posterior):
    filled = posterior.filled()
    for name, seen in jm.result.view(posterior).predictions.items():
        alone = predict(filled[name], filled["scene"], posterior.plans[name])
        np.testing.assert_allclose(seen.value, alone.value, rtol=1e-12)
        np.testing.assert_allclose(seen.light, alone.light, rtol=1e-12)


def test_residuals_and_chi2(posterior):
    seen = jm.result.view(posterior)
    observation = posterior.tree["map"]
    sigma = np.hypot(0.1, BEST["map.noise.jitter"])
    expected = (observation.data - seen.predictions["map"].value) / sigma
    np.testing.assert_allclose(seen.residuals["map"], expected, rtol=1e-12)
    assert np.isnan(seen.residuals["image"][0]).all()
    assert np.isfinite(seen.residuals["image"][1:]).all()
    assert seen.chi2["map"] == pytest.approx(np.sum(expected[1:] ** 2), rel=1e-12)
    assert seen.counts == {"image": 54, "map": 54}
    np.testing.assert_allclose(seen.sigmas["map"], sigma, rtol=1e-12)


def test_likelihood_of_what_was_predicted(posterior):
    seen = jm.result.view(posterior)
    total = float(log_likelihood(posterior.filled(), posterior.plans))
    assert sum(np.sum(terms) for terms in seen.log_likelihoods.values()) == pytest.approx(total, rel=1e-12)
    assert jm.result.criteria(seen).log_likelihood == pytest.approx(total, rel=1e-12)
    assert jm.result.criteria(seen).n_parameters == len(BEST)


def test_a_posterior_and_a_view_of_it_say_the_same(posterior):
    seen = jm.result.view(posterior)
    assert jm.result.view(seen) is seen
    assert jm.result.summary(posterior, 7.0) == jm.result.summary(seen, 7.0)
    assert row("g", posterior, 7.0) == row("g", seen, 7.0)
    slope = (f"{CARRIED}.slope", "disc", "metallicity")
    assert jm.result.gradients(posterior) == jm.result.gradients(seen) == [slope]
    assert jm.result.resolution(posterior, *slope) == jm.result.resolution(seen, *slope)
    np.testing.assert_array_equal(jm.result.residual(posterior, "map"), jm.result.residual(seen, "map"))
    maps = [jm.result.predictive(fit, "map").mean for fit in (posterior, seen)]
    np.testing.assert_array_equal(*maps)


def test_what_is_kept_is_told_apart_by_its_arguments(posterior):
    seen = jm.result.view(posterior)
    assert seen.once(lambda view, number: number, 1) == 1
    few, many = (jm.result.predictive(seen, "map", count) for count in (1, 16))
    assert jm.result.predictive(seen, "map", 1) is few
    assert jm.result.predictive(seen, "image", 1).mean.max() < 1.0 < few.mean.max()
    assert many is not few


def test_elements_of_an_array_are_parameters_of_their_own(posterior):
    draws = jnp.arange(2 * 8 * 3.0).reshape(2, 8, 3)
    array = dataclasses.replace(posterior, draws={"a": np.asarray(draws)}, best={"a": np.array([1.0, 2.0, 3.0])})
    found = jm.result.view(array).parameters
    assert [one.label for one in found] == ["a[0]", "a[1]", "a[2]"]
    assert [one.best for one in found] == [1.0, 2.0, 3.0]
    assert found[1].quantiles["median"] == found[1].mean == 23.5
    assert np.isnan(jm.result.view(dataclasses.replace(array, draws={"a": draws[:, :3]})).parameters[0].r_hat)


ASKED = {
    "an observation": (lambda fit: jm.result.residual(fit, "mpa"), "observation: .*, found 'mpa'; did you mean 'map'"),
    "a source": (lambda fit: jm.result.intrinsic_map(fit, "map", "dsc", "metallicity"), "source: .* found 'dsc'"),
    "a property": (lambda fit: jm.result.intrinsic_map(fit, "map", "disc", "metal"), "prop: .* found 'metal'"),
    "a parameter": (lambda fit: jm.result.slopes(fit, "slope", "disc", "metallicity"), "site: .* found 'slope'"),
    "a field": (lambda fit: jm.result.fluctuations(fit, "disc", "metallicity", (0.0, 0.0)), "no field"),
    "a picture": (lambda fit: jm.plot.of_posterior.overview(fit, "map", "dsc"), "source: .* did you mean 'disc'"),
    "a scale": (lambda fit: jm.result.summary(fit, {"dics": 8.0}), "source: .* found 'dics'; did you mean 'disc'"),
    "a fit": (lambda fit: jm.result.compare({"a": fit, "b": fit}, {"c": 8.0}), "kpc_per_arcsec: .* found 'c'"),
}


@pytest.mark.parametrize("what", ASKED)
def test_names_that_a_fit_does_not_have_are_refused(posterior, what):
    ask, words = ASKED[what]
    with pytest.raises(jm.InputError, match=words):
        ask(posterior)


@pytest.mark.parametrize("drawn", [jm.result.predictive, jm.result.predictive_residual])
def test_of_no_draws_nothing_is_made(posterior, drawn):
    with pytest.raises(jm.InputError, match="count: expected a whole number of at least 1, found 0"):
        drawn(posterior, "map", 0)
