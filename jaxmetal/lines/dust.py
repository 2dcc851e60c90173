"""Dust laws at the lines: A(line)/A(V) as constants, so that any law costs nothing inside a fit."""

from __future__ import annotations

import dataclasses
import functools
import tomllib
from collections.abc import Callable, Mapping
from importlib.resources import files
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from jaxmetal.edge.errors import InputError
from jaxmetal.lines.lines import LINES, line
from jaxmetal.lines.names import look_up


@dataclasses.dataclass(frozen=True)
class DustLaw:
    """A(line)/A(V) = sum_p c_p(line) R_V^p.

    Attributes:
        name: as in `laws()`.
        powers: the p; (0,) for a law without R_V.
        coefficients: line name -> c, of the length of `powers`.
        r_v: the law's usual A(V)/E(B-V).
        valid: range of R_V for which it was derived.
    """

    name: str
    powers: tuple[float, ...]
    coefficients: Mapping[str, tuple[float, ...]]
    r_v: float
    valid: tuple[float, float]

    def __call__(self, name: str, r_v: Any = None) -> jax.Array:
        """A(line)/A(V), differentiable in R_V (the law's own by default).

        Raises:
            InputError: if the line is unknown, or R_V is a number outside the law's range.
        """
        r_v = self.r_v if r_v is None else r_v
        if isinstance(r_v, (int, float, np.number)) and not self.valid[0] <= r_v <= self.valid[1]:
            raise InputError(
                f"r_v: expected {self.valid[0]} to {self.valid[1]} for {self.name}, found {r_v}; choose another law."
            )
        terms = self.coefficients[line(name).name]
        return sum((c * jnp.asarray(r_v, float) ** p for c, p in zip(terms, self.powers, strict=True)), jnp.zeros(()))


@functools.cache
def laws() -> Mapping[str, DustLaw]:
    """CCM89, O94, F99, G23, Calzetti00, CF00 (diffuse medium) and CF00_birth (birth clouds)."""
    tables = tomllib.loads(files("jaxmetal.lines").joinpath("dust.toml").read_text())
    computed = {
        name: DustLaw(
            name,
            tuple(table.pop("powers")),
            {key: tuple(row) for key, row in table.items() if key != "range"},
            3.1,
            tuple(table["range"]),
        )
        for name, table in tables.items()
    }
    # Calzetti's k = k' + R_V is normalised so that k at 5500 A is nearly R_V; the reddening A = k E(B-V) is exact.
    calzetti = _analytic("Calzetti00", (0.0, -1.0), lambda w: (1.0, _calzetti(w)), 4.05, (2.0, 6.0))
    diffuse = _analytic("CF00", (0.0,), lambda w: ((w / 5500.0) ** -0.7,), 3.1, (0.0, np.inf))
    birth = _analytic("CF00_birth", (0.0,), lambda w: ((w / 5500.0) ** -1.3,), 3.1, (0.0, np.inf))
    return {**computed, **{law.name: law for law in (calzetti, diffuse, birth)}}


def dust_law(name: str) -> DustLaw:
    """The law of that name.

    Raises:
        InputError: naming the nearest known law, if there is none.
    """
    return look_up("dust law", name, laws())


def _analytic(
    name: str,
    powers: tuple[float, ...],
    formula: Callable[[float], tuple[float, ...]],
    r_v: float,
    valid: tuple[float, float],
) -> DustLaw:
    return DustLaw(name, powers, {key: formula(item.vacuum) for key, item in LINES.items()}, r_v, valid)


def _calzetti(wavelength: float) -> float:
    """k(lambda) - R_V of Calzetti et al. 2000, ApJ 533, 682, eq. 4, with lambda in Angstrom."""
    x = 1e4 / wavelength
    if wavelength < 6300.0:
        return 2.659 * (-2.156 + 1.509 * x - 0.198 * x**2 + 0.011 * x**3)
    return 2.659 * (-1.857 + 1.040 * x)
