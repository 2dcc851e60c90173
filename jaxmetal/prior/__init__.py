"""Trees whose leaves are numbers or NumPyro distributions: taken apart, filled, and summarised.

`tree` has what is free and where, `summaries` the medians, spreads and bounds of what is, `alike` what fields of a node
must have in common.

May import: scene and everything below it. To add a statement about a prior: a function in `summaries`.
"""

from jaxmetal.prior.alike import require_alike, require_consistent
from jaxmetal.prior.summaries import bounds, median, medians, spreads, typical, with_own_bounds
from jaxmetal.prior.tree import (
    Free,
    Tied,
    fill,
    is_fixed,
    is_site,
    labels,
    places,
    sample,
    sites,
    skeleton,
    split,
    strong,
    surely_equal,
)

__all__ = [
    "Free",
    "Tied",
    "bounds",
    "fill",
    "is_fixed",
    "is_site",
    "labels",
    "median",
    "medians",
    "places",
    "require_alike",
    "require_consistent",
    "sample",
    "sites",
    "skeleton",
    "split",
    "spreads",
    "strong",
    "surely_equal",
    "typical",
    "with_own_bounds",
]
