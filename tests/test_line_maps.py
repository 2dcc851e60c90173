"""Line maps against plain numpy: 21 x 21 points in every pixel, each line blurred and added up by itself."""

import dataclasses

import numpy as np
import pytest
from scipy.signal import fftconvolve

import jaxmetal as jm
from jaxmetal.prepared import predictions

SHAPE, STEP = (9, 11), 0.25
FINE, COARSE, MARGIN = 21, 7, 10
"""Points per pixel and axis, as many as show a bug of 2 % of the peak, and pixels around the frame."""

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


def along(n, fine):
    """Middles of the cells of n pixels and those around them, arcsec."""
    return ((np.arange((n + 2 * MARGIN) * fine) + 0.5) / fine - MARGIN - n / 2) * STEP


def on_disc(one, x, y):
    angle = np.deg2rad(one["pa"])
    dx, dy = x - one["x0"], y - one["y0"]
    return np.cos(angle) * dy - np.sin(angle) * dx, -(np.cos(angle) * dx + np.sin(angle) * dy) / one["q"]


def emitted(one, x, y, fine):
    """Hb of a source in every cell, Z and A(V) there."""
    r, h = np.hypot(*on_disc(one, x, y)), one["r_eff"] / 1.67834699
    light = one["flux"] / (2 * np.pi * h**2) * np.exp(-r / h) / one["q"] * (STEP / fine) ** 2
    return light, one["z"][0] + one["z"][1] * r, one["a_v"][0] + one["a_v"][1] * r


def blurred(cells, width, moffat, fine):
    if moffat:
        far = np.arange(-12 * fine, 12 * fine + 1) * STEP / fine
        alpha = 0.5 * width / np.sqrt(2.0 ** (1 / 3) - 1)
        kernel = (1 + (far[:, None] ** 2 + far**2) / alpha**2) ** -3.0 * 2 / (np.pi * alpha**2) * (STEP / fine) ** 2
        inner = slice(MARGIN * fine, -MARGIN * fine)
        cells = fftconvolve(cells, kernel, mode="same")[inner, inner]
    else:
        down, across = (spread_along(n, width, fine) for n in SHAPE)
        cells = down @ cells @ across.T
    ny, nx = SHAPE
    return cells.reshape(ny, fine, nx, fine).sum(axis=(1, 3))


def spread_along(n, width, fine):
    """Share of every cell of an axis that a Gaussian brings to each cell of the frame."""
    sigma, cells = width / 2.3548200450309493, along(n, fine)
    far = cells[MARGIN * fine : -MARGIN * fine, None] - cells
    return np.exp(-0.5 * (far / sigma) ** 2) / (np.sqrt(2 * np.pi) * sigma) * STEP / fine


def brute_force(lensed, bug="", fine=FINE, local=None):
    """The maps of all features, with a planted bug if one is named."""
    x, y = np.meshgrid(*(along(n, fine) for n in reversed(SHAPE)))
    beta = deflected(x, y) if lensed else (x, y)
    total = [0.0] * 4
    there = 0.0 if local is None else local["central"] + local["slope"] * np.hypot(*on_disc(GALAXY, *beta))
    seen = [(emitted(one, *beta, fine), off) for one, off in ((GALAXY, R3_OFF + there), (CLUMP, 0.0))]
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
        [blurred(m, SEEING["Hb" if one_psf else n], n == "Ha+NII" and not one_psf, fine) for n, m in maps.items()]
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


LOCAL = {"central": 0.5, "slope": -1.2}
"""Departure of [O III]/Hb that varies with radius, on top of that of the galaxy."""


def test_departures_may_vary_from_place_to_place():
    carried = {"galaxy": jm.tracer.Gradient(**LOCAL), "clump": jm.tracer.Constant(value=0.0)}
    sources = {
        name: dataclasses.replace(
            one, carries={**one.carries, "departure_R3": jm.Carried(profile=carried[name], weight="Hbeta")}
        )
        for name, one in scene().sources.items()
    }
    found = np.asarray(look({"lines": line_maps(varying=["R3"])}, jm.Scene(sources=sources))["lines"].value)
    assert np.all(off(found, brute_force(False, local=LOCAL)) < 2e-3)
    assert np.max(off(found, brute_force(False, fine=COARSE))) > 2e-2


def test_a_ratio_that_nobody_knows_cannot_vary():
    with pytest.raises(jm.InputError, match="varying"):
        line_maps(varying=["R33"])


BUGS = ("one PSF for all", "Z blended before the ratio", "dust twice", "blend weights swapped")


@pytest.mark.parametrize("bug", BUGS)
def test_planted_bugs_are_seen(seen, bug):
    lensed, found = seen
    assert np.max(off(found, brute_force(lensed, bug, COARSE))) > 2e-2


TURNING = {"systemic": 5.0, "amplitude": 120.0, "r_turn": 0.3}


def test_an_image_and_velocities_are_of_the_light_of_the_lines():
    """One disc, whose Hb as it reaches us three instruments see: together as each alone, and as in plain numpy."""
    disc = source(GALAXY)
    turning = jm.Carried(profile=jm.tracer.Rotation(**TURNING), weight="Hbeta")
    sky = jm.Scene(sources={"galaxy": dataclasses.replace(disc, carries={**disc.carries, "velocity": turning})})
    blank, shared = np.zeros(SHAPE), {"sigma": 1.0, "pixel_scale": STEP}
    sharp, seeing = (jm.instrument.Gaussian(fwhm=width) for width in (0.4, 0.6))
    observations = {
        "lines": line_maps(reddened=True),
        "image": jm.recipes.light_image(blank, light="Hbeta", psf=sharp, **shared),
        "velocity": jm.recipes.weighted_map(
            blank, properties=("velocity",), mixing=jm.mixing.Linear(), psf=seeing, **shared
        ),
    }
    together = {name: np.asarray(one.value) for name, one in look(observations, sky).items()}
    for name, one in observations.items():
        np.testing.assert_allclose(together[name], look({name: one}, sky)[name].value, rtol=1e-11, atol=1e-13)
    x, y = np.meshgrid(*(along(n, FINE) for n in reversed(SHAPE)))
    light, (u, v) = emitted(GALAXY, x, y, FINE)[0], on_disc(GALAXY, x, y)
    r = np.hypot(u, v)
    speed = TURNING["systemic"] + TURNING["amplitude"] * 2.0 / np.pi * np.arctan(r / TURNING["r_turn"]) * u / r
    for width, found in ((0.4, together["image"]), (SEEING["Hb"], together["lines"][0])):
        assert off(found[None], blurred(light, width, False, FINE)[None]) < 2e-3
    below = blurred(light, 0.6, False, FINE)
    expected = blurred(light * speed, 0.6, False, FINE) / below
    bright = below > 0.01 * below.max()
    assert np.max(np.abs(together["velocity"] - expected)[bright]) < 2e-3 * TURNING["amplitude"]
