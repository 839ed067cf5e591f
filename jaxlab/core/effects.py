"""What running a program does besides giving its results, so that it must run though nobody reads them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class Effect:
    """One kind of effect.

    Attributes:
      name: what it is, as jaxprs show it: ``"Debug"``.
      ordered: whether two of them must happen in the order of the program.
      operand: the operand of the equation, or the input of the program, that it happens to; None for the world.
        The constants of a program have negative numbers, the last of them -1.
      repeats: whether it happens again where `checkpoint` computes again.
    """

    name: str
    ordered: bool = False
    operand: int | None = None
    repeats: bool = False

    def __repr__(self) -> str:
        return self.name if self.operand is None else f"{self.name} {self.operand}"

    def of(self, operand: int) -> Effect:
        """The same effect on another operand."""
        return replace(self, operand=operand)


Effects = frozenset[Effect]

NO_EFFECTS: Effects = frozenset()

READ = Effect("read", operand=0)
WRITE = Effect("write", operand=0)
ACCUMULATE = Effect("accumulate", operand=0)
"""What happens to a reference that an equation is given."""

CREATE = Effect("reference")
"""A reference is made, and lives no longer than the program."""

HOLD = Effect("hold", operand=0)
"""A program has a reference among its inputs, whatever it does with it."""

_CHANGES = frozenset((WRITE.name, ACCUMULATE.name))
_STATE = _CHANGES | {READ.name, CREATE.name, HOLD.name}


def ordered(effects: Effects) -> bool:
    """Whether some of these must happen in the order of the program."""
    return any(effect.ordered for effect in effects)


def touches_references(effects: Effects) -> bool:
    """Whether a program with these effects has references among its values."""
    return any(effect.name in _STATE for effect in effects)


def changed_operands(effects: Effects) -> set[int]:
    """The operands whose references a program with these effects writes to."""
    return {e.operand for e in effects if e.operand is not None and e.name in _CHANGES}


def held_operands(effects: Effects) -> set[int]:
    """The operands that are references, for a program with these effects."""
    return {e.operand for e in effects if e.operand is not None and e.name in _STATE}


def relocated(effects: Iterable[Effect], place: Callable[[int], int | None]) -> Effects:
    """The effects as seen from outside, where an operand has another number, or None if it is not seen."""
    seen = []
    for effect in effects:
        if effect.operand is None:
            seen.append(effect)
        elif (operand := place(effect.operand)) is not None:
            seen.append(effect.of(operand))
    return frozenset(seen)
