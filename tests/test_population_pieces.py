"""The pieces of a population's likelihood, and the published relations, each against an independent number."""

from functools import partial
from itertools import permutations

import jax
import jax.numpy as jnp
import numpy as np
import numpyro
import pytest
from jax.scipy.special import erf, logsumexp
from mock_populations import mass_of, sample
from scipy import stats
from scipy.special import log_expit

from jaxmetal import io, population
from jaxmetal.edge.errors import InputError
from jaxmetal.io.relation import save_relation
from jaxmetal.population import scatter as of_scatter
from jaxmetal.population.covariates import along, design
from jaxmetal.population.reuse import effective_numbers, gathered, judge, smoothed

log_density = jax.jit(of_scatter.log_density)


@pytest.mark.parametrize("nu", [1.0, 2.5, 8.0, 60.0])
def test_scatter_is_a_student_t_blurred_by_the_errors(nu):
    residual = np.array([0.0, 0.02, -0.1, 0.3])
    found = np.asarray(log_density(jnp.asarray(residual), 0.03, None, nu))
    np.testing.assert_allclose(found, stats.t(nu, scale=0.03).logpdf(residual), atol=1e-10)
    for sigma in (0.004, 0.03, 0.2):
        blurred = [by_grid(nu, sigma, r) for r in residual]
        found = np.asarray(log_density(jnp.asarray(residual), 0.03, jnp.full(4, sigma**2), nu))
        np.testing.assert_allclose(found, np.log(blurred), atol=3e-4)


@pytest.mark.parametrize(("nu", "blur", "tolerance"), [(None, 0.02, 1e-6), (3.0, 0.0, 3e-4)])
def test_scatter_is_blurred_by_errors_of_two_sides(nu, blur, tolerance):
    residual, lower, upper = np.array([0.3, 0.0, -0.05, -0.4]), 0.02, 0.2
    sides = jnp.tile(jnp.array([[lower], [upper]]), 4)
    found = np.asarray(log_density(jnp.asarray(residual), 0.03, jnp.full(4, blur**2), nu, sides))
    away = np.linspace(-5.0, 5.0, 400_001)
    true = stats.norm(0.0, np.hypot(0.03, blur)).pdf(away) if nu is None else stats.t(nu, scale=0.03).pdf(away)
    for one, value in zip(residual, found, strict=True):
        width = np.where(away > one, upper, lower)
        likelihood = 2.0 / (lower + upper) * stats.norm.pdf((one - away) / width)
        assert value == pytest.approx(np.log(np.trapezoid(true * likelihood, away)), abs=tolerance)


def by_grid(nu, sigma, residual):
    """The convolution by brute force."""
    y = residual + sigma * np.linspace(-10.0, 10.0, 200_001)
    return np.trapezoid(stats.t(nu, scale=0.03).pdf(y) * stats.norm(residual, sigma).pdf(y), y)


@pytest.mark.parametrize("pivot", [10.0, 0.0])
def test_the_slope_does_not_depend_on_the_pivot(pivot):
    """Central value and slope by linear algebra, at a known scatter: a prior far from the data must not pull."""
    mass, true, sigma = sample(n=30)
    quantity = population.Measured(values=true, sigma=sigma)
    covariate = population.Covariate(values=mass, pivot=pivot)
    priors = population.default_priors(quantity, {"log_mass": covariate})
    mean, sd = ([float(getattr(priors[n], k)) for n in ("central", "slope.log_mass")] for k in ("loc", "scale"))
    design_matrix = np.stack([np.ones(30), mass - pivot], axis=1)
    weights = 1.0 / (sigma**2 + 0.03**2)
    free = np.linalg.solve(design_matrix.T * weights @ design_matrix, design_matrix.T * weights @ true)
    precision = np.diag(np.array(sd) ** -2.0)
    pulled = np.linalg.solve(
        design_matrix.T * weights @ design_matrix + precision, design_matrix.T * weights @ true + precision @ mean
    )
    assert pulled[1] == pytest.approx(free[1], rel=0.02)


def test_identical_values_are_as_sure_as_their_errors():
    quantity = population.Measured(values=np.full(5, 0.1), sigma=np.full(5, 0.01))
    priors = population.default_priors(quantity, mass_of(np.linspace(9.0, 11.0, 5)))
    assert float(priors["scatter"].scale) == pytest.approx(0.02)


@pytest.mark.parametrize(("nu", "tolerance"), [(None, 0.01), (8.0, 0.02)])
def test_without_scatter_draws_are_no_comb(nu, tolerance):
    # The quantiles of posteriors in the places of draws: what is left is how they are smoothed.
    sigma, width = np.array([0.02, 0.05])[:, None], 0.08
    sd = 1.0 / np.sqrt(1.0 / sigma**2 + 1.0 / width**2)
    values = sd * stats.norm.ppf((np.arange(400) + 0.5) / 400)
    grains = smoothed(population.Draws(values=values, log_prior=stats.norm(0.0, width).logpdf(values)))
    weight = logsumexp(-jnp.asarray(grains.log_prior), axis=1)

    def error(mean):
        density = log_density(grains.values - mean * sigma, jnp.hypot(1e-5, grains.width), None, nu)
        found = logsumexp(density - grains.log_prior, axis=1) - weight
        return np.asarray(found - stats.norm(0.0, sigma[:, 0]).logpdf(mean * sigma[:, 0]))

    np.testing.assert_allclose([error(mean) for mean in np.linspace(-1.5, 1.5, 31)], 0.0, atol=tolerance)
    # Beyond the last draw, the foot of one in 400: without it, a hundred less.
    assert (error(6.0) > -7.0).all()


def test_few_effective_draws_are_reported():
    random = np.random.default_rng(7)
    one = np.ones((2, 5))
    wide = population.Draws(values=0.8 * random.normal(size=(30, 20)))
    numbers = effective_numbers(wide, one[..., None] * np.zeros(30), np.zeros(1), 0.03 * one, None)
    # Of 20 draws, each 0.16 wide, some (0.03^2 + 0.16^2)^(1/2) / 0.8 x 20 x sqrt(2) fall where the population is.
    assert 4.0 < np.median(numbers) < 8.0
    texts = [str(finding) for finding in judge(numbers, 20) if finding.severity == "warning"]
    assert any("effective draws where the population puts them" in text for text in texts)
    assert any("Monte Carlo variance" in text for text in texts)
    same = population.Draws(values=np.zeros((30, 40)))
    numbers = effective_numbers(same, one[..., None] * np.zeros(30), np.zeros(1), 0.03 * one, None)
    np.testing.assert_allclose(numbers, 41.0)  # and the wide one
    assert [finding.severity for finding in judge(numbers, 40)] == ["info"]


def test_share_that_enters_and_its_gradient():
    step = population.Selection(
        probability=lambda y, c: jnp.where(y < c["limit"], 1.0, 0.0), decided_by="truth", description=""
    )
    mean, limit = np.array([-0.1, 0.0, 0.02]), {"limit": jnp.full(3, -0.04)}
    share = jax.jit(lambda m, nu=None: step.log_share(m, 0.03, nu, limit))
    np.testing.assert_allclose(share(mean), stats.norm(mean, 0.03).logcdf(-0.04), atol=0.05)
    np.testing.assert_allclose(share(mean, 3.0), stats.t(3.0, mean, 0.03).logcdf(-0.04), atol=0.1)
    slope = jax.jit(jax.grad(lambda m: jnp.sum(share(m))))(jnp.asarray(mean))
    smooth = population.Selection(
        probability=lambda y, c: 0.5 * (1.0 + erf((c["limit"] - y) / (0.02 * np.sqrt(2.0)))),
        decided_by="data",
        description="",
    )
    both = stats.norm(mean, np.hypot(0.02, 0.03)).logcdf(-0.04)
    found = jax.jit(lambda m: smooth.log_share(m, 0.03, None, limit))(mean)
    np.testing.assert_allclose(found, both, atol=1e-6)
    exact = -stats.norm(mean, 0.03).pdf(-0.04) / stats.norm(mean, 0.03).cdf(-0.04)
    np.testing.assert_allclose(slope, exact, rtol=0.05, atol=0.1)


def test_a_selection_says_what_decided():
    def probability(y, c):
        return jnp.full(y.shape, 0.5)

    with pytest.raises(InputError, match="decided_by: expected one of data, truth, found 'Data'; did you mean 'data'"):
        population.Selection(probability=probability, decided_by="Data", description="")
    for decided, expected in (("truth", np.log(0.5)), ("data", 0.0)):
        one = population.Selection(probability=probability, decided_by=decided, description="")
        np.testing.assert_allclose(one.log_probability(np.zeros((2, 3)), {}), expected)


def test_true_covariates_follow_from_the_normal_formulas():
    random = np.random.default_rng(14)
    given = design(
        {
            name: population.Covariate(values=random.normal(size=6), pivot=0.2, sigma=0.3 + k)
            for k, name in enumerate("ab")
        }
    )
    slopes, mean, sd = np.array([0.7, -0.4]), np.array([0.1, -0.2]), np.array([0.9, 1.3])
    factor = np.array([[1.0, 0.0], [0.6, 0.8]])
    fixed = {"covariate.mean": mean, "covariate.sd": sd, "covariate.correlation": factor}
    model = numpyro.handlers.substitute(lambda: along(given, jnp.asarray(slopes)), data=fixed)
    found = numpyro.handlers.trace(numpyro.handlers.seed(model, 0))
    (expected, variance), density = found(), found.trace["covariate.density"]["fn"].log_factor
    population_covariance = (sd[:, None] * factor) @ (sd[:, None] * factor).T
    total = 0.0
    for k in range(6):
        noisy = population_covariance + np.diag(given.variance[k])
        gain = population_covariance @ np.linalg.inv(noisy)
        assert expected[k] == pytest.approx(slopes @ (mean + gain @ (given.x[k] - mean)))
        assert variance[k] == pytest.approx(slopes @ (population_covariance - gain @ population_covariance) @ slopes)
        total += stats.multivariate_normal(mean, noisy).logpdf(given.x[k])
    assert density == pytest.approx(total + 6 * np.log(2 * np.pi))


def test_rank_correlation():
    random = np.random.default_rng(12)
    x = np.round(random.normal(size=80), 1)
    y = x + random.normal(size=80)
    found = population.spearman(
        population.Measured(values=y, sigma=np.full(80, 0.5)), population.Covariate(values=x, pivot=0.0)
    )
    assert found.observed == pytest.approx(stats.spearmanr(x, y).statistic, abs=1e-12)
    assert found.low < found.median < found.observed
    assert found.p_value == pytest.approx(stats.spearmanr(x, y).pvalue, rel=1e-6)
    no_errors = population.spearman(
        population.Measured(values=y, sigma=np.full(80, 1e-9)), population.Covariate(values=x, pivot=0.0)
    )
    # Without errors what is left is the sampling error, sqrt((1 + rho^2 / 2) / (n - 3)) (Bonett & Wright 2000).
    expected = np.sqrt((1 + found.observed**2 / 2) / 77) * (1 - found.observed**2)
    assert 0.7 < 0.5 * (no_errors.high - no_errors.low) / expected < 1.4


def test_ranks_are_of_what_the_data_say_without_the_priors_of_fits():
    """Of galaxies that are all alike, seen with errors that grow, through priors far from them."""
    random = np.random.default_rng(1)
    x, sigma = np.linspace(9.0, 11.0, 20), np.linspace(0.02, 0.1, 20)
    seen = random.normal(0.0, sigma)
    variance = 1.0 / (1.0 / sigma**2 + 1.0 / 0.2**2)
    mean = variance * (seen / sigma**2 - 0.3 / 0.2**2)
    drawn = mean[:, None] + np.sqrt(variance)[:, None] * random.normal(size=(20, 4000))
    draws = population.Draws(values=drawn, log_prior=stats.norm.logpdf(drawn, -0.3, 0.2))
    mass = population.Covariate(values=x, pivot=10.0)
    measured = population.spearman(population.Measured(values=seen, sigma=sigma), mass)
    found = population.spearman(draws, mass)
    np.testing.assert_allclose(draws.middles(), seen, atol=0.02)
    assert found.observed == pytest.approx(measured.observed, abs=0.06)
    assert found.median == pytest.approx(measured.median, abs=0.06)
    assert population.spearman(population.Draws(values=drawn), mass).observed < measured.observed - 0.3  # it matters


def test_ranks_of_what_is_all_alike_are_unknown():
    same = population.Measured(values=np.ones(5), sigma=np.full(5, 1e-9))
    assert np.isnan(population.spearman(same, population.Covariate(values=np.arange(5.0), pivot=0.0)).observed)
    with pytest.raises(InputError, match="covariate: expected 5 entries, one per galaxy, found 1"):
        population.spearman(same, population.Covariate(values=np.ones(1), pivot=0.0))


@pytest.mark.parametrize(("rows", "slope"), [(80, 0.0), (80, -0.3), (6, 2.0), (5, 100.0), (2, 1.0)])
def test_rank_correlations_that_chance_makes(rows, slope):
    """Against scipy's two-sided p, of few galaxies by counting their orders; none for two galaxies."""
    random = np.random.default_rng(rows)
    x, noise = random.normal(size=(2, rows))
    y = slope * x + noise
    found = population.spearman(
        population.Measured(values=y, sigma=np.full(rows, 0.1)), population.Covariate(values=x, pivot=0.0), repeats=10
    )
    expected = stats.spearmanr(x, y).pvalue if rows > 2 else np.nan
    if 2 < rows < 9:
        far = abs(stats.spearmanr(x, y).statistic) - 1e-12
        expected = np.mean([abs(stats.spearmanr(x, one).statistic) >= far for one in permutations(y)])
    assert found.p_value == pytest.approx(expected, rel=1e-6, abs=1e-12, nan_ok=True)
    assert f"(p = {found.p_value:.2g})" in str(found)


def test_relations_of_the_field():
    assert population.main_sequence(10.0, 5.0) == pytest.approx((0.84 - 0.13) * 10.0 - (6.51 - 0.55))
    assert population.main_sequence_offset(10.0, 2.0, 5.0) == pytest.approx(2.0 - 1.14)
    assert population.mass_metallicity(9.0, 8.5, 0.4, 10.0) == pytest.approx(8.1)
    # At M = 10^10 and 1 Msun/yr all terms but the first vanish; the low-mass branch is linear.
    assert population.fundamental_metallicity(10.0, 0.0) == pytest.approx(8.90)
    assert population.fundamental_metallicity(8.0, 0.0) == pytest.approx(8.93 - 1.02)
    below, above = population.fundamental_metallicity(np.array([9.499999, 9.5]), 0.0)
    assert abs(above - below) < 0.03
    assert population.fundamental_metallicity_offset(8.8, 10.0, 0.0) == pytest.approx(-0.10)


def test_relations_of_the_field_take_lists():
    for call, numbers in (
        (population.main_sequence, (9.0, 10.0, 5.0, 6.0)),
        (population.main_sequence_offset, (9.0, 10.0, 1.0, 2.0, 5.0, 6.0)),
        (partial(population.mass_metallicity, pivot=10.0), (9.0, 10.0, 8.5, 8.6, 0.3, 0.4)),
        (population.fundamental_metallicity_offset, (8.5, 8.6, 9.0, 10.0, 0.0, 1.0)),
    ):
        expected = [call(*numbers[k::2]) for k in (0, 1)]
        np.testing.assert_allclose(call(*([*pair] for pair in zip(numbers[::2], numbers[1::2], strict=True))), expected)


def test_the_error_that_cannot_be_is_named():
    for wrong in (np.inf, -0.5):
        with pytest.raises(
            InputError, match=f"sigma of the quantity: expected finite errors above 0, found {wrong:g};"
        ):
            population.Measured(values=np.zeros(3), sigma=[0.01, wrong, 0.5])
    with pytest.raises(InputError, match="sigma of a covariate: expected finite errors from 0 on, found nan"):
        population.Covariate(values=np.zeros(3), pivot=0.0, sigma=[0.0, np.nan, 0.5])


def test_ages_and_scales():
    # Wright's (2006) calculator for H0 = 70, Om = 0.3, flat.
    assert io.cosmic_age(1.0) == pytest.approx(5.75, abs=0.01)
    assert io.kpc_per_arcsec(1.0) == pytest.approx(8.008, abs=0.005)


def test_intervals():
    skewed = stats.gamma(2.0).ppf((np.arange(20_000) + 0.5) / 20_000)
    low, high = population.interval(skewed, 0.68)
    assert (low, high) == pytest.approx(stats.gamma(2.0).ppf([0.16, 0.84]), abs=1e-3)
    low, high = population.interval(skewed, 0.68, "highest-density")
    assert stats.gamma(2.0).pdf(low) == pytest.approx(stats.gamma(2.0).pdf(high), abs=5e-3)
    assert stats.gamma(2.0).cdf(high) - stats.gamma(2.0).cdf(low) == pytest.approx(0.68, abs=1e-3)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"kind": "equal tailed"}, "kind: expected one of .* found 'equal tailed'; did you mean 'equal-tailed'"),
        ({"level": 68}, r"level: expected a number within \(0, 1\), found 68"),
        ({"level": float("nan")}, "level: expected a number within"),
    ],
)
def test_intervals_that_there_are_not(tmp_path, options, said):
    quantity = population.Measured(values=np.arange(5.0), sigma=np.ones(5))
    draws = {name: np.random.default_rng(1).normal(size=(2, 50)) for name in ("central", "slope.log_mass", "scatter")}
    relation = population.Relation(
        quantity=quantity,
        covariates=mass_of(np.arange(5.0)),
        draws=draws,
        method="marginal",
        robust=False,
        selection="",
    )
    for call in (population.table, population.summary, partial(save_relation, folder=tmp_path)):
        with pytest.raises(InputError, match=said):
            call(relation, **options)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("mean", "scatter", "tolerance"), [(0.0, 0.03, 1e-5), (-0.5, 0.03, 1e-4), (-2.0, 0.2, 0.02), (-20.0, 0.69, 0.2)]
)
def test_the_share_that_enters_is_right_far_from_all_that_was_measured(mean, scatter, tolerance):
    """Too small a share there would be a maximum of its own, with the relation scatters away from its galaxies."""
    open_above = population.Selection(
        probability=lambda y, x: jax.nn.sigmoid((y + 0.03) / 0.02), decided_by="truth", description="Positive ones."
    )
    y = np.unique(np.concatenate([np.linspace(-3.0, 0.6, 400_001), mean + scatter * np.linspace(-12.0, 12.0, 40_001)]))
    log_term = stats.norm(mean, scatter).logpdf(y) + log_expit((y + 0.03) / 0.02)
    expected = log_term.max() + np.log(np.trapezoid(np.exp(log_term - log_term.max()), y))
    share = jax.jit(lambda m, s: open_above.log_share(m, s, None, {}, (-0.2, 0.3)))
    found = share(jnp.array([mean]), scatter)
    assert float(found[0]) == pytest.approx(expected, abs=tolerance)


@pytest.mark.parametrize("shape", ["normal", "skewed", "two humps"])
def test_grains_taken_together_say_what_each_said(shape):
    random = np.random.default_rng(4)
    z = {
        "normal": random.standard_normal((20, 1000)),
        "skewed": random.gamma(2.0, 1.0, (20, 1000)),
        "two humps": 0.4 * random.standard_normal((20, 1000)) + random.choice([-1.0, 1.0], (20, 1000)),
    }[shape]
    values = 0.1 * random.standard_normal((20, 1)) + random.uniform(0.01, 0.3, (20, 1)) * z
    grains = smoothed(population.Draws(values=values, log_prior=stats.norm(0.0, 0.5).logpdf(values)))
    fewer = gathered(grains)
    assert fewer.values.shape[1] < 500 < grains.values.shape[1]

    def terms(one, mean, scatter):
        wide = np.hypot(scatter, one.width)
        return logsumexp(stats.norm(mean[:, None], wide).logpdf(one.values) - one.log_prior, axis=1)

    for scatter in (1e-3, 0.03, 0.3):
        mean = values.mean(axis=1) + values.std(axis=1) * random.uniform(-1.5, 1.5, 20)
        np.testing.assert_allclose(terms(fewer, mean, scatter), terms(grains, mean, scatter), atol=5e-3)
