"""Annuli on the source's plane: elliptical and circular ones on 50 lensed mocks, and the size of their errors.

    python benchmarks/source_annuli.py [number of mocks, default 50]

Discs with a gradient behind an SIE and a shear, blurred and noisy (Hb has a signal to noise of about 10 in the
brightest pixel), reconstructed from their brightest image. Agree: the two slopes differ by less than their errors in
quadrature (Curti et al. 2020 find 83 %; the bar is 80 %), with the scatter of the calibrations as noise of each
annulus, as they count it; with what all annuli share of it told apart, as `ring_line` does, by which errors are half as
large; and by the noise alone. Pulls: Z of an annulus less that without noise, over its error from the pixels, where
calibrations scatter by 0.002 dex; their standard deviation, robust (half of what lies between 16 and 84 %), has the bar
0.8 to 1.2. Pulls of fluxes: the same of the summed fluxes themselves, which are 1 if shared pixels are counted rightly;
those of Z are a little less where A(V) is held by its prior.
Slopes: regression of recovered on true slope, whose departure from 1 is what the PSF on the source's plane does.
Writes results/source_annuli.json after every mock, and goes on where it was.
"""

from __future__ import annotations

import dataclasses
import json
import sys
from pathlib import Path

import jax
import numpy as np
from scipy.ndimage import gaussian_filter

import jaxmetal as jm
from jaxmetal import sourceplane
from jaxmetal.numerics.grid import subpixels

jax.config.update("jax_enable_x64", True)

LINES = ["OII", "Hb", "OIII5007", "Ha+NII"]
GRID, FINE, FWHM, NOISE = jm.Grid.regular((60, 70), 0.1), 3, 0.35, 12.0
CHUNK = 128
ERRORS = {"slope": "error", "with_scatter": "error_with_scatter", "shared_scatter": "error_shared_scatter"}
"""Slope of a mock -> its error."""
RESULTS = Path(__file__).with_name("results") / "source_annuli.json"


def mock(seed):
    """Lens, frame, true slope, fluxes without noise and labels of the images."""
    rng = np.random.default_rng([18, seed])
    lens = jm.lens.Plane(
        parts={
            "galaxy": jm.lens.SIE(theta_e=rng.uniform(1.0, 1.5), q=rng.uniform(0.6, 0.9), pa=rng.uniform(0.0, 180.0)),
            "shear": jm.lens.Shear(gamma1=rng.uniform(-0.05, 0.05), gamma2=rng.uniform(-0.05, 0.05)),
        }
    )
    angle, away = rng.uniform(0.0, 2.0 * np.pi), rng.uniform(0.6, 0.9)
    frame = jm.frame.Disc(
        x0=away * np.cos(angle), y0=away * np.sin(angle), q=rng.uniform(0.5, 1.0), pa=rng.uniform(0.0, 180.0)
    )
    slope = rng.uniform(-0.6, 0.1)
    beta = sourceplane.source_positions(lens, *subpixels(GRID, density=FINE, margin=0))
    radius = np.asarray(jm.frame.deprojected_radius(frame, *beta))
    z = np.clip(8.8 + slope * radius, 7.8, 9.2)
    light = 400.0 * np.exp(-radius / 0.25)[..., None] * np.asarray(jm.lines.emission(LINES, "M08")(z, 0.5))
    sigma = FWHM / 2.3548 / 0.1 * FINE
    blurred = np.stack([gaussian_filter(light[..., k], sigma) for k in range(len(LINES))], axis=-1)
    ny, nx = GRID.shape
    flux = blurred.reshape(ny, FINE, nx, FINE, -1).mean(axis=(1, 3))
    outside = sourceplane.trace(lens, GRID).magnification > 0
    x, y = (np.asarray(one) for one in GRID.centres())
    near = (sourceplane.radius_map(frame, GRID, lens) < 1.2) & outside & (x * frame.x0 + y * frame.y0 > 0)
    return lens, frame, slope, flux, near, rng


def measured(seed, likelihood, scattered):
    """What both shapes of annuli say of one mock."""
    lens, frame, slope, flux, used, rng = mock(seed)
    sigma = np.full(flux.shape, NOISE)
    made = sourceplane.reconstruct(lens, GRID, 0.08, used=used)
    place = np.asarray(GRID.centres())[:, used]
    beta = np.stack(sourceplane.source_positions(lens, *place))
    nearest = np.argmin(np.hypot(beta[0] - frame.x0, beta[1] - frame.y0))
    psf = sourceplane.source_psf(lens, jm.instrument.Gaussian(fwhm=FWHM), GRID, *place[:, nearest], labels=used)
    ellipse = sourceplane.Ellipse(*(float(one) for one in psf))
    noisy, row = flux + rng.normal(0.0, NOISE, flux.shape), {"slope": slope, "q": frame.q, "psf": float(ellipse.mean)}
    for name, shape in {"elliptical": ellipse, "circular": ellipse.round}.items():
        rings = sourceplane.elliptical_rings(made.grid, shape, (frame.x0, frame.y0), 0.7, used=made.coverage > 0.5)
        held = sourceplane.stacked_rings(made, rings, noisy, sigma)
        found = sourceplane.ring_profile(likelihood, held, rings, seed=seed)
        strong = found.known & (found.flux[:, 1] > 5.0 * found.sigma[:, 1])
        clean = sourceplane.stacked_rings(made, rings, flux, sigma).sums()[0]
        truth = jm.spaxel.posterior(likelihood, clean[strong], found.sigma[strong], chunk=CHUNK)
        pulls = (found.z[strong] - truth["z"]) / found.error_pixels[strong]
        line = sourceplane.ring_line(dataclasses.replace(found, z=np.where(strong, found.z, np.nan)))
        of_flux = ((found.flux - clean) / found.sigma)[strong]
        row[name] = {
            "pulls": pulls.tolist(),
            "flux": of_flux.ravel().tolist(),
            "slope": line.slope,
            "error": line.slope_error,
        }
        whole = sourceplane.ring_profile(scattered, held, rings, seed=seed)
        whole = dataclasses.replace(whole, z=np.where(strong, whole.z, np.nan))
        line = sourceplane.ring_line(whole)
        row[name] |= {"shared_scatter": line.slope, "error_shared_scatter": line.slope_error}
        line = sourceplane.ring_line(dataclasses.replace(whole, error_own=whole.error, shared={}))
        row[name] |= {"with_scatter": line.slope, "error_with_scatter": line.slope_error}
    return row


def verdict(rows):
    """The numbers that have bars."""
    one, other = ([row[name] for row in rows] for name in ("elliptical", "circular"))
    agree = {}
    for what, error in ERRORS.items():
        pairs = zip(one, other, strict=True)
        agree[what] = float(np.mean([abs(a[what] - b[what]) < np.hypot(a[error], b[error]) for a, b in pairs]))
    true = {"mocks": len(rows), "agree": agree["with_scatter"], "agree_by_noise_alone": agree["slope"]}
    true["agree_by_shared_scatter"] = agree["shared_scatter"]
    said = np.array([row["slope"] for row in rows])
    for name, those in {"elliptical": one, "circular": other}.items():
        pulls = np.concatenate([row["pulls"] for row in those])
        low, high = np.quantile(pulls, [0.16, 0.84])
        true |= {f"pulls_{name}": float(0.5 * (high - low)), f"annuli_{name}": len(pulls)}
        true[f"pulls_of_fluxes_{name}"] = float(np.std(np.concatenate([row["flux"] for row in those])))
        line = jm.classical.ols(said, np.array([row["slope"] for row in those]))
        true |= {f"recovered_{name}": line.slope, f"recovered_{name}_error": line.slope_error}
    return true


def main():
    """All mocks that are not there yet."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 50
    rows = json.loads(RESULTS.read_text())["rows"] if RESULTS.exists() else []
    likelihood = jm.spaxel.fluxes(LINES, "M08", scatter=0.002)
    for seed in range(len(rows), count):
        rows.append(measured(seed, likelihood, jm.spaxel.fluxes(LINES, "M08")))
        summary = verdict(rows) if len(rows) > 2 else {}
        RESULTS.write_text(json.dumps({**summary, "rows": rows}, indent=1) + "\n")
        print(seed, summary, flush=True)


if __name__ == "__main__":
    main()
