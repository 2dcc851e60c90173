"""Pictures of line work, and the ratios and draws that they show: against the spectra they were made from."""

import dataclasses

import numpy as np
import pytest
from matplotlib.patches import PathPatch
from matplotlib.text import Text
from spectra import CCM89, SIX, expected_fluxes

import jaxmetal as jm
from jaxmetal import plot
from jaxmetal.classical import wls
from jaxmetal.instrument.bins import Bins
from jaxmetal.numerics.grid import Grid
from jaxmetal.plot import of_lines

FEATURES = ("OII", "Hg", "Hb", "OIII", "Ha", "NII6584")
SHAPE = (5, 7)
Z_TRUE = np.linspace(8.2, 8.9, 35).reshape(SHAPE)
A_V = 0.4
LEVELS = jm.spaxel.Levels(z=40, a_v=16)


def labels(figure):
    """All that is written on a figure, after drawing it."""
    figure.draw_without_rendering()
    return [text.get_text() for text in figure.findobj(Text) if text.get_text()]


def at(found, row):
    """The columns of one spectrum."""
    return {name: float(values[row]) for name, values in found.items()}


@pytest.fixture(scope="module")
def likelihood():
    return jm.spaxel.fluxes(FEATURES, "M08")


@pytest.fixture(scope="module")
def fit(likelihood):
    """A map with a row without lines, a gradient of -0.2 dex/arcsec, and two regions."""
    rng = np.random.default_rng(31)
    sigma = np.full((*SHAPE, 6), 0.05)
    flux = np.asarray(likelihood.emission(Z_TRUE, A_V)) + sigma * rng.standard_normal((*SHAPE, 6))
    flux[0] = np.nan
    summed, error = np.nansum(flux, axis=(0, 1)), np.full(6, 0.05 * np.sqrt(28.0))
    rows, errors = np.vstack([flux.reshape(35, 6), summed]), np.vstack([sigma.reshape(35, 6), error])
    table = jm.spaxel.posterior(likelihood, rows, errors, levels=LEVELS)
    found, found_sum = {name: values[:35].reshape(SHAPE) for name, values in table.items()}, at(table, 35)
    found["sfr_density"] = 0.1 * found["hb"]
    return of_lines.LineFit(
        likelihood=likelihood,
        flux=flux,
        sigma=sigma,
        found=found,
        grid=Grid(shape=SHAPE, origin=np.zeros(2), matrix=0.2 * np.array([[0.8, -0.6], [0.6, 0.8]])),
        radius=5.0 * (8.9 - Z_TRUE),
        kpc_per_arcsec=7.0,
        errors=jm.spaxel.apart(found, flux[..., 2] / sigma[..., 2], np.isfinite(flux[..., 2])),
        flux_unit="1e-20 erg/s/cm$^2$",
        regions={
            "whole galaxy": of_lines.Region(flux=summed, sigma=error, found=found_sum, sfr_per_hb=0.5),
            "ring / outer": of_lines.Region(flux=summed, sigma=error, found=found_sum, radius=(1.0, 2.0)),
        },
    )


LIKELIHOODS = {
    "fluxes": lambda: jm.spaxel.fluxes(FEATURES, "M08"),
    "sums and single lines": lambda: jm.spaxel.fluxes(("OII", "Hb", "OIII", "OIII5007", "SII", "Ha"), "C20"),
    "wang17": lambda: jm.spaxel.wang17(hb_range=(0.01, 100.0)),
}


@pytest.mark.parametrize("name", LIKELIHOODS)
def test_measured_ratios_of_clean_spectra_lie_on_the_calibrations(name):
    likelihood, z, a_v = LIKELIHOODS[name](), np.linspace(7.9, 8.3, 5), 0.7
    flux = np.asarray(likelihood.emission(z, a_v))
    if name == "wang17":
        flux = flux * np.where(np.array(likelihood.features) == "Ha+NII", 1.05, 1.0)
    curves = {one.name: one for one in jm.spaxel.expected(likelihood, z)}
    found = jm.spaxel.measured(likelihood, flux, 0.01 * flux, np.full(5, a_v))
    assert found.keys() == curves.keys()
    for key, one in found.items():
        np.testing.assert_allclose(one.log_ratio, curves[key].log_ratio, atol=1e-10)


def test_measured_ratios_of_papers_that_fit_ratios():
    likelihood = jm.spaxel.patricio19()
    z, flux = np.array([8.6]), np.array([[3.0, 0.4, 1.0, 0.5, 1.5]])
    found = jm.spaxel.measured(likelihood, flux, 0.1 * flux, np.array([0.0]))
    np.testing.assert_allclose(found["M08.O3"].log_ratio, np.log10(1.5))
    np.testing.assert_allclose(found["M08.R23"].log_ratio, np.log10(5.0))
    np.testing.assert_allclose(found["M08.O32"].sigma, 0.1 * np.sqrt(2.0) / np.log(10.0))
    curves = {one.name: one for one in jm.spaxel.expected(likelihood, z)}
    np.testing.assert_allclose(curves["M08.O3"].scatter, 0.1)
    np.testing.assert_allclose(curves["M08.O3"].log_ratio, jm.lines.calibration("M08", "O3")(z))


def test_lines_known_only_in_a_blend_have_no_ratio():
    likelihood = jm.spaxel.fluxes(("OII", "Hb", "OIII5007", "Ha+NII"), "M08")
    assert {one.name for one in jm.spaxel.expected(likelihood, np.array([8.5]))} == {"M08.O2", "M08.O3", "M08.N2"}
    found = jm.spaxel.measured(likelihood, np.array([-1.0, 1.0, 2.0, 3.0]), np.full(4, 0.1), 0.0)
    assert found.keys() == {"M08.O2", "M08.O3"}
    assert np.isnan(found["M08.O2"].log_ratio)
    assert np.isfinite(found["M08.O3"].log_ratio)


def test_errors_of_ratios_against_simulated_noise():
    fluxes = {"OII": 3.0, "OIII4959": 0.5, "OIII5007": 1.5, "Hbeta": 1.0, "Halpha": 2.9, "SII": 0.4}
    sigmas = {name: 0.01 * (1.0 + i) * fluxes[name] for i, name in enumerate(fluxes)}
    rng = np.random.default_rng(5)
    drawn = {name: flux + sigmas[name] * rng.standard_normal(40000) for name, flux in fluxes.items()}
    for name in ("R23", "O32", "RS32", "Rhat"):
        ratio = jm.lines.RATIOS[name]
        expected = np.std(np.asarray(ratio.log10(drawn)))
        assert np.sqrt(float(ratio.variance(fluxes, sigmas))) == pytest.approx(expected, rel=0.02)


def test_joint_draws_against_weighted_draws_of_the_prior():
    """Both branches in their weights, and Z, A(V) and Hb, by numpy's own physics."""
    likelihood = jm.spaxel.fluxes(SIX, "M08", a_v_range=(0.0, 2.0))
    used = np.isin(SIX, ("Hb", "OIII5007", "Ha"))
    flux, sigma = np.where(used, [0.0, 0.0, 1.0, 4.0, 3.2, 0.0], np.nan), np.full(6, 0.1)
    drawn = jm.spaxel.joint(likelihood, flux, sigma, seed=1)
    rng, count = np.random.default_rng(7), 1_000_000
    z, a_v, hb = rng.uniform(7.0, 9.3, count), rng.uniform(0.0, 2.0, count), rng.uniform(0.65, 1.35, count)
    model = hb[:, None] * expected_fluxes(z, a_v, {"R3": rng.standard_normal(count)})
    weight = np.exp(-0.5 * (((flux - model)[:, used] / 0.1) ** 2).sum(axis=1))
    prior = {"z": z, "a_v": a_v, "hb": hb * 10 ** (0.4 * CCM89["Hb"] * a_v)}
    upper = np.average(z > likelihood.turnover, weights=weight)
    assert 0.2 < upper < 0.8
    assert np.mean(drawn["z"] > likelihood.turnover) == pytest.approx(upper, abs=0.02)
    for name, values in prior.items():
        for share in (0.05, 0.25, 0.75, 0.95):
            at = np.quantile(values, share, weights=weight, method="inverted_cdf")
            assert np.mean(drawn[name] < at) == pytest.approx(share, abs=0.02), name
    assert np.corrcoef(drawn["a_v"], drawn["hb"])[0, 1] > 0.8


def test_draws_leave_no_trace_of_the_grid():
    likelihood = jm.spaxel.patricio19()
    flux = np.array([3.0, 0.4, 1.0, 0.5, 1.5])
    drawn = jm.spaxel.joint(likelihood, flux, 0.05 * flux, levels=LEVELS)
    assert np.unique(drawn["z"]).size > 8000
    counts = np.histogram(drawn["z"], bins=60, range=np.quantile(drawn["z"], [0.05, 0.95]))[0]
    assert np.abs(np.diff(counts)).max() < 80, "neighbours of some 120 draws differ by their noise alone"


def test_maps_show_what_was_found(fit):
    figure = of_lines.maps(fit)
    written = labels(figure)
    for label in (
        "12 + log(O/H) [dex]",
        "own error of 12 + log(O/H) [dex]",
        "shared error of 12 + log(O/H) [dex]",
        "A$_V$ [mag]",
        "log $\\Sigma_{\\rm SFR}$ [M$_\\odot$/yr/kpc$^2$]",
        "P(upper branch)",
        "column offset [arcsec]",
    ):
        assert any(text.startswith(label) for text in written)
    assert {"N", "E"} <= {patch.get_label() for patch in figure.findobj(PathPatch)}
    panels = [ax.images[0].get_array() for ax in figure.axes if ax.images]
    assert len(panels) == 6
    assert all(panel[0].mask.all() and not panel[1:].mask.any() for panel in panels)
    np.testing.assert_allclose(panels[0][1:], fit.found["z"][1:])
    whole = 0.5 * (fit.found["z_high"] - fit.found["z_low"])[1:]
    np.testing.assert_allclose(np.hypot(panels[1][1:], panels[2][1:]), whole, rtol=1e-5)
    np.testing.assert_allclose(panels[4][1:], np.log10(0.1 * fit.found["hb"][1:]))


def test_maps_of_bins_leave_out_what_is_not_known(fit):
    found = {name: values.ravel() for name, values in fit.found.items() if name != "sfr_density"}
    found["p_upper"] = np.full(35, np.nan)
    binned = Bins(labels=np.where(np.arange(35) < 2, -1, np.arange(35)).reshape(SHAPE), n=35)
    figure = of_lines.maps(dataclasses.replace(fit, found=found, bins=binned, regions={}))
    panels = [ax.images[0].get_array() for ax in figure.axes if ax.images]
    assert len(panels) == 4
    np.testing.assert_allclose(panels[3][1:], fit.found["a_v"][1:])


def test_what_says_nothing_on_metallicity_is_not_shown(fit):
    """A spaxel of sky has a line, but its Z is the prior's."""
    used = np.ones(SHAPE, bool)
    used[2, 3] = False
    told = dataclasses.replace(fit, used=used, regions={})
    panels = [ax.images[0].get_array() for ax in of_lines.maps(told).axes if ax.images]
    assert all(panel[2, 3] is np.ma.masked and not panel[2, 2:3].mask.any() for panel in panels)
    assert told.told.sum() == 27
    assert dataclasses.replace(fit, used=np.zeros(SHAPE, bool)).told.sum() == 28


def test_a_map_of_one_value_says_so():
    written = labels(
        plot.map_panels([plot.Panel(np.full(SHAPE, 0.3), plot.Quantity("A$_V$", "mag"))], Grid.regular(SHAPE, 0.2))
    )
    assert {"A$_V$ [mag], the same everywhere", "0.3"} <= set(written)
    branch = plot.Panel(np.full(SHAPE, 1.0), plot.Quantity("P(upper)", ""), limits=(0.0, 1.0))
    assert "P(upper):\n1 to 1 everywhere" in labels(plot.map_panels([branch], Grid.regular(SHAPE, 0.2)))


def test_every_panel_has_numbers_on_its_axes():
    figure = plot.map_panels(
        5 * [plot.Panel(np.random.default_rng(1).normal(8.5, 1e-4, SHAPE), plot.Quantity("12 + log(O/H)", "dex"))],
        Grid.regular(SHAPE, 0.2),
    )
    figure.draw_without_rendering()
    for ax in [one for one in figure.axes if one.images]:
        assert all(any(tick.label1.get_visible() and tick.label1.get_text() for tick in axis.get_major_ticks())
                   for axis in (ax.xaxis, ax.yaxis))  # fmt: skip
    assert not any(text.startswith("+8") for text in labels(figure))


def test_corner_shows_both_branches():
    likelihood = jm.spaxel.fluxes(("Hb", "OIII5007", "Ha"), "M08")
    flux, sigma = np.array([1.0, 4.0, 3.2]), np.full(3, 0.1)
    table = jm.spaxel.posterior(likelihood, flux[None], sigma[None])
    found = at(table, 0)
    region = of_lines.Region(flux=flux, sigma=sigma, found=found)
    alone = of_lines.LineFit(
        likelihood=likelihood, flux=flux[None], sigma=sigma[None], found=table, regions={"sum": region}
    )
    figure = of_lines.corner(alone, "sum")
    written = labels(figure)
    assert f"sum: P(upper branch) = {found['p_upper']:.2f}" in [" ".join(text.split()) for text in written]
    assert {"12 + log(O/H) [dex]", "A$_V$ [mag]", "log H$\\beta$ [unit of the fluxes]"} <= set(written)
    histogram = figure.axes[0].patches[0].get_xy()
    dip = histogram[np.abs(histogram[:, 0] - float(likelihood.turnover)) < 0.1, 1].max()
    for side in (histogram[:, 0] < likelihood.turnover, histogram[:, 0] > likelihood.turnover):
        assert histogram[side, 1].max() > 1.5 * dip
    dotted = {}
    for ax in figure.axes:
        place = ax.get_subplotspec()
        marks = [line.get_xdata() for line in ax.lines if line.get_linestyle() == ":"]
        dotted[place.rowspan.start, place.colspan.start] = bool(marks) and np.allclose(marks, likelihood.turnover)
    assert [place for place, there in dotted.items() if there] == [(0, 0), (1, 0), (2, 0)]


def test_corner_of_known_extinction_and_star_formation(fit):
    rate = "log SFR [M$_\\odot$/yr]"
    assert rate in labels(of_lines.corner(fit, "whole galaxy"))
    none = dataclasses.replace(fit.regions["whole galaxy"], sfr_per_hb=0.0)
    assert rate not in labels(of_lines.corner(dataclasses.replace(fit, regions={"none": none}), "none"))
    likelihood = jm.spaxel.curti20(a_v=0.3)
    flux = np.array([2.0, 1.0, 2.0, 2.9, 0.5, 0.6])
    region = of_lines.Region(flux=flux, sigma=0.05 * flux, found={"p_upper": 0.9})
    figure = of_lines.corner(dataclasses.replace(fit, likelihood=likelihood, regions={"sum": region}), "sum")
    assert "A$_V$ [mag]" not in labels(figure)


def test_calibrations_carry_the_data(fit):
    figure = of_lines.calibrations(fit)
    written = labels(figure)
    assert {"M08.O2", "M08.O3", "M08.N2", "log [O III] 5007/H$\\beta$ [dex]", "12 + log(O/H) [dex]"} <= set(written)
    assert {"spectra", "whole galaxy", "ring / outer", "not calibrated", "calibration"} <= set(written)
    panel = next(ax for ax in figure.axes if ax.get_title() == "M08.O3")
    marks = next(line for line in panel.lines if line.get_label() == "spectra")
    np.testing.assert_allclose(marks.get_xdata(), fit.found["z"][1:].ravel())
    curve = jm.lines.calibration("M08", "O3")
    assert np.std(marks.get_ydata() - np.asarray(curve(Z_TRUE[1:].ravel()))) < 0.1
    solid = next(line for line in panel.lines if line.get_label() == "calibration")
    inside = np.isfinite(solid.get_ydata())
    z = solid.get_xdata()
    assert (z[0], z[-1]) == (7.0, 9.3)
    np.testing.assert_array_equal(inside, (z >= 7.1) & (z <= 9.2))
    np.testing.assert_allclose(solid.get_ydata()[inside], np.asarray(curve(z[inside])))


def test_many_calibrations_fill_rows():
    likelihood = jm.spaxel.patricio19()
    nothing = plot.FittedSpectra(**{name: np.zeros((0, 5)) for name in ("flux", "sigma")},
                                 **{name: np.zeros(0) for name in ("z", "z_low", "z_high", "a_v")})  # fmt: skip
    written = labels(plot.calibration_curves(likelihood, {"spectra": nothing}))
    assert {"M08.O2", "M08.O3", "M08.O32", "M08.R23"} <= set(written)
    assert not {"spectra", "lines measured in a blend"} & set(written)


def test_calibrations_of_blends_say_so():
    likelihood = jm.spaxel.fluxes(("OII", "Hb", "OIII5007", "Ha+NII"), "M08")
    row = {name: np.full(1, 8.5) for name in ("z", "z_low", "z_high")}
    one = plot.FittedSpectra(flux=np.ones((1, 4)), sigma=np.full((1, 4), 0.1), a_v=np.zeros(1), **row)
    assert labels(plot.calibration_curves(likelihood, {"spectra": one})).count("lines measured in a blend") == 1


def test_radii_show_gradient_and_regions(fit):
    figure = of_lines.radial(fit)
    written = labels(figure)
    assert {"deprojected radius R [arcsec]", "R [kpc]", "12 + log(O/H) [dex]", "whole galaxy"} <= set(written)
    used = np.s_[1:]
    columns = fit.radius, fit.found["z"], fit.errors.sigma, *fit.errors.shared.values()
    radius, z, sigma, *shared = (one[used].ravel() for one in columns)
    line = wls(radius, z, sigma, shared=shared)
    assert line.slope == pytest.approx(-0.2, abs=4 * line.slope_error)
    legend = next(text for text in written if text.startswith("weighted"))
    assert f"{line.slope:+.3f} ± {line.slope_error:.3f} dex/arcsec" in legend
    assert f"{line.slope / 7.0:+.4f}" in legend
    drawn = {one.get_label(): one for one in figure.axes[0].lines}
    np.testing.assert_allclose(drawn["ring / outer"].get_xdata(), [1.0, 2.0])
    np.testing.assert_allclose(drawn["ring / outer"].get_ydata(), fit.regions["whole galaxy"].found["z"])
    assert np.ptp(drawn["whole galaxy"].get_xdata()) == pytest.approx(1.04 * fit.radius[used].max())


def test_spectra_that_do_not_count_are_left_out_of_the_gradient(fit):
    used = np.ones(SHAPE, bool)
    used[3] = False
    points = {line.get_label(): line for line in of_lines.radial(dataclasses.replace(fit, used=used)).axes[0].lines}
    assert points["data"].get_xdata().size == 21


def test_pictures_are_written(fit, tmp_path):
    of_lines.write(tmp_path, fit)
    names = {"maps", "calibrations", "radius", "corner_1_whole_galaxy", "corner_2_ring_outer"}
    assert {path.name for path in tmp_path.iterdir()} == {f"{name}.png" for name in names}
    assert all(path.read_bytes().startswith(b"\x89PNG") for path in tmp_path.iterdir())


def test_a_table_has_no_maps_and_a_region_without_lines_no_corner(fit):
    empty = dict.fromkeys(fit.regions["whole galaxy"].found, np.nan)
    region = of_lines.Region(flux=np.full(6, np.nan), sigma=np.full(6, np.nan), found=empty)
    rows = dataclasses.replace(
        fit,
        flux=fit.flux.reshape(-1, 6),
        sigma=fit.sigma.reshape(-1, 6),
        found={name: values.ravel() for name, values in fit.found.items()},
        grid=None,
        radius=None,
        regions={"nothing": region},
    )
    assert of_lines.figures(rows).keys() == {"calibrations"}
