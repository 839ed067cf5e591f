"""Slices at places known only when the program runs: dynamic_slice and its adjoint dynamic_update_slice."""

from __future__ import annotations

import operator
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from jaxlab import dtypes
from jaxlab.core.aval import ShapedArray, Zero, aval_of, is_undefined
from jaxlab.core.primitive import Example, Primitive
from jaxlab.primitives.arithmetic import add
from jaxlab.primitives.broadcasting import broadcast_in_dim, expand_dims, instantiate, squeeze, zero_ct
from jaxlab.primitives.comparison import lt, select_n
from jaxlab.primitives.concatenation import concatenate
from jaxlab.primitives.conversion import convert_element_type
from jaxlab.primitives.dimension_numbers import (
    GatherDimensionNumbers,
    GatherScatterMode,
    ScatterDimensionNumbers,
)
from jaxlab.primitives.indexing import gather_p, zeros
from jaxlab.primitives.reshaping import F32, I32, canonical_axis, word_shape
from jaxlab.primitives.scatter import scatter_p
from jaxlab.primitives.slicing import index_in_dim

# -- start indices ------------------------------------------------------------------------------------------


def start_scalars(op: str, operand: Any, indices: Any, allow_negative: bool | Sequence[bool]) -> list[Any]:
    """One scalar for each axis of ``operand``, where a negative index that is allowed counts from the end."""
    shape = aval_of(operand).shape
    if isinstance(indices, (tuple, list)):
        parts = list(indices)
    else:
        aval = aval_of(indices)
        if len(aval.shape) != 1 or aval.shape[0] != len(shape):
            parts = [None] * (aval.shape[0] if aval.shape else 0)
        elif isinstance(indices, np.ndarray):
            parts = [i.astype(aval.dtype) for i in indices]
        else:
            parts = [index_in_dim(indices, i, 0, keepdims=False) for i in range(len(shape))]
    if len(parts) != len(shape) or any(i is None for i in parts):
        raise ValueError(
            f"{op}: start_indices has length {len(parts)}, but the operand {aval_of(operand).str_short()}"
            f" needs one index for each of its {len(shape)} axes"
        )
    allowed = [allow_negative] * len(parts) if isinstance(allow_negative, bool) else list(allow_negative)
    if len(allowed) != len(parts):
        raise ValueError(
            f"{op}: allow_negative_indices {allowed} has {len(allowed)} entries, but the operand has"
            f" {len(shape)} axes"
        )
    return [_from_front(i, size, ok) for i, size, ok in zip(parts, shape, allowed, strict=True)]


def _from_front(index: Any, size: int, allow_negative: bool) -> Any:
    aval = aval_of(index)
    if isinstance(index, (int, np.integer)) and not isinstance(index, bool):
        index = int(index)
        wrapped = index + size if allow_negative and index < 0 else index
        limits = dtypes.iinfo(aval.dtype)
        if not limits.min <= wrapped <= limits.max:
            raise OverflowError(
                f"an index of {wrapped} into an axis of size {size} does not fit in {aval.dtype.name}"
            )
        return np.asarray(wrapped, aval.dtype)[()]
    if not allow_negative or aval.shape or not dtypes.issubdtype(aval.dtype, np.signedinteger):
        return index
    if size > dtypes.iinfo(aval.dtype).max:
        index = convert_element_type(index, I32)
        aval = aval_of(index)
    is_negative = lt(index, np.zeros((), aval.dtype)[()])
    strong = convert_element_type(index, aval.dtype)
    return select_n(is_negative, index, add(strong, np.asarray(size, aval.dtype)[()]))


def _check_scalars(op: str, indices: Sequence[ShapedArray]) -> None:
    names = ", ".join(aval.str_short() for aval in indices)
    if any(aval.shape for aval in indices):
        raise TypeError(f"{op}: start_indices {names} were given, but each must be a scalar")
    kinds = {aval.dtype for aval in indices}
    if len(kinds) > 1 or any(not dtypes.issubdtype(kind, np.integer) for kind in kinds):
        raise TypeError(
            f"{op}: index arguments to {op} must be integers of the same type, but got {names}; convert them"
        )


def _lower_indices(ctx: Any, indices: Sequence[Any], words: int) -> list[Any]:
    """The start indices, and zeros for a key's words.

    Those under 32 bits are widened, for axes longer than they count.
    """
    b = ctx.b
    if not indices:
        return [b.constant(0, I32)] * words
    dtype = ctx.avals_in[-1].dtype
    if dtype.itemsize < 4:
        dtype = I32
        indices = [b.value("stablehlo.convert", b.tensor((), dtype), i) for i in indices]
    return [*indices, *[b.constant(0, dtype)] * words]


def _stack(indices: Sequence[Any], dims: Sequence[int | None], size: int) -> tuple[Any, int | None]:
    """Scalar start indices as one array of index vectors, and its mapped axis."""
    if not indices:
        return np.zeros((0,), I32), None
    if all(dim is None for dim in dims):
        return concatenate([broadcast_in_dim(i, (1,), ()) for i in indices], 0), None
    columns = [
        broadcast_in_dim(i, (size, 1), () if dim is None else (0,))
        for i, dim in zip(indices, dims, strict=True)
    ]
    return concatenate(columns, 1), 0


# -- dynamic_slice ------------------------------------------------------------------------------------------


def dynamic_slice(
    operand: Any,
    start_indices: Any,
    slice_sizes: Sequence[int],
    *,
    allow_negative_indices: bool | Sequence[bool] = True,
) -> Any:
    """The slice of static ``slice_sizes`` that starts at computed indices.

    Args:
      start_indices: one scalar for each axis, or a vector of them; integers of one dtype. Where a slice would
        leave the operand it is moved inside.
      allow_negative_indices: whether a negative index counts from the end, for all or for each.

    Raises ValueError for the wrong number of indices and TypeError for wrong dtypes or sizes.

    >>> dynamic_slice(np.arange(5), (3,), (3,))
    Array([2, 3, 4], dtype=int32)
    """
    starts = start_scalars("dynamic_slice", operand, start_indices, allow_negative_indices)
    return dynamic_slice_p.bind(operand, *starts, slice_sizes=tuple([operator.index(s) for s in slice_sizes]))


class DynamicSlice(Primitive):
    name, linear_in = "dynamic_slice", (0,)

    def abstract_eval(self, x: Any, *indices: Any, slice_sizes: Any) -> ShapedArray:
        if len(slice_sizes) != len(x.shape):
            raise ValueError(
                f"dynamic_slice: slice_sizes {slice_sizes} has {len(slice_sizes)} entries, but the operand "
                f"{x.str_short()} has {len(x.shape)} axes"
            )
        if any(not 0 <= size <= bound for size, bound in zip(slice_sizes, x.shape, strict=True)):
            raise TypeError(
                f"dynamic_slice: slice_sizes {slice_sizes} were given, but they must lie within the shape of"
                f" the operand {x.str_short()}"
            )
        _check_scalars("dynamic_slice", indices)
        return ShapedArray(slice_sizes, x.dtype, x.weak_type)

    def lower(self, ctx: Any, x: Any, *indices: Any, slice_sizes: Any) -> Any:
        b, words = ctx.b, word_shape(ctx.aval_out.dtype)
        starts = _lower_indices(ctx, indices, len(words))
        sizes = b.i64s(slice_sizes + words)
        return b.value("stablehlo.dynamic_slice", b.type(ctx.aval_out), x, *starts, slice_sizes=sizes)

    def jvp(self, primals: Sequence[Any], tangents: Sequence[Any], *, slice_sizes: Any) -> tuple[Any, Any]:
        t = tangents[0]
        if type(t) is not Zero:
            t = dynamic_slice_p.bind(t, *primals[1:], slice_sizes=slice_sizes)
        out = dynamic_slice_p.bind(*primals, slice_sizes=slice_sizes)
        return out, Zero(aval_of(out).to_tangent_aval()) if type(t) is Zero else t

    def transpose(self, ct: Any, x: Any, *indices: Any, slice_sizes: Any) -> Any:
        nothing = [None] * len(indices)
        if zero_ct(ct):
            return [None, *nothing]
        return [dynamic_update_slice_p.bind(zeros(x.aval), ct, *indices), *nothing]

    def batch(self, size: int, args: Any, dims: Any, *, slice_sizes: Any) -> Any:
        (x, *indices), (dim, *index_dims) = args, dims
        vectors, vector_dim = _stack(indices, index_dims, size)
        every = tuple(range(len(slice_sizes)))
        if dim is None and vector_dim is None:
            return dynamic_slice_p.bind(*args, slice_sizes=slice_sizes), None
        return gather_p.batch(
            size,
            (x, vectors),
            (dim, vector_dim),
            dimension_numbers=GatherDimensionNumbers(every, (), every),
            slice_sizes=slice_sizes,
            unique_indices=True,
            indices_are_sorted=True,
            mode=GatherScatterMode.CLIP,
            fill_value=None,
        )

    def reference(self, x: Any, *indices: Any, slice_sizes: Any) -> Any:
        return x[_window(x.shape, indices, slice_sizes)]

    def examples(self) -> Iterable[Example]:
        for shape, starts, sizes in (((5,), (3,), (2,)), ((3, 4), (1, 9), (2, 3)), ((2, 0), (-1, 0), (1, 0))):
            yield Example((ShapedArray(shape, F32), *map(np.int32, starts)), {"slice_sizes": sizes})
        yield Example((ShapedArray((300,), F32), np.int8(100)), {"slice_sizes": (2,)})
        yield Example((ShapedArray((), F32),), {"slice_sizes": ()})


def _window(shape: Sequence[int], indices: Sequence[Any], sizes: Sequence[int]) -> tuple[Any, ...]:
    starts = [min(max(int(i), 0), n - size) for i, n, size in zip(indices, shape, sizes, strict=True)]
    return tuple([np.s_[start : start + size] for start, size in zip(starts, sizes, strict=True)])


dynamic_slice_p = DynamicSlice()


# -- dynamic_update_slice -----------------------------------------------------------------------------------


def dynamic_update_slice(
    operand: Any, update: Any, start_indices: Any, *, allow_negative_indices: bool | Sequence[bool] = True
) -> Any:
    """``operand`` with ``update``, of the same dtype and number of axes, put at computed indices.

    The arguments and errors are those of `dynamic_slice`; an update that would leave the operand is moved
    inside.

    >>> dynamic_update_slice(np.zeros(4, np.float32), np.ones(2, np.float32), (3,))
    Array([0., 0., 1., 1.], dtype=float32)
    """
    starts = start_scalars("dynamic_update_slice", operand, start_indices, allow_negative_indices)
    return dynamic_update_slice_p.bind(operand, update, *starts)


class DynamicUpdateSlice(Primitive):
    name, linear_in = "dynamic_update_slice", (0, 1)

    def abstract_eval(self, x: Any, update: Any, *indices: Any) -> ShapedArray:
        given = f"the update is {update.str_short()} and the operand {x.str_short()}"
        if len(x.shape) != len(update.shape):
            raise TypeError(
                f"dynamic_update_slice: {given}, but the update must have as many axes as the operand"
            )
        if any(size > bound for size, bound in zip(update.shape, x.shape, strict=True)):
            raise TypeError(
                f"dynamic_update_slice: {given}, but the update must not be larger than the operand"
            )
        if x.dtype != update.dtype:
            raise TypeError(
                f"lax.dynamic_update_slice requires arguments to have the same dtypes, but {given};"
                " convert one"
            )
        _check_scalars("dynamic_update_slice", indices)
        return ShapedArray(x.shape, x.dtype, x.weak_type and update.weak_type)

    def lower(self, ctx: Any, x: Any, update: Any, *indices: Any) -> Any:
        b, aval = ctx.b, ctx.aval_out
        starts = _lower_indices(ctx, indices, len(word_shape(aval.dtype)))
        return b.value("stablehlo.dynamic_update_slice", b.type(aval), x, update, *starts)

    def jvp(self, primals: Sequence[Any], tangents: Sequence[Any]) -> tuple[Any, Any]:
        out, (t, t_update, *_) = dynamic_update_slice_p.bind(*primals), tangents
        if type(t) is Zero and type(t_update) is Zero:
            return out, Zero(aval_of(out).to_tangent_aval())
        return out, dynamic_update_slice_p.bind(instantiate(t), instantiate(t_update), *primals[2:])

    def transpose(self, ct: Any, x: Any, update: Any, *indices: Any) -> Any:
        ct_x = ct_update = None
        shape = update.aval.shape if is_undefined(update) else aval_of(update).shape
        if zero_ct(ct):
            return [None] * (2 + len(indices))
        nothing = zeros(ShapedArray(shape, aval_of(ct).dtype))  # made in any case, as in JAX's programs
        if is_undefined(x):
            ct_x = dynamic_update_slice_p.bind(ct, nothing, *indices)
        if is_undefined(update):
            ct_update = dynamic_slice_p.bind(ct, *indices, slice_sizes=shape)
        return [ct_x, ct_update, *[None] * len(indices)]

    def batch(self, size: int, args: Any, dims: Any) -> Any:
        (x, update, *indices), (dim, update_dim, *index_dims) = args, dims
        vectors, vector_dim = _stack(indices, index_dims, size)
        every = tuple(range(len(indices)))
        return scatter_p.batch(
            size,
            (x, vectors, update),
            (dim, vector_dim, update_dim),
            update_jaxpr=None,
            update_consts=(),
            dimension_numbers=ScatterDimensionNumbers(every, (), every),
            indices_are_sorted=True,
            unique_indices=True,
            mode=GatherScatterMode.CLIP,
        )

    def reference(self, x: Any, update: Any, *indices: Any) -> Any:
        out = x.copy()
        out[_window(x.shape, indices, update.shape)] = update
        return out

    def examples(self) -> Iterable[Example]:
        for shape, starts, sizes in (((5,), (3,), (2,)), ((3, 4), (1, 9), (2, 3)), ((2, 0), (-1, 0), (1, 0))):
            yield Example((ShapedArray(shape, F32), ShapedArray(sizes, F32), *map(np.int32, starts)))
        yield Example((ShapedArray((), F32), ShapedArray((), F32)))


dynamic_update_slice_p = DynamicUpdateSlice()


# -- along one axis -----------------------------------------------------------------------------------------


def _at_axis(operand: Any, index: Any, axis: int) -> tuple[list[Any], int]:
    """Start indices that are zero but for ``axis``."""
    rank = len(aval_of(operand).shape)
    if not -rank <= axis < rank:
        raise IndexError(f"axis {axis} is out of bounds for an operand with {rank} axes")
    starts = [np.zeros((), aval_of(index).dtype)[()]] * rank
    starts[axis] = index
    return starts, canonical_axis("axis", axis, rank)


def dynamic_slice_in_dim(
    operand: Any, start_index: Any, slice_size: int, axis: int = 0, *, allow_negative_indices: bool = True
) -> Any:
    """`dynamic_slice` along one axis.

    >>> dynamic_slice_in_dim(np.arange(5), 1, 2)
    Array([1, 2], dtype=int32)
    """
    starts, axis = _at_axis(operand, start_index, operator.index(axis))
    sizes = list(aval_of(operand).shape)
    sizes[axis] = operator.index(slice_size)
    return dynamic_slice(operand, starts, sizes, allow_negative_indices=allow_negative_indices)


def dynamic_index_in_dim(
    operand: Any, index: Any, axis: int = 0, keepdims: bool = True, *, allow_negative_indices: bool = True
) -> Any:
    """The slice of size 1 at a computed ``index`` of ``axis``, or with ``keepdims=False`` without that axis.

    >>> dynamic_index_in_dim(np.arange(5), 3, keepdims=False)
    Array(3, dtype=int32)
    """
    out = dynamic_slice_in_dim(operand, index, 1, axis, allow_negative_indices=allow_negative_indices)
    return out if keepdims else squeeze(out, (axis,))


def dynamic_update_slice_in_dim(
    operand: Any, update: Any, start_index: Any, axis: int, *, allow_negative_indices: bool = True
) -> Any:
    """`dynamic_update_slice` along one axis.

    >>> dynamic_update_slice_in_dim(np.zeros(4, np.float32), np.ones(2, np.float32), 1, 0)
    Array([0., 1., 1., 0.], dtype=float32)
    """
    starts, _ = _at_axis(operand, start_index, operator.index(axis))
    return dynamic_update_slice(operand, update, starts, allow_negative_indices=allow_negative_indices)


def dynamic_update_index_in_dim(
    operand: Any, update: Any, index: Any, axis: int, *, allow_negative_indices: bool = True
) -> Any:
    """``operand`` with ``update``, which may lack ``axis`` or have size 1 there, put at a computed ``index``.

    >>> dynamic_update_index_in_dim(np.zeros((2, 2), np.float32), np.ones(2, np.float32), 1, 0)
    Array([[0., 0.],
           [1., 1.]], dtype=float32)
    """
    axis = operator.index(axis)
    if len(aval_of(update).shape) + 1 == len(aval_of(operand).shape):
        update = expand_dims(update, (axis,))
    return dynamic_update_slice_in_dim(
        operand, update, index, axis, allow_negative_indices=allow_negative_indices
    )
