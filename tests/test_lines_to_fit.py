"""`jaxmetal lines --fit`: the fit of the fluxes that the configuration of the spaxels describes."""

import dataclasses
import json

import jax
import numpy as np
import numpyro.distributions as dist
import pytest
from configured import replace
from fits_files import refused
from flux_maps import GRID, KEPT, ORIGIN, fluxes, in_bins, write_lines

import jaxmetal as jm
from jaxmetal.cli import lines, main
from jaxmetal.edge.errors import InputError
from jaxmetal.io import write_maps
from jaxmetal.io.config.lines import read_lines
from jaxmetal.io.config.lines.as_fit import read_fit_of_lines
from jaxmetal.model import tree
from jaxmetal.prior import sites


@pytest.fixture(autouse=True)
def double_precision():
    yield
    jax.config.update("jax_enable_x64", True)


@pytest.fixture
def path(tmp_path):
    return write_lines(tmp_path)


def test_the_same_files_lines_and_calibrations(path):
    replace(path, 'sigma = "OII_ERR"', 'sigma = "OII_ERR"\npsf = {type = "Gaussian", fwhm = 0.6}')
    replace(path, 'calibrations = "M08"', 'calibrations = "C20"\na_v_range = [0.0, 2.0]\nlaw = "Calzetti00"')
    job = read_fit_of_lines(path)
    seen = job.observations["lines"]
    np.testing.assert_allclose(np.moveaxis(seen.data, 0, -1)[KEPT], fluxes()[0][KEPT])
    assert seen.emission.features == ("OII", "Hb", "OIII5007", "Ha+NII")
    assert {one.name for one in seen.emission.calibrations} == {"C20.R2", "C20.R3", "C20.N2"}
    assert (seen.psfs["OII"].fwhm, seen.psfs["Hb"].fwhm) == (0.6, 0.5)
    law = jm.lines.emission(seen.emission.features, "C20", law="Calzetti00")
    np.testing.assert_array_equal(seen.emission.extinction, law.extinction)
    disc = job.scene.sources["disc"]
    assert set(disc.departures) == {"R2", "R3", "N2"}
    assert disc.carries["extinction"].profile.value.high == 2.0
    assert job.kpc_per_arcsec == pytest.approx(6.685, rel=1e-3)


def test_the_prior_is_sized_by_the_brightest_line(path):
    scene, disc = read_fit_of_lines(path).scene, jm.frame.Disc(q=0.8, pa=30.0)
    found = scene.sources["disc"]
    # Light falls as exp(-r) about the origin, 300 per pixel, so that r_eff is 1.678.
    assert float(found.frame.x0.loc) == pytest.approx(0.0, abs=0.2)
    assert 0.3 < float(np.exp(found.lights["Hbeta"].r_eff.loc)) < 2.0
    x, y = (np.asarray(a)[KEPT] for a in GRID.centres())
    seen = 300.0 * np.exp(-np.hypot(x, y)).sum()
    assert abs(float(found.lights["Hbeta"].flux.loc) - np.log(seen)) < found.lights["Hbeta"].flux.scale
    observed = read_fit_of_lines(path).observations["lines"]
    known = jm.recipes.line_gradient(observed, frame=disc, a_v_range=(0.0, 0.0), z_range=(8.0, 9.0))
    assert known.sources["disc"].frame is disc
    assert known.sources["disc"].carries["extinction"].profile.value == 0.0
    assert isinstance(known.sources["disc"].carries["metallicity"].profile.central, dist.Uniform)


def test_a_scale_of_the_fluxes_is_none_of_the_light(path):
    observed = read_fit_of_lines(path).observations["lines"]
    noise = dataclasses.replace(observed.noise, sigma=0.01 * observed.noise.sigma)
    scaled = dataclasses.replace(observed, data=0.01 * observed.data, noise=noise, scale=0.01)
    known, found = (
        jm.recipes.line_gradient(one).sources["disc"].lights["Hbeta"].flux.loc for one in (observed, scaled)
    )
    assert float(found) == pytest.approx(float(known), abs=1e-9)


@pytest.mark.parametrize(("turn", "along"), [(0.0, (8, 7)), (90.0, (7, 8))])
def test_a_field_of_departures_reaches_over_the_disc(turn, along):
    """The sky stretched by 1/q along the minor axis, or as much of the disc as shines."""
    shape, step, q = (15, 17), 0.3, 0.5
    row, column = np.indices(shape) - np.array([7, 8])[:, None, None]
    calibrations = jm.lines.emission(["Hb", "OIII5007"], "C20")

    def extent(size):
        bright = 100.0 * np.exp(-1.678 * step * np.hypot(row, column) / size)
        seen = jm.recipes.line_maps(
            {"Hb": bright, "OIII5007": bright},
            calibrations,
            psf=jm.instrument.Gaussian(fwhm=0.3),
            sigma=0.01,
            pixel_scale=step,
            varying=["R3"],
        )
        frame = jm.frame.Disc(q=q, pa=turn)
        made = jm.recipes.line_gradient(seen, frame=frame, small_scale=(0.3, 1.5))
        field = made.sources["disc"].carries["departure_R3"].profile
        light = made.sources["disc"].lights["Hbeta"]
        return field.extent, float(np.exp(light.r_eff.loc)), field.weights.shape()[0]

    wide, _, modes = extent(3.0)
    assert wide == pytest.approx(step * max(along[1], along[0] / q))
    assert modes >= 6.0 * wide / 1.5 - 1.0
    narrow, r_eff, _ = extent(0.4)
    assert narrow == pytest.approx(4.0 * r_eff)
    assert narrow < wide


def test_a_mask_of_all_lines_is_taken(path):
    """It is a file of its own there; the fit takes an extension of the lines' file for a text."""
    bad = (np.indices(GRID.shape)[0] == 3).astype(float)
    write_maps(path.parent / "mask.fits", {"bad": bad}, GRID, ORIGIN)
    replace(path, "[features.OII]", 'mask = "mask.fits"\nmask_means = "reject"\n[features.OII]')
    used = np.asarray(read_fit_of_lines(path).observations["lines"].used)
    np.testing.assert_array_equal(used, np.broadcast_to(KEPT & (bad == 0), used.shape))


def test_sources_and_dust_that_are_known_are_taken(path):
    replace(path, "[data]\n", "[data]\ndereddened = true\n")
    path.write_text(path.read_text() + '\n[run]\nseed = 7\n\n[recipe]\nname = "line_gradient"\nfree_geometry = false\n')
    job = read_fit_of_lines(path)
    assert job.settings["seed"] == 7
    assert not [name for name in sites(tree(job.scene, job.observations)) if ".frame." in name]
    path.write_text(path.read_text().split("[recipe]")[0])
    free = sites(tree(*(lambda job: (job.scene, job.observations))(read_fit_of_lines(path))))
    assert not [name for name in free if "extinction" in name]


def test_an_own_recipe_and_fit_take_what_they_do_not_state(path):
    replace(path, 'calibrations = "M08"', 'calibrations = "M08"\nz_range = [8.0, 9.0]\na_v_range = [0.0, 0.0]')
    replace(path, "[data]\n", "[data]\ndereddened = true\n")
    path.write_text(path.read_text() + '\n[run]\nseed = 7\n[fit]\ndraws = 50\n[recipe]\nname = "line_gradient"\n')
    job = read_fit_of_lines(path)
    carries = job.scene.sources["disc"].carries
    assert carries["extinction"].profile.value == 0.0
    assert (carries["metallicity"].profile.central.low, carries["metallicity"].profile.central.high) == (8.0, 9.0)
    assert (job.settings["seed"], job.settings["draws"]) == (7, 50)
    path.write_text(path.read_text().replace("[fit]\n", "[fit]\nseed = 3\n") + "z_range = [7.5, 9.0]\n")
    job = read_fit_of_lines(path)
    assert job.scene.sources["disc"].carries["metallicity"].profile.central.low == 7.5
    assert job.settings["seed"] == 3


SOURCES = """
[sources.disc]
frame = {type = "Disc", q = 0.8, pa = 30.0}
lights.Hbeta = {type = "Exponential", flux = 100.0, r_eff = 1.0}
carries.metallicity = {weight = "Hbeta", profile = {type = "Constant", value = 8.5}}
carries.extinction = {weight = "Hbeta", profile = {type = "Constant", value = 0.5}}
"""


def test_ranges_beside_sources_are_said_to_be_unused(path):
    replace(path, 'calibrations = "M08"', 'calibrations = "M08"\nz_range = [8.0, 9.0]')
    path.write_text(path.read_text() + SOURCES)
    found = [str(finding) for finding in read_fit_of_lines(path).findings]
    assert sum("WARNING: likelihood.z_range: not used by --fit beside [sources]" in one for one in found) == 1
    assert not [one for one in found if "dereddened" in one]
    replace(path, "[data]\n", "[data]\ndereddened = true\n")
    assert any("data.dereddened: not used" in finding.text for finding in read_fit_of_lines(path).findings)


def test_the_command_fits_and_its_bare_form_does_not(path, monkeypatch, capsys):
    called = []
    monkeypatch.setattr("jaxmetal.cli.fit.fit_job", lambda job, folder, **how: called.append((job, folder, how)))
    monkeypatch.chdir(path.parent)
    assert main(["lines", str(path), "--fit", "--quiet"]) == 0
    ((job, folder, how),) = called
    assert "lines" in job.observations
    assert folder.name == "lines-results"
    assert how["quiet"]
    assert json.dumps(job.configuration["recipe"]) == '{"name": "line_gradient"}'
    assert lines.OF_FIT == "-results"


BAD = {
    "no PSF": ('psf = {type = "Gaussian", fwhm = 0.5}\n', "", "data.psf: expected the point-spread function for --fit"),
    "a selection": (
        "[regions.centre]",
        '[selection]\nrule = "wang"\n[regions.centre]',
        "selection: --fit takes every flux",
    ),
    "a paper": ('type = "fluxes"\ncalibrations = "M08"', 'type = "patricio19"', "the likelihood of a paper"),
    "no such source": ("[regions.centre]", "[sources]\n[regions.centre]", "sources: expected at least one source"),
    "an empty range": ('calibrations = "M08"', 'calibrations = "M08"\nz_range = [9.0, 8.0]', "ranges from low to high"),
    "a mean of Hb": (
        'calibrations = "M08"',
        'calibrations = "M08"\nhb_mean = 3.0',
        "likelihood.hb_mean: expected none for --fit",
    ),
    "a misspelt option": ('calibrations = "M08"', 'calibration = "M08"', "did you mean 'calibrations'?"),
    "dust of a recipe": (
        "[data]",
        '[recipe]\nname = "line_gradient"\na_v_range = [0.0, 1.0]\n[data]\ndereddened = true',
        "recipe.a_v_range: expected no dust in fluxes that are dereddened, found (0.0, 1.0); remove it",
    ),
    "a map in a recipe": (
        "[regions.centre]",
        '[recipe]\nname = "gradient"\nlight = "light"\n[regions.centre]',
        'add one of kind "map"',
    ),
}


def test_dust_in_dereddened_fluxes_is_refused_as_without_fit(path):
    replace(path, "[data]\n", "[data]\ndereddened = true\n")
    replace(path, 'calibrations = "M08"', 'calibrations = "M08"\na_v_range = [0.0, 1.0]')
    said = "likelihood.a_v_range: expected no dust in fluxes that are dereddened, found (0.0, 1.0); remove it"
    refused(lambda: read_fit_of_lines(path), said)
    refused(lambda: read_lines(path), said)


@pytest.mark.parametrize("name", BAD)
def test_what_cannot_be_fitted_is_refused_in_a_sentence(path, name, capsys):
    old, new, said = BAD[name]
    replace(path, old, new)
    assert main(["lines", str(path), "--fit", "-o", str(path.parent / "out")]) == 2
    error = capsys.readouterr().err
    assert said in error
    assert "Traceback" not in error
    assert not (path.parent / "out").exists()


def test_bins_are_refused(tmp_path):
    with pytest.raises(InputError, match=r"data\.bins: expected maps in pixels for --fit"):
        read_fit_of_lines(in_bins(tmp_path))
