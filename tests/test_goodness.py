"""Whether a model fits at all is said plainly, and rarely of a right one that it does not."""

import dataclasses

import numpy as np
import numpyro.distributions as dist
import pytest
from folded import posed
from scipy import ndimage, stats

import jaxmetal as jm
from jaxmetal.edge.findings import Finding
from jaxmetal.likelihood.stated import as_stated
from jaxmetal.result.goodness import Seen, goodness
from jaxmetal.result.judged import Judged
from jaxmetal.result.misfit import Layout, limit, smoothed_share, totals
from jaxmetal.run.rows import row

SHAPE, DRAWN = (17, 20), 128
ROWS, COLUMNS = np.indices(SHAPE)
RADIUS = np.hypot(ROWS - 8.0, 0.8 * (COLUMNS - 9.0))
USED = RADIUS < 8.0
RING = np.exp(-0.5 * ((RADIUS - 4.0) / 1.2) ** 2)
CLUMP = np.exp(-0.5 * ((ROWS - 5.0) ** 2 + (COLUMNS - 12.0) ** 2) / 1.5**2)


def white(random, count):
    return random.standard_normal((count, *SHAPE))


def heavy(random, count):
    return random.standard_t(3.0, (count, *SHAPE))


def shared(random, count):
    """Noise smoothed by a Gaussian, of unit variance."""
    return 2.0 * np.sqrt(np.pi) * ndimage.gaussian_filter(white(random, count), (0, 1, 1), mode="wrap")


def made(residual, drawn, density=stats.norm.logpdf, sigma=1.0):
    """What is judged, of residuals and of those of redrawn data."""
    masked = [np.where(USED, values, np.nan) for values in (residual, drawn)]
    likely = [np.where(USED, density(values), 0.0) for values in (residual, drawn)]
    return Judged(np.full(SHAPE, sigma), masked[0], likely[0], masked[1], likely[1])


def verdict(fitted, stated=None, free=0):
    seen = Seen(Layout(USED, np.exp(-RADIUS), None), fitted, fitted if stated is None else stated)
    return goodness({"map": seen}, free)["map"]


@pytest.mark.parametrize(
    ("noise", "density"),
    [(white, stats.norm.logpdf), (heavy, lambda values: stats.t.logpdf(values, 3.0)), (shared, stats.norm.logpdf)],
    ids=["white", "heavy tails", "shared by neighbours"],
)
def test_right_models_are_rarely_called_poor(noise, density):
    random = np.random.default_rng(3)
    drawn = noise(random, DRAWN)
    poor = [not verdict(made(one, drawn, density)).fits for one in noise(random, 200)]
    assert np.mean(poor) <= 0.03


@pytest.mark.parametrize("shape", [RING, CLUMP], ids=["ring", "clump"])
@pytest.mark.parametrize("swallowed", [False, True], ids=["stated errors", "errors that grew"])
def test_a_misfit_is_found_though_errors_grew_until_chi2_is_right(shape, swallowed):
    """An excess of chi2 of 5 sqrt(2 N)."""
    random = np.random.default_rng(5)
    misfit = shape * np.sqrt(5.0 * np.sqrt(2.0 * USED.sum()) / np.sum(shape[USED] ** 2))
    found = []
    for scatter in white(random, 20):
        residual = scatter + misfit
        if swallowed:
            residual = residual / np.sqrt(np.mean(residual[USED] ** 2))
        found.append(not verdict(made(residual, white(random, DRAWN))).fits)
    assert np.mean(found) >= 0.9


def test_white_errors_do_not_excuse_noise_that_neighbours_share():
    random = np.random.default_rng(1)
    said = verdict(made(shared(random, 1)[0], white(random, DRAWN))).verdict
    assert "neighbouring residuals are alike" in said
    assert "shared by neighbours" in said


def test_errors_that_hold_a_common_scatter_are_too_large():
    random = np.random.default_rng(2)
    drawn = white(random, DRAWN)
    said = verdict(made(0.4 * white(random, 1)[0], drawn), free=8)
    assert said.misfit > 1.0
    assert "errors are too large" in said.verdict
    assert verdict(made(0.85 * white(random, 1)[0], drawn), free=8).fits, "a factor that most would not mind"


def test_one_datum_far_off_is_named():
    random = np.random.default_rng(2)
    residual = white(random, 1)[0]
    residual[6, 11] = -6.5
    assert "the datum [6, 11] is -6.5 sigma off" in verdict(made(residual, white(random, DRAWN))).verdict


def test_what_the_fit_added_to_the_errors_is_held_against_those_stated():
    random = np.random.default_rng(4)
    scatter, drawn = white(random, 1)[0], white(random, DRAWN)
    fitted = made(scatter, drawn)
    bare = made(2.0 * scatter, drawn, sigma=0.5)
    said = verdict(fitted, bare)
    assert not said.fits
    assert f"its errors are 2 times those that were stated, with which chi2 is {4.0 * said.chi2:.0f}" in said.verdict
    assert verdict(fitted, made(1.2 * scatter, drawn, sigma=1.0 / 1.2)).fits


def test_totals_are_the_tails_of_chi2():
    random = np.random.default_rng(6)
    drawn = white(random, 3000)
    for size in (0.6, 0.8, 1.0, 1.2, 1.4):
        residual = size * white(random, 1)[0]
        chi2, count = np.sum(residual[USED] ** 2), int(USED.sum())
        expected = stats.norm.isf([stats.chi2(count).sf(chi2), stats.chi2(count).cdf(chi2 + 10.0)])
        found = totals(made(residual, drawn), 10)
        np.testing.assert_allclose(np.maximum(found, -3.0), np.maximum(expected, -3.0), atol=0.1)


@pytest.mark.parametrize("shape", [SHAPE, (16, 21)])
def test_smoothing_is_by_a_gaussian(shape):
    values = np.random.default_rng(7).standard_normal((2, *shape))
    by_hand = [
        np.sum(ndimage.gaussian_filter(one, 2.0, mode="wrap", truncate=8.0) ** 2) / np.sum(one**2) for one in values
    ]
    np.testing.assert_allclose(smoothed_share(values, 2.0), by_hand, rtol=1e-6)


def test_the_limit_shares_the_false_alarms_among_the_tests():
    assert limit(0.01, 20, 10_000) == pytest.approx(stats.norm.isf(0.01 / 20), rel=1e-3)
    assert limit(0.01, 20, 16) > limit(0.01, 20, 128)


def fitted(noise, data):
    prior, seen = posed(0.1, 1.0, 0.0, 0.0, loc=0.0, scale=0.5)
    one = dataclasses.replace(seen["map"], noise=noise, data=data)
    return jm.fit.auto(prior, {"map": one}, method="map", start_count=1, progress=False)


@pytest.mark.parametrize("noise", [jm.likelihood.Gaussian, jm.likelihood.StudentT])
def test_data_far_from_the_best_fit_are_said_to_be_so(noise):
    more = {"nu": 3.0} if noise is jm.likelihood.StudentT else {}
    random = np.random.default_rng(4)
    scatter = random.standard_normal((5, 6)) if not more else random.standard_t(3.0, (5, 6))
    for name, size in {"good": 0.1, "bad": 0.5}.items():
        posterior = fitted(noise(sigma=0.1, **more), 8.4 + size * scatter)
        assert ("does not describe 'map'" in jm.result.summary(posterior)) == (name == "bad")
        cells = row("g", posterior)
        assert cells["status"].value == {"good": "ok", "bad": "suspect"}[name]
        assert (cells["map.misfit"].value > 1.0) == (name == "bad")
        assert jm.plot.of_posterior.map_fit(posterior, "map").fits == (name == "good")
    assert "for 30 data" in cells["message"].value
    read = [Finding("info", "A word."), Finding("warning", "The map lies elsewhere.")]
    cells = row("g", posterior, read=read)
    assert cells["status"].value == "suspect"
    assert cells["message"].value.startswith("The map lies elsewhere. ")


def test_a_free_jitter_does_not_hide_errors_that_are_too_small():
    scatter = np.random.default_rng(4).standard_normal((5, 6))
    posterior = fitted(jm.likelihood.Gaussian(sigma=0.1, jitter=dist.HalfNormal(0.5)), 8.4 + 0.4 * scatter)
    seen = jm.result.view(posterior)
    assert seen.chi2["map"] == pytest.approx(30.0, abs=6.0)
    assert "times those that were stated" in jm.result.summary(seen)


def test_limits_are_no_misfit():
    scatter = 0.1 * np.random.default_rng(8).standard_normal((5, 6))
    limits = np.zeros((5, 6), bool)
    limits[:, 3:] = True
    noise = jm.likelihood.Censored(noise=jm.likelihood.Gaussian(sigma=0.1), limits=limits)
    seen = jm.result.view(fitted(noise, 8.4 + np.where(limits, 0.4, scatter)))
    np.testing.assert_array_equal(np.isnan(seen.residuals["map"]), limits)
    assert seen.goodness["map"].fits


def test_stated_errors_are_those_without_free_additions():
    sigma = np.ones(3)
    free = jm.likelihood.Gaussian(sigma=sigma, jitter=dist.HalfNormal(0.1), scale=jm.Tied("scale"))
    filled = jm.likelihood.Gaussian(sigma=sigma, jitter=0.7, scale=1.5)
    bare = as_stated(free, filled)
    assert (float(bare.jitter), float(bare.scale)) == (0.0, 1.0)
    assert bare.sigma is sigma
    assert as_stated(filled, filled) is filled
    inner = as_stated(
        *(jm.likelihood.Correlated(noise=one, correlation=None, independent=0.1) for one in (free, filled))
    )
    assert (float(inner.noise.jitter), inner.independent) == (0.0, 0.1)
    nu = jm.likelihood.StudentT(sigma=dist.LogNormal(0.0, 1.0), nu=dist.Gamma(2.0, 0.1), jitter=0.3)
    filled = jm.likelihood.StudentT(sigma=2.0, nu=4.0, jitter=0.3)
    assert as_stated(nu, filled) is filled, "what has no default was never stated"


@pytest.mark.parametrize(("factor", "said"), [(1.0, False), (1.2, False), (3.0, True)])
def test_errors_of_one_map_among_several_that_are_too_large_are_said(factor, said):
    """Where those of the others are right, the sum of all is too small by less than a factor of two."""
    random = np.random.default_rng(8)
    drawn = random.standard_normal((DRAWN, 4, *SHAPE))
    residual = random.standard_normal((4, *SHAPE))
    residual[2] /= factor
    likely = [stats.norm.logpdf(values) for values in (residual, drawn)]
    fitted = Judged(np.ones(residual.shape), residual, likely[0], drawn, likely[1])
    layout = Layout(
        np.ones(residual.shape, bool), np.ones(residual.shape), None, tuple(zip("abcd", range(4), strict=True))
    )
    found = goodness({"lines": Seen(layout, fitted, fitted)}, 5)["lines"]
    assert ("in 'c' chi2 is" in found.verdict) == said
    assert found.fits != said
