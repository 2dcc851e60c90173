"""Fits side by side: where models differ, whether data are the same, criteria and numbers."""

import dataclasses

import numpy as np
import numpyro.distributions as dist
import pytest
from astropy.table import Table
from finished import DISC, SLOPE, observed, posterior, scene, stored

import jaxmetal as jm
from jaxmetal.cli import main
from jaxmetal.edge.errors import InputError
from jaxmetal.result.compared import differences
from jaxmetal.result.text import interval

FRAME = jm.frame.InclinedDisc(inclination=dist.Uniform(50.0, 70.0), thickness=0.2)


@pytest.fixture(scope="module")
def fits():
    made = {"inclined": posterior(scene(FRAME)), "flat": posterior(scene(), log_evidence=-10.2, seed=1)}
    return {name: jm.result.view(fit) for name, fit in made.items()}


def test_models_are_compared_place_by_place():
    one, other = scene(jm.frame.Disc(q=0.8)), scene(jm.frame.Disc(q=0.7), slope=dist.Normal(0.0, 1.0))
    found = dict(differences([{"scene": tree, "map": observed()} for tree in (one, other, one)]))
    assert found == {
        f"{DISC}.frame.q": ("0.8", "0.7", "0.8"),
        SLOPE: ("Normal(0, 0.3)", "Normal(0, 1)", "Normal(0, 0.3)"),
    }
    assert dict(differences([{"scene": one}, {"scene": one, "map": 3}])) == {"map": ("-", "3")}
    assert not list(differences([one, scene(jm.frame.Disc(q=np.asarray(0.8)))]))
    maps = [observed(seed).data for seed in (0, 1)]
    ((path, texts),) = differences([{"data": values} for values in maps])
    assert path == "data"
    assert texts[0] != texts[1]
    assert all(text.startswith("float64[5, 7] ") for text in texts)


def test_numbers_differ_beyond_the_digits_that_are_written():
    close = [{"data": np.array([123456.0, 2.0, 3.0])}, {"data": np.array([123459.0, 2.0, 3.0])}]
    ((path, texts),) = differences(close)
    assert (path, len(set(texts))) == ("data", 2)
    ((_, texts),) = differences([dist.Normal(0.0, 0.1234561), dist.Normal(0.0, 0.1234564)])
    assert all(text.startswith("Normal(0, 0.12346) ") for text in texts)
    assert list(differences([{"a": 1, "b": (np.float32(0.5),)}, {"a": 1.0, "b": (0.5,)}])) == []


def test_a_table_of_models_criteria_and_numbers(fits):
    found = jm.result.compare(fits)
    rows = {row.what: row for row in found.rows}
    assert found.findings == ()
    assert rows[f"{DISC}.frame"].values == ("InclinedDisc(inclination=Uniform(50, 70), thickness=0.2)", "Disc(q=0.8)")
    assert rows["ln evidence"].values == ("-12.50", "-10.20")
    assert rows["ln evidence over the first"].values == ("+0.00", "+2.30")
    assert rows["free parameters"].values == ("2", "1")
    assert rows["BIC"].values == tuple(f"{jm.result.criteria(fit).bic:.2f}" for fit in fits.values())
    assert rows[SLOPE].values == tuple(interval(fit.posterior.draws[SLOPE]) for fit in fits.values())
    assert (rows[SLOPE].unit, rows[f"{DISC}.frame.inclination"].values[1]) == ("dex/arcsec", "-")
    table = jm.io.comparison_table(found)
    assert table.colnames == ["kind", "what", "unit", "inclined", "flat"]
    assert len(table) == len(found.rows)


def test_gradients_have_their_verdicts_and_units(fits):
    found = jm.result.compare(fits, {"inclined": 8.0})
    rows = {row.what: row for row in found.rows if row.kind == "gradient"}
    drawn = {name: fit.posterior.draws[SLOPE] for name, fit in fits.items()}
    verdicts = [jm.result.resolution(fit, SLOPE, "disc", "metallicity").resolved for fit in fits.values()]
    assert rows["metallicity in disc is resolved"].values == tuple(("no", "yes")[one] for one in verdicts)
    per_kpc = rows["metallicity in disc per kpc"]
    assert (per_kpc.unit, per_kpc.values) == ("dex/kpc", (interval(drawn["inclined"] / 8.0), "-"))


def test_gradients_of_one_property_stand_in_a_row_whatever_profile_they_are_part_of(fits):
    parts = {
        "line": jm.tracer.Gradient(central=8.5, slope=dist.Normal(0.0, 0.3)),
        "more": jm.tracer.Constant(value=0.1),
    }
    carried = jm.Carried(profile=jm.tracer.Sum(parts=parts), weight="halpha")
    disc = dataclasses.replace(scene().sources["disc"], carries={"metallicity": carried})
    summed = jm.result.view(posterior(jm.Scene(sources={"disc": disc})))
    rows = jm.result.compare({"flat": fits["flat"], "summed": summed}).rows
    (resolved,) = (row.values for row in rows if row.kind == "gradient" and row.what.endswith("is resolved"))
    assert "-" not in resolved


def test_other_data_are_said(fits):
    other = posterior(scene(), {"map": observed(3)}, log_evidence=-10.2)
    found = jm.result.compare({"flat": fits["flat"], "other": other})
    assert [str(finding) for finding in found.findings] == [
        "WARNING: The data differ (map.data): evidence, BIC and ln L compare models of the same data only."
    ]
    assert str(found).startswith("WARNING: The data differ")
    assert "ln evidence over the first" not in {row.what for row in found.rows}
    with pytest.raises(InputError, match="two fits or more, found 1"):
        jm.result.compare({"flat": other})


def test_folders_are_compared_from_the_shell(fits, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name, fit in fits.items():
        stored(fit, tmp_path / name)
    assert main(["compare", "inclined/", "flat", "-o", "both.ecsv"]) == 0
    said = capsys.readouterr().out
    assert said == str(jm.result.compare(fits))
    table = Table.read("both.ecsv")
    assert list(table["flat"][table["what"] == "ln evidence"]) == ["-10.20"]
    assert main(["compare", "inclined", "flat", "--pool"]) == 0
    assert capsys.readouterr().out == f"{jm.result.compare(fits)}\n{jm.result.pool(fits)}"
    assert main(["compare", "flat", "flat"]) == 2
    assert "different folders" in capsys.readouterr().err
    assert main(["compare", "flat", "nowhere"]) == 2
    assert "must hold the results of a fit" in capsys.readouterr().err


def test_a_best_value_alone_has_no_verdict(fits):
    best = {name: np.full((1, 1), value) for name, value in fits["flat"].posterior.best.items()}
    alone = jm.result.view(posterior(scene(), draws=best, sampler={}, method="map"))
    rows = {row.what: row.values for row in jm.result.compare({"map": alone, "flat": fits["flat"]}).rows}
    assert rows["metallicity in disc is resolved"][0] == "-"
    assert rows["metallicity in disc is resolved"][1] in ("no", "yes")
