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
from jaxlab.numpy.creation import asarray
from jaxlab.numpy.index_plan import Parts, parse
from jaxlab.numpy.indexing import Plan, take_parts, with_axes
from jaxlab.numpy.promotion import cast, check_arraylike
from jaxlab.numpy.wrapping import as_array
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

    Each method returns a new array; the old one is as it was. Where an index occurs twice, `set` keeps one
    of the values and
    the others combine all. Places out of bounds are left alone, unless ``mode`` says otherwise.

    All methods take ``indices_are_sorted`` and ``unique_indices``, promises that let the program be faster,
    and ``mode``:
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
        mode: Any = None,
        fill_value: Any = None,
        wrap_negative_indices: bool = True,
    ) -> Any:
        """``x[index]``; with ``mode="fill"``, places out of bounds give ``fill_value`` (NaN by default).

        >>> jnp.arange(3).at[jnp.array([0, 9])].get(mode="fill", fill_value=-1)
        Array([ 0, -1], dtype=int32)
        """
        parsed = parse(aval_of(self.array).shape, self.index)
        options = {
            "mode": mode,
            "fill_value": fill_value,
            "indices_are_sorted": indices_are_sorted,
            "unique_indices": unique_indices,
            "wrap_negative_indices": wrap_negative_indices,
        }
        get = take_parts if _traced(self.array, parsed.arrays) else _eager_get
        return get(self.array, parsed.arrays, parts=parsed.parts, expanded=parsed.expanded, **options)

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
        if isinstance(values, list | tuple):
            values = asarray(values)
        check_arraylike(f"x.at[...].{operation.removeprefix('scatter_')}", values)
        unknown = set(options) - _OPTIONS
        if unknown:
            raise TypeError(
                f"x.at[...]: there is no option {min(unknown)!r}; the options are {', '.join(sorted(_OPTIONS))}"
            )
        parsed = parse(aval_of(self.array).shape, self.index)
        x = self.array
        write = update if _traced(x, parsed.arrays, values) else _eager_update
        form = {"operation": operation, "parts": parsed.parts, "expanded": parsed.expanded}
        return write(x, parsed.arrays, values, **form, **options)


_OPTIONS = {"indices_are_sorted", "unique_indices", "mode", "wrap_negative_indices"}


def _traced(array: Any, arrays: list[Any], values: Any = None) -> bool:
    return current.trace.parent is not None or any(isinstance(x, Tracer) for x in (array, *arrays, values))


def update(
    x: Any,
    arrays: list[Any],
    values: Any,
    *,
    operation: str,
    parts: Parts,
    expanded: tuple[int, ...] = (),
    indices_are_sorted: bool = False,
    unique_indices: bool = False,
    mode: Any = None,
    wrap_negative_indices: bool = True,
) -> Any:
    """``x`` with ``values`` written, added, ... at the places that a parsed index names."""
    aval, given = aval_of(x), aval_of(values)
    plan = Plan(with_axes(aval.shape, expanded), arrays, parts, wrap_negative_indices)
    indices = plan.indices()
    full = list(plan.result_shape)
    for axis in plan.new_axes:
        full.insert(axis, 1)
    if 0 in full:
        return as_array(x)
    dtype, weak = aval.dtype, aval.weak_type
    if given.dtype != dtype:
        joined, joined_weak = dtypes.promote_pair(dtype, weak, given.dtype, given.weak_type)
        if joined != dtype:
            _warn_of_conversion(given.dtype, dtype)
            dtype, weak = joined, joined_weak
    wide = cast(as_array(x), dtype, weak)
    values = _fit(cast(values, dtype), tuple(full), plan.new_axes)
    values = lax.rev(values, plan.reversed) if plan.reversed else values
    numbers = lax.ScatterDimensionNumbers(
        update_window_dims=tuple(plan.offset_dims),
        inserted_window_dims=tuple(plan.collapsed),
        scatter_dims_to_operand_dims=tuple(plan.index_map),
    )
    scattered = getattr(lax, operation)(
        lax.expand_dims(wide, expanded),
        indices,
        values,
        numbers,
        indices_are_sorted=indices_are_sorted or plan.ordered,
        unique_indices=unique_indices or plan.ordered,
        mode=mode,
    )
    return cast(lax.squeeze(scattered, expanded), aval.dtype, aval.weak_type)


def _warn_of_conversion(given: Any, wanted: Any) -> None:
    """Tell that values lose precision on their way into the array."""
    warnings.warn(
        f"x.at[...]: values of dtype {given.name} are converted to the array's dtype {wanted.name}; convert "
        f"one of them first",
        FutureWarning,
        stacklevel=5,
    )


def _fit(values: Any, full: tuple[int, ...], new_axes: list[int]) -> Any:
    """``values`` broadcast to the shape of the places, without the axes of size 1 that the index added."""
    own = aval_of(values).shape
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


@partial(jit, static_argnames=("operation", "parts", "expanded", *sorted(_OPTIONS)))
def _eager_update(
    x: Any, arrays: list[Any], values: Any, *, operation: str, parts: Parts, **options: Any
) -> Any:
    return update(x, arrays, values, operation=operation, parts=parts, **options)


@partial(jit, static_argnames=("parts", "expanded", "fill_value", *sorted(_OPTIONS)))
def _eager_get(x: Any, arrays: list[Any], *, parts: Parts, **options: Any) -> Any:
    return take_parts(x, arrays, parts, **options)


def at(array: Any) -> IndexUpdateHelper:
    """The value of the ``at`` property of arrays and tracers."""
    return IndexUpdateHelper(array)
