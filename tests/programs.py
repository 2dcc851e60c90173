"""What a process compiles, by name and seconds; as a script, a command does: `python tests/programs.py demo`."""

import resource
import sys
import threading
import time
import traceback
from typing import NamedTuple

import jax

COMPILED = "/jax/core/compile/backend_compile_duration"
TAKEN = "/jax/compilation_cache/cache_retrieval_time_sec"
HERE = "/jaxmetal/"


class Program(NamedTuple):
    """A program that was asked of the compiler.

    Attributes:
        name: of its function.
        seconds: until it was there.
        cached: whether it was taken from the cache.
        where: the innermost lines of the package that asked for it.
    """

    name: str
    seconds: float
    cached: bool
    where: str


def listen() -> list[Program]:
    """A list that grows by every program that is asked for from now on, in any thread."""
    found: list[Program] = []
    taken = threading.local()

    def heard(event: str, seconds: float, **details: str) -> None:
        if event == TAKEN:
            taken.now = True
        elif event == COMPILED:
            cached, taken.now = getattr(taken, "now", False), False
            found.append(Program(details.get("fun_name", ""), seconds, cached, _where()))

    jax.monitoring.register_event_duration_secs_listener(heard)
    return found


def _where(lines: int = 3) -> str:
    ours = [frame for frame in traceback.extract_stack() if HERE in frame.filename]
    return " < ".join(f"{frame.filename.rpartition(HERE)[2]}:{frame.lineno}" for frame in ours[: -lines - 1 : -1])


def main() -> int:
    """Runs a command of jaxmetal and says on stderr what it compiled, the dearest first, and what it cost."""
    began, found = time.perf_counter(), listen()
    from jaxmetal.cli.commands import main as command

    code = command(sys.argv[1:])
    for one in sorted(found, key=lambda one: -one.seconds):
        print(f"{one.seconds:8.3f} s {'kept' if one.cached else '    '} {one.name:28} {one.where}", file=sys.stderr)
    used = resource.getrusage(resource.RUSAGE_SELF)
    print(
        f"{len(found)} programs, {sum(one.cached for one in found)} of them from the cache; "
        f"{time.perf_counter() - began:.1f} s, of processors {used.ru_utime + used.ru_stime:.1f} s",
        file=sys.stderr,
    )
    return code


if __name__ == "__main__":
    sys.exit(main())
