"""Maps of emission lines, on their fluxes: no ratio of blurred fluxes is taken."""

from __future__ import annotations

import dataclasses
from functools import partial
from typing import Any, ClassVar

import jax
import jax.numpy as jnp

from jaxmetal import render
from jaxmetal.instrument.psf import fwhm
from jaxmetal.likelihood.contract import Noise
from jaxmetal.lines.emitted import Emission
from jaxmetal.lines.model_grid import Photoionisation
from jaxmetal.numerics.grid import Grid
from jaxmetal.numerics.tree import node, parameter, static
from jaxmetal.observation.blurs import PlanOfSeveral, plan_several
from jaxmetal.observation.channels import Channel
from jaxmetal.observation.contract import Numbers, Prediction, Quantity
from jaxmetal.observation.emitting import channels, emitting
from jaxmetal.observation.exposure import layers, padded, residual
from jaxmetal.observation.line_doubts import doubts
from jaxmetal.observation.on_grid import grid_and_registration, grid_shape, registered_grid
from jaxmetal.refined import Samples
from jaxmetal.scene import Scene

OTHERS = "others"
"""Key of the PSF of all features that have none of their own."""


@node
class LineMaps:
    """Fluxes of lines and blends, each through its own PSF.

        F_f = scale O_f[ sum_sources L sum_lines w_fl R_l(Z) 10^(-0.4 A_l) ] + sky_f
        O_f = bins . pixels . PSF_f . lens

    with L the light of Hb that a source emits (or, if `reddened`, that reaches us: A_l - A_Hb then stands for A_l),
    R_l a line over Hb by its calibration at Z = `metallicity`, shifted by the source's `departures`, and A_l = k_l A(V)
    at A(V) = `extinction`, mag. A source with that light carries both properties. Fluxes may be negative.

    Of a ratio among `varying`, the gas departs from the calibration by another amount at every place, too: sources
    carry it as `departure_<ratio>`, in units of the scatter like `departures`, to which it is added. A `tracer.Field`
    of amplitude sqrt(s), beside Normal(0, sqrt(1 - s)) for the whole galaxy, gives a share s of the scatter (squared)
    to what is correlated over the length of the field (`recipes.line_gradient` writes both).

    Attributes:
        data: flux per pixel, shape (features, ny, nx), or of each bin, summed over its pixels, (features, n bins).
        noise: see `jaxmetal.likelihood`; arrays of the data's shape.
        grid: pixels on the sky, of all features.
        psfs: feature -> PSF (see `jaxmetal.instrument.psf`); "others" is that of all features not named.
        emission: see `jaxmetal.lines.emission`; its features are those of the data, in that order. Or one by
            `lines.photoionisation`: sources then carry `ionisation` (log U) and `nitrogen` (log N/O), too, where its
            grid has them.
        light: name of the light of Hb, of every source that has it.
        reddened: whether that light is Hb as it reaches us, and not as it was emitted.
        used: True for data that count, of the data's shape.
        varying: ratios whose departures vary from place to place.
        sky: feature -> pedestal (`Sky`) that the subtraction of the continuum left; none of those not named.
        scale: of all fluxes, what the instrument or band is off by: free beside another one, or with a narrow prior.
        bins: `Bins` of all features, or None for pixels; lines in bins of their own are another `LineMaps`.
        dx, dy: registration, added to the grid's coordinates to give the scene's, arcsec (West, North).
    """

    UNITS: ClassVar[dict[str, str]] = {
        "metallicity": "dex", "extinction": "mag", "ionisation": "dex", "nitrogen": "dex",
    }  # fmt: skip

    # Ratios have a turnover, and nothing leads from its wrong side to the other. Of ten discs in four lines, three
    # starts about the middle of the prior led there in two; of those that follow, every second leads to the right one.
    starts: ClassVar[int] = 8

    data: Any = parameter("data")
    noise: Noise
    grid: Grid
    psfs: dict[str, Any]
    emission: Emission | Photoionisation
    light: str = static(default="Hbeta")
    reddened: bool = static(default=False)
    used: Any
    sky: dict[str, Any] = dataclasses.field(default_factory=dict)
    varying: tuple[str, ...] = static(default=())
    scale: Any = parameter("", within="(0, inf)", role="factor", default=1.0)
    bins: Any = None
    dx: Any = parameter("arcsec", role="shift x", default=0.0)
    dy: Any = parameter("arcsec", role="shift y", default=0.0)

    residual = residual
    padded = padded
    shape = property(grid_shape)
    pointing = property(grid_and_registration)
    pixels = property(registered_grid)

    @property
    def properties(self) -> tuple[str, ...]:
        """What sources carry of it: metallicity, extinction, what else the emission depends on, varying departures."""
        return ("metallicity", "extinction", *self.emission.also, *map(departure_of, self.varying))

    @property
    def property_units(self) -> dict[str, str]:
        """Of all that sources may carry."""
        return {**self.UNITS, **{departure_of(ratio): "scatter" for ratio in self.varying}}

    @property
    def ranges(self) -> dict[str, tuple[float, float]]:
        """Property -> where the calibrations, or models, know it."""
        return self.emission.ranges

    @property
    def ratios(self) -> tuple[str, ...]:
        """Line ratios by whose departures the fluxes change."""
        return tuple(one.ratio.name for one in self.emission.calibrations)

    @property
    def psf(self) -> Any:
        """The sharpest of its PSFs, where every leaf is a number."""
        return min(self.psfs.values(), key=fwhm)

    @property
    def quantity(self) -> Quantity:
        """Flux."""
        return Quantity("line flux", "flux/bin" if self.bins is not None else "flux/pixel")

    @property
    def subject(self) -> str:
        """The light of Hb."""
        return f"light '{self.light}'"

    def planes(self) -> tuple[Channel, ...]:
        """A map for each feature."""
        return tuple(
            Channel(name, k, self.quantity._replace(label=self.emission.label(name)), self.psfs[self._blur(name)])
            for k, name in enumerate(self.emission.features)
        )

    def shown(self, scene: Scene) -> list[tuple[str, str]]:
        """(source, light) pairs: of every source that has it, the light of Hb."""
        return [(name, self.light) for name, source in scene.sources.items() if self.light in source.lights]

    def plan(self, scene: Scene, now: Numbers, asked: Any = None) -> PlanOfSeveral:
        """As of any observation in pixels, for several PSFs."""
        for name, _ in self.shown(scene):
            self.emission.require_ratios(f"departures of source '{name}'", scene.sources[name].departures)
        return plan_several(self, scene, now, asked)

    def predict(self, scene: Scene, plan: PlanOfSeveral) -> Prediction:
        """The fluxes, and what of them the sources emit."""
        sources = [scene.sources[name] for name, _ in self.shown(scene)]
        seen = [
            emitting(layer, partial(self._fluxes, departures=source.departures))
            for layer, source in zip(layers(self, scene, plan, self.properties), sources, strict=True)
        ]
        names = self.emission.features
        exposed: dict[int, jax.Array] = {}
        for blur, imager in plan.imagers(self.psfs, self.pixels).items():
            under = [k for k, name in enumerate(names) if self._blur(name) == blur]
            if under:
                made = render.expose(seen, imager, partial(channels, which=under))
                exposed.update(zip(under, made, strict=True))
        light = self.scale * self._binned(jnp.stack([exposed[k] for k in range(len(names))]))
        if not self.sky:
            return Prediction(light, light)
        x, y = self.pixels.centres()
        sky = [self.sky[name](x, y) if name in self.sky else jnp.zeros_like(x) for name in names]
        return Prediction(light + self._binned(jnp.stack(sky)), light)

    def doubts(self) -> list[str]:
        """What of the fluxes can hardly be right."""
        return doubts(self)

    def describe(self) -> str:
        """Which lines, and by which calibrations."""
        return f"line maps of {', '.join(self.emission.features)} by {self.emission.known}"

    def _blur(self, feature: str) -> str:
        return feature if feature in self.psfs else OTHERS

    def _binned(self, pixels: jax.Array) -> jax.Array:
        return pixels if self.bins is None else self.bins.total(pixels)

    def _fluxes(self, samples: Samples, departures: dict[str, Any]) -> Samples:
        """A light of Hb and what it carries to the fluxes of the features."""
        own = len(samples.values) - len(self.varying)
        local = dict(zip(self.varying, samples.values[own:], strict=True))
        off = {**departures, **{ratio: departures.get(ratio, 0.0) + there for ratio, there in local.items()}}
        made = self.emission.each_feature(*samples.values[:own], departures=off, intrinsic=not self.reddened)
        return Samples(flux=samples.flux, values=tuple(samples.flux * one for one in made))


def departure_of(ratio: str) -> str:
    """Name of the property by which a source carries a departure that varies from place to place."""
    return f"departure_{ratio}"
