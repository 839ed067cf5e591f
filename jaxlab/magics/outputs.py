"""What a cell leaves behind, in a form that passes through any stack of transformations.

Array leaves are the outputs of the compiled program.  All other leaves ride along as static data of the
output's tree, so that they come back from a cached run too.  An object that hides a traced value (a partial,
a closure, an instance) is taken apart around it and put together again with the concrete value.
"""

from __future__ import annotations

import copy
import functools
import types
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

import jaxlab
from jaxlab import tree_util
from jaxlab.core.trace import Tracer
from jaxlab.magics.reach import held_by, module_of
from jaxlab.runtime.references import Ref

_LIMIT = 20_000
_ATOMS = (
    int, float, complex, str, bytes, bool, type(None), types.ModuleType, types.CodeType, types.FrameType,
    types.BuiltinFunctionType, np.ndarray, np.generic,
)  # fmt: skip


Given = tuple[str, int]
"""An input and the place among its traced leaves."""
Inputs = Mapping[str, Sequence[Any]]
"""The traced leaves of the inputs of a run, by name."""


class Static:
    """A leaf that is not an array: a tree without leaves, equal to itself alone."""

    __slots__ = ("value",)

    def __init__(self, value: Any) -> None:
        self.value = value

    def thaw(self) -> Any:
        """The value; a mutable one as a copy, so that the next run of the program starts from what was
        traced.
        """
        if isinstance(self.value, np.ndarray | set | bytearray) or module_of(type(self.value)) == "__main__":
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


class Reference:
    """A mutable array: a new one with the value that the cell left in it, or an input's own.

    A program cannot return a reference.  ``given`` says which traced leaf of which input it is.
    """

    __slots__ = ("given", "value")

    def __init__(self, value: Any, given: Given | None = None) -> None:
        self.value, self.given = value, given

    def thaw(self, inputs: Inputs) -> Any:
        """The reference."""
        if self.given is not None:
            name, place = self.given
            return inputs[name][place]
        return jaxlab.new_ref(self.value)


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

    def thaw(self, inputs: Inputs = types.MappingProxyType({})) -> Any:
        """The value as the user knows it."""
        return tree_util.tree_unflatten(self.treedef, [_thaw_leaf(leaf, inputs) for leaf in self.leaves])


def _thaw_leaf(leaf: Any, inputs: Inputs) -> Any:
    if isinstance(leaf, Reference):
        return leaf.thaw(inputs)
    return leaf.thaw() if isinstance(leaf, Static | Opaque) else leaf


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


def thaw(frozen: Any, inputs: Inputs = types.MappingProxyType({})) -> Any:
    """The user's value of a `Frozen` or of tuples of them."""
    if isinstance(frozen, tuple):
        return tuple(thaw(part, inputs) for part in frozen)
    return frozen.thaw(inputs)


def is_array(leaf: Any) -> bool:
    """Whether a leaf is an array or a tracer, which compiled programs compute; NumPy's are constants of the
    trace.
    """
    return isinstance(leaf, jaxlab.Array | Tracer) and not isinstance(leaf, Ref)


def freeze(value: Any, namespace: dict[str, Any], given: Mapping[int, Given]) -> Frozen:
    """Take a value apart at the end of a trace; raises `HiddenTracerError` where it cannot be.

    ``given`` tells the references among the inputs by their identity.
    """
    leaves, treedef = tree_util.tree_flatten(value)
    return Frozen(
        [leaf if is_array(leaf) else _freeze_leaf(leaf, namespace, given) for leaf in leaves], treedef
    )


def _freeze_leaf(
    leaf: Any, namespace: dict[str, Any], given: Mapping[int, Given]
) -> Static | Opaque | Reference:
    if isinstance(leaf, Ref):
        return Reference(None, given[id(leaf)]) if id(leaf) in given else Reference(jaxlab.ref.get(leaf))
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
    return [item for item in _Graph(value, namespace).objects.values() if isinstance(item, Tracer)]


class _Graph:
    """The objects that a value is made of; classes and modules of libraries are not looked into."""

    def __init__(self, value: Any, namespace: dict[str, Any] | None = None) -> None:
        self.objects: dict[int, Any] = {}
        self._parents: dict[int, list[int]] = {}
        todo = [value]
        while todo and len(self.objects) < _LIMIT:
            item = todo.pop()
            if id(item) in self.objects:
                continue
            self.objects[id(item)] = item
            for child in _children(item):
                if child is not namespace and not isinstance(child, _ATOMS):
                    self._parents.setdefault(id(child), []).append(id(item))
                    todo.append(child)

    def above(self, ids: Iterable[int]) -> set[int]:
        """Those of the objects from which one of ``ids`` is reached."""
        found: set[int] = set()
        todo = list(ids)
        while todo:
            for parent in self._parents.get(todo.pop(), ()):
                if parent not in found:
                    found.add(parent)
                    todo.append(parent)
        return found


def _children(item: Any) -> list[Any]:
    if is_array(item) or isinstance(item, _Slot):
        return []
    if isinstance(item, types.FunctionType):
        return [item.__closure__, item.__defaults__, item.__kwdefaults__, item.__dict__]
    if isinstance(item, type):
        return list(vars(item).values()) if module_of(item) == "__main__" else []
    return held_by(item)


def _rebuild(value: Any, replaced: dict[int, Any]) -> Any:
    """A copy with some objects replaced, in which all that leads to none of them is shared.

    Functions on the way are copied too, with their closures; ``copy.deepcopy`` would share them.
    """
    graph = _Graph(value)
    way = graph.above(replaced)
    memo: dict[int, Any] = {key: item for key, item in graph.objects.items() if key not in way} | replaced
    cells: dict[int, tuple[types.CellType, types.CellType]] = {}
    functions = [f for key, f in graph.objects.items() if key in way and isinstance(f, types.FunctionType)]
    for function in functions:
        for cell in function.__closure__ or ():
            cells.setdefault(id(cell), (cell, types.CellType()))
        closure = tuple(cells[id(cell)][1] for cell in function.__closure__ or ())
        twin = types.FunctionType(
            function.__code__, function.__globals__, function.__name__, None, closure or None
        )
        memo[id(function)] = functools.update_wrapper(twin, function, updated=())
        del twin.__wrapped__  # type: ignore[attr-defined]
    for old, new in cells.values():
        new.cell_contents = copy.deepcopy(old.cell_contents, memo)
    for function in functions:
        memo[id(function)].__defaults__ = copy.deepcopy(function.__defaults__, memo)
        memo[id(function)].__kwdefaults__ = copy.deepcopy(function.__kwdefaults__, memo)
        memo[id(function)].__dict__.update(copy.deepcopy(function.__dict__, memo))
    return copy.deepcopy(value, memo)


def register() -> None:
    """Make the classes of this file pytrees."""
    tree_util.register_pytree_node(Static, lambda x: ((), x), lambda aux, _: aux)
    tree_util.register_pytree_node(
        Opaque, lambda x: (tuple(x.held), x.skeleton), lambda aux, held: Opaque(held, aux)
    )
    tree_util.register_pytree_node(
        Reference, lambda x: ((x.value,), x.given), lambda aux, values: Reference(values[0], aux)
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
