"""What a value is to a transformed cell: traced, or static and part of the key of the compiled program.

Arrays (of jaxlab, NumPy, or anything with ``__array__`` or DLPack), floats and complex numbers are traced;
all else is static.  In a pytree each leaf follows its own kind.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

import jaxlab
from jaxlab import tree_util
from jaxlab.core.aval import aval_of
from jaxlab.core.refs import is_ref
from jaxlab.core.trace import Tracer
from jaxlab.magics.fingerprint import Fingerprint, fingerprint
from jaxlab.runtime.references import Ref

_NUMERIC = "biufcV"
_PLAIN = (int, bool, str)


@dataclass(frozen=True, slots=True)
class Binding:
    """One input of a cell: its value taken apart into traced leaves and a static rest.

    ``key`` identifies everything but the numbers in the traced leaves: structure, static leaves, shapes and
    dtypes.
    """

    name: str
    leaves: tuple[Any, ...]
    is_traced: tuple[bool, ...]
    treedef: Any
    key: Fingerprint
    kind: str
    why: str

    @property
    def traced(self) -> list[Any]:
        """The leaves that become arguments of the compiled program, in order."""
        return [leaf for leaf, traced in zip(self.leaves, self.is_traced, strict=True) if traced]

    def rebuild(self, traced: Sequence[Any]) -> Any:
        """The value with its traced leaves replaced; containers are new, static leaves the same objects."""
        given = iter(traced)
        leaves = [
            next(given) if is_traced else leaf
            for leaf, is_traced in zip(self.leaves, self.is_traced, strict=True)
        ]
        return tree_util.tree_unflatten(self.treedef, leaves)

    def without_arrays(self) -> Binding:
        """The same without the traced leaves: a kept program must not keep the user's data alive."""
        leaves = tuple(None if t else leaf for leaf, t in zip(self.leaves, self.is_traced, strict=True))
        return replace(self, leaves=leaves)


def bind(name: str, value: Any, choice: str | None = None) -> Binding:
    """Take the value of an input apart.

    ``choice`` is ``"static"`` or ``"traced"`` where an option of the magic overrules the rule.
    Raises TypeError if a value to be traced has no array form.
    """
    leaves, treedef = tree_util.tree_flatten(value)
    if choice == "static":
        flags, why = [False] * len(leaves), "--static"
    elif choice == "traced":
        flags, why = [_as_traced(name, leaf) for leaf in leaves], "--traced"
    else:
        flags = [is_traced(leaf) for leaf in leaves]
        why = _why(value, leaves, flags)
    kind = "static" if not any(flags) else "traced" if all(flags) else "mixed"
    single = is_leaf(treedef)
    parts = tuple(
        Fingerprint("aval", aval_key(leaf), describe(leaf) if single else "")
        if flag
        else (type(leaf), leaf)
        if type(leaf) in _PLAIN and not single  # a vocabulary of 50,000 words is compared at every run
        else fingerprint(leaf)
        for leaf, flag in zip(leaves, flags, strict=True)
    )
    text = parts[0].text if single and isinstance(parts[0], Fingerprint) else describe(value)
    key = Fingerprint(kind, (treedef, tuple(flags), parts), text)
    return Binding(name, tuple(leaves), tuple(flags), treedef, key, kind, why)


_LEAF = tree_util.tree_structure(0)


def is_leaf(treedef: Any) -> bool:
    """Whether a tree is one leaf; an empty list is not (``treedef_is_leaf`` counts nodes, and says it is)."""
    return bool(treedef == _LEAF)


def is_traced(leaf: Any) -> bool:
    """Whether a single value is traced by default."""
    if isinstance(leaf, bool | int | str | bytes | type | None):
        return False
    if isinstance(leaf, float | complex | jaxlab.Array | Tracer):
        return True
    if isinstance(leaf, np.ndarray | np.generic):
        return leaf.dtype.kind in _NUMERIC
    if callable(leaf) and not hasattr(leaf, "shape"):
        return False
    if hasattr(leaf, "__jax_array__") or hasattr(leaf, "__dlpack__"):
        return True
    if hasattr(leaf, "__array__") and not hasattr(leaf, "aval"):
        dtype = getattr(leaf, "dtype", None)
        return (dtype if isinstance(dtype, np.dtype) else np.asarray(leaf).dtype).kind in _NUMERIC
    return hasattr(leaf, "aval")


def _as_traced(name: str, leaf: Any) -> bool:
    if is_traced(leaf) or isinstance(leaf, bool | int):
        return True
    raise TypeError(
        f"--traced {name}: a value of type {type(leaf).__name__} has no array form; leave it static"
    )


def _why(value: Any, leaves: list[Any], flags: list[bool]) -> str:
    if len(leaves) == 1 and leaves[0] is value:
        what = "an array" if hasattr(value, "shape") else _article(type(value).__name__)
        what = "a reference" if isinstance(value, Ref) else what
        if value is None or isinstance(value, str | int):
            return f"{what} is static"
        return f"{what} is {'traced' if flags[0] else 'static'}"
    if not leaves:
        return f"{_article(type(value).__name__)} without leaves is static"
    if all(flags):
        return f"{_article(type(value).__name__)} of {len(leaves)} traced leaves"
    return f"{_article(type(value).__name__)} with {sum(flags)} of {len(leaves)} leaves traced"


def _article(noun: str) -> str:
    return f"{'an' if noun[:1].lower() in 'aeiou' else 'a'} {noun}"


def as_argument(leaf: Any) -> Any:
    """The leaf in a form that a compiled program takes."""
    if isinstance(leaf, jaxlab.Array | Tracer | np.ndarray | np.generic | float | complex | bool | int):
        return leaf
    if hasattr(leaf, "aval") or hasattr(leaf, "__jax_array__"):
        return leaf
    return np.asarray(leaf)


def aval_key(leaf: Any) -> tuple[Any, ...]:
    """Shape, dtype, weak type and placement of a traced leaf, hashable."""
    aval = aval_of(as_argument(leaf))
    committed = tuple(sorted(map(str, leaf.devices()))) if getattr(leaf, "committed", False) else ()
    if is_ref(aval):
        return (aval, committed)
    return (tuple(aval.shape), aval.dtype, bool(getattr(aval, "weak_type", False)), committed)


_SHOWN = 4  # entries of a container that a text names


def describe(value: Any) -> str:
    """One short text for a value: ``f32[3,4]``, ``3``, ``[{b: f32[10], w: f32[64,10]}, f32[]]``.

    >>> describe({"a": 1.5, "b": [2, "x"]})
    "{a: f32[], b: [2, 'x']}"
    """
    if is_traced(value):
        return aval_of(as_argument(value)).str_short()
    if type(value) is dict:
        return _enclosed("{", (f"{key}: {describe(entry)}" for key, entry in value.items()), len(value), "}")
    if type(value) in (list, tuple):
        opened, closed = "[]" if type(value) is list else "()"
        return _enclosed(opened, map(describe, value), len(value), closed)
    leaves, treedef = tree_util.tree_flatten(value)
    if is_leaf(treedef):
        return fingerprint(value).text
    return type(value).__name__ + _enclosed("(", map(describe, leaves), len(leaves), ")")


def _enclosed(opened: str, entries: Iterable[str], count: int, closed: str) -> str:
    shown = list(itertools.islice(entries, _SHOWN))
    if count > _SHOWN:
        shown.append(f"… {count} in all")
    return opened + ", ".join(shown) + closed
