"""Colours and the empty figure, the same in all pictures."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from matplotlib.colors import AsinhNorm, Normalize
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


class Scale(NamedTuple):
    """How numbers become colours.

    Attributes:
        norm: of matplotlib.
        text: what the label of the colours says of it; "" for a linear one.
        extend: ends of the bar of colours beyond which there are values.
        ticks: numbers at the colours, where matplotlib's own would crowd about zero; None for its own.
    """

    norm: Normalize
    text: str = ""
    extend: str = "both"
    ticks: tuple[float, ...] | None = None

    def bar(self) -> dict[str, Any]:
        """Keywords of matplotlib's bar of colours."""
        return {"extend": self.extend, "ticks": self.ticks, "format": None if self.ticks is None else "%g"}


def scale_of(*maps: np.ndarray, linear_below: float | None = None) -> Scale:
    """One scale for all maps: linear over the central 98 % of the values, or asinh from noise to the brightest core.

    asinh(flux / linear_below) of images of light is linear where noise rules, and logarithmic above (Lupton, Gunn &
    Szalay 1999, AJ 118, 1406).

    Args:
        maps: that share the colours.
        linear_below: the flux about which the one becomes the other, as that of the noise; None for a linear scale.
    """
    low, high = value_range(*maps)
    values = np.concatenate([np.ravel(one) for one in maps])
    values = values[np.isfinite(values)]
    if values.size and values.min() == values.max():
        return Scale(Normalize(low, high), ", the same everywhere", "neither", (float(values[0]),))
    if linear_below is None or not values.size:
        return Scale(Normalize(low, high))
    high = float(values.max())
    norm = AsinhNorm(linear_width=linear_below, vmin=low, vmax=high)
    return Scale(norm, ", asinh scale", "min", _ticks(linear_below, low, high))


def _ticks(linear_below: float, low: float, high: float) -> tuple[float, ...] | None:
    """Zero and round numbers on both sides that stand apart, where light rises well above the noise."""
    decades = np.log10(high / linear_below) if high > 3.0 * linear_below else 0.0
    steps = (1.0, 3.0) if decades < 3.0 else (1.0,)
    first, last = (int(np.floor(np.log10(end))) for end in (linear_below, max(high, linear_below)))
    sizes = [step * 10.0**power for power in range(first, last + 1) for step in steps]
    apart = [size for size in sizes if size >= 2.0 * linear_below]
    found = [*(-size for size in reversed(apart)), 0.0, *apart]
    return tuple(one for one in found if low <= one <= high) if decades else None
