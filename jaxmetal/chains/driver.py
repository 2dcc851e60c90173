"""Many chains, chunk by chunk, with a progress bar."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import numpy as np
from tqdm.auto import tqdm

from jaxmetal.chains.kernel import Settings

CHUNK = 50
"""Steps between two looks at the progress bar (and at Ctrl-C)."""


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


def drive(
    states: Any,
    onwards: Callable[[Any], tuple[Any, dict[str, Any]]],
    settings: Settings,
    steps: int = CHUNK,
    progress: bool = True,
) -> dict[str, Any]:
    """Runs chains to their end; the warm-up is dropped.

    Args:
        states: of all chains.
        onwards: from all states to those some steps on and what was drawn on the way, (chains, steps, ...).
        settings: see `kernel.Settings`.
        steps: of each call of `onwards`.
        progress: show a progress bar with the number of divergent steps.

    Returns:
        What `onwards` draws, (chains, draws, ...).
    """
    total, kept = settings.warmup + settings.draws, []
    skipped = settings.warmup // steps * steps
    count = len(jax.tree.leaves(states)[0])
    with tqdm(total=total, desc=f"{settings.algorithm} x {count} chains", disable=not progress, unit="step") as bar:
        for done in range(0, total, steps):
            states, drawn = onwards(states)
            bar.set_postfix(divergent=int(np.sum(drawn["diverging"])), refresh=False)
            bar.update(min(steps, total - done))
            if done >= skipped:
                kept.append(drawn)
    wanted = slice(settings.warmup - skipped, total - skipped)
    return jax.tree.map(lambda *parts: np.concatenate([np.asarray(part) for part in parts], axis=1)[:, wanted], *kept)
