"""Reductions that keep one element, or combine all: extremes, products, logic, and the places of extremes."""

from __future__ import annotations

import builtins
import math
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from jaxlab import dtypes
from jaxlab.core.aval import ShapedArray, Zero, aval_of, is_inexact
from jaxlab.core.primitive import Example, Primitive
from jaxlab.primitives.arithmetic import div, mul, mul_p
from jaxlab.primitives.broadcasting import batch_reduction, lower_reduction, reduce_sum, squeeze
from jaxlab.primitives.comparison import eq
from jaxlab.primitives.conversion import convert_element_type
from jaxlab.primitives.creation import full
from jaxlab.primitives.reshaping import F32, I32, check_axes, drop_axes, reshape
from jaxlab.primitives.slicing import pad, slice_in_dim

BOOL = np.dtype(np.bool_)


def lowest(dtype: Any) -> Any:
    """The value that is never chosen as a maximum: minus infinity, or the smallest integer."""
    if is_inexact(dtype):
        return complex(-math.inf, -math.inf) if dtype.kind == "c" else -math.inf
    return False if dtype == BOOL else int(dtypes.iinfo(dtype).min)


def highest(dtype: Any) -> Any:
    """The value that is never chosen as a minimum: infinity, or the largest integer."""
    if is_inexact(dtype):
        return complex(math.inf, math.inf) if dtype.kind == "c" else math.inf
    return True if dtype == BOOL else int(dtypes.iinfo(dtype).max)


def all_bits(dtype: Any) -> Any:
    """The value whose bits are all set."""
    return True if dtype == BOOL else -1 if dtype.kind == "i" else int(dtypes.iinfo(dtype).max)


class Reduction(Primitive):
    """A reduction by an associative operation of StableHLO, over static axes.

    Args:
      hlo: the operation.
      identity: from a dtype, the value with which it changes nothing.
      accepts: kinds of dtypes taken.
      keeps_weak: whether the result of a weakly typed operand is weakly typed.
    """

    def __init__(
        self,
        name: str,
        hlo: str,
        identity: Callable[[Any], Any],
        reference: Callable[..., Any],
        accepts: tuple[type, ...],
        keeps_weak: bool = True,
    ) -> None:
        self.hlo = hlo
        self.identity = identity
        self.numpy = reference
        self.kinds = accepts
        self.keeps_weak = keeps_weak
        super().__init__(name)

    def abstract_eval(self, x: Any, *, axes: Any) -> ShapedArray:
        check_axes(self.name, x, axes)
        if not builtins.any(dtypes.issubdtype(x.dtype, kind) for kind in self.kinds):
            kinds = " and ".join(kind.__name__ for kind in self.kinds)
            raise TypeError(
                f"{self.name} does not accept dtype {dtypes.short_name(x.dtype)}; it accepts {kinds} dtypes: "
                f"convert "
                "the operand first"
            )
        return ShapedArray(drop_axes(x.shape, axes), x.dtype, x.weak_type and self.keeps_weak)

    def lower(self, ctx: Any, x: Any, *, axes: Any) -> Any:
        return lower_reduction(ctx, x, axes, self.hlo, self.identity(ctx.aval_out.dtype))

    def jvp(self, primals: Sequence[Any], tangents: Sequence[Any], *, axes: Any) -> tuple[Any, Any]:
        out = self.bind(*primals, axes=axes)
        return out, Zero(aval_of(out).to_tangent_aval())

    def batch(self, size: int, args: Any, dims: Any, *, axes: Any) -> Any:
        return batch_reduction(self, args, dims, axes=axes)

    def reference(self, x: Any, *, axes: Any) -> Any:
        return self.numpy(x, axis=axes, initial=x.dtype.type(self.identity(x.dtype)), dtype=x.dtype)

    def examples(self) -> Iterable[Example]:
        dtype = I32 if np.integer in self.kinds else F32
        for shape, axes in (((2, 3, 4), (0, 2)), ((3,), (0,)), ((5, 2), (0,)), ((2, 3), (1,)), ((2, 3), ())):
            yield Example((ShapedArray(shape, dtype),), {"axes": axes})
        yield Example((ShapedArray((0, 3), dtype),), {"axes": (0,)}, differentiate=False)
        other = BOOL if BOOL.type in self.kinds else I32
        yield Example((ShapedArray((2, 3), other),), {"axes": (1,)}, differentiate=False)


# -- extremes ------------------------------------------------------------------------------------------------


class Extreme(Reduction):
    """Maximum or minimum; equal extreme elements share the derivative."""

    def lower(self, ctx: Any, x: Any, *, axes: Any) -> Any:
        aval = ctx.aval_out
        if aval.dtype.kind == "c":
            return self._lower_complex(ctx, x, axes)
        return lower_reduction(ctx, x, axes, self.hlo, self.identity(aval.dtype))

    def _lower_complex(self, ctx: Any, x: Any, axes: Any) -> Any:
        """By real part, then by imaginary part; StableHLO orders no complex numbers."""
        b, aval = ctx.b, ctx.aval_out
        part = np.zeros((), aval.dtype).real.dtype
        real, scalar = b.tensor((), part), b.tensor((), aval.dtype)
        bit = b.tensor((), BOOL)
        start = b.constant(self.identity(aval.dtype), aval.dtype)
        reduce = b.op("stablehlo.reduce", [b.type(aval)], [x, start], {"dimensions": b.i64s(axes)}, regions=1)
        body, (left, right) = b.block(reduce.regions[0], [scalar, scalar])
        parts = [
            (body.value(f"stablehlo.{f}", real, left), body.value(f"stablehlo.{f}", real, right))
            for f in ("real", "imag")
        ]
        way = "GT" if self.hlo == "stablehlo.maximum" else "LT"
        first, second = [body.compare(p, q, way, part, ()) for p, q in parts]
        equal = body.compare(*parts[0], "EQ", part, ())
        chosen = body.value("stablehlo.or", bit, first, body.value("stablehlo.and", bit, equal, second))
        body.end([body.value("stablehlo.select", scalar, chosen, left, right)])
        return reduce.result

    def jvp(self, primals: Sequence[Any], tangents: Sequence[Any], *, axes: Any) -> tuple[Any, Any]:
        (x,), (t,) = primals, tangents
        out = self.bind(x, axes=axes)
        aval = aval_of(x)
        if type(t) is Zero:
            return out, Zero(aval_of(out).to_tangent_aval())
        kept = tuple([1 if i in axes else size for i, size in enumerate(aval.shape)])
        places = convert_element_type(eq(x, reshape(out, kept)), aval.dtype)
        count = reduce_sum(places, axes)
        return out, div(reduce_sum(mul(t, places), axes), count)


reduce_max_p = Extreme(
    "reduce_max",
    "stablehlo.maximum",
    lowest,
    lambda x, axis, initial, dtype: np.max(x, axis, initial=initial),
    (np.number, np.bool_),
)
reduce_min_p = Extreme(
    "reduce_min",
    "stablehlo.minimum",
    highest,
    lambda x, axis, initial, dtype: np.min(x, axis, initial=initial),
    (np.number, np.bool_),
)


def reduce_max(operand: Any, axes: Sequence[int]) -> Any:
    """The largest element along ``axes``, which disappear; NaN if there is one.

    >>> reduce_max(np.arange(6).reshape(2, 3), (1,))
    Array([2, 5], dtype=int32)
    """
    return reduce_max_p.bind(operand, axes=tuple(axes))


def reduce_min(operand: Any, axes: Sequence[int]) -> Any:
    """The smallest element along ``axes``, which disappear; NaN if there is one.

    >>> reduce_min(np.arange(6).reshape(2, 3), (1,))
    Array([0, 3], dtype=int32)
    """
    return reduce_min_p.bind(operand, axes=tuple(axes))


# -- product -------------------------------------------------------------------------------------------------


class ReduceProd(Reduction):
    def jvp(self, primals: Sequence[Any], tangents: Sequence[Any], *, axes: Any) -> tuple[Any, Any]:
        if type(tangents[0]) is Zero:
            return super().jvp(primals, tangents, axes=axes)
        return halving_jvp(primals[0], tangents[0], axes)


def halving_jvp(x: Any, t: Any, axes: Sequence[int]) -> tuple[Any, Any]:
    """A product and its tangent, halves multiplied by halves; nothing is divided, so zeros do no harm."""
    aval = aval_of(x)
    kept = [i for i in range(len(aval.shape)) if i not in axes]
    sizes = tuple([aval.shape[i] for i in kept])
    count = math.prod(aval.shape[i] for i in axes)
    if count == 0:
        return full(sizes, 1, aval.dtype), full(sizes, 0, aval.dtype)
    order = (*axes, *kept)
    x, t = [reshape(v, (count, *sizes), order) for v in (x, t)]
    while count > 1:
        half, rest = (count + 1) // 2, count // 2
        x_1, t_1 = [slice_in_dim(v, 0, half) for v in (x, t)]
        x_2, t_2 = [slice_in_dim(v, half, count) for v in (x, t)]
        if rest != half:
            config = ((0, 1, 0), *[(0, 0, 0)] * len(sizes))
            x_2, t_2 = [pad(v, np.asarray(fill, aval.dtype)[()], config) for v, fill in ((x_2, 1), (t_2, 0))]
        x, t = mul_p.jvp((x_1, x_2), (t_1, t_2))
        count = half
    return squeeze(x, (0,)), squeeze(t, (0,))


reduce_prod_p = ReduceProd("reduce_prod", "stablehlo.multiply", lambda dtype: 1, np.prod, (np.number,))


def reduce_prod(operand: Any, axes: Sequence[int]) -> Any:
    """The product along ``axes``, which disappear.

    >>> reduce_prod(np.arange(1, 5), (0,))
    Array(24, dtype=int32)
    """
    return reduce_prod_p.bind(operand, axes=tuple(axes))


# -- logic ---------------------------------------------------------------------------------------------------


def _logical(name: str, hlo: str, identity: Callable[[Any], Any], ufunc: np.ufunc) -> Reduction:
    def reference(x: Any, axis: Any, initial: Any, dtype: Any) -> Any:
        return ufunc.reduce(x, axis, initial=initial, dtype=dtype)

    return Reduction(name, hlo, identity, reference, (np.integer, np.bool_), keeps_weak=False)


reduce_and_p = _logical("reduce_and", "stablehlo.and", all_bits, np.bitwise_and)
reduce_or_p = _logical("reduce_or", "stablehlo.or", lambda dtype: 0, np.bitwise_or)
reduce_xor_p = _logical("reduce_xor", "stablehlo.xor", lambda dtype: 0, np.bitwise_xor)


def reduce_and(operand: Any, axes: Sequence[int]) -> Any:
    """The bitwise "and" along ``axes``, which disappear; for truth values whether all are true.

    >>> reduce_and(np.array([True, False]), (0,))
    Array(False, dtype=bool)
    """
    return reduce_and_p.bind(operand, axes=tuple(axes))


def reduce_or(operand: Any, axes: Sequence[int]) -> Any:
    """The bitwise "or" along ``axes``, which disappear; for truth values whether any is true.

    >>> reduce_or(np.array([True, False]), (0,))
    Array(True, dtype=bool)
    """
    return reduce_or_p.bind(operand, axes=tuple(axes))


def reduce_xor(operand: Any, axes: Sequence[int]) -> Any:
    """The bitwise "exclusive or" along ``axes``, which disappear; whether an odd number is true.

    >>> reduce_xor(np.array([1, 3]), (0,))
    Array(2, dtype=int32)
    """
    return reduce_xor_p.bind(operand, axes=tuple(axes))
