"""Pictures of what line fluxes say: maps, corner plots of single spectra, calibrations with the data on them, radii."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from jaxmetal.edge.findings import Finding
from jaxmetal.fluxmaps import gradients
from jaxmetal.plot.curves import FittedSpectra, calibration_curves
from jaxmetal.plot.labels import Quantity
from jaxmetal.plot.marginals import beside
from jaxmetal.plot.marginals import corner as draw_corner
from jaxmetal.plot.panels import Panel, map_panels
from jaxmetal.plot.picture import paint
from jaxmetal.plot.profile import Points, Profile, radial_profile
from jaxmetal.plot.saved import save_each
from jaxmetal.plot.style import DIVERGING, IMAGES, NAIVE, new_figure
from jaxmetal.spaxel import Apart, joint

Z = Quantity("12 + log(O/H)", "dex")
A_V = Quantity("A$_V$", "mag")
SFR = Quantity("log SFR", "M$_\\odot$/yr")
SFR_DENSITY = Quantity("log $\\Sigma_{\\rm SFR}$", "M$_\\odot$/yr/kpc$^2$")
ANNULI = 6
"""Groups of spaxels for the lines through annuli."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Region:
    """Fluxes summed over a part of a galaxy, and their posterior.

    Attributes:
        flux: shape (features,).
        sigma: its errors.
        found: columns of `spaxel.posterior`, a number each.
        spaxels: how many are summed.
        radius: least and largest source radius of its spaxels, arcsec, or None.
        sfr_per_hb: star-formation rate of one unit of intrinsic Hb, solar masses per year, demagnified; None for Hb.
    """

    flux: np.ndarray
    sigma: np.ndarray
    found: Mapping[str, Any]
    spaxels: float = 1.0
    radius: tuple[float, float] | None = None
    sfr_per_hb: float | None = None


@dataclass(frozen=True, kw_only=True, eq=False)
class LineFit:
    """Line fluxes of a galaxy, and what a likelihood says of them.

    Attributes:
        likelihood: of `jaxmetal.spaxel`.
        flux: of spaxels, shape (ny, nx, features), or of bins or rows of a table, (n, features).
        sigma: its errors.
        found: columns of `spaxel.posterior`, without the last axis of the fluxes; also `sfr_density`, solar masses per
            year and kpc^2, if known.
        grid: the spaxels on the sky; None for a table alone, of which there are no maps.
        bins: `Bins` of the spaxels; None for spaxels and for a table alone.
        used: True for spectra that count for gradients, shaped as the columns; those with a line by default.
        radius: deprojected radius of each spectrum in the source, arcsec, shaped as the columns; None if unknown.
        kpc_per_arcsec: scale at the source, or None.
        errors: of Z of the spectra that count (`spaxel.apart`); None: whole ones, none shared.
        flux_unit: unit of the fluxes.
        regions: name -> region.
    """

    likelihood: Any
    flux: np.ndarray
    sigma: np.ndarray
    found: Mapping[str, Any]
    grid: Any = None
    bins: Any = None
    used: Any = None
    radius: Any = None
    kpc_per_arcsec: float | None = None
    errors: Apart | None = None
    flux_unit: str = "unit of the fluxes"
    regions: Mapping[str, Region] = field(default_factory=dict)

    @property
    def known(self) -> np.ndarray:
        """Which spectra have a line at all."""
        return np.asarray(self.found["lines"]) > 0

    def column(self, name: str) -> np.ndarray:
        """A column of the posterior, NaN where there is no line or no such column."""
        values = np.asarray(self.found.get(name, np.nan), float)
        return np.where(self.known, values, np.nan)

    @property
    def counted(self) -> np.ndarray:
        """Which spectra count for gradients: used, with a line and a radius."""
        used = self.known if self.used is None else self.known & np.asarray(self.used)
        return used & np.isfinite(self.radius)

    @property
    def z_sigma(self) -> np.ndarray:
        """Whole error of Z, dex."""
        return self.column("z_sigma")

    @property
    def told(self) -> np.ndarray:
        """Which spectra are shown: those used; all with a line where none is."""
        used = self.known if self.used is None else self.known & np.asarray(self.used)
        return used if used.any() else self.known

    def shown(self, name: str) -> np.ndarray:
        """A column of the spectra that are shown, NaN of others."""
        return np.where(self.told, self.column(name), np.nan)


def maps(fit: LineFit) -> Figure:
    """Z, its error and what of it all share, A(V), star formation and the probability of the upper branch, of a map.

    Those that there are, of spectra that are used: what says nothing on Z would show the prior.
    """
    shown = [
        Panel(fit.shown("z"), Z),
        Panel(fit.shown("z_statistical"), Quantity("own error of 12 + log(O/H)", "dex")),
        Panel(fit.shown("z_shared"), Quantity("shared error of 12 + log(O/H)", "dex")),
        Panel(fit.shown("a_v"), A_V),
        Panel(_log10(fit.shown("sfr_density")), SFR_DENSITY),
        Panel(fit.shown("p_upper"), Quantity("P(upper branch)", ""), DIVERGING, (0.0, 1.0)),
    ]
    known = [one._replace(values=paint(one.values, bins=fit.bins)) for one in shown if np.isfinite(one.values).any()]
    return map_panels(known, fit.grid)


def corner(fit: LineFit, name: str) -> Figure:
    """Z, A(V) and log Hb, or star formation where it is known, of a region; a dotted line parts the branches of Z.

    An A(V) that is not free is left out, and draws of Hb that are not positive, which have no logarithm.
    """
    region = fit.regions[name]
    drawn = joint(fit.likelihood.summed(region.spaxels), region.flux, region.sigma)
    last, per_hb = Quantity("log H$\\beta$", fit.flux_unit), 1.0
    if region.sfr_per_hb is not None:
        last, per_hb = SFR, region.sfr_per_hb
    columns = {Z: drawn["z"], A_V: drawn["a_v"], last: _log10(drawn["hb"] * per_hb)}
    columns = {quantity: values for quantity, values in columns.items() if _varies(values)}
    finite = np.isfinite(np.stack(list(columns.values()))).all(axis=0)
    labelled = {str(quantity): values[finite] for quantity, values in columns.items()}
    figure = draw_corner(labelled)
    turnover, upper = float(fit.likelihood.turnover), float(region.found["p_upper"])
    if np.isfinite(turnover) and Z in columns:
        for ax in figure.axes:
            place = ax.get_subplotspec()
            if place is not None and place.colspan.start == 0:
                ax.axvline(turnover, color="black", ls=":", lw=1.0)
    beside(figure, name if np.isnan(upper) else f"{name}: P(upper branch) = {upper:.2f}")
    return figure


def calibrations(fit: LineFit) -> Figure:
    """The calibrations of the likelihood, with the ratios of spaxels and regions on them."""
    names = ("z", "z_low", "z_high", "a_v")
    there = fit.told
    spaxels = FittedSpectra(
        flux=np.asarray(fit.flux)[there], sigma=np.asarray(fit.sigma)[there], **{n: fit.column(n)[there] for n in names}
    )
    shown = {"spectra": spaxels}
    for name, one in fit.regions.items():
        shown[name] = FittedSpectra(
            flux=np.atleast_2d(one.flux),
            sigma=np.atleast_2d(one.sigma),
            **{n: np.atleast_1d(np.asarray(one.found[n], float)) for n in names},
        )
    return calibration_curves(fit.likelihood, shown)


def radial(fit: LineFit) -> Figure:
    """Z of the spectra that count against their source radius, straight lines through them, and the regions."""
    errors = Apart(fit.z_sigma, {}) if fit.errors is None else fit.errors
    columns = fit.radius, fit.column("z"), errors.sigma, *errors.shared.values()
    radius, z, sigma, *shared = (np.asarray(one)[fit.counted] for one in columns)
    ax = new_figure(8.2, 4.4).subplots()
    reach = np.linspace(0.0, 1.04 * float(radius.max()), 50)
    if np.unique(radius).size > 2:
        found = gradients(radius, z, sigma, shared=shared, count=max(1, radius.size // ANNULI))
        _line(ax, reach, found["spaxels, WLS"], "weighted", "-", fit.kpc_per_arcsec)
        _line(ax, reach, found["annuli, OLS"], "annuli, unweighted", "--", fit.kpc_per_arcsec)
    for k, (name, region) in enumerate(fit.regions.items()):
        low, high = (reach[0], reach[-1]) if region.radius is None else region.radius
        colour = IMAGES[k % len(IMAGES)]
        at, below, above = (float(region.found[end]) for end in ("z", "z_low", "z_high"))
        ax.fill_between([low, high], below, above, color=colour, alpha=0.25, lw=0, zorder=3)
        ax.plot([low, high], [at, at], color=colour, lw=2.0, zorder=4, label=name)
    points = Points(radius=radius, value=z, sigma=sigma)
    return radial_profile(Profile(points=points, quantity=Z, kpc_per_arcsec=fit.kpc_per_arcsec), ax)


def pictures(fit: LineFit) -> dict[str, Callable[[], Figure]]:
    """What draws each picture that these data allow, by the names of their files."""
    drawn: dict[str, Callable[[], Figure]] = {}
    if fit.grid is not None:
        drawn["maps"] = partial(maps, fit)
    if getattr(fit.likelihood, "emission", fit.likelihood).calibrations:
        drawn["calibrations"] = partial(calibrations, fit)
    if fit.radius is not None and fit.counted.any():
        drawn["radius"] = partial(radial, fit)
    for k, (name, region) in enumerate(fit.regions.items(), start=1):
        if region.found["lines"] > 0:
            drawn[f"corner_{k}_{re.sub(r'[^A-Za-z0-9]+', '_', name)}"] = partial(corner, fit, name)
    return drawn


def figures(fit: LineFit) -> dict[str, Figure]:
    """All pictures that these data allow, by the names of their files."""
    return {name: draw() for name, draw in pictures(fit).items()}


def write(folder: str | Path, fit: LineFit) -> list[Finding]:
    """Writes all pictures as PNG into a folder, which must exist; a warning for each that could not be drawn."""
    return save_each(pictures(fit), folder)


def _line(ax: Axes, radius: np.ndarray, line: Any, how: str, style: str, kpc: float | None) -> None:
    """A straight line with its 1 sigma band."""
    value = line.central + line.slope * radius
    c = line.covariance
    width = np.sqrt(c[0, 0] + 2.0 * radius * c[0, 1] + radius**2 * c[1, 1])
    slope = f"{line.slope:+.3f} ± {line.slope_error:.3f} dex/arcsec"
    if kpc is not None:
        slope += f",\n{line.slope / kpc:+.4f} ± {line.slope_error / kpc:.4f} dex/kpc"
    ax.plot(radius, value, style, color=NAIVE, lw=1.6, zorder=5, label=f"{how}:\n{slope}")
    ax.fill_between(radius, value - width, value + width, color=NAIVE, alpha=0.2, lw=0, zorder=2)


def _varies(values: np.ndarray) -> bool:
    finite = values[np.isfinite(values)]
    return bool(finite.size) and bool(np.ptp(finite) > 0.0)


def _log10(values: np.ndarray) -> np.ndarray:
    """NaN where not positive."""
    positive = values > 0.0
    return np.where(positive, np.log10(np.where(positive, values, 1.0)), np.nan)
