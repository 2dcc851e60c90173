"""Where fits of lenses to arcs start: found from the image, in any orientation, behind a galaxy and on a sky."""

import jax
import numpy as np
import numpyro.distributions as dist
import pytest
from configured import ORIGIN

import jaxmetal as jm
from jaxmetal.fit.arcs import from_arcs
from jaxmetal.io import write_maps
from jaxmetal.io.config import read_config
from jaxmetal.observation import Sky
from jaxmetal.prepared import predictions, prepare

GRID, SIGMA = jm.Grid.regular((36, 32), 0.16), 0.03
PSF = jm.instrument.Gaussian(fwhm=0.2)
FRONT = jm.Source(
    frame=jm.frame.Disc(x0=0.05, y0=-0.03, q=0.8, pa=40.0),
    lights={"star": jm.light.Sersic(flux=dist.LogNormal(3.0, 1.0), r_eff=0.6, n=3.0)},
    distance_ratio=0.0,
)


def scene(theta_e, q, pa, x0, y0, r_eff, flux, front):
    disc = jm.Source(
        frame=jm.frame.Disc(x0=x0, y0=y0, q=0.6, pa=100.0),
        lights={"star": jm.light.Sersic(flux=flux, r_eff=r_eff, n=1.0)},
    )
    field = jm.lens.Shear(gamma1=0.03, gamma2=-0.02)
    lens = {"main": jm.lens.SIE(theta_e=theta_e, q=q, pa=pa, x0=0.05, y0=-0.03), "field": field}
    return jm.Scene(sources={"disc": disc, "front": front}, lens=lens)


PRIOR = scene(
    dist.Uniform(0.5, 2.5),
    dist.Uniform(0.4, 1.0),
    dist.Uniform(0.0, 180.0),
    dist.Normal(0.0, 0.5),
    dist.Normal(0.0, 0.5),
    dist.LogNormal(-1.0, 0.7),
    dist.LogNormal(2.0, 1.5),
    FRONT,
)


def image(data, sky):
    return jm.recipes.light_image(data, light="star", psf=PSF, sigma=SIGMA, grid=GRID, sky=Sky(level=sky))


def observed(theta_e, q, pa, x0, y0):
    light = jm.light.Sersic(flux=40.0, r_eff=0.6, n=3.0)
    front = jm.Source(frame=FRONT.frame, lights={"star": light}, distance_ratio=0.0)
    truth, blank = scene(theta_e, q, pa, x0, y0, 0.25, 20.0, front), {"image": image(np.zeros(GRID.shape), 0.2)}
    seen = np.asarray(predictions(blank, truth, prepare(truth, blank))["image"].value)
    return image(seen + SIGMA * np.random.default_rng(1).standard_normal(seen.shape), dist.Normal(0.0, 0.3))


@pytest.mark.parametrize("truth", [(1.6, 0.75, 30.0, 0.12, -0.08), (1.1, 0.6, 130.0, -0.1, 0.15)])
def test_lens_source_foreground_and_sky_are_found(truth, monkeypatch):
    monkeypatch.setattr("jaxmetal.fit.arcs.GENERATIONS", 25)
    found = from_arcs(PRIOR, {"image": observed(*truth)})
    main, disc = "scene.lens.main", "scene.sources.disc"
    assert abs(found[f"{main}.theta_e"] - truth[0]) < 0.06
    assert abs(found[f"{main}.q"] - truth[1]) < 0.1
    assert abs((found[f"{main}.pa"] - truth[2] + 90.0) % 180.0 - 90.0) < 12.0
    place = [found[f"{disc}.frame.{name}"] for name in ("x0", "y0")]
    np.testing.assert_allclose(place, truth[3:], atol=0.06)
    sizes = [found[f"{disc}.lights.star.{name}"] for name in ("flux", "r_eff")]
    np.testing.assert_allclose(sizes, [20.0, 0.25], rtol=0.5)
    np.testing.assert_allclose(found["scene.sources.front.lights.star.flux"], 40.0, rtol=0.3)
    np.testing.assert_allclose(found["image.sky.level"], 0.2, atol=0.03)


def test_nothing_is_searched_without_a_free_lens_and_an_arc():
    shown = {"image": observed(1.6, 0.75, 30.0, 0.12, -0.08)}
    fixed = jm.Scene(sources=PRIOR.sources, lens={"main": jm.lens.SIE(theta_e=1.6, q=0.8, pa=0.0)})
    assert from_arcs(fixed, shown) == {}
    assert from_arcs(jm.Scene(sources={"front": FRONT}, lens=PRIOR.lens), shown) == {}
    assert jax.tree.leaves(from_arcs(jm.Scene(sources={}, lens=PRIOR.lens), {})) == []


class BegunError(Exception):
    """In the place of a fit."""


def begin(problems, seeds, options, given, *rest):
    raise BegunError(given)


TOML = """
[galaxy]
z = 2.4
[observations.image]
kind = "image"
data = "image.fits"
light = "star"
sigma = 0.03
mask = "mask.fits"
mask_means = "reject"
psf = {type = "Gaussian", fwhm = 0.2}
sky = {level = {dist = "Normal", loc = 0.0, scale = 0.3}}
[observations.metallicity]
kind = "map"
data = "metallicity.fits"
sigma = 0.1
mixing = "Dex"
psf = {type = "Gaussian", fwhm = 0.2}
[lens.main]
type = "SIE"
theta_e = {dist = "Uniform", low = 0.5, high = 2.5}
q = 0.75
pa = 30.0
x0 = 0.05
y0 = -0.03
[sources.front]
distance_ratio = 0.0
frame = {type = "Disc", x0 = 0.05, y0 = -0.03, q = 0.8, pa = 40.0}
lights.star = {type = "Sersic", flux = {dist = "LogNormal", loc = 3.0, scale = 1.0}, r_eff = 0.6, n = 3.0}
[sources.disc]
frame = {type = "Disc", x0 = {dist = "Normal", loc = 0.0, scale = 0.5}, q = 0.6, pa = 100.0}
lights.star = {type = "Sersic", flux = {dist = "LogNormal", loc = 2.0, scale = 1.5}, r_eff = 0.25, n = 1.0}
lights.line = {type = "Sersic", flux = {dist = "LogNormal", loc = 2.0, scale = 1.5}, r_eff = 0.25, n = 1.0}
carries.metallicity = {weight = "line", profile = {type = "Gradient", central = 8.5, slope = -0.1}}
"""


def test_a_fit_that_a_file_describes_begins_where_the_arc_says(tmp_path, monkeypatch):
    shown = observed(1.6, 0.75, 30.0, 0.12, -0.08)
    data, mask = np.array(shown.data), np.zeros(GRID.shape)
    mask[:4, :5], data[:4, :5] = 1.0, 1e3  # a star
    values = 8.5 + 0.1 * np.random.default_rng(2).standard_normal(GRID.shape)
    for name, array in (("image", data), ("mask", mask), ("metallicity", values)):
        write_maps(tmp_path / f"{name}.fits", {"data": array}, GRID, ORIGIN)
    (tmp_path / "fit.toml").write_text(TOML)
    job = read_config(tmp_path / "fit.toml")
    assert np.sum(~job.observations["image"].used) == 20
    monkeypatch.setattr("jaxmetal.fit.choose.solve", begin)
    monkeypatch.setattr("jaxmetal.fit.arcs.GENERATIONS", 10)
    start = {**job.settings["start"], "scene.sources.disc.frame.x0": 0.3}
    with pytest.raises(BegunError) as begun:
        jm.fit.auto(job.scene, job.observations, start=start, progress=False)
    (given,) = begun.value.args
    assert abs(given["scene.lens.main.theta_e"][0] - 1.6) < 0.06
    np.testing.assert_allclose(given["scene.sources.front.lights.star.flux"], 40.0, rtol=0.3)
    np.testing.assert_allclose(given["image.sky.level"], 0.2, atol=0.03)
    assert given["scene.sources.disc.frame.x0"] == 0.3  # as it was asked for
    assert "scene.sources.disc.lights.line.flux" not in given
