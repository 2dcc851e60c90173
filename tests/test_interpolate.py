"""Interpolation against scipy, known polynomials and finite differences."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.test_util import check_grads
from precision import doubles
from scipy.ndimage import map_coordinates

from jaxmetal.numerics import interpolate
from jaxmetal.numerics.radius import angle, power, radius

NY, NX = 7, 11
bilinear, cubic = METHODS = [jax.jit(interpolate.bilinear), jax.jit(interpolate.cubic)]


@pytest.fixture(scope="module")
def rng():
    return np.random.default_rng(5)


@pytest.fixture(scope="module")
def values(rng):
    return rng.normal(size=(NY, NX))


@pytest.fixture(scope="module")
def positions(rng):
    return rng.uniform(0, NX - 1, (4, 9)), rng.uniform(0, NY - 1, (4, 9))


@pytest.mark.parametrize("method", METHODS, ids=["bilinear", "cubic"])
def test_samples_are_kept(method, values, precision):
    row, column = np.mgrid[:NY, :NX]
    found = method(values, column, row, outside=np.nan)
    assert found.dtype == precision
    np.testing.assert_allclose(found, values, atol={"float32": 1e-6, "float64": 1e-14}[precision])


def test_bilinear_is_scipys(values, positions, precision):
    column, row = positions
    reference = map_coordinates(values, [row, column], order=1)
    found = bilinear(values, column, row)
    np.testing.assert_allclose(found, reference, atol={"float32": 2e-5, "float64": 1e-13}[precision])


@pytest.mark.parametrize(("method", "degree"), [(bilinear, 1), (cubic, 2)], ids=["bilinear", "cubic"])
def test_polynomials_are_exact_up_to_the_border(method, degree, positions, precision):
    def f(x, y):
        return (0.3 + 0.7 * x - 0.02 * x**degree) * (1.0 - 0.4 * y + 0.05 * y**degree)

    row, column = np.mgrid[:NY, :NX].astype(float)
    found = method(f(column, row), *positions)
    np.testing.assert_allclose(found, f(*positions), rtol={"float32": 2e-4, "float64": 1e-11}[precision])


def test_cubic_derivative_is_continuous_and_bilinear_is_not(values):
    def jump(method):
        slope = jax.jit(jax.grad(lambda c: method(values, c, 2.3)))
        return abs(slope(4.0 - 1e-9) - slope(4.0 + 1e-9))

    assert jump(cubic) < 1e-6
    assert jump(bilinear) > 1e-2


@pytest.mark.parametrize("method", METHODS, ids=["bilinear", "cubic"])
def test_gradients_are_finite_differences(method, values, positions):
    column, row = (jnp.asarray(p) for p in positions)
    check_grads(method, (values, column, row), order=1, modes=["rev"], atol=1e-5)


@pytest.mark.parametrize("method", METHODS, ids=["bilinear", "cubic"])
def test_outside_and_round_off_at_the_border(method, values):
    column = jnp.array([-0.1, NX - 0.9, 3.0, jnp.nan, NX - 1 + 1e-9, -1e-9])
    row = jnp.array([2.0, 2.0, NY - 0.5, 2.0, 2.0, 2.0])
    found = method(values, column, row, outside=-9.0)
    np.testing.assert_array_equal(found[:4], -9.0)
    np.testing.assert_allclose(found[4:], [values[2, -1], values[2, 0]], atol=1e-7)
    gradient = jax.jit(jax.grad(lambda c: method(values, c, row, outside=-9.0).sum()))(column)
    np.testing.assert_array_equal(gradient[:4], 0.0)


@pytest.mark.parametrize("method", METHODS, ids=["bilinear", "cubic"])
def test_nan_stays_near_its_pixel(method, values):
    holed = jnp.asarray(values).at[0, 0].set(jnp.nan)
    column, row = jnp.array([5.5, -3.0]), jnp.array([4.5, 2.0])
    np.testing.assert_allclose(method(holed, column, row), method(values, column, row))
    assert jnp.isfinite(jax.jit(jax.grad(lambda c: method(holed, c, row).sum()))(column)).all()


@pytest.mark.parametrize("method", METHODS, ids=["bilinear", "cubic"])
def test_leading_axes_and_jit(method, values, positions, precision):
    both = method(np.stack([values, 2 * values]), *positions)
    plain = getattr(interpolate, method.__name__)
    close = {"float32": 2e-5, "float64": 1e-12}[precision]
    np.testing.assert_allclose(both[1], 2 * plain(values, *positions), atol=close)
    with doubles(True):
        np.testing.assert_allclose(both[0], plain(values, *positions), atol=close)


def test_radius_power_and_angle_at_the_centre():
    assert radius(3.0, -4.0) == 5.0
    assert jax.grad(radius, (0, 1))(0.0, 0.0) == (0.0, 0.0)
    np.testing.assert_allclose(jax.grad(radius, (0, 1))(3.0, -4.0), (0.6, -0.8))
    assert jax.grad(power, (0, 1))(0.0, 0.125) == (0.0, 0.0)
    np.testing.assert_allclose(jax.grad(power, (0, 1))(2.0, 0.5), (0.5 / np.sqrt(2), np.sqrt(2) * np.log(2)))
    assert jax.grad(angle, (0, 1))(0.0, 0.0) == (0.0, 0.0)
    np.testing.assert_allclose(jax.grad(angle, (0, 1))(3.0, -4.0), (4 / 25, 3 / 25))
