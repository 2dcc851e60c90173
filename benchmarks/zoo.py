"""The zoo: 24 kinds of galaxies that people fit, by `jaxmetal fit` in fresh processes, as fast and as right as it is.

    python benchmarks/zoo.py run [--cases template muse ...] [--seeds 5] [--limit 300] [--label after]
    python benchmarks/zoo.py table

Truths are drawn from the priors and rendered by an independent renderer (`zoo_sky.py`, `zoo_cases.py`). The first seed
of a case is "cold": no program is kept from before. The same galaxy "again" finds the programs that it left, and so do
the other seeds, as far as their galaxies are sampled alike, all in processes of their own. `run` can be stopped at any
time and goes on where it was (results/zoo_LABEL.jsonl); `table` writes results/zoo.json: seconds, R-hat, effective
samples, and how often 68 % intervals of all slopes and central values hold the truth.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
from arviz_stats.base import array_stats
from zoo_cases import CASES, IN_PYTHON, write

HERE = Path(__file__).resolve().parent
RESULTS = HERE / "results"
JUDGED = ("slope", "inner", "outer", "central", "value")
"""Last parts of the parameters whose intervals are held to the truth."""
BARS = {"cold median": 20.0, "cold worst": 75.0, "again median": 8.0, "r_hat": 1.01, "ess": 400.0}
COVERED = (0.55, 0.80)


def main() -> None:
    """Runs fits or makes the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("what", choices=("run", "table"))
    parser.add_argument("--cases", nargs="+", default=list(CASES), choices=list(CASES))
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--limit", type=float, default=300.0, help="seconds after which a fit is stopped")
    parser.add_argument("--label", default="after", help="which code is run")
    arguments = parser.parse_args()
    if arguments.what == "run":
        run(arguments.cases, arguments.seeds, arguments.limit, RESULTS / f"zoo_{arguments.label}.jsonl")
    else:
        table()


def run(cases: list[str], seeds: int, limit: float, path: Path) -> None:
    """Fits what the file does not hold yet; a case whose cold fit is missing begins anew."""
    done = rows(path)
    for name in cases:
        known = {row["seed"] for row in done if row["case"] == name}
        if set(range(seeds)) <= known:
            continue
        with tempfile.TemporaryDirectory() as folder:
            # Programs must be there for the later seeds: without them the first is run again, and not counted twice.
            for seed in range(seeds):
                row = one(name, seed, Path(folder), limit)
                if seed == 0 and not row["stopped"]:
                    row["again"] = one(name, seed, Path(folder), limit)["seconds"]
                if seed not in known:
                    with path.open("a") as file:
                        file.write(json.dumps(row) + "\n")
                print({k: v for k, v in row.items() if k not in ("inside", "pulls")}, flush=True)
                if row["stopped"]:
                    break


def one(name: str, seed: int, folder: Path, limit: float) -> dict[str, Any]:
    """One fit in a process of its own."""
    work = folder / f"{name}_{seed}"
    work.mkdir()
    truth = write(CASES[name], seed, work)
    command = [str(Path(sys.executable).parent / "jaxmetal"), "fit", "fit.toml", "-o", "out", "--quiet"]
    if name in IN_PYTHON:
        command = [sys.executable, str(HERE / "zoo_python.py"), name, "."]
    keep = {"JAX_COMPILATION_CACHE_DIR": str(folder / "programs"), "MPLBACKEND": "agg"}
    keep |= {"JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0", "JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES": "-1"}
    before, begin, stopped, text = _cpu(), time.perf_counter(), False, ""
    try:
        ended = subprocess.run(
            command, cwd=work, env={**os.environ, **keep}, capture_output=True, text=True, timeout=limit, check=False
        )
        text = ended.stderr[-300:] if ended.returncode else ""
    except subprocess.TimeoutExpired:
        stopped = True
    row = {"case": name, "seed": seed, "seconds": time.perf_counter() - begin, "cpu": _cpu() - before}
    row |= {"stopped": stopped, "error": text}
    row = row if stopped or text else {**row, **judged(work, truth)}
    shutil.rmtree(work)
    return row


def judged(work: Path, truth: dict[str, Any]) -> dict[str, Any]:
    """What the draws are worth, and which intervals hold the truth."""
    draws, method, findings = _draws(work)
    numbers = {site: _unwound(site, values) for site, values in draws.items()}
    known = {s: v for s, v in numbers.items() if s.rsplit(".", 1)[-1] in JUDGED and s in truth}
    low_high = {site: np.quantile(values, [0.16, 0.84]) for site, values in known.items()}
    return {
        "method": method,
        "findings": findings,
        "r_hat": max(float(array_stats.rhat(values)) for values in numbers.values()),
        "ess": min(float(array_stats.ess(values)) for values in numbers.values()),
        "inside": {s: bool(low <= truth[s] <= high) for s, (low, high) in low_high.items()},
        "pulls": {s: float((v.mean() - truth[s]) / v.std()) for s, v in known.items()},
    }


def _draws(work: Path) -> tuple[dict[str, np.ndarray], str, list[str]]:
    if (work / "draws.npz").exists():
        return dict(np.load(work / "draws.npz")), "python", []
    with xr.open_datatree(work / "out" / "posterior.nc", engine="h5netcdf") as tree:
        draws = {str(site): np.asarray(values) for site, values in tree["posterior"].data_vars.items()}
        method = str(tree.attrs["method"])
    text = (work / "out" / "summary.txt").read_text(encoding="utf-8").splitlines()
    return draws, method, [line[:160] for line in text if line.lower().startswith(("warning", "error"))]


def _unwound(site: str, values: np.ndarray) -> np.ndarray:
    """Angles of 180 degrees as deviations from their mean direction, so that a mode at an edge is one."""
    if not site.endswith(".pa"):
        return values
    middle = np.angle(np.exp(2j * np.deg2rad(values)).mean()) / 2
    return (values - np.rad2deg(middle) + 90.0) % 180.0 - 90.0


def _cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def rows(path: Path) -> list[dict[str, Any]]:
    """What a run has stored."""
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def table() -> None:
    """Prints one line per case, before beside after, and stores them with the bars."""
    labels = [label for label in ("before", "after", "now") if rows(RESULTS / f"zoo_{label}.jsonl")]
    found = {label: summed(rows(RESULTS / f"zoo_{label}.jsonl")) for label in labels}
    print(f"{'case':<28}" + "".join(f"{label + ': cold':>14}{'again':>8}{'r_hat':>8}{'ess':>7}" for label in labels))
    for name, case in CASES.items():
        line = f"{case.label:<28}"
        for label in labels:
            row = found[label]["cases"].get(name)
            line += _cells(row) if row else f"{'-':>37}"
        print(line)
    for label in labels:
        print(label, json.dumps(found[label]["all"], indent=1))
    (RESULTS / "zoo.json").write_text(json.dumps({"bars": BARS, "covered": COVERED, **found}, indent=1) + "\n")


def _cells(row: dict[str, Any]) -> str:
    cold = f"{'>' if row['stopped'] else ''}{row['cold']:.0f}"
    again = "-" if row["again"] is None else f"{row['again']:.0f}"
    return f"{cold:>14}{again:>8}{row['r_hat']:>8.3f}{row['ess']:>7.0f}"


def summed(found: list[dict[str, Any]]) -> dict[str, Any]:
    """Per case and over all."""
    cases = {}
    for name in dict.fromkeys(row["case"] for row in found):
        mine = [row for row in found if row["case"] == name]
        cold, others = ([r for r in mine if (r["seed"] == 0) is first] for first in (True, False))
        good = [row for row in mine if "r_hat" in row]
        cases[name] = {
            "cold": cold[0]["seconds"] if cold else np.nan,
            "cold cpu": cold[0]["cpu"] if cold else np.nan,
            "again": cold[0].get("again") if cold else None,
            "others": float(np.median([row["seconds"] for row in others])) if others else None,
            "stopped": any(row["stopped"] for row in mine),
            "errors": [row["error"] for row in mine if row["error"]],
            "r_hat": max((row["r_hat"] for row in good), default=np.nan),
            "ess": min((row["ess"] for row in good), default=np.nan),
            "methods": sorted({row["method"] for row in good}),
        }
    colds = [one["cold"] for one in cases.values()]
    agains, others = ([one[key] for one in cases.values() if one[key] is not None] for key in ("again", "others"))
    inside = [value for row in found if "inside" in row for value in row["inside"].values()]
    return {
        "cases": cases,
        "all": {
            "cold median": float(np.median(colds)),
            "cold worst": float(np.max(colds)),
            "again median": float(np.median(agains)) if agains else None,
            "others median": float(np.median(others)) if others else None,
            "largest r_hat": max((one["r_hat"] for one in cases.values()), default=np.nan),
            "smallest ess": min((one["ess"] for one in cases.values()), default=np.nan),
            "covered": float(np.mean(inside)) if inside else None,
            "of": len(inside),
        },
    }


if __name__ == "__main__":
    main()
