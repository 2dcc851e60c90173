"""What every part of a configuration needs to know while it is read."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

from astropy.coordinates import SkyCoord
from astropy.cosmology import FLRW

from jaxmetal.edge.errors import InputError, shown
from jaxmetal.edge.findings import Finding
from jaxmetal.io.config.redshifts import Redshifts
from jaxmetal.io.config.table import naming, take
from jaxmetal.io.extension import Hdu, hdu_of
from jaxmetal.io.file import require_file
from jaxmetal.io.fits import Map, read_map
from jaxmetal.io.pixels import require_same_pixels
from jaxmetal.io.spelling import require_known
from jaxmetal.io.wcs import NOWHERE
from jaxmetal.numerics.grid import Grid


@dataclasses.dataclass(frozen=True, kw_only=True)
class Context:
    """Shared while one file is read; the three collections fill up on the way.

    Attributes:
        folder: that paths are relative to.
        origin: sky origin; `NOWHERE` where nothing says where on the sky the data lie.
        stated: whether the sky origin is the user's own statement.
        cosmology: for distances.
        redshifts: of the sources.
        z_lens: of the lens that is being read, None where it states none.
        planes: redshifts of all lenses that state one, once they are read.
        of_models: cosmology that models of lenses bring along, None where they bring none.
        data: of the observation that is being read.
        grid: their pixels.
        several: whether the node that is being read stands for many, so that its numbers may be lists.
        advice: what to do about a file that does not exist.
        inputs: place in the file -> path of a file that was read.
        starts: place in the file -> where the fit is to start.
        findings: what is worth knowing about the data.
    """

    folder: Path
    origin: SkyCoord
    cosmology: FLRW
    stated: bool = False
    redshifts: Redshifts = dataclasses.field(default_factory=Redshifts)
    z_lens: float | None = None
    planes: tuple[float, ...] = ()
    of_models: FLRW | None = None
    data: Map | None = None
    grid: Grid | None = None
    several: bool = False
    advice: str = "provide it, or try those that `jaxmetal simulate` writes"
    inputs: dict[str, Path] = dataclasses.field(default_factory=dict)
    starts: dict[str, Any] = dataclasses.field(default_factory=dict)
    findings: list[Finding] = dataclasses.field(default_factory=list)

    @property
    def bending(self) -> FLRW:
        """The cosmology of D_LS/D_S, that of the strengths of the lenses."""
        return self.cosmology if self.of_models is None else self.of_models

    def path(self, given: Any, where: str) -> tuple[Path, Hdu]:
        """Path and image of `"map.fits"` or `{file = "map.fits", hdu = "SCI", channel = 3}`, recorded as an input.

        Raises:
            InputError: if it is no path of a file that exists.
        """
        hdu = None
        if isinstance(given, dict):
            require_known(given, where, ("file", "hdu", "channel"))
            hdu, given = hdu_of(given.get("hdu"), given.get("channel"), where), take(given, "file", where, str)
        if given is None:
            raise InputError(f'{where} is missing: expected the path of a file; write e.g. "map.fits" in quotes.')
        if not isinstance(given, str):
            raise InputError(f"{where}: expected the path of a file, found {shown(given)}; write it in quotes.")
        path = self.folder / given
        require_file(path, f"{where}: the path", self.advice)
        self.inputs[where] = path
        return path, hdu

    def map(self, given: Any, where: str, *, blank: bool = False) -> Map:
        """The image in a file; `blank` allows one of nothing but NaN."""
        return read_map(*self.path(given, where), what=f"{where} file", blank=blank)

    def beside(self, data: Map, given: Any, where: str) -> Map:
        """The image in a file that must have the pixels of the data."""
        read = self.map(given, where)
        self.findings.extend(require_same_pixels(data, read, where))
        return read

    def placed(self, read: Map, where: str) -> Grid:
        """The pixels of a map on the tangent plane at the sky origin.

        Raises:
            InputError: if its world coordinates cannot be used, or there is no sky origin.
        """
        if self.origin is NOWHERE and read.on_sky:
            raise InputError(
                f"{where}: {read.path} has world coordinates, but the first observation has none, so that where they "
                "lie on each other is not known; add them to its header, or state in [sky] where its middle is."
            )
        with naming(where):
            return read.grid(self.origin)

    def require_nowhere(self, read: Map, where: str) -> None:
        """Refuses a map without world coordinates beside others that have them, unless [sky] says where they lie."""
        if self.origin is not NOWHERE and not self.stated:
            raise InputError(
                f"{where}: {read.path} has no world coordinates, but the first observation has them, so that where "
                "they lie on each other is not known; add them to its header, or state in [sky] where its middle is."
            )


def in_file(given: Any, file: Any) -> Any:
    """What is said of a map where one file holds them all: names, numbers, [name, EXTVER] and channels are in that.

    Args:
        given: as `Context.path` takes it, or an extension of the file, or {hdu = ..., channel = ...}.
        file: of all maps, None where each has its own.
    """
    if file is None or isinstance(given, bool):
        return given
    if isinstance(given, dict):
        return given if "file" in given else {"file": file, **given}
    return {"file": file, "hdu": given} if isinstance(given, (str, int, list)) else given
