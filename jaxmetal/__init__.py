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

from typing import TYPE_CHECKING

from jaxmetal import frame, instrument, lens, light, likelihood, lines, mixing, observation, render, tracer
from jaxmetal.edge.errors import InputError
from jaxmetal.edge.findings import Finding
from jaxmetal.instrument import Bins, Sampling
from jaxmetal.numerics.grid import Grid
from jaxmetal.numerics.tree import node, parameter, static
from jaxmetal.observation import Image, Prediction, Sky, WeightedMap, predict
from jaxmetal.prepared import prepare
from jaxmetal.prior import Tied, fill, sample, sites, typical
from jaxmetal.scene import Carried, Scene, Source

if TYPE_CHECKING:  # rooms that open on first use, for those who read without running
    from jaxmetal import classical as classical
    from jaxmetal import fit as fit
    from jaxmetal import fluxmaps as fluxmaps
    from jaxmetal import io as io
    from jaxmetal import model as model
    from jaxmetal import planning as planning
    from jaxmetal import plot as plot
    from jaxmetal import population as population
    from jaxmetal import recipes as recipes
    from jaxmetal import result as result
    from jaxmetal import run as run
    from jaxmetal import simulate as simulate
    from jaxmetal import spaxel as spaxel

__version__ = "0.1.0"

__all__ = [
    "Bins",
    "Carried",
    "Finding",
    "Grid",
    "Image",
    "InputError",
    "Prediction",
    "Sampling",
    "Scene",
    "Sky",
    "Source",
    "Tied",
    "WeightedMap",
    "fill",
    "frame",
    "instrument",
    "lens",
    "light",
    "likelihood",
    "lines",
    "mixing",
    "node",
    "observation",
    "parameter",
    "predict",
    "prepare",
    "render",
    "sample",
    "sites",
    "static",
    "tracer",
    "typical",
]


ROOMS = (
    "classical", "fit", "fluxmaps", "io", "model", "planning",
    "plot", "population", "recipes", "result", "run", "simulate", "spaxel",
)  # fmt: skip
"""Rooms that cost time to import open on first use."""


def __getattr__(name: str) -> object:
    import importlib

    if name in ROOMS:
        return importlib.import_module(f"jaxmetal.{name}")
    raise AttributeError(f"module 'jaxmetal' has no attribute '{name}'")


def __dir__() -> list[str]:
    return sorted({*globals(), *ROOMS})
