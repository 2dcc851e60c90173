"""Steps on flux maps against scipy, numpy and hand-computed points."""

import jax.numpy as jnp
import numpy as np
import pytest
from precision import doubles
from scipy import ndimage, optimize

import jaxmetal as jm
from jaxmetal import fluxmaps
from jaxmetal.classical import annuli
from jaxmetal.fluxmaps import excitation
from jaxmetal.fluxmaps.by_ratio import on_branch
from jaxmetal.lines import calibration

R3_C20, N2_C20 = calibration("C20", "R3"), calibration("C20", "N2")


@pytest.fixture(autouse=True)
def double():
    with doubles(True):
        yield


def blob(row, column, shape=(40, 52)):
    y, x = np.indices(shape)
    return np.exp(-0.5 * (((y - row) / 3.0) ** 2 + ((x - column) / 2.2) ** 2)) + 0.4 * np.exp(
        -0.5 * (((y - row + 7) / 2.5) ** 2 + ((x - column - 5) / 2.5) ** 2)
    )


@pytest.mark.parametrize("move", [(0.0, 0.0), (1.3, -2.4), (-3.75, 4.5)])
def test_offset_finds_a_known_displacement(move):
    found = fluxmaps.offset(blob(20, 24), blob(20 + move[0], 24 + move[1]))
    assert (found.row, found.column) == pytest.approx(move, abs=0.05)


@pytest.mark.parametrize("sigma", [3.0, 10.0, 20.0])
def test_a_blob_as_wide_as_the_frame_is_found_where_it_is(sigma):
    """Sums over the whole frame, with nothing beyond it, favour no displacement: (0.30, -0.48) at 10 pixels."""
    y, x = np.indices((40, 52))
    squared = [(y - row) ** 2 + (x - column) ** 2 for row, column in ((19.5, 25.5), (17.2, 26.9))]
    wide = [np.exp(-0.5 * one / sigma**2) for one in squared]
    found = fluxmaps.offset(*wide)
    assert (found.column, found.row) == pytest.approx((1.40, -2.30), abs=0.02)


def test_offset_is_at_the_peak_of_the_correlation_of_what_both_maps_have():
    random = np.random.default_rng(4)
    first, second = random.normal(size=(2, 21, 17)) + np.stack([blob(11, 8, (21, 17)), 5.0 * blob(13, 6, (21, 17))])
    first[random.random(first.shape) < 0.1] = np.nan
    second[:, :3] = np.nan
    lags = range(-6, 7)
    pearson = np.full((13, 13), np.nan)
    for i, row in enumerate(lags):
        for j, column in enumerate(lags):
            f = first[max(0, -row) : 21 - max(0, row), max(0, -column) : 17 - max(0, column)].ravel()
            t = second[max(0, row) : 21 + min(0, row), max(0, column) : 17 + min(0, column)].ravel()
            both = np.isfinite(f + t)
            pearson[i, j] = np.corrcoef(f[both], t[both])[0, 1]
    best = np.unravel_index(pearson.argmax(), pearson.shape)
    middle = pearson[best[0] - 1 : best[0] + 2, best[1] - 1 : best[1] + 2]
    gradient = 0.5 * np.array([middle[2, 1] - middle[0, 1], middle[1, 2] - middle[1, 0]])
    cross = 0.25 * (middle[2, 2] - middle[2, 0] - middle[0, 2] + middle[0, 0])
    curvature = [[np.diff(middle[:, 1], 2)[0], cross], [cross, np.diff(middle[1], 2)[0]]]
    expected = np.array(best) - 6 - np.linalg.solve(curvature, gradient)
    found = fluxmaps.offset(first, second, reach=6)
    assert (found.row, found.column) == pytest.approx(expected, abs=1e-8)


def test_offset_ignores_noise_and_background():
    noise = np.random.default_rng(3).normal(5.0, 0.03, (2, 40, 52))
    other = blob(21.4, 22.7) + noise[1]
    other[0, 0] = np.nan
    found = fluxmaps.offset(blob(20, 24) + noise[0], other)
    assert (found.row, found.column) == pytest.approx((1.4, -1.3), abs=0.1)


def test_shift_agrees_with_scipy_and_undoes_the_offset():
    moved = np.asarray(fluxmaps.shifted(blob(20, 24), fluxmaps.Offset(column=1.3, row=-0.6)))
    reference = ndimage.shift(blob(20, 24), (-0.6, 1.3), order=3)
    inside = (slice(4, -4), slice(4, -4))
    assert np.abs(moved - reference)[inside].max() < 0.01
    assert np.abs(moved - blob(19.4, 25.3))[inside].max() < 0.01
    assert np.isnan(moved[0, 0])


def test_deblending_recovers_both_lines():
    oiii, hbeta = np.zeros((2, 5, 60))
    random = np.random.default_rng(1)
    oiii[:, 35:52] = random.random((5, 17))
    hbeta[:, 12:33] = random.random((5, 21))
    stripe = oiii + hbeta + np.roll(oiii, -9, axis=-1) / 2.98
    found = fluxmaps.deblend(stripe, spacing=9, first=35, ratio=2.98)
    np.testing.assert_allclose(found.oiii5007, oiii, atol=1e-12)
    np.testing.assert_allclose(found.rest, hbeta, atol=1e-12)
    assert np.abs(fluxmaps.deblend(stripe, spacing=8, first=35, ratio=2.98).rest - hbeta).max() > 0.05


CURVES = [
    (excitation.KEWLEY01_NII, -0.5, 0.561134),
    (excitation.KAUFFMANN03, -0.5, 0.190909),
    (excitation.KEWLEY01_SII, -0.4, 0.3),
    (excitation.KEWLEY06_SII, -0.2, 0.382),
    (excitation.BACKHAUS22, -0.5, 0.170588),
]


@pytest.mark.parametrize(("curve", "x", "y"), CURVES)
def test_golden_points_of_the_demarcations(curve, x, y):
    assert float(curve(x)) == pytest.approx(y, abs=1e-6)


def test_nothing_is_star_forming_right_of_a_pole():
    assert bool(fluxmaps.nii_diagram(jnp.array([0.6]), jnp.array([-1.0])).agn[0])
    assert bool(fluxmaps.sii_diagram(jnp.array([0.5]), jnp.array([-1.0])).liner[0])
    assert bool(fluxmaps.blended_diagram(jnp.array([0.0]), jnp.array([-1.0])).agn[0])


def test_classes_share_out_all_known_spaxels():
    x, y = np.meshgrid(np.linspace(-2, 0.8, 41), np.linspace(-1.5, 1.5, 37))
    x[0, 0] = np.nan
    for masks in (
        fluxmaps.nii_diagram(x, y),
        fluxmaps.sii_diagram(x, y),
        fluxmaps.blended_diagram(x, y),
        fluxmaps.mass_excitation(x + 10.5, y),
    ):
        assert np.array_equal(np.sum(np.array(masks), axis=0), np.isfinite(x))
        assert all(np.any(np.asarray(mask)) for mask in masks)


def test_classes_on_either_side_of_each_curve():
    n2 = np.full(3, -0.5)
    found = np.array(fluxmaps.nii_diagram(n2, np.array([0.18, 0.4, 0.57])))
    assert np.array_equal(found, np.eye(3, dtype=bool))
    found = np.array(fluxmaps.sii_diagram(np.array([-0.4, -0.2, -0.2]), np.array([0.29, 0.39, 0.37])))
    assert np.array_equal(found, np.eye(3, dtype=bool))
    mex = fluxmaps.mass_excitation(np.full(3, 9.0), np.array([0.88, 0.90, np.nan]))  # both curves at 0.89
    assert np.array_equal(np.array(mex), [[True, False, False], [False, False, False], [False, True, False]])
    # At 10.5: lower -0.355, upper -0.102.
    mex = fluxmaps.mass_excitation(np.full(3, 10.5), np.array([-0.36, -0.11, -0.10]))
    assert np.array_equal(np.array(mex), np.eye(3, dtype=bool))
    moved = fluxmaps.mass_excitation(np.full(3, 11.0), np.array([-0.36, -0.11, -0.10]), shift=0.5)
    assert np.array_equal(np.array(moved), np.array(mex))


def spaxels():
    fluxes = {"Halpha": [5.0, 4.9, 9.0, 9.0], "NII6584": [2.5, 9.0, 2.4, 9.0], "SII": [9.0, 9.0, 2.6, 1.0]}
    fluxes = {name: np.array(row) for name, row in fluxes.items()}
    return fluxes, {name: np.ones(4) for name in fluxes}


def test_klever_limits_and_sulphur_in_place_of_nitrogen():
    """S2 stands in for N2 in all spaxels of a galaxy or in none."""
    fluxes, sigmas = spaxels()
    found = fluxmaps.klever(fluxes, sigmas, ["N2", "S2"])
    assert found.combination == ("N2",)
    assert np.asarray(found.masks["N2"]).tolist() == [True, False, False, True]
    assert not np.asarray(found.masks["S2"]).any()
    sulphur = fluxmaps.klever({**fluxes, "NII6584": np.array([2.5, 9.0, 2.4, 2.4])}, sigmas, ["N2", "S2"])
    assert sulphur.combination == ("S2",)
    assert not np.asarray(sulphur.masks["N2"]).any()
    assert np.asarray(sulphur.masks["S2"]).tolist() == [True, False, True, False]
    known = fluxmaps.klever(fluxes, sigmas, ["N2", "S2"], combination=["S2"])
    assert np.asarray(known.masks["S2"]).tolist() == [True, False, True, False]
    assert found.finding.severity == "warning"
    assert "metallicity" in found.finding.text
    whole = fluxmaps.klever(*spaxels(), ["N2"], integrated=True)
    assert np.asarray(whole.masks["N2"]).tolist() == [False, True, False, True]


def test_reddening_by_balmer_lines_or_the_global_value():
    fluxes = {"Halpha": 2.87 * np.ones(3) * 20, "Hbeta": 20 * np.ones(3)}
    law = jm.lines.dust_law("Calzetti00")
    red = {name: np.array(flux * 10 ** (-0.4 * float(law(name)) * 4.05 * 0.3)) for name, flux in fluxes.items()}
    red["Hbeta"][1] = 0.1
    red["Halpha"][2] = red["Hbeta"][2]
    sigmas = {name: np.ones(3) for name in red}
    found = fluxmaps.balmer_ebv(red, sigmas, 0.17, fallback_error=0.04, law="Calzetti00")
    assert np.asarray(found.ebv) == pytest.approx([0.3, 0.17, 0.0], abs=1e-5)
    assert float(found.error[1]) == 0.04
    theory = fluxmaps.balmer_ebv(red, sigmas, 0.17, law="Calzetti00", intrinsic=2.863)
    assert float(theory.ebv[0] - found.ebv[0]) == pytest.approx(
        2.5 * np.log10(2.87 / 2.863) / 4.05 / float(law("Hbeta") - law("Halpha")), abs=1e-8
    )
    assert np.isnan(theory.error[1])
    back = fluxmaps.deredden({"Hbeta": red["Hbeta"][:1]}, 4.05 * 0.3, "Calzetti00")
    assert float(back["Hbeta"][0]) == pytest.approx(20.0)


def test_reddening_scatters_as_its_error_says():
    random = np.random.default_rng(6)
    fluxes = {"Halpha": 400.0, "Hbeta": 100.0}
    noisy = {name: flux + 3.0 * random.standard_normal(20_000) for name, flux in fluxes.items()}
    sigmas = {name: np.full(20_000, 3.0) for name in fluxes}
    found = fluxmaps.balmer_ebv(noisy, sigmas, 0.0)
    assert float(np.median(found.error)) == pytest.approx(float(np.std(found.ebv)), rel=0.03)
    # k(Hb) = 3.61 and k(Ha) = 2.53 of CCM89.
    assert float(np.median(found.error)) == pytest.approx(
        2.5 / 1.08 * np.hypot(3 / 100, 3 / 400) / np.log(10.0), rel=0.01
    )


def test_bins_of_two_by_two():
    flux = np.arange(35.0).reshape(5, 7)
    total, sigma = fluxmaps.binned(flux, np.full((5, 7), 3.0))
    assert total.shape == (2, 3)
    assert total[1, 2] == flux[2:4, 4:6].sum()
    assert np.all(sigma == 6.0)


def test_wang_keeps_spaxels_with_one_good_line():
    fluxes = {"Halpha": np.array([4.9, 5.0, 0.0]), "OIII5007": np.array([4.9, -3.0, np.nan])}
    kept = fluxmaps.wang(fluxes, {name: np.ones(3) for name in fluxes})
    assert np.asarray(kept.masks["spaxels"]).tolist() == [False, True, False]


def test_annuli_grow_to_signal_to_noise_of_15():
    radius = np.arange(1.0, 1001.0)
    one = np.ones(1000)
    fluxes, sigmas = {"Halpha": one}, {"Halpha": one}
    table = fluxmaps.wang_annuli(radius, 8.0 * one, 0.1 * one, fluxes, sigmas, redshift=1.2)
    assert table.count.tolist() == [225] * 4  # S/N sqrt(n)
    with pytest.raises(jm.InputError, match="line to grow on"):
        fluxmaps.wang_annuli(radius, one, one, fluxes, sigmas, redshift=1.8)


def fluxes_at(z):
    hb = np.ones_like(z)
    ha = 2.86 * hb
    return {
        "Hbeta": hb,
        "Halpha": ha,
        "OIII5007": 10.0 ** np.asarray(R3_C20.curve(z)) * hb,
        "NII6584": 10.0 ** np.asarray(N2_C20.curve(z)) * ha,
    }


def test_each_ratio_alone_returns_the_truth_and_the_other_root():
    z = np.array([[7.8, 8.3, 8.7]])
    roots = fluxmaps.by_each_ratio(fluxes_at(z), [R3_C20, N2_C20])
    np.testing.assert_allclose(on_branch(roots["C20.N2"], "upper"), z, atol=1e-8)
    assert roots["C20.R3"].shape == (2, 1, 3)
    np.testing.assert_allclose(roots["C20.R3"][1, 0, 1:], z[0, 1:], atol=1e-8)
    level = float(R3_C20.curve(7.8))
    other = optimize.brentq(lambda trial: float(R3_C20.curve(trial)) - level, 8.05, 8.8)
    np.testing.assert_allclose(roots["C20.R3"][:, 0, 0], [7.8, other], atol=1e-8)
    expected = [np.std([7.8, other], ddof=1), 0.0, 0.0]
    np.testing.assert_allclose(fluxmaps.dispersion(roots, "upper")[0], expected, atol=1e-8)
    assert np.isnan(fluxmaps.dispersion({"C20.R3": roots["C20.R3"]}, "upper")).all()


def test_r23_bears_a_faint_line_below_zero_and_no_sum():
    faint = {"OII": 2.0, "OIII4959": np.array([-0.1, -0.1]), "OIII5007": 1.5, "Hbeta": np.array([1.0, -1.0])}
    (roots,) = fluxmaps.by_each_ratio(faint, [calibration := jm.lines.calibration("M08", "R23")]).values()
    assert np.isfinite(roots[:, 0]).all()
    assert np.isnan(roots[:, 1]).all()
    np.testing.assert_allclose(calibration(roots[:, 0]), np.log10(3.4), atol=1e-5)


def test_single_precision_is_enough():
    with doubles(False):
        z = np.array([8.3, 8.7], np.float32)
        roots = fluxmaps.by_each_ratio(fluxes_at(z), [R3_C20, N2_C20])
        assert roots["C20.N2"].dtype == jnp.float32
        np.testing.assert_allclose(on_branch(roots["C20.R3"], "upper"), z, atol=1e-4)
        assert bool(fluxmaps.nii_diagram(np.float32([-1.0]), np.float32([0.1])).star_forming[0])


def test_table_over_line_sets_and_dust_laws():
    z = np.full((2, 3), 8.5)
    law = jm.lines.dust_law("Calzetti00")
    observed = {name: flux * 10 ** (-0.4 * float(law(name))) for name, flux in fluxes_at(z).items()}
    sets = {"all": [R3_C20, N2_C20], "red": [N2_C20]}
    table = fluxmaps.comparison(observed, sets, a_v=1.0, laws=["Calzetti00", "CF00_birth"], branch="upper")
    assert table["lines"] == ["all", "all", "red"] * 2
    assert table["median"][:3] == pytest.approx([8.5] * 3, abs=1e-8)
    assert table["dispersion"][0] == pytest.approx(0.0, abs=1e-8)
    assert table["dispersion"][3] > 1e-5
    assert table["spaxels"] == [6] * 6


def test_gradients_agree_with_numpy():
    random = np.random.default_rng(8)
    radius = random.uniform(0.1, 6.0, (12, 15))
    sigma = random.uniform(0.02, 0.2, radius.shape)
    z = 8.7 - 0.05 * radius + sigma * random.standard_normal(radius.shape)
    z[0, 0] = np.nan
    found = fluxmaps.gradients(radius, z, sigma, number=6)
    good = np.isfinite(z)
    plain = np.polyfit(radius[good], z[good], 1)
    weighted, covariance = np.polyfit(radius[good], z[good], 1, w=1 / sigma[good], cov="unscaled")
    assert found["spaxels, OLS"].slope == pytest.approx(plain[0])
    assert found["spaxels, WLS"].slope == pytest.approx(weighted[0])
    assert found["spaxels, WLS"].slope_error == pytest.approx(covariance[0, 0] ** 0.5)
    table = annuli(radius[good], z[good], sigma[good], number=6)
    assert found["annuli, OLS"].slope == pytest.approx(np.polyfit(table.radius, table.mean, 1)[0])
    weighted = np.polyfit(table.radius, table.mean, 1, w=1 / table.error)
    assert found["annuli, WLS"].slope == pytest.approx(weighted[0])
    grown = fluxmaps.gradients(radius, z, sigma, signal=1 / (1 + radius), noise=0.1 + 0 * radius, signal_to_noise=15)
    assert grown["spaxels, WLS"].slope == found["spaxels, WLS"].slope
    assert grown["annuli, WLS"].slope == pytest.approx(-0.05, abs=0.02)
    for name, line in found.items():
        assert abs(line.slope + 0.05) < 4 * line.slope_error, name
    assert found["annuli, WLS"].dof == 4


BAD = {
    "shapes of ratios": lambda: fluxmaps.nii_diagram(np.zeros(3), np.zeros(4)),
    "constant map": lambda: fluxmaps.offset(np.ones((9, 8)), blob(4, 4, (9, 8))),
    "shapes of maps": lambda: fluxmaps.offset(blob(4, 4, (9, 8)), blob(4, 4, (8, 9))),
    "peak at the edge": lambda: fluxmaps.offset(blob(20, 12), blob(20, 40), reach=10),
    "spacing": lambda: fluxmaps.deblend(np.ones((3, 9)), spacing=0, first=3),
    "NaN in a stripe": lambda: fluxmaps.deblend(np.full((3, 9), np.nan), spacing=2, first=3),
    "unknown ratio": lambda: fluxmaps.klever(*spaxels(), ["N3"]),
    "ratio without its line": lambda: fluxmaps.klever(*spaxels(), ["R3"]),
    "sigma of zero": lambda: fluxmaps.wang({"Halpha": np.ones(2)}, {"Halpha": np.zeros(2)}),
    "no sigma": lambda: fluxmaps.wang({"Halpha": np.ones(2)}, {}),
    "negative reddening": lambda: fluxmaps.balmer_ebv(*spaxels(), -0.1),
    "no intrinsic ratio": lambda: fluxmaps.balmer_ebv(*spaxels(), 0.1, intrinsic=0.0),
    "map smaller than a bin": lambda: fluxmaps.binned(np.ones((1, 5)), np.ones((1, 5))),
    "no such branch": lambda: on_branch(jnp.ones((2, 3)), "middle"),
    "shapes of columns": lambda: fluxmaps.gradients(np.arange(5.0), np.ones(4), np.ones(5), number=2),
    "no way to group": lambda: fluxmaps.gradients(np.arange(5.0), np.ones(5), np.ones(5)),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_input_is_one_sentence(name):
    with pytest.raises(jm.InputError, match=r"expected .* found .*") as caught:
        BAD[name]()
    assert "\n" not in str(caught.value)
