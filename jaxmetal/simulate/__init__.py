"""Simulated observations: of any scene, of a NIRISS-like galaxy, of correlated random fields.

May import: model and everything below it, recipes. To add a simulation: a function from a seed or key to scenes or
observations, and a test in `tests/test_simulate.py`.
"""

from jaxmetal.simulate.draw import draw, from_prior
from jaxmetal.simulate.field import random_field
from jaxmetal.simulate.niriss import Simulated, niriss_like

__all__ = ["Simulated", "draw", "from_prior", "niriss_like", "random_field"]
