"""``x[...]``: slices where the index is known, dynamic slices for traced scalars, gathers for arrays."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from jaxlab import lax
from jaxlab.core.aval import aval_of
from jaxlab.core.trace import Tracer, current
from jaxlab.numpy.index_plan import At, Given, New, Part, Parts, Window, axes_of, in_bounds, is_whole, parse
from jaxlab.numpy.wrapping import as_array
from jaxlab.primitives.conversion import convert
from jaxlab.runtime.array import Array
from jaxlab.transforms.jit import jit

I32 = np.dtype(np.int32)


def getitem(x: Any, index: Any) -> Any:
    """``x[index]`` with NumPy's meaning, but for places out of bounds: they are taken to the nearest that exists."""
    if type(x) is Array and current.trace.parent is None:
        return _eager(x, index)
    parsed = parse(aval_of(x).shape, index)
    return take_parts(x, parsed.arrays, parsed.parts)


def _eager(x: Any, index: Any) -> Any:
    shape = x.shape
    if type(index) is int and shape:
        # The place is passed as an argument, so that a loop over x[i] compiles once.
        size = shape[0]
        return _first_axis(x, index + size if -size <= index < 0 else index)
    parsed = parse(shape, index)
    parts, arrays = parsed.parts, parsed.arrays
    if any(isinstance(a, Tracer) for a in arrays):
        return take_parts(x, arrays, parts)
    if not arrays and _unit_steps(parts):
        starts, sizes = [], []
        for part, size in zip(axes_of(parts), shape, strict=True):
            place = part.place if type(part) is At else part.start  # type: ignore[union-attr]
            starts.append(place + size if place < 0 else place)
            sizes.append(1 if type(part) is At else part.size)  # type: ignore[union-attr]
        result = _shape_of(parts)
        if tuple(sizes) == shape and result == shape:
            return x
        return _window(x, *starts, sizes=tuple(sizes), shape=result)
    return _eager_parts(x, arrays, parts=parts)


def _unit_steps(parts: Parts) -> bool:
    return all(type(part) is not Window or part.step == 1 for part in parts)


def _shape_of(parts: Parts) -> tuple[int, ...]:
    """The shape of the result of an index without arrays."""
    sizes = []
    for part in parts:
        if type(part) is New:
            sizes.append(1)
        elif type(part) is Window:
            sizes.append(part.size)
    return tuple(sizes)


@jit
def _first_axis(x: Any, place: Any) -> Any:
    shape = aval_of(x).shape
    zero = np.int32(0)
    starts = [convert(place, I32), *[zero] * (len(shape) - 1)]
    return lax.squeeze(lax.dynamic_slice_p.bind(x, *starts, slice_sizes=(1, *shape[1:])), (0,))


@partial(jit, static_argnames=("sizes", "shape"))
def _window(x: Any, *starts: Any, sizes: tuple[int, ...], shape: tuple[int, ...]) -> Any:
    places = [convert(start, I32) for start in starts]
    return lax.reshape(lax.dynamic_slice_p.bind(x, *places, slice_sizes=sizes), shape)


@partial(jit, static_argnames=("parts",))
def _eager_parts(x: Any, arrays: list[Any], *, parts: Parts) -> Any:
    return take_parts(x, arrays, parts)


def take_parts(
    x: Any,
    arrays: list[Any],
    parts: Parts,
    *,
    mode: Any = None,
    fill_value: Any = None,
    indices_are_sorted: bool = False,
    unique_indices: bool = False,
) -> Any:
    """The elements that a parsed index names."""
    shape = aval_of(x).shape
    axes = axes_of(parts)
    given = [part for part in axes if type(part) is Given]
    if mode is None and not given and in_bounds(axes, shape):
        return _add_axes(_static(x, axes), parts)
    if mode is None and all(part.shape == () for part in given) and _unit_steps(parts):
        return _add_axes(_dynamic(x, arrays, axes), parts)
    plan = Plan(shape, arrays, parts)
    taken = lax.gather(
        x,
        plan.indices(),
        lax.GatherDimensionNumbers(
            offset_dims=tuple(plan.offset_dims),
            collapsed_slice_dims=tuple(plan.collapsed),
            start_index_map=tuple(plan.index_map),
        ),
        tuple(plan.slice_sizes),
        mode=mode,
        fill_value=fill_value,
        indices_are_sorted=indices_are_sorted or plan.ordered,
        unique_indices=unique_indices or plan.ordered,
    )
    return lax.expand_dims(taken, plan.new_axes) if plan.new_axes else taken


def _add_axes(x: Any, parts: Parts) -> Any:
    """New axes where the index asks for them, in a result whose scalar places are gone already."""
    result = [part for part in parts if not _is_scalar(part)]
    new = [i for i, part in enumerate(result) if type(part) is New]
    return lax.expand_dims(x, new) if new else as_array(x)


def _is_scalar(part: Part) -> bool:
    return type(part) is At or (type(part) is Given and part.shape == ())


def _static(x: Any, axes: list[Part]) -> Any:
    """Slices at places known while tracing."""
    shape = aval_of(x).shape
    starts, limits, steps, dropped, reversed_ = [], [], [], [], []
    for axis, (part, size) in enumerate(zip(axes, shape, strict=True)):
        if type(part) is At:
            start = part.place % size
            starts.append(start)
            limits.append(start + 1)
            steps.append(1)
            dropped.append(axis)
            continue
        assert type(part) is Window
        start, count, step = part
        if step < 0:
            start, step = start + (count - 1) * step if count else 0, -step
            reversed_.append(axis)
        starts.append(start if count else 0)
        limits.append(start + (count - 1) * step + 1 if count else 0)
        steps.append(step)
    if starts != [0] * len(shape) or limits != list(shape) or any(step != 1 for step in steps):
        x = lax.slice(x, starts, limits, steps if any(step != 1 for step in steps) else None)
    if reversed_:
        x = lax.rev(x, reversed_)
    return lax.squeeze(x, dropped) if dropped else x


def _dynamic(x: Any, arrays: list[Any], axes: list[Part]) -> Any:
    """A window whose places are traced scalars; it is moved back where it would leave the array."""
    shape = aval_of(x).shape
    starts: list[Any] = []
    sizes, dropped = [], []
    for axis, part in enumerate(axes):
        if type(part) is Window:
            starts.append(part.start)
            sizes.append(part.size)
            continue
        starts.append(convert(arrays[part.number], I32) if type(part) is Given else part.place)  # type: ignore[union-attr]
        sizes.append(1)
        dropped.append(axis)
    if not shape:
        return x
    return lax.squeeze(lax.dynamic_slice(x, starts, sizes), dropped)


class Plan:
    """How an index becomes a gather or a scatter.

    Attributes:
      batch: the shape of the places, without the axis of index vectors.
      columns: for each indexed axis of the operand its places, and which axes of ``batch`` they vary along.
      index_map, collapsed, slice_sizes, offset_dims: the dimension numbers of a gather.
      new_axes: where axes of size 1 go in the result.
      ordered: whether the places are sorted and distinct by themselves.
    """

    def __init__(self, shape: tuple[int, ...], arrays: list[Any], parts: Parts) -> None:
        axes = axes_of(parts)
        advanced = [type(part) in (Given, At) for part in axes] if arrays else [False] * len(axes)
        self.ordered = not any(type(part) is Given and part.shape for part in axes)
        common = np.broadcast_shapes(*[part.shape for part in axes if type(part) is Given])
        self.columns: list[tuple[Any, tuple[int, ...]]] = []
        self.index_map: list[int] = []
        self.collapsed: list[int] = []
        self.slice_sizes: list[int] = []
        self.offset_dims: list[int] = []
        self.new_axes: list[int] = []
        self.batch: list[int] = []
        places = [i for i, part in enumerate(parts) if type(part) is Given or (type(part) is At and arrays)]
        together = not places or places[-1] - places[0] + 1 == len(places)
        result = 0  # the axis of the result, new axes included
        group: tuple[int, ...] | None = None  # the axes of the batch that index arrays vary along
        if places and not together:
            group = self._enter(common)
            result += len(common)
        axis = 0
        self._offsets: list[int] = []
        for part in parts:
            if type(part) is New:
                self.new_axes.append(result)
                result += 1
                continue
            size = shape[axis]
            if advanced[axis]:
                if group is None:
                    group = self._enter(common)
                    result += len(common)
                self._column(axis, _places(part, arrays, size), group)
            elif type(part) is At:
                self._column(axis, part.place + size if part.place < 0 else part.place, ())
            else:
                assert type(part) is Window
                self._take_window(axis, part, size, result)
                result += 1
            axis += 1
        self.offset_dims = [d - sum(n < d for n in self.new_axes) for d in self._offsets]

    def _enter(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        first = len(self.batch)
        self.batch += list(shape)
        return tuple(range(first, first + len(shape)))

    def _column(self, axis: int, places: Any, along: tuple[int, ...]) -> None:
        self.columns.append((places, along))
        self.index_map.append(axis)
        self.collapsed.append(axis)
        self.slice_sizes.append(1)

    def _take_window(self, axis: int, part: Window, size: int, result: int) -> None:
        if part.step != 1:
            steps = lax.add(np.int32(part.start), lax.mul(np.int32(part.step), lax.iota(I32, part.size)))
            self._column(axis, steps, self._enter((part.size,)))
            return
        self._offsets.append(result)
        self.slice_sizes.append(part.size)
        if not is_whole(part, size):
            self.columns.append((part.start, ()))
            self.index_map.append(axis)

    def indices(self) -> Any:
        """The array of index vectors, of shape ``batch + (number of indexed axes,)``."""
        shape = (*self.batch, 1)
        columns = []
        for places, along in self.columns:
            own = aval_of(places).shape
            if own == () and isinstance(places, int):
                column = lax.broadcast_in_dim(np.int32(places), shape, ())
            else:
                places = convert(places, I32)
                if len(own) == len(along):
                    column = lax.broadcast_in_dim(places, shape, along)
                else:
                    column = lax.broadcast_in_dim(places, shape, along[len(along) - len(own) :])
            columns.append(column)
        if not columns:
            return np.zeros((*self.batch, 0), I32)
        return columns[0] if len(columns) == 1 else lax.concatenate(columns, len(self.batch))


def _places(part: Part, arrays: list[Any], size: int) -> Any:
    """Places along an axis, counted from its start."""
    if type(part) is At:
        return part.place + size if part.place < 0 else part.place
    assert type(part) is Given
    x = arrays[part.number]
    if isinstance(x, np.ndarray):
        return np.where(x < 0, x + size, x).astype(I32)
    aval = aval_of(x)
    if aval.dtype.kind == "u":
        return x
    zero, offset = aval.dtype.type(0), aval.dtype.type(size)
    return lax.select_n(lax.lt(x, zero), x, lax.add(x, offset))
