"""Line ratios by name: which lines stand above and below the bar, stated once for every calibration.

The same symbol means different things in different papers: O32 is [OIII]5007/[OII] nearly everywhere but has both
[OIII] lines in Bian et al. 2018; R23 always has both; O3N2 is divided by Balmer lines in Pettini & Pagel 2004 and
Curti et al. but not in Maiolino et al. 2008 (here `O3N2_lines`).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

import jax
import jax.numpy as jnp

from jaxmetal.edge.errors import InputError

Factors = tuple[tuple[tuple[str, ...], float], ...]


@dataclasses.dataclass(frozen=True)
class Ratio:
    """R = sum over products of prod_i (sum of lines_i)^power_i.

    Attributes:
        name: as in `RATIOS`.
        products: each a tuple of (lines that are summed, power); all but RS32 have one.
        label: for axes.
    """

    name: str
    products: tuple[Factors, ...]
    label: str

    @property
    def lines(self) -> tuple[str, ...]:
        """All lines it needs."""
        return tuple(dict.fromkeys(name for product in self.products for lines, _ in product for name in lines))

    def log10(self, fluxes: Mapping[str, Any]) -> jax.Array:
        """log10 R of dereddened fluxes, line name -> array; NaN where a sum is not positive.

        Raises:
            InputError: if a line is missing.
        """
        absent = [name for name in self.lines if name not in fluxes]
        if absent:
            raise InputError(
                f"ratio {self.name}: expected the lines {', '.join(self.lines)}, found no {absent[0]}; "
                "give its flux or choose another ratio."
            )
        if len(self.products) == 1:
            return _log_product(self.products[0], fluxes)
        return jnp.log10(sum(10.0 ** _log_product(product, fluxes) for product in self.products))

    def variance(self, fluxes: Mapping[str, Any], sigmas: Mapping[str, Any]) -> jax.Array:
        """Variance of `log10` for independent errors of the fluxes, to first order: sum_i (d log10 R/d F_i sigma_i)^2.

        Args:
            fluxes: dereddened, line name -> array.
            sigmas: their standard deviations, dereddened alike.

        Returns:
            dex^2; 0 where `log10` is NaN.

        Raises:
            InputError: if a line is missing.
        """
        total = jnp.zeros(())
        for name in self.lines:
            one = {key: sigmas[key] if key == name else jnp.zeros_like(fluxes[key]) for key in fluxes}
            total = total + jax.jvp(self.log10, (dict(fluxes),), (one,))[1] ** 2
        return total


def _log_product(product: Factors, fluxes: Mapping[str, Any]) -> jax.Array:
    terms = []
    for lines, power in product:
        total = sum(jnp.asarray(fluxes[name]) for name in lines)
        terms.append(power * jnp.where(total > 0.0, jnp.log10(jnp.where(total > 0.0, total, 1.0)), jnp.nan))
    return jnp.sum(jnp.stack(jnp.broadcast_arrays(*terms)), axis=0)


def over(above: str, below: str) -> Factors:
    """Sums like "OIII4959+OIII5007" above and below the bar."""
    return ((tuple(above.split("+")), 1.0), (tuple(below.split("+")), -1.0))


def _table(*ratios: Ratio) -> dict[str, Ratio]:
    return {ratio.name: ratio for ratio in ratios}


R3, S2 = over("OIII5007", "Hbeta"), over("SII", "Halpha")
RHAT: Factors = ((("OII",), 0.47), (("OIII5007",), 0.88), (("Hbeta",), -1.35))
D16: Factors = ((("NII6584",), 1.264), (("SII",), -1.0), (("Halpha",), -0.264))

RATIOS: Mapping[str, Ratio] = _table(
    Ratio("R2", (over("OII", "Hbeta"),), "[O II]/H$\\beta$"),
    Ratio("R3", (R3,), "[O III] 5007/H$\\beta$"),
    Ratio("R3sum", (over("OIII4959+OIII5007", "Hbeta"),), "[O III] 4959, 5007/H$\\beta$"),
    Ratio("R23", (over("OII+OIII4959+OIII5007", "Hbeta"),), "([O II] + [O III])/H$\\beta$"),
    Ratio("O32", (over("OIII5007", "OII"),), "[O III] 5007/[O II]"),
    Ratio("O32sum", (over("OIII4959+OIII5007", "OII"),), "[O III] 4959, 5007/[O II]"),
    Ratio("N2", (over("NII6584", "Halpha"),), "[N II] 6584/H$\\alpha$"),
    Ratio("S2", (S2,), "[S II]/H$\\alpha$"),
    Ratio("Ne3O2", (over("NeIII3869", "OII"),), "[Ne III]/[O II]"),
    Ratio("O3N2", (R3 + over("Halpha", "NII6584"),), "([O III]/H$\\beta$)/([N II]/H$\\alpha$)"),
    Ratio("O3N2_lines", (over("OIII5007", "NII6584"),), "[O III] 5007/[N II] 6584"),
    Ratio("O3S2", (R3 + over("Halpha", "SII"),), "([O III]/H$\\beta$)/([S II]/H$\\alpha$)"),
    Ratio("RS32", (R3, S2), "[O III]/H$\\beta$ + [S II]/H$\\alpha$"),
    Ratio("Rhat", (RHAT,), "0.47 log R2 + 0.88 log R3"),
    Ratio("D16", (D16,), "log N2S2 + 0.264 log N2"),
    Ratio("OIII_doublet", (over("OIII5007", "OIII4959"),), "[O III] 5007/4959"),
    Ratio("HaHb", (over("Halpha", "Hbeta"),), "H$\\alpha$/H$\\beta$"),
    Ratio("HgHb", (over("Hgamma", "Hbeta"),), "H$\\gamma$/H$\\beta$"),
    Ratio("HbHg", (over("Hbeta", "Hgamma"),), "H$\\beta$/H$\\gamma$"),
    Ratio("HaHg", (over("Halpha", "Hgamma"),), "H$\\alpha$/H$\\gamma$"),
    Ratio("HaHd", (over("Halpha", "Hdelta"),), "H$\\alpha$/H$\\delta$"),
    Ratio("HaH7", (over("Halpha", "H7"),), "H$\\alpha$/H7"),
    Ratio("HbHd", (over("Hbeta", "Hdelta"),), "H$\\beta$/H$\\delta$"),
    Ratio("HbH7", (over("Hbeta", "H7"),), "H$\\beta$/H7"),
    Ratio("HgHd", (over("Hgamma", "Hdelta"),), "H$\\gamma$/H$\\delta$"),
    Ratio("HgH7", (over("Hgamma", "H7"),), "H$\\gamma$/H7"),
    Ratio("HdH7", (over("Hdelta", "H7"),), "H$\\delta$/H7"),
)
"""Every known ratio, of dereddened fluxes."""
