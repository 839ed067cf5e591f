"""What running a program does besides giving its results, so that it must run though nobody reads them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Effect:
    """One kind of effect.

    Attributes:
      name: what it is, as jaxprs show it: ``"Debug"``.
      ordered: whether two of them must happen in the order of the program.
    """

    name: str
    ordered: bool = False

    def __repr__(self) -> str:
        return self.name


Effects = frozenset[Effect]

NO_EFFECTS: Effects = frozenset()


def ordered(effects: Effects) -> bool:
    """Whether some of these must happen in the order of the program."""
    return any(effect.ordered for effect in effects)
