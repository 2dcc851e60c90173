"""Planning: Fisher errors against closed forms and against the scatter of actual fits."""

import dataclasses

import numpy as np
import numpyro.distributions as dist
import pytest
from scipy import special

from jaxmetal import planning, plot
from jaxmetal.edge.errors import InputError
from jaxmetal.likelihood import StudentT
from jaxmetal.planning.forecasts import CENTRAL, SLOPE
from jaxmetal.prepared import predictions, prepare
from jaxmetal.prior import fill

SETTING = planning.Setting(snr=80.0, fwhm_per_r_eff=0.8, pixels_per_r_eff=3.0)


def jacobian(scene, maps, truth, names):
    """Derivatives of the predictions over their errors, (parameters, data), by finite differences."""
    plans, step = prepare(scene, maps), 1e-4

    def model(**changed):
        filled = fill({"scene": scene}, truth | changed)["scene"]
        return np.asarray(predictions(maps, filled, plans)["metallicity"].value)

    used, sigma = np.asarray(maps["metallicity"].used), np.asarray(maps["metallicity"].noise.sigma)
    changes = [model(**{name: truth[name] + step}) - model(**{name: truth[name] - step}) for name in names]
    return np.stack([(change / (2 * step) / sigma)[used] for change in changes])


def test_fisher_is_the_sum_over_pixels_of_products_of_derivatives():
    scene, maps, truth = planning.observed(SETTING)
    found = planning.fisher(scene, maps, truth)
    slopes = jacobian(scene, maps, truth, found.names)
    np.testing.assert_allclose(found.information, slopes @ slopes.T, rtol=1e-5)
    assert found.names == (CENTRAL, SLOPE)
    assert found.error(SLOPE) == pytest.approx(np.sqrt(np.linalg.inv(slopes @ slopes.T)[1, 1]))


def test_the_information_of_data_with_outliers_is_that_expected():
    """Lange, Little & Taylor 1989, J. Am. Stat. Assoc. 84, 881, appendix B: of a t distribution."""
    scene, maps, truth = planning.observed(SETTING)
    sigma, used, nu = maps["metallicity"].noise.sigma, np.asarray(maps["metallicity"].used), 5.0
    noise = StudentT(sigma=sigma, nu=dist.Uniform(1, 30), scale=dist.Uniform(0.1, 10))
    names = {"nu": "metallicity.noise.nu", "scale": "metallicity.noise.scale"}
    seen = {"metallicity": dataclasses.replace(maps["metallicity"], noise=noise)}
    found = planning.fisher(scene, seen, truth | {names["nu"]: nu, names["scale"]: 1.0})

    count, slopes = used.sum(), jacobian(scene, maps, truth, (CENTRAL, SLOPE))
    trigamma = (special.polygamma(1, nu / 2) - special.polygamma(1, (nu + 1) / 2)) / 4
    expected = {
        (names["nu"], names["nu"]): count * (trigamma - (nu + 5) / (2 * nu * (nu + 1) * (nu + 3))),
        (names["scale"], names["scale"]): count * 2 * nu / (nu + 3),
        (names["nu"], names["scale"]): -count * 2 / ((nu + 1) * (nu + 3)),
        (names["nu"], SLOPE): 0.0,
    }
    for pair, value in expected.items():
        i, j = (found.names.index(name) for name in pair)
        assert found.information[i, j] == pytest.approx(value, rel=1e-5, abs=1e-6)
    i, j = (found.names.index(name) for name in (CENTRAL, SLOPE))
    information = (nu + 1) / (nu + 3) * slopes @ slopes.T
    np.testing.assert_allclose(found.information[np.ix_([i, j], [i, j])], information, rtol=1e-5)


def test_what_data_cannot_tell_is_said():
    names = ("jitter", "scale", "slope")
    alike = planning.Fisher(names, np.array([[4.0, 6.0, 0.0], [6.0, 9.0, 0.0], [0.0, 0.0, 1.0]]))
    with pytest.raises(InputError, match="found none on jitter with scale;"):
        alike.error("slope")
    with pytest.raises(InputError, match="found none on jitter;"):
        planning.Fisher(names[:2], np.diag([-1e-14, 1.0])).error("scale")


def test_fisher_errors_are_the_scatter_of_fits():
    scatter = planning.simulated_error(SETTING, count=50, seed=1)
    expected = planning.fisher_error(SETTING)
    # The standard deviation of 50 numbers is known to 10 %.
    assert 0.75 < scatter.sd / expected < 1.25
    assert scatter.quoted == pytest.approx(expected, rel=0.05)
    assert abs(scatter.bias) < 3.0 * expected / np.sqrt(50)


def test_no_prior_keeps_fits_of_poor_data_from_scattering():
    poor = SETTING._replace(snr=30.0, fwhm_per_r_eff=1.2)
    expected = planning.fisher_error(poor)
    assert expected > 1.0
    # Their maxima are no linear functions of the data any more: no estimate of theirs is better than Fisher's, though.
    assert planning.simulated_error(poor, count=30, seed=1).sd > 0.75 * expected


def test_outliers_that_a_noise_draws_are_no_mistakes_of_a_file():
    """Of 12 + log(O/H) far beyond what is physical, as wings of a Cauchy distribution reach."""
    scene, maps, truth = planning.observed(SETTING)
    noise = StudentT(sigma=maps["metallicity"].noise.sigma, nu=1.0)
    seen = {"metallicity": dataclasses.replace(maps["metallicity"], noise=noise)}
    found = planning.maxima(scene, seen, truth, count=3, seed=1)
    assert np.abs(found.best[SLOPE] - truth[SLOPE]).max() < 10.0 * planning.fisher(scene, seen, truth).error(SLOPE)


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
    with pytest.raises(InputError, match="snr: expected a number within"):
        planning.observed(SETTING._replace(snr=0.0))
    scene, maps, truth = planning.observed(SETTING)
    with pytest.raises(InputError, match="has no value"):
        planning.fisher(scene, maps, {CENTRAL: 8.6})
    for call in (
        lambda: planning.fisher(scene, maps, truth | {SLOPE.replace("slope", "slop"): 0.1}),
        lambda: planning.maxima(scene, maps, truth | {SLOPE.replace("slope", "slop"): 0.1}, 2),
        lambda: planning.Fisher((CENTRAL, SLOPE), np.eye(2)).error("slope"),
    ):
        with pytest.raises(InputError, match=rf"expected one of .* did you mean '.*{SLOPE[-10:]}'"):
            call()
    with pytest.raises(InputError, match="fixed: expected one of q, slope, found 'inclination'"):
        planning.forecast([40.0], [0.5], [3.0], inclination=3)
    with pytest.raises(InputError, match="Nothing is free"):
        planning.fisher(fill({"scene": scene}, truth)["scene"], maps, truth)
