"""A small table that reads as text in a terminal and as HTML in a notebook."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape


class Table:
    """Rows under a header, and perhaps another table below.

    >>> print(Table(("device", "kind"), [("cpu:0", "cpu")]))
    device  kind
    cpu:0   cpu
    """

    def __init__(
        self, header: Sequence[str], rows: Sequence[Sequence[str]], more: Table | None = None
    ) -> None:
        self.header, self.rows, self.more = tuple(header), [tuple(row) for row in rows], more

    def __repr__(self) -> str:
        lines = [self.header, *self.rows]
        widths = [max(len(line[i]) for line in lines) for i in range(len(self.header))]
        text = "\n".join(
            "  ".join(c.ljust(w) for c, w in zip(line, widths, strict=True)).rstrip() for line in lines
        )
        return text if self.more is None else f"{text}\n\n{self.more!r}"

    def _repr_html_(self) -> str:
        head = "".join(f"<th>{escape(cell)}</th>" for cell in self.header)
        body = "".join(
            "<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in self.rows
        )
        table = f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
        return table if self.more is None else table + self.more._repr_html_()
