"""Choosing among values: where, select, and the places where something is not zero."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from jaxlab import lax
from jaxlab.core.aval import aval_of
from jaxlab.core.trace import Tracer
from jaxlab.errors import ConcretizationTypeError
from jaxlab.numpy.promotion import (
    broadcast_shapes,
    broadcast_to_shape,
    check_arraylike,
    promote_dtypes,
    type_of,
)
from jaxlab.numpy.wrapping import BOOL, filled, like, named
from jaxlab.runtime.array import put


def _where(condition: Any, x: Any, y: Any) -> Any:
    aval = type_of("where", condition)
    check_arraylike("where", condition, x, y)
    if aval.dtype != BOOL:
        condition = lax.ne(condition, like(condition, 0))
    x, y = promote_dtypes(x, y)
    shapes = [aval_of(x).shape, aval_of(y).shape]
    shape = broadcast_shapes(*shapes, *([aval.shape] if aval.shape else []))
    if aval.shape:
        condition = broadcast_to_shape(condition, shape)
    x, y = broadcast_to_shape(x, shape), broadcast_to_shape(y, shape)
    return lax.select_n(condition, y, x)


selected = named(_where)
"""``x`` where ``condition``, else ``y``: the three-argument form of `where`, shown as
``jit[name=_where]``."""


def where(
    condition: Any, x: Any = None, y: Any = None, /, *, size: int | None = None, fill_value: Any = None
) -> Any:
    """``x`` where ``condition`` holds, else ``y``; with the condition alone, the places where it holds.

    Both ``x`` and ``y`` are computed everywhere, and so are their derivatives: ``jnp.where(x > 0,
    jnp.log(x), 0.)`` has
    the derivative NaN at 0; write ``jnp.log(jnp.where(x > 0, x, 1.))`` for the value that is chosen.

    Args:
      condition: array of booleans; numbers hold where they are not 0.
      x, y: arrays or numbers, whose dtypes are promoted; the shapes of all three broadcast.
      size, fill_value: with the condition alone, as in `nonzero`.

    Returns:
      An array of the common shape; with the condition alone, what `nonzero` returns.

    Raises:
      TypeError: if only one of ``x`` and ``y`` is given.
      ValueError: if the shapes do not broadcast.
      ConcretizationTypeError: if with the condition alone it is traced and ``size`` is not given.

    >>> jnp.where(jnp.array([True, False]), 1., jnp.array([2., 3.]))
    Array([1., 3.], dtype=float32)
    """
    if x is None and y is None:
        check_arraylike("where", condition)
        return nonzero(condition, size=size, fill_value=fill_value)
    if x is None or y is None:
        raise TypeError("where: one of x and y was given, but both or neither are needed; give both")
    if size is not None or fill_value is not None:
        raise ValueError(
            "where: size and fill_value were given with x and y, but belong to the form with the "
            "condition alone"
        )
    return selected(condition, x, y)


def select(condlist: Sequence[Any], choicelist: Sequence[Any], default: Any = 0) -> Any:
    """At each place the choice whose condition is the first to hold, else the default.

    Args:
      condlist: arrays of booleans.
      choicelist: as many arrays or numbers, whose dtypes are promoted; all shapes broadcast.
      default: the value where no condition holds.

    Raises:
      ValueError: if the lists are empty or of different lengths, or the shapes do not broadcast.

    >>> x = jnp.arange(4)
    >>> jnp.select([x < 1, x > 2], [x - 10, x + 10], x)
    Array([-10,   1,   2,  13], dtype=int32)
    """
    if len(condlist) != len(choicelist) or not condlist:
        raise ValueError(
            f"select: {len(condlist)} conditions and {len(choicelist)} choices were given, but as many of "
            "both are needed, "
            "and at least one"
        )
    check_arraylike("select", *condlist, *choicelist, default)
    values = promote_dtypes(*choicelist, default)
    shape = broadcast_shapes(*[aval_of(x).shape for x in (*condlist, *values)])
    values = [broadcast_to_shape(x, shape) for x in values]
    conditions = [broadcast_to_shape(c, shape) for c in condlist]
    never = filled(conditions[0], False)
    stacked = lax.concatenate([lax.expand_dims(c, (0,)) for c in (never, *conditions)], 0)
    first = lax.argmax(stacked, 0, np.dtype(np.int32))
    return lax.select_n(first, values[-1], *values[:-1])


def nonzero(a: Any, *, size: int | None = None, fill_value: Any = None) -> tuple[Any, ...]:
    """The places where an array is not zero: for each axis an array of indices.

    Args:
      a: array or number.
      size: how many places the result has room for; needed in a traced function, where shapes must be known.
        Places
        beyond it are left out.
      fill_value: the index where there are fewer places: a number, or one for each axis; 0 by default.

    Returns:
      A tuple of int32 arrays of shape ``(size,)``, or ``(n,)`` where there are ``n`` places.

    Raises:
      ConcretizationTypeError: if ``a`` is traced and ``size`` is not given.

    >>> jnp.nonzero(jnp.array([0, 5, 0, 7]))
    (Array([1, 3], dtype=int32),)
    """
    check_arraylike("nonzero", a)
    aval = aval_of(a)
    if not aval.shape:
        raise ValueError(
            "nonzero: a scalar was given, but at least one axis is needed; write "
            "jnp.nonzero(jnp.atleast_1d(a))"
        )
    fills = _fill_values(fill_value, len(aval.shape))
    if not isinstance(a, Tracer):
        places = np.nonzero(np.asarray(a))
        if size is not None:
            places = tuple(_resized(p, size, fill) for p, fill in zip(places, fills, strict=True))
        return tuple(put(p.astype(_INDEX)) for p in places)
    if size is None:
        raise ConcretizationTypeError(
            a,
            "nonzero: the number of places depends on values; give size= to say how many there is room "
            "for: nonzero",
        )
    return _traced_nonzero(a, aval, int(size), fills)


_INDEX = np.dtype(np.int32)


def _fill_values(fill_value: Any, ndim: int) -> list[Any]:
    if fill_value is None:
        return [0] * ndim
    if isinstance(fill_value, tuple | list):
        if len(fill_value) != ndim:
            raise ValueError(
                f"nonzero: fill_value has {len(fill_value)} entries, but the array has {ndim} axes; give "
                "one for each"
            )
        return list(fill_value)
    return [fill_value] * ndim


def _resized(places: np.ndarray, size: int, fill: Any) -> np.ndarray:
    return np.concatenate([places[:size], np.full(max(0, size - len(places)), fill, places.dtype)])


def _traced_nonzero(a: Any, aval: Any, size: int, fills: Sequence[Any]) -> tuple[Any, ...]:
    total = math.prod(aval.shape)
    mask = a if aval.dtype == BOOL else lax.ne(a, like(a, 0))
    mask = lax.reshape(mask, (total,))
    count = lax.reduce_sum(lax.convert_element_type(mask, _INDEX), (0,))
    # A stable sort brings the places that hold to the front, in order.
    _, order = lax.sort(
        (lax.bitwise_not(mask), lax.iota(_INDEX, total)), dimension=0, is_stable=True, num_keys=1
    )
    if size <= total:
        order = lax.slice(order, (0,), (size,))
    else:
        order = lax.pad(order, _INDEX.type(0), ((0, size - total, 0),))
    there = lax.lt(lax.iota(_INDEX, size), count)
    places = []
    stride = total
    for length, fill in zip(aval.shape, fills, strict=True):
        stride //= max(length, 1)
        place = lax.rem(lax.div(order, _INDEX.type(max(stride, 1))), _INDEX.type(max(length, 1)))
        places.append(
            lax.select(there, place, broadcast_to_shape(lax.convert_element_type(fill, _INDEX), (size,)))
        )
    return tuple(places)


def flatnonzero(a: Any, *, size: int | None = None, fill_value: Any = None) -> Any:
    """The places of a flattened array where it is not zero; arguments and errors as of `nonzero`.

    >>> jnp.flatnonzero(jnp.array([[0, 5], [7, 0]]))
    Array([1, 2], dtype=int32)
    """
    check_arraylike("flatnonzero", a)
    return nonzero(lax.reshape(a, (math.prod(aval_of(a).shape),)), size=size, fill_value=fill_value)[0]


def argwhere(a: Any, *, size: int | None = None, fill_value: Any = None) -> Any:
    """The places where an array is not zero, one in each row; arguments and errors as of `nonzero`.

    >>> jnp.argwhere(jnp.array([[0, 5], [7, 0]]))
    Array([[0, 1],
           [1, 0]], dtype=int32)
    """
    check_arraylike("argwhere", a)
    shape = aval_of(a).shape
    if not shape:
        places = nonzero(lax.reshape(a, (1,)), size=size, fill_value=fill_value)[0]
        return lax.full((aval_of(places).shape[0], 0), 0, _INDEX)
    places = nonzero(a, size=size, fill_value=fill_value)
    return lax.concatenate([lax.expand_dims(place, (1,)) for place in places], 1)
