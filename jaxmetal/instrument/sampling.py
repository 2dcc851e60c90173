"""How finely a scene is sampled before the blur: chosen once, from the light and the PSF, as static integers."""

from __future__ import annotations

import dataclasses
import math

from jaxmetal.numerics.cusp import EXTENT
from jaxmetal.numerics.lengths import longer, narrower

DEAREST = 30
"""Nodes per axis beyond which moving the samples of a core costs more than it saves under a single Gaussian."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Sampling:
    """The sample grid of an observation (hashable: part of the structure, never traced).

    Attributes:
        oversampling: cells per pixel and axis.
        stride: pixels per sample and axis (more than 1 only under a PSF that is many pixels wide).
        subsamples: samples per cell and axis (more than 1 only under a tabulated kernel coarser than the light needs).
        margin: pixels by which the frame is widened on every side.
        route: "separable" (mixtures of Gaussians) or "fft" (any kernel).
        core_size: size a of the smooth window around the centre of a light, in pixels; 0 for no polar core.
        core_nodes: radial and angular nodes of the polar core.
        core_order: nodes per axis to which a core's samples are moved before the blur, 0 to blur every sample itself.
    """

    oversampling: int = 1
    subsamples: int = 1
    stride: int = 1
    margin: int = 0
    route: str = "separable"
    core_size: float = 0.0
    core_nodes: tuple[int, int] = (24, 32)
    core_order: int = 0

    @property
    def density(self) -> float:
        """Samples per pixel and axis."""
        return self.oversampling * self.subsamples / self.stride


def choose(
    *,
    fwhm: float,
    reach: float,
    finest: float,
    lensed: bool,
    components: int = 1,
    coarse: bool = False,
    kernel_oversampling: int | None = None,
) -> Sampling:
    """The default sampling; against converged references its maps are within 2e-4 dex and its light within 2e-3.

    Args:
        fwhm: of the PSF, pixels.
        reach: radius beyond which the PSF is negligible, pixels.
        finest: smallest scale of lights, and of what they carry, along minor axes, pixels.
        lensed: behind a lens, where the grid alone must resolve the centre.
        components: Gaussians that the PSF consists of.
        coarse: all scales are among those, so that under a wide PSF not every pixel is needed.
        kernel_oversampling: cells per pixel of a tabulated kernel, None for an analytic PSF.
    """
    smooth = fwhm >= 8.0 and finest >= 1.0
    density = (1 if smooth else 2 if finest >= 0.5 else 3) + (1 if lensed else 0)
    # The polar core must resolve the response W, which is as wide as the PSF, or as a pixel under a sharper one.
    exact = max(math.hypot(fwhm / 2.355, 0.3), 0.3)
    # Of few widths, so that galaxies with somewhat different seeing share a compiled program.
    width = narrower(exact, 0.3)
    radial, angular = max(16, math.ceil(14 + 6 / width)), max(28, math.ceil(22 + 12 / width))
    cells = density if kernel_oversampling is None else kernel_oversampling
    wide = smooth and coarse and not lensed and kernel_oversampling is None
    stride = max(1, int(min(fwhm / 7.5, 0.5 * finest, 4.0))) if wide else 1
    core_size = 4.0 * stride if cells == 1 else 2.5
    # Across the core, W is a polynomial of this order to 1e-8; a Moffat's peak is sharper than a Gaussian's.
    order = math.ceil(8 + (5 if components == 1 else 8) * EXTENT * core_size / width)
    # Moving the samples costs order^2 per sample, blurring each of them a row and a column per Gaussian.
    moved = kernel_oversampling is None and order <= DEAREST * components**0.5
    return Sampling(
        oversampling=cells,
        stride=stride,
        subsamples=math.ceil(density / cells),
        margin=longer(max(1, math.ceil(reach))),
        route="separable" if kernel_oversampling is None else "fft",
        core_size=core_size,
        core_nodes=(min(radial, 48), min(angular, 64)),
        core_order=order if moved else 0,
    )
