"""From a prior and data to a posterior: maxima, Laplace, HMC, NUTS, and the classical straight lines to compare with.

May import: posterior, chains, model and everything below them; optax, numpyro, arviz-stats, tqdm. To add a method: one
file with a function `sample` as `method.Method` describes it, and its line in the table of `methods.py`.
"""

from jaxmetal.chains import Settings
from jaxmetal.fit.batch import Galaxy, batch
from jaxmetal.fit.chains import run
from jaxmetal.fit.choose import auto
from jaxmetal.fit.laplace import laplace, propose
from jaxmetal.fit.method import Method, Options
from jaxmetal.fit.methods import METHODS
from jaxmetal.fit.optimum import maximise
from jaxmetal.fit.peaks import find_peaks
from jaxmetal.fit.problem import Problem, log_density, make, stack
from jaxmetal.fit.solve import solve
from jaxmetal.fit.start import starts

__all__ = [
    "METHODS",
    "Galaxy",
    "Method",
    "Options",
    "Problem",
    "Settings",
    "auto",
    "batch",
    "find_peaks",
    "laplace",
    "log_density",
    "make",
    "maximise",
    "propose",
    "run",
    "solve",
    "stack",
    "starts",
]
