"""Arrays from nothing: iota, full and what is made of them; and the barrier that keeps operations apart."""

from __future__ import annotations

import operator
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from jaxlab import dtypes, tree
from jaxlab.core.aval import ShapedArray, Zero, aval_of
from jaxlab.core.primitive import Example, Primitive
from jaxlab.core.trace import Tracer
from jaxlab.primitives.arithmetic import add
from jaxlab.primitives.broadcasting import F32, I32, broadcast, broadcast_in_dim, instantiate, zero_ct
from jaxlab.primitives.comparison import eq, ge
from jaxlab.primitives.conversion import convert, convert_element_type
from jaxlab.primitives.reshaping import canonical_shape, physical

# -- iota ---------------------------------------------------------------------------------------------------


def iota(dtype: Any, size: int) -> Any:
    """The numbers 0, 1, ... ``size - 1``.

    >>> iota("float32", 3)
    Array([0., 1., 2.], dtype=float32)
    """
    return broadcasted_iota(dtype, (size,), 0)


def broadcasted_iota(dtype: Any, shape: Sequence[int], dimension: int, *, out_sharding: Any = None) -> Any:
    """An array of ``shape`` that counts 0, 1, ... along the axis ``dimension``.

    Raises TypeError for a dtype that holds no numbers, ValueError where there is no such axis.

    >>> broadcasted_iota("int32", (2, 3), 1)
    Array([[0, 1, 2],
           [0, 1, 2]], dtype=int32)
    """
    return iota_p.bind(
        dtype=dtypes.canonicalize(dtype),
        shape=canonical_shape("iota", shape),
        dimension=operator.index(dimension),
        sharding=out_sharding,
    )


class Iota(Primitive):
    name = "iota"

    def abstract_eval(self, *, dtype: Any, shape: Any, dimension: Any, sharding: Any) -> ShapedArray:
        if not dtypes.issubdtype(dtype, np.number):
            raise TypeError(
                f"iota: dtype {dtypes.short_name(dtype)} was given, but a dtype of numbers is needed"
            )
        if not 0 <= dimension < len(shape):
            raise ValueError(
                f"iota: dimension {dimension} was given for shape {shape}, but it must be one of its axes"
            )
        return ShapedArray(shape, dtype)

    def lower(self, ctx: Any, *, dtype: Any, shape: Any, dimension: Any, sharding: Any) -> Any:
        b = ctx.b
        return b.value("stablehlo.iota", b.type(ctx.aval_out), iota_dimension=b.i64(dimension))

    def reference(self, *, dtype: Any, shape: Any, dimension: Any, sharding: Any) -> Any:
        along = [-1 if i == dimension else 1 for i in range(len(shape))]
        return np.broadcast_to(np.arange(shape[dimension]).astype(dtype).reshape(along), shape)

    def examples(self) -> Iterable[Example]:
        for dtype, shape, dimension in ((I32, (4,), 0), (F32, (2, 3), 1), (I32, (2, 3), 0), (I32, (0,), 0)):
            params = {"dtype": dtype, "shape": shape, "dimension": dimension, "sharding": None}
            yield Example((), params, differentiate=False)


iota_p = Iota()


# -- full ---------------------------------------------------------------------------------------------------


def cast_scalar(value: Any, dtype: Any, weak: bool = False) -> Any:
    """A scalar as ``dtype``: concrete ones are converted at once, and stay literals of the program traced."""
    if isinstance(value, (Tracer, np.ndarray)) or not isinstance(
        value, (bool, int, float, complex, np.generic)
    ):
        aval = aval_of(value)
        if isinstance(value, np.ndarray) and not value.shape:
            return cast_scalar(value[()], dtype, weak)
        return value if aval.dtype == dtype and aval.weak_type == weak else convert(value, dtype, weak)
    if weak and dtype == dtypes.python_scalar_dtype(kind := dtypes.scalar_type_of(dtype)):
        return kind(value)
    if isinstance(value, int) and not isinstance(value, bool):
        dtypes.check_fits(value, dtype)
    return np.asarray(value).astype(dtype)[()]


def full(shape: Sequence[int], fill_value: Any, dtype: Any = None, *, sharding: Any = None) -> Any:
    """An array of ``shape`` that repeats one scalar, of ``dtype`` or else that of ``fill_value``.

    Raises TypeError where ``fill_value`` is not a scalar or ``shape`` is none.

    >>> full((2,), 1.5)
    Array([1.5, 1.5], dtype=float32, weak_type=True)
    """
    shape = canonical_shape("full", shape)
    aval = aval_of(fill_value)
    if aval.shape:
        raise TypeError(
            f"full: fill_value is {aval.str_short()}, but it must be a scalar; use broadcast_in_dim"
        )
    weak = dtype is None and aval.weak_type
    value = cast_scalar(fill_value, aval.dtype if dtype is None else dtypes.canonicalize(dtype), weak)
    return broadcast_in_dim(value, shape, (), out_sharding=sharding)


def full_like(x: Any, fill_value: Any, dtype: Any = None, shape: Any = None, sharding: Any = None) -> Any:
    """`full` with the shape and dtype of ``x`` where none are given; weakly typed where ``x`` is.

    >>> full_like(np.zeros(2, np.float32), 3)
    Array([3., 3.], dtype=float32)
    """
    aval = aval_of(x)
    shape = aval.shape if shape is None else canonical_shape("full_like", shape)
    value_aval = aval_of(fill_value)
    if value_aval.shape:
        raise TypeError(f"full_like: fill_value is {value_aval.str_short()}, but it must be a scalar")
    weak = dtype is None and aval.weak_type
    value = cast_scalar(fill_value, aval.dtype if dtype is None else dtypes.canonicalize(dtype), weak)
    return broadcast_in_dim(value, shape, (), out_sharding=sharding)


def empty(shape: Sequence[int], dtype: Any, *, out_sharding: Any = None) -> Any:
    """An array of ``shape`` whose elements mean nothing; they are zeros.

    >>> empty((2, 3), "int8").dtype
    dtype('int8')
    """
    return empty_p.bind(
        shape=canonical_shape("empty", shape), dtype=dtypes.canonicalize(dtype), out_sharding=out_sharding
    )


class Empty(Primitive):
    name = "empty"

    def abstract_eval(self, *, shape: Any, dtype: Any, out_sharding: Any) -> ShapedArray:
        return ShapedArray(shape, dtype)

    def lower(self, ctx: Any, *, shape: Any, dtype: Any, out_sharding: Any) -> Any:
        words = physical(ctx.aval_out)
        return ctx.b.full(np.zeros((), words.dtype), words)

    def reference(self, *, shape: Any, dtype: Any, out_sharding: Any) -> Any:
        return np.zeros(shape, dtype)

    def examples(self) -> Iterable[Example]:
        for dtype, shape in ((F32, (2, 3)), (I32, ()), (F32, (0,))):
            params = {"shape": shape, "dtype": dtype, "out_sharding": None}
            yield Example((), params, differentiate=False)


empty_p = Empty()


class Placeholder(Primitive):
    """A scalar that stands where a value has to be that nobody will read."""

    name = "empty2"

    def printed(self, params: dict[str, Any]) -> dict[str, Any]:
        return {**params, "memory_space": "MemorySpace.Device"}

    def abstract_eval(self, *, dtype: Any) -> ShapedArray:
        return ShapedArray((), dtype)

    def lower(self, ctx: Any, *, dtype: Any) -> Any:
        words = physical(ctx.aval_out)
        return ctx.b.full(np.zeros((), words.dtype), words)

    def reference(self, *, dtype: Any) -> Any:
        return np.zeros((), dtype)

    def examples(self) -> Iterable[Example]:
        yield Example((), {"dtype": F32}, differentiate=False)


placeholder_p = Placeholder()


def placeholder(aval: ShapedArray) -> Any:
    """An array of this type whose elements mean nothing, for a place that only one of several branches fills."""
    return broadcast(placeholder_p.bind(dtype=aval.dtype), aval.shape)


def eye(dtype: Any, shape: Sequence[int], offset: int) -> Any:
    """A matrix of ``shape`` with ones where column - row is ``offset``, for `jaxlab.numpy.eye`.

    >>> eye("int32", (2, 3), 1)
    Array([[0, 1, 0],
           [0, 0, 1]], dtype=int32)
    """
    rows, columns = broadcasted_iota("int32", shape, 0), broadcasted_iota("int32", shape, 1)
    return convert_element_type(eq(add(rows, np.int32(offset)), columns), dtypes.canonicalize(dtype))


def tri(dtype: Any, shape: Sequence[int], offset: int) -> Any:
    """A matrix of ``shape`` with ones where column - row is at most ``offset``, for `jaxlab.numpy.tri`.

    >>> tri("int32", (2, 3), 0)
    Array([[1, 0, 0],
           [1, 1, 0]], dtype=int32)
    """
    rows = add(broadcasted_iota("int32", shape, 0), np.int32(offset))
    return convert_element_type(ge(rows, broadcasted_iota("int32", shape, 1)), dtypes.canonicalize(dtype))


# -- optimization_barrier -----------------------------------------------------------------------------------


def optimization_barrier(operand: Any, /) -> Any:
    """``operand``, a pytree of arrays, all of which the compiler computes before it goes on with any.

    It keeps the compiler from moving or merging operations across it.

    >>> optimization_barrier((np.float32(1), {"a": np.float32(2)}))
    (Array(1., dtype=float32), {'a': Array(2., dtype=float32)})
    """
    leaves, structure = tree.flatten(operand)
    return tree.unflatten(structure, optimization_barrier_p.bind(*leaves)) if leaves else operand


def _has_values(x: Any) -> bool:
    return bool(aval_of(x).dtype != dtypes.float0)


class OptimizationBarrier(Primitive):
    name, multiple_results, additive = "optimization_barrier", True, True

    def abstract_eval(self, *avals: Any) -> list[ShapedArray]:
        return list(avals)

    def lower(self, ctx: Any, *operands: Any) -> list[Any]:
        results = [ctx.b.type(aval) for aval in ctx.avals_out]
        return list(ctx.b.op("stablehlo.optimization_barrier", results, operands).results)

    def jvp(self, primals: Sequence[Any], tangents: Sequence[Any]) -> tuple[Any, Any]:
        tangents = [instantiate(t) for t in tangents]
        return optimization_barrier_p.bind(*primals), _barrier_values(tangents)

    def transpose(self, ct: Any, *args: Any) -> Any:
        return [None] * len(args) if all(map(zero_ct, ct)) else _barrier_values([instantiate(c) for c in ct])

    def batch(self, size: int, args: Any, dims: Any) -> Any:
        return optimization_barrier_p.bind(*args), list(dims)

    def reference(self, *arrays: Any) -> Any:
        return list(arrays)

    def examples(self) -> Iterable[Example]:
        yield Example((ShapedArray((2, 3), F32), ShapedArray((), F32)))
        yield Example((ShapedArray((2,), F32), ShapedArray((0,), I32)), differentiate=False)


def _barrier_values(tangents: Sequence[Any]) -> list[Any]:
    """A barrier between tangents; those of integers hold nothing and need none (they stay symbolic zeros)."""
    held = iter(optimization_barrier_p.bind(*[t for t in tangents if _has_values(t)]))
    return [next(held) if _has_values(t) else Zero(aval_of(t)) for t in tangents]


optimization_barrier_p = OptimizationBarrier()
