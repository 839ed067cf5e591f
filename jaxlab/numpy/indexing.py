"""``x[...]``: slices where the index is known, dynamic slices for traced scalars, gathers for arrays."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from jaxlab import lax, lazy
from jaxlab.core.aval import aval_of
from jaxlab.core.refs import is_ref
from jaxlab.core.trace import Tracer, current
from jaxlab.numpy.index_plan import At, Given, New, Part, Parts, Window, axes_of, in_bounds, is_whole, parse
from jaxlab.numpy.wrapping import as_array
from jaxlab.primitives.conversion import convert
from jaxlab.primitives.dimension_numbers import GatherScatterMode
from jaxlab.runtime.array import Array
from jaxlab.transforms.jit import jit

if TYPE_CHECKING:
    from jaxlab.primitives import mutable_arrays
else:  # only where there are references
    mutable_arrays = lazy.module("jaxlab.primitives.mutable_arrays")

I32 = np.dtype(np.int32)


def getitem(x: Any, index: Any) -> Any:
    """``x[index]`` with NumPy's meaning, but for places out of bounds: they are taken to the nearest that exists."""
    if type(x) is Array and current.trace.parent is None:
        return _eager(x, index)
    x = as_array(x)
    aval = aval_of(x)
    if is_ref(aval):
        return mutable_arrays.get(x, index)
    parsed = parse(aval.shape, index)
    return take_parts(x, parsed.arrays, parsed.parts, parsed.expanded)


def _eager(x: Any, index: Any) -> Any:
    shape = x.shape
    if type(index) is int and shape and shape[0]:
        # The place is passed as an argument, so that a loop over x[i] compiles once.
        size = shape[0]
        return _first_axis(x, index + size if -size <= index < 0 else index)
    parsed = parse(shape, index)
    parts, arrays = parsed.parts, parsed.arrays
    if any(isinstance(a, Tracer) for a in arrays):
        return take_parts(x, arrays, parts, parsed.expanded)
    if not arrays and _unit_steps(parts):
        starts, sizes = [], []
        for part, size in zip(axes_of(parts), shape, strict=True):
            place = part.place if type(part) is At else part.start  # type: ignore[union-attr]
            starts.append(place + size if place < 0 else place)
            sizes.append(1 if type(part) is At else part.size)  # type: ignore[union-attr]
        result = _shape_of(parts)
        if tuple(sizes) == shape:
            return lax.reshape(x, result)
        return _window(x, *starts, sizes=tuple(sizes), shape=result)
    return _eager_parts(x, arrays, parts=parts, expanded=parsed.expanded)


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


@partial(jit, static_argnames=("parts", "expanded"))
def _eager_parts(x: Any, arrays: list[Any], *, parts: Parts, expanded: tuple[int, ...]) -> Any:
    return take_parts(x, arrays, parts, expanded)


def take_parts(
    x: Any,
    arrays: list[Any],
    parts: Parts,
    expanded: tuple[int, ...] = (),
    *,
    mode: Any = None,
    fill_value: Any = None,
    indices_are_sorted: bool = False,
    unique_indices: bool = False,
    wrap_negative_indices: bool = True,
) -> Any:
    """The elements that a parsed index names, once ``x`` has axes of size 1 at ``expanded``."""
    shape = with_axes(aval_of(x).shape, expanded)
    axes = axes_of(parts)
    mode = _mode(mode)
    if mode is not GatherScatterMode.FILL_OR_DROP and _unit_given(axes):
        if mode is GatherScatterMode.CLIP:
            axes = [_clipped(part, size) for part, size in zip(axes, shape, strict=True)]
        if not arrays and in_bounds(axes, shape):
            return _add_axes(_static(x, axes), parts)
        if _unit_steps(parts) and wrap_negative_indices:
            return _add_axes(_dynamic(x, arrays, axes), parts)
    plan = Plan(shape, arrays, parts, wrap_negative_indices)
    indices = plan.indices()
    if 0 in plan.result_shape:
        taken = lax.broadcast_in_dim(aval_of(x).dtype.type(0), plan.result_shape, ())
    else:
        taken = lax.gather(
            lax.expand_dims(x, expanded),
            indices,
            lax.GatherDimensionNumbers(
                offset_dims=tuple(plan.offset_dims),
                collapsed_slice_dims=tuple(plan.collapsed),
                start_index_map=tuple(plan.index_map),
            ),
            tuple(plan.slice_sizes),
            mode=mode,
            fill_value=fill_value if mode is GatherScatterMode.FILL_OR_DROP else None,
            indices_are_sorted=indices_are_sorted or plan.ordered,
            unique_indices=unique_indices or plan.ordered,
        )
        taken = lax.rev(taken, plan.reversed) if plan.reversed else taken
    return lax.expand_dims(taken, plan.new_axes) if plan.new_axes else taken


def with_axes(shape: tuple[int, ...], expanded: tuple[int, ...]) -> tuple[int, ...]:
    """A shape with axes of size 1 at some places of the result."""
    for axis in expanded:
        shape = (*shape[:axis], 1, *shape[axis:])
    return shape


def _mode(mode: Any) -> GatherScatterMode:
    """What happens out of bounds; places are promised to be within them unless something else is asked for."""
    if mode is None:
        return GatherScatterMode.PROMISE_IN_BOUNDS
    return GatherScatterMode.from_any(mode)


def _unit_given(axes: list[Part]) -> bool:
    return all(type(part) is not Given or part.shape == () for part in axes)


def _clipped(part: Part, size: int) -> Part:
    if type(part) is not At:
        return part
    return At(min(max(part.place + size if part.place < 0 else part.place, 0), size - 1))


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
        start, count, step, stop = part
        if step < 0:
            start, step, stop = (start + (count - 1) * step if count else size), -step, start + 1
            reversed_.append(axis)
        starts.append(start)
        limits.append(max(start, stop))
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
            starts.append(np.int32(part.start))
            sizes.append(part.size)
            continue
        if not shape[axis]:
            raise IndexError(
                f"indexing: an index was given for axis {axis}, but that has size 0 and no elements"
            )
        starts.append(arrays[part.number] if type(part) is Given else np.int32(part.place))  # type: ignore[union-attr]
        sizes.append(1)
        dropped.append(axis)
    if not shape:
        return x
    if len(shape) > 1:
        starts = [convert(start, I32) for start in starts]
        starts = [from_start(start, size) for start, size in zip(starts, shape, strict=True)]
        window = lax.dynamic_slice_p.bind(x, *starts, slice_sizes=tuple(sizes))
    else:
        window = lax.dynamic_slice(x, starts, sizes)
    return lax.squeeze(window, dropped)


class Plan:
    """How an index becomes a gather or a scatter.

    Attributes:
      batch: the shape of the places, without the axis of index vectors.
      columns: for each indexed axis of the operand its places, and which axes of ``batch`` they vary along.
      index_map, collapsed, slice_sizes, offset_dims: the dimension numbers of a gather.
      result_shape: the shape of its result.
      new_axes: where axes of size 1 go in the result.
      reversed: the axes of the result, without new ones, that are turned round: places ascend along them.
      ordered: whether the places are sorted and distinct by themselves.
    """

    def __init__(self, shape: tuple[int, ...], arrays: list[Any], parts: Parts, wrap: bool = True) -> None:
        axes = axes_of(parts)
        self.ordered = _unit_given(axes)
        self.columns: list[tuple[Any, tuple[int, ...]]] = []
        self.index_map: list[int] = []
        self.collapsed: list[int] = []
        self.slice_sizes = [part.size if type(part) is Window and part.step == 1 else 1 for part in axes]
        self.offset_dims: list[int] = []
        self.new_axes: list[int] = []
        self.reversed: list[int] = []
        self.batch: list[int] = []
        self.result: list[int] = []
        self.wrap = wrap
        common = np.broadcast_shapes(*[part.shape for part in axes if type(part) is Given])
        places = [i for i, part in enumerate(parts) if type(part) is Given or (type(part) is At and arrays)]
        together = not places or places[-1] - places[0] + 1 == len(places)
        number = {
            i: axis for axis, i in enumerate([i for i, part in enumerate(parts) if type(part) is not New])
        }
        given = [number[i] for i in places]
        if places and not together:
            self._take_arrays(common, given, axes, arrays, shape)
        new = 0
        for i, part in enumerate(parts):
            if type(part) is New:
                self.new_axes.append(len(self.result) + new)
                new += 1
            elif i in places:
                if together and i == places[0]:
                    self._take_arrays(common, given, axes, arrays, shape)
            elif type(part) is At:
                size = shape[number[i]]
                self._column(number[i], part.place + size if part.place < 0 and wrap else part.place, ())
            else:
                assert type(part) is Window
                self._take_window(number[i], part, shape[number[i]])
        self.collapsed.sort()

    @property
    def result_shape(self) -> tuple[int, ...]:
        """The shape of what the index names."""
        return tuple(self.result)

    def _enter(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        first = len(self.batch)
        self.batch += shape
        self.result += shape
        return tuple(range(first, first + len(shape)))

    def _column(self, axis: int, places: Any, along: tuple[int, ...]) -> None:
        self.columns.append((places, along))
        self.index_map.append(axis)
        self.collapsed.append(axis)

    def _take_arrays(
        self,
        common: tuple[int, ...],
        given: list[int],
        axes: list[Part],
        arrays: list[Any],
        shape: tuple[int, ...],
    ) -> None:
        """The axes that index arrays are given for, which vary together along the axes of their common shape."""
        columns = [_places(axes[axis], arrays, shape[axis], self.wrap) for axis in given]
        along = self._enter(common)
        for axis, places in zip(given, columns, strict=True):
            own = aval_of(places).shape
            if own != common:
                places = lax.broadcast_in_dim(places, common, range(len(common) - len(own), len(common)))
            self._column(
                axis, places if common == () and type(places) is int else convert(places, I32), along
            )

    def _take_window(self, axis: int, part: Window, size: int) -> None:
        if part.step != 1:
            steps = lax.add(np.int32(part.start), lax.mul(np.int32(part.step), lax.iota(I32, part.size)))
            if part.step < 0:
                steps = lax.rev(steps, (0,))
                self.reversed.append(len(self.result))
            self._column(axis, steps, self._enter((part.size,)))
            return
        self.offset_dims.append(len(self.result))
        self.result.append(part.size)
        if not is_whole(part, size):
            self.columns.append((part.start, ()))
            self.index_map.append(axis)

    def indices(self) -> Any:
        """The array of index vectors, of shape ``batch + (number of indexed axes,)``."""
        shape = (*self.batch, 1)
        columns = [
            lax.broadcast_in_dim(np.int32(places) if type(places) is int else places, shape, along)
            for places, along in self.columns
        ]
        if not columns:
            return np.zeros((*self.batch, 0), I32)
        return columns[0] if len(columns) == 1 else lax.concatenate(columns, len(self.batch))


def _places(part: Part, arrays: list[Any], size: int, wrap: bool) -> Any:
    """Places along an axis, counted from its start."""
    if type(part) is At:
        return part.place + size if part.place < 0 and wrap else part.place
    assert type(part) is Given
    x = arrays[part.number]
    return from_start(x, size) if wrap else x


def from_start(x: Any, size: int) -> Any:
    """Places along an axis of a size, where negative ones are counted from its end."""
    aval = aval_of(x)
    if aval.dtype.kind == "u":
        return x
    if isinstance(x, np.ndarray) and x.shape:
        x = x.astype(aval.dtype)
        return lax.select_n(x < 0, x, lax.add(x, aval.dtype.type(size)))
    zero, offset = (0, size) if aval.weak_type else (aval.dtype.type(0), aval.dtype.type(size))
    return lax.select_n(lax.lt(x, zero), x, lax.add(x, offset))
