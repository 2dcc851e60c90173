"""What commands find out of their machine and tell JAX before it computes anything: processors, kept programs."""

import argparse
import os
import platform
import subprocess
import sys
import warnings

import jax
import jax.numpy as jnp
import pytest

from jaxmetal import machine
from jaxmetal.cli.commands import main
from jaxmetal.cli.engine import start
from jaxmetal.machine import keep_programs, keeps_programs, processors

SETTINGS = (
    "jax_compilation_cache_dir",
    "jax_compilation_cache_max_size",
    "jax_persistent_cache_min_compile_time_secs",
    "jax_persistent_cache_min_entry_size_bytes",
)


@pytest.fixture
def unsettled(monkeypatch, tmp_path):
    """JAX as it is where nobody told it anything, and a cache folder of one's own."""
    before = {name: jax.config.values[name] for name in SETTINGS}
    jax.config.update("jax_compilation_cache_dir", None)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    yield tmp_path
    for name, value in before.items():
        jax.config.update(name, value)


def test_programs_are_kept_in_the_users_cache_folder(unsettled):
    keep_programs()
    folder = unsettled / "cache" / "jaxmetal" / "programs"
    assert folder.is_dir()
    assert jax.config.values["jax_compilation_cache_dir"] == str(folder)
    assert 0 < jax.config.values["jax_compilation_cache_max_size"] < 2**31


def test_a_folder_that_jax_was_told_stays(unsettled):
    jax.config.update("jax_compilation_cache_dir", str(unsettled / "mine"))
    keep_programs()
    assert jax.config.values["jax_compilation_cache_dir"] == str(unsettled / "mine")
    assert not (unsettled / "cache").exists()


@pytest.mark.parametrize(("told", "least"), [(None, 0.03), ("2.5", 1.0)])
def test_small_programs_are_kept_in_that_folder_too(unsettled, monkeypatch, told, least):
    """A fit's programs take tenths of a second each; JAX's own limit is one second, and a user's word goes first."""
    monkeypatch.delenv("JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS", raising=False)
    if told:
        monkeypatch.setenv("JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS", told)
    jax.config.update("jax_persistent_cache_min_compile_time_secs", 1.0)
    jax.config.update("jax_compilation_cache_dir", str(unsettled / "mine"))
    keep_programs()
    assert jax.config.values["jax_persistent_cache_min_compile_time_secs"] == least


def test_where_nothing_can_be_written_nothing_is_kept_or_said(unsettled, capfd):
    (unsettled / "cache").write_text("no folder")
    keep_programs()
    assert jax.config.values["jax_compilation_cache_dir"] is None
    assert capfd.readouterr() == ("", "")


def test_a_cache_that_fails_is_not_spoken_of(unsettled):
    with warnings.catch_warnings(record=True) as heard:
        warnings.simplefilter("always")
        keep_programs()
        for doing in ("reading", "writing"):
            warnings.warn(f"Error {doing} persistent compilation cache entry for 'jit_f': disk full", stacklevel=1)
        warnings.warn("anything else", stacklevel=1)
    assert [str(one.message) for one in heard] == ["anything else"]
    assert keeps_programs()


@pytest.fixture
def unbound(monkeypatch):
    """A process that may run on 16 processors, and is told nothing."""
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: set(range(16)), raising=False)
    for name in ("SLURM_CPUS_PER_TASK", "NPROC"):
        monkeypatch.delenv(name, raising=False)
    return monkeypatch


def describe(root, **files):
    """A machine that describes itself in files, slashes written as two underscores."""
    for name, text in files.items():
        path = root / name.replace("__", "/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


def test_without_limits_all_that_the_process_is_bound_to_count(unbound, tmp_path):
    assert processors(tmp_path) == 16


@pytest.mark.parametrize("name", ["SLURM_CPUS_PER_TASK", "NPROC"])
@pytest.mark.parametrize(("said", "expected"), [("4", 4), ("64", 16), ("many", 16), ("0", 1)])
def test_what_is_told_by_the_environment(unbound, tmp_path, name, said, expected):
    unbound.setenv(name, said)
    assert processors(tmp_path) == expected


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({"proc__self__cgroup": "0::/job/step\n", "sys__fs__cgroup__job__step__cpu.max": "300000 100000\n"}, 3),
        ({"proc__self__cgroup": "0::/job/step\n", "sys__fs__cgroup__job__cpu.max": "250000 100000\n"}, 3),
        ({"proc__self__cgroup": "0::/\n", "sys__fs__cgroup__cpu.max": "50000 100000\n"}, 1),
        ({"proc__self__cgroup": "0::/\n", "sys__fs__cgroup__cpu.max": "max 100000\n"}, 16),
        (
            {
                "proc__self__cgroup": "4:memory:/m\n3:cpu,cpuacct:/job\n0::/\n",
                "sys__fs__cgroup__cpu__job__cpu.cfs_quota_us": "400000\n",
                "sys__fs__cgroup__cpu__job__cpu.cfs_period_us": "100000\n",
            },
            4,
        ),
        (
            {
                "proc__self__cgroup": "3:cpu:/job\n",
                "sys__fs__cgroup__cpu__job__cpu.cfs_quota_us": "-1\n",
                "sys__fs__cgroup__cpu__job__cpu.cfs_period_us": "100000\n",
            },
            16,
        ),
    ],
    ids=["own", "of a parent", "half of one", "none", "of the old kind", "none of the old kind"],
)
def test_quotas_of_control_groups(unbound, tmp_path, files, expected):
    assert processors(describe(tmp_path, **files)) == expected


@pytest.mark.skipif(sys.platform != "linux", reason="threads are counted in /proc")
def test_commands_compute_on_as_many_threads_as_they_are_told():
    code = (
        "import argparse, os, jax; from jaxmetal.cli.engine import start;"
        "start(argparse.Namespace(threads={}, float32=False, no_cache=True));"
        "jax.jit(lambda x: x @ x)(jax.numpy.ones((300, 300))).block_until_ready();"
        "print(len(os.listdir('/proc/self/task')))"
    )
    few, many = (
        int(subprocess.run([sys.executable, "-c", code.format(n)], capture_output=True, text=True, check=True).stdout)
        for n in (1, 7)
    )
    assert many >= few + 6


def test_commands_compile_without_word_of_where_operations_come_from(unsettled, monkeypatch):
    monkeypatch.setenv("NPROC", "2")
    jax.config.update("jax_traceback_in_locations_limit", 10)
    start(argparse.Namespace(threads=2, float32=False, no_cache=False))
    assert jax.config.values["jax_traceback_in_locations_limit"] == 0


def test_no_threads_are_refused(capsys):
    assert main(["check", "missing.toml", "--threads", "0"]) == 2
    assert "--threads: expected 1 or more, found 0" in capsys.readouterr().err


@pytest.mark.skipif("glibc" not in platform.libc_ver(), reason="other C libraries have no such setting")
def test_large_blocks_are_mapped_once():
    code = (
        "import ctypes, resource; from jaxmetal.machine import keep_memory;"
        "library = ctypes.CDLL(None); library.malloc.restype = ctypes.c_void_p;"
        "\ndef fill():"
        "\n    block = ctypes.c_void_p(library.malloc(2**26)); library.memset(block, 1, 2**26); library.free(block)"
        "\ndef faults():"
        "\n    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt; fill()"
        "\n    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before"
        "\nfill(); print(faults()); keep_memory(); fill(); print(faults())"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    without, kept = (int(word) for word in found.split())
    assert kept < without / 10


@pytest.mark.parametrize("emitters", [machine.EMITTERS, {"xla_no_such_option": False}], ids=["known", "unknown"])
def test_a_program_is_its_function_whatever_the_compiler_knows(emitters, monkeypatch):
    monkeypatch.setattr(machine, "EMITTERS", emitters)
    machine._options.cache_clear()
    try:
        doubled = machine.Program(lambda x, times: x * times, static_argnames="times")
        assert doubled(jnp.arange(3.0), times=2).tolist() == [0.0, 2.0, 4.0]
        assert (machine._options("cpu", False) is None) == ("xla_no_such_option" in emitters)
        assert machine._options("cuda", False) is None
    finally:
        machine._options.cache_clear()
