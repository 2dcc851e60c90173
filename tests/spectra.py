"""Line spectra by numpy alone: an independent copy of the physics, and its posterior summed by brute force."""

import numpy as np
from scipy.signal import fftconvolve
from scipy.special import logsumexp

M08 = {
    "R23": ((0.7462, -0.7149, -0.9401, -0.6154, -0.2524), (0.10653, 0.04136, 0.01089, -0.02996)),
    "R3": ((0.1549, -1.5031, -0.979, -0.0297), (0.11738, 0.06392, -0.00121, -0.03692)),
    "R2": ((0.5603, 0.045, -1.8017, -1.8434, -0.6549), (0.06348, -0.06197, 0.18983, 0.12273)),
    "O32": ((-0.2839, -1.3881, -0.3172), (0.15018, -0.1149, -0.00935)),
    "N2": ((-0.7732, 1.2357, -0.2811, -0.7201, -0.333), (0.1412,)),
}
"""Coefficients and scatter of Maiolino et al. 2008, in powers of Z - 8.69."""

SIX = ("OII", "Hg", "Hb", "OIII5007", "Ha", "NII6584")
WAVELENGTHS = {
    "OII": 3728.485,
    "Hg": 4341.68,
    "Hb": 4862.68,
    "OIII5007": 5008.24,
    "Ha": 6564.61,
    "NII6584": 6585.28,
    "SII": 6725.48,
}


def ccm89(wavelength):
    """A/A(V) of Cardelli, Clayton & Mathis 1989, eq. 3, in the optical, R_V = 3.1."""
    y = 1e4 / wavelength - 1.82
    a = (1.0, 0.17699, -0.50447, -0.02427, 0.72085, 0.01979, -0.77530, 0.32999)
    b = (0.0, 1.41338, 2.28305, 1.07233, -5.38434, -0.62251, 5.30260, -2.09002)
    return np.polynomial.polynomial.polyval(y, a) + np.polynomial.polynomial.polyval(y, b) / 3.1


CCM89 = {name: ccm89(wavelength) for name, wavelength in WAVELENGTHS.items()}


def m08(name, z, what="value"):
    """log10 R, along its tangent outside 7.1 to 9.2, or its scatter in dex, constant there."""
    inside = np.clip(z, 7.1, 9.2)
    coefficients = M08[name][what == "scatter"]
    value = np.polynomial.polynomial.polyval(inside - 8.69, coefficients)
    if what == "scatter":
        return value
    slope = np.polynomial.polynomial.polyval(inside - 8.69, np.polynomial.polynomial.polyder(coefficients))
    return value + slope * (z - inside)


def expected_fluxes(z, a_v, offsets=None):
    """Fluxes of `SIX` over observed Hb, shape (points, 6), with offsets in units of the scatter."""
    offsets = offsets or {}
    log_r = {name: m08(name, z) + offsets.get(name, 0.0) * m08(name, z, "scatter") for name in ("R2", "R3", "N2")}
    intrinsic = np.stack(
        [
            10 ** log_r["R2"],
            0.46834 + 0 * z,
            1.0 + 0 * z,
            10 ** log_r["R3"],
            2.86316 + 0 * z,
            2.86316 * 10 ** log_r["N2"],
        ],
        axis=-1,
    )
    relative = np.array([CCM89[name] for name in SIX]) - CCM89["Hb"]
    return intrinsic * 10 ** (-0.4 * a_v[..., None] * relative)


def brute_force(flux, sigma, z, a_v, rate):
    """log p(flux | Z, A(V)) by direct sums over ln Hb and, line by line, over the offset of its ratio.

    With ln(model flux) on one fine ladder, the sum over an offset is a convolution, and the sum over Hb a shift.

    Args:
        flux: of `SIX`, NaN where missing, with Hb between 0.3 and 3.
        sigma: its errors.
        z: 12 + log(O/H), shape (nz,).
        a_v: A(V), shape (na,).
        rate: of the exponential prior of Hb; 0 for a flat one of density 1.

    Returns:
        Shape (nz, na).
    """
    used = np.flatnonzero(np.isfinite(flux))
    brightest = np.max(flux[used] / sigma[used])
    step = min(0.02, 0.2 / brightest)
    ladder = np.arange(-14.0, 9.0, step)
    # Bright spectra of Hb near 1 pin Hb down, whatever the offsets.
    ln_hb = np.arange(-7.0, 5.0, step) if brightest < 30.0 else np.arange(-2.0, 2.0, step)
    log_norm = -np.sum(np.log(sigma[used])) - 0.5 * used.size * np.log(2.0 * np.pi)
    plain = {i: -0.5 * ((flux[i] - np.exp(ladder)) / sigma[i]) ** 2 for i in used}
    prior = ln_hb - rate * np.exp(ln_hb) + (np.log(rate) if rate else 0.0) + np.log(step)
    result = []
    for one in z:
        model = np.log(expected_fluxes(np.full(a_v.size, one), a_v))
        log_l = np.broadcast_to(prior, (a_v.size, ln_hb.size)).copy()
        for i in used:
            table = plain[i]
            if (ratio := {"OII": "R2", "OIII5007": "R3", "NII6584": "N2"}.get(SIX[i])) is not None:
                width = np.log(10.0) * m08(ratio, one, "scatter")
                e = np.arange(-np.ceil(5.5 * width / step), np.ceil(5.5 * width / step) + 1.0) * step
                kernel = np.exp(-0.5 * (e / width) ** 2)
                top = table.max()
                blurred = fftconvolve(np.exp(table - top), kernel / kernel.sum(), mode="same")
                table = top + np.log(np.maximum(blurred, 1e-15))
            place = (model[:, i] + ln_hb[0] - ladder[0]) / step
            first = np.floor(place).astype(int)
            index = np.clip(first[:, None] + np.arange(ln_hb.size), 0, ladder.size - 2)
            part = (place - first)[:, None]
            log_l += (1.0 - part) * table[index] + part * table[index + 1]
        result.append(logsumexp(log_l, axis=1))
    return np.array(result) + log_norm
