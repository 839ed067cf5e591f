"""The names of the notebook that live functions read when they run.

A cell that calls a ``predict`` defined three cells up reads what ``predict`` reads.  The functions are found
from the values of the names that the cell reads: directly, behind decorators, in partials, containers,
closures and attributes. Where a function is only held by something, it is not certain that the cell calls it:
then `watch` observes which functions of the notebook really ran.
"""

from __future__ import annotations

import dis
import gc
import sys
import types
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

_LIMIT = 20_000  # objects looked at behind one name; a data structure of a million floats hides no function
_ATOMS = (
    int,
    float,
    complex,
    str,
    bytes,
    bool,
    type(None),
    types.ModuleType,
    types.CodeType,
    types.FrameType,
)

_code_reads: dict[types.CodeType, tuple[str, ...]] = {}


class Reacher:
    """Finds the names read through the values of a namespace; remembers what it looked at.

    ``certain`` turns False once a function was found that the cell does not call by its name.
    """

    def __init__(self, namespace: dict[str, Any]) -> None:
        self.namespace = namespace
        self.certain = True
        self._done: dict[str, tuple[str, ...]] = {}

    def __call__(self, name: str) -> Iterable[str]:
        """Names of the namespace that are read when the value of ``name`` is called."""
        if name not in self._done:
            self._done[name] = ()
            if name in self.namespace:
                self._done[name] = self.behind(self.namespace[name])
        return self._done[name]

    def behind(self, value: Any) -> tuple[str, ...]:
        """Names of the namespace that are read when ``value`` is called."""
        found: dict[str, None] = {}
        direct = unwrap(value)
        for function in functions_in(value, self.namespace):
            if function is not direct:
                self.certain = False
            found.update(dict.fromkeys(n for n in code_reads(function.__code__) if n in self.namespace))
        return tuple(found)


def unwrap(value: Any) -> Any:
    """The plain function under decorators that keep it as ``__wrapped__``, or the value itself."""
    for _ in range(100):
        inner = getattr(value, "__wrapped__", None) if callable(value) else None
        if inner is None:
            return value
        value = inner
    return value


def functions_in(value: Any, namespace: dict[str, Any]) -> Iterator[types.FunctionType]:
    """Functions whose globals are ``namespace`` and that ``value`` holds, however deep."""
    seen: set[int] = {id(namespace)}
    todo: list[Any] = [value]
    keep: list[Any] = []  # ids stay unique only while the objects live
    while todo and len(seen) < _LIMIT:
        item = todo.pop()
        if isinstance(item, _ATOMS) or id(item) in seen:
            continue
        seen.add(id(item))
        keep.append(item)
        if isinstance(item, types.FunctionType):
            if item.__globals__ is namespace:
                yield item
            todo += [item.__closure__, item.__defaults__, item.__kwdefaults__, item.__dict__]
        elif isinstance(item, type):
            if module_of(item) == namespace.get("__name__"):
                todo += [*vars(item).values(), *item.__bases__]
        elif hasattr(item, "__array__"):
            continue
        else:
            todo += held_by(item)


def module_of(kind: type) -> str:
    """The module that a class says it is from; those of C++ need not say any, and then asking is an error."""
    return str(getattr(kind, "__module__", ""))


def held_by(item: Any) -> list[Any]:
    """The objects that an object holds; what it wraps is the last.

    Of a compiled function of the notebook that is all: from it the way leads to the whole session.
    """
    wrapped = getattr(item, "__wrapped__", None)
    if getattr(type(item), "reads_as_wrapped", False):
        return [wrapped]
    return [*gc.get_referents(item), wrapped]


def code_reads(code: types.CodeType) -> tuple[str, ...]:
    """Global names that a code object, and those nested in it, may read; in order.

    >>> code_reads((lambda x: W @ x).__code__)
    ('W',)
    """
    known = _code_reads.get(code)
    if known is None:
        found: dict[str, None] = {}
        for instruction in dis.get_instructions(code):
            if instruction.opname in ("LOAD_GLOBAL", "LOAD_NAME"):
                found[instruction.argval] = None
        for constant in code.co_consts:
            if isinstance(constant, types.CodeType):
                found.update(dict.fromkeys(code_reads(constant)))
        known = _code_reads[code] = tuple(found)
    return known


@contextmanager
def watch(namespace: dict[str, Any], active: bool) -> Iterator[set[types.CodeType] | None]:
    """Collect the code of the notebook's functions that run inside the block.

    Yields None, and watches nothing, if not ``active`` or if a profiler already has Python's one profile
    hook. Watching doubles the time of a trace, so it is for cells where the functions' text does not tell.
    """
    if not active or sys.getprofile() is not None:
        yield None
        return
    ran: set[types.CodeType] = set()

    def hook(frame: types.FrameType, event: str, _: Any) -> None:
        if event == "call" and frame.f_globals is namespace:
            ran.add(frame.f_code)

    sys.setprofile(hook)
    try:
        yield ran
    finally:
        sys.setprofile(None)
