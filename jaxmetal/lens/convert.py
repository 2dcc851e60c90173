"""Converters from and to lenstronomy's lens parameters.

lenstronomy counts x to the East (right ascension) where jaxmetal counts it to the West: positions change the sign of
x, and second components of ellipticity and shear (e2, gamma2) change sign, while e1 and gamma1 stay. Its angles run
counter-clockwise from its x axis, that is from East towards North, so that phi = 90 degrees - pa.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import jax.numpy as jnp

from jaxmetal.lens.shear import Shear
from jaxmetal.lens.sie import SIE


def sie_from_lenstronomy(theta_E: Any, e1: Any, e2: Any, center_x: Any = 0.0, center_y: Any = 0.0) -> SIE:
    """SIE for lenstronomy's "SIE": e1, e2 = (1-q)/(1+q) (cos 2 phi, sin 2 phi), phi from East towards North."""
    e = jnp.hypot(e1, e2)
    pa = 90 - jnp.rad2deg(0.5 * jnp.arctan2(e2, e1))
    return SIE(theta_e=theta_E, x0=-center_x, y0=center_y, q=(1 - e) / (1 + e), pa=pa)


def sie_to_lenstronomy(lens: SIE) -> Mapping[str, Any]:
    """The keyword arguments of lenstronomy's "SIE"."""
    e, phi = (1 - lens.q) / (1 + lens.q), jnp.deg2rad(90 - lens.pa)
    shape = {"e1": e * jnp.cos(2 * phi), "e2": e * jnp.sin(2 * phi)}
    return {"theta_E": lens.theta_e, **shape, "center_x": -lens.x0, "center_y": lens.y0}


def shear_from_lenstronomy(gamma1: Any, gamma2: Any, ra_0: Any = 0.0, dec_0: Any = 0.0) -> Shear:
    """Shear for lenstronomy's "SHEAR"."""
    return Shear(gamma1=gamma1, gamma2=-gamma2, x0=-ra_0, y0=dec_0)


def shear_to_lenstronomy(lens: Shear) -> Mapping[str, Any]:
    """The keyword arguments of lenstronomy's "SHEAR"."""
    return {"gamma1": lens.gamma1, "gamma2": -lens.gamma2, "ra_0": -lens.x0, "dec_0": lens.y0}
