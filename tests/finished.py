"""A finished fit of a small map, without fitting: for tests of what is read off it."""

import json

import numpy as np
import numpyro.distributions as dist

import jaxmetal as jm
from jaxmetal.io.finished import DRAWS, MODEL, save_model
from jaxmetal.io.fit_files import save_draws
from jaxmetal.io.folder import MARKER
from jaxmetal.model import tree
from jaxmetal.posterior import Posterior
from jaxmetal.prepared import prepare
from jaxmetal.prior import medians, sites

SHAPE = (5, 7)
DISC = "scene.sources.disc"
SLOPE = f"{DISC}.carries.metallicity.profile.slope"


def scene(frame=None, **profile):
    """One disc with a gradient, whose slope is free unless it is given."""
    profile = {"central": 8.5, "slope": dist.Normal(0.0, 0.3), **profile}
    return jm.Scene(
        sources={
            "disc": jm.Source(
                frame=jm.frame.Disc(q=0.8) if frame is None else frame,
                lights={"halpha": jm.light.Exponential(flux=1.0, r_eff=0.5)},
                carries={"metallicity": jm.Carried(profile=jm.tracer.Gradient(**profile), weight="halpha")},
            )
        }
    )


def observed(seed=0, shape=SHAPE):
    """A map of it."""
    return jm.recipes.metallicity_map(
        np.random.default_rng(seed).normal(8.45, 0.1, shape),
        sigma=0.1,
        pixel_scale=0.3,
        psf=jm.instrument.Gaussian(fwhm=0.5),
    )


def posterior(prior=None, observations=None, *, seed=0, width=0.05, **changes):
    """Draws about the median of each prior, within which they lie, as a fit would return them."""
    prior = scene() if prior is None else prior
    observations = {"map": observed()} if observations is None else observations
    whole, random = tree(prior, observations), np.random.default_rng(seed)
    free = sites(whole)
    best = medians(free)
    said = {
        "tree": whole,
        "plans": prepare(prior, observations),
        "draws": {
            name: value + width * random.uniform(-1.0, 1.0, (2, 40, *value.shape)) for name, value in best.items()
        },
        "best": best,
        "log_posterior": -3.0,
        "log_evidence": -12.5,
        "k_hat": 0.1,
        "sampler": {"diverging": np.zeros((2, 40), bool)},
        "method": "nuts",
        "decisions": ("Chosen.",),
        "findings": (),
        "seconds": {"sampling": 1.0},
        "seed": seed,
    }
    return Posterior(**{**said, **changes})


def stored(fit, folder):
    """Writes what `io.load` needs of a folder of results."""
    folder.mkdir()
    save_draws(fit, folder / DRAWS)
    save_model(fit, folder / MODEL)
    record = {"format": 1, "sky_origin_deg": [0.0, 0.0], "kpc_per_arcsec": None}
    (folder / MARKER).write_text(json.dumps(record))
