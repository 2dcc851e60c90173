"""Configurations: what they become, and what is refused in one sentence that says where and what to do."""

import re

import numpy as np
import numpyro.distributions as dist
import pytest
from astropy.io import fits
from configured import CONFIG, GRID, ORIGIN, replace, write_galaxy
from scipy.signal import convolve

import jaxmetal as jm
from jaxmetal.edge.errors import InputError
from jaxmetal.io.config import read_config
from jaxmetal.model import tree

DATA = 'data = "metallicity.fits"'
SIGMA = 'sigma = "sigma.fits"'
PSF = '{type = "Gaussian", fwhm = 0.5}'
SLOPE = '{dist = "Normal", loc = 0.0, scale = 0.3}'
CENTRAL = '{dist = "Uniform", low = 7.0, high = 9.5}'
NOISE = 'noise = {type = "Gaussian", jitter = 0.01}'
LENS = '[lens.a]\ntype = "Tabulated"\nx = "small.fits"\ny = "small.fits"\nz_lens = 0.3\n'
PLANE = 'light = {type = "Picture", file = "halpha.fits", plane = "image"}'


@pytest.fixture
def path(tmp_path):
    return write_galaxy(tmp_path)


def test_numbers_are_fixed_and_priors_free(path):
    job = read_config(path)
    free = jm.sites(tree(job.scene, job.observations))
    assert [name.rsplit(".", 1)[-1] for name in free] == ["central", "slope"]
    assert free["scene.sources.disc.carries.metallicity.profile.slope"].scale == 0.3
    assert job.scene.sources["disc"].frame.q == 0.6
    assert job.settings["method"] == "laplace"
    assert job.kpc_per_arcsec == pytest.approx(6.104, abs=0.01)
    assert set(job.inputs) == {"configuration", "observations.metallicity.data", "observations.metallicity.sigma"}


def test_data_are_read_with_their_errors_and_place(path):
    job = read_config(path)
    observed = job.observations["metallicity"]
    assert observed.used.sum() == 9 * 13 - 4
    assert observed.noise.jitter == 0.01
    np.testing.assert_allclose(observed.noise.sigma, np.where(observed.used, 0.05, 1.0))
    np.testing.assert_allclose(observed.grid.matrix, GRID.matrix, atol=1e-8)
    np.testing.assert_allclose(observed.grid.origin, GRID.origin, atol=1e-6)
    assert job.origin.separation(ORIGIN).arcsec < 1e-6


def test_a_noise_inside_another_has_the_errors_of_the_file_too(path):
    inner = '{type = "Gaussian", jitter = 0.01}'
    replace(path, NOISE, f'noise = {{type = "EffectiveSamples", correlated_pixels = 4.0, noise = {inner}}}')
    noise = read_config(path).observations["metallicity"].noise
    assert noise.correlated_pixels == 4.0
    assert noise.noise.jitter == 0.01
    np.testing.assert_allclose(noise.noise.sigma[read_config(path).observations["metallicity"].used], 0.05)


def test_pixels_may_be_correlated(path):
    correlation = '{type = "GaussianCorrelation", fwhm = 2.0}'
    replace(path, NOISE, f'noise = {{type = "Correlated", noise = {{type = "Gaussian"}}, correlation = {correlation}}}')
    noise = read_config(path).observations["metallicity"].noise
    assert float(noise.correlation(np.array(0.0), np.array(1.0))) == pytest.approx(0.5)


SMOOTHING = np.exp(-0.5 * np.add.outer(np.arange(-3, 4) ** 2, np.arange(-3, 4) ** 2))


@pytest.mark.parametrize(("way", "table"), [("smoothing", SMOOTHING), ("covariance", convolve(SMOOTHING, SMOOTHING))])
def test_correlations_may_be_in_a_file(path, way, table):
    fits.writeto(path.parent / "table.fits", table)
    correlation = f'{{type = "KernelCorrelation", {way} = "table.fits"}}'
    replace(path, NOISE, f'noise = {{type = "Correlated", noise = {{type = "Gaussian"}}, correlation = {correlation}}}')
    noise = read_config(path).observations["metallicity"].noise
    # Smoothed by a Gaussian of radius 1 pixel, cut at 3, noise is alike at a distance d by exp(-d^2 / 4).
    assert float(noise.correlation(np.array(0.0), np.array(1.0))) == pytest.approx(np.exp(-0.25), abs=1e-3)
    replace(path, f'{way} = "table.fits"', 'smoothing = "table.fits", covariance = "table.fits"')
    with pytest.raises(InputError, match="correlation: expected one of covariance and smoothing"):
        read_config(path)


def test_a_noise_inside_another_has_a_value_in_every_bin(path):
    replace(path, DATA, 'data = "stepped.fits"\nbins = "labels.fits"')
    inner = '{type = "SplitNormal", lower = "stepped.fits", upper = "stepped.fits"}'
    replace(path, NOISE, f'noise = {{type = "EffectiveSamples", correlated_pixels = 4.0, noise = {inner}}}')
    replace(path, 'sigma = "sigma.fits"\n', "")
    noise = read_config(path).observations["metallicity"].noise
    np.testing.assert_array_equal(noise.noise.lower, [8, 9])


def test_the_sky_origin_may_be_stated(path):
    replace(path, "[galaxy]", "[sky]\nra = 150.1\ndec = 2.2002777777777778\n[galaxy]")
    np.testing.assert_allclose(
        read_config(path).observations["metallicity"].grid.origin - GRID.origin, [0, -1], atol=1e-5
    )


def test_pixels_without_world_coordinates(path):
    replace(path, DATA, 'data = "plain.fits"\npixel_scale = 0.25')
    assert float(read_config(path).observations["metallicity"].grid.pixel_area) == pytest.approx(0.0625)


def test_ties_starts_and_lists(path):
    replace(
        path, "q = 0.6", 'x0 = {dist = "Normal", scale = 0.1, tied = "c", start = 0.05}\ny0 = {tied = "c"}\nq = 0.6'
    )
    profile = '{type = "RadialNodes", radii = [0.0, 1.0], values = {dist = "Normal", loc = [8.5, 8.2], scale = 0.2}}'
    path.write_text(re.sub(r"profile = .*", lambda _: f"profile = {profile}", path.read_text()))
    job = read_config(path)
    free = jm.sites(tree(job.scene, job.observations))
    assert set(free) == {"c", "scene.sources.disc.carries.metallicity.profile.values"}
    assert free["scene.sources.disc.carries.metallicity.profile.values"].shape() == (2,)
    assert job.settings["start"] == {"c": 0.05}


@pytest.mark.parametrize("written", ["[{}, {}]", "{{seeing = {}, smoothing = {}}}"], ids=["list", "table"])
def test_sums_and_compositions_have_named_parts(path, written):
    one, other = ('{type = "Gaussian", fwhm = 0.4}', '{type = "Gaussian", fwhm = 0.3}')
    replace(path, PSF, f'{{type = "Composed", parts = {written.format(one, other)}}}')
    parts = f'{{a = {{type = "Gradient", central = 8.5, slope = {SLOPE}}}, b = {{type = "Constant", value = 0.1}}}}'
    path.write_text(re.sub(r"profile = .*", lambda _: f'profile = {{type = "Sum", parts = {parts}}}', path.read_text()))
    job = read_config(path)
    assert jm.instrument.psf.fwhm(job.observations["metallicity"].psf) == pytest.approx(0.5)
    assert list(jm.sites(job.scene)) == ["sources.disc.carries.metallicity.profile.parts.a.slope"]


FIELD = 'type = "Field", modes = 5, amplitude = {dist = "HalfNormal", scale = 0.1}, length = 0.5, extent = 2.0'


def with_field(path, field):
    parts = f'{{radial = {{type = "Gradient", central = 8.5, slope = {SLOPE}}}, rest = {{{field}}}}}'
    path.write_text(re.sub(r"profile = .*", lambda _: f'profile = {{type = "Sum", parts = {parts}}}', path.read_text()))
    return path


def test_a_field_is_given_by_its_number_of_modes(path):
    made = read_config(with_field(path, FIELD + ", nu = inf")).scene.sources["disc"].carries["metallicity"].profile
    assert made.parts["rest"].weights.shape() == (5, 5)
    assert (made.parts["rest"].nu, made.parts["rest"].length) == (np.inf, 0.5)


@pytest.mark.parametrize(
    ("field", "said"),
    [
        (FIELD.replace("modes = 5", "modes = 4"), "modes: expected an odd number from 1 to 41, found 4"),
        (FIELD + ", nu = -1.0", "nu: expected a number above 0, or inf"),
        (FIELD.replace("length = 0.5, ", ""), "length: expected a finite number or a prior"),
        (FIELD.replace("extent", "extend"), "did you mean 'extent'"),
    ],
)
def test_a_field_that_cannot_be_is_refused(path, field, said):
    with pytest.raises(InputError, match=said):
        read_config(with_field(path, field))


def test_a_property_from_a_map_of_the_sky(path):
    text = re.sub(r"profile = .*", 'profile = {type = "Tabulated", file = "halpha.fits"}', path.read_text())
    path.write_text(text)
    with pytest.raises(InputError, match="expected OnSky"):
        read_config(path)
    path.write_text(text.replace("profile =", 'frame = {type = "OnSky"}\nprofile ='))
    carried = read_config(path).scene.sources["disc"].carries["metallicity"]
    x, y = carried.profile.grid.to_sky(3.0, 2.0)
    assert carried.profile(x, y) == pytest.approx(carried.profile.values[2, 3])


def test_a_recipe_is_sized_by_the_data(path):
    text = path.read_text()
    image = '[observations.halpha]\nkind = "image"\ndata = "halpha.fits"\nsigma = 0.01\nlight = "halpha"\n'
    path.write_text(
        text[: text.index("[sources")] + f'{image}psf = {PSF}\n[recipe]\nname = "gradient"\nlight = "halpha"\n'
    )
    free = jm.sites(read_config(path).scene)
    assert isinstance(free["sources.disc.lights.halpha.r_eff"], dist.LogNormal)


@pytest.mark.parametrize(
    ("profile", "kind"), [('"Exponential"', "Exponential"), ('{type = "Sersic", n = 1.5}', "Sersic")]
)
def test_clumps_of_a_chosen_light(path, profile, kind):
    text = path.read_text()
    image = '[observations.halpha]\nkind = "image"\ndata = "halpha.fits"\nsigma = 0.01\nlight = "halpha"\n'
    recipe = f'[recipe]\nname = "clumps"\nimage = "halpha"\nnumber = 1\nprofile = {profile}\n'
    path.write_text(text[: text.index("[sources")] + f"{image}psf = {PSF}\n{recipe}")
    made = read_config(path).scene.sources["clump1"].lights["halpha"]
    assert type(made).__name__ == kind
    assert isinstance(made.flux, dist.LogNormal)
    for wrong in ('"Unweighted"', '{type = "Exponential", flux = 1.0}'):
        path.write_text(text[: text.index("[sources")] + f"{image}psf = {PSF}\n{recipe}".replace(profile, wrong))
        with pytest.raises(InputError, match=r"recipe\.profile: expected a light whose flux and r_eff are left"):
            read_config(path)


def test_bins_and_masks(path):
    labels = read_config(path).observations["metallicity"]
    assert labels.bins is None
    replace(path, DATA, 'data = "stepped.fits"\nbins = "labels.fits"')
    observed = read_config(path).observations["metallicity"]
    np.testing.assert_array_equal(observed.data, [8, 9])
    replace(path, 'bins = "labels.fits"', 'mask = "labels.fits"\nmask_means = "reject"')
    masked = read_config(path).observations["metallicity"]
    np.testing.assert_array_equal(masked.used, np.asarray(GRID.centres()[0]) < 0)


def test_the_example_names_only_known_keys(path):
    from jaxmetal.cli.example import EXAMPLE

    text = EXAMPLE.read_text().replace("metallicity_sigma.fits", "sigma.fits").replace('"halpha_sigma.fits"', "0.01")
    path.write_text(text)
    free = jm.sites(tree((job := read_config(path)).scene, job.observations))
    assert {"metallicity.noise.jitter", "halpha.sky.level", "scene.sources.disc.frame.q"} <= set(free)


BAD = {
    "no TOML": ("[galaxy]", "[galaxy", "no valid TOML"),
    "unknown section": ("[galaxy]", "[galaxi]", "did you mean 'galaxy'?"),
    "unknown key": ('mixing = "Dex"', 'mixign = "Dex"', "'mixign' is no known key; did you mean 'mixing'?"),
    "unknown key of a node": ("r_eff = 0.5", "reff = 0.5", "did you mean 'r_eff'?"),
    "unknown class": ('"Sersic"', '"Sersick"', "did you mean 'Sersic'?"),
    "unknown distribution": ('"Normal"', '"Norml"', "did you mean 'Normal'?"),
    "code as a distribution": ('"Normal"', "\"__import__('os')\"", "is none of"),
    "unknown parameter of a prior": ("loc = 0.0, scale", "mean = 0.0, scale", "'mean' is no known key"),
    "missing field": ("n = 1.0\n", "", "Sersic needs 'n'"),
    "missing light": ('weight = "halpha"', 'weight = "hbeta"', "'hbeta' is none of halpha; choose one."),
    "misspelt light": ('weight = "halpha"', 'weight = "Halpha"', "did you mean 'halpha'?"),
    "missing weight": ('weight = "halpha"', "", "weight: expected one of halpha"),
    "no prior, no number": (SLOPE, '"flat"', "expected a finite number or a prior"),
    "infinite number": ("q = 0.6", "q = inf", "finite number"),
    "table without dist": (SLOPE, "{loc = 0.0}", "a prior {dist = ...}"),
    "zero width": (CENTRAL, '{dist = "Uniform", low = 8.0, high = 8.0}', "no width"),
    "zero scale": ("scale = 0.3", "scale = 0.0", "a number above 0"),
    "bounds reversed": (CENTRAL, '{dist = "Uniform", low = 9.5, high = 7.0}', "reversed"),
    "start outside": ("high = 9.5}", "high = 9.5, start = 10.0}", "outside its prior"),
    "start of another shape": ("high = 9.5}", "high = 9.5, start = [8.0, 8.1]}", "outside its prior"),
    "tie without prior": (SLOPE, '{tied = "s"}', "Tie 's' has no distribution"),
    "missing file": (DATA, 'data = "nowhere.fits"', "does not exist"),
    "path of no file system": (DATA, 'data = "' + 300 * "x" + '.fits"', "does not exist; provide it"),
    "missing extension": (DATA, 'data = {file = "metallicity.fits", hdu = "SCI"}', 'no extension "SCI"'),
    "cube": (DATA, 'data = "cube.fits"', "3-D"),
    "all NaN": (DATA, 'data = "nothing.fits"', "NaN"),
    "no world coordinates": (DATA, 'data = "plain.fits"', "give a pixel scale"),
    "contradicting scales": (DATA, f"{DATA}\npixel_scale = 0.3", "contradicts the 0.2 arcsec"),
    "negative scale": (DATA, f"{DATA}\npixel_scale = -0.2", "above 0"),
    "no errors": (f"{SIGMA}\n", "", "noise"),
    "two kinds of errors": (SIGMA, f'{SIGMA}\nvariance = "sigma.fits"', "sigma and variance"),
    "errors of another shape": (SIGMA, 'sigma = "small.fits"', "(7, 5)"),
    "errors of zero": (SIGMA, 'sigma = "zero.fits"', "113 zero"),
    "negative errors": (SIGMA, "sigma = -0.05", "negative"),
    "bins of another shape": (DATA, f'{DATA}\nbins = "small.fits"', "(7, 5)"),
    "map varies in bins": (DATA, f'{DATA}\nbins = "labels.fits"', "one value per bin"),
    "mask without meaning": (DATA, f'{DATA}\nmask = "labels.fits"', "mask_means"),
    "even kernel": (PSF, '{type = "Kernel", file = "even.fits", includes_pixel = true}', "odd sides"),
    "kernel off centre": (PSF, '{type = "Kernel", file = "shifted.fits", includes_pixel = true}', "centred"),
    "kernel of what": (PSF, '{type = "Kernel", file = "shifted.fits"}', "'includes_pixel' is missing"),
    "PSF without width": (PSF, '{type = "Gaussian", fwhm = 0.0}', "psf.fwhm: expected a number within (0, inf)"),
    "PSF of negative width": (PSF, '{type = "Gaussian", fwhm = -0.5}', "psf.fwhm: expected a number within (0, inf)"),
    "axis ratio above 1": ("q = 0.6", "q = 5", "scene.sources.disc.frame.q: expected a number within (0, 1], found 5"),
    "negative axis ratio": ("q = 0.6", "q = -1", "found -1"),
    "negative size": ("r_eff = 0.5", "r_eff = -1", "lights.halpha.r_eff: expected a number within (0, inf)"),
    "Sersic index of 20": ("n = 1.0\n", "n = 20\n", "within [0.4, 8], found 20"),
    "negative scatter": ("jitter = 0.01", "jitter = -1", "metallicity.noise.jitter: expected a number within [0, inf)"),
    "PSF in milliarcsec": (PSF, '{type = "Gaussian", fwhm = 500.0}', "times as wide as the map"),
    "two kinds": (
        'kind = "map"',
        'kind = ["map"]',
        "kind: expected one of map, image, lines, line_fluxes, positions, found ['map']",
    ),
    "no PSF": (f"psf = {PSF}\n", "", "psf is missing: expected a table whose type is one of"),
    "deflection without its redshift": ("[sources.disc.frame]", f"{LENS}[sources.disc.frame]", "'z_map' is missing"),
    "recipe and sources": ("[sources.disc.frame]", '[recipe]\nname = "gradient"\n[sources.disc.frame]', "found both"),
    "no scene": (CONFIG[CONFIG.index("[sources") :], "", "found neither"),
    "recipe without a lens": (
        CONFIG[CONFIG.index("[sources") :],
        f'[recipe]\nname = "gradients"\n{PLANE}',
        "'gradient'?",
    ),
    "unknown method": ('"laplace"', '"emcee"', "is none of auto"),
    "no chains": ('method = "laplace"', "chains = 0", "fit.chains: expected a whole number above 0"),
    "seed of a half": ("seed = 1", "seed = 0.5", "fit.seed: expected a whole number"),
    "declination": ("[galaxy]", "[sky]\nra = 10\ndec = 100\n[galaxy]", "-90 to 90"),
    "redshift": ("z = 0.5", "z = -0.5", "above 0"),
}


def understand(path):
    """Reads and plans a fit."""
    job = read_config(path)
    jm.prepare(job.scene, job.observations)


@pytest.mark.parametrize("case", BAD)
def test_refused_in_one_sentence(path, case):
    old, new, words = BAD[case]
    replace(path, old, new)
    with pytest.raises(InputError) as refusal:
        understand(path)
    assert words in str(refusal.value)
    assert "\n" not in str(refusal.value)
    assert re.search(r"; .+[.?)]$", str(refusal.value)), str(refusal.value)


def test_what_is_suspicious_is_said(path):
    replace(path, PSF, '{type = "Gaussian", fwhm = 0.1}')
    replace(path, SIGMA, "variance = 0.05")
    text = " ".join(map(str, read_config(path).findings))
    assert "below a pixel" in text
