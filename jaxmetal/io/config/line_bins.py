"""Line maps in bins: maps that are constant in each, as sums over its pixels."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from jaxmetal.edge.bins import per_bin
from jaxmetal.edge.errors import InputError
from jaxmetal.instrument.bins import Bins
from jaxmetal.io.config.context import Context
from jaxmetal.io.config.pixels import bins_of
from jaxmetal.io.config.table import choose
from jaxmetal.io.fits import Map

KEYS = ("bins", "bin_values")
MEANINGS = ("mean", "sum")
"""What fluxes and errors of a bin are: of its mean pixel, or of all together."""


class InBins(NamedTuple):
    """How maps become one number for each bin; as they are without bins.

    Attributes:
        bins: of the pixels, or None.
        times: number of pixels that the fluxes of each bin stand for.
    """

    bins: Bins | None
    times: np.ndarray

    def flux(self, name: str, values: np.ndarray) -> np.ndarray:
        """Sums over bins of fluxes or errors, (n,), NaN where a pixel of a bin is.

        Args:
            name: of the map, for the sentence.
            values: shape (ny, nx).

        Raises:
            InputError: if they vary within a bin.
        """
        return self.times * self.value(name, values) if self.bins is not None else values

    def value(self, name: str, values: np.ndarray) -> np.ndarray:
        """Values of bins; arguments and errors as of `flux`."""
        if self.bins is None:
            return values
        labels = np.asarray(self.bins.labels)
        inside = labels >= 0
        lost = np.bincount(labels[inside], weights=np.isnan(values[inside]), minlength=self.bins.n)
        return np.where(lost == 0, per_bin(name, values, labels, self.bins.n), np.nan)


def in_bins(table: dict[str, Any], where: str, first: Map, context: Context) -> InBins:
    """What `bins` and `bin_values` of a table ask for.

    Raises:
        InputError: if only one of both is there, or the bins cannot be used.
    """
    if "bins" not in table:
        if "bin_values" in table:
            raise InputError(f"{where}.bin_values: expected bins beside it, found none; add them, or remove it.")
        return InBins(None, np.ones(0))
    meaning = choose(table.get("bin_values"), f"{where}.bin_values", MEANINGS)
    bins = bins_of(table, where, first, context).bins
    labels = np.asarray(bins.labels)
    count = np.bincount(labels[labels >= 0], minlength=bins.n).astype(float)
    return InBins(bins, count if meaning == "mean" else np.ones(bins.n))
