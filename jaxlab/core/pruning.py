"""Programs without what their unused results alone need."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from jaxlab.core.jaxpr import ClosedJaxpr, JaxprEqn, dce
from jaxlab.core.memo import memoised


@memoised
def prune_jaxpr(
    closed: ClosedJaxpr, used: Sequence[bool], kept: Sequence[bool] | None = None
) -> tuple[ClosedJaxpr, list[bool]]:
    """The program of the results in ``used`` alone, and which of its inputs it still takes.

    Inputs in ``kept`` stay although nothing reads them.
    """
    jaxpr, read = dce(closed.jaxpr, used)
    if kept is not None:
        read = [r or k for r, k in zip(read, kept, strict=True)]
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
    kept = {
        key: tuple(x for x, r in zip(value, read, strict=True) if r) if len(value) == len(read) else value
        for key, value in by_operand.items()
    }
    return eqn.replace(
        invars=[v for v, r in zip(eqn.invars, read, strict=True) if r],
        outvars=[v for v, u in zip(eqn.outvars, used, strict=True) if u],
        params={**eqn.params, name: closed, **kept},
    )
