"""One galaxy as one row: medians, intervals, diagnostics, flags."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from jaxmetal.io.sample.plan import write_whole
from jaxmetal.numerics.convergence import effective_samples, r_hat
from jaxmetal.posterior import Posterior
from jaxmetal.result.criteria import residual
from jaxmetal.result.resolution import resolution
from jaxmetal.result.scale import gradients, slopes

INTERVAL = (0.16, 0.5, 0.84)
GOOD, SUSPECT, FAILED = "ok", "suspect", "failed"
"""A galaxy's status: nothing found; warnings, which its message repeats; no fit at all."""


def row(name: str, posterior: Posterior, kpc_per_arcsec: float | None = None) -> dict[str, Any]:
    """What the table of results says of a fitted galaxy.

    Args:
        name: of the galaxy.
        posterior: of its fit.
        kpc_per_arcsec: proper scale, for slopes per kpc.

    Returns:
        Column -> number or text. Quantities have three columns: the median, and `_lo` and `_hi`, the 16 and 84 %
        quantiles. The names of parameters are those of the posterior without the parts that all share.
    """
    trouble = [finding for finding in posterior.findings if finding.severity in ("error", "warning")]
    found: dict[str, Any] = {
        "name": name,
        "status": SUSPECT if trouble else GOOD,
        "message": " ".join(finding.text for finding in trouble),
        "method": posterior.method,
        "second_try": any(text.startswith("Second try") for text in posterior.decisions),
    }
    for site, values in posterior.flat().items():
        if values.ndim == 1:
            found |= _quantity(short(site), values)
    for site, source, prop in gradients(posterior):
        drawn = slopes(posterior, site, source, prop, kpc_per_arcsec)
        for unit, scaled in (("kpc", drawn.per_kpc), ("r_eff", drawn.per_r_eff)):
            if scaled is not None:
                found |= _quantity(f"{short(site)}_per_{unit}", np.ravel(scaled))
        if posterior.method != "map":
            found[f"{short(site)}_resolved"] = bool(resolution(posterior, site, source, prop).resolved)
    for label in posterior.observations:
        pulls = residual(posterior, label)
        found |= {f"{label}.chi2": float(np.nansum(pulls**2)), f"{label}.data": int(np.sum(np.isfinite(pulls)))}
    return found | _diagnostics(posterior)


def row_of_failure(name: str, error: Exception) -> dict[str, Any]:
    """What the table says of a galaxy that could not be fitted."""
    return {"name": name, "status": FAILED, "message": str(error)}


def write_rows(path: Path, rows: Sequence[dict[str, Any]]) -> None:
    """Writes the rows of a chunk, all or none."""
    write_whole(path, json.dumps(list(rows), indent=0) + "\n")


def short(site: str) -> str:
    """A parameter's name without the parts that all share: `disc.metallicity.slope`."""
    parts = [part for part in site.removeprefix("scene.").split(".") if part not in ("carries", "profile", "lights")]
    return ".".join(parts[1:] if parts[0] == "sources" else parts)


def _quantity(name: str, values: np.ndarray) -> dict[str, float]:
    low, middle, high = (float(v) for v in np.quantile(values, INTERVAL))
    return {name: middle, f"{name}_lo": low, f"{name}_hi": high}


def _diagnostics(posterior: Posterior) -> dict[str, Any]:
    found: dict[str, Any] = {"k_hat": float(posterior.k_hat), "log_evidence": float(posterior.log_evidence)}
    if not posterior.sampler:
        return found
    return found | {
        "r_hat": max(float(r_hat(values)) for values in posterior.draws.values()),
        "ess": min(float(effective_samples(values)) for values in posterior.draws.values()),
        "divergences": int(posterior.sampler["diverging"].sum()),
    }
