"""The light of a reconstructed image as `jaxmetal fit` takes it: the PSF on the source's plane, and a TOML file."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

import numpy as np
from astropy.io import fits

from jaxmetal.edge.writing import write_whole
from jaxmetal.instrument.forms import FWHM_PER_SIGMA
from jaxmetal.io.config.source_plane import SourceJob
from jaxmetal.io.lines.fit_toml import inline
from jaxmetal.numerics.robust import robust_scatter
from jaxmetal.sourceplane.ellipse import Ellipse, from_covariance
from jaxmetal.sourceplane.galaxy import ImageOfSource

REACH = 4.0
"""Half side of the kernel, standard deviations of the major axis."""
LIGHT = """# Fits the {shown} of image {label} on the source's plane with two elliptical components through the PSF
# there: `jaxmetal fit light_{label}.toml`. Take [sources.bulge] out for one; n = 0.5 is a Gaussian; a frame of the type
# "InclinedDisc" has an inclination in the place of q. Source pixels share image pixels: errors are too small. What two
# components leave of a real galaxy, and the PSF of one place used for all, are in the jitter.

[galaxy]
{galaxy}

[cosmology]
H0 = {H0}
Om0 = {Om0}

{sky}[observations.light]
kind = "image"
data = {data}
sigma = {sigma}
noise = {{type = "Gaussian", jitter = {{dist = "HalfNormal", scale = {left:.3g}}}}}
ignore_unit = true                 # values are per pixel of the image
light = "light"
psf = {{type = "Kernel", file = "psf_{label}.fits", includes_pixel = false, step = {pixel}}}
"""
SKY = """[sky]                              # what centres are from: the middle of the image
ra = {ra:.8f}
dec = {dec:.8f}

"""
SOURCE = """
[sources.{name}.frame]
type = "Disc"
x0 = {{dist = "Normal", loc = {x:.5g}, scale = {size:.3g}}}
y0 = {{dist = "Normal", loc = {y:.5g}, scale = {size:.3g}}}
q = {{dist = "Uniform", low = 0.1, high = 1.0, start = {q:.2f}}}
pa = {{dist = "Uniform", low = 0.0, high = 180.0, start = {pa:.1f}}}

[sources.{name}.lights.light]
type = "Sersic"
flux = {{dist = "LogNormal", loc = {flux:.4g}, scale = 1.0}}
r_eff = {{dist = "LogNormal", loc = {r_eff:.4g}, scale = 0.7}}
n = {n}
"""
LEFT = 0.05
"""What components may leave, over the brightest pixel."""
COMPONENTS = {"disc": (0.3, 1.0, "1.0"), "bulge": (1.2, 0.4, '{dist = "Uniform", low = 0.5, high = 5.0}')}
"""Name -> e-folds below the whole flux, half-light radius over that of the light, and Sersic index."""


def write_light(folder: Path, job: SourceJob, label: int, one: ImageOfSource) -> None:
    """Writes psf_<label>.fits and light_<label>.toml beside source_<label>.fits.

    Args:
        folder: an existing one.
        job: what was asked.
        label: of the image.
        one: what was found.
    """
    made = BytesIO()
    fits.PrimaryHDU(kernel(one.psf, job.recipe.pixel)).writeto(made)
    write_whole(folder / f"psf_{label}.fits", made.getvalue())
    (folder / f"light_{label}.toml").write_text(light_toml(job, label, one), encoding="utf-8")


def kernel(ellipse: Ellipse, pixel: float) -> np.ndarray:
    """The elliptical Gaussian at the centres of source pixels, summing to 1, its sides odd."""
    half = max(2, int(np.ceil(REACH * float(ellipse.major) / FWHM_PER_SIGMA / pixel)))
    line = pixel * np.arange(-half, half + 1)
    radius = ellipse.radius(line[None, :], line[:, None]) / float(ellipse.mean) * FWHM_PER_SIGMA
    values = np.exp(-0.5 * radius**2)
    return values / values.sum()


def shape_of(weight: np.ndarray, x: np.ndarray, y: np.ndarray, psf: Ellipse) -> tuple[float, float]:
    """Axis ratio and position angle of light, by its second moments less those of the PSF: where a fit starts.

    Args:
        weight: light, 0 where there is none.
        x: of its pixels, arcsec to the West.
        y: the same to the North.
        psf: half-maximum ellipse there.
    """
    dx, dy = (axis - (weight * axis).sum() / weight.sum() for axis in (x, y))
    moments = np.array([[(weight * a * b).sum() for a in (dx, dy)] for b in (dx, dy)]) / weight.sum()
    sharp = moments - psf.covariance
    # A PSF as large as the light leaves its shape to the light as it is.
    found = from_covariance(sharp if np.linalg.eigvalsh(sharp).min() > 0.1 * np.trace(moments) else moments)
    return float(np.clip(found.minor / found.major, 0.15, 0.95)), float(np.clip(found.pa, 2.0, 178.0))


def light_toml(job: SourceJob, label: int, one: ImageOfSource) -> str:
    """The configuration of the fit."""
    lines, file = job.lines, f"source_{label}.fits"
    told = job.shown in lines.spectra.features
    there = one.light[np.isfinite(one.light)]
    scatter = robust_scatter(there)
    galaxy = {"name": f"{lines.name}-{label}", "z": lines.redshift}
    head = LIGHT.format(
        shown=job.shown,
        label=label,
        galaxy="\n".join(f"{key} = {inline(value)}" for key, value in galaxy.items()),
        H0=float(lines.cosmology.H0.value),
        Om0=float(lines.cosmology.Om0),
        sky=SKY.format(ra=lines.origin.icrs.ra.deg, dec=lines.origin.icrs.dec.deg),
        data=inline({"file": file, "hdu": "light"}),
        # Of a continuum no errors are known: what its pixels scatter by bounds them.
        sigma=inline({"file": file, "hdu": f"{job.shown}_err"}) if told else f"{max(scatter, 1e-30):.3g}",
        left=LEFT * float(there.max(initial=0.0)) or 1e-30,
        pixel=job.recipe.pixel,
    )
    weight = np.where(np.isfinite(one.light), np.maximum(one.light, 0.0), 0.0)
    x, y = (np.asarray(axis) for axis in one.made.grid.centres())
    away = np.hypot(x - one.centre[0], y - one.centre[1])
    size = float((weight * away).sum() / weight.sum())
    q, pa = shape_of(weight, x, y, one.psf)
    total = float(np.log(weight.sum()))
    return head + "".join(
        SOURCE.format(
            name=name,
            x=one.centre[0],
            y=one.centre[1],
            size=size,
            q=q,
            pa=pa,
            flux=total - less,
            r_eff=np.log(size * part),
            n=n,
        )
        for name, (less, part, n) in COMPONENTS.items()
    )
