"""Several maps of one scene, each with its own blur: sampled once, as finely and as far as any of them asks."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any, ClassVar

from jaxmetal.instrument.pixels import transfer
from jaxmetal.instrument.psf import fwhm
from jaxmetal.instrument.sampling import Sampling
from jaxmetal.numerics.tree import node, static
from jaxmetal.observation.contract import Numbers
from jaxmetal.observation.plan import Plan
from jaxmetal.observation.settle import sampling_of, settled, transfer_of
from jaxmetal.prior import is_fixed
from jaxmetal.render import Imager
from jaxmetal.scene import Scene


@node
class PlanOfSeveral(Plan):
    """A `Plan` whose samples several PSFs blur.

    Attributes:
        transfer: PSF -> its blur, of those with nothing free.
        blurs: PSF and the sampling as that PSF takes it.
    """

    of_light: ClassVar[bool] = False

    blurs: tuple[tuple[str, Sampling], ...] = static(default=())

    def finer(self) -> PlanOfSeveral:
        """The plan of the same prediction sampled twice as finely."""
        plain, blurs = Plan.finer(self), tuple((name, one.doubled()) for name, one in self.blurs)
        return PlanOfSeveral(
            sampling=plain.sampling, lights=plain.lights, averaged=plain.averaged, transfer={}, blurs=blurs
        )

    def imagers(self, psfs: Mapping[str, Any], grid: Any) -> dict[str, Imager]:
        """PSF -> from samples to pixels."""
        return {
            name: (self.transfer[name] if name in self.transfer else transfer(psfs[name], grid, one)).image
            for name, one in self.blurs
        }


def plan_several(observation: Any, scene: Scene, now: Numbers, asked: Any = None) -> PlanOfSeveral:
    """The plan of an observation with `psfs`, name -> PSF; see `Observation.plan`."""
    psfs = dict(sorted(now.observation.psfs.items(), key=lambda each: fwhm(each[1])))
    own = {name: sampling_of(observation, scene, now, psf, asked) for name, psf in psfs.items()}
    common = _common(list(own.values()))
    plain = settled(observation, scene, now, common)
    # The samples are the same for all; how they are blurred is each one's own matter.
    blurs = {
        name: dataclasses.replace(common, route=psf.form().route, levels=own[name].levels, cells=own[name].cells)
        for name, psf in psfs.items()
    }
    still = [name for name in psfs if is_fixed(observation.psfs[name])]
    return PlanOfSeveral(
        **{field.name: getattr(plain, field.name) for field in dataclasses.fields(plain) if field.name != "transfer"},
        transfer={name: transfer_of(psfs[name], now.observation.pixels, blurs[name]) for name in still},
        blurs=tuple(sorted(blurs.items())),
    )


def _common(samplings: list[Sampling]) -> Sampling:
    """The densest of several sample grids, of the sharpest PSF first, with the widest margin and most nodes of any."""
    densest = max(samplings, key=lambda one: one.density)
    radial, angular = (max(nodes) for nodes in zip(*(one.core_nodes for one in samplings), strict=True))
    return dataclasses.replace(
        densest, margin=max(one.margin for one in samplings), core_nodes=(radial, angular), cells=None, levels=()
    )
