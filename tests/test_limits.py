"""Upper and lower limits, in configurations and in populations."""

import numpy as np
import numpyro
import pytest
from configured import GRID, ORIGIN, SHAPE, replace, write_galaxy
from scipy import stats

from jaxmetal import population
from jaxmetal.edge.errors import InputError
from jaxmetal.io import read_config, write_maps
from jaxmetal.population.covariates import along, design
from jaxmetal.population.linear import starts


def test_limits_of_a_map_have_two_sides(tmp_path):
    path, sides = write_galaxy(tmp_path), np.zeros(SHAPE)
    sides[2, 3:6], sides[4, 5:9] = 1.0, -1.0
    write_maps(tmp_path / "limits.fits", {"data": sides}, GRID, ORIGIN)
    replace(
        path,
        'noise = {type = "Gaussian", jitter = 0.01}',
        'noise = {type = "Censored", limits = "limits.fits", noise = {type = "Gaussian"}}',
    )
    seen = read_config(path).observations["metallicity"]
    np.testing.assert_array_equal(seen.noise.limits, sides)
    model = np.full(SHAPE, 8.5)
    found = np.asarray(seen.noise.pointwise(seen.data, model, np.ones(SHAPE), seen.used))
    away = (seen.data - model) / 0.05
    expected = np.select([sides > 0, sides < 0], [stats.norm.logcdf(away), stats.norm.logsf(away)], np.nan)
    np.testing.assert_allclose(found[sides != 0], expected[sides != 0], rtol=1e-10)
    np.testing.assert_array_equal(seen.noise.measured(seen.used), seen.used & (sides == 0))


@pytest.fixture
def bounded():
    """Star-formation rates of five galaxies: two upper and one lower limit."""
    values, limit = np.array([0.3, 0.2, 1.4, 0.5, 0.6]), [1, 1, -1, 0, 0]
    return population.Covariate(values=values, pivot=0.1, limit=limit, sigma=0.1)


def test_limits_of_a_covariate_have_two_sides(bounded):
    given = design({"log_sfr": bounded})
    assert given.limited[0].tolist() == [0, 1, 2]
    assert given.sides.tolist() == [1, 1, -1]
    assert given.variance[:, 0] == pytest.approx([0.0, 0.0, 0.0, 0.01, 0.01])
    true = np.array([-0.1, 0.4, 1.6])
    values = {"covariate.limited": true, "covariate.mean": np.zeros(1), "covariate.sd": np.ones(1)}
    model = numpyro.handlers.substitute(lambda: along(given, np.ones(1)), values)
    traced = numpyro.handlers.trace(numpyro.handlers.seed(model, 0)).get_trace()
    upper, lower = 10.0 ** (true[:2] - given.x[:2, 0]), 10.0 ** (given.x[2, 0] - true[2])
    expected = -0.5 * (np.sum(upper**2) + lower**2)
    assert float(traced["covariate.limits"]["fn"].log_factor) == pytest.approx(expected)
    np.testing.assert_allclose(starts({}, given)["covariate.limited"], given.x[:3, 0] - [0.3, 0.3, -0.3])


def test_rank_correlations_draw_on_the_right_side():
    """The galaxies with the largest y have limits where all others lie, and are mostly on one side of them."""
    y, x = np.arange(40.0), np.random.default_rng(0).normal(0.0, 0.01, 40)
    quantity = population.Measured(values=y, sigma=np.full(40, 1e-9))

    def median(side):
        covariate = population.Covariate(values=x, pivot=0.0, limit=np.where(y < 30, 0, side))
        return population.spearman(quantity, covariate, repeats=200).median

    assert median(-1) > median(0) > median(1)
    assert median(-1) - median(1) > 0.1


def test_what_is_neither_is_refused():
    with pytest.raises(InputError, match="1 for upper and -1 for lower limits, found int64"):
        population.Covariate(values=np.zeros(2), pivot=0.0, limit=[0, 2])
    with pytest.raises(InputError, match="found float64"):
        population.Covariate(values=np.zeros(2), pivot=0.0, limit=[0.0, 1.0])
