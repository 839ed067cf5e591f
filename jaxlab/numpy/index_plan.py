"""What an index expression means: parsed once, then read by indexing and by indexed updates."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from jaxlab import dtypes, errors
from jaxlab.core.aval import aval_of, is_array_like
from jaxlab.core.trace import Tracer

BOOL = np.dtype(np.bool_)


class At(NamedTuple):
    """A single place along an axis, known while tracing (as given: it may be negative)."""

    place: int


class Window(NamedTuple):
    """Places ``start, start + step, ...`` along an axis, ``size`` of them, up to ``stop``."""

    start: int
    size: int
    step: int
    stop: int


class New(NamedTuple):
    """A new axis of size 1."""


class Given(NamedTuple):
    """Places held by an array: the number of that array among the dynamic parts of the expression."""

    number: int
    shape: tuple[int, ...]


Part = At | Window | New | Given
Parts = tuple[Part, ...]


class _Mask(NamedTuple):
    """Places where a mask holds, along one of its axes."""

    places: Any
    size: int


class _Flag(NamedTuple):
    """A single boolean: it adds an axis of size 1 to the array, of which it takes the element or not."""

    places: Any


@dataclass(frozen=True, slots=True)
class Parsed:
    """An index expression for an array of a given shape.

    ``parts`` is hashable, so that it can be a static argument; it has one entry an axis, and the new axes
    between them. The
    arrays of the expression are kept apart. The array that is indexed gets axes of size 1 at ``expanded`` first.
    """

    parts: Parts
    arrays: list[Any]
    expanded: tuple[int, ...]


def parse(shape: tuple[int, ...], index: Any) -> Parsed:
    """Read an index expression.

    Raises:
      IndexError: for too many indices, two ellipses, or a mask that does not fit.
      TypeError: for an index that is no integer, slice, array, None or Ellipsis.
      NonConcreteBooleanIndexError: for a mask whose values are traced.
    """
    items = _expand_masks(index if isinstance(index, tuple) else (index,))
    items = _expand_ellipsis(shape, items)
    parts: list[Part] = []
    arrays: list[Any] = []
    expanded: list[int] = []
    axis = 0
    for item in items:
        if item is None:
            parts.append(New())
            continue
        kind = type(item)
        if kind is _Flag:
            expanded.append(axis + len(expanded))
            parts.append(Given(len(arrays), item.places.shape))
            arrays.append(item.places)
            continue
        if kind is slice:
            parts.append(_window(item, shape[axis]))
        elif kind is int or isinstance(item, int | np.integer):
            if not shape[axis]:
                raise IndexError(
                    f"indexing: the index {item} is out of bounds for axis {axis}, which has size 0"
                )
            parts.append(At(operator.index(item)))
        elif kind is _Mask:
            if item.size != shape[axis]:
                raise IndexError(
                    f"indexing: a mask of size {item.size} was given for axis {axis} of size {shape[axis]}; "
                    f"they must be equal"
                )
            parts.append(Given(len(arrays), item.places.shape))
            arrays.append(item.places)
        else:
            parts.append(Given(len(arrays), aval_of(item).shape))
            arrays.append(item)
        axis += 1
    return Parsed(tuple(parts), arrays, tuple(expanded))


def _expand_masks(items: tuple[Any, ...]) -> list[Any]:
    """Masks become the places where they hold; everything else is checked."""
    result: list[Any] = []
    for item in items:
        kind = type(item)
        if item is None or item is Ellipsis or kind is int or kind is slice:
            result.append(item)
        elif isinstance(item, str):
            raise TypeError(
                f"indexing: {item!r} was given as an index, but arrays have no fields; write an integer or a slice"
            )
        elif isinstance(item, list):
            raise TypeError(
                "indexing: a list was given as an index, but that is ambiguous; write x[jnp.array(indices)]"
            )
        elif isinstance(item, tuple):
            result += _expand_masks((np.asarray(item, None if item else np.int32),))
        elif isinstance(item, bool | np.bool_):
            result.append(_Flag(np.nonzero([item])[0].astype(np.int32)))
        elif is_array_like(item):
            result += _expand_array(item)
        else:
            try:
                result.append(operator.index(item))
            except TypeError:
                raise IndexError(
                    f"indexing: a {kind.__name__} was given as an index, but an integer, slice, array, None "
                    f"or ... is needed"
                ) from None
    return result


def _expand_array(item: Any) -> list[Any]:
    aval = aval_of(item)
    if aval.dtype == BOOL:
        if isinstance(item, Tracer):
            concrete = item.concrete()
            if concrete is None:
                raise errors.NonConcreteBooleanIndexError(item)
            item = concrete
        mask = np.asarray(item)
        if not mask.shape:
            return [_Flag(np.nonzero(mask[None])[0].astype(np.int32))]
        return [_Mask(p.astype(np.int32), size) for p, size in zip(np.nonzero(mask), mask.shape, strict=True)]
    if not dtypes.issubdtype(aval.dtype, np.integer):
        raise TypeError(
            f"indexing: an index has dtype {aval.dtype.name}, but integers or booleans are needed; write x.astype(int)"
        )
    return [item]


def _expand_ellipsis(shape: tuple[int, ...], items: list[Any]) -> list[Any]:
    used = sum(1 for item in items if item is not None and item is not Ellipsis and type(item) is not _Flag)
    if used > len(shape):
        raise IndexError(
            f"too many indices: the array has {len(shape)} {'axis' if len(shape) == 1 else 'axes'}, but "
            f"{used} were indexed"
        )
    dots = [i for i, item in enumerate(items) if item is Ellipsis]
    if len(dots) > 1:
        raise IndexError("indexing: an index can have only one ellipsis ('...')")
    rest: list[Any] = [slice(None)] * (len(shape) - used)
    if not dots:
        return [*items, *rest]
    return [*items[: dots[0]], *rest, *items[dots[0] + 1 :]]


def _window(item: slice, size: int) -> Window:
    bounds = []
    for name in ("start", "stop", "step"):
        value = getattr(item, name)
        if isinstance(value, Tracer) and value.concrete() is None:
            raise IndexError(
                f"indexing: the {name} of a slice is {value.describe()}, but a slice needs bounds known "
                f"while tracing, because "
                "the shape of the result depends on them; use jaxlab.lax.dynamic_slice, whose size is fixed"
            )
        try:
            bounds.append(None if value is None else operator.index(value))
        except TypeError:
            raise TypeError(
                f"indexing: the {name} of a slice is a {type(value).__name__}, but an integer is needed"
            ) from None
    start, stop, step = slice(*bounds).indices(size)
    return Window(start, len(range(start, stop, step)), step, stop)


def is_whole(part: Part, size: int) -> bool:
    """Whether a part takes all of an axis as it is."""
    return type(part) is Window and part.start == 0 and part.size == size and part.step == 1


def axes_of(parts: Parts) -> list[Part]:
    """The parts that stand for axes of the array, without new ones."""
    return [part for part in parts if type(part) is not New]


def in_bounds(parts: Sequence[Part], shape: tuple[int, ...]) -> bool:
    """Whether every place known while tracing exists."""
    return all(
        type(part) is not At or -size <= part.place < size for part, size in zip(parts, shape, strict=True)
    )
