"""Noise that neighbouring pixels share: told from blank sky, and what it does to sums, annuli and straight lines."""

import numpy as np
import pytest
from scipy.signal import fftconvolve

import jaxmetal as jm
from jaxmetal.edge.errors import InputError
from jaxmetal.fluxmaps.regions import summed

SIGMA = 0.3
y, x = np.mgrid[-3:4, -3:4]
KERNEL = np.exp(-0.5 * ((x / 1.1) ** 2 + (y / 0.7) ** 2 + 0.5 * x * y))
CORRELATION = jm.likelihood.KernelCorrelation.of_smoothing(KERNEL)


def noise(count, shape, seed=0):
    """Maps of white noise that was smoothed, of standard deviation SIGMA."""
    white = np.random.default_rng(seed).normal(size=(count, *(n + len(KERNEL) - 1 for n in shape)))
    smooth = fftconvolve(white, KERNEL[None], mode="valid", axes=(1, 2))
    return SIGMA * smooth / np.sqrt(np.sum(KERNEL**2))


def lags(correlation, reach):
    row, column = np.mgrid[-reach : reach + 1, -reach : reach + 1]
    return np.asarray(correlation(row, column))


def test_blank_sky_tells_the_correlation():
    (sky,) = noise(1, (220, 240))
    row, column = np.mgrid[:220, :240]
    galaxy = np.hypot(row - 110, column - 120) < 40
    seen = sky + np.where(galaxy, 50.0, 2.0)
    found = jm.likelihood.blank_sky_correlation(seen, SIGMA, ~galaxy, reach=5)
    np.testing.assert_allclose(lags(found, 5), lags(CORRELATION, 5), atol=0.03)
    holes = np.random.default_rng(2).random(sky.shape) < 0.3
    without = jm.likelihood.blank_sky_correlation(seen, np.where(holes, np.inf, SIGMA), ~galaxy, reach=5)
    np.testing.assert_allclose(lags(without, 5), lags(CORRELATION, 5), atol=0.05)
    white = np.random.default_rng(1).normal(size=(150, 150))
    alone = lags(jm.likelihood.blank_sky_correlation(white, 1.0, white < np.inf, reach=3), 3)
    assert alone[3, 3] == 1.0
    assert np.abs(np.delete(alone.ravel(), 24)).max() < 4.5 / 150.0


def test_sums_have_their_errors():
    maps, mask = noise(400, (21, 23)), np.hypot(*np.mgrid[-10:11, -11:12]) < 5.0
    sums = maps[:, mask].sum(axis=1)
    flux, sigma = np.zeros((21, 23, 2)), np.full((21, 23, 2), SIGMA)
    flux[0, 0, 1] = sigma[0, 0, 1] = np.nan
    _, errors = summed(flux, sigma, {"centre": mask}, correlation=CORRELATION)
    _, blind = summed(flux, sigma, {"centre": mask})
    assert errors[0, 0] == pytest.approx(np.std(sums), rel=0.12)  # of 400: 3.5 % at one sigma
    assert errors[0, 1] == errors[0, 0]
    assert errors[0, 0] > 2.0 * blind[0, 0]
    with pytest.raises(InputError, match="expected none beside bins"):
        summed(flux, sigma, {"centre": mask}, jm.instrument.Bins(labels=np.zeros((21, 23), int), n=1), CORRELATION)


def test_annuli_and_lines_have_their_errors():
    """Pulls of 300 maps: of width 1 with the correlation, far wider without."""
    shape = (17, 19)
    row, column = (axis.ravel() for axis in np.mgrid[: shape[0], : shape[1]])
    radius, sigma = np.hypot(row - 8.0, column - 9.0), np.full(row.size, SIGMA)
    maps = [8.5 - 0.02 * radius + one.ravel() for one in noise(300, shape, seed=3)]
    used = radius < 8.5
    known = jm.likelihood.correlation_matrix(CORRELATION, row, column) + 1e-3 * np.eye(row.size)
    pulls = {"gls": [], "wls": [], "annuli": [], "blind": []}
    for values in maps:
        for name, line in {
            "gls": jm.classical.gls(radius, values, sigma, known, used=used),
            "wls": jm.classical.wls(radius, values, sigma, used=used),
        }.items():
            pulls[name].append((line.slope + 0.02) / line.slope_error)
        for name, more in {"annuli": {"correlation": known}, "blind": {}}.items():
            ring = jm.classical.annuli(radius, values, sigma, width=2.5, used=used, **more)
            pulls[name].append(((ring.mean - 8.5 + 0.02 * ring.radius) / ring.error)[1])
    width = {name: np.std(one) for name, one in pulls.items()}
    assert width["gls"] == pytest.approx(1.0, abs=0.13)
    assert width["annuli"] == pytest.approx(1.0, abs=0.13)
    assert min(width["wls"], width["blind"]) > 1.8
    alone = jm.classical.gls(radius, maps[0], sigma, np.eye(row.size), used=used)
    plain = jm.classical.wls(radius, maps[0], sigma, used=used)
    np.testing.assert_allclose(alone.covariance, plain.covariance, rtol=1e-9)
    assert (alone.slope, alone.chi2) == pytest.approx((plain.slope, plain.chi2), rel=1e-9)


def test_what_tells_no_correlation_is_refused():
    sky = np.random.default_rng(0).normal(size=(30, 30))
    blank = np.ones((30, 30), bool)
    with pytest.raises(InputError, match="expected 200 pixels of blank sky or more, found 9"):
        jm.likelihood.blank_sky_correlation(sky, 1.0, np.hypot(*np.mgrid[-15:15, -15:15]) < 1.6)
    with pytest.raises(InputError, match="found one value everywhere"):
        jm.likelihood.blank_sky_correlation(np.ones((30, 30)), 1.0, blank)
    with pytest.raises(InputError, match="reach: expected a whole number of at least 1"):
        jm.likelihood.blank_sky_correlation(sky, 1.0, blank, reach=0)
    three = np.arange(3.0)
    with pytest.raises(InputError, match=r"a matrix of \(3, 3\), between all data, found shape \(2, 2\)"):
        jm.classical.gls(three, three, three + 1.0, np.eye(2))
    with pytest.raises(InputError, match="expected a positive definite matrix"):
        jm.classical.gls(three, three, three + 1.0, np.ones((3, 3)))
