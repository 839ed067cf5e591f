"""What reverse mode keeps of a function from the way forward to the way back, and where it comes from."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from jaxlab import tree
from jaxlab.core.aval import ShapedArray, aval_of
from jaxlab.core.jaxpr import Jaxpr, JaxprEqn, Literal, Var
from jaxlab.core.source import summary
from jaxlab.interpreters.functions import FlatFunction, debug_info
from jaxlab.interpreters.staging import stage
from jaxlab.primitives.conversion import reduce_precision_p
from jaxlab.primitives.naming import name_p
from jaxlab.transforms.linearized import linearize_flat


def saved_residuals(f: Callable[..., Any], *args: Any, **kwargs: Any) -> list[tuple[ShapedArray, str]]:
    """The type of each value that `vjp` of ``f`` keeps, and in words where it comes from.

    Args:
      f: a function of pytrees of arrays.
      args, kwargs: its arguments, or types in place of them.

    >>> saved_residuals(jnp.sin, 1.0)[0][0]
    ShapedArray(float32[], weak_type=True)
    """
    leaves, in_tree = tree.flatten((args, kwargs))
    flat = FlatFunction(f, in_tree)

    def residuals(*xs: Any) -> Sequence[Any]:
        return linearize_flat(flat, xs)[1].residuals

    debug = debug_info(f, args, kwargs)
    jaxpr, _ = stage(residuals, [aval_of(x) for x in leaves], debug)
    return _described(jaxpr, debug.arg_names)


def print_saved_residuals(f: Callable[..., Any], *args: Any, **kwargs: Any) -> None:
    """Print `saved_residuals`, a line each.

    >>> print_saved_residuals(lambda x: x * x, 2.0)
    f32[] from the argument x
    """
    for aval, source in saved_residuals(f, *args, **kwargs):
        print(aval.str_short(), source)


def _described(jaxpr: Jaxpr, names: Sequence[str]) -> list[tuple[ShapedArray, str]]:
    """The results of a program, each with where it comes from, in the order in which they come about."""
    # Rounding for the sake of `checkpoint` is no source of its own.
    rounded = {eqn.outvars[0]: eqn.invars[0] for eqn in jaxpr.eqns if eqn.primitive is reduce_precision_p}
    outs = [rounded.get(v, v) if type(v) is Var else v for v in jaxpr.outvars]
    found = [(v.aval, "from a literal") for v in outs if type(v) is Literal]
    saved = {v for v in outs if type(v) is Var}
    found += [(v.aval, "from a constant") for v in jaxpr.constvars if v in saved]
    for i, v in enumerate(jaxpr.invars):
        if v in saved:
            named = names[i] if i < len(names) else ""
            found.append((v.aval, f"from the argument {named}" if named else f"from the argument number {i}"))
    found += [(v.aval, _source(eqn)) for eqn in jaxpr.eqns for v in eqn.outvars if v in saved]
    return found


def _source(eqn: JaxprEqn) -> str:
    place = summary(eqn.traceback)
    if eqn.primitive is name_p:
        return f"named '{eqn.params['name']}' from {place}"
    if eqn.primitive.name == "jit":
        return f"output of jitted function '{eqn.params['name']}' from {place}"
    return f"output of {eqn.primitive.name} from {place}"
