"""Tables of results of samples: what their columns are called, and the population that such a table describes.

Imports as `io`. `run` writes these tables; what is in them is said once, in `columns`.
"""

from jaxmetal.io.sample.population import Population, read_population

__all__ = ["Population", "read_population"]
