"""exp, ln and erfc of many doubles on a processor, where XLA's own are slow.

Of doubles XLA leaves ln to a library, one number after the other, and exp and erfc are long chains of products that
each wait for the one before. Here all are products in four chains, which a processor runs side by side: a Sersic
profile takes a third of the time. In single precision and on other devices they are JAX's.

What ends with a division is stored where several need it; all else the compiler computes anew for each.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import jax
import jax.numpy as jnp
from jax.scipy import special

EXP = tuple(1.0 / math.factorial(k) for k in range(14))
"""The exponential series, which is exact to round-off below (ln 2) / 2."""

LOG = tuple(2.0 / (2 * k + 1) for k in range(11))
"""ln((1 + z) / (1 - z)) / z in powers of z^2; what is left out is 1e-18 below z^2 = 0.0295."""

TAIL = (
    1.2375126308378275, -0.14024059858554702, 0.0035854154854644583, 0.08227673849015109,
    -0.10880393014175023, 0.09230432116019638, -0.05869339858961116, 0.02836227742154398,
    -0.009746579558275152, 0.0017556258321915355, 0.0002937136669846131, -0.0002901539781378384,
    5.1649093885821704e-05, 2.238390827660038e-05, -1.1444134389658475e-05, -9.728413451815077e-07,
    1.7516189406943677e-06, -5.827501862768691e-08, -2.586489910718322e-07, 2.4301839484503084e-08,
    3.866242066283792e-08, -4.396921916762906e-09, -5.169080644815932e-09, 5.485084520083625e-10,
    4.2433038251096756e-10, -3.7980647235900285e-11,
)  # fmt: skip
"""(1 + 2 x) exp(x^2) erfc(x) in powers of t = (x - c) / (x + c), a Chebyshev fit for x >= 0, off by 1e-16 of it."""

TAIL_MIDDLE = 3.75
"""c, for which that series is shortest."""

MANTISSA, BIAS = 52, 1023
"""Bits of a double's mantissa, and what its exponent is stored with."""

COUNTING = 1.5 * 2.0**MANTISSA
"""A double whose last bit counts one: of its sum with an integer, this stands in the last bits."""

HALF_ROOT = 0x3FE6A09E667F3BCD
"""The bits of sqrt(1/2): a number is a power of 2 times one from that to sqrt(2)."""

LN_2, LN_2_HIGH, LN_2_LOW = math.log(2.0), 0.693147180369123816490, 1.90821492927058770002e-10
"""The last two add up to the first, and products of the second with integers of 11 bits are exact."""


def _of_doubles(
    fast: Callable[[jax.Array], jax.Array], usual: Callable[[jax.Array], jax.Array]
) -> Callable[..., jax.Array]:
    def function(x: jax.Array) -> jax.Array:
        x = jnp.asarray(x)
        return jax.lax.platform_dependent(x, cpu=fast, default=usual) if x.dtype == jnp.float64 else usual(x)

    return function


def _exp(x: jax.Array) -> jax.Array:
    """exp(x - k ln 2) / 2^-k."""
    x = jnp.clip(x, -710.0, 709.4)
    k = jnp.round(x * (1.0 / LN_2))
    rest = (x - k * LN_2_HIGH) - k * LN_2_LOW
    last = jax.lax.bitcast_convert_type(COUNTING + BIAS - k, jnp.int64)
    inverse = jax.lax.bitcast_convert_type(jax.lax.shift_left(last, jnp.int64(MANTISSA)), jnp.float64)
    return _in_chains(EXP, rest) / inverse


def _log(x: jax.Array) -> jax.Array:
    """k ln 2 + ln m of x = 2^k m."""
    bits = jax.lax.bitcast_convert_type(x, jnp.int64)
    power = (bits - jnp.int64(HALF_ROOT)) & jnp.int64(-(1 << MANTISSA))
    m = jax.lax.bitcast_convert_type(bits - power, jnp.float64)
    last = jax.lax.bitcast_convert_type(jnp.float64(COUNTING), jnp.int64)
    counted = jax.lax.shift_right_logical(power + jnp.int64(BIAS << MANTISSA), jnp.int64(MANTISSA)) | last
    k = jax.lax.bitcast_convert_type(counted, jnp.float64) - (COUNTING + BIAS)
    z = (m - 1.0) / (m + 1.0)
    found = k * LN_2 + z * _in_chains(LOG, z * z)
    found = jnp.where(x >= jnp.finfo(x.dtype).tiny, found, jnp.where(x >= 0.0, -jnp.inf, jnp.nan))
    return jnp.where(x < jnp.inf, found, x)


def _tail(x: jax.Array) -> jax.Array:
    """exp(-x^2) times a series, / (1 + 2 x)."""
    x = jnp.minimum(x, 30.0)
    t = (x - TAIL_MIDDLE) / (x + TAIL_MIDDLE)
    return _exp(-x * x) * _in_chains(TAIL, t) / (1.0 + 2.0 * x)


def _in_chains(coefficients: Sequence[float], z: jax.Array) -> jax.Array:
    """A polynomial in rising powers."""
    square = z * z
    a, b, c, d = (_chain(coefficients[k::4], square * square) for k in range(4))
    return a + square * c + z * (b + square * d)


def _chain(coefficients: Sequence[float], z: jax.Array) -> jax.Array:
    total = jnp.full_like(z, coefficients[-1])
    for coefficient in coefficients[-2::-1]:
        total = total * z + coefficient
    return total


@jax.custom_jvp
def exp(x: jax.Array) -> jax.Array:
    """e^x, to 1e-15 of it; 0 below 1e-308, infinite from 1e308."""
    return _of_doubles(_exp, jnp.exp)(x)


@jax.custom_jvp
def log(x: jax.Array) -> jax.Array:
    """ln x, to 1e-15; of numbers below 1e-308 it is that of 0."""
    return _of_doubles(_log, jnp.log)(x)


@jax.custom_jvp
def tail(x: jax.Array) -> jax.Array:
    """erfc(x) of x >= 0, to 1e-15 (1 + x^2) of it."""
    return _of_doubles(_tail, special.erfc)(x)


exp.defjvps(lambda move, found, x: move * found)
log.defjvps(lambda move, found, x: move / x)
tail.defjvps(lambda move, found, x: move * (-2.0 / math.sqrt(math.pi)) * exp(-x * x))
