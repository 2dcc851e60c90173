"""A run from Python: plan, start, fit, resume, collect; its files say their format; nothing is half-written."""

import dataclasses
import inspect
import json
import os
import time

import h5py
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from astropy.table import Table
from configured import GRID, ORIGIN, SHAPE, write_galaxy

from jaxmetal import run as runs
from jaxmetal.cli.commands import parser
from jaxmetal.edge.errors import InputError
from jaxmetal.edge.progress import bar, beating
from jaxmetal.edge.writing import unfinished, write_whole
from jaxmetal.fit.cost import Cost
from jaxmetal.fit.padding import padded
from jaxmetal.fit.problem import make
from jaxmetal.fit.program import foreseen, signature
from jaxmetal.io import write_maps
from jaxmetal.io.record import digest
from jaxmetal.io.sealed import write_sealed
from jaxmetal.run import Expectation
from jaxmetal.run.needs import MOST, Need, divided
from jaxmetal.run.rows import UNREAD, read_rows, row_of_failure, write_rows

DATA, FWHM = "observations.metallicity.data", "observations.metallicity.psf.fwhm"
PRIOR = "sources.disc.carries.metallicity.profile.slope"


def write_sample(folder, **columns):
    """A catalogue of three galaxies and what they share; returns both paths."""
    configuration = write_galaxy(folder)
    random = np.random.default_rng(2)
    x, y = (np.asarray(a) for a in GRID.centres())
    for i in range(3):
        values = 8.6 - 0.1 * i * np.hypot(x, y) + random.normal(0.0, 0.05, SHAPE)
        write_maps(folder / f"g{i}.fits", {"data": values}, GRID, ORIGIN)
    table = {"name": ["a", "b", "c"], DATA: [f"g{i}.fits" for i in range(3)], **columns}
    Table(table).write(folder / "sample.ecsv")
    return folder / "sample.ecsv", configuration


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A run that was interrupted after its first chunk, and then finished."""
    folder = tmp_path_factory.mktemp("run")
    with pytest.MonkeyPatch.context() as quick:
        quick.setattr("jaxmetal.run.needs.measured", lambda *_: Cost(gradient=1e-3, starts=3))
        watched = []
        watch = lambda things, doing, each: watched.append((doing, each, len(things))) or things  # noqa: E731
        plan = runs.plan(*write_sample(folder), method="map", chunk_size=2, watch=watch)
    assert watched == [("reading", "galaxy", 3), ("timing a fit", "kind", 1)]
    started = runs.start(plan, folder / "run")
    assert runs.missing(started) == [0, 1]
    runs.fit(started, [0])
    with pytest.raises(InputError, match="1 of 2 chunks are still to be fitted"):
        runs.collect(started)
    told = []
    again = runs.resume(folder / "run", method="map", chunk_size=2)
    assert runs.missing(again) == [1]
    runs.fit(again, watch=told.append)
    assert told == [runs.Done(1, 0)]
    return again, runs.collect(again)


def test_a_run_of_python_leaves_the_table_of_the_command_line(finished):
    run, text = finished
    table = Table.read(run.folder / "results.ecsv")
    assert list(table["name"]) == ["a", "b", "c"]
    assert np.all(np.diff(table["disc.metallicity.slope"]) < -0.03)
    assert text == (run.folder / "summary.txt").read_text()
    assert runs.missing(run) == []


def test_what_could_not_be_read_when_it_was_fitted_is_read_again(finished, tmp_path):
    """Also where it could when it was planned, and among galaxies that could."""
    run = dataclasses.replace(finished[0], folder=tmp_path)
    run.chunk_path(0).parent.mkdir()
    good = read_rows(finished[0].chunk_path(0), ["a", "b"])
    write_rows(run.chunk_path(1), [row_of_failure("c", InputError("No maximum."), unread=False)])
    write_rows(run.chunk_path(0), [good[0], row_of_failure("b", OSError("No such file."), unread=True)])
    assert runs.missing(run) == []
    assert runs.missing(run, unread=True) == [0]
    before = {name: entry for name, entry in row_of_failure("c", OSError(), unread=True).items() if name != UNREAD}
    write_rows(run.chunk_path(1), [before])
    assert runs.missing(run, unread=True) == [0]
    late = dataclasses.replace(run, plan=dataclasses.replace(run.plan, unreadable={"2": "No such file."}))
    assert runs.missing(late, unread=True) == [0, 1]


def test_a_chunk_says_which_galaxies_could_not_be_read(finished, tmp_path, monkeypatch):
    run = dataclasses.replace(finished[0], folder=tmp_path)
    refused = InputError("No maximum.")
    monkeypatch.setattr("jaxmetal.run.chunk.batch", lambda galaxies, **_: [(one.name, refused) for one in galaxies])
    away = tmp_path / "away.fits"
    file = finished[0].folder.parent / "g0.fits"
    file.rename(away)
    runs.fit(run, [0])
    away.rename(file)
    found = {row["name"].value: row[UNREAD].value for row in read_rows(run.chunk_path(0), ["a", "b"])}
    assert found == {"a": True, "b": False}


def test_a_posterior_that_was_cut_is_fitted_again(finished, tmp_path):
    options = finished[0].plan.options | {"posteriors": True}
    run = dataclasses.replace(finished[0], folder=tmp_path, plan=dataclasses.replace(finished[0].plan, options=options))
    run.chunk_path(0).parent.mkdir()
    for number in (0, 1):
        run.chunk_path(number).write_bytes(finished[0].chunk_path(number).read_bytes())
    run.posterior_path("a").parent.mkdir()
    for name in ("a", "b", "c"):
        write_sealed(run.posterior_path(name), lambda made: h5py.File(made, "w").close())
    assert runs.missing(run) == []
    path = run.posterior_path("b")
    whole = path.read_bytes()
    for end in (len(whole) - 1, len(whole) // 2, 0):
        path.write_bytes(whole[:end])
        assert runs.missing(run) == [0]


def test_a_run_is_resumed_as_it_was_planned(finished):
    run, _ = finished
    assert runs.resume(run.folder, catalogue=run.plan.catalogue, seed=run.plan.options["seed"]).plan == run.plan
    with pytest.raises(InputError, match="was planned with method = map, found nuts"):
        runs.resume(run.folder, method="nuts")
    with pytest.raises(InputError, match="holds a run already"):
        runs.start(run.plan, run.folder)
    with pytest.raises(InputError, match="chunk: expected 0 to 1, the chunks of"):
        runs.fit(run, [2])


def test_plans_of_before_are_read_and_those_of_the_future_refused(finished, tmp_path):
    content = json.loads((finished[0].folder / "plan.json").read_text())
    assert content["format"] == 2
    for found, said in ((None, None), (3, "a format up to 2, found 3"), ("x", "a format up to 2, found x")):
        changed = {name: value for name, value in content.items() if name not in ("format", "sha256", "seconds")}
        changed |= {} if found is None else {"format": found}
        (tmp_path / "plan.json").write_text(json.dumps({"sha256": digest(changed), **changed}))
        if said is None:
            assert runs.read_plan(tmp_path) == dataclasses.replace(finished[0].plan, seconds=[])
        else:
            with pytest.raises(InputError, match=said):
                runs.read_plan(tmp_path)


def test_rows_of_before_are_read_and_those_of_the_future_refused(finished, tmp_path):
    content = json.loads(finished[0].chunk_path(0).read_text())
    del content["sha256"]
    for found, said in ((None, None), (7, "a format up to 1, found 7")):
        changed = {name: value for name, value in content.items() if name != "format"}
        changed |= {} if found is None else {"format": found}
        (tmp_path / "rows.json").write_text(json.dumps({"sha256": digest(changed), **changed}))
        if said is None:
            assert [row["name"].value for row in read_rows(tmp_path / "rows.json", ["a", "b"])] == ["a", "b"]
        else:
            with pytest.raises(InputError, match=said):
                read_rows(tmp_path / "rows.json", ["a", "b"])


def test_a_chunk_leaves_the_precision_as_it_was(finished, monkeypatch):
    run, _ = finished
    inside = []
    monkeypatch.setattr("jaxmetal.run.chunk._fitted", lambda *_: inside.append(jnp.result_type(float)) or ([], []))
    monkeypatch.setattr("jaxmetal.run.chunk.write_rows", lambda *_: None)
    single = dataclasses.replace(run, plan=dataclasses.replace(run.plan, options={**run.plan.options, "float32": True}))
    before = jax.config.read("jax_enable_x64")
    runs.fit(single, [0])
    assert inside == [jnp.float32]
    assert jax.config.read("jax_enable_x64") == before


def test_the_command_line_tells_the_defaults_of_python():
    taken = inspect.signature(runs.plan).parameters
    batch = parser()._subparsers._group_actions[0].choices["batch"].format_help()
    words = " ".join(batch.split())
    assert taken["chunk_size"].default is None
    assert f"run loses; default: a minute's worth, {MOST} at most" in words
    assert f"fitted together; default: {taken['memory'].default:g}" in words


def test_galaxies_that_share_a_program_are_planned_together(tmp_path):
    """What is foreseen tells apart what the compiled programs tell apart: priors and sizes, not their numbers."""
    prior = '{dist = "Normal", loc = -0.1, scale = 0.05}'
    fixed = '{dist = "Uniform", low = -0.3, high = 0.3}'
    catalogue = runs.read_catalogue(*write_sample(tmp_path, **{PRIOR: ["", prior, fixed]}))
    jobs = [catalogue.job(i) for i in range(3)]
    known = [foreseen(job.scene, job.observations) for job in jobs]
    exact = [signature(make(job.scene, job.observations)) for job in jobs]
    wide = [padded(job.observations) for job in jobs]
    known.append(foreseen(jobs[0].scene, wide[0]))
    exact.append(signature(make(jobs[0].scene, wide[0])))
    for one in range(4):
        for other in range(4):
            assert (known[one] == known[other]) == (exact[one] == exact[other]), (one, other)
    assert len(set(known)) == 3


@pytest.mark.parametrize("stop", [ValueError, KeyboardInterrupt])
def test_an_unfinished_file_or_folder_vanishes_and_the_old_one_stays(tmp_path, stop):
    def file():
        with unfinished(tmp_path / "old") as hidden:
            hidden.write_text("half")
            raise stop

    def folder():
        with unfinished(tmp_path / "new") as hidden:
            hidden.mkdir()
            (hidden / "part").write_text("half")
            raise stop

    (tmp_path / "old").write_text("whole")
    for write in (file, folder):
        with pytest.raises(stop):
            write()
    assert os.listdir(tmp_path) == ["old"]
    assert (tmp_path / "old").read_text() == "whole"


def test_whole_files_replace_old_ones_under_the_longest_names(tmp_path):
    name = "x" * 255
    for content in ("first", "Ω", b"\x00\xff"):
        write_whole(tmp_path / name, content)
    assert (tmp_path / name).read_bytes() == b"\x00\xff"
    assert os.listdir(tmp_path) == [name]
    with pytest.raises(InputError, match="name is too long"):
        write_whole(tmp_path / (name + "x"), "nothing")


def test_an_unwritable_map_leaves_nothing(tmp_path):
    with pytest.raises(InputError, match="a folder that should hold it is missing"):
        write_maps(tmp_path / "none" / "map.fits", {"data": np.zeros(SHAPE)}, GRID, ORIGIN)
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize(
    ("each", "asked", "sizes"),
    [(11.0, None, [3, 3]), (300.0, None, 6 * [1]), (0.01, None, [6]), (11.0, 4, [4, 2]), (29.0, None, [2, 2, 2])],
)
def test_chunks_follow_the_expected_time(each, asked, sizes):
    """Six galaxies of 11 s are not one chunk: a minute's worth is what an interrupted run loses."""
    parts = divided([8, 3, 5, 7, 1, 2], Need(each, 10, 6, 1.0), {"chunk_size": asked})
    assert [len(rows) for rows, _ in parts] == sizes
    assert [row for rows, _ in parts for row in rows] == [8, 3, 5, 7, 1, 2]
    np.testing.assert_allclose([seconds for _, seconds in parts], each * np.array(sizes))


def test_chunks_are_never_larger_than_a_page():
    unknown = divided(range(200), None, {"chunk_size": None})
    fast = divided(range(200), Need(1e-6, 10, 6, 1.0), {"chunk_size": None})
    assert [len(rows) for rows, _ in unknown] == [len(rows) for rows, _ in fast] == [50, 50, 50, 50]


def test_a_plan_knows_how_long_its_chunks_take(finished):
    run, _ = finished
    assert len(run.plan.seconds) == len(run.plan.chunks)
    assert all(group["seconds"] > 0.0 for group in run.plan.groups)


def test_an_expected_time_that_is_exceeded_is_corrected(finished):
    """Six galaxies of 11 s: after four minutes without one they take 24 minutes at least; with two done, 12."""
    run, _ = finished
    six = dataclasses.replace(run.plan, chunks=[[0, 1, 2], [3, 4, 5]], seconds=[33.0, 33.0])
    expected = Expectation(dataclasses.replace(run, plan=six), [0, 1])
    assert expected.corrected(0, 30.0) == expected.corrected(3, 45.0) == expected.corrected(6, 1e4) == ""
    assert expected.corrected(0, 240.0) == "slower than the 1.1 min expected, now at least 24.0 min in all"
    assert expected.corrected(2, 240.0) == "slower than the 1.1 min expected, now about 12.0 min in all"
    for unknown in ([], [0.0, 0.0]):
        before = dataclasses.replace(run, plan=dataclasses.replace(six, seconds=unknown))
        assert Expectation(before, [0, 1]).corrected(0, 1e4) == ""


def test_a_bar_speaks_while_nothing_is_done(monkeypatch, capsys):
    monkeypatch.setattr("jaxmetal.edge.progress.EVERY", 0.02)
    with bar(total=6, unit="galaxy", desc="fitting") as shown, beating(shown, lambda: "now at least 24 min"):
        time.sleep(0.1)
    told = capsys.readouterr().err
    assert "fitting: 0 of 6 galaxies" in told
    assert "now at least 24 min" in told
    with bar(total=6, shown=False) as hidden, beating(hidden, lambda: "nothing"):
        time.sleep(0.05)
    assert capsys.readouterr().err == ""
