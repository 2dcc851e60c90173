"""Fits of line maps: from simulated fluxes back to the gradient, in files and pictures, alone and in batches."""

import jax
import jax.numpy as jnp
import numpy as np
import numpyro.distributions as dist
import pytest
from astropy.io import fits
from matplotlib.text import Text
from test_line_maps import FEATURES, GALAXY, SHAPE, line_maps, look, psfs, source

import jaxmetal as jm
from jaxmetal.cli.results import figures
from jaxmetal.edge.errors import InputError
from jaxmetal.fit.method import Options
from jaxmetal.fit.problem import make
from jaxmetal.io.wcs import NOWHERE
from jaxmetal.model import log_likelihood, tree

SLOPE = "scene.sources.galaxy.carries.metallicity.profile.slope"
DUST = "scene.sources.galaxy.carries.extinction.profile.central"
OPTIONS = {"method": "laplace", "chains": 2, "draws": 100, "start_count": 1, "progress": False}
STANDARD = dist.Normal(0.0, 1.0)


def galaxy(central=None, slope=None, departures=None, a_v=None):
    dusty = GALAXY if a_v is None else {**GALAXY, "a_v": (a_v, GALAXY["a_v"][1])}
    return jm.Scene(sources={"galaxy": source(dusty, central, slope, departures=departures or {})})


def image():
    flat = np.zeros(SHAPE)
    return jm.recipes.light_image(flat, light="Hbeta", psf=jm.instrument.Gaussian(fwhm=0.5), sigma=1.0, pixel_scale=0.2)


PRIOR = galaxy(dist.Normal(8.5, 0.3), dist.Normal(0.0, 0.5), {"R3": STANDARD, "N2": STANDARD}, dist.Uniform(0.0, 4.0))


@pytest.fixture(scope="module")
def simulated():
    truth = galaxy(departures={"R3": 0.8, "N2": -0.5})
    return jm.simulate.draw(truth, {"lines": line_maps(sigma=0.003)}, jax.random.key(3))["lines"]


@pytest.fixture(scope="module")
def posterior(simulated):
    return jm.fit.auto(PRIOR, {"lines": simulated}, **OPTIONS)


def test_the_gradient_is_recovered(posterior):
    drawn = posterior.flat()
    for site, true in ((SLOPE, GALAXY["z"][1]), (DUST, GALAXY["a_v"][0])):
        assert abs(drawn[site].mean() - true) < 4.0 * drawn[site].std() < 0.6
    for ratio, true in (("R3", 0.8), ("N2", -0.5)):
        values = drawn[f"scene.sources.galaxy.departures.{ratio}"]
        assert abs(values.mean() - true) < 3.0 * values.std()


def test_line_maps_are_climbed_from_both_sides_of_a_turnover(simulated):
    lines, both = {"lines": simulated}, {"hb": image(), "lines": simulated}
    assert Options().starts(make(PRIOR, {"hb": image()})) == 3
    assert [Options().starts(make(PRIOR, some)) for some in (lines, both)] == [8, 8]
    assert Options(start_count=1).starts(make(PRIOR, lines)) == 1


def test_a_batch_finds_the_same(posterior, simulated):
    ((_, again),) = jm.fit.batch([jm.fit.Galaxy(name="one", scene=PRIOR, observations={"lines": simulated})], **OPTIONS)
    for site, values in posterior.flat().items():
        assert abs(float(again.best[site] - posterior.best[site])) < 0.05 * values.std()


def test_files_summary_and_pictures(posterior, tmp_path):
    jm.io.save(posterior, tmp_path, origin=NOWHERE)
    with fits.open(tmp_path / "maps_lines.fits") as maps:
        names = {hdu.name.lower() for hdu in maps}
    wanted = {f"{key}_{name}".lower() for key in ("data", "sigma", "model", "residual", "light") for name in FEATURES}
    assert wanted | {"metallicity_galaxy", "extinction_galaxy", "radius_galaxy"} <= names
    text = jm.result.summary(posterior)
    assert "gradient of metallicity in 'galaxy'" in text
    assert "dex per arcsec" in text
    seen = jm.result.view(posterior)
    assert seen.goodness["lines"].fits
    assert [seen.meanings[site].unit for site in (SLOPE, DUST)] == ["dex/arcsec", "mag"]
    figure = jm.plot.of_posterior.overview(seen, "lines", "galaxy")
    assert len(figure.subfigs) == len(FEATURES) + 1
    figure.savefig(tmp_path / "lines.png")
    jm.plot.of_posterior.galaxy(seen, "lines", "galaxy").savefig(tmp_path / "plane.png")


def test_each_line_stands_beside_its_mean_over_the_posterior(posterior):
    seen = jm.result.view(posterior)
    figure = jm.plot.of_posterior.predicted(seen, "lines", jm.observation.Quantity("of all", ""))
    observed = seen.filled["lines"]
    flat = posterior.flat()
    each = np.linspace(0, len(flat[SLOPE]) - 1, 96).round().astype(int)
    mean = np.mean([seen.predicted({n: v[i] for n, v in flat.items()})["lines"].value for i in each], axis=0)
    assert len(figure.subfigs) == len(FEATURES)
    for k, part in enumerate(figure.subfigs):
        data, model, residual = part.axes[:3]
        assert [ax.get_title() for ax in (data, model, residual)] == ["data", "posterior-predictive mean", "residual"]
        np.testing.assert_allclose(np.asarray(model.images[0].get_array()).ravel(), mean[k].ravel(), rtol=1e-6)
        left = (observed.data[k] - mean[k]) / np.broadcast_to(observed.noise.sigma, observed.data.shape)[k]
        np.testing.assert_allclose(np.asarray(residual.images[0].get_array()).ravel(), left.ravel(), rtol=1e-6)
        labels = " ".join(text.get_text() for text in part.findobj(Text))
        assert observed.emission.label(observed.emission.features[k]) in labels


def test_pictures_name_the_property_and_go_no_farther_than_its_light(posterior, tmp_path, monkeypatch):
    drawn = {}
    monkeypatch.setattr("jaxmetal.plot.saved.save_each", lambda pictures, *_, **__: drawn.update(pictures) or "")
    seen = jm.result.view(posterior)
    light = seen.predictions["lines"].light
    monkeypatch.setitem(seen.sigmas, "lines", np.full(light.shape, 0.1 * light.max()))
    figures(seen, tmp_path)
    assert "predictive_lines" in drawn  # data of several maps
    plane, fit = drawn["source_plane_lines"](), drawn["fit_lines"]()
    words = [text.get_text() for part in (plane, fit.subfigs[-1]) for text in part.findobj(Text)]
    assert sum("log(O/H) [dex]" in one for one in words) == 2
    assert not any("flux" in one for one in words)
    plane.savefig(tmp_path / "plane.png")
    fit.savefig(tmp_path / "fit.png")
    lit = (light > 0.1 * light.max()).any(axis=0)
    radius = jm.result.predicted.radius_map(seen, "lines", "galaxy", "metallicity")
    assert not lit.all()
    assert fit.subfigs[-1].axes[0].get_xlim()[1] == pytest.approx(1.04 * radius[lit].max())


@pytest.mark.parametrize("precision", ["float64", "float32"], indirect=True)
def test_derivatives_are_finite_at_and_beyond_the_ends_of_calibrations(simulated, precision):
    observations = {"lines": simulated}
    plans = jm.prepare(PRIOR, observations)

    @jax.jit
    @jax.value_and_grad
    def density(numbers):
        central, slope, a_v, off = numbers
        return log_likelihood(tree(galaxy(central, slope, {"R3": off, "N2": off}, a_v), observations), plans)

    for numbers in ([7.6, 0.0, 0.0, 0.0], [8.9, 0.0, 0.5, 1.0], [8.9, -0.4, 0.0, 0.0], [5.0, -3.0, 4.0, -3.0]):
        value, slopes = density(jnp.asarray(numbers))
        assert np.isfinite(value)
        assert np.all(np.isfinite(slopes))


def test_instruments_share_the_galaxy_and_its_departures():
    """[N II] of one instrument and [O III] of another, of other pixels: one departure of each ratio, a scale each."""
    emission = jm.lines.emission({"Ha": "Ha", "NII6584": "NII6584"}, "C20", law="CF00")
    red = jm.recipes.line_maps(
        {name: np.zeros((6, 7)) for name in emission.features},
        emission,
        psf=lambda wavelength: jm.instrument.Gaussian(fwhm=0.6 * (wavelength / 5000.0) ** -0.2),
        sigma=0.01,
        pixel_scale=0.4,
        scale=dist.LogNormal(0.0, 0.05),
        sky={"Ha": jm.Sky(level=dist.Normal(0.0, 0.01))},
    )
    assert red.psfs["Ha"].fwhm == pytest.approx(0.6 * 1.31292**-0.2, rel=1e-4)
    both = {"blue": line_maps(), "red": red}
    free = set(jm.sites(tree(PRIOR, both)))
    assert free >= {"scene.sources.galaxy.departures.N2", "red.scale", "red.sky.Ha.level"}
    numbers = galaxy(departures={"R3": 1.0, "N2": 2.0})
    filled = {**both, "red": jm.prior.fill(red, {"red.scale": 1.1, "scale": 1.1, "sky.Ha.level": 0.02})}
    seen, plain = (look(filled, sky) for sky in (numbers, galaxy(departures={"R3": 0.0, "N2": 0.0})))
    nii = np.asarray(seen["red"].value[1] / plain["red"].value[1])
    np.testing.assert_allclose(nii, 10 ** (2.0 * 0.16), rtol=1e-6)
    np.testing.assert_allclose(seen["red"].value[0] - seen["red"].light[0], 0.02, rtol=1e-9)


def test_bins_hold_sums():
    labels = np.add.outer(np.arange(9) // 3, np.arange(11) // 4 * 3)
    binned = jm.recipes.line_maps(
        {name: np.zeros(9) for name in FEATURES},
        line_maps().emission,
        psf=psfs(),
        sigma=1.0,
        pixel_scale=0.25,
        bins=labels,
    )
    seen = look({"pixels": line_maps(), "bins": binned}, galaxy())
    pixels, found = seen["pixels"].value, seen["bins"].value
    expected = [[np.asarray(plane)[labels == k].sum() for k in range(9)] for plane in pixels]
    np.testing.assert_allclose(found, expected, rtol=1e-9)


def test_lines_in_bins_of_their_own_are_line_maps_of_their_own():
    """Hb in strips and the others in blocks: each sums its own pixels of one scene."""
    strips, blocks = np.repeat(np.arange(9), 11).reshape(9, 11), np.add.outer(np.arange(9) // 3, np.arange(11) // 4 * 3)
    whole = line_maps()

    def binned(names, labels):
        emission = jm.lines.emission({name: FEATURES[name] for name in names}, "C20", law="CF00")
        fluxes = {name: np.zeros(labels.max() + 1) for name in names}
        psf = {name: psfs()[name] for name in names}
        return jm.recipes.line_maps(fluxes, emission, psf=psf, sigma=1.0, pixel_scale=0.25, bins=labels)

    parts = {"strips": (["Hb"], strips), "blocks": (["OIII5007", "Ha+NII"], blocks)}
    seen = look({"pixels": whole, **{name: binned(*part) for name, part in parts.items()}}, galaxy())
    for name, (features, labels) in parts.items():
        pixels = np.asarray(seen["pixels"].value)[[list(FEATURES).index(one) for one in features]]
        expected = [[plane[labels == k].sum() for k in range(labels.max() + 1)] for plane in pixels]
        np.testing.assert_allclose(seen[name].value, expected, rtol=1e-6)


MAPS = {name: np.ones(SHAPE) for name in FEATURES}
REFUSED = {
    "a PSF is missing": ({"psf": {"Hb": psfs()["Hb"]}}, "psf: expected one for every line, found none for 'OIII5007'"),
    "a PSF of another line": ({"psf": {**psfs(), "SII": psfs()["Hb"]}}, "psf: 'SII' is none of the lines"),
    "errors are missing": ({"sigma": {"Hb": 0.1}}, "sigma: expected errors of 'OIII5007'"),
    "errors without a line": ({"sigma": np.ones(SHAPE)}, "sigma: expected a number, or one map for each line"),
    "errors twice": ({"ivar": 1.0}, "'Hb': errors: expected exactly one of"),
    "no datum": ({"used": {"Hb": np.zeros(SHAPE, bool)}}, "'Hb': used: expected at least one True"),
    "bins of maps": ({"bins": np.zeros(SHAPE, int)}, "fluxes of 'Hb': expected one sum for each of the 1 bins"),
    "a mask of another line": ({"used": {"SII": np.ones(SHAPE, bool)}}, "used: 'SII' is none of the lines"),
    "a jitter beside a noise": (
        {"sigma": None, "noise": jm.likelihood.Gaussian(sigma=0.1), "jitter": 0.05},
        "jitter: expected none beside `noise`",
    ),
    "a free jitter beside a noise": (
        {"sigma": None, "noise": jm.likelihood.Gaussian(sigma=0.1), "jitter": dist.HalfNormal(0.1)},
        "jitter: expected none beside `noise`",
    ),
    "sky of another line": ({"sky": {"Hg": jm.Sky()}}, "sky: 'Hg' is none of the lines"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_used_is_refused(name):
    changed, sentence = REFUSED[name]
    options = {"psf": psfs(), "sigma": 0.1, "pixel_scale": 0.25, **changed}
    with pytest.raises(InputError) as refused:
        jm.recipes.line_maps(MAPS, line_maps().emission, **options)
    assert str(refused.value).startswith(sentence)


@pytest.mark.parametrize(
    ("fluxes", "sentence"),
    [
        ({**MAPS, "OIII5007": np.ones((9, 12))}, "fluxes: expected the same pixels for all lines"),
        ({**MAPS, "SII": np.ones(SHAPE)}, "fluxes: 'SII' is none of the lines that the emission models"),
        ({"Hb": np.ones(SHAPE)}, "fluxes: expected all that the emission models"),
    ],
)
def test_lines_that_do_not_belong_together_are_refused(fluxes, sentence):
    with pytest.raises(InputError) as refused:
        jm.recipes.line_maps(fluxes, line_maps().emission, psf=psfs(), sigma=0.1, pixel_scale=0.25)
    assert str(refused.value).startswith(sentence)


@pytest.mark.parametrize(
    ("sky", "sentence"),
    [
        (galaxy(departures={"R33": STANDARD}), "departures of source 'galaxy': expected one of"),
        (jm.Scene(sources={"galaxy": source(GALAXY)}), "Observation 'lines' shows the light 'Ha'"),
    ],
)
def test_scenes_that_do_not_shine_in_the_lines_are_refused(sky, sentence):
    shown = line_maps() if "R3" in sentence or "departures" in sentence else line_maps(light="Ha")
    with pytest.raises(InputError) as refused:
        jm.prepare(sky, {"lines": shown})
    assert str(refused.value).startswith(sentence)
