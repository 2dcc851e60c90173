"""Every carried property has its formula's values and finite gradients."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.test_util import check_grads
from jax.tree_util import Partial
from lenstronomy.LightModel.Profiles.linear import LinearEllipse

from jaxmetal import frame, tracer
from jaxmetal.numerics.grid import Grid


def swirl(u, v, *, slope):
    return 8.0 + slope * u * v


GRADIENT = tracer.Gradient(central=8.5, slope=-0.1)
BLOB = tracer.Blob(u0=0.5, v0=-0.3, amplitude=-0.2, sigma=0.4)
TABLE = tracer.Tabulated(values=np.random.default_rng(4).normal(8, 0.1, (5, 7)), grid=Grid.regular((5, 7), 0.5))
HARMONICS = tracer.AzimuthalHarmonics(
    m=(1, 3), amplitudes=np.array([0.1, 0.05]), phases=np.array([30.0, -10.0]), r_core=0.3
)
ARMS = tracer.SpiralArms(m=2, pitch=20.0, phase=15.0, amplitude=0.2, width=12.0, r_core=0.1)
ROTATION = tracer.Rotation(systemic=10.0, amplitude=150.0, r_turn=0.4)
PROFILES = {
    "constant": tracer.Constant(value=8.0),
    "gradient": GRADIENT,
    "flat": tracer.Gradient(central=0.0, slope=0.0),
    "broken": tracer.BrokenGradient(central=8.5, inner=-0.2, outer=0.1, r_break=0.7),
    "core": tracer.FlattenedCore(central=8.5, slope=-0.2, r_core=0.5),
    "no core": tracer.FlattenedCore(central=8.5, slope=-0.2, r_core=0.0),
    "exponential": tracer.Exponential(floor=8.0, amplitude=0.5, scale=0.6),
    "nodes": tracer.RadialNodes(radii=np.array([0.0, 0.5, 2.0]), values=np.array([8.6, 8.2, 8.4])),
    "harmonics": HARMONICS,
    "harmonics to the centre": tracer.AzimuthalHarmonics(m=(2,), amplitudes=np.array([0.1]), phases=np.array([0.0])),
    "arms": ARMS,
    "field": tracer.Field(weights=np.arange(9.0).reshape(3, 3) - 4.0, amplitude=0.1, length=0.5, extent=1.0),
    "straight arms": tracer.SpiralArms(m=1, pitch=90.0, phase=0.0, amplitude=0.1, width=30.0, r_core=0.2),
    "blob": BLOB,
    "rotation": ROTATION,
    "table": TABLE,
    "sum": tracer.Sum(parts={"gradient": GRADIENT, "blob": BLOB}),
    "function": Partial(swirl, slope=0.3),
}


def test_finite_with_gradients_at_the_centre(precision):
    def total(profile, disc, x, y):
        return jnp.sum(profile(*disc.to_plane(x, y)))

    @jax.jit
    def values_and_gradients(profiles, *where):
        return {name: jax.value_and_grad(total, argnums=(0, 1, 2, 3))(p, *where) for name, p in profiles.items()}

    disc = frame.Disc(x0=0.0, y0=0.0, q=1.0, pa=0.0)
    x = np.array([[0.0, 0.3, 1e-12], [5.0, -80.0, 1e-25]])
    inputs = jax.tree.map(lambda leaf: np.asarray(leaf, precision), (PROFILES, disc, x, 0.0 * x))
    found = values_and_gradients(*inputs)
    assert {value.dtype.name for value, _ in found.values()} == {precision}
    assert [
        name for name, tree in found.items() if not all(np.isfinite(leaf).all() for leaf in jax.tree.leaves(tree))
    ] == []


def test_jit_and_vmap_change_nothing():
    @jax.jit
    def mapped(profiles, u, v):
        return {name: jax.vmap(lambda p: p(u, v))(profile) for name, profile in profiles.items()}

    u, v = np.random.default_rng(1).normal(size=(2, 4, 5))
    found = mapped(jax.tree.map(lambda leaf: np.stack([leaf] * 3), PROFILES), u, v)
    for name, profile in PROFILES.items():
        plain = profile(u, v)
        assert plain.shape == (4, 5), name
        np.testing.assert_allclose(found[name], np.stack([plain] * 3), rtol=1e-12, atol=1e-14, err_msg=name)


@pytest.mark.parametrize("name", ["core", "harmonics", "arms", "rotation"])
def test_gradients_are_finite_differences(name):
    profile = jax.tree.map(lambda leaf: jnp.asarray(leaf, float), PROFILES[name])
    check_grads(lambda p, u, v: p(u, v), (profile, 0.31, -0.22), order=1, modes=["rev"], atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize(
    ("name", "r", "expected"),
    [
        ("constant", 3.0, 8.0),
        ("gradient", 2.0, 8.3),
        ("broken", 0.5, 8.4),
        ("broken", 1.7, 8.5 - 0.14 + 0.1),
        ("core", 1.2, 8.5 - 0.2 * (1.3 - 0.5)),
        ("no core", 2.0, 8.1),
        ("exponential", 0.6, 8.0 + 0.5 / np.e),
        ("nodes", 0.25, 8.4),
        ("nodes", 9.0, 8.4),
    ],
)
@pytest.mark.parametrize("azimuth", [0.0, 2.5])
def test_radial_values(name, r, expected, azimuth):
    found = PROFILES[name](r * np.cos(azimuth), r * np.sin(azimuth))
    np.testing.assert_allclose(found, expected, rtol=1e-12)


def test_harmonics_peak_at_their_phases():
    one = tracer.AzimuthalHarmonics(m=(3,), amplitudes=np.array([0.1]), phases=np.array([20.0]), r_core=0.5)
    at = np.deg2rad([20.0, 140.0, 80.0])
    np.testing.assert_allclose(one(np.cos(at), np.sin(at)), 0.08 * np.array([1, 1, -1]), rtol=1e-12)
    assert one(0.0, 0.0) == 0.0


def test_arms_follow_their_spiral():
    phi = np.deg2rad(np.array([15.0, 90.0, 200.0]))
    log_r = (phi - np.deg2rad(15.0)) * np.tan(np.deg2rad(20.0))
    r = np.sqrt(np.exp(2 * log_r) - 0.1**2)
    for arm in (0.0, np.pi):
        found = ARMS(r * np.cos(phi + arm), r * np.sin(phi + arm))
        np.testing.assert_allclose(found, 0.2 * r**2 / (r**2 + 0.01), rtol=1e-12)
    # One width away in azimuth; a quarter turn away, between the two arms.
    beside = ARMS(r * np.cos(phi + np.deg2rad(12)), r * np.sin(phi + np.deg2rad(12)))
    np.testing.assert_allclose(beside / (0.2 * r**2 / (r**2 + 0.01)), np.exp(-0.5), rtol=0.02)
    assert np.all(ARMS(-r * np.sin(phi), r * np.cos(phi)) < 1e-4)


def test_rotation():
    phi, r = 0.7, np.array([1e-9, 0.003999, 0.004001, 0.4, 40.0])
    expected = 10 + 150 * (2 / np.pi) * np.arctan(r / 0.4) * np.cos(phi)
    np.testing.assert_allclose(ROTATION(r * np.cos(phi), r * np.sin(phi)), expected, rtol=1e-12)
    # The end of the major axis that pa names recedes.
    disc = frame.Disc(q=0.5, pa=90.0)
    assert ROTATION(*disc.to_plane(-3.0, 0.0)) > 10 > ROTATION(*disc.to_plane(3.0, 0.0))


def test_blob_sum_and_table():
    np.testing.assert_allclose(BLOB(0.5 + 0.4, -0.3), -0.2 * np.exp(-0.5), rtol=1e-12)
    u, v = np.random.default_rng(6).normal(size=(2, 9))
    np.testing.assert_allclose(PROFILES["sum"](u, v), GRADIENT(u, v) + BLOB(u, v), rtol=1e-12)
    np.testing.assert_allclose(TABLE(*TABLE.grid.centres()), TABLE.values, rtol=1e-12)
    np.testing.assert_allclose(TABLE(99.0, -0.5), TABLE.values[1, -1], rtol=1e-12)


def test_a_users_function_has_parameters():
    gradient = jax.grad(lambda profile: profile(2.0, 0.5))(PROFILES["function"])
    assert gradient.keywords == {"slope": 1.0}


def test_slope_against_lenstronomy():
    x, y = np.random.default_rng(7).uniform(-2, 2, (2, 30))
    q, pa, slope = 0.4, 35.0, -0.3
    e1, e2 = (float(e) for e in frame.ellipticity_to_lenstronomy(*frame.to_ellipticity(q, pa), x_to="west"))
    expected = LinearEllipse().function(x, y, amp=9.0, k=float(tracer.slope_to_circularised(slope, q)), e1=e1, e2=e2)
    found = tracer.Gradient(central=0.0, slope=slope)(*frame.Disc(q=q, pa=pa).to_plane(x, y))
    np.testing.assert_allclose(found - found[0], expected - expected[0], rtol=1e-10)
    np.testing.assert_allclose(tracer.slope_from_circularised(tracer.slope_to_circularised(slope, q), q), slope)


def test_slope_of_frapy():
    # Along the major axis FRApy's radius is q times ours, along the minor axis it is the projected distance.
    q, slope = 0.4, -0.3
    ours = tracer.Gradient(central=0.0, slope=slope)(*frame.Disc(q=q, pa=0.0).to_plane(2.0, 0.0))
    np.testing.assert_allclose(tracer.slope_to_frapy(slope, q) * q * (2.0 / q), ours, rtol=1e-12)
    np.testing.assert_allclose(tracer.slope_from_frapy(tracer.slope_to_frapy(slope, q), q), slope)
