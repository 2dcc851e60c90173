"""Galaxies of a known relation, for the tests of populations."""

import numpy as np

from jaxmetal import population

QUICK = population.Run(chains=1, warmup=200, draws=500, target_accept=0.8)
PAIR = population.Run(chains=2, warmup=200, draws=300, target_accept=0.8)


def sample(n=60, seed=3, scatter=0.03, slope=-0.02):
    """Masses, true gradients, and errors of every galaxy."""
    random = np.random.default_rng(seed)
    mass = random.normal(9.8, 0.6, n)
    return mass, -0.03 + slope * (mass - 10.0) + scatter * random.normal(size=n), random.uniform(0.02, 0.06, n)


def mass_of(values, **keywords):
    return {"log_mass": population.Covariate(values=values, pivot=10.0, label="log M", **keywords)}
