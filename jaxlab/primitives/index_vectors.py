"""What gather and scatter do at their index vectors: as StableHLO, and in NumPy as an independent check."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from jaxlab import dtypes
from jaxlab.core.aval import ShapedArray
from jaxlab.core.primitive import Example
from jaxlab.primitives.dimension_numbers import (
    GatherDimensionNumbers,
    GatherScatterMode,
    ScatterDimensionNumbers,
    window_sizes,
)
from jaxlab.primitives.reshaping import I32, physical, word_shape

CLIP, DROP = GatherScatterMode.CLIP, GatherScatterMode.FILL_OR_DROP


def last_starts(shape: Sequence[int], sizes: Sequence[int], index_map: Sequence[int]) -> list[int]:
    """For each component of an index vector the greatest index at which the slice fits."""
    return [shape[axis] - sizes[axis] for axis in index_map]


# -- StableHLO ----------------------------------------------------------------------------------------------


def lower_gather(ctx: Any, x: Any, indices: Any, params: dict[str, Any]) -> Any:
    """``stablehlo.gather``, which clips by itself; filling is a select."""
    numbers, slice_sizes = params["dimension_numbers"], params["slice_sizes"]
    b, aval = ctx.b, ctx.aval_out
    full, words = physical(aval), word_shape(aval.dtype)
    if 0 in full.shape:
        return b.full(np.zeros((), full.dtype), full)
    operand, index_aval = ctx.avals_in
    indices, index_aval = _widen(b, indices, index_aval)
    offset = (*numbers.offset_dims, *range(len(aval.shape), len(full.shape)))
    taken = b.value(
        "stablehlo.gather",
        b.type(full),
        x,
        indices,
        dimension_numbers=b.parse(numbers._replace(offset_dims=offset).text(len(index_aval.shape) - 1)),
        slice_sizes=b.i64s(slice_sizes + words),
        indices_are_sorted=b.flag(params["indices_are_sorted"]),
    )
    if params["mode"] is not DROP:
        return taken
    bounds = last_starts(operand.shape, slice_sizes, numbers.start_index_map)
    inside = b.broadcast(
        _inside(b, indices, index_aval, bounds),
        full.shape,
        dtypes.bool_,
        [i for i in range(len(full.shape)) if i not in offset],
    )
    return b.value("stablehlo.select", b.type(full), inside, taken, b.full(params["fill_value"], full))


def lower_scatter(
    ctx: Any, x: Any, indices: Any, updates: Any, params: dict[str, Any], combine: Callable[..., Any]
) -> Any:
    """``stablehlo.scatter``, which drops by itself; for clipping the indices are clamped.

    ``combine(builder, old, new)`` writes the body.
    """
    numbers = params["dimension_numbers"]
    b, aval = ctx.b, ctx.aval_out
    full = physical(aval)
    operand, index_aval, update_aval = ctx.avals_in
    if 0 in full.shape or 0 in update_aval.shape:
        return x
    indices, index_aval = _widen(b, indices, index_aval)
    if params["mode"] is CLIP:
        sizes = window_sizes(len(operand.shape), update_aval.shape, numbers)
        bounds = last_starts(operand.shape, sizes, numbers.scatter_dims_to_operand_dims)
        indices = b.value(
            "stablehlo.clamp",
            b.type(index_aval),
            b.full(0, index_aval),
            indices,
            _bound_constant(b, bounds, index_aval),
        )
    rank = len(update_aval.shape)
    window = (*numbers.update_window_dims, *range(rank, rank + len(full.shape) - len(aval.shape)))
    scatter = b.op(
        "stablehlo.scatter",
        [b.type(full)],
        [x, indices, updates],
        {
            "scatter_dimension_numbers": b.parse(
                numbers._replace(update_window_dims=window).text(len(index_aval.shape) - 1)
            ),
            "indices_are_sorted": b.flag(params["indices_are_sorted"]),
            "unique_indices": b.flag(params["unique_indices"]),
        },
        regions=1,
    )
    scalar = b.tensor((), full.dtype)
    body, (old, new) = b.block(scatter.regions[0], [scalar, scalar])
    body.end([combine(body, old, new)])
    return scatter.result


def _widen(b: Any, indices: Any, aval: ShapedArray) -> tuple[Any, ShapedArray]:
    """Indices of at least 32 bits: the size of an axis need not fit in fewer."""
    if aval.dtype.itemsize >= 4:
        return indices, aval
    wide = ShapedArray(aval.shape, I32)
    return b.value("stablehlo.convert", b.type(wide), indices), wide


def _bound_constant(b: Any, bounds: Sequence[int], aval: ShapedArray) -> Any:
    limit = int(dtypes.iinfo(aval.dtype).max)
    vector = b.constant(np.array([min(bound, limit) for bound in bounds], aval.dtype))
    return b.broadcast(vector, aval.shape, aval.dtype, (len(aval.shape) - 1,))


def _inside(b: Any, indices: Any, aval: ShapedArray, bounds: Sequence[int]) -> Any:
    """For each index vector whether its slice lies in the operand."""
    flags = ShapedArray(aval.shape, dtypes.bool_)
    low = b.compare(indices, b.full(0, aval), "GE", aval.dtype, aval.shape)
    high = b.compare(indices, _bound_constant(b, bounds, aval), "LE", aval.dtype, aval.shape)
    both = b.value("stablehlo.and", b.type(flags), low, high)
    every = b.op(
        "stablehlo.reduce",
        [b.tensor(aval.shape[:-1], dtypes.bool_)],
        [both, b.constant(True, dtypes.bool_)],
        {"dimensions": b.i64s((len(aval.shape) - 1,))},
        regions=1,
    )
    scalar = b.tensor((), dtypes.bool_)
    body, (left, right) = b.block(every.regions[0], [scalar, scalar])
    body.end([body.value("stablehlo.and", scalar, left, right)])
    return every.result


# -- NumPy --------------------------------------------------------------------------------------------------


def _windows(
    shape: Sequence[int],
    indices: np.ndarray,
    sizes: Sequence[int],
    numbers: GatherDimensionNumbers,
    clip: bool,
) -> Iterable[tuple[tuple[int, ...], tuple[Any, ...] | None]]:
    """For each place among the indices the window of the operand, None where it is out of bounds."""
    bounds = np.array(last_starts(shape, sizes, numbers.start_index_map), np.int64)
    for place in np.ndindex(*indices.shape[:-1]):
        vector = indices[place].astype(np.int64)
        if clip:
            vector = np.clip(vector, 0, bounds)
        elif not np.all((vector >= 0) & (vector <= bounds)):
            yield place, None
            continue
        starts = [0] * len(shape)
        for axis, index in zip(numbers.start_index_map, vector, strict=True):
            starts[axis] = int(index)
        for axis, i in zip(numbers.operand_batching_dims, numbers.start_indices_batching_dims, strict=True):
            starts[axis] = place[i]
        yield place, tuple([np.s_[s : s + size] for s, size in zip(starts, sizes, strict=True)])


def gather_with_loops(x: np.ndarray, indices: np.ndarray, params: dict[str, Any]) -> np.ndarray:
    """The result of a gather, one slice after another."""
    numbers, sizes = params["dimension_numbers"], params["slice_sizes"]
    dropped = (*numbers.collapsed_slice_dims, *numbers.operand_batching_dims)
    rest = [size for i, size in enumerate(sizes) if i not in dropped]
    slices = np.full((*indices.shape[:-1], *rest), params["fill_value"] or 0, x.dtype)
    for place, window in _windows(x.shape, indices, sizes, numbers, params["mode"] is not DROP):
        if window is not None:
            slices[place] = x[window].squeeze(dropped)
    batch = [i for i in range(slices.ndim) if i not in numbers.offset_dims]
    return np.moveaxis(slices, range(slices.ndim), [*batch, *numbers.offset_dims])


def scatter_with_loops(
    x: np.ndarray,
    indices: np.ndarray,
    updates: np.ndarray,
    params: dict[str, Any],
    combine: Callable[..., Any],
) -> np.ndarray:
    """The result of a scatter, one window after another."""
    numbers = params["dimension_numbers"]
    out = x.copy()
    sizes = window_sizes(x.ndim, updates.shape, numbers)
    window_dims = tuple(numbers.update_window_dims)
    batch = [i for i in range(updates.ndim) if i not in window_dims]
    windows = np.transpose(updates, (*batch, *window_dims))
    for place, window in _windows(x.shape, indices, sizes, numbers.transposed(), params["mode"] is CLIP):
        if window is not None:
            out[window] = combine(out[window], windows[place].reshape(sizes))
    return out


# -- examples -----------------------------------------------------------------------------------------------


def cases() -> Iterable[tuple[tuple[int, ...], np.ndarray, GatherDimensionNumbers, tuple[int, ...]]]:
    """Operand shape, indices, dimension numbers and slice sizes, in typical and awkward combinations."""
    numbers = GatherDimensionNumbers
    yield (5,), np.array([[1], [3], [0]], I32), numbers((), (0,), (0,)), (1,)
    yield (5,), np.array([[7], [-1], [3]], np.int8), numbers((), (0,), (0,)), (1,)
    yield (3, 4), np.array([[2], [0]], I32), numbers((1,), (0,), (0,)), (1, 4)
    yield (3, 4), np.array([1, 1], I32), numbers((0, 1), (), (0, 1)), (2, 2)
    yield (3, 4), np.array([[2], [1], [9]], I32), numbers((1,), (), (1,), (0,), (0,)), (1, 2)
    yield (3, 4), np.zeros((0, 2), I32), numbers((), (0, 1), (1, 0)), (1, 1)
    yield (2, 3, 4), np.array([[[1, 0], [2, 2]]], I32), numbers((0,), (1, 2), (2, 1)), (2, 1, 1)


def gather_examples(dtype: Any) -> Iterable[Example]:
    """Examples of a gather: the cases, clipped and filled."""
    for shape, indices, numbers, sizes in cases():
        for mode, fill in ((CLIP, None), (DROP, -1.0)):
            params = {
                "dimension_numbers": numbers,
                "slice_sizes": sizes,
                "unique_indices": False,
                "indices_are_sorted": False,
                "mode": mode,
                "fill_value": fill,
            }
            yield Example((ShapedArray(shape, dtype), indices), params)


def scatter_examples(
    dtype: Any, update_jaxpr: Any, unique: bool = False, differentiate: bool = True
) -> Iterable[Example]:
    """Examples of a scatter: the cases with their slices as updates, dropped and clipped."""
    for shape, indices, numbers, sizes in cases():
        dropped = (*numbers.collapsed_slice_dims, *numbers.operand_batching_dims)
        rest = iter([size for i, size in enumerate(sizes) if i not in dropped])
        batch = iter(indices.shape[:-1])
        rank = len(numbers.offset_dims) + indices.ndim - 1
        updates = tuple([next(rest) if i in numbers.offset_dims else next(batch) for i in range(rank)])
        for mode in (DROP, CLIP):
            params = {
                "update_jaxpr": update_jaxpr,
                "update_consts": (),
                "dimension_numbers": ScatterDimensionNumbers(*numbers),
                "indices_are_sorted": False,
                "unique_indices": unique,
                "mode": mode,
            }
            args = (ShapedArray(shape, dtype), indices, ShapedArray(updates, dtype))
            yield Example(args, params, differentiate=differentiate)
