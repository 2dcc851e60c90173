"""Samples of galaxies with masses, sizes, redshifts and gradients of a known population, through an instrument."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import numpy as np

from jaxmetal.edge.arrays import require_count, require_pixels, require_seed
from jaxmetal.edge.errors import InputError, shown
from jaxmetal.edge.ranges import number, numbers
from jaxmetal.frame.disc import Disc
from jaxmetal.instrument import psf
from jaxmetal.light.sersic import Sersic
from jaxmetal.numerics.grid import Grid
from jaxmetal.scene import Carried, Scene, Source
from jaxmetal.simulate.exposure import Simulated, expose
from jaxmetal.simulate.instruments import Instrument
from jaxmetal.tracer.gradient import Gradient

PIVOT_SIZE = 5e10
"""Stellar mass of the mass-size relation's pivot, solar masses."""

REACH = 3.0
"""Half the side of a map in effective radii, besides the point-spread function's FWHM."""

NUMBERS = {
    "size_at_pivot": ("(0, inf)", "kpc"),
    **dict.fromkeys(("size_scatter", "central_scatter"), ("[0, inf)", "dex")),
    "gradient_scatter": ("[0, inf)", "dex/kpc"),
    **dict.fromkeys(("gradient", "gradient_slope"), ("(-inf, inf)", "dex/kpc")),
    **dict.fromkeys(("central", "central_slope", "pivot"), ("(-inf, inf)", "dex")),
}
"""Number of a `Parent` -> where it lies, and its unit."""

RANGES = {"redshift": "[0, inf)", "axis_ratio": "(0, 1]"}
"""Range of a `Parent` -> where both of its ends lie."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Parent:
    """The population that galaxies are drawn from; the defaults are round numbers, not measurements.

    Attributes:
        log_mass: mean and standard deviation of log10 stellar mass (solar).
        redshift: smallest and largest, uniform between.
        size_at_pivot: median effective radius at 5e10 solar masses and z = 0, kpc (see `median_size`).
        size_scatter: dex; below 0.2 at all redshifts (van der Wel et al. 2014).
        axis_ratio: smallest and largest, uniform between.
        gradient: dex/kpc at `pivot`.
        gradient_slope: dex/kpc per dex of mass.
        gradient_scatter: dex/kpc.
        central: 12 + log(O/H) at the centre, at `pivot`.
        central_slope: dex per dex of mass.
        central_scatter: dex.
        pivot: log10 stellar mass.
    """

    log_mass: tuple[float, float] = (9.8, 0.5)
    redshift: tuple[float, float] = (1.0, 2.5)
    size_at_pivot: float
    size_scatter: float = 0.2
    axis_ratio: tuple[float, float] = (0.3, 0.9)
    gradient: float = -0.03
    gradient_slope: float = -0.02
    gradient_scatter: float = 0.03
    central: float = 8.6
    central_slope: float = 0.3
    central_scatter: float = 0.1
    pivot: float = 10.0

    def __post_init__(self) -> None:
        for name, (interval, unit) in NUMBERS.items():
            object.__setattr__(self, name, number(name, getattr(self, name), interval, unit))
        for name, interval in RANGES.items():
            low, high = _pair(name, getattr(self, name), interval)
            if low > high:
                raise InputError(
                    f"{name}: expected the smaller number first, found ({low:g}, {high:g}); exchange them."
                )
        number("log_mass: its standard deviation", _pair("log_mass", self.log_mass, "(-inf, inf)")[1], "[0, inf)")


def _pair(name: str, values: Any, interval: str) -> tuple[float, float]:
    found = numbers(name, values, interval)
    if found.shape != (2,):
        raise InputError(f"{name}: expected two numbers, found {shown(values)}; correct it.")
    return float(found[0]), float(found[1])


class Survey(NamedTuple):
    """A simulated sample.

    Attributes:
        galaxies: scene and observations of each, as jaxmetal's own objects.
        truths: column -> (count,): log_mass, redshift, kpc_per_arcsec, r_eff_kpc, r_eff (arcsec), q, pa (deg), central
            (dex), gradient (dex/kpc), slope (dex/arcsec), fwhm_per_r_eff.
        instrument: through which they were seen.
    """

    galaxies: list[Simulated]
    truths: dict[str, np.ndarray]
    instrument: Instrument


def median_size(log_mass: Any, redshift: Any, at_pivot: float) -> Any:
    """Median effective radius (major axis, kpc) of late-type galaxies: at_pivot (M / 5e10)^0.22 (1 + z)^-0.75.

    The exponents are those of van der Wel et al. 2014, ApJ 788, 28 (abstract); the size at the pivot and z = 0 is the
    caller's.
    """
    return at_pivot * (10.0**log_mass / PIVOT_SIZE) ** 0.22 * (1.0 + redshift) ** -0.75


def stamp(r_eff: float, instrument: Instrument) -> tuple[int, int]:
    """Shape (ny, nx) of a map that reaches to 3 effective radii (arcsec) and a FWHM from the centre."""
    side = 2 * int(np.ceil((REACH * r_eff + instrument.fwhm) / instrument.pixel)) + 1
    return side, side


def survey(
    count: int,
    *,
    parent: Parent,
    instrument: Instrument,
    kpc_per_arcsec: Callable[[Any], Any],
    peak_snr: float = 20.0,
    shape: tuple[int, int] | None = None,
    seed: int = 0,
) -> Survey:
    """Simulates a sample.

    Args:
        count: number of galaxies.
        parent: what they are drawn from.
        instrument: e.g. `INSTRUMENTS["MUSE"]`.
        kpc_per_arcsec: proper scale of a redshift, e.g. `jaxmetal.io.kpc_per_arcsec`.
        peak_snr: signal-to-noise of the brightest pixel of each line image.
        shape: (ny, nx) of all maps; by default each reaches to 3 effective radii and a FWHM.
        seed: of galaxies and noise.

    Raises:
        InputError: if the count or the signal-to-noise is not positive, or the scale or a side of the shape is not, or
            the seed cannot be one.
    """
    require_count("count", count, 1)
    peak_snr = number("peak_snr", peak_snr, "(0, inf)")
    require_seed(seed)
    if shape is not None:
        require_pixels("shape", shape)
    truths = _truths(count, parent, kpc_per_arcsec, np.random.default_rng(seed))
    truths["fwhm_per_r_eff"] = instrument.fwhm / truths["r_eff"]
    keys = jax.random.split(jax.random.key(seed), count)
    galaxies = []
    for k in range(count):
        row = {name: float(values[k]) for name, values in truths.items()}
        grid = Grid.regular(shape or stamp(row["r_eff"], instrument), instrument.pixel)
        blur = psf.Gaussian(fwhm=instrument.fwhm)
        galaxies.append(expose(_scene(row), grid=grid, psf=blur, peak_snr=peak_snr, key=keys[k]))
    return Survey(galaxies, truths, instrument)


def _truths(
    count: int, parent: Parent, kpc_per_arcsec: Callable[[Any], Any], random: np.random.Generator
) -> dict[str, np.ndarray]:
    mass, redshift = random.normal(*parent.log_mass, count), random.uniform(*parent.redshift, count)
    scale = np.asarray([float(kpc_per_arcsec(z)) for z in redshift])
    if not (np.isfinite(scale) & (scale > 0.0)).all():
        raise InputError(f"kpc_per_arcsec: expected positive scales, found {scale.min():g}; check the function.")
    scatter = 10.0 ** (parent.size_scatter * random.normal(size=count))
    size = median_size(mass, redshift, parent.size_at_pivot) * scatter
    relative = mass - parent.pivot
    central = parent.central + parent.central_slope * relative + parent.central_scatter * random.normal(size=count)
    gradient = parent.gradient + parent.gradient_slope * relative
    gradient = gradient + parent.gradient_scatter * random.normal(size=count)
    return {
        "log_mass": mass,
        "redshift": redshift,
        "kpc_per_arcsec": scale,
        "r_eff_kpc": size,
        "r_eff": size / scale,
        "q": random.uniform(*parent.axis_ratio, count),
        "pa": random.uniform(0.0, 180.0, count),
        "central": central,
        "gradient": gradient,
        "slope": gradient * scale,
    }


def _scene(row: dict[str, float]) -> Scene:
    return Scene(
        sources={
            "disc": Source(
                frame=Disc(q=row["q"], pa=row["pa"]),
                lights={"halpha": Sersic(flux=100.0, r_eff=row["r_eff"], n=1.0)},
                carries={
                    "metallicity": Carried(
                        profile=Gradient(central=row["central"], slope=row["slope"]), weight="halpha"
                    )
                },
            )
        }
    )
