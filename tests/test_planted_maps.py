"""Mistakes planted in the deflection maps of a real cluster: `jaxmetal check` calls each by its name."""

from pathlib import Path

import pytest
from astropy.io import fits

from jaxmetal.cli import main
from jaxmetal.io.config import read_config

DATA = Path(__file__).parents[2] / "shared" / "data" / "as1063"
pytestmark = pytest.mark.skipif(not DATA.is_dir(), reason=f"the deflection maps of AS1063 are not in {DATA}")

CONFIG = f"""
[galaxy]
z = 0.611
[observations.metallicity]
kind = "map"
data = "{DATA / "metallicity.fits"}"
sigma = "{DATA / "metallicity_sigma.fits"}"
ignore_unit = true
mixing = "Dex"
psf = {{type = "Gaussian", fwhm = 1.0}}
[sources.disc.frame]
type = "Disc"
[sources.disc.lights.halpha]
type = "Exponential"
flux = 1.0
r_eff = 0.5
[sources.disc.carries.metallicity]
weight = "halpha"
profile = {{type = "Gradient", central = 8.5, slope = {{dist = "Normal", loc = 0.0, scale = 0.3}}}}
[lens.cluster]
type = "Tabulated"
x = "x.fits"
y = "y.fits"
z_lens = 0.348
z_map = "source"
"""
AMPLIFICATION = f'amplification = {{file = "{DATA / "amplification.fits"}", hdu = 1}}\n'


@pytest.fixture
def planted(tmp_path):
    """A function that writes the two maps, each a factor times one of the real ones, and the configuration."""
    maps = {axis: fits.getdata(DATA / f"dpl{axis}.fits", header=True) for axis in "xy"}

    def write(x=(1.0, "x"), y=(1.0, "y"), **changes):
        for name, (factor, axis) in {"x": x, "y": y}.items():
            values, header = maps[axis]
            fits.writeto(tmp_path / f"{name}.fits", factor * values, header)
        text = CONFIG + (AMPLIFICATION if changes.pop("amplification", False) else "")
        for old, new in changes.items():
            text = text.replace(f'{old} = "source"', f'{old} = "{new}"')
        (tmp_path / "fit.toml").write_text(text)
        return tmp_path / "fit.toml"

    return write


MISTAKES = {
    "sign of x": ({"x": (-1.0, "x")}, "with the sign of the x map reversed their rms curl is"),
    "sign of y": ({"y": (-1.0, "y")}, "with the sign of the y map reversed their rms curl is"),
    "both signs": ({"x": (-1.0, "x"), "y": (-1.0, "y")}, "with both signs reversed their rms curl is"),
    "axes": ({"x": (1.0, "y"), "y": (1.0, "x")}, "with the x and y maps swapped their rms curl is"),
    "pixels": ({"x": (50.0, "x"), "y": (50.0, "y")}, "are not in arcsec: "),
    "scaled twice": ({"z_map": "inf", "amplification": True}, "they are already at the source's redshift: use z_map"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_called_by_its_name(planted, capsys, mistake):
    changes, words = MISTAKES[mistake]
    assert main(["check", str(planted(**changes))]) == 2
    said = capsys.readouterr().err
    assert words in said
    assert said.count("\n") == 1


def test_scaling_twice_is_suspicious_without_an_amplification_map(planted):
    text = " ".join(str(finding) for finding in read_config(planted(z_map="inf")).findings)
    assert "WARNING: Scaling the deflection maps by 0.389 removes 95% of the strongly lensed area" in text


def test_the_maps_as_they_are_have_nothing_suspicious(planted):
    found = [one for one in read_config(planted(amplification=True)).findings if "deflection maps" in one.text]
    assert {one.severity for one in found} == {"info"}
    assert any("matches the amplification map" in one.text for one in found)
