"""What `fuzz.py` does to working input: one change of one file, drawn from a seed, and whether that can be right.

A mutation says `wrong` where no reading of it makes sense (a list for a number, an error of NaN in a header that places
the pixels), so that it must be refused, or at least reported.
"""

from __future__ import annotations

import json
import math
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from astropy.io import fits
from astropy.table import Table

Random = np.random.Generator


class Mutation(NamedTuple):
    """What was changed.

    Attributes:
        what: in words.
        wrong: whether it must be refused or reported.
    """

    what: str
    wrong: bool


DEEP: Any = 1
for _ in range(100):
    DEEP = [DEEP]
TYPES: list[Any] = [[], [1, 2], [[]], True, "yes", "", {}, {"a": 1}, {"dist": "Normal"}, {"type": "Disc"}, DEEP,
                    "x" * 3000, {"dist": ["Normal"], "loc": 0}, {"tied": 3}, [{}], [True]]  # fmt: skip
NUMBERS: list[Any] = [1e300, -1e300, 1e12, -1.0, 0.0, 1e-300, math.nan, math.inf, 10**12, 10**400, 10**9, -(10**400)]
NAMES = ["$\\frac$", "a/b", "../../outside", "a\0b", "", "x" * 300, "$", "Ω Cen", "a\nb", " ", "."]
CARDS: dict[str, list[Any]] = {
    "CDELT1": ["NaN", 0.0, 1e300, "abc"], "CDELT2": ["NaN", 0.0, -1.0], "CRVAL1": ["NaN", 1e300],
    "CRVAL2": [100.0, "x"],
    "CRPIX1": ["NaN", 1e300], "PC1_1": [0.0, "NaN", 1e300], "PC2_1": [1e300], "CTYPE1": ["WAVE", "", "RA---XYZ"],
    "CTYPE2": ["RA---TAN", "FREQ"], "CUNIT1": ["m", "Hz", "$"], "BUNIT": ["erg", "$\\frac$", "furlong", "Hz"],
    "NAXIS1": [0, -1, 10**9, 3], "NAXIS2": [0, 10**9], "NAXIS": [0, 1, 3, 999], "BITPIX": [8, 16, 7, -32],
    "BSCALE": ["NaN", 0.0, 1e300], "BZERO": ["NaN", 1e300], "EXTNAME": ["", "$\\frac$"], "PCOUNT": [-1, 10**9],
    "GCOUNT": [-1, 0, 10**9], "XTENSION": ["BINTABLE", "FOO"], "RADESYS": ["FOO"], "EQUINOX": ["NaN", -5.0],
    "LONPOLE": ["NaN", 77.0],
}  # fmt: skip
PLACES = ("CDELT1", "CDELT2", "CRVAL1", "CRVAL2", "CRPIX1", "PC1_1", "PC2_1")
"""Cards of which NaN or 1e300 places no pixel anywhere."""


def mutate(folder: Path, arguments: list[str], random: Random) -> Mutation:
    """Changes one file in a folder of working input, or one argument of the command."""
    files = sorted(path for path in folder.iterdir() if path.is_file())
    texts = [path for path in files if path.suffix == ".toml"]
    tables = [path for path in files if path.suffix == ".ecsv"]
    images = [path for path in files if path.suffix == ".fits"]
    kinds: list[tuple[Callable[..., Mutation], list[Path], float]] = [
        (entry, texts, 8.0), (bytes_of, texts, 1.0), (header, images, 3.0), (pixels, images, 2.0),
        (bytes_of, images, 2.0), (cell, tables, 5.0), (bytes_of, tables, 1.0),
    ]  # fmt: skip
    kinds = [one for one in kinds if one[1]]
    if not kinds:
        return argument(arguments, random)
    weights = np.array([one[2] for one in kinds])
    change, paths, _ = kinds[random.choice(len(kinds), p=weights / weights.sum())]
    path = paths[random.integers(len(paths))]
    made = change(path, random)
    return made._replace(what=f"{path.name}: {made.what}")


def entry(path: Path, random: Random) -> Mutation:
    """An entry of a TOML file: another type, an absurd number, a name, a renamed, removed or unknown key."""
    table = tomllib.loads(path.read_text())
    leaves = list(_leaves(table))
    holder, key, where = leaves[random.integers(len(leaves))]
    old = holder[key]
    how = random.choice(["type", "number", "rename", "remove", "extra", "name"], p=[0.35, 0.3, 0.1, 0.1, 0.1, 0.05])
    number = isinstance(old, (int, float)) and not isinstance(old, bool)
    wrong = False
    if how == "type":
        holder[key] = TYPES[random.integers(len(TYPES))]
        new = holder[key]
        named = isinstance(new, str) or (isinstance(new, dict) and {"dist", "tied", "type", "file"} & set(new))
        wrong = not isinstance(new, str) if isinstance(old, str) else not isinstance(old, (dict, list)) and not named
    elif how == "number":
        holder[key] = NUMBERS[random.integers(len(NUMBERS))]
        errors = key in ("sigma", "variance", "ivar")  # a number or a file
        wrong = (isinstance(old, (str, bool)) and not errors) or (number and not -1e11 < holder[key] < 1e11)
    elif how == "rename":
        holder[key + "x"] = holder.pop(key)
        wrong = where.count(".") > 0 and not isinstance(old, dict)
    elif how == "remove":
        del holder[key]
    elif how == "extra" and isinstance(holder, dict):
        holder["unheard_of"] = [1, "a", {}][random.integers(3)]
        wrong = where.rpartition(".")[0] not in ("", "observations", "sources", "features", "regions", "lens")
    else:
        name = NAMES[random.integers(len(NAMES))]
        holder[name] = holder.pop(key)
    path.write_text(_written(table))
    return Mutation(f"{how} of {where}: {_short(old)} -> {_short(holder.get(key, 'gone'))}", wrong)


def _leaves(table: Any, where: str = "") -> Any:
    for key, value in table.items():
        place = f"{where}.{key}" if where else key
        yield table, key, place
        if isinstance(value, dict):
            yield from _leaves(value, place)


def _written(value: Any) -> str:
    """As TOML; tables below the first in one line, which is the same to a reader."""
    if isinstance(value, dict):
        return "\n".join(f"{json.dumps(key, ensure_ascii=False)} = {_inline(one)}" for key, one in value.items()) + "\n"
    return _inline(value)


def _inline(value: Any) -> str:
    if isinstance(value, dict):
        return (
            "{"
            + ", ".join(f"{json.dumps(key, ensure_ascii=False)} = {_inline(one)}" for key, one in value.items())
            + "}"
        )
    if isinstance(value, list):
        return "[" + ", ".join(map(_inline, value)) + "]"
    if isinstance(value, (bool, str)):
        return json.dumps(value, ensure_ascii=False)
    return repr(value)  # nan, inf and 1e+300 are TOML, too


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) < 60 else text[:50] + f"... ({len(text)} characters)"


def bytes_of(path: Path, random: Random) -> Mutation:
    """A file with bytes that are flipped, missing at the end, doubled or zero."""
    content = bytearray(path.read_bytes())
    how, at = random.choice(["flip", "cut", "double", "zero"]), int(random.integers(max(len(content), 1)))
    if how == "flip":
        for place in random.integers(len(content), size=random.integers(1, 5)):
            content[place] ^= 1 << int(random.integers(8))
    elif how == "cut":
        content = content[:at]
    elif how == "double":
        content = content[:at] + content[max(0, at - 500) :]
    else:
        content[at : at + 100] = bytes(len(content[at : at + 100]))
    path.write_bytes(content)
    return Mutation(f"{how} at byte {at} of {len(content)}", False)


def header(path: Path, random: Random) -> Mutation:
    """A card of a FITS header, written as text, so that what no library would write can be there."""
    name = list(CARDS)[random.integers(len(CARDS))]
    value = CARDS[name][random.integers(len(CARDS[name]))]
    content = path.read_bytes()
    start = (
        random.choice([0, content.find(b"XTENSION")])
        if name.startswith(("NAXIS", "BITPIX"))
        else content.find(b"XTENSION")
    )
    start = max(int(start), 0)
    end = content.find(b"END" + b" " * 77, start)
    written = (
        value if isinstance(value, str) and value == "NaN" else f"'{value:8s}'" if isinstance(value, str) else value
    )
    card = f"{name:8s}= {written!s:>20s}".ljust(80).encode()[:80]
    found = content.find(f"{name:8s}=".encode(), start, end)
    if found < 0:
        found = end - 80  # in the place of the last card
    path.write_bytes(content[:found] + card + content[found + 80 :])
    return Mutation(
        f"header {name} = {written}", name in PLACES and value in ("NaN", 1e300) and "kernel" not in path.name
    )


def pixels(path: Path, random: Random) -> Mutation:
    """Pixels that are NaN, infinite, absurd, zero or all the same."""
    with fits.open(path, memmap=False) as maps:
        data = maps[1].data.astype(float)
        value = [np.nan, np.inf, -np.inf, 1e300, -1e300, 0.0, 1e-300, 99.0][random.integers(8)]
        everywhere = bool(random.integers(2))
        data[... if everywhere else np.s_[3, 2:6]] = value
        maps[1].data = data
        maps.writeto(path, overwrite=True)
    return Mutation(f"{'all' if everywhere else 'some'} pixels {value}", everywhere or abs(value) == 1e300)


def cell(path: Path, random: Random) -> Mutation:
    """A cell, a name or a column of a table."""
    table = Table.read(path)
    column = table.colnames[random.integers(len(table.colnames))]
    how = random.choice(["cell", "cell", "rename", "remove", "column"])
    if how == "rename":
        table.rename_column(column, "x" + column)
    elif how == "remove":
        table.remove_column(column)
    else:
        values = [[*NUMBERS[:9], math.nan], [name.replace("\0", "") for name in NAMES]][
            table[column].dtype.kind in "OU"
        ]
        value = values[random.integers(len(values))]
        cells = table[column].tolist()
        rows = range(len(cells)) if how == "column" else [int(random.integers(len(cells)))]
        for row in rows:
            cells[row] = value
        table[column] = cells
        how += f" = {_short(value)}"
    table.write(path, overwrite=True)
    return Mutation(f"{how} of {column}", False)


def argument(arguments: list[str], random: Random) -> Mutation:
    """The value of an option on the command line."""
    options = [
        k for k in range(1, len(arguments)) if arguments[k - 1].startswith("--") and not arguments[k].startswith("--")
    ]
    place = options[random.integers(len(options))]
    values = ["-1", "0", "1e300", "nan", "inf", str(10**12), str(10**400), "x", "", "$\\frac$", "1.5"]
    arguments[place] = values[random.integers(len(values))]
    return Mutation(f"{arguments[place - 1]} {_short(arguments[place])}", False)
