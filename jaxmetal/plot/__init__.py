"""Pictures: what goes in are arrays, grids and scenes, what comes out are matplotlib figures.

The functions here know arrays, grids and scenes; `of_posterior` draws what a fit returned by calling them,
`of_lines` what line fluxes say.

Imports: everything but io and cli, and matplotlib, which no other package of jaxmetal imports. Figures are objects
(`matplotlib.figure.Figure`, saved with `.savefig`); pyplot and its global state are not used. To add a picture: one
file with a function that returns a `Figure`, every axis labelled with its unit, named in the stub beside this file, and
a test in tests/test_plot.py.
"""

import lazy_loader

# Pictures open on first use: a fit's need nothing of what draws line fluxes.
__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
