"""Elements picked by index arrays and conditions, and diagonals: take and its relatives."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from typing import Any

import numpy as np

from jaxlab import dtypes, lax
from jaxlab.core.aval import aval_of
from jaxlab.core.trace import Tracer
from jaxlab.errors import ConcretizationTypeError
from jaxlab.numpy.indexing import getitem
from jaxlab.numpy.manipulation import broadcast_arrays, moveaxis, ravel
from jaxlab.numpy.promotion import (
    broadcast_shapes,
    cast,
    check_arraylike,
    check_out,
    promote_dtypes,
)
from jaxlab.numpy.selection import nonzero, selected
from jaxlab.numpy.ufuncs_arithmetic import remainder
from jaxlab.numpy.ufuncs_rounding import clip
from jaxlab.numpy.wrapping import filled, named
from jaxlab.primitives.dimension_numbers import GatherScatterMode
from jaxlab.primitives.reshaping import canonical_axis

I32 = np.dtype(np.int32)


def take(
    a: Any,
    indices: Any,
    axis: int | None = None,
    out: None = None,
    mode: str | None = None,
    unique_indices: bool = False,
    indices_are_sorted: bool = False,
    fill_value: Any = None,
) -> Any:
    """The elements, or slices, at some places of an axis.

    Args:
      a: array.
      indices: array of integers; the result has its axes where ``axis`` was.
      axis: the axis to take from; None takes from the flattened array.
      out: not supported.
      mode: what is out of bounds gives ``fill_value`` ("fill", the default), or the nearest element ("clip"), or is
        counted from the start again ("wrap").
      unique_indices, indices_are_sorted: promises that let the program be faster.
      fill_value: NaN by default, the least of signed integers, the greatest of unsigned ones.

    Raises:
      TypeError: if ``indices`` are not integers.
      ValueError: if there is no such axis, or no such mode.
      NotImplementedError: if ``out`` is given, or ``mode="raise"``.

    >>> jnp.take(jnp.array([10, 20, 30]), jnp.array([2, 0]))
    Array([30, 10], dtype=int32)
    """
    check_out("take", out)
    check_arraylike("take", a, indices)
    return _take(
        a,
        indices,
        axis=None if axis is None else operator.index(axis),
        mode=mode,
        unique_indices=unique_indices,
        indices_are_sorted=indices_are_sorted,
        fill_value=fill_value,
    )


@named(static_argnames=("axis", "mode", "unique_indices", "indices_are_sorted", "fill_value"))
def _take(
    a: Any,
    indices: Any,
    *,
    axis: int | None,
    mode: str | None,
    unique_indices: bool,
    indices_are_sorted: bool,
    fill_value: Any,
) -> Any:
    if axis is None:
        a, axis = ravel(a), 0
    shape = aval_of(a).shape
    axis = canonical_axis("take", axis, len(shape))
    _check_integers("take", indices)
    size = shape[axis]
    places: Any
    if mode == "raise":
        raise NotImplementedError(
            "take: mode='raise' was given, but programs cannot raise; use 'fill', 'clip' or 'wrap'"
        )
    if mode == "wrap":
        places, mode = remainder(indices, number_like(indices, size)), "promise_in_bounds"
    elif mode == "clip":
        places = indices
    elif mode in (None, "fill"):
        places, mode = selected(_less(indices, 0), _plus(indices, size), indices), "fill"
    else:
        raise ValueError(f"take: mode={mode!r} was given, but it must be 'fill', 'clip' or 'wrap'")
    batch = aval_of(places).shape
    rank = len(batch)
    numbers = lax.GatherDimensionNumbers(
        offset_dims=(*range(axis), *range(axis + rank, len(shape) + rank - 1)),
        collapsed_slice_dims=(axis,),
        start_index_map=(axis,),
    )
    return lax.gather(
        a,
        lax.expand_dims(places, (rank,)),
        numbers,
        (*shape[:axis], 1, *shape[axis + 1 :]),
        mode=mode,
        fill_value=fill_value,
        unique_indices=unique_indices,
        indices_are_sorted=indices_are_sorted,
    )


def _check_integers(name: str, indices: Any) -> None:
    dtype = aval_of(indices).dtype
    if not dtypes.issubdtype(dtype, np.integer):
        raise TypeError(
            f"{name}: the indices have dtype {dtype.name}, but integers are needed; convert them with astype"
        )


def number_like(x: Any, value: int) -> Any:
    """A number of the dtype of ``x``, and weakly typed as it is."""
    aval = aval_of(x)
    return value if aval.weak_type else aval.dtype.type(value)


def _less(x: Any, value: int) -> Any:
    return lax.lt(x, number_like(x, value))


def _plus(x: Any, value: int) -> Any:
    return lax.add(x, number_like(x, value))


def places_from_start(x: Any, size: int) -> Any:
    """Places along an axis of a size, where negative ones are counted from its end."""
    return lax.select_n(_less(x, 0), x, _plus(x, size)) if aval_of(x).dtype.kind != "u" else x


@named(static_argnames=("axis", "mode", "fill_value", "wrap_negative_indices"))
def take_along_axis(
    arr: Any,
    indices: Any,
    axis: int | None = -1,
    mode: Any = None,
    fill_value: Any = None,
    *,
    wrap_negative_indices: bool | None = None,
) -> Any:
    """For each index the element at that place of the axis, with the other indices its own: what `argsort` asks for.

    Args:
      arr: array.
      indices: array of integers with as many axes; the others broadcast.
      axis: the axis to take from; None takes from the flattened array.
      mode, fill_value: what is out of bounds gives ``fill_value`` ("fill", the default) or the nearest
      element ("clip").
      wrap_negative_indices: whether negative indices count from the end; they do by default.

    Raises:
      TypeError: if the indices are not integers.
      ValueError: if there is no such axis, or ``indices`` has another number of axes.

    >>> x = jnp.array([[3, 1, 2]])
    >>> jnp.take_along_axis(x, jnp.argsort(x), axis=1)
    Array([[1, 2, 3]], dtype=int32)
    """
    check_arraylike("take_along_axis", arr, indices)
    _check_integers("take_along_axis", indices)
    if axis is None:
        if len(aval_of(indices).shape) != 1:
            raise ValueError(
                f"take_along_axis: indices have shape {aval_of(indices).shape}, but one axis is needed for axis=None"
            )
        arr, axis = ravel(arr), 0
    shape, wanted = aval_of(arr).shape, aval_of(indices).shape
    if len(shape) != len(wanted):
        raise ValueError(
            f"take_along_axis: an array of shape {shape} and indices of shape {wanted} were given, but they "
            f"must have as "
            "many axes"
        )
    axis = canonical_axis("take_along_axis", axis, len(shape))
    if wrap_negative_indices is None or wrap_negative_indices:
        indices = places_from_start(indices, shape[axis])
    out_shape = [
        wanted[i] if i == axis else broadcast_shapes((shape[i],), (wanted[i],))[0] for i in range(len(shape))
    ]
    if 0 in out_shape:
        return lax.broadcast_in_dim(aval_of(arr).dtype.type(0), tuple(out_shape), ())
    # An axis that the indices do not vary along is taken whole; one that the array does not vary along, at 0.
    whole = [i for i in range(len(shape)) if i != axis and wanted[i] == 1 and shape[i] != 1]
    paired = [i for i in range(len(shape)) if i != axis and i not in whole and shape[i] != 1]
    kept = [i for i in range(len(shape)) if i not in whole]
    numbers = lax.GatherDimensionNumbers(
        offset_dims=tuple(whole),
        collapsed_slice_dims=tuple([i for i in kept if i not in paired]),
        start_index_map=(axis,),
        operand_batching_dims=tuple(paired),
        start_indices_batching_dims=tuple([kept.index(i) for i in paired]),
    )
    return lax.gather(
        arr,
        lax.reshape(indices, (*[wanted[i] for i in kept], 1)),
        numbers,
        tuple([shape[i] if i in whole else 1 for i in range(len(shape))]),
        mode=GatherScatterMode.from_any("fill" if mode is None else mode),
        fill_value=fill_value,
    )


def choose(a: Any, choices: Any, out: None = None, mode: str = "raise") -> Any:
    """At each place the choice with the number that ``a`` has there.

    Args:
      a: array of integers.
      choices: arrays, whose dtypes are promoted, or one array, whose rows are the choices; all broadcast with ``a``.
      out: not supported.
      mode: numbers that no choice has: "raise", or "wrap" or "clip" them; traced arrays cannot raise.

    Raises:
      ValueError: if with ``mode="raise"`` there is no such choice, or for another mode.
      ConcretizationTypeError: if with ``mode="raise"`` the array is traced.

    >>> jnp.choose(jnp.array([0, 1]), [jnp.array([1, 2]), jnp.array([10, 20])])
    Array([ 1, 20], dtype=int32)
    """
    check_out("choose", out)
    if isinstance(choices, Sequence):
        check_arraylike("choose", a, *choices)
        arrays = list(choices)
    else:
        check_arraylike("choose", a, choices)
        arrays = list(lax.unstack(choices))
    _check_integers("choose", a)
    count = len(arrays)
    if mode == "raise":
        if isinstance(a, Tracer):
            raise ConcretizationTypeError(
                a, "choose with mode='raise'; use mode='wrap' or mode='clip': choose"
            )
        given = np.asarray(a)
        if ((given < 0) | (given >= count)).any():
            raise ValueError(
                f"choose: the array has numbers outside of 0 to {count - 1}, but there are {count} choices"
            )
    elif mode == "clip":
        a = clip(a, 0, count - 1)
    elif mode == "wrap":
        a = remainder(a, count)
    else:
        raise ValueError(f"choose: mode={mode!r} was given, but it must be 'raise', 'clip' or 'wrap'")
    index, *rows = broadcast_arrays(a, *promote_dtypes(*arrays))
    stacked = lax.concatenate([lax.expand_dims(row, (0,)) for row in rows], 0)
    shape = aval_of(index).shape
    own = [
        lax.broadcast_in_dim(lax.iota(I32, size), [size if j == i else 1 for j in range(len(shape))], (i,))
        for i, size in enumerate(shape)
    ]
    return getitem(stacked, (index, *own))


def compress(
    condition: Any,
    a: Any,
    axis: int | None = None,
    *,
    size: int | None = None,
    fill_value: Any = 0,
    out: None = None,
) -> Any:
    """The slices along an axis where a condition holds.

    Args:
      condition: array of booleans with one axis; where it is shorter than the array's, the rest is left out.
      a: array.
      axis: the axis; None flattens the array first.
      size: how many slices the result has room for; needed in a traced function. Where there are fewer, the rest holds
        ``fill_value``.
      out: not supported.

    Raises:
      ValueError: if the condition has several axes, or holds beyond the end of the array.
      ConcretizationTypeError: if the condition is traced and ``size`` is not given.

    >>> jnp.compress(jnp.array([True, False, True]), jnp.array([1, 2, 3]))
    Array([1, 3], dtype=int32)
    """
    check_out("compress", out)
    check_arraylike("compress", condition, a)
    if len(aval_of(condition).shape) != 1:
        raise ValueError(
            f"compress: the condition has shape {aval_of(condition).shape}, but one axis is needed"
        )
    if axis is None:
        a, axis = ravel(a), 0
    shape = aval_of(a).shape
    axis = canonical_axis("compress", axis, len(shape))
    length, count = shape[axis], aval_of(condition).shape[0]
    if count > length:
        if not isinstance(condition, Tracer) and np.asarray(condition)[length:].any():
            raise ValueError(
                f"compress: the condition has {count} entries and holds beyond the axis of size {length}"
            )
        condition = lax.slice(condition, (0,), (length,))
    (places,) = nonzero(condition, size=size, fill_value=length)
    taken = take(a, places, axis, mode="fill", fill_value=None if size is None else 0)
    if size is None or fill_value == 0:
        return taken
    there = lax.broadcast_in_dim(_less(places, length), aval_of(taken).shape, (axis,))
    return lax.select(there, taken, filled(taken, fill_value))


def extract(condition: Any, arr: Any, *, size: int | None = None, fill_value: Any = 0) -> Any:
    """The elements where a condition holds, along one axis; ``size`` and ``fill_value`` as in `compress`.

    >>> jnp.extract(jnp.array([[True, False], [False, True]]), jnp.array([[1, 2], [3, 4]]))
    Array([1, 4], dtype=int32)
    """
    return compress(ravel(condition), ravel(arr), size=size, fill_value=fill_value)


@named(static_argnames=("offset", "axis1", "axis2"))
def diagonal(a: Any, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Any:
    """The diagonal of the matrices in two axes, as the last axis of the result.

    Args:
      a: array with at least two axes.
      offset: the diagonal so far right of the main one.
      axis1, axis2: the two axes.

    Raises:
      ValueError: if there are fewer than two axes, or no such axis.

    >>> jnp.diagonal(jnp.array([[1, 2], [3, 4]]))
    Array([1, 4], dtype=int32)
    """
    check_arraylike("diagonal", a)
    ndim = len(aval_of(a).shape)
    if ndim < 2:
        raise ValueError(f"diagonal: the array has {ndim} axes, but at least two are needed")
    a = moveaxis(a, (axis1, axis2), (-2, -1))
    rows, columns = aval_of(a).shape[-2:]
    size = max(0, min(rows + min(offset, 0), columns - max(offset, 0)))
    i, j = lax.iota(I32, size), lax.iota(I32, size)
    i = lax.add(np.int32(-offset), i) if offset < 0 else i
    j = lax.add(np.int32(offset), j) if offset > 0 else j
    return getitem(a, (..., i, j))


@named(static_argnames=("axis1", "axis2", "dtype", "out"))
def trace(
    a: Any, offset: Any = 0, axis1: int = 0, axis2: int = 1, dtype: Any = None, out: None = None
) -> Any:
    """The sum of a diagonal of the matrices in two axes.

    Args:
      a: array with at least two axes.
      offset: the diagonal so far right of the main one; it may be traced.
      axis1, axis2: the two axes.
      dtype: the dtype of the sum.
      out: not supported.

    Raises:
      ValueError: if there are fewer than two axes, or no such axis.

    >>> jnp.trace(jnp.array([[1, 2], [3, 4]]))
    Array(5, dtype=int32)
    """
    check_out("trace", out)
    check_arraylike("trace", a)
    if len(aval_of(a).shape) < 2:
        raise ValueError(f"trace: the array has {len(aval_of(a).shape)} axes, but at least two are needed")
    ndim = len(aval_of(a).shape)
    first, second = canonical_axis("trace", axis1, ndim), canonical_axis("trace", axis2, ndim)
    rest = [i for i in range(ndim) if i not in (first, second)]
    a = lax.transpose(a, (*rest, first, second))
    aval = aval_of(a)
    matrix = aval.shape[-2:]
    rows, columns = lax.broadcasted_iota(I32, matrix, 0), lax.broadcasted_iota(I32, matrix, 1)
    there = lax.eq(lax.add(rows, cast(offset, I32)), columns)
    a = selected(there, a, filled(a, 0))
    wanted = dtypes.canonicalize(dtype) if dtype is not None else _sum_dtype(aval.dtype)
    return lax.reduce_sum(cast(a, wanted), (ndim - 2, ndim - 1))


def _sum_dtype(dtype: Any) -> Any:
    """The dtype in which sums are computed: narrow integers and booleans would overflow."""
    if dtype.kind in "bi" and dtype.itemsize < dtypes.python_scalar_dtype(int).itemsize:
        return dtypes.python_scalar_dtype(int)
    if dtype.kind == "u" and dtype.itemsize < 4:
        return np.dtype(np.uint32)
    return dtype
