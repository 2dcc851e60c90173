"""Samples of galaxies as files: catalogue, plan of a run in chunks, rows of each chunk, final table, its population.

May import: io, population, fit and everything below. A run lives in one folder; whatever is in it is complete, so that
a run that was killed goes on where it stood.
"""

from jaxmetal.io.sample.catalogue import Catalogue, read_catalogue
from jaxmetal.io.sample.collect import collect
from jaxmetal.io.sample.plan import Plan, make_plan, read_plan
from jaxmetal.io.sample.population import Population, read_population
from jaxmetal.io.sample.rows import row, row_of_failure, write_rows

__all__ = [
    "Catalogue",
    "Plan",
    "Population",
    "collect",
    "make_plan",
    "read_catalogue",
    "read_plan",
    "read_population",
    "row",
    "row_of_failure",
    "write_rows",
]
