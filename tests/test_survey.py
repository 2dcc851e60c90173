"""Simulated samples: their truths, their sizes, and that their maps are what jaxmetal fits."""

from functools import partial

import numpy as np
import pytest

import jaxmetal as jm
from jaxmetal import io, simulate
from jaxmetal.edge.errors import InputError
from jaxmetal.simulate import surveys

PARENT = simulate.Parent(size_at_pivot=8.9)


def sampled(count, **keywords):
    settings = {"instrument": simulate.INSTRUMENTS["KMOS"], "kpc_per_arcsec": io.kpc_per_arcsec}
    return simulate.survey(count, **({"parent": PARENT} | settings | keywords))


def test_sizes_follow_the_mass_size_relation():
    assert simulate.median_size(np.log10(5e10), 0.0, 8.9) == pytest.approx(8.9)
    assert simulate.median_size(np.log10(5e10) - 1.0, 1.0, 8.9) == pytest.approx(8.9 * 10**-0.22 * 2**-0.75)


def test_truths_are_those_of_the_population(monkeypatch):
    monkeypatch.setattr(surveys, "expose", lambda truth, **_: truth)
    truths = sampled(3000, seed=5).truths
    slope, central = np.polyfit(truths["log_mass"] - PARENT.pivot, truths["gradient"], 1)
    assert slope == pytest.approx(-0.02, abs=0.004)
    assert central == pytest.approx(-0.03, abs=0.002)
    residual = truths["gradient"] - central - slope * (truths["log_mass"] - PARENT.pivot)
    assert residual.std() == pytest.approx(0.03, rel=0.05)
    expected = simulate.median_size(truths["log_mass"], truths["redshift"], 8.9)
    assert np.log10(truths["r_eff_kpc"] / expected).std() == pytest.approx(0.2, rel=0.05)
    np.testing.assert_allclose(truths["slope"], truths["gradient"] * io.kpc_per_arcsec(truths["redshift"]))
    np.testing.assert_allclose(truths["r_eff"] * truths["kpc_per_arcsec"], truths["r_eff_kpc"])


def test_maps_are_fitted_back_to_their_truth():
    found = sampled(2, peak_snr=60.0, seed=2, shape=(19, 23))
    for k, galaxy in enumerate(found.galaxies):
        light = galaxy.truth.sources["disc"].lights["halpha"]
        frame = galaxy.truth.sources["disc"].frame
        prior = jm.recipes.gradient(galaxy.observations["metallicity"], light=light, frame=frame)
        fitted = jm.fit.auto(
            prior, {"metallicity": galaxy.observations["metallicity"]}, method="laplace", start_count=1, progress=False
        )
        drawn = fitted.draws["scene.sources.disc.carries.metallicity.profile.slope"]
        assert abs(drawn.mean() - found.truths["slope"][k]) < 3.5 * drawn.std()
        assert galaxy.observations["metallicity"].data.shape == (19, 23)


def test_instruments_make_maps():
    assert set(simulate.INSTRUMENTS) == {"NIRISS", "NIRSpec IFU", "MUSE", "KMOS", "SINFONI", "MaNGA"}
    for name in ("NIRISS", "MaNGA"):
        instrument = simulate.INSTRUMENTS[name]
        near = simulate.Parent(size_at_pivot=8.9, redshift=(0.03, 0.04) if name == "MaNGA" else (1.0, 1.1))
        found = sampled(1, parent=near, instrument=instrument, shape=(11, 13), peak_snr=30.0)
        assert np.asarray(found.galaxies[0].observations["metallicity"].used).any()
        assert float(found.galaxies[0].observations["metallicity"].psf.fwhm) == instrument.fwhm


def test_impossible_surveys_are_refused():
    with pytest.raises(InputError, match="count: expected a whole number"):
        sampled(0)
    with pytest.raises(InputError, match="positive scales"):
        sampled(1, kpc_per_arcsec=lambda z: 0.0)


PARENTS = {
    "no size": ({"size_at_pivot": 0.0}, r"size_at_pivot: expected a number within \(0, inf\), found 0"),
    "negative scatter": (
        {"central_scatter": -0.1},
        r"central_scatter: expected a number within \[0, inf\), found -0.1",
    ),
    "no gradient": ({"gradient": np.nan}, r"gradient: expected a number within \(-inf, inf\), found nan"),
    "a backward range": ({"redshift": (2.0, 1.0)}, r"redshift: expected the smaller number first, found \(2, 1\)"),
    "three ends": ({"axis_ratio": (0.1, 0.2, 0.3)}, "axis_ratio: expected two numbers, found"),
    "rounder than a circle": ({"axis_ratio": (0.5, 1.1)}, r"axis_ratio: expected a number within \(0, 1\], found 1.1"),
    "negative spread": ({"log_mass": (9.8, -0.5)}, r"log_mass: its standard deviation: expected a number within \[0"),
}


@pytest.mark.parametrize("case", PARENTS)
def test_populations_that_cannot_be_are_refused(case):
    changes, said = PARENTS[case]
    with pytest.raises(InputError, match=said):
        simulate.Parent(**{"size_at_pivot": 8.9} | changes)


@pytest.mark.parametrize(
    ("shape", "said"), [((0, 5), "ny of shape: .* found 0"), ((5, 5.5), "nx of shape: .* found 5.5")]
)
def test_maps_have_whole_numbers_of_pixels(shape, said):
    for make in (simulate.niriss_like, simulate.kmos_like, partial(sampled, 1)):
        with pytest.raises(InputError, match=said):
            make(shape=shape)
    with pytest.raises(InputError, match="shape: expected two numbers of pixels"):
        sampled(1, shape=(5,))
