"""Shape changes that move every element and repeat none: reshape and transpose."""

from __future__ import annotations

import math
import operator
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from jaxlab.core.aval import ShapedArray, Zero, aval_of
from jaxlab.core.primitive import Example, Primitive

F32 = np.dtype(np.float32)
I32 = np.dtype(np.int32)
U32 = np.dtype(np.uint32)


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


# -- shapes and axes ----------------------------------------------------------------------------------------


def canonical_shape(name: str, shape: Any) -> tuple[int, ...]:
    """``shape`` as a tuple of Python integers; TypeError where an entry is not a concrete integer >= 0."""
    try:
        sizes = tuple([operator.index(size) for size in shape])
    except TypeError as error:
        raise TypeError(
            f"{name}: Shapes must be 1D sequences of concrete values of integer type, but got {shape}; "
            "give each size as a Python integer"
        ) from error
    if any(size < 0 for size in sizes):
        raise TypeError(f"{name}: shape {sizes} has a negative size, but every size must be 0 or more")
    return sizes


def canonical_axis(name: str, axis: int, ndim: int) -> int:
    """``axis`` counted from the front; raises ValueError where there is none."""
    index = operator.index(axis)
    if not -ndim <= index < ndim:
        raise ValueError(f"{name}: axis {axis} is out of bounds for an array with {ndim} axes")
    return index + ndim if index < 0 else index


def check_axes(name: str, x: ShapedArray, axes: Sequence[int]) -> None:
    """Raise ValueError unless ``axes`` are distinct axes of ``x``."""
    if len(set(axes)) != len(axes):
        raise ValueError(f"{name}: axes {tuple(axes)} name an axis twice; give each axis once")
    for axis in axes:
        if not 0 <= axis < len(x.shape):
            raise ValueError(
                f"{name}: axis {axis} is out of bounds for the operand {x.str_short()} with {len(x.shape)}"
                " axes"
            )


def drop_axes(shape: Sequence[int], axes: Sequence[int]) -> tuple[int, ...]:
    """``shape`` without the sizes at ``axes``."""
    return tuple(size for i, size in enumerate(shape) if i not in axes)


def shift_axes(axes: Iterable[int], dim: int) -> tuple[int, ...]:
    """Axes of a slice as axes of the stack whose mapped axis is ``dim``."""
    return tuple(axis + (axis >= dim) for axis in axes)


def insert(values: Sequence[Any], i: int, value: Any) -> tuple[Any, ...]:
    """``values`` with one more at place ``i``."""
    return (*values[:i], value, *values[i:])


def word_shape(dtype: Any) -> tuple[int, ...]:
    """The axes that StableHLO appends to an array of ``dtype``: those of a typed key's words, else none."""
    return () if isinstance(dtype, np.dtype) else tuple(dtype.key_shape)


def physical(aval: ShapedArray) -> ShapedArray:
    """The type of the tensor that holds a value of type ``aval``: words for keys, else the type itself."""
    words = word_shape(aval.dtype)
    return ShapedArray(aval.shape + words, U32) if words else aval


# -- reshape ------------------------------------------------------------------------------------------------


def reshape(
    operand: Any,
    new_sizes: Sequence[int],
    dimensions: Sequence[int] | None = None,
    *,
    out_sharding: Any = None,
) -> Any:
    """``operand`` with the same elements in row-major order in another shape.

    With ``dimensions`` its axes are first permuted so. Raises TypeError where the numbers of elements differ.

    >>> reshape(np.zeros((2, 3), np.float32), (6,)).shape
    (6,)
    """
    new_sizes = canonical_shape("reshape", new_sizes)
    shape = aval_of(operand).shape
    if dimensions is not None:
        dimensions = tuple([operator.index(d) for d in dimensions])
        if dimensions == tuple(range(len(shape))):
            dimensions = None
    if dimensions is None and shape == new_sizes and out_sharding is None:
        return operand
    return reshape_p.bind(operand, new_sizes=new_sizes, dimensions=dimensions, sharding=out_sharding)


class Reshape(Linear):
    name = "reshape"

    def abstract_eval(self, x: Any, *, new_sizes: Any, dimensions: Any, sharding: Any) -> ShapedArray:
        if dimensions is not None and sorted(dimensions) != list(range(len(x.shape))):
            raise TypeError(
                f"reshape: dimensions {dimensions} are not a permutation of the axes of the operand"
                f" {x.str_short()}"
            )
        if math.prod(new_sizes) != math.prod(x.shape):
            raise TypeError(
                f"reshape: cannot reshape an operand of shape {x.shape} (size {math.prod(x.shape)}) into"
                f" shape {new_sizes} (size {math.prod(new_sizes)})"
            )
        return ShapedArray(new_sizes, x.dtype, x.weak_type)

    def lower(self, ctx: Any, x: Any, *, new_sizes: Any, dimensions: Any, sharding: Any) -> Any:
        b, (aval,) = ctx.b, ctx.avals_in
        if dimensions is not None:
            permuted = ShapedArray(tuple(aval.shape[i] for i in dimensions), aval.dtype)
            x = b.value(
                "stablehlo.transpose", b.type(permuted), x, permutation=b.i64s(_with_words(dimensions, aval))
            )
        return b.plain("stablehlo.reshape", b.type(ctx.eqn.outvars[0].aval), (x,))

    def transpose(self, ct: Any, x: Any, *, new_sizes: Any, dimensions: Any, sharding: Any) -> Any:
        if zero_ct(ct):
            return [None]
        shape = x.aval.shape
        if dimensions is None:
            return [reshape(ct, shape)]
        permuted = reshape(ct, [shape[i] for i in dimensions])
        return [transpose(permuted, np.argsort(dimensions).tolist())]

    def batch(
        self, size: int, args: Any, dims: Any, *, new_sizes: Any, dimensions: Any, sharding: Any
    ) -> Any:
        (x,), (dim,) = args, dims
        if dimensions is not None:
            dimensions = (0, *(d + 1 for d in dimensions))
        return reshape(move_axis(x, dim, 0), (size, *new_sizes), dimensions), 0

    def reference(self, x: Any, *, new_sizes: Any, dimensions: Any, sharding: Any) -> Any:
        return np.reshape(x if dimensions is None else np.transpose(x, dimensions), new_sizes)

    def examples(self) -> Iterable[Example]:
        cases: list[tuple[Any, Any, Any]] = [
            ((2, 3), (3, 2), None),
            ((4,), (2, 1, 2), None),
            ((1,), (), None),
        ]
        cases += [((0, 3), (5, 0), None), ((2, 3), (6,), (1, 0)), ((2, 3, 4), (4, 6), (2, 0, 1))]
        for shape, sizes, dimensions in cases:
            params = {"new_sizes": sizes, "dimensions": dimensions, "sharding": None}
            yield Example((ShapedArray(shape, F32),), params)


reshape_p = Reshape()


def collapse(operand: Any, start_dimension: int, stop_dimension: int | None = None) -> Any:
    """``operand`` with its axes from ``start_dimension`` up to, not including, ``stop_dimension`` made one.

    Negative axes count from the end. Raises ValueError where the range runs backwards.

    >>> collapse(np.zeros((2, 3, 4), np.float32), 1).shape
    (2, 12)
    """
    shape = aval_of(operand).shape
    start, stop, _ = slice(start_dimension, stop_dimension).indices(len(shape))
    if stop < start:
        raise ValueError(
            f"collapse: the axes [{start_dimension}:{stop_dimension}] of an operand of shape {shape} were"
            " given, but the range must not run backwards"
        )
    return reshape(operand, (*shape[:start], math.prod(shape[start:stop]), *shape[stop:]))


# -- transpose ----------------------------------------------------------------------------------------------


def transpose(operand: Any, permutation: Sequence[int] | np.ndarray) -> Any:
    """``operand`` with its axes in another order: axis ``i`` of the result is axis ``permutation[i]`` of it.

    >>> transpose(np.zeros((2, 3), np.float32), (1, 0)).shape
    (3, 2)
    """
    permutation = tuple([operator.index(i) for i in permutation])
    if permutation == tuple(range(len(aval_of(operand).shape))):
        return operand
    return transpose_p.bind(operand, permutation=permutation)


def _with_words(permutation: Sequence[int], aval: ShapedArray) -> tuple[int, ...]:
    """A permutation of axes as one of the tensor's, where a typed key's words stay last."""
    if isinstance(aval.dtype, np.dtype):
        return tuple(permutation)
    return (*permutation, *range(len(permutation), len(permutation) + len(word_shape(aval.dtype))))


class Transpose(Linear):
    name = "transpose"

    def abstract_eval(self, x: Any, *, permutation: Any) -> ShapedArray:
        if sorted(permutation) != list(range(len(x.shape))):
            raise TypeError(
                f"transpose: permutation {permutation} is not a permutation of the axes of the operand"
                f" {x.str_short()}"
            )
        return ShapedArray(tuple(x.shape[i] for i in permutation), x.dtype, x.weak_type)

    def lower(self, ctx: Any, x: Any, *, permutation: Any) -> Any:
        b, aval = ctx.b, ctx.eqn.outvars[0].aval
        attributes = b.i64s_named("permutation", _with_words(permutation, aval))
        return b.plain("stablehlo.transpose", b.type(aval), (x,), attributes)

    def transpose(self, ct: Any, x: Any, *, permutation: Any) -> Any:
        return [None if zero_ct(ct) else transpose(ct, np.argsort(permutation))]

    def batch(self, size: int, args: Any, dims: Any, *, permutation: Any) -> Any:
        (x,), (dim,) = args, dims
        return transpose(x, (dim, *shift_axes(permutation, dim))), 0

    def reference(self, x: Any, *, permutation: Any) -> Any:
        return np.transpose(x, permutation)

    def examples(self) -> Iterable[Example]:
        for shape, permutation in (((2, 3), (1, 0)), ((2, 3, 4), (1, 2, 0)), ((0, 2), (1, 0))):
            yield Example((ShapedArray(shape, F32),), {"permutation": permutation})


transpose_p = Transpose()


def move_axis(x: Any, source: int, destination: int) -> Any:
    """``x`` with one axis moved."""
    if source == destination:
        return x
    order = [i for i in range(len(aval_of(x).shape)) if i != source]
    order.insert(destination, source)
    return transpose(x, order)
