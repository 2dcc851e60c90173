"""What a command compiles is counted: few programs, and none a second time, in whatever process."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from configured import write_galaxy

MOST = 30
"""Programs of one fit with its files and pictures; each costs up to seconds, whatever it does."""

LARGE = {"_block": 3, "predict_all": 2, "_around": 1}
"""Programs that take seconds: density, its gradient and the parameters of draws; all observations, as they are planned
and sampled twice as finely; starts."""


def fitted(path, out, seed):
    """What a fresh process says of a fit: programs by name, how many, and how many of them were kept from before."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("JAX_")}
    kept = {
        "JAX_COMPILATION_CACHE_DIR": str(path.parent / "kept"),
        "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
        "JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES": "-1",
        "JAX_DISABLE_MOST_OPTIMIZATIONS": "1",
        "JAX_PLATFORMS": "cpu",
        "PYTHONHASHSEED": seed,
    }
    tool = Path(__file__).with_name("programs.py")
    command = [sys.executable, str(tool), "fit", str(path), "-o", str(out), "--quiet"]
    said = subprocess.run(command, capture_output=True, text=True, check=True, env=clean | kept).stderr
    names = re.findall(r"jit\((\w+)\)", said)
    total, known = map(int, re.search(r"(\d+) programs, (\d+) of them from the cache", said).groups())
    return names, total, known, said


@pytest.fixture(scope="module")
def twice(tmp_path_factory):
    """The same fit in two processes with different hash seeds."""
    folder = tmp_path_factory.mktemp("twice")
    path = write_galaxy(folder)
    return [fitted(path, folder / f"out{seed}", seed) for seed in ("1", "2")]


def test_a_fit_compiles_few_programs_and_each_large_one_once(twice):
    names, total, _, said = twice[0]
    assert len(names) == total <= MOST, said
    assert {name: names.count(name) for name in LARGE} == LARGE, said


def test_a_second_process_compiles_nothing(twice):
    _, total, known, said = twice[1]
    assert known == total > 0, said
