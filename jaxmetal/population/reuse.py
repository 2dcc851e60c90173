"""How far stored draws carry: the Monte Carlo error of a population likelihood that reuses them."""

from __future__ import annotations

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from jaxmetal.edge.findings import Finding
from jaxmetal.population.galaxies import Draws
from jaxmetal.population.scatter import log_density

FEW = 10.0
"""Effective draws of a galaxy below which its term of the likelihood is noise."""

NOISY = 1.0
"""Variance of the log-likelihood from which its noise bends the posterior (Talbot & Golomb 2023, MNRAS 526, 3495)."""

LOOKS = 40
"""Posterior draws at which the effective numbers are computed."""

GRAIN = 0.2
"""Width of a grain over that of its galaxy's posterior."""

CELL = 0.25
"""Part of a grain's width within which grains become one: the log-likelihood of 80 galaxies then moves by 0.003."""


class Grains(NamedTuple):
    """Draws, each of them a small Gaussian, and one as wide as all together.

    Attributes:
        values: their centres, (n, k + 1).
        log_prior: of the draws, minus the log of their weights; the wide one has their mean weight, 1/prior; infinite
            where there is none. Same shape.
        width: their standard deviations, same shape.
    """

    values: np.ndarray
    log_prior: np.ndarray
    width: np.ndarray


def smoothed(quantity: Draws) -> Grains:
    """Draws that still say something where the scatter is less than the distances between them.

    A mean over points is a comb there, with a cliff beyond the last draw, and chains diverge. Points become Gaussians,
    drawn towards their mean so that mean m and variance s^2 stay what they are with the prior divided out (West 1993,
    J. R. Stat. Soc. B 55, 409), y -> m + (1 - (width/s)^2)^(1/2) (y - m), and N(m, s^2), with the weight of one draw,
    gives the cliff a foot (the defensive mixture of Hesterberg 1995, Technometrics 37, 185).
    """
    weight = quantity.weights()
    mean = np.average(quantity.values, axis=1, weights=weight)[:, None]
    away = quantity.values - mean
    spread = np.sqrt(np.average(away**2, axis=1, weights=weight))[:, None]
    width = GRAIN * np.minimum(quantity.points()[1][:, None], spread)
    share = 1.0 - (width / np.maximum(spread, np.finfo(float).tiny)) ** 2
    wide_prior = quantity.log_prior.min(axis=1, keepdims=True) - np.log(weight.mean(axis=1, keepdims=True))
    return Grains(
        values=np.hstack([mean + np.sqrt(share) * away, mean]),
        log_prior=np.hstack([quantity.log_prior, wide_prior]),
        width=np.hstack([np.broadcast_to(width, away.shape), spread]),
    )


def gathered(grains: Grains) -> Grains:
    """The same density by some hundred grains: those of a cell `CELL` wide become one of their mean and variance.

    Each has the weight of all in its cell, sum 1/prior, and their weighted moments, so that the mixture keeps its
    moments to the second, cell by cell; a grain alone in its cell stays as it is.
    """
    found = [_gathered(*row) for row in zip(*grains, strict=True)]
    most = max(len(values) for values, _, _ in found)
    empty = (0.0, np.inf, 1.0)
    return Grains(
        *(
            np.stack([np.pad(row[k], (0, most - len(row[k])), constant_values=empty[k]) for row in found])
            for k in range(len(empty))
        )
    )


def _gathered(values: np.ndarray, log_prior: np.ndarray, width: np.ndarray) -> tuple[np.ndarray, ...]:
    """Of one galaxy; its widest grain, the last, stays as it is."""
    order = np.argsort(values[:-1])
    y, log_weight = values[order], -log_prior[order]
    cell = np.floor((y - y[0]) / max(CELL * width[0], np.finfo(float).tiny))
    first = np.flatnonzero(np.diff(cell, prepend=-1.0))
    # Weights within a cell, from its largest: those of a galaxy may differ by more than doubles hold.
    top = np.maximum.reduceat(log_weight, first)
    member = np.repeat(np.arange(first.size), np.diff(first, append=y.size))
    weight = np.exp(log_weight - top[member])
    total = np.add.reduceat(weight, first)
    mean = np.add.reduceat(weight * y, first) / total
    variance = np.add.reduceat(weight * (y - mean[member]) ** 2, first) / total
    return (
        np.append(mean, values[-1]),
        np.append(-(np.log(total) + top), log_prior[-1]),
        np.append(np.sqrt(width[0] ** 2 + variance), width[-1]),
    )


def effective_numbers(
    quantity: Draws, expected: np.ndarray, blur: np.ndarray, scatter: np.ndarray, nu: np.ndarray | None
) -> np.ndarray:
    """Effective draws of each galaxy, (sum w)^2 / sum w^2, at some draws of the population: shape (looks, n).

    Args:
        quantity: the galaxies' draws, (n, k).
        expected: quantity expected of each galaxy, (chains, draws, n).
        blur: variance that uncertain covariates add, broadcast to it.
        scatter: (chains, draws).
        nu: (chains, draws), or None.
    """
    n, grains = expected.shape[-1], smoothed(quantity)
    flat = expected.reshape(-1, n)
    chosen = np.linspace(0, len(flat) - 1, LOOKS).astype(int)
    blurred = np.broadcast_to(blur, expected.shape).reshape(-1, n)
    found = []
    for k in chosen:
        degrees = None if nu is None else jnp.asarray(nu.ravel()[k])
        variance = jnp.asarray(blurred[k])[:, None] if np.any(blurred[k] > 0.0) else None
        wide = jnp.hypot(scatter.ravel()[k], jnp.asarray(grains.width))
        residual = grains.values - flat[k][:, None]
        log_weight = log_density(residual, wide, variance, degrees) - grains.log_prior
        weight = np.asarray(jax.nn.softmax(log_weight, axis=1))
        found.append(1.0 / np.sum(weight**2, axis=1))
    return np.stack(found)


def judge(numbers: np.ndarray, draws: int) -> list[Finding]:
    """What the effective numbers say: galaxies with few, and the noise of the log-likelihood, sum_i 1/N_i - 1/K.

    Args:
        numbers: shape (looks, n).
        draws: K, of every galaxy.
    """
    found, typical = [], np.median(numbers, axis=0)
    noise = float(np.median(np.sum(1.0 / numbers - 1.0 / draws, axis=1)))
    few = int(np.sum(typical < FEW))
    if few:
        found.append(
            Finding(
                "warning",
                f"{few} of {typical.size} galaxies have fewer than {FEW:.0f} effective draws where the population puts "
                "them; draw more from their posteriors, or fit them jointly.",
            )
        )
    if noise > NOISY:
        found.append(
            Finding(
                "warning",
                f"The log-likelihood's Monte Carlo variance is {noise:.2f} (should be below {NOISY:.0f}), which bends "
                "the population's posterior; reuse more draws per galaxy.",
            )
        )
    text = f"Effective draws per galaxy: median {np.median(typical):.0f}, least {typical.min():.1f} of {draws}"
    return [*found, Finding("info", f"{text}; variance of the log-likelihood {noise:.2f}.")]
