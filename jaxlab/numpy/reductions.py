"""Reductions: sums, products, extremes and their places, logic, over some or all axes."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from jaxlab import dtypes, lax
from jaxlab.core.aval import aval_of, is_inexact
from jaxlab.core.trace import Tracer
from jaxlab.numpy.promotion import (
    cast,
    check_arraylike,
    check_out,
    type_of,
)
from jaxlab.numpy.selection import selected
from jaxlab.numpy.ufuncs_arithmetic import maximum, minimum
from jaxlab.numpy.wrapping import BOOL, compiled, like, named
from jaxlab.primitives.arg_extremes import argmax_p, argmin_p
from jaxlab.primitives.broadcasting import reduce_sum_p
from jaxlab.primitives.reduction import (
    highest,
    lowest,
    reduce_and_p,
    reduce_max_p,
    reduce_min_p,
    reduce_or_p,
    reduce_prod_p,
)

_F32, _I32 = np.dtype(np.float32), np.dtype(np.int32)

Axis = Any
"""None for all axes, an integer, or a tuple of integers; negative ones count from the end."""


def canonical_axes(name: str, axis: Axis, ndim: int) -> tuple[int, ...]:
    """The axes meant, in ascending order of being given, each from 0 on.

    Raises:
      AxisError: if one is out of bounds.
      ValueError: if one is named twice.
      TypeError: if one is not an integer.
    """
    if axis is None:
        return tuple(range(ndim))
    axes = (axis,) if isinstance(axis, int) else axis if isinstance(axis, tuple) else _as_axes(axis)
    out = []
    for i in axes:
        i = operator.index(i)
        if not -ndim <= i < ndim:
            # NumPy's error for this is both a ValueError and an IndexError, of which JAX raises now one and
            # now the other.
            raise np.exceptions.AxisError(f"{name}: axis {i} is out of bounds for an array with {ndim} axes")
        out.append(i % ndim)
    if len(set(out)) != len(out):
        raise ValueError(f"{name}: axis={axis} names an axis twice; give each once")
    return tuple(out)


def _as_axes(axis: Any) -> tuple[int, ...]:
    return tuple(axis) if isinstance(axis, list) else (operator.index(axis),)


def static_axis(axis: Axis) -> Axis:
    """An axis argument that can be a cache key."""
    if axis is None or type(axis) is int:
        return axis
    if isinstance(axis, list | tuple):
        return tuple(map(operator.index, axis))
    return operator.index(axis)


class Reduction(NamedTuple):
    """What tells one reduction from another."""

    name: str
    bind: Callable[[Any, tuple[int, ...]], Any]
    identity: Callable[[Any], Any]
    combine: Callable[[Any, Any], Any]
    has_identity: bool = True
    widens: bool = False  # small integers to 32 bits, half precision computed in 32 bits


def _bound(primitive: Any, **params: Any) -> Callable[[Any, tuple[int, ...]], Any]:
    return lambda x, axes: primitive.bind(x, axes=axes, **params)


SUM = Reduction("sum", _bound(reduce_sum_p, out_sharding=None), lambda dtype: 0, lax.add, widens=True)
PROD = Reduction("prod", _bound(reduce_prod_p), lambda dtype: 1, lax.mul, widens=True)
MAX = Reduction("max", _bound(reduce_max_p), lowest, maximum.__wrapped__, has_identity=False)
MIN = Reduction("min", _bound(reduce_min_p), highest, minimum.__wrapped__, has_identity=False)
ANY = Reduction("any", _bound(reduce_or_p), lambda dtype: False, lax.bitwise_or)
ALL = Reduction("all", _bound(reduce_and_p), lambda dtype: True, lax.bitwise_and)


def reduced(
    kind: Reduction,
    a: Any,
    axis: Axis,
    dtype: Any = None,
    keepdims: bool = False,
    initial: Any = None,
    where: Any = None,
    promote_integers: bool = True,
) -> Any:
    """An array reduced in one way; arguments as of `sum`, the dtype canonical."""
    aval = type_of(kind.name, a)
    shape = aval.shape
    axes = canonical_axes(kind.name, axis, len(shape))
    if not kind.has_identity and initial is None:
        if where is not None:
            raise ValueError(
                f"{kind.name}: where= was given, but {kind.name} of nothing is not defined; give "
                "initial=, too"
            )
        if 0 in [shape[i] for i in axes]:
            raise ValueError(
                f"{kind.name}: an array of shape {shape} was given, but {kind.name} of nothing is not "
                "defined; give initial="
            )
    result = aval.dtype if dtype is None else dtype
    computed = result
    if kind.widens and dtype is None:
        if promote_integers or result == BOOL:
            computed = result = widened(result)
        if result.itemsize == 2 and is_inexact(result):
            computed = _F32
    a = cast(a, computed)
    if where is not None:
        check_arraylike(kind.name, where)
        a = selected(where, a, computed.type(_extreme_of(kind.identity(computed))))
    out = kind.bind(a, axes)
    if initial is not None:
        if aval_of(initial).shape:
            raise ValueError(
                f"{kind.name}: initial has the shape {aval_of(initial).shape}, but a scalar is needed"
            )
        out = kind.combine(cast(initial, computed), out)
    if keepdims:
        out = lax.expand_dims(out, sorted(axes))
    return out if computed == result else lax.convert_element_type(out, result)


def _extreme_of(value: Any) -> Any:
    # The place of a masked complex number is taken by one that is real.
    return value.real if isinstance(value, complex) else value


def widened(dtype: Any) -> Any:
    """The default integer for booleans and narrower integers, with the same sign."""
    if dtype == BOOL:
        return dtypes.python_scalar_dtype(int)
    if not dtypes.issubdtype(dtype, np.integer):
        return dtype
    default = dtypes.python_scalar_dtype(int)
    if dtypes.iinfo(dtype).bits >= dtypes.iinfo(default).bits:
        return dtype
    return (
        np.dtype(f"uint{dtypes.iinfo(default).bits}")
        if dtypes.issubdtype(dtype, np.unsignedinteger)
        else default
    )


_STATIC = ("axis", "dtype", "keepdims", "promote_integers")


def _program(kind: Reduction) -> Any:
    """The compiled form; traced calls use the plain one, which costs less."""

    def reduce(
        a: Any, axis: Any, dtype: Any, keepdims: bool, initial: Any, where: Any, promote_integers: bool
    ) -> Any:
        return reduced(kind, a, axis, dtype, keepdims, initial, where, promote_integers)

    reduce.__name__ = reduce.__qualname__ = kind.name
    return compiled(reduce, static_argnames=_STATIC)


_programs = {kind.name: _program(kind) for kind in (SUM, PROD, MAX, MIN)}


def _apply(
    kind: Reduction,
    a: Any,
    axis: Axis,
    dtype: Any,
    out: None,
    keepdims: bool,
    initial: Any,
    where: Any,
    promote_integers: bool,
) -> Any:
    if out is not None:
        check_out(kind.name, out)
    if dtype is not None:
        dtype = dtypes.canonicalize_requested(dtype, kind.name, stacklevel=4)
    if isinstance(a, Tracer):
        return reduced(kind, a, axis, dtype, keepdims, initial, where, promote_integers)
    return _programs[kind.name](a, static_axis(axis), dtype, bool(keepdims), initial, where, promote_integers)


def sum(
    a: Any,
    axis: Axis = None,
    dtype: Any = None,
    out: None = None,
    keepdims: bool = False,
    initial: Any = None,
    where: Any = None,
    promote_integers: bool = True,
) -> Any:
    """The sum over axes.

    Args:
      a: array or number.
      axis: the axes to sum over, all by default.
      dtype: the dtype of the sum. By default booleans and integers of under 32 bits become 32 bits wide;
        half-precision
        numbers are added in 32 bits, and the sum is rounded.
      out: not supported.
      keepdims: whether the axes stay, with length 1.
      initial: a number to start from.
      where: array of booleans that broadcasts to ``a``: which elements count.
      promote_integers: whether narrow integers become wider.

    Raises:
      TypeError: if ``a`` is not an array or a number.
      ValueError: if an axis is out of bounds or named twice.

    >>> jnp.sum(jnp.array([[1, 2], [3, 4]]), axis=0)
    Array([4, 6], dtype=int32)
    """
    return _apply(SUM, a, axis, dtype, out, keepdims, initial, where, promote_integers)


def prod(
    a: Any,
    axis: Axis = None,
    dtype: Any = None,
    out: None = None,
    keepdims: bool = False,
    initial: Any = None,
    where: Any = None,
    promote_integers: bool = True,
) -> Any:
    """The product over axes; arguments and errors as of `sum`.

    >>> jnp.prod(jnp.array([[1, 2], [3, 4]]), axis=0)
    Array([3, 8], dtype=int32)
    """
    return _apply(PROD, a, axis, dtype, out, keepdims, initial, where, promote_integers)


def max(
    a: Any,
    axis: Axis = None,
    out: None = None,
    keepdims: bool = False,
    initial: Any = None,
    where: Any = None,
) -> Any:
    """The greatest element over axes; NaN if there is one.

    Args:
      a: array or number; complex numbers are ordered by their real parts first.
      axis, out, keepdims, where: as for `sum`; with ``where``, ``initial`` is needed.
      initial: the least value of the result.

    Raises:
      TypeError: if ``a`` is not an array or a number.
      ValueError: if there are no elements and no ``initial``, or an axis is out of bounds.

    >>> jnp.max(jnp.array([[1, 2], [3, 4]]), axis=0)
    Array([3, 4], dtype=int32)
    """
    return _apply(MAX, a, axis, None, out, keepdims, initial, where, False)


def min(
    a: Any,
    axis: Axis = None,
    out: None = None,
    keepdims: bool = False,
    initial: Any = None,
    where: Any = None,
) -> Any:
    """The least element over axes; arguments and errors as of `max`.

    >>> jnp.min(jnp.array([[1, 2], [3, 4]]), axis=0)
    Array([1, 2], dtype=int32)
    """
    return _apply(MIN, a, axis, None, out, keepdims, initial, where, False)


amax, amin = max, min


def _as_bools(name: str, a: Any) -> Any:
    dtype = type_of(name, a).dtype
    if dtype == BOOL:
        return a
    return lax.convert_element_type(lax.real(a) if dtype.kind == "c" else a, BOOL)


@compiled(static_argnames=("axis", "keepdims"))
def _any(a: Any, axis: Any, keepdims: bool, where: Any) -> Any:
    return reduced(ANY, _as_bools("any", a), axis, None, keepdims, None, where)


@compiled(static_argnames=("axis", "keepdims"))
def _all(a: Any, axis: Any, keepdims: bool, where: Any) -> Any:
    return reduced(ALL, _as_bools("all", a), axis, None, keepdims, None, where)


def any(a: Any, axis: Axis = None, out: None = None, keepdims: bool = False, *, where: Any = None) -> Any:
    """Whether an element is true, over axes; numbers are where they are not 0.

    Args:
      a: array or number.
      axis, out, keepdims, where: as for `sum`.

    Raises:
      TypeError: if ``a`` is not an array or a number.
      ValueError: if an axis is out of bounds or named twice.

    >>> jnp.any(jnp.array([[True, False], [False, False]]), axis=1)
    Array([ True, False], dtype=bool)
    """
    check_out("any", out)
    if isinstance(a, Tracer):
        return _any.__wrapped__(a, axis, keepdims, where)
    return _any(a, static_axis(axis), bool(keepdims), where)


def all(a: Any, axis: Axis = None, out: None = None, keepdims: bool = False, *, where: Any = None) -> Any:
    """Whether all elements are true, over axes; arguments and errors as of `any`.

    >>> jnp.all(jnp.array([[True, True], [False, True]]), axis=1)
    Array([ True, False], dtype=bool)
    """
    check_out("all", out)
    if isinstance(a, Tracer):
        return _all.__wrapped__(a, axis, keepdims, where)
    return _all(a, static_axis(axis), bool(keepdims), where)


@named(static_argnames=("axis", "keepdims"))
def _ptp(a: Any, axis: Any = None, keepdims: bool = False) -> Any:
    greatest = reduced(MAX, a, axis, None, keepdims)
    return lax.sub(greatest, reduced(MIN, a, axis, None, keepdims))


def ptp(a: Any, axis: Axis = None, out: None = None, keepdims: bool = False) -> Any:
    """The greatest element minus the least ("peak to peak"), over axes.

    Args:
      a: array or number.
      axis, out, keepdims: as for `sum`.

    Raises:
      TypeError: if ``a`` is of booleans, or not an array or a number.
      ValueError: if there are no elements, or an axis is out of bounds.

    >>> jnp.ptp(jnp.array([[1, 2], [3, 6]]), axis=0)
    Array([2, 4], dtype=int32)
    """
    check_out("ptp", out)
    return _ptp(a, static_axis(axis), keepdims=bool(keepdims))


@named(static_argnames=("axis", "keepdims"))
def count_nonzero(a: Any, axis: Axis = None, keepdims: bool = False) -> Any:
    """How many elements are not 0, over axes.

    Args:
      a: array or number.
      axis, keepdims: as for `sum`.

    Raises:
      TypeError: if ``a`` is not an array or a number.
      ValueError: if an axis is out of bounds or named twice.

    >>> jnp.count_nonzero(jnp.array([[1, 0], [3, 6]]), axis=0)
    Array([2, 1], dtype=int32)
    """
    type_of("count_nonzero", a)
    return reduced(SUM, lax.ne(a, like(a, 0)), axis, dtypes.canonicalize(int), keepdims)


def _arg_extreme(name: str, primitive: Any) -> Any:
    def program(a: Any, axis: Any, keepdims: bool) -> Any:
        shape = type_of(name, a).shape
        if axis is None:
            a = lax.reshape(a, (math.prod(shape),))
            axis, restored = 0, tuple(range(len(shape)))
        else:
            (axis,) = canonical_axes(name, axis, len(shape))
            restored = (axis,)
        if not aval_of(a).shape[axis]:
            raise ValueError(
                f"{name}: an array of shape {shape} was given, but at least one element is needed"
            )
        out = primitive.bind(a, axes=(axis,), index_dtype=dtypes.canonicalize(int))
        return lax.expand_dims(out, restored) if keepdims else out

    program.__name__ = program.__qualname__ = name
    return compiled(program, static_argnames=("axis", "keepdims"))


_argmax, _argmin = _arg_extreme("argmax", argmax_p), _arg_extreme("argmin", argmin_p)


def argmax(a: Any, axis: int | None = None, out: None = None, keepdims: bool | None = None) -> Any:
    """Where the greatest element is, the first of equal ones; NaN counts as the greatest.

    Args:
      a: array or number.
      axis: the axis to look along; the flattened array by default.
      out: not supported.
      keepdims: whether the axis stays, with length 1.

    Returns:
      An int32 array of places.

    Raises:
      TypeError: if ``a`` is not an array or a number, or ``axis`` not an integer.
      ValueError: if there are no elements, or the axis is out of bounds.

    >>> jnp.argmax(jnp.array([[1, 5], [3, 4]]), axis=0)
    Array([1, 0], dtype=int32)
    """
    check_out("argmax", out)
    return _argmax(a, None if axis is None else operator.index(axis), bool(keepdims))


def argmin(a: Any, axis: int | None = None, out: None = None, keepdims: bool | None = None) -> Any:
    """Where the least element is; arguments and errors as of `argmax`.

    >>> jnp.argmin(jnp.array([[1, 5], [3, 4]]), axis=0)
    Array([0, 1], dtype=int32)
    """
    check_out("argmin", out)
    return _argmin(a, None if axis is None else operator.index(axis), bool(keepdims))
