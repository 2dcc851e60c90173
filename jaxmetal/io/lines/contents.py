"""What each file in a folder of results of `jaxmetal lines` is."""

from __future__ import annotations

import fnmatch
from collections.abc import Mapping
from pathlib import Path

CONTENTS: Mapping[str, str] = {
    "summary.txt": "what is printed above, trouble first",
    "maps.fits": "maps of Z, A(V), Hb, star formation, branches and flags, an extension each",
    "spectra.ecsv": "the same as a table: a row per spaxel, bin or row",
    "regions.ecsv": "the same of each region's summed fluxes, and these sums",
    "metallicity.fits": "Z, its own error and what all share, where the lines say something on it, to be fitted",
    "light.fits": "the line that weights that map, and its error",
    "bins.fits": "which bin each spaxel belongs to",
    "fit.toml": "what `jaxmetal check` and `jaxmetal fit` take to fit that map",
    "maps.png": "picture of the maps",
    "calibrations.png": "the calibrations with the measured ratios on them",
    "radius.png": "Z against source radius with straight lines through it",
    "corner_*.png": "posterior of Z, A(V) and Hb or star formation of a region",
    "provenance.json": "configuration, versions, and checksums of the inputs",
}
"""Names, or patterns of names, of all files that there may be; each in a short phrase."""


def contents(folder: str | Path) -> str:
    """The files that are there, a line each."""
    names = [path.name for path in Path(folder).iterdir()]
    there = {pattern: what for pattern, what in CONTENTS.items() if fnmatch.filter(names, pattern)}
    width = max(map(len, there), default=0)
    return "\n".join(f"  {pattern:{width}}  {what}" for pattern, what in there.items())
