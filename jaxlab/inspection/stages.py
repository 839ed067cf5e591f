"""A program's jaxpr and StableHLO as texts, and for each line the number of the equation it comes from.

Each operation carries the number of its equation at the root of its location, and XLA keeps it through all
its passes. So every stage is cut into items the same way: read the text, find out which equation each line
belongs to.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from jaxlab.core.jaxpr import ClosedJaxpr, JaxprEqn
from jaxlab.core.printing import jaxpr_to_text
from jaxlab.stablehlo.context import EQUATION


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of a stage's text: lines ``first`` to ``last`` (from 1), operation, equations behind it.

    ``inside`` names the fused kernel that it is part of, if it is; ``calls`` are the equations whose calls
    were replaced by their bodies here, innermost first.
    """

    first: int
    last: int
    name: str
    equations: tuple[int, ...]
    inside: str = ""
    calls: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Form:
    """One form of a program: its text and the parts of it."""

    text: str
    parts: tuple[Part, ...]


def jaxpr_form(closed: ClosedJaxpr, numbers: dict[JaxprEqn, tuple[int, ...]]) -> Form:
    """The jaxpr's text; its parts are the equations, inner ones after those that hold them."""
    lines: list[tuple[JaxprEqn, int, int]] = []
    text = jaxpr_to_text(closed, lines=lines)
    parts = [Part(first, last, eqn.primitive.name, numbers.get(eqn, ())) for eqn, first, last in lines]
    return Form(text, tuple(parts))


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
