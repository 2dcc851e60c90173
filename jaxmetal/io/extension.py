"""Which image of a FITS file is meant: by number, by name, by name and EXTVER; and which channel of a 3-D one."""

from __future__ import annotations

import math
import re
from typing import Any, NamedTuple

import numpy as np
from astropy.io import fits

from jaxmetal.edge.errors import InputError

MOST_PIXELS = 10**8
"""Of a map."""
LISTED = 30
"""Extensions or channels that a sentence names at most."""
CHANNELS = ("C", "NAME", "CHAN", "CHANNEL", "PLANE", "BAND", "LINE")
"""Keywords that name the planes of an extension when a number follows, from 0 or 1: MaNGA's C01, Pipe3D's NAME0."""

Extension = int | str | tuple[str, int | str] | None
"""An extension's number, name, or name and EXTVER; None for the only image there is."""


class Slice(NamedTuple):
    """A plane of a 3-D extension.

    Attributes:
        hdu: the extension.
        channel: number of the plane, from 0, or its name in the header.
    """

    hdu: Extension
    channel: int | str


Hdu = Extension | Slice
"""An extension, or a plane of one."""


def hdu_of(given: Any, channel: Any, where: str) -> Hdu:
    """What a configuration says of the extension: a number, a name, or [name, EXTVER]; and a channel.

    Raises:
        InputError: if it is anything else.
    """
    pair = isinstance(given, list) and len(given) == 2 and isinstance(given[0], str)
    if not (given is None or _names(given) or (pair and _names(given[1]))):
        raise InputError(
            f"{where}.hdu: expected the number or name of an extension, or its name and EXTVER as in "
            f'["LINE", "Hb"], found {given!r}; correct it.'
        )
    if not (channel is None or _names(channel)):
        raise InputError(f"{where}.channel: expected the number or name of a channel, found {channel!r}; correct it.")
    hdu = tuple(given) if pair else given
    return hdu if channel is None else Slice(hdu, channel)


def image_in(extensions: fits.HDUList, hdu: Hdu, label: str) -> tuple[np.ndarray, fits.Header, str]:
    """The 2-D image that is meant, shape (ny, nx), float64; its header, and what its extension is called.

    Axes of length 1 are dropped.

    Raises:
        InputError: if there is none or several such.
    """
    which, channel = hdu if isinstance(hdu, Slice) else (hdu, None)
    planes = 2 if channel is None else 3
    number = _only(extensions, planes, label) if which is None else _number(extensions, which, label)
    one = extensions[number]
    if not _may_be(one, planes):
        kind = "a 2-D image" if channel is None else "3-D, to have channels"
        raise InputError(
            f"Extension {_called(which, one)} of the {label} must be {kind}, but is {_describe(one)}; {_advice(one)}."
        )
    _require_held(_without_ones(one.shape)[-2:], label)
    # Of a cube only the plane is read.
    values = np.array(one.data if channel is None else one.section[_index(one, channel, label)], np.float64)
    return values.reshape(_without_ones(values.shape)), one.header, one.name


def planes_in(extensions: fits.HDUList, hdu: Extension, label: str) -> int:
    """The number of planes of the 3-D image that is meant.

    Raises:
        InputError: if there is none or several such.
    """
    found = range(len(extensions)) if hdu is None else [_number(extensions, hdu, label)]
    stacks = [shape for k in found if len(shape := _squeezed(extensions[k]) or ()) == 3]
    if len(stacks) != 1:
        raise InputError(
            f"The {label} must hold one stack of two maps or more, 3-D, but holds: {_listed(extensions, list(found))}; "
            "name the extension, or list files with one map each."
        )
    return stacks[0][0]


def _require_held(shape: tuple[int, ...], label: str) -> None:
    """Refuses an image that would fill the memory."""
    if math.prod(shape) > MOST_PIXELS:
        raise InputError(
            f"The {label} must have at most {MOST_PIXELS:,} pixels, but is {' x '.join(map(str, shape))}; cut out the "
            "galaxy."
        )


def _names(given: Any) -> bool:
    return isinstance(given, (int, str)) and not isinstance(given, bool)


def _only(extensions: fits.HDUList, planes: int, label: str) -> int:
    """The extension that can be meant where none is named."""
    found = [k for k, one in enumerate(extensions) if len(_squeezed(one) or ()) == planes]
    found = found or [k for k, one in enumerate(extensions) if _may_be(one, planes)]
    if len(found) == 1:
        return found[0]
    cubes = [one for one in extensions if len(_squeezed(one) or ()) == 3]
    count, advice = ("one", "name the extension") if found else ("a", _advice(cubes[0]) if cubes else "check the file")
    raise InputError(f"The {label} must hold {count} {planes}-D image, but holds: {_listed(extensions)}; {advice}.")


def _number(extensions: fits.HDUList, hdu: Any, label: str) -> int:
    """The extension of a number, name, or name and EXTVER."""
    if isinstance(hdu, int):
        found = [hdu] if 0 <= hdu < len(extensions) else []
    else:
        name, version = (hdu, None) if isinstance(hdu, str) else hdu
        found = [k for k, one in enumerate(extensions) if _is_called(k, one, name, version)]
    if len(found) > 1:
        raise InputError(
            f"The {label} has {len(found)} extensions {_written(hdu)}: {_listed(extensions, found)}; "
            f"{_one_of(extensions, found)}."
        )
    if not found:
        raise InputError(f"The {label} has no extension {_written(hdu)}; choose one of: {_listed(extensions)}.")
    return found[0]


def _is_called(number: int, one: Any, name: str, version: int | str | None) -> bool:
    same = one.name.upper() == name.strip().upper() or (number == 0 and name.upper() == "PRIMARY")
    return same and (version is None or str(one.ver).strip().upper() == str(version).strip().upper())


def _one_of(extensions: fits.HDUList, numbers: list[int]) -> str:
    """How one of several extensions of one name can be named."""
    first, versions = extensions[numbers[0]], {extensions[k].ver for k in numbers}
    if len(versions) == len(numbers):
        return f"name one with its EXTVER, as in {_written((first.name, first.ver))}"
    return f"name one by its number, {numbers[0]} say"


def _index(one: Any, channel: int | str, label: str) -> tuple[Any, ...]:
    """What cuts a channel out of an extension."""
    axis, names = _channel_axis(one), _channels(one)
    if isinstance(channel, str):
        wanted = "".join(channel.split()).upper()
        found = [k for k, name in enumerate(names) if "".join(name.split()).upper() == wanted]
    else:
        found = [channel] if 0 <= channel < one.shape[axis] else []
    if len(found) != 1:
        known = _some([f"{k} {name}" for k, name in enumerate(names)]) if names else f"0 to {one.shape[axis] - 1}"
        count = f"{len(found)} channels" if found else "no channel"
        raise InputError(
            f"Extension {one.name} of the {label} has {count} {_written(channel)}; choose one of: {known}."
        )
    return tuple(found[0] if k == axis else slice(None) for k in range(len(one.shape)))


def _channel_axis(one: Any) -> int:
    """The first axis, of those from the slowest on, that is longer than 1; of one plane that before its own two."""
    return next((k for k in range(len(one.shape) - 3) if one.shape[k] > 1), len(one.shape) - 3)


def _may_be(one: Any, dimensions: int) -> bool:
    """Whether an extension is an image of so many dimensions: a cube of a single plane has two of them, or three."""
    cube = one.is_image and len(one.shape) > 2 and set(one.shape[:-2]) == {1}
    return len(_squeezed(one) or ()) == dimensions or (dimensions == 3 and cube)


def _channels(one: Any) -> list[str]:
    """The names of the planes of a 3-D extension; none where its header has none."""
    count = one.shape[_channel_axis(one)]
    for prefix in CHANNELS:
        cards = {
            int(found[1]): str(value)
            for key, value in one.header.items()
            if (found := re.fullmatch(rf"{prefix}(\d+)", key)) and isinstance(value, str)
        }
        for first in (0, 1):
            if all(first + k in cards for k in range(count)):
                return [cards[first + k] for k in range(count)]
    return []


def _squeezed(one: Any) -> tuple[int, ...] | None:
    """The shape of an image without axes of length 1; None of a table."""
    return _without_ones(one.shape) if one.is_image else None


def _without_ones(shape: tuple[int, ...]) -> tuple[int, ...]:
    """Without axes of length 1, from the slowest on, but never fewer than two."""
    left = list(shape)
    while len(left) > 2 and 1 in left:
        left.remove(1)
    return tuple(left)


def _advice(one: Any) -> str:
    """What to do about an extension that is not as it must be."""
    if len(_squeezed(one) or ()) != 3:
        return "name another"
    names = _channels(one)
    example, known = (names[0], _some(names)) if names else (0, f"0 to {one.shape[_channel_axis(one)] - 1}")
    return f"choose a plane of it, as channel = {_written(example)}, of {known}"


def _listed(extensions: fits.HDUList, numbers: list[int] | None = None) -> str:
    """Extensions with number, name, EXTVER where names are shared, and shape."""
    names = [one.name for one in extensions]
    return _some(
        [
            f"{k} {_called(None, extensions[k], shared=bool(names[k]) and names.count(names[k]) > 1)} "
            f"{_describe(extensions[k])}"
            for k in (range(len(extensions)) if numbers is None else numbers)
        ]
    )


def _some(texts: list[str]) -> str:
    more = len(texts) - LISTED
    return ", ".join(texts[:LISTED]) + (f" and {more} more" if more > 0 else "")


def _called(hdu: Any, one: Any, shared: bool = False) -> str:
    if hdu is not None:
        return _written(hdu)
    return _written((one.name, one.ver)) if shared else one.name


def _written(hdu: Any) -> str:
    """As a configuration has it."""
    if isinstance(hdu, tuple):
        return f"[{', '.join(map(_written, hdu))}]"
    return f'"{hdu}"' if isinstance(hdu, str) else str(hdu)


def _describe(one: Any) -> str:
    if not one.is_image:
        return "(table)"
    return f"({len(one.shape)}-D, {' x '.join(map(str, one.shape))})" if one.shape else "(empty)"
