"""Programs without what their unused results alone need."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from jaxlab.core.jaxpr import ClosedJaxpr, JaxprEqn, PrunedEqn, dce
from jaxlab.core.memo import memoised


@memoised
def prune_jaxpr(
    closed: ClosedJaxpr, used: Sequence[bool], kept: Sequence[bool] | None = None
) -> tuple[ClosedJaxpr, list[bool]]:
    """The program of the results in ``used`` alone, and which of its inputs it still takes.

    Inputs in ``kept`` stay although nothing reads them. Where all of it is needed it is itself.
    """
    jaxpr, read = dce(closed.jaxpr, used)
    if kept is not None:
        read = [r or k for r, k in zip(read, kept, strict=True)]
    if all(read) and all(used) and jaxpr.eqns == closed.jaxpr.eqns:
        return closed, read
    names = jaxpr.debug.arg_names
    invars = [v for v, r in zip(jaxpr.invars, read, strict=True) if r]
    jaxpr = jaxpr.replace(invars=invars)
    if len(names) == len(read):
        jaxpr.debug = type(jaxpr.debug)(
            jaxpr.debug.name, tuple(n for n, r in zip(names, read, strict=True) if r)
        )
    return ClosedJaxpr(jaxpr, closed.consts), read


def pruned_call(eqn: JaxprEqn, name: str, used: Sequence[bool], **by_operand: Any) -> JaxprEqn:
    """An application of the program in the parameter ``name``, pruned to the results in ``used``.

    Args:
      by_operand: parameters that hold one entry an operand; those of operands that go, go too.
    """
    closed, read = prune_jaxpr(eqn.params[name], list(used))
    if closed is eqn.params[name]:
        return eqn
    kept = {
        key: tuple(x for x, r in zip(value, read, strict=True) if r) if len(value) == len(read) else value
        for key, value in by_operand.items()
    }
    return pruned(eqn, {**eqn.params, name: closed, **kept}, read, used)


def pruned(
    eqn: JaxprEqn, params: dict[str, Any], inputs: Sequence[bool], outputs: Sequence[bool]
) -> JaxprEqn:
    """What is left of an equation: the arguments and results marked, with these parameters."""
    invars = [v for v, keep in zip(eqn.invars, inputs, strict=True) if keep]
    return PrunedEqn(eqn, invars, [v for v, keep in zip(eqn.outvars, outputs, strict=True) if keep], params)
