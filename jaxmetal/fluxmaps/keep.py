"""The selection rules of papers, applied to spectra: which lines of which spaxels a fit sees."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Literal

import jax.numpy as jnp
import numpy as np

from jaxmetal.edge.errors import InputError
from jaxmetal.fluxmaps.select import klever, wang
from jaxmetal.lines import RATIOS
from jaxmetal.lines.lines import ALIASES
from jaxmetal.lines.names import look_up


@dataclasses.dataclass(frozen=True)
class Rule:
    """A rule of `select` by name.

    Attributes:
        name: "klever" or "wang".
        ratios: that KLEVER's rule looks at.
    """

    name: Literal["klever", "wang"]
    ratios: tuple[str, ...] = ()


def kept(
    rule: Rule, features: Sequence[str], flux: np.ndarray, sigma: np.ndarray, *, integrated: bool = False
) -> np.ndarray:
    """Which fluxes the rule leaves, bool, of their shape.

    Wang's keeps whole spaxels. KLEVER's keeps ratios: a line stays where a ratio that is kept needs it; lines that no
    ratio needs stay. For integrated spectra only KLEVER has a rule.

    Args:
        rule: which.
        features: lines and blends, in the order of the last axis.
        flux: shape (..., features).
        sigma: same.
        integrated: whether these are sums over regions.

    Raises:
        InputError: as `klever` and `wang`, or if the rule is unknown.
    """
    lines = [ALIASES.get(name, name) for name in features]
    by_line = {name: jnp.asarray(flux[..., i]) for i, name in enumerate(lines)}
    errors = {name: jnp.asarray(sigma[..., i]) for i, name in enumerate(lines)}
    if rule.name == "wang":
        spaxels = np.ones(flux.shape[:-1], bool) if integrated else np.asarray(wang(by_line, errors).masks["spaxels"])
        return np.broadcast_to(spaxels[..., None], flux.shape)
    if rule.name != "klever":
        raise InputError(f"selection: expected the rule 'klever' or 'wang', found '{rule.name}'; choose one.")
    masks = {
        name: np.asarray(mask)
        for name, mask in klever(by_line, errors, rule.ratios, integrated=integrated).masks.items()
    }
    return np.stack([_needed(name, masks, flux.shape[:-1]) for name in lines], axis=-1)


def _needed(line: str, masks: dict[str, np.ndarray], shape: tuple[int, ...]) -> np.ndarray:
    users = [mask for ratio, mask in masks.items() if line in look_up("ratio", ratio, RATIOS).lines]
    return np.any(users, axis=0) if users else np.ones(shape, bool)
