"""What the telescope does to a scene: PSF, pixels, bins, and how finely all that is sampled.

May import: edge and numerics only. To add a PSF: a node in `psf.py` with `mixture()` (Gaussians) or `values` and
`step` (a kernel), and `includes_pixel`; the accuracy tests then take it up.
"""

from jaxmetal.instrument.bins import Bins
from jaxmetal.instrument.psf import Composed, Difference, Gaussian, Kernel, Moffat
from jaxmetal.instrument.sampling import Sampling
from jaxmetal.instrument.transfer import transfer

__all__ = ["Bins", "Composed", "Difference", "Gaussian", "Kernel", "Moffat", "Sampling", "transfer"]
