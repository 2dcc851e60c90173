"""Maps and the point-spread function on the source's plane, against brute force and photons."""

import os
from pathlib import Path

import numpy as np
import pytest
from photons import fitted_axes

import jaxmetal as jm
from jaxmetal import sourceplane
from jaxmetal.instrument.forms import FWHM_PER_SIGMA

DATA = Path(__file__).parents[2] / "shared" / "data"
GRID = jm.Grid.regular((44, 52), 0.12)
LENS = jm.lens.Plane(
    parts={"galaxy": jm.lens.SIE(theta_e=1.5, q=0.75, pa=30.0), "shear": jm.lens.Shear(gamma1=0.04, gamma2=0.02)}
)
CENTRE, SIGMA = (0.6, 0.35), 0.1
PHOTONS = 200_000 if os.environ.get("JAXMETAL_QUICK") else 1_000_000


def light(x, y):
    """A round Gaussian source of flux 1, per arcsec^2."""
    squared = (x - CENTRE[0]) ** 2 + (y - CENTRE[1]) ** 2
    return np.exp(-0.5 * squared / SIGMA**2) / (2.0 * np.pi * SIGMA**2)


@pytest.fixture(scope="module")
def lensed():
    """Flux per pixel behind the lens, by 5 x 5 samples in each, and labels of the images (0 where it is dark)."""
    part = (np.arange(5) - 2.0) / 5.0
    columns, rows = np.meshgrid(np.add.outer(np.arange(52), part).ravel(), np.add.outer(np.arange(44), part).ravel())
    beta = sourceplane.source_positions(LENS, *GRID.to_sky(columns, rows))
    flux = light(*beta).reshape(44, 5, 52, 5).mean(axis=(1, 3)) * 0.12**2
    images = jm.result.image_positions(LENS, *CENTRE, GRID)
    x, y = GRID.centres()
    nearest = np.argmin([np.hypot(x - a, y - b) for a, b in zip(images.x, images.y, strict=True)], axis=0)
    beta = sourceplane.source_positions(LENS, x, y)
    near = np.hypot(beta[0] - CENTRE[0], beta[1] - CENTRE[1]) < 5.0 * SIGMA
    return flux, np.where(near, nearest + 1, 0)


@pytest.fixture(scope="module")
def images(lensed):
    return sourceplane.of_images(LENS, GRID, lensed[1], 0.06)


def test_each_image_gives_the_flux_of_the_source(lensed, images):
    assert len(images) >= 2
    found = [float(one.flux(lensed[0])) for one in images.values()]
    np.testing.assert_allclose(found, 1.0, atol=0.01)
    magnified = [lensed[0][one.used].sum() for one in images.values()]
    assert min(magnified) > 2.0


def test_each_image_gives_the_same_map(lensed, images):
    x, y = next(iter(images.values())).grid.centres()
    truth = light(x, y) * 0.12**2
    for one in images.values():
        bright = truth > 0.2 * truth.max()
        there = np.where(one.coverage > 0.7, one.mean(lensed[0]), np.nan)
        assert np.isfinite(there[bright]).mean() > 0.9
        assert np.nanstd((there - truth)[bright]) < 0.08 * truth.max()  # image pixels are larger than the source's
    sigma = np.full(GRID.shape, 0.05 * truth.max())
    for chi in sourceplane.disagreement(images, lensed[0], sigma).values():
        assert np.nanmax(np.abs(chi)) < 5.0
    noise = np.random.default_rng(6).normal(0.0, 1.0, (30, *GRID.shape))
    chi = [sourceplane.disagreement(images, one, np.ones(GRID.shape))[1, 2] for one in noise]
    assert np.nanstd(chi) == pytest.approx(1.0, abs=0.05)


def test_errors_are_the_scatter_of_noise(images):
    one, random = images[1], np.random.default_rng(3)
    sigma = random.uniform(0.5, 2.0, GRID.shape)
    drawn = np.array([one.mean(random.normal(0.0, sigma)) for _ in range(400)])
    expected, there = one.error(sigma), one.coverage > 0.5
    np.testing.assert_allclose(np.std(drawn[:, there], axis=0) / expected[there], 1.0, atol=0.2)
    assert np.mean(np.std(drawn[:, there], axis=0) / expected[there]) == pytest.approx(1.0, abs=0.01)
    weights = one.weights @ random.normal(size=GRID.shape).ravel()
    assert weights.shape == (one.grid.shape[0] * one.grid.shape[1],)


def test_overlap_is_that_of_points_thrown_at_it():
    """Without a lens, a rotated image over the source's pixels: shares of 10^6 random points."""
    turned = jm.Grid(shape=(5, 6), origin=np.array([-0.6, 0.1]), matrix=0.2 * np.array([[0.8, 0.6], [-0.6, 0.8]]))
    made = sourceplane.reconstruct(None, turned, 0.3, fine=12)
    random = np.random.default_rng(1)
    column, row = random.uniform(-0.5, 5.5, 10**6), random.uniform(-0.5, 4.5, 10**6)
    x, y = made.grid.to_pixel(*turned.to_sky(column, row))
    number = np.rint(y) * made.grid.shape[1] + np.rint(x), np.rint(row) * 6 + np.rint(column)
    counts = np.histogram2d(*number, bins=[np.arange(n + 1) - 0.5 for n in made.overlap.shape])[0]
    np.testing.assert_allclose(made.overlap.toarray(), counts * 30 * 0.04 / 10**6, atol=0.05 * 0.04)
    assert made.overlap.sum() == pytest.approx(30 * 0.04)
    np.testing.assert_allclose(made.flux(np.full((5, 6), 2.0)), 60.0, rtol=1e-9)


def test_the_common_plane_holds_all_of_every_image():
    """Without a lens: 20 x 20 pixels of 0.1 arcsec are 4 arcsec^2."""
    made = sourceplane.of_images(None, jm.Grid.regular((20, 20), 0.1), np.ones((20, 20), int), 0.05)
    assert made[1].overlap.sum() == pytest.approx(4.0, rel=1e-9)


@pytest.mark.parametrize("pixel", [0.0814, 0.01, 0.005])
def test_no_flux_of_a_single_image_is_lost(pixel):
    """Not even where source pixels are as small as the parts of image pixels, or smaller."""
    grid, values = jm.Grid.regular((40, 40), 0.1), np.random.default_rng(4).uniform(size=(40, 40))
    assert sourceplane.reconstruct(None, grid, pixel).flux(values) == pytest.approx(values.sum(), rel=1e-9)


def test_images_that_lie_on_each_other_are_counted_once(lensed):
    """All images of the source in one reconstruction hold its flux, 1, as each of them does."""
    made = sourceplane.reconstruct(LENS, GRID, 0.06, used=lensed[1] > 0)
    assert made.flux(lensed[0]) == pytest.approx(1.0, abs=0.03)


def test_missing_pixels_and_features_are_left_out(images):
    one = images[1]
    values = np.stack([np.full(GRID.shape, 3.0), np.full(GRID.shape, 7.0)], axis=-1)
    values[::2, ::3, 0] = np.nan
    mean = one.mean(values)
    assert mean.shape == (*one.grid.shape, 2)
    np.testing.assert_allclose(mean[np.isfinite(mean[..., 0]), 0], 3.0)
    np.testing.assert_allclose(mean[one.coverage > 0, 1], 7.0)


def test_pixels_without_an_error_are_left_out_of_the_mean_too(images):
    values, sigma = np.full(GRID.shape, 3.0), np.full(GRID.shape, 0.5)
    values[::2, ::3], sigma[::2, ::3] = 100.0, np.inf
    values[1::2, ::3] = np.nan
    sigma[1::2, ::3] = 100.0
    mean, error = images[1].measured(values, sigma)
    known = np.isfinite(mean)
    assert known.any()
    np.testing.assert_array_equal(known, np.isfinite(error))
    np.testing.assert_allclose(mean[known], 3.0)
    assert error[known].max() <= 0.5 + 1e-9


def test_magnification_of_pixels_is_that_of_the_jacobian():
    mu = np.asarray(jm.lens.distortion(LENS, *GRID.centres()).mu)
    found, smooth = sourceplane.trace(LENS, GRID, 2).magnification, np.abs(mu) < 3.0
    smooth &= np.hypot(*GRID.centres()) > 0.7
    assert smooth.sum() > 500
    np.testing.assert_allclose(found[smooth], mu[smooth], rtol=0.05)
    assert np.isfinite(found).all()


def test_a_radius_map_needs_no_posterior():
    frame = jm.frame.Disc(x0=0.2, y0=0.1, q=0.6, pa=40.0)
    radius = sourceplane.radius_map(frame, GRID, LENS)
    x, y = GRID.centres()
    ax, ay = LENS(x, y)
    dx, dy = np.asarray(x - ax) - 0.2, np.asarray(y - ay) - 0.1
    pa = np.deg2rad(40.0)
    u, v = -np.sin(pa) * dx + np.cos(pa) * dy, -np.cos(pa) * dx - np.sin(pa) * dy
    np.testing.assert_allclose(radius, np.hypot(u, v / 0.6), rtol=1e-9)
    np.testing.assert_allclose(sourceplane.radius_map(jm.frame.Disc(), GRID), np.hypot(x, y))


def photons(psf, count, seed):
    """Offsets drawn from a Gaussian or a Moffat profile."""
    random = np.random.default_rng(seed)
    if isinstance(psf, jm.instrument.Gaussian):
        return random.normal(0.0, psf.fwhm / FWHM_PER_SIGMA, (2, count))
    alpha = 0.5 * psf.fwhm / np.sqrt(2.0 ** (1.0 / psf.beta) - 1.0)
    radius = alpha * np.sqrt(random.uniform(size=count) ** (-1.0 / (psf.beta - 1.0)) - 1.0)
    angle = random.uniform(0.0, 2.0 * np.pi, count)
    return radius * np.cos(angle), radius * np.sin(angle)


def by_photons(lens, psf, x, y, images):
    """The ellipse from photons of all images, thrown by the PSF, each worth the area that it stands for."""
    own = fitted_axes(*photons(psf, PHOTONS, 1), np.ones(PHOTONS))[:2]
    share = np.abs(images.mu) / np.abs(images.mu).sum()
    which = np.random.default_rng(2).choice(len(share), PHOTONS, p=share)
    theta = np.stack([images.x, images.y])[:, which] + photons(psf, PHOTONS, 3)
    theta = theta[:, np.abs(theta - np.array([[x], [y]])).max(axis=0) < 1.6 * psf.fwhm]
    beta = np.stack(sourceplane.source_positions(lens, *theta))
    by_x, by_y = (
        (np.stack(sourceplane.source_positions(lens, *(theta + move))) - beta) / 1e-4
        for move in (np.array([[1e-4], [0.0]]), np.array([[0.0], [1e-4]]))
    )
    area = np.abs(by_x[0] * by_y[1] - by_x[1] * by_y[0])
    known = np.isfinite(area)
    major, minor, pa = fitted_axes(*beta[:, known], area[known])
    return major / np.mean(own) * psf.fwhm, minor / np.mean(own) * psf.fwhm, pa


def check_against_photons(lens, psf, grid, x, y, images):
    found = sourceplane.source_psf(lens, psf, grid, x, y)
    major, minor, pa = by_photons(lens, psf, x, y, images)
    assert float(found.major) == pytest.approx(major, rel=0.02)
    assert float(found.minor) == pytest.approx(minor, rel=0.02)
    assert abs((float(found.pa) - pa + 90.0) % 180.0 - 90.0) < 2.0
    return found


@pytest.mark.parametrize(("x", "y"), [(2.1, 1.07), (1.52, 0.48)])
def test_the_psf_is_that_of_a_million_photons(x, y):
    psf = jm.instrument.Gaussian(fwhm=0.5, includes_pixel=True)
    beta = sourceplane.source_positions(LENS, x, y)
    images = jm.result.image_positions(LENS, float(beta[0]), float(beta[1]), GRID)
    check_against_photons(LENS, psf, GRID, x, y, images)


def test_the_jacobian_is_not_enough_beside_a_critical_curve():
    psf, (x, y) = jm.instrument.Gaussian(fwhm=0.5, includes_pixel=True), (1.52, 0.48)
    at = jm.lens.distortion(LENS, x, y)
    jacobian = np.array([[1 - at.kappa - at.gamma1, -at.gamma2], [-at.gamma2, 1 - at.kappa + at.gamma1]], float)
    found = sourceplane.source_psf(LENS, psf, GRID, x, y)
    assert float(found.major) < 0.9 * 0.5 * np.linalg.svd(jacobian)[1][0]


@pytest.fixture(scope="module")
def as1063():
    observed = jm.io.read_map(DATA / "as1063" / "metallicity.fits")
    origin = observed.origin()
    maps = (DATA / "as1063" / name for name in ("dplx.fits", "dply.fits"))
    read = jm.io.read_deflection(*maps, origin=origin, z_lens=0.348, z_source=0.611, z_map="source", ignore_unit=True)
    return read.lens, observed.grid(origin)


@pytest.mark.skipif(not DATA.is_dir(), reason="the shared data are not here")
def test_the_psf_of_as1063_is_that_of_photons_and_of_the_paper(as1063):
    """Patricio et al. 2019: 2.3 x 5.7 kpc, at the centre of their fixed morphology (pixel 28, 23)."""
    lens, grid = as1063
    x, y = (float(one) for one in grid.to_sky(28, 23))
    psf = jm.instrument.Moffat(fwhm=1.03, beta=2.8, includes_pixel=True)
    images = jm.result.Images(x=np.array([x]), y=np.array([y]), mu=np.ones(1))
    found = check_against_photons(lens, psf, grid, x, y, images).scaled(1.0 / 0.148333)
    assert float(found.major) == pytest.approx(5.7, rel=0.1)
    assert float(found.minor) == pytest.approx(2.3, rel=0.1)


@pytest.mark.skipif(not DATA.is_dir(), reason="the shared data are not here")
def test_small_galaxies_of_a_cluster_are_sampled_finely_enough(as1063):
    """Beside the critical curve of one of them the major axis was 8 % too long."""
    lens, grid = as1063
    x, y = (float(one) for one in grid.to_sky(28, 13))
    psf = jm.instrument.Moffat(fwhm=1.03, beta=2.8, includes_pixel=True)
    check_against_photons(lens, psf, grid, x, y, jm.result.Images(x=np.array([x]), y=np.array([y]), mu=np.ones(1)))


@pytest.mark.skipif(not DATA.is_dir(), reason="the shared data are not here")
def test_the_psf_of_a370_is_that_of_the_paper():
    """Patricio et al. 2019: 0.7 to 3.1 kpc; of the images away from critical curves, 1 (the complete one) and 4."""
    observed = jm.io.read_map(DATA / "a370" / "metallicity.fits")
    origin = observed.origin()
    maps = (DATA / "a370" / name for name in ("dplx.fits", "dply.fits"))
    lens = jm.io.read_deflection(
        *maps, origin=origin, z_lens=0.375, z_source=0.725, z_map="source", ignore_unit=True
    ).lens
    labels = np.nan_to_num(jm.io.read_map(DATA / "a370" / "images_mask.fits").values).astype(int)
    grid, psf = observed.grid(origin), jm.instrument.Moffat(fwhm=0.70, beta=2.8, includes_pixel=True)
    used = np.isfinite(observed.values)
    axes = []
    for label in (1, 4):
        rows, columns = (one[::10] for one in np.nonzero(used & (labels == label)))
        x, y = (np.asarray(one)[rows, columns] for one in grid.centres())
        found = sourceplane.source_psf(lens, psf, grid, x, y, labels=labels).scaled(1.0 / 0.138028)
        axes.append((np.nanmedian(found.minor), np.nanmedian(found.major)))
    minor, major = zip(*axes, strict=True)
    assert min(minor) == pytest.approx(0.7, rel=0.1)
    assert max(major) == pytest.approx(3.1, rel=0.1)


def test_without_a_lens_the_psf_is_itself():
    for psf in (jm.instrument.Gaussian(fwhm=0.5), jm.instrument.Moffat(fwhm=0.5, beta=2.8, includes_pixel=True)):
        found = sourceplane.source_psf(None, psf, GRID, 0.3, 0.1)
        width = psf.fwhm if psf.includes_pixel else np.hypot(0.5, 0.12 * FWHM_PER_SIGMA / np.sqrt(12.0))
        assert (float(found.major), float(found.minor)) == pytest.approx((width, width), rel=1e-3)


@pytest.mark.parametrize(("cell", "pixel"), [(0.1, 0.2), (0.05, 0.2), (0.1, 0.1), (0.04, 0.2)])
def test_a_kernel_without_the_pixel_is_widened_by_it(cell, pixel):
    """As the Gaussian that it tabulates, whatever the number of its cells in a pixel."""
    half = round(1.2 / cell)
    r = np.arange(-half - 0.5 * (round(pixel / cell) % 2 == 0), half + 1) * cell
    values = np.exp(-0.5 * (r[:, None] ** 2 + r**2) / 0.15**2)
    kernel = jm.instrument.Kernel(values=values / values.sum(), step=cell, includes_pixel=False)
    grid = jm.Grid.regular((9, 9), pixel)
    found, known = (
        sourceplane.source_psf(None, psf, grid, 0.0, 0.0)
        for psf in (kernel, jm.instrument.Gaussian(fwhm=0.15 * FWHM_PER_SIGMA))
    )
    assert (float(found.major), float(found.minor)) == pytest.approx((float(known.major), float(known.minor)), rel=0.02)


def test_a_kernel_is_as_good_as_its_formula():
    cells = np.arange(-40, 41) * 0.04
    sigma = np.array([0.3, 0.2])  # along columns and rows
    values = np.exp(-0.5 * (cells[None, :] / sigma[0]) ** 2 - 0.5 * (cells[:, None] / sigma[1]) ** 2)
    kernel = jm.instrument.Kernel(values=values / values.sum(), step=0.04, includes_pixel=True)
    turned = jm.Grid(shape=(5, 6), origin=np.zeros(2), matrix=0.12 * np.array([[0.8, 0.6], [-0.6, 0.8]]))
    found = sourceplane.source_psf(None, kernel, turned, 0.0, 0.0)
    assert (float(found.major), float(found.minor)) == pytest.approx(tuple(FWHM_PER_SIGMA * sigma), rel=0.01)
    assert float(found.pa) == pytest.approx(np.rad2deg(np.arctan2(-0.8, -0.6)) % 180.0, abs=0.5)


def test_a_map_is_made_of_single_places(lensed):
    psf = jm.instrument.Gaussian(fwhm=0.4)
    used = lensed[1] == 1
    found = sourceplane.psf_map(LENS, psf, GRID, used=used, labels=lensed[1])
    rows, columns = (one[::9] for one in np.nonzero(used))
    x, y = (np.asarray(one)[rows, columns] for one in GRID.centres())
    single = sourceplane.source_psf(LENS, psf, GRID, x, y, labels=lensed[1])
    apart = np.abs(found.mean[rows, columns] / single.mean - 1.0)
    assert np.median(apart) < 0.01
    assert np.quantile(apart, 0.8) < 0.06
    assert np.isnan(found.major[~used]).all()
    assert np.isfinite(found.major[used]).all()


def test_light_of_another_image_is_not_traced_back_with_this_one():
    """Beside a critical curve two images of a point overlap: with labels each has its own side only."""
    psf = jm.instrument.Gaussian(fwhm=0.5, includes_pixel=True)
    mu = sourceplane.trace(LENS, GRID).magnification
    labels = np.where(mu > 0, 1, 2)
    both, one = (sourceplane.source_psf(LENS, psf, GRID, 1.26, -1.26, labels=given) for given in (None, labels))
    assert float(both.major) > 1.5 * float(one.major)


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"pixel": 0.0}, "pixel: expected a number within"),
        ({"pixel": 1e-5}, "use larger ones"),
        ({"used": np.zeros(GRID.shape, bool)}, "used: expected at least one"),
    ],
)
def test_what_cannot_be_reconstructed_is_refused(change, text):
    with pytest.raises(jm.InputError, match=text):
        sourceplane.reconstruct(LENS, GRID, **{"pixel": 0.1, **change})


def test_images_are_not_laid_on_pixels_of_no_size():
    with pytest.raises(jm.InputError, match="pixel: expected a number within"):
        sourceplane.of_images(LENS, GRID, np.ones(GRID.shape, int), -0.1)


def test_maps_of_other_shapes_are_refused(images):
    with pytest.raises(jm.InputError, match="cut it alike"):
        images[1].mean(np.zeros((3, 4)))
