"""Whatever a fit, a map of spaxels or a population computes lowers for accelerators, on a machine that has none."""

import jax
import numpy as np
import numpyro.distributions as dist
import pytest
from mock_populations import mass_of, sample

import jaxmetal as jm
from jaxmetal import planning, population, result, spaxel
from jaxmetal.fit.methods import METHODS
from jaxmetal.fit.problem import log_density, make
from jaxmetal.machine import Program

ACCELERATORS = ("cuda", "rocm", "tpu")

SLOPE = "scene.sources.disc.carries.metallicity.profile.slope"

HOST = "callback"
"""Part of the name of every operation that asks the host in the middle of a program."""


def scene(slope, pa=30.0, n=1.0, **lens):
    carried = jm.Carried(profile=jm.tracer.Gradient(central=8.5, slope=slope), weight="line")
    disc = jm.Source(
        frame=jm.frame.Disc(q=0.7, pa=pa),
        lights={"line": jm.light.Sersic(flux=1.0, r_eff=0.4, n=n)},
        carries={"metallicity": carried},
    )
    return jm.Scene(lens=lens, sources={"disc": disc})


def seen():
    return jm.recipes.metallicity_map(
        8.5 + 0.1 * np.random.default_rng(1).standard_normal((7, 9)),
        psf=jm.instrument.Moffat(fwhm=0.4, beta=2.5),
        sigma=np.full((7, 9), 0.1),
        pixel_scale=0.2,
    )


def fits():
    """Every method, and what looks at a fit; a batch computes the same programs in lock-step."""
    observations, prior = {"map": seen()}, scene(dist.Normal(0.0, 0.3))
    few = {"draws": 20, "warmup": 50, "chains": 2, "start_count": 1, "progress": False}
    for method in METHODS:
        fitted = result.view(jm.fit.auto(prior, observations, method=method, **few))
        result.summary(fitted)
    result.loo(fitted, "map")
    jm.simulate.draw(fitted.filled["scene"], observations, jax.random.key(0))
    planning.fisher(prior, observations, {SLOPE: -0.1})


def spaxels():
    flux = np.array([1.0, 0.35, 0.3, 0.2])
    likelihood = spaxel.fluxes(["Hb", "OIII5007", "Ha", "NII6584"])
    spaxel.posterior(likelihood, flux[None], 0.1 * flux[None])
    spaxel.grid(likelihood, flux, 0.1 * flux)


def populations():
    mass, values, sigma = sample(n=8)
    drawn = population.Draws(values=values[:, None] + sigma[:, None] * np.linspace(-2.0, 2.0, 20))
    population.fit(drawn, mass_of(mass), run=population.Run(chains=2, warmup=50, draws=50))


@pytest.mark.parametrize("work", [fits, spaxels, populations])
def test_programs_lower_for_accelerators_and_never_ask_the_host(work, monkeypatch):
    found, call = {}, Program.__call__

    def noting(self, *arguments, **named):
        kinds = [str(np.shape(leaf)) for leaf in jax.tree.leaves(arguments)]
        found[self.__name__, *map(str, arguments[:2]), *kinds] = self, arguments, named
        return call(self, *arguments, **named)

    monkeypatch.setattr(Program, "__call__", noting)
    work()
    print(len(found), sorted({name for name, *_ in found}))
    for (name, *_), (one, arguments, named) in found.items():
        together = {"together": True} if "together" in named else {}
        alone = jax.jit(one.__wrapped__, **one.settings)
        assert HOST not in lowered(alone, *arguments, **named | together), name


def test_a_lensed_density_and_its_gradient_lower_for_accelerators():
    """Of many draws at once, of a disc all of whose light is free."""
    lens = {"sie": jm.lens.SIE(theta_e=0.6), "shear": jm.lens.Shear(gamma1=dist.Normal(0.0, 0.1), gamma2=0.0)}
    problem = make(
        scene(dist.Normal(0.0, 0.3), dist.Uniform(0.0, 180.0), dist.Uniform(0.5, 4.0), **lens), {"map": seen()}
    )
    text = lowered(jax.jit(jax.vmap(jax.value_and_grad(log_density, argnums=1), (None, 0))), problem, np.zeros((3, 4)))
    assert HOST not in text
    assert len(text) > 100_000


def lowered(program, *arguments, **named):
    """The text of a program for all accelerators at once."""
    return jax.export.export(program, platforms=ACCELERATORS)(*arguments, **named).mlir_module()
