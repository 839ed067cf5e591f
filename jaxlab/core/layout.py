"""Laying text out in lines of a given width: documents of texts, possible breaks, nesting and groups.

A group is written on one line where it fits, else all its own breaks become new lines
(Wadler, "A prettier printer", 2003).
"""

from __future__ import annotations

from collections.abc import Sequence

WIDTH = 80


class Doc:
    """A document: a text, a possible break, or a combination."""

    __slots__ = ()


class Text(Doc):
    """Characters on one line."""

    __slots__ = ("text",)

    def __init__(self, text: str) -> None:
        self.text = text


class Mark(Doc):
    """Nothing to see: `render` tells on which line it came to stand."""

    __slots__ = ("of",)

    def __init__(self, of: object) -> None:
        self.of = of


class Break(Doc):
    """A new line, or ``flat`` where its group fits on one."""

    __slots__ = ("flat",)

    def __init__(self, flat: str = " ") -> None:
        self.flat = flat


class Concat(Doc):
    """Documents one after another."""

    __slots__ = ("parts",)

    def __init__(self, parts: Sequence[Doc]) -> None:
        self.parts = parts


class Nest(Doc):
    """A document whose new lines are indented further."""

    __slots__ = ("by", "doc")

    def __init__(self, by: int, doc: Doc) -> None:
        self.by = by
        self.doc = doc


class Group(Doc):
    """A document on one line if it fits."""

    __slots__ = ("doc",)

    def __init__(self, doc: Doc) -> None:
        self.doc = doc


def join(separator: Sequence[Doc], docs: Sequence[Doc]) -> Doc:
    """Documents with a separator between them."""
    parts: list[Doc] = []
    for i, doc in enumerate(docs):
        if i:
            parts.extend(separator)
        parts.append(doc)
    return Concat(parts)


def render(doc: Doc, width: int = WIDTH, marks: list[tuple[object, int]] | None = None) -> str:
    """The document as text; ``marks``, if given, gets what each mark is of and its line, counted from 1."""
    out: list[str] = []
    column = 0
    line = 1
    agenda: list[tuple[int, bool, Doc]] = [(0, False, doc)]
    while agenda:
        indent, flat, item = agenda.pop()
        if type(item) is Text:
            out.append(item.text)
            column += len(item.text)
        elif type(item) is Concat:
            agenda.extend((indent, flat, part) for part in reversed(item.parts))
        elif type(item) is Nest:
            agenda.append((indent + item.by, flat, item.doc))
        elif type(item) is Group:
            agenda.append((indent, flat or _fits(item.doc, width - column), item.doc))
        elif type(item) is Break:
            if flat:
                out.append(item.flat)
                column += len(item.flat)
            else:
                out.append("\n" + " " * indent)
                column = indent
                line += 1
        elif type(item) is Mark and marks is not None:
            marks.append((item.of, line))
    return "".join(out)


def _fits(doc: Doc, room: int) -> bool:
    """Whether a document fits in ``room`` columns on one line."""
    agenda: list[Doc] = [doc]
    while agenda and room >= 0:
        item = agenda.pop()
        if type(item) is Text:
            room -= len(item.text)
        elif type(item) is Concat:
            agenda.extend(reversed(item.parts))
        elif type(item) is Break:
            room -= len(item.flat)
        elif type(item) is Nest or type(item) is Group:
            agenda.append(item.doc)
    return room >= 0
