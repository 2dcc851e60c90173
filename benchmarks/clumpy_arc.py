"""A lensed arc whose source is a disc with clumps: its light as a random field, fitted with the lens and a metallicity.

    python benchmarks/clumpy_arc.py           # about 10 CPU minutes

The truth is none of the model's: an exponential disc and six Gaussian clumps (a third of the light) behind
lenstronomy's SIE and shear, sampled 6 x 6 times per pixel, blurred by scipy. An image of 60 x 56 pixels and a map of
20 x 19, in which the light of disc and clumps weighs a metallicity that falls with the disc's radius, are fitted with
one scene: SIE and shear, `light.Clumpy` on an exponential disc, a gradient; all of them free. The same with the smooth
disc alone shows what clumps do to it. Bars: chi2 of the image between 0.85 and 1.15 of its pixels; of the source's
surface brightness, blurred to half an image's PSF, on a grid where it is bright, (mean - truth) / sd has an rms of 0.6
to 1.5; lens and slope within 3 sd of the truth; R-hat of the lens and the slope below 1.05. Writes
results/clumpy_arc.json.
"""

from __future__ import annotations

import time
from typing import Any

import jax
import numpy as np
import numpyro.distributions as dist
from lenstronomy.LensModel.lens_model import LensModel
from resumable import write
from scipy.ndimage import gaussian_filter

import jaxmetal as jm

SHAPE, STEP, FWHM, SIGMA = (60, 56), 0.06, 0.12, 0.01
MAP_SHAPE, MAP_STEP, MAP_FWHM, MAP_SIGMA = (20, 19), 0.18, 0.4, 0.04
FINE, SEED = 6, 17
MODES, EXTENT = 17, 0.6
LENS = {"theta_e": 1.1, "q": 0.75, "pa": 40.0, "x0": 0.02, "y0": -0.01}
SHEAR = {"gamma1": 0.03, "gamma2": -0.02}
DISC = {"x0": 0.09, "y0": -0.05, "q": 0.7, "pa": 60.0}
R_EFF, FLUX, CENTRAL, SLOPE = 0.25, 6.0, 8.6, -0.5
CLUMPS = np.array(
    [[0.16, 0.1, 0.05, 0.8], [-0.2, 0.05, 0.05, 0.5], [0.3, -0.1, 0.06, 0.4], [-0.05, -0.15, 0.04, 0.6],
     [0.05, 0.22, 0.05, 0.4], [-0.32, -0.06, 0.06, 0.3]]
)  # fmt: skip
"""u and v on the disc, standard deviation, arcsec, and flux."""
RADIAL = 1.67834699
"""Of an exponential disc, half-light radius over scale length."""


def on_disc(x: Any, y: Any) -> tuple[Any, Any]:
    """Along the true disc's major axis, and across, deprojected."""
    angle = np.deg2rad(DISC["pa"])
    dx, dy = x - DISC["x0"], y - DISC["y0"]
    return -np.sin(angle) * dx + np.cos(angle) * dy, (-np.cos(angle) * dx - np.sin(angle) * dy) / DISC["q"]


def brightness(x: Any, y: Any) -> Any:
    """Of the true source, flux per arcsec^2."""
    u, v = on_disc(x, y)
    scale = R_EFF / RADIAL
    total = FLUX / (2.0 * np.pi * scale**2) * np.exp(-np.hypot(u, v) / scale)
    for a, b, s, flux in CLUMPS:
        total = total + flux / (2.0 * np.pi * s**2) * np.exp(-0.5 * ((u - a) ** 2 + (v - b) ** 2) / s**2)
    return total / DISC["q"]


def traced(x: Any, y: Any) -> tuple[Any, Any]:
    """The true lens, by lenstronomy, in the right-handed frame (x West)."""
    phi, size = np.deg2rad(LENS["pa"] + 90.0), (1.0 - LENS["q"]) / (1.0 + LENS["q"])
    shape = {"e1": size * np.cos(2.0 * phi), "e2": size * np.sin(2.0 * phi)}
    main = {"theta_E": LENS["theta_e"], **shape, "center_x": LENS["x0"], "center_y": LENS["y0"]}
    ax, ay = LensModel(["SIE", "SHEAR"]).alpha(np.ravel(x), np.ravel(y), [main, SHEAR])
    return x - ax.reshape(x.shape), y - ay.reshape(y.shape)


def exposed(shape: tuple[int, int], step: float, fwhm: float, of: Any) -> np.ndarray:
    """Functions of the source's plane through lens, Gaussian PSF and pixels; with a margin of the PSF around."""
    margin = int(np.ceil(2.5 * fwhm / step))
    ny, nx = (n + 2 * margin for n in shape)
    place = [(np.arange(n * FINE) + 0.5) / FINE - 0.5 * n for n in (ny, nx)]
    x, y = np.meshgrid(step * place[1], step * place[0])
    fine = of(*traced(x, y)) * (step / FINE) ** 2
    blurred = gaussian_filter(fine, fwhm / 2.3548200450309493 / step * FINE, mode="constant", truncate=6.0)
    pixels = blurred.reshape(ny, FINE, nx, FINE).sum(axis=(1, 3))
    return pixels[margin:-margin, margin:-margin]


def observed(shape: tuple[int, int] = SHAPE, map_shape: tuple[int, int] = MAP_SHAPE) -> dict[str, Any]:
    """The image and the map."""
    random = np.random.default_rng(SEED)

    def metals(x: Any, y: Any) -> Any:
        return brightness(x, y) * 10.0 ** (SLOPE * np.hypot(*on_disc(x, y)))

    image = exposed(shape, STEP, FWHM, brightness)
    light = exposed(map_shape, MAP_STEP, MAP_FWHM, brightness)
    metallicity = CENTRAL + np.log10(exposed(map_shape, MAP_STEP, MAP_FWHM, metals) / light)
    errors = MAP_SIGMA * np.sqrt(light.max() / light)
    errors = np.where(light > 0.05 * light.max(), errors, np.nan)
    psf = jm.instrument.Gaussian
    return {
        "image": jm.recipes.light_image(
            image + SIGMA * random.standard_normal(shape), light="star", psf=psf(fwhm=FWHM), sigma=SIGMA,
            pixel_scale=STEP,
        ),
        "map": jm.recipes.metallicity_map(
            metallicity + errors * random.standard_normal(map_shape), sigma=errors, psf=psf(fwhm=MAP_FWHM),
            pixel_scale=MAP_STEP,
        ),
    }  # fmt: skip


def prior(clumpy: bool, modes: int = MODES) -> jm.Scene:
    """The scene, everything free."""
    star: Any = jm.light.Exponential(flux=dist.LogNormal(np.log(8.0), 0.5), r_eff=dist.LogNormal(np.log(0.25), 0.4))
    if clumpy:
        field = jm.recipes.field(extent=EXTENT, lengths=(0.08, 0.5), scatter=1.0, modes=modes)
        star = jm.light.Clumpy(smooth=star, field=field)
    return jm.Scene(
        sources={
            "disc": jm.Source(
                frame=jm.frame.Disc(
                    x0=dist.Normal(0.0, 0.2), y0=dist.Normal(0.0, 0.2), q=dist.Uniform(0.3, 1.0),
                    pa=dist.Uniform(0.0, 180.0),
                ),
                lights={"star": star},
                carries={
                    "metallicity": jm.Carried(
                        profile=jm.tracer.Gradient(central=dist.Uniform(7.0, 9.5), slope=dist.Normal(0.0, 0.5)),
                        weight="star",
                    )
                },
            )
        },
        lens={
            "main": jm.lens.SIE(
                theta_e=dist.Uniform(0.5, 2.0), q=dist.Uniform(0.4, 1.0), pa=dist.Uniform(0.0, 180.0),
                x0=dist.Normal(0.0, 0.05), y0=dist.Normal(0.0, 0.05),
            ),
            "field": jm.lens.Shear(gamma1=dist.Normal(0.0, 0.05), gamma2=dist.Normal(0.0, 0.05)),
        },
    )  # fmt: skip


def source_pulls(fit: Any, count: int = 100) -> dict[str, float]:
    """The source blurred a little, its mean over draws against the truth, where that is bright."""
    step, width = 0.02, 0.5 * FWHM / 2.3548200450309493
    x, y = np.meshgrid(DISC["x0"] + step * np.arange(-40, 41), DISC["y0"] + step * np.arange(-40, 41))
    true = gaussian_filter(brightness(x, y), width / step, mode="constant")
    flat = fit.flat()
    total = len(next(iter(flat.values())))
    drawn = []
    for i in np.linspace(0, total - 1, count).round().astype(int):
        scene = jm.fill(fit.tree, {name: values[i] for name, values in flat.items()})["scene"]
        seen = np.asarray(jm.scene.surface_brightness(scene.sources["disc"], "star", (x, y), (x, y)))
        drawn.append(gaussian_filter(seen, width / step, mode="constant"))
    mean, sd = np.mean(drawn, axis=0), np.std(drawn, axis=0)
    bright = true > 0.1 * true.max()
    pulls = ((mean - true) / sd)[bright]
    return {
        "rms pull": float(np.sqrt(np.mean(pulls**2))),
        "rms difference over rms of truth": float(
            np.sqrt(np.mean((mean - true)[bright] ** 2 / np.mean(true[bright] ** 2)))
        ),
        "median sd over truth": float(np.median((sd / true)[bright])),
    }


def one(clumpy: bool, **options: Any) -> dict[str, Any]:
    """A fit, against the truth."""
    seen, cpu, clock = observed(), time.process_time(), time.perf_counter()
    fit = jm.fit.auto(prior(clumpy), seen, seed=SEED, progress=False, **options)
    spent = {"CPU seconds": time.process_time() - cpu, "seconds": time.perf_counter() - clock}
    viewed = jm.result.view(fit)
    truth = {
        **{f"scene.lens.main.{k}": v for k, v in LENS.items()},
        **{f"scene.lens.field.{k}": v for k, v in SHEAR.items()},
        "scene.sources.disc.carries.metallicity.profile.slope": SLOPE,
    }
    off = {name: (np.mean(viewed.unwrapped[name]) - v) / np.std(viewed.unwrapped[name]) for name, v in truth.items()}
    hats = {p.site: p.r_hat for p in viewed.parameters}
    image = seen["image"]
    return {
        "numbers": int(sum(np.size(v) for v in fit.best.values())),
        "method": fit.method,
        **spent,
        "chi2 per pixel, image": viewed.chi2["image"] / image.used.sum(),
        "chi2 per pixel, map": viewed.chi2["map"] / seen["map"].used.sum(),
        "(mean - truth) / sd": off,
        "sd": {name: float(np.std(viewed.unwrapped[name])) for name in truth},
        "largest R-hat of these": max(hats[name] for name in truth),
        "largest R-hat": max(hats.values()),
        "source": source_pulls(fit),
    }


def main() -> None:
    """Both fits."""
    jax.config.update("jax_enable_x64", True)
    options = {"chains": 2, "draws": 400, "start_count": 2}
    found = {"clumpy": one(True, **options), "smooth disc": one(False, **options)}
    mine = found["clumpy"]
    met = {
        "chi2 0.85 to 1.15": 0.85 < mine["chi2 per pixel, image"] < 1.15,
        "source's pulls 0.6 to 1.5": 0.6 < mine["source"]["rms pull"] < 1.5,
        "lens and slope within 3 sd": max(abs(v) for v in mine["(mean - truth) / sd"].values()) < 3.0,
        "R-hat below 1.05": mine["largest R-hat of these"] < 1.05,
    }
    write("clumpy_arc", {"bars met": met, **found})


if __name__ == "__main__":
    main()
