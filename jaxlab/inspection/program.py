"""The parts of a record that links join: sources, stages with their items, and the links between stages.

Lines count from 1. An item is named by its place in its stage, a source by its place in the record.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple

LinkKind = Literal["same", "expanded", "fused", "duplicated", "removed", "added"]
LINK_KINDS: tuple[LinkKind, ...] = ("same", "expanded", "fused", "duplicated", "removed", "added")


@dataclass(frozen=True, slots=True)
class Source:
    """One text of the user's: a cell or a part of a file.

    ``label`` is what a person reads ("Cell In[3]", "model.py"); ``first_line`` is the number of the text's
    first line in its cell or file. Frames count lines as the cell or file does.

    >>> Source("model.py", "def f(x):\\n    return x", first_line=40).first_line
    40
    """

    label: str
    text: str
    first_line: int = 1


@dataclass(frozen=True, slots=True)
class Frame:
    """A place in the user's source: ``source`` is an index into ``Record.sources``.

    ``line`` counts from 1; ``col`` and ``end_col`` from 0, in characters, ``end_col`` exclusive. An
    ``end_line`` of 0 means the same line, an ``end_col`` of 0 the end of the line. ``function`` is the
    qualified name of the code.

    >>> Frame(0, 4, 8, 4, 21, "loss").line
    4
    """

    source: int
    line: int
    col: int = 0
    end_line: int = 0
    end_col: int = 0
    function: str = ""


class Item(NamedTuple):
    """An equation, operation or instruction: lines ``first`` to ``last`` of its stage's text, both counted
    from 1.

    ``name`` is the primitive, operation or opcode. ``frames`` is its call stack within the user's sources,
    innermost first; items made at the same place may share one tuple. Items may nest (the body of a scan lies
    inside its equation). A named tuple, because a large program has tens of thousands.

    >>> Item(12, 12, "dot_general", (Frame(0, 4), Frame(1, 2))).frames[0].line
    4
    """

    first: int
    last: int
    name: str = ""
    frames: tuple[Frame, ...] = ()


class Link(NamedTuple):
    """Item ``before`` of one stage became item ``after`` of the next, and how.

    ``same`` one became one; ``expanded`` one of the several that it became; ``fused`` became part of a larger
    one; ``duplicated`` one of several copies that the compiler made; ``removed`` optimised away (``after`` is
    None); ``added`` made by the compiler itself (``before`` is None).

    >>> Link(7, None, "removed").after is None
    True
    """

    before: int | None
    after: int | None
    kind: LinkKind = "same"


@dataclass(frozen=True, slots=True)
class Stage:
    """One form of the program. Where it could not be had, ``text`` is empty and ``note`` says why.

    ``id`` is what links name ("jaxpr", "stablehlo", "hlo"; any other for further stages); ``language`` picks
    the colouring ("jaxpr", "mlir", "hlo", "python", else none).

    >>> Stage("hlo", "Optimised HLO", "hlo", note="the compiler failed").text
    ''
    """

    id: str
    title: str
    language: str
    text: str = ""
    items: tuple[Item, ...] = ()
    note: str = ""


@dataclass(frozen=True, slots=True)
class Links:
    """All links from the items of the stage ``before`` to those of the stage ``after`` (two stage ids).

    >>> Links("jaxpr", "stablehlo", (Link(0, 0), Link(1, 1))).pairs[1].after
    1
    """

    before: str
    after: str
    pairs: tuple[Link, ...]
