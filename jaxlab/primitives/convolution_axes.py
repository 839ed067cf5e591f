"""Axes of a convolution's operands put into one another, and a convolution written out in NumPy."""

from __future__ import annotations

from typing import Any

import numpy as np

from jaxlab.core.aval import aval_of
from jaxlab.primitives.convolution_shapes import dilated, window_count
from jaxlab.primitives.reshaping import reshape


def merge_axis(source: int, destination: int, x: Any) -> Any:
    """``x`` with one axis made the slower part of another; ``destination`` counts the axes without it."""
    shape = aval_of(x).shape
    order = [i for i in range(len(shape)) if i != source]
    sizes = [shape[i] for i in order]
    sizes[destination] *= shape[source]
    order.insert(destination, source)
    return reshape(x, sizes, order)


def split_axis(axis: int, outer: int, x: Any) -> Any:
    """``x`` with an axis split into a slower one of size ``outer`` and the rest."""
    shape = aval_of(x).shape
    return reshape(x, (*shape[:axis], outer, shape[axis] // outer, *shape[axis + 1 :]))


def merge_within_groups(dim: int, axis: int, groups: int, x: Any) -> Any:
    """As `merge_axis`, but as the slower part of each of the groups that the axis is made of."""
    place = axis + (dim <= axis)
    x = split_axis(place, groups, x)
    x = merge_axis(dim + (place < dim), axis + 1, x)
    return merge_axis(axis, axis, x)


def reference_convolution(x: np.ndarray, y: np.ndarray, params: dict[str, Any]) -> np.ndarray:
    """Sums over the places of the kernel, of operands written out with their holes and padding."""
    lhs, rhs, out = params["dimension_numbers"]
    dtype = params["preferred_element_type"] or x.dtype
    x, y = np.transpose(x, lhs).astype(dtype), np.transpose(y, rhs).astype(dtype)
    for i, (low, high) in enumerate(params["padding"]):
        x = _with_holes(x, i + 2, params["lhs_dilation"][i], low, high)
        y = _with_holes(y, i + 2, params["rhs_dilation"][i], 0, 0)
    space, strides = y.shape[2:], params["window_strides"]
    sizes = [window_count(n, k, s) for n, k, s in zip(x.shape[2:], space, strides, strict=True)]
    features, batches = params["feature_group_count"], params["batch_group_count"]
    groups = features * batches
    total = np.zeros((x.shape[0] // batches, y.shape[0], *sizes), dtype)
    for group, kernel in enumerate(np.split(y, groups)):
        part = np.split(x, features, 1)[group] if features > 1 else np.split(x, batches)[group]
        channels = slice(group * len(kernel), (group + 1) * len(kernel))
        for place in np.ndindex(*space):
            where = [slice(p, p + n * s, s) for p, n, s in zip(place, sizes, strides, strict=True)]
            seen = part[(slice(None), slice(None), *where)]
            product = np.tensordot(kernel[(slice(None), slice(None), *place)], seen, (1, 1))
            total[:, channels] += np.moveaxis(product, 0, 1).astype(dtype)
    return np.transpose(total, np.argsort(out))


def _with_holes(x: np.ndarray, axis: int, dilation: int, low: int, high: int) -> np.ndarray:
    x = np.moveaxis(x, axis, 0)
    spread = np.zeros((dilated(len(x), dilation), *x.shape[1:]), x.dtype)
    spread[::dilation] = x
    pads = [(max(low, 0), max(high, 0))] + [(0, 0)] * (x.ndim - 1)
    spread = np.pad(spread, pads)
    return np.moveaxis(spread[max(-low, 0) : len(spread) - max(-high, 0)], 0, axis)
