"""Tests run in float64 unless they say otherwise.

They compile far more than they compute: XLA spends the least time on a program without its newer emitters, and the
numbers are the same to rounding. The stages of `.ci/run` with the oldest and newest versions leave that to XLA.
"""

import os

import jax
import pytest
from precision import doubles

QUICKLY = "--xla_cpu_use_fusion_emitters=false --xla_backend_optimization_level=1"
os.environ.setdefault("XLA_FLAGS", QUICKLY)  # before the first computation; processes that tests begin inherit it
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
