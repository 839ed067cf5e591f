"""``closure_convert``: what a function closes over becomes arguments, so that derivative rules see it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from jaxlab import tree
from jaxlab.core.aval import Zero, aval_of, is_inexact
from jaxlab.core.trace import Tracer
from jaxlab.interpreters.batching import BatchTracer
from jaxlab.interpreters.functions import FlatFunction, debug_info, function_name
from jaxlab.interpreters.jvp import JVPTracer
from jaxlab.interpreters.staging import eval_jaxpr, stage
from jaxlab.transforms.descriptions import check_arguments
from jaxlab.transforms.linearized import check_callable


def closure_convert(fun: Callable[..., Any], *example_args: Any) -> tuple[Callable[..., Any], list[Any]]:
    """A function that takes what ``fun`` closes over as further arguments, and the values for those.

    A function with a derivative rule that takes a function as an argument cannot tell derivatives by values
    that hide in it. This brings them to light.

    Args:
      fun: a pure function of pytrees of arrays.
      example_args: arguments of the types that it will be called with.

    Returns:
      ``(converted, values)``, where ``converted(*args, *values)`` is ``fun(*args)``. The values are those that may
      be differentiated; others stay in the function.

    Raises:
      TypeError: from ``converted``, if arguments of another structure are given.

    >>> def total(x):
    ...     f, values = closure_convert(lambda y: x * y, 1.0)
    ...     return f(2.0, *values)
    >>> grad(total)(3.0)
    Array(2., dtype=float32, weak_type=True)
    """
    check_callable("closure_convert", fun)
    check_arguments("closure_convert", fun, example_args)
    leaves, in_tree = tree.flatten(example_args)
    flat = FlatFunction(fun, tree.structure((example_args, {})))
    jaxpr, closed_over = stage(flat, [aval_of(x) for x in leaves], debug_info(fun, example_args, {}))
    given = [_may_be_differentiated(x) for x in closed_over]
    values = [x for x, g in zip(closed_over, given, strict=True) if g]
    kept = [x for x, g in zip(closed_over, given, strict=True) if not g]
    count = len(values)

    def converted(*args: Any) -> Any:
        own = args[: len(args) - count]
        found, found_tree = tree.flatten(own)
        if found_tree != in_tree:
            raise TypeError(
                f"closure_convert: {function_name(fun)} was called with arguments of structure {found_tree}, but "
                f"it was converted for {in_tree} and {count} more; call it with those, or convert it anew"
            )
        hidden, open_ = iter(kept), iter(args[len(args) - count :])
        constants = [next(open_) if g else next(hidden) for g in given]
        return tree.unflatten(flat.out_tree, eval_jaxpr(jaxpr, constants, *found))

    return converted, values


def _may_be_differentiated(x: Any) -> bool:
    """Whether a derivative may be taken by a value: if it has a tangent, or may get one later."""
    if not isinstance(x, Tracer):
        return False
    if isinstance(x, JVPTracer):
        return type(x.tangent) is not Zero or _may_be_differentiated(x.primal)
    if isinstance(x, BatchTracer):
        return _may_be_differentiated(x.value)
    return is_inexact(x.aval.dtype)
