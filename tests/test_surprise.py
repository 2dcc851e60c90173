"""Data that a fit does not describe are said to be so, whatever their noise."""

import dataclasses

import numpy as np
import pytest
from folded import posed

import jaxmetal as jm

pytestmark = pytest.mark.usefixtures("compile_quickly")


@pytest.mark.parametrize("noise", [jm.likelihood.Gaussian, jm.likelihood.StudentT])
def test_data_far_from_the_best_fit_are_a_surprise(noise):
    prior, seen = posed(0.1, 1.0, 0.0, 0.0, loc=0.0, scale=0.5)
    more = {"nu": 3.0} if noise is jm.likelihood.StudentT else {}
    own = dataclasses.replace(seen["map"], noise=noise(sigma=0.1, **more))
    flat = np.random.default_rng(4)
    scatter = flat.standard_normal(own.data.shape) if not more else flat.standard_t(3.0, own.data.shape)
    good = dataclasses.replace(own, data=8.4 + 0.1 * scatter)
    bad = dataclasses.replace(own, data=8.4 + 0.5 * scatter)
    found = {}
    for name, one in {"good": good, "bad": bad}.items():
        posterior = jm.fit.auto(prior, {"map": one}, method="map", start_count=1, progress=False)
        found[name] = " ".join(str(finding) for finding in jm.result.view(posterior).findings)
        assert ("does not describe 'map'" in jm.result.summary(posterior)) == (name == "bad")
    assert "does not describe" not in found["good"]
    assert "for 30 data" in found["bad"]
