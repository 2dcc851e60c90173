"""Pictures that are blurred already: their own blur is undone once, and the observation's PSF then acts in full."""

import dataclasses

import numpy as np
import numpyro.distributions as dist
import pytest
from compiled import predict

import jaxmetal as jm
from jaxmetal.instrument import Gaussian, Kernel, Moffat
from jaxmetal.observation import sharpen
from jaxmetal.prepared import findings

SHAPE, STEP, SLOPE = (23, 27), 0.2, -0.4
GRID = jm.Grid.regular(SHAPE, STEP)
DISC = jm.light.Sersic(flux=100.0, r_eff=0.75, n=1.0)
FRAME = jm.frame.Disc(x0=0.05, y0=-0.03, q=0.6, pa=40.0)


def scene(light, slope=SLOPE):
    carried = jm.Carried(profile=jm.tracer.Gradient(central=8.6, slope=slope), weight="ha")
    return jm.Scene(sources={"disc": jm.Source(frame=FRAME, lights={"ha": light}, carries={"metallicity": carried})})


def observed(psf):
    return jm.recipes.metallicity_map(np.full(SHAPE, 8.5), sigma=0.1, psf=psf, grid=GRID)


def look(psf, light, slope=SLOPE):
    one, seeing = scene(light, slope), observed(psf)
    return predict(seeing, one, jm.prepare(one, {"map": seeing})["map"])


def picture(psf, noise=0.0, **fields):
    """What a telescope with this PSF makes of the disc, per arcsec^2."""
    values = np.asarray(look(psf, DISC).light) / STEP**2
    values = values + noise * values.max() * np.random.default_rng(0).standard_normal(SHAPE)
    return jm.light.Picture(values=values, grid=GRID, plane="image", psf=psf, **fields)


def kernel(fwhm):
    """A Moffat as a table of three cells per pixel."""
    offset = (np.arange(61) - 30) * STEP / 3
    alpha = fwhm / 2 / np.sqrt(2 ** (1 / 2.8) - 1)
    values = (1 + (offset[:, None] ** 2 + offset**2) / alpha**2) ** -2.8
    return Kernel(values=values / values.sum(), step=STEP / 3, includes_pixel=False)


def errors(psf, light):
    """Rms of the map weighted by light, dex, and of the light over its peak."""
    found, truth = look(psf, light), look(psf, DISC)
    weight = np.asarray(truth.light / truth.light.max())
    weight = np.where(weight > 0.05, weight, 0.0)
    dex = np.sqrt(np.sum(weight * np.asarray(found.value - truth.value) ** 2) / weight.sum())
    return dex, np.sqrt(np.mean(np.asarray(found.light - truth.light) ** 2)) / float(truth.light.max())


@pytest.mark.parametrize(
    ("own", "psf", "bar"),
    [
        (Gaussian(fwhm=0.35), Gaussian(fwhm=0.7), 0.002),
        (Gaussian(fwhm=0.7), Gaussian(fwhm=0.7), 0.008),
        (Moffat(fwhm=0.5, beta=2.8), Moffat(fwhm=0.7, beta=2.8), 0.006),
        (Gaussian(fwhm=0.5), kernel(0.6), 0.006),
        (kernel(0.5), Gaussian(fwhm=0.6), 0.006),
    ],
    ids=["half as wide", "same cube", "Moffats", "Gaussian in kernel", "kernel in Gaussian"],
)
def test_the_blur_of_a_picture_is_undone(own, psf, bar):
    dex, light = errors(psf, picture(own))
    assert dex < bar
    assert light < 0.02


def test_as_it_is_a_picture_blurs_twice():
    """Without its PSF stated, the same picture misses the bars."""
    blurred = dataclasses.replace(picture(Gaussian(fwhm=0.7)), psf=None)
    assert errors(Gaussian(fwhm=0.7), blurred)[0] > 0.024


def test_noise_is_not_sharpened():
    clean, noisy = (picture(Gaussian(fwhm=0.5), noise) for noise in (0.0, 0.02))
    psf = Gaussian(fwhm=0.7)
    difference = np.asarray(look(psf, noisy).light - look(psf, clean).light)
    assert difference.std() < 0.02 * float(look(psf, clean).light.max())


def test_flux_stays_and_negative_pixels_too():
    clean, given = picture(Gaussian(fwhm=0.5)), picture(Gaussian(fwhm=0.5), 0.02)
    whole = sharpen.sharpened([("disc", "ha")], scene(clean), scene(clean))["disc.ha"]
    np.testing.assert_allclose(np.sum(whole.values), np.sum(clean.values), rtol=5e-3)
    sharp = sharpen.sharpened([("disc", "ha")], scene(given), scene(given))["disc.ha"]
    lit = np.asarray(given.values) >= 0
    assert (np.asarray(sharp.values)[~lit] <= 0).all()


def test_a_free_registration_moves_the_sharp_picture():
    own, psf = Gaussian(fwhm=0.5), Gaussian(fwhm=0.7)
    prior = scene(picture(own, dx=dist.Normal(0.0, 0.1)))
    seeing = observed(psf)
    plan = jm.prepare(prior, {"map": seeing})["map"]
    assert not plan.fluxes
    moved = jm.fill(prior, {"sources.disc.lights.ha.dx": STEP})
    found, still = predict(seeing, moved, plan).light, predict(seeing, scene(picture(own)), plan).light
    np.testing.assert_allclose(found[:, 2:], still[:, 1:-1], atol=2e-3 * float(still.max()))


@pytest.mark.parametrize("shift", [-1.0, -3.0])
def test_a_map_that_may_move_sees_as_much_of_a_picture_as_one_that_is_there(shift):
    """The picture has light at its edge, which comes within the blur's reach when the map moves."""
    one, psf = scene(jm.light.Picture(values=np.ones(SHAPE), grid=GRID, plane="image")), Gaussian(fwhm=1.2)
    fixed = dataclasses.replace(observed(psf), dx=shift * STEP)
    free = dataclasses.replace(observed(psf), dx=dist.Normal(0.0, 0.1))
    expected = predict(fixed, one, jm.prepare(one, {"map": fixed})["map"])
    found = predict(fixed, one, jm.prepare(one, {"map": free})["map"])
    np.testing.assert_allclose(found.light, expected.light, atol=1e-3 * float(expected.light.max()))
    np.testing.assert_allclose(found.value, expected.value, atol=1e-3)


def test_what_is_left_is_said():
    prior = scene(picture(Gaussian(fwhm=0.7)))
    found = findings(jm.prepare(prior, {"map": observed(Gaussian(fwhm=0.7))}).values())
    assert [finding.severity for finding in found] == ["info"]
    assert "'disc.ha' (FWHM 0.7 arcsec)" in found[0].text
    assert findings(jm.prepare(scene(DISC), {"map": observed(Gaussian(fwhm=0.7))}).values()) == []


def test_a_free_blur_of_a_picture_is_refused():
    prior = scene(dataclasses.replace(picture(Gaussian(fwhm=0.5)), psf=Gaussian(fwhm=dist.Uniform(0.1, 0.6))))
    with pytest.raises(jm.InputError, match="must be known"):
        jm.prepare(prior, {"map": observed(Gaussian(fwhm=0.7))})
