"""Where a galaxy lies and how large it is, roughly: enough to size a prior."""

from __future__ import annotations

from functools import partial
from typing import Any, NamedTuple

import jax.numpy as jnp
import numpy as np

from jaxmetal.edge.errors import InputError
from jaxmetal.instrument.forms import FWHM_PER_SIGMA
from jaxmetal.lens import distortion
from jaxmetal.lens.derive import Lens
from jaxmetal.observation import Image, WeightedMap
from jaxmetal.observation.psf_form import psf_form
from jaxmetal.prior import typical
from jaxmetal.scene import deflection, trace

WINDOW = 3.0
"""Half-light radii, as they first seem, of the ellipse in which moments are taken: with the faint outskirts of a
galaxy, without the edges of its frame."""
ROUNDEST, FLATTEST = 0.95, 0.2


class Guess(NamedTuple):
    """A galaxy's geometry from moments.

    Attributes:
        x0: centre, arcsec to the West.
        y0: centre, arcsec to the North.
        r_eff: half-light radius along the major axis, arcsec.
        q: axis ratio.
        pa: position angle of the major axis, degrees East of North, between 0 and 180.
        flux: total.
    """

    x0: float
    y0: float
    r_eff: float
    q: float
    pa: float
    flux: float


def guess_from_image(image: Image) -> Guess:
    """Moments of what stands out of an image's noise, the PSF's width taken out.

    Faint images have more noise than light in most of their pixels, and second moments weigh the far ones most: only
    the surroundings of where the image, weighed by the PSF, exceeds (2 ln N)^(1/2) sigma count at first, which noise
    alone does hardly anywhere among N pixels (Donoho & Johnstone 1994, Biometrika 81, 425); then an ellipse of three of
    the radii that they give. For an exponential disc the second moment along the major axis is 3 h^2 = (1.03 r_eff)^2:
    r_eff is about its root.

    Raises:
        InputError: if nothing stands out.
    """
    image = typical(image)
    data: Any = np.asarray(image.data)
    sigma = np.asarray(image.noise.standard_deviation(data, np.maximum(data, 0.0)))
    x, y = (np.asarray(a) for a in image.pixels.centres())
    blur, pixel = psf_form(image.psf).peak_width() / FWHM_PER_SIGMA, _pixel(image)
    inside = _standing_out(data, sigma, np.asarray(image.used), blur / pixel)
    first = moments(x, y, np.where(inside, data, 0.0), blur, pixel) if inside.any() else None
    if first is None or not first.flux > 0.0:
        raise InputError(
            "The image shows nothing brighter than its noise to guess a prior from; give the frame and the light "
            "yourself."
        )
    # As `frame.Disc.to_plane`, in NumPy: a guess compiles nothing.
    dx, dy, angle = x - first.x0, y - first.y0, np.deg2rad(first.pa)
    u, v = np.cos(angle) * dy - np.sin(angle) * dx, (np.cos(angle) * dx + np.sin(angle) * dy) / first.q
    near = np.hypot(u, v) < WINDOW * np.hypot(first.r_eff, blur)
    again = moments(x, y, np.where(near & np.asarray(image.used), data, 0.0), blur, pixel)
    return again if again.flux > 0.0 else first


def _standing_out(data: np.ndarray, sigma: np.ndarray, used: np.ndarray, blur: float) -> np.ndarray:
    """Pixels within about a FWHM of where data, weighed by a Gaussian of `blur` pixels (sigma), are no noise."""
    rows, columns = (np.exp(-0.5 * ((i[:, None] - i) / blur) ** 2) for i in map(np.arange, data.shape))
    weight = np.where(used, sigma**-2.0, 0.0)
    signal = rows @ (weight * np.where(used, data, 0.0)) @ columns
    noise = np.sqrt(np.square(rows) @ weight @ np.square(columns))
    found = signal > np.sqrt(2.0 * np.log(max(used.sum(), 2))) * noise
    return used & (rows @ found.astype(float) @ columns > np.exp(-0.5 * FWHM_PER_SIGMA**2))


def guess_from_map(observed: WeightedMap) -> Guess:
    """Moments of a map's used pixels weighted by 1 / sigma^2: precise pixels are bright ones. No flux."""
    x, y, weights = _map_pixels(observed)
    return moments(x, y, weights, 0.0, _pixel(observed))


def guess_through_lens(observed: WeightedMap, lens: dict[str, Lens], light: Any) -> Guess:
    """Moments in the source plane of a map's used pixels, each traced back.

    The weights are a picture's light over the magnification, which is light per area of the source.

    Args:
        observed: the map, in the image plane.
        lens: name -> deflector.
        light: called with sky positions (image plane); negative pixels count as dark.
    """
    x, y, weights = _map_pixels(observed)
    weights = (weights > 0) * np.maximum(np.asarray(light(jnp.asarray(x), jnp.asarray(y))), 0.0)
    bx, by = (np.asarray(b) for b in trace(lens, (jnp.asarray(x), jnp.asarray(y))))
    mu = distortion(partial(deflection, lens), jnp.asarray(x), jnp.asarray(y)).mu
    # A pixel stands for an area 1 / |mu| of the source; next to a singular lens that would be without bound.
    weights = weights * np.minimum(1.0 / np.abs(np.asarray(mu)), 1.0)
    traced = np.isfinite(bx + by) & (weights > 0)
    if not traced.any():
        raise InputError(
            "No used pixel has both light and a deflection; check the picture, the deflection map and the sky origin."
        )
    return moments(bx[traced], by[traced], weights[traced], 0.0, 0.1 * _pixel(observed))


def _pixel(observed: Any) -> float:
    """Side of a pixel, arcsec."""
    return float(np.sqrt(typical(observed).pixels.pixel_area))


def _map_pixels(observed: WeightedMap) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Sky positions of all pixels and their weights, 1 / sigma^2 where used."""
    observed = typical(observed)
    data: Any = np.asarray(observed.data)
    used, light = np.asarray(observed.used), np.ones_like(data)
    sigma = np.asarray(observed.noise.standard_deviation(data, light))
    weights = np.where(used, sigma**-2.0, 0.0)
    if observed.bins is not None:
        weights = np.nan_to_num(np.asarray(observed.bins.paint(jnp.asarray(weights))))
    x, y = (np.asarray(a) for a in observed.pixels.centres())
    return x, y, weights


def moments(x: np.ndarray, y: np.ndarray, weights: np.ndarray, blur: float, smallest: float) -> Guess:
    """Centre, size and shape from first and second moments; blur in arcsec (sigma) is taken out of the second."""
    total = weights.sum()
    x0, y0 = float((weights * x).sum() / total), float((weights * y).sum() / total)
    dx, dy = x - x0, y - y0
    xx, yy, xy = ((weights * a).sum() / total for a in (dx * dx, dy * dy, dx * dy))
    variances, axes = np.linalg.eigh([[xx, xy], [xy, yy]])
    minor, major = np.sqrt(np.maximum(variances - blur**2, smallest**2))
    pa = float(np.rad2deg(np.arctan2(-axes[0, 1], axes[1, 1])) % 180.0)
    q = float(np.clip(minor / major, FLATTEST, ROUNDEST))
    return Guess(x0=x0, y0=y0, r_eff=float(major), q=q, pa=pa, flux=float(total))
