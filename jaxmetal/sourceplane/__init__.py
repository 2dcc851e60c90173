"""The source plane, as people who reconstruct use it: maps are taken there first, and measured there.

    lens = jm.lens.Plane(parts=scene.lens)
    images = sourceplane.of_images(lens, grid, labels, pixel=0.05)       # each image of the source by itself
    flux = images[1].mean(line_maps)                                     # (ny, nx, features) on the source's plane
    ellipse = sourceplane.source_psf(lens, psf, grid, x, y)              # half-maximum ellipse there

- `traced`: pixels as quadrilaterals on the source's plane, their areas and magnification; a radius map of a frame;
- `reconstruction`: averages of the image pixels that land in each source pixel, with overlap weights and errors;
- `psf`: a point through lens, PSF and back, its ellipse at one place or as a map.

A forward fit (`fit`) needs none of this; here the blur stays in the maps, and is only known. May import: fluxmaps,
population, result, classical, spaxel and what is below. What the image holds stays on numpy; nothing here is compiled
but the deflection (`result.critical.traced`). To add a measurement: a file with a function of a `Reconstruction` or of
`TracedPixels`, and a test against brute force.
"""

from jaxmetal.sourceplane.ellipse import Ellipse
from jaxmetal.sourceplane.psf import psf_map, source_psf
from jaxmetal.sourceplane.reconstruction import Reconstruction, disagreement, of_images, reconstruct
from jaxmetal.sourceplane.traced import TracedPixels, radius_map, source_positions, trace

__all__ = [
    "Ellipse",
    "Reconstruction",
    "TracedPixels",
    "disagreement",
    "of_images",
    "psf_map",
    "radius_map",
    "reconstruct",
    "source_positions",
    "source_psf",
    "trace",
]
