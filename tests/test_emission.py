"""Dust, hydrogen and the fluxes of all lines, against stored numbers and other packages."""

import re
import warnings

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jaxmetal as jm
from jaxmetal.edge.errors import InputError
from jaxmetal.lines import calibration, calibration_set, emission
from jaxmetal.lines.case_b import HYDROGEN


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("law", ["CCM89", "O94", "F99", "G23"])
@pytest.mark.parametrize("r_v", [2.5, 3.1, 4.05, 5.5])
def test_extinction_against_dust_extinction(law, r_v):
    averages = pytest.importorskip("dust_extinction.parameter_averages")
    names = list(jm.lines.LINES)
    wavenumbers = np.array([1e4 / line.vacuum for line in jm.lines.LINES.values()])
    expected = getattr(averages, law)(Rv=r_v)(wavenumbers)
    found = [float(jm.lines.dust_law(law)(name, r_v)) for name in names]
    np.testing.assert_allclose(found, expected, atol=1e-7)


def test_extinction_is_differentiable_in_r_v():
    slope = jax.grad(lambda r_v: jm.lines.dust_law("CCM89")("OII", r_v))(3.1)
    difference = float(jm.lines.dust_law("CCM89")("OII", 3.2) - jm.lines.dust_law("CCM89")("OII", 3.0)) / 0.2
    assert float(slope) == pytest.approx(difference, rel=1e-2)


TEMPERATURES = (6000.0, 1e4, 13500.0, 2e4)
LEVELS = {"Halpha": (3, 2), "Hgamma": (5, 2), "Hdelta": (6, 2), "H7": (7, 2), "PaA": (4, 3), "PaB": (5, 3)}


@pytest.fixture(scope="module")
def over_hbeta():
    """Line -> its ratio to Hb by PyNeb, at all temperatures at once: each call takes it long."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        atom = pytest.importorskip("pyneb").RecAtom("H", 1)
        hbeta, *others = (
            np.ravel(atom.getEmissivity(np.array(TEMPERATURES), 100.0, lev_i=upper, lev_j=lower))
            for upper, lower in ((4, 2), *LEVELS.values())
        )
    return {name: one / hbeta for name, one in zip(LEVELS, others, strict=True)}


@pytest.mark.parametrize("temperature", TEMPERATURES)
def test_hydrogen_against_pyneb(temperature, over_hbeta):
    assert set(LEVELS) | {"Hbeta"} == set(HYDROGEN)
    for name, (_, lower) in LEVELS.items():
        expected = over_hbeta[name][TEMPERATURES.index(temperature)]
        tolerance = 4e-5 if temperature in (1e4, 2e4) else 2e-3 if lower == 2 else 6e-3
        assert float(jm.lines.over_hbeta(name, temperature)) == pytest.approx(expected, rel=tolerance)


def test_wavelengths_in_air_are_those_of_the_names():
    for name, digits in [("OIII5007", 5007), ("Halpha", 6563), ("NII6584", 6583), ("OII3726", 3726), ("Hbeta", 4861)]:
        assert jm.lines.line(name).air == pytest.approx(digits, abs=0.6)


def test_emission_by_hand():
    model = emission(["OII", "Hb", "OIII", "Ha+NII", "NeIII"], "M08", law="CCM89")
    z, a_v, offsets = 8.3, 1.2, {"R3": 0.1, "R2": -0.05, "Ne3O2": 0.02, "N2": 0.2}
    base = [one.ratio.name for one in model.calibrations]
    assert sorted(base) == sorted(offsets)

    def log_ratio(name):
        return float(calibration("M08", name)(z)) + offsets[name]

    def dimmed(name):
        law = jm.lines.dust_law("CCM89")
        return 10 ** (-0.4 * a_v * float(law(name) - law("Hbeta")))

    oiii, nii, ha = 10 ** log_ratio("R3"), 2.86316 * 10 ** log_ratio("N2"), 2.86316
    expected = {
        "OII": 10 ** log_ratio("R2") * dimmed("OII"),
        "Hb": 1.0,
        "OIII": oiii * (dimmed("OIII5007") + dimmed("OIII4959") / 2.984),
        "Ha+NII": ha * dimmed("Ha") + nii * (dimmed("NII6584") + dimmed("NII6548") / 2.942),
        "NeIII": 10 ** (log_ratio("Ne3O2") + log_ratio("R2")) * dimmed("NeIII3869"),
    }
    found = model(z, a_v, jnp.array([offsets[name] for name in base]))
    np.testing.assert_allclose(found, list(expected.values()), rtol=1e-6)
    assert float(model.intrinsic_hbeta(2.0, a_v)) == pytest.approx(2.0 * 10 ** (0.4 * 1.1637375702 * a_v))


def test_emission_broadcasts_and_needs_no_calibration_for_hydrogen():
    model = emission(["Ha", "Hb"], "C20")
    assert model.calibrations == ()
    assert model(np.zeros((3, 1)) + 8.4, np.zeros(2)).shape == (3, 2, 2)
    assert not np.any(model.outside(np.array([3.0])))


def test_lines_that_only_a_ratio_of_ratios_reaches():
    verified = calibration_set("M08")
    without = emission(["OII", "Hb"], [verified["O3"], verified["O32"]])
    z = 8.2
    expected = 10 ** float(verified["O3"](z) - verified["O32"](z))
    assert float(without(z, 0.0)[0]) == pytest.approx(expected)
    summed = emission(["Hb", "OIII5007", "OIII4959"], "B18", scatter=0.1)(8.1, 0.0)
    assert float(summed[1] + summed[2]) == pytest.approx(10 ** float(calibration("B18", "O3sum")(8.1)))


SII = {"SII6717": 1.0, "SII6731": 1.0}


@pytest.mark.parametrize(
    ("features", "said"),
    [
        (["Hb", "Hbeta"], "found 'Hb' and 'Hbeta', which are both Hbeta; leave one out"),
        (["Hb", "Ha+NII", "Halpha+NII6548+NII6584"], "'Ha+NII' and 'Halpha+NII6548+NII6584', which are both Halpha"),
        ({"Hb": "Hb", "Hb again": {"Hbeta": 1.0}}, "'Hb' and 'Hb again', which are both Hbeta"),
        (["Hb", "Hb"], "found 'Hb' twice"),
        (["Hb+Hbeta"], "blend: expected every line once"),
        ({"hydrogen": {"Ha": 1.0, "Halpha": 0.5}}, "blend: expected every line once"),
    ],
)
def test_a_line_is_one_feature_however_it_is_spelled(features, said):
    with pytest.raises(InputError, match=re.escape(said)):
        emission(features, "C20")


def test_a_line_beside_a_blend_of_it_is_not_the_same():
    """Nor is half of it in another window."""
    found = emission({"Ha": "Ha", "Ha+NII": "Ha+NII", "window": {"Halpha": 1.0, "NII6584": 0.5}}, "C20")
    assert found.features == ("Ha", "Ha+NII", "window")


def test_two_calibrations_of_one_ratio_are_refused():
    both = [calibration("M08", "N2"), calibration("C20", "N2")]
    with pytest.raises(InputError, match="calibrations: expected one of each ratio, found two of N2"):
        emission(["Ha", "NII6584"], both)


def test_two_names_of_a_line_elsewhere():
    said = "expected every line once, found '{}' and '{}', which are the same; leave one out"
    with pytest.raises(InputError, match="hydrogen: " + said.format("Ha", "Halpha")):
        emission(["Ha"], "C20", hydrogen={"Ha": 2.9, "Halpha": 3.0})
    models = {"metallicity": [8.0, 8.5, 9.0], "OIII5007": [3.0, 2.0, 1.0], "Ha": [2.9] * 3, "Halpha": [3.0] * 3}
    with pytest.raises(InputError, match="models: " + said.format("Ha", "Halpha")):
        jm.lines.photoionisation(models, ["Ha", "OIII5007"])
    with pytest.raises(InputError, match="found 'Hbeta' twice"):
        jm.spaxel.patricio19(["OII", "Hg", "Hb", "Hbeta", "OIII4959", "OIII5007"])


def test_a_scatter_that_changes_nothing_is_refused():
    lines = ["OII", "Hb", "OIII5007"]
    for ratio in ("R23", "O32", "N2"):
        with pytest.raises(InputError, match=rf"lines follow \(R3, R2\), found '{ratio}'; leave it out"):
            emission(lines, "M08", scatter={"R3": 0.1, ratio: 0.01})
    made = emission(lines, "M08", scatter={"R3": 0.1, "R2": 0.2})
    np.testing.assert_allclose(made.scatter(np.array(8.4)), [0.1, 0.2])
