"""Order: sorted arrays and the places that sort them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from jaxlab import dtypes, lax
from jaxlab.core.aval import aval_of
from jaxlab.numpy.manipulation import ravel
from jaxlab.numpy.promotion import cast, check_arraylike
from jaxlab.numpy.updates import at
from jaxlab.numpy.wrapping import filled, named
from jaxlab.primitives.reshaping import canonical_axis

I32 = np.dtype(np.int32)


def _check_options(name: str, kind: Any, order: Any) -> None:
    if kind is not None:
        raise TypeError(f"{name}: kind={kind!r} was given, but there is one algorithm; use stable= instead")
    if order is not None:
        raise TypeError(f"{name}: order={order!r} was given, but arrays have no fields; leave it out")


def _along(name: str, a: Any, axis: int | None) -> tuple[Any, int]:
    """The array to sort and the axis, counted from the front."""
    check_arraylike(name, a)
    if axis is None:
        return ravel(a), 0
    return a, canonical_axis(name, axis, max(1, len(aval_of(a).shape)))


@named(static_argnames=("axis", "kind", "order", "stable", "descending"))
def sort(
    a: Any,
    axis: int | None = -1,
    *,
    kind: None = None,
    order: None = None,
    stable: bool = True,
    descending: bool = False,
) -> Any:
    """The elements in ascending order along an axis; NaN is greatest.

    Args:
      a: array; complex numbers are sorted by their real parts first.
      axis: the axis; None flattens the array first.
      kind, order: not supported.
      stable: whether equal elements keep their order.
      descending: greatest first.

    Raises:
      ValueError: if there is no such axis.

    >>> jnp.sort(jnp.array([3, 1, 2]))
    Array([1, 2, 3], dtype=int32)
    """
    _check_options("sort", kind, order)
    a, axis = _along("sort", a, axis)
    if not aval_of(a).shape:
        raise ValueError("sort: a scalar was given, but at least one axis is needed; pass axis=None")
    result = lax.sort(a, dimension=axis, is_stable=stable)
    return lax.rev(result, (axis,)) if descending else result


@named(static_argnames=("axis", "kind", "order", "stable", "descending", "dtype"))
def argsort(
    a: Any,
    axis: int | None = -1,
    *,
    kind: None = None,
    order: None = None,
    stable: bool = True,
    descending: bool = False,
    dtype: Any = None,
) -> Any:
    """The places of the elements along an axis, in the order that sorts them.

    Args:
      a, axis, kind, order, stable, descending: as in `sort`.
      dtype: the integer dtype of the places.

    Raises:
      ValueError: if there is no such axis.

    >>> jnp.argsort(jnp.array([3, 1, 2]))
    Array([1, 2, 0], dtype=int32)
    """
    _check_options("argsort", kind, order)
    a, axis = _along("argsort", a, axis)
    shape = aval_of(a).shape
    if not shape:
        raise ValueError("argsort: a scalar was given, but at least one axis is needed; pass axis=None")
    wanted = I32 if dtype is None else dtypes.canonicalize(dtype)
    if dtype is None and shape[axis] > dtypes.iinfo(I32).max:
        wanted = np.dtype(np.int64)
    places = lax.broadcasted_iota(wanted, shape, axis)
    if descending:
        # Equal elements keep their order, so it is turned round twice.
        a, places = lax.rev(a, (axis,)), lax.rev(places, (axis,))
    _, result = lax.sort((a, places), dimension=axis, is_stable=stable, num_keys=1)
    return lax.rev(result, (axis,)) if descending else result


@named(static_argnames=("axis",))
def lexsort(keys: Any, axis: int = -1) -> Any:
    """The places that sort by several keys, of which the last is the first to be compared.

    Args:
      keys: a sequence of arrays of one shape, or an array whose rows are the keys.
      axis: the axis to sort along.

    Raises:
      TypeError: if there are no keys.
      ValueError: if their shapes differ, or there is no such axis.

    >>> jnp.lexsort((jnp.array([2, 1, 3]), jnp.array([1, 1, 0])))
    Array([2, 1, 0], dtype=int32)
    """
    rows = list(keys) if isinstance(keys, Sequence) else list(lax.unstack(keys))
    if not rows:
        raise TypeError("lexsort: no keys were given, but at least one is needed")
    check_arraylike("lexsort", *rows)
    shape = aval_of(rows[0]).shape
    if any(aval_of(key).shape != shape for key in rows):
        raise ValueError(
            f"lexsort: keys of shapes {[aval_of(key).shape for key in rows]} were given, but one is needed"
        )
    if not shape:
        return lax.full((), 0, I32)
    axis = canonical_axis("lexsort", axis, len(shape))
    places = lax.broadcasted_iota(I32, shape, axis)
    *_, result = lax.sort((*rows[::-1], places), dimension=axis, num_keys=len(rows), is_stable=True)
    return result


@named
def sort_complex(a: Any) -> Any:
    """The elements sorted along the last axis, as complex numbers.

    >>> jnp.sort_complex(jnp.array([2, 1]))
    Array([1.+0.j, 2.+0.j], dtype=complex64)
    """
    check_arraylike("sort_complex", a)
    ndim = len(aval_of(a).shape)
    if not ndim:
        raise ValueError("sort_complex: a scalar was given, but at least one axis is needed")
    out = lax.sort(a, dimension=ndim - 1)
    return cast(out, dtypes.promote_types(aval_of(out).dtype, np.complex64))


def _kth(name: str, kth: Any, size: int) -> int:
    place = int(kth)
    if not -size <= place < size:
        raise ValueError(f"{name}: kth={kth} was given, but the axis has size {size}")
    return place + size if place < 0 else place


@named(static_argnames=("kth", "axis"))
def partition(a: Any, kth: int, axis: int = -1) -> Any:
    """The elements with the ``kth`` smallest in its place, smaller ones before it and greater ones after it.

    Args:
      a: real array.
      kth: a place along the axis.
      axis: the axis.

    Raises:
      ValueError: if there is no such axis or place.
      NotImplementedError: for complex numbers.

    >>> jnp.partition(jnp.array([3, 1, 2]), 0)[0]
    Array(1, dtype=int32)
    """
    check_arraylike("partition", a)
    aval = aval_of(a)
    if aval.dtype.kind == "c":
        raise NotImplementedError("partition: complex numbers were given, but real ones are needed; use sort")
    axis = canonical_axis("partition", axis, len(aval.shape))
    place = _kth("partition", kth, aval.shape[axis])
    a = lax.transpose(a, _last(axis, len(aval.shape)))
    if aval.dtype.kind == "u":
        # The negative of an unsigned number wraps around, so that the greatest comes where it should but zero.
        low = lax.sort(a, dimension=len(aval.shape) - 1)
        return lax.transpose(low, _back(axis, len(aval.shape)))
    low = lax.neg(lax.top_k(lax.neg(a), place + 1)[0])
    high = lax.top_k(a, aval.shape[axis] - place - 1)[0]
    return lax.transpose(lax.concatenate([low, high], len(aval.shape) - 1), _back(axis, len(aval.shape)))


@named(static_argnames=("kth", "axis"))
def argpartition(a: Any, kth: int, axis: int = -1) -> Any:
    """The places of the elements in the order of `partition`.

    >>> jnp.argpartition(jnp.array([3, 1, 2]), 0)[0]
    Array(1, dtype=int32)
    """
    check_arraylike("argpartition", a)
    aval = aval_of(a)
    if aval.dtype.kind == "c":
        raise NotImplementedError(
            "argpartition: complex numbers were given, but real ones are needed; use argsort"
        )
    axis = canonical_axis("argpartition", axis, len(aval.shape))
    place = _kth("argpartition", kth, aval.shape[axis])
    ndim = len(aval.shape)
    if aval.dtype.kind == "u" or ndim > 1:
        return argsort.__wrapped__(a, axis)
    low = lax.top_k(lax.neg(a), place + 1)[1]
    rest = at(filled(a, 1)).__getitem__(low).set(0)
    high = lax.top_k(rest, aval.shape[0] - place - 1)[1]
    return lax.concatenate([low, high], 0)


def _last(axis: int, ndim: int) -> tuple[int, ...]:
    return (*range(axis), *range(axis + 1, ndim), axis)


def _back(axis: int, ndim: int) -> tuple[int, ...]:
    return (*range(axis), ndim - 1, *range(axis, ndim - 1))
