"""Nothing is compiled twice for galaxies of the same shape, and importing the package stays cheap."""

import itertools
import json
import subprocess
import sys

import jax
import numpy as np
import numpyro.distributions as dist
import pytest

import jaxmetal as jm
from jaxmetal import fit

SHAPE = (9, 12)
COMPILED = "/jax/core/compile/backend_compile_duration"


@pytest.fixture
def compilations():
    """A list that grows by one with every program handed to the compiler."""
    found = []

    def listen(event, duration, **_):
        if event == COMPILED and listening:
            found.append(duration)

    listening = [True]
    jax.monitoring.register_event_duration_secs_listener(listen)
    yield found
    listening.clear()


def galaxy(seed, *, width, centre, spread, r_eff, flux):
    """A prior and a noisy map; every number may be an int, a float or a NumPy scalar."""
    prior = jm.Scene(
        sources={
            "disc": jm.Source(
                frame=jm.frame.Disc(x0=0, y0=0.05, q=0.7, pa=30),
                lights={"line": jm.light.Sersic(flux=flux, r_eff=r_eff, n=1)},
                carries={
                    "metallicity": jm.Carried(
                        profile=jm.tracer.Gradient(central=dist.Normal(centre, 0.5), slope=dist.Normal(0, spread)),
                        weight="line",
                    )
                },
            )
        }
    )
    data = 8.5 + 0.05 * np.random.default_rng(seed).standard_normal(SHAPE)
    seeing = jm.WeightedMap(
        data=data,
        noise=jm.likelihood.Gaussian(sigma=np.full(SHAPE, 0.05)),
        grid=jm.Grid.regular(SHAPE, 0.2),
        psf=jm.instrument.Gaussian(fwhm=width),
        properties=("metallicity",),
        mixing=jm.mixing.Dex(),
        used=np.ones(SHAPE, bool),
    )
    return prior, {"map": seeing}


def fitted(galaxy):
    return fit.auto(*galaxy, chains=2, draws=50, warmup=50, start_count=2, progress=False)


def test_a_second_galaxy_of_the_same_shape_compiles_nothing(compilations):
    first = fitted(galaxy(1, width=0.5, centre=8.5, spread=0.3, r_eff=0.6, flux=1.0))
    assert len(compilations) > 0
    compilations.clear()
    second = fitted(galaxy(2, width=np.float64(0.503), centre=8, spread=1, r_eff=0.61, flux=2))
    assert first.method == second.method
    assert compilations == []


def test_classes_of_as_many_numbers_are_different_structures():
    """JAX would else run, now and then, the program that it has for the one with the numbers of the other."""
    alike = (jm.lens.SIS(theta_e=1.0), jm.lens.PointMass(theta_e=1.0), jm.lens.Sheet(kappa=1.0))
    for one, other in itertools.combinations(map(jax.tree.structure, alike), 2):
        assert one != other


def test_the_import_is_light():
    """Seconds beyond JAX, NumPyro and NumPy are printed; astropy, matplotlib and the fit's tools must stay away."""
    script = (
        "import json, sys, time; import jax, numpyro, numpyro.distributions, numpy; before = set(sys.modules);"
        "start = time.perf_counter(); import jaxmetal; seconds = time.perf_counter() - start;"
        "new = {name.split('.')[0] for name in set(sys.modules) - before};"
        "print(json.dumps({'seconds': seconds, 'new': sorted(new), 'x64': jax.config.jax_enable_x64}))"
    )
    found = json.loads(
        subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout
    )
    print(f"import jaxmetal: {found['seconds']:.3f} s")
    assert not {"astropy", "matplotlib", "optax", "arviz", "pandas"} & set(found["new"])
    assert not found["x64"]
