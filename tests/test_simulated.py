"""`jaxmetal simulate --galaxies`: what it writes is what was drawn, and what `jaxmetal batch` reads."""

import contextlib
import io
import json
import shlex
import tomllib

import numpy as np
import pytest
from astropy import units
from astropy.table import Table

from jaxmetal.cli import main
from jaxmetal.cli.commands import parser
from jaxmetal.cli.sample import configuration, draw
from jaxmetal.io.config import read_config
from jaxmetal.io.cosmology import kpc_per_arcsec
from jaxmetal.run import read_catalogue
from jaxmetal.simulate import INSTRUMENTS

COUNT, SEED, INSTRUMENT = 3, 5, "SINFONI"


@pytest.fixture(scope="module")
def drawn():
    return draw(COUNT, INSTRUMENT, SEED)


@pytest.fixture(scope="module")
def said(tmp_path_factory):
    """What the command prints, and its folder."""
    folder = tmp_path_factory.mktemp("simulated") / "sample"
    command = ["simulate", "--galaxies", str(COUNT), "--seed", str(SEED), "--instrument", INSTRUMENT]
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        assert main([*command, "-o", str(folder)]) == 0
    return printed.getvalue(), folder


@pytest.fixture(scope="module")
def written(said):
    return said[1]


@pytest.fixture(scope="module")
def catalogue(written):
    return read_catalogue(written / "sample.ecsv", written / "shared.toml")


@pytest.fixture(scope="module")
def jobs(catalogue):
    return [catalogue.job(i) for i in range(COUNT)]


@pytest.fixture(scope="module")
def truth(written):
    return Table.read(written / "truth.ecsv")


def test_every_galaxy_of_the_catalogue_is_read_as_it_was_drawn(drawn, catalogue, jobs, truth):
    assert catalogue.names == list(truth["name"]) == ["galaxy_1", "galaxy_2", "galaxy_3"]
    for i, (galaxy, job) in enumerate(zip(drawn.galaxies, jobs, strict=True)):
        assert (job.name, job.findings) == (catalogue.names[i], ())
        assert job.kpc_per_arcsec == pytest.approx(truth["kpc_per_arcsec"][i], rel=1e-12)
        assert job.observations.keys() == galaxy.observations.keys()
        for name, seen in galaxy.observations.items():
            read, used = job.observations[name], np.asarray(seen.used)
            np.testing.assert_array_equal(read.used, used)
            np.testing.assert_allclose(np.asarray(read.data)[used], np.asarray(seen.data)[used])
            found, made = (np.broadcast_to(np.asarray(one.noise.sigma), used.shape)[used] for one in (read, seen))
            np.testing.assert_allclose(found, made)
            assert float(read.psf.fwhm) == drawn.instrument.fwhm
            assert np.sqrt(read.grid.pixel_area) == pytest.approx(drawn.instrument.pixel)


def test_the_truth_is_what_was_drawn(drawn, catalogue, truth):
    expected = {
        "log_mass": ("log_mass", units.dex(units.Msun)),
        "galaxy.z": ("redshift", None),
        "disc.metallicity.slope_per_kpc": ("gradient", units.dex / units.kpc),
        "disc.metallicity.slope": ("slope", units.dex / units.arcsec),
        "disc.metallicity.central": ("central", units.dex),
        "disc.halpha.r_eff": ("r_eff", units.arcsec),
        "r_eff_kpc": ("r_eff_kpc", units.kpc),
        "disc.frame.q": ("q", None),
        "disc.frame.pa": ("pa", units.deg),
    }
    for column, (name, unit) in expected.items():
        np.testing.assert_array_equal(truth[column], drawn.truths[name])
        assert (truth[column].unit, bool(truth[column].description)) == (unit, True)
    for i, galaxy in enumerate(drawn.galaxies):
        disc = galaxy.truth.sources["disc"]
        assert disc.carries["metallicity"].profile.slope == truth["disc.metallicity.slope"][i]
        assert disc.lights["halpha"].r_eff == truth["disc.halpha.r_eff"][i]
    for name in ("galaxy.z", "log_mass"):
        np.testing.assert_array_equal(catalogue.table[name], truth[name])
        assert catalogue.table[name].unit == truth[name].unit


def test_position_angles_are_known_to_their_errors(jobs, truth):
    priors = [job.scene.sources["disc"].frame.pa for job in jobs]
    pulls = (np.array([prior.loc for prior in priors]) - truth["disc.frame.pa"]) / [prior.scale for prior in priors]
    assert 0.1 < np.std(pulls) < 2.5
    assert np.max(np.abs(pulls)) < 3.5


def test_the_shared_file_shows_the_first_galaxy(written, jobs):
    alone, first = read_config(written / "shared.toml"), jobs[0]
    assert alone.name == first.name
    assert alone.kpc_per_arcsec == pytest.approx(first.kpc_per_arcsec, rel=1e-4)
    assert {str(path) for path in alone.inputs.values()} == {str(path) for path in first.inputs.values()}
    assert json.loads((written / "provenance.json").read_text())["configuration"] == {
        "command": "simulate",
        "galaxies": COUNT,
        "instrument": INSTRUMENT,
    }


@pytest.mark.parametrize("instrument", INSTRUMENTS)
def test_priors_are_as_wide_as_the_galaxies_are_large(instrument, catalogue):
    made = tomllib.loads(configuration(instrument, catalogue.table[0]))
    disc = made["sources"]["disc"]
    r_eff = np.exp(disc["lights"]["halpha"]["r_eff"]["loc"])
    assert disc["carries"]["metallicity"]["profile"]["slope"]["scale"] * r_eff == pytest.approx(0.5, rel=0.05)
    assert made["observations"]["metallicity"]["psf"]["fwhm"] == INSTRUMENTS[instrument].fwhm < 3.0 * r_eff
    # 2.6 kpc: of the relation at 10^9.8 solar masses and z = 1.75.
    if instrument not in ("MUSE", "MaNGA"):
        assert r_eff * kpc_per_arcsec(1.75) == pytest.approx(2.64, abs=0.03)


def test_the_next_commands_are_printed(said):
    batch, population = (shlex.split(line)[1:] for line in said[0].splitlines()[1:])
    given = parser().parse_args(batch)
    assert read_catalogue(given.catalogue, given.config).names[0] == "galaxy_1"
    assert parser().parse_args(population).table == f"{given.out}/results.ecsv"


BAD = {
    "no galaxies": (["--galaxies", "0"], "--galaxies: expected a whole number from 1 on, found 0"),
    "a negative seed": (["--galaxies", "2", "--seed", "-1"], "a whole number from 0 to 2^63 - 1, found -1"),
    "a seed that no file holds": (["--seed", str(10**400)], "a whole number from 0 to 2^63 - 1, found 1000"),
    "the same for lines": (["--lines", "--seed", str(2**63)], "a whole number from 0 to 2^63 - 1, found 9223"),
    "a cliff": (["--slope", "1e300"], "--slope: expected -100 to 100 dex/arcsec, found 1e+300"),
    "no such instrument": (["--galaxies", "2", "--instrument", "NIRIS"], "did you mean 'NIRISS'?"),
    "an instrument for one galaxy": (["--instrument", "MUSE"], "found MUSE, but only samples have a choice"),
    "a slope for a sample": (["--galaxies", "2", "--slope", "0"], "found 0.0, but the galaxies of a sample"),
}


@pytest.mark.parametrize("case", BAD)
def test_what_cannot_be_simulated_is_refused_in_one_sentence(case, tmp_path, capsys):
    options, words = BAD[case]
    assert main(["simulate", *options, "-o", str(tmp_path / "sample")]) == 2
    error = capsys.readouterr().err
    assert words in error
    assert error.count("\n") == 1
    assert not list(tmp_path.iterdir())
