"""What bends light: nodes called `lens(x, y) -> (alpha_x, alpha_y)`, the reduced deflection in arcsec.

The source position is beta = theta - alpha; deflections of several lenses add. x points West, y North. Lenses with a
formula also have `lens.potential(x, y)`, whose gradient the deflection is.
Imports: numerics, errors and findings only. To add a lens: one file with a `@node` and its `__call__`, finite
in value and gradient everywhere, its convergence in the docstring; re-export it here and add it to
tests/test_lens.py, which checks every lens by differentiating it.
"""

from jaxmetal.lens.check import check_amplification, check_map
from jaxmetal.lens.convert import (
    lens_from_lenstronomy,
    shear_from_lenstronomy,
    shear_to_lenstronomy,
    sie_from_lenstronomy,
    sie_to_lenstronomy,
)
from jaxmetal.lens.derive import Distortion, distortion
from jaxmetal.lens.dpie import DPIE
from jaxmetal.lens.ensemble import Ensemble, check_ensemble, from_members
from jaxmetal.lens.epl import EPL
from jaxmetal.lens.maps import from_convergence, from_potential
from jaxmetal.lens.members import Members
from jaxmetal.lens.multipole import Multipole
from jaxmetal.lens.nfw import NFW
from jaxmetal.lens.nie import NIE
from jaxmetal.lens.normalisation import b0_from_velocity_dispersion, normalisation_from_b0, normalisation_to_b0
from jaxmetal.lens.plane import Plane
from jaxmetal.lens.point import PointMass
from jaxmetal.lens.shear import Shear
from jaxmetal.lens.shear_map import check_shear
from jaxmetal.lens.sheet import Sheet
from jaxmetal.lens.shift import RegionShift
from jaxmetal.lens.sie import SIE, SIS
from jaxmetal.lens.stack import Stack, stacked
from jaxmetal.lens.tabulated import Tabulated

__all__ = [
    "DPIE",
    "EPL",
    "NFW",
    "NIE",
    "SIE",
    "SIS",
    "Distortion",
    "Ensemble",
    "Members",
    "Multipole",
    "Plane",
    "PointMass",
    "RegionShift",
    "Shear",
    "Sheet",
    "Stack",
    "Tabulated",
    "b0_from_velocity_dispersion",
    "check_amplification",
    "check_ensemble",
    "check_map",
    "check_shear",
    "distortion",
    "from_convergence",
    "from_members",
    "from_potential",
    "lens_from_lenstronomy",
    "normalisation_from_b0",
    "normalisation_to_b0",
    "shear_from_lenstronomy",
    "shear_to_lenstronomy",
    "sie_from_lenstronomy",
    "sie_to_lenstronomy",
    "stacked",
]
