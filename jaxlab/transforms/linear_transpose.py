"""``linear_transpose``: the transpose of a function that is linear, without a point at which to linearize."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from jaxlab import dtypes, tree
from jaxlab.core.aval import ShapedArray, UndefinedPrimal, aval_of, is_array_like, is_inexact
from jaxlab.core.jaxpr import Jaxpr, dce
from jaxlab.interpreters.functions import FlatFunction, debug_info, function_name
from jaxlab.interpreters.staging import stage
from jaxlab.interpreters.transpose import backward
from jaxlab.primitives.broadcasting import instantiate
from jaxlab.transforms.descriptions import check_arguments, check_leaves, is_value
from jaxlab.transforms.linearized import check_callable
from jaxlab.transforms.vjp import as_arrays
from jaxlab.tree_util import Partial


def linear_transpose(
    fun: Callable[..., Any], *primals: Any, reduce_axes: Sequence[Any] = ()
) -> Callable[..., Any]:
    """The transpose of a function that is promised to be linear.

    Args:
      fun: a linear function of pytrees of arrays.
      primals: arguments, or anything else with their shapes and dtypes.

    Returns:
      A function from a cotangent like the result to a tuple of cotangents like ``primals``; it is a pytree of what
      ``fun`` closes over.

    Raises:
      TypeError: if dtypes are not all inexact or all integer, or from the function returned, if the cotangent does not
        fit.
      NotImplementedError: if ``fun`` applies something that is not linear to its arguments.

    >>> linear_transpose(lambda x, y: 0.5 * x - 2 * y, 1.0, 1.0)(1.0)
    (Array(0.5, dtype=float32, weak_type=True), Array(-2., dtype=float32, weak_type=True))
    """
    if reduce_axes:
        raise NotImplementedError("linear_transpose: reduce_axes is no longer supported; leave it out")
    check_callable("linear_transpose", fun)
    leaves, in_tree = tree.flatten(primals)
    avals = [_aval(fun, x, primals) for x in leaves]
    flat = FlatFunction(fun, tree.structure((primals, {})))
    jaxpr, consts = stage(flat, avals, debug_info(fun, primals, {}))
    jaxpr, _ = dce(jaxpr, [True] * len(jaxpr.outvars))
    out_avals = [v.aval for v in jaxpr.outvars]
    all_dtypes = [aval.dtype for aval in (*avals, *out_avals)]
    if not all(map(is_inexact, all_dtypes)) and not all(dtypes.issubdtype(d, np.integer) for d in all_dtypes):
        raise TypeError(
            f"linear_transpose: {function_name(fun)} maps {_short(avals)} to {_short(out_avals)}, but the types "
            "must be all inexact or all integer; convert the arguments"
        )
    return Partial(TransposedFunction(function_name(fun), jaxpr, in_tree, flat.out_tree, avals), consts)


def _aval(fun: Any, x: Any, primals: Sequence[Any]) -> ShapedArray:
    if is_array_like(x) or not (hasattr(x, "shape") and hasattr(x, "dtype")):
        if not is_value(x):
            check_arguments("linear_transpose", fun, primals)
        return aval_of(x)
    return ShapedArray(tuple(x.shape), dtypes.canonicalize(x.dtype), bool(getattr(x, "weak_type", False)))


def _short(avals: Sequence[ShapedArray]) -> str:
    return f"({', '.join(aval.str_short() for aval in avals)})"


class TransposedFunction:
    """The transposed function, of the constants of its program and a cotangent."""

    __slots__ = ("avals", "in_tree", "jaxpr", "name", "out_tree")

    def __init__(
        self, name: str, jaxpr: Jaxpr, in_tree: Any, out_tree: Any, avals: list[ShapedArray]
    ) -> None:
        self.name = name
        self.jaxpr = jaxpr
        self.in_tree = in_tree
        self.out_tree = out_tree
        self.avals = avals

    def __call__(self, consts: Sequence[Any], ct: Any) -> Any:
        cts, ct_tree = tree.flatten(ct)
        if ct_tree != self.out_tree:
            raise TypeError(
                f"linear_transpose: a cotangent of structure {ct_tree} was given, but {self.name} returns structure "
                f"{self.out_tree}; give one like its result"
            )
        check_leaves("linear_transpose", "cotangent", ct)
        out_avals = [v.aval for v in self.jaxpr.outvars]
        given = [aval_of(x) for x in cts]
        if [(a.shape, a.dtype) for a in given] != [(a.shape, a.dtype) for a in out_avals]:
            raise TypeError(
                f"linear_transpose: cotangents of types {_short(given)} were given, but {self.name} returns "
                f"{_short(out_avals)}; give one like its result"
            )
        undefined = [UndefinedPrimal(aval) for aval in self.avals]
        found = backward(self.jaxpr, consts, undefined, cts)
        return tree.unflatten(self.in_tree, as_arrays([instantiate(x) for x in found]))
