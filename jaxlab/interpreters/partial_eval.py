"""Partial evaluation: what can be computed now goes to one interpreter, what must wait to another."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from jaxlab.core.aval import ShapedArray
from jaxlab.core.jaxpr import ClosedJaxpr, Jaxpr, needed_equations
from jaxlab.core.memo import memoised
from jaxlab.core.trace import Trace, Tracer, base_trace, current, interpret_with
from jaxlab.interpreters.staging import StagingTrace, eval_closed


class SplitTrace(Trace):
    """Sends applications on known values to ``parent``, those on an unknown to the staging trace ``unknown``.

    Known values that reach the unknown program become its constants: they are the residuals. With ``nested``
    it splits the program of a checkpoint: those inside it stay what they are, to be run again as such.
    """

    __slots__ = ("nested", "unknown")

    def __init__(self, known: Trace, unknown: StagingTrace, nested: bool = False) -> None:
        self.parent = known
        self.staging = known.staging
        self.unknown = unknown
        self.nested = nested

    def process(self, primitive: Any, args: Sequence[Any], params: dict[str, Any]) -> Any:
        unknown = self.unknown
        is_unknown = [isinstance(x, Tracer) and x._trace is unknown for x in args]
        if any(is_unknown) or primitive.unconditional:
            return primitive.partial_eval(self, is_unknown, args, **params)
        assert self.parent is not None
        with interpret_with(self.parent):
            return primitive.bind(*args, **params)


def split(
    fun: Callable[..., Sequence[Any]], args: Sequence[Any], unknown_avals: Sequence[ShapedArray]
) -> tuple[list[Any], Jaxpr, list[Any], list[bool]]:
    """Run ``fun(*args, *unknowns)`` as far as it goes without the unknowns.

    Returns the known outputs, the program of the unknown outputs (from the unknowns, with residuals as
    constants), the residuals' values, and for each output whether it is unknown.
    """
    known = current.trace
    unknown = StagingTrace(known)
    try:
        with interpret_with(SplitTrace(known, unknown)):
            outputs = fun(*args, *[unknown.new_argument(aval) for aval in unknown_avals])
        is_unknown = [isinstance(x, Tracer) and x._trace is unknown for x in outputs]
        finished = unknown.finish([x for x, u in zip(outputs, is_unknown, strict=True) if u])
    finally:
        unknown.alive = False
    known_outputs = [x for x, u in zip(outputs, is_unknown, strict=True) if not u]
    return known_outputs, *needed_part(*finished), is_unknown


def needed_part(jaxpr: Jaxpr, residuals: Sequence[Any]) -> tuple[Jaxpr, list[Any]]:
    """A program without what its results do not need, and the values of the constants that are left."""
    eqns, read = needed_equations(jaxpr, jaxpr.outvars)
    pairs = [(v, x) for v, x in zip(jaxpr.constvars, residuals, strict=True) if v in read]
    return jaxpr.replace(constvars=[v for v, _ in pairs], eqns=eqns), [x for _, x in pairs]


class Halves:
    """A jaxpr split in two.

    ``known`` maps known inputs to known outputs followed by residuals; ``unknown`` maps residuals followed by
    unknown inputs to unknown outputs.
    """

    __slots__ = ("known", "num_residuals", "out_unknown", "unknown")

    def __init__(
        self, known: ClosedJaxpr, unknown: ClosedJaxpr, out_unknown: list[bool], num_residuals: int
    ) -> None:
        self.known = known
        self.unknown = unknown
        self.out_unknown = out_unknown
        self.num_residuals = num_residuals


def split_jaxpr(
    closed: ClosedJaxpr,
    unknown_in: Sequence[bool],
    instantiate: Sequence[bool] | bool = False,
    nested: bool = False,
) -> Halves:
    """Split a program by which inputs are known; outputs marked in ``instantiate`` are made unknown."""
    if isinstance(instantiate, bool):
        instantiate = [instantiate] * len(closed.jaxpr.outvars)
    return _split_jaxpr(closed, list(unknown_in), list(instantiate), nested)


@memoised
def _split_jaxpr(
    closed: ClosedJaxpr, unknown_in: Sequence[bool], instantiate: Sequence[bool], nested: bool
) -> Halves:
    known = StagingTrace(base_trace(), closed.jaxpr.debug)
    unknown = StagingTrace(known, closed.jaxpr.debug)
    try:
        args = [
            (unknown if u else known).new_argument(v.aval)
            for v, u in zip(closed.jaxpr.invars, unknown_in, strict=True)
        ]
        with interpret_with(known), interpret_with(SplitTrace(known, unknown, nested)):
            outputs = eval_closed(closed, *args)
        out_unknown = [
            forced or (isinstance(x, Tracer) and x._trace is unknown)
            for x, forced in zip(outputs, instantiate, strict=True)
        ]
        later, residuals = needed_part(
            *unknown.finish([x for x, u in zip(outputs, out_unknown, strict=True) if u])
        )
        pairs = list(zip(later.constvars, residuals, strict=True))
        kept = [(v, r) for v, r in pairs if isinstance(r, Tracer)]
        concrete = [(v, r) for v, r in pairs if not isinstance(r, Tracer)]
        now, consts = known.finish(
            [x for x, u in zip(outputs, out_unknown, strict=True) if not u] + [r for _, r in kept],
            references=True,
        )
    finally:
        known.alive = unknown.alive = False
    later = later.replace(constvars=[v for v, _ in concrete], invars=[v for v, _ in kept] + later.invars)
    return Halves(
        ClosedJaxpr(now, consts), ClosedJaxpr(later, [r for _, r in concrete]), out_unknown, len(kept)
    )
