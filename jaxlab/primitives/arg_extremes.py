"""The places of extremes: argmax and argmin."""

from __future__ import annotations

import operator
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from jaxlab import dtypes
from jaxlab.core.aval import ShapedArray, Zero, aval_of, is_inexact
from jaxlab.core.primitive import Example, Primitive
from jaxlab.primitives.reduction import BOOL, highest, lowest
from jaxlab.primitives.reshaping import F32, I32, drop_axes, shift_axes


def argmax(operand: Any, axis: int, index_dtype: Any) -> Any:
    """The index of the largest element along an axis: the first such, or the first NaN where there is one.

    Args:
      operand: real numbers or truth values.
      axis: the axis, counted from the front; it disappears.
      index_dtype: the integer dtype of the result.

    Raises:
      ValueError: if there is no such axis, or it is empty.
      TypeError: if ``index_dtype`` is no integer dtype.

    >>> argmax(np.array([[1, 5, 2], [7, 7, 1]]), 1, np.int32)
    Array([1, 0], dtype=int32)
    """
    return argmax_p.bind(
        operand, axes=(operator.index(axis),), index_dtype=_index_dtype("argmax", index_dtype)
    )


def argmin(operand: Any, axis: int, index_dtype: Any) -> Any:
    """The index of the smallest element along an axis: the first such, or the first NaN where there is one.

    Arguments and errors are those of `argmax`.

    >>> argmin(np.array([[1, 5, 2], [7, 1, 1]]), 1, np.int32)
    Array([0, 1], dtype=int32)
    """
    return argmin_p.bind(
        operand, axes=(operator.index(axis),), index_dtype=_index_dtype("argmin", index_dtype)
    )


def _index_dtype(op: str, index_dtype: Any) -> Any:
    return dtypes.canonicalize_requested(index_dtype, op, stacklevel=3)


class ArgExtreme(Primitive):
    def __init__(self, name: str, way: str) -> None:
        self.way = way
        super().__init__(name)

    def abstract_eval(self, x: Any, *, axes: Any, index_dtype: Any) -> ShapedArray:
        (axis,) = axes
        if not 0 <= axis < len(x.shape):
            raise ValueError(
                f"{self.name}: Invalid axis {axis} for operand shape {x.shape}; count axes from 0"
            )
        if not dtypes.issubdtype(index_dtype, np.integer):
            raise TypeError(f"{self.name}: index_dtype must be an integer type, but got {index_dtype.name}")
        if x.shape[axis] == 0:
            raise ValueError(
                f"{self.name}: argmin and argmax require non-empty reduced dimension, but axis {axis} of "
                f"{x.str_short()} is empty"
            )
        if not dtypes.issubdtype(x.dtype, BOOL.type) and (
            x.dtype.kind == "c" or not dtypes.issubdtype(x.dtype, np.number)
        ):
            raise TypeError(
                f"{self.name} does not accept dtype {dtypes.short_name(x.dtype)}; it accepts real numbers "
                f"and bool"
            )
        return ShapedArray(drop_axes(x.shape, axes), index_dtype)

    def lower(self, ctx: Any, x: Any, *, axes: Any, index_dtype: Any) -> Any:
        """The extreme, then the smallest index where it is. One reduction of pairs is not vectorised by XLA.

        1e6 float32 on a CPU: 0.8 ms against 8 ms.
        """
        b, (aval,) = ctx.b, ctx.avals_in
        largest = self.way == "GT"
        places = ShapedArray(aval.shape, index_dtype)
        extreme = _reduce(
            b, x, aval.dtype, axes, ctx.aval_out.shape,
            "stablehlo.maximum" if largest else "stablehlo.minimum",
            lowest(aval.dtype) if largest else highest(aval.dtype),
        )  # fmt: skip
        kept = [i for i in range(len(aval.shape)) if i not in axes]
        found = b.compare(x, b.broadcast(extreme, aval.shape, aval.dtype, kept), "EQ", aval.dtype, aval.shape)
        if is_inexact(aval.dtype):
            nan = b.compare(x, x, "NE", aval.dtype, aval.shape)
            found = b.value("stablehlo.or", b.tensor(aval.shape, BOOL), found, nan)
        iota = b.value("stablehlo.iota", b.type(places), iota_dimension=b.i64(axes[0]))
        beyond = b.full(highest(index_dtype), places)
        chosen = b.value("stablehlo.select", b.type(places), found, iota, beyond)
        return _reduce(
            b, chosen, index_dtype, axes, ctx.aval_out.shape, "stablehlo.minimum", highest(index_dtype)
        )

    def jvp(self, primals: Sequence[Any], tangents: Sequence[Any], **params: Any) -> tuple[Any, Any]:
        out = self.bind(*primals, **params)
        return out, Zero(aval_of(out).to_tangent_aval())

    def batch(self, size: int, args: Any, dims: Any, *, axes: Any, index_dtype: Any) -> Any:
        (x,), (dim,) = args, dims
        shifted = shift_axes(axes, dim)
        return self.bind(x, axes=shifted, index_dtype=index_dtype), dim - (shifted[0] < dim)

    def reference(self, x: Any, *, axes: Any, index_dtype: Any) -> Any:
        return (np.argmax if self.way == "GT" else np.argmin)(x, axes[0]).astype(index_dtype)

    def examples(self) -> Iterable[Example]:
        for shape, axis in (((4,), 0), ((2, 3), 1), ((2, 3, 4), 1)):
            yield Example((ShapedArray(shape, F32),), {"axes": (axis,), "index_dtype": I32})
        ties = np.array([[3, 1, 3, 1], [2, 2, 2, 2]], np.int32)
        yield Example((ties,), {"axes": (1,), "index_dtype": np.dtype(np.uint8)})
        nan = np.array([np.nan, 1, np.inf, np.nan, -np.inf], np.float32)
        yield Example((np.stack([nan, nan[::-1]]),), {"axes": (1,), "index_dtype": I32}, differentiate=False)
        yield Example((ShapedArray((3, 2), BOOL),), {"axes": (0,), "index_dtype": I32})


def _reduce(
    b: Any, x: Any, dtype: Any, axes: Sequence[int], shape: tuple[int, ...], op: str, init: Any
) -> Any:
    scalar = b.tensor((), dtype)
    reduce = b.op(
        "stablehlo.reduce",
        [b.tensor(shape, dtype)],
        [x, b.constant(init, dtype)],
        {"dimensions": b.i64s(axes)},
        regions=1,
    )
    body, (left, right) = b.block(reduce.regions[0], [scalar, scalar])
    body.end([body.value(op, scalar, left, right)])
    return reduce.result


argmax_p = ArgExtreme("argmax", "GT")
argmin_p = ArgExtreme("argmin", "LT")
