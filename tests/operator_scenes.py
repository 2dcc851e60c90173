"""Small scenes and observations that the operator's tests share."""

import jax
import jax.numpy as jnp
import numpy as np
from compiled import predict

import jaxmetal as jm
from jaxmetal.instrument import Composed, Gaussian, Kernel, Moffat
from jaxmetal.instrument.psf import FWHM_PER_SIGMA
from jaxmetal.observation import Plan, default_sampling

SHAPE = (13, 17)
STEP = 0.2  # arcsec
GRID = jm.Grid.regular(SHAPE, STEP)
BINS = jm.Bins(labels=np.add.outer(np.arange(13) // 4, 4 * (np.arange(17) // 5)), n=18)  # the last two are empty
seen = predict


@jax.jit
def value_and_gradient(seeing, scene, plan):
    """Map and light, and the gradient of a sum of both with respect to every number of the scene."""

    def total(scene):
        found = jm.predict(seeing, scene, plan)
        return jnp.sum(jnp.sin(3.0 * found.value)) + jnp.sum(found.light), found

    (_, found), gradient = jax.value_and_grad(total, has_aux=True)(scene)
    return found, gradient


def observation(psf, mixing=None, properties=("metallicity",), **settings):
    """A light-weighted map without data."""
    settings = {"data": 0.0, "noise": None, "grid": GRID, "used": True, **settings}
    return jm.WeightedMap(psf=psf, mixing=mixing or jm.mixing.Dex(), properties=properties, **settings)


def picture_of_light(psf, **settings):
    """An image without data."""
    return jm.Image(data=0.0, noise=None, grid=GRID, psf=psf, light="line", used=True, **settings)


def look(seeing, scene, **changes):
    """The prediction, everything computed inside one compiled function."""
    sampling = jm.Sampling(**{**vars(default_sampling(scene, seeing)), **changes})
    return seen(seeing, scene, Plan(sampling=sampling))


def source(central, slope=0.0, flux=1.0, n=1.0, r_eff=0.5, **frame):
    return jm.Source(
        frame=jm.frame.Disc(**{"x0": 0.07, "y0": -0.04, "q": 0.6, "pa": 25.0, **frame}),
        lights={"line": jm.light.Sersic(flux=flux, r_eff=r_eff, n=n)},
        carries={"metallicity": jm.Carried(profile=jm.tracer.Gradient(central=central, slope=slope), weight="line")},
    )


def alone(**numbers):
    return jm.Scene(sources={"disc": source(8.5, -0.4, **numbers)})


def pair(central=(7.6, 7.9), slope=0.0, flux=1.0, lens=None):
    """A disc and a compact companion to the West."""
    return jm.Scene(
        sources={
            "disc": source(central[0], slope, flux),
            "companion": source(central[1], slope, 0.5 * flux, n=2.5, r_eff=0.2, x0=0.9, y0=0.5),
        },
        lens=lens or {},
    )


def sampled(fwhm, step, half, includes_pixel, squeeze=1.0):
    """A Gaussian as a kernel; `squeeze` narrows it along x, and a tail to one side makes it asymmetric."""
    offset = np.arange(-half, half + 1) * step
    values = np.exp(-0.5 * (offset[:, None] ** 2 + (offset / squeeze) ** 2) * (FWHM_PER_SIGMA / fwhm) ** 2)
    if squeeze != 1.0:
        values[:, half + 1 :] *= 1.5
    return Kernel(values=values / values.sum(), step=step, includes_pixel=includes_pixel)


PSFS = {
    "gaussian": Gaussian(fwhm=0.5),
    "effective": Gaussian(fwhm=0.5, includes_pixel=True),
    "moffat": Moffat(fwhm=0.6, beta=2.8),
    "composed": Composed(parts=(Moffat(fwhm=0.4, beta=4.0), Gaussian(fwhm=0.3))),
    "kernel": sampled(0.5, STEP, 5, True, squeeze=0.7),
    "fine_kernel": sampled(0.5, STEP / 3, 12, False, squeeze=0.7),
}
LENS = {
    "galaxy": jm.lens.SIE(theta_e=0.8, x0=-0.3, y0=0.2, q=0.7, pa=60.0),
    "field": jm.lens.Shear(gamma1=0.05, gamma2=-0.03),
}
