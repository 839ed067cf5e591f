"""Arrays with a border: `pad` in all its modes."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from jaxlab import lax
from jaxlab.core.aval import aval_of, is_inexact
from jaxlab.core.trace import Tracer
from jaxlab.errors import ConcretizationTypeError
from jaxlab.numpy.creation import asarray
from jaxlab.numpy.grids import linspace
from jaxlab.numpy.moments import mean
from jaxlab.numpy.order_statistics import median
from jaxlab.numpy.promotion import broadcast_to_shape, cast, check_arraylike
from jaxlab.numpy.rearranging import flip, repeat
from jaxlab.numpy.reductions import max as greatest
from jaxlab.numpy.reductions import min as least
from jaxlab.numpy.ufuncs_arithmetic import multiply, subtract
from jaxlab.numpy.ufuncs_rounding import round
from jaxlab.numpy.wrapping import as_array, named
from jaxlab.primitives.slicing import pad_p

_STATISTICS: dict[str, Callable[..., Any]] = {
    "maximum": greatest,
    "minimum": least,
    "mean": mean,
    "median": median,
}
_OPTIONS: dict[str, dict[str, Any]] = {
    "constant": {"constant_values": 0},
    "linear_ramp": {"end_values": 0},
    "reflect": {"reflect_type": "even"},
    "symmetric": {"reflect_type": "even"},
    **{name: {"stat_length": None} for name in _STATISTICS},
    "edge": {},
    "empty": {},
    "wrap": {},
}

Widths = tuple[tuple[int, int], ...]


def pad(array: Any, pad_width: Any, mode: str | Callable[..., Any] = "constant", **kwargs: Any) -> Any:
    """The array with elements added before and after it along its axes.

    Args:
      array: array or number.
      pad_width: how many: an integer, a pair ``(before, after)``, or a pair for each axis.
      mode: what they are: "constant" (``constant_values=0``), "edge" the last element, "reflect" and "symmetric" the
        elements mirrored, without and with the last one (``reflect_type="even"`` or "odd"), "wrap" those from the other
        end, "maximum", "minimum", "mean" or "median" of the axis (``stat_length=`` of its ends alone),
        "linear_ramp" down
        to ``end_values=0``, "empty" anything. Or a function ``(vector, pad_width, axis, kwargs)`` that
        returns the vector
        with its borders filled.

    Raises:
      ValueError: if a width is negative, or an option is not one of the mode.
      TypeError: if the widths are not integers.
      NotImplementedError: for another mode.
      ConcretizationTypeError: if the widths are traced.

    >>> jnp.pad(jnp.array([1, 2, 3]), (1, 2), mode="reflect")
    Array([2, 1, 2, 3, 2, 1], dtype=int32)
    """
    check_arraylike("pad", array)
    ndim = len(aval_of(array).shape)
    if isinstance(pad_width, Tracer):
        raise ConcretizationTypeError(pad_width, "pad: pad_width decides the shape of the result: pad")
    widths = _pairs("pad_width", pad_width, ndim)
    if any(n < 0 for pair in widths for n in pair):
        raise ValueError(f"pad: pad_width={pad_width!r} was given, but widths must be 0 or more")
    if callable(mode):
        return _pad_by_function(array, widths, mode, kwargs)
    if mode not in _OPTIONS:
        raise NotImplementedError(f"pad: mode={mode!r} is not known; the modes are {', '.join(_OPTIONS)}")
    unknown = set(kwargs) - set(_OPTIONS[mode])
    if unknown:
        raise ValueError(f"pad: {min(unknown)} was given, but mode={mode!r} has no such option")
    options = {**_OPTIONS[mode], **kwargs}
    values = options.get("constant_values", options.get("end_values", 0))
    stat_length = options.get("stat_length")
    lengths = None if stat_length is None else _pairs("stat_length", stat_length, ndim)
    if lengths is not None and any(n <= 0 for pair in lengths for n in pair):
        raise ValueError(f"pad: stat_length={stat_length!r} was given, but lengths must be positive")
    return _pad(
        array,
        values,
        widths=widths,
        mode=mode,
        lengths=lengths,
        reflect_type=options.get("reflect_type", "even"),
    )


def _pairs(name: str, given: Any, ndim: int) -> Widths:
    numbers = np.asarray(given)
    if numbers.dtype.kind not in "iu":
        raise TypeError(f"pad: {name}={given!r} was given, but integers are needed")
    try:
        pairs = (
            np.broadcast_to(numbers, (ndim, 2)) if numbers.shape != (ndim, 1) else np.repeat(numbers, 2, 1)
        )
    except ValueError:
        raise ValueError(
            f"pad: {name} has shape {numbers.shape}, but it must be one number, a pair, or a pair for each "
            f"of the {ndim} axes"
        ) from None
    return tuple((int(low), int(high)) for low, high in pairs)


@named(static_argnames=("widths", "mode", "lengths", "reflect_type"))
def _pad(array: Any, values: Any, *, widths: Widths, mode: str, lengths: Any, reflect_type: str) -> Any:
    array = as_array(array)
    if not aval_of(array).shape:
        return array
    if mode == "constant":
        return _constant(array, values, widths)
    if mode == "empty":
        return _each(array, widths, lambda x, axis, width: _filled_ends(x, axis, width, (0, 0)))
    if 0 in aval_of(array).shape and any(
        size == 0 and pair != (0, 0) for size, pair in zip(aval_of(array).shape, widths, strict=True)
    ):
        raise ValueError(f"pad: an axis of size 0 was given with mode={mode!r}, which has no element to take")
    if mode == "edge":
        return _each(array, widths, _edge)
    if mode == "wrap":
        return _each(array, widths, _wrap)
    if mode in ("reflect", "symmetric"):
        return _each(
            array, widths, lambda x, axis, width: _mirror(x, axis, width, mode == "reflect", reflect_type)
        )
    if mode == "linear_ramp":
        ends = (
            broadcast_to_shape(asarray(values), (len(widths), 2)) if aval_of(asarray(values)).shape else None
        )
        return _each(
            array,
            widths,
            lambda x, axis, width: _ramp(
                x,
                axis,
                width,
                (values, values) if ends is None else (_entry(ends, axis, 0), _entry(ends, axis, 1)),
            ),
        )
    return _each(
        array,
        widths,
        lambda x, axis, width: _statistic(x, axis, width, mode, None if lengths is None else lengths[axis]),
    )


def _each(x: Any, widths: Widths, add: Callable[[Any, int, tuple[int, int]], Any]) -> Any:
    """The borders of the axes, one after another, so that those of later ones lie beside those of earlier ones."""
    for axis, width in enumerate(widths):
        if width != (0, 0):
            x = add(x, axis, width)
    return x


def _constant(x: Any, values: Any, widths: Widths) -> Any:
    dtype = aval_of(x).dtype
    if not isinstance(values, list | tuple | np.ndarray) and not aval_of(values).shape:
        # JAX's widths are NumPy integers, and so its jaxprs print them.
        config = tuple((np.int64(low), np.int64(high), 0) for low, high in widths)
        return pad_p.bind(x, cast(values, dtype), padding_config=config)
    table = cast(broadcast_to_shape(asarray(values), (len(widths), 2)), dtype)
    for axis, (low, high) in enumerate(widths):
        for side, width in enumerate((low, high)):
            if width:
                config = [(0, 0, 0)] * len(widths)
                config[axis] = (0, np.int64(width), 0) if side else (np.int64(width), 0, 0)  # type: ignore[assignment]
                x = pad_p.bind(x, _entry(table, axis, side), padding_config=tuple(config))
    return x


def _entry(table: Any, row: int, column: int) -> Any:
    return lax.squeeze(lax.slice(table, (row, column), (row + 1, column + 1)), (0, 1))


def _piece(x: Any, axis: int, start: int, stop: int) -> Any:
    return lax.slice_in_dim(x, start, stop, axis=axis)


def _filled_ends(x: Any, axis: int, width: tuple[int, int], values: tuple[Any, Any]) -> Any:
    aval = aval_of(x)
    ends = [
        lax.full((*aval.shape[:axis], n, *aval.shape[axis + 1 :]), value, aval.dtype)
        for n, value in zip(width, values, strict=True)
    ]
    return lax.concatenate([ends[0], x, ends[1]], axis)


def _edge(x: Any, axis: int, width: tuple[int, int]) -> Any:
    size = aval_of(x).shape[axis]
    low = repeat(_piece(x, axis, 0, 1), width[0], axis)
    return lax.concatenate([low, x, repeat(_piece(x, axis, size - 1, size), width[1], axis)], axis)


def _wrap(x: Any, axis: int, width: tuple[int, int]) -> Any:
    size = aval_of(x).shape[axis]
    (before, low), (after, high) = divmod(width[0], size), divmod(width[1], size)
    parts = [_piece(x, axis, size - low, size)] if low else []
    parts += [x] * (before + 1 + after)
    parts += [_piece(x, axis, 0, high)] if high else []
    return lax.concatenate(parts, axis)


def _mirror(x: Any, axis: int, width: tuple[int, int], skips: bool, reflect_type: str) -> Any:
    if reflect_type not in ("even", "odd"):
        raise ValueError(f"pad: reflect_type={reflect_type!r} was given, but it must be 'even' or 'odd'")
    own = aval_of(x).shape[axis]
    if own == 1 and skips:
        return _edge(x, axis, width)
    offset = int(skips)
    for side, total in enumerate(width):
        size = aval_of(x).shape[axis]
        edge = _piece(x, axis, size - 1, size) if side else _piece(x, axis, 0, 1)
        left = total
        while left > 0:
            size, count = aval_of(x).shape[axis], min(left, own - offset)
            start = size - offset - count if side else offset
            taken = flip(_piece(x, axis, start, start + count), axis)
            if reflect_type == "odd":
                taken = subtract.__wrapped__(multiply.__wrapped__(2, edge), taken)
                edge = _piece(taken, axis, count - 1, count) if side else _piece(taken, axis, 0, 1)
            x = lax.concatenate([x, taken] if side else [taken, x], axis)
            left -= count
    return x


def _ramp(x: Any, axis: int, width: tuple[int, int], ends: tuple[Any, Any]) -> Any:
    aval = aval_of(x)
    size = aval.shape[axis]
    parts = []
    for side, (count, end) in enumerate(zip(width, ends, strict=True)):
        edge = lax.squeeze(_piece(x, axis, size - 1, size) if side else _piece(x, axis, 0, 1), (axis,))
        ramp = linspace(end, edge, count, endpoint=False, dtype=aval.dtype, axis=axis)
        parts.append(flip(ramp, axis) if side else ramp)
    return lax.concatenate([parts[0], x, parts[1]], axis)


def _statistic(x: Any, axis: int, width: tuple[int, int], mode: str, lengths: tuple[int, int] | None) -> Any:
    aval = aval_of(x)
    size = aval.shape[axis]
    if lengths is None:
        ends = [x, x]
    else:
        ends = [
            _piece(x, axis, 0, min(lengths[0], size)),
            _piece(x, axis, size - min(lengths[1], size), size),
        ]
    values = [_STATISTICS[mode](ends[0], axis=axis, keepdims=True)]
    values.append(values[0] if lengths is None else _STATISTICS[mode](ends[1], axis=axis, keepdims=True))
    if not is_inexact(aval.dtype) and mode in ("mean", "median"):
        values = [round(value) for value in values]
    values = [cast(value, aval.dtype) for value in values]
    low, high = (repeat(value, count, axis) for value, count in zip(values, width, strict=True))
    return lax.concatenate([low, x, high], axis)


def _pad_by_function(array: Any, widths: Widths, function: Callable[..., Any], kwargs: dict[str, Any]) -> Any:
    x = _constant(as_array(array), 0, widths)
    for axis, width in enumerate(widths):
        shape = aval_of(x).shape
        order = [*[i for i in range(len(shape)) if i != axis], axis]
        rows = lax.reshape(lax.transpose(x, order), (math.prod(shape) // max(shape[axis], 1), shape[axis]))
        done = [asarray(function(row, width, axis, kwargs)) for row in lax.unstack(rows)]
        moved = lax.reshape(lax.stack(done), [shape[i] for i in order]) if done else lax.transpose(x, order)
        x = lax.transpose(moved, [order.index(i) for i in range(len(shape))])
    return x
