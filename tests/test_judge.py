"""Flags and rules on columns and spectra with planted troubles."""

from types import SimpleNamespace

import numpy as np
import pytest
from precision import doubles

import jaxmetal as jm
from jaxmetal.edge.errors import InputError
from jaxmetal.fluxmaps import FLAGS, Rule, Spectra, flagged
from jaxmetal.fluxmaps.galaxy import light
from jaxmetal.fluxmaps.judge import flags, judge, judge_extinction, judge_precision, judge_regions, judge_signs
from jaxmetal.fluxmaps.keep import kept, settled
from jaxmetal.fluxmaps.luminosity import Magnification
from jaxmetal.instrument.bins import Bins

GOOD = {
    "z": 8.6,
    "information": 2.0,
    "mode_lower": np.nan,
    "mode_upper": 8.6,
    "p_lower": 0.3,
    "p_upper": 0.7,
    "outside": 0.1,
    "at_edge": 0.0,
    "lines": 4,
}
TROUBLES = {
    "prior": {"information": 0.4},
    "branches": {"mode_lower": 7.5},
    "outside": {"outside": 0.6},
    "edge": {"at_edge": 0.9},
    "lines": {"lines": 3},
}


def columns(*changes):
    """A spectrum each."""
    return {name: np.array([{**GOOD, **change}[name] for change in changes]) for name in GOOD}


def test_bits_are_powers_of_two():
    assert sorted(flag.bit for flag in FLAGS.values()) == [1, 2, 4, 8, 16]


@pytest.mark.parametrize("name", FLAGS)
def test_each_trouble_sets_its_flag_alone(name):
    bits = flags(columns({}, TROUBLES[name], {**TROUBLES[name], "z": np.nan}), 4)
    assert bits.tolist() == [0, FLAGS[name].bit, 0]
    assert flagged(bits, name).tolist() == [False, True, False]


def test_a_branch_of_little_weight_is_no_trouble():
    assert flags(columns({"mode_lower": 7.5, "p_lower": 0.04, "p_upper": 0.96}), 4).tolist() == [0]


def test_without_a_turnover_there_are_no_branches():
    none = {"mode_lower": np.nan, "mode_upper": np.nan, "p_lower": np.nan, "p_upper": np.nan}
    assert flags(columns(none), 4).tolist() == [0]


def test_findings_say_how_many_worst_first():
    bits = flags(columns(TROUBLES["lines"], TROUBLES["outside"], {}, {}), 4)
    found = judge(bits, np.array([True, True, True, False]))
    assert [one.severity for one in found] == ["warning", "info", "info"]
    assert found[0].text.startswith("1 of 3 spectra probably lie outside the range")
    assert found[2].text.startswith("1 of 4 spectra have no line")


def test_a_rare_trouble_is_no_warning():
    bits = flags(columns(*[{}] * 200, TROUBLES["edge"]), 4)
    assert [one.severity for one in judge(bits, np.ones(201, bool))] == ["info"]


def test_single_precision_is_not_for_bright_lines():
    pair, dark = (np.array([[49.0, 1.0], [51.0, np.nan]]), np.ones((2, 2))), (np.zeros((0, 2)), np.zeros((0, 2)))
    assert judge_precision(pair, dark) == ()
    with doubles(False):
        assert judge_precision(pair, dark)[0].text.startswith("1 spectra or regions have a line above 50 sigma")


def test_lines_that_are_mostly_negative_are_named():
    flux = np.array([[-3.0, 1.0], [-2.5, np.nan], [1.0, -5.0], [np.nan, 1.0]])
    (found,) = judge_signs(("OII", "Hb"), flux, np.ones((4, 2)))
    assert found.severity == "warning"
    assert found.text.startswith("OII lies more than 2 errors below zero in 2 of 3 spectra")
    assert judge_signs(("OII", "Hb"), flux, np.full((4, 2), 1.6)) == ()


def test_what_is_judged_is_called_what_it_is():
    bits = flags(columns(TROUBLES["outside"]), 4)
    assert judge(bits, np.ones(1, bool), "rows")[0].text.startswith("1 of 1 rows probably lie outside")
    (found,) = judge_signs(("OII",), np.full((2, 1), -3.0), np.ones((2, 1)), "bins")
    assert "in 2 of 2 bins" in found.text
    table = Spectra(features=("Hb",), flux=np.ones((3, 1)), sigma=np.ones((3, 1)), ids=np.arange(3))
    assert table.kind == "rows"


def test_regions_that_end_at_an_edge_of_a_prior_are_named():
    priors = SimpleNamespace(z_range=(7.0, 9.3), a_v_range=(0.0, 4.0))
    found = {"at_edge": np.array([0.1, 0.3, np.nan]), "a_v_high": np.array([3.0, 3.97, np.nan])}
    of_z, of_a_v = judge_regions(("whole", "clump", "dark"), found, priors)
    assert of_z.text.startswith("Region 'clump': 30% of the probability of 12 + log(O/H) lies at an edge")
    assert "7 to 9.3; widen z_range" in of_z.text
    assert of_a_v.text.startswith("Region 'clump': A(V) reaches 3.97 mag")
    assert {of_z.severity, of_a_v.severity} == {"warning"}
    known = SimpleNamespace(z_range=(7.0, 9.3), a_v_range=(0.5, 0.5))
    assert len(judge_regions(("whole", "clump", "dark"), found | {"a_v_high": np.full(3, 0.5)}, known)) == 1


def test_an_extinction_as_wide_as_its_prior_is_a_warning():
    """68 % of a flat prior of 4 mag are 2.72 mag; three quarters of that are 2.04."""
    found = {"a_v_low": np.array([0.5, 0.6, 0.4, 0.0]), "a_v_high": np.array([3.1, 2.7, 1.0, 4.0])}
    known = np.array([True, True, True, False])
    two = SimpleNamespace(features=("Hb", "OIII5007", "Hg"), a_v_range=(0.0, 4.0))
    (said,) = judge_extinction(found, two, known)
    assert said.severity == "warning"
    assert said.text.startswith("A(V) of 2 of 3 spectra is set by its prior, 0 to 4 mag, and Z depends on it;")
    narrower = found | {"a_v_high": np.array([3.1, 2.5, 1.0, 4.0])}
    assert judge_extinction(narrower, two, known) == ()
    one = jm.spaxel.fluxes(("OII", "Hb", "OIII5007"), "M08")
    (said,) = judge_extinction(narrower, one, known)
    constrained = "so A(V) is constrained only by its prior and by the calibrations"
    assert said.text.startswith(f"Hbeta is the only hydrogen line, {constrained}")
    (said,) = judge_extinction(narrower, jm.spaxel.fluxes(("OII", "OIII5007"), "M08"), known)
    assert said.text.startswith(f"There is no hydrogen line, {constrained}")
    assert judge_extinction(narrower, jm.spaxel.fluxes(one.features, "M08", a_v_range=(0.3, 0.3)), known) == ()


LINES = ("OIII5007", "Hb", "Ha", "NII6584", "SII", "Hg")
SIGMA = np.ones((1, 6))


def lines_kept(signal_to_noise, ratios=("R3", "N2", "S2"), **how):
    flux = np.array([signal_to_noise], float)
    return kept(Rule("klever", ratios), LINES, flux, SIGMA, **how)[0].tolist()


@pytest.mark.parametrize(
    ("signal_to_noise", "expected"),
    [
        # S2 stands in only where N2 is missing, so that [SII] goes; Hg is of no ratio and stays.
        ((6, 3, 6, 3, 3, 0), [True, True, True, True, False, True]),
        ((6, 3, 6, 2, 3, 0), [True, True, True, False, True, True]),
        ((4, 3, 6, 3, 3, 0), [False, False, True, True, False, True]),
        ((6, 3, 4, 3, 3, 0), [True, True, False, False, False, True]),
    ],
)
def test_klever_keeps_the_lines_of_detected_ratios(signal_to_noise, expected):
    assert lines_kept(signal_to_noise) == expected


def test_three_sigma_do_for_a_whole_galaxy():
    assert lines_kept((4, 3, 4, 3, 3, 0), integrated=True) == [True, True, True, True, False, True]


def test_regions_are_measured_by_the_ratios_of_their_galaxy():
    """[NII] of the sum is detected, but most spaxels have [SII] alone."""
    flux = np.array([(6, 3, 6, 3, 2, 0), *[(6, 3, 6, 2, 3, 0)] * 3], float)
    rule = settled(Rule("klever", ("R3", "N2", "S2")), LINES, flux, np.ones_like(flux))
    assert rule.combination == ("R3", "S2")
    assert kept(rule, LINES, flux, np.ones_like(flux))[0].tolist() == [True, True, False, False, False, True]
    whole = kept(rule, LINES, flux.sum(axis=0)[None], 2.0 * SIGMA, integrated=True)
    assert whole[0].tolist() == [True, True, True, False, True, True]
    assert settled(Rule("wang"), LINES, flux, np.ones_like(flux)) == Rule("wang")


def test_wang_keeps_whole_spaxels_but_all_of_a_region():
    flux = np.array([[4.0, 6.0], [4.0, 4.0]])
    rule, sigma = Rule("wang"), np.ones((2, 2))
    assert kept(rule, ("Hb", "Ha"), flux, sigma).tolist() == [[True, True], [False, False]]
    assert kept(rule, ("Hb", "Ha"), flux, sigma, integrated=True).all()


def test_rules_that_are_unknown_are_refused():
    with pytest.raises(InputError, match="found 'curti'"):
        kept(Rule("curti"), ("Hb",), np.ones((1, 1)), np.ones((1, 1)))


def test_light_is_the_best_measured_hydrogen_line():
    flux = np.array([[9.0, 5.0, 7.0, np.nan], [9.0, 5.0, 7.0, np.nan]])
    spectra = Spectra(features=("OIII5007", "Hb", "Ha", "Hg"), flux=flux, sigma=np.ones((2, 4)))
    assert light(spectra) == 2
    assert light(Spectra(features=("OIII5007", "OII"), flux=flux[:, :2], sigma=np.ones((2, 2)))) == 0


def test_bins_are_magnified_harmonically():
    """Light that is even over a bin: 1 / mu averages. The other parity counts the same; a bin without lines is NaN."""
    spectra = Spectra(
        features=("Hb",),
        flux=np.array([[1.0], [1.0], [np.nan]]),
        sigma=np.ones((3, 1)),
        bins=Bins(labels=np.array([[0, 0, 1, 2], [0, -1, 1, 2]]), n=3),
    )
    factor = np.array([[2.0, 4.0, -5.0, 0.0], [4.0, np.nan, 5.0, 0.0]])
    np.testing.assert_allclose(Magnification(factor=factor).of_spectra(spectra), [3.0, 5.0, np.nan])
