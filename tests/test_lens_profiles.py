"""Parametric lenses: potential, deflection and convergence belong together; other codes and limits agree."""

import dataclasses
from decimal import Decimal, localcontext

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from compiled import bent, distortion

from jaxmetal import lens as jl
from jaxmetal.edge.errors import InputError

RANDOM = np.random.default_rng(17)
X, Y = RANDOM.uniform(-3.0, 3.0, (2, 60))
AT = {"x0": 0.11, "y0": -0.07}
TURNED = {"q": 0.55, "pa": 25.0}
MANY = {"x0": np.array([0.3, -1.0, 0.4, 0.9, -2.0]), "y0": np.array([0.1, 0.2, -0.9, 1.4, 0.0])}
POTENTIALS = {
    "SIS": jl.SIS(theta_e=1.1, **AT),
    "SIE": jl.SIE(theta_e=1.3, **AT, **TURNED),
    "NIE": jl.NIE(theta_e=1.3, core=0.3, **AT, **TURNED),
    "round NIE": jl.NIE(theta_e=1.3, core=0.3),
    "EPL": jl.EPL(theta_e=1.2, gamma=2.3, **AT, **TURNED),
    "shallow EPL": jl.EPL(theta_e=1.2, gamma=1.6, q=1.0),
    "NFW": jl.NFW(kappa_s=0.2, r_s=1.7, ellipticity=0.15, pa=25.0, **AT),
    "round NFW": jl.NFW(kappa_s=0.2, r_s=1.7),
    "DPIE": jl.DPIE(b0=1.4, core=0.1, cut=2.5, **AT, **TURNED),
    "round DPIE": jl.DPIE(b0=1.4, core=0.1, cut=2.5),
    "DPIE, cut = core": jl.DPIE(b0=1.4, core=0.5, cut=0.5, **TURNED),
    "PointMass": jl.PointMass(theta_e=0.9, **AT),
    "Sheet": jl.Sheet(kappa=0.1, **AT),
    "Multipole 3": jl.Multipole(m=3, amplitude=0.06, pa=10.0, **AT),
    "Multipole 4": jl.Multipole(m=4, amplitude=-0.06, pa=10.0, **AT),
    "Shear": jl.Shear(gamma1=0.05, gamma2=-0.08, **AT),
    "Stack": jl.Stack(of=jl.SIS(theta_e=np.linspace(0.1, 0.5, 5), **MANY), block=2),
    "Members": jl.Members(luminosity=np.linspace(0.1, 3.0, 5), b0=0.4, core=0.02, cut=3.0, q=0.8, pa=30.0, **MANY),
}


def on_axes(lens, x, y):
    """Offsets along the major and the minor axis, by complex numbers."""
    along = ((x - lens.x0) + 1j * (y - lens.y0)) * np.exp(-1j * np.radians(90.0 + getattr(lens, "pa", 0.0)))
    return along.real, along.imag


def elliptical(lens, x, y):
    """sqrt(q u^2 + v^2 / q)."""
    u, v = on_axes(lens, x, y)
    return np.sqrt(lens.q * u**2 + v**2 / lens.q)


def kappa_dpie(lens, x, y):
    radius = 0.5 * (1 + lens.q) / np.sqrt(lens.q) * elliptical(lens, x, y)
    between = 1 / np.hypot(lens.core, radius) - 1 / np.hypot(lens.cut, radius)
    return 0.5 * lens.b0 * lens.cut / (lens.cut - lens.core) * between


def kappa_nfw(lens, x, y):
    s = np.hypot(*on_axes(lens, x, y)) / lens.r_s
    root = np.sqrt(np.abs(s**2 - 1))
    F = np.where(s < 1, np.arctanh(np.minimum(root, 1 - 1e-16)) / root, np.arctan(root) / root)
    return 2 * lens.kappa_s * (1 - F) / (s**2 - 1)


def kappa_golse_kneib(lens, x, y):
    """kappa_round + e cos(2 phi) gamma_round at the elliptical radius (Golse & Kneib 2002, eq. 13)."""
    u, v = on_axes(lens, x, y)
    u, v = np.sqrt(1 - lens.ellipticity) * u, np.sqrt(1 + lens.ellipticity) * v
    radius = np.hypot(u, v)
    kappa = kappa_nfw(jl.NFW(kappa_s=lens.kappa_s, r_s=lens.r_s), radius, 0.0 * radius)
    s = radius / lens.r_s
    root = np.sqrt(np.abs(s**2 - 1))
    F = np.where(s < 1, np.arctanh(np.minimum(root, 1 - 1e-16)) / root, np.arctan(root) / root)
    gamma = 4 * lens.kappa_s * (np.log(s / 2) + F) / s**2 - kappa
    return kappa + lens.ellipticity * (u**2 - v**2) / radius**2 * gamma


def kappa_multipole(lens, x, y):
    u, v = on_axes(lens, x, y)
    return lens.amplitude * np.cos(lens.m * np.arctan2(v, u)) / (2 * np.hypot(u, v))


def kappa_nie(lens, x, y):
    return 0.5 * lens.theta_e / np.hypot(getattr(lens, "core", 0.0), elliptical(lens, x, y))


def kappa_epl(lens, x, y):
    return 0.5 * (3 - lens.gamma) * (lens.theta_e / elliptical(lens, x, y)) ** (lens.gamma - 1)


KAPPA = {
    "SIS": lambda lens, x, y: 0.5 * lens.theta_e / np.hypot(x - lens.x0, y - lens.y0),
    "SIE": kappa_nie,
    "NIE": kappa_nie,
    "round NIE": kappa_nie,
    "EPL": kappa_epl,
    "shallow EPL": kappa_epl,
    "NFW": kappa_golse_kneib,
    "round NFW": kappa_nfw,
    "DPIE": kappa_dpie,
    "round DPIE": kappa_dpie,
    "PointMass": lambda lens, x, y: 0.0 * x,
    "Sheet": lambda lens, x, y: lens.kappa + 0.0 * x,
    "Multipole 3": kappa_multipole,
    "Multipole 4": kappa_multipole,
    "Shear": lambda lens, x, y: 0.0 * x,
    "Stack": lambda lens, x, y: sum(
        0.5 * t / np.hypot(x - x0, y - y0) for t, x0, y0 in zip(lens.of.theta_e, *MANY.values(), strict=True)
    ),
    "Members": lambda lens, x, y: sum(
        kappa_dpie(jl.DPIE(b0=b0, core=core, cut=cut, q=lens.q, pa=lens.pa, x0=x0, y0=y0), x, y)
        for b0, core, cut, x0, y0 in zip(
            *(np.outer((lens.b0, lens.core, lens.cut), np.sqrt(lens.luminosity))), *MANY.values(), strict=True
        )
    ),
}


@jax.jit
def measured(lens, x, y):
    return lens(x, y), jax.vmap(jax.grad(lens.potential, (0, 1)))(x, y), jl.distortion(lens, x, y)


@pytest.mark.parametrize("name", POTENTIALS)
def test_deflection_is_the_gradient_of_the_potential(name):
    alpha, gradient, found = measured(POTENTIALS[name], X, Y)
    np.testing.assert_allclose(alpha, gradient, atol=1e-10)
    np.testing.assert_allclose(found.rotation, 0.0, atol=1e-10)
    if name in KAPPA:
        np.testing.assert_allclose(found.kappa, KAPPA[name](POTENTIALS[name], X, Y), atol=1e-10)


@jax.jit
def along_x(lens, x):
    return *jax.value_and_grad(lens.potential)(x, 0.0), lens(x, 0.0)[0]


@pytest.mark.parametrize("x", [1e-4, 1e-3, 1e-2, 0.49, 0.51])
def test_a_halo_is_known_at_its_centre(x, precision):
    """Where two squares of logarithms cancel: by 50 digits; CORE^2 / x^2 is 1e-8 at 1e-4."""
    halo = jl.NFW(kappa_s=0.5, r_s=1.0)
    with localcontext() as context:
        context.prec, exact = 50, Decimal(x)
        expected = float((exact / 2).ln() ** 2 - ((1 + (1 - exact**2).sqrt()) / exact).ln() ** 2)
    rtol = 2e-6 if precision == "float32" else 1.1e-8 if x < 1e-3 else 2e-10
    potential, gradient, bent = along_x(halo, jnp.asarray(x))
    assert float(potential) == pytest.approx(expected, rel=rtol)
    assert float(gradient) == pytest.approx(float(bent), rel=rtol)


CORELESS = {
    "SIE": POTENTIALS["SIE"],
    "NIE": jl.NIE(theta_e=1.3, core=0.0, **AT, **TURNED),
    "EPL": POTENTIALS["EPL"],
    "DPIE": jl.DPIE(b0=1.4, core=0.0, cut=2.5, **AT, **TURNED),
    "round DPIE": jl.DPIE(b0=1.4, core=0.0, cut=2.5, **AT),
}


@pytest.mark.parametrize("name", CORELESS)
def test_what_keeps_a_centre_finite_is_not_seen_beyond_it(name):
    """At a hundredth of an arcsecond, where convergences are of order 100, and finite at the centre itself."""
    lens, angle = CORELESS[name], np.linspace(0.0, 2 * np.pi, len(X))
    x, y = lens.x0 + 0.01 * np.cos(angle), lens.y0 + 0.01 * np.sin(angle)
    alpha, gradient, found = measured(lens, x, y)
    np.testing.assert_allclose(alpha, gradient, atol=1e-9)
    np.testing.assert_allclose(found.kappa, KAPPA[name](lens, x, y), atol=1e-8)
    there = jnp.full(len(X), lens.x0), jnp.full(len(X), lens.y0)
    assert all(np.isfinite(leaf).all() for leaf in jax.tree.leaves(measured(lens, *there)[:2]))


def drawn(rng):
    """One of each profile that lenstronomy defines as we do, with random parameters."""
    e, phi = rng.uniform(0.0, 0.42), rng.uniform(0.0, np.pi)  # q from 0.41
    ellipse = {"e1": e * np.cos(2 * phi), "e2": e * np.sin(2 * phi)}
    small = {name: 0.3 * value for name, value in ellipse.items()}
    centre = dict(zip(("center_x", "center_y"), rng.uniform(-0.3, 0.3, 2), strict=True))
    theta = {"theta_E": rng.uniform(0.5, 2.0)}
    halo = {"Rs": rng.uniform(0.5, 4.0), "alpha_Rs": rng.uniform(0.3, 2.0)}
    return {
        "SIS": theta | centre,
        "SIE": theta | ellipse | centre,
        "NIE": theta | ellipse | centre | {"s_scale": rng.uniform(0.01, 0.5)},
        "EPL": theta | ellipse | centre | {"gamma": rng.uniform(1.5, 2.5)},
        "NFW": halo | centre,
        "NFW_ELLIPSE_POTENTIAL": halo | small | centre,
        "PJAFFE": {"sigma0": rng.uniform(0.5, 2.0), "Ra": rng.uniform(0.05, 0.3), "Rs": rng.uniform(0.5, 3.0)} | centre,
        "POINT_MASS": theta | centre,
        "SHEAR": {"gamma1": rng.uniform(-0.1, 0.1), "gamma2": rng.uniform(-0.1, 0.1)},
        "CONVERGENCE": {"kappa": rng.uniform(-0.2, 0.2), "ra_0": 0.1, "dec_0": 0.2},
        "MULTIPOLE": {"m": int(rng.integers(3, 5)), "a_m": rng.uniform(-0.1, 0.1), "phi_m": phi} | centre,
    }


@pytest.mark.parametrize("seed", range(3))
def test_lenstronomy_agrees_over_random_parameters(seed):
    from lenstronomy.LensModel.lens_model import LensModel

    given = drawn(np.random.default_rng(seed))
    lenses = jl.lens_from_lenstronomy(list(given), list(given.values()))
    for (name, kwargs), lens in zip(given.items(), lenses.values(), strict=True):
        east, north = LensModel([name]).alpha(-X, Y, [kwargs])
        np.testing.assert_allclose(bent(lens, X, Y), (-east, north), atol=1e-6, err_msg=name)


def test_lenstronomys_difference_of_cored_ellipsoids_is_the_dual_profile():
    from lenstronomy.LensModel.lens_model import LensModel

    q, lens = 0.6, jl.DPIE(b0=1.4, core=0.1, cut=2.5, q=0.6, pa=90.0)
    circular = 2 * np.sqrt(q) / (1 + q)  # product average of the axes over Lenstool's
    theta = 1.4 * 2.5 / 2.4 * circular
    ellipse = {"e1": (1 - q) / (1 + q), "e2": 0.0}
    parts = [{"theta_E": s * theta, "s_scale": r * circular, **ellipse} for s, r in ((1.0, 0.1), (-1.0, 2.5))]
    east, north = LensModel(["NIE", "NIE"]).alpha(-X, Y, parts)
    np.testing.assert_allclose(bent(lens, X, Y), (-east, north), atol=1e-6)


def test_limits():
    sie = jl.SIE(theta_e=1.3, **AT, **TURNED)
    for lens in (jl.NIE(theta_e=1.3, core=0.0, **AT, **TURNED), jl.EPL(theta_e=1.3, gamma=2.0, **AT, **TURNED)):
        np.testing.assert_allclose(bent(lens, X, Y), bent(sie, X, Y), atol=1e-10)
    np.testing.assert_allclose(bent(jl.SIE(theta_e=1.3), X, Y), bent(jl.SIS(theta_e=1.3), X, Y), atol=1e-10)
    wide = jl.DPIE(b0=1.3, core=0.0, cut=1e9, **AT)
    np.testing.assert_allclose(bent(wide, X, Y), bent(jl.SIS(theta_e=1.3, **AT), X, Y), atol=1e-10)
    halo, point = jl.DPIE(b0=1.3, core=0.001, cut=0.002), jl.PointMass(theta_e=np.sqrt(1.3 * 0.002))
    np.testing.assert_allclose(bent(halo, 30.0, 40.0), bent(point, 30.0, 40.0), rtol=1e-3)  # all of its mass is within
    nearly = dataclasses.replace(POTENTIALS["round NFW"], ellipticity=1e-9)
    np.testing.assert_allclose(bent(nearly, X, Y), bent(POTENTIALS["round NFW"], X, Y), atol=1e-8)
    alike = [bent(jl.DPIE(b0=1.4, core=0.5, cut=cut, **TURNED), X, Y) for cut in (0.5, 0.5 + 1e-9)]
    np.testing.assert_allclose(*alike, atol=1e-8)


def test_the_four_normalisations_agree():
    radius, core, cut, b0 = np.geomspace(0.01, 30.0, 9), 0.2, 5.0, 1.4
    between = 1 / np.hypot(core, radius) - 1 / np.hypot(cut, radius)
    per_strength = {
        "b0": 0.5 * cut / (cut - core),
        "E0": 0.5 * (cut + core) / cut,
        "E_lim": 0.5 * cut**2 / (cut**2 - core**2),
        "sigma0": core * cut / (cut - core),
    }
    expected = distortion(jl.DPIE(b0=b0, core=core, cut=cut), radius, 0.0).kappa
    for name, factor in per_strength.items():
        strength = jl.normalisation_from_b0(name, b0, core, cut)
        np.testing.assert_allclose(strength * factor * between, expected, rtol=1e-10)
        np.testing.assert_allclose(strength * factor * between, b0 * per_strength["b0"] * between, rtol=1e-12)
        np.testing.assert_allclose(jl.normalisation_to_b0(name, strength, core, cut), b0, rtol=1e-12)
    with pytest.raises(InputError, match="expected one of b0, E0, E_lim, sigma0, found 'v_disp'"):
        jl.normalisation_to_b0("v_disp", 200.0, core, cut)


def test_strength_of_a_velocity_dispersion():
    expected = np.degrees(6 * np.pi * (220.0 / 299792.458) ** 2) * 3600 * 0.7
    np.testing.assert_allclose(jl.b0_from_velocity_dispersion(220.0, 0.7), expected, rtol=1e-12)


def test_members_are_the_sum_of_their_galaxies():
    luminosity, q, pa = np.array([0.2, 1.0, 2.5, 0.4, 1.7]), np.linspace(0.5, 1.0, 5), np.linspace(0.0, 90.0, 5)
    cluster = jl.Members(luminosity=luminosity, b0=0.9, core=0.05, cut=4.0, q=q, pa=pa, **MANY)
    galaxies = [
        jl.DPIE(b0=0.9 * L**0.5, core=0.05 * L**0.5, cut=4.0 * L**0.5, x0=x, y0=y, q=a, pa=b)
        for L, x, y, a, b in zip(luminosity, *MANY.values(), q, pa, strict=True)
    ]
    expected = sum(np.stack(bent(one, X, Y)) for one in galaxies)
    np.testing.assert_allclose(bent(cluster, X, Y), expected, atol=1e-12)
    np.testing.assert_allclose(bent(jl.stacked(galaxies), X, Y), expected, atol=1e-12)


def test_a_stack_has_the_gradient_of_its_sum():
    def total(b0, make):
        return jnp.sum(jnp.stack(make(b0)(X, Y)))

    def one_by_one(b0):
        galaxies = [dataclasses.replace(one, b0=b0 * one.b0) for one in parts]
        return lambda x, y: sum(jnp.stack(one(x, y)) for one in galaxies)

    cluster = POTENTIALS["Members"]
    of = cluster.stack().of
    parts = [
        jl.DPIE(b0=of.b0[k], core=of.core[k], cut=of.cut[k], x0=of.x0[k], y0=of.y0[k], q=of.q, pa=of.pa)
        for k in range(5)
    ]
    slope = jax.jit(jax.grad(total), static_argnums=1)
    found = slope(0.4, lambda b0: dataclasses.replace(cluster, b0=b0))
    np.testing.assert_allclose(found, slope(1.0, one_by_one) / 0.4, rtol=1e-10)


@pytest.mark.parametrize("block", [1, 2, 5, 8])
def test_blocks_of_a_stack_show_nowhere(block):
    """Lenses one by one, with one left over, all in one block, and fewer than it holds: value and gradient."""

    def weighted(found):
        return jnp.sum(jnp.stack(found) * jnp.cos(jnp.arange(2 * X.size)).reshape(2, *X.shape))

    def total(theta_e):
        return weighted(jl.Stack(of=jl.SIS(theta_e=theta_e, **MANY), block=block)(X, Y))

    def one_by_one(theta_e):
        bent = [jl.SIS(theta_e=theta_e[k], x0=MANY["x0"][k], y0=MANY["y0"][k])(X, Y) for k in range(5)]
        return weighted([sum(axis) for axis in zip(*bent, strict=True)])

    theta_e = np.linspace(0.1, 0.5, 5)
    found, expected = (jax.jit(jax.value_and_grad(of))(theta_e) for of in (total, one_by_one))
    np.testing.assert_allclose(found[0], expected[0], rtol=1e-12)
    np.testing.assert_allclose(found[1], expected[1], rtol=1e-11, atol=1e-12)


BAD = {
    "several kinds": (lambda: jl.stacked([POTENTIALS["SIS"], POTENTIALS["SIE"]]), "found SIE, SIS"),
    "none": (lambda: jl.stacked([]), "found none"),
    "two lengths": (
        lambda: jl.Stack(of=jl.SIS(theta_e=np.ones(3), x0=np.zeros(4)))(X, Y),
        r"one number for each lens, found shapes \(3,\) and \(4,\)",
    ),
    "one lens": (lambda: jl.Stack(of=jl.SIS(theta_e=1.0))(X, Y), "found shapes numbers alone"),
    "a dipole": (lambda: jl.Multipole(m=1, amplitude=0.1)(X, Y), "order m of 2 or more, found 1"),
    "an unknown profile": (lambda: jl.lens_from_lenstronomy(["CHAMELEON"], [{}]), "found 'CHAMELEON'"),
    "no order": (lambda: jl.Multipole(m=2.5, amplitude=0.1)(X, Y), "whole order m of 2 or more, found 2.5"),
    "a dipole's potential": (lambda: jl.Multipole(m=1, amplitude=0.1).potential(X, Y), "order m of 2 or more, found 1"),
    "no ellipse": (
        lambda: jl.lens_from_lenstronomy(["SIE"], [{"theta_E": 1.0, "e1": 0.8, "e2": 0.8}]),
        r"an ellipticity \(e1, e2\) of '0 SIE' shorter than 1, found 1.13",
    ),
    "not a number": (
        lambda: jl.lens_from_lenstronomy(["SIS"], [{"theta_E": np.nan}]),
        r"lenstronomy.0 SIS.theta_e: expected a number within \[0, inf\), found nan",
    ),
    "a negative lens": (lambda: jl.lens_from_lenstronomy(["SIS"], [{"theta_E": -1.0}]), "found -1; correct it"),
    "too steep": (
        lambda: jl.lens_from_lenstronomy(["EPL"], [{"theta_E": 1.0, "gamma": 3.5, "e1": 0.1, "e2": 0.0}]),
        r"0 EPL.gamma: expected a number within \(1, 3\), found 3.5",
    ),
    "half an m": (lambda: jl.lens_from_lenstronomy(["MULTIPOLE"], [{"m": 2.5, "a_m": 1, "phi_m": 0}]), "m of 'MULTI"),
    "a word": (lambda: jl.lens_from_lenstronomy(["SIS"], [{"theta_E": "big"}]), "a number as theta_E of '0 SIS'"),
    "no table": (lambda: jl.lens_from_lenstronomy(["SIS"], [None]), "a table of arguments of '0 SIS', found None"),
    "other arguments": (
        lambda: jl.lens_from_lenstronomy(["SIS"], [{"theta_E": 1.0, "q": 0.5}]),
        "the arguments of 'SIS' do not fit it, found theta_E, q",
    ),
    "lists of two lengths": (lambda: jl.lens_from_lenstronomy(["SIS"], []), "found 1 and 0"),
}


@pytest.mark.parametrize("case", BAD)
def test_what_cannot_be_is_refused(case):
    make, words = BAD[case]
    with pytest.raises(InputError, match=words):
        make()
