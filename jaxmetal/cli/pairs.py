"""Options that say something of a named thing: `--label metallicity=TEXT`."""

from __future__ import annotations

from collections.abc import Sequence

from jaxmetal.edge.errors import InputError


def pairs(given: Sequence[str]) -> list[tuple[str, str]]:
    """What is before and after the first sign of equality, which may be missing.

    Raises:
        InputError: if nothing is before it, or the same twice.
    """
    found = [(name, value) for name, _, value in (text.partition("=") for text in given)]
    names = [name for name, _ in found]
    if "" in names or len(set(names)) < len(names):
        raise InputError(f"Expected columns with different names, found {' '.join(given)}; correct them.")
    return found


def described(option: str, given: Sequence[str], named: str, value: str) -> dict[str, str]:
    """Name -> what is said of it.

    Args:
        option: its name.
        given: on the command line.
        named: what names are of, for the sentence.
        value: what is said, for the sentence.

    Raises:
        InputError: as `pairs`, or if nothing is said.
    """
    found = dict(pairs(given))
    if not all(found.values()):
        raise InputError(f"--{option}: expected {named}={value}, found {' '.join(given)}; name both.")
    return found
