"""Residuals of two relations with one covariate, against what was planted."""

from types import SimpleNamespace

import numpy as np
import pytest

import jaxmetal as jm
from jaxmetal import population
from jaxmetal.edge.errors import InputError
from jaxmetal.population import residuals

SLOPES = {"sfr": 0.8, "z": 0.3}


def places(planted, x_error, n=4000):
    """log mass, log SFR and Z of places: what is left of Z is `planted` times what is left of the SFR, and scatter."""
    random = np.random.default_rng(5)
    x, left = random.normal(0.0, 0.4, n), random.normal(0.0, 0.2, n)
    sfr = SLOPES["sfr"] * x + left + 0.02 * random.normal(size=n)
    z = 8.5 + SLOPES["z"] * x + planted * left + random.normal(0.0, 0.05, n) + 0.01 * random.normal(size=n)
    seen = population.Covariate(values=x + x_error * random.normal(size=n), pivot=0.0, sigma=np.full(n, x_error))
    return (
        population.Measured(values=sfr, sigma=np.full(n, 0.02), label="sfr", unit="dex"),
        population.Measured(values=z, sigma=np.full(n, 0.01), label="z", unit="dex"),
        seen,
    )


@pytest.fixture
def known(monkeypatch):
    """The relations as they were planted, in the place of their regressions."""

    def regress(quantity, covariate, run):
        central = 8.5 if quantity.label == "z" else 0.0
        return SimpleNamespace(
            flat=lambda: {"central": np.full(3, central), "slope.x": np.full(3, SLOPES[quantity.label])},
            covariates={"x": covariate},
        )

    monkeypatch.setattr(residuals, "regress", regress)


@pytest.mark.parametrize("planted", [-0.25, 0.0])
def test_what_is_left_goes_together_as_planted(known, planted):
    found = population.residual_correlation(*places(planted, 0.0))
    pearson = planted * 0.2**2 / np.sqrt((0.2**2 + 0.02**2) * (planted**2 * 0.2**2 + 0.05**2 + 0.01**2))
    # Ranks of two Gaussians: 6 / pi arcsin(r / 2) (Kruskal 1958, J. Am. Stat. Assoc. 53, 814).
    assert found.spearman.observed == pytest.approx(6.0 / np.pi * np.arcsin(0.5 * pearson), abs=0.04)
    assert (found.spearman.p_value < 1e-6) == (planted != 0.0)
    assert found.by_shared_errors == 0.0


def test_errors_of_the_common_covariate_make_a_correlation_that_is_told(known):
    found = population.residual_correlation(*places(0.0, 0.3))
    left = [one.values for one in found.residuals]
    assert found.by_shared_errors == pytest.approx(np.corrcoef(*left)[0, 1], abs=0.04)
    assert found.by_shared_errors > 0.5
    assert found.residuals[0].sigma[0] == pytest.approx(np.hypot(0.02, 0.8 * 0.3))


def test_a_residual_has_the_pivot_of_its_relation(known):
    _, z, mass = places(0.0, 0.0, n=20)
    relation = residuals.regress(z, mass, None)
    moved = population.Covariate(values=mass.values, pivot=3.0)
    left = population.residual(relation, z, moved)
    np.testing.assert_allclose(left.values, z.values - 8.5 - SLOPES["z"] * np.asarray(mass.values))
    with pytest.raises(InputError, match="a covariate of each galaxy, found 20 and 19"):
        population.residual(relation, z, population.Covariate(values=mass.values[1:], pivot=0.0))
    with pytest.raises(InputError, match="name: expected one of x, found 'mass'"):
        population.residual(relation, z, mass, "mass")


def test_errors_that_the_quantities_share_are_told(known):
    """As of star formation and metallicity from the same lines: nothing but errors, which go together by 0.9."""
    random, n = np.random.default_rng(2), 600
    x, shared = random.normal(0.0, 0.4, n), random.normal(size=n)
    errors = [size * (np.sqrt(0.9) * shared + np.sqrt(0.1) * random.normal(size=n)) for size in (0.2, 0.1)]
    found = population.residual_correlation(
        population.Measured(values=0.8 * x + errors[0], sigma=np.full(n, 0.2), label="sfr", unit="dex"),
        population.Measured(values=8.5 + 0.3 * x + errors[1], sigma=np.full(n, 0.1), label="z", unit="dex"),
        population.Covariate(values=x, pivot=0.0),
        error_correlation=0.9,
    )
    assert found.by_shared_errors == pytest.approx(
        np.corrcoef(*(one.values for one in found.residuals))[0, 1], abs=0.05
    )
    with pytest.raises(jm.InputError, match="error_correlation"):
        population.residual_correlation(*places(0.0, 0.0, 10), error_correlation=1.5)
