"""Small versions of the statistical benchmarks: ranks are uniform, intervals cover, and both tests can fail."""

import sys
from pathlib import Path

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import binom

pytestmark = pytest.mark.usefixtures("optimised")

BENCHMARKS = str(Path(__file__).resolve().parents[1] / "benchmarks")
LEVEL = 1e-3
"""Probability below which a result counts as a failure: the seeds are fixed, so it does not come and go."""


@pytest.fixture
def benchmark_modules(monkeypatch):
    """The scripts, with smaller maps of coarser pixels."""
    monkeypatch.syspath_prepend(BENCHMARKS)
    import metha2024
    import sbc

    monkeypatch.setattr(sbc, "SHAPE", (15, 18))
    monkeypatch.setattr(sbc, "PIXEL", 0.2)
    monkeypatch.setitem(sbc.CASES, "clumps", sbc.CASES["clumps"]._replace(draws=150))
    monkeypatch.setattr(metha2024, "PIXELS", (31, 33))
    monkeypatch.setattr(metha2024, "PIXEL", 0.26)
    metha2024.noise_free.cache_clear()
    yield sbc, metha2024
    metha2024.noise_free.cache_clear()
    for name in ("metha2024", "sbc", "resumable"):
        sys.modules.pop(name, None)


def test_ranks_of_the_truth_are_uniform(benchmark_modules):
    sbc, _ = benchmark_modules
    rows = [sbc.one("clumps", 90_000 + seed, 1.0) for seed in range(30)]
    names = list(rows[0]["ranks"])
    ranks = np.array([[row["ranks"][name] for name in names] for row in rows])
    assert min(sbc.uniformity(column) for column in ranks.T) > LEVEL / len(names)
    pulls = np.array([[row["narrowed"][name] for name in names] for row in rows])
    assert np.mean(np.abs(pulls - 0.5)) > np.mean(np.abs(ranks - 0.5)) + 0.02


def test_a_wrong_psf_spoils_the_ranks(benchmark_modules, monkeypatch):
    sbc, _ = benchmark_modules
    monkeypatch.setattr(sbc, "FWHM", sbc.FWHM / 1.15)  # of the data; that of the model has its program already
    rows = [sbc.one("clumps", 90_000 + seed, 1.15) for seed in range(15)]
    flux = np.array([[row["ranks"][name] for name in row["ranks"] if name.endswith("flux")] for row in rows])
    assert min(sbc.uniformity(column) for column in flux.T) < LEVEL


@pytest.mark.parametrize("mixing", ["dex", "linear"])
def test_intervals_hold_the_truth_as_often_as_they_say(benchmark_modules, mixing):
    _, metha = benchmark_modules
    rows = [metha.fitted(1.0, mixing, mixing, 5000 + seed, "laplace") for seed in range(20)]
    for parameter in ("central", "slope"):
        assert LEVEL < binom.cdf(metha.inside(rows, parameter, 0.68), 20, 0.68) < 1 - LEVEL
        assert binom.cdf(20 * metha.shrunk_coverage(rows, parameter, 0.3), 20, 0.68) < 0.02
    assert max(row["k_hat"] for row in rows) < 0.5


def test_the_errors_that_the_page_states_are_those_of_its_constants(benchmark_modules):
    """c1 + c2 / I at the centre, of an exponential disc blurred by a Gaussian; 0.01 and 0.02 without."""
    _, metha = benchmark_modules
    scale = 1.6783469900166605
    unblurred = [metha.C1 + metha.C2_AT_RE * np.exp(scale * (radius - 1.0)) for radius in (0.0, 1.0)]
    assert unblurred == pytest.approx([0.01, 0.02], abs=2e-5)
    for fwhm in (0.1, 1.0, 2.0):
        sigma = fwhm / np.sqrt(8.0 * np.log(2.0))
        central = quad(lambda r, s=sigma: r / s**2 * np.exp(-0.5 * (r / s) ** 2 - scale * r), 0.0, 9.0 * sigma)[0]
        assert f"{metha.C1 + metha.C2_AT_RE * np.exp(-scale) / central:.4f}" in metha.__doc__
