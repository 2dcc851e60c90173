"""Positions of multiple images as an observation: the density, the contract, a fit and what is read off it."""

import dataclasses

import jax
import numpy as np
import numpyro.distributions as dist
import pytest
from image_families import FAMILY, RATIOS, SIGMA, X, Y, by_numpy, cluster, deflected, families, prior, traced
from scipy.optimize import fsolve, least_squares

import jaxmetal as jm
from jaxmetal.edge.errors import InputError
from jaxmetal.observation import absorbed, is_observation, planes
from jaxmetal.result.places import table as tabulated

predicted = jax.jit(lambda images, scene: images.predict(scene, None))


def density(images, lens):
    seen = predicted(images, jm.Scene(sources={}, lens=lens))
    return float(images.noise.pointwise(images.data, *seen, images.used).sum())


@pytest.fixture(scope="module")
def lens():
    return cluster(theta_e=9.9, q=0.72)


def test_density_is_that_of_numpy_and_bugs_would_be_seen(lens):
    found = density(families(), lens)
    assert found == pytest.approx(by_numpy(families(), lens), rel=1e-6)
    assert abs(found - by_numpy(families(), lens, with_determinant=False)) > 1.0
    assert abs(found - by_numpy(families(), lens, sign=-1.0)) > 100.0
    assert abs(found - by_numpy(families(), lens, ratios=dict.fromkeys(RATIOS, 1.0))) > 10.0


def test_integrating_the_source_out_is_summing_over_its_place(lens):
    """exp of the density of one family, beside a sum over a fine grid of sources of the Gaussians of its images."""
    one = jm.recipes.multiple_images(["a"] * 4, X[:4], Y[:4], sigma=SIGMA[:4])
    scene = jm.Scene(sources={}, lens=lens)
    middle, alone = jax.jit(one.sources)(scene), 0.0
    step = 0.004
    axis = step * np.arange(-40, 41)
    bx, by = float(middle.x[0]) + axis, float(middle.y[0]) + axis[:, None]
    for theta, sigma in zip(np.stack([X, Y]).T[:4], SIGMA[:4], strict=True):
        beta, jacobian = traced(lens, theta)
        off = np.stack(np.broadcast_arrays(bx, by)) - beta[:, None, None]
        lifted = np.einsum("ij,jyx->iyx", np.linalg.inv(jacobian), off)
        alone += -0.5 * np.sum(lifted**2, axis=0) / sigma**2 - np.log(2.0 * np.pi * sigma**2)
    assert density(one, lens) == pytest.approx(float(np.log(np.sum(np.exp(alone)) * step**2)), abs=1e-3)


def test_in_the_image_plane_residuals_are_those_of_the_nearest_source(lens):
    """Of images that solve the lens equation, for the source of least chi2, both by scipy."""
    images = jm.recipes.multiple_images(["a"] * 4, X[:4], Y[:4], sigma=SIGMA[:4], plane="image")
    seen = predicted(images, jm.Scene(sources={}, lens=lens))
    ours = np.asarray(seen.value).T
    beta = ours - deflected(lens, ours)
    np.testing.assert_allclose(beta, np.broadcast_to(beta.mean(axis=0), (4, 2)), atol=1e-3)

    def image(source, start):
        return fsolve(lambda theta: traced(lens, theta)[0] - source, start, xtol=1e-10)

    def off(source):
        solved = [image(source, start) for start in ours]
        return ((np.stack([X[:4], Y[:4]], axis=1) - solved) / SIGMA[:4, None]).ravel()

    best = least_squares(off, beta.mean(axis=0), x_scale=0.01, diff_step=1e-4)
    chi2 = np.nansum(np.asarray(images.residual(seen)) ** 2)
    assert 2.0 * best.cost == pytest.approx(chi2, rel=1e-3)


def test_the_contract(lens):
    images, scene = families(), jm.Scene(sources={}, lens=lens)
    assert is_observation(images)
    assert (images.shown(scene), images.subject, images.pixels, images.padded()) == ([], None, None, images)
    assert [plane.name for plane in planes(images)] == ["x", "y"]
    assert (absorbed(images), str(images.quantity)) == (4, "position [arcsec]")
    assert "8 images in 2 families" in images.describe()
    fewer = dataclasses.replace(images, used=np.asarray(images.used) & (np.arange(8) != 3))
    spoilt = dataclasses.replace(fewer, data=np.where(fewer.used, images.data, np.nan))
    seen = predicted(spoilt, scene)
    three = jm.recipes.multiple_images(
        FAMILY[:3] + FAMILY[4:], *np.delete([X, Y], 3, axis=1), sigma=np.delete(SIGMA, 3), distance_ratio=RATIOS
    )
    alone = predicted(three, scene)
    np.testing.assert_allclose(np.delete(seen.value, 3, axis=1), alone.value, rtol=1e-12)
    assert np.isnan(np.asarray(spoilt.residual(seen))[:, 3]).all()
    assert density(spoilt, lens) == pytest.approx(density(three, lens), rel=1e-12)


def test_gradients_are_finite_and_right_where_a_family_does_not_count(lens):
    images = families()
    images = dataclasses.replace(images, used=np.asarray(images.used) & (np.asarray(images.family) == 0))

    def of(theta_e):
        scene = jm.Scene(sources={}, lens={**lens, "halo": dataclasses.replace(lens["halo"], theta_e=theta_e)})
        return images.noise.pointwise(images.data, *images.predict(scene, None), images.used).sum()

    compiled = jax.jit(jax.value_and_grad(of))
    slope = (compiled(9.9001)[0] - compiled(9.8999)[0]) / 2e-4
    assert compiled(9.9)[1] == pytest.approx(float(slope), rel=1e-5)


def test_a_scene_without_a_lens_and_a_map_that_ends_are_refused():
    with pytest.raises(InputError, match="need a lens, which the scene has not"):
        jm.prepare(jm.Scene(sources={}), {"images": families()})
    grid = jm.Grid.regular((21, 25), 1.0)
    small = jm.lens.Tabulated(alpha_x=np.zeros((21, 25)), alpha_y=np.zeros((21, 25)), grid=grid)
    far = jm.recipes.multiple_images("aa", [1.0, 13.0], [2.0, 0.0], sigma=0.1)
    with pytest.raises(InputError, match=r"does not cover 1 of 2 images, such as that of family 'a' at x = 13, y = 0"):
        jm.prepare(jm.Scene(sources={}, lens={"map": small}), {"images": far})


# Images of three sources behind an ellipsoid, to 0.01 arcsec; x, y, D_LS/D_S over that of the first.
SHARP = {
    "a": ([-0.402, -1.221, 0.903, 1.250], [-1.627, 0.149, 1.252, -1.013], 1.0),
    "b": ([-0.748, -1.175, 0.824, 1.723], [-2.001, 0.840, 1.399, -0.520], 1.1905),
    "c": ([-1.467, 1.478], [-0.257, 1.640], 1.2665),
}


def test_a_free_jitter_is_not_taken_for_the_lens():
    """From three starts it explains the images."""
    lens = {
        "theta_e": dist.Uniform(0.5, 3.0),
        "q": dist.Uniform(0.4, 1.0),
        "pa": dist.Uniform(0.0, 180.0),
        "x0": dist.Normal(0.0, 0.3),
        "y0": dist.Normal(0.0, 0.3),
    }
    images = jm.recipes.multiple_images(
        [name for name, (x, *_) in SHARP.items() for _ in x],
        *(np.concatenate([one[axis] for one in SHARP.values()]) for axis in (0, 1)),
        sigma=0.01,
        distance_ratio={name: one[2] for name, one in SHARP.items()},
        jitter=dist.HalfNormal(0.3),
    )
    scene = jm.Scene(sources={}, lens={"main": jm.lens.SIE(**lens)})
    fit = jm.fit.auto(scene, {"images": images}, method="quick", progress=False)
    for name, true, error in (("theta_e", 1.5, 0.01), ("q", 0.7, 0.02), ("pa", 65.0, 1.0), ("x0", 0.1, 0.02)):
        site = f"scene.lens.main.{name}"
        assert np.median(fit.draws[site]) == pytest.approx(true, abs=error)
        assert fit.best[site] == pytest.approx(true, abs=error)
    assert fit.best["images.noise.jitter"] < 0.01
    columns = tabulated(fit, "images")
    away = [columns[axis].values - columns[f"{axis}_model"].values for axis in "xy"]
    rms = np.sqrt(np.mean(np.sum(np.square(away), axis=0)))
    assert f"places 10 images of 'images' to {rms:.2g} arcsec (rms" in jm.result.summary(fit)
    assert rms < 0.01


BAD = {
    "one image only": ({"family": "ab"}, "family 'a': expected at least two images, found one"),
    "NaN": ({"x": [1.0, np.nan]}, "x: expected a position of every image, found 1 without, the first in row 2"),
    "twice": ({"x": [1.0, 1.0], "y": [2.0, 2.0]}, r"Rows 1 and 2 \(families 'a' and 'a'\) have the same position"),
    "no error": ({"sigma": [0.1, 0.0]}, "sigma: expected positive errors wherever there are data, found 1 zero"),
    "errors of others": ({"sigma": [0.1] * 3}, "sigma: expected a number or 2, one for each image"),
    "in front": ({"distance_ratio": {"a": -0.1}}, "expected a distance ratio above 0, behind the lens, found -0.1"),
    "a word for a ratio": ({"distance_ratio": "1"}, "above 0, behind the lens, found '1'; correct its redshift"),
    "no ratio": ({"distance_ratio": {}}, "family 'a': expected its redshift or distance ratio, found neither"),
    "a ratio of none": (
        {"distance_ratio": {"a": 1.0, "c": 1.0}},
        r"families that have images \(a\), found 'c'",
    ),
    "no such plane": ({"plane": "lens"}, "plane: expected one of source, image, found 'lens'"),
    "of another length": ({"y": [1.0]}, "y: expected 2 numbers, one for each image, found shape"),
}


@pytest.mark.parametrize("case", BAD)
def test_what_cannot_be_used_is_refused_in_a_sentence(case):
    changes, words = BAD[case]
    given = {"family": "aa", "x": [1.0, 3.0], "y": [2.0, 2.0], "sigma": 0.1, **changes}
    with pytest.raises(InputError, match=words) as refusal:
        jm.recipes.multiple_images(**given)
    assert str(refusal.value).count("\n") == 0


def test_mocks_have_their_errors_and_lose_single_images():
    field, plane = jm.Grid.regular((60, 60), 1.0), jm.lens.Plane(parts=cluster())
    sources = {"a": (0.8, 0.5), "far": (12.0, 9.0)}
    images = {name: jm.result.image_positions(plane, *at, field) for name, at in sources.items()}
    assert (len(images["a"].x), len(images["far"].x)) == (4, 1)
    mock = jm.simulate.image_families(images, sigma=0.1, key=jax.random.key(0))
    assert mock.families == ("a",)
    off = np.asarray(mock.data) - np.stack([images["a"].x, images["a"].y])
    assert 0.03 < off.std() < 0.2
    exact = jm.simulate.image_families(images, sigma=1e-9, key=jax.random.key(0))
    found = jax.jit(exact.sources)(jm.Scene(sources={}, lens=cluster()))
    np.testing.assert_allclose([found.x[0], found.y[0]], [0.8, 0.5], atol=1e-6)


def test_a_fit_counts_the_sources_it_integrates_out(tmp_path):
    posterior = jm.fit.auto(
        prior(), {"images": families(sigma=0.1)}, method="laplace", chains=2, draws=50, progress=False
    )
    seen = jm.result.view(posterior)
    fit = seen.goodness["images"]
    assert fit.expected == pytest.approx(16 - 4, abs=2.0)
    jm.io.save(seen, tmp_path, origin=jm.io.wcs.NOWHERE)
    table = jm.io.read_table(tmp_path / "table_images.ecsv")
    np.testing.assert_allclose(table["x"], X)
    residual = np.stack([table["x"] - table["x_model"], table["y"] - table["y_model"]]) / 0.1
    np.testing.assert_allclose([table["residual_x"], table["residual_y"]], residual, atol=1e-6)
    assert np.sum(residual**2) == pytest.approx(fit.chi2)
    again = jm.io.load(tmp_path)
    assert again.view.chi2["images"] == pytest.approx(fit.chi2)
