"""Regression with errors in both variables, against the paper's own Gibbs sampler."""

import numpy as np
import pytest
from linmix_gibbs import gibbs

from jaxmetal import population
from jaxmetal.edge.errors import InputError
from jaxmetal.numerics.convergence import effective_samples


@pytest.fixture(scope="module")
def data():
    """True x in two clumps, errors of both variables as large as the scatter."""
    random = np.random.default_rng(21)
    true = np.concatenate([random.normal(8.8, 0.2, 40), random.normal(10.0, 0.3, 40)])
    x_error, y_error = random.uniform(0.1, 0.4, 80), random.uniform(0.03, 0.15, 80)
    x = true + x_error * random.normal(size=80)
    y = 8.4 + 0.3 * (true - 9.5) + 0.08 * random.normal(size=80) + y_error * random.normal(size=80)
    return x, y, x_error, y_error


@pytest.fixture(scope="module")
def fitted(data):
    x, y, x_error, y_error = data
    return population.regress(
        population.Measured(values=y, sigma=y_error, label="12 + log(O/H)", unit="dex"),
        population.Covariate(values=x, pivot=9.5, sigma=x_error),
        name="log_mass",
        components=2,
        run=population.Run(chains=4, warmup=500, draws=1000),
    )


def test_agrees_with_the_gibbs_sampler_to_monte_carlo_error(data, fitted):
    x, y, x_error, y_error = data
    reference = gibbs(x - 9.5, y, x_error, y_error, components=2, steps=12_000, seed=4)
    chains = reference.reshape(4, 3000, 3)
    for k, name in enumerate(("central", "slope.log_mass", "scatter")):
        a, b = fitted.draws[name], chains[..., k]
        error = np.sqrt(a.var() / effective_samples(a) + b.var() / effective_samples(b))
        assert abs(a.mean() - b.mean()) < 3.5 * error, name
        assert error < 0.12 * b.std(), name
        assert 0.9 < a.std() / b.std() < 1.1, name
    # An ordinary straight line is another number by far more.
    flat = np.polyfit(x, y, 1)[0]
    assert abs(flat - chains[..., 1].mean()) > 1.5 * chains[..., 1].std()


def test_the_truth_and_the_paper_s_interval(fitted):
    columns = population.table(fitted, kind="highest-density")
    row = columns["parameter"].index("slope.log_mass")
    assert columns["low"][row] - 0.05 < 0.3 < columns["high"][row] + 0.05
    equal = population.table(fitted)
    assert columns["high"][row] - columns["low"][row] <= equal["high"][row] - equal["low"][row] + 1e-6


def test_limits_and_impossible_correlations_are_refused(data):
    x, y, _, y_error = data
    quantity = population.Measured(values=y, sigma=y_error)
    with pytest.raises(InputError, match="found limits"):
        population.regress(quantity, population.Covariate(values=x, pivot=9.5, limit=x < 8.5))
    with pytest.raises(InputError, match="within"):
        population.regress(quantity, population.Covariate(values=x, pivot=9.5), error_correlation=1.0)
    with pytest.raises(InputError, match="components: expected a whole number of at least 1"):
        population.regress(quantity, population.Covariate(values=x, pivot=9.5), components=0)
    with pytest.raises(InputError, match="the regression needs values with errors"):
        population.regress(population.Draws(values=np.tile(y[:, None], 5)), population.Covariate(values=x, pivot=9.5))
