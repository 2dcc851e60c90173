"""Trees of nodes, priors and arrays as text and numbers that a file can hold, and back; nothing of it is ever run.

What is written is the name of every class with its fields: of nodes by `dataclasses`, of distributions by the arguments
of their constructors. Back come classes of jaxmetal's own rooms, of NumPyro's distributions and of packages that add to
jaxmetal by entry points (see `config.extensions`); everything else is given by the user.
"""

from __future__ import annotations

import dataclasses
import importlib
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from importlib.metadata import entry_points
from typing import Any

import jax
import numpy as np
from jax.tree_util import Partial
from numpyro.distributions import Distribution
from numpyro.distributions.transforms import Transform

from jaxmetal.edge.errors import InputError
from jaxmetal.io.config.nodes import ROOMS as KINDS
from jaxmetal.numerics.tree import is_node, parts
from jaxmetal.numerics.written import made_of

ROOMS = ("frame", "light", "tracer", "lens", "instrument", "mixing", "likelihood", "observation", "numerics", "scene",
         "prior", "lines")  # fmt: skip
"""Where jaxmetal has its nodes."""

PRIORS = "numpyro.distributions."


def encoded(thing: Any, arrays: list[np.ndarray]) -> Any:
    """A tree as JSON has it; its arrays are appended to a list, and named by their places there.

    What cannot be written stands there as such, and is refused when it is read.
    """
    if thing is None or isinstance(thing, (bool, int, float, str)):
        return thing
    if isinstance(thing, (np.generic, np.ndarray, jax.Array)):
        return _array(np.asarray(thing), arrays)
    if isinstance(thing, Mapping):
        return {"mapping": [[key, encoded(value, arrays)] for key, value in thing.items()]}
    if isinstance(thing, (list, tuple)):
        return {type(thing).__name__: [encoded(value, arrays) for value in thing]}
    if isinstance(thing, Partial):
        keywords = {key: encoded(value, arrays) for key, value in thing.keywords.items()}
        return {
            "function": _name(thing.func),
            "arguments": [encoded(a, arrays) for a in thing.args],
            "fields": keywords,
        }
    if isinstance(thing, (Distribution, Transform)):
        fields = made_of(thing)
    elif is_node(thing):
        fields = {name: value for name, value, _ in parts(thing)}
    else:
        return {"function": _name(thing)} if callable(thing) else {"unknown": type(thing).__name__}
    return {"type": _name(type(thing)), "fields": {key: encoded(value, arrays) for key, value in fields.items()}}


def decoded(written: Any, arrays: Mapping[int, np.ndarray], known: Mapping[str, Any]) -> Any:
    """The tree that was encoded.

    Args:
        written: of `encoded`.
        arrays: place -> array.
        known: name -> class or function of a user's own, see `names_of`.

    Raises:
        InputError: if something in it is neither jaxmetal's nor given.
    """
    if not isinstance(written, dict):
        return written
    again: Callable[[Any], Any] = lambda part: decoded(part, arrays, known)  # noqa: E731
    if "array" in written:
        return arrays[written["array"]]
    if "number" in written:
        return np.asarray(written["number"], written["dtype"])
    if "mapping" in written:
        return {key: again(value) for key, value in written["mapping"]}
    if "list" in written or "tuple" in written:
        return [again(v) for v in written["list"]] if "list" in written else tuple(again(v) for v in written["tuple"])
    if "unknown" in written:
        raise InputError(f"expected nodes, numbers and priors, found an object of type {written['unknown']}.")
    fields = {key: again(value) for key, value in written.get("fields", {}).items()}
    if "function" in written:
        function = _found(written["function"], known, functions=True)
        return Partial(function, *map(again, written["arguments"]), **fields) if "arguments" in written else function
    kind = _found(written["type"], known)
    stated = {field.name: field.default for field in dataclasses.fields(kind)} if dataclasses.is_dataclass(kind) else {}
    # What was left at its default is so again, and is not spelled out where the tree is printed.
    return kind(**{key: stated[key] if _same(value, stated.get(key)) else value for key, value in fields.items()})


def names_of(things: Iterable[Any]) -> dict[str, Any]:
    """Name -> class or function, as trees name them."""
    return {_name(thing): thing for thing in things}


def _array(values: np.ndarray, arrays: list[np.ndarray]) -> dict[str, Any]:
    if values.ndim == 0 or values.size == 0:
        return {"number": values.tolist(), "dtype": str(values.dtype)}
    arrays.append(values)
    return {"array": len(arrays) - 1}


def _same(value: Any, default: Any) -> bool:
    return type(value) is type(default) and isinstance(value, (bool, int, float, str)) and value == default


def _name(thing: Any) -> str:
    return f"{getattr(thing, '__module__', '')}:{getattr(thing, '__qualname__', type(thing).__name__)}"


def _found(name: str, known: Mapping[str, Any], functions: bool = False) -> Any:
    """What a name stands for."""
    if name in known:
        return known[name]
    module, _, path = name.partition(":")
    if module.split(".")[0] in _packages() or (not functions and _is_own(module)):
        thing: Any = importlib.import_module(module)
        for part in path.split("."):
            thing = getattr(thing, part, None)
        if thing is not None and (functions or _is_kind(thing)):
            return thing
    raise InputError(f"expected parts of jaxmetal, found {path} of {module}; hand it over: load(..., known=[{path}]).")


def _is_own(module: str) -> bool:
    package, room, *_ = (*module.split("."), "")
    return module.startswith(PRIORS) or (package == "jaxmetal" and room in ROOMS)


def _is_kind(thing: Any) -> bool:
    """Whether it is a class of nodes or of distributions."""
    return isinstance(thing, type) and (dataclasses.is_dataclass(thing) or issubclass(thing, (Distribution, Transform)))


@cache
def _packages() -> frozenset[str]:
    """Packages that add to jaxmetal."""
    groups = (entry_points(group=f"jaxmetal.{room}") for room in (*KINDS, "observation"))
    return frozenset(entry.module.split(".")[0] for group in groups for entry in group)
