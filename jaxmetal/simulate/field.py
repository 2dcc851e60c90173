"""Correlated random fluctuations on a disc."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np

from jaxmetal.edge.ranges import number
from jaxmetal.numerics.grid import Grid
from jaxmetal.tracer.tabulated import Tabulated


def random_field(key: jax.Array, *, extent: float, step: float, sigma: float, length: float) -> Tabulated:
    """A stationary Gaussian random field of mean 0 and covariance sigma^2 exp(-R / length).

    Drawn by filtering white noise with the root of the covariance's spectrum on a torus of twice the size, so that
    opposite borders are independent (Metha et al. 2021, MNRAS 508, 489, for the covariance). Add it to a radial profile
    with `Sum`: the correlated fluctuations of Metha et al. 2024, Fig. 1.

    Args:
        key: random key.
        extent: half the side of the square that the table covers, arcsec on the disc.
        step: distance of table entries, arcsec; a third of `length` or less.
        sigma: standard deviation, in the property's unit (dex).
        length: correlation length, arcsec.

    Raises:
        InputError: if a length is not above 0, or the standard deviation below.
    """
    extent, step, length = (
        number(name, given, "(0, inf)", "arcsec")
        for name, given in {"extent": extent, "step": step, "length": length}.items()
    )
    sigma = number("sigma", sigma, "[0, inf)")
    n = 2 * int(np.ceil(extent / step)) + 1
    torus = 2 * n
    offset = step * np.fft.fftfreq(torus, 1.0 / torus)
    covariance = sigma**2 * np.exp(-np.hypot(offset[:, None], offset[None, :]) / length)
    spectrum = np.maximum(np.fft.fft2(covariance).real, 0.0)
    white = jax.random.normal(key, (torus, torus))
    field = jnp.fft.ifft2(jnp.fft.fft2(white) * jnp.sqrt(jnp.asarray(spectrum))).real
    return Tabulated(values=field[:n, :n], grid=Grid.regular((n, n), step))
