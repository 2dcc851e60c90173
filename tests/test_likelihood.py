"""Every noise against scipy, under masks, in its gradients and in its draws."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from noises import (
    ALL,
    DATA,
    LIGHT,
    LIMITS,
    MODEL,
    NOISES,
    OTHER,
    SHAPE,
    SIDES,
    SIGMA,
    USED,
    draws,
    every_noise,
    expected,
    pointwise,
    split_normal_density,
    total,
    value_and_gradients,
)
from precision import doubles
from scipy import integrate, stats

from jaxmetal.likelihood import (
    Censored,
    Correlated,
    EffectiveSamples,
    Gaussian,
    GaussianCorrelation,
    Law,
    LightScaled,
    SplitNormal,
    StudentT,
)
from jaxmetal.likelihood.contract import measured

EXPECTED = {
    "gaussian": stats.norm.logpdf(DATA, MODEL, np.hypot(1.3 * SIGMA, 0.07)),
    "light_scaled": stats.norm.logpdf(DATA, MODEL, np.sqrt(0.0077 + 0.0123 / LIGHT + 0.02**2)),
    "light_map": stats.norm.logpdf(DATA, MODEL, np.sqrt(0.0077 + 0.0123 / (2.0 * LIGHT))),
    "student": stats.t.logpdf(DATA, 4.0, MODEL, np.hypot(1.1 * SIGMA, 0.07)),
    "split_normal": np.log(split_normal_density(DATA, MODEL, np.hypot(SIGMA, 0.03), np.hypot(2.0 * SIGMA, 0.03))),
    "censored": np.where(
        LIMITS,
        stats.norm.logcdf(DATA, MODEL, np.hypot(SIGMA, 0.02)),
        stats.norm.logpdf(DATA, MODEL, np.hypot(SIGMA, 0.02)),
    ),
    "censored both ways": np.select(
        [SIDES > 0, SIDES < 0],
        [stats.norm.logcdf(DATA, MODEL, np.hypot(SIGMA, 0.02)), stats.norm.logsf(DATA, MODEL, np.hypot(SIGMA, 0.02))],
        stats.norm.logpdf(DATA, MODEL, np.hypot(SIGMA, 0.02)),
    ),
    "integrated": stats.norm.logpdf(DATA, MODEL, np.hypot(1.3 * SIGMA, 0.07)) + LIGHT,
    "effective": stats.norm.logpdf(DATA, MODEL, SIGMA) / 3.0,
}


@pytest.mark.parametrize("name", EXPECTED)
def test_pointwise_agrees_with_scipy(name):
    found = pointwise(NOISES[name], DATA, MODEL, LIGHT, USED)
    np.testing.assert_allclose(found, np.where(USED, EXPECTED[name], 0.0), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("name", ["gaussian", "light_scaled", "student", "split_normal"])
def test_density_integrates_to_one(name):
    one = jax.tree.map(lambda leaf: leaf[0, 0] if np.shape(leaf) == SHAPE else leaf, NOISES[name])
    density = jax.jit(lambda data: jnp.exp(one.pointwise(data, 8.0, 0.7, True)))
    probability, _ = integrate.quad(density, -np.inf, 8.0, epsabs=1e-11)
    probability += integrate.quad(density, 8.0, np.inf, epsabs=1e-11)[0]
    assert probability == pytest.approx(1.0, abs=1e-8)


def test_upper_error_points_to_larger_truths():
    noise = SplitNormal(lower=0.1, upper=0.4)
    above, below, centre = pointwise(noise, np.zeros(3), np.array([0.4, -0.1, 0.0]), np.ones(3), np.ones(3, dtype=bool))
    assert above - centre == pytest.approx(-0.5)
    assert below - centre == pytest.approx(-0.5)


@every_noise
@pytest.mark.parametrize("garbage", [np.nan, 0.0])
def test_unused_pixels_change_neither_value_nor_gradient(noise, garbage):
    def spoil(leaf):
        floating = np.shape(leaf) == SHAPE and np.asarray(leaf).dtype != bool
        return np.where(USED, leaf, garbage) if floating else leaf

    clean = value_and_gradients(noise, DATA, MODEL, LIGHT, USED)
    spoilt_inputs = jax.tree.map(spoil, (noise, DATA, MODEL, LIGHT))
    spoilt = value_and_gradients(*spoilt_inputs, USED)
    for wanted, found in zip(jax.tree.leaves(clean), jax.tree.leaves(spoilt), strict=True):
        if wanted.dtype != jax.dtypes.float0:
            assert np.all(np.isfinite(found))
            np.testing.assert_allclose(found, wanted, rtol=1e-12, atol=1e-12)


GRADIENTS = {
    "jitter": lambda p: Gaussian(sigma=SIGMA, jitter=p),
    "scale": lambda p: Gaussian(sigma=SIGMA, scale=p),
    "c1": lambda p: LightScaled(c1=p, c2=0.012),
    "c2": lambda p: LightScaled(c1=0.008, c2=p),
    "nu": lambda p: StudentT(sigma=SIGMA, nu=p),
    "asymmetry": lambda p: SplitNormal(lower=SIGMA, upper=SIGMA * p),
    "censored jitter": lambda p: Censored(noise=Gaussian(sigma=SIGMA, jitter=p), limits=LIMITS),
    "correlation fwhm": lambda p: Correlated(noise=Gaussian(sigma=SIGMA), correlation=GaussianCorrelation(fwhm=2 * p)),
    "correlated jitter": lambda p: Correlated(
        noise=Gaussian(sigma=SIGMA), correlation=GaussianCorrelation(fwhm=2.0), jitter=p
    ),
}


@pytest.mark.parametrize("name", GRADIENTS)
def test_gradient_of_noise_parameter(name):
    @jax.jit
    @jax.value_and_grad
    def density(p):
        return total(GRADIENTS[name](p), DATA, MODEL, LIGHT, USED)

    for value in (0.11, 1.7):
        step = 1e-5 * value
        numerical = (density(value + step)[0] - density(value - step)[0]) / (2.0 * step)
        assert density(value)[1] == pytest.approx(float(numerical), rel=1e-5, abs=1e-7)
    if "jitter" in name or name in ("c1", "c2"):
        assert np.isfinite(density(0.0)[1])


def test_no_light_is_no_information(precision):
    dark = np.where(np.arange(SHAPE[1]) < 3, LIGHT, 0.0)
    dark[:, -1] = -1e-3
    inputs = [jnp.asarray(a, dtype=float) for a in (DATA, MODEL, dark)]
    noise = LightScaled(c1=0.0077, c2=0.0123)
    value, gradient = value_and_gradients(noise, *inputs, ALL)
    by_model = gradient[1]
    assert value.dtype == precision
    assert np.isfinite(value)
    assert all(np.all(np.isfinite(leaf)) for leaf in jax.tree.leaves(gradient))
    np.testing.assert_allclose(by_model[:, 3:], 0.0, atol=1e-15)


@pytest.mark.parametrize("factor", [1e6, 1e-6])
def test_units_of_light_do_not_matter(factor):
    one = LightScaled(c1=0.0077, c2=0.0123).pointwise(DATA, MODEL, LIGHT, ALL)
    other = LightScaled(c1=0.0077, c2=0.0123 * factor).pointwise(DATA, MODEL, LIGHT * factor, ALL)
    np.testing.assert_allclose(other, one, rtol=1e-12)


@pytest.mark.parametrize("name", ["gaussian", "light_scaled", "student", "split_normal", "effective"])
def test_expected_densities_are_integrals(name):
    noise, wide = NOISES[name], jax.tree.map(lambda leaf: 1.2 * leaf, NOISES[name])
    found, place = expected(noise, MODEL, LIGHT, USED, Law(wide, OTHER, LIGHT)), tuple(np.argwhere(USED)[0])
    here, law = (jax.tree.map(lambda leaf: leaf[place] if np.shape(leaf) == SHAPE else leaf, n) for n in (noise, wide))
    drawn = getattr(law, "noise", law)  # a datum of fewer effective pixels is still a datum

    data = 8.0 + np.linspace(-60.0, 60.0, 400_001)
    at = (np.full(data.shape, value[place]) for value in (OTHER, LIGHT, MODEL, LIGHT))
    share = np.exp(pointwise(drawn, data, next(at), next(at), data == data))
    height = pointwise(here, data, next(at), next(at), data == data)
    # The density of split normals has a kink at the model, away from all nodes where that is not the law's.
    assert found[place] == pytest.approx(integrate.trapezoid(share * height, data), rel=3e-4, abs=1e-6)
    assert np.all(np.asarray(found)[~USED] == 0.0)


INFORMATIVE = {
    "jitter": (lambda p: Gaussian(sigma=SIGMA, jitter=p), 2.0 * 0.1**2 / (SIGMA**2 + 0.1**2) ** 2),
    "c2": (lambda p: LightScaled(c1=0.01, c2=p), 0.5 / (0.01 * LIGHT + 0.1) ** 2),
    "both sides": (lambda p: SplitNormal(lower=SIGMA * p, upper=3.0 * SIGMA * p), np.full(SHAPE, 2.0 / 0.1**2)),
}


@pytest.mark.parametrize("name", INFORMATIVE)
def test_information_about_noise_is_that_expected(name):
    make, information = INFORMATIVE[name]

    @jax.jit
    def bend(model, p):
        law = Law(make(p), model, LIGHT)
        return jax.jacfwd(jax.jacfwd(lambda q: make(q).expected(model, LIGHT, USED, law)))(p)

    np.testing.assert_allclose(-bend(MODEL, 0.1), np.where(USED, information, 0.0), rtol=1e-5)


def test_the_information_about_the_middle_of_lopsided_errors_is_one_over_their_product():
    noise = SplitNormal(lower=SIGMA, upper=4.0 * SIGMA)

    @jax.jit
    def bend(model):
        law = Law(noise, model, LIGHT)
        return jax.jacfwd(jax.jacfwd(lambda step: noise.expected(model + step, LIGHT, USED, law)))(0.0)

    np.testing.assert_allclose(-bend(MODEL), np.where(USED, 0.25 / SIGMA**2, 0.0), rtol=1e-4)


def test_residuals_of_lopsided_errors_are_taken_from_their_mean():
    noise = SplitNormal(lower=0.05, upper=0.3)
    data = noise.draw(jax.random.key(5), jnp.full(20_000, 8.5), jnp.ones(20_000))
    mean = noise.mean(jnp.full(20_000, 8.5), jnp.ones(20_000))
    residual = np.asarray((data - mean) / noise.standard_deviation(8.5, 1.0))
    assert float(mean[0]) == pytest.approx(
        8.5 + integrate.quad(lambda d: d * split_normal_density(d, 0.0, 0.05, 0.3), -9.0, 2.0, points=[0.0])[0]
    )
    assert abs(residual.mean()) < 4.0 / np.sqrt(20_000)
    assert np.sum(residual**2) == pytest.approx(20_000, rel=0.05)


@pytest.mark.parametrize("name", ["gaussian", "light_map", "censored", "correlated", "effective"])
def test_draws_have_the_stated_moments(name):
    sample, spread = draws(NOISES[name], 4000), NOISES[name].standard_deviation(MODEL, LIGHT)
    np.testing.assert_allclose(sample.std(0), spread, rtol=0.05)
    np.testing.assert_allclose(sample.mean(0), MODEL, atol=0.06 * spread.max())


def test_draws_of_student_t_follow_it():
    sample = StudentT(sigma=0.1, nu=2.5).draw(jax.random.key(4), jnp.full(2000, 8.0), jnp.ones(2000))
    assert stats.kstest((np.asarray(sample) - 8.0) / 0.1, stats.t(2.5).cdf).pvalue > 0.01


def test_split_normal_has_the_stated_standard_deviation():
    noise = SplitNormal(lower=0.1, upper=0.3)
    sample = np.asarray(noise.draw(jax.random.key(2), jnp.zeros(20_000), jnp.ones(20_000)))
    assert sample.std() == pytest.approx(float(noise.standard_deviation(0.0, 1.0)), rel=0.02)


def test_draws_of_split_normal_follow_it():
    noise = SplitNormal(lower=0.1, upper=0.3)
    draws = np.asarray(noise.draw(jax.random.key(2), jnp.zeros(4000), jnp.ones(4000)))
    grid = np.linspace(-2.0, 1.0, 30_001)
    cumulative = integrate.cumulative_simpson(split_normal_density(grid, 0.0, 0.1, 0.3), x=grid, initial=0.0)
    assert stats.kstest(draws, lambda x: np.interp(x, grid, cumulative)).pvalue > 0.01


@every_noise
@pytest.mark.parametrize("offset", [0.0, 40.0])
def test_float32_is_finite_and_close(noise, offset):
    exact = total(noise, DATA - offset, MODEL, LIGHT, USED)
    with doubles(False):
        inputs = jax.tree.map(jnp.asarray, (noise, DATA - offset, MODEL, LIGHT, USED))
        value, gradients = value_and_gradients(*inputs)
    assert value.dtype == jnp.float32
    assert value == pytest.approx(float(exact), rel=2e-3)
    assert all(np.all(np.isfinite(g)) for g in jax.tree.leaves(gradients) if g.dtype != jax.dtypes.float0)


def test_pixels_that_share_measurements_are_those_of_one_line():
    """Kernels of width s, sum(kernel^2) = 1 / n: pixels side by side correlate by exp(-1 / (4 s^2)), lines by none."""
    noise = EffectiveSamples(noise=Gaussian(sigma=1.0), correlated_pixels=16.0)
    zeros = jnp.zeros((2, 24, 24))
    drawn = np.asarray(jax.vmap(lambda key: noise.draw(key, zeros, zeros))(jax.random.split(jax.random.key(3), 200)))
    between = np.mean(drawn[:, 0] * drawn[:, 1])
    beside = np.mean(drawn[..., 8:16, 8:15] * drawn[..., 8:16, 9:16])
    assert between == pytest.approx(0.0, abs=0.06)
    assert beside == pytest.approx(np.exp(-0.25 * 4.0 * np.pi / 16.0), abs=0.06)
    assert np.mean(drawn**2) == pytest.approx(1.0, abs=0.06)


def test_limits_among_pixels_that_share_measurements_are_no_measurements():
    noise = EffectiveSamples(noise=Censored(noise=Gaussian(sigma=SIGMA), limits=LIMITS), correlated_pixels=4.0)
    np.testing.assert_array_equal(measured(noise, USED), USED & ~LIMITS)
    alone = noise.noise.pointwise(DATA, MODEL, LIGHT, USED)
    np.testing.assert_allclose(noise.pointwise(DATA, MODEL, LIGHT, USED), alone / 4.0)
