"""Annuli: which share of each pixel lies in which, whatever the radius is."""

from __future__ import annotations

import dataclasses
from typing import Any, Literal

import numpy as np
from scipy.sparse import csr_array

from jaxmetal.edge.arrays import as_mask
from jaxmetal.edge.errors import InputError
from jaxmetal.frame import deprojected_radius
from jaxmetal.frame.contract import Frame
from jaxmetal.lens.derive import Lens
from jaxmetal.numerics.grid import Grid, subpixels
from jaxmetal.sourceplane.ellipse import Ellipse
from jaxmetal.sourceplane.shares import parts_of, shares_of
from jaxmetal.sourceplane.traced import trace

FINE = 8
"""Parts along each side of a pixel."""
MOST = 1000
"""Annuli."""


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class Rings:
    """Annuli of equal width, from the centre outwards.

    Attributes:
        grid: pixels that they lie on.
        edges: radii between them, arcsec, shape (n + 1,).
        shares: fraction of each pixel in each annulus, shape (n, pixels of the flattened grid).
        radius: mean radius of the parts of pixels in each annulus, arcsec, shape (n,); NaN of one without any.
    """

    grid: Grid
    edges: np.ndarray
    shares: csr_array
    radius: np.ndarray


def elliptical_rings(
    grid: Grid, ellipse: Ellipse, centre: tuple[float, float], step: float = 0.5, *, used: Any = None
) -> Rings:
    """Annuli of the shape of an ellipse, as wide as `step` times sqrt(major minor), the PSF's mean full width.

    Their radius is that of the circle of the same area (`Ellipse.radius`); for circular annuli of the same width give
    `ellipse.round` (Curti et al. 2020, MNRAS 492, 821, sect. 3.3).

    An elongated annulus mixes radii of the galaxy: along its major axis it reaches sqrt(major / minor) times farther
    than its radius says, across it that much less far. A gradient that depends on the distance alone therefore comes
    out flatter in it even without any PSF (`benchmarks/lensed_gradients.py` measures by how much); that is geometry,
    on top of what the PSF takes. Circles mix radii only as far as the disc is inclined.

    Args:
        grid: pixels of the source's plane.
        ellipse: full widths at half maximum and position angle, numbers.
        centre: arcsec to the West and to the North.
        step: width of an annulus over sqrt(major minor).
        used: True for the pixels that hold anything, shape (ny, nx); all by default.

    Raises:
        InputError: if the step or an axis is not positive, or nothing is used.
    """
    size = float(ellipse.mean)
    if not (np.isfinite(size) and size > 0.0):
        raise InputError(
            f"ellipse: expected axes above 0 arcsec, found {float(ellipse.major):g} and {float(ellipse.minor):g}; "
            "take the PSF where the lens is known."
        )
    if not (np.isfinite(step) and step > 0.0):
        raise InputError(f"step: expected a fraction of the PSF's mean width, above 0, found {step}; correct it.")
    x, y = (np.asarray(one) for one in subpixels(grid, density=FINE, margin=0))
    return _rings(grid, ellipse.radius(x - centre[0], y - centre[1]), step * size, used)


def image_rings(
    frame: Frame,
    grid: Grid,
    lens: Lens | None,
    width: float,
    *,
    used: Any = None,
    by: Literal["area", "centre"] = "area",
) -> Rings:
    """Annuli of the deprojected source-plane radius, seen in the image: nothing is reconstructed.

    Args:
        frame: of the galaxy on the source's plane, every leaf a number.
        grid: pixels of the image.
        lens: None for none.
        width: of an annulus, arcsec (1 kpc in Wang et al. 2017, ApJ 837, 89, sect. 4.2).
        used: True for the pixels that hold anything, shape (ny, nx); all by default.
        by: "area" for the share of each pixel, "centre" for whole pixels by where their centre lands.

    Raises:
        InputError: if the width is not positive, or nothing is used where the lens is known.
    """
    if not (np.isfinite(width) and width > 0.0):
        raise InputError(f"width: expected the width of an annulus in arcsec, above 0, found {width}; correct it.")
    parts = trace(lens, grid, FINE if by == "area" else 1)
    return _rings(grid, np.asarray(deprojected_radius(frame, parts.x, parts.y), float), width, used)


def resolution(reach: float, ellipse: Ellipse) -> Literal["resolved", "marginal", "unresolved"]:
    """KLEVER's rule: resolved where annuli reach at least twice sqrt(HWHM_x HWHM_y), marginal from once on.

    Args:
        reach: outer radius of the outermost annulus with a value, in the unit of the ellipse.
        ellipse: the PSF on the source's plane, full widths.
    """
    half = 0.5 * float(ellipse.mean)
    return "resolved" if reach >= 2.0 * half else "marginal" if reach >= half else "unresolved"


def _rings(grid: Grid, radius: np.ndarray, width: float, used: Any) -> Rings:
    """From the radius of the parts of pixels, (ny fine, nx fine)."""
    fine = radius.shape[0] // grid.shape[0]
    mask = as_mask(used, tuple(grid.shape))
    inside = parts_of(mask, fine) & np.isfinite(radius)
    if not inside.any():
        raise InputError("used: expected pixels where the radius is known, found none; use a larger map of the lens.")
    number = np.where(inside, np.floor(np.nan_to_num(radius) / width), -1).astype(int)
    count = int(number.max()) + 1
    if count > MOST:
        raise InputError(
            f"The annuli are {width:.3g} arcsec wide and {count} of them reach the outermost pixel, more than {MOST}; "
            "use wider ones, or mask what lies far out."
        )
    shares = shares_of(number[inside], inside, fine, count)
    held = np.bincount(number[inside], minlength=count)
    total = np.bincount(number[inside], weights=radius[inside], minlength=count)
    mean = np.divide(total, held, out=np.full(count, np.nan), where=held > 0)
    return Rings(grid=grid, edges=width * np.arange(count + 1), shares=shares, radius=mean)
