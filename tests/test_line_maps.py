"""Line maps against plain numpy: 21 x 21 points in every pixel, each line blurred and added up by itself."""

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter
from scipy.signal import fftconvolve

import jaxmetal as jm
from jaxmetal.prepared import predictions

pytestmark = pytest.mark.usefixtures("compile_quickly")

SHAPE, STEP = (9, 11), 0.25
FINE, MARGIN = 21, 10
"""Points per pixel and axis, and pixels around the frame."""

FEATURES = {"Hb": "Hb", "OIII5007": "OIII5007", "Ha+NII": {"Halpha": 1.0, "NII6584": 0.5}}
SEEING = {"Hb": 0.75, "OIII5007": 0.6, "Ha+NII": 1.0}
"""FWHM, arcsec; that of the blend is of a Moffat profile of exponent 3."""
GALAXY = {
    "flux": 10.0,
    "r_eff": 0.6,
    "x0": 0.1,
    "y0": -0.05,
    "q": 0.6,
    "pa": 35.0,
    "z": (8.7, -0.35),
    "a_v": (1.5, -0.8),
}
CLUMP = {"flux": 3.0, "r_eff": 0.35, "x0": -0.5, "y0": 0.4, "q": 0.9, "pa": 0.0, "z": (8.1, 0.1), "a_v": (0.2, 0.0)}
MASS = {"theta_e": 0.9, "q": 0.7, "pa": 60.0, "x0": 0.15, "y0": -0.1}
R3_OFF = 0.7
"""Departure of the galaxy's [O III]/Hb from its calibration, in units of the scatter."""


def psfs():
    wide = jm.instrument.Moffat(fwhm=SEEING["Ha+NII"], beta=3.0)
    return {n: wide if n == "Ha+NII" else jm.instrument.Gaussian(fwhm=w) for n, w in SEEING.items()}


def emission():
    return jm.lines.emission(FEATURES, "C20", law="CF00")


def line_maps(**changed):
    blank = {name: np.zeros(SHAPE) for name in FEATURES}
    return jm.recipes.line_maps(blank, emission(), **{"psf": psfs(), "sigma": 0.01, "pixel_scale": STEP, **changed})


def source(one, central=None, slope=None, **more):
    (z, dz), (a_v, da_v) = one["z"], one["a_v"]
    frame = jm.frame.Disc(**{key: one[key] for key in ("x0", "y0", "q", "pa")})
    profile = jm.tracer.Gradient(central=z if central is None else central, slope=dz if slope is None else slope)
    dust = jm.tracer.Gradient(central=a_v, slope=da_v)
    return jm.Source(
        frame=frame,
        lights={"Hbeta": jm.light.Sersic(flux=one["flux"], r_eff=one["r_eff"], n=1.0)},
        carries={
            "metallicity": jm.Carried(profile=profile, weight="Hbeta"),
            "extinction": jm.Carried(profile=dust, weight="Hbeta"),
        },
        **more,
    )


def scene(lensed=False):
    lens = {"mass": jm.lens.SIE(**MASS)} if lensed else {}
    return jm.Scene(sources={"galaxy": source(GALAXY, departures={"R3": R3_OFF}), "clump": source(CLUMP)}, lens=lens)


def look(observations, sky):
    """Noise-free observations, as one program."""
    return predictions(observations, sky, jm.prepare(sky, observations))


def ratios(z, off=0.0):
    """Hb, [O III] 5007, Ha and [N II] 6584 per Hb: Curti et al. 2020 within 7.6 to 8.9, tangents beyond; case B."""
    x = np.clip(z, 7.6, 8.9) - 8.69
    found = []
    for coefficients in ([-0.277, -3.549, -3.593, -0.981], [-0.489, 1.513, -2.554, -5.293, -2.867]):
        curve = np.polynomial.Polynomial(coefficients)
        found.append(curve(x) + curve.deriv()(x) * (z - 8.69 - x))
    return np.ones_like(z), 10 ** (found[0] + 0.09 * off), np.full_like(z, 2.86316), 2.86316 * 10 ** found[1]


def attenuation(a_v):
    """Charlot & Fall 2000, the diffuse medium; vacuum wavelengths."""
    return [10 ** (-0.4 * a_v * (w / 5500.0) ** -0.7) for w in (4862.68, 5008.24, 6564.61, 6585.28)]


def deflected(x, y):
    """A singular isothermal ellipsoid (Kormann, Schneider & Bartelmann 1994, A&A 284, 285, eq. 27a)."""
    angle, q = np.deg2rad(MASS["pa"]), MASS["q"]
    dx, dy = x - MASS["x0"], y - MASS["y0"]
    u, v = np.cos(angle) * dy - np.sin(angle) * dx, -np.cos(angle) * dx - np.sin(angle) * dy
    r, f = np.hypot(u, v), np.sqrt(1 - q**2)
    along = MASS["theta_e"] * np.sqrt(q) / f * np.arcsin(f * u / r)
    across = MASS["theta_e"] * np.sqrt(q) / f * np.arcsinh(f / q * v / r)
    return x + np.sin(angle) * along + np.cos(angle) * across, y - np.cos(angle) * along + np.sin(angle) * across


def points():
    y, x = ((np.arange((n + 2 * MARGIN) * FINE) + 0.5) / FINE - 0.5 - MARGIN - (n - 1) / 2 for n in SHAPE)
    return np.meshgrid(x * STEP, y * STEP)


def emitted(one, x, y):
    """Hb of a source in every cell, Z and A(V) there."""
    angle = np.deg2rad(one["pa"])
    dx, dy = x - one["x0"], y - one["y0"]
    u, v = np.cos(angle) * dy - np.sin(angle) * dx, -(np.cos(angle) * dx + np.sin(angle) * dy) / one["q"]
    r, h = np.hypot(u, v), one["r_eff"] / 1.67834699
    light = one["flux"] / (2 * np.pi * h**2) * np.exp(-r / h) / one["q"] * (STEP / FINE) ** 2
    return light, one["z"][0] + one["z"][1] * r, one["a_v"][0] + one["a_v"][1] * r


def blurred(cells, width, moffat):
    if moffat:
        far = np.arange(-12 * FINE, 12 * FINE + 1) * STEP / FINE
        alpha = 0.5 * width / np.sqrt(2.0 ** (1 / 3) - 1)
        kernel = (1 + (far[:, None] ** 2 + far**2) / alpha**2) ** -3.0 * 2 / (np.pi * alpha**2) * (STEP / FINE) ** 2
        cells = fftconvolve(cells, kernel, mode="same")
    else:
        cells = gaussian_filter(cells, width / 2.3548200450309493 * FINE / STEP, mode="constant", truncate=6.0)
    ny, nx = SHAPE
    pixels = cells.reshape(ny + 2 * MARGIN, FINE, nx + 2 * MARGIN, FINE).sum(axis=(1, 3))
    return pixels[MARGIN:-MARGIN, MARGIN:-MARGIN]


def brute_force(lensed, bug=""):
    """The maps of all features, with a planted bug if one is named."""
    x, y = points()
    beta = deflected(x, y) if lensed else (x, y)
    total = [0.0] * 4
    seen = [(emitted(one, *beta), off) for one, off in ((GALAXY, R3_OFF), (CLUMP, 0.0))]
    if bug == "Z blended before the ratio":
        light = sum(one[0] for one, _ in seen)
        mean = sum(one[0] * one[1] for one, _ in seen) / light
        seen = [((one[0], mean, one[2]), off) for one, off in seen]
    for (light, z, a_v), off in seen:
        dust = attenuation(2 * a_v if bug == "dust twice" else a_v)
        for k, ratio in enumerate(ratios(z, off)):
            total[k] = total[k] + light * ratio * dust[k]
    weights = (0.5, 1.0) if bug == "blend weights swapped" else (1.0, 0.5)
    maps = {"Hb": total[0], "OIII5007": total[1], "Ha+NII": weights[0] * total[2] + weights[1] * total[3]}
    one_psf = bug == "one PSF for all"
    return np.stack(
        [blurred(m, SEEING["Hb" if one_psf else n], n == "Ha+NII" and not one_psf) for n, m in maps.items()]
    )


def off(found, expected):
    """Largest difference over the peak of each line, wherever that line is above 1 % of it."""
    peak = expected.max(axis=(1, 2), keepdims=True)
    return np.max(np.abs(found - expected) / peak * (expected > 0.01 * peak), axis=(1, 2))


@pytest.fixture(scope="module", params=[False, True], ids=["direct", "lensed"])
def seen(request):
    return request.param, np.asarray(look({"lines": line_maps()}, scene(request.param))["lines"].value)


def test_fluxes_are_those_of_brute_force(seen):
    lensed, found = seen
    assert np.all(off(found, brute_force(lensed)) < 2e-3)


BUGS = ("one PSF for all", "Z blended before the ratio", "dust twice", "blend weights swapped")


@pytest.mark.parametrize("bug", BUGS)
def test_planted_bugs_are_seen(seen, bug):
    lensed, found = seen
    assert np.max(off(found, brute_force(lensed, bug))) > 2e-2
