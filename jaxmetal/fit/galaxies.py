"""`batch`: many galaxies side by side, each answer as if it had been fitted alone."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from jaxmetal.edge.errors import InputError
from jaxmetal.edge.progress import bar as progress_bar
from jaxmetal.fit.arcs import from_arcs
from jaxmetal.fit.choose import checked, posterior
from jaxmetal.fit.method import Options
from jaxmetal.fit.methods import method_of
from jaxmetal.fit.padding import padded
from jaxmetal.fit.problem import LENGTHS, Problem, make, size
from jaxmetal.fit.program import signature
from jaxmetal.fit.refine import MORE
from jaxmetal.fit.seeds import seed_of
from jaxmetal.fit.start import require_possible
from jaxmetal.fit.tries import Group, solved_twice
from jaxmetal.instrument.sampling import Sampling
from jaxmetal.model import tree
from jaxmetal.posterior import Posterior

COPIES = 12
"""How many times a galaxy's arrays are held: as read, prepared, stacked, on a device, and what that leaves behind."""

MATRICES = 6
"""How many matrices of all free numbers a start has: scales, steps along them, gradients there, their curvature."""


ADAPTED = 3
"""Turns of adaptation that are counted on; of a group, few need more."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Galaxy:
    """One galaxy of a sample.

    Attributes:
        name: unique; its random numbers depend on it and on the seed alone.
        scene: prior, see `fit.auto`.
        observations: name -> observation.
        start: parameter name -> value near which the optimiser is to begin.
        sampling: sample grids, where the automatic choice is not wanted.
    """

    name: str
    scene: Any
    observations: Mapping[str, Any]
    start: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    sampling: Mapping[str, Sampling] = dataclasses.field(default_factory=dict)


def batch(
    galaxies: Iterable[Galaxy],
    *,
    method: str = "auto",
    seed: int = 0,
    chains: int = 4,
    draws: int = 500,
    warmup: int | None = None,
    start_count: int | None = None,
    target_accept: float | None = None,
    pad: bool = False,
    memory: float = 1.0,
    total: int | None = None,
    progress: bool = True,
) -> Iterator[tuple[str, Posterior | InputError]]:
    """Fits galaxies as they come, in groups of one structure; each group compiles once.

    Galaxies are taken from the iterable one by one and handed back as soon as their group is full, so that memory does
    not grow with the sample. Those whose maximum was not reached, or whose draws did not converge, are tried again,
    with more starts and by NUTS.

    Args:
        galaxies: see `Galaxy`; an `InputError` raised while one is prepared is its result.
        method: as for `fit.auto`.
        seed: of all random numbers.
        chains: number of chains of each galaxy.
        draws: kept draws per chain.
        warmup: as for `fit.auto`.
        start_count: as for `fit.auto`.
        target_accept: as for `fit.auto`.
        pad: bring stamps to few sizes, for samples of many.
        memory: GiB that the galaxies of a group may take at once on each device, and in draws. How much of
            them is computed at a time follows from what a device grants, see `fit.memory`.
        total: number of galaxies, for the progress bar.
        progress: show a progress bar with rate and remaining time.

    Yields:
        Name and `Posterior`, or the `InputError` that says why there is none; in the order in which groups fill.

    Raises:
        InputError: on an unknown method, a count that is too small or no memory; and what the iterable raises, once the
            galaxies that it gave before are fitted.
    """
    options = checked(Options(method, chains, draws, warmup, start_count, target_accept))
    if not memory > 0:
        raise InputError(f"memory: expected GiB above 0, found {memory!r}; correct it.")
    return _run(
        galaxies, options, seed, pad, memory, progress_bar(total=total, shown=progress, desc="fitting", unit="galaxy")
    )


def _run(
    galaxies: Iterable[Galaxy], options: Options, seed: int, pad: bool, memory: float, bar: Any
) -> Iterator[tuple[str, Posterior | InputError]]:
    waiting: dict[Any, list[tuple[Galaxy, Problem]]] = {}
    failed = 0
    with bar:
        for found in _groups(galaxies, pad, options, memory, waiting):
            for name, result in _fit(found, options, seed) if isinstance(found, list) else [found]:
                failed += isinstance(result, InputError)
                bar.set_postfix(failed=failed, refresh=False)
                bar.update()
                yield name, result


def _groups(
    galaxies: Iterable[Galaxy], pad: bool, options: Options, memory: float, waiting: dict[Any, list[Any]]
) -> Iterator[Any]:
    """Groups of prepared galaxies once they are full, the others at the end; galaxies with bad input at once."""
    seen_names: set[str] = set()
    trouble: list[Exception] = []
    for galaxy in _until_trouble(galaxies, trouble):
        try:
            seen = padded(galaxy.observations) if pad else dict(galaxy.observations)
            problem = make(galaxy.scene, seen, galaxy.sampling)
            require_possible(problem.sites, galaxy.start)
            begun = {**from_arcs(galaxy.scene, seen), **galaxy.start}
            if galaxy.name in seen_names:
                raise InputError(f"Two galaxies are named '{galaxy.name}'; names must be unique.")
        except InputError as error:
            yield galaxy.name, error
            continue
        except (TypeError, ValueError, AttributeError) as error:  # one galaxy's nonsense must not stop the others
            reason = " ".join(str(error).split())[:200]
            yield galaxy.name, InputError(f"'{galaxy.name}' cannot be prepared ({reason}); check scene and data.")
            continue
        seen_names.add(galaxy.name)
        group = waiting.setdefault(signature(problem), [])
        group.append((dataclasses.replace(galaxy, observations=seen, start=begun), problem))
        if len(group) >= together(problem, options, memory):
            yield waiting.pop(signature(problem))
    yield from waiting.values()
    if trouble:
        raise trouble[0]


def _until_trouble(galaxies: Iterable[Galaxy], trouble: list[Exception]) -> Iterator[Galaxy]:
    """Galaxies as they come; what ends them early is put aside, so that those before it are not lost."""
    try:
        yield from galaxies
    except Exception as error:
        trouble.append(error)


def together(problem: Problem, options: Options, memory: float) -> int:
    """Galaxies that fit into `memory` GiB."""
    return max(n for n in LENGTHS if n <= max(1, memory * 2**30 / bytes_each(problem, options)))


def bytes_each(problem: Problem, options: Options) -> int:
    """Memory that a galaxy of a group takes, here or on a device, whichever is more.

    That of its arrays is `COPIES` times their size, measured by `benchmarks/batch_memory.py`; its proposals are counted
    twice, as they are joined, and as if `ADAPTED` turns and then `MORE` times as many as draws were needed.
    """
    arrays = sum(np.asarray(leaf).nbytes for leaf in jax.tree.leaves(problem))
    real, free = jnp.result_type(float).itemsize, size(problem.sites)
    held = COPIES * arrays + MATRICES * options.starts(problem) * free**2 * real
    if not method_of(options.method).draws:
        return held
    drawn = (MORE + ADAPTED) * options.chains * options.draws * (2 * free + 4) * real
    return held + 2 * drawn


def _fit(
    group: list[tuple[Galaxy, Problem]], options: Options, seed: int
) -> Iterator[tuple[str, Posterior | InputError]]:
    galaxies, singles = zip(*group, strict=True)
    seeds = [seed_of(seed, galaxy.name) for galaxy in galaxies]
    given = _given(galaxies, singles[0])
    trees = [tree(galaxy.scene, galaxy.observations) for galaxy in galaxies]
    solutions = solved_twice(Group(trees, singles, seeds, given), options)
    for galaxy, whole, problem, solution in zip(galaxies, trees, singles, solutions, strict=True):
        if isinstance(solution, InputError):
            yield galaxy.name, solution
        else:
            yield galaxy.name, posterior(whole, problem, solution, seed, {})


def _given(galaxies: tuple[Galaxy, ...], problem: Problem) -> dict[str, np.ndarray]:
    """Starts of all galaxies, NaN where one has none."""
    names = sorted({name for galaxy in galaxies for name in galaxy.start})
    empty = {name: np.full(problem.sites[name].shape(), np.nan) for name in names}
    return {name: np.stack([np.asarray(g.start.get(name, empty[name]), float) for g in galaxies]) for name in names}
