"""Sorting on a CPU by one integer a row: key and place packed in one, or the key alone.

XLA's CPU sort calls a compiled comparator for each pair. With one integer operand it is several times faster
than with floats, whose order takes more to compare, or with several operands, which it moves element by
element.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from jaxlab import dtypes
from jaxlab.core.aval import ShapedArray
from jaxlab.primitives.reshaping import I32, U32

I64 = np.dtype(np.int64)
BOOL = np.dtype(np.bool_)

# Below this many elements the packing costs more than it saves; above it takes a fourth of the time.
SMALLEST = 512
SMALLEST_NORMAL = 0x00800000


def can_pack(avals: Sequence[ShapedArray]) -> bool:
    """Whether `lower_packed_sort` is right for these operands, the first of which is the key, and faster."""
    key = avals[0]
    if not SMALLEST <= math.prod(key.shape) < 1 << 31:
        return False
    if not all(isinstance(aval.dtype, np.dtype) for aval in avals):
        return False
    is_float = dtypes.issubdtype(key.dtype, np.floating) and key.dtype.itemsize in (2, 4)
    is_integer = key.dtype.kind in "iu" and key.dtype.itemsize <= 4
    return is_float or (is_integer and len(avals) > 1)


def lower_packed_sort(
    b: Any, operands: Sequence[Any], avals: Sequence[ShapedArray], dimension: int
) -> list[Any]:
    """Sort ``key << 32 | place`` as 64-bit integers, stable by itself; then fetch all operands from there."""
    key = avals[0]
    shape = key.shape
    wide, narrow = b.tensor(shape, I64), ShapedArray(shape, I32)
    ordered = b.value("stablehlo.convert", wide, _ordered_key(b, operands[0], key))
    high = b.value("stablehlo.shift_left", wide, ordered, b.full(32, ShapedArray(shape, I64)))
    place = b.value("stablehlo.iota", wide, iota_dimension=b.i64(dimension))
    packed = b.value("stablehlo.or", wide, high, place)
    sort = b.op(
        "stablehlo.sort",
        [wide],
        [packed],
        {"dimension": b.i64(dimension), "is_stable": b.flag(False)},
        regions=1,
    )
    scalar = b.tensor((), I64)
    body, (left, right) = b.block(sort.regions[0], [scalar, scalar])
    body.end([body.compare(left, right, "LT", I64, ())])
    places = b.value("stablehlo.convert", b.type(narrow), sort.result)
    return [fetch(b, x, aval, places, dimension) for x, aval in zip(operands, avals, strict=True)]


def _ordered_key(b: Any, x: Any, aval: ShapedArray) -> Any:
    """32-bit integers in the order of ``x``: NaN last, all of them equal, and the two zeros equal.

    Subnormal numbers are equal to zero, as for every comparison of floats that XLA compiles for a CPU.
    """
    shape, dtype = aval.shape, aval.dtype
    narrow = ShapedArray(shape, I32)
    kind = b.type(narrow)
    if dtype == U32:
        unsigned = ShapedArray(shape, U32)
        flipped = b.value("stablehlo.xor", b.type(unsigned), x, b.full(1 << 31, unsigned))
        return b.value("stablehlo.bitcast_convert", kind, flipped)
    if dtype.kind in "iu":
        return b.value("stablehlo.convert", kind, x)
    f32 = np.dtype(np.float32)
    if dtype != f32:
        x = b.value("stablehlo.convert", b.tensor(shape, f32), x)
    bits = b.value("stablehlo.bitcast_convert", kind, x)
    magnitude = b.value("stablehlo.and", kind, bits, b.full(0x7FFFFFFF, narrow))
    zero = b.full(0, narrow)
    is_zero = b.compare(magnitude, b.full(SMALLEST_NORMAL, narrow), "LT", I32, shape)
    magnitude = b.value("stablehlo.select", kind, is_zero, zero, magnitude)
    negative = b.value("stablehlo.negate", kind, magnitude)
    sign = b.compare(bits, zero, "LT", I32, shape)
    value = b.value("stablehlo.select", kind, sign, negative, magnitude)
    nan = b.compare(magnitude, b.full(0x7F800000, narrow), "GT", I32, shape)
    return b.value("stablehlo.select", kind, nan, b.full(0x7FFFFFFF, narrow), value)


def fetch(b: Any, x: Any, aval: ShapedArray, places: Any, dimension: int) -> Any:
    """The elements of ``x`` at ``places`` along an axis, by one index into the flat array."""
    shape, size = aval.shape, math.prod(aval.shape)
    narrow = ShapedArray(shape, I32)
    kind = b.type(narrow)
    inner = math.prod(shape[dimension + 1 :])
    index = places if inner == 1 else b.value("stablehlo.multiply", kind, places, b.full(inner, narrow))
    stride = size
    for axis, length in enumerate(shape):
        stride //= length
        if axis != dimension and length > 1:
            iota = b.value("stablehlo.iota", kind, iota_dimension=b.i64(axis))
            offset = b.value("stablehlo.multiply", kind, iota, b.full(stride, narrow))
            index = b.value("stablehlo.add", kind, index, offset)
    flat = b.value("stablehlo.reshape", b.tensor((size,), aval.dtype), x)
    column = b.value("stablehlo.reshape", b.tensor((size, 1), I32), index)
    numbers = b.parse(
        "#stablehlo.gather<collapsed_slice_dims = [0], start_index_map = [0], index_vector_dim = 1>"
    )
    taken = b.value(
        "stablehlo.gather",
        b.tensor((size,), aval.dtype),
        flat,
        column,
        dimension_numbers=numbers,
        slice_sizes=b.i64s((1,)),
        indices_are_sorted=b.flag(False),
    )
    return b.value("stablehlo.reshape", b.type(aval), taken)
