"""Cluster models as Lenstool writes them: a parameter file with potentials and catalogues of galaxies.

Lenstool's x points West and y North, in arcsec from the file's reference; angles run from x to y, so that a position
angle is angle_pos - 90 degrees. `v_disp` is its fiducial dispersion (see `lens.b0_from_velocity_dispersion`), and
`ellipticite` (a^2 - b^2) / (a^2 + b^2) of the mass.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from astropy.coordinates import SkyCoord
from astropy.cosmology import FLRW

from jaxmetal.edge.errors import InputError
from jaxmetal.io.cosmology import kpc_per_arcsec
from jaxmetal.io.deflection import deflection_scale
from jaxmetal.io.file import require_file
from jaxmetal.io.lenstool_cosmology import cosmology_in
from jaxmetal.io.parfile import ANY, NOT_NEGATIVE, POSITIVE, Section, blocks_of, number, settled
from jaxmetal.io.spelling import require_known
from jaxmetal.io.wcs import tangent_offsets
from jaxmetal.lens import DPIE, Members, b0_from_velocity_dispersion, stacked

DPIE_PROFILE = 81
"""Lenstool's number of the dual pseudo-isothermal profile."""
MOST = 10
"""Potentials up to which each is a lens of its own; more of them are one stack."""
CENTRE, ON_SKY = ("x_centre", "y_centre"), ("x_centre_wcs", "y_centre_wcs")
"""Keys of the centre of a potential, in arcsec from the reference or in degrees of right ascension and declination."""
READ = (
    "profil", "ellipticite", "ellipticity", "angle_pos", "core_radius", "core_radius_kpc", "cut_radius",
    "cut_radius_kpc", "v_disp", "z_lens", "ellip_pot",
)  # fmt: skip
NO_MATTER = ("identity", "nid", "mag", "lum")
"""Keys that say nothing of the mass of a potential: its name and its light."""
SCATTERS = ("vdscatter", "rcutscatter")
"""Keys of a potfile whose galaxies leave the scaling relations, which none may here."""
READ_OF_GALAXIES = (
    "filein", "type", "zlens", "mag0", "sigma", "core", "corekpc", "cut", "cutkpc", "slope", "vdslope"
)  # fmt: skip
GALAXY = ("a", "b", "theta", "mag")
"""Columns of a catalogue behind the number and the two positions."""


class LenstoolModel(NamedTuple):
    """A cluster.

    Attributes:
        lens: name -> lens, for a source at the redshift that was asked for.
        origin: from which positions are told.
        z_lens: redshift.
        cosmology: of the file.
    """

    lens: dict[str, Any]
    origin: SkyCoord
    z_lens: float
    cosmology: FLRW


def from_lenstool(par_file: str | Path, z_source: float, origin: SkyCoord | None = None) -> LenstoolModel:
    """Reads a parameter file (best.par): potentials of profile 81 and catalogues of galaxies on scaling relations.

    Args:
        par_file: the file; its catalogues are beside it.
        z_source: redshift of the source, for whose D_LS/D_S the strengths are.
        origin: of positions in the result; by default the file's reference.

    Raises:
        InputError: for what the file lacks, or holds and is not known here.
    """
    path = Path(par_file)
    require_file(path, "The Lenstool parameter file")
    blocks = blocks_of(path)
    reference = _reference(path, blocks)
    origin = reference if origin is None else origin
    cosmology = cosmology_in(path, blocks)
    potentials = [block for block in blocks if block.name == "potentiel"]
    galaxies = [block for block in blocks if block.name == "potfile"]
    if not potentials and not galaxies:
        raise InputError(f"{path}: expected potentials or a potfile, found neither; use a parameter file of a model.")
    twice = sorted({one.label for one in potentials if sum(one.label == other.label for other in potentials) > 1})
    if twice:
        raise InputError(f"{path}: expected potentials of different names, found '{twice[0]}' twice; rename one.")
    z_lens = _one_redshift(path, potentials, galaxies)
    ratio = deflection_scale(cosmology, z_lens, z_source, "inf")
    scales = _Scales(path, ratio, float(kpc_per_arcsec(z_lens, cosmology)), reference, origin)
    lens: dict[str, Any] = {block.label: scales.potential(block) for block in potentials}
    if len(lens) > MOST:
        lens = {"potentials": stacked(list(lens.values()))}
    for place, block in enumerate(galaxies, 1):
        lens["galaxies" if len(galaxies) == 1 else f"galaxies {place}"] = scales.members(block)
    return LenstoolModel(lens, origin, z_lens, cosmology)


class _Scales(NamedTuple):
    """What turns the numbers of one file into those of lenses."""

    path: Path
    ratio: float
    kpc: float
    reference: SkyCoord
    origin: SkyCoord

    def potential(self, block: Section) -> DPIE:
        where = f"{self.path}, potential {block.label}"
        profile = int(number(block, "profil", where))
        if profile != DPIE_PROFILE:
            raise InputError(
                f"{where}: expected profil {DPIE_PROFILE} (dPIE), found {profile}; take it out and add a lens for it."
            )
        require_known(block.values, where, (*CENTRE, *ON_SKY, *READ, *NO_MATTER))
        if number(block, "ellip_pot", where, default=0.0) != 0.0:
            raise InputError(
                f"{where}: expected the ellipticity of the mass, found ellip_pot, that of the potential, which is not "
                "converted; state ellipticite, as Lenstool's best.par has it."
            )
        round_ = number(block, "ellipticity", where, default=0.0, within="[0, 1)")
        e = number(block, "ellipticite", where, default=round_, within="[0, 1)")
        x0, y0 = self.centre(block, where)
        return DPIE(
            b0=b0_from_velocity_dispersion(number(block, "v_disp", where, within=NOT_NEGATIVE), self.ratio),
            core=self.length(block, "core_radius", "core_radius_kpc", where, NOT_NEGATIVE),
            cut=self.length(block, "cut_radius", "cut_radius_kpc", where, POSITIVE),
            x0=x0,
            y0=y0,
            q=float(np.sqrt((1 - e) / (1 + e))),
            pa=number(block, "angle_pos", where, default=0.0) - 90.0,
        )

    def centre(self, block: Section, where: str) -> tuple[float, float]:
        """Of a potential, arcsec from the origin."""
        stated = [key for key in (*CENTRE, *ON_SKY) if key in block.values]
        if not set(stated) & set(ON_SKY):
            x, y = (number(block, key, where, default=0.0) for key in CENTRE)
            dx, dy = tangent_offsets(self.reference, self.origin)
            return x + float(dx), y + float(dy)
        if stated != list(ON_SKY):
            raise InputError(
                f"{where}: expected {' and '.join(CENTRE)}, or {' and '.join(ON_SKY)}, found {', '.join(stated)}; "
                "state one pair."
            )
        ra, dec = (number(block, key, where, within=span) for key, span in zip(ON_SKY, (ANY, "[-90, 90]"), strict=True))
        x0, y0 = tangent_offsets(SkyCoord(ra, dec, unit="deg"), self.origin)
        return float(x0), float(y0)

    def members(self, block: Section) -> Members:
        where = f"{self.path}, potfile"
        profile = int(number(block, "type", where, default=float(DPIE_PROFILE)))
        if profile != DPIE_PROFILE:
            raise InputError(
                f"{where}: expected type {DPIE_PROFILE} (dPIE), found {profile}; other galaxies are not known."
            )
        require_known(block.values, where, (*READ_OF_GALAXIES, *SCATTERS))
        for scatter in SCATTERS:
            settled(block, scatter, where, default=0.0, within="[0, 0]")
        x0, y0, columns = self.catalogue(block, where)
        return Members(
            luminosity=10.0 ** (-0.4 * (columns["mag"] - number(block, "mag0", where))),
            x0=x0,
            y0=y0,
            b0=b0_from_velocity_dispersion(settled(block, "sigma", where, within=NOT_NEGATIVE), self.ratio),
            core=self.length(block, "core", "corekpc", where, NOT_NEGATIVE),
            cut=self.length(block, "cut", "cutkpc", where, POSITIVE, settled),
            q=columns["b"] / columns["a"],
            pa=columns["theta"] - 90.0,
            sigma_slope=1.0 / settled(block, "vdslope", where, default=4.0, within=POSITIVE),
            cut_slope=2.0 / settled(block, "slope", where, default=4.0, within=POSITIVE),
        )

    def length(
        self, block: Section, arcsec: str, kpc: str, where: str, within: str, read: Callable[..., float] = number
    ) -> float:
        """In arcsec, of which the one in arcsec takes precedence, as in Lenstool."""
        if arcsec in block.values:
            return read(block, arcsec, where, within=within)
        if kpc not in block.values:
            raise InputError(f"{where}: expected {arcsec} (arcsec) or {kpc}, found neither; add one.")
        return read(block, kpc, where, within=within) / self.kpc

    def catalogue(self, block: Section, where: str) -> tuple[np.ndarray, np.ndarray, dict[str, np.ndarray]]:
        """Positions from the origin, arcsec, and the other columns."""
        given = block.values.get("filein", [])
        if len(given) < 2 or given[0] not in ("1", "3"):
            raise InputError(
                f"{where}: expected filein 1 or 3 and a catalogue, found {' '.join(given) or 'none'}; use those."
            )
        path = self.path.parent / given[1]
        require_file(path, f"{where}: the catalogue")
        lines = [line.split() for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
        absolute, reference = given[0] == "3", self.reference
        for header in (line for line in lines if line[0].upper() == "#REFERENCE"):
            absolute = header[1:2] == ["0"]
            reference = _stated(path, header[2:4]) or reference
        rows = [line[1 : 3 + len(GALAXY)] for line in lines if not line[0].startswith("#")]
        try:
            first, second, *rest = np.array(rows, float).T
            columns = dict(zip(GALAXY, rest, strict=True))
        except ValueError:
            raise InputError(
                f"{path}: expected rows of id, x, y, a, b, theta, mag, found others; correct it."
            ) from None
        if not np.isfinite([first, second, *rest]).all():
            raise InputError(f"{path}: expected numbers of every galaxy, found some that are not; remove those rows.")
        if not ((columns["b"] > 0) & (columns["a"] >= columns["b"])).all():
            raise InputError(f"{path}: expected axes a >= b > 0 of every galaxy, found others; correct them.")
        sky = SkyCoord(first, second, unit="deg") if absolute else None
        dx, dy = tangent_offsets(reference, self.origin)
        x0, y0 = (first + dx, second + dy) if sky is None else tangent_offsets(sky, self.origin)
        return x0, y0, columns


def _stated(path: Path, words: list[str]) -> SkyCoord | None:
    """The position in a header "#REFERENCE kind RA DEC", to which the rows are relative; None where it has none."""
    if not words:
        return None
    try:
        return SkyCoord(*(float(word) for word in words), unit="deg")
    except (ValueError, TypeError):
        raise InputError(
            f"{path}: expected '#REFERENCE kind RA DEC' in degrees, found {' '.join(words)}; correct it."
        ) from None


def _reference(path: Path, blocks: list[Section]) -> SkyCoord:
    given = next((block.values["reference"] for block in blocks if "reference" in block.values), [])
    try:
        kind, ra, dec = given[:3]
        return SkyCoord(ra, dec, unit=("hourangle", "deg") if kind == "1" else "deg")
    except ValueError:
        raise InputError(
            f"{path}: expected 'reference 3 RA DEC' in runmode, found '{' '.join(given) or 'none'}'; add it."
        ) from None


def _one_redshift(path: Path, potentials: list[Section], galaxies: list[Section]) -> float:
    found = [number(block, "z_lens", f"{path}, potential {block.label}", within=POSITIVE) for block in potentials]
    found += [number(block, "zlens", f"{path}, potfile", within=POSITIVE) for block in galaxies]
    if len(set(found)) > 1:
        listed = " and ".join(f"{z:g}" for z in sorted(set(found)))
        raise InputError(f"{path}: expected one redshift of all lenses, found {listed}; only one lens plane is known.")
    return found[0]
