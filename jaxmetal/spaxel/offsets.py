"""Calibration scatter integrated out: one standard-normal offset per base ratio, by Laplace at every (Z, A_V).

Given the offsets the flux normalisation is integrated exactly (`positive`); the mode over the offsets is found by
damped Gauss-Newton steps, and the determinant there is that of the exact second derivative (Louis 1982, J. R. Stat.
Soc. B 44, 226). Where fluxes are faint the offsets keep their Gaussian prior, and where they are bright the
likelihood is Gaussian in log flux: Laplace is exact in both limits, and within some hundredths of a nat between them.

All of it is in units of the errors and in single precision, whatever that of the caller: what the height of the log
density loses by it near its peak is 1e-7 of the largest signal to noise.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from jaxmetal.numerics.small import Rows, backward, cholesky, forward, log_determinant
from jaxmetal.spaxel import positive

STEPS = 4
"""Before the last, which is taken with the exact curvature and counted in the integral."""

LN10 = math.log(10.0)
FLOOR = 0.2
"""Least precision of an offset: its prior's is 1, and curvature only lowers it where Laplace is not needed anyway."""

GAIN = 0.5
"""Largest rise in the last step that is believed, nats: where it is more the parabola is not yet that of the peak."""


Points = list[jax.Array]
"""One array of points per ratio, line or feature: unrolled, because most of the matrices between them are zeros."""


class Expected(NamedTuple):
    """What the model expects at every point, before offsets.

    Attributes:
        lines: reddened fluxes per unit of observed Hb.
        scatter: of the base ratios, dex; of a shape that broadcasts with the lines'.
        powers: of the ratios in the lines, shape (lines, ratios).
        weights: of the lines in the features, shape (features, lines).
    """

    lines: Points
    scatter: Points
    powers: tuple[tuple[float, ...], ...]
    weights: tuple[tuple[float, ...], ...]


class Marginal(NamedTuple):
    """The integral and the Gaussian that stands for the offsets.

    Attributes:
        log_likelihood: log integral over offsets and Hb, up to the constant -sum log(sigma sqrt(2 pi)).
        mode: of the offsets in units of their scatter.
        factor: Cholesky factor of their precision.
    """

    log_likelihood: jax.Array
    mode: Points
    factor: Rows


class _State(NamedTuple):
    """Features in units of their errors at one set of offsets, and the a and b of `positive`."""

    lines: Points
    model: Points
    slopes: list[dict[int, jax.Array]]
    a: jax.Array
    b: jax.Array


def marginal(expected: Expected, flux: jax.Array, inverse_sigma: jax.Array, rate: Any) -> Marginal:
    """Integrates offsets ~ N(0, 1) and observed Hb ~ exp(-rate Hb), Hb > 0.

    Args:
        expected: the model at the points.
        flux: shape (features,), 0 where missing.
        inverse_sigma: 1/sigma, shape (features,), 0 where missing.
        rate: inverse of the prior's mean Hb; 0 for a flat prior.
    """
    problem = _Problem(expected, flux, inverse_sigma, rate)

    def improve(_: int, mode: Points) -> Points:
        return problem.moved(mode, problem.step(problem.at(mode), mode))

    start = [jnp.zeros_like(problem.lines[0]) for _ in problem.widths]
    mode = jax.lax.fori_loop(0, STEPS, improve, start) if start else start
    state = problem.at(mode)
    factor = cholesky(_with_prior(problem.curvature(state)), FLOOR)
    towards = forward(factor, problem.gradient(state, mode))
    gain = jnp.minimum(0.5 * _squares(towards), GAIN)
    height = log_density(state.model, problem.data, state.a, state.b, problem.rate) - 0.5 * _squares(mode) + gain
    log_likelihood = height - 0.5 * log_determinant(factor) - jnp.log(problem.unit)
    return Marginal(log_likelihood, problem.moved(mode, backward(factor, towards)), factor)


def log_density(model: Points, data: Points, a: jax.Array, b: jax.Array, rate: Any) -> jax.Array:
    """log of the integral over Hb > 0 of exp(-sum (data - Hb model)^2 / 2 - rate Hb), all in units of the errors."""
    best = jnp.maximum(b, 0.0) / a
    residuals = sum(((d - best * m) ** 2 for d, m in zip(data, model, strict=True)), start=jnp.zeros((), jnp.float32))
    return positive.log_integral(a, b) - 0.5 * residuals - rate * best


def sums(model: Points, data: Points, rate: Any) -> tuple[jax.Array, jax.Array]:
    """The a and b of `positive`: sum of model^2, and of model x data less the rate."""
    tiny = float(jnp.finfo(model[0].dtype).tiny) ** 0.5
    return sum(m**2 for m in model) + tiny, sum(m * d for m, d in zip(model, data, strict=True)) - rate


def draw(
    key: jax.Array, expected: Expected, flux: jax.Array, inverse_sigma: jax.Array, rate: Any
) -> tuple[Points, jax.Array]:
    """Offsets in units of their scatter and observed Hb, one draw per point."""
    found = marginal(expected, flux, inverse_sigma, rate)
    last, *keys = jax.random.split(key, len(found.mode) + 1)
    noise = [jax.random.normal(k, e.shape, e.dtype) for k, e in zip(keys, found.mode, strict=True)]
    drawn = [e + step for e, step in zip(found.mode, backward(found.factor, noise), strict=True)]
    problem = _Problem(expected, flux, inverse_sigma, rate)
    state = problem.at(drawn)
    return drawn, positive.draw(last, state.a, state.b) / problem.unit


class _Problem:
    """The log density's derivatives in the offsets, at every point; Hb in a unit that makes the largest 1/sigma one."""

    def __init__(self, expected: Expected, flux: jax.Array, inverse_sigma: jax.Array, rate: Any) -> None:
        def single(values: Any) -> list[jax.Array]:
            return [jnp.asarray(value, jnp.float32) for value in values]

        largest = jnp.max(inverse_sigma)
        self.unit = jnp.where(largest > 0.0, largest, 1.0)
        self.expected, self.rate = expected, jnp.asarray(rate / self.unit, jnp.float32)
        self.inverse, self.data = single(inverse_sigma / self.unit), single(flux * inverse_sigma)
        self.lines, self.widths = single(expected.lines), single(LN10 * scatter for scatter in expected.scatter)

    def at(self, mode: Points) -> _State:
        """The model and its slopes at some offsets."""
        powers = self.expected.powers
        shifts = [width * e for width, e in zip(self.widths, mode, strict=True)]
        lines = [
            line * jnp.exp(sum(p * shift for p, shift in zip(row, shifts, strict=True) if p)) if any(row) else line
            for line, row in zip(self.lines, powers, strict=True)
        ]
        model = [self._mixed(d, {n: 1.0 for n in range(len(lines))}, lines) for d in range(len(self.data))]
        slopes = [self._slopes(k, lines) for k in range(len(mode))]
        return _State(lines, model, slopes, *sums(model, self.data, self.rate))

    def moved(self, mode: Points, steps: Points) -> Points:
        """Offsets after a step, none farther than the exponential is straight."""
        farthest = [1.0 / (width + 0.05) for width in self.widths]
        return [e + jnp.clip(step, -far, far) for e, step, far in zip(mode, steps, farthest, strict=True)]

    def gradient(self, state: _State, mode: Points) -> Points:
        """Of the log density with the offsets' prior."""
        pull = self._pull(state)
        return [_dot(slope, pull) - e for slope, e in zip(state.slopes, mode, strict=True)]

    def step(self, state: _State, mode: Points) -> Points:
        """A Gauss-Newton step with the normalisation projected out."""
        second = positive.moments(state.a, state.b).square
        along = [_dot(slope, state.model) for slope in state.slopes]
        ratios = range(len(mode))
        matrix = [
            [
                second * (_overlap(state.slopes[i], state.slopes[j]) - along[i] * along[j] / state.a)
                for j in range(i + 1)
            ]
            for i in ratios
        ]
        factor = cholesky(_with_prior(matrix), FLOOR)
        return backward(factor, forward(factor, self.gradient(state, mode)))

    def curvature(self, state: _State) -> list[Points]:
        """Lower rows of minus the second derivative of the log likelihood."""
        of_hb = positive.moments(state.a, state.b)
        pull = self._pull(state)
        u = [_dot(slope, self.data) for slope in state.slopes]
        v = [_dot(slope, state.model) for slope in state.slopes]

        def entry(i: int, j: int) -> jax.Array:
            spread = (
                u[i] * u[j] * of_hb.variance - (u[i] * v[j] + v[i] * u[j]) * of_hb.skew + v[i] * v[j] * of_hb.spread
            )
            bent = _dot(self._slopes(j, state.lines, i), pull) * self.widths[i]
            return of_hb.square * _overlap(state.slopes[i], state.slopes[j]) - bent - spread

        return [[entry(i, j) for j in range(i + 1)] for i in range(len(u))]

    def _pull(self, state: _State) -> Points:
        """How the log density rises with the model of every feature, Hb integrated out."""
        of_hb = positive.moments(state.a, state.b)
        return [d * of_hb.mean - m * of_hb.square for d, m in zip(self.data, state.model, strict=True)]

    def _slopes(self, k: int, lines: Points, other: int | None = None) -> dict[int, jax.Array]:
        """Derivatives of the features that depend on offset k, in units of the errors; times the power of `other`."""
        powers = {
            n: row[k] * (1.0 if other is None else row[other]) for n, row in enumerate(self.expected.powers) if row[k]
        }
        concerned = [d for d, row in enumerate(self.expected.weights) if any(p and row[n] for n, p in powers.items())]
        return {d: self._mixed(d, powers, lines) * self.widths[k] for d in concerned}

    def _mixed(self, d: int, factors: dict[int, float], lines: Points) -> jax.Array:
        """The weighted sum of lines that is feature d, in units of its error."""
        row = self.expected.weights[d]
        return self.inverse[d] * sum(row[n] * factor * lines[n] for n, factor in factors.items() if row[n] * factor)


def _dot(slope: dict[int, jax.Array], values: Points) -> jax.Array:
    return sum((one * values[d] for d, one in slope.items()), start=jnp.zeros((), jnp.float32))


def _overlap(slope: dict[int, jax.Array], other: dict[int, jax.Array]) -> jax.Array:
    return sum((one * other[d] for d, one in slope.items() if d in other), start=jnp.zeros((), jnp.float32))


def _squares(values: Points) -> jax.Array:
    return sum((value**2 for value in values), start=jnp.zeros((), jnp.float32))


def _with_prior(rows: list[Points]) -> list[Points]:
    """With the offsets' own precision of 1 on the diagonal."""
    return [[entry + float(i == j) for j, entry in enumerate(row)] for i, row in enumerate(rows)]
