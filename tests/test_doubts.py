"""What of line fluxes can hardly be right, and of a scene lies where nothing is calibrated."""

import dataclasses
from types import SimpleNamespace

import numpy as np
import pytest
from test_line_maps import SHAPE, STEP

import jaxmetal as jm
from jaxmetal.fluxmaps.judge import judge_sums
from jaxmetal.lines.case_b import HYDROGEN, below_case_b
from jaxmetal.observation import doubts_of, ranges_of
from jaxmetal.result.extrapolated import extrapolated

NAMES = ("Ha", "Hb", "OIII5007", "NII6584")


def maps(**changed):
    """Four lines of a flat map with noise of a tenth, A(V) = 0.5."""
    random = np.random.default_rng(2)
    level = {"Ha": 3.4, "Hb": 1.0, "OIII5007": 2.0, "NII6584": 0.8, **changed}
    data = {name: level[name] + 0.1 * random.standard_normal(SHAPE) for name in NAMES}
    return jm.recipes.line_maps(
        data, jm.lines.emission(NAMES, "C20"), psf=jm.instrument.Gaussian(fwhm=0.6), sigma=0.1, pixel_scale=STEP
    )


def scene(central, slope=0.0, departures=None):
    carries = {
        "metallicity": jm.Carried(profile=jm.tracer.Gradient(central=central, slope=slope), weight="Hbeta"),
        "extinction": jm.Carried(profile=jm.tracer.Constant(value=0.5), weight="Hbeta"),
    }
    lights = {"Hbeta": jm.light.Exponential(flux=5.0, r_eff=0.4)}
    disc = jm.Source(frame=jm.frame.Disc(), lights=lights, carries=carries, departures=departures or {})
    return jm.Scene(sources={"disc": disc})


def test_lines_that_can_be_raise_no_doubt():
    assert doubts_of(maps()) == []


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"Ha": 2.0}, "Ha/Hb is 2 +- 0.023, below case B at any temperature (2.7)"),
        ({"OIII5007": -1.0}, "the fluxes of OIII5007 sum to -"),
    ],
)
def test_lines_that_cannot_be_are_said(changed, words):
    (found,) = doubts_of(maps(**changed))
    assert words in found


def test_a_map_of_two_lines_is_said():
    one = maps()
    twice = np.array(one.data)
    twice[3] = twice[0]
    (found,) = doubts_of(dataclasses.replace(one, data=twice))
    assert found.startswith("the maps of Ha and NII6584 hold the same numbers")


def test_the_least_decrement_is_that_of_the_hottest_gas():
    least = HYDROGEN["Halpha"][-1]
    assert below_case_b((least * 0.9, 0.01), (1.0, 0.001)) is not None
    assert below_case_b((least * 0.9, 0.3), (1.0, 0.001)) is None
    assert below_case_b((least * 1.01, 0.001), (1.0, 0.001)) is None
    assert below_case_b((0.1, 0.1), (1.0, 0.001)) is None


def test_regions_below_zero_and_below_case_b_are_named():
    flux = np.array([[3.4, 1.0, 2.0, 0.8], [1.0, 1.0, 2.0, -0.5]])
    likelihood = SimpleNamespace(emission=maps().emission)
    found = [one.text for one in judge_sums(("whole", "clump"), NAMES, (flux, np.full((2, 4), 0.1)), likelihood)]
    assert [text.split(";")[0] for text in found] == [
        "Region 'clump': NII6584 is -0.5 +- 0.1, below zero",
        "Region 'clump': Ha/Hb is 1 +- 0.14, below case B at any temperature (2.7), which no dust makes",
    ]
    assert judge_sums(("whole",), NAMES, (flux[1:], np.ones((1, 4))), likelihood) == ()


def test_metallicity_beyond_its_calibrations_is_said_with_its_share():
    one = maps()
    low, high = ranges_of(one)["metallicity"]
    known = [jm.lines.calibration("C20", ratio).valid for ratio in ("R3", "N2")]
    assert (low, high) == (max(ends[0] for ends in known), min(ends[1] for ends in known))
    x, y = (np.asarray(axis) for axis in one.pixels.centres())
    share = np.mean(8.5 + 0.4 * np.hypot(x, y) > high)
    (found,) = extrapolated(scene(8.5, 0.4), {"lines": one})
    assert f"beyond {low:.4g} to {high:.4g}, where it is calibrated, in {100 * share:.0f} % of the pixels" in found.text
    assert extrapolated(scene(8.5), {"lines": one}) == []


def test_a_departure_of_no_line_is_said():
    found = [one.text for one in extrapolated(scene(8.5, departures={"S2": 0.0, "N2": 1.0}), {"lines": maps()})]
    assert found == ["'disc': the departure of S2 changes nothing that is observed; remove it or correct its name."]


def test_a_departure_that_hardly_ever_happens_is_said():
    (found,) = extrapolated(scene(8.5, departures={"R3": -4.5, "N2": 1.0}), {"lines": maps()})
    assert found.text.startswith("'disc': R3 departs from its calibration by -4.5 of its scatters")
