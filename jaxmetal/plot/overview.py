"""A fit in one picture."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from typing import Any

from matplotlib.figure import Figure

from jaxmetal.plot.comparison import MapFit, map_size, maps
from jaxmetal.plot.profile import Profile, radial_profile
from jaxmetal.plot.style import new_figure

PROFILE_HEIGHT = 4.5
"""Height of the radial profile and the sentence, inches."""


def fit_figure(fit: MapFit | Sequence[MapFit], profile: Profile, sentence: str, title: str = "") -> Figure:
    """Data, model and residual above the radial profile, and what it all says below.

    Args:
        fit: the maps; several below one another.
        profile: the naive points and the intrinsic profile.
        sentence: the result in words.
        title: e.g. the galaxy's name.
    """
    fits = [fit] if isinstance(fit, MapFit) else list(fit)
    width, height = map_size(fits[0].grid)
    figure = new_figure(width, len(fits) * height + PROFILE_HEIGHT + (0.3 if title else 0.0))
    parts: Any = figure.subfigures(len(fits) + 1, 1, height_ratios=[height] * len(fits) + [PROFILE_HEIGHT])
    *above, below = parts
    for one, part in zip(fits, above, strict=True):
        maps(one, part)
    radial_profile(profile, below.subplots())
    below.supxlabel(
        textwrap.fill(sentence, int(11.5 * width), break_on_hyphens=False), fontsize=10.5, x=0.5, ha="center"
    )
    if title:
        figure.suptitle(title, fontsize=13)
    return figure
