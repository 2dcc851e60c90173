"""A lens known by several deflection maps, any of which may be the true one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

import jax
import jax.numpy as jnp
import numpy as np

from jaxmetal.edge.arrays import floats
from jaxmetal.edge.errors import InputError
from jaxmetal.edge.findings import Finding, Report
from jaxmetal.lens.check import check_map, jacobian
from jaxmetal.lens.tabulated import Tabulated
from jaxmetal.numerics.grid import Grid
from jaxmetal.numerics.tree import node, parameter, static

VARIANCE = 0.999
"""Share of the members' variance that modes keep where nothing is said."""
ALIKE = 1e-12
"""Variance of a mode, over that of the first, below which it is round-off; its square for that of all, over maps^2."""


@node
class Ensemble:
    """Deflection maps by their mean and the directions in which they differ.

        alpha = scale (amplitude mean + sum_k weights_k modes_k)

    Modes are the principal components of the members (`from_members`), each as large as one standard deviation, so that
    weights with the prior Normal(0, 1) have the members' covariance. The deflection is linear in weights and amplitude:
    a fit keeps it as arrays times numbers. Other departures are deflectors of their own, which add: `Shear`, `Sheet`,
    `RegionShift`; the offset of a mosaic from the maps is the registration `dx`, `dy` of an observation.

    Attributes:
        mean: of the members, arcsec to the West and to the North, shape (2, ny, nx).
        modes: likewise, shape (n, 2, ny, nx).
        grid: where the pixels of the maps lie.
        weights: of the modes, shape (n,).
        amplitude: factor on the mean, beside what the members allow.
        scale: factor on all: D_LS/D_S at the source over D_LS/D_S of the maps.
        interpolation: as of `Tabulated`.
    """

    mean: jax.Array | np.ndarray = parameter("arcsec", role="deflection")
    modes: jax.Array | np.ndarray = parameter("arcsec", role="deflection")
    grid: Grid
    weights: Any = parameter("", several=True, role="coefficient")
    amplitude: float | jax.Array = parameter("", role="factor", default=1.0)
    scale: float | jax.Array = parameter("", role="factor", default=1.0)
    interpolation: Literal["bilinear", "cubic"] = static(default="cubic")

    def __call__(self, x: jax.Array, y: jax.Array) -> tuple[jax.Array, jax.Array]:
        """Deflection (alpha_x, alpha_y) in arcsec at sky positions in arcsec; NaN outside the maps."""
        modes = jnp.tensordot(jnp.asarray(self.weights), jnp.asarray(self.modes), axes=1)
        maps = self.amplitude * jnp.asarray(self.mean) + modes
        return self._tabulated(maps)(x, y)

    def best(self) -> Tabulated:
        """The mean alone."""
        return self._tabulated(self.mean)

    def _tabulated(self, maps: Any) -> Tabulated:
        return Tabulated(
            alpha_x=maps[0], alpha_y=maps[1], grid=self.grid, scale=self.scale, interpolation=self.interpolation
        )


def from_members(members: Any, grid: Grid, *, variance: float = VARIANCE, **options: Any) -> Ensemble:
    """The ensemble of some deflection maps, with as few modes as keep a share of their variance.

    With D the departures of n members from their mean, D D^T = U S^2 U^T and mode k is U_k^T D / sqrt(n - 1), the
    singular vectors of D at one standard deviation. The weights are 0; put `dist.Normal().expand([k])` in their place.

    Args:
        members: arcsec to the West and to the North, shape (n, 2, ny, nx), n of 2 or more, a number in every pixel.
        grid: where the pixels lie.
        variance: share of the variance of the deflection, summed over the map, that modes keep; above 0, at most 1.
        **options: other fields of `Ensemble`: amplitude, scale, interpolation.

    Raises:
        InputError: if there are fewer than two members, they are all alike, a pixel holds no number, or the share is
            none.
    """
    maps = _members(members)
    if not 0.0 < variance <= 1.0:
        raise InputError(f"variance: expected a share above 0, at most 1, found {variance!r}; write e.g. {VARIANCE}.")
    mean = maps.mean(axis=0)
    departures = (maps - mean).reshape(len(maps), -1)
    squared, vectors = np.linalg.eigh(departures @ departures.T)
    squared, vectors = squared[::-1], vectors[:, ::-1]
    if not squared[0] > ALIKE**2 * np.sum(maps**2):
        raise InputError(
            f"The {len(maps)} members of an ensemble must differ, but are all alike; give one of them as Tabulated."
        )
    kept = np.searchsorted(np.cumsum(squared) / squared.sum(), variance * (1.0 - ALIKE)) + 1
    count = int(min(kept, np.sum(squared > ALIKE * squared[0])))
    modes = (vectors[:, :count].T @ departures / np.sqrt(len(maps) - 1)).reshape(count, *mean.shape)
    return Ensemble(mean=mean, modes=modes, grid=grid, weights=np.zeros(count), **options)


def check_ensemble(lens: Ensemble, members: Any, name: Callable[[int], str] = "member {}".format) -> Report:
    """Checks of `check_map` on the mean and on each member, and what the modes keep of the members' differences.

    Args:
        lens: of `from_members`.
        members: as there.
        name: what a member is called in an error, by its number from 1.
    """
    for place, maps in enumerate(_members(members), 1):
        report = check_map(lens._tabulated(maps))
        if report.severity == "error":
            text = next(finding.text for finding in report.findings if finding.severity == "error")
            return Report(findings=(Finding("error", f"{name(place)}: {text}"),), numbers=report.numbers)
    return check_map(lens.best()) + _kept(lens, _members(members))


def _kept(lens: Ensemble, members: np.ndarray) -> Report:
    """The share of the variance of deflection and of convergence that is in the modes."""
    departures = float(lens.scale) * (members - np.asarray(lens.mean))
    modes, free = float(lens.scale) * np.asarray(lens.modes), len(members) - 1
    every, ours = (_convergence(maps, lens.grid) for maps in (departures, modes))
    alpha = np.sum(modes**2) / (np.sum(departures**2) / free)
    kappa = np.sum(ours**2) / (np.sum(every**2) / free)
    spread = float(np.sqrt(np.sum(every**2) / free / every[0].size))
    text = (
        f"Modes of the {len(members)} deflection maps: {len(modes)}, with {alpha:.2%} of the variance of their "
        f"deflection and {kappa:.2%} of that of their convergence, which differs by {spread:.2g} (rms)."
    )
    numbers = {"modes": len(modes), "members": len(members), "kept_deflection": alpha, "kept_convergence": kappa}
    return Report(findings=(Finding("info", text),), numbers={**numbers, "spread_convergence": spread})


def _convergence(maps: np.ndarray, grid: Grid) -> np.ndarray:
    derivatives = jacobian(maps, grid)
    return 0.5 * (derivatives[..., 0, 0, :, :] + derivatives[..., 1, 1, :, :])


def _members(given: Any) -> np.ndarray:
    many = isinstance(given, (list, tuple))
    maps = np.array([floats("members", one, "arcsec") for one in given]) if many else floats("members", given, "arcsec")
    if maps.ndim != 4 or maps.shape[1] != 2 or len(maps) < 2:
        raise InputError(
            "An ensemble must hold two members or more, each with maps of both components, but has shape "
            f"{maps.shape}; give a single one as Tabulated."
        )
    missing = int(np.sum(~np.isfinite(maps)))
    if missing:
        raise InputError(
            f"The maps of an ensemble must hold a number in every pixel, but {missing} of {maps.size} hold none; cut "
            "them to where all are known."
        )
    return maps
