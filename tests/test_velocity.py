"""Velocities at low signal, where the position angle has a whole turn; `benchmarks/velocity.py` has 20 noise draws."""

from pathlib import Path

BENCHMARKS = str(Path(__file__).resolve().parents[1] / "benchmarks")


def test_stored_draws_are_those_of_the_sampler(monkeypatch):
    monkeypatch.syspath_prepend(BENCHMARKS)
    import velocity

    found = velocity.one((1, "normal"), method="laplace", draws=150, start_count=1)
    assert found["period"] == 360.0
    assert found["difference"] < velocity.SAME
    # There are draws on other turns, and of galaxies that turn the other way, which half a turn would mirror.
    assert min(found["other_turns"], found["beyond_90"]) > 0.05
    assert abs(found["mean_folded_by_180"] - found["mean"]) > 0.1
    assert found["spread"] <= 360.0
    assert found["r_hat"] < 1.03
