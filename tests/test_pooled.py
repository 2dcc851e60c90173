"""A mixture of fits weighted by their evidence, of draws and evidences that are given."""

import dataclasses

import numpy as np
import numpyro.distributions as dist
import pytest
from drawn import SLOPE, drawn, scene
from fits_files import refused

import jaxmetal as jm
from jaxmetal.result import pool

RANDOM = np.random.default_rng(4)
MEANS, SDS, EVIDENCES = (-0.3, -0.2, 0.1), (0.02, 0.03, 0.02), (-100.0, -100.0 + np.log(3.0), -140.0)


@pytest.fixture(scope="module")
def fits():
    """The same model with other draws."""
    one = drawn(scene(), **{SLOPE: RANDOM.normal(size=(4, 2000))})
    return {
        name: dataclasses.replace(one, draws={SLOPE: mean + sd * one.draws[SLOPE]}, log_evidence=evidence)
        for name, mean, sd, evidence in zip("abc", MEANS, SDS, EVIDENCES, strict=True)
    }


def test_weights_are_those_of_the_evidence_and_the_variance_is_total(fits):
    found = pool(fits, draws=8000)
    assert found.weights == pytest.approx({"a": 0.25, "b": 0.75, "c": 0.0}, abs=1e-12)
    mean = 0.25 * -0.3 + 0.75 * -0.2
    across, within = 0.25 * 0.75 * 0.1**2, 0.25 * 0.02**2 + 0.75 * 0.03**2
    assert found.draws[SLOPE].shape == (8000,)
    assert np.mean(found.draws[SLOPE]) == pytest.approx(mean, abs=0.002)
    assert np.var(found.draws[SLOPE]) == pytest.approx(across + within, rel=0.05)
    assert found.between[SLOPE] == pytest.approx(across / (across + within), rel=0.05)
    assert np.mean(found.draws[SLOPE] > 0.0) == 0.0
    assert f"{found.between[SLOPE]:.0%}" in str(found)


def test_angles_of_models_are_on_one_turn():
    """Best position angles of 1 and 179 degrees, which is -1, and of 182, which is 2."""
    pa, noise = "scene.sources.disc.frame.pa", np.random.default_rng(6).normal(size=(4, 2000))
    turned = scene(frame=jm.frame.Disc(q=0.6, pa=dist.Uniform(0.0, 180.0)))
    one = drawn(turned, **{pa: 1.0 + 3.0 * noise, SLOPE: noise})
    fits = {}
    for name, middle in (("a", 1.0), ("b", 179.0), ("c", 182.0)):
        best = {**one.best, pa: np.array(middle)}
        fits[name] = dataclasses.replace(
            one, draws={**one.draws, pa: middle + 3.0 * noise}, best=best, log_evidence=0.0
        )
    found = pool(fits, draws=6000)
    across = np.var([1.0, -1.0, 2.0])
    assert np.mean(found.draws[pa]) == pytest.approx(2.0 / 3.0, abs=0.2)
    assert np.var(found.draws[pa]) == pytest.approx(across + 9.0, rel=0.05)
    assert found.between[pa] == pytest.approx(across / (across + 9.0), rel=0.1)


def test_a_prior_of_the_models_counts(fits):
    found = pool({name: fits[name] for name in "ab"}, prior={"a": 3.0, "b": 1.0}, draws=11)
    assert found.weights == pytest.approx({"a": 0.5, "b": 0.5})
    assert len(found.draws[SLOPE]) == 11


def test_what_cannot_be_pooled_is_refused(fits):
    a, b = fits["a"], fits["b"]
    alone = dataclasses.replace(b, draws={SLOPE: b.draws[SLOPE][:1, :1]})
    other = dataclasses.replace(b.tree["map"], data=b.tree["map"].data + 0.1)
    refused(lambda: pool({"a": a}), "two fits or more, found 1")
    refused(lambda: pool({"a": a, "b": alone}), "draws and an evidence of every fit, 'b' has none")
    refused(lambda: pool({"a": a, "b": dataclasses.replace(b, log_evidence=np.nan)}), "'b' has none")
    refused(lambda: pool({"a": a, "b": dataclasses.replace(b, tree={**b.tree, "map": other})}), "'b' are others")
    refused(lambda: pool({"a": a, "b": b}, prior={"a": 1.0}), "a prior above 0 for each of a, b")
    refused(lambda: pool({"a": a, "b": b}, prior={"a": 1.0, "b": 0.0}), "a prior above 0 for each of a, b")
