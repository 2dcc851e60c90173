"""Simulated observations: any scene, a NIRISS-like galaxy, lines of a KMOS-like one, samples, correlated random fields.

May import: model and everything below it, recipes. To add a simulation: a function from a seed or key to scenes or
observations, and a test in `tests/test_simulate.py`; to add an instrument: a line in `instruments.py`, with its source.
"""

from jaxmetal.simulate.drawn import draw, from_prior
from jaxmetal.simulate.exposure import Simulated, expose
from jaxmetal.simulate.families import image_families
from jaxmetal.simulate.field import random_field
from jaxmetal.simulate.instruments import INSTRUMENTS, Instrument
from jaxmetal.simulate.lines import kmos_like
from jaxmetal.simulate.niriss import niriss_like
from jaxmetal.simulate.surveys import Parent, Survey, median_size, stamp, survey

__all__ = [
    "INSTRUMENTS",
    "Instrument",
    "Parent",
    "Simulated",
    "Survey",
    "draw",
    "expose",
    "from_prior",
    "image_families",
    "kmos_like",
    "median_size",
    "niriss_like",
    "random_field",
    "stamp",
    "survey",
]
