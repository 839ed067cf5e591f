"""Arrays of places: ranges, grids, indices."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from jaxlab import dtypes, lax
from jaxlab.core.aval import aval_of, is_inexact
from jaxlab.core.trace import Tracer
from jaxlab.errors import ConcretizationTypeError
from jaxlab.numpy.creation import asarray
from jaxlab.numpy.promotion import (
    broadcast_shapes,
    broadcast_to_shape,
    cast,
    check_arraylike,
    promote_shapes,
)
from jaxlab.numpy.ufuncs import log10
from jaxlab.numpy.wrapping import compiled, named, on_device
from jaxlab.runtime.array import put
from jaxlab.transforms.vmap import vmap

_INDEX = np.dtype(np.int32)


def arange(start: Any, stop: Any = None, step: Any = None, dtype: Any = None, *, device: Any = None) -> Any:
    """The numbers from ``start`` on, in steps, that lie before ``stop``.

    Args:
      start, stop, step: concrete numbers; with one of them, it is ``stop`` and the numbers start at 0. The
        step is 1 by
        default, and may be negative.
      dtype: the dtype; the common one of the numbers by default.
      device: where the result is to lie.

    Returns:
      An array of shape ``(ceil((stop - start) / step),)``.

    Raises:
      ConcretizationTypeError: if an argument is traced: the shape depends on it.
      ValueError: if an argument is complex.
      ZeroDivisionError: if the step is 0.

    >>> jnp.arange(2, 10, 3)
    Array([2, 5, 8], dtype=int32)
    """
    given = [
        _concrete(name, x) for name, x in (("start", start), ("stop", stop), ("step", step)) if x is not None
    ]
    if start is None:
        raise TypeError("arange: None was given as the first argument, but a number is needed")
    check_arraylike("arange", *given)
    if dtype is None:
        dtype = dtypes.result_type(*given)
    else:
        dtype = dtypes.canonicalize_requested(dtype, "arange", stacklevel=3)
    if any(aval_of(x).shape for x in given) or any(aval_of(x).dtype.kind == "c" for x in given):
        raise ValueError(
            "arange: arrays or complex numbers were given, but start, stop and step are real numbers"
        )
    if stop is None and step is None:
        return on_device(_range(size=max(0, math.ceil(given[0])), dtype=dtype), device)
    first, last = (given[0], given[1]) if stop is not None else (0, given[0])
    if step is None:
        size = max(0, math.ceil(last - first))
        return on_device(_range(first, size=size, dtype=dtype), device)
    size = max(0, math.ceil((last - first) / _nonzero(given[-1])))
    return on_device(_range(first, given[-1], size=size, dtype=dtype), device)


def _concrete(name: str, x: Any) -> Any:
    if isinstance(x, Tracer):
        value = x.concrete()
        if value is None:
            raise ConcretizationTypeError(x, f"arange: the length of the result depends on {name}")
        x = value
    return (
        x.item()
        if is_array(x) and not np.shape(x) and aval_of(x).weak_type
        else np.asarray(x)[()]
        if is_array(x)
        else x
    )


def is_array(x: Any) -> bool:
    """Whether ``x`` is an array of ours, and not a number or a NumPy value."""
    return hasattr(x, "aval")


def _nonzero(step: Any) -> Any:
    if step == 0:
        raise ZeroDivisionError("arange: the step is 0; give another")
    return step


@compiled(static_argnames=("size", "dtype"))
def _range(start: Any = None, step: Any = None, *, size: int, dtype: Any) -> Any:
    out = lax.iota(dtype, size)
    if step is not None:
        out = lax.mul(cast(step, dtype), out)
    return out if start is None else lax.add(cast(start, dtype), out)


def linspace(
    start: Any,
    stop: Any,
    num: int = 50,
    endpoint: bool = True,
    retstep: bool = False,
    dtype: Any = None,
    axis: int = 0,
    *,
    device: Any = None,
) -> Any:
    """Numbers at equal distances.

    Args:
      start, stop: the first and the last number; arrays broadcast against each other.
      num: how many.
      endpoint: whether ``stop`` is the last number, or the one after it.
      retstep: whether the distance is returned, too.
      dtype: the dtype; a floating one by default. Integers are rounded down.
      axis: where the new axis stands in the result.
      device: where the result is to lie.

    Raises:
      ValueError: if ``num`` is negative.
      TypeError: if ``num`` is not an integer.

    >>> jnp.linspace(0, 1, 5)
    Array([0.  , 0.25, 0.5 , 0.75, 1.  ], dtype=float32)
    """
    num = _count("linspace", num)
    out = _linspace(start, stop, num, endpoint, retstep, dtype, operator.index(axis))
    return (on_device(out[0], device), out[1]) if retstep else on_device(out, device)


def _count(name: str, num: Any) -> int:
    num = operator.index(num)
    if num < 0:
        raise ValueError(f"{name}: num={num} was given, but the number of samples must not be negative")
    return num


def _inexact_operands(name: str, *operands: Any) -> tuple[list[Any], Any]:
    check_arraylike(name, *operands)
    dtype = dtypes.result_type(*operands)
    if not is_inexact(dtype):
        dtype = dtypes.python_scalar_dtype(float)
    return [cast(x, dtype) for x in operands], dtype


@named(static_argnames=("num", "endpoint", "retstep", "dtype", "axis"))
def _linspace(start: Any, stop: Any, num: int, endpoint: bool, retstep: bool, dtype: Any, axis: int) -> Any:
    (start, stop), computed = _inexact_operands("linspace", start, stop)
    wanted = computed if dtype is None else dtypes.canonicalize_requested(dtype, "linspace")
    shape = broadcast_shapes(aval_of(start).shape, aval_of(stop).shape)
    whole = start, stop
    start, stop = broadcast_to_shape(start, shape), broadcast_to_shape(stop, shape)
    axis = len(shape) + axis + 1 if axis < 0 else axis
    one = np.array(1, computed)[()]
    steps = num - 1 if endpoint else num
    step: Any = computed.type(np.nan)
    along = [1] * (len(shape) + 1)
    row = (*shape[:axis], 1, *shape[axis:])
    if num > 1:
        step = lax.div(lax.sub(*promote_shapes("linspace", *reversed(whole))), computed.type(steps))
        along[axis] = steps
        share = lax.div(
            lax.reshape(lax.iota(np.zeros((), computed).real.dtype, steps), along),
            _real(computed).type(steps),
        )
        share = cast(share, computed)
        # A mean with weights is exact at both ends, and where both are infinite.
        left = lax.mul(lax.reshape(start, row), lax.sub(one, share))
        out = lax.add(left, lax.mul(lax.reshape(stop, row), share))
        if endpoint:
            out = lax.concatenate([out, lax.expand_dims(stop, (axis,))], axis)
    elif num == 1:
        step = lax.sub(stop, start) if not endpoint else step
        out = lax.reshape(start, row)
    else:
        out = lax.full((*shape[:axis], 0, *shape[axis:]), 0, computed)
    if dtypes.issubdtype(wanted, np.integer) and not dtypes.issubdtype(computed, np.integer):
        out = lax.floor(out)
    out = lax.convert_element_type(out, wanted)
    return (out, step) if retstep else out


def _real(dtype: Any) -> Any:
    return np.zeros((), dtype).real.dtype if dtype.kind == "c" else dtype


def logspace(
    start: Any,
    stop: Any,
    num: int = 50,
    endpoint: bool = True,
    base: Any = 10.0,
    dtype: Any = None,
    axis: int = 0,
) -> Any:
    """Numbers whose logarithms are at equal distances, given by the exponents of the first and the last.

    Args:
      start, stop, num, endpoint, dtype, axis: as for `linspace`; ``start`` and ``stop`` are exponents.
      base: the base of the powers.

    Raises:
      ValueError: if ``num`` is negative.

    >>> jnp.logspace(0, 2, 3)
    Array([  1.,  10., 100.], dtype=float32)
    """
    return _logspace(start, stop, _count("logspace", num), endpoint, base, dtype, operator.index(axis))


@named(static_argnames=("num", "endpoint", "dtype", "axis"))
def _logspace(start: Any, stop: Any, num: int, endpoint: bool, base: Any, dtype: Any, axis: int) -> Any:
    (start, stop), computed = _inexact_operands("logspace", start, stop)
    exponents = _linspace(start, stop, num, endpoint, False, None, axis)
    out = lax.pow(cast(base, computed), exponents)
    return (
        out
        if dtype is None
        else lax.convert_element_type(out, dtypes.canonicalize_requested(dtype, "logspace"))
    )


def geomspace(
    start: Any, stop: Any, num: int = 50, endpoint: bool = True, dtype: Any = None, axis: int = 0
) -> Any:
    """Numbers in equal ratios, given by the first and the last.

    Args:
      start, stop, num, endpoint, dtype, axis: as for `linspace`; ``start`` and ``stop`` have one sign.

    Raises:
      ValueError: if ``num`` is negative.

    >>> jnp.geomspace(1, 100, 3).astype(int)
    Array([  1,  10, 100], dtype=int32)
    """
    return _geomspace(start, stop, _count("geomspace", num), endpoint, dtype, operator.index(axis))


@named(static_argnames=("num", "endpoint", "dtype", "axis"))
def _geomspace(start: Any, stop: Any, num: int, endpoint: bool, dtype: Any, axis: int) -> Any:
    (start, stop), _ = _inexact_operands("geomspace", start, stop)
    # The sign (of complex numbers the direction of the first) is taken out, so that logarithms are real.
    sign = lax.sign(start)
    powers = [log10.__wrapped__(lax.div(x, sign)) for x in (start, stop)]
    out = _logspace(*powers, num, endpoint, 10.0, None, 0)
    if aval_of(sign).shape and len(aval_of(out).shape) != len(aval_of(sign).shape):
        sign = lax.expand_dims(sign, range(len(aval_of(out).shape) - len(aval_of(sign).shape)))
    out = lax.mul(sign, out)
    if axis:
        order = list(range(1, len(aval_of(out).shape)))
        order.insert(axis % (len(order) + 1), 0)
        out = lax.transpose(out, order)
    return (
        out
        if dtype is None
        else lax.convert_element_type(out, dtypes.canonicalize_requested(dtype, "geomspace"))
    )


def meshgrid(*xi: Any, copy: bool = True, sparse: bool = False, indexing: str = "xy") -> list[Any]:
    """The coordinates of the points of a grid, from the coordinates along its axes.

    Args:
      xi: arrays with one axis.
      copy: True alone: arrays never share memory.
      sparse: whether each result has length 1 along the axes of the others.
      indexing: "xy" to have the first coordinate along the second axis, as in pictures; "ij" along the first.

    Returns:
      An array for each coordinate, all of one shape, unless ``sparse``.

    Raises:
      ValueError: if an array has not one axis, or another option is unknown.

    >>> jnp.meshgrid(jnp.arange(2), jnp.arange(2))
    [Array([[0, 1],
           [0, 1]], dtype=int32), Array([[0, 0],
           [1, 1]], dtype=int32)]
    """
    check_arraylike("meshgrid", *xi)
    shapes = [aval_of(x).shape for x in xi]
    if not copy:
        raise ValueError("meshgrid: copy=False was given, but arrays never share memory; leave it out")
    if indexing not in ("xy", "ij"):
        raise ValueError(f"meshgrid: indexing={indexing!r} was given, but it is 'xy' or 'ij'")
    if any(len(shape) != 1 for shape in shapes):
        raise ValueError(f"meshgrid: arrays of shapes {shapes} were given, but each must have one axis")
    axes = list(range(len(xi)))
    if indexing == "xy" and len(xi) > 1:
        axes[:2] = 1, 0
    full = [0] * len(xi)
    for axis, shape in zip(axes, shapes, strict=True):
        full[axis] = shape[0]
    out = {}
    for i in sorted(range(len(xi)), key=axes.__getitem__):
        target = [full[j] if not sparse or j == axes[i] else 1 for j in range(len(xi))]
        out[i] = lax.broadcast_in_dim(asarray(xi[i]), target, (axes[i],))
    return [out[i] for i in range(len(xi))]


def indices(dimensions: Sequence[int], dtype: Any = None, sparse: bool = False) -> Any:
    """For each axis of a grid the index along it, at every point.

    Args:
      dimensions: the lengths of the axes of the grid.
      dtype: the dtype, int by default.
      sparse: whether to return a tuple of arrays that have length 1 along the other axes.

    Returns:
      An array of shape ``(len(dimensions), *dimensions)``, unless ``sparse``.

    >>> jnp.indices((2, 2))[1]
    Array([[0, 1],
           [0, 1]], dtype=int32)
    """
    wanted = dtypes.canonicalize_requested(int if dtype is None else dtype, "indices", stacklevel=3)
    dimensions = tuple(map(operator.index, dimensions))
    ndim = len(dimensions)
    grids = []
    for axis, length in enumerate(dimensions):
        target = [dimensions[j] if j == axis or not sparse else 1 for j in range(ndim)]
        grids.append(lax.broadcast_in_dim(lax.iota(wanted, length), target, (axis,)))
    if sparse:
        return tuple(grids)
    if not grids:
        return put(np.zeros(0, wanted))
    return lax.concatenate([lax.expand_dims(grid, (0,)) for grid in grids], 0)


def fromfunction(function: Callable[..., Any], shape: Any, *, dtype: Any = float, **kwargs: Any) -> Any:
    """What a function gives at every point of a grid, called with the indices of one point.

    Args:
      function: takes one number for each axis, and returns a number or an array; it is mapped by `vmap`.
      shape: the lengths of the axes of the grid.
      dtype: the dtype of the indices.
      kwargs: passed on to the function.

    >>> jnp.fromfunction(lambda i, j: i + j, (2, 2), dtype=int)
    Array([[0, 1],
           [1, 2]], dtype=int32)
    """
    lengths = tuple(map(operator.index, shape)) if hasattr(shape, "__iter__") else (operator.index(shape),)

    def mapped(*places: Any) -> Any:
        return function(*places, **kwargs)

    for axis in range(len(lengths) - 1, -1, -1):
        mapped = vmap(mapped, in_axes=tuple(0 if i == axis else None for i in range(len(lengths))))
    wanted = dtypes.canonicalize_requested(dtype, "fromfunction", stacklevel=3)
    return mapped(*[lax.iota(wanted, length) for length in lengths])
