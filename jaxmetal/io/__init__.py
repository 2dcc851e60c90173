"""Files in, files out: FITS images and kernels, world coordinates, bins, tables, provenance, output folders.

The only place that knows astropy, and the edge where bad input is refused: every function raises `InputError` with one
sentence that says which input, what was expected, what was found and what to do; what is merely suspicious comes back
as findings. Imports: everything below `population`, `fit` and `result`, which it saves; nothing imports it but the
command line. To add a format: one file with a function that returns plain numpy arrays and nodes; add its bad cases to
tests/test_io_input.py.
"""

from jaxmetal.io.bins import BinMap, bin_values, read_bins
from jaxmetal.io.config import Job, read_config
from jaxmetal.io.config.lines import LinesJob, read_lines
from jaxmetal.io.cosmology import cosmic_age, kpc_per_arcsec
from jaxmetal.io.deflection import DeflectionMap, check_deflection, read_deflection
from jaxmetal.io.fit_files import save
from jaxmetal.io.fits import Map, read_map, write_maps
from jaxmetal.io.folder import output_folder, writing
from jaxmetal.io.lines import save_lines
from jaxmetal.io.noise import to_sigma
from jaxmetal.io.psf import read_kernel
from jaxmetal.io.quality import read_used
from jaxmetal.io.record import checksum, provenance
from jaxmetal.io.relation import save_relation
from jaxmetal.io.sample.population import Population, read_population
from jaxmetal.io.tables import read_table, write_table
from jaxmetal.io.wcs import grid_to_wcs, position_angle_of_y, sky_origin, wcs_to_grid

__all__ = [
    "BinMap",
    "DeflectionMap",
    "Job",
    "LinesJob",
    "Map",
    "Population",
    "bin_values",
    "check_deflection",
    "checksum",
    "cosmic_age",
    "grid_to_wcs",
    "kpc_per_arcsec",
    "output_folder",
    "position_angle_of_y",
    "provenance",
    "read_bins",
    "read_config",
    "read_deflection",
    "read_kernel",
    "read_lines",
    "read_map",
    "read_population",
    "read_table",
    "read_used",
    "save",
    "save_lines",
    "save_relation",
    "sky_origin",
    "to_sigma",
    "wcs_to_grid",
    "write_maps",
    "write_table",
    "writing",
]
