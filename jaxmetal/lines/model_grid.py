"""Line fluxes by a grid of photoionisation models, instead of calibrations: of Z, and of log U and N/O with it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from jaxmetal.edge.arrays import is_number
from jaxmetal.edge.errors import InputError, shown
from jaxmetal.lines.case_b import HYDROGEN, NII_DOUBLET, OIII_DOUBLET, over_hbeta
from jaxmetal.lines.contents import Contents, blends, wanted, weights
from jaxmetal.lines.dust import DustLaw, dust_law
from jaxmetal.lines.emitted import LN10
from jaxmetal.lines.lines import ALIASES, LINES, once
from jaxmetal.numerics.tree import node, static

AXES = {"metallicity": "12 + log(O/H)", "ionisation": "log U", "nitrogen": "log(N/O)"}
"""Columns that number the models; all but the first may be absent."""
FIXED = {"OIII4959": ("OIII5007", OIII_DOUBLET), "NII6548": ("NII6584", NII_DOUBLET)}
"""Line -> line of a grid from which atomic physics tells it, over what."""


@node
class Photoionisation(Contents):
    """What gas emits per unit of intrinsic Hb by a grid of models, and what measured features contain of it.

    log10(line / Hb) is a cubic spline (not-a-knot) along each axis of the grid, of which values beyond are taken at its
    edge; dust follows as for `Emission`, in whose place it stands.

    Attributes:
        splines: of each line, its cubic in every cell, shape (*cells, *(4 for each axis)), highest powers first.
        nodes: of each axis, ascending.
        extinction: A(line)/A(V), shape (lines,).
        hbeta: A(Hb)/A(V).
        axes: names of the axes, of `AXES`: properties that a source carries.
        weights, lines, features: see `Contents`.
    """

    splines: tuple[Any, ...]
    nodes: tuple[Any, ...]
    extinction: Any
    hbeta: Any
    axes: tuple[str, ...] = static()
    weights: tuple[tuple[float, ...], ...] = static()
    lines: tuple[str, ...] = static()
    features: tuple[str, ...] = static()

    calibrations = ()

    @property
    def also(self) -> tuple[str, ...]:
        """Properties of the gas on which it depends besides metallicity and extinction."""
        return self.axes[1:]

    @property
    def known(self) -> str:
        """By what fluxes are known, in words."""
        ends = zip(self.axes, self.nodes, strict=True)
        return f"a grid of models ({', '.join(f'{AXES[name]} {at[0]:g} to {at[-1]:g}' for name, at in ends)})"

    def require_ratios(self, where: str, departures: Mapping[str, Any]) -> None:
        """Refuses all departures, as there are no calibrations.

        Raises:
            InputError: if there are any.
        """
        if departures:
            raise InputError(
                f"{where}: expected none with a grid of models, found {', '.join(departures)}; leave them out."
            )

    @property
    def ranges(self) -> dict[str, tuple[float, float]]:
        """Axis -> its first and last node."""
        return {name: (float(at[0]), float(at[-1])) for name, at in zip(self.axes, self.nodes, strict=True)}

    def each_feature(
        self, z: jax.Array, a_v: jax.Array, *also: jax.Array, departures: Any = None, intrinsic: bool = False
    ) -> list[jax.Array]:
        """Fluxes of the features.

        Args:
            z: 12 + log(O/H).
            a_v: A(V), mag.
            also: the properties of `also`, in that order.
            departures: none, as there are no calibrations.
            intrinsic: per unit of intrinsic Hb, instead of observed.

        Raises:
            InputError: if there are departures.
        """
        self.require_ratios("departures", departures or {})
        relative = jnp.asarray(self.extinction) - (0.0 if intrinsic else self.hbeta)
        cells = [_cell(jnp.asarray(at), one) for at, one in zip(self.nodes, (z, *also), strict=True)]
        return self.summed(
            [
                jnp.exp(LN10 * (_spline(spline, cells) - 0.4 * relative[n] * a_v))
                for n, spline in enumerate(self.splines)
            ]
        )


def photoionisation(
    models: Mapping[str, Any],
    features: Sequence[str] | Mapping[str, str | Mapping[str, float]],
    *,
    law: str | DustLaw = "CCM89",
    r_v: float | None = None,
) -> Photoionisation:
    """The emission of measured features by a grid of models of your own.

    Args:
        models: column -> value of each model: `metallicity` (12 + log(O/H)), `ionisation` (log U) and `nitrogen`
            (log N/O) where they vary, and of every line its flux over that of Hb, under names of `LINES` or their
            aliases. All combinations of the axes' values, in any order. Hydrogen lines without a column follow case B
            at 10^4 K, [O III] 4959 and [N II] 6548 their doublets.
        features: names of lines or blends (see `lines.feature`), or name -> blend.
        law: dust law.
        r_v: A(V)/E(B-V); the law's own by default.

    Raises:
        InputError: if a line is unknown or in no column, the models are no whole grid, or a flux is not positive.
    """
    contents = blends(features)
    axes = tuple(name for name in AXES if name in models and (name == "metallicity" or _varies(_column(models, name))))
    nodes, order = _whole_grid(models, axes)
    shape = tuple(len(at) for at in nodes)
    named = once("models", [name for name in models if name in LINES or ALIASES.get(name) in LINES])
    table = {key: _column(models, name)[order].reshape(shape) for key, name in named.items()}
    law = dust_law(law) if isinstance(law, str) else law
    return Photoionisation(
        splines=tuple(_splines(nodes, _log_ratio(name, table, shape)) for name in wanted(contents)),
        nodes=tuple(nodes),
        extinction=np.array([float(law(name, r_v)) for name in wanted(contents)]),
        hbeta=np.array(float(law("Hbeta", r_v))),
        axes=axes,
        weights=weights(contents),
        lines=wanted(contents),
        features=tuple(contents),
    )


def _column(models: Mapping[str, Any], name: str) -> np.ndarray:
    try:
        return np.asarray(models[name], float)
    except ValueError:
        found = next(shown(str(value)) for value in np.ravel(models[name]) if not is_number(value))
        raise InputError(f"models: expected a number of '{name}' for each model, found {found}; correct it.") from None


def _varies(column: np.ndarray) -> bool:
    return bool(column.size) and float(np.ptp(column)) > 0.0


def _whole_grid(models: Mapping[str, Any], axes: tuple[str, ...]) -> tuple[list[np.ndarray], np.ndarray]:
    """Nodes of each axis, and the order in which the models fill the grid."""
    if "metallicity" not in axes:
        raise InputError(
            "models: expected a column metallicity, 12 + log(O/H), found "
            f"{', '.join(map(str, models)) or 'none'}; name it so."
        )
    columns = [_column(models, name) for name in axes]
    if not columns[0].size:
        raise InputError("models: expected a row for each model, found none; add them.")
    if not all(np.isfinite(column).all() for column in columns):
        raise InputError(f"models: expected finite numbers of {', '.join(axes)}, found NaN; leave these models out.")
    nodes, places = zip(*(np.unique(column, return_inverse=True) for column in columns), strict=True)
    index = np.ravel_multi_index(places, [len(at) for at in nodes])
    whole = int(np.prod([len(at) for at in nodes]))
    found, counts = np.unique(index, return_counts=True)
    if len(found) < whole or counts.max() > 1:
        place = np.setdiff1d(np.arange(whole), found)[0] if len(found) < whole else found[np.argmax(counts)]
        at = np.unravel_index(place, [len(one) for one in nodes])
        said = ", ".join(f"{name} = {one[k]:g}" for name, one, k in zip(axes, nodes, at, strict=True))
        raise InputError(
            f"models: expected each combination of {', '.join(axes)} once ({whole} models), found "
            f"{'none' if len(found) < whole else 'several'} at {said}; complete the grid."
        )
    if min(len(at) for at in nodes) < 2:
        raise InputError(f"models: expected two values of metallicity or more, found {len(nodes[0])}; add models.")
    return list(nodes), np.argsort(index)


def _log_ratio(name: str, table: Mapping[str, np.ndarray], shape: tuple[int, ...]) -> np.ndarray:
    """log10 of a line over Hb on the grid."""
    if name in table:
        ratio = table[name] / table["Hbeta"] if "Hbeta" in table else table[name]
    elif name in HYDROGEN:
        ratio = np.full(shape, float(over_hbeta(name)))
    elif name in FIXED and FIXED[name][0] in table:
        return _log_ratio(FIXED[name][0], table, shape) - np.log10(FIXED[name][1])
    else:
        raise InputError(f"models: expected a column of {name} over Hb, found {', '.join(table)}; add it.")
    if not np.all((ratio > 0.0) & np.isfinite(ratio)):
        raise InputError(f"models: expected positive fluxes of {name}, found {ratio.min():.3g}; correct the grid.")
    return np.log10(ratio)


def _splines(nodes: Sequence[np.ndarray], values: np.ndarray) -> np.ndarray:
    """Cubics of every cell, shape (*cells, *(4 for each axis))."""
    from scipy.interpolate import CubicSpline  # slow to import, and few need it

    for axis, at in enumerate(nodes):
        # SciPy puts powers and cells of the axis in front.
        values = np.moveaxis(CubicSpline(at, values, axis=axis).c, (0, 1), (-1, axis))
    return values


def _cell(nodes: jax.Array, value: jax.Array) -> tuple[jax.Array, jax.Array]:
    """The cell of a value, and how far into it that lies; beyond the grid, its edge."""
    inside = jnp.clip(value, nodes[0], nodes[-1])
    cell = jnp.clip(jnp.searchsorted(nodes, inside, side="right") - 1, 0, len(nodes) - 2)
    return cell, inside - nodes[cell]


def _spline(spline: Any, cells: Sequence[tuple[jax.Array, jax.Array]]) -> jax.Array:
    """Horner's scheme, the last axis first."""
    values = jnp.asarray(spline)[tuple(cell for cell, _ in cells)]
    for axis in reversed(range(len(cells))):
        step = cells[axis][1][(...,) + (None,) * axis]
        values = ((values[..., 0] * step + values[..., 1]) * step + values[..., 2]) * step + values[..., 3]
    return values
