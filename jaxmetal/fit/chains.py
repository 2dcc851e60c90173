"""Markov chains in a space that is whitened, by Laplace's approximation or by one that follows a field."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from numpy.random import SeedSequence
from numpyro.infer.util import ParamInfo

from jaxmetal.chains import CHUNK, Chains, Kept, Settings, advance, begin, drive, measure, reached
from jaxmetal.chains.kernel import Potential
from jaxmetal.fit.following import Following
from jaxmetal.fit.laplace import Laplace
from jaxmetal.fit.problem import Problem, log_density, pick
from jaxmetal.fit.rows import each
from jaxmetal.fit.seeds import key_data

Space = Laplace | Following
"""What makes a posterior white."""


def run(
    problems: Problem,
    which: Sequence[int],
    spaces: Sequence[Space],
    seeds: Sequence[SeedSequence],
    settings: Settings,
    progress: bool = True,
    cut_short: bool = False,
    keep: Kept | None = None,
) -> list[Chains]:
    """Runs all chains of one or several problems.

    Args:
        problems: see `fit.problem.stack`.
        which: problems to sample.
        spaces: of each, from white vectors to its own; its chains start at the mode, and momenta scatter them.
        seeds: of each.
        settings: see `chains.Settings`; chains go on until R-hat and effective samples are reached, and are thinned.
        progress: show a progress bar.
        cut_short: see `chains.drive`.
        keep: likewise.
    """
    places = jax.tree.map(lambda *parts: np.repeat(np.stack(parts), settings.chains, axis=0), *spaces)
    rows = (np.repeat(np.asarray(which, np.int32), settings.chains), places)
    keys = np.concatenate([key_data(seed, settings.chains) for seed in seeds])
    states = each(_begin, settings, problems, (*rows, keys), 1)
    onwards = partial(each, _advance, settings, problems, block=1)
    own = [slice(first, first + settings.chains) for first in range(0, len(keys), settings.chains)]
    # Each problem keeps what it had when that was enough, whatever its neighbours need.
    ends: dict[int, int] = {}

    def enough(drawn: dict[str, np.ndarray]) -> bool:
        for i in set(range(len(own))) - set(ends):
            one = Chains(**{name: values[own[i]] for name, values in drawn.items()})
            if reached(measure({"vector": one.vectors}), one):
                ends[i] = one.accept.shape[1]
        return len(ends) == len(own)

    drawn = drive(
        states,
        lambda now: onwards(rows=(*rows, now)),
        settings,
        progress=progress,
        cut_short=cut_short,
        enough=enough,
        keep=keep,
    )
    return [
        _thinned(Chains(**{name: values[some, : ends.get(i)] for name, values in drawn.items()}), settings.draws)
        for i, some in enumerate(own)
    ]


def _thinned(chains: Chains, draws: int) -> Chains:
    """As many draws as asked for, evenly spaced."""
    thin = max(1, chains.accept.shape[1] // draws)
    return Chains(*(values[:, thin - 1 :: thin] for values in chains))


def _potential(problem: Problem, space: Space) -> Potential:
    def potential(e: jax.Array) -> jax.Array:
        vector, log_volume = space.place(problem, e)
        return -log_density(problem, vector) - log_volume

    return potential


def _begin(settings: Settings, problems: Problem, row: Any) -> Any:
    which, space, key = row
    # At the mode the density is known and flat: starting there needs no gradient, hence no compilation of one.
    still = jnp.zeros_like(space.mode)
    start = ParamInfo(still, -space.log_peak, still)
    return begin(_potential(pick(problems, which), space), settings, start, jax.random.wrap_key_data(key))


def _advance(settings: Settings, problems: Problem, row: Any) -> tuple[Any, dict[str, jax.Array]]:
    which, space, state = row
    problem = pick(problems, which)
    state, drawn = advance(_potential(problem, space), settings, state, CHUNK)
    return state, drawn | {"vectors": jax.lax.map(lambda e: space.place(problem, e)[0], drawn.pop("position"))}
