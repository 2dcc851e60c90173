"""jaxmetal: a differentiable forward model of light-weighted galaxy maps, and the statistics to fit it.

    import jaxmetal as jm
    import numpyro.distributions as dist

    prior = jm.Scene(sources={"disc": jm.Source(
        frame=jm.frame.Disc(q=0.7, pa=40.0),
        lights={"halpha": jm.light.Sersic(flux=1.0, r_eff=0.8, n=1.0)},
        carries={"metallicity": jm.Carried(
            profile=jm.tracer.Gradient(central=dist.Uniform(7.0, 9.5), slope=dist.Normal(0.0, 0.3)),
            weight="halpha")})})
    posterior = jm.fit.auto(prior, {"map": observation})

Importing the package changes no global setting of JAX; for double precision call
`jax.config.update("jax_enable_x64", True)`.

.. include:: glossary.md
"""

import lazy_loader

__version__ = "0.1.0"

# Rooms and names open on first use, as the stub beside this file lists them: neither JAX nor astropy is imported for
# what does not need them, such as `jaxmetal --help`.
__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
