"""A fit in one picture."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from matplotlib.figure import Figure

from jaxmetal.plot.comparison import MapFit, map_size, maps
from jaxmetal.plot.labels import wrapped
from jaxmetal.plot.profile import Profile, radial_profile
from jaxmetal.plot.style import new_figure

PROFILE_HEIGHT = 4.4
"""Height of the radial profile and of a caption of one line, inches."""
CAPTION, TITLE = 10.5, 13.0
"""Sizes of the sentence and the title, points."""
LINE, MARGIN = 0.2, 0.3
"""Height of a line more, and what the page keeps free at its sides, inches."""


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
    caption, heading = wrapped(sentence, width - MARGIN, CAPTION), wrapped(title, width - MARGIN, TITLE)
    lower = PROFILE_HEIGHT + LINE * caption.count("\n")
    above_all = 0.1 + LINE * (1 + heading.count("\n")) if title else 0.0
    figure = new_figure(width, len(fits) * height + lower + above_all)
    parts: Any = figure.subfigures(len(fits) + 1, 1, height_ratios=[height] * len(fits) + [lower])
    *above, below = parts
    for one, part in zip(fits, above, strict=True):
        maps(one, part)
    radial_profile(profile, below.subplots())
    below.supxlabel(caption, fontsize=CAPTION, x=0.5, ha="center")
    if title:
        figure.suptitle(heading, fontsize=TITLE)
    return figure
