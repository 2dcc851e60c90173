"""Observations of one scene, predicted together."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from jaxmetal.numerics.tree import realised
from jaxmetal.observation.contract import Observation, Prediction
from jaxmetal.observation.plan import Plan
from jaxmetal.prior import surely_equal
from jaxmetal.scene import Scene


def predict(observation: Observation, scene: Scene, plan: Any) -> Prediction:
    """The noise-free observation of a scene.

    Args:
        observation: of any kind; its data are not looked at.
        scene: with every leaf a number.
        plan: from `prepare`.
    """
    return observation.predict(realised(scene), plan)


def predict_all(observations: Mapping[str, Any], scene: Scene, plans: Mapping[str, Any]) -> dict[str, Prediction]:
    """`predict` for several observations; light that some share is blurred once.

    Args:
        observations: name -> observation, at least those planned.
        scene: with every leaf a number.
        plans: from `prepare`, of all observations or of some.
    """
    scene = realised(scene)
    made: dict[str, Prediction] = {}
    for name in sorted(plans, key=lambda label: _shares(plans[label]) is not None):
        plan, donor = plans[name], _shares(plans[name])
        if donor is not None and donor in made:
            plan = dataclasses.replace(plan, light=made[donor].light, transfer=plans[donor].transfer)
        made[name] = observations[name].predict(scene, plan)
    return made


def shared(scene: Scene, observations: Mapping[str, Any], plans: Mapping[str, Any]) -> dict[str, Any]:
    """The plans, each with the name of the observation whose light is its own, where there is one.

    That is the first in pixels that sees the same lights with the same pixels, blur and sample grid; of a property, if
    there is one, since it samples and blurs the light that weights it anyway.
    """
    donors: list[str] = []
    found = dict(plans)
    for name, plan in sorted(plans.items(), key=lambda each: not observations[each[0]].properties):
        if not isinstance(plan, Plan) or plan.light is not None or not plan.of_light:
            continue
        same = [label for label in donors if _same_light(scene, observations, plans, label, name)]
        if same:
            found[name] = dataclasses.replace(plan, shares=same[0])
        elif observations[name].bins is None:
            donors.append(name)
    return found


def _same_light(scene: Scene, observations: Mapping[str, Any], plans: Mapping[str, Any], one: str, other: str) -> bool:
    first, second = observations[one], observations[other]
    return (
        first.shown(scene) == second.shown(scene)
        and first.shape == second.shape
        and plans[one].sampling == plans[other].sampling
        and surely_equal((first.pointing, first.psf), (second.pointing, second.psf))
    )


def _shares(plan: Any) -> str | None:
    return plan.shares if isinstance(plan, Plan) else None
