"""Primitives that hold programs: calls, branches and loops."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from jaxlab.core.effects import NO_EFFECTS, Effects, changed_operands, held_operands, relocated
from jaxlab.core.jaxpr import ClosedJaxpr, JaxprEqn, subjaxprs
from jaxlab.core.primitive import Primitive
from jaxlab.core.pruning import pruned
from jaxlab.core.trace import current


def _unloaded(primitive: HigherOrder, args: Sequence[Any], params: dict[str, Any], held: set[int]) -> Any:
    raise TypeError(f"{primitive}: a reference was given, but what discharges references is not loaded")


# `interpreters.discharge` replaces this: how to apply a program to references where no equations are recorded.
apply_to_references: list[Callable[[HigherOrder, Sequence[Any], dict[str, Any], set[int]], Any]] = [_unloaded]


class HigherOrder(Primitive):
    """An operation with programs among its parameters: it does what they do, and hands named axes on to them.

    ``rules_on_references`` tells that its rules need no discharging first, since they do nothing but derive a
    program and apply that.
    """

    multiple_results = True
    axis_aware = True
    holds_programs = True
    takes_references = True
    rules_on_references: bool = False

    def bind(self, *args: Any, **params: Any) -> Any:
        """Apply it.

        Its rules see no references, unless they are ``rules_on_references``: where it is not recorded, references
        are read before, and written after.
        """
        trace = current.trace
        if not (self.rules_on_references or trace.records):
            effects = self.effects(params)
            if effects and (held := held_operands(effects)):
                return apply_to_references[0](self, args, params, held)
        return trace.process(self, args, params)

    def effects(self, params: dict[str, Any]) -> Effects:
        effects = NO_EFFECTS
        for jaxpr in subjaxprs(params):
            own = jaxpr.effects
            if own:
                effects |= relocated(own, lambda i: self.operand(i, params) if i >= 0 else None)
        return effects

    def step_through(self, run: Callable[..., list[Any]], *args: Any, **params: Any) -> None:
        """For debugging, the application in Python: ``run(closed, args, step)`` for each program in turn.

        ``step`` says in words which step of a loop it is. By default a primitive with one program that takes its
        operands is a call of that, and all others are not looked into.
        """
        programs = [x for x in params.values() if type(x) is ClosedJaxpr]
        if len(programs) == 1 and len(programs[0].jaxpr.invars) == len(args):
            run(programs[0], args)

    def check(self, trace: Any, args: Sequence[Any], **params: Any) -> Any:
        """By default a primitive with one program that takes its operands is a call of that: what goes wrong in
        it is computed beside it, so that the rules that belong to the call stay as they are.
        """
        held = [(name, x) for name, x in params.items() if type(x) is ClosedJaxpr]
        if len(held) == 1 and len(held[0][1].jaxpr.invars) == len(args):
            name, closed = held[0]
            params[name] = trace.checked_beside(closed, args)
        return self.bind(*args, **params)

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

    def operand(self, place: int, params: dict[str, Any]) -> int:
        """Which operand an input of the program is; where there are several programs, of each of them."""
        return place

    def discharge(
        self,
        args: Sequence[Any],
        places: dict[int, Any],
        discharged: Callable[[ClosedJaxpr, Sequence[int]], ClosedJaxpr],
        **params: Any,
    ) -> tuple[list[Any], dict[int, Any]]:
        """Apply it to the values of references.

        Args:
          args: the operands, with values in place of references.
          places: for each operand that is a reference something that is equal for the same one.
          discharged: makes of a program one from values to its results, followed by the last values of the
            references at some inputs.

        Returns the results, and the new values of the references that are written to, by operand. This is the
        rule of those that call one program on their operands.
        """
        programs = [(name, x) for name, x in params.items() if type(x) is ClosedJaxpr]
        if len(programs) != 1:
            raise NotImplementedError(f"primitive {self} has no rule for references")
        ((name, closed),) = programs
        written = sorted(written_inputs(closed))
        pure = discharged(closed, written)
        out = self.bind(*args, **{**params, name: pure})
        count = len(closed.jaxpr.outvars)
        return out[:count], dict(zip(written, out[count:], strict=True))


def written_inputs(closed: ClosedJaxpr) -> set[int]:
    """The inputs of a program that are references and written to."""
    return {i for i in changed_operands(closed.effects) if i >= 0}
