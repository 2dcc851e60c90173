"""What `jaxmetal check` says of a lens: its numbers, for which source they hold, and what they do to the data."""

import numpy as np
import pytest
from configured import replace, write_galaxy

from jaxmetal.cli import main
from jaxmetal.cli.lens import _radius

SIS = """
[lens.main]
type = "SIS"
theta_e = 0.6
z_lens = 0.3
[lens.pull]
type = "Shear"
gamma1 = {dist = "Normal", loc = 0.0, scale = 0.05}
gamma2 = 0.0
"""


@pytest.fixture
def said(tmp_path, capsys):
    """Whatever a change of the numbers brings `check` to say."""
    path = write_galaxy(tmp_path)
    path.write_text(path.read_text() + SIS)

    def of(old="", new=""):
        replace(path, old, new)
        assert main(["check", str(path)]) == 0
        return capsys.readouterr().out

    return of


def test_deflectors_their_source_and_critical_curve_are_said(said):
    out = said()
    assert "  main: SIS(theta_e=0.6)\n  pull: Shear(gamma1=Normal(0, 0.05), gamma2=0)\n" in out
    assert "those for a source at z = 0.5\n" in out
    assert "critical curve of 0.6 arcsec" in out
    assert "The lens, at the medians" not in out


@pytest.mark.parametrize(
    ("new", "words"),
    [
        ("theta_e = 900.0", "fainter, by"),
        ("theta_e = 1e-5", "nothing to"),
        ("theta_e = 1e-5", "no critical curve"),
    ],
)
def test_a_lens_that_cannot_be_is_said(said, new, words):
    out = said("theta_e = 0.6", new)
    assert words in out
    assert "check centre, strength and their units (arcsec)" in out


def test_the_radius_is_that_of_a_circle_of_the_same_area():
    angle = np.linspace(0.0, 2.0 * np.pi, 2001)
    assert _radius(np.stack([3.0 + 2.0 * np.cos(angle), 0.5 * np.sin(angle)], axis=1)) == pytest.approx(1.0, rel=1e-4)
