"""A named axis and an axis of the operand change roles: ``all_to_all``."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from jaxlab import tree
from jaxlab.core.aval import ShapedArray, aval_of
from jaxlab.core.primitive import Example
from jaxlab.primitives.broadcasting import broadcast_axis, expand_dims, move_axis, squeeze, zero_ct
from jaxlab.primitives.collective_gather import divide, fold
from jaxlab.primitives.collectives import (
    Collective,
    Place,
    axis_names,
    axis_of,
    check_parts,
    each_slice,
    group_size,
    index_groups,
)
from jaxlab.primitives.reshaping import F32, Linear, transpose


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
        check_parts(
            "all_to_all", f"split_axis {split_axis}", aval.shape[split], aval, size, axis_name, tiled, "split"
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
        self, place: Place, x: Any, d: int | None, *, split_axis: int, concat_axis: int, **params: Any
    ) -> tuple[Any, int]:
        axis = place.axis
        if d is None:
            x, d = broadcast_axis(x, axis.size, 0), 0
        if place.others:
            return _exchange_in_turn(place, move_axis(x, d, 0), split_axis, concat_axis), 0
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


def _exchange_in_turn(place: Place, x: Any, split: int, concat: int) -> Any:
    """An exchange over several axes, the one mapped here (at axis 0 of ``x``) by hand, then the others.

    The axis to split is written as one axis a named axis. The destinations along the one mapped here become the
    batch dim, its sources stay as an axis; the parts for the others go out, and arrive along a new axis.
    """
    before = group_size("all_to_all", place.major)
    x = divide(
        x, split + 1, before, place.axis.size
    )  # source, ..., before, destination, after and the part, ...
    x = fold(move_axis(x, split + 2, 0), split + 2)  # destination, source, ..., before and after and the part
    x = expand_dims(x, (1,))
    x = all_to_all_p.bind(
        x,
        axis_name=place.others,
        split_axis=split + 3,
        concat_axis=1,
        axis_index_groups=None,
        tiled=True,
    )
    x = divide(x, 1, before)  # destination, before, after, source, ...
    x = fold(fold(move_axis(x, 3, 2), 1), 1)  # destination, before and source and after, ...
    return fold(move_axis(x, 1, concat + 1), concat + 1)


all_to_all_p = AllToAll()
