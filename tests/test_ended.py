"""Processes that are interrupted, killed or cannot print: nothing half-written, one sentence, an exit code."""

import io
import os
import resource
import signal
import subprocess
import sys

import jax
import numpy as np
import pytest
import xarray

from jaxmetal.cli import main
from jaxmetal.cli.streams import printing, ready
from jaxmetal.edge.errors import InputError
from jaxmetal.edge.signals import ended_by_sigterm, unbroken
from jaxmetal.edge.writing import HIDDEN, REPLACED, sweep, write_whole
from jaxmetal.io.folder import MARKER, output_folder
from jaxmetal.io.sealed import write_netcdf

HOLDING = """
import sys, time
from jaxmetal.io.folder import output_folder
with output_folder(sys.argv[1]) as folder:
    (folder / "half").touch()
    print("ready", flush=True)
    time.sleep(60)
"""
DATA = xarray.DataTree.from_dict({"posterior": xarray.Dataset({"x": (("draw",), np.arange(3000.0))})})


def holding(target):
    """A process that is writing a folder."""
    process = subprocess.Popen([sys.executable, "-c", HOLDING, str(target)], stdout=subprocess.PIPE)
    assert process.stdout.readline() == b"ready\n"
    return process


def test_what_was_killed_is_swept_by_the_next_and_what_lives_is_not(tmp_path):
    process = holding(tmp_path / "fit")
    try:
        [hidden] = tmp_path.glob(f"{HIDDEN}*")
        sweep(tmp_path)
        assert (hidden / "fit" / "half").exists()
    finally:
        process.kill()
        process.communicate()
    assert hidden.exists()
    with output_folder(tmp_path / "other") as folder:
        (folder / MARKER).touch()
    assert [entry.name for entry in tmp_path.iterdir()] == ["other"]


def test_what_was_about_to_be_replaced_is_put_back(tmp_path):
    aside = tmp_path / f"{HIDDEN}0123" / REPLACED / "fit"
    aside.mkdir(parents=True)
    (aside / MARKER).write_text("old")
    sweep(tmp_path)
    assert (tmp_path / "fit" / MARKER).read_text() == "old"
    assert [entry.name for entry in tmp_path.iterdir()] == ["fit"]


def test_sigterm_leaves_nothing_half_written(tmp_path):
    with pytest.raises(SystemExit) as caught, ended_by_sigterm(), output_folder(tmp_path / "fit"):
        signal.raise_signal(signal.SIGTERM)
    assert caught.value.code == 143
    assert list(tmp_path.iterdir()) == []
    assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL


@pytest.fixture
def ctrl_c():
    """As in a terminal: shells start what runs in the background deaf to Ctrl-C."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


COLLECTING = """
import gc, signal, sys, time
from jaxmetal.edge import signals
sent, came = signal.Signals(int(sys.argv[1])), []
signal.signal(signal.SIGINT, signal.default_int_handler)

def collecting(phase, info):
    if not came:
        came.append(sent)
        signal.raise_signal(sent)

with signals.ended_by_sigterm():
    gc.callbacks.append(collecting)
    gc.collect()
    assert came
    time.sleep(30.0)
"""


@pytest.mark.parametrize(("sent", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, -signal.SIGINT)])
def test_a_signal_among_garbage_is_not_lost(sent, code):
    """What is raised in a callback of the collector is printed and forgotten."""
    ended = subprocess.run([sys.executable, "-c", COLLECTING, str(int(sent))], capture_output=True, timeout=25)
    assert ended.returncode == code
    assert b"ignored" not in ended.stderr


BUSY = """
import hashlib
from jaxmetal.edge import signals
signals.GRACE = 0.2
with signals.ended_by_sigterm():
    print("ready", flush=True)
    hashlib.pbkdf2_hmac("sha256", b"", b"", 2**31 - 1)  # compiled, and deaf for minutes
"""


def test_sigterm_ends_compiled_programs_too():
    process = subprocess.Popen([sys.executable, "-c", BUSY], stdout=subprocess.PIPE)
    try:
        assert process.stdout.readline() == b"ready\n"
        process.terminate()
        assert process.wait(timeout=60) == 143
    finally:
        process.kill()
        process.communicate()


@pytest.mark.usefixtures("ctrl_c")
def test_some_steps_end_before_ctrl_c_is_answered():
    done = []

    def step():
        with unbroken():
            signal.raise_signal(signal.SIGINT)
            done.append("all of it")

    with pytest.raises(KeyboardInterrupt):
        step()
    assert done
    assert signal.getsignal(signal.SIGINT) == signal.default_int_handler


@pytest.mark.usefixtures("ctrl_c")
def test_draws_are_written_whole_when_ctrl_c_comes_meanwhile(tmp_path, monkeypatch):
    inner = xarray.DataTree.to_netcdf

    def interrupted(*arguments, **named):
        signal.raise_signal(signal.SIGINT)
        return inner(*arguments, **named)

    monkeypatch.setattr(xarray.DataTree, "to_netcdf", interrupted)
    with pytest.raises(KeyboardInterrupt):
        write_netcdf(DATA, tmp_path / "x.nc")
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_may_not_be_so_large(tmp_path):
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, hard))
    try:
        with pytest.raises(InputError, match="may not be so large here; raise the limit"):
            write_netcdf(DATA, tmp_path / "x.nc")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert list(tmp_path.iterdir()) == []


def test_files_are_as_any_others(tmp_path):
    write_whole(tmp_path / "a", "text")
    (tmp_path / "b").touch()
    assert (tmp_path / "a").stat().st_mode == (tmp_path / "b").stat().st_mode


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs a device that is always full")
@pytest.mark.parametrize("arguments", [["example", "fit"], ["--help"]], ids=str)
def test_a_full_output_is_one_sentence(monkeypatch, capsys, arguments):
    with open("/dev/full", "w") as full:
        monkeypatch.setattr(sys, "stdout", full)
        assert main(arguments) == 2
    assert capsys.readouterr().err == (
        "jaxmetal: What is printed cannot be written because the disk is full; free some space.\n"
    )


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs a device that is always full")
def test_a_sentence_that_cannot_be_written_still_is_bad_input(monkeypatch, tmp_path):
    with open("/dev/full", "w", buffering=1) as full:
        monkeypatch.setattr(sys, "stderr", full)
        assert main(["check", str(tmp_path / "none.toml")]) == 2
        monkeypatch.undo()
        os.dup2(os.open(os.devnull, os.O_WRONLY), full.fileno())


def test_a_closed_output(monkeypatch):
    monkeypatch.setattr(sys, "stdout", None)
    assert main(["example", "fit"]) == 0
    sys.stdout.close()


def test_letters_that_the_output_does_not_know(monkeypatch):
    raw = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(raw, encoding="ascii"))
    ready()
    with printing():
        print("Galaxé ☉")
        assert raw.getvalue() == b""
    assert raw.getvalue() == b"Galax\\xe9 \\u2609\n"


def test_a_platform_without_a_device_is_one_sentence(monkeypatch, capsys, tmp_path):
    def assertion():
        raise AssertionError

    monkeypatch.setattr(jax, "devices", assertion)
    assert main(["check", str(tmp_path / "none.toml")]) == 2
    said = capsys.readouterr().err
    assert "JAX finds no device (of the platforms" in said
    assert said.count("\n") == 1
