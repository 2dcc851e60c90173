"""The operator against the converged independent reference (tests/reference), at default settings."""

import dataclasses
from functools import cache
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from precision import doubles
from reference.cases import CASES, compared

import jaxmetal as jm
from jaxmetal.observation import Plan, default_sampling

ANSWERS = Path(__file__).parent / "reference" / "answers.npz"
BY_NAME = {case.name: case for case in CASES}
COVERED = {"exponential_large_sharp", "exponential_drowned", "n2.5_compact", "n2.5_broad"}
"""Errors near 1e-6, and each between cases that are harder in the same respect: left out to save time."""
look = jax.jit(jm.predict)


@cache
def answers():
    with np.load(ANSWERS) as stored:
        return dict(stored)


def described(case, dtype=float, **changes):
    """The case as a scene and a light-weighted map of pixels of 1 arcsec."""
    light = case.light
    scene = jm.Scene(
        sources={
            "disc": jm.Source(
                frame=jm.frame.Disc(x0=light.x0, y0=light.y0, q=light.q, pa=light.pa),
                lights={"line": jm.light.Sersic(flux=1.0, r_eff=light.r_eff, n=light.n)},
                carries={
                    "metallicity": jm.Carried(
                        profile=jm.tracer.Gradient(central=case.central, slope=case.slope / light.r_eff), weight="line"
                    )
                },
            )
        }
    )
    beta = getattr(case.psf, "beta", None)
    psf = (
        jm.instrument.Gaussian(fwhm=case.psf.fwhm)
        if beta is None
        else jm.instrument.Moffat(fwhm=case.psf.fwhm, beta=beta)
    )
    settings = {
        "data": np.zeros(case.shape),
        "noise": None,
        "grid": jm.Grid.regular(case.shape, 1.0),
        "psf": psf,
        "properties": ("metallicity",),
        "mixing": jm.mixing.Dex(),
        "used": np.ones(case.shape, bool),
        **changes,
    }

    def number(leaf):
        return leaf if jnp.asarray(leaf).dtype == bool else jnp.asarray(leaf, dtype)

    return jax.tree.map(number, (scene, jm.WeightedMap(**settings)))


def errors(case, prediction, mixing="dex"):
    """Largest error of the map (dex) and of the light (relative), where they are held to account."""
    light, dex, held = (answers()[f"{case.name}/{name}"] for name in ("light", mixing, "dex"))
    where = compared(case, light, held)
    bright = light > 1e-2 * light.max()
    normalised = prediction.light * (light.sum() / prediction.light.sum())
    return np.max(np.abs(prediction.value - dex)[where]), np.max(np.abs(normalised / light - 1)[bright])


@pytest.mark.parametrize("case", [case for case in CASES if case.name not in COVERED], ids=lambda case: case.name)
@pytest.mark.parametrize("mixing", ["dex", "linear"])
def test_default_settings_reach_the_converged_reference(case, mixing):
    scene, observation = described(case, mixing=jm.mixing.Dex() if mixing == "dex" else jm.mixing.Linear())
    plan = jm.prepare(scene, {"map": observation})["map"]
    worst, light = errors(case, look(observation, scene, plan), mixing)
    assert worst <= 2e-4
    assert light <= 2e-3


def in_both(name, route):
    """Map and light of a case by one route, in double and in single precision."""
    for dtype in ("float64", "float32"):
        with doubles(dtype == "float64"):
            scene, observation = described(BY_NAME[name])
            sampling = dataclasses.replace(default_sampling(scene, observation), route=route)
            value, light = look(observation, scene, Plan(sampling=sampling))
            assert value.dtype == light.dtype == dtype
            assert np.all(np.isfinite(value))
            yield np.asarray(value, float), np.asarray(light, float)


@pytest.mark.parametrize("name", ["exponential_thin", "n4_compact_thin", "n4_moffat_thin"])
def test_the_separable_route_keeps_its_precision(name):
    (value, light), (single, faint) = in_both(name, "separable")
    held = light > 1e-4 * light.max()
    assert np.max(np.abs(single - value)[held]) < 1e-5
    assert np.max(np.abs(faint / light - 1)[held]) < 1e-5


@pytest.mark.parametrize("name", ["exponential_thin", "n2.5_thin"])
def test_the_fft_route_is_precise_where_there_is_light(name):
    (value, light), (single, _) = in_both(name, "fft")
    metals = light * 10 ** (value - value.max())
    held = (light > 1e-2 * light.max()) & (metals > 1e-3 * metals.max())
    assert np.max(np.abs(single - value)[held]) < 1e-3
