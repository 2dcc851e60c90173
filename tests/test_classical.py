"""Classical lines and annuli against numpy, scipy and their own definitions."""

import numpy as np
import pytest
from astropy import units
from scipy import optimize, stats

from jaxmetal.classical import annuli, ols, wls
from jaxmetal.edge.errors import InputError

RNG = np.random.default_rng(8)
N = 203
RADIUS = np.abs(RNG.normal(scale=2.0, size=N))
SIGMA = RNG.uniform(0.02, 0.2, size=N)
VALUE = 8.5 - 0.07 * RADIUS + SIGMA * RNG.normal(size=N)
SIGNAL = 50.0 * np.exp(-RADIUS)
NOISE = np.full(N, 2.0)
USED = RNG.uniform(size=N) < 0.8
WAYS = {
    "width": {"width": 0.4},
    "number": {"number": 6},
    "count": {"count": 20},
    "signal_to_noise": {"signal_to_noise": 30.0, "signal": SIGNAL, "noise": NOISE},
}
every_way = pytest.mark.parametrize("way", WAYS.values(), ids=WAYS.keys())


def test_ols_agrees_with_scipy():
    line, expected = ols(RADIUS, VALUE), stats.linregress(RADIUS, VALUE)
    assert line.slope == pytest.approx(expected.slope)
    assert line.central == pytest.approx(expected.intercept)
    assert line.slope_error == pytest.approx(expected.stderr)
    assert line.central_error == pytest.approx(expected.intercept_stderr)
    assert line.chi2 == pytest.approx(np.sum((VALUE - line.central - line.slope * RADIUS) ** 2))


def test_wls_agrees_with_polyfit():
    line = wls(RADIUS, VALUE, SIGMA)
    coefficients, covariance = np.polyfit(RADIUS, VALUE, 1, w=1.0 / SIGMA, cov="unscaled")
    np.testing.assert_allclose([line.slope, line.central], coefficients, rtol=1e-10)
    np.testing.assert_allclose(line.covariance, covariance[::-1, ::-1], rtol=1e-9)
    assert line.chi2 == pytest.approx(np.sum(((VALUE - np.polyval(coefficients, RADIUS)) / SIGMA) ** 2))
    assert line.dof == N - 2


def test_wls_agrees_with_curve_fit():
    line = wls(RADIUS, VALUE, SIGMA)
    best, covariance = optimize.curve_fit(lambda r, a, b: a + b * r, RADIUS, VALUE, sigma=SIGMA, absolute_sigma=True)
    np.testing.assert_allclose([line.central, line.slope], best, rtol=1e-6)
    np.testing.assert_allclose([line.central_error, line.slope_error], np.sqrt(np.diag(covariance)), rtol=1e-5)


def test_wls_survives_radii_far_from_zero():
    line = wls(RADIUS + 1e6, 3.0 * RADIUS, SIGMA)
    assert line.slope == pytest.approx(3.0, rel=1e-8)


def test_errors_cover_the_truth():
    pulls = [(wls(RADIUS, 8.0 + SIGMA * RNG.normal(size=N), SIGMA), 0.0) for _ in range(400)]
    pulls = np.array([(line.slope - truth) / line.slope_error for line, truth in pulls])
    assert abs(pulls.mean()) < 0.2
    assert pulls.std() == pytest.approx(1.0, abs=0.12)


def test_two_points_make_a_line_without_scatter():
    line = ols(np.array([0.0, 2.0]), np.array([8.0, 7.0]))
    assert (line.central, line.slope) == pytest.approx((8.0, -0.5))
    assert np.isnan(line.slope_error)


@every_way
def test_unused_pixels_do_not_matter(way):
    spoilt = {name: np.where(USED, v, np.nan) for name, v in {"r": RADIUS, "v": VALUE, "s": SIGMA}.items()}
    kept = {name: v[USED] if isinstance(v, np.ndarray) else v for name, v in way.items()}
    np.testing.assert_array_equal(
        wls(spoilt["r"], spoilt["v"], spoilt["s"], used=USED).covariance,
        wls(RADIUS[USED], VALUE[USED], SIGMA[USED]).covariance,
    )
    masked = annuli(spoilt["r"], spoilt["v"], spoilt["s"], used=USED, **way)
    cut = annuli(RADIUS[USED], VALUE[USED], SIGMA[USED], **kept)
    for name, column in vars(masked).items():
        np.testing.assert_array_equal(column, getattr(cut, name))


@every_way
def test_annuli_describe_the_pixels_between_their_edges(way):
    table = annuli(RADIUS, VALUE, SIGMA, **way)
    assert table.count.sum() == np.sum(table.outer[-1] >= RADIUS)
    assert np.all(table.inner < table.outer)
    assert np.all(table.outer[:-1] <= table.inner[1:])
    assert table.inner[0] == 0.0
    for i, (inner, outer) in enumerate(zip(table.inner, table.outer, strict=True)):
        inside = (inner <= RADIUS) & ((outer > RADIUS) | ((outer == RADIUS.max()) & (outer == RADIUS)))
        weight = SIGMA[inside] ** -2
        assert inside.sum() == table.count[i]
        assert table.median[i] == np.median(VALUE[inside])
        assert table.mean[i] == pytest.approx(np.average(VALUE[inside], weights=weight))
        assert table.error[i] == pytest.approx(weight.sum() ** -0.5)
        assert (table.low[i], table.high[i]) == pytest.approx(tuple(np.percentile(VALUE[inside], [16, 84])))


@every_way
def test_a_straight_line_stays_straight_in_annuli(way):
    table = annuli(RADIUS, 8.5 - 0.07 * RADIUS, SIGMA, **way)
    line = wls(table.radius, table.mean, table.error)
    assert (line.central, line.slope) == pytest.approx((8.5, -0.07))
    assert line.slope_error > wls(RADIUS, VALUE, SIGMA).slope_error


def test_widths_are_equal():
    assert annuli(RADIUS, VALUE, SIGMA, width=0.4).inner[:3] == pytest.approx([0.0, 0.4, 0.8])
    table = annuli(RADIUS, VALUE, SIGMA, number=4)
    np.testing.assert_allclose(table.outer, RADIUS.max() * np.array([0.25, 0.5, 0.75, 1.0]))


def test_empty_annuli_are_left_out():
    table = annuli(np.array([0.1, 0.2, 3.5]), np.array([1.0, 3.0, 5.0]), np.ones(3), width=1.0)
    np.testing.assert_array_equal(table.inner, [0.0, 3.0])
    np.testing.assert_array_equal(table.mean, [2.0, 5.0])


def test_counts_are_equal_and_the_remainder_is_outermost():
    counts = annuli(RADIUS, VALUE, SIGMA, count=20).count
    np.testing.assert_array_equal(counts, [20] * 9 + [23])


def test_widths_and_counts_leave_no_pixel_out():
    for way in ("width", "number", "count"):
        assert annuli(RADIUS, VALUE, SIGMA, **WAYS[way]).count.sum() == N


def test_annuli_grow_until_they_reach_the_signal_to_noise_and_no_further():
    table = annuli(RADIUS, VALUE, SIGMA, **WAYS["signal_to_noise"])
    outwards = SIGNAL[np.argsort(RADIUS)]
    first = 0
    assert table.count.size > 2
    for count in table.count:
        ratio = np.cumsum(outwards[first : first + count]) / (2.0 * np.sqrt(np.arange(1, count + 1)))
        assert ratio[-1] >= 30.0
        assert np.all(ratio[:-1] < 30.0)
        first += count
    rest = outwards[first:]
    assert np.all(np.cumsum(rest) < 30.0 * 2.0 * np.sqrt(np.arange(1, rest.size + 1)))


@pytest.mark.parametrize("way", WAYS)
def test_an_infinite_error_is_no_datum(way):
    """What an inverse variance of 0 becomes; the value there may be anything."""
    sigma, value, used = SIGMA.copy(), VALUE.copy(), np.ones(N, bool)
    sigma[[3, 50]], value[[3, 50]], used[[3, 50]] = np.inf, np.nan, False
    assert wls(RADIUS, value, sigma).slope == wls(RADIUS[used], value[used], sigma[used]).slope
    left = annuli(RADIUS, value, sigma, **WAYS[way])
    right = annuli(RADIUS, value, np.where(used, sigma, 1.0), used=used, **WAYS[way])
    np.testing.assert_array_equal(left.mean, right.mean)
    np.testing.assert_array_equal(left.count, right.count)


SPOILT = VALUE.copy()
SPOILT[3] = np.nan
REFUSED = {
    "shapes": (lambda: wls(RADIUS, VALUE[1:], SIGMA), "shape"),
    "sigma shape": (lambda: wls(RADIUS, VALUE, SIGMA[1:]), "sigma"),
    "used shape": (lambda: ols(RADIUS, VALUE, used=USED[1:]), "used"),
    "used numbers": (lambda: ols(RADIUS, VALUE, used=np.ones(N)), "booleans"),
    "nothing used": (lambda: ols(RADIUS, VALUE, used=np.zeros(N, dtype=bool)), "at least one True"),
    "map": (lambda: ols(RADIUS[:200].reshape(10, 20), VALUE[:200].reshape(10, 20)), "1-D"),
    "a quantity": (lambda: wls(RADIUS * units.arcsec, VALUE, SIGMA), "radius: expected a number .* give its number"),
    "nan": (lambda: ols(RADIUS, SPOILT), "value: expected finite"),
    "zero sigma": (lambda: wls(RADIUS, VALUE, 0.0 * SIGMA), "sigma: expected positive"),
    "negative sigma": (lambda: annuli(RADIUS, VALUE, -SIGMA, width=1.0), "sigma: expected positive"),
    "one radius": (lambda: wls(np.ones(N), VALUE, SIGMA), "2 different"),
    "one pixel": (lambda: ols(RADIUS[:1], VALUE[:1]), "2 different"),
    "no way": (lambda: annuli(RADIUS, VALUE, SIGMA), "exactly one"),
    "two ways": (lambda: annuli(RADIUS, VALUE, SIGMA, width=1.0, count=3), "exactly one"),
    "zero width": (lambda: annuli(RADIUS, VALUE, SIGMA, width=0.0), "width"),
    "fractional count": (lambda: annuli(RADIUS, VALUE, SIGMA, count=2.5), "whole number"),
    "nan width": (lambda: annuli(RADIUS, VALUE, SIGMA, width=np.nan), "width"),
    "negative radius": (lambda: annuli(RADIUS - 1.0, VALUE, SIGMA, width=1.0), "radius"),
    "only the centre": (lambda: annuli(0.0 * RADIUS, VALUE, SIGMA, width=1.0), "above 0"),
    "count too large": (lambda: annuli(RADIUS, VALUE, SIGMA, count=N + 1), "count"),
    "no signal": (lambda: annuli(RADIUS, VALUE, SIGMA, signal_to_noise=5.0, noise=NOISE), "signal"),
    "zero noise": (
        lambda: annuli(RADIUS, VALUE, SIGMA, signal_to_noise=5.0, signal=SIGNAL, noise=0.0 * NOISE),
        "noise",
    ),
    "unreachable": (
        lambda: annuli(RADIUS, VALUE, SIGMA, signal_to_noise=1e6, signal=SIGNAL, noise=NOISE),
        "ask for less",
    ),
}


@pytest.mark.parametrize(("call", "message"), REFUSED.values(), ids=REFUSED.keys())
def test_bad_input_is_refused(call, message):
    with pytest.raises(InputError, match=message):
        call()
