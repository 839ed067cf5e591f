"""Arrays side by side along a new axis: stack, and its adjoint unstack; and copies along an axis: tile."""

from __future__ import annotations

import operator
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from jaxlab.core.aval import ShapedArray, Zero, aval_of, is_undefined
from jaxlab.core.primitive import Example, Primitive
from jaxlab.primitives.broadcasting import (
    F32,
    I32,
    Linear,
    broadcast_axis,
    instantiate,
    move_axis,
    reduce_sum,
    zero_ct,
)
from jaxlab.primitives.reshaping import canonical_axis, drop_axes, insert, physical, reshape, word_shape


def stack(operands: Sequence[Any], axis: int = 0) -> Any:
    """``operands``, which agree in shape and dtype, side by side along a new ``axis`` of the result.

    Raises ValueError where there are none, or they differ in shape, TypeError where they differ in dtype.

    >>> stack([np.zeros(3, np.float32), np.ones(3, np.float32)], 1).shape
    (3, 2)
    """
    operands = list(operands)
    if not operands:
        raise ValueError("stack: no arrays were given, but at least one is needed")
    axis = canonical_axis("stack", operator.index(axis), len(aval_of(operands[0]).shape) + 1)
    return stack_p.bind(*operands, axis=axis)


class Stack(Primitive):
    name = "stack"
    additive = True

    def abstract_eval(self, *avals: Any, axis: Any) -> ShapedArray:
        first = avals[0]
        if any(aval.shape != first.shape for aval in avals):
            shapes = ", ".join(str(aval.shape) for aval in avals)
            raise ValueError(f"stack: arrays of shapes {shapes} were given, but all must have the same shape")
        if any(aval.dtype != first.dtype for aval in avals):
            given = ", ".join(aval.dtype.name for aval in avals)
            raise TypeError(
                f"stack: arrays of dtypes {given} were given, but all must have the same dtype; use "
                "jaxlab.numpy.stack, which promotes dtypes"
            )
        shape = insert(first.shape, axis, len(avals))
        return ShapedArray(shape, first.dtype, all(aval.weak_type for aval in avals))

    def lower(self, ctx: Any, *operands: Any, axis: Any) -> Any:
        b = ctx.b
        aval = ctx.avals_in[0]
        row = b.type(ShapedArray(insert(aval.shape, axis, 1), aval.dtype))
        rows = [b.value("stablehlo.reshape", row, x) for x in operands]
        return b.value("stablehlo.concatenate", b.type(ctx.aval_out), *rows, dimension=b.i64(axis))

    def jvp(self, primals: Sequence[Any], tangents: Sequence[Any], *, axis: Any) -> tuple[Any, Any]:
        out = stack_p.bind(*primals, axis=axis)
        if all(type(t) is Zero for t in tangents):
            return out, Zero(aval_of(out).to_tangent_aval())
        return out, stack_p.bind(*map(instantiate, tangents), axis=axis)

    def transpose(self, ct: Any, *operands: Any, axis: Any) -> Any:
        if zero_ct(ct):
            return [None] * len(operands)
        return [
            part if is_undefined(x) else None for part, x in zip(unstack(ct, axis), operands, strict=True)
        ]

    def batch(self, size: int, args: Any, dims: Any, *, axis: Any) -> Any:
        moved = [
            broadcast_axis(x, size, 0) if dim is None else move_axis(x, dim, 0)
            for x, dim in zip(args, dims, strict=True)
        ]
        return stack(moved, axis + 1), 0

    def reference(self, *arrays: Any, axis: Any) -> Any:
        return np.stack(arrays, axis)

    def examples(self) -> Iterable[Example]:
        for shape, count, axis in (((2, 3), 2, 1), ((), 3, 0), ((3,), 1, 1), ((2, 0), 2, 2)):
            yield Example((ShapedArray(shape, F32),) * count, {"axis": axis})
        yield Example((ShapedArray((2,), I32),) * 2, {"axis": 0}, differentiate=False)


stack_p = Stack()


def unstack(x: Any, axis: int = 0) -> tuple[Any, ...]:
    """The slices of ``x`` along ``axis``, which they are without.

    Raises ValueError where there is no such axis.

    >>> [part.shape for part in unstack(np.zeros((2, 3), np.float32))]
    [(3,), (3,)]
    """
    return tuple(unstack_p.bind(x, axis=canonical_axis("unstack", axis, len(aval_of(x).shape))))


class Unstack(Primitive):
    name, multiple_results, linear_in = "unstack", True, (0,)

    def abstract_eval(self, x: Any, *, axis: Any) -> list[ShapedArray]:
        return [ShapedArray(drop_axes(x.shape, (axis,)), x.dtype, x.weak_type)] * x.shape[axis]

    def lower(self, ctx: Any, x: Any, *, axis: Any) -> list[Any]:
        b, (aval,) = ctx.b, ctx.avals_in
        words = word_shape(aval.dtype)
        row = b.type(ShapedArray(insert(drop_axes(aval.shape, (axis,)), axis, 1), aval.dtype))
        full = physical(aval).shape
        rows = []
        for i, out in enumerate(ctx.avals_out):
            start = insert((0,) * (len(full) - 1), axis, i)
            limit = insert(drop_axes(aval.shape, (axis,)), axis, i + 1) + words
            piece = b.value(
                "stablehlo.slice",
                row,
                x,
                start_indices=b.i64s(start),
                limit_indices=b.i64s(limit),
                strides=b.i64s((1,) * len(full)),
            )
            rows.append(b.value("stablehlo.reshape", b.type(out), piece))
        return rows

    def jvp(self, primals: Sequence[Any], tangents: Sequence[Any], *, axis: Any) -> tuple[Any, Any]:
        (x,), (t,) = primals, tangents
        out = unstack_p.bind(x, axis=axis)
        if type(t) is Zero:
            return out, [Zero(aval_of(part).to_tangent_aval()) for part in out]
        return out, unstack_p.bind(t, axis=axis)

    def transpose(self, ct: Any, x: Any, *, axis: Any) -> Any:
        if all(map(zero_ct, ct)):
            return [None]
        return [stack([instantiate(c) for c in ct], axis)]

    def batch(self, size: int, args: Any, dims: Any, *, axis: Any) -> Any:
        (x,), (dim,) = args, dims
        inner = axis + (dim <= axis)
        parts = unstack_p.bind(x, axis=inner)
        return parts, [dim - (inner < dim)] * len(parts)

    def reference(self, x: Any, *, axis: Any) -> Any:
        return list(np.moveaxis(x, axis, 0))

    def examples(self) -> Iterable[Example]:
        for shape, axis in (((2, 3), 1), ((3,), 0), ((1, 0, 2), 0)):
            yield Example((ShapedArray(shape, F32),), {"axis": axis})


unstack_p = Unstack()


def tile(operand: Any, reps: Sequence[int]) -> Any:
    """``operand`` repeated ``reps`` times along each of its axes.

    Raises TypeError where there is not one number for each axis, ValueError where one is negative.

    >>> tile(np.arange(2), (2,))
    Array([0, 1, 0, 1], dtype=int32)
    """
    return tile_p.bind(operand, reps=tuple([operator.index(r) for r in reps]))


class Tile(Linear):
    name = "tile"

    def abstract_eval(self, x: Any, *, reps: Any) -> ShapedArray:
        if len(reps) != len(x.shape):
            raise TypeError(
                f"tile: reps {reps} has {len(reps)} entries, but the operand {x.str_short()} has "
                f"{len(x.shape)} axes"
            )
        if any(count < 0 for count in reps):
            raise ValueError(f"tile: reps {reps} was given, but every count must be 0 or more")
        shape = tuple(size * count for size, count in zip(x.shape, reps, strict=True))
        return ShapedArray(shape, x.dtype, x.weak_type)

    def lower(self, ctx: Any, x: Any, *, reps: Any) -> Any:
        b, (aval,) = ctx.b, ctx.avals_in
        both = [n for pair in zip(reps, aval.shape, strict=True) for n in pair]
        words = word_shape(aval.dtype)
        own = (*range(1, len(both), 2), *range(len(both), len(both) + len(words)))
        repeated = b.broadcast(x, (*both, *words), physical(aval).dtype, own)
        return b.value("stablehlo.reshape", b.type(ctx.aval_out), repeated)

    def transpose(self, ct: Any, x: Any, *, reps: Any) -> Any:
        if zero_ct(ct):
            return [None]
        both = [n for pair in zip(reps, x.aval.shape, strict=True) for n in pair]
        return [reduce_sum(reshape(ct, both), range(0, len(both), 2))]

    def batch(self, size: int, args: Any, dims: Any, *, reps: Any) -> Any:
        (x,), (dim,) = args, dims
        return tile(x, insert(reps, dim, 1)), dim

    def reference(self, x: Any, *, reps: Any) -> Any:
        return np.tile(x, reps)

    def examples(self) -> Iterable[Example]:
        for shape, reps in (((2, 3), (2, 3)), ((3,), (1,)), ((), ()), ((2,), (0,)), ((0, 2), (2, 2))):
            yield Example((ShapedArray(shape, F32),), {"reps": reps})


tile_p = Tile()
