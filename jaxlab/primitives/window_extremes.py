"""Extremes over windows, and their derivatives: which element of a window is kept, what is added there."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from jaxlab.core.aval import ShapedArray, Zero, aval_of
from jaxlab.core.primitive import Example, Primitive
from jaxlab.primitives.broadcasting import broadcast_axis
from jaxlab.primitives.comparison import ge_p, le_p
from jaxlab.primitives.reduction import highest, lowest
from jaxlab.primitives.reshaping import F32, move_axis, zero_ct
from jaxlab.primitives.slicing import pad, slice
from jaxlab.primitives.windows import (
    WindowReduction,
    batched_windows,
    lower_windows,
    reference_windows,
    window_examples,
    windows_shape,
)


def _never(select_prim: Any, dtype: Any) -> Any:
    """The value that a comparison never keeps."""
    return lowest(dtype) if select_prim is ge_p else highest(dtype)


class ReduceWindowExtreme(WindowReduction):
    def __init__(self, name: str, hlo: str, identity: Any, reference: Any, selection: Any) -> None:
        self.selection = selection
        super().__init__(name, hlo, identity, reference)

    def jvp(self, primals: Sequence[Any], tangents: Sequence[Any], **params: Any) -> tuple[Any, Any]:
        (x,), (t,) = primals, tangents
        out = self.bind(x, **params)
        if type(t) is Zero:
            return out, Zero(aval_of(out).to_tangent_aval())
        return out, select_and_gather_add_p.bind(t, x, select_prim=self.selection, **params)


class SelectAndGatherAdd(Primitive):
    """The elements of ``source`` at the places of the extremes of the windows of ``operand``."""

    name = "select_and_gather_add"
    linear_in = (0,)

    def abstract_eval(self, source: Any, operand: Any, *, select_prim: Any, **params: Any) -> ShapedArray:
        return ShapedArray(windows_shape(operand.shape, params), source.dtype)

    def lower(self, ctx: Any, source: Any, operand: Any, *, select_prim: Any, **params: Any) -> Any:
        b, (source_aval, aval), shape = ctx.b, ctx.avals_in, ctx.aval_out.shape
        avals = [ShapedArray(shape, aval.dtype), ShapedArray(shape, source_aval.dtype)]
        inits = [b.constant(_never(select_prim, aval.dtype), aval.dtype), b.constant(0, source_aval.dtype)]

        def body(inner: Any, left: Sequence[Any], right: Sequence[Any]) -> list[Any]:
            keep = inner.compare(left[0], right[0], select_prim.name.upper(), aval.dtype, ())
            return [
                inner.value("stablehlo.select", inner.tensor((), out.dtype), keep, x, y)
                for x, y, out in zip(left, right, avals, strict=True)
            ]

        return lower_windows(b, [operand, source], inits, avals, body, params)[1]

    def jvp(self, primals: Sequence[Any], tangents: Sequence[Any], **params: Any) -> tuple[Any, Any]:
        return _linear_in_source(self, primals, tangents, params)

    def transpose(self, ct: Any, source: Any, operand: Any, **params: Any) -> list[Any]:
        if zero_ct(ct):
            return [None, None]
        if any(d != 1 for d in params["window_dilation"]):
            raise NotImplementedError(
                f"select_and_gather_add: window_dilation {params['window_dilation']} was given, but the "
                f"derivative of an extreme "
                "over windows with holes cannot be transposed; use jvp, or gather the windows first"
            )
        base, padding = params["base_dilation"], params["padding"]
        shape = aval_of(operand).shape
        if any(d != 1 for d in base):
            aval = aval_of(operand)
            fill = np.asarray(_never(params["select_prim"], aval.dtype), aval.dtype)[()]
            operand = pad(operand, fill, [(0, 0, d - 1) for d in base])
        names = {k: params[k] for k in ("select_prim", "window_dimensions", "window_strides")}
        found = select_and_scatter_add_p.bind(ct, operand, padding=padding, **names)
        if any(d != 1 for d in base):
            found = slice(found, (0,) * len(shape), aval_of(found).shape, base)
        return [found, None]

    def batch(self, size: int, args: Any, dims: Any, **params: Any) -> tuple[Any, int]:
        return self.bind(*_both_first(size, args, dims), **batched_windows(params, 0)), 0

    def reference(self, source: Any, operand: Any, *, select_prim: Any, **params: Any) -> Any:
        ndim = operand.ndim
        seen = reference_windows(operand, _never(select_prim, operand.dtype), params)
        values = reference_windows(source, 0, params)
        seen, values = [x.reshape(*x.shape[:ndim], -1) for x in (seen, values)]
        place = (np.argmax if select_prim is ge_p else np.argmin)(seen, -1)
        return np.take_along_axis(values, place[..., None], -1)[..., 0]

    def examples(self) -> Iterable[Example]:
        for shape, params in window_examples():
            for select in (ge_p, le_p):
                yield Example(
                    (ShapedArray(shape, F32),) * 2, dict(params, select_prim=select), differentiate=(0,)
                )


class SelectAndScatterAdd(Primitive):
    """Zeros, to which each element of ``source`` is added at the extreme of its window of ``operand``."""

    name = "select_and_scatter_add"
    linear_in = (0,)

    def abstract_eval(self, source: Any, operand: Any, *, select_prim: Any, **params: Any) -> ShapedArray:
        return ShapedArray(operand.shape, source.dtype)

    def lower(self, ctx: Any, source: Any, operand: Any, *, select_prim: Any, **params: Any) -> Any:
        """The operand is padded first: an extreme of nothing but padding would be added nowhere."""
        b, aval, (_, operand_aval) = ctx.b, ctx.aval_out, ctx.avals_in
        around = params["padding"]
        fill = b.constant(_never(select_prim, operand_aval.dtype), operand_aval.dtype)
        lows, highs = [low for low, _ in around], [high for _, high in around]
        padded = tuple([n + low + high for n, (low, high) in zip(aval.shape, around, strict=True)])
        zeros = b.i64s((0,) * len(around))
        if any(lows) or any(highs):
            operand = b.value(
                "stablehlo.pad", b.tensor(padded, operand_aval.dtype), operand, fill,
                edge_padding_low=b.i64s(lows), edge_padding_high=b.i64s(highs), interior_padding=zeros,
            )  # fmt: skip
        attributes = {
            "window_dimensions": b.i64s(params["window_dimensions"]),
            "window_strides": b.i64s(params["window_strides"]),
        }
        kind = b.tensor(padded, aval.dtype)
        out = b.op(
            "stablehlo.select_and_scatter",
            [kind],
            [operand, source, b.constant(0, aval.dtype)],
            attributes,
            regions=2,
        )
        scalar = b.tensor((), operand_aval.dtype)
        select, (left, right) = b.block(out.regions[0], [scalar, scalar])
        select.end([select.compare(left, right, select_prim.name.upper(), operand_aval.dtype, ())])
        total = b.tensor((), aval.dtype)
        scatter, (left, right) = b.block(out.regions[1], [total, total])
        scatter.end([scatter.value("stablehlo.add", total, left, right)])
        if not (any(lows) or any(highs)):
            return out.result
        limits = b.i64s([low + n for low, n in zip(lows, aval.shape, strict=True)])
        return b.value(
            "stablehlo.slice", b.type(aval), out.result,
            start_indices=b.i64s(lows), limit_indices=limits, strides=b.i64s((1,) * len(around)),
        )  # fmt: skip

    def jvp(self, primals: Sequence[Any], tangents: Sequence[Any], **params: Any) -> tuple[Any, Any]:
        return _linear_in_source(self, primals, tangents, params)

    def transpose(self, ct: Any, source: Any, operand: Any, **params: Any) -> list[Any]:
        if zero_ct(ct):
            return [None, None]
        ones = (1,) * len(params["window_dimensions"])
        return [
            select_and_gather_add_p.bind(ct, operand, **params, base_dilation=ones, window_dilation=ones),
            None,
        ]

    def batch(self, size: int, args: Any, dims: Any, **params: Any) -> tuple[Any, int]:
        return self.bind(*_both_first(size, args, dims), **batched_windows(params, 0)), 0

    def reference(self, source: Any, operand: Any, *, select_prim: Any, **params: Any) -> Any:
        ones = (1,) * operand.ndim
        full = dict(params, base_dilation=ones, window_dilation=ones)
        numbers = np.arange(1, operand.size + 1).reshape(operand.shape)  # 0 is padding
        places = select_and_gather_add_p.reference(numbers, operand, select_prim=select_prim, **full)
        total = np.zeros(operand.size + 1, source.dtype)
        np.add.at(total, places.ravel(), source.ravel())
        return total[1:].reshape(operand.shape)

    def examples(self) -> Iterable[Example]:
        for shape, full in window_examples():
            params = {k: full[k] for k in ("padding", "window_dimensions", "window_strides")}
            windows = windows_shape(shape, dict(full, base_dilation=(1,) * len(shape)))
            for select in (ge_p, le_p):
                avals = (ShapedArray(windows, F32), ShapedArray(shape, F32))
                yield Example(avals, dict(params, select_prim=select), differentiate=(0,))


def _linear_in_source(
    primitive: Any, primals: Sequence[Any], tangents: Sequence[Any], params: Any
) -> tuple[Any, Any]:
    """The places of extremes do not move with the operand."""
    out = primitive.bind(*primals, **params)
    if type(tangents[0]) is Zero:
        return out, Zero(aval_of(out).to_tangent_aval())
    return out, primitive.bind(tangents[0], primals[1], **params)


def _both_first(size: int, args: Sequence[Any], dims: Sequence[int | None]) -> list[Any]:
    return [
        broadcast_axis(x, size, 0) if d is None else move_axis(x, d, 0)
        for x, d in zip(args, dims, strict=True)
    ]


reduce_window_max_p = ReduceWindowExtreme("reduce_window_max", "stablehlo.maximum", lowest, np.max, ge_p)
reduce_window_min_p = ReduceWindowExtreme("reduce_window_min", "stablehlo.minimum", highest, np.min, le_p)
select_and_gather_add_p = SelectAndGatherAdd()
select_and_scatter_add_p = SelectAndScatterAdd()
