"""Lenses in TOML: by name, with strengths from velocity dispersions, galaxies from catalogues, maps of all kinds."""

import numpy as np
import pytest
from astropy import units
from astropy.cosmology import FlatLambdaCDM
from astropy.table import Table
from compiled import bent, distortion, potential
from configured import GRID, ORIGIN, replace, write_galaxy
from fits_files import refused

from jaxmetal import lens as jl
from jaxmetal.fit.quantiles import quantiles
from jaxmetal.io import write_maps
from jaxmetal.io.config import read_config
from jaxmetal.numerics.grid import Grid
from jaxmetal.prepared import prepare

LENSES = """
[lens.halo]
type = "DPIE"
velocity_dispersion = 800.0
core = 5.0
cut = 300.0
q = 0.7
pa = 30.0
z_lens = 0.3
[lens.galaxies]
type = "Members"
catalogue = "members.ecsv"
mag_star = 19.0
b0 = {dist = "Normal", loc = 1.0, scale = 0.1}
core = 0.01
cut = 5.0
[lens.power]
type = "EPL"
theta_e = 1.0
gamma = {dist = "Normal", loc = 2.0, scale = 0.1}
[lens.many]
type = "Stack"
of = {type = "SIS", theta_e = [0.1, 0.2], x0 = [1.0, 2.0], y0 = [0.0, 3.0]}
[lens.boxy]
type = "Multipole"
m = 4
amplitude = 0.01
"""
WIDE = Grid.regular((60, 50), 0.2)


@pytest.fixture
def path(tmp_path):
    made = write_galaxy(tmp_path)
    made.write_text(made.read_text() + LENSES)
    galaxies = {"ra": [150.1, 150.101], "dec": [2.2, 2.201], "mag": [19.0, 21.5], "q": [1.0, 0.6], "pa": [0.0, 40.0]}
    Table(galaxies).write(tmp_path / "members.ecsv")
    return made


def test_lenses_by_name_with_strengths_and_galaxies_from_elsewhere(path):
    lens = read_config(path).scene.lens
    cosmology = FlatLambdaCDM(H0=70.0, Om0=0.3)
    ratio = 1.0 - cosmology.comoving_distance(0.3) / cosmology.comoving_distance(0.5)
    expected = 6 * np.pi * (800.0 / 299792.458) ** 2 * float(ratio) * units.rad.to(units.arcsec)
    assert lens["halo"].b0 == pytest.approx(expected, rel=1e-9)
    np.testing.assert_allclose(lens["galaxies"].luminosity, [1.0, 0.1])
    np.testing.assert_allclose(lens["galaxies"].x0, [0.0, -3.6 * np.cos(np.radians(2.2))], rtol=1e-4)
    np.testing.assert_allclose(lens["galaxies"].y0, [0.0, 3.6], rtol=1e-4, atol=1e-9)
    np.testing.assert_allclose(lens["galaxies"].q, [1.0, 0.6])
    one, other = jl.SIS(theta_e=0.1, x0=1.0), jl.SIS(theta_e=0.2, x0=2.0, y0=3.0)
    expected = np.add(bent(one, 0.3, 0.4), bent(other, 0.3, 0.4))
    np.testing.assert_allclose(bent(lens["many"], 0.3, 0.4), expected)
    assert (lens["boxy"].m, lens["power"].terms) == (4, 32)


def test_lenses_at_two_redshifts_are_said_to_be_in_one_plane(path):
    def said():
        return [finding.text for finding in read_config(path).findings if "one plane" in finding.text]

    assert said() == []
    replace(path, "m = 4", "m = 4\nz_lens = 0.4")
    assert said() == [
        "[lens]: lenses at z = 0.3 and 0.4 bend light as if in one plane; rays between them are not followed."
    ]


BAD = {
    "no redshift of the lens": ("z_lens = 0.3\n", "", ["lens.halo: the key 'z_lens' is missing"]),
    "no redshift of the source": ("z = 0.5", "", ["lens.halo", "found none; state it as galaxy.z"]),
    "two strengths": ("core = 5.0", "core = 5.0\nb0 = 1.0", ["lens.halo: expected b0 or a velocity_dispersion"]),
    "in front": ("z = 0.5", "z = 0.25", ["galaxy.z: expected a source behind the lens", "found 0.25"]),
    "an uncertain dispersion": ("velocity_dispersion = 800.0", 'velocity_dispersion = "high"', ["expected a number"]),
    "a dispersion below 0": (
        "velocity_dispersion = 800.0",
        'velocity_dispersion = {dist = "Normal", loc = 800.0, scale = 50.0}',
        ["lens.halo.velocity_dispersion: expected a number or a prior of numbers above 0", "TruncatedNormal"],
    ),
    "no magnitude of L*": ("mag_star = 19.0\n", "", ["lens.galaxies: the key 'mag_star' is missing"]),
    "twice": ("mag_star = 19.0", "mag_star = 19.0\nq = 0.5", ["lens.galaxies.q: expected it once"]),
    "a series without terms": ('type = "EPL"', 'type = "EPL"\nterms = 0', ["terms", "within [1, 1000], found 0"]),
    "no such lens": ('"EPL"', '"PowerLaw"', ["lens.power.type: 'PowerLaw' is none of"]),
    "a dispersion of another": (
        'type = "EPL"',
        'type = "EPL"\nvelocity_dispersion = 200.0',
        ["lens.power: 'EPL' takes no"],
    ),
    "a dipole": ("m = 4", "m = 1", ["a whole order m of 2 or more", "found 1"]),
    "no table": ("[lens.halo]", "[lens]\nm = 3\n[lens.halo]", ["lens.m: expected a table or the name", "found 3"]),
    "no name": ("[lens.halo]", '[lens]\ntype = "SIE"\n[lens.halo]', ["lens: expected a table of each", "[lens.NAME]"]),
    "a round that is none": ("q = 0.7", "q = 0.0", ["lens.halo.q", "within (0, 1], found 0"]),
}


def test_a_prior_of_a_dispersion_is_one_of_the_strength(path):
    prior = '{dist = "Uniform", low = 500.0, high = 1000.0}'
    fixed = read_config(path).scene.lens["halo"].b0
    replace(path, "velocity_dispersion = 800.0", f"velocity_dispersion = {prior}")
    job = read_config(path)
    strength = job.scene.lens["halo"].b0
    replace(path, "high = 1000.0}", "high = 1000.0, start = 800.0}")
    assert read_config(path).settings["start"] == {"scene.lens.halo.b0": pytest.approx(fixed)}
    np.testing.assert_allclose(strength.icdf(0.6), fixed, rtol=1e-6)  # 800 km/s
    np.testing.assert_allclose(strength.icdf(0.0), fixed * (500.0 / 800.0) ** 2, rtol=1e-6)
    assert quantiles(strength).value(0.0) == pytest.approx(fixed * (750.0 / 800.0) ** 2, rel=1e-6)
    assert any("fitted as lens.halo.b0" in str(finding) for finding in job.findings)


@pytest.mark.parametrize("case", BAD)
def test_what_cannot_be_is_refused(path, case):
    old, new, words = BAD[case]
    replace(path, old, new)

    def read():
        job = read_config(path)
        prepare(job.scene, job.observations)

    refused(read, *words)


CATALOGUES = {
    "no places": ({"ra": [1.0], "mag": [19.0]}, "expected columns ra and dec"),
    "no light": ({"x0": [1.0], "y0": [1.0]}, "expected a column luminosity"),
    "a gap": ({"x0": [1.0, np.nan], "y0": [1.0, 2.0], "mag": [19.0, 20.0]}, "found 1 without 'x0'"),
}


@pytest.mark.parametrize("case", CATALOGUES)
def test_catalogues_that_cannot_be_used_are_refused(path, case):
    columns, words = CATALOGUES[case]
    Table(columns).write(path.parent / "members.ecsv", overwrite=True)
    refused(lambda: read_config(path), "lens.galaxies.catalogue", words)


@pytest.fixture
def mapped(tmp_path):
    """A galaxy behind one lens, given by maps."""
    made = write_galaxy(tmp_path)
    lens = '\n[lens.cluster]\ntype = "Tabulated"\nMAPS\nz_lens = 0.3\nz_map = "source"\n'
    made.write_text(made.read_text() + lens)
    return made


CORED = jl.NIE(theta_e=1.0, core=0.6, q=0.7, pa=30.0)


@pytest.mark.parametrize(("holds", "error"), [("potential", 1e-3), ("convergence", 0.02)])
def test_a_deflection_from_one_map(mapped, holds, error):
    lens = CORED if holds == "potential" else jl.DPIE(b0=1.5, core=0.6, cut=1.2, q=0.7, pa=30.0)
    at = WIDE.centres()
    values = potential(lens, *at) if holds == "potential" else distortion(lens, *at).kappa
    write_maps(mapped.parent / "one.fits", {"data": np.asarray(values)}, WIDE, ORIGIN)
    replace(mapped, "MAPS", f'{holds} = "one.fits"')
    found = read_config(mapped).scene.lens["cluster"]
    x, y = GRID.centres()
    np.testing.assert_allclose(bent(found, x, y), bent(lens, x, y), atol=error)


@pytest.mark.parametrize("z_map", ["[1.0]", "true", "0.2", '"near"'])
def test_maps_at_no_redshift_are_refused(mapped, z_map):
    write_maps(mapped.parent / "one.fits", {"data": np.asarray(potential(CORED, *WIDE.centres()))}, WIDE, ORIGIN)
    replace(mapped, "MAPS", 'potential = "one.fits"')
    replace(mapped, 'z_map = "source"', f"z_map = {z_map}")
    refused(lambda: read_config(mapped), "lens.cluster: z_map must be a redshift behind z_lens = 0.3")


def test_a_published_model_says_how_it_was_read(mapped):
    lens = jl.DPIE(b0=1.5, core=0.6, cut=1.2, q=0.7, pa=30.0)
    east, north = (np.asarray(a) / 0.2 for a in lens(*WIDE.centres()))
    shear = np.asarray(distortion(lens, *WIDE.centres()).gamma)
    maps = {"one": -east, "two": north, "gamma": shear, "kappa": np.asarray(distortion(lens, *WIDE.centres()).kappa)}
    for name, values in maps.items():
        write_maps(mapped.parent / f"{name}.fits", {"data": values}, WIDE, ORIGIN)
    replace(mapped, "MAPS", 'x = "one.fits"\ny = "two.fits"\nunit = "pixel"\naxes = "found"')
    read = read_config(mapped)
    x, y = GRID.centres()
    np.testing.assert_allclose(bent(read.scene.lens["cluster"], x, y), bent(lens, x, y), atol=3e-3)
    assert any("read with the sign of the x map reversed" in one.text for one in read.findings)
    replace(mapped, 'unit = "pixel"\naxes = "found"', 'shear = "gamma.fits"')
    refused(lambda: read_config(mapped), "shear")
    replace(mapped, 'x = "one.fits"\ny = "two.fits"', 'convergence = "kappa.fits"')
    assert any("makes the shear of the shear map" in one.text for one in read_config(mapped).findings)


def test_turned_and_mirrored_pixels_have_the_same_deflection():
    lens = jl.DPIE(b0=1.5, core=0.6, cut=1.2, q=0.7, pa=30.0, x0=0.3)
    turned = Grid(shape=(80, 90), origin=np.array([-8.85, -1.8]), matrix=0.15 * np.array([[0.6, 0.8], [0.8, -0.6]]))
    at = turned.centres()
    for made, error in (
        (jl.from_potential(potential(lens, *at), turned), 1e-3),
        (jl.from_convergence(distortion(lens, *at).kappa, turned), 0.05),
    ):
        x, y = turned.to_sky(np.array([40.3, 50.2]), np.array([40.1, 45.9]))
        np.testing.assert_allclose(bent(made, x, y), bent(lens, x, y), atol=error)


MAPS = {
    "two kinds": ('potential = "one.fits"\nconvergence = "one.fits"', 1.0, "expected the maps x and y, or one of"),
    "a gap": ('potential = "one.fits"', np.nan, "a number in every pixel, but 1 of 3000 hold none"),
    "no lens at all": ('convergence = "one.fits"', "arcsec", "must be without a unit, but its BUNIT is 'arcsec'"),
}


@pytest.mark.parametrize("case", MAPS)
def test_maps_that_cannot_be_used_are_refused(mapped, case):
    text, first, words = MAPS[case]
    values = np.array(potential(CORED, *WIDE.centres()))
    unit = {"data": first} if isinstance(first, str) else {}
    if not unit:
        values[0, 0] = first
    write_maps(mapped.parent / "one.fits", {"data": values}, WIDE, ORIGIN, unit)
    replace(mapped, "MAPS", text)
    refused(lambda: read_config(mapped), words)
