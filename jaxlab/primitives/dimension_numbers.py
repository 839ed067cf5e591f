"""What gather and scatter are told: which axes are indexed, sliced, dropped and shared, and what happens
at indices out of bounds."""

from __future__ import annotations

import enum
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from jaxlab import dtypes
from jaxlab.core.aval import ShapedArray

Axes = tuple[int, ...]


class GatherScatterMode(enum.Enum):
    """What becomes of indices out of bounds.

    Attributes:
      CLIP: they are moved to the nearest place where the slice fits.
      FILL_OR_DROP: a gather returns a fill value there, a scatter leaves such updates out.
      PROMISE_IN_BOUNDS: there are none; what happens if there are is not said.
      ONE_HOT: as `PROMISE_IN_BOUNDS`, with a wish for an implementation by a matrix product.
    """

    CLIP = enum.auto()
    FILL_OR_DROP = enum.auto()
    PROMISE_IN_BOUNDS = enum.auto()
    ONE_HOT = enum.auto()

    @staticmethod
    def from_any(mode: str | GatherScatterMode | None) -> GatherScatterMode:
        """The mode meant by "clip", "fill", "drop", "promise_in_bounds", "one_hot" or None.

        >>> GatherScatterMode.from_any("drop")
        <GatherScatterMode.FILL_OR_DROP: 2>
        """
        if isinstance(mode, GatherScatterMode):
            return mode
        known = _MODES.get(mode) if mode is None or isinstance(mode, str) else None
        if known is None:
            names = ", ".join(repr(name) for name in _MODES if name is not None)
            raise ValueError(f'gather and scatter: Unknown gather mode "{mode}"; give one of {names}')
        return known

    def __str__(self) -> str:
        return f"GatherScatterMode.{self.name}"


_MODES = {
    None: GatherScatterMode.FILL_OR_DROP,
    "fill": GatherScatterMode.FILL_OR_DROP,
    "drop": GatherScatterMode.FILL_OR_DROP,
    "clip": GatherScatterMode.CLIP,
    "promise_in_bounds": GatherScatterMode.PROMISE_IN_BOUNDS,
    "one_hot": GatherScatterMode.ONE_HOT,
}


class GatherDimensionNumbers(NamedTuple):
    """How `gather` reads its arguments. The last axis of the indices holds one index vector.

    Attributes:
      offset_dims: the axes of the result that run over a slice, ascending.
      collapsed_slice_dims: the axes of the operand at which slices have size 1 and which the result has not,
        ascending.
      start_index_map: for each component of an index vector the axis of the operand that it indexes.
      operand_batching_dims: axes of the operand that are walked in step with those of the indices, ascending.
      start_indices_batching_dims: the axes of the indices that they are walked in step with, in the same
        order.
    """

    offset_dims: Axes
    collapsed_slice_dims: Axes
    start_index_map: Axes
    operand_batching_dims: Axes = ()
    start_indices_batching_dims: Axes = ()

    def transposed(self) -> ScatterDimensionNumbers:
        """The numbers of the scatter that puts slices back where this gather takes them."""
        return ScatterDimensionNumbers(*self)

    def text(self, index_vector_dim: int) -> str:
        """The StableHLO attribute."""
        return (
            f"#stablehlo.gather<offset_dims = {list(self.offset_dims)}, "
            f"collapsed_slice_dims = {list(self.collapsed_slice_dims)}, "
            f"operand_batching_dims = {list(self.operand_batching_dims)}, "
            f"start_indices_batching_dims = {list(self.start_indices_batching_dims)}, "
            f"start_index_map = {list(self.start_index_map)}, index_vector_dim = {index_vector_dim}>"
        )


class ScatterDimensionNumbers(NamedTuple):
    """How `scatter` reads its arguments. The last axis of the indices holds one index vector.

    Attributes:
      update_window_dims: the axes of the updates that run over a window, ascending.
      inserted_window_dims: the axes of the operand at which windows have size 1 and which the updates have
        not, ascending.
      scatter_dims_to_operand_dims: for each component of an index vector the axis of the operand that it
        indexes.
      operand_batching_dims: axes of the operand that are walked in step with those of the indices, ascending.
      scatter_indices_batching_dims: the axes of the indices that they are walked in step with, in the same
        order.
    """

    update_window_dims: Sequence[int]
    inserted_window_dims: Sequence[int]
    scatter_dims_to_operand_dims: Sequence[int]
    operand_batching_dims: Sequence[int] = ()
    scatter_indices_batching_dims: Sequence[int] = ()

    def transposed(self) -> GatherDimensionNumbers:
        """The numbers of the gather that takes windows from where this scatter puts them."""
        return GatherDimensionNumbers(*[tuple(axes) for axes in self])

    def text(self, index_vector_dim: int) -> str:
        """The StableHLO attribute."""
        return (
            f"#stablehlo.scatter<update_window_dims = {list(self.update_window_dims)}, "
            f"inserted_window_dims = {list(self.inserted_window_dims)}, "
            f"input_batching_dims = {list(self.operand_batching_dims)}, "
            f"scatter_indices_batching_dims = {list(self.scatter_indices_batching_dims)}, "
            f"scatter_dims_to_operand_dims = {list(self.scatter_dims_to_operand_dims)}, "
            f"index_vector_dim = {index_vector_dim}>"
        )


def _check_axes(op: str, what: str, axes: Sequence[int], bound: int, ascending: bool = True) -> None:
    if any(not 0 <= axis < bound for axis in axes):
        raise TypeError(f"{op}: {what} {tuple(axes)} were given, but each must lie within [0, {bound})")
    if len(set(axes)) != len(axes):
        raise TypeError(f"{op}: {what} {tuple(axes)} were given, but they must not repeat")
    if ascending and list(axes) != sorted(axes):
        raise TypeError(f"{op}: {what} {tuple(axes)} were given, but they must be sorted")


def check_numbers(
    op: str,
    names: Sequence[str],
    operand: ShapedArray,
    indices: ShapedArray,
    slice_rank: int,
    numbers: GatherDimensionNumbers,
) -> None:
    """Raise TypeError unless the numbers, given as those of a gather, fit the operand and the indices.

    Args:
      names: what the caller's fields are called, in the order of ``numbers``.
      slice_rank: the number of axes of the gather's result, or of the scatter's updates.
    """
    if not indices.shape:
        raise TypeError(f"{op}: the indices are a scalar, but their last axis must hold the index vectors")
    offset, collapsed, index_map, batching, index_batching = numbers
    rank, batch_rank = len(operand.shape), len(indices.shape) - 1
    _check_axes(op, names[0], offset, slice_rank)
    _check_axes(op, names[1], collapsed, rank)
    _check_axes(op, names[2], index_map, rank, ascending=False)
    _check_axes(op, names[3], batching, rank)
    _check_axes(op, names[4], index_batching, batch_rank, ascending=False)
    if len(index_map) != indices.shape[-1]:
        raise TypeError(
            f"{op}: {names[2]} {tuple(index_map)} has {len(index_map)} entries, but the last axis of the"
            f" indices {indices.str_short()} has {indices.shape[-1]}; the two must be equal"
        )
    if len(offset) + len(collapsed) + len(batching) != rank:
        raise TypeError(
            f"{op}: {names[0]} {tuple(offset)}, {names[1]} {tuple(collapsed)} and {names[3]}"
            f" {tuple(batching)} were given, but together they must account for each axis of the operand"
            f" {operand.str_short()} once"
        )
    for i, axes in ((1, collapsed), (2, index_map)):
        if set(axes) & set(batching):
            raise TypeError(
                f"{op}: {names[i]} {tuple(axes)} and {names[3]} {tuple(batching)} were given, but they must"
                " be disjoint"
            )
    shared = [operand.shape[i] for i in batching]
    if len(batching) != len(index_batching) or shared != [indices.shape[i] for i in index_batching]:
        raise TypeError(
            f"{op}: {names[3]} {tuple(batching)} of the operand {operand.str_short()} and {names[4]}"
            f" {tuple(index_batching)} of the indices {indices.str_short()} were given, but they must have"
            " equal sizes"
        )


def check_integers(op: str, indices: ShapedArray) -> None:
    """Raise ValueError unless the indices are integers."""
    if not dtypes.issubdtype(indices.dtype, np.integer):
        raise ValueError(f"{op}: the indices are {indices.str_short()}, but they must have an integer type")


def gather_shape(
    x: ShapedArray, indices: ShapedArray, numbers: GatherDimensionNumbers, sizes: Axes
) -> tuple[int, ...]:
    """The shape of a gather's result; raises ValueError or TypeError where the arguments do not fit."""
    check_integers("gather", indices)
    rank = len(numbers.offset_dims) + len(indices.shape) - 1
    if len(sizes) != len(x.shape):
        raise TypeError(
            f"gather: slice_sizes {sizes} has {len(sizes)} entries, but the operand {x.str_short()} has "
            f"{len(x.shape)} axes"
        )
    check_numbers("gather", numbers._fields, x, indices, rank, numbers)
    dropped = {*numbers.collapsed_slice_dims, *numbers.operand_batching_dims}
    for axis, (size, bound) in enumerate(zip(sizes, x.shape, strict=True)):
        if not 0 <= size <= bound:
            raise TypeError(
                f"gather: slice_sizes {sizes} were given, but the size for axis {axis} of the operand "
                f"{x.str_short()} must lie within [0, {bound}]"
            )
        if axis in dropped and size > 1:
            raise TypeError(
                f"gather: slice_sizes {sizes} were given, but the size must be 1 for axis {axis}, which is"
                " among collapsed_slice_dims or operand_batching_dims"
            )
    rest = iter([size for axis, size in enumerate(sizes) if axis not in dropped])
    batch = iter(indices.shape[:-1])
    return tuple([next(rest) if i in numbers.offset_dims else next(batch) for i in range(rank)])


def check_scatter(
    op: str, x: ShapedArray, indices: ShapedArray, updates: ShapedArray, numbers: ScatterDimensionNumbers
) -> None:
    """Raise ValueError or TypeError unless the arguments of a scatter fit together."""
    check_integers(op, indices)
    if x.dtype != updates.dtype:
        raise TypeError(
            f"lax.{op} requires arguments to have the same dtypes, but the operand is {x.str_short()} and the"
            f" updates are {updates.str_short()}; convert one of them"
        )
    rank = len(numbers.update_window_dims) + len(indices.shape) - 1
    if indices.shape and len(updates.shape) != rank:
        raise TypeError(
            f"{op}: the updates are {updates.str_short()}, but they must have {rank} axes: those of "
            f"update_window_dims, and all but the last of the indices {indices.str_short()}"
        )
    check_numbers(op, numbers._fields, x, indices, rank, numbers.transposed())
    batch = tuple([size for i, size in enumerate(updates.shape) if i not in numbers.update_window_dims])
    if batch != indices.shape[:-1]:
        raise TypeError(
            f"{op}: the updates {updates.str_short()} have sizes {batch} outside update_window_dims, but the "
            f"indices {indices.str_short()} have {indices.shape[:-1]}; the two must be equal"
        )
    for axis, (size, bound) in enumerate(
        zip(window_sizes(len(x.shape), updates.shape, numbers), x.shape, strict=True)
    ):
        if size > bound and axis not in numbers.inserted_window_dims:
            raise TypeError(
                f"{op}: the updates {updates.str_short()} have a window of size {size} for axis {axis}, but"
                f" the operand {x.str_short()} has size {bound} there"
            )


def window_sizes(rank: int, updates: Sequence[int], numbers: ScatterDimensionNumbers) -> tuple[int, ...]:
    """The size of a window of the updates along each of the ``rank`` axes of the operand."""
    dropped = {*numbers.inserted_window_dims, *numbers.operand_batching_dims}
    sizes = iter([updates[i] for i in numbers.update_window_dims])
    return tuple([1 if axis in dropped else next(sizes) for axis in range(rank)])
