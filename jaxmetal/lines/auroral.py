"""The direct method: metallicity from the electron temperature that [O III] 4363 tells, without any calibration."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from jaxmetal.edge.errors import InputError

COLDEST, HOTTEST = 5000.0, 30_000.0
"""Electron temperatures, K, between which the emissivities below hold."""

INVERSE = (-0.62348, 0.368315, -0.016189, 0.001772, -7.2e-05)
"""10^4 K / T as a polynomial in ln([O III] 5007/4363), to 0.13 %."""

EMISSIVITIES = {"OIII5007": (13.0237, -2.7153, 0.7926, -0.0559), "OII": (13.9169, -3.7457, 0.5051, 0.0519)}
"""ln of the emissivity of a line over that of Hb, per ion and proton: weights of 1, 1/t, ln t and t, to 0.6 %."""


class Direct(NamedTuple):
    """What the direct method finds; NaN where a flux is not positive or the temperature is beyond 5,000 to 30,000 K.

    Attributes:
        temperature: of O++, K.
        o_double: O++/H+ by number.
        o_single: O+/H+ by number.
        z: 12 + log10(O/H), of both ions together.
    """

    temperature: jax.Array
    o_double: jax.Array
    o_single: jax.Array
    z: jax.Array


def direct(fluxes: Mapping[str, Any]) -> Direct:
    """Metallicity from [O III] 4363, at an electron density of 100 cm^-3.

    T(O++) follows from [O III] 5007/4363, T(O+) = 0.7 T(O++) + 3000 K (Garnett 1992, AJ 103, 1330, after Campbell et
    al. 1986), and O/H = O++/H+ + O+/H+, each the flux of its line over Hb divided by the ratio of their emissivities.
    These are fits to PyNeb 1.1.32 (Luridiana et al. 2015, A&A 573, A42) with transition probabilities of Froese Fischer
    & Tachiev (2004), Storey & Zeippen (2000), Zeippen (1982) and Wiese et al. (1996), collision strengths of Storey et
    al. (2014) and Kisielius et al. (2009), and Storey & Hummer (1995) for Hb.

    Differentiable; an error of Z comes from draws of the fluxes, since a faint 4363 makes it skewed.

    Args:
        fluxes: dereddened, line name -> array of any shape, with OIII4363, OIII5007, OII (both lines) and Hbeta.

    Raises:
        InputError: if a line is missing.
    """
    needed = ("OIII4363", "OIII5007", "OII", "Hbeta")
    if missing := [name for name in needed if name not in fluxes]:
        raise InputError(f"direct: expected fluxes of {', '.join(needed)}, found none of {', '.join(missing)}; add it.")
    auroral, nebular, single, hb = (jnp.asarray(fluxes[name], float) for name in needed)
    positive = (auroral > 0.0) & (nebular > 0.0) & (single > 0.0) & (hb > 0.0)
    ratio = jnp.log(jnp.where(positive, nebular, 1.0) / jnp.where(positive, auroral, jnp.exp(-5.0)))
    temperature = 1e4 / jnp.polyval(jnp.asarray(INVERSE[::-1]), ratio)
    good = positive & (temperature >= COLDEST) & (temperature <= HOTTEST)
    temperature = jnp.where(good, temperature, jnp.nan)
    o_double = nebular / hb / emissivity("OIII5007", temperature)
    o_single = single / hb / emissivity("OII", 0.7 * temperature + 3000.0)
    return Direct(temperature, o_double, o_single, 12.0 + jnp.log10(o_double + o_single))


def emissivity(name: str, temperature: Any) -> jax.Array:
    """Emissivity of a line of `EMISSIVITIES` over that of Hb, per ion and proton, at a temperature in K."""
    t = jnp.asarray(temperature, float) / 1e4
    terms = jnp.stack([jnp.ones_like(t), 1.0 / t, jnp.log(t), t])
    return jnp.exp(jnp.tensordot(jnp.asarray(EMISSIVITIES[name]), terms, axes=1))
