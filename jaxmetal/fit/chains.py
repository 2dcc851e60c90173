"""Markov chains in the space that Laplace's approximation whitens: NumPyro's NUTS, and its HMC with few fixed steps."""

from __future__ import annotations

from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from numpyro.infer.hmc import hmc
from numpyro.infer.util import ParamInfo
from tqdm.auto import tqdm

from jaxmetal.fit.laplace import Laplace
from jaxmetal.fit.problem import Problem, log_density

CHUNK = 50
"""Steps between two looks at the progress bar (and at Ctrl-C)."""

QUARTER_TURN = 1.5
"""Length of an HMC trajectory in the whitened space: just short of pi/2, where a Gaussian forgets its start."""


class Settings(NamedTuple):
    """How to sample (hashable: part of the compiled program).

    Attributes:
        algorithm: "NUTS", or "HMC" with a fixed number of leapfrog steps.
        chains: number of chains.
        warmup: steps per chain that adapt the step size; a multiple of CHUNK.
        draws: kept steps per chain; a multiple of CHUNK.
        leapfrogs: steps of "HMC".
        adapt_mass: re-estimate a dense mass matrix, for posteriors that Laplace whitens badly.
        target_accept: acceptance probability aimed at.
    """

    algorithm: str = "NUTS"
    chains: int = 4
    warmup: int = 300
    draws: int = 500
    leapfrogs: int = 3
    adapt_mass: bool = False
    target_accept: float = 0.8


class Chains(NamedTuple):
    """Draws in unconstrained space, with what the sampler says of them; chains and draws in front.

    Attributes:
        vectors: shape (chains, draws, size).
        log_density: shape (chains, draws).
        diverging: shape (chains, draws).
        leapfrogs: gradients per draw, shape (chains, draws).
        accept: mean acceptance probability, shape (chains, draws).
    """

    vectors: np.ndarray
    log_density: np.ndarray
    diverging: np.ndarray
    leapfrogs: np.ndarray
    accept: np.ndarray


def run(problem: Problem, approximation: Laplace, key: jax.Array, settings: Settings, progress: bool = True) -> Chains:
    """Runs all chains, chunk by chunk.

    Args:
        problem: see `fit.problem`.
        approximation: whitens the space; all chains start at its mode, and its momenta scatter them.
        key: JAX random key.
        settings: see `Settings`.
        progress: show a progress bar.
    """
    states = _begin(problem, approximation, jax.random.split(key, settings.chains), settings)
    kept = []
    total = settings.warmup + settings.draws
    with tqdm(
        total=total, desc=f"{settings.algorithm} x {settings.chains} chains", disable=not progress, unit="step"
    ) as bar:
        for done in range(0, total, CHUNK):
            states, drawn = _advance(problem, approximation, states, settings)
            bar.set_postfix(divergent=int(np.sum(drawn["diverging"])), refresh=False)
            bar.update(CHUNK)
            if done >= settings.warmup:
                kept.append(jax.tree.map(np.asarray, drawn))
    joined = {name: np.concatenate([chunk[name] for chunk in kept], axis=1) for name in kept[0]}
    return Chains(**joined)


def _kernel(problem: Problem, approximation: Laplace, settings: Settings) -> tuple[Any, Any]:
    """NumPyro's `initialise(position, key)` and `step(state)` for this problem."""

    def potential(problem: Problem, approximation: Laplace) -> Any:
        return lambda e: -log_density(problem, approximation.mode + approximation.factor @ e)

    start, step = hmc(potential_fn_gen=potential, algo=settings.algorithm)
    fixed = settings.algorithm == "HMC"

    def initialise(key: jax.Array) -> Any:
        # At the mode the density is known and flat: starting there needs no gradient, hence no compilation of one.
        still = jnp.zeros_like(approximation.mode)
        return start(
            ParamInfo(still, -approximation.log_peak, still),
            settings.warmup,
            step_size=0.7,
            num_steps=settings.leapfrogs if fixed else None,
            trajectory_length=QUARTER_TURN,
            adapt_step_size=not fixed,
            adapt_mass_matrix=settings.adapt_mass,
            dense_mass=settings.adapt_mass,
            target_accept_prob=settings.target_accept,
            model_args=(problem, approximation),
            rng_key=key,
        )

    # NumPyro hands the settings from one function to the other through a closure: the first must have run.
    initialise(jax.random.key(0))
    return initialise, lambda state: step(state, model_args=(problem, approximation))


@partial(jax.jit, static_argnames="settings")
def _begin(problem: Problem, approximation: Laplace, keys: jax.Array, settings: Settings) -> Any:
    initialise, _ = _kernel(problem, approximation, settings)
    return _strong(jax.vmap(initialise)(keys))


def _strong(states: Any) -> Any:
    """States without weak types: those that `_advance` returns would otherwise compile it again."""
    return jax.tree.map(
        lambda x: (
            x if jax.dtypes.issubdtype(x.dtype, jax.dtypes.prng_key) else jax.lax.convert_element_type(x, x.dtype)
        ),
        states,
    )


@partial(jax.jit, static_argnames="settings")
def _advance(
    problem: Problem, approximation: Laplace, states: Any, settings: Settings
) -> tuple[Any, dict[str, jax.Array]]:
    _, step = _kernel(problem, approximation, settings)

    def body(state: Any, _: None) -> tuple[Any, dict[str, jax.Array]]:
        state = step(state)
        return state, {
            "vectors": approximation.mode + approximation.factor @ state.z,
            "log_density": -state.potential_energy,
            "diverging": state.diverging,
            "leapfrogs": state.num_steps,
            "accept": state.accept_prob,
        }

    def one(state: Any) -> tuple[Any, dict[str, jax.Array]]:
        return jax.lax.scan(body, state, length=CHUNK)

    # Fixed-length trajectories run side by side; NUTS in lock-step would wait for its longest tree.
    states, drawn = jax.vmap(one)(states) if settings.algorithm == "HMC" else jax.lax.map(one, states)
    return _strong(states), drawn
