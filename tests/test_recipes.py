"""Observations from arrays, priors from data, simulated galaxies: what they return and what they refuse."""

import re

import jax
import numpy as np
import numpyro.distributions as dist
import pytest
from compiled import predict

import jaxmetal as jm
from jaxmetal.edge.errors import InputError
from jaxmetal.instrument import Gaussian, Kernel

SHAPE = (7, 11)
PSF = Gaussian(fwhm=0.5)
VALUES = np.random.default_rng(1).normal(8.5, 0.1, SHAPE)
LABELS = np.repeat([[0, 0, 0, 4, 4, 4, 4, 7, 7, -1, -1]], 7, axis=0)
NUMBERED = np.select([LABELS == 0, LABELS == 4, LABELS == 7], [0, 1, 2], -1)
BINNED = np.select([LABELS == 0, LABELS == 4, LABELS == 7], [8.7, 8.5, 8.3], np.nan)


def observed(values=VALUES, **changes):
    given = {"sigma": 0.1, "pixel_scale": 0.2, "psf": PSF, **changes}
    return jm.recipes.metallicity_map(values, **{name: v for name, v in given.items() if v is not None})


IMAGES = {"Hb": np.ones(SHAPE), "OIII5007": np.ones(SHAPE)}
FAMILIES = (["a", "a"], [0.0, 1.0], [1.0, 0.0])


def image(**keywords):
    return jm.recipes.light_image(VALUES, light="h", psf=PSF, sigma=0.1, pixel_scale=0.2, **keywords)


def lines(**keywords):
    emission = jm.lines.emission(list(IMAGES), "C20")
    return jm.recipes.line_maps(IMAGES, emission, psf=PSF, sigma=0.1, pixel_scale=0.2, **keywords)


def places(**keywords):
    return jm.recipes.multiple_images(*FAMILIES, sigma=0.1, **keywords)


@pytest.mark.parametrize(
    ("make", "names"),
    [
        (observed, ("jitter", "dx", "dy")),
        (image, ("jitter", "dx", "dy")),
        (lines, ("jitter", "scale", "dx", "dy")),
        (places, ("jitter",)),
    ],
)
def test_numbers_that_cannot_be_are_refused_where_they_are_given(make, names):
    for name in names:
        free = dist.Normal(1.0, 0.1)
        for given in (free, 1.0, jm.Tied("own", free)):
            made = make(**{name: given})
            assert given in [
                getattr(holder, name, None) for holder in (made, made.noise, getattr(made, "pointing", None))
            ]
        wrong = {np.nan: "found nan", "much": "found str"} | ({} if name in ("dx", "dy") else {-1.0: "found -1"})
        for value, said in wrong.items():
            with pytest.raises(InputError, match=f"^{name}: expected .*{said}"):
                make(**{name: value})
    with pytest.raises(InputError, match=r"^jitter: expected a number within \[0, inf\), found -0.1"):
        make(jitter=np.array([0.1, -0.1]))


def test_a_noise_that_cannot_be_is_refused():
    noise = jm.likelihood.Gaussian(sigma=0.1, jitter=-1.0)
    with pytest.raises(InputError, match=r"^noise\.jitter: expected a number within"):
        observed(sigma=None, noise=noise)


def changed(array, where, value):
    copy = np.array(array, float)
    copy[where] = value
    return copy


def test_what_is_not_finite_is_not_used():
    sigma = changed(np.full(SHAPE, 0.1), (0, 0), np.nan)
    made = observed(changed(VALUES, ([0, 2], [0, 5]), np.nan), sigma=sigma)
    assert (~made.used).sum() == 2
    assert not made.used[0, 0]
    assert np.isfinite(made.data).all()
    assert np.isfinite(made.noise.sigma).all()


@pytest.mark.parametrize(("name", "power"), [("sigma", 1), ("variance", 2), ("ivar", -2)])
def test_errors_in_three_ways(name, power):
    sigma = np.linspace(0.05, 0.2, 77).reshape(SHAPE)
    made = observed(**{"sigma": None, name: sigma**power})
    np.testing.assert_allclose(made.noise.sigma, sigma)


def test_no_weight_means_no_datum():
    made = observed(sigma=None, ivar=changed(np.full(SHAPE, 100.0), (3, 4), 0.0))
    assert not made.used[3, 4]
    assert made.used.sum() == 76
    assert observed(np.ma.masked_greater(VALUES, 8.6)).used.sum() == (VALUES <= 8.6).sum()


def test_maps_that_are_constant_in_bins_become_vectors():
    made = observed(BINNED, sigma=np.where(LABELS == 4, 0.2, 0.1), bins=LABELS)
    np.testing.assert_allclose(made.data, [8.7, 8.5, 8.3])
    np.testing.assert_allclose(made.noise.sigma, [0.1, 0.2, 0.1])
    assert made.bins.n == 3
    np.testing.assert_array_equal(np.unique(made.bins.labels), [-1, 0, 1, 2])
    again = observed(np.array([8.7, np.nan, 8.3]), bins=made.bins)
    np.testing.assert_array_equal(again.used, [True, False, True])


def test_bins_without_a_pixel_are_not_used():
    bins = jm.Bins(labels=NUMBERED, n=4)
    empty = observed(np.array([8.7, 8.5, 8.3, np.nan]), bins=bins)
    np.testing.assert_array_equal(empty.used, [True, True, True, False])
    emission = jm.lines.emission(list(IMAGES), "C20")
    with pytest.raises(InputError, match="found none in 1 of them, the first bin 3"):
        jm.recipes.line_maps(
            dict.fromkeys(IMAGES, np.ones(4)), emission, psf=PSF, sigma=0.1, pixel_scale=0.2, bins=bins
        )


def test_jitter_may_be_free():
    assert list(jm.sites(observed(jitter=dist.HalfNormal(0.1)))) == ["noise.jitter"]


BAD = {
    "one-dimensional": ({"values": VALUES[0]}, "2-D array"),
    "three-dimensional": ({"values": VALUES[None]}, "(1, 7, 11)"),
    "all NaN": ({"values": np.full(SHAPE, np.nan)}, "found none"),
    "text": ({"values": np.full(SHAPE, "x")}, "real numbers"),
    "sigma of another shape": ({"sigma": np.ones((11, 7))}, "found (11, 7)"),
    "sigma zero": ({"sigma": changed(np.ones(SHAPE), (1, 1), 0.0)}, "found 1 zero among 77"),
    "sigma negative": ({"sigma": -0.1}, "found 77 negative"),
    "sigma NaN": ({"sigma": changed(np.ones(SHAPE), (1, 1), np.nan)}, "found 1 NaN among 77"),
    "no errors": ({"sigma": None}, "found none"),
    "two kinds of errors": ({"variance": 0.01}, "sigma and variance"),
    "negative variance": ({"sigma": None, "variance": -1.0}, "found 77 negative"),
    "errors twice": ({"noise": jm.likelihood.Gaussian(sigma=0.1)}, "found both"),
    "no noise": ({"sigma": None, "noise": 0.1}, "a noise of jaxmetal.likelihood"),
    "no pixels": ({"pixel_scale": None}, "found neither"),
    "pixels twice": ({"grid": jm.Grid.regular(SHAPE, 0.2)}, "found both"),
    "another grid": ({"pixel_scale": None, "grid": jm.Grid.regular((11, 7), 0.2)}, "(11, 7)"),
    "negative pixels": ({"pixel_scale": -0.2}, "positive number of arcsec"),
    "mask of numbers": ({"used": np.ones(SHAPE)}, "booleans"),
    "mask of another shape": ({"used": np.ones((11, 7), bool)}, "used: expected the shape (7, 11)"),
    "mask without pixels": ({"used": np.zeros(SHAPE, bool)}, "at least one True"),
    "nothing left": ({"used": np.arange(77).reshape(SHAPE) < 1, "values": changed(VALUES, 0, np.nan)}, "usable"),
    "PSF as a number": ({"psf": 0.7}, "psf: expected a PSF"),
    "PSF without width": ({"psf": Gaussian(fwhm=0.0)}, "psf.fwhm: expected a number within (0, inf)"),
    "even kernel": ({"psf": Kernel(values=np.full((4, 4), 1 / 16), step=0.2, includes_pixel=True)}, "odd"),
    "kernel sum": ({"psf": Kernel(values=np.ones((3, 3)), step=0.2, includes_pixel=True)}, "sums to 1, found 9"),
    "kernel NaN": ({"psf": Kernel(values=np.full((3, 3), np.nan), step=0.2, includes_pixel=True)}, "finite"),
    "bins of another shape": ({"bins": LABELS.T}, "bins: expected the shape (7, 11)"),
    "bins with fractions": ({"bins": LABELS + 0.5}, "whole numbers"),
    "no bins": ({"bins": np.full(SHAPE, -1)}, "0 or more"),
    "bins from 1": ({"values": np.ones(3), "bins": jm.Bins(labels=NUMBERED + 1, n=3)}, "n = 3, found 0 to 3"),
    "more bins than n": ({"values": np.ones(2), "bins": jm.Bins(labels=NUMBERED, n=2)}, "n = 2, found -1 to 2"),
    "fewer bins than n": ({"values": np.ones(4), "bins": jm.Bins(labels=NUMBERED, n=4)}, "the first bin 3"),
    "bins of floats": ({"values": np.ones(3), "bins": jm.Bins(labels=1.0 * NUMBERED, n=3)}, "integers, found float64"),
    "a flat list of bins": ({"values": np.ones(3), "bins": jm.Bins(labels=np.arange(3), n=3)}, "of shape (3,)"),
    "no number of bins": ({"values": np.ones(3), "bins": jm.Bins(labels=NUMBERED, n=3.0)}, "n of bins"),
    "below no bin": ({"values": np.ones(3), "bins": jm.Bins(labels=NUMBERED - 1, n=3)}, "found -2 to 1"),
    "map varies in its bins": ({"bins": LABELS}, "in bin"),
    "too few values": ({"values": np.ones(2), "bins": LABELS}, "each of the 3 bins, found 2"),
}


@pytest.mark.parametrize("case", BAD)
def test_refused_in_one_sentence(case):
    changes, words = BAD[case]
    with pytest.raises(InputError) as refusal:
        observed(**changes)
    assert words in str(refusal.value)
    assert re.fullmatch(r"[^\n]+; [^\n]+\.?", str(refusal.value))


# Priors


@pytest.fixture(scope="module")
def galaxy():
    return jm.simulate.niriss_like(3, (29, 35), slope=-0.25, r_eff=0.5)


def test_an_image_tells_where_the_galaxy_lies(galaxy):
    guess = jm.recipes.guess_from_image(galaxy.observations["halpha"])
    frame = galaxy.truth.sources["disc"].frame
    assert np.hypot(guess.x0 - frame.x0, guess.y0 - frame.y0) < 0.02
    assert abs(guess.pa - frame.pa) < 5
    assert abs(guess.q - frame.q) < 0.1
    assert 0.5 < guess.r_eff / 0.5 < 1.2


@pytest.mark.parametrize("sky", [0.0, -0.15])
def test_noise_does_not_make_a_faint_galaxy_large(sky):
    """An exponential disc of r_eff 0.3 arcsec and S/N 14 in a frame of 5 by 4 arcsec: most of it is noise."""
    y, x = (np.indices((41, 51)) - np.array([20, 25])[:, None, None]) * 0.1
    light = np.exp(-1.678 * np.sqrt(x**2 + y**2 + 0.02) / 0.3)
    far = []
    for seed in range(20):
        data = 150.0 * light / light.sum() + sky + np.random.default_rng(seed).normal(size=x.shape)
        image = jm.recipes.light_image(data, light="halpha", sigma=1.0, pixel_scale=0.1, psf=Gaussian(fwhm=0.2))
        free = jm.sites(jm.recipes.gradient(observed(), light=image, free_geometry=True))
        size, flux = (free[f"sources.disc.lights.halpha.{name}"] for name in ("r_eff", "flux"))
        far.append(abs(size.loc - np.log(0.3)) / size.scale)
        assert abs(flux.loc - np.log(150.0)) < flux.scale
        assert np.hypot(free["sources.disc.frame.x0"].loc, free["sources.disc.frame.y0"].loc) < 0.3
    assert np.sum(np.array(far) > 2.0) <= 1


@pytest.mark.parametrize("recipe", ["gradient", "broken_gradient"])
def test_priors_hold_the_truth_and_are_open_on_both_sides(galaxy, recipe):
    made = getattr(jm.recipes, recipe)(
        galaxy.observations["metallicity"], light=galaxy.observations["halpha"], free_geometry=True
    )
    free = jm.sites(made)
    slopes = [prior for name, prior in free.items() if name.rsplit(".", 1)[-1] in ("slope", "inner", "outer")]
    assert len(slopes) == (1 if recipe == "gradient" else 2)
    assert all(prior.support is dist.constraints.real and prior.loc == 0.0 for prior in slopes)
    pa = free["sources.disc.frame.pa"]
    assert pa.high - pa.low == pytest.approx(180.0)
    central = free["sources.disc.carries.metallicity.profile.central"]
    assert abs(central.loc - 8.6) < central.scale
    jm.prepare(made, galaxy.observations)


def test_a_property_in_another_unit_has_priors_of_its_own_size(galaxy):
    """A map of velocities from -200 to 200 km/s: within 0.5 km/s of the median its gradient could not be."""
    values = np.broadcast_to(np.linspace(-200.0, 200.0, 35), (20, 35))
    velocity = jm.recipes.weighted_map(
        values,
        properties=("velocity",),
        mixing=jm.mixing.Linear(unit="km/s"),
        sigma=10.0,
        pixel_scale=0.1,
        psf=Gaussian(fwhm=0.2),
    )
    free = jm.sites(jm.recipes.gradient(velocity, light=jm.light.Exponential(flux=1.0, r_eff=0.5)))
    central, slope = free.values()
    np.testing.assert_allclose([central.scale, slope.scale * 0.5], 390.0, rtol=0.03)


def test_a_known_light_leaves_the_gradient_free(galaxy):
    light = jm.light.Exponential(flux=1.0, r_eff=0.5)
    free = jm.sites(jm.recipes.gradient(galaxy.observations["metallicity"], light=light))
    assert [name.rsplit(".", 1)[-1] for name in free] == ["central", "slope"]


def test_clumps_are_found_where_they_are():
    grid = jm.Grid.regular((31, 37), 0.1)
    x, y = grid.centres()
    places = [(-1.0, -0.6), (0.9, -0.2), (0.2, 0.9)]
    image = sum((3 - k) * np.exp(-((x - a) ** 2 + (y - b) ** 2) / 0.05) for k, (a, b) in enumerate(places))
    shown = jm.recipes.light_image(np.asarray(image), light="halpha", sigma=0.01, grid=grid, psf=Gaussian(fwhm=0.3))
    carried = jm.recipes.metallicity_map(np.full((31, 37), 8.4), sigma=0.1, grid=grid, psf=Gaussian(fwhm=0.3))
    free = jm.sites(jm.recipes.clumps(carried, image=shown))
    for k, (a, b) in enumerate(places, start=1):
        assert abs(free[f"sources.clump{k}.frame.x0"].loc - a) < 0.1
        assert abs(free[f"sources.clump{k}.frame.y0"].loc - b) < 0.1
    discs = jm.recipes.clumps(carried, image=shown, profile=jm.light.Exponential)
    assert jm.sites(discs).keys() == free.keys()
    lights = {type(source.lights["halpha"]) for source in discs.sources.values()}
    assert lights == {jm.light.Exponential}
    empty = jm.recipes.light_image(
        np.full((31, 37), -1.0), light="halpha", sigma=0.1, grid=grid, psf=Gaussian(fwhm=0.3)
    )
    with pytest.raises(InputError, match="0 separate bright peaks"):
        jm.recipes.clumps(carried, image=empty)


def test_a_lensed_galaxy_is_found_in_the_source_plane():
    lens = {"main": jm.lens.SIE(theta_e=1.0)}
    grid = jm.Grid.regular((41, 45), 0.1)
    x, y = grid.centres()
    ax, ay = lens["main"](x, y)
    seen = np.asarray(np.exp(-(((x - ax) - 0.1) ** 2 + ((y - ay) + 0.15) ** 2) / (2 * 0.1**2)))
    picture = jm.light.Picture(values=seen, grid=grid, plane="image")
    carried = jm.recipes.metallicity_map(np.where(seen > 0.1, 8.5, np.nan), sigma=0.1, grid=grid, psf=PSF)
    free = jm.sites(jm.recipes.lensed_gradient(carried, light=picture, lens=lens))
    assert abs(free["sources.disc.frame.x0"].loc - 0.1) < 0.03
    assert abs(free["sources.disc.frame.y0"].loc + 0.15) < 0.03
    with pytest.raises(InputError, match="Picture"):
        jm.recipes.lensed_gradient(carried, light=jm.light.Exponential(flux=1.0, r_eff=0.5), lens=lens)


def test_an_image_without_a_galaxy_is_refused(galaxy):
    noise = jm.recipes.light_image(np.zeros((29, 35)), light="halpha", sigma=1.0, pixel_scale=0.1, psf=PSF)
    with pytest.raises(InputError, match="nothing brighter than its noise"):
        jm.recipes.gradient(galaxy.observations["metallicity"], light=noise)


# Simulations


def test_noise_has_the_stated_size_and_follows_the_seed(galaxy):
    again = jm.simulate.niriss_like(3, (29, 35), slope=-0.25, r_eff=0.5).observations["halpha"].data
    np.testing.assert_array_equal(galaxy.observations["halpha"].data, again)
    plans = jm.prepare(galaxy.truth, galaxy.observations)
    for name, observation in galaxy.observations.items():
        model = predict(observation, galaxy.truth, plans[name]).value
        scaled = ((observation.data - model) / observation.noise.sigma)[observation.used]
        assert abs(np.std(scaled) - 1.0) < 4 / np.sqrt(2 * scaled.size)
        assert abs(np.mean(scaled)) < 4 / np.sqrt(scaled.size)


def test_a_prior_cannot_be_simulated(galaxy):
    prior = jm.recipes.gradient(galaxy.observations["metallicity"], light=galaxy.observations["halpha"])
    with pytest.raises(InputError, match="fill the prior first"):
        jm.simulate.draw(prior, galaxy.observations, jax.random.key(0))


def test_fluctuations_have_the_stated_covariance():
    keys = jax.random.split(jax.random.key(2), 40)
    tables = np.stack([jm.simulate.random_field(k, extent=3.0, step=0.1, sigma=0.2, length=0.5).values for k in keys])
    assert tables.shape == (40, 61, 61)
    assert np.mean(tables**2) == pytest.approx(0.04, rel=0.1)
    lag = np.mean(tables[:, :, 5:] * tables[:, :, :-5])
    assert lag == pytest.approx(0.04 * np.exp(-1.0), rel=0.15)
    far = np.mean(tables[:, :, :5] * tables[:, :, -5:])
    assert abs(far) < 0.15 * 0.04
