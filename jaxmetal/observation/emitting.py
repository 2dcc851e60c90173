"""Lights of Hb as fluxes of lines, sample by sample."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import jax
import jax.numpy as jnp

from jaxmetal.refined import Samples
from jaxmetal.render import Layer


def emitting(layer: Layer, emit: Callable[[Samples], Samples]) -> Layer:
    """All samples of a layer changed."""
    return dataclasses.replace(
        layer,
        field=emit(layer.field),
        finer=tuple(dataclasses.replace(one, samples=emit(one.samples)) for one in layer.finer),
        core=None if layer.core is None else emit(layer.core),
    )


def channels(samples: Samples, which: list[int]) -> jax.Array:
    """Some of the values of samples, stacked."""
    return jnp.stack([samples.values[k] for k in which])
