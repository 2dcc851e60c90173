"""What is written on axes: quantities with their units, and short names of parameters."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple


class Quantity(NamedTuple):
    """What a map shows.

    Attributes:
        label: e.g. "12 + log(O/H)".
        unit: e.g. "dex"; empty for a pure number.
    """

    label: str
    unit: str

    def __str__(self) -> str:
        return f"{self.label} [{self.unit}]" if self.unit else self.label


LEAVES = {
    "x0": "x$_0$ [arcsec]",
    "y0": "y$_0$ [arcsec]",
    "dx": "shift x [arcsec]",
    "dy": "shift y [arcsec]",
    "q": "axis ratio q",
    "pa": "PA [deg]",
    "inclination": "inclination [deg]",
    "r_eff": "R$_e$ [arcsec]",
    "fwhm": "FWHM [arcsec]",
    "n": "Sersic n",
    "beta": "Moffat β",
    "nu": "Student-t ν",
    "central": "centre [{unit}]",
    "slope": "slope [{unit}/arcsec]",
    "jitter": "jitter [{unit}]",
    "scatter": "scatter [{unit}]",
}
"""Last part of a parameter's path -> its label; `{unit}` is that of the map."""

COMMON = {"scene", "sources", "lights", "carries", "profile", "frame", "noise", "parts"}
"""Parts of a path that tell a reader nothing."""


def parameter_labels(names: Iterable[str], unit: str) -> dict[str, str]:
    """Short labels with units; where two would be the same, as much of the path as tells them apart goes in front.

    Args:
        names: parameter names, e.g. "scene.sources.disc.carries.metallicity.profile.slope".
        unit: of the property that the parameters describe.
    """
    paths = {name: name.split(".") for name in names}
    leaf = {name: LEAVES.get(path[-1], path[-1]).format(unit=unit) for name, path in paths.items()}
    labels = dict(leaf)
    for name, path in paths.items():
        twins = [other for other in paths if leaf[other] == leaf[name] and other != name]
        shared = {part for other in twins for part in paths[other][:-1]}
        own = [part for part in path[:-1] if part not in COMMON]
        telling = [part for part in own if part not in shared] or own
        if twins and telling:
            labels[name] = f"{' '.join(telling)}\n{leaf[name]}"
    return labels
