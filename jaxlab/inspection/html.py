"""A record as static HTML that a notebook's sanitizer lets through: the view for readers without our front
end.

It uses details, table, pre and inline styles alone: no script, style sheet, svg or id, which sanitizers take
out. Colours are inherited or half transparent, so that it reads on light and dark. Every text of the program
goes through `escape`.
"""

from __future__ import annotations

import html as _html
from collections import Counter
from collections.abc import Iterable, Sequence

from jaxlab.inspection.line import count, duration, figures, one_line, visible
from jaxlab.inspection.record import Record, Source, Stage

HEAD = 150
TAIL = 30
LONGEST_LINE = 240
MOST_ROWS = 100

_MONO = "font-family:monospace;font-size:12px;line-height:1.4"
_PRE = (
    f"{_MONO};margin:4px 0;padding:4px 8px;border-left:2px solid rgba(128,128,128,0.35);"
    "overflow-x:auto;white-space:pre"
)
_SUMMARY = "cursor:pointer"
_TABLE = "border-collapse:collapse;border:none;margin:2px 0"
_CELL = "padding:1px 12px 1px 0;text-align:left;vertical-align:top;border:none"
_FAINT = "opacity:0.65"
_NEST = "margin:2px 0 2px 14px"


def html(record: Record) -> str:
    """The record as nested ``<details>``, folded to its line of figures.

    Texts longer than `HEAD` + `TAIL` lines show their head and tail; the record's JSON has the rest.

    >>> html(Record("f<x>", device="cpu:0"))[:95]
    '<details style="margin:2px 0"><summary style="cursor:pointer;font-family:monospace;font-size:12'
    """
    sections = [
        _problems(record),
        *(
            _section(
                source.label,
                _source(source, place, record),
                "× equations made by the line",
                opened=place == 0,
            )
            for place, source in enumerate(record.sources)
        ),
        *(_section(stage.title, _stage(stage), _lines(stage)) for stage in record.stages),
        _section(
            "Inputs",
            _table(("name", "type", "", "why"), [(e.name, e.type, e.role, e.why) for e in record.inputs]),
        ),
        _section(
            "Outputs", _table(("name", "type"), [(e.name or "(shown)", e.type) for e in record.outputs])
        ),
        _section("Figures", _table(("", ""), _figure_rows(record))),
    ]
    return (
        f'<details style="margin:2px 0">'
        f'<summary style="{_SUMMARY};{_MONO}">{escape(figures(record))}</summary>'
        f'<div style="{_NEST}">{"".join(sections)}</div></details>'
    )


def escape(text: str) -> str:
    """Text as HTML that shows it and does nothing: markup escaped, controls and direction marks made visible.

    >>> escape("<b>\\x1b")
    '&lt;b&gt;\\\\x1b'
    """
    return _html.escape(visible(text))


def _section(title: str, body: str, note: str = "", opened: bool = False) -> str:
    if not body:
        return ""
    faint = f' <span style="{_FAINT}">{escape(note)}</span>' if note else ""
    return (
        f"<details{' open' if opened else ''}>"
        f'<summary style="{_SUMMARY}">{escape(one_line(title, 80))}{faint}</summary>'
        f'<div style="{_NEST}">{body}</div></details>'
    )


def _problems(record: Record) -> str:
    paragraphs = []
    for problem in record.problems[:MOST_ROWS]:
        where = ""
        if problem.frames and 0 <= problem.frames[0].source < len(record.sources):
            where = f"{record.sources[problem.frames[0].source].label}, line {problem.frames[0].line}: "
        mark = "✗ error" if problem.severity == "error" else "⚠ warning"
        text = escape(one_line(where, 120) + " " + _clip(problem.text, 2000))
        paragraphs.append(
            f'<pre style="{_PRE};border-left-color:#d55e00;white-space:pre-wrap">{mark} · {text}</pre>'
        )
    return "".join(paragraphs)


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    if not rows:
        return ""
    titles = (
        "".join(f'<th style="{_CELL};{_FAINT}">{escape(title)}</th>' for title in head) if any(head) else ""
    )
    body = "".join(
        "<tr>"
        + "".join(f'<td style="{_CELL};{_MONO}">{escape(one_line(text, 160))}</td>' for text in row)
        + "</tr>"
        for row in rows[:MOST_ROWS]
    )
    more = (
        f'<tr><td style="{_CELL};{_FAINT}">… {len(rows) - MOST_ROWS} more</td></tr>'
        if len(rows) > MOST_ROWS
        else ""
    )
    return f'<table style="{_TABLE}"><tbody><tr>{titles}</tr>{body}{more}</tbody></table>'


def _figure_rows(record: Record) -> list[tuple[str, str]]:
    timings, caching, cost = record.timings, record.caching, record.cost
    times = (
        ("traced", timings.trace),
        ("lowered", timings.lower),
        ("compiled", timings.compile),
        ("ran", timings.run),
    )
    counts = (
        ("operations", cost.flops, "flop"),
        ("transcendentals", cost.transcendentals, ""),
        ("memory traffic", cost.bytes_accessed, "B"),
        ("peak memory", cost.peak_bytes, "B"),
        ("arguments", cost.argument_bytes, "B"),
        ("outputs", cost.output_bytes, "B"),
    )
    texts = (
        ("device", record.device),
        ("program", caching.outcome or ""),
        ("new because" if caching.outcome else "note", caching.reason),
        ("traced at", caching.traced_at),
        ("reused", f"{caching.hits} times" if caching.hits else ""),
        ("made by", record.producer),
    )
    options = [(f"{entry.name} options", entry.options) for entry in record.transformations if entry.options]
    return [
        *options,
        *((name, duration(value)) for name, value in times if value is not None),
        *((name, count(value, unit).strip()) for name, value, unit in counts if value is not None),
        *((name, text) for name, text in texts if text),
    ]


def _source(source: Source, place: int, record: Record) -> str:
    """The source with line numbers and the number of equations that each line made itself."""
    made = Counter(
        item.frames[0].line
        for stage in record.stages[:1]
        for item in stage.items
        if item.frames and item.frames[0].source == place
    )
    lines = source.text.rstrip("\n").split("\n")
    margin = [
        f"{number:>4} {f'×{made[number]}' if made[number] else '':<5}"
        for number in range(source.first_line, source.first_line + len(lines))
    ]
    return _pre(_gapped(lines), _gapped(margin, clip=False))


def _stage(stage: Stage) -> str:
    if not stage.text:
        return f'<span style="{_FAINT}">{escape(_clip(stage.note, 2000) or "empty")}</span>'
    return _pre(_gapped(stage.text.rstrip("\n").split("\n")))


def _lines(stage: Stage) -> str:
    lines = stage.text.rstrip("\n").count("\n") + 1
    return f"{lines:,} lines" if stage.text else "missing"


def _pre(lines: Iterable[str], margin: Iterable[str] | None = None) -> str:
    body = "\n".join(
        escape(line) if margin is None else f'<span style="{_FAINT}">{escape(mark)}</span> {escape(line)}'
        for mark, line in zip(margin or lines, lines, strict=True)
    )
    return f'<pre style="{_PRE}">{body}</pre>'


def _gapped(lines: list[str], clip: bool = True) -> list[str]:
    if len(lines) > HEAD + TAIL:
        gap = f"… {len(lines) - HEAD - TAIL:,} lines …" if clip else ""
        lines = [*lines[:HEAD], gap, *lines[-TAIL:]]
    return [_clip(line, LONGEST_LINE) for line in lines]


def _clip(text: str, longest: int) -> str:
    return text if len(text) <= longest else f"{text[:longest]}… ({len(text) - longest:,} more characters)"
