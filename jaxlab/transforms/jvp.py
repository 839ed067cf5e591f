"""``jvp``: the derivative of a function along a direction."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from jaxlab import dtypes, tree
from jaxlab.core.aval import Zero, aval_of
from jaxlab.core.refs import is_ref
from jaxlab.interpreters.functions import FlatFunction
from jaxlab.interpreters.jvp import jvp_flat
from jaxlab.transforms.descriptions import check_arguments, check_leaves, check_results, is_value, type_of
from jaxlab.transforms.linearized import as_array, check_callable, check_pair


def jvp(
    fun: Callable[..., Any], primals: Sequence[Any], tangents: Sequence[Any], has_aux: bool = False
) -> Any:
    """The value of ``fun`` at ``primals`` and its derivative along ``tangents``.

    Args:
      fun: a function of pytrees of arrays; with ``has_aux`` it returns a pair whose second part is passed on.
      primals: a tuple or list of arguments.
      tangents: a direction for each, of the same structure, shapes and dtypes (``float0`` for integers).

    Returns:
      ``(value, tangent)``, or ``(value, tangent, aux)``.

    Raises:
      TypeError: if primals and tangents do not match.

    >>> jvp(jnp.sin, (0.0,), (1.0,))
    (Array(0., dtype=float32, weak_type=True), Array(1., dtype=float32, weak_type=True))
    """
    return jvp_for("jvp", fun, primals, tangents, has_aux)


def jvp_for(
    what: str, fun: Callable[..., Any], primals: Sequence[Any], tangents: Sequence[Any], has_aux: bool
) -> Any:
    """`jvp` for an operation that its errors are to speak of."""
    check_callable(what, fun)
    if not isinstance(primals, tuple | list) or not isinstance(tangents, tuple | list):
        raise TypeError(
            f"jvp: {type_of(primals)} and {type_of(tangents)} were given, but primals and tangents are tuples or lists "
            "with an entry for each argument; write jvp(fun, (x,), (t,))"
        )
    leaves, in_tree = tree.flatten(primals)
    tangent_leaves, tangent_tree = tree.flatten(tangents)
    if in_tree != tangent_tree:
        raise TypeError(
            f"jvp: primals of structure {in_tree} were given, but tangents of structure {tangent_tree}; give a tangent "
            "for each primal"
        )
    if not all(map(is_value, leaves)):
        check_arguments(what, fun, primals)
    if not all(map(is_value, tangent_leaves)):
        check_leaves(what, "tangent", tuple(tangents))
    directions: list[Any] = []
    for i, (x, t) in enumerate(zip(leaves, tangent_leaves, strict=True)):
        aval, given = aval_of(x).to_tangent_aval(), aval_of(t)
        if given.dtype != aval.dtype or given.shape != aval.shape or is_ref(given) != is_ref(aval):
            path = tree.keystr(tree.leaves_with_path(tuple(primals))[i][0])
            wrong = ValueError if given.dtype == aval.dtype and given.shape != aval.shape else TypeError
            raise wrong(
                f"jvp: the tangent{path} is {given.str_short()}, but the primal of type "
                f"{aval_of(x).str_short()} needs a tangent of type {aval.str_short()}; "
                "convert or reshape it"
            )
        directions.append(Zero(aval) if aval.dtype == dtypes.float0 else t)
    _, args_tree = tree.flatten((tuple(primals), {}))
    flat = FlatFunction(fun, args_tree)
    values, out_tangents = jvp_flat(flat, leaves, directions)
    if not has_aux and not all(map(is_value, values)):
        check_results(what, fun, values)
    out = tree.unflatten(flat.out_tree, values)
    out_tangent = tree.unflatten(flat.out_tree, [as_array(t) for t in out_tangents])
    if not has_aux:
        return out, out_tangent
    check_pair(what, fun, out)
    check_results(what, fun, tree.leaves(out[0]))
    return out[0], out_tangent[0], out[1]
