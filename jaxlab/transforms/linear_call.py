"""``linear_call``: a linear function and its transpose, both given."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from jaxlab import tree
from jaxlab.control.bodies import trace_body
from jaxlab.core.aval import ShapedArray, UndefinedPrimal, Zero, aval_of
from jaxlab.core.axes import MappedAxis
from jaxlab.core.higher_order import HigherOrder
from jaxlab.core.jaxpr import ClosedJaxpr
from jaxlab.core.primitive import Example
from jaxlab.core.trace import current
from jaxlab.interpreters.batching import batch_jaxpr, move_to
from jaxlab.interpreters.functions import function_name
from jaxlab.interpreters.jvp import jvp_flat
from jaxlab.interpreters.staging import eval_closed, stage_closed
from jaxlab.primitives.arithmetic import mul
from jaxlab.primitives.broadcasting import F32, instantiate
from jaxlab.primitives.elementwise import add_any
from jaxlab.transforms.ruled_function import leaf_path


def linear_call(
    fun: Callable[..., Any], fun_transpose: Callable[..., Any], residual_args: Any, linear_args: Any
) -> Any:
    """``fun(residual_args, linear_args)``, a linear function of ``linear_args`` whose transpose is given.

    Args:
      fun: takes two pytrees of arrays and is linear in the second.
      fun_transpose: takes ``residual_args`` and a cotangent like the result, and returns one like
        ``linear_args``.
      residual_args, linear_args: pytrees of arrays.

    Raises:
      TypeError: when it is transposed, if ``fun_transpose`` returns another structure than ``linear_args`` has.
      ValueError: the same for shapes and dtypes.

    >>> from jaxlab.custom_derivatives import linear_call
    >>> def halved(x):
    ...     return linear_call(lambda r, x: x / r, lambda r, ct: ct / r, 2.0, x)
    >>> halved(3.0), grad(halved)(3.0)
    (Array(1.5, dtype=float32, weak_type=True), Array(0.5, dtype=float32, weak_type=True))
    """
    residuals, linear = tree.leaves(residual_args), tree.leaves(linear_args)
    avals = [aval_of(x) for x in (*residuals, *linear)]
    body = trace_body(fun, (residual_args, linear_args), avals, "linear_call", remember=False)
    in_tree, out_tree = tree.structure(linear_args), body.out_tree
    out_avals = body.jaxpr.out_avals

    def transposed() -> tuple[ClosedJaxpr, list[Any]]:
        example = (residual_args, tree.unflatten(out_tree, out_avals))
        cts = [*avals[: len(residuals)], *out_avals]
        back = trace_body(fun_transpose, example, cts, "linear_call", remember=False)
        _check_transpose(function_name(fun_transpose), back, in_tree, avals[len(residuals) :])
        return back.jaxpr, back.consts

    out = linear_call_p.bind(
        *body.consts,
        *residuals,
        *linear,
        callee=body.jaxpr,
        transpose_thunk=Transposed(transposed, function_name(fun_transpose)),
        num_callee_consts=len(body.consts),
        num_res=len(residuals),
    )
    return tree.unflatten(out_tree, out)


def _check_transpose(name: str, back: Any, in_tree: Any, avals: Sequence[ShapedArray]) -> None:
    if back.out_tree != in_tree:
        raise TypeError(
            f"linear_call: {name}, the transposed function, returned structure {back.out_tree}, but the linear "
            f"arguments have structure {in_tree}; return a cotangent for each of them"
        )
    for i, (got, wanted) in enumerate(zip(back.jaxpr.out_avals, avals, strict=True)):
        if got.shape != wanted.shape or got.dtype != wanted.dtype:
            raise ValueError(
                f"linear_call: {name}, the transposed function, returned the cotangent{leaf_path(in_tree, i)} of type "
                f"{got.str_short()}, but the linear argument there is {wanted.str_short()}; return its type"
            )


class Transposed:
    """The transposed function of a call, traced when it is first asked for: its program and its constants."""

    __slots__ = ("found", "make", "name")

    def __init__(self, make: Callable[[], tuple[ClosedJaxpr, list[Any]]], name: str) -> None:
        self.make = make
        self.name = name
        self.found: tuple[ClosedJaxpr, list[Any]] | None = None

    def __str__(self) -> str:
        return self.name

    def __call__(self) -> tuple[ClosedJaxpr, list[Any]]:
        if self.found is None:
            self.found = self.make()
        return self.found


class LinearCall(HigherOrder):
    """The application of a linear function: of constants and residuals, then of what it is linear in."""

    name = "linear_call"

    def bind(self, *args: Any, **params: Any) -> Any:
        """Apply it; at once, equation by equation, because every call has a program of its own to compile."""
        if current.trace.parent is None:
            return eval_closed(params["callee"], *args)
        return super().bind(*args, **params)

    def abstract_eval(self, *avals: Any, callee: ClosedJaxpr, **params: Any) -> list[ShapedArray]:
        return callee.out_avals

    def lower(self, ctx: Any, *operands: Any, callee: ClosedJaxpr, **params: Any) -> list[Any]:
        out: list[Any] = ctx.inline(callee, ctx.b, operands, self.name)
        return out

    def jvp(
        self, primals: Sequence[Any], tangents: Sequence[Any], *, callee: ClosedJaxpr, **params: Any
    ) -> tuple[list[Any], list[Any]]:
        start = params["num_callee_consts"] + params["num_res"]
        out = self.bind(*primals, callee=callee, **params)
        zeros: list[Any] = [Zero(aval.to_tangent_aval()) for aval in callee.out_avals]
        ts = zeros
        if any(type(t) is not Zero for t in tangents[start:]):
            given = [instantiate(t) for t in tangents[start:]]
            ts = self.bind(*primals[:start], *given, callee=callee, **params)
        if any(type(t) is not Zero for t in tangents[:start]):
            held = [Zero(aval_of(x).to_tangent_aval()) for x in primals[start:]]
            _, more = jvp_flat(lambda *xs: eval_closed(callee, *xs), primals, [*tangents[:start], *held])
            ts = [_sum(a, b) for a, b in zip(ts, more, strict=True)]
        return out, ts

    def transpose(
        self,
        ct: Any,
        *args: Any,
        callee: ClosedJaxpr,
        transpose_thunk: Any,
        num_callee_consts: int,
        num_res: int,
    ) -> list[Any]:
        start = num_callee_consts + num_res
        back, consts = transpose_thunk()
        own = list(args[:num_callee_consts])
        out = self.bind(
            *consts,
            *args[num_callee_consts:start],
            *[instantiate(x) for x in ct],
            callee=back,
            transpose_thunk=Transposed(lambda: (callee, own), callee.jaxpr.debug.name),
            num_callee_consts=len(consts),
            num_res=num_res,
        )
        return [None] * start + [
            x if type(a) is UndefinedPrimal else None for x, a in zip(out, args[start:], strict=True)
        ]

    def batch(
        self,
        axis: MappedAxis,
        args: Sequence[Any],
        dims: Sequence[int | None],
        *,
        callee: ClosedJaxpr,
        transpose_thunk: Any,
        num_callee_consts: int,
        num_res: int,
    ) -> tuple[list[Any], list[int | None]]:
        start = num_callee_consts + num_res
        linear = [move_to(x, d, 0, axis.size) for x, d in zip(args[start:], dims[start:], strict=True)]
        batched, _ = batch_jaxpr(callee, axis, [*dims[:start], *[0] * len(linear)], True)

        def transposed() -> tuple[ClosedJaxpr, list[Any]]:
            back, consts = transpose_thunk()
            places = [*[None] * len(consts), *dims[num_callee_consts:start], *[0] * len(callee.out_avals)]
            return batch_jaxpr(back, axis, places, True)[0], consts

        out = self.bind(
            *args[:start],
            *linear,
            callee=batched,
            transpose_thunk=Transposed(transposed, str(transpose_thunk)),
            num_callee_consts=num_callee_consts,
            num_res=num_res,
        )
        return out, [0] * len(out)

    def reference(self, *args: Any, callee: ClosedJaxpr, **params: Any) -> list[Any]:
        return [np.asarray(x) for x in eval_closed(callee, *args)]

    def examples(self) -> Iterable[Example]:
        aval = ShapedArray((3,), F32)
        product = stage_closed(lambda r, x: [mul(r, x)], [aval, aval])
        params = {"callee": product, "transpose_thunk": Transposed(lambda: (product, []), "product")}
        yield Example((aval, aval), {**params, "num_callee_consts": 0, "num_res": 1})


def _sum(x: Any, y: Any) -> Any:
    if type(x) is Zero:
        return y
    return x if type(y) is Zero else add_any(x, y)


linear_call_p = LinearCall()
