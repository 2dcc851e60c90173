"""Tests run in float64 unless they say otherwise.

They compile far more than they compute: XLA spends the least time on a program without its newer emitters and its
optimisations, and the numbers are the same to rounding; JAX spends less on one whose operations do not say from where
in the code they come. Processes that tests begin inherit all three. The stages of `.ci/run` with the oldest and newest
versions leave the emitters to XLA.
"""

import gc
import os

import jax
import pytest
from precision import doubles

QUICKLY = (
    "--xla_cpu_use_fusion_emitters=false --xla_backend_optimization_level=1 --xla_cpu_parallel_codegen_split_count=1"
)
os.environ.setdefault("XLA_FLAGS", QUICKLY)  # before the first computation
os.environ["JAX_DISABLE_MOST_OPTIMIZATIONS"] = "1"
os.environ["JAX_TRACEBACK_IN_LOCATIONS_LIMIT"] = "0"
jax.config.update("jax_disable_most_optimizations", True)
jax.config.update("jax_traceback_in_locations_limit", 0)
jax.config.update("jax_enable_x64", True)


DEAREST = (
    "sample", "population", "batch", "statistics", "readme", "fit", "choice", "cli", "program_counts",
    "spaxel_posterior", "population_joint", "goodness", "lens_profiles", "observations", "quantiles",
    "planning", "line_fits", "field", "likelihood", "lines", "population_pieces", "lines_command", "export", "spaxel",
    "trace_counts", "lens", "bad_lines", "interpolate", "tracers", "lights",
)  # fmt: skip
"""Files that take long: begun first, so that no worker still computes when the others have ended."""


def pytest_configure(config):
    """Files are handed out as they are sorted here, not by their number of tests (an option of pytest-xdist)."""
    config.option.loadscopereorder = False


def pytest_collection_modifyitems(items):
    """A sort that leaves the others, and the tests of each file, in their order."""
    rank = {f"test_{name}": number for number, name in enumerate(DEAREST)}
    items.sort(key=lambda item: rank.get(item.path.stem, len(rank)))


def pytest_collection_finish():
    """What tests are made of is no garbage, and tracing leaves little: not to be looked for time and again."""
    gc.freeze()
    gc.set_threshold(20_000)


@pytest.fixture(scope="module", autouse=True)
def forget_programs():
    """Each compiled program takes some twenty of the 65,530 memory maps that Linux grants a process."""
    yield
    jax.clear_caches()


@pytest.fixture(scope="module")
def optimised():
    """For files that compute more than they compile."""
    jax.config.update("jax_disable_most_optimizations", False)
    yield
    jax.config.update("jax_disable_most_optimizations", True)


@pytest.fixture(params=["float32", "float64"])
def precision(request):
    """Runs a test in single and in double precision; its value picks the tolerance."""
    with doubles(request.param == "float64"):
        yield request.param
