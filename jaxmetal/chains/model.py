"""Draws of a NumPyro model's sites."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from numpyro import handlers
from numpyro.distributions import Distribution, biject_to
from numpyro.infer import init_to_value
from numpyro.infer.util import constrain_fn, potential_energy

from jaxmetal.chains.driver import CHUNK, Chains, drive
from jaxmetal.chains.kernel import Settings, advance, begin
from jaxmetal.edge.errors import InputError
from jaxmetal.machine import Program, in_threads, processors
from jaxmetal.numerics.packed import Packed, unpacked

TRIES = 100
"""Starts, where they are drawn, of which one must have a finite density."""


class Sampled(NamedTuple):
    """What chains of a model leave.

    Attributes:
        draws: site -> (chains, draws, ...), what is deterministic included.
        chains: in unconstrained space, sites in the order of their names.
        sites: the distributions of the sampled sites.
    """

    draws: dict[str, np.ndarray]
    chains: Chains
    sites: dict[str, Distribution]


def sample(
    model: Callable[..., None],
    arguments: tuple[Any, ...],
    settings: Settings,
    seed: int,
    *,
    initial: Any = None,
    each: Mapping[str, Any] | None = None,
    pilot: Mapping[str, np.ndarray] | None = None,
    progress: bool = False,
) -> Sampled:
    """Runs all chains of a model side by side.

    Args:
        model: a NumPyro model.
        arguments: of the model.
        settings: see `kernel.Settings`.
        seed: of the random numbers.
        initial: NumPyro's strategy for the start.
        each: site -> first value of every chain, (chains, ...), in place of that.
        pilot: draws of the same sites from a cheaper model of much the same posterior: the chains start from its last
            draw, and its covariance is their mass matrix.
        progress: show a progress bar.

    Raises:
        InputError: if the density is not finite at the start.
    """
    if pilot is not None:
        initial = init_to_value(values={name: values[0, -1] for name, values in pilot.items()})
    started = Program(partial(_started, model, arguments, settings, initial))
    key = jax.random.key(seed)
    for turn in range(TRIES):
        states, sites = started(key, dict(each or {}), pilot)
        if all(np.isfinite(leaf).all() for leaf in jax.tree.leaves((states.potential_energy, states.z_grad))):
            break
        key = jax.random.fold_in(key, turn)
    else:
        raise InputError(
            "The chains cannot start (density or gradient are not finite there); check the sizes of values and errors."
        )
    potential = partial(potential_energy, model, arguments, {})
    steps = min(CHUNK, settings.warmup + settings.draws)
    onwards = _of_all(lambda state: advance(potential, settings, state, steps))
    drawn = drive(states, onwards, settings, steps, progress)
    position = drawn.pop("position")
    parts = [position[name].reshape(*drawn["accept"].shape, -1) for name in sorted(position)]
    at_one = partial(constrain_fn, model, arguments, {}, return_deterministic=True)
    values = Program(jax.vmap(jax.vmap(at_one)))(position)
    chains = Chains(vectors=np.concatenate(parts, axis=2), **drawn)
    return Sampled({name: np.asarray(value) for name, value in values.items()}, chains, unpacked(sites))


def _started(
    model: Callable[..., None],
    arguments: tuple[Any, ...],
    settings: Settings,
    initial: Any,
    key: jax.Array,
    each: Mapping[str, jax.Array],
    pilot: Mapping[str, jax.Array] | None,
) -> tuple[Any, dict[str, Packed]]:
    """States of chains with one start for all but what `each` says: it is momenta that scatter them; and the sites.

    One program: by themselves, the operations of a model and of its gradient would be hundreds.
    """
    keys = jax.random.split(key, settings.chains)
    seeded = handlers.seed(model, jax.random.split(keys[0])[1])  # as NumPyro draws its starts
    traced = handlers.trace(handlers.substitute(seeded, substitute_fn=initial))
    found = {n: s for n, s in traced.get_trace(*arguments).items() if s["type"] == "sample" and not s["is_observed"]}
    inverses = {name: biject_to(site["fn"].support).inv for name, site in found.items()}
    start = {
        name: inverses[name](each[name])
        if name in each
        else jnp.repeat(jnp.asarray(inverses[name](site["value"]))[None], settings.chains, axis=0)
        for name, site in found.items()
    }
    mass = None if pilot is None else _covariance({name: inverses[name](pilot[name]) for name in sorted(found)})
    potential = partial(potential_energy, model, arguments, {})
    states = jax.vmap(lambda at, key: begin(potential, settings, at, key, mass))(start, keys)
    return states, {name: Packed.of(site["fn"]) for name, site in found.items()}


def _of_all(step: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """What all chains do: in threads on a CPU, where none waits for another's trajectory; in lock-step elsewhere."""
    if not in_threads():
        return Program(jax.vmap(step))
    alone = Program(step)

    def each(states: Any) -> Any:
        count = len(jax.tree.leaves(states)[0])
        chains = [jax.tree.map(lambda leaf, k=k: leaf[k], states) for k in range(count)]
        with ThreadPoolExecutor(processors()) as pool:
            found = list(pool.map(lambda state: jax.block_until_ready(alone(state)), chains))
        return jax.tree.map(lambda *parts: np.stack(parts), *found)

    return each


def _covariance(draws: Mapping[str, jax.Array]) -> jax.Array:
    """Of draws, (chains, draws, ...), in the order of the names."""
    flat = [values.reshape(values.shape[0] * values.shape[1], -1) for values in draws.values()]
    return jnp.atleast_2d(jnp.cov(jnp.concatenate(flat, axis=1), rowvar=False))
