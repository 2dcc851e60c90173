"""The operator O[f] = integral over each pixel of (PSF * f), by quadrature converged far below any tolerance.

The plane is cut into cells: three to a pixel in and around the frame, growing geometrically outside it, halved again
and again towards the cusp of the light. A cell carries a Gauss-Legendre rule (7 nodes are 21 samples per pixel, 11 are
33), and a node sends its light into every pixel by the exact integral of the PSF over that pixel: nothing is
truncated, padded or interpolated. Every PSF here is a mixture of circular Gaussians, so that the integrals are products
of erf.
"""

import numpy as np
from scipy.special import erf

CELL = 1 / 3  # pixels
COLLAR = 3.0  # pixels around the frame with cells of that size
GROWTH = 0.08  # cell size gained per pixel of distance outside the collar
SMOOTH = 0.7  # a rule converges on cells below this fraction of the distance to the cusp (times q)
SMALLEST = 1e-6  # pixels; the light of n = 4 in a smaller cell is < 1e-11 of the total


def observe(fields, shape, psf, *, cusp=(0.0, 0.0), q=1.0, samples=21):
    """O of several functions of the sky at once.

    Args:
        fields: function (x, y) -> array (k, ...) of k values per position, in pixels from the centre of the frame.
        shape: (ny, nx) of the frame.
        psf: object with `mixture()` and `reach` (pixels).
        cusp: (x, y) of the one point where the fields are not smooth.
        q: smallest axis ratio of the fields about that point.
        samples: nodes per pixel and axis, a multiple of three.

    Returns:
        Array (k, ny, nx).
    """
    rule = np.polynomial.legendre.leggauss(round(samples * CELL))
    edges = [_breakpoints(n, psf.reach) for n in shape]
    core = [_near(e, c, 1.5 * CELL / (SMOOTH * q)) for e, c in zip(edges, cusp[::-1], strict=True)]
    grid = _outside_core(fields, edges, core, rule)
    patch = _inside_core(fields, edges, core, cusp, SMOOTH * q, rule)
    return sum(w * (grid(shape, s) + patch(shape, s)) for w, s in zip(*psf.mixture(), strict=True))


def into_pixels(nodes, n, sigma):
    """Fraction (n, nodes) of a Gaussian at each node that falls between the edges of each of n pixels."""
    edge = np.arange(n + 1) - n / 2
    return np.diff(erf((edge[:, None] - nodes) / (np.sqrt(2) * sigma)), axis=0) / 2


def _breakpoints(n, reach):
    """Edges of the cells along an axis of n pixels."""
    half = n / 2 + COLLAR
    inner = np.linspace(-half, half, round(2 * half / CELL) + 1)
    outer = [0.0]
    while outer[-1] < reach:
        outer.append(outer[-1] + CELL + GROWTH * outer[-1])
    outer = half + np.array(outer[1:])
    return np.concatenate([-outer[::-1], inner, outer])


def _near(edges, centre, distance):
    """First and last (exclusive) cell that come within `distance` of `centre`."""
    return np.searchsorted(edges, centre - distance, "right") - 1, np.searchsorted(edges, centre + distance, "left")


def _nodes(low, size, rule):
    """Nodes and weights (cells, order) of the rule on each cell."""
    return low[:, None] + size[:, None] * (rule[0] + 1) / 2, size[:, None] * rule[1] / 2


def _outside_core(fields, edges, core, rule):
    """Sample the product grid, without the cells of the core; returns a function (shape, sigma) -> pixel values."""
    (y, wy), (x, wx) = ([a.ravel() for a in _nodes(e[:-1], np.diff(e), rule)] for e in edges)
    rows, columns = (slice(first * len(rule[0]), last * len(rule[0])) for first, last in core)
    values = np.stack([fields(x, row) for row in y], axis=1)
    values *= wy[:, None] * wx
    values[:, rows, columns] = 0

    def blur(shape, sigma):
        to_y, to_x = into_pixels(y, shape[0], sigma), into_pixels(x, shape[1], sigma)
        return to_y @ (values @ to_x.T)

    return blur


def _inside_core(fields, edges, core, cusp, ratio, rule):
    """Sample the cells of the core, halved towards the cusp; returns a function (shape, sigma) -> pixel values."""
    y_edge, x_edge = (e[first : last + 1] for e, (first, last) in zip(edges, core, strict=True))
    x, y = (a.ravel() for a in np.meshgrid(x_edge[:-1], y_edge[:-1]))
    dx, dy = (a.ravel() for a in np.meshgrid(np.diff(x_edge), np.diff(y_edge)))
    cells = _halved(np.stack([x, y, dx, dy], axis=1), cusp, ratio)
    (x, wx), (y, wy) = (_nodes(cells[:, i], cells[:, i + 2], rule) for i in (0, 1))
    order = len(rule[0])
    x, y = np.repeat(x, order, axis=1).ravel(), np.tile(y, (1, order)).ravel()
    weight = np.repeat(wx, order, axis=1).ravel() * np.tile(wy, (1, order)).ravel()
    values = fields(x, y) * weight

    (x, column), (y, row) = (np.unique(a, return_inverse=True) for a in (x, y))  # cells share their coordinates

    def blur(shape, sigma):
        to_y, to_x = into_pixels(y, shape[0], sigma)[:, row], into_pixels(x, shape[1], sigma)[:, column]
        return np.stack([(to_y * value) @ to_x.T for value in values])

    return blur


def _halved(cells, cusp, ratio):
    """Halve cells (x, y, dx, dy) until each is smaller than `ratio` times its distance from the cusp, or negligible."""
    done = []
    while len(cells):
        corner, size = cells[:, :2], cells[:, 2:]
        gap = np.maximum(np.maximum(corner - cusp, cusp - corner - size), 0)
        small = size.max(axis=1) <= np.maximum(ratio * np.hypot(*gap.T), SMALLEST)
        done.append(cells[small])
        corner, size = corner[~small], size[~small] / 2
        cells = np.concatenate([np.hstack([corner + size * [i, j], size]) for i in (0, 1) for j in (0, 1)])
    return np.concatenate(done)
