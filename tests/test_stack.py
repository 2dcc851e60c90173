"""Maps of several orients: turned onto one grid and averaged, against functions and noise that is drawn."""

import numpy as np
import pytest
from precision import doubles

from jaxmetal import Grid, fluxmaps
from jaxmetal.edge.errors import InputError


def turned(shape, pixel, degrees, x=0.0, y=0.0):
    """Pixels around (x, y) whose rows are turned."""
    angle = np.deg2rad(degrees)
    matrix = pixel * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    middle = matrix @ [(shape[1] - 1) / 2.0, (shape[0] - 1) / 2.0]
    return Grid(shape=shape, origin=np.array([x, y]) - middle, matrix=matrix)


def blob(grid):
    """Flux per pixel of a blob that is round nowhere."""
    x, y = (np.asarray(axis) for axis in grid.centres())
    return float(grid.pixel_area) * 100.0 * np.exp(-0.5 * (((x - 0.3) / 0.5) ** 2 + ((y + 0.2) / 0.35) ** 2 + x * y))


TO = turned((25, 27), 0.13, 0.0)
ORIENTS = [turned((41, 43), 0.1, 30.0, 0.2, -0.1), turned((41, 43), 0.1, -62.0, -0.15, 0.05)]


@pytest.mark.parametrize("grid", ORIENTS)
def test_a_map_is_turned_and_rescaled(grid):
    moved, sigma = fluxmaps.onto(blob(grid), 0.1, grid, TO)
    there = np.isfinite(moved)
    assert there.mean() > 0.7
    np.testing.assert_allclose(moved[there], blob(TO)[there], atol=2e-3 * blob(TO).max())
    assert np.isinf(sigma[~there]).all()


def test_errors_in_cgs_are_those_in_another_unit_in_single_precision():
    with doubles(False):
        sigma, in_cgs = (fluxmaps.onto(unit * blob(ORIENTS[0]), 0.1 * unit, ORIENTS[0], TO)[1] for unit in (1.0, 1e-20))
    there = np.isfinite(sigma)
    assert there.mean() > 0.7
    np.testing.assert_allclose(in_cgs[there], 1e-20 * sigma[there], rtol=1e-4, atol=0.0)


def test_errors_are_those_of_noise_that_is_drawn():
    grid, random = ORIENTS[0], np.random.default_rng(0)
    drawn = np.stack([fluxmaps.onto(random.normal(0.0, 0.1, grid.shape), 0.1, grid, TO)[0] for _ in range(80)])
    sigma = fluxmaps.onto(blob(grid), 0.1, grid, TO)[1]
    inner = np.s_[8:17, 8:18]
    np.testing.assert_allclose(np.sqrt(np.mean(drawn[:, *inner] ** 2)), np.sqrt(np.mean(sigma[inner] ** 2)), rtol=0.04)
    ratio = np.std(drawn[:, *inner], axis=0) / sigma[inner]
    assert np.abs(ratio - 1.0).max() < 0.35  # 8 % each of 90


def test_orients_are_averaged_by_what_they_weigh():
    random, errors = np.random.default_rng(1), (0.02, 0.05)
    pairs = []
    for grid, error in zip(ORIENTS, errors, strict=True):
        seen = blob(grid) + error * random.normal(size=grid.shape)
        seen[20, 20] = np.nan
        pairs.append(fluxmaps.onto(seen, error, grid, TO))
    found = fluxmaps.stacked(pairs)
    both = found.depth == 2
    weights = np.stack([sigma**-2.0 for _, sigma in pairs])
    fluxes = np.stack([flux for flux, _ in pairs])
    np.testing.assert_allclose(found.flux[both], np.average(fluxes[:, both], axis=0, weights=weights[:, both]))
    np.testing.assert_allclose(found.sigma[both], weights[:, both].sum(axis=0) ** -0.5)
    pulls = ((found.flux - blob(TO)) / found.sigma)[both]
    assert np.std(pulls) == pytest.approx(1.0, abs=0.2)
    one = found.depth == 1
    assert one.any()
    assert np.isfinite(found.flux[one]).all()
    assert np.isnan(found.flux[found.depth == 0]).all()


def test_maps_that_cannot_be_stacked_are_refused():
    flat = np.ones((4, 5))
    with pytest.raises(InputError, match="expected maps of one shape, found none"):
        fluxmaps.stacked([])
    with pytest.raises(InputError, match=r"found \(4, 5\), \(5, 4\); lay them onto one grid first"):
        fluxmaps.stacked([(flat, 1.0), (flat.T, 1.0)])
    with pytest.raises(InputError, match="expected errors above 0, found 0"):
        fluxmaps.stacked([(flat, 0.0)])
    with pytest.raises(InputError, match=r"expected the shape \(41, 43\) of its grid, found \(4, 5\)"):
        fluxmaps.onto(flat, 1.0, ORIENTS[0], TO)
    with pytest.raises(InputError, match=r"at most twice as large as those of the map, found 3\.00 times"):
        fluxmaps.onto(blob(ORIENTS[0]), 1.0, ORIENTS[0], turned((5, 5), 0.3, 0.0))
