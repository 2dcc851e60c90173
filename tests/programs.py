"""What a Python process compiles: `python programs.py COMMAND...` runs `jaxmetal COMMAND...` and says so by name."""

from __future__ import annotations

from typing import NamedTuple

REPORT = "compiled: "
LOWERED, COMPILED = "/jax/core/compile/jaxpr_to_mlir_module_duration", "/jax/core/compile/backend_compile_duration"
SAVED = "/jax/compilation_cache/cache_retrieval_time_sec"
HERE = "/jaxmetal/"


class Program(NamedTuple):
    """One program that was asked of the compiler.

    Attributes:
        name: of the function.
        seconds: until it was there.
        cached: whether it was taken from the cache.
        where: line of this package that asked for it.
    """

    name: str
    seconds: float
    cached: bool
    where: str


def listen() -> list[Program]:
    """A list that grows by what is compiled from now on."""
    import jax

    found: list[Program] = []
    taken: list[float] = []

    def heard(event: str, seconds: float, **details: str) -> None:
        if event == SAVED:
            taken.append(seconds)
        if event == COMPILED:
            found.append(Program(details.get("fun_name", "?"), seconds, bool(taken), _where()))
            taken.clear()

    jax.monitoring.register_event_duration_secs_listener(heard)
    return found
