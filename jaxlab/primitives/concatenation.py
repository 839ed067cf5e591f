"""Arrays end to end: concatenate and its adjoint split; and rev, which turns them round."""

from __future__ import annotations

import operator
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from jaxlab.core.aval import ShapedArray, Zero, aval_of, is_undefined
from jaxlab.core.primitive import Example, Primitive
from jaxlab.primitives.broadcasting import F32, I32, Linear, broadcast_axis, instantiate, move_axis, zero_ct
from jaxlab.primitives.reshaping import canonical_axis, insert, physical

# -- concatenate and split ----------------------------------------------------------------------------------


def concatenate(operands: Sequence[Any], dimension: int) -> Any:
    """``operands`` one after another along an axis; they agree in dtype and in all other axes.

    Raises ValueError where there are none, TypeError where they do not fit together.

    >>> concatenate([np.zeros((2, 3), np.float32), np.ones((1, 3), np.float32)], 0).shape
    (3, 3)
    """
    operands = list(operands)
    if not operands:
        raise ValueError("concatenate: no arrays were given, but at least one is needed")
    if len(operands) == 1 and 0 <= dimension < len(aval_of(operands[0]).shape):
        return operands[0]
    return concatenate_p.bind(*operands, dimension=operator.index(dimension))


class Concatenate(Primitive):
    name = "concatenate"
    additive = True

    def abstract_eval(self, *avals: Any, dimension: Any) -> ShapedArray:
        first = avals[0]
        shapes = ", ".join(str(aval.shape) for aval in avals)
        if any(len(aval.shape) != len(first.shape) for aval in avals):
            raise TypeError(
                f"concatenate: arrays of shapes {shapes} were given, but all must have as many axes"
            )
        if not 0 <= dimension < len(first.shape):
            raise TypeError(
                f"concatenate: dimension {dimension} is out of bounds for arrays of shapes {shapes}"
            )
        rest = [
            insert(aval.shape[:dimension] + aval.shape[dimension + 1 :], dimension, None) for aval in avals
        ]
        if any(shape != rest[0] for shape in rest):
            raise TypeError(
                f"concatenate: arrays of shapes {shapes} were given, but they may differ in axis {dimension}"
                " alone"
            )
        if any(aval.dtype != first.dtype for aval in avals):
            raise TypeError(
                "lax.concatenate requires arguments to have the same dtypes, but got"
                f" {', '.join(aval.dtype.name for aval in avals)}; use jaxlab.numpy.concatenate, which"
                " promotes dtypes"
            )
        total = sum(aval.shape[dimension] for aval in avals)
        shape = (*first.shape[:dimension], total, *first.shape[dimension + 1 :])
        return ShapedArray(shape, first.dtype, all(aval.weak_type for aval in avals))

    def lower(self, ctx: Any, *operands: Any, dimension: Any) -> Any:
        b = ctx.b
        return b.value("stablehlo.concatenate", b.type(ctx.aval_out), *operands, dimension=b.i64(dimension))

    def jvp(self, primals: Sequence[Any], tangents: Sequence[Any], *, dimension: Any) -> tuple[Any, Any]:
        out = concatenate_p.bind(*primals, dimension=dimension)
        if all(type(t) is Zero for t in tangents):
            return out, Zero(aval_of(out).to_tangent_aval())
        return out, concatenate_p.bind(*map(instantiate, tangents), dimension=dimension)

    def transpose(self, ct: Any, *operands: Any, dimension: Any) -> Any:
        if zero_ct(ct):
            return [None] * len(operands)
        sizes = [(x.aval if is_undefined(x) else aval_of(x)).shape[dimension] for x in operands]
        parts = split(ct, sizes, dimension)
        return [part if is_undefined(x) else None for part, x in zip(parts, operands, strict=True)]

    def batch(self, size: int, args: Any, dims: Any, *, dimension: Any) -> Any:
        moved = [
            broadcast_axis(x, size, 0) if dim is None else move_axis(x, dim, 0)
            for x, dim in zip(args, dims, strict=True)
        ]
        return concatenate(moved, dimension + 1), 0

    def reference(self, *arrays: Any, dimension: Any) -> Any:
        return np.concatenate(arrays, dimension)

    def examples(self) -> Iterable[Example]:
        for shapes, dimension in ((((2, 3), (1, 3)), 0), (((2, 1), (2, 3), (2, 0)), 1), (((3,), (3,)), 0)):
            yield Example(tuple(ShapedArray(shape, F32) for shape in shapes), {"dimension": dimension})
        yield Example((ShapedArray((2,), I32),) * 2, {"dimension": 0}, differentiate=False)


concatenate_p = Concatenate()


def split(operand: Any, sizes: Sequence[int], axis: int = 0) -> list[Any]:
    """``operand`` cut along ``axis`` into parts of ``sizes``, which must add up to its size.

    Raises ValueError where they do not, or where the axis is out of bounds.

    >>> [part.shape for part in split(np.zeros((5, 2), np.float32), (2, 3))]
    [(2, 2), (3, 2)]
    """
    axis = canonical_axis("split", axis, len(aval_of(operand).shape))
    return list(split_p.bind(operand, sizes=tuple([operator.index(size) for size in sizes]), axis=axis))


class Split(Primitive):
    name, multiple_results, linear_in = "split", True, (0,)

    def abstract_eval(self, x: Any, *, sizes: Any, axis: Any) -> list[ShapedArray]:
        if any(size < 0 for size in sizes) or sum(sizes) != x.shape[axis]:
            raise ValueError(
                f"split: sizes {sizes} were given, but they must be 0 or more and add up to axis {axis} of"
                f" the operand {x.str_short()}"
            )
        return [x.update(shape=(*x.shape[:axis], int(size), *x.shape[axis + 1 :])) for size in sizes]

    def lower(self, ctx: Any, x: Any, *, sizes: Any, axis: Any) -> list[Any]:
        b, start, results = ctx.b, 0, []
        shape = physical(ctx.avals_in[0]).shape
        for size, aval in zip(sizes, ctx.avals_out, strict=True):
            starts, limits = [0] * len(shape), list(shape)
            starts[axis], limits[axis] = start, start + size
            bounds = {
                "start_indices": b.i64s(starts),
                "limit_indices": b.i64s(limits),
                "strides": b.i64s([1] * len(shape)),
            }
            results.append(b.value("stablehlo.slice", b.type(aval), x, **bounds))
            start += size
        return results

    def jvp(
        self, primals: Sequence[Any], tangents: Sequence[Any], *, sizes: Any, axis: Any
    ) -> tuple[Any, Any]:
        (x,), (t,) = primals, tangents
        out = split_p.bind(x, sizes=sizes, axis=axis)
        if type(t) is Zero:
            return out, [Zero(aval_of(part).to_tangent_aval()) for part in out]
        return out, split_p.bind(t, sizes=sizes, axis=axis)

    def transpose(self, ct: Any, x: Any, *, sizes: Any, axis: Any) -> Any:
        return [None if all(map(zero_ct, ct)) else concatenate([instantiate(part) for part in ct], axis)]

    def batch(self, size: int, args: Any, dims: Any, *, sizes: Any, axis: Any) -> Any:
        (x,), (dim,) = args, dims
        return split_p.bind(x, sizes=sizes, axis=axis + (dim <= axis)), [dim] * len(sizes)

    def reference(self, x: Any, *, sizes: Any, axis: Any) -> Any:
        return np.split(x, np.cumsum(sizes)[:-1], axis)

    def examples(self) -> Iterable[Example]:
        for shape, sizes, axis in (((3, 4), (1, 2), 0), ((2, 5), (2, 0, 3), 1), ((0,), (0, 0), 0)):
            yield Example((ShapedArray(shape, F32),), {"sizes": sizes, "axis": axis})


split_p = Split()


# -- rev ----------------------------------------------------------------------------------------------------


def rev(operand: Any, dimensions: Sequence[int]) -> Any:
    """``operand`` with the order of its elements reversed along ``dimensions``.

    >>> rev(np.arange(3), (0,))
    Array([2, 1, 0], dtype=int32)
    """
    return rev_p.bind(operand, dimensions=tuple([operator.index(d) for d in dimensions]))


class Rev(Linear):
    name = "rev"

    def abstract_eval(self, x: Any, *, dimensions: Any) -> ShapedArray:
        if len(set(dimensions)) != len(dimensions) or any(not 0 <= d < len(x.shape) for d in dimensions):
            raise TypeError(
                f"rev: dimensions {dimensions} were given, but they must be distinct axes of {x.str_short()}"
            )
        return x

    def lower(self, ctx: Any, x: Any, *, dimensions: Any) -> Any:
        return ctx.b.value(
            "stablehlo.reverse", ctx.b.type(ctx.aval_out), x, dimensions=ctx.b.i64s(dimensions)
        )

    def transpose(self, ct: Any, x: Any, *, dimensions: Any) -> Any:
        return [None if zero_ct(ct) else rev(ct, dimensions)]

    def batch(self, size: int, args: Any, dims: Any, *, dimensions: Any) -> Any:
        (x,), (dim,) = args, dims
        return rev(x, [d + (d >= dim) for d in dimensions]), dim

    def reference(self, x: Any, *, dimensions: Any) -> Any:
        return np.flip(x, dimensions)

    def examples(self) -> Iterable[Example]:
        for shape, dimensions in (((3,), (0,)), ((2, 3), (1,)), ((2, 3), (0, 1)), ((2, 0), (1,)), ((2,), ())):
            yield Example((ShapedArray(shape, F32),), {"dimensions": dimensions})


rev_p = Rev()
