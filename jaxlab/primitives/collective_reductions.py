"""Reductions across named axes: every slice gets the sum, mean, or extreme of all."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from jaxlab import dtypes, tree
from jaxlab.core.aval import ShapedArray, Zero, aval_of, is_inexact
from jaxlab.core.primitive import Example, Primitive
from jaxlab.core.trace import Tracer
from jaxlab.primitives.arithmetic import div, mul
from jaxlab.primitives.broadcasting import broadcast_in_dim, move_axis, reduce_sum_p, zero_ct
from jaxlab.primitives.collectives import (
    Collective,
    Groups,
    Place,
    axis_names,
    each_slice,
    group_size,
    index_groups,
)
from jaxlab.primitives.comparison import eq
from jaxlab.primitives.conversion import convert_element_type
from jaxlab.primitives.elementwise import scalar_like
from jaxlab.primitives.reduction import reduce_max_p, reduce_min_p
from jaxlab.primitives.reshaping import F32, I32, canonical_axis, reshape


def psum(x: Any, axis_name: Any, *, axis_index_groups: Sequence[Sequence[int]] | None = None) -> Any:
    """The sum of ``x`` over all slices along a named axis, the same for each slice.

    Args:
      x: a pytree of arrays; truth values are counted as integers.
      axis_name: a name, or a tuple of names to sum over all of them; an int among them is an axis of ``x``.
      axis_index_groups: lists of indices along the axis, each index in one of them: the sum is over those in
        one's own list.

    Returns:
      A pytree like ``x``. What is not traced is multiplied by the number of slices, so ``psum(1, "i")`` is
      the size of the axis as a Python int.

    Raises:
      NameError: if there is no axis of that name.
      ValueError: if the groups do not cover each index once.

    >>> vmap(lambda x: x / psum(x, "i"), axis_name="i")(np.array([1.0, 3.0], np.float32))
    Array([0.25, 0.75], dtype=float32)
    """
    axes = axis_names(axis_name)
    groups = _groups("psum", axes, axis_index_groups)
    if not axes:
        return x

    def total(leaf: Any) -> Any:
        if aval_of(leaf).dtype == np.bool_:
            leaf = convert_element_type(leaf, np.int32)
        if isinstance(leaf, Tracer):
            return _bind(psum_p, leaf, axes, groups)
        size = group_size("psum", [axis for axis in axes if not isinstance(axis, int)], groups)
        return _times(size, _summed(leaf, axes))

    return tree.map(total, x)


def pmean(x: Any, axis_name: Any, *, axis_index_groups: Sequence[Sequence[int]] | None = None) -> Any:
    """The mean of ``x`` over all slices along a named axis, the same for each slice.

    Args:
      x: a pytree of arrays; means of integers are floating-point numbers.
      axis_name: a name, or a tuple of names.
      axis_index_groups: lists of indices along the axis, as in `psum`.

    Raises:
      NameError: if there is no axis of that name.

    >>> vmap(lambda x: x - pmean(x, "i"), axis_name="i")(np.array([1.0, 3.0], np.float32))
    Array([-1.,  1.], dtype=float32)
    """
    total = psum(x, axis_name, axis_index_groups=axis_index_groups)
    size = psum(1, axis_name, axis_index_groups=axis_index_groups)
    return tree.map(lambda leaf: _over(leaf, size), total)


def pmax(x: Any, axis_name: Any, *, axis_index_groups: Sequence[Sequence[int]] | None = None) -> Any:
    """The largest value of ``x`` among all slices along a named axis, element by element.

    Args:
      x: a pytree of arrays.
      axis_name: a name, or a tuple of names.
      axis_index_groups: lists of indices along the axis, as in `psum`.

    Raises:
      NameError: if there is no axis of that name.

    >>> vmap(lambda x: pmax(x, "i"), axis_name="i")(np.array([1, 3, 2]))
    Array([3, 3, 3], dtype=int32)
    """
    return _extreme(pmax_p, x, axis_name, axis_index_groups)


def pmin(x: Any, axis_name: Any, *, axis_index_groups: Sequence[Sequence[int]] | None = None) -> Any:
    """The smallest value of ``x`` among all slices along a named axis, element by element.

    Args:
      x: a pytree of arrays.
      axis_name: a name, or a tuple of names.
      axis_index_groups: lists of indices along the axis, as in `psum`.

    Raises:
      NameError: if there is no axis of that name.

    >>> vmap(lambda x: pmin(x, "i"), axis_name="i")(np.array([1, 3, 2]))
    Array([1, 1, 1], dtype=int32)
    """
    return _extreme(pmin_p, x, axis_name, axis_index_groups)


def _extreme(primitive: AllReduce, x: Any, axis_name: Any, axis_index_groups: Any) -> Any:
    axes = axis_names(axis_name)
    groups = _groups(primitive.name, axes, axis_index_groups)
    return tree.map(lambda leaf: _bind(primitive, leaf, axes, groups), x)


def _groups(op: str, axes: tuple[Any, ...], axis_index_groups: Any) -> Groups | None:
    groups = index_groups(axis_index_groups)
    if groups is None:
        return None
    if any(isinstance(axis, int) for axis in axes):
        raise ValueError(
            f"{op}: axis_index_groups were given with the positional axes in {axes}, but groups are of indices "
            "along one named axis; reduce over the positional axes first"
        )
    indices = [i for group in groups for i in group]
    if set(indices) != set(range(len(indices))):
        raise ValueError(
            f"{op}: axis_index_groups {list(map(list, groups))} were given, but they must have each index from 0 "
            f"to {len(indices) - 1} once"
        )
    return groups


def _bind(primitive: AllReduce, leaf: Any, axes: tuple[Any, ...], groups: Groups | None) -> Any:
    return primitive.bind(leaf, axes=_counted(primitive.name, leaf, axes), axis_index_groups=groups)


def _counted(op: str, leaf: Any, axes: tuple[Any, ...]) -> tuple[Any, ...]:
    """The axes, positional ones counted from the front."""
    ndim = len(aval_of(leaf).shape)
    return tuple([canonical_axis(op, axis, ndim) if isinstance(axis, int) else axis for axis in axes])


def _summed(leaf: Any, axes: tuple[Any, ...]) -> Any:
    positional = tuple([axis for axis in _counted("psum", leaf, axes) if isinstance(axis, int)])
    return reduce_sum_p.bind(leaf, axes=positional, out_sharding=None) if positional else leaf


def _times(size: int, leaf: Any) -> Any:
    """A constant ``size`` times; numbers and NumPy arrays stay what they are."""
    if isinstance(leaf, (int, float, complex)):
        return type(leaf)(size) * leaf
    factor = scalar_like(leaf, size)
    return factor * leaf if isinstance(leaf, (np.ndarray, np.generic)) else mul(factor, leaf)


def _over(leaf: Any, size: int) -> Any:
    """True division by a count; numbers and NumPy arrays stay what they are."""
    if isinstance(leaf, (int, float, complex)):
        return leaf / size
    if not is_inexact(aval_of(leaf).dtype):
        leaf = convert_element_type(leaf, dtypes.python_scalar_dtype(float))
    elif isinstance(leaf, (np.ndarray, np.generic)):
        return leaf / scalar_like(leaf, size)
    return div(leaf, scalar_like(leaf, size))


class AllReduce(Collective):
    """A reduction across named axes, and along positional ones that an outer transformation has made of them.

    Args:
      along: the same reduction over positional axes.
      combine: the NumPy function of two arrays that it repeats.
    """

    def __init__(self, name: str, along: Primitive, combine: np.ufunc, **fixed: Any) -> None:
        self.along = along
        self.combine = combine
        self.fixed = fixed
        super().__init__(name)

    def names(self, params: dict[str, Any]) -> tuple[Any, ...]:
        return tuple([axis for axis in params["axes"] if not isinstance(axis, int)])

    def abstract_eval(self, x: Any, *, axes: Any, axis_index_groups: Any) -> ShapedArray:
        aval: ShapedArray = self.along.abstract_eval(x, axes=_positional(axes), **self.fixed)
        return aval.strip_weak_type()

    def lower(self, ctx: Any, x: Any, *, axes: Any, axis_index_groups: Any) -> Any:
        self.alone({"axes": axes})
        positional = _positional(axes)
        return self.along.lower(ctx, x, axes=positional, **self.fixed) if positional else x

    def beside(self, x: Any, d: int, *, axes: Any, axis_index_groups: Any) -> tuple[Any, int]:
        if _positional(axes):
            x, d, axes = move_axis(x, d, 0), 0, _shifted(axes)
        return self.bind(x, axes=axes, axis_index_groups=axis_index_groups), d

    def across(
        self, place: Place, x: Any, d: int | None, *, axes: Any, axis_index_groups: Any
    ) -> tuple[Any, int | None]:
        name, size = place.axis.name, place.axis.size
        if d is None:
            axes = tuple([a for a in axes if a != name])
            return self.repeated(self.bind(x, axes=axes, axis_index_groups=None) if axes else x, size), None
        axes = tuple([0 if a == name else a for a in _shifted(axes)])
        return self.bind(move_axis(x, d, 0), axes=axes, axis_index_groups=None), None

    def repeated(self, x: Any, size: int) -> Any:
        """The reduction of as many values that are all the same."""
        return x

    def reference(self, x: Any, *, axes: Any, axis_index_groups: Any) -> Any:
        def reduced(members: list[Any], own: int) -> Any:
            whole = self.combine.reduce(np.stack(members), axis=0, dtype=x.dtype)
            return self.combine.reduce(whole, axis=_positional(axes), dtype=x.dtype)

        return each_slice(x, self.names({"axes": axes}), reduced)

    def examples(self) -> Iterable[Example]:
        for aval, scope, axes in (
            (ShapedArray((3, 2), F32), (("i", 3),), ("i",)),
            (ShapedArray((3,), F32), (("i", 3),), ("i",)),
            (ShapedArray((3, 2, 4), F32), (("i", 3),), ("i", 1)),
            (ShapedArray((3, 2, 4), F32), (("i", 3), ("j", 2)), ("j", "i")),
            (ShapedArray((3, 2, 4), F32), (("i", 3), ("j", 2)), ("i",)),
            (ShapedArray((3, 2), I32), (("i", 3),), ("i",)),
        ):
            yield Example((aval,), {"axes": axes, "axis_index_groups": None}, axes=scope)


def _positional(axes: tuple[Any, ...]) -> tuple[int, ...]:
    return tuple([axis for axis in axes if isinstance(axis, int)])


def _shifted(axes: tuple[Any, ...]) -> tuple[Any, ...]:
    """The axes when a mapped one comes before all positional ones."""
    return tuple([axis + 1 if isinstance(axis, int) else axis for axis in axes])


class PSum(AllReduce):
    linear_in = (0,)

    def repeated(self, x: Any, size: int) -> Any:
        return mul(scalar_like(x, size), x)

    def jvp(self, primals: Sequence[Any], tangents: Sequence[Any], **params: Any) -> tuple[Any, Any]:
        (x,), (t,) = primals, tangents
        out = self.bind(x, **params)
        if type(t) is Zero:
            return out, Zero(aval_of(out).to_tangent_aval())
        return out, self.bind(t, **params)

    def transpose(self, ct: Any, x: Any, *, axes: Any, axis_index_groups: Any) -> Any:
        """Each slice has gone into the sums of all, so cotangents are summed too.

        Along a positional axis only one slice has taken the sum, and its cotangent is repeated.
        """
        if zero_ct(ct):
            return [None]
        positional = _positional(axes)
        if positional:
            kept = [i for i in range(len(x.aval.shape)) if i not in positional]
            ct = broadcast_in_dim(ct, x.aval.shape, kept)
        return [self.bind(ct, axes=self.names({"axes": axes}), axis_index_groups=axis_index_groups)]


class PExtreme(AllReduce):
    """Maximum or minimum; slices with equal extreme elements share the derivative."""

    def jvp(
        self, primals: Sequence[Any], tangents: Sequence[Any], *, axes: Any, axis_index_groups: Any
    ) -> tuple[Any, Any]:
        (x,), (t,) = primals, tangents
        out = self.bind(x, axes=axes, axis_index_groups=axis_index_groups)
        if type(t) is Zero:
            return out, Zero(aval_of(out).to_tangent_aval())
        aval, positional = aval_of(x), _positional(axes)
        kept = tuple([1 if i in positional else size for i, size in enumerate(aval.shape)])
        places = convert_element_type(eq(x, reshape(out, kept)), aval.dtype)
        params = {"axes": axes, "axis_index_groups": axis_index_groups}
        return out, div(psum_p.bind(mul(t, places), **params), psum_p.bind(places, **params))


psum_p = PSum("psum", reduce_sum_p, np.add, out_sharding=None)
pmax_p = PExtreme("pmax", reduce_max_p, np.maximum)
pmin_p = PExtreme("pmin", reduce_min_p, np.minimum)
