"""Errors that data of a given quality allow, from the information that they are expected to have at a known truth."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax.flatten_util import ravel_pytree

from jaxmetal.edge.errors import InputError
from jaxmetal.instrument.sampling import Sampling
from jaxmetal.likelihood import Law
from jaxmetal.lines.names import look_up
from jaxmetal.machine import program
from jaxmetal.model import SCENE, tree
from jaxmetal.observation import predict_all
from jaxmetal.prepared import prepare
from jaxmetal.prior import fill, split

SMALLEST = 1e-10
"""Least eigenvalue of the information, in units where its diagonal is 1, that is more than round-off."""


class Fisher(NamedTuple):
    """The Fisher information of data about the free parameters.

    Attributes:
        names: parameters, one per row (scalar sites).
        information: shape (size, size).
    """

    names: tuple[str, ...]
    information: np.ndarray

    @property
    def covariance(self) -> np.ndarray:
        """Its inverse: no unbiased estimate scatters less (Cramer & Rao).

        Raises:
            InputError: if the data say nothing of a parameter, or of a combination of some.
        """
        scale = np.sqrt(np.maximum(np.diag(self.information), 0.0))
        silent = [name for name, one in zip(self.names, scale, strict=True) if not one > 0.0]
        if not silent:
            values, axes = np.linalg.eigh(self.information / np.outer(scale, scale))
            if values[0] > SMALLEST:
                return np.asarray((axes / values) @ axes.T / np.outer(scale, scale))
            silent = [name for name, part in zip(self.names, axes[:, 0], strict=True) if abs(part) > 0.1]
        raise InputError(
            f"Expected data that tell every parameter at this truth, found none on {' with '.join(silent)}; give it a "
            "number, or choose another truth (nothing changes at first with a jitter of 0)."
        )

    def error(self, name: str) -> float:
        """Standard deviation of a parameter, all others unknown too.

        Raises:
            InputError: if there is no such parameter, or as `covariance`.
        """
        k = look_up("parameter", name, {known: row for row, known in enumerate(self.names)})
        return float(np.sqrt(self.covariance[k, k]))


def fisher(
    scene: Any,
    observations: Mapping[str, Any],
    truth: Mapping[str, Any],
    sampling: Mapping[str, Sampling] | None = None,
) -> Fisher:
    """Fisher information at a truth: minus the Hessian of the log-likelihood, averaged over data (not noise-free ones).

    I_kl = -E[d^2 log p(d | theta) / d theta_k d theta_l], over data d that the noise draws at the truth (Cox & Hinkley
    1974, Theoretical Statistics, sect. 4.8; the expected, not the observed information). For Gaussian errors of
    covariance C(theta) around m(theta) it is m_k^T C^-1 m_l + 1/2 tr(C^-1 C_k C^-1 C_l) (Tegmark, Taylor & Heavens
    1997, ApJ 480, 22). Priors do not enter.

    Maxima scatter so where data are many. Of 2,048 maxima of 369 data (`benchmarks/planning_maxima.py`) all parameters
    of the galaxy, and c1, c2 and scales of the noise, scatter 1.00 to 1.03 times as much; a jitter 1.08 times (it ends
    at 0), and free degrees of freedom of Student's t 1.48 times (large ones look alike): take such errors as lower
    limits.

    Args:
        scene: with distributions in the places of what a fit would leave free; what they say is not used.
        observations: name -> observation with errors and masks; data are not looked at.
        truth: parameter -> value, also of free numbers of the noise.
        sampling: sample grids, where the automatic choice is not wanted.

    Raises:
        InputError: if nothing is free, a parameter is no single number or lacks a value, or a value is of none.
    """
    plans = prepare(scene, observations, sampling)
    skeleton, free = split(tree(scene, observations))
    if not free:
        raise InputError("Nothing is free, so that nothing has an error; give a leaf of the scene a distribution.")
    for name, prior in free.items():
        if prior.shape() != ():
            raise InputError(f"'{name}': expected a single number, found shape {prior.shape()}; split it up.")
    for name in truth:
        look_up("truth", name, free)
    missing = set(free) - set(truth)
    if missing:
        raise InputError(f"truth: '{min(missing)}' is free but has no value; give one.")
    values = {name: jnp.asarray(truth[name], jnp.result_type(float)) for name in free}
    return Fisher(tuple(free), np.asarray(_information(skeleton, plans, values)))


@program()
def _information(skeleton: Any, plans: Any, truth: dict[str, jax.Array]) -> jax.Array:
    flat, back = ravel_pytree(truth)

    def predicted(vector: jax.Array) -> Any:
        filled = fill(skeleton, back(vector))
        return predict_all(filled, filled[SCENE], plans)

    # The score is zero on average, and with it all that second derivatives of the predictions could add.
    seen, change = jax.linearize(predicted, flat)
    laws = {name: Law(fill(skeleton, truth)[name].noise, *one) for name, one in seen.items()}

    def expected(step: jax.Array) -> jax.Array:
        filled, near = fill(skeleton, back(flat + step)), jax.tree.map(jnp.add, seen, change(step))
        terms = [filled[name].noise.expected(*near[name], filled[name].used, law) for name, law in laws.items()]
        return sum((jnp.sum(one) for one in terms), start=jnp.zeros(()))

    return -jax.jacfwd(jax.jacfwd(expected))(jnp.zeros_like(flat))
