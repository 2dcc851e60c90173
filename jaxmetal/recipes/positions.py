"""Positions of multiple images from NumPy arrays: checked, grouped in families."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from jaxmetal.edge.arrays import floats, require_computable
from jaxmetal.edge.errors import InputError, shown
from jaxmetal.edge.names import require_names
from jaxmetal.edge.noise import require_errors
from jaxmetal.edge.ranges import NUMBERS, contains
from jaxmetal.likelihood.integrated import Integrated
from jaxmetal.numerics.quantities import plain
from jaxmetal.observation import Positions
from jaxmetal.prior import is_site
from jaxmetal.recipes.checked import require_numbers

STEPS = {"source": 1, "image": 3}
"""Plane in which chi2 is taken -> steps of `Positions`."""


def multiple_images(
    family: Sequence[Any],
    x: Any,
    y: Any,
    *,
    sigma: Any,
    distance_ratio: Mapping[str, Any] | float = 1.0,
    jitter: Any = 0.0,
    plane: str = "source",
) -> Positions:
    """Positions of multiple images, in families of images of one source.

    Args:
        family: name of the source of each image.
        x: arcsec to the West, one for each image.
        y: arcsec to the North.
        sigma: standard deviation along x and along y, arcsec: a number, or one for each image.
        distance_ratio: family -> D_LS/D_S of its source over that for which the deflections are, a number or a
            distribution; a single number is that of all.
        jitter: what models of the mass leave, arcsec, added in quadrature: a number or a distribution.
        plane: "source" takes chi2 linear around the observed images, which is the robust one; "image" follows the
            images of the model: better where they merge, and from a good start.

    Raises:
        InputError: if any of these cannot be used; the sentence says which and what to do.
    """
    if plane not in STEPS:
        raise InputError(f"plane: expected one of {', '.join(STEPS)}, found {shown(plane)}; choose one.")
    named = [str(name) for name in family]
    places = np.stack([_column("x", x, len(named)), _column("y", y, len(named))])
    families = tuple(dict.fromkeys(named))
    require_names(families, "family")
    _require_images(named, places)
    ratios = _ratios(distance_ratio, families)
    jitter = plain("jitter", jitter, "arcsec")
    require_numbers(jitter=jitter)
    errors = np.broadcast_to(_sigma(sigma, len(named)), places.shape).copy()
    return Positions(
        data=places,
        noise=Integrated(sigma=errors, jitter=jitter),
        used=np.ones(places.shape, bool),
        around=places,
        family=np.array([families.index(name) for name in named]),
        distance_ratio=ratios,
        families=families,
        steps=STEPS[plane],
    )


def _column(name: str, values: Any, count: int) -> np.ndarray:
    found = floats(name, values, "arcsec")
    if found.shape != (count,):
        raise InputError(
            f"{name}: expected {count} numbers, one for each image, found shape {found.shape}; give as many."
        )
    bad = np.flatnonzero(~np.isfinite(found))
    if bad.size:
        raise InputError(
            f"{name}: expected a position of every image, found {bad.size} without, the first in row {bad[0] + 1}; "
            "remove those rows."
        )
    require_computable(name, found, np.ones(count, bool))
    return found


def _sigma(sigma: Any, count: int) -> np.ndarray:
    found = floats("sigma", sigma, "arcsec")
    if found.shape not in ((), (count,)):
        raise InputError(f"sigma: expected a number or {count}, one for each image, found shape {found.shape}.")
    whole = np.broadcast_to(found, (count,))
    require_errors("sigma", whole, np.ones(count, bool))
    return whole


def _require_images(named: Sequence[str], places: np.ndarray) -> None:
    """Refuses families that say nothing of the lens, and images that are there twice."""
    if not named:
        raise InputError("Expected at least two images, found none; give a row for each.")
    alone = [name for name in dict.fromkeys(named) if named.count(name) < 2]
    if alone:
        raise InputError(
            f"family '{alone[0]}': expected at least two images, found one, which says nothing of the lens; remove it "
            "or name its family as that of the others."
        )
    for k, place in enumerate(places.T):
        same = np.flatnonzero((place == places[:, :k].T).all(axis=1))
        if same.size:
            raise InputError(
                f"Rows {same[0] + 1} and {k + 1} (families '{named[same[0]]}' and '{named[k]}') have the same "
                f"position, x = {place[0]:.6g}, y = {place[1]:.6g} arcsec: expected every image once; remove one."
            )


def _ratios(given: Mapping[str, Any] | float, families: Sequence[str]) -> dict[str, Any]:
    if not isinstance(given, Mapping):
        given = dict.fromkeys(families, given)
    for name in families:
        if name not in given:
            raise InputError(
                f"family '{name}': expected its redshift or distance ratio, found neither; add it for every family."
            )
        number = isinstance(given[name], NUMBERS)
        if not is_site(given[name]) and not (number and contains("(0, inf)", given[name])):
            found = f"{given[name]:g}" if number else shown(given[name])
            raise InputError(
                f"family '{name}': expected a distance ratio above 0, behind the lens, found {found}; correct its "
                "redshift."
            )
    unknown = sorted(set(given) - set(families))
    if unknown:
        raise InputError(
            f"distance_ratio: expected families that have images ({', '.join(families)}), found '{unknown[0]}'; "
            "correct it."
        )
    return {name: given[name] if is_site(given[name]) else float(given[name]) for name in families}
