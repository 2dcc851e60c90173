"""One galaxy as one row: medians, intervals, diagnostics, flags."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from jaxmetal.edge.findings import Finding, worst_first
from jaxmetal.edge.writing import write_whole
from jaxmetal.instrument.psf import fwhm
from jaxmetal.io.config.read import Job
from jaxmetal.io.record import digest
from jaxmetal.io.sample.columns import (
    FAILED,
    GOOD,
    HIGH,
    LENS_SHARE,
    LOW,
    NARROWED,
    PER_KPC,
    PER_R_EFF,
    PERIOD,
    PRIOR,
    RESOLVED,
    SUSPECT,
    short,
)
from jaxmetal.io.wcs import NOWHERE
from jaxmetal.meaning import property_unit
from jaxmetal.posterior import Posterior
from jaxmetal.prior import medians
from jaxmetal.result.due_to_lens import lens_share
from jaxmetal.result.parameters import SINGLE, quantiles
from jaxmetal.result.resolved import Resolution, narrowing, resolution
from jaxmetal.result.scale import Scale, gradients, slopes
from jaxmetal.result.shapes import listed
from jaxmetal.result.text import ALONE
from jaxmetal.result.views import View, view
from jaxmetal.run.plans import require_format

INTERVAL = {"": ("median", 0.5), LOW: ("16 % quantile", 0.16), HIGH: ("84 % quantile", 0.84)}
"""Ending of a column -> what of a quantity stands there, and the probability below it."""


class Entry(NamedTuple):
    """One cell of the table of results, with what its column is.

    Attributes:
        value: number or text; None where there is none.
        unit: of the column.
        description: of the column.
    """

    value: Any
    unit: str
    description: str


FORMAT = 1
"""Of the file of a chunk; one without a number is of the first, before it was written down."""

UNREAD = "unread"
"""Column of galaxies that failed: whether already their files could not be read."""

Row = dict[str, Entry]
"""Column -> entry."""


def row(name: str, posterior: Posterior | View, kpc_per_arcsec: Scale = None, read: Sequence[Finding] = ()) -> Row:
    """What the table of results says of a fitted galaxy.

    Quantities have three columns: the median, and `_lo` and `_hi`, the 16 and 84 % quantiles; without draws the best
    value, and NaN. The names of parameters are those of the posterior without the parts that all share. A gradient that
    is not resolved leaves the status as it is, since leaving such galaxies out would bias a sample; message and columns
    say so.

    Args:
        name: of the galaxy.
        posterior: of its fit, or a view of it.
        kpc_per_arcsec: proper scale, for slopes per kpc: of all sources, or source -> its own.
        read: what was noticed when its files were read.
    """
    seen = view(posterior)
    posterior = seen.posterior
    noticed = worst_first([*read, *seen.findings])
    trouble = [finding.text for finding in noticed if finding.severity in ("error", "warning")]
    known, slopes_of = seen.meanings, columns(gradients(seen))
    verdicts = {one: resolution(seen, *one) for one in slopes_of} if posterior.sampled else {}
    unresolved = [verdict.sentence for verdict in verdicts.values() if not verdict.resolved]
    alone = [] if posterior.sampled else [ALONE]
    found = _outcome(name, SUSPECT if trouble else GOOD, " ".join([*trouble, *alone, *unresolved]))
    found["method"] = Entry(posterior.method, "", "how the draws were made")
    found["second_try"] = Entry(posterior.tries > 1, "", "whether a poor first fit was done again, with more starts")
    for site, values in seen.unwrapped.items():
        if values.ndim == 2:
            what = ", ".join(filter(None, [site, known[site].description]))
            found |= _quantity(short(site), values, known[site].unit, what) | _prior(seen, site, short(site))
    for term in listed(seen):
        if term.derived:
            what = f"{term.number.site}, {term.description}"
            found |= _quantity(short(term.number.site), term.number.draws, term.unit, what)
    for (site, source, prop), column in slopes_of.items():
        drawn, of_value = slopes(seen, site, source, prop, kpc_per_arcsec), property_unit(posterior.tree, prop)
        if drawn.per_kpc is not None:
            per_kpc = f"{site} per proper kpc of deprojected (semi-major-axis) radius"
            found |= _quantity(column + PER_KPC, drawn.per_kpc, f"{of_value}/kpc", per_kpc)
        if drawn.per_r_eff is not None:
            per_r_eff = f"{site} per half-light radius"
            found |= _quantity(column + PER_R_EFF, drawn.per_r_eff, of_value, per_r_eff)
    for one, verdict in verdicts.items():
        found |= _verdict(seen, one[0], slopes_of[one], verdict)
    for label in posterior.observations:
        found |= _of_observation(seen, label)
    return found | _diagnostics(seen)


def _verdict(seen: View, site: str, column: str, verdict: Resolution) -> Row:
    """What the data say of a gradient."""
    found = _prior(seen, site, column)
    found[column + RESOLVED] = Entry(bool(verdict.resolved), "", "narrowed 3 times, and R_e above FWHM/2")
    shared = lens_share(seen, site)
    if shared is not None:
        found[column + LENS_SHARE] = Entry(shared.share, "", f"of the variance of {site}, that goes with the lens")
    return found


def _prior(seen: View, site: str, column: str) -> Row:
    """What a population needs to divide the prior out; of an angle, for which it cannot, the period."""
    unit, period = seen.meanings[site].unit, seen.meanings[site].period
    if period is not None:
        return {column + PERIOD: Entry(float(np.max(period)), unit, f"turn after which {site} is the same again")}
    if not seen.posterior.sampled:
        return {}
    narrowed = "width of the prior over that of the posterior; near 1 the prior decides"
    return {
        column + NARROWED: Entry(float(narrowing(seen, site)), "", narrowed),
        column + PRIOR: Entry(float(medians(seen.priors)[site]), unit, f"median of the prior of {site}"),
    }


def _of_observation(seen: View, label: str) -> Row:
    """Width of its PSF, and how well it is described."""
    psf, fit = seen.filled[label].psf, seen.goodness[label]
    width = (
        {} if psf is None else {f"{label}.fwhm": Entry(fwhm(psf), "arcsec", "full width at half maximum of the PSF")}
    )
    return width | {
        f"{label}.chi2": Entry(seen.chi2[label], "", "at the best fit"),
        f"{label}.chi2_expected": Entry(fit.expected, "", "chi2 that the noise gives, the median"),
        f"{label}.misfit": Entry(fit.misfit, "", "strongest sign of a poor fit over its limit; suspect above 1"),
        f"{label}.data": Entry(seen.counts[label], "", "number of data used"),
    }


def whereabouts(job: Job) -> Row:
    """Where a galaxy's positions are measured from, and its scale; nothing that is not known."""
    found = {}
    if job.origin is not NOWHERE:
        ra, dec = (float(angle.deg) for angle in (job.origin.spherical.lon, job.origin.spherical.lat))
        found["sky_origin_ra"] = Entry(ra, "deg", "right ascension from which x0 is measured")
        found["sky_origin_dec"] = Entry(dec, "deg", "declination from which y0 is measured")
    if job.kpc_per_arcsec is not None:
        scale = "proper scale at galaxy.z, by the cosmology of the configuration"
        found["kpc_per_arcsec"] = Entry(job.kpc_per_arcsec, "kpc/arcsec", scale)
    return found


def row_of_failure(name: str, error: Exception, *, unread: bool) -> Row:
    """What the table says of a galaxy that could not be read, or fitted."""
    said = "whether the galaxy failed because its files could not be read"
    return _outcome(name, FAILED, str(error)) | {UNREAD: Entry(unread, "", said)}


def write_rows(path: Path, rows: Sequence[Row]) -> None:
    """Writes the rows of a chunk, all or none."""
    columns = {column: entry[1:] for found in rows for column, entry in found.items()}
    values = [{column: entry.value for column, entry in found.items()} for found in rows]
    content = {"format": FORMAT, "columns": columns, "rows": values}
    write_whole(path, json.dumps({"sha256": digest(content), **content}, indent=0) + "\n")


def read_rows(path: Path, names: Sequence[str]) -> list[Row] | None:
    """The rows of a chunk; None unless the file is there, undamaged, with exactly these galaxies.

    Raises:
        InputError: if the file has a format that is not known here.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        if content.pop("sha256") != digest(content):
            return None
    except (OSError, ValueError, LookupError, TypeError, AttributeError):
        return None
    require_format(path, content.get("format", FORMAT), FORMAT)
    columns = content["columns"]
    rows = [{column: Entry(value, *columns[column]) for column, value in one.items()} for one in content["rows"]]
    return rows if sorted(found["name"].value for found in rows) == sorted(names) else None


def columns(slopes: Sequence[tuple[str, str, str]]) -> dict[tuple[str, str, str], str]:
    """(site, source, property) of a gradient -> name of its columns, with the place where a tie stands in several."""
    stand = Counter(one[0] for one in slopes)
    return {one: short(one[0]) if stand[one[0]] == 1 else ".".join([short(one[0]), *one[1:]]) for one in slopes}


def _outcome(name: str, status: str, message: str) -> Row:
    return {
        "name": Entry(name, "", "of the galaxy"),
        "status": Entry(status, "", "ok, suspect (message says why) or failed (no fit; message says why)"),
        "message": Entry(message, "", "what to know before using the row"),
    }


def _quantity(name: str, values: np.ndarray, measured_in: str, what: str) -> Row:
    drawn = quantiles(values, [below for _, below in INTERVAL.values()])
    found = {
        name + ending: Entry(float(value), measured_in, f"{which} of {what}")
        for (ending, (which, _)), value in zip(INTERVAL.items(), drawn, strict=True)
    }
    if np.size(values) == SINGLE:
        found[name] = Entry(float(np.ravel(values)[0]), measured_in, f"best value, no draws were made, of {what}")
    return found


def _diagnostics(seen: View) -> Row:
    posterior = seen.posterior
    found = {
        "k_hat": Entry(float(posterior.k_hat), "", "Pareto shape of Laplace's importance weights; good below 0.7"),
        "log_evidence": Entry(float(posterior.log_evidence), "", "natural logarithm"),
    }
    if not posterior.sampler:
        return found
    divergences = int(posterior.sampler["diverging"].sum())
    return found | {
        "r_hat": Entry(max(one.r_hat for one in seen.parameters), "", "largest of all parameters; good near 1"),
        "ess": Entry(min(one.ess for one in seen.parameters), "", "fewest effective samples"),
        "divergences": Entry(divergences, "", "number of divergent draws"),
    }
