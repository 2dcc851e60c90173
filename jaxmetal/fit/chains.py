"""Markov chains in the space that Laplace's approximation whitens: NumPyro's NUTS, and its HMC with few fixed steps."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from numpy.random import SeedSequence
from numpyro.infer.hmc import hmc
from numpyro.infer.util import ParamInfo
from tqdm.auto import tqdm

from jaxmetal.fit.laplace import Laplace
from jaxmetal.fit.problem import Problem, log_density, pick
from jaxmetal.fit.rows import each
from jaxmetal.fit.seeds import key_data

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


def run(
    problems: Problem,
    which: Sequence[int],
    approximations: Sequence[Laplace],
    seeds: Sequence[SeedSequence],
    settings: Settings,
    progress: bool = True,
) -> list[Chains]:
    """Runs all chains of one or several problems, chunk by chunk.

    Args:
        problems: see `fit.problem.stack`.
        which: problems to sample.
        approximations: of each: whitens its space; its chains start at the mode, and momenta scatter them.
        seeds: of each.
        settings: see `Settings`.
        progress: show a progress bar.
    """
    count = len(approximations)
    places = jax.tree.map(lambda *parts: np.repeat(np.stack(parts), settings.chains, axis=0), *approximations)
    rows = (np.repeat(np.asarray(which, np.int32), settings.chains), places)
    keys = np.concatenate([key_data(seed, settings.chains) for seed in seeds])
    states = each(_begin, settings, problems, (*rows, keys), 1)
    total, kept = settings.warmup + settings.draws, []
    label = f"{settings.algorithm} x {count * settings.chains} chains"
    with tqdm(total=total, desc=label, disable=not progress, unit="step") as bar:
        for done in range(0, total, CHUNK):
            states, drawn = each(_advance, settings, problems, (*rows, states), 1)
            bar.set_postfix(divergent=int(np.sum(drawn["diverging"])), refresh=False)
            bar.update(CHUNK)
            if done >= settings.warmup:
                kept.append(drawn)
    joined = {name: np.concatenate([chunk[name] for chunk in kept], axis=1) for name in kept[0]}
    return [
        Chains(**{name: values[first : first + settings.chains] for name, values in joined.items()})
        for first in range(0, count * settings.chains, settings.chains)
    ]


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


def _begin(settings: Settings, problems: Problem, row: Any) -> Any:
    which, approximation, key = row
    initialise, _ = _kernel(pick(problems, which), approximation, settings)
    return _packed(initialise(jax.random.wrap_key_data(key)))


def _advance(settings: Settings, problems: Problem, row: Any) -> tuple[Any, dict[str, jax.Array]]:
    which, approximation, packed = row
    _, step = _kernel(pick(problems, which), approximation, settings)

    def body(state: Any, _: None) -> tuple[Any, dict[str, jax.Array]]:
        state = step(state)
        return state, {
            "vectors": approximation.mode + approximation.factor @ state.z,
            "log_density": -state.potential_energy,
            "diverging": state.diverging,
            "leapfrogs": state.num_steps,
            "accept": state.accept_prob,
        }

    state, drawn = jax.lax.scan(body, _unpacked(packed), length=CHUNK)
    return _packed(state), drawn


def _packed(state: Any) -> Any:
    """A state of plain numbers, strongly typed: what `_advance` returns must not compile it again."""

    def plain(leaf: jax.Array) -> jax.Array:
        if jax.dtypes.issubdtype(leaf.dtype, jax.dtypes.prng_key):
            return jax.random.key_data(leaf)
        return jax.lax.convert_element_type(leaf, leaf.dtype)

    return jax.tree.map(plain, state)


def _unpacked(state: Any) -> Any:
    """With its random keys, which alone are unsigned, as such."""
    return jax.tree.map(lambda leaf: jax.random.wrap_key_data(leaf) if leaf.dtype == jnp.uint32 else leaf, state)
