"""Ready-made pieces: observations from plain arrays, and priors sized by the data.

All are plain functions that return the ordinary nodes (`WeightedMap`, `Image`, `Scene`) to print and to edit. May
import: model and everything below it. To add a recipe: a function that returns a `Scene`, its slopes open on both
sides, a line in `__all__` and one in `tests/test_recipes.py`.
"""

from jaxmetal.recipes.guess import Guess, guess_from_image, guess_from_map, guess_through_lens
from jaxmetal.recipes.observations import light_image, metallicity_map, weighted_map
from jaxmetal.recipes.of_line_maps import line_gradient
from jaxmetal.recipes.of_lines import line_maps
from jaxmetal.recipes.of_spectra import line_fluxes
from jaxmetal.recipes.positions import multiple_images
from jaxmetal.recipes.priors import broken_gradient, clumps, gradient, lensed_gradient
from jaxmetal.recipes.random_field import field

__all__ = [
    "Guess",
    "broken_gradient",
    "clumps",
    "field",
    "gradient",
    "guess_from_image",
    "guess_from_map",
    "guess_through_lens",
    "lensed_gradient",
    "light_image",
    "line_fluxes",
    "line_gradient",
    "line_maps",
    "metallicity_map",
    "multiple_images",
    "weighted_map",
]
