"""Lowering of ``while`` loops, also of those whose slices end at different steps."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from jaxlab.control.bodies import split_by
from jaxlab.core.aval import ShapedArray
from jaxlab.core.effects import ordered
from jaxlab.core.jaxpr import ClosedJaxpr
from jaxlab.core.memo import memoised
from jaxlab.interpreters.staging import stage_closed
from jaxlab.primitives.broadcasting import broadcast_in_dim
from jaxlab.primitives.comparison import select_n
from jaxlab.primitives.reduction import reduce_or


def lower_while(
    ctx: Any,
    operands: Sequence[Any],
    cond_jaxpr: ClosedJaxpr,
    cond_nconsts: int,
    body_jaxpr: ClosedJaxpr,
    body_nconsts: int,
) -> list[Any]:
    """A loop whose condition has no ordered effects."""
    b = ctx.b
    consts = cond_nconsts + body_nconsts
    pred = cond_jaxpr.out_avals[0]
    types = [b.type(aval) for aval in ctx.avals_in]
    keeps_order = ordered(body_jaxpr.effects)
    if keeps_order:
        types, operands = [*types, b.token], [*operands, ctx.token]
    loop = b.op("stablehlo.while", types, operands, regions=2)
    test, arguments = b.block(loop.regions[0], types)
    test_consts, _, carry = split_by(arguments[: len(ctx.avals_in)], cond_nconsts, body_nconsts)
    go_on = ctx.inline(cond_jaxpr, test, [*test_consts, *carry], "while/cond")
    test.end(ctx.inline(_any(cond_jaxpr), test, go_on) if pred.shape else go_on)
    body, arguments = b.block(loop.regions[1], types)
    if keeps_order:
        *arguments, ctx.token = arguments
    test_consts, body_consts, carry = split_by(arguments, cond_nconsts, body_nconsts)
    after = ctx.inline(body_jaxpr, body, [*body_consts, *carry], "while/body")
    if pred.shape:
        # Slices that are done wait for the others, and keep their carry.
        going = ctx.inline(cond_jaxpr, body, [*test_consts, *carry], "while/body_pred")
        keep = keep_done(cond_jaxpr, body_jaxpr.out_avals)
        after = ctx.inline(keep, body, [*going, *after, *carry])
    body.end([*arguments[:consts], *after, *([ctx.token] if keeps_order else [])])
    out = list(loop.results)[consts:]
    if keeps_order:
        ctx.token = out.pop()
    return out


def lower_with_ordered_test(
    ctx: Any,
    operands: Sequence[Any],
    cond_jaxpr: ClosedJaxpr,
    cond_nconsts: int,
    body_jaxpr: ClosedJaxpr,
    body_nconsts: int,
) -> list[Any]:
    """A loop whose condition has ordered effects: the condition region cannot hand a token on, so that the
    condition is computed before the loop and at the end of each step, and carried.
    """
    b = ctx.b
    consts = cond_nconsts + body_nconsts
    many = bool(cond_jaxpr.out_avals[0].shape)
    test_consts, _, carry = split_by(operands, cond_nconsts, body_nconsts)
    (going,) = ctx.inline(cond_jaxpr, b, [*test_consts, *carry], "while/cond")
    types = [*[b.type(aval) for aval in ctx.avals_in], going.type, b.token]
    loop = b.op("stablehlo.while", types, [*operands, going, ctx.token], regions=2)
    test, arguments = b.block(loop.regions[0], types)
    go_on = [arguments[-2]]
    test.end(ctx.inline(_any(cond_jaxpr), test, go_on) if many else go_on)
    body, (*arguments, going, ctx.token) = b.block(loop.regions[1], types)
    test_consts, body_consts, carry = split_by(arguments, cond_nconsts, body_nconsts)
    after = ctx.inline(body_jaxpr, body, [*body_consts, *carry], "while/body")
    if many:
        keep = keep_done(cond_jaxpr, body_jaxpr.out_avals)
        after = ctx.inline(keep, body, [going, *after, *carry])
    (going,) = ctx.inline(cond_jaxpr, body, [*test_consts, *after], "while/cond")
    body.end([*arguments[:consts], *after, going, ctx.token])
    *out, _, ctx.token = loop.results
    return out[consts:]


@memoised
def _any(test: ClosedJaxpr) -> ClosedJaxpr:
    """Whether any slice goes on, from what a condition says of each."""
    (pred,) = test.out_avals
    return stage_closed(lambda going: [reduce_or(going, tuple(range(len(pred.shape))))], [pred])


@memoised
def keep_done(test: ClosedJaxpr, avals: Sequence[ShapedArray]) -> ClosedJaxpr:
    """The new carry of slices that go on, the old one of those that are done."""
    (pred,) = test.out_avals

    def fun(going: Any, *values: Any) -> list[Any]:
        chosen = []
        for aval, new, old in zip(avals, values[: len(avals)], values[len(avals) :], strict=True):
            which = broadcast_in_dim(going, aval.shape, tuple(range(len(pred.shape))))
            chosen.append(select_n(which, old, new))
        return chosen

    return stage_closed(fun, [pred, *avals, *avals])
