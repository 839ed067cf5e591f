"""Pytrees under their long names (`tree_map`, ...), the registration of classes, and `Partial`.

>>> from jaxlab.tree_util import tree_map, Partial
>>> tree_map(len, {"a": "xy"})
{'a': 2}
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable, Hashable, Iterable, Sequence
from typing import Any, TypeVar

from jaxlib._jax import pytree
from jaxlib._jax.pytree import DictKey, FlattenedIndexKey, GetAttrKey, PyTreeDef, SequenceKey

from jaxlab import tree
from jaxlab.tree import (
    KeyPath,
    broadcast_prefix,
    dispatch_registry,
    flatten_one_level,
    flatten_one_level_with_keys,
    keystr,
    register_pytree_node,
    registry,
)

T = TypeVar("T", bound=type)

# What a path is made of: any hashable value may be a key.
KeyEntry = TypeVar("KeyEntry", bound=Hashable)

# The registry of the nodes known here: it is not that of jax in the same process.
default_registry = registry

tree_all = tree.all
tree_broadcast = tree.broadcast
tree_flatten = tree.flatten
tree_flatten_with_path = tree.flatten_with_path
tree_leaves = tree.leaves
tree_leaves_with_path = tree.leaves_with_path
tree_map = tree.map
tree_map_with_path = tree.map_with_path
tree_reduce = tree.reduce
tree_reduce_associative = tree.reduce_associative
tree_structure = tree.structure
tree_transpose = tree.transpose
tree_unflatten = tree.unflatten


# Structures.


def treedef_tuple(treedefs: Iterable[PyTreeDef]) -> PyTreeDef:
    """The structure of a tuple whose entries have these structures."""
    return pytree.treedef_tuple(registry, list(treedefs))


def treedef_children(treedef: PyTreeDef) -> list[PyTreeDef]:
    """The structures of the children of the root."""
    return treedef.children()


def treedef_is_leaf(treedef: PyTreeDef) -> bool:
    """Whether the structure is a single node: a leaf, or an empty container."""
    return bool(treedef.num_nodes == 1)


def all_leaves(iterable: Iterable[Any], is_leaf: Callable[[Any], bool] | None = None) -> bool:
    """Whether every element of `iterable` is a leaf: `all_leaves([1, [2]])` is False."""
    if is_leaf is None:
        return bool(pytree.all_leaves(registry, iterable))
    elements = list(iterable)
    found = tree.leaves(elements, is_leaf)
    return len(found) == len(elements) and all(a is b for a, b in zip(found, elements))


def build_tree(treedef: PyTreeDef, xs: Any) -> Any:
    """The tree with this structure whose leaves are given as nested iterables of the same nesting.

    >>> build_tree(tree.structure({"a": 0, "b": (0,)}), [1, [2]])
    {'a': 1, 'b': (2,)}
    """
    return treedef.from_iterable_tree(xs)


def is_tree_node(typ: type) -> bool:
    """Whether values of this type are nodes; all others are leaves."""
    return bool(registry.is_node(typ))


# Registration.


def register_pytree_node_class(cls: T) -> T:
    """Decorator: make a class a node through its methods `tree_flatten(self)` and `tree_unflatten(cls, aux,
    children)`.

    >>> @register_pytree_node_class
    ... class Pair:
    ...     def __init__(self, *both): self.both = both
    ...     def tree_flatten(self): return self.both, None
    ...     @classmethod
    ...     def tree_unflatten(cls, aux, both): return cls(*both)
    >>> tree.leaves(Pair(1, (2, 3)))
    [1, 2, 3]
    """
    methods = _methods(cls, "tree_flatten")
    register_pytree_node(cls, methods.tree_flatten, methods.tree_unflatten)
    return cls


def register_pytree_with_keys(
    nodetype: type,
    flatten_with_keys: Callable[[Any], tuple[Iterable[tuple[Any, Any]], Hashable]],
    unflatten_func: Callable[[Any, Any], Any],
    flatten_func: Callable[[Any], tuple[Iterable[Any], Hashable]] | None = None,
) -> None:
    """Make `nodetype` a node whose children have keys: `flatten_with_keys(node)` gives ((key, child) pairs,
    aux).

    `flatten_func`, giving (children, aux), is faster where paths are not needed.
    """

    def without_keys(node: Any) -> tuple[Iterable[Any], Hashable]:
        pairs, aux = flatten_with_keys(node)
        return [child for _, child in pairs], aux

    register_pytree_node(nodetype, flatten_func or without_keys, unflatten_func, flatten_with_keys)


def register_pytree_with_keys_class(cls: T) -> T:
    """Decorator: as `register_pytree_node_class`, by the method `tree_flatten_with_keys`."""
    methods = _methods(cls, "tree_flatten_with_keys")
    register_pytree_with_keys(
        cls,
        methods.tree_flatten_with_keys,
        methods.tree_unflatten,
        getattr(cls, "tree_flatten", None),
    )
    return cls


def _methods(cls: Any, flatten: str) -> Any:
    for name in (flatten, "tree_unflatten"):
        if not hasattr(cls, name):
            raise AttributeError(
                f"register a pytree class: {cls!r} was given, but it has no method {name}; define it"
            )
    return cls


def register_dataclass(
    nodetype: T,
    data_fields: Sequence[str] | None = None,
    meta_fields: Sequence[str] | None = None,
    drop_fields: Sequence[str] = (),
) -> T:
    """Make a dataclass a node: `data_fields` are its children, `meta_fields` part of the structure
    (hashable).

    Without the two lists, the fields marked `static()` are the structure and all others children. Any other
    class is rebuilt as `nodetype(**fields)`. TypeError if one list is missing, ValueError if they do not fit
    the dataclass.

        >>> @register_dataclass
        ... @dataclasses.dataclass
        ... class Layer:
        ...     weight: float
        ...     name: str = tree.static(default="w")
        >>> tree.flatten(Layer(1.0))
        ([1.0], PyTreeDef(CustomNode(Layer[('w',)], [*])))
    """
    is_dataclass = isinstance(nodetype, type) and dataclasses.is_dataclass(nodetype)
    if (data_fields is None) != (meta_fields is None):
        given = "data_fields" if meta_fields is None else "meta_fields"
        raise TypeError(
            f"register_dataclass: {given} alone was given, but both lists are needed; or give neither"
        )
    if data_fields is None or meta_fields is None:
        if not is_dataclass:
            raise TypeError(
                f"register_dataclass: {nodetype!r} was given, but it is no dataclass; pass data_fields and "
                "meta_fields"
            )
        fields = [f for f in dataclasses.fields(nodetype) if f.name not in drop_fields]
        meta_fields = [f.name for f in fields if f.metadata.get("static", False)]
        data_fields = [f.name for f in fields if not f.metadata.get("static", False)]
    if both := set(data_fields) & set(meta_fields):
        raise ValueError(
            f"register_dataclass: {_names(both)} in both data_fields and meta_fields; choose one"
        )
    if is_dataclass:
        needed = {f.name for f in dataclasses.fields(nodetype) if f.init} - set(drop_fields)
        given_fields = {*data_fields, *meta_fields}
        if missing := needed - given_fields:
            raise ValueError(
                f"register_dataclass: {_names(missing)} in neither list, but {nodetype.__name__}'s "
                "constructor takes it; "
                "add it to one of them, or to drop_fields"
            )
        if extra := given_fields - needed:
            raise ValueError(
                f"register_dataclass: {_names(extra)} in the lists, but {nodetype.__name__}'s constructor "
                "does not take it; "
                "leave it out, or declare it with init=True"
            )
    registry.register_dataclass_node(nodetype, list(data_fields), list(meta_fields))
    dispatch_registry.register_dataclass_node(nodetype, list(data_fields), list(meta_fields))
    return nodetype


def _names(fields: Iterable[str]) -> str:
    names = sorted(fields)
    return f"{' and '.join(map(repr, names))} {'is' if len(names) == 1 else 'are'}"


def register_static(cls: T) -> T:
    """Decorator: values of this class are structure, with no leaves; they must be hashable and comparable.

    >>> @register_static
    ... class Mode(str):
    ...     pass
    >>> tree.leaves([Mode("fast"), 1])
    [1]
    """
    register_pytree_node(cls, lambda value: ((), value), lambda value, _: value, lambda value: ((), value))
    return cls


class _Callable:
    """Hides a `functools.partial` from another, which would merge with it; compares as its function."""

    __slots__ = ("fun",)

    def __init__(self, fun: Callable[..., Any]) -> None:
        self.fun = fun

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self.fun(*args, **kwargs)

    def __hash__(self) -> int:
        return hash(self.fun)

    def __eq__(self, other: object) -> bool:
        return self.fun == other.fun if isinstance(other, _Callable) else self.fun == other

    def __repr__(self) -> str:
        return repr(self.fun)


class Partial(functools.partial):
    """`functools.partial` as a tree: the bound arguments are its children, the function is structure.

    A `Partial` can so be an argument of a jitted function, which is traced anew for another function, not
    for other bound arguments. (Of a `Partial` of a `Partial`, the inner
    one's arguments are structure.)

        >>> add = Partial(lambda x, y: x + y, 1)
        >>> tree.leaves(add), add(2)
        ([1], 3)
    """

    def __new__(cls, func: Callable[..., Any], *args: Any, **kwargs: Any) -> Partial:
        if isinstance(func, functools.partial):
            func = _Callable(func)
        return super().__new__(cls, func, *args, **kwargs)


register_pytree_node(
    Partial,
    lambda p: ((p.args, p.keywords), p.func),
    lambda func, children: Partial(func, *children[0], **children[1]),
)

__all__ = [
    "DictKey",
    "FlattenedIndexKey",
    "GetAttrKey",
    "KeyEntry",
    "KeyPath",
    "Partial",
    "PyTreeDef",
    "SequenceKey",
    "all_leaves",
    "broadcast_prefix",
    "build_tree",
    "default_registry",
    "flatten_one_level",
    "flatten_one_level_with_keys",
    "is_tree_node",
    "keystr",
    "register_dataclass",
    "register_pytree_node",
    "register_pytree_node_class",
    "register_pytree_with_keys",
    "register_pytree_with_keys_class",
    "register_static",
    "tree_all",
    "tree_broadcast",
    "tree_flatten",
    "tree_flatten_with_path",
    "tree_leaves",
    "tree_leaves_with_path",
    "tree_map",
    "tree_map_with_path",
    "tree_reduce",
    "tree_reduce_associative",
    "tree_structure",
    "tree_transpose",
    "tree_unflatten",
    "treedef_children",
    "treedef_is_leaf",
    "treedef_tuple",
]
