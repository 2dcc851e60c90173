"""What a profile may say of itself, and what is taken for granted of one that says nothing, as a plain function does.

A profile is anything that is called with two coordinates. None of these is required of it.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from jaxmetal.numerics.grid import Grid


def smallest_scale(profile: Any) -> Any:
    """Length over which a profile changes, as its method `smallest_scale()` says, in the unit of its coordinates.

    Infinite where it has no details at all. 0 where it says nothing: what is unknown is sampled as finely as anything.
    """
    says = getattr(profile, "smallest_scale", None)
    return 0.0 if says is None else says()


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


def overhang(profile: Any, grid: Grid) -> float:
    """By how many pixels it reaches beyond a frame, as `overhang(grid)` says; infinity where it says nothing."""
    says = getattr(profile, "overhang", None)
    return np.inf if says is None else float(says(grid))


def own_psf(profile: Any) -> Any:
    """The PSF by which a picture is already blurred, its `psf`; None where there is none."""
    return getattr(profile, "psf", None)
