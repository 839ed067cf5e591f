"""Circular and hyperbolic functions and their inverses."""

from __future__ import annotations

from typing import Any

import numpy as np

from jaxlab.core.aval import ShapedArray
from jaxlab.primitives.arithmetic import add, div, mul, neg, reciprocal, square, sub
from jaxlab.primitives.elementwise import Elementwise, real_dtype, scalar_like
from jaxlab.primitives.exponential import Transcendental, rsqrt


def sin(x: Any, *, accuracy: Any = None) -> Any:
    """Elementwise sine of an angle in radians.

    >>> sin(np.float32(0))
    Array(0., dtype=float32)
    """
    return sin_p(x, accuracy)


def cos(x: Any, *, accuracy: Any = None) -> Any:
    """Elementwise cosine of an angle in radians.

    >>> cos(np.float32(0))
    Array(1., dtype=float32)
    """
    return cos_p(x, accuracy)


def tan(x: Any, *, accuracy: Any = None) -> Any:
    """Elementwise tangent of an angle in radians.

    >>> tan(np.float32(0))
    Array(0., dtype=float32)
    """
    return tan_p(x, accuracy)


def tanh(x: Any, *, accuracy: Any = None) -> Any:
    """Elementwise hyperbolic tangent.

    >>> tanh(np.float32(0))
    Array(0., dtype=float32)
    """
    return tanh_p(x, accuracy)


def _one(x: Any) -> Any:
    return scalar_like(x, 1)


class _Circular(Transcendental):
    """Sine and cosine: those of complex numbers by parts, so that neither an infinite nor a tiny part
    spoils the other."""

    def lower(self, ctx: Any, x: Any, accuracy: Any = None) -> Any:
        aval = ctx.aval_out
        if aval.dtype.kind != "c":
            return super().lower(ctx, x, accuracy=accuracy)
        b = ctx.b
        part = ShapedArray(aval.shape, real_dtype(aval.dtype))
        kind = b.type(part)

        def op(name: str, *operands: Any) -> Any:
            return b.value(f"stablehlo.{name}", kind, *operands)

        re, im = op("real", x), op("imag", x)
        two, zero = b.full(2, part), b.full(0, part)
        # With expm1 the sine of a tiny imaginary part keeps its digits.
        up, down = op("exponential_minus_one", im), op("exponential_minus_one", op("negate", im))
        sinh = op("divide", op("subtract", up, down), two)
        cosh = op("divide", op("add", op("add", up, down), two), two)
        sine, cosine = op("sine", re), op("cosine", re)
        if self.name == "sin":
            first, second = op("multiply", sine, cosh), op("multiply", cosine, sinh)
            on_axis = (zero, second)
        else:
            first, second = op("multiply", cosine, cosh), op("multiply", op("negate", sine), sinh)
            on_axis = (first, zero)
        whole = b.type(aval)
        # On the imaginary axis 0 times an infinite cosh or sinh would be NaN.
        return b.value(
            "stablehlo.select",
            whole,
            b.compare(re, zero, "EQ", part.dtype, aval.shape),
            b.value("stablehlo.complex", whole, *on_axis),
            b.value("stablehlo.complex", whole, first, second),
        )


sin_p = _Circular("sin", "stablehlo.sine", np.sin, [lambda t, out, x: mul(t, cos(x))])
cos_p = _Circular("cos", "stablehlo.cosine", np.cos, [lambda t, out, x: neg(mul(t, sin(x)))])
tan_p = Transcendental(
    "tan", "stablehlo.tan", np.tan, [lambda t, out, x: mul(t, add(_one(x), square(out)))], domain=(-1.0, 1.0)
)
tanh_p = Transcendental(
    "tanh",
    "stablehlo.tanh",
    np.tanh,
    # (1 + out) (1 - out) keeps the digits that 1 - out ** 2 would lose near ±1.
    [lambda t, out, x: mul(add(t, mul(t, out)), sub(_one(x), out))],
)


def asin(x: Any) -> Any:
    """Elementwise arc sine, in radians; NaN for floats beyond ±1.

    >>> asin(np.float32(0))
    Array(0., dtype=float32)
    """
    return asin_p.bind(x)


def acos(x: Any) -> Any:
    """Elementwise arc cosine, in radians; NaN for floats beyond ±1.

    >>> acos(np.float32(1))
    Array(0., dtype=float32)
    """
    return acos_p.bind(x)


def atan(x: Any) -> Any:
    """Elementwise arc tangent, in radians.

    >>> atan(np.float32(0))
    Array(0., dtype=float32)
    """
    return atan_p.bind(x)


def sinh(x: Any) -> Any:
    """Elementwise hyperbolic sine.

    >>> sinh(np.float32(0))
    Array(0., dtype=float32)
    """
    return sinh_p.bind(x)


def cosh(x: Any) -> Any:
    """Elementwise hyperbolic cosine.

    >>> cosh(np.float32(0))
    Array(1., dtype=float32)
    """
    return cosh_p.bind(x)


def asinh(x: Any) -> Any:
    """Elementwise inverse hyperbolic sine.

    >>> asinh(np.float32(0))
    Array(0., dtype=float32)
    """
    return asinh_p.bind(x)


def acosh(x: Any) -> Any:
    """Elementwise inverse hyperbolic cosine; NaN for floats below 1.

    >>> acosh(np.float32(1))
    Array(0., dtype=float32)
    """
    return acosh_p.bind(x)


def atanh(x: Any) -> Any:
    """Elementwise inverse hyperbolic tangent; NaN for floats beyond ±1.

    >>> atanh(np.float32(0))
    Array(0., dtype=float32)
    """
    return atanh_p.bind(x)


def atan2(x: Any, y: Any) -> Any:
    """Elementwise angle, in radians from -pi to pi, of the point with abscissa ``y`` and ordinate ``x``.

    >>> atan2(np.float32(0), np.float32(1))
    Array(0., dtype=float32)
    """
    return atan2_p.bind(x, y)


asin_p = Elementwise(
    "asin",
    "chlo.asin",
    np.arcsin,
    [lambda t, out, x: mul(t, rsqrt(sub(_one(x), square(x))))],
    domain=(-0.9, 0.9),
)
acos_p = Elementwise(
    "acos",
    "chlo.acos",
    np.arccos,
    [lambda t, out, x: mul(t, neg(rsqrt(sub(_one(x), square(x)))))],
    domain=(-0.9, 0.9),
)
atan_p = Elementwise("atan", "chlo.atan", np.arctan, [lambda t, out, x: div(t, add(_one(x), square(x)))])
sinh_p = Elementwise("sinh", "chlo.sinh", np.sinh, [lambda t, out, x: mul(t, cosh(x))])
cosh_p = Elementwise("cosh", "chlo.cosh", np.cosh, [lambda t, out, x: mul(t, sinh(x))])
asinh_p = Elementwise(
    "asinh", "chlo.asinh", np.arcsinh, [lambda t, out, x: mul(t, rsqrt(add(square(x), _one(x))))]
)
acosh_p = Elementwise(
    "acosh",
    "chlo.acosh",
    np.arccosh,
    [lambda t, out, x: mul(t, rsqrt(sub(square(x), _one(x))))],
    domain=(1.5, 3.0),
)
atanh_p = Elementwise(
    "atanh",
    "chlo.atanh",
    np.arctanh,
    [lambda t, out, x: mul(reciprocal(add(_one(x), x)), div(t, sub(_one(x), x)))],
    domain=(-0.8, 0.8),
)


def _angle(x: Any, y: Any) -> Any:
    if x.dtype.kind != "c":
        return np.arctan2(x, y)
    return -1j * np.log((y + 1j * x) / np.sqrt(x * x + y * y))


atan2_p = Elementwise(
    "atan2",
    "stablehlo.atan2",
    _angle,
    [
        lambda t, out, x, y: mul(t, div(y, add(square(x), square(y)))),
        lambda t, out, x, y: mul(t, div(neg(x), add(square(x), square(y)))),
    ],
    domain=(0.3, 2.0),
)
