"""Likelihoods of line fluxes against their equations in numpy, and their integrals against brute force."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from precision import doubles
from scipy.integrate import quad
from scipy.special import logsumexp
from spectra import CCM89, M08, SIX, brute_force, expected_fluxes, m08

import jaxmetal as jm
from jaxmetal.spaxel import positive
from jaxmetal.spaxel.ratio_likelihood import PERCENT

POINTS = 1000


def random_points(seed):
    """Z and A(V) over the whole prior of every likelihood, Hb, and noisy fluxes around nothing in particular."""
    rng = np.random.default_rng(seed)
    return rng.uniform(7.15, 9.15, POINTS), rng.uniform(0.0, 3.9, POINTS), np.exp(rng.normal(0.0, 1.0, POINTS)), rng


def test_default_likelihood_is_the_normal_density_of_the_fluxes():
    z, a_v, hb, rng = random_points(1)
    likelihood = jm.spaxel.fluxes(SIX, "M08")
    ratios = [one.ratio.name for one in likelihood.emission.calibrations]
    offsets = rng.normal(size=(POINTS, 3))
    flux, sigma = rng.normal(1.0, 2.0, (POINTS, 6)), np.exp(rng.normal(0.0, 1.0, (POINTS, 6)))
    missing = rng.random((POINTS, 6)) < 0.2
    model = hb[:, None] * expected_fluxes(z, a_v, dict(zip(ratios, offsets.T, strict=True)))
    terms = -0.5 * ((flux - model) / sigma) ** 2 - np.log(sigma) - 0.5 * np.log(2.0 * np.pi)
    found = likelihood.log_likelihood(np.where(missing, np.nan, flux), sigma, z=z, a_v=a_v, hb=hb, offsets=offsets)
    np.testing.assert_allclose(found, np.where(missing, 0.0, terms).sum(axis=1), rtol=1e-10)


def test_patricio19_is_equation_1():
    z, a_v, _, rng = random_points(2)
    likelihood = jm.spaxel.patricio19()
    flux, sigma = np.exp(rng.normal(0.0, 1.0, (POINTS, 5))), np.exp(rng.normal(-2.0, 1.0, (POINTS, 5)))
    wave = np.array([3728.485, 4341.68, 4862.68, 4960.30, 5008.24]) / 1e4
    k = 2.659 * (-2.156 + 1.509 / wave - 0.198 / wave**2 + 0.011 / wave**3) + 4.05
    bright = 10 ** (0.4 * k * (a_v / 4.05)[:, None])
    (oii, hg, hbeta, o4959, o5007), (e_oii, e_hg, e_hb, e_4959, e_5007) = (flux * bright).T, (sigma * bright).T
    total = oii + o4959 + o5007
    relative = {"oii": e_oii / oii, "hg": e_hg / hg, "hb": e_hb / hbeta, "a": e_4959 / o4959, "b": e_5007 / o5007}
    terms = [
        (oii / hbeta, m08("R2", z), relative["oii"] ** 2 + relative["hb"] ** 2, 0.1),
        (o5007 / hbeta, m08("R3", z), relative["b"] ** 2 + relative["hb"] ** 2, 0.1),
        (o5007 / oii, m08("O32", z), relative["b"] ** 2 + relative["oii"] ** 2, 0.1),
        (total / hbeta, m08("R23", z), (e_oii**2 + e_4959**2 + e_5007**2) / total**2 + relative["hb"] ** 2, 0.1),
        (o5007 / o4959, np.log10(2.98), relative["a"] ** 2 + relative["b"] ** 2, PERCENT),
        (hbeta / hg, np.log10(2.135), relative["hb"] ** 2 + relative["hg"] ** 2, PERCENT),
    ]
    expected = sum(
        -0.5 * (np.log10(seen) - model) ** 2 / (variance / np.log(10.0) ** 2 + cal**2)
        for seen, model, variance, cal in terms
    )
    np.testing.assert_allclose(likelihood.log_likelihood(flux, sigma, z=z, a_v=a_v), expected, rtol=1e-10)


def test_patricio19_leaves_out_what_has_no_logarithm():
    likelihood = jm.spaxel.patricio19()
    flux, sigma = np.array([3.0, 0.47, 1.0, 0.5, 1.5]), np.full(5, 0.05)
    whole = likelihood.log_likelihood(flux, sigma, z=8.3, a_v=0.3)
    for bad in (np.nan, -1.0):
        without = likelihood.log_likelihood(np.where(np.arange(5) == 1, bad, flux), sigma, z=8.3, a_v=0.3)
        only = likelihood.log_likelihood(flux, np.where(np.arange(5) == 1, 1e9, sigma), z=8.3, a_v=0.3)
        assert float(without) == pytest.approx(float(only), abs=1e-9)
        assert float(without) > float(whole)


def test_patricio19_fits_the_spectra_of_whole_galaxies():
    """Table B1: all ratios of [NeIII] to [OIII] and of hydrogen with Charlot & Fall 2000; Hg for an Hb out of reach."""
    z, a_v, _, rng = random_points(12)
    lines = {"OII": 3728.485, "NeIII": 3869.86, "H7": 3971.20, "Hd": 4102.89, "Hg": 4341.68, "Ha": 6564.61}
    lines |= {"NII6584": 6585.28}
    ratios = ("R2", "Ne3O2", "N2", "HgHd", "HgH7", "HdH7", "HaHg", "HaHd")
    likelihood = jm.spaxel.patricio19(tuple(lines), ratios, law="CF00_birth", sigma_cal=0.06, a_v_range=(0.0, 2.17))
    flux, sigma = np.exp(rng.normal(0.0, 1.0, (POINTS, 7))), np.exp(rng.normal(-2.0, 1.0, (POINTS, 7)))
    bright = 10 ** (0.4 * a_v[:, None] * (np.array(list(lines.values())) / 5500.0) ** -1.3)
    named, relative = dict(zip(lines, (flux * bright).T, strict=True)), dict(zip(lines, (sigma / flux).T, strict=True))
    hydrogen = {"Ha": 2.8632, "Hg": 0.46834, "Hd": 0.25895, "H7": 0.15903}  # over Hb: Storey & Hummer 1995
    poly = np.polynomial.polynomial.polyval
    terms = {
        ("OII", "Hg"): (m08("R2", z) + np.log10(2.135), 0.06),
        ("NeIII", "OII"): (poly(z - 8.69, (-1.2608, -1.0861, -0.147)), 0.06),
        ("NII6584", "Ha"): (m08("N2", z), 0.06),
        **{
            pair: (np.log10(hydrogen[pair[0]] / hydrogen[pair[1]]), 0.01 / np.log(10.0))
            for pair in (("Hg", "Hd"), ("Hg", "H7"), ("Hd", "H7"), ("Ha", "Hg"), ("Ha", "Hd"))
        },
    }
    expected = sum(
        -0.5
        * (np.log10(named[a] / named[b]) - model) ** 2
        / ((relative[a] ** 2 + relative[b] ** 2) / np.log(10.0) ** 2 + cal**2)
        for (a, b), (model, cal) in terms.items()
    )
    found = likelihood.log_likelihood(flux, sigma, z=z, a_v=a_v)
    np.testing.assert_allclose(found, expected, rtol=2e-3)  # ratios of hydrogen have three decimals


def test_curti20_is_equation_1():
    z, _, _, rng = random_points(3)
    z = np.clip(z, 7.6, 8.9)
    likelihood = jm.spaxel.curti20(a_v=0.7)
    flux, sigma = np.exp(rng.normal(0.0, 1.0, (POINTS, 6))), np.exp(rng.normal(-2.0, 1.0, (POINTS, 6)))
    without = np.arange(POINTS) % 2 == 0  # [NII]: S2 is in place of N2
    oii, hb, oiii, ha, nii, sii = (flux * 10 ** (0.4 * 0.7 * np.array([CCM89[name] for name in SIX_C20]))).T
    r_oii, r_hb, r_oiii, r_ha, r_nii, r_sii = (sigma / flux).T
    x = z - 8.69
    terms = [
        (oiii / hb, (-0.277, -3.549, -3.593, -0.981), r_oiii**2 + r_hb**2, 0.09, True),
        (oiii / oii, (-0.691, -2.944, -1.308), r_oii**2 + r_oiii**2, 0.15, True),
        (nii / ha, (-0.489, 1.513, -2.554, -5.293, -2.867), r_nii**2 + r_ha**2, 0.16, ~without),
        (sii / ha, (-0.442, -0.36, -6.271, -8.339, -3.559), r_sii**2 + r_ha**2, 0.11, without),
    ]
    expected = sum(
        -0.5
        * (np.log10(seen) - np.polynomial.polynomial.polyval(x, c)) ** 2
        / (variance / np.log(10.0) ** 2 + scatter**2)
        * counts
        for seen, c, variance, scatter, counts in terms
    )
    observed = np.where(without[:, None] & (np.arange(6) == 4), np.nan, flux)
    found = likelihood.log_likelihood(observed, sigma, z=z, a_v=np.full(POINTS, 0.7))
    np.testing.assert_allclose(found, expected, rtol=1e-10)


SIX_C20 = ("OII", "Hb", "OIII5007", "Ha", "NII6584", "SII")


@pytest.mark.parametrize("nii_ha", [0.05, None])
def test_wang17_is_equation_2(nii_ha):
    z, a_v, hb, rng = random_points(4)
    likelihood = jm.spaxel.wang17(hb_range=(1e-3, 1e3), nii_ha=nii_ha)
    flux, sigma = rng.normal(1.0, 2.0, (POINTS, 6)), np.exp(rng.normal(0.0, 1.0, (POINTS, 6)))
    nii = rng.uniform(0.01, 1.0, POINTS) if nii_ha is None else np.full(POINTS, nii_ha)
    names = ("OII", "Hg", "Hb", "OIII5007", "Ha", "SII")
    bright = 10 ** (0.4 * a_v[:, None] * np.array([CCM89[name] for name in names]))
    x = z - 8.69
    sulphur = (-0.5457, 0.4573, -0.8227, -0.0284, 0.594, 0.3426)
    ratio = np.stack(
        [
            10 ** m08("R2", z),
            np.full(POINTS, 0.47),
            np.ones(POINTS),
            10 ** m08("R3", z),
            2.86 * (1.0 + nii),
            2.86 * 10 ** np.polynomial.polynomial.polyval(x, sulphur),
        ],
        axis=1,
    )
    dex = np.stack([m08("R2", z, "scatter"), 0 * z, 0 * z, m08("R3", z, "scatter"), 0 * z, 0 * z + 0.11], axis=1)
    spread = 0.5 * (ratio * 10**dex - ratio / 10**dex)
    chi2 = ((flux * bright - ratio * hb[:, None]) ** 2 / ((sigma * bright) ** 2 + (spread * hb[:, None]) ** 2)).sum(1)
    extra = {"nii_ha": nii} if nii_ha is None else {}
    found = likelihood.log_likelihood(flux, sigma, z=z, a_v=a_v, hb=hb, **extra)
    np.testing.assert_allclose(found, -0.5 * chi2, rtol=1e-10)
    assert sorted(likelihood.prior) == sorted(["z", "a_v", "hb", *extra])


@pytest.mark.parametrize("t", [-30.0, -8.0, -5.9, -1.0, 0.0, 0.7, 4.0, 25.0])
def test_integral_over_a_positive_flux(t):
    a = 2.3
    b = t * np.sqrt(a)
    peak = max(t, 0.0) ** 2 / 2.0
    top = (max(t, 0.0) + 12.0) / np.sqrt(a) if t > -5 else 40.0 / abs(b)

    def moment(n):
        return quad(lambda f: f**n * np.exp(-0.5 * a * f**2 + b * f - peak), 0.0, top, epsabs=0.0, limit=200)[0]

    assert float(positive.log_integral(a, b)) == pytest.approx(np.log(moment(0)), abs=2e-5)
    found = positive.moments(jnp.asarray(a), jnp.asarray(b))
    one, two, three, four = (moment(n) / moment(0) for n in (1, 2, 3, 4))
    tolerance = 0.1 * (6.0 / t) ** 2 if t < -6 else 5e-6
    expected = [one, two, two - one**2, three - one * two, four - two**2]
    np.testing.assert_allclose(found, expected, rtol=tolerance)
    drawn = positive.draw(jax.random.key(0), jnp.full(20_000, a), jnp.full(20_000, b))
    assert float(drawn.min()) > 0.0
    assert float(drawn.mean()) == pytest.approx(moment(1) / moment(0), rel=0.03)


SUMMED = {
    "fluxes": lambda: jm.spaxel.fluxes(SIX, "M08", hb_mean=0.8),
    "wang17": lambda: jm.spaxel.wang17(hb_range=(1e-2, 3.0)),
    "patricio19": lambda: jm.spaxel.patricio19(),
}


@pytest.mark.parametrize("name", SUMMED)
def test_what_is_said_of_a_spaxel_s_hb_scales_with_what_is_summed(name):
    likelihood, spaxels = SUMMED[name](), 400.0
    flux = np.array([2.0, 0.47, 1.0, 1.5, 3.0, 0.6])[: len(likelihood.features)]
    point, sigma = (jnp.array([8.2, 8.6]), jnp.array([0.3, 1.5])), 0.05 * flux
    one = likelihood.log_marginal(flux, sigma, *point)
    all_of_them = likelihood.summed(spaxels).log_marginal(spaxels * flux, spaxels * sigma, *point)
    np.testing.assert_allclose(np.diff(all_of_them), np.diff(one), rtol=1e-6)


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("hb_mean", [np.inf, 0.8])
def test_offsets_and_hb_are_integrated_out(seed, hb_mean):
    """Against a direct sum over Hb and one offset at a time, at points that matter."""
    rng = np.random.default_rng(seed)
    sn = 10 ** rng.uniform(-0.3, 2.0)
    truth = expected_fluxes(np.array([rng.uniform(7.3, 9.0)]), np.array([1.0]))[0]
    sigma = np.full(6, 1.0 / sn)
    flux = truth + sigma * rng.standard_normal(6)
    flux[rng.integers(6)] = np.nan
    z, a_v = np.linspace(7.2, 9.1, 20), np.linspace(0.3, 1.7, 9)
    likelihood = jm.spaxel.fluxes(SIX, "M08", hb_mean=hb_mean)
    found = np.asarray(jax.jit(type(likelihood).log_marginal)(likelihood, flux, sigma, z[:, None], a_v))
    expected = brute_force(flux, sigma, z, a_v, 0.0 if np.isinf(hb_mean) else 1.0 / hb_mean)
    matter = expected > expected.max() - 6.0
    np.testing.assert_allclose(found[matter], expected[matter], atol=0.06)


def test_blends_and_chains_of_ratios_are_integrated_out():
    """[NeIII] hangs on [OII], [NII] is blended with Ha: against Monte Carlo over the prior of the offsets."""
    likelihood = jm.spaxel.fluxes(["OII", "NeIII", "Hb", "OIII", "Ha+NII"], "M08", hb_mean=1.0)
    rng = np.random.default_rng(8)
    z, a_v = np.array([8.2, 8.5]), np.array([0.4, 0.8])
    sigma = np.array([0.3, 0.1, 0.2, 0.5, 0.4])
    flux = np.asarray(likelihood.emission(8.3, 0.5)) + sigma * rng.standard_normal(5)
    found = likelihood.log_marginal(flux, sigma, z, a_v)
    offsets = rng.standard_normal((200_000, 1, 4))
    hb = rng.exponential(1.0, (200_000, 1))
    terms = likelihood.log_likelihood(flux, sigma, z=z[None], a_v=a_v[None], hb=hb, offsets=offsets)
    expected = logsumexp(terms, axis=0) - np.log(200_000)
    np.testing.assert_allclose(found, expected, atol=0.08)


def test_wang17_integrates_over_hb():
    likelihood = jm.spaxel.wang17(hb_range=(1e-3, 1e3))
    flux, sigma = np.array([2.0, 0.5, 1.1, 3.0, 3.1, 0.3]), np.array([0.1, 0.1, 0.1, 0.1, 0.1, 0.2])
    z, a_v = np.array([7.6, 8.3, 8.9]), np.array([0.2, 0.4, 0.3])
    nodes = np.linspace(np.log(1e-3), np.log(1e3), 40_001)
    dense = likelihood.log_likelihood(flux, sigma, z=z, a_v=a_v, hb=np.exp(nodes)[:, None])
    expected = logsumexp(dense, axis=0) - np.log(40_000)
    np.testing.assert_allclose(likelihood.log_marginal(flux, sigma, z, a_v), expected, atol=1e-4)
    drawn = likelihood.draw_hb(jax.random.key(1), flux, sigma, np.full(4000, 8.3), np.full(4000, 0.4))
    weight = np.exp(dense[:, 1] - dense[:, 1].max())
    mean = np.average(np.exp(nodes), weights=weight)
    assert float(drawn.mean()) == pytest.approx(mean, rel=0.01)


@jax.jit
def of_hb(likelihood, flux, sigma, z, a_v):
    """Its integral at two points, and draws at the second."""
    points = jnp.full(20_000, z[1]), jnp.full(20_000, a_v[1])
    drawn = likelihood.draw_hb(jax.random.key(0), flux, sigma, *points)
    return likelihood.log_marginal(flux, sigma, z, a_v), drawn


@pytest.mark.parametrize("signal", [3.0, 60.0, 1000.0])
@pytest.mark.parametrize("unit", [1.0, 1e-19])
def test_wang17_finds_an_hb_however_narrow_also_in_cgs(signal, unit):
    """By brute force over ln Hb, 200 steps per error; in single precision."""
    names, extinction = ("Hbeta", "Hgamma", "OIII5007"), np.array([CCM89[name] for name in ("Hb", "Hg", "OIII5007")])
    rng, z, a_v = np.random.default_rng(4), np.array([8.3, 8.5]), np.array([0.95, 1.0])
    seen = 5.0 * np.array([1.0, 0.47, 10 ** m08("R3", 8.4)]) * 10 ** (-0.4 * extinction)
    sigma = np.full(3, seen[0] / signal)
    flux = seen + sigma * rng.standard_normal(3)
    ln_hb = np.concatenate([np.linspace(np.log(1e-3), np.log(0.5), 500), np.linspace(np.log(0.5), np.log(40), 60_000)])
    hb, bright = np.exp(ln_hb)[:, None], 10 ** (0.4 * a_v * extinction[:, None])
    ratio = 10 ** m08("R3", z)
    spread = 0.5 * ratio * (10 ** m08("R3", z, "scatter") - 10 ** -m08("R3", z, "scatter")) * hb
    log_l = sum(
        -0.5 * (flux[k] * bright[k] - r * hb) ** 2 / ((sigma[k] * bright[k]) ** 2 + s**2)
        for k, (r, s) in enumerate([(1.0, 0.0), (0.47, 0.0), (ratio, spread)])
    )
    step = np.gradient(ln_hb)[:, None]
    with doubles(False):
        likelihood = jm.spaxel.wang17(names, hb_range=(1e-3 * unit, 1e3 * unit))
        given = jnp.asarray(flux * unit), jnp.asarray(sigma * unit)
        found, drawn = of_hb(likelihood, *given, jnp.asarray(z), jnp.asarray(a_v))
        drawn = np.log(np.asarray(drawn, float) / unit)
    expected = logsumexp(log_l, axis=0, b=step) - np.log(np.log(1e6))
    np.testing.assert_allclose(found, expected, atol=3e-3)
    weight = step[:, 0] * np.exp(log_l[:, 1] - log_l[:, 1].max())
    mean = np.average(ln_hb, weights=weight)
    width = np.sqrt(np.average((ln_hb - mean) ** 2, weights=weight))
    assert drawn.mean() == pytest.approx(mean, abs=0.03 * width)
    assert drawn.std() == pytest.approx(width, rel=0.03)


def test_priors_are_those_of_the_papers():
    patricio, wang, curti = jm.spaxel.patricio19(), jm.spaxel.wang17(hb_range=(1e-2, 1e2)), jm.spaxel.curti20(a_v=0.3)
    assert (float(patricio.prior["z"].low), float(patricio.prior["z"].high)) == (7.0, 9.2)
    assert (float(patricio.prior["a_v"].low), float(patricio.prior["a_v"].high)) == (0.0, 4.05)
    assert (float(wang.prior["z"].low), float(wang.prior["z"].high)) == (7.0, 9.3)
    assert (float(wang.prior["a_v"].low), float(wang.prior["a_v"].high)) == (0.0, 4.0)
    assert float(wang.prior["hb"].log_prob(1.0) - wang.prior["hb"].log_prob(10.0)) == pytest.approx(np.log(10.0))
    paper = jm.spaxel.wang17(flux_unit=1e-20, nii_ha=None).prior  # Table 3: 1000 x 10^-17 erg/s/cm^2, and 0.5
    assert float(paper["hb"].support.upper_bound) == pytest.approx(1e6)
    assert float(paper["nii_ha"].support.upper_bound) == 0.5
    assert float(curti.prior["a_v"].sample(jax.random.key(0))) == 0.3


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (lambda: jm.spaxel.fluxes(SIX, "M08", hb_mean=0.0), "hb_mean"),
        (lambda: jm.spaxel.fluxes(SIX, "M08", z_range=(9.0, 8.0)), "z_range"),
        (lambda: jm.spaxel.fluxes(SIX, "M08", a_v_range=(0.0, np.inf)), "a_v_range"),
        (lambda: jm.spaxel.patricio19(("OII", "Hb")), "Hgamma|OIII"),
        (lambda: jm.spaxel.patricio19(ratios=("R2", "HbHgg")), "HbHgg"),
        (lambda: jm.spaxel.patricio19(ratios=("HbHg",)), "measures metallicity"),
        (lambda: jm.spaxel.wang17(("OII", "NeIII"), hb_range=(1.0, 2.0)), "NeIII"),
        (lambda: jm.spaxel.wang17(hb_range=(0.0, 2.0)), "hb_range"),
        (lambda: jm.spaxel.wang17(), "hb_range"),
        (lambda: jm.spaxel.wang17(flux_unit=0.0), "flux_unit"),
        (lambda: jm.spaxel.wang17(("Hb", "Hbeta"), hb_range=(1.0, 2.0)), "every line or blend once"),
    ],
)
def test_likelihoods_that_cannot_be_are_refused(wrong, said):
    with pytest.raises(jm.InputError, match=said):
        wrong()


def test_the_table_of_this_file_is_the_catalogue():
    for name in M08:
        assert float(jm.lines.calibration("M08", name).curve(8.21)) == pytest.approx(float(m08(name, 8.21)), abs=1e-12)
