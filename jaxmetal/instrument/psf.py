"""Point-spread functions.

A PSF is any object with `form()`, its expansion in circular Gaussians (`Mixture`) or a kernel of cells (`Kernel`), the
full width `fwhm` of its profile at half maximum (arcsec), and `includes_pixel`, which says whether the response of the
detector pixel is already contained in it; if so the pixel is not applied again.
"""

from __future__ import annotations

from typing import Any, Protocol

import jax
import jax.numpy as jnp
import numpy as np

from jaxmetal.edge.errors import InputError
from jaxmetal.instrument.forms import FWHM_PER_SIGMA, Kernel, Mixture
from jaxmetal.numerics.tree import node, parameter, static


class PSF(Protocol):
    """What every point-spread function has."""

    @property
    def fwhm(self) -> Any:
        """Full width of the profile at half maximum, arcsec."""

    @property
    def includes_pixel(self) -> bool:
        """Whether the response of the detector pixel is contained in it."""

    def form(self) -> Mixture | Kernel:
        """What is applied."""


@node
class Gaussian:
    """A circular Gaussian.

    Attributes:
        fwhm: full width at half maximum, arcsec.
        includes_pixel: the width is that of the effective PSF, pixel included.
    """

    fwhm: Any = parameter("arcsec", within="(0, inf)", role="full width")
    includes_pixel: bool = static(default=False)

    def form(self) -> Mixture:
        """One Gaussian."""
        one = np.ones(1, jnp.result_type(float))
        variances = (self.fwhm / FWHM_PER_SIGMA) ** 2 * one
        return Mixture(weights=one, variances=variances, includes_pixel=self.includes_pixel)


@node
class Moffat:
    """A circular Moffat profile, I(r) ~ (1 + r^2 / alpha^2)^(-beta), as a scale mixture of Gaussians.

    (1 + r^2/alpha^2)^(-beta) is exactly the mean of Gaussians of variance alpha^2 / (2 t) with t drawn from a
    Gamma(beta - 1) distribution. The mean over t is a trapezoid in ln t, which converges exponentially: with 12
    components the profile is within 2e-3 of its local value out to 5 FWHM for beta of 1.5 and more, 6e-4 from 2.5 on,
    with 20 within 1e-3 and 1e-4. Heavier wings ask for more: 6e-3 with 12 components at 1.2 (Moffat 1969, A&A 3, 455
    for the profile).

    Attributes:
        fwhm: full width at half maximum, arcsec.
        beta: outer exponent, > 1.
        components: number of Gaussians.
        includes_pixel: the width is that of the effective PSF, pixel included.
    """

    fwhm: Any = parameter("arcsec", within="(0, inf)", role="full width")
    beta: Any = parameter("", within="(1, inf)", role="exponent")
    components: int = static(within="[1, 100]", default=12)
    includes_pixel: bool = static(default=False)

    def form(self) -> Mixture:
        """Trapezoid in u = ln t: weights ~ t^(beta-1) e^(-t)."""
        beta = jnp.asarray(self.beta)
        alpha2 = (self.fwhm / 2.0) ** 2 / (2.0 ** (1.0 / beta) - 1.0)
        # The largest term is at t = beta - 1; the terms of large beta are a Gaussian of width 1 / root about it. With
        # more components both ends move out: what is missed there falls with what is missed between.
        shape, root, further = beta - 1.0, jnp.sqrt(beta - 1.0), (self.components / 12.0) ** 0.6
        low = jnp.log(shape) - further * (3.6 + 7.5 * shape / beta) / root
        high = jnp.log(shape + 3.6 * further * root + 1.0)
        u, step = jnp.linspace(low, high, self.components, retstep=True, dtype=alpha2.dtype)
        # Below the first, terms fall by e^(-shape step) each: it stands for all of them, far out in the wings.
        beyond = -jnp.log1p(-jnp.exp(-shape * step)) if self.components > 1 else 0.0
        weights = jax.nn.softmax((shape * u - jnp.exp(u)).at[0].add(beyond))
        return Mixture(weights=weights, variances=0.5 * alpha2 * jnp.exp(-u), includes_pixel=self.includes_pixel)


@node
class Composed:
    """Several blurs one after the other, e.g. seeing and a smoothing kernel.

    Attributes:
        parts: PSFs that are mixtures of Gaussians; variances add.
    """

    parts: tuple[Any, ...]

    @property
    def includes_pixel(self) -> bool:
        """Whether any part contains the pixel."""
        return any(part.includes_pixel for part in self.parts)

    @property
    def fwhm(self) -> float:
        """Of all parts together, arcsec."""
        return self.form().fwhm

    def form(self) -> Mixture:
        """All combinations of the parts' components: weights multiply, variances add.

        Raises:
            InputError: if a part is a kernel.
        """
        first, *others = (part.form() for part in self.parts)
        if {part.route for part in (first, *others)} != {Mixture.route}:
            raise InputError("Composed: expected parts made of Gaussians, found a kernel; convolve it yourself.")
        weights, variances = first.weights, first.variances
        for part in others:
            weights = (weights[:, None] * part.weights[None, :]).ravel()
            variances = (variances[:, None] + part.variances[None, :]).ravel()
        return Mixture(weights=weights, variances=variances, includes_pixel=self.includes_pixel)


def fwhm(psf: PSF) -> float:
    """Full width at half maximum, arcsec: as stated, or where the radial profile falls to half its peak at last."""
    return float(psf.fwhm)
