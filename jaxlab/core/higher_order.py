"""Primitives that hold programs: calls, branches and loops."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from jaxlab.core.effects import NO_EFFECTS, Effects
from jaxlab.core.jaxpr import ClosedJaxpr, JaxprEqn, subjaxprs
from jaxlab.core.primitive import Primitive
from jaxlab.core.pruning import pruned


class HigherOrder(Primitive):
    """An operation with programs among its parameters: it does what they do, and hands named axes on to them."""

    multiple_results = True
    axis_aware = True
    holds_programs = True

    def effects(self, params: dict[str, Any]) -> Effects:
        effects = NO_EFFECTS
        for jaxpr in subjaxprs(params):
            effects |= jaxpr.effects
        return effects

    def step_through(self, run: Callable[..., list[Any]], *args: Any, **params: Any) -> None:
        """For debugging, the application in Python: ``run(closed, args, step)`` for each program in turn.

        ``step`` says in words which step of a loop it is. By default a primitive with one program that takes its
        operands is a call of that, and all others are not looked into.
        """
        programs = [x for x in params.values() if type(x) is ClosedJaxpr]
        if len(programs) == 1 and len(programs[0].jaxpr.invars) == len(args):
            run(programs[0], args)

    def dce(
        self, used: Sequence[bool], **params: Any
    ) -> tuple[dict[str, Any], Sequence[bool], Sequence[bool]] | None:
        """What is left where only the results marked in ``used`` are read; None if that is all of it.

        Else the parameters, the arguments that are needed, and the results that are still given: at least
        those marked.
        """
        return None

    def prune(self, eqn: JaxprEqn, used: Sequence[bool]) -> JaxprEqn:
        left = self.dce(used, **eqn.params)
        return eqn if left is None else pruned(eqn, *left)
