"""exp, ln and erfc against NumPy and SciPy, at their ends, with their derivatives, and on other devices."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import special

from jaxmetal.numerics import elementary

EPS = np.finfo(float).eps


def log_spaced(low, high, count=20_001):
    return np.exp(np.linspace(np.log(low), np.log(high), count))


CASES = {
    "exp": (elementary.exp, np.exp, np.linspace(-707.0, 707.0, 30_001), 4 * EPS),
    "exp of small numbers": (elementary.exp, np.exp, np.linspace(-1e-3, 1e-3, 2_001), 2 * EPS),
    "log": (elementary.log, np.log, log_spaced(1e-307, 1e307), 3 * EPS),
    "log about 1": (elementary.log, np.log, 1.0 + np.linspace(-0.4, 0.6, 20_000), 3 * EPS),
    "tail": (elementary.tail, special.erfc, np.linspace(0.0, 5.0, 20_001), 26 * 4 * EPS),
    "tail, far": (elementary.tail, special.erfc, np.linspace(5.0, 26.0, 20_001), 700 * EPS),
}


@pytest.mark.parametrize("case", CASES)
def test_values(case, precision):
    function, expected, x, tolerance = CASES[case]
    if precision == "float32":
        x = x[np.abs(x) < 80.0] if "exp" in case else x[(x > 1e-30) & (x < 9.0)]
        tolerance = 100.0 * np.finfo(np.float32).eps
        x = x.astype(np.float32).astype(float)
    found = jax.jit(function)(jnp.asarray(x, precision))
    assert found.dtype == precision
    np.testing.assert_allclose(found, expected(x), rtol=tolerance, atol=1e-6 if precision == "float32" else 0.0)


def test_ends():
    np.testing.assert_array_equal(
        elementary.exp(jnp.array([-jnp.inf, -1e4, 0.0, 710.0, jnp.inf, jnp.nan])), [0, 0, 1, np.inf, np.inf, np.nan]
    )
    np.testing.assert_array_equal(
        elementary.log(jnp.array([-1.0, 0.0, 1.0, jnp.inf, jnp.nan])), [np.nan, -np.inf, 0.0, np.inf, np.nan]
    )
    np.testing.assert_array_equal(elementary.tail(jnp.array([0.0, 40.0, jnp.inf, jnp.nan])), [1.0, 0.0, 0.0, np.nan])


@pytest.mark.parametrize(
    ("function", "slope", "curvature"),
    [
        (elementary.exp, np.exp, np.exp),
        (elementary.log, lambda x: 1.0 / x, lambda x: -1.0 / x**2),
        (
            elementary.tail,
            lambda x: -2.0 / np.sqrt(np.pi) * np.exp(-(x**2)),
            lambda x: 4.0 * x / np.sqrt(np.pi) * np.exp(-(x**2)),
        ),
    ],
)
def test_derivatives(function, slope, curvature):
    x = np.linspace(0.1, 4.0, 50)
    first = jax.grad(lambda x: function(x))
    np.testing.assert_allclose(jax.vmap(first)(x), slope(x), rtol=1e-14)
    np.testing.assert_allclose(jax.vmap(jax.grad(first))(x), curvature(x), rtol=1e-13)


@pytest.mark.parametrize("function", [elementary.exp, elementary.log, elementary.tail])
def test_other_devices_have_their_own(function):
    for platform in ("cuda", "tpu"):
        text = jax.export.export(jax.jit(function), platforms=[platform])(jnp.ones(4)).mlir_module()
        assert "bitcast_convert" not in text
