"""Maxima of posteriors of simulated data: what Fisher errors promise, tried out."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any, NamedTuple

import jax
import numpy as np

from jaxmetal.edge.arrays import require_count
from jaxmetal.edge.errors import InputError
from jaxmetal.fit import evaluate
from jaxmetal.fit.peaks import Peak, find_peaks
from jaxmetal.fit.problem import make, stack
from jaxmetal.fit.seeds import branch, seed_of
from jaxmetal.lines.names import look_up
from jaxmetal.model import SCENE, tree
from jaxmetal.prepared import predictions, prepare
from jaxmetal.prior import fill, sites
from jaxmetal.simulate.drawn import noisy


class Maxima(NamedTuple):
    """Of fits of simulated data.

    Attributes:
        best: parameter -> where each posterior is highest, (count,).
        quoted: parameter -> the error that each fit quotes (Laplace), (count,).
    """

    best: dict[str, np.ndarray]
    quoted: dict[str, np.ndarray]


def maxima(scene: Any, observations: Mapping[str, Any], truth: Mapping[str, Any], count: int, seed: int = 0) -> Maxima:
    """Fits `count` noise draws around a truth, from a start there.

    The priors enter: only under wide ones are these the maxima of the likelihood, whose scatter Fisher errors foresee.

    Args:
        scene: prior.
        observations: name -> observation with errors and masks; data are not looked at.
        truth: parameter -> value.
        count: number of noise draws.
        seed: of the noise.

    Raises:
        InputError: if a parameter lacks a value, a value is of none, a fit finds no maximum, or there is no draw.
    """
    require_count("count", count, 1)
    whole = tree(scene, observations)
    free = sites(whole)
    for name in truth:
        look_up("truth", name, free)
    known = fill(whole, truth)
    actual = known.pop(SCENE)
    seen = predictions(known, actual, prepare(actual, known))
    drawn = [noisy(known, seen, key) for key in jax.random.split(jax.random.key(seed), count)]
    # Checked once without noise: an outlier that a noise with wide wings draws is no mistake of a file.
    exact = {name: dataclasses.replace(one, data=seen[name].value) for name, one in observations.items()}
    first = make(scene, exact)
    problems = [dataclasses.replace(first, skeleton={**first.skeleton, **_with_data(first.skeleton, d)}) for d in drawn]
    given = {name: np.full(count, truth[name]) for name in first.sites}
    seeds = [branch(seed_of(seed), k) for k in range(count)]
    stacked, peaks = find_peaks(stack(problems), seeds, start_count=1, given=given)
    trouble = next((peak for peak in peaks if isinstance(peak, InputError)), None)
    if trouble is not None:
        raise trouble
    tops = [peak for peak in peaks if isinstance(peak, Peak)]
    around = [top.gaussian for top in tops]
    errors = evaluate.errors(stacked, range(count), [one.mode for one in around], [one.factor for one in around])
    found = ([top.best for top in tops], errors)
    return Maxima(*({name: np.array([float(one[name]) for one in rows]) for name in given} for rows in found))


def _with_data(observations: Mapping[str, Any], drawn: Mapping[str, Any]) -> dict[str, Any]:
    return {name: dataclasses.replace(observations[name], data=one.data) for name, one in drawn.items()}
