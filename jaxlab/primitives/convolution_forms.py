"""Convolutions in shorter forms: plain, padded, transposed, and as patches."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from jaxlab.core.aval import aval_of
from jaxlab.primitives.broadcasting import broadcast_in_dim
from jaxlab.primitives.concatenation import rev
from jaxlab.primitives.convolution import conv_general_dilated
from jaxlab.primitives.convolution_shapes import conv_dimension_numbers, dilated, transposed_pads
from jaxlab.primitives.creation import eye
from jaxlab.primitives.reshaping import reshape, transpose


def conv(
    lhs: Any,
    rhs: Any,
    window_strides: Sequence[int],
    padding: str,
    precision: Any = None,
    preferred_element_type: Any = None,
) -> Any:
    """A convolution of an operand (batch, features, space) with a kernel (output, input features, space).

    >>> conv(np.ones((1, 1, 4), np.float32), np.ones((1, 1, 2), np.float32), (1,), "SAME").shape
    (1, 1, 4)
    """
    return conv_general_dilated(
        lhs, rhs, window_strides, padding, precision=precision, preferred_element_type=preferred_element_type
    )


def conv_with_general_padding(
    lhs: Any,
    rhs: Any,
    window_strides: Sequence[int],
    padding: Any,
    lhs_dilation: Sequence[int] | None,
    rhs_dilation: Sequence[int] | None,
    precision: Any = None,
    preferred_element_type: Any = None,
) -> Any:
    """As `conv`, with pairs of numbers as padding, and with holes.

    >>> signal, kernel = np.ones((1, 1, 4), np.float32), np.ones((1, 1, 2), np.float32)
    >>> conv_with_general_padding(signal, kernel, (1,), ((1, 1),), None, None).shape
    (1, 1, 5)
    """
    return conv_general_dilated(
        lhs,
        rhs,
        window_strides,
        padding,
        lhs_dilation,
        rhs_dilation,
        precision=precision,
        preferred_element_type=preferred_element_type,
    )


# Channels last, as in the libraries that name this operation.
_CHANNELS_LAST = {
    3: ("NHC", "HIO", "NHC"),
    4: ("NHWC", "HWIO", "NHWC"),
    5: ("NHWDC", "HWDIO", "NHWDC"),
}


def conv_transpose(
    lhs: Any,
    rhs: Any,
    strides: Sequence[int],
    padding: Any,
    rhs_dilation: Sequence[int] | None = None,
    dimension_numbers: Any = None,
    transpose_kernel: bool = False,
    precision: Any = None,
    preferred_element_type: Any = None,
    use_consistent_padding: bool = False,
) -> Any:
    """The transposed ("deconvolving", fractionally strided) convolution.

    Args:
      lhs, rhs: operand and kernel.
      strides: a factor for each axis of space, by which the result is larger than the operand.
      padding: ``"SAME"``, ``"VALID"``, or a pair of numbers for each axis of space: of the operand with its
        holes, or, with ``use_consistent_padding``, of the convolution of which this is the transpose.
      rhs_dilation: how far apart the kernel's elements are put.
      dimension_numbers: which axis is what; by default channels are last, as in ``("NHWC", "HWIO", "NHWC")``.
      transpose_kernel: turn the kernel round and swap its feature axes, so that this is the adjoint of the
        convolution with it.

    >>> conv_transpose(np.ones((1, 4, 2), np.float32), np.ones((3, 2, 5), np.float32), (2,), "SAME").shape
    (1, 8, 5)
    """
    lhs_shape, rhs_shape = aval_of(lhs).shape, aval_of(rhs).shape
    if dimension_numbers is None:
        dimension_numbers = _CHANNELS_LAST.get(len(lhs_shape))
        if dimension_numbers is None:
            raise ValueError(
                f"conv_transpose: No 4+ dimensional dimension_number defaults, for an operand of shape "
                f"{lhs_shape}."
            )
    numbers = conv_dimension_numbers(lhs_shape, rhs_shape, dimension_numbers)
    space = numbers.rhs_spec[2:]
    kernel = [dilated(rhs_shape[i], d) for i, d in zip(space, rhs_dilation or (1,) * len(space), strict=True)]
    if isinstance(padding, str):
        padding = transposed_pads(kernel, strides, padding)
    elif use_consistent_padding:
        padding = [(k - 1 - low, k - 1 - high) for k, (low, high) in zip(kernel, padding, strict=True)]
    if transpose_kernel:
        for axis in space:
            rhs = rev(rhs, (axis,))
        order = list(range(len(rhs_shape)))
        out, into = numbers.rhs_spec[:2]
        order[out], order[into] = into, out
        rhs = transpose(rhs, order)
    return conv_general_dilated(
        lhs,
        rhs,
        (1,) * len(space),
        padding,
        strides,
        rhs_dilation,
        numbers,
        precision=precision,
        preferred_element_type=preferred_element_type,
    )


def conv_general_dilated_patches(
    lhs: Any,
    filter_shape: Sequence[int],
    window_strides: Sequence[int],
    padding: Any,
    lhs_dilation: Sequence[int] | None = None,
    rhs_dilation: Sequence[int] | None = None,
    dimension_numbers: Any = None,
    precision: Any = None,
    preferred_element_type: Any = None,
) -> Any:
    """The patches that a kernel would see, each as the features of one place, input feature by input feature.

    >>> conv_general_dilated_patches(np.ones((1, 2, 4, 4), np.float32), (3, 2), (1, 1), "VALID").shape
    (1, 12, 2, 3)
    """
    shape = aval_of(lhs).shape
    numbers = conv_dimension_numbers(shape, (1,) * len(shape), dimension_numbers)
    features, window = shape[numbers.lhs_spec[1]], math.prod(filter_shape)
    dtype = aval_of(lhs).dtype
    one_hot = eye(dtype, (window, window), 0)
    many = broadcast_in_dim(one_hot, (features, window, window), (1, 2))
    rhs = reshape(many, (features * window, 1, *filter_shape))
    # From (output, input, space) to the kernel's own axes.
    rhs = transpose(rhs, np.argsort(numbers.rhs_spec).tolist())
    return conv_general_dilated(
        lhs,
        rhs,
        window_strides,
        padding,
        lhs_dilation,
        rhs_dilation,
        numbers,
        feature_group_count=features,
        precision=precision,
        preferred_element_type=preferred_element_type,
    )
