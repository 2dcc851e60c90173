"""`jaxmetal batch`: a catalogue over one configuration, whole rows whatever happens."""

import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from functools import partial

import jax
import numpy as np
import pytest
from astropy.io import fits
from astropy.table import Table
from configured import GRID, ORIGIN, SHAPE
from samples import COUNT, SLOPE, edit, write_sample
from scipy.stats import norm

from jaxmetal import population
from jaxmetal.cli import main
from jaxmetal.io import read_population, write_maps


@pytest.fixture(autouse=True)
def double_precision():
    yield
    jax.config.update("jax_enable_x64", True)


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
    assert f"Medians of {SLOPE}_per_r_eff and their 16 and 84 % quantiles" in said
    relation = Table.read(tmp_path / "relation" / "relation.ecsv")
    median = dict(zip(relation["parameter"], relation["median"], strict=True))
    # Slopes from -0.3 to 0.1 dex/arcsec over two dex of mass, at 0.5 arcsec to an R_e.
    assert median["slope.log_mass"] == pytest.approx(0.2 * 0.5, abs=0.03)
    drawn = read_population(results, of=of, against={"log_mass": 10.0}).quantity
    assert "800 draws of" in drawn.findings[1].text
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
    scattered = np.random.default_rng(1).normal(8.6, 0.8, SHAPE)
    write_maps(tmp_path / "scattered.fits", {"data": scattered}, GRID, ORIGIN)
    fixed = '{dist = "Uniform", low = 0.2, high = 0.3}'
    edit(
        tmp_path,
        observations__metallicity__data=["g0.fits", "missing.fits", "g2.fits", "scattered.fits", "g4.fits"],
        observations__metallicity__sigma=["sigma.fits", "sigma.fits", "bad.fits", "faint.fits", "sigma.fits"],
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


def test_a_seed_that_cannot_be_leaves_no_run_behind(finished, tmp_path, capsys):
    assert main([*finished[0], "-o", str(tmp_path / "run"), "--seed", "-3"]) == 2
    assert "The seed must be a whole number" in capsys.readouterr().err
    assert not (tmp_path / "run" / "plan.json").exists()


def test_an_interrupted_run_says_how_to_go_on(finished, tmp_path, monkeypatch, capsys):
    def stop(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("jaxmetal.run.fitting.fit_chunk", stop)
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
    """Killed while it has a chunk, which goes to the one that takes its place."""
    distributed = pytest.importorskip("distributed")
    # Workers must compile as this process does, or the last digits differ.
    monkeypatch.setenv("JAX_DISABLE_MOST_OPTIMIZATIONS", "1")
    command, whole = finished
    run = tmp_path / "cluster"
    with distributed.LocalCluster(
        n_workers=1, threads_per_worker=1, processes=True, dashboard_address=None, host="127.0.0.1"
    ) as cluster:
        [nanny] = cluster.workers.values()
        victim = nanny.pid

        def kill():
            while not any(worker.processing for worker in list(cluster.scheduler.workers.values())):
                time.sleep(0.05)
            os.kill(victim, signal.SIGKILL)

        killer = threading.Thread(target=kill, daemon=True)
        killer.start()
        assert main([*command, "-o", str(run), "--posteriors", "--scheduler", cluster.scheduler_address]) == 0
        killer.join()
        assert nanny.pid != victim
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
