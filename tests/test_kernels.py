"""Both routes and tabulated kernels are the same operator."""

import dataclasses

import numpy as np
import pytest
from operator_scenes import STEP, alone, look, observation, picture_of_light, sampled, source

import jaxmetal as jm
from jaxmetal.edge.errors import InputError
from jaxmetal.instrument import Composed, Gaussian, Kernel, Moffat
from jaxmetal.instrument.psf import fwhm
from jaxmetal.numerics.grid import Grid
from jaxmetal.observation import default_sampling


def close(found, expected, *, light, dex):
    """Light within a relative error and the map within an absolute one, where light exceeds 1 % of its peak."""
    bright = expected.light > 1e-2 * expected.light.max()
    np.testing.assert_allclose(found.light[bright], expected.light[bright], rtol=light)
    np.testing.assert_allclose(found.value[bright], expected.value[bright], rtol=0, atol=dex)


@pytest.mark.parametrize(("includes_pixel", "oversampling"), [(False, 3), (True, 2)])
def test_both_routes_are_one_operator(includes_pixel, oversampling, precision):
    dex = {"float32": 1e-3, "float64": 1e-4}[precision]
    scene, seeing = alone(), observation(Gaussian(fwhm=0.5, includes_pixel=includes_pixel))
    separable = look(seeing, scene, oversampling=oversampling)
    close(look(seeing, scene, oversampling=oversampling, route="fft"), separable, light=1e-4, dex=dex)


@pytest.mark.parametrize(
    ("cells", "includes_pixel", "light", "dex"), [(1, True, 6e-3, 2e-2), (1, False, 6e-3, 2e-2), (3, False, 1e-4, 1e-4)]
)
def test_a_sampled_gaussian_is_the_gaussian(cells, includes_pixel, light, dex):
    """At 2.5 pixels FWHM; kernels with a cell per pixel are coarse, but apply the pixel once."""
    scene = alone()
    kernel = observation(sampled(0.5, STEP / cells, 7 * cells, includes_pixel))
    analytic = observation(Gaussian(fwhm=0.5, includes_pixel=includes_pixel))
    close(look(kernel, scene, margin=7), look(analytic, scene, margin=7), light=light, dex=dex)


def test_the_pixel_is_applied_once_or_not_at_all(precision):
    """A pixel adds 1/12 pixel^2 to the variance of the image of a compact light along each axis."""
    scene = jm.Scene(sources={"disc": source(8.5, r_eff=0.05, x0=0.0, y0=0.0, q=1.0)})
    column = np.arange(17) - 8

    def variance(includes_pixel):
        light = look(picture_of_light(Gaussian(fwhm=0.5, includes_pixel=includes_pixel)), scene).light
        assert light.dtype == precision
        np.testing.assert_allclose(light.sum(), 1.0, atol=1e-3)
        return np.sum(light * column**2) / np.sum(light)

    assert variance(False) - variance(True) == pytest.approx(1 / 12, abs=2e-3)


def test_a_kernel_is_convolved_not_correlated():
    """A kernel whose centre is one row up and two columns West moves the image there."""
    scene = alone()

    def kernel(row, column):
        values = np.asarray(sampled(0.5, STEP, 4, True).values)
        moved = np.roll(np.pad(values, 2), (row, column), (0, 1))
        return observation(Kernel(values=moved, step=STEP, includes_pixel=True))

    centred, moved = look(kernel(0, 0), scene).light, look(kernel(1, 2), scene).light
    np.testing.assert_allclose(moved[1:, 2:], centred[:-1, :-2], rtol=1e-9, atol=1e-12)


def test_a_kernel_is_refused_on_oblong_pixels():
    """Its square cells cannot be whole parts of them, also where the areas match."""
    oblong = Grid(shape=(9, 11), origin=np.zeros(2), matrix=np.diag([0.10, 0.16]))
    seen = dataclasses.replace(observation(sampled(0.5, float(np.sqrt(0.016)), 5, False)), grid=oblong)
    with pytest.raises(InputError, match=r"0\.1 x 0\.16 arcsec\) a whole number of times along each side"):
        default_sampling(alone(), seen)


@pytest.mark.parametrize(
    "psf",
    [
        Moffat(fwhm=0.5, beta=2.8),
        Moffat(fwhm=0.5, beta=2.8).form(),
        Composed(parts=(Gaussian(fwhm=0.3), Gaussian(fwhm=0.4))),
        sampled(0.5, 0.1, 15, includes_pixel=False),
    ],
    ids=lambda psf: type(psf).__name__,
)
def test_full_width_at_half_maximum(psf):
    """A Moffat is narrower there than the Gaussian with its peak."""
    assert fwhm(psf) == pytest.approx(0.5, rel=5e-3)


def test_a_kernel_that_is_cut_above_half_its_peak_is_as_wide_as_its_corners():
    assert fwhm(sampled(0.5, 0.1, 1, includes_pixel=False)) == pytest.approx(2.0 * np.hypot(0.1, 0.1))


@pytest.mark.parametrize(
    ("components", "beta", "worst"),
    [
        *((12, beta, worst) for beta, worst in ((1.2, 6e-3), (1.5, 2e-3), (1.8, 1.3e-3), (2.0, 1.1e-3))),
        *((12, beta, 6e-4) for beta in (2.5, 3.0, 4.765, 10.0, 30.0, 300.0)),
        *((20, beta, worst) for beta, worst in ((1.5, 1e-3), (2.5, 1.1e-4), (4.765, 2e-5))),
        *((30, beta, worst) for beta, worst in ((1.5, 5e-4), (2.5, 4e-5), (30.0, 2e-8))),
    ],
)
def test_a_moffat_is_one_for_every_exponent(components, beta, worst):
    """Moffat 1969: (beta - 1) / (pi alpha^2) (1 + r^2 / alpha^2)^(-beta), of FWHM 2 alpha sqrt(2^(1/beta) - 1)."""
    assert components != 12 or Moffat(fwhm=1.0, beta=beta).components == components
    form, r = Moffat(fwhm=1.0, beta=beta, components=components).form(), np.linspace(0.0, 5.0, 101)
    alpha = 0.5 / np.sqrt(2.0 ** (1.0 / beta) - 1.0)
    exact = (beta - 1.0) / (np.pi * alpha**2) * (1.0 + (r / alpha) ** 2) ** -beta
    weights, variances = np.asarray(form.weights), np.asarray(form.variances)
    found = np.exp(-0.5 * r[:, None] ** 2 / variances) @ (weights / (2.0 * np.pi * variances))
    seen = exact > 1e-12 * exact[0]
    np.testing.assert_allclose(found[seen], exact[seen], rtol=worst)


def test_a_kernel_off_its_middle_is_refused():
    values = np.roll(np.asarray(sampled(0.5, STEP, 4, True).values), 1, 1)
    with pytest.raises(InputError, match=r"centred to 0\.05 pixel, but its centroid is off by \+"):
        jm.recipes.metallicity_map(
            np.full((9, 9), 8.5), sigma=0.1, pixel_scale=STEP, psf=Kernel(values=values, step=STEP, includes_pixel=True)
        )
