"""Operations on bits, which for bool are those of logic."""

from __future__ import annotations

from typing import Any

import numpy as np

from jaxlab.core.primitive import Example
from jaxlab.primitives.elementwise import BITS, INTEGER, Elementwise


def bitwise_not(x: Any) -> Any:
    """Each bit inverted; for bool, logical not.

    >>> bitwise_not(np.int32(5))
    Array(-6, dtype=int32)
    """
    return not_p.bind(x)


def bitwise_and(x: Any, y: Any) -> Any:
    """The bits set in both; for bool, logical and.

    >>> bitwise_and(np.int32(6), np.int32(3))
    Array(2, dtype=int32)
    """
    return and_p.bind(x, y)


def bitwise_or(x: Any, y: Any) -> Any:
    """The bits set in either; for bool, logical or.

    >>> bitwise_or(np.int32(6), np.int32(3))
    Array(7, dtype=int32)
    """
    return or_p.bind(x, y)


def bitwise_xor(x: Any, y: Any) -> Any:
    """The bits set in one of two; for bool, whether they differ.

    >>> bitwise_xor(np.int32(6), np.int32(3))
    Array(5, dtype=int32)
    """
    return xor_p.bind(x, y)


not_p = Elementwise("not", "stablehlo.not", np.invert, [None], accepts=BITS)
and_p = Elementwise("and", "stablehlo.and", np.bitwise_and, [None, None], accepts=BITS)
or_p = Elementwise("or", "stablehlo.or", np.bitwise_or, [None, None], accepts=BITS)
xor_p = Elementwise("xor", "stablehlo.xor", np.bitwise_xor, [None, None], accepts=BITS)


def shift_left(x: Any, y: Any) -> Any:
    """``x`` with its bits moved ``y`` places up; 0 where ``y`` is not from 0 to one less than the number of
    bits.

    >>> shift_left(np.int32(3), np.int32(2))
    Array(12, dtype=int32)
    """
    return shift_left_p.bind(x, y)


def shift_right_logical(x: Any, y: Any) -> Any:
    """``x`` with its bits moved ``y`` places down and zeros moved in; 0 where ``y`` is out of range.

    >>> shift_right_logical(np.uint8(0x80), np.uint8(7))
    Array(1, dtype=uint8)
    """
    return shift_right_logical_p.bind(x, y)


def shift_right_arithmetic(x: Any, y: Any) -> Any:
    """``x`` with its bits moved ``y`` places down and copies of the sign moved in, also where ``y`` is out
    of range.

    >>> shift_right_arithmetic(np.int32(-8), np.int32(1))
    Array(-4, dtype=int32)
    """
    return shift_right_arithmetic_p.bind(x, y)


def population_count(x: Any) -> Any:
    """The number of bits set.

    >>> population_count(np.int32(-1))
    Array(32, dtype=int32)
    """
    return population_count_p.bind(x)


def clz(x: Any) -> Any:
    """The number of zeros above the highest bit set.

    >>> clz(np.int32(1))
    Array(31, dtype=int32)
    """
    return clz_p.bind(x)


def _unsigned(x: np.ndarray) -> np.ndarray:
    return x.view(np.dtype(f"uint{x.dtype.itemsize * 8}"))


def _shift(way: Any, outside: Any) -> Any:
    """A reference: NumPy leaves a shift by too many bits undefined."""

    def shift(x: Any, y: Any) -> Any:
        x, y = np.broadcast_arrays(x, y)
        bits = x.dtype.itemsize * 8
        amount = _unsigned(np.ascontiguousarray(y).reshape(y.shape))
        inside = amount < bits
        return np.where(inside, way(x, np.where(inside, y, 0)), outside(x)).astype(x.dtype)

    return shift


def _right(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    whole = _unsigned(np.ascontiguousarray(x).reshape(x.shape))
    return np.right_shift(whole, y.astype(whole.dtype)).view(x.dtype)


def _none_left(x: np.ndarray) -> np.ndarray:
    return np.zeros_like(x)


def _signed(x: np.ndarray) -> np.ndarray:
    return x.view(np.dtype(f"int{x.dtype.itemsize * 8}"))


def _sign_left(x: np.ndarray) -> np.ndarray:
    return np.where(_signed(np.ascontiguousarray(x).reshape(x.shape)) < 0, -1, 0).astype(x.dtype)


def _right_signed(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    # The highest bit is taken for a sign in unsigned numbers, too.
    whole = _signed(np.ascontiguousarray(x).reshape(x.shape))
    return np.right_shift(whole, y.astype(whole.dtype)).view(x.dtype)


_AMOUNTS = (
    Example((np.array([-7, 5, -1, 3, 1 << 30], np.int32), np.array([0, 31, 32, 4, -1], np.int32))),
    Example((np.array([200, 5, 255], np.uint8), np.array([1, 7, 8], np.uint8))),
)

shift_left_p = Elementwise(
    "shift_left",
    "stablehlo.shift_left",
    _shift(np.left_shift, _none_left),
    [None, None],
    accepts=INTEGER,
    samples=_AMOUNTS,
)
shift_right_logical_p = Elementwise(
    "shift_right_logical",
    "stablehlo.shift_right_logical",
    _shift(_right, _none_left),
    [None, None],
    accepts=INTEGER,
    samples=_AMOUNTS,
)
shift_right_arithmetic_p = Elementwise(
    "shift_right_arithmetic",
    "stablehlo.shift_right_arithmetic",
    _shift(_right_signed, _sign_left),
    [None, None],
    accepts=INTEGER,
    samples=_AMOUNTS,
)


def _count_leading_zeros(x: np.ndarray) -> np.ndarray:
    bits = x.dtype.itemsize * 8
    whole = _unsigned(np.ascontiguousarray(x).reshape(x.shape))
    return np.array([bits - int(v).bit_length() for v in whole.reshape(-1)], x.dtype).reshape(x.shape)


population_count_p = Elementwise(
    "population_count",
    "stablehlo.popcnt",
    lambda x: np.bitwise_count(_unsigned(np.ascontiguousarray(x).reshape(x.shape))).astype(x.dtype),
    [None],
    accepts=INTEGER,
    samples=(Example((np.array([0, -1, 6, 1 << 30], np.int32),)),),
)
clz_p = Elementwise(
    "clz",
    "stablehlo.count_leading_zeros",
    _count_leading_zeros,
    [None],
    accepts=INTEGER,
    samples=(Example((np.array([0, -1, 6, 1 << 30], np.int32),)),),
)
