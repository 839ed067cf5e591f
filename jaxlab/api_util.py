"""Wrapped functions made flat, under the names of ``jax.api_util``, for libraries with transformations of their own.

>>> from jaxlab.extend.linear_util import wrap_init
>>> leaves, tree = jaxlab.tree.flatten((({"x": 2.0},), {}))
>>> flat, out_tree = flatten_fun(wrap_init(lambda d: {"y": d["x"] + 1}), tree)
>>> flat.call_wrapped(*leaves), out_tree()
([3.0], PyTreeDef({'y': *}))
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from jaxlab import tree
from jaxlab.core.aval import ShapedArray, aval_of
from jaxlab.core.jaxpr import DebugInfo
from jaxlab.extend.linear_util import transformation_with_aux2
from jaxlab.interpreters.functions import argument_paths, function_name

__all__ = ["debug_info", "flatten_fun", "flatten_fun_nokwargs", "safe_map", "shaped_abstractify"]


@transformation_with_aux2
def flatten_fun(f: Callable[..., Any], store: Any, in_tree: Any, *leaves: Any) -> list[Any]:
    """A wrapped function of the leaves of ``(args, kwargs)``, and what tells the structure of its result."""
    args, kwargs = tree.unflatten(in_tree, leaves)
    out, out_tree = tree.flatten(f(*args, **kwargs))
    store.store(out_tree)
    return out


@transformation_with_aux2
def flatten_fun_nokwargs(f: Callable[..., Any], store: Any, in_tree: Any, *leaves: Any) -> list[Any]:
    """As `flatten_fun`, of the leaves of the positional arguments alone."""
    out, out_tree = tree.flatten(f(*tree.unflatten(in_tree, leaves)))
    store.store(out_tree)
    return out


def debug_info(
    traced_for: str,
    fun: Callable[..., Any],
    args: Sequence[Any],
    kwargs: dict[str, Any],
    *,
    static_argnums: Sequence[int] = (),
    static_argnames: Sequence[str] = (),
) -> DebugInfo:
    """What to call a function and its arguments in programs that are traced from it.

    Args:
      traced_for: what traces it; programs here are called after the function alone.
      fun: the function.
      args, kwargs: arguments like those it will get.
      static_argnums, static_argnames: which of them are not traced.

    >>> debug_info("example", lambda x, y: x, (1.0, 2.0), {}).arg_names
    ('x', 'y')
    """
    return DebugInfo(
        function_name(fun), argument_paths(fun, args, kwargs, tuple(static_argnums), tuple(static_argnames))
    )


def safe_map(fun: Callable[..., Any], *sequences: Any) -> list[Any]:
    """``fun`` of the entries of sequences, in turn, as a list; ValueError where their lengths differ.

    >>> safe_map(max, [1, 5], [2, 3])
    [2, 5]
    """
    return [fun(*entries) for entries in zip(*sequences, strict=True)]


def shaped_abstractify(x: Any) -> ShapedArray:
    """The type of a value, as `jaxlab.typeof` gives it."""
    return aval_of(x)
