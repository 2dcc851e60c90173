"""Noise that neighbours share: densities, draws, and what is refused."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from noises import (
    ALL,
    DATA,
    LIGHT,
    MODEL,
    NOISES,
    OTHER,
    SHAPE,
    SIGMA,
    SMOOTHING,
    USED,
    draws,
    expected,
    pointwise,
    total,
)
from scipy import stats

from jaxmetal.edge.errors import InputError
from jaxmetal.likelihood import (
    Correlated,
    EffectiveSamples,
    Gaussian,
    GaussianCorrelation,
    KernelCorrelation,
    Law,
)


def covariance(correlate, independent, jitter):
    rows, columns = (index.ravel() for index in np.indices(SHAPE))
    rho = np.vectorize(correlate)(rows[:, None] - rows, columns[:, None] - columns)
    rho = (1.0 - independent) * rho + independent * np.eye(rho.shape[0])
    return np.outer(SIGMA, SIGMA) * rho + jitter**2 * np.eye(rho.shape[0])


def smoothed(row, column):
    """Autocorrelation of SMOOTHING, by brute force."""
    padded = np.pad(SMOOTHING, 9)
    return np.sum(padded * np.roll(padded, (row, column), axis=(0, 1))) / np.sum(SMOOTHING**2)


MATRICES = {
    "correlated": covariance(lambda r, c: np.exp(-4.0 * np.log(2.0) * (r * r + c * c) / 2.5**2), 1e-3, 0.04),
    "correlated_kernel": covariance(smoothed, 0.05, 0.0),
}


@pytest.mark.parametrize("name", MATRICES)
@pytest.mark.parametrize("used", [ALL, USED], ids=["all", "masked"])
def test_correlated_agrees_with_scipy(name, used):
    chosen = np.flatnonzero(used)
    matrix = MATRICES[name][np.ix_(chosen, chosen)]
    expected = stats.multivariate_normal.logpdf(DATA[used], MODEL[used], matrix)
    noise = NOISES[name]
    fields = {f: getattr(noise, f) for f in ("noise", "correlation", "independent", "jitter")}
    picked = pointwise(Correlated.over(used, **fields), DATA, MODEL, LIGHT, used)
    assert total(noise, DATA, MODEL, LIGHT, used) == pytest.approx(expected, rel=1e-10)
    np.testing.assert_allclose(picked, pointwise(noise, DATA, MODEL, LIGHT, used), rtol=1e-9, atol=1e-9)


def test_correlated_terms_are_conditional_densities():
    terms = pointwise(NOISES["correlated"], DATA, MODEL, LIGHT, ALL).ravel()
    matrix, residual = MATRICES["correlated"], (DATA - MODEL).ravel()
    last = matrix[-1, :-1] @ np.linalg.inv(matrix[:-1, :-1])
    mean, variance = last @ residual[:-1], matrix[-1, -1] - last @ matrix[:-1, -1]
    assert terms[-1] == pytest.approx(stats.norm.logpdf(residual[-1], mean, np.sqrt(variance)), rel=1e-9)


def test_correlated_pixels_must_hold_all_used_ones():
    few = Correlated.over(USED, noise=Gaussian(sigma=SIGMA), correlation=GaussianCorrelation(fwhm=2.0))
    assert np.isnan(total(few, DATA, MODEL, LIGHT, ALL))


def test_correlated_bins_need_positions():
    correlation = GaussianCorrelation(fwhm=2.0)
    positions = np.indices(SHAPE).reshape(2, -1).T
    flat = [a.ravel() for a in (DATA, MODEL, LIGHT, USED)]
    bins = Correlated(noise=Gaussian(sigma=SIGMA.ravel()), correlation=correlation, positions=positions)
    image = Correlated(noise=Gaussian(sigma=SIGMA), correlation=correlation)
    assert total(bins, *flat) == pytest.approx(float(total(image, DATA, MODEL, LIGHT, USED)))
    with pytest.raises(InputError, match="positions"):
        Correlated(noise=Gaussian(sigma=SIGMA.ravel()), correlation=correlation).pointwise(*flat)


def test_user_function_is_a_correlation():
    def exponential(rows, columns, *, length):
        return jnp.exp(-(jnp.abs(rows) + jnp.abs(columns)) / length)

    correlation = jax.tree_util.Partial(exponential, length=1.5)
    noise = Correlated(noise=Gaussian(sigma=SIGMA), correlation=correlation, independent=0.0)
    matrix = covariance(lambda r, c: np.exp(-(abs(r) + abs(c)) / 1.5), 0.0, 0.0)
    expected = stats.multivariate_normal.logpdf(DATA.ravel(), MODEL.ravel(), matrix)
    assert jax.jit(total)(noise, DATA, MODEL, LIGHT, ALL) == pytest.approx(expected)


def test_covariance_array_is_normalised_and_finite_in_reach():
    correlation = KernelCorrelation.from_array(4.0 * np.array([[0.0, 0.1, 0.0], [0.2, 1.0, 0.2], [0.0, 0.1, 0.0]]))
    found = correlation(np.array([0, 1, 0, 0, 2]), np.array([0, 0, -1, 2, 0]))
    np.testing.assert_allclose(found, [1.0, 0.1, 0.2, 0.0, 0.0])


@pytest.mark.parametrize(
    ("values", "why"),
    [
        (np.ones((4, 5)), "odd sides"),
        (np.ones(5), "2-D"),
        (np.array([[0.0, 0.5, 0.1]]), "opposite lags"),
        (np.array([[0.3, 0.0, 0.3]]), "positive middle"),
        (np.array([[0.9, 1.0, 0.9]]), "semi-definite"),
        (np.array([[np.nan, 1.0, np.nan]]), "finite"),
    ],
)
def test_bad_covariance_is_refused(values, why):
    with pytest.raises(InputError, match=why):
        KernelCorrelation.from_array(values)


def test_bad_smoothing_is_refused():
    with pytest.raises(InputError, match="not all zero"):
        KernelCorrelation.of_smoothing(np.zeros((3, 3)))


def test_draws_of_correlated_noise_are_correlated():
    expected = MATRICES["correlated"]
    found = np.cov(draws(NOISES["correlated"], 4000).reshape(4000, -1).T)
    np.testing.assert_allclose(found, expected, atol=0.06 * expected.max())


@pytest.mark.parametrize("shape", [(40, 50), (2000,)])
def test_draws_of_effective_samples_share_measurements(shape):
    """The mean of N pixels scatters as that of N / correlated_pixels."""
    noise, model = EffectiveSamples(noise=Gaussian(sigma=0.1), correlated_pixels=9.0), jnp.zeros(shape)
    keys = jax.random.split(jax.random.key(1), 400)
    means = jax.jit(jax.vmap(lambda key: jnp.mean(noise.draw(key, model, model))))(keys)
    assert np.std(means) == pytest.approx(0.1 * np.sqrt(9.0 / model.size), rel=0.1)


def test_draws_of_effective_samples_survive_missing_sigma():
    noise = EffectiveSamples(noise=Gaussian(sigma=np.where(USED, SIGMA, np.nan)), correlated_pixels=4.0)
    found = jax.jit(lambda key: noise.draw(key, MODEL, LIGHT))(jax.random.key(0))
    np.testing.assert_array_equal(np.isfinite(found), USED)


def test_a_table_of_the_shape_of_the_data_is_no_data():
    table = KernelCorrelation.of_smoothing(np.outer([1.0, 2.0, 1.0], [1.0, 2.0, 1.0]))
    wider = KernelCorrelation(values=np.pad(table.values, 1))
    model, used = np.full((5, 5), 8.5), np.random.default_rng(0).random((5, 5)) > 0.3
    found = []
    for correlation in (table, wider):
        noise = Correlated(noise=Gaussian(sigma=0.2), correlation=correlation, independent=0.05)
        found.append(expected(noise, model, model, used, Law(noise, model + 0.1, model)))
    np.testing.assert_allclose(*found)


def test_draws_of_correlated_noise_survive_missing_sigma():
    noise = Correlated(noise=Gaussian(sigma=np.where(USED, SIGMA, np.nan)), correlation=GaussianCorrelation(fwhm=2.0))
    found = noise.draw(jax.random.key(0), jnp.asarray(MODEL), jnp.asarray(LIGHT))
    np.testing.assert_array_equal(np.isfinite(found), USED)


@pytest.mark.parametrize("used", [ALL, USED], ids=["all", "masked"])
def test_expected_density_of_correlated_data_is_a_trace(used):
    noise, chosen = NOISES["correlated"], np.flatnonzero(used)
    other, here = (m[np.ix_(chosen, chosen)] for m in (MATRICES["correlated_kernel"], MATRICES["correlated"]))
    shift = (OTHER - MODEL)[used]
    height = np.trace(np.linalg.solve(here, other)) + shift @ np.linalg.solve(here, shift)
    height += np.linalg.slogdet(2.0 * np.pi * here)[1]
    spoilt = np.where(used, OTHER, np.nan)
    terms = expected(noise, MODEL, LIGHT, used, Law(NOISES["correlated_kernel"], spoilt, LIGHT))
    assert np.sum(terms) == pytest.approx(-0.5 * height, rel=1e-9)
