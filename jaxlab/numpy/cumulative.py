"""Running sums and products."""

from __future__ import annotations

import math
import operator
from typing import Any

from jaxlab import dtypes, lax
from jaxlab.core.aval import aval_of
from jaxlab.numpy.promotion import cast, check_arraylike, check_out, type_of
from jaxlab.numpy.reductions import canonical_axes, widened
from jaxlab.numpy.selection import selected
from jaxlab.numpy.wrapping import BOOL, like, named


def _cumulative(
    name: str,
    a: Any,
    axis: int | None,
    dtype: Any,
    out: None,
    running: Any,
    *,
    fill: float | None = None,
    wide: bool = False,
) -> Any:
    check_out(name, out)
    aval = type_of(name, a)
    if axis is None or not aval.shape:
        a = lax.reshape(a, (math.prod(aval.shape),)) if len(aval.shape) != 1 else a
        axis = 0
    (axis,) = canonical_axes(name, operator.index(axis), len(aval_of(a).shape))
    if fill is not None:
        a = selected(lax.ne(a, a), like(a, fill), a)
    if dtype is not None:
        wanted = dtypes.canonicalize_requested(dtype, name, stacklevel=4)
    elif wide:
        wanted = widened(aval.dtype)
    else:
        wanted = dtypes.python_scalar_dtype(int) if aval.dtype == BOOL else aval.dtype
    return running(cast(a, wanted), axis)


@named(static_argnames=("axis", "dtype", "out"))
def cumsum(a: Any, axis: int | None = None, dtype: Any = None, out: None = None) -> Any:
    """The sums of the elements so far, along an axis.

    Args:
      a: array or number.
      axis: the axis; the flattened array by default.
      dtype: the dtype of the sums; booleans become integers by default.
      out: not supported.

    Raises:
      TypeError: if ``a`` is not an array or a number.
      ValueError: if the axis is out of bounds.

    >>> jnp.cumsum(jnp.array([1, 2, 3]))
    Array([1, 3, 6], dtype=int32)
    """
    return _cumulative("cumsum", a, axis, dtype, out, lax.cumsum)


@named(static_argnames=("axis", "dtype", "out"))
def cumprod(a: Any, axis: int | None = None, dtype: Any = None, out: None = None) -> Any:
    """The products of the elements so far, along an axis; arguments and errors as of `cumsum`.

    >>> jnp.cumprod(jnp.array([1, 2, 3]))
    Array([1, 2, 6], dtype=int32)
    """
    return _cumulative("cumprod", a, axis, dtype, out, lax.cumprod)


@named(static_argnames=("axis", "dtype", "out"))
def nancumsum(a: Any, axis: int | None = None, dtype: Any = None, out: None = None) -> Any:
    """As `cumsum`, with 0 in place of NaN.

    >>> jnp.nancumsum(jnp.array([1., jnp.nan, 3.]))
    Array([1., 1., 4.], dtype=float32)
    """
    return _cumulative("nancumsum", a, axis, dtype, out, lax.cumsum, fill=0)


@named(static_argnames=("axis", "dtype", "out"))
def nancumprod(a: Any, axis: int | None = None, dtype: Any = None, out: None = None) -> Any:
    """As `cumprod`, with 1 in place of NaN.

    >>> jnp.nancumprod(jnp.array([2., jnp.nan, 3.]))
    Array([2., 2., 6.], dtype=float32)
    """
    return _cumulative("nancumprod", a, axis, dtype, out, lax.cumprod, fill=1)


@named(static_argnames=("axis", "dtype"))
def _cumsum_with_promotion(a: Any, axis: int | None = None, dtype: Any = None) -> Any:
    return _cumulative("cumulative_sum", a, axis, dtype, None, lax.cumsum, wide=True)


@named(static_argnames=("axis", "dtype"))
def _cumprod_with_promotion(a: Any, axis: int | None = None, dtype: Any = None) -> Any:
    return _cumulative("cumulative_prod", a, axis, dtype, None, lax.cumprod, wide=True)


def _standard(
    name: str, x: Any, axis: int | None, dtype: Any, include_initial: bool, running: Any, start: int
) -> Any:
    check_arraylike(name, x)
    shape = aval_of(x).shape
    if not shape:
        raise ValueError(
            f"{name}: a scalar was given, but at least one axis is needed; write jnp.atleast_1d(x)"
        )
    if axis is None:
        if len(shape) > 1:
            raise ValueError(f"{name}: an array of shape {shape} was given without axis; say along which one")
        axis = 0
    (axis,) = canonical_axes(name, axis, len(shape))
    out = running(x, axis=axis, dtype=dtype)
    if not include_initial:
        return out
    first = lax.full((*shape[:axis], 1, *shape[axis + 1 :]), start, aval_of(out).dtype)
    return lax.concatenate([first, out], axis)


def cumulative_sum(
    x: Any, /, *, axis: int | None = None, dtype: Any = None, include_initial: bool = False
) -> Any:
    """The sums of the elements so far, along an axis, as the array API standard has it.

    Args:
      x: array with at least one axis.
      axis: the axis; needed unless there is only one.
      dtype: the dtype of the sums; narrow integers become wider by default.
      include_initial: whether the result starts with 0, and is longer by one.

    Raises:
      ValueError: if there is no axis, or it is not clear which.

    >>> jnp.cumulative_sum(jnp.array([1, 2, 3]), include_initial=True)
    Array([0, 1, 3, 6], dtype=int32)
    """
    return _standard("cumulative_sum", x, axis, dtype, include_initial, _cumsum_with_promotion, 0)


def cumulative_prod(
    x: Any, /, *, axis: int | None = None, dtype: Any = None, include_initial: bool = False
) -> Any:
    """The products of the elements so far; arguments and errors as of `cumulative_sum`.

    >>> jnp.cumulative_prod(jnp.array([1, 2, 3]), include_initial=True)
    Array([1, 1, 2, 6], dtype=int32)
    """
    return _standard("cumulative_prod", x, axis, dtype, include_initial, _cumprod_with_promotion, 1)
