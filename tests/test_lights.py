"""Every light keeps its flux, its half-light radius and its gradients."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.test_util import check_grads
from jax.tree_util import Partial
from lenstronomy.LightModel.light_model import LightModel
from scipy.integrate import quad
from scipy.special import gammaincinv

from jaxmetal import frame, light
from jaxmetal.numerics.grid import Grid

FLUX, R_EFF = 3.0, 0.7


def clump(u, v, *, height):
    return height / (1.0 + u**2 + v**2)


PROFILES = {
    "exponential": light.Exponential(flux=FLUX, r_eff=R_EFF),
    "gaussian": light.Gaussian(flux=FLUX, r_eff=R_EFF),
    **{f"moffat{beta}": light.Moffat(flux=FLUX, r_eff=R_EFF, beta=beta) for beta in (1.6, 6.0)},
    **{f"sersic{n}": light.Sersic(flux=FLUX, r_eff=R_EFF, n=n) for n in (0.5, 1.0, 4.0, 8.0)},
}
PICTURE = light.Picture(
    values=np.random.default_rng(2).normal(1.0, 1.0, (6, 9)),
    grid=Grid.regular((6, 9), 0.5),
    plane="source",
    dx=0.1,
)
OTHERS = {
    "sum": light.Sum(parts={"bulge": PROFILES["sersic4.0"], "disc": PROFILES["exponential"]}),
    "picture": PICTURE,
    "function": Partial(clump, height=2.0),
}
ALL = PROFILES | OTHERS


def flux_within(profile, edge):
    """2 pi int_0^edge I R dR, in t = R^(1/4), where the cusp is harmless."""
    brightness = jax.jit(lambda r: profile(r, 0.0))
    return quad(lambda t: 8 * np.pi * t**7 * float(brightness(t**4)), 0, edge**0.25, limit=200, epsabs=0, epsrel=1e-9)[
        0
    ]


@pytest.mark.parametrize("profile", PROFILES.values(), ids=PROFILES)
def test_flux_and_half_light_radius(profile):
    np.testing.assert_allclose(flux_within(profile, R_EFF), FLUX / 2, rtol=2e-8)
    edge = 1e9 if isinstance(profile, light.Moffat) else 3e4
    np.testing.assert_allclose(flux_within(profile, edge), FLUX, rtol=1e-6)


def test_sersic_b_and_its_derivative():
    n = np.linspace(0.5, 8.0, 301)
    np.testing.assert_allclose(light.sersic_b(n), gammaincinv(2 * n, 0.5), atol=1e-8)
    h = 1e-4
    slope = (gammaincinv(2 * (n + h), 0.5) - gammaincinv(2 * (n - h), 0.5)) / (2 * h)
    np.testing.assert_allclose(jax.vmap(jax.grad(light.sersic_b))(n), slope, atol=1e-6)


@pytest.mark.parametrize(("n", "name"), [(0.5, "gaussian"), (1.0, "exponential")])
def test_sersic_contains_the_others(n, name):
    u, v = np.random.default_rng(0).normal(size=(2, 20))
    np.testing.assert_allclose(PROFILES[f"sersic{n}"](u, v), PROFILES[name](u, v), rtol=1e-6)


def test_finite_with_gradients_at_the_centre(precision):
    def total(profile, disc, x, y):
        return jnp.sum(profile(*disc.to_plane(x, y)) / disc.axis_ratio)

    @jax.jit
    def values_and_gradients(profiles, *where):
        return {name: jax.value_and_grad(total, argnums=(0, 1, 2, 3))(p, *where) for name, p in profiles.items()}

    disc = frame.Disc(x0=0.0, y0=0.0, q=1.0, pa=0.0)
    x = np.array([[0.0, 0.3, 1e-12], [5.0, -80.0, 0.0]])
    inputs = jax.tree.map(lambda leaf: np.asarray(leaf, precision), (ALL, disc, x, 0.0 * x))
    found = values_and_gradients(*inputs)
    assert {value.dtype.name for value, _ in found.values()} == {precision}
    assert [
        name for name, tree in found.items() if not all(np.isfinite(leaf).all() for leaf in jax.tree.leaves(tree))
    ] == []


def test_jit_and_vmap_change_nothing():
    @jax.jit
    def mapped(profiles, u, v):
        return {name: jax.vmap(lambda p: p(u, v))(profile) for name, profile in profiles.items()}

    u, v = np.random.default_rng(1).normal(size=(2, 4, 5))
    found = mapped(jax.tree.map(lambda leaf: np.stack([leaf] * 3), ALL), u, v)
    for name, profile in ALL.items():
        plain = profile(u, v)
        assert plain.shape == (4, 5), name
        np.testing.assert_allclose(found[name], np.stack([plain] * 3), rtol=1e-12, atol=1e-14, err_msg=name)


def test_gradients_are_finite_differences():
    def brightness(flux, r_eff, n, u):
        return light.Sersic(flux=flux, r_eff=r_eff, n=n)(u, 0.3)

    check_grads(brightness, (2.0, 0.7, 3.3, 0.4), order=1, modes=["rev"])


def test_a_picture_shows_its_pixels_and_keeps_its_flux():
    x, y = PICTURE.grid.centres()
    np.testing.assert_allclose(PICTURE(x + 0.1, y), PICTURE.values, atol=1e-13)
    fine = Grid.regular((8 * 6, 11 * 6), 0.5 / 6)
    x, y = fine.centres()
    total = PICTURE(x + 0.1, y).sum() * fine.pixel_area
    np.testing.assert_allclose(total, PICTURE.values.sum() * 0.25, rtol=1e-10)
    assert PICTURE(50.0, 0.0) == 0.0


def test_a_picture_states_its_plane():
    with pytest.raises(TypeError, match="plane"):
        light.Picture(values=PICTURE.values, grid=PICTURE.grid)


def test_clipping_reports_what_it_lost():
    picture = light.Picture(
        values=np.array([[3.0, -0.5, 1.0], [0.0, -0.5, 1.0]]), grid=Grid.regular((2, 3), 1.0), plane="image"
    )
    clipped, lost = light.clip_negative(picture)
    np.testing.assert_array_equal(clipped.values, [[3, 0, 1], [0, 0, 1]])
    assert lost == 1.0 / 6.0
    assert clipped.plane == "image"


@pytest.mark.parametrize(("n", "q", "pa"), [(0.7, 0.4, 20.0), (1.0, 0.8, -50.0), (3.5, 0.6, 100.0)])
def test_sersic_against_lenstronomy(n, q, pa):
    x, y = np.random.default_rng(7).uniform(-2, 2, (2, 30))
    disc = frame.Disc(x0=0.1, y0=-0.2, q=q, pa=pa)
    ours = light.Sersic(flux=FLUX, r_eff=R_EFF, n=n)
    e1, e2 = frame.ellipticity_to_lenstronomy(*frame.to_ellipticity(q, pa), x_to="west")
    theirs = light.sersic_to_lenstronomy(ours, q)
    keywords = {k: float(v) for k, v in (theirs | {"e1": e1, "e2": e2, "center_x": 0.1, "center_y": -0.2}).items()}
    expected = LightModel(["SERSIC_ELLIPSE"]).surface_brightness(x, y, [keywords])
    np.testing.assert_allclose(ours(*disc.to_plane(x, y)) / disc.axis_ratio, expected, rtol=1e-7)
    back = light.sersic_from_lenstronomy(theirs["amp"], theirs["R_sersic"], n, q)
    np.testing.assert_allclose((back.flux, back.r_eff, back.n), (FLUX, R_EFF, n), rtol=1e-12)
