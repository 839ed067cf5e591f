"""A program's optimised HLO as text, and for each instruction the numbers of the equations it comes from.

XLA prints the stack frames of its instructions in tables beside them; the frame at the root of a stack names
the equation.
"""

from __future__ import annotations

import re
from typing import Any

from jaxlab.inspection.stages import Form, Part
from jaxlab.stablehlo.build import EQUATION

_TABLE = re.compile(r"^(FileNames|FunctionNames|FileLocations|StackFrames)$")
_NAMED = re.compile(r'^(\d+) "(.*)"$')
_FIELDS = re.compile(r"(\w+)=(\d+)")
_INSTRUCTION = re.compile(r"^\s+(?:ROOT )?%?([\w.\-]+) = .*?[\]})] ?([a-z][\w\-]*)\(")
_COMPUTATION = re.compile(r"^(?:ENTRY )?%?([\w.\-]+) \(.*\{$")
_CALLED = re.compile(r"(?:calls|to_apply|body|condition)=%?([\w.\-]+)")
_METADATA = re.compile(r", metadata=\{((?:[^{}\"]|\"(?:[^\"\\]|\\.)*\")*)\}")
_FRAME = re.compile(r"stack_frame_id=(\d+)")


def hlo_form(text: str) -> Form:
    """Optimised HLO without its tables and metadata; its parts are the instructions.

    A fusion comes from all the equations of the computation that it calls.
    """
    body, frames = _frames(text)
    lines: list[str] = []
    found: list[tuple[int, str, str, int | None, str, str]] = []
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
        found.append(
            (
                len(lines),
                instruction[2],
                computation,
                frames.get(int(frame[1])) if frame is not None else None,
                called[1] if called is not None else "",
                instruction[1],
            )
        )
    return Form("\n".join(lines).strip("\n"), tuple(_with_callees(found)))


def _with_callees(found: list[tuple[int, str, str, int | None, str, str]]) -> list[Part]:
    inside: dict[str, set[int]] = {}
    for _, _, computation, equation, _, _ in found:
        if equation is not None:
            inside.setdefault(computation, set()).add(equation)
    callers = {called: name for _, opcode, _, _, called, name in found if opcode == "fusion"}
    parts = []
    for line, opcode, computation, equation, called, _ in found:
        equations = set() if equation is None else {equation}
        if opcode in ("fusion", "call", "custom-call") and called:
            equations |= inside.get(called, set())
        parts.append(Part(line, line, opcode, tuple(sorted(equations)), callers.get(computation, "")))
    return parts


def _frames(text: str) -> tuple[list[str], dict[int, int]]:
    """The lines that are not tables, and for each stack frame the number of the equation at its root."""
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
    return body, _roots(tables)


def _roots(tables: dict[str, dict[int, Any]]) -> dict[int, int]:
    files, locations, frames = tables["FileNames"], tables["FileLocations"], tables["StackFrames"]
    # The text prints parents one too high, the root as 1; a frame that is its own parent gives that away.
    shift = 1 if any(frame.get("parent_frame_id") == i for i, frame in frames.items()) else 0
    roots: dict[int, int] = {}
    for start in frames:
        frame = start
        for _ in range(len(frames)):
            parent = frames[frame].get("parent_frame_id", 0) - shift
            if parent not in frames:
                break
            frame = parent
        location = locations.get(frames[frame].get("file_location_id", 0), {})
        if files.get(location.get("file_name_id", 0)) == EQUATION:
            roots[start] = location["line"] - 1
    return roots
