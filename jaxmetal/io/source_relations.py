"""Resolved relations, totals and spreads of magnification of `jaxmetal source`, as tables and lines of its summary."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from jaxmetal.io.tables import write_table
from jaxmetal.population.relation import interval
from jaxmetal.sourceplane.inferred import Inferred
from jaxmetal.sourceplane.resolved import ResolvedRelations
from jaxmetal.sourceplane.whole import Totals

SAID = {
    "image": "label of the image of the source",
    "x": "centre on the source's plane, to the West",
    "y": "centre on the source's plane, to the North",
    "area": "covered, on the source's plane",
    "z": "12 + log(O/H)",
    "z_error": "of this place by itself: what calibrations do to all alike is not in it",
    "log_sfr": "log10 of the surface density of star formation",
    "log_mass": "log10 of the surface density of stellar mass",
    "correlation": "of the errors of z and log_sfr",
    "relation": "with log10 of stellar mass per kpc2; of the residuals: of metallicity with star formation",
    "places": "through which it is drawn",
    "pivot": "log10 of the mass at which the central value is quoted",
    "scatter": "intrinsic, about the line",
    "spearman": "rank correlation of the values as measured",
    "p_value": "that values which do not correlate are as far from 0",
    "spearman_low": "16 % quantile over errors and sampling of places",
    "spearman_high": "84 % quantile",
    "by_shared_errors": "Pearson's correlation of the residuals that common errors make alone",
    "model": "of the lens; across: the medians of all models",
    "median": "magnification of the light",
    "low": "16 % quantile",
    "high": "84 % quantile",
    "relative": "half of what lies between, over the median",
    "lenses": "of that model",
}
UNITS = {
    "x": "arcsec", "y": "arcsec", "area": "kpc2", "z": "dex", "z_error": "dex", "log_sfr": "dex", "log_mass": "dex",
    "log_sfr_error": "dex", "log_mass_error": "dex", "pivot": "dex", "scatter": "dex", "central": "dex",
}  # fmt: skip


def save_relations(found: Inferred, folder: Path, meta: dict[str, Any]) -> None:
    """Writes places.ecsv, relations.ecsv and magnification.ecsv where there is something to write.

    Args:
        found: of `sourceplane.inferred`.
        folder: an existing one.
        meta: of the tables.
    """
    if found.relations:
        columns = [
            {"image": np.full(one.places.z.size, name), **vars(one.places)} for name, one in found.relations.items()
        ]
        _write(folder / "places.ecsv", {key: np.concatenate([one[key] for one in columns]) for key in columns[0]}, meta)
    rows = [row for name, one in found.relations.items() for row in _rows(name, one)]
    if rows:
        _write(folder / "relations.ecsv", {key: [row[key] for row in rows] for key in rows[0]}, meta)
    spreads = [
        {"image": name, "model": model, **one._asdict(), "relative": one.relative}
        for name, models in found.spreads.items()
        for model, one in models.items()
    ]
    if spreads:
        _write(folder / "magnification.ecsv", {key: [row[key] for row in spreads] for key in spreads[0]}, meta)


def of_totals(one: Totals) -> dict[str, float]:
    """Columns of a row of images.ecsv: what has a number, with its 16 and 84 %."""
    columns: dict[str, float] = {}
    for name in ("magnification", "sfr", "mass"):
        values = getattr(one, name)
        known = np.log10(np.maximum(values, 1e-300)) if name == "mass" else np.asarray(values)
        if np.isfinite(values).all():
            stem = "log_mass" if name == "mass" else name
            columns |= {f"{stem}{end}": float(v) for end, v in zip(("_low", "", "_high"), known, strict=True)}
    return columns | ({"mass_covered": one.mass_covered} if np.isfinite(one.mass_covered) else {})


def told(name: int, found: Inferred) -> list[str]:
    """Lines of the summary about one image."""
    one, stated = found.totals[name], found.errors[name]
    lens = "" if stated is not None else "; no error of the magnification is in it: state source.magnification_error"
    lines = []
    if np.isfinite(one.sfr).all():
        lines.append(f"    star formation           {_two_sided(one.sfr)} Msun/yr, demagnified{lens}")
    if np.isfinite(one.mass).all():
        lines.append(f"    stellar mass             {_two_sided(one.mass)} Msun, demagnified")
    spreads = found.spreads.get(name, {})
    for model, spread in spreads.items():
        if model == "across" and len(spreads) < 3:
            continue  # one model alone differs from no other
        (low, high), title = spread.errors, f"magnification, {model}"
        what = "models" if model == "across" else "lenses"
        lines.append(f"    {title:24} {spread.median:.3g} (+{high:.2g} -{low:.2g}), {spread.lenses} {what}")
    if name in found.relations:
        lines += _of_relations(found.relations[name])
    return lines


def _of_relations(one: ResolvedRelations) -> list[str]:
    places = one.places.z.size
    if one.relations is None:
        return [f"    resolved relations       none: only {places} places are strong enough"]
    lines = []
    for title, relation, ranks in one.named:
        slope = relation.flat()["slope.x"]
        lines.append(
            f"    {'resolved ' + title:32} slope {np.median(slope):+.2f} +- {np.std(slope):.2f}, {places} places; "
            f"Spearman {ranks.observed:+.2f} (p = {ranks.p_value:.2g})"
        )
    ranks = one.relations.spearman
    lines.append(
        f"    residuals of the two             Spearman {ranks.observed:+.2f} (p = {ranks.p_value:.2g}), of which "
        f"shared errors make {one.relations.by_shared_errors:+.2f}"
    )
    return lines


def _rows(name: int, one: ResolvedRelations) -> list[dict[str, Any]]:
    """Of the two relations and of what is left."""
    if one.relations is None:
        return []
    rows = []
    for title, relation, ranks in one.named:
        flat, row = relation.flat(), {"image": name, "relation": title, "places": one.places.z.size}
        row["pivot"] = relation.covariates["x"].pivot
        for site, column in {"slope.x": "slope", "central": "central", "scatter": "scatter"}.items():
            low, high = interval(flat[site])
            row |= {column: float(np.median(flat[site])), f"{column}_low": low, f"{column}_high": high}
        rows.append(row | _ranks(ranks) | {"by_shared_errors": np.nan})
    left = dict.fromkeys(rows[0], np.nan) | {"image": name, "relation": "residuals", "places": one.places.z.size}
    rows.append(left | _ranks(one.relations.spearman) | {"by_shared_errors": one.relations.by_shared_errors})
    return rows


def _ranks(one: Any) -> dict[str, float]:
    return {"spearman": one.observed, "p_value": one.p_value, "spearman_low": one.low, "spearman_high": one.high}


def _two_sided(values: tuple[float, float, float]) -> str:
    low, middle, high = values
    return f"{middle:.3g} (+{high - middle:.2g} -{middle - low:.2g})"


def _write(path: Path, columns: dict[str, Any], meta: dict[str, Any]) -> None:
    units = {name: UNITS[name] for name in columns if name in UNITS}
    units |= {
        name: "dex" for name in columns if name.removesuffix("_low").removesuffix("_high") in ("central", "scatter")
    }
    said = {name: text for name, text in SAID.items() if name in columns}
    write_table(path, columns, units=units, descriptions=said, meta=meta)
