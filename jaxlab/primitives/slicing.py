"""Static pieces of arrays, and what surrounds them: slice and its adjoint pad."""

from __future__ import annotations

import operator
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from jaxlab import dtypes
from jaxlab.core.aval import ShapedArray, Zero, aval_of, is_undefined
from jaxlab.core.primitive import Example, Primitive
from jaxlab.primitives.arithmetic import sub
from jaxlab.primitives.broadcasting import (
    F32,
    Linear,
    broadcast_axis,
    broadcast_in_dim,
    instantiate,
    reduce_sum,
    squeeze,
    zero_ct,
)
from jaxlab.primitives.comparison import select_n
from jaxlab.primitives.reshaping import U32, insert, physical, word_shape

# -- slice --------------------------------------------------------------------------------------------------


def slice(
    operand: Any,
    start_indices: Sequence[int],
    limit_indices: Sequence[int],
    strides: Sequence[int] | None = None,
) -> Any:
    """The part of ``operand`` from ``start_indices`` up to, not including, ``limit_indices``.

    It goes in steps of ``strides``. Bounds are static and count from the front. Raises TypeError where they
    do not lie in the operand.

    >>> slice(np.arange(10), (2,), (8,), (3,))
    Array([2, 5], dtype=int32)
    """
    return slice_p.bind(
        operand,
        start_indices=tuple([operator.index(i) for i in start_indices]),
        limit_indices=tuple([operator.index(i) for i in limit_indices]),
        strides=None if strides is None else tuple([operator.index(i) for i in strides]),
    )


def slice_in_dim(
    operand: Any, start_index: int | None, limit_index: int | None, stride: int = 1, axis: int = 0
) -> Any:
    """`slice` along one axis; negative bounds count from the end, and None is the end of the array.

    >>> slice_in_dim(np.arange(6), -2, None)
    Array([4, 5], dtype=int32)
    """
    shape = aval_of(operand).shape
    axis = operator.index(axis)
    size = shape[axis]
    start = 0 if start_index is None else operator.index(start_index)
    limit = size if limit_index is None else operator.index(limit_index)
    starts, limits, strides = [0] * len(shape), list(shape), [1] * len(shape)
    starts[axis] = start + size if start < 0 else start
    limits[axis] = limit + size if limit < 0 else limit
    strides[axis] = operator.index(stride)
    return slice(operand, starts, limits, strides)


def index_in_dim(operand: Any, index: int, axis: int = 0, keepdims: bool = True) -> Any:
    """The slice of size 1 at a static ``index`` of ``axis``, or with ``keepdims=False`` without that axis.

    Raises IndexError where the index is out of bounds; a negative one counts from the end.

    >>> index_in_dim(np.zeros((2, 3), np.float32), -1, keepdims=False).shape
    (3,)
    """
    index, axis = operator.index(index), operator.index(axis)
    size = aval_of(operand).shape[axis]
    wrapped = index + size if index < 0 else index
    if not 0 <= wrapped < size:
        raise IndexError(f"index_in_dim: index {index} is out of bounds for axis {axis} with size {size}")
    out = slice_in_dim(operand, wrapped, wrapped + 1, 1, axis)
    return out if keepdims else squeeze(out, (axis,))


class Slice(Linear):
    name = "slice"

    def abstract_eval(self, x: Any, *, start_indices: Any, limit_indices: Any, strides: Any) -> ShapedArray:
        steps = strides or (1,) * len(x.shape)
        if not len(start_indices) == len(limit_indices) == len(steps) == len(x.shape):
            raise TypeError(
                f"slice: start_indices {start_indices}, limit_indices {limit_indices} and strides {strides}"
                f" were given for the operand {x.str_short()}, but each must have one entry for each of its"
                f" {len(x.shape)} axes"
            )
        if any(step <= 0 for step in steps):
            raise TypeError(
                f"slice: strides {strides} were given, but each must be positive; use rev to go backwards"
            )
        for start, limit, size in zip(start_indices, limit_indices, x.shape, strict=True):
            if not 0 <= start <= limit <= size:
                raise TypeError(
                    f"slice: start_indices {start_indices} and limit_indices {limit_indices} were given, but"
                    f" they must be ascending and lie within the operand {x.str_short()}; slice_in_dim takes"
                    " negative bounds"
                )
        bounds = zip(start_indices, limit_indices, steps, strict=True)
        return ShapedArray(
            tuple(-((start - limit) // step) for start, limit, step in bounds), x.dtype, x.weak_type
        )

    def lower(self, ctx: Any, x: Any, *, start_indices: Any, limit_indices: Any, strides: Any) -> Any:
        b, aval = ctx.b, ctx.eqn.outvars[0].aval
        words = word_shape(aval.dtype)
        attributes = b.attributes(
            (start_indices, limit_indices, strides, words),
            lambda: {
                "start_indices": b.i64s(start_indices + (0,) * len(words)),
                "limit_indices": b.i64s(limit_indices + words),
                "strides": b.i64s((strides or (1,) * len(start_indices)) + (1,) * len(words)),
            },
        )
        return b.plain("stablehlo.slice", b.type(aval), (x,), attributes)

    def transpose(self, ct: Any, x: Any, *, start_indices: Any, limit_indices: Any, strides: Any) -> Any:
        if zero_ct(ct):
            return [None]
        config = []
        steps = strides or (1,) * len(start_indices)
        for size, start, step, taken in zip(
            x.aval.shape, start_indices, steps, aval_of(ct).shape, strict=True
        ):
            end = start + 1 + (taken - 1) * step if taken else start
            config.append((start, size - end, step - 1))
        return [pad(ct, zero_of(ct), config)]

    def batch(
        self, size: int, args: Any, dims: Any, *, start_indices: Any, limit_indices: Any, strides: Any
    ) -> Any:
        (x,), (dim,) = args, dims
        starts, limits = insert(start_indices, dim, 0), insert(limit_indices, dim, size)
        return slice(x, starts, limits, None if strides is None else insert(strides, dim, 1)), dim

    def reference(self, x: Any, *, start_indices: Any, limit_indices: Any, strides: Any) -> Any:
        steps = strides or (1,) * x.ndim
        return x[tuple(np.s_[a:b:c] for a, b, c in zip(start_indices, limit_indices, steps, strict=True))]

    def examples(self) -> Iterable[Example]:
        cases: list[tuple[Any, Any, Any, Any]] = [((3, 4), (0, 1), (2, 3), None), ((5,), (1,), (5,), (3,))]
        cases += [((7, 4), (0, 1), (6, 3), (2, 1)), ((3, 0), (1, 0), (1, 0), None), ((), (), (), None)]
        for shape, starts, limits, strides in cases:
            params = {"start_indices": starts, "limit_indices": limits, "strides": strides}
            yield Example((ShapedArray(shape, F32),), params)


slice_p = Slice()


def zero_of(x: Any) -> Any:
    """A scalar zero of the dtype of ``x``."""
    return np.zeros((), aval_of(x).dtype)[()]


# -- pad ----------------------------------------------------------------------------------------------------


def pad(operand: Any, padding_value: Any, padding_config: Sequence[tuple[int, int, int]]) -> Any:
    """``operand`` with the scalar ``padding_value`` added around and between its elements.

    Args:
      padding_config: for each axis how many to add before, after, and between any two elements. Before and
        after may be negative, which takes elements away.

    Raises TypeError where the dtypes differ and ValueError where the configuration does not fit.

    >>> pad(np.arange(3), np.int32(9), ((1, -1, 1),))
    Array([9, 0, 9, 1, 9], dtype=int32)
    """
    config = tuple(
        [(operator.index(low), operator.index(high), operator.index(i)) for low, high, i in padding_config]
    )
    return pad_p.bind(operand, padding_value, padding_config=config)


class Pad(Primitive):
    name, linear_in = "pad", (0, 1)

    def abstract_eval(self, x: Any, value: Any, *, padding_config: Any) -> ShapedArray:
        if x.dtype != value.dtype:
            raise TypeError(
                f"pad: the operand is {x.str_short()} and padding_value {value.str_short()}, but both must"
                " have the same dtype; convert one of them"
            )
        if value.shape:
            raise ValueError(f"pad: padding_value is {value.str_short()}, but it must be a scalar")
        if len(padding_config) != len(x.shape):
            raise ValueError(
                f"pad: padding_config {padding_config} has {len(padding_config)} entries, but the operand "
                f"{x.str_short()} has {len(x.shape)} axes"
            )
        if any(interior < 0 for _, _, interior in padding_config):
            raise ValueError(
                f"pad: padding_config {padding_config} was given, but interior padding must be 0 or more"
            )
        config = zip(x.shape, padding_config, strict=True)
        shape = tuple(
            int(low + high + size + max(0, size - 1) * interior) for size, (low, high, interior) in config
        )
        if any(size < 0 for size in shape):
            raise ValueError(
                f"pad: padding_config {padding_config} takes more than there is from the operand"
                f" {x.str_short()}: the result would have shape {shape}"
            )
        return ShapedArray(shape, x.dtype, x.weak_type and value.weak_type)

    def lower(self, ctx: Any, x: Any, value: Any, *, padding_config: Any) -> Any:
        b, aval = ctx.b, ctx.aval_out
        words = word_shape(aval.dtype)
        if not words:
            return _lower_pad(b, x, value, aval, padding_config)
        # A key is no scalar to StableHLO: pad with zeros, then put the key where no element is.
        full, config = physical(aval), (*padding_config, *[(0, 0, 0)] * len(words))
        padded = _lower_pad(b, x, b.constant(0, U32), full, config)
        flags, source = (
            ShapedArray(full.shape, dtypes.bool_),
            ShapedArray(physical(ctx.avals_in[0]).shape, dtypes.bool_),
        )
        kept = _lower_pad(b, b.full(True, source), b.constant(False, flags.dtype), flags, config)
        keys = b.broadcast(value, full.shape, full.dtype, range(len(aval.shape), len(full.shape)))
        return b.value("stablehlo.select", b.type(full), kept, padded, keys)

    def jvp(self, primals: Sequence[Any], tangents: Sequence[Any], *, padding_config: Any) -> tuple[Any, Any]:
        out = pad_p.bind(*primals, padding_config=padding_config)
        if all(type(t) is Zero for t in tangents):
            return out, Zero(aval_of(out).to_tangent_aval())
        return out, pad_p.bind(*map(instantiate, tangents), padding_config=padding_config)

    def transpose(self, ct: Any, x: Any, value: Any, *, padding_config: Any) -> Any:
        if zero_ct(ct):
            return [None, None]
        trimmed = pad(ct, zero_of(ct), [(-low, -high, 0) for low, high, _ in padding_config])
        shape = aval_of(trimmed).shape
        kept = slice(trimmed, (0,) * len(shape), shape, [interior + 1 for _, _, interior in padding_config])
        every = range(len(shape))
        around = sub(reduce_sum(ct, every), reduce_sum(kept, every)) if is_undefined(value) else None
        return [kept if is_undefined(x) else None, around]

    def batch(self, size: int, args: Any, dims: Any, *, padding_config: Any) -> Any:
        (x, value), (dim, value_dim) = args, dims
        if dim is None:
            x, dim = broadcast_axis(x, size, 0), 0
        config = insert(padding_config, dim, (0, 0, 0))
        if value_dim is None:
            return pad(x, value, config), dim
        aval = aval_of(x)
        padded = pad(x, np.zeros((), aval.dtype)[()] if not word_shape(aval.dtype) else _first(value), config)
        kept = pad(broadcast_in_dim(np.bool_(True), aval.shape, ()), np.bool_(False), config)
        return select_n(kept, broadcast_in_dim(value, aval_of(padded).shape, (dim,)), padded), dim

    def reference(self, x: Any, value: Any, *, padding_config: Any) -> Any:
        for axis, (low, high, interior) in enumerate(padding_config):
            x = np.moveaxis(x, axis, 0)
            spread = np.full((max(0, (len(x) - 1) * (interior + 1) + 1), *x.shape[1:]), value, x.dtype)
            if len(x):
                spread[:: interior + 1] = x
            width = ((max(low, 0), max(high, 0)), *[(0, 0)] * (x.ndim - 1))
            grown = np.pad(spread, width, constant_values=value)
            x = np.moveaxis(grown[max(-low, 0) : len(grown) - max(-high, 0)], 0, axis)
        return x

    def examples(self) -> Iterable[Example]:
        cases: list[tuple[Any, Any]] = [((3,), ((1, 2, 0),)), ((3, 4), ((1, -1, 0), (0, 2, 1))), ((), ())]
        for shape, config in [
            *cases,
            ((4,), ((-1, -2, 2),)),
            ((0, 2), ((1, 1, 3), (0, 0, 0))),
            ((3,), ((0, 0, 0),)),
        ]:
            yield Example((ShapedArray(shape, F32), ShapedArray((), F32)), {"padding_config": config})


def _lower_pad(b: Any, x: Any, value: Any, aval: ShapedArray, config: Sequence[tuple[int, int, int]]) -> Any:
    low, high, interior = zip(*config, strict=True) if config else ((), (), ())
    return b.value(
        "stablehlo.pad",
        b.type(aval),
        x,
        value,
        edge_padding_low=b.i64s(low),
        edge_padding_high=b.i64s(high),
        interior_padding=b.i64s(interior),
    )


def _first(keys: Any) -> Any:
    return index_in_dim(keys, 0, keepdims=False)


pad_p = Pad()
