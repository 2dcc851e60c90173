"""Sizes of bins on the source's plane, and magnification of a part of an image."""

import dataclasses

import numpy as np
import pytest
from test_sourceplane import CENTRE, GRID, LENS, SIGMA

import jaxmetal as jm
from jaxmetal import sourceplane


@pytest.fixture(scope="module")
def outer():
    """The bright image, its light, and the pixels that it is made of."""
    beta = sourceplane.source_positions(LENS, *GRID.centres())
    away = np.hypot(beta[0] - CENTRE[0], beta[1] - CENTRE[1])
    light = np.exp(-0.5 * (away / SIGMA) ** 2)
    return light, (away < 5.0 * SIGMA) & (np.asarray(GRID.centres()[0]) > 0.8)


def test_sizes_of_bins_are_those_of_their_traced_points():
    columns, rows = np.meshgrid(np.arange(52) // 4, np.arange(44) // 4)
    bins = jm.Bins(labels=np.where(rows < 10, columns + 13 * rows, -1), n=130)
    found = sourceplane.bin_sizes(LENS, GRID, bins)
    chosen = 13 * 4 + 10  # a block well outside the critical curve
    random = np.random.default_rng(0)
    column, row = random.uniform(39.5, 43.5, 40_000), random.uniform(15.5, 19.5, 40_000)
    x, y = sourceplane.source_positions(LENS, *GRID.to_sky(column, row))
    mu = np.abs(np.asarray(jm.lens.distortion(LENS, *GRID.to_sky(column, row)).mu))
    assert found.area[chosen] == pytest.approx((16 * 0.12**2) * np.mean(1.0 / mu), rel=0.01)
    assert found.magnification[chosen] == pytest.approx(1.0 / np.mean(1.0 / mu), rel=0.01)
    assert found.diameter[chosen] == pytest.approx(np.sqrt(4.0 * found.area[chosen] / np.pi))
    values = np.linalg.eigvalsh(np.cov(x, y, aweights=1.0 / mu))
    assert (found.minor[chosen], found.major[chosen]) == pytest.approx(tuple(4.0 * np.sqrt(values)), rel=0.02)
    assert (found.x[chosen], found.y[chosen]) == pytest.approx(
        (np.average(x, weights=1.0 / mu), np.average(y, weights=1.0 / mu)), abs=0.005
    )


def test_a_single_pixel_is_as_large_as_a_square():
    """4 standard deviations of a uniform square of side 0.12: nothing within the parts is left out."""
    found = sourceplane.bin_sizes(None, GRID, jm.Bins(labels=np.arange(44 * 52).reshape(44, 52), n=44 * 52))
    np.testing.assert_allclose([found.major, found.minor], 4.0 * 0.12 / np.sqrt(12.0), rtol=1e-6)


def test_bins_of_other_pixels_are_refused():
    with pytest.raises(jm.InputError, match="cut them as the image"):
        sourceplane.bin_sizes(None, GRID, jm.Bins(labels=np.zeros((3, 4), int), n=1))


def test_magnification_by_light_is_total_over_intrinsic_flux(outer):
    light, mask = outer
    own = 2.0 * np.pi * SIGMA**2 / 0.12**2
    found = sourceplane.region_magnification(LENS, GRID, light, mask, 0.06)
    truth = light[mask].sum() / own
    assert found.flux_ratio == pytest.approx(truth, rel=0.01)
    assert found.light_weighted == pytest.approx(truth, rel=0.02)
    assert found.by_map == pytest.approx(truth, rel=0.25)
    assert found.by_map != pytest.approx(found.light_weighted, rel=1e-4)


def test_spread_within_models_and_across_them(outer):
    light, mask = outer

    def lens(theta_e):
        return dataclasses.replace(
            LENS, parts=LENS.parts | {"galaxy": dataclasses.replace(LENS.parts["galaxy"], theta_e=theta_e)}
        )

    models = {"a": [lens(1.45), lens(1.5), lens(1.55)], "b": [lens(1.6)]}
    found = sourceplane.over_lenses(models, GRID, light, mask)
    each = [sourceplane.region_magnification(one, GRID, light, mask, 0.1).light_weighted for one in models["a"]]
    assert found["a"].median == pytest.approx(np.median(each))
    low, high = np.quantile(each, [0.16, 0.84])
    assert found["a"].relative == pytest.approx(0.5 * (high - low) / np.median(each))
    assert found["b"].relative == 0.0
    assert found["across"].median == pytest.approx(0.5 * (found["a"].median + found["b"].median))
    assert (found["a"].lenses, found["across"].lenses) == (3, 2)


def test_models_without_lenses_are_refused(outer):
    with pytest.raises(jm.InputError, match="at least one lens"):
        sourceplane.over_lenses({"a": []}, GRID, *outer)
