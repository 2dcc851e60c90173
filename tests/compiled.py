"""Functions of the package as programs: one by one, their operations would be dozens, each compiled by itself."""

import jax

import jaxmetal as jm

predict = jax.jit(jm.predict)
distortion = jax.jit(jm.lens.distortion)


@jax.jit
def bent(lens, x, y):
    """The deflection of a lens."""
    return lens(x, y)


@jax.jit
def potential(lens, x, y):
    """That of a lens."""
    return lens.potential(x, y)
