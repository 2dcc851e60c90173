"""What is known of each galaxy of a sample: the quantity of interest, and covariates with their pivots."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from jaxmetal.edge.arrays import floats
from jaxmetal.edge.errors import InputError
from jaxmetal.edge.findings import Finding
from jaxmetal.edge.names import require_name
from jaxmetal.numerics.robust import weighted_median
from jaxmetal.population.columns import alike, column, errors, number, signs

SAME = 1e-6
"""Relative difference up to which the two sides of errors are one."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Covariate:
    """A property that the quantity may depend on, one entry per galaxy.

    Attributes:
        values: e.g. log10 stellar mass in solar masses, shape (n,).
        pivot: the value at which the central value of the relation is quoted.
        sigma: Gaussian errors, independent of those of all else; None: known exactly.
        limit: True, or 1, where `values` is log10 of a 1-sigma upper limit: the linear quantity (an SFR, say) was
            measured to be 0 with that error, so that the likelihood of a true value x is exp(-10^(2 (x - values)) / 2).
            -1 where it is log10 of a 1-sigma lower limit: the same of one over the quantity, exp(-10^(2 (values - x))
            / 2). 0, or False, elsewhere.
        label: for axes and tables.
        unit: of `values`.
    """

    values: Any
    pivot: float
    sigma: Any = None
    limit: Any = None
    label: str = ""
    unit: str = "dex"

    def __post_init__(self) -> None:
        values = column("values of a covariate", self.values, self.unit)
        object.__setattr__(self, "values", values)
        if self.sigma is not None:
            object.__setattr__(
                self, "sigma", errors("sigma of a covariate", self.sigma, values.shape, zero=True, unit=self.unit)
            )
        if self.limit is not None:
            object.__setattr__(self, "limit", signs("limit of a covariate", self.limit, values.shape))
        object.__setattr__(self, "pivot", number("pivot of a covariate", self.pivot))

    @property
    def exact(self) -> bool:
        """Whether the true values are known."""
        return not (self.sigma is not None and np.any(self.sigma > 0.0)) and not self.limited

    @property
    def limited(self) -> bool:
        """Whether any entry is a limit."""
        return self.limit is not None and bool(np.any(self.limit))


@dataclass(frozen=True, kw_only=True, eq=False)
class Measured:
    """The quantity as values with Gaussian errors, or with errors of two sides.

    Errors (+upper, -lower) make the likelihood of a true value y a split normal about the value v, exp(-(y - v)^2 / (2
    s^2)) with s = upper above and lower below (`likelihood.SplitNormal`).

    Attributes:
        values: e.g. the gradient in dex/kpc, shape (n,).
        sigma: errors, > 0: (n,), or (2, n), those towards smaller and those towards larger values (matplotlib's yerr).
        label: for axes and tables.
        unit: of `values`.
        bars: what `points` are, for legends.
        findings: what to know of them; part of the result.
    """

    values: Any
    sigma: Any
    label: str = "gradient"
    unit: str = "dex/kpc"
    bars: str = "value and error"
    findings: tuple[Finding, ...] = ()

    def __post_init__(self) -> None:
        values = column("values of the quantity", self.values, self.unit)
        object.__setattr__(self, "values", values)
        sides = (2, *values.shape) if np.ndim(self.sigma) == 2 else values.shape
        sigma = errors("sigma of the quantity", self.sigma, sides, unit=self.unit)
        alike_sides = sigma.ndim == 2 and np.allclose(sigma[0], sigma[1], rtol=SAME, atol=0.0)
        object.__setattr__(self, "sigma", sigma.mean(axis=0) if alike_sides else sigma)

    @property
    def lopsided(self) -> bool:
        """Whether errors have two sides."""
        return bool(np.ndim(self.sigma) == 2)

    def points(self) -> tuple[np.ndarray, np.ndarray]:
        """Values and errors, (n,) or (2, n), for pictures and first guesses."""
        return self.values, self.sigma

    def middles(self) -> np.ndarray:
        """What the data of every galaxy say, (n,)."""
        return np.asarray(self.values)

    def resampled(self, random: np.random.Generator, count: int) -> np.ndarray:
        """True values that the measurements allow, shape (count, n)."""
        steps = random.standard_normal((count, self.values.size))
        if not self.lopsided:
            return self.values + self.sigma * steps
        lower, upper = self.sigma
        above = random.random(steps.shape) < upper / (lower + upper)
        return self.values + np.where(above, upper, -lower) * np.abs(steps)


@dataclass(frozen=True, kw_only=True, eq=False)
class Draws:
    """The quantity as draws from each galaxy's own posterior.

    Attributes:
        values: shape (n, k).
        log_prior: log density of the prior with which each galaxy was fitted, at `values`, in the same unit (a slope
            turned from dex/arcsec to dex/kpc takes its prior along: divide the prior's scale by the kpc per arcsec
            too). It is divided out; broadcast to (n, k), 0 for a flat prior.
        label: for axes and tables.
        unit: of `values`.
        bars: what `points` are, for legends.
        findings: what to know of them; part of the result.
    """

    values: Any
    log_prior: Any = 0.0
    label: str = "gradient"
    unit: str = "dex/kpc"
    bars: str = "median and 68 % of the draws"
    findings: tuple[Finding, ...] = ()

    def __post_init__(self) -> None:
        values, log_prior = floats("Draws", self.values, self.unit), floats("log_prior of draws", self.log_prior)
        if values.ndim != 2 or not np.isfinite(values).all():
            raise InputError(
                f"Draws: expected finite numbers of shape (galaxies, draws), found shape {values.shape}; "
                "give every galaxy as many draws, without NaN."
            )
        if values.shape[1] < 2:
            raise InputError(
                f"Draws: expected some hundred draws of every galaxy, found shape {values.shape}; give more, "
                "or values with errors as Measured(values=..., sigma=...)."
            )
        if not np.isfinite(log_prior).all():
            raise InputError(
                "Draws: expected a finite log_prior at every draw, found infinity or NaN; "
                "evaluate the prior with which the galaxies were fitted."
            )
        object.__setattr__(self, "values", values)
        object.__setattr__(self, "log_prior", alike("log_prior of draws", log_prior, values.shape))

    def points(self) -> tuple[np.ndarray, np.ndarray]:
        """Medians and half the central 68 % of the draws."""
        low, middle, high = np.quantile(self.values, [0.16, 0.5, 0.84], axis=1)
        return middle, 0.5 * (high - low)

    def weights(self) -> np.ndarray:
        """1 / prior at every draw, over the largest of its galaxy: of draws of the likelihood. Shape (n, k)."""
        return np.exp(self.log_prior.min(axis=1, keepdims=True) - self.log_prior)

    def middles(self) -> np.ndarray:
        """Median of every galaxy, the prior of its fit divided out, (n,)."""
        return np.array([weighted_median(*row) for row in zip(self.values, self.weights(), strict=True)])

    def resampled(self, random: np.random.Generator, count: int) -> np.ndarray:
        """One draw of every galaxy, the prior of its fit divided out, `count` times: shape (count, n)."""
        reached = np.cumsum(self.weights(), axis=1)
        chosen = [np.searchsorted(row, row[-1] * random.random(count), side="right") for row in reached]
        return np.stack([drawn[k] for drawn, k in zip(self.values, chosen, strict=True)], axis=1)


def require_same_galaxies(quantity: Measured | Draws, covariates: Mapping[str, Covariate]) -> int:
    """The number of galaxies.

    Raises:
        InputError: if there is no covariate, galaxies are too few, or a covariate has another number of entries, the
            same value everywhere or a name that no file can have.
    """
    _require_kinds(quantity, covariates)
    count = len(quantity.values)
    if count < len(covariates) + 3:
        raise InputError(
            f"A relation with {len(covariates)} covariates needs at least {len(covariates) + 3} galaxies, "
            f"found {count}; use fewer covariates."
        )
    for name, covariate in covariates.items():
        require_name(name, "A covariate")  # its slope becomes a variable of a netCDF file
        if len(covariate.values) != count:
            raise InputError(
                f"covariate '{name}': expected {count} entries, one per galaxy, found {len(covariate.values)}; match."
            )
        if np.ptp(covariate.values) == 0.0:
            raise InputError(
                f"covariate '{name}': expected values that differ between galaxies, found {covariate.values[0]:g} for "
                "all; leave it out, for nothing can depend on it."
            )
    return count


def _require_kinds(quantity: Any, covariates: Any) -> None:
    if not isinstance(quantity, (Measured, Draws)):
        raise InputError(
            f"quantity: expected Measured or Draws, found {type(quantity).__name__}; "
            "write e.g. Measured(values=..., sigma=...)."
        )
    given = covariates.values() if isinstance(covariates, Mapping) else [covariates]
    wrong = [type(covariate).__name__ for covariate in given if not isinstance(covariate, Covariate)]
    if wrong or not given or not isinstance(covariates, Mapping):
        raise InputError(
            f"covariates: expected at least one Covariate by name, found {', '.join(wrong) or 'none'}; "
            'write e.g. {"log_mass": Covariate(values=..., pivot=10.0)}.'
        )
