"""What a person reads first of the results of `jaxmetal lines`: trouble, the map in numbers, the regions."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from jaxmetal.classical import wls
from jaxmetal.edge.findings import worst_first
from jaxmetal.fluxmaps import MeasuredGalaxy
from jaxmetal.io.config.lines import LinesJob
from jaxmetal.io.lines.fit_toml import SCATTER
from jaxmetal.spaxel import RATES

ROWS = {
    "z": "12 + log(O/H) [dex]",
    "a_v": "A(V) [mag]",
    "sfr": "SFR{per} [Msun/yr]",
    "sfr_density": "SFR density [Msun/yr/kpc2]",
}


def summary(job: LinesJob, measured: MeasuredGalaxy) -> str:
    """The summary as text."""
    blocks = (_trouble(job, measured), of_map(job, measured), _regions(measured), _how(job))
    return "\n\n".join(block for block in blocks if block) + "\n"


def _trouble(job: LinesJob, measured: MeasuredGalaxy) -> str:
    findings = worst_first([*job.findings, *measured.findings])
    return "\n".join(f"- {finding}" for finding in findings) or "- Nothing suspicious."


def of_map(job: LinesJob, measured: MeasuredGalaxy) -> str:
    """The map in numbers: of what says something on metallicity, for the sky around would be most of it."""
    known, told = measured.spectra.known, measured.informed
    told = told if told.any() else known
    what = measured.spectra.kind
    per = f" per {what.removesuffix('s')}"
    lines = [f"{job.name}: {known.sum()} {what} with a line, {', '.join(job.spectra.features)}"]
    if told.sum() < known.sum():
        lines.append(f"  of the {told.sum()} whose lines say something on metallicity (the others' is the prior's):")
    for name, label in ROWS.items():
        if name in measured.found:
            low, middle, high = np.nanquantile(measured.found[name][told], (0.16, 0.5, 0.84))
            shown = f"median {middle:.4g}, 16 to 84 % of the {what} {low:.4g} to {high:.4g}"
            lines.append(f"  {label.format(per=per):27} {shown}")
    whole, own, shared = (np.median(measured.found[name][told]) for name in ("z_sigma", "z_statistical", "z_shared"))
    parts = f"of that {own:.3g} its own, {shared:.3g} shared by all"
    lines.append(f"  {'error of 12 + log(O/H)':27} median {whole:.3g}, {parts}")
    if job.radius is not None:
        lines += _shared_line(job.radius, measured, told)
    return "\n".join(lines)


def _shared_line(radius: np.ndarray, measured: MeasuredGalaxy, told: np.ndarray) -> list[str]:
    """What is shared, as a straight line in radius."""
    at = measured.spectra.means(radius)
    counted = told & measured.informed & np.isfinite(at)
    if np.unique(at[counted]).size < 2:
        return []
    errors = measured.errors
    columns = at, measured.found["z"], errors.sigma, *errors.shared.values()
    r, z, sigma, *moved = (one[counted] for one in columns)
    own, both = wls(r, z, sigma).covariance, wls(r, z, sigma, shared=moved).covariance
    central, slope = np.sqrt(np.maximum(np.diag(both - own), 0.0))
    return [f"  {'shared, as a straight line':27} {central:.3g} in the centre, {slope:.2g} per arcsec of radius"]


def _regions(measured: MeasuredGalaxy) -> str:
    lines = ["Summed fluxes:"] if measured.regions else []
    for k, name in enumerate(measured.regions):
        one = {key: values[k] for key, values in measured.of_regions.items()}
        lines.append(f"  {name}, {int(one['pixels'])} spaxels:")
        lines += [f"    {label.format(per=''):27} {_interval(one, key)}" for key, label in ROWS.items() if key in one]
        if not np.isnan(one["p_upper"]):
            lines.append(f"    {'P(upper branch)':27} {one['p_upper']:.3f}")
    return "\n".join(lines)


def _interval(one: Mapping[str, float], name: str) -> str:
    middle, low, high = (one[f"{name}{end}"] for end in ("", "_low", "_high"))
    return f"{middle:.4g} -{middle - low:.2g} +{high - middle:.2g}"


def _how(job: LinesJob) -> str:
    asked = ", ".join(f"{key} = {value}" for key, value in job.configuration.get("likelihood", {}).items())
    parts = [f"Likelihood: {asked or 'as by default'}; fluxes in {job.unit or 'an unknown unit'}."]
    if job.luminosity is not None:
        rate = RATES[job.luminosity.rate]
        parts.append(f"Star formation: {rate.source}; initial mass function of {rate.imf}.")
    if job.spectra.grid is not None:
        parts.append(SCATTER)
    if job.spectra.grid is not None and job.psf is None:
        parts.append("No fit.toml without a point-spread function: state data.psf to have one written.")
    return " ".join(parts)
