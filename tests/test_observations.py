"""The contract of an observation, tried on every kind; and that nobody outside the room asks which kind one is."""

import dataclasses
import re
from pathlib import Path

import jax
import numpy as np
import numpyro.distributions as dist
import pytest
from compiled import predict
from test_long_slit import scene as galaxy
from test_long_slit import slit

import jaxmetal as jm
from jaxmetal.observation import Quantity, is_observation, used_pixels
from jaxmetal.prepared import predictions

SHAPE = (9, 12)
GRID = jm.Grid.regular(SHAPE, 0.2)
PSF = jm.instrument.Gaussian(fwhm=0.5)
DATA = np.full(SHAPE, 8.5)


def scene(central, slope):
    one = galaxy(central, slope).sources["disc"]
    dust = jm.Carried(profile=jm.tracer.Constant(value=0.5), weight="line")
    return jm.Scene(sources={"disc": dataclasses.replace(one, carries={**one.carries, "extinction": dust})})


EMISSION = jm.lines.emission(["Hb", "OIII5007", "Ha+NII"], "C20")


def lines(**fields):
    shared = fields.pop("psf", PSF)
    wider = jm.instrument.Moffat(fwhm=0.7, beta=3.0)
    return jm.recipes.line_maps(
        {name: DATA for name in EMISSION.features},
        EMISSION,
        light="line",
        sigma=0.1,
        grid=GRID,
        psf={"Hb": shared, "OIII5007": wider, "Ha+NII": PSF},
        **fields,
    )


KINDS = {
    "image": lambda **fields: jm.recipes.light_image(
        DATA, light="line", sigma=0.1, grid=GRID, **{"psf": PSF, **fields}
    ),
    "map": lambda **fields: jm.recipes.metallicity_map(DATA, sigma=0.1, grid=GRID, **{"psf": PSF, **fields}),
    "bins": lambda **fields: jm.recipes.metallicity_map(
        DATA,
        sigma=0.1,
        grid=GRID,
        bins=np.add.outer(np.arange(9) // 3, np.arange(12) // 4 * 3),
        **{"psf": PSF, **fields},
    ),
    "lines": lambda **fields: lines(**fields),
    "slit": lambda **fields: slit(**{"x0": fields.pop("dx", 0.0), "psf": PSF, **fields}),
}


@pytest.fixture(params=KINDS)
def kind(request):
    return KINDS[request.param]


def test_it_says_what_it_is(kind):
    one = kind()
    assert is_observation(one)
    assert isinstance(one.quantity, Quantity)
    assert one.quantity.unit
    assert one.subject.startswith(("light '", "property '"))
    assert one.describe()
    assert np.shape(one.data) == np.shape(one.used)
    assert one.pixels.shape == one.shape
    assert len(one.shown(scene(8.6, -0.3))) == 1


def test_what_is_settled_changes_no_prediction(kind):
    """With everything fixed the plan knows light and blur; with a free number nothing; both predict the same."""
    numbers, one = scene(8.6, -0.3), kind()
    plan = jm.prepare(numbers, {"one": one})["one"]
    assert plan.fluxes
    assert (plan.light is not None) == plan.of_light
    nothing = dataclasses.replace(plan, lens=None, fluxes={}, light=None)
    bare = dataclasses.replace(nothing, transfer={} if isinstance(plan.transfer, dict) else None)
    assert jax.tree.leaves(plan.transfer)
    for ours, expected in zip(predict(one, numbers, plan), predict(one, numbers, bare), strict=True):
        assert ours.shape == np.shape(one.data)
        np.testing.assert_allclose(ours, expected, rtol=1e-10)


def test_what_is_free_is_not_settled(kind):
    numbers = scene(8.6, -0.3)
    moving = jm.prepare(numbers, {"one": kind(dx=dist.Normal(0.0, 0.1))})["one"]
    assert (moving.fluxes, moving.light) == ({}, None)
    blurred = jm.prepare(numbers, {"one": kind(psf=jm.instrument.Gaussian(fwhm=dist.LogNormal(-0.7, 0.1)))})["one"]
    assert blurred.fluxes
    assert blurred.light is None
    assert len(jax.tree.leaves(blurred.transfer)) < len(jax.tree.leaves(moving.transfer))


def test_residuals_are_in_standard_deviations_and_nan_where_unused(kind):
    one = kind()
    seen = predict(one, scene(8.6, -0.3), jm.prepare(scene(8.6, -0.3), {"one": one})["one"])
    masked = dataclasses.replace(
        one, used=np.asarray(one.used) & (np.arange(np.size(one.data)) > 0).reshape(one.used.shape)
    )
    found = np.asarray(masked.residual(seen))
    sigma = np.broadcast_to(np.asarray(one.noise.sigma), found.shape)
    assert np.isnan(found.flat[0])
    np.testing.assert_allclose(found.flat[1:], np.ravel((one.data - seen.value) / sigma)[1:], rtol=1e-12)


def test_padding_changes_no_value(kind):
    numbers, one = scene(8.6, -0.3), kind()
    wide = one.padded()
    assert np.sum(wide.used) == np.sum(one.used)
    seen = predict(wide, numbers, jm.prepare(numbers, {"one": wide})["one"])
    plain = predict(one, numbers, jm.prepare(numbers, {"one": one})["one"])
    np.testing.assert_allclose(np.asarray(seen.value)[wide.used], np.asarray(plain.value)[one.used], rtol=1e-6)


@pytest.mark.parametrize("name", ["image", "map", "bins", "lines"])
def test_used_pixels_are_those_with_a_datum_in_any_map_or_of_their_bin(name):
    one = KINDS[name]()
    used = np.array(one.used)
    used[..., 0] = False  # the first column, or the first bin, of every map
    if name == "lines":
        used[0] = False
    lost = np.arange(12) == 0 if one.bins is None else np.asarray(one.bins.labels) == 0
    found = used_pixels(dataclasses.replace(one, used=used))
    np.testing.assert_array_equal(found, ~np.broadcast_to(lost, SHAPE))


def test_light_that_observations_share_is_blurred_once():
    numbers = scene(8.6, -0.3)
    several = {name: KINDS[name]() for name in ("map", "image", "bins")}
    free = dataclasses.replace(
        numbers.sources["disc"], lights={"line": jm.light.Sersic(flux=dist.LogNormal(0.0, 1.0), r_eff=0.6, n=1.0)}
    )
    plans = jm.prepare(jm.Scene(sources={"disc": free}), several)
    assert [plans[name].shares for name in several] == [None, "map", "map"]
    together = predictions(several, numbers, plans)
    for name, one in several.items():
        alone = predict(one, numbers, dataclasses.replace(plans[name], shares=None))
        np.testing.assert_allclose(together[name].value, alone.value, rtol=1e-12)


PROBES = re.compile(
    r"isinstance\([^)]*\b(Image|WeightedMap)\b|(?:has|get)attr\([^)]*[\"'](light|properties|bins|r_eff|mixture|grid)[\"']"
)


def test_nobody_outside_asks_which_kind_an_observation_is():
    package = Path(jm.__file__).parent
    found = [
        f"{path.relative_to(package)}:{number}: {line.strip()}"
        for path in package.rglob("*.py")
        if path.parent.name != "observation"
        for number, line in enumerate(path.read_text().splitlines(), start=1)
        if PROBES.search(line)
    ]
    assert found == []


@pytest.mark.parametrize(
    "line", ["if isinstance(o, WeightedMap):", 'bins = getattr(o, "bins", None)', 'hasattr(psf, "mixture")']
)
def test_the_search_would_find_one(line):
    assert PROBES.search(line)
