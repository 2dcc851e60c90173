"""NumPyro's NUTS, and what its draws say of themselves."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import jax
import numpy as np
from numpyro.distributions import Distribution, biject_to
from numpyro.handlers import seed as seeded
from numpyro.handlers import substitute, trace
from numpyro.infer import MCMC, NUTS, init_to_value

from jaxmetal.edge.arrays import require_count
from jaxmetal.edge.errors import InputError
from jaxmetal.edge.findings import Finding
from jaxmetal.fit.chains import Chains
from jaxmetal.fit.choose import require_acceptance
from jaxmetal.fit.diagnose import diagnose

LARGEST = 2**63
"""Seeds are below."""


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
    dense: Any = True,
    pilot: Mapping[str, np.ndarray] | None = None,
) -> tuple[dict[str, np.ndarray], list[Finding]]:
    """Draws of a NumPyro model's sites, (chains, draws, ...), and what is wrong with them.

    Args:
        model: a NumPyro model.
        arguments: of the model.
        run: how to sample.
        start: site -> value where all chains start.
        dense: as NumPyro's `dense_mass`.
        pilot: draws of the same sites from a cheaper model of much the same posterior: the chains then start from its
            last draw, and its covariance is their mass matrix.

    Raises:
        InputError: if a count of the run is too small, or its acceptance is no probability.
    """
    for name, least in (("chains", 1), ("warmup", 0), ("draws", 4)):
        require_count(name, getattr(run, name), least)
    if not 0 <= run.seed < LARGEST:
        raise InputError(f"seed: expected a whole number from 0 to 2^63 - 1, found {run.seed}; choose another.")
    require_acceptance(run.target_accept)
    sites = _sites(model, arguments, start)
    start = start if pilot is None else {name: values[0, -1] for name, values in pilot.items()}
    kernel = NUTS(
        model,
        dense_mass=dense,
        target_accept_prob=run.target_accept,
        init_strategy=init_to_value(values=dict(start)),
        inverse_mass_matrix=None if pilot is None else _covariance(pilot, sites),
        adapt_mass_matrix=pilot is None,
    )
    mcmc = MCMC(
        kernel,
        num_warmup=run.warmup,
        num_samples=run.draws,
        num_chains=run.chains,
        chain_method="vectorized",
        progress_bar=run.progress,
    )
    wanted = ("potential_energy", "diverging", "num_steps", "accept_prob")
    try:
        mcmc.run(jax.random.key(run.seed), *arguments, extra_fields=wanted)
    except RuntimeError as error:  # NumPyro's, where the density is not finite at the start
        reason = str(error).splitlines()[0].rstrip(".")
        raise InputError(f"The chains cannot start ({reason}); check the sizes of values and errors.") from None
    said = {name: np.asarray(values) for name, values in mcmc.get_extra_fields(group_by_chain=True).items()}
    draws = {name: np.asarray(values) for name, values in mcmc.get_samples(group_by_chain=True).items()}
    flat = np.concatenate([values.reshape(*values.shape[:2], -1) for values in draws.values()], axis=2)
    chains = Chains(flat, -said["potential_energy"], said["diverging"], said["num_steps"], said["accept_prob"])
    # A correlation's factor has constant entries, whose convergence means nothing.
    judged = {name: draws[name] for name in sites if name != "covariate.correlation"}
    return draws, diagnose(judged, chains, sites)


def _sites(model: Callable[..., None], arguments: tuple[Any, ...], start: Mapping[str, Any]) -> dict[str, Distribution]:
    """The sampled sites of a model and their distributions; improper ones cannot be drawn from, but have a start."""
    found = trace(seeded(substitute(model, data=dict(start)), jax.random.key(0))).get_trace(*arguments)
    return {name: site["fn"] for name, site in found.items() if site["type"] == "sample" and not site["is_observed"]}


def _covariance(draws: Mapping[str, np.ndarray], sites: Mapping[str, Distribution]) -> np.ndarray:
    """Covariance of draws in the unconstrained space, sites in NumPyro's order, by name."""
    free = [np.asarray(biject_to(sites[name].support).inv(draws[name])) for name in sorted(sites)]
    flat = np.concatenate([values.reshape(values.shape[0] * values.shape[1], -1) for values in free], axis=1)
    return np.atleast_2d(np.cov(flat, rowvar=False))
