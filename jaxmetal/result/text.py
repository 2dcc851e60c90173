"""What a person reads first: trouble, the verdict on the gradient, then numbers with their units."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from jaxmetal.meaning import property_unit
from jaxmetal.model import SCENE
from jaxmetal.numerics.digits import in_words
from jaxmetal.posterior import Posterior
from jaxmetal.result.comparison import criteria
from jaxmetal.result.due_to_lens import lens_share, sentence
from jaxmetal.result.parameters import SINGLE, Parameter, quantiles
from jaxmetal.result.places import table
from jaxmetal.result.resolved import resolution
from jaxmetal.result.scale import Scale, gradients, slopes
from jaxmetal.result.shapes import THIN, deprojection, is_thin, listed
from jaxmetal.result.views import View, view

ALONE = "The best values alone: no draws were made, so that nothing has an error."


def summary(posterior: Posterior | View, kpc_per_arcsec: Scale = None) -> str:
    """The summary as text.

    Args:
        posterior: of a fit, or a view of it.
        kpc_per_arcsec: proper kpc per arcsec, for slopes per kpc: of all sources, or source -> its own.
    """
    seen = view(posterior)
    blocks = [
        _trouble(seen),
        _verdicts(seen, kpc_per_arcsec),
        _table(seen),
        _fit_quality(seen),
        _misplaced(seen),
        _how(seen.posterior),
    ]
    return "\n\n".join(block for block in blocks if block) + "\n"


def _trouble(seen: View) -> str:
    alone = "" if seen.posterior.sampled else ALONE
    if not seen.findings:
        fine = (
            "No trouble found: the model fits, chains converged, no divergences, no parameter at a bound of its prior."
        )
        return alone or fine
    listed = "Look at this first:\n" + "\n".join(f"  - {finding}" for finding in seen.findings)
    return "\n\n".join(filter(None, [listed, alone]))


def _verdicts(seen: View, kpc_per_arcsec: Scale) -> str:
    lines = []
    for site, source, prop in gradients(seen):
        drawn, value = slopes(seen, site, source, prop, kpc_per_arcsec), property_unit(seen.posterior.tree, prop)
        lines.append(f"Intrinsic (blur, pixels and lens corrected) gradient of {prop} in '{source}':")
        lines.append(f"  {resolution(seen, site, source, prop).sentence}")
        shared = sentence(lens_share(seen, site), f"{value} per arcsec")
        lines += [f"  {shared}"] if shared else []
        lines += [
            f"  {interval(values)} {value} per {name} of deprojected (semi-major-axis) radius"
            for name, values in (("arcsec", drawn.per_arcsec), ("kpc", drawn.per_kpc), ("R_e", drawn.per_r_eff))
            if values is not None
        ]
        lines.append(f"  {deprojected(seen, source, prop)}")
    return "\n".join(lines)


def deprojected(seen: View, source: str, prop: str) -> str:
    """The shape of the disc by which radii were deprojected, as a sentence."""
    shape = deprojection(seen, source, prop)
    fixed = " (fixed)" if np.ndim(shape["q"]) == 0 else ""
    of_what = f" ({THIN})" if is_thin(seen, source, prop) else ""
    q, inclination = interval(shape["q"]), interval(shape["inclination"])
    return f"Deprojected by the axis ratio q = {q}{fixed}: inclination {inclination} deg{of_what}."


def interval(values: np.ndarray) -> str:
    """Median and the distances to the 16 % and 84 % quantiles, with digits that the width deserves.

    A single value, which has neither, is the best one.
    """
    return _spelled(*quantiles(values, [0.16, 0.5, 0.84])) if np.size(values) > SINGLE else f"{np.ravel(values)[0]:.5g}"


def _spelled(low: float, middle: float, high: float) -> str:
    if np.isnan(middle):
        return "-"
    if low == high:  # draws that are all the same
        return f"{middle:.5g}"
    value, up, down = in_words([middle, high - middle, middle - low], high - low)
    return f"{value} (+{up} -{down})"


def _table(seen: View) -> str:
    rows = [("parameter", "unit", "median (+ -)", "best", "R-hat", "ESS")]
    for one, unit, _, derived in listed(seen):
        quantiles = _spelled(*(one.quantiles[name] for name in ("q16", "median", "q84")))
        quality = ("-", "-") if one.short or derived else (f"{one.r_hat:.3f}", f"{one.ess:.0f}")
        rows.append((one.label, unit, quantiles, f"{one.best:.5g}", *quality))
    for site, those in seen.counted.items():
        worst = ("-", "-") if those[0].short else (_worst(max, "r_hat", those, 3), _worst(min, "ess", those, 0))
        rows.append((f"{site} ({len(those)} numbers)", seen.meanings[site].unit, "", "", *worst))
    return "\n".join(aligned(rows))


def aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    """Lines of a table whose columns are as wide as their widest cell."""
    widths = [max(len(row[k]) for row in rows) for k in range(len(rows[0]))]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]


def _worst(of: Callable[[list[float]], float], name: str, those: Sequence[Parameter], digits: int) -> str:
    return f"{of([getattr(one, name) for one in those]):.{digits}f}"


def _fit_quality(seen: View) -> str:
    found, k_hat = criteria(seen), seen.posterior.k_hat
    chi2 = ", ".join(
        f"{name}: {one.chi2:.1f} (the noise gives {one.expected:.0f} +- {one.spread:.0f})"
        for name, one in seen.goodness.items()
    )
    judged = "k-hat not computed" if np.isnan(k_hat) else f"k-hat {k_hat:.2f}"
    return (
        f"chi2 at the best fit: {chi2}; {found.n_data} data, {found.n_parameters} free parameters; "
        f"ln L {found.log_likelihood:.2f}, BIC {found.bic:.2f}, "
        f"ln evidence {found.log_evidence:.2f}; Laplace approximation: {judged}."
    )


def _misplaced(seen: View) -> str:
    """How far places that were recorded lie from those of the best model, of observations on no map."""
    lines = []
    for name, observation in seen.filled.items():
        if name == SCENE or observation.pixels is not None:
            continue
        found = {key: column.values for key, column in table(seen, name).items()}
        away = np.hypot(found["x"] - found["x_model"], found["y"] - found["y_model"])
        counted = np.isfinite(found["residual_x"] + found["residual_y"])
        rms = float(np.sqrt(np.mean(away[counted] ** 2)))
        lines.append(
            f"The best model places {np.sum(counted)} images of '{name}' to {rms:.2g} arcsec (rms in the image plane)."
        )
    return "\n".join(lines)


def _how(posterior: Posterior) -> str:
    moves = posterior.resampled.values()
    times = ", ".join(f"{stage} {seconds:.1f} s" for stage, seconds in posterior.seconds.items())
    sampled = f" Sampled twice as finely, no parameter moves by more than {max(moves):.1g} sd." if moves else ""
    return " ".join(posterior.decisions) + f"{sampled} Seed {posterior.seed}; {times}."
