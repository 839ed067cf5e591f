"""A small table that reads as text in a terminal and as HTML in a notebook."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

_CELL = "text-align:left;vertical-align:top"  # a notebook aligns to the right otherwise


class Table:
    """Rows under a header, and perhaps another table below.

    >>> print(Table(("device", "kind"), [("cpu:0", "cpu")]))
    device  kind
    cpu:0   cpu
    """

    def __init__(
        self, header: Sequence[str], rows: Sequence[Sequence[str]], note: str = "", more: Table | None = None
    ) -> None:
        self.header, self.rows, self.note, self.more = tuple(header), [tuple(r) for r in rows], note, more

    def __repr__(self) -> str:
        lines = [self.header, *self.rows] if self.header else self.rows
        widths = [max(len(line[i]) for line in lines) for i in range(len(lines[0]))] if lines else []
        parts = [
            "\n".join(
                "  ".join(c.ljust(w) for c, w in zip(line, widths, strict=True)).rstrip() for line in lines
            ),
            self.note,
            "" if self.more is None else repr(self.more),
        ]
        return "\n\n".join(part for part in parts if part)

    def _repr_html_(self) -> str:
        head = "".join(f'<th style="{_CELL}">{escape(cell)}</th>' for cell in self.header)
        body = "".join(
            "<tr>" + "".join(f'<td style="{_CELL}">{escape(cell)}</td>' for cell in row) + "</tr>"
            for row in self.rows
        )
        table = f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>" if self.rows else ""
        note = f"<p>{escape(self.note)}</p>" if self.note else ""
        return table + note + (self.more._repr_html_() if self.more is not None else "")
