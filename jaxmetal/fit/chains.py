"""Markov chains in the space that Laplace's approximation whitens."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from numpy.random import SeedSequence
from numpyro.infer.util import ParamInfo

from jaxmetal.chains import CHUNK, Chains, Settings, advance, begin, drive
from jaxmetal.chains.kernel import Potential
from jaxmetal.fit.laplace import Laplace
from jaxmetal.fit.problem import Problem, log_density, pick
from jaxmetal.fit.rows import each
from jaxmetal.fit.seeds import key_data


def run(
    problems: Problem,
    which: Sequence[int],
    approximations: Sequence[Laplace],
    seeds: Sequence[SeedSequence],
    settings: Settings,
    progress: bool = True,
) -> list[Chains]:
    """Runs all chains of one or several problems.

    Args:
        problems: see `fit.problem.stack`.
        which: problems to sample.
        approximations: of each: whitens its space; its chains start at the mode, and momenta scatter them.
        seeds: of each.
        settings: see `chains.Settings`.
        progress: show a progress bar.
    """
    places = jax.tree.map(lambda *parts: np.repeat(np.stack(parts), settings.chains, axis=0), *approximations)
    rows = (np.repeat(np.asarray(which, np.int32), settings.chains), places)
    keys = np.concatenate([key_data(seed, settings.chains) for seed in seeds])
    states = each(_begin, settings, problems, (*rows, keys), 1)
    onwards = partial(each, _advance, settings, problems, block=1)
    drawn = drive(states, lambda now: onwards(rows=(*rows, now)), settings, progress=progress)
    return [
        Chains(**{name: values[first : first + settings.chains] for name, values in drawn.items()})
        for first in range(0, len(keys), settings.chains)
    ]


def _potential(problem: Problem, approximation: Laplace) -> Potential:
    return lambda e: -log_density(problem, approximation.mode + approximation.factor @ e)


def _begin(settings: Settings, problems: Problem, row: Any) -> Any:
    which, approximation, key = row
    # At the mode the density is known and flat: starting there needs no gradient, hence no compilation of one.
    still = jnp.zeros_like(approximation.mode)
    start = ParamInfo(still, -approximation.log_peak, still)
    return begin(_potential(pick(problems, which), approximation), settings, start, jax.random.wrap_key_data(key))


def _advance(settings: Settings, problems: Problem, row: Any) -> tuple[Any, dict[str, jax.Array]]:
    which, approximation, state = row
    state, drawn = advance(_potential(pick(problems, which), approximation), settings, state, CHUNK)
    return state, drawn | {"vectors": approximation.mode + drawn.pop("position") @ approximation.factor.T}
