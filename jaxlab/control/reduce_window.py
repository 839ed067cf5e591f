"""Reductions over windows by any function; sums and extremes become the reductions that have derivatives."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from jaxlab import tree
from jaxlab.control.reduce import BOOL, initial_values, known, one_by_one, reducer, reference_program, types
from jaxlab.core.aval import ShapedArray, aval_of
from jaxlab.core.primitive import Example, Primitive
from jaxlab.primitives.arithmetic import add, mul
from jaxlab.primitives.broadcasting import broadcast_axis
from jaxlab.primitives.reshaping import F32, move_axis
from jaxlab.primitives.rounding import max, min
from jaxlab.primitives.window_extremes import reduce_window_max_p, reduce_window_min_p
from jaxlab.primitives.windows import (
    batched_windows,
    lower_windows,
    reduce_window_sum_p,
    reference_windows,
    window_examples,
    window_parameters,
    windows_shape,
)

_KNOWN_WINDOWS: dict[Any, Primitive] = {
    add: reduce_window_sum_p,
    max: reduce_window_max_p,
    min: reduce_window_min_p,
}


def reduce_window(
    operand: Any,
    init_value: Any,
    computation: Callable[[Any, Any], Any],
    window_dimensions: Sequence[int],
    window_strides: Sequence[int] | None = None,
    padding: Any = "VALID",
    base_dilation: Sequence[int] | None = None,
    window_dilation: Sequence[int] | None = None,
) -> Any:
    """The elements of each window combined by a function, in an order that is not defined. Pooling is this.

    Args:
      operand: an array, or a tree of arrays of one shape.
      init_value: for each operand a scalar, which is also what padding holds.
      computation: from two values, or two trees of values, to one. ``lax.add``, ``lax.max`` and ``lax.min``,
        from the values that change nothing, have derivatives.
      window_dimensions: the size of a window along each axis.
      window_strides: the steps from window to window; 1 by default.
      padding: ``"SAME"``, ``"SAME_LOWER"``, ``"VALID"``, or a pair of numbers for each axis.
      base_dilation, window_dilation: how far apart elements are put, and taken.

    >>> reduce_window(np.arange(4.0, dtype=np.float32), -np.inf, max, (2,), (2,))
    Array([1., 3.], dtype=float32)
    """
    flat, in_tree = tree.flatten(operand)
    inits = initial_values("reduce_window", flat, tree.leaves(init_value))
    params = window_parameters(
        "reduce_window",
        aval_of(flat[0]).shape,
        window_dimensions,
        window_strides,
        padding,
        base_dilation,
        window_dilation,
    )
    if len(flat) == 1 and known(computation, inits[0]) is not None:
        primitive = _KNOWN_WINDOWS.get(computation)
        if primitive is not None and aval_of(flat[0]).dtype != BOOL:
            return tree.unflatten(in_tree, [primitive.bind(flat[0], **params)])
    jaxpr = reducer("reduce_window", computation, in_tree, inits)
    return tree.unflatten(in_tree, reduce_window_p.bind(*flat, *inits, jaxpr=jaxpr, consts=(), **params))


class ReduceWindow(Primitive):
    """Operands, then as many initial values."""

    name = "reduce_window"
    multiple_results = True

    def abstract_eval(self, *avals: Any, jaxpr: Any, consts: Any, **params: Any) -> list[ShapedArray]:
        operands = avals[: len(avals) // 2]
        if any(aval.shape != operands[0].shape for aval in operands):
            raise ValueError(
                f"reduce_window: operands {types(operands)} were given, but their shapes must be equal; "
                f"broadcast them"
            )
        return [ShapedArray(windows_shape(aval.shape, params), aval.dtype) for aval in operands]

    def lower(self, ctx: Any, *operands: Any, jaxpr: Any, consts: Any, **params: Any) -> list[Any]:
        count = len(operands) // 2
        avals = list(ctx.avals_out)

        def body(b: Any, left: Sequence[Any], right: Sequence[Any]) -> list[Any]:
            return list(ctx.inline(jaxpr, b, [*left, *right]))

        return lower_windows(ctx.b, operands[:count], operands[count:], avals, body, params)

    def batch(self, size: int, args: Any, dims: Any, *, jaxpr: Any, consts: Any, **params: Any) -> Any:
        count = len(args) // 2
        if any(d is not None for d in dims[count:]):
            return one_by_one(self, size, args, dims, dict(params, jaxpr=jaxpr, consts=consts))
        moved = [
            broadcast_axis(x, size, 0) if d is None else move_axis(x, d, 0)
            for x, d in zip(args[:count], dims[:count], strict=True)
        ]
        out = self.bind(*moved, *args[count:], jaxpr=jaxpr, consts=consts, **batched_windows(params, 0))
        return out, [0] * count

    def reference(self, *arrays: Any, jaxpr: Any, consts: Any, **params: Any) -> list[Any]:
        count, ndim = len(arrays) // 2, arrays[0].ndim
        seen = [
            reference_windows(x, init, params) for x, init in zip(arrays[:count], arrays[count:], strict=True)
        ]
        rows = [np.moveaxis(x.reshape(*x.shape[:ndim], -1), -1, 0) for x in seen]
        total = [np.full(x.shape[1:], init, x.dtype) for x, init in zip(rows, arrays[count:], strict=True)]
        for values in zip(*rows, strict=True):
            total = reference_program(jaxpr, *total, *values)
        return total

    def examples(self) -> Iterable[Example]:
        one = np.float32(1)
        jaxpr = reducer("reduce_window", mul, tree.structure(0), [one])
        for shape, params in window_examples():
            full = dict(params, jaxpr=jaxpr, consts=())
            yield Example((ShapedArray(shape, F32), one), full, differentiate=False)


reduce_window_p = ReduceWindow()
