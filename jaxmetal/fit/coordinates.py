"""From a parameter to the number that is optimised and sampled, and back.

Priors with quantiles become standard normal numbers: a scale at zero, a uniform at its edge and a log-normal then look
alike to the optimiser, to Laplace's approximation and to NUTS, and where the data say nothing the posterior is a
Gaussian. Others are freed of their bounds as NumPyro does it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax.scipy.stats import norm
from numpyro.distributions import Distribution, biject_to

from jaxmetal.fit.quantiles import quantiles

INSIDE = 4.0
"""Where a value on the very bound of a prior is put: further out it would hardly move with its number."""


class Coordinates(NamedTuple):
    """The unconstrained numbers of one parameter.

    Attributes:
        shape: of them.
        value: numbers -> parameter.
        position: parameter -> numbers; from the very bound of a support it is moved inside.
        log_jacobian: numbers, parameter and its log prior density -> log |d parameter / d numbers|.
    """

    shape: tuple[int, ...]
    value: Callable[[jax.Array], jax.Array]
    position: Callable[[jax.Array], jax.Array]
    log_jacobian: Callable[[jax.Array, jax.Array, jax.Array], jax.Array]


def coordinates(prior: Distribution) -> Coordinates:
    """By the quantiles of a prior, or by NumPyro's bijection where it has none."""
    low, high = (getattr(prior.support, f"{end}_bound", None) for end in ("lower", "upper"))
    found = quantiles(prior)
    if found is None:
        return _bijection(prior, bounded=low is not None and high is not None)
    first, last = (None if end is None else side * INSIDE for end, side in ((low, -1.0), (high, 1.0)))
    return Coordinates(
        shape=prior.shape(),
        # Rounding may carry a value over the bound, where the prior is zero.
        value=lambda z: jnp.clip(found.value(z), low, high),
        position=lambda x: jnp.clip(jnp.nan_to_num(found.position(x)), first, last),
        log_jacobian=lambda z, x, log_prior: jnp.sum(norm.logpdf(z)) - log_prior,
    )


def _bijection(prior: Distribution, bounded: bool) -> Coordinates:
    transform: Any = biject_to(prior.support)

    def position(x: jax.Array) -> jax.Array:
        found = transform.inv(x)
        return jnp.clip(jnp.nan_to_num(found), -8.0, 8.0) if bounded else found

    return Coordinates(
        shape=transform.inverse_shape(prior.shape()),
        value=transform,
        position=position,
        log_jacobian=lambda u, x, log_prior: jnp.sum(transform.log_abs_det_jacobian(u, x)),
    )
