"""What a process may use of its machine: processors, memory, and a folder for compiled programs."""

from __future__ import annotations

import atexit
import ctypes
import gc
import math
import os
import warnings
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from functools import cache, partial, update_wrapper
from pathlib import Path
from typing import Any

THREADS = "NPROC"
"""Environment variable with the number of threads that XLA computes and compiles with; read when it starts."""

LARGEST = 2**30
"""Bytes of compiled programs that are kept; those that were not used for longest go first."""

DEAR = 0.03
"""Seconds of compilation from which a program is kept."""

KEPT = 2**30
"""Bytes of freed memory that are not given back."""

GATHERED = 50_000
"""New objects after which Python looks for cycles that nobody refers to."""

EMITTERS: dict[str, Any] = {"xla_cpu_use_fusion_emitters": False}
PASSES: dict[str, Any] = {"xla_backend_optimization_level": 1}
"""What `Program` tells the compiler; the second goes without saying where JAX optimises least."""

TRIM_THRESHOLD, MMAP_MAX = -1, -4
"""Numbers of glibc's `mallopt` settings (malloc.h)."""


def processors(root: Path = Path("/")) -> int:
    """How many processors this process may use at once.

    The least of those that it is bound to (affinity), of the quotas of its control groups, of what Slurm gave to its
    task, and of `NPROC`, by which XLA goes as well.

    Args:
        root: of the file system in which the machine describes itself.
    """
    bound = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    told = [os.environ.get(name, "") for name in ("SLURM_CPUS_PER_TASK", THREADS)]
    return max(1, min([bound, *_quotas(root), *(int(number) for number in told if number.isdigit())]))


def in_threads() -> bool:
    """Whether work side by side belongs in threads, each with its own pace: on a single CPU device of JAX's."""
    import jax

    devices = jax.local_devices()
    return len(devices) == 1 and devices[0].platform == "cpu"


def alone_in_threads() -> AbstractContextManager[Any]:
    """While it lasts, a call of a linear-algebra library takes the thread that makes it, and no others.

    XLA leaves triangular solves and Cholesky factors to such a library, whose own threads wait for each other in loops:
    beside other work a solve with 100 numbers is then ten times as dear (measured).
    """
    return _libraries().limit(limits=1, user_api="blas")


@cache
def _libraries() -> Any:
    import scipy.linalg.cython_lapack  # noqa: F401  # the one that XLA calls, which must be there to be told
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController()


def _quotas(root: Path) -> Iterator[int]:
    """Processors, or begun ones, that each control group of this process may keep busy; those without a limit, none."""
    for line in _words(root / "proc/self/cgroup"):
        _, controllers, path = line.split(":", 2)
        if controllers and "cpu" not in controllers.split(","):
            continue
        top = root / "sys/fs/cgroup" / ("cpu" if controllers else "")
        group = top / path.strip("/")
        for folder in (group, *(parent for parent in group.parents if parent.is_relative_to(top))):
            old = [*_words(folder / "cpu.cfs_quota_us"), *_words(folder / "cpu.cfs_period_us")]
            limit = old if controllers else _words(folder / "cpu.max")
            if len(limit) == 2 and limit[0].isdigit():
                yield math.ceil(int(limit[0]) / int(limit[1]))


def _words(file: Path) -> list[str]:
    try:
        return file.read_text().split()
    except OSError:
        return []


def keep_memory() -> None:
    """Keeps memory that is freed for what is computed next, up to 1 GiB, and looks less often for cycles.

    The first only where the C library is glibc, which maps blocks of more than 32 MiB anew each time, and every 4 KiB
    of them are a page fault. Programs take their temporaries as one block: gradients of several sources, or of large
    maps, spent half of their time on that. The second, as often as Python does it by itself, is a tenth of what a
    command takes to import and trace, and half a second when it ends, where nothing needs to be found any more.
    """
    gc.set_threshold(GATHERED, 20, 20)
    atexit.register(gc.freeze)
    library = ctypes.CDLL(None)
    if hasattr(library, "gnu_get_libc_version"):
        library.mallopt(MMAP_MAX, 0)
        library.mallopt(TRIM_THRESHOLD, KEPT)


def keep_programs() -> None:
    """Keeps compiled programs in the user's cache folder, unless JAX was told where; not where that cannot be.

    Nothing is said where one cannot be written or read: it is compiled as if there were no folder. JAX by itself keeps
    only what takes a second to compile, of which a fit has little: dearer than `DEAR` here, unless it was told.
    """
    import jax
    from jax.experimental.compilation_cache.compilation_cache import reset_cache

    warnings.filterwarnings("ignore", "Error (reading|writing) persistent compilation cache")
    for setting, least in (("min_compile_time_secs", DEAR), ("min_entry_size_bytes", -1)):
        if f"JAX_PERSISTENT_CACHE_{setting.upper()}" not in os.environ:
            jax.config.update(f"jax_persistent_cache_{setting}", least)
    if jax.config.values["jax_compilation_cache_dir"]:
        return
    home = os.environ.get("XDG_CACHE_HOME") or Path("~/.cache").expanduser()
    folder = Path(home) / "jaxmetal" / "programs"
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return
    if not os.access(folder, os.W_OK):
        return
    jax.config.update("jax_compilation_cache_dir", str(folder))
    jax.config.update("jax_compilation_cache_max_size", LARGEST)
    reset_cache()  # a process that has compiled something already looked for the folder then, and never again


class Program:
    """A jitted function that is compiled quickly: on CPUs without XLA's newer emitters, and with fewer LLVM passes.

    Programs of a fit consist of hundreds of small kernels, for each of which the newer emitters start a compiler of
    their own. Without them gradients compile in half the time and run as fast (within a tenth). For functions that
    nothing traced calls: XLA takes options for whole programs only.
    """

    def __init__(self, function: Callable[..., Any], **settings: Any) -> None:
        """Takes the arguments of `jax.jit`."""
        self._function, self.settings = function, settings
        self._made: dict[tuple[str, bool], Any] = {}
        update_wrapper(self, function)
        if isinstance(function, partial):
            self.__name__ = function.func.__name__

    def __call__(self, *arguments: Any, **named: Any) -> Any:
        """What the function gives."""
        return self._jitted()(*arguments, **named)

    def lower(self, *arguments: Any, **named: Any) -> Any:
        """As `jax.stages.Wrapped.lower`."""
        return self._jitted().lower(*arguments, **named)

    def eval_shape(self, *arguments: Any, **named: Any) -> Any:
        """As `jax.eval_shape`."""
        return self._jitted().eval_shape(*arguments, **named)

    def _jitted(self) -> Any:
        import jax

        kind = jax.default_backend(), bool(jax.config.values["jax_disable_most_optimizations"])
        if kind not in self._made:
            self._made[kind] = jax.jit(self._function, compiler_options=_options(*kind), **self.settings)
        return self._made[kind]


def program(**settings: Any) -> Callable[[Callable[..., Any]], Program]:
    """Decorates a function as a `Program`, with the arguments of `jax.jit`."""
    return partial(Program, **settings)


@cache
def _options(platform: str, unoptimised: bool) -> dict[str, Any] | None:
    """Of the compiler; none on accelerators, and where this version of XLA does not know one of them."""
    import jax

    if platform != "cpu":
        return None
    options = EMITTERS if unoptimised else EMITTERS | PASSES

    def nothing() -> int:
        return 0

    try:
        jax.jit(nothing, compiler_options=options).lower().compile()
    except jax.errors.JaxRuntimeError:
        return None
    return options


def keeps_programs() -> bool:
    """Whether compiled programs are kept."""
    import jax

    return bool(jax.config.values["jax_enable_compilation_cache"] and jax.config.values["jax_compilation_cache_dir"])
