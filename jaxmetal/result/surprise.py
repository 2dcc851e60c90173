"""Whether data are what a fit expects: their likelihood against that of data drawn by the noise around the best fit."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from jaxmetal.edge.findings import Finding
from jaxmetal.model import pointwise_of

DRAWN = 64
"""Sets of data that tell mean and scatter of ln L."""

FAR = 5.0
"""Standard deviations of ln L from which data are a surprise."""


def redrawn(filled: Mapping[str, Any], seen: Mapping[str, Any]) -> dict[str, jax.Array]:
    """Observation -> ln L of data that its noise draws around a prediction, (DRAWN,).

    Args:
        filled: observations, every leaf a number.
        seen: name -> prediction.
    """

    def once(key: jax.Array) -> dict[str, jax.Array]:
        drawn = {
            name: dataclasses.replace(filled[name], data=filled[name].noise.draw(jax.random.fold_in(key, i), *one))
            for i, (name, one) in enumerate(seen.items())
        }
        return {name: jnp.sum(terms) for name, terms in pointwise_of(drawn, seen).items()}

    return jax.lax.map(once, jax.random.split(jax.random.key(0), DRAWN))


def surprises(
    log_likelihoods: Mapping[str, np.ndarray],
    expected: Mapping[str, np.ndarray],
    chi2: Mapping[str, float],
    counts: Mapping[str, int],
) -> list[Finding]:
    """A finding for every observation that the best fit does not describe, whatever its noise.

    Args:
        log_likelihoods: observation -> of each of its data at the best fit.
        expected: see `redrawn`.
        chi2: observation -> sum of squared residuals.
        counts: observation -> number of data.
    """
    found = []
    for name, drawn in expected.items():
        below = (drawn.mean() - np.sum(log_likelihoods[name])) / max(float(drawn.std()), 1e-300)
        if below > FAR:
            text = (
                f"The best fit does not describe '{name}': chi2 is {chi2[name]:.0f} for {counts[name]} data, ln L "
                f"{below:.0f} standard deviations below what its noise would give. Errors are too small, the model "
                "lacks something, or a better maximum was missed: raise start_count."
            )
            found.append(Finding("warning", text))
    return found
