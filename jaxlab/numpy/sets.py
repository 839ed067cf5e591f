"""Arrays as sets: distinct elements, membership, union, intersection and difference."""

from __future__ import annotations

import operator
from typing import Any, NamedTuple

import numpy as np

from jaxlab import lax
from jaxlab.core.aval import aval_of, is_inexact
from jaxlab.core.trace import Tracer
from jaxlab.errors import ConcretizationTypeError
from jaxlab.numpy.indexing import getitem
from jaxlab.numpy.joining import concatenate
from jaxlab.numpy.manipulation import ravel
from jaxlab.numpy.promotion import cast, check_arraylike, promote_dtypes
from jaxlab.numpy.updates import at
from jaxlab.numpy.wrapping import as_array, filled
from jaxlab.primitives.reshaping import canonical_axis
from jaxlab.runtime.array import put

I32 = np.dtype(np.int32)


def unique(
    ar: Any,
    return_index: bool = False,
    return_inverse: bool = False,
    return_counts: bool = False,
    axis: int | None = None,
    *,
    equal_nan: bool = True,
    size: int | None = None,
    fill_value: Any = None,
    sorted: bool = True,
) -> Any:
    """The distinct elements, or slices along an axis, in ascending order.

    Args:
      ar: array.
      return_index: also where each occurs first.
      return_inverse: also the number of each element among the distinct ones, in the shape of ``ar``.
      return_counts: also how often each occurs.
      axis: the axis; None takes the elements of the flattened array.
      equal_nan: whether NaN equals itself.
      size: how many the result has room for; needed in a traced function. The greatest are left out.
      fill_value: what fills the rest; the least element by default.
      sorted: accepted; the result always is.

    Raises:
      ConcretizationTypeError: if the array is traced and ``size`` is not given.

    >>> jnp.unique(jnp.array([3, 1, 3]), return_counts=True)
    (Array([1, 3], dtype=int32), Array([1, 2], dtype=int32))
    """
    check_arraylike("unique", ar)
    wanted = (return_index, return_inverse, return_counts)
    if size is None:
        if isinstance(ar, Tracer):
            raise ConcretizationTypeError(
                ar,
                "unique: the number of distinct elements depends on values; give size= to say how many "
                "there is room for: unique",
            )
        host = np.asarray(ar)
        found = (
            np.unique(host, *wanted, axis=axis, equal_nan=equal_nan)
            if any(wanted)
            else (np.unique(host, axis=axis, equal_nan=equal_nan),)
        )
        values, *places = found if isinstance(found, tuple) else (found,)
        shaped = [
            p.reshape(host.shape) if axis is None and return_inverse and i == return_index else p
            for i, p in enumerate(places)
        ]
        results = (put(values), *[put(p.astype(I32)) for p in shaped])
    else:
        results = _traced_unique(as_array(ar), wanted, axis, equal_nan, operator.index(size), fill_value)
    return results if any(wanted) else results[0]


def _traced_unique(
    x: Any, wanted: tuple[bool, bool, bool], axis: int | None, equal_nan: bool, size: int, fill_value: Any
) -> tuple[Any, ...]:
    own = aval_of(x).shape
    if axis is None:
        x, axis = ravel(x), 0
    else:
        axis = canonical_axis("unique", axis, len(own))
    shape = aval_of(x).shape
    x = lax.transpose(x, (axis, *[i for i in range(len(shape)) if i != axis]))
    count, rest = aval_of(x).shape[0], aval_of(x).shape[1:]
    if not count:
        values = lax.full((size, *rest), 0 if fill_value is None else fill_value, aval_of(x).dtype)
        empty = [lax.full((size,), 0, I32), lax.full((0,), 0, I32), lax.full((size,), 0, I32)]
        return (_back(values, axis), *[e for e, w in zip(empty, wanted, strict=True) if w])
    columns = lax.reshape(x, (count, int(np.prod(rest))))
    keys = [
        lax.squeeze(lax.slice_in_dim(columns, i, i + 1, axis=1), (1,))
        for i in range(aval_of(columns).shape[1])
    ]
    *_, order = lax.sort((*keys, lax.iota(I32, count)), num_keys=max(1, len(keys)), is_stable=True)
    ordered = getitem(columns, order)
    later, earlier = lax.slice_in_dim(ordered, 1, count), lax.slice_in_dim(ordered, 0, count - 1)
    differs = lax.ne(later, earlier)
    if equal_nan and is_inexact(aval_of(ordered).dtype):
        both = lax.bitwise_and(lax.ne(later, later), lax.ne(earlier, earlier))
        differs = lax.bitwise_and(differs, lax.bitwise_not(both))
    first = lax.concatenate([lax.full((1,), True, np.dtype(np.bool_)), lax.reduce_or(differs, (1,))], 0)
    number = lax.sub(lax.cumsum(lax.convert_element_type(first, I32), 0), lax.full((count,), 1, I32))
    # The place of each first occurrence goes to its number; what is beyond the size is dropped.
    target = lax.select_n(first, lax.full((count,), size, I32), number)
    starts = at(lax.full((size,), count, I32)).__getitem__(target).set(lax.iota(I32, count), mode="drop")
    there = lax.lt(starts, lax.full((size,), count, I32))
    source = getitem(order, lax.min(starts, lax.full((size,), count - 1, I32)))
    values = getitem(x, source)
    spread = lax.broadcast_in_dim(there, aval_of(values).shape, (0,))
    rest_value = (
        getitem(values, slice(0, 1)) if fill_value is None else cast(as_array(fill_value), aval_of(x).dtype)
    )
    shape_of_rest = aval_of(rest_value).shape
    shared = range(len(aval_of(values).shape) - len(shape_of_rest), len(aval_of(values).shape))
    values = lax.select(spread, values, lax.broadcast_in_dim(rest_value, aval_of(values).shape, shared))
    index = lax.select(there, source, lax.broadcast_in_dim(getitem(source, 0), (size,), ()))
    inverse = at(filled(order, 0)).__getitem__(order).set(number)
    counts = at(lax.full((size,), 0, I32)).__getitem__(number).add(lax.full((count,), 1, I32), mode="drop")
    inverse = lax.reshape(inverse, own) if axis == 0 and len(shape) == 1 else inverse
    extra = [e for e, w in zip((index, inverse, counts), wanted, strict=True) if w]
    return (_back(values, axis), *extra)


def _back(values: Any, axis: int) -> Any:
    ndim = len(aval_of(values).shape)
    return lax.transpose(values, (*range(1, axis + 1), 0, *range(axis + 1, ndim)))


class UniqueAll(NamedTuple):
    """What `unique_all` returns."""

    values: Any
    indices: Any
    inverse_indices: Any
    counts: Any


class UniqueCounts(NamedTuple):
    """What `unique_counts` returns."""

    values: Any
    counts: Any


class UniqueInverse(NamedTuple):
    """What `unique_inverse` returns."""

    values: Any
    inverse_indices: Any


def unique_all(x: Any, /, *, size: int | None = None, fill_value: Any = None) -> UniqueAll:
    """The distinct elements, where each occurs first, the number of each element, and how often each occurs.

    >>> jnp.unique_all(jnp.array([3, 1, 3])).counts
    Array([1, 2], dtype=int32)
    """
    return UniqueAll(*unique(x, True, True, True, equal_nan=False, size=size, fill_value=fill_value))


def unique_counts(x: Any, /, *, size: int | None = None, fill_value: Any = None) -> UniqueCounts:
    """The distinct elements, and how often each occurs.

    >>> jnp.unique_counts(jnp.array([3, 1, 3])).values
    Array([1, 3], dtype=int32)
    """
    return UniqueCounts(*unique(x, return_counts=True, equal_nan=False, size=size, fill_value=fill_value))


def unique_inverse(x: Any, /, *, size: int | None = None, fill_value: Any = None) -> UniqueInverse:
    """The distinct elements, and the number of each element among them.

    >>> jnp.unique_inverse(jnp.array([3, 1, 3])).inverse_indices
    Array([1, 0, 1], dtype=int32)
    """
    return UniqueInverse(*unique(x, return_inverse=True, equal_nan=False, size=size, fill_value=fill_value))


def unique_values(x: Any, /, *, size: int | None = None, fill_value: Any = None) -> Any:
    """The distinct elements.

    >>> jnp.unique_values(jnp.array([3, 1, 3]))
    Array([1, 3], dtype=int32)
    """
    return unique(x, equal_nan=False, size=size, fill_value=fill_value)


def isin(
    element: Any,
    test_elements: Any,
    assume_unique: bool = False,
    invert: bool = False,
    *,
    method: str = "auto",
) -> Any:
    """Whether each element is among others.

    Args:
      element: the elements.
      test_elements: the others.
      assume_unique: accepted and ignored.
      invert: whether it is not among them.
      method: accepted and ignored.

    >>> jnp.isin(jnp.array([1, 2]), jnp.array([2, 3]))
    Array([False,  True], dtype=bool)
    """
    del assume_unique, method
    check_arraylike("isin", element, test_elements)
    element, test_elements = promote_dtypes(element, test_elements)
    shape = aval_of(element).shape
    flat, others = ravel(element), ravel(test_elements)
    square = (aval_of(flat).shape[0], aval_of(others).shape[0])
    equal = lax.eq(lax.broadcast_in_dim(flat, square, (0,)), lax.broadcast_in_dim(others, square, (1,)))
    found = lax.reshape(lax.reduce_or(equal, (1,)), shape)
    return lax.bitwise_not(found) if invert else found


def union1d(ar1: Any, ar2: Any, *, size: int | None = None, fill_value: Any = None) -> Any:
    """The distinct elements of two arrays together; ``size`` and ``fill_value`` as in `unique`.

    >>> jnp.union1d(jnp.array([1, 2]), jnp.array([2, 3]))
    Array([1, 2, 3], dtype=int32)
    """
    check_arraylike("union1d", ar1, ar2)
    return unique(concatenate([ravel(ar1), ravel(ar2)], 0), size=size, fill_value=fill_value)


def _on_host(name: str, ar1: Any, ar2: Any) -> tuple[np.ndarray, np.ndarray]:
    check_arraylike(name, ar1, ar2)
    for x in (ar1, ar2):
        if isinstance(x, Tracer):
            raise ConcretizationTypeError(x, f"{name}: the number of elements depends on values: {name}")
    ar1, ar2 = promote_dtypes(ar1, ar2)
    return np.asarray(ar1), np.asarray(ar2)


def intersect1d(ar1: Any, ar2: Any, assume_unique: bool = False, return_indices: bool = False) -> Any:
    """The distinct elements that both arrays have. Not in traced functions, since the shape depends on values.

    >>> jnp.intersect1d(jnp.array([1, 2]), jnp.array([2, 3]))
    Array([2], dtype=int32)
    """
    found = np.intersect1d(*_on_host("intersect1d", ar1, ar2), assume_unique, return_indices)
    if not return_indices:
        return put(found)
    return (put(found[0]), *[put(places.astype(I32)) for places in found[1:]])


def setdiff1d(ar1: Any, ar2: Any, assume_unique: bool = False) -> Any:
    """The distinct elements of the first array that the second has not. Not in traced functions.

    >>> jnp.setdiff1d(jnp.array([1, 2]), jnp.array([2, 3]))
    Array([1], dtype=int32)
    """
    return put(np.setdiff1d(*_on_host("setdiff1d", ar1, ar2), assume_unique))


def setxor1d(ar1: Any, ar2: Any, assume_unique: bool = False) -> Any:
    """The distinct elements that one of the arrays has alone. Not in traced functions.

    >>> jnp.setxor1d(jnp.array([1, 2]), jnp.array([2, 3]))
    Array([1, 3], dtype=int32)
    """
    return put(np.setxor1d(*_on_host("setxor1d", ar1, ar2), assume_unique))
