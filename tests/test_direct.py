"""The direct method against PyNeb: temperatures, ions and metallicities of gas that it makes shine."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jaxmetal as jm
from jaxmetal.edge.errors import InputError

T = np.array([7000.0, 9000.0, 11_500.0, 14_000.0, 18_000.0, 24_000.0])
O_DOUBLE, O_SINGLE = 10.0 ** np.array([-3.6, -3.8, -4.0, -4.2, -4.5, -4.8]), 10.0 ** np.linspace(-3.7, -5.2, 6)


@pytest.fixture(scope="module")
def shining():
    """Fluxes of nebulae at a density of 100 cm^-3, by PyNeb's level populations."""
    pyneb = pytest.importorskip("pyneb")
    twice, once, hydrogen = pyneb.Atom("O", 3), pyneb.Atom("O", 2), pyneb.RecAtom("H", 1)

    def per_hb(atom, *waves, at=T):
        made = [sum(float(atom.getEmissivity(t, 100.0, wave=wave)) for wave in waves) for t in at]
        return np.array(made) / [float(hydrogen.getEmissivity(t, 100.0, wave=4861)) for t in at]

    return {
        "Hbeta": np.full(6, 3.0),
        "OIII4363": 3.0 * O_DOUBLE * per_hb(twice, 4363),
        "OIII5007": 3.0 * O_DOUBLE * per_hb(twice, 5007),
        "OII": 3.0 * O_SINGLE * per_hb(once, 3726, 3729, at=0.7 * T + 3000.0),
    }


def test_gas_of_known_metallicity_is_found_again(shining):
    found = jm.lines.direct(shining)
    np.testing.assert_allclose(found.temperature, T, rtol=2e-3)
    np.testing.assert_allclose(found.o_double, O_DOUBLE, rtol=1.5e-2)
    np.testing.assert_allclose(found.o_single, O_SINGLE, rtol=1.5e-2)
    np.testing.assert_allclose(found.z, 12.0 + np.log10(O_DOUBLE + O_SINGLE), atol=6e-3)
    np.testing.assert_allclose(
        jm.lines.direct({name: 7.0 * one for name, one in shining.items()}).z, found.z, rtol=1e-6
    )


def test_what_tells_no_temperature_gives_none(shining):
    for change in ({"OIII4363": 0.0}, {"OIII4363": -1.0}, {"OIII4363": shining["OIII5007"]}, {"Hbeta": np.nan}):
        found = jm.lines.direct({name: jnp.broadcast_to(one, 6) for name, one in {**shining, **change}.items()})
        assert np.isnan(found.temperature).all()
        assert np.isnan(found.z).all()


def test_a_stronger_auroral_line_means_fewer_metals(shining):
    def z(log_auroral):
        return jm.lines.direct({**shining, "OIII4363": jnp.exp(log_auroral)}).z

    at = jnp.log(jnp.asarray(shining["OIII4363"]))
    slope = jax.jvp(z, (at,), (jnp.ones(6),))[1]
    np.testing.assert_allclose(slope, (z(at + 1e-3) - z(at - 1e-3)) / 2e-3, rtol=1e-3)
    assert (slope < 0.0).all()


def test_a_missing_line_is_named(shining):
    with pytest.raises(InputError, match="found none of OII; add it"):
        jm.lines.direct({name: one for name, one in shining.items() if name != "OII"})
