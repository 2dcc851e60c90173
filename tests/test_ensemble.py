"""Ensembles of deflection maps: their modes, what a fit makes of them, their files, and what is refused."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from configured import GRID, ORIGIN, replace, write_galaxy
from fits_files import refused
from numpyro.distributions import Normal

from jaxmetal import lens as jl
from jaxmetal.io import write_maps
from jaxmetal.io.config import read_config
from jaxmetal.lens.ensemble import check_ensemble, from_members
from jaxmetal.model import log_likelihood, tree
from jaxmetal.numerics.grid import Grid
from jaxmetal.observation.tracing import restricted
from jaxmetal.prepared import prepare
from jaxmetal.prior import fill, sites

MAP = Grid.regular((21, 26), 0.3)
RANDOM = np.random.default_rng(5)
STRENGTHS, CORES = RANDOM.normal(1.5, 0.1, 9), RANDOM.normal(0.8, 0.05, 9)
MEMBERS = np.stack(
    [
        jl.DPIE(b0=b0, core=core, cut=3.0, q=0.7, pa=30.0)(*MAP.centres())
        for b0, core in zip(STRENGTHS, CORES, strict=True)
    ]
)


def test_modes_are_the_principal_components_of_the_members():
    """All of them give every member back; their covariance is that of the members, by numpy."""
    lens = from_members(MEMBERS, MAP, variance=1.0)
    departures = (MEMBERS - MEMBERS.mean(axis=0)).reshape(9, -1)
    modes = lens.modes.reshape(len(lens.modes), -1)
    pixels = [3, 77, 500, 1000]
    np.testing.assert_allclose(modes[:, pixels].T @ modes[:, pixels], np.cov(departures[:, pixels].T), atol=1e-12)
    weights = departures @ np.linalg.pinv(modes)
    for member, drawn in zip(MEMBERS, weights, strict=True):
        found = dataclasses.replace(lens, weights=drawn)(*MAP.centres())
        np.testing.assert_allclose(found, member, atol=1e-6)
    np.testing.assert_allclose(np.mean(weights**2, axis=0), 8 / 9, rtol=1e-6)  # of unit variance, by n - 1


@pytest.mark.parametrize("variance", [0.5, 0.999, 1 - 1e-9])
def test_as_many_modes_as_keep_the_share(variance):
    lens = from_members(MEMBERS, MAP, variance=variance)
    singular = np.linalg.svd((MEMBERS - MEMBERS.mean(axis=0)).reshape(9, -1), compute_uv=False) ** 2
    shares = np.cumsum(singular) / singular.sum()
    count = len(lens.modes)
    assert shares[count - 1] >= variance
    assert count == 1 or shares[count - 2] < variance
    numbers = check_ensemble(lens, MEMBERS).numbers
    assert numbers["kept_deflection"] == pytest.approx(shares[count - 1], rel=1e-9)
    kappa = [jl.distortion(jl.DPIE(b0=b, core=c, cut=3.0, q=0.7, pa=30.0), *MAP.centres()).kappa for b, c in SHAPES]
    assert numbers["spread_convergence"] == pytest.approx(np.sqrt(np.var(kappa, axis=0, ddof=1).mean()), rel=0.1)


SHAPES = list(zip(STRENGTHS, CORES, strict=True))


def test_it_is_arrays_times_numbers_in_a_plan():
    lens = dataclasses.replace(from_members(MEMBERS, MAP), scale=0.8)
    free = dataclasses.replace(lens, weights=Normal().expand([len(lens.modes)]), amplitude=Normal(1.0, 0.05))
    theta = GRID.centres()
    now = {"cluster": dataclasses.replace(lens, weights=np.zeros(len(lens.modes)))}
    plan = restricted({"cluster": free}, now, theta)
    assert (plan.traced, list(plan.modes)) == ((), ["cluster"])
    drawn = {"cluster": dataclasses.replace(lens, weights=np.linspace(-1.0, 2.0, len(lens.modes)), amplitude=1.1)}
    np.testing.assert_allclose(plan.deflection(drawn, theta), drawn["cluster"](*theta), atol=1e-9)
    expected = 0.8 * (1.1 * lens.mean + np.tensordot(drawn["cluster"].weights, lens.modes, axes=1))
    np.testing.assert_allclose(drawn["cluster"](*MAP.centres()), expected, atol=1e-12)


LENS = '\n[lens.cluster]\ntype = "Ensemble"\nx = "x.fits"\ny = "y.fits"\nz_lens = 0.3\nz_map = "source"\n'


def write_stack(folder, members=MEMBERS, **cards):
    """Both components, each a cube."""
    from astropy.io import fits

    write_maps(folder / "one.fits", {"data": members[0, 0]}, MAP, ORIGIN, {"data": "arcsec"})
    header = fits.getheader(folder / "one.fits", 1)
    header.update(cards)
    for axis, name in enumerate("xy"):
        fits.writeto(folder / f"{name}.fits", members[:, axis], header, overwrite=True)


@pytest.fixture
def config(tmp_path):
    """A galaxy behind the ensemble."""
    made = write_galaxy(tmp_path)
    made.write_text(made.read_text() + LENS)
    write_stack(tmp_path)
    return made


def test_in_toml_with_nuisances_beside_it(config):
    """Amplitude, a small shear and the shift of one image compose; the log-density is finite with its gradient."""
    more = 'amplitude = {dist = "Normal", loc = 1.0, scale = 0.05}\nvariance = 0.99\n[lens.tilt]\ntype = "Shear"\n'
    free = '{dist = "Normal", loc = 0.0, scale = 0.01}'
    shift = f'[lens.shift]\ntype = "RegionShift"\nlabels = "labels.fits"\ndx = {{1 = {free}}}\ndy = {{1 = {free}}}\n'
    config.write_text(config.read_text() + more + f"gamma1 = {free}\ngamma2 = {free}\n" + shift)
    job = read_config(config)
    lens = job.scene.lens["cluster"]
    np.testing.assert_allclose(lens.mean, MEMBERS.mean(axis=0), atol=1e-9)
    assert lens.weights.batch_shape == (len(from_members(MEMBERS, MAP, variance=0.99).modes),)
    text = " ".join(finding.text for finding in job.findings)
    assert "lens.cluster: Modes of the 9 deflection maps: 2, with " in text
    assert "curl-free" in text
    plans, prior = prepare(job.scene, job.observations), tree(job.scene, job.observations)
    start = {name: jnp.asarray(one.mean) for name, one in sites(prior).items()}
    start["scene.sources.disc.carries.metallicity.profile.slope"] = jnp.asarray(-0.2)  # 0 shows no lens
    density = jax.jit(jax.value_and_grad(lambda values, plans: log_likelihood(fill(prior, values), plans)))
    value, slope = density(start, plans)
    assert np.isfinite(value)
    bad = {name: leaf for name, leaf in slope.items() if not (np.isfinite(leaf).all() and np.all(leaf != 0.0))}
    assert not bad


def test_a_list_of_files_is_a_stack(config):
    for k, member in enumerate(MEMBERS):
        for axis, name in enumerate("xy"):
            write_maps(config.parent / f"{name}{k}.fits", {"data": member[axis]}, MAP, ORIGIN)
    expected = read_config(config).scene.lens["cluster"]
    for name in "xy":
        replace(config, f'{name} = "{name}.fits"', f"{name} = {[f'{name}{k}.fits' for k in range(9)]}")
    np.testing.assert_allclose(read_config(config).scene.lens["cluster"].modes, expected.modes, atol=1e-9)


def test_what_cannot_be_is_refused(config):
    """In words that name the table, each in one sentence."""
    folder = config.parent
    flipped, gap = MEMBERS.copy(), MEMBERS.copy()
    flipped[4, 0] *= -1.0
    gap[2, 1, 3, 3] = np.nan
    cases = {
        "one member": (MEMBERS[:1], {}, "one stack of two maps or more, 3-D, but holds"),
        "all alike": (np.repeat(MEMBERS[:1], 3, axis=0), {}, "must differ, but are all alike"),
        "a gap": (gap, {}, "a number in every pixel, but 2 of 9828 hold none"),
        "a flipped member": (flipped, {}, "Member 5 ("),
        "pixels": (MEMBERS, {"BUNIT": "pix"}, "must be in arcsec, but its BUNIT is 'pix'"),
    }
    for members, cards, words in cases.values():
        write_stack(folder, members, **cards)
        refused(lambda: read_config(config), "lens.cluster", words)
    write_stack(folder)
    replace(config, 'y = "y.fits"', 'y = ["one.fits", "small.fits"]')
    replace(config, 'x = "x.fits"', 'x = ["one.fits", "one.fits"]')
    refused(lambda: read_config(config), "share their pixels, but have shapes (21, 26) and (7, 5)")
    replace(config, '["one.fits", "small.fits"]', '["one.fits"]')
    refused(lambda: read_config(config), "as many maps along x as along y, but has 2 along x and 1 along y")
    replace(config, '["one.fits", "one.fits"]', '["one.fits"]')
    refused(lambda: read_config(config), "lens.cluster", "two members or more, each with maps of both components")
    replace(config, 'y = ["one.fits"]', 'y = "one.fits"')
    refused(lambda: read_config(config), "one stack of two maps or more, 3-D, but holds")


OPTIONS = {
    "an unknown option": ("members = 3", "lens.cluster", "'members'"),
    "no share": ("variance = 0.0", "lens.cluster", "a share above 0, at most 1, found 0.0"),
    "too large a share": ("variance = 2.0", "lens.cluster", "a share above 0, at most 1, found 2.0"),
    "a word": ('variance = "all"', "lens.cluster.variance", "expected a number"),
}


@pytest.mark.parametrize("case", OPTIONS)
def test_options_that_cannot_be_are_refused(config, case):
    line, *words = OPTIONS[case]
    config.write_text(config.read_text() + line + "\n")
    refused(lambda: read_config(config), *words)


def test_maps_that_do_not_cover_the_data_are_told(config):
    small = Grid.regular((7, 8), 0.15)
    lens = from_members(MEMBERS[:, :, 7:14, 9:17], small)
    scene = dataclasses.replace(read_config(config).scene, lens={"cluster": lens})
    refused(lambda: prepare(scene, read_config(config).observations), "cover")


@pytest.mark.parametrize(("label", "why"), [("99", "is the label of no pixel"), ("0", "stays where it is")])
def test_a_shift_of_no_region_is_refused(config, label, why):
    shift = (
        f'[lens.shift]\ntype = "RegionShift"\nlabels = "labels.fits"\ndx = {{{label} = 0.1}}\ndy = {{{label} = 0.1}}\n'
    )
    config.write_text(config.read_text() + shift)
    refused(lambda: read_config(config), "lens.shift", why)
