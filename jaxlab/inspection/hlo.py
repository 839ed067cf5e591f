"""A program's optimised HLO as text, and for each instruction the numbers of the equations it comes from.

XLA prints the stack frames of its instructions in tables beside them. Where a stack comes to the frame that
names an equation, its own frames end; those of the calls that XLA replaced by their bodies follow, each with
its equation.
"""

from __future__ import annotations

import re
from typing import Any, NamedTuple

from jaxlab.inspection.stages import Form, Part
from jaxlab.stablehlo.context import EQUATION

_TABLE = re.compile(r"^(FileNames|FunctionNames|FileLocations|StackFrames)$")
_NAMED = re.compile(r'^(\d+) "(.*)"$')
_FIELDS = re.compile(r"(\w+)=(\d+)")
_INSTRUCTION = re.compile(r"^\s+(?:ROOT )?%?([\w.\-]+) = .*?[\]})] ?([a-z][\w\-]*)\(")
_COMPUTATION = re.compile(r"^(?:ENTRY )?%?([\w.\-]+) \(.*\{$")
_CALLED = re.compile(r"(?:calls|to_apply|body|condition)=%?([\w.\-]+)")
_METADATA = re.compile(r", metadata=\{((?:[^{}\"]|\"(?:[^\"\\]|\\.)*\")*)\}")
_CALLS = ("fusion", "call", "custom-call")
_FRAME = re.compile(r"stack_frame_id=(\d+)")


def hlo_form(text: str) -> Form:
    """Optimised HLO without its tables and metadata; its parts are the instructions.

    A fusion comes from all the equations of the computation that it calls; the body of a reduction, which says
    nothing of itself, from those that call it.
    """
    body, frames = _frames(text)
    lines: list[str] = []
    found: list[_Instruction] = []
    computation = ""
    for raw in body:
        metadata = _METADATA.search(raw)
        line = raw if metadata is None else raw[: metadata.start()] + raw[metadata.end() :]
        lines.append(line)
        started = _COMPUTATION.match(line)
        if started is not None:
            computation = started[1]
            continue
        instruction = _INSTRUCTION.match(line)
        if instruction is None:
            continue
        frame = _FRAME.search(metadata[1]) if metadata is not None else None
        called = _CALLED.search(line)
        equations = frames.get(int(frame[1]), ()) if frame is not None else ()
        found.append(
            _Instruction(
                len(lines), instruction[2], computation, equations, called[1] if called is not None else ""
            )
        )
    return Form("\n".join(lines).strip("\n"), tuple(_with_callees(found)))


class _Instruction(NamedTuple):
    """``equations`` are the one that it comes from and the calls around that, innermost first."""

    line: int
    opcode: str
    computation: str
    equations: tuple[int, ...]
    called: str


def _with_callees(found: list[_Instruction]) -> list[Part]:
    inside: dict[str, dict[int, None]] = {}
    around: dict[str, dict[int, None]] = {}
    for entry in found:
        inside.setdefault(entry.computation, {}).update(dict.fromkeys(entry.equations[:1]))
        around.setdefault(entry.computation, {}).update(dict.fromkeys(entry.equations[1:]))
    callers = {entry.called: entry.opcode for entry in found if entry.opcode == "fusion"}
    reductions: dict[str, dict[int, None]] = {}
    for entry in found:
        if entry.called and entry.opcode not in _CALLS:
            reductions.setdefault(entry.called, {}).update(dict.fromkeys(entry.equations[:1]))
    parts = []
    for line, opcode, computation, equations, called in found:
        own, calls = set(equations[:1]) or set(reductions.get(computation, ())), dict.fromkeys(equations[1:])
        if opcode in _CALLS and called:
            own |= inside.get(called, {}).keys()
            calls.update(around.get(called, {}))
        outer = tuple(number for number in calls if number not in own)
        parts.append(Part(line, line, opcode, tuple(sorted(own)), callers.get(computation, ""), outer))
    return parts


def _frames(text: str) -> tuple[list[str], dict[int, tuple[int, ...]]]:
    """The lines that are not tables, and for each stack frame the equations on the way to its root."""
    names = ("FileNames", "FileLocations", "StackFrames", "FunctionNames")
    tables: dict[str, dict[int, Any]] = {name: {} for name in names}
    body: list[str] = []
    table = ""
    for line in text.splitlines():
        if _TABLE.match(line):
            table = line
        elif not line.strip():
            table = ""
            if body and body[-1]:
                body.append("")
        elif table == "FileNames" or table == "FunctionNames":
            named = _NAMED.match(line)
            if named is not None:
                tables[table][int(named[1])] = named[2]
        elif table:
            tables[table][int(line.split(" ", 1)[0])] = {k: int(v) for k, v in _FIELDS.findall(line)}
        else:
            body.append(line)
    return body, _equations(tables)


def _equations(tables: dict[str, dict[int, Any]]) -> dict[int, tuple[int, ...]]:
    files, locations, frames = tables["FileNames"], tables["FileLocations"], tables["StackFrames"]
    # The text prints parents one too high, the root as 1; a frame that is its own parent gives that away.
    shift = 1 if any(frame.get("parent_frame_id") == i for i, frame in frames.items()) else 0
    found: dict[int, tuple[int, ...]] = {0: ()}

    def walk(start: int) -> tuple[int, ...]:
        path: list[int] = []
        frame = start
        while frame not in found and frame in frames and len(path) < len(frames):
            path.append(frame)
            frame = frames[frame].get("parent_frame_id", 0) - shift
        equations = found.get(frame, ())
        for frame in reversed(path):
            location = locations.get(frames[frame].get("file_location_id", 0), {})
            if files.get(location.get("file_name_id", 0)) == EQUATION:
                equations = (location["line"] - 1, *equations)
            found[frame] = equations
        return equations

    return {frame: walk(frame) for frame in frames}
