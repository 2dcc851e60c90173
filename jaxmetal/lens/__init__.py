"""What bends light: nodes called `lens(x, y) -> (alpha_x, alpha_y)`, the reduced deflection in arcsec.

The source position is beta = theta - alpha; deflections of several lenses add. x points West, y North.
Imports: numerics, errors and findings only. To add a lens: one file with a `@node` and its `__call__`, finite in value
and gradient everywhere, its convergence in the docstring; re-export it here and add it to tests/test_lens.py, which
checks every lens by differentiating it.
"""

from jaxmetal.lens.check import check_amplification, check_map
from jaxmetal.lens.convert import (
    shear_from_lenstronomy,
    shear_to_lenstronomy,
    sie_from_lenstronomy,
    sie_to_lenstronomy,
)
from jaxmetal.lens.derive import Distortion, distortion
from jaxmetal.lens.shear import Shear
from jaxmetal.lens.shift import RegionShift
from jaxmetal.lens.sie import SIE
from jaxmetal.lens.tabulated import Tabulated

__all__ = [
    "SIE",
    "Distortion",
    "RegionShift",
    "Shear",
    "Tabulated",
    "check_amplification",
    "check_map",
    "distortion",
    "shear_from_lenstronomy",
    "shear_to_lenstronomy",
    "sie_from_lenstronomy",
    "sie_to_lenstronomy",
]
