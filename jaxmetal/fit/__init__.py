"""From a prior and data to a posterior: maxima, Laplace, HMC, NUTS, and the classical straight lines to compare with.

May import: posterior, model and everything below it; optax, numpyro, arviz-stats, tqdm. To add a method: one file with
a function from `problem.Problem` to draws, and a branch in `choose.auto`.
"""

from jaxmetal.fit.chains import Settings, run
from jaxmetal.fit.choose import auto, find_peak
from jaxmetal.fit.laplace import laplace, propose
from jaxmetal.fit.optimum import maximise, starts
from jaxmetal.fit.problem import Problem, log_density, make

__all__ = [
    "Problem",
    "Settings",
    "auto",
    "find_peak",
    "laplace",
    "log_density",
    "make",
    "maximise",
    "propose",
    "run",
    "starts",
]
