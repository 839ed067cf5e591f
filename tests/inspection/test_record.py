"""Records as JSON: nothing lost, nothing large, nothing believed that is damaged."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from sample_records import chain, digits, failed, hostile

from jaxlab.inspection.packing import pack_ints, pack_text, unpack_ints, unpack_text
from jaxlab.inspection.record import (
    VERSION,
    Cost,
    Frame,
    Item,
    Link,
    Links,
    Record,
    RecordFormatError,
    Source,
    Stage,
)


@pytest.mark.parametrize("make", [digits, failed, hostile, chain, lambda: Record("f")])
def test_round_trip(make: Any) -> None:
    record = make()
    text = json.dumps(record.to_json(), allow_nan=False)
    assert Record.from_json(json.loads(text)) == record


def test_ten_thousand_equations_are_small_and_quick() -> None:
    record = chain(10_000)
    seconds = []
    for _ in range(3):
        start = time.perf_counter()
        text = json.dumps(record.to_json())
        seconds.append(time.perf_counter() - start)
    assert len(text) < 2_000_000
    assert min(seconds) < 0.3


@pytest.mark.parametrize(
    "values", [[], [0], [3, -1, 7], list(range(1000)), [5] * 100, [2**31 - 1, -(2**31), 0] * 20]
)
def test_integers(values: list[int]) -> None:
    assert unpack_ints(json.loads(json.dumps(pack_ints(values)))) == values


@pytest.mark.parametrize("text", ["", "a", "λ → µ" * 1000, "\n" * 5000, "\x00\x1b" * 300])
def test_texts(text: str) -> None:
    assert unpack_text(json.loads(json.dumps(pack_text(text)))) == text


def test_a_lone_surrogate_does_not_reach_the_notebook() -> None:
    record = Record(
        "a\ud800", sources=(Source("b\udfff", "c\ud800" * 300),), stages=(Stage("x", "\ud800", "hlo"),)
    )
    json.dumps(record.to_json(), ensure_ascii=False).encode()


def test_figures_that_json_cannot_hold_become_none() -> None:
    record = Record.from_json(Record("f", cost=Cost(float("nan"), bytes_accessed=float("inf"))).to_json())
    assert record.cost == Cost()


def test_call_stacks_are_stored_once_and_come_back_whole() -> None:
    outer = Frame(0, 9, function="<module>")
    items = tuple(Item(n, n, "add", (Frame(0, n % 3, function="f"), outer)) for n in range(1, 100))
    record = Record("f", stages=(Stage("jaxpr", "jaxpr", "jaxpr", "text", items),))
    value = record.to_json()
    assert len(value["stacks"]["frame"]) == 4
    assert Record.from_json(value) == record


def test_later_fields_are_skipped_and_missing_ones_default() -> None:
    value = digits().to_json()
    value["timings"]["codegen"] = 1.0
    del value["caching"]["hits"]
    assert Record.from_json(value).timings == digits().timings


def damaged(change: Any) -> Any:
    value = digits().to_json()
    change(value)
    return value


DAMAGE = {
    "a list": list,
    "another object": lambda: {"format": "else"},
    "a later version": lambda: damaged(lambda v: v.update(version=VERSION + 1)),
    "no stages": lambda: damaged(lambda v: v.pop("stages")),
    "base64": lambda: damaged(lambda v: v["stages"][1].update(text={"zlib": "!!"})),
    "zlib": lambda: damaged(lambda v: v["stages"][1].update(text={"zlib": "AAAA"})),
    "a column of strings": lambda: damaged(lambda v: v["links"][0].update(kind=["same"])),
    "an unknown kind": lambda: damaged(lambda v: v["links"][0].update(kind=[77] * 25)),
    "columns of two lengths": lambda: damaged(lambda v: v["stages"][0]["items"].update(first=[1])),
    "a loop of callers": lambda: damaged(
        lambda v: v["stacks"].update(caller=[1] * len(v["stacks"]["caller"]))
    ),
}


@pytest.mark.parametrize("name", DAMAGE)
def test_damage_is_one_clear_error(name: str) -> None:
    with pytest.raises(RecordFormatError, match=r"^record: "):
        Record.from_json(DAMAGE[name]())


def test_links_without_an_item_keep_their_kind() -> None:
    links = Links("a", "b", (Link(0, None, "removed"), Link(None, 1, "added"), Link(2, 3, "fused")))
    assert Record.from_json(Record("f", links=(links,)).to_json()).links == (links,)
