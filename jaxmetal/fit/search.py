"""One climb to a maximum, an evaluation at a time: L-BFGS (Nocedal 1980, by optax) with Armijo's rule for its steps."""

from __future__ import annotations

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax

from jaxmetal.machine import Program, program

SHORTEST = 1e-8
"""Part of a step below which the search along it is given up."""

LBFGS = optax.scale_by_lbfgs(scale_init_precond=False)
"""In scaled coordinates the unit matrix is the curvature to begin with."""


class Search(NamedTuple):
    """Where an optimisation stands, in scaled coordinates; the next evaluation is at x + length direction."""

    x: jax.Array
    loss: jax.Array
    gradient: jax.Array
    direction: jax.Array
    length: jax.Array
    memory: Any
    going: jax.Array


@program()
@jax.vmap
def begin(x: jax.Array) -> Search:
    """Nothing is known: the first evaluation is at x itself."""
    still, nothing = jnp.zeros_like(x), jnp.zeros((), x.dtype)
    return Search(x, nothing + jnp.inf, still, still, nothing, LBFGS.init(x), jnp.array(True))


def advanced(search: Search, loss: jax.Array, gradient: jax.Array) -> Search:
    """Takes in the evaluation: the step is accepted (Armijo's rule) and a new one planned, or it is shortened."""
    expected = search.length * jnp.vdot(search.gradient, search.direction)
    good = jnp.isfinite(loss) & jnp.all(jnp.isfinite(gradient)) & (loss <= search.loss + 1e-4 * expected)

    x = search.x + search.length * search.direction
    bent = jnp.vdot(gradient - search.gradient, x - search.x) > 0.0
    # Where the surface curves the wrong way, what was learned of its curvature is dropped.
    memory = jax.tree.map(lambda new, old: jnp.where(bent, old, new), LBFGS.init(x), search.memory)
    down, memory = LBFGS.update(gradient, memory, x)
    tolerance, resolution = (1e-4, 1e-9) if x.dtype == jnp.float64 else (1e-2, 1e-4)
    going = (jnp.linalg.norm(gradient) > tolerance) & (search.loss - loss > resolution)
    forward = Search(x, loss, gradient, -down, jnp.ones_like(loss), memory, going)

    short = -0.5 * expected * search.length / (loss - search.loss - expected)
    length = jnp.clip(jnp.nan_to_num(short), 0.1 * search.length, 0.5 * search.length)
    back = search._replace(length=length, going=length > SHORTEST)
    moved = jax.tree.map(lambda a, b: jnp.where(good, a, b), forward, back)
    return jax.tree.map(lambda a, b: jnp.where(search.going, a, b), moved, search)


step = Program(jax.vmap(advanced))
"""`advanced` of searches side by side."""
