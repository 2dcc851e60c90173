"""Spoilt input, a short `benchmarks/fuzz.py`: no traceback, nothing written elsewhere, nothing absurd taken."""

import shutil
from pathlib import Path

import jax
import pytest

from jaxmetal.cli import check

BENCHMARKS = str(Path(__file__).resolve().parents[1] / "benchmarks")
FIRST, COUNT = 100_000, 24
"""Numbers that the benchmark itself does not use."""


@pytest.fixture(autouse=True)
def double_precision():
    yield
    jax.config.update("jax_enable_x64", True)


def test_spoilt_configurations_are_refused_or_understood(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(BENCHMARKS)
    import fuzz_inputs
    import fuzz_worker

    monkeypatch.setattr(check, "expected", lambda *_: "soon")  # compiles what a fit computes
    commands, watch = fuzz_inputs.write(tmp_path / "inputs"), fuzz_worker.Watch()
    numbers = [number for number in range(FIRST, FIRST + 5 * COUNT) if fuzz_worker.kind_of(number)[0] == "scene"]
    found = [fuzz_worker.one(number, tmp_path, commands, watch) for number in numbers[:COUNT]]
    shutil.rmtree(tmp_path / "inputs")
    assert len(found) > 0.7 * COUNT
    assert {one["code"] for one in found} == {0, 2}
    for one in found:
        assert not one["outside"], one
        assert one["length"] < 2000, one
        assert one["code"] == 2 or one["reported"] or not one["wrong"], one
