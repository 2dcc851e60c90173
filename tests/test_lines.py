"""Calibrations against the published numbers, and the names and definitions of lines and ratios."""

import json
from pathlib import Path

import jax
import numpy as np
import pytest

import jaxmetal as jm
from jaxmetal.lines import RATIOS, calibration, calibration_set, catalogue, emission

NUMBERS = Path(__file__).parents[2] / "shared" / "calibrations" / "calibrations.json"
needs_numbers = pytest.mark.skipif(not NUMBERS.exists(), reason="the digits of ../shared/calibrations are not here")

EVERY = [one for rows in catalogue().values() for one in rows.values()]


def published():
    return json.loads(NUMBERS.read_text())


@needs_numbers
def test_golden_values():
    found = {
        f"{name}.{row}.{z}": float(calibration(name, row, unverified=True).curve(float(z)))
        for name, table in published()["golden_log10R"].items()
        if name in catalogue()
        for z, rows in table.items()
        for row in rows
    }
    printed = {
        f"{name}.{row}.{z}": value
        for name, table in published()["golden_log10R"].items()
        if name in catalogue()
        for z, rows in table.items()
        for row, value in rows.items()
    }
    assert len(found) > 150
    assert found == pytest.approx(printed, abs=5.01e-6)  # printed with five decimals


@needs_numbers
@pytest.mark.parametrize("z", [7.6, 8.0, 8.4, 8.8])
def test_every_polynomial_to_the_last_digit(z):
    compared = 0
    for name, table in published()["calibrations"].items():
        zero = {"-8.69": 8.69, "-8.0": 8.0}.get(table.get("x", "")[11:], 0.0)
        for row, numbers in table.get("rows", {}).items():
            if name in catalogue() and "coeffs" in numbers:
                own = sum(c * (z - zero) ** i for i, c in enumerate(numbers["coeffs"]))
                assert float(calibration(name, row, unverified=True).curve(z)) == pytest.approx(own, abs=1e-9)
                compared += 1
            if name in catalogue() and "Z_of_log10R" in numbers:
                log_ratio = float(calibration(name, row, unverified=True).curve(z))
                back = sum(c * log_ratio**i for i, c in enumerate(numbers["Z_of_log10R"]))
                assert back == pytest.approx(z, abs=1e-9)
                compared += 1
    assert compared >= 45


@needs_numbers
def test_ranges_scatters_and_flags_are_the_published_ones():
    for name, table in published()["calibrations"].items():
        for row, numbers in table.get("rows", {}).items():
            if name not in catalogue():
                continue
            one = calibration(name, row, unverified=True)
            assert one.verified == (not numbers["status"].startswith("single"))
            if "valid_12logOH" in numbers:
                np.testing.assert_array_equal(one.valid, numbers["valid_12logOH"])
            if "sigma_logR_dex" in numbers:
                assert float(one.sigma(8.2)) == numbers["sigma_logR_dex"]
            if "sigma_logR_poly_in_x" in numbers:
                own = sum(c * (8.2 - 8.69) ** i for i, c in enumerate(numbers["sigma_logR_poly_in_x"]))
                assert float(one.sigma(8.2)) == pytest.approx(own)


@needs_numbers
def test_turnovers_are_where_they_were_found():
    for name, table in published()["calibrations"].items():
        for row, numbers in table.get("rows", {}).items():
            if name in catalogue() and "turnovers_12logOH" in numbers:
                one = calibration(name, row, unverified=True)
                within = [z for z in numbers["turnovers_12logOH"] if one.valid[0] < z < one.valid[1]]
                np.testing.assert_allclose(jm.lines.turnovers(one), within, atol=6e-4)


COMPOSED = {
    "R23": lambda row: 10 ** row("R2") + 1.336 * 10 ** row("R3"),
    "O32": lambda row: 10 ** (row("R3") - row("R2")),
    "O3N2": lambda row: 10 ** (row("R3") - row("N2")),
    "O3S2": lambda row: 10 ** (row("R3") - row("S2")),
    "RS32": lambda row: 10 ** row("R3") + 10 ** row("S2"),
    "Rhat": lambda row: 10 ** (0.47 * row("R2") + 0.88 * row("R3")),
}


def closure(name, ratio, composed):
    """Median of a ratio's calibration minus what those of its parts say, dex, where most sets are valid."""
    low, high = calibration(name, ratio, unverified=True).valid
    z = np.linspace(max(low, 7.6), min(high, 8.6), 200)
    own = np.log10(composed(lambda row: calibration(name, row, unverified=True).curve(z)))
    return float(np.median(calibration(name, ratio, unverified=True).curve(z) - own))


@needs_numbers
def test_sets_close_within_the_listed_residuals():
    listed = {
        (name, ratio): max(0.045, abs(residual["median"]) + 0.01, 0.17 if (name, ratio) == ("S25", "O3S2") else 0.0)
        for name, ratios in published()["closure_tests_dex"].items()
        if name in catalogue()
        for ratio, residual in ratios.items()
    }
    found = {key: abs(closure(*key, COMPOSED[key[1]])) for key in listed}
    assert len(listed) > 15
    assert {key: value for key, value in found.items() if value > listed[key]} == {}


@pytest.mark.parametrize("name", ["M08", "C17", "C20", "S24", "S25"])
def test_r23_holds_both_lines_of_oiii(name):
    one_line = closure(name, "R23", lambda row: 10 ** row("R2") + 10 ** row("R3"))
    both = closure(name, "R23", COMPOSED["R23"])
    assert abs(both) < 0.025 < 0.05 < one_line


@pytest.mark.parametrize("one", EVERY, ids=lambda one: one.name)
def test_smooth_inside_and_out(one):
    low, high = one.valid
    assert low < high
    for edge in (low, high):
        before, after = edge - 1e-6, edge + 1e-6
        assert float(one(after) - one(before)) == pytest.approx(0.0, abs=1e-4)
        slopes = [float(jax.grad(one)(z)) for z in (before, after, edge)]
        np.testing.assert_allclose(slopes, slopes[0], rtol=1e-3, atol=1e-4)
    middle = 0.5 * (low + high)
    assert float(one(middle)) == pytest.approx(float(one.curve(middle)), rel=1e-13)
    assert np.isfinite(float(one(5.0)))
    assert np.isfinite(float(jax.grad(one)(11.0)))
    numeric = (one(middle + 1e-5) - one(middle - 1e-5)) / 2e-5
    assert float(jax.grad(one)(middle)) == pytest.approx(float(numeric), rel=1e-5, abs=1e-7)
    np.testing.assert_array_equal(one.outside(np.array([low - 0.1, middle, high + 0.1])), [True, False, True])
    if one.scatter is not None:
        assert np.all(one.sigma(np.linspace(6.5, 9.8, 200)) > 0.0)


def test_inversion_finds_both_branches():
    one = calibration("M08", "R23")
    z = np.array([7.4, 8.6])
    low, high = jm.lines.invert(one, one.curve(z))
    assert float(low[0]) == pytest.approx(7.4, abs=1e-10)
    assert float(high[1]) == pytest.approx(8.6, abs=1e-10)
    np.testing.assert_allclose(one.curve(np.array([high[0], low[1]])), one.curve(z), atol=1e-10)
    assert np.isnan(jm.lines.invert(one, np.array([1.3]))).all()


def test_definitions_of_ratios():
    fluxes = {"OII": 3.0, "OIII4959": 1.0, "OIII5007": 3.0, "Hbeta": 1.0, "Halpha": 2.9, "NII6584": 0.4, "SII": 0.5}
    expected = {
        "O32": 3.0 / 3.0,
        "O32sum": 4.0 / 3.0,
        "R3sum": 4.0,
        "R23": 7.0,
        "O3N2": 3.0 / (0.4 / 2.9),
        "O3N2_lines": 7.5,
        "RS32": 3.0 + 0.5 / 2.9,
        "O3S2": 3.0 * 2.9 / 0.5,
        "Rhat": 3.0**0.47 * 3.0**0.88,
        "D16": 0.4 / 0.5 * (0.4 / 2.9) ** 0.264,
    }
    found = {name: 10.0 ** float(RATIOS[name].log10(fluxes)) for name in expected}
    assert found == pytest.approx(expected)
    assert np.isnan(RATIOS["R3"].log10({**fluxes, "OIII5007": -1.0}))
    with pytest.raises(jm.InputError, match="no Hbeta"):
        RATIOS["R3"].log10({"OIII5007": 1.0})


def test_traps_of_line_definitions():
    assert calibration("M08", "O32")(8.0) > 0.5, "[OIII]/[OII] is high in metal-poor gas"
    assert calibration("M08", "O3N2_M08").ratio.name == "O3N2_lines"
    assert {calibration(name, "O3N2").ratio.name for name in ("PP04", "M13", "C17", "C20")} == {"O3N2"}
    assert calibration("B18", "O3sum").ratio.lines == ("OIII4959", "OIII5007", "Hbeta")
    assert calibration("B18", "O32", unverified=True).ratio.name == "O32sum"
    assert [calibration(name, "R23").curve.zero for name in ("M08", "S24", "B18")] == [8.69, 8.0, 0.0]
    assert abs(float(calibration("C17", "R2").curve(7.6) - calibration("C20", "R2").curve(7.6))) > 0.1
    assert calibration("C19", "R3").name == "C20.R3"
    ratio = float(jm.lines.over_hbeta("Hgamma") / jm.lines.over_hbeta("H7"))
    assert ratio == pytest.approx(2.945, abs=2e-3), "6.288, as printed, is Hb/H7"
    assert float(1.0 / jm.lines.over_hbeta("H7")) == pytest.approx(6.288, abs=2e-3)
    one = calibration("PP04", "N2_lin")
    assert float(one.sigma(8.5)) == pytest.approx(0.18 / 0.57)


def test_single_source_digits_are_behind_a_flag():
    with pytest.raises(jm.InputError, match="one public source"):
        calibration("J15", "R23")
    with pytest.raises(jm.InputError, match="unverified=True"):
        calibration_set("C24")
    assert "O2" not in calibration_set("S24")
    assert "O2" in calibration_set("S24", unverified=True)


@pytest.mark.parametrize(
    ("wrong", "near"),
    [
        (lambda: calibration("M8", "R3"), "M08"),
        (lambda: calibration("C20", "R33"), "R3"),
        (lambda: jm.lines.feature("Halfa"), "Halpha"),
        (lambda: jm.lines.feature("[OII]"), "OII"),
        (lambda: jm.lines.feature("[OIII]"), "OIII4363' or 'OIII4959' or 'OIII5007"),
        (lambda: jm.lines.dust_law("CCM98"), "CCM89"),
        (lambda: jm.lines.over_hbeta("OIII5007"), "did you mean"),
    ],
)
def test_unknown_names_are_told_the_nearest(wrong, near):
    with pytest.raises(jm.InputError, match=f"did you mean '{near}'" if near != "did you mean" else near):
        wrong()


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (lambda: emission(["Hb", "Hb"], "C20"), "twice"),
        (lambda: emission(["Hb", "OIII4363"], "C20"), "OIII4363"),
        (lambda: emission(["Hb", "OII3726"], "C20"), "doublets"),
        (lambda: emission(["Hb", "NeIII"], "C20"), "Ne3O2"),
        (lambda: emission(["Hb", "OIII5007"], "S24"), "expected a scatter"),
        (lambda: jm.lines.feature({"Ha": -1.0}), "positive weights"),
        (lambda: jm.lines.feature("Halpha+Halpha"), "every line once"),
        (lambda: jm.lines.feature("Ha+Halpha"), "every line once"),
        (lambda: jm.lines.feature({"Ha": 1.0, "Halpha": 0.5}), "every line once"),
        (lambda: jm.lines.dust_law("CCM89")("Ha", 9.0), "r_v"),
        (lambda: jm.lines.calibration_of_your_own("x", "N2", lambda z: z, valid=(9.0, 8.0), scatter=0.1), "valid"),
        (lambda: jm.lines.calibration_of_your_own("x", "N2", lambda z: z, valid=(7.0, 8.0), scatter=-1.0), "scatter"),
    ],
)
def test_what_cannot_be_is_refused(wrong, said):
    with pytest.raises(jm.InputError, match=said):
        wrong()


@needs_numbers
def test_extinction_against_the_stored_numbers():
    columns = {"CCM89": "CCM89_A/Av_dustext", "O94": "O94", "F99": "F99", "G23": "G23"}
    stored = published()["lines_vac_A"]
    assert len(stored) == 18
    for name, row in stored.items():
        for law, column in columns.items():
            assert float(jm.lines.dust_law(law)(name)) == pytest.approx(row[column], abs=1e-6)
        k = float(jm.lines.dust_law("Calzetti00")(name)) * 4.05
        assert k == pytest.approx(row["Calzetti00_k"], abs=1e-6)
        assert float(jm.lines.dust_law("CF00")(name)) == pytest.approx(row["CF00_n-0.7(tau/tauV)"], abs=1e-6)
        assert float(jm.lines.dust_law("CF00_birth")(name)) == pytest.approx(row["CF00_n-1.3"], abs=1e-6)


def test_a_calibration_of_your_own_for_a_line_of_your_own():
    ratio = jm.lines.Ratio("O1", (((("OI6300",), 1.0), (("Halpha",), -1.0)),), "[O I]/Ha")
    mine = jm.lines.calibration_of_your_own("mine", ratio, lambda z: z - 10.0, valid=(7.5, 9.0), scatter=0.2)
    model = emission(["Ha", "OI6300"], [mine])
    flux = jax.jit(lambda model, z: model(z, 0.0))(model, 8.5)
    assert float(flux[1] / flux[0]) == pytest.approx(10**-1.5)


def test_kk04_solves_its_own_equations():
    from jaxmetal.lines.kobulnicky import log_q, metallicity

    fluxes = {"OII": 3.0, "OIII4959": 0.34, "OIII5007": 1.0, "Hbeta": 1.0, "NII6584": np.array([2.0, 0.01])}
    z = jm.lines.kk04(fluxes)
    x, y = np.log10(4.34), np.log10(1.34 / 3.0)
    np.testing.assert_allclose(metallicity(x, log_q(y, z), np.array([True, False])), z, atol=1e-6)
    assert float(z[0]) > 8.5 > float(z[1]) > 7.0


def test_kk04_knows_no_branch_without_nii():
    fluxes = {"OII": 3.0, "OIII4959": 0.34, "OIII5007": 1.0, "Hbeta": 1.0}
    z = jm.lines.kk04({**fluxes, "NII6584": np.array([2.0, -0.01, 0.0, np.nan])})
    assert np.isnan(z).tolist() == [False, True, True, True]
    assert np.isfinite(jm.lines.kk04({**fluxes, "NII6584": np.nan}, upper=True))
