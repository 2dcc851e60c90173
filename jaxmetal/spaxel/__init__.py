"""Spaxels: from the line fluxes of every spaxel to its metallicity, extinction, Hb and star formation.

    likelihood = jm.spaxel.fluxes(["OII", "Hg", "Hb", "OIII5007", "Ha+NII"], "M08", law="CCM89")
    found = jm.spaxel.posterior(likelihood, flux, sigma)        # shape (..., features); NaN where a line is missing
    found["z"], found["z_low"], found["z_high"], found["p_upper"], found["a_v"], found["hb"]

Likelihoods, each with its priors (`likelihood.prior`):

- `fluxes`: the default. Fluxes against reddened model fluxes, negative ones included; blends; calibration scatter
  counted once per base ratio;
- `patricio19`, `wang17`, `curti20`: those of the papers, faithful to their equations.

`posterior` integrates each spaxel on an adaptive grid over (Z, A_V), safe for two branches, and parts the error of Z in
what is its own and what all spaxels of a galaxy share through the calibrations (`shared`, `apart`); `grid` gives one
spaxel's grid itself, `joint` draws from it, and `sample` runs NUTS through the same likelihood, also with offsets that
all spaxels share. `expected` and `measured` are the ratios behind a posterior, to look at.
`star_formation_rate` and `surface_density` follow from intrinsic Hb.

A likelihood (`Likelihood`) is a node with `features`, `prior`, `z_range`, `a_v_range` and `turnover`, and with the
methods `log_likelihood(flux, sigma, **parameters)`, `log_marginal(flux, sigma, z, a_v)` (all but Z and A_V integrated
out), `draw_hb(key, flux, sigma, z, a_v)`, `departures(flux, sigma, z, a_v)` and `outside(z)`. To add one: a file here,
and a test in `tests/test_spaxel.py` of its `log_likelihood` against numpy and of its `log_marginal` against brute
force. May import: lines, chains, machine, edge, numerics; numpyro. Programs are made in `integrate`, `draws` and
`star_formation`.
"""

from jaxmetal.spaxel.adaptive import Levels, PosteriorGrid
from jaxmetal.spaxel.contract import Likelihood
from jaxmetal.spaxel.curti import curti20
from jaxmetal.spaxel.draws import joint
from jaxmetal.spaxel.flux_likelihood import Fluxes, fluxes
from jaxmetal.spaxel.integrate import grid, posterior
from jaxmetal.spaxel.nuts import model, sample
from jaxmetal.spaxel.patricio import patricio19
from jaxmetal.spaxel.ratio_likelihood import LogRatios, log_ratios
from jaxmetal.spaxel.ratios import expected, measured
from jaxmetal.spaxel.shared import Apart, apart
from jaxmetal.spaxel.star_formation import RATES, Rate, star_formation_rate, surface_density, total
from jaxmetal.spaxel.wang import Wang17, wang17

__all__ = [
    "RATES",
    "Apart",
    "Fluxes",
    "Levels",
    "Likelihood",
    "LogRatios",
    "PosteriorGrid",
    "Rate",
    "Wang17",
    "apart",
    "curti20",
    "expected",
    "fluxes",
    "grid",
    "joint",
    "log_ratios",
    "measured",
    "model",
    "patricio19",
    "posterior",
    "sample",
    "star_formation_rate",
    "surface_density",
    "total",
    "wang17",
]
