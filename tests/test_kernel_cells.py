"""The cells of a tabulated PSF: how large they are, where its middle is, and what that makes of oblong pixels."""

import dataclasses

import numpy as np
import pytest
from astropy.io import fits
from compiled import predict
from configured import replace, write_galaxy
from fits_files import refused
from scipy.interpolate import RectBivariateSpline
from scipy.signal import fftconvolve

import jaxmetal as jm
from jaxmetal.instrument import Gaussian, Kernel
from jaxmetal.instrument.psf import fwhm
from jaxmetal.io import read_kernel
from jaxmetal.io.config import read_config
from jaxmetal.numerics.grid import Grid
from jaxmetal.observation import default_sampling

FWHM, PIXEL = 0.5, 0.2


def table(shape, step, width=FWHM):
    """A round Gaussian about the middle of an array, in cells of `step` arcsec."""
    y, x = ((np.arange(n) - 0.5 * (n - 1)) * step for n in shape)
    values = np.exp(-4.0 * np.log(2.0) * (x**2 + y[:, None] ** 2) / width**2)
    return values / values.sum()


def seen(psf, sides=(PIXEL, PIXEL), shape=(15, 17), **changes):
    """The light of a round Gaussian somewhat off the middle through a PSF, in pixels of these sides."""
    grid = Grid(
        shape=shape,
        origin=-0.5 * np.array([sides[0] * (shape[1] - 1), sides[1] * (shape[0] - 1)]),
        matrix=np.diag(sides),
    )
    light = jm.light.Gaussian(flux=1.0, r_eff=0.2)
    scene = jm.Scene(sources={"a": jm.Source(frame=jm.frame.Disc(x0=0.07, y0=-0.11), lights={"light": light})})
    image = jm.Image(
        data=np.zeros(shape),
        noise=jm.likelihood.Gaussian(sigma=np.ones(shape)),
        grid=grid,
        psf=psf,
        light="light",
        used=np.ones(shape, bool),
    )
    sampling = dataclasses.replace(default_sampling(scene, image), **changes)
    plans = jm.prepare(scene, {"image": image}, {"image": sampling})
    return np.asarray(predict(image, scene, plans["image"]).value)


@pytest.mark.parametrize(
    ("side", "cells", "includes_pixel"),
    [(40, 2, False), (40, 2, True), (80, 4, False), (80, 4, True), (59, 3, False), (59, 3, True)],
)
def test_the_middle_of_the_array_is_the_centre(side, cells, includes_pixel):
    """Even kernels under even oversampling are as good as odd ones; half a cell moves light by more than 0.02."""
    psf = Gaussian(fwhm=FWHM, includes_pixel=includes_pixel)
    values = table((side, side), PIXEL / cells)
    found = seen(Kernel(values=values, step=PIXEL / cells, includes_pixel=includes_pixel))
    expected = seen(psf)
    np.testing.assert_allclose(found, expected, atol=2e-4 * expected.max())


@pytest.mark.parametrize(("sides", "step", "shape"), [((0.2, 0.4), 0.1, (44, 44)), ((0.4, 0.2), 0.2, (16, 21))])
def test_cells_stay_square_on_oblong_pixels(sides, step, shape):
    """A round PSF is round there: against the formula, whose width is in arcsec along both axes."""
    shape = tuple(n + 1 - n % 2 for n in shape)
    found = seen(Kernel(values=table(shape, step, 0.6), step=step, includes_pixel=False), sides, (11, 17))
    expected = seen(Gaussian(fwhm=0.6), sides, (11, 17))
    np.testing.assert_allclose(found, expected, atol=2e-4 * expected.max())


def test_oblong_pixels_by_scipy():
    """A kernel that is no Gaussian, on pixels of 2 x 3 of its cells, summed over fine cells."""
    step, counts, shape = 0.1, (3, 2), (12, 18)
    values = table((31, 31), step) * (1.0 + 0.4 * np.tanh((np.arange(31) - 15.0) / 4.0))
    values /= values.sum()
    found = seen(Kernel(values=values, step=step, includes_pixel=False), (0.2, 0.3), shape)
    fine = 5
    rows, columns = (n * c * fine for n, c in zip(shape, counts, strict=True))
    y, x = (((np.arange(n) + 0.5) - 0.5 * n) * step / fine for n in (rows, columns))
    sigma = 0.2 / np.sqrt(2.0 * np.log(2.0))
    light = np.exp(-0.5 * ((x - 0.07) ** 2 + (y[:, None] + 0.11) ** 2) / sigma**2) / (2.0 * np.pi * sigma**2)
    offsets = (np.arange(31 * fine) - 0.5 * (31 * fine - 1)) / fine + 15.0
    smooth = RectBivariateSpline(np.arange(31), np.arange(31), values, kx=5, ky=5)(offsets, offsets)
    blurred = fftconvolve(light * (step / fine) ** 2, smooth / smooth.sum(), mode="same")
    expected = blurred.reshape(shape[0], counts[0] * fine, shape[1], counts[1] * fine).sum(axis=(1, 3))
    np.testing.assert_allclose(found, expected, atol=1e-3 * expected.max())


def test_what_is_asked_of_the_samples_leaves_the_cells_as_they_are():
    kernel = Kernel(values=table((59, 59), PIXEL / 3), step=PIXEL / 3, includes_pixel=False)
    expected = seen(kernel)
    np.testing.assert_allclose(seen(kernel, oversampling=5, subsamples=1), expected, atol=2e-5 * expected.max())


WRONG = {
    "even sides, odd cells": ((40, 40), 3, False, "must have odd sides for an odd oversampling"),
    "one even side": ((41, 40), 1, True, "must have odd sides for an odd oversampling"),
    "odd sides, even cells, with the pixel": ((41, 41), 2, True, "must have an odd oversampling"),
}


@pytest.mark.parametrize("case", WRONG)
def test_one_rule_for_all_doors(case, tmp_path):
    shape, cells, includes_pixel, words = WRONG[case]
    kernel = Kernel(values=table(shape, PIXEL / cells), step=PIXEL / cells, includes_pixel=includes_pixel)
    refused(lambda: seen(kernel), words)
    refused(lambda: jm.recipes.metallicity_map(np.ones((9, 9)), sigma=1.0, psf=kernel, pixel_scale=PIXEL), words)
    fits.writeto(tmp_path / "psf.fits", kernel.values)
    options = {"pixel_scale": PIXEL, "oversampling": cells, "includes_pixel": includes_pixel}
    refused(lambda: read_kernel(tmp_path / "psf.fits", **options), words)


@pytest.mark.parametrize("side", [40, 41])
def test_the_width_of_an_even_kernel(side):
    kernel = Kernel(values=table((side, side), 0.1), step=0.1, includes_pixel=False)
    assert fwhm(kernel) == pytest.approx(FWHM, rel=2e-3)
    assert kernel.peak_width() == pytest.approx(FWHM, rel=2e-3)


# What files say


@pytest.fixture
def path(tmp_path):
    return write_galaxy(tmp_path)


def written(path, header, side=21, step=0.2 / 3):
    fits.writeto(path.parent / "psf.fits", table((side, side), step, 0.4), header=fits.Header(header))


def configured(path, more):
    replace(
        path, '{type = "Gaussian", fwhm = 0.5}', f'{{type = "Kernel", file = "psf.fits", includes_pixel = true{more}}}'
    )
    return read_config(path).observations["metallicity"].psf


CELLS = {"PIXELSCL": 0.2 / 3, "PIXSCALE": 0.2 / 3}
SKY = {"CTYPE1": "RA---TAN", "CTYPE2": "DEC--TAN", "CRVAL1": 10.0, "CRVAL2": 20.0, "CRPIX1": 11.0, "CRPIX2": 11.0}
SKY |= {"CUNIT1": "deg", "CUNIT2": "deg", "CDELT1": -0.2 / 3 / 3600, "CDELT2": 0.2 / 3 / 3600}


@pytest.mark.parametrize("header", [{"PIXELSCL": 0.2 / 3}, {"PIXSCALE": 0.0669}, SKY], ids=["STPSF", "rounded", "WCS"])
@pytest.mark.parametrize("more", ["", ", oversampling = 3", ", step = 0.0667"])
def test_the_header_says_how_large_cells_are(path, header, more):
    written(path, header)
    kernel = configured(path, more)
    assert kernel.step == pytest.approx(0.2 / 3, rel=1e-9)
    assert fwhm(kernel) == pytest.approx(0.4, rel=0.01)


def test_a_kernel_may_be_an_extension_by_name(path):
    """As STPSF writes them."""
    hdus = [
        fits.PrimaryHDU(table((21, 21), 0.2 / 3, 0.9)),
        fits.ImageHDU(table((21, 21), 0.2 / 3, 0.4), name="OVERDIST"),
    ]
    for hdu in hdus:
        hdu.header["PIXELSCL"] = 0.2 / 3
    fits.HDUList(hdus).writeto(path.parent / "psf.fits")
    assert fwhm(configured(path, ', hdu = "OVERDIST"')) == pytest.approx(0.4, rel=0.01)


@pytest.mark.parametrize("header", [{"PIXELSCL": 0.2 / 3}, SKY], ids=["STPSF", "WCS"])
@pytest.mark.parametrize("more", [", oversampling = 1", ", oversampling = 5", ", step = 0.1"])
def test_what_contradicts_the_header_is_refused(path, header, more):
    written(path, header)
    refused(lambda: configured(path, more), "must have cells of one size", "its header 0.06667; correct one of them")


def test_cells_that_are_no_part_of_a_pixel_are_refused(path):
    written(path, {"PIXELSCL": 0.03}, step=0.03)
    refused(lambda: configured(path, ""), "cells (0.03 arcsec) must divide the pixel (0.2 x 0.2 arcsec)")


def test_a_header_without_a_scale_leaves_it_to_the_configuration(path):
    written(path, {"CTYPE1": "RA---TAN", "CTYPE2": "DEC--TAN"})
    assert configured(path, ", oversampling = 3").step == pytest.approx(0.2 / 3)


def test_the_blur_of_a_picture_is_in_cells_of_the_picture(path):
    """Which has pixels of its own, whatever those of the map."""
    written(path, {})
    kernel = '{type = "Kernel", file = "psf.fits", includes_pixel = false, oversampling = 3}'
    light = f'"Picture"\nfile = "halpha.fits"\nplane = "image"\npsf = {kernel}'
    replace(path, '"Sersic"\nflux = 1.0\nr_eff = 0.5\nn = 1.0', light)
    assert read_config(path).scene.sources["disc"].lights["halpha"].psf.step == pytest.approx(0.2 / 3)


def test_oblong_pixels_need_a_step(tmp_path):
    fits.writeto(tmp_path / "psf.fits", table((45, 45), 0.1, 0.6))
    options = {"pixel_scale": (0.2, 0.4), "includes_pixel": False}
    refused(lambda: read_kernel(tmp_path / "psf.fits", **options), "0.2 x 0.4 arcsec", "give step")
    refused(lambda: read_kernel(tmp_path / "psf.fits", **options, oversampling=2), "instead of oversampling")
    kernel, _ = read_kernel(tmp_path / "psf.fits", **options, step=0.1)
    assert (kernel.step, fwhm(kernel)) == (0.1, pytest.approx(0.6, rel=2e-3))


def test_a_kernel_of_oblong_cells_is_refused(tmp_path):
    """Measured on the oblong pixels of the data, say: its cells are not square ones of the same area."""
    header = fits.Header({"CTYPE1": "RA---TAN", "CTYPE2": "DEC--TAN", "CRVAL1": 150.0, "CRVAL2": 2.0})
    header.update({"CRPIX1": 23.0, "CRPIX2": 23.0, "CDELT1": -0.2 / 3600, "CDELT2": 0.4 / 3600})
    fits.writeto(tmp_path / "psf.fits", table((45, 45), 0.1, 0.6), header)
    refused(
        lambda: read_kernel(tmp_path / "psf.fits", pixel_scale=(0.2, 0.4), includes_pixel=False),
        "psf.fits must have square cells",
        "0.2 x 0.4 arcsec",
    )
