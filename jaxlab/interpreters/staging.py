"""Staging: run a function on tracers and keep the equations, as a jaxpr."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from jaxlab import lazy
from jaxlab.config import config
from jaxlab.core import printing as printing  # gives jaxprs their text
from jaxlab.core import source
from jaxlab.core.aval import ShapedArray, aval_of
from jaxlab.core.jaxpr import Atom, ClosedJaxpr, DebugInfo, Jaxpr, JaxprEqn, Literal, Var
from jaxlab.core.memo import memoised
from jaxlab.core.primitive import Primitive
from jaxlab.core.refs import is_ref, returned
from jaxlab.core.trace import Trace, Tracer, current, interpret_with, leaked
from jaxlab.core.typecheck import check_jaxpr

if TYPE_CHECKING:
    from jaxlab.core import leaks
else:  # only where an option asks for it
    leaks = lazy.module("jaxlab.core.leaks")


class StagedTracer(Tracer):
    """A value of a program that is being recorded."""

    __slots__ = ("_var",)  # `var` is a method of arrays

    def __init__(self, trace: StagingTrace, var: Var) -> None:
        self._trace = trace
        self.aval = var.aval
        self._var = var

    def origin(self) -> str:
        trace = self._trace
        assert isinstance(trace, StagingTrace)
        return trace.origin(self._var)


class StagingTrace(Trace):
    """Records each application as an equation. Values from outside become literals (scalars) or constants."""

    __slots__ = ("alive", "constants", "debug", "eqns", "holds_references", "invars")
    records = True

    def __init__(self, parent: Trace, debug: DebugInfo | None = None) -> None:
        self.parent = parent
        self.staging = True
        self.alive = True
        self.eqns: list[JaxprEqn] = []
        self.invars: list[Var] = []
        self.holds_references = False
        self.constants: dict[int, tuple[Var, Any]] = {}
        self.debug = debug or DebugInfo()

    def process(self, primitive: Any, args: Sequence[Any], params: dict[str, Any]) -> Any:
        invars: list[Atom] = []
        avals = []
        for x in args:
            if type(x) is StagedTracer and x._trace is self:
                invars.append(x._var)
                avals.append(x.aval)
            else:
                atom = self.atom(x)
                invars.append(atom)
                avals.append(atom.aval)
        out = primitive.abstract_eval(*avals, **params)
        if primitive.multiple_results:
            outvars = [Var(aval) for aval in out]
            self.eqns.append(
                JaxprEqn(
                    invars, outvars, primitive, params, current.traceback or current.take(), current.scope
                )
            )
            return [StagedTracer(self, var) for var in outvars]
        var = Var(out)
        self.eqns.append(
            JaxprEqn(invars, [var], primitive, params, current.traceback or current.take(), current.scope)
        )
        return StagedTracer(self, var)

    def new_argument(self, aval: ShapedArray) -> StagedTracer:
        """A tracer for one more argument of the program."""
        if not self.alive:
            raise RuntimeError("staging: the trace is finished and takes no more arguments")
        var = Var(aval)
        self.invars.append(var)
        if is_ref(aval):
            self.holds_references = True
        return StagedTracer(self, var)

    def atom(self, x: Any) -> Atom:
        """The variable or literal for any value: own tracer, outer tracer, array or Python scalar."""
        if isinstance(x, Tracer):
            if x._trace is self:
                assert type(x) is StagedTracer
                return x._var
            if not reachable(x._trace, self.parent):
                raise leaked(x)
        elif hasattr(x, "__jax_array__"):
            return self.atom(x.__jax_array__())
        else:
            aval = aval_of(x)
            if not aval.shape and isinstance(aval.dtype, np.dtype) and not is_ref(aval):
                return Literal(x, aval)
        known = self.constants.get(id(x))
        if known is None:
            aval = aval_of(x)
            known = self.constants[id(x)] = (Var(aval), x)
            if is_ref(aval):
                self.holds_references = True
        return known[0]

    def finish(self, outputs: Sequence[Any], *, references: bool = False) -> tuple[Jaxpr, list[Any]]:
        """The program recorded, with ``outputs`` as results, and the values of its constants.

        Raises:
          ValueError: if a result is a reference (with ``references``, one that is no input), or an operation on
            arrays was given one.
        """
        if self.holds_references:
            check_operands(self.eqns)
        outvars = [self.atom(x) for x in outputs]
        for i, v in enumerate(outvars):
            if is_ref(v.aval) and not (references and v in self.invars):
                where = f" number {i}" if len(outvars) > 1 else ""
                raise returned(v.aval, self.debug.name, where, self.origin(v))  # type: ignore[arg-type]
        constants = self.constants.values()
        jaxpr = Jaxpr([var for var, _ in constants], self.invars, outvars, self.eqns, self.debug)
        self.alive = False
        return jaxpr, [value for _, value in constants]

    def origin(self, var: Var) -> str:
        """Where a variable comes from, in words: the argument that it is, or those that it was computed from."""
        function = self.debug.name or "the function"
        if var in self.invars:
            name = self._argument(var)
            return f"(argument `{name}` of {function})" if name else f"(an argument of {function})"
        made = next((eqn for eqn in self.eqns if var in eqn.outvars), None)
        if made is None:
            return ""
        needed: set[Any] = set(made.invars)
        for eqn in reversed(self.eqns[: self.eqns.index(made)]):
            if not needed.isdisjoint(eqn.outvars):
                needed.update(eqn.invars)
        names = [f"`{self._argument(v)}`" for v in self.invars if v in needed and self._argument(v)]
        more = f" and {len(names) - 3} more" if len(names) > 3 else ""
        given = f" from {', '.join(names[:3])}{more}" if names else ""
        place = source.summary(made.traceback)
        return f"(computed by `{made.primitive}`{given} at {place}, while {function} was traced)"

    def _argument(self, var: Var) -> str:
        i = self.invars.index(var)
        return self.debug.arg_names[i] if i < len(self.debug.arg_names) else ""


def check_operands(eqns: Sequence[JaxprEqn]) -> None:
    """Raise ValueError if an operation on arrays was given a reference."""
    for eqn in eqns:
        if not eqn.primitive.takes_references:
            for i, v in enumerate(eqn.invars):
                if is_ref(v.aval):
                    raise ValueError(
                        f"{eqn.primitive}: operand {i} is a reference of type {v.aval.str_short()} (at "
                        f"{source.summary(eqn.traceback)}), but an array is needed; read it first, with ref[...]"
                    )


def reachable(trace: Trace, start: Trace | None) -> bool:
    """Whether ``trace`` is ``start`` or one of the interpreters below it, so that its tracers may be used."""
    while start is not None:
        if start is trace:
            return not isinstance(start, StagingTrace) or start.alive
        other = getattr(start, "unknown", None)
        if other is not None and reachable(trace, other):
            return True
        start = start.parent
    return False


def stage(
    fun: Callable[..., Sequence[Any]], avals: Sequence[ShapedArray], debug: DebugInfo | None = None
) -> tuple[Jaxpr, list[Any]]:
    """Trace ``fun``, which takes and returns flat sequences of values, at the given types.

    Returns the jaxpr and the values of its constvars, among which may be tracers of enclosing traces.
    """
    trace = StagingTrace(current.trace, debug)
    try:
        with interpret_with(trace):
            outputs = fun(*[trace.new_argument(aval) for aval in avals])
            jaxpr, consts = trace.finish(outputs)
    finally:
        trace.alive = False
    if config.enable_checks:
        check_jaxpr(jaxpr)
    if config.check_tracer_leaks:
        left = weakref.ref(trace)
        del trace, outputs
        leaks.check(left, jaxpr.debug.name)
    return jaxpr, consts


def close(jaxpr: Jaxpr, consts: Sequence[Any]) -> tuple[ClosedJaxpr, list[Any]]:
    """Close a jaxpr over its concrete constants; tracers become leading inputs, returned beside it."""
    lifted = [(var, x) for var, x in zip(jaxpr.constvars, consts, strict=True) if isinstance(x, Tracer)]
    if not lifted:
        return ClosedJaxpr(jaxpr, consts), []
    kept = [(var, x) for var, x in zip(jaxpr.constvars, consts, strict=True) if not isinstance(x, Tracer)]
    names = jaxpr.debug.arg_names
    debug = DebugInfo(
        jaxpr.debug.name, ("",) * len(lifted) + names if names else (), jaxpr.debug.result_paths
    )
    open_ = jaxpr.replace(
        constvars=[var for var, _ in kept], invars=[var for var, _ in lifted] + jaxpr.invars, debug=debug
    )
    return ClosedJaxpr(open_, [x for _, x in kept]), [x for _, x in lifted]


def references_as_inputs(closed: ClosedJaxpr) -> tuple[ClosedJaxpr, list[Any]]:
    """The program with the references among its constants as its last inputs, and these."""
    held = [is_ref(v.aval) for v in closed.jaxpr.constvars]
    if not any(held):
        return closed, []
    return _opened(closed, held), [x for x, is_held in zip(closed.consts, held, strict=True) if is_held]


@memoised
def _opened(closed: ClosedJaxpr, held: Sequence[bool]) -> ClosedJaxpr:
    """The program with the constants marked in ``held`` as its last inputs."""
    jaxpr = closed.jaxpr
    pairs = list(zip(jaxpr.constvars, closed.consts, held, strict=True))
    names = jaxpr.debug.arg_names
    debug = DebugInfo(
        jaxpr.debug.name, (*names, *[""] * sum(held)) if names else (), jaxpr.debug.result_paths
    )
    open_ = jaxpr.replace(
        constvars=[v for v, _, is_held in pairs if not is_held],
        invars=jaxpr.invars + [v for v, _, is_held in pairs if is_held],
        debug=debug,
    )
    return ClosedJaxpr(open_, [x for _, x, is_held in pairs if not is_held])


def stage_closed(
    fun: Callable[..., Sequence[Any]], avals: Sequence[ShapedArray], debug: DebugInfo | None = None
) -> ClosedJaxpr:
    """As `stage`, for functions that close over no tracer, as in jaxpr-to-jaxpr transformations."""
    jaxpr, consts = stage(fun, avals, debug)
    return ClosedJaxpr(jaxpr, consts)


def eval_jaxpr(jaxpr: Jaxpr, consts: Sequence[Any], *args: Any) -> list[Any]:
    """Run a jaxpr under the current interpreter, equation by equation."""
    env: dict[Var, Any] = dict(zip(jaxpr.constvars, consts, strict=True))
    env.update(zip(jaxpr.invars, args, strict=True))
    scope, traceback = current.scope, current.traceback
    try:
        for eqn in jaxpr.eqns:
            values = [env[v] if type(v) is Var else v.val for v in eqn.invars]
            current.traceback = eqn.traceback
            current.scope = f"{scope}/{eqn.scope}" if scope and eqn.scope else scope or eqn.scope
            out = eqn.primitive.bind(*values, **eqn.params)
            if eqn.primitive.multiple_results:
                env.update(zip(eqn.outvars, out, strict=True))
            else:
                env[eqn.outvars[0]] = out
    finally:
        current.scope, current.traceback = scope, traceback
    return [env[v] if type(v) is Var else v.val for v in jaxpr.outvars]


def eval_closed(closed: ClosedJaxpr, *args: Any) -> list[Any]:
    """Run a closed jaxpr under the current interpreter."""
    return eval_jaxpr(closed.jaxpr, closed.consts, *args)


def single_equation(
    primitive: Primitive, avals: Sequence[ShapedArray], params: dict[str, Any]
) -> ClosedJaxpr:
    """The program that applies one primitive to its arguments."""
    out = primitive.abstract_eval(*avals, **params)
    outvars = [Var(aval) for aval in out] if primitive.multiple_results else [Var(out)]
    invars = [Var(aval) for aval in avals]
    eqn = JaxprEqn(
        list(invars), outvars, primitive, params, current.traceback or current.take(), current.scope
    )
    check_operands([eqn])
    return ClosedJaxpr(Jaxpr([], invars, outvars, [eqn], DebugInfo(primitive.name)))
