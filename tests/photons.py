"""What photons that were thrown by a point-spread function and traced back say of their ellipse."""

import numpy as np
from scipy.optimize import curve_fit

FWHM_PER_SIGMA = 2.3548200450309493


def fitted_axes(x, y, weight):
    """Full widths and angle of the Gaussian through a histogram of surface brightness, by scipy's least squares."""
    edges = [np.linspace(*np.quantile(one, (0.01, 0.99)), 141) for one in (x, y)]
    seen = np.histogram2d(x, y, bins=edges, weights=weight)[0].T
    at = np.stack(np.meshgrid(*(0.5 * (one[1:] + one[:-1]) for one in edges))).reshape(2, -1)

    def gaussian(at, height, x0, y0, xx, xy, yy):
        dx, dy = at[0] - x0, at[1] - y0
        return height * np.exp(-0.5 * (xx * dx**2 + 2.0 * xy * dx * dy + yy * dy**2))

    start = np.linalg.inv(np.cov(x, y, aweights=weight))
    guess = (seen.max(), np.median(x), np.median(y), start[0, 0], start[0, 1], start[1, 1])
    found, _ = curve_fit(gaussian, at, seen.ravel(), guess)
    values, vectors = np.linalg.eigh(np.linalg.inv([[found[3], found[4]], [found[4], found[5]]]))
    pa = np.rad2deg(np.arctan2(-vectors[0, 1], vectors[1, 1])) % 180.0
    return FWHM_PER_SIGMA * np.sqrt(values[1]), FWHM_PER_SIGMA * np.sqrt(values[0]), pa
