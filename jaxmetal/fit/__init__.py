"""From a prior and data to a posterior: maxima, Laplace, HMC, NUTS.

May import: posterior, model and everything below it; optax, numpyro, arviz-stats, tqdm. To add a method: one file with
a function from `problem.Problem` to draws, and a branch in `choose.auto`.
"""

from jaxmetal.fit.choose import auto
from jaxmetal.fit.galaxies import Galaxy, batch

__all__ = ["Galaxy", "auto", "batch"]
