"""Planning: Fisher errors against closed forms and against the scatter of actual fits."""

import numpy as np
import pytest

from jaxmetal import planning, plot
from jaxmetal.edge.errors import InputError
from jaxmetal.planning.forecasts import CENTRAL, SLOPE
from jaxmetal.prepared import predictions, prepare
from jaxmetal.prior import fill

SETTING = planning.Setting(snr=80.0, fwhm_per_r_eff=0.8, pixels_per_r_eff=3.0)


def test_fisher_is_the_sum_over_pixels_of_products_of_derivatives():
    scene, maps, truth = planning.observed(SETTING)
    found = planning.fisher(scene, maps, truth)
    plans = prepare(scene, maps)

    def model(**changed):
        filled = fill({"s": scene}, _renamed(truth | changed))["s"]
        return np.asarray(predictions(maps, filled, plans)["metallicity"].value)

    def _renamed(values):
        return {name.replace("scene.", "s.", 1): value for name, value in values.items()}

    step = 1e-4
    derivatives = [
        (model(**{name: truth[name] + step}) - model(**{name: truth[name] - step})) / (2 * step) for name in found.names
    ]
    used, sigma = np.asarray(maps["metallicity"].used), np.asarray(maps["metallicity"].noise.sigma)
    jacobian = np.stack([(d / sigma)[used] for d in derivatives])
    np.testing.assert_allclose(found.information, jacobian @ jacobian.T, rtol=1e-5)
    assert found.names == (CENTRAL, SLOPE)
    assert found.error(SLOPE) == pytest.approx(np.sqrt(np.linalg.inv(jacobian @ jacobian.T)[1, 1]))


def test_fisher_errors_are_the_scatter_of_fits():
    scatter = planning.simulated_error(SETTING, count=50, seed=1)
    expected = planning.fisher_error(SETTING)
    # The standard deviation of 50 numbers is known to 10 %.
    assert 0.75 < scatter.sd / expected < 1.25
    assert scatter.quoted == pytest.approx(expected, rel=0.05)
    assert abs(scatter.bias) < 3.0 * expected / np.sqrt(50)


def test_errors_grow_with_blur_and_shrink_with_light():
    table = planning.forecast([40.0, 80.0], [0.5, 2.0], [3.0])
    error = table["error"].reshape(2, 2)
    assert (error[:, 1] > 1.3 * error[:, 0]).all()
    assert (error[0] > 1.3 * error[1]).all()
    assert np.isinf(planning.forecast([2.0], [1.0], [3.0])["error"]).all()
    figure = plot.forecast(table, {name: values[:1] for name, values in table.items()})
    assert figure.axes[0].get_ylabel() == "error of the gradient [dex/R$_e$]"
    assert [len(ax.lines) for ax in figure.axes] == [4]


def test_bad_plans_are_refused():
    with pytest.raises(InputError, match="positive numbers"):
        planning.observed(SETTING._replace(snr=0.0))
    scene, maps, truth = planning.observed(SETTING)
    with pytest.raises(InputError, match="has no value"):
        planning.fisher(scene, maps, {CENTRAL: 8.6})
    with pytest.raises(InputError, match="Nothing is free"):
        planning.fisher(fill({"scene": scene}, truth)["scene"], maps, truth)
