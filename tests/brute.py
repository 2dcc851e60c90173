"""Small unlensed scenes over all profiles, lights and PSFs, and an independent renderer of light and property.

The renderer is that of `reference.operator`: quadrature of numpy and scipy. Of the package it takes what profiles are
as functions, which other tests look after, and nothing of how they are sampled, blurred and blended.
"""

import jax
import numpy as np
from jax import numpy as jnp
from jax.tree_util import Partial
from reference import profiles
from reference.operator import observe

import jaxmetal as jm

T, L, P = jm.tracer, jm.light, jm.instrument
PIXEL = 0.2
"""Arcsec; what is drawn below is in pixels."""


def bumps(u, v, *, base, height):
    """A user's own."""
    return base + height * jnp.cos(2.0 * u) * jnp.sin(3.0 * v + 0.5)


def with_gradient(part):
    return T.Sum(parts={"gradient": T.Gradient(central=8.5, slope=-0.15), "part": part})


def tracers(rng):
    """Name of each class -> an example; `Partial` is a plain function."""
    px, angle = PIXEL, lambda: rng.uniform(0.0, 360.0)
    radii = px * np.array([0.0, 1.5, 3.0, 6.0])
    table = jm.Grid.regular((9, 9), 2.0 * px)
    return {
        "AzimuthalHarmonics": with_gradient(
            T.AzimuthalHarmonics(
                m=(1, 3), amplitudes=rng.uniform(0.02, 0.1, 2), phases=rng.uniform(0, 360, 2), r_core=0.5 * px
            )
        ),
        "Blob": with_gradient(
            T.Blob(
                u0=px * rng.uniform(-2, 2),
                v0=px * rng.uniform(-2, 2),
                amplitude=rng.uniform(-0.5, 0.5),
                sigma=px * rng.uniform(0.3, 1.5),
            )
        ),
        "BrokenGradient": T.BrokenGradient(
            central=8.6, inner=rng.uniform(-0.5, 0.0), outer=rng.uniform(-0.1, 0.2), r_break=px * rng.uniform(1.5, 4)
        ),
        "Constant": T.Constant(value=8.4),
        "Exponential": T.Exponential(floor=8.2, amplitude=rng.uniform(0.2, 0.6), scale=px * rng.uniform(1, 5)),
        "Field": with_gradient(
            T.Field(
                weights=rng.normal(size=(9, 9)),
                amplitude=0.1,
                length=px * rng.uniform(1.5, 4.0),
                extent=6.0 * px,
                nu=2.5,
            )
        ),
        "FlattenedCore": T.FlattenedCore(central=8.7, slope=rng.uniform(-0.4, 0.2), r_core=px * rng.uniform(0, 3)),
        "Gradient": T.Gradient(central=8.5, slope=rng.uniform(-0.5, 0.3)),
        "RadialNodes": T.RadialNodes(radii=radii, values=8.5 + rng.uniform(-0.1, 0.1, 4)),
        "Rotation": T.Rotation(systemic=8.5, amplitude=rng.uniform(-0.3, 0.3), r_turn=px * rng.uniform(0.5, 3)),
        "SpiralArms": with_gradient(
            T.SpiralArms(
                m=2, pitch=rng.uniform(15, 40), phase=angle(), amplitude=0.2, width=rng.uniform(15, 30), r_core=px
            )
        ),
        "Sum": with_gradient(T.Exponential(floor=0.0, amplitude=0.2, scale=2.0 * px)),
        "Tabulated": T.Tabulated(values=8.5 + 0.05 * rng.standard_normal((9, 9)), grid=table),
        "Partial": Partial(bumps, base=8.5, height=0.15),
    }


def clump(u, v, *, flux):
    """A user's own light."""
    return flux * jnp.exp(-jnp.hypot(u - 0.1, v) / 0.3)


def lights(rng):
    """Name of each class -> an example."""
    r_eff = PIXEL * rng.uniform(1.5, 4.0)
    y, x = (np.arange(61) - 30.0) * 0.3 * PIXEL + np.zeros((2, 1))
    spots = [(rng.normal(0, 0.4), rng.normal(0, 0.4), rng.uniform(0.5, 2.0)) for _ in range(12)]
    surface = np.exp(-np.hypot(x[None, :], y[:, None] / 0.7) / 0.35) + sum(
        a * np.exp(-((x[None, :] - x0) ** 2 + (y[:, None] - y0) ** 2) / 2 / 0.08**2) for x0, y0, a in spots
    )
    picture = L.Picture(values=surface, grid=jm.Grid.regular((61, 61), 0.3 * PIXEL), plane="image")
    clumps = T.Field(
        weights=np.random.default_rng(7).normal(size=(9, 9)),
        amplitude=0.7,
        length=3.0 * PIXEL,
        extent=6.0 * PIXEL,
        nu=2.5,
    )
    return {
        "Clumpy": L.Clumpy(smooth=L.Exponential(flux=1.0, r_eff=r_eff), field=clumps),
        "Exponential": L.Exponential(flux=1.0, r_eff=r_eff),
        "Gaussian": L.Gaussian(flux=1.0, r_eff=r_eff),
        "Moffat": L.Moffat(flux=1.0, r_eff=r_eff, beta=rng.uniform(1.8, 4.0)),
        "Picture": picture,
        "Sersic": L.Sersic(flux=1.0, r_eff=r_eff, n=rng.uniform(0.5, 4.0)),
        "Sum": L.Sum(
            parts={"bulge": L.Sersic(flux=0.3, r_eff=0.3 * r_eff, n=3.0), "disc": L.Exponential(flux=1.0, r_eff=r_eff)}
        ),
        "Unweighted": L.Unweighted(),
        "Partial": Partial(clump, flux=1.0),
    }


def sampled(psf, cells):
    """A Gaussian of the reference as a kernel of so many cells per pixel."""
    half = int(np.ceil(3.5 * psf.fwhm * cells))
    line = np.exp(-4.0 * np.log(2.0) * np.square(np.arange(-half, half + 1) / cells / psf.fwhm))
    return P.Kernel(values=np.outer(line, line) / line.sum() ** 2, step=PIXEL / cells, includes_pixel=False)


def psfs(width):
    """Name of each class -> ours and the reference's, `width` pixels wide; "refined": of one cell per pixel."""
    gaussian, moffat = profiles.Gaussian(width), profiles.Moffat(width, 2.8)
    ours = P.Gaussian(fwhm=PIXEL * width)
    half = P.Gaussian(fwhm=PIXEL * width / np.sqrt(2.0))
    return {
        "Composed": (P.Composed(parts=(half, half)), gaussian),
        "Gaussian": (ours, gaussian),
        "Kernel": (sampled(gaussian, 3), gaussian),
        "Mixture": (ours.form(), gaussian),
        "Moffat": (P.Moffat(fwhm=PIXEL * width, beta=2.8), moffat),
        "refined": (P.refined(sampled(gaussian, 1))[0] if hasattr(P, "refined") else sampled(gaussian, 1), gaussian),
    }


def scene(light, tracer, frame):
    carried = jm.Carried(profile=tracer, weight="line")
    return jm.Scene(sources={"disc": jm.Source(frame=frame, lights={"line": light}, carries={"metallicity": carried})})


def observed(shape, psf):
    return jm.recipes.metallicity_map(np.full(shape, 8.5), sigma=0.1, psf=psf, pixel_scale=PIXEL)


def rendered(scene, shape, psf, samples=15):
    """Light per pixel and the metallicity map of one source on a `Disc`, by the independent renderer."""
    (source,) = scene.sources.values()
    (light,), profile, frame = source.lights.values(), source.carries["metallicity"].profile, source.frame
    on_sky, q, pa = hasattr(light, "on_sky"), frame.q, np.deg2rad(frame.pa)
    brightness, value = jax.jit(lambda x, y: light(x, y)), jax.jit(lambda u, v: profile(u, v))

    def fields(x, y):
        x, y = np.broadcast_arrays(PIXEL * x, PIXEL * np.asarray(y))
        dx, dy = x - frame.x0, y - frame.y0
        u, v = np.cos(pa) * dy - np.sin(pa) * dx, (-np.cos(pa) * dx - np.sin(pa) * dy) / q
        flux = np.asarray(brightness(x, y) if on_sky else brightness(u, v) / q) * PIXEL**2
        return np.stack([flux, flux * 10.0 ** (np.asarray(value(u, v)) - 8.5)])

    cusp = (frame.x0 / PIXEL, frame.y0 / PIXEL)
    flux, metals = observe(fields, shape, psf, cusp=cusp, q=min(1.0, 2.0 * q), samples=samples)
    return flux, 8.5 + np.log10(metals / flux)


def errors(found, truth):
    """Largest error of the map, dex, and of the light, relative, where it exceeds 1 % of its peak."""
    flux, value = truth
    lit = flux > 1e-2 * flux.max()
    return np.max(np.abs(np.asarray(found.value) - value)[lit]), np.max(
        np.abs(np.asarray(found.light) / flux - 1.0)[lit]
    )
