"""``scan`` and ``map``: a loop over the leading axis that carries a state and stacks what each step gives."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from jaxlab import tree
from jaxlab.control.bodies import (
    check_carry,
    fixpoint,
    promote_carry,
    reorder,
    share_constants,
    split_by,
    trace_body,
)
from jaxlab.control.scan_lowering import lower_scan
from jaxlab.control.scan_saving import prune_scan, save_in_scan
from jaxlab.core.aval import ShapedArray, UndefinedPrimal, Zero, aval_of
from jaxlab.core.axes import MappedAxis
from jaxlab.core.higher_order import HigherOrder
from jaxlab.core.jaxpr import ClosedJaxpr, JaxprEqn
from jaxlab.core.memo import memoised
from jaxlab.core.primitive import Example
from jaxlab.core.trace import interpret_with
from jaxlab.interpreters.batching import batch_jaxpr, move_to, slice_aval, stacked_aval
from jaxlab.interpreters.jvp import jvp_jaxpr
from jaxlab.interpreters.partial_eval import split_jaxpr
from jaxlab.interpreters.staging import eval_closed, stage_closed
from jaxlab.interpreters.transpose import backward
from jaxlab.primitives.arithmetic import add, mul
from jaxlab.primitives.broadcasting import F32, instantiate
from jaxlab.primitives.slicing import index_in_dim
from jaxlab.primitives.transcendental import sin


def scan(
    f: Callable[[Any, Any], tuple[Any, Any]],
    init: Any,
    xs: Any = None,
    length: int | None = None,
    reverse: bool = False,
    unroll: int | bool = 1,
    _split_transpose: bool = False,
) -> tuple[Any, Any]:
    """``carry = init; for x in xs: carry, y = f(carry, x)``; the last carry and the stack of the ``y``.

    Args:
      f: from carry and slice to the next carry, of the same types, and an output.
      init: the first carry, a pytree of arrays.
      xs: a pytree of arrays, iterated over their leading axis; or None, with ``length``.
      length: the number of steps, where ``xs`` does not tell.
      reverse: go from the last slice to the first; outputs are stacked where their slices were.
      unroll: how many steps to write out in each iteration; True for all.

    Raises:
      TypeError: if the carry changes its type, or ``f`` does not return a pair.
      ValueError: if the leading axes differ, or neither ``xs`` nor ``length`` is given.

    >>> scan(lambda total, x: (total + x, total), 0.0, jnp.arange(3.0))
    (Array(3., dtype=float32), Array([0., 0., 1.], dtype=float32, weak_type=True))
    """
    if not callable(f):
        raise TypeError(f"scan: f must be a function, but it is a {type(f).__name__}")
    stacked, xs_tree = tree.flatten(xs)
    steps = _length(stacked, xs, length)
    leaves, carry_tree = tree.flatten(init)
    slices = [slice_aval(aval_of(x), 0) for x in stacked]
    # One promotion may entail another, where one carry is computed from another; dtypes only ever go up.
    while True:
        example = (tree.unflatten(carry_tree, leaves), tree.unflatten(xs_tree, slices))
        body = trace_body(f, example, [*[aval_of(x) for x in leaves], *slices], "scan")
        carry_out_tree, ys_tree = _pair(body.out_tree)
        count = carry_out_tree.num_leaves
        outs = body.jaxpr.out_avals[:count]
        leaves, changed = promote_carry("scan", leaves, carry_tree, outs, carry_out_tree)
        if not changed:
            break
    check_carry("scan", leaves, carry_tree, outs)
    if not isinstance(unroll, bool) and operator.index(unroll) < 1:
        raise ValueError(f"scan: unroll is {unroll}, but it must be at least 1")
    (jaxpr,), consts = share_constants([body])
    out = scan_p.bind(
        *consts,
        *leaves,
        *stacked,
        jaxpr=jaxpr,
        length=steps,
        reverse=reverse,
        num_consts=len(consts),
        num_carry=count,
        unroll=(max(steps, 1) if unroll else 1) if isinstance(unroll, bool) else operator.index(unroll),
    )
    return tree.unflatten(carry_out_tree, out[:count]), tree.unflatten(ys_tree, out[count:])


def _pair(out_tree: Any) -> tuple[Any, Any]:
    children = out_tree.children()
    if out_tree.node_data() is None or out_tree.node_data()[0] is not tuple or len(children) != 2:
        raise TypeError(
            f"scan: f must return a pair (carry, output), but it returned {out_tree}; return None for no "
            "output"
        )
    return children[0], children[1]


def _length(stacked: Sequence[Any], xs: Any, given: int | None) -> int:
    sizes = []
    for (path, _), x in zip(tree.leaves_with_path(xs), stacked, strict=True):
        shape = aval_of(x).shape
        if not shape:
            raise ValueError(
                f"scan: xs{tree.keystr(path)} is a scalar, but scan goes over the leading axis of arrays"
            )
        sizes.append((tree.keystr(path), shape[0]))
    if given is not None:
        given = operator.index(given)
        for where, size in sizes:
            if size != given:
                raise ValueError(f"scan: length is {given}, but xs{where} has a leading axis of size {size}")
        return given
    if not sizes:
        raise ValueError("scan: with no xs the number of steps is not known; give length")
    for where, size in sizes:
        if size != sizes[0][1]:
            raise ValueError(
                f"scan: the leading axes must have one size, but xs{sizes[0][0]} has {sizes[0][1]} and "
                f"xs{where} has {size}"
            )
    return sizes[0][1]


def map(f: Callable[[Any], Any], xs: Any, *, batch_size: int | None = None) -> Any:
    """``f`` on each slice along the leading axis, one after another, stacked.

    >>> map(lambda x: x * x, jnp.arange(3.0))
    Array([0., 1., 4.], dtype=float32)
    """
    if batch_size is not None:
        raise ValueError("map: batch_size is not supported here; use vmap over blocks")
    _, ys = scan(_Mapped(f), (), xs)
    return ys


@dataclass(frozen=True, slots=True)
class _Mapped:
    """A step that carries nothing; equal to others of the same function, so that it is traced once."""

    func: Callable[[Any], Any]

    def __call__(self, _: Any, x: Any) -> tuple[tuple[()], Any]:
        return (), self.func(x)


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
            operands += [*xs, *[instantiate(t) for t, n in zip(ts, flags, strict=True) if n]]
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
        self,
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

        known_consts = known_of(consts, consts_u)
        known_carry = known_of(carry, carry_u)
        with interpret_with(trace.parent):
            outputs, invariant, stacked = _run_known(
                self, halves, known_consts, known_carry, known_of(xs, xs_u), params
            )
        count = halves.num_residuals
        body = halves.unknown
        num_uc, num_ucarry = sum(consts_u), sum(carry_u)
        places = split_by(range(len(body.jaxpr.invars)), count, num_uc, num_ucarry)
        res_const = [i for i, x in enumerate(invariant) if x is not None]
        res_stack = [i for i, x in enumerate(invariant) if x is None]
        order = [*res_const, *places[1], *places[2], *places[3], *res_stack]
        later = trace.unknown.process(
            self,
            [
                *[invariant[i] for i in res_const],
                *unknown_of(consts, consts_u),
                *unknown_of(carry, carry_u),
                *unknown_of(xs, xs_u),
                *stacked,
            ],
            {
                "jaxpr": reorder(body, order),
                "num_consts": len(res_const) + num_uc,
                "num_carry": num_ucarry,
                **params,
            },
        )
        known_outputs, unknown_outputs = iter(outputs), iter(later)
        return [next(unknown_outputs) if u else next(known_outputs) for u in halves.out_unknown]

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
        linear = [type(x) is UndefinedPrimal for x in args]
        consts_l, carry_l, xs_l = split_by(linear, num_consts, num_carry)
        consts, _, xs = split_by(args, num_consts, num_carry)
        ct_carry, ct_ys = split_by([instantiate(c) for c in ct], num_carry)
        fixed = [x for x, is_linear in zip(consts, consts_l, strict=True) if not is_linear]
        residuals = [x for x, is_linear in zip(xs, xs_l, strict=True) if not is_linear]
        totals = [
            instantiate(Zero(x.aval.to_tangent_aval()))
            for x, is_linear in zip(consts, consts_l, strict=True)
            if is_linear
        ]
        body = _transposed_body(jaxpr, consts_l, num_carry, xs_l)
        out = self.bind(
            *fixed,
            *totals,
            *ct_carry,
            *ct_ys,
            *residuals,
            jaxpr=body,
            length=length,
            reverse=not reverse,
            num_consts=len(fixed),
            num_carry=len(totals) + num_carry,
            unroll=unroll,
        )
        ct_consts, ct_init, ct_xs = split_by(out, len(totals), num_carry)
        from_consts, from_xs = iter(ct_consts), iter(ct_xs)
        return [
            *[next(from_consts) if is_linear else None for is_linear in consts_l],
            # A carry that starts from a known zero tangent is linear too, but nobody asks for its cotangent.
            *[c if is_linear else None for c, is_linear in zip(ct_init, carry_l, strict=True)],
            *[next(from_xs) if is_linear else None for is_linear in xs_l],
        ]

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

    def prune(self, eqn: JaxprEqn, used: Sequence[bool]) -> JaxprEqn:
        return prune_scan(eqn, used)

    def save(self, eqn: JaxprEqn, wanted: Sequence[bool], policy: Any) -> tuple[JaxprEqn, JaxprEqn]:
        return save_in_scan(eqn, wanted, policy)

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


def _run_known(
    primitive: Scan,
    halves: Any,
    consts: Sequence[Any],
    carry: Sequence[Any],
    xs: Sequence[Any],
    params: dict[str, Any],
) -> tuple[list[Any], list[Any], list[Any]]:
    """Run the known half, once for all that no step changes and else in a loop.

    Returns its outputs, for each residual its value where no step changes it (else None), and the stacks of
    the other residuals.
    """
    known: ClosedJaxpr = halves.known
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
        count = len(known.jaxpr.outvars) - halves.num_residuals
        return out[:count], [None] * halves.num_residuals, out[count:]
    hoisted = split_jaxpr(known, [*[False] * len(consts), *[True] * (len(carry) + len(xs))])
    count = len(known.jaxpr.outvars) - halves.num_residuals
    # Carries must stay in the loop, and outputs are stacked even where every step gives the same.
    loop_out = [True] * count + hoisted.out_unknown[count:]
    hoisted = split_jaxpr(known, [*[False] * len(consts), *[True] * (len(carry) + len(xs))], loop_out)
    before = eval_closed(hoisted.known, *consts)
    fixed = len(before) - hoisted.num_residuals
    loop_consts = before[fixed:]
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
    invariant = [None if in_loop else next(constant) for in_loop in loop_out[count:]]
    return out[:count], invariant, out[count:]


@memoised
def _transposed_body(
    jaxpr: ClosedJaxpr, consts_l: Sequence[bool], num_carry: int, xs_l: Sequence[bool]
) -> ClosedJaxpr:
    """A step backwards: from fixed values, running sums, cotangents of carry and output, and residuals."""
    avals = jaxpr.in_avals
    const_avals, carry_avals, x_avals = split_by(avals, len(consts_l), num_carry)
    fixed = [a for a, is_linear in zip(const_avals, consts_l, strict=True) if not is_linear]
    totals = [a.to_tangent_aval() for a, is_linear in zip(const_avals, consts_l, strict=True) if is_linear]
    residuals = [a for a, is_linear in zip(x_avals, xs_l, strict=True) if not is_linear]
    ct_out = [a.to_tangent_aval() for a in jaxpr.out_avals]

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
