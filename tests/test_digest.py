"""What is fitted has a digest: the same in every process, another where any number, prior or choice differs."""

import dataclasses
import os
import subprocess
import sys
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import numpyro.distributions as dist
import pytest
from folded import posed

import jaxmetal as jm
from jaxmetal.chains import Kept, Settings
from jaxmetal.fit import choose
from jaxmetal.numerics.digest import digest

PROGRAM = """
import numpy as np, numpyro.distributions as dist, jaxmetal as jm
from jax.tree_util import Partial
from jaxmetal.numerics.digest import digest
priors = [dist.TruncatedNormal(0.2, 1.5, low=-1.0, high=3.0), dist.LogNormal(0.1, 0.4), dist.Uniform().expand((3,))]
gradient = jm.tracer.Gradient(central=priors[0], slope=jm.Tied("slope", priors[1]))
found = digest({"b": gradient, "a": (priors, Partial(lambda x, y: x + y, y=2.0), {"high", "low", "scale", "loc"})})
print(found)
"""


def test_every_process_finds_the_same(capsys):
    """With a hash seed of its own, by which sets of the names of parameters (low, high) have another order."""
    environment = {**os.environ, "PYTHONHASHSEED": "1", "JAX_PLATFORMS": "cpu"}
    other = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True, env=environment)
    exec(PROGRAM, {"__name__": "__main__"})
    assert other.stdout == capsys.readouterr().out


def closure(number):
    return lambda x: x + number


class Plain:
    """An object that says nothing of itself."""

    def __init__(self, number):
        self.number = number


DIFFER = {
    "last bit": (np.array([1.0, 2.0]), np.array([1.0, np.nextafter(2.0, 3.0)])),
    "precision": (np.ones(2, np.float32), np.ones(2)),
    "shape": (np.ones((2, 3)), np.ones((3, 2))),
    "type of prior": (dist.Normal(0.0, 1.0), dist.Cauchy(0.0, 1.0)),
    "number of a prior": (dist.Uniform(0.0, 1.0), dist.Uniform(0.0, 1.0 + 1e-12)),
    "bound of a prior": (dist.TruncatedNormal(0.0, 1.0, low=0.0), dist.TruncatedNormal(0.0, 1.0, high=0.0)),
    "several of a prior": (dist.Normal(0.0, 1.0).expand((2,)), dist.Normal(0.0, 1.0).expand((3,))),
    "transformation": (
        dist.TransformedDistribution(dist.Normal(0.0, 1.0), dist.transforms.AffineTransform(0.0, 1.0)),
        dist.TransformedDistribution(dist.Normal(0.0, 1.0), dist.transforms.AffineTransform(0.0, 2.0)),
    ),
    "class of a node": (jm.light.Sersic(flux=1.0, r_eff=1.0, n=1.0), jm.light.Exponential(flux=1.0, r_eff=1.0)),
    "static field": (jm.Carried(profile=0.0, weight="a"), jm.Carried(profile=0.0, weight="b")),
    "name": ({"a": 1.0}, {"b": 1.0}),
    "tie": (jm.Tied("a"), jm.Tied("b")),
    "nesting": ((1.0, (2.0,)), (1.0, 2.0)),
    "function": (np.exp, np.log),
    "code": (lambda x: x + 1.0, lambda x: x - 1.0),
    "closure": (closure(1.0), closure(2.0)),
    "partial": (partial(max, 1.0), partial(max, 2.0)),
    "compiled": (jax.jit(closure(1.0)), jax.jit(closure(2.0))),
    "object": (Plain(1.0), Plain(2.0)),
    "method": (Plain(1.0).__init__, Plain(2.0).__init__),
}


@pytest.mark.parametrize("case", DIFFER)
def test_what_differs_has_another(case):
    one, other = DIFFER[case]
    assert digest(one) == digest(one) != digest(other)


@pytest.fixture
def asked(monkeypatch, tmp_path):
    """What of a fit is handed on with its file of chains; nothing is fitted."""

    class EnoughError(Exception):
        pass

    def solve(*arguments):
        raise EnoughError(arguments[-1].of)

    monkeypatch.setattr(choose, "solve", solve)

    def of(question, **options):
        with pytest.raises(EnoughError) as found:
            jm.fit.auto(*question, progress=False, keep=Kept(tmp_path / "chains", resume=True), **options)
        return str(found.value)

    return of


def test_another_fit_does_not_go_on_from_chains_of_this(asked):
    line = (0.1, 1.0, 0.0, 0.0)
    scene, seen = posed(*line, loc=0.0, scale=0.5)
    whole = asked((scene, seen), start_count=1)
    assert whole == asked(posed(*line, loc=0.0, scale=0.5), start_count=1)
    one, noise = seen["map"], seen["map"].noise
    used = np.ones(one.data.shape, bool)
    used[0, 0] = False
    others = [
        dataclasses.replace(one, data=one.data[:, ::-1]),
        dataclasses.replace(one, data=one.data * (1.0 + 1e-12)),
        dataclasses.replace(one, used=used),
        dataclasses.replace(one, noise=dataclasses.replace(noise, sigma=1.01 * noise.sigma)),
        dataclasses.replace(one, psf=jm.instrument.Gaussian(fwhm=0.3001)),
    ]
    found = [asked((scene, {"map": other}), start_count=1) for other in others]
    found += [
        asked(posed(*line, loc=0.001, scale=0.5), start_count=1),
        asked((scene, seen), start_count=2),
        asked((scene, seen), start_count=1, seed=1),
        asked((scene, seen), start_count=1, method="nuts"),
        asked((scene, seen), start_count=1, start={next(iter(jm.prior.sites({"scene": scene}))): 8.4}),
    ]
    assert len({whole, *found}) == 1 + len(found)


def test_chains_of_something_else_are_not_taken(tmp_path):
    begun, settings = {"position": jnp.zeros(3)}, Settings(algorithm="NUTS")
    kept = Kept(tmp_path / "chains", resume=True, of="this")
    kept.store(begun, settings, 50, begun, [{"position": np.ones((1, 50, 3))}])
    assert kept.load(begun, settings)[0] == 50
    assert kept._replace(of="that").load(begun, settings) is None
