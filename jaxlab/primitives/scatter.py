"""Scatters other than sums: replacing, multiplying, and keeping the least or greatest."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from jaxlab.core.aval import ShapedArray, Zero, aval_of, is_undefined
from jaxlab.core.primitive import Example
from jaxlab.primitives.arithmetic import add, div, mul, mul_p
from jaxlab.primitives.broadcasting import broadcast_in_dim, instantiate, reshape, zero_ct
from jaxlab.primitives.comparison import eq, select_n
from jaxlab.primitives.creation import iota
from jaxlab.primitives.dimension_numbers import GatherScatterMode, ScatterDimensionNumbers
from jaxlab.primitives.elementwise import add_any
from jaxlab.primitives.index_vectors import scatter_examples
from jaxlab.primitives.indexing import Scatter, gather_windows, scatter_add, scatter_add_p, zeros
from jaxlab.primitives.reshaping import F32
from jaxlab.primitives.rounding import max_p, min_p

# -- scatter ------------------------------------------------------------------------------------------------


def scatter(
    operand: Any,
    scatter_indices: Any,
    updates: Any,
    dimension_numbers: ScatterDimensionNumbers,
    *,
    indices_are_sorted: bool = False,
    unique_indices: bool = False,
    mode: str | GatherScatterMode | None = None,
) -> Any:
    """As `scatter_add`, with the updates put in place of what was there.

    Where windows overlap and ``unique_indices`` does not promise that they do not, one of them wins, which is
    not said; the derivative follows the same one.

    >>> numbers = ScatterDimensionNumbers((), inserted_window_dims=(0,), scatter_dims_to_operand_dims=(0,))
    >>> scatter(np.zeros(3, np.float32), np.array([[2], [0]]), np.array([5, 6], np.float32), numbers)
    Array([6., 0., 5.], dtype=float32)
    """
    return scatter_p.apply(
        operand, scatter_indices, updates, dimension_numbers, indices_are_sorted, unique_indices, mode
    )


def _full(value: Any, like: Any) -> Any:
    """An array of one value, with the type of ``like``."""
    aval = aval_of(like)
    return broadcast_in_dim(np.asarray(value, aval.dtype)[()], aval.shape, ())


class ScatterReplace(Scatter):
    """Linear in operand and updates where no windows overlap."""

    linear_in = (0, 2)

    def jvp(self, primals: Sequence[Any], tangents: Sequence[Any], **params: Any) -> tuple[Any, Any]:
        x, indices, updates = primals
        t, _, t_updates = tangents
        if type(t) is Zero and type(t_updates) is Zero:
            out = self.bind(x, indices, updates, **params)
            return out, Zero(aval_of(out).to_tangent_aval())
        t, t_updates = instantiate(t), instantiate(t_updates)
        if params["unique_indices"]:
            return self.bind(x, indices, updates, **params), self.bind(t, indices, t_updates, **params)
        # Which of several windows wins is up to the device. A scatter of their numbers, from 1, tells; with
        # all but the winners set to zero, values and tangents are then sums.
        ids = self._window_ids(updates, params["dimension_numbers"])
        winners = self.bind(_zero_ids(x), indices, ids, **params)
        seen = gather_windows(winners, indices, aval_of(updates), params)

        def keep(x: Any, updates: Any) -> tuple[Any, Any]:
            kept = select_n(eq(winners, _zero_ids(x)), _full(0, x), x)
            return kept, select_n(eq(ids, seen), _full(0, updates), updates)

        (kept, won), (t_kept, t_won) = keep(x, updates), keep(t, t_updates)
        numbers, mode = params["dimension_numbers"], params["mode"]
        promises = {"indices_are_sorted": params["indices_are_sorted"], "unique_indices": False, "mode": mode}
        out = scatter_add(kept, indices, won, numbers, **promises)
        return out, scatter_add(t_kept, indices, t_won, numbers, **promises)

    @staticmethod
    def _window_ids(updates: Any, numbers: ScatterDimensionNumbers) -> Any:
        """An array like ``updates`` that holds at each place the number of its window, from 1."""
        shape = aval_of(updates).shape
        windows = [1 if i in numbers.update_window_dims else size for i, size in enumerate(shape)]
        count = math.prod(windows)
        dtype = np.dtype(np.uint32 if count < np.iinfo(np.uint32).max else np.uint64)
        return add(reshape(iota(dtype, count), windows), broadcast_in_dim(dtype.type(1), shape, ()))

    def transpose(self, ct: Any, x: Any, indices: Any, updates: Any, **params: Any) -> Any:
        if zero_ct(ct):
            return [None, None, None]
        ct_x = ct_updates = None
        if is_undefined(x):
            update_aval = updates.aval if is_undefined(updates) else aval_of(updates)
            ct_x = self.bind(ct, indices, zeros(ShapedArray(update_aval.shape, x.aval.dtype)), **params)
        if is_undefined(updates):
            ct_updates = gather_windows(ct, indices, updates.aval, params, params["mode"])
        return [ct_x, None, ct_updates]

    def examples(self) -> Iterable[Example]:
        yield from scatter_examples(F32, None)
        yield from scatter_examples(F32, None, unique=True)


def _zero_ids(like: Any) -> Any:
    return broadcast_in_dim(np.uint32(0), aval_of(like).shape, ())


scatter_p = ScatterReplace("scatter", None, lambda old, new: new)


# -- scatter_mul --------------------------------------------------------------------------------------------


def scatter_mul(
    operand: Any,
    scatter_indices: Any,
    updates: Any,
    dimension_numbers: ScatterDimensionNumbers,
    *,
    indices_are_sorted: bool = False,
    unique_indices: bool = False,
    mode: str | GatherScatterMode | None = None,
) -> Any:
    """As `scatter_add`, with what is there multiplied by the updates.

    Its derivative in the updates exists with ``unique_indices=True`` alone, else NotImplementedError is
    raised.

    >>> numbers = ScatterDimensionNumbers((), inserted_window_dims=(0,), scatter_dims_to_operand_dims=(0,))
    >>> scatter_mul(np.ones(3, np.float32), np.array([[1], [1]]), np.full(2, 3, np.float32), numbers)
    Array([1., 9., 1.], dtype=float32)
    """
    return scatter_mul_p.apply(
        operand, scatter_indices, updates, dimension_numbers, indices_are_sorted, unique_indices, mode
    )


class ScatterMul(Scatter):
    """Linear in the operand."""

    linear_in = (0,)

    def jvp(self, primals: Sequence[Any], tangents: Sequence[Any], **params: Any) -> tuple[Any, Any]:
        x, indices, updates = primals
        t, _, t_updates = tangents
        out = self.bind(x, indices, updates, **params)
        shares = []
        if type(t) is not Zero:
            shares.append(self.bind(t, indices, updates, **params))
        if type(t_updates) is not Zero:
            if not params["unique_indices"]:
                raise NotImplementedError(
                    "scatter_mul: its derivative in the updates was asked for, but it is known only where no"
                    " windows overlap; pass unique_indices=True"
                )
            names = ("dimension_numbers", "indices_are_sorted", "unique_indices", "mode")
            placed = scatter_add_p.apply(_full(0, x), indices, t_updates, *[params[name] for name in names])
            shares.append(mul(x, placed))
        if not shares:
            return out, Zero(aval_of(out).to_tangent_aval())
        return out, shares[0] if len(shares) == 1 else add_any(*shares)

    def transpose(self, ct: Any, x: Any, indices: Any, updates: Any, **params: Any) -> Any:
        if zero_ct(ct):
            return [None, None, None]
        body = self.body(aval_of(ct).dtype, "transpose")
        return [self.bind(ct, indices, updates, **{**params, "update_jaxpr": body}), None, None]

    def examples(self) -> Iterable[Example]:
        yield from scatter_examples(F32, self.body(F32), unique=True)


scatter_mul_p = ScatterMul("scatter-mul", mul_p, np.multiply)


# -- scatter_min and scatter_max ----------------------------------------------------------------------------


def scatter_min(
    operand: Any,
    scatter_indices: Any,
    updates: Any,
    dimension_numbers: ScatterDimensionNumbers,
    *,
    indices_are_sorted: bool = False,
    unique_indices: bool = False,
    mode: str | GatherScatterMode | None = None,
) -> Any:
    """As `scatter_add`, with the lesser kept of what is there and the updates.

    >>> numbers = ScatterDimensionNumbers((), inserted_window_dims=(0,), scatter_dims_to_operand_dims=(0,))
    >>> scatter_min(np.ones(3, np.float32), np.array([[1]]), np.zeros(1, np.float32), numbers)
    Array([1., 0., 1.], dtype=float32)
    """
    return scatter_min_p.apply(
        operand, scatter_indices, updates, dimension_numbers, indices_are_sorted, unique_indices, mode
    )


def scatter_max(
    operand: Any,
    scatter_indices: Any,
    updates: Any,
    dimension_numbers: ScatterDimensionNumbers,
    *,
    indices_are_sorted: bool = False,
    unique_indices: bool = False,
    mode: str | GatherScatterMode | None = None,
) -> Any:
    """As `scatter_add`, with the greater kept of what is there and the updates.

    >>> numbers = ScatterDimensionNumbers((), inserted_window_dims=(0,), scatter_dims_to_operand_dims=(0,))
    >>> scatter_max(np.ones(3, np.float32), np.array([[1]]), np.full(1, 2, np.float32), numbers)
    Array([1., 2., 1.], dtype=float32)
    """
    return scatter_max_p.apply(
        operand, scatter_indices, updates, dimension_numbers, indices_are_sorted, unique_indices, mode
    )


class ScatterExtreme(Scatter):
    """Keeps one of several values; where several are equal, they share the derivative evenly."""

    def jvp(self, primals: Sequence[Any], tangents: Sequence[Any], **params: Any) -> tuple[Any, Any]:
        x, indices, updates = primals
        t, _, t_updates = tangents
        out = self.bind(x, indices, updates, **params)
        if type(t) is Zero and type(t_updates) is Zero:
            return out, Zero(aval_of(out).to_tangent_aval())
        t, t_updates = instantiate(t), instantiate(t_updates)
        numbers, update_aval = params["dimension_numbers"], aval_of(updates)

        def read(values: Any) -> Any:
            return gather_windows(values, indices, update_aval, params)

        before, after = read(x), read(out)
        won, kept = eq(updates, after), eq(before, after)
        one = np.ones((), update_aval.dtype)[()]

        def counted(place: Any) -> Any:
            """How many updates meet where each update goes; of those chosen by ``place``."""
            start, ones = _full(0, x), _full(1, updates)
            return read(scatter_add(start, indices, place(ones), numbers))

        winners = counted(lambda ones: select_n(won, _full(0, updates), ones))
        meeting = counted(lambda ones: ones)
        shared = div(one, add(winners, one))
        even = select_n(kept, div(one, winners), shared)
        from_updates = select_n(won, _full(0, updates), even)
        shared = div(one, add(winners, one))
        from_operand = select_n(kept, _full(0, winners), shared)
        loss = div(add(-one, from_operand), meeting)
        change = add(mul(read(t), loss), mul(t_updates, from_updates))
        names = ("dimension_numbers", "indices_are_sorted", "unique_indices", "mode")
        return out, scatter_add_p.apply(t, indices, change, *[params[name] for name in names])

    def examples(self) -> Iterable[Example]:
        yield from scatter_examples(F32, self.body(F32), differentiate=False)


scatter_min_p = ScatterExtreme("scatter-min", min_p, np.minimum)
scatter_max_p = ScatterExtreme("scatter-max", max_p, np.maximum)
