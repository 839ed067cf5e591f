"""The ``while`` primitive: a loop as long as a condition on its carry holds, as one equation."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from jaxlab import lazy
from jaxlab.control.bodies import fixpoint, refuse_io, reorder, split_by
from jaxlab.control.discharging import discharge_while
from jaxlab.control.while_checking import check_while
from jaxlab.control.while_lowering import keep_done, lower_while, lower_with_ordered_test
from jaxlab.core.aval import ShapedArray, Zero
from jaxlab.core.axes import MappedAxis
from jaxlab.core.effects import Effects, ordered, relocated
from jaxlab.core.higher_order import HigherOrder
from jaxlab.core.jaxpr import ClosedJaxpr
from jaxlab.core.memo import memoised
from jaxlab.core.primitive import Example
from jaxlab.core.pruning import prune_jaxpr
from jaxlab.core.trace import interpret_with
from jaxlab.interpreters.batching import batch_jaxpr, batch_jaxpr_to, move_to
from jaxlab.interpreters.jvp import instantiate_tangent, jvp_jaxpr
from jaxlab.interpreters.partial_eval import split_jaxpr
from jaxlab.interpreters.staging import eval_closed, stage_closed
from jaxlab.primitives.arithmetic import add, mul
from jaxlab.primitives.broadcasting import F32
from jaxlab.primitives.comparison import lt

if TYPE_CHECKING:
    from jaxlab.control import series
else:  # loaded when it is first asked for
    series = lazy.module("jaxlab.control.series")


class While(HigherOrder):
    name = "while"

    def abstract_eval(self, *avals: Any, body_jaxpr: Any, **params: Any) -> list[ShapedArray]:
        return body_jaxpr.out_avals

    def lower(
        self, ctx: Any, *operands: Any, cond_jaxpr: Any, cond_nconsts: int, body_jaxpr: Any, body_nconsts: int
    ) -> list[Any]:
        lower = lower_with_ordered_test if ordered(cond_jaxpr.effects) else lower_while
        return lower(ctx, operands, cond_jaxpr, cond_nconsts, body_jaxpr, body_nconsts)

    def step_through(
        self,
        run: Callable[..., list[Any]],
        *args: Any,
        cond_jaxpr: ClosedJaxpr,
        cond_nconsts: int,
        body_jaxpr: ClosedJaxpr,
        body_nconsts: int,
    ) -> None:
        test_consts, body_consts, carry = split_by(args, cond_nconsts, body_nconsts)
        for i in itertools.count():
            going = run(cond_jaxpr, [*test_consts, *carry], f"the condition of step {i} of while_loop")[0]
            if not np.any(going):
                return
            after = run(body_jaxpr, [*body_consts, *carry], f"step {i} of while_loop")
            if np.ndim(going):
                after = eval_closed(keep_done(cond_jaxpr, body_jaxpr.out_avals), going, *after, *carry)
            carry = after

    def jvp(
        self,
        primals: Sequence[Any],
        tangents: Sequence[Any],
        *,
        cond_jaxpr: ClosedJaxpr,
        cond_nconsts: int,
        body_jaxpr: ClosedJaxpr,
        body_nconsts: int,
    ) -> tuple[list[Any], list[Any]]:
        nonzero = [type(t) is not Zero for t in tangents]
        _, const_nonzero, carry_nonzero = split_by(nonzero, cond_nconsts, body_nconsts)
        carry_nonzero = fixpoint(
            carry_nonzero, lambda flags: jvp_jaxpr(body_jaxpr, [*const_nonzero, *flags], flags)[1]
        )
        derived, _ = jvp_jaxpr(body_jaxpr, [*const_nonzero, *carry_nonzero], carry_nonzero)
        test_consts, body_consts, carry = split_by(primals, cond_nconsts, body_nconsts)
        _, const_ts, carry_ts = split_by(tangents, cond_nconsts, body_nconsts)
        given_consts = [t for t, n in zip(const_ts, const_nonzero, strict=True) if n]
        given = [instantiate_tangent(t) for t, n in zip(carry_ts, carry_nonzero, strict=True) if n]
        nb, nc = len(body_consts), len(carry)
        order = [
            *range(nb),
            *range(nb + nc, nb + nc + len(given_consts)),
            *range(nb, nb + nc),
            *range(nb + nc + len(given_consts), nb + nc + len(given_consts) + len(given)),
        ]
        out = self.bind(
            *test_consts,
            *body_consts,
            *given_consts,
            *carry,
            *given,
            cond_jaxpr=_ignoring(cond_jaxpr, [v.aval for v in derived.jaxpr.outvars[nc:]]),
            cond_nconsts=cond_nconsts,
            body_jaxpr=reorder(derived, order),
            body_nconsts=nb + len(given_consts),
        )
        rest = iter(out[nc:])
        avals = body_jaxpr.out_avals
        return out[:nc], [
            next(rest) if n else Zero(aval.to_tangent_aval())
            for n, aval in zip(carry_nonzero, avals, strict=True)
        ]

    def partial_eval(
        self,
        trace: Any,
        unknown: Sequence[bool],
        args: Sequence[Any],
        *,
        cond_jaxpr: ClosedJaxpr,
        cond_nconsts: int,
        body_jaxpr: ClosedJaxpr,
        body_nconsts: int,
    ) -> list[Any]:
        """Carries that depend on no unknown are computed now; the whole loop runs again later for others."""
        params = {
            "cond_jaxpr": cond_jaxpr,
            "cond_nconsts": cond_nconsts,
            "body_jaxpr": body_jaxpr,
            "body_nconsts": body_nconsts,
        }
        test_unknown, const_unknown, carry_unknown = split_by(unknown, cond_nconsts, body_nconsts)
        carry_unknown = fixpoint(
            carry_unknown, lambda flags: split_jaxpr(body_jaxpr, [*const_unknown, *flags], flags).out_unknown
        )
        test_out = split_jaxpr(cond_jaxpr, [*test_unknown, *carry_unknown]).out_unknown
        if any(test_unknown) or test_out[0] or all(carry_unknown):
            return trace.unknown.process(self, args, params)
        halves = split_jaxpr(body_jaxpr, [*const_unknown, *carry_unknown], carry_unknown)
        kept = [i for i, u in enumerate(carry_unknown) if not u]
        test_consts, body_consts, carry = split_by(args, cond_nconsts, body_nconsts)
        known_consts = [x for x, u in zip(body_consts, const_unknown, strict=True) if not u]
        with interpret_with(trace.parent):
            known = self.bind(
                *test_consts,
                *known_consts,
                *[carry[i] for i in kept],
                cond_jaxpr=_without_unknown(cond_jaxpr, cond_nconsts, kept),
                cond_nconsts=cond_nconsts,
                body_jaxpr=reorder(halves.known, None, range(len(kept))),
                body_nconsts=len(known_consts),
            )
        out = trace.unknown.process(self, args, params)
        for i, x in zip(kept, known, strict=True):
            out[i] = x
        return out

    def transpose(self, ct: Any, *args: Any, **params: Any) -> list[Any]:
        raise ValueError(
            "reverse-mode differentiation does not work for while_loop, nor for fori_loop with traced "
            "bounds, because the number of steps is not known when the program is compiled; use scan, or "
            "fori_loop with bounds that are Python ints"
        )

    def batch(
        self,
        axis: MappedAxis,
        args: Sequence[Any],
        dims: Sequence[int | None],
        *,
        cond_jaxpr: ClosedJaxpr,
        cond_nconsts: int,
        body_jaxpr: ClosedJaxpr,
        body_nconsts: int,
    ) -> tuple[list[Any], list[int | None]]:
        test_dims, body_dims, carry_dims = split_by(dims, cond_nconsts, body_nconsts)
        test_consts, body_consts, carry = split_by(args, cond_nconsts, body_nconsts)

        # The axes of the predicate come first in every mapped carry: a new one goes behind them, unless it
        # becomes one of them.
        rank = len(cond_jaxpr.out_avals[0].shape)

        def step(flags: list[bool]) -> Sequence[bool]:
            axes = [rank if f else None for f in flags]
            return batch_jaxpr_to(body_jaxpr, axis, [*body_dims, *axes], axes)[1]

        mapped = fixpoint([d is not None for d in carry_dims], step)
        axes = [rank if m else None for m in mapped]
        test, (pred_mapped,) = batch_jaxpr(cond_jaxpr, axis, [*test_dims, *axes])
        if pred_mapped:
            refuse_io("while_loop", [cond_jaxpr, body_jaxpr])
            axes = [0] * len(mapped)
            test, _ = batch_jaxpr(cond_jaxpr, axis, [*test_dims, *axes])
        body, _ = batch_jaxpr_to(body_jaxpr, axis, [*body_dims, *axes], axes)
        carry = [
            x if wanted is None else move_to(x, d, wanted, axis.size)
            for x, d, wanted in zip(carry, carry_dims, axes, strict=True)
        ]
        out = self.bind(
            *test_consts,
            *body_consts,
            *carry,
            cond_jaxpr=test,
            cond_nconsts=cond_nconsts,
            body_jaxpr=body,
            body_nconsts=body_nconsts,
        )
        return out, axes

    def dce(
        self,
        used: Sequence[bool],
        *,
        cond_jaxpr: ClosedJaxpr,
        cond_nconsts: int,
        body_jaxpr: ClosedJaxpr,
        body_nconsts: int,
    ) -> tuple[dict[str, Any], Sequence[bool], Sequence[bool]] | None:
        """A carry is needed if its last value is read, or the condition or a needed carry reads it."""
        _, read = prune_jaxpr(cond_jaxpr, [True])
        carry = [u or r for u, r in zip(used, read[cond_nconsts:], strict=True)]

        def pruned(flags: Sequence[bool]) -> tuple[ClosedJaxpr, list[bool]]:
            return prune_jaxpr(body_jaxpr, list(flags), [*[False] * body_nconsts, *flags])

        carry = fixpoint(carry, lambda flags: pruned(flags)[1][body_nconsts:])
        body, body_in = pruned(carry)
        test, test_in = prune_jaxpr(cond_jaxpr, [True], [*[False] * cond_nconsts, *carry])
        if body is body_jaxpr and test is cond_jaxpr:
            return None
        test_consts, body_consts = test_in[:cond_nconsts], body_in[:body_nconsts]
        params = {
            "cond_jaxpr": test,
            "cond_nconsts": sum(test_consts),
            "body_jaxpr": body,
            "body_nconsts": sum(body_consts),
        }
        return params, [*test_consts, *body_consts, *carry], carry

    def check(self, trace: Any, args: Sequence[Any], **params: Any) -> list[Any]:
        return check_while(self, trace, args, **params)

    def effects(self, params: dict[str, Any]) -> Effects:
        test, body, count = params["cond_jaxpr"], params["body_jaxpr"], params["cond_nconsts"]
        after = params["body_nconsts"]
        return relocated(test.effects, lambda i: i if i < count else i + after) | relocated(
            body.effects, lambda i: i + count
        )

    def discharge(self, *args: Any, **params: Any) -> tuple[list[Any], dict[int, Any]]:
        return discharge_while(self, *args, **params)

    def taylor(self, trace: Any, args: Sequence[Any], **params: Any) -> list[Any]:
        return series.series_of_while(self, trace, args, ignoring=_ignoring, **params)

    def reference(
        self, *args: Any, cond_jaxpr: Any, cond_nconsts: int, body_jaxpr: Any, body_nconsts: int
    ) -> list[Any]:
        test_consts, body_consts, carry = split_by(args, cond_nconsts, body_nconsts)
        while (going := np.asarray(eval_closed(cond_jaxpr, *test_consts, *carry)[0])).any():
            after = [np.asarray(x) for x in eval_closed(body_jaxpr, *body_consts, *carry)]
            which = [going.reshape(going.shape + (1,) * (x.ndim - going.ndim)) for x in after]
            carry = [np.where(w, new, old) for w, new, old in zip(which, after, carry, strict=True)]
        return carry

    def examples(self) -> Iterable[Example]:
        i, x = ShapedArray((), np.dtype(np.int32)), ShapedArray((3,), F32)
        test = stage_closed(lambda i, x: [lt(i, np.int32(3))], [i, x])
        body = stage_closed(lambda w, i, x: [add(i, np.int32(1)), mul(x, w)], [x, i, x])
        params = {"cond_jaxpr": test, "cond_nconsts": 0, "body_jaxpr": body, "body_nconsts": 1}
        yield Example((x, np.int32(0), x), params, reverse=False)
        # What batching makes: a predicate with an axis, and slices that end at different times.
        n = ShapedArray((3,), np.dtype(np.int32))
        test = stage_closed(lambda n, i, x: [lt(i, n)], [n, n, x])
        body = stage_closed(lambda i, x: [add(i, np.int32(1)), mul(x, x)], [n, x])
        params = {"cond_jaxpr": test, "cond_nconsts": 1, "body_jaxpr": body, "body_nconsts": 0}
        steps = np.array([1, 0, 2], np.int32)
        yield Example((steps, np.zeros(3, np.int32), x), params, reverse=False, positive=True)


@memoised
def _ignoring(test: ClosedJaxpr, extra: Sequence[ShapedArray]) -> ClosedJaxpr:
    """The condition of a carry with more entries at its end."""
    count = len(test.jaxpr.invars)
    return stage_closed(
        lambda *xs: eval_closed(test, *xs[:count]), [*test.in_avals, *extra], test.jaxpr.debug
    )


def _without_unknown(test: ClosedJaxpr, num_consts: int, kept: Sequence[int]) -> ClosedJaxpr:
    """The condition, which needs none of the others, of the carries that are kept."""
    return reorder(test, [*range(num_consts), *[num_consts + i for i in kept]])


while_p = While()
