"""Draws of a NumPyro model's sites."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

import jax
import numpy as np
from numpyro.distributions import Distribution, biject_to
from numpyro.infer import init_to_value
from numpyro.infer.util import initialize_model

from jaxmetal.chains.driver import CHUNK, Chains, drive
from jaxmetal.chains.kernel import Settings, advance, begin
from jaxmetal.edge.errors import InputError
from jaxmetal.machine import Program, in_threads, processors


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
    keys = jax.random.split(jax.random.key(seed), settings.chains)
    try:
        # One start for all: it is momenta that scatter the chains.
        info = initialize_model(keys[0], model, init_strategy=initial, model_args=arguments)
    except RuntimeError as error:
        reason = str(error).splitlines()[0].rstrip(".")
        raise InputError(f"The chains cannot start ({reason}); check the sizes of values and errors.") from None
    sites = {n: s["fn"] for n, s in info.model_trace.items() if s["type"] == "sample" and not s["is_observed"]}
    start = jax.tree.map(lambda leaf: np.repeat(np.asarray(leaf)[None], settings.chains, axis=0), info.param_info.z)
    start |= {name: biject_to(sites[name].support).inv(value) for name, value in (each or {}).items()}
    mass = None if pilot is None else _covariance(pilot, sites)
    steps = min(CHUNK, settings.warmup + settings.draws)
    potential = info.potential_fn
    states = Program(jax.vmap(lambda at, key: begin(potential, settings, at, key, mass)))(start, keys)
    onwards = _of_all(lambda state: advance(potential, settings, state, steps))
    drawn = drive(states, onwards, settings, steps, progress)
    position = drawn.pop("position")
    parts = [position[name].reshape(*drawn["accept"].shape, -1) for name in sorted(position)]
    values = Program(jax.vmap(jax.vmap(info.postprocess_fn)))(position)
    chains = Chains(vectors=np.concatenate(parts, axis=2), **drawn)
    return Sampled({name: np.asarray(value) for name, value in values.items()}, chains, sites)


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


def _covariance(draws: Mapping[str, np.ndarray], sites: Mapping[str, Distribution]) -> np.ndarray:
    """Covariance of draws in the unconstrained space, sites in the order of their names."""
    free = [np.asarray(biject_to(sites[name].support).inv(draws[name])) for name in sorted(sites)]
    flat = np.concatenate([values.reshape(values.shape[0] * values.shape[1], -1) for values in free], axis=1)
    return np.atleast_2d(np.cov(flat, rowvar=False))
