"""Fixed numbers outside the range of their parameter are refused, wherever they stand; everything else passes."""

import dataclasses

import numpy as np
import numpyro.distributions as dist
import pytest

import jaxmetal as jm
from jaxmetal.edge.ranges import contains, require_within

ROOMS = (jm.frame, jm.instrument, jm.lens, jm.light, jm.likelihood, jm.tracer)
FIELDS = {
    f"{node.__module__}.{node.__name__}.{field.name}": field
    for room in ROOMS
    for node in vars(room).values()
    if isinstance(node, type) and dataclasses.is_dataclass(node)
    for field in dataclasses.fields(node)
    if "within" in field.metadata
}


@pytest.mark.parametrize(
    ("interval", "inside", "outside"),
    [
        ("(0, 1]", [1e-9, 0.5, 1, np.float32(1.0)], [0, -1, 1.0001, np.nan]),
        ("[0.4, 8]", [0.4, 8], [0.39, 8.1, np.inf]),
        ("(0, inf)", [5e-324, 1e308], [0.0, -0.0, np.inf]),
        ("(-1, 1)", [0, -0.99], [-1, 1]),
    ],
)
def test_brackets_say_whether_an_end_belongs(interval, inside, outside):
    assert all(contains(interval, number) for number in inside)
    assert not any(contains(interval, number) for number in outside)


def test_defaults_lie_in_their_own_ranges():
    assert len(FIELDS) > 30
    defaults = {name: field for name, field in FIELDS.items() if field.default is not dataclasses.MISSING}
    assert all(contains(field.metadata["within"], field.default) for field in defaults.values())
    assert all(not contains(field.metadata["within"], np.nan) for field in FIELDS.values())


@jm.node
class Ring:
    """A profile as a user would write one."""

    radius: float = jm.within("(0, inf)")


@pytest.mark.parametrize(
    ("tree", "place"),
    [
        ({"scene": {"disc": (jm.frame.Disc(q=0.5), jm.frame.Disc(q=5))}}, "scene.disc.1.q"),
        (jm.instrument.Composed(parts=(jm.instrument.Gaussian(fwhm=-0.5),)), "parts.0.fwhm"),
        (jm.likelihood.Gaussian(sigma=np.zeros((2, 3)), jitter=np.array(-1.0)), "jitter"),
        (jm.light.Sersic(flux=dist.LogNormal(0.0, 1.0), r_eff=1.0, n=20), "n"),
        ({"ring": Ring(radius=-1)}, "ring.radius"),
    ],
)
def test_the_number_is_named_by_its_path(tree, place):
    with pytest.raises(jm.InputError, match=rf"^{place}: expected a number within .*; correct it"):
        require_within(tree)


def test_distributions_ties_and_arrays_pass():
    prior = jm.Tied("q", dist.Normal(0.5, 0.2))
    require_within([jm.frame.Disc(q=prior, pa=400.0), Ring(radius=dist.Normal(1.0, 2.0))], "priors")
    require_within(jm.likelihood.Gaussian(sigma=np.array([0.1, np.nan])))
