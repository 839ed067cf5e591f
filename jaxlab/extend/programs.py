"""Jaxprs as functions, and functions as the lowering of a primitive."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from jaxlab.core.jaxpr import ClosedJaxpr, Jaxpr
from jaxlab.interpreters import staging
from jaxlab.interpreters.mlir import lower_fun


def eval_jaxpr(jaxpr: Jaxpr, consts: Sequence[Any], *args: Any) -> list[Any]:
    """Run a jaxpr, equation by equation, under whatever is being traced; returns the list of its results.

    Args:
      jaxpr: an open jaxpr, ``closed.jaxpr``.
      consts: the values of its constvars, ``closed.consts``.
      args: a value for each of its inputs.

    >>> closed = jaxlab.make_jaxpr(lambda x: x * 2.0)(1.0)
    >>> eval_jaxpr(closed.jaxpr, closed.consts, 3.0)
    [Array(6., dtype=float32, weak_type=True)]
    """
    return staging.eval_jaxpr(jaxpr, consts, *args)


def jaxpr_as_fun(closed_jaxpr: ClosedJaxpr, *args: Any) -> Any:
    """The function that a closed jaxpr is; given arguments too, the list of its results at them.

    >>> double = jaxpr_as_fun(jaxlab.make_jaxpr(lambda x: x * 2.0)(1.0))
    >>> double(3.0)
    [Array(6., dtype=float32, weak_type=True)]
    """

    def function(*xs: Any) -> list[Any]:
        return staging.eval_closed(closed_jaxpr, *xs)

    function.__name__ = closed_jaxpr.jaxpr.debug.name or "jaxpr"
    return function(*args) if args else function


def lower_as(fun: Callable[..., Any]) -> Callable[..., Any]:
    """A ``lower`` rule that writes what ``fun`` does: a function of operands and, by keyword, the parameters.

    Use it for a primitive that is a composition of others to the compiler, but has rules of its own. As a method
    of a class it is assigned, ``lower = lower_as(...)``; ``Elementwise`` takes it as an argument.

    >>> from jaxlab.extend import Linear
    >>> class Twice(Linear):
    ...     name = "twice"
    ...     def abstract_eval(self, x):
    ...         return x
    ...     lower = lower_as(lambda x: x + x)
    >>> twice_p = Twice()
    >>> twice_p.bind(3.0)
    Array(6., dtype=float32, weak_type=True)
    """

    rule = lower_fun(fun)

    def lower(*args: Any, **params: Any) -> Any:
        # A method gets the primitive first, the argument of a family does not.
        ctx, *operands = args[1:] if hasattr(args[0], "bind") else args
        out = rule(ctx, *operands, **params)
        return out if ctx.eqn.primitive.multiple_results else out[0]

    return lower
