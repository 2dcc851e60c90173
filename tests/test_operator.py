"""What the operator must do whatever the scene: constants, ranges, scales, mixings, bins, kernels, derivatives."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.special import erf

import jaxmetal as jm
from jaxmetal.instrument import Composed, Gaussian, Kernel, Moffat
from jaxmetal.instrument.psf import FWHM_PER_SIGMA
from jaxmetal.model import log_likelihood
from jaxmetal.observation import Plan
from jaxmetal.prepare import default_sampling

pytestmark = pytest.mark.usefixtures("compile_quickly")

SHAPE = (13, 17)
STEP = 0.2  # arcsec
GRID = jm.Grid.regular(SHAPE, STEP)
BINS = jm.Bins(labels=np.add.outer(np.arange(13) // 4, 4 * (np.arange(17) // 5)), n=18)  # the last two are empty
seen = jax.jit(jm.predict)


def observation(psf, mixing=None, properties=("metallicity",), **settings):
    """A light-weighted map without data."""
    settings = {"data": 0.0, "noise": None, "grid": GRID, "used": True, **settings}
    return jm.WeightedMap(psf=psf, mixing=mixing or jm.mixing.Dex(), properties=properties, **settings)


def picture_of_light(psf, **settings):
    """An image without data."""
    return jm.Image(data=0.0, noise=None, grid=GRID, psf=psf, light="line", used=True, **settings)


def look(seeing, scene, **changes):
    """The prediction, everything computed inside one compiled function."""
    sampling = jm.Sampling(**{**vars(default_sampling(scene, seeing)), **changes})
    return seen(seeing, scene, Plan(sampling=sampling))


def source(central, slope=0.0, flux=1.0, n=1.0, r_eff=0.5, **frame):
    return jm.Source(
        frame=jm.frame.Disc(**{"x0": 0.07, "y0": -0.04, "q": 0.6, "pa": 25.0, **frame}),
        lights={"line": jm.light.Sersic(flux=flux, r_eff=r_eff, n=n)},
        carries={"metallicity": jm.Carried(profile=jm.tracer.Gradient(central=central, slope=slope), weight="line")},
    )


def alone(**numbers):
    return jm.Scene(sources={"disc": source(8.5, -0.4, **numbers)})


def pair(central=(7.6, 7.9), slope=0.0, flux=1.0, lens=None):
    """A disc and a compact companion to the West."""
    return jm.Scene(
        sources={
            "disc": source(central[0], slope, flux),
            "companion": source(central[1], slope, 0.5 * flux, n=2.5, r_eff=0.2, x0=0.9, y0=0.5),
        },
        lens=lens or {},
    )


def sampled(fwhm, step, half, includes_pixel, squeeze=1.0):
    """A Gaussian as a kernel; `squeeze` narrows it along x, and a tail to one side makes it asymmetric."""
    offset = np.arange(-half, half + 1) * step
    values = np.exp(-0.5 * (offset[:, None] ** 2 + (offset / squeeze) ** 2) * (FWHM_PER_SIGMA / fwhm) ** 2)
    if squeeze != 1.0:
        values[:, half + 1 :] *= 1.5
    return Kernel(values=values / values.sum(), step=step, includes_pixel=includes_pixel)


PSFS = {
    "gaussian": Gaussian(fwhm=0.5),
    "effective": Gaussian(fwhm=0.5, includes_pixel=True),
    "moffat": Moffat(fwhm=0.6, beta=2.8),
    "composed": Composed(parts=(Moffat(fwhm=0.4, beta=4.0), Gaussian(fwhm=0.3))),
    "kernel": sampled(0.5, STEP, 5, True, squeeze=0.7),
    "fine_kernel": sampled(0.5, STEP / 3, 12, False, squeeze=0.7),
}
LENS = {
    "galaxy": jm.lens.SIE(theta_e=0.8, x0=-0.3, y0=0.2, q=0.7, pa=60.0),
    "field": jm.lens.Shear(gamma1=0.05, gamma2=-0.03),
}
SETTINGS = {
    **{name: (psf, {}, None, {}) for name, psf in PSFS.items()},
    "lensed": (PSFS["gaussian"], {}, LENS, {}),
    "binned": (PSFS["gaussian"], {"bins": BINS}, None, {}),
    "bare": (PSFS["gaussian"], {}, None, {"oversampling": 5, "margin": 0, "core_size": 0.0}),
}


@pytest.mark.parametrize("name", SETTINGS)
def test_a_blend_is_a_convex_mean_that_knows_no_units(name):
    psf, binning, lens, sampling = SETTINGS[name]
    seeing = observation(psf, **binning)
    constant = look(seeing, pair((8.37, 8.37), lens=lens), **sampling).value
    assert np.max(np.abs(constant - 8.37)) < 1e-6
    two = look(seeing, pair(lens=lens), **sampling).value
    assert np.min(two) >= 7.6
    assert np.max(two) <= 7.9
    assert np.ptp(two) > 0.15
    graded = look(seeing, pair(slope=-0.3, lens=lens), **sampling).value
    shifted = look(seeing, pair((8.6, 8.9), slope=-0.3, lens=lens), **sampling).value
    np.testing.assert_allclose(shifted, graded + 1.0, rtol=0, atol=1e-9)
    for flux in (1e6, 1e-6):
        scaled = look(seeing, pair(slope=-0.3, flux=flux, lens=lens), **sampling).value
        np.testing.assert_allclose(scaled, graded, rtol=0, atol=1e-9)


FINE, MARGIN = 6, 10
"""Samples per pixel and pixels around the frame, of the sums that check the mixings."""


def fine_axes():
    """Sample positions in pixels, along rows and along columns."""
    return [(np.arange((n + 2 * MARGIN) * FINE) + 0.5) / FINE - 0.5 - MARGIN for n in SHAPE]


def fine_sky():
    """The same on the sky: x and y in arcsec."""
    row, column = ((axis - (n - 1) / 2) * STEP for axis, n in zip(fine_axes(), SHAPE, strict=True))
    return np.meshgrid(column, row)


def brute_force(values, fwhm):
    """O[f] by plain sums over samples of f and exact pixel integrals of the PSF."""
    sigma = fwhm / FWHM_PER_SIGMA / STEP
    along_y, along_x = (
        np.diff(erf((np.arange(n + 1)[:, None] - 0.5 - axis) / (np.sqrt(2) * sigma)), axis=0) / 2
        for n, axis in zip(SHAPE, fine_axes(), strict=True)
    )
    return along_y @ values @ along_x.T * (STEP / FINE) ** 2


def plane(u, v, *, centre, west, north):
    """A user's own function."""
    return centre + west * u + north * v


METALLICITY = {"centre": 8.4, "west": 0.3, "north": -0.2}
VELOCITY, WIDTH = {"centre": 30.0, "west": 80.0, "north": -25.0}, {"centre": 40.0, "west": 3.0, "north": 6.0}
MIXED = {
    "linear": (jm.mixing.Linear(), [METALLICITY], lambda mean, p: mean(p)),
    "dex": (jm.mixing.Dex(), [METALLICITY], lambda mean, p: np.log10(mean(10**p))),
    "magnitude": (jm.mixing.Magnitude(), [METALLICITY], lambda mean, p: -2.5 * np.log10(mean(10 ** (-0.4 * p)))),
    "second_moment": (
        jm.mixing.SecondMoment(),
        [VELOCITY, WIDTH],
        lambda mean, v, s: np.sqrt(mean(s**2 + v**2) - mean(v) ** 2),
    ),
}


@pytest.mark.parametrize("name", MIXED)
def test_mixings_equal_brute_force(name):
    mixing, planes, formula = MIXED[name]
    profiles = {f"p{k}": jax.tree_util.Partial(plane, **numbers) for k, numbers in enumerate(planes)}
    scene = jm.Scene(
        sources={
            "disc": jm.Source(
                frame=jm.frame.Disc(x0=0.1),
                lights={"line": jm.light.Gaussian(flux=1.0, r_eff=0.6)},
                carries={
                    key: jm.Carried(profile=profile, weight="line", frame=jm.frame.OnSky())
                    for key, profile in profiles.items()
                },
            )
        }
    )
    found = look(observation(Gaussian(fwhm=0.5), mixing, tuple(profiles)), scene)
    x, y = fine_sky()
    light = np.log(2) / (np.pi * 0.6**2) * np.exp(-np.log(2) * ((x - 0.1) ** 2 + y**2) / 0.6**2)
    expected = formula(
        lambda values: brute_force(light * values, 0.5) / brute_force(light, 0.5),
        *(plane(x, y, **numbers) for numbers in planes),
    )
    np.testing.assert_allclose(found.value, expected, rtol=2e-5)
    np.testing.assert_allclose(found.light, brute_force(light, 0.5), rtol=1e-4)


def test_bins_add_up_before_the_ratio():
    scene, mixing = pair(slope=-0.4), jm.mixing.Dex()
    pixels = look(observation(PSFS["gaussian"], mixing), scene)
    bins = look(observation(PSFS["gaussian"], mixing, bins=BINS), scene)
    total = lambda values: np.bincount(BINS.labels.ravel(), np.ravel(values), minlength=18)  # noqa: E731
    light, numerator = total(pixels.light), total(pixels.light * 10 ** np.asarray(pixels.value))
    np.testing.assert_allclose(bins.light, light, rtol=1e-12)
    np.testing.assert_allclose(bins.value[:16], np.log10(numerator[:16] / light[:16]), rtol=1e-12)
    assert np.all(np.isfinite(bins.value[16:]))


def test_the_sky_is_a_plane_under_the_light():
    image = look(picture_of_light(PSFS["gaussian"], sky=jm.Sky(level=0.3, x_slope=0.02, y_slope=-0.05)), pair())
    row, column = np.indices(SHAPE)
    expected = 0.3 + 0.02 * STEP * (column - 8) - 0.05 * STEP * (row - 6)
    np.testing.assert_allclose(image.value - image.light, expected, atol=1e-12)


def test_registration_moves_the_scene_the_other_way():
    moved = look(observation(PSFS["gaussian"], dx=0.05, dy=-0.11), alone(x0=0.07, y0=-0.04))
    placed = look(observation(PSFS["gaussian"], dx=0.0, dy=0.0), alone(x0=0.02, y0=0.07))
    for found, expected in zip(moved, placed, strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-9)


def close(found, expected, *, light, dex):
    """Light within a relative error and the map within an absolute one, where light exceeds 1 % of its peak."""
    bright = expected.light > 1e-2 * expected.light.max()
    np.testing.assert_allclose(found.light[bright], expected.light[bright], rtol=light)
    np.testing.assert_allclose(found.value[bright], expected.value[bright], rtol=0, atol=dex)


@pytest.mark.parametrize(("includes_pixel", "oversampling"), [(False, 3), (True, 2)])
def test_both_routes_are_one_operator(includes_pixel, oversampling):
    scene, seeing = alone(), observation(Gaussian(fwhm=0.5, includes_pixel=includes_pixel))
    separable = look(seeing, scene, oversampling=oversampling)
    close(look(seeing, scene, oversampling=oversampling, route="fft"), separable, light=1e-4, dex=1e-4)


@pytest.mark.parametrize(
    ("cells", "includes_pixel", "light", "dex"), [(1, True, 6e-3, 2e-2), (1, False, 6e-3, 2e-2), (3, False, 1e-4, 1e-4)]
)
def test_a_sampled_gaussian_is_the_gaussian(cells, includes_pixel, light, dex):
    """At 2.5 pixels FWHM; kernels with a cell per pixel are coarse, but apply the pixel once."""
    scene = alone()
    kernel = observation(sampled(0.5, STEP / cells, 7 * cells, includes_pixel))
    analytic = observation(Gaussian(fwhm=0.5, includes_pixel=includes_pixel))
    close(look(kernel, scene, margin=7), look(analytic, scene, margin=7), light=light, dex=dex)


def test_the_pixel_is_applied_once_or_not_at_all():
    """A pixel adds 1/12 pixel^2 to the variance of the image of a compact light along each axis."""
    scene = jm.Scene(sources={"disc": source(8.5, r_eff=0.05, x0=0.0, y0=0.0, q=1.0)})
    column = np.arange(17) - 8

    def variance(includes_pixel):
        light = look(picture_of_light(Gaussian(fwhm=0.5, includes_pixel=includes_pixel)), scene).light
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


def test_a_blurred_picture_gets_the_difference_kernel():
    """A picture of a Gaussian, in the image plane behind a lens, already blurred to 0.3 arcsec."""
    light = jm.light.Gaussian(flux=1.0, r_eff=0.5)
    own = Gaussian(fwhm=0.3)
    grid = jm.Grid.regular((191, 207), 0.025)
    x, y = grid.centres()
    half_width = np.sqrt(0.5**2 + 2 * np.log(2) * (0.3 / FWHM_PER_SIGMA) ** 2)
    values = np.asarray(jm.light.Gaussian(flux=1.0, r_eff=half_width)(x, y))
    frame = jm.frame.Disc()
    carries = {"metallicity": jm.Carried(profile=jm.tracer.Constant(value=8.5), weight="line")}

    def scene(light, **lens):
        return jm.Scene(sources={"disc": jm.Source(frame=frame, lights={"line": light}, carries=carries)}, **lens)

    pictured = scene(jm.light.Picture(values=values, grid=grid, plane="image", psf=own), lens=LENS)
    plan = Plan(sampling=jm.Sampling(oversampling=4, margin=4))
    found = seen(observation(Gaussian(fwhm=0.6)), pictured, plan)
    close(found, look(observation(Gaussian(fwhm=0.6)), scene(light)), light=3e-3, dex=1e-6)
    with pytest.raises(jm.InputError, match="blurred more"):
        jm.prepare(pictured, {"map": observation(Gaussian(fwhm=0.25))})


CORNERS = {
    "round": {"q": 1.0},
    "flat": {"slope": 0.0},
    "gaussian": {"n": 0.5},
    "cuspy": {"n": 8.0},
    "dark": {"flux": 0.0},
    "faint": {"flux": 1e-200},
    "all": {"q": 1.0, "slope": 0.0, "n": 8.0, "flux": 0.0},
}


@jax.jit
def slopes(scene, seeing, plan):
    """Value and gradient, with respect to every number of the scene, of a sum over the map."""

    def total(scene):
        value, light = jm.predict(seeing, scene, plan)
        return jnp.sum(jnp.sin(value)) + jnp.sum(light)

    return jax.value_and_grad(total)(scene)


@pytest.mark.parametrize("core_size", [0.0, 2.5])
def test_value_and_gradient_are_finite_in_every_corner(core_size):
    """The centre lies on the middle of a pixel, and, three samples to a pixel, on a sample."""
    plan = Plan(sampling=jm.Sampling(oversampling=3, margin=2, core_size=core_size, core_nodes=(8, 8)))
    for corner in CORNERS.values():
        frame = {"x0": 0.0, "y0": 0.0, "q": corner.get("q", 0.6)}
        numbers = {"slope": -0.3, "n": 1.0, "flux": 1.0, **{k: v for k, v in corner.items() if k != "q"}}
        scene = jm.Scene(sources={"disc": source(8.5, **numbers, **frame)})
        for leaf in jax.tree.leaves(slopes(scene, observation(PSFS["gaussian"], bins=BINS), plan)):
            assert np.all(np.isfinite(leaf)), corner


def test_unused_pixels_may_hold_anything():
    """NaN in data and sigma under the mask changes neither the log-likelihood nor its gradient."""
    scene = pair(slope=-0.3)
    plan = Plan(sampling=jm.Sampling(margin=2))
    used = np.ones(SHAPE, bool)
    used[3:6, 10:] = False

    @jax.jit
    def density(scene, data, sigma):
        seeing = observation(PSFS["gaussian"], data=data, noise=jm.likelihood.Gaussian(sigma=sigma), used=used)
        return jax.value_and_grad(lambda scene: log_likelihood({"scene": scene, "map": seeing}, {"map": plan}))(scene)

    clean = density(scene, np.full(SHAPE, 7.7), np.full(SHAPE, 0.1))
    dirty = density(scene, np.where(used, 7.7, np.nan), np.where(used, 0.1, np.nan))
    for a, b in zip(jax.tree.leaves(clean), jax.tree.leaves(dirty), strict=True):
        assert np.all(np.isfinite(b))
        np.testing.assert_array_equal(a, b)
