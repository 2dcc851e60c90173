"""Many chains, chunk by chunk, with a progress bar."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import jax
import numpy as np

from jaxmetal.chains.kept import Kept, joined
from jaxmetal.chains.kernel import Settings
from jaxmetal.edge.progress import bar as progress_bar

CHUNK = 50
"""Steps between two looks at the progress bar (and at Ctrl-C)."""


LONGEST = 4
"""How many times as many draws as asked for are made at most."""


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
    cut_short: bool = False,
    enough: Callable[[dict[str, Any]], bool] = lambda drawn: True,
    keep: Kept | None = None,
) -> dict[str, Any]:
    """Runs chains to their end, on until they are long enough, or until Ctrl-C; the warm-up is dropped.

    Args:
        states: of all chains.
        onwards: from all states to those some steps on and what was drawn on the way, (chains, steps, ...).
        settings: see `kernel.Settings`.
        steps: of each call of `onwards`.
        progress: show a progress bar with the number of divergent draws.
        cut_short: after Ctrl-C, the draws that there are, if there are any.
        enough: whether the draws so far, (chains, draws, ...), are enough; asked whenever the chains have
            `settings.draws` more, at most `LONGEST` times.
        keep: where blocks of draws are kept, and those of earlier may be found.

    Returns:
        What `onwards` draws, (chains, draws, ...).
    """
    skipped = settings.warmup // steps * steps
    begun, done, blocks = states, 0, list[dict[str, Any]]()
    if keep is not None and (held := keep.load(begun, settings)):
        done, states, blocks = held

    def drawn_until(end: int) -> dict[str, Any]:
        wanted = slice(settings.warmup - skipped, end - skipped)
        return jax.tree.map(lambda values: values[:, wanted], joined(blocks))

    label = f"{settings.algorithm} x {len(jax.tree.leaves(states)[0])} chains"
    with progress_bar(total=settings.warmup + settings.draws, desc=label, shown=progress, unit="step") as bar:
        for turn in range(LONGEST):
            end = settings.warmup + (turn + 1) * settings.draws
            bar.total = end
            while done < end:
                try:
                    states, drawn = onwards(states)
                except KeyboardInterrupt:
                    if cut_short and blocks:
                        return drawn_until(done)
                    raise
                if done >= skipped:
                    blocks.append(drawn)
                done += steps
                if keep is not None:
                    keep.store(begun, settings, done, states, blocks)
                bar.set_postfix_str(
                    _diverged(blocks, settings.warmup - skipped) if done > settings.warmup else "warm-up", refresh=False
                )
                bar.update(min(done, end) - bar.n)
            if enough(drawn_until(end)):
                break
    return drawn_until(end)


def _diverged(blocks: Sequence[Mapping[str, Any]], begun: int) -> str:
    """What the bar says of draws that are kept, from that on; while steps adapt, divergences mean nothing."""
    diverging = np.concatenate([block["diverging"] for block in blocks], axis=1)[:, begun:]
    return f"{int(np.sum(diverging))} of {diverging.size} draws diverged"
