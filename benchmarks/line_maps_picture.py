"""The picture of `line_maps.py` in the README: slopes by each of three ways against the true ones.

    python benchmarks/line_maps_picture.py

Reads what `line_maps.py` stored; writes notebooks/figures/line_maps.png.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes

HERE = Path(__file__).resolve().parent
STORED, PICTURE = HERE / "results" / "line_maps.jsonl", HERE.parent / "notebooks" / "figures" / "line_maps.png"
WAYS = {
    "line": "spaxel metallicities,\nstraight line",
    "map": "spaxel metallicities,\nlight-weighted fit",
    "fluxes": "fluxes of the lines\n(LineMaps)",
}
BRANCHES = {0: ("tab:orange", "s", "below the turnover"), 1: ("tab:blue", "o", "above the turnover")}
"""Of R23: colour, marker and name."""
TRUE, RECOVERED = (-0.6, 0.2), (-0.7, 0.75)
"""Ranges of the axes, dex/R_e."""


def main() -> None:
    """Draws and writes it."""
    rows = [json.loads(line) for line in STORED.read_text().splitlines()]
    figure, axes = plt.subplots(1, 3, figsize=(9.6, 3.7), sharex=True, sharey=True, layout="constrained")
    for axis, (way, title) in zip(axes, WAYS.items(), strict=True):
        panel(axis, [row for row in rows if way in row["pulls"]], way)
        axis.set_title(title, fontsize="medium")
        axis.set_xlabel("true slope (dex / $R_e$)")
    axes[0].set_ylabel("recovered slope (dex / $R_e$)")
    axes[0].legend(loc="lower right", fontsize="small")
    PICTURE.parent.mkdir(exist_ok=True)
    figure.savefig(PICTURE, dpi=110)
    outside = {way: sum(beyond(row, way) for row in rows if way in row["pulls"]) for way in WAYS}
    print(f"{PICTURE.name}: {len(rows)} discs; slopes beyond the axes: {outside}")


def panel(axis: Axes, rows: list[dict[str, Any]], way: str) -> None:
    """Slopes of one way with their intervals of 68 %, the line of equality, and what the truth lies in."""
    axis.axline((0.0, 0.0), slope=1.0, color="0.5", linewidth=1.0, zorder=0)
    for upper, (colour, marker, name) in BRANCHES.items():
        part = [row for row in rows if row["galaxy"]["upper"] == upper]
        true = np.array([slope(row) for row in part])
        low, middle, high = np.array([row["pulls"][way] for row in part]).T
        errors = np.stack([middle - low, high - middle])
        style: dict[str, Any] = {"color": colour, "marker": marker, "markersize": 3.5, "linestyle": "none"}
        axis.errorbar(true, true + middle, errors, elinewidth=0.8, alpha=0.8, label=name, **style)
    ends = np.array([row["pulls"][way] for row in rows])
    inside = np.mean((ends[:, 0] < 0.0) & (ends[:, 2] > 0.0))
    text = f"{len(rows)} discs, bias {ends[:, 1].mean():+.3f}\n68 % intervals hold {inside:.0%}"
    axis.text(0.04, 0.96, text, transform=axis.transAxes, va="top", fontsize="small")
    axis.set_xlim(*TRUE)
    axis.set_ylim(*RECOVERED)


def slope(row: dict[str, Any]) -> float:
    """The true one, dex/R_e."""
    return row["galaxy"]["slope"] * row["galaxy"]["r_eff"]


def beyond(row: dict[str, Any], way: str) -> bool:
    """Whether a slope is not in the picture."""
    return not RECOVERED[0] < slope(row) + row["pulls"][way][1] < RECOVERED[1]


if __name__ == "__main__":
    main()
