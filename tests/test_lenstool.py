"""Lenstool's parameter files against its own formulae, written out in numpy."""

import numpy as np
import pytest
from astropy import units
from astropy.cosmology import LambdaCDM
from compiled import bent, distortion
from configured import write_galaxy
from fits_files import refused

import jaxmetal as jm
from jaxmetal.io import from_lenstool
from jaxmetal.io.config import read_config
from jaxmetal.lens import Members, Plane, Stack

PAR = """
runmode
    reference     3 150.1 2.2
    inverse       3 0.5 # a comment
    end
potentiel O1
    profil       81
    x_centre     1.5
    y_centre     -0.7
    ellipticite  0.5
    angle_pos    20.0
    core_radius_kpc  30.0
    cut_radius   200.0
    v_disp       900.0
    z_lens       0.35
    end
limit O1
    v_disp 1 500 1200 1.0
    end
potential O2
    profil       81
    x_centre     -8.0
    ellipticite  0.0
    core_radius  0.5
    cut_radius   20.0
    v_disp       300.0
    z_lens       0.35
    end
potfile
    filein  3 galaxies.cat
    type 81
    zlens 0.35
    mag0 19.5
    corekpc 0.15
    sigma 0 158.0 27.0
    cutkpc 0 45.0 5.0
    slope 0 4.0 0.0
    vdslope 0 4.0 0.0
    end
cosmology
    model 1
    H0 70.0
    omegaM 0.3
    omegaX 0.7
    end
fini
ignored
"""
GALAXIES = """#REFERENCE 0
1 150.1010 2.2005 0.6 0.3 30.0 19.5 0
2 150.0990 2.2000 0.5 0.5 0.0 21.0 0
"""
COSMOLOGY = LambdaCDM(70.0, 0.3, 0.7)
FAR = """
[sources.behind]
z = 2.0
frame = {type = "Disc", q = 1.0, pa = 0.0}
lights.halpha = {type = "Sersic", flux = 1.0, r_eff = 0.5, n = 1.0}

[observations.images]
kind = "positions"
data = "images.ecsv"
sigma = 0.1
"""
X, Y = np.random.default_rng(3).uniform(-6.0, 6.0, (2, 20))


@pytest.fixture
def path(tmp_path):
    (tmp_path / "galaxies.cat").write_text(GALAXIES)
    (tmp_path / "best.par").write_text(PAR)
    return tmp_path / "best.par"


def kappa(x, y, sigma, e, angle, core, cut, z_source):
    """Of Lenstool's `e_grad2` and Kassiola & Kovner's elliptical radius, with x West."""
    ratio = 1.0 - COSMOLOGY.comoving_distance(0.35) / COSMOLOGY.comoving_distance(z_source)
    b0 = np.degrees(6 * np.pi * (sigma / 299792.458) ** 2) * 3600 * float(ratio)
    q = np.sqrt((1 - e) / (1 + e))
    eps = (1 - q) / (1 + q)
    along = ((X - x) + 1j * (Y - y)) * np.exp(-1j * np.radians(angle))
    r2 = (along.real / (1 + eps)) ** 2 + (along.imag / (1 - eps)) ** 2
    return 0.5 * b0 * cut / (cut - core) * (1 / np.sqrt(core**2 + r2) - 1 / np.sqrt(cut**2 + r2))


def test_potentials_and_galaxies_are_lenstools(path):
    z = 1.9
    model = from_lenstool(path, z)
    kpc = COSMOLOGY.kpc_proper_per_arcmin(0.35).value / 60.0
    L, west = 10 ** (-0.4 * 1.5), 3600.0 * np.cos(np.radians(2.2))
    expected = (
        kappa(1.5, -0.7, 900.0, 0.5, 20.0, 30.0 / kpc, 200.0, z)
        + kappa(-8.0, 0.0, 300.0, 0.0, 0.0, 0.5, 20.0, z)
        + kappa(-0.001 * west, 1.8, 158.0, 0.6, 30.0, 0.15 / kpc, 45.0 / kpc, z)
        + kappa(0.001 * west, 0.0, 158.0 * L**0.25, 0.0, 0.0, 0.15 / kpc * L**0.5, 45.0 / kpc * L**0.5, z)
    )
    assert (sorted(model.lens), model.z_lens) == (["O1", "O2", "galaxies"], 0.35)
    assert isinstance(model.lens["galaxies"], Members)
    np.testing.assert_allclose(distortion(Plane(parts=model.lens), X, Y).kappa, expected, rtol=1e-5)


def test_many_potentials_are_one_stack_and_positions_are_told_from_any_origin(path):
    one = PAR[PAR.index("potentiel O1") : PAR.index("limit")]
    many = "".join(one.replace("O1", f"A{k}").replace("900.0", f"{50 + k}.0") for k in range(12))
    path.write_text(PAR.replace(one, one + many))
    model = from_lenstool(path, 1.9)
    assert isinstance(model.lens["potentials"], Stack)
    assert model.lens["potentials"].of.b0.shape == (14,)
    moved = from_lenstool(path, 1.9, model.origin.spherical_offsets_by(0 * units.arcsec, 2 * units.arcsec))
    np.testing.assert_allclose(moved.lens["potentials"].of.y0, model.lens["potentials"].of.y0 - 2.0, atol=1e-6)


def test_a_centre_on_the_sky_is_told_from_the_reference(path):
    """18 arcsec to the East and 36 to the North, from another origin 2 arcsec further North."""
    one = PAR[PAR.index("potentiel O1") : PAR.index("limit")]
    ra = 150.1 + 18.0 / 3600.0 / np.cos(np.radians(2.21))
    on_sky = one.replace("x_centre     1.5", f"x_centre_wcs {ra:.9f}").replace("y_centre     -0.7", "y_centre_wcs 2.21")
    path.write_text(
        PAR.replace(one, on_sky.replace("profil ", "identity BCG\n    mag 19.1\n    ellip_pot 0.0\n    profil "))
    )
    model = from_lenstool(path, 1.9)
    np.testing.assert_allclose([model.lens["O1"].x0, model.lens["O1"].y0], [-18.0, 36.0], atol=1e-3)
    origin = model.origin.spherical_offsets_by(0 * units.arcsec, 2 * units.arcsec)
    moved = from_lenstool(path, 1.9, origin).lens["O1"]
    np.testing.assert_allclose([moved.x0, moved.y0], [-18.0, 34.0], atol=1e-3)


def test_a_cluster_in_toml(path):
    config = write_galaxy(path.parent)
    config.write_text(config.read_text() + '\n[lens.cluster]\nlenstool = "best.par"\n')
    job = read_config(config)
    expected = bent(Plane(parts=from_lenstool(path, 0.5, job.origin).lens), X, Y)
    np.testing.assert_allclose(bent(job.scene.lens["cluster"], X, Y), expected, rtol=1e-10)
    assert any("lens.cluster: 3 lenses at z = 0.35" in finding.text for finding in job.findings)
    jm.prepare(job.scene, job.observations)
    config.write_text(config.read_text().replace("z = 0.5", "z = 0.3"))
    refused(lambda: read_config(config), "z_source must lie behind z_lens = 0.35")


def test_ratios_of_distances_have_the_cosmology_of_the_file(path):
    """Those of another source and of another family of images, beside another cosmology for kpc."""
    path.write_text(PAR.replace("omegaM 0.3", "omegaM 0.2").replace("omegaX 0.7", "omegaX 0.8"))
    config = write_galaxy(path.parent)
    rows = [["a", 1.0, 0.0, 0.5], ["a", -1.0, 0.5, 0.5], ["b", 2.0, 0.0, 2.0], ["b", -2.0, 0.1, 2.0]]
    columns = dict(zip(("family", "x", "y", "z"), zip(*rows, strict=True), strict=True))
    jm.io.write_table(path.parent / "images.ecsv", {key: np.array(column) for key, column in columns.items()})
    text = config.read_text() + FAR + '\n[lens.cluster]\nlenstool = "best.par"\n'
    config.write_text(text)
    job, own = read_config(config), LambdaCDM(70.0, 0.2, 0.8)
    lens, near, far = (own.comoving_distance(z).value for z in (0.35, 0.5, 2.0))
    expected = (1.0 - lens / far) / (1.0 - lens / near)
    assert job.scene.sources["behind"].distance_ratio == pytest.approx(expected, rel=1e-6)
    assert job.observations["images"].distance_ratio["b"] == pytest.approx(expected, rel=1e-6)
    assert job.kpc_per_arcsec == pytest.approx(COSMOLOGY.kpc_proper_per_arcmin(0.5).value / 60.0, rel=1e-6)
    (path.parent / "other.par").write_text(PAR)
    config.write_text(text + '[lens.other]\nlenstool = "other.par"\n')
    assert any("[lens]: models of several cosmologies" in finding.text for finding in read_config(config).findings)


BAD = {
    "another profile": ("profil       81", "profil       14", "potential O1: expected profil 81 (dPIE), found 14"),
    "no dispersion": ("    v_disp       900.0\n", "", "potential O1: expected 'v_disp', found none"),
    "a word": ("v_disp       900.0", "v_disp       high", "expected a number as 'v_disp', found 'high'"),
    "no core": ("    core_radius  0.5\n", "", "expected core_radius (arcsec) or core_radius_kpc, found neither"),
    "no redshift": ("    z_lens       0.35\n    end\nlimit", "    end\nlimit", "potential O1: expected 'z_lens'"),
    "two planes": ("zlens 0.35", "zlens 0.4", "one redshift of all lenses, found 0.35 and 0.4"),
    "no reference": ("reference     3 150.1 2.2", "", "expected 'reference 3 RA DEC' in runmode, found 'none'"),
    "no cosmology": ("cosmology\n", "forgotten\n", "expected a section cosmology, found none"),
    "another cosmology": ("model 1", "model 3", "expected model 1 (w0, wa), found 3"),
    "other columns": ("filein  3", "filein  2", "expected filein 1 or 3 and a catalogue, found 2 galaxies.cat"),
    "a dispersion between bounds": (
        "sigma 0 158.0 27.0",
        "sigma 1 120.0 200.0",
        "potfile: expected 'sigma 0 VALUE', found 'sigma 1 120.0 200.0', the prior of a free number",
    ),
    "a cut around a mean": ("cutkpc 0 45.0 5.0", "cutkpc 3 40.0 8.0", "found 'cutkpc 3 40.0 8.0', the prior of"),
    "a free slope": ("vdslope 0", "vdslope 1", "found 'vdslope 1 4.0 0.0', the prior of a free number"),
    "a flag alone": ("sigma 0 158.0 27.0", "sigma 158.0", "expected a number as 'sigma', found '158.0'"),
    "no catalogue": ("galaxies.cat", "missing.cat", "the catalogue"),
    "an ellipse that is none": ("ellipticite  0.5", "ellipticite  1.2", "'ellipticite' within [0, 1), found 1.2"),
    "a negative ellipticity": ("ellipticite  0.5", "ellipticite  -0.5", "'ellipticite' within [0, 1), found -0.5"),
    "a negative dispersion": ("v_disp       900.0", "v_disp       -900.0", "'v_disp' within [0, inf), found -900"),
    "no number": ("v_disp       900.0", "v_disp       nan", "'v_disp' within [0, inf), found nan"),
    "a negative core": ("core_radius  0.5", "core_radius  -0.5", "'core_radius' within [0, inf), found -0.5"),
    "no cut": ("cut_radius   20.0", "cut_radius   0.0", "O2: expected 'cut_radius' within (0, inf), found 0"),
    "no Hubble constant": ("H0 70.0", "H0 0.0", "cosmology: expected 'h0' within (0, inf), found 0"),
    "a negative density": ("omegaM 0.3", "omegaM -0.3", "'omegam' within [0, inf), found -0.3"),
    "an infinite magnitude": ("mag0 19.5", "mag0 inf", "potfile: expected 'mag0' within (-inf, inf), found inf"),
    "a misspelt key": (
        "ellipticite  0.5",
        "ellipticitie 0.5",
        "potential O1: 'ellipticitie' is no known key; did you mean 'ellipticite'?",
    ),
    "a misspelt key of the galaxies": (
        "cutkpc 0",
        "cut_kpc 0",
        "potfile: 'cut_kpc' is no known key; did you mean 'cutkpc'",
    ),
    "galaxies off their relations": (
        "vdslope 0",
        "vdscatter 0 0.1 0.0\n    vdslope 0",
        "potfile: expected 'vdscatter' within [0, 0], found 0.1",
    ),
    "the ellipticity of a potential": ("ellipticite  0.5", "ellip_pot 0.2", "O1: expected the ellipticity of the mass"),
    "half a place on the sky": ("x_centre     1.5", "x_centre_wcs 150.1", "found y_centre, x_centre_wcs; state one"),
    "no declination": (
        "x_centre     1.5\n    y_centre     -0.7",
        "x_centre_wcs 150.1\n    y_centre_wcs 95.0",
        "'y_centre_wcs' within [-90, 90], found 95",
    ),
    "one name": ("potential O2", "potential O1", "found 'O1' twice"),
}


@pytest.mark.parametrize("case", BAD)
def test_files_that_cannot_be_used_are_refused(path, case):
    old, new, words = BAD[case]
    assert old in PAR
    path.write_text(PAR.replace(old, new, 1))
    refused(lambda: from_lenstool(path, 1.9), words)


def test_a_catalogue_says_what_its_positions_are_relative_to(path):
    """36 arcsec North of the reference of the potentials, and as many to the East: x grows to the West."""
    catalogue = path.parent / "galaxies.cat"
    catalogue.write_text("#REFERENCE 3 150.110007 2.21\n1 2.0 3.0 0.6 0.3 30.0 19.5 0\n")
    galaxies = from_lenstool(path, 1.9).lens["galaxies"]
    np.testing.assert_allclose((galaxies.x0[0], galaxies.y0[0]), (2.0 - 36.0, 3.0 + 36.0), atol=0.01)
    catalogue.write_text("#REFERENCE 3\n1 2.0 3.0 0.6 0.3 30.0 19.5 0\n")
    assert float(from_lenstool(path, 1.9).lens["galaxies"].y0[0]) == pytest.approx(3.0)
    catalogue.write_text("#REFERENCE 3 150.1\n1 2.0 3.0 0.6 0.3 30.0 19.5 0\n")
    refused(lambda: from_lenstool(path, 1.9), "expected '#REFERENCE kind RA DEC' in degrees, found 150.1")


ROWS = {
    "no magnitude": "1 150.1 2.2 0.5 0.3 0 nan 0",
    "a word": "1 150.1 2.2 round 0.3 0 19 0",
    "no axes": "1 150.1 2.2 0 0 0 19 0",
    "too few": "1 150.1 2.2 0.3",
}


@pytest.mark.parametrize("case", ROWS)
def test_catalogues_that_cannot_be_used_are_refused(path, case):
    (path.parent / "galaxies.cat").write_text("#REFERENCE 0\n" + ROWS[case] + "\n")
    refused(lambda: from_lenstool(path, 1.9), "galaxies.cat: expected")


def test_a_source_in_front_of_the_cluster_is_refused(path):
    refused(lambda: from_lenstool(path, 0.3), "z_source must lie behind z_lens = 0.35")
