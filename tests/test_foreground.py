"""Dust of the Milky Way against the dust_extinction package."""

import jax
import numpy as np
import pytest
from astropy import units as u

import jaxmetal as jm
from jaxmetal.edge.errors import InputError

WAVES = np.array([3100.0, 3728.0, 5008.0, 6565.0, 9000.0, 9150.0, 12_000.0, 21_000.0, 32_000.0])


@pytest.mark.parametrize("r_v", [2.5, 3.1, 5.0])
def test_the_law_is_that_of_the_package(r_v):
    models = pytest.importorskip("dust_extinction.parameter_averages")
    expected = 0.07 * r_v * models.CCM89(Rv=r_v)(WAVES * u.AA)
    np.testing.assert_allclose(jm.lines.extinction(WAVES, 0.07, r_v), expected, rtol=1e-10)


def test_lines_are_dimmed_where_they_are_observed():
    at_home, far = (float(jm.lines.foreground("Hbeta", z, 0.1)) for z in (0.0, 1.5))
    assert at_home == pytest.approx(0.1 * 3.1 * 1.16, rel=0.01)  # 4861 / 5495 Angstrom of their Fig. 3
    assert far == pytest.approx(float(jm.lines.extinction(4862.68 * 2.5, 0.1)), rel=1e-12)
    blend = float(jm.lines.foreground("Ha+NII", 1.0, 0.1))
    assert min(float(jm.lines.foreground(n, 1.0, 0.1)) for n in ("NII6584", "NII6548")) < blend
    assert jax.grad(lambda e_bv: jm.lines.foreground("OII", 0.5, e_bv))(0.1) > 0.3


def test_what_the_law_does_not_reach_is_refused():
    with pytest.raises(InputError, match="expected 3030 to 33333 Angstrom, found 1000 to 1000"):
        jm.lines.extinction(1000.0, 0.1)
    with pytest.raises(InputError, match="found 48627 to 48627; give observed wavelengths"):
        jm.lines.foreground("Hbeta", 9.0, 0.1)
