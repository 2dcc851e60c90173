"""The gradient by calibrations, lines and dust law: table, weights, picture, command."""

import dataclasses

import jax
import numpy as np
import pytest
from astropy.table import Table
from configured import replace
from flux_maps import GRID, fluxes, write_lines

import jaxmetal as jm
from jaxmetal.cli import main
from jaxmetal.edge.errors import InputError
from jaxmetal.fluxmaps import Found, Spectra, by_choice, mixtures
from jaxmetal.fluxmaps.choices import _known, _of_set, _weighed
from jaxmetal.plot.choices import choices

FEATURES = ("OII", "Hb", "OIII5007", "Ha+NII")
ONE = Found(lines=("Hb", "OIII5007"), calibrations="C20", law="CCM89", slope=-0.1, own=0.02, error=0.03, weight=0.5)


@pytest.fixture(autouse=True)
def double_precision():
    yield
    jax.config.update("jax_enable_x64", True)


def test_weights_are_shares_of_the_evidence_among_the_same_lines():
    values = {"a": -10.0, "b": -12.0, "c": -3.0}
    found = [dataclasses.replace(ONE, calibrations=name, log_evidence=one) for name, one in values.items()]
    found[2] = dataclasses.replace(found[2], lines=("Hb",))
    weights = [one.weight for one in _weighed(found)]
    np.testing.assert_allclose(weights, [1.0 / (1.0 + np.exp(-2.0)), 1.0 / (1.0 + np.exp(2.0)), 1.0])
    unknown = _weighed([ONE, dataclasses.replace(ONE, law="O94", log_evidence=-4.0)])
    assert [one.weight for one in unknown] == [0.5, 0.5]


def test_choices_are_stacked_as_a_mixture():
    """Against draws of the mixture."""
    found = [
        dataclasses.replace(ONE, slope=slope, error=error, weight=weight)
        for slope, error, weight in ((-0.2, 0.03, 0.7), (0.05, 0.06, 0.3), (np.nan, np.nan, 0.0))
    ]
    (mixed,) = mixtures(found)
    random = np.random.default_rng(0)
    first = random.random(400_000) < 0.7
    drawn = np.where(first, random.normal(-0.2, 0.03, first.size), random.normal(0.05, 0.06, first.size))
    assert mixed.slope == pytest.approx(drawn.mean(), abs=1e-3)
    assert mixed.error == pytest.approx(drawn.std(), rel=5e-3)
    assert mixed.between == pytest.approx(0.25 * np.sqrt(0.7 * 0.3))


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    path = write_lines(tmp_path_factory.mktemp("choices"))
    replace(path, "[regions.centre]", '[compare]\ncalibrations = ["M08"]\n\n[regions.centre]')
    assert main(["lines", str(path), "--compare-calibrations", "-o", str(path.parent / "out"), "--quiet"]) == 0
    return path.parent / "out"


def test_the_command_writes_a_table_and_a_picture(results):
    """True: Z falls by 0.3 dex/arcsec from 8.9, round on the sky, with the calibrations M08 and the law CCM89."""
    table = Table.read(results / "choices.ecsv")
    assert [str(one) for one in table["law"]] == ["CCM89", "Calzetti00"]
    assert str(table["slope"].unit) == "dex / arcsec"
    assert abs(table["slope"][0] + 0.3) < 3.0 * table["error"][0]
    assert np.all(table["own"] < table["error"])
    assert table["weight"].sum() == pytest.approx(1.0)
    assert "guessed from Ha+NII" in table.meta["radius"]
    assert {one.name for one in results.iterdir()} == {"choices.ecsv", "choices.png", "summary.txt", "provenance.json"}
    assert "together:" in (results / "summary.txt").read_text()


def test_evidence_is_that_of_the_summed_fluxes(results):
    flux, sigma = fluxes()
    known = np.isfinite(flux).all(axis=-1)
    total, error = flux[known].sum(axis=0), np.sqrt((sigma[known] ** 2).sum(axis=0))
    table = Table.read(results / "choices.ecsv")
    likelihood = jm.spaxel.fluxes(FEATURES, "M08")
    expected = jm.spaxel.posterior(likelihood, np.repeat(total[None], 60, 0), np.repeat(error[None], 60, 0))
    assert table["log_evidence"][0] == pytest.approx(expected["log_evidence"][0], abs=1e-3)


def test_a_picture_has_a_row_for_each_choice():
    found = [
        dataclasses.replace(ONE, weight=0.8),
        dataclasses.replace(ONE, law="O94", slope=-0.15, weight=0.2),
        dataclasses.replace(ONE, lines=("Hb", "Ha"), weight=1.0),
        dataclasses.replace(ONE, slope=np.nan),
    ]
    figure = choices(found, kpc_per_arcsec=5.0)
    (ax,) = figure.axes
    said = [one.get_text() for one in ax.get_yticklabels()]
    assert said == [
        "C20, CCM89: 0.80", "C20, O94: 0.20", "together: -0.110 ± 0.036\nHb + OIII5007",
        "C20, CCM89: 1.00", "together: -0.100 ± 0.030\nHb + Ha",
    ]  # fmt: skip
    assert "dex/arcsec" in ax.get_xlabel()
    (kpc,) = ax.child_axes
    figure.draw_without_rendering()
    np.testing.assert_allclose(kpc.get_xlim(), np.array(ax.get_xlim()) / 5.0)
    assert "dex/kpc" in kpc.get_xlabel()


SPECTRA = Spectra(features=FEATURES, flux=fluxes()[0], sigma=fluxes()[1], grid=GRID)


def test_choices_that_cannot_be_are_refused():
    radius = np.hypot(*(np.asarray(one) for one in GRID.centres()))
    with pytest.raises(InputError, match=r"lines: expected some of OII, Hb, OIII5007, .* found 'SII'"):
        by_choice(SPECTRA, radius, calibrations=["M08"], lines=[["SII", "Hb"]])
    with pytest.raises(InputError, match="calibrations M08: none is of Hb; leave the set out"):
        by_choice(SPECTRA, radius, calibrations=["M08"], lines=[["Hb"]])
    with pytest.raises(InputError, match=r"scatter: expected one of .* found 'R33'"):
        by_choice(SPECTRA, radius, calibrations=["M08"], scatter={"R33": 0.1})


def test_scatter_of_a_ratio_that_a_set_does_not_use_is_another_sets():
    what = {"Hb": "Hb", "OIII5007": "OIII5007", "Ha+NII": "Ha+NII"}
    options = {"scatter": {"R3": 0.1, "O32": 0.2, "N2": 0.3}}
    assert _known(tuple(what), what, "M08", options) == tuple(what)
    assert _of_set(what, "M08", options) == {"scatter": {"R3": 0.1, "N2": 0.3}}
    assert _of_set(what, "M08", {"scatter": 0.1}) == {"scatter": 0.1}


BAD = {
    "a paper": (
        'calibrations = "M08"',
        "",
        'type = "fluxes"',
        'type = "wang17"\nhb_range = [0.1, 1e3]',
        "to compare calibrations",
    ),
    "no such set": ("[regions.centre]", '[compare]\ncalibrations = ["M80"]\n[regions.centre]', "", "", "M80"),
    "no such law": ("[regions.centre]", '[compare]\nlaws = ["CMM89"]\n[regions.centre]', "", "", "CMM89"),
    "no such key": ("[regions.centre]", '[compare]\nlaw = "O94"\n[regions.centre]', "", "", "did you mean 'laws'"),
    "lines in one list": ("[regions.centre]", '[compare]\nlines = ["Hb"]\n[regions.centre]', "", "", "expected a list"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_comparison_that_cannot_be_is_refused_in_a_sentence(tmp_path, name, capsys):
    *pairs, said = BAD[name]
    path = write_lines(tmp_path)
    for old, new in zip(pairs[::2], pairs[1::2], strict=True):
        if old:
            replace(path, old, new)
    assert main(["lines", str(path), "--compare-calibrations", "-o", str(tmp_path / "out")]) == 2
    error = capsys.readouterr().err
    assert said in error
    assert "Traceback" not in error
    assert not (tmp_path / "out").exists()
