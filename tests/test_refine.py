"""Finer samples in the place of doubtful ones: nothing smooth changes, and what the grid missed is there."""

import dataclasses
import functools
import importlib
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import numpyro.distributions as dist
import pytest
from precision import doubles

import jaxmetal as jm
from jaxmetal.fit.problem import make
from jaxmetal.numerics.refine import away_from_ends, between, put, replace
from jaxmetal.observation.tracing import restricted

NY, NX = 30, 34
ROWS, COLUMNS = np.arange(NY)[:, None], np.arange(NX)[None, :]
SPIKES = np.exp(-(np.hypot(ROWS - 11.3, COLUMNS - 20.4) ** 0.5)) + 3.0 * ((ROWS == 14) & (COLUMNS == 13))


@pytest.fixture
def brute(monkeypatch):
    """The independent renderer."""
    monkeypatch.syspath_prepend(str(Path(__file__).resolve().parents[1] / "benchmarks"))
    return importlib.import_module("lensed_numpy")


@functools.cache
@jax.jit
def split():
    """What is left to the cells of each level, and the smaller cells."""
    allowed, left, found, amounts = away_from_ends(jnp.ones((NY, NX), bool)), [], [], jnp.asarray(SPIKES)
    for _ in range(2):
        kept, made = replace(amounts, allowed, 150, 4, found[-1] if found else None)
        left.append(kept)
        found.append(made)
        x, y = made.positions()
        amounts = made.weight * jnp.exp(-(jnp.hypot(y - 11.3, x - 20.4) ** 0.5))
        allowed = jnp.broadcast_to(made.whole[:, None, None], made.weight.shape)
    return left, found


def parabola(x, y):
    return 1.0 + 0.3 * x - 0.2 * y + 0.05 * x**2 + 0.04 * x * y - 0.03 * y**2 + 0.002 * (x * y) ** 2


def test_no_edge_is_seen_between_sizes():
    """A parabola sums to the same in all cells together, whatever is divided."""
    left, (first, second) = split()
    assert first.whole.any()
    assert second.whole.any()
    coarse = jnp.sum((1.0 - left[0]) * parabola(COLUMNS, ROWS))
    middle = jnp.sum(first.weight * parabola(*first.positions())) / 16
    np.testing.assert_allclose(middle, coarse, rtol=1e-12)
    middle = jnp.sum((1.0 - left[1]) * parabola(*first.positions())) / 16
    np.testing.assert_allclose(jnp.sum(second.weight * parabola(*second.positions())) / 256, middle, rtol=1e-12)


def test_the_worst_is_divided_and_its_neighbours_know_each_other():
    left, (first, _) = split()
    assert left[0][11, 20] == left[0][14, 13] == 0.0
    assert left[0][25, 5] == 1.0
    home = {(int(r), int(c)): k for k, (r, c) in enumerate(zip(first.row, first.column, strict=True))}
    k = home[14, 13]
    assert int(first.around[k, 0, 2]) == home[13, 14]


def test_smaller_cells_keep_their_moments_on_the_grid():
    _, found = split()
    for cells in found:
        gridded = put(jnp.zeros((1, NY, NX)), cells, cells.weight[None])[0]
        x, y = cells.positions()
        for a, b in ((0, 0), (3, 1), (8, 5)):
            expected = jnp.sum(cells.weight * ((x - 15) / 10) ** a * ((y - 15) / 10) ** b)
            moment = jnp.sum(gridded * ((COLUMNS - 15) / 10) ** a * ((ROWS - 15) / 10) ** b)
            np.testing.assert_allclose(moment, expected, rtol=1e-9, atol=1e-9)


def test_a_smooth_function_is_known_between_its_samples():
    def smooth(x, y):
        return (x / 10) ** 4 - (x / 10) * (y / 10) ** 3

    for cells in split()[1]:
        inside = np.asarray(cells.weight) > 0.0
        found = between(jnp.asarray(smooth(COLUMNS, ROWS))[None], cells)[0]
        np.testing.assert_allclose(found[inside], smooth(*cells.positions())[inside], rtol=1e-9, atol=1e-12)


SHAPE, PIXEL = (11, 13), 0.12
LENS = {"theta_e": 0.35, "q": 0.7, "pa": 30.0, "x0": 0.0, "y0": 0.0}
DISC = {"x0": 0.09, "y0": -0.05, "q": 0.7, "pa": 20.0}
SHEAR = {"gamma1": 0.03, "gamma2": -0.04}
MAP = jm.recipes.metallicity_map(
    np.full(SHAPE, 8.5), sigma=0.1, psf=jm.instrument.Gaussian(fwhm=0.3), pixel_scale=PIXEL
)
PREDICT = jax.jit(jm.predict)


def lensed(n=4.0, slope=-0.8, **changes):
    """A steep disc behind a lens whose singular centre lies on a sample."""
    profile = jm.tracer.Gradient(central=8.7, slope=slope)
    source = jm.Source(
        frame=jm.frame.Disc(**DISC),
        lights={"line": jm.light.Sersic(flux=1.0, r_eff=0.2, n=n)},
        carries={"metallicity": jm.Carried(profile=profile, weight="line")},
    )
    return jm.Scene(
        sources={"disc": source}, lens={"sie": jm.lens.SIE(**{**LENS, **changes}), "shear": jm.lens.Shear(**SHEAR)}
    )


@pytest.mark.parametrize("n", [1.0, 4.0])
def test_lensed_maps_are_those_of_brute_force(brute, n):
    source = brute.disc(**DISC, r_eff=0.2, n=n, slope=-0.8)
    light, metals = brute.maps(
        [brute.sie(**LENS), brute.shear(**SHEAR)], source, SHAPE, PIXEL, 0.3 / 2.3548200450309493, 6, 1e-6
    )
    found = PREDICT(MAP, one := lensed(n), jm.prepare(one, {"map": MAP})["map"])
    seen = light > 1e-3 * light.max()
    assert np.abs(np.asarray(found.value) - metals)[seen].max() < 2e-4
    assert np.abs(np.asarray(found.light) / light - 1.0)[seen].max() < 2e-3


def test_a_constant_property_is_constant():
    found = PREDICT(MAP, one := lensed(slope=0.0), jm.prepare(one, {"map": MAP})["map"])
    np.testing.assert_allclose(found.value, 8.7, atol=1e-12)


def test_derivatives_are_those_of_finite_differences():
    one = lensed()
    plan = dataclasses.replace(jm.prepare(lensed(theta_e=dist.Uniform(0.3, 0.4)), {"map": MAP})["map"], light=None)
    weights = np.random.default_rng(0).standard_normal(SHAPE)

    @jax.jit
    def total(theta_e, x0):
        sie = dataclasses.replace(one.lens["sie"], theta_e=theta_e, x0=x0)
        seen = jm.predict(MAP, dataclasses.replace(one, lens={**one.lens, "sie": sie}), plan)
        return jnp.sum(weights * (seen.value + 10.0 * seen.light))

    # Away from the centre, where the derivative of a singular deflection has no limit.
    at, step = (0.351, 0.0137), 1e-6
    slopes = jax.jit(jax.grad(total, argnums=(0, 1)))(*at)
    for k in range(2):
        move = step * np.eye(2)[k]
        expected = (total(*(np.array(at) + move)) - total(*(np.array(at) - move))) / (2 * step)
        np.testing.assert_allclose(slopes[k], expected, rtol=1e-4)


def test_few_numbers_are_called_between_samples_and_maps_are_interpolated():
    grid = jm.Grid.regular((41, 45), 0.1)
    bent = jm.lens.SIE(theta_e=0.5, x0=5.0)(*grid.centres())
    table = jm.lens.Tabulated(
        alpha_x=np.asarray(bent[0]), alpha_y=np.asarray(bent[1]), grid=grid, scale=dist.Normal(1, 0.1)
    )
    prior = {"sie": jm.lens.SIE(**LENS), "map": table, "still": dataclasses.replace(table, scale=0.5)}
    sampled = jm.Grid.regular((NY, NX), 0.05)
    made = restricted(prior, jm.typical(prior), sampled.centres(), finer=True)
    assert made.called == ("sie",)
    lens = jm.fill(prior, {"map.scale": 1.2})
    cells = split()[1][0]
    theta = sampled.to_sky(*cells.positions())
    inside = np.asarray(cells.weight) > 0.0
    expected = sum(np.stack(deflector(*theta)) for deflector in lens.values())
    only = {name: lens[name] if name == "sie" or name == "map" else None for name in lens}
    np.testing.assert_allclose(made.between(only, cells, theta)[:, inside], expected[:, inside], atol=1e-5)


def test_a_fit_carries_the_deflectors_of_few_numbers():
    prior = lensed(slope=dist.Normal(-0.5, 0.3))
    problem = make(prior, {"map": MAP})
    assert problem.skeleton["scene"].lens["sie"] is not None


def test_a_batch_gives_what_each_gives():
    """Different draws replace different cells, under one program."""
    plan = dataclasses.replace(jm.prepare(lensed(theta_e=dist.Uniform(0.3, 0.4)), {"map": MAP})["map"], light=None)

    def seen(theta_e):
        found = jm.predict(MAP, lensed(theta_e=theta_e), plan)
        return found.value, found.light

    radii = jnp.array([0.32, 0.38])
    together = jax.jit(jax.vmap(seen))(radii)
    for k, radius in enumerate(radii):
        for many, one in zip(together, jax.jit(seen)(radius), strict=True):
            np.testing.assert_allclose(many[k], one, rtol=1e-9)


def test_single_precision_is_as_good_as_its_digits():
    values = {}
    for precision in ("float32", "float64"):
        with doubles(precision == "float64"):
            found = jax.jit(jm.predict)(MAP, one := lensed(), jm.prepare(one, {"map": MAP})["map"])
            assert found.value.dtype == precision
            values[precision] = np.asarray(found.value)
    np.testing.assert_allclose(values["float32"], values["float64"], atol=1e-4)


def test_a_tabulated_kernel_sees_the_same():
    """The same Gaussian, in cells of a fifth of a pixel."""
    step, sigma = PIXEL / 5, 0.3 / 2.3548200450309493
    along = np.exp(-0.5 * ((np.arange(71) - 35) * step / sigma) ** 2)
    kernel = np.outer(along, along) / along.sum() ** 2
    psf = jm.instrument.Kernel(values=kernel, step=step, includes_pixel=False)
    other = dataclasses.replace(MAP, psf=psf)
    one = lensed()
    expected, found = (PREDICT(seen, one, jm.prepare(one, {"map": seen})["map"]) for seen in (MAP, other))
    lit = np.asarray(expected.light) > 1e-3 * np.max(expected.light)
    assert np.abs(np.asarray(found.value - expected.value))[lit].max() < 2e-4
    assert np.abs(np.asarray(found.light / expected.light - 1.0))[lit].max() < 2e-3
