"""The whole configuration."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

from astropy.coordinates import SkyCoord
from astropy.cosmology import FLRW

from jaxmetal.edge.errors import InputError
from jaxmetal.edge.findings import Finding, worst_first
from jaxmetal.edge.galaxy_names import LONGEST
from jaxmetal.edge.names import require_name, require_names
from jaxmetal.fit.choose import checked
from jaxmetal.fit.method import Options
from jaxmetal.fit.methods import METHODS
from jaxmetal.fit.seeds import seed_of
from jaxmetal.fit.start import require_possible
from jaxmetal.io.config.context import Context
from jaxmetal.io.config.extreme import extreme
from jaxmetal.io.config.lenses import behind
from jaxmetal.io.config.observations import kind_of, observation
from jaxmetal.io.config.redshifts import redshifts, scale_at
from jaxmetal.io.config.scene import deflectors, scene
from jaxmetal.io.config.suspicious import suspicious
from jaxmetal.io.config.table import child, choose, described, naming, positive, take
from jaxmetal.io.cosmology import flat
from jaxmetal.io.spelling import require_known
from jaxmetal.io.stored import best_values
from jaxmetal.io.wcs import NOWHERE
from jaxmetal.model import tree
from jaxmetal.prior import sites, typical
from jaxmetal.scene import Scene

FINEST = {"oversampling": 50, "subsamples": 50, "margin": 2000}
"""Counts of a sample grid -> the most: samples fill the memory as their square."""

SECTIONS = ("galaxy", "sky", "cosmology", "fit", "observations", "sources", "recipe", "lens")

OF_OTHERS = {"source": "source", "lines": "features"}
"""Command -> a section that only its own configurations have."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Job:
    """What a configuration describes.

    Attributes:
        name: of the galaxy.
        scene: the prior.
        observations: name -> observation.
        settings: keywords of `fit.auto`.
        origin: sky origin.
        kpc_per_arcsec: proper scale at `galaxy.z`, None without one.
        scales: the same of every source whose redshift is known, name -> scale.
        reference: redshift of the source for which deflections hold, None where no source has one.
        findings: what is worth knowing about the data, worst first.
        inputs: place in the file -> path of every file that was read.
        configuration: the file as it was read.
    """

    name: str
    scene: Scene
    observations: dict[str, Any]
    settings: dict[str, Any]
    origin: SkyCoord
    kpc_per_arcsec: float | None
    scales: dict[str, float]
    reference: float | None
    findings: tuple[Finding, ...]
    inputs: dict[str, Path]
    configuration: dict[str, Any]


def read_config(path: str | Path) -> Job:
    """Reads a configuration and every file it names; paths are relative to it.

    Raises:
        InputError: if anything cannot be used; the sentence says where and what to do.
    """
    return described(path, read_job)


def read_job(table: dict[str, Any], path: Path) -> Job:
    """What a configuration describes, whose file is `path`.

    Raises:
        InputError: as `read_config`.
    """
    others = [command for command, own in OF_OTHERS.items() if own in table and "observations" not in table]
    if others:
        raise InputError(
            f"configuration: expected one of `jaxmetal fit`, with [observations], found one of `jaxmetal {others[0]}` "
            f"(it has [{OF_OTHERS[others[0]]}]); run `jaxmetal {others[0]}` on it, which checks it as well."
        )
    require_known(table, "configuration", SECTIONS)
    galaxy, where = child(table, "galaxy", "", {})
    require_known(galaxy, where, ("name", "z"))
    far = redshifts(table)
    called = take(galaxy, "name", where, str, path.stem)
    require_name(called, f"{where}.name", LONGEST)
    given, place = child(table, "observations", "")
    require_names(given, place)
    if not given:
        raise InputError("observations: expected at least one, found none; add e.g. [observations.metallicity].")
    folder = path.absolute().parent
    origin = _origin(table, given, folder)
    context = Context(
        folder=folder, origin=origin, cosmology=cosmology_of(table), stated=bool(table.get("sky")), redshifts=far
    )
    bending = deflectors(table, context)
    context = behind(bending.values(), context)
    observations = {name: observation(*child(given, name, "observations"), context) for name in given}
    made = scene(table, observations, {name: one.lens for name, one in bending.items()}, context)
    settings = _settings(table)
    whole = tree(made, observations)
    free = sites(whole)
    earlier = settings.pop("start", None)
    stored = {} if earlier is None else best_values(folder / earlier, free)
    starts = {**stored, **{_site(name): v for name, v in context.starts.items()}}
    require_possible(free, starts)
    now = typical(whole)
    context.findings.extend([*extreme(whole, now), *suspicious(whole, now)])
    return Job(
        name=called,
        scene=made,
        observations=observations,
        settings={**settings, "start": starts, "sampling": _sampling(given)},
        origin=context.origin,
        kpc_per_arcsec=scale_at(far.galaxy, context.cosmology),
        scales=far.scales(made.sources, context.cosmology),
        reference=far.reference,
        findings=worst_first(context.findings),
        inputs={"configuration": path, **context.inputs},
        configuration=table,
    )


def _origin(table: dict[str, Any], observations: dict[str, Any], folder: Path) -> SkyCoord:
    """The stated sky origin, or that of the first observation whose kind knows one."""
    sky, where = child(table, "sky", "", {})
    require_known(sky, where, ("ra", "dec"))
    if sky:
        ra, dec = (take(sky, key, where, float) for key in ("ra", "dec"))
        if not (0 <= ra <= 360 and -90 <= dec <= 90):
            raise InputError(
                f"sky: expected ra within 0 to 360 and dec within -90 to 90 degrees, found {ra}, {dec}; correct them."
            )
        return SkyCoord(ra, dec, unit="deg")
    tables = [child(observations, name, "observations") for name in observations]
    context = Context(folder=folder, origin=NOWHERE, cosmology=cosmology_of(table))
    for one, place in tables:
        kind = kind_of(one, place)
        if kind.origin is not None:
            return kind.origin(one, place, context)
    return NOWHERE


def cosmology_of(table: dict[str, Any]) -> FLRW:
    """The flat cosmology of a configuration."""
    given, where = child(table, "cosmology", "", {})
    require_known(given, where, ("H0", "Om0"))
    hubble, matter = positive(given, "H0", where, float, 70.0, 1000.0), positive(given, "Om0", where, float, 0.3, 1.0)
    return flat(hubble, matter)


def _settings(table: dict[str, Any]) -> dict[str, Any]:
    given, where = child(table, "fit", "", {})
    counts = ("chains", "draws", "warmup", "start_count")
    require_known(given, where, ("method", "seed", "target_accept", "start", *counts))
    settings: dict[str, Any] = {key: positive(given, key, where, int) for key in counts if key in given}
    if "target_accept" in given:
        settings["target_accept"] = positive(given, "target_accept", where, float)
    if "start" in given:
        settings["start"] = take(given, "start", where, str)
    settings["seed"] = take(given, "seed", where, int, 0)
    settings["method"] = choose(given.get("method", "auto"), f"{where}.method", METHODS)
    with naming(where):
        checked(Options.among(settings))
        seed_of(settings["seed"])
    return settings


def _sampling(given: dict[str, Any]) -> dict[str, dict[str, int]]:
    """Counts of the sample grids that are asked for instead of the automatic ones."""
    chosen = {}
    for name, table in given.items():
        if "sampling" in table:
            asked, where = child(table, "sampling", f"observations.{name}")
            require_known(asked, where, FINEST)
            chosen[name] = {key: positive(asked, key, where, int, most=FINEST[key]) for key in asked}
    return chosen


def _site(where: str) -> str:
    """The parameter's name of a place in the file; names of ties stay."""
    head, _, rest = where.partition(".")
    return rest if head == "observations" else f"scene.{where}" if head in ("sources", "lens") else where
