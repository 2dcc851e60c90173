"""A gradient whose slope is a polynomial of a free number: a small problem with as many maxima as one wants."""

import jax
import jax.numpy as jnp
import numpy as np
import numpyro.distributions as dist

import jaxmetal as jm

SHAPE, SIGMA = (5, 6), 0.15
S, CENTRAL = (f"scene.sources.disc.carries.metallicity.profile.{name}" for name in ("s", "central"))


def polynomial(x, y, *, central, s, c0, c1, c2, c3):
    """A gradient whose slope is no monotonic function of a free number."""
    return central + (c0 + s * (c1 + s * (c2 + s * c3))) * jnp.hypot(x, y)


def posed(*coefficients, loc, scale, truth=0.1):
    """Prior scene and data of the slope `truth`, seen through the polynomial c0 + c1 s + c2 s^2 + c3 s^3."""
    numbers = dict(zip(("c0", "c1", "c2", "c3"), coefficients, strict=True))
    profile = jax.tree_util.Partial(polynomial, central=dist.Normal(8.4, 0.1), s=dist.Normal(loc, scale), **numbers)
    source = jm.Source(
        frame=jm.frame.Disc(),
        lights={"line": jm.light.Exponential(flux=1.0, r_eff=0.4)},
        carries={"metallicity": jm.Carried(profile=profile, weight="line")},
    )
    x, y = jm.Grid.regular(SHAPE, 0.2).centres()
    seen = jm.WeightedMap(
        data=8.4 + truth * np.hypot(x, y) + 0.1 * np.cos(5.0 * np.asarray(x) + 3.0),
        noise=jm.likelihood.Gaussian(sigma=SIGMA),
        grid=jm.Grid.regular(SHAPE, 0.2),
        psf=jm.instrument.Gaussian(fwhm=0.3),
        properties=("metallicity",),
        mixing=jm.mixing.Linear(),
        used=np.ones(SHAPE, bool),
    )
    return jm.Scene(sources={"disc": source}), {"map": seen}
