"""How the elements of an array follow one another in memory, and where that memory is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Layout:
    """The order of the dimensions in memory, slowest first, and the tiles they are cut into.

    >>> Layout((0, 1))
    Layout(major_to_minor=(0, 1), tiling=(), sub_byte_element_size_in_bits=0)
    """

    major_to_minor: tuple[int, ...]
    tiling: tuple[tuple[int, ...], ...] = ()
    sub_byte_element_size_in_bits: int = 0

    @classmethod
    def of_xla(cls, layout: Any) -> Layout:
        """The layout that jaxlib reports of an executable's parameter or result."""
        shown = layout._xla_layout()
        return cls(
            tuple(shown.minor_to_major()[::-1]),
            tuple(tuple(tile) for tile in shown.tiling()),
            shown.element_size_in_bits(),
        )


@dataclass(frozen=True, slots=True)
class Format:
    """A layout and a sharding; None where there is nothing to say."""

    layout: Layout | None = None
    sharding: Any = None
