"""Whether what is left of two relations with a common covariate goes together."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from jaxmetal.edge.arrays import floats
from jaxmetal.edge.errors import InputError
from jaxmetal.lines.names import look_up
from jaxmetal.population.columns import alike
from jaxmetal.population.correlation import Spearman, spearman
from jaxmetal.population.galaxies import Covariate, Measured
from jaxmetal.population.regression import LONG, regress
from jaxmetal.population.relation import Relation
from jaxmetal.population.sampler import Run


class ResidualCorrelation(NamedTuple):
    """Of the residuals of two relations.

    Attributes:
        first: relation of the first quantity with the covariate.
        second: that of the second.
        residuals: of both, with errors.
        spearman: of the second's residuals with those of the first.
        by_shared_errors: Pearson's correlation that common errors make alone, (slope_1 slope_2 <e_x^2> + <rho e_1 e_2>)
            / (sd_1 sd_2): an error of the covariate moves both residuals of a place, and rho is the correlation of the
            errors of the two quantities. A `spearman` no farther from 0 says nothing.
    """

    first: Relation
    second: Relation
    residuals: tuple[Measured, Measured]
    spearman: Spearman
    by_shared_errors: float


def residual(relation: Relation, quantity: Measured, covariate: Covariate, name: str = "x") -> Measured:
    """What is left of a quantity: y - central - slope (x - pivot), at the medians of the relation and with its pivot.

    Args:
        relation: of `regress`.
        quantity: y, with errors.
        covariate: x, with errors or without; they are added, times the slope, in quadrature.
        name: of the covariate in the relation.

    Raises:
        InputError: if the relation has no covariate of that name, the numbers of galaxies differ, or the covariate has
            limits.
    """
    pivot = look_up("name", name, relation.covariates).pivot
    if len(covariate.values) != len(quantity.values):
        found = f"{len(quantity.values)} and {len(covariate.values)}"
        raise InputError(f"residual: expected a covariate of each galaxy, found {found}; match.")
    if covariate.limited:
        raise InputError("residual: expected a covariate without limits, found some; leave these galaxies out.")
    central, slope = (float(np.median(relation.flat()[key])) for key in ("central", f"slope.{name}"))
    left = quantity.values - central - slope * (covariate.values - pivot)
    error = np.zeros(left.size) if covariate.sigma is None else covariate.sigma
    return Measured(
        values=left,
        sigma=np.hypot(quantity.sigma, slope * error),
        label=f"residual of {quantity.label}",
        unit=quantity.unit,
    )


def residual_correlation(
    first: Measured,
    second: Measured,
    covariate: Covariate,
    *,
    error_correlation: Any = 0.0,
    run: Run = LONG,
    seed: int = 0,
) -> ResidualCorrelation:
    """The correlation of two relations' residuals, as of the resolved mass-metallicity relation and main sequence.

    Both relations are regressions with errors in both variables (`regress`: Kelly 2007, ApJ 665, 1489); Patricio et al.
    2019 (MNRAS 489, 224, sect. 5) and Curti et al. 2020 (MNRAS 492, 821) ask so whether metallicity at a given surface
    density of mass falls where more stars form than that density lets expect.

    Args:
        first: e.g. log surface density of star formation of the bins of a map, with Gaussian errors.
        second: e.g. 12 + log(O/H) of the same bins.
        covariate: e.g. log surface density of stellar mass, with errors.
        error_correlation: of the errors of the two quantities, a number or one for each place: star formation and
            metallicity from the same lines have one.
        run: how the regressions are sampled.
        seed: of the draws of the correlation.

    Raises:
        InputError: as `regress`, or if a correlation is not within [-1, 1].
    """
    together = alike("error_correlation", floats("error_correlation", error_correlation), (len(first.values),))
    if not (np.abs(together) <= 1.0).all():
        raise InputError(
            f"error_correlation: expected numbers within [-1, 1], found up to {np.abs(together).max():g}; correct them."
        )
    relations = tuple(regress(quantity, covariate, run=run) for quantity in (first, second))
    left = tuple(residual(*pair, covariate) for pair in zip(relations, (first, second), strict=True))
    slopes = [float(np.median(one.flat()["slope.x"])) for one in relations]
    common = 0.0 if covariate.sigma is None else float(np.mean(np.square(covariate.sigma)))
    both = float(np.mean(together * first.sigma * second.sigma))
    spread = float(np.std(left[0].values) * np.std(left[1].values))
    along = Covariate(values=left[0].values, sigma=left[0].sigma, pivot=0.0, unit=first.unit)
    return ResidualCorrelation(
        first=relations[0],
        second=relations[1],
        residuals=(left[0], left[1]),
        spearman=spearman(left[1], along, seed=seed),
        by_shared_errors=(slopes[0] * slopes[1] * common + both) / spread,
    )
