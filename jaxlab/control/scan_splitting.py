"""Partial evaluation of a loop: what is known runs now, and stacks what the loop to come needs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from jaxlab.control.bodies import fixpoint, reorder, split_by
from jaxlab.core.jaxpr import ClosedJaxpr, Var
from jaxlab.core.memo import memoised
from jaxlab.core.primitive import Primitive
from jaxlab.core.trace import interpret_with
from jaxlab.interpreters.partial_eval import split_jaxpr
from jaxlab.interpreters.staging import eval_closed


def split_scan(
    primitive: Primitive,
    trace: Any,
    unknown: Sequence[bool],
    args: Sequence[Any],
    *,
    jaxpr: ClosedJaxpr,
    num_consts: int,
    num_carry: int,
    **params: Any,
) -> list[Any]:
    """The known part runs now and stacks its residuals, other than those that no step changes."""
    consts_u, carry_u, xs_u = split_by(unknown, num_consts, num_carry)
    ys = len(jaxpr.jaxpr.outvars) - num_carry

    def halve(flags: Sequence[bool]) -> Any:
        return split_jaxpr(jaxpr, [*consts_u, *flags, *xs_u], [*flags, *[False] * ys])

    carry_u = fixpoint(carry_u, lambda flags: halve(flags).out_unknown[:num_carry])
    halves = halve(carry_u)
    consts, carry, xs = split_by(args, num_consts, num_carry)

    def known_of(values: Sequence[Any], flags: Sequence[bool]) -> list[Any]:
        return [x for x, u in zip(values, flags, strict=True) if not u]

    def unknown_of(values: Sequence[Any], flags: Sequence[bool]) -> list[Any]:
        return [x for x, u in zip(values, flags, strict=True) if u]

    known_consts, known_xs = known_of(consts, consts_u), known_of(xs, xs_u)
    known_carry = known_of(carry, carry_u)
    known, forwarded = _without_forwarded(
        halves.known, halves.num_residuals, len(known_consts), len(known_carry)
    )
    num_computed = sum(i is None for i in forwarded)
    with interpret_with(trace.parent):
        outputs, invariant, stacked = _run_known(
            primitive, known, num_computed, known_consts, known_carry, known_xs, params
        )
    inputs = [*known_consts, *known_carry, *known_xs]
    fixed, stacks, is_stack = _residuals(forwarded, inputs, len(known_consts), invariant, stacked)
    count = halves.num_residuals
    body = halves.unknown
    num_uc, num_ucarry = sum(consts_u), sum(carry_u)
    places = split_by(range(len(body.jaxpr.invars)), count, num_uc, num_ucarry)
    order = [
        *[i for i, is_s in enumerate(is_stack) if not is_s],
        *places[1],
        *places[2],
        *places[3],
        *[i for i, is_s in enumerate(is_stack) if is_s],
    ]
    later = trace.unknown.process(
        primitive,
        [
            *fixed,
            *unknown_of(consts, consts_u),
            *unknown_of(carry, carry_u),
            *unknown_of(xs, xs_u),
            *stacks,
        ],
        {
            "jaxpr": reorder(body, order),
            "num_consts": len(fixed) + num_uc,
            "num_carry": num_ucarry,
            **params,
        },
    )
    known_outputs, unknown_outputs = iter(outputs), iter(later)
    return [next(unknown_outputs) if u else next(known_outputs) for u in halves.out_unknown]


@memoised
def _without_forwarded(
    known: ClosedJaxpr, num_residuals: int, num_consts: int, num_carry: int
) -> tuple[ClosedJaxpr, list[int | None]]:
    """The known half without the residuals that are constants or slices of its inputs: which input each is.

    The loop to come reads those where they are; stacking them would copy them.
    """
    jaxpr = known.jaxpr
    place = {v: i for i, v in enumerate(jaxpr.invars) if not num_consts <= i < num_consts + num_carry}
    count = len(jaxpr.outvars) - num_residuals
    forwarded = [place.get(v) if type(v) is Var else None for v in jaxpr.outvars[count:]]
    computed = [v for v, i in zip(jaxpr.outvars[count:], forwarded, strict=True) if i is None]
    return ClosedJaxpr(jaxpr.replace(outvars=jaxpr.outvars[:count] + computed), known.consts), forwarded


def _residuals(
    forwarded: Sequence[int | None],
    inputs: Sequence[Any],
    num_consts: int,
    invariant: Sequence[Any],
    stacked: Sequence[Any],
) -> tuple[list[Any], list[Any], list[bool]]:
    """The residuals: constants of the loop to come, stacks that it goes over, and for each which it is."""
    in_loop, computed = iter(stacked), iter(invariant)
    fixed: list[Any] = []
    stacks: list[Any] = []
    is_stack: list[bool] = []
    for i in forwarded:
        value = next(computed) if i is None else inputs[i]
        is_stack.append(value is None if i is None else i >= num_consts)
        if is_stack[-1]:
            stacks.append(next(in_loop) if i is None else value)
        else:
            fixed.append(value)
    return fixed, stacks, is_stack


def _run_known(
    primitive: Primitive,
    known: ClosedJaxpr,
    num_residuals: int,
    consts: Sequence[Any],
    carry: Sequence[Any],
    xs: Sequence[Any],
    params: dict[str, Any],
) -> tuple[list[Any], list[Any], list[Any]]:
    """Run the known half, once for all that no step changes and else in a loop.

    Returns its outputs, for each residual its value where no step changes it (else None), and the stacks of
    the other residuals.
    """
    count = len(known.jaxpr.outvars) - num_residuals
    if known.effects:  # what a step does besides computing is done at every step
        out = primitive.bind(
            *consts,
            *carry,
            *xs,
            jaxpr=known,
            num_consts=len(consts),
            num_carry=len(carry),
            **params,
        )
        return out[:count], [None] * num_residuals, out[count:]
    in_loop = [*[False] * len(consts), *[True] * (len(carry) + len(xs))]
    # Carries must stay in the loop, and outputs are stacked even where every step gives the same.
    hoisted = split_jaxpr(known, in_loop, [*[True] * count, *[False] * num_residuals])
    changing = hoisted.out_unknown[count:]
    before = eval_closed(hoisted.known, *consts)
    fixed = len(before) - hoisted.num_residuals
    loop_consts = before[fixed:]
    out = []
    if hoisted.unknown.jaxpr.outvars:
        out = primitive.bind(
            *loop_consts,
            *carry,
            *xs,
            jaxpr=hoisted.unknown,
            num_consts=len(loop_consts),
            num_carry=len(carry),
            **params,
        )
    constant = iter(before[:fixed])
    return out[:count], [None if changes else next(constant) for changes in changing], out[count:]
