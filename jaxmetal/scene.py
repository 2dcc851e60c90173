"""What is on the sky: sources with lights, what the lights carry, and what bends them."""

from __future__ import annotations

import dataclasses
from typing import Any

import jax
import jax.numpy as jnp

from jaxmetal.frame.contract import Frame
from jaxmetal.lens.derive import Lens
from jaxmetal.numerics.profile import is_as_seen, is_on_sky, turns_of
from jaxmetal.numerics.tree import node, parameter, static

Position = tuple[jax.Array, jax.Array]


@node
class Carried:
    """A property that a light carries, e.g. the metallicity of the gas that emits a line.

    Attributes:
        profile: called with disc-plane coordinates (u, v) in arcsec.
        weight: name of the light, among the source's, that weights the property when it is blended.
        frame: geometry of the property alone, where it is not the source's.
    """

    profile: Any
    weight: str = static()
    frame: Frame | None = None

    @property
    def turns(self) -> int:
        """Turns of its own frame that leave it as it is (see `numerics.profile`)."""
        return turns_of(self.profile)


@node
class Source:
    """A galaxy, or a part of one: a geometry, the lights it emits and the properties they carry.

    Attributes:
        frame: geometry shared by all lights and properties (`jaxmetal.frame`).
        lights: name -> light profile, e.g. {"halpha": Sersic(...)}.
        carries: name -> Carried, e.g. {"metallicity": Carried(profile=Gradient(...), weight="halpha")}.
        r_eff: half-light radius along the major axis, arcsec, where it is known from elsewhere: a number, or a
            distribution that says its error (no observation looks at it, so that its posterior is that distribution).
            Slopes per R_e are told by it; without one by the light that weights the property.
        distance_ratio: D_LS/D_S of the source over D_LS/D_S at the redshift for which the lens's deflections are: they
            are multiplied by it. 0 is in front of the lens.
        departures: line ratio -> by how much the gas of the whole galaxy departs from a calibration of it, in units of
            that calibration's scatter: Normal(0, 1) is what a calibration says. Line maps of all instruments share it.
    """

    frame: Frame
    lights: dict[str, Any]
    carries: dict[str, Carried] = dataclasses.field(default_factory=dict)
    r_eff: Any = parameter("arcsec", within="(0, inf)", role="half-light radius", default=None)
    distance_ratio: Any = parameter("", within="[0, inf)", role="factor", default=1.0)
    departures: dict[str, Any] = parameter("scatter", role="departure", default_factory=dict)

    @property
    def turns(self) -> int:
        """Turns of the frame that leave all that lies on it as it is (see `numerics.profile`)."""
        lights = [light for light in self.lights.values() if not is_on_sky(light)]
        return turns_of(*lights, *(one.profile for one in self.carries.values() if one.frame is None))

    def frame_of(self, name: str) -> Frame:
        """The frame in which a carried property is told: its own, or that of the source."""
        own = self.carries[name].frame
        return self.frame if own is None else own


@node
class Scene:
    """Sources behind an optional lens.

    Attributes:
        sources: name -> Source.
        lens: name -> deflector, called with sky positions and returning reduced deflections (arcsec); they add.
    """

    sources: dict[str, Source]
    lens: dict[str, Lens] = dataclasses.field(default_factory=dict)


def deflection(lens: dict[str, Lens], x: jax.Array, y: jax.Array) -> Position:
    """Sum of the deflectors' reduced deflections alpha(theta), arcsec."""
    total = (jnp.zeros_like(x), jnp.zeros_like(y))
    for deflector in lens.values():
        alpha = deflector(x, y)
        total = (total[0] + alpha[0], total[1] + alpha[1])
    return total


def trace(lens: dict[str, Lens], theta: Position, distance_ratio: Any = 1.0) -> Position:
    """The lens equation beta = theta - distance_ratio alpha(theta), arcsec."""
    return bent(theta, deflection(lens, *theta), distance_ratio)


def bent(theta: Position, alpha: Any, distance_ratio: Any = 1.0) -> Position:
    """beta = theta - distance_ratio alpha, of a deflection that is known; arcsec.

    NaN where alpha is: of its product with a ratio the derivative would be NaN everywhere. What lies in front of the
    lens, with a ratio of 0, needs no deflection.
    """

    def along(axis: int) -> jax.Array:
        known = jnp.isfinite(alpha[axis])
        beta = theta[axis] - distance_ratio * jnp.where(known, alpha[axis], 0.0)
        return jnp.where(known | (jnp.asarray(distance_ratio) == 0.0), beta, jnp.nan)

    return along(0), along(1)


def reaches(alpha: Any, distance_ratio: Any) -> jax.Array:
    """Where it is known how light of a source is bent: everywhere, where it lies in front of the lens."""
    return jnp.isfinite(alpha[0] + alpha[1]) | (jnp.asarray(distance_ratio) == 0.0)


def surface_brightness(
    source: Source, light: str, theta: Position, beta: Position, plane: Position | None = None
) -> jax.Array:
    """Flux per arcsec^2 of sky, L = profile(u, v) / q, at the source-plane position beta.

    Pictures are functions on the sky; those that state `plane="image"` are evaluated where they are seen, at theta.
    `plane` is beta on the source's disc, (u, v), where that is known.
    """
    profile = source.lights[light]
    if is_on_sky(profile):
        return profile(*(theta if is_as_seen(profile) else beta))
    return profile(*(plane or source.frame.to_plane(*beta))) / source.frame.axis_ratio


def carried_value(source: Source, name: str, beta: Position, plane: Position | None = None) -> jax.Array:
    """The property's value P(u, v) at the source-plane position beta; `plane` as in `surface_brightness`."""
    carried = source.carries[name]
    known = plane if carried.frame is None else None
    return carried.profile(*(known or source.frame_of(name).to_plane(*beta)))
