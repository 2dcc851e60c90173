"""Frames against hand-made geometry, each other and lenstronomy."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from lenstronomy.Util import param_util

from jaxmetal import frame
from jaxmetal.edge.errors import InputError
from jaxmetal.numerics.radius import radius

FRAMES = [
    frame.Disc(x0=0.2, y0=-0.1, q=1.0, pa=0.0),
    frame.Disc(x0=0.2, y0=-0.1, q=0.3, pa=400.0),
    frame.InclinedDisc(x0=0.2, y0=-0.1, inclination=0.0, thickness=0.0, pa=-30.0),
    frame.InclinedDisc(x0=0.2, y0=-0.1, inclination=90.0, thickness=0.2, pa=10.0),
    frame.EllipticityDisc(x0=0.2, y0=-0.1, e1=0.0, e2=0.0),
    frame.EllipticityDisc(x0=0.2, y0=-0.1, e1=-0.3, e2=0.2),
    frame.OnSky(),
]


@pytest.fixture(scope="module")
def sky():
    return np.random.default_rng(3).normal(size=(2, 5, 8))


@pytest.mark.parametrize(
    ("pa", "major", "minor"),
    [(0, (0, 1), (-1, 0)), (90, (-1, 0), (0, -1)), (30, (-0.5, np.sqrt(0.75)), (-np.sqrt(0.75), -0.5))],
)
def test_axes_point_east_of_north(pa, major, minor):
    disc = frame.Disc(x0=1.0, y0=2.0, q=0.4, pa=pa)
    np.testing.assert_allclose(disc.to_plane(1 + 3 * major[0], 2 + 3 * major[1]), (3, 0), atol=1e-12)
    np.testing.assert_allclose(disc.to_plane(1 + 3 * minor[0], 2 + 3 * minor[1]), (0, 7.5), atol=1e-12)


def test_pa_is_unbounded_and_half_a_turn_keeps_the_radius(sky):
    u, v = frame.Disc(q=0.5, pa=20.0).to_plane(*sky)
    np.testing.assert_allclose(frame.Disc(q=0.5, pa=380.0).to_plane(*sky), (u, v), atol=1e-12)
    np.testing.assert_allclose(frame.Disc(q=0.5, pa=200.0).to_plane(*sky), (-u, -v), atol=1e-12)


@pytest.mark.parametrize(("inclination", "thickness", "q"), [(0, 0.2, 1), (60, 0, 0.5), (90, 0.2, 0.2)])
def test_inclination(inclination, thickness, q, sky):
    inclined = frame.InclinedDisc(inclination=inclination, thickness=thickness, pa=15.0)
    np.testing.assert_allclose(inclined.axis_ratio, q, rtol=1e-12)
    np.testing.assert_allclose(inclined.to_plane(*sky), frame.Disc(q=q, pa=15.0).to_plane(*sky), rtol=1e-9)


@pytest.mark.parametrize(("q", "pa"), [(0.3, 25.0), (0.8, -60.0), (0.99, 90.0)])
def test_ellipticity_disc_has_the_radius_of_the_disc(q, pa, sky):
    e1, e2 = frame.to_ellipticity(q, pa)
    disc = frame.Disc(x0=0.3, y0=-0.2, q=q, pa=pa)
    ellipse = frame.EllipticityDisc(x0=0.3, y0=-0.2, e1=e1, e2=e2)
    np.testing.assert_allclose(radius(*ellipse.to_plane(*sky)), radius(*disc.to_plane(*sky)), rtol=1e-10)
    np.testing.assert_allclose((ellipse.axis_ratio, ellipse.pa), (q, pa), rtol=1e-10)
    # On the major axis the stretch is 1 and the azimuth is the position angle.
    p = np.deg2rad(pa)
    u, v = ellipse.to_plane(0.3 - 2 * np.sin(p), -0.2 + 2 * np.cos(p))
    np.testing.assert_allclose((u, v), (2 * np.cos(p), 2 * np.sin(p)), atol=1e-10)


@pytest.mark.parametrize("shape", FRAMES, ids=repr)
def test_finite_with_gradients_everywhere(shape, precision):
    x, y = jnp.array([0.2, 0.0, 3.0], precision), jnp.array([-0.1, 0.0, -4.0], precision)

    def total(shape, x, y):
        return jnp.sum(radius(*shape.to_plane(x, y))) + shape.axis_ratio

    shape = jax.tree.map(lambda leaf: jnp.asarray(leaf, precision), shape)
    value, gradient = jax.jit(jax.value_and_grad(total, argnums=(0, 1, 2)))(shape, x, y)
    assert value.dtype == precision
    assert all(jnp.isfinite(leaf).all() for leaf in jax.tree.leaves((value, gradient)))
    np.testing.assert_allclose(value, total(shape, x, y), rtol=1e-6)


def test_vmap_over_frames(sky):
    pa = jnp.array([0.0, 40.0, 90.0])
    u, _ = jax.vmap(lambda pa: frame.Disc(q=0.6, pa=pa).to_plane(*sky))(pa)
    np.testing.assert_allclose(u[1], frame.Disc(q=0.6, pa=40.0).to_plane(*sky)[0], rtol=1e-12)


@pytest.mark.parametrize("x_to", ["west", "east"])
def test_ellipticity_against_lenstronomy(x_to, sky):
    sign = 1.0 if x_to == "west" else -1.0
    q, pa = 0.55, 32.0
    e1, e2 = frame.ellipticity_to_lenstronomy(*frame.to_ellipticity(q, pa), x_to=x_to)
    _, theirs_q = param_util.ellipticity2phi_q(float(e1), float(e2))
    x, y = param_util.transform_e1e2_product_average(sign * sky[0], sky[1], float(e1), float(e2), 0.0, 0.0)
    np.testing.assert_allclose(theirs_q, q, rtol=1e-12)
    ours = radius(*frame.Disc(q=q, pa=pa).to_plane(*sky))
    np.testing.assert_allclose(np.hypot(x, y), ours * np.sqrt(q), rtol=1e-10)
    back = frame.from_ellipticity(*frame.ellipticity_from_lenstronomy(e1, e2, x_to=x_to))
    np.testing.assert_allclose(back, (q, pa), rtol=1e-10)


def test_unknown_direction_is_refused():
    with pytest.raises(InputError, match="x_to"):
        frame.ellipticity_to_lenstronomy(0.1, 0.2, x_to="left")
