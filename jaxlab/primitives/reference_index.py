"""What an index of a reference means, and reading and writing an array there."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from jaxlab import dtypes, errors
from jaxlab.core.aval import ShapedArray, aval_of, is_array_like
from jaxlab.core.trace import Tracer
from jaxlab.primitives.arithmetic import add, mul
from jaxlab.primitives.broadcasting import broadcast_in_dim, expand_dims, squeeze
from jaxlab.primitives.comparison import lt, select_n
from jaxlab.primitives.concatenation import concatenate
from jaxlab.primitives.conversion import convert_element_type
from jaxlab.primitives.creation import broadcasted_iota, iota
from jaxlab.primitives.dimension_numbers import (
    GatherDimensionNumbers,
    GatherScatterMode,
    ScatterDimensionNumbers,
)
from jaxlab.primitives.dynamic_slicing import dynamic_slice, dynamic_update_slice
from jaxlab.primitives.indexing import gather, scatter_add
from jaxlab.primitives.reshaping import I32, move_axis, transpose
from jaxlab.primitives.scatter import scatter
from jaxlab.primitives.slicing import slice as static_slice


class Span(NamedTuple):
    """Places ``start, start + step, ...`` along an axis, ``size`` of them."""

    start: int
    size: int
    step: int = 1


class Point(NamedTuple):
    """Along this axis the next of the operands tells the place, or the places."""


Entry = Span | Point
Index = tuple[Entry, ...]
"""One entry an axis, or none at all for the whole array."""

POINT = Point()
WHOLE: Index = ()


def parse_index(op: str, shape: tuple[int, ...], index: Any) -> tuple[Index, list[Any]]:
    """The index that an expression means, and its operands: integers, and arrays of one shape.

    Raises:
      ValueError: for too many indices, two ellipses, a place that does not exist, or a slice with a step that is
        not positive.
      TypeError: for an index that is no integer, slice, array or Ellipsis.
      NonConcreteBooleanIndexError: for a mask.
    """
    if index is None or index is Ellipsis:
        return WHOLE, []
    items = list(index) if isinstance(index, tuple) else [index]
    if not items:
        return WHOLE, []
    dots = [i for i, item in enumerate(items) if item is Ellipsis]
    if len(dots) > 1:
        raise ValueError(
            f"{op}: the index has {len(dots)} ellipses, but it can have one; write ':' for an axis"
        )
    named = len(items) - len(dots)
    if named > len(shape):
        raise ValueError(
            f"{op}: {named} indices were given, but the reference has {len(shape)} "
            f"{'axis' if len(shape) == 1 else 'axes'}; leave some out"
        )
    rest: list[Any] = [slice(None)] * (len(shape) - named)
    items = [*items[: dots[0]], *rest, *items[dots[0] + 1 :]] if dots else [*items, *rest]
    entries: list[Entry] = []
    operands: list[Any] = []
    for axis, (item, size) in enumerate(zip(items, shape, strict=True)):
        if isinstance(item, slice):
            entries.append(_span(op, item, size, axis))
        else:
            entries.append(POINT)
            operands.append(_places(op, item, size, axis))
    return tuple(entries), _of_one_shape(op, operands)


def _span(op: str, item: slice, size: int, axis: int) -> Span:
    bounds = []
    for name in ("start", "stop", "step"):
        value = getattr(item, name)
        if isinstance(value, Tracer) and value.concrete() is None:
            raise errors.TracerBoolConversionError(value)
        bounds.append(None if value is None else operator.index(value))
    start, stop, step = slice(*bounds).indices(size)
    if step < 1:
        raise ValueError(f"{op}: a slice has step {step}, but the steps of a reference's slices are positive")
    if start >= size and size and bounds[0] is not None:
        raise ValueError(
            f"{op}: a slice starts at {bounds[0]}, but axis {axis} has size {size}; start within the axis"
        )
    return Span(start, len(range(start, stop, step)), step)


def _places(op: str, item: Any, size: int, axis: int) -> Any:
    """One index that is no slice, as an operand."""
    if isinstance(item, int | np.integer) and not isinstance(item, bool):
        place = operator.index(item)
        if place >= size:
            raise ValueError(
                f"{op}: the index {place} is out of bounds for axis {axis}, which has size {size}; the last is "
                f"{size - 1}"
            )
        return place
    if not is_array_like(item):
        raise TypeError(
            f"{op}: a {type(item).__name__} was given as an index, but an integer, a slice, an array of integers "
            "or ... is needed"
        )
    aval = aval_of(item)
    if aval.dtype == np.bool_ and aval.shape:
        raise errors.NonConcreteBooleanIndexError(
            item if isinstance(item, Tracer) else f"a mask of type {aval.str_short()}"
        )
    if dtypes.issubdtype(aval.dtype, np.integer):
        return item
    raise TypeError(
        f"{op}: an index has dtype {aval.dtype.name}, but integers are needed; write index.astype(int)"
    )


def _of_one_shape(op: str, operands: list[Any]) -> list[Any]:
    """The places along all axes, as arrays of their common shape where any is an array."""
    shapes = [aval_of(x).shape for x in operands]
    if all(shape == () for shape in shapes):
        return operands
    try:
        common = np.broadcast_shapes(*shapes)
    except ValueError:
        given = ", ".join(aval_of(x).str_short() for x in operands)
        raise ValueError(
            f"{op}: the index arrays have types {given}, but their shapes must broadcast to one; reshape them"
        ) from None
    return [x if shape == common else _repeated(x, common) for x, shape in zip(operands, shapes, strict=True)]


def _repeated(x: Any, shape: tuple[int, ...]) -> Any:
    rank = len(aval_of(x).shape)
    x = np.int32(x) if isinstance(x, int) else x
    return broadcast_in_dim(x, shape, tuple(range(len(shape) - rank, len(shape))))


# -- the axes of what an index names


def labels(index: Index, rank: int) -> list[int]:
    """What each axis of the result is: an axis of the array, or -1, -2, ... for those of index arrays.

    As in NumPy the axes of arrays of ``rank`` stand where the arrays do, or first if they stand apart.
    """
    points = [axis for axis, entry in enumerate(index) if type(entry) is Point]
    arrays = [-1 - i for i in range(rank)]
    spans = [axis for axis, entry in enumerate(index) if type(entry) is Span]
    if not points or points[-1] - points[0] + 1 != len(points):
        return [*arrays, *spans]
    return [*[a for a in spans if a < points[0]], *arrays, *[a for a in spans if a > points[0]]]


def indexed_shape(shape: tuple[int, ...], index: Index, operands: Sequence[ShapedArray]) -> tuple[int, ...]:
    """The shape of what an index names."""
    if index == WHOLE:
        return shape
    common = operands[0].shape if operands else ()
    sizes = [entry.size if type(entry) is Span else 0 for entry in index]
    return tuple(common[-1 - label] if label < 0 else sizes[label] for label in labels(index, len(common)))


def index_text(index: Index, operands: Sequence[str], shape: tuple[int, ...]) -> str:
    """An index as jaxprs show it: ``[...]``, ``[i,1:3]``."""
    if index == WHOLE:
        return "[...]"
    given = iter(operands)
    parts = []
    for entry, size in zip(index, shape, strict=True):
        if type(entry) is Point:
            parts.append(next(given).partition(":")[0])
        else:
            end = entry.start + entry.size
            parts.append(f"{entry.start or ''}:{'' if end == size else end}")
    return f"[{','.join(parts)}]"


# -- reading and writing


def read(x: Any, index: Index, operands: Sequence[Any]) -> Any:
    """The elements of an array that an index names; places out of bounds are moved to the nearest that exists."""
    if index == WHOLE:
        return x
    if _scalars(operands):
        return _strided(_window(x, index, operands), index)
    plan = Scattered(aval_of(x).shape, index, operands)
    taken = gather(
        x,
        plan.places,
        GatherDimensionNumbers(
            offset_dims=plan.window_dims, collapsed_slice_dims=plan.indexed, start_index_map=plan.indexed
        ),
        plan.slice_sizes,
        mode=GatherScatterMode.CLIP,
    )
    return transpose(taken, plan.to_result) if plan.to_result != tuple(range(len(plan.to_result))) else taken


def write(x: Any, index: Index, operands: Sequence[Any], value: Any) -> Any:
    """The array with a value at the places that an index names; single places are moved inside, others dropped."""
    if index == WHOLE:
        return value
    if _scalars(operands) and _contiguous(index):
        return dynamic_update_slice(x, _in_place(value, index), _starts(index, operands))
    plan = Scattered(aval_of(x).shape, index, operands)
    return scatter(x, plan.places, plan.arranged(value), plan.numbers)


def accumulate(x: Any, index: Index, operands: Sequence[Any], value: Any) -> Any:
    """The array with a value added at the places that an index names, once for each time it names them."""
    if index == WHOLE:
        return add(x, value)
    if _scalars(operands) and _contiguous(index):
        return write(x, index, operands, add(read(x, index, operands), value))
    plan = Scattered(aval_of(x).shape, index, operands)
    return scatter_add(x, plan.places, plan.arranged(value), plan.numbers)


def _scalars(operands: Sequence[Any]) -> bool:
    return all(aval_of(x).shape == () for x in operands)


def _contiguous(index: Index) -> bool:
    return all(type(entry) is Point or entry.step == 1 for entry in index)


def _starts(index: Index, operands: Sequence[Any]) -> list[Any]:
    given = iter(operands)
    starts = [next(given) if type(entry) is Point else entry.start for entry in index]
    return [np.int32(x) if isinstance(x, int) else convert_element_type(x, I32) for x in starts]


def _window(x: Any, index: Index, operands: Sequence[Any]) -> Any:
    """The part of an array around what an index of single places and spans names, without the axes of places."""
    shape = aval_of(x).shape
    sizes = []
    for entry, size in zip(index, shape, strict=True):
        sizes.append(1 if type(entry) is Point else entry.size if entry.step == 1 else size - entry.start)
    if all(isinstance(place, int) for place in operands):
        given = iter(operands)
        starts = []
        for entry, size in zip(index, shape, strict=True):
            place = next(given) if type(entry) is Point else entry.start
            starts.append(min(max(place + size if place < 0 else place, 0), max(size - 1, 0)))
        if sizes != list(shape):
            x = static_slice(x, starts, [a + b for a, b in zip(starts, sizes, strict=True)])
    elif sizes != list(shape) or operands:
        x = dynamic_slice(x, _starts(index, operands), sizes)
    return squeeze(x, [axis for axis, entry in enumerate(index) if type(entry) is Point])


def _strided(x: Any, index: Index) -> Any:
    """Every so manieth element of a window, along the axes where the index has steps."""
    spans = [entry for entry in index if type(entry) is Span]
    if all(span.step == 1 for span in spans):
        return x
    shape = aval_of(x).shape
    steps = [span.step for span in spans]
    limits = [
        size if span.step == 1 else min(size, (span.size - 1) * span.step + 1) if span.size else 0
        for span, size in zip(spans, shape, strict=True)
    ]
    return static_slice(x, [0] * len(shape), limits, steps)


def _in_place(value: Any, index: Index) -> Any:
    """A value with axes of size 1 for single places."""
    return expand_dims(value, [axis for axis, entry in enumerate(index) if type(entry) is Point])


class Scattered:
    """What an index names, as the numbers of a gather or a scatter.

    The axes of index arrays, then those of spans with steps, are places; the other spans are windows.

    Attributes:
      places: index vectors along the last axis.
      indexed: the axes of the array that the entries of an index vector are for; windows have the others.
      slice_sizes, window_dims: of the windows.
      to_result: how the axes of what is gathered are put in the order of the result.
    """

    def __init__(self, shape: tuple[int, ...], index: Index, operands: Sequence[Any]) -> None:
        common = aval_of(operands[0]).shape if operands else ()
        whole = [
            axis
            for axis, (entry, size) in enumerate(zip(index, shape, strict=True))
            if type(entry) is Span and entry.size == size
        ]
        stepped = [axis for axis, entry in enumerate(index) if type(entry) is Span and axis not in whole]
        batch = (*common, *[entry.size for axis, entry in enumerate(index) if axis in stepped])  # type: ignore[union-attr]
        given = iter(operands)
        columns: list[Any] = []
        for axis, entry in enumerate(index):
            if type(entry) is Point:
                places = _from_start(next(given), shape[axis])
                columns.append(broadcast_in_dim(places, (*batch, 1), tuple(range(len(common)))))
            elif axis in stepped:
                assert type(entry) is Span
                places = add(np.int32(entry.start), mul(np.int32(entry.step), iota(I32, entry.size)))
                along = len(common) + stepped.index(axis)
                columns.append(broadcast_in_dim(places, (*batch, 1), (along,)))
        self.places = concatenate(columns, len(batch)) if columns else np.zeros((*batch, 0), I32)
        self.indexed = tuple(axis for axis in range(len(shape)) if axis not in whole)
        self.slice_sizes = tuple(size if axis in whole else 1 for axis, size in enumerate(shape))
        self.window_dims = tuple(range(len(batch), len(batch) + len(whole)))
        order = [*[-1 - i for i in range(len(common))], *stepped, *whole]
        self.wanted = labels(index, len(common))
        self.to_result = tuple(order.index(label) for label in self.wanted)
        self.from_result = tuple(self.wanted.index(label) for label in order)

    @property
    def numbers(self) -> ScatterDimensionNumbers:
        """The dimension numbers of a scatter."""
        return ScatterDimensionNumbers(
            update_window_dims=self.window_dims,
            inserted_window_dims=self.indexed,
            scatter_dims_to_operand_dims=self.indexed,
        )

    def arranged(self, value: Any) -> Any:
        """A value of the result's shape with its axes in the order of the updates of a scatter."""
        return (
            transpose(value, self.from_result)
            if self.from_result != tuple(sorted(self.from_result))
            else value
        )


def _from_start(places: Any, size: int) -> Any:
    """Places as 32-bit integers counted from the start of an axis, given some that count from its end."""
    if isinstance(places, int):
        return np.int32(places + size if places < 0 else places)
    places = convert_element_type(places, I32)
    return select_n(lt(places, np.int32(0)), places, add(places, np.int32(size)))


# -- batching


def batched_index(
    index: Index, dim: int | None, operands: Sequence[Any], dims: Sequence[int | None], size: int
) -> tuple[Index, list[Any], list[int]]:
    """The index of a stack of arrays (their axis at ``dim``; None for one array) by stacks of operands.

    Returns it, its operands, and where the axes of the result, in its own order but with the mapped axis first,
    are found in what the new index names.
    """
    entries = list(index)
    if all(d is None for d in dims):
        assert dim is not None
        rank = len(aval_of(operands[0]).shape) if operands else 0
        moved = (*entries[:dim], Span(0, size), *entries[dim:])
        own = [label + (label >= dim) if label >= 0 else label for label in labels(index, rank)]
        found = labels(moved, rank)
        return moved, list(operands), [found.index(label) for label in (dim, *own)]
    shape = next(aval_of(x).shape for x, d in zip(operands, dims, strict=True) if d is not None)
    d = next(d for d in dims if d is not None)
    full = (size, *shape[:d], *shape[d + 1 :])
    stacked = [
        _repeated(x, full) if d is None else move_axis(x, d, 0) for x, d in zip(operands, dims, strict=True)
    ]
    new: list[Entry] = list(entries)
    if dim is not None:
        place = sum(type(entry) is Point for entry in entries[:dim])
        new.insert(dim, POINT)
        stacked.insert(place, broadcasted_iota(I32, full, 0))
    own = [label - 1 if label < 0 else label for label in labels(index, len(full) - 1)]
    if dim is not None:
        own = [label + (label >= dim) if label >= 0 else label for label in own]
    found = labels(tuple(new), len(full))
    return tuple(new), stacked, [found.index(label) for label in (-1, *own)]
