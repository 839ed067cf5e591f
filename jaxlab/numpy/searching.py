"""Places of values in sorted arrays, and counts of values: searchsorted, digitize, bincount, histogram, interp."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from typing import Any

import numpy as np

from jaxlab import dtypes, lax
from jaxlab.core.aval import aval_of, is_inexact
from jaxlab.core.trace import Tracer
from jaxlab.errors import ConcretizationTypeError
from jaxlab.numpy.creation import asarray
from jaxlab.numpy.differences import diff
from jaxlab.numpy.grids import linspace
from jaxlab.numpy.indexing import getitem
from jaxlab.numpy.manipulation import ravel
from jaxlab.numpy.promotion import cast, check_arraylike, promote_dtypes
from jaxlab.numpy.selection import selected
from jaxlab.numpy.sorting import argsort
from jaxlab.numpy.ufuncs_arithmetic import add, divide, multiply, remainder, subtract
from jaxlab.numpy.ufuncs_rounding import clip
from jaxlab.numpy.updates import at
from jaxlab.numpy.wrapping import as_array, filled, like, named

I32 = np.dtype(np.int32)
U32 = np.dtype(np.uint32)


@named(static_argnames=("side", "method"))
def searchsorted(a: Any, v: Any, side: str = "left", sorter: Any = None, *, method: str = "scan") -> Any:
    """Where values would have to be inserted into a sorted array to keep it sorted.

    Args:
      a: array with one axis, sorted in ascending order.
      v: the values.
      side: before equal elements ("left") or after them ("right").
      sorter: the places that sort ``a``, where it is not sorted.
      method: "scan" by bisection in a loop, "scan_unrolled" without one, "sort" of all together, or "compare_all".

    Returns:
      An int32 array of the shape of ``v``.

    Raises:
      ValueError: if ``a`` has other than one axis, or for another side or method.

    >>> jnp.searchsorted(jnp.array([1, 3, 5]), jnp.array([0, 3, 9]))
    Array([0, 1, 3], dtype=int32)
    """
    check_arraylike("searchsorted", a, v, *([] if sorter is None else [sorter]))
    if side not in ("left", "right"):
        raise ValueError(f"searchsorted: side={side!r} was given, but it must be 'left' or 'right'")
    if method not in ("scan", "scan_unrolled", "sort", "compare_all"):
        raise ValueError(
            f"searchsorted: method={method!r} was given, but it must be 'scan', 'scan_unrolled', 'sort' or "
            f"'compare_all'"
        )
    if len(aval_of(a).shape) != 1:
        raise ValueError(
            f"searchsorted: an array of shape {aval_of(a).shape} was given, but one axis is needed"
        )
    a, v = promote_dtypes(a, v)
    a = as_array(a) if sorter is None else getitem(as_array(a), sorter)
    shape = aval_of(v).shape
    size = aval_of(a).shape[0]
    if not size:
        return lax.full(shape, 0, I32)
    if method == "sort":
        return _by_sorting(a, v, side)
    if method == "compare_all":
        below = _precedes(lax.expand_dims(a, range(1, len(shape) + 1)), lax.expand_dims(v, (0,)), side)
        return lax.reduce_sum(lax.convert_element_type(below, I32), (0,))
    return _by_bisection(a, v, side, method == "scan_unrolled")


def _precedes(a: Any, v: Any, side: str) -> Any:
    """Whether elements come before values; NaN comes last, and equals itself."""
    shape = np.broadcast_shapes(aval_of(a).shape, aval_of(v).shape)
    rank = len(shape)
    a, v = (lax.broadcast_in_dim(x, shape, range(rank - len(aval_of(x).shape), rank)) for x in (a, v))
    if not is_inexact(aval_of(a).dtype):
        return lax.lt(a, v) if side == "left" else lax.le(a, v)
    a_nan, v_nan = lax.ne(a, a), lax.ne(v, v)
    if side == "left":
        return lax.bitwise_or(lax.lt(a, v), lax.bitwise_and(v_nan, lax.bitwise_not(a_nan)))
    return lax.bitwise_or(lax.le(a, v), v_nan)


def _by_bisection(a: Any, v: Any, side: str, unrolled: bool) -> Any:
    size, shape = aval_of(a).shape[0], aval_of(v).shape
    steps = int(np.ceil(np.log2(size + 1)))

    def halve(bounds: Any, _: Any) -> Any:
        low, high = bounds
        middle = lax.add(low, lax.div(lax.sub(high, low), filled(low, 2)))
        up = _precedes(getitem(a, lax.convert_element_type(middle, I32)), v, side)
        return (lax.select_n(up, low, middle), lax.select_n(up, middle, high)), None

    # The place lies after `low` and not after `high`, one step beyond the element before the first.
    start = (lax.full(shape, 0, U32), lax.full(shape, size, U32))
    (low, high), _ = lax.scan(halve, start, None, length=steps, unroll=steps if unrolled else 1)
    first = _precedes(getitem(a, lax.convert_element_type(low, I32)), v, side)
    return lax.convert_element_type(lax.select_n(first, low, high), I32)


def _by_sorting(a: Any, v: Any, side: str) -> Any:
    shape, flat = aval_of(v).shape, ravel(v)
    count = aval_of(flat).shape[0]
    joined = lax.concatenate([flat, a] if side == "left" else [a, flat], 0)
    ranks = _ranks(joined)
    start = 0 if side == "left" else aval_of(a).shape[0]
    own = lax.slice(ranks, (start,), (start + count,))
    return lax.reshape(lax.sub(own, _ranks(flat)), shape)


def _ranks(x: Any) -> Any:
    """For each element the place it is sorted to."""
    places = lax.iota(I32, aval_of(x).shape[0])
    _, order = lax.sort((x, places), num_keys=1, is_stable=True)
    return at(filled(places, 0)).__getitem__(order).set(places)


@named(static_argnames=("right", "method"))
def digitize(x: Any, bins: Any, right: bool = False, *, method: str | None = None) -> Any:
    """The number of the bin that each value falls into.

    Args:
      x: the values.
      bins: array with one axis, ascending or descending: the edges between bins.
      right: whether an edge belongs to the bin below it.
      method: as in `searchsorted`.

    Raises:
      ValueError: if ``bins`` has other than one axis.

    >>> jnp.digitize(jnp.array([0.5, 2.5]), jnp.array([1.0, 2.0, 3.0]))
    Array([0, 2], dtype=int32)
    """
    check_arraylike("digitize", x, bins)
    shape = aval_of(bins).shape
    if len(shape) != 1:
        raise ValueError(f"digitize: bins of shape {shape} were given, but one axis is needed")
    bins, size = as_array(bins), shape[0]
    if not size:
        return lax.full(aval_of(x).shape, 0, I32)
    side, method = "left" if right else "right", method or "scan"
    ascending = lax.ge(getitem(bins, -1), getitem(bins, 0))
    up = searchsorted(bins, x, side=side, method=method)
    down = searchsorted(lax.rev(bins, (0,)), x, side=side, method=method)
    return selected(ascending, up, lax.sub(filled(down, size), down))


def bincount(x: Any, weights: Any = None, minlength: int = 0, *, length: int | None = None) -> Any:
    """How often each number from 0 on occurs.

    Args:
      x: array of integers with one axis; negative ones count as 0.
      weights: what each counts; 1 by default.
      minlength: the least size of the result.
      length: the size of the result, needed in a traced function; greater numbers are left out.

    Raises:
      TypeError: if ``x`` is not of integers.
      ValueError: if it has other than one axis.
      ConcretizationTypeError: if it is traced and ``length`` is not given.

    >>> jnp.bincount(jnp.array([0, 2, 2]))
    Array([1, 0, 2], dtype=int32)
    """
    check_arraylike("bincount", x)
    aval = aval_of(x)
    if not dtypes.issubdtype(aval.dtype, np.integer):
        raise TypeError(f"bincount: numbers of dtype {aval.dtype.name} were given, but integers are needed")
    if len(aval.shape) != 1:
        raise ValueError(f"bincount: an array of shape {aval.shape} was given, but one axis is needed")
    minlength = operator.index(minlength)
    if length is None:
        if isinstance(x, Tracer):
            raise ConcretizationTypeError(
                x, "bincount: the greatest number decides the size; give length=: bincount"
            )
        given = np.asarray(x)
        length = max(minlength, int(given.max()) + 1 if given.size else 0)
    else:
        length = max(operator.index(length), minlength)
    if weights is None:
        weights = I32.type(1)
    elif aval_of(weights).shape != aval.shape:
        raise ValueError(
            f"bincount: {aval.shape[0]} numbers and weights of shape {aval_of(weights).shape} were given"
        )
    counts = lax.full((length,), 0, aval_of(weights).dtype)
    return at(counts).__getitem__(clip(x, 0)).add(weights, mode="drop")


def histogram_bin_edges(a: Any, bins: Any = 10, range: Any = None, weights: Any = None) -> Any:
    """The edges between the bins of a `histogram`.

    Args:
      a: array.
      bins: how many, or the edges themselves.
      range: the outermost edges, by default the least and greatest element.
      weights: not used.

    >>> jnp.histogram_bin_edges(jnp.array([0.0, 4.0]), bins=2)
    Array([0., 2., 4.], dtype=float32)
    """
    del weights
    check_arraylike("histogram_bin_edges", a)
    (flat,) = promote_dtypes(ravel(a), inexact=True)
    dtype = aval_of(flat).dtype
    if isinstance(bins, str):
        raise NotImplementedError(
            f"histogram_bin_edges: bins={bins!r} was given, but only numbers and edges are known"
        )
    if isinstance(bins, Sequence) or aval_of(bins).shape:
        return cast(asarray(bins), dtype)
    if range is None:
        if not aval_of(flat).shape[0]:
            ends = lax.full((2,), 0, dtype)
        else:
            low, high = lax.reduce_min(flat, (0,)), lax.reduce_max(flat, (0,))
            ends = lax.concatenate([lax.expand_dims(low, (0,)), lax.expand_dims(high, (0,))], 0)
    else:
        ends = cast(asarray(range), dtype)
        if aval_of(ends).shape != (2,):
            raise ValueError(f"histogram_bin_edges: range={range!r} was given, but it must be a pair")
    low, high = getitem(ends, 0), getitem(ends, 1)
    flat_range = lax.eq(lax.sub(high, low), like(low, 0))
    half = like(low, 0.5)
    low, high = selected(flat_range, lax.sub(low, half), low), selected(flat_range, lax.add(high, half), high)
    return linspace(low, high, operator.index(bins) + 1, dtype=dtype)


def histogram(
    a: Any, bins: Any = 10, range: Any = None, weights: Any = None, density: bool | None = None
) -> tuple[Any, Any]:
    """How many elements fall into each bin, and the edges between the bins.

    Args:
      a: array.
      bins: how many, or the edges themselves.
      range: the outermost edges, by default the least and greatest element.
      weights: what each element counts; 1 by default.
      density: whether to divide by the total and the width of the bins.

    Returns:
      The counts, as floats, and the edges; the last edge belongs to the last bin.

    Raises:
      ValueError: if elements and weights differ in shape.

    >>> jnp.histogram(jnp.array([0.0, 1.0, 1.0, 4.0]), bins=2)[0]
    Array([3., 1.], dtype=float32)
    """
    if weights is None:
        check_arraylike("histogram", a)
        (a,) = promote_dtypes(a, inexact=True)
        weights = lax.full_like(a, 1)
    else:
        check_arraylike("histogram", a, weights)
        if aval_of(a).shape != aval_of(weights).shape:
            raise ValueError(
                f"histogram: elements {aval_of(a).shape} and weights {aval_of(weights).shape} differ in shape"
            )
        a, weights = promote_dtypes(a, weights, inexact=True)
    edges = histogram_bin_edges(a, bins, range, weights)
    flat = ravel(a)
    count = aval_of(edges).shape[0]
    places = searchsorted(edges, flat, side="right")
    places = selected(lax.eq(flat, _everywhere(getitem(edges, -1), flat)), count - 1, places)
    counts = at(lax.full((count,), 0, aval_of(weights).dtype)).__getitem__(places).add(ravel(weights))
    counts = getitem(counts, slice(1, None))
    if density:
        widths = cast(diff(edges), aval_of(counts).dtype)
        total = lax.reduce_sum(counts, (0,))
        counts = divide.__wrapped__(divide.__wrapped__(counts, widths), total)
    return counts, edges


def _everywhere(x: Any, other: Any) -> Any:
    """A scalar in the shape of another array."""
    shape = aval_of(other).shape
    return lax.broadcast_in_dim(x, shape, ()) if shape else x


@named(static_argnames=("left", "right"))
def _interp(x: Any, xp: Any, fp: Any, ends: tuple[Any, ...], period: Any, *, left: Any, right: Any) -> Any:
    x, xp, fp = promote_dtypes(x, xp, fp, inexact=True)
    x, xp, fp = as_array(x), as_array(xp), as_array(fp)
    if period is not None:
        (period,) = promote_dtypes(period, inexact=True)
        period = cast(period, aval_of(x).dtype)
        x, xp = remainder(x, period), remainder(xp, period)
        order = argsort(xp)
        xp, fp = getitem(xp, order), getitem(fp, order)
        xp = lax.concatenate(
            [
                subtract.__wrapped__(getitem(xp, slice(-1, None)), period),
                xp,
                add.__wrapped__(getitem(xp, slice(1)), period),
            ],
            0,
        )
        fp = lax.concatenate([getitem(fp, slice(-1, None)), fp, getitem(fp, slice(1))], 0)
    size = aval_of(xp).shape[0]
    places = clip(searchsorted(xp, x, side="right"), 1, size - 1)
    before = lax.sub(places, filled(places, 1))
    x0, f0 = getitem(xp, before), getitem(fp, before)
    df, dx = lax.sub(getitem(fp, places), f0), lax.sub(getitem(xp, places), x0)
    tiny = np.spacing(np.finfo(np.float32).tiny)
    equal = lax.le(lax.abs(dx), filled(dx, float(tiny)))
    slope = divide.__wrapped__(subtract.__wrapped__(x, x0), selected(equal, like(dx, 1), dx))
    result = selected(equal, f0, add.__wrapped__(f0, multiply.__wrapped__(slope, df)))
    if period is not None:
        return result
    given = iter(ends)
    if left != "extrapolate":
        low = getitem(fp, 0) if left is None else next(given)
        result = selected(_compare(lax.lt, x, getitem(xp, 0)), low, result)
    if right != "extrapolate":
        high = getitem(fp, -1) if right is None else next(given)
        result = selected(_compare(lax.gt, x, getitem(xp, -1)), high, result)
    return result


def _compare(operation: Any, x: Any, y: Any) -> Any:
    return operation(x, _everywhere(y, x))


def interp(x: Any, xp: Any, fp: Any, left: Any = None, right: Any = None, period: Any = None) -> Any:
    """The values of the function that is linear between given points.

    Args:
      x: where.
      xp, fp: arrays with one axis: the points in ascending order, and the values there.
      left, right: the values before the first and after the last point; by default those of these points,
        "extrapolate" goes on straight.
      period: the period of a function that repeats; ``xp`` need not be sorted then.

    Raises:
      ValueError: if ``xp`` and ``fp`` are not of one shape with one axis, or the period is 0.

    >>> jnp.interp(jnp.array([0.5, 9.0]), jnp.array([0.0, 1.0]), jnp.array([10.0, 20.0]))
    Array([15., 20.], dtype=float32)
    """
    check_arraylike("interp", x, xp, fp)
    if aval_of(xp).shape != aval_of(fp).shape or len(aval_of(xp).shape) != 1:
        raise ValueError(
            f"interp: points of shape {aval_of(xp).shape} and values of shape {aval_of(fp).shape} were "
            f"given, but both must "
            "have one axis of one size"
        )
    for name, end in (("left", left), ("right", right)):
        if isinstance(end, str) and end != "extrapolate":
            raise ValueError(f"interp: {name}={end!r} was given, but the only word known is 'extrapolate'")
    if (
        period is not None
        and not isinstance(period, Tracer)
        and np.ndim(period) == 0
        and np.asarray(period) == 0
    ):
        raise ValueError("interp: period=0 was given, but it must not be 0")
    ends = tuple(end for end in (left, right) if end is not None and not isinstance(end, str))
    words = [end if end is None or isinstance(end, str) else "given" for end in (left, right)]
    return _interp(x, xp, fp, ends, period, left=words[0], right=words[1])
