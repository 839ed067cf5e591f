"""Stages, items, frames and links as JSON: columns of integers over shared tables of strings, frames and call
stacks.

A program of 10,000 equations has 30,000 items and as many links, and most of them share call stacks. So each
call stack is stored once, as a frame and the stack that called it (a tree), and an item holds one integer for
it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from jaxlab.inspection.packing import pack_ints, pack_text, plain, unpack_ints, unpack_text
from jaxlab.inspection.program import LINK_KINDS, Frame, Item, Link, Links, Stage

_KIND_CODES = {kind: code for code, kind in enumerate(LINK_KINDS)}
_FRAME_COLUMNS = ("source", "line", "col", "end_line", "end_col")


class Tables:
    """The tables that a record's stages and problems share, filled while these are encoded.

    >>> tables = Tables()
    >>> tables.stack((Frame(0, 4), Frame(0, 9))), tables.stack((Frame(0, 9),)), tables.stack(())
    (1, 0, -1)
    """

    def __init__(self) -> None:
        self._strings: dict[str, int] = {}
        self._frames: dict[Frame, int] = {}
        self._stacks: dict[tuple[int, int], int] = {}
        # Items made at one place mostly share one tuple: finding it by identity saves hashing its frames. The
        # tuples are kept, so that no identity is given twice.
        self._seen: dict[int, tuple[tuple[Frame, ...], int]] = {}

    def string(self, text: str) -> int:
        """The index of a string."""
        return self._strings.setdefault(text, len(self._strings))

    def stack(self, frames: tuple[Frame, ...]) -> int:
        """The index of a call stack, -1 for none."""
        seen = self._seen.get(id(frames))
        if seen is not None:
            return seen[1]
        caller = -1
        for frame in reversed(frames):
            place = self._frames.setdefault(frame, len(self._frames))
            caller = self._stacks.setdefault((place, caller), len(self._stacks))
        self._seen[id(frames)] = (frames, caller)
        return caller

    def to_json(self) -> dict[str, Any]:
        """The tables themselves; to be taken after everything that uses them has been encoded."""
        frames = {
            name: pack_ints([getattr(frame, name) for frame in self._frames]) for name in _FRAME_COLUMNS
        }
        functions = pack_ints([self.string(frame.function) for frame in self._frames])
        return {
            "frames": {**frames, "function": functions},
            "stacks": {
                "frame": pack_ints([frame for frame, _ in self._stacks]),
                "caller": pack_ints([caller for _, caller in self._stacks]),
            },
            "strings": [plain(text) for text in self._strings],
        }


def read_tables(value: dict[str, Any]) -> tuple[list[str], list[tuple[Frame, ...]]]:
    """The strings and the call stacks (innermost frame first) of a record's JSON."""
    strings = [str(text) for text in value["strings"]]
    columns = [unpack_ints(value["frames"][name]) for name in (*_FRAME_COLUMNS, "function")]
    frames = [
        Frame(source, line, col, end_line, end_col, strings[function])
        for source, line, col, end_line, end_col, function in zip(*columns, strict=True)
    ]
    stacks: list[tuple[Frame, ...]] = []
    for frame, caller in zip(
        unpack_ints(value["stacks"]["frame"]), unpack_ints(value["stacks"]["caller"]), strict=True
    ):
        if caller >= len(stacks):  # a caller comes first: this is also what rules out a loop
            raise ValueError(f"call stack {len(stacks)} is called by {caller}, which comes later")
        stacks.append((frames[frame], *(stacks[caller] if caller >= 0 else ())))
    return strings, stacks


def write_stage(stage: Stage, tables: Tables) -> dict[str, Any]:
    """One stage, its items as columns."""
    items = stage.items
    return {
        "id": stage.id,
        "title": plain(stage.title),
        "language": stage.language,
        "text": pack_text(stage.text),
        "note": plain(stage.note),
        "items": {
            "first": pack_ints([item.first for item in items]),
            "last": pack_ints([item.last for item in items]),
            "name": pack_ints([tables.string(item.name) for item in items]),
            "stack": pack_ints([tables.stack(item.frames) for item in items]),
        },
    }


def read_stage(value: dict[str, Any], strings: Sequence[str], stacks: Sequence[tuple[Frame, ...]]) -> Stage:
    """The stage that `write_stage` wrote."""
    columns = [unpack_ints(value["items"][name]) for name in ("first", "last", "name", "stack")]
    items = tuple(
        Item(first, last, strings[name], stacks[stack] if stack >= 0 else ())
        for first, last, name, stack in zip(*columns, strict=True)
    )
    return Stage(
        value["id"], value["title"], value["language"], unpack_text(value["text"]), items, value["note"]
    )


def write_links(links: Links) -> dict[str, Any]:
    """The links between two stages as three columns; -1 is no item, a kind its place in `LINK_KINDS`."""
    pairs = links.pairs
    return {
        "before": links.before,
        "after": links.after,
        "from": pack_ints([-1 if pair.before is None else pair.before for pair in pairs]),
        "to": pack_ints([-1 if pair.after is None else pair.after for pair in pairs]),
        "kind": pack_ints([_KIND_CODES[pair.kind] for pair in pairs]),
    }


def read_links(value: dict[str, Any]) -> Links:
    """The links that `write_links` wrote."""
    columns: Iterable[list[int]] = [unpack_ints(value[name]) for name in ("from", "to", "kind")]
    pairs = tuple(
        Link(before if before >= 0 else None, after if after >= 0 else None, LINK_KINDS[kind])
        for before, after, kind in zip(*columns, strict=True)
    )
    return Links(value["before"], value["after"], pairs)
