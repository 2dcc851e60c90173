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
from numpyro.distributions import Distribution

from jaxmetal.edge.errors import InputError
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
        name = min(missing)
        raise InputError(
            f"Tie '{name}' has no distribution; write Tied('{name}', <distribution>) in one place, or in TOML "
            f'{{dist = ..., tied = "{name}"}}.'
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
