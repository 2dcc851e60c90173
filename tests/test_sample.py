"""`jaxmetal batch`: a catalogue over one configuration, whole rows whatever happens, and clear sentences."""

import dataclasses
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from functools import partial
from types import SimpleNamespace

import jax
import numpy as np
import pytest
from astropy.coordinates import SkyCoord
from astropy.io import fits
from astropy.table import Table
from configured import GRID, ORIGIN, SHAPE, replace, write_galaxy
from scipy.stats import norm

from jaxmetal import population
from jaxmetal.cli import main
from jaxmetal.edge.errors import InputError
from jaxmetal.io import read_population, write_maps
from jaxmetal.run import read_catalogue
from jaxmetal.run.expect import _columns, _first, _unreadable, duration
from jaxmetal.run.plan import read_plan
from jaxmetal.run.table import _for_fits

pytestmark = pytest.mark.usefixtures("compile_quickly")

DATA, SIGMA, FWHM = (f"observations.metallicity.{part}" for part in ("data", "sigma", "psf.fwhm"))
PRIOR = "sources.disc.carries.metallicity.profile.slope"
SLOPE = "disc.metallicity.slope"
COUNT = 5


@pytest.fixture(autouse=True)
def precision():
    yield
    jax.config.update("jax_enable_x64", True)


def write_sample(folder, count=COUNT):
    """A configuration, maps and a catalogue of `count` galaxies; returns the arguments of `jaxmetal batch`."""
    configuration = write_galaxy(folder)
    replace(configuration, 'method = "laplace"', 'method = "auto"\ndraws = 200')
    random = np.random.default_rng(0)
    x, y = (np.asarray(a) for a in GRID.centres())
    slopes = np.linspace(-0.3, 0.1, count)
    for i, slope in enumerate(slopes):
        values = 8.6 + slope * np.hypot(x, y) + random.normal(0.0, 0.05, SHAPE)
        write_maps(folder / f"g{i}.fits", {"data": values}, GRID, ORIGIN)
    columns = {
        "name": [f"galaxy {i}" for i in range(count)],
        "field": ["Ω Cen"] * count,
        DATA: [f"g{i}.fits" for i in range(count)],
        FWHM: np.full(count, 0.5),
        "galaxy.z": np.linspace(0.4, 0.8, count),
        "log_mass": np.linspace(9.0, 11.0, count),
        "message": ["seen twice"] * count,
        "Method": ["slit"] * count,
    }
    Table(columns).write(folder / "sample.ecsv")
    return ["batch", str(folder / "sample.ecsv"), "--config", str(configuration), "--quiet", "--chunk-size", "2"]


def edit(folder, **columns):
    """Changes columns of the catalogue; names with a dot are given with two underscores."""
    table = Table.read(folder / "sample.ecsv")
    for name, values in columns.items():
        table[name.replace("__", ".")] = values
    table.write(folder / "sample.ecsv", overwrite=True)


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """An undisturbed run: its command without the folder, and its folder."""
    folder = tmp_path_factory.mktemp("sample")
    command = write_sample(folder)
    assert main([*command, "-o", str(folder / "run"), "--posteriors"]) == 0
    return command, folder / "run"


def table_of(run):
    """Name -> row of the results, times and paths aside."""
    found = Table.read(run / "results.ecsv")
    return {row["name"]: [row[c] for c in found.colnames] for row in found}, found


def same(one, other):
    rows, others = table_of(one)[0], table_of(other)[0]
    assert list(rows) == list(others)
    for name in rows:
        for a, b in zip(rows[name], others[name], strict=True):
            if isinstance(a, (float, np.floating)):
                # Another process may have compiled the same program with other optimisations.
                np.testing.assert_allclose(a, b, rtol=1e-6, atol=1e-9)
            else:
                assert a == b or (np.ma.is_masked(a) and np.ma.is_masked(b))


def test_a_run_leaves_a_table_posteriors_and_pictures(finished):
    run = finished[1]
    assert {p.name for p in run.iterdir()} == {
        "chunks", "plan.json", "posteriors", "provenance.json", "results.ecsv", "results.fits", "summary.txt",
        "thumbnails",
    }  # fmt: skip
    table = table_of(run)[1]
    assert list(table["name"]) == [f"galaxy {i}" for i in range(COUNT)]
    assert set(table["status"]) == {"ok"}
    assert not any(table["message"].filled(""))
    assert (set(table["catalogue.message"]), set(table["catalogue.Method"])) == ({"seen twice"}, {"slit"})
    np.testing.assert_allclose(table["galaxy.z"], np.linspace(0.4, 0.8, COUNT))
    np.testing.assert_allclose(table["log_mass"], np.linspace(9.0, 11.0, COUNT))
    assert np.all(np.diff(table[SLOPE]) > 0.03)  # maps without blur, of slopes -0.3 to 0.1
    assert len(list((run / "posteriors").glob("*.nc"))) == COUNT
    assert len(list((run / "thumbnails").glob("*.png"))) == 3
    assert "5 galaxies: 5 ok" in (run / "summary.txt").read_text()
    assert len(fits.getdata(run / "results.fits")) == COUNT


def test_columns_say_what_they_are(finished):
    table = table_of(finished[1])[1]
    units = {"": "dex/arcsec", "_per_kpc": "dex/kpc", "_per_r_eff": "dex"}
    for kind, unit in units.items():
        for ending, words in {"": "median", "_lo": "16 % quantile", "_hi": "84 % quantile"}.items():
            column = table[f"{SLOPE}{kind}{ending}"]
            assert (str(column.unit).replace(" ", ""), words in column.description) == (unit, True)
    own = {"name", "field", "galaxy.z", "log_mass", "catalogue.message", "catalogue.Method"}
    assert {name for name in table.colnames if not table[name].description} == own
    assert np.all(table[f"{SLOPE}_narrowed"][table[f"{SLOPE}_resolved"]] >= 3.0)


def test_slopes_per_kpc_use_each_galaxys_redshift(finished):
    from astropy.cosmology import FlatLambdaCDM

    table = table_of(finished[1])[1]
    scale = FlatLambdaCDM(70.0, 0.3).kpc_proper_per_arcmin(np.linspace(0.4, 0.8, COUNT)).value / 60.0
    np.testing.assert_allclose(table[f"{SLOPE}_per_kpc"], table[SLOPE] / scale, rtol=1e-9)


def test_a_run_says_what_its_population_is(finished, tmp_path, capsys, monkeypatch):
    short = partial(population.Run, chains=2, warmup=100, draws=100)
    monkeypatch.setattr(population, "Run", short)
    of, results = f"{SLOPE}_per_kpc", finished[1] / "results.ecsv"
    command = [
        "population",
        str(results),
        "--of",
        f"{SLOPE}_per_r_eff",
        "--against",
        "log_mass=10",
        "-o",
        str(tmp_path / "relation"),
    ]
    assert main([*command, "--quiet"]) == 0
    assert {p.name for p in (tmp_path / "relation").iterdir()} == {
        "provenance.json", "relation.ecsv", "relation.nc", "relation.png", "relation.txt",
    }  # fmt: skip
    said = capsys.readouterr().out
    assert f"Medians of {SLOPE}_per_r_eff, with half the distance" in said
    relation = Table.read(tmp_path / "relation" / "relation.ecsv")
    median = dict(zip(relation["parameter"], relation["median"], strict=True))
    # Slopes from -0.3 to 0.1 dex/arcsec over two dex of mass, at 0.5 arcsec to an R_e.
    assert median["slope.log_mass"] == pytest.approx(0.2 * 0.5, abs=0.03)
    drawn = read_population(results, of=of, against={"log_mass": 10.0}).quantity
    assert "400 draws of" in drawn.findings[1].text
    scale = (table_of(finished[1])[1][SLOPE] / table_of(finished[1])[1][of])[:, None]
    np.testing.assert_allclose(drawn.log_prior, norm(0.0, 0.3 / scale).logpdf(drawn.values), rtol=1e-6)
    assert main([*command[:-1], str(tmp_path / "other"), "--against", "redshift=ten"]) == 2
    assert "--against: expected a number as the pivot of redshift, found 'ten'" in capsys.readouterr().err
    assert main([*command[:-1], str(tmp_path / "other"), "--error", "log_mass"]) == 2
    assert "--error: expected COLUMN=ERRORS, found log_mass" in capsys.readouterr().err
    assert main([*command[:-1], str(tmp_path / "other"), "--against", "log_mass=9"]) == 2
    assert "columns with different names, found log_mass=10 log_mass=9" in capsys.readouterr().err
    assert not (tmp_path / "other").exists()


def test_a_run_that_was_cut_short_is_finished_to_the_same_table(finished, tmp_path):
    command, whole = finished
    cut = tmp_path / "cut"
    assert main([*command, "-o", str(cut), "--plan"]) == 0
    assert main([*command, "-o", str(cut), "--chunk", "1"]) == 0
    assert [p.name for p in (cut / "chunks").iterdir()] == ["00001.json"]
    assert not (cut / "results.ecsv").exists()
    damaged = (cut / "chunks" / "00001.json").read_text()[:300]
    (cut / "chunks" / "00001.json").write_text(damaged)
    edited = (whole / "chunks" / "00000.json").read_text().replace('"ok"', '"fine"')
    (cut / "chunks" / "00000.json").write_text(edited)
    (cut / "chunks" / ".00002.json.99").write_text(damaged)
    shutil.rmtree(cut / "thumbnails")
    assert main([*command, "-o", str(cut), "--resume"]) == 0
    same(whole, cut)


def test_bad_galaxies_are_reported_and_the_others_fitted(tmp_path, capsys):
    command = write_sample(tmp_path)
    write_maps(tmp_path / "bad.fits", {"data": np.full(SHAPE, np.nan)}, GRID, ORIGIN)
    write_maps(tmp_path / "faint.fits", {"data": np.full(SHAPE, 0.8)}, GRID, ORIGIN)
    fixed = '{dist = "Uniform", low = 0.2, high = 0.3}'
    edit(
        tmp_path,
        observations__metallicity__data=["g0.fits", "missing.fits", "g2.fits", "g3.fits", "g4.fits"],
        observations__metallicity__sigma=["sigma.fits", "sigma.fits", "bad.fits", "faint.fits", ""],
        sources__disc__carries__metallicity__profile__slope=["", "", "", "", fixed],
    )
    assert main([*command, "-o", str(tmp_path / "run")]) == 0
    table = table_of(tmp_path / "run")[1]
    status = dict(zip(table["name"], table["status"], strict=True))
    assert status == {
        "galaxy 0": "ok", "galaxy 1": "failed", "galaxy 2": "failed", "galaxy 3": "ok", "galaxy 4": "suspect"
    }  # fmt: skip
    shown = capsys.readouterr().out
    assert "missing.fits" in shown
    assert "piles up at a bound" in shown
    assert "The gradient is NOT resolved: the data narrowed its prior 1." in table["message"][3]
    assert (table[f"{SLOPE}_resolved"][3], table[f"{SLOPE}_narrowed"][3] < 2.0) == (False, True)
    assert "1 with a gradient that is not resolved" in shown
    plain = fits.getdata(tmp_path / "run" / "results.fits")
    assert plain[f"{SLOPE}_resolved"].tolist() == [True, False, False, False, True]  # what failed is not resolved
    shutil.copy(tmp_path / "g1.fits", tmp_path / "missing.fits")
    assert main([*command, "-o", str(tmp_path / "run"), "--resume"]) == 0
    assert list(table_of(tmp_path / "run")[1]["status"]) == ["ok", "ok", "failed", "ok", "suspect"]


def test_a_killed_run_is_resumed_to_the_same_table(finished, tmp_path):
    command, whole = finished
    run = tmp_path / "killed"
    environment = {**os.environ, "JAX_DISABLE_MOST_OPTIMIZATIONS": "1"}
    process = subprocess.Popen([sys.executable, "-m", "jaxmetal", *command, "-o", str(run)], env=environment)
    while process.poll() is None and not list(run.glob("chunks/*.json")):
        time.sleep(0.05)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert (run / "plan.json").exists()
    assert main([*command, "-o", str(run), "--resume"]) == 0
    same(whole, run)


def test_a_cell_replaces_an_entry_and_an_empty_one_leaves_it(tmp_path):
    write_sample(tmp_path)
    prior = '{dist = "Normal", loc = -0.1, scale = 0.05}'
    edit(tmp_path, **{PRIOR.replace(".", "__"): [prior, "", "", "", ""]})
    catalogue = read_catalogue(tmp_path / "sample.ecsv", tmp_path / "fit.toml")
    changed, kept = (catalogue.job(i).scene.sources["disc"].carries["metallicity"].profile.slope for i in (0, 1))
    assert (float(changed.loc), float(changed.scale)) == (-0.1, 0.05)
    assert float(kept.scale) == 0.3
    assert catalogue.job(2).name == "galaxy 2"


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
    assert (plain.colnames, list(plain["name"]), lost) == (["name", "log_mass"], ["\\u03a9"], ["Δm", "place"])


def test_an_interrupted_run_says_how_to_go_on(finished, tmp_path, monkeypatch, capsys):
    def stop(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("jaxmetal.run.chunk.fit_chunk", stop)
    assert main([*finished[0], "-o", str(tmp_path / "run")]) == 130
    assert "interrupted; finished chunks are kept in" in (said := capsys.readouterr()).err
    assert "--resume" in said.err


def test_no_device_is_one_sentence(monkeypatch, capsys, tmp_path):
    def none():
        raise RuntimeError("Unable to initialize backend 'nonsense'")

    monkeypatch.setattr(jax, "devices", none)
    assert main(["demo", "-o", str(tmp_path / "demo")]) == 2
    assert "JAX finds no device (Unable to initialize backend 'nonsense')" in capsys.readouterr().err


def test_images_and_maps_are_fitted_together(tmp_path):
    command = write_sample(tmp_path, 2)
    image = """
[observations.halpha]
kind = "image"
data = "halpha.fits"
sigma = 0.05
light = "halpha"
psf = {type = "Gaussian", fwhm = 0.5}
"""
    with (tmp_path / "fit.toml").open("a") as file:
        file.write(image)
    assert main([*command, "-o", str(tmp_path / "run"), "--method", "map"]) == 0
    assert "halpha.chi2" in table_of(tmp_path / "run")[1].colnames


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
    "chunks of nothing": ([None, "--chunk-size", "0"], "above 0"),
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


OTHERS = {
    "method = auto": ["--method", "nuts"],
    "seed = 1": ["--seed", "3"],
    "chunk_size = 2": ["--chunk-size", "3"],
    "memory = 1.0": ["--memory", "2"],
    "float32 = False": ["--float32"],
    "configuration = ": ["--config", "elsewhere.toml"],
}


@pytest.mark.parametrize("planned", OTHERS)
def test_a_run_is_not_resumed_with_other_arguments(finished, planned, capsys):
    command, run = finished
    assert main([*command, "-o", str(run), "--resume", *OTHERS[planned]]) == 2
    assert f"was planned with {planned}" in capsys.readouterr().err


def test_a_cluster_that_loses_a_worker_finds_the_same_table(finished, tmp_path, monkeypatch):
    distributed = pytest.importorskip("distributed")
    # Workers must compile as this process does, or the last digits differ.
    monkeypatch.setenv("JAX_DISABLE_MOST_OPTIMIZATIONS", "1")
    command, whole = finished
    run = tmp_path / "cluster"
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None, host="127.0.0.1"
    ) as cluster:
        victim = next(iter(cluster.workers.values())).pid
        killer = subprocess.Popen(["sh", "-c", f"sleep 6; kill -9 {victim}"])
        assert main([*command, "-o", str(run), "--scheduler", cluster.scheduler_address]) == 0
        killer.wait()
    same(whole, run)


@pytest.mark.parametrize("address", ["tcp://127.0.0.1:9", "nonsense"])
def test_no_scheduler_is_one_sentence(address, tmp_path, capsys, monkeypatch):
    pytest.importorskip("distributed")
    monkeypatch.setattr("jaxmetal.run.cluster.PATIENCE", "1s")
    command = write_sample(tmp_path)
    assert main([*command, "-o", str(tmp_path / "run"), "--scheduler", address]) == 2
    assert f"no Dask scheduler answers at {address}" in capsys.readouterr().err
    assert not (tmp_path / "run").exists()


def test_a_finished_run_needs_no_scheduler(finished):
    command, run = finished
    assert main([*command, "-o", str(run), "--resume", "--scheduler", "tcp://127.0.0.1:9"]) == 0


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
    assert _unreadable(SimpleNamespace(unreadable={"1": "no file"}), catalogue)[1] == "  galaxy 1: no file"


@pytest.mark.parametrize(("seconds", "said"), [(0.8, "0.8 s"), (58.0, "58 s"), (90.0, "1.5 min")])
def test_short_times_are_told_in_seconds(seconds, said):
    assert duration(seconds) == said
