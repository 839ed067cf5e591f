"""Indices of triangles, diagonals and grids, and flat indices from them and back."""

from __future__ import annotations

import math
import operator
from collections.abc import Sequence
from typing import Any

import numpy as np

from jaxlab import dtypes, lax
from jaxlab.core.aval import aval_of
from jaxlab.core.trace import Tracer
from jaxlab.errors import ConcretizationTypeError
from jaxlab.numpy.promotion import cast, check_arraylike
from jaxlab.numpy.ufuncs_arithmetic import add, floor_divide, multiply, remainder
from jaxlab.numpy.ufuncs_rounding import clip
from jaxlab.numpy.wrapping import BOOL, as_array
from jaxlab.runtime.array import put

I32 = np.dtype(np.int32)


def _put(places: Sequence[np.ndarray]) -> tuple[Any, ...]:
    return tuple(put(p.astype(I32)) for p in places)


def tril_indices(n: int, k: int = 0, m: int | None = None) -> tuple[Any, Any]:
    """The rows and columns of the lower triangle of a matrix.

    Args:
      n, m: the numbers of rows and columns; ``m`` is ``n`` by default.
      k: the last diagonal that belongs to it, counted to the right of the main one.

    >>> jnp.tril_indices(2)
    (Array([0, 1, 1], dtype=int32), Array([0, 0, 1], dtype=int32))
    """
    return _put(np.tril_indices(operator.index(n), operator.index(k), m))  # type: ignore[return-value]


def triu_indices(n: int, k: int = 0, m: int | None = None) -> tuple[Any, Any]:
    """The rows and columns of the upper triangle of a matrix; arguments as of `tril_indices`, ``k`` is the
    first diagonal.

    >>> jnp.triu_indices(2)
    (Array([0, 0, 1], dtype=int32), Array([0, 1, 1], dtype=int32))
    """
    return _put(np.triu_indices(operator.index(n), operator.index(k), m))  # type: ignore[return-value]


def _matrix(name: str, arr: Any) -> tuple[int, int]:
    shape = tuple(arr.shape)
    if len(shape) != 2:
        raise ValueError(f"{name}: an array of shape {shape} was given, but a matrix is needed")
    return shape  # type: ignore[return-value]


def tril_indices_from(arr: Any, k: int = 0) -> tuple[Any, Any]:
    """`tril_indices` for the shape of a matrix.

    >>> jnp.tril_indices_from(jnp.ones((2, 2)))
    (Array([0, 1, 1], dtype=int32), Array([0, 0, 1], dtype=int32))
    """
    rows, columns = _matrix("tril_indices_from", arr)
    return tril_indices(rows, k, columns)


def triu_indices_from(arr: Any, k: int = 0) -> tuple[Any, Any]:
    """`triu_indices` for the shape of a matrix.

    >>> jnp.triu_indices_from(jnp.ones((2, 2)))
    (Array([0, 0, 1], dtype=int32), Array([0, 1, 1], dtype=int32))
    """
    rows, columns = _matrix("triu_indices_from", arr)
    return triu_indices(rows, k, columns)


def diag_indices(n: int, ndim: int = 2) -> tuple[Any, ...]:
    """The indices of the main diagonal of an array with ``ndim`` axes of size ``n``.

    Raises:
      ValueError: if one of them is negative.

    >>> jnp.diag_indices(2)
    (Array([0, 1], dtype=int32), Array([0, 1], dtype=int32))
    """
    n, ndim = operator.index(n), operator.index(ndim)
    if n < 0 or ndim < 0:
        raise ValueError(f"diag_indices: n={n} and ndim={ndim} were given, but both must be 0 or more")
    return (lax.iota(I32, n),) * ndim


def diag_indices_from(arr: Any) -> tuple[Any, ...]:
    """`diag_indices` for the shape of an array, whose axes are of one size.

    Raises:
      ValueError: if there are fewer than two axes, or their sizes differ.

    >>> jnp.diag_indices_from(jnp.ones((2, 2)))
    (Array([0, 1], dtype=int32), Array([0, 1], dtype=int32))
    """
    check_arraylike("diag_indices_from", arr)
    shape = aval_of(arr).shape
    if len(shape) < 2 or len(set(shape)) > 1:
        raise ValueError(
            f"diag_indices_from: an array of shape {shape} was given, but two or more axes of one size are needed"
        )
    return diag_indices(shape[0], len(shape))


def ix_(*args: Any) -> tuple[Any, ...]:
    """The index arrays that pick rows, columns, ... from an array: each varies along an axis of its own.

    Args:
      args: arrays of integers with one axis, or of booleans, which stand for the places where they hold.

    Raises:
      ValueError: if one has other than one axis.
      ConcretizationTypeError: if an array of booleans is traced.

    >>> x = jnp.arange(9).reshape(3, 3)
    >>> x[jnp.ix_(jnp.array([0, 2]), jnp.array([1, 2]))]
    Array([[1, 2],
           [7, 8]], dtype=int32)
    """
    check_arraylike("ix_", *args)
    result = []
    for i, x in enumerate(args):
        aval = aval_of(x)
        if len(aval.shape) != 1:
            raise ValueError(f"ix_: argument {i} has shape {aval.shape}, but one axis is needed")
        if aval.dtype == BOOL:
            if isinstance(x, Tracer):
                raise ConcretizationTypeError(x, "ix_: the number of places depends on values: ix_")
            x = put(np.nonzero(np.asarray(x))[0].astype(I32))
        result.append(lax.expand_dims(as_array(x), [j for j in range(len(args)) if j != i]))
    return tuple(result)


def unravel_index(indices: Any, shape: Any) -> tuple[Any, ...]:
    """The index along each axis of the elements with some flat indices, in row-major order.

    Args:
      indices: array of integers; those out of bounds are taken to the nearest element.
      shape: the shape of the array that is indexed.

    Raises:
      TypeError: if the indices are not integers.

    >>> jnp.unravel_index(jnp.array([1, 5]), (2, 3))
    (Array([0, 1], dtype=int32), Array([1, 2], dtype=int32))
    """
    check_arraylike("unravel_index", indices)
    if not dtypes.issubdtype(aval_of(indices).dtype, np.integer):
        raise TypeError(
            f"unravel_index: indices of dtype {aval_of(indices).dtype.name} were given, but integers are needed"
        )
    sizes = tuple(shape) if isinstance(shape, Sequence) else (shape,)
    sizes = tuple([operator.index(size) for size in sizes])
    total = math.prod(sizes)
    rest = clip(indices, -total, max(total - 1, 0))
    rest = lax.select_n(lax.lt(rest, _like(rest, 0)), rest, lax.add(rest, _like(rest, total)))
    found = []
    for size in reversed(sizes):
        found.append(remainder(rest, max(size, 1)))
        rest = floor_divide(rest, max(size, 1))
    return tuple(found[::-1])


def _like(x: Any, value: int) -> Any:
    aval = aval_of(x)
    return value if aval.weak_type else aval.dtype.type(value)


def ravel_multi_index(
    multi_index: Sequence[Any],
    dims: Sequence[int],
    mode: str = "raise",
    order: str = "C",
    *,
    dtype: Any = None,
) -> Any:
    """The flat indices of elements given by their index along each axis.

    Args:
      multi_index: for each axis an array of integers.
      dims: the shape of the array that is indexed.
      mode: what is out of bounds: "raise", which traced indices cannot, or "wrap" or "clip".
      order: "C" for row-major, "F" for column-major order.
      dtype: the dtype of the result.

    Raises:
      ValueError: if with ``mode="raise"`` an index is out of bounds, or the numbers of arrays and axes differ.
      TypeError: if the indices are not integers.
      ConcretizationTypeError: if with ``mode="raise"`` an index is traced.

    >>> jnp.ravel_multi_index((jnp.array([0, 1]), jnp.array([1, 2])), (2, 3))
    Array([1, 5], dtype=int32)
    """
    if len(multi_index) != len(dims):
        raise ValueError(
            f"ravel_multi_index: {len(multi_index)} index arrays were given for {len(dims)} axes"
        )
    check_arraylike("ravel_multi_index", *multi_index)
    for i in multi_index:
        if not dtypes.issubdtype(aval_of(i).dtype, np.integer):
            raise TypeError(
                f"ravel_multi_index: indices of dtype {aval_of(i).dtype.name} were given, but integers are needed"
            )
    sizes = [operator.index(d) for d in dims]
    places = [as_array(i) for i in multi_index]
    if mode == "raise":
        for i, size in zip(places, sizes, strict=True):
            if isinstance(i, Tracer):
                raise ConcretizationTypeError(
                    i, "ravel_multi_index with mode='raise'; use 'wrap' or 'clip': ravel_multi_index"
                )
            given = np.asarray(i)
            if ((given < 0) | (given >= size)).any():
                raise ValueError(f"ravel_multi_index: an index is out of bounds for an axis of size {size}")
    elif mode == "clip":
        places = [clip(i, 0, size - 1) for i, size in zip(places, sizes, strict=True)]
    elif mode == "wrap":
        places = [remainder(i, size) for i, size in zip(places, sizes, strict=True)]
    else:
        raise ValueError(
            f"ravel_multi_index: mode={mode!r} was given, but it must be 'raise', 'wrap' or 'clip'"
        )
    if order not in ("C", "F"):
        raise ValueError(f"ravel_multi_index: order={order!r} was given, but it must be 'C' or 'F'")
    strides = [math.prod(sizes[i + 1 :] if order == "C" else sizes[:i]) for i in range(len(sizes))]
    wanted = dtypes.python_scalar_dtype(int) if dtype is None else dtypes.canonicalize(dtype)
    result: Any = wanted.type(0)
    for i, stride in zip(places, strides, strict=True):
        result = add.__wrapped__(result, multiply.__wrapped__(i, wanted.type(stride)))
    return cast(as_array(result), wanted)
