"""Noise: how likely data are, given what the model says they should have been.

A noise (`contract.Noise`) is a node (`numerics.tree.node`) with five methods; there is no base class to inherit from:

- `pointwise(data, model, light, used)`: natural-log density of every datum, normalised over the data (`log sigma` and
  2 pi included), 0 where `used` is False. What unused pixels hold (NaN, zeros) changes neither value nor gradient.
- `mean(model, light)`, `standard_deviation(model, light)`: what residuals are taken from, and the width that they are
  divided by, in the units of the data. The mean is the model (`about_model`) unless errors lean to one side.
- `expected(model, light, used, law)`: the expectation of `pointwise` over data of a `Law`, for planning: `averaged`,
  where data are independent.
- `draw(key, model, light)`: simulated data around `model`.

One some of whose data are limits says so by `measured(used)`, see `contract.measured`; one whose data are normal by
`normal`, see `contract.is_normal`.

`model` is the predicted map and `light` the blurred model light, both of the shape of the data.

To add a noise: copy `student.py`, begin `pointwise` with `usable`, test it against scipy in `tests/test_likelihood.py`,
and export it here. May import: prior, edge, numerics, jax, numpyro.
"""

from jaxmetal.likelihood.blank_sky import blank_sky_correlation, correlation_matrix
from jaxmetal.likelihood.censored import Censored
from jaxmetal.likelihood.contract import Law
from jaxmetal.likelihood.correlated import Correlated
from jaxmetal.likelihood.correlation import GaussianCorrelation, KernelCorrelation
from jaxmetal.likelihood.effective import EffectiveSamples
from jaxmetal.likelihood.gaussian import Gaussian
from jaxmetal.likelihood.light_scaled import LightScaled
from jaxmetal.likelihood.masking import usable
from jaxmetal.likelihood.moments import about_model, averaged
from jaxmetal.likelihood.split_normal import SplitNormal
from jaxmetal.likelihood.student import StudentT

__all__ = [
    "Censored",
    "Correlated",
    "EffectiveSamples",
    "Gaussian",
    "GaussianCorrelation",
    "KernelCorrelation",
    "Law",
    "LightScaled",
    "SplitNormal",
    "StudentT",
    "about_model",
    "averaged",
    "blank_sky_correlation",
    "correlation_matrix",
    "usable",
]
