"""Means, variances and standard deviations over some or all axes."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from jaxlab import dtypes, lax
from jaxlab.core.aval import aval_of, is_inexact
from jaxlab.core.trace import Tracer
from jaxlab.numpy.promotion import (
    broadcast_to_shape,
    cast,
    check_arraylike,
    check_out,
    promote_dtypes,
    to_inexact,
    type_of,
)
from jaxlab.numpy.reductions import SUM, Axis, canonical_axes, reduced, static_axis, sum
from jaxlab.numpy.selection import selected
from jaxlab.numpy.wrapping import BOOL, compiled, like, named

_F32, _I32 = np.dtype(np.float32), np.dtype(np.int32)


def _count(a: Any, axes: tuple[int, ...], where: Any, dtype: Any, keepdims: bool) -> Any:
    """How many elements count, in a dtype: a constant unless some are masked."""
    shape = aval_of(a).shape
    if where is None:
        return dtype.type(math.prod(shape[i] for i in axes))
    mask = broadcast_to_shape(where, shape)
    if aval_of(where).dtype == BOOL:
        mask = cast(mask, _I32)
    return reduced(SUM, cast(mask, dtype), axes, dtype, keepdims)


def _mean(a: Any, axis: Any, dtype: Any, keepdims: bool, where: Any) -> Any:
    aval = type_of("mean", a)
    axes = canonical_axes("mean", axis, len(aval.shape))
    result = computed = to_inexact(aval.dtype) if dtype is None else dtype
    if dtype is None and result.itemsize == 2:
        computed = _F32
    if aval.dtype == BOOL:
        a = cast(a, dtypes.python_scalar_dtype(int))
    count = _count(a, axes, where, computed, keepdims)
    total = reduced(SUM, cast(a, computed), axes, computed, keepdims, None, where)
    out = lax.div(total, count)
    return out if computed == result else lax.convert_element_type(out, result)


_mean_program = compiled(_mean, static_argnames=("axis", "dtype", "keepdims"))


def mean(
    a: Any,
    axis: Axis = None,
    dtype: Any = None,
    out: None = None,
    keepdims: bool = False,
    *,
    where: Any = None,
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
            raise ValueError(
                f"{name}: complex numbers and dtype={dtype.name} were given, but the computation needs a "
                "complex dtype"
            )
        return dtype, _real_of(dtype)
    computed = to_inexact(own)
    result = _real_of(computed)
    return (_F32 if computed.itemsize == 2 else computed), result


@named(static_argnames=("axis", "dtype", "keepdims"))
def _var(
    a: Any,
    axis: Any = None,
    dtype: Any = None,
    mean: Any = None,
    correction: Any = 0,
    keepdims: bool = False,
    where: Any = None,
) -> Any:
    computed, result = variance_dtypes("var", a, dtype)
    a = cast(a, computed)
    real = _real_of(computed)
    axes = canonical_axes("var", axis, len(aval_of(a).shape))
    center = _mean(a, axes, computed, True, where) if mean is None else cast(mean, computed)
    squares = squared_magnitude(lax.sub(*_same_rank(a, center)))
    count = lax.sub(_count(a, axes, where, real, keepdims), cast(correction, real))
    out = lax.div(reduced(SUM, squares, axes, real, keepdims, None, where), count)
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
    a: Any,
    axis: Any = None,
    dtype: Any = None,
    mean: Any = None,
    correction: Any = 0,
    keepdims: bool = False,
    where: Any = None,
) -> Any:
    return lax.sqrt(_var(a, axis, dtype, mean, correction, keepdims, where))


def _correction(name: str, ddof: Any, correction: Any) -> Any:
    if correction is None:
        return ddof
    if not isinstance(ddof, int) or ddof != 0:
        raise ValueError(
            f"{name}: ddof={ddof} and correction={correction} were given, which are two names of one "
            "thing; give one"
        )
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
    return _var(
        a, static_axis(axis), dtype, mean, _correction("var", ddof, correction), bool(keepdims), where
    )


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
        if not is_inexact(dtype):
            raise ValueError(
                f"std: dtype={dtype.name} was given, but the square root needs a floating-point dtype"
            )
    return _std(
        a, static_axis(axis), dtype, mean, _correction("std", ddof, correction), bool(keepdims), where
    )


def average(
    a: Any, axis: Axis = None, weights: Any = None, returned: bool = False, keepdims: bool = False
) -> Any:
    """The mean over axes, of elements with weights.

    Args:
      a: array or number; integers and booleans become floats.
      axis: the axes, all by default.
      weights: array of the shape of ``a``, or of the lengths of the axes; all 1 by default.
      returned: whether the sum of the weights is returned, too.
      keepdims: whether the axes stay, with length 1.

    Raises:
      ValueError: if the shapes differ and no axis is given, or the weights do not fit to the axes.

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
        raise ValueError(
            f"average: weights of shape {own} were given for an array of shape {shape}; say which axis "
            "they are for"
        )
    if own != tuple(shape[i] for i in axes):
        raise ValueError(
            f"average: weights of shape {own} were given for axes of lengths {tuple(shape[i] for i in axes)}"
        )
    if sorted(axes) != list(axes):
        weights = lax.transpose(weights, np.argsort(axes))
    return lax.reshape(weights, tuple(size if i in axes else 1 for i, size in enumerate(shape)))
