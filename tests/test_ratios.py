"""Functions over their arguments against numpy's, in value and derivative."""

import jax
import numpy as np
import pytest

from jaxmetal.numerics.ratios import arctan_ratio

NEGATIVE = -np.concatenate([np.geomspace(1e-14, 0.5, 40), 1.0 - np.geomspace(1e-4, 0.5, 40)])
POSITIVE = np.geomspace(1e-14, 1e14, 100)


def exact(z):
    """In long double, by what numpy has."""
    root = np.sqrt(np.abs(z).astype(np.longdouble))
    return (np.arctanh(root) if np.all(z < 0.0) else np.arctan(root)) / root


@pytest.mark.parametrize(("z", "error"), [(NEGATIVE, 1e-13), (NEGATIVE[NEGATIVE > -0.99], 2e-15), (POSITIVE, 2e-15)])
def test_arctan_ratio_is_numpys(z, error):
    np.testing.assert_allclose(arctan_ratio(z), exact(z).astype(float), rtol=error)


def test_its_derivative_is_smooth_through_zero_and_finite_at_the_end():
    """d/dz arctan(sqrt z) / sqrt z = (1 / (1 + z) - arctan(sqrt z) / sqrt z) / (2 z), -1/3 at 0."""
    slope = jax.vmap(jax.grad(arctan_ratio))
    z = np.array([-0.9, -0.3, -0.05, 0.05, 0.7, 20.0])
    np.testing.assert_allclose(slope(z), (1 / (1 + z) - np.asarray(arctan_ratio(z))) / (2 * z), rtol=1e-12)
    z = np.array([-0.99, -0.999])
    np.testing.assert_allclose(slope(z), (1 / (1 + z) - exact(z).astype(float)) / (2 * z), rtol=1e-11)
    np.testing.assert_allclose(slope(np.array([-1e-12, 0.0, 1e-12])), -1 / 3, rtol=1e-11)
    assert np.isfinite(slope(np.array([-1.0, 1e30]))).all()
