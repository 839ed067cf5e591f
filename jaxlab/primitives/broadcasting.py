"""Shape changes that keep every element: broadcasting and its adjoint, reshape, transpose, squeeze, reverse."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from jaxlab.core.aval import ShapedArray, Zero, aval_of
from jaxlab.core.primitive import Example, Primitive

F32 = np.dtype(np.float32)
I32 = np.dtype(np.int32)


class Linear(Primitive):
    """A primitive linear in its first operand and with no other: the tangent goes the way of the value."""

    linear_in = (0,)

    def jvp(self, primals: Sequence[Any], tangents: Sequence[Any], **params: Any) -> tuple[Any, Any]:
        (x,), (t,) = primals, tangents
        out = self.bind(x, **params)
        if type(t) is Zero:
            return out, Zero(aval_of(out).to_tangent_aval())
        return out, self.bind(t, **params)


def zero_ct(ct: Any) -> bool:
    """Whether a cotangent is a symbolic zero."""
    return type(ct) is Zero


# -- broadcast_in_dim and reduce_sum -------------------------------------------------------------------------------------


def broadcast_in_dim(x: Any, shape: Sequence[int], broadcast_dimensions: Sequence[int]) -> Any:
    """``x`` repeated into ``shape``; axis ``i`` of ``x`` becomes axis ``broadcast_dimensions[i]``.

    >>> broadcast_in_dim(np.arange(3), (2, 3), (1,)).shape
    (2, 3)
    """
    shape = tuple(shape)
    broadcast_dimensions = tuple(broadcast_dimensions)
    if aval_of(x).shape == shape and broadcast_dimensions == tuple(range(len(shape))):
        return x
    return broadcast_in_dim_p.bind(x, shape=shape, broadcast_dimensions=broadcast_dimensions, sharding=None)


class BroadcastInDim(Linear):
    name = "broadcast_in_dim"

    def printed(self, params: dict[str, Any]) -> dict[str, Any]:
        dims = params["broadcast_dimensions"]
        return {"broadcast_dimensions": dims} if dims else {}

    def abstract_eval(self, x: Any, *, shape: Any, broadcast_dimensions: Any, sharding: Any) -> ShapedArray:
        if len(broadcast_dimensions) != len(x.shape):
            raise TypeError(
                f"broadcast_in_dim: broadcast_dimensions {broadcast_dimensions} has {len(broadcast_dimensions)} entries, "
                f"but the operand {x.str_short()} has {len(x.shape)} axes"
            )
        for size, dim in zip(x.shape, broadcast_dimensions, strict=True):
            if not 0 <= dim < len(shape) or size not in (1, shape[dim]):
                raise TypeError(
                    f"broadcast_in_dim: the operand {x.str_short()} does not fit into shape {shape} "
                    f"with broadcast_dimensions {broadcast_dimensions}"
                )
        return ShapedArray(shape, x.dtype, x.weak_type)

    def lower(self, ctx: Any, x: Any, *, shape: Any, broadcast_dimensions: Any, sharding: Any) -> Any:
        return ctx.b.broadcast(x, shape, ctx.aval_out.dtype, broadcast_dimensions)

    def transpose(self, ct: Any, x: Any, *, shape: Any, broadcast_dimensions: Any, sharding: Any) -> Any:
        if zero_ct(ct):
            return [None]
        repeated = [
            dim
            for dim in range(len(shape))
            if dim not in broadcast_dimensions
            or x.aval.shape[broadcast_dimensions.index(dim)] != shape[dim]
        ]
        return [reshape(reduce_sum(ct, repeated), x.aval.shape)]

    def batch(self, size: int, args: Any, dims: Any, *, shape: Any, broadcast_dimensions: Any, sharding: Any) -> Any:
        (x,), (dim,) = args, dims
        x = move_axis(x, dim, 0)
        new_dims = (0, *(d + 1 for d in broadcast_dimensions))
        return broadcast_in_dim(x, (size, *shape), new_dims), 0

    def reference(self, x: Any, *, shape: Any, broadcast_dimensions: Any, sharding: Any) -> Any:
        full = [1] * len(shape)
        for size, dim in zip(x.shape, broadcast_dimensions, strict=True):
            full[dim] = size
        order = np.argsort(broadcast_dimensions) if len(broadcast_dimensions) else ()
        return np.broadcast_to(np.transpose(x, order).reshape(full), shape)

    def examples(self) -> Iterable[Example]:
        yield Example((ShapedArray((), F32),), dict(shape=(2, 3), broadcast_dimensions=(), sharding=None))
        yield Example((ShapedArray((3,), F32),), dict(shape=(2, 3), broadcast_dimensions=(1,), sharding=None))
        yield Example((ShapedArray((2, 1), F32),), dict(shape=(2, 4, 3), broadcast_dimensions=(0, 2), sharding=None))
        yield Example((ShapedArray((0, 3), F32),), dict(shape=(0, 3, 2), broadcast_dimensions=(0, 1), sharding=None))


broadcast_in_dim_p = BroadcastInDim()


def reduce_sum(x: Any, axes: Sequence[int]) -> Any:
    """The sum over ``axes``, which disappear.

    >>> reduce_sum(np.ones((2, 3), np.float32), (0,)).shape
    (3,)
    """
    axes = tuple(axes)
    if not axes:
        return x
    return reduce_sum_p.bind(x, axes=axes, out_sharding=None)


def check_axes(name: str, x: ShapedArray, axes: Sequence[int]) -> None:
    """Raise ValueError unless ``axes`` are distinct axes of ``x``."""
    if len(set(axes)) != len(axes):
        raise ValueError(f"{name}: axes {tuple(axes)} name an axis twice; give each axis once")
    for axis in axes:
        if not 0 <= axis < len(x.shape):
            raise ValueError(
                f"{name}: axis {axis} is out of bounds for the operand {x.str_short()} with {len(x.shape)} axes"
            )


def drop_axes(shape: Sequence[int], axes: Sequence[int]) -> tuple[int, ...]:
    """``shape`` without the sizes at ``axes``."""
    return tuple(size for i, size in enumerate(shape) if i not in axes)


def shift_axes(axes: Iterable[int], dim: int) -> tuple[int, ...]:
    """Axes of a slice as axes of the stack whose mapped axis is ``dim``."""
    return tuple(axis + (axis >= dim) for axis in axes)


class ReduceSum(Linear):
    name = "reduce_sum"

    def abstract_eval(self, x: Any, *, axes: Any, out_sharding: Any) -> ShapedArray:
        check_axes("reduce_sum", x, axes)
        if x.dtype == np.bool_:
            raise TypeError("reduce_sum does not accept dtype bool; convert the operand to an integer dtype first")
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
            yield Example((ShapedArray(shape, F32),), dict(axes=axes, out_sharding=None))
        yield Example((ShapedArray((2, 3), I32),), dict(axes=(1,), out_sharding=None), differentiate=False)


def batch_reduction(primitive: Primitive, args: Any, dims: Any, *, axes: Any, **params: Any) -> tuple[Any, int]:
    """The batch rule of a reduction over ``axes``: shift the axes, and see where the mapped one goes."""
    (x,), (dim,) = args, dims
    shifted = shift_axes(axes, dim)
    return primitive.bind(x, axes=shifted, **params), dim - sum(axis < dim for axis in shifted)


def lower_reduction(ctx: Any, x: Any, axes: Sequence[int], op: str, init: Any) -> Any:
    """``stablehlo.reduce`` by a binary operation."""
    b, aval = ctx.b, ctx.aval_out
    scalar = b.tensor((), aval.dtype)
    start = b.constant(init, aval.dtype)
    reduce = b.op("stablehlo.reduce", [b.type(aval)], [x, start], {"dimensions": b.i64s(axes)}, regions=1)
    body, (left, right) = b.block(reduce.regions[0], [scalar, scalar])
    body.end([body.value(op, scalar, left, right)])
    return reduce.result


reduce_sum_p = ReduceSum()


# -- reshape, transpose, squeeze -----------------------------------------------------------------------------------------


def reshape(x: Any, new_sizes: Sequence[int], dimensions: Sequence[int] | None = None) -> Any:
    """``x`` with the same elements in row-major order in another shape (after a transpose to ``dimensions``).

    >>> reshape(np.zeros((2, 3), np.float32), (6,)).shape
    (6,)
    """
    new_sizes = tuple(int(size) for size in new_sizes)
    if dimensions is not None and tuple(dimensions) != tuple(range(len(aval_of(x).shape))):
        x = transpose(x, dimensions)
    if aval_of(x).shape == new_sizes:
        return x
    return reshape_p.bind(x, new_sizes=new_sizes, dimensions=None, sharding=None)


class Reshape(Linear):
    name = "reshape"

    def abstract_eval(self, x: Any, *, new_sizes: Any, dimensions: Any, sharding: Any) -> ShapedArray:
        if math.prod(new_sizes) != math.prod(x.shape) or any(size < 0 for size in new_sizes):
            raise TypeError(
                f"reshape: cannot reshape an operand of shape {x.shape} (size {math.prod(x.shape)}) into shape "
                f"{new_sizes} (size {math.prod(new_sizes)})"
            )
        return ShapedArray(new_sizes, x.dtype, x.weak_type)

    def lower(self, ctx: Any, x: Any, *, new_sizes: Any, dimensions: Any, sharding: Any) -> Any:
        return ctx.b.value("stablehlo.reshape", ctx.b.type(ctx.aval_out), x)

    def transpose(self, ct: Any, x: Any, *, new_sizes: Any, dimensions: Any, sharding: Any) -> Any:
        return [None if zero_ct(ct) else reshape(ct, x.aval.shape)]

    def batch(self, size: int, args: Any, dims: Any, *, new_sizes: Any, dimensions: Any, sharding: Any) -> Any:
        (x,), (dim,) = args, dims
        return reshape(move_axis(x, dim, 0), (size, *new_sizes)), 0

    def reference(self, x: Any, *, new_sizes: Any, dimensions: Any, sharding: Any) -> Any:
        return np.reshape(x, new_sizes)

    def examples(self) -> Iterable[Example]:
        for shape, sizes in (((2, 3), (3, 2)), ((4,), (2, 1, 2)), ((1,), ()), ((0, 3), (5, 0))):
            yield Example((ShapedArray(shape, F32),), dict(new_sizes=sizes, dimensions=None, sharding=None))


reshape_p = Reshape()


def transpose(x: Any, permutation: Sequence[int]) -> Any:
    """``x`` with its axes in another order: axis ``i`` of the result is axis ``permutation[i]`` of ``x``.

    >>> transpose(np.zeros((2, 3), np.float32), (1, 0)).shape
    (3, 2)
    """
    permutation = tuple(int(i) for i in permutation)
    if permutation == tuple(range(len(aval_of(x).shape))):
        return x
    return transpose_p.bind(x, permutation=permutation)


class Transpose(Linear):
    name = "transpose"

    def abstract_eval(self, x: Any, *, permutation: Any) -> ShapedArray:
        if sorted(permutation) != list(range(len(x.shape))):
            raise TypeError(
                f"transpose: permutation {permutation} is not a permutation of the axes of the operand {x.str_short()}"
            )
        return ShapedArray(tuple(x.shape[i] for i in permutation), x.dtype, x.weak_type)

    def lower(self, ctx: Any, x: Any, *, permutation: Any) -> Any:
        b = ctx.b
        return b.value("stablehlo.transpose", b.type(ctx.aval_out), x, permutation=b.i64s(permutation))

    def transpose(self, ct: Any, x: Any, *, permutation: Any) -> Any:
        return [None if zero_ct(ct) else transpose(ct, np.argsort(permutation).tolist())]

    def batch(self, size: int, args: Any, dims: Any, *, permutation: Any) -> Any:
        (x,), (dim,) = args, dims
        return transpose(x, (dim, *shift_axes(permutation, dim))), 0

    def reference(self, x: Any, *, permutation: Any) -> Any:
        return np.transpose(x, permutation)

    def examples(self) -> Iterable[Example]:
        for shape, permutation in (((2, 3), (1, 0)), ((2, 3, 4), (1, 2, 0)), ((0, 2), (1, 0))):
            yield Example((ShapedArray(shape, F32),), dict(permutation=permutation))


transpose_p = Transpose()


def squeeze(x: Any, dimensions: Sequence[int]) -> Any:
    """``x`` without the axes ``dimensions``, each of size 1.

    >>> squeeze(np.zeros((1, 3), np.float32), (0,)).shape
    (3,)
    """
    ndim = len(aval_of(x).shape)
    dimensions = tuple(sorted(int(d) + ndim if d < 0 else int(d) for d in dimensions))
    return squeeze_p.bind(x, dimensions=dimensions) if dimensions else x


class Squeeze(Linear):
    name = "squeeze"

    def abstract_eval(self, x: Any, *, dimensions: Any) -> ShapedArray:
        check_axes("squeeze", x, dimensions)
        for d in dimensions:
            if x.shape[d] != 1:
                raise ValueError(f"squeeze: axis {d} of the operand {x.str_short()} has size {x.shape[d]}, but only an axis of size 1 can be dropped")
        return ShapedArray(drop_axes(x.shape, dimensions), x.dtype, x.weak_type)

    def lower(self, ctx: Any, x: Any, *, dimensions: Any) -> Any:
        return ctx.b.value("stablehlo.reshape", ctx.b.type(ctx.aval_out), x)

    def transpose(self, ct: Any, x: Any, *, dimensions: Any) -> Any:
        return [None if zero_ct(ct) else reshape(ct, x.aval.shape)]

    def batch(self, size: int, args: Any, dims: Any, *, dimensions: Any) -> Any:
        (x,), (dim,) = args, dims
        shifted = shift_axes(dimensions, dim)
        return squeeze(x, shifted), dim - sum(axis < dim for axis in shifted)

    def reference(self, x: Any, *, dimensions: Any) -> Any:
        return np.squeeze(x, dimensions)

    def examples(self) -> Iterable[Example]:
        yield Example((ShapedArray((1, 3, 1), F32),), dict(dimensions=(0, 2)))
        yield Example((ShapedArray((2, 1), F32),), dict(dimensions=(1,)))


squeeze_p = Squeeze()


def expand_dims(x: Any, dimensions: Sequence[int]) -> Any:
    """``x`` with new axes of size 1 at the places ``dimensions`` of the result.

    >>> expand_dims(np.zeros((3,), np.float32), (0, 2)).shape
    (1, 3, 1)
    """
    shape = aval_of(x).shape
    ndim = len(shape) + len(dimensions)
    new = {d % ndim for d in dimensions}
    if len(new) != len(dimensions):
        raise ValueError(f"expand_dims: dimensions {tuple(dimensions)} name an axis twice; give each axis once")
    if not new:
        return x
    sizes = iter(shape)
    result = tuple(1 if i in new else next(sizes) for i in range(ndim))
    return broadcast_in_dim(x, result, tuple(i for i in range(ndim) if i not in new))


# -- what the interpreters need ------------------------------------------------------------------------------------------


def move_axis(x: Any, source: int, destination: int) -> Any:
    """``x`` with one axis moved."""
    if source == destination:
        return x
    order = [i for i in range(len(aval_of(x).shape)) if i != source]
    order.insert(destination, source)
    return transpose(x, order)


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
    """An array of zeros of a type (``float0`` tangents are NumPy arrays)."""
    if aval.dtype.kind == "V" and aval.dtype.itemsize == 0 or aval.dtype == np.dtype([("float0", np.void, 0)]):
        return np.zeros(aval.shape, aval.dtype)
    zero = np.zeros((), aval.dtype)
    return broadcast_in_dim(zero, aval.shape, ()) if aval.shape else zero


def instantiate(tangent: Any) -> Any:
    """A tangent as an array, also when it is a symbolic zero."""
    return zeros_like_aval(tangent.aval) if type(tangent) is Zero else tangent


