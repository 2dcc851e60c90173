"""One redshift of each source: what bends it and what turns arcsec into kpc are the same."""

import numpy as np
import pytest
from astropy.cosmology import FlatLambdaCDM
from astropy.table import Table
from configured import GRID, ORIGIN, replace, write_galaxy
from fits_files import refused

from jaxmetal.io import write_maps
from jaxmetal.io.config import read_config
from jaxmetal.run import read_catalogue

LENS = '\n[lens.cluster]\ntype = "Tabulated"\nx = "alpha_x.fits"\ny = "alpha_y.fits"\nz_lens = 0.3\nz_map = "inf"\n'
SIE = '\n[lens.cluster]\ntype = "SIE"\ntheta_e = 1.0\n'
COSMOLOGY = FlatLambdaCDM(H0=70.0, Om0=0.3)
SECOND = """
[sources.behind]
frame = {{type = "Disc", q = 1.0, pa = 0.0}}
lights.halpha = {{type = "Sersic", flux = 1.0, r_eff = 0.5, n = 1.0}}
{}
"""


def ratio(z, lens=0.3):
    """D_LS/D_S in flat space."""
    return float(1.0 - COSMOLOGY.comoving_distance(lens) / COSMOLOGY.comoving_distance(z))


@pytest.fixture
def path(tmp_path):
    made = write_galaxy(tmp_path)
    for axis, along in zip("xy", GRID.centres(), strict=True):
        write_maps(tmp_path / f"alpha_{axis}.fits", {"data": 0.3 * np.asarray(along)}, GRID, ORIGIN, {"data": "arcsec"})
    made.write_text(made.read_text() + LENS)
    return made


def test_deflections_are_for_the_redshift_of_the_galaxy(path):
    job = read_config(path)
    assert not any("curl" in one.text for one in job.findings if one.severity != "info"), "a sheet of mass has none"
    assert job.scene.lens["cluster"].scale == pytest.approx(ratio(0.5), rel=1e-6)
    replace(path, 'z_map = "inf"', "z_map = 2.0")
    assert read_config(path).scene.lens["cluster"].scale == pytest.approx(ratio(0.5) / ratio(2.0), rel=1e-6)


def test_a_column_of_redshifts_moves_the_sources_of_every_galaxy(path):
    redshifts = [0.4, 0.6, 0.2]
    Table({"name": ["a", "b", "c"], "galaxy.z": redshifts}).write(path.parent / "sample.ecsv")
    catalogue = read_catalogue(path.parent / "sample.ecsv", path)
    for i, z in enumerate(redshifts[:2]):
        job = catalogue.job(i)
        assert job.scene.lens["cluster"].scale == pytest.approx(ratio(z), rel=1e-6)
        kpc = COSMOLOGY.kpc_proper_per_arcmin(z).value / 60.0
        assert job.scales == {"disc": pytest.approx(kpc, rel=1e-9)}
    words = "galaxy.z: expected a source behind the lens (lens.cluster.z_lens = 0.3), found 0.2"
    refused(lambda: catalogue.job(2), words)


def test_shared_maps_are_not_at_the_redshift_of_each_galaxy(path):
    replace(path, 'z_map = "inf"', 'z_map = "source"')
    Table({"name": ["a", "b"], "galaxy.z": [0.4, 0.6]}).write(path.parent / "sample.ecsv")
    refused(lambda: read_catalogue(path.parent / "sample.ecsv", path), "'galaxy.z' of several redshifts", "z_map")
    Table({"name": ["a", "b"], "galaxy.z": [0.4, 0.4]}).write(path.parent / "same.ecsv")
    assert read_catalogue(path.parent / "same.ecsv", path).job(1).scene.lens["cluster"].scale == 1.0


def test_a_source_may_have_its_own_redshift(path):
    path.write_text(path.read_text() + SECOND.format("z = 2.0"))
    job = read_config(path)
    sources = job.scene.sources
    assert sources["disc"].distance_ratio == 1.0
    assert sources["behind"].distance_ratio == pytest.approx(ratio(2.0) / ratio(0.5), rel=1e-6)
    assert job.scales["behind"] == pytest.approx(COSMOLOGY.kpc_proper_per_arcmin(2.0).value / 60.0)
    assert job.scales["disc"] == job.kpc_per_arcsec


def test_a_distance_ratio_stands_in_the_place_of_a_redshift(path):
    path.write_text(path.read_text() + SECOND.format("distance_ratio = 0.0"))
    job = read_config(path)
    assert job.scene.sources["behind"].distance_ratio == 0.0
    assert set(job.scales) == {"disc"}


def test_without_the_galaxy_s_the_first_source_s_redshift_is_the_deflections_own(path):
    replace(path, "z = 0.5", "")
    path.write_text(path.read_text() + SECOND.format("z = 2.0"))
    refused(lambda: read_config(path), "sources.disc: expected a redshift z or a distance_ratio", "found neither")
    replace(path, "[sources.disc.frame]", "[sources.disc]\ndistance_ratio = 0.4\n[sources.disc.frame]")
    job = read_config(path)
    assert job.scene.lens["cluster"].scale == pytest.approx(ratio(2.0), rel=1e-6)
    assert job.kpc_per_arcsec is None


BAD = {
    "of a lens": ("z_lens = 0.3", "z_lens = 0.3\nz_source = 0.6", ["lens.cluster.z_source", "galaxy.z"]),
    "no redshift": ("z = 0.5", "", ["lens.cluster", "found none; state it as galaxy.z"]),
    "no lens": ("z_lens = 0.3\n", "", ["lens.cluster: the key 'z_lens' is missing"]),
    "in front": ("[sources.disc.frame]", "[sources.disc]\nz = 0.2\n[sources.disc.frame]", ["sources.disc.z: expected"]),
    "at the lens": ("z = 0.5", "z = 0.3", ["galaxy.z: expected a source behind the lens", "found 0.3"]),
    "twice": (
        "[sources.disc.frame]",
        "[sources.disc]\nz = 2.0\ndistance_ratio = 1.2\n[sources.disc.frame]",
        ["sources.disc: expected a redshift or a distance_ratio, found both"],
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_contradicting_redshifts_are_refused(path, case):
    old, new, words = BAD[case]
    replace(path, old, new)
    refused(lambda: read_config(path), *words)


def test_a_lens_of_no_redshift_bends_sources_of_one(tmp_path):
    path = write_galaxy(tmp_path)
    path.write_text(path.read_text() + SIE)
    assert read_config(path).scene.sources["disc"].distance_ratio == 1.0
    path.write_text(path.read_text() + SECOND.format("z = 2.0"))
    refused(lambda: read_config(path), "sources.behind.z", "found none; state z_lens in [lens]")
    replace(path, "theta_e = 1.0", "theta_e = 1.0\nz_lens = 0.3")
    assert read_config(path).scene.sources["behind"].distance_ratio == pytest.approx(ratio(2.0) / ratio(0.5), rel=1e-6)
