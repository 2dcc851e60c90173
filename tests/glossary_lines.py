"""Equations of emission lines, dust and classes, as those of `glossary_equations`."""

import numpy as np
from glossary_equations import EQUATIONS, equation
from spectra import M08, m08

__all__ = ["EQUATIONS"]

C20_R3 = (-0.277, -3.549, -3.593, -0.981)
"""Curti et al. 2020, Table 2."""


@equation("lines.Line.air", "Morton 2000, eq. 8", name="x", label="x")
def _(lambda_vac=5008.24):
    s2 = (1e4 / lambda_vac) ** 2
    return lambda_vac / (1 + 8.34254e-5 + 2.406147e-2 / (130 - s2) + 1.5998e-4 / (38.9 - s2))


@equation("lines.dust_law", "Calzetti et al. 2000, eq. 4")
def _(R_V=4.05):
    """At Hbeta, below 0.63 micron."""
    wave = 0.486268
    return (2.659 * (-2.156 + 1.509 / wave - 0.198 / wave**2 + 0.011 / wave**3) + R_V) / R_V


@equation("lines.dust_law", "Cardelli et al. 1989", rtol=1e-6)
def _(R_V=3.4):
    """At Hbeta, in the optical."""
    y = 1 / 0.486268 - 1.82
    a = (1.0, 0.17699, -0.50447, -0.02427, 0.72085, 0.01979, -0.77530, 0.32999)
    b = (0.0, 1.41338, 2.28305, 1.07233, -5.38434, -0.62251, 5.30260, -2.09002)
    return np.polyval(a[::-1], y) + np.polyval(b[::-1], y) / R_V


@equation("lines.calibration", "Maiolino et al. 2008, Table 4")
def _(Z=8.3):
    return np.polyval(M08["R23"][0][::-1], Z - 8.69)


SPECTRUM = {"OII": 3.0, "OIII4959": 0.34, "OIII5007": 1.0, "Hbeta": 1.0}


@equation("lines.kk04", "Kobulnicky & Kewley 2004, eqs 13, 16 and 17", rtol=1e-6)
def _(F=SPECTRUM, upper=(True, False)):
    oiii = F["OIII4959"] + F["OIII5007"]
    x, y = np.log10((F["OII"] + oiii) / F["Hbeta"]), np.log10(oiii / F["OII"])
    Z = np.where(upper, 8.7, 8.2)
    for _ in range(60):
        q = 32.81 - 1.153 * y**2 + Z * (-3.396 - 0.025 * y + 0.1444 * y**2)
        q = q / (4.603 - 0.3119 * y - 0.163 * y**2 + Z * (-0.48 + 0.0271 * y + 0.02037 * y**2))
        lower = 9.40 + 4.65 * x - 3.17 * x**2 - q * (0.272 + 0.547 * x - 0.513 * x**2)
        high = 9.72 - 0.777 * x - 0.951 * x**2 - 0.072 * x**3 - 0.811 * x**4
        high = high - q * (0.0737 - 0.0713 * x - 0.141 * x**2 + 0.0373 * x**3 - 0.058 * x**4)
        Z = np.where(upper, high, lower)
    return Z


FLUX, ERROR = (1.6, 0.9), (0.1, 0.05)
"""Of [OIII] 5007 and Hb."""


@equation("spaxel.patricio19", "Patricio et al. 2019, eq. 1")
def _(Z=8.3, A_V=0.6, F=(3.0, 0.42, 0.9, 0.5, 1.6), dF=(0.2, 0.05, 0.04, 0.06, 0.1)):
    wave = np.array([3728.485, 4341.68, 4862.68, 4960.30, 5008.24]) / 1e4
    k = 2.659 * (-2.156 + 1.509 / wave - 0.198 / wave**2 + 0.011 / wave**3) + 4.05
    bright = 10 ** (0.4 * k * A_V / 4.05)
    oii, hg, hb, o4959, o5007 = F * bright
    e2 = (dF / F) ** 2
    total = oii + o4959 + o5007
    sum_e2 = np.sum(((dF * bright) ** 2)[[0, 3, 4]]) / total**2
    percent = 0.01 / np.log(10)
    terms = [
        (oii / hb, m08("R2", Z), e2[0] + e2[2], 0.1),
        (o5007 / hb, m08("R3", Z), e2[4] + e2[2], 0.1),
        (o5007 / oii, m08("O32", Z), e2[4] + e2[0], 0.1),
        (total / hb, m08("R23", Z), sum_e2 + e2[2], 0.1),
        (o5007 / o4959, np.log10(2.98), e2[4] + e2[3], percent),
        (hb / hg, np.log10(2.135), e2[2] + e2[1], percent),
    ]
    return -0.5 * sum((np.log10(r) - m) ** 2 / (v / np.log(10) ** 2 + cal**2) for r, m, v, cal in terms)


@equation("spaxel.curti20", "Curti et al. 2020, eq. 1")
def _(Z=8.3, F=FLUX, dF=ERROR):
    variance = np.sum((dF / F) ** 2) / np.log(10) ** 2 + 0.09**2
    return -0.5 * (np.log10(F[0] / F[1]) - np.polyval(C20_R3[::-1], Z - 8.69)) ** 2 / variance


@equation("spaxel.wang17", "Wang et al. 2017, eq. 2")
def _(Z=8.3, A_V=0.6, f_Hb=1.9, f=FLUX, sigma=ERROR):
    wave, powers = np.array([5008.24, 4862.68]) / 1e4, np.arange(8)
    a = (1.0, 0.17699, -0.50447, -0.02427, 0.72085, 0.01979, -0.77530, 0.32999)
    b = (0.0, 1.41338, 2.28305, 1.07233, -5.38434, -0.62251, 5.30260, -2.09002)
    bright = 10 ** (0.4 * A_V * ((1 / wave[:, None] - 1.82) ** powers @ (np.array(a) + np.array(b) / 3.1)))
    R, dex = np.array([10 ** m08("R3", Z), 1.0]), np.array([m08("R3", Z, "scatter"), 0.0])
    sigma_R = R * (10**dex - 10**-dex) / 2
    return -0.5 * np.sum((f * bright - R * f_Hb) ** 2 / ((sigma * bright) ** 2 + (sigma_R * f_Hb) ** 2))


MPC = 3.0856775814913673e24


@equation("spaxel.star_formation_rate", "Wang et al. 2017, eq. 3", rate="wang17")
def _(f_Hb=1e-17, D_L=8000.0):
    return 4.6e-42 * 2.86 * f_Hb * 4 * np.pi * (D_L * MPC) ** 2


@equation("spaxel.star_formation_rate", "Kennicutt 1998, eq. 2", rate="k98")
def _(f_Hb=1e-17, D_L=8000.0):
    return 7.9e-42 * 2.86 * f_Hb * 4 * np.pi * (D_L * MPC) ** 2


@equation("fluxmaps.excitation.KEWLEY01_NII", "Kewley et al. 2001, eq. 5")
def _(x=-0.3):
    return 0.61 / (x - 0.47) + 1.19


@equation("fluxmaps.excitation.KEWLEY01_SII", "Kewley et al. 2001, eq. 6")
def _(x=-0.3):
    return 0.72 / (x - 0.32) + 1.30


@equation("fluxmaps.excitation.KAUFFMANN03", "Kauffmann et al. 2003, eq. 1")
def _(x=-0.3):
    return 0.61 / (x - 0.05) + 1.3


MASSES, RATIOS = (grid.ravel() for grid in np.meshgrid(np.arange(8.5, 11.6, 0.1), np.arange(-0.98, 1.0, 0.05)))


@equation("fluxmaps.excitation.mass_excitation", "Juneau et al. 2014, eqs 1 and 2")
def _(x=MASSES, y=RATIOS):
    start = 0.375 / (np.minimum(x, 10.0) - 10.5) + 1.14
    upper = np.where(x <= 10.0, start, 410.24 - 109.333 * x + 9.71731 * x**2 - 0.288244 * x**3)
    lower = np.where(x <= 9.6, start, 352.066 - 93.8249 * x + 8.32651 * x**2 - 0.246416 * x**3)
    return np.stack([(y < lower) & (y <= upper), (y >= lower) & (y <= upper), y > upper])
