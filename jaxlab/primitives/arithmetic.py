"""Arithmetic: sums, products, quotients, integer powers, and the parts of complex numbers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from jaxlab import dtypes
from jaxlab.core.aval import ShapedArray, aval_of, is_inexact, is_undefined
from jaxlab.core.primitive import Example
from jaxlab.primitives.broadcasting import F32, unbroadcast
from jaxlab.primitives.conversion import convert
from jaxlab.primitives.elementwise import (
    COMPLEX,
    NUMBER,
    Elementwise,
    full_like,
    real_dtype,
    scalar_like,
)

C64 = np.dtype(np.complex64)


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
    additive=True,
    accepts=NUMBER,
)


def neg(x: Any) -> Any:
    """Elementwise negation.

    >>> neg(np.float32(2))
    Array(-2., dtype=float32)
    """
    return neg_p.bind(x)


neg_p = Elementwise(
    "neg", "stablehlo.negate", np.negative, [lambda t, out, x: neg(t)], linear_in=(0,), accepts=NUMBER
)


def sub(x: Any, y: Any) -> Any:
    """Elementwise difference of two arrays of the same dtype.

    >>> sub(np.float32(3), np.float32(2))
    Array(1., dtype=float32)
    """
    return sub_p.bind(x, y)


sub_p = Elementwise(
    "sub",
    "stablehlo.subtract",
    np.subtract,
    [lambda t, out, x, y: t, lambda t, out, x, y: neg(t)],
    linear_in=(0, 1),
    additive=True,
    accepts=NUMBER,
)


def mul(x: Any, y: Any, *, out_dtype: Any = None) -> Any:
    """Elementwise product of two arrays of the same dtype, converted to ``out_dtype`` if that is given.

    >>> mul(np.float32(3), np.float32(2))
    Array(6., dtype=float32)
    """
    product = mul_p.bind(x, y)
    return product if out_dtype is None else convert(product, out_dtype)


class Product(Elementwise):
    """The elementwise product."""

    bilinear = True


mul_p = Product(
    "mul",
    "stablehlo.multiply",
    np.multiply,
    [lambda t, out, x, y: mul(t, y), lambda t, out, x, y: mul(x, t)],
    linear_in=(0, 1),
    accepts=NUMBER,
)


def div(x: Any, y: Any) -> Any:
    """Elementwise quotient of two arrays of the same dtype.

    Integers round towards zero; division by zero gives -1 (all bits set), and the most negative number by
    -1 itself.

    >>> div(np.int32(-7), np.int32(2))
    Array(-3, dtype=int32)
    """
    return div_p.bind(x, y)


def _quotient(x: Any, y: Any) -> Any:
    if dtypes.issubdtype(x.dtype, np.inexact):
        return np.divide(x, y)
    wide = np.trunc(x.astype(np.float64) / np.where(y == 0, 1, y))
    return np.where(y == 0, -1, wide).astype(np.int64).astype(x.dtype)


_INTEGER_PAIRS = (
    Example((np.array([7, -7, 7, -7, 1, 0], np.int32), np.array([2, 2, -2, -2, 0, 0], np.int32))),
    Example((np.array([200, 7], np.uint8), np.array([3, 0], np.uint8))),
)


class Quotient(Elementwise):
    """The elementwise quotient."""

    def taylor(self, trace: Any, args: Sequence[Any], **params: Any) -> Any:
        """Division of polynomials: what, times the denominator, is the numerator."""
        x, y = args
        if not trace.owns(y) or not is_inexact(aval_of(y).dtype):
            return NotImplemented

        def compute(k: int) -> Any:
            known = [(quotient.coefficient(j), trace.at(y, k - j)) for j in range(k)]
            products = [None if a is None or b is None else trace.now_call(mul, a, b) for a, b in known]
            rest = trace.total(
                [trace.at(x, k), *[None if p is None else trace.now_call(neg, p) for p in products]]
            )
            return None if rest is None else trace.now_call(div, rest, trace.at(y, 0))

        first = trace.now(self, [trace.at(x, 0), trace.at(y, 0)], {})
        quotient = trace.series(first, lambda k: first if k == 0 else compute(k))
        return quotient


div_p = Quotient(
    "div",
    "stablehlo.divide",
    _quotient,
    [
        lambda t, out, x, y: div(t, y),
        lambda t, out, x, y: mul(mul(neg(t), x), integer_pow(y, -2)),
    ],
    linear_in=(0,),
    accepts=NUMBER,
    samples=_INTEGER_PAIRS,
    domain=(0.5, 2.0),
)


def reciprocal(x: Any) -> Any:
    """Elementwise ``1 / x``.

    >>> reciprocal(np.float32(4))
    Array(0.25, dtype=float32)
    """
    return integer_pow(x, -1)


def square(x: Any) -> Any:
    """Elementwise square.

    >>> square(np.float32(3))
    Array(9., dtype=float32)
    """
    return square_p.bind(x)


def _lower_square(ctx: Any, x: Any) -> Any:
    b, aval = ctx.b, ctx.aval_out
    if aval.dtype.kind == "c":  # (re - im) (re + im) does not overflow where the product would
        return b.value("chlo.square", b.type(aval), x)
    return b.value("stablehlo.multiply", b.type(aval), x, x)


square_p = Elementwise(
    "square",
    None,
    np.square,
    [lambda t, out, x: mul(t, mul(scalar_like(x, 2), x))],
    accepts=NUMBER,
    lower=_lower_square,
)


def integer_pow(x: Any, y: int) -> Any:
    """Elementwise power with one static integer exponent; that of an integer is not negative.

    >>> integer_pow(np.float32(2), 3)
    Array(8., dtype=float32)
    """
    y = int(y)
    if y < 0 and not dtypes.issubdtype(aval_of(x).dtype, np.inexact):
        raise TypeError(
            f"integer_pow: {aval_of(x).str_short()} and the power {y} were given, but integers cannot be "
            "raised to negative powers; convert the operand to a float dtype"
        )
    return integer_pow_p.bind(x, y=y)


def _lower_integer_pow(ctx: Any, x: Any, *, y: int) -> Any:
    """Square and multiply."""
    b = ctx.b
    kind = b.type(ctx.aval_out)
    if y == 0:
        return b.full(1, ctx.aval_out)
    result, power, n = None, x, -y if y < 0 else y
    while n:
        if n & 1:
            result = power if result is None else b.value("stablehlo.multiply", kind, result, power)
        n >>= 1
        if n:
            power = b.value("stablehlo.multiply", kind, power, power)
    if y < 0:
        return b.value("stablehlo.divide", kind, b.full(1, ctx.aval_out), result)
    return result


def _integer_pow_derivative(t: Any, out: Any, x: Any, y: int) -> Any:
    if y == 0:
        return full_like(t, 0)
    if y == 1:
        return t
    lower_power = x if y == 2 else integer_pow_p.bind(x, y=y - 1)
    return mul(t, mul(scalar_like(x, y), lower_power))


integer_pow_p = Elementwise(
    "integer_pow",
    None,
    lambda x, y: np.ones_like(x) if y == 0 else np.power(x, np.asarray(y).astype(x.dtype)),
    [_integer_pow_derivative],
    accepts=NUMBER,
    lower=_lower_integer_pow,
    only_samples=True,
    tolerance=1e-5,
    samples=[
        Example((ShapedArray(shape, dtype),), {"y": y}, positive=True, tolerance=1e-5)
        for shape, y, dtype in (
            ((2, 3), 2, F32),
            ((), 3, F32),
            ((3,), -2, F32),
            ((3,), -1, F32),
            ((3,), 7, F32),
            ((2,), 0, F32),
            ((2,), 1, F32),
            ((3,), 3, C64),
            ((3,), 3, np.dtype(np.int32)),
        )
    ],
)


# The parts of complex numbers. Derivatives follow the pairing Re(sum(ct * t)): a cotangent is not conjugated.


def real(x: Any) -> Any:
    """The real part of complex numbers.

    >>> real(np.complex64(1 + 2j))
    Array(1., dtype=float32)
    """
    return real_p.bind(x)


def imag(x: Any) -> Any:
    """The imaginary part of complex numbers.

    >>> imag(np.complex64(1 + 2j))
    Array(2., dtype=float32)
    """
    return imag_p.bind(x)


def complex(x: Any, y: Any) -> Any:
    """The complex numbers ``x + iy``, of floats.

    >>> complex(np.float32(1), np.float32(2))
    Array(1.+2.j, dtype=complex64)
    """
    return complex_p.bind(x, y)


def conj(x: Any) -> Any:
    """The complex conjugate; of real numbers, themselves as complex ones.

    >>> conj(np.complex64(1 + 2j))
    Array(1.-2.j, dtype=complex64)
    """
    return conj_p.bind(x, input_dtype=aval_of(x).dtype)


def complex_dtype(dtype: Any) -> Any:
    """The dtype of complex numbers with such parts."""
    return dtype if dtype.kind == "c" else np.dtype(f"complex{dtype.itemsize * 16}")


class _Part(Elementwise):
    """Real-linear: the transpose is not the tangent's rule."""

    def transpose(self, ct: Any, x: Any) -> Any:
        zero = np.zeros((), aval_of(ct).dtype)[()]
        return [complex(ct, zero) if self.name == "real" else complex(zero, neg(ct))]


class _Complex(Elementwise):
    def transpose(self, ct: Any, x: Any, y: Any) -> Any:
        return [
            unbroadcast(real(ct), x.aval) if is_undefined(x) else None,
            unbroadcast(imag(neg(ct)), y.aval) if is_undefined(y) else None,
        ]


real_p = _Part(
    "real",
    "stablehlo.real",
    np.real,
    [lambda t, out, x: real(t)],
    linear_in=(0,),
    accepts=COMPLEX,
    result=real_dtype,
)
imag_p = _Part(
    "imag",
    "stablehlo.imag",
    np.imag,
    [lambda t, out, x: imag(t)],
    linear_in=(0,),
    accepts=COMPLEX,
    result=real_dtype,
)
complex_p = _Complex(
    "complex",
    "stablehlo.complex",
    lambda x, y: x + np.complex64(1j) * y if x.dtype == F32 else x + 1j * y,
    [
        lambda t, out, x, y: complex(t, scalar_like(t, 0)),
        lambda t, out, x, y: complex(scalar_like(t, 0), t),
    ],
    linear_in=(0, 1),
    additive=True,
    accepts=(np.float32, np.float64),
    result=complex_dtype,
    awkward=False,
)


class _Conj(Elementwise):
    def transpose(self, ct: Any, x: Any, *, input_dtype: Any) -> Any:
        return [conj(ct) if input_dtype.kind == "c" else real(ct)]


def _lower_conj(ctx: Any, x: Any, *, input_dtype: Any) -> Any:
    b, aval = ctx.b, ctx.avals_in[0]
    part = ShapedArray(aval.shape, real_dtype(aval.dtype))
    if input_dtype.kind != "c":
        return b.value("stablehlo.complex", b.type(ctx.aval_out), x, b.full(0, part))
    below = b.value("stablehlo.negate", b.type(part), b.value("stablehlo.imag", b.type(part), x))
    return b.value(
        "stablehlo.complex", b.type(ctx.aval_out), b.value("stablehlo.real", b.type(part), x), below
    )


conj_p = _Conj(
    "conj",
    None,
    lambda x, input_dtype: np.conj(x),
    [lambda t, out, x, input_dtype: conj_p.bind(t, input_dtype=input_dtype)],
    linear_in=(0,),
    accepts=(np.float32, np.float64, np.complexfloating),
    result=complex_dtype,
    lower=_lower_conj,
    only_samples=True,
    samples=[Example((ShapedArray((2, 3), dtype),), {"input_dtype": dtype}) for dtype in (C64, F32)],
)
