"""Discharging: a program on references becomes one on values, with the last ones as further results."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from jaxlab.core import higher_order
from jaxlab.core.aval import ShapedArray, UndefinedPrimal, Zero, aval_of
from jaxlab.core.effects import changed_operands, touches_references
from jaxlab.core.higher_order import HigherOrder
from jaxlab.core.jaxpr import ClosedJaxpr, JaxprEqn, Var
from jaxlab.core.memo import memoised
from jaxlab.core.refs import AbstractRef, is_ref
from jaxlab.core.trace import current
from jaxlab.interpreters.staging import stage_closed
from jaxlab.primitives.broadcasting import instantiate
from jaxlab.primitives.conversion import convert
from jaxlab.primitives.reference_access import CotangentRef, addupdate_p, get_p, swap_p
from jaxlab.primitives.reference_index import WHOLE
from jaxlab.primitives.references import StatePrimitive


class Place:
    """What a reference is while its program runs on values: where the value of the moment is kept."""

    __slots__ = ("aval", "value")

    def __init__(self, aval: ShapedArray, value: Any = None) -> None:
        assert isinstance(aval, AbstractRef)
        self.aval = aval.inner_aval
        self.value = value

    def put(self, value: Any) -> None:
        """Keep a new value, of the type that the reference is for."""
        if aval_of(value).weak_type != self.aval.weak_type:
            value = convert(value, self.aval.dtype, self.aval.weak_type)
        self.value = value


@memoised
def discharged(closed: ClosedJaxpr, last: Sequence[int]) -> ClosedJaxpr:
    """The program from values in place of references to its results, and to the last values of some of these.

    Args:
      last: the inputs that are references whose last values are wanted, in the order of the results.
    """
    jaxpr = closed.jaxpr

    def fun(*args: Any) -> list[Any]:
        env: dict[Var, Any] = dict(zip(jaxpr.constvars, closed.consts, strict=True))
        for v, x in zip(jaxpr.invars, args, strict=True):
            env[v] = Place(v.aval, x) if is_ref(v.aval) else x
        _run(jaxpr.eqns, env)
        results = [env[v] if type(v) is Var else v.val for v in jaxpr.outvars]
        return [*results, *[env[jaxpr.invars[i]].value for i in last]]

    avals = [v.aval.inner_aval if isinstance(v.aval, AbstractRef) else v.aval for v in jaxpr.invars]
    return stage_closed(fun, avals, jaxpr.debug)


def _run(eqns: Sequence[JaxprEqn], env: dict[Var, Any]) -> None:
    """Run equations on values and places, under the current interpreter."""
    scope, traceback = current.scope, current.traceback
    try:
        for eqn in eqns:
            current.traceback = eqn.traceback
            current.scope = f"{scope}/{eqn.scope}" if scope and eqn.scope else scope or eqn.scope
            primitive = eqn.primitive
            args = [env[v] if type(v) is Var else v.val for v in eqn.invars]
            if isinstance(primitive, StatePrimitive):
                out = _run_on_place(primitive, eqn, args)
            elif touches_references(primitive.effects(eqn.params)):
                assert isinstance(primitive, HigherOrder)
                out = _run_on_places(primitive, args, eqn.params)
            else:
                out = primitive.bind(*args, **eqn.params)
            env.update(zip(eqn.outvars, out if primitive.multiple_results else [out], strict=True))
    finally:
        current.scope, current.traceback = scope, traceback


def _run_on_place(primitive: StatePrimitive, eqn: JaxprEqn, args: Sequence[Any]) -> Any:
    first = args[0] if args else None
    if type(first) is Place:
        value, out = primitive.discharge(first.value, *args[1:], **eqn.params)
        if changed_operands(primitive.effect):
            first.put(value)
        return out
    place = Place(eqn.outvars[0].aval)
    place.put(primitive.discharge(first, **eqn.params)[0])
    return place


def _run_on_places(primitive: HigherOrder, args: Sequence[Any], params: dict[str, Any]) -> list[Any]:
    places = {i: id(x) for i, x in enumerate(args) if type(x) is Place}
    values = [x.value if type(x) is Place else x for x in args]
    out, changed = primitive.discharge(values, places, discharged, **params)
    for i, value in changed.items():
        args[i].put(value)
    return out


def discharge_program(closed: ClosedJaxpr) -> tuple[ClosedJaxpr, tuple[int, ...]]:
    """A program as it is compiled, and which of its inputs are references whose last values it gives at the end."""
    effects = closed.effects
    if not touches_references(effects):
        return closed, ()
    written = tuple(sorted(i for i in changed_operands(effects) if i >= 0))
    return discharged(closed, list(written)), written


def _apply(primitive: HigherOrder, args: Sequence[Any], params: dict[str, Any], held: set[int]) -> Any:
    """Apply a program to references: read them before, and write those that it changes after."""
    if current.trace.parent is None and len({id(args[i]) for i in held}) == len(held):
        return current.trace.process(primitive, args, params)
    values = [get_p.bind(x, index=WHOLE) if i in held else x for i, x in enumerate(args)]
    places = {i: id(args[i]) for i in held}
    out, changed = primitive.discharge(values, places, discharged, **params)
    for i, value in changed.items():
        swap_p.bind(args[i], value, index=WHOLE)
    return out


higher_order.apply_to_references[0] = _apply


def transpose_on_references(
    eqn: JaxprEqn,
    cts: Sequence[Any],
    values: Sequence[Any],
    cotangent: dict[Any, Any],
    backward: Callable[..., list[Any]],
) -> Sequence[Any]:
    """Cotangents of the operands of an equation on linear references, whose own are collected in ``cotangent``."""
    primitive = eqn.primitive
    given = [
        CotangentRef(v.aval, cotangent.get(v)) if type(x) is UndefinedPrimal and is_ref(v.aval) else x
        for v, x in zip(eqn.invars, values, strict=True)
    ]
    if isinstance(primitive, StatePrimitive):
        found = primitive.transpose(cts if primitive.multiple_results else cts[0], *given, **eqn.params)
    else:
        assert isinstance(primitive, HigherOrder)
        found = _transpose_on_values(primitive, eqn, cts, given, backward)
    for v, x in zip(eqn.invars, given, strict=True):
        if type(x) is CotangentRef and x.ref is not None:
            cotangent[v] = x.ref
    return found


def _transpose_on_values(
    primitive: HigherOrder,
    eqn: JaxprEqn,
    cts: Sequence[Any],
    given: Sequence[Any],
    backward: Callable[..., list[Any]],
) -> list[Any]:
    """The same for one that holds programs: its transpose on values, between reads and writes of the cotangents."""
    written = sorted(changed_operands(primitive.effects(eqn.params)))

    def on_values(*args: Any) -> list[Any]:
        places = {i: id(v) for i, v in enumerate(eqn.invars) if is_ref(v.aval)}
        out, changed = primitive.discharge(args, places, discharged, **eqn.params)
        return [*out, *[changed.get(i, args[i]) for i in written]]

    avals = [v.aval.inner_aval if isinstance(v.aval, AbstractRef) else v.aval for v in eqn.invars]
    closed = stage_closed(on_values, avals)
    args = [
        UndefinedPrimal(aval)
        if isinstance(x, UndefinedPrimal)
        else get_p.bind(x, index=WHOLE)
        if is_ref(v.aval)
        else x
        for v, x, aval in zip(eqn.invars, given, avals, strict=True)
    ]
    last = [
        Zero(avals[i]) if type(x) is not CotangentRef or x.ref is None else get_p.bind(x.ref, index=WHOLE)
        for i, x in ((i, given[i]) for i in written)
    ]
    found = backward(closed.jaxpr, closed.consts, args, [*cts, *last])
    for i, x in enumerate(given):
        if type(x) is not CotangentRef:
            continue
        if i in written and (x.ref is not None or type(found[i]) is not Zero):
            swap_p.bind(x.made(), instantiate(found[i]), index=WHOLE)
        elif type(found[i]) is not Zero:
            addupdate_p.bind(x.made(), found[i], index=WHOLE)
        found[i] = None
    return found
