"""Cores moved to a few nodes before the blur: the same map and the same derivatives as with every sample blurred."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jaxmetal as jm
from jaxmetal.instrument.sampling import choose
from jaxmetal.numerics.chebyshev import cardinals, nodes
from jaxmetal.numerics.cusp import EXTENT
from jaxmetal.observation import Plan, predict

GRID = jm.Grid.regular((31, 43), 0.1)
PSFS = {
    "gaussian": jm.instrument.psf.Gaussian(fwhm=1.0),
    "narrow": jm.instrument.psf.Gaussian(fwhm=0.3),
    "sharp": jm.instrument.psf.Gaussian(fwhm=0.15),
    "effective": jm.instrument.psf.Gaussian(fwhm=1.0, includes_pixel=True),
    "moffat": jm.instrument.psf.Moffat(fwhm=1.2, beta=2.5),
    "narrow moffat": jm.instrument.psf.Moffat(fwhm=0.3, beta=2.5),
}


def test_cardinals_interpolate(precision):
    x = jnp.linspace(-1.0, 1.0, 7)
    close = {"float32": 2e-6, "float64": 1e-13}[precision]
    np.testing.assert_allclose(np.exp(nodes(16)) @ cardinals(16, x), np.exp(x), rtol=close)


def scene(x0, second):
    """One source, or two: their cores are moved separately."""

    def disc(x0, y0, central):
        gradient = jm.tracer.Gradient(central=central, slope=-0.3)
        return jm.Source(
            frame=jm.frame.Disc(x0=x0, y0=y0, q=0.6, pa=30.0),
            lights={"line": jm.light.Sersic(flux=1.0, r_eff=0.4, n=2.0)},
            carries={"metallicity": jm.Carried(profile=gradient, weight="line")},
        )

    sources = {"one": disc(x0, 0.21, 8.0)}
    return jm.Scene(sources=sources | ({"two": disc(-0.9, -0.7, 8.4)} if second else {}))


@pytest.mark.parametrize(("psf", "second"), [("gaussian", False), *((psf, True) for psf in PSFS)])
def test_moved_cores_give_the_same_map_and_derivatives(psf, second):
    blank = np.zeros(GRID.shape)
    observation = jm.WeightedMap(
        data=blank,
        noise=jm.likelihood.Gaussian(sigma=1.0),
        grid=GRID,
        psf=PSFS[psf],
        properties=("metallicity",),
        mixing=jm.mixing.Dex(),
        used=blank == 0.0,
    )
    moved = choose(
        fwhm=10.0 * PSFS[psf].fwhm,
        reach=12.0,
        finest=2.4,
        lensed=False,
        sigmas=PSFS[psf].form().sigmas(GRID.steps),
    )
    assert moved.core_order > 0

    def seen(x0, sampling):
        return jnp.stack(predict(observation, scene(x0, second), Plan(sampling=sampling)))

    every = dataclasses.replace(moved, core_order=0)
    few, all_ = (jax.jit(lambda x0, s=s: jax.jvp(lambda x: seen(x, s), (x0,), (1.0,))) for s in (moved, every))
    for ours, exact in zip(few(0.33), all_(0.33), strict=True):
        np.testing.assert_allclose(ours, exact, rtol=1e-7, atol=1e-7 * float(jnp.max(jnp.abs(exact[1]))))


@pytest.mark.parametrize(("fwhm", "share"), [(1.5, 0.3), (3.0, 0.7), (8.0, 1.0)])
def test_the_sharper_a_psf_the_fewer_samples_are_moved(fwhm, share):
    sampling = choose(fwhm=fwhm, reach=12.0, finest=2.0, lensed=False)
    moved = sampling.core_moved / (EXTENT * sampling.core_size)
    assert 0.0 < moved < share
    assert sampling.core_order < 32


def test_wide_psfs_skip_pixels_where_nothing_is_small():
    wide = {"fwhm": 16.0, "reach": 30.0, "lensed": False, "coarse": True}
    assert choose(finest=6.0, **wide).stride == 2
    assert choose(finest=2.0, **wide).stride == 1
    assert choose(finest=6.0, **{**wide, "lensed": True}).stride == 1
    assert choose(finest=6.0, **{**wide, "coarse": False}).stride == 1
