"""What a profile may say of itself, and what is taken for granted of one that says nothing, as a plain function does.

A profile is anything that is called with two coordinates. None of these is required of it.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from jaxmetal.numerics.grid import Grid


def smallest_scale(profile: Any, beyond: Any = 0.0) -> Any:
    """Gaussian radius of the smallest details at distances of `beyond` from the centre and more.

    In the unit of the profile's coordinates, as its method `scale_beyond(radius)` says where details fan out from the
    centre, otherwise `smallest_scale()`. Infinite where it has none, or says nothing (see `is_kinked`).
    """
    fans = getattr(profile, "scale_beyond", None)
    if fans is not None:
        return fans(beyond)
    says = getattr(profile, "smallest_scale", None)
    return math.inf if says is None else says()


def is_kinked(profile: Any) -> bool:
    """Whether its slope jumps somewhere, as its `kinked` says; taken for granted of one that says nothing of itself."""
    silent = not (hasattr(profile, "smallest_scale") or hasattr(profile, "scale_beyond"))
    return bool(getattr(profile, "kinked", silent))


def is_on_sky(profile: Any) -> bool:
    """Whether it is called with sky coordinates whatever the frame of its source, as its `on_sky` says."""
    return bool(getattr(profile, "on_sky", False))


def is_as_seen(profile: Any) -> bool:
    """Whether it is a picture taken through the lens, which is evaluated where it is seen."""
    return is_on_sky(profile) and profile.plane == "image"


def half_light_radius(profile: Any) -> Any:
    """Radius of half the light along the major axis, arcsec, as `half_light_radius()` says; None where it says nothing.

    One that is given as a table says nothing either.
    """
    says = getattr(profile, "half_light_radius", None)
    return None if says is None else says()


def turns_of(*profiles: Any) -> int:
    """Into how many equal turns a circle can be cut, each of which leaves all profiles as they are.

    By the `turns` of each, an integer: m for m equal arms; 0 where any turn will do, as for a function of the radius; 1
    where none but the whole does, as where it says nothing.
    """
    return math.gcd(*(getattr(profile, "turns", 1) for profile in profiles))


def overhang(profile: Any, grid: Grid) -> float:
    """By how many pixels it reaches beyond a frame, as `overhang(grid)` says; infinity where it says nothing."""
    says = getattr(profile, "overhang", None)
    return np.inf if says is None else float(says(grid))


def is_averaged(profile: Any) -> bool:
    """Whether it has `values` on a `grid`, and `averaged(step)` of what samples at that distance can tell."""
    return hasattr(profile, "averaged")


def own_psf(profile: Any) -> Any:
    """The PSF by which a picture is already blurred, its `psf`; None where there is none."""
    return getattr(profile, "psf", None)
