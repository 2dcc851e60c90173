"""The space that follows a field: white for every scatter and length where the data are Gaussian, exact everywhere."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import numpyro.distributions as dist
import pytest

import jaxmetal as jm
from jaxmetal.fit import following as module
from jaxmetal.fit.following import following
from jaxmetal.fit.held import pulls
from jaxmetal.fit.laplace import Laplace
from jaxmetal.fit.peaks import _widened
from jaxmetal.fit.problem import log_density, make, pick, size, stack

SHAPE, MODES = (6, 7), 3


def problem():
    field = jm.recipes.field(extent=0.8, lengths=(0.3, 0.8), scatter=0.2, modes=MODES)
    profile = jm.tracer.Sum(parts={"field": field, "level": jm.tracer.Constant(value=dist.Normal(8.5, 0.3))})
    source = jm.Source(
        frame=jm.frame.Disc(q=0.8),
        lights={"line": jm.light.Exponential(flux=1.0, r_eff=0.6)},
        carries={"metallicity": jm.Carried(profile=profile, weight="line")},
    )
    seen = jm.WeightedMap(
        grid=jm.Grid.regular(SHAPE, 0.25),
        data=8.5 + 0.1 * np.random.default_rng(5).standard_normal(SHAPE),
        psf=jm.instrument.Gaussian(fwhm=0.5),
        noise=jm.likelihood.Gaussian(sigma=0.05),
        used=np.ones(SHAPE, bool),
        properties=("metallicity",),
        mixing=jm.mixing.Linear(),
    )
    made = make(jm.Scene(sources={"disc": source}), {"map": seen})
    return dataclasses.replace(made, held=np.zeros_like(made.held))


@pytest.fixture(scope="module")
def known():
    """Problem, what is held, the Gaussian with that at its medians, and the density with its slope."""
    one = problem()
    held = pulls(one.skeleton, one.sites) > 0.0
    stacked = stack([one])

    @jax.jit
    def at(vector):
        return jax.hessian(lambda z: log_density(pick(stacked, 0), z))(vector)

    @jax.jit
    def value(vector):
        return jax.value_and_grad(lambda z: log_density(pick(stacked, 0), z))(vector)

    start = np.zeros(size(one.sites))
    slope = value(start)[1]
    rest = ~held
    precision = -np.asarray(at(start))[np.ix_(rest, rest)]
    mode = start.copy()
    mode[rest] = np.linalg.solve(precision, np.asarray(slope)[rest])
    factor = np.eye(start.size)
    factor[np.ix_(rest, rest)] = np.linalg.cholesky(np.linalg.inv(precision))
    return stacked, held, Laplace(mode, factor, np.asarray(value(mode)[0])), value


def compiled(stacked, space):
    return jax.jit(lambda e: space.place(pick(stacked, 0), jnp.asarray(e)))


def heights(known, space, free, moves):
    """Log density over white vectors."""
    stacked, held, _, value = known
    place, found = compiled(stacked, space), []
    for e in moves:
        vector, log_volume = place(np.where(held, free, e))
        found.append(float(value(np.asarray(vector))[0]) + float(log_volume))
    return np.array(found)


@pytest.mark.parametrize("free", [0.0, -1.0, 1.2])
def test_it_is_white_whatever_the_scatter(known, free, monkeypatch):
    monkeypatch.setattr(module, "TOLD", 0.0)
    stacked, held, gaussian, _ = known
    (space,) = following(stacked, [0], [gaussian])
    moves = np.random.default_rng(0).standard_normal((4, held.size)) * ~held
    moves[0] = 0.0
    expected = -0.5 * np.sum(moves**2, axis=1)
    found = heights(known, space, free, moves)
    np.testing.assert_allclose(found - found[0], expected, atol=2e-3)
    if free:
        fixed = heights(known, gaussian, free, moves)
        assert np.max(np.abs(fixed - fixed[0] - expected)) > 0.5


def test_the_volume_is_that_of_its_jacobian(known):
    stacked, held, gaussian, _ = known
    (space,) = following(stacked, [0], [gaussian])
    place = compiled(stacked, space)
    jacobian = jax.jit(jax.jacobian(lambda e: space.place(pick(stacked, 0), e)[0]))
    still = np.linalg.slogdet(jacobian(np.zeros(held.size)))[1]
    e = np.where(held, 0.7, np.random.default_rng(1).standard_normal(held.size))
    assert float(place(e)[1]) == pytest.approx(np.linalg.slogdet(jacobian(e))[1] - still, abs=1e-8)
    assert abs(float(place(e)[1])) > 0.1
    np.testing.assert_allclose(place(np.zeros(held.size))[0], gaussian.mode, atol=1e-9)


def test_what_was_held_is_widened_whatever_the_square_root_of_the_covariance():
    random = np.random.default_rng(4)
    lower = np.tril(random.standard_normal((5, 5))) + 3.0 * np.eye(5)
    lower[1], lower[:, 1] = 0.0, 0.0
    lower[1, 1] = 1e-3
    turned = lower @ np.linalg.qr(random.standard_normal((5, 5)))[0]
    held = np.array([0.0, 1e6, 0.0, 0.0, 0.0])
    factor = _widened(Laplace(np.zeros(5), turned, 0.0), held).factor
    expected = lower @ lower.T
    expected[1, 1] = 1.0
    np.testing.assert_allclose(factor @ factor.T, expected, atol=1e-9)
    assert _widened(Laplace(np.zeros(5), turned, 0.0), 0.0 * held).factor is turned
