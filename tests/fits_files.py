"""Arrays as FITS files, and how they are refused."""

import re

import numpy as np
import pytest
from astropy.coordinates import SkyCoord
from astropy.io import fits

from jaxmetal.edge.errors import InputError
from jaxmetal.numerics.grid import Grid

SHAPE = (7, 11)
ORIGIN = SkyCoord(342.2, -44.5, unit="deg")
GRID = Grid(shape=SHAPE, origin=np.array([-1.0, 0.4]), matrix=0.2 * np.array([[0.8, 0.6], [-0.6, 0.8]]))
VALUES = np.random.default_rng(3).normal(8.5, 0.1, SHAPE)


def writer(folder):
    """A function that writes arrays as extensions of a file in the folder."""

    def write(*arrays, name="map.fits", **header):
        images = [fits.PrimaryHDU(arrays[0])] + [
            fits.ImageHDU(array, name=f"E{k}") for k, array in enumerate(arrays[1:], 1)
        ]
        for image in images[-1:]:
            image.header.update(header)
        fits.HDUList(images).writeto(folder / name)
        return folder / name

    return write


def refused(call, *words):
    """The call is refused in one sentence that holds the words and says what to do."""
    with pytest.raises(InputError) as refusal:
        call()
    text = str(refusal.value)
    assert re.fullmatch(r"[^\n]+; [^\n]+[.?]", text), text
    for word in words:
        assert word in text
    return text


LABELS = np.full(SHAPE, -1)
LABELS[1:3, 2:5], LABELS[4, 4:9], LABELS[5, 0] = 7, 3, 40
