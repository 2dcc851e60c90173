"""Parity with lenstronomy's tracer module (Metha et al. 2024) where definitions coincide.

They coincide for: SERSIC_ELLIPSE light (its b_n = 1.9992 n - 0.3271 and circularised radius, by our converter) off
the innermost 1e-4 arcsec, where it is held constant; LINEAR_ELLIPSE tracers above 0 (it clips there; slopes per
circularised radius, by our converter); LINEAR and LOG tracer types as linear and 10^P mixing; partitions as sources;
SIE and SHEAR; a pixel kernel of a Gaussian integrated over sub-pixels, applied to light sampled at their centres,
summed over the pixel, without light from outside the frame (margin 0); light above its floor of 1e-20. lenstronomy's
x axis points East here, ours West. Square frames only: it supersamples no others.
"""

import jax
import numpy as np
import pytest
from lenstronomy.Data.imaging_data import ImageData
from lenstronomy.Data.psf import PSF
from lenstronomy.ImSim.tracer_model import TracerModelSource
from lenstronomy.LensModel.lens_model import LensModel
from lenstronomy.LightModel.light_model import LightModel
from scipy.special import erf

import jaxmetal as jm
from jaxmetal.frame import ellipticity_to_lenstronomy, to_ellipticity
from jaxmetal.instrument.psf import FWHM_PER_SIGMA
from jaxmetal.lens import shear_to_lenstronomy, sie_to_lenstronomy
from jaxmetal.light import sersic_to_lenstronomy
from jaxmetal.observation import Plan
from jaxmetal.tracer import slope_to_circularised

# lenstronomy's own FFT:
pytestmark = pytest.mark.filterwarnings("ignore:`axes` should not be:DeprecationWarning")

SHAPE, STEP, FINER, FWHM = (24, 24), 0.2, 3, 0.5
SOURCES = (  # x0, y0, q, pa, flux, r_eff, n, central, slope
    (0.031, -0.042, 0.6, 35.0, 1.0, 0.7, 1.0, 8.5, -0.3),
    (0.53, 0.37, 0.9, -70.0, 0.3, 0.3, 2.5, 8.9, 0.1),
    (-0.61, 0.22, 0.4, 5.0, 0.5, 0.5, 4.0, 8.1, -0.5),
)
SIE = jm.lens.SIE(theta_e=0.9, x0=0.113, y0=-0.087, q=0.7, pa=25.0)
SHEAR = jm.lens.Shear(gamma1=0.04, gamma2=-0.06)
MIXINGS = {"LINEAR": jm.mixing.Linear(), "LOG": jm.mixing.Dex()}


def ours(count, lensed, tracer_type, route):
    """Tracer map and light."""
    sources = {
        f"source{k}": jm.Source(
            frame=jm.frame.Disc(x0=x0, y0=y0, q=q, pa=pa),
            lights={"line": jm.light.Sersic(flux=flux, r_eff=r_eff, n=n)},
            carries={"z": jm.Carried(profile=jm.tracer.Gradient(central=central, slope=slope), weight="line")},
        )
        for k, (x0, y0, q, pa, flux, r_eff, n, central, slope) in enumerate(SOURCES[:count])
    }
    scene = jm.Scene(sources=sources, lens={"galaxy": SIE, "field": SHEAR} if lensed else {})
    seeing = jm.WeightedMap(
        data=0.0,
        noise=None,
        grid=jm.Grid.regular(SHAPE, STEP),
        psf=jm.instrument.Gaussian(fwhm=FWHM),
        properties=("z",),
        mixing=MIXINGS[tracer_type],
        used=True,
    )
    plan = Plan(sampling=jm.Sampling(oversampling=FINER, margin=0, core_size=0.0, route=route))
    return jax.jit(jm.predict)(seeing, scene, plan)


def theirs(count, lensed, tracer_type):
    """The same from lenstronomy."""
    lights, tracers = [], []
    for x0, y0, q, pa, flux, r_eff, n, central, slope in SOURCES[:count]:
        e1, e2 = (float(e) for e in ellipticity_to_lenstronomy(*to_ellipticity(q, pa), x_to="east"))
        placed = {"e1": e1, "e2": e2, "center_x": -x0, "center_y": y0}
        light = sersic_to_lenstronomy(jm.light.Sersic(flux=flux, r_eff=r_eff, n=n), q)
        lights.append({name: float(value) for name, value in light.items()} | placed)
        tracers.append({"amp": central, "k": float(slope_to_circularised(slope, q))} | placed)
    ny, nx = SHAPE
    data = ImageData(
        image_data=np.zeros(SHAPE),
        ra_at_xy_0=STEP * (nx - 1) / 2,
        dec_at_xy_0=-STEP * (ny - 1) / 2,
        transform_pix2angle=STEP * np.diag([-1.0, 1.0]),
    )
    edges = (np.arange(56) - 27.5) * STEP / FINER
    line = np.diff(erf(edges * FWHM_PER_SIGMA / FWHM / np.sqrt(2))) / 2
    psf = PSF(psf_type="PIXEL", kernel_point_source=np.outer(line, line), point_source_supersampling_factor=FINER)
    names, numbers = [], []
    if lensed:
        names = ["SIE", "SHEAR"]
        numbers = [{k: float(v) for k, v in d.items()} for d in (sie_to_lenstronomy(SIE), shear_to_lenstronomy(SHEAR))]
    model = TracerModelSource(
        data,
        psf_class=psf,
        lens_model_class=LensModel(names),
        source_model_class=LightModel(["SERSIC_ELLIPSE"] * count),
        tracer_source_class=LightModel(["LINEAR_ELLIPSE"] * count),
        kwargs_numerics={
            "supersampling_factor": FINER,
            "supersampling_convolution": True,
            "supersampling_kernel_size": None,  # its default convolves the outer kernel at the data's resolution
        },
        tracer_partition=[[[k], [k]] for k in range(count)],
        tracer_type=tracer_type,
    )
    light = model.source_surface_brightness(lights, numbers, unconvolved=False)
    return model.tracer_model(tracers, numbers, lights), light


@pytest.mark.parametrize(
    ("count", "lensed", "tracer_type", "route"),
    [
        (1, False, "LINEAR", "separable"),
        (1, False, "LOG", "fft"),
        (2, False, "LOG", "separable"),
        (3, False, "LINEAR", "separable"),
        (3, True, "LOG", "separable"),
    ],
)
def test_maps_are_lenstronomys(count, lensed, tracer_type, route):
    found = ours(count, lensed, tracer_type, route)
    tracer, light = theirs(count, lensed, tracer_type)
    assert np.ptp(tracer) > 0.1
    np.testing.assert_allclose(found.light, light, rtol=1e-6)
    np.testing.assert_allclose(found.value, tracer, rtol=0, atol=1e-6)
