"""Tracers that outlive the trace they belong to, for `check_tracer_leaks`: which they are, and who holds them."""

from __future__ import annotations

import gc
import types
import weakref
from typing import Any

from jaxlab import errors
from jaxlab.core.source import PACKAGE, display_name
from jaxlab.core.trace import Tracer


def check(trace: weakref.ref[Any], name: str) -> None:
    """Raise `UnexpectedTracerError` if a value of a trace that has ended is still there.

    The caller has let go of the trace and of the values it gave out; ``name`` is that of the traced function.
    """
    if trace() is None:
        return
    gc.collect()  # cycles, such as a frame in an exception's traceback, hold nothing for good
    alive = trace()
    if alive is None:
        return
    kept = [x for x in gc.get_referrers(alive) if isinstance(x, Tracer) and x._trace is alive]
    if not kept:
        return  # something holds the interpreter, but none of its values
    raise errors.UnexpectedTracerError(_told(kept, name))


def _told(kept: list[Tracer], name: str) -> str:
    more = f" and {len(kept) - 1} more" if len(kept) > 1 else ""
    owners = _owners(kept[0], [kept], _DEPTH)
    held = f"; it is held by {', and by '.join(owners)}" if owners else ""
    return (
        f"{name or 'tracing'}: {kept[0].describe()}{more} outlives the function, but stands for a value only "
        f"while that is traced{held}; return it from the function instead of storing it"
    )


_DEPTH = 3  # containers in containers that are followed up to something that has a name
_SEARCH = ("list_iterator", "generator", "builtin_function_or_method", "weakref")


def _owners(x: Any, search: list[Any], depth: int) -> list[str]:
    """Who refers to an object, in words; the objects of the search itself, and its frames, are left out."""
    found = []
    holders = gc.get_referrers(x)
    search = [*search, holders, search]
    for holder in holders:
        if any(holder is own for own in search) or type(holder).__name__ in _SEARCH:
            continue
        if isinstance(holder, types.FrameType) and holder.f_code.co_filename.startswith(PACKAGE):
            continue
        text = _owner(holder, x, search, depth)
        if text and text not in found:
            found.append(text)
    return found


def _owner(holder: Any, x: Any, search: list[Any], depth: int) -> str:
    """A holder of ``x`` in words, such as ``the attribute .kept of a Box``; empty where it says nothing."""
    if isinstance(holder, types.FrameType):
        names = [name for name, value in holder.f_locals.items() if value is x]
        where = f"{holder.f_code.co_qualname}, {display_name(holder.f_code.co_filename)}:{holder.f_lineno}"
        return f"the variable `{names[0]}` of {where}" if names else ""
    if isinstance(holder, types.CellType):
        return _closure_variable(holder)
    if isinstance(holder, Tracer):
        return ""
    attributes = holder if isinstance(holder, dict) else getattr(holder, "__dict__", {})
    key = next((key for key, value in attributes.items() if value is x), None)
    if isinstance(holder, dict):
        if "__name__" in holder and "__builtins__" in holder:
            return f"the global variable `{key}`"
        for owner in gc.get_referrers(holder):
            if getattr(owner, "__dict__", None) is holder:
                return f"the attribute .{key} of {_kind(owner)}"
    if isinstance(holder, list | tuple | dict | set):
        owners = _owners(holder, search, depth - 1) if depth else []
        return f"{_kind(holder)}, {owners[0]}" if owners else _kind(holder)
    return _kind(holder) if key is None else f"the attribute .{key} of {_kind(holder)}"


def _closure_variable(cell: types.CellType) -> str:
    for closure in gc.get_referrers(cell):
        for function in gc.get_referrers(closure) if isinstance(closure, tuple) else ():
            if isinstance(function, types.FunctionType) and function.__closure__ is closure:
                names = zip(function.__code__.co_freevars, closure or (), strict=True)
                name = next(name for name, each in names if each is cell)
                return f"the variable `{name}`, which {function.__qualname__} uses"
    return ""  # the variable of a running function, whose frame says so itself


def _kind(value: Any) -> str:
    name = type(value).__name__
    return f"{'an' if name[:1].lower() in 'aeiou' else 'a'} {name}"
