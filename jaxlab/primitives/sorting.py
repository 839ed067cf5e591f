"""Sorting along an axis, by one or several keys, and the largest elements."""

from __future__ import annotations

import operator
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from jaxlab import dtypes
from jaxlab.core.aval import ShapedArray, Zero, aval_of
from jaxlab.core.primitive import Example, Primitive
from jaxlab.primitives.broadcasting import broadcast_axis, expand_dims
from jaxlab.primitives.creation import broadcasted_iota
from jaxlab.primitives.dimension_numbers import GatherDimensionNumbers, GatherScatterMode
from jaxlab.primitives.indexing import gather
from jaxlab.primitives.packed_sort import can_pack, lower_packed_sort
from jaxlab.primitives.reshaping import F32, I32, U32, canonical_axis, move_axis, reshape

BOOL = np.dtype(np.bool_)


def sort(operand: Any, dimension: int = -1, is_stable: bool = True, num_keys: int = 1) -> Any:
    """``operand`` sorted along an axis in ascending order; NaN comes last, and the two zeros are equal.

    Args:
      operand: an array, or a sequence of arrays of one shape, which are then all sorted by the first
        ``num_keys`` of them.
      dimension: the axis.
      is_stable: keep the order of what is equal.
      num_keys: how many of several arrays are keys; later ones decide where earlier ones are equal.

    Returns an array, or a tuple of arrays where a sequence was given.

    Raises:
      TypeError: if there is no operand, or shapes differ.
      ValueError: if there is no such axis, or ``num_keys`` is not between 1 and the number of operands.

    >>> sort(np.array([3, 1, 2]))
    Array([1, 2, 3], dtype=int32)
    """
    several = isinstance(operand, tuple | list)
    operands = tuple(operand) if several else (operand,)
    if not operands:
        raise TypeError("sort: Sort requires at least one operand, but an empty sequence was given")
    if not 1 <= num_keys <= len(operands):
        raise ValueError(f"sort: num_keys={num_keys} must be between 1 and len(operand)={len(operands)}")
    dimension = canonical_axis("sort", dimension, len(aval_of(operands[0]).shape))
    out = sort_p.bind(
        *operands, dimension=dimension, is_stable=bool(is_stable), num_keys=operator.index(num_keys)
    )
    return tuple(out) if several else out[0]


def sort_key_val(keys: Any, values: Any, dimension: int = -1, is_stable: bool = True) -> tuple[Any, Any]:
    """``keys`` sorted along an axis, and ``values`` in the same order.

    >>> sort_key_val(np.array([3, 1, 2]), np.array([30, 10, 20]))[1]
    Array([10, 20, 30], dtype=int32)
    """
    return sort((keys, values), dimension, is_stable, 1)


class Sort(Primitive):
    name = "sort"
    multiple_results = True

    def abstract_eval(self, *avals: Any, dimension: Any, is_stable: Any, num_keys: Any) -> list[ShapedArray]:
        shapes = [aval.shape for aval in avals]
        if any(shape != shapes[0] for shape in shapes):
            raise TypeError(
                f"sort: Arguments to sort must have equal shapes, got: {' '.join(map(str, shapes))}; "
                f"broadcast them first"
            )
        return list(avals)

    def lower(self, ctx: Any, *operands: Any, dimension: Any, is_stable: Any, num_keys: Any) -> list[Any]:
        b, avals = ctx.b, ctx.avals_in
        if ctx.platform == "cpu" and num_keys == 1 and can_pack(avals):
            return lower_packed_sort(b, operands, avals, dimension)
        attributes = {"dimension": b.i64(dimension), "is_stable": b.flag(is_stable)}
        out = b.op("stablehlo.sort", [b.type(aval) for aval in avals], operands, attributes, regions=1)
        scalars = [b.tensor((), aval.dtype) for aval in avals]
        body, arguments = b.block(out.regions[0], [scalar for scalar in scalars for _ in range(2)])
        pairs = [
            pair
            for i in range(num_keys)
            for pair in _parts(body, arguments[2 * i], arguments[2 * i + 1], avals[i].dtype)
        ]
        body.end([_precedes(body, pairs)])
        return list(out.results)

    def jvp(self, primals: Sequence[Any], tangents: Sequence[Any], **params: Any) -> tuple[Any, Any]:
        if all(type(t) is Zero for t in tangents):
            out = self.bind(*primals, **params)
            return out, [Zero(aval_of(x).to_tangent_aval()) for x in out]
        dimension = params["dimension"]
        places = broadcasted_iota(U32, aval_of(primals[0]).shape, dimension)
        *out, order = self.bind(*primals, places, **params)
        order = expand_dims(order, (len(aval_of(order).shape),))
        return out, [Zero(t.aval) if type(t) is Zero else take_along(t, order, dimension) for t in tangents]

    def batch(self, size: int, args: Any, dims: Any, **params: Any) -> Any:
        dim = next(d for d in dims if d is not None)
        moved = [
            broadcast_axis(x, size, dim) if d is None else x if d == dim else move_axis(x, d, dim)
            for x, d in zip(args, dims, strict=True)
        ]
        dimension = params["dimension"]
        out = self.bind(*moved, **{**params, "dimension": dimension + (dim <= dimension)})
        return out, [dim] * len(args)

    def reference(self, *arrays: Any, dimension: Any, is_stable: Any, num_keys: Any) -> list[Any]:
        keys = [
            part for x in arrays[:num_keys] for part in ((x.real, x.imag) if x.dtype.kind == "c" else (x,))
        ]
        order = (
            np.lexsort(keys[::-1], dimension)
            if len(keys) > 1
            else np.argsort(keys[0], dimension, kind="stable")
        )
        return [np.take_along_axis(x, order, dimension) for x in arrays]

    def examples(self) -> Iterable[Example]:
        def params(dimension: int, num_keys: int = 1, is_stable: bool = True) -> dict[str, Any]:
            return {"dimension": dimension, "is_stable": is_stable, "num_keys": num_keys}

        for shape, dimension in (((5,), 0), ((3, 4), 1), ((3, 4), 0), ((2, 1), 1), ((0, 3), 0)):
            yield Example((ShapedArray(shape, F32),), params(dimension))
        yield Example((ShapedArray((3, 4), F32), ShapedArray((3, 4), F32)), params(0))
        yield Example((ShapedArray((9,), I32), ShapedArray((9,), I32), ShapedArray((9,), F32)), params(0, 2))
        yield Example((ShapedArray((9,), np.dtype(np.int8)), ShapedArray((9,), I32)), params(0))
        yield Example((ShapedArray((9,), BOOL), ShapedArray((9,), U32)), params(0))
        special = np.array([0, -0.0, np.nan, -0.0, -1, 0, -np.nan, np.inf, -np.inf, 1], np.float32)
        yield Example((special, np.arange(10, dtype=np.int32)), params(0), differentiate=False)
        # Long enough to be packed.
        long = np.tile(special, (2, 40))
        yield Example((long,), params(1), differentiate=False)
        yield Example(
            (long.T, np.arange(800, dtype=np.int32).reshape(400, 2)), params(0), differentiate=False
        )
        yield Example(
            (ShapedArray((3, 200), F32), ShapedArray((3, 200), F32)), params(1), differentiate=False
        )
        yield Example(
            (ShapedArray((600,), np.dtype(np.int16)), ShapedArray((600,), F32)),
            params(0),
            differentiate=False,
        )
        yield Example((ShapedArray((6,), np.dtype(np.complex64)),), params(0), differentiate=False)
        yield Example((ShapedArray((2, 3), F32),), params(1, is_stable=False))


sort_p = Sort()


def _parts(b: Any, x: Any, y: Any, dtype: Any) -> list[tuple[Any, Any, Any]]:
    """What is compared, in order: a complex number's real part, then its imaginary part."""
    if dtype.kind != "c":
        return [(x, y, dtype)]
    part = np.zeros((), dtype).real.dtype
    kind = b.tensor((), part)
    return [
        (b.value(f"stablehlo.{side}", kind, x), b.value(f"stablehlo.{side}", kind, y), part)
        for side in ("real", "imag")
    ]


def _precedes(b: Any, pairs: Sequence[tuple[Any, Any, Any]]) -> Any:
    """Whether the first of two comes before the second: by their first parts that differ."""
    bit = b.tensor((), BOOL)
    result = None
    for x, y, dtype in reversed(pairs):
        before = b.compare(x, y, "LT", dtype, ())
        equal = b.compare(x, y, "EQ", dtype, ()) if result is not None else None
        if dtypes.issubdtype(dtype, np.floating):
            # NaN comes last. This is cheaper than a total order of which the two zeros must be taken out
            # again.
            x_nan, y_nan = [b.compare(z, z, "NE", dtype, ()) for z in (x, y)]
            x_number = b.value("stablehlo.not", bit, x_nan)
            before = b.value("stablehlo.or", bit, before, b.value("stablehlo.and", bit, y_nan, x_number))
            if equal is not None:
                equal = b.value("stablehlo.or", bit, equal, b.value("stablehlo.and", bit, x_nan, y_nan))
        if result is not None:
            before = b.value("stablehlo.or", bit, before, b.value("stablehlo.and", bit, equal, result))
        result = before
    return result


def take_along(x: Any, places: Any, axis: int) -> Any:
    """The elements of ``x`` at ``places`` along ``axis``; ``places`` has one more axis, of size 1."""
    others = tuple([i for i in range(len(aval_of(x).shape)) if i != axis])
    numbers = GatherDimensionNumbers(
        offset_dims=(),
        collapsed_slice_dims=(axis,),
        start_index_map=(axis,),
        operand_batching_dims=others,
        start_indices_batching_dims=others,
    )
    if 0 in aval_of(x).shape:
        return x
    sizes = (1,) * len(aval_of(x).shape)
    return gather(x, places, numbers, sizes, mode=GatherScatterMode.PROMISE_IN_BOUNDS)


# -- top_k ---------------------------------------------------------------------------------------------------


def top_k(operand: Any, k: int, *, axis: int = -1) -> tuple[Any, Any]:
    """The ``k`` largest elements along an axis, largest first, and their indices, of equal ones the first.

    NaN counts as larger than all, or with its sign bit set as smaller than all.

    Raises:
      ValueError: if the axis is shorter than ``k``, ``k`` is negative, or the operand is complex.

    >>> top_k(np.array([3, 1, 2]), 2)
    (Array([3, 2], dtype=int32), Array([0, 2], dtype=int32))
    """
    k = operator.index(k)
    axis = canonical_axis("top_k", axis, len(aval_of(operand).shape))
    return tuple(top_k_p.bind(operand, k=k, axis=axis))


class TopK(Primitive):
    name = "top_k"
    multiple_results = True

    def abstract_eval(self, x: Any, *, k: Any, axis: Any) -> list[ShapedArray]:
        if k < 0:
            raise ValueError(f"top_k: k argument to top_k must be nonnegative, got {k}")
        if x.shape[axis] < k:
            raise ValueError(
                f"top_k: k argument to top_k must be no larger than size along axis; got k={k} with "
                f"shape={list(x.shape)} "
                f"and axis={axis}"
            )
        if x.dtype.kind == "c":
            raise ValueError(
                f"top_k: top_k is not compatible with complex inputs, but {x.str_short()} was given"
            )
        shape = (*x.shape[:axis], k, *x.shape[axis + 1 :])
        return [ShapedArray(shape, x.dtype, x.weak_type), ShapedArray(shape, I32, x.weak_type)]

    def lower(self, ctx: Any, x: Any, *, k: Any, axis: Any) -> list[Any]:
        b, (aval,) = ctx.b, ctx.avals_in
        order = [*[i for i in range(len(aval.shape)) if i != axis], axis]
        moved = tuple([aval.shape[i] for i in order])
        if axis != len(aval.shape) - 1:
            x = b.value("stablehlo.transpose", b.tensor(moved, aval.dtype), x, permutation=b.i64s(order))
        kinds = [b.tensor((*moved[:-1], k), dtype) for dtype in (aval.dtype, I32)]
        results = b.op("chlo.top_k", kinds, [x], {"k": b.i64(k)}).results
        if axis == len(aval.shape) - 1:
            return list(results)
        back = sorted(range(len(order)), key=order.__getitem__)
        return [
            b.value("stablehlo.transpose", b.type(out), value, permutation=b.i64s(back))
            for value, out in zip(results, ctx.avals_out, strict=True)
        ]

    def jvp(self, primals: Sequence[Any], tangents: Sequence[Any], *, k: Any, axis: Any) -> tuple[Any, Any]:
        values, places = self.bind(*primals, k=k, axis=axis)
        (t,) = tangents
        none = Zero(aval_of(places).to_tangent_aval())
        if type(t) is Zero:
            return [values, places], [Zero(aval_of(values).to_tangent_aval()), none]
        column = reshape(places, (*aval_of(places).shape, 1))
        return [values, places], [take_along(t, column, axis), none]

    def batch(self, size: int, args: Any, dims: Any, *, k: Any, axis: Any) -> Any:
        (x,), (dim,) = args, dims
        return self.bind(x, k=k, axis=axis + (dim <= axis)), [dim, dim]

    def reference(self, x: Any, *, k: Any, axis: Any) -> list[Any]:
        flipped = np.flip(x, axis)
        order = np.flip(np.argsort(flipped, axis, kind="stable"), axis)
        order = (x.shape[axis] - 1 - order).take(np.arange(k), axis)
        return [np.take_along_axis(x, order, axis), order.astype(np.int32)]

    def examples(self) -> Iterable[Example]:
        for shape, k, axis in (((5,), 2, 0), ((3, 4), 3, 1), ((3, 4), 2, 0), ((2, 3), 0, 1), ((2, 3), 3, 1)):
            yield Example((ShapedArray(shape, F32),), {"k": k, "axis": axis})
        yield Example((np.array([3, 1, 3, 2, 3], np.int32),), {"k": 4, "axis": 0})
        yield Example((ShapedArray((2, 5), np.dtype(np.uint8)),), {"k": 2, "axis": 1})


top_k_p = TopK()
