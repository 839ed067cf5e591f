"""Batching: a value carries a mapped axis, and each primitive works on all of its slices at once."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from jaxlab import lazy, tree
from jaxlab.config import config
from jaxlab.core.aval import ShapedArray, aval_of
from jaxlab.core.axes import MappedAxis, binding_axes
from jaxlab.core.jaxpr import ClosedJaxpr
from jaxlab.core.memo import memoised
from jaxlab.core.refs import AbstractRef
from jaxlab.core.trace import Trace, Tracer, current, interpret_with
from jaxlab.interpreters.functions import FlatFunction, argument_paths, function_name
from jaxlab.interpreters.staging import eval_closed, stage_closed
from jaxlab.primitives.broadcasting import broadcast_axis, move_axis

if TYPE_CHECKING:
    from jaxlab.core import leaks
    from jaxlab.interpreters.batch_rules import axis_primitive_batchers as axis_primitive_batchers
    from jaxlab.interpreters.batch_rules import bdim_at_front as bdim_at_front
    from jaxlab.interpreters.batch_rules import broadcast as broadcast
    from jaxlab.interpreters.batch_rules import defbroadcasting as defbroadcasting
    from jaxlab.interpreters.batch_rules import defreducer as defreducer
    from jaxlab.interpreters.batch_rules import defvectorized as defvectorized
    from jaxlab.interpreters.batch_rules import fancy_primitive_batchers as fancy_primitive_batchers
    from jaxlab.interpreters.batch_rules import primitive_batchers as primitive_batchers
else:  # only where an option asks for it, and for primitives that are given their rules from outside
    leaks = lazy.module("jaxlab.core.leaks")
    __getattr__, __dir__ = lazy.names(
        __name__,
        {
            "jaxlab.interpreters.batch_rules": "axis_primitive_batchers bdim_at_front broadcast defbroadcasting "
            "defreducer defvectorized fancy_primitive_batchers primitive_batchers"
        },
    )


class BatchTracer(Tracer):
    """A value whose axis ``dim`` is mapped; its own aval is without that axis."""

    __slots__ = ("dim", "value")
    _trace: BatchTrace

    def __init__(self, trace: BatchTrace, value: Any, dim: int) -> None:
        self._trace = trace
        self.aval = slice_aval(aval_of(value), dim)
        self.value = value
        self.dim = dim

    def origin(self) -> str:
        value, trace = self.value, self._trace
        if isinstance(value, Tracer) and value.origin():
            return value.origin()
        assert isinstance(trace, BatchTrace)
        return trace.origin(value)


class BatchTrace(Trace):
    """Applies the batch rule where an argument is mapped; all else goes to the parent.

    A function with derivative rules of its own runs, and so do the rules, under a later trace with the same
    ``tag``: what they close over is mapped there, too.
    """

    __slots__ = ("args", "axis", "fun", "tag")

    def __init__(self, parent: Trace, axis: MappedAxis, tag: object | None = None) -> None:
        super().__init__(parent)
        self.axis = axis
        self.tag = tag or object()
        self.fun: Any = None
        self.args: Sequence[Any] = ()

    def origin(self, value: Any) -> str:
        """Where a value being mapped comes from, in words, for error texts."""
        if not isinstance(self.fun, FlatFunction):
            return "(being mapped by vmap)"
        name = function_name(self.fun.fun)
        for i, x in enumerate(self.args):
            if x is value:
                args, kwargs = tree.unflatten(self.fun.in_tree, self.args)
                return (
                    f"(argument `{argument_paths(self.fun.fun, args, kwargs)[i]}` of {name}, mapped by vmap)"
                )
        return f"(computed in {name}, which is mapped by vmap)"

    def process(self, primitive: Any, args: Sequence[Any], params: dict[str, Any]) -> Any:
        values = []
        dims: list[int | None] = []
        mapped = False
        for x in args:
            if type(x) is BatchTracer and (x._trace is self or x._trace.tag is self.tag):
                values.append(x.value)
                dims.append(x.dim)
                mapped = True
            else:
                values.append(x)
                dims.append(None)
        assert self.parent is not None
        with interpret_with(self.parent):
            axis = self.axis
            if primitive.axis_aware and (mapped or axis.name is not None):
                out, out_dims = primitive.batch(axis, values, dims, **params)
            elif mapped or primitive.unconditional:
                out, out_dims = primitive.batch(axis.size, values, dims, **params)
            else:
                return primitive.bind(*values, **params)
        if primitive.multiple_results:
            return self.wrap(out, out_dims)
        return out if out_dims is None else BatchTracer(self, out, out_dims)

    def unwrap(self, x: Any) -> tuple[Any, int | None]:
        """Value and mapped axis of anything seen under this trace."""
        if type(x) is BatchTracer and (x._trace is self or x._trace.tag is self.tag):
            return x.value, x.dim
        return x, None

    def wrap(self, values: Sequence[Any], dims: Sequence[int | None]) -> list[Any]:
        """Tracers for the values that are mapped."""
        return [x if d is None else BatchTracer(self, x, d) for x, d in zip(values, dims, strict=True)]


def slice_aval(aval: ShapedArray, dim: int) -> ShapedArray:
    """The type of one slice along the mapped axis."""
    if type(aval) is AbstractRef:
        return aval.around(slice_aval(aval.inner_aval, dim))
    return ShapedArray(aval.shape[:dim] + aval.shape[dim + 1 :], aval.dtype, aval.weak_type)


def stacked_aval(aval: ShapedArray, size: int, dim: int | None) -> ShapedArray:
    """The type with the mapped axis put in."""
    if dim is None:
        return aval
    if type(aval) is AbstractRef:
        return aval.around(stacked_aval(aval.inner_aval, size, dim))
    return ShapedArray((*aval.shape[:dim], size, *aval.shape[dim:]), aval.dtype, aval.weak_type)


def batch_flat(
    fun: Callable[..., Sequence[Any]],
    axis: MappedAxis,
    args: Sequence[Any],
    dims: Sequence[int | None],
    tag: object | None = None,
) -> tuple[list[Any], list[int | None]]:
    """The results of ``fun``, flat like its arguments, on all slices at once, and the mapped axis of each.

    With the ``tag`` of an earlier trace, values of that one are mapped in this one, too.

    Where the axis has a name, ``fun`` knows it. Rules that a user has written are mapped when they are called,
    which may be long after the function that they belong to.
    """
    if axis.name is not None and current.axes[-1:] != ((axis.name, axis.size),):
        with binding_axes([(axis.name, axis.size)]):
            return batch_flat(fun, axis, args, dims, tag)
    trace = BatchTrace(current.trace, axis, tag)
    trace.fun, trace.args = fun, args
    with interpret_with(trace):
        outputs = fun(
            *[x if d is None else BatchTracer(trace, x, d) for x, d in zip(args, dims, strict=True)]
        )
        pairs = [trace.unwrap(x) for x in outputs]
    if config.check_tracer_leaks:
        left = weakref.ref(trace)
        del trace, outputs
        leaks.check(left, getattr(fun, "__name__", ""))
    return [x for x, _ in pairs], [d for _, d in pairs]


def move_to(x: Any, dim: int | None, wanted: int, size: int) -> Any:
    """``x`` with its mapped axis at ``wanted``, made by broadcasting where it has none."""
    if dim is None:
        return broadcast_axis(x, size, wanted)
    return x if dim == wanted else move_axis(x, dim, wanted)


def batch_jaxpr(
    closed: ClosedJaxpr,
    axis: MappedAxis,
    in_dims: Sequence[int | None],
    mapped_out: Sequence[bool] | bool = False,
) -> tuple[ClosedJaxpr, list[bool]]:
    """The program on stacks of arguments.

    Mapped inputs carry the axis at their ``in_dims``; mapped outputs at axis 0. Outputs marked in
    ``mapped_out`` are mapped in any case; the second result tells which are.
    """
    if isinstance(mapped_out, bool):
        mapped_out = [mapped_out] * len(closed.jaxpr.outvars)
    return batch_jaxpr_to(closed, axis, in_dims, [0 if m else None for m in mapped_out])


def batch_jaxpr_to(
    closed: ClosedJaxpr, axis: MappedAxis, in_dims: Sequence[int | None], out_dims: Sequence[int | None]
) -> tuple[ClosedJaxpr, list[bool]]:
    """As `batch_jaxpr`, with the axis of outputs at ``out_dims``; where that is None, at 0 if they are mapped."""
    batched, dims = _batch_jaxpr(closed, axis, list(in_dims), list(out_dims))
    return batched, [d is not None for d in dims]


def batch_jaxpr_anywhere(
    closed: ClosedJaxpr, axis: MappedAxis, in_dims: Sequence[int | None]
) -> tuple[ClosedJaxpr, list[int | None]]:
    """As `batch_jaxpr`, with each output's axis left where it is; the second result tells where."""
    return _batch_jaxpr(closed, axis, list(in_dims), None)


@memoised
def _batch_jaxpr(
    closed: ClosedJaxpr,
    axis: MappedAxis,
    in_dims: Sequence[int | None],
    out_dims: Sequence[int | None] | None,
) -> tuple[ClosedJaxpr, list[int | None]]:
    placed: list[int | None] = []

    def fun(*args: Any) -> list[Any]:
        out, dims = batch_flat(lambda *xs: eval_closed(closed, *xs), axis, args, in_dims)
        if out_dims is None:
            placed[:] = dims
            return out
        placed[:] = [
            None if wanted is None and d is None else wanted or 0
            for wanted, d in zip(out_dims, dims, strict=True)
        ]
        return [
            x if to is None else move_to(x, d, to, axis.size)
            for x, d, to in zip(out, dims, placed, strict=True)
        ]

    avals = [stacked_aval(aval, axis.size, d) for aval, d in zip(closed.in_avals, in_dims, strict=True)]
    return stage_closed(fun, avals, closed.jaxpr.debug), placed
