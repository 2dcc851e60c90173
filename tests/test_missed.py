"""A maximum that the starts missed is said, and sought again from the draws."""

import pytest
from folded import S, posed

import jaxmetal as jm
from jaxmetal.fit import solve

HOW = {"method": "laplace", "start_count": 1, "chains": 2, "draws": 200, "progress": False}


def test_a_best_point_below_its_own_draws_is_said_and_mended(monkeypatch):
    question = posed(0.0, 0.3, 0.0, 0.0, loc=0.2, scale=1.0)
    right = jm.fit.auto(*question, **HOW)
    assert not any("below its own draws" in found.text for found in right.findings)
    find_peaks = solve.find_peaks

    def displaced(*arguments):
        problems, peaks = find_peaks(*arguments)
        return problems, [
            peak._replace(
                best={name: value + 0.3 for name, value in peak.best.items()},
                log_posterior=peak.log_posterior - 40.0,
                gaussian=peak.gaussian._replace(log_peak=peak.gaussian.log_peak - 40.0),
            )
            for peak in peaks
        ]

    monkeypatch.setattr(solve, "find_peaks", displaced)
    found = jm.fit.auto(*question, **HOW)
    assert any("100 % of them are higher" in one.text for one in found.findings)
    assert found.best[S] == pytest.approx(right.best[S], abs=1e-3)
    assert found.log_posterior == pytest.approx(right.log_posterior, abs=1e-3)
