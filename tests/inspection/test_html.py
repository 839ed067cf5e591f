"""What a record is without the front end: the line of figures, the HTML, the mime bundle."""

from __future__ import annotations

import html.parser
import json
from typing import Any

import pytest
from sample_records import HOSTILE, chain, digits, failed, hostile

from jaxlab.inspection.bundle import MIME_TYPE, mime_bundle
from jaxlab.inspection.html import html as to_html
from jaxlab.inspection.line import count, duration, figures, one_line
from jaxlab.inspection.record import Caching, Problem, Record, Source, Stage, Timings, Transformation

# What the sanitizers of JupyterLab and of nbviewer leave alone.
TAGS = {"details", "summary", "div", "span", "table", "tbody", "tr", "th", "td", "pre"}
ATTRIBUTES = {"style", "open"}


class Reader(html.parser.HTMLParser):
    """Checks nesting and collects the tags, attributes and text of a page."""

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.styles: set[str] = set()
        self.text = ""
        self.feed(page)
        self.close()
        assert not self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.open.append(tag)
        self.tags.add(tag)
        self.attributes.update(name for name, _ in attrs)
        self.styles.update(value or "" for name, value in attrs if name == "style")

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.mark.parametrize("make", [digits, failed, hostile, chain, lambda: Record("f")])
def test_only_what_a_sanitizer_keeps(make: Any) -> None:
    page = Reader(to_html(make()))
    assert page.tags <= TAGS
    assert page.attributes <= ATTRIBUTES
    assert not any("url" in style or "expression" in style for style in page.styles)


def test_hostile_texts_are_shown_and_inert() -> None:
    page = to_html(hostile())
    assert len(page) < 200_000
    text = Reader(page).text
    assert HOSTILE[0] in text  # as text
    assert "<script" not in page and "<img" not in page
    assert not set(text) & set("\x1b\x07\u202e\u2066\u2069")
    assert "\\x1b[31mred" in text and "\\u202egnp" in text


def test_html_has_the_texts_the_tables_and_the_counts() -> None:
    text = Reader(to_html(digits())).text
    for part in (
        "log_probs = logits",
        "reduce_max[axes=(1,)]",
        "stablehlo.dot_general",
        "calls=%fused_computation.2",
    ):
        assert part in text
    for part in ("images", "f32[32,64]", "an array", "<function predict>", "552 kflop", "×6"):
        assert part in text


def test_long_texts_show_head_and_tail() -> None:
    page = to_html(chain(10_000))
    assert len(page) < 100_000
    assert "… 9,822 lines …" in page


def test_missing_stages_say_why() -> None:
    text = Reader(to_html(failed())).text
    assert text.count("not reached: tracing stopped at an error") == 2
    assert "✗ error · Cell In[3], line 4: picked[picked < 0]" in text


LINES = [
    (Record("f"), "f"),
    (
        Record("cell", transformations=(Transformation("jit"), Transformation("vmap", "x:0"))),
        "jit(vmap(cell))",
    ),
    (Record("f", device="gpu:0", timings=Timings(run=2.0)), "f · gpu:0 · ran 2.0 s"),
    (
        Record("f", timings=Timings(run=12e-6), caching=Caching("reused", hits=3, traced_at="In[3]")),
        "f · reused, traced at In[3] · ran 12 µs",
    ),
    (Record("f", timings=Timings(compile=0.012), caching=Caching("disk")), "f · loaded from disk 12 ms"),
    (
        Record("f", timings=Timings(3.1e-3, compile=0.041), caching=Caching("compiled", "n: 2 → 3")),
        "f · traced 3.1 ms · compiled 41 ms (new: n: 2 → 3)",
    ),
    (Record("f", problems=(Problem("error", "no\nshape"),)), "f · failed: no shape"),
]


@pytest.mark.parametrize("record, line", LINES)
def test_line(record: Record, line: str) -> None:
    assert figures(record) == line


@pytest.mark.parametrize(
    "seconds, text",
    [(0, "0.0 ns"), (9.94e-9, "9.9 ns"), (9.96e-9, "10 ns"), (12.5e-6, "13 µs"), (0.9994, "999 ms"),
     (0.9996, "1.0 s"), (59.9, "60 s"), (60.0, "1 min 0 s"), (3661, "61 min 1 s")],
)  # fmt: skip
def test_duration(seconds: float, text: str) -> None:
    assert duration(seconds) == text


@pytest.mark.parametrize(
    "value, text", [(0, "0 B"), (999, "999 B"), (1000, "1.0 kB"), (9.96e3, "10 kB"), (1e21, "1000 EB")]
)
def test_count(value: float, text: str) -> None:
    assert count(value, "B") == text


def test_one_line_cuts_and_flattens() -> None:
    assert one_line(" a\n\tb  c ", 80) == "a b c"
    assert one_line("x" * 100_000, 10) == "x" * 9 + "…"


def test_the_line_of_a_hostile_record_is_one_line() -> None:
    line = figures(hostile())
    assert len(line) < 1500
    assert line.isprintable()


def test_bundle() -> None:
    record = digits()
    bundle = mime_bundle(record)
    assert set(bundle) == {"text/plain", "text/html", MIME_TYPE}
    assert Record.from_json(json.loads(json.dumps(bundle[MIME_TYPE]))) == record
    assert bundle["text/plain"] == figures(record)


def test_first_line_and_empty_texts() -> None:
    record = Record(
        "f", sources=(Source("model.py", "a\nb\n", first_line=40),), stages=(Stage("hlo", "HLO", "hlo"),)
    )
    text = Reader(to_html(record)).text
    assert "40" in text and "41" in text and "42" not in text
    assert "empty" in text
