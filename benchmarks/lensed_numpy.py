"""Lensed maps by brute force in NumPy, for comparison: nothing here is shared with what is compared.

The image plane is cut into squares, and these into four wherever nine Gauss-Legendre nodes in each quarter do not give
what nine in the whole gave, down to 2^-14 of a square. Every node then goes to every pixel by itself: a Gaussian times
the pixel, in error functions.
"""

from __future__ import annotations

import numpy as np
from scipy.special import erf, gamma, gammaincinv

NODES, WEIGHTS = np.polynomial.legendre.leggauss(3)
DEEPEST = 14


def sie(theta_e, q, pa, x0, y0):
    """Kormann, Schneider & Bartelmann 1994 in their own coordinates; x to the West, angles East of North."""
    turn = np.deg2rad(pa)
    major = np.array([-np.sin(turn), np.cos(turn)])
    minor = np.array([np.cos(turn), np.sin(turn)])
    root = np.sqrt(1.0 - q**2)

    def alpha(x, y):
        u = major[0] * (x - x0) + major[1] * (y - y0)
        v = minor[0] * (x - x0) + minor[1] * (y - y0)
        angle = np.arctan2(v, u)
        factor = theta_e * np.sqrt(q) / root
        # The mass is elongated along u.
        along_u = factor * np.arctan(root * np.cos(angle) / np.sqrt(q**2 * np.cos(angle) ** 2 + np.sin(angle) ** 2))
        along_v = factor * np.arctanh(root * np.sin(angle) / np.sqrt(q**2 * np.cos(angle) ** 2 + np.sin(angle) ** 2))
        return along_u * major[0] + along_v * minor[0], along_u * major[1] + along_v * minor[1]

    return alpha


def shear(gamma1, gamma2):
    """A constant shear around (0, 0)."""
    return lambda x, y: (gamma1 * x + gamma2 * y, gamma2 * x - gamma1 * y)


def table(maps, step):
    """Deflection maps (2, ny, nx) around (0, 0), interpolated by Keys' cubic convolution."""

    def line(t):
        a = np.abs(t)
        near = 1.5 * a**3 - 2.5 * a**2 + 1.0
        return np.where(a < 1.0, near, np.where(a < 2.0, -0.5 * a**3 + 2.5 * a**2 - 4.0 * a + 2.0, 0.0))

    def alpha(x, y):
        column, row = x / step + 0.5 * (maps.shape[2] - 1), y / step + 0.5 * (maps.shape[1] - 1)
        i, j = np.floor(column).astype(int), np.floor(row).astype(int)
        total = np.zeros((2, *np.shape(x)))
        for k in range(-1, 3):
            for m in range(-1, 3):
                total += line(row - j - k) * line(column - i - m) * maps[:, j + k, i + m]
        return total[0], total[1]

    return alpha


def disc(x0, y0, q, pa, r_eff, n, slope):
    """Light per arcsec^2 of flux 1, and the metallicity 8.7 + slope R, of a thin disc, of source-plane positions."""
    turn, b = np.deg2rad(pa), gammaincinv(2.0 * n, 0.5)
    peak = b ** (2.0 * n) / (2.0 * np.pi * n * gamma(2.0 * n) * r_eff**2) / q

    def both(x, y):
        u = -np.sin(turn) * (x - x0) + np.cos(turn) * (y - y0)
        v = (np.cos(turn) * (x - x0) + np.sin(turn) * (y - y0)) / q
        radius = np.hypot(u, v)
        return peak * np.exp(-b * (radius / r_eff) ** (1.0 / n)), 8.7 + slope * radius

    return both


def maps(lens, source, shape, pixel, sigma, margin, tolerance=1e-8):
    """Light per pixel and light-weighted metallicity behind a Gaussian PSF of `sigma` arcsec.

    Args:
        lens: functions of position that return deflections, arcsec.
        source: a function that returns light and metallicity of positions in the source plane.
        shape: (ny, nx), around (0, 0).
        pixel: arcsec.
        sigma: arcsec.
        margin: pixels around the frame from which light is blurred in.
        tolerance: over all light, of a square.
    """
    ny, nx = shape

    def both(x, y):
        bend = [alpha(x, y) for alpha in lens]
        light, metals = source(x - sum(a[0] for a in bend), y - sum(a[1] for a in bend))
        return np.stack([light, light * 10.0 ** (metals - 8.7)])

    half = pixel / 4.0
    centres = [half * (2 * np.arange(2 * (n + 2 * margin)) + 1) - (n / 2 + margin) * pixel for n in (nx, ny)]
    x, y = (a.ravel() for a in np.meshgrid(*centres))
    out, bound = np.zeros((2, ny, nx)), None
    nodes = _nodes(x, y, half, both)
    for depth in range(DEEPEST + 1):
        sums = nodes[2].sum(axis=-1)
        if bound is None:
            bound = tolerance * sums.sum(axis=1)[:, None]
        parts = half / 2
        finer_x = (x[:, None] + parts * np.array([-1, 1, -1, 1])).ravel()
        finer_y = (y[:, None] + parts * np.array([-1, -1, 1, 1])).ravel()
        finer = _nodes(finer_x, finer_y, parts, both)
        off = np.abs(finer[2].sum(axis=-1).reshape(2, -1, 4).sum(axis=-1) - sums)
        bad = (off > bound).any(axis=0) & (depth < DEEPEST)
        good = np.repeat(~bad, 4)
        _record(out, *(part[..., good, :] for part in finer), pixel, sigma)
        x, y, half = finer_x[~good], finer_y[~good], parts
        nodes = tuple(part[..., ~good, :] for part in finer)
        if not len(x):
            break
    return out[0], 8.7 + np.log10(out[1] / out[0])


def _nodes(x, y, half, both):
    """Nine nodes in each square, and what is in the part of it that each stands for."""
    dx, dy = (a.ravel() * half for a in np.meshgrid(NODES, NODES))
    weights = (WEIGHTS[:, None] * WEIGHTS).ravel() * half**2
    px, py = x[:, None] + dx, y[:, None] + dy
    return px, py, both(px, py) * weights


def _record(out, x, y, amounts, pixel, sigma):
    """Every node to every pixel."""
    ny, nx = out.shape[1:]
    x, y, amounts = x.ravel(), y.ravel(), amounts.reshape(2, -1)
    for begin in range(0, len(x), 20000):
        some = slice(begin, begin + 20000)
        along_x, along_y = _line(nx, x[some], pixel, sigma), _line(ny, y[some], pixel, sigma)
        for k in range(2):
            out[k] += along_y @ (amounts[k, some, None] * along_x.T)


def _line(n, positions, pixel, sigma):
    edges = (np.arange(n + 1) - 0.5 * n) * pixel
    return 0.5 * np.diff(erf((edges[:, None] - positions) / (np.sqrt(2.0) * sigma)), axis=0)
