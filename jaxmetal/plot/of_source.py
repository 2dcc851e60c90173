"""A galaxy on the sky and on the source's plane, with PSF, annuli and the profile (as Curti et al. 2020, Fig. 7)."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Ellipse as Oval

from jaxmetal.edge.findings import Finding
from jaxmetal.numerics.grid import Grid
from jaxmetal.plot.labels import Quantity
from jaxmetal.plot.marks import HALO
from jaxmetal.plot.picture import colour_bar, draw, draw_on_sky
from jaxmetal.plot.saved import save_each
from jaxmetal.plot.style import DATA, IMAGES, SEQUENTIAL, Scale, new_figure, scale_of
from jaxmetal.sourceplane.ellipse import Ellipse
from jaxmetal.sourceplane.galaxy import ImageOfSource, MeasuredSource

SHOWN = 4
"""Images of the source, at most."""
FEW_RINGS = 12
"""Annuli whose edges are drawn, at most."""


def source_figure(
    measured: MeasuredSource, grid: Grid, light: np.ndarray, shown: Quantity, kpc_per_arcsec: float
) -> Figure:
    """The image, each image of the source on its plane, and metallicity against radius.

    Args:
        measured: of `sourceplane.galaxy.measure_source`.
        grid: pixels of the image.
        light: where the light is, shape (ny, nx).
        shown: what that is, and its unit.
        kpc_per_arcsec: at the source.
    """
    images = dict(list(measured.images.items())[:SHOWN])
    columns = 1 + len(images)
    figure = new_figure(3.6 * max(columns, 2), 6.6)
    parts = figure.subfigures(2, 1, squeeze=False)[:, 0]
    axes = parts[0].subplots(1, columns, squeeze=False)[0]
    scale = _sky(axes[0], measured, grid, light, shown)
    for k, (name, one) in enumerate(images.items()):
        _plane(axes[1 + k], one, f"image {name}: source plane", IMAGES[k % len(IMAGES)], scale)
    _profiles(parts[1].subplots(), images, measured, kpc_per_arcsec)
    return figure


def write(
    folder: str | Path, measured: MeasuredSource, grid: Grid, light: np.ndarray, shown: Quantity, kpc_per_arcsec: float
) -> list[Finding]:
    """Writes source.png into a folder, which must exist; a warning if it could not be drawn."""
    return save_each({"source": partial(source_figure, measured, grid, light, shown, kpc_per_arcsec)}, folder)


def _sky(ax: Axes, measured: MeasuredSource, grid: Grid, light: np.ndarray, shown: Quantity) -> Scale:
    """All images, with North up; its colours, which surface brightness keeps on the source's plane."""
    values = np.where(measured.labels > 0, light, np.nan)
    scale = scale_of(values)
    image = draw_on_sky(ax, values, grid, scale.norm, SEQUENTIAL)
    colour_bar(ax, image, str(shown), scale)
    ax.set_title("image plane", fontsize=10)
    return scale


def _plane(ax: Axes, one: ImageOfSource, title: str, colour: str, scale: Scale) -> None:
    """The light on the source's plane with annuli, and the PSF beside it."""
    grid = one.made.grid
    draw(ax, one.light, grid, scale.norm, SEQUENTIAL)
    ax.set_title(title, fontsize=10, color=colour)
    limits = ax.get_xlim(), ax.get_ylim()
    size = float(one.psf.mean)
    for edge in one.profile.outer[one.profile.known][:FEW_RINGS]:
        oval = _oval(one.shape.scaled(2.0 * float(edge) / size), one.centre)
        oval.set(facecolor="none", edgecolor="white", linewidth=0.7)
        ax.add_patch(oval)
    ny, nx = grid.shape
    step = float(grid.steps[0])
    low = np.asarray(grid.origin, float) - 0.5 * step
    corner = low + 0.5 * float(one.psf.major) + 0.03 * step * np.array([nx, ny])
    ax.locator_params(nbins=5)
    beam = _oval(one.psf, (float(corner[0]), float(corner[1])))
    beam.set(facecolor="white", edgecolor="black", hatch="/////", linewidth=0.8, alpha=0.9)
    ax.add_patch(beam)
    ax.plot(*one.centre, "+", color="black", markersize=8, path_effects=HALO)
    ax.set_xlim(limits[0])
    ax.set_ylim(limits[1])


def _oval(ellipse: Ellipse, centre: tuple[float, float]) -> Oval:
    """On axes whose x points West to the right: a position angle turns from up to the left."""
    return Oval(centre, float(ellipse.minor), float(ellipse.major), angle=float(ellipse.pa))


def _profiles(ax: Axes, images: dict[int, ImageOfSource], measured: MeasuredSource, kpc: float) -> None:
    reach = max([one.profile.reach for one in images.values()] + [1e-3]) * kpc
    for k, (name, one) in enumerate(images.items()):
        colour, known = IMAGES[k % len(IMAGES)], one.profile.known
        label = f"image {name} ({one.verdict})"
        if one.line is not None:
            label += f": {one.line.slope / kpc:+.3f} ± {one.line.slope_error / kpc:.3f} dex/kpc"
            ends = np.array([0.0, reach])
            ax.plot(ends, one.line.central + one.line.slope * ends / kpc, color=colour, lw=1.5)
        ax.errorbar(
            one.profile.radius[known] * kpc, one.profile.z[known], one.profile.error[known],
            fmt="o", color=colour, ms=4, capsize=2, label=label,
        )  # fmt: skip
        ax.axvline(0.5 * float(one.psf.mean) * kpc, color=colour, ls=":", lw=1.0)
    if measured.in_image is not None:
        profile, line = measured.in_image
        known = profile.known
        text = "annuli in the image" + (
            "" if line is None else f": {line.slope / kpc:+.3f} ± {line.slope_error / kpc:.3f} dex/kpc"
        )
        ax.errorbar(
            profile.radius[known] * kpc, profile.z[known], profile.error[known],
            fmt="s", mfc="white", color=DATA, ms=4, capsize=2, label=text,
        )  # fmt: skip
    ax.set_xlabel("elliptical radius of the annuli on the source's plane [kpc]")
    ax.set_ylabel("12 + log(O/H) [dex]")
    ax.plot([], [], ":", color="black", label="half width of the PSF at the source, in the image's colour")
    ax.legend(fontsize=8, loc="best")
