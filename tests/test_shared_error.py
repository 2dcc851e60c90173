"""What all spaxels of a galaxy share of their error: told apart, and carried into the fit of their map."""

import dataclasses

import jax.numpy as jnp
import numpy as np
import pytest
from numpyro import distributions as dist
from scipy.stats import norm
from spectra import SIX

import jaxmetal as jm
from jaxmetal.classical import wls
from jaxmetal.edge.errors import InputError
from jaxmetal.io.lines.columns import COLUMNS
from jaxmetal.prepared import predictions
from jaxmetal.spaxel.shared import LEAST, by_ratio, split
from jaxmetal.spaxel.wang import everywhere


def test_the_split_is_that_of_a_linear_model():
    """Three ratios, y = a Z + B e + noise: the estimate moves by (w^T B)_k, and keeps w^T noise w."""
    a, b, noise = np.array([1.5, -0.7, 0.4]), np.diag([0.1, 0.16, 0.07]), np.diag([0.02, 0.05, 0.01]) ** 2
    inverse = np.linalg.inv(noise + b @ b.T)
    variance = 1.0 / (a @ inverse @ a)
    w = variance * inverse @ a
    z = 8.5 + np.sqrt(variance) * norm.ppf((np.arange(4000) + 0.5) / 4000)
    # E[e | Z, y] = B^T C^-1 (y - a Z), here with y = a 8.5
    off = {name: jnp.asarray(-(z - 8.5) * (b.T @ inverse @ a)[k]) for k, name in enumerate(("R3", "N2", "R2"))}
    found = split(jnp.asarray(z), jnp.full(4000, 1 / 4000), jnp.asarray(np.sqrt(variance)), off)
    for k, name in enumerate(off):
        assert float(found[f"z_shared_{name}"]) == pytest.approx(w @ b[:, k], rel=2e-3)
    assert float(found["z_statistical"]) == pytest.approx(np.sqrt(w @ noise @ w), rel=0.02)
    assert float(found["z_shared"] ** 2 + found["z_statistical"] ** 2) == pytest.approx(variance)


def test_what_is_no_departure_is_statistical_and_all_departure_leaves_a_rest():
    z, even = jnp.linspace(8.0, 9.0, 50), jnp.full(50, 0.02)
    none = split(z, even, jnp.asarray(0.3), {"R3": jnp.zeros(50)})
    assert float(none["z_statistical"]) == pytest.approx(0.3)
    everything = split(z, even, jnp.asarray(0.3), {"R3": -(z - 8.5) / jnp.std(z)})
    assert float(everything["z_shared_R3"]) == pytest.approx(0.3 * np.sqrt(1.0 - LEAST))
    assert float(everything["z_statistical"]) == pytest.approx(0.3 * np.sqrt(LEAST))
    assert np.sqrt(LEAST) == pytest.approx(0.1)
    assert "at least a tenth" in COLUMNS["z_statistical"].description


@pytest.fixture(scope="module")
def likelihood():
    return jm.spaxel.fluxes(SIX, "M08")


@pytest.fixture(scope="module")
def moved(likelihood):
    """Posteriors of clean fluxes as calibrated, and with each ratio half its scatter higher or lower, at two Z."""
    z, width = np.array([8.3, 8.75]), 0.5
    count = len(likelihood.emission.calibrations)
    off = np.concatenate([np.zeros((1, count)), width * np.eye(count), -width * np.eye(count)])
    scatter = np.asarray(likelihood.emission.scatter(z))
    flux = np.asarray(likelihood.emission(z, 0.5, off[:, None] * scatter))
    return jm.spaxel.posterior(likelihood, flux, np.full(flux.shape, 1.0 / 40.0))


def test_a_spaxel_moves_with_the_gas_as_its_posterior_says(likelihood, moved):
    """Against the estimates of fluxes that depart by half a scatter either way."""
    names = [one.ratio.name for one in likelihood.emission.calibrations]
    count = len(names)
    assert set(by_ratio(moved)) == set(names)
    for k, name in enumerate(names):
        found = moved["z"][1 + k] - moved["z"][1 + count + k]
        np.testing.assert_allclose(moved[f"z_shared_{name}"][0], found, atol=0.12 * moved["z_shared"][0].max())


def test_the_parts_make_the_whole(moved):
    parts = moved["z_statistical"] ** 2 + sum(one**2 for one in by_ratio(moved).values())
    np.testing.assert_allclose(parts, moved["z_sigma"] ** 2, rtol=1e-5)
    np.testing.assert_allclose(moved["z_sigma"], 0.5 * (moved["z_high"] - moved["z_low"]))
    assert np.all(moved["z_shared"] > moved["z_statistical"])


def test_departures_of_ratios_are_their_conditional_means():
    """`curti20`: e = sigma_cal (log R - log R(Z)) / (sigma^2 + sigma_cal^2), by hand."""
    likelihood = jm.spaxel.curti20(("Hbeta", "OIII5007"), ("R3",), z_range=(7.9, 8.8))
    z, flux, sigma = jnp.array([8.2, 8.6]), jnp.array([1.0, 2.0]), jnp.array([0.1, 0.1])
    found = likelihood.departures(flux, sigma, z, jnp.zeros(2))["R3"]
    one = jm.lines.calibration("C20", "R3")
    variance = (0.1**2 + 0.05**2) / np.log(10.0) ** 2
    cal = float(likelihood.scatter[0])
    expected = cal * (np.log10(2.0) - np.asarray(one.curve(z))) / (variance + cal**2)
    np.testing.assert_allclose(found, expected, rtol=1e-6)


def test_departures_of_wang17_are_their_conditional_means():
    """By brute force over ln Hb."""
    likelihood = jm.spaxel.wang17(("Hbeta", "OIII5007"), hb_range=(0.1, 10.0))
    flux, sigma = jnp.array([1.0, 3.0]), jnp.array([0.05, 0.1])
    hb = np.geomspace(0.1, 10.0, 4001)
    for z in (8.1, 8.6):
        found = likelihood.departures(flux, sigma, jnp.asarray(z), jnp.asarray(0.0))
        log_l = np.asarray(likelihood.log_likelihood(flux, sigma, z=jnp.full(hb.shape, z), a_v=0.0, hb=jnp.asarray(hb)))
        ratio = 10.0 ** float(everywhere(jm.lines.calibration("M08", "O3"))(z))
        scatter = float(likelihood.emission.scatter(jnp.asarray(z))[0])
        spread = ratio * np.sinh(np.log(10.0) * scatter) * hb
        off = spread * (3.0 - ratio * hb) / (0.1**2 + spread**2)
        weight = np.exp(log_l - log_l.max())
        assert float(found["R3"]) == pytest.approx((weight * off).sum() / weight.sum(), abs=2e-3)


def test_straight_lines_carry_what_is_shared():
    """Generalised: the weighted estimate is linear, A y; its covariance A (noise + T T^T) A^T."""
    random = np.random.default_rng(3)
    radius, sigma = random.uniform(0.0, 2.0, 40), random.uniform(0.02, 0.1, 40)
    shared = [0.08 + 0.02 * radius, -0.03 * radius**2]
    value = 8.6 - 0.2 * radius + sigma * random.standard_normal(40)
    line = wls(radius, value, sigma, shared=shared)
    design = np.stack([np.ones(40), radius], axis=1)
    weight = np.diag(sigma**-2.0)
    estimate = np.linalg.inv(design.T @ weight @ design) @ design.T @ weight
    noise = np.diag(sigma**2) + sum(np.outer(one, one) for one in shared)
    np.testing.assert_allclose(line.covariance, estimate @ noise @ estimate.T, rtol=1e-9)
    assert line.slope == wls(radius, value, sigma).slope


def columns(shape, random):
    """A spaxel's numbers with noise that goes with them, as in maps."""
    light = np.exp(-np.hypot(*np.meshgrid(np.linspace(-1.5, 1.5, shape[1]), np.linspace(-1.0, 1.0, shape[0]))))
    noise = random.standard_normal(shape)
    own = np.full(shape, 0.05)
    truth = 0.1 + 0.03 * np.log(40.0 * light)
    return (
        {"z_statistical": own, "z_shared_R3": truth + 0.02 * noise, "z_shared_N2": np.full(shape, 1e-6)},
        light,
        truth,
    )


def test_what_moves_together_is_free_of_each_spaxel_s_noise():
    found, light, truth = columns((20, 30), np.random.default_rng(4))
    used = light > 0.2
    own, together = jm.spaxel.apart(found, 40.0 * light, used)
    assert list(together) == ["R3"]
    np.testing.assert_allclose(together["R3"][used], truth[used], atol=0.004)
    assert np.isnan(together["R3"][~used]).all()
    assert np.isnan(own[~used]).all()
    assert jm.spaxel.apart(found, light, np.zeros_like(used)).shared == {}


def test_a_spectrum_that_noise_makes_precise_counts_no_more_than_its_like():
    random = np.random.default_rng(6)
    found, light, _ = columns((20, 30), random)
    typical = 1.5 / (40.0 * light)
    found["z_statistical"] = typical * np.exp(0.3 * random.standard_normal(light.shape))
    found["z_statistical"][3, 4] *= 5.0
    used = light > 0.2
    own = jm.spaxel.apart(found, 40.0 * light, used).sigma[used]
    np.testing.assert_array_less(0.9 * typical[used], own)
    assert np.all(own >= found["z_statistical"][used])
    assert np.mean(own == found["z_statistical"][used]) == pytest.approx(0.5, abs=0.1)


def test_a_map_moves_as_a_whole():
    """Predicted: what it was, and the departure times the response; the noise is told of the moved map."""
    random = np.random.default_rng(5)
    response = 0.1 + 0.02 * random.standard_normal((5, 7))
    response[0, 0] = np.nan
    values = np.where(np.isnan(response), np.nan, 8.5)
    common = {"sigma": 0.05, "psf": jm.instrument.Gaussian(fwhm=0.5), "pixel_scale": 0.2}
    plain = jm.recipes.metallicity_map(values, **common)
    shifted = jm.recipes.metallicity_map(values, shared={"R3": response}, **common)
    free = shifted.shared["R3"]
    assert isinstance(free.departure, dist.Normal)
    moved = dataclasses.replace(shifted, shared={"R3": dataclasses.replace(free, departure=-2.0)})
    scene = jm.Scene(
        sources={
            "disc": jm.Source(
                frame=jm.frame.Disc(),
                lights={"light": jm.light.Sersic(flux=1.0, r_eff=0.5, n=1.0)},
                carries={
                    "metallicity": jm.Carried(profile=jm.tracer.Gradient(central=8.6, slope=-0.2), weight="light")
                },
            )
        }
    )
    both = {"plain": plain, "moved": moved}
    seen = predictions(both, scene, jm.prepare(scene, both))
    expected = np.asarray(seen["plain"].value) - 2.0 * np.nan_to_num(response)
    np.testing.assert_allclose(seen["moved"].value, expected, atol=1e-12)
    wide = moved.padded()
    assert np.shape(wide.shared["R3"].per_scatter) == np.shape(wide.data)


@pytest.mark.parametrize(
    ("shared", "said"),
    [
        (np.zeros((4, 7)), r"shared of R3: expected the shape \(5, 7\)"),
        (np.where(np.arange(35).reshape(5, 7) < 2, np.nan, 0.1), "found none for 2 of 35"),
    ],
)
def test_responses_that_cannot_be_are_refused(shared, said):
    with pytest.raises(InputError, match=said):
        jm.recipes.metallicity_map(
            np.full((5, 7), 8.5),
            sigma=0.1,
            psf=jm.instrument.Gaussian(fwhm=0.5),
            pixel_scale=0.2,
            shared={"R3": shared},
        )
