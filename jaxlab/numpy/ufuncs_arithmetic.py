"""Arithmetic: sums, products, quotients, powers, remainders, extremes, and common divisors."""

from __future__ import annotations

from typing import Any

import numpy as np

from jaxlab import dtypes, lax
from jaxlab.core.aval import aval_of, is_inexact
from jaxlab.numpy.promotion import (
    broadcast_shapes,
    broadcast_to_shape,
    check_arraylike,
    promote,
    promote_dtypes,
    promote_one,
    promote_pair,
    promote_shapes,
    to_numeric,
    type_of,
)
from jaxlab.numpy.selection import selected
from jaxlab.numpy.ufuncs import binary, unary
from jaxlab.numpy.wrapping import BOOL, as_array, compiled, filled, like, named, strong
from jaxlab.primitives.arithmetic import integer_pow_p

add = binary(
    "add",
    lax.add,
    "The sum; logical or of booleans.",
    "jnp.array([1, 2]), 0.5 -> Array([1.5, 2.5], dtype=float32, weak_type=True)",
    on_bools=lax.bitwise_or,
)
subtract = binary(
    "subtract", lax.sub, "The difference.", "jnp.array([1, 2]), 2 -> Array([-1,  0], dtype=int32)"
)
multiply = binary(
    "multiply",
    lax.mul,
    "The product; logical and of booleans.",
    "jnp.array([1, 2]), 0.5 -> Array([0.5, 1. ], dtype=float32, weak_type=True)",
    on_bools=lax.bitwise_and,
)
true_divide = binary(
    "true_divide",
    lax.div,
    "The quotient.",
    "jnp.array([1, 2]), 4 -> Array([0.25, 0.5 ], dtype=float32)",
    inexact=True,
)
maximum = binary(
    "maximum",
    lax.max,
    "The greater of two; NaN if one is.",
    "jnp.array([1, 5]), 3 -> Array([3, 5], dtype=int32)",
)
minimum = binary(
    "minimum",
    lax.min,
    "The lesser of two; NaN if one is.",
    "jnp.array([1, 5]), 3 -> Array([1, 3], dtype=int32)",
)
arctan2 = binary(
    "arctan2",
    lax.atan2,
    "The angle in [-pi, pi] of the point with the ordinate ``x`` and the abscissa ``y``.",
    "jnp.array([1., -1.]), 1. -> Array([ 0.7853982, -0.7853982], dtype=float32)",
    inexact=True,
)
float_power = binary(
    "float_power",
    lax.pow,
    "``x`` to the power of ``y``, in floating point.",
    "jnp.array([2, 3]), 2 -> Array([4., 9.], dtype=float32)",
    inexact=True,
)
negative = unary(
    "negative", lax.neg, "The negated number.", "jnp.array([1, -2]) -> Array([-1,  2], dtype=int32)"
)
positive = unary(
    "positive", as_array, "The number itself.", "jnp.array([1, -2]) -> Array([ 1, -2], dtype=int32)"
)
sign = unary(
    "sign",
    lax.sign,
    "-1, 0 or 1, or NaN for NaN; ``x / abs(x)`` of complex numbers.",
    "jnp.array([-2., 0.]) -> Array([-1.,  0.], dtype=float32)",
)
divide = true_divide


@compiled
def absolute(x: Any, /) -> Any:
    """The absolute value; of complex numbers their modulus, which is real.

    Args:
      x: array or number; booleans stay as they are.

    Raises:
      TypeError: if ``x`` is not an array or a number.

    >>> jnp.absolute(jnp.array([-1, 2]))
    Array([1, 2], dtype=int32)
    """
    dtype = type_of("absolute", x).dtype
    if dtype == BOOL or dtypes.issubdtype(dtype, np.unsignedinteger):
        return as_array(x)
    return lax.abs(x)


@compiled
def fabs(x: Any, /) -> Any:
    """The absolute value as a floating-point number.

    Args:
      x: real array or number; integers and booleans become floats.

    Raises:
      TypeError: if ``x`` is complex, or not an array or a number.

    >>> jnp.fabs(jnp.array([-1, 2]))
    Array([1., 2.], dtype=float32)
    """
    _refuse_complex("fabs", x)
    return lax.abs(promote_one("fabs", x))


@compiled
def square(x: Any, /) -> Any:
    """Each element times itself.

    Args:
      x: array or number; booleans become integers.

    Raises:
      TypeError: if ``x`` is not an array or a number.

    >>> jnp.square(jnp.array([-1, 2]))
    Array([1, 4], dtype=int32)
    """
    return lax.square(to_numeric("square", x))


@compiled
def reciprocal(x: Any, /) -> Any:
    """One divided by each element.

    Args:
      x: array or number; integers and booleans become floats.

    Raises:
      TypeError: if ``x`` is not an array or a number.

    >>> jnp.reciprocal(jnp.array([1, 4]))
    Array([1.  , 0.25], dtype=float32)
    """
    return lax.integer_pow(promote_one("reciprocal", x), -1)


def power(x1: Any, x2: Any, /) -> Any:
    """``x1`` to the power of ``x2``.

    An exponent that is a Python or NumPy integer is known while tracing and becomes a few multiplications.

    Args:
      x1, x2: arrays or numbers; their dtypes are promoted, and their shapes broadcast. Integers to the power
        of integers
        stay integers (a negative exponent in an array gives 0); booleans become integers.

    Raises:
      TypeError: if an integer is raised to a negative Python integer, or an argument is not an array or a
        number.

    >>> jnp.power(jnp.array([2., 3.]), 2)
    Array([4., 9.], dtype=float32)
    """
    if isinstance(x2, int | np.integer):
        return _power_of_integer(x1, y=int(x2))
    return _power(x1, x2)


@compiled(static_argnames=("y",))
def _power_of_integer(x: Any, *, y: int) -> Any:
    x = to_numeric("power", x)
    dtype = aval_of(x).dtype
    if y < 0 and not is_inexact(dtype):
        raise TypeError(
            f"power: an array of dtype {dtype.name} and the exponent {y} were given, but integers cannot "
            "be raised to "
            "negative powers; write x.astype('float32') or a float exponent"
        )
    return integer_pow_p.bind(x, y=y)


@compiled
def _power(x1: Any, x2: Any) -> Any:
    check_arraylike("power", x1, x2)
    x, y = promote_shapes("power", *promote_dtypes(to_numeric("power", x1), to_numeric("power", x2)))
    if not is_inexact(aval_of(x).dtype):
        return _integer_power(x, y)
    if aval_of(x2).dtype.kind in "iu" and is_inexact(aval_of(x1).dtype):
        return lax.pow(*promote_shapes("power", x1, x2))
    return lax.pow(x, y)


def _integer_power(x: Any, y: Any) -> Any:
    """Square and multiply, over the six bits that an exponent has if the power of an integer is to fit."""
    zero, one = like(x, 0), like(x, 1)
    result = selected(lax.bitwise_and(lax.eq(x, zero), lax.ne(y, like(y, 0))), zero, one)
    for _ in range(6):
        result = selected(lax.bitwise_and(y, like(y, 1)), lax.mul(result, x), result)
        x = lax.mul(x, x)
        y = lax.shift_right_logical(y, like(y, 1))
    return result


@named
def floor_divide(x1: Any, x2: Any, /) -> Any:
    """The quotient, rounded down: ``x1 // x2``.

    Args:
      x1, x2: real arrays or numbers; their dtypes are promoted, booleans to integers, and their shapes
        broadcast.

    Returns:
      An array of the common shape and dtype; -1 for integers divided by zero, infinity or NaN for floats.

    Raises:
      TypeError: if an argument is complex, or not an array or a number.

    >>> jnp.floor_divide(jnp.array([7, -7]), 2)
    Array([ 3, -4], dtype=int32)
    """
    x, y = _numeric("floor_divide", x1, x2)
    _refuse_complex("floor_divide", x)
    dtype = aval_of(x).dtype
    if is_inexact(dtype):
        return _float_divmod(x, y)[0]
    quotient = lax.div(x, y)
    if dtype.kind == "u":
        return quotient
    unlike = lax.ne(lax.sign(x), lax.sign(y))
    inexact = lax.ne(lax.rem(x, y), like(x, 0))
    return selected(lax.bitwise_and(unlike, inexact), lax.sub(quotient, like(x, 1)), quotient)


def _float_divmod(x: Any, y: Any) -> tuple[Any, Any]:
    rest = lax.rem(x, y)
    # The quotient of what divides without a rest is a whole number, up to rounding.
    whole = lax.div(selected(lax.eq(y, like(y, 0)), x, lax.sub(x, rest)), y)
    nonzero = lax.ne(rest, like(rest, 0))
    unlike = lax.bitwise_and(nonzero, lax.ne(lax.sign(y), lax.sign(rest)))
    rest = lax.select(unlike, lax.add(rest, y), rest)
    whole = lax.select(unlike, lax.sub(whole, like(whole, 1)), whole)
    return lax.round(whole), rest


@named
def remainder(x1: Any, x2: Any, /) -> Any:
    """What is left of ``x1`` after division by ``x2``, with the sign of ``x2``: ``x1 % x2``.

    Args:
      x1, x2: real arrays or numbers; their dtypes are promoted, booleans to integers, and their shapes
        broadcast.

    Returns:
      An array of the common shape and dtype; 0 for integers divided by zero, NaN for floats.

    Raises:
      TypeError: if an argument is complex, or not an array or a number.

    >>> jnp.remainder(jnp.array([7, -7]), 3)
    Array([1, 2], dtype=int32)
    """
    x, y = _numeric("remainder", x1, x2)
    zero = like(x, 0)
    if not is_inexact(aval_of(x).dtype):
        y = selected(lax.eq(y, zero), filled(y, 1), y)
    rest = lax.rem(x, y)
    nonzero = lax.ne(rest, zero)
    unlike = lax.ne(lax.lt(rest, zero), lax.lt(y, zero))
    return lax.select(lax.bitwise_and(unlike, nonzero), lax.add(rest, y), rest)


@named
def fmod(x1: Any, x2: Any, /) -> Any:
    """What is left of ``x1`` after division by ``x2``, with the sign of ``x1``.

    Args:
      x1, x2: real arrays or numbers; their dtypes are promoted, booleans to integers, and their shapes
        broadcast.

    Raises:
      TypeError: if an argument is complex, or not an array or a number.

    >>> jnp.fmod(jnp.array([7, -7]), 3)
    Array([ 1, -1], dtype=int32)
    """
    check_arraylike("fmod", x1, x2)
    if dtypes.issubdtype(dtypes.result_type(x1, x2), np.integer):
        x2 = selected(lax.eq(x2, like(x2, 0)), filled(x2, 1), x2)
    return lax.rem(*_numeric("fmod", x1, x2))


@named
def divmod(x1: Any, x2: Any, /) -> tuple[Any, Any]:
    """`floor_divide` and `remainder` at once.

    Args:
      x1, x2: real arrays or numbers; their dtypes are promoted, booleans to integers, and their shapes
        broadcast.

    Raises:
      TypeError: if an argument is complex, or not an array or a number.

    >>> jnp.divmod(jnp.array([7, -7]), 3)
    (Array([ 2, -3], dtype=int32), Array([1, 2], dtype=int32))
    """
    x, y = _numeric("divmod", x1, x2)
    if not is_inexact(aval_of(x).dtype):
        return floor_divide(x, y), remainder(x, y)
    return _float_divmod(x, y)


@named
def fmax(x1: Any, x2: Any) -> Any:
    """The greater of two; where one is NaN, the other.

    Args:
      x1, x2: arrays or numbers; their dtypes are promoted, and their shapes broadcast.

    Raises:
      TypeError: if an argument is not an array or a number.

    >>> jnp.fmax(jnp.array([1., jnp.nan]), 0.)
    Array([1., 0.], dtype=float32)
    """
    return _extreme("fmax", x1, x2, lax.gt)


@named
def fmin(x1: Any, x2: Any) -> Any:
    """The lesser of two; where one is NaN, the other.

    Args:
      x1, x2: arrays or numbers; their dtypes are promoted, and their shapes broadcast.

    Raises:
      TypeError: if an argument is not an array or a number.

    >>> jnp.fmin(jnp.array([1., jnp.nan]), 0.)
    Array([0., 0.], dtype=float32)
    """
    return _extreme("fmin", x1, x2, lax.lt)


@named
def hypot(x1: Any, x2: Any, /) -> Any:
    """``sqrt(x1**2 + x2**2)``, without overflow on the way.

    Args:
      x1, x2: real arrays or numbers; their dtypes are promoted, integers to floats, and their shapes
        broadcast.

    Raises:
      ValueError: if an argument is complex.
      TypeError: if an argument is not an array or a number.

    >>> jnp.hypot(3., jnp.array([4., 0.]))
    Array([5., 3.], dtype=float32)
    """
    x, y, dtype = promote_pair("hypot", x1, x2, inexact=True)
    if dtype.kind == "c":
        raise ValueError(
            "hypot: complex numbers were given, but only real ones are taken; write jnp.abs(...) around them"
        )
    x, y = lax.abs(x), lax.abs(y)
    infinity = strong(x, np.inf)
    infinite = lax.bitwise_or(lax.eq(x, infinity), lax.eq(y, infinity))
    big, small = lax.max(x, y), lax.min(x, y)
    zero = like(x, 0)
    is_zero, is_zero_again = lax.eq(big, zero), lax.eq(big, zero)
    ratio = lax.div(small, selected(is_zero_again, filled(big, 1), big))
    length = lax.mul(big, lax.sqrt(lax.add(like(x, 1), lax.square(ratio))))
    return selected(infinite, infinity, selected(is_zero, big, length))


@named
def gcd(x1: Any, x2: Any) -> Any:
    """The greatest common divisor.

    Args:
      x1, x2: arrays of integers, or integers; their dtypes are promoted, and their shapes broadcast.

    Raises:
      ValueError: if an argument is not of integers.

    >>> jnp.gcd(jnp.array([12, 18]), 8)
    Array([4, 2], dtype=int32)
    """
    x, y = _integers("gcd", x1, x2)
    shape = broadcast_shapes(aval_of(x).shape, aval_of(y).shape)
    x, y = [absolute.__wrapped__(v) for v in [broadcast_to_shape(v, shape) for v in (x, y)]]
    return lax.while_loop(_gcd_goes_on, _gcd_step, (x, y))[0]


def _gcd_goes_on(pair: tuple[Any, Any]) -> Any:
    going = lax.ne(pair[1], like(pair[1], 0))
    return lax.reduce_or(going, range(len(aval_of(going).shape)))


def _gcd_step(pair: tuple[Any, Any]) -> tuple[Any, Any]:
    x, y = pair
    zero = like(y, 0)
    a = selected(lax.ne(y, zero), y, x)
    b = selected(lax.ne(y, zero), lax.rem(x, y), zero)
    return selected(lax.lt(a, b), b, a), selected(lax.lt(a, b), a, b)


@named
def lcm(x1: Any, x2: Any) -> Any:
    """The least common multiple.

    Args:
      x1, x2: arrays of integers, or integers; their dtypes are promoted, and their shapes broadcast.

    Raises:
      ValueError: if an argument is not of integers.

    >>> jnp.lcm(jnp.array([4, 6]), 10)
    Array([20, 30], dtype=int32)
    """
    x, y = _integers("lcm", x1, x2)
    x, y = absolute.__wrapped__(x), absolute.__wrapped__(y)
    divisor = gcd(x, y)
    none = lax.eq(divisor, like(divisor, 0))
    return selected(none, like(divisor, 0), multiply.__wrapped__(x, floor_divide(y, divisor)))


def _numeric(name: str, x: Any, y: Any) -> list[Any]:
    """Two operands in their common dtype and rank, booleans as integers."""
    x, y, dtype = promote_pair(name, x, y)
    return [to_numeric(name, x), to_numeric(name, y)] if dtype == BOOL else [x, y]


def _extreme(name: str, x: Any, y: Any, compare: Any) -> Any:
    left, right, dtype = promote_pair(name, x, y)
    wins = _ordered(compare, left, right, dtype)
    wins, missing, _ = promote_pair(name, wins, lax.ne(y, y))
    return selected(lax.bitwise_or(wins, missing), x, y)


def _ordered(compare: Any, x: Any, y: Any, dtype: Any) -> Any:
    return complex_order(compare, x, y) if dtype.kind == "c" else compare(x, y)


def complex_order(compare: Any, x: Any, y: Any) -> Any:
    """A comparison of complex numbers: by their real parts, and where those are equal by the imaginary
    ones."""
    same = lax.eq(lax.real(x), lax.real(y))
    by_imag = compare(lax.imag(x), lax.imag(y))
    return lax.select(same, by_imag, compare(lax.real(x), lax.real(y)))


def _refuse_complex(name: str, x: Any) -> None:
    aval = type_of(name, x)
    if aval.dtype.kind == "c":
        raise TypeError(
            f"{name}: an operand of dtype {aval.dtype.name} was given, but only real ones are taken; take "
            "its .real or abs"
        )


def _integers(name: str, x: Any, y: Any) -> list[Any]:
    check_arraylike(name, x, y)
    for operand in (x, y):
        dtype = aval_of(operand).dtype
        if not dtypes.issubdtype(dtype, np.integer):
            raise ValueError(
                f"{name}: an operand of dtype {dtype.name} was given, but both must be integers; convert "
                "it with astype"
            )
    return promote(name, x, y)


abs, mod, pow, atan2 = absolute, remainder, power, arctan2
