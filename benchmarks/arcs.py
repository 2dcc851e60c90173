"""The two real lensed arcs of Patricio et al. 2019 (MNRAS 489, 224): data as observations, scenes to fit to them."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import jax
import numpy as np
import numpyro.distributions as dist
from astropy.coordinates import SkyCoord
from astropy.cosmology import WMAP9, FlatLambdaCDM

import jaxmetal as jm
from jaxmetal.io.bins import read_bins
from jaxmetal.io.deflection import read_deflection
from jaxmetal.io.fits import read_map
from jaxmetal.recipes import metallicity_map

DATA = Path(os.environ.get("JAXMETAL_DATA", Path(__file__).resolve().parents[2] / "shared" / "data"))
REDSHIFTS = {"as1063": (0.348, 0.611), "a370": (0.375, 0.725)}
FWHM = {"as1063": 1.03, "a370": 0.70}
MOFFAT_BETA = 2.8
LIGHT_FWHM = 0.09
"""Of the HST picture, arcsec."""


@dataclass(frozen=True)
class Arc:
    """One arc; `name` is "as1063" or "a370"."""

    name: str

    @property
    def expected(self) -> dict[str, Any]:
        """What `expected.json` holds on it."""
        return json.loads((DATA / "expected.json").read_text())["galaxies"][self.name.upper()]

    @cached_property
    def metallicity(self) -> Any:
        return read_map(DATA / self.name / "metallicity.fits")

    @cached_property
    def origin(self) -> Any:
        """The sky origin: the deflection map's tangent point, whose North the published position angles count from."""
        header = read_map(DATA / self.name / "dplx.fits").header
        return SkyCoord(header["CRVAL1"], header["CRVAL2"], unit="deg")

    @cached_property
    def grid(self) -> jm.Grid:
        return self.metallicity.grid(self.origin)

    @cached_property
    def bins(self) -> jm.Bins:
        return read_bins(DATA / self.name / "bins.fits").bins

    def kpc_per_arcsec(self, cosmology: Any = None) -> float:
        """Proper scale at the source; flat 70/0.3 by default."""
        cosmology = cosmology or FlatLambdaCDM(H0=70, Om0=0.3)
        return float(cosmology.kpc_proper_per_arcmin(REDSHIFTS[self.name][1]).value / 60.0)

    @property
    def kpc_wmap9(self) -> float:
        """The scale that FRApy uses."""
        return self.kpc_per_arcsec(WMAP9)

    def lens(self, interpolation: str = "cubic") -> dict[str, Any]:
        """The deflection map, which is already at the source's redshift."""
        z_lens, z_source = REDSHIFTS[self.name]
        files = (DATA / self.name / f"dpl{axis}.fits" for axis in "xy")
        read = read_deflection(
            *files, origin=self.origin, z_lens=z_lens, z_source=z_source, z_map="source", interpolation=interpolation
        )
        return {"cluster": read.lens}

    def images(self) -> np.ndarray:
        """Label of the lensed image of each pixel of A370: 0 the complete image, 1 to 3 its counter-images."""
        labels = read_map(DATA / self.name / "images_mask.fits").values
        return np.where(labels > 0, labels - 1, 0).astype(int)

    def picture(self) -> jm.light.Picture:
        """The HST light, as seen, negative pixels set to zero."""
        light = read_map(DATA / self.name / "light_f606w.fits")
        picture = jm.light.Picture(
            values=np.nan_to_num(light.values),
            grid=light.grid(self.origin),
            plane="image",
            psf=jm.instrument.Gaussian(fwhm=LIGHT_FWHM),
        )
        return jm.light.clip_negative(picture)[0]

    def observation(self, psf: Any, mixing: Any, jitter: Any = 0.0) -> jm.WeightedMap:
        """The published map in its bins."""
        sigma = read_map(DATA / self.name / "metallicity_sigma.fits").values
        return metallicity_map(
            self.metallicity.values, sigma=sigma, grid=self.grid, psf=psf, bins=self.bins, mixing=mixing, jitter=jitter
        )

    def centre(self, column: float, row: float, interpolation: str = "cubic") -> tuple[float, float]:
        """Source-plane position (arcsec) of a data pixel, counted from 0."""
        x, y = self.grid.to_sky(np.asarray(column, float), np.asarray(row, float))
        alpha = next(iter(self.lens(interpolation).values()))(x, y)
        return float(x - alpha[0]), float(y - alpha[1])


def scene(frame: Any, light: Any, central: Any, slope: Any, lens: dict[str, Any]) -> jm.Scene:
    """One disc with a metallicity gradient (dex per arcsec of deprojected radius) that a light weights."""
    gradient = jm.tracer.Gradient(central=central, slope=slope)
    return jm.Scene(
        sources={
            "disc": jm.Source(
                frame=frame,
                lights={"weight": light},
                carries={"metallicity": jm.Carried(profile=gradient, weight="weight")},
            )
        },
        lens=lens,
    )


def frapy_psf(fwhm: float, pixel: float = 0.2) -> jm.instrument.Kernel:
    """FRApy's kernel: a Gaussian sampled at pixel centres, odd and at least 8 sigma wide, normalised."""
    sigma = fwhm / 2.355 / pixel
    size = int(np.ceil(8 * sigma)) | 1
    offset = np.arange(size) - size // 2
    line = np.exp(-0.5 * (offset / sigma) ** 2)
    kernel = np.outer(line, line)
    return jm.instrument.Kernel(values=kernel / kernel.sum(), step=pixel, includes_pixel=True)


def frapy_observation(arc: Arc) -> tuple[jm.WeightedMap, dict[str, jm.Sampling]]:
    """FRApy's operator: unweighted, linear, one sample per pixel."""
    psf = frapy_psf(FWHM[arc.name])
    half = np.shape(psf.values)[0] // 2
    sampling = jm.Sampling(oversampling=1, margin=half, route="fft", core_size=0.0)
    return arc.observation(psf, jm.mixing.Linear()), {"metallicity": sampling}


def free_disc(arc: Arc, at: tuple[float, float], pa: float) -> tuple[jm.frame.Disc, dict[str, Any]]:
    """A free geometry around a source-plane position, and the gradient's priors (arcsec, dex)."""
    frame = jm.frame.Disc(
        x0=dist.Normal(at[0], 0.3),
        y0=dist.Normal(at[1], 0.3),
        q=dist.Uniform(0.1, 1.0),
        pa=dist.Uniform(pa - 90, pa + 90),
    )
    return frame, {"central": dist.Uniform(8.0, 10.0), "slope": dist.Normal(0.0, 0.5)}


def main_double() -> None:
    """Double precision, which every comparison here needs."""
    jax.config.update("jax_enable_x64", True)
