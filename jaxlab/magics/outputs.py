"""What a cell leaves behind, in a form that passes through any stack of transformations.

Array leaves are the outputs of the compiled program.  All other leaves ride along as static data of the
output's tree, so that they come back from a cached run too.  An object that hides a traced value (a partial,
a closure, an instance) is taken apart around it and put together again with the concrete value.
"""

from __future__ import annotations

import copy
import functools
import gc
import types
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

import jaxlab
from jaxlab import tree_util
from jaxlab.core.trace import Tracer

_LIMIT = 20_000
_ATOMS = (
    int, float, complex, str, bytes, bool, type(None), types.ModuleType, types.CodeType, types.FrameType,
    types.BuiltinFunctionType, np.ndarray, np.generic,
)  # fmt: skip


class Static:
    """A leaf that is not an array: a tree without leaves, equal to itself alone."""

    __slots__ = ("value",)

    def __init__(self, value: Any) -> None:
        self.value = value

    def thaw(self) -> Any:
        """The value; a mutable one as a copy, so that the next run of the program starts from what was
        traced.
        """
        if isinstance(self.value, np.ndarray | set | bytearray) or type(self.value).__module__ == "__main__":
            try:
                return copy.deepcopy(self.value)
            except Exception:  # a user's __deepcopy__ may raise anything; the object itself is the next best
                return self.value
        return self.value


class Opaque:
    """An object of no known tree that holds traced values: its skeleton, and the values as children."""

    __slots__ = ("held", "skeleton")

    def __init__(self, held: Sequence[Any], skeleton: _Skeleton) -> None:
        self.held, self.skeleton = held, skeleton

    def thaw(self) -> Any:
        """The object, rebuilt around the concrete values."""
        slots = self.skeleton.slots
        return _rebuild(self.skeleton.value, {id(s): v for s, v in zip(slots, self.held, strict=True)})


class _Slot:
    """Stands in a skeleton where a traced value was."""


@dataclass(eq=False)
class _Skeleton:
    value: Any
    slots: list[_Slot]


class Frozen:
    """A value as its leaves (arrays, `Static`, `Opaque`) and its tree."""

    __slots__ = ("leaves", "treedef")

    def __init__(self, leaves: Sequence[Any], treedef: Any) -> None:
        self.leaves, self.treedef = tuple(leaves), treedef

    def thaw(self) -> Any:
        """The value as the user knows it."""
        leaves = [leaf.thaw() if isinstance(leaf, Static | Opaque) else leaf for leaf in self.leaves]
        return tree_util.tree_unflatten(self.treedef, leaves)


@dataclass
class Outcome:
    """All that a cell leaves: the value of its last expression and its names.

    ``mutated`` are inputs whose containers the cell changed in place, ``deleted`` names that it deleted.
    ``value`` is a `Frozen`, a tuple of such, or None if the cell does not end in an expression.
    """

    value: Any
    names: dict[str, Any] = field(default_factory=dict)
    mutated: tuple[str, ...] = ()
    deleted: tuple[str, ...] = ()


class HiddenTracerError(TypeError):
    """A traced value sits in an object that cannot be rebuilt around its concrete value."""


def thaw(frozen: Any) -> Any:
    """The user's value of a `Frozen` or of tuples of them."""
    return tuple(thaw(part) for part in frozen) if isinstance(frozen, tuple) else frozen.thaw()


def is_array(leaf: Any) -> bool:
    """Whether a leaf is an array or a tracer, which compiled programs compute; NumPy's are constants of the
    trace.
    """
    return isinstance(leaf, jaxlab.Array)


def freeze(value: Any, namespace: dict[str, Any]) -> Frozen:
    """Take a value apart at the end of a trace; raises `HiddenTracerError` where it cannot be."""
    leaves, treedef = tree_util.tree_flatten(value)
    return Frozen([leaf if is_array(leaf) else _freeze_leaf(leaf, namespace) for leaf in leaves], treedef)


def _freeze_leaf(leaf: Any, namespace: dict[str, Any]) -> Static | Opaque:
    tracers = tracers_in(leaf, namespace)
    if not tracers:
        return Static(leaf)
    slots = [_Slot() for _ in tracers]
    try:
        skeleton = _rebuild(leaf, {id(t): s for t, s in zip(tracers, slots, strict=True)})
    except Exception as error:
        raise HiddenTracerError(type(leaf).__name__) from error
    if skeleton is leaf:
        raise HiddenTracerError(type(leaf).__name__)
    return Opaque(tracers, _Skeleton(skeleton, slots))


def tracers_in(value: Any, namespace: dict[str, Any]) -> list[Any]:
    """The traced values that an object holds, however deep."""
    if isinstance(value, _ATOMS):
        return []
    return [item for item in _inside(value, namespace) if isinstance(item, Tracer)]


def _inside(value: Any, namespace: dict[str, Any] | None) -> list[Any]:
    """The objects that a value is made of; classes and functions of libraries are not looked into."""
    seen: dict[int, Any] = {}
    todo = [value]
    while todo and len(seen) < _LIMIT:
        item = todo.pop()
        if isinstance(item, _ATOMS) or id(item) in seen or item is namespace:
            continue
        seen[id(item)] = item
        if is_array(item):
            continue
        if isinstance(item, types.FunctionType):
            todo += [item.__closure__, item.__defaults__, item.__kwdefaults__, item.__dict__]
        elif isinstance(item, type):
            if item.__module__ == "__main__":
                todo += vars(item).values()
        else:
            todo += gc.get_referents(item)
            todo.append(getattr(item, "__wrapped__", None))
    return list(seen.values())


def _rebuild(value: Any, replaced: dict[int, Any]) -> Any:
    """A deep copy with some objects replaced; functions are copied too, which deepcopy shares."""
    memo: dict[int, Any] = dict(replaced)
    cells: dict[int, tuple[types.CellType, types.CellType]] = {}
    functions = [f for f in _inside(value, None) if isinstance(f, types.FunctionType) and _has_state(f)]
    for function in functions:
        for cell in function.__closure__ or ():
            cells.setdefault(id(cell), (cell, types.CellType()))
        closure = tuple(cells[id(cell)][1] for cell in function.__closure__ or ())
        twin = types.FunctionType(
            function.__code__, function.__globals__, function.__name__, None, closure or None
        )
        memo[id(function)] = functools.update_wrapper(twin, function, updated=())
        if not hasattr(function, "__wrapped__"):
            del twin.__wrapped__  # type: ignore[attr-defined]
    for old, new in cells.values():
        new.cell_contents = copy.deepcopy(old.cell_contents, memo)
    for function in functions:
        memo[id(function)].__defaults__ = copy.deepcopy(function.__defaults__, memo)
        memo[id(function)].__kwdefaults__ = copy.deepcopy(function.__kwdefaults__, memo)
        memo[id(function)].__dict__.update(copy.deepcopy(function.__dict__, memo))
    if isinstance(value, functools.partial):  # its own __reduce__ would share the function
        arguments = copy.deepcopy((value.func, value.args, value.keywords), memo)
        return functools.partial(arguments[0], *arguments[1], **arguments[2])
    return copy.deepcopy(value, memo)


def _has_state(function: types.FunctionType) -> bool:
    return bool(function.__closure__ or function.__defaults__ or function.__kwdefaults__ or function.__dict__)


def register() -> None:
    """Make the classes of this file pytrees."""
    tree_util.register_pytree_node(Static, lambda x: ((), x), lambda aux, _: aux)
    tree_util.register_pytree_node(
        Opaque, lambda x: (tuple(x.held), x.skeleton), lambda aux, held: Opaque(held, aux)
    )
    tree_util.register_pytree_node(
        Frozen, lambda x: (x.leaves, x.treedef), lambda aux, leaves: Frozen(leaves, aux)
    )
    tree_util.register_pytree_node(
        Outcome,
        lambda x: ((x.value, x.names), (x.mutated, x.deleted)),
        lambda aux, children: Outcome(children[0], children[1], *aux),
    )


register()
