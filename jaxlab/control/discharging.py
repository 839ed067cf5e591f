"""Branches and loops on references become such on values: what is written to is a result, or is carried along."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from jaxlab.control.bodies import reorder, split_by
from jaxlab.core.aval import aval_of
from jaxlab.core.higher_order import written_inputs
from jaxlab.core.jaxpr import ClosedJaxpr
from jaxlab.core.primitive import Primitive
from jaxlab.interpreters.staging import eval_closed, stage_closed


def discharge_cond(
    primitive: Primitive, args: Sequence[Any], places: Any, discharged: Any, *, branches: Any, **params: Any
) -> tuple[list[Any], dict[int, Any]]:
    """Each branch gives the last values of all references that any branch writes to."""
    written = sorted(set().union(*map(written_inputs, branches)))
    pure = tuple(discharged(branch, written) for branch in branches)
    out = primitive.bind(*args, branches=pure, **params)
    count = len(branches[0].jaxpr.outvars)
    return out[:count], {i + 1: x for i, x in zip(written, out[count:], strict=True)}


def discharge_scan(
    primitive: Primitive,
    args: Sequence[Any],
    places: Any,
    discharged: Any,
    *,
    jaxpr: ClosedJaxpr,
    num_consts: int,
    num_carry: int,
    **params: Any,
) -> tuple[list[Any], dict[int, Any]]:
    """A constant that is written to is carried along; a slice that is written to is also an output."""
    written = sorted(written_inputs(jaxpr))
    carried = [i for i in written if i < num_consts]
    fixed = [i for i in range(num_consts) if i not in carried]
    rest = [*fixed, *carried, *range(num_consts, len(args))]
    outs, first = len(jaxpr.jaxpr.outvars), num_carry + len(carried)
    out_order = [
        *range(outs, outs + len(carried)),
        *range(outs),
        *range(outs + len(carried), outs + len(written)),
    ]
    out = primitive.bind(
        *[args[i] for i in rest],
        jaxpr=reorder(discharged(jaxpr, written), rest, out_order),
        num_consts=len(fixed),
        num_carry=first,
        **params,
    )
    new, results, stacked = split_by(out, len(carried), outs)
    return results, dict(zip(written, [*new, *stacked], strict=True))


def discharge_while(
    primitive: Primitive,
    args: Sequence[Any],
    places: dict[int, Any],
    discharged: Any,
    *,
    cond_jaxpr: ClosedJaxpr,
    cond_nconsts: int,
    body_jaxpr: ClosedJaxpr,
    body_nconsts: int,
) -> tuple[list[Any], dict[int, Any]]:
    """References that are written to are carried along, each once, whichever of the two programs has it."""
    in_test = sorted(written_inputs(cond_jaxpr))
    in_body = sorted(written_inputs(body_jaxpr))
    consts = cond_nconsts + body_nconsts
    keys: list[Any] = []
    for i in [*in_test, *[i + cond_nconsts for i in in_body]]:
        if places[i] not in keys:
            keys.append(places[i])
    carried = {i: keys.index(key) for i, key in places.items() if key in keys}
    fixed = [i for i in range(consts) if i not in carried]
    starts = [next(args[i] for i, k in carried.items() if k == number) for number in range(len(keys))]
    test_pure, body_pure = discharged(cond_jaxpr, in_test), discharged(body_jaxpr, in_body)
    num_fixed, num_keys = len(fixed), len(keys)

    def operands(xs: Sequence[Any], first: int, count: int) -> list[Any]:
        """The operands of one of the programs: its constants ``first`` and on, and the carry."""
        held, state = xs[:num_fixed], xs[num_fixed:]
        own = [
            state[carried[i]] if i in carried else held[fixed.index(i)] for i in range(first, first + count)
        ]
        return [*own, *state[num_keys:]]

    def written(state: Sequence[Any], new: Sequence[Any], at: Sequence[int], first: int) -> list[Any]:
        after = list(state)
        for i, x in zip(at, new, strict=True):
            after[carried[i + first]] = x
        return after

    def test(*xs: Any) -> list[Any]:
        pred, *new = eval_closed(test_pure, *operands(xs, 0, cond_nconsts))
        return [pred, *written(xs[num_fixed : num_fixed + num_keys], new, in_test, 0)]

    def step(*xs: Any) -> list[Any]:
        out = eval_closed(body_pure, *operands(xs, cond_nconsts, body_nconsts))
        count = len(body_jaxpr.jaxpr.outvars)
        state = xs[num_fixed : num_fixed + num_keys]
        return [*written(state, out[count:], in_body, cond_nconsts), *out[:count]]

    given = [args[i] for i in fixed]
    start = [*starts, *args[consts:]]
    avals = [aval_of(x) for x in [*given, *start]]
    if in_test:
        # What the condition writes is seen by the body: it goes before the first step, and after each.
        def both(*xs: Any) -> list[Any]:
            after = step(*xs[:num_fixed], *xs[num_fixed + 1 :])
            pred, *state = test(*xs[:num_fixed], *after)
            return [pred, *state, *after[num_keys:]]

        pred, *state = test(*given, *start)
        start = [pred, *state, *args[consts:]]
        avals.insert(num_fixed, aval_of(pred))
        body = stage_closed(both, avals, body_jaxpr.jaxpr.debug)
        condition = stage_closed(lambda pred, *_: [pred], avals[num_fixed:], cond_jaxpr.jaxpr.debug)
        given_test: list[Any] = []
    else:
        body = stage_closed(step, avals, body_jaxpr.jaxpr.debug)
        condition = stage_closed(lambda *xs: test(*xs)[:1], avals, cond_jaxpr.jaxpr.debug)
        given_test = given
    out = primitive.bind(
        *given_test,
        *given,
        *start,
        cond_jaxpr=condition,
        cond_nconsts=len(given_test),
        body_jaxpr=body,
        body_nconsts=num_fixed,
    )
    out = out[bool(in_test) :]
    return out[num_keys:], {i: out[k] for i, k in carried.items()}
