"""Quantities of astropy at the edge: taken in any unit of the right dimension, refused in one sentence otherwise."""

import subprocess
import sys

import numpy as np
import numpyro.distributions as dist
import pytest
from astropy import units as u
from astropy.utils.masked import Masked

import jaxmetal as jm
from jaxmetal.numerics.quantities import plain
from jaxmetal.spaxel.integrate import checked_shapes

SHAPE = (5, 7)
PSF = jm.instrument.Gaussian(fwhm=0.5)
FLUX = u.Unit("1e-20 erg/(s cm2)")
LINES = ["OII", "Hb"]
LENS = jm.lens.SIE(theta_e=0.8, x0=0.0, y0=0.0, q=0.9, pa=0.0)
FIELD = jm.Grid.regular((21, 21), 0.15)
BOWL = 0.1 * np.hypot(*np.meshgrid(np.linspace(-1, 1, 21), np.linspace(-2, 1, 21))) ** 2


def metallicity(values=None, **changes):
    values = np.full(SHAPE, 8.5) * u.dex if values is None else values
    return jm.recipes.metallicity_map(values, **{"sigma": 0.1, "pixel_scale": 0.3, "psf": PSF, **changes})


def image(values=None, **changes):
    values = np.full(SHAPE, 2.0) if values is None else values
    return jm.recipes.light_image(values, light="h", **{"sigma": 0.1, "pixel_scale": 0.3, "psf": PSF, **changes})


TAKEN = {
    "frame": (lambda: jm.frame.Disc(x0=200.0 * u.mas, pa=np.pi / 6 * u.rad), lambda n: (n.x0, n.pa), (0.2, 30.0)),
    "inclination": (lambda: jm.frame.InclinedDisc(inclination=1.0 * u.rad), lambda n: n.inclination, np.rad2deg(1.0)),
    "light": (lambda: jm.light.Sersic(flux=1.0, r_eff=0.01 * u.arcmin, n=1.0), lambda n: n.r_eff, 0.6),
    "slope": (lambda: jm.tracer.Gradient(central=8.5 * u.dex, slope=-6.0 * u.dex / u.arcmin), lambda n: n.slope, -0.1),
    "velocity": (lambda: jm.tracer.Constant(value=2000.0 * u.m / u.s), lambda n: n.value, 2.0),
    "extinction": (
        lambda: jm.tracer.Gradient(central=1.2 * u.mag, slope=-0.2 * u.mag / u.arcsec),
        lambda n: (n.central, n.slope),
        (1.2, -0.2),
    ),
    "lens": (lambda: jm.lens.SIE(theta_e=1.0 * u.arcmin), lambda n: n.theta_e, 60.0),
    "PSF": (lambda: jm.instrument.Moffat(fwhm=500.0 * u.mas, beta=3.0), lambda n: n.fwhm, 0.5),
    "grid": (lambda: jm.Grid.regular(SHAPE, 200.0 * u.mas, (1.0, 0.0) * u.arcmin), lambda n: n.origin, (59.4, -0.4)),
    "plate scale": (lambda: jm.Grid.regular(SHAPE, 0.2 * u.arcsec / u.pix), lambda n: n.steps, (0.2, 0.2)),
    "pixel scale": (lambda: metallicity(pixel_scale=300.0 * u.mas), lambda n: n.grid.steps, (0.3, 0.3)),
    "shift": (lambda: metallicity(dx=100.0 * u.mas), lambda n: n.dx, 0.1),
    "errors": (lambda: metallicity(sigma=0.1 * u.dex), lambda n: n.noise.sigma, np.full(SHAPE, 0.1)),
    "weights": (lambda: metallicity(sigma=None, ivar=25.0 / u.dex**2), lambda n: n.noise.sigma, np.full(SHAPE, 0.2)),
    "jitter": (lambda: metallicity(jitter=0.05 * u.dex), lambda n: n.noise.jitter, 0.05),
    "fluxes": (lambda: image(np.full(SHAPE, 2.0) * FLUX), lambda n: n.data, np.full(SHAPE, 2.0)),
    "brightness times area": (
        lambda: image(np.full(SHAPE, 2.0) * u.MJy / u.sr * (0.2 * u.arcsec) ** 2),
        lambda n: n.data,
        np.full(SHAPE, 0.08),
    ),
    "variances": (
        lambda: image(np.full(SHAPE, 2.0) * FLUX, sigma=None, variance=4e-42 * u.Unit("erg2/(s2 cm4)")),
        lambda n: n.noise.sigma,
        np.full(SHAPE, 0.2),
    ),
    "covariate": (
        lambda: jm.population.Covariate(values=[1.0, 2.0] * u.Gyr, pivot=1.0, sigma=30.0 * u.Myr, unit="Gyr"),
        lambda n: (n.values, n.sigma),
        ([1.0, 2.0], [0.03, 0.03]),
    ),
    "draws": (
        lambda: jm.population.Draws(values=[[10.0, 20.0], [30.0, 40.0]] * u.dex / u.Mpc),
        lambda n: n.values,
        [[0.01, 0.02], [0.03, 0.04]],
    ),
    "distance": (
        lambda: jm.spaxel.star_formation_rate(1e-20 * u.W / u.m**2, 15.0 * u.Gpc),
        np.asarray,
        np.asarray(jm.spaxel.star_formation_rate(1e-17, 15000.0)),
    ),
    "place": (
        lambda: jm.sourceplane.source_psf(LENS, PSF, FIELD, 600.0 * u.mas, 400.0 * u.mas),
        lambda n: (n.major, n.minor),
        tuple(jm.sourceplane.source_psf(LENS, PSF, FIELD, 0.6, 0.4)[:2]),
    ),
    "images": (
        lambda: jm.result.image_positions(LENS, 50.0 * u.mas, 0.0 * u.arcsec, FIELD),
        lambda n: n.x,
        jm.result.image_positions(LENS, 0.05, 0.0, FIELD).x,
    ),
    "position behind a lens": (lambda: LENS(6.0 * u.mas, 0.01 * u.arcmin), lambda n: n, LENS(0.006, 0.6)),
    "position by its name": (lambda: LENS(x=6.0 * u.mas, y=0.01 * u.arcmin), lambda n: n, LENS(0.006, 0.6)),
    "position on a disc": (
        lambda: jm.frame.deprojected_radius(jm.frame.Disc(q=0.5, x0=0.1), 1.0 * u.arcmin, 500.0 * u.mas),
        np.asarray,
        np.hypot(0.5, 2.0 * 59.9),
    ),
    "position in a light": (
        lambda: jm.light.Exponential(flux=1.0, r_eff=1.0)(1.0 * u.arcmin / 60.0, 0.0 * u.arcsec),
        np.asarray,
        jm.light.Exponential(flux=1.0, r_eff=1.0)(1.0, 0.0),
    ),
    "pixel of a place": (lambda: FIELD.to_pixel(150.0 * u.mas, 0.0 * u.deg), lambda n: n, (11.0, 10.0)),
    "distortion": (
        lambda: jm.lens.distortion(LENS, 0.02 * u.arcmin, 200.0 * u.mas),
        lambda n: n.mu,
        jm.lens.distortion(LENS, 1.2, 0.2).mu,
    ),
    "ellipticity": (lambda: jm.frame.to_ellipticity(0.5, np.pi / 4 * u.rad), lambda n: n[1], 1.0 / 3.0),
    "dispersion": (
        lambda: jm.lens.b0_from_velocity_dispersion(250e3 * u.m / u.s, 0.7),
        np.asarray,
        jm.lens.b0_from_velocity_dispersion(250.0, 0.7),
    ),
    "core": (
        lambda: jm.lens.normalisation_to_b0("sigma0", 0.3, 100.0 * u.mas, 2.0 * u.arcsec),
        np.asarray,
        jm.lens.normalisation_to_b0("sigma0", 0.3, 0.1, 2.0),
    ),
    "lenstronomy's light": (
        lambda: jm.light.sersic_from_lenstronomy(1.0, 700.0 * u.mas, 1.0, 0.5),
        lambda n: (n.flux, n.r_eff),
        tuple(getattr(jm.light.sersic_from_lenstronomy(1.0, 0.7, 1.0, 0.5), name) for name in ("flux", "r_eff")),
    ),
    "potential": (
        lambda: jm.lens.from_potential(BOWL / 3600.0 * u.arcmin**2, FIELD),
        lambda n: n.alpha_x,
        jm.lens.from_potential(BOWL, FIELD).alpha_x,
    ),
    "convergence": (
        lambda: jm.lens.from_convergence(100.0 * BOWL * u.percent, FIELD),
        lambda n: n.alpha_x,
        jm.lens.from_convergence(BOWL, FIELD).alpha_x,
    ),
    "members": (
        lambda: jm.lens.from_members([np.stack([k * BOWL, BOWL]) * 1e3 * u.mas for k in (1, 2)], FIELD),
        lambda n: n.mean,
        np.stack([1.5 * BOWL, BOWL]),
    ),
    "source pixel": (
        lambda: jm.sourceplane.reconstruct(LENS, FIELD, 50.0 * u.mas),
        lambda n: n.grid.steps,
        (0.05, 0.05),
    ),
}


@pytest.mark.parametrize("case", TAKEN)
def test_quantities_are_numbers_in_the_unit_that_is_documented(case):
    make, read, expected = TAKEN[case]
    found = read(make())
    for one, other in zip(found, expected, strict=True) if isinstance(found, tuple) else [(found, expected)]:
        assert not hasattr(one, "unit")
        np.testing.assert_allclose(one, other, rtol=1e-12, atol=1e-14)


def test_masked_quantities_keep_their_mask():
    values = Masked(np.full(SHAPE, 8.5) * u.dex, mask=np.eye(*SHAPE) > 0)
    np.testing.assert_array_equal(metallicity(values).used, np.eye(*SHAPE) == 0)


def test_errors_of_line_fluxes_are_told_in_the_unit_of_the_fluxes():
    likelihood = jm.spaxel.fluxes(LINES, "M08", law="CCM89")
    flux = np.array([[3.0, 1.0]]) * FLUX
    errors = np.array([[3e-21, 1e-21]]) * u.Unit("erg/(s cm2)")
    given, sigma = checked_shapes(likelihood, flux, errors)
    np.testing.assert_allclose(given, [[3.0, 1.0]])
    np.testing.assert_allclose(sigma, [[0.3, 0.1]])
    with pytest.raises(jm.InputError, match="sigma: expected a number or a quantity in 1e-20 erg / "):
        jm.spaxel.posterior(likelihood, flux, np.ones((1, 2)) * u.mJy)


REFUSED = {
    "a length": (lambda: jm.frame.Disc(x0=2.0 * u.kpc), "Disc.x0: .* in arcsec, found a quantity in kpc"),
    "an angle for a ratio": (lambda: jm.frame.Disc(q=3.0 * u.deg), "Disc.q: .* in no unit, found a quantity in deg"),
    "per kpc": (
        lambda: jm.tracer.Gradient(central=8.5, slope=-0.1 * u.dex / u.kpc),
        "Gradient.slope: .* in dex/arcsec",
    ),
    "a flux without data": (
        lambda: jm.light.Sersic(flux=3.0 * u.Jy, r_eff=1.0, n=1.0),
        "Sersic.flux: .* unit of the data",
    ),
    "a prior": (
        lambda: jm.frame.Disc(x0=dist.Normal(0.2 * u.mas, 1.0)),
        "bare numbers in arcsec, found 'loc' of Normal in mas",
    ),
    "a map": (lambda: metallicity(np.ones(SHAPE) * u.mJy), "values: .* in dex, found a quantity in mJy"),
    "a magnitude, -0.4 dex to astropy": (lambda: metallicity(np.full(SHAPE, 8.5) * u.mag), "values: .* in dex, found"),
    "errors in magnitudes": (lambda: metallicity(sigma=0.25 * u.mag), "sigma: .* in dex, found a quantity in mag"),
    "errors": (lambda: metallicity(sigma=0.1 * u.mJy), "sigma: .* in dex, found a quantity in mJy"),
    "errors alone": (lambda: image(sigma=0.1 * u.mJy), "sigma: .* in no unit, found a quantity in mJy"),
    "pixels": (lambda: metallicity(pixel_scale=3.0 * u.kpc), "pixel_scale: .* in arcsec, found a quantity in kpc"),
    "a mask": (lambda: jm.likelihood.Censored(noise=None, limits=np.ones(2) * u.m), "Censored.limits: .* in no unit"),
    "brightness": (lambda: image(np.ones(SHAPE) * u.MJy / u.sr), "fluxes per pixel, .* MJy / sr; multiply .* the area"),
    "beams": (lambda: image(np.ones(SHAPE) * u.Jy / u.beam), "fluxes per pixel, .* Jy / beam; multiply .* the beams"),
    "magnitudes": (lambda: image(np.ones(SHAPE) * u.mag), "fluxes per pixel, .* mag; convert it"),
    "AB magnitudes": (lambda: image(np.ones(SHAPE) * u.ABmag), r"fluxes per pixel, .* mag\(AB\); convert it"),
    "a covariate": (lambda: jm.population.Covariate(values=[1.0] * u.kpc, pivot=0.0), "values of a .* in dex, found"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_another_dimension_is_one_sentence(case):
    make, words = REFUSED[case]
    with pytest.raises(jm.InputError, match=words) as refusal:
        make()
    assert "\n" not in str(refusal.value)
    assert str(refusal.value).endswith((".", ")."))


def test_quantities_of_other_libraries_are_known_by_what_they_can_do():
    class Length:
        unit = "mile"

        def to_value(self, unit):
            if unit != "m":
                raise TypeError(unit)
            return 1609.344

    assert plain("x", Length(), "arcsec", "m") == 1609.344
    with pytest.raises(jm.InputError, match="found a quantity in mile"):
        plain("x", Length(), "arcsec")


def test_astropy_is_not_imported_for_that():
    code = "import sys, jaxmetal as jm; jm.frame.Disc(q=0.5); print('astropy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "False\n"
