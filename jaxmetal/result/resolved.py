"""Whether a gradient is resolved: by how much the data narrowed the prior, and how many beams fit into the galaxy."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from jaxmetal.instrument.psf import fwhm
from jaxmetal.posterior import Posterior
from jaxmetal.prior import spreads
from jaxmetal.result.size import effective_radius, shrinking
from jaxmetal.result.views import View, view

NARROWED = 3.0
BEAMS = 1.0
UNKNOWN = "Whether the gradient is resolved is not known, as no draws were made: this is the best value alone."


class Resolution(NamedTuple):
    """The rule: resolved if the posterior is 3 times narrower than the prior and R_e holds one beam radius.

    Attributes:
        narrowed: standard deviation of the prior (where it has none, half the width of its central 68 %) over that of
            the posterior; NaN without draws.
        beams: effective radius (major axis) over half the PSF's FWHM, as large as that is at the source where there
            is a lens, where its light is (`result.size.shrinking`); None without an effective radius.
        resolved: both numbers pass (or the first, where there is no second).
        sentence: the verdict in words.
    """

    narrowed: float
    beams: float | None
    resolved: bool
    sentence: str


def resolution(posterior: Posterior | View, site: str, source: str, prop: str) -> Resolution:
    """Applies the rule to one slope."""
    return view(posterior).once(_resolution, site, source, prop)


def narrowing(seen: View, site: str) -> float:
    """How many times the data narrowed a parameter's prior: see `Resolution.narrowed`."""
    return spreads(seen.priors)[site] / max(float(np.std(seen.posterior.draws[site])), np.finfo(float).tiny)


def _resolution(seen: View, site: str, source: str, prop: str) -> Resolution:
    if not seen.posterior.sampled:
        return Resolution(np.nan, _beams(seen, source, prop), False, UNKNOWN)
    drawn = seen.posterior.draws[site]
    narrowed = narrowing(seen, site)
    beams = _beams(seen, source, prop)
    resolved = narrowed >= NARROWED and (beams is None or beams >= BEAMS)
    low, high = np.quantile(drawn, [0.025, 0.975])
    sign = "negative" if high < 0 else "positive" if low > 0 else "consistent with zero"
    beam_text = "" if beams is None else f", and R_e spans {beams:.1f} beam radii (FWHM/2)"
    verdict = "resolved" if resolved else "NOT resolved"
    sentence = (
        f"The gradient is {verdict}: the data narrowed its prior {narrowed:.1f} times{beam_text}; it is {sign} at 95 %."
    )
    return Resolution(narrowed, beams, resolved, sentence)


def _beams(seen: View, source: str, prop: str) -> float | None:
    size, filled = effective_radius(seen, source, prop), seen.filled
    showing = [name for name in seen.posterior.observations if prop in filled[name].properties]
    if size is None or not showing:
        return None
    widths = [fwhm(filled[name].psf) * shrinking(seen, name, source) for name in showing]
    return float(np.mean(size)) / (0.5 * min(widths))
