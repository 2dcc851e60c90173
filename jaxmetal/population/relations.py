"""Relations that the field compares with, as plain functions of log10 stellar mass and log10 SFR (solar, per year)."""

from __future__ import annotations

from typing import Any

import numpy as np

from jaxmetal.edge.arrays import floats


def main_sequence(log_mass: Any, age: Any) -> Any:
    """log10 SFR of the star-forming main sequence, (0.84 - 0.026 t) log M - (6.51 - 0.11 t).

    Speagle et al. 2014, ApJS 214, 15, eq. 28 (their preferred fit; Kroupa IMF).

    Args:
        log_mass: log10 stellar mass, solar masses.
        age: t, age of the Universe at the galaxy's redshift, Gyr (`io.cosmic_age`).
    """
    log_mass, age = _numbers("log_mass", log_mass), _numbers("age", age)
    return (0.84 - 0.026 * age) * log_mass - (6.51 - 0.11 * age)


def main_sequence_offset(log_mass: Any, log_sfr: Any, age: Any) -> Any:
    """log10 SFR minus that of the main sequence at the same mass and time, dex; arguments as `main_sequence`."""
    return _numbers("log_sfr", log_sfr) - main_sequence(log_mass, age)


def mass_metallicity(log_mass: Any, central: Any, slope: Any, pivot: float) -> Any:
    """12 + log(O/H) = central + slope (log M - pivot): the linear form of Wang et al. 2017, ApJ 837, 89, eq. 4.

    The coefficients are the caller's: fit them by `regression`, or take them from a paper with its calibration.
    """
    central, slope = _numbers("central", central), _numbers("slope", slope)
    return central + slope * (_numbers("log_mass", log_mass) - pivot)


def fundamental_metallicity(log_mass: Any, log_sfr: Any) -> Any:
    """12 + log(O/H) of the fundamental metallicity relation, extended to low masses.

    With m = log M - 10, s = log SFR and mu = log M - 0.32 log SFR: 8.90 + 0.37 m - 0.14 s - 0.19 m^2 + 0.12 m s
    - 0.054 s^2 for mu >= 9.5, else 8.93 + 0.51 (mu - 10). Mannucci, Salvaterra & Campisi 2011, MNRAS 414, 1263, eq. 2
    (calibration of Maiolino et al. 2008, Chabrier IMF).
    """
    m, s = np.asarray(log_mass, float) - 10.0, np.asarray(log_sfr, float)
    mu = m + 10.0 - 0.32 * s
    high = 8.90 + 0.37 * m - 0.14 * s - 0.19 * m**2 + 0.12 * m * s - 0.054 * s**2
    return np.where(mu >= 9.5, high, 8.93 + 0.51 * (mu - 10.0))


def fundamental_metallicity_offset(metallicity: Any, log_mass: Any, log_sfr: Any) -> Any:
    """12 + log(O/H) minus that of the fundamental metallicity relation, dex."""
    return _numbers("metallicity", metallicity) - fundamental_metallicity(log_mass, log_sfr)


def _numbers(name: str, values: Any) -> Any:
    """Lists as arrays; what can be computed with stays as it is."""
    return floats(name, values) if isinstance(values, (list, tuple)) else values
