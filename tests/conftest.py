"""Tests run in float64 unless they say otherwise."""

import jax
import pytest

jax.config.update("jax_enable_x64", True)


@pytest.fixture(scope="module")
def compile_quickly():
    """For files of many small programs that each run once: compiling them would cost more than running them."""
    jax.config.update("jax_disable_most_optimizations", True)
    yield
    jax.config.update("jax_disable_most_optimizations", False)
