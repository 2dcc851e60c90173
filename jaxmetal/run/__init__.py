"""A run: the galaxies of a catalogue fitted in chunks, in one folder where whatever is there is complete.

May import: plot, io, and everything below; astropy for tables.
"""

from jaxmetal.run.catalogue import Catalogue, read_catalogue
from jaxmetal.run.chunk import fit_chunk
from jaxmetal.run.plan import RunPlan, make_plan, read_plan
from jaxmetal.run.table import collect

__all__ = ["Catalogue", "RunPlan", "collect", "fit_chunk", "make_plan", "read_catalogue", "read_plan"]
