"""Why a jitted function is traced anew: its key against the nearest one that was traced before."""

from __future__ import annotations

import types
from collections.abc import Iterable, Sequence
from typing import Any

from jaxlab import logs
from jaxlab.config import changed_options
from jaxlab.core import source
from jaxlab.core.trace import current
from jaxlab.interpreters.functions import function_name

Key = tuple[tuple[Any, ...], Any, tuple[Any, ...], tuple[Any, ...]]
"""Static arguments, structure, types of the leaves, options and named axes."""

# Definitions that were traced: of a function that is gone its traces are gone too.
_definitions: dict[tuple[Any, ...], types.CodeType | None] = {}


def log_miss(fun: Any, key: Key, known: Iterable[Any], names: Sequence[str]) -> None:
    """Log why ``key`` is not among those of ``fun``, ``known``; ``names`` are those of the argument's leaves."""
    place = source.summary(current.traceback or source.take())
    logs.warn(
        "cache", "tracing %s, called at %s: %s", function_name(fun), place, reason(fun, key, known, names)
    )
    _definitions[_identity(fun)] = getattr(fun, "__code__", None)


def reason(fun: Any, key: Key, known: Iterable[Any], names: Sequence[str]) -> str:
    """In what a key differs from those that it differs least from: ``x: f32[3] → f32[4]``."""
    keys = [other for other in known if isinstance(other, tuple) and len(other) == len(key)]
    if keys:
        told = nearest(_differences(other, key, names) for other in reversed(keys))
        return told or "it was dropped from the cache"
    code = _definitions.get(_identity(fun))
    if code is None:
        return "its first call"
    if code is getattr(fun, "__code__", None):
        return (
            f"another function object {function_name(fun)} of the same definition was traced before, but "
            "traces are kept by object; make it once, outside of what makes it each time"
        )
    return f"function {function_name(fun)} was redefined"


def nearest(differences: Iterable[Sequence[str]]) -> str:
    """The shortest of several lists of differences, as one text; empty if there is none.

    >>> nearest([["x: f32[3] → f32[4]", "static n: 1 → 2"], ["static n: 3 → 2"]])
    'static n: 3 → 2'
    """
    shortest: Sequence[str] = min(differences, key=len, default=())
    return ", ".join(shortest)


def type_change(before: Any, now: Any) -> str:
    """How one type became another: ``f32[3] → f32[4]``; empty if they are the same."""
    return "" if before == now else f"{_type(before, now)} → {_type(now, before)}"


def _differences(before: Key, now: Key, names: Sequence[str]) -> list[str]:
    found = _static_differences(before[0], now[0])
    if before[1] != now[1]:
        found.append(f"the structure of the arguments: {before[1]} → {now[1]}")
    else:
        for i, (old, new) in enumerate(zip(before[2], now[2], strict=True)):
            if old != new:
                name = names[i] if i < len(names) else f"argument {i}"
                found.append(f"{name}: {type_change(old, new)}")
    found += changed_options(before[3][0], now[3][0])
    if before[3][1] != now[3][1]:
        found.append(f"named axes: {_axes(before[3][1])} → {_axes(now[3][1])}")
    return found


def _static_differences(before: tuple[Any, ...], now: tuple[Any, ...]) -> list[str]:
    old, new = ({place: value for place, _, value in statics} for statics in (before, now))
    kinds = {place: kind for place, kind, _ in before}, {place: kind for place, kind, _ in now}
    found = []
    for place in dict.fromkeys([*old, *new]):
        if place not in old or place not in new:
            found.append(f"static {place} is {'given' if place in new else 'left out'} now")
        elif (kinds[0][place], old[place]) != (kinds[1][place], new[place]):
            found.append(f"static {place}: {_shown(old[place])} → {_shown(new[place])}")
    return found


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:59] + "…"


def _type(aval: Any, other: Any) -> str:
    """A type, and where another is written alike what tells the two apart."""
    text: str = aval.str_short()
    return f"{text} (a Python number's weak type)" if text == other.str_short() and aval.weak_type else text


def _axes(axes: Sequence[tuple[Any, int]]) -> str:
    return ", ".join(f"{name}={size}" for name, size in axes) or "none"


def _identity(fun: Any) -> tuple[Any, ...]:
    return getattr(fun, "__module__", None), getattr(fun, "__qualname__", function_name(fun))
