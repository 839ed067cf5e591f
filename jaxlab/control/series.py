"""Power series through branches and loops: each coefficient is an operand, or a carry, of its own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from jaxlab.control.bodies import fixpoint, reorder, split_by
from jaxlab.core.jaxpr import ClosedJaxpr
from jaxlab.interpreters.jet import JetTrace, jet_jaxpr


def series_of_branches(
    primitive: Any,
    trace: JetTrace,
    args: Sequence[Any],
    branches: Sequence[ClosedJaxpr],
    params: dict[str, Any],
) -> list[Any]:
    """The series of the branch that is chosen."""
    index, *operands = args
    moving = [trace.owns(x) for x in operands]
    flags = [jet_jaxpr(branch, trace.order, moving)[1] for branch in branches]
    moving_out = [any(each) for each in zip(*flags, strict=True)]
    derived = tuple(jet_jaxpr(branch, trace.order, moving, moving_out)[0] for branch in branches)
    out = trace.now(primitive, [index, *trace.operands(operands, moving)], {**params, "branches": derived})
    return trace.from_operands(out, moving_out)


def series_of_scan(
    primitive: Any,
    trace: JetTrace,
    args: Sequence[Any],
    *,
    jaxpr: ClosedJaxpr,
    num_consts: int,
    num_carry: int,
    **params: Any,
) -> list[Any]:
    """The series of carries and stacks: a step maps series to series."""
    order = trace.order
    moving = [trace.owns(x) for x in args]
    consts_m, carry_m, xs_m = split_by(moving, num_consts, num_carry)
    ys = len(jaxpr.jaxpr.outvars) - num_carry

    def derive(flags: Sequence[bool]) -> tuple[ClosedJaxpr, list[bool]]:
        return jet_jaxpr(jaxpr, order, [*consts_m, *flags, *xs_m], [*flags, *[False] * ys])

    carry_m = fixpoint(carry_m, lambda flags: derive(flags)[1][:num_carry])
    derived, moving_out = derive(carry_m)
    moving = [*consts_m, *carry_m, *xs_m]
    counts = [order * sum(part) for part in (consts_m, carry_m, xs_m)]
    places = _interleaved(len(args), [num_consts, num_carry], counts)
    outs = _interleaved(num_carry + ys, [num_carry], [counts[1], order * sum(moving_out[num_carry:])])
    operands = trace.operands(args, moving)
    out = trace.now(
        primitive,
        [operands[i] for i in places],
        {
            **params,
            "jaxpr": reorder(derived, places, outs),
            "num_consts": num_consts + counts[0],
            "num_carry": num_carry + counts[1],
        },
    )
    return trace.from_operands([x for _, x in sorted(zip(outs, out, strict=True), key=_first)], moving_out)


def series_of_while(
    primitive: Any,
    trace: JetTrace,
    args: Sequence[Any],
    *,
    ignoring: Callable[[ClosedJaxpr, Sequence[Any]], ClosedJaxpr],
    cond_jaxpr: ClosedJaxpr,
    cond_nconsts: int,
    body_jaxpr: ClosedJaxpr,
    body_nconsts: int,
) -> list[Any]:
    """The series of the carries; how often the loop runs depends on the values alone.

    Args:
      ignoring: gives the test that takes further carries of these types, and does not look at them.
    """
    order = trace.order
    test_consts, inner = list(args[:cond_nconsts]), args[cond_nconsts:]
    consts_m, carry_m = split_by([trace.owns(x) for x in inner], body_nconsts)
    carry_m = fixpoint(carry_m, lambda flags: jet_jaxpr(body_jaxpr, order, [*consts_m, *flags], flags)[1])
    derived, _ = jet_jaxpr(body_jaxpr, order, [*consts_m, *carry_m], carry_m)
    counts = [order * sum(consts_m), order * sum(carry_m)]
    places = _interleaved(len(inner), [body_nconsts], counts)
    operands = trace.operands(inner, [*consts_m, *carry_m])
    out = trace.now(
        primitive,
        [*[trace.at(x, 0) for x in test_consts], *[operands[i] for i in places]],
        {
            "cond_jaxpr": ignoring(cond_jaxpr, [v.aval for v in derived.jaxpr.outvars[len(carry_m) :]]),
            "cond_nconsts": cond_nconsts,
            "body_jaxpr": reorder(derived, places),
            "body_nconsts": body_nconsts + counts[0],
        },
    )
    return trace.from_operands(out, carry_m)


def _interleaved(values: int, sizes: Sequence[int], counts: Sequence[int]) -> list[int]:
    """Places that put after each group of values the coefficients of that group, which follow all values."""
    groups = split_by(range(values), *sizes)
    extra = split_by(range(values, values + sum(counts)), *counts[:-1])
    return [i for group, more in zip(groups, extra, strict=True) for i in (*group, *more)]


def _first(pair: tuple[int, Any]) -> int:
    return pair[0]
