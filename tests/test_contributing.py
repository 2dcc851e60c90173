"""What CONTRIBUTING.md shows does what it says: each recipe's file is written as there, and used."""

import importlib
import re
import textwrap
import tomllib
from pathlib import Path

import jax
import numpy as np
import numpyro.distributions as dist
import pytest
from compiled import predict

import jaxmetal as jm
from jaxmetal.fit.method import Method
from jaxmetal.lines.ratios import RATIOS

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "CONTRIBUTING.md").read_text()


def blocks(language):
    found = re.findall(rf"^( *)```{language}\n(.*?)^\1```", PAGE, re.S | re.M)
    return [textwrap.dedent(text) for _, text in found]


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """Names that the page's files define."""
    folder, names = tmp_path_factory.mktemp("recipes"), {}
    for number, block in enumerate(blocks("python")):
        (folder / f"recipe{number}.py").write_text(block)
    with pytest.MonkeyPatch.context() as path:
        path.syspath_prepend(folder)
        for file in sorted(folder.glob("*.py")):
            names |= vars(importlib.import_module(file.stem))
    return names


def test_a_profile(written):
    ring = written["Ring"](excess=0.2, r_ring=1.0, width=0.3)
    np.testing.assert_allclose(ring(0.6, 0.8), 0.2)
    np.testing.assert_allclose(ring(0.0, 1.3), 0.2 * np.exp(-0.5))
    assert np.isfinite(jax.grad(lambda u: ring(u, 0.0))(0.0))
    assert jm.numerics.profile.smallest_scale(ring) == 0.3


def test_a_lens(written):
    lens = written["Plummer"](theta_e=1.2, core=0.0, x0=0.1)
    np.testing.assert_allclose(lens(1.3, 0.0), (1.2, 0.0), rtol=1e-6)
    at = jm.lens.distortion(lens, 0.7, -0.9)
    np.testing.assert_allclose((at.kappa, at.rotation), 0.0, atol=1e-6)
    np.testing.assert_allclose(at.gamma, 1.2**2 / (0.6**2 + 0.9**2), rtol=1e-6)
    cored = written["Plummer"](theta_e=1.2, core=0.5)
    np.testing.assert_allclose(jm.lens.distortion(cored, 0.3, 0.4).kappa, 1.2**2 * 0.25 / 0.5**2, rtol=1e-6)
    np.testing.assert_allclose(jax.grad(cored.potential)(0.3, 0.4), cored(0.3, 0.4)[0], rtol=1e-6)


def fibre(written, data):
    """Half an arcsecond in radius, wide for the star that it looks at."""
    return written["Fibre"](
        data=np.array([data]),
        noise=jm.likelihood.Gaussian(sigma=0.05),
        used=np.array([True]),
        grid=jm.Grid.regular((32, 36), 0.05),
        psf=jm.instrument.Gaussian(fwhm=0.5),
        light="halpha",
        radius=0.5,
    )


def star(flux):
    light = jm.light.Gaussian(flux=flux, r_eff=0.2)
    return jm.Scene(sources={"star": jm.Source(frame=jm.frame.Disc(), lights={"halpha": light})})


INSIDE = 1.0 - np.exp(-0.5 * 0.5**2 / (0.2**2 / (2.0 * np.log(2.0)) + 0.5**2 / (8.0 * np.log(2.0))))
"""Share of the star's light in the fibre."""


def test_an_observation_and_a_method(written, monkeypatch):
    monkeypatch.setitem(jm.fit.METHODS, "gaussian", Method(written["gaussian"], "a first look"))
    observed = fibre(written, 2.0 * INSIDE)
    scene = star(3.0)
    seen = predict(observed, scene, jm.prepare(scene, {"fibre": observed})["fibre"])
    np.testing.assert_allclose(seen.value, [3.0 * INSIDE], rtol=5e-3)
    posterior = jm.fit.auto(star(dist.Normal(2.0, 10.0)), {"fibre": observed}, method="gaussian", progress=False)
    draws = posterior.draws["scene.sources.star.lights.halpha.flux"]
    assert posterior.method == "gaussian"
    np.testing.assert_allclose(draws.mean(), 2.0, atol=0.02)
    np.testing.assert_allclose(draws.std(), 0.05 / INSIDE, rtol=0.1)


def test_a_calibration():
    (table,) = (tomllib.loads(text) for text in blocks("toml"))
    known = tomllib.loads((ROOT / "jaxmetal/lines/calibrations.toml").read_text())
    (new,) = table.values()
    keys = {key for rows in known.values() for row in rows["calibrations"].values() for key in row}
    assert new.keys() == known["C20"].keys()
    for row in new["calibrations"].values():
        assert row.keys() <= keys
        assert row["ratio"] in RATIOS


def test_every_file_that_is_named_is_there():
    new = {
        "jaxmetal/tracer/ring.py",
        "jaxmetal/lens/plummer.py",
        "jaxmetal/observation/fibre.py",
        "jaxmetal/fit/gaussian.py",
    }
    named = set(re.findall(r"`((?:jaxmetal|tests|docker)/[\w./]*\w)`", PAGE))
    assert new <= named
    assert [path for path in sorted(named - new) if not (ROOT / path).exists()] == []


def test_the_table_of_rooms_is_that_of_the_import_contract():
    layers = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"][0]["layers"]
    rows = [re.findall(r"`(\w+)`", line.split("|")[1]) for line in PAGE.splitlines() if line.startswith("| `")]
    assert rows == [layer.split(" | ") for layer in layers[1:]]
