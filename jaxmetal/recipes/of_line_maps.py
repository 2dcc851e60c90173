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
from jaxmetal.numerics.field import Field
from jaxmetal.observation import Image, LineMaps
from jaxmetal.observation.line_maps import departure_of
from jaxmetal.prior import typical
from jaxmetal.recipes.guess import guess_from_image
from jaxmetal.recipes.priors import STEEP, Geometry
from jaxmetal.recipes.random_field import MOST, PER_LENGTH, modes_for
from jaxmetal.scene import Carried, Scene, Source
from jaxmetal.tracer.constant import Constant
from jaxmetal.tracer.gradient import Gradient

Z_RANGE, A_V_RANGE = (7.0, 9.3), (0.0, 4.0)
REACH = 4.0
"""Half-light radii of an exponential disc that hold 99 % of its light."""
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
    small_scale: tuple[float, float] | None = None,
    source: str = "disc",
) -> Scene:
    """One disc that emits Hb, with a linear gradient of metallicity, one extinction, and the departures of its gas.

    Hb is a Sersic light with n = 1, flux and r_eff free. The gas departs from every calibration of the lines by a
    standard-normal number of its scatters, the galaxy's own. Of ratios that vary from place to place (`varying` of the
    maps) a share s of the squared scatter is a random field, and Normal(0, sqrt(1 - s)) the galaxy's own. Geometry and
    size are guessed from the line that stands out most from its noise.

    Args:
        observed: maps of lines, in pixels.
        frame: geometry, if known; else guessed.
        free_geometry: whether the guessed centre, axis ratio and position angle are free.
        thickness: as of `gradient`.
        z_range: limits of the flat prior of 12 + log(O/H) in the centre.
        a_v_range: limits of the flat prior of A(V), mag; equal where it is known, 0 of dereddened fluxes.
        small_scale: of ratios that vary: the share s, and the length over which the field is correlated, arcsec on the
            disc. The field reaches as far as used pixels on the disc, or four half-light radii where that is less.
        source: name of the disc.

    Raises:
        InputError: if a range is empty, the maps are binned, no line stands out, the geometry is told twice, or
            ratios vary and `small_scale` does not say how.
    """
    _require_sized(observed, z_range, a_v_range)
    now = typical(observed)
    number, image = _brightest(now)
    guess = guess_from_image(image)
    low, high = a_v_range
    extinction = dist.Uniform(low, high) if low < high else low
    middle = jnp.asarray(0.5 * (z_range[0] + z_range[1])), jnp.asarray(min(max(1.0, low), high))
    per_hb = float(now.scale * observed.emission.each_feature(*middle, intrinsic=not observed.reddened)[number])
    light = Sersic(
        flux=dist.LogNormal(math.log(guess.flux / per_hb), UNSURE),
        r_eff=dist.LogNormal(math.log(guess.r_eff), 0.5),
        n=1.0,
    )
    slope = dist.Normal(0.0, STEEP / guess.r_eff)
    geometry = Geometry(frame, free_geometry, thickness)
    seen = typical(geometry._replace(free=False).of(guess, 0.0))
    carried: dict[str, Any] = {
        "metallicity": Gradient(central=dist.Uniform(*z_range), slope=slope),
        "extinction": Constant(value=extinction),
    }
    share, local = _small_scale(observed, small_scale, min(REACH * guess.r_eff, _on_disc(image, seen)))
    carried |= {departure_of(ratio): local for ratio in observed.varying}
    own = {ratio: math.sqrt(1.0 - share) for ratio in observed.varying}
    made = Source(
        frame=geometry.of(guess, 0.3 * guess.r_eff),
        lights={observed.light: light},
        carries={name: Carried(profile=profile, weight=observed.light) for name, profile in carried.items()},
        departures={
            one.ratio.name: dist.Normal(0.0, own.get(one.ratio.name, 1.0)) for one in observed.emission.calibrations
        },
    )
    return Scene(sources={source: made})


def _on_disc(image: Image, frame: Frame) -> float:
    """Half the side of the square around the centre of the disc that holds all used pixels, arcsec on the disc."""
    x, y = (np.asarray(axis)[np.asarray(image.used)] for axis in typical(image).pixels.centres())
    return float(max(np.abs(axis).max() for axis in map(np.asarray, frame.to_plane(x, y))))


def _small_scale(observed: LineMaps, told: tuple[float, float] | None, extent: float) -> tuple[float, Field | None]:
    """The share of the squared scatter that varies from place to place, and how it does within `extent`."""
    if not observed.varying and told is None:
        return 0.0, None
    share, length = told or (0.0, 0.0)
    if not (observed.varying and 0.0 < share < 1.0 and length > 0.0):
        raise InputError(
            f"line_gradient: expected small_scale, a share between 0 and 1 and a length above 0 arcsec, of maps with "
            f"ratios that vary, found {told} and varying {list(observed.varying)}; state both."
        )
    modes = max(3, modes_for(extent, length))
    if modes > MOST:
        raise InputError(
            f"line_gradient: expected a length of small_scale from {PER_LENGTH * extent / MOST:.2g} arcsec on (at most "
            f"{MOST} modes), found {length:g}; raise it."
        )
    weights = dist.Normal().expand([modes, modes])
    return share, Field(weights=weights, amplitude=math.sqrt(share), length=length, extent=extent)


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
