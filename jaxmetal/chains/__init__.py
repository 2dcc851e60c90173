"""Markov chains: NumPyro's NUTS and HMC, driven in one place for fits, populations and spaxels, and judged in one.

`kernel` is one chain as pure functions of its state, `driver` runs many of them chunk by chunk, `kept` stores them
meanwhile, `model` samples a
NumPyro model, `verdict` says whether draws can be used. May import: numerics, edge; numpyro. To add a
sampler: a file like `kernel`, whose `begin` and `advance` `drive` can run, and a method in `fit.methods`.
"""

from jaxmetal.chains.driver import CHUNK, Chains, drive
from jaxmetal.chains.kept import Kept
from jaxmetal.chains.kernel import Settings, advance, begin
from jaxmetal.chains.model import Sampled, sample
from jaxmetal.chains.verdict import Quality, converged, judge, measure, reached

__all__ = [
    "CHUNK",
    "Chains",
    "Kept",
    "Quality",
    "Sampled",
    "Settings",
    "advance",
    "begin",
    "converged",
    "drive",
    "judge",
    "measure",
    "reached",
    "sample",
]
