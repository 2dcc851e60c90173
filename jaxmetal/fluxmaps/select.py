"""Which spaxels and lines papers keep. All of these rules look at lines whose strength depends on metallicity."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from jaxmetal.classical import Annuli, annuli
from jaxmetal.edge.errors import InputError
from jaxmetal.edge.findings import Finding
from jaxmetal.lines import RATIOS, DustLaw, dust_law
from jaxmetal.lines.names import look_up

BIASED = Finding(
    "warning",
    "The selection is by signal to noise of lines whose strength depends on metallicity, so that it selects on "
    "metallicity; compare with a fit that keeps every line.",
)

STRONG, FAINT, INTEGRATED, ANY_LINE, ANNULUS = 5.0, 2.5, 3.0, 5.0, 15.0
"""S/N: KLEVER's on Ha and [OIII]5007, on other lines, on integrated fluxes; Wang's on one line, and of an annulus."""


@dataclasses.dataclass(frozen=True)
class Selected:
    """What a rule keeps.

    Attributes:
        masks: line or ratio -> True where it is to be used.
        combination: the ratios that this galaxy is measured by; masks of others are False everywhere.
        finding: what the rule does to the sample.
    """

    masks: Mapping[str, jax.Array]
    combination: tuple[str, ...] = ()
    finding: Finding = BIASED


def klever(
    fluxes: Mapping[str, Any],
    sigmas: Mapping[str, Any],
    ratios: Iterable[str],
    *,
    integrated: bool = False,
    combination: Iterable[str] | None = None,
) -> Selected:
    """The rules of KLEVER (Curti et al. 2020, MNRAS 492, 821): ratios of which every line is detected.

    Detected: S/N >= 5 for Ha and [OIII]5007, 2.5 for other lines; 3 for all lines of an integrated spectrum. One
    combination of ratios serves all spaxels of a galaxy, with S2 in place of N2 in all of them or in none: in all, if
    more spaxels have S2. Give fluxes corrected with `balmer_ebv` if O32 (the paper's O3O2) is among the ratios.

    Args:
        fluxes: line -> map of one galaxy.
        sigmas: line -> standard deviation, same shapes.
        ratios: names of `lines.RATIOS`.
        integrated: whether the fluxes are of whole galaxies or regions.
        combination: the galaxy's, where it is known (its regions are measured by that of its spaxels).

    Raises:
        InputError: if a ratio is unknown or one of its lines is absent, shapes differ or a sigma is not positive.
    """
    detected = {}
    for name in _checked(fluxes, sigmas):
        limit = INTEGRATED if integrated else STRONG if name in ("Halpha", "OIII5007") else FAINT
        detected[name] = jnp.asarray(fluxes[name]) >= limit * jnp.asarray(sigmas[name])
    wanted = {ratio: look_up("ratio", ratio, RATIOS).lines for ratio in ratios}
    for ratio, lines in wanted.items():
        absent = [name for name in lines if name not in detected]
        if absent:
            raise InputError(
                f"ratio {ratio}: expected {', '.join(lines)}, found no {absent[0]}; give it with its sigma."
            )
    masks = {ratio: jnp.all(jnp.stack([detected[name] for name in lines]), axis=0) for ratio, lines in wanted.items()}
    chosen = tuple(_combined(masks) if combination is None else combination)
    return Selected({name: mask & (name in chosen) for name, mask in masks.items()}, chosen)


def _combined(masks: Mapping[str, jax.Array]) -> list[str]:
    """All ratios but that of N2 and S2 which fewer spaxels have."""
    if not {"N2", "S2"} <= masks.keys():
        return list(masks)
    fewer = "N2" if masks["S2"].sum() > masks["N2"].sum() else "S2"
    return [name for name in masks if name != fewer]


class Reddening(NamedTuple):
    """E(B-V) of spaxels.

    Attributes:
        ebv: mag, 0 or more.
        error: standard deviation, mag, before what is negative is taken for 0.
    """

    ebv: jax.Array
    error: jax.Array


def balmer_ebv(
    fluxes: Mapping[str, Any],
    sigmas: Mapping[str, Any],
    fallback: float,
    *,
    fallback_error: float = np.nan,
    intrinsic: float = 2.87,
    law: str | DustLaw = "CCM89",
) -> Reddening:
    """E(B-V) from Ha/Hb where KLEVER's limits detect both, the galaxy's global value elsewhere.

        E(B-V) = 2.5 / (k(Hb) - k(Ha)) log10[(Ha/Hb) / intrinsic], k = R_V A/A(V), at least 0,

    with the errors of the two fluxes, which are independent, to first order.

    Args:
        fluxes: line -> map, with "Halpha" and "Hbeta".
        sigmas: line -> standard deviation.
        fallback: global E(B-V).
        fallback_error: its standard deviation.
        intrinsic: Ha/Hb without dust: 2.87 in Curti et al. 2020; `lines.over_hbeta("Halpha")` is 2.863, case B at
            10^4 K and 100 cm^-3.
        law: dust law, with its own R_V.

    Raises:
        InputError: if one of the two lines is missing, or the fallback is not a number >= 0 or the ratio not above 0.
    """
    if not (np.isfinite(fallback) and fallback >= 0.0):
        raise InputError(f"fallback: expected the galaxy's E(B-V), 0 mag or more, found {fallback}; give it.")
    if not intrinsic > 0.0:
        raise InputError(f"intrinsic: expected Ha/Hb without dust, above 0, found {intrinsic}; leave it at 2.87.")
    both = klever(fluxes, sigmas, ["HaHb"]).masks["HaHb"]
    law = dust_law(law) if isinstance(law, str) else law
    ratio = RATIOS["HaHb"]
    flux, sigma = ({name: jnp.asarray(of[name], float) for name in ratio.lines} for of in (fluxes, sigmas))
    per_dex = 2.5 / (law.r_v * (law("Hbeta") - law("Halpha")))
    ebv = jnp.maximum(per_dex * (ratio.log10(flux) - np.log10(intrinsic)), 0.0)
    error = per_dex * jnp.sqrt(ratio.variance(flux, sigma))
    return Reddening(jnp.where(both, ebv, fallback), jnp.where(both, error, fallback_error))


def binned(flux: np.ndarray, sigma: np.ndarray, factor: int = 2) -> tuple[np.ndarray, np.ndarray]:
    """Sums of factor x factor spaxels, and sigma in quadrature; rows and columns left over are dropped.

    A bin with a NaN in it is NaN.

    Raises:
        InputError: if the shapes differ, or the maps are smaller than a bin.
    """
    flux, sigma = np.asarray(flux, float), np.asarray(sigma, float)
    if flux.ndim != 2 or flux.shape != sigma.shape or not 1 <= factor <= min(flux.shape):
        raise InputError(
            f"binning: expected flux and sigma maps of one shape with at least {factor} x {factor} spaxels, found "
            f"{flux.shape} and {sigma.shape}; check them."
        )
    ny, nx = (n // factor for n in flux.shape)
    blocks = (ny, factor, nx, factor)
    kept = (slice(ny * factor), slice(nx * factor))
    return flux[kept].reshape(blocks).sum((1, 3)), np.sqrt((sigma[kept] ** 2).reshape(blocks).sum((1, 3)))


def wang(fluxes: Mapping[str, Any], sigmas: Mapping[str, Any]) -> Selected:
    """Wang et al. 2017 (ApJ 837, 89): spaxels, binned before by `binned`, where one line at least has S/N >= 5.

    Returns:
        One mask, "spaxels".

    Raises:
        InputError: if shapes differ or a sigma is not positive.
    """
    kept = [jnp.asarray(fluxes[name]) >= ANY_LINE * jnp.asarray(sigmas[name]) for name in _checked(fluxes, sigmas)]
    return Selected({"spaxels": jnp.any(jnp.stack(kept), axis=0)})


def wang_annuli(
    radius: np.ndarray,
    metallicity: np.ndarray,
    sigma: np.ndarray,
    fluxes: Mapping[str, np.ndarray],
    sigmas: Mapping[str, np.ndarray],
    *,
    redshift: float,
    line: str | None = None,
    used: np.ndarray | None = None,
) -> Annuli:
    """Annuli grown outwards to S/N 15 on Ha below redshift 1.5, on the `line` named beyond; 1-D arrays.

    Raises:
        InputError: if there is no line to grow on, and as `classical.annuli`.
    """
    line = line or ("Halpha" if redshift < 1.5 else None)
    if line is None or line not in fluxes or line not in sigmas:
        raise InputError(
            f"annuli: expected flux and sigma of the line to grow on at redshift {redshift:g}, found "
            f"{line or 'no line named'} and {', '.join(fluxes) or 'no fluxes'}; Ha is the line below redshift 1.5."
        )
    return annuli(
        radius, metallicity, sigma, signal_to_noise=ANNULUS, signal=fluxes[line], noise=sigmas[line], used=used
    )


def _checked(fluxes: Mapping[str, Any], sigmas: Mapping[str, Any]) -> tuple[str, ...]:
    """Names of the lines, once their sigmas fit."""
    shapes = {np.shape(one) for one in (*fluxes.values(), *sigmas.values())}
    if not fluxes or fluxes.keys() != sigmas.keys() or len(shapes) != 1:
        raise InputError(
            f"flux maps: expected flux and sigma of the same lines in one shape, found {', '.join(fluxes) or 'none'} "
            f"with sigmas of {', '.join(sigmas) or 'none'} in shapes {sorted(shapes)}; give both for every line."
        )
    for name, sigma in sigmas.items():
        if np.any(np.asarray(sigma) <= 0.0):
            raise InputError(
                f"sigma of {name}: expected positive numbers, found {np.nanmin(sigma):g}; use NaN for none."
            )
    return tuple(fluxes)
