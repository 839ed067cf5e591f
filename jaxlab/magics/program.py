"""Compiled cells: their keys, their stages and why one could not be reused."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from jaxlab.caching import Cache
from jaxlab.magics.body import Body
from jaxlab.magics.fingerprint import Fingerprint
from jaxlab.magics.transform import CellFunction
from jaxlab.magics.values import Binding

Environment = tuple[tuple[str, Any], ...]
"""What a program depends on besides its inputs: the device and the options, as named values."""


@dataclass(frozen=True)
class ProgramKey:
    """The identity of a compiled cell; equal keys may share a program.

    ``names`` are the inputs and ``values`` their fingerprints, in the same order.
    """

    text: str
    stack: tuple[str, ...]
    environment: Environment
    names: tuple[str, ...]
    values: tuple[Fingerprint, ...]

    @property
    def inputs(self) -> dict[str, Fingerprint]:
        """The fingerprint of each input."""
        return dict(zip(self.names, self.values, strict=True))


@dataclass
class Program:
    """A cell, transformed and (if ``%%jit`` is outermost) compiled.

    ``traced``, ``lowered`` and ``compiled`` are None where ``function`` is called instead.
    """

    key: ProgramKey
    function: CellFunction
    body: Body
    traced_at: str
    cell_id: str | None
    seconds: dict[str, float] = field(default_factory=dict)
    traced: Any = None
    lowered: Any = None
    compiled: Any = None
    view: Any = None
    hits: int = 0
    reason: str = ""


class Programs:
    """The compiled cells of a session, and the memory of what was compiled that explains a miss."""

    def __init__(self, maxsize: int = 512) -> None:
        self.cache = Cache("magics.cells", maxsize, weak=True)
        self._names: dict[tuple[str, tuple[str, ...]], list[tuple[str, ...]]] = {}

    def find(
        self, text: str, stack: tuple[str, ...], environment: Environment, bindings: Mapping[str, Binding]
    ) -> Program | None:
        """The program for these inputs, or None."""
        for names in self._names.get((text, stack), ()):
            if all(name in bindings for name in names):
                values = tuple(bindings[name].key for name in names)
                found: Program | None = self.cache.get(ProgramKey(text, stack, environment, names, values))
                if found is not None:
                    found.hits += 1
                    return found
        return None

    def names_of(self, text: str, stack: tuple[str, ...]) -> list[tuple[str, ...]]:
        """The inputs that earlier programs of this text turned out to have."""
        return self._names.get((text, stack), [])

    def keep(self, program: Program) -> None:
        """Remember a program for later runs."""
        key = program.key
        known = self._names.setdefault((key.text, key.stack), [])
        if key.names not in known:
            known.append(key.names)
        self.cache.put(key, program)

    def listed(self) -> list[tuple[str, str, str, str, str]]:
        """Every program, oldest first: its stack, where it was traced, reuses, inputs, and why it was
        compiled.
        """
        return [
            (
                _spell(program.key.stack),
                program.traced_at,
                str(program.hits),
                ", ".join(
                    f"{n}: {f.text}"
                    for n, f in program.key.inputs.items()
                    if not f.text.startswith("module ")
                ),
                program.reason,
            )
            for _, program in self.cache.items()
        ]

    def reason(
        self,
        text: str,
        stack: tuple[str, ...],
        environment: Environment,
        bindings: Mapping[str, Binding],
        cell_id: str | None,
    ) -> str:
        """Why no program fits, by comparison with the nearest one: ``x: f32[3] → f32[4]``."""
        programs: list[Program] = [program for _, program in self.cache.items()][::-1]
        same_text = [p for p in programs if p.key.text == text]
        same_stack = [p for p in same_text if p.key.stack == stack]
        if same_stack:
            told: list[list[str]] = [_differences(p.key, environment, bindings) for p in same_stack]
            nearest = min(told, key=len)
            return ", ".join(nearest) or "its program was dropped from the cache"
        if same_text:
            return f"stack changed: {_spell(same_text[0].key.stack)} → {_spell(stack)}"
        if cell_id is not None and any(p.cell_id == cell_id for p in programs):
            return "the cell's text changed"
        return "first run"


def _spell(stack: tuple[str, ...]) -> str:
    return " ".join(stack)


def _differences(key: ProgramKey, environment: Environment, bindings: Mapping[str, Binding]) -> list[str]:
    found = []
    for (name, before), (_, now) in zip(key.environment, environment, strict=True):
        if before != now:
            found.append(f"{name} changed" if name == "options" else f"{name}: {before} → {now}")
    for name, before in key.inputs.items():
        if name not in bindings:
            found.append(f"{name} is not read any more")
        elif bindings[name].key != before:
            found.append(difference(name, before, bindings[name].key))
    return found


def difference(name: str, before: Fingerprint, now: Fingerprint) -> str:
    """One changed input in a few words."""
    old, new = _leaf_kind(before), _leaf_kind(now)
    if old == new == "function":
        return f"function {name} was redefined"
    if old == new == "class":
        return f"class {name} was redefined"
    if old == new == "module":
        return f"module {name} was reloaded"
    if before.text == now.text and _weak(before) != _weak(now):
        weak = " (a Python number's weak type)"
        return f"{name}: {before.text}{weak * _weak(before)} → {now.text}{weak * _weak(now)}"
    if before.text == now.text:
        return f"{name} has changed inside"
    if before.kind == now.kind == "static":
        return f"static {name}: {before.text} → {now.text}"
    return f"{name}: {before.text} → {now.text}"


def _weak(print_: Fingerprint) -> bool:
    """Whether an input is one array that a Python number's dtype gives way to."""
    parts = print_.key[2] if isinstance(print_.key, tuple) and len(print_.key) == 3 else ()
    return (
        isinstance(parts, tuple)
        and len(parts) == 1
        and getattr(parts[0], "kind", "") == "aval"
        and parts[0].key[2]
    )


def _leaf_kind(print_: Fingerprint) -> str:
    """``function`` for the fingerprint of an input that is one function, and so on."""
    parts = print_.key[2] if isinstance(print_.key, tuple) and len(print_.key) == 3 else ()
    return (
        parts[0].kind
        if isinstance(parts, tuple) and len(parts) == 1 and isinstance(parts[0], Fingerprint)
        else print_.kind
    )
