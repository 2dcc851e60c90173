"""A posterior as tables of astropy, and as data frames."""

import numpy as np
import numpyro.distributions as dist
import pytest
from astropy.table import Table
from finished import DISC, SLOPE, posterior, scene

import jaxmetal as jm
from jaxmetal.frame import Disc


@pytest.fixture(scope="module")
def fit():
    frame = Disc(x0=dist.Normal(0.0, 0.1), q=dist.Uniform(0.3, 0.7), pa=dist.Uniform(-90.0, 90.0))
    return posterior(scene(frame), width=0.05)


def test_one_row_per_number_with_its_unit_and_interval(fit):
    table = jm.io.parameter_table(fit)
    assert type(table) is Table
    assert list(table["parameter"]) == [
        SLOPE,
        f"{DISC}.frame.pa",
        f"{DISC}.frame.q",
        f"{DISC}.frame.x0",
        f"{DISC}.frame.inclination",
    ]
    assert dict(zip(table["parameter"], table["unit"], strict=True))[SLOPE] == "dex/arcsec"
    row = table[list(table["parameter"]).index(SLOPE)]
    for name, share in (("q16", 0.16), ("median", 0.5), ("q84", 0.84)):
        assert row[name] == pytest.approx(np.quantile(fit.draws[SLOPE], share))
    assert table.meta["method"] == "nuts"


def test_one_row_per_draw(fit):
    table = jm.io.draws_table(fit)
    assert len(table) == 80
    assert str(table[f"{DISC}.frame.inclination"].unit) == "deg"
    assert table[f"{DISC}.frame.q"].unit is None
    second = table[(table["chain"] == 1) & (table["draw"] == 7)][0]
    assert second[SLOPE] == fit.draws[SLOPE][1, 7]
    assert second[f"{DISC}.frame.x0"] == fit.draws[f"{DISC}.frame.x0"][1, 7]
    assert np.cos(np.deg2rad(second[f"{DISC}.frame.inclination"])) == pytest.approx(second[f"{DISC}.frame.q"])


def test_both_are_data_frames_where_pandas_is(fit):
    pytest.importorskip("pandas")
    frame = jm.io.draws_table(fit).to_pandas()
    assert frame[SLOPE].mean() == pytest.approx(fit.draws[SLOPE].mean())
    told = jm.io.parameter_table(fit).to_pandas().set_index("parameter")
    assert told.loc[SLOPE, "mean"] == pytest.approx(fit.draws[SLOPE].mean())
