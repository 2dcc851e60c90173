"""What a tree holds, as one short word that is the same in every process, and another where anything differs."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from functools import partial
from types import CodeType
from typing import Any

import jax
import numpy as np
from jax.tree_util import default_registry
from numpyro.distributions import Distribution

from jaxmetal.numerics.tree import is_node, parts

NUMBERS = (bool, int, float, complex, np.generic, np.ndarray, jax.Array)
"""What has a type, a shape and bytes."""


def digest(tree: Any) -> str:
    """The SHA-256 of all leaves of a tree, to the last bit, and of its structure.

    Distributions and functions are leaves by what they are made of: class and parameters in the order of their names,
    or code with what it closes over. No address in memory enters.

    Args:
        tree: nodes, mappings, sequences, arrays of any shape, NumPyro distributions, functions.
    """
    found = hashlib.sha256()
    for token in _tokens(tree):
        found.update(len(token).to_bytes(8, "little") + token)
    return found.hexdigest()


def _tokens(thing: Any) -> Iterator[bytes]:
    """What makes up a thing, the same for equal things alone."""
    if isinstance(thing, type):
        yield f"{thing.__module__}.{thing.__qualname__}".encode()
    elif isinstance(thing, NUMBERS) and not np.asarray(thing).dtype.hasobject:
        array = np.asarray(thing)
        yield f"{array.dtype.str} {array.shape}".encode()
        yield array.tobytes()
    elif thing is None or isinstance(thing, (str, bytes)):
        yield repr(thing).encode()
    else:
        made = _made_of(thing)
        yield from _tokens(type(thing))
        yield str(len(made)).encode()
        for part in made:
            yield from _tokens(part)


def _made_of(thing: Any) -> list[Any]:
    """The parts of what is no number, text or class, in an order that no process changes."""
    if isinstance(thing, Distribution):
        # NumPyro has these names in sets, whose order differs from process to process.
        names = sorted({*thing.gather_pytree_data_fields(), *thing.gather_pytree_aux_fields()})
        return [[name, getattr(thing, name, None)] for name in names]
    if isinstance(thing, (set, frozenset)):
        return sorted(digest(one) for one in thing)
    if isinstance(thing, np.ndarray):
        return [thing.shape, *thing.ravel()]
    if isinstance(thing, (list, tuple)):
        return list(thing)
    if isinstance(thing, CodeType):
        return [thing.co_code, thing.co_consts, thing.co_names]
    if (level := default_registry.flatten_one_level(thing)) is not None:
        return [list(level[0]), level[1]]
    if isinstance(thing, Mapping) or is_node(thing):
        return [[part.name, part.value] for part in parts(thing)]
    return _called(thing) if callable(thing) else [sorted(getattr(thing, "__dict__", {}).items())]


def _called(thing: Any) -> list[Any]:
    """A function by its name and code, with its defaults and what it closes over, or the object that it is bound to."""
    if isinstance(thing, partial):
        return [thing.func, thing.args, thing.keywords]
    if hasattr(thing, "__func__"):
        return [thing.__func__, thing.__self__]
    if not hasattr(thing, "__qualname__"):
        return [sorted(vars(thing).items())]
    cells = [cell.cell_contents for cell in getattr(thing, "__closure__", None) or ()]
    held = [getattr(thing, name, None) for name in ("__code__", "__wrapped__", "__defaults__", "__kwdefaults__")]
    return [f"{thing.__module__}.{thing.__qualname__}", held, cells]
