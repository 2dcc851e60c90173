"""The classical way: straight lines through pixels and annuli, blind to the PSF, the weighting by light and the bins.

The baselines a forward model is compared with. Plain functions of 1-D NumPy arrays of bare numbers, no quantities:
`radius` in arcsec, kpc or R_e (deprojected, traced through a lens or not: the caller decides), `value` in the units of
the property (dex, km/s). A slope is in units of `value` per unit of the `radius` given. Maps are flattened first, with
`np.ravel`. Pixels where `used` is False may hold anything.

    table = classical.annuli(radius, value, sigma, width=0.5)
    line = classical.wls(table.radius, table.mean, table.error)

Pixels of a resampled cube share their noise: `gls` and `annuli(..., correlation=...)` take that into account, with a
matrix of `likelihood.correlation_matrix`.

May import: what is refused at the edge; nothing of the fits knows this room. To add a way to draw a line: a function
that returns a `StraightLine`, a line in `__all__`, and a test against numpy or scipy in tests/test_classical.py.
"""

from jaxmetal.classical.correlated import gls
from jaxmetal.classical.rings import Annuli, annuli
from jaxmetal.classical.straight import StraightLine, ols, wls

__all__ = ["Annuli", "StraightLine", "annuli", "gls", "ols", "wls"]
