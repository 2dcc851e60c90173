"""Fits of the zoo that are written in Python, as a user's script would be: `python zoo_python.py CASE FOLDER`.

"function": a broken gradient as a plain function of one's own, by `fit.auto`. "numpyro": README's NumPyro model, a
calibration offset beside central value and slope, by NumPyro's NUTS. Draws go to `draws.npz`, chains in front.
"""

from __future__ import annotations

import dataclasses
import json
import sys
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import numpyro
import numpyro.distributions as dist
from jax.tree_util import Partial

import jaxmetal as jm
from jaxmetal.numerics.radius import radius

CARRIED = "scene.sources.disc.carries.metallicity.profile"


def two_slopes(u, v, *, central, inner, outer, r_break):
    """The function that a user would write."""
    r = radius(u, v)
    return central + jnp.where(r < r_break, inner * r, inner * r_break + outer * (r - r_break))


def with_profile(scene, profile):
    """The scene with another profile of its disc's metallicity."""
    disc = scene.sources["disc"]
    carried = dataclasses.replace(disc.carries["metallicity"], profile=profile)
    return dataclasses.replace(scene, sources={"disc": dataclasses.replace(disc, carries={"metallicity": carried})})


def function(job, _):
    """A fit with that function."""
    old = job.scene.sources["disc"].carries["metallicity"].profile
    names = ("central", "inner", "outer", "r_break")
    profile = Partial(two_slopes, **{name: getattr(old, name) for name in names})
    posterior = jm.fit.auto(with_profile(job.scene, profile), job.observations, progress=False)
    return {site.replace("profile.keywords.", "profile."): values for site, values in posterior.draws.items()}


def in_numpyro(job, folder):
    """README's model: geometry and light known, an offset of the calibration besides."""
    truth = json.loads((folder / "truth.json").read_text())["disc"]
    disc = job.scene.sources["disc"]
    known = dataclasses.replace(
        disc,
        frame=jm.frame.Disc(**{k: v for k, v in truth["frame"].items() if k != "type"}),
        lights={"halpha": jm.light.Sersic(**{k: v for k, v in truth["lights"]["halpha"].items() if k != "type"})},
    )
    prior = dataclasses.replace(job.scene, sources={"disc": known})
    observed = job.observations["metallicity"]
    plan = jm.prepare(prior, {"metallicity": observed})["metallicity"]

    def model():
        offset = numpyro.sample("calibration_offset", dist.Normal(0.0, 0.05))
        scene = jm.sample({"scene": prior})["scene"]
        shifted = dataclasses.replace(observed, data=observed.data - offset)
        jm.model.observe("metallicity", shifted, scene, plan)

    nuts = numpyro.infer.NUTS(model)
    sampler = numpyro.infer.MCMC(nuts, num_warmup=300, num_samples=500, num_chains=4, progress_bar=False)
    sampler.run(jax.random.key(0))
    return dict(sampler.get_samples(group_by_chain=True))


if __name__ == "__main__":
    jax.config.update("jax_enable_x64", True)
    name, folder = sys.argv[1], Path(sys.argv[2])
    found = {"function": function, "numpyro": in_numpyro}[name](jm.io.read_config(folder / "fit.toml"), folder)
    np.savez(folder / "draws.npz", **{key: np.asarray(values) for key, values in found.items()})
