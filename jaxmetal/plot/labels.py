"""What is written on axes: quantities with their units, and short names of parameters."""

from __future__ import annotations

from collections.abc import Mapping

from jaxmetal.observation.contract import Quantity

SYMBOLS = {
    "x0": "x$_0$",
    "y0": "y$_0$",
    "q": "axis ratio q",
    "pa": "PA",
    "r_eff": "R$_e$",
    "fwhm": "FWHM",
    "n": "Sersic n",
    "theta_e": "θ$_E$",
}
"""Last part of a parameter's path -> how it is written; others as they are."""

COMMON = {"scene", "sources", "lights", "carries", "profile", "frame", "noise", "parts"}
"""Parts of a path that tell a reader nothing."""


def parameter_labels(units: Mapping[str, str]) -> dict[str, str]:
    """Short labels with units; where two would be the same, what tells their paths apart goes in a line above.

    Args:
        units: parameter name, e.g. "scene.sources.disc.carries.metallicity.profile.slope" -> unit, e.g. "dex/arcsec".
    """
    paths = {name: name.split(".") for name in units}
    short = {name: str(Quantity(SYMBOLS.get(path[-1], path[-1]), units[name])) for name, path in paths.items()}
    labels = {}
    for name, path in paths.items():
        twins = [paths[other] for other in paths if short[other] == short[name] and other != name]
        shared = set.intersection(*map(set, twins)) if twins else set(path)
        own = [part for part in path[:-1] if part not in COMMON and part not in shared]
        labels[name] = "\n".join(filter(None, [" ".join(own), short[name]]))
    return labels
