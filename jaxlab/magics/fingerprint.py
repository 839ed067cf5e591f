"""Keys of static values: equal exactly if a program compiled for one is right for the other.

A function is the same if its code, defaults and closure are, whoever defined it again; an object of the
user's is the same if its attributes are, because its identity survives ``cfg.rate = 0.2`` and the compiled
program must not.
"""

from __future__ import annotations

import enum
import hashlib
import sysconfig
import types
from collections.abc import Hashable
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from jaxlab.magics.reach import module_of
from jaxlab.runtime.references import Ref

_DEPTH = 8
_HASHED_BYTES = 1 << 24  # arrays above are compared by identity: hashing them would cost more than the run


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """A comparable, hashable stand-in for a value, and a short text to name it in a reason."""

    kind: str
    key: Hashable
    text: str = field(compare=False)


class _Same:
    """Equal only to a wrapper of the same object, which it keeps alive so that its id stays its own."""

    __slots__ = ("value",)

    def __init__(self, value: Any) -> None:
        self.value = value

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and self.value is other.value

    def __hash__(self) -> int:
        return id(self.value)


def fingerprint(value: Any, depth: int = 0) -> Fingerprint:
    """The fingerprint of a static value; never raises, and falls back on identity.

    >>> fingerprint(3) == fingerprint(3), fingerprint(3) == fingerprint(3.0)
    (True, False)
    """
    text = _text(value)
    try:
        kind, key = _key(value, depth)
        hash(key)
    except Exception:  # a user's __eq__, __hash__ or property may raise anything
        kind, key = "object", _Same(value)
    return Fingerprint(kind, key, text)


def _key(value: Any, depth: int) -> tuple[str, Hashable]:
    if value is None or isinstance(value, enum.Enum | np.dtype | range):
        return "value", (type(value), value)
    if isinstance(value, bool | int | str | bytes | float | complex):
        return "value", (type(value), repr(value) if isinstance(value, float | complex) else value)
    if depth > _DEPTH:
        return "object", _Same(value)
    if isinstance(value, types.FunctionType):
        return "function", _function_key(value, depth)
    if isinstance(value, Ref):  # a place, whatever it holds at the moment
        return "reference", _Same(value)
    if isinstance(value, types.ModuleType):
        return "module", (_Same(value), _module_key(value))
    if isinstance(value, type):
        return "class", _class_key(value, depth)
    if isinstance(value, types.MethodType):
        if (
            module_of(type(value.__self__)).partition(".")[0] in _SHELLS
        ):  # `get_ipython` holds the whole session
            return "function", _Same(value.__self__)
        return "function", (fingerprint(value.__func__, depth + 1), fingerprint(value.__self__, depth + 1))
    if isinstance(value, np.ndarray | np.generic):
        return "array", _array_key(np.asarray(value), value)
    if hasattr(value, "__array__") and hasattr(value, "devices"):
        return "array", _array_key(np.asarray(value), value)
    if isinstance(value, list | tuple):
        return "sequence", (type(value), *(fingerprint(v, depth + 1) for v in value))
    if isinstance(value, dict):
        return "mapping", (
            type(value),
            *((fingerprint(k, depth + 1), fingerprint(v, depth + 1)) for k, v in value.items()),
        )
    if isinstance(value, set | frozenset):
        return "set", (type(value), frozenset(fingerprint(v, depth + 1) for v in value))
    wrapped = getattr(value, "__wrapped__", None)
    if callable(value) and wrapped is not None:
        counters = hasattr(value, "lower")  # a compiled function: what else it carries are its caches
        return "function", (
            type(value),
            fingerprint(wrapped, depth + 1),
            None if counters else _attributes(value, depth),
        )
    if getattr(type(value), "__hash__", None) not in (None, object.__hash__):
        return "value", (type(value), value, _attributes(value, depth))
    attributes = _attributes(value, depth)
    if attributes is None:
        return "object", _Same(value)
    return "object", (fingerprint(type(value), depth + 1), attributes)


_SHELLS = ("IPython", "ipykernel")


def _attributes(value: Any, depth: int) -> Hashable:
    """The attributes of an object, or None where it has none that can be seen."""
    found = dict(getattr(value, "__dict__", {}))
    found.pop("__wrapped__", None)
    for base in type(value).__mro__:
        slots = base.__dict__.get("__slots__", ())
        for slot in (slots,) if isinstance(slots, str) else slots:
            if hasattr(value, slot) and not slot.startswith("__"):
                found[slot] = getattr(value, slot)
    if not found and not hasattr(value, "__dict__"):
        return None
    return tuple((name, fingerprint(v, depth + 1)) for name, v in found.items())


def _function_key(value: types.FunctionType, depth: int) -> Hashable:
    cells = tuple(fingerprint(_cell(c), depth + 1) for c in value.__closure__ or ())
    return (
        value.__code__,
        fingerprint(value.__defaults__, depth + 1),
        fingerprint(value.__kwdefaults__, depth + 1),
        cells,
    )


def _cell(cell: types.CellType) -> Any:
    try:
        return cell.cell_contents
    except ValueError:  # not filled yet: a recursive local function
        return None


def _class_key(value: type, depth: int) -> Hashable:
    if module_of(value) != "__main__":
        return _Same(value)
    members = tuple(
        (n, fingerprint(v, depth + 1))
        for n, v in vars(value).items()
        if not n.startswith("__") or callable(v)
    )
    return (value.__qualname__, members)


def _array_key(array: np.ndarray, value: Any) -> Hashable:
    if array.dtype.hasobject or array.nbytes > _HASHED_BYTES:
        return _Same(value)
    digest = hashlib.blake2b(np.ascontiguousarray(array).tobytes(), digest_size=16).digest()
    return (type(value), array.shape, array.dtype.str, digest)


@lru_cache(maxsize=1024)
def is_library(path: str) -> bool:
    """Whether a file belongs to Python, an installed package or jaxlab, and not to the user."""
    roots = {sysconfig.get_paths()[name] for name in ("stdlib", "platstdlib", "purelib", "platlib")}
    here = str(Path(__file__).resolve().parents[1])
    return any(path.startswith(root) for root in (*roots, here))


def _module_key(module: types.ModuleType) -> Hashable:
    """The functions and constants of a module of the user's own, which may be edited and reloaded; None for a
    library.
    """
    path = getattr(module, "__file__", None)
    if not path or is_library(str(path)):
        return None
    found: list[tuple[str, Hashable]] = []
    for name, value in vars(module).items():
        if isinstance(value, types.FunctionType) and value.__module__ == module.__name__:
            found.append((name, value.__code__))
        elif isinstance(value, bool | int | float | str) and not name.startswith("__"):
            found.append((name, (type(value), repr(value))))
    return tuple(found)


def _is_rule(value: Any) -> bool:
    """Whether it is a function of the user's with rules of its own, such as `custom_vjp` makes."""
    return module_of(type(value)).startswith("jaxlab.transforms.") and isinstance(
        getattr(value, "__name__", None), str
    )


def _text(value: Any) -> str:
    if isinstance(value, types.FunctionType | type | types.BuiltinFunctionType):
        return f"{'class' if isinstance(value, type) else 'function'} {value.__name__}"
    if isinstance(value, types.ModuleType):
        return f"module {value.__name__}"
    if isinstance(value, Ref):
        return value.aval.str_short()
    if _is_rule(value):
        return f"function {value.__name__}"
    try:
        text = repr(value)
    except Exception:  # a user's __repr__ may raise anything
        text = f"<{type(value).__name__}>"
    return text if len(text) <= 60 else text[:59] + "…"
