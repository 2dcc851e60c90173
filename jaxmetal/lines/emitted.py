"""Fluxes of lines and blends as functions of metallicity, extinction and calibration offsets."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from jaxmetal.edge.errors import InputError
from jaxmetal.lines import case_b, route
from jaxmetal.lines.contents import Contents, blends, wanted, weights
from jaxmetal.lines.dust import DustLaw, dust_law
from jaxmetal.lines.lines import once
from jaxmetal.lines.literature import calibration_set
from jaxmetal.lines.names import look_up
from jaxmetal.lines.ratios import RATIOS
from jaxmetal.lines.strong_lines import Calibration, constant_scatter
from jaxmetal.numerics.tree import node, static

LN10 = math.log(10.0)


@node
class Emission(Contents):
    """What one spaxel emits per unit of intrinsic Hb, line by line, and what its measured features contain of it.

    flux(line) = constant 10^(sum_k power_k (log R_k(Z) + offset_k)) 10^(-0.4 A(line)/A(V) A_V), and a feature is a
    weighted sum of lines. The R_k are base ratios: independent calibrations, each with a scatter that is counted once
    however many lines depend on it.

    Attributes:
        calibrations: of the base ratios, in order.
        constants: shape (lines,).
        extinction: A(line)/A(V), shape (lines,).
        hbeta: A(Hb)/A(V).
        powers: shape (lines, ratios); mostly zeros, which fits skip.
        weights, lines, features: see `Contents`.
    """

    calibrations: tuple[Calibration, ...]
    constants: Any
    extinction: Any
    hbeta: Any
    powers: tuple[tuple[float, ...], ...] = static()
    weights: tuple[tuple[float, ...], ...] = static()
    lines: tuple[str, ...] = static()
    features: tuple[str, ...] = static()

    @property
    def power_matrix(self) -> jax.Array:
        """`powers` as an array, also where there is no ratio."""
        return jnp.asarray(self.powers, float).reshape(len(self.lines), len(self.calibrations))

    @property
    def also(self) -> tuple[str, ...]:
        """Properties of the gas on which it depends besides metallicity and extinction: none."""
        return ()

    @property
    def known(self) -> str:
        """By what fluxes are known, in words."""
        return ", ".join(one.name for one in self.calibrations) or "no calibration"

    @property
    def ranges(self) -> dict[str, tuple[float, float]]:
        """Where all calibrations know metallicity; nothing without one."""
        ends = [tuple(map(float, one.valid)) for one in self.calibrations]
        return {"metallicity": (max(low for low, _ in ends), min(high for _, high in ends))} if ends else {}

    def require_ratios(self, where: str, departures: Mapping[str, Any]) -> None:
        """Refuses departures of ratios that there are not.

        Raises:
            InputError: naming the first.
        """
        for ratio in departures:
            look_up(where, ratio, {**RATIOS, **{one.ratio.name: one for one in self.calibrations}})

    def log_ratios(self, z: jax.Array) -> jax.Array:
        """log10 of the base ratios, shape (*z.shape, ratios)."""
        return _stacked([one(z) for one in self.calibrations], z)

    def scatter(self, z: jax.Array) -> jax.Array:
        """Their scatter at Z, dex, shape (*z.shape, ratios)."""
        return _stacked([one.sigma(z) for one in self.calibrations], z)

    def outside(self, z: jax.Array) -> jax.Array:
        """Whether any calibration is beyond its valid range at Z."""
        return jnp.any(_stacked([one.outside(z) for one in self.calibrations], z), axis=-1)

    def of_lines(self, z: jax.Array, a_v: jax.Array, offsets: Any = 0.0) -> jax.Array:
        """Reddened fluxes of the lines per unit of *observed* Hb, shape (*broadcast of z and a_v, lines).

        Args:
            z: 12 + log(O/H).
            a_v: A(V), mag.
            offsets: departures of the base ratios from their calibrations, dex, shape (..., ratios).
        """
        exponent = (self.log_ratios(z) + offsets) @ self.power_matrix.T
        relative = jnp.asarray(self.extinction) - self.hbeta
        return self.constants * 10.0**exponent * 10.0 ** (-0.4 * jnp.asarray(a_v)[..., None] * relative)

    def each_line(
        self, z: jax.Array, a_v: jax.Array, departures: Mapping[str, Any] | None = None, *, intrinsic: bool = False
    ) -> list[jax.Array]:
        """As `of_lines`, an array for each line; what depends on Z or A(V) alone is computed alone.

        Args:
            z: 12 + log(O/H).
            a_v: A(V), mag.
            departures: ratio -> departure from its calibration in units of its scatter at Z; of others none.
            intrinsic: per unit of intrinsic Hb, instead of observed.
        """
        off = departures or {}
        log_ratios = [
            one(z) + off[one.ratio.name] * one.sigma(z) if one.ratio.name in off else one(z)
            for one in self.calibrations
        ]
        relative = jnp.asarray(self.extinction) - (0.0 if intrinsic else self.hbeta)
        return [
            self.constants[n]
            * jnp.exp(LN10 * sum((p * r for p, r in zip(row, log_ratios, strict=True) if p), start=jnp.zeros_like(z)))
            * jnp.exp(-0.4 * LN10 * relative[n] * a_v)
            for n, row in enumerate(self.powers)
        ]

    def each_feature(
        self,
        z: jax.Array,
        a_v: jax.Array,
        *also: jax.Array,
        departures: Mapping[str, Any] | None = None,
        intrinsic: bool = False,
    ) -> list[jax.Array]:
        """Sums of `each_line` over what each feature contains; arguments likewise, and the properties of `also`."""
        return self.summed(self.each_line(z, a_v, departures, intrinsic=intrinsic))

    def __call__(self, z: jax.Array, a_v: jax.Array, offsets: Any = 0.0) -> jax.Array:
        """Reddened fluxes of the features per unit of *observed* Hb, shape (..., features)."""
        return self.of_lines(z, a_v, offsets) @ jnp.asarray(self.weights).T

    def intrinsic_hbeta(self, observed: jax.Array, a_v: jax.Array) -> jax.Array:
        """Dereddened Hb from the Hb that reaches us: observed 10^(0.4 A(Hb))."""
        return observed * 10.0 ** (0.4 * self.hbeta * a_v)


def emission(
    features: Sequence[str] | Mapping[str, str | Mapping[str, float]],
    calibrations: str | Iterable[Calibration],
    *,
    law: str | DustLaw = "CCM89",
    r_v: float | None = None,
    temperature: float = 1e4,
    scatter: float | Mapping[str, float] | None = None,
    hydrogen: Mapping[str, float] | None = None,
    oiii_doublet: float = case_b.OIII_DOUBLET,
    nii_doublet: float = case_b.NII_DOUBLET,
    unverified: bool = False,
) -> Emission:
    """The emission model for measured features.

    Args:
        features: names of lines or blends (see `lines.feature`), or name -> blend.
        calibrations: a set's name, or calibrations from any sets; of these the base ratios R3 (or R3sum), R2 (or O32),
            Ne3O2, N2 and S2 are used where a feature needs them, and no other.
        law: dust law.
        r_v: A(V)/E(B-V); the law's own by default.
        temperature: electron temperature of the hydrogen lines, K.
        scatter: replaces the calibrations' own, dex: one number, or ratio -> number. Needed where a paper has none.
        hydrogen: line -> flux over Hb, instead of case B at `temperature`.
        oiii_doublet: [OIII] 5007/4959.
        nii_doublet: [NII] 6584/6548.
        unverified: allow a set's calibrations from a single public source.

    Raises:
        InputError: if a line or ratio is unknown or occurs twice, a number cannot be, no calibration predicts a line,
            or a scatter is not stated, or is that of a ratio from which no line follows.
    """
    contents, ratios = blends(features), hydrogen or {}
    if isinstance(calibrations, str):
        calibrations = calibration_set(calibrations, unverified=unverified).values()
    known: dict[str, Calibration] = {}
    for one in calibrations:
        if one.ratio.name in known:
            raise InputError(
                f"calibrations: expected one of each ratio, found two of {one.ratio.name}; leave one of them out."
            )
        known[one.ratio.name] = one
    names = wanted(contents)
    fixed = route.constants(
        known,
        temperature=temperature,
        hydrogen={name: float(ratios[told]) for name, told in once("hydrogen", ratios).items()},
        oiii_doublet=oiii_doublet,
        nii_doublet=nii_doublet,
    )
    followed = [route.over_hbeta(name, known, fixed) for name in names]
    for ratio in scatter if isinstance(scatter, Mapping) else ():
        look_up("scatter", ratio, {**RATIOS, **known})
    base = [ratio for ratio in known if any(ratio in found.powers for found in followed)]
    _require_used(scatter, base)
    law = dust_law(law) if isinstance(law, str) else law
    return Emission(
        calibrations=tuple(_with_scatter(known[ratio], scatter) for ratio in base),
        constants=np.array([found.constant for found in followed]),
        powers=tuple(tuple(found.powers.get(ratio, 0.0) for ratio in base) for found in followed),
        extinction=np.array([float(law(name, r_v)) for name in names]),
        hbeta=np.array(float(law("Hbeta", r_v))),
        weights=weights(contents),
        lines=names,
        features=tuple(contents),
    )


def _require_used(scatter: Any, base: Sequence[str]) -> None:
    """Refuses a scatter that would change nothing."""
    unused = [ratio for ratio in scatter if ratio not in base] if isinstance(scatter, Mapping) else []
    if unused:
        raise InputError(
            f"scatter: expected ratios from which these lines follow ({', '.join(base) or 'none'}), found "
            f"'{unused[0]}'; leave it out."
        )


def _with_scatter(one: Calibration, scatter: float | Mapping[str, float] | None) -> Calibration:
    given = scatter.get(one.ratio.name) if isinstance(scatter, Mapping) else scatter
    if given is not None:
        return dataclasses.replace(one, scatter=constant_scatter(given))
    if one.scatter is None:
        raise InputError(
            f"calibration {one.name}: expected a scatter, found none in public sources; "
            f"state one, e.g. scatter={{'{one.ratio.name}': 0.1}} (dex)."
        )
    return one


def _stacked(rows: list[jax.Array], z: jax.Array) -> jax.Array:
    if not rows:
        return jnp.zeros((*jnp.shape(z), 0))
    return jnp.stack([jnp.broadcast_to(row, jnp.shape(z)) for row in rows], axis=-1)
