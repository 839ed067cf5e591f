"""The inputs of a cell as the keyword arguments of its program, so that every stage calls them by their names.

The leaves of ``params`` are ``params['w']`` and ``params['b']`` in errors, in jaxprs' debug information and in
the optimised HLO.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from jaxlab import tree_util
from jaxlab.magics.values import Binding

Named = dict[str, "Leaves"]


@dataclass(frozen=True, slots=True)
class _Path:
    """The way to a leaf as one key, which is printed as it was found."""

    text: str

    def __str__(self) -> str:
        return self.text


class Leaves:
    """The traced leaves of one input; a tree whose keys are the paths of these leaves in the input."""

    __slots__ = ("leaves", "paths")

    def __init__(self, leaves: Iterable[Any], paths: tuple[_Path, ...]) -> None:
        self.leaves, self.paths = list(leaves), paths


def namer(bindings: Mapping[str, Binding]) -> Callable[[Mapping[str, list[Any]]], Named]:
    """A function that gives ``{name: [traced leaves]}`` as ``{name: Leaves}``, for these inputs."""
    paths = {name: _paths(binding) for name, binding in bindings.items()}
    return lambda traced: {name: Leaves(leaves, paths[name]) for name, leaves in traced.items()}


def _paths(binding: Binding) -> tuple[_Path, ...]:
    numbers = tree_util.tree_unflatten(binding.treedef, range(len(binding.leaves)))
    return tuple(
        _Path(tree_util.keystr(path))
        for path, number in tree_util.tree_leaves_with_path(numbers)
        if binding.is_traced[number]
    )


tree_util.register_pytree_with_keys(
    Leaves,
    lambda x: (tuple(zip(x.paths, x.leaves, strict=True)), x.paths),
    lambda paths, leaves: Leaves(leaves, paths),
    lambda x: (x.leaves, x.paths),
)
