"""The source plane, as people who reconstruct use it: maps are taken there first, and measured there.

    lens = jm.lens.Plane(parts=scene.lens)
    images = sourceplane.of_images(lens, grid, labels, pixel=0.05)       # each image of the source by itself
    flux = images[1].mean(line_maps)                                     # (ny, nx, features) on the source's plane
    ellipse = sourceplane.source_psf(lens, psf, grid, x, y)              # half-maximum ellipse there

- `traced`: pixels as quadrilaterals on the source's plane, their areas and magnification; a radius map of a frame;
- `reconstruction`: averages of the image pixels that land in each source pixel, with overlap weights and errors;
- `psf`, `psf_lattice`: a point through lens, PSF and back, its ellipse at one place or as a map;
- `rings`: annuli of the PSF's shape, round ones, or of a radius map in the image, and KLEVER's rule on them;
- `stacks`, `values`, `profile`: their fluxes, ratios and metallicities with errors, and the line through them;
- `sizes`: how large bins are there; `magnified`: magnification as flux ratio, from the map, by light, over ensembles;
- `places`, `resolved`: cells as large as the PSF; resolved main sequence and mass-metallicity relation through them;
- `whole`, `inferred`: star formation and mass of whole images, with the error of their magnification;
- `galaxy`: all of it for every image of a source, what `jaxmetal source` runs.

A forward fit (`fit`) needs none of this; here the blur stays in the maps, and is only known. May import: fluxmaps,
population, result, classical, spaxel and what is below. What the image holds stays on numpy; nothing here is compiled
but the deflection (`result.critical.traced`). To add a measurement: a file with a function of a `Reconstruction` or of
`TracedPixels`, and a test against brute force.
"""

from jaxmetal.sourceplane.ellipse import Ellipse
from jaxmetal.sourceplane.galaxy import ImageOfSource, MeasuredSource, SourceRecipe, measure_source
from jaxmetal.sourceplane.inferred import Inferred, infer
from jaxmetal.sourceplane.magnified import MagnificationSpread, Magnified, over_lenses, region_magnification
from jaxmetal.sourceplane.mass import StellarMass
from jaxmetal.sourceplane.places import SourceCells, SourcePlaces, measured_places, psf_cells
from jaxmetal.sourceplane.profile import RingLine, RingProfile, ring_line, ring_profile
from jaxmetal.sourceplane.psf import source_psf
from jaxmetal.sourceplane.psf_lattice import psf_map
from jaxmetal.sourceplane.reconstruction import Reconstruction, disagreement, of_images, reconstruct
from jaxmetal.sourceplane.resolved import ResolvedRelations, resolve, resolved_relations
from jaxmetal.sourceplane.rings import Rings, elliptical_rings, image_rings, resolution
from jaxmetal.sourceplane.sizes import BinSizes, bin_sizes
from jaxmetal.sourceplane.stacks import Stacks, in_image, stacked_rings
from jaxmetal.sourceplane.traced import TracedPixels, radius_map, source_positions, trace
from jaxmetal.sourceplane.whole import Totals, totals

__all__ = [
    "BinSizes",
    "Ellipse",
    "ImageOfSource",
    "Inferred",
    "MagnificationSpread",
    "Magnified",
    "MeasuredSource",
    "Reconstruction",
    "ResolvedRelations",
    "RingLine",
    "RingProfile",
    "Rings",
    "SourceCells",
    "SourcePlaces",
    "SourceRecipe",
    "Stacks",
    "StellarMass",
    "Totals",
    "TracedPixels",
    "bin_sizes",
    "disagreement",
    "elliptical_rings",
    "image_rings",
    "in_image",
    "infer",
    "measure_source",
    "measured_places",
    "of_images",
    "over_lenses",
    "psf_cells",
    "psf_map",
    "radius_map",
    "reconstruct",
    "region_magnification",
    "resolution",
    "resolve",
    "resolved_relations",
    "ring_line",
    "ring_profile",
    "source_positions",
    "source_psf",
    "stacked_rings",
    "totals",
    "trace",
]
