"""Checking a jaxpr: variables are bound once before they are used, equations have the types of their rule."""

from __future__ import annotations

from typing import Any

from jaxlab.core.jaxpr import ClosedJaxpr, Jaxpr, JaxprEqn, Literal, Var, subjaxprs
from jaxlab.core.primitive import result_avals
from jaxlab.core.source import summary
from jaxlab.errors import JaxprTypeError

__all__ = ["JaxprTypeError", "check_jaxpr"]


def check_jaxpr(jaxpr: Jaxpr | ClosedJaxpr) -> None:
    """Raise `JaxprTypeError` unless the jaxpr, and those inside it, are well typed.

    >>> check_jaxpr(make_jaxpr(jnp.sin)(1.0))
    """
    if isinstance(jaxpr, ClosedJaxpr):
        for var, x in zip(jaxpr.jaxpr.constvars, jaxpr.consts, strict=True):
            if getattr(x, "shape", ()) != var.aval.shape:
                raise JaxprTypeError(
                    f"a constant of shape {x.shape} is bound to a variable of type {var.aval.str_short()}"
                )
        jaxpr = jaxpr.jaxpr
    bound: set[Var] = set()
    for var in (*jaxpr.constvars, *jaxpr.invars):
        _bind(var, bound, "the arguments")
    for eqn in jaxpr.eqns:
        _check_equation(eqn, bound)
    for v in jaxpr.outvars:
        _check_bound(v, bound, "the results")


def _check_equation(eqn: JaxprEqn, bound: set[Var]) -> None:
    where = f"the equation of {eqn.primitive} from {summary(eqn.traceback)}"
    for v in eqn.invars:
        _check_bound(v, bound, where)
    for inner in subjaxprs(eqn.params):
        check_jaxpr(inner)
    expected = result_avals(eqn.primitive, [v.aval for v in eqn.invars], eqn.params)
    if len(expected) != len(eqn.outvars):
        raise JaxprTypeError(f"{where} has {len(eqn.outvars)} results, but its rule gives {len(expected)}")
    for var, aval in zip(eqn.outvars, expected, strict=True):
        if var.aval.strip_weak_type() != aval.strip_weak_type():
            raise JaxprTypeError(
                f"{where} has a result of type {var.aval.str_short()}, but its rule gives {aval.str_short()}"
            )
        _bind(var, bound, where)


def _bind(var: Any, bound: set[Var], where: str) -> None:
    if type(var) is not Var:
        raise JaxprTypeError(f"{where}: a {type(var).__name__} stands where a variable is bound")
    if var in bound:
        raise JaxprTypeError(f"{where}: a variable of type {var.aval.str_short()} is bound a second time")
    bound.add(var)


def _check_bound(v: Any, bound: set[Var], where: str) -> None:
    if type(v) is Literal:
        return
    if v not in bound:
        raise JaxprTypeError(
            f"{where}: a variable of type {v.aval.str_short()} is used but bound nowhere before"
        )
