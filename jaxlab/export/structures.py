"""Structures of pytrees as plain data, so that they can be written to a file and read by another process."""

from __future__ import annotations

import base64
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from jaxlab import tree

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class _NodeFormat:
    """How nodes of one type are written."""

    name: str
    node_type: type
    write: Callable[[Any], bytes]
    read: Callable[[bytes], Any]
    build: Callable[[Any, Sequence[Any]], Any] | None


_by_type: dict[type, _NodeFormat] = {}
_by_name: dict[str, _NodeFormat] = {}


def register_pytree_node_serialization(
    nodetype: type[T],
    *,
    serialized_name: str,
    serialize_auxdata: Callable[[Any], bytes],
    deserialize_auxdata: Callable[[bytes], Any],
    from_children: Callable[[Any, Sequence[Any]], Any] | None = None,
) -> type[T]:
    """Let nodes of a registered type stand in the arguments and results of exported functions.

    Args:
      nodetype: the type, registered as a pytree node.
      serialized_name: what to call it in a file; the reading process registers its type under the same name.
      serialize_auxdata, deserialize_auxdata: the node's auxiliary data as bytes, and back.
      from_children: ``from_children(aux, children)`` makes a node; by default the way of its registration.

    Returns:
      ``nodetype``, so that this can decorate.

    Raises:
      ValueError: if the type, or the name, is registered already.
    """
    for known, what in ((_by_type.get(nodetype), "type"), (_by_name.get(serialized_name), "name")):
        if known is not None:
            raise ValueError(
                f"register_pytree_node_serialization: {nodetype.__name__} was given as {serialized_name!r}, but that "
                f"{what} is registered already, as {known.name!r} for {known.node_type.__name__}; register it once"
            )
    node = _NodeFormat(serialized_name, nodetype, serialize_auxdata, deserialize_auxdata, from_children)
    _by_type[nodetype] = _by_name[serialized_name] = node
    return nodetype


def register_namedtuple_serialization(nodetype: type[T], *, serialized_name: str) -> type[T]:
    """Let named tuples of a class stand in the arguments and results of exported functions.

    Args:
      nodetype: the class.
      serialized_name: what to call it in a file; the reading process registers its class under the same name.

    Raises:
      ValueError: if ``nodetype`` is no class of named tuples, or it or the name is registered already.

    >>> import collections
    >>> Point = collections.namedtuple("Point", "x y")
    >>> register_namedtuple_serialization(Point, serialized_name="doc.Point") is Point
    True
    """
    if not (issubclass(nodetype, tuple) and hasattr(nodetype, "_fields")):
        raise ValueError(
            f"register_namedtuple_serialization: {nodetype.__name__} was given, but a class of named tuples is "
            "needed; use register_pytree_node_serialization for others"
        )
    make: Any = nodetype

    def write(aux: Any) -> bytes:
        return b""

    return register_pytree_node_serialization(
        nodetype,
        serialized_name=serialized_name,
        serialize_auxdata=write,
        deserialize_auxdata=lambda data: nodetype,
        from_children=lambda aux, children: make(*children),
    )


def to_data(treedef: Any) -> Any:
    """A structure as lists, texts and numbers: what JSON can hold.

    Raises:
      ValueError: if it holds a node of a type that is not registered for this, or a dict with keys that are no
        texts, numbers or booleans.
    """
    node = treedef.node_data()
    if node is None:
        return "*"
    kind, aux = node
    children = [to_data(child) for child in treedef.children()]
    if kind is type(None):
        return None
    if kind is tuple or kind is list:
        return [kind.__name__, children]
    if kind is dict:
        for key in aux:
            if not isinstance(key, str | int | float | bool):
                raise ValueError(
                    f"serialize: a dict with the key {key!r} of type {type(key).__name__} is in the arguments or "
                    "results, but keys must be strings, numbers or booleans; use such keys"
                )
        return ["dict", list(aux), children]
    known = _by_type.get(kind)
    if known is None:
        named = hasattr(kind, "_fields")
        register = "register_namedtuple_serialization" if named else "register_pytree_node_serialization"
        raise ValueError(
            f"serialize: a node of type {kind.__name__} is in the arguments or results, but how it is written is not "
            f"known; call jaxlab.export.{register}({kind.__name__}, serialized_name=...)"
        )
    written = base64.b64encode(bytes(known.write(aux))).decode()
    return ["node", known.name, written, children]


def from_data(data: Any) -> Any:
    """The structure that `to_data` wrote.

    Raises:
      ValueError: if it is no such data, or names a node type that is not registered here.
    """
    if data == "*":
        return tree.structure(0)
    if data is None:
        return tree.structure(None)
    if not isinstance(data, list) or not data or data[0] not in ("tuple", "list", "dict", "node"):
        raise ValueError("deserialize: the structure of the arguments or results is not readable")
    children = [from_data(child) for child in data[-1]]
    if data[0] == "node":
        _, name, written, _ = data
        known = _by_name.get(name)
        if known is None:
            raise ValueError(
                f"deserialize: a node called {name!r} is in the arguments or results, but no type is registered "
                "under that name; call jaxlab.export.register_pytree_node_serialization first"
            )
        aux = known.read(base64.b64decode(written))
        if known.build is not None:
            return _structure_around(children, lambda inner: known.build(aux, inner))  # type: ignore[misc]
        return tree.PyTreeDef.from_node_data_and_children(tree.registry, (known.node_type, aux), children)
    if data[0] == "dict":
        return _structure_around(children, lambda inner: dict(zip(data[1], inner, strict=True)))
    return _structure_around(children, tuple if data[0] == "tuple" else list)


def _structure_around(children: Sequence[Any], build: Callable[[Sequence[Any]], Any]) -> Any:
    return tree.structure(build([child.unflatten(range(child.num_leaves)) for child in children]))
