"""Annuli on the source's plane: shares of pixels, stacked fluxes, errors, and the line through them."""

import dataclasses
from types import SimpleNamespace

import numpy as np
import pytest
from scipy.sparse import block_diag, csr_array, eye_array
from test_sourceplane import GRID, LENS

import jaxmetal as jm
from jaxmetal import sourceplane
from jaxmetal.classical import wls
from jaxmetal.sourceplane import Ellipse, elliptical_rings, profile, values

LINES = ["OII", "Hb", "OIII5007", "Ha+NII"]
TRUE_Z = 8.55
SHAPE = Ellipse(0.4, 0.2, 30.0)
CENTRE = (0.6, 0.35)


@pytest.fixture(scope="module")
def likelihood():
    """The grid of a posterior is good to a percent of its width: calibrations that scatter little."""
    return jm.spaxel.fluxes(LINES, "M08", scatter=0.03)


@pytest.fixture(scope="module")
def emission():
    return jm.lines.emission(LINES, "M08")


@pytest.fixture(scope="module")
def made():
    x, y = GRID.centres()
    beta = sourceplane.source_positions(LENS, x, y)
    near = (np.hypot(beta[0] - CENTRE[0], beta[1] - CENTRE[1]) < 0.7) & (np.asarray(x) > 0.8)
    return sourceplane.reconstruct(LENS, GRID, 0.08, used=near)


@pytest.fixture(scope="module")
def rings(made):
    return elliptical_rings(made.grid, SHAPE, CENTRE, 0.6, used=made.coverage > 0.5)


def fluxes(emission, z, height=500.0):
    """Of a source that fades from its centre, with metallicity z(radius), per image pixel."""
    beta = sourceplane.source_positions(LENS, *GRID.centres())
    away = np.hypot(beta[0] - CENTRE[0], beta[1] - CENTRE[1])
    return height * np.exp(-away / 0.25)[..., None] * np.asarray(emission(z(away), 0.5))


@pytest.fixture(scope="module")
def constant(emission, made, rings):
    flux = fluxes(emission, lambda away: np.full(away.shape, TRUE_Z))
    return sourceplane.stacked_rings(made, rings, flux, np.full(flux.shape, 0.05))


def test_shares_are_those_of_points_thrown_at_the_pixels(rings):
    random = np.random.default_rng(1)
    ny, nx = rings.grid.shape
    column, row = random.uniform(-0.5, nx - 0.5, 300_000), random.uniform(-0.5, ny - 0.5, 300_000)
    x, y = (np.asarray(one) for one in rings.grid.to_sky(column, row))
    pa = np.deg2rad(30.0)
    dx, dy = x - CENTRE[0], y - CENTRE[1]
    radius = np.sqrt(0.4 * 0.2) * np.hypot(
        (-np.sin(pa) * dx + np.cos(pa) * dy) / 0.4, (np.cos(pa) * dx + np.sin(pa) * dy) / 0.2
    )
    number, pixel = np.floor(radius / rings.edges[1]).astype(int), (np.rint(row) * nx + np.rint(column)).astype(int)
    full = np.asarray(rings.shares.sum(axis=0)) > 0.0
    n = len(rings.edges) - 1
    there = full[pixel] & (number < n)
    counts = np.histogram2d(number[there], pixel[there], bins=[np.arange(k + 1) - 0.5 for k in (n, nx * ny)])[0]
    np.testing.assert_allclose(rings.shares.toarray(), counts * nx * ny / 300_000, atol=0.12)
    assert rings.edges[1] == pytest.approx(0.6 * np.sqrt(0.08))
    np.testing.assert_allclose(rings.shares.sum(axis=0)[full], 1.0)
    between = (rings.radius > rings.edges[:-1]) & (rings.radius < rings.edges[1:])
    assert between[:5].all()


def test_round_rings_are_round():
    grid = jm.Grid.regular((20, 24), 0.1)
    found = elliptical_rings(grid, SHAPE.round, (0.0, 0.0), 1.0)
    x, y = grid.centres()
    inner = found.shares.toarray()[0].reshape(grid.shape)
    assert inner[np.hypot(x, y) < 0.2].min() == 1.0
    assert inner.sum() * 0.01 == pytest.approx(np.pi * 0.08, rel=0.02)


@pytest.mark.parametrize("how", ["fluxes", "ratios", "metallicity"])
def test_constant_metallicity_is_constant_in_every_annulus(likelihood, constant, rings, how):
    found = sourceplane.ring_profile(likelihood, constant, rings, how=how, reference=1)
    assert found.known.sum() > 5
    z = found.z[found.known]
    assert np.ptp(z) < 1e-3
    assert z.mean() == pytest.approx(TRUE_Z, abs=0.02)


def test_errors_of_averaged_ratios_are_those_of_sums(emission, made, rings):
    """Where pixels are alike; noise of the reference, counted in each line as well, made them up to twice as large."""
    likelihood = jm.spaxel.fluxes(LINES, "M08", scatter=0.002)
    flux = fluxes(emission, lambda away: 8.8 - 0.4 * away, 1.0)
    noise = np.full(flux.shape, np.quantile(flux[made.used, 1], 0.5) / 11.0)
    held = sourceplane.stacked_rings(made, rings, flux + np.random.default_rng(3).normal(0.0, noise), noise)
    one, other = (
        sourceplane.ring_profile(likelihood, held, rings, how=how, reference=1) for how in ("ratios", "fluxes")
    )
    np.testing.assert_allclose(one.error_pixels[:4], other.error_pixels[:4], rtol=0.25)
    assert (one.error_scatter[:4] > 0.0).all()


def test_annuli_of_noise_have_no_value(likelihood, emission, made, rings):
    """A source of 0.1 arcsec in a map that is wider: far annuli would have the metallicity of the prior."""
    beta = sourceplane.source_positions(LENS, *GRID.centres())
    away = np.hypot(beta[0] - CENTRE[0], beta[1] - CENTRE[1])
    flux = np.exp(-0.5 * (away / 0.1) ** 2)[..., None] * np.asarray(emission(np.full(away.shape, TRUE_Z), 0.5))
    noise = np.full(flux.shape, 0.02)
    held = sourceplane.stacked_rings(made, rings, flux + np.random.default_rng(4).normal(0.0, noise), noise)
    found = sourceplane.ring_profile(likelihood, held, rings)
    signal = np.nanmax(found.flux / found.sigma, axis=1)
    assert found.known[:2].all()
    assert not found.known[signal < 1.5].any()
    assert found.reach < rings.edges[-2]


def test_sums_and_their_errors_are_those_of_noise(emission, made, rings):
    flux = fluxes(emission, lambda away: np.full(away.shape, TRUE_Z))
    random, sigma = np.random.default_rng(2), 1.0 + flux / flux.max()
    held = sourceplane.stacked_rings(made, rings, flux, sigma)
    total, error = held.sums()
    drawn = [
        sourceplane.stacked_rings(made, rings, flux + random.normal(0.0, sigma), sigma).sums()[0] for _ in range(200)
    ]
    known = np.isfinite(total[:, 0])
    ratio = np.std(drawn, axis=0)[known] / error[known]
    assert ratio.mean() == pytest.approx(1.0, abs=0.03)
    assert total[known][0, 1] == pytest.approx(
        (rings.shares @ made.mean(flux[..., 1]).ravel().astype(float))[0] * (0.08 / 0.12) ** 2, rel=1e-9
    )


@pytest.mark.parametrize("pixel", [0.05, 0.1, 0.2])
def test_fluxes_of_annuli_do_not_depend_on_the_source_pixel(pixel):
    """Against the integral of a Gaussian, without a lens."""
    grid = jm.Grid.regular((20, 20), 0.1)
    flux = np.exp(-0.5 * (np.hypot(*grid.centres()) / 0.2) ** 2)[..., None]
    made = sourceplane.reconstruct(None, grid, pixel)
    rings = elliptical_rings(made.grid, Ellipse(0.2, 0.2, 0.0), (0.0, 0.0))
    held = sourceplane.stacked_rings(made, rings, flux, np.ones(flux.shape))
    assert held.sums()[0][:7].sum() == pytest.approx(2.0 * np.pi * 0.2**2 / 0.1**2, rel=0.01)


@pytest.mark.parametrize("how", ["fluxes", "ratios"])
@pytest.mark.parametrize("pixel", [0.05, 0.1])
def test_priors_of_hb_are_of_as_many_image_pixels_as_an_annulus_covers(monkeypatch, pixel, how):
    """Inner annulus, without a lens: pi 0.1^2 arcsec^2 in pixels of 0.01, whatever the size of source pixels."""
    seen = []

    def posterior(likelihood, flux, sigma, *, spaxels, seed, chunk):
        seen.append(spaxels)
        return dict.fromkeys(("z", "z_statistical", "information"), np.full(len(flux), 8.5))

    monkeypatch.setattr(values, "posterior", posterior)
    grid = jm.Grid.regular((20, 20), 0.1)
    flux = np.ones((20, 20, 4))
    made = sourceplane.reconstruct(None, grid, pixel)
    rings = elliptical_rings(made.grid, Ellipse(0.2, 0.2, 0.0), (0.0, 0.0))
    sourceplane.ring_profile(None, sourceplane.stacked_rings(made, rings, flux, flux), rings, how=how)
    assert seen[0][0] == pytest.approx(np.pi, rel=0.05)


def test_pixels_of_a_bin_are_one_measurement(made, rings):
    flux, sigma = np.full((*GRID.shape, 1), 2.0), np.full((*GRID.shape, 1), 0.5)
    columns, rows = np.meshgrid(np.arange(52) // 4, np.arange(44) // 4)
    bins = jm.Bins(labels=columns + 13 * rows, n=13 * 11)
    alone, together = (sourceplane.stacked_rings(made, rings, flux, sigma, bins=one).sums() for one in (None, bins))
    np.testing.assert_allclose(alone[0], together[0])
    known = np.isfinite(alone[1])
    assert (together[1][known] > 1.5 * alone[1][known]).mean() > 0.9
    area = rings.shares.sum(axis=1)[known[:, 0]] * (0.08 / 0.12) ** 2
    assert (together[1][known] <= 0.5 * area + 1e-9).all()


def test_a_gradient_comes_out_of_the_annuli(likelihood, emission, made):
    """Without blur, along round annuli, the line through them is the source's own."""
    flux = fluxes(emission, lambda away: 8.8 - 0.6 * away)
    rings = elliptical_rings(made.grid, Ellipse(0.2, 0.2, 0.0), CENTRE, 0.6, used=made.coverage > 0.5)
    held = sourceplane.stacked_rings(made, rings, flux, np.full(flux.shape, 0.5))
    found = sourceplane.ring_profile(likelihood, held, rings)
    line = sourceplane.ring_line(found)
    assert line.slope == pytest.approx(-0.6, abs=0.06)
    assert line.central == pytest.approx(8.8, abs=0.03)
    known = found.known
    reference = wls(found.radius[known], found.z[known], found.error_own[known])
    assert line.slope == reference.slope
    assert line.slope_error > 1.02 * reference.slope_error


def drawn_profiles(made, count, random, apart=0.0, how="fluxes"):
    """Profiles of one galaxy under noise, whose Z, the same everywhere, is the second feature over the first.

    Z departs from 8 by a normal number of standard deviation `apart` each time.
    """
    rings = elliptical_rings(made.grid, SHAPE, CENTRE, 0.4, used=made.coverage > 0.5)
    light = fluxes(lambda z, _: np.ones((*z.shape, 1)), lambda away: away)[..., 0]
    sigma = np.stack([np.full(light.shape, 1e-6), np.full(light.shape, 2.0)], axis=-1)
    for _ in range(count):
        z = 8.0 + apart * random.normal() if apart else 8.0
        flux = np.stack([light, z * light + random.normal(0.0, 2.0, light.shape)], axis=-1)
        yield sourceplane.ring_profile(None, sourceplane.stacked_rings(made, rings, flux, sigma), rings, how=how)


def test_errors_of_lines_know_that_neighbours_share_pixels(made, monkeypatch):
    """Against the scatter of lines through noise; as of independent annuli they were a fifth too small or more."""

    def posterior(likelihood, flux, sigma, *, spaxels, seed, chunk):
        z, error = flux[..., 1] / flux[..., 0], sigma[..., 1] / flux[..., 0]
        return {"z": z, "z_statistical": error, "information": np.full(z.shape, 9.0)}

    monkeypatch.setattr(values, "posterior", posterior)
    lines = [
        sourceplane.ring_line(dataclasses.replace(found, error_own=found.error_pixels))
        for found in drawn_profiles(made, 150, np.random.default_rng(1))
    ]
    slopes, errors = (np.array([getattr(line, name) for line in lines]) for name in ("slope", "slope_error"))
    assert np.std(slopes) / np.mean(errors) == pytest.approx(1.0, abs=0.15)


@pytest.mark.parametrize("how", ["fluxes", "metallicity"])
def test_errors_of_lines_know_that_calibrations_move_all_annuli_together(made, monkeypatch, how):
    """Against lines through noise and a departure of each galaxy; it counted as noise of each annulus, or pixel."""

    def posterior(likelihood, flux, sigma, *, spaxels, seed, chunk):
        z, error = flux[..., 1] / flux[..., 0], sigma[..., 1] / flux[..., 0]
        found = {"z": z, "z_statistical": error, "z_shared_R23": np.full(z.shape, 0.1)}
        return found | {"z_low": z - np.hypot(error, 0.1), "z_high": z + np.hypot(error, 0.1), "information": 9.0 + z}

    monkeypatch.setattr(values, "posterior", posterior)
    drawn = drawn_profiles(made, 60, np.random.default_rng(2), apart=0.1, how=how)
    lines = [sourceplane.ring_line(found) for found in drawn]
    for name, error in (("slope", "slope_error"), ("central", "central_error")):
        ratio = np.std([getattr(line, name) for line in lines]) / np.mean([getattr(line, error) for line in lines])
        assert ratio == pytest.approx(1.0, abs=0.25)


@pytest.mark.parametrize("count", [2, 5])
def test_scatter_of_few_pixels_is_the_error_of_their_mean(monkeypatch, count):
    """Against the scatter of means of 2,000 annuli; it was too small by sqrt(1 - 1 / N), and 0 for one pixel."""
    z = np.random.default_rng(3).normal(8.5, 0.1, 2000 * count)
    found = {"z": z, "z_statistical": np.full(z.size, 0.01), "information": np.full(z.size, 9.0)}
    monkeypatch.setattr(values, "posterior", lambda *_, **__: {k: np.append(v, v[:1]) for k, v in found.items()})
    shares = csr_array(block_diag([np.ones((1, count))] * 2000 + [np.ones((1, 1))]))
    flux = np.ones((z.size + 1, 1))
    held = sourceplane.Stacks(flux=flux, sigma=flux, mean=eye_array(z.size + 1, format="csr"), shares=shares, area=1.0)
    made = values.by_metallicity(None, held, 0, 0)
    assert np.sqrt(np.mean(made.scatter[:-1] ** 2)) == pytest.approx(0.1 / np.sqrt(count), rel=0.05)
    assert np.isnan(made.scatter[-1])


def test_annuli_in_the_image_are_those_of_a_radius_map(likelihood, emission):
    """M1206's recipe: whole pixels by their radius, summed; against a loop over masks."""
    frame = jm.frame.Disc(x0=CENTRE[0], y0=CENTRE[1], q=0.7, pa=20.0)
    flux = fluxes(emission, lambda away: 8.8 - 0.6 * away)
    radius = sourceplane.radius_map(frame, GRID, LENS)
    near = radius < 0.8
    rings = sourceplane.image_rings(frame, GRID, LENS, 0.2, used=near, by="centre")
    total, error = sourceplane.stacked_rings(
        sourceplane.in_image(GRID, near), rings, flux, np.full(flux.shape, 2.0)
    ).sums()
    assert len(total) == 4
    for k in range(1, 4):
        mask = (radius >= 0.2 * k) & (radius < 0.2 * (k + 1))
        np.testing.assert_allclose(total[k], flux[mask].sum(axis=0), rtol=0.05)
        np.testing.assert_allclose(error[k], 2.0 * np.sqrt(mask.sum()), rtol=0.05)
    shared = sourceplane.image_rings(frame, GRID, LENS, 0.2, used=near)
    assert shared.shares.sum() == pytest.approx(near.sum())
    assert np.unique(rings.shares.data).tolist() == [1.0]
    assert np.unique(shared.shares.data.round(3)).size > 5


@pytest.mark.parametrize(("reach", "word"), [(0.19, "unresolved"), (0.21, "marginal"), (0.41, "resolved")])
def test_klevers_rule(reach, word):
    assert sourceplane.resolution(reach, Ellipse(0.8, 0.2, 0.0)) == word


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda grid: elliptical_rings(grid, Ellipse(0.0, 0.0, 0.0), (0.0, 0.0)), "expected axes above 0"),
        (lambda grid: elliptical_rings(grid, SHAPE, (0.0, 0.0), -1.0), "step: expected a fraction"),
        (lambda grid: elliptical_rings(grid, SHAPE, (0.0, 0.0), 1e-5), "use wider ones"),
        (lambda grid: sourceplane.image_rings(jm.frame.Disc(), grid, None, 0.0), "width: expected"),
    ],
)
def test_annuli_that_cannot_be_are_refused(call, text):
    with pytest.raises(jm.InputError, match=text):
        call(jm.Grid.regular((5, 6), 0.2))


def test_lines_are_those_of_the_rooms_that_draw_them(likelihood, constant, rings, monkeypatch):
    found = sourceplane.ring_profile(likelihood, constant, rings)
    known = found.known
    radius, z = found.radius[known], found.z[known]
    slope, central = np.polyfit(radius, z, 1)
    line = sourceplane.ring_line(found, "ols")
    assert (line.slope, line.central) == pytest.approx((slope, central))
    seen = {}

    def regress(quantity, covariate):
        seen.update(y=quantity.values, e=quantity.sigma, x=covariate.values)
        draws = {"central": np.array([8.0, 9.0]), "slope.x": np.array([-0.3, -0.1])}
        return SimpleNamespace(flat=lambda: draws)

    monkeypatch.setattr(profile, "regress", regress)
    line = sourceplane.ring_line(found, "regress")
    own = found.error_own[known]
    along = [np.polyfit(radius, one[known], 1, w=1.0 / own) for one in found.shared.values()]
    together = np.sum(np.square(along), axis=0)
    assert tuple(line) == pytest.approx((8.5, -0.2, np.sqrt(0.5**2 + together[1]), np.sqrt(0.1**2 + together[0])))
    assert together[1] > 1e-6
    np.testing.assert_array_equal(np.stack([seen[key] for key in "xye"]), [radius, z, own])


def test_ways_that_there_are_not_are_refused(likelihood, constant, rings):
    with pytest.raises(jm.InputError, match="how: expected one of"):
        sourceplane.ring_profile(likelihood, constant, rings, how="median")
    found = sourceplane.ring_profile(likelihood, constant, rings)
    with pytest.raises(jm.InputError, match="method: expected one of"):
        sourceplane.ring_line(found, "best")
