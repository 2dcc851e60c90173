"""Many galaxies side by side: each answer is that of a fit alone, and one bad galaxy stops no other."""

import dataclasses
import os
import subprocess
import sys

import jax
import jax.numpy as jnp
import numpy as np
import numpyro.distributions as dist
import pytest

import jaxmetal as jm
from jaxmetal.fit.galaxies import together
from jaxmetal.fit.memory import fitting
from jaxmetal.fit.method import Options
from jaxmetal.fit.padding import padded
from jaxmetal.fit.problem import log_density, make
from jaxmetal.model import tree
from jaxmetal.numerics.lengths import longer, narrower
from jaxmetal.prepared import predictions
from jaxmetal.prior import split

PROFILE = "sources.disc.carries.metallicity.profile."
SLOPE = "scene." + PROFILE + "slope"
TRUTH = {PROFILE + "central": 8.6, PROFILE + "slope": -0.2}


def galaxy(name, seed, shape=(9, 12), *, fwhm=0.5, r_eff=0.7, bins=None):
    """A noisy map of a gradient and its prior."""
    prior = jm.Scene(
        sources={
            "disc": jm.Source(
                frame=jm.frame.Disc(x0=0.05, y0=0.0, q=0.7, pa=30.0),
                lights={"line": jm.light.Sersic(flux=1.0, r_eff=r_eff, n=1.0)},
                carries={
                    "metallicity": jm.Carried(
                        profile=jm.tracer.Gradient(central=dist.Uniform(7.0, 9.5), slope=dist.Normal(0.0, 0.3)),
                        weight="line",
                    )
                },
            )
        }
    )
    grid, psf = jm.Grid.regular(shape, 0.2), jm.instrument.Gaussian(fwhm=fwhm)
    count = shape if bins is None else (bins.n,)
    observation = jm.WeightedMap(
        data=np.zeros(count),
        noise=jm.likelihood.Gaussian(sigma=np.full(count, 0.05)),
        grid=grid,
        psf=psf,
        properties=("metallicity",),
        mixing=jm.mixing.Dex(),
        used=np.ones(count, bool),
        bins=bins,
    )
    model = jm.fill(prior, TRUTH)
    seen = {"map": observation}
    exact = predictions(seen, model, jm.prepare(model, seen))["map"].value
    noisy = np.asarray(exact) + 0.05 * np.random.default_rng(seed).standard_normal(count)
    return jm.fit.Galaxy(name=name, scene=prior, observations={"map": dataclasses.replace(observation, data=noisy)})


def changed(one, **parts):
    """A galaxy with other data."""
    return dataclasses.replace(one, observations={"map": dataclasses.replace(one.observations["map"], **parts)})


def fitted(galaxies, **options):
    return dict(jm.fit.batch(galaxies, progress=False, **{"draws": 100, **options}))


@pytest.fixture(scope="module")
def mixed():
    """Galaxies of two shapes that are padded to the same, the last of the shape of the first."""
    shapes = [(9, 12), (10, 11), (9, 12)]
    return [galaxy(f"g{i}", i, shape, r_eff=0.6 + 0.02 * i) for i, shape in enumerate(shapes)]


def test_a_batch_finds_what_single_fits_find(mixed):
    together_ = fitted(mixed, pad=True)
    for one in mixed[:2]:
        alone = jm.fit.auto(one.scene, one.observations, draws=100, progress=False)
        for site, draws in alone.draws.items():
            sd = float(draws.std())
            assert together_[one.name].best[site] == pytest.approx(alone.best[site], abs=1e-4 * sd)
            found = together_[one.name].draws[site]
            assert np.median(found) == pytest.approx(np.median(draws), abs=0.35 * sd)
            assert found.std() == pytest.approx(sd, rel=0.35)


def test_neither_order_nor_neighbours_change_an_answer(mixed):
    first, second = fitted([mixed[0], mixed[2]]), fitted([mixed[2], galaxy("other", 5), mixed[1], mixed[0]])
    for name in ("g0", "g2"):
        np.testing.assert_array_equal(first[name].draws[SLOPE], second[name].draws[SLOPE])
    other = fitted(mixed[:1], seed=1)["g0"]
    assert not np.array_equal(other.draws[SLOPE], first["g0"].draws[SLOPE])


def test_galaxies_of_one_kind_compile_once():
    """As many again, of other data and numbers; or one more, while the searches fill arrays of the same length."""
    found = []
    listening = [True]

    def listen(event, duration, **_):
        if listening and event == "/jax/core/compile/backend_compile_duration":
            found.append(event)

    jax.monitoring.register_event_duration_secs_listener(listen)
    fitted([galaxy(name, seed) for seed, name in enumerate("abc")])
    begun = len(found)
    again = fitted([galaxy("d", 3, r_eff=0.9), galaxy("e", 4, fwhm=0.501), galaxy("f", 5), galaxy("g", 6)])
    assert len(found) == begun
    assert len(again) == 4
    jax.jit(lambda x: x + 1)(0.0)
    listening.clear()
    assert len(found) > begun  # it did listen


def test_a_bad_galaxy_is_reported_and_the_others_are_fitted():
    dark = galaxy("dark", 1)
    noise = dark.observations["map"].noise
    dark = changed(dark, noise=dataclasses.replace(noise, scale=1e-200))
    exact = changed(galaxy("exact", 1), noise=dataclasses.replace(noise, sigma=np.zeros((9, 12))))
    lost = dataclasses.replace(galaxy("lost", 2), scene=jm.Scene(sources={}))
    outside = dataclasses.replace(galaxy("outside", 2), start={SLOPE: np.zeros(3)})
    blank = changed(galaxy("blank", 2), used=np.zeros((9, 12), bool))
    empty = dataclasses.replace(galaxy("empty", 2), observations={})
    spoilt = changed(galaxy("spoilt", 2), data=np.where(np.eye(9, 12) > 0, np.nan, 8.5))
    found = fitted([dark, lost, galaxy("good", 3), outside, blank, empty, spoilt, exact])
    refused = {name: str(result) for name, result in found.items() if isinstance(result, jm.InputError)}
    assert set(refused) == {"dark", "lost", "outside", "blank", "empty", "spoilt", "exact"}
    assert "found 'map' masked everywhere" in refused["blank"]
    assert "found no observation" in refused["empty"]
    assert "data of 'map': expected finite numbers wherever `used` is True, found 9 of 108" in refused["spoilt"]
    assert "noise.sigma of 'map': expected numbers within (0, inf) wherever there are data" in refused["exact"]
    assert "not finite at any start" in refused["dark"]
    assert found["good"].best[SLOPE] == pytest.approx(-0.2, abs=0.15)


def test_a_start_of_ones_own_is_heard(mixed):
    near = [dataclasses.replace(mixed[0], start={SLOPE: -0.25}), mixed[2]]
    found = fitted(near, method="map")
    assert found["g0"].best[SLOPE] == pytest.approx(fitted(mixed[:1], method="map")["g0"].best[SLOPE], abs=1e-5)


@pytest.mark.parametrize("bins", [None, jm.Bins(labels=np.arange(9 * 11).reshape(9, 11) // 9, n=11)])
def test_padding_leaves_the_posterior_density_as_it_is(bins):
    one = galaxy("one", 1, (9, 11), bins=bins)
    wide = padded(one.observations)
    assert wide["map"].grid.shape == (10, 12)
    assert int(np.sum(wide["map"].used)) == one.observations["map"].used.size
    problems = [make(one.scene, seen) for seen in (one.observations, wide)]
    point = np.array([0.3, -0.1])
    narrow, padded_ = (float(jax.jit(log_density)(problem, point)) for problem in problems)
    assert padded_ == pytest.approx(narrow, abs=2e-4)


def test_memory_limits_how_many_are_fitted_together():
    problem = make(galaxy("a", 1).scene, galaxy("a", 1).observations)
    assert together(problem, Options(), 10.0) == 256
    assert together(problem, Options(), 1e-6) == 1
    assert 1 < together(problem, Options(), 0.05) < 256


def test_rows_together_stay_within_the_memory_that_is_granted():
    asked = []

    def hungry(row):
        square = jnp.outer(row, row)
        return jnp.sum(jnp.sin(square @ square) @ square)

    def compiled(length):
        asked.append(length)
        return jax.jit(jax.vmap(hungry)).lower(jax.ShapeDtypeStruct((length, 64), float)).compile()

    def taken(program):
        account = program.memory_analysis()
        assert account.temp_size_in_bytes > account.argument_size_in_bytes + account.output_size_in_bytes
        moved = account.argument_size_in_bytes + account.output_size_in_bytes
        return account.temp_size_in_bytes + 2 * moved

    row, whole = 64 * 8, taken(compiled(64))
    limit = whole // 3
    assert fitting(compiled, 64, 0, row, whole).length == 64
    short = fitting(compiled, 64, 0, row, limit)
    assert (short.length, asked) == (16, [64, 64, 64, 16])
    assert taken(short.program) <= limit < taken(compiled(32))
    with pytest.raises(jm.InputError, match=r"One row of this fit needs 1\.\d+ MiB on each device, found 1 MiB"):
        fitting(compiled, 64, 2**20, row, 2**20)


def test_a_settled_lens_is_not_carried_by_every_galaxy():
    one, shape = galaxy("one", 1), (40, 50)
    grid = jm.Grid.regular(shape, 0.2)
    bend = 0.2 * np.asarray(grid.centres()[0])
    maps = jm.lens.Tabulated(alpha_x=bend, alpha_y=0.0 * bend, grid=grid)
    lensed = dataclasses.replace(one.scene, lens={"cluster": maps})
    settled = make(lensed, one.observations)
    whole = dataclasses.replace(settled, skeleton=split(tree(lensed, one.observations))[0])
    carried = [{np.shape(leaf) for leaf in jax.tree.leaves(problem)} for problem in (settled, whole)]
    assert [shape in shapes for shapes in carried] == [False, True]
    densities = [float(jax.jit(log_density)(problem, np.array([0.3, -0.1]))) for problem in (settled, whole)]
    assert densities[0] == pytest.approx(densities[1], rel=1e-12)
    free = dataclasses.replace(lensed, lens={"cluster": dataclasses.replace(maps, scale=dist.Normal(1.0, 0.1))})
    assert shape in {np.shape(leaf) for leaf in jax.tree.leaves(make(free, one.observations))}


def test_lengths_and_widths_are_few_and_close():
    lengths = [longer(n) for n in range(1, 200)]
    assert len(set(lengths)) < 30
    assert all(n <= m <= 1.25 * n + 1 for n, m in zip(range(1, 200), lengths, strict=True))
    widths = np.geomspace(0.3, 30.0, 200)
    found = np.array([narrower(w, 0.3) for w in widths])
    assert np.all((found <= widths * (1 + 1e-8)) & (found > widths / 1.26))


def test_a_name_twice_and_nonsense_are_reported_and_the_others_fitted():
    odd = dataclasses.replace(galaxy("odd", 1), observations={"map": None})
    found = list(jm.fit.batch([galaxy("a", 1), galaxy("a", 2), odd], method="map", progress=False))
    assert sorted(name for name, _ in found) == ["a", "a", "odd"]
    said = sorted(str(result) for _, result in found if isinstance(result, jm.InputError))
    assert "cannot be prepared" in said[0]
    assert "Two galaxies are named 'a'" in said[1]


def test_a_negative_seed_is_refused():
    with pytest.raises(jm.InputError, match=r"from 0 to 2\^63 - 1, found -1"):
        fitted([galaxy("a", 1)], seed=-1)


OPTIONS = {
    "method": ("magic", "Unknown method 'magic'"),
    "chains": (0, "chains: expected a whole number of at least 1 and at most 1000, found 0"),
    "draws": (1, "draws: expected a whole number of at least 4 and at most 1000000, found 1"),
    "warmup": (-1, "warmup: expected a whole number of at least 0"),
    "target_accept": (1.0, "target_accept: expected a number between 0 and 1"),
    "start_count": (0.5, "start_count: expected a whole number of at least 1 and at most 1000, found 0.5"),
    "memory": (0.0, "memory: expected GiB above 0"),
}


@pytest.mark.parametrize("option", OPTIONS)
def test_impossible_options_are_refused_before_anything_is_fitted(option):
    value, words = OPTIONS[option]
    with pytest.raises(jm.InputError, match=words):
        jm.fit.batch([], progress=False, **{option: value})


def test_an_acceptance_is_a_number():
    for value in ({"type": "Disc"}, [0.9], True, "0.9"):
        with pytest.raises(jm.InputError, match="target_accept: expected a number between 0 and 1"):
            jm.fit.batch([], progress=False, target_accept=value)


def test_galaxies_before_an_error_are_fitted_before_it_is_raised():
    def galaxies():
        yield galaxy("a", 1)
        raise jm.InputError("The next file is broken; mend it.")

    found = jm.fit.batch(galaxies(), method="map", progress=False)
    assert next(found)[0] == "a"
    with pytest.raises(jm.InputError, match="next file is broken"):
        next(found)


SHARDED = """
import sys
import jax, numpy as np
jax.config.update("jax_enable_x64", True)
import jaxmetal as jm
from jaxmetal.fit import memory, rows
from test_batch import NUTS, SLOPE, fitted, pair
memory.UNSAID, plain, blocks = int(sys.argv[1]) / memory.SHARE, rows.fitting, []
rows.fitting = lambda *given: blocks.append((given, plain(*given))) or blocks[-1][1]
found = fitted(pair(), **NUTS)
print(len(jax.local_devices()), *(f"{v:.9f}" for n in "ab" for v in found[n].draws[SLOPE].ravel()[:3]))
for given, block in blocks:
    account = block.program.memory_analysis()
    taken = account.temp_size_in_bytes + account.argument_size_in_bytes + account.output_size_in_bytes
    print("block", given[1], block.length, taken)
memory.UNSAID = 1000
for said in fitted(pair(), method="map").values():
    print("refused", said)
"""


NUTS = {"method": "nuts", "warmup": 50, "draws": 50, "chains": 2, "start_count": 1}
"""Short chains: what is compared are their first draws."""


def pair():
    return [galaxy("a", 1), galaxy("b", 2)]


def test_rows_spread_over_devices_give_the_same_draws():
    """By NUTS, which runs everything that a fit computes in rows: densities, gradients, chains and parameters."""
    limit = 2_000_000
    environment = os.environ | {
        "XLA_FLAGS": os.environ.get("XLA_FLAGS", "") + " --xla_force_host_platform_device_count=2",
        "PYTHONPATH": os.pathsep.join(sys.path),
        "JAX_PLATFORMS": "cpu",
        "JAX_DISABLE_MOST_OPTIMIZATIONS": "1",
    }
    done = subprocess.run(
        [sys.executable, "-c", SHARDED, str(limit)], env=environment, capture_output=True, text=True, check=True
    )
    said = [line.split() for line in done.stdout.splitlines()]
    here = fitted(pair(), **NUTS)
    assert (len(jax.local_devices()), said[0][0]) == (1, "2")
    alone = np.concatenate([here[name].draws[SLOPE].ravel()[:3] for name in "ab"])
    # Trajectories amplify the rounding of another program: 1e-6 was seen.
    np.testing.assert_allclose(np.array(said[0][1:], float), alone, atol=0.01 * here["a"].draws[SLOPE].std())
    widest, lengths, taken = np.array([line[1:] for line in said if line[0] == "block"], int).T
    assert np.any(lengths < widest)
    assert np.all(taken <= limit)
    refused = [" ".join(line[1:]) for line in said if line[0] == "refused"]
    assert len(refused) == 2
    assert all("One row of this fit needs" in line for line in refused)
