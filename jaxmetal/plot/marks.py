"""Marks on pictures of the sky: the compass and the size of the PSF."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.offsetbox import AnchoredOffsetbox, AuxTransformBox, DrawingArea, TextArea, VPacker
from matplotlib.patches import Circle, FancyArrowPatch, PathPatch
from matplotlib.path import Path
from matplotlib.patheffects import AbstractPathEffect, withStroke
from matplotlib.textpath import TextPath

from jaxmetal.numerics.grid import Grid

ARROW = 17.0
"""Length of the compass arrows, points."""

LETTER = 6.0
"""Distance from an arrow's tip to the middle of its letter, points."""

EMPTY = 0.5
"""Share of used pixels below which a corner is empty enough for a mark."""

HALO: list[AbstractPathEffect] = [withStroke(linewidth=2.0, foreground="white")]
"""A white rim, so that black marks are seen on any colour."""


def directions(grid: Grid) -> dict[str, np.ndarray]:
    """Unit vectors (right, up) of North and East on the pixel array drawn with columns to the right and rows up.

    A step s on the sky is matrix^-1 s in pixels, and pixels are drawn at their size in arcsec. Sky x points West.
    """
    inverse = np.linalg.inv(np.asarray(grid.matrix, float))
    drawn = {
        name: np.asarray(grid.steps, float) * (inverse @ step)
        for name, step in {"N": np.array([0.0, 1.0]), "E": np.array([-1.0, 0.0])}.items()
    }
    return {name: vector / np.hypot(*vector) for name, vector in drawn.items()}


def quiet_corners(used: np.ndarray) -> list[str]:
    """The four corners of a map as matplotlib names them, the best for marks first: those that are mostly empty.

    Then those with the most used pixels, since a mark on a few empty ones would hide that there are any.
    """
    ny, nx = (max(1, n // 3) for n in used.shape)
    corners = {
        "upper right": used[-ny:, -nx:],
        "lower left": used[:ny, :nx],
        "upper left": used[-ny:, :nx],
        "lower right": used[:ny, -nx:],
    }
    shares = {name: float(np.mean(part)) for name, part in corners.items()}
    return sorted(shares, key=lambda name: shares[name] if shares[name] < EMPTY else 2.0 - shares[name])


def compass(ax: Axes, grid: Grid, corner: str) -> None:
    """Arrows to the North and East in a corner."""
    vectors = directions(grid)
    ends = np.array([[0.0, 0.0], *((ARROW + LETTER) * vector for vector in vectors.values())])
    low, high = ends.min(axis=0) - LETTER, ends.max(axis=0) + LETTER
    area = DrawingArea(*(high - low), *(-low))
    for name, vector in vectors.items():
        tip, letter = ARROW * vector, (ARROW + LETTER) * vector
        arrow = FancyArrowPatch(
            (0.0, 0.0), tuple(tip), arrowstyle="-|>", mutation_scale=7, shrinkA=0, shrinkB=0, color="black", lw=1.1
        )
        arrow.set_path_effects(HALO)
        area.add_artist(arrow)
        # Snapped to pixels, as text with a rim would be, an E can lose a bar.
        outline = _centred(name, letter)
        area.add_artist(PathPatch(outline, label=name, facecolor="black", lw=0, snap=False, path_effects=HALO))
    _anchor(ax, area, corner)


def _centred(letter: str, at: np.ndarray) -> Path:
    """The outline of a letter, 8 points high, about a point."""
    outline = TextPath((0.0, 0.0), letter, size=8)
    box = outline.get_extents()
    return Path(outline.vertices + at - [0.5 * (box.x0 + box.x1), 0.5 * (box.y0 + box.y1)], outline.codes)


def psf_circle(ax: Axes, fwhm: float, corner: str) -> None:
    """A circle of the PSF's FWHM (arcsec) in a corner; the axes must be in arcsec."""
    disc = AuxTransformBox(ax.transData)
    circle = Circle(
        (0.0, 0.0), 0.5 * fwhm, facecolor="white", edgecolor="black", linewidth=0.8, hatch="/////", alpha=0.9
    )
    disc.add_artist(circle)
    text = TextArea("PSF", textprops={"fontsize": 7, "path_effects": HALO})
    _anchor(ax, VPacker(children=[disc, text], align="center", pad=0, sep=2), corner)


def _anchor(ax: Axes, box: Any, corner: str) -> None:
    ax.add_artist(AnchoredOffsetbox(loc=corner, child=box, frameon=False, pad=0.2, borderpad=0.2))
