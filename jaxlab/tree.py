"""Pytrees: nested containers seen as a flat list of leaves and a structure.

The nodes known from the start are tuples, lists, dicts (keys sorted), None, named tuples, OrderedDict and
defaultdict. The registry is jaxlab's own, so that a class may be a node here and something else for another
library in the same process. The functions have `jax.tree`'s names; `jaxlab.tree_util` has the long ones, key
strings and `Partial`.

    >>> from jaxlab import tree
    >>> tree.map(lambda x: 10 * x, {"a": 1, "b": (2, None)})
    {'a': 10, 'b': (20, None)}
"""

from __future__ import annotations

import builtins
import dataclasses
import functools
from collections import OrderedDict, defaultdict
from collections.abc import Callable, Hashable, Iterable, Iterator
from typing import Any

from jaxlib._jax.pytree import (
    DictKey,
    FlattenedIndexKey,
    GetAttrKey,
    PyTreeDef,
    PyTreeRegistry,
    SequenceKey,
)

KeyPath = tuple[Any, ...]
Predicate = Callable[[Any], bool]

registry = PyTreeRegistry()

# What jaxlib's dispatch sees: as the registry, but arrays of random keys are nodes around their words.
dispatch_registry = PyTreeRegistry()

_MISSING: Any = object()


# The hot path: each of these is one frame around one call into C++.


def flatten(tree: Any, is_leaf: Predicate | None = None) -> tuple[list[Any], PyTreeDef]:
    """The leaves of a tree, left to right, and its structure; `unflatten` is the inverse.

    `is_leaf` is asked at every node and stops the descent where it is true. A dict whose keys cannot be
    ordered raises ValueError.

        >>> flatten({"b": 1, "a": (2, 3)})
        ([2, 3, 1], PyTreeDef({'a': (*, *), 'b': *}))
    """
    return registry.flatten(tree, is_leaf)


def leaves(tree: Any, is_leaf: Predicate | None = None) -> list[Any]:
    """The leaves of a tree, left to right: `leaves([1, (2, None)])` is `[1, 2]`."""
    return registry.flatten(tree, is_leaf)[0]


def structure(tree: Any, is_leaf: Predicate | None = None) -> PyTreeDef:
    """The structure of a tree without its leaves: `structure([1, 2])` prints as `PyTreeDef([*, *])`."""
    return registry.flatten(tree, is_leaf)[1]


def unflatten(treedef: PyTreeDef, leaves: Iterable[Any]) -> Any:
    """The tree with this structure and these leaves; ValueError if there are too many or too few of them.

    >>> unflatten(structure((0, [0])), "xy")
    ('x', ['y'])
    """
    return treedef.unflatten(leaves)


def map(f: Callable[..., Any], tree: Any, *rest: Any, is_leaf: Predicate | None = None) -> Any:
    """Apply `f` to each leaf of `tree`, and to what stands at the same place in every tree of `rest`.

    A tree of `rest` may be deeper than `tree`: `f` is then given the whole subtree. Any other difference
    raises a ValueError that names the place.

        >>> map(lambda x, y: x + y, [1, (2,)], [10, (20,)])
        [11, (22,)]
    """
    first, treedef = registry.flatten(tree, is_leaf)
    if not rest:
        return treedef.unflatten([f(x) for x in first])
    others = _flatten_rest("tree.map", treedef, tree, rest, is_leaf)
    return treedef.unflatten([f(*xs) for xs in zip(first, *others, strict=True)])


def _flatten_rest(
    op: str, treedef: PyTreeDef, tree: Any, rest: Iterable[Any], is_leaf: Predicate | None
) -> list[list[Any]]:
    flat = []
    for position, other in enumerate(rest, 2):
        try:
            flat.append(treedef.flatten_up_to(other))
        except ValueError as error:
            found = first_difference(tree, other, is_leaf)
            if found is None:
                raise
            path, one, two = found
            raise ValueError(
                f"{op}: {_place(path)} the first tree has {one}, but tree {position} has {two}; "
                "give trees of the same structure (a leaf of the first may stand for a whole subtree)"
            ) from error
    return flat


def all(tree: Any, *, is_leaf: Predicate | None = None) -> bool:
    """Whether every leaf is true; true for a tree with no leaves."""
    return builtins.all(registry.flatten(tree, is_leaf)[0])


def reduce(
    function: Callable[[Any, Any], Any],
    tree: Any,
    initializer: Any = _MISSING,
    is_leaf: Predicate | None = None,
) -> Any:
    """Fold the leaves from left to right, starting at `initializer` if there is one.

    A tree with no leaves and no initializer raises TypeError.

        >>> reduce(lambda total, x: total + x, {"a": 1, "b": [2, 3]})
        6
    """
    if initializer is _MISSING:
        return functools.reduce(function, leaves(tree, is_leaf))
    return functools.reduce(function, leaves(tree, is_leaf), initializer)


def reduce_associative(
    operation: Callable[[Any, Any], Any],
    tree: Any,
    *,
    identity: Any = _MISSING,
    is_leaf: Predicate | None = None,
) -> Any:
    """Fold the leaves as a balanced binary tree, so that n leaves make a chain of log2(n) operations.

    `identity` is the answer for a tree with no leaves, which raises TypeError without it.
    """
    flat = leaves(tree, is_leaf)
    if flat:
        return _halves(operation, flat)
    if identity is _MISSING:
        raise TypeError(
            "tree.reduce_associative: the tree has no leaves, but no identity was given; pass identity="
        )
    return identity


def _halves(operation: Callable[[Any, Any], Any], flat: list[Any]) -> Any:
    if len(flat) == 1:
        return flat[0]
    middle = len(flat) // 2
    return operation(_halves(operation, flat[:middle]), _halves(operation, flat[middle:]))


def transpose(outer_treedef: PyTreeDef, inner_treedef: PyTreeDef | None, pytree_to_transpose: Any) -> Any:
    """Turn a tree of trees inside out: an `outer` of `inner`s becomes an `inner` of `outer`s.

    With `inner_treedef=None` the structure of the first inner tree is taken. TypeError if the tree is not of
    that form.

        >>> transpose(structure([0, 0]), None, [{"a": 1, "b": 2}, {"a": 3, "b": 4}])
        {'a': [1, 3], 'b': [2, 4]}
    """
    if inner_treedef is None:
        inners = outer_treedef.flatten_up_to(pytree_to_transpose)
        if not inners:
            raise TypeError(
                "tree.transpose: the outer structure has no leaves, but inner_treedef is None; pass it"
            )
        inner_treedef = structure(inners[0])
    flat, actual = flatten(pytree_to_transpose)
    expected = outer_treedef.compose(inner_treedef)
    if actual != expected:
        raise TypeError(
            f"tree.transpose: the tree has structure {actual}, but outer and inner together are {expected}; "
            "every leaf of the outer structure must be one inner tree"
        )
    width = inner_treedef.num_leaves
    return inner_treedef.unflatten([outer_treedef.unflatten(flat[i::width]) for i in range(width)])


def broadcast(prefix_tree: Any, full_tree: Any, is_leaf: Predicate | None = None) -> Any:
    """The tree of `full_tree`'s structure in which each leaf of `prefix_tree` is repeated over the subtree
    it stands for.

    >>> broadcast(("x", "y"), ([1, 2], {"a": 3}))
    (['x', 'x'], {'a': 'y'})
    """
    return structure(full_tree).unflatten(broadcast_prefix(prefix_tree, full_tree, is_leaf))


def broadcast_prefix(
    prefix_tree: Any,
    full_tree: Any,
    is_leaf: Predicate | None = None,
    *,
    what: str = "tree.broadcast: the prefix",
) -> list[Any]:
    """The leaves of `prefix_tree`, each repeated for the leaves of `full_tree` it stands for, as a flat list.

    A ValueError names the place where `prefix_tree` is not a prefix, and calls it by `what` ("vmap:
    in_axes").
    """
    prefix, treedef = flatten(prefix_tree, is_leaf)
    try:
        subtrees = treedef.flatten_up_to(full_tree)
    except ValueError as error:
        found = first_difference(prefix_tree, full_tree, is_leaf)
        if found is None:
            raise
        path, one, two = found
        raise ValueError(
            f"{what} has {one} {_place(path)}, but the full tree has {two} there; "
            "give one leaf for the whole subtree, or a subtree of the same structure"
        ) from error
    counts = [structure(subtree).num_leaves for subtree in subtrees]
    return [leaf for leaf, count in zip(prefix, counts, strict=True) for _ in range(count)]


# Paths.


def leaves_with_path(
    tree: Any, is_leaf: Callable[..., bool] | None = None, is_leaf_takes_path: bool = False
) -> list[tuple[KeyPath, Any]]:
    """The leaves of a tree as (path, leaf), a path being the tuple of keys that leads to the leaf.

    `is_leaf` is called with a node, or with its path and the node if `is_leaf_takes_path`.
    """
    return flatten_with_path(tree, is_leaf, is_leaf_takes_path)[0]


def flatten_with_path(
    tree: Any, is_leaf: Callable[..., bool] | None = None, is_leaf_takes_path: bool = False
) -> tuple[list[tuple[KeyPath, Any]], PyTreeDef]:
    """As `flatten`, each leaf with the path that leads to it.

    >>> flatten_with_path({"a": [1]})[0]
    [((DictKey(key='a'), SequenceKey(idx=0)), 1)]
    """
    if is_leaf is None or is_leaf_takes_path:
        return registry.flatten_with_path(tree, is_leaf)
    predicate = is_leaf
    return registry.flatten_with_path(tree, lambda path, node: predicate(node))


def map_with_path(
    f: Callable[..., Any],
    tree: Any,
    *rest: Any,
    is_leaf: Callable[..., bool] | None = None,
    is_leaf_takes_path: bool = False,
) -> Any:
    """As `map`, with the leaf's path as the first argument of `f`.

    >>> map_with_path(lambda path, x: f"{keystr(path)} = {x}", {"a": [1]})
    {'a': ["['a'][0] = 1"]}
    """
    pairs, treedef = flatten_with_path(tree, is_leaf, is_leaf_takes_path)
    others = _flatten_rest("tree.map_with_path", treedef, tree, rest, None if is_leaf_takes_path else is_leaf)
    return treedef.unflatten([f(path, leaf, *xs) for (path, leaf), *xs in zip(pairs, *others, strict=True)])


def keystr(keys: KeyPath, *, simple: bool = False, separator: str = "") -> str:
    """A path as text, as one would write it in Python: `['a'][0].x`; `simple` leaves out brackets and dots.

    >>> keystr((DictKey("a"), SequenceKey(0)), simple=True, separator="/")
    'a/0'
    """
    return separator.join(builtins.map(_simple_key if simple else str, keys))


def _simple_key(key: Any) -> str:
    for attribute in ("key", "idx", "name"):
        if type(key) in _KEY_TYPES and hasattr(key, attribute):
            return str(getattr(key, attribute))
    return str(key)


_KEY_TYPES = frozenset({DictKey, SequenceKey, GetAttrKey, FlattenedIndexKey})


# One level at a time, and where two trees differ.


def flatten_one_level(tree: Any) -> tuple[Iterable[Any], Hashable]:
    """The children of a node and what else its type keeps (a dict's keys); ValueError for a leaf."""
    out = registry.flatten_one_level(tree)
    if out is None:
        raise ValueError(f"tree.flatten_one_level: a {type(tree).__name__} is a leaf, but a node is needed")
    return out


def flatten_one_level_with_keys(tree: Any) -> tuple[Iterable[tuple[Any, Any]], Hashable]:
    """As `flatten_one_level`, each child with its key."""
    out = registry.flatten_one_level_with_keys(tree)
    if out is None:
        raise ValueError(
            f"tree.flatten_one_level_with_keys: a {type(tree).__name__} is a leaf, but a node is needed"
        )
    if isinstance(tree, tuple) and hasattr(tree, "_fields") and out[1] is type(tree):
        # jaxlib 0.10.2 gives every child of a named tuple the first field's key here.
        return [(GetAttrKey(name), child) for name, child in zip(tree._fields, tree, strict=True)], out[1]
    return out


def first_difference(
    prefix: Any, full: Any, is_leaf: Predicate | None = None
) -> tuple[KeyPath, str, str] | None:
    """Where `prefix` is no prefix of `full`: (path, what stands in prefix, what stands in full), or None if
    it is one.

    >>> first_difference({"a": [1, 2]}, {"a": [1]})
    ((DictKey(key='a'),), 'a list of 2', 'a list of 1')
    """
    return next(_differences(prefix, full, is_leaf, False), None)


def differences(one: Any, other: Any) -> Iterator[tuple[KeyPath, str, str]]:
    """All places in which the structures of two trees differ, as (path, what the one has, what the other).

    >>> list(differences({"a": [1, 2], "b": 3}, {"a": [1], "b": (3,)}))
    [((DictKey(key='a'),), 'a list of 2', 'a list of 1'), ((DictKey(key='b'),), 'a leaf of type int', 'a tuple of 1')]
    """
    return _differences(one, other, None, True)


def _differences(
    one: Any, other: Any, is_leaf: Predicate | None, exact: bool
) -> Iterator[tuple[KeyPath, str, str]]:
    if (is_leaf is not None and is_leaf(one)) or not registry.is_node(type(one)):
        if exact and registry.is_node(type(other)):
            yield (), _describe(one), _describe(other)
        return
    if type(one) is not type(other):
        yield (), _describe(one), _describe(other)
        return
    pairs, data = flatten_one_level_with_keys(one)
    others, other_data = flatten_one_level(other)
    pairs, others = list(pairs), list(others)
    if len(pairs) != len(others):
        yield (), _describe(one, len(pairs)), _describe(other, len(others))
    elif data != other_data:
        name = type(one).__name__
        label = "with keys" if isinstance(one, dict) else "with static data"
        yield (), f"a {name} {label} {data!r}", f"a {name} {label} {other_data!r}"
    else:
        for (key, child), counterpart in zip(pairs, others, strict=True):
            for path, a, b in _differences(child, counterpart, is_leaf, exact):
                yield (key, *path), a, b


def _describe(node: Any, count: int | None = None) -> str:
    if node is None:
        return "None"
    if not registry.is_node(type(node)):
        # What stands for an array in a comparison of types says which.
        own = node.str_short() if hasattr(node, "str_short") else type(node).__name__
        return f"a leaf of type {own}"
    if isinstance(node, dict):
        return f"a {type(node).__name__} with keys {list(node)!r}"
    if count is None:
        count = len(list(flatten_one_level(node)[0]))
    return f"a {type(node).__name__} of {count}"


def _place(path: KeyPath) -> str:
    return f"at {keystr(path)}" if path else "at the root"


# Registration.


def register_pytree_node(
    nodetype: type,
    flatten_func: Callable[[Any], tuple[Iterable[Any], Hashable]],
    unflatten_func: Callable[[Any, Any], Any],
    flatten_with_keys_func: Callable[[Any], tuple[Iterable[tuple[Any, Any]], Hashable]] | None = None,
) -> None:
    """Make `nodetype` a node: `flatten_func(node)` gives (children, aux), `unflatten_func(aux, children)`
    the node.

    `aux` must be hashable and comparable: it is part of the structure. `flatten_with_keys_func` gives ((key,
    child) pairs, aux) and names the children in paths. ValueError if the type is a node already.

        >>> class Point:
        ...     def __init__(self, x, y): self.x, self.y = x, y
        >>> register_pytree_node(Point, lambda p: ((p.x, p.y), None), lambda _, xy: Point(*xy))
        >>> leaves(Point(1, 2))
        [1, 2]
    """
    registry.register_node(nodetype, flatten_func, unflatten_func, flatten_with_keys_func)
    dispatch_registry.register_node(nodetype, flatten_func, unflatten_func, flatten_with_keys_func)


def static(**kwargs: Any) -> Any:
    """A dataclass field that is part of the structure, not a child: `n: int = static(default=3)`."""
    return dataclasses.field(**{**kwargs, "metadata": {**(kwargs.get("metadata") or {}), "static": True}})


def _register_mappings() -> None:
    register_pytree_node(
        OrderedDict,
        lambda d: (list(d.values()), tuple(d)),
        lambda keys, values: OrderedDict(zip(keys, values, strict=True)),
        lambda d: (tuple((DictKey(k), v) for k, v in d.items()), tuple(d)),
    )

    def sorted_keys(d: defaultdict[Any, Any]) -> tuple[Any, ...]:
        return tuple(sorted(d))

    register_pytree_node(
        defaultdict,
        lambda d: ([d[k] for k in sorted_keys(d)], (d.default_factory, sorted_keys(d))),
        lambda aux, values: defaultdict(aux[0], zip(aux[1], values, strict=True)),
        lambda d: (tuple((DictKey(k), d[k]) for k in sorted_keys(d)), (d.default_factory, sorted_keys(d))),
    )


_register_mappings()
