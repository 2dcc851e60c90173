"""What every part of a configuration needs to know while it is read."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

from astropy.coordinates import SkyCoord
from astropy.cosmology import FLRW

from jaxmetal.edge.errors import InputError
from jaxmetal.edge.findings import Finding
from jaxmetal.io.config.redshifts import Redshifts
from jaxmetal.io.config.table import require_known, take
from jaxmetal.io.file import require_file
from jaxmetal.io.fits import Map, read_map


@dataclasses.dataclass(frozen=True, kw_only=True)
class Context:
    """Shared while one file is read; the three collections fill up on the way.

    Attributes:
        folder: that paths are relative to.
        origin: sky origin.
        cosmology: for distances.
        redshifts: of the sources.
        z_lens: of the lens that is being read, None where it states none.
        pixel_scale: of the observation that is being read, arcsec.
        advice: what to do about a file that does not exist.
        inputs: place in the file -> path of a file that was read.
        starts: place in the file -> where the fit is to start.
        findings: what is worth knowing about the data.
    """

    folder: Path
    origin: SkyCoord
    cosmology: FLRW
    redshifts: Redshifts = dataclasses.field(default_factory=Redshifts)
    z_lens: float | None = None
    pixel_scale: float = 0.0
    advice: str = "provide it, or try those that `jaxmetal simulate` writes"
    inputs: dict[str, Path] = dataclasses.field(default_factory=dict)
    starts: dict[str, Any] = dataclasses.field(default_factory=dict)
    findings: list[Finding] = dataclasses.field(default_factory=list)

    def path(self, given: Any, where: str) -> tuple[Path, int | str | None]:
        """Path and extension of `"map.fits"` or `{file = "map.fits", hdu = "SCI"}`, recorded as an input.

        Raises:
            InputError: if it is no path of a file that exists.
        """
        hdu = None
        if isinstance(given, dict):
            require_known(given, where, ("file", "hdu"))
            hdu, given = given.get("hdu"), take(given, "file", where, str)
        if given is None:
            raise InputError(f'{where} is missing: expected the path of a file; write e.g. "map.fits" in quotes.')
        if not isinstance(given, str):
            raise InputError(f"{where}: expected the path of a file, found {given!r}; write it in quotes.")
        path = self.folder / given
        require_file(path, f"{where}: the path", self.advice)
        self.inputs[where] = path
        return path, hdu

    def map(self, given: Any, where: str, *, blank: bool = False) -> Map:
        """The image in a file; `blank` allows one of nothing but NaN."""
        return read_map(*self.path(given, where), what=f"{where} file", blank=blank)
