"""Colours and the empty figure, the same in all pictures."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine

from jaxmetal.plot.formulae import SafeFigure

SEQUENTIAL = "viridis"
DIVERGING = "RdBu_r"
UNUSED = "0.78"
"""Grey of pixels without a used value; neither colour map contains it."""
SUSPECT = "crimson"
"""Of what should not be used unseen."""

INTRINSIC = "#0072B2"
NAIVE = "#D55E00"
TRUTH = "black"
DATA = "0.35"
IMAGES = ("#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#8C510A")
"""One per lensed image, repeated after five; colour-blind readers tell them apart (after Okabe & Ito 2008)."""

DPI = 150


def new_figure(width: float, height: float) -> Figure:
    """An empty figure of a size in inches, whose parts make room for one another."""
    layout = ConstrainedLayoutEngine(w_pad=0.08, h_pad=0.06)
    return SafeFigure(figsize=(width, height), dpi=DPI, layout=layout)


def value_range(*arrays: np.ndarray, clip: float = 1.0) -> tuple[float, float]:
    """The percentiles `clip` and 100 - `clip` of all finite values together; never empty."""
    values = np.concatenate([np.ravel(a) for a in arrays])
    values = values[np.isfinite(values)]
    if values.size == 0:
        return 0.0, 1.0
    low, high = np.percentile(values, [clip, 100.0 - clip])
    margin = 0.0 if high > low else max(abs(high), 1.0) * 1e-3
    return float(low - margin), float(high + margin)


def symmetric_range(values: np.ndarray, least: float = 3.0) -> tuple[float, float]:
    """A range around 0 that holds 99 % of |values| and reaches at least `least`."""
    size = np.abs(values[np.isfinite(values)])
    limit = max(least, float(np.percentile(size, 99.0)) if size.size else 0.0)
    return -limit, limit
