"""How large galaxies are: what slopes per R_e are told by, and what beams are compared with."""

import dataclasses

import numpy as np
import numpyro.distributions as dist
import pytest
from drawn import SLOPE, drawn, scene, weighted_map

import jaxmetal as jm
from jaxmetal.result.resolved import resolution
from jaxmetal.result.size import effective_radius, shrinking
from jaxmetal.run.rows import row

RNG = np.random.default_rng(5)
COUNT = 40
STEEP = RNG.normal(-0.1, 0.02, (2, COUNT))
FREE = {SLOPE: STEEP}
WIDE = RNG.normal(0.8, 0.1, (2, COUNT))


def quantities(posterior, column):
    found = row("one", posterior)
    return [found[column + ending].value for ending in ("_lo", "", "_hi")]


def numbers(values):
    return np.quantile(values, [0.16, 0.5, 0.84])


def test_a_tied_size_takes_its_draws():
    light = jm.light.Exponential(flux=1.0, r_eff=jm.Tied("size", dist.Normal(0.8, 0.1)))
    made = drawn(scene(light), **FREE, size=WIDE)
    np.testing.assert_allclose(quantities(made, "disc.metallicity.slope_per_r_eff"), numbers(STEEP * WIDE))


def test_a_tied_slope_is_a_slope_in_each_of_its_places():
    light = jm.light.Exponential(flux=1.0, r_eff=0.5)
    one = scene(light, slope=jm.Tied("steep", dist.Normal(0.0, 0.3))).sources["disc"]
    other = scene(jm.light.Exponential(flux=1.0, r_eff=2.0), slope=jm.Tied("steep")).sources["disc"]
    made = drawn(jm.Scene(sources={"one": one, "other": other}), steep=STEEP)
    found = row("pair", made, kpc_per_arcsec=4.0)
    assert found["steep"].unit == "dex/arcsec"
    for place, size in (("one", 0.5), ("other", 2.0)):
        column = f"steep.{place}.metallicity"
        assert found[f"{column}_resolved"].value
        assert (found[f"{column}_per_kpc"].unit, found[f"{column}_per_r_eff"].unit) == ("dex/kpc", "dex")
        np.testing.assert_allclose(quantities(made, f"{column}_per_r_eff"), numbers(STEEP * size))
        np.testing.assert_allclose(found[f"{column}_per_kpc"].value, np.median(STEEP) / 4.0)
    assert jm.result.summary(made, 4.0).count("The gradient is resolved") == 2


@pytest.mark.parametrize("tied", [False, True])
def test_a_size_from_elsewhere_brings_its_error(tied):
    given = dist.Normal(0.8, 0.1)
    light = jm.light.Exponential(flux=1.0, r_eff=0.3)
    name = "given" if tied else "scene.sources.disc.r_eff"
    made = drawn(scene(light, r_eff=jm.Tied("given", given) if tied else given), **FREE, **{name: WIDE})
    np.testing.assert_allclose(quantities(made, "disc.metallicity.slope_per_r_eff"), numbers(STEEP * WIDE))
    assert jm.result.view(made).meanings[name].unit == "arcsec"
    assert float(effective_radius(drawn(scene(light, r_eff=0.8), **FREE), "disc", "metallicity")) == 0.8
    with pytest.raises(jm.InputError, match="r_eff: expected a number within"):
        jm.prepare(scene(light, r_eff=0.0), {"map": made.tree["map"]})


R_EFF, Q, PA = 0.6, 0.5, 40.0
GRID = jm.Grid.regular((120, 100), 0.1)


def exponential(x, y):
    """Brightness of a disc of R_EFF, Q and PA, on the sky."""
    turn = np.deg2rad(PA)
    u, v = -x * np.sin(turn) + y * np.cos(turn), -x * np.cos(turn) - y * np.sin(turn)
    return np.exp(-1.6783469900166605 * np.hypot(u, v / Q) / R_EFF)


def picture(plane, bend=lambda x, y: (x, y), **more):
    x, y = (np.asarray(a) for a in GRID.centres())
    return jm.light.Picture(values=exponential(*bend(x, y)), grid=GRID, plane=plane, **more)


DISC = jm.frame.Disc(q=Q, pa=PA)


def test_half_of_a_picture_lies_within_its_size():
    made = drawn(scene(picture("source"), DISC), **FREE)
    assert float(effective_radius(made, "disc", "metallicity")) == pytest.approx(R_EFF, rel=0.01)
    np.testing.assert_allclose(quantities(made, "disc.metallicity.slope_per_r_eff"), numbers(STEEP * R_EFF), rtol=0.01)


def test_the_picture_of_an_arc_is_as_large_as_its_source():
    gamma, kappa = 0.3, 0.2

    def bend(x, y):
        return (1 - kappa - gamma) * x, (1 - kappa + gamma) * y

    maps = {"alpha_x": lambda x, y: (kappa + gamma) * x, "alpha_y": lambda x, y: (kappa - gamma) * y}
    wide = jm.Grid.regular((130, 130), 0.12)
    lens = jm.lens.Tabulated(grid=wide, **{name: np.asarray(of(*wide.centres())) for name, of in maps.items()})
    made = drawn(scene(picture("image", bend), DISC, {"cluster": lens}), **FREE)
    assert float(effective_radius(made, "disc", "metallicity")) == pytest.approx(R_EFF, rel=0.01)
    shrunk = np.sqrt((1 - kappa - gamma) * (1 - kappa + gamma))
    assert shrinking(made, "map", "disc") == pytest.approx(shrunk, rel=1e-3)
    found = resolution(made, SLOPE, "disc", "metallicity")
    assert found.beams == pytest.approx(R_EFF / (0.25 * shrunk), rel=0.01)


def test_beams_are_those_where_the_source_shines_however_wide_the_field():
    """Points drawn from the disc, and both images of each behind an isothermal sphere: theta = beta +- theta_e."""
    theta_e, r_eff, x0, rng = 1.0, 0.2, 0.3, np.random.default_rng(0)
    away, turn = rng.gamma(2.0, r_eff / 1.6783469900166605, 400_000), rng.uniform(0.0, 2.0 * np.pi, 400_000)
    beta = np.hypot(x0 + away * np.cos(turn), away * np.sin(turn))
    theta = np.concatenate([beta + theta_e, np.where(beta < theta_e, theta_e - beta, np.nan)])
    shrunk = np.abs(1.0 - theta_e / theta)
    shrunk = np.sort(shrunk[np.isfinite(shrunk)])
    magnified = np.cumsum(1.0 / shrunk)
    expected = np.sqrt(np.interp(0.5 * magnified[-1], magnified, shrunk))
    lens = {"galaxy": jm.lens.SIS(theta_e=theta_e)}
    made = scene(jm.light.Exponential(flux=1.0, r_eff=r_eff), jm.frame.Disc(x0=x0, q=1.0), lens)
    wide = weighted_map((64, 64), 0.1)
    near = dataclasses.replace(wide, used=np.hypot(*wide.grid.centres()) < 2.2)
    small, large = (resolution(drawn(made, one, **FREE), SLOPE, "disc", "metallicity").beams for one in (near, wide))
    assert small == pytest.approx(large, rel=0.01)
    assert large == pytest.approx(r_eff / (0.25 * expected), rel=0.02)


def test_the_size_of_a_picture_follows_each_draw_of_its_frame():
    q = np.linspace(0.4, 1.0, 2 * COUNT).reshape(2, COUNT)
    frame = dataclasses.replace(DISC, q=dist.Uniform(0.2, 1.0))
    made = drawn(scene(picture("source"), frame), **FREE, **{"scene.sources.disc.frame.q": q})
    found = effective_radius(made, "disc", "metallicity")
    x, y = (np.asarray(a) for a in GRID.centres())
    light = exponential(x, y).ravel()
    for i in (0, COUNT - 1):
        turn = np.deg2rad(PA)
        u, v = -x * np.sin(turn) + y * np.cos(turn), -x * np.cos(turn) - y * np.sin(turn)
        away = np.hypot(u, v / q[0, i]).ravel()
        order = np.argsort(away)
        growth = np.cumsum(light[order])
        assert found[0, i] == pytest.approx(np.interp(0.5 * growth[-1], growth, away[order]), rel=0.01)


def test_light_that_has_no_size_has_none():
    assert effective_radius(drawn(scene(jm.light.Unweighted()), **FREE), "disc", "metallicity") is None
