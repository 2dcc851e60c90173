"""The best value alone (method "map") has no errors and no verdict, wherever one looks."""

import json

import numpy as np
import pytest
from astropy.io import fits
from astropy.table import Table
from drawn import SLOPE, drawn, scene

import jaxmetal as jm
from jaxmetal.cli.results import write_results
from jaxmetal.io.sample.population import read_population
from jaxmetal.io.wcs import NOWHERE
from jaxmetal.plot import of_posterior
from jaxmetal.run.rows import row

BEST = -0.13
ALONE = drawn(scene(), method="map", **{SLOPE: np.array([[BEST]])})


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    where = tmp_path_factory.mktemp("alone") / "results"
    write_results(ALONE, where, False, origin=NOWHERE, kpc_per_arcsec=8.0)
    return where


def test_the_summary_says_so(folder):
    text = (folder / "summary.txt").read_text()
    assert "The best values alone: no draws were made" in text
    assert "-0.13 dex per arcsec" in text
    assert "is resolved is not known" in text
    assert not any(words in text for words in ("chains converged", "narrowed", "(+0"))


def test_tables_have_the_best_value_and_nothing_else(folder):
    (told,) = Table.read(folder / "parameters.ecsv")
    assert told["best"] == BEST
    assert all(np.isnan(told[name]) for name in ("mean", "sd", "q025", "q16", "median", "q84", "q975"))
    found = row("one", ALONE, 8.0)
    assert "best values alone" in found["message"].value
    for name, value in (("", BEST), ("_per_kpc", BEST / 8.0), ("_per_r_eff", BEST / 2.0)):
        column = f"disc.metallicity.slope{name}"
        assert found[column].value == pytest.approx(value)
        assert found[column].description.startswith("best value, no draws were made")
        assert np.isnan([found[column + end].value for end in ("_lo", "_hi")]).all()
    assert not [column for column in found if "_resolved" in column or "_narrowed" in column]


def test_maps_and_pictures_have_no_band(folder):
    with fits.open(folder / "maps_map.fits") as maps:
        assert np.isnan(maps["predicted_sd"].data).all()
        np.testing.assert_allclose(maps["predicted_mean"].data, maps["model"].data)
    assert not (folder / "corner.png").exists()
    band = of_posterior.radial(ALONE, "map", "disc").band
    assert (band.low, band.median, band.high) == (None, None, None)
    np.testing.assert_allclose(band.best, 8.5 + BEST * band.radius)


def test_what_needs_draws_refuses():
    with pytest.raises(jm.InputError, match="Expected draws for cross-validation, found the best value alone"):
        jm.result.loo(ALONE, "map")
    with pytest.raises(jm.InputError, match="corner: expected at least 10"):
        of_posterior.corner(ALONE)


def test_a_population_leaves_them_out(tmp_path):
    sampled = drawn(scene(), **{SLOPE: np.random.default_rng(0).normal(BEST, 0.02, (2, 50))})
    rows = [row("a", ALONE), row("b", sampled)]
    names = [name for name in rows[1] if name.startswith(("disc.", "name", "status"))]
    cells = {name: [one[name].value if name in one else np.nan for one in rows] for name in names}
    Table(cells | {"mass": [9.0, 10.0]}).write(tmp_path / "two.ecsv")
    quantity = "disc.metallicity.slope"
    found = read_population(tmp_path / "two.ecsv", of=quantity, against={"mass": 10.0})
    assert len(found.quantity.values) == 1
    assert any(f"1 without {quantity}_lo" in one.text for one in found.quantity.findings)
    Table.read(tmp_path / "two.ecsv")[:1].write(tmp_path / "one.ecsv")
    with pytest.raises(jm.InputError, match="fit by a method with draws"):
        read_population(tmp_path / "one.ecsv", of=quantity, against={"mass": 10.0})


def test_rows_without_errors_are_kept_in_a_run(tmp_path):
    from jaxmetal.run.rows import read_rows, write_rows

    write_rows(tmp_path / "chunk.json", [row("one", ALONE)])
    assert "NaN" in json.dumps(json.loads((tmp_path / "chunk.json").read_text()))
    (kept,) = read_rows(tmp_path / "chunk.json", ["one"])
    assert np.isnan(kept["disc.metallicity.slope_lo"].value)
