"""How much of a slope's variance goes with the lens, of draws for which that is known."""

import numpy as np
import numpyro.distributions as dist
import pytest
from drawn import SLOPE, drawn, scene

import jaxmetal as jm
from jaxmetal.result import lens_share, summary, view
from jaxmetal.result.due_to_lens import explained
from jaxmetal.run.rows import row

RANDOM = np.random.default_rng(8)
TILTS = {f"scene.lens.tilt.gamma{k}": RANDOM.normal(0.0, 0.02, (4, 400)) for k in (1, 2)}
FREE = jm.lens.Shear(gamma1=dist.Normal(0.0, 0.02), gamma2=dist.Normal(0.0, 0.02))


def fitted(lens_part, own, lens=FREE):
    """Slopes of which the lens makes `lens_part` and the rest `own`, standard deviations."""
    towards = (0.6 * TILTS["scene.lens.tilt.gamma1"] - 0.8 * TILTS["scene.lens.tilt.gamma2"]) / 0.02
    slope = -0.2 + lens_part * towards + own * RANDOM.normal(size=(4, 400))
    return view(drawn(scene(lens={"tilt": lens}), **{SLOPE: slope}, **(TILTS if lens is FREE else {})))


def test_the_share_is_that_of_which_the_draws_are_made():
    seen = fitted(0.03, 0.02)
    found = lens_share(seen, SLOPE)
    assert found.numbers == 2
    assert found.share == pytest.approx(9 / 13, abs=0.03)
    assert found.sd == pytest.approx(0.02, rel=0.05)
    (line,) = (line for line in summary(seen).splitlines() if "The uncertainty of the lens" in line)
    assert f"the lens (2 free numbers) is {found.share:.0%} of its variance" in line
    assert line.endswith("standard deviation would be 0.02 dex per arcsec.")
    entry = row("galaxy", seen)["disc.metallicity.slope_lens_share"]
    assert entry.value == found.share


def test_a_lens_that_does_nothing_has_no_share():
    assert lens_share(fitted(0.0, 0.02), SLOPE).share < 0.01


def test_without_a_free_lens_nothing_is_said():
    seen = fitted(0.03, 0.02, jm.lens.Shear(gamma1=0.01, gamma2=0.0))
    assert lens_share(seen, SLOPE) is None
    assert "goes with the lens" not in summary(seen)


def test_many_numbers_and_few_draws_are_allowed_for():
    """Of the variance of 200 draws, 60 numbers that have nothing to do with them explain about 30 %."""
    values, others = RANDOM.normal(size=200), RANDOM.normal(size=(60, 200))
    centred = others - others.mean(axis=1, keepdims=True)
    plain = np.var(centred.T @ np.linalg.lstsq(centred.T, values, rcond=None)[0]) / np.var(values)
    assert plain > 0.2
    assert explained(values, others, np.inf) < 0.15
    assert np.isnan(explained(values, others, 50.0))
    assert explained(values, np.stack([values, others[0]]), 200.0) == pytest.approx(1.0)
