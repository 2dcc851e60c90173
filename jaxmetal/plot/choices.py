"""Gradients by what was chosen: calibrations, lines, dust law."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np
from matplotlib.figure import Figure

from jaxmetal.fluxmaps import Found, mixtures
from jaxmetal.plot.style import DATA, IMAGES, INTRINSIC, new_figure

ROW = 0.3
"""Height of a choice, inches."""


def choices(found: Sequence[Found], kpc_per_arcsec: float | None = None) -> Figure:
    """A slope per row, its own error thick and the one with what all spectra share thin, and all together by lines.

    Args:
        found: of `fluxmaps.by_choice`; those without a slope are left out.
        kpc_per_arcsec: adds an axis in dex/kpc.
    """
    shown = [one for one in found if np.isfinite(one.slope)]
    groups = {one.lines: one for one in mixtures(shown)}
    figure = new_figure(7.6, 1.8 + ROW * (len(shown) + 2 * len(groups)))
    ax = figure.subplots()
    labels, row = {}, 0
    for k, (lines, together) in enumerate(groups.items()):
        colour = IMAGES[k % len(IMAGES)]
        first = row
        for one in (one for one in shown if one.lines == lines):
            at = one.slope
            ax.errorbar(at, row, xerr=one.error, fmt="none", ecolor=DATA, elinewidth=1.0, capsize=2.5)
            ax.errorbar(at, row, xerr=one.own, fmt="none", ecolor=colour, elinewidth=4.0, alpha=0.6)
            ax.plot(at, row, "o", color=colour, ms=3.0 + 6.0 * np.sqrt(one.weight), mec="black", mew=0.6, zorder=4)
            labels[row] = f"{one.calibrations}, {one.law}: {one.weight:.2f}"
            row += 1
        low, high = (together.slope + sign * together.error for sign in (-1.0, 1.0))
        ax.fill_betweenx([first - 0.5, row + 0.5], low, high, color=INTRINSIC, alpha=0.15, lw=0)
        ax.plot([together.slope] * 2, [first - 0.5, row + 0.5], color=INTRINSIC, lw=1.2)
        labels[row] = f"together: {together.slope:+.3f} ± {together.error:.3f}\n{' + '.join(lines)}"
        row += 2
    ax.set_yticks(list(labels), list(labels.values()), fontsize=9)
    ax.set_ylim(row - 1.2, -0.8)
    ax.axvline(0.0, color="black", ls=":", lw=1.0)
    ax.locator_params(axis="x", nbins=6)
    ax.set_xlabel("slope of 12 + log(O/H) [dex/arcsec]")
    if kpc_per_arcsec is not None:
        kpc = ax.secondary_xaxis(
            "top", functions=(partial(np.multiply, 1.0 / kpc_per_arcsec), partial(np.multiply, kpc_per_arcsec))
        )
        kpc.set_xlabel("[dex/kpc]")
    figure.suptitle("weight by evidence; thick: own error, thin: with what all spectra share", fontsize=9)
    return figure
