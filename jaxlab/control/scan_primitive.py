"""The ``scan`` primitive: a loop over the leading axis of stacks, with a carry, as one equation."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from jaxlab import lazy
from jaxlab.control.bodies import fixpoint, reorder, split_by
from jaxlab.control.discharging import discharge_scan
from jaxlab.control.scan_lowering import lower_scan
from jaxlab.control.scan_splitting import split_scan
from jaxlab.core.aval import ShapedArray, UndefinedPrimal, Zero
from jaxlab.core.axes import MappedAxis
from jaxlab.core.higher_order import HigherOrder
from jaxlab.core.jaxpr import ClosedJaxpr, JaxprEqn
from jaxlab.core.memo import memoised
from jaxlab.core.primitive import Example
from jaxlab.interpreters.batching import batch_jaxpr, move_to, stacked_aval
from jaxlab.interpreters.jvp import instantiate_tangent, jvp_jaxpr
from jaxlab.interpreters.staging import eval_closed, stage_closed
from jaxlab.interpreters.transpose import backward
from jaxlab.primitives.arithmetic import add, mul
from jaxlab.primitives.broadcasting import F32, instantiate
from jaxlab.primitives.slicing import index_in_dim
from jaxlab.primitives.transcendental import sin

if TYPE_CHECKING:
    from jaxlab.control import scan_saving, series
else:  # loaded when it is first asked for
    scan_saving = lazy.module("jaxlab.control.scan_saving")
    series = lazy.module("jaxlab.control.series")


class Scan(HigherOrder):
    """From constants, carries and stacked inputs, in this order, to carries and stacked outputs."""

    name = "scan"

    def abstract_eval(
        self, *avals: Any, jaxpr: Any, length: int, num_carry: int, **params: Any
    ) -> list[ShapedArray]:
        outs = jaxpr.out_avals
        return [*outs[:num_carry], *[stacked_aval(aval, length, 0) for aval in outs[num_carry:]]]

    def lower(
        self,
        ctx: Any,
        *operands: Any,
        jaxpr: ClosedJaxpr,
        length: int,
        reverse: bool,
        num_consts: int,
        num_carry: int,
        unroll: int,
    ) -> list[Any]:
        return lower_scan(ctx, operands, jaxpr, length, reverse, num_consts, num_carry, unroll)

    def step_through(
        self,
        run: Callable[..., list[Any]],
        *args: Any,
        jaxpr: ClosedJaxpr,
        length: int,
        reverse: bool,
        num_consts: int,
        num_carry: int,
        **params: Any,
    ) -> None:
        consts, carry, xs = split_by(args, num_consts, num_carry)
        for i in reversed(range(length)) if reverse else range(length):
            slices = [index_in_dim(x, i, keepdims=False) for x in xs]
            carry = run(jaxpr, [*consts, *carry, *slices], f"step {i} of scan")[:num_carry]

    def jvp(
        self,
        primals: Sequence[Any],
        tangents: Sequence[Any],
        *,
        jaxpr: ClosedJaxpr,
        num_consts: int,
        num_carry: int,
        **params: Any,
    ) -> tuple[list[Any], list[Any]]:
        nonzero = [type(t) is not Zero for t in tangents]
        consts_n, carry_n, xs_n = split_by(nonzero, num_consts, num_carry)
        ys = len(jaxpr.jaxpr.outvars) - num_carry

        def derive(flags: Sequence[bool]) -> tuple[ClosedJaxpr, list[bool]]:
            return jvp_jaxpr(jaxpr, [*consts_n, *flags, *xs_n], [*flags, *[False] * ys])

        carry_n = fixpoint(carry_n, lambda flags: derive(flags)[1][:num_carry])
        derived, nonzero_out = derive(carry_n)
        counts = [sum(consts_n), sum(carry_n), sum(xs_n)]
        first = len(jaxpr.jaxpr.invars)
        places = split_by(range(first), num_consts, num_carry)
        extra = split_by(range(first, first + sum(counts)), counts[0], counts[1])
        outs = len(jaxpr.jaxpr.outvars)
        out_order = [
            *range(num_carry),
            *range(outs, outs + counts[1]),
            *range(num_carry, outs),
            *range(outs + counts[1], outs + sum(nonzero_out)),
        ]
        body = reorder(
            derived, [i for pair in zip(places, extra, strict=True) for part in pair for i in part], out_order
        )
        operands = []
        for xs, ts, flags in zip(
            split_by(primals, num_consts, num_carry),
            split_by(tangents, num_consts, num_carry),
            (consts_n, carry_n, xs_n),
            strict=True,
        ):
            operands += [*xs, *[instantiate_tangent(t) for t, n in zip(ts, flags, strict=True) if n]]
        out = self.bind(
            *operands,
            jaxpr=body,
            num_consts=num_consts + counts[0],
            num_carry=num_carry + counts[1],
            **params,
        )
        carry, carry_t, y, y_t = split_by(out, num_carry, counts[1], ys)
        avals = self.abstract_eval(jaxpr=jaxpr, num_carry=num_carry, **params)
        rest = iter([*carry_t, *y_t])
        zeros = [
            next(rest) if n else Zero(aval.to_tangent_aval())
            for n, aval in zip(nonzero_out, avals, strict=True)
        ]
        return [*carry, *y], zeros

    def partial_eval(
        self, trace: Any, unknown: Sequence[bool], args: Sequence[Any], **params: Any
    ) -> list[Any]:
        return split_scan(self, trace, unknown, args, **params)

    def transpose(
        self,
        ct: Any,
        *args: Any,
        jaxpr: ClosedJaxpr,
        length: int,
        reverse: bool,
        num_consts: int,
        num_carry: int,
        unroll: int,
    ) -> list[Any]:
        # What only unread results needed is not sent back through, and no zeros are stacked for it.
        read = [type(c) is not Zero for c in ct]
        loop = {"length": length, "reverse": not reverse, "unroll": unroll}
        pruned = self.dce(read, jaxpr=jaxpr, num_consts=num_consts, num_carry=num_carry)
        kept_in: Sequence[bool] = [True] * len(args)
        if pruned is not None:
            params, kept_in, kept_out = pruned
            jaxpr, num_consts, num_carry = params["jaxpr"], params["num_consts"], params["num_carry"]
            ct = [c for c, kept in zip(ct, kept_out, strict=True) if kept]
        kept_args = [x for x, kept in zip(args, kept_in, strict=True) if kept]
        linear = [type(x) is UndefinedPrimal for x in kept_args]
        consts_l, carry_l, xs_l = split_by(linear, num_consts, num_carry)
        consts, _, xs = split_by(kept_args, num_consts, num_carry)
        ct_carry, ct_ys = split_by([instantiate(c) for c in ct], num_carry)
        fixed = [x for x, is_linear in zip(consts, consts_l, strict=True) if not is_linear]
        residuals = [x for x, is_linear in zip(xs, xs_l, strict=True) if not is_linear]
        totals = [
            instantiate(Zero(x.aval.to_tangent_aval()))
            for x, is_linear in zip(consts, consts_l, strict=True)
            if is_linear
        ]
        out = self.bind(
            *fixed,
            *totals,
            *ct_carry,
            *ct_ys,
            *residuals,
            jaxpr=_transposed_body(jaxpr, consts_l, num_carry, xs_l),
            num_consts=len(fixed),
            num_carry=len(totals) + num_carry,
            **loop,
        )
        ct_consts, ct_init, ct_xs = split_by(out, len(totals), num_carry)
        from_consts, from_xs = iter(ct_consts), iter(ct_xs)
        found = iter(
            [
                *[next(from_consts) if is_linear else None for is_linear in consts_l],
                # A carry may start from zeros that are known: nobody asks for their cotangent.
                *[c if is_linear else None for c, is_linear in zip(ct_init, carry_l, strict=True)],
                *[next(from_xs) if is_linear else None for is_linear in xs_l],
            ]
        )
        return [next(found) if kept else None for kept in kept_in]

    def dce(
        self, used: Sequence[bool], **params: Any
    ) -> tuple[dict[str, Any], Sequence[bool], Sequence[bool]] | None:
        return scan_saving.dce_scan(used, params)

    def save(self, eqn: JaxprEqn, wanted: Sequence[bool], policy: Any) -> tuple[JaxprEqn, JaxprEqn]:
        return scan_saving.save_in_scan(eqn, wanted, policy)

    def batch(
        self,
        axis: MappedAxis,
        args: Sequence[Any],
        dims: Sequence[int | None],
        *,
        jaxpr: ClosedJaxpr,
        num_consts: int,
        num_carry: int,
        **params: Any,
    ) -> tuple[list[Any], list[int | None]]:
        const_dims, carry_dims, xs_dims = split_by(dims, num_consts, num_carry)
        consts, carry, xs = split_by(args, num_consts, num_carry)
        ys = len(jaxpr.jaxpr.outvars) - num_carry
        slice_dims = [None if d is None else 0 for d in xs_dims]

        def derive(flags: Sequence[bool]) -> tuple[ClosedJaxpr, list[bool]]:
            axes = [0 if f else None for f in flags]
            return batch_jaxpr(jaxpr, axis, [*const_dims, *axes, *slice_dims], [*flags, *[False] * ys])

        mapped = fixpoint([d is not None for d in carry_dims], lambda flags: derive(flags)[1][:num_carry])
        body, mapped_out = derive(mapped)
        carry = [
            move_to(x, d, 0, axis.size) if m else x for x, d, m in zip(carry, carry_dims, mapped, strict=True)
        ]
        xs = [x if d is None else move_to(x, d, 1, axis.size) for x, d in zip(xs, xs_dims, strict=True)]
        out = self.bind(
            *consts, *carry, *xs, jaxpr=body, num_consts=num_consts, num_carry=num_carry, **params
        )
        return out, [None if not m else 0 if i < num_carry else 1 for i, m in enumerate(mapped_out)]

    def check(
        self,
        trace: Any,
        args: Sequence[Any],
        *,
        jaxpr: ClosedJaxpr,
        num_consts: int,
        num_carry: int,
        **params: Any,
    ) -> list[Any]:
        step = trace.checked_step(jaxpr, num_consts)
        start = step.start()
        params["jaxpr"], params["num_carry"] = step.program, len(start) + num_carry
        out = self.bind(*args[:num_consts], *start, *args[num_consts:], num_consts=num_consts, **params)
        return list(trace.outputs(step.err_tree, out))

    def taylor(self, trace: Any, args: Sequence[Any], **params: Any) -> list[Any]:
        return series.series_of_scan(self, trace, args, **params)

    def discharge(self, *args: Any, **params: Any) -> tuple[list[Any], dict[int, Any]]:
        return discharge_scan(self, *args, **params)

    def reference(
        self,
        *args: Any,
        jaxpr: Any,
        length: int,
        reverse: bool,
        num_consts: int,
        num_carry: int,
        **params: Any,
    ) -> list[Any]:
        consts, carry, xs = split_by(args, num_consts, num_carry)
        rows: list[Any] = [None] * length
        for i in reversed(range(length)) if reverse else range(length):
            out = [np.asarray(y) for y in eval_closed(jaxpr, *consts, *carry, *[x[i] for x in xs])]
            carry, rows[i] = out[:num_carry], out[num_carry:]
        return [*carry, *[np.stack(column) for column in zip(*rows, strict=True)]]

    def examples(self) -> Iterable[Example]:
        v, m = ShapedArray((3,), F32), ShapedArray((4, 3), F32)
        body = stage_closed(lambda w, c, x: [add(mul(c, w), sin(x)), mul(c, x)], [v, v, v])
        params = {"jaxpr": body, "length": 4, "num_consts": 1, "num_carry": 1}
        for reverse, unroll in ((False, 1), (True, 3)):
            yield Example((v, v, m), {**params, "reverse": reverse, "unroll": unroll})


@memoised
def _transposed_body(
    jaxpr: ClosedJaxpr, consts_l: Sequence[bool], num_carry: int, xs_l: Sequence[bool]
) -> ClosedJaxpr:
    """A step backwards: from fixed values, running sums, cotangents of carry and output, and residuals."""
    const_avals, carry_avals, x_avals = split_by(jaxpr.in_avals, len(consts_l), num_carry)
    fixed = [a for a, is_linear in zip(const_avals, consts_l, strict=True) if not is_linear]
    totals = [a.to_tangent_aval() for a, is_linear in zip(const_avals, consts_l, strict=True) if is_linear]
    residuals = [a for a, is_linear in zip(x_avals, xs_l, strict=True) if not is_linear]
    ct_out = [a.to_tangent_aval() for a in jaxpr.out_avals]
    # Cotangents of a carry have the type that it has after a step: it may start weakly typed and not stay so.
    carry_avals = ct_out[:num_carry]

    def fun(*inputs: Any) -> list[Any]:
        given, sums, cts, rest = split_by(inputs, len(fixed), len(totals), len(ct_out))
        from_fixed, from_residuals = iter(given), iter(rest)
        args = [
            *[
                UndefinedPrimal(a) if is_linear else next(from_fixed)
                for a, is_linear in zip(const_avals, consts_l, strict=True)
            ],
            *[UndefinedPrimal(a) for a in carry_avals],
            *[
                UndefinedPrimal(a) if is_linear else next(from_residuals)
                for a, is_linear in zip(x_avals, xs_l, strict=True)
            ],
        ]
        found = backward(jaxpr.jaxpr, jaxpr.consts, args, cts, sums)
        ct_consts, ct_carry, ct_xs = split_by(found, len(consts_l), num_carry)
        return [
            *[c for c, is_linear in zip(ct_consts, consts_l, strict=True) if is_linear],
            *[instantiate(c) for c in ct_carry],
            *[instantiate(c) for c, is_linear in zip(ct_xs, xs_l, strict=True) if is_linear],
        ]

    return stage_closed(fun, [*fixed, *totals, *ct_out, *residuals], jaxpr.jaxpr.debug)


scan_p = Scan()
