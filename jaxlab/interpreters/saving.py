"""What a program saves for later, by a policy, and the program that computes the rest of it again."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from jaxlab.core.jaxpr import ClosedJaxpr, Jaxpr, JaxprEqn, Var
from jaxlab.core.memo import memoised
from jaxlab.core.pruning import pruned_call
from jaxlab.dtypes import finfo, issubdtype
from jaxlab.interpreters.partial_eval import Halves
from jaxlab.interpreters.staging import eval_closed, stage_closed
from jaxlab.primitives.conversion import reduce_precision_p

Policy = Callable[..., Any]


@dataclass(frozen=True, slots=True)
class _Decision:
    """What is to become of a value that the backward pass needs."""

    name: str

    def __repr__(self) -> str:
        return self.name


Saveable = _Decision("Saveable")
Recompute = _Decision("Recompute")


@dataclass(frozen=True, slots=True)
class Offloadable:
    """The decision of a policy to keep a value in another memory until the backward pass; here it is saved.

    Attributes:
      src: the kind of memory that it is computed in, ``"device"``.
      dst: the kind of memory to keep it in, ``"pinned_host"``.
    """

    src: str
    dst: str


def is_saved(policy: Policy, eqn: JaxprEqn) -> bool:
    """Whether the results of an equation are kept; most effects must not happen twice.

    Raises:
      TypeError: if the policy returns neither a decision nor a boolean.
    """
    if any(not effect.repeats for effect in eqn.primitive.effects(eqn.params)):
        return True
    decision = policy(eqn.primitive, *[v.aval for v in eqn.invars], **eqn.params)
    if decision is Saveable or decision is Recompute:
        return decision is Saveable
    if isinstance(decision, Offloadable):
        return True
    if not isinstance(decision, bool):
        raise TypeError(
            f"checkpoint: the policy returned a {type(decision).__name__} for {eqn.primitive}, but a boolean, "
            "Saveable, Recompute or Offloadable is needed"
        )
    return decision


@memoised
def save_by_policy(closed: ClosedJaxpr, wanted: Sequence[bool], policy: Policy, precise: bool) -> Halves:
    """Two programs that give, one now and one later, what ``closed`` gives.

    ``known`` has its inputs and results, and further results: what is saved. ``unknown`` computes the results
    in ``wanted`` from what is saved, followed by the same inputs.

    With ``precise``, values that are saved and used are first rounded to their own dtype: the compiler may
    otherwise go on with more digits than it saves, and the second computation would differ from the first.
    """
    jaxpr = closed.jaxpr
    needed = {v for v, w in zip(jaxpr.outvars, wanted, strict=True) if w and type(v) is Var}
    saved: list[Var] = []
    now: list[JaxprEqn] = []
    again: list[JaxprEqn] = []
    for eqn in reversed(jaxpr.eqns):
        flags = [v in needed for v in eqn.outvars]
        if not any(flags):
            now.append(eqn)
            if not eqn.outvars and eqn.primitive.effects(eqn.params) and not is_saved(policy, eqn):
                again.append(eqn)  # what is shown of a computation is shown of its repetition, too
                needed.update(v for v in eqn.invars if type(v) is Var)
            continue
        inside = eqn.primitive.save(eqn, flags, policy)
        if inside is None and is_saved(policy, eqn):
            saved += reversed([v for v, f in zip(eqn.outvars, flags, strict=True) if f])
            now.append(eqn)
            continue
        first, second = (eqn, eqn) if inside is None else inside
        saved += reversed(first.outvars[len(eqn.outvars) :])
        now.append(first)
        again.append(second)
        inner = set(first.outvars[len(eqn.outvars) :])
        needed.update(v for v in second.invars if type(v) is Var and v not in inner)
    saved.reverse()
    later_outs = [v for v, w in zip(jaxpr.outvars, wanted, strict=True) if w]
    later = Jaxpr(jaxpr.constvars, saved + jaxpr.invars, later_outs, again[::-1], jaxpr.debug)
    known = jaxpr.replace(outvars=jaxpr.outvars + saved, eqns=now[::-1])
    if precise:
        known = _rounding(known, saved)
    return Halves(
        _renamed(ClosedJaxpr(known, closed.consts)),
        _renamed(ClosedJaxpr(later, closed.consts)),
        list(wanted),
        len(saved),
    )


def _rounding(jaxpr: Jaxpr, saved: Sequence[Var]) -> Jaxpr:
    """The program with what is saved, and read by other equations, rounded to its dtype where it is made."""
    read = {v for eqn in jaxpr.eqns for v in eqn.invars if type(v) is Var}
    rounded = {v for v in saved if v in read and issubdtype(v.aval.dtype, np.floating)}
    eqns = []
    for eqn in jaxpr.eqns:
        chosen = [v for v in eqn.outvars if v in rounded]
        if not chosen or eqn.primitive is reduce_precision_p:
            eqns.append(eqn)
            continue
        exact = {v: Var(v.aval) for v in chosen}
        eqns.append(eqn.replace(outvars=[exact.get(v, v) for v in eqn.outvars]))
        for v in chosen:
            info = finfo(v.aval.dtype)
            bits = {"exponent_bits": info.nexp, "mantissa_bits": info.nmant}
            eqns.append(JaxprEqn([exact[v]], [v], reduce_precision_p, bits, eqn.traceback, eqn.scope))
    return jaxpr.replace(eqns=eqns)


def _renamed(closed: ClosedJaxpr) -> ClosedJaxpr:
    """The same program over variables of its own."""
    return stage_closed(lambda *xs: eval_closed(closed, *xs), closed.in_avals, closed.jaxpr.debug)


def save_in_call(
    eqn: JaxprEqn, name: str, wanted: Sequence[bool], policy: Policy, **by_operand: Any
) -> tuple[JaxprEqn, JaxprEqn]:
    """`Primitive.save` for an application of the one program in the parameter ``name``."""
    halves = save_by_policy(eqn.params[name], list(wanted), policy, False)
    saved = [Var(aval) for aval in halves.known.out_avals[len(eqn.outvars) :]]
    extended = {key: (True,) * len(saved) + value for key, value in by_operand.items()}
    first = eqn.replace(outvars=eqn.outvars + saved, params={**eqn.params, name: halves.known})
    results = [v for v, w in zip(eqn.outvars, wanted, strict=True) if w]
    second = eqn.replace(
        invars=saved + eqn.invars, outvars=results, params={**eqn.params, name: halves.unknown, **extended}
    )
    return first, pruned_call(second, name, [True] * len(results), **extended)
