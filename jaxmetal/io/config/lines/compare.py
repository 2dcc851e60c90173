"""What `jaxmetal lines --compare-calibrations` compares, and the radius that its straight lines go along."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np

from jaxmetal.edge.errors import InputError
from jaxmetal.fluxmaps import Found, by_choice
from jaxmetal.frame import Disc
from jaxmetal.instrument import Gaussian as Seeing
from jaxmetal.io.config.lines.likelihood import KINDS, names
from jaxmetal.io.config.lines.read import LinesJob
from jaxmetal.io.config.table import child, take
from jaxmetal.io.spelling import require_known
from jaxmetal.likelihood import Gaussian
from jaxmetal.lines import emission
from jaxmetal.lines.literature import catalogue
from jaxmetal.observation import Image
from jaxmetal.recipes import guess_from_image

LAWS = ("CCM89", "Calzetti00")
"""By default."""
OF_LINES = ("temperature", "hydrogen", "oiii_doublet", "nii_doublet", "scatter")
OPTIONS = ("z_range", "a_v_range", "r_v", *OF_LINES)
"""Of the likelihood, the same for all choices."""


class Choices(NamedTuple):
    """What was compared.

    Attributes:
        found: choice by choice.
        radius: what it is, in words.
    """

    found: list[Found]
    radius: str


def compare(job: LinesJob, progress: Callable[[int, int], None] | None = None) -> Choices:
    """All choices of a configuration.

    Raises:
        InputError: if the likelihood is that of a paper, a name is not known, or nothing tells a radius.
    """
    given, where = child(job.configuration, "likelihood", "", {})
    if given.get("type", "fluxes") != "fluxes":
        raise InputError(
            f'{where}.type: expected "fluxes" to compare calibrations, found that of a paper; leave it out.'
        )
    asked, place = child(job.configuration, "compare", "", {})
    require_known(asked, place, ("calibrations", "laws", "lines"))
    rows, _ = child(job.configuration, "features", "", {})
    contents = {name: rows[name].get("blend", name) for name in job.spectra.features}
    readers = KINDS["fluxes"][1]
    options = {key: readers[key](given, key, where) for key in OPTIONS if key in given}
    if take(child(job.configuration, "data", "", {})[0], "dereddened", "data", bool, False):
        options["a_v_range"] = (0.0, 0.0)
    radius, told = _radius(job)
    found = by_choice(
        job.spectra,
        radius,
        calibrations=names(asked, "calibrations", place) if "calibrations" in asked else _sets(contents, options),
        laws=names(asked, "laws", place) if "laws" in asked else LAWS,
        lines=_line_sets(asked, place),
        contents=contents,
        seed=job.seed,
        progress=progress,
        **options,
    )
    return Choices(found, told)


def _line_sets(asked: dict[str, Any], place: str) -> list[list[str]] | None:
    if "lines" not in asked:
        return None
    return [names({"lines": one}, "lines", place) for one in take(asked, "lines", place, list)]


def _sets(contents: Mapping[str, Any], options: Mapping[str, Any]) -> list[str]:
    """The verified sets of calibrations that know all lines."""
    of_lines = {key: options[key] for key in OF_LINES if key in options}
    known = [name for name in catalogue() if _knows(name, contents, of_lines)]
    if not known:
        raise InputError(
            f"compare.calibrations: expected sets, found none that knows all of {', '.join(contents)}; name some, or "
            "compare.lines with fewer."
        )
    return known


def _knows(name: str, contents: Mapping[str, Any], options: Mapping[str, Any]) -> bool:
    try:
        return bool(emission(contents, name, **options).calibrations)
    except InputError:
        return False


def _radius(job: LinesJob) -> tuple[np.ndarray, str]:
    """Of every spectrum, arcsec: the one given, or that of a disc with the moments of the brightest line."""
    spectra = job.spectra
    if job.radius is not None:
        return spectra.means(job.radius), "radius of the configuration"
    if spectra.grid is None:
        raise InputError("radius: expected maps, which tell one, found a table alone; add data.bins and radius.")
    flux, sigma = (spectra.painted(one[..., job.light]) for one in (spectra.flux, spectra.sigma))
    used = np.isfinite(flux) & np.isfinite(sigma)
    image = Image(
        data=np.where(used, flux, 0.0),
        noise=Gaussian(sigma=np.where(used, sigma, 1.0)),
        grid=spectra.grid,
        # Moments of what is seen: the blur rounds and widens it, which a straight line through spaxels does not undo.
        psf=Seeing(fwhm=float(np.min(spectra.grid.steps))),
        light="light",
        used=used,
    )
    guess = guess_from_image(image)
    u, v = Disc(x0=guess.x0, y0=guess.y0, q=guess.q, pa=guess.pa).to_plane(*spectra.grid.centres())
    told = (
        f"radius in a disc guessed from {spectra.features[job.light]}, q = {guess.q:.2f}, pa = {guess.pa:.0f} degrees"
    )
    return spectra.means(np.hypot(np.asarray(u), np.asarray(v))), told
