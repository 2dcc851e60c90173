"""Arguments with which functions would answer nonsense, or a traceback, are refused in one sentence."""

import jax
import numpy as np
import pytest

import jaxmetal as jm
from jaxmetal import planning, sourceplane
from jaxmetal.planning.forecasts import Setting
from jaxmetal.result.scale import scale_of

KEY, GRID = jax.random.key(0), jm.Grid.regular((9, 11), 0.2)
LENS = jm.lens.SIE(theta_e=0.5, x0=0.0, y0=0.0, q=0.9, pa=0.0)
LINES = ("OII", "Hb", "OIII5007")
FLUX = np.array([[1.0, 1.0, 2.0]])
NUMBERS = np.where(np.arange(99).reshape(9, 11) < 20, 1.0, np.nan)
SPECTRA = jm.fluxmaps.Spectra(features=("Hb",), flux=np.ones((9, 11, 1)), sigma=np.ones((9, 11, 1)), grid=GRID)
TRUTH = jm.simulate.niriss_like(shape=(5, 5)).truth


def field(**changed):
    return jm.simulate.random_field(KEY, **{"extent": 1.0, "step": 0.1, "sigma": 0.1, "length": 0.3} | changed)


def spaxels(**options):
    return jm.spaxel.posterior(jm.spaxel.fluxes(LINES, "M08"), FLUX, 0.1 * FLUX, **options)


def survey(**changed):
    sample = {"parent": jm.simulate.Parent(size_at_pivot=4.0), "instrument": jm.simulate.INSTRUMENTS["MUSE"]}
    return jm.simulate.survey(**{"count": 1, "kpc_per_arcsec": jm.io.kpc_per_arcsec} | sample | changed)


def spearman(**options):
    covariate = jm.population.Covariate(values=np.arange(3.0), pivot=1.0)
    return jm.population.spearman(jm.population.Measured(values=np.arange(3.0), sigma=np.ones(3)), covariate, **options)


CASES = {
    "a field of no length": (lambda: field(length=0.0), "length: expected a number within (0, inf), found 0"),
    "a field of no step": (lambda: field(step=0.0), "step: expected a number within (0, inf)"),
    "a field of less than nothing": (lambda: field(sigma=-0.1), "sigma: expected a number within [0, inf), found -0.1"),
    "no exposure": (
        lambda: jm.simulate.expose(TRUTH, grid=GRID, psf=jm.instrument.Gaussian(fwhm=0.4), peak_snr=0.0, key=KEY),
        "peak_snr: expected a number within (0, inf), found 0",
    ),
    "no slope": (lambda: jm.simulate.niriss_like(slope=np.nan), "slope: expected a number within (-inf, inf)"),
    "an axis ratio above 1": (lambda: planning.forecast([20.0], [1.0], [3.0], q=1.5), "q: expected a number within (0"),
    "a signal of NaN": (lambda: planning.forecast([np.nan], [1.0], [3.0]), "snr: expected a number within (0, inf)"),
    "one noise draw": (lambda: planning.simulated_error(Setting(20.0, 1.0, 3.0), count=1), "count: expected a whole"),
    "kpc of less than nothing": (lambda: scale_of(None, "disc", -8.0), "kpc_per_arcsec: expected a number within (0,"),
    "no redshift": (lambda: jm.io.kpc_per_arcsec(0.0), "redshift: expected numbers above 0, found 0"),
    "no spaxels": (lambda: spaxels(spaxels=0), "spaxels: expected a number above 0"),
    "spaxels of another shape": (lambda: spaxels(spaxels=np.ones(3)), "in the shape (1,), found shape (3,)"),
    "chunks of nothing": (lambda: spaxels(chunk=0), "chunk: expected a whole number of at least 1"),
    "absorbed nitrogen": (
        lambda: jm.spaxel.wang17(flux_unit=1e-17, nii_ha=-0.5),
        "nii_ha: expected a number within [0, inf), found -0.5",
    ),
    "scatter of NaN": (
        lambda: jm.spaxel.patricio19(["OII", "Hg", "Hb", "OIII4959", "OIII5007"], sigma_cal=np.nan),
        "sigma_cal: expected a number within [0, inf), found nan",
    ),
    "a source nowhere": (lambda: jm.result.image_positions(LENS, np.nan, 0.1, GRID), "x: expected a number within"),
    "curves without a sample": (lambda: jm.result.critical_curves(LENS, GRID, samples=0), "samples: expected a whole"),
    "images without a sample": (
        lambda: jm.result.image_positions(LENS, 0.1, 0.1, GRID, samples=0.5),
        "samples: expected a whole number of at least 1, found 0.5",
    ),
    "a mixture of no draws": (lambda: jm.result.pool({}, draws=0), "draws: expected a whole number of at least 1"),
    "no galaxies": (lambda: survey(count=0), "count: expected a whole number of at least 1, found 0"),
    "galaxies in the dark": (lambda: survey(peak_snr=-1.0), "peak_snr: expected a number within (0, inf), found -1"),
    "no draws of a prior": (
        lambda: jm.simulate.from_prior(TRUTH, {}, KEY, 0),
        "count: expected a whole number of at least 1, found 0",
    ),
    "no repetitions": (lambda: spearman(repeats=0), "repeats: expected a whole number of at least 1, found 0"),
    "ranks without a seed": (lambda: spearman(seed=-1), "The seed must be a whole number from 0"),
    "light of another shape": (
        lambda: sourceplane.region_magnification(LENS, GRID, np.ones((9, 9)), np.ones((9, 11), bool), 0.1),
        "light: expected the shape (9, 11)",
    ),
    "light of another shape under many lenses": (
        lambda: sourceplane.over_lenses({"a": [LENS]}, GRID, np.ones((9, 9)), np.ones((9, 11), bool)),
        "light: expected the shape (9, 11)",
    ),
    "a mask of another shape": (
        lambda: sourceplane.over_lenses({"a": [LENS]}, GRID, np.ones((9, 11)), np.ones((3, 3), bool)),
        "mask: expected the shape (9, 11)",
    ),
    "a magnified mask of numbers": (
        lambda: sourceplane.region_magnification(LENS, GRID, np.ones((9, 11)), NUMBERS, 0.1),
        "mask: expected booleans",
    ),
    "a mask of numbers under many lenses": (
        lambda: sourceplane.over_lenses({"a": [LENS]}, GRID, np.ones((9, 11)), NUMBERS),
        "mask: expected booleans",
    ),
    "numbers for pixels of an image": (lambda: sourceplane.in_image(GRID, NUMBERS), "used: expected booleans"),
    "numbers for pixels with mass": (
        lambda: sourceplane.StellarMass(density=NUMBERS, sigma=NUMBERS, kpc2=1.0).seen(NUMBERS, SPECTRA),
        "mask: expected booleans",
    ),
    "a source pixel of no size": (lambda: sourceplane.reconstruct(LENS, GRID, 0.0), "pixel: expected a number within"),
}


@pytest.mark.parametrize("case", CASES)
def test_refused_in_one_sentence(case):
    call, words = CASES[case]
    with pytest.raises(jm.InputError) as caught:
        call()
    assert words in str(caught.value)


def test_hb_that_was_not_measured_is_not_known():
    """Whether its flux is NaN or its error infinite."""
    likelihood = jm.spaxel.patricio19(["OII", "Hg", "Hb", "OIII4959", "OIII5007"])
    flux = np.array([[2.0, 0.47, 1.0, 1.0, 3.0]])
    sigma = np.full((1, 5), 0.05)
    sigma[0, 2] = np.inf
    found = jm.spaxel.posterior(likelihood, flux, sigma)
    assert np.isfinite(found["z"]).all()
    assert all(np.isnan(found[name]).all() for name in ("hb_low", "hb", "hb_high"))
