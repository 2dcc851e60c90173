"""A posterior as tables of astropy: one of its parameters, one of its draws."""

from __future__ import annotations

from typing import Any

import numpy as np
from astropy.table import Table

from jaxmetal.io.tables import as_table
from jaxmetal.posterior import Posterior
from jaxmetal.result.compared import Comparison
from jaxmetal.result.shapes import listed
from jaxmetal.result.views import View, view


def parameter_table(posterior: Posterior | View) -> Table:
    """One row per number: unit, best value, mean, standard deviation, median and intervals, as in parameters.ecsv.

    Terms for the shape of a disc that follow from free parameters are rows as well, and `derived` is True there.
    `.to_pandas()` makes a DataFrame of it where pandas is installed.
    """
    return as_table(**parameters(posterior))


def draws_table(posterior: Posterior | View) -> Table:
    """One row per draw, with its chain and its number in it, and one column, with its unit, per number.

    Angles are folded to within half a period of their best value. `.to_pandas()` makes a DataFrame of it where pandas
    is installed.
    """
    seen = view(posterior)
    rows = listed(seen)
    chains, draws = rows[0].number.draws.shape
    columns = {"chain": np.repeat(np.arange(chains), draws), "draw": np.tile(np.arange(draws), chains)}
    return as_table(
        columns | {row.number.label: row.number.draws.ravel() for row in rows},
        units={row.number.label: row.unit for row in rows},
        descriptions={row.number.label: row.description for row in rows},
        meta={"method": seen.posterior.method, "seed": seen.posterior.seed},
    )


def comparison_table(comparison: Comparison) -> Table:
    """Fits side by side: one row per part of the model, criterion or parameter, one column per fit (text)."""
    rows = comparison.rows
    columns = {name: [getattr(row, name) for row in rows] for name in ("kind", "what", "unit")}
    fits = {name: [row.values[place] for row in rows] for place, name in enumerate(comparison.names)}
    return as_table(columns | fits, meta={"findings": [str(finding) for finding in comparison.findings]})


def parameters(posterior: Posterior | View) -> dict[str, Any]:
    """Columns, descriptions and meta of the table of parameters, one row per number."""
    seen = view(posterior)
    posterior = seen.posterior
    rows = [
        {"parameter": one.label, "unit": unit, "best": one.best, "mean": one.mean, "sd": one.sd}
        | one.quantiles
        | {"derived": derived}
        for one, unit, _, derived in listed(seen)
    ]
    descriptions = {
        "best": "maximum of the posterior",
        "q16": "16 % quantile",
        "q84": "84 % quantile",
        "derived": "whether it follows from free parameters",
    }
    meta = {
        "method": posterior.method,
        "seed": posterior.seed,
        "resampled": posterior.resampled,
        "findings": [str(f) for f in seen.findings],
    }
    return {"columns": {key: [row[key] for row in rows] for key in rows[0]}, "descriptions": descriptions, "meta": meta}
