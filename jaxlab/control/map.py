"""``map``: a function of one slice applied to all, one after another or in batches."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from jaxlab import tree
from jaxlab.control.bodies import MadeOf, leaf_paths, whole_number
from jaxlab.control.scan import scan
from jaxlab.core.aval import aval_of
from jaxlab.core.axes import MappedAxis
from jaxlab.interpreters.batching import batch_flat, move_to
from jaxlab.interpreters.functions import FlatFunction
from jaxlab.primitives.concatenation import concatenate
from jaxlab.primitives.reshaping import reshape
from jaxlab.primitives.slicing import slice


def map(f: Callable[[Any], Any], xs: Any, *, batch_size: int | None = None) -> Any:
    """``f`` on each slice along the leading axis, stacked: one after another, or so many at once.

    Args:
      f: from a slice to a pytree of arrays.
      xs: a pytree of arrays with leading axes of one size.
      batch_size: how many slices `vmap` takes together; a rest is done after the loop. 0 is for all of them.

    Returns:
      The results, stacked along a new leading axis.

    Raises:
      TypeError: if ``f`` is no function.
      ValueError: if the leading axes differ, or ``xs`` has no arrays.

    >>> map(lambda x: x * x, jnp.arange(3.0))
    Array([0., 1., 4.], dtype=float32)
    >>> map(lambda x: x * x, jnp.arange(5.0), batch_size=2)
    Array([ 0.,  1.,  4.,  9., 16.], dtype=float32)
    """
    if not callable(f):
        raise TypeError(f"map: f is a {type(f).__name__}, but a function of one slice is needed")
    if batch_size is None:
        return scan(_Mapped(f), (), xs)[1]
    leaves, structure = tree.flatten(xs)
    size = _size(leaves, structure)
    batch = whole_number("map", "batch_size", batch_size, "give how many slices to take together")
    if batch < 0:
        raise ValueError(
            f"map: batch_size is {batch}, but it must not be negative; 0 is for one batch of all"
        )
    mapped = _Batched(f)
    count = size // batch if batch else 0
    done = count * batch
    if not count:
        return mapped(xs)
    batches = [reshape(_part(x, 0, done), (count, batch, *aval_of(x).shape[1:])) for x in leaves]
    rest = [_part(x, done, size) for x in leaves] if done < size else None
    stacks = scan(_Mapped(mapped), (), structure.unflatten(batches))[1]
    if rest is None:
        return tree.map(_flat, stacks)
    last = mapped(structure.unflatten(rest))
    return tree.map(lambda x, y: concatenate([_flat(x), y], 0), stacks, last)


@dataclass(frozen=True, slots=True)
class _Mapped(MadeOf):
    """A step that carries nothing; equal to others of the same function, so that it is traced once."""

    def __call__(self, _: Any, x: Any) -> tuple[tuple[()], Any]:
        return (), self.func(x)


@dataclass(frozen=True, slots=True)
class _Batched(MadeOf):
    """A function on the slices of a stack at once."""

    def __call__(self, xs: Any) -> Any:
        leaves, in_tree = tree.flatten(((xs,), {}))
        flat = FlatFunction(self.func, in_tree)
        size = aval_of(leaves[0]).shape[0]
        out, dims = batch_flat(flat, MappedAxis(size), leaves, [0] * len(leaves))
        stacks = [move_to(x, d, 0, size) for x, d in zip(out, dims, strict=True)]
        return tree.unflatten(flat.out_tree, stacks)


def _size(leaves: Sequence[Any], structure: Any) -> int:
    sizes = []
    for path, x in zip(leaf_paths(structure), leaves, strict=True):
        shape = aval_of(x).shape
        if not shape:
            raise ValueError(
                f"map: xs{path} is a scalar, but map goes over the leading axis of arrays; give an array"
            )
        sizes.append((path, shape[0]))
    if not sizes:
        raise ValueError("map: xs has no arrays, but at least one is needed; give an array to go over")
    for path, size in sizes:
        if size != sizes[0][1]:
            raise ValueError(
                f"map: xs{sizes[0][0]} has {sizes[0][1]} slices and xs{path} has {size}, but all must have as many; "
                "cut or repeat one of them"
            )
    return sizes[0][1]


def _part(x: Any, start: int, stop: int) -> Any:
    """These slices; the array itself if they are all."""
    shape = aval_of(x).shape
    if start == 0 and stop == shape[0]:
        return x
    return slice(x, (start, *[0] * (len(shape) - 1)), (stop, *shape[1:]))


def _flat(x: Any) -> Any:
    """The first two axes as one."""
    shape = aval_of(x).shape
    return reshape(x, (shape[0] * shape[1], *shape[2:]))
