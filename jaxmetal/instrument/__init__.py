"""What the telescope does to a scene: PSF, pixels, bins, and how finely all that is sampled.

May import: edge and numerics only. To add a PSF: a node with `fwhm`, `includes_pixel` and `form()`, which returns a
`Mixture` of Gaussians or a `Kernel`; the accuracy tests then take it up.
"""

from jaxmetal.instrument.apertures import Aperture, circle, slit
from jaxmetal.instrument.bins import Bins
from jaxmetal.instrument.finer import refined
from jaxmetal.instrument.forms import Kernel, Mixture
from jaxmetal.instrument.pixels import transfer
from jaxmetal.instrument.psf import PSF, Composed, Gaussian, Moffat
from jaxmetal.instrument.sampling import Sampling

__all__ = [
    "PSF",
    "Aperture",
    "Bins",
    "Composed",
    "Gaussian",
    "Kernel",
    "Mixture",
    "Moffat",
    "Sampling",
    "circle",
    "refined",
    "slit",
    "transfer",
]
