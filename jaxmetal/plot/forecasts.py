"""Errors of a gradient that a plan promises."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FormatStrFormatter, NullLocator

from jaxmetal.plot.style import DATA, IMAGES, new_figure


def forecast(table: Mapping[str, Any], simulated: Mapping[str, Any] | None = None) -> Figure:
    """Error of the gradient against FWHM / R_e; a line per signal-to-noise, a panel per pixel size.

    Args:
        table: columns of `jaxmetal.planning.forecast`.
        simulated: the same columns with `error` from fits of simulated data, drawn as points.
    """
    pixels, levels = np.unique(table["pixels_per_r_eff"]), np.unique(table["snr"])
    figure = new_figure(1.6 + 3.2 * len(pixels), 3.8)
    axes = figure.subplots(1, len(pixels), sharex=True, sharey=True, squeeze=False).ravel()
    for ax, size in zip(axes, pixels, strict=True):
        for k, level in enumerate(levels):
            colour = IMAGES[k % len(IMAGES)]
            ax.plot(*_row(table, size, level), "-", color=colour, lw=1.8, label=f"Fisher, S/N {level:g}")
            if simulated is not None:
                x, y = _row(simulated, size, level)
                ax.plot(x, y, "o", color=colour, mec=DATA, ms=5, label=f"fits, S/N {level:g}" if x.size else None)
        ax.set(xscale="log", yscale="log", xlabel="PSF FWHM / R$_e$", title=f"{size:g} pixels per R$_e$")
        ax.title.set_fontsize(10)
        ax.xaxis.set_major_locator(FixedLocator(np.unique(table["fwhm_per_r_eff"]).tolist()))
        ax.xaxis.set_minor_locator(NullLocator())
        for axis in (ax.xaxis, ax.yaxis):
            axis.set_major_formatter(FormatStrFormatter("%g"))
    axes[0].set_ylabel("error of the gradient [dex/R$_e$]")
    handles: dict[str, Any] = {}
    for ax in axes:
        handles |= {label: handle for handle, label in zip(*ax.get_legend_handles_labels(), strict=True)}
    axes[-1].legend(
        handles.values(), handles.keys(), loc="center left", bbox_to_anchor=(1.01, 0.5), frameon=False, fontsize=9
    )
    return figure


def _row(table: Mapping[str, Any], pixels: float, snr: float) -> tuple[np.ndarray, np.ndarray]:
    """FWHM / R_e in ascending order and the finite errors."""
    x, y = np.asarray(table["fwhm_per_r_eff"], float), np.asarray(table["error"], float)
    here = (table["pixels_per_r_eff"] == pixels) & (table["snr"] == snr) & np.isfinite(y)
    order = np.argsort(x[here])
    return x[here][order], y[here][order]
