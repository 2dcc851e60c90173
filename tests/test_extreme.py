"""Numbers, and medians and widths of priors, beyond anything that is measured in their unit."""

import dataclasses

import numpy as np
import numpyro.distributions as dist
import pytest

import jaxmetal as jm
from jaxmetal.io.config.extreme import TIMES, extreme
from jaxmetal.model import tree
from jaxmetal.prior import Tied, typical

LIGHT = np.full((4, 5), 2.0)
PSF = jm.instrument.Gaussian(fwhm=0.5)
FLUX, FAR = dist.LogNormal(3.0, 1.0), dist.HalfNormal(1e12)

PROFILE = "sources.disc.carries.metallicity.profile"


def said(x0=0.0, flux=FLUX, central=8.5, slope=0.0, jitter=0.0, jitters=0.0, psf=PSF):
    lights = {"ha": jm.light.Sersic(flux=flux, r_eff=0.75, n=1.0)}
    carries = {"metallicity": jm.Carried(profile=jm.tracer.Gradient(central=central, slope=slope), weight="ha")}
    source = jm.Source(frame=jm.frame.Disc(x0=x0, pa=40.0, q=0.6), lights=lights, carries=carries)
    values = np.where(np.arange(20).reshape(4, 5) > 3, 8.5, np.nan)
    sigma = np.where(np.isnan(values), np.inf, 0.1)
    map_ = jm.recipes.metallicity_map(values, sigma=sigma, psf=psf, pixel_scale=0.2)
    image = jm.recipes.light_image(LIGHT, light="ha", sigma=0.1, psf=PSF, pixel_scale=0.2)
    observations = {"map": _with(map_, jitter), "image": _with(image, jitters)}
    whole = tree(jm.Scene(sources={"disc": source}), observations)
    return [str(finding) for finding in extreme(whole, typical(whole))]


def _with(observation, jitter):
    return dataclasses.replace(observation, noise=dataclasses.replace(observation.noise, jitter=jitter))


def test_what_people_write_is_left_alone():
    assert said() == []
    assert said(x0=dist.Normal(0.0, 2.0), flux=dist.HalfCauchy(1.0), central=dist.Normal(8.5, 1.0)) == []
    assert said(jitter=dist.HalfNormal(0.3), jitters=dist.HalfNormal(10.0), flux=1e-20) == []


@pytest.mark.parametrize(
    ("given", "where", "expected", "found"),
    [
        ({"x0": 1e12}, "sources.disc.frame.x0", "1.3e+06 arcsec", "found 1e+12"),
        ({"x0": dist.Normal(0.0, 1e12)}, "sources.disc.frame.x0", "1.3e+06 arcsec", "Normal(0, 1e+12) is 1e+12 wide"),
        ({"slope": dist.Normal(0.0, 1e12)}, f"{PROFILE}.slope", "1e+04 dex/arcsec", "is 1e+12 wide"),
        ({"central": 1e12}, f"{PROFILE}.central", "100 dex", "found 1e+12"),
        ({"central": dist.Normal(1e12, 1)}, f"{PROFILE}.central", "100 dex", "1e+12"),
        ({"flux": 1e12}, "sources.disc.lights.ha.flux", f"{TIMES * 40:.3g} flux", "found 1e+12"),
        ({"flux": FAR}, "sources.disc.lights.ha.flux", f"{TIMES * 40:.3g} flux", "has a median of 6.74e+11"),
        ({"jitter": FAR}, "observations.map.noise.jitter", "100 dex", "has a median of 6.74e+11"),
        ({"jitters": 1e12}, "observations.image.noise.jitter", f"{TIMES * 40:.3g} flux/pixel", "found 1e+12"),
    ],
)
def test_what_nothing_measures_is_said(given, where, expected, found):
    (text,) = said(**given)
    assert text.startswith(f"WARNING: {where}: expected at most {expected}, ")
    assert found in text


def test_widths_of_ties_are_seen_too():
    tied = jm.instrument.Gaussian(fwhm=Tied(name="seeing", prior=dist.LogNormal(0.0, 40.0)))
    assert any("observations.map.psf.fwhm" in text and "wide" in text for text in said(psf=tied))
