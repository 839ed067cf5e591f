"""Lowering of ``scan`` to a while loop over a counter."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from jaxlab.control.bodies import split_by
from jaxlab.core.aval import ShapedArray
from jaxlab.core.effects import ordered
from jaxlab.core.jaxpr import ClosedJaxpr
from jaxlab.interpreters.batching import slice_aval


def lower_scan(
    ctx: Any,
    operands: Sequence[Any],
    jaxpr: ClosedJaxpr,
    length: int,
    reverse: bool,
    num_consts: int,
    num_carry: int,
    unroll: int,
) -> list[Any]:
    """A while loop over a counter that slices the inputs and writes the outputs in place.

    Whole iterations run ``unroll`` steps each; what is left over is written out after the loop. Outputs that
    are the same at every step are stacked once, such as a result that the way back needs, too: the compiler
    would carry both. An output that is a slice of an input is that input.
    """
    b = ctx.b
    consts, carry, xs = split_by(operands, num_consts, num_carry)
    _, _, x_avals = split_by(ctx.avals_in, num_consts, num_carry)
    rows_of = jaxpr.jaxpr.outvars[num_carry:]
    given: dict[Any, Any] = dict(zip(jaxpr.jaxpr.invars[num_consts + num_carry :], xs, strict=True))
    stacked = {v: i for i, v in reversed(list(enumerate(rows_of))) if v not in given}
    own = sorted(stacked.values())
    y_avals = [ctx.avals_out[num_carry + i] for i in own]
    ys = [b.full(0, _in_words(aval)) for aval in y_avals]
    i32 = b.tensor((), np.dtype(np.int32))
    counter = ShapedArray((), np.dtype(np.int32))

    def step(
        b: Any, index: Any, consts: Sequence[Any], carry: list[Any], xs: Sequence[Any], ys: list[Any]
    ) -> Any:
        if reverse:
            index = b.value("stablehlo.subtract", i32, b.constant(length - 1, counter.dtype), index)
        slices = [_take(b, x, index, aval) for x, aval in zip(xs, x_avals, strict=True)]
        out = ctx.inline(jaxpr, b, [*consts, *carry, *slices], "while/body")
        rows = [out[num_carry + i] for i in own]
        return out[:num_carry], [
            _write(b, y, row, index, aval) for y, row, aval in zip(ys, rows, y_avals, strict=True)
        ]

    def advance(b: Any, index: Any, by: int) -> Any:
        return index if by == 0 else b.value("stablehlo.add", i32, index, b.constant(by, counter.dtype))

    whole = length // unroll
    if whole > 1:
        start = b.constant(0, counter.dtype)
        state = [start, *consts, *carry, *xs, *ys]
        keeps_order = ordered(jaxpr.effects)
        if keeps_order:
            state.append(ctx.token)
        types = [x.type for x in state]
        loop = b.op("stablehlo.while", types, state, regions=2)
        test, arguments = b.block(loop.regions[0], types)
        limit = test.constant(whole * unroll, counter.dtype)
        test.end([test.compare(arguments[0], limit, "LT", counter.dtype, ())])
        body, arguments = b.block(loop.regions[1], types)
        if keeps_order:
            *arguments, ctx.token = arguments
        index = arguments[0]
        own_consts, own_carry, own_xs, own_ys = split_by(arguments[1:], num_consts, num_carry, len(xs))
        for k in range(unroll):
            own_carry, own_ys = step(body, advance(body, index, k), own_consts, own_carry, own_xs, own_ys)
        last = [ctx.token] if keeps_order else []
        body.end([advance(body, index, unroll), *own_consts, *own_carry, *own_xs, *own_ys, *last])
        out = list(loop.results)
        if keeps_order:
            ctx.token = out.pop()
        _, carry, _, ys = split_by(out[1:], num_consts, num_carry, len(xs))
        done = whole * unroll
    else:
        done = 0
    for k in range(done, length):
        carry, ys = step(b, b.constant(k, counter.dtype), consts, carry, xs, ys)
    place = dict(zip(own, ys, strict=True))
    return [*carry, *[given[v] if v in given else place[stacked[v]] for v in rows_of]]


def _key_rank(aval: ShapedArray) -> tuple[int, ...]:
    return () if isinstance(aval.dtype, np.dtype) else tuple(aval.dtype.key_shape)


def _in_words(aval: ShapedArray) -> ShapedArray:
    """The type in which an array is kept: random keys are words."""
    words = _key_rank(aval)
    return ShapedArray(aval.shape + words, np.dtype(np.uint32)) if words else aval


def _take(b: Any, x: Any, index: Any, aval: ShapedArray) -> Any:
    """Row ``index`` of a stack."""
    sizes = aval.shape + _key_rank(aval)
    zero = b.constant(0, np.dtype(np.int32))
    row = ShapedArray((1, *aval.shape[1:]), aval.dtype)
    part = b.value(
        "stablehlo.dynamic_slice",
        b.type(row),
        x,
        index,
        *[zero] * (len(sizes) - 1),
        slice_sizes=b.i64s((1, *sizes[1:])),
    )
    return b.value("stablehlo.reshape", b.type(slice_aval(aval, 0)), part)


def _write(b: Any, stack: Any, row: Any, index: Any, aval: ShapedArray) -> Any:
    """The stack with row ``index`` replaced."""
    sizes = aval.shape + _key_rank(aval)
    zero = b.constant(0, np.dtype(np.int32))
    part = b.value("stablehlo.reshape", b.type(ShapedArray((1, *aval.shape[1:]), aval.dtype)), row)
    return b.value(
        "stablehlo.dynamic_update_slice", b.type(aval), stack, part, index, *[zero] * (len(sizes) - 1)
    )
