"""A prior for line maps, sized by the brightest of them."""

from __future__ import annotations

import math
from typing import Any

import jax.numpy as jnp
import numpy as np
import numpyro.distributions as dist

from jaxmetal.edge.errors import InputError
from jaxmetal.frame.contract import Frame
from jaxmetal.light.sersic import Sersic
from jaxmetal.likelihood import Gaussian
from jaxmetal.observation import Image, LineMaps
from jaxmetal.prior import typical
from jaxmetal.recipes.guess import guess_from_image
from jaxmetal.recipes.priors import STEEP, Geometry
from jaxmetal.scene import Carried, Scene, Source
from jaxmetal.tracer.constant import Constant
from jaxmetal.tracer.gradient import Gradient

Z_RANGE, A_V_RANGE = (7.0, 9.3), (0.0, 4.0)
UNSURE = 1.5
"""Width of the prior of the flux of Hb, natural logarithm: dust and other lines tell it roughly."""


def line_gradient(
    observed: LineMaps,
    *,
    frame: Frame | None = None,
    free_geometry: bool = True,
    thickness: float | None = None,
    z_range: tuple[float, float] = Z_RANGE,
    a_v_range: tuple[float, float] = A_V_RANGE,
    source: str = "disc",
) -> Scene:
    """One disc that emits Hb, with a linear gradient of metallicity, one extinction, and the departures of its gas.

    Hb is a Sersic light with n = 1, flux and r_eff free. The gas departs from every calibration of the lines by a
    standard-normal number of its scatters, the galaxy's own. Geometry and size are guessed from the line that stands
    out most from its noise.

    Args:
        observed: maps of lines, in pixels.
        frame: geometry, if known; else guessed.
        free_geometry: whether the guessed centre, axis ratio and position angle are free.
        thickness: as of `gradient`.
        z_range: limits of the flat prior of 12 + log(O/H) in the centre.
        a_v_range: limits of the flat prior of A(V), mag; equal where it is known, 0 of dereddened fluxes.
        source: name of the disc.

    Raises:
        InputError: if a range is empty, the maps are binned, no line stands out, or the geometry is told twice.
    """
    _require_sized(observed, z_range, a_v_range)
    number, image = _brightest(typical(observed))
    guess = guess_from_image(image)
    low, high = a_v_range
    extinction = dist.Uniform(low, high) if low < high else low
    middle = jnp.asarray(0.5 * (z_range[0] + z_range[1])), jnp.asarray(min(max(1.0, low), high))
    per_hb = float(observed.emission.each_feature(*middle, intrinsic=not observed.reddened)[number])
    light = Sersic(
        flux=dist.LogNormal(math.log(guess.flux / per_hb), UNSURE),
        r_eff=dist.LogNormal(math.log(guess.r_eff), 0.5),
        n=1.0,
    )
    slope = dist.Normal(0.0, STEEP / guess.r_eff)
    carried = {
        "metallicity": Gradient(central=dist.Uniform(*z_range), slope=slope),
        "extinction": Constant(value=extinction),
    }
    made = Source(
        frame=Geometry(frame, free_geometry, thickness).of(guess, 0.3 * guess.r_eff),
        lights={observed.light: light},
        carries={name: Carried(profile=profile, weight=observed.light) for name, profile in carried.items()},
        departures={one.ratio.name: dist.Normal(0.0, 1.0) for one in observed.emission.calibrations},
    )
    return Scene(sources={source: made})


def _require_sized(observed: LineMaps, z_range: tuple[float, float], a_v_range: tuple[float, float]) -> None:
    """Refuses empty ranges, and what this prior has no part for."""
    if not (z_range[0] < z_range[1] and a_v_range[0] <= a_v_range[1]):
        raise InputError(
            f"line_gradient: expected ranges from low to high, found z_range {z_range} and a_v_range {a_v_range}; "
            "correct them."
        )
    if observed.emission.also:
        raise InputError(
            f"line_gradient: expected lines by calibrations, found models that need "
            f"{' and '.join(observed.emission.also)}; write the prior of the scene yourself."
        )
    if observed.bins is not None:
        raise InputError("line_gradient: expected maps in pixels, found bins; write the prior of the scene yourself.")


def _brightest(observed: LineMaps) -> tuple[int, Image]:
    """The line that stands out most, and its map as an image."""
    data: Any = np.asarray(observed.data)
    used = np.asarray(observed.used)
    sigma = np.asarray(observed.noise.standard_deviation(data, np.maximum(data, 0.0))) + np.zeros_like(data)
    signal = np.where(used, data / sigma, 0.0)
    # The sum of squares of noise alone is the number of its pixels.
    number = int(np.argmax(np.sum(signal**2 - used, axis=(1, 2))))
    plane = observed.planes()[number]
    image = Image(
        data=data[number],
        noise=Gaussian(sigma=sigma[number]),
        grid=observed.grid,
        psf=plane.psf,
        light=observed.light,
        used=used[number],
        dx=observed.dx,
        dy=observed.dy,
    )
    return number, image
