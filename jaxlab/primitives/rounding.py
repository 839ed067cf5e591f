"""Functions with kinks and steps: absolute value, sign, extremes, roundings, remainder, neighbouring
floats."""

from __future__ import annotations

import enum
from typing import Any

import numpy as np

from jaxlab.core.aval import aval_of
from jaxlab.core.primitive import Example
from jaxlab.primitives.arithmetic import conj, div, mul, neg, real
from jaxlab.primitives.comparison import eq, ge, select
from jaxlab.primitives.conversion import convert_element_type
from jaxlab.primitives.elementwise import (
    ANY,
    FLOAT,
    NUMBER,
    REAL,
    Elementwise,
    full_like,
    real_dtype,
    scalar_like,
)


def sign(x: Any) -> Any:
    """Elementwise sign: -1, 0 or 1 (``x / |x|`` for complex numbers), NaN for NaN.

    >>> sign(np.float32(-2))
    Array(-1., dtype=float32)
    """
    return sign_p.bind(x)


def _lower_sign(ctx: Any, x: Any) -> Any:
    b, aval = ctx.b, ctx.aval_out
    if aval.dtype.kind != "u":
        return b.value("stablehlo.sign", b.type(aval), x)
    zero, one = b.full(0, aval), b.full(1, aval)
    return b.value(
        "stablehlo.select", b.type(aval), b.compare(x, zero, "EQ", aval.dtype, aval.shape), zero, one
    )


def _sign_reference(x: Any) -> Any:
    if x.dtype.kind == "c":
        return np.where(x == 0, 0, x / np.where(x == 0, 1, np.abs(x)))
    return np.where(x == 0, x, np.sign(x))  # keeps the sign of zero


# The derivative of a complex sign is taken to be zero, too, which it is not: the direction may turn.
sign_p = Elementwise(
    "sign",
    None,
    _sign_reference,
    [None],
    accepts=NUMBER,
    lower=_lower_sign,
    smooth=FLOAT,
)


def abs(x: Any) -> Any:
    """Elementwise absolute value; real for complex numbers.

    >>> abs(np.complex64(3 + 4j))
    Array(5., dtype=float32)
    """
    return abs_p.bind(x)


def _abs_derivative(t: Any, out: Any, x: Any) -> Any:
    if aval_of(x).dtype.kind != "c":
        return select(ge(x, scalar_like(x, 0)), t, neg(t))
    conjugate = conj(x)
    length = _nonzero(convert_element_type(out, aval_of(x).dtype))
    return real(mul(t, div(conjugate, length)))


def _nonzero(x: Any) -> Any:
    """``x`` with ones for zeros."""
    return select(eq(x, scalar_like(x, 0)), full_like(x, 1), x)


abs_p = Elementwise(
    "abs",
    "stablehlo.abs",
    np.abs,
    [_abs_derivative],
    accepts=(np.signedinteger, np.floating, np.complexfloating),
    result=real_dtype,
)


def max(x: Any, y: Any) -> Any:
    """Elementwise larger of two; NaN where one is NaN. Complex numbers are ordered by real, then imaginary
    part.

    Where both are equal each gets half of the derivative.

    >>> max(np.float32(1), np.float32(2))
    Array(2., dtype=float32)
    """
    return max_p.bind(x, y)


def min(x: Any, y: Any) -> Any:
    """Elementwise smaller of two; NaN where one is NaN. Complex numbers are ordered by real, then imaginary
    part.

    Where both are equal each gets half of the derivative.

    >>> min(np.float32(1), np.float32(2))
    Array(1., dtype=float32)
    """
    return min_p.bind(x, y)


def _share(out: Any, own: Any, other: Any) -> Any:
    """1 where ``own`` is the result, but a half where ``other`` is so, too, and 0 elsewhere."""
    is_own = select(eq(own, out), full_like(out, 1), full_like(out, 0))
    count = select(eq(other, out), full_like(out, 2), full_like(out, 1))
    return div(is_own, count)


def _extreme(name: str, op: str, direction: str, reference: Any) -> Elementwise:
    def lower(ctx: Any, x: Any, y: Any) -> Any:
        b, aval = ctx.b, ctx.aval_out
        if aval.dtype.kind != "c":
            return b.value(op, b.type(aval), x, y)
        part = real_dtype(aval.dtype)
        kind, truth = b.tensor(aval.shape, part), b.tensor(aval.shape, np.dtype(np.bool_))
        (x_re, x_im), (y_re, y_im) = (
            [b.value(f"stablehlo.{side}", kind, z) for side in ("real", "imag")] for z in (x, y)
        )
        tie = b.compare(x_re, y_re, "EQ", part, aval.shape)
        by_real = b.compare(x_re, y_re, direction, part, aval.shape)
        by_imag = b.compare(x_im, y_im, direction, part, aval.shape)
        first = b.value("stablehlo.select", truth, tie, by_imag, by_real)
        return b.value("stablehlo.select", b.type(aval), first, x, y)

    return Elementwise(
        name,
        None,
        reference,
        [
            lambda t, out, x, y: mul(t, _share(out, x, y)),
            lambda t, out, x, y: mul(t, _share(out, y, x)),
        ],
        accepts=ANY,
        lower=lower,
    )


max_p = _extreme("max", "stablehlo.maximum", "GT", np.maximum)
min_p = _extreme("min", "stablehlo.minimum", "LT", np.minimum)


class RoundingMethod(enum.IntEnum):
    """What `round` does with numbers half way between two integers."""

    AWAY_FROM_ZERO = 0
    TO_NEAREST_EVEN = 1


def floor(x: Any) -> Any:
    """Elementwise largest integer not above.

    >>> floor(np.float32(-0.5))
    Array(-1., dtype=float32)
    """
    return floor_p.bind(x)


def ceil(x: Any) -> Any:
    """Elementwise smallest integer not below.

    >>> ceil(np.float32(0.5))
    Array(1., dtype=float32)
    """
    return ceil_p.bind(x)


def round(x: Any, rounding_method: RoundingMethod = RoundingMethod.AWAY_FROM_ZERO) -> Any:
    """Elementwise nearest integer; halves go away from zero, or to the even neighbour.

    >>> round(np.float32(2.5)), round(np.float32(2.5), RoundingMethod.TO_NEAREST_EVEN)
    (Array(3., dtype=float32), Array(2., dtype=float32))
    """
    return round_p.bind(x, rounding_method=RoundingMethod(rounding_method))


def _lower_round(ctx: Any, x: Any, *, rounding_method: RoundingMethod) -> Any:
    even = rounding_method is RoundingMethod.TO_NEAREST_EVEN
    op = "stablehlo.round_nearest_even" if even else "stablehlo.round_nearest_afz"
    return ctx.b.value(op, ctx.b.type(ctx.aval_out), x)


def _round_reference(x: Any, rounding_method: RoundingMethod) -> Any:
    if rounding_method is RoundingMethod.TO_NEAREST_EVEN:
        return np.round(x)
    whole = np.trunc(x)
    return np.where(np.abs(x - whole) >= 0.5, whole + np.copysign(1, x), whole).astype(x.dtype)


_HALVES = np.array([-2.5, -1.5, -0.5, 0.5, 1.5, 2.5, 0.3, -0.0], np.float32)

floor_p = Elementwise("floor", "stablehlo.floor", np.floor, [None], accepts=FLOAT)
ceil_p = Elementwise("ceil", "stablehlo.ceil", np.ceil, [None], accepts=FLOAT)
round_p = Elementwise(
    "round",
    None,
    _round_reference,
    [None],
    accepts=FLOAT,
    lower=_lower_round,
    params={"rounding_method": RoundingMethod.AWAY_FROM_ZERO},
    samples=[
        Example((_HALVES,), {"rounding_method": method}, differentiate=False) for method in RoundingMethod
    ],
)


def rem(x: Any, y: Any) -> Any:
    """Elementwise remainder of the division that rounds towards zero: it has the sign of ``x``. Integers by
    0 give ``x``.

    >>> rem(np.int32(-7), np.int32(3))
    Array(-1, dtype=int32)
    """
    return rem_p.bind(x, y)


def _rem_derivative(t: Any, out: Any, x: Any, y: Any) -> Any:
    minus = neg(t)
    return mul(minus, mul(sign(div(x, y)), floor(abs(div(x, y)))))


def _remainder(x: Any, y: Any) -> Any:
    if x.dtype.kind in "iu":
        return np.where(y == 0, x, np.fmod(x, np.where(y == 0, 1, y)))
    return np.fmod(x, y)


rem_p = Elementwise(
    "rem",
    "stablehlo.remainder",
    _remainder,
    [lambda t, out, x, y: t, _rem_derivative],
    accepts=REAL,
    domain=(0.5, 3.0),
    samples=(Example((np.array([7, -7, 7, -7, 5], np.int32), np.array([3, 3, -3, -3, 0], np.int32))),),
)


def nextafter(x1: Any, x2: Any) -> Any:
    """Elementwise next float after ``x1`` in the direction of ``x2``.

    >>> nextafter(np.float32(1), np.float32(2))
    Array(1.0000001, dtype=float32)
    """
    return nextafter_p.bind(x1, x2)


nextafter_p = Elementwise(
    "nextafter", "chlo.next_after", np.nextafter, arity=2, accepts=(np.float32, np.float64), tolerance=0
)
