"""Slices of a named axis change places: permutations, and one slice for all."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from jaxlab import tree
from jaxlab.core.aval import ShapedArray, aval_of
from jaxlab.core.primitive import Example
from jaxlab.primitives.arithmetic import add, mul
from jaxlab.primitives.broadcasting import broadcast_axis, expand_dims, move_axis, zero_ct
from jaxlab.primitives.collective_gather import fold, stack_members
from jaxlab.primitives.collective_reductions import psum
from jaxlab.primitives.collectives import (
    Forwarding,
    Place,
    axis_index,
    axis_names,
    each_slice,
    group_size,
)
from jaxlab.primitives.comparison import eq, select_n
from jaxlab.primitives.creation import full_like, iota
from jaxlab.primitives.dimension_numbers import GatherDimensionNumbers
from jaxlab.primitives.indexing import gather
from jaxlab.primitives.reshaping import F32, I32
from jaxlab.primitives.slicing import index_in_dim


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
    if not isinstance(perm, Iterable) or not all(isinstance(pair, Iterable) for pair in perm):
        raise TypeError(
            f"ppermute: perm is {perm!r}, but pairs (source, destination) are needed; write perm=[(0, 1), (1, 0)]"
        )
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


class PPermute(Forwarding):
    name = "ppermute"

    def lower(self, ctx: Any, x: Any, *, axis_name: Any, perm: Any) -> Any:  # type: ignore[override]
        self.alone({"axis_name": axis_name})
        aval = ctx.aval_out
        return x if perm else ctx.b.broadcast(ctx.b.constant(0, aval.dtype), aval.shape, aval.dtype, ())

    def transpose(self, ct: Any, x: Any, *, axis_name: Any, perm: Any) -> Any:
        if zero_ct(ct):
            return [None]
        return [self.bind(ct, axis_name=axis_name, perm=tuple([(dest, source) for source, dest in perm]))]

    def across(
        self, place: Place, x: Any, d: int | None, *, axis_name: Any, perm: Any
    ) -> tuple[Any, int | None]:
        axis, major, minor = place
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
        if not place.others:
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


class PBroadcast(Forwarding):
    name = "pbroadcast"

    def transpose(self, ct: Any, x: Any, *, axis_name: Any, source: int) -> Any:
        """The source has gone to all slices; nothing came of the others."""
        if zero_ct(ct):
            return [None]
        is_source = eq(axis_index(axis_name), np.int32(source))
        return [select_n(is_source, full_like(ct, 0), psum(ct, axis_name))]

    def across(self, place: Place, x: Any, d: int | None, *, axis_name: Any, source: int) -> tuple[Any, None]:
        size, after = place.axis.size, group_size("pbroadcast", place.minor)
        before, own, rest = source // (size * after), source // after % size, source % after
        if d is not None:
            x = index_in_dim(x, own, d, keepdims=False)
        if place.others:
            x = self.bind(x, axis_name=place.others, source=before * after + rest)
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
