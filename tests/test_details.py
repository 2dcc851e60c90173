"""Every profile, light, picture and PSF at its default sampling against an independent renderer."""

import inspect

import jax
import numpy as np
import pytest
from brute import PIXEL, errors, lights, observed, psfs, rendered, scene, tracers

import jaxmetal as jm
from jaxmetal.instrument.sampling import choose
from jaxmetal.observation import Plan
from jaxmetal.prepared import findings

SHAPE = (11, 13)
FRAME = jm.frame.Disc(x0=0.05, y0=-0.03, q=0.6, pa=35.0)
GRADIENT = jm.tracer.Gradient(central=8.5, slope=-0.3)
EXPONENTIAL = jm.light.Exponential(flux=1.0, r_eff=2.5 * PIXEL)
NO_LIGHT = {"Unweighted"}
"""Its light has no end: what it is is in the reference of the real arcs."""


def drawn(make):
    return make(np.random.default_rng(5))


def classes(module):
    return {name for name in module.__all__ if inspect.isclass(getattr(module, name))}


def within(one, psf, reference, dex=2e-4, light=2e-3):
    seeing = observed(SHAPE, psf)
    found = jax.jit(jm.predict)(seeing, one, jm.prepare(one, {"map": seeing})["map"])
    off = errors(found, rendered(one, SHAPE, reference))
    assert off[0] <= dex
    assert off[1] <= light


def test_nothing_is_forgotten():
    assert set(drawn(tracers)) == classes(jm.tracer) | {"Partial"}
    assert set(drawn(lights)) == classes(jm.light) | {"Partial"}
    assert set(psfs(2.0)) == classes(jm.instrument) - {"PSF", "Aperture", "Bins", "Sampling"} | {"refined"}


@pytest.mark.parametrize("name", drawn(tracers))
def test_tracers(name):
    within(scene(EXPONENTIAL, drawn(tracers)[name], FRAME), *psfs(1.8)["Gaussian"])


@pytest.mark.parametrize("name", sorted(set(drawn(lights)) - NO_LIGHT))
def test_lights(name):
    within(scene(drawn(lights)[name], GRADIENT, FRAME), *psfs(1.8)["Gaussian"])


@pytest.mark.parametrize("name", psfs(1.8))
def test_psfs(name):
    within(scene(EXPONENTIAL, GRADIENT, FRAME), *psfs(1.8)[name])


def test_details_beyond_what_is_sampled_are_told():
    """With half of the samples that they ask for, 2 exp(-2 pi^2 (0.72 / 2)^2) = 15 % of their effect."""
    plans = [Plan(sampling=choose(fwhm=20.0, reach=4.0, finest=0.72 / n, lensed=False)) for n in (15.5, 7.5)]
    (told,) = findings(plans)
    assert told.severity == "warning"
    assert "need 16 samples per pixel, but 8 are taken: up to 15%" in told.text
