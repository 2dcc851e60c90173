"""Lenses against lenstronomy, against their own formulae and at their singular points."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from compiled import bent, distortion

from jaxmetal import lens as jl
from jaxmetal.edge.errors import InputError
from jaxmetal.numerics.grid import Grid

GRID = Grid.regular((23, 31), 0.11, centre=(0.07, -0.03))
X, Y = GRID.centres()
ELLIPSE = jl.SIE(theta_e=1.3, x0=0.11, y0=-0.07, q=0.6, pa=25.0)
SHEAR = jl.Shear(gamma1=0.05, gamma2=-0.08, x0=0.2, y0=0.1)


def tabulated(lens, grid, **options):
    alpha_x, alpha_y = bent(lens, *grid.centres())
    return jl.Tabulated(alpha_x=alpha_x, alpha_y=alpha_y, grid=grid, **options)


@jax.tree_util.Partial
def both(x, y):
    (ax, ay), (bx, by) = ELLIPSE(x, y), SHEAR(x, y)
    return ax + bx, ay + by


def test_isothermal_sphere_pulls_by_its_einstein_radius():
    np.testing.assert_allclose(bent(jl.SIE(theta_e=1.0), 2.0, 0.0), (1.0, 0.0), atol=1e-12)
    np.testing.assert_allclose(bent(jl.SIE(theta_e=1.0, x0=1.0), 1.0, -3.0), (0.0, -1.0), atol=1e-12)


@pytest.mark.parametrize(("e1", "e2"), [(0.2, 0.1), (-0.15, 0.2), (0.05, -0.3), (0.0, 0.0)])
def test_deflection_matches_lenstronomy_whose_x_points_east(e1, e2):
    model = pytest.importorskip("lenstronomy.LensModel.lens_model").LensModel(["SIE", "SHEAR"])
    sie = {"theta_E": 1.2, "e1": e1, "e2": e2, "center_x": 0.13, "center_y": -0.04}
    shear = {"gamma1": 0.06, "gamma2": -0.03, "ra_0": 0.1, "dec_0": 0.2}
    east, north = -np.asarray(X).ravel(), np.asarray(Y).ravel()
    expected_east, expected_north = model.alpha(east, north, [sie, shear])

    ours = jl.sie_from_lenstronomy(**sie), jl.shear_from_lenstronomy(**shear)
    west, up = (sum(part) for part in zip(*(bent(lens, X, Y) for lens in ours), strict=True))

    np.testing.assert_allclose(west.ravel(), -expected_east, atol=1e-6)
    np.testing.assert_allclose(up.ravel(), expected_north, atol=1e-6)


def test_conversion_to_lenstronomy_and_back():
    for lens, there, back in (
        (ELLIPSE, jl.sie_to_lenstronomy, jl.sie_from_lenstronomy),
        (SHEAR, jl.shear_to_lenstronomy, jl.shear_from_lenstronomy),
    ):
        np.testing.assert_allclose(bent(back(**there(lens)), X, Y), bent(lens, X, Y), atol=1e-12)


@pytest.mark.parametrize("q", [0.3, 0.6, 0.999, 1.0])
def test_ellipsoid_has_its_convergence_and_no_curl(q):
    lens = jl.SIE(theta_e=1.3, x0=0.1, y0=-0.07, q=q, pa=25.0)
    angle = np.deg2rad(25.0)
    dx, dy = X - 0.1, Y + 0.07
    major, minor = -np.sin(angle) * dx + np.cos(angle) * dy, -np.cos(angle) * dx - np.sin(angle) * dy
    kappa = 0.65 / np.sqrt(q * major**2 + minor**2 / q)

    found = distortion(lens, X, Y)

    np.testing.assert_allclose(found.kappa, kappa, rtol=1e-10)
    np.testing.assert_allclose(found.rotation, 0.0, atol=1e-10)
    np.testing.assert_allclose(found.gamma, kappa, rtol=1e-10)  # of every isothermal ellipsoid
    np.testing.assert_allclose(found.mu, 1 / (1 - 2 * kappa), rtol=1e-3)


def test_distortion_of_a_shear():
    found = distortion(SHEAR, X, Y)
    for name, value in {"kappa": 0.0, "gamma1": 0.05, "gamma2": -0.08, "rotation": 0.0}.items():
        np.testing.assert_allclose(getattr(found, name), value, atol=1e-15)
    np.testing.assert_allclose(found.mu, 1 / (1 - 0.05**2 - 0.08**2), rtol=1e-12)


def test_ellipsoid_is_finite_with_its_gradient(precision):
    q = jnp.array([0.2, 0.99999, 1.0])
    positions = jnp.array([(0.0, 0.0), (0.0, 0.3), (0.3, 0.0), (1e-5, 0.0), (1e-25, 1e-20), (40.0, -60.0)])

    def trace(q, at, theta_e, centre, pa):
        return jnp.stack(jl.SIE(theta_e=theta_e, x0=centre, y0=centre, q=q, pa=pa)(at[0], at[1]))

    def value_and_gradient(q, at):
        arguments = q, at, *jnp.array([1.1, 0.0, 0.0])
        return trace(*arguments), jax.jacrev(trace, argnums=(0, 1, 2, 3, 4))(*arguments)

    over_positions = jax.vmap(value_and_gradient, in_axes=(None, 0))
    found = jax.jit(jax.vmap(over_positions, in_axes=(0, None)))(q, positions)
    assert {leaf.dtype.name for leaf in jax.tree.leaves(found)} == {precision}
    assert all(jnp.isfinite(leaf).all() for leaf in jax.tree.leaves(found))


def test_deflection_is_smooth_in_axis_ratio_through_the_sphere():
    @jax.jit
    def along(q):
        return jl.SIE(theta_e=1.0, q=q, pa=10.0)(0.7, 0.4)[0]

    q, step = 1.0, 1e-5
    difference = (along(q + step) - along(q - step)) / (2 * step)
    np.testing.assert_allclose(jax.grad(along)(q), difference, rtol=1e-6)


@pytest.mark.parametrize(("interpolation", "error"), [("bilinear", 2e-2), ("cubic", 1e-3)])
def test_tabulated_lens_reproduces_what_it_was_made_from(interpolation, error):
    grid = Grid(shape=(25, 32), origin=np.array([2.0, 1.0]), matrix=0.1 * np.array([[0.8, -0.6], [0.6, 0.8]]))
    lens = tabulated(both, grid, interpolation=interpolation, scale=0.9)
    x, y = grid.to_sky(np.array([3.3, 20.7, 15.5]), np.array([4.4, 2.1, 19.9]))
    expected = 0.9 * np.array(bent(both, x, y))
    np.testing.assert_allclose(bent(lens, x, y), expected, atol=0.1 * error)
    np.testing.assert_allclose(distortion(lens, x, y).kappa, 0.9 * distortion(both, x, y).kappa, atol=error)


def test_outside_a_tabulated_lens_is_nan_with_a_finite_gradient():
    x, y = np.array([0.0, 99.0, np.nan]), np.array([0.2, 0.0, 0.0])

    def total(lens):
        return jnp.nansum(lens(x, y)[0])

    lens = tabulated(SHEAR, GRID, scale=jnp.asarray(1.1))
    np.testing.assert_array_equal(np.isnan(bent(lens, x, y)[0]), [False, True, True])
    gradient = jax.jit(jax.grad(total))(lens)
    assert all(np.isfinite(leaf).all() for leaf in (gradient.alpha_x, gradient.alpha_y))
    assert np.isnan(distortion(lens, x, y).mu).tolist() == [False, True, True]
    np.testing.assert_allclose(gradient.scale, bent(SHEAR, x[0], y[0])[0], rtol=1e-10)


def test_region_shift_moves_the_source_of_its_region_only():
    labels = np.zeros(GRID.shape, int)
    labels[:, 20:] = 2
    labels[3:5, :4] = 7
    shift = jl.RegionShift(labels=labels, grid=GRID, dx={"2": 0.3, "7": -0.1}, dy={"2": -0.2})
    alpha_x, alpha_y = bent(shift, X, Y)
    np.testing.assert_allclose(alpha_x, -0.3 * (labels == 2) + 0.1 * (labels == 7))
    np.testing.assert_allclose(alpha_y, 0.2 * (labels == 2))
    x, y = GRID.to_sky(np.array([20.4, 19.6, 19.4, 31.0, -1.0]), np.array([22.3, 3.0, 3.0, 4.0, 4.0]))
    np.testing.assert_allclose(bent(shift, x, y)[0], [-0.3, -0.3, 0, 0, 0])


def test_region_shift_is_differentiable_and_traces_once_per_structure():
    labels, traces = (np.arange(23 * 31).reshape(GRID.shape) % 3), []

    @jax.jit
    def total(dx, dy):
        traces.append(None)
        return jnp.sum(jl.RegionShift(labels=labels, grid=GRID, dx=dx, dy=dy)(X, Y)[0])

    gradient = jax.grad(total)({"1": 0.1, "2": 0.2}, {"1": 0.0})
    assert gradient == {"1": -np.sum(labels == 1), "2": -np.sum(labels == 2)}
    total({"1": 0.4, "2": 0.5}, {"1": 1.0})
    assert len(traces) == 1


MAP = Grid.regular((60, 47), 0.1, centre=(1.0, 0.6))


@pytest.mark.parametrize(
    ("matrix", "said"),
    [
        (((1, 0), (0, 1)), None),
        (((-1, 0), (0, 1)), "sign of the x map reversed"),
        (((1, 0), (0, -1)), "sign of the y map reversed"),
        (((-1, 0), (0, -1)), "both signs reversed"),
        (((0, 1), (1, 0)), "x and y maps swapped their"),
        (((0, -1), (1, 0)), "sign of the new y map reversed"),
    ],
)
def test_check_names_wrong_axes(matrix, said):
    alpha = np.einsum("ij,jyx->iyx", matrix, np.array(bent(both, *MAP.centres())))
    report = jl.check_map(jl.Tabulated(alpha_x=alpha[0], alpha_y=alpha[1], grid=MAP))
    if said is None:
        assert report.severity == "info"
        report.require()
    else:
        with pytest.raises(InputError, match=said):
            report.require()


def test_check_names_pixel_units_and_gaps():
    good = tabulated(both, MAP)
    pixels = jl.Tabulated(alpha_x=good.alpha_x / 0.1, alpha_y=good.alpha_y / 0.1, grid=MAP)
    with pytest.raises(InputError, match=r"pixels of 0\.1 arcsec"):
        jl.check_map(pixels).require()
    tiny = jl.Tabulated(alpha_x=good.alpha_x, alpha_y=good.alpha_y, grid=MAP, scale=1 / 3600)
    assert "hardly" in next(found.text for found in jl.check_map(tiny).findings if found.severity == "warning")
    gaps = jl.Tabulated(alpha_x=good.alpha_x.at[:5].set(np.nan), alpha_y=good.alpha_y, grid=MAP)
    assert jl.check_map(gaps).severity == "warning"
    empty = jl.Tabulated(alpha_x=good.alpha_x * np.nan, alpha_y=good.alpha_y, grid=MAP)
    assert jl.check_map(empty).severity == "error"


def test_check_measures_the_scale_against_an_amplification():
    coarse = Grid.regular((17, 14), 0.3, centre=(1.0, 0.6))
    amplification = np.abs(distortion(both, *coarse.centres()).mu)
    assert jl.check_amplification(tabulated(both, MAP), amplification, coarse).severity == "info"
    twice = jl.check_amplification(tabulated(both, MAP, scale=0.4), amplification, coarse)
    assert twice.numbers["amplification_scale"] == pytest.approx(2.5, rel=0.03)
    assert "already at the source's redshift" in twice.findings[0].text
    half = jax.tree_util.Partial(lambda x, y: [a / 2 for a in both(x, y)])
    halved = jl.check_amplification(tabulated(half, MAP), amplification, coarse)
    assert "only when multiplied by 2.0" in halved.findings[0].text
    assert jl.check_amplification(tabulated(both, MAP), amplification[::-1], coarse).severity != "info"
    far = Grid.regular((17, 14), 0.3, centre=(99.0, 0.6))
    assert "0 pixels" in jl.check_amplification(tabulated(both, MAP), amplification, far).findings[0].text


RADII = np.concatenate([[0.0], np.geomspace(1e-9, 1.0, 7)])
LENSES = {
    "SIE": dataclasses.replace(ELLIPSE, x0=0.0, y0=0.0),
    "round SIE": jl.SIE(theta_e=1.0),
    "Shear": jl.Shear(gamma1=0.05, gamma2=-0.08),
    "Tabulated": tabulated(ELLIPSE, Grid.regular((121, 121), 0.02)),
    "SIS": jl.SIS(theta_e=1.0),
    "NIE": jl.NIE(theta_e=1.0, core=0.1, q=0.5, pa=25.0),
    "NIE without a core": jl.NIE(theta_e=1.0, core=0.0),
    "EPL": jl.EPL(theta_e=1.0, gamma=2.2, q=0.5, pa=25.0),
    "round EPL": jl.EPL(theta_e=1.0, gamma=1.8),
    "NFW": jl.NFW(kappa_s=0.2, r_s=0.5, ellipticity=0.1, pa=25.0),
    "round NFW": jl.NFW(kappa_s=0.2, r_s=0.5),
    "DPIE": jl.DPIE(b0=1.0, core=0.1, cut=3.0, q=0.5, pa=25.0),
    "round DPIE": jl.DPIE(b0=1.0, core=0.0, cut=3.0),
    "DPIE, cut = core": jl.DPIE(b0=1.0, core=0.3, cut=0.3),
    "PointMass": jl.PointMass(theta_e=1.0),
    "Sheet": jl.Sheet(kappa=0.1),
    "Multipole": jl.Multipole(m=4, amplitude=0.05, pa=10.0),
    "Stack": jl.Stack(of=jl.SIS(theta_e=np.array([1.0, 0.2]), x0=np.zeros(2), y0=np.zeros(2))),
    "Members": jl.Members(
        luminosity=np.array([1.0, 0.3]), x0=np.zeros(2), y0=np.array([0.0, 0.1]), b0=0.5, core=0.01, cut=2.0
    ),
    "Plane": jl.Plane(parts={"a": jl.SIS(theta_e=1.0), "b": SHEAR}, distance_ratio=0.7),
    "Ensemble": jl.Ensemble(
        mean=np.array(SHEAR(X, Y)), modes=0.1 * np.array([both(X, Y)]), grid=GRID, weights=np.ones(1)
    ),
    "RegionShift": jl.RegionShift(labels=np.zeros(GRID.shape, int), grid=GRID, dx={"0": 0.1}, dy={"0": -0.2}),
}
"""A lens of each class, its centre at the origin."""


def test_every_lens_is_in_the_table():
    classes = {one for one in vars(jl).values() if isinstance(one, type) and "__call__" in vars(one)}
    assert classes == {type(lens) for lens in LENSES.values()}


@pytest.mark.parametrize("name", LENSES)
def test_value_and_gradient_are_finite_at_and_around_the_centre(name):
    """With every parameter and with the position."""

    def total(lens, x, y):
        return sum(jnp.sum(part) for part in lens(x, y))

    x, y = RADII * 0.6, RADII * 0.8
    floats = jax.tree.map(lambda leaf: jnp.asarray(leaf, float), LENSES[name])
    value, slopes = jax.jit(jax.value_and_grad(total, argnums=(0, 1, 2)))(floats, x, y)
    assert np.isfinite(value)
    assert all(np.isfinite(leaf).all() for leaf in jax.tree.leaves(slopes))


@pytest.mark.parametrize("name", LENSES)
def test_a_deflection_has_no_curl(name):
    """d alpha_x / dy = d alpha_y / dx, as of the gradient of any potential, by central differences."""
    lens, step = LENSES[name], 1e-5
    x, y = np.array([0.31, -0.52, 0.87]), np.array([0.43, 0.27, -0.61])
    across = (np.asarray(bent(lens, x, y + step)[0]) - np.asarray(bent(lens, x, y - step)[0])) / (2 * step)
    along = (np.asarray(bent(lens, x + step, y)[1]) - np.asarray(bent(lens, x - step, y)[1])) / (2 * step)
    np.testing.assert_allclose(across, along, atol=2e-3 if name in ("Tabulated", "Ensemble") else 1e-9)
