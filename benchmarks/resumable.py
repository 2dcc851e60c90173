"""Long runs that can be stopped at any moment: one line of JSON per finished simulation."""

from __future__ import annotations

import json
import platform
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jax
import numpyro
from tqdm.auto import tqdm

import jaxmetal as jm

RESULTS = Path(__file__).parent / "results"


def run(name: str, keys: list[Any], one: Callable[[Any], dict[str, Any]]) -> list[dict[str, Any]]:
    """Runs `one(key)` for every key that results/<name>.jsonl does not hold yet, and returns all of them in order."""
    path = RESULTS / f"{name}.jsonl"
    done = {}
    if path.exists():
        done = {json.dumps(row["key"]): row for row in map(json.loads, path.read_text().splitlines())}
    with path.open("a") as file:
        for key in tqdm([k for k in keys if json.dumps(k) not in done], desc=name, mininterval=10):
            row = {"key": key, **one(key)}
            file.write(json.dumps(row, default=float) + "\n")
            file.flush()
            done[json.dumps(key)] = row
    return [done[json.dumps(key)] for key in keys]


def write(name: str, content: dict[str, Any]) -> None:
    """Stores a summary with the versions it was made with."""
    versions = {"jaxmetal": jm.__version__, "jax": jax.__version__, "numpyro": numpyro.__version__}
    machine = {
        "device": jax.devices()[0].device_kind,
        "processor": platform.machine(),
        "x64": bool(jax.config.jax_enable_x64),
    }
    text = json.dumps({"versions": versions, "machine": machine, **content}, indent=1, default=float)
    (RESULTS / f"{name}.json").write_text(text + "\n")
    print(text, flush=True)
