"""Repeating elements, and the adjoint of that: broadcasting and summation over axes."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from jaxlab import dtypes
from jaxlab.core.aval import ShapedArray, Zero, aval_of
from jaxlab.core.primitive import Example, Primitive
from jaxlab.core.refs import is_ref
from jaxlab.primitives.reshaping import (
    F32,
    I32,
    Linear,
    canonical_axis,
    canonical_shape,
    check_axes,
    drop_axes,
    move_axis,
    reshape,
    shift_axes,
    transpose,
    word_shape,
    zero_ct,
)

__all__ = [
    "F32", "I32", "Linear", "broadcast", "broadcast_axis", "broadcast_in_dim", "broadcast_in_dim_p",
    "broadcast_shapes", "broadcast_to", "broadcast_to_rank", "check_axes", "drop_axes", "expand_dims",
    "instantiate", "move_axis", "reduce_sum", "reduce_sum_p", "reshape", "shift_axes", "squeeze",
    "squeeze_p", "transpose", "unbroadcast", "zero_ct", "zeros_like_aval",
]  # fmt: skip

# -- broadcast_in_dim ---------------------------------------------------------------------------------------


def broadcast_in_dim(
    operand: Any, shape: Sequence[int], broadcast_dimensions: Sequence[int], *, out_sharding: Any = None
) -> Any:
    """``operand`` repeated into ``shape``; its axis ``i`` becomes axis ``broadcast_dimensions[i]``.

    An axis of size 1 is repeated. Raises TypeError where the axes do not fit or are not in ascending order.

    >>> broadcast_in_dim(np.arange(3), (2, 3), (1,)).shape
    (2, 3)
    """
    shape = canonical_shape("broadcast_in_dim", shape)
    broadcast_dimensions = tuple(broadcast_dimensions)
    if (
        out_sharding is None
        and broadcast_dimensions == tuple(range(len(shape)))
        and aval_of(operand).shape == shape
    ):
        return operand
    return broadcast_in_dim_p.bind(
        operand, shape=shape, broadcast_dimensions=broadcast_dimensions, sharding=out_sharding
    )


class BroadcastInDim(Linear):
    name = "broadcast_in_dim"

    def printed(self, params: dict[str, Any]) -> dict[str, Any]:
        """The shape stands in the type of the result."""
        shown = {name: params[name] for name in ("broadcast_dimensions", "sharding")}
        return {name: value for name, value in shown.items() if value}

    def abstract_eval(self, x: Any, *, shape: Any, broadcast_dimensions: Any, sharding: Any) -> ShapedArray:
        if len(broadcast_dimensions) != len(x.shape):
            raise TypeError(
                f"broadcast_in_dim: broadcast_dimensions {broadcast_dimensions} has"
                f" {len(broadcast_dimensions)} entries, but the operand {x.str_short()} has {len(x.shape)}"
                " axes"
            )
        if any(a >= b for a, b in itertools.pairwise(broadcast_dimensions)):
            raise TypeError(
                f"broadcast_in_dim: broadcast_dimensions {broadcast_dimensions} were given, but they must be"
                " strictly ascending; transpose the operand first"
            )
        for size, dim in zip(x.shape, broadcast_dimensions, strict=True):
            if not 0 <= dim < len(shape) or size not in (1, shape[dim]):
                raise TypeError(
                    f"broadcast_in_dim: the operand {x.str_short()} does not fit into shape {shape} "
                    f"with broadcast_dimensions {broadcast_dimensions}"
                )
        return ShapedArray(shape, x.dtype, x.weak_type)

    def lower(self, ctx: Any, x: Any, *, shape: Any, broadcast_dimensions: Any, sharding: Any) -> Any:
        dtype = ctx.eqn.outvars[0].aval.dtype
        words = range(len(shape), len(shape) + len(word_shape(dtype)))
        return ctx.b.broadcast(x, shape, dtype, (*broadcast_dimensions, *words))

    def transpose(self, ct: Any, x: Any, *, shape: Any, broadcast_dimensions: Any, sharding: Any) -> Any:
        if zero_ct(ct):
            return [None]
        unit = [i for i, size in enumerate(x.aval.shape) if size == 1]
        kept = {dim for i, dim in enumerate(broadcast_dimensions) if i not in unit}
        return [expand_dims(reduce_sum(ct, [i for i in range(len(shape)) if i not in kept]), unit)]

    def batch(
        self, size: int, args: Any, dims: Any, *, shape: Any, broadcast_dimensions: Any, sharding: Any
    ) -> Any:
        (x,), (dim,) = args, dims
        x = move_axis(x, dim, 0)
        new_dims = (0, *(d + 1 for d in broadcast_dimensions))
        return broadcast_in_dim(x, (size, *shape), new_dims), 0

    def reference(self, x: Any, *, shape: Any, broadcast_dimensions: Any, sharding: Any) -> Any:
        full = [1] * len(shape)
        for size, dim in zip(x.shape, broadcast_dimensions, strict=True):
            full[dim] = size
        return np.broadcast_to(x.reshape(full), shape)

    def examples(self) -> Iterable[Example]:
        cases: list[tuple[Any, Any, Any]] = [
            ((), (2, 3), ()),
            ((3,), (2, 3), (1,)),
            ((2, 1), (2, 4, 3), (0, 2)),
        ]
        for shape, result, dims in [*cases, ((1, 2), (1, 2, 3), (0, 1)), ((0, 3), (0, 3, 2), (0, 1))]:
            yield Example(
                (ShapedArray(shape, F32),), {"shape": result, "broadcast_dimensions": dims, "sharding": None}
            )


broadcast_in_dim_p = BroadcastInDim()


def broadcast(operand: Any, sizes: Sequence[int], *, out_sharding: Any = None) -> Any:
    """``operand`` repeated along new leading axes of ``sizes``.

    >>> broadcast(np.zeros(3, np.float32), (2,)).shape
    (2, 3)
    """
    if not sizes:
        return operand
    shape = (*sizes, *aval_of(operand).shape)
    return broadcast_in_dim(operand, shape, range(len(sizes), len(shape)), out_sharding=out_sharding)


def broadcast_to_rank(x: Any, rank: int) -> Any:
    """``x`` with leading axes of size 1 up to ``rank`` axes; ``x`` itself where it has as many.

    >>> broadcast_to_rank(np.zeros(3, np.float32), 3).shape
    (1, 1, 3)
    """
    missing = rank - len(aval_of(x).shape)
    return x if missing <= 0 else expand_dims(x, range(missing))


def broadcast_shapes(*shapes: Sequence[int]) -> tuple[int, ...]:
    """The shape to which arrays of ``shapes`` broadcast together.

    Raises ValueError where they do not, and TypeError for what is no shape.

    >>> broadcast_shapes((3,), (2, 1))
    (2, 3)
    """
    known = [canonical_shape("broadcast_shapes", shape) for shape in shapes]
    rank = max((len(shape) for shape in known), default=0)
    result = []
    for sizes in zip(*[(1,) * (rank - len(shape)) + shape for shape in known], strict=True):
        different = {size for size in sizes if size != 1}
        if len(different) > 1:
            raise ValueError(f"Incompatible shapes for broadcasting: {', '.join(map(str, known))}")
        result.append(different.pop() if different else 1)
    return tuple(result)


def expand_dims(array: Any, dimensions: Sequence[int]) -> Any:
    """``array`` with new axes of size 1 at the places ``dimensions`` of the result.

    >>> expand_dims(np.zeros((3,), np.float32), (0, 2)).shape
    (1, 3, 1)
    """
    shape = aval_of(array).shape
    ndim = len(shape) + len(dimensions)
    for d in dimensions:
        if not -ndim <= d < ndim:
            raise ValueError(f"expand_dims: axis {d} is out of bounds for a result with {ndim} axes")
    new = {d % ndim for d in dimensions}
    if len(new) != len(dimensions):
        raise ValueError(
            f"expand_dims: dimensions {tuple(dimensions)} name an axis twice; give each axis once"
        )
    if not new:
        return array
    sizes = iter(shape)
    result = tuple([1 if i in new else next(sizes) for i in range(ndim)])
    return broadcast_in_dim(array, result, tuple([i for i in range(ndim) if i not in new]))


def squeeze(array: Any, dimensions: Sequence[int]) -> Any:
    """``array`` without the axes ``dimensions``, each of size 1; negative ones count from the end.

    >>> squeeze(np.zeros((1, 3), np.float32), (0,)).shape
    (3,)
    """
    ndim = len(aval_of(array).shape)
    dimensions = tuple(sorted([canonical_axis("squeeze", d, ndim) for d in dimensions]))
    return squeeze_p.bind(array, dimensions=dimensions) if dimensions else array


class Squeeze(Linear):
    name = "squeeze"

    def abstract_eval(self, x: Any, *, dimensions: Any) -> ShapedArray:
        check_axes("squeeze", x, dimensions)
        for d in dimensions:
            if x.shape[d] != 1:
                raise ValueError(
                    f"squeeze: axis {d} of the operand {x.str_short()} has size {x.shape[d]}, but only an"
                    " axis of size 1 can be dropped"
                )
        return ShapedArray(drop_axes(x.shape, dimensions), x.dtype, x.weak_type)

    def lower(self, ctx: Any, x: Any, *, dimensions: Any) -> Any:
        b = ctx.b
        return b.plain("stablehlo.reshape", b.type(ctx.eqn.outvars[0].aval), (x,))

    def transpose(self, ct: Any, x: Any, *, dimensions: Any) -> Any:
        return [None if zero_ct(ct) else expand_dims(ct, dimensions)]

    def batch(self, size: int, args: Any, dims: Any, *, dimensions: Any) -> Any:
        (x,), (dim,) = args, dims
        return squeeze(move_axis(x, dim, 0), [d + 1 for d in dimensions]), 0

    def reference(self, x: Any, *, dimensions: Any) -> Any:
        return np.squeeze(x, dimensions)

    def examples(self) -> Iterable[Example]:
        yield Example((ShapedArray((1, 3, 1), F32),), {"dimensions": (0, 2)})
        yield Example((ShapedArray((2, 1), F32),), {"dimensions": (1,)})


squeeze_p = Squeeze()


# -- reduce_sum, its adjoint --------------------------------------------------------------------------------


def reduce_sum(operand: Any, axes: Sequence[int], *, out_sharding: Any = None) -> Any:
    """The sum over ``axes``, which disappear.

    >>> reduce_sum(np.ones((2, 3), np.float32), (0,)).shape
    (3,)
    """
    axes = tuple(axes)
    if not axes:
        return operand
    return reduce_sum_p.bind(operand, axes=axes, out_sharding=out_sharding)


class ReduceSum(Linear):
    name = "reduce_sum"

    def abstract_eval(self, x: Any, *, axes: Any, out_sharding: Any) -> ShapedArray:
        check_axes("reduce_sum", x, axes)
        if not dtypes.issubdtype(x.dtype, np.number):
            raise TypeError(
                f"reduce_sum does not accept dtype {dtypes.short_name(x.dtype)}; convert the operand to a"
                " number dtype"
            )
        return ShapedArray(drop_axes(x.shape, axes), x.dtype, x.weak_type)

    def lower(self, ctx: Any, x: Any, *, axes: Any, out_sharding: Any) -> Any:
        return lower_reduction(ctx, x, axes, "stablehlo.add", 0)

    def transpose(self, ct: Any, x: Any, *, axes: Any, out_sharding: Any) -> Any:
        if zero_ct(ct):
            return [None]
        kept = tuple(i for i in range(len(x.aval.shape)) if i not in axes)
        return [broadcast_in_dim(ct, x.aval.shape, kept)]

    def batch(self, size: int, args: Any, dims: Any, *, axes: Any, out_sharding: Any) -> Any:
        return batch_reduction(self, args, dims, axes=axes, out_sharding=out_sharding)

    def reference(self, x: Any, *, axes: Any, out_sharding: Any) -> Any:
        return np.sum(x, axes, dtype=x.dtype)

    def examples(self) -> Iterable[Example]:
        for shape, axes in (((2, 3, 4), (0, 2)), ((3,), (0,)), ((0, 3), (0,)), ((2, 3), (1,))):
            yield Example((ShapedArray(shape, F32),), {"axes": axes, "out_sharding": None})
        yield Example((ShapedArray((2, 3), I32),), {"axes": (1,), "out_sharding": None}, differentiate=False)


def batch_reduction(
    primitive: Primitive, args: Any, dims: Any, *, axes: Any, **params: Any
) -> tuple[Any, int]:
    """The batch rule of a reduction over ``axes``: shift the axes, and see where the mapped one goes."""
    (x,), (dim,) = args, dims
    shifted = shift_axes(axes, dim)
    return primitive.bind(x, axes=shifted, **params), dim - sum(axis < dim for axis in shifted)


def lower_reduction(ctx: Any, x: Any, axes: Sequence[int], op: str, init: Any) -> Any:
    """``stablehlo.reduce`` by a binary operation."""
    b, aval = ctx.b, ctx.eqn.invars[0].aval
    return b.reduce(op, x, b.constant(init, aval.dtype), aval.shape, aval.dtype, tuple(axes))


reduce_sum_p = ReduceSum()


# -- what the interpreters need -----------------------------------------------------------------------------


def broadcast_axis(x: Any, size: int, dim: int) -> Any:
    """``x`` repeated along a new axis."""
    shape = aval_of(x).shape
    new_shape = (*shape[:dim], size, *shape[dim:])
    return broadcast_in_dim(x, new_shape, tuple(i for i in range(len(new_shape)) if i != dim))


def broadcast_to(x: Any, shape: tuple[int, ...]) -> Any:
    """``x`` of rank 0, or of the rank of ``shape`` with sizes 1, repeated into ``shape``."""
    own = aval_of(x).shape
    if own == shape:
        return x
    return broadcast_in_dim(x, shape, tuple(range(len(shape))) if own else ())


def unbroadcast(ct: Any, aval: ShapedArray) -> Any:
    """The adjoint of `broadcast_to`: sum what was repeated."""
    shape = aval_of(ct).shape
    if shape == aval.shape:
        return ct
    if not aval.shape:
        return reduce_sum(ct, range(len(shape)))
    repeated = [i for i, (a, b) in enumerate(zip(aval.shape, shape, strict=True)) if a != b]
    return reshape(reduce_sum(ct, repeated), aval.shape)


def zeros_like_aval(aval: ShapedArray) -> Any:
    """An array of zeros of a type, or of that in a reference (``float0`` tangents are NumPy arrays)."""
    if is_ref(aval):
        aval = aval.inner_aval  # type: ignore[attr-defined]
    if aval.dtype == dtypes.float0:
        return np.zeros(aval.shape, aval.dtype)
    zero = np.zeros((), aval.dtype)[()]
    if aval.weak_type:
        zero = zero.item()
    return broadcast_in_dim(zero, aval.shape, ()) if aval.shape else zero


def instantiate(tangent: Any) -> Any:
    """A tangent as an array, also when it is a symbolic zero."""
    return zeros_like_aval(tangent.aval) if type(tangent) is Zero else tangent
