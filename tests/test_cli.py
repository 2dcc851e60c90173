"""The command line: files out, exit codes, sentences without tracebacks, nothing half-written."""

import errno
import json
import os
import subprocess
import sys
import tomllib

import jax
import numpy as np
import pytest
from astropy.io import fits
from astropy.table import Table
from configured import CONFIG, SHAPE, replace, write_galaxy

from jaxmetal.cli import main
from jaxmetal.fit import auto
from jaxmetal.io.config.read import read_job


@pytest.fixture(autouse=True)
def double_precision():
    yield
    jax.config.update("jax_enable_x64", True)


@pytest.fixture
def path(tmp_path):
    (tmp_path / "in").mkdir()
    return write_galaxy(tmp_path / "in")


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    """The folder of one fit."""
    folder = tmp_path_factory.mktemp("fit")
    path = write_galaxy(folder)
    assert main(["fit", str(path), "-o", str(folder / "out"), "--quiet"]) == 0
    return folder / "out"


def leftovers(folder):
    return sorted(p.name for p in folder.iterdir() if p.name != "in")


def test_a_fit_writes_everything(results):
    names = {p.name for p in results.iterdir()}
    assert names == {
        "corner.png",
        "fit_metallicity.png",
        "maps_metallicity.fits",
        "model.h5",
        "parameters.ecsv",
        "posterior.nc",
        "provenance.json",
        "source_plane_metallicity.png",
        "summary.txt",
    }
    assert "per kpc" in (results / "summary.txt").read_text()


def test_the_table_names_units_and_quantiles(results):
    table = Table.read(results / "parameters.ecsv")
    slope = table[[name.endswith("slope") for name in table["parameter"]]][0]
    assert slope["unit"] == "dex/arcsec"
    assert slope["q16"] < slope["median"] < slope["q84"]
    assert slope["sd"] == pytest.approx(0.5 * (slope["q84"] - slope["q16"]), rel=0.2)


def test_draws_come_back(results):
    import xarray

    with xarray.open_datatree(results / "posterior.nc", engine="h5netcdf") as tree:
        slope = tree["posterior"]["scene.sources.disc.carries.metallicity.profile.slope"]
        assert slope.dims == ("chain", "draw")
        assert tree.attrs["format"] == 1
        table = Table.read(results / "parameters.ecsv")
        index = [name.endswith("slope") for name in table["parameter"]].index(True)
        assert float(slope.mean()) == pytest.approx(table["mean"][index])


def test_maps_have_world_coordinates(results):
    with fits.open(results / "maps_metallicity.fits") as maps:
        names = {image.name.lower() for image in maps[1:]}
        assert {
            "data",
            "model",
            "residual",
            "metallicity_disc",
            "radius_disc",
            "radius_kpc_disc",
            "radius_re_disc",
        } <= names
        assert maps["model"].data.shape == SHAPE
        assert np.isnan(maps["data"].data).sum() == 4
        assert maps["model"].header["BUNIT"] == maps["metallicity_disc"].header["BUNIT"] == "dex"
        assert maps["radius_kpc_disc"].header["CRVAL1"] == pytest.approx(150.1)
        ratio = maps["radius_re_disc"].data / maps["radius_disc"].data
        np.testing.assert_allclose(ratio[np.isfinite(ratio)], 2.0)


def test_provenance_names_inputs_and_versions(results):
    record = json.loads((results / "provenance.json").read_text())
    assert record["seed"] == 1
    assert record["configuration"]["fit"]["method"] == "laplace"
    assert len(record["inputs"]["observations.metallicity.data"]["sha256"]) == 64
    assert {"jaxmetal", "jax", "numpyro"} <= set(record["versions"])


def test_results_are_not_replaced_unasked(results, capsys):
    path = results.parent / "fit.toml"
    before = (results / "summary.txt").stat().st_mtime_ns
    assert main(["fit", str(path), "-o", str(results)]) == 2
    assert "exists already" in capsys.readouterr().err
    assert (results / "summary.txt").stat().st_mtime_ns == before


def test_a_first_look_is_labelled_and_a_fit_begins_at_an_earlier_result(results, tmp_path, capsys, monkeypatch):
    path, seen = results.parent / "fit.toml", {}

    def watched(*scene, **settings):
        seen.update(settings)
        return auto(*scene, **settings)

    monkeypatch.setattr("jaxmetal.fit.auto", watched)
    assert main(["fit", str(path), "-o", str(tmp_path / "quick"), "--quick", "--start", str(results)]) == 0
    said = capsys.readouterr()
    assert "A first look: these are draws of the Gaussian around the maximum" in said.out
    steps = ("Looking for the maximum", "Looking by how much", f"Writing numbers, maps and pictures to {tmp_path}")
    assert [said.err.index(step) for step in steps] == sorted(said.err.index(step) for step in steps)
    best = dict(zip(*(Table.read(results / "parameters.ecsv")[key] for key in ("parameter", "best")), strict=True))
    assert len(best) == len(seen["start"]) == 2
    for name, value in seen["start"].items():
        assert float(value) == pytest.approx(best[name], rel=1e-6)
    (tmp_path / "again.toml").write_text(path.read_text().replace("seed = 1", 'start = "out"'))
    assert read_job(tomllib.loads((tmp_path / "again.toml").read_text()), path).settings["start"] == seen["start"]
    assert main(["fit", str(path), "-o", str(tmp_path / "no"), "--start", str(tmp_path)]) == 2
    assert "holds no results of a fit" in capsys.readouterr().err


def test_ctrl_c_in_a_fit_writes_what_there_is(results, tmp_path, capsys, monkeypatch):
    def stop(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr("jaxmetal.fit.weigh.walk", stop)
    folder = tmp_path / "out"
    assert main(["fit", str(results.parent / "fit.toml"), "-o", str(folder), "--quiet"]) == 130
    assert capsys.readouterr().err == f"jaxmetal: interrupted; what there was is in {folder}.\n"
    assert "Stopped by hand before there were draws." in (folder / "summary.txt").read_text()


def test_check_says_what_was_read(path, capsys):
    assert main(["check", str(path)]) == 0
    out = capsys.readouterr().out
    for words in (
        "9 x 13 pixels (ny x nx) of 0.2 arcsec",
        "113 of 117 pixels used, 3.4% masked",
        "FWHM 0.5 arcsec = 2.50 pixels",
        "profile.slope ~ Normal(0, 0.3) dex/arcsec\n",
        "6.104 kpc/arcsec",
    ):
        assert words in out


def test_check_tells_stated_errors_from_what_the_noise_may_add(path, capsys):
    main(["check", str(path)])
    assert "errors with jitter = 0.01: median 0.051, 0.051 to 0.051 dex\n" in capsys.readouterr().out
    replace(path, "jitter = 0.01", 'jitter = {dist = "HalfNormal", scale = 0.05}')
    main(["check", str(path)])
    out = capsys.readouterr().out
    assert "  errors: median 0.05, 0.05 to 0.05 dex\n" in out
    assert "  errors with jitter = 0.0337 (medians of priors): median 0.0603, 0.0603 to 0.0603 dex\n" in out


def test_check_draws_what_the_prior_thinks_possible(path, capsys):
    folder = path.parent / "prior"
    assert main(["check", str(path), "--prior", str(folder)]) == 0
    assert str(folder) in capsys.readouterr().out
    assert (folder / "prior_metallicity.png").stat().st_size > 5000
    assert main(["check", str(path), "--prior", str(folder)]) == 2
    assert "exists already" in capsys.readouterr().err


def test_check_warns_of_one_sided_slopes(path, capsys):
    replace(path, '{dist = "Normal", loc = 0.0, scale = 0.3}', '{dist = "Uniform", low = -1.0, high = 0.0}')
    assert main(["check", str(path)]) == 0
    assert "one sign only" in capsys.readouterr().out.splitlines()[0]


def test_the_example_is_printed_and_says_that_its_files_are_missing(tmp_path, capsys):
    assert main(["example"]) == 0
    text = capsys.readouterr().out
    assert "[observations.metallicity]" in text
    (tmp_path / "my.toml").write_text(text)
    assert main(["check", str(tmp_path / "my.toml")]) == 2
    assert "provide it, or try those that `jaxmetal simulate` writes" in capsys.readouterr().err


def test_simulated_files_can_be_checked(tmp_path, capsys):
    assert main(["simulate", "-o", str(tmp_path / "galaxy"), "--seed", "3"]) == 0
    assert main(["check", str(tmp_path / "galaxy/fit.toml")]) == 0
    shown = capsys.readouterr().out
    assert "25 x 29 pixels" in shown
    assert "profile.slope ~ Normal(0, 2)" in shown


BAD = {
    "no file": (lambda path: path.unlink(), "does not exist"),
    "unknown key": (lambda path: replace(path, "mixing", "mixign"), "did you mean 'mixing'?"),
    "missing data": (lambda path: (path.parent / "metallicity.fits").unlink(), "does not exist"),
    "not FITS": (lambda path: (path.parent / "sigma.fits").write_text("1 2 3"), "cannot be read as FITS"),
    "nothing free": (lambda path: path.write_text(CONFIG.split("profile")[0] + FIXED), "Nothing to fit"),
}
FIXED = 'profile = {type = "Gradient", central = 8.5, slope = -0.1}\n'


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_one_sentence_and_exit_code_2(path, case, capsys):
    spoil, words = BAD[case]
    spoil(path)
    assert main(["fit", str(path), "-o", str(path.parents[1] / "out")]) == 2
    error = capsys.readouterr().err
    assert words in error
    assert error.startswith("jaxmetal: ")
    assert error.count("\n") == 1
    assert leftovers(path.parents[1]) == []


def test_an_output_without_a_place_is_refused_before_the_fit(path, capsys):
    assert main(["fit", str(path), "-o", str(path.parents[1] / "no/where")]) == 2
    assert "parent folder" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("trouble", "code", "words"),
    [
        (KeyboardInterrupt(), 130, "interrupted; nothing written"),
        (OSError(errno.ENOSPC, "No space left on device"), 2, "the disk is full"),
        (OSError(errno.EACCES, "Permission denied"), 2, "permission is denied"),
    ],
)
def test_trouble_while_writing_leaves_nothing(tmp_path, monkeypatch, capsys, trouble, code, words):
    def fail(*_, **__):
        raise trouble

    monkeypatch.setattr("jaxmetal.cli.simulate.provenance", fail)
    assert main(["simulate", "-o", str(tmp_path / "galaxy")]) == code
    error = capsys.readouterr().err
    assert words in error
    assert error.count("\n") == 1
    assert leftovers(tmp_path) == []


def test_single_precision_on_request():
    assert main(["check", "nowhere.toml", "--float32"]) == 2
    assert not jax.config.jax_enable_x64


def test_a_process_ends_with_the_code_and_no_traceback(tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "jaxmetal", "check", "nowhere.toml"],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env={**os.environ, "JAX_PLATFORMS": "cpu"},
    )
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr == "jaxmetal: The configuration nowhere.toml does not exist; check its path.\n"


@pytest.mark.parametrize("argument", ["example", "--help"])
def test_a_closed_pipe_ends_a_command_in_silence(argument):
    """Output shorter than the buffer would fail only when the interpreter ends."""
    buffered = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    reading, writing = os.pipe()
    os.close(reading)
    try:
        done = subprocess.run(
            [sys.executable, "-m", "jaxmetal", argument],
            stdout=writing,
            stderr=subprocess.PIPE,
            text=True,
            env={**buffered, "JAX_PLATFORMS": "cpu"},
        )
    finally:
        os.close(writing)
    assert (done.returncode, done.stderr) == (141, "")


def test_unknown_commands_are_refused(capsys):
    with pytest.raises(SystemExit) as end:
        main(["fti"])
    assert end.value.code == 2
    assert "fti" in capsys.readouterr().err


@pytest.mark.parametrize("command", ["fit", "lines", "population", "demo", "simulate", "check", "batch", "example"])
def test_help_of_a_command_says_what_it_is_for_and_where_it_writes(command, capsys):
    with pytest.raises(SystemExit):
        main(["--help"])
    listed = " ".join(capsys.readouterr().out.split())
    with pytest.raises(SystemExit):
        main([command, "--help"])
    told = capsys.readouterr().out
    purpose = " ".join(told.split("\n\n")[1].split())
    assert purpose[0].isupper()
    assert f"{command} {purpose[0].lower()}{purpose[1:-1]}" in listed
    ending = {"fit": "-results", "lines": "-lines", "population": "-population"}.get(command, "")
    assert (f"(default: the file's name with {ending} for its ending)" in " ".join(told.split())) == bool(ending)
