"""Redshifts of a configuration: one of each source, `galaxy.z` where it states none of its own."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection
from typing import Any

from astropy.cosmology import FLRW

from jaxmetal.edge.errors import InputError
from jaxmetal.edge.findings import Finding
from jaxmetal.io.config.table import child, positive
from jaxmetal.io.cosmology import kpc_per_arcsec
from jaxmetal.io.deflection import deflection_scale

FARTHEST = 1000.0
"""Redshift up to which there is anything to see."""


@dataclasses.dataclass(frozen=True)
class Redshifts:
    """How far away the sources are.

    Attributes:
        galaxy: `galaxy.z`, None without one.
        own: source -> its own, None where a distance ratio is stated in its place.
        lights: source -> names of its lights.
    """

    galaxy: float | None = None
    own: dict[str, float | None] = dataclasses.field(default_factory=dict)
    lights: dict[str, tuple[str, ...]] = dataclasses.field(default_factory=dict)

    def of(self, source: str) -> float | None:
        """The redshift of a source, None where it is not known."""
        return self.own.get(source, self.galaxy)

    def showing(self, light: str) -> set[float]:
        """The redshifts of the sources that have a light, where they are known; `galaxy.z` where none is stated."""
        sources = [source for source, lights in self.lights.items() if light in lights]
        found = {self.of(source) for source in sources} if sources else {self.galaxy}
        return {z for z in found if z is not None}

    @property
    def reference(self) -> float | None:
        """The redshift for which the deflections of a scene are: `galaxy.z`, else the first that a source states."""
        return next((z for z in (self.galaxy, *self.own.values()) if z is not None), None)

    def require_behind(self, z_lens: float, where: str) -> None:
        """Refuses a source in front of a lens.

        Raises:
            InputError: naming the source.
        """
        stated = {"galaxy.z": self.galaxy, **{f"sources.{name}.z": z for name, z in self.own.items()}}
        for place, z in stated.items():
            if z is not None and z <= z_lens:
                raise InputError(
                    f"{place}: expected a source behind the lens ({where}.z_lens = {z_lens:g}), found {z:g}; correct "
                    "one of them, or give a source that is not lensed distance_ratio = 0 in the place of a redshift."
                )

    def ratio(self, source: str, planes: Collection[float], cosmology: FLRW) -> float:
        """D_LS/D_S of a source over that of the reference (see `Source.distance_ratio`).

        Args:
            source: name.
            planes: redshifts of the lenses that state one.
            cosmology: for distances.

        Raises:
            InputError: if sources at several redshifts lie behind lenses at none, or at several, or one of them states
                neither redshift nor distance ratio.
        """
        z = self.of(source)
        if z is None and source not in self.own and self.reference is not None:
            raise InputError(
                f"sources.{source}: expected a redshift z or a distance_ratio, as deflections are for z = "
                f"{self.reference:g}, found neither; add one, or state galaxy.z."
            )
        return 1.0 if z is None else self.ratio_at(z, f"sources.{source}.z", planes, cosmology)

    def ratio_at(self, z: float, where: str, planes: Collection[float], cosmology: FLRW) -> float:
        """D_LS/D_S at a redshift over that of the reference; arguments as of `ratio`.

        Raises:
            InputError: if there is no reference, or no single lens plane, or the redshift is in front of it.
        """
        if self.reference is None:
            raise InputError(
                f"{where}: expected the redshift for which the deflections are beside that of this source, {z:g}, "
                "found none; state it as galaxy.z."
            )
        if z == self.reference:
            return 1.0
        if len(set(planes)) != 1:
            found = " and ".join(f"{z_lens:g}" for z_lens in sorted(set(planes))) or "none"
            raise InputError(
                f"{where}: expected one redshift of the lens, as deflections are for z = {self.reference:g} "
                f"and this source is at {z:g}, found {found}; "
                + ("state one z_lens for all of [lens]." if planes else "state z_lens in [lens], which there must be.")
            )
        (z_lens,) = set(planes)
        if z <= z_lens:
            raise InputError(
                f"{where}: expected a source behind the lens (z_lens = {z_lens:g}), found {z:g}; correct one of them."
            )
        return deflection_scale(cosmology, z_lens, z_source=z, z_map=self.reference)

    def scales(self, sources: Collection[str], cosmology: FLRW) -> dict[str, float]:
        """Proper kpc per arcsec of the sources whose redshift is known."""
        found = {source: scale_at(self.of(source), cosmology) for source in sources}
        return {source: scale for source, scale in found.items() if scale is not None}


def several_planes(planes: Collection[float]) -> list[Finding]:
    """A warning where lenses at several redshifts are taken for one."""
    if len(set(planes)) < 2:
        return []
    found = " and ".join(f"{z:g}" for z in sorted(set(planes)))
    text = f"[lens]: lenses at z = {found} bend light as if in one plane; rays between them are not followed."
    return [Finding("warning", text)]


def scale_at(z: float | None, cosmology: FLRW) -> float | None:
    """Proper kpc per arcsec at a redshift, None where that is not known."""
    return None if z is None else float(kpc_per_arcsec(z, cosmology))


def redshifts(table: dict[str, Any]) -> Redshifts:
    """Those of a whole file.

    Raises:
        InputError: if one is not above 0, or a source states both a redshift and a distance ratio.
    """
    galaxy, where = child(table, "galaxy", "", {})
    sources, place = child(table, "sources", "", {})
    own, lights = {}, {}
    for name in sources:
        source, at = child(sources, name, place)
        lights[name] = tuple(child(source, "lights", at, {})[0])
        if "z" in source and "distance_ratio" in source:
            raise InputError(f"{at}: expected a redshift or a distance_ratio, found both z and that; remove one.")
        if "z" in source or "distance_ratio" in source:
            own[name] = positive(source, "z", at, float, None, FARTHEST)
    return Redshifts(positive(galaxy, "z", where, float, None, FARTHEST), own, lights)
