"""Other shapes of the same elements: reshape, permuted axes, axes added and dropped, and repetition by broadcasting."""

from __future__ import annotations

import math
import operator
from collections.abc import Sequence
from typing import Any

from jaxlab import lax
from jaxlab.core.aval import aval_of
from jaxlab.core.trace import Tracer
from jaxlab.numpy.promotion import broadcast_shapes as _common_shape
from jaxlab.numpy.promotion import broadcast_to_shape, check_arraylike
from jaxlab.numpy.wrapping import as_array, named
from jaxlab.primitives.reshaping import canonical_axis


def axes_of(name: str, axis: Any, ndim: int) -> tuple[int, ...]:
    """One axis, or several, counted from the front.

    Raises:
      ValueError: if there is no such axis, or one is named twice.
    """
    given = axis if isinstance(axis, Sequence) else (axis,)
    axes = tuple([canonical_axis(name, operator.index(a), ndim) for a in given])
    if len(set(axes)) != len(axes):
        raise ValueError(f"{name}: axis {axis} names an axis twice; give each axis once")
    return axes


def _told(shape: Any) -> str:
    """A shape as it was given, with types in the place of what is traced."""
    items = shape if isinstance(shape, tuple | list) else (shape,)
    texts = [x.describe() if isinstance(x, Tracer) else repr(x) for x in items]
    return f"({', '.join(texts)}{',' * (len(texts) == 1)})" if isinstance(shape, tuple | list) else texts[0]


def _sizes(name: str, shape: Any) -> tuple[int, ...]:
    """A shape given as one size or several, negative ones as they are."""
    try:
        return (operator.index(shape),)
    except TypeError:
        pass
    try:
        return tuple([operator.index(size) for size in shape])
    except TypeError:
        raise TypeError(
            f"{name}: the shape {_told(shape)} was given, but shapes are made of concrete integers: write Python "
            "integers, or make what they come from a static argument"
        ) from None


def _filled_in(old: tuple[int, ...], new: tuple[int, ...]) -> tuple[int, ...]:
    """``new`` with the size that -1 stands for."""
    total = math.prod(old)
    missing = [i for i, size in enumerate(new) if size == -1]
    if any(size < -1 for size in new) or len(missing) > 1:
        raise TypeError(
            f"reshape: cannot reshape an array of shape {old} into {new}; one size at most may be -1, and "
            f"the others are "
            "0 or more"
        )
    if not missing:
        if math.prod(new) != total:
            raise TypeError(
                f"reshape: cannot reshape an array of shape {old} (size {total}) into shape {new} (size "
                f"{math.prod(new)})"
            )
        return new
    rest = math.prod(size for size in new if size != -1)
    if rest == 0 or total % rest:
        raise TypeError(
            f"reshape: cannot reshape an array of shape {old} (size {total}) into shape {new}: {total} is "
            f"no multiple of "
            f"{rest}"
        )
    (i,) = missing
    return (*new[:i], total // rest, *new[i + 1 :])


def reshape(
    a: Any, shape: Any, order: str = "C", *, copy: bool | None = None, out_sharding: Any = None
) -> Any:
    """The same elements in another shape.

    Args:
      a: array or number.
      shape: a size or a tuple of sizes; one of them may be -1, which stands for what the others leave.
      order: "C" reads and writes elements with the last axis fastest, "F" with the first.
      copy: accepted and ignored: arrays never change, so that nobody can tell.
      out_sharding: how the result is to lie on several devices.

    Raises:
      TypeError: if the numbers of elements differ, or a size is not a concrete integer.
      ValueError: if ``order`` is not "C" or "F".
      NotImplementedError: for the order "A".

    >>> jnp.reshape(jnp.arange(6), (2, -1))
    Array([[0, 1, 2],
           [3, 4, 5]], dtype=int32)
    """
    check_arraylike("reshape", a)
    old = aval_of(a).shape
    new = _filled_in(old, _sizes("reshape", shape))
    if order == "C":
        return as_array(lax.reshape(a, new, out_sharding=out_sharding))
    _check_order("reshape", order)
    turned = lax.reshape(a, new[::-1], tuple(range(len(old)))[::-1], out_sharding=out_sharding)
    return as_array(lax.transpose(turned, tuple(range(len(new)))[::-1]))


def _check_order(name: str, order: str) -> None:
    if order == "A":
        raise NotImplementedError(f"{name}: order='A' was given, but arrays have no layout; use 'C' or 'F'")
    if order not in ("C", "F"):
        raise ValueError(f"{name}: order={order!r} was given, but it must be 'C' or 'F'")


def ravel(a: Any, order: str = "C", *, out_sharding: Any = None) -> Any:
    """All elements along one axis.

    Args:
      a: array or number.
      order: as in `reshape`; "K" is not known.

    Raises:
      NotImplementedError: for the orders "K" and "A".

    >>> jnp.ravel(jnp.array([[1, 2], [3, 4]]))
    Array([1, 2, 3, 4], dtype=int32)
    """
    check_arraylike("ravel", a)
    if order == "K":
        raise NotImplementedError("ravel: order='K' was given, but arrays have no layout; use 'C' or 'F'")
    return reshape(a, (math.prod(aval_of(a).shape),), order, out_sharding=out_sharding)


def transpose(a: Any, axes: Sequence[int] | None = None) -> Any:
    """The array with its axes in another order.

    Args:
      a: array or number.
      axes: for each axis of the result the axis of ``a`` it is; None turns the order round.

    Raises:
      ValueError: if ``axes`` is no permutation of the axes.

    >>> jnp.transpose(jnp.zeros((2, 3, 4)), (1, 0, 2)).shape
    (3, 2, 4)
    """
    check_arraylike("transpose", a)
    ndim = len(aval_of(a).shape)
    if axes is None:
        permutation = tuple(range(ndim))[::-1]
    else:
        permutation = axes_of("transpose", tuple(axes), ndim)
        if len(permutation) != ndim:
            raise ValueError(
                f"transpose: axes {tuple(axes)} were given, but the array has {ndim} axes; name each of them once"
            )
    return as_array(lax.transpose(a, permutation))


def permute_dims(a: Any, /, axes: tuple[int, ...]) -> Any:
    """Another name of `transpose`, with ``axes`` required.

    >>> jnp.permute_dims(jnp.zeros((2, 3)), (1, 0)).shape
    (3, 2)
    """
    return transpose(a, axes)


def matrix_transpose(x: Any, /) -> Any:
    """The transpose of each matrix in the last two axes.

    Raises:
      ValueError: if there are fewer than two axes.

    >>> jnp.matrix_transpose(jnp.zeros((5, 2, 3))).shape
    (5, 3, 2)
    """
    check_arraylike("matrix_transpose", x)
    ndim = len(aval_of(x).shape)
    if ndim < 2:
        raise ValueError(f"matrix_transpose: the array has {ndim} axes, but a matrix has at least two")
    return lax.transpose(x, (*range(ndim - 2), ndim - 1, ndim - 2))


def swapaxes(a: Any, axis1: int, axis2: int) -> Any:
    """The array with two axes exchanged.

    Raises:
      ValueError: if there is no such axis.

    >>> jnp.swapaxes(jnp.zeros((2, 3, 4)), 0, -1).shape
    (4, 3, 2)
    """
    check_arraylike("swapaxes", a)
    ndim = len(aval_of(a).shape)
    i, j = canonical_axis("swapaxes", axis1, ndim), canonical_axis("swapaxes", axis2, ndim)
    permutation = list(range(ndim))
    permutation[i], permutation[j] = j, i
    return as_array(lax.transpose(a, permutation))


def moveaxis(a: Any, source: int | Sequence[int], destination: int | Sequence[int]) -> Any:
    """The array with some axes moved elsewhere; the others keep their order.

    Args:
      a: array.
      source, destination: an axis, or as many axes of both: where they are, and where they go.

    Raises:
      ValueError: if there is no such axis, or the two differ in length.

    >>> jnp.moveaxis(jnp.zeros((2, 3, 4)), 0, -1).shape
    (3, 4, 2)
    """
    check_arraylike("moveaxis", a)
    ndim = len(aval_of(a).shape)
    old, new = axes_of("moveaxis", source, ndim), axes_of("moveaxis", destination, ndim)
    if len(old) != len(new):
        raise ValueError(
            f"moveaxis: source {source} and destination {destination} were given, but they must be of the same length"
        )
    permutation = [i for i in range(ndim) if i not in old]
    for to, axis in sorted(zip(new, old, strict=True)):
        permutation.insert(to, axis)
    return as_array(lax.transpose(a, permutation))


@named(static_argnames=("axis", "start"))
def rollaxis(a: Any, axis: int, start: int = 0) -> Any:
    """The array with one axis moved in front of another. `moveaxis` is easier to read.

    Args:
      a: array.
      axis: the axis to move.
      start: the axis it is put in front of; the number of axes puts it last.

    Raises:
      ValueError: if there is no such axis.

    >>> jnp.rollaxis(jnp.zeros((2, 3, 4)), 2, 1).shape
    (2, 4, 3)
    """
    check_arraylike("rollaxis", a)
    ndim = len(aval_of(a).shape)
    axis = canonical_axis("rollaxis", axis, ndim)
    if not -ndim <= start <= ndim:
        raise ValueError(f"rollaxis: start={start} was given, but it must be from {-ndim} to {ndim}")
    start += ndim if start < 0 else 0
    return moveaxis(a, axis, start - (start > axis))


def squeeze(a: Any, axis: int | Sequence[int] | None = None) -> Any:
    """The array without axes of size 1.

    Args:
      a: array or number.
      axis: the axes to drop, each of size 1; all such axes by default.

    Raises:
      ValueError: if an axis does not exist or is of another size.

    >>> jnp.squeeze(jnp.zeros((1, 3, 1)), 0).shape
    (3, 1)
    """
    check_arraylike("squeeze", a)
    shape = aval_of(a).shape
    if axis is None:
        axes = tuple([i for i, size in enumerate(shape) if size == 1])
    else:
        axes = axes_of("squeeze", axis, len(shape))
    return as_array(lax.squeeze(a, axes))


def expand_dims(a: Any, axis: int | Sequence[int]) -> Any:
    """The array with new axes of size 1.

    Args:
      a: array or number.
      axis: where they are in the result.

    Raises:
      ValueError: if the result has no such axis, or one is named twice.

    >>> jnp.expand_dims(jnp.arange(3), (0, -1)).shape
    (1, 3, 1)
    """
    check_arraylike("expand_dims", a)
    axes = axis if isinstance(axis, Sequence) else (axis,)
    return as_array(lax.expand_dims(a, [operator.index(i) for i in axes]))


def broadcast_shapes(*shapes: Any) -> tuple[int, ...]:
    """The shape that arrays of these shapes broadcast to.

    Args:
      shapes: tuples of sizes; a single integer is a shape of one axis.

    Raises:
      ValueError: if the sizes of an axis differ and are not 1.

    >>> jnp.broadcast_shapes((2, 1), (3,))
    (2, 3)
    """
    return _common_shape(*[_sizes("broadcast_shapes", shape) for shape in shapes])


def broadcast_to(array: Any, shape: Any, *, out_sharding: Any = None) -> Any:
    """The array repeated along new axes and axes of size 1, until it has a shape.

    Args:
      array: array or number.
      shape: a size or a tuple of sizes.

    Raises:
      ValueError: if the array does not broadcast to that shape.

    >>> jnp.broadcast_to(jnp.arange(2), (3, 2)).shape
    (3, 2)
    """
    check_arraylike("broadcast_to", array)
    own, wanted = aval_of(array).shape, _sizes("broadcast_to", shape)
    matching = zip(own[::-1], wanted[::-1], strict=False)
    if len(own) > len(wanted) or any(size not in (1, new) for size, new in matching):
        raise ValueError(
            f"broadcast_to: an array of shape {own} was given, but it does not broadcast to {wanted}: "
            f"compared from the "
            "last, its sizes must be those wanted or 1"
        )
    return as_array(broadcast_to_shape(array, wanted))


def broadcast_arrays(*args: Any) -> list[Any]:
    """The arrays, each repeated until all have one shape.

    Raises:
      ValueError: if the shapes do not broadcast.

    >>> [x.shape for x in jnp.broadcast_arrays(jnp.zeros((2, 1)), jnp.zeros(3))]
    [(2, 3), (2, 3)]
    """
    check_arraylike("broadcast_arrays", *args)
    shape = _common_shape(*[aval_of(x).shape for x in args])
    return [as_array(broadcast_to_shape(x, shape)) for x in args]


def _at_least(name: str, arrays: tuple[Any, ...], new_axes: dict[int, tuple[int, ...]]) -> Any:
    """The arrays with new axes, where they are in the result, by how many axes there were."""
    check_arraylike(name, *arrays)
    results = [as_array(lax.expand_dims(x, new_axes.get(len(aval_of(x).shape), ()))) for x in arrays]
    return results[0] if len(results) == 1 else results


@named
def atleast_1d(*arys: Any) -> Any:
    """The arrays, with an axis of size 1 where there is none; one array for one argument, else a list.

    >>> jnp.atleast_1d(5)
    Array([5], dtype=int32, weak_type=True)
    """
    return _at_least("atleast_1d", arys, {0: (0,)})


@named
def atleast_2d(*arys: Any) -> Any:
    """The arrays, with leading axes of size 1 up to two; one array for one argument, else a list.

    >>> jnp.atleast_2d(jnp.arange(3)).shape
    (1, 3)
    """
    return _at_least("atleast_2d", arys, {0: (0, 1), 1: (0,)})


@named
def atleast_3d(*arys: Any) -> Any:
    """The arrays, with axes of size 1 up to three: a row of numbers becomes ``(1, n, 1)``, a matrix ``(m, n, 1)``.

    >>> jnp.atleast_3d(jnp.arange(3)).shape
    (1, 3, 1)
    """
    return _at_least("atleast_3d", arys, {0: (0, 1, 2), 1: (0, 2), 2: (2,)})
