"""The integral of a posterior density, from proposals that cover it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from jaxmetal.fit.laplace import Laplace
from jaxmetal.fit.proposals import Proposals


def log_evidence(proposals: Proposals, gaussians: Sequence[Laplace]) -> float:
    """log Z, Z = mean(p/q) - b (mean(g/q) - Z_g) over draws of q: importance sampling with a control variate.

    The sum g of the Gaussians around the maxima has the known integral Z_g; b = cov(p/q, g/q) / var(g/q). Where the
    posterior p is Gaussian the answer is exact, whatever the draws (Owen & Zhou 2000, JASA 95, 135).

    Args:
        proposals: draws of q, weighed by p.
        gaussians: the parts of g.
    """
    log_q = proposals.mixture.log_density(proposals.vectors)
    log_g = np.logaddexp.reduce([one.log_density(proposals.vectors) for one in gaussians], axis=0)
    highest, highest_g = np.max(proposals.log_ratio), np.max(log_g - log_q)
    p, g = np.exp(proposals.log_ratio - highest), np.exp(log_g - log_q - highest_g)
    known = np.exp(np.logaddexp.reduce([one.log_evidence for one in gaussians]) - highest_g)
    spread = np.cov(p, g)
    slope = spread[0, 1] / spread[1, 1] if spread[1, 1] > 0.0 else 0.0
    total = p.mean() - slope * (g.mean() - known)
    return float(highest + np.log(total if total > 0.0 else p.mean()))
