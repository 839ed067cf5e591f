"""Seeing what a function is without running it: its jaxpr, and the types of its results."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from jaxlab import tree
from jaxlab.core.aval import aval_of
from jaxlab.core.jaxpr import ClosedJaxpr, DebugInfo
from jaxlab.interpreters.functions import FlatFunction, argument_paths, function_name
from jaxlab.interpreters.staging import stage
from jaxlab.transforms.shape_struct import struct_of


def make_jaxpr(
    fun: Callable[..., Any],
    static_argnums: int | Iterable[int] = (),
    axis_env: Sequence[tuple[Any, int]] | None = None,
    return_shape: bool = False,
) -> Callable[..., Any]:
    """A function that traces ``fun`` at its arguments and returns the closed jaxpr, running nothing.

    Args:
      fun: a function of pytrees of arrays.
      static_argnums: arguments that are Python values.
      return_shape: return the jaxpr, and the types of the results as a pytree of `ShapeDtypeStruct`.

    >>> make_jaxpr(lambda x: x + 1.0)(2.0)
    { lambda ; a:f32[]. let b:f32[] = add a 1.0:f32[] in (b,) }
    """
    static = (static_argnums,) if isinstance(static_argnums, int) else tuple(static_argnums)

    @functools.wraps(fun, updated=())
    def made(*args: Any, **kwargs: Any) -> Any:
        closed, out_tree = trace_to_jaxpr(fun, args, kwargs, static)
        if not return_shape:
            return closed
        return closed, tree.unflatten(out_tree, [struct_of(aval) for aval in closed.out_avals])

    return made


def trace_to_jaxpr(
    fun: Callable[..., Any], args: Sequence[Any], kwargs: dict[str, Any], static: Sequence[int] = ()
) -> tuple[ClosedJaxpr, Any]:
    """The closed jaxpr of a call, and the structure of its result."""
    numbers = {i % len(args) for i in static} if args else set()
    dynamic = tuple(x for i, x in enumerate(args) if i not in numbers)

    def bound(*xs: Any, **kws: Any) -> Any:
        given = iter(xs)
        return fun(*[x if i in numbers else next(given) for i, x in enumerate(args)], **kws)

    leaves, in_tree = tree.flatten((dynamic, kwargs))
    flat = FlatFunction(bound, in_tree)
    debug = DebugInfo(function_name(fun), argument_paths(fun, args, kwargs, tuple(numbers)))
    jaxpr, consts = stage(flat, [aval_of(x) for x in leaves], debug)
    return ClosedJaxpr(jaxpr, consts), flat.out_tree


def eval_shape(fun: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """The types of ``fun``'s results, as a pytree of `ShapeDtypeStruct`, without computing anything.

    >>> eval_shape(lambda x: x.sum(0), ShapeDtypeStruct((2, 3), "float32"))
    ShapeDtypeStruct(shape=(3,), dtype=float32)
    """
    closed, out_tree = trace_to_jaxpr(fun, args, kwargs)
    return tree.unflatten(out_tree, [struct_of(aval) for aval in closed.out_avals])
