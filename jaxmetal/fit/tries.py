"""A group of galaxies of one program: fitted, and once more where the first try was poor."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.random import SeedSequence

from jaxmetal.edge.errors import InputError
from jaxmetal.fit.method import Options, Solution
from jaxmetal.fit.methods import method_of
from jaxmetal.fit.optimum import Status
from jaxmetal.fit.problem import Problem, stack
from jaxmetal.fit.resample import resampled
from jaxmetal.fit.seeds import branch
from jaxmetal.fit.solve import solve

SECOND = 4
"""Branch of a galaxy's seed for its second try; the first has those before."""

MORE_STARTS = 4
"""How many times more starts the second try has."""


class Group(NamedTuple):
    """Galaxies side by side.

    Attributes:
        trees: scene and observations of each, with distributions in the places of parameters.
        problems: of each, of one structure and shape.
        seeds: of each.
        given: see `fit.start.starts`.
    """

    trees: Sequence[dict[str, Any]]
    problems: Sequence[Problem]
    seeds: Sequence[SeedSequence]
    given: dict[str, np.ndarray]


def solved_twice(group: Group, options: Options) -> list[Solution | InputError]:
    """The solution of each galaxy, or why there is none; the second where the first has not converged."""
    solutions = _solved(group, options)
    poor = [i for i, solution in enumerate(solutions) if not _good(solution)]
    if poor:
        for i, again in zip(poor, _second_try(group, poor, options), strict=True):
            if isinstance(solutions[i], InputError) or not isinstance(again, InputError):
                solutions[i] = again
    return solutions


def _solved(group: Group, options: Options) -> list[Solution | InputError]:
    """Solutions of a group; the reason for all of them where the devices have no memory for one."""
    try:
        cut, found = solve(stack(group.problems), group.seeds, options, group.given)
    except InputError as error:
        return [error] * len(group.problems)
    return resampled(group.trees, [one.plans for one in group.problems], cut, found)


def _second_try(group: Group, poor: list[int], options: Options) -> list[Solution | InputError]:
    """More starts, and the method that stands in for one that may have chosen too cheaply."""
    thorough = options._replace(
        start_count=MORE_STARTS * options.starts(group.problems[0]),
        method=method_of(options.method).again or options.method,
    )
    again = Group(
        [group.trees[i] for i in poor],
        [group.problems[i] for i in poor],
        [branch(group.seeds[i], SECOND) for i in poor],
        {name: values[np.array(poor)] for name, values in group.given.items()},
    )
    second = f"Second try, with {thorough.start_count} starts."
    return [
        one if isinstance(one, InputError) else one._replace(decisions=(second, *one.decisions), tries=2)
        for one in _solved(again, thorough)
    ]


def _good(solution: Solution | InputError) -> bool:
    if isinstance(solution, InputError) or solution.peak.status != Status.CONVERGED:
        return False
    return solution.converged
