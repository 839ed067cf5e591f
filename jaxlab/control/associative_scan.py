"""``associative_scan``: all partial results of an associative operation, in a logarithmic number of rounds."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from jaxlab import tree
from jaxlab.control.bodies import input_avals, leaf_paths, whole_number
from jaxlab.core.aval import aval_of
from jaxlab.primitives.arithmetic import add
from jaxlab.primitives.concatenation import concatenate, rev
from jaxlab.primitives.elementwise import scalar_like
from jaxlab.primitives.logic import bitwise_or
from jaxlab.primitives.slicing import pad, slice_in_dim


def associative_scan(fn: Callable[[Any, Any], Any], elems: Any, reverse: bool = False, axis: int = 0) -> Any:
    """The results of ``fn`` on all prefixes: ``e[0]``, ``fn(e[0], e[1])``, ``fn(fn(e[0], e[1]), e[2])``, ...

    ``fn`` is applied about twice as often as one after another, but to whole stacks at once, in about
    ``2 * log2(n)`` applications (the scan of Blelloch, "Prefix sums and their applications", 1990).

    Args:
      fn: an associative function of two pytrees like ``elems``, on stacks of elements along ``axis``: on all
        their pairs at once.
      elems: a pytree of arrays whose ``axis`` has one size.
      reverse: go from the last element to the first, so that results are those of the suffixes.
      axis: the axis along which the elements lie.

    Returns:
      A pytree like ``elems``.

    Raises:
      TypeError: if ``fn`` is no function, or returns another structure.
      ValueError: if the sizes differ, or there is no such axis.

    >>> associative_scan(jnp.add, jnp.arange(5))
    Array([ 0,  1,  3,  6, 10], dtype=int32)
    >>> associative_scan(jnp.maximum, jnp.array([1, 3, 2]), reverse=True)
    Array([3, 3, 2], dtype=int32)
    """
    if not callable(fn):
        raise TypeError(
            f"associative_scan: fn is a {type(fn).__name__}, but a function of two elements is needed"
        )
    leaves, structure = tree.flatten(elems)
    if not leaves:
        raise ValueError("associative_scan: elems has no arrays, but at least one is needed; give an array")
    axis = _place(leaves, structure, axis)

    def combine(first: Sequence[Any], second: Sequence[Any]) -> list[Any]:
        out = fn(structure.unflatten(first), structure.unflatten(second))
        results, own = tree.flatten(out)
        if own != structure:
            raise TypeError(
                f"associative_scan: fn must return the structure of elems, {structure}, but it returned {own}; "
                "return an element like its arguments"
            )
        return results

    def part(values: Sequence[Any], start: int, stop: int | None, stride: int = 1) -> list[Any]:
        return [slice_in_dim(x, start, stop, stride=stride, axis=axis) for x in values]

    def prefixes(values: Sequence[Any]) -> list[Any]:
        """Pairs are combined first: their prefixes are the results at odd places, and lead to the others."""
        size = aval_of(values[0]).shape[axis]
        if size < 2:
            return list(values)
        odd = prefixes(combine(part(values, 0, -1, 2), part(values, 1, None, 2)))
        even = combine(part(odd, 0, -1) if size % 2 == 0 else odd, part(values, 2, None, 2))
        even = [
            concatenate([first, rest], axis) for first, rest in zip(part(values, 0, 1), even, strict=True)
        ]
        return [_interleave(a, b, axis) for a, b in zip(even, odd, strict=True)]

    if reverse:
        leaves = [rev(x, (axis,)) for x in leaves]
    found = prefixes(leaves)
    if reverse:
        found = [rev(x, (axis,)) for x in found]
    return structure.unflatten(found)


def _place(leaves: Sequence[Any], structure: Any, axis: int) -> int:
    """The axis counted from the front, after a check that all have it, and as many elements along it."""
    avals = input_avals("associative_scan", "elems", leaves, structure)
    paths = leaf_paths(structure)
    axis = whole_number("associative_scan", "axis", axis, "give the number of an axis")
    ndim = len(avals[0].shape)
    if not -ndim <= axis < ndim:
        raise ValueError(
            f"associative_scan: axis is {axis}, but elems{paths[0]} is {avals[0].str_short()} with {ndim} axes; "
            "give an axis that it has"
        )
    axis %= ndim
    for path, aval in zip(paths, avals, strict=True):
        if len(aval.shape) <= axis or aval.shape[axis] != avals[0].shape[axis]:
            raise ValueError(
                f"associative_scan: elems{paths[0]} is {avals[0].str_short()} and elems{path} is "
                f"{aval.str_short()}, but axis {axis} must have one size in all; give as many elements of each"
            )
    return axis


def _interleave(even: Any, odd: Any, axis: int) -> Any:
    """The elements of both in turn: each is spread out over the places of the other, which are zero."""
    aval = aval_of(even)
    same = int(aval.shape[axis] == aval_of(odd).shape[axis])
    spread = [(0, same, 1) if i == axis else (0, 0, 0) for i in range(len(aval.shape))]
    behind = [(1, 1 - same, 1) if i == axis else (0, 0, 0) for i in range(len(aval.shape))]
    merge = bitwise_or if aval.dtype == np.bool_ else add
    return merge(pad(even, scalar_like(even, 0), spread), pad(odd, scalar_like(odd, 0), behind))
