"""Posteriors of many spaxels: against brute force, NUTS and the published maps of a lensed arc."""

from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from precision import doubles
from scipy.integrate import quad
from scipy.stats import kstest, norm
from spectra import SIX, brute_force, expected_fluxes

import jaxmetal as jm
from jaxmetal.io.tables import read_table
from jaxmetal.spaxel import adaptive
from jaxmetal.spaxel.adaptive import Levels, density, finer
from jaxmetal.spaxel.integrate import posterior_grid

refine = jax.jit(adaptive.refine, static_argnums=(0, 3))
quantiles, share_below = jax.jit(adaptive.quantiles), jax.jit(adaptive.share_below)

AS1063 = Path(__file__).parents[2] / "shared" / "data" / "as1063"


def spectra(count, seed):
    """Mixed spectra: S/N of Hb 1 to 100, both branches, a line missing in every third, some negative fluxes."""
    rng = np.random.default_rng(seed)
    z, a_v, sn = rng.uniform(7.2, 9.1, count), rng.uniform(0.0, 2.0, count), 10 ** rng.uniform(0.0, 2.0, count)
    sigma = np.repeat(1.0 / sn[:, None], 6, axis=1)
    flux = expected_fluxes(z, a_v) + sigma * rng.standard_normal((count, 6))
    flux[np.arange(0, count, 3), rng.integers(0, 6, len(range(0, count, 3)))] = np.nan
    return flux, sigma


def reference(flux, sigma, z_range, a_v_range, turnover):
    """Median, 16 and 84 % and the weight above the turnover, by brute force on a fine grid."""
    z, a_v = np.linspace(*z_range, 231), np.linspace(*a_v_range, 81)
    log_p = brute_force(flux, sigma, z, a_v, 0.0)
    ends = np.ones(a_v.size)
    ends[[0, -1]] = 0.5
    marginal = (np.exp(log_p - log_p.max()) * ends).sum(axis=1)
    cumulative = np.concatenate([[0.0], np.cumsum(0.5 * (marginal[1:] + marginal[:-1]))])
    cumulative /= cumulative[-1]
    low, median, high = np.interp([0.16, 0.5, 0.84], cumulative, z)
    return median, 0.5 * (high - low), 1.0 - np.interp(turnover, z, cumulative)


@pytest.fixture(scope="module")
def likelihood():
    return jm.spaxel.fluxes(SIX, "M08")


@pytest.fixture(scope="module")
def found(likelihood):
    return jm.spaxel.posterior(likelihood, *spectra(12, 11), chunk=8)


def test_grid_against_brute_force(likelihood, found):
    flux, sigma = spectra(12, 11)
    assert (flux < 0).any()
    assert np.isnan(flux).any()
    for i in (0, 2, 6, 8, 10):
        median, width, upper = reference(flux[i], sigma[i], (7.0, 9.3), (0.0, 4.0), float(likelihood.turnover))
        assert found["z"][i] == pytest.approx(median, abs=0.05 * width)
        assert found["p_upper"][i] == pytest.approx(upper, abs=0.02)


def test_columns_are_consistent(found):
    assert np.all(found["z_low"] < found["z"])
    assert np.all(found["z"] < found["z_high"])
    np.testing.assert_allclose(found["p_lower"] + found["p_upper"], 1.0)
    assert np.all((found["a_v"] > 0.0) & (found["hb"] > 0.0) & (found["information"] > 0.0))
    assert np.all((found["outside"] >= 0.0) & (found["outside"] <= 1.0))
    np.testing.assert_array_equal(found["lines"], np.isfinite(spectra(12, 11)[0]).sum(axis=1))


def test_maps_keep_their_shape(likelihood, found):
    flux, sigma = (array.reshape(3, 4, 6) for array in spectra(12, 11))
    steps = []
    again = jm.spaxel.posterior(
        likelihood, flux, sigma, chunk=8, progress=lambda done, total: steps.append((done, total))
    )
    assert again["z"].shape == (3, 4)
    np.testing.assert_array_equal(again["hb"].ravel(), found["hb"])
    assert steps == [(8, 12), (12, 12)]


def test_single_precision_in_one_chunk_agrees_with_double_in_two(likelihood, found):
    with doubles(False):
        single = jm.spaxel.posterior(likelihood, *spectra(12, 11))
    width = 0.5 * (found["z_high"] - found["z_low"])
    assert single["z"].dtype == np.float32
    assert np.max(np.abs(single["z"] - found["z"]) / width) < 0.02
    np.testing.assert_allclose(single["p_upper"], found["p_upper"], atol=5e-3)
    np.testing.assert_allclose(single["a_v"], found["a_v"], atol=0.02)


def test_without_a_single_line_the_posterior_is_the_prior(likelihood):
    flux, sigma = spectra(12, 11)
    flux[3] = np.nan
    found = jm.spaxel.posterior(likelihood, flux, sigma, chunk=8)
    assert found["lines"][3] == 0
    assert found["z"][3] == pytest.approx(8.15, abs=1e-6)
    assert found["a_v_high"][3] == pytest.approx(0.84 * 4.0, abs=1e-6)
    assert found["information"][3] == pytest.approx(0.0, abs=1e-6)
    assert np.isnan(found["hb"][3])


def test_quantiles_of_a_known_density():
    def log_density(z, a_v):
        return jnp.logaddexp(
            -0.5 * ((z - 7.6) / 0.01) ** 2 + np.log(0.3), -0.5 * ((z - 8.7) / 0.01) ** 2 + np.log(0.7)
        ) - (0.5 * ((a_v - 1.0) / 0.3) ** 2)

    found = refine(log_density, jnp.array([7.0, 9.3]), jnp.array([0.0, 4.0]), Levels())
    mass = found.mass.sum(axis=1)
    np.testing.assert_allclose(quantiles(found.z, mass, jnp.array([0.15, 0.65])), [7.6, 8.7], atol=5e-4)
    assert float(share_below(found.z, mass, 8.0)) == pytest.approx(0.3, abs=5e-3)
    assert float(quantiles(found.a_v, found.mass.sum(axis=0), jnp.array([0.5]))[0]) == pytest.approx(1.0, abs=5e-3)
    assert float(density(found.z, mass).max()) == pytest.approx(0.7 / (0.01 * np.sqrt(2 * np.pi)), rel=0.05)
    assert float(found.log_evidence) == pytest.approx(np.log(0.01 * 0.3 * 2.0 * np.pi / (2.3 * 4.0)), abs=0.01)


def test_narrow_modes_keep_their_shares():
    """A hundredth of the first cells in Z and a sixtieth in A(V): two rounds miss them."""
    width, narrow = 0.0006, 0.005

    def mode(z, a_v, at_z, at_a_v, share):
        return -0.5 * ((z - at_z) / width) ** 2 - 0.5 * ((a_v - at_a_v) / narrow) ** 2 + np.log(share)

    def log_density(z, a_v):
        return jnp.logaddexp(mode(z, a_v, 7.61, 1.33, 0.3), mode(z, a_v, 8.72, 1.32, 0.7))

    def found(levels):
        return refine(log_density, jnp.array([7.0, 9.3]), jnp.array([0.0, 4.0]), levels)

    grid = found(Levels())
    evidence = np.log(width * narrow * 2.0 * np.pi / (2.3 * 4.0))
    in_z = grid.mass.sum(axis=1)
    assert float(share_below(grid.z, in_z, 8.0)) == pytest.approx(0.3, abs=0.01)
    assert float(grid.log_evidence) == pytest.approx(evidence, abs=0.02)
    expected = 7.61 + width * norm.ppf(0.16 / 0.3), 8.72 + width * norm.ppf(0.2 / 0.7)
    np.testing.assert_allclose(quantiles(grid.z, in_z, jnp.array([0.16, 0.5])), expected, atol=0.05 * width)
    assert abs(float(found(Levels(rounds=2)).log_evidence) - evidence) > 0.3


def test_interpolated_parabolas_are_exact_and_cliffs_are_not_exceeded():
    nodes = jnp.array([0.0, 0.3, 1.0, 1.2, 2.0, 2.9])
    places, values = finer(nodes, (-3.0 * (nodes - 1.1) ** 2)[:, None], 4)
    np.testing.assert_allclose(values[:, 0], -3.0 * (places - 1.1) ** 2, atol=1e-12)
    np.testing.assert_allclose(places[::4], nodes)
    values = finer(nodes, jnp.array([-1e6, -1e4, -10.0, -5.0, -8.0, -1e5]), 4)[1]
    assert float(values.max()) < -5.0 + 1.0


@pytest.mark.skipif(not AS1063.is_dir(), reason="needs the real data in ../shared/data")
def test_published_map_of_as1063():
    table = read_table(AS1063 / "line_fluxes_by_bin.dat")
    published = read_table(AS1063 / "published_metallicity_by_bin.dat")
    _, here, there = np.intersect1d(table["bin"], published["bin"], return_indices=True)
    columns = ("oii", "hg", "hb", "oiii59", "oiii07")
    flux, sigma = (np.stack([table[prefix + name][here] for name in columns], axis=-1) for prefix in ("f_", "unc_"))
    met, met_unc = (published[name][there] for name in ("met", "met_unc"))
    good = np.all(flux > 0, axis=1) & np.all(sigma > 0, axis=1) & (met > 8.0)
    assert good.sum() > 115
    likelihood = jm.spaxel.patricio19(sigma_cal=0.06, z_range=(8.4, 9.5))
    found = jm.spaxel.posterior(likelihood, flux[good], sigma[good])
    difference = found["z"] - met[good]
    assert abs(np.median(difference)) <= 0.03
    assert 1.4826 * np.median(np.abs(difference - np.median(difference))) <= 0.012
    width = 0.5 * (found["z_high"] - found["z_low"])
    assert np.median(width / met_unc[good]) == pytest.approx(1.0, abs=0.1)


def test_ranks_are_uniform_and_notice_wrong_errors(likelihood):
    """A small simulation-based calibration; `benchmarks/lines_sbc.py` has 1,000 spectra."""
    likelihood = jm.spaxel.fluxes(SIX, "M08", hb_mean=1.0)
    rng = np.random.default_rng(90)
    count = 240
    z, a_v = rng.uniform(7.0, 9.3, count), rng.uniform(0.0, 4.0, count)
    hb, offsets = rng.exponential(1.0, count), rng.standard_normal((count, 3))
    sigma = np.repeat(np.exp(-rng.uniform(np.log(0.5), np.log(50.0), count))[:, None], 6, axis=1)
    model = hb[:, None] * np.asarray(likelihood.emission(z, a_v, offsets * likelihood.emission.scatter(z)))
    flux = model + sigma * rng.standard_normal(model.shape)

    @jax.jit
    def ranks(likelihood, flux, sigma, z, a_v):
        def one(row):
            flux, sigma, z, a_v = row
            found = posterior_grid(likelihood, flux, sigma, Levels())
            in_z, in_a_v = found.mass.sum(axis=1), found.mass.sum(axis=0)
            return share_below(found.z, in_z, z), share_below(found.a_v, in_a_v, a_v)

        return jax.lax.map(one, (flux, sigma, z, a_v), batch_size=8)

    def smallest_p(factor):
        found = ranks(likelihood, flux, factor * sigma, z, a_v)
        folded = [np.abs(2.0 * u - 1.0) for u in found]
        return 4.0 * min(kstest(np.asarray(u), "uniform").pvalue for u in (*found, *folded))

    assert smallest_p(1.0) > 0.01
    assert smallest_p(0.5) < 0.01


def test_nuts_agrees_with_the_grid(likelihood):
    flux, sigma = expected_fluxes(np.array([8.7]), np.array([0.8]))[0], np.full(6, 0.1)
    draws = jm.spaxel.sample(likelihood, flux, sigma, seed=3, warmup=200, draws=400, chains=1)
    found = jm.spaxel.posterior(likelihood, *(np.tile(array, (8, 1)) for array in (flux, sigma)))
    width = 0.5 * (found["z_high"][0] - found["z_low"][0])
    assert draws["z"].mean() == pytest.approx(found["z"][0], abs=0.25 * width)
    assert draws["z"].std() == pytest.approx(width, rel=0.2)
    hb = np.asarray(likelihood.emission.intrinsic_hbeta(draws["hb"], draws["a_v"]))
    assert np.median(hb) == pytest.approx(found["hb"][0], abs=0.3 * 0.5 * (found["hb_high"][0] - found["hb_low"][0]))


def test_shared_offsets_are_one_set():
    likelihood = jm.spaxel.fluxes(("Hb", "OIII5007", "Ha"), "M08", hb_mean=1.0)
    flux, sigma = np.array([[1.0, 2.0, 2.9], [0.5, 1.2, 1.4]]), np.full((2, 3), 0.1)
    draws = jm.spaxel.sample(likelihood, flux, sigma, warmup=20, draws=10, chains=1, shared=True)
    assert {name: values.shape[2:] for name, values in draws.items()} == {
        "offsets": (1,),
        "z": (2,),
        "a_v": (2,),
        "hb": (2,),
    }
    with pytest.raises(jm.InputError, match="offsets"):
        jm.spaxel.model(jm.spaxel.patricio19(), np.ones(5), np.ones(5), shared=True)


@pytest.mark.parametrize(
    ("flux", "sigma", "said"),
    [
        (np.ones((4, 5)), np.ones((4, 5)), "6 values"),
        (np.ones((4, 6)), np.ones((3, 6)), "shape"),
        (np.ones((4, 6)), np.zeros((4, 6)), "positive errors"),
        (np.full((4, 6), np.nan), np.ones((4, 6)), "finite"),
    ],
)
def test_data_that_do_not_fit_are_refused(likelihood, flux, sigma, said):
    with pytest.raises(jm.InputError, match=said):
        jm.spaxel.posterior(likelihood, flux, sigma)


def test_free_nitrogen_needs_nuts():
    wang = jm.spaxel.wang17(hb_range=(1e-2, 1e2), nii_ha=None)
    with pytest.raises(jm.InputError, match="nii_ha"):
        jm.spaxel.posterior(wang, np.ones((1, 6)), np.ones((1, 6)))


def test_star_formation_rates_by_hand():
    distance = 6000.0  # Mpc
    luminosity = 4.0 * np.pi * (distance * 3.0856775814913673e24) ** 2 * 1e-17
    wang = jm.spaxel.star_formation_rate(1e-17, distance, rate="wang17")
    assert float(wang) == pytest.approx(4.6e-42 * 2.86 * luminosity, rel=1e-6)
    ke12 = float(jm.spaxel.star_formation_rate(1e-17, distance, rate="ke12"))
    assert np.log10(ke12) == pytest.approx(np.log10(2.86 * luminosity) - 41.27, abs=1e-6)
    assert float(jm.spaxel.star_formation_rate(1e-17, distance)) == pytest.approx(ke12 / 1.06)
    k98 = jm.spaxel.star_formation_rate(1e-17, distance, rate="k98", magnification=4.0)
    assert float(k98) == pytest.approx(7.9e-42 * 2.86 * luminosity / 4.0, rel=1e-6)
    assert float(jm.spaxel.surface_density(1e-17, distance, 2.0)) == pytest.approx(ke12 / 1.06 / 2.0)
    draws = jm.spaxel.total(np.ones(50_000), 5.0, 1.0, jax.random.key(0))
    assert np.median(draws) == pytest.approx(0.2, rel=0.01)
    assert np.std(np.log(draws)) == pytest.approx(0.2, rel=0.02)
    spread = jm.sourceplane.MagnificationSpread(5.0, 4.0, 8.0, 30)
    draws = jm.spaxel.total(np.full(50_000, 1e10), spread.median, spread.errors, jax.random.key(0))
    np.testing.assert_allclose(1e10 / np.quantile(draws, [0.84, 0.5, 0.16]), [4.0, 5.0, 8.0], rtol=0.01)
    with pytest.raises(jm.InputError, match="did you mean 'ke12'"):
        jm.spaxel.star_formation_rate(1.0, 1.0, rate="ke13")
    assert all(rate.imf and rate.source for rate in jm.spaxel.RATES.values())


IMFS = {
    "k98": lambda m: m**-2.35,
    "k98_kroupa": lambda m: m**-2.3 if m > 0.5 else 2.0 * m**-1.3,
    "k98_chabrier": lambda m: (
        0.0443 * m**-2.3 if m > 1.0 else 0.158 / m * np.exp(-0.5 * (np.log10(m / 0.08) / 0.69) ** 2)
    ),
}
"""Stars per solar mass: Salpeter 1955; Kroupa 2001, eq. 2; Chabrier 2003, Table 1."""


@pytest.mark.parametrize(("rate", "factor"), [("k98_kroupa", 0.67), ("k98_chabrier", 0.63)])
def test_lighter_mass_functions_form_fewer_stars(rate, factor):
    """Published factors; mass of all stars from 0.1 to 100 over that of stars above 10, which ionise, agrees to 5 %."""
    of = {
        name: np.divide(*(quad(lambda m, f=imf: m * f(m), low, 100.0, points=[0.5, 1.0])[0] for low in (0.1, 10.0)))
        for name, imf in IMFS.items()
    }
    given = jm.spaxel.RATES[rate]
    assert given.factor == pytest.approx(factor * 7.9e-42)
    assert given.factor / 7.9e-42 == pytest.approx(of[rate] / of["k98"], rel=0.05)
    assert given.imf == {"k98_kroupa": "Kroupa 2001", "k98_chabrier": "Chabrier 2003"}[rate]
    assert f"times {factor}" in given.source


def test_a_galaxy_as_a_whole_is_no_spaxel():
    """A prior of Hb that is stated per spaxel, and the sum over twelve of them."""
    likelihood, row = jm.spaxel.fluxes(("Hb", "OIII5007", "Ha"), "M08", hb_mean=1.0), np.array([1.0, 1.2, 3.0])
    flux = np.tile(row, (3, 4, 1))
    spectra = jm.fluxmaps.Spectra(features=likelihood.features, flux=flux, sigma=0.03 * flux)
    found = jm.fluxmaps.measure(likelihood, spectra, {"whole": np.ones((3, 4), bool)})
    mean = jm.spaxel.posterior(likelihood, row, 0.03 * row / np.sqrt(12.0))
    for name in ("z", "z_low", "z_high", "a_v", "p_upper"):
        assert float(found.of_regions[name][0]) == pytest.approx(float(mean[name]), abs=1e-3)
    assert float(found.of_regions["hb"][0]) == pytest.approx(12.0 * float(mean["hb"]), rel=0.02)
