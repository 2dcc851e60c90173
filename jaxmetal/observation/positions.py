"""Positions of multiple images, of several sources behind one lens."""

from __future__ import annotations

from typing import Any, ClassVar, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from jaxmetal.edge.errors import InputError
from jaxmetal.lens.derive import Lens, distortion
from jaxmetal.lens.plane import Plane
from jaxmetal.likelihood.contract import Noise
from jaxmetal.numerics.tree import node, parameter, static
from jaxmetal.observation.channels import Channel
from jaxmetal.observation.contract import Numbers, Prediction, Quantity
from jaxmetal.observation.tracing import deflected
from jaxmetal.scene import Scene, bent

COLUMNS = {
    "x": ("arcsec", "observed, to the West"),
    "y": ("arcsec", "observed, to the North"),
    "sigma_x": ("arcsec", "standard deviation along x"),
    "sigma_y": ("arcsec", "standard deviation along y"),
    "x_model": ("arcsec", "image of the model, to the West"),
    "y_model": ("arcsec", "image of the model, to the North"),
    "residual_x": ("", "observed minus model over sigma, along x"),
    "residual_y": ("", "observed minus model over sigma, along y"),
    "mu": ("", "signed magnification at the image of the model"),
    "source_x": ("arcsec", "the source, to the West"),
    "source_y": ("arcsec", "the source, to the North"),
    "distance_ratio": ("", "D_LS/D_S of the source over that of the deflections"),
}
"""Column of the table -> unit and description."""


@node
class PlanOfPositions:
    """Nothing is settled: every deflector is evaluated at the images for every draw."""

    lens: Any = None


class Sources(NamedTuple):
    """Where the sources of all families are.

    Attributes:
        x: arcsec to the West, shape (families,).
        y: arcsec to the North, likewise.
        log_area: ln of the area that the images leave each of them, 2 pi |W|^(-1/2) arcsec^2.
    """

    x: jax.Array
    y: jax.Array
    log_area: jax.Array


@node
class Positions:
    """Images of point sources on the sky, in families of one source each, whose place is integrated out.

    To first order around `around`, the image i of a source at beta lies at theta_i + G_i (beta - beta_i), with beta_i =
    theta_i - alpha(theta_i) and G = A^-1 the inverse of the lens's Jacobian there. With S_i the errors of image i,

        chi2 = sum_i (beta_i - beta)^T (A_i S_i A_i^T)^-1 (beta_i - beta)        where the data are at `around`,

    the source-plane chi2 weighted by the magnification tensor (Kochanek 1991, ApJ 373, 354; Keeton 2001,
    astro-ph/0102340, section 4; with a scalar magnification Jullo et al. 2007, NJP 9, 447). That is Gaussian in beta:
    its prior is flat, 1 per arcsec^2, and it is integrated out, which leaves chi2 at the mean weighted by W_i = (A_i
    S_i A_i^T)^-1 and the factor 2 pi |sum_i W_i|^(-1/2). The density is one of the data, positions on the sky: |A_i|
    of beta_i's errors and of the change from theta_i to beta_i cancel. Further steps are linear around the images that
    the last one found (Gauss-Newton): the image-plane chi2.

    Attributes:
        data: x (West) and y (North) of every image, arcsec, shape (2, n).
        noise: `likelihood.integrated.Integrated`.
        used: True for positions that count, shape (2, n).
        around: where the lens equation is linear, near the data, arcsec, shape (2, n).
        family: number of the family of each image, shape (n,).
        distance_ratio: family -> D_LS/D_S of its source over that for which the lens's deflections are; it may be free.
        families: their names, in the order of their numbers.
        steps: 1 for the source plane; 3 for the image plane, where images merge or errors are large.
    """

    data: Any = parameter("data")
    noise: Noise
    used: Any
    around: Any = parameter("arcsec")
    family: Any = parameter("")
    distance_ratio: dict[str, Any] = parameter("", role="factor")
    families: tuple[str, ...] = static()
    steps: int = static(default=1)

    # From three starts about the middle of the prior, a third to two thirds of fits with a free jitter ended where it
    # explains the images in place of the lens; from 16, none of 24.
    starts: ClassVar[int] = 16
    psf = bins = pixels = subject = pointing = None
    properties = ()
    shape = ()
    said = COLUMNS

    @property
    def quantity(self) -> Quantity:
        """A position."""
        return Quantity("position", "arcsec")

    @property
    def absorbed(self) -> int:
        """The coordinates of all sources with images that count."""
        return 2 * len(np.unique(np.asarray(self.family)[np.asarray(self.used).any(axis=0)]))

    def planes(self) -> tuple[Channel, ...]:
        """x and y."""
        return tuple(Channel(name, k, Quantity(name, "arcsec"), None) for k, name in enumerate("xy"))

    def shown(self, scene: Scene) -> list[tuple[str, str]]:
        """No light of any source: the lens alone."""
        return []

    def plan(self, scene: Scene, now: Numbers, asked: Any = None) -> PlanOfPositions:
        """Refuses a scene without a lens, or one that does not reach the images.

        Raises:
            InputError: naming the images.
        """
        if not scene.lens:
            raise InputError("Positions of images need a lens, which the scene has not; add one to [lens].")
        alpha = np.stack(deflected(now.scene.lens, *now.observation.around))
        lost = ~np.isfinite(alpha).all(axis=0) & np.asarray(self.used).any(axis=0)
        if lost.any():
            x, y = np.asarray(self.around)[:, lost][:, 0]
            raise InputError(
                f"The deflection map does not cover {int(lost.sum())} of {lost.size} images, such as that of family "
                f"'{self.families[int(np.asarray(self.family)[lost][0])]}' at x = {x:.4g}, y = {y:.4g} arcsec; use a "
                "larger map or leave them out."
            )
        return PlanOfPositions()

    def predict(self, scene: Scene, plan: Any) -> Prediction:
        """Where the images of the sources lie that the data ask for, and each datum's share of ln(area)."""
        theta, sources = self._solved(scene)
        used = jnp.asarray(self.used)
        count = self._total(used.sum(axis=0).astype(sources.log_area.dtype))
        share = (sources.log_area / jnp.maximum(count, 1.0))[self.family]
        return Prediction(theta, jnp.where(used, share, 0.0))

    def sources(self, scene: Scene) -> Sources:
        """The place of each family's source, and how well it is known; every leaf a number."""
        return self._solved(scene)[1]

    def lens_of(self, scene: Scene) -> Plane:
        """The deflectors as the source of each image sees them: call it with positions of shape (n,)."""
        ratios = jnp.stack([jnp.asarray(self.distance_ratio[name], float) for name in self.families])
        return Plane(parts=scene.lens, distance_ratio=ratios[self.family])

    def residual(self, seen: Prediction) -> jax.Array:
        """(data - model) / sigma, NaN where not used."""
        return jnp.where(self.used, (self.data - seen.value) / self.noise.standard_deviation(*seen), jnp.nan)

    def padded(self) -> Positions:
        """Itself."""
        return self

    def describe(self) -> str:
        """How many images of how many sources."""
        plane = "source plane" if self.steps == 1 else f"image plane, {self.steps} steps"
        return f"positions of {np.shape(self.data)[1]} images in {len(self.families)} families, chi2 in the {plane}"

    @property
    def labels(self) -> list[str]:
        """Family of each image."""
        return [self.families[k] for k in np.asarray(self.family)]

    def columns(self, scene: Scene, seen: Prediction) -> dict[str, jax.Array]:
        """Every column of `said`, an entry for each image."""
        lens, sources = self.lens_of(scene), self.sources(scene)
        sigma, residual = self.noise.standard_deviation(*seen), self.residual(seen)
        places = (*self.data, *sigma, *seen.value, *residual, distortion(lens, *seen.value).mu)
        behind = (sources.x[self.family], sources.y[self.family], lens.distance_ratio)
        return dict(zip(COLUMNS, (*places, *behind), strict=True))

    def _solved(self, scene: Scene) -> tuple[jax.Array, Sources]:
        """The images of the last step, and its sources."""
        lens, nowhere = self.lens_of(scene), jnp.zeros(len(self.families))

        def step(known: tuple[jax.Array, Sources], _: None) -> tuple[tuple[jax.Array, Sources], None]:
            return self._stepped(lens, known[0]), None

        begin = jnp.asarray(self.around, nowhere.dtype), Sources(nowhere, nowhere, nowhere)
        return jax.lax.scan(step, begin, length=self.steps)[0]

    def _stepped(self, lens: Lens, theta: jax.Array) -> tuple[jax.Array, Sources]:
        """The images, linear around theta, of the sources that the data then ask for."""
        used, at = jnp.asarray(self.used), distortion(lens, *theta)
        zero, one = jnp.zeros_like(theta[0]), jnp.ones_like(theta[0])
        columns = jnp.stack(at.lifted(one, zero)), jnp.stack(at.lifted(zero, one))
        weight = jnp.where(used, self.noise.standard_deviation(theta, theta) ** -2, 0.0)
        beta = jnp.stack(bent((theta[0], theta[1]), lens(*theta)))
        # What the image would say of the source were it alone: G^T S^-1 (data - theta + G beta).
        wanted = weight * (jnp.where(used, self.data, 0.0) - theta + jnp.stack(at.lifted(*beta)))
        (xx, xy), (_, yy) = ([self._total(jnp.sum(a * weight * b, axis=0)) for b in columns] for a in columns)
        x, y = (self._total(jnp.sum(column * wanted, axis=0)) for column in columns)
        determinant = xx * yy - xy**2
        determinant = jnp.where(determinant > 0.0, determinant, 1.0)  # of a family none of whose images counts
        source = jnp.stack([yy * x - xy * y, xx * y - xy * x]) / determinant
        moved = theta + jnp.stack(at.lifted(*(source[:, self.family] - beta)))
        return moved, Sources(source[0], source[1], jnp.log(2.0 * jnp.pi) - 0.5 * jnp.log(determinant))

    def _total(self, values: jax.Array) -> jax.Array:
        """Sums over the images of each family."""
        return jax.ops.segment_sum(values, jnp.asarray(self.family), len(self.families))
