"""What a process may use of its machine: processors, memory, and a folder for compiled programs."""

from __future__ import annotations

import ctypes
import math
import os
import warnings
from collections.abc import Iterator
from pathlib import Path

THREADS = "NPROC"
"""Environment variable with the number of threads that XLA computes and compiles with; read when it starts."""

LARGEST = 2**30
"""Bytes of compiled programs that are kept; those that were not used for longest go first."""

DEAR = 0.1
"""Seconds of compilation from which a program is kept."""

KEPT = 2**30
"""Bytes of freed memory that are not given back."""

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
    """Keeps memory that is freed for what is computed next, up to 1 GiB; where the C library is not glibc, nothing.

    glibc maps blocks of more than 32 MiB anew each time, and every 4 KiB of them are a page fault. Programs take their
    temporaries as one block: gradients of several sources, or of large maps, spent half of their time on that.
    """
    library = ctypes.CDLL(None)
    if hasattr(library, "gnu_get_libc_version"):
        library.mallopt(MMAP_MAX, 0)
        library.mallopt(TRIM_THRESHOLD, KEPT)


def keep_programs() -> None:
    """Keeps compiled programs in the user's cache folder, unless JAX was told where; not where that cannot be.

    Nothing is said where one cannot be written or read: it is compiled as if there were no folder.
    """
    import jax
    from jax.experimental.compilation_cache.compilation_cache import reset_cache

    warnings.filterwarnings("ignore", "Error (reading|writing) persistent compilation cache")
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
    jax.config.update("jax_persistent_cache_min_compile_time_secs", DEAR)
    jax.config.update("jax_persistent_cache_min_entry_size_bytes", -1)
    reset_cache()  # a process that has compiled something already looked for the folder then, and never again


def keeps_programs() -> bool:
    """Whether compiled programs are kept."""
    import jax

    return bool(jax.config.values["jax_enable_compilation_cache"] and jax.config.values["jax_compilation_cache_dir"])
