"""Pictures whose own blur is undone, once, so that the observation's PSF can act in full on them and what they weight.

A weighted map is g^-1(K (L g(P)) / K L) with one blur K. A picture that is blurred already is no L: what of K it lacks
would be missing from L g(P) as well.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from jaxmetal.edge.errors import InputError
from jaxmetal.edge.findings import Finding
from jaxmetal.instrument.pixels import transfer
from jaxmetal.instrument.sampling import Sampling, choose
from jaxmetal.machine import program
from jaxmetal.numerics.grid import cell_area, subpixels
from jaxmetal.numerics.profile import own_psf
from jaxmetal.numerics.richardson_lucy import richardson_lucy
from jaxmetal.numerics.tree import node
from jaxmetal.observation.psf_form import psf_form
from jaxmetal.prior import is_fixed
from jaxmetal.scene import Scene, Source

STEPS = 12
"""Of Richardson and Lucy: more of them follow the noise of a picture with 2 % of its peak."""

CLOSE = 0.05
"""Departure from the picture, over its peak, up to which nothing needs a look."""


@node
class Sharp:
    """A sharpened picture.

    Attributes:
        values: as `Picture.values`.
        left: largest departure of the sharpened picture, blurred again, from the picture, over its peak.
        fwhm: of the blur that was undone, arcsec.
    """

    values: Any
    left: Any
    fwhm: Any

    def put_into(self, picture: Any) -> Any:
        """The picture, sharp."""
        return dataclasses.replace(picture, values=self.values, psf=None)

    def finding(self, name: str) -> Finding:
        """What is left of the blur, in words."""
        return Finding(
            "info" if self.left < CLOSE else "warning",
            f"The own blur of the picture '{name}' (FWHM {float(self.fwhm):.3g} arcsec) was undone by {STEPS} steps of "
            f"Richardson and Lucy; blurred again it is the picture to {float(self.left):.1%} of its peak.",
        )


def sharpened(shown: list[tuple[str, str]], scene: Scene, now: Scene) -> dict[str, Sharp]:
    """The pictures with a blur of their own among lights, "source.light" -> sharpened.

    Args:
        shown: (source, light) pairs.
        scene: prior.
        now: the same with typical numbers.

    Raises:
        InputError: if the blur of a picture has a free parameter.
    """
    found = {}
    for name, light in shown:
        blur = own_psf(scene.sources[name].lights[light])
        if blur is None:
            continue
        if not is_fixed(blur):
            raise InputError(
                f"The PSF of the picture '{light}' of source '{name}' must be known, found a distribution in it: it is "
                "undone once, before the fit; give a number."
            )
        found[f"{name}.{light}"] = _sharp(now.sources[name].lights[light])
    return found


def with_lights(scene: Scene, lights: Mapping[str, Any]) -> Scene:
    """The scene with pictures as they were prepared, "source.light" -> `Sharp` or `Averaged`."""
    if not lights:
        return scene

    def renewed(name: str, source: Source) -> Source:
        sharp = {
            light: lights[f"{name}.{light}"].put_into(profile)
            for light, profile in source.lights.items()
            if f"{name}.{light}" in lights
        }
        return dataclasses.replace(source, lights={**source.lights, **sharp})

    return dataclasses.replace(scene, sources={name: renewed(name, source) for name, source in scene.sources.items()})


def _sharp(picture: Any) -> Sharp:
    formed = psf_form(picture.psf)
    pixel = float(picture.grid.pixel_area) ** 0.5
    sampling = choose(
        fwhm=formed.peak_width() / pixel,
        reach=formed.reach() / pixel,
        finest=1.0,
        lensed=False,
        sigmas=formed.sigmas(picture.grid.steps),
        cells=formed.cells_per_pixel(np.asarray(picture.grid.steps)),
    )
    values, left = _undone(picture, sampling)
    return Sharp(values=values, left=left, fwhm=jnp.asarray(formed.fwhm))


@program(static_argnames="sampling")
def _undone(picture: Any, sampling: Sampling) -> tuple[jax.Array, jax.Array]:
    grid = picture.grid
    x, y = subpixels(grid, density=sampling.density, margin=sampling.margin)
    share = cell_area(grid, density=sampling.density, margin=sampling.margin) / grid.pixel_area
    imager = transfer(picture.psf, grid, sampling).image

    def blur(values: jax.Array) -> jax.Array:
        """What the telescope makes of the surface between pixels, per pixel."""
        surface = dataclasses.replace(picture, values=values, psf=None)
        return imager(surface(x + picture.dx, y + picture.dy)[None] * share, None)[0]

    given = jnp.asarray(picture.values)
    found = richardson_lucy(given, blur, STEPS)
    return found, jnp.max(jnp.abs(blur(found) - given)) / jnp.max(jnp.abs(given))
