"""What the columns of a table of results are called, for those who write one and those who read it."""

from __future__ import annotations

NAME = "name"
"""The column of unique names."""

REDSHIFT = "galaxy.z"
"""The one place of the configuration that is carried to the table of results: populations need it."""

LOW, HIGH = "_lo", "_hi"
"""Endings of the 16 and 84 % quantiles of a quantity; its median has none."""

GOOD, SUSPECT, FAILED = "ok", "suspect", "failed"
"""A galaxy's status: nothing found; warnings, which its message repeats; no fit at all."""

PER_KPC, PER_R_EFF = "_per_kpc", "_per_r_eff"
"""Endings of a slope in other units."""

NARROWED, RESOLVED, PRIOR, LENS_SHARE = "_narrowed", "_resolved", "_prior_median", "_lens_share"
"""Endings that say what the data decided, and what the prior was."""

PERIOD = "_period"
"""Ending that says after which turn an angle is the same again; numbers on a line have no such column."""

POSTERIORS = "posteriors"
"""The folder of kept draws, beside the table."""


def short(site: str) -> str:
    """A parameter's name without the parts that all share: `disc.metallicity.slope`."""
    parts = [part for part in site.removeprefix("scene.").split(".") if part not in ("carries", "profile", "lights")]
    return ".".join(parts[1:] if parts[0] == "sources" else parts)
