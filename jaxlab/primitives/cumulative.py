"""Running totals along an axis: sums, products, extremes, and logarithms of sums of exponentials."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from jaxlab import dtypes
from jaxlab.core.aval import ShapedArray, Zero, aval_of
from jaxlab.core.primitive import Example, Primitive
from jaxlab.primitives.arithmetic import add, mul, mul_p, neg, sub
from jaxlab.primitives.comparison import eq, ne, select
from jaxlab.primitives.concatenation import concatenate, rev
from jaxlab.primitives.creation import full_like
from jaxlab.primitives.exponential import exp, log1p
from jaxlab.primitives.reduction import highest, lowest
from jaxlab.primitives.reshaping import F32, I32, zero_ct
from jaxlab.primitives.rounding import abs as absolute
from jaxlab.primitives.rounding import max_p, min_p
from jaxlab.primitives.running_total import lower_running
from jaxlab.primitives.slicing import pad, slice_in_dim

Pair = tuple[Any, Any]


class Cumulative(Primitive):
    """Each element along an axis combined with all before it (with all after it, if ``reverse``).

    Args:
      combine: writes the operation on two values of a dtype and shape: ``(builder, x, y, dtype, shape)``.
      identity: from a dtype, the value that changes nothing.
      reference: the same in NumPy, along an axis.
      pair_jvp: value and tangent of the operation, from two pairs of value and tangent.
      sums: whether rounding errors add up, so that a wider running total is worth having.
    """

    def __init__(
        self,
        name: str,
        combine: Callable[..., Any],
        identity: Callable[[Any], Any],
        reference: Callable[[Any, int], Any],
        pair_jvp: Callable[[Pair, Pair], Pair] | None,
        accepts: type = np.number,
        sums: bool = False,
    ) -> None:
        self.combine = combine
        self.identity = identity
        self.numpy = reference
        self.pair_jvp = pair_jvp
        self.kind = accepts
        self.sums = sums
        super().__init__(name)

    def __call__(self, operand: Any, axis: int, reverse: bool) -> Any:
        """Apply to an axis that the user gave."""
        axis, shape = operator.index(axis), aval_of(operand).shape
        if axis < 0:
            raise ValueError(
                f"{self.name}: axis {axis} was given, but axes are counted from the front here; write "
                f"{axis + len(shape)}"
            )
        if axis >= len(shape):
            raise ValueError(f"{self.name}: axis {axis} is out of bounds for array of shape {shape}")
        return self.bind(operand, axis=axis, reverse=bool(reverse))

    def abstract_eval(self, x: Any, *, axis: Any, reverse: Any) -> ShapedArray:
        if not dtypes.issubdtype(x.dtype, self.kind):
            raise TypeError(
                f"{self.name} does not accept dtype {dtypes.short_name(x.dtype)}; it accepts "
                f"{self.kind.__name__} dtypes: "
                "convert the operand first"
            )
        return ShapedArray(x.shape, x.dtype, x.weak_type)

    def lower(self, ctx: Any, x: Any, *, axis: Any, reverse: Any) -> Any:
        return lower_running(
            ctx, x, axis, reverse, self.combine, self.identity(ctx.aval_out.dtype), self.sums
        )

    def jvp(
        self, primals: Sequence[Any], tangents: Sequence[Any], *, axis: Any, reverse: Any
    ) -> tuple[Any, Any]:
        (x,), (t,) = primals, tangents
        if type(t) is Zero or self.pair_jvp is None:
            out = self.bind(x, axis=axis, reverse=reverse)
            zero = Zero(aval_of(out).to_tangent_aval())
            return out, zero if type(t) is Zero else self.bind(t, axis=axis, reverse=reverse)
        pair = (rev(x, (axis,)), rev(t, (axis,))) if reverse else (x, t)
        out, t = running_pairs(pair, axis, self.pair_jvp)
        return (rev(out, (axis,)), rev(t, (axis,))) if reverse else (out, t)

    def batch(self, size: int, args: Any, dims: Any, *, axis: Any, reverse: Any) -> tuple[Any, int]:
        (x,), (dim,) = args, dims
        return self.bind(x, axis=axis + (dim <= axis), reverse=reverse), dim

    def reference(self, x: Any, *, axis: Any, reverse: Any) -> Any:
        return np.flip(self.numpy(np.flip(x, axis), axis), axis) if reverse else self.numpy(x, axis)

    def examples(self) -> Iterable[Example]:
        for shape, axis, reverse in (
            ((5,), 0, False),
            ((3, 4), 1, True),
            ((3, 2), 0, False),
            ((1, 2), 0, True),
        ):
            yield Example((ShapedArray(shape, F32),), {"axis": axis, "reverse": reverse})
        yield Example((ShapedArray((0, 2), F32),), {"axis": 0, "reverse": False}, differentiate=False)
        yield Example((ShapedArray((3, 70, 2), F32),), {"axis": 1, "reverse": True}, differentiate=False)
        if self.kind is np.number:
            yield Example((ShapedArray((2, 5), I32),), {"axis": 1, "reverse": False})


class CumSum(Cumulative):
    linear_in = (0,)

    def transpose(self, ct: Any, x: Any, *, axis: Any, reverse: Any) -> list[Any]:
        return [None if zero_ct(ct) else self.bind(ct, axis=axis, reverse=not reverse)]


def running_pairs(pair: Pair, axis: int, combine: Callable[[Pair, Pair], Pair]) -> Pair:
    """The running combination of values and tangents: of neighbours, then of runs (Blelloch, 1990)."""
    size = aval_of(pair[0]).shape[axis]
    if size < 2:
        return pair

    def part(pair: Pair, start: int, limit: int, stride: int = 1) -> Pair:
        x, t = [slice_in_dim(v, start, limit, stride, axis) for v in pair]
        return x, t

    count = size // 2
    odd = running_pairs(combine(part(pair, 0, size - 1, 2), part(pair, 1, size, 2)), axis, combine)
    before = part(odd, 0, count - 1) if size % 2 == 0 else odd
    even = combine(before, part(pair, 2, size, 2))
    evens = [concatenate(list(both), axis) for both in zip(part(pair, 0, 1), even, strict=True)]
    # The elements at even and at odd places in turn.
    aval, equal = aval_of(pair[0]), size % 2 == 0
    zero = np.zeros((), aval.dtype)[()]

    def spread(pair: Sequence[Any], low: int, high: int) -> list[Any]:
        config = [(low, high, 1) if i == axis else (0, 0, 0) for i in range(len(aval.shape))]
        return [pad(x, zero, config) for x in pair]

    x, t = [
        add(*both) for both in zip(spread(evens, 0, int(equal)), spread(odd, 1, int(not equal)), strict=True)
    ]
    return x, t


# -- the operations ------------------------------------------------------------------------------------------


def _operation(name: str) -> Callable[..., Any]:
    return lambda b, x, y, dtype, shape: b.value(f"stablehlo.{name}", b.tensor(shape, dtype), x, y)


def _extreme(name: str, way: str) -> Callable[..., Any]:
    def combine(b: Any, x: Any, y: Any, dtype: Any, shape: tuple[int, ...]) -> Any:
        kind = b.tensor(shape, dtype)
        if dtype.kind != "c":
            return b.value(f"stablehlo.{name}", kind, x, y)
        part = np.zeros((), dtype).real.dtype
        (x_re, x_im), (y_re, y_im) = (
            [b.value(f"stablehlo.{side}", b.tensor(shape, part), z) for side in ("real", "imag")]
            for z in (x, y)
        )
        bit = b.tensor(shape, np.dtype(np.bool_))
        tie = b.compare(x_re, y_re, "EQ", part, shape)
        by_real, by_imag = b.compare(x_re, y_re, way, part, shape), b.compare(x_im, y_im, way, part, shape)
        return b.value(
            "stablehlo.select", kind, b.value("stablehlo.select", bit, tie, by_imag, by_real), x, y
        )

    return combine


def _lower_logaddexp(b: Any, x: Any, y: Any, dtype: Any, shape: tuple[int, ...]) -> Any:
    """``log(exp(x) + exp(y))`` with no overflow, and right where both are the same infinity."""
    kind = b.tensor(shape, dtype)
    larger = b.value("stablehlo.maximum", kind, x, y)
    difference = b.value("stablehlo.subtract", kind, x, y)
    distance = b.value("stablehlo.negate", kind, b.value("stablehlo.abs", kind, difference))
    rest = b.value("stablehlo.log_plus_one", kind, b.value("stablehlo.exponential", kind, distance))
    total = b.value("stablehlo.add", kind, larger, rest)
    undefined = b.compare(difference, difference, "NE", dtype, shape)
    return b.value("stablehlo.select", kind, undefined, b.value("stablehlo.add", kind, x, y), total)


def _logaddexp_jvp(first: Pair, second: Pair) -> Pair:
    (x, t_x), (y, t_y) = first, second
    larger, difference = max_p.bind(x, y), sub(x, y)
    undefined, total = ne(difference, difference), add(x, y)
    out = select(undefined, total, add(larger, log1p(exp(neg(absolute(difference))))))

    def finite(z: Any) -> Any:
        return select(eq(z, np.asarray(np.inf, aval_of(z).dtype)[()]), full_like(z, 0), z)

    share_x = mul(t_x, exp(sub(finite(x), finite(out))))
    share_y = mul(t_y, exp(sub(finite(y), finite(out))))
    return out, add(share_x, share_y)


def _by_rule(primitive: Any) -> Callable[[Pair, Pair], Pair]:
    """The pair rule of an elementwise primitive of two operands, from its own derivative."""

    def pair_jvp(first: Pair, second: Pair) -> Pair:
        out: Pair = primitive.jvp((first[0], second[0]), (first[1], second[1]))
        return out

    return pair_jvp


cumsum_p = CumSum(
    "cumsum", _operation("add"), lambda dtype: 0, lambda x, axis: np.cumsum(x, axis, x.dtype), None, sums=True
)
cumprod_p = Cumulative(
    "cumprod",
    _operation("multiply"),
    lambda dtype: 1,
    lambda x, axis: np.cumprod(x, axis, x.dtype),
    _by_rule(mul_p),
    sums=True,
)
cummax_p = Cumulative("cummax", _extreme("maximum", "GT"), lowest, np.maximum.accumulate, _by_rule(max_p))
cummin_p = Cumulative("cummin", _extreme("minimum", "LT"), highest, np.minimum.accumulate, _by_rule(min_p))
cumlogsumexp_p = Cumulative(
    "cumlogsumexp", _lower_logaddexp, lowest, np.logaddexp.accumulate, _logaddexp_jvp, accepts=np.floating
)


def cumsum(operand: Any, axis: int = 0, reverse: bool = False) -> Any:
    """The running sum along an axis, from its end if ``reverse``.

    Float32 and narrower sums are carried in float64 on a CPU, so that rounding errors do not add up.

    >>> cumsum(np.array([1, 2, 3]))
    Array([1, 3, 6], dtype=int32)
    """
    return cumsum_p(operand, axis, reverse)


def cumprod(operand: Any, axis: int = 0, reverse: bool = False) -> Any:
    """The running product along an axis, from its end if ``reverse``.

    >>> cumprod(np.array([1, 2, 3]), reverse=True)
    Array([6, 6, 3], dtype=int32)
    """
    return cumprod_p(operand, axis, reverse)


def cummax(operand: Any, axis: int = 0, reverse: bool = False) -> Any:
    """The largest element so far along an axis, from its end if ``reverse``; NaN from the first NaN on.

    >>> cummax(np.array([1, 3, 2]))
    Array([1, 3, 3], dtype=int32)
    """
    return cummax_p(operand, axis, reverse)


def cummin(operand: Any, axis: int = 0, reverse: bool = False) -> Any:
    """The smallest element so far along an axis, from its end if ``reverse``; NaN from the first NaN on.

    >>> cummin(np.array([3, 1, 2]))
    Array([3, 1, 1], dtype=int32)
    """
    return cummin_p(operand, axis, reverse)


def cumlogsumexp(operand: Any, axis: int = 0, reverse: bool = False) -> Any:
    """The logarithm of the running sum of exponentials along an axis, from its end if ``reverse``.

    >>> cumlogsumexp(np.zeros(2, np.float32))
    Array([0.       , 0.6931472], dtype=float32)
    """
    return cumlogsumexp_p(operand, axis, reverse)
