"""Numbers that stand for no datum, and data beyond what is physical, at every door."""

import numpy as np
import numpyro.distributions as dist
import pytest
from configured import GRID, ORIGIN, replace, write_galaxy
from fits_files import refused

import jaxmetal as jm
from jaxmetal.edge.noise import tiny
from jaxmetal.edge.physical import extreme, filled, repeated, require_physical
from jaxmetal.fit.problem import make
from jaxmetal.io import write_maps
from jaxmetal.io.config import read_config
from jaxmetal.observation import Quantity

METALLICITY = Quantity("12 + log(O/H)", "dex", within="[4, 11]")
RANDOM = np.random.default_rng(11)
SHAPE = (9, 13)
VALUES = RANDOM.normal(8.5, 0.2, SHAPE)
NO_DATA = [0.0, -9999.0, -9.2e18, 837.0]


def padded(fill, count=4):
    """The map with that number in some pixels."""
    values = VALUES.copy()
    values.flat[:count] = fill
    return values


def metallicity(values, **more):
    options = {"sigma": 0.05, "psf": jm.instrument.Gaussian(fwhm=0.5), "pixel_scale": 0.2}
    return jm.recipes.metallicity_map(values, **{**options, **more})


def judge(values, sigma=0.05, used=None, quantity=METALLICITY):
    require_physical("map", quantity, values, np.ones(np.shape(values), bool) if used is None else used, lambda: sigma)


@pytest.mark.parametrize("fill", NO_DATA)
def test_no_door_takes_them_for_metallicities(tmp_path, fill):
    words = "expected 12 + log(O/H) within [4, 11], found 4 of 117 outside, 4 of them"
    by_hand = {"map": metallicity(padded(fill))}
    carried = jm.Carried(profile=jm.tracer.Constant(value=dist.Normal(8.5, 0.5)), weight="light")
    light = jm.light.Gaussian(flux=1.0, r_eff=0.5)
    scene = jm.Scene(
        sources={"disc": jm.Source(frame=jm.frame.Disc(), lights={"light": light}, carries={"metallicity": carried})}
    )
    refused(lambda: make(scene, by_hand), f"data of 'map': {words}")
    path = write_galaxy(tmp_path)
    write_maps(tmp_path / "padded.fits", {"data": padded(fill)}, GRID, ORIGIN)
    replace(path, 'data = "metallicity.fits"', 'data = "padded.fits"')
    refused(lambda: read_config(path), f"observations.metallicity.data: {words}")


@pytest.mark.parametrize("fill", NO_DATA)
def test_masked_ones_do_no_harm(fill):
    values = padded(fill)
    judge(values, used=values == VALUES)


def test_noise_may_carry_data_beyond():
    """A datum of 3.8 +- 0.3 is noise; the same number again and again is not, nor is 3.8 +- 0.01."""
    values = padded(0.0, 0)
    values[0, 0], values[3, 4] = 3.8, 11.1
    judge(values, sigma=0.3)
    refused(lambda: judge(values, sigma=0.01), "found 2 of 117 outside, 1 of them")
    refused(lambda: judge(padded(3.8, 3), sigma=0.3), "found 3 of 117 outside, 3 of them 3.8")


def test_errors_are_asked_for_only_where_data_lie_beyond():
    def sigma():
        raise AssertionError("not needed")

    require_physical("map", METALLICITY, VALUES, np.ones(SHAPE, bool), sigma)


def test_a_dispersion_is_not_negative():
    made = jm.recipes.weighted_map(
        np.where(VALUES > 8.7, -99.0, 30.0),
        properties=("velocity", "dispersion"),
        mixing=jm.mixing.SecondMoment(),
        sigma=1.0,
        psf=jm.instrument.Gaussian(fwhm=0.5),
        pixel_scale=0.2,
    )
    refused(lambda: judge(made.data, 1.0, quantity=made.quantity), "expected dispersion within [0, inf)", "-99")
    judge(np.abs(made.data), 1.0, quantity=made.quantity)


@pytest.mark.parametrize(("fill", "count", "said"), [(-9999.0, 4, 1), (-9999.0, 2, 0), (0.0, 4, 0), (4000.0, 117, 0)])
def test_a_repeated_outlier_of_any_quantity_is_said(fill, count, said):
    """Zeros among velocities about zero, and a map of one value, are nothing."""
    values = RANDOM.normal(0.0, 30.0, SHAPE)
    values.flat[:count] = fill
    found = repeated("velocity", values, 5.0, np.ones(SHAPE, bool))
    assert [one.severity for one in found] == said * ["warning"]
    assert all("velocity: 4 of 117 data are -9999, far from all others" in one.text for one in found)


@pytest.mark.parametrize("fill", [0.0, 7.0])
@pytest.mark.parametrize(("count", "decimals", "said"), [(12, 9, 1), (5, 9, 0), (12, 1, 0)])
def test_one_value_among_data_that_never_repeat_is_said(fill, count, decimals, said):
    """It is not far from the others; few such data, and rounded ones, are nothing."""
    values = np.round(RANDOM.normal(fill + 1.0, 1.0, SHAPE), decimals)
    values.flat[:count] = fill
    found = filled("map", values, np.ones(SHAPE, bool))
    assert [one.severity for one in found] == said * ["warning"]
    same = f"map: 12 of 117 data are exactly {fill:g}, while the others hardly ever repeat"
    assert all(same in one.text for one in found)


@pytest.mark.parametrize(("datum", "said"), [(1e20, 1), (-1e9, 1), (1e6, 0)])
def test_a_single_datum_beyond_all_others_is_said(datum, said):
    """A million errors away, of data that scatter by less."""
    values = RANDOM.normal(0.0, 1.0, SHAPE)
    values[2, 3] = datum
    used = np.ones(SHAPE, bool)
    found = extreme("image", values, 3.0, used)
    assert [one.severity for one in found] == said * ["warning"]
    assert all(f"image: 1 of 117 data lie beyond all others, as far as {datum:g}" in one.text for one in found)
    assert extreme("image", values, 3.0, values != datum) == ()


@pytest.mark.parametrize(("factor", "said"), [(1e-10, 1), (0.9e-4, 1), (1e-3, 0)])
def test_errors_far_below_all_others_are_said(factor, said):
    sigma = np.full(SHAPE, 0.05)
    sigma.flat[:3] *= factor
    found = tiny("map", sigma, np.ones(SHAPE, bool))
    assert [one.severity for one in found] == said * ["warning"]
    words = f"map: the errors of 3 of 117 data lie {1.0 / factor:.1e} times or more below the median"
    assert all(words in one.text for one in found)
    assert tiny("map", sigma, sigma == 0.05) == tiny("map", 0.05, sigma > 0.0) == ()


def test_absurd_weights_and_fluxes_of_few_pixels_come_first(tmp_path):
    path = write_galaxy(tmp_path)
    weights, image = np.full(SHAPE, 400.0), VALUES.copy()
    weights[4, 5:8], image.flat[:2] = 9.969e36, 1e20
    write_maps(tmp_path / "weights.fits", {"data": weights}, GRID, ORIGIN)
    write_maps(tmp_path / "image.fits", {"data": image}, GRID, ORIGIN)
    replace(path, 'sigma = "sigma.fits"', 'ivar = "weights.fits"')
    image = 'kind = "image"\ndata = "image.fits"\nsigma = 0.1\nlight = "halpha"\npsf = {type = "Gaussian", fwhm = 0.5}'
    path.write_text(f"{path.read_text()}\n[observations.halpha]\n{image}\n")
    said = [one.text for one in read_config(path).findings if one.severity == "warning"]
    assert said[0].startswith("observations.metallicity.data: the errors of 3 of ")
    assert said[1].startswith("observations.halpha.data: 2 of 117 data lie beyond all others, as far as 1e+20")


def test_a_padded_image_is_said(tmp_path):
    path = write_galaxy(tmp_path)
    write_maps(tmp_path / "padded.fits", {"data": padded(-9999.0)}, GRID, ORIGIN)
    image = 'kind = "image"\ndata = "padded.fits"\nsigma = 0.1\nlight = "halpha"\npsf = {type = "Gaussian", fwhm = 0.5}'
    path.write_text(f"{path.read_text()}\n[observations.halpha]\n{image}\n")
    (said,) = [one for one in read_config(path).findings if one.severity == "warning" and "-9999" in one.text]
    assert said.text.startswith("observations.halpha.data: 4 of 117 data are -9999")
