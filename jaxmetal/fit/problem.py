"""A fit as pure functions of arrays: the posterior density on an unconstrained vector.

Everything here takes the `Problem` as an argument, so that a second galaxy of the same shape compiles nothing.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, TypeVar

import jax
import jax.numpy as jnp
import numpy as np
from numpyro.distributions import Distribution

from jaxmetal.edge.data import require_data
from jaxmetal.edge.errors import InputError
from jaxmetal.edge.physical import require_physical
from jaxmetal.fit.coordinates import coordinates
from jaxmetal.fit.held import pulls
from jaxmetal.fit.rows import place
from jaxmetal.instrument.sampling import Sampling
from jaxmetal.model import log_likelihood, tree
from jaxmetal.numerics.packed import Packed, unpacked
from jaxmetal.numerics.tree import node
from jaxmetal.prepared import prepare
from jaxmetal.prior import fill, is_fixed, is_site, split, typical, with_own_bounds


@node
class Problem:
    """Data, prior and plans of a fit.

    Attributes:
        skeleton: scene and observations, with `Free` in the places of the parameters.
        priors: parameter name -> its distribution, packed, numbers strongly typed, sorted by name.
        plans: observation name -> Plan.
        held: precision that draws each number of the unconstrained vector to 0, see `fit.held`; 0 while sampling.
    """

    skeleton: dict[str, Any]
    priors: dict[str, Packed]
    plans: dict[str, Any]
    held: Any

    @property
    def sites(self) -> dict[str, Distribution]:
        """Parameter name -> its distribution."""
        return unpacked(self.priors)


def make(scene: Any, observations: Mapping[str, Any], sampling: Mapping[str, Sampling] | None = None) -> Problem:
    """Builds the problem of fitting a prior scene to observations.

    Raises:
        InputError: if nothing is free, there are no data, or used ones are not finite; or as `prepare`.
    """
    require_data(observations, is_site)
    for name, one in observations.items():
        require_physical(f"data of '{name}'", one.quantity, one.data, one.used, partial(_sigma, one))
    plans = prepare(scene, observations, sampling)
    if scene.lens and is_fixed(scene.lens) and all(plan.lens is not None for plan in plans.values()):
        # The plans hold the deflections; maps may be large, and every galaxy would carry its own.
        called = {name for plan in plans.values() for name in plan.lens.called}
        kept = {name: deflector if name in called else None for name, deflector in scene.lens.items()}
        scene = dataclasses.replace(scene, lens=kept)
    skeleton, sites = split(tree(scene, observations))
    if not sites:
        raise InputError(
            "Nothing to fit: every leaf of the scene and the observations is a number; give one a distribution."
        )
    real = jnp.result_type(float)
    # The circles of angles are cut apart (`fit.angles`).
    packed = {name: Packed.of(with_own_bounds(prior)) for name, prior in sites.items()}
    strong = jax.tree.map(lambda leaf: np.asarray(leaf, real), packed)
    return Problem(skeleton=skeleton, priors=strong, plans=plans, held=pulls(skeleton, sites))


def _sigma(observation: Any) -> Any:
    """The standard deviation of each datum, where its noise is typical; the largest, where it depends on the light."""
    now = typical(observation)
    return now.noise.standard_deviation(now.data, np.zeros_like(now.data))


LENGTHS = (1, 8, 64, 256)
"""Numbers of problems in a stack: another number would compile everything anew."""


def stack(problems: Sequence[Problem]) -> Problem:
    """Problems of one structure and shape as one, with the problems in front of every array.

    Stacks have few lengths; the last problem is repeated up to the next of them.
    """
    length = next((n for n in LENGTHS if n >= len(problems)), len(problems))
    filled = [problems[min(i, len(problems) - 1)] for i in range(length)]
    return place(jax.tree.map(lambda *leaves: np.stack([np.asarray(leaf) for leaf in leaves]), *filled))


Tree = TypeVar("Tree")


def pick(problems: Tree, which: Any) -> Tree:
    """One of a stack of problems, or of a part of it; `which` may be traced."""
    return jax.tree.map(lambda leaf: jax.lax.dynamic_index_in_dim(leaf, which, keepdims=False), problems)


def priors_of(problems: Problem, which: int) -> dict[str, Distribution]:
    """Parameter name -> its distribution, of one of a stack of problems: as NumPy, which compiles nothing."""
    return unpacked(jax.tree.map(lambda leaf: np.asarray(leaf)[which], problems.priors))


def size(sites: Mapping[str, Distribution]) -> int:
    """Length of the unconstrained vector."""
    return sum(part.stop - part.start for part in parts(sites).values())


def parts(sites: Mapping[str, Distribution]) -> dict[str, slice]:
    """Where the numbers of each parameter stand in the unconstrained vector."""
    lengths = [int(np.prod(coordinates(prior).shape, dtype=int)) for prior in sites.values()]
    ends = np.cumsum(lengths)
    return {name: slice(int(end) - n, int(end)) for name, n, end in zip(sites, lengths, ends, strict=True)}


def constrain(
    sites: Mapping[str, Distribution], vector: jax.Array
) -> tuple[dict[str, jax.Array], jax.Array, jax.Array]:
    """From the unconstrained vector to parameters.

    Returns:
        Values by site, the log prior density of the values, and the log Jacobian of the map.
    """
    values, log_prior, log_jacobian = {}, jnp.zeros(()), jnp.zeros(())
    for name, where in parts(sites).items():
        prior, made = sites[name], coordinates(sites[name])
        part = vector[where].reshape(made.shape)
        values[name] = made.value(part)
        density = jnp.sum(prior.log_prob(values[name]))
        log_prior += density
        log_jacobian += made.log_jacobian(part, values[name], density)
    return values, log_prior, log_jacobian


def unconstrain(sites: Mapping[str, Distribution], values: Mapping[str, Any]) -> jax.Array:
    """The inverse of `constrain`; values on the very bound of a support are moved inside."""
    real = jnp.result_type(float)
    found = [coordinates(prior).position(jnp.asarray(values[name], real)) for name, prior in sites.items()]
    return jnp.concatenate([part.ravel() for part in found])


def log_density(problem: Problem, vector: jax.Array, jacobian: jax.Array | float = 1.0) -> jax.Array:
    """Log posterior (not normalised) at an unconstrained vector.

    Args:
        problem: see `make`.
        vector: shape (size,).
        jacobian: 1 for the density of the vector itself (sampling), 0 for that of the parameters (MAP).
    """
    values, log_prior, log_jacobian = constrain(problem.sites, vector)
    pull = -0.5 * jnp.sum(problem.held * jnp.square(vector))
    return pull + log_prior + jacobian * log_jacobian + log_likelihood(fill(problem.skeleton, values), problem.plans)
