"""Arrays joined and taken apart: concatenate, stack and their relatives, block and append; split and unstack."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from typing import Any

import numpy as np

from jaxlab import dtypes, lax
from jaxlab.core.aval import aval_of
from jaxlab.core.trace import Tracer
from jaxlab.errors import ConcretizationTypeError
from jaxlab.numpy.manipulation import atleast_1d, atleast_2d, atleast_3d, ravel, reshape
from jaxlab.numpy.promotion import cast, check_arraylike, check_out, common_type
from jaxlab.numpy.wrapping import as_array, named
from jaxlab.primitives.concatenation import split_p
from jaxlab.primitives.reshaping import canonical_axis
from jaxlab.runtime.array import Array


def _items(name: str, arrays: Any) -> list[Any]:
    """The arrays of a sequence of them, or the rows of one array."""
    if isinstance(arrays, np.ndarray | Array | Tracer):
        if not aval_of(arrays).shape:
            raise ValueError(f"{name}: a scalar was given, but a sequence of arrays is needed; write [x]")
        return list(lax.unstack(arrays))
    if not isinstance(arrays, Sequence):
        check_arraylike(name, arrays)
        raise TypeError(f"{name}: a {type(arrays).__name__} was given, but a sequence of arrays is needed")
    items = list(arrays)
    check_arraylike(name, *items)
    if not items:
        raise ValueError(f"{name}: no arrays were given, but at least one is needed")
    return items


def concatenate(arrays: Any, axis: int | None = 0, dtype: Any = None) -> Any:
    """The arrays end to end along an axis they have.

    Args:
      arrays: a sequence of arrays, whose dtypes are promoted, or one array, whose rows are joined.
      axis: the axis to join along; None flattens the arrays first.
      dtype: the dtype of the result, the promoted one by default.

    Raises:
      ValueError: if there are no arrays, one is a scalar, or there is no such axis.
      TypeError: if they differ in other axes.

    >>> jnp.concatenate([jnp.array([1, 2]), jnp.array([3.5])])
    Array([1. , 2. , 3.5], dtype=float32)
    """
    if axis is not None and isinstance(arrays, np.ndarray | Array | Tracer):
        return _concatenated_rows(arrays, axis, dtype)
    items = _items("concatenate", arrays)
    if axis is None:
        return concatenate([ravel(x) for x in items], 0, dtype)
    avals = [aval_of(x) for x in items]
    if any(not aval.shape for aval in avals):
        raise ValueError(
            "concatenate: a scalar was given, but at least one axis is needed; use stack, or atleast_1d"
        )
    axis = canonical_axis("concatenate", operator.index(axis), len(avals[0].shape))
    wanted, weak = common_type(avals) if dtype is None else (dtypes.canonicalize(dtype), False)
    return as_array(lax.concatenate([cast(x, wanted, weak) for x in items], axis))


def _concatenated_rows(x: Any, axis: int, dtype: Any) -> Any:
    """The rows of one array end to end, which is a change of shape."""
    shape = aval_of(x).shape
    if len(shape) < 2:
        raise ValueError(
            f"concatenate: an array of shape {shape} was given, but its rows must have an axis to join along"
        )
    axis = canonical_axis("concatenate", axis, len(shape) - 1)
    if axis:
        x = lax.transpose(x, [*range(1, axis + 1), 0, *range(axis + 1, len(shape))])
    rest = shape[1:]
    joined = reshape(x, (*rest[:axis], shape[0] * rest[axis], *rest[axis + 1 :]))
    return joined if dtype is None else as_array(cast(joined, dtypes.canonicalize(dtype)))


def concat(arrays: Sequence[Any], /, *, axis: int | None = 0) -> Any:
    """Another name of `concatenate`.

    >>> jnp.concat([jnp.array([1]), jnp.array([2, 3])])
    Array([1, 2, 3], dtype=int32)
    """
    return concatenate(arrays, axis)


def stack(arrays: Any, axis: int = 0, out: None = None, dtype: Any = None) -> Any:
    """Arrays of one shape side by side along a new axis.

    Args:
      arrays: a sequence of arrays or numbers, whose dtypes are promoted, or one array, whose rows are stacked.
      axis: where the new axis is in the result.
      out: not supported.
      dtype: the dtype of the result, the promoted one by default.

    Raises:
      ValueError: if there are no arrays, their shapes differ, or the result has no such axis.
      NotImplementedError: if ``out`` is given.

    >>> jnp.stack([jnp.array([1, 2]), jnp.array([3, 4])], axis=1)
    Array([[1, 3],
           [2, 4]], dtype=int32)
    """
    check_out("stack", out)
    if isinstance(arrays, np.ndarray | Array | Tracer):
        axis = canonical_axis("stack", axis, len(aval_of(arrays).shape))
        return _concatenated_rows(lax.expand_dims(arrays, (axis + 1,)), axis, dtype)
    items = _items("stack", arrays)
    wanted, weak = (
        common_type([aval_of(x) for x in items]) if dtype is None else (dtypes.canonicalize(dtype), False)
    )
    return lax.stack([cast(x, wanted, weak) for x in items], axis)


def unstack(x: Any, /, *, axis: int = 0) -> tuple[Any, ...]:
    """The slices of an array along an axis, as a tuple.

    Raises:
      ValueError: if there is no such axis.

    >>> jnp.unstack(jnp.array([[1, 2], [3, 4]]))
    (Array([1, 2], dtype=int32), Array([3, 4], dtype=int32))
    """
    check_arraylike("unstack", x)
    return lax.unstack(x, operator.index(axis))


def _each(function: Any, arrays: Any) -> list[Any]:
    """A function of one array applied to the arrays of a sequence, or to all rows of one array at once."""
    if isinstance(arrays, np.ndarray | Array | Tracer):
        return [function(row) for row in lax.unstack(arrays)]
    if not isinstance(arrays, Sequence):
        raise TypeError(f"a {type(arrays).__name__} was given, but a sequence of arrays is needed")
    return [function(x) for x in arrays]


def vstack(tup: Any, dtype: Any = None) -> Any:
    """Rows, and matrices, one below the other.

    Args:
      tup: a sequence of arrays; one with a single axis is a row.
      dtype: the dtype of the result, the promoted one by default.

    >>> jnp.vstack([jnp.array([1, 2]), jnp.array([[3, 4], [5, 6]])])
    Array([[1, 2],
           [3, 4],
           [5, 6]], dtype=int32)
    """
    return concatenate(_each(atleast_2d, tup), 0, dtype)


def hstack(tup: Any, dtype: Any = None) -> Any:
    """Arrays one right of the other: along the second axis, or the first where there is one.

    >>> jnp.hstack([jnp.array([1, 2]), jnp.array([3])])
    Array([1, 2, 3], dtype=int32)
    """
    arrays = _each(atleast_1d, tup)
    return concatenate(arrays, 0 if arrays and len(aval_of(arrays[0]).shape) == 1 else 1, dtype)


def dstack(tup: Any, dtype: Any = None) -> Any:
    """Arrays one behind the other: along the third axis.

    >>> jnp.dstack([jnp.array([1, 2]), jnp.array([3, 4])]).shape
    (1, 2, 2)
    """
    return concatenate(_each(atleast_3d, tup), 2, dtype)


def column_stack(tup: Any) -> Any:
    """Columns, and matrices, one right of the other; an array with a single axis is a column.

    >>> jnp.column_stack([jnp.array([1, 2]), jnp.array([3, 4])])
    Array([[1, 3],
           [2, 4]], dtype=int32)
    """

    def column(x: Any) -> Any:
        check_arraylike("column_stack", x)
        return lax.transpose(atleast_2d(x), (1, 0)) if len(aval_of(x).shape) < 2 else x

    return concatenate(_each(column, tup), 1)


@named
def block(arrays: Any) -> Any:
    """A matrix, or an array of more axes, out of nested lists of blocks.

    The innermost lists are joined along the last axis, the next along the one before it, and so on.

    Raises:
      ValueError: if a list is empty, or the depths of the lists differ.

    >>> jnp.block([[jnp.eye(1), jnp.zeros((1, 1))], [2.0, 3.0]])
    Array([[1., 0.],
           [2., 3.]], dtype=float32)
    """
    joined, depth = _block(arrays)
    return as_array(lax.expand_dims(joined, range(max(0, depth - len(aval_of(joined).shape)))))


def _block(x: Any) -> tuple[Any, int]:
    """Nested lists joined to one array, and how deep they are nested."""
    if isinstance(x, tuple):
        raise TypeError("block: a tuple was given among the blocks, but only lists are nested; write a list")
    if not isinstance(x, list):
        check_arraylike("block", x)
        return x, 0
    if not x:
        raise ValueError("block: a list is empty, but each needs at least one block")
    parts = [_block(item) for item in x]
    if len({depth for _, depth in parts}) > 1:
        raise ValueError("block: lists and arrays stand side by side, but all lists must be nested as deep")
    depth = parts[0][1] + 1
    rank = max(depth, *[len(aval_of(part).shape) for part, _ in parts])
    raised = [lax.expand_dims(part, range(rank - len(aval_of(part).shape))) for part, _ in parts]
    return concatenate(raised, -depth), depth


@named(static_argnames=("axis",))
def append(arr: Any, values: Any, axis: int | None = None) -> Any:
    """The array with values at its end.

    Args:
      arr, values: arrays, whose dtypes are promoted.
      axis: the axis to append along; None flattens both first.

    Raises:
      ValueError: if the ranks differ, or there is no such axis.

    >>> jnp.append(jnp.array([1, 2]), 3)
    Array([1, 2, 3], dtype=int32)
    """
    check_arraylike("append", arr, values)
    if axis is None:
        return concatenate([ravel(arr), ravel(values)], 0)
    return concatenate([arr, values], axis)


def split(ary: Any, indices_or_sections: Any, axis: int = 0) -> list[Any]:
    """The array in parts along an axis.

    Args:
      ary: array.
      indices_or_sections: how many parts of one size, or a sequence of the places to cut at.
      axis: the axis to cut.

    Raises:
      ValueError: if the axis is not divisible into as many parts, or the places do not ascend within it.
      ConcretizationTypeError: if the places are traced.

    >>> jnp.split(jnp.arange(4), [1, 3])
    [Array([0], dtype=int32), Array([1, 2], dtype=int32), Array([3], dtype=int32)]
    """
    return _split("split", ary, indices_or_sections, axis)


def array_split(ary: Any, indices_or_sections: Any, axis: int = 0) -> list[Any]:
    """As `split`, but where the parts cannot be of one size, the first ones are longer by one.

    >>> [part.shape for part in jnp.array_split(jnp.arange(5), 3)]
    [(2,), (2,), (1,)]
    """
    return _split("array_split", ary, indices_or_sections, axis)


def _split(name: str, ary: Any, places: Any, axis: int) -> list[Any]:
    check_arraylike(name, ary)
    shape = aval_of(ary).shape
    axis = canonical_axis(name, operator.index(axis), len(shape))
    if isinstance(places, Tracer):
        raise ConcretizationTypeError(
            places, f"{name}: the places to cut at decide the shapes of the parts: {name}"
        )
    size = shape[axis]
    if isinstance(places, Sequence) or np.ndim(places):
        cuts = [0, *np.asarray(places).tolist(), size]
        cuts = [
            min(max(cut + size if cut < 0 else cut, 0), size) if name == "array_split" else cut
            for cut in cuts
        ]
        sizes = np.diff(cuts)
        if any(part < 0 for part in sizes):
            raise ValueError(
                f"{name}: the places {list(cuts[1:-1])} were given to cut an axis of size {size}, but they must ascend "
                "within it"
            )
    else:
        count = operator.index(places)
        if count <= 0 or (size % count and name == "split"):
            raise ValueError(
                f"{name}: an axis of size {size} was given to be cut into {count} parts of one size, which is not "
                "possible; use array_split"
            )
        sizes = np.full(count, size // count)
        sizes[: size % count] += 1
    # JAX's sizes are NumPy integers, and so its jaxprs print them.
    return list(split_p.bind(ary, sizes=tuple(sizes.astype(np.int64)), axis=axis))


def hsplit(ary: Any, indices_or_sections: Any) -> list[Any]:
    """`split` along the second axis, or the first where there is one.

    >>> [part.shape for part in jnp.hsplit(jnp.zeros((2, 4)), 2)]
    [(2, 2), (2, 2)]
    """
    check_arraylike("hsplit", ary)
    return _split("split", ary, indices_or_sections, 0 if len(aval_of(ary).shape) == 1 else 1)


def vsplit(ary: Any, indices_or_sections: Any) -> list[Any]:
    """`split` along the first axis.

    >>> [part.shape for part in jnp.vsplit(jnp.zeros((4, 2)), 2)]
    [(2, 2), (2, 2)]
    """
    return _split("split", ary, indices_or_sections, 0)


def dsplit(ary: Any, indices_or_sections: Any) -> list[Any]:
    """`split` along the third axis.

    >>> [part.shape for part in jnp.dsplit(jnp.zeros((1, 2, 4)), 2)]
    [(1, 2, 2), (1, 2, 2)]
    """
    return _split("split", ary, indices_or_sections, 2)
