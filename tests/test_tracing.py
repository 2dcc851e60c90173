"""The lens in the plan: what is fixed is summed once, what is linear is arrays times numbers, the rest is traced."""

import dataclasses

import jax
import numpy as np
import numpyro.distributions as dist
import pytest

import jaxmetal as jm
from jaxmetal.numerics.tree import realised
from jaxmetal.observation.tracing import restricted
from jaxmetal.prepared import predictions

SHAPE = (9, 13)
GRID = jm.Grid.regular(SHAPE, 0.2)
THETA = tuple(np.asarray(a) for a in jm.Grid.regular((7, 10), 0.29).centres())
MAPS = jm.Grid.regular((41, 51), 0.1)
SIE = jm.lens.SIE(theta_e=0.9, x0=0.03, y0=-0.05, q=0.8, pa=30.0)
ALPHA = tuple(np.asarray(a) for a in SIE(*MAPS.centres()))


def tabulated(scale=1.0, grid=MAPS):
    return jm.lens.Tabulated(alpha_x=ALPHA[0], alpha_y=ALPHA[1], grid=grid, scale=scale)


def regions():
    labels = np.zeros(SHAPE, int)
    labels[:, 7:] = 2
    return jm.lens.RegionShift(labels=labels, grid=GRID, dx={"2": dist.Normal(0.1, 0.1)}, dy={"2": 0.05})


SHEAR = jm.lens.Shear(gamma1=dist.Normal(0.0, 1.0), gamma2=dist.Normal(0.0, 1.0))
LENSES = {
    "all fixed": ({"map": tabulated(), "shear": jm.lens.Shear(gamma1=0.05, gamma2=0.0)}, (), ()),
    "scale of a map": ({"map": tabulated(dist.Normal(1.0, 0.1)), "galaxy": SIE}, ("map",), ()),
    "shear": ({"map": tabulated(), "shear": SHEAR}, ("shear",), ()),
    "regions": ({"map": tabulated(), "regions": regions()}, ("regions",), ()),
    "Einstein radius": ({"galaxy": dataclasses.replace(SIE, theta_e=dist.LogNormal(0.0, 0.1))}, ("galaxy",), ()),
    "axis ratio": ({"map": tabulated(), "galaxy": dataclasses.replace(SIE, q=dist.Uniform(0.3, 1.0))}, (), ("galaxy",)),
    "product of two": (
        {"shear": jm.lens.Shear(gamma1=dist.Normal(0.0, 1.0), gamma2=0.0, x0=dist.Normal(0.0, 1.0))},
        (),
        ("shear",),
    ),
    "map that ends": ({"map": tabulated(dist.Normal(1.0, 0.1), jm.Grid.regular((41, 51), 0.04))}, ("map",), ()),
}  # fmt: skip


@pytest.mark.parametrize("name", LENSES)
def test_the_restricted_lens_is_the_lens(name):
    """At numbers other than those it was made with; and what is found to be linear is what is."""
    prior, linear, traced = LENSES[name]
    made = restricted(prior, jm.typical(prior), THETA)
    assert tuple(dict(made.numbers)) == linear
    assert made.traced == traced
    rng = np.random.default_rng(1)
    lens = jm.fill(
        prior, {site: prior.sample(jax.random.key(rng.integers(99))) for site, prior in jm.sites(prior).items()}
    )
    expected = sum(np.stack(deflector(*THETA)) for deflector in lens.values())
    np.testing.assert_allclose(made.deflection(lens, THETA), expected, rtol=1e-9, atol=1e-9)


def test_where_a_map_ends_derivatives_stay_finite():
    prior = {"map": tabulated(dist.Normal(1.0, 0.1), jm.Grid.regular((41, 51), 0.04))}
    made = restricted(prior, jm.typical(prior), THETA)

    @jax.jit
    @jax.grad
    def slope(scale):
        alpha = made.deflection(jm.fill(prior, {"map.scale": scale}), THETA)
        return jax.numpy.sum(jax.numpy.where(jax.numpy.isnan(alpha), 0.0, alpha))

    assert np.isnan(made.fixed).any()
    assert np.isfinite(slope(1.1))


def disc(ratio=1.0, x0=0.2):
    light = jm.light.Sersic(flux=1.0, r_eff=0.3, n=1.0)
    carried = jm.Carried(profile=jm.tracer.Gradient(central=8.6, slope=-0.3), weight="line")
    return jm.Source(
        frame=jm.frame.Disc(x0=x0, y0=-0.1, q=0.7, pa=20.0),
        lights={"line": light},
        carries={"metallicity": carried},
        distance_ratio=ratio,
    )


def look(scene, one=None):
    """What is seen of it, as one program."""
    sampling = {"map": jm.Sampling(oversampling=3, margin=4)} if one is None else None
    one = one or jm.recipes.metallicity_map(
        np.full(SHAPE, 8.5), sigma=0.1, psf=jm.instrument.Gaussian(fwhm=0.5), grid=GRID
    )
    return predictions({"map": one}, scene, jm.prepare(scene, {"map": one}, sampling))["map"]


@pytest.mark.parametrize("ratio", [0.0, 0.6, 1.3])
def test_a_source_at_another_redshift_sees_the_lens_scaled(ratio):
    ours = look(jm.Scene(sources={"disc": disc(ratio)}, lens={"galaxy": SIE}))
    scaled = look(jm.Scene(sources={"disc": disc()}, lens={"galaxy": dataclasses.replace(SIE, theta_e=0.9 * ratio)}))
    np.testing.assert_allclose(ours.value, scaled.value, atol=1e-9)
    np.testing.assert_allclose(ours.light, scaled.light, rtol=1e-9, atol=1e-12)


def test_two_sources_share_a_lens_each_at_its_own_redshift():
    """Light adds: the two together are each alone."""
    near, far = disc(0.5), disc(1.0, x0=-0.4)
    lens = {"galaxy": SIE}
    both = look(jm.Scene(sources={"near": near, "far": far}, lens=lens))
    alone = [look(jm.Scene(sources={"one": one}, lens=lens)).light for one in (near, far)]
    np.testing.assert_allclose(both.light, alone[0] + alone[1], rtol=1e-9, atol=1e-12)


def test_a_free_distance_ratio_is_a_parameter_and_settles_nothing_of_the_light():
    prior = jm.Scene(sources={"disc": disc(dist.Uniform(0.5, 1.0))}, lens={"galaxy": SIE})
    one = jm.recipes.metallicity_map(np.full(SHAPE, 8.5), sigma=0.1, psf=jm.instrument.Gaussian(fwhm=0.5), grid=GRID)
    plan = jm.prepare(prior, {"map": one})["map"]
    assert plan.lens is not None
    assert plan.fluxes == {}
    assert list(jm.sites(prior)) == ["sources.disc.distance_ratio"]


ENDS = tabulated(grid=jm.Grid(shape=(41, 51), origin=np.array([-1.4, -1.0]), matrix=0.05 * np.eye(2)))
"""A map that reaches all pixels of `NARROW`, and not all from which light is blurred into them."""
NARROW = jm.recipes.metallicity_map(
    np.full((7, 9), 8.5), sigma=0.1, psf=jm.instrument.Gaussian(fwhm=0.8), grid=jm.Grid.regular((7, 9), 0.2)
)


def test_the_derivative_with_a_distance_ratio_is_finite_where_a_map_ends():
    prior = jm.Scene(sources={"disc": disc(dist.Uniform(0.5, 1.5))}, lens={"map": ENDS})
    plan = jm.prepare(prior, {"map": NARROW})["map"]
    assert np.isnan(plan.lens.tables).any()

    @jax.jit
    def total(ratio):
        return jm.predict(NARROW, jm.fill(prior, {"sources.disc.distance_ratio": ratio}), plan).value.sum()

    step = 1e-5
    expected = (total(0.9 + step) - total(0.9 - step)) / (2 * step)
    assert float(jax.grad(total)(0.9)) == pytest.approx(float(expected), rel=1e-5)


def test_what_is_in_front_of_a_lens_needs_no_map():
    """Its light counts where the map has ended as well; and a map that misses its pixels is not refused."""
    still = {"shear": jm.lens.Shear(gamma1=0.0, gamma2=0.0)}
    small = dataclasses.replace(ENDS, grid=jm.Grid.regular((41, 51), 0.01))
    sources = {"disc": disc(0.0, x0=1.1)}
    expected = look(jm.Scene(sources=sources, lens=still), NARROW)
    for lens in (ENDS, small):
        found = look(jm.Scene(sources=sources, lens={"map": lens}), NARROW)
        np.testing.assert_allclose(found.light, expected.light, rtol=1e-9)
        np.testing.assert_allclose(found.value, expected.value, atol=1e-9)


@jm.node
class Field:
    """A property that is costly to set up, and then cheap."""

    value: float
    counted: list = jm.static()

    def realise(self):
        self.counted.append(1)
        return jm.tracer.Constant(value=self.value)


def test_what_is_realised_is_computed_once_for_all_observations():
    counted = _Hashable()
    source = dataclasses.replace(
        disc(), carries={"metallicity": jm.Carried(profile=Field(value=8.4, counted=counted), weight="line")}
    )
    scene = jm.Scene(sources={"disc": source})
    maps = {
        name: jm.recipes.metallicity_map(
            np.full(SHAPE, 8.5), sigma=0.1, psf=jm.instrument.Gaussian(fwhm=fwhm), grid=GRID
        )
        for name, fwhm in (("sharp", 0.4), ("blurred", 0.8))
    }
    plans = jm.prepare(scene, maps)
    counted.clear()
    seen = predictions(maps, scene, plans)
    assert len(counted) == 1
    np.testing.assert_allclose(seen["blurred"].value, 8.4)
    jax.tree.map(np.testing.assert_array_equal, realised(seen), seen)


class _Hashable(list):
    """A counter that can be part of a structure."""

    def __hash__(self):
        return id(self)
