"""Partial evaluation: what can be computed now goes to one interpreter, what must wait to another."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from jaxlab.core.aval import ShapedArray, aval_of
from jaxlab.core.jaxpr import ClosedJaxpr, Jaxpr, dce, needed_equations
from jaxlab.core.memo import memoised
from jaxlab.core.trace import Trace, Tracer, base_trace, current, interpret_with
from jaxlab.interpreters.staging import StagingTrace, eval_closed, stage_closed


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


# -- the same under the names of `jax.interpreters.partial_eval`, for wrapped functions (`extend.linear_util`) --


class PartialVal(tuple[Any, Any]):
    """A known value, ``(None, value)``, or an unknown one, ``(type, None)``.

    >>> PartialVal.known(1.0).is_known(), PartialVal.unknown(jaxlab.typeof(1.0)).is_known()
    (True, False)
    """

    __slots__ = ()

    @classmethod
    def known(cls, const: Any) -> PartialVal:
        """A value that is known."""
        return cls((None, const))

    @classmethod
    def unknown(cls, aval: ShapedArray) -> PartialVal:
        """A value of which only the type is."""
        return cls((aval, None))

    def is_known(self) -> bool:
        """Whether it is known."""
        return self[0] is None

    def get_known(self) -> Any | None:
        """The value, None where it is unknown."""
        return self[1] if self.is_known() else None

    def get_aval(self) -> ShapedArray:
        """The type in either case."""
        aval: ShapedArray = aval_of(self[1]) if self.is_known() else self[0]
        return aval


def trace_to_jaxpr_nounits(
    fun: Any, pvals: Sequence[PartialVal], instantiate: bool | Sequence[bool] = False
) -> tuple[Jaxpr, list[PartialVal], list[Any]]:
    """Run a function as far as it goes with what is known.

    Args:
      fun: a wrapped function, flat.
      pvals: its arguments.
      instantiate: which results are to be unknown in any case.

    Returns:
      The program of the unknown results (from the unknown arguments, with what it needs of the known ones as its
      constants), all results, and the values of those constants.

    >>> from jaxlab.extend.linear_util import wrap_init
    >>> fun = wrap_init(lambda x, y: [jnp.sin(x), x * y])
    >>> one = jaxlab.typeof(1.0)
    >>> jaxpr, out, consts = trace_to_jaxpr_nounits(fun, [PartialVal.known(0.0), PartialVal.unknown(one)])
    >>> out[0].get_known(), out[1].is_known(), len(jaxpr.eqns)
    (Array(0., dtype=float32, weak_type=True), False, 1)
    """
    unknown = StagingTrace(current.trace)
    try:
        args = [p[1] if p.is_known() else unknown.new_argument(p[0]) for p in pvals]
        with interpret_with(SplitTrace(current.trace, unknown)):
            outputs = list(fun.call_wrapped(*args))
        forced = [instantiate] * len(outputs) if isinstance(instantiate, bool) else list(instantiate)
        is_unknown = [
            force or (isinstance(x, Tracer) and x._trace is unknown)
            for x, force in zip(outputs, forced, strict=True)
        ]
        finished = unknown.finish([x for x, u in zip(outputs, is_unknown, strict=True) if u])
    finally:
        unknown.alive = False
    jaxpr, consts = needed_part(*finished)
    results = [
        PartialVal.unknown(aval_of(x)) if u else PartialVal.known(x)
        for x, u in zip(outputs, is_unknown, strict=True)
    ]
    return jaxpr, results, consts


def trace_to_jaxpr_dynamic(
    fun: Any, in_avals: Sequence[ShapedArray]
) -> tuple[Jaxpr, list[ShapedArray], list[Any]]:
    """The program of a wrapped function on arguments of these types, the types of its results, and its constants."""
    closed = stage_closed(fun.call_wrapped, list(in_avals), fun.debug_info)
    return closed.jaxpr, closed.out_avals, closed.consts


def dce_jaxpr(
    jaxpr: Jaxpr, used_outputs: bool | Sequence[bool], instantiate: bool | Sequence[bool] = False
) -> tuple[Jaxpr, list[bool]]:
    """A program without the results that are not used, and what only they needed.

    Args:
      jaxpr: a program.
      used_outputs: which of its results are used.
      instantiate: which inputs stay in any case.

    Returns:
      The program, and for each input whether it is still one.

    >>> jaxpr = jaxlab.make_jaxpr(lambda x, y: (jnp.sin(x), jnp.cos(y)))(1.0, 2.0).jaxpr
    >>> smaller, used = dce_jaxpr(jaxpr, [True, False])
    >>> len(smaller.eqns), used
    (1, [True, False])
    """
    outputs = len(jaxpr.outvars)
    wanted = [used_outputs] * outputs if isinstance(used_outputs, bool) else list(used_outputs)
    kept = [instantiate] * len(jaxpr.invars) if isinstance(instantiate, bool) else list(instantiate)
    smaller, used = dce(jaxpr, wanted)
    used = [u or k for u, k in zip(used, kept, strict=True)]
    return smaller.replace(invars=[v for v, u in zip(jaxpr.invars, used, strict=True) if u]), used
