"""Grids of photoionisation models: against functions that they sample, against SciPy, and through line maps."""

import itertools

import jax
import jax.numpy as jnp
import numpy as np
import numpyro.distributions as dist
import pytest
from scipy.interpolate import CubicSpline

import jaxmetal as jm
from jaxmetal.edge.errors import InputError
from jaxmetal.meaning import meanings
from jaxmetal.model import tree
from jaxmetal.prepared import predictions

Z, U, N = np.linspace(7.4, 9.2, 10), np.array([-3.75, -3.5, -3.2, -2.9, -2.6, -2.3, -2.0]), np.linspace(-1.6, -0.6, 5)


def log_oiii(z, u):
    """Like grids of models: R3 turns over in Z and rises with U."""
    return 0.75 + 0.6 * (u + 3.0) - 0.1 * (u + 3.0) ** 2 - 0.9 * (z - 8.2 + 0.15 * u + 0.4) ** 2 - 0.2 * (z - 8.2) ** 3


def log_oii(z, u):
    return 0.4 - 0.3 * (u + 3.0) - 0.6 * (z - 8.6) ** 2


def models(*axes, seed=0):
    """All combinations, in a random order, with columns that are of no line."""
    names = ("metallicity", "ionisation", "nitrogen")[: len(axes)]
    rows = np.random.default_rng(seed).permutation(np.array(list(itertools.product(*axes))))
    z, u = rows[:, 0], rows[:, 1] if len(axes) > 1 else np.full(len(rows), -3.0)
    n = rows[:, 2] if len(axes) > 2 else 0.0
    lines = {"OIII5007": 10.0 ** log_oiii(z, u), "OII3727": 10.0 ** log_oii(z, u), "NII6584": 10.0 ** (z - 9.0 + n)}
    return dict(zip(names, rows.T, strict=True)) | lines | {"name": np.array(["model"] * len(rows))}


FEATURES = {"Hb": "Hb", "OIII": "OIII", "OII": "OII", "NII6584": "NII6584"}


def emitted(made, *values, a_v=0.0):
    """What the features have, in the order of FEATURES, of intrinsic Hb."""
    z, *also = (jnp.asarray(one) for one in values)
    return [np.asarray(one) for one in made.each_feature(z, jnp.asarray(a_v), *also, intrinsic=True)]


def test_between_its_nodes_a_grid_is_right_to_a_thousandth():
    made = jm.lines.photoionisation(models(Z, U, N), FEATURES)
    random = np.random.default_rng(1)
    z, u, n = random.uniform(7.45, 9.15, 200), random.uniform(-3.7, -2.05, 200), random.uniform(-1.55, -0.65, 200)
    hb, oiii, oii, nii = emitted(made, z, u, n)
    np.testing.assert_allclose(hb, 1.0)
    np.testing.assert_allclose(np.log10(oiii), log_oiii(z, u) + np.log10(1.0 + 1.0 / 2.984), atol=1e-3)
    np.testing.assert_allclose(np.log10(oii), log_oii(z, u), atol=1e-3)
    np.testing.assert_allclose(np.log10(nii), z - 9.0 + n, atol=1e-3)


def test_the_spline_is_that_of_scipy_and_its_edge_goes_on():
    made = jm.lines.photoionisation(models(Z), FEATURES)
    at = np.linspace(7.0, 9.6, 41)
    expected = CubicSpline(Z, log_oiii(Z, -3.0))(np.clip(at, Z[0], Z[-1]))
    np.testing.assert_allclose(np.log10(emitted(made, at)[1]), expected + np.log10(1.0 + 1.0 / 2.984), atol=1e-10)
    slope = jax.grad(lambda z: made.each_feature(z, 0.0)[2])
    assert np.isfinite([float(slope(z)) for z in (7.0, 7.4, 8.0, 8.6, 9.2, 9.5)]).all()
    step = 1e-5
    np.testing.assert_allclose(
        slope(8.05), (emitted(made, 8.05 + step)[2] - emitted(made, 8.05 - step)[2]) / (2 * step), rtol=1e-6
    )


def test_dust_reddens_as_for_calibrations():
    made, plain = (
        jm.lines.photoionisation(models(Z), ["Ha", "OII"], law="CF00"),
        jm.lines.emission(["Ha"], [], law="CF00"),
    )
    ours, theirs = (one.each_feature(jnp.asarray(8.3), jnp.asarray(1.2))[0] for one in (made, plain))
    np.testing.assert_allclose(ours, theirs, rtol=1e-12)


def test_line_maps_of_a_source_that_carries_log_u():
    made = jm.lines.photoionisation(models(Z, U), ["Hb", "OIII5007", "OII"])
    psf, blank = jm.instrument.Gaussian(fwhm=0.5), np.zeros((7, 8))
    maps = jm.recipes.line_maps(dict.fromkeys(made.features, blank), made, psf=psf, sigma=0.1, pixel_scale=0.25)
    assert maps.properties == ("metallicity", "extinction", "ionisation")
    assert maps.describe() == (
        "line maps of Hb, OIII5007, OII by a grid of models (12 + log(O/H) 7.4 to 9.2, log U -3.75 to -2)"
    )

    def scene(departures=None, **more):
        known = {"metallicity": 8.37, "extinction": 0.0, "ionisation": -2.77} | more
        source = jm.Source(
            frame=jm.frame.Disc(q=0.7),
            lights={"Hbeta": jm.light.Exponential(flux=5.0, r_eff=0.4)},
            carries={n: jm.Carried(profile=jm.tracer.Constant(value=v), weight="Hbeta") for n, v in known.items()},
            departures=departures or {},
        )
        return jm.Scene(sources={"disc": source})

    truth = scene()
    seen = predictions({"lines": maps}, truth, jm.prepare(truth, {"lines": maps}))["lines"].value
    np.testing.assert_allclose(seen[1] / seen[0], 10.0 ** log_oiii(8.37, -2.77), rtol=2e-3)
    np.testing.assert_allclose(seen[2] / seen[0], 10.0 ** log_oii(8.37, -2.77), rtol=2e-3)
    with pytest.raises(InputError, match="departures: expected none with a grid of models, found R3; leave them out"):
        predictions({"lines": maps}, scene({"R3": 0.5}), jm.prepare(truth, {"lines": maps}))
    known = meanings(tree(scene(ionisation=dist.Normal(-3.0, 0.5)), {"lines": maps}))
    assert known["scene.sources.disc.carries.ionisation.profile.value"].unit == "dex"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda m: m.pop("metallicity"), "expected a column metallicity"),
        (
            lambda m: m.update(metallicity=m["metallicity"] * np.nan),
            "expected finite numbers of metallicity",
        ),
        (lambda m: m["ionisation"].__setitem__(0, -2.95), "found none at metallicity = 7.4, ionisation = -"),
        (lambda m: m.pop("OII3727"), "expected a column of OII over Hb, found OIII5007, NII6584; add it"),
        (lambda m: m.update(OIII5007=-m["OIII5007"]), "expected positive fluxes of OIII5007, found -"),
        (lambda m: [m.update({k: np.append(v, v[:1])}) for k, v in list(m.items())], "found several at metallicity"),
        (lambda m: [m.update({k: v[:0]}) for k, v in list(m.items())], "expected a row for each model, found none"),
        (
            lambda m: m.update(OIII5007=np.array([*m["OIII5007"][1:].astype(str), "1.78a"])),
            "expected a number of 'OIII5007' for each model, found '1.78a'",
        ),
        (lambda m: [m.update({k: v[:1]}) for k, v in list(m.items())], "two values of metallicity or more, found 1"),
    ],
)
def test_a_grid_that_is_none_is_refused(change, message):
    given = models(Z, U)
    change(given)
    with pytest.raises(InputError, match=message):
        jm.lines.photoionisation(given, FEATURES)
