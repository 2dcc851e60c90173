"""Line maps from NumPy arrays, a map for each line or blend: cleaned, checked, stacked."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from jaxmetal.edge.arrays import as_grid, as_map, as_mask, floats
from jaxmetal.edge.errors import InputError
from jaxmetal.instrument.bins import Bins
from jaxmetal.likelihood.censored import Censored
from jaxmetal.likelihood.contract import Noise
from jaxmetal.lines.contents import Contents
from jaxmetal.lines.emitted import Emission
from jaxmetal.lines.model_grid import Photoionisation
from jaxmetal.numerics.grid import Grid
from jaxmetal.observation import LineMaps
from jaxmetal.observation.line_maps import OTHERS
from jaxmetal.recipes.binned import as_bins, require_filled
from jaxmetal.recipes.checked import cleaned, errors_of, noise_of, require_numbers, require_psf


def line_maps(
    fluxes: Mapping[str, Any],
    emission: Emission | Photoionisation,
    *,
    psf: Any,
    light: str = "Hbeta",
    reddened: bool = False,
    sigma: Any = None,
    variance: Any = None,
    ivar: Any = None,
    noise: Noise | None = None,
    grid: Grid | None = None,
    pixel_scale: float | None = None,
    bins: Any = None,
    used: Any = None,
    limits: Mapping[str, Any] | None = None,
    jitter: Any = 0.0,
    sky: Mapping[str, Any] | None = None,
    varying: Sequence[str] = (),
    scale: Any = 1.0,
    dx: Any = 0.0,
    dy: Any = 0.0,
) -> LineMaps:
    """Line maps of one instrument or band. Pixels with NaN, or without an error, are not used; negative fluxes are.

    Args:
        fluxes: feature -> flux per pixel, (ny, nx), all of the same pixels; with `bins` of each bin, the sum of its
            pixels, (n,).
        emission: from `lines.emission(list(fluxes), ...)`.
        psf: one for all features; or feature -> PSF; or a function of a wavelength, in vacuum at rest, Angstrom, that
            returns one (a blend counts by the mean of its lines).
        light: name of the sources' light of Hb.
        reddened: whether that is Hb as it reaches us, instead of as it was emitted. Data tell its flux and size
            whatever the dust: the posterior is nearer to Gaussian, and quicker to sample.
        sigma: standard deviation, a number, or feature -> number or array like its fluxes; inf: no datum.
        variance: its square, instead.
        ivar: inverse variance, instead; 0: no datum.
        noise: any noise of independent errors, instead, with arrays of shape (features, ny, nx).
        grid: pixels on the sky.
        pixel_scale: instead, arcsec, for square pixels with North up around the origin.
        bins: `Bins`, or a map of labels (negative: no bin). Lines in bins of their own are line maps of their own,
            over the same scene.
        used: boolean, True for data that count: like one map, for all, or feature -> like its fluxes.
        limits: feature -> like its fluxes, True (or 1) where the flux is an upper limit, e.g. of 3 sigma.
        jitter: scatter added in quadrature, in the unit of the fluxes.
        sky: feature -> `Sky`, what the subtraction of the continuum left.
        varying: ratios whose departures from their calibrations vary from place to place, see `LineMaps`.
        scale: factor of all fluxes, a number or a distribution.
        dx: registration to the West, arcsec.
        dy: registration to the North, arcsec.

    Raises:
        InputError: if any of these cannot be used; the sentence says which and what to do.
    """
    _require_features("fluxes", fluxes, emission)
    _require_known(emission, used=used, sky=sky)
    require_numbers(jitter=jitter, scale=scale, dx=dx, dy=dy)
    binned = None if bins is None else as_bins(bins, None)
    styles = {"sigma": sigma, "variance": variance, "ivar": ivar}
    rows = {name: _row(name, fluxes[name], binned, used, noise, styles) for name in emission.features}
    data, errors, mask = _stacked(rows)
    require_filled(binned, mask)
    grid = as_grid(grid, pixel_scale, data.shape[1:] if binned is None else np.shape(binned.labels))
    _require_calibrated(tuple(varying), emission)
    noise = noise_of(errors, jitter, noise)
    return LineMaps(
        data=data,
        noise=_limited(noise, limits, emission, data.shape[1:]) if limits else noise,
        grid=grid,
        psfs=_psfs(psf, emission, grid),
        emission=emission,
        light=light,
        reddened=reddened,
        used=mask,
        sky=dict(sky or {}),
        varying=tuple(varying),
        scale=scale,
        bins=binned,
        dx=dx,
        dy=dy,
    )


class _Row(NamedTuple):
    """One feature: arrays of one shape."""

    data: np.ndarray
    errors: np.ndarray
    used: np.ndarray


def _stacked(rows: Mapping[str, _Row]) -> _Row:
    """All features as one, in front."""
    first, *_ = rows
    for name, row in rows.items():
        if row.data.shape != rows[first].data.shape:
            raise InputError(
                f"fluxes: expected the same pixels for all lines, found {rows[first].data.shape} for '{first}' and "
                f"{row.data.shape} for '{name}'; give lines of other pixels as line maps of their own."
            )
    return _Row(*map(np.stack, zip(*rows.values(), strict=True)))


def _row(name: str, flux: Any, bins: Bins | None, used: Any, noise: Noise | None, styles: Mapping[str, Any]) -> _Row:
    data = as_map(f"fluxes of '{name}'", flux) if bins is None else floats(f"fluxes of '{name}'", flux)
    if bins is not None and data.shape != (bins.n,):
        raise InputError(
            f"fluxes of '{name}': expected one sum for each of the {bins.n} bins, found shape {data.shape}; sum the "
            "pixels of each bin."
        )
    own = {style: _of(style, name, given) for style, given in styles.items()}
    try:
        mask = as_mask(used[name] if isinstance(used, Mapping) and name in used else None, data.shape)
        mask = mask if used is None or isinstance(used, Mapping) else as_mask(used, data.shape)
        return _Row(*cleaned(data, errors_of(data, noise, **own), mask))
    except InputError as error:
        raise InputError(f"'{name}': {error}") from None


def _limited(noise: Any, limits: Mapping[str, Any], emission: Contents, shape: tuple[int, ...]) -> Censored:
    """The noise with the upper limits among its data."""
    rows = {name: np.zeros(shape, bool) for name in emission.features}
    for name, given in limits.items():
        _require_one("limits", name, emission)
        rows[name] = as_mask(given, shape)
    return Censored(noise=noise, limits=np.stack([rows[name] for name in emission.features]).astype(int))


def _of(style: str, name: str, given: Any) -> Any:
    """The errors of one feature."""
    if not isinstance(given, Mapping):
        if np.ndim(given) == 0:
            return given
        raise InputError(
            f"{style}: expected a number, or one map for each line by its name, found an array of shape "
            f"{np.shape(given)}; write {{'{name}': ...}}."
        )
    if name not in given:
        raise InputError(f"{style}: expected errors of '{name}', found those of {', '.join(given)}; add them.")
    return given[name]


def _psfs(given: Any, emission: Emission | Photoionisation, grid: Grid) -> dict[str, Any]:
    """Feature, or `OTHERS`, -> PSF."""
    if isinstance(given, Mapping):
        for name in given:
            _require_one("psf", name, emission)
        missing = [name for name in emission.features if name not in given]
        if missing:
            raise InputError(
                f"psf: expected one for every line, found none for '{missing[0]}' among {', '.join(given) or 'none'}; "
                "add it, or give one PSF for all."
            )
        found = {name: given[name] for name in emission.features}
    elif isinstance(given, Callable) and not hasattr(given, "form"):  # type: ignore[arg-type]
        found = {name: given(emission.wavelength(name)) for name in emission.features}
    else:
        found = {OTHERS: given}
    for psf in found.values():
        require_psf(psf, grid)
    return found


def _require_features(what: str, given: Mapping[str, Any], emission: Contents) -> None:
    if not isinstance(given, Mapping):
        raise InputError(f"{what}: expected a map for each line by its name, found {type(given).__name__}.")
    for name in given:
        _require_one(what, name, emission)
    missing = [name for name in emission.features if name not in given]
    if missing:
        raise InputError(
            f"{what}: expected all that the emission models ({', '.join(emission.features)}), found no '{missing[0]}'; "
            "add it, or make the emission of the lines that there are."
        )


def _require_known(emission: Contents, **given: Any) -> None:
    """Refuses what is given by the name of a line that there is none of."""
    for what, by_name in given.items():
        for name in by_name if isinstance(by_name, Mapping) else ():
            _require_one(what, name, emission)


def _require_calibrated(ratios: tuple[str, ...], emission: Emission | Photoionisation) -> None:
    known = [one.ratio.name for one in emission.calibrations]
    for ratio in ratios:
        if ratio not in known:
            raise InputError(
                f"varying: expected ratios by whose calibrations the lines are known ({', '.join(known) or 'none'}), "
                f"found '{ratio}'; name one of these, or leave it out."
            )
    if len(set(ratios)) < len(ratios):
        raise InputError(f"varying: expected every ratio once, found {', '.join(ratios)}; leave one out.")


def _require_one(what: str, name: str, emission: Contents) -> None:
    if name not in emission.features:
        raise InputError(
            f"{what}: '{name}' is none of the lines that the emission models ({', '.join(emission.features)}); name "
            "it there, or leave it out."
        )
