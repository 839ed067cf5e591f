"""Reductions over windows: what windows are, and pooling by sums."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from jaxlab import dtypes
from jaxlab.core.aval import ShapedArray, Zero, aval_of
from jaxlab.core.primitive import Example, Primitive
from jaxlab.primitives.convolution_shapes import (
    Pads,
    dilated,
    lhs_cotangent_pads,
    padtype_to_pads,
    window_count,
)
from jaxlab.primitives.reshaping import F32, I32, insert, zero_ct
from jaxlab.primitives.slicing import pad

Axes = tuple[int, ...]


def check_windows(op: str, shape: Axes, params: dict[str, Any]) -> None:
    """Raise an error unless there is one positive number an axis for each of the parameters of windows."""
    for name in ("window_dimensions", "window_strides", "base_dilation", "window_dilation", "padding"):
        values = params.get(name)
        if values is None:
            continue
        if len(values) != len(shape):
            raise TypeError(
                f"{op}: {name} {values} has {len(values)} entries, but the operand of shape {shape} has "
                f"{len(shape)} axes"
            )
        if name != "padding" and any(value <= 0 for value in values):
            raise ValueError(f"{op}: {name} {values} was given, but every entry must be positive")


def windows_shape(shape: Axes, params: dict[str, Any]) -> Axes:
    """How many windows there are along each axis."""
    return tuple(
        [
            window_count(low + dilated(n, base) + high, dilated(window, hole), stride)
            for n, window, stride, (low, high), base, hole in zip(
                shape, params["window_dimensions"], params["window_strides"], params["padding"],
                params["base_dilation"], params["window_dilation"], strict=True,
            )
        ]
    )  # fmt: skip


def window_parameters(
    op: str,
    shape: Axes,
    window_dimensions: Sequence[int],
    window_strides: Sequence[int] | None,
    padding: Any,
    base_dilation: Sequence[int] | None,
    window_dilation: Sequence[int] | None,
) -> dict[str, Any]:
    """The parameters of a reduction over windows, checked, with what was left out filled in."""
    ones = (1,) * len(shape)
    params: dict[str, Any] = {
        "window_dimensions": tuple(window_dimensions),
        "window_strides": ones if window_strides is None else tuple(window_strides),
        "base_dilation": ones if base_dilation is None else tuple(base_dilation),
        "window_dilation": ones if window_dilation is None else tuple(window_dilation),
    }
    check_windows(op, shape, params)
    if isinstance(padding, str):
        sizes = [dilated(n, d) for n, d in zip(shape, params["base_dilation"], strict=True)]
        windows = [
            dilated(n, d) for n, d in zip(params["window_dimensions"], params["window_dilation"], strict=True)
        ]
        padding = padtype_to_pads(sizes, windows, params["window_strides"], padding)
    params["padding"] = tuple([(int(low), int(high)) for low, high in padding])
    check_windows(op, shape, params)
    return {name: params[name] for name in sorted(params)}


def batched_windows(params: dict[str, Any], dim: int) -> dict[str, Any]:
    """The parameters with one more axis, over which windows have size 1."""
    changed = {
        name: insert(value, dim, 1)
        for name, value in params.items()
        if name not in ("padding", "select_prim")
    }
    return {**params, **changed, "padding": insert(params["padding"], dim, (0, 0))}


def lower_windows(
    b: Any,
    operands: Sequence[Any],
    inits: Sequence[Any],
    avals: Sequence[ShapedArray],
    body: Callable[..., Any],
    params: Any,
) -> list[Any]:
    """``stablehlo.reduce_window`` of several operands; ``body(builder, lefts, rights)`` combines scalars."""
    attributes = {
        "window_dimensions": b.i64s(params["window_dimensions"]),
        "window_strides": b.i64s(params["window_strides"]),
        "base_dilations": b.i64s(params["base_dilation"]),
        "window_dilations": b.i64s(params["window_dilation"]),
        "padding": padding_attribute(b, params["padding"]),
    }
    out = b.op(
        "stablehlo.reduce_window",
        [b.type(aval) for aval in avals],
        [*operands, *inits],
        attributes,
        regions=1,
    )
    scalars = [b.tensor((), aval.dtype) for aval in avals]
    inner, arguments = b.block(out.regions[0], scalars * 2)
    inner.end(body(inner, arguments[: len(avals)], arguments[len(avals) :]))
    return list(out.results)


def padding_attribute(b: Any, padding: Pads) -> Any:
    """Pairs of numbers as an attribute."""
    if not padding:
        return b.parse("dense<> : tensor<0x2xi64>")
    text = ", ".join(f"[{low}, {high}]" for low, high in padding)
    return b.parse(f"dense<[{text}]> : tensor<{len(padding)}x2xi64>")


def window_examples() -> Iterable[tuple[Axes, dict[str, Any]]]:
    """Shapes and parameters that are typical or awkward."""

    def params(window: Axes, strides: Axes, padding: Pads, base: Axes, holes: Axes) -> dict[str, Any]:
        return {
            "base_dilation": base,
            "padding": padding,
            "window_dilation": holes,
            "window_dimensions": window,
            "window_strides": strides,
        }

    yield (5,), params((2,), (1,), ((0, 0),), (1,), (1,))
    yield (4, 5), params((2, 3), (2, 1), ((0, 0), (1, 1)), (1, 1), (1, 1))
    yield (3, 4), params((2, 2), (1, 2), ((0, 1), (1, 0)), (2, 1), (1, 1))


def reference_windows(x: np.ndarray, fill: Any, params: dict[str, Any]) -> np.ndarray:
    """All windows of an array, one more set of axes at the end."""
    for axis, (low, high) in enumerate(params["padding"]):
        moved = np.moveaxis(x, axis, 0)
        base = params["base_dilation"][axis]
        spread = np.full((dilated(len(moved), base), *moved.shape[1:]), fill, x.dtype)
        spread[::base] = moved
        spread = np.pad(spread, [(max(low, 0), max(high, 0))] + [(0, 0)] * (x.ndim - 1), constant_values=fill)
        x = np.moveaxis(spread[max(-low, 0) : len(spread) - max(-high, 0)], 0, axis)
    sizes = [
        dilated(n, d) for n, d in zip(params["window_dimensions"], params["window_dilation"], strict=True)
    ]
    seen = np.lib.stride_tricks.sliding_window_view(x, sizes)
    steps = [np.s_[::n] for n in (*params["window_strides"], *params["window_dilation"])]
    return seen[tuple(steps)]


# -- sums ----------------------------------------------------------------------------------------------------


class WindowReduction(Primitive):
    """A reduction over windows by an operation of StableHLO."""

    def __init__(
        self, name: str, hlo: str, identity: Callable[[Any], Any], reference: Callable[..., Any]
    ) -> None:
        self.hlo = hlo
        self.identity = identity
        self.numpy = reference
        super().__init__(name)

    def abstract_eval(self, x: Any, **params: Any) -> ShapedArray:
        if not dtypes.issubdtype(x.dtype, np.number):
            raise TypeError(
                f"{self.name} does not accept dtype {dtypes.short_name(x.dtype)}; convert the operand to "
                f"numbers"
            )
        check_windows(self.name, x.shape, params)
        return ShapedArray(windows_shape(x.shape, params), x.dtype, x.weak_type)

    def lower(self, ctx: Any, x: Any, **params: Any) -> Any:
        aval = ctx.aval_out
        scalar, init = ctx.b.tensor((), aval.dtype), ctx.b.constant(self.identity(aval.dtype), aval.dtype)

        def body(b: Any, left: Sequence[Any], right: Sequence[Any]) -> list[Any]:
            return [b.value(self.hlo, scalar, *left, *right)]

        return lower_windows(ctx.b, [x], [init], [aval], body, params)[0]

    def batch(self, size: int, args: Any, dims: Any, **params: Any) -> tuple[Any, int]:
        (x,), (dim,) = args, dims
        return self.bind(x, **batched_windows(params, dim)), dim

    def reference(self, x: Any, **params: Any) -> Any:
        seen = reference_windows(x, self.identity(x.dtype), params)
        return self.numpy(seen, tuple(range(x.ndim, 2 * x.ndim))).astype(x.dtype)

    def examples(self) -> Iterable[Example]:
        for shape, params in window_examples():
            yield Example((ShapedArray(shape, F32),), params)
        yield Example((ShapedArray((4, 5), I32),), params | {"window_dilation": (1, 2)})


class ReduceWindowSum(WindowReduction):
    linear_in = (0,)

    def jvp(self, primals: Sequence[Any], tangents: Sequence[Any], **params: Any) -> tuple[Any, Any]:
        out, (t,) = self.bind(*primals, **params), tangents
        return out, Zero(aval_of(out).to_tangent_aval()) if type(t) is Zero else self.bind(t, **params)

    def transpose(self, ct: Any, x: Any, **params: Any) -> list[Any]:
        if zero_ct(ct):
            return [None]
        names = dict(params, lhs_dilation=params["base_dilation"], rhs_dilation=params["window_dilation"])
        around = lhs_cotangent_pads([x.aval.shape, params["window_dimensions"], aval_of(ct).shape], names)
        config = [
            (low, high, stride - 1)
            for (low, high), stride in zip(around, params["window_strides"], strict=True)
        ]
        ones = (1,) * len(config)
        changed = {
            "padding": ((0, 0),) * len(config),
            "base_dilation": ones,
            "window_strides": params["base_dilation"],
        }
        return [self.bind(pad(ct, np.zeros((), aval_of(ct).dtype)[()], config), **{**params, **changed})]


reduce_window_sum_p = ReduceWindowSum("reduce_window_sum", "stablehlo.add", lambda dtype: 0, np.sum)
