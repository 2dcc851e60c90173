"""Point-spread functions.

A PSF is any object with a method `mixture() -> (weights, variances)`, its expansion in circular Gaussians (variances in
arcsec^2, weights that sum to 1), or one with `values` and `step`, a kernel on a grid. `includes_pixel` says whether the
response of the detector pixel is already contained in it; if so the pixel is not applied again.
"""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from jaxmetal.edge.errors import InputError
from jaxmetal.numerics.tree import node, static, within

FWHM_PER_SIGMA = 2.3548200450309493
"""FWHM of a Gaussian over its standard deviation, 2 sqrt(2 ln 2)."""


@node
class Gaussian:
    """A circular Gaussian.

    Attributes:
        fwhm: full width at half maximum, arcsec.
        includes_pixel: the width is that of the effective PSF, pixel included.
    """

    fwhm: Any = within("(0, inf)")
    includes_pixel: bool = static(default=False)

    def mixture(self) -> tuple[jax.Array, jax.Array]:
        """One Gaussian."""
        variance = (jnp.asarray(self.fwhm) / FWHM_PER_SIGMA) ** 2
        return jnp.ones((1,), variance.dtype), variance[None]


@node
class Mixture:
    """A sum of concentric circular Gaussians.

    Attributes:
        weights: shape (K,), summing to 1.
        variances: arcsec^2, shape (K,).
        includes_pixel: the widths are those of the effective PSF, pixel included.
    """

    weights: Any
    variances: Any
    includes_pixel: bool = static(default=False)

    def mixture(self) -> tuple[jax.Array, jax.Array]:
        """Itself."""
        return self.weights, self.variances


@node
class Moffat:
    """A circular Moffat profile, I(r) ~ (1 + r^2 / alpha^2)^(-beta), as a scale mixture of Gaussians.

    (1 + r^2/alpha^2)^(-beta) is exactly the mean of Gaussians of variance alpha^2 / (2 t) with t drawn from a
    Gamma(beta - 1) distribution. The mean over t is a trapezoid in ln t, which converges exponentially: with 14
    components the profile is within 1e-3 of its local value out to 5 FWHM for beta > 2.5 (Moffat 1969, A&A 3, 455 for
    the profile).

    Attributes:
        fwhm: full width at half maximum, arcsec.
        beta: outer exponent, > 1.
        components: number of Gaussians.
        includes_pixel: the width is that of the effective PSF, pixel included.
    """

    fwhm: Any = within("(0, inf)")
    beta: Any = within("(1, inf)")
    components: int = static(default=14)
    includes_pixel: bool = static(default=False)

    def mixture(self) -> tuple[jax.Array, jax.Array]:
        """Trapezoid in u = ln t: weights ~ t^(beta-1) e^(-t)."""
        beta = jnp.asarray(self.beta)
        alpha2 = (self.fwhm / 2.0) ** 2 / (2.0 ** (1.0 / beta) - 1.0)
        low, high = -11.0 / (beta - 1.0), jnp.log(beta + 10.0)
        u = low + (high - low) * jnp.linspace(0.0, 1.0, self.components, dtype=alpha2.dtype)
        weights = jax.nn.softmax((beta - 1.0) * u - jnp.exp(u))
        return weights, 0.5 * alpha2 * jnp.exp(-u)


@node
class Kernel:
    """A tabulated kernel.

    Attributes:
        values: the PSF at the centres of the cells, shape (ky, kx), odd, centred, summing to 1 (`io.psf` checks and
            reads one from FITS).
        step: cell size of the kernel, arcsec.
        includes_pixel: True for an empirical (effective) PSF, sampled from stars; False for an optical one.
    """

    values: Any
    step: Any = within("(0, inf)")
    includes_pixel: bool = static()


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

    def mixture(self) -> tuple[jax.Array, jax.Array]:
        """All combinations of the parts' components: weights multiply, variances add."""
        weights, variances = self.parts[0].mixture()
        for part in self.parts[1:]:
            w, v = part.mixture()
            weights = (weights[:, None] * w[None, :]).ravel()
            variances = (variances[:, None] + v[None, :]).ravel()
        return weights, variances


@node
class Difference:
    """What still blurs light that was already blurred: the observation's PSF with the picture's own PSF taken out.

    Attributes:
        of: the PSF of the observation.
        already: the PSF of the picture, one Gaussian, narrower than every component of `of` that matters.
    """

    of: Any
    already: Gaussian

    @property
    def includes_pixel(self) -> bool:
        """As the observation's PSF."""
        return self.of.includes_pixel

    def mixture(self) -> tuple[jax.Array, jax.Array]:
        """Variances subtract; what cannot be narrowed further stays a (numerically) thin spike."""
        weights, variances = self.of.mixture()
        _, own = self.already.mixture()
        return weights, jnp.maximum(variances - own, 1e-4 * variances)


def difference(of: Any, already: Any) -> Difference:
    """The difference kernel of two PSFs, or a refusal.

    Raises:
        InputError: if either PSF is no mixture of Gaussians, `already` is no single Gaussian, or more than 2 % of the
            light of `of` lies in components narrower than `already`.
    """
    if not hasattr(of, "mixture") or not isinstance(already, Gaussian):
        raise InputError(
            "A difference kernel needs a Gaussian for the picture's own PSF and a Gaussian or Moffat for the "
            f"observation's, found {type(already).__name__} and {type(of).__name__}; "
            "describe them so, or deconvolve the picture first."
        )
    weights, variances = of.mixture()
    narrow = float(jnp.sum(jnp.where(variances < already.mixture()[1], weights, 0.0)))
    if narrow > 0.02:
        raise InputError(
            f"The picture is blurred more (FWHM {float(already.fwhm):.3g} arcsec) than the observation it should "
            f"weight ({100 * narrow:.0f} % of that PSF is narrower); use a sharper picture or smooth the observation."
        )
    return Difference(of=of, already=already)


TAIL = 4e-4
"""Share of the PSF's light beyond its reach."""


def fwhm(psf: Any) -> float:
    """Full width at half maximum, arcsec: the stated one, or where the radial profile falls to half its peak at last.

    That of a kernel which does not is twice the radius of its corners.
    """
    if hasattr(psf, "fwhm"):
        return float(psf.fwhm)
    squares, values = _radial(psf)
    # The logarithm of a Gaussian is a straight line in r^2.
    logarithms = np.log(np.maximum(values / values.max(), 1e-300))
    last = int(np.flatnonzero(logarithms >= np.log(0.5))[-1])
    if last == len(squares) - 1:
        return 2.0 * float(np.sqrt(squares[last]))
    part = (np.log(0.5) - logarithms[last]) / (logarithms[last + 1] - logarithms[last])
    return 2.0 * float(np.sqrt(squares[last] + part * (squares[last + 1] - squares[last])))


def _radial(psf: Any) -> tuple[np.ndarray, np.ndarray]:
    """Squared radii that rise from 0, arcsec^2, and a PSF's mean value there."""
    if hasattr(psf, "mixture"):
        weights, variances = (np.asarray(a, float) for a in psf.mixture())
        squares = np.concatenate([[0.0], np.geomspace(1e-2 * variances.min(), 1e2 * variances.max(), 400)])
        return squares, (weights / variances * np.exp(-0.5 * squares[:, None] / variances)).sum(axis=1)
    values = np.asarray(psf.values, float)
    rows, columns = (np.arange(n) - n // 2 for n in values.shape)
    squares, index = np.unique(rows[:, None] ** 2 + columns**2, return_inverse=True)
    mean = np.bincount(index.ravel(), values.ravel()) / np.bincount(index.ravel())
    return float(psf.step) ** 2 * squares, mean


def peak_width(psf: Any) -> float:
    """FWHM of the Gaussian with the PSF's peak, arcsec: sigma^2 = 1 / (2 pi peak). That of a Moffat is wider."""
    if hasattr(psf, "mixture"):
        weights, variances = psf.mixture()
        return FWHM_PER_SIGMA * float((weights / variances).sum()) ** -0.5
    return FWHM_PER_SIGMA * float(psf.step) * (2.0 * np.pi * float(np.max(psf.values))) ** -0.5


def reach(psf: Any) -> float:
    """Radius that holds all but `TAIL` of the PSF's light; for a kernel, half its size. Arcsec."""
    if not hasattr(psf, "mixture"):
        return 0.5 * float(psf.step) * max(np.shape(psf.values))
    weights, variances = (np.asarray(a) for a in psf.mixture())
    radii = np.geomspace(0.1, 30.0, 400) * np.sqrt(variances.max())
    outside = (weights * np.exp(-0.5 * radii[:, None] ** 2 / variances)).sum(axis=1)
    return float(radii[np.argmax(outside < TAIL)])
