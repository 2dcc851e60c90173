"""How finely a scene is sampled before the blur: chosen once, from the light and the PSF, as static integers."""

from __future__ import annotations

import dataclasses
import math

import numpy as np

from jaxmetal.instrument.levels import ALONE, Level, levels
from jaxmetal.numerics.cusp import EXTENT, ring_radii
from jaxmetal.numerics.lengths import longer, narrower

RESPONSE = 60
"""Multiplications of a matrix product that one entry of the response to a sample costs as much as."""

PER_SCALE = 0.72
"""Samples per Gaussian radius: a sum over them of a Gaussian is its integral to 2 exp(-2 pi^2 0.72^2) = 7e-5."""

PER_KINK = 4.3
"""Samples per pixel at a kink under a PSF of 1 pixel: what is missed falls as the square of their distance."""

MOST = 8
"""Samples per pixel and axis at most."""

NEAR = 2.5
"""Size of the smooth window around the centre of a light, pixels, where the grid itself is dense."""

PICTURED = 1.75
"""How many times as dense a core is in the light of a picture; samples per width of the response are at least that."""


def core_sizes(fwhm: float) -> tuple[float, float]:
    """Sizes of the window around a centre, pixels, on a dense grid and, under a wide PSF, on the coarsest."""
    return NEAR, 4.0 * max(1, int(min(fwhm / 7.5, 4.0)))


def resolved(core_size: float) -> float:
    """Distance from the centre up to which the polar core is much finer than the grid, in the unit of its size."""
    return 0.8 * core_size


AT_EDGES = 4
"""Samples per pixel at least behind a lens: the light must be smooth from cell to cell where small cells end."""

LENSED = (512, 256, 256)
"""Cells divided behind a lens, level by level: enough for five images of a cusp and the centre of the lens."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Refinement:
    """How the samples where a light is most doubtful are replaced by finer ones (see `numerics.refine`).

    Attributes:
        cells: for each level, how many cells of the level before are divided.
        factor: into how many along each axis; even, so that no finer sample is where a coarser one was; at least 4.
        width: standard deviation of the PSF and the pixel, in pixels: errors count relative to the light around.
    """

    cells: tuple[int, ...]
    factor: int = 4
    width: float


@dataclasses.dataclass(frozen=True, kw_only=True)
class Sampling:
    """The sample grid of an observation (hashable: part of the structure, never traced).

    Attributes:
        oversampling: cells per pixel and axis.
        cells: of a tabulated kernel, per pixel along y and x, however the samples lie; None for those above.
        stride: pixels per sample and axis (more than 1 only under a PSF that is many pixels wide).
        subsamples: samples per cell and axis (more than 1 only under a tabulated kernel coarser than the light needs).
        margin: pixels by which the frame is widened on every side.
        route: "separable" (mixtures of Gaussians) or "fft" (any kernel).
        levels: from which grids the components of a mixture are blurred; empty for all of them from the samples.
        core_size: size a of the smooth window around the centre of a light, in pixels; 0 for no polar core.
        core_nodes: radial and angular nodes of the polar core.
        core_order: nodes per axis to which a core's samples are moved before the blur, 0 to blur every sample itself.
        core_moved: radius in pixels within which they are; those further out are fewer, and blurred themselves.
        needed: samples per pixel that the smallest details ask for, where that is more than there may be; else 0.
        refinement: of the samples on the grid, None for none.
    """

    oversampling: int = 1
    subsamples: int = 1
    stride: int = 1
    margin: int = 0
    route: str = "separable"
    levels: tuple[Level, ...] = ()
    core_size: float = 0.0
    core_nodes: tuple[int, int] = (24, 32)
    core_order: int = 0
    core_moved: float = math.inf
    needed: float = 0.0
    refinement: Refinement | None = None
    cells: tuple[int, int] | None = None

    @property
    def blurred_cells(self) -> tuple[int, int]:
        """Cells per pixel, along y and x, between which the FFT blurs."""
        return self.cells or (self.oversampling, self.oversampling)

    @property
    def missed(self) -> float:
        """Share of the smallest details' own effect that may be missed where they ask for more samples; 0 elsewhere."""
        reached = self.density / self.needed if self.needed else math.inf
        return 2.0 * math.exp(-2.0 * (math.pi * PER_SCALE * reached) ** 2)

    @property
    def density(self) -> float:
        """Samples per pixel and axis."""
        return self.oversampling * self.subsamples / self.stride

    def doubled(self) -> Sampling:
        """Twice as many samples along each axis, half as many again in a core; a kernel's cells stay as they are."""
        one = "oversampling" if self.route == "separable" else "subsamples"
        radial, angular = (math.ceil(1.5 * n) for n in self.core_nodes)
        return dataclasses.replace(self, **{one: 2 * getattr(self, one)}, levels=(), core_nodes=(radial, angular))


def choose(
    *,
    fwhm: float,
    reach: float,
    finest: float,
    afar: float | None = None,
    kinked: bool = False,
    pictured: bool = False,
    lensed: bool,
    sigmas: np.ndarray | None = None,
    coarse: bool = False,
    cells: tuple[int, int] | None = None,
) -> Sampling:
    """The default sampling; against converged references its maps are within 2e-4 dex and its light within 2e-3.

    Args:
        fwhm: of the PSF, pixels.
        reach: radius beyond which the PSF is negligible, pixels.
        finest: Gaussian radius of the smallest detail outside the core of a dense grid, along minor axes, pixels.
        afar: the same outside the core of the coarsest (see `core_sizes`); `finest` where that is not known.
        kinked: whether the slope of something jumps, or may do so.
        pictured: a picture shines in a core; averaged over samples, it is as rough as these are near.
        lensed: behind a lens, where samples are refined wherever the centre is seen.
        sigmas: widths of the Gaussians that the PSF consists of, in pixels along x and y, shape (components, 2).
        coarse: all lights have a core of their own profile, so that fewer samples do, under a wide PSF not every pixel.
        cells: of a tabulated kernel, per pixel along y and x; None for an analytic PSF.
    """
    # The response W is as wide as the PSF, or as a pixel under a sharper one.
    exact = max(math.hypot(fwhm / 2.355, 0.3), 0.3)
    afar = finest if afar is None else afar
    # Where the light is a picture, it is as rough as the samples let it be: these are fewer only under a wide PSF.
    smooth = (coarse or fwhm >= 8.0) and not kinked and per_pixel(afar, exact) <= 1.0
    needed = per_pixel(finest, exact)
    density = 1 if smooth else max(2, math.ceil(min(MOST, needed)))
    density = max(density, math.ceil(PICTURED / exact) if pictured else 1)
    density = max(density, 3, round(PER_KINK / math.sqrt(exact))) if kinked else density
    density = max(density + 1, AT_EDGES) if lensed else density
    components = 1 if sigmas is None else len(sigmas)
    # Of few widths, so that galaxies with somewhat different seeing share a compiled program.
    width = narrower(exact, 0.3)
    oversampling = density if cells is None else min(cells)
    wide = smooth and coarse and not lensed and cells is None
    stride = max(1, int(min(fwhm / 7.5, 0.75 * afar, 4.0))) if wide else 1
    core_size = core_sizes(fwhm)[1] if oversampling == 1 else NEAR
    across = core_size * density / stride * (PICTURED if pictured else 1.0)
    nodes = _nodes(across, width)
    order, moved = _moved(nodes, core_size, width, components) if cells is None else (0, math.inf)
    return Sampling(
        oversampling=oversampling,
        stride=stride,
        subsamples=math.ceil(density / oversampling),
        margin=longer(max(1, math.ceil(reach))),
        route="separable" if cells is None else "fft",
        levels=() if sigmas is None else _levels(sigmas * (width / exact), oversampling / stride),
        core_size=core_size,
        core_nodes=nodes,
        core_order=order,
        core_moved=moved,
        needed=float(longer(math.ceil(min(needed, 1e3)))) if not smooth and needed > MOST else 0.0,
        refinement=Refinement(cells=LENSED, width=math.hypot(width, 0.3)) if lensed else None,
        cells=cells,
    )


def _nodes(across: float, width: float) -> tuple[int, int]:
    """Radii and angles of a core: it must resolve W, and be as dense as the grid where it hands over to it.

    Args:
        across: samples of the grid in the core's radius.
        width: of W, pixels.
    """
    radial = max(16, math.ceil(14 + 6 / width), math.ceil(3.5 * across))
    return radial, max(28, math.ceil(22 + 12 / width), math.ceil(2.0 * math.pi * resolved(across)))


def _moved(nodes: tuple[int, int], size: float, width: float, components: int) -> tuple[int, float]:
    """To how many nodes per axis, and within which radius, moving a core's samples is cheapest before two channels.

    Moving costs order^2 per sample, blurring it a row and a column of the response of each Gaussian and their product.
    """
    radial, angular = nodes
    radii = size * ring_radii(radial)
    near = 2.0 * (EXTENT * size + ALONE * width)
    best, least = (0, math.inf), float(components * radial * angular * 2.0 * near * (RESPONSE + near))
    for rings, radius in enumerate(radii, 1):
        # So far from the centre, W is a polynomial of this order to 1e-8; a Moffat's peak is sharper than a Gaussian's.
        order = math.ceil(8 + (5 if components == 1 else 8) * radius / width)
        far = components * (radial - rings) * angular * 2.0 * near * (RESPONSE + near)
        cost = far + 2.0 * order * (rings * angular * order + components * near * (RESPONSE + order + near))
        if cost < least:
            best, least = (order, float(radius)), cost
    return best


def per_pixel(scale: float, width: float) -> float:
    """Samples per pixel that integrate details of a Gaussian radius under a response of another, both in pixels.

    Their product has the radius s with 1/s^2 = 1/scale^2 + 1/width^2, and the sum of samples converges exponentially
    in it (the trapezoid rule).
    """
    return PER_SCALE * math.hypot(1.0 / scale if scale > 0.0 else math.inf, 1.0 / width)


def _levels(sigmas: np.ndarray, density: float) -> tuple[Level, ...]:
    """Of widths like those given or up to a quarter larger, whose sampling is the same."""
    return levels(sigmas.min(axis=1), 1.25 * sigmas.max(axis=1), density)
