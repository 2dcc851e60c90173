"""Markov chains: NumPyro's NUTS and HMC, driven in one place for fits, populations and spaxels, and judged in one.

`kernel` is one chain as pure functions of its state, `driver` runs many of them chunk by chunk, `model` samples a
NumPyro model, `verdict` says whether draws can be used. May import: numerics, findings, errors; numpyro, tqdm. To add a
sampler: a file like `kernel`, whose `begin` and `advance` `drive` can run, and a method in `fit.methods`.
"""

from jaxmetal.chains.driver import CHUNK, Chains, drive
from jaxmetal.chains.kernel import Settings, advance, begin
from jaxmetal.chains.model import Sampled, sample
from jaxmetal.chains.verdict import converged, judge

__all__ = ["CHUNK", "Chains", "Sampled", "Settings", "advance", "begin", "converged", "drive", "judge", "sample"]
