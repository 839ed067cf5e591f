"""Arithmetic: sums, products, quotients, powers, signs, extremes and roundings."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from jaxlab.core.aval import ShapedArray, aval_of
from jaxlab.core.primitive import Example
from jaxlab.primitives.broadcasting import F32
from jaxlab.primitives.elementwise import ANY, FLOAT, INEXACT, NUMBER, REAL, Elementwise


def add(x: Any, y: Any) -> Any:
    """Elementwise sum of two arrays of the same dtype.

    >>> add(np.float32(1), np.float32(2))
    Array(3., dtype=float32)
    """
    return add_p.bind(x, y)


add_p = Elementwise(
    "add",
    "stablehlo.add",
    np.add,
    [lambda t, out, x, y: t, lambda t, out, x, y: t],
    linear_in=(0, 1),
    accepts=ANY,
)


def sub(x: Any, y: Any) -> Any:
    """Elementwise difference of two arrays of the same dtype."""
    return sub_p.bind(x, y)


sub_p = Elementwise(
    "sub",
    "stablehlo.subtract",
    np.subtract,
    [lambda t, out, x, y: t, lambda t, out, x, y: neg(t)],
    linear_in=(0, 1),
    accepts=NUMBER,
)


def neg(x: Any) -> Any:
    """Elementwise negation."""
    return neg_p.bind(x)


neg_p = Elementwise(
    "neg", "stablehlo.negate", np.negative, [lambda t, out, x: neg(t)], linear_in=(0,), accepts=NUMBER
)


def mul(x: Any, y: Any) -> Any:
    """Elementwise product of two arrays of the same dtype."""
    return mul_p.bind(x, y)


mul_p = Elementwise(
    "mul",
    "stablehlo.multiply",
    np.multiply,
    [lambda t, out, x, y: mul(t, y), lambda t, out, x, y: mul(x, t)],
    linear_in=(0, 1),
    accepts=ANY,
)


def div(x: Any, y: Any) -> Any:
    """Elementwise quotient of two arrays of the same dtype; integers round towards zero."""
    return div_p.bind(x, y)


div_p = Elementwise(
    "div",
    "stablehlo.divide",
    lambda x, y: x / y if np.issubdtype(x.dtype, np.inexact) else np.trunc(x / y).astype(x.dtype),
    [lambda t, out, x, y: div(t, y), lambda t, out, x, y: mul(mul(neg(t), x), integer_pow(y, -2))],
    linear_in=(0,),
    accepts=NUMBER,
    positive=True,
)


def integer_pow(x: Any, y: int) -> Any:
    """Elementwise power with one static integer exponent."""
    return x if y == 1 else integer_pow_p.bind(x, y=y)


def _lower_integer_pow(ctx: Any, x: Any, *, y: int) -> Any:
    """Square and multiply."""
    b = ctx.b
    kind = b.type(ctx.aval_out)
    if y == 0:
        return b.full(1, ctx.aval_out)
    result, power, n = None, x, abs(y)
    while n:
        if n & 1:
            result = power if result is None else b.value("stablehlo.multiply", kind, result, power)
        n >>= 1
        if n:
            power = b.value("stablehlo.multiply", kind, power, power)
    if y < 0:
        return b.value("stablehlo.divide", kind, b.full(1, ctx.aval_out), result)
    return result


integer_pow_p = Elementwise(
    "integer_pow",
    None,
    lambda x, y: np.power(x, x.dtype.type(y)),
    [lambda t, out, x, y: mul(t, mul(_like(x, y), integer_pow(x, y - 1))) if y else mul(t, _like(x, 0))],
    accepts=NUMBER,
    lower=_lower_integer_pow,
    samples=[
        Example((ShapedArray(shape, F32),), dict(y=y), positive=True)
        for shape, y in (((2, 3), 2), ((), 3), ((3,), -2), ((3,), 7), ((2,), 0))
    ],
)


def _like(x: Any, value: complex) -> Any:
    """A scalar of the dtype of ``x``."""
    return np.asarray(value, aval_of(x).dtype)[()]


def square(x: Any) -> Any:
    """Elementwise square."""
    return square_p.bind(x)


square_p = Elementwise(
    "square",
    None,
    np.square,
    [lambda t, out, x: mul(t, mul(_like(x, 2), x))],
    accepts=NUMBER,
    lower=lambda ctx, x: ctx.b.value("stablehlo.multiply", ctx.b.type(ctx.aval_out), x, x),
)


def rem(x: Any, y: Any) -> Any:
    """Elementwise remainder, with the sign of the dividend."""
    return rem_p.bind(x, y)


def _rem_derivative(t: Any, out: Any, x: Any, y: Any) -> Any:
    quotient = div(x, y)
    return mul(neg(t), mul(sign(quotient), floor(abs(quotient))))


rem_p = Elementwise(
    "rem",
    "stablehlo.remainder",
    np.fmod,
    [lambda t, out, x, y: t, _rem_derivative],
    accepts=REAL,
    positive=True,
)


def abs(x: Any) -> Any:
    """Elementwise absolute value; real for complex arrays."""
    return abs_p.bind(x)


sign_p = Elementwise("sign", None, np.sign, [None], accepts=NUMBER, lower=lambda ctx, x: _lower_sign(ctx, x))


def _lower_sign(ctx: Any, x: Any) -> Any:
    b, aval = ctx.b, ctx.aval_out
    if aval.dtype.kind != "u":
        return b.value("stablehlo.sign", b.type(aval), x)
    zero, one = b.full(0, aval), b.full(1, aval)
    return b.value("stablehlo.select", b.type(aval), b.compare(x, zero, "EQ", aval.dtype, aval.shape), zero, one)


def sign(x: Any) -> Any:
    """Elementwise sign: -1, 0 or 1 (``x / |x|`` for complex numbers), NaN for NaN."""
    return sign_p.bind(x)


def _real_dtype(dtype: Any) -> Any:
    return np.zeros((), dtype).real.dtype if dtype.kind == "c" else dtype


abs_p = Elementwise(
    "abs",
    None,
    np.abs,
    [lambda t, out, x: mul(t, sign(x))],
    accepts=NUMBER,
    result=_real_dtype,
    lower=lambda ctx, x: x
    if ctx.aval_out.dtype.kind == "u"
    else ctx.b.value("stablehlo.abs", ctx.b.type(ctx.aval_out), x),
)


def floor(x: Any) -> Any:
    """Elementwise largest integer not above."""
    return floor_p.bind(x)


floor_p = Elementwise("floor", "stablehlo.floor", np.floor, [None], accepts=FLOAT)
