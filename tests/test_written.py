"""Trees print as one would write them: values, priors by their parameters, arrays by type and shape."""

import jax
import jax.numpy as jnp
import numpy as np
import numpyro.distributions as dist
import pytest
from jax.tree_util import Partial
from numpyro.distributions.transforms import AffineTransform

import jaxmetal as jm
from jaxmetal.numerics.written import written


def swirl(u, v, *, slope):
    return slope * u * v


@pytest.mark.parametrize(
    ("thing", "text"),
    [
        (-0.0, "0"),
        (0.123456789, "0.12346"),
        (np.float32(0.1), "0.1"),
        (np.int64(4), "4"),
        (np.bool_(True), "True"),
        (jnp.asarray(8.5), "8.5"),
        (np.array([8.5, 8.25]), "[8.5, 8.25]"),
        (np.zeros((2, 3)), "float64[2, 3]"),
        (jnp.zeros(5, "int32"), "int32[5]"),
        (jax.random.key(3), "key<fry>[]"),
        (("a", None), "('a', None)"),
        ((1,), "(1,)"),
        (dist.Normal(0, 0.1), "Normal(0, 0.1)"),
        (dist.LogNormal(0.0, 1.0), "LogNormal(0, 1)"),
        (dist.Normal(np.zeros((5, 2)), 0.3).to_event(1), "Independent(Normal(float64[5, 2], float64[1, 1]), 1)"),
        (dist.TruncatedNormal(0.5, 0.1, low=0, high=1), "TwoSidedTruncatedDistribution(Normal(0.5, 0.1), 0, 1)"),
        (dist.MultivariateNormal(np.zeros(2), scale_tril=np.eye(2)), "scale_tril=float64[2, 2])"),
        (
            dist.TransformedDistribution(dist.Normal(0, 1), AffineTransform(2.0, 3.0)),
            "TransformedDistribution(Normal(0, 1), [AffineTransform(2, 3)])",
        ),
        (Partial(swirl, slope=dist.Normal(0, 0.1)), "Partial(swirl, slope=Normal(0, 0.1))"),
        (jm.Tied("x0", dist.Normal(0, 0.1)), "Tied('x0', Normal(0, 0.1))"),
        (jm.Tied("x0"), "Tied('x0')"),
        (jm.frame.Disc(x0=0.1, q=0.7, pa=40.0), "Disc(x0=0.1, q=0.7, pa=40)"),
    ],
)
def test_written_as_one_would_write_it(thing, text):
    assert written(thing).endswith(text)
    assert " at 0x" not in written(thing)


def test_a_scene_prints_its_priors():
    scene = jm.Scene(
        sources={
            "disc": jm.Source(
                frame=jm.frame.Disc(x0=jm.Tied("x0", dist.Normal(0, 0.1)), q=0.7),
                lights={"halpha": jm.light.Sersic(flux=1.0, r_eff=np.float64(0.8), n=1)},
                carries={
                    "metallicity": jm.Carried(
                        profile=jm.tracer.Gradient(central=dist.Uniform(7.0, 9.5), slope=dist.Normal(0.0, 0.3)),
                        weight="halpha",
                    )
                },
            )
        }
    )
    assert repr(scene) == (
        "Scene(sources={'disc': Source(frame=Disc(x0=Tied('x0', Normal(0, 0.1)), q=0.7), "
        "lights={'halpha': Sersic(flux=1, r_eff=0.8, n=1)}, "
        "carries={'metallicity': Carried(profile=Gradient(central=Uniform(7, 9.5), slope=Normal(0, 0.3)), "
        "weight='halpha')})})"
    )


def test_a_node_may_write_itself_otherwise():
    @jm.node
    class Own:
        value: float

        def __repr__(self):
            return f"<{self.value}>"

    assert written({"own": Own(value=2.0)}) == "{'own': <2.0>}"
