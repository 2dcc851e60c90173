"""Settings of instruments that map metallicities: pixels and point-spread functions."""

from __future__ import annotations

from typing import NamedTuple


class Instrument(NamedTuple):
    """Pixels and blur of maps as they are commonly made.

    Attributes:
        pixel: side of a pixel of the final map, arcsec.
        fwhm: of a Gaussian point-spread function, pixel not included, arcsec.
        source: where the numbers are from; "typical" marks what changes with seeing, wavelength and reduction.
    """

    pixel: float
    fwhm: float
    source: str


INSTRUMENTS = {
    "NIRISS": Instrument(0.066, 0.15, "JWST NIRISS grism: detector pixel; FWHM typical of stacked line maps"),
    "NIRSpec IFU": Instrument(0.1, 0.15, "JWST NIRSpec integral field unit: slice width; FWHM typical at 2 micron"),
    "MUSE": Instrument(0.2, 0.7, "VLT MUSE, wide field mode: spaxel; FWHM typical of good seeing"),
    "KMOS": Instrument(0.2, 0.6, "VLT KMOS: spaxel; FWHM typical in the near infrared"),
    "SINFONI": Instrument(
        0.125, 0.6, "VLT SINFONI, 250 mas scale: half slice width; FWHM typical without adaptive optics"
    ),
    "MaNGA": Instrument(0.5, 2.5, "SDSS-IV MaNGA: spaxel and FWHM of reconstructed maps (Law et al. 2016, AJ 152, 83)"),
}
"""Name -> settings. Another one is `Instrument(pixel, fwhm, source)`."""
