"""The reference earns its name: closed forms, plain brute force, stored answers and FRApy's own numbers."""

from functools import cache
from pathlib import Path

import numpy as np
import pytest
from reference.cases import CASES, Case, compared, solve
from reference.frapy import FOLDERS, PARAMETERS, Galaxy, frapy_model, residuals
from reference.make import ALLOWED, ANSWERS
from reference.operator import observe
from reference.profiles import Gaussian, Moffat, Sersic
from scipy.integrate import quad
from scipy.optimize import least_squares
from scipy.signal import fftconvolve
from scipy.special import erf

DATA = Path(__file__).parents[2] / "shared" / "data"
CASE = {case.name: case for case in CASES}
needs_data = pytest.mark.skipif(not (DATA / "expected.json").exists(), reason="the arcs of ../shared/data are not here")


def between(edges, mean, sigma):
    """Integral of a normal density between successive edges."""
    return np.diff(erf((edges - mean) / (np.sqrt(2) * sigma))) / 2


def test_gaussian_light_has_closed_forms():
    (ny, nx), psf, kappa = (17, 22), Gaussian(2.6), 0.21
    disc = Sersic(0.5, 3.0, q=0.4, pa=90, x0=0.3, y0=-0.7)
    s_x = disc.r_eff / np.sqrt(2 * np.log(2))
    _, (sigma,) = psf.mixture()
    x, y = np.arange(nx + 1) - nx / 2, np.arange(ny + 1) - ny / 2
    total_x, total_y = np.hypot(s_x, sigma), np.hypot(disc.q * s_x, sigma)

    def fields(x, y):
        light = disc.brightness(x, y)
        return np.stack([light, light * (x - disc.x0), light * np.exp(kappa * (x - disc.x0))])

    light, first, tilted = observe(fields, (ny, nx), psf, cusp=(disc.x0, disc.y0), q=disc.q)
    down = between(y, disc.y0, total_y)[:, None]
    density = np.exp(-0.5 * ((x - disc.x0) / total_x) ** 2) / np.sqrt(2 * np.pi) / total_x
    np.testing.assert_allclose(light, down * between(x, disc.x0, total_x), rtol=1e-11, atol=1e-15)
    np.testing.assert_allclose(first, -(s_x**2) * down * np.diff(density), rtol=1e-10, atol=1e-15)
    shifted = np.exp((kappa * s_x) ** 2 / 2) * between(x, disc.x0 + kappa * s_x**2, total_x)
    np.testing.assert_allclose(tilted, down * shifted, rtol=1e-11, atol=1e-15)


@pytest.mark.parametrize("n", [1, 2.5, 4])
def test_half_of_the_flux_is_inside_r_eff(n):
    disc = Sersic(n, 3.0, q=0.6, pa=35, flux=7.0)
    major = np.array([-np.sin(np.deg2rad(35)), np.cos(np.deg2rad(35))])
    inside = quad(lambda r: 2 * np.pi * disc.q * r * disc.brightness(*(r * major)), 0, disc.r_eff, epsabs=1e-12)[0]
    assert inside == pytest.approx(3.5, rel=1e-8)


def test_position_angle_runs_from_north_through_east():
    disc = Sersic(1, 3.0, q=0.5, pa=30)
    assert disc.radius(-0.5, np.sqrt(0.75)) == pytest.approx(1)  # x is west, so north-east is up and left
    assert disc.radius(np.sqrt(0.75), 0.5) == pytest.approx(2)


@pytest.mark.parametrize("beta", [1.5, 2.8, 4.765])
def test_moffat_is_its_mixture(beta):
    psf, r = Moffat(3.0, beta), np.array([0.0, 0.4, 1.5, 6.0, 40.0])
    weight, sigma = psf.mixture()
    density = (weight * np.exp(-0.5 * (r[:, None] / sigma) ** 2) / (2 * np.pi * sigma**2)).sum(axis=1)
    np.testing.assert_allclose(density, psf(r), rtol=1e-8)
    assert psf(1.5) == pytest.approx(psf(0.0) / 2)


def cell_average(function, x, y, size, cusp):
    """Mean over square cells by 3 x 3 Gauss-Legendre nodes; a cell beside the cusp is the mean of its quarters."""
    node, weight = np.polynomial.legendre.leggauss(3)
    mean = sum(a * b * function(x + u * size / 2, y + v * size / 2) / 4
               for u, a in zip(node, weight, strict=True) for v, b in zip(node, weight, strict=True))  # fmt: skip
    beside = np.maximum(abs(x - cusp[0]), abs(y - cusp[1])) < 3 * size
    if size > 1e-4 and beside.any():
        quarters = [cell_average(function, x[beside] + i * size / 4, y[beside] + j * size / 4, size / 2, cusp)
                    for i in (-1, 1) for j in (-1, 1)]  # fmt: skip
        mean[..., beside] = np.mean(quarters, axis=0)
    return mean


def brute_force(case, samples=21, margin=16):
    """Cell averages on a plain grid, the PSF at its points, `fftconvolve`, sums over pixels."""
    ny, nx = case.shape
    axes = [(np.arange((n + 2 * margin) * samples) + 0.5) / samples - n / 2 - margin for n in (ny, nx)]
    y, x = np.meshgrid(*axes, indexing="ij")
    lag = np.arange(-(margin + max(ny, nx)) * samples, (margin + max(ny, nx)) * samples + 1) / samples
    kernel = case.psf(np.hypot(*np.meshgrid(lag, lag))) / samples**2

    def fields(x, y):
        light = case.light.brightness(x, y)
        return np.stack([light, light * 10 ** (case.slope * case.light.radius(x, y) / case.light.r_eff)])

    averages = cell_average(fields, x, y, 1 / samples, (case.light.x0, case.light.y0))
    blurred = [fftconvolve(a, kernel, mode="same") / samples**2 for a in averages]
    pixels = np.reshape(blurred, (2, ny + 2 * margin, samples, nx + 2 * margin, samples)).sum(axis=(2, 4))
    light, dex = pixels[:, margin:-margin, margin:-margin]
    return light, case.central + np.log10(dex / light)


def test_plain_brute_force_agrees():
    case = Case("small", (9, 12), Sersic(4, 2.0, 0.5, 25, 0.25, -0.1), Moffat(2.0, 4.765), -0.4)
    light, dex, _ = solve(case)
    plain_light, plain_dex = brute_force(case)
    assert np.abs(plain_dex - dex).max() < 5e-5
    np.testing.assert_allclose(plain_light, light, rtol=1e-3)


def test_every_stored_answer_has_converged():
    answers = np.load(ANSWERS)
    assert {name.split("/")[0] for name in answers} == set(CASE)
    assert all(answers[f"{name}/change"] < ALLOWED for name in CASE)


@pytest.mark.parametrize("name", ["exponential_sharp", "n2.5_compact", "n4_compact_thin"])
def test_a_case_solved_again_is_the_stored_answer(name):
    case, answers = CASE[name], np.load(ANSWERS)
    light, dex, linear = solve(case)
    used = compared(case, light, dex)
    np.testing.assert_allclose(light, answers[f"{name}/light"], rtol=1e-6)
    np.testing.assert_allclose(dex[used], answers[f"{name}/dex"][used], rtol=0, atol=1e-8)
    np.testing.assert_allclose(linear[used], answers[f"{name}/linear"][used], rtol=0, atol=1e-8)


@cache
def arc(name):
    return Galaxy(name, DATA)


@needs_data
@pytest.mark.parametrize("name", FOLDERS)
def test_forward_check_of_frapy(name):
    galaxy = arc(name)
    assert not galaxy.leaving.any()  # no kernel of a binned pixel leaves either map: every bin counts
    for check in galaxy.expected["forward_check"]["checks"]:
        params = [check["params"][p] for p in PARAMETERS]
        np.testing.assert_allclose(frapy_model(params, galaxy), check["binned_model"], rtol=0, atol=1e-8)
        assert np.sum(residuals(params, galaxy) ** 2) == pytest.approx(check["chi2_binned"], rel=1e-5)


@needs_data
@pytest.mark.parametrize("name", FOLDERS)
def test_least_squares_with_fixed_geometry(name):
    galaxy = arc(name)
    answer = galaxy.expected["lsq_on_bundle_data"]["gaussian_deprojected"]["fixed"]
    geometry = [*answer["centre_pix"], answer["q"], answer["pa"]]
    fit = least_squares(lambda p: residuals([*geometry, *p], galaxy), [-0.03, 9.0], x_scale=[1e-3, 1e-2])
    assert 2 * fit.cost == pytest.approx(answer["chi2"], abs=1e-5)
    np.testing.assert_allclose(fit.x * [answer["q"], 1], [answer["z_grad"], answer["z_0"]], rtol=0, atol=1e-6)


@needs_data
@pytest.mark.parametrize("name", FOLDERS)
def test_least_squares_with_free_geometry(name):
    galaxy = arc(name)
    answer = galaxy.expected["lsq_on_bundle_data"]["gaussian_deprojected"]["free"]
    start = [galaxy.expected["published_best_maps_exact_parameters"]["free"][p] for p in PARAMETERS]
    fit = least_squares(residuals, start, args=(galaxy,), x_scale=[0.3, 0.3, 0.05, 3, 2e-3, 1e-2], diff_step=1e-5)
    found = dict(zip(PARAMETERS, fit.x, strict=True))
    found["z_grad"] *= found["q"]  # the stored slope is per deprojected kpc
    assert 2 * fit.cost == pytest.approx(answer["chi2"], abs=1e-4)
    for parameter, value in found.items():
        assert abs(value - answer[parameter]) < 0.02 * answer["err"][parameter], parameter
