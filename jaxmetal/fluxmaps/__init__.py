"""Flux maps: what papers do to maps of line fluxes before, beside and after a fit; plain functions of arrays.

- `align`: the offset between two maps by cross-correlation, and a shift by fractions of a pixel;
- `stack`: maps of several orients on one grid, turned and moved, and their mean by inverse variance;
- `doublet`: [OIII] 4959 taken out of a dispersed [OIII] + Hb stripe;
- `select`: the S/N rules of two surveys, as masks with a warning, as they select on metallicity;
- `by_ratio`: metallicity by each ratio alone, its dispersion, and a table over line sets and dust laws;
- `choices`: the gradient by calibrations, lines and dust law, with weights by evidence where the fluxes are the same;
- `excitation`: BPT and mass-excitation classes as masks;
- `slopes`: straight lines through spaxels and annuli;
- `regions`: masks, and fluxes summed over them with their errors;
- `galaxy`: all of a galaxy at once, what `jaxmetal lines` runs: the `Spectra` of spaxels, bins or rows and the sums
  over regions through one likelihood, after a selection `Rule`, with star formation (`Luminosity`) and flags (`judge`).

To add one: a file of functions with their paper and equation, and a test against an independent reference. Imports:
fit, classical, spaxel, instrument, lines, edge, numerics.
"""

from jaxmetal.fluxmaps import regions
from jaxmetal.fluxmaps.align import Offset, offset, shifted
from jaxmetal.fluxmaps.by_ratio import by_each_ratio, comparison, deredden, dispersion
from jaxmetal.fluxmaps.choices import Found, MixedChoices, by_choice, mixtures
from jaxmetal.fluxmaps.doublet import deblend
from jaxmetal.fluxmaps.excitation import blended_diagram, mass_excitation, nii_diagram, sii_diagram
from jaxmetal.fluxmaps.galaxy import MeasuredGalaxy, measure
from jaxmetal.fluxmaps.judge import FLAGS, flagged
from jaxmetal.fluxmaps.keep import Rule
from jaxmetal.fluxmaps.luminosity import Luminosity, Magnification
from jaxmetal.fluxmaps.select import Reddening, Selected, balmer_ebv, binned, klever, wang, wang_annuli
from jaxmetal.fluxmaps.slopes import gradients
from jaxmetal.fluxmaps.spectra import Spectra
from jaxmetal.fluxmaps.stack import Stacked, onto, stacked

__all__ = [
    "FLAGS",
    "Found",
    "Luminosity",
    "Magnification",
    "MeasuredGalaxy",
    "MixedChoices",
    "Offset",
    "Reddening",
    "Rule",
    "Selected",
    "Spectra",
    "Stacked",
    "balmer_ebv",
    "binned",
    "blended_diagram",
    "by_choice",
    "by_each_ratio",
    "comparison",
    "deblend",
    "deredden",
    "dispersion",
    "flagged",
    "gradients",
    "klever",
    "mass_excitation",
    "measure",
    "mixtures",
    "nii_diagram",
    "offset",
    "onto",
    "regions",
    "shifted",
    "sii_diagram",
    "stacked",
    "wang",
    "wang_annuli",
]
