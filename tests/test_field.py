"""A random field of metallicity: its covariance is the Matern function, and its weights are counted."""

import jax
import jax.numpy as jnp
import numpy as np
import numpyro.distributions as dist
import pytest
from scipy.special import gamma, kv

import jaxmetal as jm
from jaxmetal.io.posterior_tables import parameters
from jaxmetal.plot.of_field import field as field_picture
from jaxmetal.result.predicted import azimuthal_mean

MODES = 15
ROUGH = 45
"""Modes of an exponential covariance, whose short waves hold more."""


def field(weights, **given):
    return jm.tracer.Field(**{"weights": weights, "amplitude": 0.1, "length": 0.4, "extent": 1.0} | given)


def rms(values):
    return np.sqrt(np.mean(values**2))


def matern(reduced, nu):
    """Rasmussen & Williams 2006, eqs 4.9 and 4.14, of R / length."""
    if np.isinf(nu):
        return np.exp(-0.5 * reduced**2)
    scaled = np.sqrt(2.0 * nu) * np.maximum(reduced, 1e-9)
    return 2.0 ** (1.0 - nu) / gamma(nu) * scaled**nu * kv(nu, scaled)


@pytest.mark.parametrize(("nu", "error"), [(0.5, 0.02), (1.5, 0.015), (2.5, 0.01), (np.inf, 0.01)])
def test_covariance_is_the_matern_function(nu, error):
    """The map is linear in weights of unit variance: its Jacobian times itself is the covariance."""
    u, v = np.random.default_rng(2).uniform(-0.7, 0.7, (2, 40))
    none = jnp.zeros((ROUGH, ROUGH) if nu == 0.5 else (MODES, MODES))
    modes = np.asarray(jax.jacobian(lambda w: field(w, nu=nu)(u, v))(none)).reshape(40, -1)
    apart = np.hypot(u[:, None] - u, v[:, None] - v)
    found = modes @ modes.T / 0.1**2
    np.testing.assert_allclose(np.diag(found), 1.0, rtol=1e-10)
    assert rms(found - matern(apart / 0.4, nu)) < error
    # The test could tell a length that is wrong by a quarter.
    assert rms(found - matern(apart / 0.5, nu)) > 1.5 * error


@pytest.mark.parametrize("given", [{"length": 1e-3}, {"length": 50.0}, {"amplitude": 0.0}, {"nu": 0.5}])
def test_edges_are_finite_with_gradients(given):
    made = jax.tree.map(lambda leaf: jnp.asarray(leaf, float), field(np.ones((3, 3)), **given))
    value, slopes = jax.value_and_grad(lambda one: jnp.sum(one(jnp.array([0.0, 0.3]), jnp.array([0.0, -9.0]))))(made)
    assert all(np.isfinite(leaf).all() for leaf in [value, *jax.tree.leaves(slopes)])


def test_smallest_scale_follows_the_length_until_the_shortest_wave():
    assert field(np.zeros((MODES, MODES)), length=0.1).smallest_scale() == pytest.approx(
        3.0 / (2.0 * np.pi * 7.0), rel=1e-6
    )
    assert field(np.zeros((MODES, MODES)), length=0.8).smallest_scale() == pytest.approx(0.2, rel=1e-6)


def scene(profile):
    disc = jm.Source(
        frame=jm.frame.Disc(q=0.8, pa=20.0),
        lights={"halpha": jm.light.Exponential(flux=1.0, r_eff=0.5)},
        carries={"metallicity": jm.Carried(profile=profile, weight="halpha")},
    )
    return jm.Scene(sources={"disc": disc})


@pytest.fixture(scope="module")
def fitted():
    shape = (9, 8)
    seen = jm.WeightedMap(
        data=8.5 + 0.05 * np.random.default_rng(1).normal(size=shape),
        grid=jm.Grid.regular(shape, 0.25),
        psf=jm.instrument.Gaussian(fwhm=0.5),
        noise=jm.likelihood.Gaussian(sigma=0.05),
        used=np.ones(shape, bool),
        properties=("metallicity",),
        mixing=jm.mixing.Dex(),
    )
    radial = jm.tracer.Gradient(central=dist.Normal(8.5, 0.3), slope=dist.Normal(0.0, 0.3))
    parts = {"radial": radial, "rest": field(dist.Normal().expand([3, 3]), amplitude=0.05)}
    return jm.fit.auto(scene(jm.tracer.Sum(parts=parts)), {"map": seen}, seed=1, progress=False, draws=250)


def test_weights_are_counted_and_judged_but_not_listed(fitted):
    seen, text = jm.result.view(fitted), jm.result.summary(fitted)
    (line,) = [line for line in text.splitlines() if "weights" in line]
    least = min(one.ess for one in seen.parameters if one.site.endswith("weights"))
    assert "weights (9 numbers)" in line
    assert line.split()[-1] == f"{least:.0f}"
    assert "11 free parameters" in text
    assert [name.rsplit(".", 1)[1] for name in parameters(fitted)["columns"]["parameter"] if "profile" in name] == [
        "central",
        "slope",
    ]


def test_a_gradient_under_a_field_keeps_its_verdict(fitted):
    assert "gradient of metallicity in 'disc'" in jm.result.summary(fitted, kpc_per_arcsec=8.0)
    assert "dex per kpc" in jm.result.summary(fitted, kpc_per_arcsec=8.0)


def test_a_recipe_sizes_the_field_by_what_is_looked_for():
    made = jm.recipes.field(extent=2.0, lengths=(0.8, 1.6), scatter=0.2)
    lengths = np.asarray(made.length.icdf(jnp.array([0.025, 0.975])))
    np.testing.assert_allclose(lengths, (0.8, 1.6), rtol=1e-3)
    assert made.weights.shape() == (15, 15)
    assert float(made.amplitude.scale) == 0.2


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"lengths": (0.5, 0.2)}, "ascending"),
        ({"lengths": (0.01, 0.5)}, "601"),
        ({"lengths": (0.2, 0.5), "modes": 8}, "odd number"),
    ],
)
def test_a_recipe_refuses_what_no_field_can_be(given, said):
    with pytest.raises(jm.InputError, match=said):
        jm.recipes.field(**{"extent": 1.0} | given)


def test_azimuthal_means_see_the_shortest_waves():
    made = jm.tracer.Field(
        weights=np.random.default_rng(3).normal(size=(31, 31)), amplitude=0.1, length=0.6, extent=3.0
    )
    radii, turn = np.array([1.5, 2.9]), np.linspace(0.0, 2.0 * np.pi, 2000, endpoint=False)
    around = made(radii[:, None] * np.cos(turn), radii[:, None] * np.sin(turn))
    np.testing.assert_allclose(azimuthal_mean(made, radii), np.mean(np.asarray(around), axis=1), atol=1e-5)


def test_mean_and_error_of_the_field_and_where_data_tell_it(fitted):
    """Of all draws, one by one; within the map the data tell some of it, three extents away they repeat."""
    beta = np.array([0.1, 0.3, 0.0]), np.array([0.0, -0.2, 2.5])
    found = jm.result.fluctuations(fitted, "disc", "metallicity", beta, count=60)
    flat = fitted.flat()
    index = np.linspace(0, 999, 60).round().astype(int)
    drawn = []
    for i in index:
        disc = jm.fill(fitted.tree, {name: values[i] for name, values in flat.items()})["scene"].sources["disc"]
        drawn.append(np.asarray(disc.carries["metallicity"].profile(*disc.frame.to_plane(*beta))))
    np.testing.assert_allclose(found.mean, np.mean(drawn, axis=0), rtol=1e-6)
    np.testing.assert_allclose(found.sd, np.std(drawn, axis=0), rtol=1e-4)
    assert found.told[0] > 0.2
    assert (found.told >= 0.0).all()
    picture = field_picture(fitted, "map", "disc", count=5)
    assert [ax.get_title() for ax in picture.axes[:2]] == ["mean", "standard deviation"]


def test_what_has_no_field_has_no_fluctuations(fitted):
    with pytest.raises(jm.InputError, match=r"found .extinction.; did you mean .metallicity."):
        jm.result.fluctuations(fitted, "disc", "extinction", (np.zeros(1), np.zeros(1)))


def test_pairs_of_pixels_by_brute_force(fitted):
    """Of the first draw: every pair of pixels, in plain loops, about the mean over many azimuths."""
    edges = np.array([0.2, 0.5, 0.9])
    found = jm.result.two_point(fitted, "map", "disc", "metallicity", edges, count=1)
    disc = jm.fill(fitted.tree, {name: values[0] for name, values in fitted.flat().items()})["scene"].sources["disc"]
    profile = disc.carries["metallicity"].profile
    u, v = (np.ravel(x) for x in disc.frame.to_plane(*jm.Grid.regular((9, 8), 0.25).centres()))
    turn = np.linspace(0.0, 2.0 * np.pi, 500, endpoint=False)
    r = np.hypot(u, v)
    mean = np.mean(np.asarray(profile(r[:, None] * np.cos(turn), r[:, None] * np.sin(turn))), axis=1)
    d = np.asarray(profile(u, v)) - mean
    pairs = [(i, j, np.hypot(u[i] - u[j], v[i] - v[j])) for i in range(72) for j in range(i)]
    for k in range(2):
        chosen = [(i, j) for i, j, apart in pairs if edges[k] <= apart < edges[k + 1]]
        assert found.pairs[k] == len(chosen)
        assert found.semivariogram[0, k] == pytest.approx(
            np.mean([0.5 * (d[i] - d[j]) ** 2 for i, j in chosen]), rel=0.01
        )
        assert found.correlation[0, k] == pytest.approx(
            np.mean([d[i] * d[j] for i, j in chosen]) / np.mean(d**2), abs=0.01
        )


@pytest.mark.parametrize(("edges", "said"), [([0.5, 0.2], "ascend"), ([50.0, 60.0], "choose other edges")])
def test_pairs_that_cannot_be(fitted, edges, said):
    with pytest.raises(jm.InputError, match=said):
        jm.result.two_point(fitted, "map", "disc", "metallicity", edges)
