"""Transposition: from a program that is linear in some inputs to the one that sends cotangents back."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from jaxlab import lazy
from jaxlab.core import source
from jaxlab.core.aval import UndefinedPrimal, Zero
from jaxlab.core.effects import changed_operands, touches_references
from jaxlab.core.jaxpr import ClosedJaxpr, Jaxpr, Var
from jaxlab.core.memo import memoised
from jaxlab.core.refs import is_ref
from jaxlab.core.trace import current
from jaxlab.interpreters.staging import stage_closed
from jaxlab.primitives.broadcasting import instantiate
from jaxlab.primitives.elementwise import add_any

if TYPE_CHECKING:
    from jaxlab.interpreters import discharge as references
else:  # only where there are references
    references = lazy.module("jaxlab.interpreters.discharge")


def backward(
    jaxpr: Jaxpr, consts: Sequence[Any], args: Sequence[Any], cts: Sequence[Any], sums: Sequence[Any] = ()
) -> list[Any]:
    """Cotangents of the linear arguments of a jaxpr.

    Args:
      args: a value for each non-linear argument, an ``UndefinedPrimal`` for each linear one.
      cts: a cotangent, or ``Zero``, for each output.
      sums: cotangents to add to, for the first of the linear arguments.

    Returns a cotangent or ``Zero`` for each argument (``Zero`` for the non-linear ones).
    """
    primal: dict[Var, Any] = dict(zip(jaxpr.constvars, consts, strict=True))
    linear: set[Var] = set()
    # An argument may differ from the variable in weak type: the carry of a loop that does not stay weakly typed.
    undefined: dict[Var, UndefinedPrimal] = {}
    for var, x in zip(jaxpr.invars, args, strict=True):
        if type(x) is UndefinedPrimal:
            linear.add(var)
            undefined[var] = x
        else:
            primal[var] = x
    stateful = touches_references(jaxpr.effects)
    if stateful:
        linear |= _linear_references(jaxpr, linear)
    pending = _evaluate_nonlinear(jaxpr, primal, linear)
    cotangent: dict[Var, Any] = dict(zip(undefined, sums, strict=False))

    def accumulate(var: Any, ct: Any) -> None:
        if ct is None or type(ct) is Zero or type(var) is not Var or var not in linear:
            return
        known = cotangent.get(var)
        cotangent[var] = ct if known is None else add_any(known, ct)

    for v, ct in zip(jaxpr.outvars, cts, strict=True):
        accumulate(v, ct)
    scope, traceback = current.scope, current.traceback
    try:
        for eqn in reversed(pending):
            primitive = eqn.primitive
            out_cts = [cotangent.pop(var, None) for var in eqn.outvars]
            refs = stateful and [v for v in eqn.invars if is_ref(v.aval) and v in linear]
            if all(ct is None for ct in out_cts) and not refs:
                continue
            values = [
                v.val
                if type(v) is not Var
                else undefined.get(v) or UndefinedPrimal(v.aval)
                if v in linear
                else primal[v]
                for v in eqn.invars
            ]
            current.scope = f"{scope}/transpose({eqn.scope})" if eqn.scope else scope
            current.traceback = eqn.traceback
            full = [
                Zero(var.aval) if ct is None else ct for var, ct in zip(eqn.outvars, out_cts, strict=True)
            ]
            if refs:
                in_cts = references.transpose_on_references(eqn, full, values, cotangent, backward)
            else:
                in_cts = primitive.transpose(
                    full if primitive.multiple_results else full[0], *values, **eqn.params
                )
            for v, ct in zip(eqn.invars, in_cts, strict=True):
                accumulate(v, ct)
    except Exception as error:
        source.made_at(error, current.traceback)
        raise
    finally:
        current.scope, current.traceback = scope, traceback
    return [cotangent[var] if var in cotangent else Zero(var.aval) for var in jaxpr.invars]


def _evaluate_nonlinear(jaxpr: Jaxpr, primal: dict[Var, Any], linear: set[Var]) -> list[Any]:
    """Run the equations that touch no linear variable, and return the others in order."""
    pending = []
    for eqn in jaxpr.eqns:
        if not (linear.isdisjoint(eqn.invars) and linear.isdisjoint(eqn.outvars)):
            linear.update(eqn.outvars)
            pending.append(eqn)
            continue
        values = [primal[v] if type(v) is Var else v.val for v in eqn.invars]
        out = eqn.primitive.bind(*values, **eqn.params)
        primal.update(zip(eqn.outvars, out if eqn.primitive.multiple_results else [out], strict=True))
    return pending


def _linear_references(jaxpr: Jaxpr, linear: set[Var]) -> set[Var]:
    """The references that something linear is written to, now or later."""
    found: set[Var] = set()
    while True:
        known = linear | found
        before = len(found)
        for eqn in jaxpr.eqns:
            if any(v in known for v in (*eqn.invars, *eqn.outvars)):
                known.update(eqn.outvars)
                written = [eqn.invars[i] for i in changed_operands(eqn.primitive.effects(eqn.params))]
                found.update(v for v in (*written, *eqn.outvars) if type(v) is Var and is_ref(v.aval))
        if len(found) == before:
            return found


def transpose_jaxpr(
    closed: ClosedJaxpr, linear: Sequence[bool], zero_cts: Sequence[bool], instantiate_out: bool = False
) -> tuple[ClosedJaxpr, list[bool]]:
    """The transposed program.

    Its inputs are the non-linear inputs followed by the cotangents of the outputs not marked in ``zero_cts``;
    its outputs the cotangents of the linear inputs that are not zero (of all, if ``instantiate_out``), as the
    second result tells (one flag a linear input).
    """
    return _transpose_jaxpr(closed, list(linear), list(zero_cts), instantiate_out)


@memoised
def _transpose_jaxpr(
    closed: ClosedJaxpr, linear: Sequence[bool], zero_cts: Sequence[bool], instantiate_out: bool
) -> tuple[ClosedJaxpr, list[bool]]:
    jaxpr = closed.jaxpr
    nonlinear_avals = [v.aval for v, is_linear in zip(jaxpr.invars, linear, strict=True) if not is_linear]
    ct_avals = [v.aval.to_tangent_aval() for v, zero in zip(jaxpr.outvars, zero_cts, strict=True) if not zero]
    nonzero: list[bool] = []

    def fun(*inputs: Any) -> list[Any]:
        values = iter(inputs[: len(nonlinear_avals)])
        given = iter(inputs[len(nonlinear_avals) :])
        args = [
            UndefinedPrimal(v.aval) if is_linear else next(values)
            for v, is_linear in zip(jaxpr.invars, linear, strict=True)
        ]
        cts = [Zero(v.aval) if zero else next(given) for v, zero in zip(jaxpr.outvars, zero_cts, strict=True)]
        found = backward(jaxpr, closed.consts, args, cts)
        found = [ct for ct, is_linear in zip(found, linear, strict=True) if is_linear]
        nonzero[:] = [instantiate_out or type(ct) is not Zero for ct in found]
        return [instantiate(ct) for ct, n in zip(found, nonzero, strict=True) if n]

    return stage_closed(fun, nonlinear_avals + ct_avals, jaxpr.debug), nonzero


def transpose_of_call(
    closed: ClosedJaxpr,
    cts: Sequence[Any],
    args: Sequence[Any],
    apply: Callable[[ClosedJaxpr, Sequence[Any]], Sequence[Any]],
) -> list[Any]:
    """The transpose rule of what calls a program on its operands: ``apply`` calls the transposed one."""
    linear = [type(x) is UndefinedPrimal for x in args]
    zeros = [type(ct) is Zero for ct in cts]
    back, nonzero = transpose_jaxpr(closed, linear, zeros)
    values = [x for x, is_linear in zip(args, linear, strict=True) if not is_linear]
    given = [instantiate(ct) for ct, zero in zip(cts, zeros, strict=True) if not zero]
    found, flags = iter(apply(back, [*values, *given])), iter(nonzero)
    return [(next(found) if next(flags) else None) if is_linear else None for is_linear in linear]
