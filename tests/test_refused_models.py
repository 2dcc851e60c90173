"""Models that would be computed without a word, and wrongly, are refused when they are prepared; noises likewise."""

import dataclasses

import numpy as np
import numpyro.distributions as dist
import pytest

import jaxmetal as jm
from jaxmetal.fit.problem import make

SHAPE, STEP = (7, 9), 0.2
GRID = jm.Grid.regular(SHAPE, STEP)
BRIGHT = np.ones(SHAPE)
HOLED = np.where(np.eye(*SHAPE) > 0.0, np.nan, 1.0)
DISC = jm.light.Exponential(flux=1.0, r_eff=0.4)
SLOPE = jm.tracer.Gradient(central=8.5, slope=dist.Normal(0.0, 0.3))
OVAL = jm.frame.Disc(q=0.6)


def scene(light=DISC, profile=SLOPE, frame=OVAL):
    carried = jm.Carried(profile=profile, weight="line")
    source = jm.Source(frame=frame, lights={"line": light}, carries={"metallicity": carried})
    return jm.Scene(sources={"disc": source})


def observed(**parts):
    made = jm.recipes.metallicity_map(np.full(SHAPE, 8.5), psf=jm.instrument.Gaussian(fwhm=0.5), sigma=0.1, grid=GRID)
    return dataclasses.replace(made, **parts)


def picture(**fields):
    return jm.light.Picture(**{"values": BRIGHT, "grid": GRID, "plane": "image"} | fields)


NODES = jm.tracer.RadialNodes(radii=np.array([2.0, 1.0, 0.0]), values=np.array([8.7, 8.6, 8.5]))
UNEVEN = jm.tracer.RadialNodes(radii=np.array([0.0, 1.0]), values=np.array([8.7, 8.6, 8.5]))
WAVES = jm.tracer.AzimuthalHarmonics(m=(1, 2), amplitudes=np.array([0.1]), phases=np.zeros(2))
TABLE = jm.tracer.Tabulated(values=HOLED, grid=GRID)
MODELS = {
    "a hole in a picture": (scene(picture(values=HOLED)), "lights.line.values: expected finite numbers, found 7 of 63"),
    "a hole in a table": (scene(profile=TABLE), "carries.metallicity.profile.values: expected finite numbers"),
    "a picture in a sum": (
        scene(jm.light.Sum(parts={"disc": DISC, "seen": picture()})),
        "lights.line: expected a picture by itself, found a Picture within Sum",
    ),
    "a plane of no name": (scene(picture(plane="Image")), "lights.line.plane: expected one of source, image"),
    "a table off its grid": (scene(picture(values=np.ones((3, 3)))), "lights.line.values: expected the shape (7, 9)"),
    "radii that shrink": (scene(profile=NODES), "profile.radii: expected radii that grow"),
    "values without radii": (scene(profile=UNEVEN), "profile: expected lists of one length, found 2 of radii and 3"),
    "an ellipse of no width": (
        scene(frame=jm.frame.EllipticityDisc(e1=0.8, e2=-0.6)),
        "scene.sources.disc.frame: expected e1 and e2 with a root of the sum of squares below 1, found 1",
    ),
    "waves without phases": (scene(profile=WAVES), "profile: expected lists of one length"),
}


def test_many_ellipticities_are_judged_one_by_one():
    many = {name: jm.lens.NFW(kappa_s=0.1, r_s=5.0, x0=0.3, y0=0.0, ellipticity=0.6) for name in "abcd"}
    behind = dataclasses.replace(scene(), lens={"cluster": jm.lens.stacked(tuple(many.values()))})
    jm.prepare(behind, {"map": observed()})


@pytest.mark.parametrize("case", MODELS)
def test_a_model_that_cannot_be_meant_is_refused(case):
    model, words = MODELS[case]
    with pytest.raises(jm.InputError) as caught:
        jm.prepare(model, {"map": observed()})
    assert words in str(caught.value)


GAUSSIAN = jm.likelihood.Gaussian(sigma=0.1)
LIMITS = np.eye(*SHAPE) > 0.0
NOISES = {
    "no lower errors": (
        jm.likelihood.SplitNormal(lower=np.where(LIMITS, 0.0, 0.1), upper=BRIGHT),
        "noise.lower of 'map': expected numbers within (0, inf) wherever there are data, found 7 of 63 outside, 0",
    ),
    "negative errors": (
        jm.likelihood.Gaussian(sigma=-BRIGHT),
        "noise.sigma of 'map': expected numbers within (0, inf)",
    ),
    "errors of a turned map": (
        jm.likelihood.Gaussian(sigma=BRIGHT.T),
        "noise.sigma of 'map': expected a number, or one for each of the data of shape (7, 9), found shape (9, 7)",
    ),
    "within a noise": (
        jm.likelihood.EffectiveSamples(noise=jm.likelihood.Gaussian(sigma=0.0 * BRIGHT), correlated_pixels=2.0),
        "noise.noise.sigma of 'map': expected numbers within (0, inf)",
    ),
    "limits of wide tails": (
        jm.likelihood.Censored(noise=jm.likelihood.StudentT(sigma=0.1, nu=2.0), limits=LIMITS),
        "Censored: expected a noise that is normal, Gaussian or LightScaled, found StudentT",
    ),
    "limits of shared pixels": (
        jm.likelihood.Censored(
            noise=jm.likelihood.EffectiveSamples(noise=GAUSSIAN, correlated_pixels=4.0), limits=LIMITS
        ),
        "found EffectiveSamples; write it around one of those, and EffectiveSamples around Censored",
    ),
}


@pytest.mark.parametrize("case", NOISES)
def test_a_noise_that_cannot_be_meant_is_refused(case):
    noise, words = NOISES[case]
    with pytest.raises(jm.InputError) as caught:
        make(scene(), {"map": observed(noise=noise)})
    assert words in str(caught.value)


def test_errors_of_what_is_masked_may_be_anything():
    noise = jm.likelihood.SplitNormal(lower=np.where(LIMITS, 0.0, 0.1), upper=BRIGHT)
    assert make(scene(), {"map": observed(noise=noise, used=~LIMITS)}).sites


def test_the_noise_of_positions_is_not_offered_for_maps():
    assert not hasattr(jm.likelihood, "Integrated")


def test_arguments_of_recipes_that_cannot_be_meant_are_refused():
    more = {"psf": jm.instrument.Gaussian(fwhm=0.5), "sigma": 0.1, "grid": GRID}
    moment = jm.mixing.SecondMoment()
    with pytest.raises(jm.InputError, match=r"properties: expected 2 for SecondMoment, found 1 \(dispersion\)"):
        jm.recipes.weighted_map(BRIGHT, properties=("dispersion",), mixing=moment, **more)
    with pytest.raises(jm.InputError, match=r"sky: expected a Sky, found 0\.1"):
        jm.recipes.light_image(BRIGHT, light="line", sky=0.1, **more)
    lens = {"cluster": jm.lens.SIE(theta_e=1.0, x0=0.0, y0=0.0, q=0.9, pa=0.0)}
    with pytest.raises(jm.InputError, match=r'plane="image"\), found one of the source'):
        jm.recipes.lensed_gradient(observed(), light=picture(plane="source"), lens=lens)
