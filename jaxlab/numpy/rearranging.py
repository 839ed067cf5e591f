"""Elements in other places: repeated, turned round, rolled, inserted and deleted."""

from __future__ import annotations

import math
import operator
from collections.abc import Sequence
from typing import Any

import numpy as np

from jaxlab import lax
from jaxlab.core.aval import aval_of
from jaxlab.core.trace import Tracer
from jaxlab.errors import ConcretizationTypeError
from jaxlab.numpy.cumulative import cumsum
from jaxlab.numpy.indexing import from_start, getitem
from jaxlab.numpy.manipulation import axes_of, moveaxis, ravel, reshape
from jaxlab.numpy.promotion import broadcast_to_shape, cast, check_arraylike
from jaxlab.numpy.taking import take
from jaxlab.numpy.ufuncs_arithmetic import remainder
from jaxlab.numpy.updates import at
from jaxlab.numpy.wrapping import as_array, named
from jaxlab.primitives.reshaping import canonical_axis
from jaxlab.runtime.array import Array, put

I32 = np.dtype(np.int32)


def tile(A: Any, reps: Any) -> Any:
    """The array laid end to end with itself.

    Args:
      A: array or number.
      reps: how often along each axis, or along the last one; missing axes are put in front, of either.

    >>> jnp.tile(jnp.array([1, 2]), (2, 2))
    Array([[1, 2, 1, 2],
           [1, 2, 1, 2]], dtype=int32)
    """
    check_arraylike("tile", A)
    counts = (
        tuple([operator.index(n) for n in reps]) if isinstance(reps, Sequence) else (operator.index(reps),)
    )
    ndim = len(aval_of(A).shape)
    A = lax.expand_dims(A, range(max(0, len(counts) - ndim)))
    return lax.tile(A, (1,) * (ndim - len(counts)) + counts)


def repeat(a: Any, repeats: Any, axis: int | None = None, *, total_repeat_length: int | None = None) -> Any:
    """The array with each element, or slice, repeated.

    Args:
      a: array or number.
      repeats: how often: an integer, or an array with a number for each slice.
      axis: the axis to repeat along; None flattens the array first.
      total_repeat_length: the size of the result along the axis, needed where ``repeats`` is a traced array. The last
        slice fills what is left.

    Raises:
      ConcretizationTypeError: if ``repeats`` is traced and ``total_repeat_length`` is not given.
      ValueError: if there is no such axis, or not one number for each slice.

    >>> jnp.repeat(jnp.array([1, 2]), 2)
    Array([1, 1, 2, 2], dtype=int32)
    """
    check_arraylike("repeat", a)
    if axis is None:
        a, axis = ravel(a), 0
    shape = aval_of(a).shape
    if not shape:
        a, shape = reshape(a, 1), (1,)
    axis = canonical_axis("repeat", operator.index(axis), len(shape))
    size = shape[axis]
    if total_repeat_length is None:
        if isinstance(repeats, Tracer):
            raise ConcretizationTypeError(
                repeats,
                "repeat: how often to repeat decides the shape of the result; give total_repeat_length=: repeat",
            )
        counts = np.asarray(repeats)
        if counts.size == 1:
            return _repeat_each(a, axis, operator.index(counts.reshape(()).item()))
        total = int(counts.sum())
    else:
        total = operator.index(total_repeat_length)
        counts = repeats if isinstance(repeats, Tracer | Array) else np.asarray(repeats)
        if total < 0:
            raise ValueError(f"repeat: total_repeat_length={total} was given, but it must be 0 or more")
    if aval_of(counts).size == 1:
        counts = broadcast_to_shape(reshape(counts, 1), (size,))
    if aval_of(counts).shape != (size,):
        raise ValueError(
            f"repeat: repeats have shape {aval_of(counts).shape}, but axis {axis} has size {size}"
        )
    if not size or not total:
        return lax.full((*shape[:axis], total if size else 0, *shape[axis + 1 :]), 0, aval_of(a).dtype)
    # A mark at the first place of each slice; the running total of marks is the number of the slice.
    starts = cumsum(at(roll(counts, 1)).__getitem__(0).set(0))
    marks = at(lax.full((total,), 0, I32)).__getitem__(starts).add(1)
    return take(a, lax.sub(cumsum(marks), lax.full((), 1, I32)), axis)


def _repeat_each(a: Any, axis: int, count: int) -> Any:
    if count < 0:
        raise ValueError(f"repeat: repeats={count} was given, but it must be 0 or more")
    shape = aval_of(a).shape
    spread = (*shape[: axis + 1], count, *shape[axis + 1 :])
    own = [i for i in range(len(spread)) if i != axis + 1]
    return lax.reshape(
        lax.broadcast_in_dim(a, spread, own), (*shape[:axis], shape[axis] * count, *shape[axis + 1 :])
    )


@named(static_argnames=("axis",))
def _flip(m: Any, axis: int | tuple[int, ...] | None = None) -> Any:
    ndim = len(aval_of(m).shape)
    return as_array(lax.rev(m, range(ndim) if axis is None else axes_of("flip", axis, ndim)))


def flip(m: Any, axis: int | Sequence[int] | None = None) -> Any:
    """The array with the order of its elements turned round along some axes, or all.

    Raises:
      ValueError: if there is no such axis.

    >>> jnp.flip(jnp.array([1, 2, 3]))
    Array([3, 2, 1], dtype=int32)
    """
    check_arraylike("flip", m)
    return _flip(m, tuple(axis) if isinstance(axis, Sequence) else axis)


def fliplr(m: Any) -> Any:
    """`flip` along the second axis.

    >>> jnp.fliplr(jnp.array([[1, 2]]))
    Array([[2, 1]], dtype=int32)
    """
    check_arraylike("fliplr", m)
    return _flip(m, 1)


def flipud(m: Any) -> Any:
    """`flip` along the first axis.

    >>> jnp.flipud(jnp.array([[1], [2]]))
    Array([[2],
           [1]], dtype=int32)
    """
    check_arraylike("flipud", m)
    return _flip(m, 0)


@named(static_argnames=("k", "axes"))
def rot90(m: Any, k: int = 1, axes: tuple[int, int] = (0, 1)) -> Any:
    """The array turned by a right angle in the plane of two axes, from the first to the second.

    Args:
      m: array with at least two axes.
      k: how many times to turn.
      axes: the two axes.

    Raises:
      ValueError: if the axes are equal or do not exist.

    >>> jnp.rot90(jnp.array([[1, 2], [3, 4]]))
    Array([[2, 4],
           [1, 3]], dtype=int32)
    """
    check_arraylike("rot90", m)
    ndim = len(aval_of(m).shape)
    if ndim < 2:
        raise ValueError(f"rot90: the array has {ndim} axes, but at least two are needed")
    first, second = axes_of("rot90", axes, ndim)
    k %= 4
    order = list(range(ndim))
    order[first], order[second] = second, first
    if k == 0:
        return as_array(m)
    if k == 2:
        return flip(flip(m, first), second)
    return lax.transpose(flip(m, second), order) if k == 1 else flip(lax.transpose(m, order), second)


def roll(a: Any, shift: Any, axis: int | Sequence[int] | None = None) -> Any:
    """The elements moved along axes; those beyond the end come in at the start.

    Args:
      a: array.
      shift: how far: an integer, or one for each axis; it may be traced.
      axis: the axes; None rolls the flattened array.

    Raises:
      ValueError: if there is no such axis, or shifts and axes differ in number.

    >>> jnp.roll(jnp.array([1, 2, 3]), 1)
    Array([3, 1, 2], dtype=int32)
    """
    check_arraylike("roll", a)
    shape = aval_of(a).shape
    if axis is None:
        return reshape(roll(ravel(a), shift, 0), shape)
    axes = axes_of_any("roll", axis, len(shape))
    if isinstance(shift, Tracer | Array):
        return _roll_dynamic(a, shift, axis=axes)
    shifts = np.broadcast_to(np.asarray(shift), (max(len(axes), np.size(shift)),))
    axes = axes * len(shifts) if len(axes) == 1 else axes
    if len(shifts) != len(axes):
        raise ValueError(f"roll: {np.size(shift)} shifts and {len(axes)} axes were given; give one for each")
    return _roll_static(a, shift=tuple([operator.index(s) for s in shifts]), axis=axes)


def axes_of_any(name: str, axis: Any, ndim: int) -> tuple[int, ...]:
    """One axis, or several that may be named twice, counted from the front."""
    given = axis if isinstance(axis, Sequence) else (axis,)
    return tuple([canonical_axis(name, operator.index(a), ndim) for a in given])


@named(static_argnames=("shift", "axis"))
def _roll_static(a: Any, *, shift: tuple[int, ...], axis: tuple[int, ...]) -> Any:
    for by, along in zip(shift, axis, strict=True):
        size = aval_of(a).shape[along]
        if size:
            cut = (size - by) % size
            parts = [lax.slice_in_dim(a, cut, size, axis=along), lax.slice_in_dim(a, 0, cut, axis=along)]
            a = lax.concatenate(parts, along)
    return as_array(a)


@named(static_argnames=("axis",))
def _roll_dynamic(a: Any, shift: Any, *, axis: tuple[int, ...]) -> Any:
    shift = broadcast_to_shape(shift, (len(axis),))
    for number, along in enumerate(axis):
        shape = aval_of(a).shape
        size = shape[along]
        by = cast(lax.index_in_dim(shift, number, keepdims=False), I32)
        by = remainder(by, lax.max(I32.type(size), I32.type(1)))
        a = lax.dynamic_slice_in_dim(lax.concatenate([a, a], along), lax.sub(I32.type(size), by), size, along)
    return as_array(a)


def _resize(a: Any, *, new_shape: tuple[int, ...]) -> Any:
    total, flat = math.prod(new_shape), ravel(a)
    given = aval_of(flat).shape[0]
    if not total or not given:
        return lax.full(new_shape, 0, aval_of(flat).dtype)
    repeated = lax.tile(flat, (-(-total // given),))
    if aval_of(repeated).shape[0] > total:
        repeated = lax.slice(repeated, (0,), (total,))
    return lax.reshape(repeated, new_shape)


_resize.__name__ = "resize"  # as the equation is called
_resized = named(_resize, static_argnames=("new_shape",))


def resize(a: Any, new_shape: Any) -> Any:
    """The elements in another shape of any size: repeated from the first on where there are too few.

    Raises:
      ValueError: if a size is negative.

    >>> jnp.resize(jnp.array([1, 2, 3]), (2, 2))
    Array([[1, 2],
           [3, 1]], dtype=int32)
    """
    check_arraylike("resize", a)
    shape = (
        tuple([operator.index(n) for n in new_shape])
        if isinstance(new_shape, Sequence)
        else (operator.index(new_shape),)
    )
    if any(size < 0 for size in shape):
        raise ValueError(f"resize: the shape {shape} was given, but sizes must be 0 or more")
    return _resized(a, new_shape=shape)


def insert(arr: Any, obj: Any, values: Any, axis: int | None = None) -> Any:
    """The array with values inserted before some places of an axis.

    Args:
      arr: array.
      obj: an integer, a slice, or an array of integers: the places, as they are before anything is inserted.
      values: what to insert; it broadcasts.
      axis: the axis; None flattens the array first.

    Raises:
      ValueError: if there is no such axis.

    >>> jnp.insert(jnp.array([1, 2]), 1, 9)
    Array([1, 9, 2], dtype=int32)
    """
    check_arraylike("insert", arr, 0 if isinstance(obj, slice) else obj, values)
    if axis is None:
        arr, axis = ravel(arr), 0
    shape = aval_of(arr).shape
    axis = canonical_axis("insert", axis, len(shape))
    size, dtype = shape[axis], aval_of(arr).dtype
    if isinstance(obj, slice):
        obj = np.arange(*obj.indices(size), dtype=np.int32)
    single = not aval_of(obj).shape
    given = aval_of(values).shape
    values = cast(lax.expand_dims(values, range(max(0, len(shape) - len(given)))), dtype)
    if single:
        # A row of values for one place: its first axis is the one along the result's axis.
        values = moveaxis(values, 0, axis) if len(given) < len(shape) else values
        count = aval_of(values).shape[axis]
        places = broadcast_to_shape(reshape(cast(obj, I32), 1), (count,))
    else:
        places = ravel(cast(obj, I32))
        count = aval_of(places).shape[0]
    places = lax.clamp(I32.type(0), from_start(places, size), I32.type(size))
    # Each place moves by the number of values inserted before it.
    order = lax.iota(I32, count)
    _, by = lax.sort((places, order), num_keys=1, is_stable=True)
    _, rank = lax.sort((by, order), num_keys=1)
    places = lax.add(places, rank)
    total = size + count
    free = at(lax.full((total,), True, np.dtype(np.bool_))).__getitem__(places).set(False)
    _, rest = lax.sort((lax.bitwise_not(free), lax.iota(I32, total)), num_keys=1, is_stable=True)
    rest = lax.slice(rest, (0,), (size,))
    before = (slice(None),) * axis
    out = lax.full((*shape[:axis], total, *shape[axis + 1 :]), 0, dtype)
    out = at(out).__getitem__((*before, places)).set(values)
    return at(out).__getitem__((*before, rest)).set(arr)


def delete(arr: Any, obj: Any, axis: int | None = None, *, assume_unique_indices: bool = False) -> Any:
    """The array without the slices at some places of an axis.

    Args:
      arr: array.
      obj: an integer, a slice, an array of integers, or a mask: the places. They must be known while tracing, unless
        ``assume_unique_indices`` is given.
      axis: the axis; None flattens the array first.
      assume_unique_indices: promises that no place occurs twice, so that the shape of the result is known.

    Raises:
      IndexError: if a place does not exist.
      ConcretizationTypeError: if the places are traced, and not promised to be distinct.

    >>> jnp.delete(jnp.array([1, 2, 3]), 1)
    Array([1, 3], dtype=int32)
    """
    check_arraylike("delete", arr)
    if axis is None:
        arr, axis = ravel(arr), 0
    shape = aval_of(arr).shape
    axis = canonical_axis("delete", axis, len(shape))
    size = shape[axis]
    if isinstance(obj, Tracer):
        if not assume_unique_indices or not aval_of(obj).shape:
            raise ConcretizationTypeError(
                obj,
                "delete: the places decide the shape of the result; give assume_unique_indices=True: delete",
            )
        return _delete_distinct(arr, ravel(obj), axis, size)
    if isinstance(obj, slice):
        places = np.arange(*obj.indices(size))
    else:
        places = np.asarray(obj)
    if places.dtype.kind == "b":
        if places.shape != (size,):
            raise ValueError(
                f"delete: a mask of shape {places.shape} was given, but axis {axis} has size {size}"
            )
        kept = ~places
    else:
        if places.size and (places.dtype.kind not in "iu"):
            raise TypeError(
                f"delete: places of dtype {places.dtype} were given, but integers or booleans are needed"
            )
        wrong = places[(places < -size) | (places >= size)] if places.size else places
        if wrong.size:
            raise IndexError(f"delete: the place {wrong.flat[0]} is out of bounds for an axis of size {size}")
        if places.ndim == 0:
            cut = int(places) % size
            return lax.concatenate(
                [
                    lax.slice(arr, (0,) * len(shape), (*shape[:axis], cut, *shape[axis + 1 :])),
                    _rest(arr, axis, cut + 1),
                ],
                axis,
            )
        kept = np.ones(size, bool)
        kept[places.astype(int)] = False
    return getitem(arr, (*(slice(None),) * axis, np.nonzero(kept)[0]))


def _rest(x: Any, axis: int, start: int) -> Any:
    shape = aval_of(x).shape
    return lax.slice(x, (*(0,) * axis, start, *(0,) * (len(shape) - axis - 1)), shape)


def _delete_distinct(arr: Any, places: Any, axis: int, size: int) -> Any:
    places = lax.clamp(I32.type(0), from_start(cast(places, I32), size), I32.type(size))
    count = aval_of(places).shape[0]
    steps = lax.sub(lax.sort(places), lax.iota(I32, count))
    kept = lax.iota(I32, size - count)
    shape = (count, size - count)
    passed = lax.ge(lax.broadcast_in_dim(kept, shape, (1,)), lax.broadcast_in_dim(steps, shape, (0,)))
    kept = lax.add(kept, lax.reduce_sum(lax.convert_element_type(passed, I32), (0,)))
    return getitem(arr, (*(slice(None),) * axis, kept))


def trim_zeros(filt: Any, trim: str = "fb", axis: int | Sequence[int] | None = None) -> Any:
    """The array without the zeros at its ends. Not in traced functions, since the shape depends on values.

    Args:
      filt: array.
      trim: which ends: "f" the front, "b" the back, or both.
      axis: the axes to trim; all by default.

    Raises:
      ConcretizationTypeError: if the array is traced.

    >>> jnp.trim_zeros(jnp.array([0, 1, 0, 2, 0]))
    Array([1, 0, 2], dtype=int32)
    """
    check_arraylike("trim_zeros", filt)
    if isinstance(filt, Tracer):
        raise ConcretizationTypeError(
            filt, "trim_zeros: the shape of the result depends on values: trim_zeros"
        )
    x = np.asarray(filt)
    axes = range(x.ndim) if axis is None else axes_of("trim_zeros", axis, x.ndim)
    index: list[slice] = [slice(None)] * x.ndim
    for i in axes:
        there = np.nonzero((x != 0).any(tuple(j for j in range(x.ndim) if j != i)))[0]
        first, last = (
            (there[0], there[-1] + 1)
            if there.size
            else (x.shape[i] if "f" in trim.lower() else 0, x.shape[i])
        )
        if not there.size and "f" not in trim.lower():
            last = 0
        index[i] = slice(first if "f" in trim.lower() else 0, last if "b" in trim.lower() else x.shape[i])
    return put(np.ascontiguousarray(x[tuple(index)]))
