"""Catalogues of galaxies: what their cells mean, and what is refused in one sentence."""

import dataclasses
import json
import shutil
from contextlib import nullcontext
from types import SimpleNamespace

import jax
import numpy as np
import pytest
from astropy.coordinates import SkyCoord
from astropy.table import MaskedColumn, Table
from samples import COUNT, DATA, FWHM, PRIOR, edit, write_sample

from jaxmetal.cli import main
from jaxmetal.edge.errors import InputError
from jaxmetal.io.config.table import read_toml
from jaxmetal.run import read_catalogue
from jaxmetal.run.expect import _columns, _unreadable, duration
from jaxmetal.run.needs import _first
from jaxmetal.run.plans import read_plan
from jaxmetal.run.table import _for_fits


@pytest.fixture(autouse=True)
def double_precision():
    yield
    jax.config.update("jax_enable_x64", True)


def test_a_cell_replaces_an_entry_and_an_empty_one_leaves_it(tmp_path):
    write_sample(tmp_path)
    prior = '{dist = "Normal", loc = -0.1, scale = 0.05}'
    edit(tmp_path, **{PRIOR.replace(".", "__"): [prior, "", "", "", ""]})
    catalogue = read_catalogue(tmp_path / "sample.ecsv", tmp_path / "fit.toml")
    changed, kept = (catalogue.job(i).scene.sources["disc"].carries["metallicity"].profile.slope for i in (0, 1))
    assert (float(changed.loc), float(changed.scale)) == (-0.1, 0.05)
    assert float(kept.scale) == 0.3
    assert catalogue.job(2).name == "galaxy 2"


@pytest.mark.parametrize("place", [DATA, "galaxy.z"])
def test_an_empty_cell_is_not_filled_with_what_is_another_galaxys(place, tmp_path):
    write_sample(tmp_path, 3)
    (tmp_path / read_toml(tmp_path / "fit.toml")["observations"]["metallicity"]["data"]).touch()
    own = Table.read(tmp_path / "sample.ecsv")[place]
    edit(tmp_path, **{place.replace(".", "__"): MaskedColumn(own, mask=[False, True, False])})
    catalogue = read_catalogue(tmp_path / "sample.ecsv", tmp_path / "fit.toml")
    with pytest.raises(InputError, match="expected a value for 'galaxy 1', found an empty cell"):
        catalogue.job(1)
    assert catalogue.job(2).name == "galaxy 2"


def test_a_psf_and_a_lens_may_be_of_all_galaxies(tmp_path):
    write_sample(tmp_path, 3)
    (tmp_path / "psf.fits").touch()
    catalogue = read_catalogue(tmp_path / "sample.ecsv", tmp_path / "fit.toml")
    of_one = catalogue._is_of_one_galaxy
    assert of_one("observations.metallicity.sigma", "psf.fits")
    assert not of_one("observations.metallicity.psf.file", "psf.fits")
    assert not of_one("observations.metallicity.sigma", "nowhere.fits")


def test_numbers_that_a_fits_catalogue_lacks_are_refused(tmp_path):
    write_sample(tmp_path, 3)
    edit(tmp_path, galaxy__z=[0.5, np.nan, 0.7], field=["COSMOS"] * 3)
    Table.read(tmp_path / "sample.ecsv").write(tmp_path / "sample.fits")
    catalogue = read_catalogue(tmp_path / "sample.fits", tmp_path / "fit.toml")
    with pytest.raises(InputError, match="found nan"):
        catalogue.job(1)


def test_empty_redshifts_are_the_configurations(tmp_path):
    """Maps at the redshift of a source that all share cannot be at several."""
    write_sample(tmp_path, 3)
    with (tmp_path / "fit.toml").open("a") as file:
        file.write('[lens.cluster]\ntype = "Deflection"\nx = "x.fits"\ny = "y.fits"\nz_lens = 0.3\nz_map = "source"\n')
    shared = read_toml(tmp_path / "fit.toml")["galaxy"]["z"]
    for own, several in ((shared, False), (shared + 0.1, True)):
        edit(tmp_path, galaxy__z=MaskedColumn([own, 0.0, own], mask=[False, True, False]))
        with pytest.raises(InputError, match=r"'galaxy\.z' of several redshifts") if several else nullcontext():
            assert read_catalogue(tmp_path / "sample.ecsv", tmp_path / "fit.toml").names[1] == "galaxy 1"


def test_a_spreadsheets_names_and_numbers_are_taken_as_they_stand(tmp_path):
    write_sample(tmp_path)
    table = f'name,{PRIOR}\n001,-0.2\n1e3,"{{dist = ""Normal"", loc = 0.0, scale = 0.1}}"\n010,\n'
    (tmp_path / "sample.csv").write_text(table, encoding="utf-8-sig")
    catalogue = read_catalogue(tmp_path / "sample.csv", tmp_path / "fit.toml")
    assert catalogue.names == ["001", "1e3", "010"]
    slopes = [catalogue.job(i).scene.sources["disc"].carries["metallicity"].profile.slope for i in range(3)]
    assert (slopes[0], float(slopes[1].scale), float(slopes[2].scale)) == (-0.2, 0.1, 0.3)


def test_columns_that_fits_cannot_hold_are_left_out_of_it():
    table = Table({"name": ["Ω"], "Δm": [1.0], "log_mass": [10.0], "place": SkyCoord([1.0], [2.0], unit="deg")})
    plain, lost = _for_fits(table)
    table["log_mass"].unit, table["log_mass"].description = "dex", "of Ω"
    assert _for_fits(table)[0]["log_mass"].description == "of \\u03a9 [dex]"
    assert (plain.colnames, list(plain["name"]), lost) == (["name", "log_mass"], ["\\u03a9"], ["Δm", "place"])


BAD = {
    "no name column": ({"name": None}, "must have a column 'name'"),
    "a name twice": ({"name": ["a", "a", "b", "c", "d"]}, "'a' more than once"),
    "an empty name": ({"name": ["a", "", "b", "c", "d"]}, "an empty name"),
    "a name with a slash": ({"name": ["a/b", "x", "b", "c", "d"]}, "no file can have"),
    "a misspelt place": ({"observations.metalicity.data": ["g0.fits"] * 5}, "no table 'observations.metalicity'"),
    "a name that is too long": ({"name": ["a" * 251, "x", "b", "c", "d"]}, "no file can have"),
    "a method of its own": ({"fit.method": ["nuts"] * 5}, "'fit.method', but all galaxies of a run are fitted alike"),
    "a second name": ({"galaxy.name": ["z"] * 5}, "names stand in the column 'name'"),
    "arrays for a number": ({"galaxy.z": np.ones((5, 2))}, "'galaxy.z' of arrays of shape (2,)"),
    "bad TOML in a cell": ({PRIOR: ["{dist = }"] * 5}, "no valid TOML"),
    "an unknown key": ({"observations.metallicity.psf.fwmh": np.full(5, 0.5)}, "did you mean 'fwhm'"),
}


@pytest.mark.parametrize("case", BAD, ids=str)
def test_a_bad_catalogue_is_refused_in_one_sentence(case, tmp_path, capsys):
    columns, words = BAD[case]
    command = write_sample(tmp_path)
    table = Table.read(tmp_path / "sample.ecsv")
    for name, values in columns.items():
        if values is None:
            table.remove_column(name)
        else:
            table[name] = values
    table.write(tmp_path / "sample.ecsv", overwrite=True)
    assert main([*command, "-o", str(tmp_path / "run")]) == 2
    said = capsys.readouterr().err
    assert words in said
    assert "Traceback" not in said
    assert not (tmp_path / "run").exists()


ARGUMENTS = {
    "no catalogue": (["batch", "none.ecsv"], "does not exist"),
    "no known suffix": (["batch", "sample.dat"], "must be an .ecsv, .fits or .csv"),
    "nothing to resume": ([None, "--resume"], "holds no plan.json"),
    "no chunk of that number": ([None, "--chunk", "0"], "holds no plan.json"),
    "chunks of nothing": ([None, "--chunk-size", "0"], "chunk_size: expected a whole number of at least 1, found 0"),
    "memory of nothing": ([None, "--memory", "0"], "above 0"),
    "unknown method": ([None, "--method", "magic"], "Unknown method"),
}


@pytest.mark.parametrize("case", ARGUMENTS, ids=str)
def test_bad_arguments_are_refused_in_one_sentence(case, tmp_path, capsys):
    given, words = ARGUMENTS[case]
    command = write_sample(tmp_path)
    if given[0] is None:
        command = [*command, *given[1:]]
    else:
        command[1] = str(tmp_path / given[1])
    assert main([*command, "-o", str(tmp_path / "run")]) == 2
    assert words in capsys.readouterr().err
    assert not (tmp_path / "run").exists()


def test_a_catalogue_that_changed_is_not_resumed(tmp_path, capsys):
    command = write_sample(tmp_path)
    assert main([*command, "-o", str(tmp_path / "run"), "--plan"]) == 0
    plan = json.loads((tmp_path / "run" / "plan.json").read_text())
    assert sorted(i for chunk in plan["chunks"] for i in chunk) == list(range(COUNT))
    planned, sample = read_plan(tmp_path / "run"), read_catalogue(tmp_path / "sample.ecsv", tmp_path / "fit.toml")
    planned.require_unchanged(sample.job(1))
    shutil.copy(tmp_path / "g0.fits", tmp_path / "g1.fits")
    with pytest.raises(InputError, match=r"g1\.fits has changed since the run was planned"):
        planned.require_unchanged(sample.job(1))
    edit(tmp_path, log_mass=np.zeros(COUNT))
    assert main([*command, "-o", str(tmp_path / "run"), "--resume"]) == 2
    assert "The catalogue" in (said := capsys.readouterr().err)
    assert "has changed since" in said
    assert main([*command, "-o", str(tmp_path / "run")]) == 2
    assert "holds a run already; finish it with --resume" in capsys.readouterr().err
    (tmp_path / "run" / "plan.json").write_text(json.dumps(plan)[:200])
    assert main([*command, "-o", str(tmp_path / "run"), "--resume"]) == 2
    assert "plan.json is damaged" in capsys.readouterr().err


def test_the_report_passes_over_galaxies_that_cannot_be_prepared(tmp_path):
    write_sample(tmp_path, 2)
    edit(tmp_path, sources__disc__frame__q=[5.0, 0.6])
    catalogue = read_catalogue(tmp_path / "sample.ecsv", tmp_path / "fit.toml")
    assert _first(catalogue, [0], False) is None
    assert float(_first(catalogue, [0, 1], False).skeleton["scene"].sources["disc"].frame.q) == 0.6


def test_the_report_says_what_columns_do_and_what_cannot_be_read(tmp_path):
    write_sample(tmp_path, 2)
    catalogue = read_catalogue(tmp_path / "sample.ecsv", tmp_path / "fit.toml")
    replacing, carried = _columns(catalogue)
    assert replacing.endswith(f": {DATA}, {FWHM}, galaxy.z.")
    assert carried.endswith(": field, log_mass, message, Method.")
    catalogue.configuration["galaxy"]["z"] = 0.61
    alone = dataclasses.replace(catalogue, places=[DATA])
    assert "redshift 0.61 for all" in _columns(alone)[0]
    alone.table["z"] = 0.5
    assert "z is one of them: should it be the redshift of each galaxy, name it galaxy.z" in _columns(alone)[-1]
    assert _unreadable(SimpleNamespace(unreadable={"1": "no file"}), catalogue)[1] == "  galaxy 1: no file"


@pytest.mark.parametrize(("seconds", "said"), [(0.8, "0.8 s"), (58.0, "58 s"), (90.0, "1.5 min")])
def test_short_times_are_told_in_seconds(seconds, said):
    assert duration(seconds) == said
