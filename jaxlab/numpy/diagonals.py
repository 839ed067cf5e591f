"""Matrices that are known by their diagonals: identities, triangles, diagonals."""

from __future__ import annotations

import math
import operator
from typing import Any

import numpy as np

from jaxlab import dtypes, lax
from jaxlab.core.aval import aval_of
from jaxlab.core.trace import Tracer
from jaxlab.numpy.promotion import broadcast_to_shape, cast, check_arraylike
from jaxlab.numpy.selection import selected
from jaxlab.numpy.wrapping import as_array, compiled, like, named, on_device

_INDEX = np.dtype(np.int32)


def eye(N: Any, M: Any = None, k: Any = 0, dtype: Any = None, *, device: Any = None) -> Any:
    """A matrix with ones on a diagonal and zeros elsewhere.

    Args:
      N, M: the numbers of rows and columns; as many columns as rows by default.
      k: which diagonal: 0 is the main one, above it they are positive.
      dtype: the dtype, float by default.
      device: where the result is to lie.

    Raises:
      ValueError: if a number is negative, or ``k`` is not an integer.
      TypeError: if a number of rows or columns is not a concrete integer.

    >>> jnp.eye(2)
    Array([[1., 0.],
           [0., 1.]], dtype=float32)
    """
    wanted = dtypes.canonicalize_requested(float if dtype is None else dtype, "eye", stacklevel=3)
    rows, columns = _length("eye", N), _length("eye", N if M is None else M)
    if not dtypes.issubdtype(dtypes.of(k), np.integer) or np.shape(k):
        raise ValueError(f"eye: k={k} was given, but the diagonal is an integer")
    return on_device(
        _eye(k, shape=(rows, columns), dtype=wanted)
        if isinstance(k, Tracer)
        else _eye(int(k), shape=(rows, columns), dtype=wanted),
        device,
    )


def _length(name: str, size: Any) -> int:
    try:
        size = operator.index(size)
    except TypeError:
        raise TypeError(
            f"{name}: {size} was given, but the numbers of rows and columns are concrete integers"
        ) from None
    if size < 0:
        raise ValueError(
            f"{name}: {size} was given, but the numbers of rows and columns must not be negative"
        )
    return size


@compiled(static_argnames=("shape", "dtype"))
def _eye(k: Any, *, shape: tuple[int, int], dtype: Any) -> Any:
    rows, columns = lax.broadcasted_iota(_INDEX, shape, 0), lax.broadcasted_iota(_INDEX, shape, 1)
    return lax.convert_element_type(lax.eq(lax.add(rows, cast(k, _INDEX)), columns), dtype)


def identity(n: Any, dtype: Any = None) -> Any:
    """The square matrix with ones on the main diagonal; arguments and errors as of `eye`.

    >>> jnp.identity(2, int)
    Array([[1, 0],
           [0, 1]], dtype=int32)
    """
    return eye(n, dtype=dtype)


def tri(N: Any, M: Any = None, k: int = 0, dtype: Any = None) -> Any:
    """A matrix with ones on and below a diagonal and zeros above; arguments and errors as of `eye`.

    >>> jnp.tri(2)
    Array([[1., 0.],
           [1., 1.]], dtype=float32)
    """
    wanted = dtypes.canonicalize_requested(float if dtype is None else dtype, "tri", stacklevel=3)
    return _tri(
        shape=(_length("tri", N), _length("tri", N if M is None else M)), k=operator.index(k), dtype=wanted
    )


@compiled(static_argnames=("shape", "k", "dtype"))
def _tri(*, shape: tuple[int, int], k: int, dtype: Any) -> Any:
    return lax.convert_element_type(_lower_mask(shape, k), dtype)


def _lower_mask(shape: tuple[int, ...], k: int) -> Any:
    rows = lax.add(lax.broadcasted_iota(_INDEX, shape, 0), _INDEX.type(k))
    return lax.ge(rows, lax.broadcasted_iota(_INDEX, shape, 1))


def _triangle(name: str, m: Any, k: int, keep_lower: bool) -> Any:
    check_arraylike(name, m)
    shape = aval_of(m).shape
    if len(shape) < 2:
        raise ValueError(f"{name}: an array of shape {shape} was given, but at least two axes are needed")
    mask = _lower_mask(shape[-2:], k if keep_lower else k - 1)
    mask = broadcast_to_shape(mask, shape)
    zero = lax.full_like(m, 0)
    return lax.select(mask, m, zero) if keep_lower else lax.select(mask, zero, m)


@named(static_argnames=("k",))
def tril(m: Any, k: int = 0) -> Any:
    """The lower triangle: zeros above a diagonal.

    Args:
      m: array with at least two axes; the last two are those of matrices.
      k: which diagonal is the last to stay: 0 is the main one, above it they are positive.

    Raises:
      ValueError: if ``m`` has fewer than two axes.

    >>> jnp.tril(jnp.ones((2, 2)))
    Array([[1., 0.],
           [1., 1.]], dtype=float32)
    """
    return _triangle("tril", m, k, True)


@named(static_argnames=("k",))
def triu(m: Any, k: int = 0) -> Any:
    """The upper triangle: zeros below a diagonal; arguments and errors as of `tril`.

    >>> jnp.triu(jnp.ones((2, 2)))
    Array([[1., 1.],
           [0., 1.]], dtype=float32)
    """
    return _triangle("triu", m, k, False)


def diag(v: Any, k: int = 0) -> Any:
    """A diagonal of a matrix, or the matrix that has a given diagonal and zeros elsewhere.

    Args:
      v: array with one or two axes.
      k: which diagonal: 0 is the main one, above it they are positive.

    Raises:
      ValueError: if ``v`` has another number of axes.

    >>> jnp.diag(jnp.array([1, 2]))
    Array([[1, 0],
           [0, 2]], dtype=int32)
    """
    return _diag(v, operator.index(k))


@named(static_argnames=("k",))
def _diag(v: Any, k: int) -> Any:
    check_arraylike("diag", v)
    shape = aval_of(v).shape
    if len(shape) == 1:
        return _with_diagonal(v, k)
    if len(shape) != 2:
        raise ValueError(f"diag: an array of shape {shape} was given, but one or two axes are needed")
    rows, columns = shape
    size = max(0, min(rows, columns - k) if k >= 0 else min(rows + k, columns))
    if not size:
        return lax.full((0,), 0, aval_of(v).dtype)
    start = k if k >= 0 else -k * columns
    flat = lax.reshape(v, (rows * columns,))
    return lax.slice(flat, (start,), (start + (size - 1) * (columns + 1) + 1,), (columns + 1,))


def _with_diagonal(v: Any, k: int) -> Any:
    zero = like(v, 0)
    (length,) = aval_of(v).shape
    n = length + abs(k)
    v = lax.pad(v, zero, ((max(0, -k), max(0, k), 0),))
    rows, columns = lax.broadcasted_iota(_INDEX, (n, n), 0), lax.broadcasted_iota(_INDEX, (n, n), 1)
    on = lax.eq(lax.add(rows, _INDEX.type(k)), columns)
    return selected(on, lax.expand_dims(v, (1,)), zero)


def diagflat(v: Any, k: int = 0) -> Any:
    """The matrix with the elements of an array, flattened, on a diagonal and zeros elsewhere.

    Args:
      v: array or number.
      k: which diagonal: 0 is the main one, above it they are positive.

    Raises:
      TypeError: if ``v`` is not an array or a number.

    >>> jnp.diagflat(jnp.array([[1, 2]]))
    Array([[1, 0],
           [0, 2]], dtype=int32)
    """
    check_arraylike("diagflat", v)
    flat = lax.reshape(as_array(v), (math.prod(aval_of(v).shape),))
    return diag(cast(flat, aval_of(v).dtype), k)
