"""Everything at once: the posterior of all spectra and of the regions, their star formation, and what is wrong."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping

import jax
import numpy as np

from jaxmetal.edge.errors import InputError
from jaxmetal.edge.findings import Finding, worst_first
from jaxmetal.fluxmaps.judge import (
    flagged,
    flags,
    judge,
    judge_extinction,
    judge_precision,
    judge_regions,
    judge_signs,
    judge_sums,
)
from jaxmetal.fluxmaps.keep import Rule, kept, settled
from jaxmetal.fluxmaps.luminosity import Luminosity
from jaxmetal.fluxmaps.regions import covered, summed
from jaxmetal.fluxmaps.select import BIASED
from jaxmetal.fluxmaps.spectra import Spectra
from jaxmetal.spaxel import Apart, apart, joint, posterior
from jaxmetal.spaxel.contract import Likelihood

PATCHY = 0.9
"""Share of a region's spaxels below which sums over no more are worth a warning."""

Columns = dict[str, np.ndarray]
Progress = Callable[[int, int], None] | None


@dataclasses.dataclass(frozen=True, kw_only=True)
class MeasuredGalaxy:
    """Results.

    Attributes:
        spectra: what was fitted, after any selection.
        found: name -> values of the spectra, NaN without a line: the columns of `spaxel.posterior`, `flags` (see
            `judge`), and with a luminosity `sfr` and `sfr_density`.
        regions: names of the regions, in the order of `of_regions`.
        of_regions: the same of the regions, with `pixels`, the `magnification` that divides `sfr`, and the sums
            `flux_<feature>` and `sigma_<feature>`.
        findings: worst first.
    """

    spectra: Spectra
    found: Columns
    regions: tuple[str, ...]
    of_regions: Columns
    findings: tuple[Finding, ...]

    @property
    def informed(self) -> np.ndarray:
        """Which spectra count in gradients and fits: their lines say something on Z, which is the prior's elsewhere."""
        return self.spectra.known & ~flagged(self.found["flags"], "prior")

    @property
    def errors(self) -> Apart:
        """Of Z, of the spectra that count: each one's own, and what all share."""
        brightest = light(self.spectra)
        signal = self.spectra.flux[..., brightest] / self.spectra.sigma[..., brightest]
        return apart(self.found, signal, self.informed)


def measure(
    likelihood: Likelihood,
    spectra: Spectra,
    masks: Mapping[str, np.ndarray],
    *,
    rule: Rule | None = None,
    luminosity: Luminosity | None = None,
    seed: int = 0,
    progress: Progress = None,
) -> MeasuredGalaxy:
    """Fits every spectrum that has a line, and the fluxes summed over regions, by one likelihood.

    Args:
        likelihood: of `jaxmetal.spaxel`, for the spectra's features.
        spectra: as observed.
        masks: region -> True for its spaxels, (ny, nx); none in a table alone.
        rule: of a selection, if any; regions are summed before it.
        luminosity: for star formation, if wanted.
        seed: of the draws of Hb.
        progress: as for `spaxel.posterior`.

    Raises:
        InputError: if the selection leaves nothing; as `spaxel.posterior`, `regions.summed`, `keep.kept` and
            `Magnification.of_spectra`.
    """
    if rule is not None:
        rule = settled(rule, spectra.features, spectra.flux, spectra.sigma)
    chosen, sums = spectra, _sums(spectra, masks, rule)
    if rule is not None:
        use = kept(rule, spectra.features, spectra.flux, spectra.sigma)
        chosen = dataclasses.replace(spectra, flux=np.where(use, spectra.flux, np.nan))
        if not chosen.known.any():
            raise InputError(
                f"selection: expected some {spectra.kind} to pass '{rule.name}', found none of "
                f"{int(spectra.known.sum())}; "
                "leave the selection out."
            )
    pixels = np.array([mask.sum() for mask in _used(spectra, masks)])
    found, of_regions = _posteriors(likelihood, chosen, sums, pixels, seed, progress)
    if masks:
        of_regions |= {f"flux_{name}": values for name, values in zip(spectra.features, sums[0].T, strict=True)}
        of_regions |= {f"sigma_{name}": values for name, values in zip(spectra.features, sums[1].T, strict=True)}
        of_regions["pixels"] = pixels
    if luminosity is not None:
        found |= luminosity.of_spectra(found, chosen)
        of_regions |= _star_formation(likelihood, spectra, masks, sums, luminosity, seed)
    findings = [
        *judge_signs(spectra.features, spectra.flux, spectra.sigma, chosen.kind),
        *judge(found["flags"], chosen.known, chosen.kind),
        *judge_extinction(found, likelihood, chosen.known, chosen.kind),
        *judge_sums(tuple(masks), spectra.features, sums, likelihood),
        *judge_regions(tuple(masks), of_regions, likelihood),
        *([BIASED] if rule is not None else []),
        *_patchy(spectra, masks, of_regions),
        *judge_precision((chosen.flux, chosen.sigma), sums, kind=chosen.kind),
    ]
    return MeasuredGalaxy(
        spectra=chosen,
        found=found,
        regions=tuple(masks),
        of_regions=of_regions,
        findings=worst_first(findings),
    )


def light(spectra: Spectra) -> int:
    """The feature of the highest median signal to noise, hydrogen before others: where the light is."""
    quality = []
    for i, name in enumerate(spectra.features):
        flux, sigma = spectra.flux[..., i], spectra.sigma[..., i]
        there = np.isfinite(flux) & np.isfinite(sigma)
        typical = float(np.median(flux[there] / sigma[there])) if there.any() else -np.inf
        quality.append((bool(there.any()) and name.startswith("H"), typical))
    return max(range(len(quality)), key=quality.__getitem__)


def _sums(spectra: Spectra, masks: Mapping[str, np.ndarray], rule: Rule | None) -> tuple[np.ndarray, np.ndarray]:
    """Fluxes and errors of the regions, shape (regions, features)."""
    if not masks:
        nothing = np.zeros((0, len(spectra.features)))
        return nothing, nothing
    flux, sigma = summed(spectra.painted(spectra.flux), spectra.painted(spectra.sigma), masks, spectra.bins)
    if rule is not None:
        flux = np.where(kept(rule, spectra.features, flux, sigma, integrated=True), flux, np.nan)
    return flux, sigma


def _used(spectra: Spectra, masks: Mapping[str, np.ndarray]) -> list[np.ndarray]:
    """Spaxels that are in the sums, region by region."""
    flux, sigma = spectra.painted(spectra.flux), spectra.painted(spectra.sigma)
    return [covered(flux, sigma, mask) for mask in masks.values()]


def _posteriors(
    likelihood: Likelihood,
    spectra: Spectra,
    sums: tuple[np.ndarray, np.ndarray],
    pixels: np.ndarray,
    seed: int,
    progress: Progress,
) -> tuple[Columns, Columns]:
    """`spaxel.posterior` of spectra and regions, NaN for those without a line; with `flags`."""
    shape, features = spectra.known.shape, len(spectra.features)
    flux, sigma = (
        np.concatenate([own.reshape(-1, features), of_regions])
        for own, of_regions in zip((spectra.flux, spectra.sigma), sums, strict=True)
    )
    known = (np.isfinite(flux) & np.isfinite(sigma)).any(axis=-1)
    # Without any, `posterior` is asked all the same, for its refusal.
    fitted = known if known.any() else np.ones_like(known)
    spaxels = np.concatenate([np.ones(len(flux) - len(pixels)), np.maximum(pixels, 1)])
    made = posterior(likelihood, flux[fitted], sigma[fitted], spaxels=spaxels[fitted], seed=seed, progress=progress)
    columns = {}
    for name, values in made.items():
        columns[name] = np.full(known.shape, np.nan)
        columns[name][fitted] = values
    columns["flags"] = flags(columns, features)
    count = len(known) - len(sums[0])
    return (
        {name: values[:count].reshape(shape) for name, values in columns.items()},
        {name: values[count:] for name, values in columns.items() if len(sums[0])},
    )


def _star_formation(
    likelihood: Likelihood,
    spectra: Spectra,
    masks: Mapping[str, np.ndarray],
    sums: tuple[np.ndarray, np.ndarray],
    luminosity: Luminosity,
    seed: int,
) -> Columns:
    """Of the regions."""
    shining, rows = spectra.painted(spectra.flux)[..., light(spectra)], []
    for k, used in enumerate(_used(spectra, masks) if masks else []):
        there = bool((np.isfinite(sums[0][k]) & np.isfinite(sums[1][k])).any())
        mu = luminosity.magnification.of_region(shining, used) if there else np.nan
        count = int(used.sum()) if there else 1
        of_sum = likelihood.summed(count)
        start = (seed + k) % 2**63
        hb = joint(of_sum, sums[0][k], sums[1][k], seed=start)["hb"] if there else np.array([np.nan])
        rows.append(luminosity.of_region(hb, count, mu, jax.random.key(start)) | {"magnification": mu})
    return {name: np.array([row[name] for row in rows]) for name in rows[0]} if rows else {}


def _patchy(spectra: Spectra, masks: Mapping[str, np.ndarray], of_regions: Columns) -> list[Finding]:
    """Regions whose sums cover only a part of their spaxels."""
    known, findings = spectra.painted(spectra.known) == 1.0, []
    for k, (name, mask) in enumerate(masks.items()):
        there, used = int((known & mask).sum()), int(of_regions["pixels"][k])
        if used < PATCHY * there:
            text = f"Region '{name}': only {used} of {there} spaxels with a line have every line and are in the sums"
            findings.append(Finding("warning", f"{text}; leave out a line that is often missing."))
    return findings
