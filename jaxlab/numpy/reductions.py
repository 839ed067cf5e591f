"""Reductions: sums, products, extremes, logic, means and variances over some or all axes."""

from __future__ import annotations

import builtins
import math
import operator
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from jaxlab import dtypes, lax
from jaxlab.core.aval import aval_of, is_inexact
from jaxlab.core.trace import Tracer
from jaxlab.numpy.promotion import cast, check_arraylike, check_out, promote_dtypes, to_inexact, type_of
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
      ValueError: if one is out of bounds, or named twice.
      TypeError: if one is not an integer.
    """
    if axis is None:
        return tuple(range(ndim))
    axes = (axis,) if isinstance(axis, int) else axis if isinstance(axis, tuple) else _as_axes(axis)
    out = []
    for i in axes:
        i = operator.index(i)
        if not -ndim <= i < ndim:
            raise ValueError(f"{name}: axis {i} is out of bounds for an array with {ndim} axes")
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


class _Reduction(NamedTuple):
    """What tells one reduction from another."""

    name: str
    bind: Callable[[Any, tuple[int, ...]], Any]
    identity: Callable[[Any], Any]
    combine: Callable[[Any, Any], Any]
    has_identity: bool = True
    widens: bool = False  # small integers to 32 bits, half precision computed in 32 bits


def _bound(primitive: Any, **params: Any) -> Callable[[Any, tuple[int, ...]], Any]:
    return lambda x, axes: primitive.bind(x, axes=axes, **params)


_SUM = _Reduction("sum", _bound(reduce_sum_p, out_sharding=None), lambda dtype: 0, lax.add, widens=True)
_PROD = _Reduction("prod", _bound(reduce_prod_p), lambda dtype: 1, lax.mul, widens=True)
_MAX = _Reduction("max", _bound(reduce_max_p), lowest, maximum.__wrapped__, has_identity=False)
_MIN = _Reduction("min", _bound(reduce_min_p), highest, minimum.__wrapped__, has_identity=False)
_ANY = _Reduction("any", _bound(reduce_or_p), lambda dtype: False, lax.bitwise_or)
_ALL = _Reduction("all", _bound(reduce_and_p), lambda dtype: True, lax.bitwise_and)


def _reduce(
    kind: _Reduction,
    a: Any,
    axis: Axis,
    dtype: Any = None,
    keepdims: bool = False,
    initial: Any = None,
    where: Any = None,
    promote_integers: bool = True,
) -> Any:
    aval = type_of(kind.name, a)
    shape = aval.shape
    axes = canonical_axes(kind.name, axis, len(shape))
    if not kind.has_identity and initial is None:
        if where is not None:
            raise ValueError(f"{kind.name}: where= was given, but {kind.name} of nothing is not defined; give initial=, too")
        if 0 in [shape[i] for i in axes]:
            raise ValueError(f"{kind.name}: an array of shape {shape} was given, but {kind.name} of nothing is not defined; give initial=")
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
            raise ValueError(f"{kind.name}: initial has the shape {aval_of(initial).shape}, but a scalar is needed")
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
    return np.dtype(f"uint{dtypes.iinfo(default).bits}") if dtypes.issubdtype(dtype, np.unsignedinteger) else default


_STATIC = ("axis", "dtype", "keepdims", "promote_integers")


def _program(kind: _Reduction) -> Any:
    """The compiled form; traced calls use the plain one, which costs less."""

    def reduce(a: Any, axis: Any, dtype: Any, keepdims: bool, initial: Any, where: Any, promote_integers: bool) -> Any:
        return _reduce(kind, a, axis, dtype, keepdims, initial, where, promote_integers)

    reduce.__name__ = reduce.__qualname__ = kind.name
    return compiled(reduce, static_argnames=_STATIC)


_programs = {kind.name: _program(kind) for kind in (_SUM, _PROD, _MAX, _MIN)}


def _apply(
    kind: _Reduction, a: Any, axis: Axis, dtype: Any, out: None, keepdims: bool, initial: Any, where: Any, promote_integers: bool
) -> Any:
    if out is not None:
        check_out(kind.name, out)
    if dtype is not None:
        dtype = dtypes.canonicalize_requested(dtype, kind.name, stacklevel=4)
    if isinstance(a, Tracer):
        return _reduce(kind, a, axis, dtype, keepdims, initial, where, promote_integers)
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
      dtype: the dtype of the sum. By default booleans and integers of under 32 bits become 32 bits wide; half-precision
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
    return _apply(_SUM, a, axis, dtype, out, keepdims, initial, where, promote_integers)


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
    return _apply(_PROD, a, axis, dtype, out, keepdims, initial, where, promote_integers)


def max(
    a: Any, axis: Axis = None, out: None = None, keepdims: bool = False, initial: Any = None, where: Any = None
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
    return _apply(_MAX, a, axis, None, out, keepdims, initial, where, False)


def min(
    a: Any, axis: Axis = None, out: None = None, keepdims: bool = False, initial: Any = None, where: Any = None
) -> Any:
    """The least element over axes; arguments and errors as of `max`.

    >>> jnp.min(jnp.array([[1, 2], [3, 4]]), axis=0)
    Array([1, 2], dtype=int32)
    """
    return _apply(_MIN, a, axis, None, out, keepdims, initial, where, False)


amax, amin = max, min


def _as_bools(name: str, a: Any) -> Any:
    dtype = type_of(name, a).dtype
    if dtype == BOOL:
        return a
    return lax.convert_element_type(lax.real(a) if dtype.kind == "c" else a, BOOL)


@compiled(static_argnames=("axis", "keepdims"))
def _any(a: Any, axis: Any, keepdims: bool, where: Any) -> Any:
    return _reduce(_ANY, _as_bools("any", a), axis, None, keepdims, None, where)


@compiled(static_argnames=("axis", "keepdims"))
def _all(a: Any, axis: Any, keepdims: bool, where: Any) -> Any:
    return _reduce(_ALL, _as_bools("all", a), axis, None, keepdims, None, where)


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


def _count(a: Any, axes: tuple[int, ...], where: Any, dtype: Any, keepdims: bool) -> Any:
    """How many elements count, in a dtype: a constant unless some are masked."""
    shape = aval_of(a).shape
    if where is None:
        return dtype.type(math.prod(shape[i] for i in axes))
    mask = cast(where, _I32) if aval_of(where).dtype == BOOL else where
    mask_shape = aval_of(mask).shape
    if mask_shape != shape:
        mask = lax.broadcast_in_dim(mask, shape, range(len(shape) - len(mask_shape), len(shape)))
    return _reduce(_SUM, cast(mask, dtype), axes, dtype, keepdims)


def _mean(a: Any, axis: Any, dtype: Any, keepdims: bool, where: Any) -> Any:
    aval = type_of("mean", a)
    axes = canonical_axes("mean", axis, len(aval.shape))
    result = computed = to_inexact(aval.dtype) if dtype is None else dtype
    if dtype is None and result.itemsize == 2:
        computed = _F32
    if aval.dtype == BOOL:
        a = cast(a, dtypes.python_scalar_dtype(int))
    count = _count(a, axes, where, computed, keepdims)
    total = _reduce(_SUM, cast(a, computed), axes, computed, keepdims, None, where)
    out = lax.div(total, count)
    return out if computed == result else lax.convert_element_type(out, result)


_mean_program = compiled(_mean, static_argnames=("axis", "dtype", "keepdims"))


def mean(
    a: Any, axis: Axis = None, dtype: Any = None, out: None = None, keepdims: bool = False, *, where: Any = None
) -> Any:
    """The arithmetic mean over axes.

    Args:
      a: array or number; integers and booleans become floats.
      dtype: the dtype it is computed in and returned in; half precision is computed in 32 bits by default.
      axis, out, keepdims, where: as for `sum`.

    Returns:
      An array; NaN where there are no elements.

    Raises:
      TypeError: if ``a`` is not an array or a number.
      ValueError: if an axis is out of bounds or named twice.

    >>> jnp.mean(jnp.array([[1, 2], [3, 4]]), axis=0)
    Array([2., 3.], dtype=float32)
    """
    check_out("mean", out)
    if dtype is not None:
        dtype = dtypes.canonicalize_requested(dtype, "mean", stacklevel=3)
    if isinstance(a, Tracer):
        return _mean(a, axis, dtype, keepdims, where)
    return _mean_program(a, static_axis(axis), dtype, bool(keepdims), where)


def squared_magnitude(a: Any) -> Any:
    """The squared absolute value of each element, as a real number."""
    return lax.real(lax.mul(a, lax.conj(a))) if aval_of(a).dtype.kind == "c" else lax.square(a)


def _real_of(dtype: Any) -> Any:
    return np.zeros((), dtype).real.dtype if dtype.kind == "c" else dtype


def variance_dtypes(name: str, a: Any, dtype: Any) -> tuple[Any, Any]:
    """The dtypes that a variance is computed and returned in."""
    own = type_of(name, a).dtype
    if dtype is not None:
        if own.kind == "c" and dtype.kind != "c":
            raise ValueError(f"{name}: complex numbers and dtype={dtype.name} were given, but the computation needs a complex dtype")
        return dtype, _real_of(dtype)
    computed = to_inexact(own)
    result = _real_of(computed)
    return (_F32 if computed.itemsize == 2 else computed), result


@named(static_argnames=("axis", "dtype", "keepdims"))
def _var(
    a: Any, axis: Any = None, dtype: Any = None, correction: Any = 0, keepdims: bool = False, where: Any = None, mean: Any = None
) -> Any:
    computed, result = variance_dtypes("var", a, dtype)
    a = cast(a, computed)
    real = _real_of(computed)
    axes = canonical_axes("var", axis, len(aval_of(a).shape))
    center = _mean(a, axes, computed, True, where) if mean is None else cast(mean, computed)
    squares = squared_magnitude(lax.sub(*_same_rank(a, center)))
    count = lax.sub(_count(a, axes, where, real, keepdims), cast(correction, real))
    out = lax.div(_reduce(_SUM, squares, axes, real, keepdims, None, where), count)
    if real != result:
        out = lax.convert_element_type(out, result)
    return selected(lax.gt(count, like(count, 0)), out, math.nan)


def _same_rank(a: Any, b: Any) -> tuple[Any, Any]:
    missing = len(aval_of(a).shape) - len(aval_of(b).shape)
    if missing <= 0 or not aval_of(b).shape:
        return a, b
    return a, lax.expand_dims(b, range(missing))


@named(static_argnames=("axis", "dtype", "keepdims"))
def _std(
    a: Any, axis: Any = None, dtype: Any = None, correction: Any = 0, keepdims: bool = False, where: Any = None, mean: Any = None
) -> Any:
    return lax.sqrt(_var(a, axis, dtype, correction, keepdims, where, mean))


def _correction(name: str, ddof: Any, correction: Any) -> Any:
    if correction is None:
        return ddof
    if not isinstance(ddof, int) or ddof != 0:
        raise ValueError(f"{name}: ddof={ddof} and correction={correction} were given, which are two names of one thing; give one")
    return correction


def var(
    a: Any,
    axis: Axis = None,
    dtype: Any = None,
    out: None = None,
    ddof: int = 0,
    keepdims: bool = False,
    *,
    where: Any = None,
    mean: Any = None,
    correction: float | None = None,
) -> Any:
    """The variance over axes: the mean squared distance from the mean.

    Args:
      a: array or number; integers and booleans become floats.
      dtype: the dtype it is computed in; half precision is computed in 32 bits by default.
      ddof: what is taken from the number of elements before the division; 1 for the unbiased estimate.
      mean: the mean, if it is known, with the axes kept.
      correction: another name of ``ddof``.
      axis, out, keepdims, where: as for `sum`.

    Returns:
      A real array; NaN where there are not more than ``ddof`` elements.

    Raises:
      TypeError: if ``a`` is not an array or a number.
      ValueError: if an axis is out of bounds, or both ``ddof`` and ``correction`` are given.

    >>> jnp.var(jnp.array([[1, 2], [3, 6]]), axis=0)
    Array([1., 4.], dtype=float32)
    """
    check_out("var", out)
    if dtype is not None:
        dtype = dtypes.canonicalize_requested(dtype, "var", stacklevel=3)
    return _var(a, static_axis(axis), dtype, _correction("var", ddof, correction), bool(keepdims), where, mean)


def std(
    a: Any,
    axis: Axis = None,
    dtype: Any = None,
    out: None = None,
    ddof: int = 0,
    keepdims: bool = False,
    *,
    where: Any = None,
    mean: Any = None,
    correction: float | None = None,
) -> Any:
    """The standard deviation over axes, the square root of the variance; arguments and errors as of `var`.

    >>> jnp.std(jnp.array([[1, 2], [3, 6]]), axis=0)
    Array([1., 2.], dtype=float32)
    """
    check_out("std", out)
    if dtype is not None:
        dtype = dtypes.canonicalize_requested(dtype, "std", stacklevel=3)
    return _std(a, static_axis(axis), dtype, _correction("std", ddof, correction), bool(keepdims), where, mean)


@named(static_argnames=("axis", "keepdims"))
def _ptp(a: Any, axis: Any = None, keepdims: bool = False) -> Any:
    greatest = _reduce(_MAX, a, axis, None, keepdims)
    return lax.sub(greatest, _reduce(_MIN, a, axis, None, keepdims))


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
    return _reduce(_SUM, lax.ne(a, like(a, 0)), axis, _I32, keepdims)


def average(a: Any, axis: Axis = None, weights: Any = None, returned: bool = False, keepdims: bool = False) -> Any:
    """The mean over axes, of elements with weights.

    Args:
      a: array or number; integers and booleans become floats.
      axis: the axes, all by default.
      weights: array of the shape of ``a``, or of the lengths of the axes; all 1 by default.
      returned: whether the sum of the weights is returned, too.
      keepdims: whether the axes stay, with length 1.

    Raises:
      TypeError: if the shapes differ and no axis is given.
      ValueError: if the weights do not fit to the axes.

    >>> jnp.average(jnp.array([1., 2., 4.]), weights=jnp.array([2, 1, 1]))
    Array(2., dtype=float32)
    """
    if weights is None:
        check_arraylike("average", a)
        out = mean(a, axis, keepdims=keepdims)
        axes = canonical_axes("average", axis, len(aval_of(a).shape))
        total = aval_of(out).dtype.type(math.prod(aval_of(a).shape[i] for i in axes))
    else:
        check_arraylike("average", a, weights)
        a, weights = promote_dtypes(a, weights, inexact=True)
        axes = canonical_axes("average", axis, len(aval_of(a).shape))
        weights = _spread_weights(a, weights, axis, axes)
        total = sum(weights, axis, keepdims=keepdims)
        out = lax.div(sum(lax.mul(a, weights), axis, keepdims=keepdims), total)
    if not returned:
        return out
    shape, own = aval_of(out).shape, aval_of(total).shape
    if own != shape or not isinstance(total, Tracer):
        total = lax.broadcast_in_dim(total, shape, range(len(shape)) if own else ())
    return out, total


def _spread_weights(a: Any, weights: Any, axis: Axis, axes: tuple[int, ...]) -> Any:
    shape, own = aval_of(a).shape, aval_of(weights).shape
    if own == shape:
        return weights
    if axis is None:
        raise TypeError(f"average: weights of shape {own} were given for an array of shape {shape}; say which axis they are for")
    if own != tuple(shape[i] for i in axes):
        raise ValueError(f"average: weights of shape {own} were given for axes of lengths {tuple(shape[i] for i in axes)}")
    if builtins.sorted(axes) != list(axes):
        weights = lax.transpose(weights, np.argsort(axes))
    return lax.reshape(weights, tuple(size if i in axes else 1 for i, size in enumerate(shape)))


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
            raise ValueError(f"{name}: an array of shape {shape} was given, but at least one element is needed")
        out = primitive.bind(a, axes=(axis,), index_dtype=_I32)
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
