"""Slices of a named axis change places: permutations, transpositions with another axis, and one for all."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from jaxlab import tree
from jaxlab.core.aval import ShapedArray, aval_of
from jaxlab.core.axes import MappedAxis
from jaxlab.core.primitive import Example
from jaxlab.primitives.arithmetic import add, mul
from jaxlab.primitives.broadcasting import broadcast_axis, expand_dims, move_axis, squeeze, zero_ct
from jaxlab.primitives.collective_gather import divide, fold, stack_members
from jaxlab.primitives.collective_reductions import psum
from jaxlab.primitives.collectives import (
    Collective,
    axis_index,
    axis_names,
    axis_of,
    each_slice,
    group_size,
    index_groups,
)
from jaxlab.primitives.comparison import eq, select_n
from jaxlab.primitives.creation import full_like, iota
from jaxlab.primitives.dimension_numbers import GatherDimensionNumbers
from jaxlab.primitives.indexing import gather
from jaxlab.primitives.reshaping import F32, I32, Linear, transpose
from jaxlab.primitives.slicing import index_in_dim

# -- permutations -------------------------------------------------------------------------------------------


def ppermute(x: Any, axis_name: Any, perm: Sequence[tuple[int, int]]) -> Any:
    """``x`` sent from slice to slice along a named axis.

    Args:
      x: a pytree of arrays.
      axis_name: a name, or a tuple of names: then indices count all slices in row-major order.
      perm: pairs ``(source, destination)`` of indices along the axis, no index twice on either side.

    Returns:
      A pytree like ``x``: on each slice what was sent to it, and zeros where nothing was.

    Raises:
      NameError: if there is no axis of that name.
      IndexError: if an index is out of range.
      ValueError: if one occurs twice on a side.

    >>> vmap(lambda x: ppermute(x, "i", [(0, 1), (1, 2)]), axis_name="i")(np.array([5, 6, 7]))
    Array([0, 5, 6], dtype=int32)
    """
    names = axis_names(axis_name)
    pairs = tuple([tuple(pair) for pair in perm])
    _check_permutation(pairs, group_size("ppermute", names), axis_name)
    return tree.map(lambda leaf: ppermute_p.bind(leaf, axis_name=names, perm=pairs), x)


def _check_permutation(pairs: tuple[Any, ...], size: int, axis_name: Any) -> None:
    if any(len(pair) != 2 for pair in pairs):
        raise ValueError(
            f"ppermute: perm is {list(pairs)}, but it must be pairs (source, destination); pshuffle takes a list of "
            "sources"
        )
    for side, what in ((0, "source"), (1, "destination")):
        indices = [pair[side] for pair in pairs]
        for i in indices:
            if not 0 <= i < size:
                raise IndexError(
                    f"ppermute: perm has the {what} {i}, but axis {axis_name!r} has indices from 0 to {size - 1}; "
                    "count from 0"
                )
            if indices.count(i) > 1:
                raise ValueError(
                    f"ppermute: perm has the {what} {i} more than once, but each index may occur once; "
                    + ("send it on in a second step" if side == 0 else "add what arrives, after two steps")
                )


def pshuffle(x: Any, axis_name: Any, perm: Sequence[int]) -> Any:
    """``x`` permuted along a named axis: slice ``i`` gets what slice ``perm[i]`` has.

    Args:
      x: a pytree of arrays.
      axis_name: a name.
      perm: each index along the axis, once.

    Raises:
      NameError: if there is no axis of that name.
      ValueError: if ``perm`` is no permutation.

    >>> vmap(lambda x: pshuffle(x, "i", [2, 0, 1]), axis_name="i")(np.array([5, 6, 7]))
    Array([7, 5, 6], dtype=int32)
    """
    perm = list(perm)
    if sorted(perm) != list(range(len(perm))):
        raise ValueError(
            f"pshuffle: perm is {perm}, but it must have each index from 0 to {len(perm) - 1} once; ppermute "
            "takes pairs, and leaves zeros where nothing is sent"
        )
    return ppermute(x, axis_name, list(zip(perm, range(len(perm)), strict=True)))


class PPermute(Collective, Linear):
    name = "ppermute"

    def abstract_eval(self, x: Any, *, axis_name: Any, perm: Any) -> ShapedArray:
        return ShapedArray(x.shape, x.dtype, x.weak_type)

    def lower(self, ctx: Any, x: Any, *, axis_name: Any, perm: Any) -> Any:  # type: ignore[override]
        self.alone({"axis_name": axis_name})
        aval = ctx.aval_out
        return x if perm else ctx.b.broadcast(ctx.b.constant(0, aval.dtype), aval.shape, aval.dtype, ())

    def transpose(self, ct: Any, x: Any, *, axis_name: Any, perm: Any) -> Any:
        if zero_ct(ct):
            return [None]
        return [self.bind(ct, axis_name=axis_name, perm=tuple([(dest, source) for source, dest in perm]))]

    def beside(self, x: Any, d: int, **params: Any) -> tuple[Any, int]:
        return self.bind(x, **params), d

    def across(
        self,
        axis: MappedAxis,
        x: Any,
        d: int | None,
        major: tuple[Any, ...],
        minor: tuple[Any, ...],
        *,
        axis_name: Any,
        perm: Any,
    ) -> tuple[Any, int | None]:
        before, after = group_size("ppermute", major), group_size("ppermute", minor)
        size = before * axis.size * after
        if d is None:
            if len(perm) == size:
                return x, None
            x, d = broadcast_axis(x, axis.size, 0), 0
        sources = np.full(size, size, np.int32)  # out of bounds, where nothing is sent
        for source, destination in perm:
            sources[destination] = source
        mode = "fill" if len(perm) < size else None
        if not major and not minor:
            return take(x, sources, d, mode), d
        x = move_axis(x, d, 0)
        if minor:
            x = fold(stack_members(x, minor, 1), 0)
        if major:
            x = fold(stack_members(x, major, 0), 0)
        first = add(mul(axis_index(major), np.int32(axis.size * after)), axis_index(minor))
        own = add(mul(iota(I32, axis.size), np.int32(after)), first)
        return take(x, take(sources, own, 0), 0, mode), 0

    def reference(self, x: Any, *, axis_name: Any, perm: Any) -> Any:
        source_of = {destination: source for source, destination in perm}

        def arrived(members: list[Any], own: int) -> Any:
            return members[source_of[own]] if own in source_of else np.zeros_like(members[own])

        return each_slice(x, axis_names(axis_name), arrived)

    def examples(self) -> Iterable[Example]:
        i, both = (("i", 3),), (("i", 3), ("j", 2))
        around = ((0, 1), (1, 2), (2, 0))
        for shape, scope, names, perm in (
            ((3, 2), i, ("i",), around),
            ((3, 2), i, ("i",), ((0, 2), (2, 1))),
            ((3, 2, 4), both, ("i",), around),
            ((3, 2, 4), both, ("j",), ((1, 0),)),
            ((3, 2, 4), both, ("i", "j"), ((0, 1), (1, 5), (5, 2), (3, 0))),
            ((3, 2), both, ("j", "i"), ((0, 1), (1, 5), (5, 2), (3, 0))),
        ):
            yield Example((ShapedArray(shape, F32),), {"axis_name": names, "perm": perm}, axes=scope)
        yield Example(
            (ShapedArray((3,), I32),), {"axis_name": ("i",), "perm": around}, axes=i, differentiate=False
        )


ppermute_p = PPermute()


def take(x: Any, indices: Any, axis: int, mode: str | None = None) -> Any:
    """The slices of ``x`` at a vector of indices along an axis; with mode ``"fill"`` zeros where one is outside."""
    shape = aval_of(x).shape
    others = tuple([i for i in range(len(shape)) if i != axis])
    return gather(
        x,
        expand_dims(indices, (1,)),
        GatherDimensionNumbers(others, (axis,), (axis,)),
        [1 if i == axis else size for i, size in enumerate(shape)],
        mode=mode,
        fill_value=0,
    )


# -- one slice for all --------------------------------------------------------------------------------------


def pbroadcast(x: Any, axis_name: Any, source: int) -> Any:
    """What one slice along a named axis has, for all slices.

    Args:
      x: a pytree of arrays.
      axis_name: a name, or a tuple of names: then the index counts all slices in row-major order.
      source: the index of that slice.

    Raises:
      NameError: if there is no axis of that name.
      IndexError: if the index is out of range.

    >>> vmap(lambda x: x - pbroadcast(x, "i", 1), axis_name="i")(np.array([5, 6, 7]))
    Array([-1,  0,  1], dtype=int32)
    """
    size = group_size("pbroadcast", axis_names(axis_name))
    if not 0 <= source < size:
        raise IndexError(
            f"pbroadcast: source is {source}, but axis {axis_name!r} has indices from 0 to {size - 1}; count from 0"
        )
    return tree.map(lambda leaf: pbroadcast_p.bind(leaf, axis_name=axis_name, source=source), x)


class PBroadcast(Collective, Linear):
    name = "pbroadcast"

    def abstract_eval(self, x: Any, *, axis_name: Any, source: int) -> ShapedArray:
        return ShapedArray(x.shape, x.dtype, x.weak_type)

    def transpose(self, ct: Any, x: Any, *, axis_name: Any, source: int) -> Any:
        """The source has gone to all slices; nothing came of the others."""
        if zero_ct(ct):
            return [None]
        is_source = eq(axis_index(axis_name), np.int32(source))
        return [select_n(is_source, full_like(ct, 0), psum(ct, axis_name))]

    def beside(self, x: Any, d: int, **params: Any) -> tuple[Any, int]:
        return self.bind(x, **params), d

    def across(
        self,
        axis: MappedAxis,
        x: Any,
        d: int | None,
        major: tuple[Any, ...],
        minor: tuple[Any, ...],
        *,
        axis_name: Any,
        source: int,
    ) -> tuple[Any, None]:
        after = group_size("pbroadcast", minor)
        before, own, rest = source // (axis.size * after), source // after % axis.size, source % after
        if d is not None:
            x = index_in_dim(x, own, d, keepdims=False)
        if major or minor:
            x = self.bind(x, axis_name=(*major, *minor), source=before * after + rest)
        return x, None

    def reference(self, x: Any, *, axis_name: Any, source: int) -> Any:
        return each_slice(x, axis_names(axis_name), lambda members, own: members[source])

    def examples(self) -> Iterable[Example]:
        i, both = (("i", 3),), (("i", 3), ("j", 2))
        for shape, scope, names, source in (
            ((3, 2), i, "i", 1),
            ((3,), i, ("i",), 2),
            ((3, 2, 4), both, "j", 1),
            ((3, 2), both, ("j", "i"), 4),
        ):
            yield Example((ShapedArray(shape, F32),), {"axis_name": names, "source": source}, axes=scope)


pbroadcast_p = PBroadcast()

# -- transposition with another axis ------------------------------------------------------------------------


def all_to_all(
    x: Any,
    axis_name: Any,
    split_axis: int,
    concat_axis: int,
    *,
    axis_index_groups: Sequence[Sequence[int]] | None = None,
    tiled: bool = False,
) -> Any:
    """An axis of ``x`` and a named axis change roles: slice ``i`` gets row ``i`` of every slice.

    Args:
      x: a pytree of arrays.
      axis_name: a name, or a tuple of names: then slices count in row-major order.
      split_axis: the axis of ``x`` whose rows are given out; it has the size of the named axis.
      concat_axis: the axis of the result along which come the rows that arrive, in the order of their sources.
      axis_index_groups: lists of indices along the axis, of one length, each to exchange among themselves.
      tiled: divide ``split_axis`` in equal parts and concatenate what arrives along the existing
        ``concat_axis``, so that no axis comes or goes.

    Raises:
      NameError: if there is no axis of that name.
      ValueError: if ``split_axis`` does not have that size, or cannot be divided.

    >>> vmap(lambda x: all_to_all(x, "i", 0, 0), axis_name="i")(np.array([[1, 2], [3, 4]]))
    Array([[1, 3],
           [2, 4]], dtype=int32)
    """
    groups = index_groups(axis_index_groups)
    size = group_size("all_to_all", axis_names(axis_name), groups)

    def exchange(leaf: Any) -> Any:
        aval = aval_of(leaf)
        split, concat = [axis_of("all_to_all", axis, leaf) for axis in (split_axis, concat_axis)]
        if aval.shape[split] % size if tiled else aval.shape[split] != size:
            wanted = "must be divisible by" if tiled else "must be"
            raise ValueError(
                f"all_to_all: split_axis {split_axis} of {aval.str_short()} has size {aval.shape[split]}, but it "
                f"{wanted} {size}, the number of slices along {axis_name!r}; "
                + ("pad it" if tiled else "split another axis, or parts of this one with tiled=True")
            )
        opened = not tiled and split != concat
        if opened:
            # Rows arrive along an axis of their own; what is left of the one they are taken from goes.
            if split < concat:
                concat += 1
            else:
                split += 1
            leaf = expand_dims(leaf, (concat,))
        out = all_to_all_p.bind(
            leaf,
            axis_name=axis_name,
            split_axis=split,
            concat_axis=concat,
            axis_index_groups=groups,
            tiled=tiled,
        )
        return squeeze(out, (split,)) if opened else out

    axis_name = tuple(axis_name) if isinstance(axis_name, list) else axis_name
    return tree.map(exchange, x)


def pswapaxes(
    x: Any, axis_name: Any, axis: int, *, axis_index_groups: Sequence[Sequence[int]] | None = None
) -> Any:
    """A named axis and the axis ``axis`` of ``x`` in each other's place; they are of one size.

    Args:
      x: a pytree of arrays.
      axis_name: a name.
      axis: an axis of ``x``.
      axis_index_groups: lists of indices along the axis, as in `all_to_all`.

    Raises:
      NameError: if there is no axis of that name.
      ValueError: if the sizes differ.

    >>> vmap(lambda x: pswapaxes(x, "i", 0), axis_name="i")(np.array([[1, 2], [3, 4]]))
    Array([[1, 3],
           [2, 4]], dtype=int32)
    """
    return all_to_all(x, axis_name, axis, axis, axis_index_groups=axis_index_groups)


class AllToAll(Collective, Linear):
    """Parts of ``split_axis`` go to the slices, and what arrives is concatenated along ``concat_axis``."""

    name = "all_to_all"

    def abstract_eval(
        self,
        x: Any,
        *,
        axis_name: Any,
        split_axis: int,
        concat_axis: int,
        axis_index_groups: Any,
        tiled: bool,
    ) -> ShapedArray:
        size = group_size("all_to_all", axis_names(axis_name), axis_index_groups)
        shape = list(x.shape)
        shape[split_axis] //= size
        shape[concat_axis] *= size
        return ShapedArray(tuple(shape), x.dtype)

    def transpose(self, ct: Any, x: Any, *, split_axis: int, concat_axis: int, **params: Any) -> Any:
        """The way back: what came along ``concat_axis`` is split there."""
        if zero_ct(ct):
            return [None]
        return [self.bind(ct, split_axis=concat_axis, concat_axis=split_axis, **params)]

    def beside(self, x: Any, d: int, *, split_axis: int, concat_axis: int, **params: Any) -> tuple[Any, int]:
        split, concat = [axis + (d <= axis) for axis in (split_axis, concat_axis)]
        return self.bind(x, split_axis=split, concat_axis=concat, **params), d

    def across(
        self,
        axis: MappedAxis,
        x: Any,
        d: int | None,
        major: tuple[Any, ...],
        minor: tuple[Any, ...],
        *,
        split_axis: int,
        concat_axis: int,
        **params: Any,
    ) -> tuple[Any, int]:
        if d is None:
            x, d = broadcast_axis(x, axis.size, 0), 0
        if major or minor:
            return _exchange_in_turn(axis, move_axis(x, d, 0), major, minor, split_axis, concat_axis), 0
        if split_axis != concat_axis:
            x = fold(move_axis(x, d, concat_axis), concat_axis)
            return divide(x, split_axis, axis.size), split_axis
        own = split_axis + (d <= split_axis)
        x = divide(x, own, axis.size)
        place = d + (own <= d)
        order = list(range(len(aval_of(x).shape)))
        order[place], order[own] = own, place
        return fold(transpose(x, order), own), d

    def reference(self, x: Any, *, axis_name: Any, split_axis: int, concat_axis: int, **params: Any) -> Any:
        def arrived(members: list[Any], own: int) -> Any:
            rows = [np.split(member, len(members), split_axis)[own] for member in members]
            return np.concatenate(rows, concat_axis)

        return each_slice(x, axis_names(axis_name), arrived)

    def examples(self) -> Iterable[Example]:
        i, both = (("i", 3),), (("i", 3), ("j", 2))
        for shape, scope, name, split, concat in (
            ((3, 3, 2), i, "i", 0, 0),
            ((3, 6, 2), i, "i", 0, 1),
            ((3, 2, 1, 3), i, "i", 2, 0),
            ((3, 2, 4, 2), both, "j", 0, 1),
            ((3, 2, 2, 4), both, "j", 1, 1),
            ((3, 2, 6, 2), both, ("i", "j"), 0, 1),
            ((3, 2, 2, 12), both, ("j", "i"), 1, 0),
            ((3, 2, 12), both, ("i", "j"), 0, 0),
        ):
            params = {
                "axis_name": name,
                "split_axis": split,
                "concat_axis": concat,
                "axis_index_groups": None,
                "tiled": True,
            }
            yield Example((ShapedArray(shape, F32),), params, axes=scope)


def _exchange_in_turn(
    axis: MappedAxis, x: Any, major: tuple[Any, ...], minor: tuple[Any, ...], split: int, concat: int
) -> Any:
    """An exchange over several axes, the one mapped here (at axis 0 of ``x``) by hand, then the others.

    The axis to split is written as one axis a named axis. The destinations along the one mapped here become the
    batch dim, its sources stay as an axis; the parts for the others go out, and arrive along a new axis.
    """
    before = group_size("all_to_all", major)
    x = divide(x, split + 1, before, axis.size)  # source, ..., before, destination, after and the part, ...
    x = fold(move_axis(x, split + 2, 0), split + 2)  # destination, source, ..., before and after and the part
    x = expand_dims(x, (1,))
    x = all_to_all_p.bind(
        x,
        axis_name=(*major, *minor),
        split_axis=split + 3,
        concat_axis=1,
        axis_index_groups=None,
        tiled=True,
    )
    x = divide(x, 1, before)  # destination, before, after, source, ...
    x = fold(fold(move_axis(x, 3, 2), 1), 1)  # destination, before and source and after, ...
    return fold(move_axis(x, 1, concat + 1), concat + 1)


all_to_all_p = AllToAll()
