"""The radial profile: what the data seem to say, and what the galaxy is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from jaxmetal.classical import annuli
from jaxmetal.plot.labels import Quantity
from jaxmetal.plot.marks import HALO
from jaxmetal.plot.style import DATA, IMAGES, INTRINSIC, NAIVE, TRUTH, new_figure, value_range

ANNULI = 15
"""Annuli in which the blurred model is averaged, at most."""
AXIS_SPACING = 36.0
"""Distance between the axes above the profile, points."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Points:
    """Data against the radius at which each pixel or bin seems to lie; all 1-D, of one length.

    Attributes:
        radius: deprojected radius in the source's plane, traced through the lens where there is one, arcsec.
        value: data.
        sigma: their standard deviations.
        image: number of the lensed image that each belongs to, from 1, 0 for none; or None.
        model: what the model predicts for each, blurred as the data are, or None.
    """

    radius: np.ndarray
    value: np.ndarray
    sigma: np.ndarray
    image: np.ndarray | None = None
    model: np.ndarray | None = None


@dataclass(frozen=True, kw_only=True, eq=False)
class Band:
    """The intrinsic profile and its uncertainty, 1-D arrays of one length.

    Attributes:
        radius: deprojected, arcsec.
        low, median, high: 16th, 50th and 84th percentile of the posterior; None where there are no draws.
        best: at the maximum of the posterior (MAP), or None.
        truth: what was put in, for simulated data, or None.
    """

    radius: np.ndarray
    low: np.ndarray | None = None
    median: np.ndarray | None = None
    high: np.ndarray | None = None
    best: np.ndarray | None = None
    truth: np.ndarray | None = None

    @classmethod
    def of(cls, radius: np.ndarray, draws: np.ndarray, best: np.ndarray | None = None) -> Band:
        """The percentiles of posterior profiles of shape (n draws, n radii)."""
        low, median, high = np.percentile(np.asarray(draws), [16.0, 50.0, 84.0], axis=0)
        return cls(radius=np.asarray(radius), low=low, median=median, high=high, best=best)


@dataclass(frozen=True, kw_only=True, eq=False)
class Profile:
    """All that a radial profile shows.

    Attributes:
        points: the naive points; None where data are no values of it.
        quantity: what it shows.
        band: the intrinsic profile, or None.
        line: naive line, anything with `central` and `slope` (per arcsec), or None.
        psf_half_width: half the PSF's FWHM as it is seen at the source, arcsec, or None.
        lensed: whether a lens makes it another than on the sky, which its label then says.
        kpc_per_arcsec: scale at the source; adds an axis in kpc.
        r_eff: half-light radius along the major axis, arcsec; adds an axis in R_e.
    """

    points: Points | None
    quantity: Quantity
    band: Band | None = None
    line: Any = None
    psf_half_width: float | None = None
    lensed: bool = False
    kpc_per_arcsec: float | None = None
    r_eff: float | None = None


def radial_profile(profile: Profile, ax: Axes | None = None) -> Figure | Any:
    """Draws the profile in `ax`, or in a new figure, and returns the figure; the legend stands at the right."""
    ax = new_figure(7.6, 4.4).subplots() if ax is None else ax
    if profile.points is not None:
        _points(ax, profile.points)
        if profile.points.model is not None:
            _blurred(ax, profile.points, profile.points.model)
    if profile.line is not None:
        reach = np.array([0.0, _reach(profile)])
        ax.plot(
            reach,
            profile.line.central + profile.line.slope * reach,
            color=NAIVE,
            lw=1.8,
            zorder=5,
            label="naive line (WLS)",
        )
    if profile.band is not None:
        _band(ax, profile.band)
    _frame(ax, profile)
    if profile.psf_half_width is not None:
        where = " in the source plane" if profile.lensed else ""
        _psf_bar(ax, profile.psf_half_width, where, bottom=_falls(profile))
    _more_axes(ax, profile)
    ax.legend(loc="center left", bbox_to_anchor=(1.01, 0.5), frameon=False, fontsize=9)
    return ax.figure


def _points(ax: Axes, points: Points) -> None:
    keep = np.isfinite(points.radius) & np.isfinite(points.value) & np.isfinite(points.sigma)
    image = np.zeros(keep.shape, int) if points.image is None else np.asarray(points.image)
    alpha = float(np.clip(60.0 / max(keep.sum(), 1), 0.12, 0.7))
    size = 3.2 if keep.sum() > 150 else 5.0
    for i, number in enumerate(np.unique(image[keep])):
        shown = keep & (image == number)
        colour = IMAGES[i % len(IMAGES)] if number > 0 else DATA
        radius, value, sigma = points.radius[shown], points.value[shown], points.sigma[shown]
        ax.errorbar(radius, value, sigma, fmt="none", ecolor=colour, elinewidth=0.7, alpha=alpha, zorder=1)
        label = f"data, image {number}" if number > 0 else "data"
        ax.plot(radius, value, "o", color=colour, ms=size, mec="white", mew=0.3, zorder=2, label=label)


def _blurred(ax: Axes, points: Points, model: np.ndarray) -> None:
    """The model as the instrument records it: its mean in annuli of equally many data."""
    shown = np.isfinite(points.radius + points.value + points.sigma + model)
    if shown.sum() < 2:
        return
    rings = annuli(points.radius, model, points.sigma, used=shown, count=max(1, int(np.ceil(shown.sum() / ANNULI))))
    ax.plot(rings.radius, rings.mean, "-.", color=INTRINSIC, lw=1.8, zorder=5, label="model, blurred\nlike the data")


def _band(ax: Axes, band: Band) -> None:
    if band.low is not None and band.high is not None:
        ax.fill_between(
            band.radius, band.low, band.high, color=INTRINSIC, alpha=0.35, lw=0, zorder=3, label="intrinsic, 16 to 84 %"
        )
    if band.median is not None:
        ax.plot(band.radius, band.median, color=INTRINSIC, lw=2.0, zorder=4, label="intrinsic, median")
    if band.best is not None:
        ax.plot(band.radius, band.best, ":", color="black", lw=1.5, zorder=5, label="intrinsic, MAP")
    if band.truth is not None:
        ax.plot(band.radius, band.truth, "--", color=TRUTH, lw=1.8, zorder=6, label="truth")


def _frame(ax: Axes, profile: Profile) -> None:
    """Limits that stray points do not stretch, and labels."""
    low, high = (np.inf, -np.inf) if profile.points is None else value_range(profile.points.value, clip=0.5)
    if profile.band is not None:
        lines = (profile.band.low, profile.band.high, profile.band.best, profile.band.truth)
        drawn = [one for one in lines if one is not None]
        low, high = float(np.min([low, *map(np.min, drawn)])), float(np.max([high, *map(np.max, drawn)]))
    margin = 0.12 * (high - low)
    ax.set(xlim=(0.0, _reach(profile)), ylim=(low - margin, high + margin))
    ax.set_xlabel("deprojected radius R [arcsec]")
    ax.set_ylabel(str(profile.quantity))


def _reach(profile: Profile) -> float:
    if profile.points is not None:
        return 1.04 * value_range(profile.points.radius, clip=0.0)[1]
    return 1.0 if profile.band is None else float(profile.band.radius[-1])


def _falls(profile: Profile) -> bool:
    """Whether the values decrease outwards, which leaves the lower left corner free."""
    shown = None if profile.band is None else profile.band.best if profile.band.median is None else profile.band.median
    if shown is not None:
        return bool(shown[-1] <= shown[0])
    return profile.line is None or profile.line.slope <= 0.0


def _psf_bar(ax: Axes, half_width: float, where: str, bottom: bool) -> None:
    """A horizontal bar from near the centre, as long as the PSF's half-width."""
    height = 0.06 if bottom else 0.94
    start = 0.02 * ax.get_xlim()[1]
    across = ax.get_xaxis_transform()
    ax.plot([start, start + half_width], [height] * 2, "|-", color="black", lw=1.5, ms=7, transform=across, zorder=6)
    ax.annotate(
        f"PSF half-width{where} {half_width:.2g}″",
        (start, height),
        xycoords=across,
        xytext=(0, 6 if bottom else -6),
        textcoords="offset points",
        va="bottom" if bottom else "top",
        fontsize=8,
        path_effects=HALO,
        zorder=6,
    )


def _more_axes(ax: Axes, profile: Profile) -> None:
    """The radius in kpc and in R_e, above."""
    scales = {"R [kpc]": profile.kpc_per_arcsec, "R [R$_e$]": None if profile.r_eff is None else 1.0 / profile.r_eff}
    given = [(label, scale) for label, scale in scales.items() if scale is not None]
    for level, (label, scale) in enumerate(given):
        other = ax.twiny()
        other.set(xlim=scale * np.array(ax.get_xlim()), xlabel=label)
        other.spines["top"].set_position(("outward", AXIS_SPACING * level))
        other.tick_params(labelsize=9)
