"""Critical curves, caustics and images of a point, against closed forms and lenstronomy; and their pictures."""

import numpy as np
import numpyro.distributions as dist
import pytest
from pictured import labels, rotated
from scipy.optimize import brentq

from jaxmetal import lens as jl
from jaxmetal.edge.errors import InputError
from jaxmetal.numerics.grid import Grid
from jaxmetal.plot import distortion_maps, lens_planes
from jaxmetal.result import critical_curves, image_positions

GRID = Grid.regular((50, 60), 0.1)
Q, PA, THETA_E = 0.6, 25.0, 1.3
ELLIPSE = jl.Plane(parts={"a": jl.SIE(theta_e=2 * THETA_E, x0=0.11, y0=-0.07, q=Q, pa=PA)}, distance_ratio=0.5)
ROUND = jl.Plane(parts={"a": jl.NIE(theta_e=THETA_E, core=0.2)})


def test_the_critical_curve_of_an_isothermal_ellipsoid_is_where_kappa_is_a_half():
    found = critical_curves(ELLIPSE, GRID, samples=120)
    ((curve,), (caustic,)) = found
    along = (curve - [0.11, -0.07]) @ [1.0, 1j] * np.exp(-1j * np.radians(90 + PA))
    np.testing.assert_allclose(np.hypot(np.sqrt(Q) * along.real, along.imag / np.sqrt(Q)), THETA_E, rtol=1e-8)
    # Its cusps (Kormann et al. 1994): along the minor axis at the deflection there, less that of the curve.
    rest = np.sqrt(1 - Q**2)
    tips = [
        THETA_E * (1 / np.sqrt(Q) - np.sqrt(Q) / rest * np.arctan(rest / Q)),
        THETA_E * (np.sqrt(Q) - np.sqrt(Q) / rest * np.arctanh(rest)),
    ]
    at = (caustic - [0.11, -0.07]) @ [1.0, 1j] * np.exp(-1j * np.radians(90 + PA))
    np.testing.assert_allclose([np.abs(at.real).max(), np.abs(at.imag).max()], np.abs(tips), rtol=2e-3)


def test_a_core_has_a_radial_and_a_tangential_curve():
    def deflection(r):
        return THETA_E * (np.hypot(r, 0.2) - 0.2) / r

    tangential = brentq(lambda r: deflection(r) - r, 0.5, 2.0)
    radial = brentq(lambda r: (deflection(r + 1e-5) - deflection(r - 1e-5)) / 2e-5 - 1.0, 0.05, 1.0)
    found = critical_curves(ROUND, GRID, samples=120)
    radii = sorted(float(np.hypot(*curve.T).mean()) for curve in found.critical)
    np.testing.assert_allclose(radii, [radial, tangential], rtol=1e-6)
    spread = sorted(float(np.hypot(*caustic.T).max()) for caustic in found.caustics)
    np.testing.assert_allclose(spread, [0.0, deflection(radial) - radial], atol=1e-6)


@pytest.mark.parametrize("refine", [True, False])
@pytest.mark.parametrize("place", [0.0, 0.65, -0.35])
def test_a_singular_centre_on_a_sample_is_no_curve(refine, place):
    lens = jl.SIS(theta_e=THETA_E, x0=place, y0=-place)
    ((curve,), _) = critical_curves(lens, Grid.regular((71, 71), 0.1), samples=142, refine=refine)
    np.testing.assert_allclose(np.hypot(*(curve - [place, -place]).T), THETA_E, rtol=1e-3 if refine else 0.01)


@pytest.mark.parametrize("theta_e", [0.3, 0.5])
@pytest.mark.parametrize("place", [(3.03, 2.06), (0.0, 0.0), (-7.2, 11.9)])
def test_curves_of_steep_lenses_are_found(theta_e, place):
    """Of a point, det A = 1 - (theta_E / r)^4 falls below -30 within a sample of its curve."""
    lens = jl.PointMass(theta_e=theta_e, x0=place[0], y0=place[1])
    ((curve,), _) = critical_curves(lens, Grid.regular((60, 60), 1.0))
    np.testing.assert_allclose(np.hypot(*(curve - place).T), theta_e, rtol=1e-3)


@pytest.mark.parametrize(
    ("lens", "words"),
    [
        ({"main": jl.SIS(theta_e=1.0)}, r"lens: expected a lens, or jm.lens.Plane\(parts=\{name: lens\}\) of several"),
        (jl.Plane(parts={"main": jl.SIS(theta_e=dist.Uniform(0.5, 2.0))}), r"found priors \(parts.main.theta_e\)"),
    ],
    ids=["a mapping", "priors"],
)
def test_what_does_not_deflect_is_refused(lens, words):
    for call in (lambda: critical_curves(lens, GRID), lambda: image_positions(lens, 0.0, 0.1, GRID)):
        with pytest.raises(InputError, match=words):
            call()


def test_without_strong_lensing_there_are_no_curves():
    weak = jl.Plane(parts={"a": jl.Shear(gamma1=0.1, gamma2=0.0)})
    assert critical_curves(weak, GRID, samples=20) == ([], [])
    found = image_positions(weak, 0.3, -0.2, GRID, samples=20)
    np.testing.assert_allclose((found.x, found.y), ([0.3 / 0.9], [-0.2 / 1.1]), atol=1e-9)
    np.testing.assert_allclose(found.mu, [1 / 0.99])
    assert image_positions(weak, 9.0, 9.0, GRID, samples=20).x.size == 0


def test_the_images_of_a_point_are_lenstronomys():
    from lenstronomy.LensModel.lens_model import LensModel
    from lenstronomy.LensModel.Solver.lens_equation_solver import LensEquationSolver

    kwargs = [
        {"theta_E": 1.2, "e1": 0.15, "e2": -0.1, "center_x": 0.05, "center_y": 0.02},
        {"gamma1": 0.04, "gamma2": 0.03},
    ]
    model = LensModel(["SIE", "SHEAR"])
    east, north = LensEquationSolver(model).image_position_from_source(
        -0.06, 0.04, kwargs, min_distance=0.1, search_window=5.0, precision_limit=1e-12, num_iter_max=200
    )
    mu = model.magnification(east, north, kwargs)
    ours = jl.Plane(parts=jl.lens_from_lenstronomy(["SIE", "SHEAR"], kwargs))
    found = image_positions(ours, 0.06, 0.04, GRID)
    assert found.x.size == 4
    order = np.argsort(-np.abs(mu))
    np.testing.assert_allclose(found.x, -east[order], atol=1e-6)
    np.testing.assert_allclose(found.y, north[order], atol=1e-6)
    np.testing.assert_allclose(found.mu, mu[order], rtol=1e-4)


def test_pictures_of_a_lens():
    grid = rotated(30.0, shape=(40, 40))
    written = labels(distortion_maps(ROUND, grid))
    assert {r"convergence $\kappa$", r"magnification $\log_{10}|\mu|$"} <= set(written)
    figure = lens_planes(ROUND, GRID, (0.1, 0.05))
    sky, plane = figure.axes
    assert {"critical curve", "caustic", "source", "x [arcsec, West]", "y [arcsec, North]"} <= set(labels(figure))
    shown = [line for line in sky.lines if line.get_label().startswith("image")]
    assert len(shown) == 3
    assert plane.get_xlim()[1] < 1.0


def test_curves_lie_where_a_turned_map_shows_them():
    """On the pixels of largest magnification."""
    grid = rotated(30.0, shape=(40, 40))
    figure = distortion_maps(ROUND, grid)
    ax = next(ax for ax in figure.axes if ax.images and len(ax.lines) == 2)
    image = np.ma.filled(figure.axes[2].images[0].get_array(), 0.0)
    left, right, bottom, top = ax.images[0].get_extent()
    across, along = max((line.get_data() for line in ax.lines), key=lambda data: np.ptp(data[0]))
    columns = np.floor((across - left) / (right - left) * 40).astype(int)
    rows = np.floor((along - bottom) / (top - bottom) * 40).astype(int)
    inside = (columns >= 0) & (columns < 40) & (rows >= 0) & (rows < 40)
    assert inside.sum() > 20
    assert np.median(image[rows[inside], columns[inside]]) > 0.7
