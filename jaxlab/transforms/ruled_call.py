"""The equation of a call with derivative rules of its own, and how rules are mapped by ``vmap``."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from jaxlab import errors
from jaxlab.core import source
from jaxlab.core.aval import ShapedArray, Zero, aval_of
from jaxlab.core.axes import MappedAxis, binding_axes
from jaxlab.core.higher_order import HigherOrder
from jaxlab.core.jaxpr import ClosedJaxpr
from jaxlab.core.primitive import Example
from jaxlab.core.trace import current, interpret_with
from jaxlab.interpreters.batching import BatchTrace, batch_flat, move_to, slice_aval, stacked_aval
from jaxlab.interpreters.functions import function_name
from jaxlab.interpreters.staging import StagingTrace, eval_closed, stage, stage_closed
from jaxlab.interpreters.transpose import backward
from jaxlab.transforms.symbolic_zeros import SymbolicZero


class RuledCall(HigherOrder):
    """The application of a function that has derivative rules: of its program, where nothing asks for those.

    ``call_jaxpr`` is the function. Until the call is recorded in a program it is still the Python function (a
    `FlatCall`), so that under eager differentiation a rule takes its place and it is not even run. The first
    ``num_consts`` operands are what it closes over: ``rule``, which tells the derivative, does not get them.
    """

    kind: str
    batched_rule: type[BatchedRule]

    def bind(self, *args: Any, **params: Any) -> Any:
        """Apply it: at once, if nothing is being transformed, since each call is a program of its own."""
        trace = current.trace
        if trace.parent is None:
            return call_rule(self.kind, params["name"], run, params["call_jaxpr"], args)
        if type(params["call_jaxpr"]) is not ClosedJaxpr:
            if isinstance(trace, StagingTrace):
                args, params = self.staged(args, **params)
            elif type(trace) is BatchTrace:
                return self.mapped(trace, args, params)
        return trace.process(self, args, params)

    def mapped(self, trace: BatchTrace, args: Sequence[Any], params: dict[str, Any]) -> list[Any]:
        """Map it where it is called: no argument need be mapped if what it closes over is."""
        params["call_jaxpr"].tag = trace.tag
        pairs = [trace.unwrap(x) for x in args]
        batch: Any = self.batch
        assert trace.parent is not None
        with interpret_with(trace.parent):
            out, dims = batch(trace.axis, [x for x, _ in pairs], [d for _, d in pairs], **params)
        return trace.wrap(out, dims)

    def staged(
        self, args: Sequence[Any], *, call_jaxpr: Any, num_consts: int, **params: Any
    ) -> tuple[Any, dict[str, Any]]:
        """Operands and parameters with the function as a program; what it closes over becomes operands."""
        jaxpr, consts = stage(call_jaxpr, [aval_of(x) for x in args], call_jaxpr.debug())
        opened = ClosedJaxpr(jaxpr.replace(constvars=[], invars=[*jaxpr.constvars, *jaxpr.invars]))
        return [*consts, *args], {
            **params,
            "call_jaxpr": opened,
            "num_consts": num_consts + len(consts),
        }

    def abstract_eval(self, *avals: Any, call_jaxpr: Any, **params: Any) -> list[ShapedArray]:
        out: list[ShapedArray] = call_jaxpr.out_avals
        return out

    def lower(self, ctx: Any, *operands: Any, call_jaxpr: Any, name: str, **params: Any) -> list[Any]:
        out: list[Any] = ctx.inline(call_jaxpr, ctx.b, operands, name)
        return out

    def partial_eval(
        self, trace: Any, unknown: Sequence[bool], args: Sequence[Any], *, call_jaxpr: Any, **params: Any
    ) -> list[Any]:
        """Split the function itself: what is unknown is linear, and of that the rules are not asked."""
        with interpret_with(trace):
            return run(call_jaxpr, args)

    def batch(
        self,
        axis: MappedAxis,
        args: Sequence[Any],
        dims: Sequence[int | None],
        *,
        call_jaxpr: Any,
        rule: Any,
        num_consts: int,
        **params: Any,
    ) -> tuple[list[Any], list[int | None]]:
        call = BatchedCall(call_jaxpr, axis, dims)
        rule = self.batched_rule(rule, call, num_consts)
        out = self.bind(*args, call_jaxpr=call, rule=rule, num_consts=num_consts, **params)
        return out, call.out_dims

    def transpose(self, ct: Any, *args: Any, call_jaxpr: ClosedJaxpr, **params: Any) -> list[Any]:
        return backward(call_jaxpr.jaxpr, call_jaxpr.consts, args, ct)

    def taylor(self, trace: Any, args: Sequence[Any], *, call_jaxpr: Any, **params: Any) -> list[Any]:
        """The series of the function itself: a rule tells the first derivative alone."""
        return run(call_jaxpr, args)

    def check(self, trace: Any, args: Sequence[Any], **params: Any) -> Any:
        if type(params["call_jaxpr"]) is not ClosedJaxpr:
            args, params = self.staged(args, **params)
        return super().check(trace, args, **params)

    def reference(self, *args: Any, call_jaxpr: Any, **params: Any) -> list[Any]:
        return [np.asarray(x) for x in eval_closed(call_jaxpr, *args)]


def applied(
    fun: Callable[..., Any], avals: Sequence[ShapedArray], rule: Any, *, symbolic_zeros: bool, **more: Any
) -> Example:
    """An example of a call: of a function of one result."""
    params = {
        "name": function_name(fun),
        "call_jaxpr": stage_closed(lambda *xs: [fun(*xs)], avals),
        "rule": rule,
        "num_consts": 0,
        "symbolic_zeros": symbolic_zeros,
    }
    return Example(tuple(avals), params, **more)


def run(call: Any, args: Sequence[Any]) -> list[Any]:
    """Run a call's function, be it Python or a program, under the current interpreter."""
    out: list[Any] = eval_closed(call, *args) if type(call) is ClosedJaxpr else call(*args)
    return out


class BatchedCall:
    """A call's function on stacks of operands.

    Its results and those of its rules are to have the mapped axis at the same places: whoever runs first
    decides, and the other follows.

    Attributes:
      inner: the tag of the trace that called the function; ``tag`` that of the one that maps it once more.
    """

    __slots__ = ("axis", "call", "dims", "inner", "mapped", "out_dims", "tag")

    def __init__(self, call: Any, axis: MappedAxis, dims: Sequence[int | None]) -> None:
        self.call = call
        self.axis = axis
        self.dims = list(dims)
        self.mapped = any(d is not None for d in dims)
        self.out_dims: list[int | None] = []
        self.inner: object | None = None if type(call) is ClosedJaxpr else call.tag
        self.tag: object | None = None

    def debug(self) -> Any:
        """What to call the function and its operands."""
        return self.call.jaxpr.debug if type(self.call) is ClosedJaxpr else self.call.debug()

    def __call__(self, *args: Any) -> list[Any]:
        with named(self.axis):
            out = batch_flat(lambda *xs: run(self.call, xs), self.axis, args, self.dims, self.inner)
            return self.placed(*out)

    def placed(self, results: Sequence[Any], dims: Sequence[int | None]) -> list[Any]:
        """The results with the mapped axis where it is to be; any may depend on what is mapped, by the rules."""
        self.out_dims = self.out_dims or [0 if d is None and self.mapped else d for d in dims]
        return [
            matched(x, d, wanted, self.axis)
            for x, d, wanted in zip(results, dims, self.out_dims, strict=True)
        ]


class BatchedRule:
    """The rule of a call, mapped over stacks of what it gets; a subclass says of what."""

    __slots__ = ("call", "dims", "rule")

    def __init__(self, rule: Any, call: BatchedCall, num_consts: int) -> None:
        self.rule = rule
        self.call = call
        self.dims = call.dims[num_consts:]


@contextlib.contextmanager
def named(axis: MappedAxis) -> Iterator[None]:
    """Context manager: rules run when ``vmap`` is over, and still know the axis by its name."""
    with contextlib.nullcontext() if axis.name is None else binding_axes([(axis.name, axis.size)]):
        yield


def matched(x: Any, dim: int | None, wanted: int | None, axis: MappedAxis) -> Any:
    """A result of a rule, maybe a symbolic zero, with its mapped axis at ``wanted``.

    Raises:
      ValueError: if it differs between the slices and should not.
    """
    if type(x) in (Zero, SymbolicZero):
        return type(x)(stacked_aval(x.aval, axis.size, wanted))
    if wanted is not None:
        return move_to(x, dim, wanted, axis.size)
    if dim is not None:
        raise ValueError(
            f"vmap: a derivative rule returned {aval_of(x).str_short()} that depends on the mapped axis, but its "
            "function does not, since none of its arguments is mapped; map an argument"
        )
    return x


def batch_with_zeros(
    fun: Callable[..., Sequence[Any]],
    axis: MappedAxis,
    args: Sequence[Any],
    dims: Sequence[int | None],
    tag: object | None = None,
) -> tuple[list[Any], list[int | None]]:
    """As `batch_flat`, where arguments and results may be symbolic zeros (which keep the type of a slice)."""
    zeros = {
        i: SymbolicZero(x.aval if d is None else slice_aval(x.aval, d))
        for i, (x, d) in enumerate(zip(args, dims, strict=True))
        if type(x) is SymbolicZero
    }
    found: dict[int, Any] = {}

    def without_zeros(*xs: Any) -> list[Any]:
        given = iter(xs)
        out = fun(*[zeros[i] if i in zeros else next(given) for i in range(len(args))])
        found.update({i: x for i, x in enumerate(out) if type(x) in (Zero, SymbolicZero)})
        count.append(len(out))
        return [x for i, x in enumerate(out) if i not in found]

    count: list[int] = []
    kept = [i for i in range(len(args)) if i not in zeros]
    with named(axis):
        results, out_dims = batch_flat(
            without_zeros, axis, [args[i] for i in kept], [dims[i] for i in kept], tag
        )
    values, places = iter(results), iter(out_dims)
    full = [found[i] if i in found else next(values) for i in range(count[0])]
    return full, [None if i in found else next(places) for i in range(count[0])]


def call_rule(kind: str, name: str, rule: Callable[..., Any], *args: Any) -> Any:
    """Run a user's rule; say what is wrong where it, or the function, uses a tracer from outside.

    Where a program is transposed or run again, the equations of the rule come from the rule's own lines and
    from the call that it belongs to.

    Raises:
      UnexpectedTracerError: if it closes over a value that is being traced.
    """
    outer, take = current.traceback, current.take
    if outer is not None:
        current.take = lambda: source.Joined(source.take(), call_rule.__code__, outer)
        current.traceback = None
    try:
        return rule(*args)
    except errors.UnexpectedTracerError as error:
        raise errors.UnexpectedTracerError(
            f"{kind}: {name}, or its derivative rule, closes over a value that is being traced, but a rule tells "
            f"derivatives by arguments only; pass the value as an argument (closure_convert does it for functions)"
            f"\n{error}"
        ) from None
    finally:
        current.traceback, current.take = outer, take
