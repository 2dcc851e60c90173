"""Fluxes summed over regions: against sums by hand and against repeated noise."""

import numpy as np
import pytest

from jaxmetal.edge.errors import InputError
from jaxmetal.fluxmaps.regions import aperture, between, covered, magnification, summed
from jaxmetal.instrument.bins import Bins
from jaxmetal.numerics.grid import Grid

SHAPE = (5, 7)
GRID = Grid(shape=SHAPE, origin=np.array([-1.0, 0.4]), matrix=0.5 * np.array([[0.8, 0.6], [-0.6, 0.8]]))
LABELS = np.array([[0, 0, 0, 1, 1, -1, -1]] * 2 + [[2, 2, 3, 3, 3, 3, 3]] * 3)

NUMBERS = np.where(LABELS == 0, 1.0, np.nan)
"""A mask as tables of pixels may have it: as booleans, every NaN would be True."""


@pytest.fixture
def maps():
    rng = np.random.default_rng(1)
    return rng.normal(5.0, 1.0, (*SHAPE, 3)), rng.uniform(0.1, 0.4, (*SHAPE, 3))


def in_bins(values):
    """A value per bin, painted."""
    return np.where(LABELS[..., None] >= 0, values[np.maximum(LABELS, 0)], np.nan)


def test_sums_of_independent_pixels(maps):
    flux, sigma = maps
    corner = np.zeros(SHAPE, bool)
    corner[1:3, 2:6] = True
    total, error = summed(flux, sigma, {"corner": corner, "all": np.ones(SHAPE, bool)})
    assert total.shape == error.shape == (2, 3)
    for i in range(3):
        assert total[0, i] == pytest.approx(sum(flux[y, x, i] for y in (1, 2) for x in (2, 3, 4, 5)))
        assert error[0, i] ** 2 == pytest.approx(sum(sigma[y, x, i] ** 2 for y in (1, 2) for x in (2, 3, 4, 5)))
    np.testing.assert_allclose(total[1], flux.reshape(-1, 3).sum(axis=0))


def test_errors_of_bins_against_repeated_noise():
    """Spaxels of a bin share one measurement: the scatter of the sums over 4,000 noisy maps is the error (5 sigma)."""
    rng, sigma = np.random.default_rng(2), np.array([[0.3], [0.2], [0.5], [0.1]])
    part = np.zeros(SHAPE, bool)
    part[1:4, 1:5] = True
    bins = Bins(labels=LABELS, n=4)
    sums = [summed(in_bins(rng.normal(2.0, sigma)), in_bins(sigma), {"part": part}, bins)[0][0, 0] for _ in range(4000)]
    total, error = summed(in_bins(np.full((4, 1), 2.0)), in_bins(sigma), {"part": part}, bins)
    assert total[0, 0] == pytest.approx(2.0 * 12)
    assert error[0, 0] == pytest.approx(np.sqrt((2 * 0.3) ** 2 + (2 * 0.2) ** 2 + (2 * 0.5) ** 2 + (6 * 0.1) ** 2))
    assert np.std(sums) == pytest.approx(error[0, 0], rel=5.0 / np.sqrt(2 * 4000))
    independent = summed(in_bins(sigma), in_bins(sigma), {"part": part})[1][0, 0]
    assert independent < 0.75 * error[0, 0]


def test_spaxels_in_no_bin_do_not_count():
    flux = in_bins(np.ones((4, 1)))
    flux[0, 6] = 100.0
    assert summed(flux, np.ones_like(flux), {"all": np.ones(SHAPE, bool)}, Bins(labels=LABELS, n=4))[0][0, 0] == 31.0


def test_lines_are_summed_over_the_same_spaxels(maps):
    flux, sigma = maps
    flux[0, 0, 1], sigma[3, 3, 0], flux[..., 2] = np.nan, np.inf, np.nan
    total, error = summed(flux, sigma, {"all": np.ones(SHAPE, bool)})
    there = np.ones(SHAPE, bool)
    there[0, 0] = there[3, 3] = False
    np.testing.assert_array_equal(covered(flux, sigma, np.ones(SHAPE, bool)), there)
    np.testing.assert_allclose(total[0, :2], flux[there][:, :2].sum(axis=0))
    assert np.isnan(total[0, 2])
    assert np.isnan(error[0, 2])


def test_a_region_without_a_line_is_nan(maps):
    flux, sigma = maps
    flux[:2] = np.nan
    top = np.zeros(SHAPE, bool)
    top[:2] = True
    total, error = summed(flux, sigma, {"top": top})
    assert np.isnan(total).all()
    assert np.isnan(error).all()


def test_masked_pixels_lie_in_no_region(maps):
    flux, sigma = maps
    bright = np.ma.masked_where(LABELS != 0, np.ones(SHAPE, bool))
    np.testing.assert_allclose(summed(flux, sigma, {"bright": bright})[0][0], flux[LABELS == 0].sum(axis=0))


def test_an_aperture_lies_where_the_sky_says():
    x, y = GRID.to_sky(5.0, 1.0)
    mask = aperture(GRID, x, y, 0.51)
    expected = {(1, 5), (0, 5), (2, 5), (1, 4), (1, 6)}
    assert {tuple(pixel) for pixel in np.argwhere(mask).tolist()} == expected


def test_radii_are_half_open():
    radius = np.array([[0.0, 1.0, 2.0, np.nan]])
    np.testing.assert_array_equal(between(radius, 0.0, 1.0), [[True, False, False, False]])
    np.testing.assert_array_equal(between(radius, 1.0, 3.0), [[False, True, True, False]])


def test_magnification_keeps_the_source_total():
    """Each pixel's light over its own magnification adds up to the source; parity and dark pixels do not matter."""
    rng = np.random.default_rng(3)
    light, mu = rng.uniform(1.0, 2.0, SHAPE), rng.uniform(2.0, 9.0, SHAPE) * rng.choice([-1.0, 1.0], SHAPE)
    light[0, 0], mu[0, 0] = -0.1, 0.0
    mask = np.ones(SHAPE, bool)
    shining = light > 0
    source = (light[shining] / np.abs(mu[shining])).sum()
    assert light[shining].sum() / magnification(light, mu, mask) == pytest.approx(source)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda f, s: summed(f, s[:-1], {"all": np.ones(SHAPE, bool)}), "expected fluxes and errors"),
        (lambda f, s: summed(f, s, {"all": np.ones((7, 5), bool)}), "(7, 5)"),
        (lambda f, s: summed(f, s, {}), "at least one mask"),
        (lambda f, s: aperture(GRID, 90.0, 0.0, 1.0), "within 1 arcsec of (90, 0)"),
        (lambda f, s: between(f[..., 0], 90.0, 99.0), "from 90 to 99"),
        (lambda f, s: magnification(f[..., 0], np.zeros(SHAPE), np.ones(SHAPE, bool)), "35 without"),
        (lambda f, s: magnification(-f[..., 0], np.ones(SHAPE), np.ones(SHAPE, bool)), "light above 0"),
        (lambda f, s: summed(f, s, {"all": NUMBERS}), "region 'all': expected booleans"),
        (lambda f, s: covered(f, s, NUMBERS), "mask: expected booleans (True for pixels that count), found float64"),
        (lambda f, s: covered(f, s, np.ones((7, 5), bool)), "mask: expected the shape (5, 7)"),
        (lambda f, s: magnification(f[..., 0], f[..., 1], NUMBERS), "mask: expected booleans"),
    ],
)
def test_what_is_refused(maps, call, words):
    with pytest.raises(InputError, match=r"; .*\.$") as refusal:
        call(*maps)
    assert words in str(refusal.value)
