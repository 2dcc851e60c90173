"""Populations: how a quantity of galaxies depends on mass, redshift and star formation, with intrinsic scatter.

`fit` from measured values or from stored posteriors, `joint` with the galaxies' own data in one model, `regress` for
two uncertain variables, and the field's relations as functions.

May import: fit, posterior and everything below them; numpyro, arviz-stats. Files are written by io, pictures by plot.
To add a population model: a file with a function that returns a `Relation`; to add a relation of the field: a function
in `relations.py` with its source and equation, and numbers from elsewhere in `tests/test_population.py`.
"""

from jaxmetal.population.correlation import Spearman, spearman
from jaxmetal.population.galaxies import Covariate, Draws, Measured
from jaxmetal.population.linear import default_priors, fit
from jaxmetal.population.regression import regress
from jaxmetal.population.relation import Interval, Relation, interval, summary, table
from jaxmetal.population.relations import (
    fundamental_metallicity,
    fundamental_metallicity_offset,
    main_sequence,
    main_sequence_offset,
    mass_metallicity,
)
from jaxmetal.population.residuals import ResidualCorrelation, residual, residual_correlation
from jaxmetal.population.sampler import Run
from jaxmetal.population.selection import Selection
from jaxmetal.population.with_maps import GalaxyStack, joint, stack

__all__ = [
    "Covariate",
    "Draws",
    "GalaxyStack",
    "Interval",
    "Measured",
    "Relation",
    "ResidualCorrelation",
    "Run",
    "Selection",
    "Spearman",
    "default_priors",
    "fit",
    "fundamental_metallicity",
    "fundamental_metallicity_offset",
    "interval",
    "joint",
    "main_sequence",
    "main_sequence_offset",
    "mass_metallicity",
    "regress",
    "residual",
    "residual_correlation",
    "spearman",
    "stack",
    "summary",
    "table",
]
