"""The same likelihoods through NUTS: a cross-check of the grid, and the way to offsets that a whole galaxy shares."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax.numpy as jnp
import numpy as np
import numpyro

from jaxmetal.chains import Settings
from jaxmetal.chains import sample as drawn
from jaxmetal.edge.arrays import require_count, require_seed
from jaxmetal.edge.errors import InputError
from jaxmetal.spaxel.contract import Likelihood
from jaxmetal.spaxel.integrate import checked_shapes

SHARED = "offsets"


def model(likelihood: Likelihood, flux: Any, sigma: Any, *, shared: bool = False) -> Callable[[], None]:
    """A NumPyro model without arguments, with the sites of `likelihood.prior`.

    Args:
        likelihood: from `fluxes`, `patricio19`, `wang17` or `curti20`.
        flux: shape (features,), or (spaxels, features).
        sigma: same.
        shared: one set of calibration offsets for all spaxels, instead of one each: scatter that belongs to galaxies.

    Raises:
        InputError: if shapes do not fit, or `shared` is asked of a likelihood without offsets.
    """
    flux, sigma = checked_shapes(likelihood, flux, sigma)
    prior = likelihood.prior
    if shared and SHARED not in prior:
        raise InputError("shared: expected a likelihood with calibration offsets, found none; use `fluxes`.")
    data = jnp.asarray(flux), jnp.asarray(sigma)
    spaxels = flux.shape[:-1]

    def draw() -> None:
        one = {SHARED: numpyro.sample(SHARED, prior[SHARED])} if shared else {}
        each = {
            name: numpyro.sample(name, distribution.expand([*spaxels, *distribution.batch_shape]))
            for name, distribution in prior.items()
            if name not in one
        }
        numpyro.factor("log_likelihood", jnp.sum(likelihood.log_likelihood(*data, **each, **one)))

    return draw


def sample(
    likelihood: Likelihood,
    flux: Any,
    sigma: Any,
    *,
    seed: int = 0,
    warmup: int = 500,
    draws: int = 1000,
    chains: int = 4,
    shared: bool = False,
    start: dict[str, Any] | None = None,
) -> dict[str, np.ndarray]:
    """NUTS draws, site -> shape (chains, draws, ...). It does not hop between branches: start chains in each.

    Args:
        likelihood: as for `model`.
        flux: same.
        sigma: same.
        seed: of the chains.
        warmup: steps before draws are kept, per chain.
        draws: kept per chain.
        chains: run side by side.
        shared: as for `model`.
        start: site -> first value per chain, shape (chains, ...), within its prior; by default the prior's middle.

    Raises:
        InputError: if a number of steps or chains is not 1 or more, or the seed cannot be one.
    """
    for name, value in {"warmup": warmup, "draws": draws, "chains": chains}.items():
        require_count(name, value, 1)
    require_seed(seed)
    settings = Settings(chains=chains, warmup=warmup, draws=draws, adapt_mass=True, target_accept=0.9, dense=False)
    made = model(likelihood, flux, sigma, shared=shared)
    return drawn(made, (), settings, seed, initial=numpyro.infer.init_to_median, each=start).draws
