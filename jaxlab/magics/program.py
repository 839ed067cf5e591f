"""Compiled cells: their keys, their stages and why one could not be reused."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from jaxlab import tree_util
from jaxlab.caching import Cache
from jaxlab.core.aval import ShapedArray
from jaxlab.interpreters.misses import nearest, type_change
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


class Listed(NamedTuple):
    """A compiled cell or function in words, for ``%caches``."""

    program: str
    text: str
    traced_at: str
    reused: str
    inputs: str
    reason: str


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

    def listed(self) -> list[Listed]:
        """Every compiled cell that is still there, oldest first."""
        return [
            Listed(
                spell(program.key.stack, "cell"),
                program.key.text.strip().partition("\n")[0],
                program.traced_at,
                f"{program.hits} times" if program.hits != 1 else "once",
                spell_inputs(program.key.inputs),
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
            told = nearest_difference([p.key for p in same_stack], environment, bindings)
            return told or "its program was dropped from the cache"
        if same_text:
            return f"stack changed: {' '.join(same_text[0].key.stack)} → {' '.join(stack)}"
        if cell_id is not None and any(p.cell_id == cell_id for p in programs):
            return "the cell's text changed"
        return "first run"


def spell(stack: Sequence[str], name: str) -> str:
    """``jit(grad(cell))`` for the magic lines of a stack."""
    words = [line.split()[0].lstrip("%") for line in stack]
    return "".join(f"{word}(" for word in words) + name + ")" * len(words)


def spell_inputs(inputs: Mapping[str, Fingerprint]) -> str:
    """``x: f32[3], n: 2``; modules and functions say nothing and are left out."""
    silent = ("module ", "function ", "class ", "<%%jit function ")
    return ", ".join(f"{n}: {f.text}" for n, f in inputs.items() if not f.text.startswith(silent))


def nearest_difference(
    keys: Sequence[ProgramKey], environment: Environment, bindings: Mapping[str, Binding]
) -> str:
    """In what these inputs differ from the earlier ones that they differ least from."""
    return nearest(_differences(key, environment, bindings) for key in keys)


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
    leaves = _leaf_differences(name, before, now)
    if leaves:
        more = f" and {len(leaves) - _TOLD} more" if len(leaves) > _TOLD else ""
        return ", ".join(leaves[:_TOLD]) + more
    if before.text == now.text:
        return f"{name} has changed inside"
    if before.kind == now.kind == "static":
        return f"static {name}: {before.text} → {now.text}"
    return f"{name}: {before.text} → {now.text}"


_TOLD = 3


def _leaf_differences(name: str, before: Fingerprint, now: Fingerprint) -> list[str]:
    """The leaves of an input that differ, by their paths, if both have the same structure."""
    old, new = before.key, now.key
    if not (isinstance(old, tuple) and isinstance(new, tuple) and len(old) == len(new) == 3):
        return []
    if old[0] != new[0] or old[1] != new[1]:
        return []
    paths = tree_util.tree_leaves_with_path(tree_util.tree_unflatten(old[0], range(len(old[2]))))
    found = []
    for path, place in paths:
        was, is_ = old[2][place], new[2][place]
        if was != is_ and getattr(was, "kind", "") == getattr(is_, "kind", "") == "aval":
            found.append(f"{name}{tree_util.keystr(path)}: {_type_change(was.key, is_.key)}")
        elif was != is_ and type(was) is type(is_) is tuple:
            found.append(f"static {name}{tree_util.keystr(path)}: {was[1]!r} → {is_[1]!r}")
    return found


def _type_change(before: tuple[Any, ...], now: tuple[Any, ...]) -> str:
    """What differs between two keys of traced leaves: ``f32[3] → f32[4]``, or what stands beside the type."""
    old, new = (ShapedArray(shape, dtype, weak) for shape, dtype, weak, _ in (before, now))
    change = type_change(old, new)
    if change:
        return change
    places = [" on " + ", ".join(key[3]) if key[3] else " on the default device" for key in (before, now)]
    return f"{new.str_short()}{places[0]} →{places[1]}"


def _leaf_kind(print_: Fingerprint) -> str:
    """``function`` for the fingerprint of an input that is one function, and so on."""
    parts = print_.key[2] if isinstance(print_.key, tuple) and len(print_.key) == 3 else ()
    return (
        parts[0].kind
        if isinstance(parts, tuple) and len(parts) == 1 and isinstance(parts[0], Fingerprint)
        else print_.kind
    )
