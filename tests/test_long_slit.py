"""A kind of observation that jaxmetal does not have, written as a user would: spectra along a long slit.

The package knows nothing of it. It is fitted alone and in a batch, from Python and from TOML, saved, summarised and
plotted.
"""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import numpyro.distributions as dist
import pytest
from compiled import predict

import jaxmetal as jm
from jaxmetal import observation
from jaxmetal.cli import main
from jaxmetal.io.config.nodes import build
from jaxmetal.io.config.priors import value
from jaxmetal.io.config.table import take
from jaxmetal.io.spelling import require_known

PIXELS, STEP = 15, 0.2
TRUTH = {"x0": 0.05, "pa": 60.0, "slope": -0.3, "central": 8.6}


@jm.node
class LongSlit:
    """Light-weighted values in equal steps along a slit; its light is summed across.

    Attributes:
        data: shape (n,).
        noise: see `jaxmetal.likelihood`.
        used: shape (n,).
        psf: see `jaxmetal.instrument.psf`.
        mixing: see `jaxmetal.mixing`.
        x0, y0: middle of the slit, arcsec.
        pa: direction in which the values count, degrees East of North.
        width: of the slit, arcsec.
        step: between values, arcsec.
        across: pixels across the slit.
    """

    data: Any
    noise: Any
    used: Any
    psf: Any
    mixing: Any
    x0: Any = 0.0
    y0: Any = 0.0
    pa: Any = 0.0
    width: Any
    step: Any
    across: int = jm.static(default=3)

    properties = ("metallicity",)
    plan = observation.plan_pixels
    residual = observation.residual

    @property
    def quantity(self):
        return observation.Quantity("12 + log(O/H) along the slit", "dex")

    @property
    def subject(self):
        return "property 'metallicity'"

    @property
    def shape(self):
        return self.across, len(self.data)

    @property
    def bins(self):
        across, along = self.shape
        return jm.Bins(labels=np.tile(np.arange(along), (across, 1)), n=along)

    @property
    def pointing(self):
        return self.x0, self.y0, self.pa

    @property
    def pixels(self):
        (ny, nx), turned = self.shape, jnp.deg2rad(self.pa)
        sine, cosine = jnp.sin(turned), jnp.cos(turned)
        matrix = jnp.array([[-sine, -cosine], [cosine, -sine]]) * jnp.array([self.step, self.width / self.across])
        middle = jnp.array([self.x0, self.y0]) - matrix @ jnp.array([0.5 * (nx - 1), 0.5 * (ny - 1)])
        return jm.Grid(shape=self.shape, origin=middle, matrix=matrix)

    def shown(self, scene):
        return observation.carriers(scene, "metallicity")

    def predict(self, scene, plan):
        seen = observation.layers(self, scene, plan, self.properties)
        return observation.Prediction(
            *jm.render.blend(seen, observation.imager(self, plan), self.mixing, self.bins, plan.light)
        )

    def padded(self):
        return self

    def describe(self):
        return f"long slit of {len(self.data)} values"


def read_slit(table, where, context):
    """`kind = "our slit"` of a configuration; data from a table with columns value and sigma."""
    require_known(table, where, ("kind", "data", "psf", "x0", "y0", "pa", "width", "step"))
    path, _ = context.path(table.get("data"), f"{where}.data")
    columns = jm.io.read_table(path, required=("value", "sigma"))
    numbers = {key: value(table.get(key, 0.0), f"{where}.{key}", context) for key in ("x0", "y0", "pa")}
    return LongSlit(
        data=columns["value"],
        noise=jm.likelihood.Gaussian(sigma=columns["sigma"]),
        used=np.isfinite(columns["value"]),
        psf=build(table.get("psf"), "psf", f"{where}.psf", context),
        mixing=jm.mixing.Dex(),
        width=take(table, "width", where, float),
        step=take(table, "step", where, float),
        **numbers,
    )


def slit(data=None, **fields):
    data = np.full(PIXELS, 8.5) if data is None else data
    known = {"psf": jm.instrument.Gaussian(fwhm=0.5), "mixing": jm.mixing.Dex(), "width": 0.6, "step": STEP, "pa": 60.0}
    return LongSlit(
        data=data,
        noise=jm.likelihood.Gaussian(sigma=np.full(PIXELS, 0.02)),
        used=np.ones(PIXELS, bool),
        **{**known, **fields},
    )


def scene(central, slope):
    light = jm.light.Sersic(flux=10.0, r_eff=0.6, n=1.0)
    carried = jm.Carried(profile=jm.tracer.Gradient(central=central, slope=slope), weight="line")
    frame = jm.frame.Disc(q=0.6, pa=30.0)
    return jm.Scene(sources={"disc": jm.Source(frame=frame, lights={"line": light}, carries={"metallicity": carried})})


@pytest.fixture(scope="module")
def seen():
    truth = scene(TRUTH["central"], TRUTH["slope"])
    return jm.simulate.draw(truth, {"slit": slit(x0=TRUTH["x0"])}, jax.random.key(1))["slit"]


@pytest.fixture(scope="module")
def prior():
    return scene(dist.Normal(8.5, 0.5), dist.Normal(0.0, 0.5))


def test_it_sees_what_a_map_of_fine_pixels_sees():
    """A map of pixels of a third of its width, their numerator and denominator summed across by hand."""
    truth, one = scene(8.6, -0.3), slit(x0=0.05)
    grid = one.pixels
    fine = jm.WeightedMap(
        data=0.0, noise=None, grid=grid, psf=one.psf, properties=("metallicity",), mixing=one.mixing, used=True
    )
    found = predict(one, truth, jm.prepare(truth, {"slit": one})["slit"])
    pixels = predict(fine, truth, jm.prepare(truth, {"map": fine})["map"])
    light = np.asarray(pixels.light)
    expected = np.log10(np.sum(light * 10.0 ** np.asarray(pixels.value), axis=0) / light.sum(axis=0))
    np.testing.assert_allclose(found.value, expected, atol=1e-9)
    np.testing.assert_allclose(found.light, light.sum(axis=0), rtol=1e-9)


def test_it_is_fitted_alone_and_in_a_batch_and_read_off(seen, prior, tmp_path):
    observations = {"slit": seen}
    options = {"chains": 2, "draws": 100, "start_count": 1, "progress": False}
    posterior = jm.fit.auto(prior, observations, **options)
    slope = posterior.flat()["scene.sources.disc.carries.metallicity.profile.slope"]
    assert abs(slope.mean() - TRUTH["slope"]) < 4.0 * slope.std() < 0.4
    ((name, again),) = jm.fit.batch([jm.fit.Galaxy(name="one", scene=prior, observations=observations)], **options)
    assert (name, again.observations) == ("one", ["slit"])
    assert "resolved" in jm.result.summary(posterior)
    jm.io.save(posterior, tmp_path, origin=jm.io.wcs.NOWHERE)
    assert (tmp_path / "maps_slit.fits").is_file()
    jm.plot.of_posterior.overview(posterior, "slit", "disc").savefig(tmp_path / "slit.png")


def test_a_free_position_is_a_parameter(prior, seen):
    moved = slit(seen.data, x0=dist.Normal(0.0, 0.1))
    problem = jm.prepare(prior, {"slit": moved})["slit"]
    assert not problem.fluxes, "nothing is settled while the slit may move"
    assert "slit.x0" in jm.sites({"scene": prior, "slit": moved})


CONFIG = """
[observations.slit]
kind = "our slit"
data = "slit.ecsv"
psf = {type = "Gaussian", fwhm = 0.5}
x0 = 0.05
pa = 60.0
width = 0.6
step = 0.2

[sources.disc]
frame = {type = "Disc", q = 0.6, pa = 30.0}
lights.line = {type = "Sersic", flux = 10.0, r_eff = 0.6, n = 1.0}

[sources.disc.carries.metallicity]
weight = "line"
profile = {type = "Straight", central = {dist = "Normal", loc = 8.5, scale = 0.5}, slope = -0.3}

[lens.mass]
type = "Slab"
kappa = 0.0

[fit]
method = "laplace"
chains = 2
draws = 50
start_count = 1
"""


def straight(u, v, *, central, slope=0.0):
    """A profile that is a plain function."""
    return central + slope * jnp.hypot(u, v + 1e-9)


@jm.node
class Slab:
    """A lens: a sheet of constant convergence."""

    kappa: Any

    def __call__(self, x, y):
        return self.kappa * x, self.kappa * y


@pytest.fixture
def installed(tmp_path, monkeypatch):
    """A package whose metadata name the kinds above."""
    folder = tmp_path / "site" / "slits-1.0.dist-info"
    folder.mkdir(parents=True)
    (folder / "METADATA").write_text("Metadata-Version: 2.1\nName: slits\nVersion: 1.0\n")
    (folder / "entry_points.txt").write_text(
        "[jaxmetal.observation]\nour slit = test_long_slit:read_slit\n"
        "[jaxmetal.tracer]\nStraight = test_long_slit:straight\n"
        "[jaxmetal.lens]\nSlab = test_long_slit:Slab\n"
    )
    monkeypatch.syspath_prepend(folder.parent)
    return folder


def test_a_configuration_finds_it_by_its_entry_point(installed, seen, tmp_path, capsys):
    columns = {"value": np.asarray(seen.data), "sigma": np.full(PIXELS, 0.02)}
    jm.io.write_table(tmp_path / "slit.ecsv", columns)
    (tmp_path / "slit.toml").write_text(CONFIG)
    assert main(["check", str(tmp_path / "slit.toml")]) == 0
    assert "long slit of 15 values" in capsys.readouterr().out
    assert main(["fit", str(tmp_path / "slit.toml"), "-o", str(tmp_path / "out"), "--quiet"]) == 0
    written = {path.name for path in (tmp_path / "out").iterdir()}
    assert {"summary.txt", "posterior.nc", "maps_slit.fits", "fit_slit.png", "parameters.ecsv"} <= written


def test_without_the_package_the_kind_is_not_known(tmp_path, capsys):
    (tmp_path / "slit.toml").write_text(CONFIG)
    assert main(["check", str(tmp_path / "slit.toml")]) == 2
    assert "'our slit' is none of map, image" in capsys.readouterr().err


def test_an_entry_point_that_cannot_be_imported_is_one_sentence(installed, tmp_path, capsys):
    (installed / "entry_points.txt").write_text("[jaxmetal.observation]\nour slit = no_such_module:read\n")
    (tmp_path / "slit.toml").write_text(CONFIG)
    assert main(["check", str(tmp_path / "slit.toml")]) == 2
    error = capsys.readouterr().err
    assert "cannot be imported" in error
    assert error.count("\n") == 1
