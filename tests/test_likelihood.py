"""Every noise against scipy, under masks, in its gradients and in its draws."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from precision import doubles
from scipy import integrate, stats

from jaxmetal.edge.errors import InputError
from jaxmetal.likelihood import (
    Censored,
    Correlated,
    EffectiveSamples,
    Gaussian,
    GaussianCorrelation,
    Integrated,
    KernelCorrelation,
    Law,
    LightScaled,
    SplitNormal,
    StudentT,
)

SHAPE = (5, 7)
RNG = np.random.default_rng(3)
MODEL = 8.0 + 0.2 * RNG.normal(size=SHAPE)
LIGHT = np.exp(RNG.normal(size=SHAPE))
DATA = MODEL + 0.15 * RNG.normal(size=SHAPE)
SIGMA = RNG.uniform(0.05, 0.2, size=SHAPE)
LIMITS = RNG.uniform(size=SHAPE) < 0.3
SIDES = np.where(LIMITS, np.where(np.arange(7) % 2, 1, -1), 0)
USED = RNG.uniform(size=SHAPE) < 0.7
ALL = np.ones(SHAPE, dtype=bool)
SMOOTHING = np.array([[0.1, 0.3, 0.1], [0.5, 1.0, 0.5], [0.1, 0.3, 0.1]])

NOISES = {
    "gaussian": Gaussian(sigma=SIGMA, jitter=0.07, scale=1.3),
    "light_scaled": LightScaled(c1=0.0077, c2=0.0123, jitter=0.02),
    "light_map": LightScaled(c1=0.0077, c2=0.0123, light=2.0 * LIGHT),
    "student": StudentT(sigma=SIGMA, nu=4.0, jitter=0.07, scale=1.1),
    "split_normal": SplitNormal(lower=SIGMA, upper=2.0 * SIGMA, jitter=0.03),
    "integrated": Integrated(sigma=SIGMA, jitter=0.07, scale=1.3),
    "censored": Censored(noise=Gaussian(sigma=SIGMA, jitter=0.02), limits=LIMITS),
    "censored both ways": Censored(noise=Gaussian(sigma=SIGMA, jitter=0.02), limits=SIDES),
    "correlated": Correlated(noise=Gaussian(sigma=SIGMA), correlation=GaussianCorrelation(fwhm=2.5), jitter=0.04),
    "correlated_kernel": Correlated(
        noise=Gaussian(sigma=SIGMA), correlation=KernelCorrelation.of_smoothing(SMOOTHING), independent=0.05
    ),
    "effective": EffectiveSamples(noise=Gaussian(sigma=SIGMA), correlated_pixels=3.0),
}
DISTINCT = {name: noise for name, noise in NOISES.items() if name not in ("correlated_kernel", "effective")}
every_noise = pytest.mark.parametrize("noise", DISTINCT.values(), ids=DISTINCT.keys())


@jax.jit
def total(noise, data, model, light, used):
    return jnp.sum(noise.pointwise(data, model, light, used))


# Compiled once per kind of noise, whatever the numbers.
pointwise = jax.jit(lambda noise, *inputs: noise.pointwise(*inputs))
value_and_gradients = jax.jit(jax.value_and_grad(total, argnums=(0, 2, 3), allow_int=True))


def split_normal_density(data, model, lower, upper):
    width = np.where(data < model, upper, lower)
    return 2.0 * width / (lower + upper) * stats.norm.pdf(data, model, width)


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
    for expected, found in zip(jax.tree.leaves(clean), jax.tree.leaves(spoilt), strict=True):
        if expected.dtype != jax.dtypes.float0:
            assert np.all(np.isfinite(found))
            np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-12)


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


OTHER = MODEL + 0.1
"""What data are drawn around, where they are not drawn around the model."""
expected = jax.jit(lambda noise, *inputs: noise.expected(*inputs))


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


def draws(noise, number):
    keys = jax.random.split(jax.random.key(1), number)
    return np.asarray(jax.jit(jax.vmap(lambda key: noise.draw(key, MODEL, LIGHT)))(keys))


@pytest.mark.parametrize("name", ["gaussian", "light_map", "censored", "correlated", "effective"])
def test_draws_have_the_stated_moments(name):
    sample, spread = draws(NOISES[name], 4000), NOISES[name].standard_deviation(MODEL, LIGHT)
    np.testing.assert_allclose(sample.std(0), spread, rtol=0.05)
    np.testing.assert_allclose(sample.mean(0), MODEL, atol=0.06 * spread.max())


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


def test_draws_of_correlated_noise_survive_missing_sigma():
    noise = Correlated(noise=Gaussian(sigma=np.where(USED, SIGMA, np.nan)), correlation=GaussianCorrelation(fwhm=2.0))
    found = noise.draw(jax.random.key(0), jnp.asarray(MODEL), jnp.asarray(LIGHT))
    np.testing.assert_array_equal(np.isfinite(found), USED)


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
