"""Single or double precision for a part of a test."""

from collections.abc import Iterator
from contextlib import contextmanager

import jax


@contextmanager
def doubles(wanted: bool) -> Iterator[None]:
    """Whether JAX computes in float64 here."""
    before = jax.config.jax_enable_x64
    jax.config.update("jax_enable_x64", wanted)
    try:
        yield
    finally:
        jax.config.update("jax_enable_x64", before)
