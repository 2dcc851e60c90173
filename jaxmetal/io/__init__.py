"""Files in, files out: FITS images and kernels, world coordinates, bins, tables, provenance, output folders.

The only place that knows astropy, and the edge where bad input is refused: every function raises `InputError` with one
sentence that says which input, what was expected, what was found and what to do; what is merely suspicious comes back
as findings. Imports: everything below `population`, `fit` and `result`, which it saves; nothing imports it but the
command line. To add a format: one file with a function that returns plain numpy arrays and nodes; add its bad cases to
tests/test_io_input.py.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
