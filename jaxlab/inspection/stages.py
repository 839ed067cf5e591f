"""The stages of a program as texts, and for each line of a text the number of the equation it comes from.

Each operation carries the number of its equation at the root of its location, and XLA keeps it through all its passes. So
every stage is cut into items the same way: read the text, find out which equation each line belongs to.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from jaxlab.core.jaxpr import ClosedJaxpr, JaxprEqn
from jaxlab.core.printing import jaxpr_to_text
from jaxlab.stablehlo.build import EQUATION


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of a stage's text: lines ``first`` to ``last`` (from 1), its operation, and the equations it comes from.

    ``inside`` names the fused kernel that it is part of, if it is.
    """

    first: int
    last: int
    name: str
    equations: tuple[int, ...]
    inside: str = ""


@dataclass(frozen=True, slots=True)
class Form:
    """One form of a program: its text and the parts of it."""

    text: str
    parts: tuple[Part, ...]


def jaxpr_form(closed: ClosedJaxpr, numbers: dict[JaxprEqn, int]) -> Form:
    """The jaxpr's text; its parts are the equations, inner ones after those that hold them."""
    lines: list[tuple[JaxprEqn, int, int]] = []
    text = jaxpr_to_text(closed, lines=lines)
    parts = [
        Part(first, last, eqn.primitive.name, (numbers[eqn],) if eqn in numbers else ()) for eqn, first, last in lines
    ]
    return Form(text, tuple(parts))


# -- StableHLO -----------------------------------------------------------------------------------------------------------

_ALIAS = re.compile(r"^#(loc\d*) = loc\((.*)\)$")
_EQUATION = re.compile(rf'"{re.escape(EQUATION)}":(\d+):')
_REFERENCE = re.compile(r"#(loc\d*)")
_LOCATION = re.compile(r" loc\(#(loc\d*)\)$")
_ARGUMENT_LOCATION = re.compile(r' loc\((?:#loc\d*|unknown|"(?:[^"\\]|\\.)*"(?:\([^()]*\))?)\)')
_OPERATION = re.compile(r'^\s*(?:%[\w:, %#]+ = )?"?((?:stablehlo|chlo|func|sdy|mhlo)\.[\w.]+|call|return)\b')


def stablehlo_form(module: Any) -> Form:
    """The module's text without locations; its parts are the operations."""
    full = module.operation.get_asm(enable_debug_info=True).splitlines()
    aliases = {m[1]: m[2] for line in full if line.startswith("#loc") and (m := _ALIAS.match(line))}
    resolved: dict[str, int | None] = {}

    def number(alias: str) -> int | None:
        """The equation at the root of a location: the last place that a chain of callers comes to."""
        if alias not in resolved:
            resolved[alias] = None
            body = aliases.get(alias, "")
            direct = _EQUATION.search(body)
            if direct is not None:
                resolved[alias] = int(direct[1]) - 1
            else:
                for inner in reversed(_REFERENCE.findall(body)):
                    found = number(inner)
                    if found is not None:
                        resolved[alias] = found
                        break
        return resolved[alias]

    lines: list[str] = []
    parts: list[Part | None] = []
    open_: list[tuple[int, int, str]] = []
    for raw in full:
        if raw.startswith("#loc"):
            continue
        location = _LOCATION.search(raw)
        line = _ARGUMENT_LOCATION.sub("", raw[: location.start()] if location is not None else raw)
        lines.append(line)
        here = len(lines)
        operation = _OPERATION.match(line)
        closes, opens = line.lstrip().startswith("}"), line.rstrip().endswith("{")
        if opens and not closes:
            open_.append((here, len(parts), operation[1] if operation is not None else ""))
            parts.append(None)
        elif closes and not opens and open_:
            first, place, name = open_.pop()
            equation = number(location[1]) if location is not None else None
            if name and equation is not None:
                parts[place] = Part(first, here, name, (equation,))
        elif operation is not None and location is not None and not closes:
            equation = number(location[1])
            if equation is not None:
                parts.append(Part(here, here, operation[1], (equation,)))
    return Form("\n".join(lines).strip("\n"), tuple(part for part in parts if part is not None))


# -- HLO -----------------------------------------------------------------------------------------------------------------

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
    tables: dict[str, dict[int, Any]] = {"FileNames": {}, "FileLocations": {}, "StackFrames": {}, "FunctionNames": {}}
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
    # The text prints parents one too high, the root as 1; a frame that names itself as its parent gives that away.
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
