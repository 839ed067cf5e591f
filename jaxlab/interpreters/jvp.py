"""Forward-mode differentiation: each value travels with its tangent."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from jaxlab import dtypes, lazy
from jaxlab.config import config
from jaxlab.core.aval import ShapedArray, Zero, aval_of, is_array_like
from jaxlab.core.jaxpr import ClosedJaxpr
from jaxlab.core.memo import memoised
from jaxlab.core.trace import Trace, Tracer, current, interpret_with
from jaxlab.interpreters.staging import eval_closed, stage_closed
from jaxlab.primitives.broadcasting import instantiate

if TYPE_CHECKING:
    from jaxlab.core import leaks
else:  # only where an option asks for it
    leaks = lazy.module("jaxlab.core.leaks")

NO_TANGENT = ShapedArray((), dtypes.float0)


class JVPTracer(Tracer):
    """A primal value and its tangent."""

    __slots__ = ("primal", "tangent")

    def __init__(self, trace: Trace, primal: Any, tangent: Any) -> None:
        self._trace = trace
        self.aval = aval_of(primal)
        self.primal = primal
        self.tangent = tangent

    def concrete(self) -> Any:
        primal = self.primal
        return primal.concrete() if isinstance(primal, Tracer) else primal

    def origin(self) -> str:
        primal = self.primal
        return primal.origin() if isinstance(primal, Tracer) else "(being differentiated)"


class JVPTrace(Trace):
    """Applies the jvp rule where a tangent is not zero; all else goes to the parent."""

    __slots__ = ()

    def process(self, primitive: Any, args: Sequence[Any], params: dict[str, Any]) -> Any:
        primals = []
        tangents = []
        active = False
        for x in args:
            if type(x) is JVPTracer and x._trace is self:
                primals.append(x.primal)
                tangents.append(x.tangent)
                active = active or type(x.tangent) is not Zero
            else:
                primals.append(x)
                tangents.append(Zero(aval_of(x).to_tangent_aval()))
        assert self.parent is not None
        with interpret_with(self.parent):
            if not active and not primitive.unconditional:
                return primitive.bind(*primals, **params)
            out, tangent = primitive.jvp(primals, tangents, **params)
        if primitive.multiple_results:
            return [self.pair(x, t) for x, t in zip(out, tangent, strict=True)]
        return self.pair(out, tangent)

    def pair(self, primal: Any, tangent: Any) -> Any:
        """The tracer for a value and its tangent; a value without tangent stays what it is."""
        return primal if type(tangent) is Zero else JVPTracer(self, primal, tangent)

    def unpair(self, x: Any) -> tuple[Any, Any]:
        """Primal and tangent of any value seen under this trace."""
        if type(x) is JVPTracer and x._trace is self:
            return x.primal, x.tangent
        # Auxiliary results may be anything; they have no tangent.
        return x, Zero(aval_of(x).to_tangent_aval() if is_array_like(x) else NO_TANGENT)


def instantiate_tangent(t: Any) -> Any:
    """As `instantiate`, but where a function is linearized the zeros belong to the program of the tangents.

    They are made when they are needed, not kept from the time when the values are computed.
    """
    if type(t) is not Zero:
        return t
    with interpret_with(getattr(current.trace, "unknown", current.trace)):
        return instantiate(t)


def jvp_flat(
    fun: Callable[..., Sequence[Any]], primals: Sequence[Any], tangents: Sequence[Any]
) -> tuple[list[Any], list[Any]]:
    """Values and tangents of ``fun``, flat like its arguments; tangents may be ``Zero`` either way."""
    trace = JVPTrace(current.trace)
    with interpret_with(trace):
        outputs = fun(*[trace.pair(x, t) for x, t in zip(primals, tangents, strict=True)])
        pairs = [trace.unpair(x) for x in outputs]
    if config.check_tracer_leaks:
        left = weakref.ref(trace)
        del trace, outputs
        leaks.check(left, getattr(fun, "__name__", ""))
    return [x for x, _ in pairs], [t for _, t in pairs]


def jvp_jaxpr(
    closed: ClosedJaxpr, nonzero_in: Sequence[bool], instantiate_out: Sequence[bool] | bool = False
) -> tuple[ClosedJaxpr, list[bool]]:
    """The program of primals and tangents.

    Its inputs are all primals followed by the tangents marked in ``nonzero_in``; its outputs all primals
    followed by the tangents that are not zero (those marked in ``instantiate_out`` in any case), as the
    second result tells.
    """
    if isinstance(instantiate_out, bool):
        instantiate_out = [instantiate_out] * len(closed.jaxpr.outvars)
    return _jvp_jaxpr(closed, list(nonzero_in), list(instantiate_out))


@memoised
def _jvp_jaxpr(
    closed: ClosedJaxpr, nonzero_in: Sequence[bool], instantiate_out: Sequence[bool]
) -> tuple[ClosedJaxpr, list[bool]]:
    avals = closed.in_avals
    tangent_avals = [aval.to_tangent_aval() for aval in avals]
    nonzero_out: list[bool] = []

    def fun(*args: Any) -> list[Any]:
        primals = args[: len(avals)]
        given = iter(args[len(avals) :])
        tangents = [
            next(given) if nonzero else Zero(aval)
            for nonzero, aval in zip(nonzero_in, tangent_avals, strict=True)
        ]
        out, out_tangents = jvp_flat(lambda *xs: eval_closed(closed, *xs), primals, tangents)
        nonzero_out[:] = [
            forced or type(t) is not Zero for t, forced in zip(out_tangents, instantiate_out, strict=True)
        ]
        return out + [instantiate(t) for t, n in zip(out_tangents, nonzero_out, strict=True) if n]

    in_avals: list[ShapedArray] = avals + [t for t, n in zip(tangent_avals, nonzero_in, strict=True) if n]
    return stage_closed(fun, in_avals, closed.jaxpr.debug), nonzero_out


def jvp_of_call(
    closed: ClosedJaxpr,
    primals: Sequence[Any],
    tangents: Sequence[Any],
    apply: Callable[[ClosedJaxpr, Sequence[Any]], Sequence[Any]],
) -> tuple[list[Any], list[Any]]:
    """The jvp rule of what calls a program on its operands: ``apply`` calls the derived one on more of them."""
    nonzero = [type(t) is not Zero for t in tangents]
    both, nonzero_out = jvp_jaxpr(closed, nonzero)
    out = apply(both, [*primals, *[t for t, n in zip(tangents, nonzero, strict=True) if n]])
    count = len(nonzero_out)
    rest = iter(out[count:])
    return list(out[:count]), [
        next(rest) if n else Zero(aval.to_tangent_aval())
        for n, aval in zip(nonzero_out, closed.out_avals, strict=True)
    ]
