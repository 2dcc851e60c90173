"""Posteriors of a gradient whose draws are given, not found: what is read off them is known."""

import numpy as np
import numpyro.distributions as dist

import jaxmetal as jm
from jaxmetal.posterior import Posterior

SHAPE = (6, 8)
SLOPE = "scene.sources.disc.carries.metallicity.profile.slope"


def scene(light=None, frame=None, lens=None, slope=None, own=None, **more):
    """A disc with a gradient, whose slope is free; `own` is the frame of the gradient alone."""
    slope = dist.Normal(0.0, 0.3) if slope is None else slope
    profile = jm.tracer.Gradient(central=8.5, slope=slope)
    source = jm.Source(
        frame=frame or jm.frame.Disc(q=0.6, pa=30.0),
        lights={"halpha": light or jm.light.Exponential(flux=1.0, r_eff=0.5)},
        carries={"metallicity": jm.Carried(profile=profile, weight="halpha", frame=own)},
        **more,
    )
    return jm.Scene(sources={"disc": source}, lens=lens or {})


def weighted_map(shape=SHAPE, step=0.2):
    """A map of a metallicity that is the same everywhere."""
    return jm.WeightedMap(
        data=np.full(shape, 8.4),
        noise=jm.likelihood.Gaussian(sigma=np.full(shape, 0.1)),
        grid=jm.Grid.regular(shape, step),
        psf=jm.instrument.Gaussian(fwhm=0.5),
        properties=("metallicity",),
        mixing=jm.mixing.Dex(),
        used=np.ones(shape, bool),
    )


def drawn(made, seen=None, method="laplace", **draws):
    """A posterior of this scene with these draws, (chains, draws) each."""
    seen = seen or weighted_map()
    free = {name: np.asarray(values) for name, values in draws.items()}
    return Posterior(
        tree={"scene": made, "map": seen},
        plans=jm.prepare(made, {"map": seen}),
        draws=free,
        best={name: values[0, 0] for name, values in free.items()},
        log_posterior=0.0,
        log_evidence=0.0,
        k_hat=0.1,
        sampler={},
        method=method,
        decisions=(),
        findings=(),
        seconds={},
        seed=0,
    )
