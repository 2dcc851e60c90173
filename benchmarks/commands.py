"""A galaxy and a map of lines as files, and `jaxmetal` as a process: for the benchmarks of what is cut short."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from sample import CONFIG, galaxy, write_sample

from jaxmetal.io.fits import write_maps
from jaxmetal.io.wcs import NOWHERE

LINES = """
[galaxy]
name = "lines"

[data]
file = "lines.fits"
psf = {type = "Gaussian", fwhm = 0.5}

[features.Hb]
flux = "HB"
sigma = "ERROR"

[features.OIII5007]
flux = "OIII"
sigma = "ERROR"

[features.Ha]
flux = "HA"
sigma = "ERROR"

[likelihood]
type = "fluxes"
calibrations = "M08"
"""
RATIOS = {"HB": 1.0, "OIII": 1.5, "HA": 3.3}
"""Fluxes over that of Hb, about those of 12 + log(O/H) = 8.5 with some dust."""


def write_inputs(folder: Path) -> dict[str, list[str]]:
    """Files of a fit, a batch and of lines; command -> its arguments but the output."""
    batch = write_sample(folder, 4)
    single = CONFIG.replace("none.fits", str(folder / "0.fits")).replace("draws = 300", "draws = 300\nstart_count = 1")
    (folder / "fit.one.toml").write_text(single)
    grid = galaxy(0, (9, 11)).observations["metallicity"].pixels
    x, y = (np.asarray(axis) for axis in grid.centres())
    light, random = 300.0 * np.exp(-np.hypot(x, y)), np.random.default_rng(4)
    maps = {name: ratio * light + 3.0 * random.normal(size=light.shape) for name, ratio in RATIOS.items()}
    write_maps(folder / "lines.fits", maps | {"ERROR": np.full(light.shape, 3.0)}, grid, NOWHERE)
    (folder / "lines.toml").write_text(LINES)
    return {
        "fit": ["fit", str(folder / "fit.one.toml"), "--quiet", "--method", "laplace"],
        "lines": ["lines", str(folder / "lines.toml"), "--quiet"],
        "batch": [*batch, "--chunk-size", "2", "--posteriors"],
    }


def jaxmetal(arguments: Sequence[str], *, before: Sequence[str] = (), **options: Any) -> subprocess.Popen[str]:
    """The command, started; `before` are the words of a command that starts it."""
    settings: dict[str, Any] = {"stdout": subprocess.DEVNULL, "stderr": subprocess.PIPE, "text": True, **options}
    settings["env"] = os.environ | settings.pop("env", {})
    return subprocess.Popen([*before, sys.executable, "-m", "jaxmetal", *arguments], **settings)


def said(process: subprocess.Popen[str]) -> dict[str, Any]:
    """How a process ended: its exit code, what it said last, and whether that was a traceback."""
    _, text = process.communicate()
    lines = [line for line in (text or "").splitlines() if line]
    return {"rc": process.returncode, "said": lines[-1] if lines else "", "traceback": "Traceback" in (text or "")}
