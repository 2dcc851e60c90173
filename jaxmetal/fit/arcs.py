"""Where a fit of a lens to the image of an arc starts: found from the image.

From a lens that is far off, the optimiser climbs to one of many maxima where a wrong source fills a wrong lens. The
lens, and the shapes of what lies in front of it, are therefore searched first by differential evolution (Storn & Price
1997, J. Global Optim. 11, 341) for the probability that `fit.cells` gives them, whatever the source.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from jaxmetal.edge.progress import say
from jaxmetal.fit.cells import BRIGHT, UNBLURRED, Answer, Arc, Question, arc_of, best, heights
from jaxmetal.fit.coordinates import coordinates
from jaxmetal.fit.problem import constrain, size
from jaxmetal.meaning import Place, places
from jaxmetal.model import tree
from jaxmetal.numerics.packed import Packed, unpacked
from jaxmetal.numerics.profile import is_on_sky
from jaxmetal.prior import is_fixed, medians, split, strong, typical
from jaxmetal.recipes.guess import moments
from jaxmetal.scene import Scene, deflection

MOST, FEWEST, SIMPLE = 6000, 500, 60
"""Pixels that are looked at; fewer, in inverse proportion, where free deflectors have more numbers than these."""
WIDEST = 2.5
"""Standard deviations of the prior within which the search stays."""
MEMBERS, GENERATIONS, SETTLED = 12, 60, 1e-3
"""Of the search: points for each free number, turns, and the spread of heights over their mean at which it ends."""

FLUX, RADIUS = "flux", "half-light radius"
"""Roles of what is found of lights."""
CLOSE = 0.3
"""Standard deviations of the prior about a lens that is nearly the best, among which the best is sought."""

Pair = tuple[str, str]
"""Names of a source and of a light."""


def from_arcs(scene: Scene, observations: Mapping[str, Any], progress: bool = False) -> dict[str, np.ndarray]:
    """Parameter name -> where to begin, of a scene with a free lens and an image of light behind it; else nothing.

    Of several images the first counts. All sources behind the lens begin at one place, with the moments of what the
    best lens leaves in the source's plane; of their lights, each is half as large as the one before.

    Args:
        scene: prior, see `fit.auto`.
        observations: name -> observation.
        progress: say on stderr that there is a search.
    """
    whole = tree(scene, observations)
    free = places(whole)
    curved = {one.site for one in free if one.path[:2] == ("scene", "lens")}
    now = typical(whole) if curved else {}
    for called in observations if curved else ():
        behind, front = _seen(now["scene"], now[called])
        if behind:
            say("Looking for the lens from which all of the arc has one source.", progress)
            before = {source for source, _ in front}
            # Fluxes are solved for.
            shapes = {one.site for one in free if one.path[1:2] == ("sources",) and one.role != FLUX}
            wanted = curved | {one.site for one in free if one.site in shapes and one.path[2] in before}
            skeleton, sites = split(whole)
            question = _question(scene, skeleton["scene"], sites, wanted, (behind, front), now[called])
            named = {".".join(one.path): one.site for one in reversed(free)}
            values = _begun(question, medians(sites), called, behind, front, free)
            return _within(sites, {named.get(place, place): value for place, value in values.items()})
    return {}


def _seen(now: Scene, image: Any) -> tuple[list[Pair], list[Pair]]:
    """The lights that an image shows behind the lens, and in front of it; none where it is no image of such."""
    if image.properties or image.subject is None or image.pixels is None or image.bins is not None:
        return [], []
    behind, front = [], []
    for source, light in image.shown(now):
        if np.all(np.asarray(now.sources[source].distance_ratio) == 0):
            front.append((source, light))
        elif not is_on_sky(now.sources[source].lights[light]):
            behind.append((source, light))
    return behind, front


def _question(
    scene: Scene, skeleton: Scene, sites: Mapping[str, Any], wanted: set[str], seen: tuple[list[Pair], ...], image: Any
) -> Question:
    behind, front = seen
    still = {name: one for name, one in scene.lens.items() if is_fixed(one)}
    moving = {name: one for name, one in skeleton.lens.items() if name not in still}
    numbers = sum(np.size(leaf) for leaf in jax.tree.leaves(moving))
    arc = arc_of(image, int(np.clip(MOST * SIMPLE // max(numbers, 1), FEWEST, MOST)))
    return Question(
        lens=moving,
        alpha=strong(deflection(still, jnp.asarray(arc.x), jnp.asarray(arc.y))),
        ratio=skeleton.sources[behind[0][0]].distance_ratio,
        front=[_alone(skeleton.sources[source], light) for source, light in front],
        priors=strong({name: Packed.of(prior) for name, prior in sites.items() if name in wanted}),
        rest=strong(medians({name: prior for name, prior in sites.items() if name not in wanted})),
        arc=strong(arc),
    )


def _alone(source: Any, light: str) -> Any:
    """A source with one of its lights, named "light"."""
    return dataclasses.replace(source, lights={"light": source.lights[light]}, carries={}, departures={}, r_eff=None)


def _begun(
    question: Question,
    usual: Mapping[str, Any],
    called: str,
    behind: list[Pair],
    front: list[Pair],
    free: Sequence[Place],
) -> dict[str, np.ndarray]:
    """Values of the best lens, and of the lights that go with it; `usual` are the medians of the priors."""
    priors, found = unpacked(question.priors), None
    for unblurred in UNBLURRED:
        arc = question.arc._replace(unblurred=np.asarray(unblurred, question.arc.data.dtype))
        found = _evolved(question._replace(arc=arc), found, size(priors))
    vector = jnp.asarray(found, jnp.result_type(float))
    seen = jax.tree.map(np.asarray, best(question, vector))
    values = {name: np.asarray(value) for name, value in constrain(priors, vector)[0].items()}
    values[f"{called}.sky.level"], *factors = seen.amplitudes
    for pair, factor in zip(front, factors, strict=True):
        values |= {".".join(one.path): factor * usual[one.site] for one in _below(pair, free, FLUX)}
    return values | _lights(question.arc, seen, behind, free)


def _evolved(question: Question, near: np.ndarray | None, numbers: int) -> np.ndarray:
    """The vector of the best lens, sought everywhere or, where there is one that is nearly so, about it."""
    from scipy.optimize import differential_evolution  # slow to import, and few need it

    members: Any = "sobol"
    if near is not None:
        about = CLOSE * np.random.default_rng(0).standard_normal((MEMBERS * numbers, numbers))
        members = np.clip(np.concatenate([near[None], near + about]), -WIDEST, WIDEST)
    found = differential_evolution(
        lambda vectors: -np.nan_to_num(np.asarray(heights(question, vectors.T)), nan=-1e300),
        [(-WIDEST, WIDEST)] * numbers,
        popsize=MEMBERS,
        maxiter=GENERATIONS,
        tol=SETTLED,
        init=members,
        rng=0,
        polish=False,
        vectorized=True,
        updating="deferred",
    )
    return np.asarray(found.x)


def _below(pair: Pair, free: Sequence[Place], role: str) -> list[Place]:
    """Where, in a light, parameters of a role stand."""
    source, light = pair
    return [one for one in free if one.role == role and one.path[:5] == ("scene", "sources", source, "lights", light)]


def _lights(arc: Arc, seen: Answer, behind: list[Pair], free: Sequence[Place]) -> dict[str, Any]:
    """Geometry, sizes and fluxes of the sources behind the lens, from cells that stand out."""
    step = float(np.sqrt(arc.area))
    y, x = (c + step * (i + 0.5) for c, i in zip(arc.corner[::-1], np.indices((arc.side, arc.side)), strict=True))
    shown = np.where(seen.brightness > BRIGHT * seen.error, seen.brightness, 0.0).reshape(arc.side, arc.side)
    if not shown.any():
        return {}
    found = moments(x, y, shown, 0.0, 0.3 * step)
    values: dict[str, Any] = {}
    for k, (source, light) in enumerate(behind):
        fluxes, radii = (_below((source, light), free, role) for role in (FLUX, RADIUS))
        values |= {f"scene.sources.{source}.frame.{name}": getattr(found, name) for name in ("x0", "y0", "q", "pa")}
        values |= {".".join(one.path): found.flux / len(behind) / len(fluxes) for one in fluxes}
        values |= {".".join(one.path): found.r_eff * 0.5 ** (k + i) for i, one in enumerate(radii)}
    return values


def _within(sites: Mapping[str, Any], values: Mapping[str, Any]) -> dict[str, np.ndarray]:
    """The values of parameters that are free, moved into their priors."""
    found = {}
    for name in sorted(sites.keys() & values.keys()):
        made = coordinates(sites[name])
        inside = jnp.clip(made.position(jnp.broadcast_to(jnp.asarray(values[name]), made.shape)), -WIDEST, WIDEST)
        found[name] = np.asarray(made.value(inside))
    return found
