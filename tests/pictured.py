"""Grids, bins and a disc to draw, and what is written on a figure."""

import jax.numpy as jnp
import numpy as np
from matplotlib.text import Text

from jaxmetal.frame import Disc
from jaxmetal.instrument.bins import Bins
from jaxmetal.light import Exponential
from jaxmetal.numerics.grid import Grid
from jaxmetal.scene import Carried, Source
from jaxmetal.tracer import Gradient

RNG = np.random.default_rng(4)
SHAPE = (17, 23)
SLOPE = "scene.sources.disc.carries.metallicity.profile.slope"
CENTRAL = "scene.sources.disc.carries.metallicity.profile.central"


def rotated(degrees, shape=SHAPE, flip=1.0):
    """A grid whose rows point `degrees` East of North."""
    c, s = np.cos(np.deg2rad(degrees)), np.sin(np.deg2rad(degrees))
    return Grid(shape=shape, origin=np.array([0.7, -0.3]), matrix=0.2 * np.array([[flip * c, -s], [flip * s, c]]))


def labels(figure):
    """All that is written on a figure, after drawing it."""
    figure.draw_without_rendering()
    return [text.get_text() for text in figure.findobj(Text) if text.get_text()]


def blocks():
    """20 bins of a few pixels and a row of pixels in none."""
    map_ = (np.arange(SHAPE[0])[:, None] // 5) * 5 + np.arange(SHAPE[1]) // 5
    map_[0] = -1
    return Bins(labels=jnp.asarray(map_), n=20)


def disc():
    return Source(
        frame=Disc(x0=0.3, y0=-0.2, q=0.6, pa=30.0),
        lights={"halpha": Exponential(flux=1.0, r_eff=0.8)},
        carries={"metallicity": Carried(profile=Gradient(central=8.7, slope=-0.1), weight="halpha")},
    )
