"""Whether a stated rest wavelength is that of the line, in air or in vacuum."""

from __future__ import annotations

from collections.abc import Iterable

from jaxmetal.edge.errors import InputError
from jaxmetal.lines import LINES

WINDOW = 0.5
"""Largest difference that is still the line, Angstrom; air and vacuum are 1 to 2 apart."""
DOUBLETS = {"OII": ("OII3726", "OII3729"), "SII": ("SII6717", "SII6731")}
"""Members of the lines that are sums."""


def require_line(stated: float, medium: str, lines: Iterable[str], where: str) -> None:
    """Refuses a wavelength that is another line's, or the line's in the other medium.

    Args:
        stated: rest wavelength, Angstrom.
        medium: "vacuum" or "air".
        lines: names of the lines in the feature; anything from the first to the last is accepted.
        where: place in the file.

    Raises:
        InputError: saying which line or medium it is instead.
    """
    members = [member for name in lines for member in DOUBLETS.get(name, (name,))]
    fits = {kind: _within(stated, [_of(name, kind) for name in members]) for kind in ("vacuum", "air")}
    if fits[medium]:
        return
    expected = ", ".join(dict.fromkeys(f"{_of(name, medium):.2f}" for name in members))
    other = "air" if medium == "vacuum" else "vacuum"
    if fits[other]:
        raise InputError(
            f"{where}: expected {expected} Angstrom in {medium}, found {stated:g}, which is the line in {other}; "
            f'correct it, or say data.wavelengths = "{other}".'
        )
    nearest = min(LINES, key=lambda name: abs(_of(name, medium) - stated))
    raise InputError(
        f"{where}: expected {expected} Angstrom at rest in {medium}, found {stated:g}, nearest to {nearest} "
        f"({_of(nearest, medium):.2f}); name the line that it is, or correct it."
    )


def _of(name: str, medium: str) -> float:
    return LINES[name].vacuum if medium == "vacuum" else LINES[name].air


def _within(stated: float, known: list[float]) -> bool:
    return min(known) - WINDOW <= stated <= max(known) + WINDOW
