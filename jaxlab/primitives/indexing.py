"""Taking slices at computed places, and adding them there: gather and its adjoint, the scattered sum."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from jaxlab import dtypes
from jaxlab.caching import Cache
from jaxlab.core.aval import ShapedArray, Zero, aval_of, is_inexact, is_undefined
from jaxlab.core.jaxpr import ClosedJaxpr, Jaxpr, JaxprEqn, Var
from jaxlab.core.primitive import Example, Primitive
from jaxlab.primitives.arithmetic import add_p, neg, sub_p
from jaxlab.primitives.broadcasting import broadcast_axis, broadcast_in_dim, instantiate, move_axis, zero_ct
from jaxlab.primitives.dimension_numbers import (
    GatherDimensionNumbers,
    GatherScatterMode,
    ScatterDimensionNumbers,
    check_scatter,
    gather_shape,
    window_sizes,
)
from jaxlab.primitives.index_vectors import (
    gather_examples,
    gather_with_loops,
    lower_gather,
    lower_scatter,
    scatter_examples,
    scatter_with_loops,
)
from jaxlab.primitives.reshaping import F32

# -- gather -------------------------------------------------------------------------------------------------


def gather(
    operand: Any,
    start_indices: Any,
    dimension_numbers: GatherDimensionNumbers,
    slice_sizes: Sequence[int],
    *,
    unique_indices: bool = False,
    indices_are_sorted: bool = False,
    mode: str | GatherScatterMode | None = None,
    fill_value: Any = None,
) -> Any:
    """Slices of ``operand`` that start at computed places.

    Args:
      start_indices: integers; the last axis holds index vectors.
      slice_sizes: the size of a slice along each axis of the operand.
      unique_indices: a promise that no two slices overlap.
      indices_are_sorted: a promise that the index vectors ascend.
      mode: what happens out of bounds; None is a promise that there is no such index.
      fill_value: with mode ``"fill"``, the scalar returned out of bounds. By default NaN, or for integers the
        least (signed) or greatest (unsigned) number, or True.

    Raises ValueError for indices that are not integers and TypeError where the numbers do not fit.

    >>> numbers = GatherDimensionNumbers(offset_dims=(), collapsed_slice_dims=(0,), start_index_map=(0,))
    >>> gather(np.array([5, 6, 7]), np.array([[2], [0]]), numbers, (1,))
    Array([7, 5], dtype=int32)
    """
    if mode is None:
        parsed = GatherScatterMode.PROMISE_IN_BOUNDS
    else:
        parsed = GatherScatterMode.from_any(mode)
    if parsed is not GatherScatterMode.FILL_OR_DROP:
        fill_value = None
    elif fill_value is None:
        fill_value = default_fill(aval_of(operand).dtype)
    elif not isinstance(fill_value, (bool, int, float, complex)):
        fill_value = np.asarray(fill_value).item()
    return gather_p.bind(
        operand,
        start_indices,
        dimension_numbers=dimension_numbers,
        slice_sizes=tuple(map(int, slice_sizes)),
        unique_indices=bool(unique_indices),
        indices_are_sorted=bool(indices_are_sorted),
        mode=parsed,
        fill_value=fill_value,
    )


def default_fill(dtype: Any) -> bool | int | float:
    """What a gather returns out of bounds unless told otherwise."""
    if not isinstance(dtype, np.dtype):
        return int(dtypes.iinfo(np.uint32).max)
    if is_inexact(dtype):
        return float("nan")
    if dtype == np.bool_:
        return True
    limits = dtypes.iinfo(dtype)
    return int(limits.min if dtypes.issubdtype(dtype, np.signedinteger) else limits.max)


class Gather(Primitive):
    name, linear_in = "gather", (0,)

    def abstract_eval(self, x: Any, indices: Any, **params: Any) -> ShapedArray:
        shape = gather_shape(x, indices, params["dimension_numbers"], params["slice_sizes"])
        return ShapedArray(shape, x.dtype, x.weak_type)

    def lower(self, ctx: Any, x: Any, indices: Any, **params: Any) -> Any:
        return lower_gather(ctx, x, indices, params)

    def jvp(self, primals: Sequence[Any], tangents: Sequence[Any], **params: Any) -> tuple[Any, Any]:
        (x, indices), t = primals, tangents[0]
        out = gather_p.bind(x, indices, **params)
        if type(t) is Zero:
            return out, Zero(aval_of(out).to_tangent_aval())
        fill = 0 if params["mode"] is GatherScatterMode.FILL_OR_DROP else None
        return out, gather_p.bind(t, indices, **{**params, "fill_value": fill})

    def taylor(self, trace: Any, args: Sequence[Any], **params: Any) -> Any:
        """A value is put in for what is out of bounds once: it does not change."""
        fill = 0 if params["mode"] is GatherScatterMode.FILL_OR_DROP else None
        return trace.coefficientwise(self, args, params, {**params, "fill_value": fill})

    def transpose(self, ct: Any, x: Any, indices: Any, **params: Any) -> Any:
        if zero_ct(ct):
            return [None, None]
        numbers, ascending = params["dimension_numbers"].transposed(), params["indices_are_sorted"]
        unique, mode = params["unique_indices"], params["mode"]
        return [
            scatter_add_p.apply(zeros(x.aval), indices, ct, numbers, ascending, unique, mode, "transpose"),
            None,
        ]

    def batch(self, size: int, args: Any, dims: Any, **params: Any) -> Any:
        (x, indices), (dim, index_dim) = args, dims
        numbers, sizes = params["dimension_numbers"], params["slice_sizes"]
        offset = tuple([d + 1 for d in numbers.offset_dims])
        if dim is not None:
            x = move_axis(x, dim, 0)
            numbers = _shift_operand_axes(numbers)
        if index_dim is None:
            numbers, sizes = numbers._replace(offset_dims=(0, *offset)), (size, *sizes)
        else:
            indices = move_axis(indices, index_dim, 0)
            numbers = _shift_index_axes(numbers._replace(offset_dims=offset))
            if dim is None:
                # Slices of several examples may meet in the one operand.
                params |= {"indices_are_sorted": False, "unique_indices": False}
            else:
                numbers, sizes = _share_first_axis(numbers), (min(size, 1), *sizes)
        return gather_p.bind(x, indices, **{**params, "dimension_numbers": numbers, "slice_sizes": sizes}), 0

    def reference(self, x: Any, indices: Any, **params: Any) -> Any:
        return gather_with_loops(x, indices, params)

    def examples(self) -> Iterable[Example]:
        return gather_examples(F32)


def _shift_operand_axes(n: GatherDimensionNumbers) -> GatherDimensionNumbers:
    """The numbers for an operand with one more axis in front."""
    return n._replace(
        collapsed_slice_dims=tuple([d + 1 for d in n.collapsed_slice_dims]),
        start_index_map=tuple([d + 1 for d in n.start_index_map]),
        operand_batching_dims=tuple([d + 1 for d in n.operand_batching_dims]),
    )


def _shift_index_axes(n: GatherDimensionNumbers) -> GatherDimensionNumbers:
    """The numbers for indices with one more axis in front."""
    return n._replace(start_indices_batching_dims=tuple([d + 1 for d in n.start_indices_batching_dims]))


def _share_first_axis(n: GatherDimensionNumbers) -> GatherDimensionNumbers:
    """The numbers where the first axes of operand and indices are walked in step."""
    return n._replace(
        operand_batching_dims=(0, *n.operand_batching_dims),
        start_indices_batching_dims=(0, *n.start_indices_batching_dims),
    )


gather_p = Gather()


# -- scatter_add and scatter_sub ----------------------------------------------------------------------------


def scatter_add(
    operand: Any,
    scatter_indices: Any,
    updates: Any,
    dimension_numbers: ScatterDimensionNumbers,
    *,
    indices_are_sorted: bool = False,
    unique_indices: bool = False,
    mode: str | GatherScatterMode | None = None,
) -> Any:
    """``operand`` with windows of ``updates`` added at computed places; where they overlap, all are added.

    Args:
      scatter_indices: integers; the last axis holds index vectors.
      indices_are_sorted: a promise that the index vectors ascend.
      unique_indices: a promise that no two windows overlap.
      mode: what happens to windows out of bounds; None leaves them out.

    Raises ValueError for indices that are not integers and TypeError where numbers, shapes or dtypes do not
    fit.

    >>> numbers = ScatterDimensionNumbers((), inserted_window_dims=(0,), scatter_dims_to_operand_dims=(0,))
    >>> scatter_add(np.zeros(3, np.float32), np.array([[1], [1]]), np.ones(2, np.float32), numbers)
    Array([0., 2., 0.], dtype=float32)
    """
    return scatter_add_p.apply(
        operand, scatter_indices, updates, dimension_numbers, indices_are_sorted, unique_indices, mode
    )


def scatter_sub(
    operand: Any,
    scatter_indices: Any,
    updates: Any,
    dimension_numbers: ScatterDimensionNumbers,
    *,
    indices_are_sorted: bool = False,
    unique_indices: bool = False,
    mode: str | GatherScatterMode | None = None,
) -> Any:
    """As `scatter_add`, with the updates subtracted.

    >>> numbers = ScatterDimensionNumbers((), inserted_window_dims=(0,), scatter_dims_to_operand_dims=(0,))
    >>> scatter_sub(np.zeros(3, np.float32), np.array([[1], [1]]), np.ones(2, np.float32), numbers)
    Array([ 0., -2.,  0.], dtype=float32)
    """
    return scatter_sub_p.apply(
        operand, scatter_indices, updates, dimension_numbers, indices_are_sorted, unique_indices, mode
    )


def zeros(aval: ShapedArray) -> Any:
    """An array of zeros of a type, as an equation also where it is a scalar."""
    return broadcast_in_dim(np.zeros((), aval.dtype)[()], aval.shape, ())


_update_jaxprs = Cache("scatter bodies", maxsize=256)


def update_jaxpr(primitive: Primitive, dtype: Any, use: str = "forward") -> ClosedJaxpr:
    """The program of two scalars that a scatter by ``primitive`` applies at each place.

    There is one for each ``use``, so that printed programs share and repeat it as JAX's do.
    """
    known: ClosedJaxpr | None = _update_jaxprs.get((primitive, dtype, use))
    if known is None:
        scalar = ShapedArray((), dtype)
        old, new, out = Var(scalar), Var(scalar), Var(scalar)
        known = ClosedJaxpr(Jaxpr([], [old, new], [out], [JaxprEqn([old, new], [out], primitive, {})]))
        _update_jaxprs.put((primitive, dtype, use), known)
    return known


class Scatter(Primitive):
    """The family of scatters: windows of updates are combined with the operand by an elementwise primitive.

    Args:
      combine: that primitive; None puts the update in place of what was there.
      reference: the same in NumPy.
    """

    def __init__(self, name: str, combine: Primitive | None, reference: Callable[..., Any]) -> None:
        self.combine = combine
        self.numpy = reference
        super().__init__(name)

    def body(self, dtype: Any, use: str = "forward") -> ClosedJaxpr | None:
        """The parameter ``update_jaxpr`` for operands of ``dtype``."""
        return None if self.combine is None else update_jaxpr(self.combine, dtype, use)

    def apply(
        self,
        x: Any,
        indices: Any,
        updates: Any,
        numbers: ScatterDimensionNumbers,
        indices_are_sorted: bool,
        unique_indices: bool,
        mode: str | GatherScatterMode | None,
        use: str = "forward",
    ) -> Any:
        """Bind the primitive with its parameters in canonical form."""
        return self.bind(
            x,
            indices,
            updates,
            update_jaxpr=self.body(aval_of(x).dtype, use),
            update_consts=(),
            dimension_numbers=numbers,
            indices_are_sorted=bool(indices_are_sorted),
            unique_indices=bool(unique_indices),
            mode=GatherScatterMode.from_any(mode),
        )

    def abstract_eval(self, x: Any, indices: Any, updates: Any, **params: Any) -> ShapedArray:
        name = self.name.replace("-", "_")
        check_scatter(name, x, indices, updates, params["dimension_numbers"])
        if self.combine is not None:
            self.combine.abstract_eval(x, x)
        return ShapedArray(x.shape, x.dtype, x.weak_type and updates.weak_type)

    def lower(self, ctx: Any, x: Any, indices: Any, updates: Any, **params: Any) -> Any:
        body = self.body(ctx.aval_out.dtype)

        def combine(b: Any, old: Any, new: Any) -> Any:
            return new if body is None else ctx.inline(body, b, [old, new])[0]

        return lower_scatter(ctx, x, indices, updates, params, combine)

    def batch(self, size: int, args: Any, dims: Any, **params: Any) -> Any:
        (x, indices, updates), (dim, index_dim, update_dim) = args, dims
        x = broadcast_axis(x, size, 0) if dim is None else move_axis(x, dim, 0)
        updates = (
            broadcast_axis(updates, size, 0) if update_dim is None else move_axis(updates, update_dim, 0)
        )
        numbers = _shift_operand_axes(params["dimension_numbers"].transposed())
        window = tuple([d + 1 for d in numbers.offset_dims])
        if index_dim is None:
            numbers = numbers._replace(offset_dims=(0, *window))
        else:
            indices = move_axis(indices, index_dim, 0)
            numbers = _share_first_axis(_shift_index_axes(numbers._replace(offset_dims=window)))
        return self.bind(x, indices, updates, **{**params, "dimension_numbers": numbers.transposed()}), 0

    def reference(self, x: Any, indices: Any, updates: Any, **params: Any) -> Any:
        return scatter_with_loops(x, indices, updates, params, self.numpy)

    def examples(self) -> Iterable[Example]:
        return scatter_examples(F32, self.body(F32), unique=False, differentiate=False)


def gather_windows(
    x: Any, indices: Any, updates: ShapedArray, params: dict[str, Any], mode: Any = None
) -> Any:
    """What ``x`` has where a scatter with ``params`` would put its updates."""
    numbers = params["dimension_numbers"]
    sizes = window_sizes(len(aval_of(x).shape), updates.shape, numbers)
    return gather(x, indices, numbers.transposed(), sizes, mode=mode, fill_value=0)


class LinearScatter(Scatter):
    """A scatter linear in operand and updates together.

    Args:
      share: what becomes of the cotangent of an update.
    """

    linear_in = (0, 2)

    def __init__(self, name: str, combine: Primitive, reference: Any, share: Callable[[Any], Any]) -> None:
        self.share = share
        super().__init__(name, combine, reference)

    def jvp(self, primals: Sequence[Any], tangents: Sequence[Any], **params: Any) -> tuple[Any, Any]:
        out = self.bind(*primals, **params)
        t, _, t_updates = tangents
        if type(t) is Zero and type(t_updates) is Zero:
            return out, Zero(aval_of(out).to_tangent_aval())
        return out, self.bind(instantiate(t), primals[1], instantiate(t_updates), **params)

    def transpose(self, ct: Any, x: Any, indices: Any, updates: Any, **params: Any) -> Any:
        if zero_ct(ct):
            return [None, None, None]
        ct_updates = None
        if is_undefined(updates):
            ct_updates = self.share(gather_windows(ct, indices, updates.aval, params, params["mode"]))
        return [ct if is_undefined(x) else None, None, ct_updates]

    def examples(self) -> Iterable[Example]:
        return scatter_examples(F32, self.body(F32))


scatter_add_p = LinearScatter("scatter-add", add_p, np.add, lambda ct: ct)
scatter_sub_p = LinearScatter("scatter-sub", sub_p, np.subtract, neg)
