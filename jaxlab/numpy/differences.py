"""Differences of neighbours, and slopes: diff, ediff1d, gradient."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from typing import Any

from jaxlab import lax
from jaxlab.core.aval import aval_of
from jaxlab.numpy.joining import concatenate
from jaxlab.numpy.manipulation import axes_of, broadcast_to, ravel
from jaxlab.numpy.promotion import cast, check_arraylike, promote_dtypes
from jaxlab.numpy.ufuncs_arithmetic import add, multiply, subtract, true_divide
from jaxlab.numpy.wrapping import BOOL, named
from jaxlab.primitives.reshaping import canonical_axis

_add, _sub, _mul, _div = add.__wrapped__, subtract.__wrapped__, multiply.__wrapped__, true_divide.__wrapped__


def _part(x: Any, axis: int, start: int, stop: int, strided: bool = False) -> Any:
    shape = aval_of(x).shape
    if strided:
        return lax.slice_in_dim(x, start, stop, axis=axis)
    starts, limits = [0] * len(shape), list(shape)
    starts[axis], limits[axis] = start, stop
    return lax.slice(x, starts, limits)


@named(static_argnames=("n", "axis"))
def diff(a: Any, n: int = 1, axis: int = -1, prepend: Any = None, append: Any = None) -> Any:
    """Each element minus the one before it along an axis; for booleans, whether they differ.

    Args:
      a: array.
      n: how many times.
      axis: the axis.
      prepend, append: arrays or numbers to put before and after ``a`` first.

    Raises:
      ValueError: if ``n`` is negative, or there is no such axis.

    >>> jnp.diff(jnp.array([1, 4, 9]))
    Array([3, 5], dtype=int32)
    """
    given = [x for x in (prepend, append) if x is not None]
    check_arraylike("diff", a, *given)
    n, shape = operator.index(n), aval_of(a).shape
    if n < 0:
        raise ValueError(f"diff: n={n} was given, but it must be 0 or more")
    if not shape:
        raise ValueError("diff: a scalar was given, but at least one axis is needed")
    axis = canonical_axis("diff", axis, len(shape))
    if n == 0:
        return a

    def end(x: Any) -> Any:
        return x if aval_of(x).shape else broadcast_to(x, (*shape[:axis], 1, *shape[axis + 1 :]))

    parts = [end(prepend)] if prepend is not None else []
    parts.append(a)
    parts += [end(append)] if append is not None else []
    a = concatenate(parts, axis) if len(parts) > 1 else a
    for _ in range(n):
        size = aval_of(a).shape[axis]
        later, earlier = _part(a, axis, min(1, size), size), _part(a, axis, 0, max(size - 1, 0))
        a = lax.ne(later, earlier) if aval_of(a).dtype == BOOL else lax.sub(later, earlier)
    return a


@named
def ediff1d(ary: Any, to_end: Any = None, to_begin: Any = None) -> Any:
    """The differences of neighbours in the flattened array.

    Args:
      ary: array.
      to_end, to_begin: arrays or numbers to put after and before the differences.

    >>> jnp.ediff1d(jnp.array([1, 4, 9]), to_begin=0)
    Array([0, 3, 5], dtype=int32)
    """
    check_arraylike("ediff1d", ary)
    flat = ravel(ary)
    size, dtype = aval_of(flat).shape[0], aval_of(flat).dtype
    result = _sub(_part(flat, 0, min(1, size), size), _part(flat, 0, 0, max(size - 1, 0)))
    if to_begin is not None:
        result = lax.concatenate([ravel(cast(to_begin, dtype)), result], 0)
    if to_end is not None:
        result = lax.concatenate([result, ravel(cast(to_end, dtype))], 0)
    return result


@named(static_argnames=("axis", "edge_order"))
def gradient(
    f: Any, *varargs: Any, axis: int | Sequence[int] | None = None, edge_order: int | None = None
) -> Any:
    """The slope along axes, from differences of the two neighbours; at the ends, of the one there is.

    Args:
      f: array, with at least two elements along each of the axes.
      varargs: the distance of elements: one number, or for each axis a number or an array of coordinates; 1 by default.
      axis: the axes; all by default.
      edge_order: 1, or None.

    Returns:
      An array for one axis, else a list of them.

    Raises:
      ValueError: if there are too few elements, or distances and axes differ in number.
      NotImplementedError: for another ``edge_order``.

    >>> jnp.gradient(jnp.array([0.0, 1.0, 4.0]))
    Array([1., 2., 3.], dtype=float32)
    """
    check_arraylike("gradient", f, *varargs)
    if edge_order is not None and edge_order != 1:
        raise NotImplementedError(f"gradient: edge_order={edge_order} was given, but only 1 is known")
    (f, *steps) = promote_dtypes(f, *varargs, inexact=True)
    shape = aval_of(f).shape
    axes = tuple(range(len(shape))) if axis is None else axes_of("gradient", axis, len(shape))
    if not axes:
        return []
    if any(shape[i] < 2 for i in axes):
        raise ValueError(
            f"gradient: an array of shape {shape} was given, but each axis needs at least two elements"
        )
    if not steps:
        distances: list[Any] = [1.0] * len(axes)
    elif len(steps) == 1:
        distances = steps * len(axes)
    elif len(steps) == len(axes):
        distances = steps
    else:
        raise ValueError(
            f"gradient: {len(steps)} distances were given for {len(axes)} axes; give one, or one for each"
        )
    results = [_slopes(f, h, i) for i, h in zip(axes, distances, strict=True)]
    return results[0] if len(axes) == 1 else results


def _slopes(f: Any, h: Any, axis: int) -> Any:
    aval = aval_of(f)
    size = aval.shape[axis]

    def piece(start: int, stop: int) -> Any:
        return _part(f, axis, start, stop, strided=True)

    first = _sub(piece(1, 2), piece(0, 1))
    last = _sub(piece(size - 1, size), piece(size - 2, size - 1))
    if not aval_of(h).shape:
        h = cast(h, aval.dtype)
        middle = _mul(_sub(piece(2, size), piece(0, size - 2)), 0.5)
        inner = _div(middle, h)
        last = _div(last, h)
        return lax.concatenate([_div(first, h), inner, last], axis)
    if aval_of(h).shape != (size,):
        raise ValueError(
            f"gradient: coordinates of shape {aval_of(h).shape} were given for axis {axis} of size {size}"
        )
    along = tuple(size if i == axis else 1 for i in range(len(aval.shape)))
    h = lax.broadcast_in_dim(h, along, (axis,)) if len(along) > 1 else h

    def step(start: int, stop: int) -> Any:
        return _part(h, axis, start, stop, strided=True)

    first = _div(first, _sub(step(1, 2), step(0, 1)))
    last = _div(last, _sub(step(size - 1, size), step(size - 2, size - 1)))
    before, after = _sub(step(1, size - 1), step(0, size - 2)), _sub(step(2, size), step(1, size - 1))
    # The slope of the parabola through three points.
    a = _div(lax.neg(after), _mul(before, _add(before, after)))
    b = _div(_sub(after, before), _mul(before, after))
    c = _div(before, _mul(after, _add(before, after)))
    inner = _add(_mul(a, piece(0, size - 2)), _mul(b, piece(1, size - 1)))
    return lax.concatenate([first, _add(inner, _mul(c, piece(2, size))), last], axis)
