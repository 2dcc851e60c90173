"""The errors that somebody stated, without what a fit was free to add to them."""

from __future__ import annotations

import dataclasses
from typing import Any

from jaxmetal.prior import is_site, strong


def as_stated(prior: Any, filled: Any) -> Any:
    """A noise whose free numbers stand at their defaults where they have one: no jitter, factor 1.

    Args:
        prior: the noise with distributions, ties or places (`prior.Free`) where something is free.
        filled: the same with numbers; returned as it is where nothing changes.
    """
    changes = {}
    for field in dataclasses.fields(prior):
        free, number = getattr(prior, field.name), getattr(filled, field.name)
        if is_site(free):
            changes[field.name] = number if field.default is dataclasses.MISSING else strong(field.default)
        elif dataclasses.is_dataclass(free):
            changes[field.name] = as_stated(free, number)
    changes = {name: new for name, new in changes.items() if new is not getattr(filled, name)}
    return dataclasses.replace(filled, **changes) if changes else filled
