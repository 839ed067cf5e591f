"""Roots, exponentials and logarithms, powers, and how exactly they and their like are computed."""

from __future__ import annotations

import enum
from collections.abc import Callable
from typing import Any

import numpy as np

from jaxlab import dtypes
from jaxlab.core.aval import ShapedArray, aval_of, is_inexact
from jaxlab.core.primitive import Example
from jaxlab.core.trace import is_tracer
from jaxlab.primitives.arithmetic import add, div, integer_pow, mul, sub
from jaxlab.primitives.broadcasting import F32, I32, broadcast_to
from jaxlab.primitives.comparison import eq, select
from jaxlab.primitives.conversion import convert_element_type
from jaxlab.primitives.elementwise import FLOAT, Elementwise, broadcast_operand, full_like, scalar_like


class AccuracyMode(enum.Enum):
    """How a transcendental function is computed, where a backend has the choice."""

    HIGHEST = 1
    DEFAULT = 2


class Tolerance:
    """The error allowed to a transcendental function, where a backend has the choice.

    >>> Tolerance(ulps=2).ulps
    2
    """

    __slots__ = ("atol", "rtol", "ulps")

    def __init__(self, atol: float = 0.0, rtol: float = 0.0, ulps: int = 0) -> None:
        if atol < 0.0 or rtol < 0.0 or ulps < 0:
            raise ValueError(f"Tolerance: {atol=}, {rtol=}, {ulps=} were given, but none may be negative")
        self.atol, self.rtol, self.ulps = atol, rtol, ulps


def _accuracy_text(accuracy: AccuracyMode | Tolerance) -> str:
    if isinstance(accuracy, AccuracyMode):
        return f"#stablehlo.result_accuracy<mode = #stablehlo.result_accuracy_mode<{accuracy.name}>>"
    return (
        f"#stablehlo.result_accuracy<atol = {accuracy.atol:e}, rtol = {accuracy.rtol:e}, ulps = "
        f"{accuracy.ulps}, mode = #stablehlo.result_accuracy_mode<TOLERANCE>>"
    )


class Transcendental(Elementwise):
    """Takes an ``accuracy``, which is a parameter only where it is given."""

    def lower(self, ctx: Any, *operands: Any, accuracy: Any = None) -> Any:
        if accuracy is None or self.hlo is None:
            return super().lower(ctx, *operands)
        b = ctx.b
        attribute = b.parse(_accuracy_text(accuracy))
        return b.value(self.hlo, b.type(ctx.aval_out), *operands, result_accuracy=attribute)

    def jvp(self, primals: Any, tangents: Any, accuracy: Any = None) -> tuple[Any, Any]:
        out, tangent = super().jvp(primals, tangents)
        return (out if accuracy is None else self.bind(*primals, accuracy=accuracy)), tangent

    def reference(self, *arrays: Any, accuracy: Any = None) -> Any:
        return super().reference(*arrays)

    def __call__(self, x: Any, accuracy: Any) -> Any:
        return self.bind(x) if accuracy is None else self.bind(x, accuracy=accuracy)


def sqrt(x: Any, *, accuracy: Any = None) -> Any:
    """Elementwise square root; NaN for negative floats.

    >>> sqrt(np.float32(4))
    Array(2., dtype=float32)
    """
    return sqrt_p(x, accuracy)


def rsqrt(x: Any, *, accuracy: Any = None) -> Any:
    """Elementwise reciprocal of the square root.

    >>> rsqrt(np.float32(4))
    Array(0.5, dtype=float32)
    """
    return rsqrt_p(x, accuracy)


def cbrt(x: Any, *, accuracy: Any = None) -> Any:
    """Elementwise cube root of floats.

    >>> cbrt(np.float32(8))
    Array(2., dtype=float32)
    """
    return cbrt_p(x, accuracy)


def exp(x: Any, *, accuracy: Any = None) -> Any:
    """Elementwise exponential.

    >>> exp(np.float32(0))
    Array(1., dtype=float32)
    """
    return exp_p(x, accuracy)


def exp2(x: Any, *, accuracy: Any = None) -> Any:
    """Elementwise power of two.

    >>> exp2(np.float32(3))
    Array(8., dtype=float32)
    """
    return exp2_p(x, accuracy)


def expm1(x: Any, *, accuracy: Any = None) -> Any:
    """Elementwise ``exp(x) - 1``, exact also near zero.

    >>> expm1(np.float32(0))
    Array(0., dtype=float32)
    """
    return expm1_p(x, accuracy)


def log(x: Any, *, accuracy: Any = None) -> Any:
    """Elementwise natural logarithm.

    >>> log(np.float32(1))
    Array(0., dtype=float32)
    """
    return log_p(x, accuracy)


def log1p(x: Any, *, accuracy: Any = None) -> Any:
    """Elementwise ``log(1 + x)``, exact also near zero.

    >>> log1p(np.float32(0))
    Array(0., dtype=float32)
    """
    return log1p_p(x, accuracy)


def logistic(x: Any, *, accuracy: Any = None) -> Any:
    """Elementwise ``1 / (1 + exp(-x))``.

    >>> logistic(np.float32(0))
    Array(0.5, dtype=float32)
    """
    return logistic_p(x, accuracy)


def _lower_exp2(ctx: Any, x: Any) -> Any:
    b, aval = ctx.b, ctx.aval_out
    scaled = b.value("stablehlo.multiply", b.type(aval), b.full(np.log(2), aval), x)
    return b.value("stablehlo.exponential", b.type(aval), scaled)


def _lower_logistic(ctx: Any, x: Any) -> Any:
    # Written out, since stablehlo.logistic differs from this in the last digits, and across backends.
    b, aval = ctx.b, ctx.aval_out
    kind = b.type(aval)
    decay = b.value("stablehlo.exponential", kind, b.value("stablehlo.negate", kind, x))
    one = b.full(1, aval)
    return b.value("stablehlo.divide", kind, one, b.value("stablehlo.add", kind, one, decay))


def _log1p(x: Any) -> Any:
    if x.dtype.kind != "c":
        return np.log1p(x)
    return np.log1p(x.astype(np.complex128)).astype(x.dtype)


def _wide(function: Callable[..., Any]) -> Callable[..., Any]:
    """A reference computed in 64 bits."""

    def wide(*arrays: Any) -> Any:
        own = arrays[0].dtype
        out = function(*(x.astype(np.complex128 if x.dtype.kind == "c" else np.float64) for x in arrays))
        return np.asarray(out).astype(own)

    return wide


sqrt_p = Transcendental(
    "sqrt",
    "stablehlo.sqrt",
    np.sqrt,
    [lambda t, out, x: mul(t, div(scalar_like(x, 0.5), out))],
    domain=(0.5, 2.0),
)
rsqrt_p = Transcendental(
    "rsqrt",
    "stablehlo.rsqrt",
    lambda x: 1 / np.sqrt(x),
    [lambda t, out, x: mul(t, mul(scalar_like(x, -0.5), div(out, x)))],
    domain=(0.5, 2.0),
)
cbrt_p = Transcendental(
    "cbrt",
    "stablehlo.cbrt",
    np.cbrt,
    [lambda t, out, x: mul(t, mul(scalar_like(x, 1 / 3), integer_pow(out, -2)))],
    accepts=FLOAT,
    domain=(0.5, 2.0),
)
exp_p = Transcendental("exp", "stablehlo.exponential", np.exp, [lambda t, out, x: mul(t, out)])
exp2_p = Transcendental(
    "exp2",
    None,
    np.exp2,
    [lambda t, out, x: mul(log(scalar_like(x, 2)), mul(t, out))],
    lower=_lower_exp2,
)
expm1_p = Transcendental(
    "expm1",
    "stablehlo.exponential_minus_one",
    np.expm1,
    [lambda t, out, x: mul(t, add(out, scalar_like(x, 1)))],
)
log_p = Transcendental("log", "stablehlo.log", np.log, [lambda t, out, x: div(t, x)], domain=(0.5, 2.0))
log1p_p = Transcendental(
    "log1p",
    "stablehlo.log_plus_one",
    _log1p,
    [lambda t, out, x: div(t, add(x, scalar_like(x, 1)))],
    domain=(-0.5, 2.0),
)
logistic_p = Transcendental(
    "logistic",
    None,
    _wide(lambda x: 1 / (1 + np.exp(-x))),
    [lambda t, out, x: mul(t, mul(out, sub(scalar_like(x, 1), out)))],
    lower=_lower_logistic,
)


def pow(x: Any, y: Any) -> Any:
    """Elementwise power of floats or complex numbers; the exponent has the dtype of ``x``, or an integer one.

    >>> pow(np.float32(2), np.float32(3))
    Array(8., dtype=float32)
    """
    return pow_p.bind(x, y)


class Pow(Elementwise):
    """The one elementwise operation whose operands may differ in dtype."""

    def abstract_eval(self, x: Any, y: Any) -> ShapedArray:
        if not self.accepted[x.dtype]:
            raise self.dtype_error(0, x.dtype)
        if not is_inexact(y.dtype):
            if not dtypes.issubdtype(y.dtype, np.integer):
                raise self.dtype_error(1, y.dtype)
            y = ShapedArray(y.shape, x.dtype, y.weak_type)
        return super().abstract_eval(x, y)

    def lower(self, ctx: Any, x: Any, y: Any) -> Any:
        own, other = ctx.avals_in
        if own.dtype == other.dtype:
            return super().lower(ctx, x, y)
        b, out = ctx.b, ctx.aval_out
        other = ShapedArray(other.shape, own.dtype)
        y = b.value("stablehlo.convert", b.type(other), y)
        operands = [broadcast_operand(b, v, aval, out.shape) for v, aval in ((x, own), (y, other))]
        return b.value(self.hlo, b.type(out), *operands)


def _pow_base(t: Any, out: Any, x: Any, y: Any) -> Any:
    aval = aval_of(y)
    if is_inexact(aval.dtype):
        return mul(t, mul(y, pow(x, sub(y, full_like(y, 1)))))
    # An exponent of 0 has no slope anywhere, also at a base of 0.
    y = broadcast_to(_converted(y, aval_of(x).dtype), aval_of(out).shape)
    flat, none = eq(y, scalar_like(y, 0)), full_like(y, 0)
    factor = select(eq(y, scalar_like(y, 0)), full_like(y, 1), y)
    slope = mul(factor, pow(x, sub(y, full_like(y, 1))))
    return mul(t, select(flat, none, slope))


def _converted(y: Any, dtype: Any) -> Any:
    return (
        convert_element_type(y, dtype)
        if is_tracer(y) or aval_of(y).shape
        else np.asarray(y).astype(dtype)[()]
    )


def _pow_exponent(t: Any, out: Any, x: Any, y: Any) -> Any:
    # log(0) is replaced by log(1) = 0, which is the limit of 0 ** y * log(0) for positive y.
    base = select(eq(x, scalar_like(x, 0)), full_like(x, 1), x)
    return mul(t, mul(log(base), out))


pow_p = Pow(
    "pow",
    "stablehlo.power",
    lambda x, y: np.power(x, y.astype(x.dtype)),
    [_pow_base, _pow_exponent],
    domain=(0.5, 2.0),
    tolerance=5e-6,
    samples=[
        Example((ShapedArray((3,), F32), np.array([0, 2, -1], np.int32))),
        Example((ShapedArray((2, 3), F32), np.int32(3))),
        Example((ShapedArray((), np.dtype(np.complex64)), np.int32(2))),
        Example((np.array([0, 0, 2, -2], np.float32), np.array([0, 2, 0, 3], np.int32)), differentiate=False),
        Example((ShapedArray((2,), F32), ShapedArray((2,), I32)), tolerance=1e-5, differentiate=False),
    ],
)
