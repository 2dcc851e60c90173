"""Tests run in float64 unless they say otherwise."""

import jax
import pytest
from precision import doubles

jax.config.update("jax_enable_x64", True)


@pytest.fixture(scope="module", autouse=True)
def forget_programs():
    """Each compiled program takes some twenty of the 65,530 memory maps that Linux grants a process."""
    yield
    jax.clear_caches()


@pytest.fixture(params=["float32", "float64"])
def precision(request):
    """Runs a test in single and in double precision; its value picks the tolerance."""
    with doubles(request.param == "float64"):
        yield request.param


@pytest.fixture(scope="module")
def compile_quickly():
    """For files of many small programs that each run once: compiling them would cost more than running them."""
    jax.config.update("jax_disable_most_optimizations", True)
    yield
    jax.config.update("jax_disable_most_optimizations", False)
