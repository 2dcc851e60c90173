"""Value and gradient of the density of the arc of `speed_arc.py`, beside those of JAXtronomy.

    pip install --no-deps jaxtronomy          # it asks for versions and samplers that are not needed here
    python benchmarks/speed_arc_jaxtronomy.py

Image and chi2 of both, jitted, in double precision, and their gradients by all numbers. Each code samples k x k times
per pixel and blurs pixels with the PSF of pixels, or JAXtronomy all samples with the PSF itself. Errors are largest
differences over the peak from the reference of `speed_arc.py`; all are timed in turn in one process, the least of some
rounds counts. JAXtronomy's gradient is that of chi2 alone; ours is of the posterior.

Writes results/speed_arc_jaxtronomy.json.
"""

from __future__ import annotations

import dataclasses
from typing import Any

import jax
import numpy as np
import speed_arc as arc
from jaxtronomy.Data.imaging_data import ImageData
from jaxtronomy.ImSim.image_model import ImageModel
from jaxtronomy.LensModel.lens_model import LensModel
from jaxtronomy.LightModel.light_model import LightModel
from lenses import in_turn
from lenstronomy.Data.psf import PSF
from resumable import write

SAMPLES = (1, 3)
THEIRS = {"1 x 1": (1, False), "3 x 3": (3, False), "3 x 3, all blurred": (3, True)}
PAIRS = {"1 x 1": "1 x 1", "3 x 3": "3 x 3", "3 x 3, all blurred": "3 x 3"}
"""Settings that are compared: the last two err much the same."""


def theirs(samples: int, blurred: bool, data: np.ndarray) -> tuple[Any, dict[str, Any]]:
    """JAXtronomy's image, and value and gradient of chi2."""
    _, _, numbers, lights = arc.lenstronomys()
    pixels = ImageData(
        image_data=data,
        background_rms=arc.SIGMA,
        exposure_time=1.0,
        ra_at_xy_0=arc.STEP * (arc.SIDE - 1) / 2,
        dec_at_xy_0=-arc.STEP * (arc.SIDE - 1) / 2,
        transform_pix2angle=arc.STEP * np.diag([-1.0, 1.0]),
    )
    psf = {"kernel_point_source": arc.kernel()}
    if blurred:
        psf = {"kernel_point_source": arc.finer_kernel(samples), "point_source_supersampling_factor": samples}
    model = ImageModel(
        pixels,
        PSF(psf_type="PIXEL", **psf),
        lens_model_class=LensModel(["SIE", "SHEAR"]),
        source_model_class=LightModel(["SERSIC_ELLIPSE"] * 2),
        kwargs_numerics={"supersampling_factor": samples, "supersampling_convolution": blurred},
    )

    def chi2(of: tuple[Any, Any]) -> jax.Array:
        return (((model.image(*of) - data) / arc.SIGMA) ** 2).sum()

    value, gradient, point = jax.jit(chi2), jax.jit(jax.value_and_grad(chi2)), (numbers, lights)
    functions = {
        "value": arc.several(lambda: jax.block_until_ready(value(point))),
        "value and gradient": arc.several(lambda: jax.block_until_ready(gradient(point))),
    }
    return np.asarray(model.image(numbers, lights)), functions


def main() -> None:
    """Errors and times."""
    jax.config.update("jax_enable_x64", True)
    exact = arc.reference()
    data = exact + arc.SIGMA * np.random.default_rng(3).standard_normal(exact.shape)
    error, functions = {}, {}
    cases = {f"JAXtronomy, {name}": theirs(*one, data) for name, one in THEIRS.items()}
    for k in SAMPLES:
        sampling = {"image": dataclasses.replace(arc.ONCE["image"], subsamples=k)}
        seen = arc.rendered(arc.image(data), sampling)
        cases[f"jaxmetal, {k} x {k}"] = seen, arc.ours(arc.image(data), sampling)
    for name, (seen, made) in cases.items():
        error[name] = np.abs(seen - exact).max() / exact.max()
        functions |= {f"{name}, {what}": one for what, one in made.items()}
    in_turn(functions, 1)  # compiles
    least, _ = in_turn(functions, arc.ROUNDS)
    ratios = {
        f"{their}, over our {our}, {what}": {
            kind: least[f"JAXtronomy, {their}, {what}"][kind] / least[f"jaxmetal, {our}, {what}"][kind]
            for kind in ("cpu", "clock")
        }
        for their, our in PAIRS.items()
        for what in ("value", "value and gradient")
    }
    write(
        "speed_arc_jaxtronomy",
        {
            "JAXtronomy's time over ours": ratios,
            "largest error over the peak": error,
            f"seconds of {arc.CALLS} calls": least,
        },
    )


if __name__ == "__main__":
    main()
