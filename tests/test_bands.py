"""Banded and coarse blurs are the full matrix product, and cores off the frame's middle are put where they belong."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from operator_scenes import GRID, STEP, observation, source
from scipy.stats import norm

import jaxmetal as jm
from jaxmetal.instrument import Gaussian, Moffat
from jaxmetal.numerics.bands import Places, along_first, along_last, cut, windows
from jaxmetal.numerics.gaussian import pixel_integrals
from jaxmetal.numerics.spread import spread
from jaxmetal.observation import Plan, default_sampling, predict


@pytest.mark.parametrize(
    ("targets", "sources", "reach", "cuts"),
    [
        (Places(41), Places(90, -2.25, 0.5), 3.0, True),
        (Places(160), Places(91, -11.0, 2.0), 5.0, True),
        (Places(25, -8.0, 2.0), Places(100, -8.25, 0.5), 4.0, True),
        (Places(41), Places(43, -2.0, 1.07), 3.0, False),
        (Places(41), Places(90, -2.25, 0.5), np.inf, False),
    ],
)
def test_blocks_are_the_whole_matrix(targets, sources, reach, cuts):
    bands = cut(targets, sources, reach)
    assert (bands.blocks > 1) is cuts

    def entry(distance):
        return np.where(np.abs(distance) <= reach, np.cos(distance) + 0.3 * distance, 0.0)

    field = np.random.default_rng(0).normal(size=(3, sources.count))
    small = entry(targets.points[: bands.size, None] - bands.seen(sources))
    found = jnp.einsum("cbw,jw->cbj", windows(jnp.asarray(field), bands), small).reshape(3, -1)[:, : targets.count]
    expected = field @ entry(targets.points[:, None] - sources.points).T
    np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(along_last(small, jnp.asarray(field), bands), expected, rtol=1e-12, atol=1e-12)
    turned = along_first(small, jnp.asarray(field[:2].swapaxes(0, 1)[None]), bands)
    np.testing.assert_allclose(turned[0].T, expected[:2], rtol=1e-12, atol=1e-12)
    low, high = bands.span(sources.count)
    cropped = along_last(small, jnp.asarray(field[:, low:high]), bands, low)
    np.testing.assert_allclose(cropped, expected, rtol=1e-12, atol=1e-12)
    part = windows(jnp.asarray(field[:, low:high]), bands, low)
    np.testing.assert_array_equal(part, windows(jnp.asarray(field), bands))


def test_pixel_integrals_keep_their_precision_in_the_wings(precision):
    edges, sigma = np.arange(-9.0, 10.0) + 0.13, 0.9
    expected = np.where(
        edges[:-1] > 0, norm.sf(edges[:-1] / sigma) - norm.sf(edges[1:] / sigma), np.diff(norm.cdf(edges / sigma))
    )
    found = pixel_integrals(jnp.asarray(edges, precision), jnp.asarray(sigma, precision), axis=0)
    assert found.dtype == precision
    np.testing.assert_allclose(found, expected, rtol={"float32": 1e-4, "float64": 1e-10}[precision])


def test_a_centre_on_an_edge_has_its_derivative():
    edges = jnp.arange(-2.0, 3.0)
    slope = jax.jit(jax.jacobian(lambda shift: pixel_integrals(edges + shift, 0.7, axis=0)))(0.0)
    np.testing.assert_allclose(slope, np.diff(norm.pdf(np.arange(-2.0, 3.0) / 0.7) / 0.7), rtol=1e-12, atol=1e-15)


def seen(psf, sampling, grid=GRID, **frame):
    """Map and light of a small galaxy, and their derivatives with its place and the width of the PSF."""

    def look(x0, width):
        scene = jm.Scene(sources={"disc": source(8.5, -0.4, **{**frame, "x0": x0})})
        seeing = observation(dataclasses.replace(psf, fwhm=width), grid=grid)
        return jnp.stack(predict(seeing, scene, Plan(sampling=sampling)))

    at = (jnp.asarray(frame.get("x0", 0.1)), jnp.asarray(psf.fwhm))
    return jax.jit(lambda x0, width: (look(x0, width), jax.jacfwd(look, (0, 1))(x0, width)))(*at)


@pytest.mark.parametrize(
    ("psf", "grid", "frame"),
    [
        (Moffat(fwhm=0.7, beta=2.2), GRID, {}),
        (Moffat(fwhm=0.9, beta=3.5, includes_pixel=True), GRID, {"x0": 1.5, "y0": -1.1}),
        (Gaussian(fwhm=0.3), jm.Grid.regular((31, 43), STEP), {"x0": 4.0, "y0": -2.9}),
        (Gaussian(fwhm=0.3), jm.Grid.regular((31, 43), STEP), {"x0": 5.5, "y0": 0.0}),
    ],
    ids=["moffat", "at the edge", "corner", "outside"],
)
def test_levels_are_the_full_product(psf, grid, frame):
    """Everywhere, to what a component's cut and the coarser grids cost; the light relative to itself."""
    scene = jm.Scene(sources={"disc": source(8.5, -0.4, **frame)})
    sampling = default_sampling(scene, observation(psf, grid=grid))
    assert sampling.levels
    (found, slopes), (full, full_slopes) = (
        seen(psf, s, grid, **frame) for s in (sampling, dataclasses.replace(sampling, levels=()))
    )
    np.testing.assert_allclose(found[0], full[0], rtol=0, atol=1e-5)
    np.testing.assert_allclose(found[1], full[1], rtol=1e-5)
    for ours, exact in zip(slopes, full_slopes, strict=True):
        np.testing.assert_allclose(ours, exact, rtol=4e-4, atol=1e-4 * float(jnp.max(jnp.abs(exact[1]))))


def test_levels_serve_a_psf_that_turns_out_narrower():
    planned, narrow = Moffat(fwhm=1.0, beta=2.5), Moffat(fwhm=0.75, beta=2.5)
    sampling = default_sampling(jm.Scene(sources={"disc": source(8.5)}), observation(planned))
    assert len(sampling.levels) > 1
    found, full = (seen(narrow, s)[0] for s in (sampling, dataclasses.replace(sampling, levels=())))
    np.testing.assert_allclose(found[1], full[1], rtol=1e-3)


def test_points_are_spread_where_they_are():
    """Sums of a field times polynomials are those of its points; what comes to lie off the grid is dropped."""
    random = np.random.default_rng(0)
    column, row = 30.3 + random.uniform(-6.0, 6.0, (2, 50)), 12.7 + random.uniform(-6.0, 6.0, (2, 50))
    values = random.random((3, 2, 50))
    wide = np.asarray(spread(jnp.zeros((3, 25, 60)), column, row, values, 6.0))
    for power in (0, 3, 9):
        expected = (values * (0.1 * column) ** power).sum(axis=(1, 2))
        np.testing.assert_allclose(wide.sum(axis=1) @ (0.1 * np.arange(60.0)) ** power, expected, rtol=1e-10)
    for low, high in ((28, 40), (0, 29), (55, 60)):
        part = spread(jnp.zeros((3, 25, high - low)), column - low, row, values, 6.0)
        np.testing.assert_allclose(part, wide[:, :, low:high], rtol=0, atol=1e-12)
