"""``while`` loops that carry the error of their steps."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from jaxlab.control.bodies import reorder, split_by
from jaxlab.core.aval import ShapedArray, aval_of
from jaxlab.core.jaxpr import ClosedJaxpr
from jaxlab.core.memo import memoised
from jaxlab.core.primitive import Primitive
from jaxlab.interpreters.staging import eval_closed, stage_closed


def check_while(
    primitive: Primitive,
    trace: Any,
    args: Sequence[Any],
    *,
    cond_jaxpr: ClosedJaxpr,
    cond_nconsts: int,
    body_jaxpr: ClosedJaxpr,
    body_nconsts: int,
) -> list[Any]:
    """Run a loop whose condition is checked before it and, with each step, on what the step gave.

    Raises:
      ValueError: if `vmap` maps the condition.
    """
    if cond_jaxpr.out_avals[0].shape:
        raise ValueError(
            "checkify: a while_loop with a condition that vmap maps was given, but each of its slices "
            "needs an error of its own; write vmap(checkify(f)) instead of checkify(vmap(f))"
        )
    test_consts, body_consts, carry = split_by(args, cond_nconsts, body_nconsts)
    test = trace.checked(cond_jaxpr)
    trace.outputs(test.err_tree, eval_closed(test.program, *test_consts, *carry))
    both = _step_and_test(cond_jaxpr, cond_nconsts, body_jaxpr, body_nconsts)
    step = trace.checked_step(both, cond_nconsts + body_nconsts)
    start = step.start()
    out = primitive.bind(
        *test_consts,
        *test_consts,
        *body_consts,
        *start,
        *carry,
        cond_jaxpr=_ignoring_error(test.result(0), cond_nconsts, [aval_of(x) for x in start]),
        cond_nconsts=cond_nconsts,
        body_jaxpr=reorder(step.program, None, range(len(start) + len(carry))),
        body_nconsts=cond_nconsts + body_nconsts,
    )
    return list(trace.outputs(step.err_tree, out))


@memoised
def _ignoring_error(test: ClosedJaxpr, num_consts: int, error: Sequence[ShapedArray]) -> ClosedJaxpr:
    """The condition of a carry that begins with an error."""
    avals = test.in_avals

    def fun(*xs: Any) -> list[Any]:
        return eval_closed(test, *xs[:num_consts], *xs[num_consts + len(error) :])

    return stage_closed(fun, [*avals[:num_consts], *error, *avals[num_consts:]], test.jaxpr.debug)


@memoised
def _step_and_test(test: ClosedJaxpr, num_test: int, body: ClosedJaxpr, num_body: int) -> ClosedJaxpr:
    """The body, followed by the condition on what it gives; the condition's result is the last."""

    def fun(*args: Any) -> list[Any]:
        test_consts, rest = split_by(args, num_test)
        carry = eval_closed(body, *rest)
        return [*carry, *eval_closed(test, *test_consts, *carry)]

    return stage_closed(fun, [*test.in_avals[:num_test], *body.in_avals], body.jaxpr.debug)
