"""What is checked of single operations: that they give no NaN, divide by no zero and index within bounds."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from jaxlab.core.aval import aval_of, is_inexact
from jaxlab.interpreters.check_errors import DivisionByZeroError, NaNError, OOBError, Report
from jaxlab.interpreters.error_values import failure, place
from jaxlab.primitives.arg_extremes import argmax
from jaxlab.primitives.broadcasting import broadcast_in_dim, expand_dims
from jaxlab.primitives.comparison import eq, gt, lt, ne
from jaxlab.primitives.concatenation import concatenate
from jaxlab.primitives.conversion import convert_element_type
from jaxlab.primitives.dynamic_slicing import dynamic_index_in_dim
from jaxlab.primitives.logic import bitwise_or
from jaxlab.primitives.reduction import reduce_or
from jaxlab.primitives.reshaping import reshape

# Those that can make a NaN of numbers; the others only hand on one that was reported already.
_NAN_NAMES = (
    "acos acosh add asin asinh atan2 atan atanh bessel_i0e bessel_i1e cbrt conv_general_dilated cos cosh "
    "cumlogsumexp cummax cummin cumprod cumsum digamma div dot_general erf_inv erf erfc exp expm1 fft "
    "igamma_grad_a igamma igammac integer_pow lgamma linear_solve log1p log logistic mul pad pow psum reduce "
    "reduce_prod reduce_sum reduce_window reduce_window_sum regularized_incomplete_beta rem rng_uniform rsqrt "
    "scatter scatter-add scatter-mul scatter-min scatter-max sin sinh sqrt sub tan tanh"
)
MAY_GIVE_NAN = frozenset(_NAN_NAMES.split())

I32 = np.dtype(np.int32)


def inspect(
    trace: Any, primitive: Any, args: Sequence[Any], params: dict[str, Any], out: Sequence[Any]
) -> None:
    """Include in the error of ``trace`` what an application did wrong, of what it is to look for."""
    name = primitive.name
    enabled = trace.enabled
    if name == "div" and DivisionByZeroError in enabled:
        divisor = aval_of(args[1])
        zero = eq(args[1], np.zeros(divisor.shape, divisor.dtype))
        trace.include(failure(_any(zero), Report(DivisionByZeroError, place(), name)))
    if name in MAY_GIVE_NAN and NaNError in enabled:
        for x in out:
            if is_inexact(aval_of(x).dtype):
                trace.include(failure(_any(ne(x, x)), Report(NaNError, place(), name)))
    if OOBError in enabled:
        if name == "dynamic_slice":
            _check_starts(trace, name, args[0], args[1:], params["slice_sizes"])
        elif name == "dynamic_update_slice":
            _check_starts(trace, name, args[0], args[2:], aval_of(args[1]).shape)
        elif name == "gather":
            axes = params["dimension_numbers"].start_index_map
            _check_indices(trace, name, args[0], args[1], axes, params["slice_sizes"])
        elif name.startswith("scatter"):
            numbers = params["dimension_numbers"]
            sizes = _window_sizes(aval_of(args[0]).shape, aval_of(args[2]).shape, numbers)
            _check_indices(trace, name, args[0], args[1], numbers.scatter_dims_to_operand_dims, sizes)


def _any(x: Any) -> Any:
    rank = len(aval_of(x).shape)
    return reduce_or(x, range(rank)) if rank else x


def _window_sizes(shape: Sequence[int], updates: Sequence[int], numbers: Any) -> list[int]:
    single = {*numbers.inserted_window_dims, *numbers.operand_batching_dims}
    windows = iter(numbers.update_window_dims)
    return [1 if axis in single else updates[next(windows)] for axis in range(len(shape))]


def _check_starts(trace: Any, name: str, operand: Any, starts: Sequence[Any], sizes: Sequence[int]) -> None:
    """Indices given one by one, as scalars."""
    if starts:
        row = concatenate([expand_dims(convert_element_type(i, I32), (0,)) for i in starts], 0)
        _check_indices(trace, name, operand, row, tuple(range(len(starts))), sizes)


def _check_indices(
    trace: Any, name: str, operand: Any, indices: Any, axes: Sequence[int], sizes: Sequence[int]
) -> None:
    """Index vectors along the last axis of ``indices``, into ``axes`` of the operand, for slices of ``sizes``."""
    shape = aval_of(operand).shape
    index_shape = aval_of(indices).shape
    count = math.prod(index_shape)
    if not count:
        return
    if aval_of(indices).dtype.itemsize < 8:  # bounds may be larger than narrow integers
        indices = convert_element_type(indices, I32)
    dtype = aval_of(indices).dtype
    last = np.array([shape[axis] - sizes[axis] for axis in axes], dtype)
    bounds = broadcast_in_dim(last, index_shape, (len(index_shape) - 1,))
    outside = bitwise_or(lt(indices, np.zeros(index_shape, dtype)), gt(indices, bounds))
    first = argmax(convert_element_type(reshape(outside, (count,)), I32), 0, I32)

    def at_first(table: Any) -> Any:
        found = dynamic_index_in_dim(reshape(table, (count,)), first, 0, True)
        return convert_element_type(found, I32)

    axis_of = np.broadcast_to(np.array(axes, np.int32), index_shape)
    size_of = np.broadcast_to(np.array([shape[axis] for axis in axes], np.int32), index_shape)
    payload = concatenate([at_first(indices), at_first(axis_of), at_first(size_of)], 0)
    trace.include(failure(_any(outside), Report(OOBError, place(), name, shape), [payload]))
