"""Values put at some places of an array: put and its relatives."""

from __future__ import annotations

from typing import Any

import numpy as np

from jaxlab import lax
from jaxlab.core.aval import aval_of
from jaxlab.numpy.indexing import getitem
from jaxlab.numpy.manipulation import ravel
from jaxlab.numpy.promotion import broadcast_to_shape, cast, check_arraylike
from jaxlab.numpy.selection import selected
from jaxlab.numpy.taking import number_like, places_from_start
from jaxlab.numpy.ufuncs_arithmetic import remainder
from jaxlab.numpy.updates import at
from jaxlab.numpy.wrapping import BOOL, as_array, filled, named
from jaxlab.primitives.reshaping import canonical_axis

I32 = np.dtype(np.int32)


def _not_in_place(name: str, inplace: bool) -> None:
    if inplace:
        raise ValueError(
            f"{name}: inplace=True was given, but arrays never change; pass inplace=False and use the result"
        )


@named(static_argnames=("axis", "inplace", "mode"))
def put_along_axis(
    arr: Any, indices: Any, values: Any, axis: int | None, inplace: bool = True, *, mode: str | None = None
) -> Any:
    """The array with values at the places that `take_along_axis` would take.

    Args:
      arr, indices, axis: as of `take_along_axis`.
      values: array or number that broadcasts to the places.
      inplace: must be False, because arrays never change.
      mode: what becomes of places out of bounds: "drop" (the default), "clip" or "promise_in_bounds".

    Raises:
      ValueError: unless ``inplace=False``, or if the shapes do not fit.

    >>> jnp.put_along_axis(jnp.zeros((1, 3)), jnp.array([[2]]), 9.0, axis=1, inplace=False)
    Array([[0., 0., 9.]], dtype=float32)
    """
    _not_in_place("put_along_axis", inplace)
    check_arraylike("put_along_axis", arr, indices, values)
    shape = aval_of(arr).shape
    flat = axis is None
    if axis is None:
        arr, axis = ravel(arr), 0
    own = aval_of(arr).shape
    axis = canonical_axis("put_along_axis", axis, len(own))
    places = aval_of(indices).shape
    if len(places) != len(own):
        raise ValueError(f"put_along_axis: indices of shape {places} were given for an array of shape {own}")
    target = tuple(places[i] if i == axis else own[i] for i in range(len(own)))
    indices = broadcast_to_shape(indices, target)
    values = broadcast_to_shape(values, target)
    index = []
    for i, size in enumerate(own):
        along = [size if j == i else 1 for j in range(len(own))]
        index.append(indices if i == axis else lax.broadcast_in_dim(lax.iota(I32, size), along, (i,)))
    result = at(arr)[tuple(index)].set(values, mode=mode)
    return lax.reshape(result, shape) if flat else result


def put(a: Any, ind: Any, v: Any, mode: str | None = None, *, inplace: bool = True) -> Any:
    """The array with values at some places, counted along the flattened array.

    Args:
      a: array.
      ind: array of integers.
      v: values, repeated as often as needed.
      mode: "clip" (the default) or "wrap".
      inplace: must be False, because arrays never change.

    Raises:
      ValueError: unless ``inplace=False``, or for another mode.

    >>> jnp.put(jnp.zeros(3), jnp.array([0, 2]), 5.0, inplace=False)
    Array([5., 0., 5.], dtype=float32)
    """
    _not_in_place("put", inplace)
    check_arraylike("put", a, ind, v)
    aval = aval_of(a)
    places, values = ravel(ind), ravel(v)
    count, given = aval_of(places).shape[0], aval_of(values).shape[0]
    if not count or not given:
        return as_array(a)
    if given < count:
        values = lax.tile(values, (-(-count // given),))
        given = aval_of(values).shape[0]
    if given > count:
        values = lax.slice(values, (0,), (count,))
    if mode in (None, "clip"):
        # Beyond either end is the end: for negative places, the start.
        low = lax.lt(places, number_like(places, -aval.size))
        high = lax.ge(places, number_like(places, aval.size))
        places = selected(high, aval.size - 1, selected(low, 0, places_from_start(places, aval.size)))
    elif mode == "wrap":
        places = remainder(places, aval.size)
    else:
        raise ValueError(f"put: mode={mode!r} was given, but it must be 'clip' or 'wrap'")
    return lax.reshape(at(ravel(a))[places].set(values), aval.shape)


def place(arr: Any, mask: Any, vals: Any, *, inplace: bool = True) -> Any:
    """The array with values where a mask holds: the first of them at the first such place, and so on, again and again.

    Raises:
      ValueError: unless ``inplace=False``, or if mask and array differ in size.

    >>> jnp.place(jnp.zeros(3), jnp.array([True, False, True]), jnp.array([5.0]), inplace=False)
    Array([5., 0., 5.], dtype=float32)
    """
    _not_in_place("place", inplace)
    check_arraylike("place", arr, mask, vals)
    aval, values = aval_of(arr), ravel(vals)
    if aval_of(mask).size != aval.size:
        raise ValueError(
            f"place: an array of shape {aval.shape} and a mask of shape {aval_of(mask).shape} were given"
        )
    given = aval_of(values).shape[0]
    if not given:
        raise ValueError("place: no values were given, but at least one is needed")
    holds = _as_bool(ravel(mask))
    order = lax.sub(lax.cumsum(lax.convert_element_type(holds, I32), 0), lax.full_like(holds, 1, I32))
    picked = getitem(values, lax.rem(lax.max(order, lax.full_like(order, 0)), I32.type(given)))
    return lax.reshape(lax.select(holds, cast(picked, aval.dtype), ravel(arr)), aval.shape)


def _as_bool(x: Any) -> Any:
    aval = aval_of(x)
    return x if aval.dtype == BOOL else lax.ne(x, filled(x, 0))


def fill_diagonal(a: Any, val: Any, wrap: bool = False, *, inplace: bool = True) -> Any:
    """The array with values on its main diagonal, where all indices are equal.

    Args:
      a: array with at least two axes, all of one size if there are more.
      val: number, or array whose elements are repeated along the diagonal.
      wrap: not supported.
      inplace: must be False, because arrays never change.

    Raises:
      ValueError: unless ``inplace=False``, or if the axes do not fit.
      NotImplementedError: if ``wrap`` is given.

    >>> jnp.fill_diagonal(jnp.zeros((2, 2)), 5.0, inplace=False)
    Array([[5., 0.],
           [0., 5.]], dtype=float32)
    """
    if inplace:
        raise NotImplementedError(
            "fill_diagonal: inplace=True was given, but arrays never change; pass inplace=False"
        )
    if wrap:
        raise NotImplementedError("fill_diagonal: wrap=True is not known; leave it out")
    check_arraylike("fill_diagonal", a, val)
    shape = aval_of(a).shape
    if len(shape) < 2 or (len(shape) > 2 and len(set(shape)) > 1):
        raise ValueError(
            f"fill_diagonal: an array of shape {shape} was given, but two axes, or more of one size, are needed"
        )
    size = min(shape)
    i = lax.iota(I32, size)
    if aval_of(val).shape:
        val = ravel(val)
        given = aval_of(val).shape[0]
        if given < size:
            val = lax.tile(val, (-(-size // given),))
        val = lax.slice(val, (0,), (size,)) if aval_of(val).shape[0] > size else val
    return at(a)[(i,) * len(shape)].set(val)
