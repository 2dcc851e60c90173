"""A maximum that the starts missed is said, and sought again from the draws."""

import numpy as np
import pytest
from folded import S, posed

import jaxmetal as jm
from jaxmetal.fit import peaks, solve
from jaxmetal.fit.optimum import maximise
from jaxmetal.fit.problem import make, parts, size, stack

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


def test_a_mode_above_the_maximum_that_it_was_found_from_leads_to_a_better_one():
    problem = make(*posed(-0.8, 0.0, 1.0, 0.0, loc=0.2, scale=1.0))
    problems, where = stack([problem]), parts(problem.sites)[S]
    begun = np.zeros((2, size(problem.sites)))
    begun[:, where] = [[-1.0], [0.8]]
    low, high = sorted(maximise(problems, np.zeros(2, int), begun, 0.0), key=lambda end: end.log_density)
    assert high.log_density > low.log_density + 0.01
    place = np.zeros(1, int)
    for mode, best in ((high.vector, high), (low.vector, low)):
        (found,) = peaks._climbed_further(
            problems, place, [low._replace(log_density=low.log_density - 2.0)], mode[None]
        )
        assert found.log_density == pytest.approx(best.log_density, abs=1e-6)
