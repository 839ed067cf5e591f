"""Bringing the slices of a named axis together, and its adjoint: all_gather and the scattered sum."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from jaxlab import tree
from jaxlab.core.aval import ShapedArray, aval_of
from jaxlab.core.primitive import Example
from jaxlab.primitives.arithmetic import mul
from jaxlab.primitives.broadcasting import broadcast_axis, move_axis, reduce_sum, zero_ct
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
from jaxlab.primitives.elementwise import scalar_like
from jaxlab.primitives.reshaping import F32, I32, Linear, canonical_axis, insert, reshape

KINDS = ("varying", "invarying", "reduced")


def all_gather(
    x: Any,
    axis_name: Any,
    *,
    axis_index_groups: Sequence[Sequence[int]] | None = None,
    axis: int = 0,
    tiled: bool = False,
    to: str = "varying",
) -> Any:
    """All slices along a named axis, stacked along a new axis, the same for each slice.

    Args:
      x: a pytree of arrays.
      axis_name: a name, or a tuple of names: then slices come in row-major order.
      axis_index_groups: lists of indices along the axis, of one length: those of one's own are gathered.
      axis: where the new axis is in the result.
      tiled: concatenate along the existing axis ``axis`` instead of stacking.
      to: what the result is to the types of a device mesh; along the axes that vmap maps all are the same.

    Raises:
      NameError: if there is no axis of that name.
      ValueError: if ``axis`` is out of bounds.

    >>> vmap(lambda x: x == all_gather(x, "i"), axis_name="i")(np.array([1, 3]))
    Array([[ True, False],
           [False,  True]], dtype=bool)
    """
    if to not in KINDS:
        raise ValueError(f"all_gather: to is {to!r}, but it must be one of {', '.join(map(repr, KINDS))}")
    names = axis_names(axis_name)
    if not names:
        return x
    groups = index_groups(axis_index_groups)
    size = group_size("all_gather", names, groups)

    def gather(leaf: Any) -> Any:
        ndim = len(aval_of(leaf).shape) + (not tiled)
        return all_gather_p.bind(
            leaf,
            all_gather_dimension=canonical_axis("all_gather", axis, ndim),
            axis_name=names,
            axis_index_groups=groups,
            axis_size=size,
            tiled=tiled,
        )

    return tree.map(gather, x)


def psum_scatter(
    x: Any,
    axis_name: Any,
    *,
    scatter_dimension: int = 0,
    axis_index_groups: Sequence[Sequence[int]] | None = None,
    tiled: bool = False,
) -> Any:
    """The sum over all slices along a named axis, of which each slice keeps its own part.

    Args:
      x: a pytree of arrays.
      axis_name: a name, or a tuple of names: then parts are given out in row-major order.
      scatter_dimension: the axis of ``x`` that is given out; it has the size of the named axis, and disappears.
      axis_index_groups: lists of indices along the axis, of one length: the sum is over one's own list.
      tiled: divide the axis into equal parts instead; it stays.

    Raises:
      NameError: if there is no axis of that name.
      ValueError: if the axis does not have that size, or cannot be divided.

    >>> vmap(lambda x: psum_scatter(x, "i"), axis_name="i")(np.array([[1, 2], [3, 4]]))
    Array([4, 6], dtype=int32)
    """
    names = axis_names(axis_name)
    if not names:
        return x
    groups = index_groups(axis_index_groups)
    size = group_size("psum_scatter", names, groups)

    def scatter(leaf: Any) -> Any:
        dimension = axis_of("psum_scatter", scatter_dimension, leaf)
        _check_scatter(aval_of(leaf), dimension, names, size, tiled)
        return reduce_scatter_p.bind(
            leaf,
            axis_name=names,
            scatter_dimension=dimension,
            axis_index_groups=groups,
            axis_size=size,
            tiled=tiled,
        )

    return tree.map(scatter, x)


def _check_scatter(x: ShapedArray, i: int, axis_name: Any, axis_size: int, tiled: bool) -> None:
    check_parts("psum_scatter", f"axis {i}", x.shape[i], x, axis_size, axis_name, tiled, "scatter")


def fold(x: Any, axis: int) -> Any:
    """``x`` with the axis after ``axis`` made a part of it."""
    shape = aval_of(x).shape
    return reshape(x, (*shape[:axis], shape[axis] * shape[axis + 1], *shape[axis + 2 :]))


def divide(x: Any, axis: int, *sizes: int) -> Any:
    """``x`` with an axis written as several: those of ``sizes``, and what is left of it."""
    shape = aval_of(x).shape
    return reshape(x, (*shape[:axis], *sizes, shape[axis] // math.prod(sizes), *shape[axis + 1 :]))


class AllGather(Collective, Linear):
    name = "all_gather"

    def abstract_eval(
        self,
        x: Any,
        *,
        all_gather_dimension: int,
        axis_name: Any,
        axis_index_groups: Any,
        axis_size: int,
        tiled: bool,
    ) -> ShapedArray:
        i = all_gather_dimension
        if tiled:
            shape = (*x.shape[:i], x.shape[i] * axis_size, *x.shape[i + 1 :])
        else:
            shape = insert(x.shape, i, axis_size)
        return ShapedArray(shape, x.dtype, x.weak_type)

    def transpose(self, ct: Any, x: Any, *, all_gather_dimension: int, axis_size: int, **params: Any) -> Any:
        """Each slice is a part of what every slice has got: the sum of the cotangents of that part."""
        if zero_ct(ct):
            return [None]
        return [
            reduce_scatter_p.bind(ct, scatter_dimension=all_gather_dimension, axis_size=axis_size, **params)
        ]

    def beside(
        self, x: Any, d: int, *, all_gather_dimension: int, tiled: bool, **params: Any
    ) -> tuple[Any, int]:
        if d <= all_gather_dimension:
            all_gather_dimension += 1
        elif not tiled:
            d += 1
        return self.bind(x, all_gather_dimension=all_gather_dimension, tiled=tiled, **params), d

    def across(
        self,
        place: Place,
        x: Any,
        d: int | None,
        *,
        all_gather_dimension: int,
        axis_name: Any,
        axis_index_groups: Any,
        axis_size: int,
        tiled: bool,
    ) -> tuple[Any, None]:
        i = all_gather_dimension
        axis, major, minor = place
        if not place.others:
            x = broadcast_axis(x, axis.size, i) if d is None else move_axis(x, d, i)
            return fold(x, i) if tiled else x, None
        x = broadcast_axis(x, axis.size, 0) if d is None else move_axis(x, d, 0)
        for names, place in ((minor, 1), (major, 0)):
            if names:
                x = stack_members(x, names, place)
                x = fold(x, 0)
        x = move_axis(x, 0, i)
        return fold(x, i) if tiled else x, None

    def reference(
        self, x: Any, *, all_gather_dimension: int, axis_name: Any, tiled: bool, **params: Any
    ) -> Any:
        together = np.concatenate if tiled else np.stack
        return each_slice(
            x, axis_names(axis_name), lambda members, own: together(members, all_gather_dimension)
        )

    def examples(self) -> Iterable[Example]:
        i, both = (("i", 3),), (("i", 3), ("j", 2))
        for shape, scope, names, dimension, tiled in (
            ((3, 2), i, ("i",), 0, False),
            ((3, 2), i, ("i",), 1, False),
            ((3,), i, ("i",), 0, False),
            ((3, 2, 4), i, ("i",), 1, True),
            ((3, 2, 4), both, ("j",), 0, False),
            ((3, 2, 4), both, ("i", "j"), 0, True),
            ((3, 2, 4), both, ("j", "i"), 1, False),
        ):
            params = {
                "all_gather_dimension": dimension,
                "axis_name": names,
                "axis_index_groups": None,
                "axis_size": math.prod(dict(scope)[name] for name in names),
                "tiled": tiled,
            }
            yield Example((ShapedArray(shape, F32),), params, axes=scope)
            if not tiled:
                yield Example((ShapedArray(shape, I32),), params, axes=scope, differentiate=False)


class ReduceScatter(Collective, Linear):
    name, function = "reduce_scatter", "psum_scatter"

    def abstract_eval(
        self,
        x: Any,
        *,
        axis_name: Any,
        scatter_dimension: int,
        axis_index_groups: Any,
        axis_size: int,
        tiled: bool,
    ) -> ShapedArray:
        i = scatter_dimension
        _check_scatter(x, i, axis_name, axis_size, tiled)
        rest = (x.shape[i] // axis_size,) if tiled else ()
        return ShapedArray((*x.shape[:i], *rest, *x.shape[i + 1 :]), x.dtype, x.weak_type)

    def transpose(self, ct: Any, x: Any, *, scatter_dimension: int, axis_size: int, **params: Any) -> Any:
        """Each slice's part of the sum has taken from all slices: they all get its cotangent."""
        if zero_ct(ct):
            return [None]
        return [all_gather_p.bind(ct, all_gather_dimension=scatter_dimension, axis_size=axis_size, **params)]

    def beside(
        self, x: Any, d: int, *, scatter_dimension: int, tiled: bool, **params: Any
    ) -> tuple[Any, int]:
        if d <= scatter_dimension:
            scatter_dimension += 1
        elif not tiled:
            d -= 1
        return self.bind(x, scatter_dimension=scatter_dimension, tiled=tiled, **params), d

    def across(
        self,
        place: Place,
        x: Any,
        d: int | None,
        *,
        axis_name: Any,
        scatter_dimension: int,
        axis_index_groups: Any,
        axis_size: int,
        tiled: bool,
    ) -> tuple[Any, int]:
        i = scatter_dimension
        axis = place.axis
        x = mul(x, scalar_like(x, axis.size)) if d is None else reduce_sum(x, (d,))
        if not place.others:
            return divide(x, i, axis.size) if tiled else x, i
        # One's own part of the parts for each of the others, which are then given out among those.
        before = group_size("psum_scatter", place.major)
        x = move_axis(divide(x, i, before, axis.size), i + 1, 0)
        x = self.bind(
            fold(x, i + 1),
            axis_name=place.others,
            scatter_dimension=i + 1,
            axis_index_groups=None,
            axis_size=axis_size // axis.size,
            tiled=tiled,
        )
        return x, 0

    def reference(
        self, x: Any, *, axis_name: Any, scatter_dimension: int, axis_size: int, tiled: bool, **params: Any
    ) -> Any:
        def part(members: list[Any], own: int) -> Any:
            parts = np.split(np.sum(members, 0, dtype=x.dtype), axis_size, scatter_dimension)
            return parts[own] if tiled else np.squeeze(parts[own], scatter_dimension)

        return each_slice(x, axis_names(axis_name), part)

    def examples(self) -> Iterable[Example]:
        i, both = (("i", 3),), (("i", 3), ("j", 2))
        for shape, scope, names, dimension, tiled in (
            ((3, 3), i, ("i",), 0, False),
            ((3, 2, 3), i, ("i",), 1, False),
            ((3, 6, 2), i, ("i",), 0, True),
            ((3, 2, 2), both, ("j",), 0, False),
            ((3, 2, 6), both, ("i", "j"), 0, False),
            ((3, 2, 2, 12), both, ("j", "i"), 1, True),
        ):
            params = {
                "axis_name": names,
                "scatter_dimension": dimension,
                "axis_index_groups": None,
                "axis_size": math.prod(dict(scope)[name] for name in names),
                "tiled": tiled,
            }
            yield Example((ShapedArray(shape, F32),), params, axes=scope)


all_gather_p = AllGather()
reduce_scatter_p = ReduceScatter()


def stack_members(x: Any, names: tuple[Any, ...], place: int) -> Any:
    """The slices of ``x`` along named axes, stacked along a new axis at ``place``."""
    size = group_size("all_gather", names)
    return all_gather_p.bind(
        x, all_gather_dimension=place, axis_name=names, axis_index_groups=None, axis_size=size, tiled=False
    )
