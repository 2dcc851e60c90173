"""Resolved relations of a lensed galaxy that was made with known ones."""

import dataclasses

import numpy as np
import pytest
from test_sourceplane import CENTRE, GRID, LENS

import jaxmetal as jm
import jaxmetal.sourceplane.places as room
from jaxmetal import population, sourceplane
from jaxmetal.fluxmaps import Luminosity, Spectra
from jaxmetal.population import residuals
from jaxmetal.sourceplane import Ellipse
from jaxmetal.sourceplane.inferred import Inferred

LINES = ["OII", "Hb", "OIII5007", "Ha+NII"]
MAIN, METALS, LEFT = 0.8, 0.35, -0.4
"""Slopes of star formation and metallicity with mass, and of what is left of Z with what is left of the first."""
PIVOT, RATE, Z = 8.0, -1.0, 8.6
LUMINOSITY = Luminosity(flux=1e-20, distance=9000.0, kpc2=0.12**2 * 60.0, rate="ke12_chabrier")
CM_PER_MPC = 3.0856775814913673e24


def galaxy(x, y):
    """log mass, log star formation per kpc^2, and Z on the source's plane: clumps of star formation on a disc."""
    away = np.hypot(x - CENTRE[0], y - CENTRE[1])
    mass = 9.0 - away / 0.35
    clumps = 0.3 * np.sin(7.0 * x + 1.0) * np.cos(6.0 * y)
    return mass, RATE + MAIN * (mass - PIVOT) + clumps, Z + METALS * (mass - PIVOT) + LEFT * clumps


@pytest.fixture(scope="module")
def seen():
    """Fluxes (1e-20 erg/s/cm^2 per pixel), their errors, mass per kpc^2 and its errors, of the brightest image."""
    x, y = sourceplane.source_positions(LENS, *GRID.centres())
    mass, rate, z = galaxy(x, y)
    # Kennicutt & Evans 2012 over 1.06, Ha / Hb = 2.86, written out.
    hb = 10.0**rate * LUMINOSITY.kpc2 / (10.0**-41.27 / 1.06 * 2.86 * 4.0 * np.pi * (9000.0 * CM_PER_MPC) ** 2) / 1e-20
    hb = hb * 10.0 ** (-0.4 * 1.16374 * 0.3)  # A(V) = 0.3, Cardelli et al. 1989 at Hb
    flux = hb[..., None] * np.asarray(jm.lines.emission(LINES, "M08")(z, 0.3))
    random = np.random.default_rng(8)
    sigma = 0.03 * flux + 0.002 * flux.max(axis=(0, 1))
    error = 0.05 * np.log(10.0) * 10.0**mass
    near = (np.hypot(x - CENTRE[0], y - CENTRE[1]) < 0.8) & (np.asarray(GRID.centres()[0]) > 0.8)
    return (
        flux + sigma * random.normal(size=flux.shape),
        sigma,
        10.0**mass + error * random.normal(size=mass.shape),
        error,
        near,
    )


@pytest.fixture(scope="module")
def places(seen):
    """In cells of 0.15 x 0.1 arcsec, which hold a pixel or so each."""
    flux, sigma, mass, error, near = seen
    made = sourceplane.reconstruct(LENS, GRID, 0.03, used=near)
    cells = sourceplane.psf_cells(made.grid, Ellipse(0.15, 0.1, 30.0), CENTRE, used=made.coverage > 0.5)
    both = (np.concatenate([a, b[..., None]], axis=-1) for a, b in ((flux, mass), (sigma, error)))
    held = sourceplane.stacked_rings(made, cells, *both)
    likelihood = jm.spaxel.fluxes(LINES, "M08", scatter=0.01)
    return sourceplane.measured_places(likelihood, held, cells, LUMINOSITY, reference=1)


def test_places_are_those_of_the_galaxy(places):
    """Surface densities of the source; differences are errors, and what a cell holds of clumps."""
    assert places.z.size > 40
    mass, rate, z = galaxy(places.x, places.y)
    for found, error, truth in (
        (places.log_mass, places.log_mass_error, mass),
        (places.log_sfr, places.log_sfr_error, rate),
        (places.z, places.z_error, z),
    ):
        assert np.median(found - truth) == pytest.approx(0.0, abs=0.03)
        assert 0.2 < np.quantile(np.abs(found - truth) / np.hypot(error, 0.04), 0.68) < 1.4
    assert np.abs(places.correlation).max() <= 1.0
    assert np.median(places.correlation) != 0.0


@pytest.fixture
def straight(monkeypatch):
    """Weighted least squares in the place of the regression, which takes a minute; here errors in mass are small."""

    def regress(quantity, covariate, run):
        x, weight = covariate.values - covariate.pivot, 1.0 / np.hypot(quantity.sigma, 0.05)
        (slope, central), errors = np.polyfit(x, quantity.values, 1, w=weight, cov=True)
        random = np.random.default_rng(0)
        drawn = random.multivariate_normal([slope, central], errors, (2, 400))
        draws = {"central": drawn[..., 1], "slope.x": drawn[..., 0], "scatter": np.full((2, 400), 0.1)}
        kept = {"quantity": quantity, "covariates": {"x": covariate}, "draws": draws}
        return population.Relation(**kept, method="regression", robust=False, selection="")

    monkeypatch.setattr(residuals, "regress", regress)


def test_known_relations_come_out(places, straight):
    found = sourceplane.resolved_relations(places)
    assert found.relations is not None
    for relation, slope, central in ((found.relations.first, MAIN, RATE), (found.relations.second, METALS, Z)):
        drawn = relation.flat()
        assert abs(np.median(drawn["slope.x"]) - slope) < 3.0 * np.std(drawn["slope.x"]) + 0.02
        pivot = relation.covariates["x"].pivot
        assert np.median(drawn["central"]) == pytest.approx(central + slope * (pivot - PIVOT), abs=0.08)
    assert found.relations.spearman.observed < -0.5
    assert found.relations.spearman.p_value < 1e-4
    assert abs(found.relations.by_shared_errors) < 0.4
    assert found.spearman[0].observed > 0.7
    assert found.spearman[1].observed > 0.5


def test_few_places_have_no_relations(places):
    few = dataclasses.replace(places, **{name: values[:4] for name, values in vars(places).items()})
    found = sourceplane.resolved_relations(few)
    assert found.relations is None
    assert found.spearman is None


def test_cells_hold_points_thrown_at_them():
    grid = jm.Grid.regular((14, 17), 0.1)
    cells = sourceplane.psf_cells(grid, Ellipse(0.5, 0.2, 25.0), (0.1, -0.05))
    random = np.random.default_rng(0)
    column, row = random.uniform(-0.5, 16.5, 1_000_000), random.uniform(-0.5, 13.5, 1_000_000)
    x, y = (np.asarray(one) for one in grid.to_sky(column, row))
    pa = np.deg2rad(25.0)
    axes = np.array([[-np.sin(pa), np.cos(pa)], [np.cos(pa), np.sin(pa)]])
    place = axes @ np.stack([x - 0.1, y + 0.05])
    centres = axes @ np.stack([cells.x - 0.1, cells.y + 0.05])
    within = [np.abs(place[k][None] - centres[k][:, None]) <= half for k, half in enumerate((0.25, 0.1))]
    share = (within[0] & within[1]).mean(axis=1) * 14 * 17
    np.testing.assert_allclose(cells.shares.sum(axis=1), share, atol=0.25)
    assert cells.shares.sum() == pytest.approx(14 * 17)


@pytest.mark.parametrize(("covered", "count"), [(0.5, 1), (0.05, 5), (0.0, 9)])
def test_cells_count_by_how_much_of_their_own_area_is_covered(monkeypatch, covered, count):
    """A cell of 10 x 10 pixels in a map of 12 x 12: eight more have 10 pixels of 100, or 1, on its rim."""

    def posterior(likelihood, flux, sigma, *, spaxels, seed, chunk):
        one = np.ones(len(flux))
        return {"z": 8.5 * one, "z_statistical": 0.1 * one, "hb_low": 0.9 * one, "hb": one, "hb_high": 1.1 * one}

    monkeypatch.setattr(room, "posterior", posterior)
    monkeypatch.setattr(room, "_together", lambda *arguments: 0.0)
    grid = jm.Grid.regular((12, 12), 0.1)
    cells = sourceplane.psf_cells(grid, Ellipse(1.0, 1.0, 0.0), (0.0, 0.0))
    flux = np.ones((12, 12, 2))
    held = sourceplane.stacked_rings(sourceplane.in_image(grid), cells, flux, 0.01 * flux)
    found = sourceplane.measured_places(None, held, cells, LUMINOSITY, covered=covered)
    assert len(found.z) == count
    assert found.area.max() == pytest.approx(100.0 * LUMINOSITY.kpc2)


@pytest.mark.parametrize("sides", [(0.2, 0.4), (0.0, 0.0)])
def test_totals_have_the_error_of_the_magnification_on_both_sides(seen, sides):
    """mu exp(s e): the 16 and 84 % of what is divided by it."""
    flux, sigma, mass, error, near = seen
    spectra = Spectra(features=tuple(LINES), flux=flux, sigma=sigma, grid=GRID)
    likelihood = jm.spaxel.fluxes(LINES, "M08", scatter=0.01)
    stars = sourceplane.StellarMass(density=mass, sigma=error, kpc2=LUMINOSITY.kpc2)
    found = sourceplane.totals(likelihood, spectra, near, 5.0, sides, luminosity=LUMINOSITY, mass=stars)
    assert found.magnification == pytest.approx((5.0 * (1.0 - sides[0]), 5.0, 5.0 * (1.0 + sides[1])), rel=0.03)
    x, y = (np.asarray(one)[near] for one in sourceplane.source_positions(LENS, *GRID.centres()))
    truth = [np.sum(10.0**one) * LUMINOSITY.kpc2 / 5.0 for one in galaxy(x, y)[:2]]
    # Lines summed over all metallicities of the galaxy are not those of one: 13 % more star formation.
    for interval, expected, off in zip((found.mass, found.sfr), truth, (0.03, 0.15), strict=True):
        assert interval[1] == pytest.approx(expected, rel=off)
        if sides[0]:
            assert interval[0] / interval[1] == pytest.approx(1.0 / (1.0 + sides[1]), rel=0.04)
            assert interval[2] / interval[1] == pytest.approx(1.0 / (1.0 - sides[0]), rel=0.06)


def test_stars_and_their_formation_are_of_the_same_pixels(seen):
    """Where a line is missing neither counts, so that the specific rate does not fall."""
    flux, sigma, mass, error, near = seen
    likelihood = jm.spaxel.fluxes(LINES, "M08", scatter=0.01)
    stars = sourceplane.StellarMass(density=mass, sigma=error, kpc2=LUMINOSITY.kpc2)
    holed, right = flux.copy(), np.arange(GRID.shape[1]) > np.median(np.nonzero(near)[1])
    holed[:, right, 0] = np.nan
    found, known = (
        sourceplane.totals(
            likelihood,
            Spectra(features=tuple(LINES), flux=one, sigma=sigma, grid=GRID),
            mask,
            5.0,
            0.0,
            luminosity=LUMINOSITY,
            mass=stars,
        )
        for one, mask in ((holed, near), (flux, near & ~right))
    )
    assert found.sfr[1] == pytest.approx(known.sfr[1], rel=1e-3)
    assert found.mass[1] == pytest.approx(known.mass[1], rel=1e-3)


def test_mass_of_bins_is_one_measurement_each():
    columns, rows = np.meshgrid(np.arange(52) // 4, np.arange(44) // 4)
    labels = columns + 13 * rows
    binned = Spectra(
        features=tuple(LINES),
        flux=np.zeros((143, 4)),
        sigma=np.ones((143, 4)),
        grid=GRID,
        bins=jm.Bins(labels=labels, n=143),
        ids=np.arange(143),
    )
    stars = sourceplane.StellarMass(density=labels.astype(float), sigma=np.full(GRID.shape, 2.0), kpc2=3.0)
    mask = labels == 7
    assert stars.seen(mask, binned) == pytest.approx((16 * 7.0 * 3.0, 16 * 2.0 * 3.0))
    alone = dataclasses.replace(binned, bins=None, flux=np.zeros((44, 52, 4)), sigma=np.ones((44, 52, 4)))
    assert stars.seen(mask, alone) == pytest.approx((16 * 7.0 * 3.0, 4 * 2.0 * 3.0))


def test_mass_that_is_known_in_part_is_no_mass_of_zero(seen):
    """Bins have the mean of their known pixels; of what is known nowhere it is said how much that is."""
    flux, sigma = seen[:2]
    columns, rows = np.meshgrid(np.arange(52) // 4, np.arange(44) // 4)
    labels = columns + 13 * rows
    alone = Spectra(features=tuple(LINES), flux=flux, sigma=sigma, grid=GRID)
    first = np.unique(labels, return_index=True)[1]
    bins = {"bins": jm.Bins(labels=labels, n=143), "ids": np.arange(143)}
    binned = dataclasses.replace(alone, flux=flux.reshape(-1, 4)[first], sigma=sigma.reshape(-1, 4)[first], **bins)
    holed = np.where((np.arange(52) % 4 > 0) | (np.arange(44)[:, None] % 4 > 0), 3.0, np.nan)
    stars = sourceplane.StellarMass(density=holed, sigma=np.full(GRID.shape, 2.0), kpc2=1.0)
    everywhere, left = np.ones(GRID.shape, bool), np.arange(52) < 26 + np.zeros((44, 1))
    assert stars.seen(everywhere, binned) == pytest.approx((44 * 52 * 3.0, 16 * 2.0 * np.sqrt(143)))
    assert stars.covered(everywhere, binned) == 1.0
    assert stars.covered(everywhere, alone) == 15 / 16
    half = dataclasses.replace(stars, density=np.where(left, 3.0, np.nan))
    found = sourceplane.totals(None, alone, everywhere, 2.0, 0.0, mass=half)
    assert (found.mass[1], found.mass_covered) == (pytest.approx(44 * 26 * 3.0 / 2.0, rel=0.01), 0.5)
    whole, none = {1: found, 2: found._replace(mass_covered=0.95)}, {"errors": {}, "relations": {}, "spreads": {}}
    said = Inferred(totals=whole, **none).findings
    assert [one.severity for one in said] == ["warning"]
    assert "Image 1: stellar mass is known in only 50% of its pixels" in said[0].text
    assert np.isnan(stars.seen(~left & np.isnan(holed), alone)).all()


def test_errors_of_models_are_the_widest_on_each_side():
    from jaxmetal.sourceplane.inferred import widest

    spread = sourceplane.MagnificationSpread
    found = widest({"a": spread(4.0, 3.0, 4.4, 9), "b": spread(10.0, 9.0, 13.0, 9), "across": spread(7.0, 5.8, 8.2, 2)})
    assert found == pytest.approx((0.25, 0.3))
