"""Distributions as trees whose leaves stand in the order of their names.

NumPyro flattens a distribution in the order of a set, which differs from process to process: the same fit would be
another program every time, and none could be taken from a cache.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from numpyro.distributions import Distribution

from jaxmetal.numerics.tree import node, static


@node
class Packed:
    """One distribution.

    Attributes:
        parameters: name -> number, array or packed distribution.
        kind: class of the distribution.
        rest: what else makes it up, as NumPyro hands it over.
    """

    parameters: dict[str, Any]
    kind: type[Distribution] = static()
    rest: Any = static()

    @classmethod
    def of(cls, prior: Distribution) -> Packed:
        """Packs a distribution, and those that it consists of."""
        values, rest = prior.tree_flatten()
        named = dict(zip(type(prior).gather_pytree_data_fields(), values, strict=True))
        packed = {name: cls.of(value) if isinstance(value, Distribution) else value for name, value in named.items()}
        return cls(parameters=packed, kind=type(prior), rest=rest)

    def unpack(self) -> Distribution:
        """The distribution."""
        parts = (self.parameters[name] for name in self.kind.gather_pytree_data_fields())
        return self.kind.tree_unflatten(
            self.rest, tuple(part.unpack() if isinstance(part, Packed) else part for part in parts)
        )


def unpacked(priors: Mapping[str, Packed]) -> dict[str, Distribution]:
    """Parameter name -> its distribution."""
    return {name: prior.unpack() for name, prior in priors.items()}
