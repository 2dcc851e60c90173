"""Tables and provenance: what is read, what is written, what is refused."""

import hashlib
import json
import re
from pathlib import Path

import numpy as np
import pytest
from astropy import units
from astropy.io import fits
from astropy.table import Column, MaskedColumn, Table
from astropy.utils.masked import Masked

from jaxmetal.edge.errors import InputError
from jaxmetal.io.record import checksum, provenance
from jaxmetal.io.tables import column_units, read_table, write_table

LINES = Path(__file__).parents[2] / "shared" / "data" / "as1063" / "line_fluxes_by_bin.dat"

LAYOUTS = {
    "spaces": "bin x  y\n1 0.5 2\n3 nan 4\n",
    "commented": "# bin x y\n1 0.5 2\n3 nan 4\n",
    "commas": "bin,x,y\n1,0.5,2\n3,nan,4\n",
    "missing": "bin,x,y\n1,0.5,2\n3,,4\n",
    "ruler": "bin   x y\n--- --- -\n  1 0.5 2\n  3 nan 4\n",
}


@pytest.mark.parametrize("layout", LAYOUTS.values(), ids=LAYOUTS.keys())
def test_layouts_of_text_tables(tmp_path, layout):
    (tmp_path / "table.txt").write_text(layout)
    table = read_table(tmp_path / "table.txt", required=("bin", "x"))
    assert list(table) == ["bin", "x", "y"]
    np.testing.assert_array_equal(table["bin"], [1, 3])
    np.testing.assert_array_equal(table["x"], [0.5, np.nan])
    assert not any(isinstance(values, np.ma.MaskedArray) for values in table.values())


def test_numbers_without_a_header(tmp_path):
    (tmp_path / "bins.txt").write_text("0 1 5\n2 3 7\n")
    np.testing.assert_array_equal(read_table(tmp_path / "bins.txt")["col3"], [5, 7])


@pytest.mark.skipif(not LINES.is_file(), reason=f"the real line fluxes are not at {LINES}")
def test_a_published_table():
    table = read_table(LINES, required=("bin", "f_hb", "unc_hb"))
    assert table["bin"].shape == (136,)
    assert table["f_hb"][list(table["bin"]).index(0)] == pytest.approx(955.718)


def test_ecsv_roundtrip(tmp_path):
    path = tmp_path / "fit.ecsv"
    columns = {"parameter": ["slope", "q"], "median": np.array([-0.2, np.nan]), "n": [3, 4]}
    write_table(path, columns, units={"median": "dex / arcsec"}, descriptions={"n": "draws"}, meta={"seed": 7})
    again = read_table(path)
    assert list(again) == list(columns)
    np.testing.assert_array_equal(again["median"], columns["median"])
    np.testing.assert_array_equal(again["parameter"], columns["parameter"])
    assert again["n"].dtype.kind == "i"
    for written in ("dex / arcsec", "draws", "seed: 7"):
        assert written in path.read_text()


def test_missing_text_and_truth_values_are_no_others(tmp_path):
    (tmp_path / "t.csv").write_text("name,x\na,1\n,2\nc,3\n")
    assert read_table(tmp_path / "t.csv")["name"].tolist() == ["a", "", "c"]
    write_table(tmp_path / "t.ecsv", {"is": np.ma.array([True, False, True], mask=[False, False, True])})
    np.testing.assert_array_equal(read_table(tmp_path / "t.ecsv")["is"], [1.0, 0.0, np.nan])


def test_masks_and_units_are_written(tmp_path):
    mask, length = [False, True], np.array([1.0, 2.0]) * units.km
    columns = {
        "a": np.ma.array([1, 2], mask=mask),
        "stated": Masked(length, mask=mask),
        "own": length,
        "column": MaskedColumn([1.0, 2.0], unit="km", mask=mask),
        "bare": Column([1.0, 2.0]),
        "text": np.ma.array(["x", "y"], mask=mask),
    }
    write_table(tmp_path / "t.ecsv", columns, units=dict.fromkeys(("stated", "column", "bare"), "m"))
    again = Table.read(tmp_path / "t.ecsv", format="ascii.ecsv")
    for name, first in {"a": 1, "stated": 1000.0, "column": 1000.0, "text": "x"}.items():
        assert (again[name].mask.tolist(), again[name][0]) == (mask, first)
    assert (again["own"].tolist(), again["bare"].tolist()) == ([1.0, 2.0], [1.0, 2.0])
    assert column_units(tmp_path / "t.ecsv") == {"stated": "m", "own": "km", "column": "m", "bare": "m"}
    with pytest.raises(InputError, match="own: expected a number or a quantity in s, found a quantity in km"):
        write_table(tmp_path / "u.ecsv", columns, units={"own": "s"})
    assert not (tmp_path / "u.ecsv").exists()


@pytest.mark.parametrize("name", ["a.fits", "a.csv", "a"])
def test_a_file_that_would_be_no_ecsv_is_not_written(tmp_path, name):
    with pytest.raises(InputError, match=r"expected an ending of \.ecsv, \.txt, \.dat, .* found"):
        write_table(tmp_path / name, {"x": [1]})
    assert not (tmp_path / name).exists()
    write_table(tmp_path / "b.txt", {"x": [1]})
    assert read_table(tmp_path / "b.txt")["x"] == [1]


@pytest.mark.parametrize("ending", ["fits", "fit", "fits.gz"])
def test_fits_tables(tmp_path, ending):
    path = tmp_path / f"results.{ending}"
    names = [r"\u03a9 Cen", "", r"\U0001f30c \xe9"]  # as a run escapes them
    columns = {"name": names, "slope": [-0.1, np.nan, 0.2], "resolved": [True, False, True], "pair": np.eye(3, 2)}
    columns["count"] = MaskedColumn([3, 0, 4], mask=[False, True, False])
    table = fits.table_to_hdu(Table(columns))
    table.header["TUNIT2"] = "dex/kpc"  # no unit of the standard
    fits.HDUList([fits.PrimaryHDU(np.ones((2, 2))), fits.ImageHDU(), table, table]).writeto(path)
    found = read_table(path, required=("slope",))
    assert found["name"].tolist() == ["Ω Cen", "", "🌌 é"]
    np.testing.assert_array_equal(found["slope"], columns["slope"])
    np.testing.assert_array_equal(found["count"], [3.0, np.nan, 4.0])
    np.testing.assert_array_equal(found["resolved"], columns["resolved"])
    np.testing.assert_array_equal(found["pair"], columns["pair"])
    assert all(values.dtype.isnative for values in found.values())
    assert column_units(path) == {"slope": "dex/kpc"}


def missing(path):
    return path / "none.txt"


def binary(path):
    (path / "table.txt").write_bytes(bytes(range(256)))
    return path / "table.txt"


def broken(path):
    (path / "table.ecsv").write_text("no ecsv\n")
    return path / "table.ecsv"


def other_columns(path):
    (path / "table.txt").write_text("col row\n1 2\n")
    return path / "table.txt"


def pictures(path):
    fits.writeto(path / "map.fits", np.ones((2, 2)))
    return path / "map.fits"


def torn(path):
    (path / "table.fits").write_bytes(bytes(range(256)))
    return path / "table.fits"


def many_columns(path):
    names = ["disc.metallicity.slope", "BINS", "by", "slit", *(f"flux_{k}" for k in range(9))]
    write_table(path / "table.ecsv", {name: [1] for name in names})
    return path / "table.ecsv"


@pytest.mark.parametrize(
    ("case", "sentence"),
    [
        (pictures, "map.fits must hold a table, but has images only; name another file"),
        (torn, "cannot be read as a table"),
        (many_columns, "a column bin, but has 13 others; did you mean 'BINS', 'by' or 'slit'?"),
        (missing, "does not exist; check its path"),
        (binary, "cannot be read as a table"),
        (broken, "cannot be read as a table"),
        (other_columns, "must have a column bin, but has col, row"),
    ],
)
def test_tables_that_cannot_be_used(tmp_path, case, sentence):
    with pytest.raises(InputError, match=re.escape(sentence)) as caught:
        read_table(case(tmp_path), required=("bin",))
    assert "\n" not in str(caught.value)


def test_tables_are_not_overwritten(tmp_path):
    write_table(tmp_path / "a.ecsv", {"x": [1]})
    with pytest.raises(InputError, match="exists already"):
        write_table(tmp_path / "a.ecsv", {"x": [2]})
    np.testing.assert_array_equal(read_table(tmp_path / "a.ecsv")["x"], [1])


def test_provenance_names_inputs_versions_and_seed(tmp_path):
    (tmp_path / "map.fits").write_bytes(b"pixels")
    record = provenance({"map": tmp_path / "map.fits"}, seed=3, configuration={"scene": {"q": 0.7}})
    assert record["inputs"]["map"]["sha256"] == hashlib.sha256(b"pixels").hexdigest()
    assert record["seed"] == 3
    assert {"python", "jaxmetal", "jax", "numpyro", "astropy"} <= record["versions"].keys()
    assert record["versions"]["jax"][0].isdigit()
    assert record["created"].endswith("+00:00")
    assert json.loads(json.dumps(record)) == record


def test_an_input_that_vanished_is_named(tmp_path):
    with pytest.raises(InputError, match=r"gone\.fits cannot be read \(No such file or directory\)"):
        checksum(tmp_path / "gone.fits")
