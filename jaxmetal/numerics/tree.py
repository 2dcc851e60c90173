"""Frozen dataclasses that JAX can see through."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple, TypeVar, dataclass_transform

import jax

from jaxmetal.numerics.quantities import may_have_unit, of_field, plain
from jaxmetal.numerics.written import node_written

T = TypeVar("T")


def static(*, within: str | None = None, **kwargs: Any) -> Any:
    """A dataclass field that is part of the structure of a tree, not a leaf of it.

    Args:
        within: interval of a number, or of each of a tuple of them, as of `parameter`.
        **kwargs: as of `dataclasses.field`.
    """
    return dataclasses.field(metadata={"static": True, "within": within}, **kwargs)


Period = float | Sequence[float] | Callable[[Any, int], float | Sequence[float]]
"""In degrees: of a number, of each element, or a function of the node and the `turns` of what it serves."""


def parameter(
    unit: str,
    *,
    within: str | None = None,
    role: str = "",
    period: Period | None = None,
    several: bool = False,
    **kwargs: Any,
) -> Any:
    """A dataclass field for a number, or an array of numbers, that knows what it means.

        pa: Any = parameter("deg", role="position angle", period=180.0, default=0.0)

    Args:
        unit: "" for a pure number. The words "property" and "data" stand for the unit of the property that the node
            describes and of its observation's data: "property/arcsec".
        within: interval in which the number must lie, written as "(0, 1]" (see `edge.ranges`).
        role: what the number does, one of `jaxmetal.meaning.ROLES` where one fits: "slope", "half-light radius".
        period: of an angle, degrees. A function may depend on the node's static fields, and on the symmetry
            (`numerics.profile.turns_of`) of all that a frame serves.
        several: whether it is an array by nature, so that a configuration may give a list.
        **kwargs: as of `dataclasses.field`.
    """
    said = {"unit": unit, "within": within, "role": role, "period": period, "several": several}
    return dataclasses.field(metadata=said, **kwargs)


OF_POSITIONS = {"__call__", "potential", "to_plane", "to_pixel"}
"""Methods of nodes whose arguments are positions, arcsec."""


@dataclass_transform(
    frozen_default=True, kw_only_default=True, eq_default=False, field_specifiers=(static, parameter, dataclasses.field)
)
def node(cls: type[T]) -> type[T]:
    """Makes a class a frozen keyword-only dataclass that is also a JAX tree.

    Fields are leaves or subtrees: numbers, arrays, NumPyro distributions, other nodes. Fields made by
    `static` (names, shapes, switches) belong to the structure: another value there is another compilation. Methods of
    positions (`OF_POSITIONS`) take quantities as numbers in arcsec.
    """
    made = dataclasses.dataclass(frozen=True, kw_only=True, eq=False, repr=False)(cls)
    if "__repr__" not in vars(cls):
        made.__repr__ = node_written  # type: ignore[assignment, method-assign]
    for name in OF_POSITIONS & set(vars(cls)):
        setattr(made, name, _of_arcsec(vars(cls)[name]))
    fields = dataclasses.fields(made)  # type: ignore[arg-type]
    made.__init__ = _in_units(cls.__name__, made.__init__, fields)  # type: ignore[misc, method-assign]
    meta = tuple(field.name for field in fields if field.metadata.get("static"))
    data = tuple(field.name for field in fields if not field.metadata.get("static"))
    _register(made, data, meta)
    return made


def _register(cls: type[Any], data: tuple[str, ...], meta: tuple[str, ...]) -> None:
    """Makes a class known to JAX, the class itself being part of the structure.

    Not by `jax.tree_util.register_dataclass`: jaxlib takes structures of two classes so made for equal where their
    static fields are (seen in 0.10), and tells them apart by hashes of a few bits. About one call in a hundred of a
    compiled function then ran the program of another class with as many fields.
    """
    names, keys = meta + data, tuple(jax.tree_util.GetAttrKey(name) for name in data)

    def flatten(one: Any) -> tuple[list[Any], tuple[Any, ...]]:
        return [getattr(one, name) for name in data], (cls, *[getattr(one, name) for name in meta])

    def flatten_with_keys(one: Any) -> tuple[Any, tuple[Any, ...]]:
        children, structure = flatten(one)
        return zip(keys, children, strict=True), structure

    def unflatten(structure: tuple[Any, ...], children: Any) -> Any:
        return cls(**dict(zip(names, (*structure[1:], *children), strict=True)))

    jax.tree_util.register_pytree_with_keys(cls, flatten_with_keys, unflatten, flatten)


def _in_units(name: str, make: Callable[..., None], fields: Sequence[dataclasses.Field[Any]]) -> Callable[..., None]:
    """A constructor that takes quantities, in whatever unit, as numbers in the unit that the field declares."""
    units = {field.name: field.metadata.get("unit") for field in fields if not field.metadata.get("static")}

    @functools.wraps(make)
    def made(self: Any, *arguments: Any, **given: Any) -> None:
        told = given
        for key, value in given.items():
            if key in units and may_have_unit(value):
                told = {**told, key: of_field(f"{name}.{key}", value, units[key])}
        make(self, *arguments, **told)

    return made


def _of_arcsec(method: Callable[..., Any]) -> Callable[..., Any]:
    """A method that takes positions as quantities, too."""

    @functools.wraps(method)
    def called(self: Any, *positions: Any, **named: Any) -> Any:
        def bare(one: Any) -> Any:
            return plain(f"{type(self).__name__}, position", one, "arcsec")

        return method(self, *map(bare, positions), **{name: bare(one) for name, one in named.items()})

    return called


class Part(NamedTuple):
    """One of the things that a tree is made of.

    Attributes:
        name: of the field, key of the mapping, or place in the sequence.
        value: the part itself.
        said: what its field says of it (see `parameter` and `static`); empty where there is no field.
    """

    name: str
    value: Any
    said: Mapping[str, Any]


def parts(tree: Any) -> list[Part]:
    """What a node, another dataclass, a mapping or a sequence is made of; nothing for anything else."""
    if isinstance(tree, Mapping):
        return [Part(str(name), value, {}) for name, value in tree.items()]
    if isinstance(tree, (tuple, list)):
        return [Part(str(place), value, {}) for place, value in enumerate(tree)]
    if is_node(tree):
        return [Part(field.name, getattr(tree, field.name), field.metadata) for field in dataclasses.fields(tree)]
    return []


def nodes(tree: Any) -> Iterator[Any]:
    """All nodes of a tree, the outer ones first."""
    if is_node(tree):
        yield tree
    for part in parts(tree):
        yield from nodes(part.value)


def is_node(thing: Any) -> bool:
    """Whether it is a dataclass' object, as every node is."""
    return dataclasses.is_dataclass(thing) and not isinstance(thing, type)


def realised(tree: T) -> T:
    """The tree with what its nodes compute once per draw, where they have a method `realise()` that returns it.

    A field drawn on its Fourier modes, or a cluster whose galaxies share three numbers, is then not computed again for
    every observation. Such a node stands for what `realise()` returns, and need not be callable itself.
    """
    return jax.tree.map(lambda part: part.realise() if _computes_once(part) else part, tree, is_leaf=_computes_once)


def _computes_once(part: Any) -> bool:
    return hasattr(type(part), "realise")
