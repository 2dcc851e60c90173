"""Strong-line calibrations as a likelihood uses them, with the measured ratios on them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from jaxmetal.lines import Ratio
from jaxmetal.plot.style import DATA, IMAGES, INTRINSIC, UNUSED, new_figure, value_range
from jaxmetal.spaxel.ratios import expected, measured

STEPS = 200
ACROSS = 3
"""Panels in a row."""


@dataclass(frozen=True, kw_only=True, eq=False)
class FittedSpectra:
    """Spectra and their posterior.

    Attributes:
        flux: shape (n, features), as observed.
        sigma: its errors.
        z: median of 12 + log(O/H), shape (n,).
        z_low, z_high: 16 and 84 %.
        a_v: median of A(V), mag, with which the ratios are dereddened.
    """

    flux: np.ndarray
    sigma: np.ndarray
    z: np.ndarray
    z_low: np.ndarray
    z_high: np.ndarray
    a_v: np.ndarray


def calibration_curves(likelihood: Any, shown: Mapping[str, FittedSpectra]) -> Figure:
    """A panel per calibrated ratio: its curve with the scatter, and the ratios of the spectra at their posterior Z.

    The curve is dashed, on grey, where a calibration of the likelihood is beyond its valid range. Errors of ratios are
    those of the fluxes; the uncertainty of A(V) is not in them. Ratios without a logarithm are left out, so that faint
    spectra seem to lie off the curve; and so are ratios of lines that were only measured blended with others.

    Args:
        likelihood: of `jaxmetal.spaxel`, with at least one calibration.
        shown: label -> spectra; the first set is grey, others are coloured.
    """
    z = np.linspace(float(likelihood.z_range[0]), float(likelihood.z_range[1]), STEPS)
    outside = np.asarray(likelihood.outside(z))
    curves = expected(likelihood, z)
    columns = min(ACROSS, len(curves))
    rows = -(-len(curves) // columns)
    figure = new_figure(3.1 * columns + 1.7, 2.9 * rows + 0.2)
    axes = figure.subplots(rows, columns, sharex=True, squeeze=False).ravel()
    points = {label: measured(likelihood, one.flux, one.sigma, one.a_v) for label, one in shown.items()}
    for i, (ax, curve) in enumerate(zip(axes, curves, strict=False)):
        _curve(ax, z, outside, curve.log_ratio, curve.scatter)
        values = [curve.log_ratio[~outside]]
        for k, (label, one) in enumerate(shown.items()):
            if curve.name in points[label]:
                ratio = points[label][curve.name]
                _points(ax, one, ratio.log_ratio, ratio.sigma, DATA if k == 0 else IMAGES[(k - 1) % len(IMAGES)], label)
                values.append(ratio.log_ratio)
        if not any(curve.name in of_set for of_set in points.values()):
            ax.text(0.5, 0.05, "lines measured in a blend", transform=ax.transAxes, ha="center", fontsize=9)
        low, high = value_range(np.concatenate(values), clip=0.5)
        ax.set(xlim=(z[0], z[-1]), ylim=(low - 0.15 * (high - low), high + 0.15 * (high - low)))
        ax.set_title(curve.name, fontsize=10)
        ax.set_ylabel(_label(curve.ratio), fontsize=9)
        ax.tick_params(labelbottom=i >= len(curves) - columns)
        ax.set_xlabel("12 + log(O/H) [dex]" if i >= len(curves) - columns else "")
    for ax in axes[len(curves) :]:
        ax.set_axis_off()
    _legend(figure, axes[: len(curves)], axes[columns - 1])
    return figure


def _label(ratio: Ratio) -> str:
    """Some ratios are sums of logarithms already."""
    return f"{ratio.label if 'log' in ratio.label else f'log {ratio.label}'} [dex]"


def _curve(ax: Axes, z: np.ndarray, outside: np.ndarray, value: np.ndarray, scatter: np.ndarray) -> None:
    across = ax.get_xaxis_transform()
    ax.fill_between(
        z, 0.0, 1.0, where=outside.tolist(), transform=across, color=UNUSED, alpha=0.4, lw=0, label="not calibrated"
    )
    ax.fill_between(
        z, value - scatter, value + scatter, color=INTRINSIC, alpha=0.2, lw=0, label="calibration, its scatter"
    )
    ax.plot(z, np.where(outside, np.nan, value), color=INTRINSIC, lw=1.8, label="calibration", zorder=3)
    ax.plot(z, np.where(outside, value, np.nan), "--", color=INTRINSIC, lw=1.3, zorder=3)


def _points(ax: Axes, at: FittedSpectra, value: np.ndarray, sigma: np.ndarray, colour: str, label: str) -> None:
    keep = np.isfinite(value) & np.isfinite(sigma) & np.isfinite(at.z)
    if not keep.any():
        return
    alpha = float(np.clip(60.0 / keep.sum(), 0.12, 0.9))
    across = np.stack([at.z - at.z_low, at.z_high - at.z])[:, keep]
    ax.errorbar(
        at.z[keep], value[keep], sigma[keep], across, fmt="none", ecolor=colour, elinewidth=0.8, alpha=alpha, zorder=4
    )
    size = 3.2 if keep.sum() > 150 else 5.0
    ax.plot(at.z[keep], value[keep], "o", color=colour, ms=size, mec="white", mew=0.4, zorder=5, label=label)


def _legend(figure: Figure, axes: np.ndarray, beside: Axes) -> None:
    handles: dict[str, Any] = {}
    for ax in axes:
        handles |= {label: handle for handle, label in zip(*ax.get_legend_handles_labels(), strict=True)}
    beside.legend(
        handles.values(), handles.keys(), loc="center left", bbox_to_anchor=(1.02, 0.5), frameon=False, fontsize=9
    )
