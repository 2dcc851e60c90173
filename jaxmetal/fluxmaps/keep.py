"""The selection rules of papers, applied to spectra: which lines of which spaxels a fit sees."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Literal

import jax
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
        combination: those of them that the galaxy is measured by, where it is known.
    """

    name: Literal["klever", "wang"]
    ratios: tuple[str, ...] = ()
    combination: tuple[str, ...] | None = None


def settled(rule: Rule, features: Sequence[str], flux: np.ndarray, sigma: np.ndarray) -> Rule:
    """The rule with the combination of ratios that these spaxels choose for their whole galaxy; arguments as `kept`."""
    if rule.name != "klever":
        return rule
    found = klever(*_by_line(features, flux, sigma), rule.ratios, combination=rule.combination)
    return dataclasses.replace(rule, combination=found.combination)


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
    by_line, errors = _by_line(features, flux, sigma)
    if rule.name == "wang":
        spaxels = np.ones(flux.shape[:-1], bool) if integrated else np.asarray(wang(by_line, errors).masks["spaxels"])
        return np.broadcast_to(spaxels[..., None], flux.shape)
    if rule.name != "klever":
        raise InputError(f"selection: expected the rule 'klever' or 'wang', found '{rule.name}'; choose one.")
    found = klever(by_line, errors, rule.ratios, integrated=integrated, combination=rule.combination)
    masks = {name: np.asarray(mask) for name, mask in found.masks.items()}
    return np.stack([_needed(name, masks, flux.shape[:-1]) for name in by_line], axis=-1)


def _by_line(
    features: Sequence[str], flux: np.ndarray, sigma: np.ndarray
) -> tuple[dict[str, jax.Array], dict[str, jax.Array]]:
    """Fluxes and errors by the full names of the lines."""
    lines = [ALIASES.get(name, name) for name in features]
    flux_of, sigma_of = (
        {name: jnp.asarray(values[..., i]) for i, name in enumerate(lines)} for values in (flux, sigma)
    )
    return flux_of, sigma_of


def _needed(line: str, masks: dict[str, np.ndarray], shape: tuple[int, ...]) -> np.ndarray:
    users = [mask for ratio, mask in masks.items() if line in look_up("ratio", ratio, RATIOS).lines]
    return np.any(users, axis=0) if users else np.ones(shape, bool)
