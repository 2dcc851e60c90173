"""Converters from and to lenstronomy's lens parameters.

lenstronomy counts x to the East (right ascension) where jaxmetal counts it to the West: positions change the sign of
x, and second components of ellipticity and shear (e2, gamma2) change sign, while e1 and gamma1 stay. Its angles run
counter-clockwise from its x axis, that is from East towards North, so that phi = 90 degrees - pa.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import jax.numpy as jnp
import numpy as np

from jaxmetal.edge.errors import InputError, shown
from jaxmetal.edge.ranges import NUMBERS, require_within
from jaxmetal.lens.dpie import DPIE
from jaxmetal.lens.epl import EPL
from jaxmetal.lens.multipole import Multipole
from jaxmetal.lens.nfw import NFW
from jaxmetal.lens.nie import NIE
from jaxmetal.lens.normalisation import normalisation_to_b0
from jaxmetal.lens.point import PointMass
from jaxmetal.lens.shear import Shear
from jaxmetal.lens.sheet import Sheet
from jaxmetal.lens.sie import SIE, SIS


def sie_from_lenstronomy(theta_E: Any, e1: Any, e2: Any, center_x: Any = 0.0, center_y: Any = 0.0) -> SIE:
    """SIE for lenstronomy's "SIE": e1, e2 = (1-q)/(1+q) (cos 2 phi, sin 2 phi), phi from East towards North."""
    return SIE(theta_e=theta_E, **_centre(center_x, center_y), **_ellipse(e1, e2))


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


def lens_from_lenstronomy(lens_model_list: Sequence[str], kwargs_lens: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The lenses of a lenstronomy model: "0 EPL", "1 SHEAR", ... -> lens.

    Raises:
        InputError: for a profile that is not among `FROM_LENSTRONOMY`, arguments that it does not have or that no lens
            can have, or lists of different lengths.
    """
    if len(lens_model_list) != len(kwargs_lens):
        found = f"{len(lens_model_list)} and {len(kwargs_lens)}"
        raise InputError(f"lenstronomy: expected a table of arguments for each profile, found {found}; correct them.")
    made = {}
    for place, (name, given) in enumerate(zip(lens_model_list, kwargs_lens, strict=True)):
        if name not in FROM_LENSTRONOMY:
            known = ", ".join(FROM_LENSTRONOMY)
            raise InputError(f"lenstronomy: expected profiles among {known}, found '{name}'; leave it out.")
        _require_numbers(f"{place} {name}", given)
        try:
            made[f"{place} {name}"] = FROM_LENSTRONOMY[name](**given)
        except TypeError:
            found = ", ".join(given) or "none"
            raise InputError(
                f"lenstronomy: the arguments of '{name}' do not fit it, found {found}; correct them."
            ) from None
    require_within(made, "lenstronomy")
    return made


def _require_numbers(place: str, given: Any) -> None:
    """Refuses a table that is none, words in it, and an ellipticity that no ellipse has."""
    if not isinstance(given, Mapping):
        raise InputError(f"lenstronomy: expected a table of arguments of '{place}', found {shown(given)}; correct it.")
    for name, value in given.items():
        if not isinstance(value, NUMBERS):
            raise InputError(
                f"lenstronomy: expected a number as {name} of '{place}', found {shown(value)}; correct it."
            )
    size = np.hypot(given.get("e1", 0.0), given.get("e2", 0.0))
    if not np.all(size < 1.0):
        raise InputError(
            f"lenstronomy: expected an ellipticity (e1, e2) of '{place}' shorter than 1, found {size:.3g}; correct it."
        )


def _nie(theta_E: Any, e1: Any, e2: Any, s_scale: Any, center_x: Any = 0.0, center_y: Any = 0.0) -> NIE:
    return NIE(theta_e=theta_E, core=s_scale, **_centre(center_x, center_y), **_ellipse(e1, e2))


def _epl(theta_E: Any, gamma: Any, e1: Any, e2: Any, center_x: Any = 0.0, center_y: Any = 0.0) -> EPL:
    return EPL(theta_e=theta_E, gamma=gamma, **_centre(center_x, center_y), **_ellipse(e1, e2))


def _nfw(Rs: Any, alpha_Rs: Any, e1: Any = 0.0, e2: Any = 0.0, center_x: Any = 0.0, center_y: Any = 0.0) -> NFW:
    """alpha_Rs is the deflection at Rs of the round halo."""
    shape = _ellipse(e1, e2)
    q2 = shape.pop("q") ** 2
    kappa_s = alpha_Rs / (4 * Rs * (1 - jnp.log(2.0)))
    return NFW(kappa_s=kappa_s, r_s=Rs, ellipticity=(1 - q2) / (1 + q2), **_centre(center_x, center_y), **shape)


def _dpie(sigma0: Any, Ra: Any, Rs: Any, center_x: Any = 0.0, center_y: Any = 0.0) -> DPIE:
    b0 = normalisation_to_b0("sigma0", sigma0, Ra, Rs)
    return DPIE(b0=b0, core=Ra, cut=Rs, **_centre(center_x, center_y))


def _multipole(m: Any, a_m: Any, phi_m: Any, center_x: Any = 0.0, center_y: Any = 0.0, r_E: Any = 1.0) -> Multipole:
    if np.ndim(m) or m % 1 != 0:
        raise InputError(f"lenstronomy: expected a whole number as m of 'MULTIPOLE', found {shown(m)}; correct it.")
    return Multipole(m=int(m), amplitude=a_m, pa=90 - jnp.rad2deg(phi_m), **_centre(center_x, center_y))


def _centre(center_x: Any, center_y: Any) -> dict[str, Any]:
    return {"x0": -center_x, "y0": center_y}


def _ellipse(e1: Any, e2: Any) -> dict[str, Any]:
    e = jnp.hypot(e1, e2)
    return {"q": (1 - e) / (1 + e), "pa": 90 - jnp.rad2deg(0.5 * jnp.arctan2(e2, e1))}


FROM_LENSTRONOMY: Mapping[str, Callable[..., Any]] = {
    "SIS": lambda theta_E, center_x=0.0, center_y=0.0: SIS(theta_e=theta_E, **_centre(center_x, center_y)),
    "SIE": sie_from_lenstronomy,
    "NIE": _nie,
    "EPL": _epl,
    "NFW": _nfw,
    "NFW_ELLIPSE_POTENTIAL": _nfw,
    "PJAFFE": _dpie,
    "POINT_MASS": lambda theta_E, center_x=0.0, center_y=0.0: PointMass(theta_e=theta_E, **_centre(center_x, center_y)),
    "SHEAR": shear_from_lenstronomy,
    "CONVERGENCE": lambda kappa, ra_0=0.0, dec_0=0.0: Sheet(kappa=kappa, **_centre(ra_0, dec_0)),
    "MULTIPOLE": _multipole,
}
"""Profile -> what makes a lens of its arguments."""
