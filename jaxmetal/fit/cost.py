"""What a fit is going to take, from the gradient of its own density: compiled, and timed once."""

from __future__ import annotations

import time
from typing import NamedTuple

import jax.numpy as jnp
import numpy as np

from jaxmetal.fit import evaluate
from jaxmetal.fit.method import Options
from jaxmetal.fit.methods import method_of
from jaxmetal.fit.problem import Problem, size, stack

CLIMB = 60
"""Gradients that the maxima and curvatures of a galaxy take, about."""

ALONE = 4
"""Gradients that are timed where there is one problem."""

DENSITY = 0.4
"""A density over a gradient, about; to compile it as well would take half as long again."""


class Cost(NamedTuple):
    """Seconds, compiled.

    Attributes:
        gradient: of one, with its density.
        starts: of the optimiser, where nobody asks for others.
    """

    gradient: float
    starts: int

    def seconds(self, options: Options) -> float:
        """Of a fit, about; the method's line in the table says what a draw costs."""
        method, draws = method_of(options.method), options.chains * options.draws
        gradients = method.gradients * draws + CLIMB * (options.start_count or self.starts) / 2
        return self.gradient * (DENSITY * method.densities * draws + gradients)


def measured(problem: Problem, count: int = 1) -> Cost:
    """What a gradient costs among as many problems like this one side by side."""
    problems = stack([problem] * count)
    rows = np.zeros(2 * evaluate.BLOCK if count > 1 else ALONE, int)
    points = np.zeros((len(rows), size(problem.sites)), jnp.result_type(float))
    evaluate.gradients(problems, rows[:1], points[:1])  # compiled
    began = time.perf_counter()
    evaluate.gradients(problems, rows, points)
    return Cost(gradient=(time.perf_counter() - began) / len(rows), starts=Options().starts(problem))


def duration(seconds: float) -> str:
    """In seconds below a minute, else in minutes."""
    return f"{seconds:.2g} s" if seconds < 60.0 else f"{seconds / 60.0:.1f} min"
