"""Trees as one would write them: `Gradient(central=Uniform(7, 9.5), slope=Normal(0, 0.3))`, no objects' addresses."""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Iterable, Iterator, Mapping
from functools import singledispatch
from typing import Any

import jax
import numpy as np
from jax.tree_util import Partial
from numpyro.distributions import Distribution, ExpandedDistribution
from numpyro.distributions.transforms import Transform

LONGEST = 4
"""Numbers of a vector that are still written one by one."""


@singledispatch
def written(thing: Any) -> str:
    """A part of a tree, short: numbers to five digits, arrays by type and shape, distributions by their parameters."""
    return repr(thing)


def node_written(thing: Any) -> str:
    """A dataclass by the fields that are not left at their default."""
    fields = ((field, getattr(thing, field.name)) for field in dataclasses.fields(thing))
    return _called(
        type(thing).__name__,
        (f"{field.name}={written(value)}" for field, value in fields if not _is_default(field, value)),
    )


@written.register(float)
def _number(thing: float) -> str:
    return f"{thing:z.5g}"


@written.register(np.generic)
def _scalar(thing: np.generic) -> str:
    return written(thing.item())


@written.register(np.ndarray)
@written.register(jax.Array)
def _array(thing: Any) -> str:
    if thing.ndim < 2 and thing.size <= LONGEST and isinstance(thing.dtype, np.dtype):
        return written(thing.tolist())
    return f"{thing.dtype}[{', '.join(map(str, thing.shape))}]"


@written.register(list)
def _list(thing: list[Any]) -> str:
    return f"[{', '.join(map(written, thing))}]"


@written.register(tuple)
def _tuple(thing: tuple[Any, ...]) -> str:
    return f"({', '.join(map(written, thing))}{',' if len(thing) == 1 else ''})"


@written.register(Mapping)
def _mapping(thing: Mapping[Any, Any]) -> str:
    return "{" + ", ".join(f"{key!r}: {written(value)}" for key, value in thing.items()) + "}"


@written.register(Partial)
def _partial(thing: Partial) -> str:
    name = getattr(thing.func, "__name__", written(thing.func))
    keywords = (f"{key}={written(value)}" for key, value in thing.keywords.items())
    return _called("Partial", [name, *map(written, thing.args), *keywords])


@written.register(Distribution)
@written.register(Transform)
def _distribution(thing: Any) -> str:
    return _called(type(thing).__name__, _arguments(thing))


@written.register(ExpandedDistribution)
def _expanded(thing: ExpandedDistribution) -> str:
    return f"{written(thing.base_dist)}[{', '.join(map(str, thing.batch_shape))}]"


def _arguments(thing: Any) -> Iterator[str]:
    """What an object was made of, in the order of its constructor; by name after the first that it does not keep."""
    kept = made_of(thing)
    gap = False
    for name in inspect.signature(type(thing)).parameters:
        if name in kept:
            yield f"{name}={written(kept[name])}" if gap else written(kept[name])
        else:
            gap = True


def made_of(thing: Any) -> dict[str, Any]:
    """Arguments of its constructor that a distribution or a transform keeps, but for those at their default."""
    held = {name.lstrip("_"): value for name, value in vars(thing).items()}
    held.setdefault("base_distribution", held.get("base_dist"))
    parameters = inspect.signature(type(thing)).parameters.items()
    return {
        name: held[name]
        for name, parameter in parameters
        if held.get(name) is not None and held[name] is not parameter.default
    }


def _is_default(field: dataclasses.Field[Any], value: Any) -> bool:
    if field.default_factory is not dataclasses.MISSING:
        return isinstance(value, Mapping) and not value
    return value is field.default


def _called(name: str, arguments: Iterable[str]) -> str:
    return f"{name}({', '.join(arguments)})"
