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
from jaxlab.runtime.array import Array

BOOL = np.dtype(np.bool_)


class At(NamedTuple):
    """A single place along an axis, known while tracing (as given: it may be negative)."""

    place: int


class Window(NamedTuple):
    """Places ``start, start + step, ...`` along an axis, ``size`` of them."""

    start: int
    size: int
    step: int


class New(NamedTuple):
    """A new axis of size 1."""


class Given(NamedTuple):
    """Places held by an array: the number of that array among the dynamic parts of the expression."""

    number: int
    shape: tuple[int, ...]


Part = At | Window | New | Given
Parts = tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class Parsed:
    """An index expression for an array of a given shape.

    ``parts`` is hashable, so that it can be a static argument; it has one entry an axis, and the new axes between them. The
    arrays of the expression are kept apart.
    """

    parts: Parts
    arrays: list[Any]


def parse(shape: tuple[int, ...], index: Any) -> Parsed:
    """Read an index expression.

    Raises:
      IndexError: for too many indices, or two ellipses.
      TypeError: for an index that is no integer, slice, array, None or Ellipsis.
      NonConcreteBooleanIndexError: for a mask whose values are traced.
    """
    items = _expand_masks(index if isinstance(index, tuple) else (index,))
    items = _expand_ellipsis(shape, items)
    parts: list[Part] = []
    arrays: list[Any] = []
    axis = 0
    for item in items:
        if item is None:
            parts.append(New())
            continue
        if isinstance(item, slice):
            parts.append(_window(item, shape[axis]))
        elif isinstance(item, int | np.integer) or (type(item) is np.ndarray and item.shape == ()):
            parts.append(At(operator.index(item)))
        else:
            parts.append(Given(len(arrays), aval_of(item).shape))
            arrays.append(item)
        axis += 1
    return Parsed(tuple(parts), arrays)


def _expand_masks(items: tuple[Any, ...]) -> list[Any]:
    """Masks become the places where they hold; everything else is checked."""
    result: list[Any] = []
    for item in items:
        if item is None or item is Ellipsis or isinstance(item, slice):
            result.append(item)
            continue
        if isinstance(item, str):
            raise TypeError(f"indexing: an array has no field {item!r}; index it with integers, slices, arrays, None or ...")
        if isinstance(item, list | tuple):
            raise TypeError(
                "indexing: a list was given as an index, but a sequence is ambiguous; write x[jnp.array(indices)]"
            )
        if isinstance(item, bool | np.bool_):
            result += [None, np.nonzero(np.asarray([item]))[0]]
            continue
        if not is_array_like(item):
            try:
                result.append(operator.index(item))
            except TypeError:
                raise TypeError(
                    f"indexing: a {type(item).__name__} was given as an index, but an integer, slice, array, None or ... is needed"
                ) from None
            continue
        aval = aval_of(item)
        if aval.dtype == BOOL:
            if isinstance(item, Tracer):
                concrete = item.concrete()
                if concrete is None:
                    raise errors.NonConcreteBooleanIndexError(item)
                item = concrete
            mask = np.asarray(item)
            result += list(np.nonzero(mask)) if mask.shape else [None, np.nonzero(mask[None])[0]]
        elif not dtypes.issubdtype(aval.dtype, np.integer):
            raise TypeError(
                f"indexing: an index has dtype {aval.dtype.name}, but integers or booleans are needed; convert it with astype(int)"
            )
        else:
            result.append(item)
    return result


def _expand_ellipsis(shape: tuple[int, ...], items: list[Any]) -> list[Any]:
    used = sum(1 for item in items if item is not None and item is not Ellipsis)
    if used > len(shape):
        raise IndexError(
            f"too many indices: the array has {len(shape)} {'axis' if len(shape) == 1 else 'axes'}, but {used} were indexed"
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
                f"indexing: the {name} of a slice is {value.describe()}, but a slice needs bounds known while tracing, because "
                "the shape of the result depends on them; use jaxlab.lax.dynamic_slice, whose size is fixed"
            )
        try:
            bounds.append(None if value is None else operator.index(value))
        except TypeError:
            raise TypeError(f"indexing: the {name} of a slice is a {type(value).__name__}, but an integer is needed") from None
    start, stop, step = slice(*bounds).indices(size)
    return Window(start, len(range(start, stop, step)), step)


def is_whole(part: Part, size: int) -> bool:
    """Whether a part takes all of an axis as it is."""
    return type(part) is Window and part == Window(0, size, 1)


def axes_of(parts: Parts) -> list[Part]:
    """The parts that stand for axes of the array, without new ones."""
    return [part for part in parts if type(part) is not New]


def in_bounds(parts: Sequence[Part], shape: tuple[int, ...]) -> bool:
    """Whether every place known while tracing exists."""
    return all(
        type(part) is not At or -size <= part.place < size for part, size in zip(parts, shape, strict=True)
    )


def is_concrete_array(x: Any) -> bool:
    """Whether the value can be read now."""
    return isinstance(x, np.ndarray | Array)
