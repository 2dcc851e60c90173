"""How well a lens explains the image of an arc whatever its source: a probability in closed form.

All images of a point of the source are equally bright. So every pixel is traced back to the source's plane, whose
square cells, as large as a pixel, are dark or have each one brightness of a normal prior. Neither PSF nor the size of a
cell is taken into account but by a noise, part of the scatter of the pixels around each.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from jaxmetal.fit.problem import constrain
from jaxmetal.instrument.forms import FWHM_PER_SIGMA
from jaxmetal.machine import program
from jaxmetal.numerics.packed import Packed, unpacked
from jaxmetal.numerics.tree import realised
from jaxmetal.observation.psf_form import psf_form
from jaxmetal.prior import fill
from jaxmetal.scene import bent, deflection, surface_brightness

UNBLURRED = (2.0, 0.5)
"""Of the scatter of the 3 x 3 pixels around: noise that stands for the PSF and for the size of a cell; while the lens
is far off, where less leaves many maxima, and near."""
BRIGHT = 5.0
"""Standard deviations from which a pixel belongs to the arc, and a cell to the source."""
SHARE, TURNS = 0.1, 3
"""Of the cells: that are bright, before the data; and how often it is asked anew which are."""


class Arc(NamedTuple):
    """An image as pixels.

    Attributes:
        x: to the West, arcsec.
        y: to the North, arcsec.
        data: flux per pixel.
        noise: sigma^2.
        scatter: variance of the 3 x 3 pixels around.
        unblurred: one of `UNBLURRED`.
        area: of a pixel, arcsec^2.
        blur: of the PSF, sigma, arcsec.
        corner: of the source's plane, arcsec.
        variance: of a cell's brightness.
        cells: zeros, one place for each cell and one for all beyond, (n^2 + 1,).
    """

    x: Any
    y: Any
    data: Any
    noise: Any
    scatter: Any
    unblurred: Any
    area: Any
    blur: Any
    corner: Any
    variance: Any
    cells: Any

    @property
    def weight(self) -> Any:
        """1 / variance of each pixel."""
        return 1.0 / (self.noise + self.unblurred**2 * self.scatter)

    @property
    def side(self) -> int:
        """Cells along an axis."""
        return round(float(np.sqrt(self.cells.shape[0] - 1)))


class Question(NamedTuple):
    """Which numbers of a scene explain an image.

    Attributes:
        lens: name -> deflector, with `Free` in the places of the parameters; of those that have any.
        alpha: deflection of the others, arcsec.
        ratio: distance ratio of the lensed source, as the lens.
        front: what lies in front of the lens: sources with one light each, as the lens.
        priors: parameter name -> its distribution, of those that are searched.
        rest: parameter name -> its median, of the others.
        arc: the image.
    """

    lens: dict[str, Any]
    alpha: Any
    ratio: Any
    front: list[Any]
    priors: dict[str, Packed]
    rest: dict[str, Any]
    arc: Arc


class Answer(NamedTuple):
    """What one lens makes of an image.

    Attributes:
        height: log probability, with the prior, up to a constant.
        amplitudes: of the sky and of what lies in front, in units of its median flux.
        brightness: of each cell, flux per pixel.
        error: of that.
    """

    height: jax.Array
    amplitudes: jax.Array
    brightness: jax.Array
    error: jax.Array


def arc_of(image: Any, most: int) -> Arc:
    """The pixels of an image that count; of more than `most`, some drawn at random."""
    data: Any = np.asarray(image.data, float)
    sigma = np.broadcast_to(np.asarray(image.noise.standard_deviation(data, np.maximum(data, 0.0))), data.shape)
    used = np.flatnonzero(np.asarray(image.used) & np.isfinite(data))
    if used.size > most:
        used = np.sort(np.random.default_rng(0).choice(used, most, replace=False))
    x, y = (np.asarray(axis, float).ravel()[used] for axis in image.pixels.centres())
    values, sigma = data.ravel()[used], sigma.ravel()[used]
    bright = values > BRIGHT * sigma
    variance = float(np.mean(np.square(values[bright] if bright.any() else sigma)))
    area = float(image.pixels.pixel_area)
    side = max(np.ptp(x), np.ptp(y)) + np.sqrt(area)
    near = sliding_window_view(np.pad(np.nan_to_num(data), 1, mode="edge"), (3, 3))
    return Arc(
        x=x,
        y=y,
        data=values,
        noise=sigma**2,
        scatter=near.var(axis=(2, 3)).ravel()[used],
        unblurred=UNBLURRED[-1],
        area=area,
        blur=psf_form(image.psf).peak_width() / FWHM_PER_SIGMA,
        corner=np.array([0.5 * (axis.min() + axis.max() - side) for axis in (x, y)]),
        variance=variance,
        cells=np.zeros(int(np.ceil(side / np.sqrt(area))) ** 2 + 1),
    )


def answer(question: Question, vector: jax.Array) -> Answer:
    """Cells that are dark, or of brightness b ~ Normal(0, S^2), under noise of precision w and templates t.

    Of a bright cell with W = sum w, the covariance S^2 1 1^T + 1/w has the inverse w - w w^T S^2 / (1 + S^2 W) and the
    determinant (1 + S^2 W) / prod w. Amplitudes of the templates are where the sum of all chi2 is least, at first
    with all cells bright, then with each as far as it seems to be.
    """
    arc = question.arc
    values, _, _ = constrain(unpacked(question.priors), vector)
    lens, ratio, front = fill((question.lens, question.ratio, question.front), {**question.rest, **values})
    alpha = deflection(realised(lens), arc.x, arc.y)
    beta = bent((arc.x, arc.y), (alpha[0] + question.alpha[0], alpha[1] + question.alpha[1]), ratio)
    cell = _cell(arc, beta)
    columns = jnp.stack([arc.data, jnp.ones_like(arc.data), *(_blurred(one, arc) for one in front)])
    summed = jax.vmap(lambda one: jnp.zeros_like(arc.cells).at[cell].add(one))
    weights, sums = summed(arc.weight[None])[0], summed(arc.weight * columns)
    share, whole = arc.variance / (1.0 + arc.variance * weights), (arc.weight * columns) @ columns.T
    bright = jnp.ones_like(weights)
    for _ in range(TURNS):
        gram = whole - (bright * share * sums) @ sums.T
        inner = gram[1:, 1:] + 1e-9 * jnp.diag(jnp.diag(gram)[1:]) + 1e-300 * jnp.eye(len(gram) - 1)
        amplitudes = jnp.linalg.solve(inner, gram[1:, 0])
        left = sums[0] - amplitudes @ sums[1:]
        lit = jnp.log(SHARE) - 0.5 * jnp.log1p(arc.variance * weights) + 0.5 * share * left**2
        bright = jnp.where(weights > 0.0, jax.nn.sigmoid(lit - jnp.log(1.0 - SHARE)), 0.0)
    residual = arc.data - amplitudes @ columns[1:]
    gained = jnp.where(weights > 0.0, jnp.logaddexp(jnp.log(1.0 - SHARE), lit), 0.0)
    height = jnp.sum(gained) - 0.5 * jnp.sum(arc.weight * residual**2) - 0.5 * jnp.sum(vector**2)
    return Answer(height, amplitudes, (bright * share * left)[:-1], jnp.sqrt(share)[:-1])


def _blurred(source: Any, arc: Arc) -> jax.Array:
    """The light of a source in front of the lens through a Gaussian PSF, by two of its nodes along each axis."""
    corners = [(arc.x + i * arc.blur, arc.y + j * arc.blur) for i in (-1, 1) for j in (-1, 1)]
    shown = [surface_brightness(source, "light", place, place) for place in corners]
    return 0.25 * arc.area * sum(shown[1:], shown[0])


def _cell(arc: Arc, beta: tuple[jax.Array, jax.Array]) -> jax.Array:
    """Number of the cell of each pixel; the last for all beyond, and where there is no deflection."""
    column, row = (jnp.floor((b - c) / jnp.sqrt(arc.area)) for b, c in zip(beta, arc.corner, strict=True))
    inside = (column >= 0) & (column < arc.side) & (row >= 0) & (row < arc.side)
    return jnp.where(inside, row * arc.side + column, arc.cells.shape[0] - 1).astype(int)


@program()
def heights(question: Question, vectors: jax.Array) -> jax.Array:
    """Of vectors (n, size), the heights (n,)."""
    return jax.lax.map(lambda vector: answer(question, vector).height, vectors)


best = program()(answer)
"""`answer` as a program."""
