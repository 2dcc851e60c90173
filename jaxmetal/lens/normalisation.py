"""The four normalisations of the dual pseudo-isothermal profile.

With F = 1 / sqrt(core^2 + R^2) - 1 / sqrt(cut^2 + R^2), the same kappa is written as

    b0 / 2 cut / (cut - core) F               Lenstool, Limousin et al. (2005): "b0"
    E0 / 2 (cut + core) / cut F               Eliasdottir et al. (2007): "E0"
    E_lim / 2 cut^2 / (cut^2 - core^2) F      GLEE, Herculens: "E_lim"
    sigma0 core cut / (cut - core) F          lenstronomy's PJAFFE, Sigma_0 / Sigma_crit: "sigma0"
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from jaxmetal.edge.errors import InputError
from jaxmetal.lens.axes import Number
from jaxmetal.numerics.quantities import plain

PER_B0: Mapping[str, Callable[[Number, Number], Number]] = {
    "b0": lambda core, cut: 1.0,
    "E0": lambda core, cut: cut**2 / (cut**2 - core**2),
    "E_lim": lambda core, cut: (cut + core) / cut,
    "sigma0": lambda core, cut: 1 / (2 * core),
}
"""Name -> the strength in it over b0."""

SPEED_OF_LIGHT = 299792.458
"""km/s."""


def normalisation_to_b0(name: str, value: Any, core: Number, cut: Number) -> Any:
    """b0 of `DPIE`, arcsec, from a strength in another normalisation (arcsec; "sigma0" is a pure number).

    Raises:
        InputError: if the name is none of `PER_B0`.
    """
    return _strength(name, value) / _per_b0(name)(*_radii(core, cut))


def normalisation_from_b0(name: str, b0: Any, core: Number, cut: Number) -> Any:
    """The inverse of `normalisation_to_b0`."""
    return _strength("b0", b0) * _per_b0(name)(*_radii(core, cut))


def b0_from_velocity_dispersion(sigma: Any, distance_ratio: Any) -> Any:
    """b0 = 6 pi (sigma / c)^2 D_LS / D_S, in arcsec, of Lenstool's fiducial velocity dispersion (its `v_disp`), km/s.

    The dispersion of stars in the centre is sqrt(3 / 2) times it: a measured one taken for it makes 1.5 times the mass.
    """
    return 6.0 * 648000.0 * (plain("sigma", sigma, "km/s") / SPEED_OF_LIGHT) ** 2 * distance_ratio


def _strength(name: str, value: Any) -> Any:
    return plain(name, value, "" if name == "sigma0" else "arcsec")


def _radii(core: Any, cut: Any) -> tuple[Any, Any]:
    return plain("core", core, "arcsec"), plain("cut", cut, "arcsec")


def _per_b0(name: str) -> Callable[[Number, Number], Number]:
    if name not in PER_B0:
        raise InputError(f"normalisation: expected one of {', '.join(PER_B0)}, found {name!r}; write one of them.")
    return PER_B0[name]
