"""Pictures of a posterior: overviews, profiles, simulations, pages."""

import dataclasses

import numpy as np
import numpyro.distributions as dist
import pytest
from pictured import CENTRAL, RNG, SHAPE, SLOPE, blocks, disc, labels, rotated

from jaxmetal.cli.demo import ending
from jaxmetal.instrument.psf import Gaussian as GaussianPSF
from jaxmetal.lens import Shear
from jaxmetal.likelihood import Gaussian
from jaxmetal.mixing import Dex, Linear, Magnitude
from jaxmetal.numerics.grid import Grid
from jaxmetal.observation import Image, WeightedMap
from jaxmetal.plot import of_lens, of_posterior
from jaxmetal.plot.thumbnails import Thumbnail, page
from jaxmetal.posterior import Posterior
from jaxmetal.prepared import prepare
from jaxmetal.result.critical import Curves
from jaxmetal.result.predicted import footprints
from jaxmetal.result.text import interval
from jaxmetal.result.views import view
from jaxmetal.scene import Carried, Scene
from jaxmetal.tracer import Gradient


@pytest.fixture(scope="module")
def posterior():
    """A posterior as a fit would return it, behind a shear, of a binned map."""
    gradient = Gradient(central=dist.Normal(8.5, 1.0), slope=dist.Normal(0.0, 0.3))
    prior = dataclasses.replace(disc(), carries={"metallicity": Carried(profile=gradient, weight="halpha")})
    scene = Scene(sources={"disc": prior}, lens={"cluster": Shear(gamma1=0.2, gamma2=0.0)})
    grid, bins = Grid.regular(SHAPE, 0.2), blocks()
    data = 8.6 + 0.02 * RNG.normal(size=20)
    observations = {
        "map": WeightedMap(
            data=data,
            noise=Gaussian(sigma=np.full(20, 0.05)),
            grid=grid,
            psf=GaussianPSF(fwhm=0.5),
            properties=("metallicity",),
            mixing=Dex(),
            used=np.arange(20) != 3,
            bins=bins,
        ),
    }
    return Posterior(
        tree={"scene": scene, **observations},
        plans=prepare(scene, observations),
        draws={SLOPE: RNG.normal(-0.1, 0.02, size=(2, 40)), CENTRAL: RNG.normal(8.7, 0.02, size=(2, 40))},
        best={SLOPE: np.asarray(-0.1), CENTRAL: np.asarray(8.7)},
        log_posterior=0.0,
        log_evidence=0.0,
        k_hat=0.1,
        sampler={},
        method="laplace",
        decisions=(),
        findings=(),
        seconds={},
        seed=0,
    )


def test_overview_of_a_posterior(posterior):
    images = np.where(np.arange(SHAPE[1]) < 10, 1, 2) * np.ones(SHAPE)
    figure = of_posterior.overview(posterior, "map", "disc", kpc_per_arcsec=7.0, images=images, title="A galaxy")
    written = labels(figure)
    assert any("dex/kpc" in text and "resolved" in text for text in written)
    assert "12 + log(O/H) [dex]" in written


def test_profile_of_a_posterior(posterior):
    made = of_posterior.radial(posterior, "map", "disc")
    assert made.points.radius.shape == (19,)
    assert made.r_eff == pytest.approx(0.8)
    np.testing.assert_allclose(made.band.best, 8.7 - 0.1 * made.band.radius, atol=1e-9)
    assert (made.band.low < made.band.high).all()
    assert made.band.truth is None
    np.testing.assert_allclose(
        made.points.model, np.asarray(view(posterior).predictions["map"].value)[np.arange(20) != 3]
    )
    assert made.lensed
    # A shear of 0.2 scales areas by (1 - 0.2)(1 + 0.2).
    assert made.psf_half_width == pytest.approx(0.25 * np.sqrt(0.96), rel=1e-6)


def test_a_simulation_compares_with_its_truth(posterior):
    carried = Carried(profile=Gradient(central=8.7, slope=-0.11), weight="halpha")
    truth = Scene(sources={"disc": dataclasses.replace(disc(), carries={"metallicity": carried})})
    made = of_posterior.radial(posterior, "map", "disc", truth=truth)
    np.testing.assert_allclose(made.band.truth, 8.7 - 0.11 * made.band.radius, rtol=1e-12)
    _, put_in, naive, intrinsic = ending(posterior, "map", truth).splitlines()
    assert put_in.split() == ["truth", "-0.110", "dex/arcsec"]
    assert f"{made.line.slope:.3f} +- {made.line.slope_error:.3f} dex/arcsec" in naive
    assert f"{interval(posterior.draws[SLOPE])} dex/arcsec" in intrinsic


def test_bins_that_straddle_images_belong_to_the_one_with_more_pixels(posterior):
    images = np.where(np.arange(SHAPE[1]) < 12, 1.0, 3.0) * np.ones(SHAPE)
    images[:, 0] = np.nan
    made = of_posterior.radial(posterior, "map", "disc", images=images)
    np.testing.assert_array_equal(made.points.image[:3], [1, 1, 3])


def test_units_of_observations():
    known = {
        "data": 1.0,
        "noise": Gaussian(sigma=0.1),
        "grid": rotated(0.0),
        "psf": GaussianPSF(fwhm=0.5),
        "used": True,
    }
    velocity = WeightedMap(**known, properties=("velocity",), mixing=Linear())
    colour = WeightedMap(**known, properties=("colour",), mixing=Magnitude())
    assert str(Image(**known, light="halpha").quantity) == "halpha [flux/pixel]"
    assert str(colour.quantity) == "colour [mag]"
    assert str(velocity.quantity) == "velocity"


def test_other_pictures_of_a_posterior(posterior):
    assert "slope [dex/arcsec]" in labels(of_posterior.corner(posterior))
    assert "12 + log(O/H) [dex]" in labels(of_posterior.panels(posterior, "map"))
    assert "12 + log(O/H) [dex]" in labels(of_posterior.galaxy(posterior, "map", "disc", kpc_per_arcsec=7.0))


def test_pictures_of_a_lensed_fit_show_critical_curves_and_caustics(posterior, monkeypatch):
    """Of the whole lens, for the source, in the frame of the data; the curves themselves are told in test_critical."""
    asked, circle = [], np.stack([np.cos(np.arange(7.0)), np.sin(np.arange(7.0))], axis=-1)

    def curves(lens, grid, **options):
        asked.append((lens.distance_ratio, sorted(lens.parts), grid.shape))
        return Curves([circle], [0.3 * circle])

    monkeypatch.setattr(of_lens, "critical_curves", curves)
    assert "critical curve" in labels(of_posterior.panels(posterior, "map"))
    assert "caustic" in labels(of_posterior.galaxy(posterior, "map", "disc"))
    assert asked == [(1.0, ["cluster"], SHAPE)] * 2


@pytest.mark.parametrize(("count", "across", "down"), [(1, 1, 1), (3, 3, 1), (4, 3, 2), (6, 3, 2)])
def test_a_page_is_as_large_as_its_galaxies(count, across, down):
    drawn = Thumbnail("g", np.ones((5, 7)), np.ones((5, 7)), np.zeros((5, 7)), True)
    figure = page([drawn] * count, "dex")
    assert len(figure.axes) == 3 * across * down
    assert sum(len(ax.images) for ax in figure.axes) == 3 * count
    inside = [ax.get_position() for ax in figure.axes]
    assert all(0.0 < box.x0 < box.x1 < 1.0 and 0.0 < box.y0 < box.y1 < 1.0 for box in inside)


def test_a_page_can_be_read():
    """Names of nine points, cut in their middle where they would run into the next galaxy."""
    drawn = Thumbnail("g", np.ones((5, 7)), np.ones((5, 7)), np.zeros((5, 7)), True)
    figure = page([drawn._replace(name="COSMOS_3DHST_" + 80 * "8" + "_z1.23"), drawn], "dex")
    figure.draw_without_rendering()
    titles = [ax.title if ax.get_title() else ax._left_title for ax in figure.axes[::3]]
    assert all(title.get_fontsize() >= 9.0 for title in titles)
    first, second = (title.get_window_extent() for title in titles)
    assert first.x1 < second.x0
    assert titles[0].get_text().startswith("COSMOS_3DHST_8")
    assert "_z1.23\n" in titles[0].get_text()


def test_a_corner_says_what_it_leaves_out(posterior, monkeypatch):
    assert not any("not shown" in text for text in labels(of_posterior.corner(posterior)))
    monkeypatch.setattr(of_posterior, "MOST", 1)
    said = [" ".join(text.split()) for text in labels(of_posterior.corner(posterior))]
    assert "1 of 2 free parameters; not shown: central [dex]" in said
    assert not any("not shown" in text for text in labels(of_posterior.corner(posterior, [SLOPE])))


def test_the_source_plane_of_a_lensed_map_is_where_its_pixels_are_traced(posterior):
    """By hand: a shear moves (x, y) to (0.8 x, 1.2 y); the fourth bin and the first row are not used."""
    found = footprints(posterior, "map", "disc")
    used = np.asarray(blocks().labels)
    assert len(found) == np.sum((used >= 0) & (used != 3))
    x, y = found[..., 0], found[..., 1]
    half = 0.1 * np.array(SHAPE)
    assert (x.min(), x.max()) == pytest.approx((-0.8 * half[1], 0.8 * half[1]), abs=1e-6)
    assert (y.min(), y.max()) == pytest.approx((1.2 * (0.2 - half[0]), 1.2 * half[0]), abs=1e-6)
    np.testing.assert_allclose(np.ptp(x, axis=1), 0.16, atol=1e-6)
