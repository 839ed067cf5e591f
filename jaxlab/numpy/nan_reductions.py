"""Reductions that leave out NaN."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from typing import Any

from jaxlab import dtypes, lax
from jaxlab.core.aval import aval_of, is_inexact
from jaxlab.numpy import moments, reductions
from jaxlab.numpy.moments import squared_magnitude, variance_dtypes
from jaxlab.numpy.promotion import cast, check_arraylike, check_out, type_of
from jaxlab.numpy.reductions import Axis
from jaxlab.numpy.selection import selected
from jaxlab.numpy.wrapping import like, named


def _without_nan(
    a: Any,
    reduce: Callable[..., Any],
    fill: float,
    nan_if_all: bool,
    *,
    axis: Any,
    keepdims: bool,
    where: Any,
    **options: Any,
) -> Any:
    check_arraylike("nan reduction", a)
    if not is_inexact(aval_of(a).dtype):
        return reduce(a, axis, keepdims=keepdims, where=where, **options)
    out = reduce(selected(lax.ne(a, a), like(a, fill), a), axis, keepdims=keepdims, where=where, **options)
    if nan_if_all:
        nothing = reductions.all(lax.ne(a, a), axis, keepdims=keepdims)
        out = selected(nothing, like(a, math.nan), out)
    return out


_STATIC = ("axis", "dtype", "out", "keepdims")


@named(static_argnames=_STATIC)
def nansum(
    a: Any,
    axis: Axis = None,
    dtype: Any = None,
    out: None = None,
    keepdims: bool = False,
    initial: Any = None,
    where: Any = None,
) -> Any:
    """As `sum`, with NaN left out; 0 where there is nothing else.

    >>> jnp.nansum(jnp.array([1., jnp.nan, 2.]))
    Array(3., dtype=float32)
    """
    check_out("nansum", out)
    return _without_nan(
        a, reductions.sum, 0, False, axis=axis, dtype=dtype, keepdims=keepdims, initial=initial, where=where
    )


@named(static_argnames=_STATIC)
def nanprod(
    a: Any,
    axis: Axis = None,
    dtype: Any = None,
    out: None = None,
    keepdims: bool = False,
    initial: Any = None,
    where: Any = None,
) -> Any:
    """As `prod`, with NaN left out; 1 where there is nothing else.

    >>> jnp.nanprod(jnp.array([3., jnp.nan, 2.]))
    Array(6., dtype=float32)
    """
    check_out("nanprod", out)
    return _without_nan(
        a, reductions.prod, 1, False, axis=axis, dtype=dtype, keepdims=keepdims, initial=initial, where=where
    )


@named(static_argnames=("axis", "out", "keepdims"))
def nanmax(
    a: Any,
    axis: Axis = None,
    out: None = None,
    keepdims: bool = False,
    initial: Any = None,
    where: Any = None,
) -> Any:
    """As `max`, with NaN left out; NaN where there is nothing else.

    >>> jnp.nanmax(jnp.array([1., jnp.nan, 2.]))
    Array(2., dtype=float32)
    """
    check_out("nanmax", out)
    return _without_nan(
        a,
        reductions.max,
        -math.inf,
        initial is None,
        axis=axis,
        keepdims=keepdims,
        initial=initial,
        where=where,
    )


@named(static_argnames=("axis", "out", "keepdims"))
def nanmin(
    a: Any,
    axis: Axis = None,
    out: None = None,
    keepdims: bool = False,
    initial: Any = None,
    where: Any = None,
) -> Any:
    """As `min`, with NaN left out; NaN where there is nothing else.

    >>> jnp.nanmin(jnp.array([1., jnp.nan, 2.]))
    Array(1., dtype=float32)
    """
    check_out("nanmin", out)
    return _without_nan(
        a,
        reductions.min,
        math.inf,
        initial is None,
        axis=axis,
        keepdims=keepdims,
        initial=initial,
        where=where,
    )


def _present(a: Any) -> Any:
    return lax.bitwise_not(lax.ne(a, a))


@named(static_argnames=_STATIC)
def nanmean(
    a: Any, axis: Axis = None, dtype: Any = None, out: None = None, keepdims: bool = False, where: Any = None
) -> Any:
    """As `mean`, with NaN left out; NaN where there is nothing else.

    >>> jnp.nanmean(jnp.array([1., jnp.nan, 2.]))
    Array(1.5, dtype=float32)
    """
    check_out("nanmean", out)
    own = type_of("nanmean", a).dtype
    if not is_inexact(own):
        return moments.mean(a, axis, dtype, keepdims=keepdims, where=where)
    wanted = own if dtype is None else dtypes.canonicalize_requested(dtype, "nanmean")
    present = cast(_present(a), dtypes.python_scalar_dtype(int))
    count = reductions.sum(present, axis, wanted, keepdims=keepdims, where=where)
    total = nansum(a, axis, dtype=wanted, keepdims=keepdims, where=where)
    return lax.div(total, count)


@named(static_argnames=_STATIC)
def nanvar(
    a: Any,
    axis: Axis = None,
    dtype: Any = None,
    out: None = None,
    ddof: int = 0,
    keepdims: bool = False,
    where: Any = None,
    mean: Any = None,
) -> Any:
    """As `var`, with NaN left out; NaN where there are not more than ``ddof`` other elements.

    >>> jnp.nanvar(jnp.array([1., jnp.nan, 3.]))
    Array(1., dtype=float32)
    """
    check_out("nanvar", out)
    computed, result = variance_dtypes(
        "nanvar", a, None if dtype is None else dtypes.canonicalize_requested(dtype, "nanvar")
    )
    a = cast(a, computed)
    center = cast(nanmean(a, axis, keepdims=True, where=where) if mean is None else mean, computed)
    missing = lax.ne(a, a)
    centered = selected(missing, 0, lax.sub(a, center))
    squares = squared_magnitude(centered)
    integer = dtypes.python_scalar_dtype(int)
    count = reductions.sum(cast(_present(a), integer), axis, keepdims=keepdims, where=where)
    count = lax.sub(count, cast(ddof, integer))
    too_few = lax.le(count, like(count, 0))
    total = selected(too_few, math.nan, reductions.sum(squares, axis, keepdims=keepdims, where=where))
    count = selected(too_few, 1, count)
    return lax.convert_element_type(lax.div(total, cast(count, aval_of(total).dtype)), result)


@named(static_argnames=_STATIC)
def nanstd(
    a: Any,
    axis: Axis = None,
    dtype: Any = None,
    out: None = None,
    ddof: int = 0,
    keepdims: bool = False,
    where: Any = None,
    mean: Any = None,
) -> Any:
    """As `std`, with NaN left out; NaN where there are not more than ``ddof`` other elements.

    >>> jnp.nanstd(jnp.array([1., jnp.nan, 3.]))
    Array(1., dtype=float32)
    """
    check_out("nanstd", out)
    return lax.sqrt(nanvar(a, axis, dtype=dtype, ddof=ddof, keepdims=keepdims, where=where, mean=mean))


def _nan_arg_extreme(a: Any, axis: int | None, keepdims: bool, fill: float, place: Callable[..., Any]) -> Any:
    if not is_inexact(aval_of(a).dtype):
        return place(a, axis, keepdims=keepdims)
    missing = lax.ne(a, a)
    out = place(selected(missing, fill, a), axis, keepdims=keepdims)
    return selected(reductions.all(missing, axis, keepdims=keepdims), -1, out)


@named(static_argnames=("axis", "keepdims"))
def _nanargmax(a: Any, axis: int | None = None, keepdims: bool = False) -> Any:
    type_of("nanargmax", a)
    return _nan_arg_extreme(a, axis, keepdims, -math.inf, reductions.argmax)


@named(static_argnames=("axis", "keepdims"))
def _nanargmin(a: Any, axis: int | None = None, keepdims: bool = False) -> Any:
    type_of("nanargmin", a)
    return _nan_arg_extreme(a, axis, keepdims, math.inf, reductions.argmin)


def nanargmax(a: Any, axis: int | None = None, out: None = None, keepdims: bool | None = None) -> Any:
    """As `argmax`, with NaN left out; -1 where there is nothing else.

    >>> jnp.nanargmax(jnp.array([1., jnp.nan, 3.]))
    Array(2, dtype=int32)
    """
    check_out("nanargmax", out)
    return _nanargmax(a, None if axis is None else operator.index(axis), keepdims=bool(keepdims))


def nanargmin(a: Any, axis: int | None = None, out: None = None, keepdims: bool | None = None) -> Any:
    """As `argmin`, with NaN left out; -1 where there is nothing else.

    >>> jnp.nanargmin(jnp.array([jnp.nan, 1., 3.]))
    Array(1, dtype=int32)
    """
    check_out("nanargmin", out)
    return _nanargmin(a, None if axis is None else operator.index(axis), keepdims=bool(keepdims))
