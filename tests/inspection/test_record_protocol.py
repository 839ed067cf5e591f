"""The fixtures that hold Python's record and the front end's reading of it together.

`labextension/tests/fixtures/*.json` are records with what the front end must make of them, worked out here
from the record's definition alone. They are compared by meaning, because the bytes of zlib differ between
its versions.
To write them anew: JAXLAB_WRITE_FIXTURES=1 pytest tests/inspection/test_record_protocol.py
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from sample_records import digits, failed

from jaxlab.inspection.line import figures
from jaxlab.inspection.record import Record

FOLDER = Path(__file__).parents[2] / "labextension" / "tests" / "fixtures"


def source_rows(record: Record) -> list[tuple[int, int]]:
    """The rows of the source pane: (source, line); a label of line -1 stands above each of several."""
    rows = []
    for place, source in enumerate(record.sources):
        rows += [(place, -1)] if len(record.sources) > 1 else []
        rows += [(place, source.first_line + n) for n in range(len(source.text.rstrip("\n").split("\n")))]
    return rows


def lit(record: Record, pane: int, line: int) -> list[list[int]]:
    """The lit lines of every pane (0-based) for a line of one, by following links up, then down, naively."""
    rows = source_rows(record)
    down: dict[tuple[int, int], set[tuple[int, int]]] = {}
    for place, stage in enumerate(record.stages, start=1):
        for number, item in enumerate(stage.items):
            for frame in item.frames:
                down.setdefault((0, rows.index((frame.source, frame.line))), set()).add((place, number))
    places = {stage.id: place for place, stage in enumerate(record.stages, start=1)}
    for links in record.links:
        for pair in links.pairs:
            if pair.before is not None and pair.after is not None:
                before, after = (places[links.before], pair.before), (places[links.after], pair.after)
                down.setdefault(before, set()).add(after)
    up: dict[tuple[int, int], set[tuple[int, int]]] = {}
    for before, afters in down.items():
        for after in afters:
            up.setdefault(after, set()).add(before)

    if pane == 0:
        start = {(0, line)}
    else:
        start = {(pane, n) for n, item in enumerate(record.stages[pane - 1].items) if item.first == line + 1}
    reached = set(start)
    for edges in (up, down):
        queue = list(start)
        while queue:
            for node in edges.get(queue.pop(), ()):
                if node not in reached:
                    reached.add(node)
                    queue.append(node)
    lines: list[set[int]] = [set() for _ in range(len(record.stages) + 1)]
    lines[pane].add(line)
    for at, number in reached:
        lines[at].add(number if at == 0 else record.stages[at - 1].items[number].first - 1)
    return [sorted(part) for part in lines]


def fixture(record: Record) -> dict[str, Any]:
    sizes = [
        len(source_rows(record)),
        *(stage.text.count("\n") + bool(stage.text) for stage in record.stages),
    ]
    return {
        "record": record.to_json(),
        "figures": figures(record),
        "sizes": sizes,
        "lit": [
            {"pane": pane, "line": line, "lines": lit(record, pane, line)}
            for pane, size in enumerate(sizes)
            for line in range(size)
        ],
    }


def shape(value: Any) -> Any:
    """The keys and types of a JSON value, with packed values taken for one whatever their bytes."""
    if isinstance(value, dict):
        return "packed" if set(value) == {"zlib"} else {key: shape(part) for key, part in value.items()}
    return [shape(part) for part in value] if isinstance(value, list) else value


@pytest.mark.parametrize("make", [digits, failed])
def test_fixture(make: Any) -> None:
    path = FOLDER / f"{make.__name__}.json"
    now = fixture(make())
    if os.environ.get("JAXLAB_WRITE_FIXTURES"):
        path.parent.mkdir(exist_ok=True)
        path.write_text(json.dumps(now) + "\n", encoding="utf-8")
    stored = json.loads(path.read_text(encoding="utf-8"))
    assert Record.from_json(stored["record"]) == make()
    assert shape(stored) == shape(now), (
        "the record's JSON changed: write the fixtures anew, and change protocol.ts"
    )
