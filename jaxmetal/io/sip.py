"""The distortion of a grid as FITS writes it: SIP."""

from __future__ import annotations

import numpy as np
from astropy.wcs import Sip

from jaxmetal.numerics.distortion import DEGREE, POWERS, powers_of
from jaxmetal.numerics.grid import Grid

NODES = 12
"""Positions per axis at which polynomials are matched."""


def sip(grid: Grid) -> tuple[np.ndarray, np.ndarray, Sip]:
    """CRPIX, the matrix there (arcsec per pixel) and the polynomials of a grid with distortion.

    (x, y) = matrix @ (u + A(u, v), v + B(u, v)), (u, v) = pixel - CRPIX (Shupe et al. 2005, ASPC 347, 491). CRPIX is
    where x = y = 0, if that is near the image.
    """
    ny, nx = grid.shape
    reference = np.array([float(one) for one in grid.to_pixel(0.0, 0.0)])
    column, row = (a.ravel() for a in np.meshgrid(np.linspace(0, nx - 1, NODES), np.linspace(0, ny - 1, NODES)))
    unit = float(max(nx, ny))
    u, v = (column - reference[0]) / unit, (row - reference[1]) / unit
    design = np.stack([u, v, *powers_of(u, v)], axis=1)
    terms = np.linalg.lstsq(design, np.stack(grid.to_sky(column, row), axis=1))[0]
    matrix = terms[:2].T / unit
    coefficients = np.zeros((2, DEGREE + 1, DEGREE + 1))
    for (p, q), term in zip(POWERS, np.linalg.solve(matrix, terms[2:].T).T, strict=True):
        coefficients[:, p, q] = term / unit ** (p + q)
    return reference + 1, matrix, Sip(coefficients[0], coefficients[1], None, None, reference + 1)
