"""A fit as files: a summary to read, draws, a table of parameters, maps, provenance."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from arviz_base import from_dict
from astropy.coordinates import SkyCoord

from jaxmetal.edge.writing import writing
from jaxmetal.io.finished import DRAWS, MODEL, NAMES, save_model
from jaxmetal.io.fits import write_maps
from jaxmetal.io.folder import MARKER
from jaxmetal.io.posterior_tables import parameters
from jaxmetal.io.record import FORMAT, provenance
from jaxmetal.io.sealed import write_netcdf
from jaxmetal.io.tables import write_table
from jaxmetal.meaning import property_unit
from jaxmetal.observation import Channel, planes, shows_properties
from jaxmetal.posterior import Posterior
from jaxmetal.result.places import table
from jaxmetal.result.predicted import intrinsic_map, predictive, radius_map
from jaxmetal.result.scale import Scale, scale_of
from jaxmetal.result.size import effective_radius
from jaxmetal.result.text import summary
from jaxmetal.result.views import View, view


def save(
    posterior: Posterior | View,
    folder: str | Path,
    *,
    origin: SkyCoord,
    kpc_per_arcsec: Scale = None,
    inputs: Mapping[str, str | Path] | None = None,
    configuration: Mapping[str, Any] | None = None,
) -> None:
    """Writes summary.txt, posterior.nc, model.h5, parameters.ecsv, maps_<observation>.fits and provenance.json.

    Of an observation that lies on no map table_<observation>.ecsv.

    Args:
        posterior: of a fit, or a view of it.
        folder: an existing folder (see `io.folder.output_folder`).
        origin: sky origin, for the maps' world coordinates.
        kpc_per_arcsec: proper scale, for slopes per kpc and the radius maps: of all sources, or source -> its own.
        inputs: what a file is -> its path, for checksums.
        configuration: as the user gave it.

    Raises:
        InputError: if the folder cannot be written or an input cannot be read.
    """
    folder, seen = Path(folder), view(posterior)
    posterior = seen.posterior
    record = provenance(inputs, seed=posterior.seed, configuration=configuration)
    record["method"], record["decisions"] = posterior.method, list(posterior.decisions)
    record["sky_origin_deg"] = [float(origin.spherical.lon.deg), float(origin.spherical.lat.deg)]
    record["kpc_per_arcsec"] = kpc_per_arcsec
    with writing(folder):
        (folder / "summary.txt").write_text(summary(seen, kpc_per_arcsec), encoding="utf-8")
        save_draws(seen, folder / DRAWS)
        save_model(seen, folder / MODEL)
        write_table(folder / "parameters.ecsv", **parameters(seen))
        for name in posterior.observations:
            if seen.filled[name].pixels is None:
                write_table(folder / f"table_{name}.ecsv", **observation_table(seen, name))
                continue
            maps, units = observation_maps(seen, name, kpc_per_arcsec)
            write_maps(folder / f"maps_{name}.fits", maps, seen.filled[name].pixels, origin, units)
        (folder / MARKER).write_text(json.dumps(record, indent=2, default=str) + "\n", encoding="utf-8")


def save_draws(posterior: Posterior | View, path: str | Path) -> None:
    """Draws, their log prior densities and sampler statistics as netCDF, in groups and with names as ArviZ has them.

    `xarray.open_datatree(path, engine="h5netcdf")` reads it.
    """
    seen = view(posterior)
    posterior = seen.posterior
    groups = {"posterior": posterior.draws, "log_prior": seen.log_priors, "sample_stats": _named(posterior.sampler)}
    attributes = {"format": FORMAT, "seed": posterior.seed, "method": posterior.method, "k_hat": posterior.k_hat}
    data = from_dict({name: group for name, group in groups.items() if group}, attrs={"/": attributes})
    for site in posterior.draws:
        data["posterior"][site].attrs["units"] = seen.meanings[site].unit
        data["posterior"][site].attrs["best"] = np.ravel(posterior.best[site])
    write_netcdf(data, path)


def observation_table(posterior: Posterior | View, name: str) -> dict[str, Any]:
    """What an observation that lies on no map recorded, and what the best model says: as `write_table` takes it."""
    found = table(posterior, name)
    return {
        "columns": {key: column.values for key, column in found.items()},
        "units": {key: column.unit for key, column in found.items()},
        "descriptions": {key: column.description for key, column in found.items()},
    }


def observation_maps(
    posterior: Posterior | View, name: str, kpc_per_arcsec: Scale
) -> tuple[dict[str, np.ndarray], dict[str, str]]:
    """Data, model, residual; for carried properties, intrinsic values and radii (arcsec, kpc, R_e). And units.

    Where the data are several maps, the name of each stands behind: "data_Hb". Data of bins stand in all pixels of
    theirs, and light as its mean over them, so that it sums to the bin's. Radii are in the frame of the first property
    that the observation shows, its own where it has one.
    """
    seen = view(posterior)
    observation = seen.filled[name]
    maps: dict[str, np.ndarray] = {}
    units: dict[str, str] = {}
    for plane in planes(observation):
        for key, values in _beside(seen, name, plane).items():
            label = f"{key}_{plane.name}" if plane.name else key
            maps[label] = values
            if key == "residual":
                units[label] = "sigma"  # it is (data - model) / sigma
            elif shows_properties(observation) and observation.quantity.unit and key != "light":
                units[label] = observation.quantity.unit
    for source, prop in _carriers(seen.posterior, observation):
        maps[f"{prop}_{source}"] = intrinsic_map(seen, name, source, prop)
        if unit := property_unit(seen.posterior.tree, prop):
            units[f"{prop}_{source}"] = unit
        if prop == observation.properties[0]:
            radius, size = radius_map(seen, name, source, prop), effective_radius(seen, source, prop)
            maps[f"radius_{source}"], units[f"radius_{source}"] = radius, "arcsec"
            scale = scale_of(seen, source, kpc_per_arcsec)
            if scale is not None:
                maps[f"radius_kpc_{source}"], units[f"radius_kpc_{source}"] = radius * scale, "kpc"
            if size is not None:
                maps[f"radius_re_{source}"] = radius / float(np.median(size))
    return maps, units


def _carriers(posterior: Posterior, observation: Any) -> list[tuple[str, str]]:
    """(source, property) of what an observation shows."""
    sources = posterior.tree["scene"].sources
    shown = observation.properties
    return [(name, prop) for name, source in sources.items() for prop in shown if prop in source.carries]


def _beside(seen: View, name: str, plane: Channel) -> dict[str, np.ndarray]:
    """A map of an observation beside what the model says of it."""
    observation, best, drawn = seen.filled[name], seen.predictions[name], predictive(seen, name)
    used, bins = plane.of(observation.used), observation.bins
    share = 1.0 if bins is None else bins.total(np.ones(observation.shape))
    maps: dict[str, Any] = {
        "data": np.where(used, plane.of(observation.data), np.nan),
        "sigma": np.where(used, plane.of(seen.sigmas[name]), np.nan),
        "model": plane.of(best.value),
        "residual": plane.of(seen.residuals[name]),
        "predicted_mean": plane.of(drawn.mean),
        "predicted_sd": plane.of(drawn.sd),
        "light": plane.of(best.light) / share,
    }
    return {key: np.asarray(values if bins is None else bins.paint(values)) for key, values in maps.items()}


def _named(sampler: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Statistics under ArviZ's names."""
    return {NAMES.get(name, name): values for name, values in sampler.items()}
