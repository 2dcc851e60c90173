"""What a parameter does, and how that is said and written."""

from __future__ import annotations

from typing import NamedTuple


class Role(NamedTuple):
    """How a role is described.

    Attributes:
        text: in words.
        symbol: on axes; "" for the name of the field.
    """

    text: str
    symbol: str = ""


SLOPE = "slope"
"""A linear slope of a carried property, which has a verdict and other units."""
SLOPES = (SLOPE, "inner slope", "outer slope")
"""What should be free to have either sign."""
COEFFICIENT = "coefficient"
"""One of many that say little by themselves: they are counted and judged together, not listed one by one."""

ROLES = {
    "centre x": Role("centre, to the West of the sky origin", "x$_0$"),
    "centre y": Role("centre, to the North of the sky origin", "y$_0$"),
    "shift x": Role("shift to the West"),
    "shift y": Role("shift to the North"),
    "position": Role("position on the disc"),
    "position angle": Role("position angle of the major axis, East of North", "PA"),
    "axis ratio": Role("axis ratio b/a", "axis ratio q"),
    "ellipticity": Role("component of the ellipticity"),
    "inclination": Role("inclination, 0 for face-on"),
    "thickness": Role("axis ratio c/a seen edge-on"),
    "flux": Role("total flux, in the unit of the image"),
    "half-light radius": Role("half-light radius along the major axis", "R$_e$"),
    "Sersic index": Role("Sersic index", "Sersic n"),
    "exponent": Role("exponent of the wings"),
    "central": Role("value at the centre"),
    "value": Role("value"),
    "floor": Role("value at large radii"),
    SLOPE: Role("change per arcsec of deprojected (semi-major-axis) radius"),
    "inner slope": Role("change per arcsec of deprojected (semi-major-axis) radius, within the break"),
    "outer slope": Role("change per arcsec of deprojected (semi-major-axis) radius, beyond the break"),
    "radius": Role("radius"),
    "break radius": Role("radius of the break"),
    "core radius": Role("radius of the core"),
    "turn-over radius": Role("turn-over radius"),
    "scale length": Role("radius over which it falls by e"),
    "amplitude": Role("amplitude"),
    "standard deviation": Role("Gaussian width"),
    "phase": Role("azimuth from the major axis"),
    "pitch angle": Role("pitch angle"),
    "systemic velocity": Role("velocity of the centre"),
    "Einstein radius": Role("Einstein radius", "θ$_E$"),
    "lens strength": Role("strength: Einstein radius of the isothermal sphere alike", "b$_0$"),
    "mass slope": Role("logarithmic slope of the mass density", r"$\gamma$"),
    "scale radius": Role("scale radius"),
    "cut radius": Role("radius beyond which the mass falls steeply"),
    "convergence": Role("convergence"),
    "luminosity": Role("luminosity over L*"),
    "exponent of luminosity": Role("exponent of the luminosity"),
    "shear": Role("component of the shear"),
    "deflection": Role("reduced deflection"),
    "factor": Role("factor"),
    "full width": Role("full width at half maximum", "FWHM"),
    "departure": Role("departure of a line ratio from its calibration, in units of the calibration's scatter"),
    "step": Role("size of a cell"),
    "error": Role("standard deviation of the data"),
    "variance": Role("variance of the data where they are bright"),
    "variance times light": Role("variance of the data times light"),
    "jitter": Role("scatter added in quadrature"),
    "share": Role("share that no two pixels share"),
    "number": Role("number of pixels that share one measurement"),
    "degrees of freedom": Role("degrees of freedom"),
    "pedestal": Role("sky level"),
    "tilt": Role("slope of the sky level"),
    "scatter of a field": Role("standard deviation of the field"),
    "correlation length": Role("correlation length of the field"),
    "extent": Role("half the side of the square of interest"),
    COEFFICIENT: Role("weights of modes, each Normal(0, 1) beforehand"),
}
"""Role -> description. A node may declare another, which is then not described."""
