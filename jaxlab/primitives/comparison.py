"""Comparison of numbers, and choice by truth values: eq … ge, is_finite, select_n, clamp."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from jaxlab.core.aval import ShapedArray, Zero, aval_of, is_undefined
from jaxlab.core.primitive import Example, Primitive
from jaxlab.primitives.broadcasting import (
    F32,
    I32,
    broadcast_axis,
    broadcast_in_dim,
    broadcast_to,
    move_axis,
    zero_ct,
)
from jaxlab.primitives.elementwise import (
    ANY,
    FLOAT,
    ORDERED,
    Accepted,
    Elementwise,
    Kinds,
    add_any,
    broadcast_operand,
    full_like,
)
from jaxlab.primitives.logic import bitwise_and

BOOL = np.dtype(np.bool_)
_ordered = Accepted(ORDERED)


def _bool(dtype: Any) -> Any:
    return BOOL


def _comparison(name: str, direction: str, reference: Any, accepts: Kinds) -> Elementwise:
    def lower(ctx: Any, x: Any, y: Any) -> Any:
        return ctx.b.compare(x, y, direction, ctx.avals_in[0].dtype, ctx.aval_out.shape)

    return Elementwise(
        name,
        None,
        reference,
        [None, None],
        accepts=accepts,
        result=_bool,
        lower=lower,
        samples=[_SMALL_INTEGERS],
    )


_SMALL_INTEGERS = Example((np.array([1, 2, 3], np.int32), np.array([3, 2, 1], np.int32)))

eq_p = _comparison("eq", "EQ", np.equal, ANY)
ne_p = _comparison("ne", "NE", np.not_equal, ANY)
lt_p = _comparison("lt", "LT", np.less, ORDERED)
le_p = _comparison("le", "LE", np.less_equal, ORDERED)
gt_p = _comparison("gt", "GT", np.greater, ORDERED)
ge_p = _comparison("ge", "GE", np.greater_equal, ORDERED)


def eq(x: Any, y: Any) -> Any:
    """Whether ``x == y``, elementwise; False where one is NaN.

    >>> eq(np.int32(1), np.int32(1))
    Array(True, dtype=bool)
    """
    return eq_p.bind(x, y)


def ne(x: Any, y: Any) -> Any:
    """Whether ``x != y``, elementwise; True where one is NaN.

    >>> ne(np.int32(1), np.int32(1))
    Array(False, dtype=bool)
    """
    return ne_p.bind(x, y)


def lt(x: Any, y: Any) -> Any:
    """Whether ``x < y``, elementwise, for real numbers and truth values; False where one is NaN.

    >>> lt(np.int32(1), np.int32(2))
    Array(True, dtype=bool)
    """
    return lt_p.bind(x, y)


def le(x: Any, y: Any) -> Any:
    """Whether ``x <= y``, elementwise, for real numbers and truth values; False where one is NaN.

    >>> le(np.int32(2), np.int32(2))
    Array(True, dtype=bool)
    """
    return le_p.bind(x, y)


def gt(x: Any, y: Any) -> Any:
    """Whether ``x > y``, elementwise, for real numbers and truth values; False where one is NaN.

    >>> gt(np.int32(1), np.int32(2))
    Array(False, dtype=bool)
    """
    return gt_p.bind(x, y)


def ge(x: Any, y: Any) -> Any:
    """Whether ``x >= y``, elementwise, for real numbers and truth values; False where one is NaN.

    >>> ge(np.int32(1), np.int32(2))
    Array(False, dtype=bool)
    """
    return ge_p.bind(x, y)


def is_finite(x: Any) -> Any:
    """Whether each number is neither infinite nor NaN.

    >>> is_finite(np.float32(np.inf))
    Array(False, dtype=bool)
    """
    return is_finite_p.bind(x)


is_finite_p = Elementwise(
    "is_finite", "stablehlo.is_finite", np.isfinite, [None], accepts=FLOAT, result=_bool
)


def select(pred: Any, on_true: Any, on_false: Any) -> Any:
    """``on_true`` where ``pred``, else ``on_false``; ``pred`` is a scalar or of the shape of both.

    >>> select(True, np.float32(1), np.float32(2))
    Array(1., dtype=float32)
    """
    return select_n_p.bind(pred, on_false, on_true)


def select_n(which: Any, *cases: Any) -> Any:
    """From several arrays of one type, at each place the one whose number ``which`` tells.

    Args:
      which: int32 from 0 to the number of cases, or bool for two; a scalar, or of the shape of the cases.
      cases: arrays of one shape and dtype.

    >>> select_n(np.array([True, False]), np.array([1, 2]), np.array([3, 4]))
    Array([3, 2], dtype=int32)
    """
    if not cases:
        raise ValueError("select_n: no cases were given, but at least one is needed")
    return select_n_p.bind(which, *cases)


class SelectN(Primitive):
    """Linear in the cases, taken together."""

    name = "select_n"
    linear_in = tuple(range(1, 64))

    def abstract_eval(self, which: Any, *cases: Any) -> ShapedArray:
        first = cases[0]
        weak = first.weak_type
        for case in cases[1:]:
            if case.dtype != first.dtype:
                raise TypeError(
                    "lax.select requires arguments to have the same dtypes, got "
                    f"{', '.join(c.dtype.name for c in cases)}; convert one of them, or use "
                    "jaxlab.numpy.where, which promotes dtypes"
                )
            if case.shape != first.shape:
                raise TypeError(
                    f"select cases must have the same shapes, got {[c.shape for c in cases]}; broadcast "
                    "them first, or use jaxlab.numpy.where"
                )
            weak = weak and case.weak_type
        if which.shape and which.shape != first.shape:
            raise TypeError(
                "select `which` must be scalar or have the same shape as cases, got `which` shape "
                f"{which.shape} but case shape {first.shape}"
            )
        if which.dtype != BOOL and which.dtype != I32:
            raise TypeError(f"select `which` must be boolean or int32, got {which.dtype.name}; convert it")
        if which.dtype == BOOL and len(cases) > 2:
            raise TypeError(
                f"select with boolean `which` takes at most two cases, got {len(cases)}; use int32"
            )
        if weak is first.weak_type:
            return first  # type: ignore[no-any-return]
        return ShapedArray(first.shape, first.dtype, weak)

    def lower(self, ctx: Any, which: Any, *cases: Any) -> Any:
        b, aval, which_aval = ctx.b, ctx.aval_out, ctx.avals_in[0]
        if len(cases) == 1:
            return cases[0]
        full = aval.shape if isinstance(aval.dtype, np.dtype) else aval.shape + aval.dtype.key_shape
        # Select wants a predicate for each word of a key, or one for all.
        if (which_aval.shape and which_aval.shape != full) or (
            not which_aval.shape and which_aval.dtype == I32 and full
        ):
            dims = tuple(range(len(which_aval.shape)))
            which = b.broadcast(which, full, which_aval.dtype, dims)
            which_aval = ShapedArray(full, which_aval.dtype)
        if which_aval.dtype == BOOL:
            return b.value("stablehlo.select", b.type(aval), which, cases[1], cases[0])
        # A comparison halves the cases: log2(n) selects lie between a case and the result.
        return self._search(b, aval, which, which_aval, 0, cases)

    def _search(
        self, b: Any, aval: Any, which: Any, which_aval: Any, start: int, cases: Sequence[Any]
    ) -> Any:
        if len(cases) == 1:
            return cases[0]
        middle = len(cases) // 2
        bound = b.full(start + middle, which_aval)
        below = b.compare(which, bound, "LT", I32, which_aval.shape)
        low = self._search(b, aval, which, which_aval, start, cases[:middle])
        high = self._search(b, aval, which, which_aval, start + middle, cases[middle:])
        return b.value("stablehlo.select", b.type(aval), below, low, high)

    def jvp(self, primals: Sequence[Any], tangents: Sequence[Any]) -> tuple[Any, Any]:
        which, *cases = primals
        out = self.bind(which, *cases)
        if all(type(t) is Zero for t in tangents[1:]):
            return out, Zero(aval_of(out).to_tangent_aval())
        zeros = full_like(cases[0], 0)
        return out, self.bind(which, *[zeros if type(t) is Zero else t for t in tangents[1:]])

    def transpose(self, ct: Any, which: Any, *cases: Any) -> Sequence[Any]:
        if zero_ct(ct):
            return [None] * (1 + len(cases))
        zeros = full_like(ct, 0)
        return [None] + [
            self.bind(which, *[ct if i == j else zeros for j in range(len(cases))])
            if is_undefined(case)
            else None
            for i, case in enumerate(cases)
        ]

    def batch(self, size: int, args: Sequence[Any], dims: Sequence[int | None]) -> tuple[Any, int]:
        (which, *cases), (dim, *case_dims) = args, dims
        mapped = next(((x, d) for x, d in zip(cases, case_dims, strict=True) if d is not None), None)
        same_place = mapped is not None and all(d == mapped[1] for d in case_dims)
        if same_place and mapped is not None:
            scalar = dim is None and not aval_of(which).shape
            if scalar or (dim == mapped[1] and aval_of(which).shape == aval_of(mapped[0]).shape):
                return self.bind(which, *cases), mapped[1]  # type: ignore[return-value]
        placed = [
            broadcast_axis(x, size, 0) if d is None else move_axis(x, d, 0)
            for x, d in zip(cases, case_dims, strict=True)
        ]
        shape = aval_of(placed[0]).shape
        if dim is not None:
            which = move_axis(which, dim, 0)
            if aval_of(which).shape != shape:
                which = broadcast_in_dim(which, shape, (0,))
        elif aval_of(which).shape:
            which = broadcast_axis(which, size, 0)
        return self.bind(which, *placed), 0

    def reference(self, which: Any, *cases: Any) -> Any:
        index = np.clip(np.broadcast_to(which, cases[0].shape).astype(np.int64), 0, len(cases) - 1)
        return np.take_along_axis(np.stack(cases), index[None], 0)[0]

    def examples(self) -> Iterable[Example]:
        aval = ShapedArray((2, 3), F32)
        yield Example((ShapedArray((2, 3), BOOL), aval, aval))
        yield Example((np.bool_(True), aval, aval))
        yield Example((np.array([0, 2, 1, -1, 7], np.int32), *(ShapedArray((5,), F32),) * 3))
        yield Example((np.int32(1), *(ShapedArray((2,), F32),) * 4))
        yield Example((np.array([0, 0], np.int32), ShapedArray((2,), F32)))
        yield Example((ShapedArray((3,), BOOL), *(ShapedArray((3,), np.dtype(np.complex64)),) * 2))
        yield Example((ShapedArray((3,), BOOL), *(ShapedArray((3,), I32),) * 2))


select_n_p = SelectN()


def clamp(min: Any, x: Any, max: Any) -> Any:
    """``x`` brought into the interval from ``min`` to ``max``, which are scalars or of its shape; NaN stays.

    >>> clamp(np.float32(0), np.array([-1, 0.5, 2], np.float32), np.float32(1))
    Array([0. , 0.5, 1. ], dtype=float32)
    """
    return clamp_p.bind(min, x, max)


class Clamp(Primitive):
    """The tangent of each operand passes where that operand is the result."""

    name = "clamp"

    def abstract_eval(self, low: Any, x: Any, high: Any) -> ShapedArray:
        if low.dtype != x.dtype or high.dtype != x.dtype:
            raise TypeError(
                f"lax.clamp requires arguments to have the same dtypes, got {low.dtype.name}, "
                f"{x.dtype.name}, {high.dtype.name}; convert them, or use jaxlab.numpy.clip, which promotes "
                "dtypes"
            )
        for name, bound in (("min", low), ("max", high)):
            if bound.shape and bound.shape != x.shape:
                raise TypeError(
                    f"clamp requires {name}.shape == operand.shape or {name}.shape == (), got "
                    f"{name}.shape={bound.shape}, operand.shape={x.shape}"
                )
        if not _ordered[x.dtype]:
            raise TypeError(
                f"clamp does not accept dtype {x.dtype.name}; it takes real numbers and truth values"
            )
        weak = low.weak_type and x.weak_type and high.weak_type
        if weak is x.weak_type:
            return x  # type: ignore[no-any-return]
        return ShapedArray(x.shape, x.dtype, weak)

    def lower(self, ctx: Any, low: Any, x: Any, high: Any) -> Any:
        b, aval = ctx.b, ctx.aval_out
        low, high = (
            broadcast_operand(b, bound, a, aval.shape)
            for bound, a in ((low, ctx.avals_in[0]), (high, ctx.avals_in[2]))
        )
        return b.value("stablehlo.clamp", b.type(aval), low, x, high)

    def jvp(self, primals: Sequence[Any], tangents: Sequence[Any]) -> tuple[Any, Any]:
        low, x, high = primals
        t_low, t_x, t_high = tangents
        out = self.bind(low, x, high)
        shape = aval_of(out).shape

        def share(passes: Any, t: Any) -> Any:
            return select(broadcast_to(passes, shape), broadcast_to(t, shape), full_like(out, 0))

        shares = []
        if type(t_low) is not Zero:
            shares.append(share(bitwise_and(gt(low, x), lt(low, high)), t_low))
        if type(t_x) is not Zero:
            shares.append(share(bitwise_and(gt(x, low), lt(x, high)), t_x))
        if type(t_high) is not Zero:
            shares.append(share(lt(high, x), t_high))
        if not shares:
            return out, Zero(aval_of(out).to_tangent_aval())
        return out, functools.reduce(add_any, shares)

    def batch(self, size: int, args: Sequence[Any], dims: Sequence[int | None]) -> tuple[Any, int]:
        (low, x, high), (low_dim, x_dim, high_dim) = args, dims
        shapes = [aval_of(a).shape for a in args]
        if x_dim is not None and all(
            (d is None and not s) or (d == x_dim and s == shapes[1])
            for s, d in ((shapes[0], low_dim), (shapes[2], high_dim))
        ):
            return self.bind(low, x, high), x_dim
        shape = (size, *(shapes[1] if x_dim is None else shapes[1][:x_dim] + shapes[1][x_dim + 1 :]))

        def place(y: Any, d: int | None) -> Any:
            if d is not None:
                y = move_axis(y, d, 0)
                return y if aval_of(y).shape == shape else broadcast_in_dim(y, shape, (0,))
            return broadcast_axis(y, size, 0) if aval_of(y).shape else broadcast_in_dim(y, shape, ())

        bounds = {0: (low, low_dim), 2: (high, high_dim)}
        full = {i: place(y, d) for i, (y, d) in bounds.items() if len(shapes[i]) - (d is not None) > 0}
        x = place(x, x_dim)
        low, high = (full[i] if i in full else place(*bounds[i]) for i in bounds)
        return self.bind(low, x, high), 0

    def reference(self, low: Any, x: Any, high: Any) -> Any:
        return np.minimum(np.maximum(x, low), high)

    def examples(self) -> Iterable[Example]:
        x = np.array([[-2.0, 0.3, 0.7], [0.1, 5.0, 0.5]], np.float32)
        low, high = np.float32(0.2), np.float32(0.6)
        yield Example((low, x, high))
        yield Example((np.full_like(x, 0.2), x, np.linspace(0.4, 0.65, 6, dtype=np.float32).reshape(2, 3)))
        yield Example((low, x[0], np.full(3, 0.6, np.float32)))
        yield Example((low, np.float32(0.4), high))
        yield Example((np.int32(-1), ShapedArray((4,), I32), np.int32(2)))
        yield Example((low, np.array([np.nan, np.inf, -np.inf], np.float32), high), differentiate=False)


clamp_p = Clamp()
