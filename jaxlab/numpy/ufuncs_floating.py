"""The make-up of floating-point numbers, and functions that mend their edges."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from jaxlab import dtypes, lax
from jaxlab.core.aval import aval_of, is_inexact
from jaxlab.numpy.promotion import (
    cast,
    check_arraylike,
    promote,
    promote_dtypes,
    promote_one,
    promote_pair,
    type_of,
)
from jaxlab.numpy.selection import selected
from jaxlab.numpy.ufuncs import binary
from jaxlab.numpy.ufuncs_logic import isinf
from jaxlab.numpy.wrapping import BOOL, as_array, compiled, filled, like, named, strong
from jaxlab.transforms.custom_jvp import custom_jvp


def _complex_wrapped(x: Any, turn: float) -> Any:
    """The imaginary part brought into [-turn/2, turn/2)."""
    real, imag = lax.real(x), lax.imag(x)
    full, half, zero = like(imag, turn), like(imag, turn / 2), like(imag, 0)
    imag = lax.rem(lax.add(imag, half), full)
    imag = lax.select(lax.lt(imag, zero), lax.add(imag, full), imag)
    return lax.complex(real, lax.sub(imag, half))


def _log_of_sum(x: Any, y: Any, exp: Any, scale: float, turn: float) -> Any:
    """``log(b**x + b**y)`` as the greater plus a correction that cannot overflow; infinities of one sign
    stay."""
    big = lax.max(x, y)
    if aval_of(big).dtype.kind == "c":
        log1p = lax.log1p(exp(lax.sub(lax.add(x, y), lax.mul(big, like(big, 2)))))
        return _complex_wrapped(
            lax.add(big, log1p if scale == 1 else lax.mul(strong(big, scale), log1p)), turn
        )
    delta = lax.sub(x, y)
    undefined, total = lax.ne(delta, delta), lax.add(x, y)
    log1p = lax.log1p(exp(lax.neg(lax.abs(delta))))
    return lax.select(
        undefined, total, lax.add(big, log1p if scale == 1 else lax.mul(strong(big, scale), log1p))
    )


@custom_jvp
def _logaddexp(x: Any, y: Any) -> Any:
    return _log_of_sum(x, y, lax.exp, 1, 2 * math.pi)


@custom_jvp
def _logaddexp2(x: Any, y: Any) -> Any:
    return _log_of_sum(x, y, lax.exp2, 1 / math.log(2), 2 * math.pi / math.log(2))


def _share(x: Any, out: Any, t: Any, exp: Any) -> Any:
    """The tangent of one operand times its share of the sum; both infinite means all of it."""

    def finite(v: Any) -> Any:
        return lax.select(lax.eq(v, like(v, np.inf)), filled(v, 0), v)

    x, out = finite(x), finite(out)
    return lax.mul(t, exp(lax.sub(x, out)))


@_logaddexp.defjvp
def _logaddexp_jvp(primals: Any, tangents: Any) -> tuple[Any, Any]:
    (x, y), (s, t) = primals, tangents
    out = logaddexp.__wrapped__(x, y)
    return out, lax.add(_share(x, out, s, lax.exp), _share(y, out, t, lax.exp))


@_logaddexp2.defjvp
def _logaddexp2_jvp(primals: Any, tangents: Any) -> tuple[Any, Any]:
    (x, y), (s, t) = primals, tangents
    out = logaddexp2.__wrapped__(x, y)
    return out, lax.add(_share(x, out, s, lax.exp2), _share(y, out, t, lax.exp2))


_logaddexp.fun.__name__, _logaddexp2.fun.__name__ = "logaddexp", "logaddexp2"

logaddexp = binary(
    "logaddexp",
    _logaddexp,
    "``log(exp(x) + exp(y))``, without overflow.",
    "1000., jnp.array([1000., 0.]) -> Array([1000.6932, 1000.    ], dtype=float32)",
    inexact=True,
)
logaddexp2 = binary(
    "logaddexp2",
    _logaddexp2,
    "``log2(2**x + 2**y)``, without overflow.",
    "1000., jnp.array([1000., 0.]) -> Array([1001., 1000.], dtype=float32)",
    inexact=True,
)
nextafter = binary(
    "nextafter",
    lax.nextafter,
    "The next floating-point number from ``x`` towards ``y``.",
    "jnp.float32(2), 3 -> Array(2.0000002, dtype=float32)",
    inexact=True,
)


@named
def signbit(x: Any, /) -> Any:
    """Whether the sign is minus, that of -0.0 and of NaN included.

    Args:
      x: real array or number.

    Raises:
      ValueError: if ``x`` is complex.

    >>> jnp.signbit(jnp.array([-0., 0., -1.]))
    Array([ True, False,  True], dtype=bool)
    """
    dtype = type_of("signbit", x).dtype
    if dtype == BOOL:
        return filled(x, False)
    if not is_inexact(dtype):
        return lax.lt(x, strong(x, 0))
    if dtype.kind == "c":
        raise ValueError(
            f"signbit: an array of dtype {dtype.name} was given, but complex numbers have no sign; take .real"
        )
    bits = np.dtype(f"int{8 * dtype.itemsize}")
    sign = lax.shift_right_arithmetic(lax.bitcast_convert_type(x, bits), bits.type(8 * dtype.itemsize - 1))
    return lax.convert_element_type(sign, BOOL)


@named
def copysign(x1: Any, x2: Any, /) -> Any:
    """The absolute value of ``x1`` with the sign of ``x2``.

    Args:
      x1, x2: real arrays or numbers; their dtypes are promoted, integers to floats, and their shapes
        broadcast.

    Raises:
      TypeError: if an argument is complex, or not an array or a number.

    >>> jnp.copysign(jnp.array([1., 2.]), jnp.array([-1., -0.]))
    Array([-1., -2.], dtype=float32)
    """
    x, y, dtype = promote_pair("copysign", x1, x2, inexact=True)
    if dtype.kind == "c":
        raise TypeError("copysign: complex numbers were given, but only real ones are taken; take .real")
    negative = signbit(y)
    return selected(negative, lax.neg(lax.abs(x)), lax.abs(x))


@named
def heaviside(x1: Any, x2: Any, /) -> Any:
    """The step: 0 for negative ``x1``, 1 for positive, and ``x2`` at 0.

    Args:
      x1, x2: real arrays or numbers; their dtypes are promoted, integers to floats, and their shapes
        broadcast.

    Raises:
      TypeError: if an argument is complex, or not an array or a number.

    >>> jnp.heaviside(jnp.array([-1., 0., 2.]), 0.5)
    Array([0. , 0.5, 1. ], dtype=float32)
    """
    check_arraylike("heaviside", x1, x2)
    x, y = promote_dtypes(x1, x2, inexact=True)  # `where` broadcasts
    zero = like(x, 0)
    below, above = lax.lt(x, zero), lax.gt(x, zero)
    return selected(below, strong(x, 0), selected(above, strong(x, 1), selected(lax.ne(x, x), x, y)))


@named(static_argnames=("copy",))
def nan_to_num(x: Any, copy: bool = True, nan: Any = 0.0, posinf: Any = None, neginf: Any = None) -> Any:
    """The array with numbers in place of NaN and infinities.

    Args:
      x: array or number; integers and booleans stay as they are.
      copy: not used: arrays never change.
      nan: the number for NaN.
      posinf, neginf: the numbers for infinities; the greatest and least of the dtype by default.

    Raises:
      TypeError: if ``x`` is not an array or a number.

    >>> jnp.nan_to_num(jnp.array([1., jnp.nan, jnp.inf]), posinf=9.)
    Array([1., 0., 9.], dtype=float32)
    """
    dtype = type_of("nan_to_num", x).dtype
    if not is_inexact(dtype):
        return as_array(x)
    if dtype.kind == "c":
        real = nan_to_num(lax.real(x), nan=nan, posinf=posinf, neginf=neginf)
        return lax.complex(real, nan_to_num(lax.imag(x), nan=nan, posinf=posinf, neginf=neginf))
    limits = dtypes.finfo(dtype)
    x = selected(lax.ne(x, x), cast(nan, dtype), x)
    greatest = limits.max if posinf is None else posinf
    x = selected(lax.eq(x, like(x, np.inf)), cast(greatest, dtype), x)
    least = limits.min if neginf is None else neginf
    return selected(lax.eq(x, like(x, -np.inf)), cast(least, dtype), x)


@named
def sinc(x: Any, /) -> Any:
    """``sin(pi x) / (pi x)``, and 1 at 0, where all derivatives are right, too.

    Args:
      x: array or number; integers and booleans become floats.

    Raises:
      TypeError: if ``x`` is not an array or a number.

    >>> jnp.sinc(jnp.array([0., 0.5]))
    Array([1.        , 0.63661975], dtype=float32)
    """
    x = promote_one("sinc", x)
    at_zero = lax.eq(x, like(x, 0))
    angle = lax.mul(like(x, math.pi), x)
    # The quotient is not computed at 0, so that no NaN gets into derivatives.
    safe = selected(at_zero, like(x, 1), angle)
    return selected(at_zero, _sinc_maclaurin(0, angle), lax.div(lax.sin(safe), safe))


def _maclaurin(k: int, x: Any) -> Any:
    """The ``k``-th derivative of ``sin(x) / x`` at 0, as a function of ``x`` so that it can be
    differentiated again."""
    zero = lax.mul(x, like(x, 0))
    return zero if k % 2 else lax.add(zero, like(x, (-1) ** (k // 2) / (k + 1)))


_maclaurin.__name__ = "_sinc_maclaurin"
_sinc_maclaurin = custom_jvp(_maclaurin, nondiff_argnums=(0,))


@_sinc_maclaurin.defjvp
def _sinc_maclaurin_jvp(k: int, primals: Any, tangents: Any) -> tuple[Any, Any]:
    (x,), (t,) = primals, tangents
    return _sinc_maclaurin(k, x), lax.mul(_sinc_maclaurin(k + 1, x), t)


@named
def frexp(x: Any, /) -> tuple[Any, Any]:
    """Mantissa and exponent: ``x == mantissa * 2**exponent`` with the mantissa in [0.5, 1), up to its sign.

    Args:
      x: real array or number; integers and booleans become floats.

    Returns:
      The mantissa, of the dtype of ``x``, and the exponent, int32. Zeros, infinities and NaN have the
      exponent 0.

    Raises:
      TypeError: if ``x`` is complex, or not an array or a number.

    >>> jnp.frexp(jnp.array([3., 8.]))
    (Array([0.75, 0.5 ], dtype=float32), Array([2, 4], dtype=int32))
    """
    x = promote_one("frexp", x)
    if aval_of(x).dtype.kind == "c":
        raise TypeError(
            "frexp: complex numbers were given, but only real ones are taken; take .real and .imag"
        )
    return _frexp(x)


@custom_jvp
def _frexp(x: Any) -> tuple[Any, Any]:
    dtype = aval_of(x).dtype
    limits = dtypes.finfo(dtype)
    bits, digits = np.dtype(f"int{8 * dtype.itemsize}"), int(limits.nmant)
    mask, bias = (1 << int(limits.nexp)) - 1, (1 << int(limits.nexp) - 1) - 1
    # Subnormal numbers are made normal first.
    tiny = lax.lt(lax.abs(x), like(x, limits.smallest_normal))
    normal = selected(tiny, lax.mul(x, like(x, 2.0**digits)), x)
    shift = selected(tiny, bits.type(-digits), bits.type(0))
    pattern = lax.bitcast_convert_type(normal, bits)
    exponent = lax.bitwise_and(lax.shift_right_arithmetic(pattern, bits.type(digits)), bits.type(mask))
    exponent = lax.add(lax.sub(exponent, bits.type(bias)), bits.type(1))
    exponent = lax.convert_element_type(lax.add(shift, exponent), np.dtype(np.int32))
    mantissa = lax.bitwise_and(pattern, bits.type(~(mask << digits)))
    mantissa = lax.bitcast_convert_type(lax.bitwise_or(mantissa, bits.type((bias - 1) << digits)), dtype)
    special = lax.bitwise_or(lax.bitwise_or(isinf(x), lax.ne(x, x)), lax.eq(x, like(x, 0)))
    exponent = selected(special, filled(exponent, 0), exponent)
    return selected(special, x, mantissa), exponent


@_frexp.defjvp
def _frexp_jvp(primals: Any, tangents: Any) -> tuple[Any, Any]:
    (x,), (t,) = primals, tangents
    mantissa, exponent = frexp(x)
    scale = lax.exp2(lax.neg(lax.convert_element_type(exponent, aval_of(x).dtype)))
    return (mantissa, exponent), (lax.mul(t, scale), np.zeros(aval_of(exponent).shape, dtypes.float0))


@named
def ldexp(x1: Any, x2: Any, /) -> Any:
    """``x1 * 2**x2``, without overflow on the way.

    Args:
      x1: array of floats or integers, or a number.
      x2: array of integers, or an integer, that broadcasts against ``x1``.

    Raises:
      ValueError: if ``x1`` is complex, or ``x2`` is not of integers.

    >>> jnp.ldexp(jnp.array([1., 3.]), 2)
    Array([ 4., 12.], dtype=float32)
    """
    check_arraylike("ldexp", x1, x2)
    first, second = aval_of(x1).dtype, aval_of(x2).dtype
    if first.kind == "c" or (not dtypes.issubdtype(second, np.integer) and second != BOOL):
        raise ValueError(
            f"ldexp: operands of dtypes {first.name} and {second.name} were given, but a real one and "
            "integers are needed"
        )
    x, exponent = promote("ldexp", promote_one("ldexp", x1), x2)
    mantissa, own = frexp(x)
    total = lax.add(lax.convert_element_type(own, aval_of(x).dtype), exponent)
    zero = like(total, 0)
    # Half of a step stays with the mantissa, so that the greatest exponents do not overflow.
    mantissa = selected(lax.gt(total, zero), lax.mul(mantissa, like(mantissa, 2)), mantissa)
    total = selected(lax.gt(total, zero), lax.sub(total, like(total, 1)), total)
    out = lax.mul(mantissa, lax.pow(like(total, 2), total))
    return selected(lax.bitwise_or(isinf(x), lax.eq(x, zero)), x, out)


@compiled
def spacing(x: Any, /) -> Any:
    """The distance to the next floating-point number away from 0, with the sign of ``x``.

    Args:
      x: real array or number; integers and booleans become floats.

    Raises:
      ValueError: if ``x`` is complex.

    >>> jnp.spacing(jnp.float32(1))
    Array(1.1920929e-07, dtype=float32)
    """
    x = promote_one("spacing", x)
    dtype = aval_of(x).dtype
    if dtype.kind == "c":
        raise ValueError(
            "spacing: complex numbers were given, but only real ones are taken; take .real and .imag"
        )
    step = lax.sub(lax.nextafter(x, copysign(strong(x, np.inf), x)), x)
    none = lax.eq(step, like(x, 0))
    return selected(none, copysign(strong(x, dtypes.finfo(dtype).smallest_subnormal), x), step)
