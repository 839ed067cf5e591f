"""What running a program does besides giving its results, so that it must run though nobody reads them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Effect:
    """One kind of effect.

    Attributes:
      name: what it is, for error texts: ``"callback"``.
      ordered: whether two of them must happen in the order of the program.
    """

    name: str
    ordered: bool = False

    def __repr__(self) -> str:
        return f"{'ordered ' if self.ordered else ''}{self.name}"


Effects = frozenset[Effect]

NO_EFFECTS: Effects = frozenset()
