"""Write `answers.npz` and show that it has converged: `python -m reference.make` from the folder `tests`.

Per case: `<name>/light` (flux per pixel, float32), `<name>/dex` and `<name>/linear` (float64, to 1e-9), and
`<name>/change`, the largest change of the two maps from 21 to 33 samples per pixel where they are compared.
"""

from pathlib import Path

import numpy as np

from .cases import CASES, compared, solve

ANSWERS = Path(__file__).with_name("answers.npz")
ALLOWED = 5e-5  # dex


def answer(case):
    """The arrays stored for one case."""
    coarse, fine = solve(case, 21), solve(case, 33)
    change = max(np.abs(a - b)[compared(case, fine[0], b)].max() for a, b in zip(coarse[1:], fine[1:], strict=True))
    if not change < ALLOWED:
        raise RuntimeError(f"{case.name}: changes by {change:.1e} dex from 21 to 33 samples per pixel")
    light, dex, linear = fine
    pixels = compared(case, light, dex).sum()
    print(f"{case.name:24s} {pixels:5d} of {light.size:5d} pixels compared, change {change:.1e} dex", flush=True)
    return {"light": light.astype("float32"), "dex": dex.round(9), "linear": linear.round(9), "change": change}


def main():
    """Solve every case."""
    np.savez_compressed(ANSWERS, **{f"{case.name}/{k}": v for case in CASES for k, v in answer(case).items()})


if __name__ == "__main__":
    main()
