"""``custom_gradient``: one function that returns a value and how cotangents of it are pulled back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from jaxlab import tree
from jaxlab.core.aval import aval_of
from jaxlab.core.jaxpr import DebugInfo, Jaxpr
from jaxlab.interpreters.functions import function_name
from jaxlab.interpreters.staging import eval_jaxpr, stage
from jaxlab.transforms.custom_vjp import custom_vjp
from jaxlab.transforms.descriptions import kind_of
from jaxlab.tree_util import register_pytree_node


def custom_gradient(fun: Callable[..., Any]) -> custom_vjp:
    """A function that says itself how cotangents of its result are pulled back.

    Args:
      fun: takes pytrees of arrays, and returns a pair: the value, and a function from a cotangent like the value
        to a tuple of cotangents like the arguments (or the cotangent itself, of a lone argument that is an
        array). That function may use what was computed for the value.

    Returns:
      The function of the value, to be differentiated in reverse mode.

    Raises:
      TypeError: if ``fun`` returns no such pair, or cotangents of another structure.

    >>> @custom_gradient
    ... def f(x):
    ...     return x ** 2, lambda ct: (ct * x,)
    >>> f(jnp.float32(3)), grad(f)(3.0)
    (Array(9., dtype=float32), Array(3., dtype=float32, weak_type=True))
    """

    def pair(args: Any) -> Any:
        out = fun(*args)
        if not isinstance(out, tuple | list) or len(out) != 2 or not callable(out[1]):
            raise TypeError(
                f"custom_gradient: {function_name(fun)} returned {_kind(out)}, but a pair is needed of the value and a "
                "function that pulls its cotangent back; return value, lambda ct: (...)"
            )
        return out

    # In a jaxpr these two and the function go by these names.
    def wrapped_fun(*args: Any) -> Any:
        return pair(args)[0]

    def fwd(*args: Any) -> Any:
        value, pull_back = pair(args)
        leaves, out_tree = tree.flatten(value)
        in_trees: list[Any] = []

        def flat(*cts: Any) -> list[Any]:
            found, in_tree = tree.flatten(pull_back(tree.unflatten(out_tree, cts)))
            in_trees.append(in_tree)
            return found

        avals = [aval_of(x).to_tangent_aval() for x in leaves]
        jaxpr, closed_over = stage(flat, avals, DebugInfo(function_name(pull_back)))
        return value, Residuals(jaxpr, in_trees[0], closed_over)

    def bwd(residuals: Residuals, ct: Any) -> Any:
        found = eval_jaxpr(residuals.jaxpr, residuals.values, *tree.leaves(ct))
        cts = tree.unflatten(residuals.in_tree, found)
        return (cts,) if residuals.in_tree == tree.structure(0) else cts

    ruled = custom_vjp(wrapped_fun)
    ruled.__doc__ = fun.__doc__
    ruled.defvjp(fwd, bwd)
    return ruled


def _kind(out: Any) -> str:
    if isinstance(out, tuple | list) and len(out) == 2:
        return f"a pair whose second part is {kind_of(out[1])}"
    return kind_of(out)


class Residuals:
    """A traced function of cotangents; its leaves are the values that it closes over."""

    __slots__ = ("in_tree", "jaxpr", "values")

    def __init__(self, jaxpr: Jaxpr, in_tree: Any, values: list[Any]) -> None:
        self.jaxpr = jaxpr
        self.in_tree = in_tree
        self.values = values


register_pytree_node(
    Residuals,
    lambda r: (tuple(r.values), (r.jaxpr, r.in_tree)),
    lambda aux, values: Residuals(aux[0], aux[1], list(values)),
)
