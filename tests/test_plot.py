"""Pictures of given numbers: what their axes say, where their compass points, and that odd data do not break them."""

import dataclasses

import numpy as np
import pytest
from matplotlib.text import Text
from pictured import CENTRAL, RNG, SHAPE, SLOPE, blocks, disc, labels, rotated

from jaxmetal import plot
from jaxmetal.classical import wls
from jaxmetal.edge.errors import InputError
from jaxmetal.numerics.grid import Grid
from jaxmetal.plot.marks import directions, quiet_corners
from jaxmetal.plot.picture import paint, pixel_axis
from jaxmetal.plot.style import SUSPECT, symmetric_range, value_range

Z = plot.Quantity("12 + log(O/H)", "dex")


def example(grid=None, bins=None):
    data = 8.5 + 0.05 * RNG.normal(size=SHAPE if bins is None else bins.n)
    used = np.ones(data.shape, bool)
    used.flat[:3] = False
    data.flat[4] = np.nan
    return plot.MapFit(
        data=data,
        model=np.full(data.shape, 8.5),
        residual=(data - 8.5) / 0.05,
        grid=grid or rotated(0.0),
        quantity=Z,
        used=used,
        bins=bins,
        fwhm=0.5,
    )


def example_profile(**changes):
    radius = np.linspace(0.0, 3.0, 40)
    value = 8.7 - 0.1 * radius + 0.02 * RNG.normal(size=40)
    sigma = np.full(40, 0.02)
    draws = 8.7 + RNG.normal(scale=0.01, size=(50, 1)) - (0.1 + RNG.normal(scale=0.01, size=(50, 1))) * radius
    settings = {
        "points": plot.Points(radius=radius, value=value, sigma=sigma),
        "quantity": Z,
        "band": plot.Band.of(radius, draws, best=8.7 - 0.1 * radius),
        "line": wls(radius, value, sigma),
        "psf_half_width": 0.4,
        "kpc_per_arcsec": 7.0,
        "r_eff": 1.2,
    }
    return plot.Profile(**(settings | changes))


@pytest.mark.parametrize("degrees", [0.0, 41.0, 90.0, 180.0, -135.0])
def test_compass_follows_the_grid(degrees):
    """Rows point `degrees` East of North, so North lies as far clockwise of up, and East to the left of North."""
    angle = np.deg2rad(degrees)
    found = directions(rotated(degrees))
    np.testing.assert_allclose(found["N"], [np.sin(angle), np.cos(angle)], atol=1e-12)
    np.testing.assert_allclose(found["E"], [-np.cos(angle), np.sin(angle)], atol=1e-12)


def test_compass_of_a_flipped_grid_has_east_at_the_other_side():
    found = directions(rotated(0.0, flip=-1.0))
    np.testing.assert_allclose(found["N"], [0.0, 1.0], atol=1e-12)
    np.testing.assert_allclose(found["E"], [1.0, 0.0], atol=1e-12)


def test_compass_agrees_with_where_the_grid_puts_the_sky():
    """Also for pixels that are not square: the pixel of a sky position further East lies along E."""
    grid = rotated(33.0)
    grid = Grid(shape=SHAPE, origin=grid.origin, matrix=grid.matrix * np.array([1.0, 2.5]))
    for name, (dx, dy) in {"N": (0.0, 1.0), "E": (-1.0, 0.0)}.items():
        start, end = (np.array(grid.to_pixel(*p)) for p in ((0.0, 0.0), (dx, dy)))
        drawn = (end - start) * np.array([0.2, 0.5])
        np.testing.assert_allclose(directions(grid)[name], drawn / np.hypot(*drawn), rtol=1e-10, atol=1e-12)


def test_axes_are_sky_coordinates_where_the_grid_is_not_rotated():
    (left, right), label = pixel_axis(rotated(0.0), 0)
    assert label == "x [arcsec, West]"
    assert (left, right) == pytest.approx((0.6, 0.6 + 23 * 0.2))
    (left, right), label = pixel_axis(rotated(0.0, flip=-1.0), 0)
    assert label == "x [arcsec, West]"
    assert (left, right) == pytest.approx((0.8, 0.8 - 23 * 0.2))
    assert pixel_axis(rotated(90.0), 0)[1] == "y [arcsec, North]"


def test_axes_of_a_rotated_grid_count_from_its_middle():
    limits, label = pixel_axis(rotated(28.0), 1)
    assert limits == pytest.approx((-1.7, 1.7))
    assert label == "row offset [arcsec]"


def test_marks_go_where_there_are_no_data():
    used = np.ones(SHAPE, bool)
    used[:6, -8:] = False
    used[-2:, :4] = False
    assert quiet_corners(used)[0] == "lower right"
    assert quiet_corners(used)[-1] == "upper left"


def test_marks_do_not_hide_the_only_empty_pixel():
    used = np.ones(SHAPE, bool)
    used[-1, -1] = used[0, 0] = False
    assert set(quiet_corners(used)[:2]) == {"upper left", "lower right"}


def test_paint_hides_what_is_not_used():
    bins = blocks()
    values, used = np.arange(20.0), np.arange(20) != 7
    painted = paint(values, used, bins)
    assert painted.shape == SHAPE
    assert np.isnan(painted[0]).all()
    assert np.isnan(painted[np.asarray(bins.labels) == 7]).all()
    assert (painted[np.asarray(bins.labels) == 12] == 12.0).all()


@pytest.mark.parametrize("values", [np.full(SHAPE, np.nan), np.full(SHAPE, 8.0), np.zeros(SHAPE)])
def test_ranges_are_never_empty(values):
    low, high = value_range(values)
    assert low < high


def test_residual_scale_reaches_at_least_three_sigma():
    assert symmetric_range(np.full(SHAPE, np.nan)) == (-3.0, 3.0)
    assert symmetric_range(np.linspace(-1.0, 2.0, 50)) == (-3.0, 3.0)
    assert symmetric_range(np.full(SHAPE, -8.0)) == (-8.0, 8.0)


GRIDS = [rotated(0.0), rotated(41.0), rotated(0.0, flip=-1.0)]


@pytest.mark.parametrize("grid", GRIDS, ids=["up", "turned", "flipped"])
@pytest.mark.parametrize("bins", [None, blocks()], ids=["pixels", "bins"])
def test_maps(grid, bins):
    fit = example(grid, bins)
    figure = plot.maps(fit)
    written = labels(figure)
    assert "12 + log(O/H) [dex]" in written
    assert r"data $-$ model [$\sigma$]" in written
    assert sum("arcsec" in text for text in written) >= 4
    data, model, residual = (ax.images[0] for ax in figure.axes)
    assert data.get_clim() == model.get_clim()
    assert residual.get_clim()[0] == -residual.get_clim()[1]
    assert data.get_array().shape == SHAPE
    np.testing.assert_array_equal(data.get_array().mask, np.isnan(fit.painted()[0]))


def test_the_residual_of_a_poor_fit_is_marked():
    for fits in (True, False):
        residual = plot.maps(dataclasses.replace(example(), fits=fits)).axes[2]
        assert ("poor fit" in residual.get_title()) != fits
        assert (residual.title.get_color() == SUSPECT) != fits


def test_maps_without_any_used_value():
    fit = example()
    nothing = fit.data * np.nan
    labels(plot.maps(plot.MapFit(data=nothing, model=fit.model, residual=nothing, grid=fit.grid, quantity=Z)))


def test_the_residual_is_painted_where_data_are_used():
    fit = dataclasses.replace(example(), residual=np.arange(float(np.prod(SHAPE))).reshape(SHAPE))
    unseen = ~(fit.used & np.isfinite(fit.data))
    np.testing.assert_array_equal(fit.painted()[2], np.where(unseen, np.nan, fit.residual))


def test_radial_profile():
    profile = example_profile()
    truth = 8.9 - 0.12 * profile.band.radius
    profile = dataclasses.replace(profile, band=dataclasses.replace(profile.band, truth=truth))
    figure = plot.radial_profile(profile)
    written = labels(figure)
    for label in ("deprojected radius R [arcsec]", "R [kpc]", "R [R$_e$]", "12 + log(O/H) [dex]"):
        assert label in written
    base, kpc, r_e = figure.axes
    assert kpc.get_xlim()[1] == pytest.approx(7.0 * base.get_xlim()[1])
    assert r_e.get_xlim()[1] == pytest.approx(base.get_xlim()[1] / 1.2)
    bar = next(line for line in base.lines if line.get_marker() == "|")
    assert np.ptp(bar.get_xdata()) == pytest.approx(0.4)
    naive = next(line for line in base.lines if line.get_label() == "naive line (WLS)")
    assert np.diff(naive.get_ydata())[0] / np.diff(naive.get_xdata())[0] == pytest.approx(profile.line.slope)
    (dashed,) = (line for line in base.lines if line.get_linestyle() == "--")
    assert dashed.get_label() == "truth"
    assert "truth" in {text.get_text() for text in base.get_legend().get_texts()}
    np.testing.assert_array_equal(dashed.get_ydata(), truth)
    assert base.get_ylim()[1] > 8.9


def test_radial_profile_tells_images_apart_and_skips_missing_points():
    points = plot.Points(
        radius=np.array([0.1, 0.5, 0.9, np.nan]),
        value=np.array([8.6, np.nan, 8.5, 8.4]),
        sigma=np.full(4, 0.1),
        image=np.array([0, 1, 3, 3]),
    )
    figure = plot.radial_profile(plot.Profile(points=points, quantity=Z))
    entries = {text.get_text() for text in figure.axes[0].get_legend().get_texts()}
    assert entries == {"data", "data, image 3"}
    colours = {line.get_color() for line in figure.axes[0].lines}
    assert len(colours) == 2
    labels(figure)


def test_radial_profile_shows_the_model_as_the_data_see_it():
    """Through noiseless data of a model 0.3 dex above the intrinsic line, at every radius."""
    profile = example_profile()
    seen = 9.0 - 0.1 * profile.points.radius
    points = dataclasses.replace(profile.points, model=seen)
    axes = plot.radial_profile(dataclasses.replace(profile, points=points)).axes[0]
    (line,) = (one for one in axes.lines if "blurred" in str(one.get_label()))
    np.testing.assert_allclose(line.get_ydata(), 9.0 - 0.1 * line.get_xdata(), atol=1e-12)
    assert np.ptp(line.get_xdata()) > 2.5


def test_half_width_of_the_psf_says_where_it_is_measured():
    for lensed in (True, False):
        written = labels(plot.radial_profile(example_profile(lensed=lensed)))
        assert ("PSF half-width in the source plane 0.4″" in written) == lensed
        assert ("PSF half-width 0.4″" in written) != lensed


def test_band_holds_the_percentiles():
    draws = np.arange(101.0)[:, None] * np.ones(3)
    band = plot.Band.of(np.arange(3.0), draws)
    np.testing.assert_allclose([band.low, band.median, band.high], np.array([[16.0, 50.0, 84.0]]).T * np.ones(3))


def test_source_plane():
    figure = plot.source_plane(disc(), "metallicity", Z, half_size=2.0, r_eff=0.8, kpc_per_arcsec=7.0)
    written = labels(figure)
    for label in ("x [arcsec, West]", "y [arcsec, North]", "x offset [kpc, West]", "y offset [kpc, North]", str(Z)):
        assert label in written
    ax = figure.axes[0]
    ellipse = np.concatenate([path.vertices for c in ax.collections for path in c.get_paths()])
    along, across = ellipse[:, 0] - 0.3, ellipse[:, 1] + 0.2
    assert np.hypot(along, across).max() == pytest.approx(0.8, rel=0.01)
    assert np.argmax(ax.images[0].get_array()) // 240 == pytest.approx(119.5, abs=1)


def test_source_plane_is_hatched_beyond_the_data():
    """A pixel folded by a lens and one of the other parity count as those that lie open."""
    square = np.array([[0.0, 0.0], [0.6, 0.0], [0.6, 0.6], [0.0, 0.6]])
    reached = np.stack([square, square + 0.3, square[::-1] + 0.3, square[[0, 2, 1, 3]] - [0.9, 0.0]])
    figure = plot.source_plane(disc(), "metallicity", Z, half_size=2.0, reached=reached)
    assert "no data reach" in labels(figure)
    ax = figure.axes[0]
    assert [patch.get_hatch() for patch in ax.patches] == ["////"]
    (image,) = ax.images
    cut = image.get_clip_path().get_fully_transformed_path()
    shown = {place: bool(cut.contains_point(ax.transData.transform(place))) for place in
             ((0.1, 0.1), (0.5, 0.5), (0.85, 0.8), (-0.6, 0.1), (-1.0, -1.0), (1.5, 1.5))}  # fmt: skip
    assert shown == {p: p in ((0.1, 0.1), (0.5, 0.5), (0.85, 0.8), (-0.6, 0.1)) for p in shown}
    inside = 8.7 - 0.1 * np.hypot(1.5, 1.5)  # nothing of the data lies so far out
    assert inside < image.get_clim()[0] < image.get_clim()[1] <= 8.7


def test_corner():
    slope = RNG.normal(-0.1, 0.02, size=600)
    draws = {SLOPE: slope, CENTRAL: 8.5 - slope + RNG.normal(0.0, 0.02, size=600), "fixed": np.full(600, 0.5)}
    names = plot.parameter_labels(
        {
            SLOPE: plot.Quantity("slope", "dex/arcsec"),
            CENTRAL: plot.Quantity("central", "dex"),
            "fixed": plot.Quantity("fixed", ""),
        }
    )
    figure = plot.corner(draws, truths={SLOPE: -0.1, CENTRAL: 8.6}, labels=names)
    written = labels(figure)
    assert "slope [dex/arcsec]" in written
    assert "central [dex]" in written
    low, median, high = np.percentile(slope, [16.0, 50.0, 84.0])
    expected = f"${median:.3f}^{{+{high - median:.3f}}}_{{-{median - low:.3f}}}$"
    assert figure.axes[0].get_title() == expected


def test_corner_refuses_vectors_and_missing_draws():
    with pytest.raises(InputError, match="shape"):
        plot.corner({"values": np.zeros((20, 3))})
    with pytest.raises(InputError, match="finite"):
        plot.corner({"values": np.where(np.arange(20) == 3, np.nan, 1.0)})
    with pytest.raises(InputError, match="none"):
        plot.corner({})


def test_parameter_labels_tell_twins_apart():
    made = plot.parameter_labels(
        {
            "scene.sources.a.frame.q": plot.Quantity("axis ratio q", ""),
            "scene.sources.b.frame.q": plot.Quantity("axis ratio q", ""),
            "map.psf.fwhm": plot.Quantity("FWHM", "arcsec"),
            "scene.sources.a.carries.extinction.profile.value": plot.Quantity("value", "mag"),
        }
    )
    assert made == {
        "scene.sources.a.frame.q": "a\naxis ratio q",
        "scene.sources.b.frame.q": "b\naxis ratio q",
        "map.psf.fwhm": "FWHM [arcsec]",
        "scene.sources.a.carries.extinction.profile.value": "extinction\nvalue [mag]",
    }


@pytest.mark.parametrize("count", [1, 5])
def test_prior_predictive(count):
    maps = [8.0 + 0.1 * i + 0.01 * RNG.normal(size=SHAPE) for i in range(count)]
    figure = plot.prior_predictive(maps, rotated(41.0), Z, used=RNG.uniform(size=SHAPE) < 0.8)
    assert str(Z) in labels(figure)
    panels = [ax for ax in figure.axes if ax.images]
    assert len(panels) == count
    assert len({ax.images[0].get_clim() for ax in panels}) == 1


def test_images_of_light_are_drawn_to_their_core_and_say_how():
    """Linear where noise rules, logarithmic above; the brightest pixel is not cut."""
    light = RNG.normal(size=SHAPE)
    light[8, 11] = 5000.0
    fit = dataclasses.replace(example(), data=light, model=np.abs(light), linear_below=1.0)
    figure = plot.maps(fit)
    assert any(text.endswith(", asinh scale") for text in labels(figure))
    norm = figure.axes[0].images[0].norm
    assert norm.vmax == 5000.0
    assert 0.1 < norm(30.0) - norm(10.0) == pytest.approx(norm(3000.0) - norm(1000.0), rel=0.05)
    assert norm(10.0) - norm(0.0) > 0.2
    assert not any("asinh" in text for text in labels(plot.maps(example())))


def test_captions_stay_on_the_page():
    sentence = "Intrinsic gradient of metallicity: -0.888 (+0.888 -0.888) dex/arcsec, WWW. " * 9
    figure = plot.fit_figure(example(), example_profile(), sentence, title="MMMM 000000 " * 20)
    figure.draw_without_rendering()
    for text in figure.findobj(Text):
        if text.get_text().startswith(("Intrinsic", "MMMM")):
            box = text.get_window_extent()
            assert 0.0 <= box.x0 < box.x1 <= figure.bbox.x1
            assert 0.0 <= box.y0 < box.y1 <= figure.bbox.y1


def test_fit_figure_says_it_in_words():
    figure = plot.fit_figure(example(), example_profile(), "The gradient is resolved. " * 12, title="A galaxy")
    written = labels(figure)
    assert any("The gradient is resolved." in text for text in written)
    assert "deprojected radius R [arcsec]" in written
