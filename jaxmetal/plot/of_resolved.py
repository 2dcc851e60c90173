"""Resolved main sequence, mass-metallicity relation, and what is left of both."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from jaxmetal.edge.findings import Finding
from jaxmetal.plot.saved import save_each
from jaxmetal.plot.style import DATA, IMAGES, new_figure
from jaxmetal.population import Relation
from jaxmetal.sourceplane.resolved import ResolvedRelations

SHOWN = 4
"""Images of the source, at most."""
POINTS: dict[str, Any] = {"fmt": "o", "ms": 4, "lw": 0.7, "color": DATA, "mec": "white", "mew": 0.3, "zorder": 3}
"""How places are drawn, with error bars."""
MASS = r"$\log\,\Sigma_\ast$ [$M_\odot$ kpc$^{-2}$]"
RATE = r"$\log\,\Sigma_{\rm SFR}$ [$M_\odot$ yr$^{-1}$ kpc$^{-2}$]"


def resolved_figure(found: Mapping[int, ResolvedRelations]) -> Figure:
    """A row per image of the source: places, lines with their 68 % bands, and the residuals of both.

    Args:
        found: of `sourceplane.resolved`, those that have relations.
    """
    rows = dict(list(found.items())[:SHOWN])
    figure = new_figure(11.5, 3.6 * max(1, len(rows)))
    axes = figure.subplots(max(1, len(rows)), 3, squeeze=False)
    for k, (row, (name, one)) in enumerate(zip(axes, rows.items(), strict=False)):
        places = one.places
        if one.relations is None:
            continue
        colour = IMAGES[k % len(IMAGES)]
        measured = (places.log_sfr, places.log_sfr_error), (places.z, places.z_error)
        for ax, (title, relation, ranks), (values, errors) in zip(row, one.named, measured, strict=False):
            ax.errorbar(places.log_mass, values, errors, places.log_mass_error, **POINTS)
            _line(ax, relation, places.log_mass, colour)
            ax.set_title(f"resolved {title}\nSpearman {ranks.observed:+.2f}, p = {ranks.p_value:.1g}", fontsize=9)
            ax.set_xlabel(MASS)
        row[0].set_ylabel(f"image {name}\n{RATE}")
        row[1].set_ylabel("12 + log(O/H) [dex]")
        _left(row[2], one)
    return figure


def write(folder: str | Path, found: Mapping[int, ResolvedRelations]) -> list[Finding]:
    """Writes relations.png into a folder, which must exist, if there are any; a warning if it could not be drawn."""
    drawn = {name: one for name, one in found.items() if one.relations is not None}
    return save_each({"relations": partial(resolved_figure, drawn)}, folder) if drawn else []


def _line(ax: Axes, relation: Relation, mass: np.ndarray, colour: str) -> None:
    ends = np.linspace(mass.min(), mass.max(), 40)
    low, middle, high = np.quantile(relation.line("x", ends), [0.16, 0.5, 0.84], axis=0)
    slope = relation.flat()["slope.x"]
    ax.fill_between(ends, low, high, color=colour, alpha=0.35, lw=0, zorder=1)
    ax.plot(ends, middle, color=colour, lw=2.0, zorder=2, label=f"slope {np.median(slope):+.2f} ± {np.std(slope):.2f}")
    ax.legend(fontsize=8, loc="best")


def _left(ax: Axes, one: ResolvedRelations) -> None:
    """Residuals of metallicity against those of star formation."""
    if one.relations is None:
        return
    first, second = one.relations.residuals
    ax.axhline(0.0, color="0.8", lw=0.8, zorder=0)
    ax.axvline(0.0, color="0.8", lw=0.8, zorder=0)
    ax.errorbar(first.values, second.values, second.sigma, first.sigma, **POINTS)
    ranks = one.relations.spearman
    ax.set_title(
        f"residuals of the two\nSpearman {ranks.observed:+.2f}, p = {ranks.p_value:.1g}\n"
        f"shared errors alone {one.relations.by_shared_errors:+.2f}",
        fontsize=9,
    )
    ax.set_xlabel(r"$\Delta\log\,\Sigma_{\rm SFR}$ [dex]")
    ax.set_ylabel(r"$\Delta$(12 + log(O/H)) [dex]")
