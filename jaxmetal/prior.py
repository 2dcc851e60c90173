"""Trees whose leaves are numbers or NumPyro distributions: a number is fixed, a distribution is free.

A site's name is the path of its leaf, e.g. `scene.sources.disc.carries.metallicity.profile.slope`. NumPyro
distributions are JAX trees themselves, but never flattened here.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import numpyro
from numpyro.distributions import Distribution, ExpandedDistribution, Independent, Uniform

from jaxmetal.edge.arrays import LARGEST
from jaxmetal.edge.errors import InputError
from jaxmetal.machine import program
from jaxmetal.numerics.packed import Packed, unpacked
from jaxmetal.numerics.tree import node, static
from jaxmetal.numerics.written import written


@dataclasses.dataclass(frozen=True)
class Tied:
    """A parameter that occurs in several places.

    Give the distribution in one place, `Tied("x0", Normal(0, 0.1))`, and the name alone elsewhere, `Tied("x0")`.
    """

    name: str
    prior: Distribution | None = None

    def __repr__(self) -> str:
        return f"Tied({self.name!r})" if self.prior is None else f"Tied({self.name!r}, {written(self.prior)})"


@node
class Free:
    """The place of a free parameter in a tree that holds numbers only."""

    name: str = static()


def split(tree: Any) -> tuple[Any, dict[str, Distribution]]:
    """Separates a prior into numbers and distributions.

    Returns:
        The tree with every distribution replaced by its place (`Free`) and all numbers as strongly typed arrays, and
        the free sites, name -> distribution, sorted by name.

    Raises:
        InputError: if a tie has no distribution, or more than one.
    """
    places, found, mentioned = _separated(tree)
    missing = mentioned - set(found)
    if missing:
        raise InputError(
            f"Tie '{min(missing)}' has no distribution; write Tied('{min(missing)}', <distribution>) in one place."
        )
    return places, dict(sorted(found.items()))


def skeleton(tree: Any) -> Any:
    """The first output of `split`, also of a part of a tree whose ties have their distributions elsewhere."""
    return _separated(tree)[0]


def _separated(tree: Any) -> tuple[Any, dict[str, Distribution], set[str]]:
    """A tree with the places of its parameters, the distributions in it, and the names of its ties."""
    found: dict[str, Distribution] = {}
    mentioned: set[str] = set()

    def place(path: Any, leaf: Any) -> Any:
        if isinstance(leaf, Tied):
            mentioned.add(leaf.name)
            if leaf.prior is not None:
                if leaf.name in found:
                    raise InputError(
                        f"Tie '{leaf.name}' has two distributions; give it in one place, the name alone elsewhere."
                    )
                found[leaf.name] = leaf.prior
            return Free(name=leaf.name)
        if isinstance(leaf, Distribution):
            name = _name(path)
            found[name] = leaf
            return Free(name=name)
        return leaf if isinstance(leaf, Free) else _strong(leaf)

    return jax.tree_util.tree_map_with_path(place, tree, is_leaf=is_site), found, mentioned


def sites(tree: Any) -> dict[str, Distribution]:
    """The free parameters of a prior: site name -> distribution."""
    return split(tree)[1]


def places(tree: Any) -> list[tuple[str, tuple[Any, ...]]]:
    """Where free parameters stand: site name and JAX's path of keys from the root, a tied site once for each place."""
    leaves = jax.tree_util.tree_leaves_with_path(tree, is_leaf=is_site)
    return [
        (leaf.name if isinstance(leaf, (Tied, Free)) else _name(path), path) for path, leaf in leaves if is_site(leaf)
    ]


def is_fixed(tree: Any) -> bool:
    """Whether a tree has no free parameter."""
    return not any(is_site(leaf) for leaf in jax.tree_util.tree_leaves(tree, is_leaf=is_site))


def surely_equal(one: Any, other: Any) -> bool:
    """Whether two trees have equal numbers, and the same ties, in all places."""
    flat: Any = [jax.tree_util.tree_flatten(tree, is_leaf=is_site) for tree in (one, other)]
    (these, structure), (those, same) = flat
    return bool(structure == same) and all(
        a.name == b.name
        if isinstance(a, Tied) and isinstance(b, Tied)
        else not (is_site(a) or is_site(b)) and np.array_equal(a, b)
        for a, b in zip(these, those, strict=True)
    )


def fill(tree: Any, values: Mapping[str, Any]) -> Any:
    """Puts values in the places of the free parameters.

    Args:
        tree: a prior, a part of one, or the first output of `split`.
        values: site name -> value; names that the tree does not have are ignored.

    Raises:
        InputError: if a free parameter has no value.
    """

    def put(leaf: Any) -> Any:
        if not isinstance(leaf, Free):
            return leaf
        if leaf.name not in values:
            raise InputError(
                f"No value for the free parameter '{leaf.name}'; values are given for: {', '.join(values) or 'none'}."
            )
        return values[leaf.name]

    return jax.tree_util.tree_map(put, skeleton(tree), is_leaf=is_site)


def sample(tree: Any) -> Any:
    """Inside a NumPyro model: samples every free parameter under its own name and returns the filled tree."""
    return fill(tree, {name: numpyro.sample(name, prior) for name, prior in sites(tree).items()})


def typical(tree: Any) -> Any:
    """The tree filled with the median of each prior (by 101 fixed draws where it has no quantile function).

    A part of a tree whose ties have their distributions elsewhere is taken out of the whole one afterwards.

    Raises:
        InputError: if a median is no number that can be computed with.
    """
    middles = medians(sites(tree))
    for name, middle in middles.items():
        size = float(np.max(np.abs(middle), initial=0.0))
        if not size <= LARGEST:
            raise InputError(
                f"The prior of '{name}' must have a median of at most {LARGEST:g}, but it is {size:g}; correct its "
                "parameters (those of LogNormal are natural logarithms)."
            )
    return fill(tree, middles)


def medians(priors: Mapping[str, Distribution]) -> dict[str, np.ndarray]:
    """Median of each prior, element by element: see `median`."""
    return {name: middle for name, (middle, _) in _summaries(priors).items()}


def spreads(priors: Mapping[str, Distribution]) -> dict[str, float]:
    """Standard deviation of each prior; for tails so heavy that there is none, half the width of the central 68 %."""
    found = {name: float(np.sqrt(np.mean(variance))) for name, (_, variance) in _summaries(priors).items()}
    return {name: sd if np.isfinite(sd) else _half_width(priors[name]) for name, sd in found.items()}


def _half_width(prior: Distribution) -> float:
    low, high = np.quantile(np.asarray(prior.sample(jax.random.key(0), (10_000,))), [0.16, 0.84], axis=0)
    return 0.5 * float(np.mean(high - low))


def _summaries(priors: Mapping[str, Distribution]) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Median and variance of each prior."""
    packed = strong({name: Packed.of(prior) for name, prior in priors.items()})
    return jax.tree.map(np.asarray, _medians(packed)) if packed else {}


# One program, instead of dozens for its single operations.
@program()
def _medians(packed: dict[str, Packed]) -> dict[str, tuple[jax.Array, jax.Array]]:
    return {name: (median(prior), _variance(prior)) for name, prior in unpacked(packed).items()}


def _variance(prior: Distribution) -> jax.Array:
    """NaN where it is not known."""
    try:
        return jnp.asarray(prior.variance)
    except (NotImplementedError, AttributeError, TypeError, ImportError):
        return jnp.asarray(jnp.nan)


def median(prior: Distribution) -> jax.Array:
    """Median of a prior, element by element."""
    try:
        return jnp.broadcast_to(prior.icdf(jnp.asarray(0.5)), prior.shape())
    except (NotImplementedError, AttributeError, TypeError, ImportError):
        return jnp.median(prior.sample(jax.random.key(0), (101,)), axis=0)


def is_site(leaf: Any) -> bool:
    """Whether a leaf is the place of a parameter, not a number."""
    return isinstance(leaf, (Distribution, Tied, Free))


def strong(tree: Any) -> Any:
    """A tree of numbers as strongly typed arrays, as NumPy where they are not JAX's already."""
    return jax.tree.map(_strong, tree)


def _strong(leaf: Any) -> Any:
    """A number as an array of the default float type: 8, 8.0 and a NumPy scalar must not compile three times.

    As NumPy, unless it is JAX's already: arithmetic on concrete numbers then compiles nothing.
    """
    array = jnp.asarray if isinstance(leaf, jax.Array) else np.asarray
    if isinstance(leaf, (bool, np.bool_)) or (hasattr(leaf, "dtype") and not jnp.issubdtype(leaf.dtype, jnp.floating)):
        return array(leaf)
    return array(leaf, jnp.result_type(float))


def labels(path: Any) -> tuple[str, ...]:
    """The parts of a parameter's name, from JAX's path of keys; unlabelled nodes (a Partial's keywords) add none."""
    labelled = (key for key in path if not isinstance(key, jax.tree_util.FlattenedIndexKey))
    return tuple(str(getattr(key, "name", getattr(key, "key", getattr(key, "idx", None)))) for key in labelled)


def _name(path: Any) -> str:
    return ".".join(labels(path))


def with_own_bounds(prior: Distribution) -> Distribution:
    """A uniform prior of many numbers with bounds for each, in whatever way it was made of one; others as they are."""
    base: Any = prior
    while isinstance(base, (ExpandedDistribution, Independent)):
        base = base.base_dist
    if type(base) is not Uniform or not prior.shape():
        return prior
    return Uniform(*(np.broadcast_to(end, prior.shape()) for end in (base.low, base.high)))


def bounds(prior: Distribution) -> tuple[np.ndarray, np.ndarray]:
    """Lower and upper bound of a prior's support, infinite where it has none."""
    support: Any = prior.support
    low = getattr(support, "lower_bound", -np.inf)
    high = getattr(support, "upper_bound", np.inf)
    return np.asarray(low, float), np.asarray(high, float)
