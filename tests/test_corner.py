"""Corner plots: how many draws lie inside the contours, and which truths are taken."""

import numpy as np
import pytest
from matplotlib.contour import ContourSet
from matplotlib.path import Path

from jaxmetal import plot
from jaxmetal.edge.errors import InputError


@pytest.mark.parametrize("correlation", [0.0, 0.95, -0.99])
def test_contours_hold_68_and_95_percent_of_the_draws(correlation):
    x, other = np.random.default_rng(5).normal(size=(2, 4000))
    y = correlation * x + np.sqrt(1.0 - correlation**2) * other
    below = plot.corner({"x": x, "y": y}).axes[1]
    (lines,) = [one for one in below.get_children() if isinstance(one, ContourSet) and not one.filled]
    inside = []
    for path in lines.get_paths():
        within = np.zeros(x.size, bool)
        for polygon in path.to_polygons():
            within ^= Path(polygon).contains_points(np.stack([x, y], axis=1))
        inside.append(within.mean())
    np.testing.assert_allclose(inside, [0.95, 0.68], atol=0.015)


def test_truths_of_no_parameter_are_refused():
    draws = {"slope": np.linspace(0.0, 1.0, 20)}
    with pytest.raises(InputError, match="truths: expected some of slope, found 'slop'"):
        plot.corner(draws, truths={"slop": 0.5})
    plot.corner(draws, truths={"slope": 0.5})
