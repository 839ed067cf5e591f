"""Loops without what nobody reads, and loops that save some of what their steps compute."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from jaxlab.control.bodies import fixpoint, reorder, split_by
from jaxlab.core.jaxpr import JaxprEqn, Var
from jaxlab.core.pruning import prune_jaxpr
from jaxlab.interpreters.batching import stacked_aval
from jaxlab.interpreters.saving import save_by_policy


def _needed(params: dict[str, Any], used: Sequence[bool]) -> list[bool]:
    """Which results of a step the loop's results in ``used`` need: carries feed the steps that follow."""
    consts, count = params["num_consts"], params["num_carry"]
    carry, ys = list(used[:count]), list(used[count:])

    def step(flags: list[bool]) -> list[bool]:
        return prune_jaxpr(params["jaxpr"], [*flags, *ys])[1][consts : consts + count]

    return [*fixpoint(carry, step), *ys]


def dce_scan(
    used: Sequence[bool], params: dict[str, Any]
) -> tuple[dict[str, Any], Sequence[bool], Sequence[bool]] | None:
    """`HigherOrder.dce`: without the carries, stacks and operands that the results in ``used`` do not need."""
    consts, count = params["num_consts"], params["num_carry"]
    needed = _needed(params, used)
    rest = len(params["jaxpr"].jaxpr.invars) - consts - count
    kept = [*[False] * consts, *needed[:count], *[False] * rest]
    body, read = prune_jaxpr(params["jaxpr"], needed, kept)
    if body is params["jaxpr"]:
        return None
    counts = {"num_consts": sum(read[:consts]), "num_carry": sum(needed[:count])}
    return {**params, "jaxpr": body, **counts}, read, needed


def save_in_scan(eqn: JaxprEqn, wanted: Sequence[bool], policy: Any) -> tuple[JaxprEqn, JaxprEqn]:
    """The loop that stacks what a policy saves of each step, and the one that goes through the rest again."""
    params = eqn.params
    consts, count = params["num_consts"], params["num_carry"]
    needed = _needed(params, wanted)
    halves = save_by_policy(params["jaxpr"], needed, policy, False)
    each = halves.known.out_avals[len(eqn.outvars) :]
    saved = [Var(stacked_aval(aval, params["length"], 0)) for aval in each]
    first = eqn.replace(outvars=eqn.outvars + saved, params={**params, "jaxpr": halves.known})
    places = range(len(saved) + len(eqn.invars))
    from_saved, from_consts, from_carry, from_xs = split_by(places, len(saved), consts, count)
    carried = [i for i, n in zip(from_carry, needed, strict=False) if n]
    operands = [*saved, *eqn.invars]
    order = [*from_consts, *carried, *from_xs, *from_saved]
    results = [v for v, n in zip(eqn.outvars, needed, strict=True) if n]
    flags = [w for w, n in zip(wanted, needed, strict=True) if n]
    # A carry that was needed for other steps alone is no result, and under this name known already.
    fresh = [v if f else Var(v.aval) for v, f in zip(results, flags, strict=True)]
    second = eqn.replace(
        invars=[operands[i] for i in order],
        outvars=fresh,
        params={**params, "jaxpr": reorder(halves.unknown, order), "num_carry": len(carried)},
    )
    return first, second.primitive.prune(second, flags)
