"""Populations: each piece against an independent number, and the whole against known truths."""

import dataclasses
import sys
from pathlib import Path

import h5py
import jax
import jax.numpy as jnp
import numpy as np
import numpyro
import numpyro.distributions as dist
import pytest
from astropy.table import Table
from jax.scipy.special import erf, logsumexp
from matplotlib.collections import PolyCollection
from scipy import stats

from jaxmetal import io, plot, population
from jaxmetal.cli import main
from jaxmetal.edge.errors import InputError
from jaxmetal.population.covariates import along, design
from jaxmetal.population.reuse import effective_numbers, judge, smoothed
from jaxmetal.population.sampler import sample as draws_of
from jaxmetal.population.scatter import log_density

QUICK = population.Run(chains=1, warmup=200, draws=500, target_accept=0.8)
PAIR = population.Run(chains=2, warmup=200, draws=300, target_accept=0.8)


def sample(n=60, seed=3, scatter=0.03, slope=-0.02):
    """Masses, true gradients, and errors of every galaxy."""
    random = np.random.default_rng(seed)
    mass = random.normal(9.8, 0.6, n)
    return mass, -0.03 + slope * (mass - 10.0) + scatter * random.normal(size=n), random.uniform(0.02, 0.06, n)


def mass_of(values, **keywords):
    return {"log_mass": population.Covariate(values=values, pivot=10.0, label="log M", **keywords)}


@pytest.mark.parametrize("nu", [1.0, 2.5, 8.0, 60.0])
def test_scatter_is_a_student_t_blurred_by_the_errors(nu):
    residual = np.array([0.0, 0.02, -0.1, 0.3])
    found = np.asarray(log_density(jnp.asarray(residual), 0.03, None, nu))
    np.testing.assert_allclose(found, stats.t(nu, scale=0.03).logpdf(residual), atol=1e-10)
    for sigma in (0.004, 0.03, 0.2):
        blurred = [by_grid(nu, sigma, r) for r in residual]
        found = np.asarray(log_density(jnp.asarray(residual), 0.03, jnp.full(4, sigma**2), nu))
        np.testing.assert_allclose(found, np.log(blurred), atol=3e-4)


def by_grid(nu, sigma, residual):
    """The convolution by brute force."""
    y = residual + sigma * np.linspace(-10.0, 10.0, 200_001)
    return np.trapezoid(stats.t(nu, scale=0.03).pdf(y) * stats.norm(residual, sigma).pdf(y), y)


@pytest.fixture(scope="module")
def direct():
    """A sample and its relation from values with errors."""
    mass, true, sigma = sample()
    data = true + sigma * np.random.default_rng(5).normal(size=60)
    return mass, data, sigma, population.fit(population.Measured(values=data, sigma=sigma), mass_of(mass), run=PAIR)


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


def test_marginal_model_agrees_with_the_exact_likelihood_on_a_grid(direct):
    mass, data, sigma, found = direct
    priors = population.default_priors(found.quantity, found.covariates)
    x = mass - 10.0

    def minus_log_posterior(p):
        variance = sigma**2 + p[2] ** 2
        fit = -0.5 * np.sum((data - p[0] - p[1] * x) ** 2 / variance + np.log(variance))
        return -fit - sum(
            float(priors[n].log_prob(v)) for n, v in zip(("central", "slope.log_mass", "scatter"), p, strict=True)
        )

    # The marginal of the scatter by a grid: central and slope are Gaussian given it.
    grid = np.linspace(1e-4, 0.08, 250)
    log_p = []
    for scatter in grid:
        design_matrix = np.stack([np.ones(60), x], axis=1)
        prior_precision = np.diag([1.0 / float(priors[n].scale) ** 2 for n in ("central", "slope.log_mass")])
        weight = 1.0 / (sigma**2 + scatter**2)
        precision = design_matrix.T @ (weight[:, None] * design_matrix) + prior_precision
        start = prior_precision @ [float(priors["central"].loc), 0.0] + design_matrix.T @ (weight * data)
        at = np.linalg.solve(precision, start)
        log_p.append(-minus_log_posterior([*at, scatter]) - 0.5 * np.linalg.slogdet(precision)[1])
    p = np.exp(np.array(log_p) - np.max(log_p))
    mean = np.sum(grid * p) / p.sum()
    sd = np.sqrt(np.sum((grid - mean) ** 2 * p) / p.sum())
    drawn = found.draws["scatter"]
    assert abs(drawn.mean() - mean) < 0.25 * sd
    assert 0.85 < drawn.std() / sd < 1.15


def test_draws_with_their_prior_divided_out_say_what_the_values_say(direct):
    mass, data, sigma, marginal = direct
    random = np.random.default_rng(6)
    # A narrow prior, off centre: forgetting it is a large error.
    loc, width = 0.05, 0.05
    variance = 1.0 / (1.0 / sigma**2 + 1.0 / width**2)
    middle = variance * (data / sigma**2 + loc / width**2)
    values = middle[:, None] + np.sqrt(variance)[:, None] * random.normal(size=(len(mass), 300))
    log_prior = stats.norm(loc, width).logpdf(values)
    reused = population.fit(population.Draws(values=values, log_prior=log_prior), mass_of(mass), run=PAIR)
    for name, drawn in marginal.draws.items():
        # 300 draws of a galaxy, at a variance of 0.4 of the log-likelihood, move means by a quarter of a sd themselves.
        assert abs(reused.draws[name].mean() - drawn.mean()) < 0.5 * drawn.std(), name
    forgotten = np.average(middle, weights=1.0 / sigma**2) - np.average(data, weights=1.0 / sigma**2)
    assert forgotten > 1.5 * marginal.draws["central"].std()


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


def test_a_small_sample_without_scatter_is_sampled_without_trouble():
    mass, true, sigma = sample(n=10, scatter=0.0)
    random = np.random.default_rng(22)
    data = true + sigma * random.normal(size=10)
    draws = population.Draws(values=data[:, None] + sigma[:, None] * random.normal(size=(10, 400)))
    found = population.fit(draws, mass_of(mass), run=population.Run(chains=2, draws=300))
    assert not [str(finding) for finding in found.findings if "diverged" in finding.text]
    assert np.quantile(found.draws["scatter"], 0.16) < 0.2 * sigma.mean()


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
    share = lambda m, nu=None: step.log_share(m, 0.03, nu, limit)  # noqa: E731
    np.testing.assert_allclose(share(mean), stats.norm(mean, 0.03).logcdf(-0.04), atol=0.05)
    np.testing.assert_allclose(share(mean, 3.0), stats.t(3.0, mean, 0.03).logcdf(-0.04), atol=0.1)
    slope = jax.grad(lambda m: jnp.sum(share(m)))(jnp.asarray(mean))
    smooth = population.Selection(
        probability=lambda y, c: 0.5 * (1.0 + erf((c["limit"] - y) / (0.02 * np.sqrt(2.0)))),
        decided_by="data",
        description="",
    )
    both = stats.norm(mean, np.hypot(0.02, 0.03)).logcdf(-0.04)
    np.testing.assert_allclose(smooth.log_share(mean, 0.03, None, limit), both, atol=1e-6)
    exact = -stats.norm(mean, 0.03).pdf(-0.04) / stats.norm(mean, 0.03).cdf(-0.04)
    np.testing.assert_allclose(slope, exact, rtol=0.05, atol=0.1)


@pytest.mark.parametrize("decided_by", ["truth", "data"])
def test_selection_is_corrected(decided_by):
    random = np.random.default_rng(8)
    mass = random.normal(9.8, 0.6, 250)
    true = -0.03 - 0.02 * (mass - 10.0) + 0.05 * random.normal(size=250)
    data = true + 0.03 * random.normal(size=250)
    # Negative gradients are always kept, of the others a fifth.
    negative = (true + 0.03 * random.normal(size=250) if decided_by == "truth" else data) < -0.04
    kept = negative | (random.random(250) < 0.2)
    selection = population.Selection(
        probability=lambda y, _: 0.2 + 0.4 * (1.0 + erf((-0.04 - y) / (0.03 * np.sqrt(2.0)))),
        decided_by=decided_by,
        description="Few positive ones.",
    )
    values = data[kept][:, None] + 0.03 * random.normal(size=(kept.sum(), 60))
    corrected = population.fit(population.Draws(values=values), mass_of(mass[kept]), selection=selection, run=QUICK)
    central = corrected.draws["central"]
    assert abs(central.mean() + 0.03) < 2.5 * central.std()
    naive = np.mean(data[kept] + 0.02 * (mass[kept] - 10.0))
    assert naive < -0.03 - 2.5 * central.std()
    assert corrected.selection == "Few positive ones."


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


def test_errors_of_a_covariate_no_longer_flatten_the_slope():
    random = np.random.default_rng(9)
    mass, true, sigma = sample(n=200, seed=19, slope=-0.08)
    observed = mass + 0.5 * random.normal(size=200)
    data = population.Measured(values=true + sigma * random.normal(size=200), sigma=sigma)
    naive = np.polyfit(observed, data.values, 1)[0]
    honest = population.fit(data, mass_of(observed, sigma=0.5), run=QUICK).draws["slope.log_mass"]
    assert naive > -0.08 + 2.5 * honest.std()
    assert abs(honest.mean() + 0.08) < 2.0 * honest.std()


@pytest.fixture(scope="module")
def bounded():
    """A relation with two covariates: one with errors, one with upper limits."""
    mass, true, sigma = sample(n=40)
    limit = np.arange(40) < 4
    values = np.where(limit, 0.3, np.random.default_rng(10).normal(0.5, 0.4, 40))
    sfr = population.Covariate(values=values, pivot=0.0, limit=limit, label="log SFR", unit="dex(Msun/yr)")
    covariates = mass_of(mass, sigma=0.1) | {"log_sfr": sfr}
    return population.fit(population.Measured(values=true, sigma=sigma), covariates, run=PAIR)


def test_an_upper_limit_is_a_measurement_of_nothing(bounded):
    below = bounded.draws["covariate.limited"]
    assert below.shape[2:] == (4,)
    # A prior of 0.5 +- 0.4 times exp(-10^(2 (x - 0.3)) / 2).
    x = np.linspace(-3.0, 2.0, 4001)
    p = stats.norm(0.5, 0.42).pdf(x) * np.exp(-0.5 * 10.0 ** (2.0 * (x - 0.3)))
    assert abs(below.mean() - np.sum(x * p) / p.sum()) < 0.08
    assert design(bounded.covariates).limited[0].tolist() == [0, 1, 2, 3]


def test_a_robust_relation_forgives_an_outlier():
    mass, true, _ = sample(n=50, scatter=0.01)
    true[[3, 17]] += 0.8
    quantity = population.Measured(values=true, sigma=np.full(50, 0.01))
    robust = population.fit(quantity, mass_of(mass), robust=True, run=QUICK)
    assert robust.draws["scatter"].mean() < 0.02 < 0.1 < np.std(true)
    assert robust.draws["nu"].mean() < 4.0


def test_rank_correlation():
    random = np.random.default_rng(12)
    x = np.round(random.normal(size=80), 1)
    y = x + random.normal(size=80)
    found = population.spearman(
        population.Measured(values=y, sigma=np.full(80, 0.5)), population.Covariate(values=x, pivot=0.0)
    )
    assert found.observed == pytest.approx(stats.spearmanr(x, y).statistic, abs=1e-12)
    assert found.low < found.median < found.observed
    no_errors = population.spearman(
        population.Measured(values=y, sigma=np.full(80, 1e-9)), population.Covariate(values=x, pivot=0.0)
    )
    # Without errors what is left is the sampling error, sqrt((1 + rho^2 / 2) / (n - 3)) (Bonett & Wright 2000).
    expected = np.sqrt((1 + found.observed**2 / 2) / 77) * (1 - found.observed**2)
    assert 0.7 < 0.5 * (no_errors.high - no_errors.low) / expected < 1.4


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
    ("make", "message"),
    [
        (lambda m, y, s: (population.Measured(values=y, sigma=0.0 * s), mass_of(m)), "above 0"),
        (lambda m, y, s: (population.Measured(values=y, sigma=s), mass_of(m[:-1])), "one per galaxy"),
        (lambda m, y, s: (population.Measured(values=y, sigma=s), {}), "expected at least one"),
        (
            lambda m, y, s: (population.Measured(values=np.where(m > 9, y, np.nan), sigma=s), mass_of(m)),
            "finite number",
        ),
        (lambda m, y, s: (population.Draws(values=y), mass_of(m)), "(galaxies, draws)"),
        (lambda m, y, s: (population.Draws(values=y[:, None]), mass_of(m)), "some hundred draws of every galaxy"),
        (lambda m, y, s: (population.Draws(values=np.ones((60, 9)), log_prior=s), mass_of(m)), "shape (60, 9), found"),
        (lambda m, y, s: (population.Measured(values=y, sigma=s), mass_of(0 * m + 10, sigma=s)), "found 10 for all"),
        (lambda m, y, s: (population.Measured(values=y, sigma=s), mass_of(m, limit=m)), "booleans, found float"),
        (lambda m, y, s: mass_of(m, limit=np.ma.masked_greater(m, 9) > 8), "booleans, found masked ones"),
        (lambda m, y, s: (population.Measured(values=y, sigma=s), mass_of(np.ma.masked_less(m, 9))), "finite number"),
        (lambda m, y, s: (population.Measured(values=y, sigma=np.ma.masked_less(s, 0.03)), mass_of(m)), "above 0"),
        (lambda m, y, s: (population.Measured(values=["a"] * 60, sigma=s), mass_of(m)), "real numbers, found list"),
        (lambda m, y, s: (population.Measured(values=y, sigma=s[:9]), mass_of(m)), "shape (60,), found (9,)"),
        (lambda m, y, s: (population.Measured(values=y, sigma=s), {"log_mass": m}), "by name, found ndarray"),
        (lambda m, y, s: (population.Measured(values=y, sigma=s), mass_of(m)["log_mass"]), "by name, found none"),
        (lambda m, y, s: (y, mass_of(m)), "expected Measured or Draws, found ndarray"),
        (lambda m, y, s: population.Covariate(values=m, pivot=np.nan), "pivot of a covariate: expected one finite"),
        (lambda m, y, s: (population.Measured(values=y[:3], sigma=s[:3]), mass_of(m[:3])), "at least 4 galaxies"),
        (lambda m, y, s: (population.Measured(values=y[:1], sigma=s[:1]), mass_of(m[:1])), "at least 4 galaxies"),
        (lambda m, y, s: (population.Measured(values=y, sigma=s), mass_of(m), population.Run(seed=2**63)), "seed: exp"),
    ],
)
def test_bad_input_is_refused(make, message):
    with pytest.raises(InputError, match=message.replace("(", r"\(").replace(")", r"\)")):
        fit(*make(*sample()))


def test_chains_that_cannot_start_say_so():
    def impossible():
        numpyro.sample("a", dist.Normal(0.0, 1.0))
        numpyro.factor("never", -jnp.inf)

    with pytest.raises(InputError, match="chains cannot start"):
        draws_of(impossible, (), QUICK, {"a": 0.0})


def fit(quantity, covariates, run=QUICK):
    return population.fit(quantity, covariates, run=run)


def test_a_selection_needs_draws_and_certain_covariates():
    mass, true, sigma = sample()
    everything = population.Selection(
        probability=lambda y, c: jnp.ones_like(y), decided_by="truth", description="All of them."
    )
    with pytest.raises(InputError, match="needs draws"):
        population.fit(population.Measured(values=true, sigma=sigma), mass_of(mass), selection=everything)
    with pytest.raises(InputError, match="without errors"):
        population.fit(
            population.Draws(values=true[:, None] + np.zeros(5)), mass_of(mass, sigma=0.1), selection=everything
        )
    with pytest.raises(InputError, match="no parameter 'slope'"):
        population.fit(population.Measured(values=true, sigma=sigma), mass_of(mass), priors={"slope": None})
    with pytest.raises(InputError, match="distribution for 'scatter', found 3"):
        population.fit(population.Measured(values=true, sigma=sigma), mass_of(mass), priors={"scatter": 3})
    with pytest.raises(InputError, match="chains: expected a whole number of at least 1"):
        population.fit(population.Measured(values=true, sigma=sigma), mass_of(mass), run=population.Run(chains=0))
    run = population.Run(target_accept=1)
    with pytest.raises(InputError, match="target_accept: expected a number between 0 and 1, found 1"):
        population.fit(population.Measured(values=true, sigma=sigma), mass_of(mass), run=run)


def test_files_and_picture(bounded, tmp_path):
    with io.output_folder(tmp_path / "out") as folder:
        io.save_relation(bounded, folder)
    columns = io.read_table(tmp_path / "out" / "relation.ecsv")
    row = list(columns["parameter"]).index("slope.log_mass")
    assert columns["median"][row] == pytest.approx(np.median(bounded.draws["slope.log_mass"]))
    assert columns["unit"][row] == "dex/kpc / dex"
    assert {"relation.nc", "relation.txt", "provenance.json"} < {p.name for p in (tmp_path / "out").iterdir()}
    figure = plot.relation(bounded)
    assert [ax.get_xlabel() for ax in figure.axes] == ["log M [dex]", "log SFR [dex(Msun/yr)]"]
    assert figure.axes[0].get_ylabel() == "gradient [dex/kpc]"
    legend = [text.get_text() for text in figure.axes[-1].get_legend().get_texts()]
    assert legend[:2] == ["galaxies:\nvalue and Gaussian error", "upper limits in x"]
    for ax in figure.axes:
        bands = max(band.get_zorder() for band in ax.collections if isinstance(band, PolyCollection))
        assert bands < min(line.get_zorder() for line in ax.lines if line.get_marker() in ("o", "<"))
    figure.savefig(tmp_path / "relation.png")
    text = population.summary(bounded)
    assert "log_mass = 10" in text
    assert "Method marginal: each galaxy enters as its value with a Gaussian error." in text
    assert "No selection function" in text


@pytest.mark.parametrize(
    ("of", "per", "unit"),
    [
        ("dex/kpc", "dex(Msun)", "dex/kpc / dex(Msun)"),
        ("dex/kpc", "", "dex/kpc per unit of log_mass"),
        ("", "dex", "1 / dex"),
        ("", "", "per unit of log_mass"),
    ],
)
def test_the_unit_of_a_slope_names_what_it_is_per(bounded, of, per, unit):
    mass = dataclasses.replace(bounded.covariates["log_mass"], unit=per, label="")
    quantity = dataclasses.replace(bounded.quantity, unit=of)
    relation = dataclasses.replace(bounded, quantity=quantity, covariates=bounded.covariates | {"log_mass": mass})
    assert relation.unit("slope.log_mass") == unit
    assert (relation.unit("central"), relation.unit("scatter")) == (of, of)


SITE, OF = "scene.sources.disc.carries.metallicity.profile.slope", "disc.metallicity.slope"
LOC, WIDTH = 0.1, 0.1
"""A narrow prior, off centre, in dex/arcsec."""


@pytest.fixture
def run(tmp_path):
    """A run's table of 12 Gaussian posteriors, and the data, errors and scales that it was made from.

    Galaxy 0 failed, 1 has no mass, 2 says nothing.
    """
    random = np.random.default_rng(20)
    mass, data, sigma = random.normal(9.8, 0.6, 12), random.normal(-0.1, 0.1, 12), random.uniform(0.03, 0.2, 12)
    mass[1], sigma[2], scale = np.nan, 10.0, random.uniform(5.0, 8.0, 12)
    sd = 1.0 / np.sqrt(1.0 / sigma**2 + 1.0 / WIDTH**2)
    middle = sd**2 * (data / sigma**2 + LOC / WIDTH**2)
    middle[0] = np.nan
    status = np.array(["failed", *["ok"] * 10, "suspect"])
    columns = {"name": [f"Ω {k}" for k in range(12)], "status": status}
    columns |= {"log_mass": mass, "e_log_mass": np.full(12, 0.1)}
    for name, unit in ((OF, 1.0), (f"{OF}_per_kpc", scale)):
        for ending, side in (("", 0.0), ("_lo", -1.0), ("_hi", 1.0)):
            columns[name + ending] = (middle + side * sd) / unit
    columns |= {f"{OF}_narrowed": WIDTH / sd, f"{OF}_resolved": sd < WIDTH / 3, f"{OF}_prior_median": np.full(12, LOC)}
    io.write_table(tmp_path / "results.ecsv", columns, units={f"{OF}_per_kpc": "dex/kpc"})
    # As a run writes it: ASCII, and only units of the FITS standard.
    columns["name"] = [rf"\u03a9 {k}" for k in range(12)]
    Table(columns).write(tmp_path / "results.fits")
    return tmp_path / "results.ecsv", (data, sigma, scale, middle, sd)


def read(path, **changes):
    return io.read_population(path, **{"of": f"{OF}_per_kpc", "against": {"log_mass": None}} | changes)


def said(sample):
    return " ".join(finding.text for finding in sample.quantity.findings)


@pytest.mark.parametrize(("ending", "units"), [(".ecsv", None), (".fits", {f"{OF}_per_kpc": "dex/kpc"})])
def test_a_table_gives_the_data_behind_its_posteriors(run, ending, units):
    path, (data, sigma, scale, *_) = run
    path = path.with_suffix(ending)
    found = read(path, errors={"log_mass": "e_log_mass"}, units=units, labels={"log_mass": "log M"})
    np.testing.assert_allclose(found.quantity.values, (data / scale)[3:], rtol=1e-6)
    np.testing.assert_allclose(found.quantity.sigma, (sigma / scale)[3:], rtol=1e-6)
    mass = io.read_table(path)["log_mass"][3:]
    np.testing.assert_array_equal(found.covariates["log_mass"].values, mass)
    assert found.covariates["log_mass"].pivot == np.median(mass)
    np.testing.assert_array_equal(found.covariates["log_mass"].sigma, 0.1)
    assert (found.quantity.label, found.quantity.unit) == ("disc metallicity slope per kpc", "dex/kpc")
    assert (found.covariates["log_mass"].label, found.covariates["log_mass"].unit) == ("log M", "")
    assert found.quantity.bars == "median and 68 % interval,\neach fit's prior divided out"
    assert "10 of 12 galaxies have a fit and all columns; left out: 1 failed, 1 without log_mass." in said(found)
    assert "1 of them are suspect, and kept" in said(found)
    assert "1 that say nothing then are left out" in said(found)
    unresolved = np.sum(~io.read_table(path)[f"{OF}_resolved"][3:])
    assert f"{unresolved} gradients are not resolved, and kept" in said(found)


def test_stored_posteriors_come_with_their_prior(run):
    path, (_, _, scale, middle, sd) = run
    (path.parent / "posteriors").mkdir()
    random = np.random.default_rng(21)
    for k in range(2, 12):
        drawn = middle[k] + sd[k] * random.normal(size=(4, 300))
        with h5py.File(path.parent / "posteriors" / f"Ω {k}.nc", "w") as file:
            file[f"posterior/{SITE}"], file[f"log_prior/{SITE}"] = drawn, stats.norm(LOC, WIDTH).logpdf(drawn)
            file["posterior/chain"] = np.arange(4)
    found = read(path).quantity
    assert found.values.shape == (10, 400)
    np.testing.assert_array_equal(read(path.with_suffix(".fits")).quantity.values, found.values)
    assert found.bars.endswith("each fit's prior still in")
    np.testing.assert_allclose(found.values.mean(axis=1), (middle / scale)[2:], atol=0.2 * np.max(sd / scale))
    for values, log_prior, per_arcsec in zip(found.values, found.log_prior, scale[2:], strict=True):
        there = stats.norm(LOC / per_arcsec, WIDTH / per_arcsec).logpdf(values)
        np.testing.assert_allclose(log_prior, there, rtol=1e-6)
    (path.parent / "posteriors" / "Ω 7.nc").write_bytes(b"damaged")
    table = read(path)
    assert isinstance(table.quantity, population.Measured)
    assert "1 galaxies lack a posterior of" in said(table)


def test_lopsided_intervals_are_told(run):
    path = run[0]
    table = io.read_table(path)
    table[f"{OF}_per_kpc_hi"] += table[f"{OF}_per_kpc_hi"] - table[f"{OF}_per_kpc"]
    path.unlink()
    io.write_table(path, table)
    assert "The two sides of 10 intervals differ" in said(read(path))


QUESTIONS = {
    "no such column": ({"of": "slope"}, f"must have a column slope, but has 13 others; did you mean '{OF}'"),
    "no interval": ({"of": "e_log_mass", "errors": {}}, "must have columns e_log_mass_lo"),
    "text": ({"against": {"status": None}}, "status of .* must hold one number per galaxy, found str"),
    "itself": ({"against": {f"{OF}_per_kpc": None}}, "found .* against itself"),
    "against nothing": ({"against": {}}, "found no covariate"),
    "errors of another": ({"errors": {"galaxy.z": "e_z"}}, "found 'galaxy.z' described"),
    "a label of another": ({"labels": {"log_m": "log M"}}, "found 'log_m' described"),
    "a pivot that is no number": ({"against": {"log_mass": np.nan}}, "pivot of a covariate: expected one finite"),
}


@pytest.mark.parametrize("case", QUESTIONS, ids=str)
def test_a_question_that_a_table_cannot_answer_is_refused(run, case):
    question, words = QUESTIONS[case]
    with pytest.raises(InputError, match=words):
        read(run[0], **question)


def test_a_table_without_any_whole_row_and_intervals_without_width_are_refused(tmp_path):
    names = ("a", "a_lo", "a_hi", "x", "empty")
    columns = dict.fromkeys(names[:4], np.arange(5.0)) | {"empty": np.full(5, np.nan)}
    io.write_table(tmp_path / "t.ecsv", columns)
    with pytest.raises(InputError, match=r"No galaxy of .* has all of a, empty"):
        io.read_population(tmp_path / "t.ecsv", of="a", against={"empty": None})
    with pytest.raises(InputError, match="no width for 5 galaxies"):
        io.read_population(tmp_path / "t.ecsv", of="a", against={"x": None})
    io.write_table(tmp_path / "reversed.ecsv", columns | {"a_hi": np.arange(5.0) - 1.0})
    with pytest.raises(InputError, match=r"a_lo of .* must be the lower end of an interval, but is above a_hi for 5"):
        io.read_population(tmp_path / "reversed.ecsv", of="a", against={"x": None})


def test_other_tables_have_errors_of_their_own(tmp_path):
    (tmp_path / "t.csv").write_text("grad,err,mass\n0.1,0.01,9\n0.2,0.02,\n0.3,0.03,11\n")
    found = io.read_population(tmp_path / "t.csv", of="grad", against={"mass": 10.0}, errors={"grad": "err"})
    np.testing.assert_array_equal(found.quantity.values, [0.1, 0.3])
    np.testing.assert_array_equal(found.quantity.sigma, [0.01, 0.03])
    np.testing.assert_array_equal(found.covariates["mass"].values, [9.0, 11.0])


def test_the_command_hands_on_what_it_is_told(tmp_path, capsys, monkeypatch):
    mass, true, sigma = sample(n=8)
    rows = [f"{m:.4f},{t:.5f},{s:.5f}" for m, t, s in zip(mass, true, sigma, strict=True)]
    (tmp_path / "t.csv").write_text("\n".join(["log_m,grad_kpc,e", *rows]))
    asked, original = [], population.fit

    def fit(*arguments, run, **keywords):
        asked.append(run)
        return original(*arguments, run=run._replace(chains=1, warmup=100), **keywords)

    monkeypatch.setattr(population, "fit", fit)
    command = ["population", str(tmp_path / "t.csv"), "--of", "grad_kpc", "--against", "log_m=10", "--quiet"]
    command += ["--error", "grad_kpc=e", "--draws", "60", "-o", str(tmp_path / "out")]
    assert main([*command, "--target-accept", "0.7", "--unit", "grad_kpc=dex/kpc", "--label", "log_m=mass"]) == 0
    assert (asked[0].draws, asked[0].target_accept) == (60, 0.7)
    said = capsys.readouterr().out
    assert "dex/kpc per unit of log_m" in said
    assert "has only" in said, "60 draws are too few, and the summary must say so"
    assert main([*command, "--overwrite", "--label", "log_m"]) == 2
    assert "--label: expected COLUMN=TEXT, found log_m; name both." in capsys.readouterr().err


def test_small_populations_hold_their_truth(monkeypatch):
    monkeypatch.syspath_prepend(str(Path(__file__).resolve().parents[1] / "benchmarks"))
    import populations

    row = populations.one(7, galaxies=40, draws=400, kept=300)
    for name in ("populations", "resumable"):
        sys.modules.pop(name, None)
    assert all(0.005 < row[name]["rank"] < 0.995 for name in populations.TRUTH)
    assert row["scatter"]["low"] < row["scatter"]["median"] < row["scatter"]["high"]
