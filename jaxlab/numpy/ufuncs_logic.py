"""Comparisons, logic, bits, and questions about elements."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from jaxlab import lax
from jaxlab.core.aval import aval_of, is_inexact
from jaxlab.numpy.creation import asarray
from jaxlab.numpy.promotion import (
    broadcast_shapes,
    cast,
    check_arraylike,
    promote,
    promote_one,
    promote_pair,
    to_numeric,
    type_of,
)
from jaxlab.numpy.ufuncs import binary, unary
from jaxlab.numpy.ufuncs_arithmetic import absolute, complex_order
from jaxlab.numpy.wrapping import BOOL, compiled, filled, like, named, strong
from jaxlab.runtime.array import put


def _ordering(name: str, compare: Callable[[Any, Any], Any], about: str, example: str) -> Any:
    def on_numbers(x: Any, y: Any) -> Any:
        return compare(x, y) if aval_of(x).dtype.kind != "c" else complex_order(compare, x, y)

    return binary(name, on_numbers, about, example)


def _as_bool(x: Any) -> Any:
    return x if aval_of(x).dtype == BOOL else lax.ne(x, like(x, 0))


def _logical(name: str, on_bools: Callable[[Any, Any], Any], about: str, example: str) -> Any:
    def on_numbers(x: Any, y: Any) -> Any:
        return on_bools(lax.ne(x, strong(x, 0)), lax.ne(y, strong(y, 0)))

    return binary(name, on_numbers, about, example, on_bools=on_bools)


equal = binary(
    "equal", lax.eq, "Whether two are equal.", "jnp.array([1, 2]), 2 -> Array([False,  True], dtype=bool)"
)
not_equal = binary(
    "not_equal",
    lax.ne,
    "Whether two are not equal.",
    "jnp.array([1, 2]), 2 -> Array([ True, False], dtype=bool)",
)
less = _ordering(
    "less",
    lax.lt,
    "Whether the first is less; complex numbers are ordered by their real parts first.",
    "jnp.array([1, 2]), 2 -> Array([ True, False], dtype=bool)",
)
less_equal = _ordering(
    "less_equal",
    lax.le,
    "Whether the first is not greater; complex numbers by their real parts first.",
    "jnp.array([1, 2]), 2 -> Array([ True,  True], dtype=bool)",
)
greater = _ordering(
    "greater",
    lax.gt,
    "Whether the first is greater; complex numbers by their real parts first.",
    "jnp.array([1, 2]), 1 -> Array([False,  True], dtype=bool)",
)
greater_equal = _ordering(
    "greater_equal",
    lax.ge,
    "Whether the first is not less; complex numbers by their real parts first.",
    "jnp.array([1, 2]), 2 -> Array([False,  True], dtype=bool)",
)
logical_and = _logical(
    "logical_and",
    lax.bitwise_and,
    "Whether both are true; numbers are where they are not 0.",
    "jnp.array([0, 2]), True -> Array([False,  True], dtype=bool)",
)
logical_or = _logical(
    "logical_or",
    lax.bitwise_or,
    "Whether one is true; numbers are where they are not 0.",
    "jnp.array([0, 2]), False -> Array([False,  True], dtype=bool)",
)
logical_xor = _logical(
    "logical_xor",
    lax.bitwise_xor,
    "Whether exactly one is true; numbers are where they are not 0.",
    "jnp.array([0, 2]), True -> Array([ True, False], dtype=bool)",
)
logical_not = unary(
    "logical_not",
    lambda x: lax.bitwise_not(_as_bool(x)),
    "Whether an element is false, or 0.",
    "jnp.array([0, 2]) -> Array([ True, False], dtype=bool)",
)
bitwise_and = binary(
    "bitwise_and",
    lax.bitwise_and,
    "The bits that both integers have; logical and of booleans.",
    "jnp.array([5, 6]), 3 -> Array([1, 2], dtype=int32)",
)
bitwise_or = binary(
    "bitwise_or",
    lax.bitwise_or,
    "The bits that one of two integers has; logical or of booleans.",
    "jnp.array([5, 6]), 3 -> Array([7, 7], dtype=int32)",
)
bitwise_xor = binary(
    "bitwise_xor",
    lax.bitwise_xor,
    "The bits that exactly one of two integers has.",
    "jnp.array([5, 6]), 3 -> Array([6, 5], dtype=int32)",
)
invert = unary(
    "invert",
    lax.bitwise_not,
    "The bits that an integer does not have; logical not of booleans.",
    "jnp.array([0, 5]) -> Array([-1, -6], dtype=int32)",
)
bitwise_not = bitwise_invert = invert


def _shifted(name: str, x: Any, y: Any) -> tuple[Any, Any]:
    x, y, dtype = promote_pair(name, x, y)
    return (to_numeric(name, x), to_numeric(name, y)) if dtype == BOOL else (x, y)


@compiled
def left_shift(x: Any, y: Any, /) -> Any:
    """The bits of ``x``, ``y`` places higher: ``x << y``.

    Args:
      x, y: arrays of integers, or integers; their dtypes are promoted, and their shapes broadcast.

    Raises:
      TypeError: if an argument is not of integers.

    >>> jnp.left_shift(jnp.array([1, 2]), 3)
    Array([ 8, 16], dtype=int32)
    """
    return lax.shift_left(*_shifted("left_shift", x, y))


@compiled
def right_shift(x1: Any, x2: Any, /) -> Any:
    """The bits of ``x1``, ``x2`` places lower; the sign stays: ``x1 >> x2``.

    Args:
      x1, x2: arrays of integers, or integers; their dtypes are promoted, and their shapes broadcast.

    Raises:
      TypeError: if an argument is not of integers.

    >>> jnp.right_shift(jnp.array([8, -16]), 3)
    Array([ 1, -2], dtype=int32)
    """
    x1, x2 = _shifted("right_shift", x1, x2)
    unsigned = aval_of(x1).dtype.kind == "u"
    return (lax.shift_right_logical if unsigned else lax.shift_right_arithmetic)(x1, x2)


bitwise_left_shift, bitwise_right_shift = left_shift, right_shift


@named
def bitwise_count(x: Any, /) -> Any:
    """How many bits the absolute value of an integer has that are 1.

    Args:
      x: array of integers or booleans, or a number of such.

    Returns:
      An array of uint8.

    Raises:
      TypeError: if ``x`` is not of integers or booleans.

    >>> jnp.bitwise_count(jnp.array([7, -8]))
    Array([3, 1], dtype=uint8)
    """
    x = absolute.__wrapped__(to_numeric("bitwise_count", x))
    return lax.convert_element_type(lax.population_count(x), np.dtype(np.uint8))


@compiled
def isnan(x: Any, /) -> Any:
    """Whether an element is NaN (not a number).

    Args:
      x: array or number.

    Raises:
      TypeError: if ``x`` is not an array or a number.

    >>> jnp.isnan(jnp.array([1., jnp.nan]))
    Array([False,  True], dtype=bool)
    """
    type_of("isnan", x)
    return lax.ne(x, x)


@compiled
def isfinite(x: Any, /) -> Any:
    """Whether an element is neither infinite nor NaN.

    Args:
      x: array or number.

    Raises:
      TypeError: if ``x`` is not an array or a number.

    >>> jnp.isfinite(jnp.array([1., jnp.inf]))
    Array([ True, False], dtype=bool)
    """
    dtype = type_of("isfinite", x).dtype
    if dtype.kind == "c":
        return lax.bitwise_and(lax.is_finite(lax.real(x)), lax.is_finite(lax.imag(x)))
    return lax.is_finite(x) if is_inexact(dtype) else filled(x, True, BOOL)


@named
def isinf(x: Any, /) -> Any:
    """Whether an element is infinite, with either sign.

    Args:
      x: array or number.

    Raises:
      TypeError: if ``x`` is not an array or a number.

    >>> jnp.isinf(jnp.array([1., -jnp.inf]))
    Array([False,  True], dtype=bool)
    """
    dtype = type_of("isinf", x).dtype
    if dtype.kind == "c":
        real, imag = lax.real(x), lax.imag(x)
        first = lax.eq(lax.abs(real), like(real, np.inf))
        return lax.bitwise_or(first, lax.eq(lax.abs(imag), like(real, np.inf)))
    return lax.eq(lax.abs(x), strong(x, np.inf)) if is_inexact(dtype) else filled(x, False, BOOL)


def _is_infinity(name: str, infinity: float, x: Any) -> Any:
    dtype = type_of(name, x).dtype
    if dtype.kind == "c":
        raise ValueError(
            f"{name}: complex numbers were given, which have no sign; ask for their .real or .imag"
        )
    return lax.eq(x, strong(x, infinity)) if is_inexact(dtype) else filled(x, False, BOOL)


@compiled
def isposinf(x: Any, /) -> Any:
    """Whether an element is positive infinity.

    Args:
      x: real array or number.

    Raises:
      ValueError: if ``x`` is complex.

    >>> jnp.isposinf(jnp.array([jnp.inf, -jnp.inf]))
    Array([ True, False], dtype=bool)
    """
    return _is_infinity("isposinf", np.inf, x)


@compiled
def isneginf(x: Any, /) -> Any:
    """Whether an element is negative infinity.

    Args:
      x: real array or number.

    Raises:
      ValueError: if ``x`` is complex.

    >>> jnp.isneginf(jnp.array([jnp.inf, -jnp.inf]))
    Array([False,  True], dtype=bool)
    """
    return _is_infinity("isneginf", -np.inf, x)


@named(static_argnames=("equal_nan",))
def isclose(a: Any, b: Any, rtol: Any = 1e-05, atol: Any = 1e-08, equal_nan: bool = False) -> Any:
    """Whether two are nearly equal: ``abs(a - b) <= atol + rtol * abs(b)``.

    Args:
      a, b: arrays or numbers; their dtypes are promoted, and their shapes broadcast.
      rtol, atol: the relative and the absolute tolerance.
      equal_nan: whether NaN is close to NaN.

    Raises:
      TypeError: if an argument is not an array or a number.

    >>> jnp.isclose(jnp.array([1., 2.]), 1.000001)
    Array([ True, False], dtype=bool)
    """
    a, b = promote("isclose", a, b)
    dtype = aval_of(a).dtype
    if dtype == BOOL or not is_inexact(dtype):
        a, b = promote_one("isclose", a), promote_one("isclose", b)
        dtype = aval_of(a).dtype
    real = dtype if dtype.kind != "c" else np.dtype(f"float{dtype.itemsize * 4}")
    rtol, atol = cast(rtol, real), cast(atol, real)
    both_nan = logical_and.__wrapped__(lax.ne(a, a), lax.ne(b, b))
    finite = isfinite.__wrapped__(b)
    near = lax.le(lax.abs(lax.sub(a, b)), lax.add(atol, lax.mul(rtol, lax.abs(b))))
    same = lax.eq(a, b)
    out = logical_or.__wrapped__(same, logical_and.__wrapped__(finite, near))
    return logical_or.__wrapped__(out, both_nan) if equal_nan else out


@named(static_argnames=("equal_nan",))
def allclose(a: Any, b: Any, rtol: Any = 1e-05, atol: Any = 1e-08, equal_nan: bool = False) -> Any:
    """Whether all elements are nearly equal: ``isclose(...).all()``.

    Args:
      a, b, rtol, atol, equal_nan: as for `isclose`.

    Returns:
      A boolean array without axes.

    >>> jnp.allclose(jnp.array([1., 2.]), jnp.array([1., 2.000001]))
    Array(True, dtype=bool)
    """
    check_arraylike("allclose", a, b)
    return _all(isclose(a, b, rtol, atol, equal_nan))


def _all(x: Any) -> Any:
    return lax.reduce_and(cast(x, BOOL), tuple(range(len(aval_of(x).shape))))


def array_equal(a1: Any, a2: Any, equal_nan: bool = False) -> Any:
    """Whether two arrays have one shape and the same elements.

    Args:
      a1, a2: arrays, numbers or nested lists of numbers.
      equal_nan: whether NaN equals NaN.

    Returns:
      A boolean array without axes.

    >>> jnp.array_equal(jnp.array([1, 2]), jnp.array([1, 2]))
    Array(True, dtype=bool)
    """
    a1, a2 = asarray(a1), asarray(a2)
    if aval_of(a1).shape != aval_of(a2).shape:
        return put(np.bool_(False))
    return _array_equal(a1, a2, equal_nan=equal_nan)


@compiled(static_argnames=("equal_nan",))
def _array_equal(a1: Any, a2: Any, *, equal_nan: bool) -> Any:
    same = equal.__wrapped__(a1, a2)
    if equal_nan:
        same = lax.bitwise_or(same, lax.bitwise_and(lax.ne(a1, a1), lax.ne(a2, a2)))
    return _all(same)


def array_equiv(a1: Any, a2: Any) -> Any:
    """Whether two arrays broadcast against each other and then have the same elements.

    Args:
      a1, a2: arrays, numbers or nested lists of numbers.

    Returns:
      A boolean array without axes.

    >>> jnp.array_equiv(jnp.array([1, 1]), 1)
    Array(True, dtype=bool)
    """
    a1, a2 = asarray(a1), asarray(a2)
    try:
        broadcast_shapes(aval_of(a1).shape, aval_of(a2).shape)
    except ValueError:
        return put(np.bool_(False))
    return _array_equal(a1, a2, equal_nan=False)
