"""How populations are sampled, and what the draws say of themselves."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np
from numpyro.infer import init_to_value

from jaxmetal.chains import Settings, measure
from jaxmetal.chains import sample as drawn
from jaxmetal.edge.arrays import require_count, require_seed
from jaxmetal.edge.findings import Finding
from jaxmetal.fit.choose import require_acceptance
from jaxmetal.fit.diagnose import diagnose


class Run(NamedTuple):
    """How to sample.

    Attributes:
        chains: number of chains.
        warmup: steps per chain that adapt step size and mass matrix.
        draws: kept steps per chain.
        target_accept: acceptance probability that the step size aims at; nearer to 1, shorter steps get round sharper
            corners of the posterior.
        seed: of the random numbers.
        progress: show a progress bar.
    """

    chains: int = 4
    warmup: int = 500
    draws: int = 1000
    target_accept: float = 0.9
    seed: int = 0
    progress: bool = False


def sample(
    model: Callable[..., None],
    arguments: tuple[Any, ...],
    run: Run,
    start: Mapping[str, Any],
    dense: bool | tuple[tuple[str, ...], ...] = True,
    pilot: Mapping[str, np.ndarray] | None = None,
) -> tuple[dict[str, np.ndarray], list[Finding]]:
    """Draws of a NumPyro model's sites, (chains, draws, ...), and what is wrong with them.

    Args:
        model: a NumPyro model.
        arguments: of the model.
        run: how to sample.
        start: site -> value where all chains start.
        dense: whether the mass matrix is dense, or the names of the sites in each of its blocks.
        pilot: draws of the same sites from a cheaper model of much the same posterior: the chains then start from its
            last draw, and its covariance is their mass matrix.

    Raises:
        InputError: if a count of the run is too small, its acceptance is no probability, or the density is not finite
            at the start.
    """
    for name, least in (("chains", 1), ("warmup", 0), ("draws", 4)):
        require_count(name, getattr(run, name), least)
    require_seed(run.seed)
    require_acceptance(run.target_accept)
    settings = Settings(
        chains=run.chains,
        warmup=run.warmup,
        draws=run.draws,
        adapt_mass=pilot is None,
        target_accept=run.target_accept,
        dense=dense,
    )
    initial = init_to_value(values=dict(start))
    draws, chains, sites = drawn(
        model, arguments, settings, run.seed, initial=initial, pilot=pilot, progress=run.progress
    )
    # A correlation's factor has constant entries, whose convergence means nothing.
    judged = {name: draws[name] for name in sites if name != "covariate.correlation"}
    return draws, diagnose(judged, measure(judged), chains, sites, {})
