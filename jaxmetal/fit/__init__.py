"""From a prior and data to a posterior: maxima, Laplace, HMC, NUTS.

May import: posterior, chains, model and everything below them; optax, numpyro, arviz-stats. To add a method: one
file with a function `sample` as `method.Method` describes it, and its line in the table of `methods.py`.
"""

from jaxmetal.fit.choose import auto
from jaxmetal.fit.galaxies import Galaxy, batch
from jaxmetal.fit.method import Method
from jaxmetal.fit.methods import METHODS

__all__ = ["METHODS", "Galaxy", "Method", "auto", "batch"]
