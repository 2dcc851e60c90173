"""How numbers are written, on the page and in pictures."""

import numpy as np
import pytest

from jaxmetal import plot
from jaxmetal.numerics.digits import digits, in_words
from jaxmetal.plot.thumbnails import Thumbnail, page
from jaxmetal.result.text import interval

STEPS = np.linspace(-1.0, 1.0, 101)
"""Evenly spread: 16 and 84 % lie 0.68 from the median."""


@pytest.mark.parametrize(
    ("middle", "width", "said"),
    [
        (3.2e-17, 2e-18, "3.20e-17 (+0.14e-17 -0.14e-17)"),
        (-4.5e-9, 1e-10, "-4.50e-09 (+0.07e-09 -0.07e-09)"),
        (1.2e10, 1e8, "1.200e+10 (+0.007e+10 -0.007e+10)"),
        (1e-6, 0.5, "0.00 (+0.34 -0.34)"),
        (8.5, 0.02, "8.500 (+0.014 -0.014)"),
        (2e-4, 1e-4, "0.00020 (+0.00007 -0.00007)"),
        (0.0, 1.0, "0.0 (+0.7 -0.7)"),
    ],
)
def test_an_interval_keeps_its_digits_at_any_size(middle, width, said):
    assert interval(middle + width * STEPS) == said


def test_one_power_of_ten_serves_all_numbers():
    assert digits([2e-12, 3e-14], 3e-14) == (["2.000", "0.030"], -12)
    assert in_words([0.0, 0.0], 1.0) == ["0.0", "0.0"]
    assert in_words([999_999.0], 1.0) == ["999999.0"]


def test_titles_of_a_corner_plot_keep_their_digits():
    figure = plot.corner({"flux": 3.2e-17 + 2e-18 * STEPS, "dark": 0.0 * STEPS, "same": 0.0 * STEPS + 5e-18})
    titles = [ax.get_title() for ax in figure.axes if ax.get_title()]
    assert titles[0] == r"$3.20^{+0.14}_{-0.14} \times 10^{-17}$"
    assert titles[1] == "$0.0^{+0.0}_{-0.0}$"
    assert titles[2] == r"$5.0000^{+0.0000}_{-0.0000} \times 10^{-18}$"


def test_ranges_of_thumbnails_keep_their_digits():
    flux = np.linspace(1e-18, 4e-17, 30).reshape(5, 6)
    low, high = np.percentile(flux, [1.0, 99.0]) / 1e-17
    figure = page([Thumbnail("a", flux, flux, 0.0 * flux, good=True)], "erg/s/cm2")
    (title,) = [ax.get_title(loc="left") for ax in figure.axes if ax.get_title(loc="left")]
    assert f"{low:.1f}e-17 to {high:.1f}e-17 erg/s/cm2" in title
