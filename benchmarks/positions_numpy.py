"""The mock clusters of `positions.py` by NumPy alone: an own lens, an own likelihood, an own sampler.

    python benchmarks/positions_numpy.py [mocks, default 28] [steps: 1 source plane (default), 3 image plane]

The power law is the series of Tessore & Metcalf (2015, A&A 580, A79) with 24 terms; convergence and shear are theirs,
so that the lens's Jacobian needs no derivative. The sources' places are solved for and integrated out. 80 walkers
(differential evolution: ter Braak 2006, Stat. Comput. 16, 239) begin around the truth. Nothing is shared with the
package but the mocks. About 30 CPU seconds a mock; resumes. Ranks of the truth: results/positions_numpy.jsonl; how many
lie within 68 %: results/positions_numpy.json.
"""

from __future__ import annotations

import json
import sys
from typing import Any

import numpy as np
import resumable
from positions import COUNT, GALAXIES, HALO, SIGMA, X0, Y0, mock

WALKERS, STEPS, BURNT, THINNED = 80, 1300, 500, 5
TYPICAL = np.array([0.05, 0.01, 0.02, 2.0, 0.03, 0.03, 0.005, 0.005, 0.05, 0.05, 0.05, 0.05])


def bent(p: Any, x: Any, y: Any) -> tuple[Any, Any, Any]:
    """Complex deflection, convergence and complex shear of walkers' lenses, (walkers, 12), at (walkers, images)."""
    theta_e, gamma, q, pa, x0, y0, gamma1, gamma2, *galaxies = (p[:, k : k + 1] for k in range(p.shape[1]))
    turn = np.exp(-1j * np.deg2rad(pa + 90.0))
    z = ((x - x0) + 1j * (y - y0)) * turn
    t, b, f = gamma - 1.0, theta_e * np.sqrt(q), (1.0 - q) / (1.0 + q)
    radius = np.sqrt(q**2 * z.real**2 + z.imag**2)
    wave = (q * z.real + 1j * z.imag) / radius
    term = total = wave
    for n in range(1, 25):
        term = -term * f * (2 * n - (2 - t)) / (2 * n + (2 - t)) * wave**2
        total = total + term
    alpha = 2.0 * b / (1.0 + q) * (b / radius) ** (t - 1.0) * total
    kappa, unit = (2.0 - t) / 2.0 * (b / radius) ** t, z / abs(z)
    shear = (-(unit**2) * kappa + (1.0 - t) * unit * alpha / abs(z)) / turn**2
    alpha = alpha / turn + (gamma1 + 1j * gamma2) * (x - 1j * y)
    shear = shear + gamma1 + 1j * gamma2
    for size, a, c in zip(galaxies, X0, Y0, strict=True):
        d = (x - a) + 1j * (y - c)
        alpha, kappa = alpha + size * d / abs(d), kappa + size / 2.0 / abs(d)
        shear = shear - size / 2.0 / abs(d) * (d / abs(d)) ** 2
    return alpha, kappa, shear


def log_likelihood(p: Any, data: Any, family: Any, ratio: Any, steps: int) -> Any:
    """Of positions (2, images), the sources integrated out."""
    x, y = (np.broadcast_to(axis, (len(p), axis.size)) for axis in data)
    member = (family[:, None] == np.arange(len(ratio))).astype(float)
    there = member.sum(axis=0) > 0
    for _ in range(steps):
        alpha, kappa, shear = (ratio[family] * one for one in bent(p, x, y))
        xx, yy, xy = 1.0 - kappa - shear.real, 1.0 - kappa + shear.real, -shear.imag
        size = xx * yy - xy**2
        gxx, gyy, gxy = yy / size, xx / size, -xy / size
        bx, by = x - alpha.real, y - alpha.imag
        wx, wy = data[0] - x + gxx * bx + gxy * by, data[1] - y + gxy * bx + gyy * by
        mxx, myy, mxy = (
            (a * b + c * d) @ member
            for a, b, c, d in ((gxx, gxx, gxy, gxy), (gxy, gxy, gyy, gyy), (gxx, gxy, gxy, gyy))
        )
        rx, ry = (gxx * wx + gxy * wy) @ member, (gxy * wx + gyy * wy) @ member
        determinant = np.where(there, mxx * myy - mxy**2, 1.0)
        sx, sy = (myy * rx - mxy * ry) / determinant, (mxx * ry - mxy * rx) / determinant
        dx, dy = sx[:, family] - bx, sy[:, family] - by
        x, y = x + gxx * dx + gxy * dy, y + gxy * dx + gyy * dy
    chi2 = np.sum(((data[0] - x) ** 2 + (data[1] - y) ** 2) / SIGMA**2, axis=1)
    return -0.5 * chi2 - 0.5 * np.sum(np.where(there, np.log(determinant), 0.0), axis=1)


def log_prior(p: Any) -> Any:
    """That of `positions.HALO` and the others."""
    middle, width = np.array([15.0, 2.0, 0.0, 0.0, 0.0, 0.0]), np.array([2.0, 0.15, 0.5, 0.5, 0.04, 0.04])
    normal = p[:, [0, 1, 4, 5, 6, 7]]
    inside = (p[:, 2] > 0.6) & (p[:, 2] < 0.95) & (p[:, 8:] > 0.0).all(axis=1) & (p[:, 1] > 1.0) & (p[:, 1] < 3.0)
    logs = np.log(np.where(p[:, 8:] > 0.0, p[:, 8:], 1.0))
    found = -0.5 * np.sum(((normal - middle) / width) ** 2, axis=1)
    found = found - np.sum(0.5 * ((logs - np.log(GALAXIES)) / 0.3) ** 2 + logs, axis=1)
    return np.where(inside & (p[:, 0] > 0.0), found, -np.inf)


def one(key: list[int]) -> dict[str, Any]:
    """A mock."""
    seed, steps = key
    truth, images = mock(seed)
    used = np.asarray(images.used).all(axis=0)
    data, family = np.asarray(images.data)[:, used], np.asarray(images.family)[used]
    ratio = np.array([images.distance_ratio[name] for name in images.families])
    true = np.array([*truth["halo"].values(), *truth["shear"].values(), *truth["galaxies"]])
    random = np.random.default_rng(seed + 1000 * steps)

    def density(p: Any) -> Any:
        prior = log_prior(p)
        possible = np.isfinite(prior)
        value = log_likelihood(np.where(possible[:, None], p, true), data, family, ratio, steps)
        return np.nan_to_num(np.where(possible, value, 0.0) + prior, nan=-np.inf)

    p = true + 0.3 * TYPICAL * random.standard_normal((WALKERS, 12))
    p[:, 2] = np.clip(p[:, 2], 0.601, 0.949)
    height, kept = density(p), []
    for i in range(STEPS):
        for half in (0, 1):
            here, there = np.arange(WALKERS)[half::2], np.arange(WALKERS)[1 - half :: 2]
            a, b = random.choice(there, len(here)), random.choice(there, len(here))
            scale = 2.38 / np.sqrt(24.0) * random.choice([0.5, 1.0, 1.0], size=(len(here), 1)) if i % 10 else 1.0
            new = p[here] + scale * (p[a] - p[b]) + 1e-6 * TYPICAL * random.standard_normal((len(here), 12))
            found = density(new)
            taken = np.log(random.random(len(here))) < found - height[here]
            p[here[taken]], height[here[taken]] = new[taken], found[taken]
        if i >= BURNT and i % THINNED == 0:
            kept.append(p.copy())
    drawn = np.array(kept)
    first, second = (part.mean(axis=(0, 1)) for part in np.array_split(drawn, 2))
    flat = drawn.reshape(-1, 12)
    return {
        "rank": dict(zip(HALO, (flat < true).mean(axis=0)[:6], strict=True)),
        "drift of means over sd": float(np.max(np.abs(first - second) / flat.std(axis=0))),
        "height of the best over the truth's": float(height.max() - density(true[None])[0]),
    }


def main() -> None:
    """All mocks, and how many truths lie inside."""
    count, steps = (int(a) for a in [*sys.argv[1:], *("28", "1")[len(sys.argv) - 1 :]])
    rows = resumable.run("positions_numpy", [[seed, steps] for seed in range(count)], one)
    inside = [{name: 0.16 < rank < 0.84 for name, rank in row["rank"].items()} for row in rows]
    theirs = [json.loads(line) for line in (resumable.RESULTS / "positions.jsonl").read_text().splitlines()]
    package = {row["key"]: row["halo"] for row in theirs}
    off = [abs(row["rank"][name] - package[row["key"][0]][name]["rank"]) for row in rows[:COUNT] for name in HALO]
    resumable.write(
        "positions_numpy",
        {
            "mocks": count,
            "inside_68_percent": {name: sum(one[name] for one in inside) for name in HALO},
            "of_the_first_20": {name: sum(one[name] for one in inside[:COUNT]) for name in HALO},
            "ranks_off_the_package's": {"rms": float(np.sqrt(np.mean(np.square(off)))), "largest": max(off)},
            "largest_drift": max(row["drift of means over sd"] for row in rows),
            "mean_height_of_the_best_over_the_truth": float(
                np.mean([row["height of the best over the truth's"] for row in rows])
            ),
        },
    )


if __name__ == "__main__":
    main()
