"""What `jaxmetal source` found, as files: maps on the sky and on the source's plane, tables, a summary."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from jaxmetal.edge.findings import worst_first
from jaxmetal.edge.writing import writing
from jaxmetal.io.config.source_plane import SourceJob
from jaxmetal.io.fits import write_maps
from jaxmetal.io.folder import MARKER
from jaxmetal.io.record import provenance
from jaxmetal.io.source_light import write_light
from jaxmetal.io.source_relations import of_totals, save_relations, told
from jaxmetal.io.tables import write_table
from jaxmetal.sourceplane.galaxy import ImageOfSource, MeasuredSource
from jaxmetal.sourceplane.inferred import Inferred
from jaxmetal.sourceplane.profile import RingLine, RingProfile
from jaxmetal.sourceplane.sizes import bin_sizes
from jaxmetal.sourceplane.traced import radius_map, source_positions

CONTENTS = {
    "summary.txt": "what is printed above, trouble first",
    "source_*.fits": "fluxes and errors (per pixel of the image) at the source, what covers it, radius of its annuli",
    "light_*.toml": "what `jaxmetal fit` takes to fit the light there with elliptical components",
    "psf_*.fits": "the PSF there, which that fit takes",
    "image.fits": "magnification, PSF on the source's plane and where pixels come from, on the sky",
    "images.ecsv": "a row per image: centre, PSF, magnification, verdict, line",
    "annuli.ecsv": "a row per annulus of each image: 12 + log(O/H), its errors, fluxes",
    "image_annuli.ecsv": "the same on the radius map of the image",
    "bins.ecsv": "sizes of the bins on the source's plane",
    "magnification.ecsv": "of each image by other models of the lens: within each and across them",
    "places.ecsv": "a row per place as large as the PSF: metallicity, star formation and stellar mass per kpc2",
    "relations.ecsv": "resolved main sequence, mass-metallicity relation, and the correlation of their residuals",
    "relations.png": "picture of these",
    "source.png": "picture of the maps, the PSF, the annuli and the profile",
    "provenance.json": "configuration, versions, and checksums of the inputs",
}
"""Names, or patterns of names, of all files that there may be; each in a short phrase."""

DESCRIPTIONS = {
    "image": "label of the image of the source",
    "inner": "inner edge",
    "outer": "outer edge",
    "radius": "mean radius",
    "radius_kpc": "mean radius",
    "z": "12 + log(O/H)",
    "error": "the larger of the next two",
    "error_pixels": "from the errors of the pixels and of the calibrations",
    "error_scatter": "of the mean, from how much pixels differ",
    "error_own": "each annulus's own, by which lines weigh: without what all annuli share through the calibrations",
    "pixels": "source pixels, by their shares",
    "x": "centre on the source's plane, to the West",
    "y": "centre on the source's plane, to the North",
    "psf_major": "full width at half maximum of the PSF on the source's plane, major axis",
    "psf_minor": "the same, minor axis",
    "psf_pa": "position angle of its major axis, East of North",
    "flux_ratio": "magnification: flux on the sky over that of the reconstruction",
    "by_map": "magnification: area on the sky over that at the source",
    "light_weighted": "magnification: total flux over the sum of flux / |mu| of each pixel",
    "reach_kpc": "outer edge of the outermost annulus with a value",
    "verdict": "resolved: that reaches 2 sqrt(HWHM HWHM) of the PSF; marginal: once",
    "slope": "of the line through the annuli",
    "slope_error": "its standard error",
    "central": "12 + log(O/H) of the line at the centre",
    "central_error": "its standard error",
    "magnification": "flux_ratio with the error that is stated, or that other models give: 50 %",
    "magnification_low": "16 %",
    "magnification_high": "84 %",
    "sfr": "star-formation rate, demagnified, 50 %, with the error of the magnification",
    "sfr_low": "16 %",
    "sfr_high": "84 %",
    "log_mass": "log10 of the stellar mass, demagnified, 50 %, with the error of the magnification",
    "log_mass_low": "16 %",
    "log_mass_high": "84 %",
    "mass_covered": "share of the image's pixels that have a stellar mass: the total is of these",
}


def save_source(job: SourceJob, measured: MeasuredSource, inferred: Inferred, folder: str | Path) -> None:
    """Writes everything but pictures into an existing folder (see `io.folder.output_folder`).

    Raises:
        InputError: if the folder cannot be written or an input cannot be read.
    """
    folder = Path(folder)
    with writing(folder):
        (folder / "summary.txt").write_text(summary(job, measured, inferred), encoding="utf-8")
        _image_maps(folder / "image.fits", job, measured)
        for name, one in measured.images.items():
            _source_maps(folder / f"source_{name}.fits", job, one)
            write_light(folder, job, name, one)
        rows = [
            _row(name, one, job.kpc_per_arcsec) | of_totals(inferred.totals[name])
            for name, one in measured.images.items()
        ]
        _table(folder / "images.ecsv", {key: [row[key] for row in rows] for key in rows[0]}, job)
        rings = [_rings(one.profile, job, name) for name, one in measured.images.items()]
        _table(folder / "annuli.ecsv", {key: np.concatenate([one[key] for one in rings]) for key in rings[0]}, job)
        save_relations(inferred, folder, {"kpc_per_arcsec": job.kpc_per_arcsec})
        if measured.in_image is not None:
            _table(folder / "image_annuli.ecsv", _rings(measured.in_image[0], job, 0), job)
        spectra = job.lines.spectra
        if spectra.bins is not None:
            sizes = vars(bin_sizes(job.lens, job.grid, spectra.bins))
            units = dict.fromkeys(("diameter", "major", "minor", "x", "y"), "arcsec") | {"area": "arcsec2"}
            write_table(folder / "bins.ecsv", {"bin": spectra.ids, **sizes}, units=units)
        record = provenance(job.inputs, seed=job.lines.seed, configuration=job.lines.configuration)
        record["findings"] = [str(finding) for finding in (*job.findings, *inferred.findings)]
        record["kpc_per_arcsec"] = job.kpc_per_arcsec
        (folder / MARKER).write_text(json.dumps(record, indent=2, default=str) + "\n", encoding="utf-8")


def summary(job: SourceJob, measured: MeasuredSource, inferred: Inferred) -> str:
    """What a person reads first."""
    findings = worst_first((*job.findings, *inferred.findings))
    lines = [f"- {finding}" for finding in findings] or ["- Nothing suspicious."]
    scale = job.kpc_per_arcsec
    lines += ["", f"{job.lines.name}: {_images(len(measured.images))}, {scale:.4g} kpc per arcsec at the source"]
    for name, one in measured.images.items():
        psf = one.psf.scaled(scale)
        lines += [
            f"  image {name}, centred on the peak of {job.shown}:"
            if job.recipe.centre is None
            else f"  image {name}, about the stated centre:",
            f"    PSF at the source        {psf.major:.3g} x {psf.minor:.3g} kpc FWHM, PA {psf.pa:.0f} deg",
            f"    magnification            {one.magnified.flux_ratio:.3g} by flux, {one.magnified.by_map:.3g} by area, "
            f"{one.magnified.light_weighted:.3g} by light",
            f"    annuli reach             {one.profile.reach * scale:.3g} kpc: {one.verdict}",
            f"    gradient                 {_slope(one.line, scale)}",
            *told(name, inferred),
        ]
    line = job.lines.spectra.features[job.lines.light]
    for pair, rms in measured.apart.items():
        lines.append(f"  images {pair[0]} and {pair[1]}: {line} differs by {rms:.2g} errors (rms); so do their blurs")
    if measured.in_image is not None:
        lines += ["  annuli in the image:", f"    gradient                 {_slope(measured.in_image[1], scale)}"]
    area = float(job.grid.pixel_area)
    lines += ["", f"Maps at the source are per pixel of the image ({area:.4g} arcsec2), fluxes of annuli the source's."]
    lines += ["", "The blur is still in these gradients; `jaxmetal fit` on the maps takes it out."]
    return "\n".join(lines) + "\n"


def _images(count: int) -> str:
    return "1 image" if count == 1 else f"{count} images"


def _slope(line: RingLine | None, scale: float) -> str:
    if line is None:
        return "none: too few annuli have a value"
    return f"{line.slope / scale:+.4f} +- {line.slope_error / scale:.4f} dex/kpc, {line.central:.3f} at the centre"


def _image_maps(path: Path, job: SourceJob, measured: MeasuredSource) -> None:
    grid = job.grid
    x, y = source_positions(job.lens, *grid.centres())
    major, minor, pa = measured.psf
    maps: dict[str, Any] = {
        "images": measured.labels.astype(np.int32),
        "magnification": measured.magnification,
        "source_x": x,
        "source_y": y,
        "psf_major": major,
        "psf_minor": minor,
        "psf_pa": pa,
    }
    if job.recipe.frame is not None:
        maps["radius"] = radius_map(job.recipe.frame, grid, job.lens)
    lengths = {name: "arcsec" for name in maps if name in ("source_x", "source_y", "psf_major", "psf_minor", "radius")}
    write_maps(path, maps, grid, job.lines.origin, lengths | {"psf_pa": "deg"})


def _source_maps(path: Path, job: SourceJob, one: ImageOfSource) -> None:
    grid = one.made.grid
    x, y = (np.asarray(axis) for axis in grid.centres())
    maps: dict[str, Any] = {"light": one.light, "coverage": one.made.coverage}
    maps["radius"] = one.shape.radius(x - one.centre[0], y - one.centre[1])
    fluxes: dict[str, Any] = {}
    for k, name in enumerate(job.lines.spectra.features):
        fluxes |= {name: one.flux[..., k], f"{name}_err": one.sigma[..., k]}
    units = dict.fromkeys(fluxes, job.lines.unit) if job.lines.unit else {}
    write_maps(path, fluxes | maps, grid, job.lines.origin, units | {"radius": "arcsec"})


def _row(name: int, one: ImageOfSource, scale: float) -> dict[str, Any]:
    line = one.line or RingLine(*(np.nan,) * 4)
    return {
        "image": name,
        "x": one.centre[0],
        "y": one.centre[1],
        **dict(zip(("psf_major", "psf_minor", "psf_pa"), one.psf, strict=True)),
        **one.magnified._asdict(),
        "reach_kpc": one.profile.reach * scale,
        "verdict": one.verdict,
        "slope": line.slope / scale,
        "slope_error": line.slope_error / scale,
        "central": line.central,
        "central_error": line.central_error,
    }


def _rings(profile: RingProfile, job: SourceJob, name: int) -> dict[str, np.ndarray]:
    columns = {key: values for key, values in vars(profile).items() if np.ndim(values) == 1}
    made = {"image": np.full(profile.z.size, name), **columns, "radius_kpc": profile.radius * job.kpc_per_arcsec}
    for k, feature in enumerate(job.lines.spectra.features):
        made |= {f"flux_{feature}": profile.flux[:, k], f"sigma_{feature}": profile.sigma[:, k]}
    return made


def _table(path: Path, columns: dict[str, Any], job: SourceJob) -> None:
    units = dict.fromkeys(("inner", "outer", "radius", "x", "y", "psf_major", "psf_minor"), "arcsec")
    units |= dict.fromkeys(("radius_kpc", "reach_kpc"), "kpc") | dict.fromkeys(("slope", "slope_error"), "dex / kpc")
    units |= {"psf_pa": "deg"} | dict.fromkeys(
        ("z", "error", "error_pixels", "error_scatter", "error_own", "central", "central_error"), "dex"
    )
    units |= dict.fromkeys(("sfr", "sfr_low", "sfr_high"), "Msun / yr")
    units |= dict.fromkeys(("log_mass", "log_mass_low", "log_mass_high"), "dex")
    fluxes = {f"{kind}_{feature}" for kind in ("flux", "sigma") for feature in job.lines.spectra.features}
    units |= dict.fromkeys(fluxes, job.lines.unit)
    known = {name: unit for name, unit in units.items() if name in columns and unit}
    said = {name: text for name, text in DESCRIPTIONS.items() if name in columns}
    write_table(path, columns, units=known, descriptions=said, meta={"kpc_per_arcsec": job.kpc_per_arcsec})
