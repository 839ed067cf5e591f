"""Quantiles, percentiles and medians."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from jaxlab import dtypes, lax
from jaxlab.core.aval import aval_of, is_inexact
from jaxlab.numpy import reductions
from jaxlab.numpy.promotion import cast, check_arraylike, check_out, promote_one, type_of
from jaxlab.numpy.reductions import Axis, canonical_axes
from jaxlab.numpy.selection import selected
from jaxlab.numpy.ufuncs_arithmetic import true_divide
from jaxlab.numpy.wrapping import like, named

_I32 = np.dtype(np.int32)
_METHODS = ("linear", "lower", "higher", "midpoint", "nearest")


def _flattened(name: str, a: Any, axis: Any) -> tuple[Any, tuple[int, ...], tuple[int, ...]]:
    """The array with the reduced axes as one, the last; its original shape, and those axes."""
    shape = aval_of(a).shape
    axes = canonical_axes(name, axis, len(shape))
    kept = [i for i in range(len(shape)) if i not in axes]
    a = lax.transpose(a, [*kept, *axes])
    size = math.prod(shape[i] for i in axes)
    return lax.reshape(a, (*[shape[i] for i in kept], size)), shape, axes


def _quantile(name: str, a: Any, q: Any, axis: Any, method: str, keepdims: bool, skip_nan: bool) -> Any:
    check_arraylike(name, a, q)
    if method not in _METHODS:
        raise ValueError(f"{name}: method={method!r} was given, but it is one of {', '.join(_METHODS)}")
    if aval_of(a).dtype.kind == "c" or aval_of(q).dtype.kind == "c":
        raise ValueError(f"{name}: complex numbers were given, but they have no order; take .real or abs")
    a = promote_one(name, a)
    a = cast(a, aval_of(a).dtype)
    q = cast(q, dtypes.python_scalar_dtype(float)) if not is_inexact(aval_of(q).dtype) else q
    q_shape = aval_of(q).shape
    if len(q_shape) > 1:
        raise ValueError(f"{name}: q has the shape {q_shape}, but it has at most one axis")
    a, shape, axes = _flattened(name, a, axis)
    if not aval_of(a).shape[-1]:
        raise ValueError(f"{name}: an array of shape {shape} was given, but at least one element is needed")
    rows, size = aval_of(a).shape[:-1], aval_of(a).shape[-1]
    last = len(rows)
    if not skip_nan:
        # One NaN makes all of the row NaN, so that it comes out whichever place is taken.
        spoilt = lax.reduce_or(lax.ne(a, a), (last,))
        a = selected(lax.expand_dims(spoilt, (last,)), math.nan, a)
    a = lax.sort(a, dimension=last, is_stable=True, num_keys=1)
    dtype = aval_of(q).dtype
    if skip_nan:
        count: Any = reductions.sum(lax.bitwise_not(lax.ne(a, a)), -1, dtype)
    else:
        count = lax.full(rows, size, dtype)
    # All places: one for each quantile and row.
    full = (*q_shape, *rows)
    top = lax.sub(_spread(count, full, range(len(q_shape), len(full))), dtype.type(1))
    place = lax.mul(_spread(q, full, range(len(q_shape))), top)
    low, high = lax.floor(place), lax.ceil(place)
    share = lax.sub(place, low)
    zero = dtype.type(0)
    low, high = [lax.convert_element_type(lax.max(zero, lax.min(x, top)), _I32) for x in (low, high)]
    low_value, high_value = _at(a, low, full), _at(a, high, full)
    out = _between(low_value, high_value, cast(share, aval_of(a).dtype), method)
    if keepdims:
        out = lax.reshape(out, (*q_shape, *[1 if i in axes else n for i, n in enumerate(shape)]))
    return out


def _spread(x: Any, shape: tuple[int, ...], dims: Any) -> Any:
    return lax.broadcast_in_dim(x, shape, tuple(dims))


def _at(a: Any, place: Any, full: tuple[int, ...]) -> Any:
    """The element of each row at its place: by comparison with a counter, which the compiler fuses into one
    pass."""
    rows = aval_of(a).shape
    wide = (*full, rows[-1])
    counter = lax.broadcasted_iota(_I32, wide, len(full))
    chosen = lax.eq(counter, _spread(place, wide, range(len(full))))
    values = _spread(a, wide, range(len(wide) - len(rows), len(wide)))
    return lax.reduce_max(lax.select(chosen, values, lax.full_like(values, -math.inf)), (len(full),))


def _between(low: Any, high: Any, share: Any, method: str) -> Any:
    if method == "lower":
        return low
    if method == "higher":
        return high
    if method == "nearest":
        return lax.select(lax.le(share, like(share, 0.5)), low, high)
    if method == "midpoint":
        return lax.mul(lax.add(low, high), like(low, 0.5))
    return lax.add(lax.mul(low, lax.sub(like(share, 1), share)), lax.mul(high, share))


_STATIC = ("axis", "out", "overwrite_input", "method", "keepdims")


@named(static_argnames=_STATIC)
def quantile(
    a: Any,
    q: Any,
    axis: Axis = None,
    out: None = None,
    overwrite_input: bool = False,
    method: str = "linear",
    keepdims: bool = False,
) -> Any:
    """The values below which given shares of the elements lie.

    Args:
      a: real array; integers and booleans become floats.
      q: a share from 0 to 1, or an array of such with one axis, which becomes the first of the result.
      axis: the axes, all by default.
      out, overwrite_input: not supported.
      method: what to take between two elements: "linear", "lower", "higher", "midpoint" or "nearest".
      keepdims: whether the axes stay, with length 1.

    Returns:
      An array; NaN where there is one among the elements.

    Raises:
      ValueError: if an argument is complex, an axis is out of bounds, or the method is not known.

    >>> jnp.quantile(jnp.array([1., 2., 4.]), 0.75)
    Array(3., dtype=float32)
    """
    check_out("quantile", out)
    _no_overwrite("quantile", overwrite_input)
    return _quantile("quantile", a, q, axis, method, keepdims, False)


@named(static_argnames=_STATIC)
def nanquantile(
    a: Any,
    q: Any,
    axis: Axis = None,
    out: None = None,
    overwrite_input: bool = False,
    method: str = "linear",
    keepdims: bool = False,
) -> Any:
    """As `quantile`, with NaN left out.

    >>> jnp.nanquantile(jnp.array([1., jnp.nan, 2.]), 0.5)
    Array(1.5, dtype=float32)
    """
    check_out("nanquantile", out)
    _no_overwrite("nanquantile", overwrite_input)
    return _quantile("nanquantile", a, q, axis, method, keepdims, True)


def _no_overwrite(name: str, overwrite_input: bool) -> None:
    if overwrite_input:
        raise ValueError(f"{name}: overwrite_input=True was given, but arrays never change; leave it out")


@named(static_argnames=_STATIC)
def percentile(
    a: Any,
    q: Any,
    axis: Axis = None,
    out: None = None,
    overwrite_input: bool = False,
    method: str = "linear",
    keepdims: bool = False,
) -> Any:
    """As `quantile`, with shares from 0 to 100.

    >>> jnp.percentile(jnp.array([1., 2., 4.]), 75)
    Array(3., dtype=float32)
    """
    check_arraylike("percentile", a, q)
    q = true_divide.__wrapped__(q, 100)
    return quantile(a, q, axis, out, overwrite_input, method, keepdims)


@named(static_argnames=_STATIC)
def nanpercentile(
    a: Any,
    q: Any,
    axis: Axis = None,
    out: None = None,
    overwrite_input: bool = False,
    method: str = "linear",
    keepdims: bool = False,
) -> Any:
    """As `percentile`, with NaN left out.

    >>> jnp.nanpercentile(jnp.array([1., jnp.nan, 2.]), 50)
    Array(1.5, dtype=float32)
    """
    check_arraylike("nanpercentile", a, q)
    q = true_divide.__wrapped__(q, 100)
    return nanquantile(a, q, axis, out, overwrite_input, method, keepdims)


@named(static_argnames=("axis", "out", "overwrite_input", "keepdims"))
def median(
    a: Any, axis: Axis = None, out: None = None, overwrite_input: bool = False, keepdims: bool = False
) -> Any:
    """The middle element over axes, or the mean of the two in the middle.

    Args:
      a: real array; integers and booleans become floats.
      axis, out, overwrite_input, keepdims: as for `quantile`.

    Raises:
      ValueError: if ``a`` is complex, or an axis is out of bounds.

    >>> jnp.median(jnp.array([1., 4., 2.]))
    Array(2., dtype=float32)
    """
    type_of("median", a)
    return quantile(a, 0.5, axis, out, overwrite_input, "midpoint", keepdims)


@named(static_argnames=("axis", "out", "overwrite_input", "keepdims"))
def nanmedian(
    a: Any, axis: Axis = None, out: None = None, overwrite_input: bool = False, keepdims: bool = False
) -> Any:
    """As `median`, with NaN left out.

    >>> jnp.nanmedian(jnp.array([1., jnp.nan, 2.]))
    Array(1.5, dtype=float32)
    """
    type_of("nanmedian", a)
    return nanquantile(a, 0.5, axis, out, overwrite_input, "midpoint", keepdims)
