"""One chain of NumPyro's NUTS, or of its HMC with few fixed steps, as pure functions of a state of plain numbers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from numpyro.infer.hmc import hmc
from numpyro.infer.util import ParamInfo

QUARTER_TURN = 1.5
"""Length of an HMC trajectory in a whitened space: just short of pi/2, where a Gaussian forgets its start."""

FIRST_STEP = 0.7
"""Size of the first step; NUTS adapts it."""

Potential = Callable[[Any], jax.Array]
"""Minus the log density at a position, a tree of arrays."""


class Settings(NamedTuple):
    """How to sample (hashable: part of the compiled program).

    Attributes:
        algorithm: "NUTS", or "HMC" with a fixed number of leapfrog steps.
        chains: number of chains.
        warmup: steps per chain that adapt the step size.
        draws: kept steps per chain.
        leapfrogs: steps of "HMC".
        adapt_mass: estimate a mass matrix during the warm-up, for posteriors that are not white.
        target_accept: acceptance probability aimed at.
        dense: whether that matrix is dense, or the names of the sites in each of its blocks.
    """

    algorithm: str = "NUTS"
    chains: int = 4
    warmup: int = 300
    draws: int = 500
    leapfrogs: int = 3
    adapt_mass: bool = False
    target_accept: float = 0.8
    dense: bool | tuple[tuple[str, ...], ...] = True


def begin(potential: Potential, settings: Settings, start: Any, key: jax.Array, inverse_mass: Any = None) -> Any:
    """The state of a chain at its start.

    Args:
        potential: see `Potential`.
        settings: see `Settings`.
        start: a position, or NumPyro's `ParamInfo` of one, whose potential and gradient are known.
        key: of the chain's random numbers.
        inverse_mass: covariance of the positions, where it is known.
    """
    return _packed(_kernel(potential, settings)[0](start, key, inverse_mass))


def advance(potential: Potential, settings: Settings, state: Any, steps: int) -> tuple[Any, dict[str, Any]]:
    """Some steps of a chain.

    Returns:
        Its state, and for every step "position", "log_density", "diverging", "leapfrogs" (gradients) and "accept".
    """
    initialise, step = _kernel(potential, settings)
    state = _unpacked(state)
    # NumPyro hands the settings from one function to the other through a closure: the first must have run.
    initialise(ParamInfo(state.z, state.potential_energy, state.z_grad), jax.random.key(0), None)

    def body(state: Any, _: None) -> tuple[Any, dict[str, Any]]:
        state = step(state)
        return state, {
            "position": state.z,
            "log_density": -state.potential_energy,
            "diverging": state.diverging,
            "leapfrogs": state.num_steps,
            "accept": state.accept_prob,
        }

    state, drawn = jax.lax.scan(body, state, length=steps)
    return _packed(state), drawn


def _kernel(potential: Potential, settings: Settings) -> tuple[Any, Any]:
    """NumPyro's `initialise(start, key, inverse_mass)` and `step(state)`."""
    start, step = hmc(potential_fn=potential, algo=settings.algorithm)
    fixed = settings.algorithm == "HMC"

    def initialise(position: Any, key: jax.Array, inverse_mass: Any) -> Any:
        return start(
            position,
            settings.warmup,
            step_size=FIRST_STEP,
            inverse_mass_matrix=inverse_mass,
            num_steps=settings.leapfrogs if fixed else None,
            trajectory_length=QUARTER_TURN,
            adapt_step_size=not fixed,
            adapt_mass_matrix=settings.adapt_mass,
            dense_mass=settings.dense if isinstance(settings.dense, bool) else list(settings.dense),
            target_accept_prob=settings.target_accept,
            rng_key=key,
        )

    return initialise, step


def _packed(state: Any) -> Any:
    """A state of plain numbers, strongly typed: what `advance` returns must not compile it again."""

    def plain(leaf: jax.Array) -> jax.Array:
        if jax.dtypes.issubdtype(leaf.dtype, jax.dtypes.prng_key):
            return jax.random.key_data(leaf)
        return jax.lax.convert_element_type(leaf, leaf.dtype)

    return jax.tree.map(plain, state)


def _unpacked(state: Any) -> Any:
    """With its random keys, which alone are unsigned, as such."""
    return jax.tree.map(lambda leaf: jax.random.wrap_key_data(leaf) if leaf.dtype == jnp.uint32 else leaf, state)
