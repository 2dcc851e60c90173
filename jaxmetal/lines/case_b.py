"""Recombination ratios of hydrogen (case B) and doublets whose ratio atomic physics fixes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from jaxmetal.lines.lines import line
from jaxmetal.lines.names import look_up

TEMPERATURES = (5000.0, 7500.0, 10000.0, 12500.0, 15000.0, 20000.0, 30000.0)
"""Electron temperatures of `HYDROGEN`, K."""

HYDROGEN: Mapping[str, tuple[float, ...]] = {
    "Halpha": (3.04093, 2.92907, 2.86316, 2.82051, 2.78837, 2.74662, 2.70045),
    "Hbeta": (1.0,) * 7,
    "Hgamma": (0.45839, 0.46447, 0.46834, 0.4711, 0.47291, 0.47545, 0.47815),
    "Hdelta": (0.25148, 0.25605, 0.25895, 0.26105, 0.26244, 0.26433, 0.26622),
    "H7": (0.15407, 0.15712, 0.15903, 0.16045, 0.16128, 0.16249, 0.16374),
    "PaA": (0.4106, 0.36624, 0.33862, 0.31933, 0.30477, 0.28409, 0.25946),
    "PaB": (0.18404, 0.17163, 0.16324, 0.1571, 0.15221, 0.14505, 0.13595),
}
"""Flux over Hb at n_e = 100 cm^-3 (Storey & Hummer 1995, MNRAS 272, 41, by PyNeb 1.1.32)."""

DECREMENT = ("Halpha", "Hbeta")
"""Lines whose ratio tells the dust."""

CLEAR = 3.0
"""Standard deviations by which a ratio is clearly below another."""

OIII_DOUBLET = 2.984
"""[OIII] 5007/4959 (Storey & Zeippen 2000, MNRAS 312, 813, by PyNeb 1.1.32)."""

NII_DOUBLET = 2.942
"""[NII] 6584/6548, from the same source."""


def over_hbeta(name: str, temperature: Any = 1e4) -> jax.Array:
    """Intrinsic flux of a hydrogen line over Hb: linear in ln T_e between tabulated ratios, to 0.6 % at worst.

    Args:
        name: a line of `HYDROGEN`.
        temperature: electron temperature, K, any shape; 5,000 to 30,000.

    Raises:
        InputError: if it is not a hydrogen line of the table.
    """
    row = look_up("hydrogen line", line(name).name, HYDROGEN)
    nodes = jnp.log(jnp.asarray(TEMPERATURES))
    return jnp.exp(jnp.interp(jnp.log(jnp.asarray(temperature, float)), nodes, jnp.log(jnp.asarray(row))))


def below_case_b(halpha: tuple[float, float], hbeta: tuple[float, float]) -> str | None:
    """What is said of an Ha/Hb clearly below that of case B at any temperature, which no dust makes; None elsewhere.

    Args:
        halpha: flux and its error.
        hbeta: likewise.
    """
    (high, high_error), (low, low_error) = halpha, hbeta
    if not (high > CLEAR * high_error and low > CLEAR * low_error):
        return None
    ratio, least = high / low, min(HYDROGEN["Halpha"])
    error = ratio * float(np.hypot(high_error / high, low_error / low))
    if ratio + CLEAR * error > least:
        return None
    return f"Ha/Hb is {ratio:.3g} +- {error:.2g}, below case B at any temperature ({least:.3g}), which no dust makes"
