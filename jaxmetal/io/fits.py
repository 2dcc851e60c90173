"""Maps in FITS files: one image in, several out."""

from __future__ import annotations

import contextlib
import dataclasses
import re
import warnings
from collections.abc import Callable, Mapping
from io import BytesIO
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from astropy.coordinates import SkyCoord
from astropy.io import fits
from astropy.utils.exceptions import AstropyUserWarning

from jaxmetal.edge.errors import InputError
from jaxmetal.edge.writing import write_whole
from jaxmetal.io.ending import BLOCK, require_end
from jaxmetal.io.extension import Extension, Hdu, Slice, image_in, planes_in
from jaxmetal.io.file import require_file
from jaxmetal.io.wcs import grid_to_wcs, means_the_sky, sky_origin, wcs_to_grid
from jaxmetal.numerics.grid import Grid

T = TypeVar("T")


@dataclasses.dataclass(frozen=True)
class Map:
    """An image as it was read.

    Attributes:
        values: shape (ny, nx), float64; NaN where the file has none.
        header: of its extension.
        path: where it came from.
    """

    values: np.ndarray
    header: fits.Header
    path: Path

    @property
    def unit(self) -> str:
        """BUNIT, "" where there is none; derived maps often inherit a wrong one."""
        return str(self.header.get("BUNIT", "")).strip()

    @property
    def extension(self) -> str:
        """EXTNAME, "" where there is none."""
        return str(self.header.get("EXTNAME", "")).strip()

    @property
    def on_sky(self) -> bool:
        """Whether its header says where on the sky it lies.

        Raises:
            InputError: if it means to, but cannot be understood: that is not to be taken for saying nothing.
        """
        try:
            self.origin()
        except InputError as error:
            if means_the_sky(self.header):
                raise InputError(f"{self.path}: {error}") from None
            return False
        return True

    def origin(self) -> SkyCoord:
        """The sky position of the middle of the map (see `io.wcs.sky_origin`)."""
        return sky_origin(self.header, self._shape)

    def grid(self, origin: SkyCoord) -> Grid:
        """The map's pixels on the tangent plane at `origin` (see `io.wcs.wcs_to_grid`)."""
        try:
            return wcs_to_grid(self.header, origin, self._shape)
        except InputError as error:
            raise InputError(f"The map {self.path}: {error}") from None

    @property
    def _shape(self) -> tuple[int, int]:
        ny, nx = self.values.shape
        return ny, nx


def read_map(path: str | Path, hdu: Hdu = None, *, what: str = "map", blank: bool = False) -> Map:
    """Reads one two-dimensional image; axes of length 1 are dropped.

    Args:
        path: FITS file, compressed or not.
        hdu: the extension (see `io.extension.Hdu`); default the only one that holds a two-dimensional image.
        what: what the file should be, for messages.
        blank: whether nothing but NaN will do.

    Raises:
        InputError: if the file or extension is missing, is no FITS file or cut short, does not hold one image, or
            holds only NaN where that will not do.
    """
    path = Path(path)
    values, header, extension = _opened(path, what, lambda found, label: image_in(found, hdu, label))
    if not (blank or np.isfinite(values).any()):
        where = f"The extension {extension} of the {what}" if extension else f"The {what}"
        raise InputError(
            f"{where} {path} must hold numbers, but all {values.size} pixels are NaN; check it, or leave it out."
        )
    return Map(values=values, header=header, path=path)


def read_stack(path: str | Path, hdu: Extension = None, *, what: str = "stack of maps") -> list[Map]:
    """Reads every plane of a three-dimensional image; arguments and refusals as of `read_map`."""
    count = _opened(Path(path), what, lambda found, label: planes_in(found, hdu, label))
    return [read_map(path, Slice(hdu, plane), what=f"{what}, plane {plane}, of") for plane in range(count)]


def _opened(path: Path, what: str, take: Callable[[fits.HDUList, str], T]) -> T:
    """What is taken from the extensions of a file."""
    require_file(path, f"The {what}")
    require_end(path, f"The {what}")
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", ".*truncated", AstropyUserWarning)
            # An open file, because astropy leaves one open where the header is broken.
            with open(path, "rb") as file, fits.open(file, memmap=False) as extensions:
                return take(extensions, f"{what} {path}")
    except Exception as error:  # a damaged file fails anywhere, and as anything: OSError, TypeError, ValueError, ...
        raise _refusal(path, what, error) from None


def _refusal(path: Path, what: str, error: Exception) -> InputError:
    """What to say of a file that could not be read."""
    missing = _missing(path)
    # Files that lack but the filling of their last block are usual; an extension may be absent from them, too.
    if missing >= BLOCK or (missing and not isinstance(error, InputError)):
        return InputError(
            f"The {what} {path} is cut short: {missing} bytes are missing at its end; copy or download it again."
        )
    if isinstance(error, InputError):
        return error
    reason = " ".join(str(error).split()).rstrip(".")
    return InputError(f"The {what} {path} cannot be read as FITS ({reason}); check the file.")


def _missing(path: Path) -> int:
    """Bytes that the headers of a FITS file promise beyond its end, by what astropy warns of."""
    with warnings.catch_warnings(record=True) as noticed, contextlib.suppress(Exception), open(path, "rb") as file:
        warnings.simplefilter("always")
        with fits.open(file, memmap=False) as extensions:
            len(extensions)
    sizes = [re.findall(r"\((\d+)\)", str(one.message)) for one in noticed if "truncated" in str(one.message)]
    return max((int(expected) - int(there) for there, expected in sizes), default=0)


def write_maps(
    path: str | Path,
    maps: Mapping[str, Any],
    grid: Grid,
    origin: SkyCoord,
    units: Mapping[str, str] | None = None,
) -> None:
    """Writes maps on one grid as extensions of a new file; all of it or nothing.

    Args:
        path: FITS file, replaced where it exists.
        maps: extension name -> values, shape (ny, nx).
        grid: their pixels.
        origin: the sky origin of the grid.
        units: extension name -> BUNIT.

    Raises:
        InputError: if a map does not have the grid's shape, a unit has no map, or nothing can be written there.
    """
    units = units or {}
    arrays = {name: np.asarray(values) for name, values in maps.items()}
    for name, values in arrays.items():
        if values.shape != tuple(grid.shape):
            raise InputError(
                f"Map '{name}' must have the grid's shape {tuple(grid.shape)}, but has {values.shape}; cut it."
            )
    for name in units.keys() - arrays.keys():
        raise InputError(f"Unit '{units[name]}' is for a map '{name}', but the maps are {sorted(arrays)}; rename one.")
    header = grid_to_wcs(grid, origin).to_header(relax=True)
    images = [_image(name, values, header, units.get(name)) for name, values in arrays.items()]
    made = BytesIO()
    fits.HDUList([fits.PrimaryHDU(), *images]).writeto(made)
    write_whole(path, made.getvalue())


def _image(name: str, values: np.ndarray, header: fits.Header, unit: str | None) -> fits.ImageHDU:
    stored = values.astype(np.uint8) if values.dtype == bool else values
    # FITS knows ASCII alone: other letters as in a run's results.fits.
    image = fits.ImageHDU(stored, header=header, name=name.encode("ascii", "backslashreplace").decode())
    if unit is not None:
        image.header["BUNIT"] = unit
    return image
