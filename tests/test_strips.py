"""Derivatives taken strip by strip are those of the whole."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxmetal.numerics.strips import in_strips

NY, NX = 23, 17
X, Y = jnp.meshgrid(jnp.linspace(-1.0, 2.0, NX), jnp.linspace(-2.0, 1.0, NY))
MODES = jnp.stack([X * Y, X - Y])
AT = {"centre": jnp.array([0.3, -0.2]), "weights": jnp.array([0.7, 0.4])}


def light(numbers, places):
    """Two arrays; the second is known in part."""
    x, y, modes, one = places
    bent = x - jnp.tensordot(numbers["weights"], modes, axes=1)
    seen = jnp.exp(-((bent - numbers["centre"][0]) ** 2) - (y - numbers["centre"][1]) ** 2) * one
    return [seen, jnp.sin(bent) + y]


def total(numbers, scale, size):
    """A sum in which no two places count alike."""
    places = (X * scale, Y, MODES, jnp.ones((1, 1)))
    first, second = in_strips(light, numbers, places, (NY, NX), size) if size else light(numbers, places)
    return jnp.sum(first * (X + 2.0 * Y**2)) + jnp.sum(second**3)


def all_close(found, expected):
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-10, atol=1e-10), found, expected)


@pytest.mark.parametrize("size", [1, 40, 5 * NX, NY * NX], ids=["rows", "two rows", "not a whole number", "one strip"])
def test_gradients_are_those_of_the_whole(size):
    found, expected = (jax.jit(jax.value_and_grad(total, (0, 1)), static_argnums=2)(AT, 1.2, n) for n in (size, 0))
    all_close(found, expected)


def test_so_are_forward_and_second_derivatives_and_those_of_many_at_once():
    for derive in (jax.jacfwd(total), jax.jacfwd(jax.grad(total)), jax.jacrev(jax.jacfwd(total))):
        found, expected = (jax.jit(derive, static_argnums=2)(AT, 1.2, n) for n in (40, 0))
        all_close(found, expected)
    many = jax.tree.map(lambda leaf: jnp.stack([leaf, 0.5 * leaf, -leaf]), AT)
    found, expected = (jax.jit(jax.vmap(lambda at, n=n: jax.grad(total)(at, 1.2, n)))(many) for n in (40, 0))
    all_close(found, expected)
