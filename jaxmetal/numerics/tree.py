"""Frozen dataclasses that JAX can see through."""

from __future__ import annotations

import dataclasses
from typing import Any, TypeVar, dataclass_transform

import jax

T = TypeVar("T")


def static(**kwargs: Any) -> Any:
    """A dataclass field that is part of the structure of a tree, not a leaf of it."""
    return dataclasses.field(metadata={"static": True}, **kwargs)


def within(interval: str, **kwargs: Any) -> Any:
    """A dataclass field for a number that must lie in an interval, written as "(0, 1]" (see `edge.ranges`)."""
    return dataclasses.field(metadata={"within": interval}, **kwargs)


@dataclass_transform(
    frozen_default=True, kw_only_default=True, eq_default=False, field_specifiers=(static, within, dataclasses.field)
)
def node(cls: type[T]) -> type[T]:
    """Makes a class a frozen keyword-only dataclass that is also a JAX tree.

    Fields are leaves or subtrees: numbers, arrays, NumPyro distributions, other nodes. Fields made by
    `static` (names, shapes, switches) belong to the structure: another value there is another compilation.
    """
    made = dataclasses.dataclass(frozen=True, kw_only=True, eq=False)(cls)
    fields = dataclasses.fields(made)  # type: ignore[arg-type]
    meta = [field.name for field in fields if field.metadata.get("static")]
    data = [field.name for field in fields if not field.metadata.get("static")]
    return jax.tree_util.register_dataclass(made, data_fields=data, meta_fields=meta)


def realised(tree: T) -> T:
    """The tree with what its nodes compute once per draw, where they have a method `realise()` that returns it.

    A field drawn on its Fourier modes, or a cluster whose galaxies share three numbers, is then not computed again for
    every observation. Such a node stands for what `realise()` returns, and need not be callable itself.
    """
    return jax.tree.map(lambda part: part.realise() if _computes_once(part) else part, tree, is_leaf=_computes_once)


def _computes_once(part: Any) -> bool:
    return hasattr(type(part), "realise")
