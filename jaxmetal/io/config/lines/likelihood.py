"""The likelihood of a configuration, by name, and its options."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from jaxmetal import spaxel
from jaxmetal.edge.errors import InputError, shown
from jaxmetal.io.config.priors import numbers, pair
from jaxmetal.io.config.table import choose, take
from jaxmetal.io.spelling import require_known
from jaxmetal.lines import Calibration, calibration, feature
from jaxmetal.spaxel.wang import HB_RANGE

Reader = Callable[[dict[str, Any], str, str], Any]
"""(table, key, where) -> value."""


def number(table: dict[str, Any], key: str, where: str) -> float:
    """A finite number."""
    value = numbers(table[key], f"{where}.{key}")
    if not isinstance(value, float):
        raise InputError(f"{where}.{key}: expected one number, found {shown(table[key])}; correct it.")
    return value


def text(table: dict[str, Any], key: str, where: str) -> str:
    """A text."""
    return take(table, key, where, str)


def flag(table: dict[str, Any], key: str, where: str) -> bool:
    """True or false."""
    return take(table, key, where, bool)


def names(table: dict[str, Any], key: str, where: str) -> list[str]:
    """A list of texts."""
    given = take(table, key, where, list)
    if not given or not all(isinstance(name, str) for name in given):
        raise InputError(f"{where}.{key}: expected a list of names in quotes, found {shown(given)}; correct it.")
    return given


def by_name(table: dict[str, Any], key: str, where: str) -> dict[str, float]:
    """Name -> number."""
    given = take(table, key, where, dict)
    return {name: number(given, name, f"{where}.{key}") for name in given}


def scatter(table: dict[str, Any], key: str, where: str) -> float | dict[str, float]:
    """One number, or ratio -> number."""
    return by_name(table, key, where) if isinstance(table[key], dict) else number(table, key, where)


def unblended(table: dict[str, Any], key: str, where: str) -> float:
    """A ratio of 0 or more; a free one needs `spaxel.sample`."""
    value = number(table, key, where)
    if value < 0.0:
        raise InputError(f"{where}.{key}: expected a ratio of 0 or more, found {value}; correct it.")
    return value


def calibrations(table: dict[str, Any], key: str, where: str) -> str | list[Calibration]:
    """The name of a set, or a list of single ones like "C20.R3"; unverified ones where that is allowed."""
    if isinstance(table[key], str):
        return table[key]
    single = [name.split(".", 1) for name in names(table, key, where)]
    short = next((parts[0] for parts in single if len(parts) < 2), None)
    if short is not None:
        raise InputError(f"{where}.{key}: expected names like \"C20.R3\", found '{short}'; add the ratio after a dot.")
    allowed = take(table, "unverified", where, bool, False)
    return [calibration(*parts, unverified=allowed) for parts in single]


KINDS: Mapping[str, tuple[Callable[..., Any], Mapping[str, Reader]]] = {
    "fluxes": (
        spaxel.fluxes,
        {
            "calibrations": calibrations,
            "law": text,
            "r_v": number,
            "z_range": pair,
            "a_v_range": pair,
            "hb_mean": number,
            "temperature": number,
            "scatter": scatter,
            "hydrogen": by_name,
            "oiii_doublet": number,
            "nii_doublet": number,
            "unverified": flag,
        },
    ),
    "patricio19": (
        spaxel.patricio19,
        {"ratios": names, "law": text, "sigma_cal": number, "z_range": pair, "a_v_range": pair},
    ),
    "wang17": (spaxel.wang17, {"hb_range": pair, "nii_ha": unblended, "sii_scatter": number}),
    "curti20": (spaxel.curti20, {"ratios": names, "a_v": number, "law": text, "z_range": pair}),
}
"""Name -> what makes it, and how each option is read."""
IN_FLUX = ("hb_mean", "hb_range")
"""Options in the unit of the fluxes."""


def likelihood(
    table: dict[str, Any], where: str, blends: Mapping[str, Any], *, dereddened: bool = False, factor: float = 1.0
) -> Any:
    """A likelihood of `jaxmetal.spaxel`.

    Args:
        table: `type` and options.
        where: place in the file.
        blends: feature -> its own name, or the weights of its lines.
        dereddened: whether the fluxes are corrected for dust: A(V) is then known to be 0.
        factor: what the fluxes of the files were multiplied by.

    Raises:
        InputError: if type, option or value cannot be used, or the likelihood cannot take such features.
    """
    kind = choose(table.get("type", "fluxes"), f"{where}.type", KINDS)
    make, options = KINDS[kind]
    require_known(table, where, ("type", *options))
    settled = {key: read(table, key, where) for key, read in options.items() if key in table}
    for key in IN_FLUX:
        if key in settled:
            given = settled[key]
            settled[key] = tuple(end * factor for end in given) if isinstance(given, tuple) else given * factor
    if kind == "wang17" and "hb_range" not in settled:
        raise InputError(
            f"{where}.hb_range: expected the ends of the Jeffreys prior of Hb, found none; add [low, high] "
            f"(the paper's ceiling is {HB_RANGE[1]:g} erg/s/cm2)."
        )
    if dereddened:
        settled = _without_dust(kind, settled, where)
    if kind == "fluxes":
        return make(blends, **settled)
    for name, blend in blends.items():
        if blend != name or (kind != "wang17" and len(feature(name)) > 1):
            found = "weights" if blend != name else "a blend"
            raise InputError(f'features.{name}: expected a single line for {kind}, found {found}; use type = "fluxes".')
    return make(tuple(blends), **settled)


def _without_dust(kind: str, settled: dict[str, Any], where: str) -> dict[str, Any]:
    """Options for fluxes that were corrected for dust before."""
    if kind not in ("fluxes", "curti20"):
        raise InputError(
            f"data.dereddened: expected fluxes as observed for {kind}, which fits A(V), found dereddened ones; "
            "give the observed fluxes, or use fluxes or curti20."
        )
    key, none = {"fluxes": ("a_v_range", (0.0, 0.0)), "curti20": ("a_v", 0.0)}[kind]
    require_no_dust(settled.get(key, none), f"{where}.{key}")
    return {**settled, key: none}


def require_no_dust(stated: Any, where: str) -> None:
    """Refuses an A(V), or a range of it, that is stated beside fluxes that were corrected for dust.

    Raises:
        InputError: unless it is 0.
    """
    if stated not in (0.0, (0.0, 0.0)):
        raise InputError(
            f"{where}: expected no dust in fluxes that are dereddened, found {stated}; remove it, or data.dereddened."
        )
