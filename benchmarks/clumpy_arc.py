"""A lensed arc of a disc with a clump: its light as a random field finds the clump, a smooth disc cannot.

    python benchmarks/clumpy_arc.py           # about a CPU minute

An exponential disc and a Gaussian clump beside it (a quarter of the light) behind an isothermal ellipsoid, an image of
30 x 30 pixels: light by NumPy at 4 x 4 samples per pixel, blurred by SciPy. `light.Clumpy` (121 weights; scatter and
length given, flux and size of its disc free) and the disc alone are fitted behind the true lens, at their maxima. Bars:
chi2 of the clumpy light below 1.1 of the pixels and that of the disc above 3; the light at the clump within 15 % of the
truth, and opposite of it within 25 %. Writes results/clumpy_arc.json.
"""

from __future__ import annotations

from typing import Any

import jax
import numpy as np
import numpyro.distributions as dist
from resumable import write
from scipy.ndimage import gaussian_filter

import jaxmetal as jm

DISC, Q = jm.light.Exponential(flux=3.0, r_eff=0.5), 0.8
FIELD: dict[str, Any] = {"amplitude": 1.5, "length": 0.3, "extent": 1.0, "nu": 2.5}
WEIGHTS = (11, 11)
SIDE, STEP, FINE, FWHM, SIGMA = 30, 0.1, 4, 0.15, 0.004
CLUMP, WIDTH = (0.3, 0.1), 0.1
"""Its place on the disc, its standard deviation, arcsec; its flux is 1."""
SAMPLING = {"image": jm.Sampling(oversampling=4, margin=4, core_size=0.0, route="separable")}


def scene(light: Any) -> jm.Scene:
    """A light behind the lens."""
    source = jm.Source(frame=jm.frame.Disc(x0=0.05, y0=0.0, q=Q, pa=20.0), lights={"star": light})
    return jm.Scene(sources={"disc": source}, lens={"main": jm.lens.SIE(theta_e=0.8, q=0.8, pa=60.0)})


def true_light(u: Any, v: Any) -> Any:
    """On the disc."""
    apart = (u - CLUMP[0]) ** 2 + (v - CLUMP[1]) ** 2
    return np.asarray(DISC(u, v)) + np.exp(-0.5 * apart / WIDTH**2) / (2.0 * np.pi * WIDTH**2)


def arc() -> jm.Image:
    """The image."""
    line = STEP * ((np.arange(SIDE * FINE) + 0.5) / FINE - 0.5 * SIDE)
    x, y = np.meshgrid(line, line)
    ax, ay = scene(DISC).lens["main"](x, y)
    u, v = (np.asarray(a) for a in scene(DISC).sources["disc"].frame.to_plane(x - ax, y - ay))
    blurred = gaussian_filter(true_light(u, v) / Q, FWHM / 2.3548 / STEP * FINE)
    pixels = blurred.reshape(SIDE, FINE, SIDE, FINE).mean(axis=(1, 3)) * STEP**2
    data = pixels + SIGMA * np.random.default_rng(2).standard_normal((SIDE, SIDE))
    psf = jm.instrument.Gaussian(fwhm=FWHM)
    return jm.recipes.light_image(data, light="star", psf=psf, sigma=SIGMA, pixel_scale=STEP)


def peak(clumpy: bool) -> tuple[float, Any]:
    """chi2 and light at the maximum."""
    star: Any = jm.light.Exponential(flux=dist.LogNormal(1.0, 0.5), r_eff=dist.LogNormal(-0.7, 0.3))
    if clumpy:
        star = jm.light.Clumpy(smooth=star, field=jm.tracer.Field(weights=dist.Normal().expand(WEIGHTS), **FIELD))
    image, options = {"image": arc()}, {"method": "map", "start_count": 1, "progress": False}
    seen = jm.result.view(jm.fit.auto(scene(star), image, sampling=SAMPLING, **options))
    return float(seen.chi2["image"]), seen.filled["scene"].sources["disc"].lights["star"]


def main() -> None:
    """Both."""
    jax.config.update("jax_enable_x64", True)
    (clumpy, light), (smooth, _) = peak(True), peak(False)
    places = {"at the clump": CLUMP, "opposite": (-CLUMP[0], -CLUMP[1])}
    ratio = {name: float(light(*np.array(at)) / true_light(*np.array(at))) for name, at in places.items()}
    pixels = SIDE**2
    write(
        "clumpy_arc",
        {
            "chi2 per pixel, clumpy (bar: 1.1)": clumpy / pixels,
            "chi2 per pixel, smooth disc (bar: above 3)": smooth / pixels,
            "light over the truth": ratio,
            "bars met": clumpy < 1.1 * pixels
            and smooth > 3.0 * pixels
            and abs(ratio["at the clump"] - 1.0) < 0.15
            and abs(ratio["opposite"] - 1.0) < 0.25,
        },
    )


if __name__ == "__main__":
    main()
