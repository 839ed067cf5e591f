"""``x.at[...]``: indexed updates that return a new array."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from jaxlab import dtypes, lax
from jaxlab.core.aval import aval_of
from jaxlab.core.trace import Tracer, current
from jaxlab.numpy.index_plan import Parts, parse
from jaxlab.numpy.indexing import Plan, take_parts
from jaxlab.numpy.promotion import cast, check_arraylike
from jaxlab.transforms.jit import jit


class IndexUpdateHelper:
    """``x.at``; index it to say where."""

    __slots__ = ("array",)

    def __init__(self, array: Any) -> None:
        self.array = array

    def __getitem__(self, index: Any) -> IndexUpdateRef:
        return IndexUpdateRef(self.array, index)

    def __repr__(self) -> str:
        return f"IndexUpdateHelper({self.array!r})"


class IndexUpdateRef:
    """``x.at[index]``: places of an array, and what can be done there.

    Each method returns a new array; the old one is as it was. Where an index occurs twice, `set` keeps one of the values and
    the others combine all. Places out of bounds are left alone, unless ``mode`` says otherwise.

    All methods take ``indices_are_sorted`` and ``unique_indices``, promises that let the program be faster, and ``mode``:
    ``"drop"`` (or ``"fill"``, the default), ``"clip"`` or ``"promise_in_bounds"``.

    >>> jnp.zeros(3).at[1].set(5.0)
    Array([0., 5., 0.], dtype=float32)
    """

    __slots__ = ("array", "index")

    def __init__(self, array: Any, index: Any) -> None:
        self.array = array
        self.index = index

    def __repr__(self) -> str:
        return f"IndexUpdateRef({self.array!r}, {self.index!r})"

    def get(
        self,
        *,
        indices_are_sorted: bool = False,
        unique_indices: bool = False,
        mode: str | None = None,
        fill_value: Any = None,
    ) -> Any:
        """``x[index]``; with ``mode="fill"``, places out of bounds give ``fill_value`` (NaN by default).

        >>> jnp.arange(3).at[jnp.array([0, 9])].get(mode="fill", fill_value=-1)
        Array([ 0, -1], dtype=int32)
        """
        parsed = parse(aval_of(self.array).shape, self.index)
        options = dict(
            mode=mode,
            fill_value=fill_value,
            indices_are_sorted=indices_are_sorted,
            unique_indices=unique_indices,
        )
        if _traced(self.array, parsed.arrays):
            return take_parts(self.array, parsed.arrays, parsed.parts, **options)
        return _eager_get(self.array, parsed.arrays, parts=parsed.parts, **options)

    def set(self, values: Any, **options: Any) -> Any:
        """``x[index] = values``."""
        return self._update("scatter", values, options)

    def add(self, values: Any, **options: Any) -> Any:
        """``x[index] += values``, adding once for each time an index occurs.

        >>> jnp.zeros(2).at[jnp.array([0, 0])].add(1.0)
        Array([2., 0.], dtype=float32)
        """
        return self._update("scatter_add", values, options)

    def subtract(self, values: Any, **options: Any) -> Any:
        """``x[index] -= values``."""
        return self._update("scatter_sub", values, options)

    def multiply(self, values: Any, **options: Any) -> Any:
        """``x[index] *= values``."""
        return self._update("scatter_mul", values, options)

    mul = multiply

    def divide(self, values: Any, **options: Any) -> Any:
        """``x[index] /= values``."""
        factors = IndexUpdateRef(lax.full_like(self.array, 1), self.index).multiply(values, **options)
        return self.array / factors

    def power(self, values: Any, **options: Any) -> Any:
        """``x[index] **= values``."""
        exponents = IndexUpdateRef(lax.full_like(self.array, 1), self.index).multiply(values, **options)
        return self.array**exponents

    def min(self, values: Any, **options: Any) -> Any:
        """``x[index] = minimum(x[index], values)``."""
        return self._update("scatter_min", values, options)

    def max(self, values: Any, **options: Any) -> Any:
        """``x[index] = maximum(x[index], values)``."""
        return self._update("scatter_max", values, options)

    def apply(self, func: Callable[[Any], Any], **options: Any) -> Any:
        """``x[index] = func(x[index])``, for an elementwise function; once, however often an index occurs.

        >>> jnp.array([1.0, 4.0]).at[1].apply(jnp.sqrt)
        Array([1., 2.], dtype=float32)
        """
        return self.set(func(self.get(mode=options.get("mode"))), **options)

    def _update(self, operation: str, values: Any, options: dict[str, Any]) -> Any:
        check_arraylike(f"x.at[...].{operation.removeprefix('scatter_')}", values)
        unknown = set(options) - {"indices_are_sorted", "unique_indices", "mode"}
        if unknown:
            raise TypeError(f"x.at[...]: there is no option {min(unknown)!r}")
        parsed = parse(aval_of(self.array).shape, self.index)
        if _traced(self.array, parsed.arrays, values):
            return update(self.array, parsed.arrays, values, operation=operation, parts=parsed.parts, **options)
        return _eager_update(self.array, parsed.arrays, values, operation=operation, parts=parsed.parts, **options)


def _traced(array: Any, arrays: list[Any], values: Any = None) -> bool:
    return current.trace.parent is not None or any(isinstance(x, Tracer) for x in (array, *arrays, values))


def update(
    x: Any,
    arrays: list[Any],
    values: Any,
    *,
    operation: str,
    parts: Parts,
    indices_are_sorted: bool = False,
    unique_indices: bool = False,
    mode: str | None = None,
) -> Any:
    """``x`` with ``values`` written, added, ... at the places that a parsed index names."""
    aval = aval_of(x)
    given = aval_of(values)
    if given.dtype != aval.dtype:
        joined, _ = dtypes.promote_pair(aval.dtype, aval.weak_type, given.dtype, given.weak_type)
        if joined != aval.dtype and not dtypes.issubdtype(given.dtype, np.bool_):
            _warn_of_conversion(given.dtype, aval.dtype)
    values = cast(values, aval.dtype, aval.weak_type)
    plan = Plan(aval.shape, arrays, parts)
    sizes = [size for axis, size in enumerate(plan.slice_sizes) if axis not in plan.collapsed]
    window = iter(sizes)
    batch = iter(plan.batch)
    rank = len(plan.batch) + len(plan.offset_dims)
    target = tuple(next(window) if i in plan.offset_dims else next(batch) for i in range(rank))
    full = list(target)
    for axis in plan.new_axes:
        full.insert(axis, 1)
    values = _fit(values, tuple(full), plan.new_axes)
    numbers = lax.ScatterDimensionNumbers(
        update_window_dims=tuple(plan.offset_dims),
        inserted_window_dims=tuple(plan.collapsed),
        scatter_dims_to_operand_dims=tuple(plan.index_map),
    )
    scatter = getattr(lax, operation)
    return scatter(
        x,
        plan.indices(),
        values,
        numbers,
        indices_are_sorted=indices_are_sorted or plan.ordered,
        unique_indices=unique_indices or plan.ordered,
        mode=mode,
    )


def _warn_of_conversion(given: Any, wanted: Any) -> None:
    """Tell that values lose precision on their way into the array."""
    warnings.warn(
        f"x.at[...]: values of dtype {given.name} are converted to the array's dtype {wanted.name}; convert one of them first",
        FutureWarning,
        stacklevel=5,
    )


def _fit(values: Any, full: tuple[int, ...], new_axes: list[int]) -> Any:
    """``values`` broadcast to the shape of the places, without the axes of size 1 that the index added."""
    own = aval_of(values).shape
    while len(own) > len(full) and own[0] == 1:
        values = lax.squeeze(values, (0,))
        own = own[1:]
    try:
        fits = np.broadcast_shapes(own, full) == full
    except ValueError:
        fits = False
    if not fits:
        raise ValueError(
            f"x.at[...]: values of shape {own} do not broadcast to the indexed places, of shape {full}"
        )
    if own != full:
        values = lax.broadcast_in_dim(values, full, range(len(full) - len(own), len(full)))
    return lax.squeeze(values, new_axes) if new_axes else values


@partial(jit, static_argnames=("operation", "parts", "indices_are_sorted", "unique_indices", "mode"))
def _eager_update(x: Any, arrays: list[Any], values: Any, *, operation: str, parts: Parts, **options: Any) -> Any:
    return update(x, arrays, values, operation=operation, parts=parts, **options)


@partial(jit, static_argnames=("parts", "mode", "fill_value", "indices_are_sorted", "unique_indices"))
def _eager_get(x: Any, arrays: list[Any], *, parts: Parts, **options: Any) -> Any:
    return take_parts(x, arrays, parts, **options)


def at(array: Any) -> IndexUpdateHelper:
    """The value of the ``at`` property of arrays and tracers."""
    return IndexUpdateHelper(array)

