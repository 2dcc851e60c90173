"""Equations of papers and codes in numpy and scipy, by the symbols of `jaxmetal/glossary.md`.

The default of an argument is the value at which ours is compared; `ours` calls it by our names where building a node
and calling it would not do.
"""

import inspect
from dataclasses import dataclass

import numpy as np
from scipy import special
from scipy.integrate import quad
from scipy.optimize import brentq
from scipy.stats import multivariate_t, norm

EQUATIONS = {}


@dataclass(frozen=True)
class Equation:
    formula: object
    fixed: dict
    rtol: float

    @property
    def values(self):
        """Symbol -> value; tuples as arrays."""
        given = {name: one.default for name, one in inspect.signature(self.formula).parameters.items()}
        return {name: np.array(value) if isinstance(value, tuple) else value for name, value in given.items()}


def equation(function, source, rtol=1e-9, **fixed):
    """Registers the formula of one entry; `fixed` are arguments of ours that the source has no symbol for."""

    def register(formula):
        EQUATIONS[function, source] = Equation(formula, fixed, rtol)
        return formula

    return register


@equation("light.Sersic", "Graham & Driver 2005, eqs 1 and 2")
def _(L_tot=3.0, R_e=0.7, n=2.3, R=0.4):
    b = special.gammaincinv(2 * n, 0.5)
    I_e = L_tot * b ** (2 * n) / (R_e**2 * 2 * np.pi * n * np.exp(b) * special.gamma(2 * n))
    return I_e * np.exp(-b * ((R / R_e) ** (1 / n) - 1))


@equation("light.sersic_b", "Ciotti & Bertin 1999, eq. 18", rtol=1e-8)
def _(m=8.0):
    high = 46 / (25515 * m**2) + 131 / (1148175 * m**3) - 2194697 / (30690717750 * m**4)
    return 2 * m - 1 / 3 + 4 / (405 * m) + high


@equation("light.Exponential", "Freeman 1970")
def _(L=3.0, r_e=0.7, r=0.4):
    alpha = brentq(lambda x: (1 + x) * np.exp(-x) - 0.5, 1.0, 3.0, xtol=1e-14) / r_e
    return L * alpha**2 / (2 * np.pi) * np.exp(-alpha * r)


@equation("light.Moffat", "Moffat 1969")
def _(L=3.0, r_h=0.7, beta=2.6, r=0.4):
    R = r_h / np.sqrt(2 ** (1 / (beta - 1)) - 1)
    return L * (beta - 1) / (np.pi * R**2) * (1 + (r / R) ** 2) ** -beta


@equation("instrument.Moffat", "Moffat 1969", rtol=1e-3)
def _(w=0.7, beta=3.1):
    """At half an arcsecond, where a sum of Gaussians is good to a thousandth."""
    R = w / (2 * np.sqrt(2 ** (1 / beta) - 1))
    return (beta - 1) / (np.pi * R**2) * (1 + (0.5 / R) ** 2) ** -beta


@equation("light.sersic_from_lenstronomy", "lenstronomy, SERSIC_ELLIPSE", rtol=1e-7)
def _(amp=1.7, R_sersic=0.6, n_sersic=1.4, q=0.5):
    """On the sky, 0.9 arcsec along the major axis."""
    k = 1.9992 * n_sersic - 0.3271
    return amp * np.exp(-k * ((np.sqrt(q) * 0.9 / R_sersic) ** (1 / n_sersic) - 1))


LIGHT, DEX = (4.0, 1.0, 0.5), (8.7, 8.2, 7.6)


@equation("mixing.Linear", "Metha et al. 2024, eq. 2")
def _(Sigma=LIGHT, Z=DEX):
    return np.sum(Sigma * Z) / np.sum(Sigma)


@equation("mixing.Dex", "lenstronomy, tracer type LOG")
def _(L=LIGHT, T=DEX):
    return np.log10(np.sum(L * 10**T) / np.sum(L))


@equation("render.blend", "Metha et al. 2024, eqs 2 and 3")
def _(Sigma_i=LIGHT, Z_i=DEX):
    """In each of six pixels."""
    return np.full((2, 3), np.sum(Sigma_i * Z_i) / np.sum(Sigma_i))


@equation("tracer.slope_from_circularised", "lenstronomy, LINEAR_ELLIPSE")
def _(k=-0.3, q=0.4):
    return (k * np.sqrt(q) * 2.0) / 2.0


@equation("tracer.slope_from_frapy", "FRApy")
def _(grad=-0.3, q=0.4):
    return (grad * q * 2.0) / 2.0


@equation("frame.InclinedDisc.axis_ratio", "Hubble 1926")
def _(i=63.0, q_0=0.2):
    return brentq(lambda q: (q**2 - q_0**2) / (1 - q_0**2) - np.cos(np.radians(i)) ** 2, q_0, 1.0, xtol=1e-14)


@equation("tracer.Rotation", "Courteau 1997")
def _(v_0=10.0, v_c=150.0, r_t=0.4, x=0.5, y=-0.3):
    r = np.hypot(x, y)
    return v_0 + 2 / np.pi * v_c * np.arctan(r / r_t) * x / r


@equation("lens.SIE", "Kormann et al. 1994", rtol=1e-6)
def _(xi_0=1.3, f=0.6, x1=0.5, x2=-0.8):
    rest, phi = np.sqrt(1 - f**2), np.arctan2(x2, x1)
    return xi_0 * np.sqrt(f) / rest * np.array([np.arcsinh(rest / f * np.cos(phi)), np.arcsin(rest * np.sin(phi))])


@equation("lens.SIE", "Tessore & Metcalf 2015", rtol=1e-6)
def _(theta_E=1.3, q=0.6, x=0.5, y=-0.8):
    b, f, phi = theta_E * np.sqrt(q), (1 - q) / (1 + q), np.arctan2(x, q * y)
    alpha = 2 * b / (1 + q) * np.exp(1j * phi) * special.hyp2f1(1.0, 0.5, 1.5, -f * np.exp(2j * phi))
    return np.array([alpha.imag, alpha.real])


@equation("lens.EPL", "Tessore & Metcalf 2015", rtol=1e-6)
def _(theta_E=1.3, gamma=2.3, q=0.6, x=0.5, y=-0.8):
    t, b, f, phi = gamma - 1, theta_E * np.sqrt(q), (1 - q) / (1 + q), np.arctan2(x, q * y)
    series = special.hyp2f1(1.0, t / 2, 2 - t / 2, -f * np.exp(2j * phi))
    alpha = 2 * b / (1 + q) * (b / np.hypot(q * y, x)) ** (t - 1) * np.exp(1j * phi) * series
    return np.array([alpha.imag, alpha.real])


@equation("lens.NFW", "Wright & Brainerd 2000", rtol=1e-6)
def _(kappa_s=0.3, r_s=2.0, x=0.5, y=-0.8):
    """The mass within the radius, integrated, over pi times the radius."""
    radius = np.hypot(x, y) / r_s

    def kappa(s):
        return 2 * kappa_s * (1 - np.arctanh(np.sqrt(1 - s**2)) / np.sqrt(1 - s**2)) / (s**2 - 1)

    alpha = 2 * r_s / radius * quad(lambda s: s * kappa(s), 0, radius)[0]
    return alpha * np.array([x, y]) / np.hypot(x, y)


@equation("lens.normalisation_to_b0", "Eliasdottir et al. 2007", name="E0")
def _(E_0=1.5, a=0.2, s=5.0):
    return E_0 * (s**2 - a**2) / s**2


@equation("lens.DPIE", "Limousin et al. 2005", rtol=1e-6)
def _(b=1.5, a=0.2, s=5.0, x=0.5, y=-0.8):
    radius = np.hypot(x, y)
    alpha = b * s / (s - a) * (np.hypot(a, radius) - a - np.hypot(s, radius) + s) / radius
    return alpha * np.array([x, y]) / radius


@equation("lens.b0_from_velocity_dispersion", "Jullo et al. 2007", rtol=1e-6)
def _(sigma=220.0, E=0.7):
    return np.degrees(6 * np.pi * (sigma / 299792.458) ** 2 * E) * 3600


@equation("lens.Shear", "lenstronomy, SHEAR, x to the West")
def _(gamma1=0.05, gamma2=-0.08, x=0.5, y=-0.8):
    return np.array([[gamma1, gamma2], [gamma2, -gamma1]]) @ [x, y]


@equation("io.deflection.distance_ratio", "Hogg 1999, eq. 19", rtol=1e-6)
def _(z1=0.35, z2=1.4):
    """For H_0 = 70, Omega_M = 0.3, Omega_Lambda = 0.6 and no radiation; distances over D_H."""
    root = np.sqrt(0.1)
    M1, M2 = (
        np.sinh(root * quad(lambda x: (0.3 * (1 + x) ** 3 + 0.1 * (1 + x) ** 2 + 0.6) ** -0.5, 0, z)[0]) / root
        for z in (z1, z2)
    )
    return (M2 * np.sqrt(1 + 0.1 * M1**2) - M1 * np.sqrt(1 + 0.1 * M2**2)) / M2


@equation("likelihood.LightScaled.standard_deviation", "Metha et al. 2024, appendix A")
def _(C1=0.002, C2=0.01, I=0.3):  # noqa: E741 - the paper's symbol
    return np.sqrt(C1 + C2 / I)


@equation("likelihood.SplitNormal.pointwise", "John 1982", light=1.0, used=True)
def _(sigma_1=0.3, sigma_2=0.1, mu=8.2, x=8.0):
    width = sigma_1 if x < mu else sigma_2
    return np.log(np.sqrt(2 / np.pi) / (sigma_1 + sigma_2)) - 0.5 * ((x - mu) / width) ** 2


@equation("population.main_sequence", "Speagle et al. 2014, eq. 28")
def _(M=10.2, t=5.8):
    return (0.84 - 0.026 * t) * M - (6.51 - 0.11 * t)


@equation("population.mass_metallicity", "Wang et al. 2017, eq. 4")
def _(M=10.2, A=8.4, B=0.3, M_0=9.5):
    return A + B * (M - M_0)


@equation("population.fundamental_metallicity", "Mannucci et al. 2011, eq. 2")
def _(M=(8.7, 10.2), s=0.9):
    m, mu = M - 10, M - 0.32 * s
    high = 8.90 + 0.37 * m - 0.14 * s - 0.19 * m**2 + 0.12 * m * s - 0.054 * s**2
    return np.where(mu < 9.5, 8.93 + 0.51 * (mu - 10), high)


X, Y, E_X, E_Y, RHO = np.array([0.2, -0.9, 1.4]), np.array([0.1, -0.3, 0.9]), 0.3, 0.2, 0.4


COLUMN, ROW = np.arange(21.0), np.arange(19.0)[:, None]
BLOB, MOVED = (np.exp(-((COLUMN - 9.0 - d) ** 2 + (ROW - 9.0 - e) ** 2) / 6.0) for d, e in ((0, 0), (3, -2)))


@equation("fluxmaps.offset", "Wang et al. 2017, eq. 1", rtol=0.02)
def _(f=BLOB, t=MOVED):
    """Among whole pixels; ours goes on between them."""

    def ncc(d):
        column, row = d
        first = f[max(0, -row) : f.shape[0] - max(0, row), max(0, -column) : f.shape[1] - max(0, column)]
        second = t[max(0, row) : f.shape[0] + min(0, row), max(0, column) : f.shape[1] + min(0, column)]
        return np.corrcoef(first.ravel(), second.ravel())[0, 1]

    return max(((c, r) for c in range(-5, 6) for r in range(-5, 6)), key=ncc)


@equation("population.regress", "Kelly 2007, eqs 16-24")
def _(alpha=0.1, beta=0.5, sigma=0.25, pi=(0.3, 0.7), mu=(-0.5, 0.8), tau2=(0.4, 0.9)):
    total, cross = 0.0, RHO * E_X * E_Y
    for p, m, t in zip(pi, mu, tau2, strict=True):
        V = np.array([[t + E_X**2, beta * t + cross], [beta * t + cross, beta**2 * t + sigma**2 + E_Y**2]])
        away = np.stack([X - m, Y - alpha - beta * m])
        chi2 = np.sum(away * np.linalg.solve(V, away), axis=0)
        total = total + p / (2 * np.pi * np.sqrt(np.linalg.det(V))) * np.exp(-0.5 * chi2)
    return np.sum(np.log(total))


@equation("population.fit", "Hogg et al. 2010, eq. 9")
def _(x_obs=((0.1, 0.4, -0.2), (0.9, 0.5, 0.6)), p_0=((-0.7, -1.6, -1.2), (-2.3, -0.9, -0.9)), m=0.3, s=0.6):
    return np.sum(np.log(np.sum(norm(m, s).pdf(x_obs) / np.exp(p_0), axis=1)))


@equation("population.Selection.log_share", "Mandel et al. 2019, eq. 7", rtol=1e-6)
def _(m=(0.3, -0.4), s=0.6):
    """For galaxies that enter with the probability Phi(y / 0.2)."""
    y = np.linspace(-9.0, 9.0, 20001)[:, None]
    return np.log(np.trapezoid(norm(m, s).pdf(y) * norm.cdf(y / 0.2), y, axis=0))


@equation("fit.student.pooled", "Cornuet et al. 2012, eq. 3")
def _(N=(100, 300), x=((0.2, -0.4), (1.5, 0.3))):
    """Relative to the first position; two proposals of 8 degrees of freedom."""
    found = np.log(
        N[0] * multivariate_t([0, 0], np.eye(2), 8).pdf(x) + N[1] * multivariate_t([1, 0], np.eye(2), 8).pdf(x)
    )
    return found - found[0]
