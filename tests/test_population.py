"""Populations: what they hold against known truths, what is refused, and what is written and drawn."""

import dataclasses
import sys
from pathlib import Path

import jax.numpy as jnp
import numpy as np
import numpyro
import numpyro.distributions as dist
import pytest
from jax.scipy.special import erf
from matplotlib.collections import PolyCollection
from mock_populations import PAIR, QUICK, mass_of, sample
from scipy import stats

from jaxmetal import io, plot, population
from jaxmetal.edge.errors import InputError
from jaxmetal.population.covariates import design
from jaxmetal.population.sampler import sample as draws_of

pytestmark = pytest.mark.usefixtures("optimised")


@pytest.fixture(scope="module")
def direct():
    """A sample and its relation from values with errors."""
    mass, true, sigma = sample()
    data = true + sigma * np.random.default_rng(5).normal(size=60)
    return mass, data, sigma, population.fit(population.Measured(values=data, sigma=sigma), mass_of(mass), run=PAIR)


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


def test_a_small_sample_without_scatter_is_sampled_without_trouble():
    mass, true, sigma = sample(n=10, scatter=0.0)
    random = np.random.default_rng(22)
    data = true + sigma * random.normal(size=10)
    draws = population.Draws(values=data[:, None] + sigma[:, None] * random.normal(size=(10, 400)))
    found = population.fit(draws, mass_of(mass), run=population.Run(chains=2, draws=300))
    assert not [str(finding) for finding in found.findings if "diverged" in finding.text]
    assert np.quantile(found.draws["scatter"], 0.16) < 0.2 * sigma.mean()


@pytest.mark.parametrize("decided_by", ["truth", "data"])
def test_selection_is_corrected(decided_by):
    random = np.random.default_rng(8)
    mass = random.normal(9.8, 0.6, 140)
    true = -0.03 - 0.02 * (mass - 10.0) + 0.05 * random.normal(size=140)
    data = true + 0.03 * random.normal(size=140)
    # Negative gradients are always kept, of the others a fifth.
    negative = (true + 0.03 * random.normal(size=140) if decided_by == "truth" else data) < -0.04
    kept = negative | (random.random(140) < 0.2)
    selection = population.Selection(
        probability=lambda y, _: 0.2 + 0.4 * (1.0 + erf((-0.04 - y) / (0.03 * np.sqrt(2.0)))),
        decided_by=decided_by,
        description="Few positive ones.",
    )
    values = data[kept][:, None] + 0.03 * random.normal(size=(kept.sum(), 60))
    run = population.Run(chains=1, warmup=150, draws=400, target_accept=0.8)
    corrected = population.fit(population.Draws(values=values), mass_of(mass[kept]), selection=selection, run=run)
    central = corrected.draws["central"]
    assert abs(central.mean() + 0.03) < 2.5 * central.std()
    naive = np.mean(data[kept] + 0.02 * (mass[kept] - 10.0))
    assert naive < -0.03 - 2.5 * central.std()
    assert corrected.selection == "Few positive ones."


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
        (lambda m, y, s: (population.Measured(values=y, sigma=s), mass_of(m, limit=m)), "found float"),
        (lambda m, y, s: mass_of(m, limit=np.ma.masked_greater(m, 9) > 8), "found masked ones"),
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
        (
            lambda m, y, s: (population.Measured(values=y, sigma=s), mass_of(m), population.Run(seed=2**63)),
            "The seed must be",
        ),
        (
            lambda m, y, s: (population.Measured(values=y, sigma=s), {"M/L": mass_of(m)["log_mass"]}),
            "A covariate has the name 'M/L', which no file can have, as it has a slash; rename it.",
        ),
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
    nothing = dataclasses.replace(everything, probability=lambda y, _: 0.0 * y)
    with pytest.raises(InputError, match=f"at all of {len(true)} of {len(true)} galaxies"):
        population.fit(population.Draws(values=true[:, None] + np.zeros(5)), mass_of(mass), selection=nothing)
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
    assert legend[:2] == ["galaxies:\nvalue and error", "upper limits in x"]
    for ax in figure.axes:
        bands = max(band.get_zorder() for band in ax.collections if isinstance(band, PolyCollection))
        assert bands < min(line.get_zorder() for line in ax.lines if line.get_marker() in ("o", "<"))
    figure.savefig(tmp_path / "relation.png")
    text = population.summary(bounded)
    assert "log_mass = 10" in text
    assert "Method marginal: each galaxy enters as its value with its error, Gaussian or of two sides." in text
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


def test_small_populations_hold_their_truth(monkeypatch):
    monkeypatch.syspath_prepend(str(Path(__file__).resolve().parents[1] / "benchmarks"))
    import populations

    row = populations.one(7, galaxies=40, draws=400, kept=300)
    for name in ("populations", "resumable"):
        sys.modules.pop(name, None)
    assert all(0.005 < row[name]["rank"] < 0.995 for name in populations.TRUTH)
    assert row["scatter"]["low"] < row["scatter"]["median"] < row["scatter"]["high"]
