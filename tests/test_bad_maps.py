"""Maps that cannot be what they are said to be: refused by `jaxmetal check`, and nothing else is printed."""

import gzip

import numpy as np
import pytest
from astropy.io import fits
from configured import replace, write_galaxy

from jaxmetal.cli import main
from jaxmetal.io.config import read_config

IMAGE = """
[observations.halpha]
kind = "image"
data = "halpha.fits"
sigma = 0.01
light = "halpha"
psf = {type = "Gaussian", fwhm = 0.5}
"""


@pytest.fixture
def path(tmp_path):
    path = write_galaxy(tmp_path)
    replace(path, "[sources.disc.frame]", f"{IMAGE}\n[sources.disc.frame]")
    return path


def pixels(name, value, where=...):
    """Overwrites data."""

    def spoil(folder):
        with fits.open(folder / f"{name}.fits", mode="update") as maps:
            maps[1].data[where] = value

    return spoil


def card(key, text, over=None, of="metallicity"):
    """Overwrites a card of the header, or another, byte by byte, as no library would."""

    def spoil(folder):
        path = folder / f"{of}.fits"
        content = path.read_bytes()
        at = content.find(f"{over or key:8s}=".encode(), content.find(b"XTENSION"))
        path.write_bytes(content[:at] + f"{key:8s}= {text:>20s}".ljust(80).encode() + content[at + 80 :])

    return spoil


def packed(folder):
    """A gzip file whose checksum is another's, under the name of the map."""
    content = bytearray(gzip.compress((folder / "metallicity.fits").read_bytes()))
    content[-6] ^= 1
    (folder / "metallicity.fits").write_bytes(content)


def frame(folder):
    fits.setval(folder / "metallicity.fits", "RADESYS", value="FOO", ext=1)


BAD = {
    "a map of zeros": (pixels("halpha", 0.0), "halpha.data: expected data, found 0 in all 117"),
    "absurd pixels": (pixels("halpha", 1e300), "halpha.data: expected numbers between 1e-100 and 1e+30, found 117"),
    "an absurd pixel": (pixels("halpha", 1e300, np.s_[3, 4]), "found 1 beyond, such as 1e+300"),
    "absurd errors": (pixels("sigma", 1e300), "metallicity: the errors: expected numbers between"),
    "errors of nothing": (pixels("sigma", 1e-300), "metallicity: the errors: expected numbers between"),
    "pixels of NaN arcsec": (card("CDELT1", "NaN"), "(CDELT1 is no number)"),
    "a matrix of NaN": (
        card("PC1_1", "NaN", "LATPOLE"),
        "cannot be read (PC1_1 is no number)",
    ),
    "errors placed by NaN": (
        card("PC1_1", "NaN", "LATPOLE", "sigma"),
        "sigma.fits: The world coordinates",
    ),
    "no known frame": (frame, "in no frame that is known"),
    "a wrong checksum": (packed, "because it is damaged (CRC check failed"),
}


@pytest.mark.parametrize("case", BAD)
def test_refused_in_one_sentence_and_nothing_else(path, case, capfd):
    spoil, words = BAD[case]
    spoil(path.parent)
    assert main(["check", str(path)]) == 2
    said = capfd.readouterr()
    assert said.out == ""
    assert said.err.startswith("jaxmetal: fit.toml: ")
    assert said.err.count("\n") == 1
    assert words in said.err


def test_data_that_are_all_alike_are_a_warning(path):
    pixels("metallicity", 8.5)(path.parent)
    assert any("metallicity.data: all 117 data are 8.5" in str(one) for one in read_config(path).findings)
