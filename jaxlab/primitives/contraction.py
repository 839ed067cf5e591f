"""Contractions: products summed over axes, with axes in common; a matrix product is the simplest."""

from __future__ import annotations

import operator
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from jaxlab import dtypes
from jaxlab.core.aval import ShapedArray, aval_of, is_undefined
from jaxlab.core.primitive import Example, Primitive
from jaxlab.primitives.bilinear import accumulator, bilinear_jvp, same_dtype
from jaxlab.primitives.conversion import convert_element_type
from jaxlab.primitives.precision import canonical_precision, precision_attribute
from jaxlab.primitives.reshaping import F32, I32, transpose, zero_ct

DimensionNumbers = tuple[tuple[Sequence[int], Sequence[int]], tuple[Sequence[int], Sequence[int]]]


def dot_general(
    lhs: Any,
    rhs: Any,
    dimension_numbers: DimensionNumbers,
    precision: Any = None,
    preferred_element_type: Any = None,
    *,
    out_sharding: Any = None,
) -> Any:
    """The sum of products over pairs of axes, for each index of paired batch axes.

    Args:
      lhs, rhs: arrays; their dtypes may differ.
      dimension_numbers: ``((lhs_contracting, rhs_contracting), (lhs_batch, rhs_batch))``, axes pairwise of
        equal sizes.
      precision: a `Precision`, its name, or one for each operand.
      preferred_element_type: the dtype of the sum, and of the result.

    Returns the array with the batch axes first, then the other axes of ``lhs``, then those of ``rhs``.

    Raises:
      TypeError: if the axes do not fit, or the preferred dtype cannot hold the result.

    >>> lhs, rhs = np.ones((2, 3, 4), np.float32), np.ones((2, 4, 5), np.float32)
    >>> dot_general(lhs, rhs, (((2,), (1,)), ((0,), (0,)))).shape
    (2, 3, 5)
    """
    (contract_l, contract_r), (batch_l, batch_r) = dimension_numbers
    preferred = None if preferred_element_type is None else dtypes.canonicalize(preferred_element_type)
    return dot_general_p.bind(
        lhs,
        rhs,
        dimension_numbers=((_axes(contract_l), _axes(contract_r)), (_axes(batch_l), _axes(batch_r))),
        precision=canonical_precision("dot_general", precision),
        preferred_element_type=preferred,
        out_sharding=out_sharding,
    )


def _axes(axes: Sequence[int]) -> tuple[int, ...]:
    return tuple([operator.index(axis) for axis in axes])


def dot(
    lhs: Any,
    rhs: Any,
    *,
    dimension_numbers: DimensionNumbers | None = None,
    precision: Any = None,
    preferred_element_type: Any = None,
    out_sharding: Any = None,
) -> Any:
    """The product of two vectors, of a matrix and a vector, or of two matrices.

    With ``dimension_numbers`` it is `dot_general`.

    Raises:
      ValueError: if the operands are no vectors or matrices that fit.

    >>> dot(np.ones((2, 3), np.float32), np.ones(3, np.float32)).shape
    (2,)
    """
    if dimension_numbers is None:
        shape_l, shape_r = aval_of(lhs).shape, aval_of(rhs).shape
        if not (1 <= len(shape_l) <= 2 and 1 <= len(shape_r) <= 2 and shape_l[-1] == shape_r[0]):
            raise ValueError(
                f"dot: operands of shapes {shape_l} and {shape_r} were given, but without dimension_numbers "
                f"they must be "
                "vectors or matrices, with the last axis of the first as long as the first axis of the "
                "second; "
                "name the axes with dimension_numbers"
            )
        dimension_numbers = (((len(shape_l) - 1,), (0,)), ((), ()))
    return dot_general(
        lhs, rhs, dimension_numbers, precision, preferred_element_type, out_sharding=out_sharding
    )


def batch_matmul(lhs: Any, rhs: Any, precision: Any = None) -> Any:
    """Matrix products over the last two axes, for each index of the leading ones, equal in both operands.

    Raises:
      ValueError: if an operand has fewer than two axes, or the operands have different numbers of them.

    >>> batch_matmul(np.ones((2, 3, 4), np.float32), np.ones((2, 4, 5), np.float32)).shape
    (2, 3, 5)
    """
    ndim_l, ndim_r = len(aval_of(lhs).shape), len(aval_of(rhs).shape)
    if min(ndim_l, ndim_r) < 2:
        raise ValueError(
            f"Arguments to batch_matmul must be at least 2D, got {ndim_l}, {ndim_r}; add axes first"
        )
    if ndim_l != ndim_r:
        raise ValueError(
            f"Arguments to batch_matmul must have same ndim, got {ndim_l}, {ndim_r}; broadcast one first"
        )
    batch = tuple(range(ndim_l - 2))
    return dot_general(lhs, rhs, (((ndim_l - 1,), (ndim_l - 2,)), (batch, batch)), precision)


def free_axes(ndim: int, *used: Sequence[int]) -> tuple[int, ...]:
    """The axes in none of ``used``, in order."""
    taken = set().union(*used)
    return tuple([i for i in range(ndim) if i not in taken])


def _dot_numbers(dimension_numbers: Any) -> str:
    (contract_x, contract_y), (batch_x, batch_y) = dimension_numbers
    return (
        f"#stablehlo.dot<lhs_batching_dimensions = {list(batch_x)}, rhs_batching_dimensions = {list(batch_y)}, "
        f"lhs_contracting_dimensions = {list(contract_x)}, rhs_contracting_dimensions = {list(contract_y)}>"
    )


class DotGeneral(Primitive):
    name = "dot_general"
    linear_in = (0, 1)
    bilinear = True

    def printed(self, params: dict[str, Any]) -> dict[str, Any]:
        contract, batch = params["dimension_numbers"]
        numbers = tuple(map(list, contract)), tuple(map(list, batch))
        rest = {
            name: x for name, x in sorted(params.items()) if x is not None and name != "dimension_numbers"
        }
        return {"dimension_numbers": numbers, **rest}

    def abstract_eval(
        self,
        x: Any,
        y: Any,
        *,
        dimension_numbers: Any,
        precision: Any,
        preferred_element_type: Any,
        out_sharding: Any,
    ) -> ShapedArray:
        (contract_x, contract_y), (batch_x, batch_y) = dimension_numbers
        for side, aval, batch, contract in (("lhs", x, batch_x, contract_x), ("rhs", y, batch_y, contract_y)):
            _check_axes(side, aval, batch, contract)
        _check_sizes("batch", x, y, batch_x, batch_y)
        _check_sizes("contracting", x, y, contract_x, contract_y)
        shape = tuple([x.shape[i] for i in batch_x])
        shape += tuple([x.shape[i] for i in free_axes(len(x.shape), batch_x, contract_x)])
        shape += tuple([y.shape[i] for i in free_axes(len(y.shape), batch_y, contract_y)])
        dtype = x.dtype if x.dtype == y.dtype else dtypes.promote_types(x.dtype, y.dtype)
        return ShapedArray(shape, accumulator(dtype, preferred_element_type), x.weak_type and y.weak_type)

    def lower(
        self,
        ctx: Any,
        x: Any,
        y: Any,
        *,
        dimension_numbers: Any,
        precision: Any,
        preferred_element_type: Any,
        out_sharding: Any,
    ) -> Any:
        b = ctx.b
        x, y = same_dtype(ctx, x, y)
        attributes = b.attributes(
            (dimension_numbers, precision),
            lambda: {
                "dot_dimension_numbers": b.parse(_dot_numbers(dimension_numbers)),
                "precision_config": precision_attribute(b, precision),
            },
        )
        aval = ctx.eqn.outvars[0].aval
        return b.plain("stablehlo.dot_general", b.tensor(aval.shape, aval.dtype), (x, y), attributes)

    def jvp(self, primals: Sequence[Any], tangents: Sequence[Any], **params: Any) -> tuple[Any, Any]:
        return bilinear_jvp(self, primals, tangents, params)

    def transpose(self, ct: Any, x: Any, y: Any, **params: Any) -> list[Any]:
        if zero_ct(ct):
            return [None, None]
        if is_undefined(x):
            return [self._transpose_one(ct, x.aval, y, first=True, **params), None]
        return [None, self._transpose_one(ct, y.aval, x, first=False, **params)]

    def _transpose_one(self, ct: Any, aval: ShapedArray, other: Any, *, first: bool, **params: Any) -> Any:
        """The cotangent of one operand: ``ct`` contracted with the other over the axes from there."""
        contract, batch = params["dimension_numbers"]
        own_contract, other_contract = contract if first else contract[::-1]
        own_batch, other_batch = batch if first else batch[::-1]
        own_free = free_axes(len(aval.shape), own_batch, own_contract)
        other_free = free_axes(len(aval_of(other).shape), other_batch, other_contract)
        count = len(own_batch)
        start = count + len(own_free) if first else count
        in_ct = tuple(range(start, start + len(other_free)))
        numbers = ((in_ct, other_free), (tuple(range(count)), other_batch))
        out = self.bind(ct, other, **{**params, "dimension_numbers": numbers})
        # What is left of the other operand comes in the order of its axes; send each back to its partner.
        partners = [
            own_contract[i] for i in sorted(range(len(own_contract)), key=lambda i: other_contract[i])
        ]
        order = [*own_batch, *own_free, *partners]
        out = transpose(out, sorted(range(len(order)), key=order.__getitem__))
        return out if aval_of(out).dtype == aval.dtype else convert_element_type(out, aval.dtype)

    def batch(self, size: int, args: Any, dims: Any, **params: Any) -> tuple[Any, int]:
        (dim_x, dim_y), (contract, batch) = dims, params["dimension_numbers"]
        shapes = [aval_of(x).shape for x in args]

        def shifted(axes: Sequence[int], dim: int | None) -> tuple[int, ...]:
            return tuple(axes) if dim is None else tuple([axis + (axis >= dim) for axis in axes])

        contract = (shifted(contract[0], dim_x), shifted(contract[1], dim_y))
        batch = (shifted(batch[0], dim_x), shifted(batch[1], dim_y))
        if dim_x is not None and dim_y is not None:
            batch = ((dim_x, *batch[0]), (dim_y, *batch[1]))
            out_dim = 0
        elif dim_x is not None:
            out_dim = len(batch[0]) + free_axes(len(shapes[0]), batch[0], contract[0]).index(dim_x)
        else:
            free_x = free_axes(len(shapes[0]), batch[0], contract[0])
            out_dim = (
                len(batch[0]) + len(free_x) + free_axes(len(shapes[1]), batch[1], contract[1]).index(dim_y)
            )
        return self.bind(*args, **{**params, "dimension_numbers": (contract, batch)}), out_dim

    def reference(
        self,
        x: Any,
        y: Any,
        *,
        dimension_numbers: Any,
        precision: Any,
        preferred_element_type: Any,
        out_sharding: Any,
    ) -> Any:
        (contract_x, contract_y), (batch_x, batch_y) = dimension_numbers
        names_x = list(range(x.ndim))
        names_y = list(range(x.ndim, x.ndim + y.ndim))
        for i, j in zip((*contract_x, *batch_x), (*contract_y, *batch_y), strict=True):
            names_y[j] = names_x[i]
        out = [names_x[i] for i in batch_x]
        out += [names_x[i] for i in free_axes(x.ndim, batch_x, contract_x)]
        out += [names_y[i] for i in free_axes(y.ndim, batch_y, contract_y)]
        dtype = preferred_element_type or np.result_type(x.dtype, y.dtype)
        wide = dtype if np.dtype(dtype).kind in "biu" else np.result_type(dtype, np.float64)
        return np.einsum(x.astype(wide), names_x, y.astype(wide), names_y, out).astype(dtype)

    def examples(self) -> Iterable[Example]:
        cases: list[Any] = [
            ((2, 3), (3, 4), (((1,), (0,)), ((), ()))),
            ((3,), (3,), (((0,), (0,)), ((), ()))),
            ((2, 3, 4), (4, 2, 5), (((2,), (0,)), ((0,), (1,)))),
            ((5, 3, 4), (4, 3, 2, 5), (((2, 0), (0, 3)), ((), ()))),
            ((2, 3), (4,), (((), ()), ((), ()))),
            ((2, 3), (2, 3), (((), ()), ((1, 0), (1, 0)))),
        ]
        for shape_x, shape_y, numbers in cases:
            yield self.example((shape_x, F32), (shape_y, F32), numbers)
        matrices = cases[0][2]
        yield self.example(((2, 0), F32), ((0, 3), F32), matrices, differentiate=False)
        yield self.example(((2, 3), np.dtype(np.complex64)), ((3, 2), np.dtype(np.complex64)), matrices)
        yield self.example(
            ((2, 3), np.dtype(np.int8)),
            ((3, 2), np.dtype(np.int8)),
            matrices,
            preferred=I32,
            differentiate=False,
        )

    def example(
        self, x: Any, y: Any, numbers: Any, preferred: Any = None, differentiate: bool = True
    ) -> Example:
        """An example from shapes and dtypes."""
        params = {
            "dimension_numbers": numbers,
            "precision": None,
            "preferred_element_type": preferred,
            "out_sharding": None,
        }
        return Example((ShapedArray(*x), ShapedArray(*y)), params, differentiate=differentiate)


def _check_axes(side: str, aval: ShapedArray, batch: Sequence[int], contract: Sequence[int]) -> None:
    ndim = len(aval.shape)
    if any(not 0 <= axis < ndim for axis in (*batch, *contract)):
        raise TypeError(
            f"dot_general requires {side} dimension numbers to be nonnegative and less than the number of "
            f"axes of the "
            f"{side} value, got {side}_batch of {batch} and {side}_contracting of {contract} for {side} "
            f"{aval.str_short()}"
        )
    if len({*batch, *contract}) != len(batch) + len(contract):
        raise TypeError(
            f"dot_general requires {side} batch and contracting dimensions to be distinct, got {side}_batch "
            f"of {batch} "
            f"and {side}_contracting of {contract}"
        )


def _check_sizes(
    what: str, x: ShapedArray, y: ShapedArray, axes_x: Sequence[int], axes_y: Sequence[int]
) -> None:
    sizes_x, sizes_y = tuple([x.shape[i] for i in axes_x]), tuple([y.shape[i] for i in axes_y])
    if sizes_x == sizes_y:
        return
    if what == "batch":
        what_x, what_y = "lhs batch dimensions", "rhs batch dimensions"
        raise TypeError(
            f"dot_general requires {what_x} and {what_y} to have the same shape, got {sizes_x} and "
            f"{sizes_y}, "
            f"for operands {x.str_short()} and {y.str_short()}"
        )
    raise TypeError(
        f"dot_general requires contracting dimensions to have the same shape, got {sizes_x} and {sizes_y}, "
        f"for operands {x.str_short()} and {y.str_short()}"
    )


dot_general_p = DotGeneral()
